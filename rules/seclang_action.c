/* seclang_action.c -- the actions of a rule: one table. */
#include "base/schema_type.h"
#include "rules/seclang_load.h"
#include <stdlib.h>

enum { ID_MAX_DIGITS = 18 };

typedef bool doer(struct seclang *, struct bytes value, struct seclang_rule *);

static bool number(struct seclang *s, const char *what, struct bytes text, uint64_t from, uint64_t to, uint64_t *out)
{
	return (bytes_u64(text, out) && *out >= from && *out <= to) ||
	       seclang_fail(s, "%s:%.*s: a number from %llu to %llu is wanted", what, BYTES_ARG(bytes_sub(text, 0, 60)),
			    (unsigned long long)from, (unsigned long long)to);
}

static bool keep(struct seclang *s, struct bytes text, const char **out)
{
	*out = arena_str(s->ir->arena, text);
	return *out || seclang_short_of_memory(s);
}

/* Belongs to the first rule of a chain. */
static bool heads(struct seclang *s, const struct seclang_rule *r, const char *what)
{
	return r->rule || seclang_fail(s, "%s belongs to the first rule of a chain", what);
}

/* ---- what a rule is ---- */

static bool do_id(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	if (!heads(s, r, "id"))
		return false;
	if (v.len > ID_MAX_DIGITS || !number(s, "id", v, 1, UINT64_MAX, &r->rule->number))
		return seclang_fail(s, "id:%.*s: a number is wanted", BYTES_ARG(bytes_sub(v, 0, 60)));
	for (size_t i = 0; i + 1 < s->ir->nrules; i++)
		if (s->ir->rules[i].number == r->rule->number)
			return seclang_fail(s, "id %.*s is there already, %s:%u", BYTES_ARG(v), s->ir->rules[i].info.file,
					    s->ir->rules[i].info.line);
	return keep(s, v, &r->rule->info.id);
}

static bool do_phase(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	static const char *const words[] = { "", "", "request", "", "response", "logging" };
	uint64_t n = 0;

	if (!heads(s, r, "phase"))
		return false;
	for (uint64_t i = 2; i < nelems(words); i++)
		if (words[i][0] && bytes_eq_nocase(v, bytes_of(words[i])))
			n = i;
	if (!n && !number(s, "phase", v, 1, PHASE_COUNT, &n))
		return false;
	r->rule->phase = (uint8_t)(n - 1);
	return true;
}

static bool do_msg(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	if (!r->rule) /* a link's own message is not shown */
		return true;
	if (seclang_has_macro(v) && !seclang_macro(s, v, &r->rule->actions.message))
		return false;
	return keep(s, v, &r->rule->info.message);
}

static bool do_logdata(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	return !r->rule || seclang_macro(s, v, &r->rule->actions.data);
}

static bool do_tag(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	static const char prefix[] = "attack-";
	struct bytes *at;

	if (!r->rule)
		return true;
	at = arena_grow(s->ir->arena, (void *)(uintptr_t)r->rule->tags, &r->tags_cap, r->rule->ntags + 1, sizeof *at);
	if (!at || !(at[r->rule->ntags] = arena_copy(s->ir->arena, v)).at)
		return seclang_short_of_memory(s);
	r->rule->tags = at;
	if (bytes_starts_nocase(v, BYTES("attack-")) && !r->rule->info.category[0])
		r->rule->info.category = at[r->rule->ntags].at + sizeof prefix - 1;
	r->rule->ntags++;
	return true;
}

static bool do_severity(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	static const char *const words[] = { "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG" };
	uint64_t n = nelems(words);

	for (size_t i = 0; i < nelems(words); i++)
		if (bytes_eq_nocase(v, bytes_of(words[i])))
			n = i;
	if (n == nelems(words) && !number(s, "severity", v, 0, nelems(words) - 1, &n))
		return false;
	if (r->rule) /* ours end where theirs go on: both the worst and the least */
		r->rule->info.severity = n <= 2 ? SEVERITY_CRITICAL : n == 3 ? SEVERITY_ERROR : n == 4 ? SEVERITY_WARNING : SEVERITY_NOTICE;
	return true;
}

/* ---- what it does ---- */

static bool do_deny(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)v;
	if (!heads(s, r, "a disruptive action"))
		return false;
	r->rule->actions.remedy = REMEDY_DENY;
	return true;
}

static bool do_pass(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)v;
	if (!heads(s, r, "a disruptive action"))
		return false;
	r->rule->actions.remedy = REMEDY_LOG;
	return true;
}

static bool do_block(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)v;
	r->block = true;
	return heads(s, r, "a disruptive action");
}

static bool do_allow(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	if (!heads(s, r, "a disruptive action"))
		return false;
	if (v.at && !bytes_eq_nocase(v, BYTES("phase")) && !bytes_eq_nocase(v, BYTES("request")))
		return seclang_fail(s, "allow:%.*s: phase or request is wanted", BYTES_ARG(bytes_sub(v, 0, 60)));
	r->rule->actions.remedy = REMEDY_LOG;
	r->rule->actions.allow = !v.at ? ALLOW_ALL : bytes_eq_nocase(v, BYTES("phase")) ? ALLOW_PHASE : ALLOW_REQUEST;
	return true;
}

