/* The literals that an expression cannot match without. */
#include "tests/test.h"
#include "base/text.h"
#include "rules/literal.h"

static void the_set_is_what_every_match_needs(void **state)
{
	static const struct {
		const char *expression, *set; /* as "a|b"; "": nothing is known */
		bool joinable;
	} rows[] = {
		{ "abc", "abc", true },
		{ "^/wp-admin/.*\\.php$", "/wp-admin/", true },
		{ "a\\.b\\x2fc", "a.b/c", true },
		{ "(?:union|insert) +into", "union |insert |into", true },
		{ "union|insert", "union|insert", true },
		{ "colou?r", "colour|color", true },
		{ "col(?:ou)?r", "colour|colr", true },
		{ "x(?:a|bc)y", "xay|xbcy", true },
		{ "[.]git", ".git", true },
		{ "[$]\\{jndi:", "${jndi:", true },
		{ "${jndi", "${jndi", true },
		{ "a{2}bcdef", "abcdef", true },
		{ "a{0,2}bcd", "bcd", true },
		{ "ab*c+d", "cd", true },
		{ "[^0-9]", "", true },
		{ ".+", "", true },
		{ "foo|", "", true },
		{ "(foo)?", "", true },
		{ "foo|[a-z]", "", true },
		{ "(?i)FoO", "FoO", true },
		{ "(?x) f o o # comment (\n bar", "foobar", true },
		{ "(?x) [ ] a", " a", true },
		{ "(?x) ab+ ?.", "", false }, /* lazy, though the '?' stands apart */
		{ "(?x) ab+ +.", "", false },
		{ "[a[:]foo", "", false }, /* PCRE2 looks for an end of "[:" in a way of its own */
		{ "[[:alpha:]]foo", "foo", true },
		{ "[a\\c]:[b]foo", "", false },     /* the control byte of ']' does not end a class */
		{ "c['\\x5c]*a['\\x5c]*t", "cat|'|\\", true },
		{ "foo(?=bar)", "foo", false },
		{ "foo(?!bar)", "foo", false },
		{ "(?<=x)foo", "foo", false },
		{ "(?<n>foo)bar", "foobar", true },
		{ "(?>foo)bar", "foobar", false },
		{ "foo++bar", "obar", false },
		{ "(foo)\\1", "foo", false },
		{ "(?-i)foo", "", false },   /* not read: nothing is claimed */
		{ "\\Qa|b\\E", "", false },
		{ "a{,3}b", "", false },
		{ "(*UTF)foo", "", false },
		{ "foo(", "", false },
		{ "[[:alpha:]]foo", "foo", true },
		{ "[]a]foo", "]foo|afoo", true },
		{ "\\bselect\\b", "select", true },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(8 << 20);
		struct literals l = literals_of(a, bytes_of(rows[i].expression));
		char room[256];
		struct text t = text_over(room, sizeof room);

		for (size_t k = 0; k < l.n; k++) {
			text_str(&t, k ? "|" : "");
			text_put(&t, l.at[k]);
		}
		/* Of two sets the rarer is kept, so a part of the row's is enough. */
		if (!bytes_eq(text_bytes(&t), bytes_of(rows[i].set)) &&
		    (!t.len || bytes_find(bytes_of(rows[i].set), text_bytes(&t)) == SIZE_MAX))
			fail_msg("%s: want %s, got %.*s", rows[i].expression, rows[i].set, BYTES_ARG(text_bytes(&t)));
		if (l.joinable != rows[i].joinable)
			fail_msg("%s: joinable %d", rows[i].expression, l.joinable);
		arena_free(a);
	}
}

static void rare_bytes_are_preferred_to_common_ones(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct literals l = literals_of(a, BYTES("and .*'"));

	(void)state;
	assert_true(literal_common(BYTES("'")) < literal_common(BYTES("e")));
	assert_true(literal_common(BYTES("select")) < literal_common(BYTES("'")));
	assert_int_equal(l.n, 1);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_set_is_what_every_match_needs),
		cmocka_unit_test(rare_bytes_are_preferred_to_common_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
