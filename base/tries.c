/* tries.c -- counting guesses. An IPv6 address is its /64: whoever has one address there has all. */
#include "base/tries.h"
#include "base/clock.h"
#include "base/hash.h"

enum { MINUTE_MS = 60000 };

unsigned tries_take(struct tries *t, const struct ip *from, struct bytes name, struct try *try)
{
	static const unsigned most[2] = { TRIES_OF_ADDRESS, TRIES_OF_NAME };
	struct ip by = ip_behaviour_key(from);
	uint64_t now = clock_mono_ms();
	uint32_t minute = (uint32_t)(now / MINUTE_MS) + 1;

	try->slots[0] = hash_bytes((struct bytes){ (const char *)by.b, sizeof by.b }) % (TRIES_SLOTS / 2);
	try->slots[1] = TRIES_SLOTS / 2 + hash_bytes(name) % (TRIES_SLOTS / 2);
	for (size_t i = 0; i < 2; i++) {
		if (t->slots[try->slots[i]].minute != minute) {
			t->slots[try->slots[i]].minute = minute;
			t->slots[try->slots[i]].n = 0;
		}
		if (t->slots[try->slots[i]].n >= most[i])
			return (unsigned)((MINUTE_MS - now % MINUTE_MS + 999) / 1000);
	}
	t->slots[try->slots[0]].n++;
	t->slots[try->slots[1]].n++;
	return 0;
}

void tries_give_back(struct tries *t, const struct try *try)
{
	for (size_t i = 0; i < 2; i++)
		t->slots[try->slots[i]].n -= t->slots[try->slots[i]].n > 0;
}
