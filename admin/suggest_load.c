/* suggest_load.c -- what the archive knows of alerts and their clients, and the verdicts on suggestions; on its store's thread. */
#include "admin/suggest_ask.h"
#include "admin/archive.h"
#include "base/clock.h"
#include <sqlite3.h>
#include <stdlib.h>

enum { ROW_JSON = 2 << 20, DEPTH = 16 };

static const char verdicts[] = "CREATE TABLE IF NOT EXISTS suggestion_words (id TEXT PRIMARY KEY, keep INTEGER, time_ms INTEGER)";

static uint32_t client_of(struct suggest_set *s, const struct ip *ip)
{
	for (uint32_t i = 0; i < s->nclients; i++)
		if (ip_eq(&s->clients[i].address, ip))
			return i;
	s->clients[s->nclients].address = *ip;
	return (uint32_t)s->nclients++;
}

static struct json *json_of(sqlite3_stmt *s, int column)
{
	const struct json_limits limits = { ROW_JSON, DEPTH };
	struct err e;
	const char *at = sqlite3_column_blob(s, column);

	return at ? json_read((struct bytes){ at, (size_t)sqlite3_column_bytes(s, column) }, &limits, &e) : NULL;
}

static void take_event(struct suggest_set *s, sqlite3_stmt *q)
{
	struct json *row = json_of(q, 1), *rest = json_of(q, 2);
	struct suggest_event *x = &s->events[s->n];
	struct err e;

	if (row && rest && replay_event_read(s->arena, row, rest, &x->kept, &e)) {
		x->time_ms = (uint64_t)sqlite3_column_int64(q, 0);
		x->path = propose_path(s->arena, x->kept.path);
		x->client = client_of(s, &x->kept.request.client);
		s->clients[x->client].pass |= x->kept.pass.len && !bytes_eq(x->kept.pass, BYTES("none"));
		s->clients[x->client].marked |= x->kept.marked;
		s->n++;
	}
	json_free(row);
	json_free(rest);
}

static bool load_events(struct suggest_ask *ask, sqlite3 *db)
{
	static const char sql[] = "SELECT e.time_ms, d.row, d.rest FROM events e NOT INDEXED JOIN event_details d ON d.id = e.id"
				  " WHERE e.time_ms >= ?1 AND e.source = 'rule' AND (?2 = '' OR e.app = ?2) ORDER BY e.id DESC LIMIT ?3";
	struct suggest_set *s = &ask->set;
	sqlite3_stmt *q = NULL;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)ask->since_ms);
	sqlite3_bind_text(q, 2, ask->app.at ? ask->app.at : "", (int)ask->app.len, SQLITE_STATIC);
	sqlite3_bind_int(q, 3, SUGGEST_EVENTS + 1);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW && s->n < SUGGEST_EVENTS)
		take_event(s, q);
	s->more = rc == SQLITE_ROW;
	sqlite3_finalize(q);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* What else is known of them. */
static bool load_clients(struct suggest_ask *ask, sqlite3 *db)
{
	static const char sql[] = "SELECT max(status BETWEEN 200 AND 299), max(source IN ('cti', 'scenario', 'bot')) FROM events e"
				  " INDEXED BY events_client WHERE client = ?1 AND time_ms >= ?2";
	struct suggest_set *s = &ask->set;
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(q, 2, (sqlite3_int64)ask->since_ms);
	for (size_t i = 0; i < s->nclients; i++) {
		sqlite3_bind_blob(q, 1, s->clients[i].address.b, sizeof s->clients[i].address.b, SQLITE_STATIC);
		if (sqlite3_step(q) == SQLITE_ROW) {
			s->clients[i].success = sqlite3_column_int(q, 0) == 1;
			s->clients[i].marked |= sqlite3_column_int(q, 1) == 1;
		}
		sqlite3_reset(q);
	}
	sqlite3_finalize(q);
	return true;
}

static void take_verdict(struct suggest_set *s, sqlite3_stmt *q)
{
	struct suggest_verdict *v = &s->verdicts[s->nverdicts++];
	const unsigned char *id = sqlite3_column_text(q, 0);

	snprintf(v->id, sizeof v->id, "%s", id ? (const char *)id : "");
	v->keep = sqlite3_column_int(q, 1) != 0;
	v->time_ms = (uint64_t)sqlite3_column_int64(q, 2);
	for (size_t i = 0; i < s->nclusters; i++)
		if (strcmp(s->clusters[i].id, v->id) == 0)
			s->clusters[i].kept = v->keep;
}

