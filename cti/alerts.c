/* alerts.c -- alerts in the table of that name, on the store's thread. Each is a row; its decisions are text in it, a line
 * each, since they are never asked for but with it. */
#include "base/clock.h"
#include "cti/alerts.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIFE_MS = 72 * 3600 * 1000, TRIM_EVERY = 256, FIND_DEFAULT = 100, FIND_MAX = 1000, FOUND_CAP = 64 << 20 };

struct alerts {
	struct store *store;
	atomic_ullong ids, dropped;
	unsigned since_trim;     /* the store's thread */
	bool good;               /* of the first job */
};

static const char table[] =
	"CREATE TABLE IF NOT EXISTS alerts (id INTEGER PRIMARY KEY, made_ms INTEGER, scenario TEXT, message TEXT, scope INTEGER,"
	" value TEXT, machine TEXT, events INTEGER, first_ms INTEGER, last_ms INTEGER, simulated INTEGER, until_ms INTEGER,"
	" decisions BLOB, body BLOB);"
	"CREATE INDEX IF NOT EXISTS alerts_value ON alerts (value);"
	"CREATE INDEX IF NOT EXISTS alerts_until ON alerts (until_ms);";

/* ---- decisions as bytes: numbers and texts, each behind its length ---- */

static void put_number(struct text *t, uint64_t n)
{
	text_u64(t, n);
	text_byte(t, ' ');
}

static void put_text(struct text *t, struct bytes b)
{
	put_number(t, b.len);
	text_put(t, b);
}

static size_t room_for(const struct alert *a)
{
	size_t n = 1;

	for (size_t i = 0; i < a->ndecisions; i++)
		n += 240 + a->decisions[i].value.len + a->decisions[i].reason.len + a->decisions[i].origin.len;
	return n;
}

static void put_decisions(struct text *t, const struct alert *a)
{
	for (size_t i = 0; i < a->ndecisions; i++) {
		const struct decision *d = &a->decisions[i];

		put_number(t, d->id);
		put_number(t, d->scope);
		put_number(t, d->remedy);
		put_number(t, d->until_ms);
		put_number(t, d->simulated);
		put_text(t, d->value);
		put_text(t, d->reason);
		put_text(t, d->origin);
	}
}

static bool get_number(struct bytes *b, uint64_t *n)
{
	struct bytes word;

	return bytes_cut(b, ' ', &word) && bytes_u64(word, n);
}

static bool get_text(struct bytes *b, struct bytes *out)
{
	uint64_t n;

	if (!get_number(b, &n) || n > b->len)
		return false;
	*out = bytes_sub(*b, 0, n);
	*b = bytes_from(*b, n);
	return true;
}

static bool get_decision(struct bytes *b, struct decision *d)
{
	uint64_t scope, remedy, simulated;

	if (!get_number(b, &d->id) || !get_number(b, &scope) || !get_number(b, &remedy) || !get_number(b, &d->until_ms) ||
	    !get_number(b, &simulated) || !get_text(b, &d->value) || !get_text(b, &d->reason) || !get_text(b, &d->origin))
		return false;
	if (scope >= SCOPE_COUNT || remedy >= REMEDY_COUNT)
		return false;
	d->scope = (enum scope)scope;
	d->remedy = (enum remedy_kind)remedy;
	d->simulated = simulated;
	return true;
}

/* ---- opening ---- */

static void make(struct sqlite3 *db, void *arg)
{
	struct alerts *a = arg;
	sqlite3_stmt *s = NULL;

	a->good = sqlite3_exec(db, table, NULL, NULL, NULL) == SQLITE_OK &&
		  sqlite3_prepare_v2(db, "SELECT coalesce(max(id), 0) FROM alerts", -1, &s, NULL) == SQLITE_OK &&
		  sqlite3_step(s) == SQLITE_ROW;
	if (a->good)
		atomic_store(&a->ids, (unsigned long long)sqlite3_column_int64(s, 0));
	sqlite3_finalize(s);
}

struct alerts *alerts_open(struct store *store, struct err *e)
{
	struct alerts *a = calloc(1, sizeof *a);

	if (!a) {
		err_set(e, SIDE_SELF, 0, "alerts: out of memory");
		return NULL;
	}
	a->store = store;
	if (!store_do_now(store, make, a) || !a->good) {
		err_set(e, SIDE_SELF, 0, "alerts: the store's table cannot be made or read");
		free(a);
		return NULL;
	}
	return a;
}

static void nothing(struct sqlite3 *db, void *arg)
{
	(void)db;
	(void)arg;
}

void alerts_close(struct alerts *a)
{
	if (a)
		store_do_now(a->store, nothing, NULL); /* what was asked before is done */
	free(a);
}

uint64_t alerts_dropped(const struct alerts *a)
{
	return atomic_load(&a->dropped);
}

/* ---- adding ---- */

struct adding {
	struct alerts *alerts;
	struct alert a;
	uint64_t until_ms;      /* of the decision that holds longest */
	struct bytes decisions;
	char text[];
};

