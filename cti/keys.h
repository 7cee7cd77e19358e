/* keys.h -- who may speak to the local API: bouncers by key, machines by password. In the store.
 *
 * A key is 256 random bits, shown once, kept as its SHA-512 (CrowdSec's form); a password is kept by scrypt. Looking a key up
 * is a look into memory; checking a password is slow by intent and has the store's thread. When a bouncer or machine was seen
 * last is written once a minute at most. One thread: the loop's that keys_login() is given. */
#ifndef CTI_KEYS_H
#define CTI_KEYS_H
#include "base/store.h"
#include "base/ip.h"
#include "base/text.h"

enum key_scope { KEY_BOUNCER = 1, KEY_APPSEC = 2, KEY_TRUSTED = 4 /* appsec: may name a client's address */ };
enum { KEYS_MAX = 4096, KEY_NAME_MAX = 64, KEY_WANTED_MIN = 16 };

struct keys;
struct keys *keys_open(struct store *, struct err *); /* reads them all before it returns; the store outlives them */
void keys_close(struct keys *); /* a login that is under way is told that it failed; NULL is allowed */

struct key_info {
	char name[KEY_NAME_MAX], version[64], kind[32]; /* as its User-Agent said */
	unsigned scopes;        /* of a bouncer; 0: a machine */
	bool validated;         /* of a machine */
	uint64_t made_ms, seen_ms;
	char address[48];
};
/* A name is 1 to 63 letters, digits and . _ @ : -. `wanted`: a key that another gate made, so that a bouncer may ask
 * either; empty: one is made. */
bool keys_add_bouncer(struct keys *, struct bytes name, unsigned scopes, struct bytes wanted, char secret[65], struct err *);
/* By whoever runs `cscli lapi register`: not validated until an administrator does. */
bool keys_add_machine(struct keys *, struct bytes name, struct bytes password, bool validated, struct err *);
bool keys_validate(struct keys *, struct bytes name);
bool keys_delete(struct keys *, bool machine, struct bytes name);
size_t keys_list(struct keys *, bool machine, struct key_info *, size_t max); /* by name; returns how many there are */

/* NULL: no such key. Good until it is deleted; note its use by keys_seen(). */
const struct key_info *keys_bouncer(struct keys *, struct bytes key);
/* `told`, perhaps at once: NULL: wrong, or not validated (why says which, CrowdSec's words). How many that fail are looked at
 * is said by base/tries.h. */
void keys_login(struct keys *, struct loop *, struct bytes name, struct bytes password, const struct ip *from,
		void (*told)(void *owner, const struct key_info *, const char *why), void *owner);
/* The machine of that name, for whom a token was given; NULL: it was deleted, or is not validated. */
const struct key_info *keys_machine(struct keys *, struct bytes name);
void keys_seen(struct keys *, const struct key_info *, struct bytes agent, const struct ip *from);
#endif
