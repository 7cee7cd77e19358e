/* fields.c -- zones -> values, for the head of a request.
 *
 * CrowdSec's ARGS are those of the query only, its URI is the decoded path. We
 * add every reading that another server might have of that path. */
#include "rules/fields.h"
#include "base/path.h"
#include "base/schema_type.h"
#include "rules/body/urlencoded.h"

static const struct {
	const char *word; /* in AppSec rules */
	enum zone zone;
	const char *help;
} zones[] = {
	{ "URI",              ZONE_URI,              "each reading of the path, decoded"         },
	{ "URI_FULL",         ZONE_URI_FULL,         "the target as it was sent"                 },
	{ "METHOD",           ZONE_METHOD,           "GET, POST, ..."                            },
	{ "PROTOCOL",         ZONE_PROTOCOL,         "HTTP/1.1"                                  },
	{ "ARGS",             ZONE_ARGS,             "values of the query, decoded once"         },
	{ "ARGS_NAMES",       ZONE_ARGS_NAMES,       "names in the query, decoded once"          },
	{ "HEADERS",          ZONE_HEADERS,          "values of the header fields"               },
	{ "HEADERS_NAMES",    ZONE_HEADERS_NAMES,    "their names"                               },
	{ "COOKIES",          ZONE_COOKIES,          "values of the cookies, as sent"            },
	{ "COOKIES_NAMES",    ZONE_COOKIES_NAMES,    "their names"                               },
	{ "BODY_ARGS",        ZONE_BODY_ARGS,        "values in the body: a.b of JSON is json.a.b" },
	{ "BODY_ARGS_NAMES",  ZONE_BODY_ARGS_NAMES,  "their names"                               },
	{ "FILES",            ZONE_FILES,            "names that uploaded files were given"      },
	{ "FILENAMES",        ZONE_FILES,            "the same"                                  },
	{ "FILES_NAMES",      ZONE_FILES_NAMES,      "names of the fields they came in"          },
	{ "FILES_TOTAL_SIZE", ZONE_FILES_TOTAL_SIZE, "bytes of all uploaded files"               },
	{ "RAW_BODY",         ZONE_RAW_BODY,         "the body as it came, up to the window"     },
};

bool zone_find(struct bytes word, enum zone *z)
{
	for (size_t i = 0; i < nelems(zones); i++)
		if (bytes_eq(word, bytes_of(zones[i].word))) {
			*z = zones[i].zone;
			return true;
		}
	return false;
}

const char *zone_name(enum zone z)
{
	for (size_t i = 0; i < nelems(zones); i++)
		if (zones[i].zone == z)
			return zones[i].word;
	return "BODY_TYPE";
}

const char *zone_nearest(struct bytes word)
{
	const char *all[nelems(zones)];

	for (size_t i = 0; i < nelems(zones); i++)
		all[i] = zones[i].word;
	return schema_nearest(word, all, nelems(zones));
}

static bool fail(struct values *v, size_t max, const char *what)
{
	struct text t = text_over(arena_raw(v->arena, 64), 64);

	if (!t.at)
		return !(v->spent = true);
	text_printf(&t, "more than %zu %s", max, what);
	v->fault = text_bytes(&t);
	return false;
}

bool values_add(struct values *v, enum zone zone, struct bytes name, struct bytes text)
{
	struct zone_values *z = &v->zones[zone];
	struct value *at = z->at;

	if (!values_want(v, zone))
		return true;
	at = arena_grow(v->arena, at, &z->cap, z->n + 1, sizeof *at);
	if (!at)
		return !(v->spent = true);
	z->at = at;
	v->added++;
	at[z->n++] = (struct value){ .name = name, .text = { text.at ? text.at : "", text.len } };
	return true;
}

/* The value and, in the zone of names, its name. */
static bool add_named(struct values *v, enum zone zone, struct bytes name, struct bytes text)
{
	return values_add(v, zone, name, text) && values_add(v, zone + 1, name, name);
}

static bool add_uri(struct values *v, const struct request *r)
{
	struct bytes out[PATH_READINGS_MAX];
	const struct bytes *at = r->readings;
	size_t n = r->nreadings;

	if (!values_want(v, ZONE_URI))
		return true;
	if (!n) {
		at = out;
		n = path_readings(v->arena, r->path, out);
		if (!n)
			return !(v->spent = true);
	}
	for (size_t i = 0; i < n; i++)
		if (!values_add(v, ZONE_URI, (struct bytes){ 0 }, at[i]))
			return false;
	return true;
}

