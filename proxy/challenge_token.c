/* challenge_token.c -- tokens and passes: bytes, MACs, keys. */
#include "base/tls.h"
#include "proxy/challenge_token.h"
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

enum {
	VERSION = 1,
	MAC = 16,
	DAY_S = 86400,
	DAYS_BACK = 2,
	SKEW_S = 120, /* so much may the clock of another gate be ahead */
	TOKEN_HEAD = 33, TOKEN_BYTES_MAX = TOKEN_HEAD + TOKEN_PATH_MAX + MAC,
	PASS_HEAD = 28, PASS_BYTES = PASS_HEAD + MAC,
};

/* ---- base64url without padding (RFC 4648 5) ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void text_base64(struct text *t, const uint8_t *b, size_t n)
{
	uint32_t held = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		held = held << 8 | b[i];
		for (bits += 8; bits >= 6; bits -= 6)
			text_byte(t, digits[held >> (bits - 6) & 63]);
	}
	if (bits)
		text_byte(t, digits[held << (6 - bits) & 63]);
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* One text for the same bytes: the bits that are left over must be zero. The
 * length, or SIZE_MAX. */
static size_t base64_read(struct bytes text, uint8_t *out, size_t cap)
{
	uint32_t held = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int v = digit_value(text.at[i]);

		if (v < 0)
			return SIZE_MAX;
		held = held << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 8)
			continue;
		if (n == cap)
			return SIZE_MAX;
		bits -= 8;
		out[n++] = (uint8_t)(held >> bits);
	}
	return bits < 6 && (held & ((1u << bits) - 1)) == 0 ? n : SIZE_MAX;
}

/* ---- big endian ---- */

static uint8_t *put(uint8_t *p, uint32_t v, unsigned n)
{
	while (n--)
		*p++ = (uint8_t)(v >> (8 * n));
	return p;
}

static uint8_t *put_bytes(uint8_t *p, const void *b, size_t n)
{
	memcpy(p, b, n);
	return p + n;
}

static uint32_t take(const uint8_t **p, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *(*p)++;
	return v;
}

static void take_bytes(const uint8_t **p, void *out, size_t n)
{
	memcpy(out, *p, n);
	*p += n;
}

/* ---- keys ---- */

static bool derive(const uint8_t secret[TOKEN_KEY], const char *label, uint8_t out[TOKEN_KEY])
{
	return tls_derive_key((struct bytes){ (const char *)secret, TOKEN_KEY }, label, out);
}

static bool derive_of_day(struct token_keys *k, const char *what, uint32_t day, uint8_t out[TOKEN_KEY])
{
	char label[32];
	struct text t = text_over(label, sizeof label - 1);

	text_printf(&t, "%s/%u", what, day);
	label[t.len] = '\0';
	return derive(k->secret, label, out);
}

static const struct token_day *keys_of(struct token_keys *k, uint32_t day)
{
	struct token_day *d = &k->days[day % nelems(k->days)];

	if (d->day_plus_1 == day + 1)
		return d;
	d->day_plus_1 = 0;
	if (!derive_of_day(k, "challenge", day, d->token) || !derive_of_day(k, "pass", day, d->pass))
		return NULL;
	d->day_plus_1 = day + 1;
	return d;
}

static bool mac(const uint8_t key[TOKEN_KEY], const void *b, size_t n, uint8_t out[SHA256_DIGEST_LENGTH])
{
	unsigned len = SHA256_DIGEST_LENGTH;

	return HMAC(EVP_sha256(), key, TOKEN_KEY, b, n, out, &len) != NULL;
}

static bool mac_holds(const uint8_t key[TOKEN_KEY], const uint8_t *b, size_t n)
{
	uint8_t want[SHA256_DIGEST_LENGTH];

	return mac(key, b, n - MAC, want) && CRYPTO_memcmp(want, b + n - MAC, MAC) == 0;
}

/* A key is only made for days that count, so that none can be asked for without end. */
static bool day_counts(uint32_t day, uint32_t now_s)
{
	uint32_t today = now_s / DAY_S;

	return day + DAYS_BACK >= today && day <= (now_s + SKEW_S) / DAY_S;
}

static bool in_time(uint32_t iat_s, uint32_t ttl_s, uint32_t now_s)
{
	return iat_s <= (uint64_t)now_s + SKEW_S && now_s < (uint64_t)iat_s + ttl_s;
}

/* ---- binding ---- */

