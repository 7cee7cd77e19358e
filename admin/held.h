/* held.h -- inside admin/: what administrators do with decisions, by ctl or by the API: both only read words and print. Each
 * change of the former is in the audit log, and they are the control thread's. */
#ifndef ADMIN_HELD_H
#define ADMIN_HELD_H
#include "admin/api/door.h"
#include "cti/cti.h"
#include "cti/list_write.h"

/* What somebody wants held; scope SCOPE_OTHER: Ip or Range, by what the value looks like. */
struct held_wish {
	enum scope scope;
	struct bytes value, reason; /* no reason: "by hand" */
	enum remedy_kind remedy;    /* REMEDY_ALLOW: nothing is held against it */
	uint64_t life_us;           /* 0: four hours; what allows: ten years */
	struct bytes origin;        /* empty: "manual" */
};
/* *out is as it is held; its slices are the wish's. False: err says why not, in words. */
bool held_add(struct admin *, const struct caller *, const struct held_wish *, struct decision *out, struct err *);
bool held_lift_id(struct admin *, const struct caller *, uint64_t id);
size_t held_lift(struct admin *, const struct caller *, struct bytes value); /* all against it, of any scope; how many */
size_t held_disallow(struct admin *, const struct caller *, struct bytes value); /* only what allows it */

/* ---- lists of decisions; from any thread ---- */

/* Whatever list_read.h reads. Of what is not held `trouble` is told a line of text, at most HELD_TROUBLES times. */
enum { HELD_TROUBLES = 100 };
struct held_import {
	struct decisions *decisions;
	enum list_format format;
	void (*trouble)(void *ctx, struct bytes line);
	void *ctx;
	size_t added, refused;
};
/* False: from some place on it cannot be read; err. */
bool held_import(struct held_import *, struct bytes list, struct err *);
/* *out is the caller's to free(). */
bool held_export(struct decisions *, enum list_form, struct bytes *out, struct err *);
#endif
