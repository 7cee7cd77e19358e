/* repeats.h -- inside admin/: a POST that is sent again does nothing twice.
 *
 * Whoever names a request (Idempotency-Key, draft-ietf-httpapi-idempotency-key-header) may send it again until he has the
 * answer: the same request gets the same answer, which says that it is one of before. Who, route and key name it; path,
 * query and body are what it is. Only what was done is kept: a refusal has changed nothing, so the same key may be used
 * again, with a body that is mended too.
 *
 * Answers tell secrets once (a token, a link), so they are in memory only: a reload keeps them, a restart does not. */
#ifndef ADMIN_API_REPEATS_H
#define ADMIN_API_REPEATS_H
#include "base/arena.h"
#include "base/request.h"
#include "base/serve.h"

enum {
	REPEAT_KEY_MAX = 128,          /* bytes */
	REPEAT_FIELDS = 4,             /* of an answer */
	REPEATS_MAX = 1024,            /* the oldest goes */
	REPEAT_BYTES_MAX = 1 << 20,    /* of an answer; of a longer one nothing is kept */
	REPEATS_BYTES_MAX = 16 << 20,  /* of all, the same way */
	REPEAT_LASTS_MS = 24 * 3600 * 1000,
};

struct repeats;
struct repeat; /* a request that has a key */

struct repeats *repeats_new(void); /* NULL: out of memory */
void repeats_free(struct repeats *); /* NULL is allowed */

/* The key of a field's value: a string of RFC 8941 ("..."), or the same without quotes, as most clients send it: what is
 * printable, without a space, quote, backslash or comma. False: neither, or more than REPEAT_KEY_MAX. */
bool repeat_key(struct bytes value, struct bytes *key);

enum repeat_is {
	REPEAT_NEW,     /* *r is to be kept or dropped */
	REPEAT_RUNNING, /* nothing to do but wait */
	REPEAT_OTHER,   /* that key was of another request */
	REPEAT_KNOWN,   /* *r has the answer, until something else is called */
	REPEAT_NO_ROOM, /* out of memory */
};
struct repeat_name {
	struct bytes who, route, key; /* what names it */
	struct bytes path, query, body; /* what it is */
};
enum repeat_is repeats_look(struct repeats *, const struct repeat_name *, uint64_t now_ms, struct repeat **r);
const struct serve_answer *repeat_answer(const struct repeat *);

/* It was done: the answer is copied. */
void repeat_keep(struct repeats *, struct repeat *, const struct serve_answer *);
/* It was not: as if it had never been asked. */
void repeat_drop(struct repeats *, struct repeat *);
#endif
