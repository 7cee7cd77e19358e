/* exclusions.c -- what an exception takes out, while a request passes. */
#include "rules/exclusions.h"
#include "base/path.h"
#include "rules/ruleset.h"
#include "rules/fields.h"

static const zone_set args = ZONE_BIT(ZONE_ARGS) | ZONE_BIT(ZONE_ARGS_NAMES) | ZONE_BIT(ZONE_BODY_ARGS) |
			     ZONE_BIT(ZONE_BODY_ARGS_NAMES) | ZONE_BIT(ZONE_XML_ARGS) | ZONE_BIT(ZONE_XML_ARGS_NAMES);
static const zone_set cookies = ZONE_BIT(ZONE_COOKIES) | ZONE_BIT(ZONE_COOKIES_NAMES);
static const zone_set headers = ZONE_BIT(ZONE_HEADERS) | ZONE_BIT(ZONE_HEADERS_NAMES);
/* What holds all arguments of the query, or of the body, in one. */
static const zone_set query_lumps = ZONE_BIT(ZONE_URI_FULL) | ZONE_BIT(ZONE_PATH_QUERY) | ZONE_BIT(ZONE_LINE) | ZONE_BIT(ZONE_QUERY);
static const zone_set body_lumps = ZONE_BIT(ZONE_XML_TEXT) | ZONE_BIT(ZONE_XML_ATTRIBUTES) | ZONE_BIT(ZONE_RAW_BODY) |
				   ZONE_BIT(ZONE_FORM_BODY);

static bool matches(struct bytes pattern, struct bytes name)
{
	return bytes_index(pattern, '*') == SIZE_MAX ? value_is_named(name, pattern) : path_matches(pattern, name, true);
}

static bool names(const struct excluded *e, struct bytes name)
{
	return matches(e->name, name) || (bytes_starts(name, BYTES("json.")) && matches(e->name, bytes_from(name, 5)));
}

static bool merge_off(struct exclusions *x, struct arena *a, const uint64_t *off, size_t nwords)
{
	uint64_t *all;

	if (!off || !x->off) {
		x->off = off ? off : x->off;
		return true;
	}
	all = arena_get(a, nwords * sizeof *all);
	for (size_t i = 0; all && i < nwords; i++)
		all[i] = x->off[i] | off[i];
	x->off = all;
	return all != NULL;
}

bool exclusions_read(struct exclusions *x, struct arena *a, const struct inspect_options *o, size_t nwords)
{
	*x = (struct exclusions){ .at = o->exclusions, .n = o->nexclusions };
	for (size_t i = 0; i < x->n; i++) {
		const struct exclusion *e = x->at[i];

		x->all |= e->all;
		x->body |= e->body;
		x->cuts |= e->cut.n > 0;
		for (size_t k = 0; k < e->out.n; k++)
			x->named[e->out.at[k].kind] = true;
		if (!merge_off(x, a, e->off, nwords))
			return false;
	}
	return true;
}

bool exclusions_name(const struct exclusions *x, enum excluded_kind kind, struct bytes name)
{
	for (size_t i = 0; x->named[kind] && i < x->n; i++)
		for (size_t k = 0; k < x->at[i]->out.n; k++)
			if (x->at[i]->out.at[k].kind == kind && names(&x->at[i]->out.at[k], name))
				return true;
	return false;
}

static bool in(zone_set zones, enum zone z)
{
	return zones >> z & 1;
}

/* The request has such a value there. */
static bool is_there(const struct values *v, enum zone z, const struct excluded *e)
{
	for (size_t i = 0; i < v->zones[z].n; i++)
		if (names(e, v->zones[z].at[i].name))
			return true;
	return false;
}

static bool takes(const struct values *v, const struct excluded *e, enum zone z, struct bytes name)
{
	switch (e->kind) {
	case EXCLUDED_ARG:
		if (in(args, z))
			return names(e, name);
		return (in(query_lumps, z) && is_there(v, ZONE_ARGS, e)) ||
		       (in(body_lumps, z) && (is_there(v, ZONE_BODY_ARGS, e) || is_there(v, ZONE_XML_ARGS, e)));
	case EXCLUDED_COOKIE:
		if (in(cookies, z))
			return names(e, name);
		return z == ZONE_HEADERS && bytes_eq_nocase(name, BYTES("cookie")) && is_there(v, ZONE_COOKIES, e);
	case EXCLUDED_HEADER:
		return in(headers, z) && names(e, name);
	case EXCLUDED_ZONES:
		return in(e->zones, z);
	}
	return false;
}

bool exclusions_cut(const struct values *v, uint32_t group, enum zone z, struct bytes name)
{
	const struct exclusions *x = &v->exclusions;

	for (size_t i = 0; i < x->n; i++) {
		const struct exclusion *e = x->at[i];

		if (!e->cut.n || (e->cut_groups && !bit_is(e->cut_groups, group)))
			continue;
		for (size_t k = 0; k < e->cut.n; k++)
			if (takes(v, &e->cut.at[k], z, name))
				return true;
	}
	return false;
}

bool exclusions_hide(const struct values *v, uint32_t group, enum zone z, struct bytes name)
{
	const struct exclusions *x = &v->exclusions;

	return (in(args, z) && exclusions_name(x, EXCLUDED_ARG, name)) ||
	       (in(cookies, z) && exclusions_name(x, EXCLUDED_COOKIE, name)) ||
	       (in(headers, z) && exclusions_name(x, EXCLUDED_HEADER, name)) ||
	       (x->cuts && exclusions_cut(v, group, z, name));
}
