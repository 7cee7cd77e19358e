/* proxy/overrides: what is changed is what is read again, with who changed it. */
#include "tests/test.h"
#include "base/diff.h"
#include "proxy/overrides.h"

static struct yaml_doc *kept[64];
static size_t nkept;

/* A value as YAML, for as long as the test runs. */
static const struct yaml_node *value(const char *text)
{
	struct err e;
	struct yaml_doc *d = yaml_load(bytes_of(text), "value", &e);

	assert_non_null(d);
	assert_true(nkept < nelems(kept));
	kept[nkept++] = d;
	return yaml_root(d, 0);
}

static void forget(void)
{
	while (nkept)
		yaml_unload(kept[--nkept]);
}

static const struct bytes note = BYTES_INIT("by anna, T");

enum what { SET, ADD, DROP };
struct step { enum what what; const char *app, *key, *value; unsigned line; };

static bool take(struct overrides *o, const struct step *s, struct err *e)
{
	switch (s->what) {
	case SET: return overrides_set(o, bytes_of(s->app), s->key, s->value ? value(s->value) : NULL, note, e);
	case ADD: return overrides_add(o, bytes_of(s->app), s->key, value(s->value), note, e);
	case DROP: return overrides_drop(o, bytes_of(s->app), s->key, s->line, e);
	}
	return false;
}

#define HEAD "# What the API, the dashboard and ctl have changed: it stands over the configuration's own files.\n" \
	"# Comments on lines of their own stay with the entry below them.\n"

