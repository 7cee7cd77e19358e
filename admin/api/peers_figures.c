/* peers_figures.c -- figures of several gates as one: sums; of what is no amount, the greatest. */
#include "admin/api/peers.h"
#include "base/clock.h"
#include "cti/share_ask.h"
#include <stdlib.h>

#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

static bool is_amount(const char *key)
{
	return strcmp(key, "added_p50_us") != 0 && strcmp(key, "added_p99_us") != 0 && strcmp(key, "decisions") != 0;
}

/* A figure of several gates, as it grows. */
struct figure { bool is_amount, known; double n; };

static void figure_add(struct figure *f, const struct json *value)
{
	double n;

	if (!value || !json_decimal(value, "", &n))
		return;
	f->n = f->is_amount ? f->n + n : n > f->n ? n : f->n;
	f->known = true;
}

static void figure_put(struct json_out *o, const char *key, const struct figure *f)
{
	if (!f->known)
		out_null(o, key);
	else if (f->n > -WHOLE_MAX && f->n < WHOLE_MAX && f->n == (double)(int64_t)f->n)
		out_int(o, key, (int64_t)f->n);
	else
		out_decimal(o, key, f->n);
}

/* The first that has `key`, which all have that know anything. NULL: it was answered. */
static const struct json *first_of(struct api_call *c, const struct peers_told *told, const char *key)
{
	for (size_t i = 0; i < told->n; i++)
		if (json_at(told->at[i].body, key))
			return told->at[i].body;
	if (told->n)
		api_problem(c, 404, "no gate that answers has figures of it");
	else
		api_problem(c, 503, "no gate answers, this one neither");
	return NULL;
}

/* ---- now ---- */

struct summing { struct json_out *o; const struct peers_told *told; };

static bool sum_one(void *ctx, const char *key, const struct json *value)
{
	struct figure f = { .is_amount = is_amount(key) };
	struct summing *s = ctx;
	struct bytes text;

	if (json_text(value, "", &text)) { /* its time is that of this gate */
		out_text(s->o, key, text);
		return true;
	}
	for (size_t i = 0; i < s->told->n; i++)
		figure_add(&f, json_at(s->told->at[i].body, key));
	figure_put(s->o, key, &f);
	return true;
}

static void merge_stats(struct api_call *c, const struct peers_told *told)
{
	const struct json *first = first_of(c, told, "time");
	struct json_out o = json_out(API_ANSWER_MAX);
	struct summing s = { &o, told };

	if (!first)
		return;
	out_object(&o, NULL);
	json_keys(first, sum_one, &s);
	peers_put_silent(&o, told);
	out_end(&o);
	api_answer(c, 200, &o);
}

void peers_stats(struct api_call *c)
{
	peers_ask_as_it_came(c, "/stats", NULL, SHARE_ASK_MS, merge_stats);
}

/* ---- over time ----
 *
 * All count in the same steps, but one that was asked a little later begins with a later one. */

struct lining { struct json_out *o; const struct peers_told *told; int64_t from_s, step_s; size_t n; };

/* False: it is not of the same steps. */
static bool place_of(const struct lining *l, const struct json *body, int64_t *skip)
{
	struct bytes from;
	uint64_t from_ms;
	int64_t step_s;

	if (!json_number(body, "step_s", &step_s) || step_s != l->step_s || !json_text(body, "from", &from) || !clock_read(from, &from_ms))
		return false;
	*skip = (l->from_s - (int64_t)(from_ms / 1000)) / step_s;
	return true;
}

static void add_line(const struct lining *l, const struct json *body, const char *key, struct figure *at)
{
	const struct json *list = json_at(json_at(body, "series"), key);
	int64_t skip, has = (int64_t)json_length(list, "");

	if (!place_of(l, body, &skip))
		return;
	for (int64_t i = 0; i < (int64_t)l->n; i++)
		if (i + skip >= 0 && i + skip < has)
			figure_add(&at[i], json_item(list, (size_t)(i + skip)));
}

static bool put_line(void *ctx, const char *key, const struct json *value)
{
	struct lining *l = ctx;
	struct figure *at = calloc(l->n + 1, sizeof *at);

	(void)value;
	if (!at) {
		l->o->failed = true;
		return false;
	}
	for (size_t i = 0; i < l->n; i++)
		at[i].is_amount = is_amount(key);
	for (size_t i = 0; i < l->told->n; i++)
		add_line(l, l->told->at[i].body, key, at);
	out_list(l->o, key);
	for (size_t i = 0; i < l->n; i++)
		figure_put(l->o, NULL, &at[i]);
	out_end(l->o);
	free(at);
	return true;
}

