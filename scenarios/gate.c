/* gate.c -- which scenarios an event may concern at all.
 *
 * Of what a filter needs to be true (expr_needs) the rarest is taken: that one of some texts is somewhere in a fact, or that
 * a fact is one of some values. The texts of all scenarios for a fact are one database, so that an event is scanned once a
 * fact and not once a scenario, and clean values are remembered. What is in a part of the target is in the target: their
 * texts share its database. A filter without a rare need runs for each event of its kind.
 *
 * A gate that is open costs time; one that is wrongly shut hides an attack. So a need is taken only where the database
 * takes all of its texts, and tests compare with every filter run. */
#include "base/expr.h"
#include "base/matcher.h"
#include "scenarios/scenario.h"
#include <stdlib.h>

enum {
	GROUPS_MAX = 32,
	NEED_MAX = 2000,      /* texts of one: compiling takes the square of their number */
	VALUES_MAX = 4096,    /* of facts that are one of some values */
	MEMO = 512,           /* clean values remembered, a group */
	MEMO_TEXT_MAX = 2048,
};

/* Kinds of events that scenarios tell apart by their log_type. */
static const struct bytes kinds[] = {
	BYTES_INIT("http_access-log"), BYTES_INIT("http_error-log"), BYTES_INIT("appsec-block"), BYTES_INIT("appsec-info"),
};
enum { KIND_OTHER = nelems(kinds), KINDS };

static const double common_enough = 0.4; /* what so many events have is no need */
static const double rare_line = 0.05, rare_list = 0.3;

/* Texts that are looked for in one fact. */
struct group {
	uint32_t fact;
	enum expr_view view;
	struct matcher *matcher;
	struct pattern *patterns; /* id: the scenario's number */
	size_t n, cap;
	enum observe_point point; /* of the first scenario that asks it */
};

struct value {
	uint32_t fact;
	bool caseless;
	struct bytes text;
	uint32_t scenario;
	enum observe_point point;
};

struct gate {
	size_t words, n;
	uint64_t serial;
	uint64_t *of[OBSERVE_POINTS][KINDS]; /* scenarios of that point and kind of event */
	uint64_t *always;                    /* those without a need */
	struct group groups[GROUPS_MAX];
	size_t ngroups;
	struct value *values; /* by their points, once all are there */
	size_t nvalues, values_cap;
	size_t values_of[OBSERVE_POINTS + 1]; /* where those of a point begin */
	const struct scenarios *set;
};

struct observer {
	struct matcher_scratch *scratch;
	struct cost_pace pace;
	uint64_t serial; /* of the gate that the memo is of */
	struct hash128 clean[GROUPS_MAX][MEMO];
};

struct observer *observer_new(void)
{
	struct observer *o = calloc(1, sizeof *o);

	if (o && !(o->scratch = matcher_scratch_new())) {
		free(o);
		return NULL;
	}
	return o;
}

void observer_time(struct observer *o, unsigned every)
{
	cost_pace_set(&o->pace, every);
}

struct cost_pace *observer_pace(struct observer *o)
{
	return &o->pace;
}

void observer_free(struct observer *o)
{
	if (o)
		matcher_scratch_free(o->scratch);
	free(o);
}

static void set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

/* ---- how common what a need asks for is ---- */

static double share_of_value(uint32_t fact, struct bytes text)
{
	switch (fact) {
	case FACT_SERVICE:
	case FACT_LOG_TYPE: return 1;
	case FACT_STATUS: return bytes_eq(text, BYTES("200")) ? 0.7 : 0.04;
	case FACT_VERB: return bytes_eq_nocase(text, BYTES("get")) ? 0.85 : 0.06;
	/* Most requests are for what is on a page, by who has been there. */
	case FACT_STATIC:
	case FACT_COOKIES: return bytes_eq(text, BYTES("true")) ? 0.7 : 0.3;
	case FACT_NAVIGATION: return bytes_eq(text, BYTES("true")) ? 0.2 : 0.8;
	case FACT_ROUTE:
	case FACT_BOT:
	case FACT_LOGIN: return text.len ? 0.02 : 1;
	default: return text.len ? 0.002 : 0.6;
	}
}

