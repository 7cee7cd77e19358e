/* login_form.h -- is what was sent a name and a password?
 *
 * By the names of its fields, as apps and frameworks have them. Exactly one password and nothing that speaks of a second one:
 * who registers, or changes a password, does not log in. */
#ifndef PROXY_LOGIN_FORM_H
#define PROXY_LOGIN_FORM_H
#include "base/arena.h"

enum { LOGIN_NAME_MAX = 320 }; /* bytes of a name; the rest is cut: no address of mail is longer (RFC 5321) */

struct login_form {
	struct bytes wanted;          /* the field that holds the name, as configured; at == NULL: to be guessed */
	char name[LOGIN_NAME_MAX];    /* trimmed, in lower case; empty: there is none */
	size_t len;
	unsigned rank;                /* of the field that it came from; 0: none yet */
	unsigned passwords;
	bool is_other;                /* a form of another kind */
};

/* A field of it; to be given to form_read(). ctx: the form. */
void login_form_field(void *ctx, struct bytes name, struct bytes value);
bool login_form_is_login(const struct login_form *);
/* A cheap look beforehand: may there be a password in it? */
bool login_form_may_be(struct bytes body);
/* What a path is called by which others than a login are reached. */
bool login_form_is_elsewhere(struct bytes path);
#endif
