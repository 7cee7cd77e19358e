/* behaviour.c -- when an exchange is observed, and what its overflows mean. */
#include "base/clock.h"
#include "proxy/behaviour.h"
#include "proxy/bots.h"
#include "proxy/challenge.h"
#include "proxy/client.h"
#include "proxy/reputation.h"
#include "proxy/worker.h"

enum {
	OVERFLOWS = 8,      /* of an exchange that are told */
	OVERFLOW_SEEN = 10, /* events of each */
	SEEN_TEXT = 256,    /* bytes of a text of one */
};

/* ---- overflows ---- */

/* Where an overflow happened: in an exchange, or, where a counter ended, in none. */
struct place {
	struct exchange *x;
	struct shared *shared;
	const struct site *site;
	struct arena *arena;
};

static unsigned past(void *ctx, enum scope scope, struct bytes value)
{
	return decisions_past(((const struct place *)ctx)->shared->decisions, scope, value, clock_wall_ms());
}

static bool bit_of(const uint64_t *bits, size_t i)
{
	return bits && bits[i / 64] >> (i % 64) & 1;
}

static bool is_simulated(const struct place *p, const struct overflow *o)
{
	return bit_of(p->site->scenarios_simulated, o->number) ||
	       (p->x && (p->x->app->config->watch.mode == WATCH_SIMULATE || app_mode(p->x->app) == WAF_DETECT));
}

/* Clients bring such lines about: there is one a second at most. */
static bool may_tell(void)
{
	static atomic_ullong told_s;
	unsigned long long now_s = clock_mono_us() / 1000000, before = atomic_load_explicit(&told_s, memory_order_relaxed);

	return before != now_s && atomic_compare_exchange_strong(&told_s, &before, now_s);
}

/* False: nothing is ever held against that one. */
static bool hold_against(const struct place *p, struct decision *d)
{
	static const char *const trouble[] = { [DECISION_FULL] = "the table is full", [DECISION_WRONG] = "no such value" };
	enum decisions_added added = decisions_add(p->shared->decisions, d);

	if ((added == DECISION_FULL || added == DECISION_WRONG) && may_tell())
		log_warn("decisions: %s: %s of %s %.*s, for %.*s", trouble[added], remedy_word(d->remedy), scope_word(d->scope),
			 BYTES_ARG(d->value), BYTES_ARG(d->reason));
	return added != DECISION_SPARED;
}

/* What came from many addresses together is held against each of them, as CrowdSec's alerts are. Returns how many those are;
 * `all` has the first of them. */
static size_t hold_against_others(const struct place *p, const struct overflow *o, struct decision *all, size_t max)
{
	size_t n = 1;

	for (size_t i = 0; o->scope == SCOPE_IP && i < o->nsources; i++)
		if (!bytes_eq(o->sources[i], all[0].value)) {
			struct decision other = all[0];

			other.value = o->sources[i];
			if (hold_against(p, &other) && n < max)
				all[n++] = other;
		}
	return n;
}

/* A page of someone else's can have a visitor's browser ask for anything. Browsers say so, and send no pass with it but where
 * it is a link that is followed; a program that says so is challenged too, and denied once it uses the pass. */
static bool is_led_here(struct exchange *x)
{
	const struct field *site = fields_named(&x->request.fields, BYTES("Sec-Fetch-Site"));

	return site && bytes_eq(site->value, BYTES("cross-site")) && !challenge_pass(x)->level;
}

static struct bytes copied(struct arena *a, struct bytes b)
{
	return arena_copy(a, bytes_sub(b, 0, SEEN_TEXT));
}

/* The newest of its events, for whoever asks why; the overflow itself lives no longer than it is told. */
static const struct event_seen *seen_of(struct arena *a, const struct overflow *o, size_t *n)
{
	size_t first = o->nevents > OVERFLOW_SEEN ? o->nevents - OVERFLOW_SEEN : 0;
	struct event_seen *seen = arena_get(a, OVERFLOW_SEEN * sizeof *seen);

	for (*n = 0; seen && first + *n < o->nevents; ++*n) {
		const struct facts *f = &o->events[first + *n];

		seen[*n] = (struct event_seen){ f->wall_ms, copied(a, f->at[FACT_VERB]), copied(a, f->at[FACT_HTTP_PATH]),
						copied(a, f->at[FACT_STATUS]) };
	}
	return seen;
}

