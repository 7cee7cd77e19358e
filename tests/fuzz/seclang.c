/* SecLang that is read, written in canonical form and read again is the same; what is read lies in the arena and within
 * its bounds; a refusal names the line. Variables, operators and actions also of the input as it is. */
#include <stdint.h>
#include "base/text.h"
#include "rules/seclang.h"
#include "tests/fuzz/must.h"

enum { CAP = 4 << 20, INPUT_MAX = 8 << 10 };

static struct text writer(struct arena *a, size_t cap)
{
	struct text t = text_over(arena_raw(a, cap), cap);

	must(t.at);
	return t;
}

/* The text, and then nothing of it: what is read must not need it any more. */
static struct text given(struct arena *a, struct bytes text)
{
	struct text t = writer(a, text.len + 1);

	text_put(&t, text);
	return t;
}

static void take_away(struct text *t)
{
	memset(t->at, '#', t->cap);
}

static bool same(struct bytes a, struct bytes b)
{
	return !a.at == !b.at && bytes_eq(a, b);
}

/* In quotes, or bare when `quote` is 0. Not every text can be written each way: `a\"b` stands bare or in '...' only. */
static void put_quoted(struct text *t, struct bytes b, char quote)
{
	if (!quote) {
		text_put(t, b);
		return;
	}
	text_byte(t, quote);
	for (size_t i = 0; i < b.len; i++) {
		if (b.at[i] == quote)
			text_byte(t, '\\');
		text_byte(t, b.at[i]);
		if (b.at[i] == '\\' && i + 1 < b.len && b.at[i + 1] == '\\')
			text_byte(t, b.at[++i]);
	}
	text_byte(t, quote);
}

/* ---- variables ---- */

static bool variable_again(struct arena *a, const struct seclang_variable *v, char quote)
{
	struct text t = writer(a, 2 * v->selector.len + v->name.len + 16);
	struct seclang_variable *again;
	struct bytes s = v->selector;
	struct err e = { 0 };
	size_t n;

	text_printf(&t, "%s%s%.*s%s", v->except ? "!" : "", v->count ? "&" : "", BYTES_ARG(v->name), s.at ? ":" : "");
	if (v->regex) {
		struct text slashes = writer(a, s.len + 2);

		text_byte(&slashes, '/');
		text_put(&slashes, s);
		text_byte(&slashes, '/');
		s = text_bytes(&slashes);
	}
	if (s.at)
		put_quoted(&t, s, quote);
	must(!t.full);
	return seclang_variables(a, text_bytes(&t), &again, &n, &e) && n == 1 && same(again->name, v->name) &&
	       same(again->selector, v->selector) && again->regex == v->regex && again->count == v->count &&
	       again->except == v->except;
}

static void check_variables(struct arena *a, struct bytes text)
{
	struct text t = given(a, text);
	struct seclang_variable *v;
	struct err e = { 0 };
	size_t n;

	if (!seclang_variables(a, text_bytes(&t), &v, &n, &e)) {
		must(e.side == SIDE_CONFIG && e.text[0]);
		return;
	}
	take_away(&t);
	must(n > 0 && n <= SECLANG_ARGS_MAX);
	for (size_t i = 0; i < n; i++) {
		must(v[i].name.len && (!v[i].selector.at || v[i].selector.len));
		must(!v[i].regex || !bytes_eq_nocase(v[i].name, BYTES("XML")));
		must(variable_again(a, &v[i], '\'') || variable_again(a, &v[i], 0));
	}
}

/* ---- operators ---- */

static void check_operator(struct arena *a, struct bytes text)
{
	struct text t = writer(a, text.len + 16);
	struct seclang_operator op, again;
	struct err e = { 0 };

	if (!seclang_operator(text, &op, &e)) {
		must(e.side == SIDE_CONFIG && e.text[0]);
		return;
	}
	must(op.argument.len <= text.len && op.name.len);
	must(op.argument.at >= text.at && op.argument.at + op.argument.len <= text.at + text.len);
	text_str(&t, op.negate ? "!@" : "@");
	text_put(&t, op.name);
	text_byte(&t, ' ');
	text_put(&t, op.argument);
	must(!t.full && seclang_operator(text_bytes(&t), &again, &e));
	must(same(op.name, again.name) && bytes_eq(op.argument, again.argument) && op.negate == again.negate);
}

