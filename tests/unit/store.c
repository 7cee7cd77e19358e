/* store.c -- jobs in order, from many threads, over restarts, damage and full disks. */
#include "base/store.h"
#include "tests/turns.h"
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], file[96];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/embergate-test-store.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof file, "%s/store", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const parts[] = { "", "-wal", "-shm", ".damaged", ".damaged-wal", ".damaged-shm" };
	char name[128];

	(void)state;
	for (size_t i = 0; i < nelems(parts); i++) {
		snprintf(name, sizeof name, "%s%s", file, parts[i]);
		unlink(name);
	}
	return rmdir(dir);
}

static struct store *opened(void)
{
	struct err e = { 0 };
	struct store *st = store_open(file, &e);

	if (!st)
		fail_msg("%s", e.text);
	return st;
}

static void make(sqlite3 *db, void *arg)
{
	(void)arg;
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS t (n INTEGER, x BLOB)", NULL, NULL, NULL), SQLITE_OK);
}

static void insert(sqlite3 *db, void *arg)
{
	char sql[64];

	snprintf(sql, sizeof sql, "INSERT INTO t (n) VALUES (%d)", arg ? *(int *)arg : 0);
	sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void count_rows(sqlite3 *db, void *arg)
{
	sqlite3_stmt *s = NULL;

	*(int *)arg = -1;
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		*(int *)arg = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
}

static int rows(struct store *st)
{
	int n = 0;

	assert_true(store_do_now(st, count_rows, &n));
	return n;
}

/* ---- */

struct asked { struct loop *loop; int told; };

static void told(void *arg)
{
	struct asked *a = arg;

	a->told++;
	loop_stop(a->loop);
}

static void nothing(sqlite3 *db, void *arg)
{
	(void)db, (void)arg;
}

static void who_asked_is_told_on_its_loop(void **state)
{
	struct store *st = opened();
	struct asked a = { loop_new(), 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_true(store_do(st, nothing, a.loop, told, &a));
	RUN_UNTIL(a.loop, a.told == 100);
	store_close(st);
	loop_free(a.loop);
}

static void what_was_written_is_there_after_a_restart(void **state)
{
	struct store *st = opened();
	struct stat s;

	(void)state;
	store_do_now(st, make, NULL);
	for (int i = 0; i < 1000; i++)
		assert_true(store_do(st, insert, NULL, NULL, NULL));
	store_close(st); /* after all jobs */
	st = opened();
	assert_int_equal(rows(st), 1000);
	store_close(st);
	assert_int_equal(stat(file, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
}

static void *insert_many(void *st)
{
	for (int i = 0; i < 1000; i++)
		assert_true(store_do(st, insert, NULL, NULL, NULL));
	return NULL;
}

static void many_threads_may_ask(void **state)
{
	struct store *st = opened();
	pthread_t threads[4];

	(void)state;
	store_do_now(st, make, NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, insert_many, st), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(rows(st), 4000);
	store_close(st);
}

static atomic_bool waits, may_go;

static void wait_for_leave(sqlite3 *db, void *arg)
{
	(void)db, (void)arg;
	atomic_store(&waits, true);
	while (!atomic_load(&may_go))
		usleep(1000);
}

static void what_the_queue_does_not_take_is_refused_and_counted(void **state)
{
	struct store *st = opened();
	struct store_counts c;
	unsigned taken = 0;

	(void)state;
	atomic_store(&may_go, false);
	store_do(st, wait_for_leave, NULL, NULL, NULL);
	while (!atomic_load(&waits))
		usleep(1000);
	while (store_do(st, nothing, NULL, NULL, NULL))
		taken++;
	assert_int_equal(taken, STORE_JOBS_MAX);
	assert_false(store_do_now(st, nothing, NULL));
	atomic_store(&may_go, true);
	store_count(st, &c);
	assert_int_equal(c.refused, 2);
	store_close(st);
}

static void a_damaged_file_is_put_aside(void **state)
{
	struct store *st = opened();
	char aside[128];
	FILE *f;

	(void)state;
	store_do_now(st, make, NULL);
	for (int i = 0; i < 5000; i++)
		store_do(st, insert, NULL, NULL, NULL);
	store_close(st);
	f = fopen(file, "r+");
	for (long at = 0; at < 40000; at += 100) {
		fseek(f, at, SEEK_SET);
		fputs("damage", f);
	}
	fclose(f);
	st = opened();
	snprintf(aside, sizeof aside, "%s.damaged", file);
	assert_int_equal(access(aside, F_OK), 0);
	store_do_now(st, make, NULL);
	assert_int_equal(rows(st), 0);
	store_close(st);
}

static void insert_megabytes(sqlite3 *db, void *arg)
{
	(void)arg;
	assert_int_equal(sqlite3_exec(db, "INSERT INTO t (x) VALUES (zeroblob(80000000))", NULL, NULL, NULL), SQLITE_OK);
}

static void damage_tables(void)
{
	FILE *f = fopen(file, "r+");

	assert_non_null(f);
	for (long at = 16384; at < 65 << 20; at += 4096) {
		fseek(f, at, SEEK_SET);
		fputs("damage", f);
	}
	fclose(f);
}

static void read_all(sqlite3 *db, void *arg)
{
	if (sqlite3_exec(db, "SELECT hex(x) FROM t", NULL, NULL, NULL) != SQLITE_OK)
		store_note_failure(arg);
}

static void a_large_file_is_checked_once_damage_was_met(void **state)
{
	char name[128];
	struct store *st = opened();

	(void)state;
	store_do_now(st, make, NULL);
	store_do_now(st, insert_megabytes, NULL);
	store_close(st);
	damage_tables();
	st = opened(); /* nothing was looked into */
	snprintf(name, sizeof name, "%s.damaged", file);
	assert_int_equal(access(name, F_OK), -1);
	store_do_now(st, read_all, st);
	store_close(st);
	st = opened();
	assert_int_equal(access(name, F_OK), 0);
	snprintf(name, sizeof name, "%s.suspect", file);
	assert_int_equal(access(name, F_OK), -1);
	store_do_now(st, make, NULL);
	assert_int_equal(rows(st), 0);
	store_close(st);
}

static void where_no_file_can_be_is_an_error(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(store_open("/nowhere/at/all", &e));
	assert_string_equal(e.text, "/nowhere/at/all: No such file or directory");
}

static void insert_large(sqlite3 *db, void *arg)
{
	if (sqlite3_exec(db, "INSERT INTO t (x) VALUES (zeroblob(100000))", NULL, NULL, NULL) != SQLITE_OK)
		store_note_failure(arg);
}

static void a_full_disk_is_counted_and_survived(void **state)
{
	struct store *st = opened();
	struct rlimit full = { 64 << 10, RLIM_INFINITY }, before;
	struct store_counts c;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	store_do_now(st, make, NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	for (int i = 0; i < 20; i++)
		store_do_now(st, insert_large, st);
	full.rlim_cur = before.rlim_cur;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	store_count(st, &c);
	assert_true(c.failed > 0);
	assert_int_equal(rows(st), 0);
	store_do_now(st, insert, NULL);
	assert_int_equal(rows(st), 1);
	store_close(st);
	st = opened();
	assert_int_equal(rows(st), 1);
	store_close(st);
}

static void two_processes_may_have_it_open(void **state)
{
	pid_t child;
	int status;
	struct store *st;

	(void)state;
	st = opened();
	store_do_now(st, make, NULL);
	store_close(st);
	child = fork();
	if (child == 0) {
		st = store_open(file, NULL);
		for (int i = 0; st && i < 500; i++)
			store_do_now(st, insert, NULL);
		store_close(st);
		_exit(st ? 0 : 1);
	}
	st = opened();
	for (int i = 0; i < 500; i++)
		store_do_now(st, insert, NULL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(rows(st), 1000);
	store_close(st);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_asked_is_told_on_its_loop),
		TEST(what_was_written_is_there_after_a_restart),
		TEST(many_threads_may_ask),
		TEST(what_the_queue_does_not_take_is_refused_and_counted),
		TEST(a_damaged_file_is_put_aside),
		TEST(a_large_file_is_checked_once_damage_was_met),
		TEST(where_no_file_can_be_is_an_error),
		TEST(a_full_disk_is_counted_and_survived),
		TEST(two_processes_may_have_it_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
