/* Patterns over strings: Hyperscan, and for literals the automaton of words, answer as PCRE2 does, one by one. */
#include "tests/test.h"
#include "tests/matcher_places.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A slice in a static table. */
#define B(lit) { "" lit, sizeof(lit) - 1 }

static bool mark(void *ctx, uint32_t id, size_t end)
{
	(void)end;
	*(uint32_t *)ctx |= 1u << id;
	return false;
}

static uint32_t hits(const struct matcher_kind *kind, const struct pattern *p, size_t n, struct bytes in)
{
	struct err e = { 0 };
	struct matcher *m = kind->compile(p, n, NULL, &e);
	struct matcher_scratch *s = matcher_scratch_new();
	uint32_t found = 0;

	if (!m)
		fail_msg("%s: %s", kind->name, e.text);
	assert_non_null(s);
	assert_true(kind->scan(m, s, in, mark, &found));
	matcher_scratch_free(s);
	kind->free(m);
	return found;
}

struct row {
	const char *pattern;
	unsigned flags;
	struct bytes in;
	bool hit;
};

static const struct row rows[] = {
	{ "abc", 0, B("xabcx"), true },
	{ "abc", 0, B("xABCx"), false },
	{ "abc", PATTERN_CASELESS, B("xABCx"), true },
	{ "a.c", PATTERN_LITERAL, B("abc"), false },
	{ "a.c", PATTERN_LITERAL, B("a.c"), true },
	{ "A.C[", PATTERN_LITERAL | PATTERN_CASELESS, B("xa.c["), true },
	{ "a.c", 0, B("a\nc"), true },                    /* the dot takes every byte */
	{ "a.c", 0, B("a\0c"), true },
	{ "foo$", 0, B("foo\n"), false },                 /* the very end, unlike Perl */
	{ "foo$", 0, B("a foo"), true },
	{ "foo\\$", 0, B("foo$ "), true },                /* not an anchor */
	{ "foo[$]", 0, B("foo$ "), true },
	{ "foo[]$]", 0, B("foo$ "), true },
	{ "foo[[:space:]$]", 0, B("foo$ "), true },
	{ "foo\\Q$\\E", 0, B("foo$ "), true },
	{ "(?m)foo$", 0, B("foo\nbar"), true },           /* its own wish */
	{ "(?:(?m)foo$)|bar$", 0, B("bar\n"), false },    /* which ends with its group */
	{ "(?m:foo$)|baz$", 0, B("baz\n"), false },
	{ "(?:foo$|bar)", 0, B("foo\n"), false },
	{ "(?x) foo $ # ([ nothing", 0, B("foo\n"), false },
	{ "(?x) a # ([\n foo $ | bar $", 0, B("bar\n"), false },
	{ "^foo", 0, B("\nfoo"), false },
	{ "^$", 0, B(""), true },
	{ "x*", 0, B(""), true },
	{ "\\xe9", 0, B("caf\xe9"), true },               /* bytes, not characters */
	{ "^.$", 0, B("\xc3\xa9"), false },
	{ "\\x{e9}", PATTERN_CASELESS, B("\xc9"), false },
	{ "\\s", 0, B("\x0b"), true },
	{ "\\s", 0, B("\x85"), false },
};

static void all_matchers_read_a_pattern_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct pattern p = { bytes_of(rows[i].pattern), rows[i].flags, 3 };
		uint32_t want = rows[i].hit ? 1u << 3 : 0;

		if (hits(&matcher_plain, &p, 1, rows[i].in) != want)
			fail_msg("plain, row %zu: %s", i, rows[i].pattern);
		if (hits(&matcher_hs, &p, 1, rows[i].in) != want)
			fail_msg("hyperscan, row %zu: %s", i, rows[i].pattern);
		if (rows[i].flags & PATTERN_LITERAL && hits(&matcher_words, &p, 1, rows[i].in) != want)
			fail_msg("words, row %zu: %s", i, rows[i].pattern);
	}
}

static void an_expression_on_its_own_agrees_with_the_matchers(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };
		struct regex *r = NULL;
		size_t from = 0, to = 0;
		bool hit;

		r = regex_new(bytes_of(rows[i].pattern), rows[i].flags, &e);
		if (!r)
			fail_msg("%s: %s", rows[i].pattern, e.text);
		hit = regex_find(r, rows[i].in, &from, &to) == REGEX_YES;
		if (hit != rows[i].hit)
			fail_msg("row %zu: %s", i, rows[i].pattern);
		if (hit)
			assert_true(from <= to && to <= rows[i].in.len);
		regex_free(r);
	}
}

