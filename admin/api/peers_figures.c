/* peers_figures.c -- figures of several gates as one. */
#include "admin/api/peers.h"

enum { TARGET_ROOM = 900 };

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
