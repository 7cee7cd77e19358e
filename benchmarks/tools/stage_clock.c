/* stage_clock.c -- the probes, and what they themselves cost. */
#include "tools/stage_clock.h"
#include "rules/facts.h"
#include "rules/memo.h"
#include "rules/run.h"
#include "rules/scan.h"
#include <stdlib.h>
#include <time.h>

struct stage_clock stage_clock;

const char *const stage_names[STAGE_COUNT] = {
	[STAGE_REST] = "rest", [STAGE_HEAD] = "values of the head", [STAGE_BODY] = "values of the body",
	[STAGE_MEMO] = "memo", [STAGE_TRANSFORM] = "transformations", [STAGE_JOIN] = "joining",
	[STAGE_SCAN] = "scan", [STAGE_GATES] = "gates asked", [STAGE_RULES] = "rules", [STAGE_ANSWER] = "answer",
};

static double tick_ns, own_ticks, parents_ticks; /* of one probe: what it adds to its stage and to the one around */

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The processor's counter where there is one: a third of what clock_gettime() costs. */
static inline uint64_t ticks_now(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return monotonic_ns();
#endif
}

/* ---- stages ---- */

/* Phases 3 and 4 use the same functions: they stay one figure. */
static enum stage inside(enum stage s)
{
	return stage_clock.now == STAGE_ANSWER ? STAGE_ANSWER : s;
}

static void tick(enum stage from)
{
	uint64_t now;

	if (stage_clock.probing != PROBE_STAGES)
		return;
	now = ticks_now();
	stage_clock.ticks[from] += now - stage_clock.since;
	stage_clock.since = now;
}

enum stage stage_enter(enum stage s)
{
	struct stage_clock *c = &stage_clock;
	enum stage back = c->now;

	c->now = inside(s);
	c->inner[back]++;
	c->entered[c->now]++;
	tick(back);
	return back;
}

void stage_leave(enum stage back)
{
	tick(stage_clock.now);
	stage_clock.now = back;
}

void stage_clear(void)
{
	struct stage_clock *c = &stage_clock;

	*c = (struct stage_clock){ .probing = c->probing, .forget = c->forget, .asked = c->asked, .nasked = c->nasked };
	for (size_t i = 0; i < c->nasked; i++)
		c->asked[i].as_gate = c->asked[i].in_rules = c->asked[i].ticks = 0;
	c->since = ticks_now();
}

void stage_end(double cpu_ns)
{
	struct stage_clock *c = &stage_clock;
	uint64_t all = 0;

	tick(c->now);
	for (enum stage s = 0; s < STAGE_COUNT; s++)
		all += c->ticks[s];
	c->cpu_share = all ? cpu_ns / stage_ns(all) : 1;
	c->probing = PROBE_NOTHING;
}

double stage_ns(uint64_t ticks)
{
	return (double)ticks * tick_ns;
}

double stage_took_ns(enum stage s)
{
	const struct stage_clock *c = &stage_clock;
	double probes = (double)c->entered[s] * own_ticks + (double)c->inner[s] * parents_ticks;

	return ((double)c->ticks[s] * c->cpu_share - probes) * tick_ns;
}

/* The least of many short rounds: in a long one others get their turn. */
static void calibrate_probe(void)
{
	enum { ROUNDS = 200, PROBES = 2000 };

	for (int round = 0; round < ROUNDS; round++) {
		double own, parents;

		stage_clear();
		for (int i = 0; i < PROBES; i++)
			stage_leave(stage_enter(STAGE_MEMO));
		own = (double)stage_clock.ticks[STAGE_MEMO] / PROBES;
		parents = (double)stage_clock.ticks[STAGE_REST] / PROBES;
		own_ticks = round && own_ticks < own ? own_ticks : own;
		parents_ticks = round && parents_ticks < parents ? parents_ticks : parents;
	}
}

void stage_calibrate(void)
{
	uint64_t ns = monotonic_ns(), ticks = ticks_now();

	stage_clock.probing = PROBE_STAGES;
	calibrate_probe();
	stage_clock.probing = PROBE_NOTHING;
	while (monotonic_ns() - ns < 50000000)
		;
	tick_ns = (double)(monotonic_ns() - ns) / (double)(ticks_now() - ticks);
}

/* ---- conditions ---- */

static int by_address(const void *a, const void *b)
{
	const struct condition *x = ((const struct asked *)a)->condition, *y = ((const struct asked *)b)->condition;

	return x < y ? -1 : x > y;
}

bool stage_know(const struct ruleset *rs)
{
	struct stage_clock *c = &stage_clock;
	size_t n = 0;

	for (size_t i = 0; i < rs->ir->ngroups; i++)
		n += rs->ir->groups[i].n;
	c->asked = calloc(n + 1, sizeof *c->asked);
	for (size_t i = 0; c->asked && i < rs->ir->ngroups; i++)
		for (size_t k = 0; k < rs->ir->groups[i].n; k++)
			c->asked[c->nasked++] = (struct asked){ .condition = &rs->ir->groups[i].at[k],
								.rule = &rs->ir->rules[rs->ir->groups[i].rule].info };
	if (c->asked)
		qsort(c->asked, c->nasked, sizeof *c->asked, by_address);
	return c->asked != NULL;
}