static bool load_verdicts(struct suggest_set *s, sqlite3 *db)
{
	sqlite3_stmt *q = NULL;

	s->verdicts = arena_get(s->arena, SUGGEST_VERDICTS * sizeof *s->verdicts);
	if (!s->verdicts || sqlite3_exec(db, verdicts, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "SELECT id, keep, time_ms FROM suggestion_words ORDER BY time_ms DESC", -1, &q, NULL) != SQLITE_OK)
		return false;
	while (s->nverdicts < SUGGEST_VERDICTS && sqlite3_step(q) == SQLITE_ROW)
		take_verdict(s, q);
	sqlite3_finalize(q);
	return true;
}

/* The one that was asked for: of all events of its app. */
static bool single_cluster(struct suggest_ask *ask)
{
	struct suggest_set *s = &ask->set;
	uint32_t *all = arena_get(s->arena, (s->n + 1) * sizeof *all);

	if (!all || !suggest_clusters(s))
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		all[i] = i;
	s->clusters = arena_get(s->arena, sizeof *s->clusters);
	if (!s->clusters)
		return false;
	*s->clusters = (struct suggest_cluster){ .app = ask->app, .events = all, .n = s->n, .exception = *ask->only };
	s->nclusters = 1;
	return true;
}

static bool all_near(struct suggest_ask *ask)
{
	for (size_t i = 0; i < ask->set.nclusters; i++)
		if (!suggest_near(&ask->set, &ask->set.clusters[i], ask->only))
			return false;
	return true;
}

void suggest_load(sqlite3 *db, void *arg)
{
	struct suggest_ask *ask = arg;
	struct suggest_set *s = &ask->set;

	s->events = arena_get(s->arena, SUGGEST_EVENTS * sizeof *s->events);
	s->clients = arena_get(s->arena, SUGGEST_EVENTS * sizeof *s->clients);
	ask->loaded = s->events && s->clients && load_events(ask, db) && load_clients(ask, db) &&
			  (ask->only ? single_cluster(ask) : suggest_clusters(s)) && all_near(ask) && load_verdicts(s, db);
}

/* ---- verdicts ---- */

struct verdict_job {
	char id[17];
	bool keep;
	void (*done)(void *);
	void *ctx;
};

/* What is said again replaces it, and of the oldest there is an end. */
static void write_verdict(sqlite3 *db, void *arg)
{
	static const char put[] = "INSERT OR REPLACE INTO suggestion_words (id, keep, time_ms) VALUES (?1, ?2, ?3)";
	static const char cut[] = "DELETE FROM suggestion_words WHERE id NOT IN"
				  " (SELECT id FROM suggestion_words ORDER BY time_ms DESC LIMIT ?1)";
	const struct verdict_job *v = arg;
	sqlite3_stmt *q = NULL;

	if (sqlite3_exec(db, verdicts, NULL, NULL, NULL) != SQLITE_OK || sqlite3_prepare_v2(db, put, -1, &q, NULL) != SQLITE_OK)
		return;
	sqlite3_bind_text(q, 1, v->id, -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 2, v->keep);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)clock_wall_ms());
	sqlite3_step(q);
	sqlite3_finalize(q);
	if (sqlite3_prepare_v2(db, cut, -1, &q, NULL) != SQLITE_OK)
		return;
	sqlite3_bind_int(q, 1, SUGGEST_VERDICTS);
	sqlite3_step(q);
	sqlite3_finalize(q);
}

static void verdict_written(void *arg)
{
	struct verdict_job *v = arg;

	v->done(v->ctx);
	free(v);
}

bool suggest_verdict(struct admin *admin, struct bytes id, bool keep, void (*done)(void *ctx), void *ctx)
{
	struct verdict_job *v = calloc(1, sizeof *v);

	if (!v)
		return false;
	*v = (struct verdict_job){ .keep = keep, .done = done, .ctx = ctx };
	memcpy(v->id, id.at, id.len < sizeof v->id - 1 ? id.len : sizeof v->id - 1);
	if (admin->archive && store_do(archive_store(admin->archive), write_verdict, admin->loop, verdict_written, v))
		return true;
	free(v);
	return false;
}
