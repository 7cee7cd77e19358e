/* YAML as a tree: places, bounds, and none of YAML 1.1's surprises. */
#include "tests/test.h"
#include "base/yaml.h"
#include <stdlib.h>
#include <unistd.h>

static struct yaml_doc *load(const char *text)
{
	struct err e = { 0 };
	struct yaml_doc *d = yaml_load(bytes_of(text), "t.yaml", &e);

	if (!d)
		fail_msg("does not load: %s", e.text);
	return d;
}

static void a_node_knows_its_place(void **state)
{
	struct yaml_doc *d = load("a: 1\nb:\n  - x\n  - {k: 'v'}\n");
	const struct yaml_node *b = yaml_get(yaml_root(d, 0), "b");
	const struct yaml_node *v = yaml_get(b->items[1], "k");

	(void)state;
	assert_int_equal(b->kind, YAML_SEQUENCE);
	assert_int_equal(b->n, 2);
	assert_bytes(b->items[0]->text, BYTES("x"));
	assert_false(b->items[0]->quoted);
	assert_true(v->quoted);
	assert_int_equal(v->where.line, 4);
	assert_int_equal(v->where.column, 9);
	assert_string_equal(v->where.file, "t.yaml");
	yaml_unload(d);
}

static void a_scalar_stays_what_was_written(void **state)
{
	static const char *const written[] = { "off", "no", "y", "1e3", "0x10", "1.20", "012", "~",
					       "null", "2026-11-24", "1:30" };
	struct yaml_doc *d;

	(void)state;
	for (size_t i = 0; i < nelems(written); i++) {
		d = load(written[i]);
		assert_int_equal(yaml_root(d, 0)->kind, YAML_SCALAR);
		assert_bytes(yaml_root(d, 0)->text, bytes_of(written[i]));
		assert_false(yaml_is_empty(yaml_root(d, 0)));
		yaml_unload(d);
	}
}

static void a_file_holds_many_documents(void **state)
{
	struct yaml_doc *d = load("# one\n---\na: 1\n---\nb: 2\n...\n---\n- c\n");

	(void)state;
	assert_int_equal(yaml_count(d), 3);
	assert_non_null(yaml_get(yaml_root(d, 1), "b"));
	assert_int_equal(yaml_root(d, 2)->kind, YAML_SEQUENCE);
	assert_null(yaml_root(d, 3));
	yaml_unload(d);
	d = load("# nothing but this\n");
	assert_int_equal(yaml_count(d), 0);
	yaml_unload(d);
}

static void an_empty_value_is_told_from_an_empty_text(void **state)
{
	struct yaml_doc *d = load("a:\nb: ''\n");

	(void)state;
	assert_true(yaml_is_empty(yaml_get(yaml_root(d, 0), "a")));
	assert_false(yaml_is_empty(yaml_get(yaml_root(d, 0), "b")));
	yaml_unload(d);
}

static void a_text_may_hold_nul(void **state)
{
	struct yaml_doc *d = load("\"a\\0b\"");

	(void)state;
	assert_bytes(yaml_root(d, 0)->text, ((struct bytes){ "a\0b", 3 }));
	yaml_unload(d);
}

static void what_is_refused_names_the_place(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n", "t.yaml:3:1: key 'a' is there twice, first in line 1" },
		{ "{x: 1, 'x': 2}", "t.yaml:1:8: key 'x' is there twice, first in line 1" },
		{ "a: &x 1\n",
		  "t.yaml:1:4: a text that starts with & needs quotes (anchors are not allowed: x)" },
		{ "a: *x\n",
		  "t.yaml:1:4: a text that starts with * needs quotes (aliases are not allowed)" },
		{ "a: *.php\n",
		  "t.yaml:1:4: a text that starts with * needs quotes (aliases are not allowed)" },
		{ "a: !!str 1\n", "t.yaml:1:4: tags are not allowed (tag:yaml.org,2002:str)" },
		{ "a:\n  <<: {b: 1}\n", "t.yaml:2:3: merge keys (<<) are not allowed" },
		{ "[a]: 1\n", "t.yaml:1:1: a key must be a text, not a list" },
		{ "a: [1, 2\nb: 3\n", "t.yaml:2:2: did not find expected ',' or ']' while "
				      "parsing a flow sequence that starts in line 1" },
		{ "a: [:80]\n", "t.yaml:1:5: did not find expected node content while parsing a flow node "
				"(a text that starts with : needs quotes here)" },
		{ "a: 'x\n", "t.yaml:2:1: found unexpected end of stream while scanning a quoted "
			     "scalar that starts in line 1" },
		{ "\tb: 1\n", "t.yaml:1:1: found character that cannot start any token while "
			      "scanning for the next token" },
		{ "a: 1\nbc\xff: 1\n", "t.yaml:2:3: invalid leading UTF-8 octet" },
		{ "a: \x01\n", "t.yaml:1:4: control characters are not allowed" },
		{ "\"\\e[31mred\": 1\n\"\\e[31mred\": 2\n",
		  "t.yaml:2:1: key '?[31mred' is there twice, first in line 1" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct err e = { 0 };

		assert_null(yaml_load(bytes_of(cases[i].text), "t.yaml", &e));
		assert_string_equal(e.text, cases[i].error);
		assert_int_equal(e.side, SIDE_CONFIG);
	}
}

