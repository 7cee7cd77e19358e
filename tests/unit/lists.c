/* lists.c -- what lists hold, whatever their servers do (tests/tools/list_server.py), and what is kept of them. */
#include "cti/lists.h"
#include "base/clock.h"
#include "tests/turns.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 8, HOUR = 3600000 };

struct house {
	struct loop *loop;
	struct fetcher *fetcher;
	struct lists *lists;
	struct arena *arena;
	char state[64], file[96], said[96];
	int server, port, stderr_was;
	pid_t pid;
	bool closed;
	char urls[MOST][128];
};

/* ---- the house ---- */

static bool start_server(struct house *h)
{
	int in[2], out[2];
	char port[16] = "";

	if (pipe(in) || pipe(out) || (h->pid = fork()) < 0)
		return false;
	if (!h->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (int i = 3; i < 64; i++)
			close(i);
		execlp("python3", "python3", SOURCE_DIR "/tests/tools/list_server.py", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	h->server = in[1];
	h->port = read(out[0], port, sizeof port - 1) > 0 ? (int)strtol(port, NULL, 10) : 0;
	close(out[0]);
	return h->port > 0;
}

static void stop_server(struct house *h)
{
	if (h->server < 0)
		return;
	close(h->server);
	waitpid(h->pid, NULL, 0);
	h->server = -1;
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	int said;

	signal(SIGPIPE, SIG_IGN);
	*state = h;
	snprintf(h->state, sizeof h->state, "/tmp/embergate-lists-XXXXXX");
	if (!mkdtemp(h->state) || !start_server(h))
		return -1;
	snprintf(h->file, sizeof h->file, "%s/list.txt", h->state);
	snprintf(h->said, sizeof h->said, "%s/said", h->state);
	said = open(h->said, O_RDWR | O_CREAT | O_APPEND, 0600);
	h->stderr_was = dup(2);
	dup2(said, 2);
	close(said);
	h->loop = loop_new();
	h->fetcher = fetcher_new(NULL, NULL, NULL, NULL);
	h->arena = arena_new(1 << 20);
	return h->loop && h->fetcher && h->arena ? 0 : -1;
}

static void on_closed(void *ctx)
{
	struct house *h = ctx;

	h->closed = true;
	loop_stop(h->loop);
}

static void shut(struct house *h)
{
	if (!h->lists)
		return;
	h->closed = false;
	lists_close(h->lists, on_closed, h);
	RUN_UNTIL(h->loop, h->closed);
	h->lists = NULL;
}

static int end(void **state)
{
	struct house *h = *state;
	char command[128];

	shut(h);
	stop_server(h);
	fetcher_free(h->fetcher);
	loop_free(h->loop);
	arena_free(h->arena);
	dup2(h->stderr_was, 2);
	close(h->stderr_was);
	snprintf(command, sizeof command, "rm -rf '%s'", h->state);
	free(h);
	return system(command) == 0 ? 0 : -1;
}

static struct list_config by_url(struct house *h, unsigned slot, const char *name)
{
	snprintf(h->urls[slot], sizeof h->urls[slot], "http://127.0.0.1:%d/%s", h->port, name);
	return (struct list_config){ .name = bytes_of(name), .url = bytes_of(h->urls[slot]), .act = REMEDY_CHALLENGE, .every_ms = HOUR,
				     .age_ms = 72 * HOUR, .max_bytes = 1 << 20, .max_entries = 1000, .fetch_ms = 2000 };
}

static void open_lists(struct house *h, const struct list_config *c, size_t n)
{
	struct err e = { 0 };

	h->lists = lists_open(h->loop, h->fetcher, h->state, c, n, &e);
	if (!h->lists)
		fail_msg("%s", e.text);
}

static struct list_status status_of(struct house *h, const char *name)
{
	struct list_status all[MOST];
	size_t n = lists_status(h->lists, all, MOST);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i];
	fail_msg("no list is called %s", name);
	return all[0];
}

#define WAIT_FOR(h, name, condition)                                                          \
	do {                                                                                  \
		struct list_status s;                                                         \
		unsigned turns_ = 0;                                                          \
		while (s = status_of((h), (name)), !(condition)) {                            \
			if (++turns_ > 2000)                                                  \
				fail_msg("%s: not so: %s (%zu, %s)", (name), #condition, s.entries, s.trouble); \
			usleep(5000);                                                         \
		}                                                                             \
	} while (0)

static bool find_at(struct house *h, const char *address, uint64_t now_ms, struct decision *d)
{
	struct ip ip;

	assert_true(ip_parse(bytes_of(address), &ip));
	return lists_find(h->lists, &ip, now_ms, h->arena, d);
}

static bool find(struct house *h, const char *address, struct decision *d)
{
	return find_at(h, address, clock_wall_ms(), d);
}

static void write_file(struct house *h, const char *text)
{
	FILE *f = fopen(h->file, "we");
	struct timespec old[2] = { { time(NULL) - 60, 0 }, { time(NULL) - 60, (long)strlen(text) } };

	fputs(text, f);
	fclose(f);
	utimensat(AT_FDCWD, h->file, old, 0); /* it has settled */
}

static unsigned times_said(struct house *h, const char *what)
{
	static char room[1 << 16];
	int fd = open(h->said, O_RDONLY);
	ssize_t n = read(fd, room, sizeof room - 1);
	unsigned times = 0;

	close(fd);
	room[n > 0 ? n : 0] = '\0';
	for (const char *at = room; (at = strstr(at, what)); at++)
		times++;
	return times;
}

/* ---- claims ---- */

static void holds_what_a_url_says_and_asks_by_etag(void **state)
{
	struct house *h = *state;
	struct list_config c[] = { by_url(h, 0, "etag"), by_url(h, 1, "modified"), by_url(h, 2, "list.gz"), by_url(h, 3, "moved") };
	struct list_status before;
	struct decision d;

	open_lists(h, c, nelems(c));
	for (size_t i = 0; i < nelems(c); i++)
		WAIT_FOR(h, c[i].name.at, s.entries > 0);
	assert_true(find(h, "192.0.2.200", &d));
	assert_int_equal(d.scope, SCOPE_RANGE);
	assert_bytes(d.value, BYTES("192.0.2.128/25"));
	assert_true(d.remedy == REMEDY_CHALLENGE && d.hearsay && d.until_ms > clock_wall_ms() + 71 * HOUR);
	assert_true(find(h, "192.0.2.2", &d));
	assert_bytes(d.origin, BYTES("lists:list.gz"));
	assert_bytes(d.reason, BYTES("list.gz"));
	assert_true(d.scope == SCOPE_IP && find(h, "2001:db8::77", &d) && find(h, "198.51.100.1", &d));
	assert_false(find(h, "198.51.100.2", &d));
	assert_false(find_at(h, "198.51.100.1", clock_wall_ms() + 73 * (uint64_t)HOUR, &d)); /* too old by then */
	for (size_t i = 0; i < 2; i++) {
		before = status_of(h, c[i].name.at);
		usleep(5000);
		lists_refresh(h->lists, c[i].name);
		WAIT_FOR(h, c[i].name.at, s.confirmed_ms > before.confirmed_ms);
		assert_int_equal(status_of(h, c[i].name.at).read_ms, before.read_ms); /* it was not sent again */
	}
}

static void a_bad_answer_keeps_the_old_list_with_one_alarm(void **state)
{
	static const struct {
		const char *name, *trouble;
	} all[] = {
		{ "shrink", "shrank from 100 entries to 2" }, { "shrink/to/nothing", "holds no address" }, { "gone", "status 404" },
		{ "cut", "cut short" },                       { "bomb", "" },                              { "endless", "" },
		{ "slow", "not whole within 2000 ms" },
	};
	struct house *h = *state;
	struct list_config c[nelems(all)];
	struct decision d;

	for (unsigned i = 0; i < nelems(all); i++)
		c[i] = by_url(h, i, all[i].name);
	open_lists(h, c, nelems(c));
	for (size_t i = 0; i < nelems(all); i++)
		WAIT_FOR(h, all[i].name, s.entries == 100);
	lists_refresh(h->lists, (struct bytes){ 0 });
	for (size_t i = 0; i < nelems(all); i++) {
		WAIT_FOR(h, all[i].name, s.trouble[0]);
		if (!strstr(status_of(h, all[i].name).trouble, all[i].trouble))
			fail_msg("%s: %s", all[i].name, status_of(h, all[i].name).trouble);
		assert_int_equal(status_of(h, all[i].name).entries, 100);
	}
	assert_true(find(h, "192.0.2.99", &d));
	lists_refresh(h->lists, BYTES("gone"));
	lists_refresh(h->lists, BYTES("shrink"));
	usleep(300000);
	assert_int_equal(times_said(h, "list gone: "), 2); /* what it held first, and the alarm */
	assert_int_equal(times_said(h, "shrank from"), 1);
}

static void who_loops_or_is_nobody_holds_nothing(void **state)
{
	struct house *h = *state;
	struct list_config c[] = { by_url(h, 0, "loop"), by_url(h, 1, "pinned"), by_url(h, 2, "nobody") };
	struct decision d;

	c[1].sha256 = BYTES("0000000000000000000000000000000000000000000000000000000000000000");
	c[2].url = BYTES("http://127.0.0.1:1/");
	open_lists(h, c, nelems(c));
	WAIT_FOR(h, "loop", strstr(s.trouble, "redirects"));
	WAIT_FOR(h, "pinned", strstr(s.trouble, "its sha256 is"));
	WAIT_FOR(h, "nobody", s.trouble[0]);
	assert_false(find(h, "192.0.2.1", &d));
}

static void a_list_of_its_sha256_may_allow_and_outranks_all(void **state)
{
	struct house *h = *state;
	struct list_config c[] = { by_url(h, 0, "etag"), by_url(h, 1, "pinned"), by_url(h, 2, "list.gz") };
	struct decision d;

	c[0].act = REMEDY_DENY;
	c[1].act = REMEDY_ALLOW;
	/* sha256 of "192.0.2.1\n" */
	c[1].sha256 = BYTES("D1AA74FDDDC060CA4E2E10401F2F4E0EF37F94B0D8B25137E8C530D59F4ABA75");
	open_lists(h, c, nelems(c));
	WAIT_FOR(h, "pinned", s.entries == 1);
	WAIT_FOR(h, "etag", s.entries == 3);
	WAIT_FOR(h, "list.gz", s.entries == 2);
	assert_true(find(h, "192.0.2.1", &d));
	assert_int_equal(d.remedy, REMEDY_ALLOW);
	assert_true(find(h, "192.0.2.2", &d));
	assert_int_equal(d.remedy, REMEDY_CHALLENGE);
	assert_true(find(h, "192.0.2.129", &d));
	assert_int_equal(d.remedy, REMEDY_DENY);
}

static bool is_spared(void *ctx, const struct ip_net *net)
{
	struct ip hop;

	(void)ctx;
	ip_parse(BYTES("203.0.113.5"), &hop);
	return ip_in_net(&hop, net);
}

static void what_is_too_wide_spared_or_nobodys_is_left_out(void **state)
{
	struct house *h = *state;
	struct list_config c[] = { by_url(h, 0, "wide"), { .name = BYTES("own"), .file = h->file, .act = REMEDY_DENY } };
	struct decision d;

	write_file(h, "10.0.0.0/8\n0.0.0.0/0\n203.0.113.5\n");
	c[0].spared = c[1].spared = is_spared;
	open_lists(h, c, 2);
	WAIT_FOR(h, "wide", s.entries == 1 && s.left_out == 5);
	assert_true(status_of(h, "own").entries == 1 && status_of(h, "own").left_out == 2);
	assert_true(find(h, "192.0.2.7", &d) && find(h, "10.1.2.3", &d));
	assert_true(!d.hearsay && d.remedy == REMEDY_DENY && d.until_ms == UINT64_MAX);
	assert_false(find(h, "127.0.0.1", &d) || find(h, "203.0.113.5", &d) || find(h, "8.8.8.8", &d));
	assert_int_equal(times_said(h, "5 entries are left out, the first is 0.0.0.0/0"), 1);
}

static void a_restart_without_network_holds_the_same(void **state)
{
	struct house *h = *state;
	struct list_config c[] = { by_url(h, 0, "etag"), by_url(h, 1, "shrink/to/nothing") };
	struct list_status before;
	struct decision d;
	struct stat st;
	char path[128];

	open_lists(h, c, 2);
	WAIT_FOR(h, "etag", s.entries == 3);
	WAIT_FOR(h, "shrink/to/nothing", s.entries == 100);
	before = status_of(h, "etag");
	shut(h);
	stop_server(h);
	snprintf(path, sizeof path, "%s/lists/shrink%%2Fto%%2Fnothing", h->state);
	assert_int_equal(stat(path, &st), 0);
	open_lists(h, c, 2);
	assert_true(find(h, "192.0.2.200", &d) && find(h, "192.0.2.99", &d)); /* at once */
	assert_int_equal(status_of(h, "etag").confirmed_ms, before.confirmed_ms);
	lists_refresh(h->lists, (struct bytes){ 0 });
	WAIT_FOR(h, "etag", s.trouble[0]);
	assert_true(find(h, "192.0.2.200", &d));
	shut(h);
	c[0].url = BYTES("http://127.0.0.1:1/other"); /* another list by the same name */
	open_lists(h, c, 2);
	assert_false(find(h, "192.0.2.200", &d));
}

static void what_is_kept_may_be_damaged(void **state)
{
	struct house *h = *state;
	struct list_config c = by_url(h, 0, "list.gz");
	struct decision d;
	char path[128];

	open_lists(h, &c, 1);
	WAIT_FOR(h, "list.gz", s.entries == 2);
	shut(h);
	snprintf(path, sizeof path, "%s/lists/list.gz", h->state);
	assert_int_equal(truncate(path, 30), 0);
	open_lists(h, &c, 1);
	WAIT_FOR(h, "list.gz", s.entries == 2); /* fetched anew */
	assert_true(find(h, "192.0.2.2", &d));
	assert_int_equal(times_said(h, "what was kept of it cannot be read"), 1);
}

static void a_file_is_read_at_start_and_when_it_changes(void **state)
{
	struct house *h = *state;
	struct list_config c = { .name = BYTES("own"), .file = h->file, .act = REMEDY_DENY, .every_ms = HOUR };
	struct decision d;

	write_file(h, "192.0.2.1\n");
	open_lists(h, &c, 1);
	assert_true(find(h, "192.0.2.1", &d));
	write_file(h, "192.0.2.2\n192.0.2.3\n");
	WAIT_FOR(h, "own", s.entries == 2);
	assert_true(!find(h, "192.0.2.1", &d) && find(h, "192.0.2.2", &d));
	write_file(h, "\n");
	WAIT_FOR(h, "own", strstr(s.trouble, "holds no address"));
	assert_true(find(h, "192.0.2.2", &d));
	unlink(h->file);
	WAIT_FOR(h, "own", strstr(s.trouble, "No such file"));
	assert_true(find(h, "192.0.2.2", &d));
	write_file(h, "192.0.2.4\n");
	WAIT_FOR(h, "own", !s.trouble[0] && s.entries == 1);
}

static void a_reload_keeps_what_is_held_and_changes_the_rest(void **state)
{
	struct house *h = *state;
	struct list_config c[] = { by_url(h, 0, "etag"), by_url(h, 1, "modified"), { .name = BYTES("own"), .file = h->file } };
	struct list_config twice[] = { by_url(h, 0, "etag"), by_url(h, 0, "etag") };
	struct decision d;
	struct err e;

	write_file(h, "192.0.2.77\n");
	c[2].act = REMEDY_DENY;
	open_lists(h, c, 2);
	WAIT_FOR(h, "etag", s.entries == 3);
	WAIT_FOR(h, "modified", s.entries == 1);
	assert_false(lists_reload(h->lists, twice, 2, &e));
	assert_non_null(strstr(e.text, "two lists are called 'etag'"));
	c[1] = c[2];
	c[0].act = REMEDY_CAPTCHA;
	stop_server(h); /* what it held stays */
	assert_true(lists_reload(h->lists, c, 2, &e));
	for (unsigned i = 0; i < 1000 && !find(h, "192.0.2.77", &d); i++)
		usleep(5000);
	assert_true(find(h, "192.0.2.77", &d) && find(h, "192.0.2.1", &d));
	assert_int_equal(d.remedy, REMEDY_CAPTCHA);
	assert_false(find(h, "198.51.100.1", &d));
}

struct asking {
	struct lists *lists;
	atomic_bool stop;
	atomic_ulong asked, missed;
};

static void *keep_asking(void *arg)
{
	struct asking *k = arg;
	struct decision d;
	struct ip ip;

	ip_parse(BYTES("192.0.2.1"), &ip);
	while (!atomic_load(&k->stop)) {
		struct arena *a = arena_new(1 << 12);

		atomic_fetch_add(&k->missed, !lists_find(k->lists, &ip, 1, a, &d) || !bytes_eq(d.value, BYTES("192.0.2.1")));
		atomic_fetch_add(&k->asked, 1);
		arena_free(a);
	}
	arena_thread_end();
	return NULL;
}

static void whoever_asks_while_it_is_replaced_finds_what_both_hold(void **state)
{
	struct house *h = *state;
	struct list_config c = { .name = BYTES("own"), .file = h->file, .act = REMEDY_DENY };
	struct asking k = { 0 };
	struct list_status before;
	pthread_t threads[2];

	write_file(h, "192.0.2.1\n192.0.2.2\n");
	open_lists(h, &c, 1);
	k.lists = h->lists;
	for (size_t i = 0; i < nelems(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, keep_asking, &k), 0);
	for (unsigned i = 0; i < 50; i++) {
		before = status_of(h, "own");
		usleep(2000);
		lists_refresh(h->lists, BYTES("own"));
		WAIT_FOR(h, "own", s.read_ms > before.read_ms);
	}
	atomic_store(&k.stop, true);
	for (size_t i = 0; i < nelems(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(atomic_load(&k.asked) > 100);
	assert_int_equal(atomic_load(&k.missed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(holds_what_a_url_says_and_asks_by_etag, begin, end),
		cmocka_unit_test_setup_teardown(a_bad_answer_keeps_the_old_list_with_one_alarm, begin, end),
		cmocka_unit_test_setup_teardown(who_loops_or_is_nobody_holds_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_list_of_its_sha256_may_allow_and_outranks_all, begin, end),
		cmocka_unit_test_setup_teardown(what_is_too_wide_spared_or_nobodys_is_left_out, begin, end),
		cmocka_unit_test_setup_teardown(a_restart_without_network_holds_the_same, begin, end),
		cmocka_unit_test_setup_teardown(what_is_kept_may_be_damaged, begin, end),
		cmocka_unit_test_setup_teardown(a_file_is_read_at_start_and_when_it_changes, begin, end),
		cmocka_unit_test_setup_teardown(whoever_asks_while_it_is_replaced_finds_what_both_hold, begin, end),
		cmocka_unit_test_setup_teardown(a_reload_keeps_what_is_held_and_changes_the_rest, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
