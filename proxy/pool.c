/* pool.c -- kept connections. */
#include "proxy/pool.h"
#include "proxy/peer.h"
#include "proxy/worker.h"

enum { KEEP_MS = 60 * 1000 };

struct pool_slot {
	struct peer *newest;
	unsigned n;
};

static struct pool_slot *slot_of(struct pool *pool, const struct server *s)
{
	if (s->id >= pool->n) {
		unsigned n = s->id + 8;
		struct pool_slot *more = realloc(pool->slots, n * sizeof *more);

		if (!more)
			return NULL;
		memset(more + pool->n, 0, (n - pool->n) * sizeof *more);
		pool->slots = more;
		pool->n = n;
	}
	return &pool->slots[s->id];
}

static void unlink_peer(struct pool_slot *slot, struct peer *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		slot->newest = p->next;
	if (p->next)
		p->next->prev = p->prev;
	p->prev = p->next = NULL;
	p->idle = false;
	slot->n--;
}

struct peer *pool_take(struct worker *w, struct server *s, uint64_t max_age_ms)
{
	struct pool_slot *slot = slot_of(&w->pool, s);
	struct peer *p = slot ? slot->newest : NULL;

	if (!p || loop_now_ms(w->loop) - p->idle_since_ms > max_age_ms)
		return NULL;
	unlink_peer(slot, p);
	return p;
}

void pool_put(struct worker *w, struct peer *p, unsigned max_idle)
{
	struct pool_slot *slot = slot_of(&w->pool, p->server);

	p->x = NULL;
	if (!slot || slot->n >= max_idle || w->draining) {
		peer_close(p);
		return;
	}
	p->idle = true;
	p->served++;
	p->idle_since_ms = loop_now_ms(w->loop);
	p->prev = NULL;
	p->next = slot->newest;
	if (slot->newest)
		slot->newest->prev = p;
	slot->newest = p;
	slot->n++;
	peer_expect(p, KEEP_MS);
}

void pool_forget(struct worker *w, struct peer *p)
{
	if (p->idle)
		unlink_peer(slot_of(&w->pool, p->server), p);
	peer_close(p);
}

bool pool_close(struct worker *w)
{
	bool any = false;

	for (unsigned i = 0; i < w->pool.n; i++)
		while (w->pool.slots[i].newest) {
			pool_forget(w, w->pool.slots[i].newest);
			any = true;
		}
	return any;
}
