/* peers_suggest.c -- suggestions of several gates as one list: what is the same mistake has the same id at each.
 *
 * Counts are added; a client that came to several gates is one, as far as each names them (`who`). How likely it is, is judged
 * anew from those. An exception has the rules of all, and what each gate replayed, with its own part of them, is added. */
#include "admin/api/peers.h"
#include "admin/suggest.h"
#include "base/clock.h"
#include "base/json_edit.h"
#include <stdlib.h>

enum { WAIT_MS = 5000, ROOM = 16 << 20, EXCEPTION_MAX = 64 << 10, RULES_MAX = 8 << 10 };

struct part { struct bytes id; const struct json *item; const char *node; int64_t events; };
struct said { struct bytes id, time; bool keep; };
struct client { struct bytes address; bool has_pass, has_success, is_bad; };

struct merging {
	struct arena *arena;
	struct json_out *o;
	struct part *parts;
	size_t nparts;
	struct said *said;
	size_t nsaid;
	bool more;
};

/* What several gates have of one. */
struct group {
	const struct part *at;      /* most events first */
	size_t n;
	struct client *clients;
	size_t nclients;
	int64_t unnamed, with_pass, with_success, bad;
	struct bytes first, last;
	const struct part *newest;
};

/* ---- gathering ---- */

static int by_id(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int sign = bytes_cmp(x->id, y->id);

	return sign ? sign : x->events < y->events ? 1 : x->events > y->events ? -1 : strcmp(x->node, y->node);
}

static int newest_said_first(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	int sign = bytes_cmp(x->id, y->id);

	return sign ? sign : bytes_cmp(y->time, x->time);
}

static void take_parts(struct merging *m, const struct peers_part *from)
{
	const struct json *items = json_at(from->body, "items"), *item;
	bool more;

	for (size_t i = 0; (item = json_item(items, i)); i++) {
		struct part p = { .item = item, .node = from->node };

		if (json_text(item, "id", &p.id) && json_number(item, "events", &p.events))
			m->parts[m->nparts++] = p;
	}
	m->more = m->more || (json_flag(from->body, "more", &more) && more);
}

static void take_said(struct merging *m, const struct json *body)
{
	const struct json *list = json_at(body, "verdicts"), *item;

	for (size_t i = 0; (item = json_item(list, i)); i++) {
		struct said s = { 0 };

		if (json_text(item, "id", &s.id) && json_text(item, "time", &s.time) && json_flag(item, "keep", &s.keep))
			m->said[m->nsaid++] = s;
	}
}

static bool gather(struct merging *m, const struct peers_told *told)
{
	size_t parts = 1, said = 1;

	for (size_t i = 0; i < told->n; i++) {
		parts += json_length(told->at[i].body, "items");
		said += json_length(told->at[i].body, "verdicts");
	}
	m->parts = arena_get(m->arena, parts * sizeof *m->parts);
	m->said = arena_get(m->arena, said * sizeof *m->said);
	if (!m->parts || !m->said)
		return false;
	for (size_t i = 0; i < told->n; i++) {
		take_parts(m, &told->at[i]);
		take_said(m, told->at[i].body);
	}
	qsort(m->parts, m->nparts, sizeof *m->parts, by_id);
	qsort(m->said, m->nsaid, sizeof *m->said, newest_said_first);
	return true;
}

/* ---- who they were ---- */

static bool is_set(const struct json *item, const char *key)
{
	bool set;

	return json_flag(item, key, &set) && set;
}

static int64_t number_of(const struct json *item, const char *key)
{
	int64_t n;

	return json_number(item, key, &n) ? n : 0;
}

static int by_address(const void *a, const void *b)
{
	return bytes_cmp(((const struct client *)a)->address, ((const struct client *)b)->address);
}

static void take_clients(struct group *g, const struct json *item)
{
	const struct json *who = json_at(item, "who"), *one;

	for (size_t i = 0; (one = json_item(who, i)); i++) {
		struct client c = { .has_pass = is_set(one, "has_pass"), .has_success = is_set(one, "has_success"), .is_bad = is_set(one, "is_bad") };

		if (json_text(one, "address", &c.address))
			g->clients[g->nclients++] = c;
	}
}

