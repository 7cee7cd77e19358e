/* captcha.c -- the providers, and asking them. */
#include "proxy/captcha.h"
#include "proxy/worker.h"
#include <stdlib.h>

static const struct captcha_look looks[] = {
	[CAPTCHA_TURNSTILE] = { BYTES_INIT("https://challenges.cloudflare.com/turnstile/v0/api.js"),
				BYTES_INIT("cf-turnstile"), BYTES_INIT("cf-turnstile-response") },
	[CAPTCHA_HCAPTCHA] = { BYTES_INIT("https://js.hcaptcha.com/1/api.js"), BYTES_INIT("h-captcha"),
			       BYTES_INIT("h-captcha-response") },
	[CAPTCHA_RECAPTCHA] = { BYTES_INIT("https://www.google.com/recaptcha/api.js"), BYTES_INIT("g-recaptcha"),
				BYTES_INIT("g-recaptcha-response") },
	[CAPTCHA_FRIENDLY] = { { 0 }, BYTES_INIT("frc-captcha"), BYTES_INIT("frc-captcha-solution") },
	[CAPTCHA_CUSTOM] = { { 0 }, { 0 }, { 0 } },
};

struct captcha_look captcha_look(const struct captcha_config *c)
{
	struct captcha_look look = looks[c->provider];

	if (c->script.at)
		look.script = c->script;
	if (c->widget.at)
		look.widget = c->widget;
	if (c->field.at)
		look.field = c->field;
	return look;
}

bool captcha_is_down(struct worker *w, const struct captcha_config *c)
{
	(void)w;
	(void)c;
	return false;
}

struct captcha_question {
	struct deadline soon;
	void (*done)(void *ctx, enum captcha_result);
	void *ctx;
};

/* Nobody is asked yet: every answer is trouble. */
static void on_soon(void *owner)
{
	struct captcha_question *q = owner;
	void (*done)(void *ctx, enum captcha_result) = q->done;
	void *ctx = q->ctx;

	free(q);
	done(ctx, CAPTCHA_TROUBLE);
}

struct captcha_question *captcha_ask(struct worker *w, const struct captcha_config *c, struct bytes response,
				     struct ip client, void (*done)(void *ctx, enum captcha_result), void *ctx)
{
	struct captcha_question *q = calloc(1, sizeof *q);

	(void)c;
	(void)response;
	(void)client;
	if (!q)
		return NULL;
	q->done = done;
	q->ctx = ctx;
	deadline_set(w->loop, &q->soon, 0, on_soon, q);
	return q;
}

void captcha_cancel(struct captcha_question *q)
{
	deadline_clear(&q->soon);
	free(q);
}
