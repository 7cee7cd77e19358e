/* share.c -- three gates and a real redis-server: what one decides all know, whatever happens to Redis. */
#include "base/clock.h"
#include "base/hlc.h"
#include "cti/share.h"
#include "cti/share_record.h"
#include "base/tls.h"
#include "tests/redis_server.h"
#include "tests/turns.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GATES = 3, HOUR = 3600 * 1000, ROUNDS = 1000 };

static struct world {
	struct loop *loop;
	pid_t server;
	unsigned port;
	char url[64];
	struct bytes urls[1];
	struct gate {
		struct decisions *d;
		struct share *s;
		uint64_t held_us, told;
		char last[32];
		bool closed;
	} gates[GATES];
	struct redis *raw; /* someone else who may write there */
	bool raw_closed, replied;
} w;

static void server_start(void)
{
	w.server = redis_server(w.port);
}

static void server_stop(void)
{
	redis_server_stop(w.server);
}

static void on_told(void *ctx, enum share_kind kind, struct bytes b)
{
	struct gate *g = ctx;

	assert_int_equal(kind, SHARE_BUCKET);
	g->told++;
	snprintf(g->last, sizeof g->last, "%.*s", BYTES_ARG(b));
}

static void on_held(void *ctx, const struct decision *d, unsigned times, enum decision_from from)
{
	(void)d;
	(void)times;
	if (from == DECISION_APPLIED)
		((struct gate *)ctx)->held_us = clock_mono_us();
}

static void gate_open(unsigned i)
{
	struct gate *g = &w.gates[i];
	static const char *const names[GATES] = { "one", "two", "three" };
	struct share_options o = { .redis = { .urls = w.urls, .nurls = 1 }, .prefix = "test", .key = "a key", .name = names[i], .version = "1",
				   .config_hash = 7, .decisions = g->d, .told = on_told, .ctx = g };
	struct err e = { 0 };

	g->closed = false;
	g->s = share_open(w.loop, &o, &e);
	if (!g->s)
		fail_msg("%s", e.text);
}

static struct share_counts counts(unsigned i)
{
	struct share_counts c;

	share_count(w.gates[i].s, &c);
	return c;
}

static void until_all_follow(void)
{
	for (unsigned i = 0; i < GATES; i++)
		for (int n = 0; !counts(i).following; n++) {
			assert_true(n < 600);
			run_for(w.loop, 50);
		}
}

static void on_flag(void *ctx)
{
	*(bool *)ctx = true;
}

static void gate_close(unsigned i)
{
	share_close(w.gates[i].s, on_flag, &w.gates[i].closed);
	while (!w.gates[i].closed)
		run_for(w.loop, 20);
}

static void on_raw(void *owner, bool up)
{
	(void)owner;
	(void)up;
}

static int setup(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct err e;
	struct redis_config c = { .urls = w.urls, .nurls = 1 };

	(void)state;
	if (bind(fd, (struct sockaddr *)&a, len) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		return -1;
	close(fd);
	w.port = ntohs(a.sin_port);
	snprintf(w.url, sizeof w.url, "redis://127.0.0.1:%u", w.port);
	w.urls[0] = bytes_of(w.url);
	w.loop = loop_new();
	server_start();
	for (unsigned i = 0; i < GATES; i++) {
		w.gates[i] = (struct gate){ .d = decisions_new(1 << 20) };
		decisions_watch(w.gates[i].d, &(struct decisions_watch){ on_held, NULL, &w.gates[i] });
		gate_open(i);
	}
	w.raw = redis_open(w.loop, &c, &(struct redis_events){ on_raw, NULL }, &e);
	until_all_follow();
	return w.raw ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GATES; i++) {
		gate_close(i);
		decisions_free(w.gates[i].d);
	}
	redis_close(w.raw, on_flag, &w.raw_closed);
	while (!w.raw_closed)
		run_for(w.loop, 20);
	server_stop();
	loop_free(w.loop);
	w = (struct world){ 0 };
	return 0;
}

/* ---- */

