/* load.c -- CrowdSec's scenario files -> a set.
 *
 * Strict, as CrowdSec is: an unknown key, a field that does not fit the type, an expression that cannot be compiled is an
 * error with its place. Source: crowdsec-docs, log_processor/scenarios/format.md. */
#include "base/duration.h"
#include "scenarios/scenario.h"
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	SET_BYTES = 256 << 20, /* of all scenarios, data files included */
	KEEP_DEFAULT = 50,     /* events of a bucket that has no capacity */
	KEEP_MAX = 1000,
};

/* One document while it is read. */
struct reading {
	struct scenarios *set;
	const struct scenarios_options *options;
	struct scenario *s;
	const struct yaml_node *doc;
	struct where where;
	bool has_capacity, has_leak, has_duration, has_cache;
	int64_t capacity;
	uint64_t leak_us, duration_us, cache;
	bool skip; /* its format is not for us */
	struct err *err;
};

static void warn(const struct scenarios_options *o, const char *text)
{
	if (o->warn)
		o->warn(o->warn_ctx, text);
}

/* ---- values ---- */

static bool want_text(struct reading *r, const struct yaml_node *n, struct bytes *out)
{
	if (n->kind != YAML_SCALAR)
		return yaml_err(n->where, r->err, "expected a text, found %s", yaml_kind_word(n->kind));
	*out = n->text;
	return true;
}

static bool want_bool(struct reading *r, const struct yaml_node *n, bool *out)
{
	if (n->kind == YAML_SCALAR && bytes_eq_nocase(n->text, BYTES("true")))
		*out = true;
	else if (n->kind == YAML_SCALAR && bytes_eq_nocase(n->text, BYTES("false")))
		*out = false;
	else
		return yaml_err(n->where, r->err, "expected true or false");
	return true;
}

static bool want_duration(struct reading *r, const struct yaml_node *n, uint64_t *us)
{
	if (n->kind == YAML_SCALAR && duration_parse(n->text, us))
		return true;
	return yaml_err(n->where, r->err, "expected a duration such as \"10s\" or \"1h30m\"");
}

static bool want_number(struct reading *r, const struct yaml_node *n, double *out)
{
	char *end;

	if (n->kind == YAML_SCALAR && n->text.len) {
		*out = strtod(n->text.at, &end);
		if (end == n->text.at + n->text.len)
			return true;
	}
	return yaml_err(n->where, r->err, "expected a number");
}

static bool want_expr(struct reading *r, const struct yaml_node *n, struct expr **out)
{
	struct expr_world world = world_of(r->set);
	struct err why;

	if (n->kind != YAML_SCALAR || !bytes_trim(n->text).len)
		return yaml_err(n->where, r->err, "expected an expression");
	if ((*out = expr_compile(r->set->arena, n->text, &world, &why)))
		return true;
	return yaml_err(n->where, r->err, "in the expression, at %s", why.text);
}

/* ---- keys, one function each ---- */

typedef bool read_key(struct reading *, const struct yaml_node *);

static bool key_type(struct reading *r, const struct yaml_node *n)
{
	static const struct {
		const char *word;
		enum bucket_type type;
	} types[] = {
		{ "leaky", BUCKET_LEAKY }, { "trigger", BUCKET_TRIGGER }, { "counter", BUCKET_COUNTER },
		{ "conditional", BUCKET_CONDITIONAL }, { "bayesian", BUCKET_BAYESIAN },
	};

	for (size_t i = 0; n->kind == YAML_SCALAR && i < nelems(types); i++)
		if (bytes_eq(n->text, bytes_of(types[i].word))) {
			r->s->kind.type = r->s->info.type = types[i].type;
			return true;
		}
	return yaml_err(n->where, r->err, "expected leaky, trigger, counter, conditional or bayesian");
}

static bool key_name(struct reading *r, const struct yaml_node *n)
{
	return want_text(r, n, &r->s->info.name);
}

static bool key_description(struct reading *r, const struct yaml_node *n)
{
	return want_text(r, n, &r->s->info.description);
}

static bool key_filter(struct reading *r, const struct yaml_node *n)
{
	r->s->filter_text = n->text;
	return want_expr(r, n, &r->s->filter);
}

static bool key_groupby(struct reading *r, const struct yaml_node *n)
{
	return (n->kind == YAML_SCALAR && !n->text.len) || want_expr(r, n, &r->s->groupby);
}

static bool key_distinct(struct reading *r, const struct yaml_node *n)
{
	return want_expr(r, n, &r->s->distinct);
}

static bool key_cancel_on(struct reading *r, const struct yaml_node *n)
{
	return want_expr(r, n, &r->s->cancel_on);
}

