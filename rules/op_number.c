/* op_number.c -- a value as a number beside another.
 *
 * Two readings of what is no number. SecLang's is C's: blanks and leading digits
 * count, so "12a" is 12, and "x" is 0; that holds for the rule's argument too.
 * CrowdSec's is Go's strconv.Atoi, whose error leaves 0: "12a" is 0. Past 64
 * bits both take the nearest number, where Go would say 0 again. */
#include "rules/op_parts.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int64_t signed_number(struct bytes digits, bool minus)
{
	uint64_t n;

	if (!digits.len)
		return 0;
	if (!bytes_u64(digits, &n) || n > INT64_MAX)
		n = INT64_MAX;
	return minus ? -(int64_t)n : (int64_t)n;
}

static bool take_sign(struct bytes *v)
{
	bool minus = v->len && v->at[0] == '-';

	*v = bytes_from(*v, minus || (v->len && v->at[0] == '+'));
	return minus;
}

int64_t op_number(struct bytes v)
{
	size_t n = 0;
	bool minus;

	while (v.len && (v.at[0] == ' ' || (v.at[0] >= '\t' && v.at[0] <= '\r')))
		v = bytes_from(v, 1);
	minus = take_sign(&v);
	while (n < v.len && is_digit(v.at[n]))
		n++;
	return signed_number(bytes_sub(v, 0, n), minus);
}

static int64_t go_number(struct bytes v)
{
	bool minus = take_sign(&v);

	for (size_t i = 0; i < v.len; i++)
		if (!is_digit(v.at[i]))
			return 0;
	return signed_number(v, minus);
}

enum answer op_eq(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(op_number(v) == o->number, v, s);
}

enum answer op_gt(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(op_number(v) > o->number, v, s);
}

enum answer op_ge(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(op_number(v) >= o->number, v, s);
}

enum answer op_lt(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(op_number(v) < o->number, v, s);
}

enum answer op_le(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(op_number(v) <= o->number, v, s);
}

enum answer op_go_eq(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(go_number(v) == o->number, v, s);
}

enum answer op_go_gt(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(go_number(v) > o->number, v, s);
}

enum answer op_go_ge(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(go_number(v) >= o->number, v, s);
}

enum answer op_go_lt(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(go_number(v) < o->number, v, s);
}

enum answer op_go_le(const struct operand *o, struct bytes v, struct span *s)
{
	return op_when(go_number(v) <= o->number, v, s);
}
