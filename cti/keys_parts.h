/* keys_parts.h -- what the keys*.c files share: keys.c has them in memory, keys_login.c checks passwords, keys_kept.c is
 * their tables. */
#ifndef CTI_KEYS_PARTS_H
#define CTI_KEYS_PARTS_H
#include "base/tries.h"
#include "cti/keys.h"

enum { PASSWORD_MAX = 256, SHA512 = 64 };

struct key {
	struct key_info info; /* first: what others are given */
	struct key *next;
	uint8_t hash[SHA512];  /* of a bouncer */
	uint64_t kept_seen_ms; /* as the table has it */
};

struct keys {
	struct store *store;
	struct key *bouncers, *machines; /* by name */
	size_t n;
	unsigned logins; /* under way */
	bool closing;
	struct tries tries;
};

struct key *keys_find(struct keys *, bool machine, struct bytes name);
void keys_free(struct keys *);

/* ---- the tables; all but the first are jobs of the store ---- */
bool keys_read(struct keys *, struct err *);
bool keys_keep_bouncer(struct keys *, const struct key *);
bool keys_keep_machine(struct keys *, const struct key *, struct bytes password); /* scrypt is part of the job */
bool keys_keep_seen(struct keys *, const struct key *);   /* and whether it is validated */
bool keys_keep_deleted(struct keys *, const struct key *);

struct password_check {
	struct store *store;
	char name[KEY_NAME_MAX], password[PASSWORD_MAX];
	size_t password_len;
	bool right;
};
void keys_check(struct sqlite3 *, struct password_check *); /* on the store's thread */
#endif
