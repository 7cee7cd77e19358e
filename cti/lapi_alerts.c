/* lapi_alerts.c -- what machines tell, what becomes of it, and what is asked of it.
 *
 * An alert without decisions is a matter of the profiles; with decisions it is cscli's, and a machine's rights bound them:
 * addresses, and ranges no wider than /24 and /48, for 72 hours, no stricter than the profiles would be, so many a minute. */
#include "base/clock.h"
#include "base/duration.h"
#include "cti/lapi_parts.h"
#include <stdio.h>
#include <stdlib.h>

enum { WIDEST_4 = 96 + 24, WIDEST_6 = 48, RATES_MAX = KEYS_MAX, MINUTE_MS = 60 * 1000 };

struct rate {
	char machine[KEY_NAME_MAX];
	uint64_t minute, n;
};

/* ---- rights ---- */

static struct rate *rate_of(struct lapi *l, struct bytes machine)
{
	if (!l->rates)
		l->rates = calloc(RATES_MAX, sizeof *l->rates);
	for (size_t i = 0; l->rates && i < l->nrates; i++)
		if (bytes_eq(bytes_of(l->rates[i].machine), machine))
			return &l->rates[i];
	if (!l->rates || l->nrates == RATES_MAX)
		return NULL;
	snprintf(l->rates[l->nrates].machine, KEY_NAME_MAX, "%.*s", BYTES_ARG(machine));
	return &l->rates[l->nrates++];
}

static bool is_within_rate(struct call *c, uint64_t now_ms, size_t n)
{
	struct rate *r = rate_of(c->lapi, c->machine);

	if (!r)
		return false;
	if (r->minute != now_ms / MINUTE_MS) {
		r->minute = now_ms / MINUTE_MS;
		r->n = 0;
	}
	r->n += n;
	return r->n <= LAPI_RATE_MAX;
}

static bool is_within_reach(const struct decision *d)
{
	struct ip_net net;

	if ((d->scope != SCOPE_IP && d->scope != SCOPE_RANGE) || !ip_net_parse(d->value, &net))
		return false;
	return net.bits >= (ip_is4(&net.base) ? WIDEST_4 : WIDEST_6);
}

/* NULL: it may. */
static const char *why_not(struct call *c, const struct alert *all, size_t n, uint64_t now_ms)
{
	size_t decisions = 0;

	for (size_t i = 0; i < n; i++) {
		decisions += all[i].ndecisions ? all[i].ndecisions : 1;
		for (size_t k = 0; k < all[i].ndecisions; k++)
			if (!is_within_reach(&all[i].decisions[k]))
				return "a machine may decide about addresses and ranges no wider than /24 and /48";
	}
	return is_within_rate(c, now_ms, decisions) ? NULL : "a machine may make 2000 decisions a minute";
}

/* ---- telling ---- */

/* Who claims to be the gate or a list is but a machine. */
static struct bytes origin_of(struct bytes told)
{
	return bytes_eq(told, BYTES("cscli")) || bytes_eq(told, BYTES("cscli-import")) ? told : BYTES("crowdsec");
}

static void take_decisions(struct call *c, struct alert *a, uint64_t now_ms)
{
	struct decision *all = (struct decision *)(uintptr_t)a->decisions, limit = { .remedy = REMEDY_DENY };
	bool bounded = c->lapi->options.profile && c->lapi->options.profile(c->lapi->options.ctx, a, serve_arena(c->request), &limit);

	for (size_t i = 0; i < a->ndecisions; i++) {
		all[i].id = 0;
		all[i].origin = origin_of(all[i].origin);
		all[i].simulated |= a->simulated;
		if (bounded && all[i].remedy > limit.remedy)
			all[i].remedy = limit.remedy;
		if (all[i].until_ms > now_ms + DECISION_LIFE_MAX_MS)
			all[i].until_ms = now_ms + DECISION_LIFE_MAX_MS;
	}
}

static void ask_profile(struct call *c, struct alert *a, uint64_t now_ms)
{
	struct decision *d = arena_get(serve_arena(c->request), sizeof *d);

	if (!d || !c->lapi->options.profile || !c->lapi->options.profile(c->lapi->options.ctx, a, serve_arena(c->request), d) ||
	    !is_within_reach(d))
		return;
	d->origin = BYTES("crowdsec");
	d->made_ms = now_ms;
	d->simulated |= a->simulated;
	if (!d->reason.len)
		d->reason = a->scenario;
	a->decisions = d;
	a->ndecisions = 1;
}

/* What is not held (spared, guarded, no room) is no decision of the alert. */
static void hold(struct call *c, struct alert *a)
{
	struct decision *all = (struct decision *)(uintptr_t)a->decisions;
	size_t n = 0;

	for (size_t i = 0; i < a->ndecisions; i++)
		if (decisions_add(c->lapi->options.decisions, &all[i]) == DECISION_HELD)
			all[n++] = all[i];
	a->ndecisions = n;
}

static void take_alert(struct call *c, struct alert *a, uint64_t now_ms)
{
	a->machine = c->machine;
	if (a->ndecisions)
		take_decisions(c, a, now_ms);
	else
		ask_profile(c, a, now_ms);
	hold(c, a);
	a->id = alerts_add(c->lapi->options.alerts, a);
	c->lapi->counts.alerts++;
}

