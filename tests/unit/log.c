/* log.c -- lines reach the file, trouble drops and counts, nothing waits. */
#include "tests/test.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;

static const char *path(const char *name)
{
	static char paths[4][128];
	static unsigned at;
	char *p = paths[at++ % nelems(paths)];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

static struct bytes slurp(const char *file)
{
	static char buf[1 << 20];
	FILE *f = fopen(file, "r");
	size_t n = f ? fread(buf, 1, sizeof buf, f) : 0;

	if (f)
		fclose(f);
	return (struct bytes){ buf, n };
}

static void until_file_is(const char *file, struct bytes want)
{
	for (int i = 0; i < 500 && !bytes_eq(slurp(file), want); i++)
		usleep(10000);
	assert_bytes(slurp(file), want);
}

static void lines_are_appended_and_flushed_at_the_end(void **state)
{
	struct err e;
	struct log *log = log_start(&e);
	struct log_sink *s = log_open(log, path("a.log"), &e);

	(void)state;
	assert_non_null(s);
	assert_true(log_line(s, BYTES("one")));
	assert_true(log_line(s, BYTES("two")));
	log_close(s);
	log_stop(log, 2000);
	assert_bytes(slurp(path("a.log")), BYTES("one\ntwo\n"));
}

static void a_line_is_written_without_being_asked(void **state)
{
	struct err e;
	struct log *log = log_start(&e);
	struct log_sink *s = log_open(log, path("soon.log"), &e);

	(void)state;
	log_line(s, BYTES("first"));
	until_file_is(path("soon.log"), BYTES("first\n"));
	usleep(20000); /* the thread sleeps again */
	log_line(s, BYTES("second"));
	until_file_is(path("soon.log"), BYTES("first\nsecond\n"));
	log_stop(log, 2000);
}

static void a_renamed_file_is_opened_anew(void **state)
{
	struct err e;
	struct log *log = log_start(&e);
	struct log_sink *s = log_open(log, path("r.log"), &e);

	(void)state;
	log_line(s, BYTES("old"));
	until_file_is(path("r.log"), BYTES("old\n"));
	rename(path("r.log"), path("r.log.1"));
	log_reopen(log);
	until_file_is(path("r.log"), BYTES("")); /* exists or not: */
	for (int i = 0; i < 500 && access(path("r.log"), F_OK) != 0; i++)
		usleep(10000);
	log_line(s, BYTES("new"));
	until_file_is(path("r.log"), BYTES("new\n"));
	assert_bytes(slurp(path("r.log.1")), BYTES("old\n"));
	log_stop(log, 2000);
}

static void the_same_file_is_one_sink(void **state)
{
	struct err e;
	struct log *log = log_start(&e);
	struct log_sink *a = log_open(log, path("same.log"), &e), *b = log_open(log, path("same.log"), &e);

	(void)state;
	assert_ptr_equal(a, b);
	log_close(a);
	assert_true(log_line(b, BYTES("still open")));
	log_close(b);
	log_stop(log, 2000);
	assert_bytes(slurp(path("same.log")), BYTES("still open\n"));
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
	struct err e = { 0 };
	struct log *log = log_start(&e);

	(void)state;
	assert_null(log_open(log, path("no/such/dir.log"), &e));
	assert_int_equal(e.side, SIDE_CONFIG);
	assert_int_equal(e.code, ENOENT);
	assert_non_null(strstr(e.text, "dir.log: No such file or directory"));
	log_stop(log, 2000);
}

/* A FIFO whose reader does not read: the pipe and the ring fill, then lines are
 * dropped; the producer is never held up; when it is read again it goes on. */
static void a_stuck_pipe_drops_and_counts(void **state)
{
	static char line[4000];
	struct err e;
	struct log *log = log_start(&e);
	struct log_sink *s;
	uint64_t began, put = 0, got = 0, dropped;
	int in;

	(void)state;
	assert_int_equal(mkfifo(path("pipe"), 0600), 0);
	in = open(path("pipe"), O_RDONLY | O_NONBLOCK);
	s = log_open(log, path("pipe"), &e);
	assert_non_null(s);
	memset(line, 'x', sizeof line);
	began = clock_mono_ms();
	for (int i = 0; i < 2000; i++)
		put += log_line(s, (struct bytes){ line, sizeof line });
	assert_true(clock_mono_ms() - began < 1000);
	dropped = log_dropped(s);
	assert_true(dropped > 0);
	assert_int_equal(put + dropped, 2000);
	for (int idle = 0; got < put * (sizeof line + 1) && idle < 500;) {
		static char buf[1 << 16];
		ssize_t n = read(in, buf, sizeof buf);

		if (n > 0)
			got += (uint64_t)n;
		else
			idle += usleep(10000) == 0;
	}
	assert_int_equal(got, put * (sizeof line + 1));
	assert_true(log_line(s, BYTES("again")));
	log_stop(log, 2000);
	close(in);
}

static void what_takes_nothing_does_not_hold_up_the_end(void **state)
{
	static char line[4000];
	const char *files[] = { path("dead"), "/dev/full" };
	int in;

	(void)state;
	assert_int_equal(mkfifo(files[0], 0600), 0);
	in = open(files[0], O_RDONLY | O_NONBLOCK);
	for (size_t f = 0; f < nelems(files); f++) {
		struct err e;
		struct log *log = log_start(&e);
		struct log_sink *s = log_open(log, files[f], &e);
		uint64_t began;

		assert_non_null(s);
		for (int i = 0; i < 2000; i++)
			log_line(s, (struct bytes){ line, sizeof line });
		assert_true(log_dropped(s) > 0);
		began = clock_mono_ms();
		log_stop(log, 100);
		assert_in_range(clock_mono_ms() - began, 90, 1000);
	}
	close(in);
}

/* Runs say() with stderr in a file. */
static struct bytes stderr_of(void (*say)(void))
{
	int saved = dup(STDERR_FILENO), fd = open(path("err"), O_CREAT | O_TRUNC | O_WRONLY, 0600);

	dup2(fd, STDERR_FILENO);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	return slurp(path("err"));
}

static void say_it(void)
{
	log_warn("disk \"%s\"\n\033[2J is at %d %%", "sda", 97);
}

static void messages_are_json_lines_off_a_terminal(void **state)
{
	struct bytes got = stderr_of(say_it);

	(void)state;
	assert_true(bytes_starts(got, BYTES("{\"@timestamp\":\"20")));
	assert_true(bytes_ends(got, BYTES("Z\",\"log.level\":\"warn\",\"message\":"
					  "\"disk \\\"sda\\\"\\n\\u001b[2J is at 97 %\"}\n")));
}

static int make_dir(void **state)
{
	static char name[] = "/tmp/test_log.XXXXXX";

	(void)state;
	dir = mkdtemp(name);
	return dir ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const files[] = { "beside.log", "a.log", "soon.log", "r.log", "r.log.1", "same.log", "pipe", "dead", "err" };

	(void)state;
	for (size_t i = 0; i < nelems(files); i++)
		unlink(path(files[i]));
	return rmdir(dir);
}

/* An outlet that takes what it is told to. */
struct taker {
	_Atomic unsigned taken, asked;
	_Atomic bool shut, freed;
	char got[256];
};

static size_t take_lines(void *ctx, struct bytes lines, const _Atomic bool *hurry, unsigned *retry_ms)
{
	struct taker *t = ctx;

	(void)hurry;
	*retry_ms = 20;
	t->asked++;
	if (t->shut)
		return 0;
	lines = bytes_sub(lines, 0, bytes_index(lines, '\n') + 1); /* one at a time */
	assert_true(t->taken + lines.len < sizeof t->got);
	memcpy(t->got + t->taken, lines.at, lines.len);
	t->taken += (unsigned)lines.len;
	return lines.len;
}

static void taker_free(void *ctx)
{
	((struct taker *)ctx)->freed = true;
}

static const struct log_outlet taker_outlet = { take_lines, taker_free };

static void an_outlet_is_asked_again_until_it_has_all(void **state)
{
	struct err e;
	struct log *log = log_start(&e);
	struct taker t = { .shut = true }, twin = { .shut = true };
	struct log_sink *s = log_open_outlet(log, "there", &taker_outlet, &t, &e);

	(void)state;
	assert_ptr_equal(log_open_outlet(log, "there", &taker_outlet, &twin, &e), s);
	assert_true(twin.freed);
	assert_true(log_line(s, BYTES("one")) && log_line(s, BYTES("two")));
	while (t.asked < 3)
		usleep(1000);
	t.shut = false;
	for (int i = 0; i < 500 && t.taken < 8; i++)
		usleep(10000);
	assert_int_equal(t.taken, 8);
	assert_memory_equal(t.got, "one\ntwo\n", 8);
	log_close(s);
	assert_false(t.freed);
	log_close(s);
	for (int i = 0; i < 500 && !t.freed; i++)
		usleep(10000);
	assert_true(t.freed);
	log_stop(log, 1000);
}

static void an_outlet_that_takes_nothing_holds_up_neither_files_nor_the_end(void **state)
{
	struct err e;
	struct log *log = log_start(&e);
	struct taker t = { .shut = true };
	struct log_sink *s = log_open_outlet(log, "nowhere", &taker_outlet, &t, &e), *file = log_open(log, path("beside.log"), &e);
	uint64_t from = clock_mono_ms();
	char line[1000];

	(void)state;
	memset(line, 'x', sizeof line);
	for (int i = 0; i < 2 * LOG_RING_BYTES / 1000; i++)
		log_line(s, (struct bytes){ line, sizeof line });
	assert_true(log_dropped(s) > 0);
	log_line(file, BYTES("here"));
	until_file_is(path("beside.log"), BYTES("here\n"));
	log_stop(log, 1000);
	assert_true(clock_mono_ms() - from < 5000);
	assert_true(t.freed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_appended_and_flushed_at_the_end),
		cmocka_unit_test(a_line_is_written_without_being_asked),
		cmocka_unit_test(a_renamed_file_is_opened_anew),
		cmocka_unit_test(the_same_file_is_one_sink),
		cmocka_unit_test(a_file_that_cannot_be_opened_is_an_error),
		cmocka_unit_test(a_stuck_pipe_drops_and_counts),
		cmocka_unit_test(what_takes_nothing_does_not_hold_up_the_end),
		cmocka_unit_test(messages_are_json_lines_off_a_terminal),
		cmocka_unit_test(an_outlet_is_asked_again_until_it_has_all),
		cmocka_unit_test(an_outlet_that_takes_nothing_holds_up_neither_files_nor_the_end),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
