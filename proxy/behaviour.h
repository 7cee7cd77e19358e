/* behaviour.h -- an exchange as scenarios see it.
 *
 * Its facts are gathered as they become known, and the scenarios are asked at four points; what overflows is weighed by the
 * profiles, held for the next requests (cti/), and is the ruling of this very request. What the gate answers itself is no
 * behaviour of the app's: a refusal of ours never counts as a client's error, or it would feed itself. */
#ifndef PROXY_BEHAVIOUR_H
#define PROXY_BEHAVIOUR_H
#include "proxy/exchange.h"
#include "proxy/login.h"
#include "proxy/stages.h"

struct shared;

/* Of an exchange that is watched; in its arena. */
struct behaviour {
	struct facts facts;
	void *marks;                      /* scenarios.h: struct observe */
	struct login_attempt login;
	bool answered;                    /* its answer has been seen */
	bool over;                        /* and has gone: what overflows now is told, and held for the next request */
};

/* pipeline.c's rows: what is held against the client; the head; the body. */
enum flow stage_reputation(struct exchange *);
enum flow stage_observe_head(struct exchange *);
enum flow stage_observe_body(struct exchange *);
/* The head of the server's answer; before a byte of it has gone. */
void behaviour_answer(struct exchange *);
/* Payload of the answer, as it passes. */
void behaviour_answer_bytes(struct exchange *, struct bytes);
/* Both ways have ended. */
void behaviour_end(struct exchange *);
/* An event of another server's log. The agent's thread; the site must not go meanwhile. */
void behaviour_log_event(struct shared *, const struct site *, struct observer *, struct facts *);
/* What another gate poured (scenarios_heard()). Control thread. */
void behaviour_heard(struct shared *, const struct site *, struct observer *, struct bytes message);
/* What an agent's alert is worth, by the profiles; false: nothing. */
struct alert;
bool behaviour_profile(struct shared *, const struct site *, const struct alert *, struct arena *, struct decision *out);
/* Who is never held, by the configuration that is in force: the hops that are trusted. Control thread. */
void behaviour_spare(struct shared *, const struct site *);
/* Control thread, every second or two: ends counters, forgets what is over. */
void behaviour_tick(struct shared *, const struct site *, struct observer *);

/* behaviour_facts.c: what the head tells; and a keyed hash, 32 digits, of what is never kept in clear. From the arena. */
void behaviour_gather(struct exchange *, struct behaviour *);
struct bytes behaviour_hash(struct exchange *, struct bytes what, struct bytes);
#endif
