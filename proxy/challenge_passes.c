/* challenge_passes.c -- a table of passes in sets of four. */
#include "proxy/challenge_passes.h"
#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 4, LOCKS = 256 };

struct pass_slot {
	uint64_t jti; /* 0: free */
	uint32_t used_s, revoked_until_s;
	struct seen { uint32_t network, at_s; } seen[PASSES_NETWORKS];
};

struct passes {
	struct pass_slot *slots;
	size_t nsets;
	pthread_mutex_t locks[LOCKS];
};

struct passes *passes_new(size_t slots)
{
	struct passes *p = calloc(1, sizeof *p);
	size_t n = 1;

	while (n < slots / WAYS)
		n *= 2;
	if (!p || !(p->slots = calloc(n * WAYS, sizeof *p->slots))) {
		free(p);
		return NULL;
	}
	p->nsets = n;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&p->locks[i], NULL);
	return p;
}

void passes_free(struct passes *p)
{
	if (!p)
		return;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&p->locks[i]);
	free(p->slots);
	free(p);
}

/* Which of two would be missed less. */
static bool goes_first(const struct pass_slot *a, const struct pass_slot *b, uint32_t now_s)
{
	bool revoked_a = a->revoked_until_s > now_s, revoked_b = b->revoked_until_s > now_s;

	return revoked_a != revoked_b ? revoked_b : a->used_s < b->used_s;
}

static struct pass_slot *slot_of(struct pass_slot *set, uint64_t jti, uint32_t now_s)
{
	struct pass_slot *least = &set[0];

	for (int i = 0; i < WAYS; i++) {
		if (set[i].jti == jti)
			return &set[i];
		if (goes_first(&set[i], least, now_s))
			least = &set[i];
	}
	*least = (struct pass_slot){ .jti = jti };
	return least;
}

/* False: it is one too many. */
static bool note(struct pass_slot *s, uint32_t network, uint32_t now_s, bool *is_new)
{
	struct seen *oldest = &s->seen[0];

	*is_new = false;
	for (int i = 0; i < PASSES_NETWORKS; i++) {
		struct seen *at = &s->seen[i];

		if (at->at_s && at->network == network) {
			at->at_s = now_s;
			return true;
		}
		if (at->at_s < oldest->at_s)
			oldest = at;
	}
	if (oldest->at_s && now_s - oldest->at_s < PASSES_WINDOW_S)
		return false;
	*oldest = (struct seen){ network, now_s };
	*is_new = true;
	return true;
}

static enum passes_use use(struct pass_slot *s, uint32_t network, uint32_t now_s, uint32_t until_s, struct pass_news *news)
{
	bool is_new;

	*news = (struct pass_news){ .jti = s->jti, .network = network };
	s->used_s = now_s;
	if (s->revoked_until_s > now_s)
		return PASSES_REVOKED;
	if (note(s, network, now_s, &is_new)) {
		news->is = is_new;
		return PASSES_GOOD;
	}
	s->revoked_until_s = until_s;
	news->is = true;
	news->revoked_s = until_s - now_s;
	return PASSES_JUST_REVOKED;
}

enum passes_use passes_use(struct passes *p, uint64_t jti, uint64_t network, uint32_t now_s, uint32_t until_s, struct pass_news *news)
{
	size_t set = jti & (p->nsets - 1);
	enum passes_use how;

	jti += !jti;
	now_s++; /* 0 is "never" */
	pthread_mutex_lock(&p->locks[set % LOCKS]);
	how = use(slot_of(&p->slots[set * WAYS], jti, now_s), (uint32_t)network, now_s, until_s + 1, news);
	pthread_mutex_unlock(&p->locks[set % LOCKS]);
	return how;
}

void passes_heard(struct passes *p, const struct pass_news *news, uint32_t now_s)
{
	size_t set = news->jti & (p->nsets - 1);
	uint32_t until_s;
	struct pass_news own;
	struct pass_slot *s;

	now_s++;
	until_s = news->revoked_s < UINT32_MAX - now_s ? now_s + news->revoked_s : UINT32_MAX;
	pthread_mutex_lock(&p->locks[set % LOCKS]);
	s = slot_of(&p->slots[set * WAYS], news->jti + !news->jti, now_s);
	use(s, news->network, now_s, until_s, &own);
	if (s->revoked_until_s < until_s && news->revoked_s)
		s->revoked_until_s = until_s;
	pthread_mutex_unlock(&p->locks[set % LOCKS]);
}

bool passes_has(struct passes *p, uint64_t jti)
{
	size_t set = jti & (p->nsets - 1);
	bool found = false;

	jti += !jti;
	pthread_mutex_lock(&p->locks[set % LOCKS]);
	for (int i = 0; i < WAYS; i++)
		found = found || p->slots[set * WAYS + (size_t)i].jti == jti;
	pthread_mutex_unlock(&p->locks[set % LOCKS]);
	return found;
}

void passes_add(struct passes *p, uint64_t jti, uint32_t now_s)
{
	size_t set = jti & (p->nsets - 1);

	jti += !jti;
	now_s++;
	pthread_mutex_lock(&p->locks[set % LOCKS]);
	slot_of(&p->slots[set * WAYS], jti, now_s)->used_s = now_s;
	pthread_mutex_unlock(&p->locks[set % LOCKS]);
}