static double share_of_text(struct bytes text)
{
	static const double by_length[] = { 1, 0.6, 0.25, 0.05 };

	return text.len < nelems(by_length) ? by_length[text.len] : 0.001;
}

static double share_of_atom(const struct expr_atom *a)
{
	return a->load >= FACT_COUNT     ? 1
	       : a->test == EXPR_EQUALS  ? share_of_value(a->load, a->text)
	       : a->test == EXPR_MATCHES ? 0.02
					 : share_of_text(a->text);
}

/* However long, a list of which each line is rare is rare: lists are of what attackers write. */
static double share_of(const struct expr_need *need)
{
	double sum = 0, most = 0;

	for (size_t i = 0; i < need->n; i++) {
		double share = share_of_atom(&need->at[i]);

		sum += share;
		most = share > most ? share : most;
	}
	return most <= rare_line && sum > rare_list ? rare_list : sum;
}

/* ---- building ---- */

static bool is_part_of_target(uint32_t fact)
{
	return fact == FACT_REQUEST || fact == FACT_HTTP_ARGS || fact == FACT_FILE_DIR || fact == FACT_FILE_NAME ||
	       fact == FACT_FILE_FRAG || fact == FACT_FILE_EXT;
}

/* A view of a part is not the part of a view: what was escaped may have been the mark that parts them. */
static bool goes_to_target(const struct expr_atom *a)
{
	return is_part_of_target(a->load) && a->view == EXPR_AS_IS && a->test != EXPR_MATCHES && a->text.len;
}

static bool is_value(const struct expr_atom *a)
{
	return a->test == EXPR_EQUALS && !goes_to_target(a) && a->load != FACT_HTTP_PATH && a->view == EXPR_AS_IS;
}

static struct group *group_of(struct gate *g, uint32_t fact, enum expr_view view)
{
	for (size_t i = 0; i < g->ngroups; i++)
		if (g->groups[i].fact == fact && g->groups[i].view == view)
			return &g->groups[i];
	if (g->ngroups == GROUPS_MAX)
		return NULL;
	g->groups[g->ngroups] = (struct group){ .fact = fact, .view = view, .point = AT_END };
	return &g->groups[g->ngroups++];
}

static bool add_pattern(struct gate *g, const struct scenarios *set, uint32_t fact, const struct expr_atom *a,
			enum expr_view view, uint32_t scenario)
{
	struct group *group = group_of(g, fact, view);
	struct pattern *at;

	if (!group || !(at = arena_grow(set->arena, group->patterns, &group->cap, group->n + 1, sizeof *at)))
		return false;
	group->patterns = at;
	at[group->n++] = (struct pattern){
		.text = a->text,
		.flags = (a->test == EXPR_MATCHES ? 0 : PATTERN_LITERAL) | (a->caseless ? PATTERN_CASELESS : 0),
		.id = scenario,
	};
	if (set->at[scenario]->info.point < group->point)
		group->point = set->at[scenario]->info.point;
	return true;
}

static bool add_value(struct gate *g, const struct scenarios *set, const struct expr_atom *a, uint32_t scenario)
{
	struct value *at;

	if (g->nvalues == VALUES_MAX ||
	    !(at = arena_grow(set->arena, g->values, &g->values_cap, g->nvalues + 1, sizeof *at)))
		return false;
	g->values = at;
	at[g->nvalues++] = (struct value){ a->load, a->caseless, a->text, scenario, set->at[scenario]->info.point };
	return true;
}

static bool add_atom(struct gate *g, const struct scenarios *set, const struct expr_atom *a, uint32_t scenario)
{
	uint32_t fact = goes_to_target(a) ? FACT_HTTP_PATH : a->load;

	if (is_value(a))
		return add_value(g, set, a, scenario);
	/* What has nothing escaped reads the same either way, and is not scanned again. */
	return add_pattern(g, set, fact, a, EXPR_AS_IS, scenario) &&
	       (a->view == EXPR_AS_IS || add_pattern(g, set, fact, a, a->view, scenario));
}

