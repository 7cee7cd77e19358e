/* seclang_load.h -- SecLang's directives become rules of the ir; for seclang_*.c.
 *
 *   seclang_new -> seclang_file, each -> seclang_finish
 *
 * What refers to other rules (skipAfter, SecRuleRemove*, SecRuleUpdate*, ctl) is
 * kept until all files are read. */
#ifndef RULES_SECLANG_LOAD_H
#define RULES_SECLANG_LOAD_H
#include "rules/ir.h"
#include "rules/seclang.h"

enum { SECLANG_CHAIN_MAX = 16 };

/* SecDefaultAction, by phase. */
struct seclang_defaults {
	bool set;
	struct actions actions; /* what `block` means, and the log flags */
	const struct transform *steps[16];
	size_t nsteps;
};

struct seclang_marker {
	struct bytes name;
	uint32_t group; /* the first one after it */
};

struct seclang_skip {
	uint32_t rule;
	struct bytes marker; /* at == NULL: over `count` rules */
	uint32_t count;
	struct seclang_place place;
};

struct seclang {
	struct ir *ir;
	struct err *err;
	struct seclang_place place; /* of the directive in hand */
	struct seclang_defaults defaults[PHASE_COUNT];
	struct seclang_marker *markers;
	size_t nmarkers, markers_cap;
	struct seclang_skip *skips;
	size_t nskips, skips_cap;
	struct seclang_directive *updates; /* that change rules: done last */
	size_t nupdates, updates_cap;
	bool chain;        /* the next SecRule belongs to the one before */
	struct condition conditions[SECLANG_CHAIN_MAX]; /* of the rule being read */
	struct link links[SECLANG_CHAIN_MAX];
	size_t nlinks;
	bool folds;        /* the rule in hand: two backslashes of its operator are one */
	bool status_said;  /* by the rule in hand */
};

struct seclang *seclang_new(struct ir *, struct err *); /* lives in the ir's arena; NULL: out of memory */
bool seclang_file(struct seclang *, const char *path, const struct bytes *text); /* text: in its place; NULL: it is read */
bool seclang_finish(struct seclang *);

/* ---- between seclang_*.c ---- */

/* "file:line: ..." as the error. Returns false. */
bool seclang_fail(struct seclang *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool seclang_short_of_memory(struct seclang *);
/* Targets of a list of variables, from the ir's arena; a variable may be of two zones. */
bool seclang_targets(struct seclang *, struct bytes text, struct target **, size_t *n);
bool seclang_collection(struct bytes name, enum collection *);
/* Text with %{...}; a name that is not known is an error. */
bool seclang_macro(struct seclang *, struct bytes text, const struct macro **);
/* The text holds a macro. */
bool seclang_has_macro(struct bytes text);
/* Ids and ranges ("1-5"), tags, messages. */
bool seclang_selection(struct seclang *, enum select, struct bytes text, struct selection *);
/* A rule being read: of a chain's first link all, of later ones what a link has. */
struct seclang_rule {
	struct rule *rule;  /* NULL: a later link, which has no actions of its own but a status */
	struct rule *head;  /* of a later link: the rule that it belongs to; NULL: its status means nothing */
	struct link *link;
	struct condition *condition;
	bool chain;         /* another link follows */
	bool block;         /* what SecDefaultAction says */
	bool status_set;
	size_t tags_cap;
	/* Called when the phase is known and before all else; NULL: nothing is to be done. */
	bool (*begin)(struct seclang *, struct seclang_rule *);
};
bool seclang_do_actions(struct seclang *, struct bytes text, struct seclang_rule *);
/* setvar: "tx.a=+1", "!tx.a". */
bool seclang_assignment(struct seclang *, struct bytes text, struct assignment *);
/* ctl: "ruleRemoveById=1-5"; one that means nothing here adds nothing to the n at `all`. */
bool seclang_change(struct seclang *, struct bytes text, struct change *all, size_t *n);
/* On, Off, DetectionOnly */
bool seclang_engine(struct seclang *, struct bytes, enum engine *);
#endif
