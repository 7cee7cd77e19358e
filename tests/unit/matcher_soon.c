/* Words are found at once, and the same ones when the database has been compiled beside. */
#include "tests/test.h"
#include "base/matcher_soon.h"
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORDS = 1200, LETTERS = 12, READERS = 3, MORE = 200 /* scans when the database is there */, BREATH_US = 500 };

static char dir[] = "/tmp/embergate-soon-XXXXXX";
static char texts[WORDS][LETTERS];
static struct pattern patterns[WORDS];

/* So many that a database takes longer than a few scans. Another `kind` of words makes another database. */
static void words_make(unsigned kind)
{
	for (unsigned i = 0; i < WORDS; i++) {
		snprintf(texts[i], LETTERS, "%u-%06u", kind, i * 7919 % 1000000);
		patterns[i] = (struct pattern){ bytes_of(texts[i]), PATTERN_LITERAL | PATTERN_EACH | (i & 1 ? PATTERN_CASELESS : 0), i };
	}
}

static bool count(void *ctx, uint32_t id, size_t end)
{
	size_t *sum = ctx;

	*sum += id * 1000 + end;
	return false;
}

/* What all hits add up to; 0: it failed. */
static size_t sum_of(const struct matcher *m, struct matcher_scratch *s, unsigned kind)
{
	char text[64];
	size_t sum = 0;

	snprintf(text, sizeof text, "%u-%06u and %u-%06u", kind, 5 * 7919, kind, 10 * 7919);
	return matcher_soon.scan(m, s, bytes_of(text), count, &sum) ? sum : 0;
}

static const size_t expected = 5 * 1000 + 8 + 10 * 1000 + 21;

struct reader {
	pthread_t thread;
	const struct matcher *matcher;
	size_t scans, wrong;
};

static void *read_on(void *ctx)
{
	struct reader *r = ctx;
	struct matcher_scratch *s = matcher_scratch_new();

	for (unsigned more = 0; more < MORE; more += matcher_soon_due() == 0) {
		r->wrong += sum_of(r->matcher, s, 1) != expected;
		r->scans++;
		usleep(more ? 0 : BREATH_US); /* who compiles has the lower priority */
	}
	matcher_scratch_free(s);
	return NULL;
}

static size_t files_kept(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	for (const struct dirent *e; d && (e = readdir(d));)
		n += bytes_ends(bytes_of(e->d_name), BYTES(".hs"));
	if (d)
		closedir(d);
	return n;
}

static void readers_see_no_difference_when_the_database_comes(void **state)
{
	struct reader readers[READERS] = { 0 };
	struct err e = { 0 };
	struct matcher *m;

	(void)state;
	assert_non_null(mkdtemp(dir));
	words_make(1);
	m = matcher_soon.compile(patterns, WORDS, dir, &e);
	assert_non_null(m);
	memset(texts, 'x', sizeof texts); /* the caller's are his again */
	for (size_t i = 0; i < READERS; i++) {
		readers[i].matcher = m;
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_true(readers[i].scans >= MORE);
		assert_int_equal(readers[i].wrong, 0);
	}
	assert_int_equal(files_kept(), 1);
	matcher_soon.free(m);
}

static void what_is_in_the_cache_is_not_compiled(void **state)
{
	struct matcher_scratch *s = matcher_scratch_new();
	struct matcher *m;

	(void)state;
	words_make(1);
	m = matcher_soon.compile(patterns, WORDS, dir, NULL);
	assert_non_null(m);
	assert_int_equal(matcher_soon_due(), 0);
	assert_int_equal(sum_of(m, s, 1), expected);
	matcher_soon.free(m);
	matcher_scratch_free(s);
}

/* The first of them is being compiled, or soon will be; the others wait. */
static void it_may_be_freed_before_it_is_ready(void **state)
{
	struct matcher *m[4];

	(void)state;
	for (unsigned i = 0; i < nelems(m); i++) {
		words_make(2 + i);
		m[i] = matcher_soon.compile(patterns, WORDS, dir, NULL);
		assert_non_null(m[i]);
	}
	for (unsigned i = nelems(m); i--;)
		matcher_soon.free(m[i]);
	matcher_soon_wait();
	assert_int_equal(matcher_soon_due(), 0);
	assert_true(files_kept() <= 3); /* who is gone is not compiled: at most the first was */
}

static void an_expression_is_compiled_at_once(void **state)
{
	const struct pattern p = { BYTES("t.o"), 0, 7 }, wrong = { BYTES("t(o"), 0, 0 };
	struct matcher_scratch *s = matcher_scratch_new();
	struct matcher *m = matcher_soon.compile(&p, 1, NULL, NULL), *none = matcher_soon.compile(&p, 0, NULL, NULL);
	struct err e = { 0 };
	size_t sum = 0;

	(void)state;
	assert_non_null(m);
	assert_non_null(none);
	assert_true(matcher_soon.scan(m, s, BYTES("a two"), count, &sum));
	assert_int_equal(sum, 7005);
	assert_true(matcher_soon.scan(none, s, BYTES("a two"), count, &sum));
	assert_int_equal(sum, 7005);
	assert_null(matcher_soon.compile(&wrong, 1, NULL, &e));
	assert_int_equal(e.code, 0);
	matcher_soon.free(none);
	matcher_soon.free(m);
	matcher_soon.free(NULL);
	matcher_scratch_free(s);
}

/* A word that matcher_words takes and Hyperscan does not. */
static void what_is_refused_is_counted_and_still_found(void **state)
{
	enum { LONG = 17000 };
	static char word[LONG + 4];
	struct pattern p = { { word, LONG }, PATTERN_LITERAL, 3 };
	struct matcher_scratch *s = matcher_scratch_new();
	uint64_t before = matcher_soon_refused();
	struct matcher *m;
	size_t sum = 0;

	(void)state;
	memset(word, 'w', sizeof word);
	m = matcher_soon.compile(&p, 1, NULL, NULL);
	assert_non_null(m);
	matcher_soon_wait();
	assert_int_equal(matcher_soon_refused(), before + 1);
	assert_true(matcher_soon.scan(m, s, (struct bytes){ word, LONG }, count, &sum));
	assert_int_equal(sum, 3000 + LONG);
	matcher_soon.free(m);
	matcher_scratch_free(s);
}

static int clean(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_no_difference_when_the_database_comes),
		cmocka_unit_test(what_is_in_the_cache_is_not_compiled),
		cmocka_unit_test(it_may_be_freed_before_it_is_ready),
		cmocka_unit_test(an_expression_is_compiled_at_once),
		cmocka_unit_test(what_is_refused_is_counted_and_still_found),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
