/* behaviour.h -- an exchange as scenarios see it.
 *
 * Its facts are gathered as they become known, and the scenarios are asked at four points; what overflows is weighed by the
 * profiles, held for the next requests (cti/), and is the ruling of this very request. What the gate answers itself is no
 * behaviour of the app's: a refusal of ours never counts as a client's error, or it would feed itself. */
#ifndef PROXY_BEHAVIOUR_H
#define PROXY_BEHAVIOUR_H
#include "proxy/exchange.h"
#include "proxy/stages.h"

struct shared;

/* Of an exchange that is watched; in its arena. */
struct behaviour {
	struct facts facts;
	void *marks;                      /* scenarios.h: struct observe */
	const struct login_config *login; /* this is an attempt to log in; NULL: it is not */
	struct login_search *search;      /* for the marker of a failure; login.c; NULL: none */
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

/* login.c: an attempt to log in, and how it went. */
const struct login_config *login_of(const struct exchange *);
/* What is known once the head of the answer is there. */
enum login_outcome { LOGIN_UNKNOWN, LOGIN_FAILED, LOGIN_SUCCEEDED, LOGIN_BY_MARKER /* the page will tell */ };
enum login_outcome login_outcome(const struct login_config *, const struct response *);
/* A page with a marker must come whole and unpacked: the request no longer asks for anything else. */
void login_ask_plainly(const struct login_config *, struct request *);
struct login_search *login_search_new(struct arena *, struct bytes marker);
void login_search_take(struct login_search *, struct bytes);
/* `whole`: there was no more of it. */
enum login_outcome login_search_says(const struct login_search *, bool whole);
#endif
