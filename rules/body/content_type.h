/* content_type.h -- a Content-Type field taken apart (RFC 9110 8.3).
 *
 * Servers disagree on which of two equal parameters counts, on quotes and on
 * unknown charsets, and attackers use that. So the first and the last reading
 * are kept and what is odd is flagged; deciding is the caller's. */
#ifndef RULES_BODY_CONTENT_TYPE_H
#define RULES_BODY_CONTENT_TYPE_H
#include "base/arena.h"

enum content_type_flag {
	TYPE_MALFORMED = 1 << 0,        /* no type/subtype, or a parameter that is none */
	TYPE_CHARSET_TWICE = 1 << 1,    /* with different values */
	TYPE_CHARSET_WIDE = 1 << 2,     /* UTF-7, -16, -32, EBCDIC: ASCII rules would see nothing */
	TYPE_CHARSET_UNKNOWN = 1 << 3,  /* no well-known superset of ASCII */
	TYPE_BOUNDARY_TWICE = 1 << 4,
	TYPE_BOUNDARY_QUOTED = 1 << 5,  /* legal, noted as ModSecurity does */
	TYPE_BOUNDARY_INVALID = 1 << 6, /* empty, over 70, or no bchars (RFC 2046 5.1.1) */
	TYPE_BAD_QUOTING = 1 << 7,      /* a quote not closed, or text after one */
};

struct content_type {
	struct bytes media;    /* lower case: "application/json" */
	struct bytes charset;  /* the first; lower case; empty when none */
	struct bytes boundary, boundary_last; /* unquoted, case kept; the same when there is one */
	unsigned flags;
};

/* Slices live in the arena. Fails only when the arena is at its cap; an empty
 * field gives an empty media and no flag. */
bool content_type_parse(struct arena *, struct bytes field, struct content_type *out);

/* TYPE_CHARSET_WIDE, TYPE_CHARSET_UNKNOWN or 0. */
unsigned charset_flags(struct bytes name);

/* One `name=value` of a parameter list: ; a=b; c="d" */
struct param {
	struct bytes name;  /* as sent, a final '*' (RFC 8187) taken off */
	struct bytes value; /* without quotes and backslashes */
	struct bytes raw;   /* the same with its backslashes, as some parsers read it */
	bool star, quoted;
	bool bad;          /* no '=', a quote not closed, text after a quote, blanks around '=' */
	bool no_semicolon; /* only a blank set it apart from what came before */
};

/* Cuts the next one off the front of *rest. false: nothing is left, or the
 * arena is at its cap (then value.at == NULL). */
bool param_cut(struct arena *, struct bytes *rest, struct param *out);
#endif
