/* rules.h -- bytes of a request -> verdict.
 *
 * A ruleset is compiled once from files (our packs, CrowdSec AppSec YAML,
 * SecLang), immutable, shared by all apps and workers. Exceptions, given
 * with each request, say what of it does not hold there. Inspecting needs no
 * socket and no loop: a test, a fuzzer and a benchmark call it as the proxy does.
 *
 *   ruleset_load, rules_scratch_new per worker -> per request: inspection_new,
 *   inspection_head, inspection_body per piece, inspection_end */
#ifndef RULES_RULES_H
#define RULES_RULES_H
#include "base/arena.h"
#include "base/err.h"
#include "base/matcher.h"
#include "base/request.h"
#include "base/verdict.h"

struct ruleset;
struct inspection;
struct rules_scratch; /* one a worker: room to scan, and the memo of clean values */

/* What an app says of SecLang's rules. */
struct ruleset_tuning {
	/* Variables of TX that rules cannot change; values are text, as setvar has them. */
	const struct ruleset_variable {
		struct bytes name, value;
	} *pinned;
	size_t npinned;
	bool unfolded; /* for tests: all is done while requests pass, nothing beforehand */
};

/* A text in place of one of the files. It may name no other file: neither includes nor lists of operators. */
struct ruleset_text {
	const char *name; /* of that file: "rule.conf", "rule.yaml"; errors have it */
	struct bytes text;
};

struct ruleset_options {
	const char *const *files; /* *.yaml and *.conf (SecLang); globs; a directory means its *.yaml */
	size_t nfiles;
	const struct ruleset_text *text; /* NULL: all are files */
	const char *cache_dir;    /* compiled databases, by content hash; NULL: none */
	const struct matcher_kind *matcher; /* NULL: matcher_hs */
	const struct ruleset_tuning *tuning; /* NULL: none */
};

struct ruleset *ruleset_load(const struct ruleset_options *, struct err *);
/* The same compiled rules for another app, with settings of its own. */
struct ruleset *ruleset_tuned(const struct ruleset *, const struct ruleset_tuning *, struct err *);
size_t ruleset_count(const struct ruleset *);
/* Bytes of an answer that may be held; 0: no rule looks at answers. */
size_t ruleset_answer_window(const struct ruleset *);
/* The version of the Core Rule Set among its files ("3.3.4"); empty: it is not. */
struct bytes ruleset_crs(const struct ruleset *);
/* Rule i in file order, for listings and metrics. */
const struct rule_info *ruleset_rule(const struct ruleset *, size_t i);
uint64_t ruleset_hits(const struct ruleset *, size_t i); /* since load, exclusions not counted */
/* What the timed inspections took, of all rulesets that are tuned from one another. */
struct ruleset_costs {
	uint64_t samples;   /* inspections */
	uint64_t shared_ns; /* of all of them: taking requests apart, the scan; what is no rule's own */
};
struct rule_cost {
	uint64_t ns;    /* its own in all of them: gate, conditions, actions */
	uint64_t asked; /* inspections in which it was */
};
struct ruleset_costs ruleset_costs(const struct ruleset *);
struct rule_cost ruleset_cost(const struct ruleset *, size_t i);
void ruleset_free(struct ruleset *);

/* What an exception takes out, as written. Rules are named by `rules` (ids, ranges of numbers),
 * `categories` and `tags` (`*` is any run of characters); what they do not look at by the other
 * keys, with `*` in names too. Rules alone do not hold at all; what is named without rules
 * nobody looks at. `skip` stands alone: "all", "body", a rule's id, a category, "arg:NAME",
 * "cookie:NAME", "header:NAME". */
