/* inspect_body.c -- a request body: held, taken apart, inspected, let go.
 *
 *   hold     until the body ends or the window is full; nothing goes on
 *   decide   the whole of it at once: raw, and what its parsers make of it
 *   go on    an opaque body, and files: what follows is not looked at
 *            multipart: what follows is parsed on, each field inspected before
 *            its bytes are released
 *
 * A structure that does not fit the window is not taken: else padding would be
 * a way past the rules. */
#include "base/inflate.h"
#include "rules/facts.h"
#include "rules/reading.h"
#include "rules/run.h"

enum stage { HOLDING, STREAMING, PASSED };

struct hold {
	enum stage stage;
	struct inflate *inflate; /* NULL: as it came */
	bool packed;             /* a coding that nobody here can read, or says so */
	struct reading *reading; /* NULL: the parsers have not been chosen yet */
	char *at;                /* what is inspected, at most a window of it */
	size_t len, cap;
	uint64_t seen;           /* payload bytes that came */
	uint64_t released;       /* of them may go on */
};

struct hold *hold_new(struct inspection *in)
{
	struct hold *h = arena_get(in->arena, sizeof *h);
	struct bytes coding = fields_value(&in->request->fields, FIELD_CONTENT_ENCODING);

	if (!h)
		return NULL;
	if (inflate_new(in->arena, coding, &h->inflate))
		return h->inflate ? h : NULL;
	h->packed = coding.len && !bytes_eq_nocase(coding, BYTES("identity"));
	return h;
}

static enum body_flow no_memory(struct inspection *in)
{
	inspection_fail(in, 503, BYTES("the body needs more memory than a request may have"));
	return BODY_HIT;
}

static enum body_flow refuse(struct inspection *in, struct bytes why)
{
	in->verdict.error = why;
	return BODY_REFUSED;
}

static enum body_flow too_long(struct inspection *in)
{
	in->verdict.error = BYTES("a structured body is longer than the window of inspection");
	return BODY_TOO_LONG;
}

/* The rules have spoken; now what the parsers had to say. */
static enum body_flow complain(struct inspection *in, struct hold *h)
{
	struct bytes why = { 0 };

	switch (reading_outcome(h->reading, &why)) {
	case READING_FINE:
		return BODY_GO;
	case READING_MALFORMED:
		in->verdict.error = why;
		return BODY_GO;
	case READING_TOO_LONG:
		in->verdict.error = why;
		return BODY_TOO_LONG;
	default:
		return refuse(in, why);
	}
}

/* What nobody could take apart is an argument as a whole. */
static bool add_raw(struct inspection *in, struct hold *h)
{
	struct bytes raw = { h->at, h->len }, why;

	if (reading_was_cut(h->reading))
		return true; /* the excepted argument is in it */
	if (reading_outcome(h->reading, &why) == READING_MALFORMED &&
	    !values_add(&in->values, ZONE_BODY_ARGS, (struct bytes){ 0 }, raw))
		return false;
	if ((reading_is_text(h->reading) || (in->run && in->run->body_variable)) &&
	    !values_add(&in->values, ZONE_FORM_BODY, (struct bytes){ 0 }, raw))
		return false;
	return values_add(&in->values, ZONE_RAW_BODY, (struct bytes){ 0 }, raw);
}

/* With all that is known of the body so far. */
static bool decide(struct inspection *in)
{
	facts_add(in, ZONE_BODY_FACTS);
	return inspection_decide(in, PHASE_BODY);
}

/* Not before all that can be had is there: what comes byte by byte does not look
 * like its first byte. */
static bool start_reading(struct inspection *in, struct hold *h)
{
	h->reading = reading_new(in, (struct bytes){ h->at, h->len }, h->packed);
	return h->reading != NULL;
}

/* Everything is here. */
static enum body_flow decide_whole(struct inspection *in, struct hold *h)
{
	h->stage = PASSED;
	if (!start_reading(in, h))
		return no_memory(in);
	reading_push(h->reading, (struct bytes){ h->at, h->len });
	reading_end(h->reading);
	if (!add_raw(in, h))
		return no_memory(in);
	values_trailers(&in->values, &in->request->trailers);
	if (decide(in))
		return BODY_HIT;
	return complain(in, h);
}

/* The window is full and more is coming. */
static enum body_flow decide_window(struct inspection *in, struct hold *h)
{
	bool structured = reading_is_structured(h->reading);

	if (structured && (h->inflate || !reading_can_stream(h->reading)))
		return too_long(in);
	reading_push(h->reading, (struct bytes){ h->at, h->len });
	if (!add_raw(in, h))
		return no_memory(in);
	if (structured)
		reading_streams(h->reading);
	h->stage = structured ? STREAMING : PASSED;
	in->body_may_go_on = structured;
	if (decide(in))
		return BODY_HIT;
	return structured ? complain(in, h) : BODY_GO;
}

static enum body_flow stream(struct inspection *in, struct hold *h, struct bytes piece)
{
	reading_push(h->reading, piece);
	if (inspection_decide(in, PHASE_BODY))
		return BODY_HIT;
	return complain(in, h);
}

/* At once what the length, where one is declared, asks for; else it doubles. */
static bool reserve(struct inspection *in, struct hold *h, size_t n)
{
	const struct request *r = in->request;
	size_t want = h->cap ? 2 * h->cap : 4096;
	char *at;

	if (h->len + n <= h->cap)
		return true;
	if (!h->inflate && r->framing == BODY_LENGTH)
		want = r->length < in->options.window ? (size_t)r->length : in->options.window;
	if (want < h->len + n)
		want = h->len + n;
	at = arena_raw(in->arena, want);
	if (!at)
		return false;
	if (h->len)
		memcpy(at, h->at, h->len);
	h->at = at;
	h->cap = want;
	return true;
}

