/* propose.h -- inside admin/: the exception to write if what was denied was legitimate. */
#ifndef ADMIN_PROPOSE_H
#define ADMIN_PROPOSE_H
#include "admin/replay.h"
#include "base/json_out.h"

/* What a rule matched on, as an exception names it. WHOLE: nothing but the rule itself can be. */
enum propose_key { PROPOSE_WHOLE, PROPOSE_ARGS, PROPOSE_COOKIES, PROPOSE_HEADERS, PROPOSE_PARTS };
struct propose_target {
	enum propose_key key;
	struct bytes name;        /* of a part: its word */
	enum exclusion_part part; /* of PARTS */
};
struct propose_target propose_target(struct bytes variable); /* "ARGS:q", "URI" */
bool propose_same(const struct propose_target *, const struct propose_target *);
const char *propose_key_word(enum propose_key); /* "args"; "" of WHOLE */
const char *propose_word(enum exclusion_key); /* as the configuration calls them */
const char *propose_part_word(enum exclusion_part);
/* False: the rule only sums up what others found. */
bool propose_counts(const struct record_hit *);
/* As an exception reads it: decoded. */
struct bytes propose_path(struct arena *, struct bytes path);

/* One for each set of rules that matched, with the arguments, cookies, fields or parts that these rules matched on and
 * nothing else, for this path; in the arena, but for words, which are the hits'. 0: no rule that looks at the request matched. */
size_t propose(struct arena *, struct bytes path, const struct record_hit *, size_t n, const struct replay_exception **out);
/* The same as lines of the configuration. */
void propose_exceptions(struct text *, const struct record *);
/* As a list of objects, as POST /exceptions takes them but for app and reason. */
void propose_list(struct json_out *, const char *key, const struct record *);
void propose_json(struct json_out *, const char *key, const struct replay_exception *);
void propose_yaml(struct text *, const struct replay_exception *); /* "{path: ..., rules: [...], ...}" */
#endif