static bool do_redirect(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	if (!do_deny(s, v, r))
		return false;
	if (seclang_has_macro(v))
		return seclang_fail(s, "redirect: the address must be written out");
	for (size_t i = 0; i < v.len; i++)
		if (v.at[i] <= ' ' || v.at[i] == 0x7f)
			return seclang_fail(s, "redirect: a blank or control byte in the address");
	r->rule->actions.location = v;
	if (!r->status_set)
		r->rule->actions.status = 302;
	return true;
}

/* A link's counts where no link before it says one, as in ModSecurity 3. */
static bool do_status(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	uint64_t n;

	if (!number(s, "status", v, 100, 599, &n))
		return false;
	if (r->rule || (r->head && !s->status_said))
		(r->rule ? r->rule : r->head)->actions.status = (uint16_t)n;
	return r->status_set = s->status_said = true;
}

static bool do_log(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)s, (void)v;
	if (r->rule)
		r->rule->actions.quiet = false;
	return true;
}

static bool do_nolog(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)s, (void)v;
	if (r->rule)
		r->rule->actions.quiet = true;
	return true;
}

static bool do_chain(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)s, (void)v;
	return r->chain = true;
}

static bool do_capture(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)s, (void)v;
	return r->link->capture = true;
}

static bool do_multi_match(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)s, (void)v;
	return r->condition->multi = true;
}

static bool add_skip(struct seclang *s, struct seclang_skip skip)
{
	struct seclang_skip *at = arena_grow(s->ir->arena, s->skips, &s->skips_cap, s->nskips + 1, sizeof *at);

	if (!at)
		return seclang_short_of_memory(s);
	s->skips = at;
	skip.place = s->place;
	skip.rule = (uint32_t)s->ir->nrules - 1;
	at[s->nskips++] = skip;
	return true;
}

static bool do_skip_after(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)r;
	return add_skip(s, (struct seclang_skip){ .marker = v });
}

static bool do_skip(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	uint64_t n;

	(void)r;
	return number(s, "skip", v, 1, 100000, &n) && add_skip(s, (struct seclang_skip){ .count = (uint32_t)n });
}

