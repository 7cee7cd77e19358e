/* memo.c -- sets of two; the newer one comes first, the older one goes. */
#include "rules/memo.h"
#include <stdlib.h>

enum { SETS = 8192, WAYS = 2 }; /* 256 KiB a worker */

struct memo {
	struct hash128 key;
	struct hash128 sets[SETS][WAYS]; /* all zeros: empty, as no key ever comes out so */
};

struct memo *memo_new(void)
{
	struct memo *m = calloc(1, sizeof *m);

	if (m && hash128_key(&m->key))
		return m;
	free(m);
	return NULL;
}

void memo_free(struct memo *m)
{
	free(m);
}

struct hash128 memo_key(const struct memo *m, struct hash128 salt, struct bytes value)
{
	return hash128((struct hash128){ m->key.a ^ salt.a, m->key.b ^ salt.b }, value);
}

bool memo_has(const struct memo *m, struct hash128 h)
{
	const struct hash128 *set = m->sets[h.a % SETS];

	return hash128_eq(set[0], h) || hash128_eq(set[1], h);
}

void memo_add(struct memo *m, struct hash128 h)
{
	struct hash128 *set = m->sets[h.a % SETS];

	if (hash128_eq(set[0], h))
		return;
	set[1] = set[0];
	set[0] = h;
}
