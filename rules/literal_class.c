/* literal_class.c -- escapes and classes: which bytes one byte of a match may be. */
#include "base/matcher_anchors.h"
#include "rules/literal_reader.h"

enum { CLASS_MAX = 8 }; /* bytes of a class that is spelt out */

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* "\xNN", "\x{NN}" and the like: the byte, or -1 for what is no single byte. */
static int escaped_byte(struct reader *r)
{
	static const char named[] = "nrtfea", bytes[] = "\n\r\t\f\033\a";
	char c = peek(r, 1);

	if (c == 'x' && hex(peek(r, 2)) >= 0 && hex(peek(r, 3)) >= 0) {
		int byte = hex(peek(r, 2)) << 4 | hex(peek(r, 3));

		r->at += 4;
		return byte;
	}
	if (c == 'x' && peek(r, 2) == '{' && hex(peek(r, 3)) >= 0 && hex(peek(r, 4)) >= 0 && peek(r, 5) == '}') {
		int byte = hex(peek(r, 3)) << 4 | hex(peek(r, 4));

		r->at += 6;
		return byte;
	}
	if (!c || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z' && !strchr(named, c)))
		return -1;
	r->at += 2;
	return strchr(named, c) ? (unsigned char)bytes[strchr(named, c) - named] : (unsigned char)c;
}

/* "alpha", "^digit" */
static bool is_posix_name(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && !(i == 0 && name.at[i] == '^'))
			return false;
	return name.len > 0;
}

/* Skips one item of a class; true and *byte: it is a single byte. */
static bool class_item(struct reader *r, char *byte)
{
	size_t posix = matcher_posix_class(bytes_from(r->in, r->at));
	int escaped;

	if (posix) {
		r->at += posix;
		r->parts.lost |= !is_posix_name(bytes_sub(r->in, r->at - posix + 2, r->at - 2));
		return false;
	}
	/* PCRE2 looks for its end past escapes and brackets: not understood. */
	r->parts.lost |= ahead_is(r, "[:") || ahead_is(r, "[.") || ahead_is(r, "[=");
	if (peek(r, 0) != '\\') {
		*byte = peek(r, 0);
		r->at++;
		return true;
	}
	r->parts.lost |= ahead_is(r, "\\Q") || ahead_is(r, "\\E") || ahead_is(r, "\\c"); /* "\c]" is one byte */
	escaped = escaped_byte(r);
	if (escaped < 0)
		r->at += 2;
	*byte = (char)escaped;
	return escaped >= 0;
}

/* The bytes of a class, as far as they are understood. What has many is only understood where few
 * of them count: each is a text of its own. */
struct class {
	uint64_t bytes[4];
	bool understood;
};

static void class_range(struct class *c, unsigned char from, unsigned char to)
{
	for (unsigned b = from; b <= to; b++)
		c->bytes[b / 64] |= (uint64_t)1 << b % 64;
}

/* "\s" and its like. */
static void class_named(struct class *c, char name)
{
	struct class named = { 0 };

	switch (name | 0x20) {
	case 'd':
		class_range(&named, '0', '9');
		break;
	case 's':
		class_range(&named, '\t', '\r');
		class_range(&named, ' ', ' ');
		break;
	case 'w':
		class_range(&named, '0', '9');
		class_range(&named, 'A', 'Z');
		class_range(&named, 'a', 'z');
		class_range(&named, '_', '_');
		break;
	default:
		c->understood = false;
	}
	for (size_t i = 0; i < nelems(named.bytes); i++)
		c->bytes[i] |= name & 0x20 ? named.bytes[i] : ~named.bytes[i];
}

/* One byte, a range, or a class by name; behind it. */
static void class_next(struct reader *r, struct class *c)
{
	bool named = peek(r, 0) == '\\';
	char low, high, name = peek(r, 1);

	if (!class_item(r, &low)) {
		if (named && r->parts.within)
			class_named(c, name);
		else
			c->understood = false;
		return;
	}
	high = low;
	if (peek(r, 0) == '-' && peek(r, 1) != ']') {
		r->at++;
		c->understood &= class_item(r, &high) && (unsigned char)low <= (unsigned char)high && r->parts.within;
	}
	if (c->understood)
		class_range(c, (unsigned char)low, (unsigned char)high);
}

/* A few bytes are spelt out, none is never met; more, and what is not understood, is unknown. */
static struct part class_part(struct reader *r, const struct class *c)
{
	struct part p = { .known = true, .texts = { arena_get(r->parts.arena, CLASS_MAX * sizeof(struct bytes)), 0 } };

	r->parts.lost |= !p.texts.at;
	if (r->parts.lost || !c->understood)
		return part_unknown();
	for (unsigned b = 0; b < 256; b++) {
		char byte = (char)b;

		if (!(c->bytes[b / 64] >> b % 64 & 1) || !part_may_hold(&r->parts, (unsigned char)b))
			continue;
		if (p.texts.n == CLASS_MAX)
			return part_unknown();
		p.texts.at[p.texts.n++] = arena_copy(r->parts.arena, (struct bytes){ &byte, 1 });
		r->parts.lost |= !p.texts.at[p.texts.n - 1].at;
	}
	return p.texts.n ? p : part_never();
}

struct part reader_escape(struct reader *r)
{
	int byte = escaped_byte(r);
	char c = peek(r, 1), text = (char)byte;
	struct class named = { .understood = true };

	if (byte >= 0)
		return part_of_text(&r->parts, (struct bytes){ &text, 1 });
	r->at += 2;
	if (c && strchr("bBAzZ", c))
		return part_nothing(&r->parts);
	if (c && strchr("dDsSwW", c) && r->parts.within) {
		class_named(&named, c);
		return class_part(r, &named);
	}
	if (c >= '1' && c <= '9') /* a back reference, or octal */
		r->at += digits(r, 0);
	else if (!c || !strchr("dDsSwWvVhHNR", c))
		r->parts.lost = true; /* \Q, \K, \G, properties, ... */
	return part_unknown();
}

struct part reader_class(struct reader *r)
{
	bool negated = peek(r, 1) == '^';
	struct class c = { .understood = true };

	r->at += negated ? 2 : 1;
	for (bool first = true; more(r) && (first || peek(r, 0) != ']'); first = false)
		class_next(r, &c);
	r->parts.lost |= r->at >= r->in.len;
	r->at++;
	for (size_t i = 0; negated && i < nelems(c.bytes); i++)
		c.bytes[i] = ~c.bytes[i];
	return class_part(r, &c);
}
