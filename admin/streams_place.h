/* streams_place.h -- inside the streams: up to where a client has seen the events of each gate.
 *
 *   1234            of this gate, by the number of a row in its archive; "-": from now on
 *   1234,3:77,9:90  and of gates 3 and 9, by their number in the cluster (share.h)
 *
 * It is the `id` of each event, so it comes back as Last-Event-ID; and less the first part, as what other gates are asked. */
#ifndef ADMIN_STREAMS_PLACE_H
#define ADMIN_STREAMS_PLACE_H
#include "base/text.h"

enum {
	STREAMS_GATES = 32,                        /* other gates that one stream follows */
	STREAMS_GATE_MAX = 1023,                   /* the greatest number of a gate */
	STREAMS_OTHERS = STREAMS_GATES * 25,       /* "1023:9223372036854775807," each */
	STREAMS_PLACE = 20 + STREAMS_OTHERS,
};

struct streams_place {
	int64_t own;                               /* -1: from now on */
	struct { unsigned gate; int64_t at; } others[STREAMS_GATES];
	size_t n;
};

/* False: it is none, and *out is "from now on". */
bool streams_place_read(struct bytes, struct streams_place *out);
bool streams_place_read_others(struct bytes, struct streams_place *out); /* "3:77,9:90" */
void streams_place_text(struct text *, const struct streams_place *);
void streams_place_text_others(struct text *, const struct streams_place *);
/* Where it stands at that gate; NULL: it does not say. */
int64_t *streams_place_of(struct streams_place *, unsigned gate);
bool streams_place_add(struct streams_place *, unsigned gate, int64_t at); /* one more; false: there is no room */
#endif
