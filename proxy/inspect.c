/* inspect.c -- the request meets the rules: the head at once, the body as
 * upload.c brings it; then the remedy. Its answer does in vet.c. */
#include "base/clock.h"
#include "proxy/access.h"
#include "proxy/behaviour.h"
#include "proxy/client.h"
#include "proxy/stages.h"
#include "proxy/tarpit.h"
#include "proxy/worker.h"

/* Those of the app's exceptions that hold here, for the rules; and the largest
 * body that one of them allows. */
static void gather_exceptions(struct exchange *x, struct inspect_options *o)
{
	const struct app *app = x->app;
	const struct exclusion **list;

	if (!app->nexceptions)
		return;
	list = arena_get(x->arena, app->nexceptions * sizeof *list);
	for (size_t i = 0; list && i < app->nexceptions; i++) {
		const struct exception_config *e = app->exceptions[i].config;

		if (!access_exception_holds(x, e))
			continue;
		if (app->exceptions[i].exclusion)
			list[o->nexclusions++] = app->exceptions[i].exclusion;
		if (e->max_body && (!x->body_exception || e->max_body > x->body_exception->max_body))
			x->body_exception = e;
	}
	o->exclusions = list;
}

static struct bytes words_of(const struct hit *h)
{
	return h->message.len ? h->message : bytes_of(h->rule->id);
}

/* What weighs most, or came first; of an answer's hits where it has some. */
static struct bytes reason_of(const struct exchange *x, const struct verdict *v)
{
	size_t i = x->request_hits < v->nhits ? x->request_hits : 0, worst = i;

	for (; i < v->nhits; i++)
		if (v->hits[i].score > v->hits[worst].score)
			worst = i;
	return v->nhits ? words_of(&v->hits[worst]) : v->error;
}

void inspect_heed(struct exchange *x)
{
	const struct verdict *v = inspection_verdict(x->inspection);

	if (v->remedy <= REMEDY_ALLOW)
		return;
	exchange_rule(x, v->remedy, SOURCE_RULE, v->status, reason_of(x, v));
	if (x->ruling.source == SOURCE_RULE && v->remedy == REMEDY_DENY)
		x->ruling.location = v->location;
}

void inspect_finish(struct exchange *x)
{
	const struct verdict *v;
	size_t before;

	if (!x->inspection)
		return;
	v = inspection_verdict(x->inspection);
	before = v->nhits;
	inspection_finish(x->inspection);
	if (v->nhits > before)
		exchange_rule(x, REMEDY_LOG, SOURCE_RULE, 0, words_of(&v->hits[before]));
}

enum flow stage_inspect(struct exchange *x)
{
	struct inspect_options o = { 0 };
	uint64_t from;

	if (!x->app)
		return GO;
	gather_exceptions(x, &o);
	if (!x->app->rules || app_mode(x->app) == WAF_OFF)
		return GO;
	/* A flood that own rules or limits stop is not worth a scan; what is malformed is. */
	if (exchange_stopped(x) && x->ruling.source != SOURCE_PROTOCOL)
		return GO;
	from = clock_mono_us();
	o.window = x->app->config->waf.window;
	x->inspection = inspection_new(x->arena, x->app->rules, x->worker->scratch, &x->request, &o);
	if (!x->inspection)
		return answer(x, 503, (struct bytes){ 0 });
	inspection_head(x->inspection);
	inspect_heed(x);
	x->inspection_us = clock_mono_us() - from;
	return GO;
}

static bool too_long(const struct exchange *x)
{
	uint64_t max = x->body_exception && x->body_exception->max_body ? x->body_exception->max_body
									: exchange_limits(x)->body_bytes;

	return x->request.framing == BODY_LENGTH && x->request.length > max;
}

static void invite(struct exchange *x)
{
	struct bytes go_on = BYTES("HTTP/1.1 100 Continue\r\n\r\n");

	if (x->request.expect_continue && x->up.decoder.total == 0)
		client_write(x->client, &go_on, 1);
	x->request.expect_continue = false;
}

enum flow stage_body(struct exchange *x)
{
	struct upload *u = &x->up;

	if (u->done || u->decided || exchange_stopped(x))
		return GO;
	if (too_long(x))
		exchange_rule(x, REMEDY_DENY, SOURCE_LIMIT, 413, BYTES("body longer than max_body"));
	if (exchange_stopped(x))
		return GO;
	invite(x);
	/* What came with the head goes on with it, in one write. */
	if (x->inspection || x->client->body_at_hand || login_holds_body(x))
		return WAIT;
	u->decided = true;
	u->released = UINT64_MAX;
	return GO;
}

enum flow stage_remedy(struct exchange *x)
{
	if (!exchange_stopped(x))
		return GO;
	if (x->ruling.act == REMEDY_TARPIT && tarpit_holds(x))
		return WAIT;
	return answer_ruling(x);
}
