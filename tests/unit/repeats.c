/* repeats.c -- what is asked again is answered as before, and nothing is kept for ever. */
#include "tests/test.h"
#include "admin/api/repeats.h"
#include <stdlib.h>

enum { NOW = 1000 };

static int begin(void **state)
{
	*state = repeats_new();
	assert_non_null(*state);
	return 0;
}

static int end(void **state)
{
	repeats_free(*state);
	return 0;
}

static struct repeat_name name_of(const char *who, const char *route, const char *key, const char *body)
{
	return (struct repeat_name){ .who = bytes_of(who), .route = bytes_of(route), .key = bytes_of(key),
				     .path = bytes_of(route), .body = bytes_of(body) };
}

static enum repeat_is look(struct repeats *rs, const char *who, const char *route, const char *key, const char *body)
{
	const struct repeat_name n = name_of(who, route, key, body);
	struct repeat *r;

	return repeats_look(rs, &n, NOW, &r);
}

static struct repeat *first(struct repeats *rs, const char *key, uint64_t now_ms)
{
	const struct repeat_name n = name_of("anna", "/tokens", key, "{}");
	struct repeat *r;

	assert_int_equal(repeats_look(rs, &n, now_ms, &r), REPEAT_NEW);
	return r;
}

static enum repeat_is again(struct repeats *rs, const char *key, uint64_t now_ms, struct repeat **r)
{
	const struct repeat_name n = name_of("anna", "/tokens", key, "{}");

	return repeats_look(rs, &n, now_ms, r);
}

static void keep(struct repeats *rs, struct repeat *r, struct bytes body)
{
	const struct field fields[] = { { .name = BYTES_INIT("ETag"), .value = BYTES_INIT("\"7\"") } };

	repeat_keep(rs, r, &(struct serve_answer){ .status = 201, .content_type = BYTES("application/json"), .fields = fields,
						   .nfields = 1, .body = body });
}

/* ---- keys ---- */

static void a_key_is_a_string_or_a_bare_word(void **state)
{
	static const struct { const char *value, *key; } rows[] = {
		{ "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324" },
		{ "8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324" },
		{ "\"with a space\"", "with a space" }, { "\"a\\\"b\\\\\"", "a\\\"b\\\\" },
		{ "", NULL }, { "\"\"", NULL }, { "\"", NULL }, { "a b", NULL }, { "a\"b", NULL }, { "\"a\"b\"", NULL }, { "\"a", NULL },
		{ "a,b", NULL }, { "\"a\", \"b\"", NULL }, { "\"a\\\"", NULL }, { "\"a\\b\"", NULL }, { "\"\\\\\\\"", NULL },
		{ "\"a\x01\"", NULL }, { "a\x7f", NULL }, { "\xc3\xa4", NULL }, { "\"\xc3\xa4\"", NULL }, { "\"a\";p=1", NULL },
	};
	struct bytes key;

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		if (repeat_key(bytes_of(rows[i].value), &key) != (rows[i].key != NULL))
			fail_msg("'%s'", rows[i].value);
		if (rows[i].key && !bytes_eq(key, bytes_of(rows[i].key)))
			fail_msg("'%s' is '%.*s'", rows[i].value, BYTES_ARG(key));
	}
}

static void a_key_has_a_longest(void **state)
{
	char room[REPEAT_KEY_MAX + 1];
	struct bytes key;

	(void)state;
	memset(room, 'a', sizeof room);
	assert_true(repeat_key((struct bytes){ room, REPEAT_KEY_MAX }, &key));
	assert_false(repeat_key((struct bytes){ room, REPEAT_KEY_MAX + 1 }, &key));
}

/* ---- asking ---- */

static void the_same_request_is_answered_as_before(void **state)
{
	struct repeats *rs = *state;
	struct repeat *r = first(rs, "k", NOW);
	char body[] = "{\"id\":1}";
	const struct serve_answer *a;

	keep(rs, r, bytes_of(body));
	memset(body, 'x', sizeof body - 1); /* it was copied */
	assert_int_equal(again(rs, "k", NOW + 5, &r), REPEAT_KNOWN);
	a = repeat_answer(r);
	assert_int_equal(a->status, 201);
	assert_true(bytes_eq(a->content_type, BYTES("application/json")) && bytes_eq(a->body, BYTES("{\"id\":1}")));
	assert_true(a->nfields == 1 && bytes_eq(a->fields[0].name, BYTES("ETag")) && bytes_eq(a->fields[0].value, BYTES("\"7\"")));
}

