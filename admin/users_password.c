/* users_password.c -- passwords are checked and made on the store's thread: each takes a tenth of a second.
 *
 * Few at once, since what else the store does waits behind them. A user who is not there, or has no password yet, takes as
 * long as a wrong password. What is a second factor is looked at only behind the right password, and its guesses count as
 * those of the password do. */
#include "admin/users_parts.h"
#include "base/clock.h"
#include <stdlib.h>

enum { CHECKS_MAX = 8, REFUSALS_A_MINUTE = 60 };

/* ---- on the store's thread ---- */

struct job {
	struct users *users;
	char name[USER_NAME_MAX], text[USER_PASSWORD_MAX], code[CODE_TEXT];
	size_t nname, ntext, ncode;
	struct tls_password password; /* that is checked, or made */
	bool known, password_only;
	bool good;                    /* it is right; it is made */
	struct try try;
	void (*told)(void *, enum user_answer, unsigned);
	void (*set)(void *, const struct err *);
	void *owner;
};

static struct bytes name_of(const struct job *j)
{
	return (struct bytes){ j->name, j->nname };
}

static struct bytes text_of(const struct job *j)
{
	return (struct bytes){ j->text, j->ntext };
}

static struct bytes code_of(const struct job *j)
{
	return (struct bytes){ j->code, j->ncode };
}

static void run_check(struct sqlite3 *db, void *job)
{
	struct job *j = job;

	(void)db;
	j->good = tls_password_is(text_of(j), j->known ? &j->password : NULL);
}

static void run_make(struct sqlite3 *db, void *job)
{
	struct job *j = job;

	(void)db;
	j->good = tls_password_make(text_of(j), &j->password);
}

static bool take_text(char *to, size_t cap, size_t *n, struct bytes from)
{
	*n = from.len;
	if (from.len > cap)
		return false;
	if (from.len)
		memcpy(to, from.at, from.len);
	return true;
}

static void forget(struct job *j)
{
	struct users *us = j->users;

	explicit_bzero(j, sizeof *j);
	free(j);
	if (--us->checks == 0 && us->closing)
		users_free(us);
}

/* NULL: there are too many, or what is to be taken is too long for anyone to have. */
static struct job *job_new(struct users *us, struct bytes name, struct bytes text, struct bytes code)
{
	struct job *j = us->checks < CHECKS_MAX ? calloc(1, sizeof *j) : NULL;

	if (!j)
		return NULL;
	j->users = us;
	us->checks++;
	if (take_text(j->name, sizeof j->name, &j->nname, name) && take_text(j->text, sizeof j->text, &j->ntext, text) &&
	    take_text(j->code, sizeof j->code, &j->ncode, code))
		return j;
	forget(j);
	return NULL;
}

/* ---- checking ---- */

/* A recovery code counts once. */
static bool spend_recovery(struct user *u, struct bytes code)
{
	uint8_t hash[CODE_HASH];

	if (!code_hash(code, hash))
		return false;
	for (unsigned i = 0; i < u->nrecovery; i++)
		if (tls_same(u->recovery[i], hash, sizeof hash)) {
			memmove(u->recovery[i], u->recovery[--u->nrecovery], sizeof hash);
			return true;
		}
	return false;
}

static bool is_code(struct user *u, struct bytes code)
{
	uint64_t step = !u->knows_secret ? 0 : code_totp_step(u->secret, code, clock_wall_ms() / 1000, u->step);

	if (!step)
		return spend_recovery(u, code);
	u->step = step;
	return true;
}

/* The user as he is now, not as he was when the check began. */
static enum user_answer answer_of(struct users *us, const struct job *j)
{
	struct user *u = j->good && !us->closing ? user_find(us, name_of(j)) : NULL;

	if (!u || !u->info.has_password || memcmp(&u->password, &j->password, sizeof j->password) != 0)
		return USER_WRONG;
	if (j->password_only)
		return USER_IN;
	if (u->info.totp && !j->ncode)
		return USER_CODE_WANTED;
	if (u->info.totp && !is_code(u, code_of(j)))
		return USER_WRONG;
	u->info.seen_ms = clock_wall_ms();
	return user_keep(us, u) ? USER_IN : USER_BUSY; /* a code that may be spent again is none */
}

static void check_done(void *job)
{
	struct job *j = job;
	struct users *us = j->users;
	enum user_answer answer = answer_of(us, j);

	if (answer != USER_WRONG)
		tries_give_back(&us->tries, &j->try);
	j->told(j->owner, answer, 0);
	forget(j);
}

