/* upload.h -- the request's body: from the client, through inspection, held
 * until it may go on, to the server. */
#ifndef PROXY_UPLOAD_H
#define PROXY_UPLOAD_H
#include "proxy/exchange.h"

void upload_start(struct exchange *);
void upload_free(struct exchange *);
/* Takes body bytes off the front of `in`; returns the rest, which belongs to the
 * next request. The exchange may be gone afterwards. */
struct bytes upload_take(struct exchange *, struct bytes in);
/* Sends what may go: `head` in front the first time. False: the server takes no
 * more; its answer may still come. */
bool upload_pump(struct exchange *, struct bytes head);
/* Could all of it be sent once more? */
bool upload_replayable(const struct exchange *);
void upload_rewind(struct exchange *);
/* An answer has begun: what was kept for a retry may go. */
void upload_forget(struct exchange *);
#endif
