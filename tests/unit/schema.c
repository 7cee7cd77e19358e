/* Tables read mappings; what does not fit is named with its place. */
#include "tests/test.h"
#include "base/ip.h"
#include "base/schema_type.h"
#include <stdlib.h>

enum colour { RED, GREEN };

struct pair {
	struct bytes name, value;
	struct where where;
};

struct inner {
	uint32_t wait_ms;
	bool on;
};

struct thing {
	bool flag;
	uint32_t wait_ms, count, per_ms;
	uint16_t port;
	uint64_t size, until_s;
	enum colour colour;
	struct bytes title;
	const char *path, *secret;
	struct ip_net *from;
	size_t nfrom;
	struct bytes *words;
	size_t nwords;
	struct pair *pairs;
	size_t npairs;
	struct inner inner;
	bool ended;
};

static const struct schema_word colours[] = {
	{ "red", RED, false }, { "green", GREEN, false }, { "blue", 0, true }, { 0 },
};

static const struct schema_word automatic[] = { { "auto", 0, false }, { 0 } };

static const struct schema_row inner_rows[] = {
	{ .key = "wait", .type = &schema_duration, SCHEMA_FIELD(inner, wait_ms), .unset = "3s",
	  .help = "how long" },
	{ .key = "on", .type = &schema_bool, SCHEMA_FIELD(inner, on), .help = "whether" },
};

static const struct schema_table inner_table = {
	.name = "inner", .help = "Inside.", .rows = inner_rows, .n = nelems(inner_rows), .shorthand = "on",
};

static const struct schema_row pair_rows[] = {
	{ .type = &schema_name, SCHEMA_FIELD(pair, name) },
	{ .type = &schema_place, SCHEMA_FIELD(pair, where) },
	{ .key = "value", .type = &schema_text, SCHEMA_FIELD(pair, value), .needed = true,
	  .help = "the value" },
	{ .key = "later", .type = &schema_reserved },
};

static const struct schema_table pair_table = {
	.name = "pair", .help = "Two.", .rows = pair_rows, .n = nelems(pair_rows), .shorthand = "value",
};

static const struct schema_row thing_rows[] = {
	{ .key = "flag", .type = &schema_bool, SCHEMA_FIELD(thing, flag), .unset = "on", .help = "a flag" },
	{ .key = "wait", .type = &schema_duration, SCHEMA_FIELD(thing, wait_ms), .min = 1000,
	  .max = 3600000, .unset = "1m", .help = "a time" },
	{ .key = "port", .type = &schema_int, SCHEMA_FIELD(thing, port), .min = 1, .max = 65535,
	  .words = automatic, .unset = "auto", .help = "a port" },
	{ .key = "size", .type = &schema_size, SCHEMA_FIELD(thing, size), .max = 1 << 20, .help = "bytes" },
	{ .key = "until", .type = &schema_date, SCHEMA_FIELD(thing, until_s), .help = "a date" },
	{ .key = "rate", .type = &schema_rate, SCHEMA_FIELDS(thing, count, per_ms), .help = "a rate" },
	{ .key = "colour", .type = &schema_enum, .words = colours, SCHEMA_FIELD(thing, colour),
	  .unset = "green", .help = "a colour" },
	{ .key = "title", .type = &schema_text, SCHEMA_FIELD(thing, title), .max = 8, .help = "a title" },
	{ .key = "path", .type = &schema_path, SCHEMA_FIELD(thing, path), .help = "a file" },
	{ .key = "secret", .type = &schema_secret, SCHEMA_FIELD(thing, secret), .help = "a secret" },
	{ .key = "from", .type = &schema_nets, SCHEMA_FIELDS(thing, from, nfrom), .help = "who" },
	{ .key = "words", .type = &schema_text, SCHEMA_ITEMS(thing, words, nwords), .unset = "a, b",
	  .help = "words" },
	{ .key = "pairs", .type = &schema_nested, .table = &pair_table,
	  SCHEMA_NAMED(thing, pairs, npairs), .help = "pairs" },
	{ .key = "inner", .type = &schema_nested, .table = &inner_table, SCHEMA_FIELD(thing, inner),
	  .help = "inside" },
	{ .key = "note", .type = &schema_text, .help = "kept nowhere" },
	{ .key = "soon", .type = &schema_reserved },
};

static bool thing_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct thing *t = out;

	t->ended = true;
	return t->count != 13 || schema_err(s, schema_at(n, "rate"), "not thirteen");
}

