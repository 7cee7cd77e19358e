/* ctl_decisions.c -- `embergate ctl decisions` and `ctl scenarios`. */
#include "admin/ctl.h"
#include "base/clock.h"
#include "base/duration.h"
#include "cti/cti.h"
#include "cti/list_write.h"
#include "scenarios/scenarios.h"
#include <stdlib.h>

/* ---- listing ---- */

struct listing {
	const struct ctl_ask *ask;
	struct text *t;
	uint64_t now_ms;
	size_t n;
};

static void put_member(struct text *t, const char *name, struct bytes value, bool last)
{
	text_json(t, bytes_of(name));
	text_byte(t, ':');
	text_json(t, value);
	text_str(t, last ? "" : ",");
}

static void put_left(struct text *t, const struct decision *d, uint64_t now_ms)
{
	duration_text(t, (d->until_ms - now_ms) / 1000 * 1000000);
}

static bool list_one(void *ctx, const struct decision *d)
{
	struct listing *l = ctx;
	struct text *t = l->t;
	char left[32];
	struct text room = text_over(left, sizeof left);

	put_left(&room, d, l->now_ms);
	if (l->ask->answer->json) {
		text_printf(t, "%s{\"id\":%llu,", l->n++ ? ",\n" : "", (unsigned long long)d->id);
		put_member(t, "scope", bytes_of(scope_word(d->scope)), false);
		put_member(t, "value", d->value, false);
		put_member(t, "remedy", bytes_of(remedy_word(d->remedy)), false);
		put_member(t, "for", text_bytes(&room), false);
		put_member(t, "reason", d->reason, false);
		put_member(t, "origin", d->origin, false);
		text_printf(t, "\"simulated\":%s}", d->simulated ? "true" : "false");
		return true;
	}
	if (l->n++ == 0)
		text_printf(t, "%-19s %-9s %-40s %-10s %-14s %-16s %s\n", "ID", "SCOPE", "VALUE", "REMEDY", "FOR", "ORIGIN", "REASON");
	text_printf(t, "%-19llu %-9s ", (unsigned long long)d->id, scope_word(d->scope));
	text_plain(t, d->value);
	text_printf(t, "%*s %-10s %-14.*s ", d->value.len < 40 ? (int)(40 - d->value.len) : 0, "", remedy_word(d->remedy),
		    BYTES_ARG(text_bytes(&room)));
	text_printf(t, "%-16.*s ", BYTES_ARG(d->origin));
	text_plain(t, d->reason);
	text_str(t, d->simulated ? " (simulated)\n" : "\n");
	return true;
}

static void write_list(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	struct listing l = { .ask = ask, .t = t, .now_ms = clock_wall_ms() };

	if (ask->answer->json)
		text_byte(t, '[');
	decisions_each(ask->admin->hooks.decisions, l.now_ms, list_one, &l);
	text_str(t, ask->answer->json ? "]\n" : l.n ? "" : "nothing is held against anyone\n");
}

/* ---- adding and deleting ---- */

/* Words may come in any order: each is of one kind only. */
static bool read_words(const struct ctl_ask *ask, struct decision *d, uint64_t *life_us)
{
	struct ip ip;

	d->value = ask->args[1];
	d->scope = ip_parse(d->value, &ip) ? SCOPE_IP : SCOPE_RANGE;
	for (unsigned i = 2; i < ask->nargs; i++) {
		enum scope scope = scope_from_word(ask->args[i]);

		if (scope != SCOPE_OTHER)
			d->scope = scope;
		else if (bytes_starts(ask->args[i], BYTES("why:")))
			d->reason = bytes_from(ask->args[i], 4);
		else if (!remedy_from_word(ask->args[i], &d->remedy) && !duration_parse(ask->args[i], life_us))
			return false;
	}
	return true;
}

static void add(const struct ctl_ask *ask)
{
	static const char *const outcome[] = {
		[DECISION_HELD] = "it is held", [DECISION_SPARED] = "refused: it covers loopback or a trusted proxy",
		[DECISION_GUARDED] = "refused: it would cover too many of the clients",
		[DECISION_FULL] = "failed: the table is full", [DECISION_WRONG] = "failed: the value is none of that scope",
	};
	uint64_t life_us = (uint64_t)4 * 3600 * 1000000, now_ms = clock_wall_ms();
	struct decision d = { .remedy = REMEDY_DENY, .reason = BYTES("by hand"), .origin = BYTES("manual"), .made_ms = now_ms };
	enum decisions_added r;

	if (ask->nargs < 2 || !read_words(ask, &d, &life_us) || d.remedy == REMEDY_ALLOW) {
		admin_answer(ask->answer, false,
			     "write: decisions add VALUE, then a scope (Range), a remedy (deny) and a time (4h) where they differ");
		return;
	}
	d.until_ms = now_ms + life_us / 1000;
	r = decisions_add(ask->admin->hooks.decisions, &d);
	admin_answer(ask->answer, r == DECISION_HELD, outcome[r]);
}

