/* list_read_json.c -- JSON of any length in pieces: a machine of states, and a stack of what is open.
 *
 * Of an object only the members are kept that may be wanted, until it ends; then it is one record. */
#include "cti/list_read_parts.h"
#include <stdlib.h>

enum { KEY_MAX = 48, LITERAL_MAX = 40 };
enum { TEXT_BYTES = (LIST_DEPTH_MAX + 1) * LIST_FIELDS * LIST_TEXT_MAX };

enum state { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, BEHIND, STRING, ESCAPE, UNICODE, LITERAL };

struct frame {
	bool object, quiet;  /* quiet: nothing in it counts */
	bool tells;          /* has what may be a record, or holds others: not to be counted as none */
	uint8_t nkey;
	char key[KEY_MAX];   /* of the member that is read; of a list: under which it is */
	size_t mark;         /* where its texts begin */
	struct bytes fields[LIST_FIELDS];
};

struct list_json {
	enum state state;
	bool is_key, too_long;
	unsigned depth, hex, nhex;
	size_t from;         /* of the string that is read; in `text` */
	size_t used;
	struct frame open[LIST_DEPTH_MAX];
	char text[TEXT_BYTES];
};

struct list_json *list_json_new(void)
{
	return calloc(1, sizeof(struct list_json));
}

void list_json_free(struct list_json *j)
{
	free(j);
}

static bool broken(struct list_reader *r, const char *what, struct err *err)
{
	return err_set(err, SIDE_UPSTREAM, 0, "line %lu: broken JSON: %s", r->line, what);
}

static struct frame *top(struct list_json *j)
{
	return &j->open[j->depth - 1];
}

static struct bytes key_of(const struct frame *f)
{
	return (struct bytes){ f->key, f->nkey };
}

/* ---- what is open ---- */

/* Below these are no members, however much what is there looks like one. */
static bool is_quiet(const struct list_reader *r, struct bytes key)
{
	return bytes_eq(key, BYTES("deleted")) ||
	       (r->o.decisions && (bytes_eq(key, BYTES("source")) || bytes_eq(key, BYTES("events")) || bytes_eq(key, BYTES("meta"))));
}

static bool open_frame(struct list_reader *r, bool object, struct err *err)
{
	struct list_json *j = r->json;
	struct frame *outer = j->depth ? top(j) : NULL, *f = &j->open[j->depth];

	if (j->depth == LIST_DEPTH_MAX)
		return err_set(err, SIDE_UPSTREAM, 0, "line %lu: deeper than %d", r->line, LIST_DEPTH_MAX);
	*f = (struct frame){ .object = object, .mark = j->used };
	if (outer) {
		outer->tells = true;
		f->quiet = outer->quiet || (outer->nkey && is_quiet(r, key_of(outer)));
		f->nkey = object ? 0 : outer->nkey;
		memcpy(f->key, outer->key, f->nkey);
	}
	j->depth++;
	j->state = object ? KEY_OR_END : VALUE_OR_END;
	return true;
}

static bool close_frame(struct list_reader *r, bool object, struct err *err)
{
	struct list_json *j = r->json;
	struct frame *f = j->depth ? top(j) : NULL;

	if (!f || f->object != object)
		return broken(r, "a bracket that does not fit", err);
	j->depth--;
	j->used = f->mark;
	j->state = j->depth ? BEHIND : VALUE;
	if (!object || f->quiet)
		return true;
	if (f->fields[LIST_VALUE].at)
		return list_reader_take(r, f->fields, err);
	r->skipped += !f->tells;
	return true;
}

/* ---- a text, or a number ---- */

/* Which member of an object it is; LIST_FIELDS: none that is wanted. */
static enum list_field field_of(const struct list_reader *r, const struct frame *f, struct bytes text)
{
	struct list_block b;
	enum list_field field = list_field_named(key_of(f));

