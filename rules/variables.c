/* variables.c -- values that there are only while rules run: what other rules
 * set, what the last link held on, and the moment. */
#include "base/clock.h"
#include "base/text.h"
#include "rules/run.h"
#include <time.h>

static void add(struct run *r, struct zone_values *z, struct bytes name, struct bytes text)
{
	struct value *at = arena_grow(r->in->arena, z->at, &z->cap, z->n + 1, sizeof *at);

	r->in->values.spent |= !at || !text.at;
	if (!at || !text.at)
		return;
	z->at = at;
	at[z->n++] = (struct value){ .name = name, .text = text };
}

/* ---- variables ---- */

static struct zone_values vars_of(struct run *r, const struct target *t)
{
	struct zone_values z = { 0 };
	struct vars *v = &r->vars;

	if (t->slot != UINT32_MAX) {
		if (v->slots[t->slot].set)
			add(r, &z, t->name, vars_text(r->in->arena, &v->slots[t->slot]));
		return z;
	}
	for (size_t i = 0; i < v->ir->nslots; i++)
		if (v->slots[i].set && v->ir->slots[i].collection == t->collection)
			add(r, &z, v->ir->slots[i].name, vars_text(r->in->arena, &v->slots[i]));
	for (size_t i = 0; i < v->nmade; i++)
		if (v->made[i].var.set && v->made[i].collection == t->collection)
			add(r, &z, v->made[i].name, vars_text(r->in->arena, &v->made[i].var));
	return z;
}

/* ---- what the last link held on ---- */

static struct zone_values matched_of(struct run *r, const struct target *t)
{
	bool all = bytes_starts(t->name, BYTES("matched_vars")), names = bytes_ends(t->name, BYTES("_name")) ||
									 bytes_ends(t->name, BYTES("_names"));
	struct zone_values z = { 0 };

	for (size_t i = all || !r->nmatched ? 0 : r->nmatched - 1; i < r->nmatched; i++)
		add(r, &z, t->name, names ? r->matched[i].name : r->matched[i].text);
	return z;
}

/* ---- the moment ---- */

static struct bytes printed(struct run *r, const char *format, int64_t n)
{
	struct text t = text_over(arena_raw(r->in->arena, 32), 32);

	if (t.at)
		text_printf(&t, format, (long long)n);
	return text_bytes(&t);
}

static struct bytes stamped(struct run *r, const char *format)
{
	char *at = arena_raw(r->in->arena, 32);
	time_t now = time(NULL);
	struct tm tm;

	if (!at)
		return (struct bytes){ 0 };
	localtime_r(&now, &tm);
	return (struct bytes){ at, strftime(at, 32, format, &tm) };
}

static struct bytes moment(struct run *r, struct bytes name)
{
	static const struct {
		const char *name, *format;
	} stamps[] = {
		{ "time", "%H:%M:%S" },  { "time_day", "%d" }, { "time_hour", "%H" }, { "time_min", "%M" },
		{ "time_mon", "%m" },    { "time_sec", "%S" }, { "time_wday", "%w" }, { "time_year", "%Y" },
		{ "time_epoch", "%s" },
	};

	if (bytes_eq(name, BYTES("duration")))
		return printed(r, "%lld", (int64_t)(clock_mono_us() - r->began));
	if (bytes_eq(name, BYTES("highest_severity")))
		return printed(r, "%lld", r->severity);
	if (bytes_eq(name, BYTES("rule.id")))
		return bytes_of(r->rule ? r->rule->info.id : "");
	if (bytes_eq(name, BYTES("rule.severity")))
		return printed(r, "%lld", r->rule ? 7 - (int)r->rule->info.severity : 0);
	if (bytes_eq(name, BYTES("rule.msg")))
		return bytes_of(r->rule ? r->rule->info.message : "");
	for (size_t i = 0; i < nelems(stamps); i++)
		if (bytes_eq(name, bytes_of(stamps[i].name)))
			return stamped(r, stamps[i].format);
	return (struct bytes){ "", 0 };
}

static struct zone_values moment_of(struct run *r, const struct target *t)
{
	struct zone_values z = { 0 };

	add(r, &z, t->name, moment(r, t->name));
	return z;
}

struct zone_values run_values(struct run *r, const struct target *t)
{
	switch (t->zone) {
	case ZONE_VARS:
		return vars_of(r, t);
	case ZONE_MATCHED:
		return matched_of(r, t);
	case ZONE_MOMENT:
		return moment_of(r, t);
	default:
		return r->in->values.zones[t->zone];
	}
}
