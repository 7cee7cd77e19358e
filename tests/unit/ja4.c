/* ja4.c -- fingerprints of hellos made by hand; those of programs are in flow/tls. */
#include "base/ja4.h"
#include "tests/hello.h"
#include "tests/test.h"

#define LIST(...)                                                               \
	(struct hello_list)                                                     \
	{                                                                       \
		{ __VA_ARGS__ }, sizeof((uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t) \
	}

static char room[HELLO_MAX];

/* The example of FoxIO's description, which is a Chrome of 2023, without what means nothing. */
static struct hello_parts example(void)
{
	return (struct hello_parts){
		.version = 0x0303,
		.ciphers = LIST(0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
				0x009d, 0x002f, 0x0035),
		.extensions = LIST(0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
				   0xff01, 0x000b, 0x000a, 0x0015),
		.algorithms = LIST(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
		.versions = LIST(0x0304, 0x0303),
		.protocols = BYTES("\x02h2\x08http/1.1"),
	};
}

static const char *ja4_made(const struct hello_parts *p)
{
	static char out[4][JA4_LEN + 1];
	static unsigned turn;
	struct text t = text_over(room, sizeof room);
	char *is = out[turn++ % 4];

	assert_true(ja4_of(hello_made(&t, p), is));
	assert_false(t.full);
	return is;
}

static void the_example_is_as_it_was_published(void **state)
{
	struct hello_parts p = example();

	(void)state;
	assert_string_equal(ja4_made(&p), "t13d1516h2_8daaf6152771_e5627efa2ab1");
	p.algorithms.n = 0;
	assert_string_equal(ja4_made(&p), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

static void insert(struct hello_list *l, size_t at, uint16_t v)
{
	memmove(l->at + at + 1, l->at + at, (l->n++ - at) * sizeof *l->at);
	l->at[at] = v;
}

static void values_that_mean_nothing_do_not_count(void **state)
{
	struct hello_parts p = example();

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		uint16_t grease = (uint16_t)(0x0a0a + i * 0x1010);

		insert(&p.ciphers, i, grease);
		insert(&p.extensions, p.extensions.n - i, grease);
		insert(&p.algorithms, i % 3, grease);
		insert(&p.versions, i % 2, grease);
	}
	p.protocols = BYTES("\x02\x1a\x1a\x02h2");
	assert_string_equal(ja4_made(&p), "t13d1516h2_8daaf6152771_e5627efa2ab1");
	insert(&p.ciphers, 0, 0x0a1a); /* looks like it, and is not */
	assert_string_not_equal(ja4_made(&p), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void reverse(struct hello_list *l)
{
	for (size_t i = 0; i < l->n / 2; i++) {
		uint16_t v = l->at[i];

		l->at[i] = l->at[l->n - 1 - i];
		l->at[l->n - 1 - i] = v;
	}
}

static void order_counts_for_signature_algorithms_alone(void **state)
{
	struct hello_parts p = example();

	(void)state;
	reverse(&p.ciphers);
	reverse(&p.extensions);
	reverse(&p.versions);
	assert_string_equal(ja4_made(&p), "t13d1516h2_8daaf6152771_e5627efa2ab1");
	reverse(&p.algorithms);
	assert_string_not_equal(ja4_made(&p), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void name_and_protocol_are_in_the_first_part_alone(void **state)
{
	static const struct { struct bytes list; const char *starts; } rows[] = {
		{ BYTES_INIT("\x02h2"), "t13d1516h2_" },
		{ BYTES_INIT("\x08http/1.1\x02h2"), "t13d1516h1_" },
		{ BYTES_INIT("\x01q"), "t13d1516qq_" },
		{ BYTES_INIT(""), "t13d151600_" },
		{ BYTES_INIT("\x00"), "t13d151600_" },
		{ BYTES_INIT("\x01\xab"), "t13d1516ab_" },
		{ BYTES_INIT("\x01 "), "t13d151620_" },
		{ BYTES_INIT("\x02\xab\xcd"), "t13d1516ad_" },
		{ BYTES_INIT("\x02 a"), "t13d151621_" },
		{ BYTES_INIT("\x02\x30\xab"), "t13d15163b_" },
		{ BYTES_INIT("\x02""a "), "t13d151660_" },
		{ BYTES_INIT("\x04\x30\x31\xab\xcd"), "t13d15163d_" },
		{ BYTES_INIT("\x04\x30\xab\xcd\x31"), "t13d151601_" },
	};
	struct hello_parts p = example();

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		p.protocols = rows[i].list;
		assert_memory_equal(ja4_made(&p), rows[i].starts, 11);
		assert_string_equal(ja4_made(&p) + 11, "8daaf6152771_e5627efa2ab1");
	}
	p.extensions = LIST(0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a,
			    0x0015);
	assert_string_equal(ja4_made(&p), "t13i151400_8daaf6152771_e5627efa2ab1");
}

static void the_highest_version_that_is_offered_counts(void **state)
{
	static const struct { unsigned legacy; struct hello_list offered; const char *starts; } rows[] = {
		{ 0x0303, { { 0x0302, 0x0304, 0x0303 }, 3 }, "t13" },
		{ 0x0304, { { 0x0303, 0x0301 }, 2 }, "t12" },
		{ 0x0303, { { 0x0302 }, 1 }, "t11" },
		{ 0x0303, { { 0x0301 }, 1 }, "t10" },
		{ 0x0303, { { 0x0300 }, 1 }, "ts3" },
		{ 0x0303, { { 0x0002 }, 1 }, "ts2" },
		{ 0x0303, { { 0x7f1c, 0x0304 }, 2 }, "t00" },
		{ 0x0303, { { 0x0305 }, 1 }, "t00" },
		{ 0x0303, { { 0 }, 0 }, "t00" },
	};
	struct hello_parts p = example();

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		p.version = rows[i].legacy;
		p.versions = rows[i].offered;
		assert_memory_equal(ja4_made(&p), rows[i].starts, 3);
	}
	p.extensions = LIST(0x0000);
	p.version = 0x0302;
	assert_memory_equal(ja4_made(&p), "t11", 3);
}

static void lists_may_be_empty_or_endless(void **state)
{
	struct hello_parts p = { .version = 0x0303 };
	char first[JA4_LEN + 1];

	(void)state;
	assert_string_equal(ja4_made(&p), "t12i000000_000000000000_000000000000");
	p.extensions = LIST(0x0010, 0x0000);
	assert_string_equal(ja4_made(&p), "t12d000200_000000000000_000000000000");
	for (unsigned v = 0; p.ciphers.n < HELLO_LIST; v++)
		p.ciphers.at[p.ciphers.n++] = (uint16_t)(0xb000 + v);
	for (p.extensions.n = 0; p.extensions.n < 200; p.extensions.n++)
		p.extensions.at[p.extensions.n] = (uint16_t)(0xc000 + p.extensions.n);
	memcpy(first, ja4_made(&p), sizeof first);
	assert_memory_equal(first, "t12i999900_", 11);
	p.ciphers.n = JA4_LIST;
	assert_string_equal(ja4_made(&p), first);
	p.ciphers.n--;
	assert_string_not_equal(ja4_made(&p), first);
}

static void what_is_cut_or_does_not_add_up_has_none(void **state)
{
	static const struct bytes bad[] = { BYTES_INIT("\x03h2"), BYTES_INIT("\x02h2\x09"), BYTES_INIT("\xff") };
	struct hello_parts p = example();
	struct text t = text_over(room, sizeof room);
	struct bytes whole = hello_made(&t, &p);
	char out[JA4_LEN + 1] = "x";
	size_t bare = 2 + 32 + 1 + 2 + 2 * p.ciphers.n + 2; /* extensions may be left out whole */

	(void)state;
	for (size_t n = 0; n < whole.len; n++) {
		assert_int_equal(ja4_of(bytes_sub(whole, 0, n), out), n == bare);
		assert_int_equal(strlen(out), n == bare ? JA4_LEN : 0);
	}
	text_byte(&t, 'x');
	assert_false(ja4_of(text_bytes(&t), out));
	for (size_t i = 0; i < nelems(bad); i++) {
		p.protocols = bad[i];
		t = text_over(room, sizeof room);
		assert_false(ja4_of(hello_made(&t, &p), out));
		assert_string_equal(out, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_is_as_it_was_published),
		cmocka_unit_test(values_that_mean_nothing_do_not_count),
		cmocka_unit_test(order_counts_for_signature_algorithms_alone),
		cmocka_unit_test(name_and_protocol_are_in_the_first_part_alone),
		cmocka_unit_test(the_highest_version_that_is_offered_counts),
		cmocka_unit_test(lists_may_be_empty_or_endless),
		cmocka_unit_test(what_is_cut_or_does_not_add_up_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
