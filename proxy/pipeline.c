/* pipeline.c -- the life of a request, in order. The head of the answer is observed where it is vetted (vet.c). */
#include "base/clock.h"
#include "base/hash.h"
#include "proxy/behaviour.h"
#include "proxy/bots.h"
#include "proxy/challenge.h"
#include "proxy/client.h"
#include "proxy/stages.h"
#include "proxy/tarpit.h"
#include "proxy/upload.h"
#include "proxy/vet.h"
#include "proxy/worker.h"

static const struct {
	const char *name;
	enum flow (*run)(struct exchange *);
} steps[] = {
	{ "client",  stage_client  }, /* request  -> address  */
	{ "route",   stage_route   }, /* host     -> app      */
	{ "visit",   stage_visit   }, /* pass     -> visit, or an answer of our own endpoints */
	{ "bots",    stage_bots    }, /* agent, address -> bot, ruling */
	{ "look up", stage_reputation }, /* address -> decision */
	{ "access",  stage_access  }, /* request  -> ruling   */
	{ "limits",  stage_limits  }, /* address  -> ruling   */
	{ "attack",  stage_attack  }, /* state of the app -> ruling */
	{ "observe", stage_observe_head }, /* head -> decision */
	{ "inspect", stage_inspect }, /* head     -> verdict  */
	{ "body",    stage_body    }, /* body     -> verdict  */
	{ "observe", stage_observe_body }, /* body -> decision */
	{ "remedy",  stage_remedy  }, /* ruling   -> remedy   */
	{ "forward", stage_forward }, /* request  -> response */
	{ "vet",     stage_vet     }, /* response -> verdict  */
	{ "respond", stage_respond }, /* response -> client   */
	{ "record",  stage_record  }, /* exchange -> event    */
};
enum { RECORD = nelems(steps) - 1 };

static void exchange_end(struct exchange *x)
{
	struct client *c = x->client;
	bool close = x->close_client, unread = !x->up.done || x->fault.code;

	challenge_end(x);
	tarpit_end(x);
	upload_free(x);
	vet_free(x);
	site_use_drop(x->use);
	arena_free(x->arena); /* x with it */
	client_next(c, close, unread);
}

void exchange_run(struct exchange *x)
{
	while (x->step <= RECORD)
		switch (steps[x->step].run(x)) {
		case GO: x->step++; break;
		case ANSWERED: x->step = RECORD; break;
		case WAIT: return;
		}
	exchange_end(x);
}

void exchange_abandon(struct exchange *x)
{
	x->close_client = true;
	x->step = RECORD;
	exchange_run(x);
}

static void rule(struct exchange *x, const struct ruling *said)
{
	struct ruling *r = &x->ruling;
	bool detect = x->app && app_mode(x->app) == WAF_DETECT && said->source != SOURCE_PROTOCOL;
	enum remedy_kind now = detect && said->act > REMEDY_LOG ? REMEDY_LOG : said->act;
	uint32_t retry_after_s = r->retry_after_s;

	if (r->source != SOURCE_NONE && said->act <= r->would && now <= r->act) {
		if (said->act == r->would && said->level > r->level)
			r->level = said->level;
		return;
	}
	*r = *said;
	r->would = said->act;
	r->act = now;
	r->retry_after_s = retry_after_s;
}

void exchange_challenge(struct exchange *x, unsigned level, enum source source, struct bytes reason)
{
	bool slow;

	level = level ? level : x->app->config->challenge.level;
	if (bots_spared(x, &slow)) {
		if (slow)
			rule(x, &(struct ruling){ .act = REMEDY_THROTTLE, .source = source, .status = 429, .reason = reason });
		if (slow && x->ruling.act == REMEDY_THROTTLE)
			x->ruling.retry_after_s = 60;
		return;
	}
	if (!challenge_lifts(x, level))
		rule(x, &(struct ruling){ .act = level >= CHALLENGE_CAPTCHA ? REMEDY_CAPTCHA : REMEDY_CHALLENGE,
					  .source = source, .status = 403, .level = level, .reason = reason });
}

void exchange_rule(struct exchange *x, enum remedy_kind act, enum source source, unsigned status,
		   struct bytes reason)
{
	if ((act == REMEDY_CHALLENGE || act == REMEDY_CAPTCHA) && x->app)
		exchange_challenge(x, act == REMEDY_CAPTCHA ? CHALLENGE_CAPTCHA : CHALLENGE_NONE, source, reason);
	else
		rule(x, &(struct ruling){ .act = act, .source = source, .status = status, .reason = reason });
}

/* Whoever is throttled may go on, slowly: all of one value have one bucket. */
static void throttle(struct exchange *x, const struct decision *d, enum source source)
{
	enum { COUNT = 60, PER_MS = 60000, BURST = 10 };
	uint64_t bucket = hash_bytes(d->value) ^ (uint64_t)(d->scope + 1) * 0x9e3779b97f4a7c15u;
	uint64_t wait_ms = limits_take(x->worker->shared->limits, bucket, loop_now_ms(x->worker->loop), COUNT, PER_MS, BURST);

	if (wait_ms == 0)
		return;
	exchange_rule(x, REMEDY_THROTTLE, source, 429, d->reason);
	if (x->ruling.act == REMEDY_THROTTLE)
		x->ruling.retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
}

void exchange_decide(struct exchange *x, const struct decision *d, enum source source)
{
	if (d->remedy == REMEDY_CHALLENGE && x->app)
		exchange_challenge(x, d->level, source, d->reason);
	else if (d->remedy == REMEDY_THROTTLE)
		throttle(x, d, source);
	else
		exchange_rule(x, d->remedy, source, 403, d->reason);
}

void exchange_simulate(struct exchange *x, enum remedy_kind would, struct bytes reason)
{
	exchange_rule(x, REMEDY_LOG, SOURCE_SCENARIO, 0, reason);
	if (x->ruling.source == SOURCE_SCENARIO && would > x->ruling.would)
		x->ruling.would = would;
}

const struct size_limits_config *exchange_limits(const struct exchange *x)
{
	return x->app ? &x->app->config->size : &x->use->site->config->size;
}

/* ---- birth ---- */

void exchange_begin(struct client *c, const struct listen *listen, struct bytes head, const struct err *fault)
{
	struct worker *w = c->worker;
	struct arena *a = arena_new(w->use->site->exchange_bytes);
	struct exchange *x = a ? arena_get(a, sizeof *x) : NULL;
	struct http1_limits limits;

	if (x)
		head = arena_copy(a, head);
	if (!x || !head.at) {
		arena_free(a);
		client_close(c); /* out of memory: there is nothing to answer with */
		return;
	}
	x->arena = a;
	x->client = c;
	x->worker = w;
	x->use = w->use;
	x->use->users++;
	x->listen = listen;
	x->started_us = clock_mono_us();
	x->head_us = c->head_us ? x->started_us - c->head_us : 0;
	c->head_us = 0;
	ulid_next(&w->ids, worker_wall_ms(w), x->id);
	c->x = x;
	limits = client_limits(c);
	if (!http1_parse_request(a, head, &limits, &x->request, &x->fault) || fault) {
		if (fault)
			x->fault = *fault;
		x->close_client = true;
	}
	x->request.id = (struct bytes){ x->id, ULID_LEN };
	upload_start(x);
	exchange_run(x);
}
