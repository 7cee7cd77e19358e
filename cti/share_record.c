/* share_record.c -- an operation as bytes, and back.
 *
 *   add: 1  id:8 stamp:8 until:8 made:8 node:2 scope:1 remedy:1 level:1 flags:1 value reason origin
 *   del: 2  id:8 stamp:8 until:8 scope:1 value
 *
 * A text has its length in a byte before it. */
#include "cti/share_record.h"

enum { OP_ADD = 1, OP_DEL, FLAG_SIMULATED = 1, FLAG_HEARSAY = 2, FLAGS = 3, LEVEL_MAX = 3 };

void frame_put(struct text *t, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		text_byte(t, (char)(n >> 8 * i));
}

bool frame_take(struct bytes *rest, unsigned bytes, uint64_t *out)
{
	if (rest->len < bytes)
		return false;
	*out = 0;
	for (unsigned i = 0; i < bytes; i++)
		*out |= (uint64_t)(unsigned char)rest->at[i] << 8 * i;
	*rest = bytes_from(*rest, bytes);
	return true;
}

void frame_put_text(struct text *t, struct bytes b)
{
	b = bytes_sub(b, 0, SHARE_TEXT_MAX);
	frame_put(t, b.len, 1);
	text_put(t, b);
}

bool frame_take_text(struct bytes *rest, struct bytes *out)
{
	uint64_t len;

	if (!frame_take(rest, 1, &len) || rest->len < len)
		return false;
	*out = bytes_sub(*rest, 0, (size_t)len);
	*rest = bytes_from(*rest, (size_t)len);
	return true;
}

bool share_op_write(struct text *t, const struct share_op *op)
{
	const struct decision *d = &op->decision;

	if (d->scope >= SCOPE_OTHER || !d->value.len || d->value.len > SHARE_TEXT_MAX || d->id > INT64_MAX)
		return false;
	frame_put(t, op->lifted ? OP_DEL : OP_ADD, 1);
	frame_put(t, d->id, 8);
	frame_put(t, d->stamp, 8);
	frame_put(t, d->until_ms, 8);
	if (!op->lifted) {
		frame_put(t, d->made_ms, 8);
		frame_put(t, d->node, 2);
	}
	frame_put(t, d->scope, 1);
	if (!op->lifted) {
		frame_put(t, d->remedy, 1);
		frame_put(t, d->level, 1);
		frame_put(t, (d->simulated ? FLAG_SIMULATED : 0) | (d->hearsay ? FLAG_HEARSAY : 0), 1);
	}
	frame_put_text(t, d->value);
	if (!op->lifted) {
		frame_put_text(t, d->reason);
		frame_put_text(t, d->origin);
	}
	return !t->full;
}

/* ---- reading ---- */

static bool take_below(struct bytes *rest, unsigned bytes, uint64_t end, uint64_t *out)
{
	return frame_take(rest, bytes, out) && *out < end;
}

static bool take_add(struct bytes *rest, struct decision *d)
{
	uint64_t node, scope, remedy, level, flags;

	if (!frame_take(rest, 8, &d->made_ms) || !take_below(rest, 2, DECISION_NODES, &node) ||
	    !take_below(rest, 1, SCOPE_OTHER, &scope) || !take_below(rest, 1, REMEDY_COUNT, &remedy) ||
	    !take_below(rest, 1, LEVEL_MAX + 1, &level) || !take_below(rest, 1, FLAGS + 1, &flags))
		return false;
	d->node = (unsigned)node;
	d->scope = (enum scope)scope;
	d->remedy = (enum remedy_kind)remedy;
	d->level = (unsigned)level;
	d->simulated = flags & FLAG_SIMULATED;
	d->hearsay = flags & FLAG_HEARSAY;
	return frame_take_text(rest, &d->value) && frame_take_text(rest, &d->reason) && frame_take_text(rest, &d->origin);
}

static bool take_del(struct bytes *rest, struct decision *d)
{
	uint64_t scope;

	if (!take_below(rest, 1, SCOPE_OTHER, &scope))
		return false;
	d->scope = (enum scope)scope;
	return frame_take_text(rest, &d->value);
}

bool share_op_read(struct bytes *rest, struct share_op *op)
{
	struct decision *d = &op->decision;
	uint64_t kind;

	*op = (struct share_op){ 0 };
	if (!frame_take(rest, 1, &kind) || (kind != OP_ADD && kind != OP_DEL))
		return false;
	op->lifted = kind == OP_DEL;
	return take_below(rest, 8, (uint64_t)INT64_MAX + 1, &d->id) && frame_take(rest, 8, &d->stamp) &&
	       frame_take(rest, 8, &d->until_ms) && (op->lifted ? take_del(rest, d) : take_add(rest, d)) && d->value.len;
}

/* ---- questions ---- */

void share_question_write(struct text *t, uint64_t id, struct bytes what)
{
	frame_put(t, id, 8);
	text_put(t, what);
}

bool share_question_read(struct bytes b, uint64_t *id, struct bytes *what)
{
	bool is = frame_take(&b, 8, id) && b.len;

	*what = is ? b : (struct bytes){ 0 };
	return is;
}

void share_answered_write(struct text *t, uint64_t id, const char *gate)
{
	frame_put(t, id, 8);
	text_put(t, bytes_sub(bytes_of(gate), 0, SHARE_GATE_ID));
}

bool share_answered_read(struct bytes b, uint64_t *id, char gate[SHARE_GATE_ID + 1])
{
	if (!frame_take(&b, 8, id) || b.len != SHARE_GATE_ID)
		return false;
	for (size_t i = 0; i < SHARE_GATE_ID; i++)
		if (byte_hex(b.at[i]) < 0)
			return false;
	memcpy(gate, b.at, SHARE_GATE_ID);
	gate[SHARE_GATE_ID] = '\0';
	return true;
}
