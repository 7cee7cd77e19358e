/* keys_login.c -- a password is checked on the store's thread, and guessing is made slow before that. A name that nobody has
 * takes as long as a wrong password, so that names cannot be told apart. */
#include "cti/keys_parts.h"
#include <stdlib.h>

struct login {
	struct password_check check; /* first */
	struct keys *keys;
	struct try try;
	void (*told)(void *, const struct key_info *, const char *);
	void *owner;
};

/* ---- a login ---- */

static void run(struct sqlite3 *db, void *login)
{
	struct login *l = login;

	keys_check(db, &l->check);
	memset(l->check.password, 0, sizeof l->check.password);
}

static void done(void *login)
{
	struct login *l = login;
	struct keys *k = l->keys;
	struct key *key = l->check.right && !k->closing ? keys_find(k, true, bytes_of(l->check.name)) : NULL;
	char why[KEY_NAME_MAX + 32];

	if (key && key->info.validated) {
		tries_give_back(&k->tries, &l->try);
		l->told(l->owner, &key->info, NULL);
	} else {
		snprintf(why, sizeof why, "machine %s not validated", l->check.name);
		l->told(l->owner, NULL, key ? why : "incorrect Username or Password");
	}
	free(l);
	if (--k->logins == 0 && k->closing)
		keys_free(k);
}

void keys_login(struct keys *k, struct loop *loop, struct bytes name, struct bytes password, const struct ip *from,
		void (*told)(void *, const struct key_info *, const char *), void *owner)
{
	struct try try;
	struct login *l;

	if (name.len == 0 || name.len >= KEY_NAME_MAX || password.len == 0 || password.len >= PASSWORD_MAX) {
		told(owner, NULL, "incorrect Username or Password");
		return;
	}
	if (tries_take(&k->tries, from, name, &try)) {
		told(owner, NULL, "too many logins; wait a minute");
		return;
	}
	l = calloc(1, sizeof *l);
	if (l) {
		*l = (struct login){ .keys = k, .try = try, .told = told, .owner = owner };
		l->check.store = k->store;
		memcpy(l->check.name, name.at, name.len);
		memcpy(l->check.password, password.at, password.len);
		l->check.password_len = password.len;
	}
	if (!l || !store_do(k->store, run, loop, done, l)) {
		free(l);
		told(owner, NULL, "too busy");
		return;
	}
	k->logins++;
}
