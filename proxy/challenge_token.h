/* challenge_token.h -- what a challenge hands out, and the pass that solving it
 * gives: signed, and kept nowhere.
 *
 * Both are base64url over bytes with a MAC of 16 bytes behind them (HMAC-SHA256,
 * cut), under keys derived from the installation's secret and the day of issue;
 * the day itself and the two before it are accepted. So every gate with the same
 * secret accepts what another gave out, before and after a restart.
 *
 *   token  ver u8 | day u16 | iat u32 | ttl u16 | level u8 | bits u8 | bind 8 | nonce 12 | u16 length, path
 *   pass   ver u8 | day u16 | iat u32 | ttl u32 | level u8 | bind 8 | jti 8
 *
 * Big endian; iat is unix seconds, ttl seconds. A proof of work is a decimal n so
 * that SHA-256 of hex(SHA-256(token))[0..32] ":" n begins with `bits` zeros. A
 * token always gives the same jti, so solving it twice gives nothing new.
 *
 * `bind` ties both to the app, the user agent and, where that is asked for, the
 * client's network. Nothing here is a secret but the keys; comparing takes the
 * same time whatever differs. */
#ifndef PROXY_CHALLENGE_TOKEN_H
#define PROXY_CHALLENGE_TOKEN_H
#include "base/ip.h"

enum {
	TOKEN_KEY = 32, TOKEN_BIND = 8, TOKEN_NONCE = 12, TOKEN_JTI = 8,
	TOKEN_PATH_MAX = 512, /* longer targets become "/" */
	TOKEN_TEXT_MAX = 752,
	TOKEN_PASS_LEN = 59,
	TOKEN_WORK_MAX = 10,  /* digits of n */
	TOKEN_BITS_MAX = 20,
	TOKEN_PREFIX = 32,
};

/* Derived when first asked for and kept; one thread each. */
struct token_keys {
	uint8_t secret[TOKEN_KEY], bind[TOKEN_KEY];
	bool have_bind;
	struct token_day { uint32_t day_plus_1; uint8_t token[TOKEN_KEY], pass[TOKEN_KEY]; } days[4];
};

struct token {
	uint32_t iat_s;
	uint16_t ttl_s;
	uint8_t level, bits, bind[TOKEN_BIND], nonce[TOKEN_NONCE];
	struct bytes path; /* begins with a single '/' */
};

struct token_pass {
	uint32_t iat_s, ttl_s;
	uint8_t level, bind[TOKEN_BIND], jti[TOKEN_JTI];
};

/* In the order in which they are checked. */
enum token_verdict {
	TOKEN_GOOD,
	TOKEN_UNREADABLE, /* its size, its alphabet */
	TOKEN_FORGED,     /* the MAC */
	TOKEN_EXPIRED,    /* or of a day to come */
	TOKEN_OTHERS,     /* another app, user agent or network */
	TOKEN_UNSOLVED,   /* the work is missing or wrong, or it came too early */
	TOKEN_VERDICTS
};

/* `prefix`: of the network, or empty. */
bool token_bind(struct token_keys *, struct bytes app, struct bytes user_agent, struct bytes prefix,
		uint8_t out[TOKEN_BIND]);
/* A target as it came, or "/" where following it could lead to another site. */
struct bytes token_path(struct bytes target);
/* Writes at most TOKEN_TEXT_MAX bytes; false: no key. */
bool token_write(struct token_keys *, const struct token *, struct text *);
/* Everything but the work. `out` is filled from TOKEN_EXPIRED on; its path is in `room`. */
enum token_verdict token_read(struct token_keys *, struct bytes text, uint32_t now_s, const uint8_t bind[TOKEN_BIND],
			      char room[TOKEN_TEXT_MAX], struct token *out);
/* hex(SHA-256(text))[0..32], which stands before the work in what is hashed. */
struct bytes token_prefix(struct bytes text, char room[TOKEN_PREFIX]);
/* Is `n` the work for it? */
bool token_solved(struct bytes text, unsigned bits, struct bytes n);

/* The pass that this token gives. */
bool token_pass_of(struct token_keys *, const struct token *, uint32_t now_s, uint32_t ttl_s, uint8_t level,
		   struct token_pass *);
bool token_pass_write(struct token_keys *, const struct token_pass *, char out[TOKEN_PASS_LEN]);
enum token_verdict token_pass_read(struct token_keys *, struct bytes text, uint32_t now_s,
				   const uint8_t bind[TOKEN_BIND], struct token_pass *out);
#endif
