/* streams_place: what is no place is none, and the longest has room. */
#include "tests/test.h"
#include "admin/streams_place.h"

static void reads_what_it_writes(void **state)
{
	static const char *const rows[] = { "0", "1234", "-", "1234,3:77", "-,0:0,1023:9223372036854775807" };

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char room[STREAMS_PLACE];
		struct text t = text_over(room, sizeof room);
		struct streams_place place;

		assert_true(streams_place_read(bytes_of(rows[i]), &place));
		streams_place_text(&t, &place);
		assert_int_equal(t.len, strlen(rows[i]));
		assert_memory_equal(room, rows[i], t.len);
	}
}

static void refuses_the_rest(void **state)
{
	static const char *const rows[] = { "", ",", "x", "-1", "1,", "1,3", "1,3:", "1,:7", "1,3:7,", "1,3:7,3:8", "1,1024:7", "1,3:7:8",
					    "9223372036854775808", "1,3:9223372036854775808", "1 ,3:7", "1;3:7" };
	struct streams_place place;

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		assert_false(streams_place_read(bytes_of(rows[i]), &place));
		assert_int_equal(place.own, -1);
		assert_int_equal(place.n, 0);
	}
	assert_false(streams_place_read((struct bytes){ 0 }, &place));
	assert_true(streams_place_read_others(BYTES("3:77"), &place));
	assert_false(streams_place_read_others(BYTES(""), &place));
}

static void has_a_bound(void **state)
{
	struct streams_place place = { .own = INT64_MAX };
	char room[STREAMS_PLACE], longer[STREAMS_PLACE + 64];
	struct text t = text_over(room, sizeof room), more = text_over(longer, sizeof longer);

	(void)state;
	for (unsigned i = 0; i < STREAMS_GATES; i++)
		assert_true(streams_place_add(&place, STREAMS_GATE_MAX - i, INT64_MAX));
	assert_false(streams_place_add(&place, 1, 1));
	streams_place_text(&t, &place);
	assert_false(t.full);
	assert_true(streams_place_read(text_bytes(&t), &place));
	text_put(&more, text_bytes(&t));
	text_str(&more, ",1:1");
	assert_false(streams_place_read(text_bytes(&more), &place));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(has_a_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
