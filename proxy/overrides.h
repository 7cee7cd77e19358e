/* overrides.h -- the file of changes: read, changed, printed.
 *
 * Comments that stand on lines of their own above an entry are kept with it; others are not. Who changed an entry, and when,
 * is such a comment: "# by anna, 2026-11-24T20:02:06Z". Everything lives in the arena. */
#ifndef PROXY_OVERRIDES_H
#define PROXY_OVERRIDES_H
#include "base/yaml.h"

enum { OVERRIDES_MAX = 512 << 10 }; /* bytes of the file */

struct overrides;
/* An empty text has a head of our own. NULL: err, with file, line and column. */
struct overrides *overrides_read(struct arena *, struct bytes text, const char *name, struct err *);

/* note: of who changes, one line; it replaces the one that is there. */

/* The value of a key of an app ("waf.mode"; short forms become long ones). NULL: the key goes, and what it leaves empty. */
bool overrides_set(struct overrides *, struct bytes app, const char *key, const struct yaml_node *value, struct bytes note,
		   struct err *);
/* One more entry of a list of an app. */
bool overrides_add(struct overrides *, struct bytes app, const char *list, const struct yaml_node *entry, struct bytes note,
		   struct err *);
/* Takes out the entry of a list that begins in that line; false: there is none. */
bool overrides_drop(struct overrides *, struct bytes app, const char *list, unsigned line, struct err *);

/* at == NULL: out of memory, or larger than OVERRIDES_MAX. */
struct bytes overrides_print(struct arena *, const struct overrides *);

/* Who made what begins in that line, and when, from the comment above it; empty: nobody says. */
void overrides_maker(struct bytes text, unsigned line, struct bytes *by, struct bytes *made);
/* "by NAME, TIME" */
struct bytes overrides_note(struct arena *, struct bytes by, uint64_t wall_ms);
#endif
