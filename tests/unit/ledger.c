/* ledger.c -- what is decided outlives a process, and no damage to the file does more than lose a line. */
#include "base/clock.h"
#include "cti/ledger.h"
#include "tests/test.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HOUR = 3600 * 1000 };

static char dir[64], file[96];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/test_ledger.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof file, "%s/decisions", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

struct node { struct decisions *d; struct ledger *l; };

static struct node begin(void)
{
	struct err e = { 0 };
	struct node n = { decisions_new(300000), NULL };

	n.l = ledger_open(dir, n.d, &e);
	if (!n.l)
		fail_msg("%s", e.text);
	return n;
}

static void end(struct node n)
{
	ledger_close(n.l);
	decisions_free(n.d);
}

static void add(struct node n, enum scope scope, const char *value, enum remedy_kind remedy, uint64_t made_ms, uint64_t for_ms)
{
	struct decision d = { .scope = scope, .value = bytes_of(value), .remedy = remedy, .level = 2, .reason = BYTES("test/it 100%\n"),
			      .origin = BYTES("embergate"), .made_ms = made_ms, .until_ms = made_ms + for_ms };

	assert_int_equal(decisions_add(n.d, &d), DECISION_HELD);
}

static bool find(struct node n, const char *address, struct arena *a, struct decision *out)
{
	struct ip ip;

	assert_true(ip_parse(bytes_of(address), &ip));
	return decisions_find(n.d, &(struct decisions_ask){ .client = &ip }, clock_wall_ms(), a, out);
}

static bool held(struct node n, const char *address)
{
	struct arena *a = arena_new(1 << 16);
	struct decision out;
	bool is = find(n, address, a, &out);

	arena_free(a);
	return is;
}

