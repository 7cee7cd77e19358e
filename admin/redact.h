/* redact.h -- secrets are taken out before anything is written down.
 *
 * A name is secret when a word of it is built in (password, token, cookie, authorization, ...; redact.c) or when it, or a
 * part of it, is configured. Names are compared without case and '-' as '_'; "user[password]", "login.password",
 * "newPassword" and "x-csrf-token" are secret too. */
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
/* The same of a name that may be percent-encoded. */
bool redact_is_secret_argument(const struct redact *, struct bytes name);
/* A query string: the values of secret names, and what looks like a secret in other values. */
void redact_query(struct text *, const struct redact *, struct bytes query);
/* The parameters of a path: ";jsessionid=..." up to the next '/'. */
void redact_path(struct text *, const struct redact *, struct bytes path);
/* A URL or a request's target: user info, path, query, fragment. */
void redact_url(struct text *, const struct redact *, struct bytes url);
/* value[from, to) of text in no known syntax: what follows a secret name and '=' or ':', and elements of a secret name,
 * however encoded. A name is looked for up to 8 KiB before `from`. */
void redact_loose(struct text *, const struct redact *, struct bytes value, size_t from, size_t to);
/* A body: as its Content-Type says, of forms and multipart; else as loose text. */
void redact_body(struct text *, const struct redact *, struct bytes content_type, struct bytes body);
#endif
