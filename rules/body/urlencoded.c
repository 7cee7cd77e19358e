/* urlencoded.c -- forms, taken apart byte class by byte class. */
#include "rules/body/urlencoded.h"
#include "rules/body/parser.h"

struct form {
	struct body body;
	struct buffer name, value;
	bool in_value;
	char escape[2];   /* a '%' and what followed it, where a piece ended */
	size_t nescape;
	uint64_t at;      /* where the name or value in hand began */
};

/* Ends a run of plain bytes. */
static bool is_special(char c)
{
	return c == '&' || c == '=' || c == '%' || c == '+';
}

static bool put(struct form *f, struct bytes run)
{
	const struct body_limits *l = &f->body.setup.limits;

	return f->in_value ? buffer_put(&f->body, &f->value, run, l->value_bytes, FAULT_VALUE)
			   : buffer_put(&f->body, &f->name, run, l->name_bytes, FAULT_NAME);
}

static bool put_byte(struct form *f, char c)
{
	return put(f, (struct bytes){ &c, 1 });
}

/* What looked like an escape is none: it stands for itself. */
static bool escape_broken(struct form *f)
{
	size_t n = f->nescape;

	f->nescape = 0;
	return put(f, (struct bytes){ f->escape, n });
}

/* Returns false once the parser failed; *used tells whether c was taken. */
static bool escape_byte(struct form *f, char c, bool *used)
{
	*used = byte_hex(c) >= 0;
	if (!*used)
		return escape_broken(f);
	if (f->nescape == 1) {
		f->escape[f->nescape++] = c;
		return true;
	}
	f->nescape = 0;
	return put_byte(f, (char)(byte_hex(f->escape[1]) << 4 | byte_hex(c)));
}

static bool pair_end(struct form *f, uint64_t next)
{
	bool empty = !f->in_value && f->name.len == 0; /* as in "a=1&&b=2" */
	uint64_t at = f->at;
	struct bytes name, value;

	f->in_value = false;
	f->at = next;
	if (empty)
		return true;
	name = buffer_keep(&f->body, &f->name);
	value = buffer_keep(&f->body, &f->value);
	return name.at && value.at && body_tell(&f->body, VALUE_ARG, name, value, at);
}

static bool special(struct form *f, char c, uint64_t next)
{
	switch (c) {
	case '&':
		return pair_end(f, next);
	case '%':
		f->escape[0] = c;
		f->nescape = 1;
		return true;
	case '+':
		return put_byte(f, ' ');
	default: /* '=' */
		if (f->in_value)
			return put_byte(f, c);
		f->in_value = true;
		f->at = next;
		return true;
	}
}

static bool open(struct body *b)
{
	(void)b;
	return true;
}

static bool push(struct body *b, struct bytes piece)
{
	struct form *f = (struct form *)b;
	size_t i = 0, from;
	bool used;

	while (i < piece.len) {
		if (f->nescape) {
			if (!escape_byte(f, piece.at[i], &used))
				return false;
			i += used;
			continue;
		}
		for (from = i; i < piece.len && !is_special(piece.at[i]);)
			i++;
		if (i > from && !put(f, bytes_sub(piece, from, i)))
			return false;
		if (i < piece.len && !special(f, piece.at[i], b->taken + i + 1))
			return false;
		i++;
	}
	return true;
}

static bool end(struct body *b)
{
	struct form *f = (struct form *)b;

	return (f->nescape == 0 || escape_broken(f)) && pair_end(f, b->taken);
}

const struct body_parser body_urlencoded = { "urlencoded", sizeof(struct form), open, push, end };

enum body_fault urlencoded_parse(struct arena *a, struct bytes query, const struct body_setup *s)
{
	struct body *b = body_new(a, &body_urlencoded, s);

	if (!b)
		return FAULT_MEMORY;
	body_push(b, query);
	return body_end(b);
}
