/* text.c -- the bounded writer and its escapes. */
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>

void text_u64(struct text *t, uint64_t n)
{
	char buf[20];
	size_t i = sizeof buf;

	do
		buf[--i] = (char)('0' + n % 10);
	while (n /= 10);
	text_put(t, (struct bytes){ buf + i, sizeof buf - i });
}

void text_hex(struct text *t, uint64_t n)
{
	char buf[16];
	size_t i = sizeof buf;

	do
		buf[--i] = "0123456789abcdef"[n & 15];
	while (n >>= 4);
	text_put(t, (struct bytes){ buf + i, sizeof buf - i });
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->at + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	/* vsnprintf wants room for its NUL, which is not part of the text. */
	if (n < 0 || (size_t)n >= t->cap - t->len)
		t->full = true;
	else
		t->len += (size_t)n;
}

/* Length of the valid UTF-8 sequence at the front of b, 0 when there is none
 * (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
static size_t utf8_len(struct bytes b)
{
	const unsigned char *p = (const unsigned char *)b.at;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > b.len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void json_escape(struct text *t, unsigned char c)
{
	char buf[6] = { '\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15] };

	switch (c) {
	case '"': text_str(t, "\\\""); return;
	case '\\': text_str(t, "\\\\"); return;
	case '\n': text_str(t, "\\n"); return;
	case '\r': text_str(t, "\\r"); return;
	case '\t': text_str(t, "\\t"); return;
	default: text_put(t, (struct bytes){ buf, sizeof buf });
	}
}

void text_json(struct text *t, struct bytes b)
{
	size_t from = 0, n;

	text_byte(t, '"');
	for (size_t i = 0; i < b.len; i += n) {
		unsigned char c = (unsigned char)b.at[i];

		n = 1;
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f &&
		    (c < 0x80 || (n = utf8_len(bytes_from(b, i))) > 0))
			continue;
		n = 1;
		text_put(t, bytes_sub(b, from, i));
		json_escape(t, c);
		from = i + 1;
	}
	text_put(t, bytes_from(b, from));
	text_byte(t, '"');
}

void text_html(struct text *t, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		switch (b.at[i]) {
		case '&': text_str(t, "&amp;"); break;
		case '<': text_str(t, "&lt;"); break;
		case '>': text_str(t, "&gt;"); break;
		case '"': text_str(t, "&quot;"); break;
		case '\'': text_str(t, "&#39;"); break;
		default: text_byte(t, b.at[i]);
		}
}

void text_plain(struct text *t, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.at[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			text_byte(t, (char)c);
		else
			text_printf(t, "\\x%02x", c);
	}
}
