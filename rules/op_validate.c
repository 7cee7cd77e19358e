/* op_validate.c -- what a value may be made of. These match what is NOT valid.
 *
 * Description  validateByteRange: a byte that is not listed. validateUrlEncoding:
 *              a '%' without two hexadecimal digits. validateUtf8Encoding: bytes
 *              that are no UTF-8 (RFC 3629: no overlong form, no surrogate,
 *              nothing past U+10FFFF)
 * Argument     of validateByteRange: numbers and ranges, "9,10,13,32-126"
 * True when    there is such a byte or sequence; it is the place that is shown
 * Example      %0z       c0 af */
#include "rules/op_parts.h"

static bool byte_number(struct bytes b, uint64_t *out)
{
	return bytes_u64(bytes_trim(b), out) && *out <= 255;
}

bool op_bytes(struct bytes text, uint64_t set[4], struct err *e)
{
	struct bytes part;
	uint64_t from, to;

	memset(set, 0, 4 * sizeof *set);
	if (!bytes_trim(text).len)
		return err_set(e, SIDE_CONFIG, 0, "no bytes are listed: write for example 32-126");
	while (bytes_cut(&text, ',', &part)) {
		size_t dash = bytes_index(part, '-');
		bool ok = byte_number(bytes_sub(part, 0, dash), &from);

		to = from;
		if (ok && dash != SIZE_MAX)
			ok = byte_number(bytes_from(part, dash + 1), &to);
		if (!ok || from > to)
			return err_set(e, SIDE_CONFIG, 0, "'%.*s' is neither a byte nor a range of bytes, 0 to 255",
				       (int)(part.len < 64 ? part.len : 64), part.len ? part.at : "");
		for (uint64_t c = from; c <= to; c++)
			set[c / 64] |= (uint64_t)1 << c % 64;
	}
	return true;
}

enum answer op_byte_range(const struct operand *o, struct bytes v, struct span *s)
{
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.at[i];

		if (!(o->bytes[c / 64] >> c % 64 & 1))
			return op_yes_at(s, i, 1);
	}
	return ANSWER_NO;
}

enum answer op_url_encoding(const struct operand *o, struct bytes v, struct span *s)
{
	(void)o;
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] != '%')
			continue;
		if (v.len - i < 3 || byte_hex(v.at[i + 1]) < 0 || byte_hex(v.at[i + 2]) < 0)
			return op_yes_at(s, i, v.len - i < 3 ? v.len - i : 3);
		i += 2;
	}
	return ANSWER_NO;
}

/* How many bytes the first character of v takes; 0: it is none. */
static size_t utf8_len(struct bytes v)
{
	static const struct { unsigned char first, last, low, high; size_t len; } forms[] = {
		{ 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	unsigned char c = (unsigned char)v.at[0], second = v.len > 1 ? (unsigned char)v.at[1] : 0;

	for (size_t i = 0; i < nelems(forms); i++) {
		if (c < forms[i].first || c > forms[i].last)
			continue;
		if (forms[i].len > v.len || (forms[i].len > 1 && (second < forms[i].low || second > forms[i].high)))
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if (((unsigned char)v.at[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

enum answer op_utf8_encoding(const struct operand *o, struct bytes v, struct span *s)
{
	size_t n;

	(void)o;
	for (size_t i = 0; i < v.len; i += n)
		if (!(n = utf8_len(bytes_from(v, i))))
			return op_yes_at(s, i, 1);
	return ANSWER_NO;
}
