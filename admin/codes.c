/* codes.c -- making codes, and reading what people make of them. */
#include "admin/codes.h"
#include "base/tls.h"

enum { DIGITS = 6, GROUP = 4 };

void code_base32(struct bytes b, char out[CODE_TEXT])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < b.len; i++) {
		bits = bits << 8 | (uint8_t)b.at[i];
		for (have += 8; have >= 5 && n + 1 < CODE_TEXT; have -= 5)
			out[n++] = letters[bits >> (have - 5) & 31];
	}
	out[n] = '\0';
}

bool code_make(size_t bytes, char out[CODE_TEXT])
{
	char random[CODE_TOTP_BYTES], plain[CODE_TEXT];
	size_t n = 0;

	if (!tls_random(random, bytes))
		return false;
	code_base32((struct bytes){ random, bytes }, plain);
	for (size_t i = 0; plain[i]; i++) {
		if (i && i % GROUP == 0)
			out[n++] = '-';
		out[n++] = plain[i];
	}
	out[n] = '\0';
	return true;
}

bool code_hash(struct bytes typed, uint8_t out[CODE_HASH])
{
	struct tls_sha256 *sum = tls_sha256_new();

	for (size_t i = 0; sum && i < typed.len; i++) {
		char c = byte_lower(typed.at[i]);

		if (c != '-' && c != ' ')
			tls_sha256_put(sum, (struct bytes){ &c, 1 });
	}
	tls_sha256_end(sum, out);
	return sum != NULL;
}

/* RFC 4226 5.3: four bytes of the MAC, from where its last half-byte says. */
unsigned code_totp(const uint8_t secret[CODE_TOTP_BYTES], uint64_t step)
{
	uint8_t counter[8], mac[20] = { 0 };
	const uint8_t *at;

	for (int i = 7; i >= 0; i--, step >>= 8)
		counter[i] = (uint8_t)step;
	tls_mac_sha1((struct bytes){ (const char *)secret, CODE_TOTP_BYTES }, (struct bytes){ (const char *)counter, sizeof counter }, mac);
	at = mac + (mac[19] & 15);
	return ((uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) % 1000000;
}

uint64_t code_totp_step(const uint8_t secret[CODE_TOTP_BYTES], struct bytes typed, uint64_t now_s, uint64_t used)
{
	uint64_t now = now_s / CODE_TOTP_S, number, found = 0;

	typed = bytes_trim(typed);
	if (typed.len != DIGITS || !bytes_u64(typed, &number))
		return 0;
	for (uint64_t step = now ? now - 1 : 0; step <= now + 1; step++)
		if (step > used && code_totp(secret, step) == number)
			found = step;
	return found;
}
