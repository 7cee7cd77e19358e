/* captcha_breaker.c -- whether a provider is worth asking.
 *
 * Up: everybody asks. Down: nobody does until `until_ms`; then one does, and what
 * comes of it decides. */
#include "proxy/captcha_parts.h"

enum { DOWN_MS = 10000, DOWN_MOST_MS = 80000 };

/* Called while a site is built: one thread at a time. */
struct captcha_breaker *captcha_breaker_of(struct captcha_breaker **all, uint64_t key)
{
	struct captcha_breaker *b;

	for (b = *all; b; b = b->next)
		if (b->key == key)
			return b;
	b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	b->key = key;
	b->next = *all;
	return *all = b;
}

static bool has_failed(const struct captcha_breaker *b)
{
	return atomic_load((atomic_uint *)(uintptr_t)&b->fails) >= CAPTCHA_FAILS;
}

static bool is_resting(const struct captcha_breaker *b, uint64_t now_ms)
{
	return now_ms < atomic_load((atomic_ullong *)(uintptr_t)&b->until_ms);
}

bool captcha_breaker_is_down(const struct captcha_breaker *b, uint64_t now_ms)
{
	return has_failed(b) && (is_resting(b, now_ms) || atomic_load((atomic_uint *)(uintptr_t)&b->asking) > 0);
}

bool captcha_breaker_enter(struct captcha_breaker *b, uint64_t now_ms)
{
	unsigned most = has_failed(b) ? 1 : CAPTCHA_ASKED;

	if (has_failed(b) && is_resting(b, now_ms))
		return false;
	if (atomic_fetch_add(&b->asking, 1) < most)
		return true;
	atomic_fetch_sub(&b->asking, 1);
	return false;
}

void captcha_breaker_leave(struct captcha_breaker *b)
{
	atomic_fetch_sub(&b->asking, 1);
}

/* Many may be under way when it goes down: those that come in while it rests say nothing new. */
enum captcha_turn captcha_breaker_told(struct captcha_breaker *b, bool trouble, uint64_t now_ms)
{
	unsigned fails;
	uint64_t down_ms = DOWN_MS;

	if (!trouble) {
		atomic_store(&b->until_ms, 0);
		return atomic_exchange(&b->fails, 0) >= CAPTCHA_FAILS ? CAPTCHA_CAME_BACK : CAPTCHA_SAME;
	}
	if (has_failed(b) && is_resting(b, now_ms))
		return CAPTCHA_SAME;
	fails = atomic_fetch_add(&b->fails, 1) + 1;
	if (fails < CAPTCHA_FAILS)
		return CAPTCHA_SAME;
	for (unsigned i = CAPTCHA_FAILS; i < fails && down_ms < DOWN_MOST_MS; i++)
		down_ms *= 2;
	atomic_store(&b->until_ms, now_ms + down_ms);
	return fails == CAPTCHA_FAILS ? CAPTCHA_WENT_DOWN : CAPTCHA_SAME;
}

bool captcha_breaker_may_say(atomic_ullong *last_ms, uint64_t now_ms, uint64_t every_ms)
{
	unsigned long long last = atomic_load(last_ms);

	return (last == 0 || now_ms - last >= every_ms) && atomic_compare_exchange_strong(last_ms, &last, now_ms);
}
