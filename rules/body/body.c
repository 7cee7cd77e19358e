/* body.c -- what all body parsers share: bounds, faults, and telling. */
#include "rules/body/parser.h"
#include "base/text.h"

/* A text of this size keeps its buffer instead of being copied out of it. */
enum { KEEP_WHOLE = 4096 };

static const struct body_limits built_in = {
	.args = 1024,
	.name_bytes = 4 << 10,
	.value_bytes = 1 << 20,
	.total_bytes = 8 << 20,
	.depth = BODY_DEPTH,
	.parts = 256,
	.header_lines = 16,
	.header_bytes = 8 << 10,
	.nodes = 20000,
	.look_bytes = 4 << 10,
};

static const char *const fault_words[] = {
	[FAULT_NONE] = "none",         [FAULT_MALFORMED] = "malformed",
	[FAULT_ARGS] = "arguments",    [FAULT_NAME] = "name length",
	[FAULT_VALUE] = "value length", [FAULT_TOTAL] = "total length",
	[FAULT_DEPTH] = "depth",       [FAULT_PARTS] = "parts",
	[FAULT_HEADERS] = "part headers", [FAULT_NODES] = "nodes",
	[FAULT_ENTITY] = "entities",   [FAULT_MEMORY] = "memory",
};

static size_t or_else(size_t set, size_t fallback)
{
	return set ? set : fallback;
}

static struct body_limits limits_filled(const struct body_limits *l)
{
	return (struct body_limits){
		.args = or_else(l->args, built_in.args),
		.name_bytes = or_else(l->name_bytes, built_in.name_bytes),
		.value_bytes = or_else(l->value_bytes, built_in.value_bytes),
		.total_bytes = or_else(l->total_bytes, built_in.total_bytes),
		.depth = or_else(l->depth, built_in.depth),
		.parts = or_else(l->parts, built_in.parts),
		.header_lines = or_else(l->header_lines, built_in.header_lines),
		.header_bytes = or_else(l->header_bytes, built_in.header_bytes),
		.nodes = or_else(l->nodes, built_in.nodes),
		.look_bytes = or_else(l->look_bytes, built_in.look_bytes),
	};
}

struct body *body_new(struct arena *a, const struct body_parser *p, const struct body_setup *setup)
{
	struct body *b = arena_get(a, p->size);

	if (!b)
		return NULL;
	b->parser = p;
	b->arena = a;
	b->setup = *setup;
	b->setup.limits = limits_filled(&setup->limits);
	p->open(b); /* a failure is kept in b and answers the first push */
	return b;
}

enum body_fault body_push(struct body *b, struct bytes piece)
{
	if (b->fault == FAULT_NONE && piece.len) {
		b->parser->push(b, piece);
		b->taken += piece.len;
	}
	return b->fault;
}

enum body_fault body_end(struct body *b)
{
	if (b->fault == FAULT_NONE && b->parser->end(b))
		b->settled = b->taken;
	return b->fault;
}

enum body_fault body_fault(const struct body *b)
{
	return b->fault;
}

unsigned body_anomalies(const struct body *b)
{
	return b->anomalies;
}

uint64_t body_settled(const struct body *b)
{
	return b->settled;
}

bool body_in_field(const struct body *b)
{
	return b->in_field;
}

const char *body_parser_name(const struct body_parser *p)
{
	return p->name;
}

const char *body_fault_word(enum body_fault f)
{
	return fault_words[f];
}

struct bytes body_complaint(struct body *b)
{
	char line[192];
	struct text t = text_over(line, sizeof line);

	if (b->fault == FAULT_NONE)
		return (struct bytes){ "", 0 };
	text_printf(&t, "%s: byte %llu: %.140s", b->parser->name, (unsigned long long)b->fault_at,
		    b->why);
	return arena_copy(b->arena, text_bytes(&t));
}

bool body_fail(struct body *b, enum body_fault fault, uint64_t at, const char *why)
{
	b->fault = fault;
	b->fault_at = at;
	b->why = why;
	return false;
}

static bool no_memory(struct body *b)
{
	return body_fail(b, FAULT_MEMORY, b->taken, "no memory is left for this request");
}

bool buffer_room(struct body *b, struct buffer *buf, size_t more)
{
	size_t need = buf->len + more;
	char *grown;

	if (need <= buf->cap)
		return true;
	grown = arena_grow(b->arena, buf->at, &buf->cap, need < 64 ? 64 : need, 1);
	if (!grown)
		return no_memory(b);
	buf->at = grown;
	return true;
}

bool body_too_long(struct body *b, enum body_fault fault)
{
	return body_fail(b, fault, b->taken,
			 fault == FAULT_NAME ? "a name is too long" : "a value is too long");
}

bool buffer_put(struct body *b, struct buffer *buf, struct bytes more, size_t limit,
		enum body_fault fault)
{
	if (more.len > limit || buf->len > limit - more.len)
		return body_too_long(b, fault);
	if (!buffer_room(b, buf, more.len))
		return false;
	if (more.len)
		memcpy(buf->at + buf->len, more.at, more.len);
	buf->len += more.len;
	return true;
}

struct bytes buffer_keep(struct body *b, struct buffer *buf)
{
	struct bytes text = { buf->at, buf->len };
	struct bytes kept;

	if (text.len >= KEEP_WHOLE)
		*buf = (struct buffer){ 0 };
	else if (!body_keep(b, text, &kept))
		return (struct bytes){ 0 };
	else
		text = kept;
	buf->len = 0;
	return text;
}

bool body_keep(struct body *b, struct bytes from, struct bytes *kept)
{
	*kept = (struct bytes){ "", 0 };
	if (from.len == 0)
		return true;
	*kept = arena_copy(b->arena, from);
	return kept->at || no_memory(b);
}

static bool is_arg(enum value_kind k)
{
	return k == VALUE_ARG || k == VALUE_XML_TEXT || k == VALUE_XML_ATTRIBUTE;
}

bool body_tell(struct body *b, enum value_kind kind, struct bytes name, struct bytes value,
	       uint64_t at)
{
	const struct body_value v = { kind, name, value, at };

	if (is_arg(kind) && b->nargs++ >= b->setup.limits.args)
		return body_fail(b, FAULT_ARGS, at, "too many arguments");
	b->total += name.len + value.len;
	if (b->total > b->setup.limits.total_bytes)
		return body_fail(b, FAULT_TOTAL, at, "the names and values are too long together");
	return b->setup.sink->value(b->setup.owner, &v) || no_memory(b);
}

bool body_tell_copy(struct body *b, enum value_kind kind, struct bytes name, struct bytes value,
		    uint64_t at)
{
	char *p = arena_raw(b->arena, name.len + value.len + 1);

	if (!p)
		return no_memory(b);
	if (name.len)
		memcpy(p, name.at, name.len);
	if (value.len)
		memcpy(p + name.len, value.at, value.len);
	return body_tell(b, kind, (struct bytes){ p, name.len },
			 (struct bytes){ p + name.len, value.len }, at);
}