/* What is longer than its room is cut: a user agent that differs only behind that is the same. */
bool token_bind(struct token_keys *k, struct bytes app, struct bytes user_agent, struct bytes prefix,
		uint8_t out[TOKEN_BIND])
{
	const struct bytes parts[] = { app, user_agent, prefix };
	uint8_t buf[3 * 2 + 64 + 1024 + 16], full[SHA256_DIGEST_LENGTH], *p = buf;

	if (!k->have_bind && !(k->have_bind = derive(k->secret, "bind", k->bind)))
		return false;
	for (size_t i = 0; i < nelems(parts); i++) {
		size_t room = i == 1 ? 1024 : i == 0 ? 64 : 16;
		size_t n = parts[i].len < room ? parts[i].len : room;

		p = put(p, (uint32_t)n, 2);
		if (n)
			p = put_bytes(p, parts[i].at, n);
	}
	if (!mac(k->bind, buf, (size_t)(p - buf), full))
		return false;
	memcpy(out, full, TOKEN_BIND);
	return true;
}

/* ---- tokens ---- */

struct bytes token_path(struct bytes t)
{
	bool plain = t.len > 0 && t.len <= TOKEN_PATH_MAX && t.at[0] == '/' &&
		     !(t.len > 1 && (t.at[1] == '/' || t.at[1] == '\\'));

	for (size_t i = 0; plain && i < t.len; i++)
		plain = t.at[i] > 0x20 && t.at[i] < 0x7f;
	return plain ? t : BYTES("/");
}

bool token_write(struct token_keys *k, const struct token *t, struct text *out)
{
	const struct token_day *d = keys_of(k, t->iat_s / DAY_S);
	uint8_t b[TOKEN_BYTES_MAX + SHA256_DIGEST_LENGTH], *p = b;
	struct bytes path = token_path(t->path);

	if (!d)
		return false;
	p = put(p, VERSION, 1);
	p = put(p, t->iat_s / DAY_S, 2);
	p = put(p, t->iat_s, 4);
	p = put(p, t->ttl_s, 2);
	p = put(p, t->level, 1);
	p = put(p, t->bits, 1);
	p = put_bytes(p, t->bind, TOKEN_BIND);
	p = put_bytes(p, t->nonce, TOKEN_NONCE);
	p = put(p, (uint32_t)path.len, 2);
	p = put_bytes(p, path.at, path.len);
	if (!mac(d->token, b, (size_t)(p - b), p))
		return false;
	text_base64(out, b, (size_t)(p - b) + MAC);
	return true;
}

static bool token_parts(const uint8_t *p, size_t n, char *room, struct token *t)
{
	p += 3; /* version and day */
	t->iat_s = take(&p, 4);
	t->ttl_s = (uint16_t)take(&p, 2);
	t->level = (uint8_t)take(&p, 1);
	t->bits = (uint8_t)take(&p, 1);
	take_bytes(&p, t->bind, TOKEN_BIND);
	take_bytes(&p, t->nonce, TOKEN_NONCE);
	t->path = (struct bytes){ room, take(&p, 2) };
	if (t->path.len != n - MAC - TOKEN_HEAD)
		return false;
	memcpy(room, p, t->path.len);
	t->path = token_path(t->path);
	return true;
}

/* Version and day, which say by what key the rest is read. */
static const struct token_day *day_of(struct token_keys *k, const uint8_t *p, uint32_t now_s, enum token_verdict *why)
{
	uint32_t version = take(&p, 1), day = take(&p, 2);
	const struct token_day *d;

	if (version != VERSION) {
		*why = TOKEN_UNREADABLE;
		return NULL;
	}
	*why = TOKEN_EXPIRED;
	d = day_counts(day, now_s) ? keys_of(k, day) : NULL;
	return d;
}

enum token_verdict token_read(struct token_keys *k, struct bytes text, uint32_t now_s, const uint8_t bind[TOKEN_BIND],
			      char room[TOKEN_TEXT_MAX], struct token *t)
{
	uint8_t b[TOKEN_BYTES_MAX];
	const struct token_day *d;
	enum token_verdict why;
	size_t n = base64_read(text, b, sizeof b);

	if (n == SIZE_MAX || n < TOKEN_HEAD + 1 + MAC)
		return TOKEN_UNREADABLE;
	d = day_of(k, b, now_s, &why);
	if (!d)
		return why;
	if (!mac_holds(d->token, b, n))
		return TOKEN_FORGED;
	if (!token_parts(b, n, room, t))
		return TOKEN_UNREADABLE;
	if (!in_time(t->iat_s, t->ttl_s, now_s))
		return TOKEN_EXPIRED;
	return CRYPTO_memcmp(t->bind, bind, TOKEN_BIND) == 0 ? TOKEN_GOOD : TOKEN_OTHERS;
}