static bool key_condition(struct reading *r, const struct yaml_node *n)
{
	return want_expr(r, n, &r->s->condition);
}

static bool key_overflow_filter(struct reading *r, const struct yaml_node *n)
{
	return want_expr(r, n, &r->s->overflow_filter);
}

static bool key_capacity(struct reading *r, const struct yaml_node *n)
{
	double v = 0;

	if (!want_number(r, n, &v))
		return false;
	if (v < -1 || v > 1000000 || v != (double)(int64_t)v)
		return yaml_err(n->where, r->err, "expected a whole number from -1 to 1000000");
	r->capacity = (int64_t)v;
	r->has_capacity = true;
	return true;
}

static bool key_leakspeed(struct reading *r, const struct yaml_node *n)
{
	return r->has_leak = want_duration(r, n, &r->leak_us);
}

static bool key_duration(struct reading *r, const struct yaml_node *n)
{
	return r->has_duration = want_duration(r, n, &r->duration_us);
}

static bool key_blackhole(struct reading *r, const struct yaml_node *n)
{
	return want_duration(r, n, &r->s->kind.blackhole_us);
}

static bool key_cache_size(struct reading *r, const struct yaml_node *n)
{
	double v = 0;

	if (!want_number(r, n, &v))
		return false;
	r->has_cache = v > 0; /* CrowdSec: 0 and less are no bound of their own */
	r->cache = v > 0 ? (uint64_t)v : 0;
	return true;
}

static bool key_prior(struct reading *r, const struct yaml_node *n)
{
	return want_number(r, n, &r->s->prior);
}

static bool key_threshold(struct reading *r, const struct yaml_node *n)
{
	return want_number(r, n, &r->s->threshold);
}

static bool key_reprocess(struct reading *r, const struct yaml_node *n)
{
	return want_bool(r, n, &r->s->reprocess);
}

static bool key_simulated(struct reading *r, const struct yaml_node *n)
{
	return want_bool(r, n, &r->s->info.simulated);
}

static bool key_cluster(struct reading *r, const struct yaml_node *n)
{
	return want_bool(r, n, &r->s->cluster);
}

static bool key_nothing(struct reading *r, const struct yaml_node *n)
{
	(void)r, (void)n;
	return true;
}

/* ">= 1.0, <= 3.0" is what this engine speaks; a scenario of another format is left out, not an error. */
static bool key_format(struct reading *r, const struct yaml_node *n)
{
	double v = 0;

	if (!want_number(r, n, &v))
		return false;
	r->skip = v < 1.0 || v > 3.0;
	return true;
}

static bool key_scope(struct reading *r, const struct yaml_node *n)
{
	const struct yaml_node *type = yaml_get(n, "type"), *value = yaml_get(n, "expression");

	if (!type || type->kind != YAML_SCALAR)
		return yaml_err(n->where, r->err, "expected {type, expression}");
	for (size_t i = 0; i < n->n; i++)
		if (n->items[i] != type && n->items[i] != value)
			return yaml_err(n->keys[i]->where, r->err, "unknown key; it may have type and expression");
	r->s->scope_name = type->text;
	r->s->scope = scope_from_word(type->text);
	if (r->s->scope == SCOPE_IP && value && value->text.len)
		return yaml_err(value->where, r->err, "the scope Ip takes no expression: it is the source's address");
	if (r->s->scope != SCOPE_IP && r->s->scope != SCOPE_RANGE && !value)
		return yaml_err(n->where, r->err, "this scope needs an expression");
	return !value || !value->text.len || want_expr(r, value, &r->s->scope_value);
}

static bool key_labels(struct reading *r, const struct yaml_node *n)
{
	const struct yaml_node *v;

	if (n->kind != YAML_MAPPING)
		return yaml_err(n->where, r->err, "expected a mapping, found %s", yaml_kind_word(n->kind));
	if ((v = yaml_get(n, "remediation")) && v->kind == YAML_SCALAR && !v->quoted)
		r->s->info.remediation = bytes_eq_nocase(v->text, BYTES("true"));
	if ((v = yaml_get(n, "behavior")) && v->kind == YAML_SCALAR)
		r->s->info.behavior = v->text;
	if ((v = yaml_get(n, "label")) && v->kind == YAML_SCALAR)
		r->s->info.label = v->text;
	return true;
}