static const struct schema_table thing_table = {
	.name = "thing", .help = "A thing.", .rows = thing_rows, .n = nelems(thing_rows), .end = thing_end,
};

struct reading {
	struct yaml_doc *doc;
	struct arena *arena;
	struct err err;
	struct thing thing;
	bool ok;
};

static struct reading read_text(const char *text)
{
	struct reading r = { .arena = arena_new(1 << 20) };
	struct schema s = { .arena = r.arena, .err = &r.err };

	r.doc = yaml_load(bytes_of(text), "etc/t.yaml", &r.err);
	assert_non_null(r.doc);
	assert_non_null(r.arena);
	r.ok = schema_read(&s, &thing_table, yaml_root(r.doc, 0), &r.thing);
	assert_true(!r.ok || s.path_len == 0);
	return r;
}

static void done(struct reading *r)
{
	arena_free(r->arena);
	yaml_unload(r->doc);
}

static void defaults_are_read_as_if_written(void **state)
{
	struct reading r = read_text("title: x\n");

	(void)state;
	assert_true(r.ok);
	assert_true(r.thing.flag);
	assert_int_equal(r.thing.wait_ms, 60000);
	assert_int_equal(r.thing.port, 0);
	assert_int_equal(r.thing.colour, GREEN);
	assert_int_equal(r.thing.nwords, 2);
	assert_bytes(r.thing.words[1], BYTES("b"));
	assert_int_equal(r.thing.inner.wait_ms, 3000);
	assert_null(r.thing.path);
	assert_true(r.thing.ended);
	done(&r);
}

static void every_type_reaches_its_field(void **state)
{
	struct reading r = read_text("flag: off\nwait: 1m30s\nport: 8080\nsize: 2KiB\n"
				     "until: 2027-01-31\nrate: 5/min\ncolour: red\ntitle: off\n"
				     "path: a/b\nsecret: file:key\nfrom: [10.1.2.3/8, loopback]\n"
				     "words: [x]\npairs: {p: {value: v}, q: w}\ninner: {on: true}\n"
				     "note: no\n");
	struct thing *t = &r.thing;

	(void)state;
	assert_true(r.ok);
	assert_false(t->flag);
	assert_int_equal(t->wait_ms, 90000);
	assert_int_equal(t->port, 8080);
	assert_int_equal(t->size, 2048);
	assert_int_equal(t->until_s, 1801440000); /* 2027-02-01T00:00:00Z */
	assert_int_equal(t->count, 5);
	assert_int_equal(t->per_ms, 60000);
	assert_int_equal(t->colour, RED);
	assert_bytes(t->title, BYTES("off"));
	assert_string_equal(t->path, "etc/a/b");
	assert_string_equal(t->secret, "file:etc/key");
	assert_int_equal(t->nfrom, 3);
	assert_int_equal(t->from[0].bits, 96 + 8);
	assert_int_equal(t->nwords, 1);
	assert_int_equal(t->npairs, 2);
	assert_bytes(t->pairs[0].name, BYTES("p"));
	assert_bytes(t->pairs[1].name, BYTES("q"));
	assert_bytes(t->pairs[1].value, BYTES("w"));
	assert_int_equal(t->pairs[1].where.line, 13);
	assert_int_equal(t->pairs[1].where.column, 24);
	assert_true(t->inner.on);
	assert_int_equal(t->inner.wait_ms, 3000);
	done(&r);
}

static void one_value_is_a_list_of_one(void **state)
{
	struct reading r = read_text("words: x\nfrom: ::1\ninner: on\n");

	(void)state;
	assert_true(r.ok);
	assert_int_equal(r.thing.nwords, 1);
	assert_bytes(r.thing.words[0], BYTES("x"));
	assert_int_equal(r.thing.nfrom, 1);
	assert_true(r.thing.inner.on);
	done(&r);
}

static void an_empty_value_leaves_lists_and_mappings_empty(void **state)
{
	struct reading r = read_text("words:\nfrom:\npairs:\ninner:\n");

	(void)state;
	assert_true(r.ok);
	assert_int_equal(r.thing.nwords, 0);
	assert_int_equal(r.thing.nfrom, 0);
	assert_int_equal(r.thing.npairs, 0);
	assert_int_equal(r.thing.inner.wait_ms, 3000);
	done(&r);
}

