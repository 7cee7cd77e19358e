/* tally.h -- inside admin/: how often keys come, and from how many clients.
 *
 * Two tables with open addressing, for a hundred thousand keys or so in one go. What is beyond the bounds, or memory, is not
 * counted: the first to come are. One thread. */
#ifndef ADMIN_TALLY_H
#define ADMIN_TALLY_H
#include "base/bytes.h"

enum { TALLY_KEYS = 1 << 18, TALLY_PAIRS = 1 << 20, TALLY_KEY_MAX = 1024 };

struct tally_entry {
	struct bytes key;   /* malloc'ed, its own */
	uint64_t count, clients;
};

struct tally {
	struct tally_entry *at;
	size_t n, cap;
	uint32_t *slots;    /* place in `at`, plus one */
	size_t nslots;
	uint64_t *pairs;    /* hashes of key and client; 0: free */
	size_t npairs, pair_slots;
};

void tally_add(struct tally *, struct bytes key, struct bytes client);
void tally_sort(struct tally *); /* the most frequent first; nothing is added after that */
void tally_free(struct tally *);
#endif