static void bind(sqlite3_stmt *s, int i, struct bytes b, bool blob)
{
	if (blob)
		sqlite3_bind_blob64(s, i, b.at ? b.at : "", b.len, SQLITE_STATIC);
	else
		sqlite3_bind_text64(s, i, b.at ? b.at : "", b.len, SQLITE_STATIC, SQLITE_UTF8);
}

static bool run(struct sqlite3 *db, const char *sql, uint64_t one)
{
	sqlite3_stmt *s = NULL;
	bool good = sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK;

	if (good) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)one);
		good = sqlite3_step(s) == SQLITE_DONE;
	}
	sqlite3_finalize(s);
	return good;
}

static void trim(struct sqlite3 *db, struct alerts *a)
{
	if (++a->since_trim < TRIM_EVERY)
		return;
	a->since_trim = 0;
	run(db, "DELETE FROM alerts WHERE made_ms < ?", clock_wall_ms() - LIFE_MS);
	run(db, "DELETE FROM alerts WHERE id <= (SELECT max(id) FROM alerts) - ?", ALERTS_MAX);
}

static void insert(struct sqlite3 *db, void *arg)
{
	struct adding *n = arg;
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO alerts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &s, NULL) == SQLITE_OK) {
		const uint64_t numbers[] = { n->a.id, n->a.made_ms, 0, 0, n->a.scope, 0, 0, n->a.events, n->a.first_ms, n->a.last_ms,
					     n->a.simulated, n->until_ms };

		for (size_t i = 0; i < nelems(numbers); i++)
			sqlite3_bind_int64(s, (int)i + 1, (sqlite3_int64)numbers[i]);
		bind(s, 3, n->a.scenario, false);
		bind(s, 4, n->a.message, false);
		bind(s, 6, n->a.value, false);
		bind(s, 7, n->a.machine, false);
		bind(s, 13, n->decisions, true);
		bind(s, 14, n->a.body, true);
		if (sqlite3_step(s) != SQLITE_DONE)
			store_note_failure(n->alerts->store);
	} else {
		store_note_failure(n->alerts->store);
	}
	sqlite3_finalize(s);
	trim(db, n->alerts);
	free(n);
}

static void keep(struct text *t, struct bytes *b)
{
	size_t from = t->len;

	text_put(t, *b);
	*b = (struct bytes){ t->at + from, t->len - from };
}

static struct adding *adding_new(const struct alert *a)
{
	size_t room = room_for(a) + a->scenario.len + a->message.len + a->value.len + a->machine.len + a->body.len;
	struct adding *n = calloc(1, sizeof *n + room);
	struct text t;
	size_t from;

	if (!n)
		return NULL;
	n->a = *a;
	t = text_over(n->text, room);
	keep(&t, &n->a.scenario);
	keep(&t, &n->a.message);
	keep(&t, &n->a.value);
	keep(&t, &n->a.machine);
	keep(&t, &n->a.body);
	from = t.len;
	put_decisions(&t, a);
	n->decisions = (struct bytes){ t.at + from, t.len - from };
	for (size_t i = 0; i < a->ndecisions; i++)
		if (a->decisions[i].until_ms > n->until_ms)
			n->until_ms = a->decisions[i].until_ms;
	n->a.decisions = NULL;
	return n;
}

uint64_t alerts_add(struct alerts *alerts, const struct alert *a)
{
	struct adding *n = a->body.len <= ALERT_BODY_MAX && a->ndecisions <= ALERT_DECISIONS_MAX ? adding_new(a) : NULL;
	uint64_t id;

	if (n) {
		n->alerts = alerts;
		n->a.id = id = atomic_fetch_add(&alerts->ids, 1) + 1;
		if (store_do(alerts->store, insert, NULL, NULL, n))
			return id;
	}
	free(n);
	atomic_fetch_add(&alerts->dropped, 1);
	return 0;
}

/* ---- asking ---- */

struct finding {
	struct alerts *alerts;
	struct alerts_ask ask;
	struct arena *arena;
	struct alert *found;
	size_t n;
	alerts_each *each;
	void (*done)(void *owner);
	void (*deleted)(void *owner, size_t n);
	void *owner;
};

static const char where[] =
	" WHERE (?1 = 0 OR id = ?1) AND (?2 = '' OR scenario = ?2) AND (?3 = '' OR value = ?3) AND (?4 = '' OR machine = ?4)"
	" AND (?5 < 0 OR scope = ?5) AND made_ms >= ?6 AND (?7 = 0 OR made_ms <= ?7) AND (?8 = 0 OR until_ms > ?8)"
	" AND (?9 = 0 OR id < ?9)";

static sqlite3_stmt *prepare(struct sqlite3 *db, const struct alerts_ask *ask, const char *before, const char *after)
{
	char sql[1024];
	sqlite3_stmt *s = NULL;

	snprintf(sql, sizeof sql, "%s%s%s", before, where, after);
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_bind_int64(s, 1, (sqlite3_int64)ask->id);
	bind(s, 2, ask->scenario, false);
	bind(s, 3, ask->value, false);
	bind(s, 4, ask->machine, false);
	sqlite3_bind_int(s, 5, ask->has_scope ? (int)ask->scope : -1);
	sqlite3_bind_int64(s, 6, (sqlite3_int64)ask->since_ms);
	sqlite3_bind_int64(s, 7, (sqlite3_int64)ask->until_ms);
	sqlite3_bind_int64(s, 8, ask->active ? (sqlite3_int64)clock_wall_ms() : 0);
	sqlite3_bind_int64(s, 9, (sqlite3_int64)ask->before);
	return s;
}

