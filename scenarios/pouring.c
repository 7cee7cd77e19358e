/* pouring.c -- an event that a filter took meets its bucket; the bucket overflows. */
#include "scenarios/counters.h"
#include "scenarios/pouring.h"

enum { SOURCES_MAX = 64 };

/* Not exact where two threads count at once: a locked addition for each filter would cost more than the filter. */
void pouring_count(atomic_ullong *n)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

static struct bytes text_of(struct pouring *p, const struct expr *e)
{
	struct expr_run run = world_begin(&p->world);
	struct expr_value v;

	if (!e || !expr_run(e, &run, &v) || v.kind != EXPR_TEXT)
		return (struct bytes){ 0 };
	return v.text;
}

/* What buckets are told apart by. Most name a fact. */
static struct bytes key_text(struct pouring *p, const struct expr *e)
{
	struct bytes real = p->facts->at[FACT_SOURCE_IP], key;
	uint32_t name;

	if (!e)
		return (struct bytes){ 0 };
	if (expr_is_name(e, &name) && name < FACT_COUNT && name != FACT_HAS_OUT_OF_BAND) /* which is no text */
		return name == FACT_SOURCE_IP ? p->moment->counted : p->facts->at[name];
	p->facts->at[FACT_SOURCE_IP] = p->moment->counted;
	key = text_of(p, e);
	p->facts->at[FACT_SOURCE_IP] = real;
	return key;
}

/* Many scenarios tell by the same fact: the same bytes in the same place, which stay while the event is asked. */
static struct hash128 hash_of(const struct pouring *p, struct bytes text)
{
	struct moment *m = p->moment;
	unsigned i = 0;

	while (i < m->nhashed && (m->hashed[i].text.at != text.at || m->hashed[i].text.len != text.len))
		i++;
	if (i == nelems(m->hashed))
		return hash128(p->o->set->key, text);
	if (i == m->nhashed) {
		m->hashed[i].text = text;
		m->hashed[i].hash = hash128(p->o->set->key, text);
		m->nhashed++;
	}
	return m->hashed[i].hash;
}

static uint64_t bucket_of(struct pouring *p)
{
	struct hash128 source = hash_of(p, p->moment->counted);

	return scenario_bucket(p->s, hash_of(p, key_text(p, p->s->groupby)), source);
}

static bool is_true(struct pouring *p, const struct expr *e)
{
	struct expr_run run = world_begin(&p->world);

	return expr_true(e, &run);
}

/* ---- conditions over what is in the bucket ---- */

static void look_into(struct pouring *p, const struct bucket_events *e)
{
	p->world.count = e->count;
	p->world.kept = e->kept;
	p->world.nkept = e->nkept;
	p->world.queue = NULL;
}

/* Bayes' rule, from the prior at each event, over all conditions (CrowdSec: pkg/leakybucket/bayesian.go). */
static bool is_likely(struct pouring *p, uint32_t *latch)
{
	double belief = p->s->prior;

	for (size_t i = 0; i < p->s->nbayes; i++) {
		const struct bayes_condition *c = &p->s->bayes[i];
		bool holds = (*latch >> i & 1) || is_true(p, c->condition);
		double evil = holds ? c->if_evil : 1 - c->if_evil, benign = holds ? c->if_benign : 1 - c->if_benign;
		double both = evil * belief + benign * (1 - belief);

		if (holds && c->guillotine)
			*latch |= 1u << i;
		belief = both > 0 ? evil * belief / both : belief;
	}
	return belief > p->s->threshold;
}

bool pouring_judge(void *ctx, const struct bucket_events *e, uint32_t *latch)
{
	struct pouring *p = ctx;
	bool is_over;

	look_into(p, e);
	is_over = p->s->kind.type == BUCKET_BAYESIAN ? is_likely(p, latch) : is_true(p, p->s->condition);
	look_into(p, &(struct bucket_events){ .count = e->count }); /* what is kept is the bucket's: it goes with the lock */
	return is_over;
}

bool pouring_allow(void *ctx, const struct bucket_events *e)
{
	struct pouring *p = ctx;

	look_into(p, e);
	return is_true(p, p->s->overflow_filter);
}

/* ---- overflow ---- */

static size_t distinct_sources(const struct facts *events, size_t n, struct bytes *out)
{
	size_t found = 0;

	for (size_t i = 0; i < n && found < SOURCES_MAX; i++) {
		struct bytes ip = events[i].at[FACT_SOURCE_IP];
		size_t k = 0;

		while (k < found && !bytes_eq(out[k], ip))
			k++;
		if (k == found && ip.len)
			out[found++] = ip;
	}
	return found;
}

