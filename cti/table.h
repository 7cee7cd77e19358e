/* table.h -- a number for each key, by the million: one writer, and readers beside it that take no lock.
 *
 * Open addressing. Keys of 32 bits share a slot of 8 bytes with their number; wider ones have 16 or 24 bytes, published by
 * the number, which is written last. A byte of filter a slot tells most of what is not there; keys of addresses have a bitmap
 * of /24s instead. A table that is full, or full of what was taken, is moved into another a few slots with each change, so
 * that no change takes long; readers look into both meanwhile, and the old one is freed when no reader has it.
 *
 * Readers are between rcu_enter() and rcu_leave(). */
#ifndef CTI_TABLE_H
#define CTI_TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table_kind {
	TABLE_ADDRESSES, /* IPv4 addresses: key.hi, 32 bits; numbers of 1 to TABLE_NUMBER_MAX */
	TABLE_32,        /* others of 32 bits; likewise */
	TABLE_64,        /* key.hi; any number but 0 and UINT64_MAX */
	TABLE_128,       /* both */
};
enum { TABLE_NUMBER_MAX = 0x7fffffff };

struct table_key { uint64_t hi, lo; };

struct table;
struct table *table_new(enum table_kind, size_t room); /* for about so many, once the first comes. NULL: out of memory */
void table_free(struct table *); /* no reader is left; NULL is allowed */

uint64_t table_get(const struct table *, struct table_key); /* 0: it is not there */
/* False: it is not there, whatever is under way. Of TABLE_ADDRESSES only, and outside of rcu_enter() too. */
bool table_may_have(const struct table *, uint32_t address);
/* Both in one: TABLE_ADDRESSES only, outside of rcu_enter(). */
uint64_t table_get_address(const struct table *, uint32_t address);
bool table_put(struct table *, struct table_key, uint64_t number); /* false: out of memory */
bool table_take(struct table *, struct table_key); /* false: it was not there, or out of memory */
size_t table_count(const struct table *);
size_t table_bytes(const struct table *);
bool table_each(const struct table *, bool (*each)(void *ctx, struct table_key, uint64_t number), void *ctx);
#endif
