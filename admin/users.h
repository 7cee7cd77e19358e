/* users.h -- inside admin/: the people who may use the API. In the store, and in memory.
 *
 *   users.c           who there is, and what they may
 *   users_link.c      one-time links: how a user comes to a password that nobody else has seen
 *   users_password.c  passwords and codes are checked, passwords made; slow by intent, on the store's thread
 *   users_totp.c      the second factor
 *
 * There is no default password: while no administrator can log in, a link makes the first. The last one who can is never
 * removed. Whoever removes a user, or changes role or password, ends the sessions too (sessions.h). Control thread only. */
#ifndef ADMIN_USERS_H
#define ADMIN_USERS_H
#include "admin/api/door.h"
#include "admin/codes.h"
#include "base/store.h"

enum {
	USERS_MAX = 256, USER_NAME_MAX = 64,
	USER_PASSWORD_MIN = 10, USER_PASSWORD_MAX = 256, /* bytes; NIST SP 800-63B: length, no rules on kinds of letters */
	USER_RECOVERY_CODES = 10,
	USER_LINK_MS = 15 * 60 * 1000, USER_LINK_TEXT = ADMIN_LINK_MAX,
};

struct users;
/* `key` seals the second factors' secrets. */
struct users *users_open(struct store *, struct loop *, const uint8_t key[32], struct err *); /* reads them all before it returns */
void users_close(struct users *); /* what is being checked is told that it failed; NULL is allowed */

struct user_info {
	char name[USER_NAME_MAX];
	enum role role;
	bool totp, has_password;
	uint64_t made_ms, seen_ms; /* seen: logged in last; 0: never */
};
const struct user_info *users_find(const struct users *, struct bytes name); /* NULL: there is none. Good until it is deleted */
size_t users_list(const struct users *, struct user_info *, size_t max);     /* by name; returns how many there are */
bool users_are_set_up(const struct users *); /* an administrator can log in */

bool user_name_is(struct bytes); /* 1 to 63 letters, digits and . _ @ - */
/* Without a password yet. */
bool users_add(struct users *, struct bytes name, enum role, struct err *);
bool users_set_role(struct users *, struct bytes name, enum role, struct err *);
bool users_delete(struct users *, struct bytes name, struct err *);

/* ---- links ---- */
/* A code that whoever has it sets a password with, once, within 15 minutes: of that user (who is then without a second
 * factor), or of a new administrator where the name is empty. One made anew replaces the one before. */
bool users_link(struct users *, struct bytes name, char code[CODE_TEXT], struct err *);
/* The same as a person opens it. url NULL: no browser reaches this gate; then it begins with '#'. */
bool users_link_text(struct users *, const char *url, struct bytes name, char link[USER_LINK_TEXT], struct err *);
enum user_link { LINK_NONE, LINK_NEW, LINK_USER };
/* LINK_USER: *name is whose. */
enum user_link users_link_is(const struct users *, struct bytes code, struct bytes *name);

/* ---- passwords: `told` once, perhaps at once ---- */
enum user_answer { USER_IN, USER_WRONG, USER_CODE_WANTED, USER_WAIT, USER_BUSY };
struct user_check {
	struct bytes name, password, code; /* code: of TOTP, or one of the recovery codes */
	const struct ip *from;
	bool password_only;
};
/* Too many that fail are not looked at (base/tries.h): USER_WAIT, and for how long. */
void users_check(struct users *, const struct user_check *,
		 void (*told)(void *owner, enum user_answer, unsigned wait_s), void *owner);
/* Is one more refusal worth a line of the audit log? 60 a minute are, so that guessing cannot fill the disk. *silent: how many
 * were not, before this one. */
bool users_refusal_counts(struct users *, uint64_t *silent);
bool user_password_is(struct bytes, struct bytes name, struct err *); /* good enough to be one */
/* e NULL: it is set. `code`: of the link that allows it, which is spent by it; a new administrator's makes the user too.
 * Empty: it is allowed already. */
void users_set_password(struct users *, struct bytes name, struct bytes password, struct bytes code,
			void (*told)(void *owner, const struct err *e), void *owner);

/* ---- the second factor ---- */
/* A new secret (Base32), not in force before a code of it has come. */
bool users_totp_begin(struct users *, struct bytes name, char secret[CODE_TEXT]);
bool users_totp_on(struct users *, struct bytes name, struct bytes code,
		   char recovery[USER_RECOVERY_CODES][CODE_TEXT], struct err *);
bool users_totp_off(struct users *, struct bytes name);
#endif
