/* appsec_load.c -- CrowdSec AppSec rules, and our own, which are these and a few
 * keys more: category, severity, do, status, and `values` for several texts.
 *
 * A document is one rule; the entries of its `rules` are alternatives. An entry
 * is a tree of `and` and `or` over leaves; appsec_dnf.c flattens it. A leaf is
 * zones x variables, transformations, and one match. */
#include "rules/appsec.h"
#include "base/schema_type.h"
#include "rules/ruleset.h"

/* ---- types of values that only rules have ---- */

static bool read_zone(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	const char *near;

	(void)also;
	if (n->kind != YAML_SCALAR)
		return schema_not(s, row->type, n);
	if (zone_find(n->text, out))
		return true;
	near = zone_nearest(n->text);
	return schema_err(s, n, "unknown zone '%.*s'%s%s%s", YAML_SHOWN(n->text),
			  near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool read_transform(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			   void *out, void *also)
{
	const struct transform **t = out;
	const char *near;

	(void)also;
	if (n->kind != YAML_SCALAR)
		return schema_not(s, row->type, n);
	*t = bytes_eq(n->text, BYTES("count")) ? &appsec_count : transform_of_crowdsec(n->text);
	if (*t)
		return true;
	near = transform_nearest(n->text);
	return schema_err(s, n, "unknown transform '%.*s'%s%s%s", YAML_SHOWN(n->text),
			  near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bool read_op(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		    void *out, void *also)
{
	const char *near;

	(void)also;
	if (n->kind != YAML_SCALAR)
		return schema_not(s, row->type, n);
	if ((*(const struct op **)out = op_by_alias(n->text)))
		return true;
	near = op_nearest_alias(n->text);
	return schema_err(s, n, "unknown match type '%.*s'%s%s%s", YAML_SHOWN(n->text),
			  near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Any text: blanks, line ends and nothing at all included. */
static bool read_raw(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		     void *out, void *also)
{
	(void)also;
	if (n->kind != YAML_SCALAR)
		return schema_not(s, row->type, n);
	*(struct bytes *)out = n->text;
	return true;
}

/* What is for CrowdSec or for readers: kept out of the way, of any shape. */
static bool read_any(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		     void *out, void *also)
{
	(void)s, (void)row, (void)n, (void)out, (void)also;
	return true;
}

/* Of the labels only the behaviour means something here: "http:exploit". */
static bool read_labels(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			void *out, void *also)
{
	const struct yaml_node *behavior = yaml_get(n, "behavior");

	(void)also;
	if (n->kind != YAML_MAPPING)
		return schema_not(s, row->type, n);
	if (behavior && behavior->kind == YAML_SCALAR)
		*(struct bytes *)out = behavior->text;
	return true;
}

static const struct schema_type zone_type = { .name = "zone", .want = "a zone: URI, ARGS, HEADERS, ...",
					      .json = "\"type\": \"string\"", .read = read_zone };
static const struct schema_type transform_type = { .name = "transform", .want = "the name of a transformation",
						   .json = "\"type\": \"string\"", .read = read_transform };
static const struct schema_type op_type = { .name = "match type", .want = "a match type: equals, contains, ...",
					    .json = "\"type\": \"string\"", .read = read_op };
static const struct schema_type raw_type = { .name = "text", .want = "a text",
					     .json = "\"type\": \"string\"", .read = read_raw };
static const struct schema_type any_type = { .name = "anything", .want = "anything", .json = "", .read = read_any };
static const struct schema_type labels_type = { .name = "labels", .want = "a mapping",
						.json = "\"type\": \"object\"", .read = read_labels };

/* ---- the tables ---- */

static const struct schema_word body_types[] = {
	{ "json", APPSEC_JSON, false },
	{ "xml", APPSEC_XML, false },
	{ "multipart", APPSEC_MULTIPART, false },
	{ "urlencoded", APPSEC_URLENCODED, false },
	{ 0 },
};

/* CrowdSec's severities, which are syslog's; ours in lower case. */
static const struct schema_word severities[] = {
	{ "critical", SEVERITY_CRITICAL, false },
	{ "error", SEVERITY_ERROR, false },
	{ "warning", SEVERITY_WARNING, false },
	{ "notice", SEVERITY_NOTICE, false },
	{ "EMERGENCY", SEVERITY_CRITICAL, false },
	{ "ALERT", SEVERITY_CRITICAL, false },
	{ "CRITICAL", SEVERITY_CRITICAL, false },
	{ "ERROR", SEVERITY_ERROR, false },
	{ "WARNING", SEVERITY_WARNING, false },
	{ "NOTICE", SEVERITY_NOTICE, false },
	{ "INFO", SEVERITY_NOTICE, false },
	{ "DEBUG", SEVERITY_NOTICE, false },
	{ 0 },
};

static const struct schema_word actions[] = {
	{ "deny", REMEDY_DENY, false },
	{ "log", REMEDY_LOG, false },
	{ 0 },
};

static const struct schema_row match_rows[] = {
	{ .key = "type", .type = &op_type, SCHEMA_FIELD(appsec_match, op), .needed = true,
	  .help = "how the value is tested" },
	{ .key = "value", .type = &raw_type, SCHEMA_FIELD(appsec_match, value), .help = "with what" },
	{ .key = "values", .type = &raw_type, SCHEMA_ITEMS(appsec_match, values, nvalues), .help = "with any of these" },
	{ .key = "not", .type = &schema_bool, SCHEMA_FIELD(appsec_match, negate), .help = "true when it does not match" },
};
static const struct schema_table match_table = { "match", "One test.", match_rows, nelems(match_rows), NULL, NULL, NULL };

static const struct schema_table tree_table;

static const struct schema_row tree_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(appsec_tree, where) },
	{ .key = "name", .type = &schema_text, .help = "for readers" },
	{ .key = "severity", .type = &schema_enum, .words = severities, .help = "of CrowdSec; the document's counts" },
	{ .key = "zones", .type = &zone_type, SCHEMA_ITEMS(appsec_tree, zones, nzones), .help = "where the values are" },
	{ .key = "variables", .type = &raw_type, SCHEMA_ITEMS(appsec_tree, variables, nvariables),
	  .help = "only those of these names, or /expressions/" },
	{ .key = "transform", .type = &transform_type, SCHEMA_ITEMS(appsec_tree, transforms, ntransforms),
	  .help = "what is done to a value first" },
	{ .key = "match", .type = &schema_nested, .table = &match_table, SCHEMA_FIELD(appsec_tree, match), .help = "the test" },
	{ .key = "body_type", .type = &schema_enum, .words = body_types, SCHEMA_FIELD(appsec_tree, body_type),
	  .help = "only in a body of this kind" },
	{ .key = "and", .type = &schema_nested, .table = &tree_table, SCHEMA_ITEMS(appsec_tree, all, nall), .help = "all of these" },
	{ .key = "or", .type = &schema_nested, .table = &tree_table, SCHEMA_ITEMS(appsec_tree, any, nany), .help = "any of these" },
};
static const struct schema_table tree_table = { "rule", "A leaf, or `and` and `or` over leaves.", tree_rows,
						nelems(tree_rows), NULL, NULL, NULL };

static const struct schema_row doc_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(appsec_doc, where) },
	{ .key = "name", .type = &schema_text, SCHEMA_FIELD(appsec_doc, name), .needed = true, .help = "the rule's id" },
	{ .key = "description", .type = &raw_type, SCHEMA_FIELD(appsec_doc, description), .help = "one line for people" },
	{ .key = "category", .type = &schema_text, SCHEMA_FIELD(appsec_doc, category), .help = "exceptions may name it" },
	{ .key = "severity", .type = &schema_enum, .words = severities, SCHEMA_FIELD(appsec_doc, severity),
	  .unset = "critical", .help = "how bad a match is" },
	{ .key = "do", .type = &schema_enum, .words = actions, SCHEMA_FIELD(appsec_doc, remedy), .unset = "deny",
	  .help = "what a match does" },
	{ .key = "status", .type = &schema_int, SCHEMA_FIELD(appsec_doc, status), .unset = "403", .min = 400, .max = 599,
	  .help = "of the answer" },
	{ .key = "labels", .type = &labels_type, SCHEMA_FIELD(appsec_doc, behavior), .help = "CrowdSec's" },
	{ .key = "references", .type = &any_type, .help = "for readers" },
	{ .key = "author", .type = &any_type, .help = "for readers" },
	{ .key = "version", .type = &any_type, .help = "for readers" },
	{ .key = "format", .type = &any_type, .help = "CrowdSec's" },
	{ .key = "debug", .type = &any_type, .help = "CrowdSec's" },
	{ .key = "data", .type = &any_type, .help = "what CrowdSec downloads; files are read from beside the rule" },
	{ .key = "seclang_rules", .type = &schema_reserved, .help = "SecLang" },
	{ .key = "seclang_files_rules", .type = &schema_reserved, .help = "SecLang" },
	{ .key = "rules", .type = &schema_nested, .table = &tree_table, SCHEMA_ITEMS(appsec_doc, rules, nrules),
	  .help = "alternatives" },
};
static const struct schema_table doc_table = { "AppSec rule", "A document is one rule.", doc_rows, nelems(doc_rows),
					       NULL, NULL, NULL };

/* ---- a document becomes a rule ---- */

static const char *kept(struct ir *ir, struct bytes b)
{
	return arena_str(ir->arena, b);
}

/* The first line of what may be a block of text. */
static struct bytes first_line(struct bytes b)
{
	struct bytes line = b;

	bytes_cut(&b, '\n', &line);
	return bytes_trim(line);
}

/* "http:exploit" -> "exploit"; what has no category at all is "other". */
static struct bytes category(const struct appsec_doc *d)
{
	struct bytes b = d->behavior;
	size_t colon = bytes_index(b, ':');

	if (d->category.len)
		return d->category;
	if (colon != SIZE_MAX)
		b = bytes_from(b, colon + 1);
	return b.len ? b : BYTES("other");
}

static bool is_known(const struct ir *ir, const struct appsec_doc *d, struct err *e)
{
	for (size_t i = 0; i < ir->nrules; i++)
		if (bytes_eq(bytes_of(ir->rules[i].info.id), d->name)) {
			yaml_err(d->where, e, "rule '%.*s' is there already: %s:%u", YAML_SHOWN(d->name),
				 ir->rules[i].info.file, ir->rules[i].info.line);
			return true;
		}
	return false;
}

static bool add_rule(struct ir *ir, const struct appsec_doc *d, const char *file, struct err *e)
{
	struct rule *r = ir_rule(ir);
	struct bytes message = first_line(d->description);

	if (!r)
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", file);
	r->actions = (struct actions){ .remedy = (enum remedy_kind)d->remedy, .status = d->status };
	r->info = (struct rule_info){
		.id = kept(ir, d->name),
		.message = kept(ir, message.len ? message : d->name),
		.category = kept(ir, category(d)),
		.file = file,
		.line = d->where.line,
		.severity = (enum severity)d->severity,
	};
	if (!r->info.id || !r->info.message || !r->info.category)
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", file);
	for (size_t i = 0; i < d->nrules; i++)
		if (!appsec_add_groups(ir, &d->rules[i], e))
			return false;
	return true;
}

static bool load_doc(struct ir *ir, const struct yaml_node *root, const char *file, struct err *e)
{
	struct schema s = { .arena = arena_new(64 << 20), .err = e };
	struct appsec_doc d = { 0 };
	bool ok = s.arena != NULL;

	if (!ok)
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", file);
	ok = schema_read(&s, &doc_table, root, &d) && !is_known(ir, &d, e);
	if (ok && !d.nrules)
		ok = yaml_err(d.where, e, "no `rules` in '%.*s'", YAML_SHOWN(d.name));
	ok = ok && add_rule(ir, &d, file, e);
	arena_free(s.arena);
	return ok;
}

bool appsec_load(struct ir *ir, const char *path, const struct bytes *text, struct err *e)
{
	const char *file = kept(ir, bytes_of(path));
	struct yaml_doc *y;
	bool ok = true;

	if (!file)
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", path);
	y = text ? yaml_load(*text, file, e) : yaml_load_file(file, e);
	if (!y)
		return false;
	for (size_t i = 0; ok && i < yaml_count(y); i++)
		ok = load_doc(ir, yaml_root(y, i), file, e);
	yaml_unload(y);
	return ok;
}
