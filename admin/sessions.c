/* sessions.c -- a list in memory, newest first, and a row of a table each. */
#include "admin/sessions.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "base/tls.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { HASH = 32, SEEN_EVERY_MS = 60000 };

struct session {
	struct session_info info; /* first: what others are given */
	struct session *next;
	uint8_t hash[HASH];
	uint64_t kept_seen_ms;
};

struct sessions {
	struct store *store;
	struct session *first;
	size_t n;
};

/* ---- the table ---- */

static const char table[] =
	"CREATE TABLE IF NOT EXISTS sessions (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, user TEXT NOT NULL, address TEXT NOT NULL,"
	" agent TEXT NOT NULL, made_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL)";

#define COLUMNS "id, hash, user, address, agent, made_ms, seen_ms"
static const char insert[] = "INSERT INTO sessions (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";

/* Rows come oldest first. */
static void take_session(void *ctx, sqlite3_stmt *s)
{
	struct sessions *ss = ctx;
	struct session *x = ss->n < SESSIONS_MAX ? calloc(1, sizeof *x) : NULL;

	if (!x)
		return;
	x->info.id = (uint64_t)sqlite3_column_int64(s, 0);
	if (!row_blob(s, 1, x->hash, HASH)) {
		free(x);
		return;
	}
	row_text(s, 2, x->info.user, sizeof x->info.user);
	row_text(s, 3, x->info.address, sizeof x->info.address);
	row_text(s, 4, x->info.agent, sizeof x->info.agent);
	x->info.made_ms = (uint64_t)sqlite3_column_int64(s, 5);
	x->info.seen_ms = x->kept_seen_ms = (uint64_t)sqlite3_column_int64(s, 6);
	x->next = ss->first;
	ss->first = x;
	ss->n++;
}

static void bind_session(sqlite3_stmt *s, const void *row)
{
	const struct session *x = row;

	sqlite3_bind_int64(s, 1, (sqlite3_int64)x->info.id);
	sqlite3_bind_blob(s, 2, x->hash, HASH, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, x->info.user, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, x->info.address, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, x->info.agent, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 6, (sqlite3_int64)x->info.made_ms);
	sqlite3_bind_int64(s, 7, (sqlite3_int64)x->info.seen_ms);
}

static void bind_id(sqlite3_stmt *s, const void *row)
{
	sqlite3_bind_int64(s, 1, (sqlite3_int64)((const struct session *)row)->info.id);
}

/* An update of one that was ended meanwhile changes nothing. */
static void bind_seen(sqlite3_stmt *s, const void *row)
{
	bind_id(s, row);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)((const struct session *)row)->info.seen_ms);
}

/* ---- life ---- */

struct sessions *sessions_open(struct store *store, struct err *e)
{
	struct sessions *ss = calloc(1, sizeof *ss);