static struct bytes column(struct arena *arena, sqlite3_stmt *s, int i)
{
	const void *at = sqlite3_column_blob(s, i);

	return arena_copy(arena, (struct bytes){ at ? at : "", at ? (size_t)sqlite3_column_bytes(s, i) : 0 });
}

static bool read_row(struct finding *f, sqlite3_stmt *s, struct alert *a)
{
	struct arena *arena = f->arena;
	struct bytes packed = column(arena, s, 12);
	struct decision *all = arena_get(arena, ALERT_DECISIONS_MAX * sizeof *all);

	*a = (struct alert){ .id = (uint64_t)sqlite3_column_int64(s, 0), .made_ms = (uint64_t)sqlite3_column_int64(s, 1),
		.scenario = column(arena, s, 2), .message = column(arena, s, 3), .scope = (enum scope)sqlite3_column_int(s, 4),
		.value = column(arena, s, 5), .machine = column(arena, s, 6), .events = (uint32_t)sqlite3_column_int64(s, 7),
		.first_ms = (uint64_t)sqlite3_column_int64(s, 8), .last_ms = (uint64_t)sqlite3_column_int64(s, 9),
		.simulated = sqlite3_column_int(s, 10), .body = column(arena, s, 13), .decisions = all };
	if (!packed.at || !all || !a->body.at || a->scope >= SCOPE_COUNT)
		return false;
	while (packed.len && a->ndecisions < ALERT_DECISIONS_MAX && get_decision(&packed, &all[a->ndecisions]))
		a->ndecisions++;
	return true;
}

static void find(struct sqlite3 *db, void *arg)
{
	struct finding *f = arg;
	sqlite3_stmt *s = prepare(db, &f->ask, "SELECT * FROM alerts", " ORDER BY id DESC LIMIT ?10");

	if (!s) {
		store_note_failure(f->alerts->store);
		return;
	}
	sqlite3_bind_int64(s, 10, (sqlite3_int64)f->ask.limit);
	while (f->n < f->ask.limit && sqlite3_step(s) == SQLITE_ROW && read_row(f, s, &f->found[f->n]))
		f->n++;
	sqlite3_finalize(s);
}

static void delete(struct sqlite3 *db, void *arg)
{
	struct finding *f = arg;
	sqlite3_stmt *s = prepare(db, &f->ask, "DELETE FROM alerts", "");

	if (!s || sqlite3_step(s) != SQLITE_DONE)
		store_note_failure(f->alerts->store);
	else
		f->n = (size_t)sqlite3_changes(db);
	sqlite3_finalize(s);
}

static void found(void *arg)
{
	struct finding *f = arg;

	for (size_t i = 0; f->each && i < f->n; i++)
		f->each(f->owner, &f->found[i]);
	if (f->each)
		f->done(f->owner);
	else
		f->deleted(f->owner, f->n);
	arena_free(f->arena);
}

static struct finding *finding_new(struct alerts *alerts, const struct alerts_ask *ask, void *owner)
{
	struct arena *arena = arena_new(FOUND_CAP);
	struct finding *f = arena ? arena_get(arena, sizeof *f) : NULL;

	if (!f) {
		arena_free(arena);
		return NULL;
	}
	*f = (struct finding){ .alerts = alerts, .ask = *ask, .arena = arena, .owner = owner };
	f->ask.scenario = arena_copy(arena, ask->scenario);
	f->ask.value = arena_copy(arena, ask->value);
	f->ask.machine = arena_copy(arena, ask->machine);
	f->ask.limit = !ask->limit ? FIND_DEFAULT : ask->limit > FIND_MAX ? FIND_MAX : ask->limit;
	f->found = arena_get(arena, f->ask.limit * sizeof *f->found);
	return f;
}

static bool start(struct finding *f, void (*job)(struct sqlite3 *, void *), struct loop *loop)
{
	if (f->found && store_do(f->alerts->store, job, loop, found, f))
		return true;
	arena_free(f->arena);
	return false;
}

bool alerts_find(struct alerts *alerts, const struct alerts_ask *ask, struct loop *loop, alerts_each *each,
		 void (*done)(void *owner), void *owner)
{
	struct finding *f = finding_new(alerts, ask, owner);

	if (!f)
		return false;
	f->each = each;
	f->done = done;
	return start(f, find, loop);
}

bool alerts_delete(struct alerts *alerts, const struct alerts_ask *ask, struct loop *loop, void (*done)(void *owner, size_t n),
		   void *owner)
{
	struct finding *f = finding_new(alerts, ask, owner);

	if (!f)
		return false;
	f->deleted = done;
	return start(f, delete, loop);
}
