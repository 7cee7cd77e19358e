/* ja4.c -- whatever the hello, the fingerprint has its shape or there is none; and of one that is put together from the input,
 * neither values that mean nothing nor the order of ciphers and extensions change it. */
#include "base/ja4.h"
#include "tests/fuzz/must.h"
#include "tests/hello.h"

enum { PART = 200 /* entries of a list, as each of them is doubled */ };

static bool is_hex(const char *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
			return false;
	return true;
}

static bool is_digits(const char *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] < '0' || at[i] > '9')
			return false;
	return true;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

/* "t13d1516h2_8daaf6152771_e5627efa2ab1" */
static void must_have_shape(const char *s)
{
	static const char *const versions[] = { "s2", "s3", "10", "11", "12", "13", "00" };
	bool known = false;

	must(strlen(s) == JA4_LEN);
	for (size_t i = 0; i < nelems(versions); i++)
		known |= memcmp(s + 1, versions[i], 2) == 0;
	must(s[0] == 't' && known && (s[3] == 'd' || s[3] == 'i') && is_digits(s + 4, 4));
	must(is_word(s[8]) && is_word(s[9]) && s[10] == '_' && is_hex(s + 11, 12) && s[23] == '_' && is_hex(s + 24, 12));
}

/* Up to PART numbers, behind a byte that says how many. */
static struct hello_list list_of(struct bytes *in)
{
	size_t n = in->len ? (unsigned char)in->at[0] % PART : 0;
	struct hello_list l = { .n = 0 };

	for (*in = bytes_from(*in, 1); l.n < n && in->len >= 2; *in = bytes_from(*in, 2))
		l.at[l.n++] = (uint16_t)((unsigned char)in->at[0] << 8 | (unsigned char)in->at[1]);
	return l;
}

static struct hello_list backwards(const struct hello_list *l)
{
	struct hello_list out = { .n = l->n };

	for (size_t i = 0; i < l->n; i++)
		out.at[i] = l->at[l->n - 1 - i];
	return out;
}

/* One before each entry, and one at the end. */
static struct hello_list greased(const struct hello_list *l)
{
	struct hello_list out = { .n = 0 };

	for (size_t i = 0; i <= l->n; i++) {
		out.at[out.n++] = (uint16_t)(0x0a0a + i % 16 * 0x1010);
		if (i < l->n)
			out.at[out.n++] = l->at[i];
	}
	return out;
}

static bool made(const struct hello_parts *p, char out[JA4_LEN + 1])
{
	static char room[HELLO_MAX];
	struct text t = text_over(room, sizeof room);

	hello_made(&t, p);
	must(!t.full);
	return ja4_of(text_bytes(&t), out);
}

static void must_not_change(struct bytes in)
{
	struct hello_parts p = { .version = in.len ? 0x0300u + (unsigned char)in.at[0] % 8 : 0x0303 }, q;
	char first[JA4_LEN + 1], other[JA4_LEN + 1];

	p.ciphers = list_of(&in);
	p.extensions = list_of(&in);
	p.algorithms = list_of(&in);
	p.versions = list_of(&in);
	p.versions.n %= 60; /* with what is put between them they have one byte for their length */
	p.protocols = in.len < 256 ? in : (struct bytes){ 0 };
	if (!made(&p, first))
		return;
	must_have_shape(first);
	q = (struct hello_parts){ p.version, greased(&p.ciphers), greased(&p.extensions), greased(&p.algorithms), greased(&p.versions),
				  p.protocols };
	must(made(&q, other) && strcmp(first, other) == 0);
	q = (struct hello_parts){ p.version, backwards(&p.ciphers), backwards(&p.extensions), p.algorithms, backwards(&p.versions),
				  p.protocols };
	must(made(&q, other) && strcmp(first, other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	char out[JA4_LEN + 1];

	if (ja4_of(in, out))
		must_have_shape(out);
	else
		must(out[0] == '\0');
	must_not_change(in);
	return 0;
}