static void patterns_may_share_an_id_and_none_is_lost(void **state)
{
	const struct pattern p[] = {
		{ BYTES("one"), PATTERN_LITERAL, 0 },
		{ BYTES("t[wo]{2}"), 0, 1 },
		{ BYTES("zwei"), PATTERN_LITERAL, 1 },
		{ BYTES("three"), PATTERN_LITERAL, 2 },
	};

	(void)state;
	assert_int_equal(hits(&matcher_plain, p, 4, BYTES("three zwei")), 6);
	assert_int_equal(hits(&matcher_hs, p, 4, BYTES("three zwei")), 6);
	assert_int_equal(hits(&matcher_hs, p, 4, BYTES("two")), 2);
	assert_int_equal(hits(&matcher_hs, p, 0, BYTES("two")), 0);
	assert_int_equal(hits(&matcher_plain, p, 0, BYTES("two")), 0);
	assert_int_equal(hits(&matcher_words, &p[2], 2, BYTES("three zwei")), 6);
	assert_int_equal(hits(&matcher_words, p, 0, BYTES("two")), 0);
}

struct ends {
	size_t at[8], n, stop; /* after so many */
};

static bool collect(void *ctx, uint32_t id, size_t end)
{
	struct ends *e = ctx;

	(void)id;
	assert_true(e->n < nelems(e->at));
	e->at[e->n++] = end;
	return e->n == e->stop;
}

static void a_literal_tells_all_its_places_when_asked_to(void **state)
{
	static const struct matcher_kind *const kinds[] = { &matcher_hs, &matcher_words, &matcher_plain };
	const struct pattern p = { BYTES("aa"), PATTERN_LITERAL | PATTERN_EACH, 0 };

	(void)state;
	for (size_t i = 0; i < nelems(kinds); i++) {
		struct matcher_scratch *s = matcher_scratch_new();
		struct matcher *m = kinds[i]->compile(&p, 1, NULL, NULL);
		struct ends e = { .stop = 8 }, first = { .stop = 1 };

		assert_true(kinds[i]->scan(m, s, BYTES("xaaa aa"), collect, &e));
		assert_int_equal(e.n, 3);
		assert_int_equal(e.at[0], 3);
		assert_int_equal(e.at[1], 4);
		assert_int_equal(e.at[2], 7);
		assert_true(kinds[i]->scan(m, s, BYTES("xaaa aa"), collect, &first));
		assert_int_equal(first.n, 1);
		kinds[i]->free(m);
		matcher_scratch_free(s);
	}
}

/* From few letters, so that words overlap, repeat, and begin and end with each other. */
static size_t random_text(char *at, size_t most, unsigned *seed)
{
	static const char letters[] = { 'a', 'a', 'A', 'b', 'B', '\0', '\xe9', '\xc9', '[', '{' };
	size_t n = 1 + (*seed >> 16) % most;

	for (size_t i = 0; i < n; i++) {
		*seed = *seed * 1103515245 + 12345;
		at[i] = letters[(*seed >> 16) % nelems(letters)];
	}
	return n;
}

static void literals_are_found_in_the_same_places_by_all(void **state)
{
	char words[12][6], value[100];
	struct pattern p[nelems(words)];
	unsigned seed = 1;
	size_t found = 0;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		size_t n = 1 + round % nelems(words), len = random_text(value, sizeof value, &seed);
		unsigned each = round % 3 ? PATTERN_EACH : 0;
		struct bytes in = { value, len };
		struct places plain, other;

		for (size_t i = 0; i < n; i++) {
			p[i].text = (struct bytes){ words[i], random_text(words[i], sizeof words[i], &seed) };
			p[i].flags = PATTERN_LITERAL | each | (seed >> 20 & 1 ? PATTERN_CASELESS : 0);
			p[i].id = (uint32_t)i % PLACES_IDS;
		}
		assert_true(places_of(&matcher_plain, p, n, in, &plain));
		assert_true(places_of(&matcher_words, p, n, in, &other));
		if (!places_eq(&plain, &other, each))
			fail_msg("words, round %u", round);
		assert_true(places_of(&matcher_hs, p, n, in, &other));
		if (!places_eq(&plain, &other, each))
			fail_msg("hyperscan, round %u", round);
		for (size_t i = 0; i < PLACES_IDS; i++)
			found += plain.ids[i];
	}
	assert_true(found > 300);
}

static void words_takes_literals_alone(void **state)
{
	const struct pattern p[] = { { BYTES("fine"), PATTERN_LITERAL, 0 }, { BYTES("f.ne"), 0, 1 }, { BYTES(""), PATTERN_LITERAL, 2 } };
	struct err e = { 0 };

	(void)state;
	assert_null(matcher_words.compile(p, 2, NULL, &e));
	assert_int_equal(e.code, 1);
	assert_null(matcher_words.compile(&p[2], 1, NULL, &e));
	assert_int_equal(e.code, 0);
}

