/* The literals that an expression cannot match without. */
#include "tests/test.h"
#include "base/text.h"
#include "rules/literal.h"
#include "rules/plain.h"

static struct bytes joined(char room[256], const struct bytes *at, size_t n)
{
	struct text t = text_over(room, 256);

	for (size_t i = 0; i < n; i++) {
		text_str(&t, i ? "|" : "");
		text_put(&t, at[i]);
	}
	return text_bytes(&t);
}

/* Of two sets the rarer is kept, so a part of the row's is enough. */
static bool is_part(struct bytes set, const char *row)
{
	return bytes_eq(set, bytes_of(row)) || (set.len && bytes_find(bytes_of(row), set) != SIZE_MAX);
}

static void the_set_is_what_every_match_needs(void **state)
{
	static const struct {
		const char *expression, *set; /* as "a|b"; "": nothing is known */
	} rows[] = {
		{ "abc", "abc" },
		{ "^/wp-admin/.*\\.php$", "/wp-admin/" },
		{ "a\\.b\\x2fc", "a.b/c" },
		{ "(?:union|insert) +into", "union |insert |into" },
		{ "union|insert", "union|insert" },
		{ "colou?r", "colour|color" },
		{ "col(?:ou)?r", "colour|colr" },
		{ "x(?:a|bc)y", "xay|xbcy" },
		{ "[.]git", ".git" },
		{ "[$]\\{jndi:", "${jndi:" },
		{ "${jndi", "${jndi" },
		{ "a{2}bcdef", "abcdef" },
		{ "a{0,2}bcd", "bcd" },
		{ "ab*c+d", "cd" },
		{ "[^0-9]", "" },
		{ ".+", "" },
		{ "foo|", "" },
		{ "(foo)?", "" },
		{ "foo|[a-z]", "" },
		{ "(?i)FoO", "FoO" },
		{ "(?x) f o o # comment (\n bar", "foobar" },
		{ "(?x) [ ] a", " a" },
		{ "(?x) ab+ ?.", "" }, /* lazy, though the '?' stands apart */
		{ "(?x) ab+ +.", "" },
		{ "[a[:]foo", "" }, /* PCRE2 looks for an end of "[:" in a way of its own */
		{ "[[:alpha:]]foo", "foo" },
		{ "[a\\c]:[b]foo", "" },     /* the control byte of ']' does not end a class */
		{ "c['\\x5c]*a['\\x5c]*t", "cat|'|\\" },
		{ "foo(?=bar)", "foo" },
		{ "foo(?!bar)", "foo" },
		{ "(?<=x)foo", "foo" },
		{ "(?<n>foo)bar", "foobar" },
		{ "(?>foo)bar", "foobar" },
		{ "foo++bar", "obar" },
		{ "(foo)\\1", "foo" },
		{ "(?-i)foo", "" },   /* not read: nothing is claimed */
		{ "\\Qa|b\\E", "" },
		{ "a{,3}b", "" },
		{ "(*UTF)foo", "" },
		{ "foo(", "" },
		{ "[[:alpha:]]foo", "foo" },
		{ "[]a]foo", "]foo|afoo" },
		{ "\\bselect\\b", "select" },
		{ "\\x{3c}a", "<a" },
		{ "c(?:at\\s|mp[0-9])", "cat|cmp" },      /* how each begins, with what stands before */
		{ "s(?:s[0-9])+h", "ss" },
		{ "x(?:y[0-9])?z(?:a\\d|b\\d)q", "xy|xza|xzb" },
		{ "t['\"]*i['\"]*m['\"]*e.|['\"]", "\"|'|time" }, /* marks that another branch has are no cost */
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(8 << 20);
		struct literals l = literals_of(a, bytes_of(rows[i].expression), NULL);
		char room[256];
		struct bytes set = joined(room, l.at, l.n);

		if (!is_part(set, rows[i].set))
			fail_msg("%s: want %s, got %.*s", rows[i].expression, rows[i].set, BYTES_ARG(set));
		arena_free(a);
	}
}

static void what_else_every_match_needs_is_known_of_one_branch(void **state)
{
	static const struct {
		const char *expression, *also;
	} rows[] = {
		{ "(?:[;`]|\\|\\|)\\s*(?:cat|ls)\\b", ";|`|||" },
		{ "select.+from", "from" },
		{ "select.+sel", "" },   /* that is in the other anyway */
		{ "select.+from|union.+all", "" },
		{ "a(?:b.+c)?d.*xyz", "ad|ab" },
		{ "abc.*(?:def)?", "" },
		{ "abc.*(?=def)", "" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(8 << 20);
		struct literals l = literals_of(a, bytes_of(rows[i].expression), NULL);
		char room[256];
		struct bytes also = joined(room, l.also, l.nalso);

		if (!bytes_eq(also, bytes_of(rows[i].also)))
			fail_msg("%s: want also %s, got %.*s", rows[i].expression, rows[i].also, BYTES_ARG(also));
		arena_free(a);
	}
}

static void of_plain_matches_what_cannot_be_in_one_is_left_out(void **state)
{
	static const struct {
		const char *expression, *set; /* "never": no plain text matches */
	} rows[] = {
		{ "<script|javascript:", "javascript:" },
		{ "/etc/passwd", "never" },
		{ "a(?:b/)?c", "ac" },
		{ "a(?:b/)+c", "never" },
		{ "a(?:b/){0,3}c", "ac" },
		{ "union[\\s\\x0b]+select", " select" },
		{ "union\\sselect", "union select" },
		{ "[\\s;|]ls", " ls" },
		{ "[;|(-*]ls", "never" },
		{ "[^a-z0-9 ]", "" },           /* many are left */
		{ "[^\\w\\s.,:@+\\x80-\\xff]x", "-x" },
		{ "x[\\W]", "x" },
		{ "x[[:punct:]]", "x" },        /* not read: it may be anything */
		{ "x(?=/)", "x" },              /* what is looked at is no part of the match */
		{ "[a-\\d]x", "x" },
		{ "foo(", "" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(8 << 20);
		struct literals l = literals_of(a, bytes_of(rows[i].expression), plain_bytes);
		char room[256];
		struct bytes set = l.never ? BYTES("never") : joined(room, l.at, l.n);

		if (!is_part(set, rows[i].set))
			fail_msg("%s: want %s, got %.*s", rows[i].expression, rows[i].set, BYTES_ARG(set));
		arena_free(a);
	}
}

static void rare_bytes_are_preferred_to_common_ones(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct literals l = literals_of(a, BYTES("and .*'"), NULL);

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
		cmocka_unit_test(what_else_every_match_needs_is_known_of_one_branch),
		cmocka_unit_test(of_plain_matches_what_cannot_be_in_one_is_left_out),
		cmocka_unit_test(rare_bytes_are_preferred_to_common_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
