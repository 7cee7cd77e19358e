/* share_known.c -- what Redis has is known by id and stamp; what was lifted is remembered until it would be over. */
#include "cti/share_known.h"
#include "tests/test.h"

static struct share_op op(uint64_t id, uint64_t stamp, uint64_t until_ms, bool lifted)
{
	return (struct share_op){ lifted, { .id = id, .stamp = stamp, .until_ms = until_ms, .scope = SCOPE_IP, .value = BYTES("192.0.2.1") } };
}

static void another_stamp_is_another_operation(void **state)
{
	struct seen *s = seen_new();
	struct share_op o = op(1, 5, 0, false);

	(void)state;
	assert_false(seen_has(s, &o));
	for (uint64_t i = 0; i < 10000; i++) {
		o = op(i, 5, 0, false);
		seen_add(s, &o);
		seen_add(s, &o);
	}
	for (uint64_t i = 0; i < 10000; i++) {
		o = op(i, 5, 0, false);
		assert_true(seen_has(s, &o));
		o = op(i, 6, 0, false);
		assert_false(seen_has(s, &o));
		o = op(i, 5, 0, true);
		assert_false(seen_has(s, &o));
	}
	seen_free(s);
}

struct found { uint64_t ids, n; };

static void add(void *ctx, const struct share_op *o)
{
	struct found *f = ctx;

	assert_true(o->lifted);
	assert_bytes(o->decision.value, BYTES("192.0.2.1"));
	f->ids += o->decision.id;
	f->n++;
}

static struct found all(struct graves *g, uint64_t now_ms)
{
	struct found f = { 0 };

	for (size_t part = 0; part < GRAVES_PARTS; part++)
		graves_each(g, part, now_ms, add, &f);
	return f;
}

static void what_was_lifted_is_told_until_it_would_be_over(void **state)
{
	struct graves *g = graves_new(1 << 16);
	struct share_op o;

	(void)state;
	for (uint64_t id = 1; id <= 1000; id++) {
		o = op(id, 1, id, true);
		graves_put(g, &o);
	}
	o = op(1, 2, 2000, true); /* it was prolonged elsewhere */
	graves_put(g, &o);
	assert_int_equal(graves_count(g), 1000);
	assert_int_equal(all(g, 900).n, 101);
	assert_int_equal(all(g, 1500).ids, 1);
	for (size_t part = 0; part < GRAVES_PARTS; part++)
		graves_sweep(g, 900);
	assert_int_equal(graves_count(g), 101);
	graves_free(g);
}

static void graves_are_bounded(void **state)
{
	struct graves *g = graves_new(1280);
	struct share_op o;

	(void)state;
	for (uint64_t id = 1; id <= 20000; id++) {
		o = op(id, 1, id, true);
		graves_put(g, &o);
	}
	assert_true(graves_count(g) <= 1280);
	assert_true(all(g, 19999).n == 1); /* the one that lasts longest is among those that stayed */
	graves_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_stamp_is_another_operation),
		cmocka_unit_test(what_was_lifted_is_told_until_it_would_be_over),
		cmocka_unit_test(graves_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
