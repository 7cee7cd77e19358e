/* seclang_load.c -- directives: one table; SecRule and SecAction become rules. */
#include "rules/seclang_load.h"
#include "base/matcher.h"
#include "base/schema_type.h"
#include <stdarg.h>
#include <stdio.h>

enum { ANSWER_WINDOW = 512 << 10, ANSWER_WINDOW_MAX = 16 << 20 };

bool seclang_fail(struct seclang *s, const char *fmt, ...)
{
	char why[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return err_set(s->err, SIDE_CONFIG, 0, "%s:%u: %s", s->place.file, s->place.line, why);
}

bool seclang_short_of_memory(struct seclang *s)
{
	return err_set(s->err, SIDE_SELF, 0, "out of memory while reading rules");
}

/* ---- SecRule, SecAction ---- */

/* What SecDefaultAction of the rule's phase says. */
static bool begin_rule(struct seclang *s, struct seclang_rule *r)
{
	const struct seclang_defaults *d = &s->defaults[r->rule->phase];

	r->rule->actions.status = d->set && d->actions.status ? d->actions.status : 403;
	r->rule->actions.quiet = d->set && d->actions.quiet;
	for (size_t i = 0; i < d->nsteps; i++)
		if (!ir_step(s->ir, &r->condition->node, d->steps[i]))
			return seclang_short_of_memory(s);
	r->block = true; /* until another disruptive action is named */
	r->rule->actions.remedy = REMEDY_COUNT;
	return true;
}

/* A link takes on nothing but transformations. */
static bool begin_link(struct seclang *s, struct seclang_rule *r)
{
	const struct seclang_defaults *d = &s->defaults[s->ir->rules[s->ir->nrules - 1].phase];

	for (size_t i = 0; i < d->nsteps; i++)
		if (!ir_step(s->ir, &r->condition->node, d->steps[i]))
			return seclang_short_of_memory(s);
	return true;
}

static bool end_rule(struct seclang *s, struct seclang_rule *r)
{
	struct rule *rule = r->rule;
	const struct seclang_defaults *d = &s->defaults[rule->phase];

	if (!rule->number)
		return seclang_fail(s, "a rule needs an id");
	if (rule->actions.remedy == REMEDY_COUNT) /* block, or nothing: the default's */
		rule->actions.remedy = d->set ? d->actions.remedy : REMEDY_LOG;
	if (rule->actions.quiet && rule->actions.remedy == REMEDY_LOG)
		rule->actions.remedy = REMEDY_ALLOW; /* nothing is told of it */
	if (!rule->info.category[0])
		rule->info.category = "custom";
	return true;
}

static bool new_rule(struct seclang *s)
{
	struct rule *r = ir_rule(s->ir);

	if (!r)
		return seclang_short_of_memory(s);
	r->ordered = true;
	r->phase = PHASE_BODY;
	r->info = (struct rule_info){ .id = "", .message = "", .category = "", .file = s->place.file, .line = s->place.line,
				      .severity = SEVERITY_NOTICE };
	s->nlinks = 0;
	s->folds = s->status_said = false;
	return true;
}

/* The next link of the rule in hand, or the first of a new one. */
static bool next_link(struct seclang *s, struct seclang_rule *r)
{
	bool first = !s->chain;

	if (first && !new_rule(s))
		return false;
	if (s->nlinks == SECLANG_CHAIN_MAX)
		return seclang_fail(s, "a chain of more than %d rules", SECLANG_CHAIN_MAX);
	s->conditions[s->nlinks] = (struct condition){ 0 };
	s->links[s->nlinks] = (struct link){ 0 };
	*r = (struct seclang_rule){
		.rule = first ? &s->ir->rules[s->ir->nrules - 1] : NULL,
		.head = first ? NULL : &s->ir->rules[s->ir->nrules - 1],
		.link = &s->links[s->nlinks],
		.condition = &s->conditions[s->nlinks],
		.begin = first ? begin_rule : begin_link,
	};
	s->nlinks++;
	return true;
}

/* The last link makes the group. */
static bool end_link(struct seclang *s, struct seclang_rule *r)
{
	struct group *g;

	s->chain = r->chain;
	if (r->rule && !end_rule(s, r))
		return false;
	if (r->chain)
		return true;
	g = ir_group(s->ir, s->nlinks);
	if (!g || !(g->links = arena_get(s->ir->arena, s->nlinks * sizeof *g->links)))
		return seclang_short_of_memory(s);
	memcpy(g->at, s->conditions, s->nlinks * sizeof *g->at);
	memcpy(g->links, s->links, s->nlinks * sizeof *g->links);
	return true;
}

static bool operand(struct seclang *s, const struct seclang_operator *o, struct condition *c)
{
	struct err why = { 0 };

	c->op = op_named(o->name, &why);
	if (!c->op)
		return seclang_fail(s, "%s", why.text);
	c->negate = o->negate;
	if (seclang_has_macro(o->argument) && c->op->operand != OPERAND_NONE)
		c->nth_macro = s->ir->nmacros++;
	if (seclang_has_macro(o->argument) && c->op->operand != OPERAND_NONE)
		return seclang_macro(s, o->argument, &c->macro);
	return op_prepare(c->op, s->ir, o->argument, s->place.file, &c->operand, &why) || seclang_fail(s, "%s", why.text);
}

/* CRS 3 is written for Apache's reading of "...", in which two backslashes are one. */
static bool folded(struct seclang *s, struct bytes *text)
{
	char *out = arena_raw(s->ir->arena, text->len + 1);
	size_t n = 0;

	if (!out)
		return seclang_short_of_memory(s);
	for (size_t i = 0; i < text->len; i++) {
		out[n++] = text->at[i];
		i += text->at[i] == '\\' && i + 1 < text->len && text->at[i + 1] == '\\';
	}
	*text = (struct bytes){ out, n };
	return true;
}

static bool sec_rule(struct seclang *s, const struct seclang_directive *d)
{
	struct seclang_rule r;
	struct seclang_operator o;
	struct target *targets;
	struct err why = { 0 };

	if (!next_link(s, &r))
		return false;
	if (!seclang_targets(s, d->args[0], &targets, &r.condition->ntargets))
		return false;
	r.condition->targets = targets;
	if (!seclang_operator(d->args[1], &o, &why))
		return seclang_fail(s, "%s", why.text);
	return seclang_do_actions(s, d->nargs > 2 ? d->args[2] : (struct bytes){ "", 0 }, &r) &&
	       (!s->folds || folded(s, &o.argument)) && operand(s, &o, r.condition) && end_link(s, &r);
}

static bool sec_action(struct seclang *s, const struct seclang_directive *d)
{
	struct seclang_rule r;

	return next_link(s, &r) && seclang_do_actions(s, d->args[0], &r) && end_link(s, &r);
}

static bool sec_marker(struct seclang *s, const struct seclang_directive *d)
{
	struct seclang_marker *at = arena_grow(s->ir->arena, s->markers, &s->markers_cap, s->nmarkers + 1, sizeof *at);

	if (!at)
		return seclang_short_of_memory(s);
	s->markers = at;
	at[s->nmarkers++] = (struct seclang_marker){ d->args[0], (uint32_t)s->ir->ngroups };
	return true;
}

/* Read as a rule that is then taken apart again. */
static bool sec_default_action(struct seclang *s, const struct seclang_directive *d)
{
	struct rule rule = { .info = { .category = "", .message = "", .id = "" }, .phase = PHASE_BODY };
	struct link link = { 0 };
	struct condition condition = { 0 };
	struct seclang_rule r = { .rule = &rule, .link = &link, .condition = &condition };
	struct seclang_defaults *to;

	rule.actions.remedy = REMEDY_LOG;
	if (!seclang_do_actions(s, d->args[0], &r))
		return false;
	if (rule.number || link.nsets || link.nchanges || r.chain || r.block)
		return seclang_fail(s, "SecDefaultAction: id, chain, setvar, ctl and block have no place here");
	to = &s->defaults[rule.phase];
	*to = (struct seclang_defaults){ .set = true, .actions = rule.actions };
	for (uint16_t node = condition.node; node; node = s->ir->steps[node].parent) {
		if (to->nsteps == nelems(to->steps))
			return seclang_fail(s, "SecDefaultAction: too many transformations");
		memmove(to->steps + 1, to->steps, to->nsteps++ * sizeof *to->steps);
		to->steps[0] = s->ir->steps[node].transform;
	}
	return true;
}

/* ---- settings ---- */

static bool on_or_off(struct seclang *s, struct bytes v, bool *on)
{
	*on = bytes_eq_nocase(v, BYTES("on"));
	return *on || bytes_eq_nocase(v, BYTES("off")) || seclang_fail(s, "'%.*s': On or Off is wanted", BYTES_ARG(bytes_sub(v, 0, 60)));
}

static bool sec_rule_engine(struct seclang *s, const struct seclang_directive *d)
{
	return seclang_engine(s, d->args[0], &s->ir->bodies.engine);
}

static bool sec_request_body_access(struct seclang *s, const struct seclang_directive *d)
{
	return on_or_off(s, d->args[0], &s->ir->bodies.access);
}

static bool sec_response_body_access(struct seclang *s, const struct seclang_directive *d)
{
	return on_or_off(s, d->args[0], &s->ir->bodies.answer_access);
}

static bool sec_response_body_limit(struct seclang *s, const struct seclang_directive *d)
{
	uint64_t n;

	if (!bytes_u64(d->args[0], &n) || !n || n > ANSWER_WINDOW_MAX)
		return seclang_fail(s, "SecResponseBodyLimit: a number from 1 to %d is wanted", ANSWER_WINDOW_MAX);
	s->ir->bodies.answer_window = (size_t)n;
	return true;
}

static bool sec_response_body_mime_type(struct seclang *s, const struct seclang_directive *d)
{
	s->ir->bodies.answer_types = d->args;
	s->ir->bodies.nanswer_types = d->nargs;
	return true;
}

/* They only lower the bounds of the configuration. */
static bool limit(struct seclang *s, const struct seclang_directive *d, size_t *to)
{
	uint64_t n;

	if (!bytes_u64(d->args[0], &n) || !n || n > 100000)
		return seclang_fail(s, "%.*s: a number from 1 to 100000 is wanted", BYTES_ARG(d->name));
	*to = (size_t)n;
	return true;
}

static bool sec_arguments_limit(struct seclang *s, const struct seclang_directive *d)
{
	return limit(s, d, &s->ir->bodies.args_max);
}

static bool sec_json_depth_limit(struct seclang *s, const struct seclang_directive *d)
{
	return limit(s, d, &s->ir->bodies.json_depth);
}

static bool sec_external_entity(struct seclang *s, const struct seclang_directive *d)
{
	bool on;

	return on_or_off(s, d->args[0], &on) && (!on || seclang_fail(s, "SecXmlExternalEntity: nothing is ever fetched while XML is read"));
}

static bool keep_update(struct seclang *s, const struct seclang_directive *d)
{
	struct seclang_directive *at = arena_grow(s->ir->arena, s->updates, &s->updates_cap, s->nupdates + 1, sizeof *at);

	if (!at)
		return seclang_short_of_memory(s);
	s->updates = at;
	at[s->nupdates++] = *d;
	return true;
}

static bool accept(struct seclang *s, const struct seclang_directive *d)
{
	(void)s, (void)d;
	return true;
}

static const struct directive {
	const char *name;
	size_t least, most; /* arguments */
	bool (*take)(struct seclang *, const struct seclang_directive *); /* NULL: refused */
	const char *refused;
} table[] = {
	{ "SecRule",                       2, 3,  sec_rule,                    NULL },
	{ "SecAction",                     1, 1,  sec_action,                  NULL },
	{ "SecMarker",                     1, 1,  sec_marker,                  NULL },
	{ "SecDefaultAction",              1, 1,  sec_default_action,          NULL },
	{ "SecRuleEngine",                 1, 1,  sec_rule_engine,             NULL },
	{ "SecRequestBodyAccess",          1, 1,  sec_request_body_access,     NULL },
	{ "SecResponseBodyAccess",         1, 1,  sec_response_body_access,    NULL },
	{ "SecResponseBodyLimit",          1, 1,  sec_response_body_limit,     NULL },
	{ "SecResponseBodyMimeType",       1, 64, sec_response_body_mime_type, NULL },
	{ "SecArgumentsLimit",             1, 1,  sec_arguments_limit,         NULL },
	{ "SecRequestBodyJsonDepthLimit",  1, 1,  sec_json_depth_limit,        NULL },
	{ "SecXmlExternalEntity",          1, 1,  sec_external_entity,         NULL },
	{ "SecRuleRemoveById",             1, 64, keep_update,                 NULL },
	{ "SecRuleRemoveByMsg",            1, 1,  keep_update,                 NULL },
	{ "SecRuleRemoveByTag",            1, 1,  keep_update,                 NULL },
	{ "SecRuleUpdateActionById",       2, 2,  keep_update,                 NULL },
	{ "SecRuleUpdateTargetById",       2, 3,  keep_update,                 NULL },
	{ "SecRuleUpdateTargetByMsg",      2, 3,  keep_update,                 NULL },
	{ "SecRuleUpdateTargetByTag",      2, 3,  keep_update,                 NULL },
	{ "SecGuardianLog",                0, 0,  NULL,                        "programs are not started for logs" },
	{ "SecRemoteRules",                0, 0,  NULL,                        "rules come from files of this machine" },
	{ "SecRuleInheritance",            0, 0,  NULL,                        "an app's rules are named in its `waf`" },
	{ "SecRuleScript",                 0, 0,  NULL,                        "Lua is not run" },
	{ "SecChrootDir",                  0, 0,  NULL,                        "the service manager does that" },
	/* Means nothing here, or is decided elsewhere: logs, windows and limits by the configuration. */
	{ "SecArgumentSeparator",          1, 1,  accept, NULL },
	{ "SecAuditEngine",                1, 1,  accept, NULL },
	{ "SecAuditLog",                   1, 1,  accept, NULL },
	{ "SecAuditLog2",                  1, 1,  accept, NULL },
	{ "SecAuditLogDirMode",            1, 1,  accept, NULL },
	{ "SecAuditLogFileMode",           1, 1,  accept, NULL },
	{ "SecAuditLogFormat",             1, 1,  accept, NULL },
	{ "SecAuditLogParts",              1, 1,  accept, NULL },
	{ "SecAuditLogRelevantStatus",     1, 1,  accept, NULL },
	{ "SecAuditLogStorageDir",         1, 1,  accept, NULL },
	{ "SecAuditLogType",               1, 1,  accept, NULL },
	{ "SecCollectionTimeout",          1, 1,  accept, NULL },
	{ "SecComponentSignature",         1, 1,  accept, NULL },
	{ "SecConnEngine",                 1, 1,  accept, NULL },
	{ "SecContentInjection",           1, 1,  accept, NULL },
	{ "SecCookieFormat",               1, 1,  accept, NULL },
	{ "SecCookieV0Separator",          1, 1,  accept, NULL },
	{ "SecDataDir",                    1, 1,  accept, NULL },
	{ "SecDebugLog",                   1, 1,  accept, NULL },
	{ "SecDebugLogLevel",              1, 1,  accept, NULL },
	{ "SecDisableBackendCompression",  1, 1,  accept, NULL },
	{ "SecGeoLookupDb",                1, 1,  accept, NULL },
	{ "SecGsbLookupDb",                1, 1,  accept, NULL },
	{ "SecHashEngine",                 1, 1,  accept, NULL },
	{ "SecHttpBlKey",                  1, 1,  accept, NULL },
	{ "SecInterceptOnError",           1, 1,  accept, NULL },
	{ "SecPcreMatchLimit",             1, 1,  accept, NULL },
	{ "SecPcreMatchLimitRecursion",    1, 1,  accept, NULL },
	{ "SecRequestBodyInMemoryLimit",   1, 1,  accept, NULL },
	{ "SecRequestBodyLimit",           1, 1,  accept, NULL },
	{ "SecRequestBodyLimitAction",     1, 1,  accept, NULL },
	{ "SecRequestBodyNoFilesLimit",    1, 1,  accept, NULL },
	{ "SecResponseBodyLimitAction",    1, 1,  accept, NULL },
	{ "SecResponseBodyMimeTypesClear", 0, 0,  accept, NULL },
	{ "SecRulePerfTime",               1, 1,  accept, NULL },
	{ "SecSensorId",                   1, 1,  accept, NULL },
	{ "SecServerSignature",            1, 1,  accept, NULL },
	{ "SecStatusEngine",               1, 1,  accept, NULL },
	{ "SecStreamInBodyInspection",     1, 1,  accept, NULL },
	{ "SecStreamOutBodyInspection",    1, 1,  accept, NULL },
	{ "SecTmpDir",                     1, 1,  accept, NULL },
	{ "SecTmpSaveUploadedFiles",       1, 1,  accept, NULL },
	{ "SecUnicodeCodePage",            1, 1,  accept, NULL },
	{ "SecUnicodeMapFile",             1, 2,  accept, NULL }, /* code page 20127 is built in */
	{ "SecUploadDir",                  1, 1,  accept, NULL },
	{ "SecUploadFileLimit",            1, 1,  accept, NULL },
	{ "SecUploadFileMode",             1, 1,  accept, NULL },
	{ "SecUploadKeepFiles",            1, 1,  accept, NULL },
	{ "SecWebAppId",                   1, 1,  accept, NULL },
	{ "SecWriteStateLimit",            1, 1,  accept, NULL },
	{ "SecReadStateLimit",             1, 1,  accept, NULL },
};

static bool unknown(struct seclang *s, struct bytes name)
{
	const char *all[nelems(table)], *near;

	for (size_t i = 0; i < nelems(table); i++)
		all[i] = table[i].name;
	near = schema_nearest(name, all, nelems(table));
	return seclang_fail(s, "unknown directive '%.*s'%s%s%s", BYTES_ARG(bytes_sub(name, 0, 60)), near ? ", did you mean '" : "",
			    near ? near : "", near ? "'?" : "");
}

static const struct directive *directive_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(table); i++)
		if (bytes_eq_nocase(name, bytes_of(table[i].name)))
			return &table[i];
	return NULL;
}

