/* json_string.h -- the state that json.c and json_string.c share. */
#ifndef RULES_BODY_JSON_STRING_H
#define RULES_BODY_JSON_STRING_H
#include "rules/body/json.h"
#include "rules/body/parser.h"

enum json_state {
	IN_MARK, /* before a byte order mark, or whatever stands first */
	IN_VALUE,
	IN_FIRST_ELEMENT, /* after '[' */
	IN_FIRST_KEY,     /* after '{' */
	IN_KEY,
	IN_COLON,
	IN_AFTER,
	IN_END,
	IN_NUMBER,        /* from here on inside a token */
	IN_WORD,
	IN_STRING,
	IN_ESCAPE,
	IN_HEX,
};

enum number_state {
	NUM_NONE,
	NUM_START,
	NUM_MINUS,
	NUM_ZERO,
	NUM_INT,
	NUM_DOT,
	NUM_FRACTION,
	NUM_E,
	NUM_E_SIGN,
	NUM_EXPONENT,
	NUM_STATES,
};

struct frame {
	size_t path_len; /* of the container's own name */
	size_t index;    /* the next element's */
	bool array;
};

struct json {
	struct body body;
	enum json_state state;
	const char *at, *start, *end; /* the piece in hand */
	struct buffer path;           /* "json.a.b" */
	struct frame *frames;
	size_t depth, cap;
	struct buffer value;          /* what of a value came before this piece, or unescaped */
	uint64_t value_at;
	size_t nmark;                 /* bytes of the byte order mark */
	enum number_state number;
	const char *word;
	size_t nword;
	bool key;                     /* the string is a member's name */
	uint32_t code, high;          /* of \u: the one in hand, and a high surrogate before it */
	unsigned ndigits;
};

/* json.c: for the string reader. */
bool json_name(struct json *, struct bytes more);
bool json_tell(struct json *, struct bytes text); /* name and text are copied */
bool json_tell_collected(struct json *);

/* json_string.c: each goes on at the cursor and leaves it behind what it read. */
bool json_string(struct json *);
bool json_escape(struct json *);
bool json_hex(struct json *);
bool json_collect(struct json *, struct bytes run);
#endif