static void an_error_names_place_path_and_cause(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "fleg: on", "1:1: unknown key 'fleg', did you mean 'flag'?" },
		{ "pairs:\n  p: {valeu: v}", "2:7: pairs.p: unknown key 'valeu', did you mean 'value'?" },
		{ "inner: {zzz: 1}", "1:9: inner: unknown key 'zzz'; known are wait, on" },
		{ "soon: 1", "1:1: 'soon' is not built yet" },
		{ "pairs: {p: {later: 1}}", "1:13: pairs.p: 'later' is not built yet" },
		{ "pairs: {p: {}}", "1:9: pairs.p: 'value' is missing: the value" },
		{ "pairs: [p]", "1:8: pairs: a list is not a mapping of keys to values" },
		{ "[a]", "1:1: a list is not a mapping of keys to values" },
		{ "flag: yes", "1:7: flag: 'yes' is not on or off" },
		{ "flag:", "1:6: flag: needs a value: on or off" },
		{ "wait: 5",
		  "1:7: wait: '5' is not a duration; write for example 250ms, 30s, 5m or 1h30m" },
		{ "wait: 10ms", "1:7: wait: 10ms is below 1s" },
		{ "wait: 1d", "1:7: wait: 1d is above 1h" },
		{ "port: 70000", "1:7: port: 70000 is above 65535" },
		{ "port: 0", "1:7: port: 0 is below 1" },
		{ "port: -1", "1:7: port: '-1' is not a whole number" },
		{ "size: 2MiB", "1:7: size: 2MiB is above 1MiB" },
		{ "size: 99999999999999999999TB", "1:7: size: '99999999999999999999TB' is not a size; "
						   "write for example 4096, 256KiB or 2GB" },
		{ "rate: 5/fortnight", "1:7: rate: '5/fortnight' is not a rate; write for example "
				       "5/min, 100/s or 1000/h" },
		{ "rate: 0/s", "1:7: rate: '0/s' is not a rate; write for example 5/min, 100/s or 1000/h" },
		{ "rate: 13/s", "1:7: not thirteen" },
		{ "until: 2027-02-30", "1:8: until: '2027-02-30' is not a date; write for example "
				       "2027-01-31 or 2027-01-31T18:00:00Z" },
		{ "colour: gren", "1:9: colour: unknown word 'gren', did you mean 'green'?" },
		{ "colour: blue", "1:9: colour: 'blue' is not built yet" },
		{ "colour: [red]", "1:9: colour: a list is not a word" },
		{ "title: ''", "1:8: title: '' is not a text of one line" },
		{ "title: \"a\\0b\"", "1:8: title: 'a' is not a text of one line" },
		{ "title: 123456789", "1:8: title: longer than 8 bytes" },
		{ "secret: hunter2", "1:9: secret: is not a reference to a secret; write env:NAME, "
				     "file:PATH or cred:NAME" },
		{ "from: [privat]", "1:8: from: 'privat' is no address, did you mean 'private'?" },
		{ "words: [a, [b]]", "1:12: words[1]: a list is not a text of one line" },
		{ "words: {a: b}", "1:8: words: a mapping is not a text of one line" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct reading r = read_text(cases[i].text);

		assert_false(r.ok);
		assert_memory_equal(r.err.text, "etc/t.yaml:", 11);
		assert_string_equal(r.err.text + 11, cases[i].error);
		done(&r);
	}
}

