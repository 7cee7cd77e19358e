/* logs_time.c -- the ways in which logs write a time.
 *
 * What is read is kept as it was written, offset and all, since CrowdSec's "timestamp" repeats it; the microseconds of
 * the buckets follow from it. A time without an offset is taken as UTC, as CrowdSec does. */
#include "base/clock.h"
#include "scenarios/logs_parts.h"

enum { YEAR_MIN = 1970, YEAR_MAX = 2200, DAY_S = 86400 };

/* ---- pieces ---- */

/* Exactly `width` digits off the front. */
static bool digits(struct bytes *rest, unsigned width, unsigned *out)
{
	unsigned n = 0;

	if (rest->len < width)
		return false;
	for (unsigned i = 0; i < width; i++) {
		unsigned d = (unsigned)(unsigned char)rest->at[i] - '0';

		if (d > 9)
			return false;
		n = n * 10 + d;
	}
	*out = n;
	*rest = bytes_from(*rest, width);
	return true;
}

static bool byte(struct bytes *rest, char c)
{
	if (rest->len == 0 || rest->at[0] != c)
		return false;
	*rest = bytes_from(*rest, 1);
	return true;
}

static bool month_name(struct bytes *rest, unsigned *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (unsigned i = 0; i < 12 && rest->len >= 3; i++)
		if (memcmp(rest->at, names + 3 * i, 3) == 0) {
			*month = i + 1;
			*rest = bytes_from(*rest, 3);
			return true;
		}
	return false;
}

static bool clock_time(struct bytes *rest, struct log_time *t)
{
	return digits(rest, 2, &t->hour) && byte(rest, ':') && digits(rest, 2, &t->minute) && byte(rest, ':') &&
	       digits(rest, 2, &t->second);
}

/* ".203277", ",203"; none is a fraction too. Digits behind the ninth are read and dropped. */
static bool fraction(struct bytes *rest, unsigned *ns)
{
	unsigned scale = 100000000, n = 0;
	struct bytes at = *rest;

	*ns = 0;
	if (!byte(&at, '.') && !byte(&at, ','))
		return true;
	while (digits(&at, 1, &n)) {
		*ns += n * scale;
		scale /= 10;
	}
	*rest = at;
	return true;
}

/* "Z", "+0200", "+02:00", " +0200"; none is UTC. */
static bool offset(struct bytes *rest, int *minutes)
{
	unsigned h, m;
	bool west;

	*minutes = 0;
	byte(rest, ' ');
	if (rest->len == 0 || byte(rest, 'Z'))
		return true;
	west = rest->at[0] == '-';
	if ((!byte(rest, '-') && !byte(rest, '+')) || !digits(rest, 2, &h))
		return false;
	byte(rest, ':');
	if (!digits(rest, 2, &m) || h > 15 || m > 59)
		return false;
	*minutes = (int)(h * 60 + m) * (west ? -1 : 1);
	return true;
}

static bool is_leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static bool is_date(struct log_time *t)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (t->second == 60)
		t->second = 59; /* a leap second has no number of its own in Unix time */
	return t->year >= YEAR_MIN && t->year <= YEAR_MAX && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
	       t->day <= days[t->month - 1] + (t->month == 2 && is_leap(t->year) ? 1u : 0u) && t->hour < 24 && t->minute < 60 &&
	       t->second < 60;
}

/* ---- the ways ---- */

bool log_time_clf(struct bytes b, struct log_time *t)
{
	return digits(&b, 2, &t->day) && byte(&b, '/') && month_name(&b, &t->month) && byte(&b, '/') &&
	       digits(&b, 4, &t->year) && byte(&b, ':') && clock_time(&b, t) && fraction(&b, &t->ns) &&
	       offset(&b, &t->offset_min) && b.len == 0 && is_date(t);
}

bool log_time_iso(struct bytes b, struct log_time *t)
{
	if (!digits(&b, 4, &t->year) || (!byte(&b, '-') && !byte(&b, '/')) || !digits(&b, 2, &t->month) ||
	    (!byte(&b, '-') && !byte(&b, '/')) || !digits(&b, 2, &t->day) || (!byte(&b, 'T') && !byte(&b, ' ')))
		return false;
	return clock_time(&b, t) && fraction(&b, &t->ns) && offset(&b, &t->offset_min) && b.len == 0 && is_date(t);
}

bool log_time_apache(struct bytes b, struct log_time *t)
{
	b = bytes_from(b, 4); /* "Fri " */
	t->offset_min = 0;
	return month_name(&b, &t->month) && byte(&b, ' ') && digits(&b, 2, &t->day) && byte(&b, ' ') && clock_time(&b, t) &&
	       fraction(&b, &t->ns) && byte(&b, ' ') && digits(&b, 4, &t->year) && b.len == 0 && is_date(t);
}

