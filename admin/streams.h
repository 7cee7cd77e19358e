/* streams.h -- inside admin/: who follows what happens, by server-sent events (GET /api/v1/stream).
 *
 *   security   an event as in a list, `id` its number in the archive: read from there and not from memory, so that whoever
 *              comes back with Last-Event-ID misses nothing, whichever process answers. Of all gates where that is wanted
 *              (streams_peers.c): `id` is then a place at each (streams_place.h)
 *   tail       of all gates: who of them is silent, and how many events of one were left out
 *   stats      the figures of now, once a second; one that its client has no room for is left out, and counted
 *   config, node   what others tell, as it happens
 *
 * At most STREAMS_MAX. A client that takes nothing for ten seconds is cut by base/serve, and goes on where it was when it
 * comes back: nothing waits for it meanwhile. While nobody follows no clock runs. The loop's thread. */
#ifndef ADMIN_STREAMS_H
#define ADMIN_STREAMS_H
#include "admin/api/door.h"
#include "admin/streams_place.h"
#include "base/serve.h"

enum { STREAMS_MAX = 32, STREAMS_BEAT_S = 15 };

enum stream_topic { STREAM_STATS, STREAM_SECURITY, STREAM_NODE, STREAM_CONFIG, STREAM_TOPICS };
bool streams_topic(struct bytes word, enum stream_topic *);

struct streams;
struct streams *streams_open(struct admin *);
void streams_close(struct streams *); /* ends them all; NULL is allowed */
/* Ends them all, and each that comes at once, so that they come to the successor. */
void streams_drain(struct streams *);

struct streams_wanted {
	unsigned topics;            /* a bit each */
	bool all_gates;             /* events of the whole cluster */
	struct streams_place place; /* that its client saw last */
};
/* Takes the request over. It ends when the session or token of whoever asked does. False: there are too many. */
bool streams_add(struct streams *, struct serve_request *, const struct caller *, const struct streams_wanted *);
/* To all that follow it. */
void streams_tell(struct streams *, enum stream_topic, struct bytes json);

uint64_t streams_dropped(const struct streams *); /* that a client had no room for: figures, news of reloads and gates */
#endif