/* Each address once, with what any gate knows of it. */
static void unite_clients(struct group *g)
{
	size_t n = 0;

	qsort(g->clients, g->nclients, sizeof *g->clients, by_address);
	for (size_t i = 0; i < g->nclients; i++) {
		struct client *c = &g->clients[i], *last = n ? &g->clients[n - 1] : NULL;

		if (!last || !bytes_eq(last->address, c->address)) {
			g->clients[n++] = *c;
			continue;
		}
		last->has_pass |= c->has_pass;
		last->has_success |= c->has_success;
		last->is_bad |= c->is_bad;
	}
	g->nclients = n;
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Where a gate had more of them than it names, no less than it counted. */
static bool count_clients(struct group *g, struct arena *a)
{
	int64_t pass = 0, success = 0;
	size_t room = 1;

	for (size_t i = 0; i < g->n; i++)
		room += json_length(g->at[i].item, "who");
	g->clients = arena_get(a, room * sizeof *g->clients);
	if (!g->clients)
		return false;
	for (size_t i = 0; i < g->n; i++) {
		const struct json *item = g->at[i].item;

		take_clients(g, item);
		g->unnamed += greater(number_of(item, "clients") - (int64_t)json_length(item, "who"), 0);
		pass = greater(pass, number_of(item, "clients_with_pass"));
		success = greater(success, number_of(item, "clients_with_success"));
	}
	unite_clients(g);
	for (size_t i = 0; i < g->nclients; i++) {
		g->with_pass += g->clients[i].has_pass;
		g->with_success += g->clients[i].has_success;
		g->bad += g->clients[i].is_bad;
	}
	g->with_pass = greater(g->with_pass, pass);
	g->with_success = greater(g->with_success, success);
	return true;
}

/* ---- the rest of one ---- */

static void set_times(struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct bytes first, last;

		if (json_text(g->at[i].item, "first", &first) && (!g->first.at || bytes_cmp(first, g->first) < 0))
			g->first = first;
		if (json_text(g->at[i].item, "last", &last) && (!g->last.at || bytes_cmp(last, g->last) > 0)) {
			g->last = last;
			g->newest = &g->at[i];
		}
	}
}

static uint64_t span_of(const struct group *g)
{
	uint64_t first, last;

	return clock_read(g->first, &first) && clock_read(g->last, &last) && last > first ? last - first : 0;
}

static int64_t sum_of(const struct group *g, const char *path)
{
	int64_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		n += number_of(g->at[i].item, path);
	return n;
}

static bool all_accepted(const struct group *g)
{
	struct bytes state;

	for (size_t i = 0; i < g->n; i++)
		if (!json_text(g->at[i].item, "state", &state) || !bytes_eq(state, BYTES("accepted")))
			return false;
	return true;
}

static bool is_kept(const struct merging *m, struct bytes id)
{
	size_t low = 0, high = m->nsaid;

	while (low < high) {
		size_t at = low + (high - low) / 2;

		if (bytes_cmp(m->said[at].id, id) < 0)
			low = at + 1;
		else
			high = at;
	}
	return low < m->nsaid && bytes_eq(m->said[low].id, id) && m->said[low].keep;
}

static bool add_rule(struct text *t, const struct bytes *known, size_t n, struct bytes rule)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq(known[i], rule))
			return false;
	text_byte(t, n ? ',' : '[');
	text_json(t, rule);
	return true;
}

/* The rules of all; those that do not fit are left out, and come back as another suggestion. */
static void unite_rules(const struct group *g, struct json *exception)
{
	char room[RULES_MAX];
	struct text t = text_over(room, sizeof room - 1);
	struct bytes known[256], rule;
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct json *rules = json_at(g->at[i].item, "exception.rules"), *one;

		for (size_t k = 0; (one = json_item(rules, k)) && n < nelems(known); k++) {
			struct text before = t;

			if (!json_text(one, "", &rule) || !add_rule(&t, known, n, rule))
				continue;
			if (t.full)
				t = before;
			else
				known[n++] = rule;
		}
	}
	if (n) {
		t.cap++;
		text_byte(&t, ']');
		json_put(exception, "rules", text_bytes(&t));
	}
}

/* ---- writing ---- */

static void copy_text(struct json_out *o, const struct json *item, const char *key)
{
	struct bytes text;

	out_text(o, key, json_text(item, key, &text) ? text : (struct bytes){ 0 });
}

