/* peers.h -- inside admin/: what all gates of a cluster say to one question, `?nodes=all`.
 *
 *   peers_ask -> this gate's own route, and through Redis (cti/share_ask.h) that of every other, as a viewer
 *             -> a merge() of what came within half a second; who said nothing is named in `silent`
 *
 * A gate answers another only what a viewer may read, and nothing that would ask others in turn. The one question that changes
 * something is the offer of overrides (api_overrides.c), where `admin.cluster_writes` is on. */
#ifndef ADMIN_API_PEERS_H
#define ADMIN_API_PEERS_H
#include "admin/api/api.h"

struct peers_part { const char *node; const struct json *body; }; /* `{}`: 404, that gate has none */
struct peers_told {
	const struct peers_part *at; /* of gates that answered; this one, where it did, is the first */
	size_t n;
	const char *const *silent;
	size_t nsilent;
};
typedef void peers_merge(struct api_call *, const struct peers_told *); /* answers the call */

/* From admin_open and admin_close: other gates' questions are answered between them. */
void peers_open(struct admin *);
void peers_close(struct admin *);

extern const char *const api_all_nodes[]; /* the words of the parameter `nodes` */
bool peers_wanted(struct api_call *); /* `nodes=all`, and not asked by another gate */
/* target: "/events?limit=50", below /api/v1. Answers the call, if it cannot be asked now too. */
void peers_ask(struct api_call *, struct bytes target, peers_merge *);
void peers_ask_for(struct api_call *, struct bytes target, uint32_t wait_ms, peers_merge *); /* where an answer is work */
/* The same of `path` with the query as it came, less `nodes` and `limit`; `more` goes behind it, NULL: nothing. */
void peers_ask_as_it_came(struct api_call *, const char *path, const char *more, uint32_t wait_ms, peers_merge *);
/* The query as it came, less those parameters; each part begins with '&' or, the first, with '?'. */
void peers_query(struct api_call *, struct text *, const char *const *less, size_t n);

void peers_put_silent(struct json_out *, const struct peers_told *); /* "silent": [...] */
/* peers_events.c */
void peers_events(struct api_call *);
void peers_event(struct api_call *); /* the one that the path names, of the gate that keeps it */
/* peers_figures.c */
void peers_stats(struct api_call *);
void peers_series(struct api_call *);
void peers_top(struct api_call *);
/* peers_suggest.c */
void peers_suggestions(struct api_call *);
/* peers_notices.c */
void peers_notices(struct api_call *);
#endif
