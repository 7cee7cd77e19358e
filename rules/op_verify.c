/* op_verify.c -- numbers that carry their own proof.
 *
 * Description  verifyCC: payment cards (Luhn). verifyCPF: Brazil's taxpayers.
 *              verifySSN: social security of the USA, as issued before 2011.
 *              verifySVNR: Austria's insurance numbers
 * Argument     an expression that finds what may be one
 * True when    the digits of one of its matches, each looked for behind the one
 *              before, pass the check
 * Example      "@verifyCC \d{13,16}" on "paid with 4111111111111111" */
#include "rules/op_parts.h"

enum { DIGITS_MAX = 64 };

struct digits {
	unsigned at[DIGITS_MAX];
	size_t n; /* may be more than there is room for */
};

typedef bool check(const struct digits *);

static struct digits digits_of(struct bytes text)
{
	struct digits d = { .n = 0 };

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			continue;
		if (d.n < DIGITS_MAX)
			d.at[d.n] = (unsigned)(text.at[i] - '0');
		d.n++;
	}
	return d;
}

static enum answer verify(const struct operand *o, struct bytes v, struct span *s, check *is_one)
{
	size_t start = 0, from = 0, to = 0;

	while (start <= v.len)
		switch (regex_find(o->regex, bytes_from(v, start), &from, &to)) {
		case REGEX_NO:
			return ANSWER_NO;
		case REGEX_LIMIT:
			return ANSWER_LIMIT;
		case REGEX_YES: {
			struct digits d = digits_of(bytes_sub(v, start + from, start + to));

			if (is_one(&d))
				return op_yes_at(s, start + from, to - from);
			start += to > from ? to : from + 1;
		}
		}
	return ANSWER_NO;
}

/* Every second digit from the right counts twice, with its digits summed. */
static bool is_cc(const struct digits *d)
{
	static const unsigned twice[] = { 0, 2, 4, 6, 8, 1, 3, 5, 7, 9 };
	unsigned sum = 0;

	if (!d->n || d->n > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < d->n; i++)
		sum += (d->n - i) % 2 ? d->at[i] : twice[d->at[i]];
	return sum % 10 == 0;
}

/* All digits go up by `step` from one to the next. */
static bool is_row(const struct digits *d, unsigned step)
{
	for (size_t i = 1; i < d->n; i++)
		if (d->at[i] != (d->at[i - 1] + step) % 10)
			return false;
	return true;
}

/* The check digit of the first n. */
static unsigned cpf_digit(const struct digits *d, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += d->at[i] * (unsigned)(n + 1 - i);
	return sum * 10 % 11 % 10;
}

static bool is_cpf(const struct digits *d)
{
	return d->n == 11 && !is_row(d, 0) && !is_row(d, 1) && d->at[9] == cpf_digit(d, 9) &&
	       d->at[10] == cpf_digit(d, 10);
}

/* Area, group and serial number. */
static bool is_ssn(const struct digits *d)
{
	const unsigned *n = d->at;
	unsigned area;

	if (d->n != 9 || is_row(d, 0) || is_row(d, 1))
		return false;
	area = n[0] * 100 + n[1] * 10 + n[2];
	return area && area != 666 && area < 740 && (n[3] || n[4]) && (n[5] || n[6] || n[7] || n[8]);
}

/* Three digits, the check digit, the birthday. */
static bool is_svnr(const struct digits *d)
{
	static const unsigned weights[10] = { 3, 7, 9, 0, 5, 8, 4, 2, 1, 6 };
	unsigned sum = 0;

	if (d->n != 10 || is_row(d, 0))
		return false;
	for (size_t i = 0; i < 10; i++)
		sum += d->at[i] * weights[i];
	return sum % 11 == d->at[3];
}

enum answer op_verify_cc(const struct operand *o, struct bytes v, struct span *s)
{
	return verify(o, v, s, is_cc);
}

enum answer op_verify_cpf(const struct operand *o, struct bytes v, struct span *s)
{
	return verify(o, v, s, is_cpf);
}

enum answer op_verify_ssn(const struct operand *o, struct bytes v, struct span *s)
{
	return verify(o, v, s, is_ssn);
}

enum answer op_verify_svnr(const struct operand *o, struct bytes v, struct span *s)
{
	return verify(o, v, s, is_svnr);
}
