/* transform_fold.c -- bytes changed one by one, UTF-8, and PHP's names. */
#include "rules/transform_steps.h"

static char same_or_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* All eight bits are counted, bit 7 too, as ModSecurity does. */
static bool odd(char c)
{
	return __builtin_parity((unsigned char)c);
}

static char even_7bit(char c)
{
	return (char)(odd(c) ? c | 0x80 : c & 0x7f);
}

static char odd_7bit(char c)
{
	return (char)(odd(c) ? c & 0x7f : c | 0x80);
}

static char zero_7bit(char c)
{
	return (char)(c & 0x7f);
}

/* Always inlined, so that the loop is one over `fold`'s own code. */
static inline __attribute__((always_inline)) struct bytes each(struct arena *a, struct bytes in,
								char (*fold)(char))
{
	size_t i = 0;
	char *out;

	while (i < in.len && fold(in.at[i]) == in.at[i])
		i++;
	if (i == in.len)
		return in;
	out = arena_raw(a, in.len);
	if (!out)
		return (struct bytes){ 0 };
	memcpy(out, in.at, i);
	for (; i < in.len; i++)
		out[i] = fold(in.at[i]);
	return (struct bytes){ out, in.len };
}

struct bytes t_lowercase(struct arena *a, struct bytes in)
{
	return each(a, in, byte_lower);
}

struct bytes t_uppercase(struct arena *a, struct bytes in)
{
	return each(a, in, same_or_upper);
}

struct bytes t_parity_even_7bit(struct arena *a, struct bytes in)
{
	return each(a, in, even_7bit);
}

struct bytes t_parity_odd_7bit(struct arena *a, struct bytes in)
{
	return each(a, in, odd_7bit);
}

struct bytes t_parity_zero_7bit(struct arena *a, struct bytes in)
{
	return each(a, in, zero_7bit);
}

/* Length of the sequence at p, 0 when it is none (such bytes are kept, where
 * ModSecurity v3 drops them). Overlong forms and surrogates count: a lax decoder
 * behind us reads them so. */
static size_t utf8_sequence(const char *p, size_t left, unsigned *code)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c >= 0xf8 ? 0 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 0;

	if (n == 0 || n > left)
		return 0;
	*code = c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3fu);
	}
	return n;
}

/* %u and at least four digits; six are possible. */
static char *put_code(char *out, unsigned code)
{
	unsigned shift = code > 0xfffff ? 20 : code > 0xffff ? 16 : 12;

	*out++ = '%';
	*out++ = 'u';
	for (;; shift -= 4) {
		*out++ = "0123456789abcdef"[code >> shift & 15];
		if (shift == 0)
			return out;
	}
}

struct bytes t_utf8_to_unicode(struct arena *a, struct bytes in)
{
	char *out = in.len <= SIZE_MAX / 3 ? arena_raw(a, in.len * 3) : NULL, *to = out;
	unsigned code;
	size_t n;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i += n) {
		n = in.at[i] & 0x80 ? utf8_sequence(in.at + i, in.len - i, &code) : 0;
		if (n)
			to = put_code(to, code);
		else
			*to++ = in.at[i];
		n += !n;
	}
	return transform_result(in, out, (size_t)(to - out));
}

/* The keys behind a name: "[a][ ]..." up to what is none. PHP skips one white
 * space in front of a ']', and ends at the first '[' that is not closed. */
static char *php_keys(char *to, struct bytes rest)
{
	while (rest.len && rest.at[0] == '[') {
		size_t close = bytes_index(rest, ']');

		if (close == SIZE_MAX)
			break;
		if (close == 2 && byte_is_space(rest.at[1])) {
			*to++ = '[';
			*to++ = ']';
		} else {
			memcpy(to, rest.at, close + 1);
			to += close + 1;
		}
		rest = bytes_from(rest, close + 1);
	}
	return to;
}

/* As php_register_variable_ex() has it: leading blanks go, blanks and dots of
 * the first segment become '_', and so does a first '[' that is not closed. */
struct bytes t_php_args_names(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len), *to = out;
	struct bytes rest = in;

	if (!out)
		return (struct bytes){ 0 };
	while (rest.len && rest.at[0] == ' ')
		rest = bytes_from(rest, 1);
	for (; rest.len && rest.at[0] != '['; rest = bytes_from(rest, 1))
		*to++ = rest.at[0] == ' ' || rest.at[0] == '.' ? '_' : rest.at[0];
	if (rest.len && to > out && bytes_index(rest, ']') == SIZE_MAX) {
		*to++ = '_';
		memcpy(to, rest.at + 1, rest.len - 1);
		to += rest.len - 1;
	} else if (to > out) {
		to = php_keys(to, rest);
	}
	return transform_result(in, out, (size_t)(to - out));
}