/* ---- actions ---- */

static bool action_again(struct arena *a, const struct seclang_action *action, char quote)
{
	struct text t = writer(a, action->name.len + 2 * action->value.len + 16);
	struct seclang_action *again;
	struct err e = { 0 };
	size_t n;

	text_put(&t, action->name);
	if (action->value.at) {
		text_byte(&t, ':');
		put_quoted(&t, action->value, quote);
	}
	must(!t.full);
	return seclang_actions(a, text_bytes(&t), &again, &n, &e) && n == 1 && same(again->name, action->name) &&
	       same(again->value, action->value);
}

static void check_actions(struct arena *a, struct bytes text)
{
	struct text t = given(a, text);
	struct seclang_action *v;
	struct err e = { 0 };
	size_t n;

	if (!seclang_actions(a, text_bytes(&t), &v, &n, &e)) {
		must(e.side == SIDE_CONFIG && e.text[0]);
		return;
	}
	take_away(&t);
	must(!v == !n && n <= SECLANG_ARGS_MAX);
	for (size_t i = 0; i < n; i++)
		must(v[i].name.len && (action_again(a, &v[i], '\'') || action_again(a, &v[i], 0)));
}

/* ---- directives ---- */

struct reading {
	struct arena *arena;
	struct text canonical;
	const struct seclang_directive *want; /* in the second reading */
	unsigned taken;
};

static bool compare(void *ctx, const struct seclang_directive *d, struct err *e)
{
	const struct seclang_directive *want = ((struct reading *)ctx)->want;
	bool equal = same(d->name, want->name) && d->nargs == want->nargs;

	for (size_t i = 0; equal && i < d->nargs; i++)
		equal = same(d->args[i], want->args[i]);
	((struct reading *)ctx)->taken++;
	return equal || err_set(e, SIDE_SELF, 0, "another");
}

/* A directive of one argument reads back the same. */
static bool argument_again(struct arena *a, const struct seclang_directive *d, size_t i, char quote)
{
	struct seclang_directive one = { .name = d->name, .args = &d->args[i], .nargs = 1 };
	struct text t = writer(a, d->name.len + 2 * d->args[i].len + 8);
	struct reading r = { .arena = a, .want = &one };
	struct err e = { 0 };

	text_put(&t, d->name);
	text_byte(&t, ' ');
	put_quoted(&t, d->args[i], quote);
	text_byte(&t, ' '); /* a backslash at the end would continue the line */
	must(!t.full);
	return seclang_text(a, (struct seclang_place){ "again", 1 }, text_bytes(&t),
			    &(struct seclang_sink){ compare, &r }, &e) && r.taken == 1;
}

static bool take(void *ctx, const struct seclang_directive *d, struct err *e)
{
	struct reading *r = ctx;

	(void)e;
	must(d->name.len && d->nargs <= SECLANG_ARGS_MAX && d->place.line > 0);
	for (size_t i = 0; i < d->nargs; i++) {
		must(argument_again(r->arena, d, i, '"') || argument_again(r->arena, d, i, '\'') ||
		     argument_again(r->arena, d, i, 0));
		check_variables(r->arena, d->args[i]);
		check_operator(r->arena, d->args[i]);
		check_actions(r->arena, d->args[i]);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct arena *a = arena_new(CAP);
	struct reading r = { .arena = a };
	struct err e = { 0 };
	unsigned line;

	must(a);
	if (size <= INPUT_MAX) {
		if (!seclang_text(a, (struct seclang_place){ "fuzz.conf", 1 }, text, &(struct seclang_sink){ take, &r }, &e))
			must(e.side == SIDE_CONFIG && sscanf(e.text, "fuzz.conf:%u:", &line) == 1 && line > 0 && line <= size + 1);
		check_variables(a, text);
		check_operator(a, text);
		check_actions(a, text);
	}
	arena_free(a);
	return 0;
}
