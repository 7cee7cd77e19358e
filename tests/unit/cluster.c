/* cluster.c -- buckets that gates fill together overflow at their capacity, wherever the events come in. */
#include "scenarios/scenarios.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GATES = 3, QUEUED = 64 };

struct message { unsigned from; size_t len; char at[SCENARIOS_MESSAGE_MAX]; };

struct gate_of {
	struct network *network;
	unsigned number;
	struct buckets *buckets;
	struct observer *observer;
	unsigned told;
	uint32_t count;
	size_t nsources;
	uint64_t first_ms, last_ms;
};

/* Messages wait until they are delivered. */
struct network {
	struct scenarios *set;
	struct gate_of gates[GATES];
	struct message queue[QUEUED];
	size_t n;
	uint64_t now_us;
};

static struct scenarios *load(const char *yaml)
{
	char path[] = "/tmp/embergate-cluster.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	const char *files[] = { path };
	struct scenarios_options o = { .files = files, .nfiles = 1 };
	struct err err = { 0 };
	struct scenarios *s;

	assert_non_null(f);
	fputs(yaml, f);
	fclose(f);
	s = scenarios_load(&o, &err);
	unlink(path);
	if (!s)
		fail_msg("%s", err.text);
	return s;
}

static struct network *network_with(const char *yaml)
{
	struct network *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->set = load(yaml);
	w->now_us = 1000000;
	for (unsigned i = 0; i < GATES; i++)
		w->gates[i] = (struct gate_of){ w, i, buckets_new(10000, 1 << 20), observer_new(), .told = 0 };
	return w;
}

static void network_end(struct network *w)
{
	for (unsigned i = 0; i < GATES; i++) {
		buckets_free(w->gates[i].buckets);
		observer_free(w->gates[i].observer);
	}
	scenarios_free(w->set);
	free(w);
}

static void on_over(void *ctx, const struct overflow *o)
{
	struct gate_of *g = ctx;

	g->told++;
	g->count = o->count;
	g->nsources = o->nsources;
	g->first_ms = o->first_ms;
	g->last_ms = o->last_ms;
}

static void on_poured(void *ctx, struct bytes b)
{
	struct gate_of *g = ctx;
	struct message *m = &g->network->queue[g->network->n++];

	assert_true(g->network->n <= QUEUED);
	m->from = g->number;
	m->len = b.len;
	memcpy(m->at, b.at, b.len);
}

static struct observe observe_of(struct gate_of *g)
{
	return (struct observe){ .set = g->network->set, .buckets = g->buckets, .observer = g->observer, .over = on_over,
				 .poured = on_poured, .node = g->number, .ctx = g };
}

static void ask(struct network *w, unsigned gate, const char *ip, const char *target)
{
	struct observe o = observe_of(&w->gates[gate]);
	struct facts f = { .at_us = w->now_us += 1000, .wall_ms = w->now_us / 1000 };

	o.arena = arena_new(1 << 20);
	f.at[FACT_SOURCE_IP] = bytes_of(ip);
	f.at[FACT_SERVICE] = BYTES("http");
	f.at[FACT_LOG_TYPE] = BYTES("http_access-log");
	facts_target(&f, o.arena, bytes_of(target));
	scenarios_observe_whole(&o, &f);
	arena_free(o.arena);
}

static void deliver(struct network *w)
{
	for (size_t i = 0; i < w->n; i++)
		for (unsigned g = 0; g < GATES; g++) {
			struct observe o = observe_of(&w->gates[g]);

			if (g != w->queue[i].from)
				assert_true(scenarios_heard(&o, (struct bytes){ w->queue[i].at, w->queue[i].len }, w->now_us));
		}
	w->n = 0;
}

static unsigned told(const struct network *w)
{
	return w->gates[0].told + w->gates[1].told + w->gates[2].told;
}

#define TOGETHER "type: leaky\nname: t/together\ndescription: d\nfilter: \"true\"\ngroupby: evt.Meta.source_ip\ncapacity: 5\n" \
	"leakspeed: 1h\ncluster: true\n"

static void a_bucket_of_all_overflows_at_its_capacity(void **state)
{
	struct network *w = network_with(TOGETHER "blackhole: 1h\n");

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		ask(w, i % GATES, "192.0.2.1", "/");
		deliver(w);
	}
	assert_int_equal(told(w), 0);
	ask(w, 2, "192.0.2.1", "/"); /* the sixth */
	assert_int_equal(w->gates[2].told, 1);
	assert_int_equal(w->gates[2].count, 6);
	deliver(w);
	for (unsigned i = 0; i < 12; i++) { /* silent everywhere */
		ask(w, i % GATES, "192.0.2.1", "/");
		deliver(w);
	}
	assert_int_equal(told(w), 1);
	network_end(w);
}

