/* expr_json.c -- one value out of a JSON text, by its path.
 *
 * It is not checked that the whole is JSON: values are stepped over until the path is met, and what cannot be stepped over
 * ends the search. Nesting costs no stack. */
#include "base/expr_tree.h"
#include "base/text.h"

static void blanks(struct bytes *b)
{
	while (b->len && bytes_index(BYTES(" \t\r\n"), b->at[0]) != SIZE_MAX)
		*b = bytes_from(*b, 1);
}

/* Takes a text in quotes off the front. */
static bool take_text(struct bytes *b, struct bytes *text)
{
	for (size_t i = 1; i < b->len; i++) {
		if (b->at[i] == '\\') {
			i++;
		} else if (b->at[i] == '"') {
			*text = bytes_sub(*b, 1, i);
			*b = bytes_from(*b, i + 1);
			return true;
		}
	}
	return false;
}

/* Takes any value off the front, brackets with all that is in them. */
static bool take_value(struct bytes *b, struct bytes *raw, bool *is_text)
{
	struct bytes from = *b, text;
	size_t depth = 0;

	*is_text = b->len && b->at[0] == '"';
	if (*is_text)
		return take_text(b, raw);
	while (b->len) {
		char c = b->at[0];

		if (c == '"') {
			if (!take_text(b, &text))
				return false;
			continue;
		}
		if (!depth && bytes_index(BYTES(",]} \t\r\n"), c) != SIZE_MAX)
			break;
		depth += c == '{' || c == '[';
		*b = bytes_from(*b, 1);
		if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	*raw = bytes_sub(from, 0, from.len - b->len);
	return depth == 0 && raw->len > 0;
}

/* From the object or list in front to the value of a key, or the i-th item. */
static bool descend(struct bytes *b, struct bytes key, bool list)
{
	struct bytes name, raw;
	uint64_t wanted = 0;
	bool is_text;

	blanks(b);
	if (!b->len || b->at[0] != (list ? '[' : '{') || (list && !bytes_u64(key, &wanted)))
		return false;
	*b = bytes_from(*b, 1);
	for (uint64_t i = 0;; i++) {
		blanks(b);
		if (!list) {
			if (!b->len || b->at[0] != '"' || !take_text(b, &name))
				return false;
			blanks(b);
			if (!b->len || b->at[0] != ':')
				return false;
			*b = bytes_from(*b, 1);
			blanks(b);
		}
		if (list ? i == wanted : bytes_eq(name, key))
			return b->len && b->at[0] != ']';
		if (!take_value(b, &raw, &is_text))
			return false;
		blanks(b);
		if (!b->len || b->at[0] != ',')
			return false;
		*b = bytes_from(*b, 1);
	}
}

bool expr_json_find(struct bytes json, struct bytes path, struct bytes *raw, bool *is_text)
{
	while (path.len) {
		bool list = path.at[0] == '[';
		size_t end = 0;
		struct bytes key;

		while (end < path.len && (list ? path.at[end] != ']' : path.at[end] != '.' && path.at[end] != '['))
			end++;
		if (list && end == path.len)
			return false;
		key = bytes_sub(path, list, end);
		path = bytes_from(path, end + list);
		if (path.len && path.at[0] == '.')
			path = bytes_from(path, 1);
		if (!descend(&json, key, list))
			return false;
	}
	blanks(&json);
	return take_value(&json, raw, is_text);
}

static bool hex4(struct bytes b, uint32_t *out)
{
	*out = 0;
	for (size_t i = 0; i < 4; i++) {
		int v = i < b.len ? byte_hex(b.at[i]) : -1;

		if (v < 0)
			return false;
		*out = *out << 4 | (unsigned)v;
	}
	return true;
}

static void put_utf8(struct text *t, uint32_t r)
{
	if (r < 0x80) {
		text_byte(t, (char)r);
	} else if (r < 0x800) {
		text_byte(t, (char)(0xc0 | r >> 6));
		text_byte(t, (char)(0x80 | (r & 63)));
	} else if (r < 0x10000) {
		text_byte(t, (char)(0xe0 | r >> 12));
		text_byte(t, (char)(0x80 | (r >> 6 & 63)));
		text_byte(t, (char)(0x80 | (r & 63)));
	} else {
		text_byte(t, (char)(0xf0 | r >> 18));
		text_byte(t, (char)(0x80 | (r >> 12 & 63)));
		text_byte(t, (char)(0x80 | (r >> 6 & 63)));
		text_byte(t, (char)(0x80 | (r & 63)));
	}
}

/* "uXXXX", with the second half of a pair; returns how many bytes it took. */
static size_t put_unicode(struct text *t, struct bytes b)
{
	uint32_t r, low;

	if (!hex4(bytes_from(b, 1), &r)) {
		text_byte(t, 'u');
		return 1;
	}
	if (r >= 0xd800 && r < 0xdc00 && bytes_starts(bytes_from(b, 5), BYTES("\\u")) && hex4(bytes_from(b, 7), &low) &&
	    low >= 0xdc00 && low < 0xe000) {
		put_utf8(t, 0x10000 + ((r - 0xd800) << 10) + (low - 0xdc00));
		return 11;
	}
	put_utf8(t, r);
	return 5;
}

struct bytes expr_json_unescape(struct arena *a, struct bytes raw)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	char *at = arena_raw(a, raw.len + 1); /* no escape is shorter than what it stands for */
	struct text t = text_over(at, raw.len);

	for (size_t i = 0; at && i < raw.len;) {
		const char *letter;
		char c = raw.at[i++];

		if (c != '\\' || i == raw.len) {
			text_byte(&t, c);
		} else if (raw.at[i] == 'u') {
			i += put_unicode(&t, bytes_from(raw, i));
		} else {
			letter = raw.at[i] ? strchr(from, raw.at[i]) : NULL;
			text_byte(&t, letter ? to[letter - from] : raw.at[i]);
			i++;
		}
	}
	return text_bytes(&t);
}
