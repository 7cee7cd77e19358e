/* transforms.c -- transformations do what ModSecurity's vectors say, and what
 * the table says of them holds. */
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>
#include "rules/body/body.h"
#include "rules/transforms.h"
#include "rules/unicode_map.h"

static struct bytes applied(struct arena *a, const char *name, struct bytes in)
{
	const struct transform *t = transform_find(bytes_of(name));

	if (!t)
		fail_msg("no transformation is named %s", name);
	return t->fn(a, in);
}

struct vector {
	struct bytes name, input, output;
};

struct vectors {
	struct vector at[64];
	size_t n;
};

/* json.7.input = ... */
static bool take_vector(void *owner, const struct body_value *v)
{
	struct vectors *all = owner;
	struct bytes rest = bytes_from(v->name, strlen("json.")), index;
	uint64_t i = 0;

	assert_true(bytes_cut(&rest, '.', &index) && bytes_u64(index, &i) && i < nelems(all->at));
	all->n = i + 1;
	if (bytes_eq(rest, BYTES("name")))
		all->at[i].name = v->value;
	else if (bytes_eq(rest, BYTES("input")))
		all->at[i].input = v->value;
	else if (bytes_eq(rest, BYTES("output")))
		all->at[i].output = v->value;
	return true;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

/* Leading hexadecimal digits, as sscanf reads them. */
static char loose_hex(const char *p, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n && byte_hex(p[i]) >= 0; i++)
		v = v << 4 | (unsigned)byte_hex(p[i]);
	return (char)v;
}

/* The vectors write bytes as \xNN and \uNNNN inside their strings. A NUL of
 * JSON's own ends one: the harness that they come from reads C strings, and
 * what stands behind in one of them contradicts itself. */
static struct bytes unmasked(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len + 1);
	size_t n = 0;

	in = bytes_sub(in, 0, bytes_index(in, '\0'));
	for (size_t i = 0; i < in.len; i++) {
		size_t digits = 0, want = 0;

		if (in.at[i] == '\\' && i + 1 < in.len)
			want = in.at[i + 1] == 'x' ? 2 : in.at[i + 1] == 'u' ? 4 : 0;
		while (digits < want && i + 2 + digits < in.len && is_alnum(in.at[i + 2 + digits]))
			digits++;
		if (want && digits == want) {
			out[n++] = loose_hex(in.at + i + 2, want);
			i += 1 + want;
		} else {
			out[n++] = in.at[i];
		}
	}
	return (struct bytes){ out, n };
}

static char *vectors_text(size_t *len)
{
	static const char command[] = "tar -xJOf '" SOURCE_DIR
		"/../shared/vectors/modsec-unit-tests.tar.xz' modsec-unit-tests/transformations 2>/dev/null";
	size_t cap = 1 << 20;
	char *at = malloc(cap);
	FILE *tar = popen(command, "r");

	*len = tar ? fread(at, 1, cap, tar) : 0;
	if (tar)
		pclose(tar);
	return at;
}

static void check_file(struct arena *a, struct bytes json, size_t *passed)
{
	static const struct body_sink sink = { take_vector, NULL };
	struct vectors all = { .n = 0 };
	struct body_setup s = { .sink = &sink, .owner = &all };
	struct body *b = body_new(a, &body_json, &s);

	body_push(b, json);
	assert_int_equal(body_end(b), FAULT_NONE);
	for (size_t i = 0; i < all.n; i++) {
		struct bytes in = unmasked(a, all.at[i].input);
		char *name = arena_str(a, all.at[i].name);

		assert_bytes(applied(a, name, in), unmasked(a, all.at[i].output));
		++*passed;
	}
}

static void modsecurity_vectors_pass(void **state)
{
	struct arena *a = arena_new(64 << 20);
	size_t len, passed = 0, end;
	char *text = vectors_text(&len);
	struct bytes rest = { text, len };

	(void)state;
	if (len == 0) {
		print_message("skipped: ../shared/vectors/modsec-unit-tests.tar.xz is not there\n");
		free(text);
		arena_free(a);
		skip();
	}
	/* one array a file, each closed by a line of its own */
	while ((end = bytes_find(rest, BYTES("\n]"))) != SIZE_MAX) {
		check_file(a, bytes_sub(rest, 0, end + 2), &passed);
		rest = bytes_from(rest, end + 2);
	}
	print_message("%zu vectors\n", passed);
	assert_int_equal(passed, 376);
	arena_free(a);
	free(text);
}

static void decodes_what_attackers_encode(void **state)
{
	static const struct { const char *name, *in, *out; } cases[] = {
		{ "urlDecodeUni", "%uff1cscript%uFF1E", "<script>" },
		{ "urlDecodeUni", "%u2039%u02bc%u201d%u2215%u2028", "<'\"/(" },
		{ "urlDecodeUni", "%u0141%u0131ke%u3000%u212a", "Like K" },
		{ "urlDecodeUni", "%u003c%u00", "<%u00" },
		{ "urlDecode", "%u003c%41", "%u003cA" },
		{ "htmlEntityDecode", "&ltscript&gt", "<script>" },
		{ "htmlEntityDecode", "javascript&colon;&lpar;1&rpar;&Tab;", "javascript:(1)\t" },
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

/* Each byte alone and between letters: the traits may not rule out a change. */
static void traits_rule_out_no_change(void **state)
{
	struct arena *a = arena_new(64 << 20);

	(void)state;
	for (size_t i = 0; i < transform_count(); i++)
		for (unsigned c = 0; c < 256; c++) {
			const struct transform *t = transform_at(i);
			char text[5] = { 'a', (char)c, (char)c, (char)c, 'b' };

			for (size_t n = 1; n <= sizeof text; n++) {
				struct bytes in = { text, n }, out = t->fn(a, in);

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