static void what_is_under_way_is_not_begun_again(void **state)
{
	struct repeats *rs = *state;
	struct repeat *r = first(rs, "k", NOW), *other;

	assert_int_equal(again(rs, "k", NOW, &other), REPEAT_RUNNING);
	assert_int_equal(look(rs, "anna", "/tokens", "k", "{\"other\":1}"), REPEAT_OTHER);
	repeat_drop(rs, r);
	first(rs, "k", NOW); /* a refusal is forgotten */
}

static void a_key_is_one_askers_and_one_routes(void **state)
{
	struct repeats *rs = *state;

	keep(rs, first(rs, "k", NOW), BYTES("{}"));
	assert_int_equal(look(rs, "anna", "/tokens", "k", "{}"), REPEAT_KNOWN);
	assert_int_equal(look(rs, "anna", "/tokens", "k", "{ }"), REPEAT_OTHER);
	assert_int_equal(look(rs, "bert", "/tokens", "k", "{}"), REPEAT_NEW);
	assert_int_equal(look(rs, "anna", "/users", "k", "{}"), REPEAT_NEW);
	assert_int_equal(look(rs, "anna", "/token", "sk", "{}"), REPEAT_NEW); /* parts do not run together */
}

/* ---- bounds ---- */

static void an_answer_is_kept_for_a_day(void **state)
{
	struct repeats *rs = *state;
	struct repeat *r = first(rs, "k", NOW);

	keep(rs, r, BYTES("{}"));
	assert_int_equal(again(rs, "k", NOW + REPEAT_LASTS_MS - 1, &r), REPEAT_KNOWN);
	assert_int_equal(again(rs, "k", NOW + REPEAT_LASTS_MS, &r), REPEAT_NEW);
}

static void the_oldest_gives_way_but_not_what_is_under_way(void **state)
{
	struct repeats *rs = *state;
	struct repeat *running = first(rs, "running", NOW), *r;
	char key[16];

	for (int i = 0; i < REPEATS_MAX + 1; i++) {
		snprintf(key, sizeof key, "k%d", i);
		keep(rs, first(rs, key, NOW), BYTES("{}"));
	}
	assert_int_equal(again(rs, "running", NOW, &r), REPEAT_RUNNING);
	assert_int_equal(again(rs, key, NOW, &r), REPEAT_KNOWN);
	assert_int_equal(again(rs, "k0", NOW, &r), REPEAT_NEW);
	keep(rs, running, BYTES("{}"));
}

static void answers_have_a_size_together_and_each(void **state)
{
	struct repeats *rs = *state;
	char *large = calloc(1, REPEAT_BYTES_MAX + 1), key[16];
	struct repeat *r;

	keep(rs, first(rs, "larger", NOW), (struct bytes){ large, REPEAT_BYTES_MAX + 1 });
	assert_int_equal(again(rs, "larger", NOW, &r), REPEAT_NEW);
	repeat_drop(rs, r);
	for (int i = 0; i < 20; i++) {
		snprintf(key, sizeof key, "k%d", i);
		keep(rs, first(rs, key, NOW), (struct bytes){ large, REPEAT_BYTES_MAX - 64 });
	}
	assert_int_equal(again(rs, "k4", NOW, &r), REPEAT_KNOWN); /* 16 MiB of them */
	assert_int_equal(again(rs, "k3", NOW, &r), REPEAT_NEW);
	free(large);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	static const struct CMUnitTest tests[] = {
		TEST(a_key_is_a_string_or_a_bare_word),
		TEST(a_key_has_a_longest),
		TEST(the_same_request_is_answered_as_before),
		TEST(what_is_under_way_is_not_begun_again),
		TEST(a_key_is_one_askers_and_one_routes),
		TEST(an_answer_is_kept_for_a_day),
		TEST(the_oldest_gives_way_but_not_what_is_under_way),
		TEST(answers_have_a_size_together_and_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