	if (r->o.column.len && bytes_eq(key_of(f), r->o.column))
		return LIST_VALUE;
	if (field != LIST_VALUE && field != LIST_FIELDS)
		return r->o.decisions ? field : !r->o.column.len && list_block_parse(text, &b) ? LIST_VALUE : LIST_FIELDS;
	if (r->o.column.len)
		return LIST_FIELDS;
	if (r->o.decisions)
		return field;
	return list_block_parse(text, &b) ? LIST_VALUE : LIST_FIELDS;
}

/* A text in a list is a member by itself. */
static bool take_item(struct list_reader *r, const struct frame *f, struct bytes text, struct err *err)
{
	struct bytes fields[LIST_FIELDS] = { [LIST_VALUE] = text };

	if (f && (f->quiet || is_quiet(r, key_of(f)) || (r->o.column.len && !bytes_eq(key_of(f), r->o.column))))
		return true;
	return list_reader_take(r, fields, err);
}

static bool take_text(struct list_reader *r, struct bytes text, bool is_string, struct err *err)
{
	struct list_json *j = r->json;
	struct frame *f = j->depth ? top(j) : NULL;
	enum list_field field;

	j->state = j->depth ? BEHIND : VALUE;
	j->used = j->from;
	if (j->too_long)
		return true;
	if (!f || !f->object)
		return !is_string || take_item(r, f, text, err);
	field = field_of(r, f, text);
	if (field == LIST_FIELDS || f->fields[field].at)
		return true;
	f->fields[field] = text;
	j->used += text.len;
	return true;
}

static void take_key(struct list_json *j)
{
	struct frame *f = top(j);

	f->nkey = (uint8_t)(!j->too_long && j->used - j->from <= KEY_MAX ? j->used - j->from : 0);
	memcpy(f->key, j->text + j->from, f->nkey);
	j->used = j->from;
	j->state = COLON;
}

/* ---- bytes ---- */

static void begin(struct list_json *j, enum state state, bool is_key)
{
	j->state = state;
	j->is_key = is_key;
	j->too_long = false;
	j->from = j->used;
}

static void put(struct list_json *j, struct bytes b)
{
	if (j->too_long || j->used - j->from + b.len > LIST_TEXT_MAX) {
		j->too_long = true;
		return;
	}
	memcpy(j->text + j->used, b.at, b.len);
	j->used += b.len;
}

static void put_code(struct list_json *j, unsigned c)
{
	char out[3] = { (char)c };

	if (!c || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c >= 0x800)
		memcpy(out, (char[]){ (char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 63)), (char)(0x80 | (c & 63)) }, 3);
	else if (c >= 0x80)
		memcpy(out, (char[]){ (char)(0xc0 | c >> 6), (char)(0x80 | (c & 63)) }, 2);
	put(j, (struct bytes){ out, c >= 0x800 ? 3 : c >= 0x80 ? 2 : 1 });
}

static bool in_escape(struct list_reader *r, char c, struct err *err)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	struct list_json *j = r->json;
	const char *at = c ? strchr(from, c) : NULL;

	if (j->state == UNICODE) {
		if (byte_hex(c) < 0)
			return broken(r, "\\u without four hexadecimal digits", err);
		j->hex = j->hex << 4 | (unsigned)byte_hex(c);
		if (++j->nhex == 4) {
			put_code(j, j->hex);
			j->state = STRING;
		}
		return true;
	}
	j->hex = j->nhex = 0;
	j->state = c == 'u' ? UNICODE : STRING;
	if (c != 'u' && !at)
		return broken(r, "an unknown escape", err);
	if (at)
		put(j, (struct bytes){ to + (at - from), 1 });
	return true;
}

