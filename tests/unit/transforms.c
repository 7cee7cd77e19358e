/* transforms.c -- transformations do what ModSecurity's vectors say, and what
 * the table says of them holds. */
#include "tests/vectors.h"
#include "rules/transforms.h"
#include "rules/unicode_map.h"

static struct bytes applied(struct arena *a, const char *name, struct bytes in)
{
	const struct transform *t = transform_find(bytes_of(name));

	if (!t)
		fail_msg("no transformation is named %s", name);
	return t->fn(a, in);
}

static void modsecurity_vectors_pass(void **state)
{
	static struct vectors all;
	struct arena *a = arena_new(64 << 20);
	struct bytes rest = vectors_text(a, "modsec-unit-tests/transformations/*.json");
	size_t passed = 0, files = 0;

	(void)state;
	if (!rest.len) {
		print_message("skipped: %s is not there\n", VECTORS_ARCHIVE);
		arena_free(a);
		skip();
	}
	for (; vectors_next(a, &rest, &all); files++)
		for (size_t i = 0; i < all.n; i++, passed++)
			assert_bytes(applied(a, arena_str(a, all.at[i].name), all.at[i].input), all.at[i].output);
	print_message("%zu vectors in %zu files\n", passed, files);
	assert_int_equal(passed, 376);
	assert_int_equal(files, 35);
	arena_free(a);
}

