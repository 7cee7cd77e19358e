/* challenge.h -- the remedies between yes and no.
 *
 * The ladder is wait, pow, captcha (enum challenge_level), then deny. Solving
 * gives a pass: a cookie that says up to which rung its bearer has shown himself,
 * for one app and user agent. A pass is good for a budget of requests and pages,
 * beyond which it counts for nothing until another is made; how many one network
 * gets is bounded too. A pass lifts challenges, never a deny.
 *
 * challenge.c         passes: found, weighed, made
 * challenge_answer.c  what somebody without one is answered
 * challenge_visit.c   the endpoints, /.embergate/...
 * challenge_token.h   the signed bytes; challenge_passes.h where passes are used;
 * challenge_class.h   who gets a page; challenge_page.h the page */
#ifndef PROXY_CHALLENGE_H
#define PROXY_CHALLENGE_H
#include "proxy/stages.h"

struct limits;

enum { CHALLENGE_DENY = CHALLENGE_CAPTCHA + 1 };

/* Takes cookies of ours out of the request, so that neither rules nor servers see them, and keeps them. */
void challenge_take_cookies(struct exchange *);
/* Does it bring a pass for that level, with budget left? Takes of the budget once. */
bool challenge_lifts(struct exchange *, unsigned level);
/* What stands for a level now: another one while the captcha's provider is down or where there
 * is none, CHALLENGE_NONE or CHALLENGE_DENY. `*bits` (may be NULL): how hard a proof of work is. */
unsigned challenge_stands(const struct exchange *, unsigned level, unsigned *bits);
/* The best pass that it brings; level 0: none holds. */
const struct token_pass *challenge_pass(struct exchange *);
/* What tokens and passes of this client are bound to. */
bool challenge_bind(const struct exchange *, uint8_t out[TOKEN_BIND]);

enum challenge_made { MADE, MADE_CROWDED, MADE_NONE };
/* A pass for a solved token. *cookie: the value of Set-Cookie. CROWDED: the network has had its share. */
enum challenge_made challenge_make(struct exchange *, const struct token *, unsigned level, struct bytes *cookie);

/* ---- challenge_answer.c ---- */
enum flow challenge_answer(struct exchange *); /* what the ruling says */
/* The page, with status and a challenge of that level for `target`. */
enum flow challenge_show(struct exchange *, unsigned status, unsigned level, struct bytes target);
/* The same with a token that is there already, `wait_s` before it may be shown again. */
enum flow challenge_show_again(struct exchange *, const struct token *, struct bytes text, unsigned wait_s);
enum challenge_say { SAY_PASSED, SAY_COOKIES, SAY_FAILED, SAY_CROWDED };
enum flow challenge_say(struct exchange *, unsigned status, enum challenge_say); /* a sentence */

/* Of a client's network: passes of the app that it was given and that still count, of how many. */
struct challenge_share { uint32_t used, of; };
struct challenge_share challenge_share_of(const struct app *, struct limits *, const struct ip *client, uint64_t now_ms);

void challenge_end(struct exchange *); /* nothing of it may outlive the exchange */
#endif
