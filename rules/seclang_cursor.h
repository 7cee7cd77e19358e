/* seclang_cursor.h -- a place in SecLang text that is taken apart where it is.
 *
 * The text is a copy in the arena: what is unquoted only gets shorter, so slices of it need no room of their own. */
#ifndef RULES_SECLANG_CURSOR_H
#define RULES_SECLANG_CURSOR_H
#include "base/bytes.h"

struct cursor {
	char *at;
	char *end;
};

static inline bool cursor_on(const struct cursor *c, char byte)
{
	return c->at < c->end && *c->at == byte;
}

static inline bool byte_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Of the names of directives, variables, operators and actions. */
static inline bool byte_is_name(char c)
{
	return (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static inline void cursor_skip_blanks(struct cursor *c)
{
	while (c->at < c->end && byte_is_blank(*c->at))
		c->at++;
}

static inline struct bytes cursor_name(struct cursor *c)
{
	char *from = c->at;

	while (c->at < c->end && byte_is_name(*c->at))
		c->at++;
	return (struct bytes){ from, (size_t)(c->at - from) };
}

static inline struct bytes cursor_rest(const struct cursor *c)
{
	return (struct bytes){ c->at, (size_t)(c->end - c->at) };
}

/* The quote that ends what the one under the cursor begins; NULL: there is none. */
static inline char *cursor_closing(const struct cursor *c)
{
	for (char *p = c->at + 1; p < c->end; p++) {
		if (*p == *c->at)
			return p;
		p += *p == '\\';
	}
	return NULL;
}

/* Takes what is quoted and the quotes; false, and nothing taken: it has no end. */
static inline bool cursor_quoted(struct cursor *c, struct bytes *in)
{
	char quote = *c->at, *from = c->at + 1, *to = from, *end = cursor_closing(c);

	if (!end)
		return false;
	for (char *p = from; p < end; p++) {
		if (*p == '\\' && p[1] != quote)
			*to++ = *p++;
		else if (*p == '\\')
			p++;
		*to++ = *p;
	}
	*in = (struct bytes){ from, (size_t)(to - from) };
	c->at = end + 1;
	return true;
}
#endif