/* That is told whatever comes of it. */
static void note_overflow(struct exchange *x, const struct overflow *o, const struct decision *d)
{
	struct event_overflow *grown, *to;

	exchange_rule(x, REMEDY_LOG, SOURCE_SCENARIO, 0, o->scenario->name);
	if (x->noverflows == OVERFLOWS ||
	    !(grown = arena_grow(x->arena, x->overflows, &x->overflows_room, x->noverflows + 1, sizeof *grown)))
		return;
	x->overflows = grown;
	to = &grown[x->noverflows++];
	*to = (struct event_overflow){
		.scenario = o->scenario->name, .count = o->count, .value = copied(x->arena, o->value),
		.scope = o->scope == SCOPE_OTHER ? o->scope_name : bytes_of(scope_word(o->scope)),
	};
	if (d) {
		to->remedy = d->remedy;
		to->until_ms = d->until_ms;
		to->simulated = d->simulated;
	}
	to->seen = seen_of(x->arena, o, &to->nseen);
}

/* What a log told, or the end of a count, has no alert of its own. */
static void say_overflow(const struct overflow *o, const struct decision *d)
{
	log_info("%.*s: %u event(s): %s of %s %.*s%s", BYTES_ARG(o->scenario->name), o->count, remedy_word(d->remedy),
		 scope_word(d->scope), BYTES_ARG(d->value), d->simulated ? " (simulated)" : "");
}

/* Of whom others say no good either, one event of our own is enough. */
static bool is_known_of(const struct place *p)
{
	return p->x && p->x->hearsay;
}

static void weigh(const struct place *p, const struct overflow *o, struct decision *d)
{
	if (is_known_of(p) && d->remedy > REMEDY_LOG)
		d->remedy = REMEDY_DENY;
	if (p->x && d->remedy > REMEDY_CAPTCHA && is_led_here(p->x))
		d->remedy = REMEDY_CHALLENGE;
	d->simulated |= is_simulated(p, o) || (p->x && p->x->allowed);
}

static void on_overflow(void *ctx, const struct overflow *o)
{
	enum { TOLD = 32 };
	struct place *p = ctx;
	struct profiles_ask ask = { .overflow = o, .app = o->event->at[FACT_APP], .past = past, .ctx = p, .arena = p->arena };
	struct decision all[TOLD], *d = &all[0];
	size_t n;

	if (!profiles_decide(p->site->profiles, &ask, d)) {
		reputation_alert(p->shared->reputation, o, NULL, 0);
		if (p->x)
			note_overflow(p->x, o, NULL);
		return;
	}
	weigh(p, o, d);
	if (!hold_against(p, d))
		d->simulated = true;
	n = hold_against_others(p, o, all, TOLD);
	reputation_alert(p->shared->reputation, o, all, n);
	if (p->x)
		note_overflow(p->x, o, d);
	else
		say_overflow(o, d);
	if (p->x && (d->simulated || p->x->behaviour->over))
		exchange_simulate(p->x, d->remedy, o->scenario->name);
	else if (p->x)
		exchange_decide(p->x, d, SOURCE_SCENARIO);
}

static void on_poured(void *ctx, struct bytes message)
{
	reputation_tell_bucket(((const struct place *)ctx)->shared->reputation, message);
}

/* The one way in which scenarios are asked. */
static struct observe observe_of(struct place *p, struct observer *observer)
{
	struct reputation *r = p->shared->reputation;

	return (struct observe){ .set = p->site->scenarios, .buckets = p->shared->buckets, .observer = observer, .arena = p->arena,
				 .over = on_overflow, .poured = r->share ? on_poured : NULL, .node = reputation_node(r), .ctx = p };
}

static void observe(struct exchange *x, enum observe_point point)
{
	struct behaviour *b = x->behaviour;
	struct place place = { x, x->worker->shared, x->use->site, x->arena };
	struct observe o = observe_of(&place, x->worker->observer);

	o.marks = &b->marks;
	o.off = bots_scenarios_off(x);
	scenarios_observe(&o, &b->facts, point);
}

