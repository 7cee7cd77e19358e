/* clock.c -- dates as they are written down. */
#include "tests/test.h"
#include "base/clock.h"

static void dates_are_written_in_the_three_ways(void **state)
{
	static const struct { uint64_t ms; const char *rfc3339, *http, *log; } dates[] = {
		{ 0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT", "01/Jan/1970:00:00:00 +0000" },
		{ 951782400999, "2000-02-29T00:00:00.999Z", "Tue, 29 Feb 2000 00:00:00 GMT", "29/Feb/2000:00:00:00 +0000" },
		{ 1795488439120, "2026-11-24T02:47:19.120Z", "Tue, 24 Nov 2026 02:47:19 GMT", "24/Nov/2026:02:47:19 +0000" },
		{ 4107542399001, "2100-02-28T23:59:59.001Z", "Sun, 28 Feb 2100 23:59:59 GMT", "28/Feb/2100:23:59:59 +0000" },
	};
	static void (*const write[])(struct text *, uint64_t) = { clock_rfc3339, clock_http_date, clock_log_date };

	(void)state;
	for (size_t i = 0; i < nelems(dates); i++) {
		const char *want[] = { dates[i].rfc3339, dates[i].http, dates[i].log };

		for (size_t w = 0; w < nelems(write); w++) {
			char buf[64];
			struct text t = text_over(buf, sizeof buf);

			write[w](&t, dates[i].ms);
			assert_bytes(text_bytes(&t), bytes_of(want[w]));
		}
	}
}

static void the_calendar_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 100000; day += 7) {
		time_t s = (time_t)(day * 86400 + day % 86400);
		struct tm tm;
		char got[64], want[64];
		struct text t = text_over(got, sizeof got);

		gmtime_r(&s, &tm);
		strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		clock_http_date(&t, (uint64_t)s * 1000);
		assert_bytes(text_bytes(&t), bytes_of(want));
	}
}

static void times_are_read_as_go_writes_them(void **state)
{
	static const struct { const char *text; uint64_t ms; } rows[] = {
		{ "2026-11-24T02:42:04Z", 1795488124000 }, { "2026-11-24T03:42:04.5+01:00", 1795488124500 },
		{ "2026-11-24 02:42:04.124944235 +0000 UTC", 1795488124124 }, { "2026-11-24T02:42:04", 0 }, { "2026-13-24T02:42:04Z", 0 },
		{ "1969-11-24T02:42:04Z", 0 }, { "", 0 }, { "2026-11-24T02:42:04+9", 0 }, { "now", 0 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		uint64_t ms = 0;

		assert_int_equal(clock_read(bytes_of(rows[i].text), &ms), rows[i].ms > 0);
		assert_int_equal(ms, rows[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_written_in_the_three_ways),
		cmocka_unit_test(times_are_read_as_go_writes_them),
		cmocka_unit_test(the_calendar_agrees_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
