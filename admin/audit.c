/* audit.c -- the chain of what was done.
 *
 * Two gates write one file while the second takes over from the first: so the entry before is read from the table, in the
 * job that adds the next, and never remembered. What is remembered is the last entry that was seen, so that a chain whose end
 * was cut off, which looks whole, is found too. */
#include "admin/audit.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"
#include <sqlite3.h>
#include <stdlib.h>

struct audit {
	struct store *store;
	uint64_t last; /* the last entry that was seen; 0: none. The store's thread's, as its hash */
	uint8_t last_hash[AUDIT_HASH];
};

static const char table[] =
	"CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, user TEXT NOT NULL, way TEXT NOT NULL,"
	" address TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL);"
	"CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;"
	"CREATE TRIGGER IF NOT EXISTS audit_keeps BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;";

#define COLUMNS "id, time_ms, user, way, address, action, subject, detail, hash"

/* ---- an entry ---- */

static struct bytes text_at(sqlite3_stmt *s, int column)
{
	const char *at = (const char *)sqlite3_column_text(s, column);

	return (struct bytes){ at ? at : "", (size_t)sqlite3_column_bytes(s, column) };
}

/* Good until the next step. */
static void take_entry(sqlite3_stmt *s, struct audit_entry *e)
{
	const void *hash = sqlite3_column_blob(s, 8);

	*e = (struct audit_entry){
		.id = (uint64_t)sqlite3_column_int64(s, 0), .time_ms = (uint64_t)sqlite3_column_int64(s, 1),
		.user = text_at(s, 2), .way = text_at(s, 3), .address = text_at(s, 4), .action = text_at(s, 5),
		.subject = text_at(s, 6), .detail = text_at(s, 7),
	};
	if (hash && sqlite3_column_bytes(s, 8) == AUDIT_HASH)
		memcpy(e->hash, hash, AUDIT_HASH);
}

static void put_part(struct tls_sha256 *sum, struct bytes part)
{
	char room[32];
	struct text t = text_over(room, sizeof room);

	text_u64(&t, part.len);
	text_byte(&t, ':');
	tls_sha256_put(sum, text_bytes(&t));
	tls_sha256_put(sum, part);
}

/* Over the hash before it, its id and time, and each text behind its length: no two entries read the same. */
static bool hash_entry(const uint8_t before[AUDIT_HASH], const struct audit_entry *e, uint8_t out[AUDIT_HASH])
{
	const struct bytes parts[] = { e->user, e->way, e->address, e->action, e->subject, e->detail };
	struct tls_sha256 *sum = tls_sha256_new();
	char room[64];
	struct text t = text_over(room, sizeof room);

	if (!sum)
		return false;
	tls_sha256_put(sum, (struct bytes){ (const char *)before, AUDIT_HASH });
	text_printf(&t, "%llu %llu ", (unsigned long long)e->id, (unsigned long long)e->time_ms);
	tls_sha256_put(sum, text_bytes(&t));
	for (size_t i = 0; i < nelems(parts); i++)
		put_part(sum, parts[i]);
	tls_sha256_end(sum, out);
	return true;
}

/* ---- opening ---- */

/* The last entry; *id is 0 where there is none. */
static bool read_last(sqlite3 *db, uint64_t *id, uint8_t hash[AUDIT_HASH])
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT " COLUMNS " FROM audit ORDER BY id DESC LIMIT 1", -1, &s, NULL);
	struct audit_entry e = { 0 };

	if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW)
		take_entry(s, &e);
	*id = e.id;
	memcpy(hash, e.hash, AUDIT_HASH);
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

struct opening {
	struct audit *audit;
	bool good;
	char why[128];
};

static void run_open(sqlite3 *db, void *arg)
{
	struct opening *o = arg;

	o->good = sqlite3_exec(db, table, NULL, NULL, NULL) == SQLITE_OK &&
		  read_last(db, &o->audit->last, o->audit->last_hash);
	if (!o->good)
		snprintf(o->why, sizeof o->why, "%s", sqlite3_errmsg(db));
}

struct audit *audit_open(struct store *store, struct err *e)
{
	struct opening o = { .audit = calloc(1, sizeof *o.audit), .why = "the store takes no more" };

	if (o.audit)
		o.audit->store = store;
	if (o.audit && store_do_now(store, run_open, &o) && o.good)
		return o.audit;
	err_set(e, SIDE_SELF, 0, "audit log: %s", o.audit ? o.why : "out of memory");
	free(o.audit);
	return NULL;
}

void audit_close(struct audit *a)
{
	free(a);
}

/* ---- adding ---- */

struct adding {
	struct audit *audit;
	struct audit_entry entry; /* its texts are in `room` */
	char room[];
};

static bool insert(sqlite3 *db, const struct audit_entry *e)
{
	const struct bytes texts[] = { e->user, e->way, e->address, e->action, e->subject, e->detail };
	sqlite3_stmt *s = NULL;
	bool good = sqlite3_prepare_v2(db, "INSERT INTO audit (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &s, NULL) == SQLITE_OK;

	if (good) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)e->id);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)e->time_ms);
		for (size_t i = 0; i < nelems(texts); i++)
			sqlite3_bind_text(s, (int)i + 3, texts[i].at, (int)texts[i].len, SQLITE_STATIC);
		sqlite3_bind_blob(s, 9, e->hash, AUDIT_HASH, SQLITE_STATIC);
		good = sqlite3_step(s) == SQLITE_DONE;
	}
	sqlite3_finalize(s);
	return good;
}