static const struct expr_need *rarest(const struct expr_need *needs, size_t n)
{
	const struct expr_need *best = NULL;
	double least = common_enough;

	for (size_t i = 0; i < n; i++) {
		double share = share_of(&needs[i]);

		if (share < least && needs[i].n <= NEED_MAX) {
			least = share;
			best = &needs[i];
		}
	}
	return best;
}

/* The kinds of events that it may be true of, a bit each. */
static unsigned kinds_of(const struct expr_need *needs, size_t n)
{
	unsigned all = (1u << KINDS) - 1;

	for (size_t i = 0; i < n; i++) {
		unsigned these = 0;

		for (size_t k = 0; k < needs[i].n; k++) {
			const struct expr_atom *a = &needs[i].at[k];
			unsigned kind = 0;

			if (a->load != FACT_LOG_TYPE || a->test != EXPR_EQUALS || a->caseless || a->view != EXPR_AS_IS) {
				these = all;
				break;
			}
			while (kind < KIND_OTHER && !bytes_eq(kinds[kind], a->text))
				kind++;
			these |= 1u << kind;
		}
		all &= these;
	}
	return all;
}

static bool add_scenario(struct gate *g, struct scenarios *set, uint32_t i)
{
	const struct expr_need *needs, *need;
	size_t n = expr_needs(set->at[i]->filter, set->arena, &needs);
	unsigned of = kinds_of(needs, set->ask_all ? 0 : n);
	size_t nvalues = g->nvalues;

	for (unsigned k = 0; k < KINDS; k++)
		if (of >> k & 1)
			set_bit(g->of[set->at[i]->info.point][k], i);
	need = set->ask_all ? NULL : rarest(needs, n);
	for (size_t k = 0; need && k < need->n; k++)
		if (!add_atom(g, set, &need->at[k], i)) {
			g->nvalues = nvalues; /* patterns that are left are open too often: no harm */
			need = NULL;
		}
	if (!need)
		set_bit(g->always, i);
	return true;
}

/* The filter of a scenario whose expression the database refuses runs for every event. */
static void ask_always(struct gate *g, struct group *p, uint32_t scenario)
{
	size_t n = 0;

	set_bit(g->always, scenario);
	for (size_t i = 0; i < p->n; i++)
		if (p->patterns[i].id != scenario)
			p->patterns[n++] = p->patterns[i];
	p->n = n;
}

static bool compile_group(struct gate *g, struct group *p, const char *cache_dir, struct err *err)
{
	while (p->n && !(p->matcher = matcher_hs.compile(p->patterns, p->n, cache_dir, err))) {
		if (err->code < 0 || (size_t)err->code >= p->n)
			return err_at(err, "scenarios: texts of %s", fact_name((enum fact)p->fact));
		ask_always(g, p, p->patterns[err->code].id);
	}
	return true;
}

static bool compile(struct gate *g, const char *cache_dir, struct err *err)
{
	for (size_t i = 0; i < g->ngroups; i++)
		if (!compile_group(g, &g->groups[i], cache_dir, err))
			return false;
	return true;
}

static int by_point(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	return (x->point > y->point) - (x->point < y->point);
}

static void sort_values(struct gate *g)
{
	size_t i = 0;

	if (g->nvalues)
		qsort(g->values, g->nvalues, sizeof *g->values, by_point);
	for (size_t p = 0; p <= OBSERVE_POINTS; p++) {
		while (i < g->nvalues && g->values[i].point < p)
			i++;
		g->values_of[p] = i;
	}
}

struct gate *gate_build(struct scenarios *set, const char *cache_dir, struct err *err)
{
	static atomic_ullong serials;
	struct gate *g = arena_get(set->arena, sizeof *g);
	bool ok = g;

	if (g) {
		g->set = set;
		g->n = set->n;
		g->words = set->n / 64 + 1;
		g->serial = atomic_fetch_add(&serials, 1) + 1;
		ok = (g->always = arena_get(set->arena, g->words * 8));
		for (int p = 0; p < OBSERVE_POINTS; p++)
			for (int k = 0; k < KINDS; k++)
				ok &= (g->of[p][k] = arena_get(set->arena, g->words * 8)) != NULL;
	}
	for (size_t i = 0; ok && i < set->n; i++)
		ok = add_scenario(g, set, (uint32_t)i);
	if (!ok)
		err_set(err, SIDE_SELF, 0, "out of memory for scenarios");
	else if (compile(g, cache_dir, err)) {
		sort_values(g);
		return g;
	}
	gate_free(g);
	return NULL;
}

