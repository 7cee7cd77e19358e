/* share_record.c -- what gates tell each other through Redis reads back as it was written, and as nothing else. */
#include "cti/share_record.h"
#include "tests/test.h"

static const uint8_t key[32] = "of the test", other[32] = "of another installation";

static const struct share_op ops[] = {
	{ false, { .id = 1, .scope = SCOPE_IP, .value = BYTES_INIT("203.0.113.7"), .remedy = REMEDY_DENY,
		   .reason = BYTES_INIT("embergate/http-bf"), .origin = BYTES_INIT("embergate"), .made_ms = 1790000000000,
		   .until_ms = 1790000600000, .stamp = 1790000000000 << 16 | 3, .node = 1023 } },
	{ false, { .id = INT64_MAX, .scope = SCOPE_USERNAME, .value = BYTES_INIT("\0\xff hash"), .remedy = REMEDY_CHALLENGE, .level = 2,
		   .made_ms = UINT64_MAX, .until_ms = 0, .simulated = true, .hearsay = true } },
	{ true, { .id = 7, .scope = SCOPE_RANGE, .value = BYTES_INIT("2001:db8::/32"), .stamp = 9, .until_ms = 10 } },
};

static void same(const struct share_op *a, const struct share_op *b)
{
	const struct decision *x = &a->decision, *y = &b->decision;

	assert_true(a->lifted == b->lifted && x->id == y->id && x->stamp == y->stamp && x->until_ms == y->until_ms &&
		    x->scope == y->scope);
	assert_bytes(y->value, x->value);
	if (a->lifted)
		return;
	assert_true(x->made_ms == y->made_ms && x->node == y->node && x->remedy == y->remedy && x->level == y->level &&
		    x->simulated == y->simulated && x->hearsay == y->hearsay);
	assert_bytes(y->reason, x->reason);
	assert_bytes(y->origin, x->origin);
}

static void operations_in_a_row_read_back(void **state)
{
	char room[4096];
	struct text t = text_over(room, sizeof room);
	struct bytes rest;
	struct share_op op;

	(void)state;
	for (size_t i = 0; i < nelems(ops); i++)
		assert_true(share_op_write(&t, &ops[i]));
	rest = text_bytes(&t);
	for (size_t i = 0; i < nelems(ops); i++) {
		assert_true(share_op_read(&rest, &op));
		same(&ops[i], &op);
	}
	assert_int_equal(rest.len, 0);
	assert_false(share_op_read(&rest, &op));
}

static void a_text_is_cut_and_a_value_is_not(void **state)
{
	static char longest[SHARE_TEXT_MAX + 1], room[SHARE_OP_MAX + 1];
	struct text t = text_over(room, sizeof room);
	struct share_op op = ops[0], out;
	struct bytes rest;

	(void)state;
	memset(longest, 'x', sizeof longest);
	op.decision.value = (struct bytes){ longest, SHARE_TEXT_MAX };
	op.decision.reason = op.decision.origin = (struct bytes){ longest, sizeof longest };
	assert_true(share_op_write(&t, &op));
	assert_int_equal(t.len, SHARE_OP_MAX);
	rest = text_bytes(&t);
	assert_true(share_op_read(&rest, &out));
	assert_int_equal(out.decision.reason.len, SHARE_TEXT_MAX);
	op.decision.value.len++;
	assert_false(share_op_write(&t, &op));
}

static void what_is_no_operation_is_refused(void **state)
{
	char room[SHARE_OP_MAX];
	static const struct { size_t at; char byte; } damages[] = {
		{ 0, 0 }, { 0, 3 },             /* neither add nor del */
		{ 8, (char)0x80 },              /* an id of 64 bits */
		{ 34, 4 },                      /* node 1024 and more */
		{ 35, SCOPE_OTHER }, { 36, REMEDY_COUNT }, { 37, 4 /* level */ }, { 38, 4 /* a flag that is none */ },
		{ 39, 0 },                      /* no value: what follows is read as texts */
		{ 39, (char)255 },              /* longer than all there is */
	};
	struct share_op op;

	(void)state;
	for (size_t i = 0; i < nelems(damages); i++) {
		struct text t = text_over(room, sizeof room);
		struct bytes rest;

		share_op_write(&t, &ops[0]);
		room[damages[i].at] = damages[i].byte;
		rest = text_bytes(&t);
		if (share_op_read(&rest, &op))
			fail_msg("row %zu is taken", i);
	}
	for (size_t cut = 0; cut < 60; cut++) {
		struct text t = text_over(room, sizeof room);
		struct bytes rest;

		share_op_write(&t, &ops[0]);
		rest = bytes_sub(text_bytes(&t), 0, cut);
		assert_false(share_op_read(&rest, &op));
	}
}

static void any_flipped_bit_of_a_frame_is_refused(void **state)
{
	char room[256];
	struct text t = text_over(room, sizeof room);
	struct share_frame f = { FRAME_VALUE, 0x1122334455667788, 42, BYTES_INIT("the value") }, out;

	(void)state;
	assert_true(share_frame_write(&t, key, BYTES("cursor"), &f));
	assert_int_equal(t.len, f.body.len + SHARE_FRAME_MORE);
	assert_int_equal(share_frame_read(text_bytes(&t), key, BYTES("cursor"), FRAME_VALUE, &out), FRAME_GOOD);
	assert_true(out.run == f.run && out.stamp == f.stamp);
	assert_bytes(out.body, f.body);
	for (size_t bit = 0; bit < t.len * 8; bit++) {
		room[bit / 8] = (char)(room[bit / 8] ^ 1 << bit % 8);
		assert_int_not_equal(share_frame_read(text_bytes(&t), key, BYTES("cursor"), FRAME_VALUE, &out), FRAME_GOOD);
		room[bit / 8] = (char)(room[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t cut = 0; cut < t.len; cut++)
		assert_int_not_equal(share_frame_read(bytes_sub(text_bytes(&t), 0, cut), key, BYTES("cursor"), FRAME_VALUE, &out), FRAME_GOOD);
}

static void a_frame_stands_for_nothing_else(void **state)
{
	char room[256];
	struct text t = text_over(room, sizeof room);
	struct share_frame f = { FRAME_VALUE, 1, 2, BYTES_INIT("x") }, out;

	(void)state;
	share_frame_write(&t, key, BYTES("cursor"), &f);
	assert_int_equal(share_frame_read(text_bytes(&t), other, BYTES("cursor"), FRAME_VALUE, &out), FRAME_FORGED);
	assert_int_equal(share_frame_read(text_bytes(&t), key, BYTES("cursors"), FRAME_VALUE, &out), FRAME_FORGED);
	assert_int_equal(share_frame_read(text_bytes(&t), key, BYTES("cursor"), FRAME_OPS, &out), FRAME_BROKEN);
	assert_int_equal(share_frame_read(BYTES("EgxxEgxxEgxxEgxxEgxxEgxxEgxxEgxxEgxxEgxx"), key, BYTES(""), FRAME_OPS, &out), FRAME_FORGED);
	assert_int_equal(share_frame_read(BYTES("no frame but as long as one is, at the least"), key, BYTES(""), FRAME_OPS, &out), FRAME_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_in_a_row_read_back),
		cmocka_unit_test(a_text_is_cut_and_a_value_is_not),
		cmocka_unit_test(what_is_no_operation_is_refused),
		cmocka_unit_test(any_flipped_bit_of_a_frame_is_refused),
		cmocka_unit_test(a_frame_stands_for_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
