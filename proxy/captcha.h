/* captcha.h -- a captcha's provider is asked whether a solution is good.
 *
 * One question, one answer, on the worker's loop: `done` comes once, never from
 * within captcha_ask(), unless the question is cancelled. What cannot be told is
 * CAPTCHA_TROUBLE, never CAPTCHA_PASSED. */
#ifndef PROXY_CAPTCHA_H
#define PROXY_CAPTCHA_H
#include "base/ip.h"
#include "proxy/config.h"

struct worker;
struct captcha_question;

enum captcha_result {
	CAPTCHA_PASSED,
	CAPTCHA_FAILED,  /* the provider says no */
	CAPTCHA_TROUBLE, /* the provider says nothing, or nothing that makes sense */
};

/* What the page is made of; the configuration's words in place of the provider's where it has some. */
struct captcha_look {
	struct bytes script, widget, field;
};
struct captcha_look captcha_look(const struct captcha_config *);
/* The provider has failed several clients of late: `on_error` applies. */
bool captcha_is_down(struct worker *, const struct captcha_config *);
/* The configuration outlives the question. NULL: out of memory. */
struct captcha_question *captcha_ask(struct worker *, const struct captcha_config *, struct bytes response,
				     struct ip client, void (*done)(void *ctx, enum captcha_result), void *ctx);
void captcha_cancel(struct captcha_question *); /* `done` is not called any more */
#endif