static void a_refused_pattern_is_named_by_its_index(void **state)
{
	const struct pattern p[] = {
		{ BYTES("fine"), 0, 0 },
		{ BYTES("fin(e"), 0, 1 },
	};
	const struct pattern back = { BYTES("(a)\\1"), 0, 0 };
	struct err e = { 0 };

	(void)state;
	assert_null(matcher_hs.compile(p, 2, NULL, &e));
	assert_int_equal(e.code, 1);
	assert_int_equal(e.side, SIDE_CONFIG);
	assert_null(matcher_plain.compile(p, 2, NULL, &e));
	assert_int_equal(e.code, 1);
	assert_null(matcher_hs.compile(&back, 1, NULL, &e)); /* Hyperscan has no back references */
	assert_int_equal(e.code, 0);
	assert_null(regex_new(BYTES("fin(e"), 0, &e));
	assert_non_null(strstr(e.text, "at byte 5"));
}

static void giving_up_is_not_a_no(void **state)
{
	struct err e = { 0 };
	struct regex *r = regex_new(BYTES("^(a+)+$"), 0, &e);
	size_t from, to;

	(void)state;
	assert_non_null(r);
	assert_int_equal(regex_find(r, BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), &from, &to),
			 REGEX_LIMIT);
	assert_int_equal(regex_find(r, BYTES("aaaa"), &from, &to), REGEX_YES);
	regex_free(r);
}

static char dir[] = "/tmp/embergate-matcher-XXXXXX";
static char cached[4096];

/* The one cache file there is; false: none. */
static bool find_cached(void)
{
	FILE *ls;
	char command[256];
	bool found;

	snprintf(command, sizeof command, "ls %s/patterns-*.hs 2>/dev/null", dir);
	ls = popen(command, "r");
	found = ls && fscanf(ls, "%4095s", cached) == 1;
	if (ls)
		pclose(ls);
	return found;
}

static void scan_from_cache(uint32_t want)
{
	const struct pattern p[] = { { BYTES("o.e"), 0, 0 }, { BYTES("two"), 0, 1 } };
	struct err e = { 0 };
	struct matcher *m = matcher_hs.compile(p, 2, dir, &e);
	struct matcher_scratch *s = matcher_scratch_new();
	uint32_t found = 0;

	assert_non_null(m);
	assert_true(matcher_hs.scan(m, s, BYTES("one two"), mark, &found));
	assert_int_equal(found, want);
	matcher_scratch_free(s);
	matcher_hs.free(m);
}

static void damage(long at, bool cut)
{
	int fd = open(cached, O_RDWR);
	char c;

	assert_true(fd >= 0);
	if (cut) {
		assert_int_equal(ftruncate(fd, at), 0);
	} else {
		assert_int_equal(pread(fd, &c, 1, at), 1);
		c ^= 0x20;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
	}
	close(fd);
}

static void a_database_is_kept_and_a_damaged_one_is_not_used(void **state)
{
	static const long places[] = { 0, 9, 30, 41, 60, 300 };
	struct stat before, after;

	(void)state;
	assert_non_null(mkdtemp(dir));
	scan_from_cache(3);
	assert_true(find_cached());
	assert_int_equal(stat(cached, &before), 0);
	scan_from_cache(3);
	assert_int_equal(stat(cached, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* read, not written again */
	for (size_t i = 0; i < nelems(places); i++) {
		damage(places[i], false);
		scan_from_cache(3);
		assert_int_equal(stat(cached, &after), 0);
		assert_true(before.st_size == after.st_size); /* and written anew */
	}
	for (size_t i = 0; i < nelems(places); i++) {
		damage(places[i], true);
		scan_from_cache(3);
	}
	unlink(cached);
	assert_false(find_cached()); /* nothing else was left there */
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_matchers_read_a_pattern_the_same),
		cmocka_unit_test(an_expression_on_its_own_agrees_with_the_matchers),
		cmocka_unit_test(patterns_may_share_an_id_and_none_is_lost),
		cmocka_unit_test(a_literal_tells_all_its_places_when_asked_to),
		cmocka_unit_test(literals_are_found_in_the_same_places_by_all),
		cmocka_unit_test(words_takes_literals_alone),
		cmocka_unit_test(a_refused_pattern_is_named_by_its_index),
		cmocka_unit_test(giving_up_is_not_a_no),
		cmocka_unit_test(a_database_is_kept_and_a_damaged_one_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