static bool bayes_condition(struct reading *r, const struct yaml_node *n)
{
	struct bayes_condition *c;

	if (r->s->nbayes == BAYES_MAX)
		return yaml_err(n->where, r->err, "more than %d conditions", BAYES_MAX);
	c = &r->s->bayes[r->s->nbayes++];
	if (n->kind != YAML_MAPPING)
		return yaml_err(n->where, r->err, "expected {condition, prob_given_evil, prob_given_benign}");
	for (size_t i = 0; i < n->n; i++) {
		struct bytes key = n->keys[i]->text;
		bool ok = bytes_eq(key, BYTES("condition"))         ? want_expr(r, n->items[i], &c->condition)
			  : bytes_eq(key, BYTES("prob_given_evil"))   ? want_number(r, n->items[i], &c->if_evil)
			  : bytes_eq(key, BYTES("prob_given_benign")) ? want_number(r, n->items[i], &c->if_benign)
			  : bytes_eq(key, BYTES("guillotine"))
				  ? want_bool(r, n->items[i], &c->guillotine)
				  : yaml_err(n->keys[i]->where, r->err, "unknown key \"%.*s\"", YAML_SHOWN(key));

		if (!ok)
			return false;
	}
	if (!c->condition || c->if_evil < 0 || c->if_evil > 1 || c->if_benign < 0 || c->if_benign > 1)
		return yaml_err(n->where, r->err, "it needs a condition, and probabilities from 0 to 1");
	return true;
}

static bool key_bayes(struct reading *r, const struct yaml_node *n)
{
	if (n->kind != YAML_SEQUENCE)
		return yaml_err(n->where, r->err, "expected a list, found %s", yaml_kind_word(n->kind));
	for (size_t i = 0; i < n->n; i++)
		if (!bayes_condition(r, n->items[i]))
			return false;
	return true;
}

/* ---- data files ---- */

/* Beside the scenario, or in one of the data directories; in each also by its last name alone. */
static bool data_path(const struct reading *r, struct bytes file, char out[PATH_MAX])
{
	char own[PATH_MAX];
	const char *dir;

	snprintf(own, sizeof own, "%s", r->s->info.file);
	dir = dirname(own);
	for (size_t i = 0; i <= r->options->ndata_dirs; i++) {
		snprintf(out, PATH_MAX, "%s/%.*s", dir, BYTES_ARG(file));
		if (access(out, R_OK) == 0)
			return true;
		if (i < r->options->ndata_dirs)
			dir = r->options->data_dirs[i];
	}
	return false;
}

static bool data_file(struct reading *r, const struct yaml_node *n)
{
	const struct yaml_node *file = yaml_get(n, "dest_file"), *type = yaml_get(n, "type");
	struct bytes t = type && type->kind == YAML_SCALAR ? type->text : BYTES("string");
	enum expr_data_type kind = EXPR_DATA_STRING;
	char path[PATH_MAX];
	struct err why;

	if (!file || file->kind != YAML_SCALAR || !file->text.len)
		return yaml_err(n->where, r->err, "it needs dest_file");
	if (bytes_find(file->text, BYTES("..")) != SIZE_MAX || file->text.at[0] == '/')
		return yaml_err(file->where, r->err, "it leads out of the data directory");
	if (bytes_eq(t, BYTES("regexp")) || bytes_eq(t, BYTES("regex")))
		kind = EXPR_DATA_REGEXP;
	else if (bytes_eq(t, BYTES("map")))
		kind = EXPR_DATA_MAP;
	else if (!bytes_eq(t, BYTES("string")) && t.len)
		return yaml_err(type->where, r->err, "expected string, regexp or map");
	if (!data_path(r, file->text, path))
		snprintf(path, sizeof path, "%.*s", BYTES_ARG(file->text));
	if (!expr_data_add(r->set->data, file->text, kind, path, &why)) {
		char text[512];

		snprintf(text, sizeof text, "%s: data file: %s", r->s->info.file, why.text);
		warn(r->options, text);
	}
	return true;
}

static bool key_data(struct reading *r, const struct yaml_node *n)
{
	if (n->kind != YAML_SEQUENCE)
		return yaml_err(n->where, r->err, "expected a list, found %s", yaml_kind_word(n->kind));
	for (size_t i = 0; i < n->n; i++)
		if (!data_file(r, n->items[i]))
			return false;
	return true;
}

/* ---- the table ---- */

