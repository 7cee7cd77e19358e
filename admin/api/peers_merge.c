/* peers_merge.c -- answers of several gates as one. */
#include "admin/api/peers.h"
#include "base/clock.h"
#include "base/json_edit.h"
#include <stdlib.h>

enum { TARGET_ROOM = 900, ITEM_MAX = 64 << 10 };

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
	printed = json_print(item, a, ITEM_MAX);
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

/* ---- stats: sums; of what is no amount, the greatest ---- */

static bool is_amount(const char *key)
{
	return strcmp(key, "added_p50_us") != 0 && strcmp(key, "added_p99_us") != 0 && strcmp(key, "decisions") != 0;
}

struct summing { struct json_out *o; const struct peers_told *told; };

static bool sum_one(void *ctx, const char *key, const struct json *value)
{
	struct summing *s = ctx;
	struct bytes text;
	double sum = 0, one;
	bool known = false;

	if (json_text(value, "", &text)) { /* its time is that of this gate */
		out_text(s->o, key, text);
		return true;
	}
	for (size_t i = 0; i < s->told->n; i++)
		if (json_decimal(s->told->at[i].body, key, &one)) {
			sum = is_amount(key) ? sum + one : one > sum ? one : sum;
			known = true;
		}
	if (!known)
		out_null(s->o, key);
	else if (sum == (double)(int64_t)sum)
		out_int(s->o, key, (int64_t)sum);
	else
		out_decimal(s->o, key, sum);
	return true;
}

static void merge_stats(struct api_call *c, const struct peers_told *told)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct summing s = { &o, told };

	if (!told->n) {
		api_problem(c, 503, "no gate answers, this one neither");
		return;
	}
	out_object(&o, NULL);
	json_keys(told->at[0].body, sum_one, &s);
	peers_put_silent(&o, told);
	out_end(&o);
	api_answer(c, 200, &o);
}

void peers_stats(struct api_call *c)
{
	static const char *const ours[] = { "nodes" };
	char room[TARGET_ROOM];
	struct text t = text_over(room, sizeof room), query = text_over((char[TARGET_ROOM]){ 0 }, TARGET_ROOM);

	peers_query(c, &query, ours, nelems(ours));
	text_str(&t, "/stats");
	text_put(&t, text_bytes(&query));
	if (t.full || query.full)
		api_problem(c, 400, "the query is too long to be asked of all gates");
	else
		peers_ask(c, text_bytes(&t), merge_stats);
}
