/* series.c -- counters become steps that add up, over processes too. */
#include "tests/database.h"
#include "admin/metrics_cells.h"
#include "admin/series.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
	struct database db;
	struct loop *loop;
	struct events *ring;
	struct archive *archive;
	struct metrics *metrics;
	struct app_metrics *shop;
	struct series *series;
};

static void start(struct world *w)
{
	const struct archive_bounds wide = { 1000000, UINT64_C(1) << 40, UINT64_C(1) << 40 };
	struct err err = { 0 };

	w->ring = events_new(16, 1 << 20);
	w->archive = archive_open(w->db.file, w->ring, w->loop, &wide, &err);
	assert_non_null(w->archive);
	w->metrics = metrics_new(2);
	w->shop = metrics_app(w->metrics, BYTES("shop"));
	metrics_app(w->metrics, BYTES(""));
	w->series = series_open(w->archive, w->metrics, w->loop);
	assert_non_null(w->series);
}

static void stop(struct world *w)
{
	series_close(w->series);
	archive_close(w->archive);
	events_free(w->ring);
	metrics_free(w->metrics);
}

static void begin(struct world *w)
{
	database_begin(&w->db);
	w->loop = loop_new();
	start(w);
}

static void end(struct world *w)
{
	stop(w);
	loop_free(w->loop);
	database_end(&w->db);
}

static void count(struct world *w, unsigned n, enum remedy_kind action, unsigned status)
{
	const struct event e = { .status = status, .action = action, .source = action ? SOURCE_RULE : SOURCE_NONE, .inspection_us = 15 };

	for (unsigned i = 0; i < n; i++)
		metrics_exchange(w->shop, i % 2, &e);
}

/* ---- */

struct seen {
	struct loop *loop;
	size_t n, known;
	struct series_point sum;
};

static void on_range(void *owner, const struct series_range *r)
{
	struct seen *seen = owner;

	assert_false(r->failed);
	seen->n = r->n;
	for (size_t i = 0; i < r->n; i++) {
		seen->known += r->known[i];
		for (size_t c = 0; c < SERIES_COUNTS; c++)
			seen->sum.n[c] += r->at[i].n[c];
	}
	loop_stop(seen->loop);
}

/* The step under way is not in it yet, so it is looked for until it is over. */
static struct seen range(struct world *w, const char *app, size_t step)
{
	struct seen seen = { .loop = w->loop };

	assert_true(series_range(w->series, bytes_of(app), &series_steps[step], on_range, &seen));
	loop_run(w->loop);
	return seen;
}

static void what_two_processes_counted_is_one_step(void **state)
{
	struct world w;
	struct seen seen;

	(void)state;
	begin(&w);
	count(&w, 5, REMEDY_DENY, 403);
	count(&w, 3, REMEDY_ALLOW, 200);
	metrics_challenge(w.shop, 0, 2, CHALLENGE_STEP_ISSUED);
	metrics_challenge(w.shop, 0, 3, CHALLENGE_STEP_ISSUED);
	metrics_challenge(w.shop, 0, 3, CHALLENGE_STEP_SOLVED);
	stop(&w);
	start(&w);
	count(&w, 2, REMEDY_LOG, 500);
	count(&w, 1, REMEDY_THROTTLE, 429);
	stop(&w);
	start(&w);
	for (seen = range(&w, "shop", 0); seen.sum.n[SERIES_REQUESTS] < 11; seen = range(&w, "shop", 0))
		usleep(100000);
	assert_int_equal(seen.n, 360);
	assert_in_range(seen.known, 1, 2);
	assert_int_equal(seen.sum.n[SERIES_REQUESTS], 11);
	assert_int_equal(seen.sum.n[SERIES_BLOCKED], 5);
	assert_int_equal(seen.sum.n[SERIES_DETECTED], 2);
	assert_int_equal(seen.sum.n[SERIES_THROTTLED], 1);
	assert_int_equal(seen.sum.n[SERIES_CHALLENGED], 2);
	assert_int_equal(seen.sum.n[SERIES_SOLVED], 1);
	assert_int_equal(seen.sum.n[SERIES_4XX], 6);
	assert_int_equal(seen.sum.n[SERIES_5XX], 2);
	assert_int_equal(range(&w, "", 0).sum.n[SERIES_REQUESTS], 11);
	assert_int_equal(range(&w, "blog", 0).known, 0);
	end(&w);
}

static void figures_of_now_are_a_second_of_the_last_ten(void **state)
{
	struct series_now now;
	struct world w;
	double us;

	(void)state;
	begin(&w);
	assert_true(series_now(w.series, BYTES("shop"), &now));
	assert_int_equal(now.total.n[SERIES_REQUESTS], 0);
	assert_false(series_added(&now.last, 50, &us));
	count(&w, 10, REMEDY_DENY, 403);
	usleep(100000);
	assert_true(series_now(w.series, BYTES("shop"), &now));
	assert_int_equal(now.total.n[SERIES_BLOCKED], 10);
	assert_int_equal(now.last.n[SERIES_BLOCKED], 10);
	assert_true(now.blocked_ps > 1 && now.blocked_ps <= 100); /* 10 in 0.1 s and more */
	assert_true(series_added(&now.last, 50, &us));
	assert_true(us > 0 && us <= buckets_inspection.us[buckets_inspection.n - 1]);
	assert_false(series_now(w.series, BYTES("nobody"), &now));
	end(&w);
}

static void a_percentile_lies_in_its_bucket(void **state)
{
	const struct buckets *b = &buckets_inspection;
	struct series_point p = { 0 };
	double us;

	(void)state;
	assert_int_equal(b->n + 1, SERIES_BOUNDS);
	p.added[2] = 50;
	p.added[4] = 50;
	assert_true(series_added(&p, 25, &us));
	assert_true(us > b->us[1] && us < b->us[2]);
	assert_true(series_added(&p, 50, &us));
	assert_true(us >= b->us[2] - 0.001 && us <= b->us[2] + 0.001);
	assert_true(series_added(&p, 99, &us));
	assert_true(us > b->us[3] && us <= b->us[4]);
	p.added[SERIES_BOUNDS - 1] = 1000; /* beyond every bound */
	assert_true(series_added(&p, 99, &us));
	assert_true(us >= b->us[b->n - 1] - 0.001);
}

static void apps_beyond_the_bound_are_in_the_whole_only(void **state)
{
	const struct event e = { .status = 200 };
	struct series_now now;
	struct world w;
	char name[16];

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < 2 * SERIES_APPS; i++) {
		snprintf(name, sizeof name, "app-%u", i);
		metrics_exchange(metrics_app(w.metrics, bytes_of(name)), 0, &e);
	}
	assert_true(series_now(w.series, BYTES(""), &now));
	assert_int_equal(now.total.n[SERIES_REQUESTS], 2 * SERIES_APPS);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_two_processes_counted_is_one_step),
		cmocka_unit_test(figures_of_now_are_a_second_of_the_last_ten),
		cmocka_unit_test(a_percentile_lies_in_its_bucket),
		cmocka_unit_test(apps_beyond_the_bound_are_in_the_whole_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
