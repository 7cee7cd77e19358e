/* op_text.c -- a value beside texts, byte for byte.
 *
 * An empty text is in every value, and begins and ends it; an empty value is
 * within every text. Only ASCII letters make words (ModSecurity's reading): a
 * digit or '_' beside a word does not hide it. */
#include "rules/op_parts.h"

/* A test that any of the operand's texts may pass. */
typedef bool text_test(struct bytes value, struct bytes text, struct span *);

static enum answer any_text(const struct operand *o, struct bytes v, struct span *s, text_test *test)
{
	for (size_t i = 0; i < o->ntexts; i++)
		if (test(v, o->texts[i], s))
			return ANSWER_YES;
	return ANSWER_NO;
}

static bool is_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ 0, v.len };
	return bytes_eq(v, text);
}

static bool holds_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ bytes_find(v, text), text.len };
	return s->at != SIZE_MAX;
}

static bool starts_with_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ 0, text.len };
	return bytes_starts(v, text);
}

static bool ends_with_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ v.len - text.len, text.len };
	return bytes_ends(v, text);
}

static bool is_within_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ 0, v.len };
	return bytes_find(text, v) != SIZE_MAX;
}

static bool is_letter(struct bytes v, size_t at)
{
	return at < v.len && byte_lower(v.at[at]) >= 'a' && byte_lower(v.at[at]) <= 'z';
}

static bool holds_whole_word(struct bytes v, struct bytes text, struct span *s)
{
	size_t from = 0, at;

	*s = (struct span){ 0, text.len };
	while (text.len && (at = bytes_find(bytes_from(v, from), text)) != SIZE_MAX) {
		s->at = from + at;
		if (!(s->at && is_letter(v, s->at - 1)) && !is_letter(v, s->at + text.len))
			return true;
		from = s->at + 1;
	}
	return !text.len;
}

enum answer op_streq(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, is_text);
}

enum answer op_contains(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, holds_text);
}

enum answer op_contains_word(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, holds_whole_word);
}

enum answer op_within(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, is_within_text);
}

enum answer op_begins_with(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, starts_with_text);
}

enum answer op_ends_with(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, ends_with_text);
}
