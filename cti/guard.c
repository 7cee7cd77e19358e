/* guard.c -- a table of who was here, and when. */
#include "cti/guard.h"
#include "base/hash.h"
#include <stdatomic.h>
#include <stdlib.h>

/* The halves of a slot may be of two clients for a moment; a sample bears that. */
struct slot {
	atomic_ullong client; /* IPv4 behind four zero bytes; of IPv6 its /64; 0: nobody */
	atomic_uint at_s;     /* one more, so that 0 is never */
};

struct guard {
	unsigned least;
	struct slot slots[GUARD_SLOTS];
};

enum { BEFORE = 12 }; /* of an IPv4 address in its 16 bytes */

static uint64_t packed(const struct ip *ip)
{
	uint64_t client = 0;

	if (ip_is4(ip))
		memcpy((char *)&client + 4, ip->b + BEFORE, 4);
	else
		memcpy(&client, ip->b, 8);
	return client;
}

/* No IPv6 network in use begins with 32 zero bits. */
static struct ip unpacked(uint64_t client)
{
	struct ip ip = { { 0 } };
	uint8_t bytes[8];

	memcpy(bytes, &client, 8);
	if (bytes[0] | bytes[1] | bytes[2] | bytes[3]) {
		memcpy(ip.b, bytes, 8);
		return ip;
	}
	ip.b[10] = ip.b[11] = 0xff;
	memcpy(ip.b + BEFORE, bytes + 4, 4);
	return ip;
}

struct guard *guard_new(unsigned least)
{
	struct guard *g = calloc(1, sizeof *g);

	if (g)
		g->least = least;
	return g;
}

void guard_free(struct guard *g)
{
	free(g);
}

void guard_note(struct guard *g, const struct ip *ip, uint64_t now_ms)
{
	uint64_t client = packed(ip);
	struct slot *s = &g->slots[hash_bytes((struct bytes){ (const char *)&client, sizeof client }) % GUARD_SLOTS];
	unsigned now_s = (unsigned)(now_ms / 1000) + 1;

	if (atomic_load_explicit(&s->client, memory_order_relaxed) == client) {
		if (atomic_load_explicit(&s->at_s, memory_order_relaxed) != now_s)
			atomic_store_explicit(&s->at_s, now_s, memory_order_relaxed);
		return;
	}
	atomic_store_explicit(&s->client, client, memory_order_relaxed);
	atomic_store_explicit(&s->at_s, now_s, memory_order_relaxed);
}

unsigned guard_share_of(struct guard *g, bool (*covers)(void *ctx, const struct ip *), void *ctx, uint64_t now_ms)
{
	unsigned all = 0, covered = 0, now_s = (unsigned)(now_ms / 1000) + 1;

	for (size_t i = 0; i < GUARD_SLOTS; i++) {
		unsigned at_s = atomic_load_explicit(&g->slots[i].at_s, memory_order_relaxed);
		struct ip ip;

		if (!at_s || now_s - at_s > GUARD_WINDOW_MS / 1000)
			continue;
		ip = unpacked(atomic_load_explicit(&g->slots[i].client, memory_order_relaxed));
		all++;
		covered += covers(ctx, &ip);
	}
	return all < g->least || !all ? 0 : covered * 100 / all;
}

static bool is_in(void *net, const struct ip *ip)
{
	return ip_in_net(ip, net);
}

unsigned guard_share(struct guard *g, const struct ip_net *net, uint64_t now_ms)
{
	struct ip_net own = *net;

	return guard_share_of(g, is_in, &own, now_ms);
}
