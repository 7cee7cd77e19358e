/* keys_kept.c -- the tables of bouncers and machines. */
#include "cti/keys_parts.h"
#include "base/tls.h"
#include <sqlite3.h>
#include <stdlib.h>

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS bouncers (name TEXT PRIMARY KEY, hash BLOB, scopes INTEGER, made_ms INTEGER,"
	" seen_ms INTEGER DEFAULT 0, address TEXT DEFAULT '', kind TEXT DEFAULT '', version TEXT DEFAULT '') WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS machines (name TEXT PRIMARY KEY, hash BLOB, salt BLOB, cost INTEGER, validated INTEGER,"
	" made_ms INTEGER, seen_ms INTEGER DEFAULT 0, address TEXT DEFAULT '', kind TEXT DEFAULT '', version TEXT DEFAULT '')"
	" WITHOUT ROWID;";

/* ---- reading ---- */

struct reading {
	struct keys *keys;
	bool good;
	char why[200];
};

static void take_text(sqlite3_stmt *s, int column, char *to, size_t cap)
{
	const unsigned char *at = sqlite3_column_text(s, column);

	snprintf(to, cap, "%s", at ? (const char *)at : "");
}

static bool take_blob(sqlite3_stmt *s, int column, uint8_t *to, size_t n)
{
	const void *at = sqlite3_column_blob(s, column);

	if (!at || sqlite3_column_bytes(s, column) != (int)n)
		return false;
	memcpy(to, at, n);
	return true;
}

static struct key *read_row(sqlite3_stmt *s, bool machine)
{
	struct key *key = calloc(1, sizeof *key);

	if (!key)
		return NULL;
	take_text(s, 0, key->info.name, sizeof key->info.name);
	key->info.made_ms = (uint64_t)sqlite3_column_int64(s, 1);
	key->info.seen_ms = key->kept_seen_ms = (uint64_t)sqlite3_column_int64(s, 2);
	take_text(s, 3, key->info.address, sizeof key->info.address);
	take_text(s, 4, key->info.kind, sizeof key->info.kind);
	take_text(s, 5, key->info.version, sizeof key->info.version);
	if (machine)
		key->info.validated = sqlite3_column_int(s, 6);
	else
		key->info.scopes = (unsigned)sqlite3_column_int(s, 6);
	if (!machine && !take_blob(s, 7, key->hash, sizeof key->hash)) {
		free(key); /* nobody can have such a key */
		return NULL;
	}
	return key;
}

static bool read_list(sqlite3 *db, struct keys *k, bool machine, struct key **at)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, machine ? "SELECT name, made_ms, seen_ms, address, kind, version, validated FROM machines ORDER BY name"
						: "SELECT name, made_ms, seen_ms, address, kind, version, scopes, hash FROM bouncers ORDER BY name",
				    -1, &s, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct key *key = k->n < KEYS_MAX ? read_row(s, machine) : NULL;

		rc = SQLITE_OK;
		if (!key)
			continue;
		*at = key;
		at = &key->next;
		k->n++;
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE;
}

static void read_all(sqlite3 *db, void *arg)
{
	struct reading *r = arg;

	r->good = sqlite3_exec(db, tables, NULL, NULL, NULL) == SQLITE_OK && read_list(db, r->keys, false, &r->keys->bouncers) &&
		  read_list(db, r->keys, true, &r->keys->machines);
	if (!r->good)
		snprintf(r->why, sizeof r->why, "%s", sqlite3_errmsg(db));
}

bool keys_read(struct keys *k, struct err *e)
{
	struct reading r = { .keys = k };

	if (!store_do_now(k->store, read_all, &r))
		return err_set(e, SIDE_SELF, 0, "keys: the store takes no more");
	return r.good || err_set(e, SIDE_SELF, 0, "keys: %s", r.why);
}

/* ---- writing: a job has a copy of all it needs ---- */

struct writing {
	struct store *store;
	struct key key;
	bool machine;
	char password[PASSWORD_MAX];
	size_t password_len;
};

static void step(struct writing *w, sqlite3_stmt *s)
{
	if (!s || sqlite3_step(s) != SQLITE_DONE)
		store_note_failure(w->store);
	sqlite3_finalize(s);
	free(w);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, const struct key *key)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK)
		sqlite3_bind_text(s, 1, key->info.name, -1, SQLITE_STATIC);
	return s;
}

