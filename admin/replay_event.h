/* replay_event.h -- inside admin/: from an event that the archive kept to the request it was, as far as that was kept. */
#ifndef ADMIN_REPLAY_EVENT_H
#define ADMIN_REPLAY_EVENT_H
#include "admin/replay.h"
#include "base/json.h"

enum { REPLAY_NOTES = 12 };

/* All of it in the arena. */
struct replay_event {
	struct bytes id, app, action, would, source, path, pass, rule;
	unsigned status;
	int score, threshold;
	struct replay_request request;
	const struct record_hit *hits; /* rule, message, category, variable, score */
	size_t nhits;
	bool marked;                   /* by more than rules: it was held, or made scenarios overflow */
	bool whole;                    /* all that rules look at was kept, but for values that are secret */
	bool exact;                    /* and none was */
	struct bytes notes[REPLAY_NOTES];
	size_t nnotes;
};

/* `row` and `rest` of event_json.h, or twice what event_json_join() made of them. False: err. */
bool replay_event_read(struct arena *, const struct json *row, const struct json *rest, struct replay_event *, struct err *);
/* A line for people; what has no room is not told. */
void replay_event_note(struct arena *, struct replay_event *, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#endif