/* Each has poured before it hears of the others: more than capacity + 1 come through, and one tells. */
static void what_was_poured_at_once_is_told_by_one(void **state)
{
	struct network *w = network_with(TOGETHER);

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		ask(w, 1 + i % 2, "192.0.2.1", "/");
	assert_int_equal(told(w), 0);
	deliver(w);
	assert_int_equal(told(w), 1);
	assert_int_equal(w->gates[1].told, 1); /* of those that poured the lower number */
	network_end(w);
}

static void distinct_values_are_united(void **state)
{
	struct network *w = network_with("type: leaky\nname: t/distinct\ndescription: d\nfilter: \"true\"\n"
					 "groupby: evt.Meta.source_ip\ndistinct: evt.Meta.http_path\ncapacity: 3\n"
					 "leakspeed: 1h\ncluster: true\n");
	static const char *const paths[] = { "/a", "/b", "/a", "/b", "/c", "/c" };

	(void)state;
	for (unsigned i = 0; i < nelems(paths); i++) {
		ask(w, i % GATES, "192.0.2.1", paths[i]);
		deliver(w);
	}
	assert_int_equal(told(w), 0);
	ask(w, 0, "192.0.2.1", "/d");
	assert_int_equal(w->gates[0].told, 1);
	assert_int_equal(w->gates[0].count, 4);
	network_end(w);
}

static void addresses_of_all_gates_are_sources(void **state)
{
	struct network *w = network_with("type: leaky\nname: t/spread\ndescription: d\nfilter: \"true\"\n"
					 "groupby: evt.Meta.http_path\ndistinct: evt.Meta.source_ip\ncapacity: 2\n"
					 "leakspeed: 1h\ncluster: true\n");

	(void)state;
	ask(w, 0, "192.0.2.1", "/login");
	deliver(w);
	ask(w, 1, "192.0.2.2", "/login");
	deliver(w);
	ask(w, 2, "192.0.2.3", "/login");
	assert_int_equal(w->gates[2].told, 1);
	assert_int_equal(w->gates[2].nsources, 3);
	network_end(w);
}

static void what_is_not_shared_stays_here(void **state)
{
	struct network *w = network_with("type: leaky\nname: t/own\ndescription: d\nfilter: \"true\"\n"
					 "groupby: evt.Meta.source_ip\ncapacity: 2\nleakspeed: 1h\n");

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		ask(w, i % GATES, "192.0.2.1", "/");
	assert_int_equal(w->n, 0);
	assert_int_equal(told(w), 0);
	network_end(w);
}

static void what_is_no_message_is_refused(void **state)
{
	struct network *w = network_with(TOGETHER);
	struct observe o = observe_of(&w->gates[1]);
	struct message m;

	(void)state;
	ask(w, 0, "192.0.2.1", "/");
	m = w->queue[0];
	assert_false(scenarios_heard(&o, (struct bytes){ m.at, 29 }, w->now_us));
	assert_false(scenarios_heard(&o, (struct bytes){ NULL, 0 }, w->now_us));
	m.at[0] ^= 1;
	assert_false(scenarios_heard(&o, (struct bytes){ m.at, m.len }, w->now_us));
	m.at[0] ^= 1;
	m.at[6] ^= 1; /* a scenario that is not loaded */
	assert_false(scenarios_heard(&o, (struct bytes){ m.at, m.len }, w->now_us));
	m.at[6] ^= 1;
	for (size_t len = 30; len <= m.len; len++) /* cut anywhere */
		assert_true(scenarios_heard(&o, (struct bytes){ m.at, len }, w->now_us));
	network_end(w);
}

/* It has neither a time nor a source. */
static void an_overflow_by_a_message_without_an_event_does_not_begin_after_its_end(void **state)
{
	struct network *w = network_with(TOGETHER);

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		ask(w, 1 + i % 2, "192.0.2.1", "/");
	for (size_t i = 0; i < w->n; i++)
		w->queue[i].len = 30;
	deliver(w);
	assert_int_equal(w->gates[1].told, 1);
	assert_true(w->gates[1].first_ms <= w->gates[1].last_ms);
	network_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_of_all_overflows_at_its_capacity),
		cmocka_unit_test(what_was_poured_at_once_is_told_by_one),
		cmocka_unit_test(distinct_values_are_united),
		cmocka_unit_test(addresses_of_all_gates_are_sources),
		cmocka_unit_test(what_is_not_shared_stays_here),
		cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(an_overflow_by_a_message_without_an_event_does_not_begin_after_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
