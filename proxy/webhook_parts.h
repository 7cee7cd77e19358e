/* webhook_parts.h -- a receiver from inside, for webhook.c and webhook_send.c. */
#ifndef PROXY_WEBHOOK_PARTS_H
#define PROXY_WEBHOOK_PARTS_H
#include "base/fetch.h"
#include "base/ulid.h"
#include "proxy/webhook.h"
#include <pthread.h>

enum { WEBHOOK_ADDRESS = 64, WEBHOOK_WORDS = 96, WEBHOOK_DETAIL = 200 };

struct webhook_kept {
	enum notify_event kind;
	uint64_t wall_ms;
	char address[WEBHOOK_ADDRESS], behaviour[WEBHOOK_WORDS], id[ULID_LEN + 1], app[WEBHOOK_ADDRESS], detail[WEBHOOK_DETAIL];
};

/* What is being gathered; under the lock. */
struct webhook_batch {
	uint64_t from_ms, to_ms, counts[NOTIFY_EVENTS];
	size_t n;
	struct webhook_kept notes[WEBHOOK_NOTES];
};

/* One at a time; told NULL: none. */
struct webhook_test { notify_told *told; void *arg; char *body; struct fetch *fetch; };

struct webhook {
	struct webhook *next;
	struct webhooks *all;
	char *url, *secret; /* secret NULL: messages are not signed */
	struct tls_context *tls;
	uint32_t kinds;     /* bits */
	uint32_t min;
	uint64_t every_ms;
	bool full, kept;    /* kept: the configuration that is coming names it too */
	struct webhook_batch batch;
	struct deadline deadline;  /* of the batch, or of the next try */
	bool armed;
	char *body;         /* of the message that is under way; NULL: none */
	size_t body_len;
	uint64_t told;      /* happenings in it */
	uint64_t since_ms;  /* monotonic, of its first try */
	unsigned tries;
	struct fetch *fetch;
	bool down;
	uint64_t taken, failures, taken_ms, failed_ms, next_ms; /* as struct notify_outlet has them */
	char why[128];
	struct where where; /* in the configuration in use */
	struct webhook_test test;
};

struct webhooks {
	struct loop *loop;
	struct fetcher *fetcher;
	pthread_mutex_t lock;   /* of the batches, and of the list against notes */
	struct webhook *list;
	_Atomic uint32_t wanted; /* bits of all receivers */
	_Atomic bool asked;      /* the loop has been asked to look */
	_Atomic uint64_t dropped;
};

/* Makes the message of what was gathered and sends it. */
void webhook_send(struct webhook *);
void webhook_begin_again(struct webhook *); /* a fetch under way is cancelled, and its message sent soon */
/* One message that says it is a test, at once. */
void webhook_test(struct webhook *, struct bytes by, notify_told *, void *arg);
void webhook_test_end(struct webhook *, unsigned status, const char *why); /* why NULL: it was taken */
void webhook_arm(struct webhook *); /* where there is something and nothing is under way */
/* A message: JSON, at most WEBHOOK_BODY_MAX bytes. */
enum { WEBHOOK_BODY_MAX = 128 << 10, WEBHOOK_SIGNATURE_MAX = 96 };
void webhook_write(struct text *, const struct webhook_batch *, bool full);
/* "t=1795488439,v1=HEX": HMAC-SHA256 by the secret of "1795488439.BODY". */
bool webhook_sign(struct text *, struct bytes secret, uint64_t now_s, struct bytes body);
/* How long until try number `tries` + 1: doubled up to an hour, and up to a quarter later by chance. */
uint64_t webhook_retry_ms(unsigned tries, uint8_t random);
#endif
