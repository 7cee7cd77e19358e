/* users.c -- who there is. They are few: a list in memory, a row of a table each. */
#include "admin/users_parts.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "base/log.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the table ---- */

static const char table[] =
	"CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, role TEXT NOT NULL, hash BLOB, salt BLOB, cost INTEGER NOT NULL,"
	" totp BLOB, step INTEGER NOT NULL, recovery BLOB, link BLOB, link_until_ms INTEGER NOT NULL, made_ms INTEGER NOT NULL,"
	" seen_ms INTEGER NOT NULL) WITHOUT ROWID";

#define COLUMNS "name, role, hash, salt, cost, totp, step, recovery, link, link_until_ms, made_ms, seen_ms"

static void take_secrets(sqlite3_stmt *s, struct user *u)
{
	u->info.has_password = row_blob(s, 2, u->password.hash, sizeof u->password.hash) &&
			       row_blob(s, 3, u->password.salt, sizeof u->password.salt);
	u->password.cost = (unsigned)sqlite3_column_int(s, 4);
	u->info.totp = sqlite3_column_type(s, 5) != SQLITE_NULL;
	u->step = (uint64_t)sqlite3_column_int64(s, 6);
	for (unsigned n = 1; n <= USER_RECOVERY_CODES; n++)
		if (row_blob(s, 7, u->recovery, n * CODE_HASH))
			u->nrecovery = n;
	if (row_blob(s, 8, u->link, sizeof u->link))
		u->link_until_ms = (uint64_t)sqlite3_column_int64(s, 9);
}

/* One that was kept plain, by a release before, is sealed now. */
static void take_totp(struct users *us, sqlite3_stmt *s, struct user *u)
{
	const struct bytes name = bytes_of(u->info.name), sealed = { (const char *)u->sealed, sizeof u->sealed };

	if (row_blob(s, 5, u->sealed, sizeof u->sealed))
		u->knows_secret = tls_unseal(us->key, name, sealed, u->secret);
	else if (row_blob(s, 5, u->secret, sizeof u->secret))
		u->knows_secret = tls_seal(us->key, name, (struct bytes){ (const char *)u->secret, sizeof u->secret }, u->sealed) &&
				  user_keep(us, u);
	if (u->info.totp && !u->knows_secret)
		log_warn("%s: the codes of the second factor cannot be checked: the installation's secret is another one; recovery "
			 "codes can, or let `ctl users` make a new link", u->info.name);
}

/* Rows come by name. A row that nobody can have written is nobody. */
static void take_user(void *ctx, sqlite3_stmt *s)
{
	struct users *us = ctx;
	struct user **at = &us->first, *u = us->n < USERS_MAX ? calloc(1, sizeof *u) : NULL;
	char role[16];

	if (!u)
		return;
	row_text(s, 0, u->info.name, sizeof u->info.name);
	row_text(s, 1, role, sizeof role);
	if (!role_from_word(bytes_of(role), &u->info.role)) {
		free(u);
		return;
	}
	take_secrets(s, u);
	take_totp(us, s, u);
	u->info.made_ms = (uint64_t)sqlite3_column_int64(s, 10);
	u->info.seen_ms = (uint64_t)sqlite3_column_int64(s, 11);
	while (*at)
		at = &(*at)->next;
	*at = u;
	us->n++;
}

static void bind_user(sqlite3_stmt *s, const void *row)
{
	const struct user *u = row;

	sqlite3_bind_text(s, 1, u->info.name, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, role_word(u->info.role), -1, SQLITE_STATIC);
	if (u->info.has_password) {
		sqlite3_bind_blob(s, 3, u->password.hash, sizeof u->password.hash, SQLITE_STATIC);
		sqlite3_bind_blob(s, 4, u->password.salt, sizeof u->password.salt, SQLITE_STATIC);
	}
	sqlite3_bind_int(s, 5, (int)u->password.cost);
	if (u->info.totp)
		sqlite3_bind_blob(s, 6, u->sealed, sizeof u->sealed, SQLITE_STATIC);
	sqlite3_bind_int64(s, 7, (sqlite3_int64)u->step);
	if (u->nrecovery)
		sqlite3_bind_blob(s, 8, u->recovery, (int)u->nrecovery * CODE_HASH, SQLITE_STATIC);
	if (u->link_until_ms)
		sqlite3_bind_blob(s, 9, u->link, sizeof u->link, SQLITE_STATIC);
	sqlite3_bind_int64(s, 10, (sqlite3_int64)u->link_until_ms);
	sqlite3_bind_int64(s, 11, (sqlite3_int64)u->info.made_ms);
	sqlite3_bind_int64(s, 12, (sqlite3_int64)u->info.seen_ms);
}

static void bind_name(sqlite3_stmt *s, const void *name)
{
	sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
}

