/* stages.h -- the steps of an exchange, in the order in which they run.
 *
 * A step that must wait returns WAIT, and what it waits for calls
 * exchange_run(), which runs the same step again. ANSWERED: the client has its
 * answer (or has been cut); only the record is left. */
#ifndef PROXY_STAGES_H
#define PROXY_STAGES_H
#include "proxy/exchange.h"

enum flow { GO, WAIT, ANSWERED };

enum flow stage_client(struct exchange *);   /* request -> address (client_ip.h) */
enum flow stage_route(struct exchange *);    /* host -> app */
enum flow stage_visit(struct exchange *);    /* passes; /.embergate/... (challenge_visit.c) */
enum flow stage_bots(struct exchange *);     /* user agent, address -> bot, and the ruling on its kind (bots.c) */
enum flow stage_access(struct exchange *);   /* the app's own rules */
enum flow stage_limits(struct exchange *);   /* rate limits, sizes */
enum flow stage_attack(struct exchange *);   /* attack mode -> ruling (attack.c) */
enum flow stage_inspect(struct exchange *);  /* head -> verdict */
enum flow stage_body(struct exchange *);     /* held body -> verdict */
enum flow stage_remedy(struct exchange *);   /* ruling -> go on, or an answer of ours */
enum flow stage_forward(struct exchange *);  /* request -> head of the answer */
enum flow stage_vet(struct exchange *);      /* answer -> verdict */
enum flow stage_respond(struct exchange *);  /* both pumps, until both have ended */
enum flow stage_record(struct exchange *);   /* exchange -> event */

/* inspect.c: what the rules have said so far becomes the ruling. */
void inspect_heed(struct exchange *);
/* inspect.c: phase 5; what it found is told, but changes nothing any more. */
void inspect_finish(struct exchange *);
/* answer.c: writes a page of ours. Always ANSWERED. */
enum flow answer(struct exchange *, unsigned status, struct bytes detail);
enum flow answer_ruling(struct exchange *); /* what the ruling says */
enum flow answer_redirect(struct exchange *, unsigned status, struct bytes location);
/* With these fields and this body. */
enum { ANSWER_FIELDS_MAX = 10 };
enum flow answer_with(struct exchange *, unsigned status, const struct field *, size_t n, struct bytes body);
#endif
