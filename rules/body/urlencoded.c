/* urlencoded.c -- forms, decoded run by run straight into the buffer. */
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

static struct buffer *current(struct form *f)
{
	return f->in_value ? &f->value : &f->name;
}

static bool within_bound(struct form *f)
{
	const struct body_limits *l = &f->body.setup.limits;

	return current(f)->len <= (f->in_value ? l->value_bytes : l->name_bytes) ||
	       body_too_long(&f->body, f->in_value ? FAULT_VALUE : FAULT_NAME);
}

/* One escape at p, of which n bytes are there: what it stands for, or -1. */
static int escaped(const char *p, size_t n)
{
	int high = n > 2 ? byte_hex(p[1]) : -1, low = n > 2 ? byte_hex(p[2]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* An escape that the end of the piece may have cut: kept for the next one. */
static bool escape_cut(struct form *f, const char *p, size_t n)
{
	if (n > 2 || (n == 2 && byte_hex(p[1]) < 0))
		return false;
	memcpy(f->escape, p, n);
	f->nescape = n;
	return true;
}

/* Decodes a run that holds no separator; `last`: the piece ends with it. */
static bool decode(struct form *f, struct bytes run, bool last)
{
	struct buffer *to = current(f);
	char *out;
	int c;

	if (run.len == 0 || !buffer_room(&f->body, to, run.len))
		return run.len == 0;
	out = to->at + to->len;
	for (const char *p = run.at, *end = p + run.len; p < end; p++) {
		if (*p != '%') {
			*out++ = *p == '+' ? ' ' : *p;
		} else if ((c = escaped(p, (size_t)(end - p))) >= 0) {
			*out++ = (char)c;
			p += 2;
		} else if (last && escape_cut(f, p, (size_t)(end - p))) {
			break;
		} else {
			*out++ = *p;
		}
	}
	to->len = (size_t)(out - to->at);
	return within_bound(f);
}

/* Goes on with a cut escape. What looked like one and is none stands for
 * itself; *used tells whether c was taken. */
static bool escape_more(struct form *f, char c, bool *used)
{
	char text[3] = { '%', f->escape[1], c };
	size_t n = f->nescape;

	*used = byte_hex(c) >= 0;
	if (*used && n == 1) {
		f->escape[f->nescape++] = c;
		return true;
	}
	f->nescape = 0;
	return decode(f, (struct bytes){ text, *used ? 3 : n }, false);
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

static bool separator(struct form *f, char c, uint64_t next)
{
	if (c == '&')
		return pair_end(f, next);
	f->in_value = true;
	f->at = next;
	return true;
}

/* Length of the run before the next separator; a '=' in a value is none. */
static size_t run_len(const struct form *f, struct bytes s)
{
	size_t n = 0;

	if (f->in_value)
		n = bytes_index(s, '&');
	else
		while (n < s.len && s.at[n] != '&' && s.at[n] != '=')
			n++;
	return n < s.len ? n : s.len;
}

static bool open(struct body *b)
{
	(void)b;
	return true;
}

static bool push(struct body *b, struct bytes piece)
{
	struct form *f = (struct form *)b;
	size_t i = 0, n;
	bool used;

	while (i < piece.len) {
		if (f->nescape) {
			if (!escape_more(f, piece.at[i], &used))
				return false;
			i += used;
			continue;
		}
		n = run_len(f, bytes_from(piece, i));
		if (!decode(f, bytes_sub(piece, i, i + n), i + n == piece.len))
			return false;
		i += n;
		if (i < piece.len && !separator(f, piece.at[i], b->taken + i + 1))
			return false;
		i++;
	}
	return true;
}

static bool end(struct body *b)
{
	struct form *f = (struct form *)b;

	return (!f->nescape || decode(f, (struct bytes){ f->escape, f->nescape }, false)) &&
	       pair_end(f, b->taken);
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
