/* scenarios.c -- scenario files are read strictly, asked where they can be, and what overflows is told. */
#include "scenarios/scenarios.h"
#include "base/clock.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD_OF(n) "type: leaky\nname: t/" n "\ndescription: d\ngroupby: evt.Meta.source_ip\ncapacity: 1\nleakspeed: 1m\n"

static struct scenarios *load(const char *yaml, struct err *err)
{
	char path[] = "/tmp/embergate-scenarios.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	const char *files[] = { path };
	struct scenarios_options o = { .files = files, .nfiles = 1 };
	struct scenarios *s;

	assert_non_null(f);
	fputs(yaml, f);
	fclose(f);
	s = scenarios_load(&o, err);
	unlink(path);
	return s;
}

struct told {
	unsigned n;
	uint32_t count;
	char name[64], value[64], meta[64];
};

static void keep(char to[64], struct bytes b)
{
	snprintf(to, 64, "%.*s", BYTES_ARG(b));
}

static void on_over(void *ctx, const struct overflow *o)
{
	struct told *t = ctx;

	t->n++;
	t->count = o->count;
	keep(t->name, o->scenario->name);
	keep(t->value, o->value);
	keep(t->meta, facts_get(o->event, BYTES("Meta.note")));
}

struct world {
	struct scenarios *set;
	struct buckets *buckets;
	struct observer *observer;
	struct told told;
	uint64_t now_us;
};

static struct world world_with(const char *yaml)
{
	struct err err = { 0 };
	struct world w = { .set = load(yaml, &err), .buckets = buckets_new(10000, 1 << 20), .observer = observer_new(),
			   .now_us = 1000000 };

	if (!w.set)
		fail_msg("%s", err.text);
	return w;
}

static void world_end(struct world *w)
{
	scenarios_free(w->set);
	buckets_free(w->buckets);
	observer_free(w->observer);
}

