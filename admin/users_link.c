/* users_link.c -- one-time links. */
#include "admin/users_parts.h"
#include "base/clock.h"
#include <stdio.h>

bool users_link(struct users *us, struct bytes name, char code[CODE_TEXT], struct err *e)
{
	struct user *u = name.len ? user_find(us, name) : NULL;
	uint64_t until = clock_wall_ms() + USER_LINK_MS;

	if (name.len && !u)
		return err_set(e, SIDE_CLIENT, 404, "there is no user '%.*s'", BYTES_ARG(bytes_sub(name, 0, USER_NAME_MAX)));
	if (!code_make(CODE_LINK_BYTES, code) || !code_hash(bytes_of(code), u ? u->link : us->link))
		return err_set(e, SIDE_SELF, 0, "no code can be made");
	*(u ? &u->link_until_ms : &us->link_until_ms) = until;
	return !u || user_keep(us, u) || err_set(e, SIDE_SELF, 0, "it could not be kept");
}

bool users_link_text(struct users *us, const char *url, struct bytes name, char link[USER_LINK_TEXT], struct err *e)
{
	char code[CODE_TEXT];

	if (!users_link(us, name, code, e))
		return false;
	snprintf(link, USER_LINK_TEXT, "%s%s#setup=%s", url ? url : "", url ? "/" : "", code);
	return true;
}

enum user_link users_link_is(const struct users *us, struct bytes code, struct bytes *name)
{
	uint64_t now = clock_wall_ms();
	enum user_link is = LINK_NONE;
	uint8_t hash[CODE_HASH];

	if (!code_hash(code, hash))
		return LINK_NONE;
	if (us->link_until_ms > now && tls_same(hash, us->link, sizeof hash))
		is = LINK_NEW;
	for (const struct user *u = us->first; u; u = u->next)
		if (u->link_until_ms > now && tls_same(hash, u->link, sizeof hash)) {
			*name = bytes_of(u->info.name);
			is = LINK_USER;
		}
	return is;
}
