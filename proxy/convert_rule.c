/* convert_rule.c -- SecRule and SecAction, link by link.
 *
 * A rule is an exception when it looks at nothing but the path and the method and does nothing
 * but ctl; it is converted whole or not at all. One without a condition may set what crs-setup.conf
 * sets. */
#include "proxy/convert_parts.h"

enum { SHOWN = 100 };

/* ---- settings of the Core Rule Set ---- */

static const struct {
	const char *name;
	size_t at;         /* of the number in struct convert; 0: none */
	uint64_t usual;    /* says nothing; 0: always said */
	uint64_t most;
} settings[] = {
	{ "paranoia_level", offsetof(struct convert, paranoia), 0, 4 },
	{ "blocking_paranoia_level", offsetof(struct convert, paranoia), 0, 4 },
	{ "executing_paranoia_level", offsetof(struct convert, detection), 0, 4 },
	{ "detection_paranoia_level", offsetof(struct convert, detection), 0, 4 },
	{ "inbound_anomaly_score_threshold", offsetof(struct convert, threshold), 0, 10000 },
	{ "outbound_anomaly_score_threshold", 0, 4, 0 },
	{ "critical_anomaly_score", 0, 5, 0 },
	{ "error_anomaly_score", 0, 4, 0 },
	{ "warning_anomaly_score", 0, 3, 0 },
	{ "notice_anomaly_score", 0, 2, 0 },
};

static void setting(struct convert *c, const struct seclang_directive *d, struct bytes text)
{
	struct bytes name = { 0 }, value = text;
	uint64_t n;

	bytes_cut(&value, '=', &name);
	if (bytes_eq_nocase(name, BYTES("tx.crs_setup_version")))
		return;
	for (size_t i = 0; bytes_u64(value, &n) && i < nelems(settings); i++) {
		if (!bytes_starts_nocase(name, BYTES("tx.")) || !bytes_eq_nocase(bytes_from(name, 3), bytes_of(settings[i].name)))
			continue;
		if (n == settings[i].usual && n)
			return;
		if (!settings[i].at || !n || n > settings[i].most)
			break;
		*(uint64_t *)((char *)c + settings[i].at) = n;
		if (settings[i].at == offsetof(struct convert, detection))
			c->detection_at = d->place;
		return;
	}
	convert_keep(c, d->place, convert_join(c, "setvar:", bytes_sub(text, 0, SHOWN), ""), "a variable that has no key in YAML");
}

/* ---- conditions of a rule ---- */

/* The pattern that the path must match; a target's query is no part of it. */
static const char *path_condition(struct convert *c, struct bytes variable, const struct seclang_operator *o)
{
	bool whole = bytes_starts_nocase(variable, BYTES("REQUEST_URI")); /* with the query */
	struct bytes *path = &c->rule.when.path;
	const char *before = NULL, *behind = "";

	if (path->at)
		return "it looks at the path twice";
	if (bytes_eq_nocase(o->name, BYTES("beginsWith")))
		before = "", behind = "*";
	else if (bytes_eq_nocase(o->name, BYTES("streq")))
		before = "";
	else if (bytes_eq_nocase(o->name, BYTES("contains")))
		before = "*", behind = "*";
	else if (bytes_eq_nocase(o->name, BYTES("endsWith")) && !whole)
		before = "*";
	if (before && convert_is_plain(o->argument))
		*path = convert_join(c, before, o->argument, behind);
	else if (before || !bytes_eq_nocase(o->name, BYTES("rx")) || !convert_pattern(c, o->argument, path))
		*path = (struct bytes){ 0 };
	if (!path->at)
		return "what it looks for in the path is more than a pattern with `*`";
	if (bytes_index(*path, '?') != SIZE_MAX)
		return "a path has no query; exceptions of an argument say it by `args`";
	return path->at[0] == '/' || path->at[0] == '*' ? NULL : "a path begins with a slash";
}

static bool is_method(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] < 'A' || b.at[i] > 'Z')
			return false;
	return b.len > 0 && b.len <= 32;
}

/* "POST", "GET POST", "^(?:GET|POST)$" */
static const char *method_condition(struct convert *c, const struct seclang_operator *o)
{
	static const char *const operators[] = { "streq", "within", "pm" };
	bool regex = bytes_eq_nocase(o->name, BYTES("rx"));
	struct bytes all = bytes_trim(o->argument), one;

	if (!regex && !convert_is_one_of(o->name, operators, nelems(operators)))
		return "a method is compared in a way that `methods` cannot say";
	if (regex) {
		if (!bytes_starts(all, BYTES("^")) || !bytes_ends(all, BYTES("$")))
			return "a method is looked for within a longer one";
		all = bytes_sub(all, 1, all.len - 1);
		if (bytes_starts(all, BYTES("(")) && bytes_ends(all, BYTES(")")))
			all = bytes_sub(all, bytes_starts(all, BYTES("(?:")) ? 3 : 1, all.len - 1);
	}
	while (bytes_cut(&all, regex ? '|' : ' ', &one)) {
		if (!is_method(one))
			return "a method is compared in a way that `methods` cannot say";
		convert_add_word(c, &c->rule.when.words[CONVERT_METHODS], one);
	}
	return c->rule.when.words[CONVERT_METHODS].n ? NULL : "it names no method";
}