bool user_keep(struct users *us, const struct user *u)
{
	return rows_write(us->store, "INSERT OR REPLACE INTO users (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			  bind_user, u, sizeof *u);
}

/* ---- life ---- */

struct users *users_open(struct store *store, struct loop *loop, const uint8_t key[32], struct err *e)
{
	struct users *us = calloc(1, sizeof *us);

	if (!us) {
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	us->store = store;
	us->loop = loop;
	memcpy(us->key, key, sizeof us->key);
	if (rows_read(store, table, "SELECT " COLUMNS " FROM users ORDER BY name", take_user, us, e))
		return us;
	err_at(e, "users");
	users_free(us);
	return NULL;
}

void users_free(struct users *us)
{
	for (struct user *u = us->first, *next; u; u = next) {
		next = u->next;
		free(u);
	}
	free(us);
}

void users_close(struct users *us)
{
	if (!us)
		return;
	us->closing = true;
	if (!us->checks)
		users_free(us);
}

/* ---- who there is ---- */

struct user *user_find(const struct users *us, struct bytes name)
{
	struct user *u = us->first;

	while (u && !bytes_eq(bytes_of(u->info.name), name))
		u = u->next;
	return u;
}

const struct user_info *users_find(const struct users *us, struct bytes name)
{
	const struct user *u = user_find(us, name);

	return u ? &u->info : NULL;
}

size_t users_list(const struct users *us, struct user_info *out, size_t max)
{
	size_t n = 0;

	for (const struct user *u = us->first; u; u = u->next, n++)
		if (n < max)
			out[n] = u->info;
	return n;
}

static bool can_administrate(const struct user *u)
{
	return u->info.role == ROLE_ADMINISTRATOR && u->info.has_password;
}

static bool is_last(const struct users *us, const struct user *it)
{
	for (const struct user *u = us->first; u; u = u->next)
		if (u != it && can_administrate(u))
			return false;
	return can_administrate(it);
}

bool users_are_set_up(const struct users *us)
{
	for (const struct user *u = us->first; u; u = u->next)
		if (can_administrate(u))
			return true;
	return false;
}

/* ---- changes ---- */

bool user_name_is(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = byte_lower(b.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' || c == '-'))
			return false;
	}
	return b.len > 0 && b.len < USER_NAME_MAX;
}

static bool not_kept(struct err *e)
{
	return err_set(e, SIDE_SELF, 0, "it could not be kept");
}

static bool none(struct bytes name, struct err *e)
{
	return err_set(e, SIDE_CLIENT, 404, "there is no user '%.*s'", BYTES_ARG(bytes_sub(name, 0, USER_NAME_MAX)));
}

bool users_add(struct users *us, struct bytes name, enum role role, struct err *e)
{
	struct user **at = &us->first, *u;

	if (!user_name_is(name))
		return err_set(e, SIDE_CLIENT, 422, "a name is 1 to 63 letters, digits and . _ @ -");
	if (user_find(us, name))
		return err_set(e, SIDE_CLIENT, 409, "user '%.*s' exists", BYTES_ARG(name));
	if (us->n >= USERS_MAX)
		return err_set(e, SIDE_CLIENT, 422, "there are %d users already", USERS_MAX);
	if (!(u = calloc(1, sizeof *u)))
		return err_set(e, SIDE_SELF, 0, "out of memory");
	memcpy(u->info.name, name.at, name.len);
	u->info.role = role;
	u->info.made_ms = clock_wall_ms();
	if (!user_keep(us, u)) {
		free(u);
		return not_kept(e);
	}
	while (*at && strcmp((*at)->info.name, u->info.name) < 0)
		at = &(*at)->next;
	u->next = *at;
	*at = u;
	us->n++;
	return true;
}

bool users_set_role(struct users *us, struct bytes name, enum role role, struct err *e)
{
	struct user *u = user_find(us, name);
	enum role was;

	if (!u)
		return none(name, e);
	if (role != ROLE_ADMINISTRATOR && is_last(us, u))
		return err_set(e, SIDE_CLIENT, 409, "%s is the last administrator", u->info.name);
	was = u->info.role;
	u->info.role = role;
	if (user_keep(us, u))
		return true;
	u->info.role = was;
	return not_kept(e);
}

bool users_delete(struct users *us, struct bytes name, struct err *e)
{
	struct user *u = user_find(us, name), **at = &us->first;

	if (!u)
		return none(name, e);
	if (is_last(us, u))
		return err_set(e, SIDE_CLIENT, 409, "%s is the last administrator", u->info.name);
	if (!rows_write(us->store, "DELETE FROM users WHERE name = ?", bind_name, u->info.name, sizeof u->info.name))
		return not_kept(e);
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	us->n--;
	free(u);
	return true;
}