static bool take(void *ctx, const struct seclang_directive *d, struct err *e)
{
	struct seclang *s = ctx;
	const struct directive *is = directive_find(d->name);

	(void)e; /* the same as s->err */
	s->place = d->place;
	if (!is)
		return unknown(s, d->name);
	if (!is->take)
		return seclang_fail(s, "%s: %s", is->name, is->refused);
	if (d->nargs < is->least || d->nargs > is->most)
		return seclang_fail(s, "%s: %zu arguments where %zu to %zu are wanted", is->name, d->nargs, is->least, is->most);
	if (s->chain && is->take != sec_rule && is->take != sec_action)
		return seclang_fail(s, "%s: the chain before it is not complete", is->name);
	return is->take(s, d);
}

struct seclang *seclang_new(struct ir *ir, struct err *e)
{
	struct seclang *s = arena_get(ir->arena, sizeof *s);

	if (!s)
		return NULL;
	s->ir = ir;
	s->err = e;
	if (!ir->bodies.answer_window)
		ir->bodies.answer_window = ANSWER_WINDOW;
	return s;
}

bool seclang_file(struct seclang *s, const char *path, const struct bytes *text)
{
	struct seclang_sink sink = { take, s };
	bool ok = text ? seclang_text(s->ir->arena, (struct seclang_place){ path, 1 }, *text, &sink, s->err)
		       : seclang_read(s->ir->arena, path, &sink, s->err);

	if (!ok)
		return false;
	return !s->chain || seclang_fail(s, "the chain is not complete at the end of the file");
}
