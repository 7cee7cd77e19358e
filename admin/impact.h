/* impact.h -- inside admin/: what an exception would have let through, told before it is written.
 *
 * The same question as POST /exceptions/impact asks (suggest_ask.h), with a bound: a change never waits longer for it. */
#ifndef ADMIN_IMPACT_H
#define ADMIN_IMPACT_H
#include "admin/edit_hooks.h"
#include "admin/suggest_ask.h"

enum { IMPACT_DAYS = 7, IMPACT_MS = 2000 };

struct impact {
	bool known;
	struct suggest_impact unblock, open; /* as of a suggest_cluster */
	bool more;               /* alerts than were looked at */
	char why[256];           /* it is not known */
};

/* Copies what it is asked. Told once, perhaps at once, on the loop; the impact is good while it is told. */
void impact_ask(struct admin *, const struct edit_exception *, void (*done)(void *ctx, const struct impact *), void *ctx);

/* "would have let through 41 past requests of 37 clients; 0 of them otherwise bad" */
void impact_line(struct text *, const struct suggest_impact *unblock, const struct suggest_impact *open);
/* That line, or why there is none, and the diff: for the audit log. */
struct bytes impact_note(struct arena *, const struct impact *, struct bytes diff);
/* Those of the change, and its own: what is otherwise bad would pass, or that it is not known. */
struct edit_words impact_warnings(struct arena *, const struct impact *, const struct edit_words *);
void impact_json(struct json_out *, const char *key, const struct impact *); /* null where it is not known */
void impact_put(struct json_out *, const char *key, const struct suggest_impact *);
#endif