/* Up to the quote or backslash, in one go. */
static bool in_string(struct list_reader *r, struct bytes *b, struct err *err)
{
	struct list_json *j = r->json;
	size_t n = 0;

	while (n < b->len && b->at[n] != '"' && b->at[n] != '\\' && (unsigned char)b->at[n] >= ' ')
		n++;
	put(j, bytes_sub(*b, 0, n));
	*b = bytes_from(*b, n);
	if (!b->len)
		return true;
	if ((unsigned char)*b->at < ' ')
		return broken(r, "a control character in a text", err);
	n = *b->at == '"';
	*b = bytes_from(*b, 1);
	if (!n) {
		j->state = ESCAPE;
		return true;
	}
	if (!j->is_key)
		return take_text(r, (struct bytes){ j->text + j->from, j->used - j->from }, true, err);
	take_key(j);
	return true;
}

static bool is_literal(struct bytes b)
{
	size_t digits = 0;

	if (bytes_eq(b, BYTES("true")) || bytes_eq(b, BYTES("false")) || bytes_eq(b, BYTES("null")))
		return true;
	for (size_t i = 0; i < b.len; i++) {
		if (!strchr("+-.eE0123456789", b.at[i]))
			return false;
		digits += b.at[i] >= '0' && b.at[i] <= '9';
	}
	return digits > 0 && *b.at != '+' && *b.at != '.' && byte_lower(*b.at) != 'e';
}

static bool end_literal(struct list_reader *r, struct err *err)
{
	struct list_json *j = r->json;
	struct bytes text = { j->text + j->from, j->used - j->from };

	if (j->too_long || text.len > LITERAL_MAX || !is_literal(text))
		return broken(r, "neither a text, a number, a list nor an object", err);
	return take_text(r, text, false, err);
}

static bool is_word(char c)
{
	return (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

/* A byte that is neither blank nor in a text or literal. */
static bool structure(struct list_reader *r, char c, struct err *err)
{
	struct list_json *j = r->json;
	bool value = j->state == VALUE || j->state == VALUE_OR_END, behind = j->state == BEHIND;

	if (c == '"' && (value || j->state == KEY || j->state == KEY_OR_END)) {
		begin(j, STRING, !value);
		return true;
	}
	if (value && (c == '{' || c == '['))
		return open_frame(r, c == '{', err);
	if ((c == '}' && (j->state == KEY_OR_END || (behind && top(j)->object))) ||
	    (c == ']' && (j->state == VALUE_OR_END || (behind && !top(j)->object))))
		return close_frame(r, c == '}', err);
	if (c == ':' && j->state == COLON) {
		j->state = VALUE;
		return true;
	}
	if (c == ',' && behind) {
		j->state = top(j)->object ? KEY : VALUE;
		return true;
	}
	return broken(r, value ? "a value is expected" : behind ? "',' or an end is expected" :
			 j->state == COLON ? "':' is expected" : "a name is expected", err);
}

static bool next(struct list_reader *r, struct bytes *b, struct err *err)
{
	struct list_json *j = r->json;
	char c = *b->at;

	if (j->state == STRING)
		return in_string(r, b, err);
	if (j->state == LITERAL && !is_word(c))
		return end_literal(r, err); /* and the byte is seen again */
	*b = bytes_from(*b, 1);
	if (j->state == ESCAPE || j->state == UNICODE)
		return in_escape(r, c, err);
	r->line += c == '\n';
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		return true;
	if ((j->state == VALUE || j->state == VALUE_OR_END) && is_word(c))
		begin(j, LITERAL, false);
	if (j->state != LITERAL)
		return structure(r, c, err);
	put(j, (struct bytes){ &c, 1 });
	return true;
}

bool list_json_put(struct list_reader *r, struct bytes b, struct err *err)
{
	while (b.len)
		if (!next(r, &b, err))
			return false;
	return true;
}

bool list_json_end(struct list_reader *r, struct err *err)
{
	struct list_json *j = r->json;

	if (j->state == LITERAL && !end_literal(r, err))
		return false;
	return (!j->depth && j->state == VALUE) || broken(r, "it is cut short", err);
}
