/* duration.h -- lengths of time as Go writes them: "10s", "0.5s", "1h30m", "300ms", "2d".
 *
 * CrowdSec's scenarios, profiles and API speak them (Go: time.ParseDuration; `d` for days is CrowdSec's own). */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H
#include "base/text.h"

/* Microseconds, what is finer is cut. False: it is none, is negative, or is longer than 10,000 years. */
bool duration_parse(struct bytes, uint64_t *us);
void duration_text(struct text *, uint64_t us); /* "1h30m0s", "350ms", as Go prints it */
#endif
