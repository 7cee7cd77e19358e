/* ruleset.h -- rules, compiled: what the engine reads while requests pass.
 *
 * gates.c chooses for every group one condition that a scan can find (its
 * gate) and puts it into the union database. A request whose values hold no
 * pattern has nothing to do with any group but the few that have no gate. */
#ifndef RULES_RULESET_H
#define RULES_RULESET_H
#include "base/hash128.h"
#include "rules/ir.h"
#include "rules/rules.h"
#include <stdatomic.h>

/* What must be scanned of a value: its text after each of these nodes. */
struct want {
	struct bytes name; /* lower case; of `any`: at == NULL */
	uint16_t *nodes;
	size_t n, cap;
	struct hash128 salt; /* random: tells this want of this ruleset from others in a memo */
};

struct wants {
	struct want any;    /* whatever the value's name is */
	struct want *named; /* these include what `any` has */
	size_t nnamed, cap;
	size_t widest;      /* the most nodes that one value is wanted after */
	bool by_name;       /* values of equal text may differ by their names otherwise too */
};

/* The groups that a pattern is the gate of. */
struct users {
	uint32_t *groups;
	size_t n;
	bool anywhere; /* an expression: a hit does not tell in which value of a joined string */
};

struct ruleset {
	struct ir *ir;
	const struct matcher_kind *kind;
	struct matcher *matcher; /* for joined strings: literals tell each of their places */
	struct matcher *once;    /* the same patterns, each reported once */
	struct users *users; /* by pattern */
	size_t npatterns;
	char separator;      /* of joined values: '\n', or a byte that no literal holds */
	struct wants wants[ZONE_COUNT];
	uint32_t zones;      /* bits: some condition looks there */
	size_t nwords;       /* of the bit sets of groups */
	uint64_t *always;    /* without a gate */
	uint64_t *early;     /* may hold on the head alone */
	uint64_t *late;      /* may hold on the body too */
	_Atomic uint64_t *hits; /* by rule */
};

/* NULL: nothing is to be scanned. */
const struct want *ruleset_want(const struct ruleset *, enum zone, struct bytes name);
/* The condition that the union database looks for; NULL: none. */
const struct condition *group_gate(const struct group *);
/* All targets are in these zones (bits). */
bool condition_only_in(const struct condition *, uint32_t zones);
/* Gates and their database, then everything that follows from them. */
bool gates_build(struct ruleset *, const char *cache_dir, struct err *);
bool plan_build(struct ruleset *, struct err *);
/* Reads a file of AppSec rules into the ir. */
bool appsec_load(struct ir *, const char *path, struct err *);

static inline void bit_set(uint64_t *set, size_t i)
{
	set[i / 64] |= (uint64_t)1 << i % 64;
}

static inline bool bit_is(const uint64_t *set, size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}
#endif
