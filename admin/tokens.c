/* tokens.c -- a list in memory, newest first, and a row of a table each. */
#include "admin/tokens.h"
#include "admin/rows.h"
#include "admin/users.h"
#include "base/clock.h"
#include "base/tls.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { HASH = 32, SEEN_EVERY_MS = 60000 };
static const char start[] = "emb_"; /* so that scanners for leaked secrets know one */

struct token {
	struct token_info info; /* first: what others are given */
	struct token *next;
	uint8_t hash[HASH];
	uint64_t kept_seen_ms;
};

struct tokens {
	struct store *store;
	struct token *first;
	size_t n;
	uint64_t last_id; /* none is given twice while what was opened by it may last */
};

/* ---- the table ---- */

static const char table[] =
	"CREATE TABLE IF NOT EXISTS tokens (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL,"
	" role TEXT NOT NULL, made_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL)";

#define COLUMNS "id, hash, name, role, made_ms, seen_ms, until_ms"
static const char insert[] = "INSERT INTO tokens (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)";

static void take_token(void *ctx, sqlite3_stmt *s)
{
	struct tokens *ts = ctx;
	struct token *t = ts->n < TOKENS_MAX ? calloc(1, sizeof *t) : NULL;
	char role[16];

	if (!t)
		return;
	t->info.id = (uint64_t)sqlite3_column_int64(s, 0);
	row_text(s, 2, t->info.name, sizeof t->info.name);
	row_text(s, 3, role, sizeof role);
	if (!row_blob(s, 1, t->hash, HASH) || !role_from_word(bytes_of(role), &t->info.role)) {
		free(t);
		return;
	}
	t->info.made_ms = (uint64_t)sqlite3_column_int64(s, 4);
	t->info.seen_ms = t->kept_seen_ms = (uint64_t)sqlite3_column_int64(s, 5);
	t->info.until_ms = (uint64_t)sqlite3_column_int64(s, 6);
	ts->last_id = t->info.id;
	t->next = ts->first;
	ts->first = t;
	ts->n++;
}

static void bind_token(sqlite3_stmt *s, const void *row)
{
	const struct token *t = row;

	sqlite3_bind_int64(s, 1, (sqlite3_int64)t->info.id);
	sqlite3_bind_blob(s, 2, t->hash, HASH, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, t->info.name, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, role_word(t->info.role), -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, (sqlite3_int64)t->info.made_ms);
	sqlite3_bind_int64(s, 6, (sqlite3_int64)t->info.seen_ms);
	sqlite3_bind_int64(s, 7, (sqlite3_int64)t->info.until_ms);
}

static void bind_id(sqlite3_stmt *s, const void *row)
{
	sqlite3_bind_int64(s, 1, (sqlite3_int64)((const struct token *)row)->info.id);
}

static void bind_seen(sqlite3_stmt *s, const void *row)
{
	bind_id(s, row);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)((const struct token *)row)->info.seen_ms);
}

/* ---- life ---- */

struct tokens *tokens_open(struct store *store, struct err *e)
{
	struct tokens *ts = calloc(1, sizeof *ts);

	if (!ts) {
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	ts->store = store;
	if (rows_read(store, table, "SELECT " COLUMNS " FROM tokens ORDER BY id", take_token, ts, e))
		return ts;
	err_at(e, "tokens");
	tokens_close(ts);
	return NULL;
}

void tokens_close(struct tokens *ts)
{
	struct token *t = ts ? ts->first : NULL;

	for (struct token *next; t; t = next) {
		next = t->next;
		free(t);
	}
	free(ts);
}

/* ---- changes ---- */

static bool hash_of(struct bytes text, uint8_t out[HASH])
{
	struct tls_sha256 *sum = tls_sha256_new();

	if (sum)
		tls_sha256_put(sum, text);
	tls_sha256_end(sum, out);
	return sum != NULL;
}

static bool fill(struct token *t, char text[TOKEN_TEXT])
{
	memcpy(text, start, sizeof start);
	return tls_make_secret(text + sizeof start - 1) && hash_of(bytes_of(text), t->hash);
}

bool tokens_add(struct tokens *ts, struct bytes name, enum role role, uint64_t until_ms, char text[TOKEN_TEXT],
		struct token_info *out, struct err *e)
{
	struct token *t;

	if (!user_name_is(name))
		return err_set(e, SIDE_CLIENT, 422, "a name is 1 to 63 letters, digits and . _ @ -");
	if (ts->n >= TOKENS_MAX)
		return err_set(e, SIDE_CLIENT, 422, "there are %d tokens already", TOKENS_MAX);
	if (!(t = calloc(1, sizeof *t)))
		return err_set(e, SIDE_SELF, 0, "out of memory");
	t->info = (struct token_info){ .id = ts->last_id + 1, .role = role, .made_ms = clock_wall_ms(), .until_ms = until_ms };
	memcpy(t->info.name, name.at, name.len);
	if (!fill(t, text) || !rows_write(ts->store, insert, bind_token, t, sizeof *t)) {
		free(t);
		return err_set(e, SIDE_SELF, 0, "it could not be kept");
	}
	ts->last_id++;
	t->next = ts->first;
	ts->first = t;
	ts->n++;
	*out = t->info;
	return true;
}

bool tokens_delete(struct tokens *ts, uint64_t id, char name[TOKEN_NAME_MAX])
{
	struct token **at = &ts->first, *t;

	while (*at && (*at)->info.id != id)
		at = &(*at)->next;
	t = *at;
	if (!t || !rows_write(ts->store, "DELETE FROM tokens WHERE id = ?", bind_id, t, sizeof *t))
		return false;
	memcpy(name, t->info.name, sizeof t->info.name);
	*at = t->next;
	ts->n--;
	free(t);
	return true;
}

/* ---- asking ---- */

size_t tokens_list(const struct tokens *ts, struct token_info *out, size_t max)
{
	size_t n = 0;

	for (const struct token *t = ts->first; t; t = t->next, n++)
		if (n < max)
			out[n] = t->info;
	return n;
}

static bool lasts(const struct token *t, uint64_t now_ms)
{
	return !t->info.until_ms || t->info.until_ms > now_ms;
}

const struct token_info *tokens_by_id(const struct tokens *ts, uint64_t id)
{
	const struct token *t = ts->first;

	while (t && t->info.id != id)
		t = t->next;
	return t && lasts(t, clock_wall_ms()) ? &t->info : NULL;
}

const struct token_info *tokens_find(struct tokens *ts, struct bytes text)
{
	uint64_t now = clock_wall_ms();
	struct token *found = NULL;
	uint8_t hash[HASH];

	if (text.len != TOKEN_TEXT - 1 || !hash_of(text, hash))
		return NULL;
	for (struct token *t = ts->first; t; t = t->next)
		if (tls_same(t->hash, hash, HASH))
			found = t;
	if (!found || !lasts(found, now))
		return NULL;
	found->info.seen_ms = now;
	if (now - found->kept_seen_ms >= SEEN_EVERY_MS &&
	    rows_write(ts->store, "UPDATE tokens SET seen_ms = ?2 WHERE id = ?1", bind_seen, found, sizeof *found))
		found->kept_seen_ms = now;
	return &found->info;
}
