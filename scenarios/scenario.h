/* scenario.h -- a scenario as the engine has it, and the set that it is in. Private to scenarios/. */
#ifndef SCENARIOS_SCENARIO_H
#define SCENARIOS_SCENARIO_H
#include "base/costs.h"
#include "base/expr.h"
#include "base/expr_data.h"
#include "base/yaml.h"
#include "scenarios/scenarios.h"
#include <stdatomic.h>

struct gate;

enum { BAYES_MAX = 32 };

struct bayes_condition {
	struct expr *condition;
	double if_evil, if_benign;
	bool guillotine;
};

struct scenario {
	struct scenario_info info;
	struct bucket_kind kind;
	struct expr *filter, *groupby, *distinct, *cancel_on, *condition, *overflow_filter, *scope_value;
	struct bytes filter_text;
	enum scope scope;
	struct bytes scope_name;
	double prior, threshold;             /* bayesian */
	struct bayes_condition bayes[BAYES_MAX];
	size_t nbayes;
	bool reprocess;
	bool cluster;                        /* all gates count together */
	bool writes;                         /* its expressions may change the facts */
	bool by_source;                      /* what it groups by begins with the source's address */
	struct hash128 key;                  /* of its buckets' keys */
	atomic_ullong asked, failed, poured, overflowed, silent;
};

/* The key of its bucket, by the hashes of what it groups by and, where it is grouped by source, of that: all buckets of one
 * client are neighbours. */
static inline uint64_t scenario_bucket(const struct scenario *s, struct hash128 group, struct hash128 source)
{
	return ((s->by_source ? source : group).a & BUCKET_PLACE) | ((group.b ^ s->key.a) & ~BUCKET_PLACE);
}

struct scenarios {
	struct arena *arena; /* holds everything; the docs apart */
	struct scenario **at;
	size_t n, cap;
	struct expr_data *data;
	struct gate *gate;
	/* Names that have no number of their own, "Meta.cve": FACT_COUNT + i. */
	struct bytes *names;
	size_t nnames, names_cap;
	struct yaml_doc **docs;
	size_t ndocs;
	struct costs *costs; /* by number */
	bool keep_all, ask_all;
	struct hash128 key;
};

/* ---- world.c: the names that expressions may use ---- */

/* What an expression runs over; `ctx` of struct expr_run. */
struct world_run {
	const struct scenarios *set;
	struct arena *arena;
	struct facts *facts;                 /* SetMeta changes them */
	const struct bytes *kept;            /* in the bucket, packed */
	size_t nkept;
	struct facts *queue;                 /* the same, since an expression asked for it; NULL: none did */
	uint32_t count;                      /* of the bucket */
	const struct bytes *sources;         /* of an overflow that is asked again */
	size_t nsources;
};
struct expr_world world_of(const struct scenarios *);
/* The text of a name by its number; empty where there is none. */
struct bytes world_text(const struct scenarios *, const struct facts *, uint32_t number);
enum observe_point world_point(uint32_t number);
struct expr_run world_begin(struct world_run *);

/* ---- evidence.c: events as buckets keep them ---- */
struct bytes evidence_pack(bool all, const struct facts *, char *room, size_t cap);
void evidence_unpack(struct arena *, struct bytes, struct facts *);

/* ---- gate.c: which scenarios an event may concern at all ---- */
enum { SCENARIOS_MAX = 1024, GATE_WORDS_MAX = SCENARIOS_MAX / 64 + 1 };
/* What was found in an event so far; zero before its first point. */
struct gate_marks {
	uint64_t hits[GATE_WORDS_MAX];
	uint32_t scanned; /* groups */
	struct cost_sample *sample; /* NULL: this event is not timed */
};
struct gate *gate_build(struct scenarios *, const char *cache_dir, struct err *);
void gate_free(struct gate *);
struct cost_pace *observer_pace(struct observer *);
size_t gate_words(const struct gate *);
/* Sets a bit for each scenario of that point whose filter has to run. */
void gate_ask(const struct gate *, struct observer *, struct arena *, const struct facts *, struct gate_marks *,
	      enum observe_point, uint64_t *may);
#endif