/* `data` comes first: expressions need the files. The rest in the order of CrowdSec's manual. */
static const struct {
	const char *key;
	read_key *read;
} keys[] = {
	{ "data", key_data },
	{ "type", key_type },
	{ "name", key_name },
	{ "description", key_description },
	{ "author", key_nothing },
	{ "references", key_nothing },
	{ "version", key_nothing },
	{ "debug", key_nothing },
	{ "format", key_format },
	{ "filter", key_filter },
	{ "groupby", key_groupby },
	{ "distinct", key_distinct },
	{ "capacity", key_capacity },
	{ "leakspeed", key_leakspeed },
	{ "duration", key_duration },
	{ "blackhole", key_blackhole },
	{ "cache_size", key_cache_size },
	{ "cancel_on", key_cancel_on },
	{ "overflow_filter", key_overflow_filter },
	{ "condition", key_condition },
	{ "bayesian_prior", key_prior },
	{ "bayesian_threshold", key_threshold },
	{ "bayesian_conditions", key_bayes },
	{ "scope", key_scope },
	{ "reprocess", key_reprocess },
	{ "simulated", key_simulated },
	{ "cluster", key_cluster },
	{ "labels", key_labels },
};

static bool known_keys(struct reading *r)
{
	for (size_t i = 0; i < r->doc->n; i++) {
		struct bytes key = r->doc->keys[i]->text;
		size_t k = 0;

		while (k < nelems(keys) && !bytes_eq(key, bytes_of(keys[k].key)))
			k++;
		if (k == nelems(keys))
			return yaml_err(r->doc->keys[i]->where, r->err, "a scenario has no key \"%.*s\"", YAML_SHOWN(key));
	}
	return true;
}

static bool read_keys(struct reading *r)
{
	for (size_t k = 0; k < nelems(keys); k++) {
		const struct yaml_node *n = yaml_get(r->doc, keys[k].key);

		if (n && !keys[k].read(r, n))
			return err_at(r->err, "%.*s: %s", BYTES_ARG(r->s->info.name), keys[k].key);
		if (r->skip)
			return true;
	}
	return true;
}

/* ---- what must fit together ---- */

static bool fits(struct reading *r)
{
	struct scenario *s = r->s;
	struct bucket_kind *k = &s->kind;

	if (!yaml_get(r->doc, "type") || !s->info.name.len || !s->info.description.len || !s->filter)
		return yaml_err(r->where, r->err, "a scenario needs type, name, description and filter");
	switch (k->type) {
	case BUCKET_TRIGGER:
		if (r->capacity > 0)
			return yaml_err(r->where, r->err, "a trigger has no capacity");
		break;
	case BUCKET_LEAKY:
		if (r->capacity <= 0 || !r->leak_us)
			return yaml_err(r->where, r->err, "leaky needs a capacity above 0, and a leakspeed");
		k->capacity = (uint32_t)r->capacity;
		k->leak_us = r->leak_us;
		k->life_us = (k->capacity + 1) * k->leak_us;
		break;
	case BUCKET_COUNTER:
		if (!r->duration_us || (r->has_capacity && r->capacity != -1))
			return yaml_err(r->where, r->err, "a counter needs a duration, and capacity -1");
		k->life_us = r->duration_us * 2; /* it is taken at its end */
		break;
	case BUCKET_CONDITIONAL:
		if (!s->condition || !r->leak_us)
			return yaml_err(r->where, r->err, "conditional needs a condition and a leakspeed");
		k->life_us = (r->capacity > 0 ? (uint64_t)r->capacity + 1 : 1) * r->leak_us;
		break;
	case BUCKET_BAYESIAN:
		if (!s->nbayes || !r->leak_us || s->prior <= 0 || s->prior >= 1 || s->threshold <= 0 || s->threshold > 1)
			return yaml_err(r->where, r->err,
					"bayesian needs conditions, a leakspeed, a prior and a threshold between 0 and 1");
		k->life_us = r->leak_us;
		break;
	}
	if (s->nbayes && k->type != BUCKET_BAYESIAN)
		return yaml_err(r->where, r->err, "only a bayesian scenario has bayesian_conditions");
	k->keep = r->has_cache ? (uint32_t)(r->cache < KEEP_MAX ? r->cache + 1 : KEEP_MAX)
		  : k->capacity ? (k->capacity < KEEP_MAX ? k->capacity + 1 : KEEP_MAX) : KEEP_DEFAULT;
	k->keep = k->type == BUCKET_TRIGGER ? 0 : k->keep;
	return true;
}

/* The latest of what its expressions load. */
static void set_point(struct scenario *s)
{
	const struct expr *uses[] = { s->filter, s->groupby, s->distinct, s->cancel_on, s->condition, s->scope_value };

	s->info.point = AT_HEAD;
	for (size_t i = 0; i < nelems(uses) + s->nbayes; i++) {
		const struct expr *e = i < nelems(uses) ? uses[i] : s->bayes[i - nelems(uses)].condition;
		const uint32_t *numbers;
		size_t n = e ? expr_loads(e, &numbers) : 0;

		for (size_t k = 0; k < n; k++)
			if (world_point(numbers[k]) > s->info.point)
				s->info.point = world_point(numbers[k]);
	}
}