static void decodes_what_attackers_encode(void **state)
{
	static const struct { const char *name, *in, *out; } cases[] = {
		{ "urlDecodeUni", "%uff1cscript%uFF1E", "<script>" },
		{ "urlDecodeUni", "%u2039%u02bc%u201d%u2215%u2028", "<'\"/(" },
		{ "urlDecodeUni", "%u0141%u0131ke%u3000%u212a", "Like K" },
		{ "urlDecodeUni", "%u003c%u00", "<%u00" },
		{ "urlDecode", "%u003c%41", "%u003cA" },
		{ "htmlEntityDecode", "&lt;script&gt", "<script>" },
		{ "htmlEntityDecode", "&ltscript&NewLine;", "&ltscript&NewLine;" },
		{ "htmlEntityDecodeAll", "&ltscript&gt", "<script>" },
		{ "htmlEntityDecodeAll", "javascript&colon;&lpar;1&rpar;&Tab;", "javascript:(1)\t" },
		{ "htmlEntityDecode", "&#x0000000003c;&#000000060&#X3E", "<<>" },
		{ "htmlEntityDecode", "&colonx &copy; &amp;lt; &", "&colonx &copy; &lt; &" },
		{ "jsDecode", "\\u003c\\x3c\\74\\uff1c\\477", "<<<<'7" },
		{ "cssDecode", "j\\00061vascript\\3a  x", "javascript: x" },
		{ "base64Decode", "PHNjcmlwdD4", "<script>" },
		{ "base64Decode", "PHNj\r\ncmlwdD4=junk", "<script>" },
		{ "base64Decode", "PHNj cmlw", "<sc" },
		{ "base64DecodeExt", "P H.N~jcmlwdD4=", "<script>" },
		{ "sqlHexDecode", "x=0X756e696f6e 0x4", "x=union 0x4" },
		{ "utf8toUnicode", "\xc0\xbc\xf0\x9f\x98\x80\xc3", "%u003c%u1f600\xc3" },
		{ "cmdLine", "C:\\WINDOWS\\cmd.exe  ;;/c \"d^ir\"", "c:windowscmd.exe/c dir" },
		{ "normalizePath", "/a/./b/../../../etc//passwd", "/etc/passwd" },
		{ "normalizePath", "/a/foo../b", "/a/foo../b" },
		{ "normalizePath", "/..", "/" },
		{ "normalizePathWin", "..\\..\\x\\", "../../x/" },
		{ "removeWhitespace", "a\xc2\xa0 b\t", "ab" },
		{ "removeComments", "1/**/union--x", "1union" },
		{ "replaceComments", "UN/**/ION/*", "UN ION " },
		{ "uppercase", "aZ1\xe4", "AZ1\xe4" },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		assert_bytes(applied(a, cases[i].name, bytes_of(cases[i].in)), bytes_of(cases[i].out));
	arena_free(a);
}

static void unchanged_is_the_very_same_slice(void **state)
{
	static const char *const values[] = { "", "plain", "a%zz&b;\\", "a b", "/a.b/", "0z-*#<", "%", "&#;" };
	struct arena *a = arena_new(8 << 20);

	(void)state;
	for (size_t i = 0; i < transform_count(); i++)
		for (size_t k = 0; k < nelems(values); k++) {
			const struct transform *t = transform_at(i);
			struct bytes in = bytes_of(values[k]), out = t->fn(a, in);

			if (bytes_eq(in, out) && in.at != out.at)
				fail_msg("%s copied %s", t->name, values[k]);
			if (!transform_may_change(t, transform_traits(in)) && !bytes_eq(in, out))
				fail_msg("%s: the traits of \"%s\" say it cannot change", t->name, values[k]);
		}
	arena_free(a);
}

/* Each byte alone, between letters and beside a blank: the traits may not rule out a change. */
static void traits_rule_out_no_change(void **state)
{
	struct arena *a = arena_new(64 << 20);

	(void)state;
	for (size_t i = 0; i < transform_count(); i++)
		for (unsigned c = 0; c < 256; c++) {
			const struct transform *t = transform_at(i);
			char texts[2][5] = { { 'a', (char)c, (char)c, (char)c, 'b' }, { 'a', ' ', (char)c, ' ', 'b' } };

			for (size_t n = 1; n <= 2 * sizeof texts[0]; n++) {
				struct bytes in = { texts[n & 1], (n + 1) / 2 }, out = t->fn(a, in);

				assert_true(out.len <= in.len * t->grow + t->plus);
				if (!bytes_eq(in, out) && !transform_may_change(t, transform_traits(in)))
					fail_msg("%s changes %02x", t->name, c);
			}
		}
	arena_free(a);
}

static void past_the_cap_there_is_no_value(void **state)
{
	struct arena *a = arena_new(1);
	static char big[1 << 20];

	(void)state;
	memset(big, '%', sizeof big);
	assert_null(applied(a, "urlDecode", (struct bytes){ big, sizeof big }).at);
	arena_free(a);
}

static void names_are_found_in_every_spelling(void **state)
{
	static const struct { const char *in, *name; } cases[] = {
		{ "urlDecodeUni", "urlDecodeUni" }, { "URLDECODEUNI", "urlDecodeUni" },
		{ "url_decode_uni", "urlDecodeUni" }, { "normalisePath", "normalizePath" },
		{ "normalize_path", "normalizePath" }, { "b64decode", "base64Decode" },
		{ "html_entity_decode", "htmlEntityDecode" }, { "htmlEntitydecode", "htmlEntityDecode" },
		{ "cmd_line", "cmdLine" }, { "lowercase", "lowercase" }, { "trim", "trim" },
		{ "urldecode", "urlDecode" }, { "hexdecode", "hexDecode" }, { "length", "length" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		assert_string_equal(transform_find(bytes_of(cases[i].in))->name, cases[i].name);
	assert_null(transform_find(BYTES("url")));
	assert_null(transform_find(BYTES("")));
	assert_null(transform_find(BYTES("urlDecodeUnix")));
	assert_string_equal(transform_nearest(BYTES("lowercse")), "lowercase");
	assert_null(transform_nearest(BYTES("rot13")));
}

static void a_mapping_file_is_read_and_checked(void **state)
{
	static const struct { const char *text; bool ok; } files[] = {
		{ "(MAC)\n\n20127 (US-ASCII)\r\n00a0:20 00a1:21 1234:41 \r\n\n1250 (x)\n", true },
		{ "20127 (US-ASCII)", false }, { "1250 (x)\n00a0:20\n", false }, { "", false },
		{ "20127 (US-ASCII)\n00a0=20\n", false }, { "20127 (US-ASCII)\n00a0:2\n", false },
	};
	char path[] = "/tmp/unicode-map-XXXXXX";
	int fd = mkstemp(path);
	struct arena *a = arena_new(8 << 20);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < nelems(files); i++) {
		FILE *f = fopen(path, "w");
		struct err e = { 0 };
		const struct unicode_map *m;

		fputs(files[i].text, f);
		fclose(f);
		m = unicode_map_load(a, path, 20127, &e);
		assert_int_equal(m != NULL, files[i].ok);
		assert_int_equal(e.text[0] == '\0', files[i].ok);
		if (m) {
			assert_int_equal(unicode_map_fit(m, 0x1234), 'A');
			assert_int_equal(unicode_map_fit(m, 0xff1c), '<');
		}
	}
	arena_free(a);
	remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modsecurity_vectors_pass),
		cmocka_unit_test(decodes_what_attackers_encode),
		cmocka_unit_test(unchanged_is_the_very_same_slice),
		cmocka_unit_test(traits_rule_out_no_change),
		cmocka_unit_test(past_the_cap_there_is_no_value),
		cmocka_unit_test(names_are_found_in_every_spelling),
		cmocka_unit_test(a_mapping_file_is_read_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
