/* ruleset.h -- rules, compiled: what the engine reads while requests pass.
 *
 * Compiled once and shared by all apps that name the same files: the rules and,
 * for each side (the request, the answer), one database of texts. gates.c
 * chooses for every group one condition that a look at a single value decides (its
 * gate). A request whose values no gate holds on has nothing to do with any group
 * but the few that have none.
 *
 * An app's own is the plan: which groups can hold at all with its settings, which
 * texts of a value are scanned for them, and what SecLang's variables are at the
 * start. */
#ifndef RULES_RULESET_H
#define RULES_RULESET_H
#include "base/hash128.h"
#include "rules/ir.h"
#include "rules/rules.h"
#include <stdatomic.h>

enum direction { OF_REQUEST, OF_ANSWER, DIRECTIONS };

/* What is done with a new value. */
struct want {
	struct bytes name; /* lower case; of `any`: at == NULL */
	uint16_t *nodes;   /* its text after each of these is scanned */
	size_t n, cap;
	uint32_t needs;    /* traits without which all these texts are the value as it came */
	uint32_t *asks;    /* groups whose gate is asked of it: GATE_VALUE */
	size_t nasks, asks_cap;
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

/* Most patterns are for arguments as a few ways of decoding leave them. In other zones and after other
 * steps only few rules look: their patterns are a database of their own, which is faster. So are those
 * of plain texts, in which most rules cannot hold. */
enum book { BOOK_ALL, BOOK_THIN, BOOK_PLAIN, BOOKS };

/* The texts that are looked for in one direction. */
struct union_database {
	struct matcher *joined[BOOKS]; /* for joined strings: literals tell each of their places */
	struct matcher *once[BOOKS];   /* the same patterns, each reported once */
	uint8_t *kinds;         /* by pattern: enum texts */
	bool *thin;             /* by pattern: it is in BOOK_THIN too */
	struct users *users;    /* by pattern */
	size_t npatterns;
	/* Patterns that a single byte stands for: Hyperscan would be slowed by such, and a look at each text finds them. */
	struct byte_users {
		uint32_t *patterns;
		size_t n, cap;
	} bytes[TEXTS_KINDS][256];
	uint32_t first;         /* patterns of all directions are numbered through */
	char separator;         /* of joined values: '\n', or a byte that no literal holds */
};

/* Where a hit means anything: in these zones, on the text after one of these nodes (bits of
 * plan.node_bits). Most hits are in a text that another rule wanted. */
struct watch {
	zone_set zones;
	uint64_t nodes;
};

struct compiled {
	atomic_uint uses;
	struct ir *ir;
	const struct matcher_kind *kind;
	struct union_database unions[DIRECTIONS];
	size_t npatterns; /* of all unions */
	struct costs *costs;
};

struct plan {
	struct arena *arena;
	struct wants wants[ZONE_COUNT];
	zone_set zones;      /* some live condition or macro looks there */
	struct watch *patterns; /* by pattern: of all live groups that it is the gate of */
	struct gate_watch {
		struct watch where; /* no nodes: it has no texts */
		uint64_t both[TEXTS_KINDS]; /* bits of two patterns that must be in one text; 0: one alone will do */
	} *gates; /* by group */
	uint64_t *paired;   /* by pattern: its bit; 0: it is in no pair, or has come too late for a bit */
	uint64_t *node_bits;    /* by node of the steps; of more than 64 nodes some share a bit */
	uint64_t thick[ZONE_COUNT]; /* nodes after which a text of that zone is looked up in BOOK_ALL */
	uint64_t plain[ZONE_COUNT]; /* nodes after which a plain text of that zone is looked up */
	uint64_t (*telling[TEXTS_KINDS])[256]; /* by zone and byte: the nodes of patterns that the byte stands for */
	uint64_t tells[TEXTS_KINDS][ZONE_COUNT]; /* the nodes of all bytes */
	uint64_t facts;      /* bits by facts.c: those that are looked at */
	size_t nwords;       /* of the bit sets of groups */
	uint64_t *live;      /* can hold at all */
	uint64_t *always;    /* without a gate */
	uint64_t *early;     /* AppSec: may hold on the head alone */
	uint64_t *late;      /* AppSec: may hold on the body too */
	uint64_t *phases[PHASE_COUNT]; /* SecLang: that phase's own */
	bool busy[PHASE_COUNT]; /* there are some */
	struct var *start;   /* one a slot: what variables are when a request comes */
	const struct operand **settled; /* by nth_macro: the operand; NULL: it is made for each request */
};

struct ruleset {
	struct compiled *compiled;
	struct ir *ir;          /* the compiled one's */
	struct plan plan;
	_Atomic uint64_t *hits; /* by rule */
};

/* NULL: nothing is to be done with such a value. */
const struct want *plan_want(const struct plan *, enum zone, struct bytes name);
/* The condition that is looked for; NULL: none. */
const struct condition *group_gate(const struct group *);
/* The condition looks at values of this direction and no other. */
bool condition_is_of(const struct condition *, enum direction);
/* Gates and their databases. */
bool gates_build(struct compiled *, const char *cache_dir, struct err *);
/* Once for all plans: which condition is asked first and which is shown. */
bool plan_prepare(struct compiled *, struct err *);
bool plan_build(struct ruleset *, const struct ruleset_tuning *, struct err *);
/* Reads a file of AppSec rules into the ir, or where it is not NULL the text in its place. */
bool appsec_load(struct ir *, const char *path, const struct bytes *text, struct err *);

static inline void bit_set(uint64_t *set, size_t i)
{
	set[i / 64] |= (uint64_t)1 << i % 64;
}

static inline void bit_clear(uint64_t *set, size_t i)
{
	set[i / 64] &= ~((uint64_t)1 << i % 64);
}

static inline bool bit_is(const uint64_t *set, size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}
#endif
