/* series_parts.h -- inside the series: what its files share. */
#ifndef ADMIN_SERIES_PARTS_H
#define ADMIN_SERIES_PARTS_H
#include "admin/series.h"

enum {
	SERIES_PENDING = 16, /* steps of 10 s that are not written: more than a minute's */
	SERIES_LOOKS = 12,
};

struct series_slot { uint64_t at_s; struct series_point point; };

struct series_app {
	struct bytes name;
	struct series_point now, sampled;         /* as the metrics are; as they were at the last tick */
	struct series_point looks[SERIES_LOOKS];  /* when, is in the series */
	struct series_slot pending[SERIES_PENDING];
	size_t npending;
};

struct series {
	struct archive *archive;
	struct metrics *metrics;
	struct loop *loop;
	struct deadline tick;
	unsigned ticks;
	uint64_t looked_ms[SERIES_LOOKS]; /* monotonic; 0: not yet */
	size_t newest;
	size_t napps;
	struct series_app apps[1 + SERIES_APPS]; /* all; each */
};

void series_add(struct series_point *, const struct series_point *);
/* ---- series_store.c ---- */
void series_prepare(struct series *); /* its table */
void series_save(struct series *);
void series_save_now(struct series *); /* blocks */
#endif
