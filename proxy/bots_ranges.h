/* bots_ranges.h -- a list of addresses as a bot's vendor publishes it.
 *
 * JSON with a list `prefixes` of {"ipv4Prefix": "..."} or {"ipv6Prefix": "..."}
 * (Google, Bing, OpenAI, Apple, ...; `ip_prefix` and `ipv6_prefix` are read too), or a
 * block or address a line, with comments behind `#`. What is too wide to be one
 * vendor's is an error: a list is trusted, and 0.0.0.0/0 would be everybody. */
#ifndef PROXY_BOTS_RANGES_H
#define PROXY_BOTS_RANGES_H
#include "base/ip.h"

enum {
	RANGES_BYTES = 4 << 20, /* of a file */
	RANGES_MAX = 100000,    /* blocks of a list */
	RANGES_WIDEST4 = 8, RANGES_WIDEST6 = 16, /* bits of the widest block */
};

struct ranges;

struct ranges *ranges_read(struct bytes text, struct err *); /* NULL: err says where */
struct ranges *ranges_load(const char *file, struct err *);  /* the same from a file */
void ranges_free(struct ranges *);
bool ranges_hold(const struct ranges *, const struct ip *);
/* Disjoint and ascending; neighbours are one. */
size_t ranges_count(const struct ranges *);
void ranges_at(const struct ranges *, size_t i, struct ip *first, struct ip *last);
#endif
