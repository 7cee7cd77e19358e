/* captcha_parts.h -- what the files of captcha share; nobody else includes it.
 *
 *   captcha.c           asking
 *   captcha_breaker.c   whether a provider is worth asking
 *   captcha_provider.c  the providers: a table
 *   captcha_judge.c     what an answer means */
#ifndef PROXY_CAPTCHA_PARTS_H
#define PROXY_CAPTCHA_PARTS_H
#include "admin/admin.h"
#include "proxy/captcha.h"
#include <stdatomic.h>

/* ---- providers ---- */

struct captcha_row {
	const char *word;
	struct captcha_look look;
	struct bytes verify_url;
	struct bytes param;   /* what the solution is called in the question */
	const char *errors;   /* path of the list of error codes in an answer */
	bool sitekey;         /* the question holds the sitekey too */
	bool tells;           /* a good answer must name the host and the time */
};

const struct captcha_row *captcha_provider(const struct captcha_config *);

/* ---- what an answer means ---- */

enum captcha_why {
	CAPTCHA_WHY_GOOD,
	CAPTCHA_WHY_BAD,    /* the solution, or the client that sent it */
	CAPTCHA_WHY_HOST,   /* solved somewhere else */
	CAPTCHA_WHY_OLD,
	CAPTCHA_WHY_SECRET, /* ours: the alarm */
	CAPTCHA_WHY_BROKEN, /* the provider */
};

struct captcha_judgement {
	enum captcha_result result;
	enum captcha_why why;
	char text[256]; /* for the log: of an answer's own words only codes that we know */
};

void captcha_judge(const struct captcha_config *, unsigned status, struct bytes body, uint64_t now_ms,
		   struct captcha_judgement *out);
/* RFC 3339, or with a zone without a colon; any number of decimals. Unix milliseconds. */
bool captcha_time(struct bytes, uint64_t *out_ms);

/* ---- the breaker: any thread, no lock; a race costs one question more ---- */

struct captcha_breaker {
	struct captcha_breaker *next;
	uint64_t key;                 /* of the URL and the secret */
	atomic_uint fails;            /* in a row */
	atomic_uint asking;           /* questions under way */
	atomic_ullong until_ms;       /* not asked before (monotonic) */
	atomic_ullong said_ms, alarmed_ms; /* when the log was last told of trouble, of the secret */
};

struct captcha_breaker *captcha_breaker_of(struct captcha_breaker **all, uint64_t key); /* NULL: out of memory */
bool captcha_breaker_is_down(const struct captcha_breaker *, uint64_t now_ms);
/* May it be asked? True: it counts as asking, until captcha_breaker_leave(). */
bool captcha_breaker_enter(struct captcha_breaker *, uint64_t now_ms);
void captcha_breaker_leave(struct captcha_breaker *);
enum captcha_turn { CAPTCHA_SAME, CAPTCHA_WENT_DOWN, CAPTCHA_CAME_BACK };
enum captcha_turn captcha_breaker_told(struct captcha_breaker *, bool trouble, uint64_t now_ms);
/* At most once in `every_ms`, for the log. */
bool captcha_breaker_may_say(atomic_ullong *last_ms, uint64_t now_ms, uint64_t every_ms);

/* What captcha_open() made of a configuration. */
struct captcha_ready {
	const struct captcha_row *provider;
	struct captcha_breaker *breaker;
	struct fetcher *fetcher; /* the process's */
	struct app_metrics *metrics;
};
#endif
