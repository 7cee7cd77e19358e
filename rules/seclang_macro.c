/* seclang_macro.c -- "score %{tx.score}" -> pieces. */
#include "rules/seclang_load.h"
#include "rules/vars.h"

enum { PIECES_MAX = 64 };

bool seclang_has_macro(struct bytes text)
{
	size_t at = bytes_find(text, BYTES("%{"));

	return at != SIZE_MAX && bytes_index(bytes_from(text, at), '}') != SIZE_MAX;
}

/* "REQUEST_HEADERS.host" -> "REQUEST_HEADERS:host" -> its target. */
static bool name(struct seclang *s, struct bytes text, const struct target **out)
{
	struct bytes variable = arena_copy(s->ir->arena, text);
	struct target *all;
	size_t n, dot;

	if (!variable.at)
		return seclang_short_of_memory(s);
	dot = bytes_index(variable, '.');
	if (dot != SIZE_MAX)
		((char *)variable.at)[dot] = ':';
	if (!seclang_targets(s, variable, &all, &n))
		return false;
	*out = all; /* of ARGS the query's come first */
	return n || seclang_fail(s, "%%{} without a name");
}

bool seclang_macro(struct seclang *s, struct bytes text, const struct macro **out)
{
	struct macro *m = arena_get(s->ir->arena, sizeof *m);

	if (m)
		m->at = arena_get(s->ir->arena, PIECES_MAX * sizeof *m->at);
	if (!m || !m->at)
		return seclang_short_of_memory(s);
	m->constant = true;
	do {
		size_t from = bytes_find(text, BYTES("%{"));
		size_t to = from == SIZE_MAX ? SIZE_MAX : bytes_index(bytes_from(text, from), '}');

		if (m->n + 2 > PIECES_MAX)
			return seclang_fail(s, "more than %d pieces in '%.*s'", PIECES_MAX, BYTES_ARG(bytes_sub(text, 0, 60)));
		if (to == SIZE_MAX)
			from = text.len;
		if (from || !text.len)
			m->at[m->n++] = (struct piece){ .text = bytes_sub(text, 0, from) };
		if (to == SIZE_MAX)
			break;
		if (!name(s, bytes_sub(text, from + 2, from + to), &m->at[m->n++].target))
			return false;
		m->constant = false;
		text = bytes_from(text, from + to + 1);
	} while (text.len);
	if (m->constant)
		m->number = vars_number(m->at[0].text);
	*out = m;
	return true;
}
