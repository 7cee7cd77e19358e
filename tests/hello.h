/* hello.h -- a ClientHello put together by hand (RFC 8446 4.1.2), for whoever reads one. */
#ifndef TESTS_HELLO_H
#define TESTS_HELLO_H
#include "base/text.h"

enum { HELLO_MAX = 1 << 16, HELLO_LIST = 2048 };

/* Numbers of two bytes. */
struct hello_list { uint16_t at[HELLO_LIST]; size_t n; };

struct hello_parts {
	unsigned version;
	struct hello_list ciphers, extensions; /* extensions: types, in order */
	struct hello_list algorithms, versions; /* the values of 13 and 43, where they are among them */
	struct bytes protocols;                 /* of 16: each behind its length */
};

static inline void hello_number(struct text *t, size_t bytes, size_t n)
{
	while (bytes-- > 0)
		text_byte(t, (char)(n >> 8 * bytes));
}

static inline void hello_numbers(struct text *t, size_t length_bytes, const struct hello_list *l)
{
	hello_number(t, length_bytes, 2 * l->n);
	for (size_t i = 0; i < l->n; i++)
		hello_number(t, 2, l->at[i]);
}

static inline void hello_extension(struct text *t, const struct hello_parts *p, uint16_t type)
{
	static char room[HELLO_MAX];
	struct text value = text_over(room, sizeof room);

	if (type == 13)
		hello_numbers(&value, 2, &p->algorithms);
	if (type == 43)
		hello_numbers(&value, 1, &p->versions);
	if (type == 16) {
		hello_number(&value, 2, p->protocols.len);
		text_put(&value, p->protocols);
	}
	hello_number(t, 2, type);
	hello_number(t, 2, value.len);
	text_put(t, text_bytes(&value));
}

/* The body of the handshake message. Without extensions it has no room for them at all. */
static inline struct bytes hello_made(struct text *t, const struct hello_parts *p)
{
	static char room[HELLO_MAX];
	struct text extensions = text_over(room, sizeof room);

	hello_number(t, 2, p->version);
	for (int i = 0; i < 32; i++)
		text_byte(t, (char)i);
	hello_number(t, 1, 0); /* session */
	hello_numbers(t, 2, &p->ciphers);
	text_put(t, BYTES("\x01\x00")); /* compression: none */
	for (size_t i = 0; i < p->extensions.n; i++)
		hello_extension(&extensions, p, p->extensions.at[i]);
	if (p->extensions.n)
		hello_number(t, 2, extensions.len);
	text_put(t, text_bytes(&extensions));
	return text_bytes(t);
}
#endif