/* ---- the rows ---- */

static void heed_one(struct exchange *x, const struct decision *d)
{
	struct decision *kept;

	if (d->remedy == REMEDY_ALLOW)
		x->allowed = true;
	if (x->allowed)
		return;
	x->hearsay |= d->hearsay;
	if ((!x->held || d->remedy > x->held->remedy) && (kept = arena_get(x->arena, sizeof *kept))) {
		*kept = *d;
		x->held = kept;
	}
	exchange_decide(x, d, bytes_eq(d->origin, BYTES("embergate")) ? SOURCE_SCENARIO : SOURCE_CTI);
}

static void heed(struct exchange *x, const struct decisions_ask *ask)
{
	struct decision d;

	if (!x->allowed && decisions_find(x->worker->shared->decisions, ask, worker_wall_ms(x->worker), x->arena, &d))
		heed_one(x, &d);
}

/* What holds against the client: decisions and lists together, since an entry that allows in either outranks both. */
static void heed_client(struct exchange *x)
{
	struct shared *shared = x->worker->shared;
	struct decisions_ask ask = { .client = &x->request.client, .country = x->country, .as = x->as };
	uint64_t now_ms = worker_wall_ms(x->worker);
	struct decision decided, listed;
	bool is_decided = decisions_find(shared->decisions, &ask, now_ms, x->arena, &decided);
	bool is_listed = lists_find(shared->reputation->lists, &x->request.client, now_ms, x->arena, &listed);

	x->allowed = (is_decided && decided.remedy == REMEDY_ALLOW) || (is_listed && listed.remedy == REMEDY_ALLOW);
	if (is_decided)
		heed_one(x, &decided);
	if (is_listed)
		heed_one(x, &listed);
}

static struct bytes as_text(struct arena *a, uint32_t as)
{
	return as ? fact_number(a, as) : (struct bytes){ 0 };
}

static void locate(struct exchange *x)
{
	struct geo_found found;

	if (!geo_find(x->use->site->geo, &x->request.client, &found))
		return;
	x->country = arena_copy(x->arena, bytes_of(found.country));
	x->as_name = arena_copy(x->arena, bytes_of(found.as_name));
	x->as = as_text(x->arena, found.as);
}

/* Whoever is denied is not worth more than the answer. */
enum flow stage_reputation(struct exchange *x)
{
	if (!x->app)
		return GO;
	guard_note(x->worker->shared->reputation->guard, &x->request.client, loop_now_ms(x->worker->loop));
	locate(x);
	heed_client(x);
	return x->ruling.act == REMEDY_DENY && x->ruling.source != SOURCE_PROTOCOL ? answer_ruling(x) : GO;
}

enum flow stage_observe_head(struct exchange *x)
{
	if (!x->app || x->app->config->watch.mode == WATCH_OFF || exchange_stopped(x) || !scenarios_count(x->use->site->scenarios))
		return GO;
	if (!(x->behaviour = arena_get(x->arena, sizeof *x->behaviour)))
		return answer(x, 503, (struct bytes){ 0 });
	login_expect(x, &x->behaviour->login);
	behaviour_gather(x, x->behaviour);
	heed(x, &(struct decisions_ask){ .session = x->behaviour->facts.at[FACT_SESSION] });
	if (!exchange_stopped(x))
		observe(x, AT_HEAD);
	return GO;
}

enum flow stage_observe_body(struct exchange *x)
{
	struct behaviour *b = x->behaviour;

	if (!b || exchange_stopped(x))
		return GO;
	login_read(x, &b->login);
	if (b->login.known) {
		b->facts.at[FACT_USER] = b->login.user;
		heed(x, &(struct decisions_ask){ .user = b->login.user });
	}
	if (!exchange_stopped(x))
		observe(x, AT_BODY);
	return GO;
}

/* ---- the answer ---- */

