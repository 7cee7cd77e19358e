/* decisions_front.h -- for whom is anything held at all? Asked for each request, without a lock; and where an id is.
 *
 * How many active records there are against each address, block and value. Who has none pays a look or two here and never
 * comes to the records, which alone know until when. */
#ifndef CTI_DECISIONS_FRONT_H
#define CTI_DECISIONS_FRONT_H
#include "base/decision.h"

struct front;
struct front *front_new(void); /* NULL: out of memory */
void front_free(struct front *); /* NULL is allowed */

/* `hash` is of scope and value. Where memory is short it goes on by asking the records each time. */
void front_add(struct front *, enum scope, const struct ip_net *, uint64_t hash);
void front_take(struct front *, enum scope, const struct ip_net *, uint64_t hash);
bool front_has_ip(const struct front *, const struct ip *);
bool front_has_value(const struct front *, uint64_t hash);
/* The blocks that cover the address, longest first; false: that is not known, and any may. */
bool front_blocks(const struct front *, const struct ip *, uint8_t bits[128], unsigned *n);

void front_add_id(struct front *, uint64_t id, uint64_t hash);
void front_take_id(struct front *, uint64_t id);
bool front_find_id(struct front *, uint64_t id, uint64_t *hash); /* its lower 63 bits */
#endif