static void changes_are_printed_in_one_form(void **state)
{
	static const struct { const char *before; struct step step; const char *after; } rows[] = {
		{ "", { SET, "shop", "waf.mode", "detect", 0 },
		  HEAD "apps:\n  shop:\n    waf:\n      # by anna, T\n      mode: detect\n" },
		/* Short forms become long ones; who changed it before is replaced, other comments stay. */
		{ "# mine\napps:\n  shop:\n    # why\n    waf: detect\n", { SET, "shop", "waf.paranoia", "2", 0 },
		  "# mine\napps:\n  shop:\n    # why\n    waf:\n      mode: detect\n      # by anna, T\n      paranoia: 2\n" },
		{ "apps:\n  shop:\n    waf:\n      # a note\n      # by otto, S\n      mode: detect\n", { SET, "shop", "waf.mode", "block", 0 },
		  HEAD "apps:\n  shop:\n    waf:\n      # a note\n      # by anna, T\n      mode: block\n" },
		/* What is empty goes, as far as there is nothing else. */
		{ "# x\napps:\n  shop:\n    waf:\n      mode: detect\n    tarpit: 3s\n", { SET, "shop", "waf.mode", NULL, 0 },
		  "# x\napps:\n  shop:\n    tarpit: 3s\n" },
		{ "# x\napps:\n  shop:\n    waf:\n      mode: detect\n", { SET, "shop", "waf.mode", NULL, 0 }, "# x\napps: {}\n" },
		{ "# x\napps:\n  shop:\n    waf: off\n", { SET, "shop", "bots.mode", NULL, 0 }, "# x\napps:\n  shop:\n    waf: off\n" },
		{ "", { ADD, "shop", "exceptions", "{path: /a b, rules: [1, 2-3], reason: 'it''s'}", 0 },
		  HEAD "apps:\n  shop:\n    exceptions:\n      # by anna, T\n      - path: \"/a b\"\n        rules: [1, 2-3]\n"
		       "        reason: \"it's\"\n" },
		/* A list of one may lack its brackets. */
		{ "# x\napps: {shop: {exceptions: {path: /a, skip: all}}}", { ADD, "shop", "exceptions", "{path: /b, skip: all}", 0 },
		  "# x\napps:\n  shop:\n    exceptions:\n      - path: /a\n        skip: all\n      # by anna, T\n      - path: /b\n"
		  "        skip: all\n" },
		{ "# x\napps:\n  shop:\n    exceptions:\n      # by otto, S\n      - path: /a\n      - path: /b\n",
		  { DROP, "shop", "exceptions", NULL, 6 }, "# x\napps:\n  shop:\n    exceptions:\n      - path: /b\n" },
		{ "# x\napps:\n  shop:\n    exceptions:\n      - path: /a\n", { DROP, "shop", "exceptions", NULL, 5 }, "# x\napps: {}\n" },
		/* Names of apps may have dots. */
		{ "", { SET, "a.b", "under_attack.mode", "on", 0 },
		  HEAD "apps:\n  a.b:\n    under_attack:\n      # by anna, T\n      mode: on\n" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(4 << 20);
		struct err e = { 0 };
		struct overrides *o = overrides_read(a, bytes_of(rows[i].before), "o.yaml", &e);
		struct bytes got;

		if (!o || !take(o, &rows[i].step, &e))
			fail_msg("row %zu: %s", i, e.text);
		got = overrides_print(a, o);
		assert_non_null(got.at);
		assert_string_equal(got.at, rows[i].after);
		arena_free(a);
		forget();
	}
}

static void errors_name_the_place(void **state)
{
	static const struct { const char *before; struct step step; const char *error; } rows[] = {
		{ "apps: [", { SET, "shop", "waf.mode", "off", 0 }, "o.yaml:2:1: " },
		{ "[]", { SET, "shop", "waf.mode", "off", 0 }, "o.yaml:1:1: a list is not a mapping" },
		{ "a: 1\n---\nb: 1\n", { SET, "shop", "waf.mode", "off", 0 }, "o.yaml:3:1: a second document" },
		{ "apps: [shop]", { SET, "shop", "waf.mode", "off", 0 }, "o.yaml:1:7: apps: a list is not a mapping" },
		{ "apps: {shop: {exceptions: [{path: /a}]}}", { DROP, "shop", "exceptions", NULL, 2 }, "o.yaml:2:1: no entry" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(4 << 20);
		struct err e = { 0 };
		struct overrides *o = overrides_read(a, bytes_of(rows[i].before), "o.yaml", &e);

		assert_false(o && take(o, &rows[i].step, &e));
		if (strncmp(e.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("row %zu: %s", i, e.text);
		arena_free(a);
		forget();
	}
}

/* Whatever was written, what we print of it is printed again as it is, and holds the same. */
static void what_is_printed_reads_the_same(void **state)
{
	static const char *const texts[] = {
		"", "{}", "apps:\n", "apps: {a: {}, b: [], c: , d: '', \"e \": [], ? f : g}",
		"apps:\n  a: |\n    # not a comment\n    text\n  # a comment\n  b:\n    - - x\n      - [y, {z: 1}]\n    -\n    # deep\n    - k: v\n      # inner\n      l: w\n",
		"apps: {a: \"\\0\\x85\\u2028\\uFEFF\\U0001F600\\\"\\\\\\t\", b: 'é ü', c: '#x', d: '- x', e: '{', f: 'a: b', g: ' x ', h: '-', i: '...', j: '~'}",
		"# one\r\n\r\n# two\r\napps:\r\n  # three\r\n  a: 1\r\n# after\r\n",
		"apps:\n  a: [x, 'y, z', \"\", w]\n  b: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccccccc]\n",
	};

	(void)state;
	for (size_t i = 0; i < nelems(texts); i++) {
		struct arena *a = arena_new(4 << 20);
		struct err e = { 0 };
		struct overrides *o = overrides_read(a, bytes_of(texts[i]), "o.yaml", &e), *again;
		struct bytes once, twice;

		if (!o)
			fail_msg("%s: %s", texts[i], e.text);
		once = overrides_print(a, o);
		again = overrides_read(a, once, "o.yaml", &e);
		if (!again)
			fail_msg("%s gives %s: %s", texts[i], once.at, e.text);
		twice = overrides_print(a, again);
		assert_string_equal(once.at, twice.at);
		arena_free(a);
	}
}

static void one_exception_is_one_hunk(void **state)
{
	static const char before[] = "# x\napps:\n  a:\n    tarpit: 3s\n  shop:\n    waf:\n      mode: block\n  z:\n    tarpit: 3s\n";
	static const char want[] = "--- was\n+++ is\n@@ -5,5 +5,9 @@\n   shop:\n     waf:\n       mode: block\n+    exceptions:\n+      # by anna, T\n"
				   "+      - path: /a\n+        args: [body]\n   z:\n     tarpit: 3s\n";
	static const struct step step = { ADD, "shop", "exceptions", "{path: /a, args: [body]}", 0 };
	struct arena *a = arena_new(4 << 20);
	struct err e = { 0 };
	struct overrides *o = overrides_read(a, bytes_of(before), "o.yaml", &e);
	struct bytes d;

	(void)state;
	assert_true(o && take(o, &step, &e));
	d = diff_unified(a, "was", bytes_of(before), "is", overrides_print(a, o));
	assert_int_equal(d.len, strlen(want));
	assert_memory_equal(d.at, want, d.len);
	arena_free(a);
	forget();
}

static void the_maker_stands_above(void **state)
{
	static const char text[] = "apps:\n  # by otto, 2026-11-24T20:02:06.000Z\n  a:\n    # why, by the way\n    # by Smith, J., 2027\n    b: 1\n\n    c: 1\n";
	static const struct { unsigned line; const char *by, *made; } rows[] = {
		{ 1, "", "" }, { 3, "otto", "2026-11-24T20:02:06.000Z" }, { 6, "Smith, J.", "2027" }, { 8, "", "" }, { 99, "", "" },
	};
	struct arena *a = arena_new(1 << 16);
	struct bytes by, made, n = overrides_note(a, BYTES("a\nb"), 0);

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		overrides_maker(bytes_of(text), rows[i].line, &by, &made);
		assert_true(bytes_eq(by, bytes_of(rows[i].by)) && bytes_eq(made, bytes_of(rows[i].made)));
	}
	assert_true(bytes_eq(n, BYTES("by a\\x0ab, 1970-01-01T00:00:00.000Z")));
	arena_free(a);
}

static void too_much_is_refused(void **state)
{
	static char text[OVERRIDES_MAX + 2];
	struct arena *a = arena_new(64 << 20), *small = arena_new(16 << 10);
	struct err e = { 0 };
	struct overrides *o;

	(void)state;
	memset(text, '#', sizeof text - 1);
	assert_null(overrides_read(a, bytes_of(text), "o.yaml", &e));
	assert_string_equal(e.text, "o.yaml:1:1: larger than 512 KiB");
	text[OVERRIDES_MAX - 100] = '\0';
	memcpy(text, "apps: {a: '", 11);
	memcpy(text + OVERRIDES_MAX - 110, "'}", 3);
	assert_non_null(o = overrides_read(a, bytes_of(text), "o.yaml", &e));
	assert_non_null(overrides_print(a, o).at);
	memset(text + 11, '\x7f', OVERRIDES_MAX - 130); /* printed as four bytes each */
	assert_null(overrides_read(a, bytes_of(text), "o.yaml", &e)); /* nor is it YAML */
	memset(text, '\n', 32 << 10);
	text[32 << 10] = '\0';
	assert_null(overrides_read(small, bytes_of(text), "o.yaml", &e));
	assert_string_equal(e.text, "o.yaml:1:1: out of memory");
	arena_free(small);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_printed_in_one_form),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(one_exception_is_one_hunk),
		cmocka_unit_test(the_maker_stands_above),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
