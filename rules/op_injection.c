/* op_injection.c -- libinjection, from the objects in libmodsecurity's static
 * archive (version 3.9.2; rules/CMakeLists.txt takes them out).
 *
 * Description  tells SQL and script injection by their tokens, not by words
 * Argument     none
 * True when    the value, read as it stands, inside '...' or inside "...", has a
 *              known fingerprint; or it would start a script in HTML
 * Example      1' OR 1=1--       <img src=x onerror=alert(1)> */
#include "rules/op_parts.h"

/* No header comes with the archive. Both answer 1 for an injection. */
int libinjection_sqli(const char *s, size_t len, char fingerprint[8]);
int libinjection_xss(const char *s, size_t len);

static enum answer whole(int injection, struct bytes v, struct span *s)
{
	*s = (struct span){ 0, v.len };
	return injection ? ANSWER_YES : ANSWER_NO;
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

enum answer op_detect_sqli(const struct operand *o, struct bytes v, struct span *s)
{
	char fingerprint[8] = "";

	(void)o;
	return v.len && !is_one_token(v) ? whole(libinjection_sqli(v.at, v.len, fingerprint), v, s) : ANSWER_NO;
}

enum answer op_detect_xss(const struct operand *o, struct bytes v, struct span *s)
{
	(void)o;
	return v.len ? whole(libinjection_xss(v.at, v.len), v, s) : ANSWER_NO;
}
