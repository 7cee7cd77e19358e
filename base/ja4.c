/* ja4.c -- a hello is read into three lists, the lists are written as text, and the texts are hashed. */
#include "base/ja4.h"
#include "base/text.h"
#include "base/tls.h"
#include <stdlib.h>

enum { EXT_SERVER_NAME = 0, EXT_ALGORITHMS = 13, EXT_ALPN = 16, EXT_VERSIONS = 43 };
enum {
	RANDOM = 32, /* bytes */
	HASH = 12,   /* digits */
	WRITTEN = 5, /* "c02f," */
};

struct list {
	uint16_t at[JA4_LIST];
	size_t n;
};

struct hello {
	unsigned version;
	bool has_name;
	struct bytes protocol;
	size_t nextensions; /* with those that are not in the list: names, protocols */
	struct list ciphers, extensions, algorithms;
};

/* ---- reading (RFC 8446 3.4) ---- */

static bool take(struct bytes *from, size_t n, struct bytes *out)
{
	if (from->len < n)
		return false;
	*out = bytes_sub(*from, 0, n);
	*from = bytes_from(*from, n);
	return true;
}

static bool take_number(struct bytes *from, size_t bytes, unsigned *out)
{
	struct bytes b;

	if (!take(from, bytes, &b))
		return false;
	*out = 0;
	for (size_t i = 0; i < b.len; i++)
		*out = *out << 8 | (unsigned char)b.at[i];
	return true;
}

/* A vector: its length, in so many bytes, and what it holds. */
static bool take_vector(struct bytes *from, size_t bytes, struct bytes *out)
{
	unsigned n;

	return take_number(from, bytes, &n) && take(from, n, out);
}

static bool is_grease(unsigned v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void add(struct list *l, unsigned v)
{
	if (l->n < JA4_LIST && !is_grease(v))
		l->at[l->n++] = (uint16_t)v;
}

static bool read_list(struct list *l, struct bytes b)
{
	unsigned v;

	while (b.len) {
		if (!take_number(&b, 2, &v))
			return false;
		add(l, v);
	}
	return true;
}

/* ---- extensions ---- */

static bool read_algorithms(struct hello *h, struct bytes b)
{
	struct bytes list;

	return take_vector(&b, 2, &list) && !b.len && read_list(&h->algorithms, list);
}

static bool read_versions(struct hello *h, struct bytes b)
{
	struct bytes list;
	unsigned v;

	if (!take_vector(&b, 1, &list) || b.len)
		return false;
	for (h->version = 0; list.len;) {
		if (!take_number(&list, 2, &v))
			return false;
		if (!is_grease(v) && v > h->version)
			h->version = v;
	}
	return true;
}

static bool read_protocols(struct hello *h, struct bytes b)
{
	struct bytes list, name, first = { 0 };

	if (!take_vector(&b, 2, &list) || b.len)
		return false;
	while (list.len) {
		if (!take_vector(&list, 1, &name))
			return false;
		if (!first.at && !(name.len == 2 && is_grease((unsigned)(unsigned char)name.at[0] << 8 | (unsigned char)name.at[1])))
			first = name;
	}
	h->protocol = first;
	return true;
}

static bool read_extension(struct hello *h, unsigned type, struct bytes b)
{
	if (is_grease(type))
		return true;
	h->nextensions++;
	if (type == EXT_SERVER_NAME)
		return h->has_name = true;
	if (type == EXT_ALPN)
		return read_protocols(h, b);
	add(&h->extensions, type);
	if (type == EXT_ALGORITHMS)
		return read_algorithms(h, b);
	return type != EXT_VERSIONS || read_versions(h, b);
}

static bool read_hello(struct hello *h, struct bytes b)
{
	struct bytes random, session, ciphers, compressions, extensions = { 0 }, value;
	unsigned type;

	if (!take_number(&b, 2, &h->version) || !take(&b, RANDOM, &random) || !take_vector(&b, 1, &session) ||
	    !take_vector(&b, 2, &ciphers) || !read_list(&h->ciphers, ciphers) || !take_vector(&b, 1, &compressions) ||
	    (b.len && !take_vector(&b, 2, &extensions)) || b.len)
		return false;
	while (extensions.len)
		if (!take_number(&extensions, 2, &type) || !take_vector(&extensions, 2, &value) || !read_extension(h, type, value))
			return false;
	return true;
}

/* ---- writing ---- */

static const char *version_word(unsigned v)
{
	static const char *const words[] = { "s3", "10", "11", "12", "13" }; /* from 0x0300 */

	if (v == 0x0002)
		return "s2";
	return v >= 0x0300 && v - 0x0300 < nelems(words) ? words[v - 0x0300] : "00";
}

static bool is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (byte_lower((char)c) >= 'a' && byte_lower((char)c) <= 'z');
}

