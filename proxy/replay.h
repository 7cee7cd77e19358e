/* replay.h -- the thread that judges what is not on its way: admin/replay.h says what it is asked and tells.
 *
 * It has a scratch of its own and a bounded queue, holds the site while it works, and runs at a low priority: whatever it is
 * asked, the data path does not wait for it. */
#ifndef PROXY_REPLAY_H
#define PROXY_REPLAY_H
#include "admin/replay.h"
#include "base/loop.h"
#include "proxy/site.h"

struct replay;
struct replay *replay_new(struct loop *, struct err *); /* NULL: err. The thread starts with the first job */
/* By this site, running or only built. False: too many wait. Control thread. */
bool replay_take(struct replay *, struct site *, struct replay_job *);
/* After the job in hand; those that wait are freed with their arenas, and not told. NULL is allowed. */
void replay_free(struct replay *);

/* As it would come to this app; at == NULL: it is too long. */
struct bytes replay_head(struct arena *, const struct app_config *, const struct replay_request *);
/* The judging itself, on any thread; told in the job. */
void replay_judge(const struct site *, struct rules_scratch *, struct replay_job *);
#endif
