/* vars.c -- slots, and a short list of what was made up. */
#include "rules/vars.h"
#include "base/text.h"

int64_t vars_number(struct bytes text)
{
	struct bytes digits;
	bool minus;
	uint64_t n = 0;
	size_t i = 0;

	while (text.len && (text.at[0] == ' ' || (text.at[0] >= '\t' && text.at[0] <= '\r')))
		text = bytes_from(text, 1);
	minus = text.len && text.at[0] == '-';
	digits = bytes_from(text, minus || (text.len && text.at[0] == '+'));
	for (; i < digits.len && digits.at[i] >= '0' && digits.at[i] <= '9'; i++) {
		n = n * 10 + (uint64_t)(digits.at[i] - '0');
		if (n > INT32_MAX)
			n = INT32_MAX; /* scores and counters; nothing may overflow when added */
	}
	return minus ? -(int64_t)n : (int64_t)n;
}

void vars_set_text(struct var *v, struct bytes text)
{
	*v = (struct var){ .text = { text.at ? text.at : "", text.len }, .number = vars_number(text), .set = true };
}

void vars_set_number(struct var *v, int64_t n)
{
	*v = (struct var){ .number = n, .set = true };
}

struct bytes vars_text(struct arena *a, struct var *v)
{
	struct text t;

	if (!v || !v->set)
		return BYTES("");
	if (v->text.at)
		return v->text;
	t = text_over(arena_raw(a, 24), 24);
	if (t.at)
		text_printf(&t, "%lld", (long long)v->number);
	v->text = text_bytes(&t);
	return v->text;
}

static struct var *made(struct vars *v, enum collection collection, struct bytes name)
{
	struct made_var *at;
	struct bytes kept;

	if (v->nmade == VARS_MADE_MAX)
		return NULL;
	at = arena_grow(v->arena, v->made, &v->cap, v->nmade + 1, sizeof *at);
	kept = arena_copy(v->arena, name);
	if (!at || !kept.at)
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		((char *)kept.at)[i] = byte_lower(name.at[i]);
	v->made = at;
	at[v->nmade] = (struct made_var){ .collection = collection, .name = kept };
	return &at[v->nmade++].var;
}

struct var *vars_find(struct vars *v, enum collection collection, struct bytes name, bool make)
{
	for (size_t i = 0; i < v->ir->nslots; i++)
		if (v->ir->slots[i].collection == collection && bytes_eq_nocase(v->ir->slots[i].name, name))
			return &v->slots[i];
	for (size_t i = 0; i < v->nmade; i++)
		if (v->made[i].collection == collection && bytes_eq_nocase(v->made[i].name, name))
			return &v->made[i].var;
	return make ? made(v, collection, name) : NULL;
}

bool vars_copy(struct arena *a, const struct vars *from, struct vars *to)
{
	*to = *from;
	to->slots = (struct var *)arena_get(a, (from->ir->nslots + 1) * sizeof *to->slots);
	to->made = arena_get(a, (from->nmade + 1) * sizeof *to->made);
	to->cap = from->nmade + 1;
	if (!to->slots || !to->made)
		return false;
	memcpy(to->slots, from->slots, from->ir->nslots * sizeof *to->slots);
	if (from->nmade)
		memcpy(to->made, from->made, from->nmade * sizeof *to->made);
	return true;
}
