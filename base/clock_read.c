/* clock_read.c -- a time that others have written down. */
#include "base/clock.h"
#include <time.h>

/* `n` digits off the front. */
static bool digits(struct bytes *b, size_t n, int *out)
{
	uint64_t v;

	if (b->len < n || !bytes_u64(bytes_sub(*b, 0, n), &v))
		return false;
	*b = bytes_from(*b, n);
	*out = (int)v;
	return true;
}

static bool eat(struct bytes *b, const char *any)
{
	if (!b->len || !b->at[0] || !strchr(any, b->at[0]))
		return false;
	*b = bytes_from(*b, 1);
	return true;
}

static bool date_time(struct bytes *b, struct tm *t)
{
	if (!digits(b, 4, &t->tm_year) || !eat(b, "-") || !digits(b, 2, &t->tm_mon) || !eat(b, "-") || !digits(b, 2, &t->tm_mday) ||
	    !eat(b, "Tt ") || !digits(b, 2, &t->tm_hour) || !eat(b, ":") || !digits(b, 2, &t->tm_min) || !eat(b, ":") ||
	    !digits(b, 2, &t->tm_sec))
		return false;
	if (t->tm_year < 1970 || t->tm_mon < 1 || t->tm_mon > 12 || t->tm_mday < 1 || t->tm_mday > 31 || t->tm_hour > 23 ||
	    t->tm_min > 59 || t->tm_sec > 60)
		return false;
	t->tm_year -= 1900;
	t->tm_mon -= 1;
	return true;
}

/* "Z", "+01:00", " +0000 UTC"; what follows an offset is its name. */
static bool offset(struct bytes b, int64_t *seconds)
{
	int h, m, sign;

	*seconds = 0;
	if (bytes_eq_nocase(b, BYTES("z")))
		return true;
	eat(&b, " ");
	if (!b.len || (b.at[0] != '+' && b.at[0] != '-'))
		return false;
	sign = b.at[0] == '-' ? -1 : 1;
	b = bytes_from(b, 1);
	if (!digits(&b, 2, &h))
		return false;
	eat(&b, ":");
	if (!digits(&b, 2, &m) || h > 23 || m > 59 || (b.len && b.at[0] != ' '))
		return false;
	*seconds = sign * (h * 3600 + m * 60);
	return true;
}

bool clock_read(struct bytes b, uint64_t *wall_ms)
{
	struct tm t = { 0 };
	int64_t zone, at;
	unsigned ms = 0, place = 100;

	if (!date_time(&b, &t))
		return false;
	if (eat(&b, "."))
		for (; b.len && b.at[0] >= '0' && b.at[0] <= '9'; b = bytes_from(b, 1), place /= 10)
			ms += (unsigned)(b.at[0] - '0') * place;
	if (!offset(b, &zone))
		return false;
	at = (int64_t)timegm(&t) - zone;
	if (at < 0)
		return false;
	*wall_ms = (uint64_t)at * 1000 + ms;
	return true;
}