static void say(const struct audit_entry *e)
{
	char room[512], hash[2 * AUDIT_HASH + 1];
	struct text t = text_over(room, sizeof room - 1);

	bytes_hex(e->hash, AUDIT_HASH, hash);
	text_plain(&t, bytes_sub(e->subject, 0, 100));
	room[t.len] = '\0';
	log_info("audit %llu: %.*s by %.*s%s%s (%s)", (unsigned long long)e->id, BYTES_ARG(e->action), BYTES_ARG(e->user),
		 t.len ? ": " : "", room, hash);
}

static void run_add(sqlite3 *db, void *arg)
{
	struct adding *w = arg;
	struct audit_entry *e = &w->entry;
	uint8_t before[AUDIT_HASH];

	if (read_last(db, &e->id, before)) {
		e->id++;
		if (hash_entry(before, e, e->hash) && insert(db, e)) {
			w->audit->last = e->id;
			memcpy(w->audit->last_hash, e->hash, AUDIT_HASH);
			say(e);
			free(w);
			return;
		}
	}
	store_note_failure(w->audit->store);
	log_error("audit: %.*s by %.*s could not be written down", BYTES_ARG(e->action), BYTES_ARG(e->user));
	free(w);
}

static struct bytes put_copy(char **room, struct bytes from, size_t max)
{
	struct bytes to = { *room, from.len < max ? from.len : max };

	if (to.len)
		memcpy(*room, from.at, to.len);
	*room += to.len;
	return to;
}

void audit_note(struct admin *a, const struct caller *by, const char *action, struct bytes subject, struct bytes detail)
{
	struct bytes user = bytes_of(by->name), way = bytes_of(caller_way_word(by->way)), address = bytes_of(by->address);
	size_t n = user.len + way.len + address.len + strlen(action) + subject.len + detail.len;
	struct adding *w;
	char *at;

	if (!a->audit)
		return; /* an admin without a store: in tests */
	w = malloc(sizeof *w + n);
	if (w) {
		at = w->room;
		*w = (struct adding){ .audit = a->audit, .entry = { .time_ms = clock_wall_ms() } };
		w->entry.user = put_copy(&at, user, user.len);
		w->entry.way = put_copy(&at, way, way.len);
		w->entry.address = put_copy(&at, address, address.len);
		w->entry.action = put_copy(&at, bytes_of(action), SIZE_MAX);
		w->entry.subject = put_copy(&at, subject, AUDIT_SUBJECT_MAX);
		w->entry.detail = put_copy(&at, detail, AUDIT_DETAIL_MAX);
	}
	if (!w || !store_do(a->audit->store, run_add, NULL, NULL, w)) {
		log_error("audit: %s by %s could not be written down", action, by->name);
		free(w);
	}
}

/* ---- reading ---- */

bool audit_read(sqlite3 *db, struct bytes user, uint64_t before, unsigned limit,
		void (*each)(void *, const struct audit_entry *), void *ctx)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT " COLUMNS " FROM audit WHERE id < ?1 AND (?2 IS NULL OR user = ?2) ORDER BY id DESC LIMIT ?3",
				    -1, &s, NULL);
	struct audit_entry e;

	if (rc != SQLITE_OK)
		return false;
	sqlite3_bind_int64(s, 1, before && before < INT64_MAX ? (sqlite3_int64)before : INT64_MAX);
	if (user.len)
		sqlite3_bind_text(s, 2, user.at, (int)user.len, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, limit);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		take_entry(s, &e);
		each(ctx, &e);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE;
}

/* ---- walking ---- */

static bool follows(struct audit_walk *w, const struct audit_entry *e)
{
	uint8_t hash[AUDIT_HASH];

	return e->id == w->entries + 1 && hash_entry(w->hash, e, hash) && tls_same(hash, e->hash, AUDIT_HASH);
}

/* What was seen to be the last must still be there, perhaps with more behind it. */
static void end_walk(struct audit_walk *w)
{
	w->over = true;
	if (!w->broken_at && w->entries < w->audit->last)
		w->broken_at = w->entries + 1;
}

bool audit_check(sqlite3 *db, struct audit_walk *w, unsigned most)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT " COLUMNS " FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2", -1, &s, NULL);
	struct audit_entry e;

	if (rc != SQLITE_OK)
		return false;
	sqlite3_bind_int64(s, 1, (sqlite3_int64)w->entries);
	sqlite3_bind_int64(s, 2, most);
	while (!w->broken_at && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		take_entry(s, &e);
		if (!follows(w, &e) || (e.id == w->audit->last && !tls_same(e.hash, w->audit->last_hash, AUDIT_HASH)))
			w->broken_at = e.id;
		w->entries++;
		memcpy(w->hash, e.hash, AUDIT_HASH);
		most--;
	}
	sqlite3_finalize(s);
	if (w->broken_at || (rc == SQLITE_DONE && most))
		end_walk(w);
	return w->broken_at || rc == SQLITE_DONE;
}
