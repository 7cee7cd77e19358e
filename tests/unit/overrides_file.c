/* proxy/overrides_file: a version is on disk whole or not at all, and the one before it comes back. */
#include "tests/test.h"
#include "proxy/overrides_file.h"
#include "proxy/overrides.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/embergate_versions.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/overrides.yaml", dir);
	return 0;
}

static int remove_dir(void **state)
{
	static const char *const ends[] = { ".yaml", ".yaml.1", ".yaml.2", ".yaml.3", ".yaml.4", ".yaml.5", ".pending" };

	(void)state;
	for (size_t i = 0; i < nelems(ends); i++) {
		char name[128];

		snprintf(name, sizeof name, "%s/overrides%s", dir, ends[i]);
		unlink(name);
	}
	return rmdir(dir);
}

static void write_text(const char *text)
{
	struct err e = { 0 };

	if (!overrides_file_write(path, bytes_of(text), &e))
		fail_msg("%s", e.text);
}

/* NULL: it is not there. */
static void assert_version(unsigned version, const char *text)
{
	struct arena *a = arena_new(2 * OVERRIDES_MAX);
	struct err e = { 0 };
	struct bytes got;

	if (!overrides_file_read(a, path, version, &got, &e))
		fail_msg("%s", e.text);
	assert_int_equal(!got.at, !text);
	if (text)
		assert_true(bytes_eq(got, bytes_of(text)));
	arena_free(a);
}

static void five_before_it_are_kept(void **state)
{
	static const char *const texts[] = { "a", "b", "c", "d", "e", "f", "" };

	(void)state;
	assert_version(0, NULL);
	for (size_t i = 0; i < nelems(texts); i++)
		write_text(texts[i]);
	for (unsigned v = 0; v <= OVERRIDES_KEPT; v++)
		assert_version(v, texts[nelems(texts) - 1 - v]);
	assert_version(OVERRIDES_KEPT + 1, NULL);
}

static void the_one_before_it_comes_back(void **state)
{
	(void)state;
	write_text("a");
	overrides_file_back(path, false);
	assert_version(0, NULL);
	write_text("a");
	write_text("b");
	write_text("c");
	overrides_file_back(path, true);
	assert_version(0, "b");
	assert_version(1, "a");
	assert_version(2, NULL);
}

static void what_cannot_be_written_changes_nothing(void **state)
{
	char name[128];
	struct err e = { 0 };

	(void)state;
	write_text("a");
	snprintf(name, sizeof name, "%s.new", path);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_false(overrides_file_write(path, BYTES("b"), &e));
	assert_int_equal(e.side, SIDE_SELF);
	assert_non_null(strstr(e.text, "overrides.yaml.new: cannot write it: "));
	assert_version(0, "a");
	assert_version(1, NULL);
	rmdir(name);
}

static void too_large_a_file_is_not_read(void **state)
{
	static char text[OVERRIDES_MAX + 2];
	struct arena *a = arena_new(2 * OVERRIDES_MAX);
	struct err e = { 0 };
	struct bytes got;

	(void)state;
	memset(text, '#', sizeof text - 1);
	write_text(text);
	assert_false(overrides_file_read(a, path, 0, &got, &e));
	assert_non_null(strstr(e.text, "larger than 512 KiB"));
	arena_free(a);
}

static void what_waits_is_read_again(void **state)
{
	const struct overrides_pending p = { 1795553816758, 0xddf71292b646bd94, true, "anna" };
	struct overrides_pending got;
	struct err e = { 0 };

	(void)state;
	assert_false(overrides_pending_read(path, &got));
	assert_true(overrides_pending_write(path, &p, &e));
	assert_true(overrides_pending_read(path, &got));
	assert_true(got.until_ms == p.until_ms && got.hash == p.hash && got.had && strcmp(got.by, "anna") == 0);
	overrides_pending_drop(path);
	assert_false(overrides_pending_read(path, &got));
}

static void anything_else_waits_for_nothing(void **state)
{
	static const char *const rows[] = {
		"", "until 1\n", "until x\nhash 0000000000000000\nbefore 1\nby a\n", "until 0\nhash 0000000000000000\nbefore 1\nby a\n",
		"until 1\nhash 00\nbefore 1\nby a\n", "until 1\nhash 000000000000000g\nbefore 1\nby a\n",
		"until 1\nhash 0000000000000000\nbefore 1\nby a", "until 1\nhash 0000000000000000\nbefore 1\nby a\nmore\n",
		"until 1\nhash 0000000000000000\nbefore 1\nby 0123456789012345678901234567890123456789012345678901234567890123\n",
	};
	struct overrides_pending got;

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++)
		if (overrides_pending_parse(bytes_of(rows[i]), &got))
			fail_msg("row %zu is taken", i);
	assert_true(overrides_pending_parse(BYTES("until 1\nhash 00000000000000ff\nbefore 0\nby \n"), &got));
	assert_true(got.until_ms == 1 && got.hash == 0xff && !got.had && !got.by[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(five_before_it_are_kept, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(the_one_before_it_comes_back, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_changes_nothing, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(too_large_a_file_is_not_read, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(what_waits_is_read_again, make_dir, remove_dir),
		cmocka_unit_test(anything_else_waits_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