	if (!ss) {
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	ss->store = store;
	if (rows_read(store, table, "SELECT " COLUMNS " FROM sessions ORDER BY made_ms", take_session, ss, e))
		return ss;
	err_at(e, "sessions");
	sessions_close(ss);
	return NULL;
}

void sessions_close(struct sessions *ss)
{
	struct session *x = ss ? ss->first : NULL;

	for (struct session *next; x; x = next) {
		next = x->next;
		free(x);
	}
	free(ss);
}

/* ---- ends ---- */

uint64_t session_until_ms(const struct session_info *x)
{
	uint64_t idle = x->seen_ms + SESSION_IDLE_MS, life = x->made_ms + SESSION_LIFE_MS;

	return idle < life ? idle : life;
}

static bool is_users(const struct session *x, struct bytes user)
{
	return bytes_eq(bytes_of(x->info.user), user);
}

static void drop(struct sessions *ss, struct session **at)
{
	struct session *x = *at;

	rows_write(ss->store, "DELETE FROM sessions WHERE id = ?", bind_id, x, sizeof *x);
	*at = x->next;
	ss->n--;
	free(x);
}

static void sweep(struct sessions *ss)
{
	uint64_t now = clock_wall_ms();
	struct session **at = &ss->first;

	while (*at)
		if (session_until_ms(&(*at)->info) <= now)
			drop(ss, at);
		else
			at = &(*at)->next;
}

bool sessions_end(struct sessions *ss, struct bytes user, uint64_t id)
{
	struct session **at = &ss->first;

	while (*at && !((*at)->info.id == id && is_users(*at, user)))
		at = &(*at)->next;
	if (!*at)
		return false;
	drop(ss, at);
	return true;
}

void sessions_end_all(struct sessions *ss, struct bytes user, uint64_t but)
{
	struct session **at = &ss->first;

	while (*at)
		if (is_users(*at, user) && (*at)->info.id != but)
			drop(ss, at);
		else
			at = &(*at)->next;
}

/* The oldest of a user who has as many as one may have, or of all. */
static void make_room(struct sessions *ss, struct bytes user)
{
	struct session **oldest = NULL, **users_oldest = NULL;
	unsigned users = 0;

	sweep(ss);
	for (struct session **at = &ss->first; *at; at = &(*at)->next) {
		oldest = at;
		if (is_users(*at, user)) {
			users_oldest = at;
			users++;
		}
	}
	if (users >= SESSIONS_OF_USER)
		drop(ss, users_oldest);
	else if (ss->n >= SESSIONS_MAX)
		drop(ss, oldest);
}

/* ---- beginning ---- */

static bool hash_of(struct bytes cookie, uint8_t out[HASH])
{
	struct tls_sha256 *sum = tls_sha256_new();

	if (sum)
		tls_sha256_put(sum, cookie);
	tls_sha256_end(sum, out);
	return sum != NULL;
}

/* Printable ASCII of it, as much as fits. */
static void take_agent(char *to, size_t cap, struct bytes from)
{
	size_t n = 0;

	for (size_t i = 0; i < from.len && n + 1 < cap; i++)
		if (from.at[i] >= ' ' && from.at[i] < 0x7f)
			to[n++] = from.at[i];
	to[n] = '\0';
}

static bool fill(struct session *x, struct bytes user, const struct ip *from, struct bytes agent, char cookie[SESSION_COOKIE])
{
	struct text t = text_over(x->info.address, sizeof x->info.address - 1);

	if (!tls_random(&x->info.id, sizeof x->info.id) || !tls_make_secret(cookie) ||
	    !hash_of((struct bytes){ cookie, SESSION_COOKIE - 1 }, x->hash))
		return false;
	x->info.id = (x->info.id >> 1) | 1; /* SQLite's are signed; 0 is none */
	snprintf(x->info.user, sizeof x->info.user, "%.*s", BYTES_ARG(user));
	ip_text(&t, from);
	take_agent(x->info.agent, sizeof x->info.agent, agent);
	x->info.made_ms = x->info.seen_ms = x->kept_seen_ms = clock_wall_ms();
	return true;
}

bool sessions_begin(struct sessions *ss, struct bytes user, const struct ip *from, struct bytes agent,
		    char cookie[SESSION_COOKIE], struct session_info *out)
{
	struct session *x = calloc(1, sizeof *x);

	make_room(ss, user);
	if (!x || !fill(x, user, from, agent, cookie) ||
	    !rows_write(ss->store, insert, bind_session, x, sizeof *x)) {
		free(x);
		return false;
	}
	x->next = ss->first;
	ss->first = x;
	ss->n++;
	*out = x->info;
	return true;
}

/* ---- asking ---- */

const struct session_info *sessions_find(struct sessions *ss, struct bytes cookie)
{
	uint64_t now = clock_wall_ms();
	struct session *found = NULL;
	uint8_t hash[HASH];

	if (cookie.len != SESSION_COOKIE - 1 || !hash_of(cookie, hash))
		return NULL;
	for (struct session *x = ss->first; x; x = x->next)
		if (tls_same(x->hash, hash, HASH))
			found = x;
	if (!found || session_until_ms(&found->info) <= now)
		return NULL;
	found->info.seen_ms = now;
	if (now - found->kept_seen_ms >= SEEN_EVERY_MS &&
	    rows_write(ss->store, "UPDATE sessions SET seen_ms = ?2 WHERE id = ?1", bind_seen, found, sizeof *found))
		found->kept_seen_ms = now;
	return &found->info;
}

const struct session_info *sessions_by_id(const struct sessions *ss, uint64_t id)
{
	const struct session *x = ss->first;

	while (x && x->info.id != id)
		x = x->next;
	return x && session_until_ms(&x->info) > clock_wall_ms() ? &x->info : NULL;
}

size_t sessions_list(struct sessions *ss, struct bytes user, struct session_info *out, size_t max)
{
	size_t n = 0;

	sweep(ss);
	for (const struct session *x = ss->first; x; x = x->next)
		if (is_users(x, user) && n++ < max)
			out[n - 1] = x->info;
	return n;
}

bool session_csrf(struct bytes cookie, char out[SESSION_CSRF])
{
	struct tls_sha256 *sum = tls_sha256_new();
	uint8_t hash[HASH];

	if (sum) {
		tls_sha256_put(sum, BYTES("embergate csrf\n"));
		tls_sha256_put(sum, cookie);
	}
	tls_sha256_end(sum, hash);
	bytes_hex(hash, (SESSION_CSRF - 1) / 2, out);
	return sum != NULL;
}
