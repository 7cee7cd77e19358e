/* api_replay.h -- inside admin/api/: requests and exceptions as the API takes them, outcomes as it tells them. */
#ifndef ADMIN_API_API_REPLAY_H
#define ADMIN_API_API_REPLAY_H
#include "admin/api/api.h"
#include "admin/replay.h"
#include "admin/rules_hooks.h"

extern const struct api_shape api_exception_shape, api_outcome_shape, api_request_shape;
extern const struct api_shape api_hit_shape; /* api_events.c */

/* Of JSON that has the shape; slices are the JSON's. False: err, of the client's. */
bool replay_read_request(struct arena *, const struct json *, struct replay_request *, struct err *);
bool replay_read_exception(struct arena *, const struct json *, struct replay_exception *, struct err *);
/* A list of them, at most REPLAY_EXCEPTIONS; NULL is none. */
enum { REPLAY_EXCEPTIONS = 32 };
bool replay_read_exceptions(struct arena *, const struct json *list, struct replay_job *, struct err *);

/* What a request of an outcome with a record came to; members of an object that is open. */
void api_put_outcome(struct json_out *, const struct replay_outcome *);
/* "hits" of a record, and "rules": the ids, each once. */
void api_put_hits(struct json_out *, const struct record *);

/* A job in an arena of its own, which whoever is told frees. NULL: it was answered. */
struct replay_job *api_replay_new(struct api_call *, void (*done)(struct replay_job *));
/* Takes the job over, and answers where too many wait. */
void api_replay_start(struct api_call *, struct replay_job *);
#endif