static void write_bouncer(sqlite3 *db, void *writing)
{
	struct writing *w = writing;
	sqlite3_stmt *s = prepare(db, "INSERT OR REPLACE INTO bouncers (name, hash, scopes, made_ms) VALUES (?, ?, ?, ?)", &w->key);

	sqlite3_bind_blob(s, 2, w->key.hash, SHA512, SQLITE_STATIC);
	sqlite3_bind_int(s, 3, (int)w->key.info.scopes);
	sqlite3_bind_int64(s, 4, (sqlite3_int64)w->key.info.made_ms);
	step(w, s);
}

static void write_machine(sqlite3 *db, void *writing)
{
	struct writing *w = writing;
	struct tls_password kept;
	sqlite3_stmt *s;

	if (!tls_password_make((struct bytes){ w->password, w->password_len }, &kept)) {
		step(w, NULL);
		return;
	}
	memset(w->password, 0, sizeof w->password);
	s = prepare(db, "INSERT OR REPLACE INTO machines (name, hash, salt, cost, validated, made_ms) VALUES (?, ?, ?, ?, ?, ?)", &w->key);
	sqlite3_bind_blob(s, 2, kept.hash, sizeof kept.hash, SQLITE_STATIC);
	sqlite3_bind_blob(s, 3, kept.salt, sizeof kept.salt, SQLITE_STATIC);
	sqlite3_bind_int(s, 4, (int)kept.cost);
	sqlite3_bind_int(s, 5, w->key.info.validated);
	sqlite3_bind_int64(s, 6, (sqlite3_int64)w->key.info.made_ms);
	step(w, s);
}

static void write_seen(sqlite3 *db, void *writing)
{
	struct writing *w = writing;
	sqlite3_stmt *s = prepare(db, w->machine ? "UPDATE machines SET seen_ms = ?2, address = ?3, kind = ?4, version = ?5, validated = ?6 WHERE name = ?1"
						 : "UPDATE bouncers SET seen_ms = ?2, address = ?3, kind = ?4, version = ?5 WHERE name = ?1",
				  &w->key);

	sqlite3_bind_int64(s, 2, (sqlite3_int64)w->key.info.seen_ms);
	sqlite3_bind_text(s, 3, w->key.info.address, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, w->key.info.kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, w->key.info.version, -1, SQLITE_STATIC);
	if (w->machine)
		sqlite3_bind_int(s, 6, w->key.info.validated);
	step(w, s);
}

static void write_deleted(sqlite3 *db, void *writing)
{
	struct writing *w = writing;

	step(w, prepare(db, w->machine ? "DELETE FROM machines WHERE name = ?" : "DELETE FROM bouncers WHERE name = ?", &w->key));
}

static bool keep(struct keys *k, const struct key *key, struct bytes password, void (*write)(sqlite3 *, void *))
{
	struct writing *w = calloc(1, sizeof *w);

	if (!w)
		return false;
	w->store = k->store;
	w->key = *key;
	w->machine = key->info.scopes == 0;
	w->password_len = password.len;
	if (password.len)
		memcpy(w->password, password.at, password.len);
	if (store_do(k->store, write, NULL, NULL, w))
		return true;
	free(w);
	return false;
}

bool keys_keep_bouncer(struct keys *k, const struct key *key)
{
	return keep(k, key, (struct bytes){ 0 }, write_bouncer);
}

bool keys_keep_machine(struct keys *k, const struct key *key, struct bytes password)
{
	return keep(k, key, password, write_machine);
}

bool keys_keep_seen(struct keys *k, const struct key *key)
{
	return keep(k, key, (struct bytes){ 0 }, write_seen);
}

bool keys_keep_deleted(struct keys *k, const struct key *key)
{
	return keep(k, key, (struct bytes){ 0 }, write_deleted);
}

/* ---- passwords ---- */

void keys_check(sqlite3 *db, struct password_check *c)
{
	struct bytes password = { c->password, c->password_len };
	struct tls_password kept;
	sqlite3_stmt *s = NULL;
	bool known = false;

	if (sqlite3_prepare_v2(db, "SELECT salt, hash, cost FROM machines WHERE name = ?", -1, &s, NULL) == SQLITE_OK) {
		sqlite3_bind_text(s, 1, c->name, -1, SQLITE_STATIC);
		known = sqlite3_step(s) == SQLITE_ROW && take_blob(s, 0, kept.salt, sizeof kept.salt) &&
			take_blob(s, 1, kept.hash, sizeof kept.hash);
		kept.cost = (unsigned)sqlite3_column_int(s, 2);
	} else {
		store_note_failure(c->store);
	}
	sqlite3_finalize(s);
	c->right = tls_password_is(password, known ? &kept : NULL);
}
