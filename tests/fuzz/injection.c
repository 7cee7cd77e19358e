/* What is told without libinjection is what libinjection says: SQL of one token, script without the bytes it needs. */
#include "rules/operators.h"
#include <stdint.h>
#include <stdlib.h>

int libinjection_sqli(const char *s, size_t len, char fingerprint[8]);

static bool has_held(const struct op *op, struct bytes v)
{
	struct operand none = { 0 };
	uint64_t set[4];

	op_bytes_held(op, &none, set);
	for (size_t i = 0; i < v.len; i++)
		if (set[(unsigned char)v.at[i] / 64] >> (unsigned char)v.at[i] % 64 & 1)
			return true;
	return false;
}

static bool says_yes(const struct op *op, struct bytes v)
{
	struct operand none = { 0 };
	struct span s;

	return op->test(&none, v, &s) == ANSWER_YES;
}

static void check(struct bytes v)
{
	const struct op *xss = op_find(BYTES("detectXSS")), *sqli = op_find(BYTES("detectSQLi"));
	char fingerprint[8] = "";

	if (says_yes(xss, v) && !has_held(xss, v))
		abort();
	if (says_yes(sqli, v) != (v.len && libinjection_sqli(v.at, v.len, fingerprint)))
		abort();
}

/* As it is, and without the bytes that script needs: else these would always be there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char in_place[] = "onload xlink:href style / > ' \" ` \t";
	char text[512];

	if (size > sizeof text)
		return 0;
	check((struct bytes){ (const char *)data, size });
	for (size_t i = 0; i < size; i++)
		text[i] = data[i] == '<' || data[i] == '=' ? in_place[i % (sizeof in_place - 1)] : (char)data[i];
	check((struct bytes){ text, size });
	return 0;
}