static struct bytes scope_value(struct pouring *p)
{
	if (p->s->scope_value)
		return text_of(p, p->s->scope_value);
	return p->facts->at[p->s->scope == SCOPE_RANGE ? FACT_SOURCE_RANGE : FACT_SOURCE_IP];
}

/* Another thread's first event may be the later one, and what another gate told may have no time. */
static uint64_t begun_ms(const struct facts *last, uint64_t first_us)
{
	uint64_t took_ms = last->at_us > first_us ? (last->at_us - first_us) / 1000 : 0;

	return last->wall_ms > took_ms ? last->wall_ms - took_ms : 0;
}

void pouring_tell(struct pouring *p, const struct bucket_events *e, unsigned depth)
{
	struct arena *a = p->o->arena;
	struct facts *events = arena_get(a, (e->nkept + 1) * sizeof *events);
	struct bytes *sources = arena_get(a, SOURCES_MAX * sizeof *sources);
	struct overflow over = {
		.scenario = &p->s->info, .number = p->number, .scope = p->s->scope, .scope_name = p->s->scope_name,
		.value = scope_value(p), .sources = sources, .count = e->count, .last_ms = p->facts->wall_ms,
		.event = p->facts, .events = events,
	};

	if (!events || !sources)
		return;
	over.first_ms = begun_ms(p->facts, e->first_us);
	for (size_t i = 0; i < e->nkept; i++)
		evidence_unpack(a, e->kept[i], &events[over.nevents++]);
	if (!e->nkept)
		events[over.nevents++] = *p->facts;
	over.nsources = distinct_sources(events, over.nevents, sources);
	p->o->over(p->o->ctx, &over);
	if (p->s->reprocess)
		observe_overflow(p, &over, depth);
}

/* ---- pouring ---- */

/* Its expressions may read what is in the bucket. */
static bool asks_queue(const struct scenario *s)
{
	return s->condition || s->overflow_filter || s->nbayes;
}

void pouring_done(struct pouring *p, const struct pour *pour, enum poured how, const struct bucket_events *out, unsigned depth)
{
	struct scenario *s = p->s;

	switch (how) {
	case POURED:
		pouring_count(&s->poured);
		if (s->kind.type == BUCKET_COUNTER && out->count == 1)
			counters_expect(buckets_counters(p->o->buckets),
					&(struct counter_due){ pour->now_us + s->kind.life_us / 2, pour->key, s->key.a });
		break;
	case POURED_SEEN:
	case POURED_CANCELED: break;
	case POURED_OVER:
		atomic_fetch_add_explicit(&s->overflowed, 1, memory_order_relaxed);
		pouring_tell(p, out, depth);
		break;
	case POURED_SILENT: atomic_fetch_add_explicit(&s->silent, 1, memory_order_relaxed); break;
	}
}

static struct bytes packed(struct pouring *p)
{
	struct moment *m = p->moment;
	bool all = p->o->set->keep_all || asks_queue(p->s), is_common = p->facts == m->facts;
	struct bytes b;

	if (is_common && m->packed[all].len)
		return m->packed[all];
	b = evidence_pack(all, p->facts, m->room[all], sizeof m->room[all]);
	m->packed[all] = is_common ? b : (struct bytes){ 0 };
	return b;
}

void pouring_pour(struct pouring *p, unsigned depth)
{
	struct scenario *s = p->s;
	struct bucket_events out;
	enum poured how;
	struct pour pour = {
		.key = bucket_of(p),
		.kind = &s->kind,
		.now_us = p->facts->at_us,
		.is_distinct = s->distinct && s->kind.type != BUCKET_TRIGGER,
		.cancel = s->cancel_on && s->kind.type != BUCKET_TRIGGER && is_true(p, s->cancel_on),
		.judge = s->condition || s->nbayes ? pouring_judge : NULL,
		.allow = s->overflow_filter ? pouring_allow : NULL,
		.ctx = p,
		.arena = p->o->arena,
	};

	if (pour.is_distinct)
		pour.value = hash_of(p, key_text(p, s->distinct)).a;
	if (s->kind.keep)
		pour.event = packed(p);
	how = bucket_pour(p->o->buckets, &pour, &out);
	if (s->cluster && p->o->poured)
		cluster_tell(p, &pour, how);
	pouring_done(p, &pour, how, &out, depth);
}
