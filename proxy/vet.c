/* vet.c -- the answer meets the rules before the client does: its head at once,
 * its body as far as their window goes.
 *
 * Until they have decided nothing goes to the client, so that of a denied answer
 * no byte leaks and the client can be told properly. Holding has bounds: the
 * window, the budget of held bytes, a second since the head. At each of them what
 * is there is judged, and the rest streams on unseen. Of an answer that is a
 * stream, or packed, only the head is judged; with `waf.decode_answers` gzip and
 * deflate are unpacked for the rules, and go to the client as they came. */
#include "proxy/behaviour.h"
#include "proxy/vet.h"
#include "base/clock.h"
#include "base/inflate.h"
#include "proxy/access.h"
#include "proxy/forward.h"
#include "proxy/hold.h"
#include "proxy/stages.h"
#include "proxy/worker.h"

enum { HOLD_MS = 1000 };

/* Server-sent events say so; of other streams the configuration does. */
static bool is_stream(const struct exchange *x)
{
	struct bytes type = fields_value(&x->down.head.fields, FIELD_CONTENT_TYPE), media = { 0 };

	bytes_cut(&type, ';', &media);
	return bytes_eq_nocase(bytes_trim(media), BYTES("text/event-stream")) || access_is_stream(x);
}

static struct bytes coding(const struct exchange *x)
{
	struct bytes coding = fields_value(&x->down.head.fields, FIELD_CONTENT_ENCODING);

	return bytes_eq_nocase(coding, BYTES("identity")) ? (struct bytes){ 0 } : coding;
}

static bool can_unpack(struct exchange *x)
{
	return !coding(x).len || (inflate_new(x->arena, coding(x), &x->down.inflate) && x->down.inflate);
}

/* Shows payload to the rules. What cannot be unpacked is where the body ends for them. */
static enum answer_look show(struct exchange *x, struct bytes in)
{
	enum answer_look look = ANSWER_WANT_BODY;
	enum inflate_step step;
	struct bytes out;

	if (!x->down.inflate)
		return inspection_answer_body(x->inspection, in);
	do {
		step = inflate_next(x->down.inflate, &in, &out);
		if (step == INFLATE_DATA)
			look = inspection_answer_body(x->inspection, out);
	} while (step == INFLATE_DATA && look == ANSWER_WANT_BODY);
	return step == INFLATE_BAD ? inspection_answer_end(x->inspection) : look;
}

/* The rules want no more. `more` was not held, and follows what was. */
static void conclude(struct exchange *x, struct bytes more)
{
	deadline_clear(&x->down.deadline);
	inspect_heed(x);
	if (exchange_stopped(x))
		return;
	if (!x->down.done)
		metrics_body(x->app->state->metrics, x->worker->number, BODY_TROUBLE_TRUNCATED);
	if (!respond_release(x, more))
		x->down.truncated = x->down.done = true;
}

static void on_late(void *owner)
{
	struct exchange *x = owner;

	inspection_answer_end(x->inspection);
	conclude(x, (struct bytes){ 0 });
	exchange_run(x);
}

void vet_head(struct exchange *x)
{
	uint64_t from;
	enum answer_look look;
	bool opaque;

	behaviour_answer(x);
	if (!x->inspection || exchange_stopped(x))
		return;
	from = clock_mono_us();
	opaque = is_stream(x) || (coding(x).len && !x->app->config->waf.decode_answers);
	x->request_hits = inspection_verdict(x->inspection)->nhits;
	look = inspection_answer(x->inspection, &x->down.head, opaque);
	if (look == ANSWER_WANT_BODY && !can_unpack(x))
		look = inspection_answer_end(x->inspection);
	x->down.held = look == ANSWER_WANT_BODY;
	if (x->down.held)
		deadline_set(x->worker->loop, &x->down.deadline, HOLD_MS, on_late, x);
	else
		inspect_heed(x);
	x->answer_inspection_us += clock_mono_us() - from;
}

void vet_take(struct exchange *x, struct bytes payload)
{
	uint64_t from = clock_mono_us();
	enum answer_look look = show(x, payload);
	bool kept = hold_add(x, &x->down.hold, payload);

	if (look == ANSWER_WANT_BODY && (x->down.done || !kept))
		look = inspection_answer_end(x->inspection);
	x->answer_inspection_us += clock_mono_us() - from;
	if (look != ANSWER_WANT_BODY)
		conclude(x, kept ? (struct bytes){ 0 } : payload);
}

void vet_free(struct exchange *x)
{
	deadline_clear(&x->down.deadline);
	hold_free(x, &x->down.hold);
}

enum flow stage_vet(struct exchange *x)
{
	if (exchange_stopped(x)) {
		forward_done(x);
		return answer_ruling(x);
	}
	if (!x->down.held)
		return GO;
	if (!x->down.truncated)
		return WAIT;
	err_set(&x->failure, SIDE_UPSTREAM, 502, "%s: the answer was cut", x->backend->server->name);
	forward_release(x, false);
	return answer(x, 502, (struct bytes){ 0 });
}
