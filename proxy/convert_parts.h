/* convert_parts.h -- what the files of the conversion share.
 *
 * convert.c            directives: one table
 * convert_rule.c       rules and their chains, settings
 * convert_exception.c  which rules, and what they do not look at
 * convert_pattern.c    expressions that are patterns with `*`
 * convert_print.c      the YAML */
#ifndef PROXY_CONVERT_PARTS_H
#define PROXY_CONVERT_PARTS_H
#include "proxy/convert.h"
#include "rules/seclang.h"

enum convert_key { CONVERT_METHODS, CONVERT_RULES, CONVERT_TAGS, CONVERT_ARGS, CONVERT_COOKIES, CONVERT_HEADERS, CONVERT_PARTS, CONVERT_KEYS };

struct convert_words {
	struct bytes *at;
	size_t n, cap;
};

/* One entry of `exceptions`. */
struct convert_exception {
	struct bytes path; /* at == NULL: every one */
	bool all;          /* skip: [all] */
	struct convert_words words[CONVERT_KEYS];
	struct seclang_place from;
	size_t more;       /* places beside that one */
	bool merged;       /* into another: it is no more */
};

/* What stays SecLang. */
struct convert_kept {
	struct seclang_place place;
	struct bytes what;
	const char *why;
};

/* SecRule or SecAction with its chain, as far as it is read. */
struct convert_rule {
	struct seclang_directive head;
	struct convert_exception when; /* path and methods */
	bool conditional;
	struct bytes *ctls, *sets;
	size_t nctls, nsets, ctls_cap, sets_cap;
	struct bytes skips_to;         /* a marker; at == NULL: it skips nothing */
	const char *why;               /* it cannot be said; NULL: it can so far */
};

struct convert {
	struct arena *arena;
	struct convert_exception *exceptions;
	size_t nexceptions, exceptions_cap;
	struct convert_kept *kept;
	size_t nkept, kept_cap;
	struct convert_rule rule;
	bool chain;               /* the next SecRule belongs to it */
	struct bytes skipped_to;  /* rules up to this marker hold only where one before them does not; at == NULL: none */
	const char *mode;         /* of waf; NULL: not said */
	uint64_t paranoia, detection, threshold; /* 0: not said */
	struct seclang_place detection_at;
	bool spent;               /* out of memory: nothing here is complete */
};

/* ---- convert.c ---- */

void convert_keep(struct convert *, struct seclang_place, struct bytes what, const char *why);
bool convert_keep_directive(struct convert *, const struct seclang_directive *, const char *why); /* true */
bool convert_is_one_of(struct bytes name, const char *const *all, size_t n);                      /* in any case */

/* ---- convert_rule.c ---- */

void convert_rule(struct convert *, const struct seclang_directive *, bool has_condition);

/* ---- convert_pattern.c ---- */

/* An expression that is searched for, as a pattern for the whole. False: it is more than that. */
bool convert_pattern(struct convert *, struct bytes regex, struct bytes *out);
/* Fit for a text of the configuration, and without a `*` of its own. */
bool convert_is_plain(struct bytes);
struct bytes convert_join(struct convert *, const char *before, struct bytes, const char *behind);

/* ---- convert_exception.c ---- */

void convert_add_word(struct convert *, struct convert_words *, struct bytes);
/* These rules into *x: NULL, or why not. `key` RULES: ids and ranges; TAGS: expressions for tags. */
const char *convert_select(struct convert *, struct bytes text, enum convert_key key, struct convert_exception *x);
/* What they do not look at: "ARGS:x|..." of ctl, "!ARGS:x" of SecRuleUpdateTarget* (`except`). */
const char *convert_targets(struct convert *, struct bytes text, bool except, struct convert_exception *x);
const char *convert_ctl(struct convert *, struct bytes text, struct convert_exception *x);
/* Keeps it, as a part of one that differs in one thing only where there is such a one. */
void convert_add(struct convert *, const struct convert_exception *);
void convert_merge(struct convert *);

/* ---- convert_print.c ---- */

void convert_print(struct convert *, FILE *);
#endif
