/* transform_encode.c -- Base64, hexadecimal, digests and the length. */
#include "rules/transform_steps.h"
#include <openssl/evp.h>

/* What a byte stands for in Base64, plus one; 0: nothing. */
static const uint8_t sextet[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
	['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64,
};

enum { LENGTH_MAX = 20 }; /* decimal digits of 64 bits */

static const char digits[] = "0123456789abcdef";

/* Line ends are skipped (RFC 2045 6.8); any other stranger ends the text, or is
 * skipped when `lax`. A last group of two or three gives one or two bytes. */
static struct bytes base64(struct arena *a, struct bytes in, bool lax)
{
	char *out = arena_raw(a, in.len);
	uint32_t group = 0;
	unsigned have = 0;
	size_t n = 0;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++) {
		uint8_t s = sextet[(unsigned char)in.at[i]];

		if (!s && !lax && in.at[i] != '\r' && in.at[i] != '\n')
			break;
		if (!s)
			continue;
		group = group << 6 | (s - 1u);
		if (have++ == 0)
			continue;
		/* 6 bits a letter: a byte is whole after the second, third and fourth */
		out[n++] = (char)(group >> (have == 2 ? 4 : have == 3 ? 2 : 0));
		have %= 4;
	}
	return transform_result(in, out, n);
}

struct bytes t_base64_decode(struct arena *a, struct bytes in)
{
	return base64(a, in, false);
}

struct bytes t_base64_decode_ext(struct arena *a, struct bytes in)
{
	return base64(a, in, true);
}

struct bytes t_base64_encode(struct arena *a, struct bytes in)
{
	size_t len = (in.len + 2) / 3 * 4;
	char *out = in.len ? arena_raw(a, len + 1) : NULL; /* OpenSSL adds a NUL */

	if (in.len == 0)
		return in;
	if (!out)
		return (struct bytes){ 0 };
	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)in.at, (int)in.len);
	return (struct bytes){ out, len };
}

/* A pair as ModSecurity takes it: bytes that are no digits count for something
 * too, by the same arithmetic. */
static unsigned char loose_digit(unsigned char c)
{
	return (unsigned char)(c >= 'A' ? (c & 0xdf) - 'A' + 10 : c - '0');
}

struct bytes t_hex_decode(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len);
	size_t n = 0;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i + 2 <= in.len; i += 2)
		out[n++] = (char)(loose_digit((unsigned char)in.at[i]) * 16 +
				  loose_digit((unsigned char)in.at[i + 1]));
	return transform_result(in, out, n);
}

struct bytes t_hex_encode(struct arena *a, struct bytes in)
{
	char *out = in.len <= SIZE_MAX / 2 ? arena_raw(a, in.len * 2) : NULL;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++) {
		out[2 * i] = digits[(unsigned char)in.at[i] >> 4];
		out[2 * i + 1] = digits[in.at[i] & 15];
	}
	return transform_result(in, out, in.len * 2);
}

struct bytes t_length(struct arena *a, struct bytes in)
{
	char *text = arena_raw(a, LENGTH_MAX);
	size_t i = LENGTH_MAX, n = in.len;

	if (!text)
		return (struct bytes){ 0 };
	do
		text[--i] = digits[n % 10];
	while (n /= 10);
	return transform_result(in, text + i, LENGTH_MAX - i); /* the length of "1" is "1" */
}

static struct bytes digest(struct arena *a, struct bytes in, const EVP_MD *kind)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!EVP_Digest(in.len ? in.at : "", in.len, out, &n, kind, NULL))
		n = 0;
	return arena_copy(a, (struct bytes){ (char *)out, n });
}

struct bytes t_md5(struct arena *a, struct bytes in)
{
	return digest(a, in, EVP_md5());
}

struct bytes t_sha1(struct arena *a, struct bytes in)
{
	return digest(a, in, EVP_sha1());
}
