/* fields.h -- the values that a request has in each zone.
 *
 * Head values are collected at once, those of the body as its parsers report
 * them. A value keeps what its transformations made of it, so that however
 * many rules want `lowercase`, it is done once. Only zones that some rule looks
 * at are filled. */
#ifndef RULES_FIELDS_H
#define RULES_FIELDS_H
#include "rules/exclusions.h"
#include "rules/ir.h"

struct value {
	struct bytes name, text;
	uint32_t traits;    /* transform_traits(text); 0: not looked at */
	struct bytes *made; /* by step; at == NULL: not made */
};

struct zone_values {
	struct value *at;
	size_t n, cap;
	size_t scanned; /* those before it have been through the union database */
};

struct cost_sample;

struct values {
	struct arena *arena;
	const struct ir *ir;
	zone_set wanted;
	struct exclusions exclusions;
	struct zone_values zones[ZONE_COUNT];
	size_t max;      /* of cookies */
	size_t args_max; /* of arguments in the query, and in the body */
	bool cut_args;   /* an exception took an argument out of the query */
	size_t added;    /* values, ever */
	struct cost_sample *sample; /* NULL: this inspection is not timed */
	bool spent;      /* the arena is at its cap: nothing here is complete */
	struct bytes fault; /* why the values are not complete, in words; else empty */
};

static inline bool values_want(const struct values *v, enum zone z)
{
	return v->wanted >> z & 1;
}

/* False when `fault` or `spent` was set. */
bool values_add(struct values *, enum zone, struct bytes name, struct bytes text);
bool values_head(struct values *, const struct request *);
bool values_trailers(struct values *, const struct fields *);
/* The text after the steps up to `node`; at == NULL when spent. */
struct bytes value_after(struct values *, struct value *, uint16_t node);
/* Whether it is another text at all; true if that is not known yet. */
static inline bool value_may_change(const struct values *v, const struct value *of, uint16_t node)
{
	return node && (!of->traits || v->ir->steps[node].needs & of->traits);
}
bool target_takes(const struct target *, const struct value *);
/* The value's name is the wanted one, in any case; "a.0" also names what JSON calls
 * "a.array_0". */
bool value_is_named(struct bytes name, struct bytes wanted);
#endif
