/* geo.h -- country and AS of an address, from MaxMind DB files that the user names (libmaxminddb). */
#ifndef CTI_GEO_H
#define CTI_GEO_H
#include "base/err.h"
#include "base/ip.h"

struct geo_found {
	char country[3];   /* ISO 3166-1, "" when not known */
	char as_name[96];
	uint32_t as;       /* 0: not known */
};

struct geo; /* immutable; any thread */
struct geo *geo_open(const char *const *files, size_t n, struct err *); /* NULL: err names the file */
void geo_close(struct geo *); /* NULL is allowed */
bool geo_find(const struct geo *, const struct ip *, struct geo_found *); /* false: nothing is known; NULL geo: false */
#endif
