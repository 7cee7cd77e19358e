/* keys_login.c -- a password is checked on the store's thread, and guessing is made slow before that.
 *
 * Who guesses is counted by address and by name, in slots that several may share: that can only refuse the more. A name that
 * nobody has takes as long as a wrong password, so that names cannot be told apart. */
#include "cti/keys_parts.h"
#include "base/clock.h"
#include "base/hash.h"
#include <stdlib.h>

enum { OF_NAME = 3 * KEYS_LOGINS_A_MINUTE };

struct login {
	struct password_check check; /* first */
	struct keys *keys;
	size_t slots[2];
	void (*told)(void *, const struct key_info *, const char *);
	void *owner;
};

/* ---- tries ---- */

static bool may_try(struct keys *k, const size_t slots[2])
{
	static const unsigned most[2] = { KEYS_LOGINS_A_MINUTE, OF_NAME };
	uint32_t minute = (uint32_t)(clock_mono_ms() / 60000) + 1;

	for (size_t i = 0; i < 2; i++) {
		if (k->tries[slots[i]].minute != minute) {
			k->tries[slots[i]].minute = minute;
			k->tries[slots[i]].n = 0;
		}
		if (k->tries[slots[i]].n >= most[i])
			return false;
	}
	k->tries[slots[0]].n++;
	k->tries[slots[1]].n++;
	return true;
}

static void give_back(struct keys *k, const size_t slots[2])
{
	for (size_t i = 0; i < 2; i++)
		k->tries[slots[i]].n -= k->tries[slots[i]].n > 0;
}

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
		give_back(k, l->slots);
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
	struct ip by = ip_behaviour_key(from);
	size_t slots[2] = { hash_bytes((struct bytes){ (const char *)by.b, sizeof by.b }) % (SLOTS / 2),
			    SLOTS / 2 + hash_bytes(name) % (SLOTS / 2) };
	struct login *l;

	if (name.len == 0 || name.len >= KEY_NAME_MAX || password.len == 0 || password.len >= PASSWORD_MAX) {
		told(owner, NULL, "incorrect Username or Password");
		return;
	}
	if (!may_try(k, slots)) {
		told(owner, NULL, "too many logins; wait a minute");
		return;
	}
	l = calloc(1, sizeof *l);
	if (l) {
		*l = (struct login){ .keys = k, .slots = { slots[0], slots[1] }, .told = told, .owner = owner };
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
