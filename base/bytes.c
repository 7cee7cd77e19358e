/* bytes.c -- slices of memory that somebody else owns. */
#include "base/bytes.h"

bool bytes_eq_nocase(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (byte_lower(a.at[i]) != byte_lower(b.at[i]))
			return false;
	return true;
}

bool bytes_starts(struct bytes b, struct bytes prefix)
{
	return bytes_eq(bytes_sub(b, 0, prefix.len), prefix);
}

bool bytes_starts_nocase(struct bytes b, struct bytes prefix)
{
	return bytes_eq_nocase(bytes_sub(b, 0, prefix.len), prefix);
}

bool bytes_ends(struct bytes b, struct bytes suffix)
{
	return b.len >= suffix.len && bytes_eq(bytes_from(b, b.len - suffix.len), suffix);
}

size_t bytes_find(struct bytes hay, struct bytes needle)
{
	const char *p;

	if (needle.len == 0)
		return 0;
	if (hay.len < needle.len)
		return SIZE_MAX;
	p = memmem(hay.at, hay.len, needle.at, needle.len);
	return p ? (size_t)(p - hay.at) : SIZE_MAX;
}

size_t bytes_find_nocase(struct bytes hay, struct bytes needle)
{
	char first = needle.len ? byte_lower(needle.at[0]) : 0;

	for (size_t i = 0; i + needle.len <= hay.len; i++)
		if (!needle.len || (byte_lower(hay.at[i]) == first && bytes_starts_nocase(bytes_from(hay, i), needle)))
			return i;
	return SIZE_MAX;
}

size_t bytes_index(struct bytes b, char c)
{
	const char *p = b.len ? memchr(b.at, c, b.len) : NULL;

	return p ? (size_t)(p - b.at) : SIZE_MAX;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct bytes bytes_trim(struct bytes b)
{
	while (b.len && is_blank(b.at[0]))
		b = bytes_from(b, 1);
	while (b.len && is_blank(b.at[b.len - 1]))
		b.len--;
	return b;
}

bool bytes_cut(struct bytes *rest, char sep, struct bytes *part)
{
	size_t at;

	if (!rest->at)
		return false;
	at = bytes_index(*rest, sep);
	if (at == SIZE_MAX) {
		*part = *rest;
		*rest = (struct bytes){ 0 };
		return true;
	}
	*part = bytes_sub(*rest, 0, at);
	*rest = bytes_from(*rest, at + 1);
	return true;
}

bool bytes_u64(struct bytes b, uint64_t *out)
{
	uint64_t n = 0;

	if (b.len == 0)
		return false;
	for (size_t i = 0; i < b.len; i++) {
		unsigned d = (unsigned char)b.at[i] - (unsigned)'0';

		if (d > 9 || n > (UINT64_MAX - d) / 10)
			return false;
		n = n * 10 + d;
	}
	*out = n;
	return true;
}

int bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int d = n ? memcmp(a.at, b.at, n) : 0;

	return d ? d : (a.len > b.len) - (a.len < b.len);
}

void bytes_hex(const void *from, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = from;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[at[i] >> 4];
		out[2 * i + 1] = digits[at[i] & 15];
	}
	out[2 * n] = '\0';
}
