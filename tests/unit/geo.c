/* geo.c -- country and AS from files of a writer of our own (tests/tools/mmdb.py), whole and damaged. */
#include "cti/geo.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* libmaxminddb 1.7 forgets a pool of 5 KB when a file's metadata is broken behind its languages. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

static char dir[] = "/tmp/embergate-geo-XXXXXX";
static char files[6][64];
enum { COUNTRY, AS, VENDOR, V4, BROKEN, MISSING };

static int begin(void **state)
{
	static const char *const kinds[] = { "country", "as", "vendor", "v4" };
	char command[512];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < nelems(files); i++)
		snprintf(files[i], sizeof files[i], "%s/%zu.mmdb", dir, i);
	for (size_t i = 0; i < nelems(kinds); i++) {
		snprintf(command, sizeof command, "python3 %s/tests/tools/mmdb.py %s %s", SOURCE_DIR, files[i], kinds[i]);
		if (system(command) != 0)
			return -1;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(files); i++)
		unlink(files[i]);
	return rmdir(dir);
}

static bool find(const struct geo *g, const char *address, struct geo_found *out)
{
	struct ip ip;

	assert_true(ip_parse(bytes_of(address), &ip));
	return geo_find(g, &ip, out);
}

static struct geo *opened(const size_t *which, size_t n)
{
	const char *names[4];
	struct err e = { 0 };
	struct geo *g;

	for (size_t i = 0; i < n; i++)
		names[i] = files[which[i]];
	g = geo_open(names, n, &e);
	if (!g)
		fail_msg("%s", e.text);
	return g;
}

static void joins_what_several_files_say(void **state)
{
	static const struct {
		const char *address, *country, *name;
		uint32_t as;
	} all[] = {
		{ "192.0.2.7", "FR", "Example \xc3\x89tudes", 64500 },
		{ "192.0.3.7", "", "Example \xc3\x89tudes", 64500 },
		{ "::ffff:192.0.2.7", "FR", "Example \xc3\x89tudes", 64500 },
		{ "198.51.100.1", "DE", "", 0 },
		{ "2001:db8::1", "NL", "", 4200000000u },
		{ "2001:db8:8000::1", "NL", "", 0 },
	};
	struct geo *g = opened((size_t[]){ COUNTRY, AS }, 2);
	struct geo_found f;

	(void)state;
	for (size_t i = 0; i < nelems(all); i++) {
		assert_true(find(g, all[i].address, &f));
		assert_string_equal(f.country, all[i].country);
		assert_string_equal(f.as_name, all[i].name);
		assert_int_equal(f.as, all[i].as);
	}
	assert_false(find(g, "198.51.100.200", &f));
	assert_false(find(g, "::1", &f));
	geo_close(g);
	assert_false(find(NULL, "192.0.2.7", &f));
}

static void bounds_what_a_file_says(void **state)
{
	struct geo *g = opened((size_t[]){ COUNTRY, AS }, 2);
	struct geo_found f;

	(void)state;
	assert_true(find(g, "203.0.113.1", &f));
	assert_string_equal(f.country, "");
	assert_int_equal(strlen(f.as_name), sizeof f.as_name - 1);
	geo_close(g);
}

static void reads_other_vendors_and_files_of_one_family(void **state)
{
	struct geo *g = opened((size_t[]){ V4, VENDOR }, 2);
	struct geo_found f;

	(void)state;
	assert_true(find(g, "192.0.2.7", &f));
	assert_string_equal(f.country, "FR"); /* the first file's */
	assert_int_equal(f.as, 64502);
	assert_string_equal(f.as_name, "Vendor");
	assert_false(find(g, "2001:db8::1", &f));
	geo_close(g);
}

static size_t slurp(const char *file, char *room, size_t cap)
{
	FILE *f = fopen(file, "re");
	size_t n = fread(room, 1, cap, f);

	fclose(f);
	return n;
}

static void spill(const char *file, const char *at, size_t n)
{
	FILE *f = fopen(file, "we");

	assert_int_equal(fwrite(at, 1, n, f), n);
	fclose(f);
}

/* Every byte of it is changed once, and it is cut everywhere: an error that names the file, or an answer within bounds. */
static void a_damaged_file_is_an_error_or_answers_within_bounds(void **state)
{
	static char room[16 << 10];
	size_t n = slurp(files[AS], room, sizeof room);
	const char *name = files[BROKEN];
	unsigned refused = 0;
	struct geo_found f;
	struct err e;
	struct geo *g;

	(void)state;
	for (size_t i = 0; i < 2 * n; i++) {
		if (i < n)
			room[i] ^= 0xff;
		spill(name, room, i < n ? n : i - n);
		if (i < n)
			room[i] ^= 0xff;
		e = (struct err){ 0 };
		if ((g = geo_open(&name, 1, &e))) {
			find(g, "192.0.2.7", &f);
			find(g, "203.0.113.1", &f);
			find(g, "2001:db8::1", &f);
			assert_true(strlen(f.as_name) < sizeof f.as_name && strlen(f.country) < sizeof f.country);
			geo_close(g);
		} else {
			assert_non_null(strstr(e.text, name));
			refused++;
		}
	}
	assert_true(refused > n / 2);
}

static void a_file_that_is_cut_while_it_is_used_does_not_matter(void **state)
{
	static char room[16 << 10];
	size_t n = slurp(files[AS], room, sizeof room);
	const char *name = files[BROKEN];
	struct geo_found f;
	struct geo *g;

	(void)state;
	spill(name, room, n);
	g = geo_open(&name, 1, NULL);
	assert_non_null(g);
	assert_int_equal(truncate(name, 0), 0);
	assert_true(find(g, "192.0.2.7", &f));
	assert_int_equal(f.as, 64500);
	geo_close(g);
}

static void what_is_no_file_is_told_by_name(void **state)
{
	const char *bad[] = { files[MISSING], "/dev/zero", dir };
	struct err e;

	(void)state;
	for (size_t i = 0; i < nelems(bad); i++) {
		assert_null(geo_open(&bad[i], 1, &e));
		assert_non_null(strstr(e.text, bad[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_what_several_files_say),
		cmocka_unit_test(bounds_what_a_file_says),
		cmocka_unit_test(reads_other_vendors_and_files_of_one_family),
		cmocka_unit_test(a_damaged_file_is_an_error_or_answers_within_bounds),
		cmocka_unit_test(a_file_that_is_cut_while_it_is_used_does_not_matter),
		cmocka_unit_test(what_is_no_file_is_told_by_name),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