void lapi_alerts_post(struct call *c)
{
	struct arena *arena = serve_arena(c->request);
	uint64_t now_ms = clock_wall_ms();
	struct lapi_error why = { 0 };
	struct text t = text_over(arena_raw(arena, LAPI_ALERTS_MAX * 24), LAPI_ALERTS_MAX * 24);
	const char *not_so;
	struct alert *all;
	size_t n = 0;

	all = t.at ? lapi_alerts_read(arena, serve_body(c->request), now_ms, REMEDY_DENY, &n, &why) : NULL;
	not_so = all ? why_not(c, all, n, now_ms) : NULL;
	if (!all || not_so) {
		lapi_message(c, all ? 403 : why.status ? why.status : 500, all ? not_so : why.text);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		take_alert(c, &all[i], now_ms);
		text_printf(&t, "%s\"%llu\"", i ? "," : "[", (unsigned long long)all[i].id);
	}
	text_str(&t, n ? "]" : "[]");
	lapi_answer(c, 201, text_bytes(&t));
}

/* ---- asking ---- */

struct search {
	struct call *call;
	struct text text;
	size_t n;
	bool one; /* by its id */
	bool active;
};

static bool ask_of(struct call *c, struct alerts_ask *ask)
{
	struct bytes ip = lapi_param_of(c, BYTES("ip")), range = lapi_param_of(c, BYTES("range")), word;
	uint64_t n, us;

	*ask = (struct alerts_ask){ .scenario = lapi_param_of(c, BYTES("scenario")), .value = lapi_param_of(c, BYTES("value")) };
	if (ip.len || range.len)
		ask->value = ip.len ? ip : range;
	word = lapi_param_of(c, BYTES("scope"));
	if (word.len) {
		ask->scope = scope_from_word(word);
		ask->has_scope = true;
	}
	ask->active = bytes_eq_nocase(lapi_param_of(c, BYTES("has_active_decision")), BYTES("true"));
	word = lapi_param_of(c, BYTES("limit"));
	if (word.len && !bytes_u64(word, &n))
		return false;
	ask->limit = !word.len ? 0 : n ? (size_t)n : SIZE_MAX; /* 0: all; the store has a bound */
	word = lapi_param_of(c, BYTES("since"));
	if (word.len && !duration_parse(word, &us))
		return false;
	ask->since_ms = word.len ? clock_wall_ms() - us / 1000 : 0;
	return true;
}

/* Its decisions as they are now; of one that was lifted the time is over. */
static size_t decisions_now(const struct search *s, const struct alert *a, struct decision *out, uint64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < a->ndecisions; i++) {
		uint64_t until = lapi_log_until(s->call->lapi->log, &a->decisions[i]);

		if (until <= now_ms && s->active)
			continue;
		out[n] = a->decisions[i];
		if (until || out[n].until_ms > now_ms)
			out[n].until_ms = until ? until : now_ms;
		n++;
	}
	return n;
}

static void found(void *owner, const struct alert *told)
{
	struct search *s = owner;
	struct decision now[ALERT_DECISIONS_MAX];
	struct alert a = *told;
	struct arena *arena = arena_new(4 << 20);
	struct bytes json;

	a.decisions = now;
	a.ndecisions = decisions_now(s, told, now, clock_wall_ms());
	if (s->active && !a.ndecisions) {
		arena_free(arena);
		return;
	}
	json = arena ? lapi_alert(arena, &a, clock_wall_ms()) : (struct bytes){ NULL, 0 };
	if (json.at && json.len + 2 < s->text.cap - s->text.len) {
		text_str(&s->text, s->one ? "" : s->n ? "," : "[");
		text_put(&s->text, json);
		s->n++;
	}
	arena_free(arena);
}

static void found_all(void *owner)
{
	struct search *s = owner;
	struct call *c = s->call;

	if (s->one && !s->n)
		lapi_message(c, 404, "object not found");
	else {
		text_str(&s->text, s->one ? "" : "]");
		lapi_answer(c, 200, s->n ? text_bytes(&s->text) : BYTES("null"));
	}
}

static void search(struct call *c, const struct alerts_ask *ask, bool one)
{
	enum { CAP = 8 << 20 };
	struct arena *arena = serve_arena(c->request);
	struct search *s = arena_get(arena, sizeof *s);
	char *room = s ? arena_raw(arena, CAP) : NULL;

	if (room) {
		*s = (struct search){ .call = c, .text = text_over(room, CAP), .one = one, .active = ask->active };
		if (alerts_find(c->lapi->options.alerts, ask, c->lapi->loop, found, found_all, s))
			return;
	}
	lapi_message(c, 503, "the store has too much to do");
}

void lapi_alerts_get(struct call *c)
{
	struct alerts_ask ask;

	if (ask_of(c, &ask))
		search(c, &ask, false);
	else
		lapi_message(c, 500, "limit and since: a number, and a length of time");
}

void lapi_alert_get(struct call *c)
{
	struct alerts_ask ask = { .limit = 1 };

	if (bytes_u64(c->last, &ask.id) && ask.id)
		search(c, &ask, true);
	else
		lapi_message(c, 400, "alert_id must be valid integer");
}

static void deleted(void *owner, size_t n)
{
	lapi_deleted(owner, n);
}

static void delete(struct call *c, const struct alerts_ask *ask)
{
	if (!alerts_delete(c->lapi->options.alerts, ask, c->lapi->loop, deleted, c))
		lapi_message(c, 503, "the store has too much to do");
}

void lapi_alerts_delete(struct call *c)
{
	struct alerts_ask ask;

	if (ask_of(c, &ask))
		delete(c, &ask);
	else
		lapi_message(c, 500, "limit and since: a number, and a length of time");
}

void lapi_alert_delete(struct call *c)
{
	struct alerts_ask ask = { 0 };

	if (bytes_u64(c->last, &ask.id) && ask.id)
		delete(c, &ask);
	else
		lapi_message(c, 400, "alert_id must be valid integer");
}