enum exclusion_key {
	EXCLUDE_SKIP, EXCLUDE_RULES, EXCLUDE_CATEGORIES, EXCLUDE_TAGS, EXCLUDE_ARGS, EXCLUDE_COOKIES, EXCLUDE_HEADERS, EXCLUDE_KEYS,
};
enum exclusion_part {
	EXCLUDE_BODY, EXCLUDE_ALL_ARGS, EXCLUDE_ALL_COOKIES, EXCLUDE_ALL_HEADERS, EXCLUDE_FILES, EXCLUDE_PATH, EXCLUDE_QUERY,
	EXCLUDE_ANSWER, EXCLUDE_PARTS,
};
struct exclusion_text {
	struct exclusion_words {
		const struct bytes *at;
		size_t n;
	} words[EXCLUDE_KEYS];
	uint32_t parts; /* bits by enum exclusion_part */
};
struct exclusion;
/* For this ruleset, and others made of it by ruleset_tuned(). What is written must live as long. An
 * error names the key, the word, and the nearest that there is; rules that only sum up what others
 * found (949110) are refused. NULL: an error. */
const struct exclusion *exclusion_new(struct arena *, const struct ruleset *, const struct exclusion_text *, struct err *);

/* How inspection is done for one request of one app. */
struct inspect_options {
	size_t window;            /* body bytes held and inspected */
	size_t max_args, max_depth; /* 0: built-in bounds */
	const struct exclusion *const *exclusions; /* those whose path holds for this request */
	size_t nexclusions;
};

/* What the body is, from Content-Type or, without or with a false one, its looks. */
enum body_kind { BODY_KIND_NONE, BODY_URLENCODED, BODY_MULTIPART, BODY_JSON, BODY_XML, BODY_OPAQUE };

struct rules_scratch *rules_scratch_new(void); /* NULL: out of memory */
void rules_scratch_free(struct rules_scratch *);
/* One inspection in so many is timed, for ruleset_costs(); 0, as at the start: none. */
void rules_scratch_time(struct rules_scratch *, unsigned every);

struct inspection *inspection_new(struct arena *, const struct ruleset *, struct rules_scratch *,
				  const struct request *, const struct inspect_options *);
/* Runs the rules that need the head alone. */
const struct verdict *inspection_head(struct inspection *);

/* The body, in order, as payload bytes. *release is set to how many bytes of
 * the body, counted from its start, may go on to the upstream: 0 while it is
 * held, everything once it is known to be clean or passed the window, and for a
 * multipart body past the window up to the start of the field being read. */
enum body_flow {
	BODY_GO,
	BODY_HIT,      /* inspection_verdict() says what */
	BODY_TOO_LONG, /* structured and longer than the window: 413 */
	BODY_REFUSED,  /* past a bound of its parser (depth, arguments, parts): 400; verdict's error says which */
};
enum body_flow inspection_body(struct inspection *, struct bytes piece, uint64_t *release);
/* The body has ended; after GO everything may go on. A body that cannot be
 * parsed is inspected raw, and verdict's error says what was wrong with it. */
enum body_flow inspection_end(struct inspection *);
enum body_kind inspection_body_kind(const struct inspection *);
/* All hits so far, head and body; lives in the arena. */
const struct verdict *inspection_verdict(const struct inspection *);

/* ---- the answer (SecLang's phases 3 and 4) ----
 *
 *   inspection_answer -> while it says so: inspection_answer_body per piece, inspection_answer_end -> inspection_finish
 *
 * Only what looked at the request may look at its answer: the same inspection, kept until then. */

/* What inspection wants of the answer. */
enum answer_look {
	ANSWER_PASS,      /* nothing more: the head and the body may go */
	ANSWER_DENY,      /* inspection_verdict() says what; nothing of the answer has gone yet */
	ANSWER_WANT_BODY, /* hold the head; give the body, decoded, up to inspection_answer_window() bytes */
};

/* Runs phase 3. `coded`: the body has a Content-Encoding that the caller cannot take off. */
enum answer_look inspection_answer(struct inspection *, const struct response *, bool coded);
/* Bytes of a body that are inspected; what follows them passes. */
size_t inspection_answer_window(const struct inspection *);
/* Held and copied until the window is full or the end has come; then phase 4 runs once and the answer is PASS or DENY. */
enum answer_look inspection_answer_body(struct inspection *, struct bytes piece);
enum answer_look inspection_answer_end(struct inspection *);
/* Phase 5: rules that only look and log. Once, when the exchange is over; also of a request that was denied. */
void inspection_finish(struct inspection *);
#endif
