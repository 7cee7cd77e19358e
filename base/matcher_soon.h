/* matcher_soon.h -- literals that are looked for at once, and fast a little later.
 *
 * compile() takes a Hyperscan database from the cache if it is there. Else it
 * answers with matcher_words, and the database is compiled, and put in the cache,
 * by a thread beside; from then on scan() uses that. There is one such thread in
 * the process, of low priority, while there is work: databases wait their turn.
 * What matcher_words does not take is compiled before compile() returns.
 *
 * If Hyperscan fails, words go on being looked for the slow way: nothing is lost but time, which is logged and counted.
 * A matcher may be freed at any time, also while its database is compiled. */
#ifndef BASE_MATCHER_SOON_H
#define BASE_MATCHER_SOON_H
#include "base/matcher.h"

extern const struct matcher_kind matcher_soon;

/* How many databases are still to be compiled, in the whole process. */
size_t matcher_soon_due(void);
/* Returns when there are none. */
void matcher_soon_wait(void);
/* Those that Hyperscan did not compile, since the process began; each was logged. */
uint64_t matcher_soon_refused(void);

/* From the cache alone, for matcher_soon.c; NULL: it is not there. */
struct matcher *matcher_hs_cached(const struct pattern *, size_t n, const char *cache_dir);
#endif