static void count(const struct condition *c, uint64_t ticks)
{
	struct asked key = { .condition = c };
	struct asked *at = bsearch(&key, stage_clock.asked, stage_clock.nasked, sizeof key, by_address);

	if (!at)
		return;
	at->ticks += ticks;
	*(stage_clock.now == STAGE_RULES ? &at->in_rules : &at->as_gate) += 1;
}

/* ---- the probes ---- */

static bool probed_scan(const struct matcher *m, struct matcher_scratch *s, struct bytes text, matcher_hit *hit, void *ctx)
{
	enum stage back = stage_enter(STAGE_SCAN);
	bool ok = matcher_hs.scan(m, s, text, hit, ctx);

	stage_leave(back);
	return ok;
}

static struct matcher *compile(const struct pattern *p, size_t n, const char *cache_dir, struct err *e)
{
	return matcher_hs.compile(p, n, cache_dir, e);
}

static void release(struct matcher *m)
{
	matcher_hs.free(m);
}

const struct matcher_kind stage_matcher = { "hs, probed", compile, probed_scan, release };

bool __real_values_head(struct values *, const struct request *);
bool __wrap_values_head(struct values *, const struct request *);
bool __wrap_values_head(struct values *v, const struct request *r)
{
	enum stage back = stage_enter(STAGE_HEAD);
	bool ok = __real_values_head(v, r);

	stage_leave(back);
	return ok;
}

void __real_facts_add(struct inspection *, enum zone);
void __wrap_facts_add(struct inspection *, enum zone);
void __wrap_facts_add(struct inspection *in, enum zone z)
{
	enum stage back = stage_enter(STAGE_HEAD);

	__real_facts_add(in, z);
	stage_leave(back);
}

struct hash128 __real_memo_key(const struct memo *, struct hash128, struct bytes);
struct hash128 __wrap_memo_key(const struct memo *, struct hash128, struct bytes);
struct hash128 __wrap_memo_key(const struct memo *m, struct hash128 salt, struct bytes value)
{
	enum stage back = stage_enter(STAGE_MEMO);
	struct hash128 key = __real_memo_key(m, salt, value);

	stage_leave(back);
	return key;
}

bool __real_memo_has(const struct memo *, struct hash128);
bool __wrap_memo_has(const struct memo *, struct hash128);
bool __wrap_memo_has(const struct memo *m, struct hash128 key)
{
	enum stage back = stage_enter(STAGE_MEMO);
	bool knew = __real_memo_has(m, key) && !stage_clock.forget;

	stage_clock.memo_asked++;
	stage_clock.memo_knew += knew;
	stage_leave(back);
	return knew;
}

void __real_memo_add(struct memo *, struct hash128);
void __wrap_memo_add(struct memo *, struct hash128);
void __wrap_memo_add(struct memo *m, struct hash128 key)
{
	enum stage back = stage_enter(STAGE_MEMO);

	__real_memo_add(m, key);
	stage_leave(back);
}

struct bytes __real_value_after(struct values *, struct value *, uint16_t);
struct bytes __wrap_value_after(struct values *, struct value *, uint16_t);
struct bytes __wrap_value_after(struct values *v, struct value *value, uint16_t node)
{
	enum stage back = stage_enter(STAGE_TRANSFORM);
	struct bytes text = __real_value_after(v, value, node);

	stage_leave(back);
	return text;
}

bool __real_scan_new_values(struct rules_scratch *, const struct ruleset *, struct values *, enum direction, uint64_t *);
bool __wrap_scan_new_values(struct rules_scratch *, const struct ruleset *, struct values *, enum direction, uint64_t *);
bool __wrap_scan_new_values(struct rules_scratch *s, const struct ruleset *rs, struct values *v, enum direction d,
			    uint64_t *groups)
{
	enum stage back = stage_enter(STAGE_JOIN);
	bool ok = __real_scan_new_values(s, rs, v, d, groups);

	stage_leave(back);
	return ok;
}

bool __real_condition_test(struct values *, const struct condition *, const struct operand *, struct value *, struct match *);
bool __wrap_condition_test(struct values *, const struct condition *, const struct operand *, struct value *, struct match *);
bool __wrap_condition_test(struct values *v, const struct condition *c, const struct operand *o, struct value *value,
			   struct match *m)
{
	enum stage back = stage_clock.now;
	uint64_t from = stage_clock.probing == PROBE_CONDITIONS ? ticks_now() : 0;
	bool holds;

	if (back != STAGE_RULES)
		stage_enter(STAGE_GATES);
	holds = __real_condition_test(v, c, o, value, m);
	if (stage_clock.probing == PROBE_CONDITIONS)
		count(c, ticks_now() - from);
	if (back != STAGE_RULES)
		stage_leave(back);
	return holds;
}

void __real_run_phase(struct run *, enum phase);
void __wrap_run_phase(struct run *, enum phase);
void __wrap_run_phase(struct run *r, enum phase p)
{
	enum stage back = stage_enter(STAGE_RULES);

	__real_run_phase(r, p);
	stage_leave(back);
}