static enum body_flow hold(struct inspection *in, struct hold *h, struct bytes piece)
{
	size_t room = in->options.window - h->len, n = piece.len < room ? piece.len : room;

	if (!reserve(in, h, n))
		return no_memory(in);
	memcpy(h->at + h->len, piece.at, n);
	h->len += n;
	if (n == piece.len)
		return BODY_GO;
	if (!start_reading(in, h))
		return no_memory(in);
	switch (decide_window(in, h)) {
	case BODY_GO:
		return h->stage == STREAMING ? stream(in, h, bytes_from(piece, n)) : BODY_GO;
	case BODY_HIT:
		return BODY_HIT;
	case BODY_TOO_LONG:
		return BODY_TOO_LONG;
	default:
		return BODY_REFUSED;
	}
}

static enum body_flow take(struct inspection *in, struct hold *h, struct bytes piece)
{
	if (!piece.len || h->stage == PASSED)
		return BODY_GO;
	return h->stage == STREAMING ? stream(in, h, piece) : hold(in, h, piece);
}

static enum body_flow unpack(struct inspection *in, struct hold *h, struct bytes piece)
{
	enum body_flow flow = BODY_GO;
	struct bytes out;

	while (flow == BODY_GO && h->stage != PASSED)
		switch (inflate_next(h->inflate, &piece, &out)) {
		case INFLATE_DATA:
			flow = take(in, h, out);
			break;
		case INFLATE_MORE:
			return BODY_GO;
		case INFLATE_BAD:
			return refuse(in, bytes_of(inflate_complaint(h->inflate)));
		}
	return flow;
}

/* What may go on: nothing that is held, and of a field being read nothing. */
static uint64_t released(const struct hold *h)
{
	switch (h->stage) {
	case HOLDING: return 0;
	case STREAMING: return reading_settled(h->reading);
	default: return UINT64_MAX;
	}
}

/* By its own words longer than the window, and no file: refused at once. */
static bool is_hopeless(struct inspection *in, struct hold *h)
{
	return !h->seen && !h->inflate && !h->packed && in->request->framing == BODY_LENGTH &&
	       in->request->length > in->options.window && reading_is_declared(in);
}

/* A body that is complete in its first piece is inspected where it is; but SecLang's rules may look at it, and at what
 * they took from it, when it has long gone on. */
static bool is_whole(const struct inspection *in, const struct hold *h, struct bytes piece)
{
	return !in->run && !h->seen && !h->inflate && in->request->framing == BODY_LENGTH &&
	       piece.len == in->request->length && piece.len <= in->options.window;
}

static bool is_off(const struct inspection *in)
{
	return in->values.exclusions.all || in->values.exclusions.body || (in->run && !in->run->body_access);
}

static enum body_flow add(struct inspection *in, struct bytes piece, uint64_t *release)
{
	struct hold *h = in->hold;
	enum body_flow flow;

	*release = UINT64_MAX;
	if (is_off(in) || (h && h->stage == PASSED))
		return BODY_GO;
	*release = 0;
	if (!h && !(h = in->hold = hold_new(in)))
		return no_memory(in);
	if (is_hopeless(in, h))
		return too_long(in);
	if (is_whole(in, h, piece)) {
		h->at = (char *)(uintptr_t)piece.at;
		h->len = piece.len;
		flow = decide_whole(in, h);
	} else {
		flow = h->inflate ? unpack(in, h, piece) : take(in, h, piece);
	}
	h->seen += piece.len;
	if (flow == BODY_GO)
		h->released = released(h);
	*release = h->released;
	return flow;
}

static enum body_flow end(struct inspection *in)
{
	struct hold *h = in->hold;

	if (in->values.exclusions.all)
		return BODY_GO;
	if (is_off(in)) /* SecLang's second phase is more than the body */
		return decide(in) ? BODY_HIT : BODY_GO;
	if (!h && !(h = in->hold = hold_new(in)))
		return no_memory(in);
	if (h->inflate && h->seen && h->stage == HOLDING && !inflate_ended(h->inflate))
		return refuse(in, BYTES("content-encoding: the compressed body ends too early"));
	switch (h->stage) {
	case HOLDING:
		return decide_whole(in, h);
	case STREAMING:
		h->stage = PASSED;
		reading_end(h->reading);
		if (decide(in))
			return BODY_HIT;
		return complain(in, h);
	default:
		return BODY_GO;
	}
}

enum body_flow inspection_body(struct inspection *in, struct bytes piece, uint64_t *release)
{
	enum body_flow flow;

	inspection_time(in, true);
	flow = add(in, piece, release);
	inspection_time(in, false);
	return flow;
}

enum body_flow inspection_end(struct inspection *in)
{
	enum body_flow flow;

	inspection_time(in, true);
	flow = end(in);
	inspection_time(in, false);
	return flow;
}

struct reading *inspection_reading(const struct inspection *in)
{
	return in->hold ? in->hold->reading : NULL;
}

uint64_t inspection_body_length(const struct inspection *in)
{
	return in->hold ? in->hold->inflate ? in->hold->seen : in->hold->len : 0;
}

enum body_kind inspection_body_kind(const struct inspection *in)
{
	if (!in->hold || !in->hold->reading)
		return BODY_KIND_NONE;
	return reading_kind(in->hold->reading);
}
