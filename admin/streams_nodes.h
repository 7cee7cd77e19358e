/* streams_nodes.h -- inside the streams: which gates came and went since the last look. */
#ifndef ADMIN_STREAMS_NODES_H
#define ADMIN_STREAMS_NODES_H
#include "admin/streams.h"

struct share;
enum { STREAMS_NODES = 256 };

/* What was told of each. All zero: nothing yet, and the first look tells nothing. */
struct streams_nodes {
	struct { char name[64]; bool up; } at[STREAMS_NODES];
	size_t n;
	bool looked;
};
void streams_nodes_look(struct streams_nodes *, const struct share *, struct streams *);
#endif
