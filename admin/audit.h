/* audit.h -- inside admin/: who changed what, for good. In the store.
 *
 * Entries are only ever added. Each has the SHA-256 of the one before it and of itself, so that changing or taking one away
 * breaks the chain behind it (GET /api/v1/audit/check walks it). Whoever can write the file can also make the whole chain
 * anew: each hash is in the gate's own log too, which may be kept elsewhere. */
#ifndef ADMIN_AUDIT_H
#define ADMIN_AUDIT_H
#include "admin/api/door.h"
#include "base/store.h"

enum { AUDIT_SUBJECT_MAX = 1 << 10, AUDIT_DETAIL_MAX = 64 << 10, AUDIT_HASH = 32 };

struct audit;
struct audit *audit_open(struct store *, struct err *); /* the store outlives it */
void audit_close(struct audit *);                       /* none of its jobs is under way in the store; NULL is allowed */

/* Whoever changes something says so, once it is done. action: a word, "decision.add"; subject: what it was done to;
 * detail: text, a diff perhaps. Both are cut at their bound. Returns at once; control thread only. */
void audit_note(struct admin *, const struct caller *, const char *action, struct bytes subject, struct bytes detail);

struct audit_entry {
	uint64_t id, time_ms; /* ids go up by one */
	struct bytes user, way, address, action, subject, detail;
	uint8_t hash[AUDIT_HASH];
};

/* ---- on the store's thread ---- */

/* Newest first. user empty: everyone's; before 0: from the last. False: the store failed. */
bool audit_read(struct sqlite3 *, struct bytes user, uint64_t before, unsigned limit,
		void (*each)(void *ctx, const struct audit_entry *), void *ctx);

/* Where a walk along the chain is; zero is its beginning. */
struct audit_walk {
	const struct audit *audit;
	uint64_t entries, broken_at; /* id of the first that does not follow from those before it; 0: none */
	uint8_t hash[AUDIT_HASH];    /* of the last one seen */
	bool over;
};
/* Goes on for at most `most` entries; false: the store failed. */
bool audit_check(struct sqlite3 *, struct audit_walk *, unsigned most);
#endif
