/* vet.h -- the answer meets the rules before the client does.
 *
 *   vet_head -> while down.held: vet_take per piece, the last with down.done
 *
 * While it is held nothing of the answer has gone. A verdict either releases it
 * (respond_release) or becomes the ruling, which stage_vet tells the client. None
 * of these ends the exchange: who calls them runs it afterwards. */
#ifndef PROXY_VET_H
#define PROXY_VET_H
#include "proxy/exchange.h"

/* The slices of down.head must live as long as the exchange. */
void vet_head(struct exchange *);
void vet_take(struct exchange *, struct bytes payload);
void vet_free(struct exchange *);
#endif
