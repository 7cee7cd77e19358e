/* literal_reader.h -- an expression being read; for literal.c and literal_class.c. */
#ifndef RULES_LITERAL_READER_H
#define RULES_LITERAL_READER_H
#include "rules/literal_part.h"

enum { NOTED_MAX = 8 };

struct reader {
	struct parts parts;
	struct bytes in;
	size_t at;
	unsigned depth;
	struct list noted[NOTED_MAX]; /* what is required of the whole, while it is one branch */
	size_t nnoted;
	bool alternatives; /* it is several branches */
	bool extended;  /* (?x): blanks and comments mean nothing */
	bool caseless;
};

static inline bool more(const struct reader *r)
{
	return !r->parts.lost && r->at < r->in.len;
}

static inline char peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->in.len ? r->in.at[r->at + ahead] : '\0';
}

static inline bool ahead_is(const struct reader *r, const char *what)
{
	return bytes_starts(bytes_from(r->in, r->at), bytes_of(what));
}

static inline size_t digits(const struct reader *r, size_t from)
{
	size_t i = from;

	while (peek(r, i) >= '0' && peek(r, i) <= '9')
		i++;
	return i - from;
}

/* One atom each, which begins with '[' or '\\'; behind it. What is not understood is unknown, or lost. */
struct part reader_class(struct reader *);
struct part reader_escape(struct reader *);
#endif
