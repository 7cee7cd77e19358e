/* peers_events.c -- events of several gates as one list, and one of them from the gate that keeps it. */
#include "admin/api/peers.h"
#include "base/clock.h"
#include "base/json_edit.h"
#include <stdlib.h>

enum { TARGET_ROOM = 900, EVENT_MAX = 2 << 20, ID_MAX = 26 };

/* ---- events: newest first, page by page by their time ----
 *
 * Rows are numbered by each gate for itself, so pages of all are told apart by time: the next one has what is older than the
 * oldest that this one has whole. Of a gate whose own page was not its last, nothing older than its last row is known. */

struct row { uint64_t time_ms; const struct json *item; const char *node; };

struct rows {
	struct row *at;
	size_t n;
	uint64_t floor_ms; /* what is not newer may be only a part of what there is; 0: all is known */
};

static uint64_t time_of(const struct json *item)
{
	struct bytes time;
	uint64_t ms;

	return json_text(item, "time", &time) && clock_read(time, &ms) ? ms : 0;
}

static void gather(struct rows *r, const struct peers_part *part)
{
	const struct json *items = json_at(part->body, "items");
	struct bytes next;
	uint64_t last_ms = 0;
	size_t n = json_length(part->body, "items");

	for (size_t i = 0; i < n; i++) {
		const struct json *item = json_item(items, i);

		last_ms = time_of(item);
		if (last_ms)
			r->at[r->n++] = (struct row){ last_ms, item, part->node };
	}
	if (json_text(part->body, "next", &next) && last_ms > r->floor_ms)
		r->floor_ms = last_ms;
}

static int newest_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->time_ms < y->time_ms ? 1 : x->time_ms > y->time_ms ? -1 : strcmp(x->node, y->node);
}

/* How many rows the page has: whole milliseconds, at least `limit` of them where there are so many, and one at least. */
static size_t page_size(const struct rows *r, size_t limit)
{
	size_t n = 0;

	while (n < r->n && (n < limit || r->at[n].time_ms == r->at[n - 1].time_ms) && r->at[n].time_ms > r->floor_ms)
		n++;
	if (!n)
		while (n < r->n && r->at[n].time_ms == r->at[0].time_ms)
			n++;
	return n;
}

static void put_row(struct json_out *o, struct arena *a, const struct row *r)
{
	struct json *item = json_edit(r->item);
	char room[8 * 64];
	struct text t = text_over(room, sizeof room);
	struct bytes printed;

	text_json(&t, bytes_of(r->node));
	json_put(item, "node", text_bytes(&t));
	printed = json_print(item, a, EVENT_MAX);
	if (printed.at)
		out_raw(o, NULL, printed);
	else
		o->failed = true;
}

static void put_next(struct json_out *o, const struct rows *r, size_t n)
{
	uint64_t next_ms = n < r->n ? r->at[n].time_ms + 1 : r->floor_ms;

	if (next_ms)
		out_id(o, "next", next_ms);
	else
		out_null(o, "next");
}

static void put_events(struct api_call *c, const struct peers_told *told, struct rows *r)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct arena *a = arena_new(API_ANSWER_MAX);
	size_t n = page_size(r, (size_t)api_query_int(c, "limit", API_PAGE, API_PAGE_MAX));

	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n && a; i++)
		put_row(&o, a, &r->at[i]);
	out_end(&o);
	put_next(&o, r, n);
	peers_put_silent(&o, told);
	out_end(&o);
	o.failed = o.failed || !a;
	arena_free(a);
	api_answer(c, 200, &o);
}

static void merge_events(struct api_call *c, const struct peers_told *told)
{
	struct rows r = { 0 };
	size_t room = 1;

	for (size_t i = 0; i < told->n; i++)
		room += json_length(told->at[i].body, "items");
	r.at = calloc(room, sizeof *r.at);
	if (!r.at) {
		api_problem(c, 503, "out of memory");
		return;
	}
	for (size_t i = 0; i < told->n; i++)
		gather(&r, &told->at[i]);
	qsort(r.at, r.n, sizeof *r.at, newest_first);
	put_events(c, told, &r);
	free(r.at);
}

void peers_events(struct api_call *c)
{
	static const char *const ours[] = { "nodes", "after", "to" };
	char room[TARGET_ROOM];
	struct text t = text_over(room, sizeof room), query = text_over((char[TARGET_ROOM]){ 0 }, TARGET_ROOM);
	struct bytes after = api_query(c, "after");
	uint64_t to_ms = api_query_time(c, "to");

	if (after.at && !bytes_u64(after, &to_ms)) {
		api_problem(c, 400, "after: what `next` of a page said is wanted");
		return;
	}
	peers_query(c, &query, ours, nelems(ours));
	text_str(&t, "/events");
	text_put(&t, text_bytes(&query));
	if (!query.len)
		text_str(&t, "?limit=50");
	if (to_ms) {
		text_str(&t, "&to=");
		clock_rfc3339(&t, to_ms);
	}
	if (t.full || query.full)
		api_problem(c, 400, "the query is too long to be asked of all gates");
	else
		peers_ask(c, text_bytes(&t), merge_events);
}

/* ---- one ---- */

static void put_event(struct api_call *c, const struct peers_part *kept)
{
	const struct row row = { 0, kept->body, kept->node };
	struct json_out o = json_out(EVENT_MAX);
	struct arena *a = arena_new(2 * EVENT_MAX);

	if (a)
		put_row(&o, a, &row);
	o.failed = o.failed || !a;
	arena_free(a);
	api_answer(c, 200, &o);
}

static void no_event(struct api_call *c, const struct peers_told *told)
{
	char room[256];
	struct text t = text_over(room, sizeof room);

	for (size_t i = 0; i < told->nsilent; i++)
		text_printf(&t, "%s%s", i ? ", " : "", told->silent[i]);
	if (told->nsilent)
		api_problem(c, 404, "no gate that answers keeps an event of that id; no answer came from %.*s%s",
			BYTES_ARG(text_bytes(&t)), t.full ? "..." : "");
	else
		api_problem(c, 404, "no event of that id is kept by any gate");
}

static void merge_event(struct api_call *c, const struct peers_told *told)
{
	for (size_t i = 0; i < told->n; i++)
		if (json_at(told->at[i].body, "id")) {
			put_event(c, &told->at[i]);
			return;
		}
	no_event(c, told);
}

/* An id of ours, which a path holds as it is. */
static bool is_id(struct bytes id)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < id.len; i++)
		if (!memchr(set, id.at[i], sizeof set - 1))
			return false;
	return id.len > 0 && id.len <= ID_MAX;
}

void peers_event(struct api_call *c)
{
	char room[64];
	struct text t = text_over(room, sizeof room);

	text_str(&t, "/events/");
	text_put(&t, c->params[0]);
	if (is_id(c->params[0]))
		peers_ask(c, text_bytes(&t), merge_event);
	else
		api_problem(c, 404, "no event has such an id");
}