/* Days since 1970-01-01; the year is counted from March, so that the leap day is its last. */
static int64_t days_of(const struct log_time *t)
{
	int64_t y = (int64_t)t->year - (t->month <= 2), era = y / 400, yoe = y - era * 400;
	int64_t doy = (153 * (t->month + (t->month > 2 ? -3 : 9)) + 2) / 5 + t->day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t seconds_of(const struct log_time *t)
{
	return days_of(t) * DAY_S + t->hour * 3600 + t->minute * 60 + t->second - t->offset_min * 60;
}

static void of_unix(struct log_time *t, uint64_t s)
{
	char room[32];
	struct text text = text_over(room, sizeof room);

	clock_rfc3339(&text, s * 1000);
	log_time_iso(text_bytes(&text), t);
}

/* The year of the clock, or the one before when that would be more than a day ahead: December's lines read in January. */
bool log_time_syslog(struct bytes b, struct log_time *t)
{
	uint64_t now_s = clock_wall_ms() / 1000;
	struct log_time now = { 0 };

	of_unix(&now, now_s);
	t->offset_min = 0;
	t->year = now.year;
	if (!month_name(&b, &t->month) || !byte(&b, ' ') ||
	    !(byte(&b, ' ') ? digits(&b, 1, &t->day) : digits(&b, 2, &t->day) || digits(&b, 1, &t->day)) || !byte(&b, ' ') ||
	    !clock_time(&b, t) || !fraction(&b, &t->ns) || b.len > 0)
		return false;
	if (!is_date(t)) /* 29 February, of a year before */
		t->year--;
	else if (seconds_of(t) > (int64_t)now_s + DAY_S)
		t->year--;
	return is_date(t);
}

bool log_time_unix(struct bytes b, struct log_time *t)
{
	struct bytes whole = bytes_sub(b, 0, bytes_index(b, '.'));
	uint64_t n;

	if (!bytes_u64(whole, &n))
		return false;
	while (n > 99999999999) /* behind the year 5138: milliseconds, micro-, nano- */
		n /= 1000;
	if (n > (uint64_t)(YEAR_MAX - YEAR_MIN) * 365 * DAY_S)
		return false;
	of_unix(t, n);
	return true;
}

bool log_time_any(struct bytes b, struct log_time *t)
{
	static bool (*const ways[])(struct bytes, struct log_time *) = {
		log_time_iso, log_time_clf, log_time_unix, log_time_apache, log_time_syslog,
	};

	for (size_t i = 0; i < nelems(ways); i++)
		if (ways[i](b, t))
			return true;
	return false;
}

/* ---- as facts ---- */

static char *put(char *p, unsigned n, unsigned width, char after)
{
	for (unsigned i = width; i-- > 0; n /= 10)
		p[i] = (char)('0' + n % 10);
	p[width] = after;
	return p + width + 1;
}

/* As Go's RFC3339Nano writes it: no zeros at the end of a fraction. */
static char *put_fraction(char *p, unsigned ns)
{
	unsigned width = 9;

	for (; ns % 10 == 0 && width > 1; width--)
		ns /= 10;
	p[-1] = '.';
	return put(p, ns, width, 'Z');
}

static char *put_offset(char *p, int minutes)
{
	unsigned off = (unsigned)(minutes < 0 ? -minutes : minutes);

	p[-1] = minutes < 0 ? '-' : '+';
	p = put(p, off / 60, 2, ':');
	return put(p, off % 60, 2, 0) - 1;
}

void log_time_set(struct facts *f, struct arena *a, const struct log_time *t)
{
	enum { LONGEST = sizeof "2021-09-29T17:29:58.123456789+02:00" };
	int64_t s = seconds_of(t);
	char *text = arena_raw(a, LONGEST), *p = text;

	f->at_us = s < 0 ? 0 : (uint64_t)s * 1000000 + t->ns / 1000;
	f->wall_ms = f->at_us / 1000;
	if (!text)
		return;
	p = put(put(put(p, t->year, 4, '-'), t->month, 2, '-'), t->day, 2, 'T');
	p = put(put(put(p, t->hour, 2, ':'), t->minute, 2, ':'), t->second, 2, 'Z');
	if (t->ns)
		p = put_fraction(p, t->ns);
	if (t->offset_min)
		p = put_offset(p, t->offset_min);
	f->at[FACT_TIMESTAMP] = (struct bytes){ text, (size_t)(p - text) };
}
