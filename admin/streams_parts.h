/* streams_parts.h -- what the files behind streams.h share; nobody else's. */
#ifndef ADMIN_STREAMS_PARTS_H
#define ADMIN_STREAMS_PARTS_H
#include "admin/streams.h"
#include "admin/streams_nodes.h"

struct stream_client {
	struct stream_client *next, **link;
	struct streams *all;
	struct serve_request *http; /* NULL: it is gone, and the archive still owes an answer */
	struct caller caller;
	unsigned topics;
	bool all_gates;             /* events of other gates too */
	unsigned silent_told;       /* which of streams.silents it knows */
	struct streams_place place;
	bool asking, again;         /* for events behind `place.own`; there may be more of them */
};

struct streams {
	struct admin *admin;
	struct stream_client *first;
	unsigned n, beat;
	uint64_t dropped;
	struct deadline tick;
	struct streams_nodes nodes;
	struct streams_asking *asking; /* of other gates; NULL: nothing is under way */
	unsigned silents;              /* how often it changed who of them is silent, and one */
	char silent[512];              /* their names, as JSON */
	char self[64];
	bool draining;
};

bool streams_follows(const struct stream_client *, enum stream_topic);
bool streams_is_full(const struct stream_client *);
/* One event with the client's place as its id; where it follows all gates, `node` is put into it. */
void streams_write_event(struct stream_client *, const char *node, struct bytes json);
void streams_write(struct stream_client *, const char *event, struct bytes json);

/* ---- streams_peers.c ---- */

/* With each tick, and for who begins: asks the other gates what is behind the places of those that follow all, unless nobody does
 * or a question is under way. */
void streams_peers_look(struct streams *);
void streams_peers_close(struct streams *); /* what is answered now is told nobody */
#endif