void users_check(struct users *us, const struct user_check *c, void (*told)(void *, enum user_answer, unsigned), void *owner)
{
	const struct user *u = user_find(us, c->name);
	struct try try;
	unsigned wait_s = tries_take(&us->tries, c->from, c->name, &try);
	struct job *j;

	if (wait_s) {
		told(owner, USER_WAIT, wait_s);
		return;
	}
	if (c->name.len >= USER_NAME_MAX || c->password.len > USER_PASSWORD_MAX || c->code.len > CODE_TEXT) {
		told(owner, USER_WRONG, 0);
		return;
	}
	j = job_new(us, c->name, c->password, c->code);
	if (j) {
		j->try = try;
		j->told = told;
		j->owner = owner;
		j->password_only = c->password_only;
		if ((j->known = u && u->info.has_password))
			j->password = u->password;
	}
	if (j && store_do(us->store, run_check, us->loop, check_done, j))
		return;
	if (j)
		forget(j);
	tries_give_back(&us->tries, &try);
	told(owner, USER_BUSY, 0);
}

bool users_refusal_counts(struct users *us, uint64_t *silent)
{
	uint64_t minute = clock_mono_ms() / 60000;

	if (us->refusals_minute != minute) {
		us->refusals_minute = minute;
		us->refusals = 0;
	}
	if (us->refusals >= REFUSALS_A_MINUTE) {
		us->refusals_silent++;
		return false;
	}
	us->refusals++;
	*silent = us->refusals_silent;
	us->refusals_silent = 0;
	return true;
}

/* ---- setting ---- */

bool user_password_is(struct bytes b, struct bytes name, struct err *e)
{
	if (b.len < USER_PASSWORD_MIN || b.len > USER_PASSWORD_MAX)
		return err_set(e, SIDE_CLIENT, 422, "a password has %d to %d bytes", USER_PASSWORD_MIN, USER_PASSWORD_MAX);
	return !bytes_eq_nocase(b, name) || err_set(e, SIDE_CLIENT, 422, "a password is not the user's name");
}

/* The link is looked at before the work and after it: meanwhile somebody else may have used it. */
static bool link_allows(const struct users *us, struct bytes code, struct bytes name, struct err *e)
{
	struct bytes whose;

	switch (users_link_is(us, code, &whose)) {
	case LINK_NEW:
		return !user_find(us, name) || err_set(e, SIDE_CLIENT, 409, "user '%.*s' exists", BYTES_ARG(name));
	case LINK_USER:
		return bytes_eq(whose, name) || err_set(e, SIDE_CLIENT, 403, "this link is for %.*s", BYTES_ARG(whose));
	case LINK_NONE:
		break;
	}
	return err_set(e, SIDE_CLIENT, 403, "this link was used, or is older than 15 minutes: `embergate ctl user setup` gives another");
}

/* Spent with it: a link for a new administrator makes him, any other takes the second factor away. */
static bool spend_link(struct users *us, const struct job *j, struct err *e)
{
	struct bytes whose;
	struct user *u;

	if (!j->ncode)
		return true;
	if (!link_allows(us, code_of(j), name_of(j), e))
		return false;
	if (users_link_is(us, code_of(j), &whose) == LINK_NEW) {
		if (!users_add(us, name_of(j), ROLE_ADMINISTRATOR, e))
			return false;
		us->link_until_ms = 0;
		return true;
	}
	u = user_find(us, name_of(j));
	u->link_until_ms = 0;
	return users_totp_off(us, name_of(j)) || err_set(e, SIDE_SELF, 0, "it could not be kept");
}

static bool set(struct users *us, const struct job *j, struct err *e)
{
	struct user *u;

	if (!j->good || us->closing)
		return err_set(e, SIDE_SELF, 0, "the password could not be made ready to be kept");
	if (!spend_link(us, j, e))
		return false;
	if (!(u = user_find(us, name_of(j))))
		return err_set(e, SIDE_CLIENT, 404, "there is no such user any more");
	u->password = j->password;
	u->info.has_password = true;
	if (j->ncode)
		u->info.seen_ms = clock_wall_ms(); /* who opens a link is in */
	return user_keep(us, u) || err_set(e, SIDE_SELF, 0, "it could not be kept");
}

static void set_done(void *job)
{
	struct job *j = job;
	struct err e = { 0 };
	bool good = set(j->users, j, &e);

	j->set(j->owner, good ? NULL : &e);
	forget(j);
}

void users_set_password(struct users *us, struct bytes name, struct bytes password, struct bytes code,
			void (*told)(void *, const struct err *), void *owner)
{
	struct err e = { 0 };
	struct job *j;

	if ((code.len && !link_allows(us, code, name, &e)) || !user_password_is(password, name, &e)) {
		told(owner, &e);
		return;
	}
	j = job_new(us, name, password, code);
	if (j) {
		j->set = told;
		j->owner = owner;
	}
	if (j && store_do(us->store, run_make, us->loop, set_done, j))
		return;
	if (j)
		forget(j);
	err_set(&e, SIDE_SELF, 0, "too busy; try again");
	told(owner, &e);
}
