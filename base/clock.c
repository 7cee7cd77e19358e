/* clock.c -- monotonic and wall time. */
#include "base/clock.h"
#include <time.h>

static uint64_t read_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

/* gmtime_r() takes a lock and costs more than the rest of a log line; this is
 * the proleptic Gregorian calendar, counted in years that begin in March. */
static struct tm utc(uint64_t wall_ms)
{
	uint64_t s = wall_ms / 1000, days = s / 86400 + 719468; /* since 0000-03-01 */
	uint64_t era = days / 146097;
	unsigned day = (unsigned)(days % 146097); /* of 400 years */
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned yday = day - (365 * year + year / 4 - year / 100); /* from 1 March */
	unsigned month = (5 * yday + 2) / 153;

	return (struct tm){
		.tm_year = (int)(year + era * 400 + (month >= 10)) - 1900,
		.tm_mon = (int)(month < 10 ? month + 2 : month - 10),
		.tm_mday = (int)(yday - (153 * month + 2) / 5 + 1),
		.tm_hour = (int)(s / 3600 % 24),
		.tm_min = (int)(s / 60 % 60),
		.tm_sec = (int)(s % 60),
		.tm_wday = (int)((s / 86400 + 4) % 7),
	};
}

/* `n` in `width` digits and the byte behind them. */
static void digits(struct text *t, unsigned n, unsigned width, char after)
{
	char buf[8];

	buf[width] = after;
	for (unsigned i = width; i-- > 0; n /= 10)
		buf[i] = (char)('0' + n % 10);
	text_put(t, (struct bytes){ buf, width + 1 });
}

void clock_rfc3339(struct text *t, uint64_t wall_ms)
{
	struct tm tm = utc(wall_ms);

	digits(t, (unsigned)tm.tm_year + 1900, 4, '-');
	digits(t, (unsigned)tm.tm_mon + 1, 2, '-');
	digits(t, (unsigned)tm.tm_mday, 2, 'T');
	digits(t, (unsigned)tm.tm_hour, 2, ':');
	digits(t, (unsigned)tm.tm_min, 2, ':');
	digits(t, (unsigned)tm.tm_sec, 2, '.');
	digits(t, (unsigned)(wall_ms % 1000), 3, 'Z');
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void clock_log_date(struct text *t, uint64_t wall_ms)
{
	struct tm tm = utc(wall_ms);

	digits(t, (unsigned)tm.tm_mday, 2, '/');
	text_put(t, (struct bytes){ months + tm.tm_mon * 3, 3 });
	text_byte(t, '/');
	digits(t, (unsigned)tm.tm_year + 1900, 4, ':');
	digits(t, (unsigned)tm.tm_hour, 2, ':');
	digits(t, (unsigned)tm.tm_min, 2, ':');
	digits(t, (unsigned)tm.tm_sec, 2, ' ');
	text_put(t, BYTES("+0000"));
}

void clock_http_date(struct text *t, uint64_t wall_ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	struct tm tm = utc(wall_ms);

	text_printf(t, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + tm.tm_wday * 3, tm.tm_mday,
		    months + tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
