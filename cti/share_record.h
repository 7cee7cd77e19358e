/* share_record.h -- what gates write into Redis: operations, and signed frames around them.
 *
 * One form for each thing: what can be read is written again byte by byte the same. Numbers are little-endian. Every reader
 * takes whatever bytes, borrows from them, and believes nothing before the MAC has been checked. */
#ifndef CTI_SHARE_RECORD_H
#define CTI_SHARE_RECORD_H
#include "base/decision.h"
#include "base/text.h"

/* ---- an operation on the map id -> record ---- */

struct share_op {
	bool lifted; /* then id, stamp, until, scope and value count */
	struct decision decision;
};
enum {
	SHARE_TEXT_MAX = 255,
	SHARE_OP_MAX = 1 + 4 * 8 + 2 + 4 + 3 * (1 + SHARE_TEXT_MAX), /* bytes */
};
/* Texts that are longer are cut; a value is not. False: that cannot be said (a scope of its own, no or too long a value). */
bool share_op_write(struct text *, const struct share_op *);
/* The next of the body, cut off its front. False: there is none, or it is broken. */
bool share_op_read(struct bytes *rest, struct share_op *);

/* ---- a frame: 4 bytes, run, stamp, body, MAC ---- */

enum share_frame_kind {
	FRAME_OPS = 1,  /* operations, of the stream */
	FRAME_TOLD,     /* messages */
	FRAME_NODE,     /* a heartbeat */
	FRAME_VALUE,    /* of a name */
	FRAME_PART,     /* operations, of a snapshot */
	FRAME_SNAPSHOT, /* what a snapshot is made of */
	FRAME_ANSWER,   /* to a question */
	FRAME_KINDS
};
struct share_frame {
	enum share_frame_kind kind;
	uint64_t run;       /* of the process that wrote it */
	uint64_t stamp;     /* when; base/hlc.h */
	struct bytes body;
};
enum { SHARE_MAC = 16, SHARE_FRAME_HEAD = 4 + 8 + 8, SHARE_FRAME_MORE = SHARE_FRAME_HEAD + SHARE_MAC };
/* `context`: what the frame stands for (the name of a value), so that none can be put in another's place. */
bool share_frame_write(struct text *, const uint8_t key[32], struct bytes context, const struct share_frame *);
enum share_frame_read { FRAME_GOOD, FRAME_BROKEN, FRAME_FORGED };
enum share_frame_read share_frame_read(struct bytes, const uint8_t key[32], struct bytes context, enum share_frame_kind,
				       struct share_frame *out);

/* ---- a question, and that it has been answered: messages ---- */

enum { SHARE_GATE_ID = 16 }; /* hexadecimal digits */
void share_question_write(struct text *, uint64_t id, struct bytes what);
bool share_question_read(struct bytes, uint64_t *id, struct bytes *what); /* false: it is none; so is one without words */
void share_answered_write(struct text *, uint64_t id, const char *gate);
bool share_answered_read(struct bytes, uint64_t *id, char gate[SHARE_GATE_ID + 1]);

/* ---- words of a body ---- */

void frame_put(struct text *, uint64_t, unsigned bytes);
bool frame_take(struct bytes *rest, unsigned bytes, uint64_t *out);
/* With a byte of length in front; longer ones are cut. */
void frame_put_text(struct text *, struct bytes);
bool frame_take_text(struct bytes *rest, struct bytes *out);
#endif