/* ---- documents and files ---- */

static bool add(struct scenarios *set, struct scenario *s, struct err *err)
{
	struct scenario **at;

	if (set->n == SCENARIOS_MAX)
		return err_set(err, SIDE_CONFIG, 0, "%s: more than %d scenarios", s->info.file, SCENARIOS_MAX);
	for (size_t i = 0; i < set->n; i++)
		if (bytes_eq(set->at[i]->info.name, s->info.name))
			return err_set(err, SIDE_CONFIG, 0, "%s:%u:1: %.*s is also in %s:%u", s->info.file, s->info.line,
				       BYTES_ARG(s->info.name), set->at[i]->info.file, set->at[i]->info.line);
	at = arena_grow(set->arena, set->at, &set->cap, set->n + 1, sizeof *at);
	if (!at)
		return err_set(err, SIDE_SELF, 0, "out of memory for scenarios");
	set->at = at;
	set->at[set->n++] = s;
	return true;
}

static bool read_doc(struct scenarios *set, const struct scenarios_options *o, const struct yaml_node *doc, struct err *err)
{
	struct reading r = { .set = set, .options = o, .doc = doc, .where = doc->where, .err = err, .capacity = 0 };
	char text[512];

	if (doc->kind != YAML_MAPPING)
		return yaml_err(doc->where, err, "expected a scenario, found %s", yaml_kind_word(doc->kind));
	if (!(r.s = arena_get(set->arena, sizeof *r.s)))
		return err_set(err, SIDE_SELF, 0, "out of memory for scenarios");
	r.s->info.file = doc->where.file;
	r.s->info.line = doc->where.line;
	r.s->scope_name = BYTES("Ip");
	if (!known_keys(&r) || !read_keys(&r))
		return false;
	if (r.skip) {
		snprintf(text, sizeof text, "%s:%u: %.*s is of a format that is not spoken here; left out", r.s->info.file,
			 r.s->info.line, BYTES_ARG(r.s->info.name));
		warn(o, text);
		return true;
	}
	if (!fits(&r))
		return false;
	set_point(r.s);
	r.s->writes = bytes_find(r.s->filter_text, BYTES("evt.Set")) != SIZE_MAX;
	r.s->key = hash128(hash128(set->key, r.s->info.name), r.s->filter_text);
	r.s->by_source = r.s->groupby && expr_begins_with(r.s->groupby, FACT_SOURCE_IP);
	return add(set, r.s, err);
}

static bool read_file(struct scenarios *set, const struct scenarios_options *o, const char *file, struct err *err)
{
	struct yaml_doc *doc = yaml_load_file(file, err);

	if (!doc)
		return false;
	set->docs[set->ndocs++] = doc;
	for (size_t i = 0; i < yaml_count(doc); i++)
		if (!yaml_is_empty(yaml_root(doc, i)) && !read_doc(set, o, yaml_root(doc, i), err))
			return false;
	return true;
}

struct scenarios *scenarios_load(const struct scenarios_options *o, struct err *err)
{
	struct arena *a = arena_new(SET_BYTES);
	struct scenarios *set = a ? arena_get(a, sizeof *set) : NULL;
	bool ok = set && (set->docs = arena_get(a, (o->nfiles + 1) * sizeof *set->docs)) &&
		  (set->data = expr_data_new(a, o->cache_dir));

	if (!ok) {
		arena_free(a);
		err_set(err, SIDE_SELF, 0, "out of memory for scenarios");
		return NULL;
	}
	set->arena = a;
	set->key = o->key;
	set->keep_all = o->keep_all;
	set->ask_all = o->ask_all;
	for (size_t i = 0; ok && i < o->nfiles; i++)
		ok = read_file(set, o, o->files[i], err);
	if (ok && !(set->costs = costs_new(set->n)))
		ok = err_set(err, SIDE_SELF, 0, "out of memory");
	if (ok && (set->gate = gate_build(set, o->cache_dir, err)))
		return set;
	scenarios_free(set);
	return NULL;
}

void scenarios_free(struct scenarios *set)
{
	struct yaml_doc **docs;
	size_t n;

	if (!set)
		return;
	docs = set->docs;
	n = set->ndocs;
	gate_free(set->gate);
	costs_free(set->costs);
	for (size_t i = 0; i < n; i++)
		yaml_unload(docs[i]);
	arena_free(set->arena);
}

size_t scenarios_count(const struct scenarios *set)
{
	return set->n;
}

const struct scenario_info *scenarios_info(const struct scenarios *set, size_t i)
{
	return &set->at[i]->info;
}