static void put_series(struct api_call *c, struct lining *l, const struct json *first)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct bytes to;

	l->o = &o;
	out_object(&o, NULL);
	out_int(&o, "step_s", l->step_s);
	out_time(&o, "from", (uint64_t)l->from_s * 1000);
	out_text(&o, "to", json_text(first, "to", &to) ? to : (struct bytes){ 0 });
	out_object(&o, "series");
	json_keys(json_at(first, "series"), put_line, l);
	out_end(&o);
	peers_put_silent(&o, l->told);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void merge_series(struct api_call *c, const struct peers_told *told)
{
	const struct json *first = first_of(c, told, "series");
	struct lining l = { .told = told };
	struct bytes from;
	uint64_t from_ms;

	if (!first)
		return;
	if (!json_number(first, "step_s", &l.step_s) || l.step_s <= 0 || !json_text(first, "from", &from) || !clock_read(from, &from_ms)) {
		api_problem(c, 503, "a gate answers what is no series");
		return;
	}
	l.from_s = (int64_t)(from_ms / 1000);
	l.n = json_length(first, "series.requests");
	put_series(c, &l, first);
}

void peers_series(struct api_call *c)
{
	peers_ask_as_it_came(c, "/series", NULL, SHARE_ASK_MS, merge_series);
}

/* ---- whom and what ---- */

struct entry { struct bytes key; int64_t count, clients; };
struct entries { struct entry *at; size_t n; };

static void gather(struct entries *e, const struct json *body)
{
	const struct json *items = json_at(body, "items");
	size_t n = json_length(body, "items");

	for (size_t i = 0; i < n; i++) {
		const struct json *item = json_item(items, i);
		struct entry one = { 0 };

		if (json_text(item, "key", &one.key) && json_number(item, "count", &one.count) && json_number(item, "clients", &one.clients))
			e->at[e->n++] = one;
	}
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t len = x->key.len < y->key.len ? x->key.len : y->key.len;
	int sign = len ? memcmp(x->key.at, y->key.at, len) : 0;

	return sign ? sign : x->key.len < y->key.len ? -1 : x->key.len > y->key.len;
}

static int most_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : by_key(a, b);
}

/* One entry a key. An address is one client, wherever it was seen. */
static void add_up(struct entries *e, bool is_address)
{
	size_t n = 0;

	qsort(e->at, e->n, sizeof *e->at, by_key);
	for (size_t i = 0; i < e->n; i++) {
		if (!n || by_key(&e->at[n - 1], &e->at[i]) != 0) {
			e->at[n++] = e->at[i];
			continue;
		}
		e->at[n - 1].count += e->at[i].count;
		if (!is_address)
			e->at[n - 1].clients += e->at[i].clients;
	}
	e->n = n;
	qsort(e->at, e->n, sizeof *e->at, most_first);
}

static bool is_partial(const struct peers_told *told)
{
	for (size_t i = 0; i < told->n; i++) {
		bool partial;

		if ((json_flag(told->at[i].body, "partial", &partial) && partial) || json_length(told->at[i].body, "items") >= API_PAGE_MAX)
			return true;
	}
	return false;
}

static void put_top(struct api_call *c, const struct peers_told *told, const struct entries *e)
{
	size_t limit = (size_t)api_query_int(c, "limit", 10, API_PAGE_MAX);
	struct json_out o = json_out(API_ANSWER_MAX);

	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < e->n && i < limit; i++) {
		out_object(&o, NULL);
		out_text(&o, "key", e->at[i].key);
		out_int(&o, "count", e->at[i].count);
		out_int(&o, "clients", e->at[i].clients);
		out_end(&o);
	}
	out_end(&o);
	out_flag(&o, "partial", is_partial(told));
	peers_put_silent(&o, told);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void merge_top(struct api_call *c, const struct peers_told *told)
{
	struct entries e = { 0 };
	size_t room = 1;

	if (!first_of(c, told, "items"))
		return;
	for (size_t i = 0; i < told->n; i++)
		room += json_length(told->at[i].body, "items");
	e.at = calloc(room, sizeof *e.at);
	if (!e.at) {
		api_problem(c, 503, "out of memory");
		return;
	}
	for (size_t i = 0; i < told->n; i++)
		gather(&e, told->at[i].body);
	add_up(&e, bytes_eq(api_query(c, "by"), BYTES("address")));
	put_top(c, told, &e);
	free(e.at);
}

/* What is rare at one gate may be frequent at another: each is asked for as many as it tells. */
void peers_top(struct api_call *c)
{
	peers_ask_as_it_came(c, "/top", "limit=500", SHARE_ASK_MS, merge_top);
}
