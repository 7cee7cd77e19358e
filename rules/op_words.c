/* op_words.c -- many words in one value.
 *
 * Description  pm, pmFromFile (pmf)
 * Argument     words parted by blanks, each as it stands (ModSecurity 2 alone reads
 *              "|41 42|" as hexadecimal); or a file with one a line
 * True when    one of them is in the value, whatever its case (ASCII)
 * Example      "@pm <script javascript:" */
#include "rules/op_parts.h"
#include "rules/words.h"

static enum answer one_after_the_other(const struct operand *o, struct bytes v, struct span *s)
{
	for (size_t i = 0; i < o->ntexts; i++) {
		size_t at = bytes_find_nocase(v, o->texts[i]);

		if (at != SIZE_MAX)
			return op_yes_at(s, at, o->texts[i].len);
	}
	return ANSWER_NO;
}

enum answer op_pm(const struct operand *o, struct bytes v, struct span *s)
{
	if (!o->words)
		return one_after_the_other(o, v, s);
	return words_find(o->words, v, &s->at, &s->len) ? ANSWER_YES : ANSWER_NO;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool op_words(struct arena *a, struct bytes argument, struct bytes **words, size_t *n)
{
	size_t from = 0, to;

	*n = 0;
	*words = arena_get(a, (argument.len / 2 + 1) * sizeof **words);
	for (; *words && from < argument.len; from = to) {
		while (from < argument.len && is_blank(argument.at[from]))
			from++;
		for (to = from; to < argument.len && !is_blank(argument.at[to]);)
			to++;
		if (to > from)
			(*words)[(*n)++] = bytes_sub(argument, from, to);
	}
	return *words != NULL;
}
