/* login.h -- an attempt to log in, and how it went.
 *
 * On a path that the app's `logins` name, by what they say of a failure; else, unless `learn_logins` is off, by what was
 * learned (logins_learned.h). Whatever inspection does: the name is read from the body that is held. */
#ifndef PROXY_LOGIN_H
#define PROXY_LOGIN_H
#include "proxy/exchange.h"
#include "proxy/login_outcome.h"

struct login_search; /* for a text of the answer's page */

/* Of an exchange that is watched; all zero: it is none. */
struct login_attempt {
	const struct login_config *config; /* NULL: none names it */
	struct bytes path;           /* of a route that is learned, or may be; at == NULL: no */
	bool known;                  /* a log-in route by either */
	bool tried;                  /* a name and a password were sent to `path` */
	struct bytes user;           /* the name's hash, which is a fact once the route is known; empty: none */
	struct login_search *search; /* NULL: the page does not tell */
};

/* By the head; before anything is read of the body. */
void login_expect(struct exchange *, struct login_attempt *);
/* Its body is to be held until it is whole, or longer than is read of one. */
bool login_holds_body(const struct exchange *);
/* What has been held: whose name it is. The request then asks for an answer that can be read. */
void login_read(struct exchange *, struct login_attempt *);
/* The head of the answer; LOGIN_BY_MARKER: its payload is to be shown to login_search_take(), and then login_page() asked. */
enum login_outcome login_answered(struct exchange *, struct login_attempt *);
/* `whole`: there was no more of it. */
enum login_outcome login_page(struct exchange *, struct login_attempt *, bool whole);

/* login_search.c: a text, across pieces, in the first 64 KiB. */
struct login_search *login_search_new(struct arena *, struct bytes text); /* NULL: out of memory */
void login_search_take(struct login_search *, struct bytes);
enum login_found { LOGIN_TEXT_FOUND, LOGIN_TEXT_ABSENT, LOGIN_TEXT_UNSURE } login_search_says(const struct login_search *, bool whole);
#endif