static void login_went(struct behaviour *b, enum login_outcome how)
{
	if (how == LOGIN_UNKNOWN)
		return;
	b->facts.at[FACT_LOGIN] = how == LOGIN_FAILED ? BYTES("failure") : BYTES("success");
	b->facts.at[FACT_USER] = b->login.user; /* the very answer may have made the route known */
	if (how == LOGIN_FAILED)
		b->facts.at[FACT_SUB_TYPE] = BYTES("auth_fail");
}

/* A 401 is part of how NTLM and Digest shake hands, and of how a bearer's token is renewed: a guess is only in Basic. */
static bool has_password(const struct request *r)
{
	return bytes_starts_nocase(fields_value(&r->fields, FIELD_AUTHORIZATION), BYTES("Basic "));
}

static void answer_facts(struct exchange *x, unsigned status)
{
	struct facts *f = &x->behaviour->facts;

	facts_status(f, x->arena, status);
	f->at[FACT_ANSWER_MS] = fact_number(x->arena, (clock_mono_us() - x->started_us) / 1000);
	f->at[FACT_REQUEST_BYTES] = fact_number(x->arena, x->up.decoder.total);
}

void behaviour_answer(struct exchange *x)
{
	struct behaviour *b = x->behaviour;
	const struct response *r = &x->down.head;
	enum login_outcome how;

	if (!b || b->answered || exchange_stopped(x))
		return;
	b->answered = true;
	answer_facts(x, r->status);
	if (r->status == 401 && has_password(&x->request))
		b->facts.at[FACT_SUB_TYPE] = BYTES("auth_fail");
	how = login_answered(x, &b->login);
	if (how == LOGIN_BY_MARKER)
		return;
	login_went(b, how);
	observe(x, AT_ANSWER);
}

void behaviour_answer_bytes(struct exchange *x, struct bytes b)
{
	if (x->behaviour && x->behaviour->login.search)
		login_search_take(x->behaviour->login.search, b);
}

/* What rules stopped is an event of its own, by the names of CrowdSec's AppSec. */
static void observe_block(struct exchange *x)
{
	struct behaviour *b = x->behaviour;
	const struct verdict *v = x->inspection ? inspection_verdict(x->inspection) : NULL;
	struct behaviour own = *b;
	struct bytes id;
	char room[128];
	struct text t = text_over(room, sizeof room);
	uint64_t digits;

	if (x->ruling.source != SOURCE_RULE || x->ruling.would != REMEDY_DENY || !v || !v->nhits)
		return;
	id = bytes_of(v->hits[0].rule->id);
	if (bytes_u64(id, &digits)) {
		text_str(&t, "native_rule:");
		text_put(&t, id);
		id = arena_copy(x->arena, text_bytes(&t));
	}
	own.marks = NULL;
	own.facts.at[FACT_LOG_TYPE] = BYTES("appsec-block");
	own.facts.at[FACT_ORIGIN] = BYTES("crowdsec-appsec");
	own.facts.at[FACT_RULE_NAME] = own.facts.at[FACT_APPSEC_NAME] = id;
	own.facts.at[FACT_ACTION] = BYTES("deny");
	x->behaviour = &own;
	for (int point = AT_HEAD; point < OBSERVE_POINTS; point++)
		observe(x, (enum observe_point)point);
	x->behaviour = b;
}

/* It did not wait for the answer to what a server was asked: nginx's logs call that 499. */
static bool has_gone(const struct exchange *x)
{
	return !x->behaviour->answered && x->up.begun && x->status == 0 && !exchange_stopped(x);
}

void behaviour_end(struct exchange *x)
{
	struct behaviour *b = x->behaviour;

	if (!b)
		return;
	b->facts.at_us = clock_mono_us();
	b->over = true;
	observe_block(x);
	if (x->answered_here || (!b->answered && !has_gone(x)))
		return;
	if (b->login.search)
		login_went(b, login_page(x, &b->login, x->down.done && !x->down.truncated));
	else if (!b->answered)
		answer_facts(x, 499);
	if (b->login.search || !b->answered)
		observe(x, AT_ANSWER);
	b->facts.at[FACT_BODY_BYTES] = fact_number(x->arena, x->response_bytes);
	observe(x, AT_END);
}

/* ---- without an exchange ---- */

enum { TICK_BYTES = 16 << 20 };

