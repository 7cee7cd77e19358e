/* codes.h -- inside admin/: codes that people type: from a phone (TOTP), from a sheet of paper (recovery), in a link (set-up).
 *
 * Base32 (RFC 4648) in groups of four, since nobody reads a 0 for an O there; kept as SHA-256, which is enough for so many
 * random bits. TOTP is RFC 6238 with what phones have: SHA-1, 30 s, six digits. */
#ifndef ADMIN_CODES_H
#define ADMIN_CODES_H
#include "base/bytes.h"

enum {
	CODE_HASH = 32, CODE_TEXT = 40,
	CODE_LINK_BYTES = 15, CODE_RECOVERY_BYTES = 10, CODE_TOTP_BYTES = 20, /* of random */
	CODE_TOTP_S = 30,
};

void code_base32(struct bytes, char out[CODE_TEXT]); /* at most 20 bytes, a multiple of five: no padding */
/* "Q7K2-...": `bytes` of random. */
bool code_make(size_t bytes, char out[CODE_TEXT]);
/* Of what was typed: hyphens and blanks do not count, nor does case. */
bool code_hash(struct bytes typed, uint8_t out[CODE_HASH]);

unsigned code_totp(const uint8_t secret[CODE_TOTP_BYTES], uint64_t step); /* below a million */
/* The step whose code it is: this one or a neighbour, but later than `used`: a code counts once. 0: none. */
uint64_t code_totp_step(const uint8_t secret[CODE_TOTP_BYTES], struct bytes typed, uint64_t now_s, uint64_t used);
#endif