/* ---- proof of work ---- */

static bool is_number(struct bytes n)
{
	for (size_t i = 0; i < n.len; i++)
		if (n.at[i] < '0' || n.at[i] > '9')
			return false;
	return n.len > 0 && n.len <= TOKEN_WORK_MAX && (n.len == 1 || n.at[0] != '0');
}

static bool begins_with_zeros(const uint8_t *hash, unsigned bits)
{
	for (; bits >= 8; bits -= 8)
		if (*hash++)
			return false;
	return bits == 0 || *hash >> (8 - bits) == 0;
}

struct bytes token_prefix(struct bytes text, char room[TOKEN_PREFIX])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	if (!room)
		return (struct bytes){ 0 };
	SHA256((const uint8_t *)text.at, text.len, hash);
	for (int i = 0; i < TOKEN_PREFIX; i++)
		room[i] = "0123456789abcdef"[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return (struct bytes){ room, TOKEN_PREFIX };
}

bool token_solved(struct bytes text, unsigned bits, struct bytes n)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char message[TOKEN_PREFIX + 1 + TOKEN_WORK_MAX];
	struct text t = text_over(message, sizeof message);

	if (!is_number(n) || bits > TOKEN_BITS_MAX)
		return false;
	t.len = token_prefix(text, message).len;
	text_byte(&t, ':');
	text_put(&t, n);
	SHA256((const uint8_t *)t.at, t.len, hash);
	return begins_with_zeros(hash, bits);
}

/* ---- passes ---- */

bool token_pass_of(struct token_keys *k, const struct token *t, uint32_t now_s, uint32_t ttl_s, uint8_t level,
		   struct token_pass *p)
{
	const struct token_day *d = keys_of(k, t->iat_s / DAY_S); /* of the token's day: replayed after midnight it is the same */
	uint8_t full[SHA256_DIGEST_LENGTH];

	*p = (struct token_pass){ .iat_s = now_s, .ttl_s = ttl_s, .level = level };
	memcpy(p->bind, t->bind, TOKEN_BIND);
	if (!d || !mac(d->pass, t->nonce, TOKEN_NONCE, full))
		return false;
	memcpy(p->jti, full, TOKEN_JTI);
	return true;
}

bool token_pass_write(struct token_keys *k, const struct token_pass *s, char out[TOKEN_PASS_LEN])
{
	const struct token_day *d = keys_of(k, s->iat_s / DAY_S);
	uint8_t b[PASS_HEAD + SHA256_DIGEST_LENGTH], *p = b;
	struct text t = text_over(out, TOKEN_PASS_LEN);

	if (!d)
		return false;
	p = put(p, VERSION, 1);
	p = put(p, s->iat_s / DAY_S, 2);
	p = put(p, s->iat_s, 4);
	p = put(p, s->ttl_s, 4);
	p = put(p, s->level, 1);
	p = put_bytes(p, s->bind, TOKEN_BIND);
	p = put_bytes(p, s->jti, TOKEN_JTI);
	if (!mac(d->pass, b, PASS_HEAD, p))
		return false;
	text_base64(&t, b, PASS_BYTES);
	return !t.full;
}

enum token_verdict token_pass_read(struct token_keys *k, struct bytes text, uint32_t now_s,
				   const uint8_t bind[TOKEN_BIND], struct token_pass *s)
{
	uint8_t b[PASS_BYTES];
	const uint8_t *p = b + 3;
	const struct token_day *d;
	enum token_verdict why;

	if (text.len != TOKEN_PASS_LEN || base64_read(text, b, sizeof b) != PASS_BYTES)
		return TOKEN_UNREADABLE;
	d = day_of(k, b, now_s, &why);
	if (!d)
		return why;
	if (!mac_holds(d->pass, b, PASS_BYTES))
		return TOKEN_FORGED;
	s->iat_s = take(&p, 4);
	s->ttl_s = take(&p, 4);
	s->level = (uint8_t)take(&p, 1);
	take_bytes(&p, s->bind, TOKEN_BIND);
	take_bytes(&p, s->jti, TOKEN_JTI);
	if (!in_time(s->iat_s, s->ttl_s, now_s))
		return TOKEN_EXPIRED;
	return CRYPTO_memcmp(s->bind, bind, TOKEN_BIND) == 0 ? TOKEN_GOOD : TOKEN_OTHERS;
}