/* One request; how often something has overflowed so far. */
static unsigned ask(struct world *w, const char *ip, const char *target, unsigned status)
{
	struct facts f = { .at_us = w->now_us += 1000, .wall_ms = w->now_us / 1000 };
	struct observe o = { .set = w->set, .buckets = w->buckets, .observer = w->observer, .arena = arena_new(1 << 20),
			     .over = on_over, .ctx = &w->told };

	f.at[FACT_SOURCE_IP] = bytes_of(ip);
	f.at[FACT_SERVICE] = BYTES("http");
	f.at[FACT_LOG_TYPE] = BYTES("http_access-log");
	f.at[FACT_VERB] = BYTES("GET");
	facts_target(&f, o.arena, bytes_of(target));
	facts_status(&f, o.arena, status);
	scenarios_observe_whole(&o, &f);
	arena_free(o.arena);
	return w->told.n;
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *yaml, *say;
	} rows[] = {
		{ HEAD_OF("a") "filter: \"true\"\ncapcity: 3\n", ":8:1: a scenario has no key \"capcity\"" },
		{ HEAD_OF("a"), "needs type, name, description and filter" },
		{ HEAD_OF("a") "filter: \"evt.Meta.http_path ==\"\n", ":7:9: in the expression, at 1:" },
		{ HEAD_OF("a") "filter: \"evnt.Meta.http_path == ''\"\n", "filter" },
		{ HEAD_OF("a") "filter: \"true\"\nblackhole: soon\n", ":8:12: expected a duration" },
		{ HEAD_OF("a") "filter: \"true\"\nscope: {type: Country}\n", "needs an expression" },
		{ "type: trigger\nname: t\ndescription: d\nfilter: \"true\"\ncapacity: 3\n", "a trigger has no capacity" },
		{ "type: leaky\nname: t\ndescription: d\nfilter: \"true\"\n", "leaky needs a capacity" },
		{ "type: drippy\nname: t\ndescription: d\nfilter: \"true\"\n", ":1:7: expected leaky" },
		{ HEAD_OF("a") "filter: \"true\"\n---\n" HEAD_OF("a") "filter: \"true\"\n", "is also in" },
		{ "- a\n- b\n", "expected a scenario" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err err = { 0 };

		assert_null(load(rows[i].yaml, &err));
		if (!strstr(err.text, rows[i].say))
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void a_format_of_the_future_is_left_out(void **state)
{
	struct world w = world_with(HEAD_OF("a") "filter: \"true\"\nformat: 4.0\n---\n" HEAD_OF("b") "filter: \"true\"\nformat: 3.0\n");

	(void)state;
	assert_int_equal(scenarios_count(w.set), 1);
	world_end(&w);
}

static void it_is_asked_at_the_earliest_point_where_all_is_known(void **state)
{
	static const struct {
		const char *yaml;
		enum observe_point point;
	} rows[] = {
		{ HEAD_OF("a") "filter: \"evt.Meta.http_path contains 'x'\"\n", AT_HEAD },
		{ HEAD_OF("a") "filter: \"evt.Meta.http_path contains 'x'\"\ndistinct: evt.Gate.user\n", AT_BODY },
		{ HEAD_OF("a") "filter: \"evt.Meta.http_path contains 'x' && evt.Parsed.status == '404'\"\n", AT_ANSWER },
		{ HEAD_OF("a") "filter: \"int(evt.Parsed.body_bytes_sent) > 5\"\n", AT_END },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct world w = world_with(rows[i].yaml);

		assert_int_equal(scenarios_info(w.set, 0)->point, rows[i].point);
		world_end(&w);
	}
}

static void what_hyperscan_refuses_is_asked_of_every_event(void **state)
{
	struct world w = world_with(HEAD_OF("same") "filter: \"evt.Meta.http_path matches '(abc|def)x\\\\\\\\1'\"\n---\n" /* \1 */
				    HEAD_OF("word") "filter: \"evt.Meta.http_path contains 'word'\"\n");

	(void)state;
	ask(&w, "192.0.2.1", "/abcxdef", 200);
	assert_int_equal(ask(&w, "192.0.2.1", "/abcxabc", 200), 0);
	assert_int_equal(ask(&w, "192.0.2.1", "/defxdef", 200), 1);
	assert_string_equal(w.told.name, "t/same");
	ask(&w, "192.0.2.1", "/a-word", 200);
	assert_int_equal(ask(&w, "192.0.2.1", "/words", 200), 2);
	world_end(&w);
}

static void a_filter_that_fails_is_counted_and_harms_no_other(void **state)
{
	struct world w = world_with(HEAD_OF("fails") "filter: \"int(evt.Parsed.http_args) > 3\"\n---\n"
				    HEAD_OF("works") "filter: \"evt.Parsed.verb == 'GET'\"\n");
	struct scenario_counts c;

	(void)state;
	ask(&w, "192.0.2.1", "/", 200);
	assert_int_equal(ask(&w, "192.0.2.1", "/", 200), 1);
	scenarios_counts(w.set, 0, &c);
	assert_int_equal(c.failed, 2);
	world_end(&w);
}

static void what_one_scenario_writes_no_other_sees(void **state)
{
	struct world w = world_with("type: trigger\nname: t/writes\ndescription: d\ngroupby: evt.Meta.source_ip\n"
				    "filter: \"evt.Meta.http_path contains 'mark' && evt.SetMeta('note', 'seen')\"\n---\n"
				    "type: trigger\nname: t/reads\ndescription: d\ngroupby: evt.Meta.source_ip\n"
				    "filter: \"evt.Meta.note == 'seen'\"\n");

	(void)state;
	assert_int_equal(ask(&w, "192.0.2.1", "/mark", 200), 1);
	assert_string_equal(w.told.name, "t/writes");
	assert_string_equal(w.told.meta, "seen");
	world_end(&w);
}

static void cancel_filter_scope_and_reprocess(void **state)
{
	struct world w = world_with(HEAD_OF("cancel") "filter: \"true\"\ncancel_on: \"evt.Parsed.static_ressource == 'true'\"\n"
				    "reprocess: true\nscope: {type: Country, expression: \"'AQ'\"}\n---\n"
				    HEAD_OF("never") "filter: \"true\"\noverflow_filter: \"any(queue.Queue, {#.Meta.http_status == '500'})\"\n---\n"
				    "type: trigger\nname: t/again\ndescription: d\ngroupby: evt.Meta.source_ip\n"
				    "filter: \"evt.Overflow.Alert.Scenario == 't/cancel'\"\n");

	(void)state;
	ask(&w, "192.0.2.1", "/a", 200);
	ask(&w, "192.0.2.1", "/a.css", 200); /* a bucket that is thrown away */
	assert_int_equal(ask(&w, "192.0.2.1", "/b", 200), 0);
	assert_int_equal(ask(&w, "192.0.2.1", "/c", 200), 2); /* it, and what looks at overflows */
	ask(&w, "192.0.2.9", "/a", 200);
	ask(&w, "192.0.2.9", "/a.css", 500); /* of the second, the overflow may be told now */
	assert_string_equal(w.told.name, "t/never");
	world_end(&w);
}

static void whoever_has_an_IPv6_network_has_one_bucket(void **state)
{
	struct world w = world_with(HEAD_OF("a") "filter: \"true\"\n");

	(void)state;
	ask(&w, "2001:db8::1", "/", 200);
	ask(&w, "2001:db8:0:1::1", "/", 200); /* another network */
	assert_int_equal(w.told.n, 0);
	assert_int_equal(ask(&w, "2001:db8::ffff:2", "/", 200), 1);
	assert_string_equal(w.told.value, "2001:db8::ffff:2"); /* who it was, as it is */
	world_end(&w);
}

/* A filter's texts are as long as the target, and there may be hundreds of filters. */
static void long_targets_use_up_nothing_of_the_exchange(void **state)
{
	static const char one[] = "type: trigger\nname: t/%zu\ndescription: d\ngroupby: evt.Meta.source_ip\n"
				  "filter: \"Lower(evt.Meta.http_path) + '%zu' == 'x'\"\n---\n";
	struct text yaml = text_over(calloc(1, 1 << 16), 1 << 16);
	char target[16 << 10];
	struct observe o = { .observer = observer_new(), .buckets = buckets_new(100, 1 << 16), .arena = arena_new(64 << 10) };
	struct facts f = { .at_us = 1000 };
	struct scenario_counts c;
	struct err err = { 0 };
	void *marks = NULL;
	size_t used;

	(void)state;
	for (size_t i = 0; i < 200; i++)
		text_printf(&yaml, one, i, i);
	text_str(&yaml, HEAD_OF("last") "filter: \"true\"\n");
	assert_false(yaml.full);
	o.set = load(yaml.at, &err);
	assert_non_null(o.set);
	memset(target, 'A', sizeof target);
	f.at[FACT_HTTP_PATH] = (struct bytes){ target, sizeof target };
	f.at[FACT_SOURCE_IP] = BYTES("192.0.2.1");
	o.marks = &marks;
	used = arena_used(o.arena);
	scenarios_observe(&o, &f, AT_HEAD);
	assert_true(arena_used(o.arena) - used < 4096);
	for (size_t i = 0; i < 200; i++) {
		scenarios_counts(o.set, i, &c);
		assert_int_equal(c.asked - c.failed, 1);
	}
	scenarios_counts(o.set, 200, &c);
	assert_int_equal(c.poured, 1);
	arena_free(o.arena);
	scenarios_free((struct scenarios *)(uintptr_t)o.set);
	buckets_free(o.buckets);
	observer_free(o.observer);
	free(yaml.at);
}

static void the_dearest_scenario_costs_most_and_one_that_is_not_concerned_nothing(void **state)
{
	struct world w = world_with(HEAD_OF("dear") "filter: \"any(1..2000, {# > 3000}) || evt.Meta.http_status == '404'\"\n---\n"
				    HEAD_OF("cheap") "filter: \"evt.Meta.http_status == '200'\"\n---\n"
				    HEAD_OF("never") "filter: \"evt.Meta.http_path contains 'elsewhere'\"\n");
	struct scenario_counts n[3];
	uint64_t from, took, sum;

	(void)state;
	ask(&w, "192.0.2.1", "/", 404);
	assert_int_equal(scenarios_costs(w.set).samples, 0);
	observer_time(w.observer, 1);
	from = clock_mono_ns();
	for (unsigned i = 0; i < 50; i++)
		ask(&w, "192.0.2.1", "/", 404);
	took = clock_mono_ns() - from;
	assert_int_equal(scenarios_costs(w.set).samples, 50);
	sum = scenarios_costs(w.set).shared_ns;
	for (size_t i = 0; i < nelems(n); i++) {
		scenarios_counts(w.set, i, &n[i]);
		sum += n[i].timed_ns;
	}
	assert_true(sum <= took);
	assert_int_equal(n[0].timed_asked, 50);
	assert_true(n[0].timed_ns > n[1].timed_ns);
	assert_int_equal(n[2].timed_asked, 0);
	assert_int_equal(n[2].timed_ns, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(a_format_of_the_future_is_left_out),
		cmocka_unit_test(it_is_asked_at_the_earliest_point_where_all_is_known),
		cmocka_unit_test(what_hyperscan_refuses_is_asked_of_every_event),
		cmocka_unit_test(a_filter_that_fails_is_counted_and_harms_no_other),
		cmocka_unit_test(what_one_scenario_writes_no_other_sees),
		cmocka_unit_test(cancel_filter_scope_and_reprocess),
		cmocka_unit_test(whoever_has_an_IPv6_network_has_one_bucket),
		cmocka_unit_test(long_targets_use_up_nothing_of_the_exchange),
		cmocka_unit_test(the_dearest_scenario_costs_most_and_one_that_is_not_concerned_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