/* Its ends as they are; where one is no letter and no digit, the ends of its hexadecimal form. */
static void put_protocol(struct text *t, struct bytes name)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char first = name.len ? (unsigned char)name.at[0] : '0';
	unsigned char last = name.len ? (unsigned char)name.at[name.len - 1] : '0';
	bool plain = is_word(first) && is_word(last);

	text_byte(t, plain ? (char)first : digits[first >> 4]);
	text_byte(t, plain ? (char)last : digits[last & 15]);
}

static void put_count(struct text *t, size_t n)
{
	n = n < 99 ? n : 99;
	text_byte(t, (char)('0' + n / 10));
	text_byte(t, (char)('0' + n % 10));
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* "002f,0035" */
static void put_list(struct text *t, const struct list *l)
{
	char word[WRITTEN];

	for (size_t i = 0; i < l->n; i++) {
		const unsigned char b[] = { (unsigned char)(l->at[i] >> 8), (unsigned char)l->at[i] };

		bytes_hex(b, sizeof b, word);
		text_str(t, i ? "," : "");
		text_put(t, (struct bytes){ word, 4 });
	}
}

static bool put_hash(struct text *out, struct bytes of)
{
	struct tls_sha256 *sum = of.len ? tls_sha256_new() : NULL;
	char digits[HASH + 1] = "000000000000";
	uint8_t hash[32];

	if (of.len && !sum)
		return false;
	if (sum) {
		tls_sha256_put(sum, of);
		tls_sha256_end(sum, hash);
		bytes_hex(hash, HASH / 2, digits);
	}
	text_put(out, (struct bytes){ digits, HASH });
	return true;
}

static bool put_hashes(struct text *out, struct hello *h)
{
	char room[2 * JA4_LIST * WRITTEN];
	struct text t = text_over(room, sizeof room);

	qsort(h->ciphers.at, h->ciphers.n, sizeof *h->ciphers.at, by_value);
	qsort(h->extensions.at, h->extensions.n, sizeof *h->extensions.at, by_value);
	text_byte(out, '_');
	put_list(&t, &h->ciphers);
	if (!put_hash(out, text_bytes(&t)))
		return false;
	text_byte(out, '_');
	t.len = 0;
	put_list(&t, &h->extensions);
	text_str(&t, h->algorithms.n ? "_" : "");
	put_list(&t, &h->algorithms);
	return put_hash(out, text_bytes(&t));
}

bool ja4_of(struct bytes hello, char out[JA4_LEN + 1])
{
	struct text t = text_over(out, JA4_LEN);
	struct hello h;

	h.has_name = false;
	h.protocol = (struct bytes){ 0 };
	h.nextensions = h.ciphers.n = h.extensions.n = h.algorithms.n = 0;
	out[0] = '\0';
	if (!read_hello(&h, hello))
		return false;
	text_byte(&t, 't');
	text_str(&t, version_word(h.version));
	text_byte(&t, h.has_name ? 'd' : 'i');
	put_count(&t, h.ciphers.n);
	put_count(&t, h.nextensions);
	put_protocol(&t, h.protocol);
	if (!put_hashes(&t, &h))
		t.len = 0;
	out[t.len] = '\0';
	return t.len > 0;
}
