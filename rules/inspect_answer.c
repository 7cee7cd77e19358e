/* inspect_answer.c -- the answer: its head, and its body up to a window. */
#include "rules/facts.h"
#include "rules/run.h"

struct answer_hold {
	char *at;
	size_t len, cap;
	bool done;
};

size_t inspection_answer_window(const struct inspection *in)
{
	return in->rules->ir->bodies.answer_window;
}

/* "text/html; charset=utf-8" is of a type that is looked at. */
static bool is_text(const struct inspection *in, struct bytes type)
{
	static const struct bytes usual[] = { BYTES_INIT("text/plain"), BYTES_INIT("text/html") };
	const struct body_settings *b = &in->rules->ir->bodies;
	const struct bytes *types = b->nanswer_types ? b->answer_types : usual;
	size_t n = b->nanswer_types ? b->nanswer_types : nelems(usual);
	struct bytes media = { 0 };

	bytes_cut(&type, ';', &media);
	media = bytes_trim(media);
	for (size_t i = 0; i < n; i++)
		if (bytes_eq_nocase(media, types[i]))
			return true;
	return false;
}

static bool wants_body(const struct inspection *in, const struct response *r, bool coded)
{
	return in->run->answer_access && in->rules->plan.busy[PHASE_ANSWER_BODY] && !coded && r->framing != BODY_NONE &&
	       !(r->framing == BODY_LENGTH && !r->length) && is_text(in, fields_value(&r->fields, FIELD_CONTENT_TYPE));
}

static bool add_head(struct inspection *in, const struct response *r)
{
	struct values *v = &in->values;
	struct text t = text_over(arena_raw(in->arena, 4), 4);

	if (!t.at)
		return !(v->spent = true);
	text_u64(&t, r->status);
	for (size_t i = 0; i < r->fields.n; i++)
		if (!values_add(v, ZONE_ANSWER_HEADERS, r->fields.at[i].name, r->fields.at[i].value) ||
		    !values_add(v, ZONE_ANSWER_HEADERS_NAMES, r->fields.at[i].name, r->fields.at[i].name))
			return false;
	facts_add(in, ZONE_ANSWER_FACTS);
	return values_add(v, ZONE_STATUS, (struct bytes){ 0 }, text_bytes(&t));
}

/* Where a denial is only written down the request may have been denied before: then its answer is still looked at,
 * and passes. */
static enum answer_look look(struct inspection *in, enum phase phase)
{
	bool before = in->verdict.remedy == REMEDY_DENY;

	return inspection_decide(in, phase) && !before ? ANSWER_DENY : ANSWER_PASS;
}

enum answer_look inspection_answer(struct inspection *in, const struct response *r, bool coded)
{
	enum answer_look l;

	if (!in->run || in->values.exclusions.all ||
	    !(in->rules->plan.busy[PHASE_ANSWER] || in->rules->plan.busy[PHASE_ANSWER_BODY]))
		return ANSWER_PASS;
	in->response = r;
	add_head(in, r);
	l = look(in, PHASE_ANSWER);
	if (l == ANSWER_DENY)
		return l;
	if (!wants_body(in, r, coded))
		return look(in, PHASE_ANSWER_BODY); /* it is more than the body */
	in->answer = arena_get(in->arena, sizeof *in->answer);
	if (!in->answer)
		return look(in, PHASE_ANSWER_BODY);
	return ANSWER_WANT_BODY;
}

static bool reserve(struct inspection *in, struct answer_hold *h, size_t n)
{
	size_t want = h->cap ? 2 * h->cap : 8192;
	char *at;

	if (h->len + n <= h->cap)
		return true;
	if (want < h->len + n)
		want = h->len + n;
	at = arena_raw(in->arena, want);
	if (!at)
		return !(in->values.spent = true);
	if (h->len)
		memcpy(at, h->at, h->len);
	h->at = at;
	h->cap = want;
	return true;
}

enum answer_look inspection_answer_end(struct inspection *in)
{
	struct answer_hold *h = in->answer;

	if (!h || h->done)
		return ANSWER_PASS;
	h->done = true;
	values_add(&in->values, ZONE_ANSWER_BODY, (struct bytes){ 0 }, (struct bytes){ h->at, h->len });
	return look(in, PHASE_ANSWER_BODY);
}

enum answer_look inspection_answer_body(struct inspection *in, struct bytes piece)
{
	struct answer_hold *h = in->answer;
	size_t room;

	if (!h || h->done)
		return ANSWER_PASS;
	room = inspection_answer_window(in) - h->len;
	piece = bytes_sub(piece, 0, room);
	if (!reserve(in, h, piece.len))
		return inspection_answer_end(in);
	if (piece.len)
		memcpy(h->at + h->len, piece.at, piece.len);
	h->len += piece.len;
	return piece.len == room ? inspection_answer_end(in) : ANSWER_WANT_BODY;
}