/* n times `piece` behind `head`; the caller frees. */
static struct bytes repeated(const char *head, const char *piece, size_t n)
{
	size_t h = strlen(head), p = strlen(piece);
	char *at = malloc(h + n * p + 1);

	assert_non_null(at);
	memcpy(at, head, h);
	for (size_t i = 0; i < n; i++)
		memcpy(at + h + i * p, piece, p);
	return (struct bytes){ at, h + n * p };
}

static void bounds_end_in_an_error(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t n;
		const char *error;
	} cases[] = {
		{ "", "[", 5000, "t.yaml:1:33: nested more than 32 deep" },
		{ "", "- ", 5000, "t.yaml:1:65: nested more than 32 deep" },
		{ "", "{a: ", 5000, "t.yaml:1:129: nested more than 32 deep" },
		{ "", "- a\n", YAML_MAX_NODES, "t.yaml:200000:3: too large: more than 200000 values" },
		{ "", "%TAG !a! b\n", 101, "t.yaml:101:1: more than 100 times %TAG" },
		{ "", "# 7890\n", YAML_MAX_BYTES / 7 + 1, "t.yaml:1:1: larger than 4 MiB" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct bytes text = repeated(cases[i].head, cases[i].piece, cases[i].n);
		struct err e = { 0 };

		assert_null(yaml_load(text, "t.yaml", &e));
		assert_string_equal(e.text, cases[i].error);
		free((char *)text.at);
	}
}

static void a_long_name_leaves_room_for_the_error(void **state)
{
	struct bytes name = repeated("", "dir/", 100);
	struct err e = { 0 };
	char *s = strndup(name.at, name.len);

	(void)state;
	assert_null(yaml_load(BYTES("a: *x"), s, &e));
	assert_non_null(strstr(e.text, "dir/:1:4: a text that starts with * needs quotes"));
	free(s);
	free((char *)name.at);
}

static void files_that_are_none_are_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(yaml_load_file("/nonexistent/x.yaml", &e));
	assert_string_equal(e.text, "/nonexistent/x.yaml:1:1: cannot open: No such file or directory");
	assert_null(yaml_load_file("/dev/zero", &e));
	assert_string_equal(e.text, "/dev/zero:1:1: not a regular file");
	assert_null(yaml_load_file("/tmp", &e));
	assert_string_equal(e.text, "/tmp:1:1: not a regular file");
}

static void a_file_loads_as_its_text(void **state)
{
	char path[] = "/tmp/embergate-yaml-XXXXXX";
	int fd = mkstemp(path);
	struct err e = { 0 };
	struct yaml_doc *d;

	(void)state;
	assert_int_equal(write(fd, "a: b\n", 5), 5);
	close(fd);
	d = yaml_load_file(path, &e);
	unlink(path);
	assert_non_null(d);
	assert_bytes(yaml_source(d), BYTES("a: b\n"));
	assert_bytes(yaml_get(yaml_root(d, 0), "a")->text, BYTES("b"));
	yaml_unload(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_knows_its_place),
		cmocka_unit_test(a_scalar_stays_what_was_written),
		cmocka_unit_test(a_file_holds_many_documents),
		cmocka_unit_test(an_empty_value_is_told_from_an_empty_text),
		cmocka_unit_test(a_text_may_hold_nul),
		cmocka_unit_test(what_is_refused_names_the_place),
		cmocka_unit_test(bounds_end_in_an_error),
		cmocka_unit_test(a_long_name_leaves_room_for_the_error),
		cmocka_unit_test(files_that_are_none_are_refused),
		cmocka_unit_test(a_file_loads_as_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