static void put_impact(struct json_out *o, const struct group *g, const char *key)
{
	char path[64];

	out_object(o, key);
	snprintf(path, sizeof path, "%s.events", key);
	out_int(o, "events", sum_of(g, path));
	snprintf(path, sizeof path, "%s.clients", key);
	out_int(o, "clients", sum_of(g, path));
	out_end(o);
}

static void put_nodes(struct json_out *o, const struct group *g)
{
	out_list(o, "nodes");
	for (size_t i = 0; i < g->n; i++) {
		out_object(o, NULL);
		out_str(o, "node", g->at[i].node);
		out_int(o, "events", g->at[i].events);
		copy_text(o, g->at[i].item, "state");
		out_end(o);
	}
	out_end(o);
}

static void put_exception(struct merging *m, const struct group *g)
{
	struct json *exception = json_edit(json_at(g->at[0].item, "exception"));
	struct bytes printed;

	unite_rules(g, exception);
	printed = json_print(exception, m->arena, EXCEPTION_MAX);
	if (printed.at)
		out_raw(m->o, "exception", printed);
	else
		m->o->failed = true;
}

static void put_counts(struct json_out *o, const struct group *g)
{
	int64_t clients = (int64_t)g->nclients + g->unnamed;

	out_int(o, "events", sum_of(g, "events"));
	out_int(o, "clients", clients);
	out_int(o, "clients_with_pass", g->with_pass);
	out_int(o, "clients_with_success", g->with_success);
	out_text(o, "first", g->first);
	out_text(o, "last", g->last);
	copy_text(o, g->newest->item, "sample");
	out_str(o, "sample_node", g->newest->node);
	out_str(o, "likely", suggest_likely_word(suggest_judge((uint32_t)clients, g->with_pass > 0, g->with_success > 0, (uint32_t)g->bad,
							       span_of(g))));
}

static void put_group(struct merging *m, struct group *g)
{
	static const char *const same[] = { "id", "rule", "message", "category", "app", "path", "parameter" };
	struct json_out *o = m->o;

	set_times(g);
	if (!g->newest || !json_of_object(json_at(g->at[0].item, "exception")))
		return; /* no gate says such a thing */
	if (!count_clients(g, m->arena)) {
		o->failed = true;
		return;
	}
	out_object(o, NULL);
	for (size_t i = 0; i < nelems(same); i++)
		copy_text(o, g->at[0].item, same[i]);
	put_counts(o, g);
	put_exception(m, g);
	put_impact(o, g, "would_unblock");
	put_impact(o, g, "would_open");
	out_int(o, "replayed", sum_of(g, "replayed"));
	out_int(o, "reckoned", sum_of(g, "reckoned"));
	out_str(o, "state", all_accepted(g) ? "accepted" : is_kept(m, g->at[0].id) ? "kept" : "open");
	put_nodes(o, g);
	out_end(o);
}

static int most_events_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int64_t n = sum_of(x, "events"), k = sum_of(y, "events");

	return n < k ? 1 : n > k ? -1 : bytes_cmp(x->at[0].id, y->at[0].id);
}

/* Groups of the sorted parts. NULL: out of memory. */
static struct group *groups_of(struct merging *m, size_t *n)
{
	struct group *at = arena_get(m->arena, (m->nparts + 1) * sizeof *at);

	*n = 0;
	for (size_t i = 0; at && i < m->nparts; i++) {
		if (!*n || !bytes_eq(at[*n - 1].at[0].id, m->parts[i].id))
			at[(*n)++].at = &m->parts[i];
		at[*n - 1].n++;
	}
	if (at)
		qsort(at, *n, sizeof *at, most_events_first);
	return at;
}

static void merge_suggestions(struct api_call *c, const struct peers_told *told)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct merging m = { .arena = arena_new(ROOM), .o = &o };
	uint64_t limit = api_query_int(c, "limit", SUGGEST_CLUSTERS, SUGGEST_CLUSTERS);
	size_t n = 0;
	struct group *groups = m.arena && gather(&m, told) ? groups_of(&m, &n) : NULL;

	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n && i < limit; i++)
		put_group(&m, &groups[i]);
	out_end(&o);
	out_flag(&o, "more", m.more);
	peers_put_silent(&o, told);
	out_end(&o);
	o.failed = o.failed || !groups;
	arena_free(m.arena);
	api_answer(c, 200, &o);
}

void peers_suggestions(struct api_call *c)
{
	peers_ask_as_it_came(c, "/suggestions", "who=true", WAIT_MS, merge_suggestions);
}
