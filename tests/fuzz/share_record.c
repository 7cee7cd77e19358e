/* share_record.c -- an operation, a question or an answer's name that reads is written again byte by byte the same; a frame holds what was put in it, and one
 * flipped bit anywhere in it is refused. */
#include "cti/share_record.h"
#include "tests/fuzz/must.h"

static const uint8_t key[32] = "of the fuzzer";

static size_t as_operations(struct bytes in)
{
	char room[SHARE_OP_MAX];
	struct share_op op;
	struct bytes rest = in;
	size_t n = 0;

	for (struct bytes before = rest; share_op_read(&rest, &op); before = rest, n++) {
		struct text t = text_over(room, sizeof room);

		must(op.decision.value.len && op.decision.scope < SCOPE_OTHER && op.decision.remedy < REMEDY_COUNT);
		must(op.decision.node < DECISION_NODES && op.decision.id <= INT64_MAX);
		must(share_op_write(&t, &op));
		must(bytes_eq(text_bytes(&t), bytes_sub(before, 0, before.len - rest.len)));
	}
	return n;
}

static void as_messages(struct bytes in)
{
	char room[64 << 10], gate[SHARE_GATE_ID + 1];
	struct text t = text_over(room, sizeof room);
	struct bytes what;
	uint64_t id;

	if (in.len <= sizeof room && share_question_read(in, &id, &what)) {
		must(what.len == in.len - 8);
		share_question_write(&t, id, what);
		must(bytes_eq(text_bytes(&t), in));
	}
	t = text_over(room, sizeof room);
	if (share_answered_read(in, &id, gate)) {
		must(strlen(gate) == SHARE_GATE_ID);
		share_answered_write(&t, id, gate);
		must(bytes_eq(text_bytes(&t), in));
	}
}

static void as_body(struct bytes in, unsigned pick)
{
	static char room[(64 << 10) + SHARE_FRAME_MORE];
	struct text t = text_over(room, sizeof room);
	struct share_frame f = { FRAME_OPS + pick % (FRAME_KINDS - FRAME_OPS), pick, (uint64_t)pick << 20, in }, out;
	size_t at;

	must(share_frame_write(&t, key, BYTES("name"), &f) == (in.len <= 64 << 10));
	if (t.full)
		return;
	must(share_frame_read(text_bytes(&t), key, BYTES("name"), f.kind, &out) == FRAME_GOOD);
	must(out.run == f.run && out.stamp == f.stamp && bytes_eq(out.body, in));
	must(share_frame_read(text_bytes(&t), key, BYTES("nam"), f.kind, &out) == FRAME_FORGED);
	at = pick * 2654435761u % (t.len * 8);
	room[at / 8] = (char)(room[at / 8] ^ 1 << at % 8);
	must(share_frame_read(text_bytes(&t), key, BYTES("name"), f.kind, &out) != FRAME_GOOD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct share_frame f;
	unsigned pick = size > 4 ? data[1] | (unsigned)data[2] << 8 | (unsigned)data[3] << 16 : (unsigned)size;

	as_operations(in);
	as_messages(in);
	must(share_frame_read(in, key, (struct bytes){ 0 }, FRAME_OPS, &f) != FRAME_GOOD);
	as_body(in, pick);
	return 0;
}
