/* netset.h -- addresses and blocks of addresses by the million, each with a number.
 *
 * IPv4: a bitmap of /24s in front of an open-addressing table of 8-byte slots; blocks by the prefix lengths that are there;
 * IPv6 likewise, by its top 64 bits, longer prefixes by all. Sets of 100 million are meant. Asking takes no lock. One
 * thread at a time changes a set; readers may run beside it, and see a member wholly or not at all. A block of IPv6 covers
 * no IPv4. */
#ifndef CTI_NETSET_H
#define CTI_NETSET_H
#include "base/err.h"
#include "base/ip.h"

enum { NETSET_VALUE_MAX = 0xfffe };

struct netset;
struct netset *netset_new(size_t v4, size_t v6); /* room for about so many; it grows. NULL: out of memory */
void netset_free(struct netset *); /* no reader is left; NULL is allowed */

/* The value of the longest prefix that covers the address; 0: none does. */
unsigned netset_find(const struct netset *, const struct ip *);
/* Every prefix that covers it, longest first, until `each` returns false. */
void netset_each_of(const struct netset *, const struct ip *, bool (*each)(void *ctx, unsigned bits, unsigned value), void *ctx);

unsigned netset_get(const struct netset *, const struct ip_net *); /* of that very prefix; of the writer */
/* 1 to NETSET_VALUE_MAX; replaces what the same prefix had. False: out of memory. */
bool netset_put(struct netset *, const struct ip_net *, unsigned value);
bool netset_take(struct netset *, const struct ip_net *); /* false: it was not there */
size_t netset_count(const struct netset *);
size_t netset_bytes(const struct netset *); /* of memory, in all */
/* All members, in no order. */
void netset_each(const struct netset *, bool (*each)(void *ctx, const struct ip_net *, unsigned value), void *ctx);
#endif
