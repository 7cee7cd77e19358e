/* share_ask.h -- a gate asks the others, and each answers for itself.
 *
 *   share_ask ->  a message in {P}:told that names the question        -> the others: asked()
 *   told() <-  all have answered, or the time is over  <-  {P}:answer:ID:GATE, each signed, named in {P}:told
 *
 * A question has a random number of 64 bits, and an answer is signed for that number and that gate, so none can stand for
 * another. What comes too late is dropped and counted; in Redis it is gone after two seconds. Who does not answer is named.
 * What is asked and answered are bytes to this file. Control thread. */
#ifndef CTI_SHARE_ASK_H
#define CTI_SHARE_ASK_H
#include "cti/share.h"

enum { SHARE_ASK_MS = 500, SHARE_QUESTION_MAX = 900, SHARE_ANSWER_MAX = 1280 << 10 /* an event with all its parts */ };

struct share_answers {
	const struct share_answered { const char *name; struct bytes body; } *at; /* by gates of that name */
	size_t n;
	const char *const *silent; /* names of those heard of in the last hour that did not answer */
	size_t nsilent;
};
/* wait_ms: SHARE_ASK_MS, unless the answer is work. `told` once, perhaps at once; what it is given lives while it runs. False: it is too long, there are too many questions, or
 * memory is short; `told` is not called. */
bool share_ask(struct share *, struct bytes what, uint32_t wait_ms, void (*told)(void *owner, const struct share_answers *), void *owner);

/* Another gate's question, until it is answered. */
struct share_question;
/* Who answers; asked NULL: nobody any more. It owes each question one share_answer(), now or later. */
void share_on_ask(struct share *, void (*asked)(void *ctx, struct share_question *, struct bytes what), void *ctx);
/* Too long a body, or an empty one, is no answer; the other gate calls this one silent. */
void share_answer(struct share_question *, struct bytes body);
#endif
