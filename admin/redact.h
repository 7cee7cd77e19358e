/* redact.h -- secrets are taken out before anything is written down.
 *
 * A name is secret when it is built in (passwords, tokens, cookies,
 * Authorization) or configured. Names are compared without case, '-' as '_',
 * and by segment: "user[password]" and "login.password" are secret too. */
#ifndef ADMIN_REDACT_H
#define ADMIN_REDACT_H
#include "base/text.h"

struct redact {
	const struct bytes *names;
	size_t n;
};

extern const struct bytes redacted; /* what stands in a secret's place */

/* `redact` may be NULL everywhere. */
bool redact_is_secret(const struct redact *, struct bytes name);
/* A query string: the values of secret names, which may be percent-encoded. */
void redact_query(struct text *, const struct redact *, struct bytes query);
/* value[from, to) of text in no known syntax (a URI, a raw body): what follows
 * a secret name and '=' or ':'. A name is looked for up to 2 KiB before `from`. */
void redact_loose(struct text *, const struct redact *, struct bytes value, size_t from, size_t to);
/* A body: as its Content-Type says, of forms and multipart; else as loose text. */
void redact_body(struct text *, const struct redact *, struct bytes content_type, struct bytes body);
#endif
