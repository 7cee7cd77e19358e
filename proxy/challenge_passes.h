/* challenge_passes.h -- where each pass is used: what is handed around among
 * many networks is worth nothing any more.
 *
 * A bounded table shared by all workers, one cache line a pass; in a set that is
 * full the one used longest ago makes room, revoked ones last. It forgets at a
 * restart, which costs nobody a pass. */
#ifndef PROXY_CHALLENGE_PASSES_H
#define PROXY_CHALLENGE_PASSES_H
#include "base/bytes.h"

enum { PASSES_NETWORKS = 6, PASSES_WINDOW_S = 600 };

struct passes;
struct passes *passes_new(size_t slots); /* 64 bytes each */
void passes_free(struct passes *);

enum passes_use { PASSES_GOOD, PASSES_JUST_REVOKED, PASSES_REVOKED };
/* What other gates ought to know of a use: a network that it was not seen in, or that it is revoked. */
struct pass_news {
	uint64_t jti;
	uint32_t network, revoked_s; /* revoked for so long; 0: it is not */
	bool is;                     /* there is news */
};
/* One use of the pass `jti` from a network (a keyed hash). The seventh network
 * within ten minutes revokes it until `until_s`. Seconds are monotonic. */
enum passes_use passes_use(struct passes *, uint64_t jti, uint64_t network, uint32_t now_s, uint32_t until_s, struct pass_news *);
void passes_heard(struct passes *, const struct pass_news *, uint32_t now_s); /* from another gate */
bool passes_has(struct passes *, uint64_t jti); /* made or used here before */
void passes_add(struct passes *, uint64_t jti, uint32_t now_s);
#endif
