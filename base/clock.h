/* clock.h -- the two clocks, kept apart.
 *
 * Deadlines, buckets and durations use the monotonic clock; what is written
 * down uses the wall clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "base/text.h"

uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
uint64_t clock_mono_ns(void);
uint64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */
/* "2026-11-24T02:47:19.120Z" (RFC 3339, UTC, milliseconds). */
void clock_rfc3339(struct text *, uint64_t wall_ms);
/* "Tue, 24 Nov 2026 02:47:19 GMT" (RFC 9110 5.6.7, IMF-fixdate). */
void clock_http_date(struct text *, uint64_t wall_ms);
/* "24/Nov/2026:02:47:19 +0000" (Common Log Format). */
void clock_log_date(struct text *, uint64_t wall_ms);
/* RFC 3339, or as Go prints a time. */
bool clock_read(struct bytes, uint64_t *wall_ms);
#endif