static const char *condition(struct convert *c, const struct seclang_directive *d)
{
	static const char *const paths[] = { "REQUEST_URI", "REQUEST_URI_RAW", "REQUEST_FILENAME" };
	struct seclang_variable *v;
	struct seclang_operator o;
	struct err e = { 0 };
	size_t n;

	c->rule.conditional = true;
	if (!seclang_variables(c->arena, d->args[0], &v, &n, &e) || !seclang_operator(d->args[1], &o, &e))
		return "it cannot be read";
	if (n != 1 || v->count || v->except || v->selector.at || o.negate)
		return "an exception is about the path and the method, and about nothing else of the request";
	if (convert_is_one_of(v->name, paths, nelems(paths)))
		return path_condition(c, v->name, &o);
	if (bytes_eq_nocase(v->name, BYTES("REQUEST_METHOD")))
		return method_condition(c, &o);
	return "an exception is about the path and the method, and about nothing else of the request";
}

/* ---- actions ---- */

static void remember(struct convert *c, struct bytes **all, size_t *n, size_t *cap, struct bytes value)
{
	struct bytes *at = arena_grow(c->arena, *all, cap, *n + 1, sizeof *at);

	c->spent |= !at;
	if (!at)
		return;
	*all = at;
	at[(*n)++] = value;
}

static const char *action(struct convert *c, const struct seclang_action *a)
{
	static const char *const idle[] = { "id", "pass", "nolog", "log", "auditlog", "noauditlog", "msg", "logdata", "tag", "ver",
					    "rev", "severity", "maturity", "accuracy" };
	/* Every reading of a path is looked at anyhow. */
	static const char *const steps[] = { "none", "normalizePath", "normalisePath", "normalizePathWin", "normalisePathWin",
					     "urlDecode", "urlDecodeUni" };
	static const char *const phases[] = { "1", "2", "request" };

	if (bytes_eq_nocase(a->name, BYTES("ctl"))) {
		static const char *const logs[] = { "auditEngine", "auditLogParts", "debugLogLevel" };
		struct bytes rest = a->value, verb = { 0 };

		bytes_cut(&rest, '=', &verb);
		if (!convert_is_one_of(verb, logs, nelems(logs)))
			remember(c, &c->rule.ctls, &c->rule.nctls, &c->rule.ctls_cap, a->value);
		return NULL;
	}
	if (bytes_eq_nocase(a->name, BYTES("setvar"))) {
		remember(c, &c->rule.sets, &c->rule.nsets, &c->rule.sets_cap, a->value);
		return NULL;
	}
	if (bytes_eq_nocase(a->name, BYTES("chain"))) {
		c->chain = true;
		return NULL;
	}
	if (convert_is_one_of(a->name, idle, nelems(idle)))
		return NULL;
	if (bytes_eq_nocase(a->name, BYTES("t")))
		return convert_is_one_of(a->value, steps, nelems(steps)) ? NULL : "it changes what it looks at before it compares";
	if (bytes_eq_nocase(a->name, BYTES("phase")))
		return convert_is_one_of(a->value, phases, nelems(phases)) ? NULL : "it comes after the request has been inspected";
	if (bytes_eq_nocase(a->name, BYTES("skipAfter")))
		c->rule.skips_to = a->value;
	return "it does more than to take out rules";
}

static void actions(struct convert *c, struct bytes text)
{
	struct seclang_action *all;
	struct err e = { 0 };
	size_t n = 0;

	c->chain = false;
	if (!seclang_actions(c->arena, text, &all, &n, &e)) {
		c->rule.why = "it cannot be read";
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *why = action(c, &all[i]);

		if (why && !c->rule.why)
			c->rule.why = why;
	}
}

/* ---- one rule ---- */

static void end_rule(struct convert *c)
{
	struct convert_rule *r = &c->rule;
	size_t n = c->nexceptions;

	if (!r->why && c->skipped_to.at)
		r->why = "a rule before it may skip it";
	if (r->skips_to.at && !c->skipped_to.at)
		c->skipped_to = r->skips_to;
	if (!r->why && r->conditional && r->nsets)
		r->why = "it sets variables";
	if (!r->why && !r->nctls && !r->nsets)
		r->why = "a rule of its own, and no exclusion";
	for (size_t i = 0; !r->why && i < r->nctls; i++) {
		struct convert_exception x = r->when;

		x.from = r->head.place;
		if (!(r->why = convert_ctl(c, r->ctls[i], &x)))
			convert_add(c, &x);
	}
	if (r->why) {
		c->nexceptions = n;
		convert_keep_directive(c, &r->head, r->why);
		return;
	}
	for (size_t i = 0; i < r->nsets; i++)
		setting(c, &r->head, r->sets[i]);
}

void convert_rule(struct convert *c, const struct seclang_directive *d, bool has_condition)
{
	size_t at = has_condition ? 2 : 0;
	const char *why = NULL;

	if (!c->chain)
		c->rule = (struct convert_rule){ .head = *d };
	if (has_condition)
		why = d->nargs < 2 ? "an argument is missing" : condition(c, d);
	if (why && !c->rule.why)
		c->rule.why = why;
	actions(c, at < d->nargs ? d->args[at] : (struct bytes){ "", 0 });
	if (!c->chain)
		end_rule(c);
}
