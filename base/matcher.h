/* matcher.h -- many patterns over one string, in one pass.
 *
 * Implementations with the same meaning: matcher_hs (Hyperscan, one database);
 * matcher_words, which takes literals alone and is ready at once; matcher_plain
 * (PCRE2, one pattern after the other), the oracle in tests and fuzzers.
 * matcher_soon.h: words until Hyperscan is ready.
 *
 * Meaning: bytes, no UTF-8; DOTALL; `$` is the very end; a pattern is reported
 * when it matches anywhere in the value. Patterns are Perl's; a literal is its
 * bytes. */
#ifndef BASE_MATCHER_H
#define BASE_MATCHER_H
#include "base/arena.h"
#include "base/err.h"

enum {
	PATTERN_LITERAL = 1,  /* text is bytes, not an expression */
	PATTERN_CASELESS = 2, /* ASCII */
	/* With LITERAL: every place is reported, not only that there is one. */
	PATTERN_EACH = 4,
	/* As Go reads it: `.` is not a line feed. */
	PATTERN_GO = 8,
};

struct pattern {
	struct bytes text;
	unsigned flags;
	uint32_t id; /* what a hit reports; several patterns may share one */
};

struct matcher;
struct matcher_scratch; /* one a thread; grows to the largest matcher it meets */

/* `end`: the offset behind a match. True stops the scan. */
typedef bool matcher_hit(void *ctx, uint32_t id, size_t end);

struct matcher_kind {
	const char *name;
	/* cache_dir may be NULL. On failure err names the pattern's index in
	 * err.code (-1: all of them together) and says why it was refused. */
	struct matcher *(*compile)(const struct pattern *, size_t n, const char *cache_dir, struct err *);
	/* Calls hit at least once for each pattern that matches, in any order.
	 * False only for an internal failure: treat as a hit of everything or
	 * refuse; never let pass silently. */
	bool (*scan)(const struct matcher *, struct matcher_scratch *, struct bytes, matcher_hit *, void *ctx);
	void (*free)(struct matcher *);
};

extern const struct matcher_kind matcher_hs, matcher_words, matcher_plain;

struct matcher_scratch *matcher_scratch_new(void);
void matcher_scratch_free(struct matcher_scratch *);

/* One compiled expression with PCRE2-JIT: captures and offsets on a hit, and
 * what Hyperscan refuses. */
struct regex;
enum regex_result { REGEX_NO, REGEX_YES, REGEX_LIMIT /* gave up: not a no */ };
struct regex *regex_new(struct bytes pattern, unsigned flags, struct err *);
/* The first match's from/to. Per-thread JIT stack inside. */
enum regex_result regex_find(const struct regex *, struct bytes, size_t *from, size_t *to);
/* The offsets of the first match and of its groups, from and to in turn, room for 2 * n; of a group that took no part both
 * are 0. Returns how many there are; 0: no match. */
size_t regex_groups(const struct regex *, struct bytes, size_t *at, size_t n);
/* For one use: not compiled to machine code, freed with the arena. NULL: it is no expression, or memory is short. */
struct regex *regex_once(struct arena *, struct bytes pattern);
void regex_free(struct regex *);
#endif
