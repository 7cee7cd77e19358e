/* hlc.c -- the clock that only grows. */
#include "base/hlc.h"

uint64_t hlc_now(struct hlc *c, uint64_t wall_ms)
{
	unsigned long long last = atomic_load(&c->last), next;

	do
		next = wall_ms << 16 > last ? wall_ms << 16 : last + 1;
	while (!atomic_compare_exchange_weak(&c->last, &last, next));
	return next;
}

bool hlc_heard(struct hlc *c, uint64_t stamp, uint64_t wall_ms)
{
	unsigned long long last = atomic_load(&c->last);

	if (hlc_ms(stamp) > wall_ms + HLC_AHEAD_MAX_MS)
		return false;
	while (stamp > last && !atomic_compare_exchange_weak(&c->last, &last, stamp))
		;
	return true;
}