void gate_free(struct gate *g)
{
	for (size_t i = 0; g && i < g->ngroups; i++)
		if (g->groups[i].matcher)
			matcher_hs.free(g->groups[i].matcher);
}

size_t gate_words(const struct gate *g)
{
	return g->words;
}

/* ---- asking ---- */

static bool on_hit(void *ctx, uint32_t id, size_t end)
{
	(void)end;
	set_bit(ctx, id);
	return false;
}

static bool has_escapes(struct bytes b, enum expr_view view)
{
	return bytes_index(b, '%') != SIZE_MAX || (view == EXPR_QUERY_UNESCAPED && bytes_index(b, '+') != SIZE_MAX);
}

/* False: it is as it was, and that has been scanned. */
static bool viewed(struct arena *a, enum expr_view view, struct bytes *text)
{
	if (view == EXPR_AS_IS)
		return true;
	return has_escapes(*text, view) &&
	       (view == EXPR_QUERY_UNESCAPED ? expr_query_unescape(a, *text, text) : expr_path_unescape(a, *text, text));
}

static void open_all(const struct group *p, uint64_t *hits)
{
	for (size_t i = 0; i < p->n; i++)
		set_bit(hits, p->patterns[i].id);
}

/* `hits` is zero before. */
static void scan(const struct gate *g, struct observer *o, struct arena *a, size_t group, struct bytes text, uint64_t *hits)
{
	const struct group *p = &g->groups[group];
	struct hash128 h = { 0 }, *clean = NULL;
	uint64_t any = 0;

	if (!p->matcher || !viewed(a, p->view, &text) || !text.len)
		return;
	if (text.len <= MEMO_TEXT_MAX) {
		h = hash128(g->set->key, text);
		clean = &o->clean[group][h.b % MEMO];
		if (hash128_eq(*clean, h))
			return;
	}
	if (!matcher_hs.scan(p->matcher, o->scratch, text, on_hit, hits))
		open_all(p, hits);
	for (size_t i = 0; i < g->words; i++)
		any |= hits[i];
	if (clean && !any)
		*clean = h;
}

static bool value_is(const struct value *v, struct bytes text)
{
	return v->caseless ? bytes_eq_nocase(v->text, text) : bytes_eq(v->text, text);
}

static unsigned kind_of(const struct facts *f)
{
	unsigned kind = 0;

	while (kind < KIND_OTHER && !bytes_eq(kinds[kind], f->at[FACT_LOG_TYPE]))
		kind++;
	return kind;
}

void gate_ask(const struct gate *g, struct observer *o, struct arena *a, const struct facts *f, struct gate_marks *marks,
	      enum observe_point point, uint64_t *may)
{
	const uint64_t *of = g->of[point][kind_of(f)];
	uint64_t any = 0;

	for (size_t i = 0; i < g->words; i++) {
		may[i] = 0;
		any |= of[i];
	}
	if (!any)
		return; /* what is to be scanned is, at a later point */
	if (o->serial != g->serial) {
		memset(o->clean, 0, sizeof o->clean);
		o->serial = g->serial;
	}
	for (size_t i = 0; i < g->ngroups; i++)
		if (g->groups[i].point <= point && !(marks->scanned >> i & 1)) {
			uint64_t hits[GATE_WORDS_MAX] = { 0 };

			marks->scanned |= 1u << i;
			scan(g, o, a, i, f->at[g->groups[i].fact], hits);
			for (size_t k = 0; k < g->words; k++)
				marks->hits[k] |= hits[k];
		}
	for (size_t i = 0; i < g->words; i++)
		may[i] = (marks->hits[i] | g->always[i]) & of[i];
	for (size_t i = g->values_of[point]; i < g->values_of[point + 1]; i++) {
		const struct value *v = &g->values[i];

		if ((of[v->scenario / 64] >> (v->scenario % 64) & 1) && value_is(v, f->at[v->fact]))
			set_bit(may, v->scenario);
	}
}
