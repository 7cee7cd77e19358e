/* parser.h -- what the parsers of this folder are made of; not for others.
 *
 * A parser's state begins with a struct body and comes from the arena, zeroed.
 * open, push and end return false after body_fail(), never without it. */
#ifndef RULES_BODY_PARSER_H
#define RULES_BODY_PARSER_H
#include "rules/body/body.h"

struct body_parser {
	const char *name;
	size_t size; /* of its state */
	bool (*open)(struct body *);
	bool (*push)(struct body *, struct bytes piece);
	bool (*end)(struct body *);
};

struct body {
	const struct body_parser *parser;
	struct arena *arena;
	struct body_setup setup; /* limits filled in */
	uint64_t taken;          /* body bytes before the piece in hand */
	size_t nargs, total;
	enum body_fault fault;
	uint64_t fault_at;       /* offset in the body */
	const char *why;
	unsigned anomalies;
	uint64_t settled;
	bool in_field;
};

/* A text that grows in the arena until it is kept. */
struct buffer {
	char *at;
	size_t len, cap;
};

/* at: offset in the body. Returns false. */
bool body_fail(struct body *, enum body_fault, uint64_t at, const char *why);
/* FAULT_NAME or FAULT_VALUE. */
bool body_too_long(struct body *, enum body_fault);
/* Appends; past `limit` bytes the body fails with `fault`. */
bool buffer_put(struct body *, struct buffer *, struct bytes, size_t limit, enum body_fault fault);
/* Room for so many more bytes, to be written by the caller. */
bool buffer_room(struct body *, struct buffer *, size_t more);
/* The text for good, and the buffer empty again; at == NULL past the arena's cap. */
struct bytes buffer_keep(struct body *, struct buffer *);
/* A slice for good. */
bool body_keep(struct body *, struct bytes from, struct bytes *kept);
/* Counts against the bounds. Both slices must be for good already. */
bool body_tell(struct body *, enum value_kind, struct bytes name, struct bytes value, uint64_t at);
/* The same, copying both. */
bool body_tell_copy(struct body *, enum value_kind, struct bytes name, struct bytes value,
		    uint64_t at);
#endif