static void append(const char *text, size_t len)
{
	FILE *f = fopen(file, "ae");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void what_is_held_is_held_by_the_next_process(void **state)
{
	struct arena *a = arena_new(1 << 16);
	uint64_t now = clock_wall_ms();
	struct decision before, after;
	struct node n = begin();

	(void)state;
	add(n, SCOPE_IP, "203.0.113.1", REMEDY_CHALLENGE, now, HOUR);
	add(n, SCOPE_IP, "203.0.113.2", REMEDY_DENY, now, HOUR);
	add(n, SCOPE_RANGE, "198.51.100.0/24", REMEDY_DENY, now, HOUR);
	add(n, SCOPE_USERNAME, "a user", REMEDY_CAPTCHA, now, HOUR);
	assert_int_equal(decisions_lift(n.d, SCOPE_IP, BYTES("203.0.113.2")), 1);
	assert_true(find(n, "203.0.113.1", a, &before));
	end(n);
	n = begin();
	assert_true(find(n, "203.0.113.1", a, &after));
	assert_int_equal(after.id, before.id);
	assert_int_equal(after.remedy, REMEDY_CHALLENGE);
	assert_int_equal(after.level, 2);
	assert_int_equal(after.made_ms, before.made_ms);
	assert_int_equal(after.until_ms, before.until_ms);
	assert_bytes(after.reason, BYTES("test/it 100%\n"));
	assert_bytes(after.origin, BYTES("embergate"));
	assert_false(held(n, "203.0.113.2"));
	assert_true(held(n, "198.51.100.77"));
	assert_true(decisions_find(n.d, &(struct decisions_ask){ .user = BYTES("a user") }, now, a, &after));
	add(n, SCOPE_IP, "203.0.113.9", REMEDY_DENY, now, HOUR);
	assert_true(find(n, "203.0.113.9", a, &after));
	assert_true(after.id > 1000); /* none that the process before may have given meanwhile */
	end(n);
	arena_free(a);
}

static void what_is_over_counts_as_past_and_is_then_forgotten(void **state)
{
	uint64_t now = clock_wall_ms();
	struct decisions_stats stats;
	struct node n = begin();

	(void)state;
	for (int i = 0; i < 3; i++)
		add(n, SCOPE_IP, "203.0.113.1", REMEDY_DENY, now - 2 * HOUR, HOUR);
	add(n, SCOPE_IP, "203.0.113.2", REMEDY_DENY, now - 80 * (uint64_t)HOUR, HOUR);
	end(n);
	n = begin();
	assert_false(held(n, "203.0.113.1"));
	assert_int_equal(decisions_past(n.d, SCOPE_IP, BYTES("203.0.113.1"), now), 3);
	decisions_count(n.d, &stats);
	assert_int_equal(stats.active[SCOPE_IP][REMEDY_DENY], 0);
	assert_int_equal(decisions_held(n.d), 1);
	end(n);
}

static void lines_that_are_none_are_left_out_and_counted(void **state)
{
	struct ledger_counts c;
	struct node n = begin();
	char nul[] = "held Ip\0x", *all = malloc(1 << 20);
	size_t len;
	FILE *f;

	(void)state;
	add(n, SCOPE_IP, "203.0.113.1", REMEDY_DENY, clock_wall_ms(), HOUR);
	add(n, SCOPE_IP, "203.0.113.2", REMEDY_DENY, clock_wall_ms(), HOUR);
	end(n);
	f = fopen(file, "re");
	len = fread(all, 1, 1 << 20, f);
	fclose(f);
	append("nonsense\n\n", 10);
	append(nul, sizeof nul);
	append("\n", 1);
	all[len / 2 - 2] ^= 1; /* the last byte but one of the first line */
	append(all, len / 2);
	memset(all, 'x', 600000);
	append(all, 600000);   /* longer than the room */
	append("\n0123456789abcdef held Ip 203.0.113.3 ", 36);
	n = begin();
	ledger_count(n.l, &c);
	assert_int_equal(c.read, 2);
	assert_true(c.broken >= 5);
	assert_true(held(n, "203.0.113.1") && held(n, "203.0.113.2"));
	assert_false(held(n, "203.0.113.3"));
	end(n);
	n = begin(); /* it was written anew */
	ledger_count(n.l, &c);
	assert_int_equal(c.broken, 0);
	assert_int_equal(c.read, 2);
	end(n);
	free(all);
}

static bool comes(struct node n, const char *address)
{
	for (int i = 0; i < 1000 && !held(n, address); i++)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	return held(n, address);
}

static void the_next_process_learns_what_the_draining_one_decides(void **state)
{
	uint64_t now = clock_wall_ms();
	struct node old = begin(), new;

	(void)state;
	add(old, SCOPE_IP, "203.0.113.1", REMEDY_DENY, now, HOUR);
	for (struct stat st = { .st_size = 0 }; stat(file, &st) != 0 || !st.st_size;)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	new = begin();
	assert_true(held(new, "203.0.113.1"));
	add(old, SCOPE_IP, "203.0.113.2", REMEDY_DENY, now, HOUR);
	assert_true(comes(new, "203.0.113.2"));
	add(new, SCOPE_IP, "203.0.113.3", REMEDY_DENY, now, HOUR);
	end(old);
	end(new);
	new = begin();
	assert_true(held(new, "203.0.113.1") && held(new, "203.0.113.2") && held(new, "203.0.113.3"));
	end(new);
}

/* A limit on the size of files stands for the disk: it takes a part of a write, and then none. */
static void a_full_disk_is_counted_and_made_good(void **state)
{
	struct node n = begin();
	struct ledger_counts c = { 0 };
	struct rlimit before, small;
	char value[32];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 1000;
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 100; i++) {
		snprintf(value, sizeof value, "203.0.113.%d", i);
		add(n, SCOPE_IP, value, REMEDY_DENY, clock_wall_ms(), HOUR);
	}
	for (int i = 0; i < 500 && !c.failed; i++) {
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
		ledger_count(n.l, &c);
	}
	setrlimit(RLIMIT_FSIZE, &before);
	assert_true(c.failed > 0);
	end(n);
	n = begin();
	ledger_count(n.l, &c);
	assert_int_equal(c.broken, 0);
	assert_int_equal(decisions_held(n.d), 100);
	end(n);
}

static void *decide(void *arg)
{
	struct node *n = arg;
	static atomic_int number;
	int mine = atomic_fetch_add(&number, 1) * 20000;
	char value[32];

	for (int i = mine; i < mine + 20000; i++) {
		snprintf(value, sizeof value, "11.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		add(*n, SCOPE_IP, value, REMEDY_DENY, clock_wall_ms(), HOUR);
		if (i % 4 == 0)
			decisions_lift(n->d, SCOPE_IP, bytes_of(value));
	}
	return NULL;
}

/* What the queue does not take is made good when it closes: the file is written anew. */
static void a_flood_is_kept_whole(void **state)
{
	struct node n = begin();
	pthread_t t[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, decide, &n);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(decisions_held(n.d), 30000);
	end(n);
	n = begin();
	assert_int_equal(decisions_held(n.d), 30000);
	end(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_held_is_held_by_the_next_process, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_over_counts_as_past_and_is_then_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_that_are_none_are_left_out_and_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(the_next_process_learns_what_the_draining_one_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_is_counted_and_made_good, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_is_kept_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
