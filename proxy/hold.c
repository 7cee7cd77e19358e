/* hold.c -- one block that doubles; the budget counts its size, not what is in it. */
#include "proxy/hold.h"
#include "proxy/worker.h"

static bool reserve(const struct exchange *x, struct hold *h, size_t want)
{
	atomic_ullong *held = &x->worker->shared->held_bytes;
	size_t cap = h->cap ? h->cap : 4096;
	char *more;

	if (want <= h->cap)
		return true;
	while (cap < want)
		cap *= 2;
	if (atomic_load_explicit(held, memory_order_relaxed) + cap - h->cap >
	    x->use->site->config->size.held_bytes)
		return false;
	more = realloc(h->at, cap);
	if (!more)
		return false;
	atomic_fetch_add_explicit(held, cap - h->cap, memory_order_relaxed);
	h->at = more;
	h->cap = cap;
	return true;
}

bool hold_add(const struct exchange *x, struct hold *h, struct bytes b)
{
	if (!b.len)
		return true;
	if (!reserve(x, h, h->len + b.len))
		return false;
	memcpy(h->at + h->len, b.at, b.len);
	h->len += b.len;
	return true;
}

void hold_drop(struct hold *h, size_t n)
{
	if (n == 0)
		return;
	memmove(h->at, h->at + n, h->len - n);
	h->len -= n;
	h->start += n;
}

void hold_free(const struct exchange *x, struct hold *h)
{
	atomic_fetch_sub_explicit(&x->worker->shared->held_bytes, h->cap, memory_order_relaxed);
	free(h->at);
	*h = (struct hold){ 0 };
}