/* A log's time by the clock of the buckets; one from before this machine was started is its beginning. */
static uint64_t mono_of(uint64_t unix_us)
{
	uint64_t behind = clock_wall_ms() * 1000 - clock_mono_us();

	return unix_us > behind ? unix_us - behind : 0;
}

static void locate_event(const struct site *site, struct arena *a, struct facts *f)
{
	struct geo_found found;
	struct ip ip;

	if (!ip_parse(f->at[FACT_SOURCE_IP], &ip) || !geo_find(site->geo, &ip, &found))
		return;
	f->at[FACT_COUNTRY] = arena_copy(a, bytes_of(found.country));
	f->at[FACT_AS_NUMBER] = as_text(a, found.as);
	f->at[FACT_AS_NAME] = arena_copy(a, bytes_of(found.as_name));
}

void behaviour_log_event(struct shared *shared, const struct site *site, struct observer *observer, struct facts *f)
{
	struct place place = { .shared = shared, .site = site, .arena = arena_new(TICK_BYTES) };
	struct observe o = observe_of(&place, observer);

	f->at_us = mono_of(f->at_us);
	if (place.arena) {
		locate_event(site, place.arena, f);
		scenarios_observe_whole(&o, f);
	}
	arena_free(place.arena);
}

void behaviour_tick(struct shared *shared, const struct site *site, struct observer *observer)
{
	struct place place = { .shared = shared, .site = site, .arena = arena_new(TICK_BYTES) };
	void *marks = NULL;
	struct observe o = observe_of(&place, observer);

	o.marks = &marks;
	if (place.arena)
		scenarios_tick(&o, clock_mono_us(), clock_wall_ms());
	arena_free(place.arena);
	buckets_sweep(shared->buckets, clock_mono_us());
	decisions_sweep(shared->decisions, clock_wall_ms());
}

void behaviour_heard(struct shared *shared, const struct site *site, struct observer *observer, struct bytes message)
{
	struct place place = { .shared = shared, .site = site, .arena = arena_new(TICK_BYTES) };
	struct observe o = observe_of(&place, observer);

	if (place.arena)
		scenarios_heard(&o, message, clock_mono_us());
	arena_free(place.arena);
}

/* An agent's alert is weighed as an overflow of a scenario of that name would be. */
bool behaviour_profile(struct shared *shared, const struct site *site, const struct alert *a, struct arena *arena, struct decision *d)
{
	struct place place = { .shared = shared, .site = site, .arena = arena };
	struct scenario_info info = { .name = a->scenario, .remediation = true, .simulated = a->simulated };
	struct facts event = { .wall_ms = a->made_ms };
	struct overflow o = { .scenario = &info, .scope = a->scope, .scope_name = bytes_of(scope_word(a->scope)), .value = a->value,
			      .count = a->events, .first_ms = a->first_ms, .last_ms = a->last_ms, .event = &event };
	struct profiles_ask ask = { .overflow = &o, .past = past, .ctx = &place, .arena = arena };

	event.at[FACT_SOURCE_IP] = a->scope == SCOPE_IP ? a->value : (struct bytes){ 0 };
	return profiles_decide(site->profiles, &ask, d);
}

static size_t add_nets(struct ip_net *to, size_t n, size_t max, const struct nets *from)
{
	for (size_t i = 0; i < from->n && n < max; i++)
		to[n++] = from->at[i];
	return n;
}

void behaviour_spare(struct shared *shared, const struct site *site)
{
	enum { MAX = 256 };
	const struct config *c = site->config;
	struct ip_net nets[MAX];
	size_t n = add_nets(nets, 0, MAX, &c->client_ip.trust);

	for (size_t i = 0; i < c->nlistens; i++)
		n = add_nets(nets, n, MAX, &c->listens[i].from);
	for (size_t i = 0; i < c->napps; i++) {
		n = add_nets(nets, n, MAX, &c->apps[i].client_ip.trust);
		for (size_t k = 0; k < c->apps[i].nlistens; k++)
			n = add_nets(nets, n, MAX, &c->apps[i].listens[k].from);
	}
	decisions_spare(shared->decisions, nets, n);
}
