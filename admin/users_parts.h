/* users_parts.h -- what the users*.c files share. */
#ifndef ADMIN_USERS_PARTS_H
#define ADMIN_USERS_PARTS_H
#include "admin/users.h"
#include "base/tls.h"
#include "base/tries.h"

struct user {
	struct user_info info; /* first: what others are given */
	struct user *next;
	struct tls_password password;                          /* where info.has_password */
	uint8_t sealed[CODE_TOTP_BYTES + TLS_SEAL];            /* where info.totp: the secret, as it is kept */
	uint8_t secret[CODE_TOTP_BYTES];                       /* where knows_secret */
	bool knows_secret;                                     /* else it was sealed by another installation: only recovery codes count */
	uint64_t step;                                         /* whose code came last */
	uint8_t recovery[USER_RECOVERY_CODES][CODE_HASH];      /* those that are left */
	unsigned nrecovery;
	uint8_t link[CODE_HASH];
	uint64_t link_until_ms;                                /* 0: there is none */
	uint8_t wanted_secret[CODE_TOTP_BYTES];                /* of TOTP that is being set up; not kept */
	bool wants_secret;
};

struct users {
	struct store *store;
	struct loop *loop;
	uint8_t key[32];       /* of what is sealed */
	struct user *first;    /* by name */
	size_t n;
	uint8_t link[CODE_HASH]; /* for a new administrator; not kept */
	uint64_t link_until_ms;
	struct tries tries;
	uint64_t refusals_minute, refusals_silent;
	unsigned refusals;     /* in that minute */
	unsigned checks;       /* on the store's thread, or on their way */
	bool closing;
};

struct user *user_find(const struct users *, struct bytes name);
bool user_keep(struct users *, const struct user *); /* false: the store takes no more */
void users_free(struct users *);
#endif