static bool do_t(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	const struct transform *t;
	const char *near;

	if (bytes_eq_nocase(v, BYTES("none"))) {
		r->condition->node = 0;
		return true;
	}
	t = transform_find(v);
	near = t ? NULL : transform_nearest(v);
	if (!t)
		return seclang_fail(s, "unknown transformation '%.*s'%s%s%s", BYTES_ARG(bytes_sub(v, 0, 60)),
				    near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return ir_step(s->ir, &r->condition->node, t) || seclang_short_of_memory(s);
}

static bool do_setvar(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	struct assignment *all = arena_get(s->ir->arena, (r->link->nsets + 1) * sizeof *all), *a;

	if (!all)
		return seclang_short_of_memory(s);
	if (r->link->nsets)
		memcpy(all, r->link->sets, r->link->nsets * sizeof *all);
	a = &all[r->link->nsets++];
	r->link->sets = all;
	return seclang_assignment(s, v, a);
}

static bool do_ctl(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	struct change *all = arena_get(s->ir->arena, (r->link->nchanges + 1) * sizeof *all);

	if (!all)
		return seclang_short_of_memory(s);
	if (r->link->nchanges)
		memcpy(all, r->link->changes, r->link->nchanges * sizeof *all);
	r->link->changes = all;
	return seclang_change(s, v, all, &r->link->nchanges);
}

static bool do_ver(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	static const struct bytes crs = BYTES_INIT("OWASP_CRS/");

	(void)r;
	s->folds |= bytes_starts(v, BYTES("OWASP_CRS/3"));
	if (!s->ir->crs.len && bytes_starts(v, crs))
		s->ir->crs = arena_copy(s->ir->arena, bytes_from(v, crs.len));
	return true;
}

static bool do_nothing(struct seclang *s, struct bytes v, struct seclang_rule *r)
{
	(void)s, (void)v, (void)r;
	return true;
}

enum value { NO_VALUE, MAY, VALUE };

static const struct action {
	const char *name;
	enum value value;
	doer *doer;          /* NULL: refused */
	const char *refused;
} table[] = {
	{ "accuracy",           VALUE,    do_nothing,     NULL },
	{ "allow",              MAY,      do_allow,       NULL },
	{ "append",             VALUE,    NULL,           "an answer is not added to" },
	{ "auditlog",           NO_VALUE, do_nothing,     NULL }, /* what is logged at all is in the security log */
	{ "block",              NO_VALUE, do_block,       NULL },
	{ "capture",            NO_VALUE, do_capture,     NULL },
	{ "chain",              NO_VALUE, do_chain,       NULL },
	{ "ctl",                VALUE,    do_ctl,         NULL },
	{ "deny",               NO_VALUE, do_deny,        NULL },
	{ "deprecatevar",       VALUE,    do_nothing,     NULL }, /* variables end with the request */
	{ "drop",               NO_VALUE, do_deny,        NULL },
	{ "exec",               VALUE,    NULL,           "a rule may not start programs" },
	{ "expirevar",          VALUE,    do_nothing,     NULL }, /* variables end with the request */
	{ "id",                 VALUE,    do_id,          NULL },
	{ "initcol",            VALUE,    do_nothing,     NULL }, /* variables end with the request */
	{ "log",                NO_VALUE, do_log,         NULL },
	{ "logdata",            VALUE,    do_logdata,     NULL },
	{ "maturity",           VALUE,    do_nothing,     NULL },
	{ "msg",                VALUE,    do_msg,         NULL },
	{ "multiMatch",         NO_VALUE, do_multi_match, NULL },
	{ "noauditlog",         NO_VALUE, do_nothing,     NULL },
	{ "nolog",              NO_VALUE, do_nolog,       NULL },
	{ "pass",               NO_VALUE, do_pass,        NULL },
	{ "pause",              VALUE,    NULL,           "a worker does not wait; use limits" },
	{ "phase",              VALUE,    do_phase,       NULL },
	{ "prepend",            VALUE,    NULL,           "an answer is not added to" },
	{ "proxy",              VALUE,    NULL,           "servers are chosen by the app's upstream" },
	{ "redirect",           VALUE,    do_redirect,    NULL },
	{ "rev",                VALUE,    do_nothing,     NULL },
	{ "sanitiseArg",        VALUE,    do_nothing,     NULL }, /* bodies are not logged */
	{ "sanitiseMatched",    NO_VALUE, do_nothing,     NULL },
	{ "sanitiseMatchedBytes", MAY,    do_nothing,     NULL },
	{ "sanitiseRequestHeader", VALUE, do_nothing,     NULL },
	{ "sanitiseResponseHeader", VALUE, do_nothing,    NULL },
	{ "setenv",             VALUE,    do_nothing,     NULL }, /* nobody here would read it */
	{ "setrsc",             VALUE,    do_nothing,     NULL },
	{ "setsid",             VALUE,    do_nothing,     NULL },
	{ "setuid",             VALUE,    do_nothing,     NULL },
	{ "setvar",             VALUE,    do_setvar,      NULL },
	{ "severity",           VALUE,    do_severity,    NULL },
	{ "skip",               VALUE,    do_skip,        NULL },
	{ "skipAfter",          VALUE,    do_skip_after,  NULL },
	{ "status",             VALUE,    do_status,      NULL },
	{ "t",                  VALUE,    do_t,           NULL },
	{ "tag",                VALUE,    do_tag,         NULL },
	{ "ver",                VALUE,    do_ver,         NULL },
	{ "xmlns",              VALUE,    do_nothing,     NULL }, /* of XPath only what needs no names is understood */
};

static bool unknown(struct seclang *s, struct bytes name)
{
	const char *all[nelems(table)], *near;

	for (size_t i = 0; i < nelems(table); i++)
		all[i] = table[i].name;
	near = schema_nearest(name, all, nelems(table));
	return seclang_fail(s, "unknown action '%.*s'%s%s%s", BYTES_ARG(bytes_sub(name, 0, 60)), near ? ", did you mean '" : "",
			    near ? near : "", near ? "'?" : "");
}

static bool do_one(struct seclang *s, const struct seclang_action *a, struct seclang_rule *r)
{
	for (size_t i = 0; i < nelems(table); i++) {
		if (!bytes_eq_nocase(a->name, bytes_of(table[i].name)))
			continue;
		if (!table[i].doer)
			return seclang_fail(s, "%s: %s", table[i].name, table[i].refused);
		if (table[i].value == VALUE && !a->value.at)
			return seclang_fail(s, "%s needs a value", table[i].name);
		if (table[i].value == NO_VALUE && a->value.at)
			return seclang_fail(s, "%s takes no value", table[i].name);
		return table[i].doer(s, a->value, r);
	}
	return unknown(s, a->name);
}

/* The phase first: what SecDefaultAction says of it comes before the rule's own. */
bool seclang_do_actions(struct seclang *s, struct bytes text, struct seclang_rule *r)
{
	struct seclang_action *all;
	struct err why = { 0 };
	size_t n = 0;

	if (!seclang_actions(s->ir->arena, text, &all, &n, &why))
		return seclang_fail(s, "%s", why.text);
	for (size_t i = 0; i < n; i++)
		if (bytes_eq_nocase(all[i].name, BYTES("phase")) && !do_one(s, &all[i], r))
			return false;
	if (r->begin && !r->begin(s, r))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!bytes_eq_nocase(all[i].name, BYTES("phase")) && !do_one(s, &all[i], r))
			return false;
	return true;
}
