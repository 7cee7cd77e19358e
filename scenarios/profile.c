/* profile.c -- what an overflow is worth. */
#include "base/expr.h"
#include "scenarios/profile.h"

enum { PROFILES_BYTES = 4 << 20, PROFILES_MAX = 256 };
#define HOURS(n) ((uint64_t)(n) * 3600 * 1000)

struct profile {
	const struct profile_text *text;
	struct expr *when;
};

struct profiles {
	struct arena *arena;
	struct profile *at;
	size_t n;
};

/* What behaves like a crowd may be one: it is asked to show that it is people. So is everybody who shares a network, a provider,
 * a user name or a browser with an attacker. A single address that attacks is stopped, longer each time. */
static const struct profile_text builtin[] = {
	{ .name = BYTES_INIT("crowd"),
	  .when = BYTES_INIT("Alert.Remediation && (Alert.Behavior in [\"http:crawl\", \"http:dos\", \"http:scraping\"] || "
			       "Alert.GetScope() != \"Ip\" || Alert.SourcesCount > 1)"),
	  .remedy = REMEDY_CHALLENGE, .for_ms = { HOURS(1), HOURS(4), HOURS(24) }, .nfor = 3 },
	{ .name = BYTES_INIT("attack"),
	  .when = BYTES_INIT("Alert.Remediation"),
	  .remedy = REMEDY_DENY, .for_ms = { HOURS(4), HOURS(24), HOURS(72) }, .nfor = 3 },
};

/* ---- the names that a condition may use ---- */

struct alert_run {
	const struct profiles_ask *ask;
};

enum alert_name { REMEDIATION, SIMULATED, SCENARIO, BEHAVIOR, APP, SCOPE, VALUE, EVENTS, SOURCES, PAST };

static const struct {
	const char *path;
	bool call;
	enum alert_name name;
} names[] = {
	{ "Alert.Remediation", false, REMEDIATION }, { "Alert.Simulated", false, SIMULATED },
	{ "Alert.Scenario", false, SCENARIO },       { "Alert.GetScenario", true, SCENARIO },
	{ "Alert.Behavior", false, BEHAVIOR },       { "Alert.App", false, APP },
	{ "Alert.GetScope", true, SCOPE },           { "Alert.GetValue", true, VALUE },
	{ "Alert.Source.Scope", false, SCOPE },      { "Alert.Source.Value", false, VALUE },
	{ "Alert.GetEventsCount", true, EVENTS },    { "Alert.EventsCount", false, EVENTS },
	{ "Alert.SourcesCount", false, SOURCES },
	{ "GetDecisionsCount", true, PAST },
};

static bool find(const void *ctx, struct bytes path, bool call, uint32_t *number)
{
	(void)ctx;
	for (size_t i = 0; i < nelems(names); i++)
		if (names[i].call == call && bytes_eq(path, bytes_of(names[i].path))) {
			*number = names[i].name;
			return true;
		}
	return false;
}

static unsigned past(const struct profiles_ask *ask)
{
	return ask->past ? ask->past(ask->ctx, ask->overflow->scope, ask->overflow->value) : 0;
}

static bool load(struct expr_run *run, uint32_t number, struct expr_value *out)
{
	const struct profiles_ask *ask = run->ctx;
	const struct overflow *o = ask->overflow;

	*out = (struct expr_value){ .kind = EXPR_TEXT };
	switch ((enum alert_name)number) {
	case REMEDIATION: *out = (struct expr_value){ .kind = EXPR_BOOL, .truth = o->scenario->remediation }; break;
	case SIMULATED: *out = (struct expr_value){ .kind = EXPR_BOOL, .truth = o->scenario->simulated }; break;
	case SCENARIO: out->text = o->scenario->name; break;
	case BEHAVIOR: out->text = o->scenario->behavior; break;
	case APP: out->text = ask->app; break;
	case SCOPE: out->text = o->scope_name; break;
	case VALUE: out->text = o->value; break;
	case EVENTS: *out = (struct expr_value){ .kind = EXPR_INT, .number = o->count }; break;
	case SOURCES: *out = (struct expr_value){ .kind = EXPR_INT, .number = o->nsources }; break; /* addresses; our own */
	case PAST: *out = (struct expr_value){ .kind = EXPR_INT, .number = past(ask) }; break;
	}
	return true;
}

static bool call(struct expr_run *run, uint32_t number, const struct expr_value *args, size_t n, struct expr_value *out)
{
	(void)args, (void)n; /* GetDecisionsCount(Alert.GetValue()): there is no other value to ask for */
	return load(run, number, out);
}

/* ---- building ---- */

struct profiles *profiles_new(const struct profile_text *texts, size_t n, struct err *err)
{
	static const struct expr_world world = { .find = find, .load = load, .call = call };
	struct arena *a = arena_new(PROFILES_BYTES);
	struct profiles *p = a ? arena_get(a, sizeof *p) : NULL;

	if (n == 0) {
		texts = builtin;
		n = nelems(builtin);
	}
	if (p && n <= PROFILES_MAX)
		p->at = arena_get(a, n * sizeof *p->at);
	if (!p || !p->at) {
		arena_free(a);
		err_set(err, SIDE_SELF, 0, "out of memory for profiles");
		return NULL;
	}
	p->arena = a;
	for (; p->n < n; p->n++) {
		struct profile *at = &p->at[p->n];

		at->text = &texts[p->n];
		if (at->text->when.len && !(at->when = expr_compile(a, at->text->when, &world, err))) {
			err_at(err, "profile %.*s: when", BYTES_ARG(at->text->name));
			arena_free(a);
			return NULL;
		}
	}
	return p;
}

void profiles_free(struct profiles *p)
{
	if (p)
		arena_free(p->arena);
}

/* ---- deciding ---- */

static bool is_for(const struct profile_text *t, struct bytes app)
{
	for (size_t i = 0; i < t->napps; i++)
		if (bytes_eq(t->apps[i], app))
			return true;
	return t->napps == 0;
}

static bool holds(const struct profile *p, const struct profiles_ask *ask)
{
	struct expr_run run = { .ctx = (void *)(uintptr_t)ask, .arena = ask->arena, .steps = EXPR_STEPS };

	return is_for(p->text, ask->app) && (!p->when || expr_true(p->when, &run));
}

static uint64_t life_ms(const struct profile_text *t, const struct profiles_ask *ask)
{
	size_t step;
	uint64_t ms;

	if (!t->nfor)
		return HOURS(4);
	step = t->nfor > 1 ? past(ask) : 0;
	ms = t->for_ms[step < t->nfor ? step : t->nfor - 1];
	return ms < DECISION_LIFE_MAX_MS ? ms : DECISION_LIFE_MAX_MS;
}

bool profiles_decide(const struct profiles *p, const struct profiles_ask *ask, struct decision *out)
{
	const struct overflow *o = ask->overflow;

	for (size_t i = 0; i < p->n; i++) {
		const struct profile_text *t = p->at[i].text;

		if (!holds(&p->at[i], ask))
			continue;
		*out = (struct decision){
			.scope = o->scope, .value = o->value, .remedy = t->remedy, .level = t->level,
			.reason = o->scenario->name, .origin = BYTES("embergate"),
			.made_ms = o->last_ms, .until_ms = o->last_ms + life_ms(t, ask),
			.simulated = t->simulated || o->scenario->simulated,
		};
		return t->remedy > REMEDY_ALLOW && o->value.len && o->scope != SCOPE_OTHER;
	}
	return false;
}
