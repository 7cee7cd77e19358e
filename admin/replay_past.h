/* replay_past.h -- inside admin/: an event of the archive once more before the rules of now; for the API and ctl.
 *
 *   id -> archive -> replay_event -> a job -> done */
#ifndef ADMIN_REPLAY_PAST_H
#define ADMIN_REPLAY_PAST_H
#include "admin/guest.h"
#include "admin/replay_event.h"

struct replay_past {
	struct admin *admin;
	struct replay_event event;
	struct replay_job job;  /* exceptions may be put into it before the start, from its arena */
	/* Once, on the loop; everything is gone when it returns. NULL: job.outcomes[0] is what it comes to now. */
	void (*done)(struct replay_past *, const struct err *);
	void *ctx;
};

struct replay_past *replay_past_new(struct admin *); /* NULL: out of memory */
/* Owns it from now on, also where done() is called before it returns. */
void replay_past_start(struct replay_past *, struct bytes id);
void replay_past_free(struct replay_past *); /* of one that was not started */
#endif
