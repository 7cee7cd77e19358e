/* bytes.h -- slices, not strings.
 *
 * A slice borrows: it neither owns nor ends in NUL, and a NUL inside it is a
 * value that an attacker may send. Case folding is ASCII only, as HTTP's is.
 * C strings live in tables, messages and file names. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const char *at;
	size_t len;
};

#define nelems(a) (sizeof(a) / sizeof((a)[0]))
/* A slice of a string literal; in static tables as an initializer (gcc, pedantic). */
#define BYTES(lit) ((struct bytes){ "" lit, sizeof(lit) - 1 })
#define BYTES_INIT(lit) { "" lit, sizeof(lit) - 1 }
/* The two arguments of printf's "%.*s". */
#define BYTES_ARG(b) (int)(b).len, (b).at ? (b).at : ""

static inline struct bytes bytes_of(const char *s)
{
	return (struct bytes){ s, s ? strlen(s) : 0 };
}

static inline bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline char byte_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The value of a hexadecimal digit, or -1. */
static inline int byte_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = byte_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In lower case, 2 * n digits and a NUL. */
void bytes_hex(const void *, size_t n, char *out);

/* Both ends are clamped, so any from/to is safe. */
static inline struct bytes bytes_sub(struct bytes b, size_t from, size_t to)
{
	if (to > b.len)
		to = b.len;
	if (from > to)
		from = to;
	/* NULL + 0 is undefined, and an empty slice may be at NULL. */
	return (struct bytes){ from ? b.at + from : b.at, to - from };
}

static inline struct bytes bytes_from(struct bytes b, size_t from)
{
	return bytes_sub(b, from, b.len);
}

bool bytes_eq_nocase(struct bytes, struct bytes);
bool bytes_starts(struct bytes, struct bytes prefix);
bool bytes_starts_nocase(struct bytes, struct bytes prefix);
bool bytes_ends(struct bytes, struct bytes suffix);
/* Offset of the first occurrence, or SIZE_MAX. An empty needle is at 0. */
size_t bytes_find(struct bytes hay, struct bytes needle);
size_t bytes_find_nocase(struct bytes hay, struct bytes needle);
size_t bytes_index(struct bytes, char);
/* Without leading and trailing SP and HTAB (RFC 9110 5.6.3, OWS). */
struct bytes bytes_trim(struct bytes);
/* Cuts the part before `sep` off the front of *rest; false once nothing is
 * left. Empty parts are returned as such: "a,,b" gives a, "", b. */
bool bytes_cut(struct bytes *rest, char sep, struct bytes *part);
/* Decimal digits only, no sign, no blank, at least one; false on overflow. */
bool bytes_u64(struct bytes, uint64_t *out);
/* <0, 0, >0 like memcmp; a prefix sorts first. */
int bytes_cmp(struct bytes, struct bytes);
#endif
