/* json_string.c -- what stands between quotes.
 *
 * Most strings lie whole in a piece and hold no backslash: they are found eight
 * bytes at a time and told without being collected first. */
#include "rules/body/json_string.h"

#define EACH(byte) (0x0101010101010101ull * (byte))

/* The top bit of every byte that is zero; a byte above the first such one may
 * be marked wrongly, so only the lowest counts. */
static uint64_t zeros(uint64_t w)
{
	return (w - EACH(1)) & ~w & EACH(0x80);
}

static uint64_t below_space(uint64_t w)
{
	return (w - EACH(0x20)) & ~w & EACH(0x80);
}

static bool is_plain(char c)
{
	return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

/* The first byte at or after p that a string cannot hold as it is. */
static const char *plain_end(const char *p, const char *end)
{
	uint64_t w, marks;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		marks = zeros(w ^ EACH('"')) | zeros(w ^ EACH('\\')) | below_space(w);
		if (!marks)
			continue;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		return p + __builtin_ctzll(marks) / 8;
#endif
		break;
	}
	while (p < end && is_plain(*p))
		p++;
	return p;
}

bool json_collect(struct json *j, struct bytes run)
{
	return buffer_put(&j->body, &j->value, run, j->body.setup.limits.value_bytes, FAULT_VALUE);
}

static bool put(struct json *j, struct bytes run)
{
	return j->key ? json_name(j, run) : json_collect(j, run);
}

static bool put_code(struct json *j, uint32_t c)
{
	char u[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		u[i] = (char)(0x80 | (c & 0x3f));
	u[0] = (char)(lead[n] | c);
	return put(j, (struct bytes){ u, n });
}

/* A high surrogate that no low one follows. */
static bool put_lone(struct json *j)
{
	bool lone = j->high != 0;

	j->high = 0;
	return !lone || put_code(j, 0xfffd);
}

static bool string_end(struct json *j)
{
	j->at++;
	if (!j->key)
		return json_tell_collected(j);
	j->state = IN_COLON;
	return true;
}

bool json_string(struct json *j)
{
	const char *from = j->at;
	struct bytes run;

	if (j->at == j->end)
		return true;
	j->at = plain_end(from, j->end);
	run = (struct bytes){ from, (size_t)(j->at - from) };
	if (j->at < j->end && *j->at == '"' && !j->key && !j->value.len && !j->high) {
		j->at++;
		return json_tell(j, run);
	}
	if ((j->high && (run.len || *j->at != '\\') && !put_lone(j)) ||
	    !put(j, run))
		return false;
	if (j->at == j->end)
		return true;
	if (*j->at == '"')
		return string_end(j);
	if (*j->at != '\\')
		return body_fail(&j->body, FAULT_MALFORMED, 0, "a control byte in a string");
	j->at++;
	j->state = IN_ESCAPE;
	return true;
}

bool json_escape(struct json *j)
{
	static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	char c = *j->at;

	if (c == 'u') {
		j->at++;
		j->code = 0;
		j->ndigits = 0;
		j->state = IN_HEX;
		return true;
	}
	for (size_t i = 0; i + 1 < sizeof escapes; i += 2)
		if (escapes[i] == c) {
			j->at++;
			j->state = IN_STRING;
			return put_lone(j) && put(j, (struct bytes){ &escapes[i + 1], 1 });
		}
	return body_fail(&j->body, FAULT_MALFORMED, 0, "an unknown escape in a string");
}

/* Four digits are there. */
static bool code_end(struct json *j)
{
	uint32_t c = j->code, high = j->high;

	j->state = IN_STRING;
	if (high && c >= 0xdc00 && c < 0xe000) {
		j->high = 0;
		return put_code(j, 0x10000 + ((high - 0xd800) << 10) + (c - 0xdc00));
	}
	if (!put_lone(j))
		return false;
	if (c >= 0xd800 && c < 0xdc00)
		j->high = c;
	else
		return put_code(j, c >= 0xdc00 && c < 0xe000 ? 0xfffd : c);
	return true;
}

bool json_hex(struct json *j)
{
	for (; j->at < j->end && j->ndigits < 4; j->at++, j->ndigits++) {
		int d = byte_hex(*j->at);

		if (d < 0)
			return body_fail(&j->body, FAULT_MALFORMED, 0, "a \\u without four digits");
		j->code = j->code << 4 | (uint32_t)d;
	}
	return j->ndigits < 4 || code_end(j);
}