static void numbers_are_read_exactly(void **state)
{
	static const struct {
		const struct schema_type *type;
		const char *text;
		bool ok;
		uint64_t n;
	} cases[] = {
		{ &schema_size, "0", true, 0 },
		{ &schema_size, "12B", true, 12 },
		{ &schema_size, "1KB", true, 1000 },
		{ &schema_size, "1kib", true, 1024 },
		{ &schema_size, "2GB", true, 2000000000 },
		{ &schema_size, "16777215TiB", true, (uint64_t)16777215 << 40 },
		{ &schema_size, "16777216TiB", false, 0 },
		{ &schema_size, "1.5GB", false, 0 },
		{ &schema_size, "GB", false, 0 },
		{ &schema_size, "-1", false, 0 },
		{ &schema_size, "1 KB", false, 0 },
		{ &schema_size, "1Mb5", false, 0 },
		{ &schema_duration, "0", true, 0 },
		{ &schema_duration, "250ms", true, 250 },
		{ &schema_duration, "1h30m", true, 5400000 },
		{ &schema_duration, "1m1ms", true, 60001 },
		{ &schema_duration, "2d", true, 172800000 },
		{ &schema_duration, "", false, 0 },
		{ &schema_duration, "5", false, 0 },
		{ &schema_duration, "5m3", false, 0 },
		{ &schema_duration, "5min", false, 0 },
		{ &schema_duration, "1s 2s", false, 0 },
		{ &schema_duration, "213503982335d", false, 0 },
		{ &schema_duration, "18446744073709551615ms1ms", false, 0 },
		{ &schema_date, "1970-01-01", true, 86400 },
		{ &schema_date, "2027-01-31T18:00:01Z", true, 1801418401 },
		{ &schema_date, "2028-02-29", true, 1835481600 },
		{ &schema_date, "2027-02-29", false, 0 },
		{ &schema_date, "2027-13-01", false, 0 },
		{ &schema_date, "2027-01-31T24:00:00Z", false, 0 },
		{ &schema_date, "2027-1-31", false, 0 },
		{ &schema_date, "0000-00-00", false, 0 },
		{ &schema_bool, "on", true, 1 },
		{ &schema_bool, "false", true, 0 },
		{ &schema_bool, "On", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		uint64_t n = 0;
		bool ok = cases[i].type->number(bytes_of(cases[i].text), &n);

		if (ok != cases[i].ok || (ok && n != cases[i].n))
			fail_msg("'%s' gives %d, %llu", cases[i].text, ok, (unsigned long long)n);
	}
}

static void what_is_shown_reads_back(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 999, 1000, 1024, 60000, 90000, 86400000, 5000000000,
					    (uint64_t)3 << 40 };
	static const struct schema_type *const types[] = { &schema_size, &schema_duration, &schema_int };

	(void)state;
	for (size_t t = 0; t < nelems(types); t++)
		for (size_t i = 0; i < nelems(numbers); i++) {
			char shown[32];
			uint64_t n = 1;

			types[t]->show(shown, sizeof shown, numbers[i]);
			assert_true(types[t]->number(bytes_of(shown), &n));
			assert_int_equal(n, numbers[i]);
		}
}

static void the_nearest_name_is_near(void **state)
{
	static const char *const names[] = { "hosts", "listen", "upstream", "limits" };
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{ "hots", "hosts" },       { "host", "hosts" },   { "Hosts", "hosts" },
		{ "upsteam", "upstream" }, { "lisetn", "listen" }, { "limit", "limits" },
		{ "h", NULL },             { "porridge", NULL },  { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		const char *got = schema_nearest(bytes_of(cases[i].word), names, nelems(names));

		if (!cases[i].nearest)
			assert_null(got);
		else
			assert_string_equal(got ? got : "", cases[i].nearest);
	}
}

/* The text that `print` writes; the caller frees. */
static char *printed_manual(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	schema_print_manual(f, &thing_table);
	schema_print_json(f, &thing_table, "things");
	fclose(f);
	return text;
}

static void the_manual_is_the_table(void **state)
{
	static const char *const lines[] = {
		"\n## thing\n\nA thing.\n",
		"| `wait` | duration, 1s to 1h | `1m` | a time |\n",
		"| `port` | `auto` or number, 1 to 65535 | `auto` | a port |\n",
		"| `colour` | `red`, `green`, `blue` (not built yet) | `green` | a colour |\n",
		"| `pairs` | name: [pair](#pair) |  | pairs |\n",
		"| `value` | text | needed | the value |\n",
		"\nReserved, not built yet: `soon`.\n",
		"\"colour\": {\"description\": \"a colour\", \"default\": \"green\", "
		"\"enum\": [\"red\", \"green\"]}",
		"\"required\": [\"value\"]",
	};
	char *text = printed_manual();

	(void)state;
	for (size_t i = 0; i < nelems(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("not there: %s\nin: %s", lines[i], text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_read_as_if_written),
		cmocka_unit_test(every_type_reaches_its_field),
		cmocka_unit_test(one_value_is_a_list_of_one),
		cmocka_unit_test(an_empty_value_leaves_lists_and_mappings_empty),
		cmocka_unit_test(an_error_names_place_path_and_cause),
		cmocka_unit_test(numbers_are_read_exactly),
		cmocka_unit_test(what_is_shown_reads_back),
		cmocka_unit_test(the_nearest_name_is_near),
		cmocka_unit_test(the_manual_is_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