static uint64_t add(unsigned gate, unsigned n, enum remedy_kind remedy, const char *reason, uint64_t for_ms)
{
	uint64_t now_ms = clock_wall_ms();
	char value[32];
	struct decision d = { .scope = SCOPE_IP, .remedy = remedy, .reason = bytes_of(reason), .origin = BYTES("cscli"), .made_ms = now_ms,
			      .until_ms = now_ms + for_ms };

	snprintf(value, sizeof value, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
	d.value = bytes_of(value);
	assert_int_equal(decisions_add(w.gates[gate].d, &d), DECISION_HELD);
	return d.id;
}

/* The end of what is held; 0: nothing is. */
static uint64_t held(unsigned gate, unsigned n)
{
	struct arena *a = arena_new(1 << 14);
	struct decision out;
	char value[32];
	struct ip ip;
	uint64_t until = 0;

	snprintf(value, sizeof value, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
	assert_true(ip_parse(bytes_of(value), &ip));
	if (decisions_find(w.gates[gate].d, &(struct decisions_ask){ .client = &ip }, clock_wall_ms(), a, &out))
		until = out.until_ms;
	arena_free(a);
	return until;
}

#define WAIT(condition)                             \
	do {                                        \
		int waits_ = 0;                     \
		while (!(condition)) {              \
			if (waits_++ > 600)        \
				fail_msg("not within half a minute: %s", #condition); \
			run_for(w.loop, 50);        \
		}                                   \
	} while (0)

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The loop is one for all, so a measured time has two gates' work in it. */
static void a_decision_is_everywhere_in_milliseconds(void **state)
{
	static uint64_t us[ROUNDS];

	(void)state;
	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t begun = clock_mono_us();

		w.gates[1].held_us = w.gates[2].held_us = 0;
		add(0, n, REMEDY_DENY, "test", HOUR);
		while (!w.gates[1].held_us || !w.gates[2].held_us) {
			loop_post(w.loop, stop_loop, w.loop);
			loop_run(w.loop);
			assert_true(clock_mono_us() - begun < 10000000);
		}
		us[n] = (w.gates[1].held_us > w.gates[2].held_us ? w.gates[1].held_us : w.gates[2].held_us) - begun;
	}
	qsort(us, ROUNDS, sizeof *us, by_size);
	print_message("propagation to the last of two: median %.2f ms, p99 %.2f ms\n", (double)us[ROUNDS / 2] / 1e3, (double)us[ROUNDS * 99 / 100] / 1e3);
	assert_true(us[ROUNDS / 2] < 50000);
}

static void deleting_the_shorter_leaves_the_longer(void **state)
{
	uint64_t shorter = add(0, 1, REMEDY_DENY, "short", HOUR), until;

	(void)state;
	add(1, 1, REMEDY_DENY, "long", 2 * HOUR);
	WAIT(held(2, 1) && decisions_held(w.gates[2].d) == 2 && decisions_held(w.gates[0].d) == 2 && decisions_held(w.gates[1].d) == 2);
	until = held(2, 1);
	assert_true(decisions_lift_id(w.gates[1].d, shorter));
	WAIT(decisions_held(w.gates[0].d) == 1 && decisions_held(w.gates[2].d) == 1);
	for (unsigned i = 0; i < GATES; i++)
		assert_int_equal(held(i, 1), until);
}

static void messages_are_told_to_the_others(void **state)
{
	(void)state;
	assert_true(share_tell(w.gates[0].s, SHARE_BUCKET, BYTES("poured")));
	WAIT(w.gates[1].told && w.gates[2].told);
	assert_int_equal(w.gates[0].told, 0);
	assert_string_equal(w.gates[2].last, "poured");
}

static void what_was_decided_apart_is_merged_also_when_redis_lost_all(void **state)
{
	uint64_t begun;
	uint64_t id;

	(void)state;
	id = add(0, 1 << 17, REMEDY_DENY, "before", HOUR);
	WAIT(held(2, 1 << 17));
	server_stop();
	WAIT(!counts(0).up && !counts(1).up && !counts(2).up);
	for (unsigned n = 0; n < 100000; n++)
		add(n % 2, n, REMEDY_DENY, "apart", HOUR);
	assert_true(decisions_lift_id(w.gates[2].d, id));
	assert_true(held(0, 4)); /* it goes on */
	begun = clock_mono_ms();
	server_start();
	WAIT(decisions_held(w.gates[0].d) == 100000 && decisions_held(w.gates[1].d) == 100000 && decisions_held(w.gates[2].d) == 100000);
	print_message("100,000 merged into an empty Redis and three gates %llu ms after it is back\n", (unsigned long long)(clock_mono_ms() - begun));
	assert_false(held(0, 1 << 17));
}

static void what_the_outbox_lost_is_sent_all_the_same(void **state)
{
	(void)state;
	server_stop();
	WAIT(!counts(0).up);
	for (unsigned n = 0; n < 100000; n++)
		add(0, n, n % 2 ? REMEDY_DENY : REMEDY_CHALLENGE, "apart", HOUR);
	assert_true(counts(0).dropped > 0);
	server_start();
	WAIT(decisions_held(w.gates[1].d) == 100000 && decisions_held(w.gates[2].d) == 100000);
}

static void on_reply(void *owner, const struct redis_reply *r)
{
	(void)owner;
	assert_true(r && r->kind != REDIS_ERROR);
	w.replied = true;
}

static void raw(const struct bytes *args, unsigned n)
{
	w.replied = false;
	assert_true(redis_send(w.raw, args, n, 0, on_reply, NULL));
	WAIT(w.replied);
}

/* As a gate would, under that key. */
static void forge(const char *name, uint64_t stamp, unsigned last)
{
	char body[SHARE_OP_MAX], frame[SHARE_OP_MAX + SHARE_FRAME_MORE], value[32];
	struct text b = text_over(body, sizeof body), f = text_over(frame, sizeof frame);
	uint8_t base[32] = { 0 }, key[32];
	uint64_t now_ms = clock_wall_ms();

	memcpy(base, name, strlen(name));
	assert_true(tls_mac(base, (struct bytes[]){ BYTES("test") }, 1, key));
	snprintf(value, sizeof value, "10.0.0.%u", last);
	assert_true(share_op_write(&b, &(struct share_op){ false, { .id = 1000 + last, .scope = SCOPE_IP, .value = bytes_of(value),
		.remedy = REMEDY_DENY, .made_ms = now_ms, .until_ms = now_ms + HOUR, .stamp = stamp, .origin = BYTES("cscli") } }));
	assert_true(share_frame_write(&f, key, (struct bytes){ 0 }, &(struct share_frame){ FRAME_OPS, 99, stamp, text_bytes(&b) }));
	raw((struct bytes[]){ BYTES("XADD"), BYTES("{test}:log"), BYTES("*"), BYTES("f"), text_bytes(&f) }, 5);
}

static void what_is_unsigned_or_ahead_is_not_taken(void **state)
{
	uint64_t now_ms = clock_wall_ms();

	(void)state;
	WAIT(redis_is_up(w.raw));
	forge("a key", now_ms << 16, 1);
	forge("another key", now_ms << 16, 2);
	forge("a key", (now_ms + HLC_AHEAD_MAX_MS + 60000) << 16, 3);
	raw((struct bytes[]){ BYTES("XADD"), BYTES("{test}:log"), BYTES("*"), BYTES("f"), BYTES("rubbish") }, 5);
	raw((struct bytes[]){ BYTES("XADD"), BYTES("{test}:log"), BYTES("*"), BYTES("a"), BYTES("b"), BYTES("c"), BYTES("d") }, 7);
	for (unsigned i = 0; i < GATES; i++) {
		WAIT(counts(i).forged == 1 && counts(i).ahead == 1 && counts(i).broken == 2);
		WAIT(held(i, 1));
		assert_false(held(i, 2));
		assert_false(held(i, 3));
	}
}

static void who_joins_has_the_snapshot_and_what_came_since(void **state)
{
	(void)state;
	WAIT(redis_is_up(w.raw) && counts(0).snapshots + counts(1).snapshots + counts(2).snapshots > 0);
	gate_close(2);
	decisions_unwatch(w.gates[2].d, &w.gates[2]);
	decisions_free(w.gates[2].d);
	w.gates[2].d = decisions_new(1 << 20);
	for (unsigned n = 0; n < 20000; n++)
		add(n % 2, n, REMEDY_DENY, "since", HOUR);
	WAIT(decisions_held(w.gates[0].d) == 20000 && decisions_held(w.gates[1].d) == 20000);
	gate_open(2);
	WAIT(decisions_held(w.gates[2].d) == 20000);
}

static void a_stream_that_was_lost_is_made_good(void **state)
{
	(void)state;
	add(0, 1, REMEDY_DENY, "first", HOUR);
	WAIT(redis_is_up(w.raw) && held(1, 1) && held(2, 1));
	raw((struct bytes[]){ BYTES("FLUSHALL") }, 1);
	add(1, 2, REMEDY_DENY, "second", HOUR);
	WAIT(held(0, 2) && held(2, 2) && counts(0).resyncs > 1);
	gate_close(2);
	decisions_unwatch(w.gates[2].d, &w.gates[2]);
	decisions_free(w.gates[2].d);
	w.gates[2].d = decisions_new(1 << 20);
	gate_open(2);
	WAIT(held(2, 1) && held(2, 2));
}

static void a_redis_that_is_full_or_stopped_is_waited_out(void **state)
{
	(void)state;
	WAIT(redis_is_up(w.raw));
	raw((struct bytes[]){ BYTES("CONFIG"), BYTES("SET"), BYTES("maxmemory"), BYTES("1") }, 4);
	add(0, 1, REMEDY_DENY, "while it is full", HOUR);
	run_for(w.loop, 1000);
	assert_true(held(0, 1) && !held(1, 1) && counts(0).up);
	raw((struct bytes[]){ BYTES("CONFIG"), BYTES("SET"), BYTES("maxmemory"), BYTES("0") }, 4);
	WAIT(held(1, 1) && held(2, 1));
	kill(w.server, SIGSTOP);
	add(0, 2, REMEDY_DENY, "while it is stopped", HOUR);
	run_for(w.loop, 3000);
	assert_true(held(0, 2) && !held(1, 2));
	kill(w.server, SIGCONT);
	WAIT(held(1, 2) && held(2, 2));
}

/* Gate 2 is closed: its decisions and place go with it, as a restart without a ledger. */
static void a_trimmed_stream_is_made_good(void **state)
{
	(void)state;
	add(0, 1, REMEDY_DENY, "first", HOUR);
	WAIT(redis_is_up(w.raw) && held(1, 1) && held(2, 1));
	gate_close(2);
	decisions_unwatch(w.gates[2].d, &w.gates[2]);
	decisions_free(w.gates[2].d);
	w.gates[2].d = decisions_new(1 << 20);
	raw((struct bytes[]){ BYTES("XTRIM"), BYTES("{test}:log"), BYTES("MAXLEN"), BYTES("0") }, 4);
	gate_open(2);
	WAIT(held(2, 1));
}

struct answer { bool done, known; char text[32]; };

static void on_got(void *owner, bool known, struct bytes b)
{
	struct answer *a = owner;

	*a = (struct answer){ .done = true, .known = known };
	snprintf(a->text, sizeof a->text, "%.*s", BYTES_ARG(b));
}

static void small_values_and_nodes_are_known_to_all(void **state)
{
	struct answer a = { 0 };
	struct share_node n[8];

	(void)state;
	assert_true(share_put(w.gates[0].s, BYTES("cursor"), BYTES("42"), 60));
	run_for(w.loop, 200);
	assert_true(share_get(w.gates[1].s, BYTES("cursor"), on_got, &a));
	WAIT(a.done);
	assert_true(a.known);
	assert_string_equal(a.text, "42");
	a.done = false;
	assert_true(share_get(w.gates[1].s, BYTES("no such"), on_got, &a));
	WAIT(a.done);
	assert_true(a.known && !a.text[0]);
	WAIT(share_nodes(w.gates[0].s, n, 8) == GATES);
	for (unsigned i = 0; i < GATES; i++)
		assert_true(n[i].config_hash == 7 && llabs((long long)n[i].skew_ms) < 1000);
}

#define CLUSTER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLUSTER_TEST(a_decision_is_everywhere_in_milliseconds),
		CLUSTER_TEST(deleting_the_shorter_leaves_the_longer),
		CLUSTER_TEST(messages_are_told_to_the_others),
		CLUSTER_TEST(small_values_and_nodes_are_known_to_all),
		CLUSTER_TEST(what_is_unsigned_or_ahead_is_not_taken),
		CLUSTER_TEST(what_was_decided_apart_is_merged_also_when_redis_lost_all),
		CLUSTER_TEST(what_the_outbox_lost_is_sent_all_the_same),
		CLUSTER_TEST(who_joins_has_the_snapshot_and_what_came_since),
		CLUSTER_TEST(a_stream_that_was_lost_is_made_good),
		CLUSTER_TEST(a_trimmed_stream_is_made_good),
		CLUSTER_TEST(a_redis_that_is_full_or_stopped_is_waited_out),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