static bool add_arg(void *owner, const struct body_value *arg)
{
	struct values *v = owner;

	if (v->exclusions.named[EXCLUDED_ARG] && exclusions_name(&v->exclusions, EXCLUDED_ARG, arg->name))
		return v->cut_args = true;
	return add_named(v, ZONE_ARGS, arg->name, arg->value);
}

static bool add_args(struct values *v, const struct request *r)
{
	static const struct body_sink sink = { add_arg, NULL };
	struct body_setup setup = {
		/* The head's own limit bounds names and values. */
		.limits = { .args = v->args_max, .name_bytes = SIZE_MAX, .value_bytes = SIZE_MAX, .total_bytes = SIZE_MAX },
		.sink = &sink,
		.owner = v,
	};

	if (!r->query.len || !(values_want(v, ZONE_ARGS) || values_want(v, ZONE_ARGS_NAMES)))
		return true;
	switch (urlencoded_parse(v->arena, r->query, &setup)) {
	case FAULT_NONE:
		return true;
	case FAULT_ARGS:
		return fail(v, v->args_max, "arguments in the query");
	default:
		return !(v->spent = true);
	}
}

/* What follows the last separator. */
static struct bytes basename_of(struct bytes path)
{
	size_t at = path.len;

	while (at && path.at[at - 1] != '/' && path.at[at - 1] != '\\')
		at--;
	return bytes_from(path, at);
}

/* A '+' in a path is no blank. */
static struct bytes decoded(struct values *v, struct bytes path)
{
	char *out;
	size_t n = 0;

	if (bytes_index(path, '%') == SIZE_MAX)
		return path;
	out = arena_raw(v->arena, path.len);
	v->spent |= !out;
	for (size_t i = 0; out && i < path.len; i++) {
		bool escape = path.at[i] == '%' && i + 2 < path.len && byte_hex(path.at[i + 1]) >= 0 && byte_hex(path.at[i + 2]) >= 0;

		out[n++] = escape ? (char)(byte_hex(path.at[i + 1]) << 4 | byte_hex(path.at[i + 2])) : path.at[i];
		i += escape ? 2 : 0;
	}
	return (struct bytes){ out, n };
}

/* "HTTP/1.1"; also one that is not spoken here. */
static struct bytes protocol(const struct request *r)
{
	size_t at = r->line.len;

	while (at && r->line.at[at - 1] != ' ')
		at--;
	if (bytes_starts(bytes_from(r->line, at), BYTES("HTTP/")))
		return bytes_from(r->line, at);
	return r->minor ? BYTES("HTTP/1.1") : BYTES("HTTP/1.0");
}

/* Path and query, of an absolute target too. */
static struct bytes path_query(const struct values *v, const struct request *r)
{
	if (v->cut_args || !r->query.at)
		return r->path;
	if (r->path.at + r->path.len + 1 != r->query.at)
		return r->target; /* an absolute one without a path */
	return (struct bytes){ r->path.at, (size_t)(r->query.at + r->query.len - r->path.at) };
}

/* With an argument taken out, what holds all of them says no more than the path. */
static bool add_target(struct values *v, const struct request *r)
{
	struct bytes none = { 0 }, path = values_want(v, ZONE_PATH) || values_want(v, ZONE_BASENAME) ? decoded(v, r->path) : none;

	return values_add(v, ZONE_URI_FULL, none, v->cut_args ? r->path : r->target) && values_add(v, ZONE_PATH, none, path) &&
	       values_add(v, ZONE_BASENAME, none, basename_of(path)) &&
	       values_add(v, ZONE_PATH_QUERY, none, path_query(v, r)) &&
	       values_add(v, ZONE_LINE, none, v->cut_args ? r->path : r->line) &&
	       values_add(v, ZONE_QUERY, none, v->cut_args ? none : r->query);
}

static bool add_cookies(struct values *v, struct bytes field)
{
	struct bytes pair;

	while (bytes_cut(&field, ';', &pair)) {
		struct bytes name, value = bytes_trim(pair);

		if (!value.len)
			continue;
		bytes_cut(&value, '=', &name);
		name = bytes_trim(name);
		if (v->exclusions.named[EXCLUDED_COOKIE] && exclusions_name(&v->exclusions, EXCLUDED_COOKIE, name))
			continue;
		if (v->zones[ZONE_COOKIES].n == v->max || v->zones[ZONE_COOKIES_NAMES].n == v->max)
			return fail(v, v->max, "cookies");
		if (!add_named(v, ZONE_COOKIES, name, bytes_trim(value)))
			return false;
	}
	return true;
}