/* By its id, or all that is held against a value of any scope. */
static size_t lift(struct decisions *d, struct bytes what)
{
	uint64_t id;
	size_t n = 0;

	if (bytes_u64(what, &id) && decisions_lift_id(d, id))
		return 1;
	for (int scope = 0; scope < SCOPE_OTHER; scope++)
		n += decisions_lift(d, (enum scope)scope, what);
	return n;
}

static void delete(const struct ctl_ask *ask)
{
	char line[64];
	struct text t = text_over(line, sizeof line - 1);
	size_t n = ask->nargs == 2 ? lift(ask->admin->hooks.decisions, ask->args[1]) : 0;

	text_printf(&t, n == 1 ? "one is lifted" : n ? "%zu are lifted" : "there is none", n);
	line[t.len] = '\0';
	admin_answer(ask->answer, n > 0, line);
}

/* ---- for others ---- */

struct exporting {
	struct decisions *decisions;
	uint64_t now_ms;
};

static void each_held(void *from, bool (*take)(void *ctx, const struct decision *), void *ctx)
{
	const struct exporting *e = from;

	decisions_each(e->decisions, e->now_ms, take, ctx);
}

static void export(const struct ctl_ask *ask)
{
	enum list_form form = ask->nargs > 1 ? list_form_named(ask->args[1]) : LIST_AS_PLAIN;
	struct exporting e = { ask->admin->hooks.decisions, clock_wall_ms() };
	struct bytes out;
	struct err err = { 0 };

	if (form == LIST_FORMS) {
		admin_answer(ask->answer, false, "write: decisions export plain, csv, json, nft, ipset, haproxy or nginx");
	} else if (!list_write(form, &(struct list_source){ each_held, &e }, e.now_ms, &out, &err)) {
		admin_answer(ask->answer, false, err.text);
	} else {
		ctl_reply(ask->answer, CTL_OK, out);
		free((char *)(uintptr_t)out.at);
	}
}

void ctl_decisions(const struct ctl_ask *ask)
{
	struct bytes verb = ask->nargs ? ask->args[0] : BYTES("list");

	if (!ask->admin->hooks.decisions)
		admin_answer(ask->answer, false, "this gate holds no decisions");
	else if (bytes_eq(verb, BYTES("list")) && ask->nargs <= 1)
		ctl_reply_text(ask->answer, write_list, (void *)(uintptr_t)ask);
	else if (bytes_eq(verb, BYTES("add")))
		add(ask);
	else if (bytes_eq(verb, BYTES("delete")))
		delete(ask);
	else if (bytes_eq(verb, BYTES("export")))
		export(ask);
	else
		admin_answer(ask->answer, false, "write: decisions list, add VALUE, delete VALUE, import FILE, or export FORMAT");
}

/* ---- scenarios ---- */

static const char *const types[] = {
	[BUCKET_TRIGGER] = "trigger", [BUCKET_LEAKY] = "leaky", [BUCKET_COUNTER] = "counter",
	[BUCKET_CONDITIONAL] = "conditional", [BUCKET_BAYESIAN] = "bayesian",
};
static const char *const points[] = { [AT_HEAD] = "head", [AT_BODY] = "body", [AT_ANSWER] = "answer", [AT_END] = "end" };

static void write_scenario(struct text *t, const struct scenario_info *s, const struct scenario_counts *c, bool json)
{
	if (!json) {
		text_printf(t, "%-44.*s %-11s %-6s %10llu %10llu %10llu %7llu\n", BYTES_ARG(s->name), types[s->type],
			    points[s->point], (unsigned long long)c->asked, (unsigned long long)c->poured,
			    (unsigned long long)c->overflowed, (unsigned long long)c->failed);
		return;
	}
	text_byte(t, '{');
	put_member(t, "name", s->name, false);
	put_member(t, "type", bytes_of(types[s->type]), false);
	put_member(t, "at", bytes_of(points[s->point]), false);
	put_member(t, "behavior", s->behavior, false);
	text_printf(t, "\"asked\":%llu,\"poured\":%llu,\"overflowed\":%llu,\"silent\":%llu,\"failed\":%llu}",
		    (unsigned long long)c->asked, (unsigned long long)c->poured, (unsigned long long)c->overflowed,
		    (unsigned long long)c->silent, (unsigned long long)c->failed);
}

static void write_scenarios(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	const struct scenarios *set = ask->admin->hooks.scenarios(ask->admin->hooks.ctx);
	bool json = ask->answer->json;

	if (!json)
		text_printf(t, "%-44s %-11s %-6s %10s %10s %10s %7s\n", "SCENARIO", "TYPE", "AT", "ASKED", "POURED", "OVERFLOWED",
			    "FAILED");
	for (size_t i = 0; i < scenarios_count(set); i++) {
		struct scenario_counts c;

		scenarios_counts(set, i, &c);
		text_str(t, json ? i ? ",\n" : "[" : "");
		write_scenario(t, scenarios_info(set, i), &c, json);
	}
	text_str(t, json ? scenarios_count(set) ? "]\n" : "[]\n" : "");
}

void ctl_scenarios(const struct ctl_ask *ask)
{
	ctl_reply_text(ask->answer, write_scenarios, (void *)(uintptr_t)ask);
}
