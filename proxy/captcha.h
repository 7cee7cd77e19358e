/* captcha.h -- a captcha's provider is asked whether a solution is good.
 *
 * One question, one answer, on the worker's loop: `done` comes once, never from
 * within captcha_ask(), unless the question is cancelled. Good is only what the
 * provider says is, for one of our hosts, solved in the last five minutes; what
 * cannot be told is CAPTCHA_TROUBLE, never CAPTCHA_PASSED.
 *
 * After CAPTCHA_FAILS troubles in a row, of whichever clients, a provider is down:
 * it is not asked for 10 s, then by one client, and for longer each time that goes
 * wrong again. While it is down `on_error` applies; one trouble before that is only
 * worth another try. A secret that the provider refuses counts as trouble, and is
 * an alarm: an error in the log once a minute, and a metric. */
#ifndef PROXY_CAPTCHA_H
#define PROXY_CAPTCHA_H
#include "base/ip.h"
#include "proxy/config.h"

struct process;
struct worker;
struct app_metrics;
struct captcha_question;

enum {
	CAPTCHA_FAILS = 5,
	CAPTCHA_ASKED = 128,           /* questions to a provider at a time, of all workers */
	CAPTCHA_TIMEOUT_MS = 3000,
	CAPTCHA_OLD_MS = 5 * 60 * 1000, /* a solution that is older counts for nothing */
	CAPTCHA_RESPONSE_MAX = 8192,   /* bytes of a solution; a longer one is none */
};

enum captcha_result {
	CAPTCHA_PASSED,
	CAPTCHA_FAILED,  /* the provider says no; or yes, but for another host or too long ago */
	CAPTCHA_TROUBLE, /* the provider says nothing, or nothing that makes sense */
};

/* What the page is made of; the configuration's words in place of the provider's where it has some. */
struct captcha_look {
	struct bytes script, widget, field;
};
struct captcha_look captcha_look(const struct captcha_config *);

/* When a site is built: reads the secret, and finds the provider's state, which outlives
 * reloads. Before that the configuration cannot be asked by. */
bool captcha_open(struct process *, struct arena *, struct captcha_config *, struct app_metrics *, struct err *);
/* The provider has failed several clients of late: `on_error` applies. */
bool captcha_is_down(struct worker *, const struct captcha_config *);
/* The configuration outlives the question. NULL: out of memory. */
struct captcha_question *captcha_ask(struct worker *, const struct captcha_config *, struct bytes response,
				     struct ip client, void (*done)(void *ctx, enum captcha_result), void *ctx);
void captcha_cancel(struct captcha_question *); /* `done` is not called any more */
#endif