/* Cookies that are looked at one by one need not be looked at in a lump, and
 * must not when an exception takes one out. */
static bool field_is_out(const struct values *v, const struct field *f)
{
	return (v->exclusions.named[EXCLUDED_COOKIE] && f->id == FIELD_COOKIE) ||
	       exclusions_name(&v->exclusions, EXCLUDED_HEADER, f->name);
}

static bool add_fields(struct values *v, const struct fields *fields)
{
	bool cookies = values_want(v, ZONE_COOKIES) || values_want(v, ZONE_COOKIES_NAMES);

	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->at[i];

		if (cookies && f->id == FIELD_COOKIE && !add_cookies(v, f->value))
			return false;
		if (!field_is_out(v, f) && !add_named(v, ZONE_HEADERS, f->name, f->value))
			return false;
	}
	return true;
}

bool values_head(struct values *v, const struct request *r)
{
	struct bytes none = { 0 };

	return add_uri(v, r) && values_add(v, ZONE_METHOD, none, r->method) &&
	       values_add(v, ZONE_PROTOCOL, none, protocol(r)) &&
	       add_args(v, r) && add_target(v, r) && add_fields(v, &r->fields);
}

bool values_trailers(struct values *v, const struct fields *trailers)
{
	return add_fields(v, trailers);
}

static bool is_same(struct bytes a, struct bytes b)
{
	return a.at == b.at && a.len == b.len;
}

static struct bytes make(struct values *v, struct value *of, uint16_t node);

/* Another way may have come to the same text and done the same to it. */
static struct bytes made_before(struct values *v, struct value *of, uint16_t node, struct bytes in)
{
	const struct step *steps = v->ir->steps;

	for (uint16_t k = steps[node].same; k; k = steps[k].same)
		if (of->made[k].at && is_same(make(v, of, steps[k].parent), in))
			return of->made[k];
	return (struct bytes){ 0 };
}

/* The way to a node is as long as the longest rule's list of transformations. */
static struct bytes make(struct values *v, struct value *of, uint16_t node)
{
	const struct step *s = &v->ir->steps[node];
	struct bytes in;

	if (!node)
		return of->text;
	if (of->made[node].at)
		return of->made[node];
	in = make(v, of, s->parent);
	if (!in.at)
		return in;
	if (is_same(in, of->text) && !transform_may_change(s->transform, of->traits))
		of->made[node] = in;
	else if (!(of->made[node] = made_before(v, of, node, in)).at)
		of->made[node] = s->transform->fn(v->arena, in);
	v->spent |= !of->made[node].at;
	return of->made[node];
}

struct bytes value_after(struct values *v, struct value *of, uint16_t node)
{
	if (!node)
		return of->text;
	if (!of->traits)
		of->traits = transform_traits(of->text);
	if (!(v->ir->steps[node].needs & of->traits))
		return of->text;
	if (!of->made)
		of->made = arena_get(v->arena, v->ir->nsteps * sizeof *of->made);
	v->spent |= !of->made;
	return of->made ? make(v, of, node) : (struct bytes){ 0 };
}

/* The two segments at the front are one: "0" and "array_0". */
static bool same_segment(struct bytes name, struct bytes wanted)
{
	return bytes_eq_nocase(name, wanted) ||
	       (bytes_starts(name, BYTES("array_")) && bytes_eq(bytes_from(name, 6), wanted));
}

bool value_is_named(struct bytes name, struct bytes wanted)
{
	size_t more = name.len - wanted.len; /* six bytes for each "array_" */
	struct bytes a, b;

	if (name.len == wanted.len)
		return bytes_eq_nocase(name, wanted);
	if (name.len < wanted.len || more % 6)
		return false;
	while (bytes_cut(&name, '.', &a))
		if (!bytes_cut(&wanted, '.', &b) || !same_segment(a, b))
			return false;
	return !wanted.len;
}

bool target_takes(const struct target *t, const struct value *v)
{
	size_t from, to;

	if (t->name.at)
		return value_is_named(v->name, t->name);
	return !t->regex || regex_find(t->regex, v->name, &from, &to) != REGEX_NO;
}
