/* op_injection.c -- libinjection, from the objects in libmodsecurity's static
 * archive (version 3.9.2; rules/CMakeLists.txt takes them out).
 *
 * Description  tells SQL and script injection by their tokens, not by words
 * Argument     none
 * True when    the value, read as it stands, inside '...' or inside "...", has a
 *              known fingerprint; or it would start a script in HTML
 * Example      1' OR 1=1--       <img src=x onerror=alert(1)> */
#include "rules/op_parts.h"

/* No header comes with the archive. The first two answer 1 for an injection. */
int libinjection_sqli(const char *s, size_t len, char fingerprint[8]);
int libinjection_xss(const char *s, size_t len);
/* What a word is in SQL, a letter for its kind; 0: any name. Of `kind` 1 the state is not looked at. */
char libinjection_sqli_lookup_word(void *state, int kind, const char *s, size_t len);

static enum answer whole(int injection, struct bytes v, struct span *s)
{
	*s = (struct span){ 0, v.len };
	return injection ? ANSWER_YES : ANSWER_NO;
}

enum { WORD_MAX = 16, WORDS = 512 };

/* Words that this thread has looked up lately: libinjection searches thousands for each. */
static _Thread_local struct word {
	uint64_t text[WORD_MAX / 8]; /* lower case, filled up with 0; 0: none */
	bool means; /* it is more than a name */
} words[WORDS];

static bool word_means(struct bytes w)
{
	char lower[WORD_MAX] = { 0 };
	uint64_t text[WORD_MAX / 8], hash;
	struct word *at;

	for (size_t i = 0; i < w.len; i++)
		lower[i] = byte_lower(w.at[i]);
	memcpy(text, lower, sizeof text);
	hash = (text[0] ^ text[1] * 0x9e3779b97f4a7c15) * 0x9e3779b97f4a7c15;
	at = &words[hash >> 32 & (WORDS - 1)];
	if (at->text[0] != text[0] || at->text[1] != text[1]) {
		memcpy(at->text, text, sizeof text);
		at->means = libinjection_sqli_lookup_word(NULL, 1, w.at, w.len) != 0;
	}
	return at->means;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c == '_';
}

/* One word, or one number without letters: a single token, and no fingerprint is that short. */
static bool is_one_token(struct bytes v)
{
	size_t i = 0;

	if (is_letter(v.at[0])) {
		while (i < v.len && (is_letter(v.at[i]) || is_digit(v.at[i])))
			i++;
		return i == v.len;
	}
	while (i < v.len && is_digit(v.at[i]))
		i++;
	if (i && i < v.len && v.at[i] == '.')
		for (i++; i < v.len && is_digit(v.at[i]);)
			i++;
	return i == v.len;
}

static struct bytes word_at(struct bytes v, size_t from)
{
	size_t to = from;

	while (to < v.len && (is_letter(v.at[to]) || is_digit(v.at[to])))
		to++;
	return bytes_sub(v, from, to);
}

static bool is_number(struct bytes w)
{
	size_t i = 0;

	while (i < w.len && is_digit(w.at[i]))
		i++;
	return i == w.len;
}

/* Names and numbers with blanks between them: no fingerprint is of these alone (tests/unit/injection.c). */
static bool says_nothing(struct bytes v)
{
	for (size_t i = 0; i < v.len;) {
		struct bytes w = word_at(v, i);

		if (!w.len && v.at[i] != ' ')
			return false;
		if (w.len && !is_number(w) && (w.len > WORD_MAX || is_digit(w.at[0]) || w.at[0] == '_' || word_means(w)))
			return false;
		i += w.len ? w.len : 1;
	}
	return true;
}

enum answer op_detect_sqli(const struct operand *o, struct bytes v, struct span *s)
{
	char fingerprint[8] = "";

	(void)o;
	return v.len && !is_one_token(v) && !says_nothing(v) ? whole(libinjection_sqli(v.at, v.len, fingerprint), v, s) : ANSWER_NO;
}

enum answer op_detect_xss(const struct operand *o, struct bytes v, struct span *s)
{
	(void)o;
	return v.len ? whole(libinjection_xss(v.at, v.len), v, s) : ANSWER_NO;
}
