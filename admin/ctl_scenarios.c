/* ctl_scenarios.c -- `embergate ctl scenarios`: what watches, and what it saw. */
#include "admin/ctl.h"
#include "scenarios/scenarios.h"

static const char *const types[] = {
	[BUCKET_TRIGGER] = "trigger", [BUCKET_LEAKY] = "leaky", [BUCKET_COUNTER] = "counter",
	[BUCKET_CONDITIONAL] = "conditional", [BUCKET_BAYESIAN] = "bayesian",
};
static const char *const points[] = { [AT_HEAD] = "head", [AT_BODY] = "body", [AT_ANSWER] = "answer", [AT_END] = "end" };

static void row(struct text *t, const struct scenario_info *s, const struct scenario_counts *c)
{
	text_printf(t, "%-44.*s %-11s %-6s %10llu %10llu %10llu %7llu\n", BYTES_ARG(s->name), types[s->type], points[s->point],
		    (unsigned long long)c->asked, (unsigned long long)c->poured, (unsigned long long)c->overflowed,
		    (unsigned long long)c->failed);
}

static void member(struct json_out *o, const struct scenario_info *s, const struct scenario_counts *c)
{
	out_object(o, NULL);
	out_text(o, "name", s->name);
	out_str(o, "type", types[s->type]);
	out_str(o, "at", points[s->point]);
	out_text(o, "behavior", s->behavior);
	out_int(o, "asked", (int64_t)c->asked);
	out_int(o, "poured", (int64_t)c->poured);
	out_int(o, "overflowed", (int64_t)c->overflowed);
	out_int(o, "silent", (int64_t)c->silent);
	out_int(o, "failed", (int64_t)c->failed);
	out_end(o);
}

static void write_table(void *ctx, struct text *t)
{
	const struct scenarios *set = ctx;

	text_printf(t, "%-44s %-11s %-6s %10s %10s %10s %7s\n", "SCENARIO", "TYPE", "AT", "ASKED", "POURED", "OVERFLOWED", "FAILED");
	for (size_t i = 0; i < scenarios_count(set); i++) {
		struct scenario_counts c;

		scenarios_counts(set, i, &c);
		row(t, scenarios_info(set, i), &c);
	}
}

void ctl_scenarios(const struct ctl_ask *ask)
{
	const struct scenarios *set = ask->admin->hooks.scenarios(ask->admin->hooks.ctx);
	struct json_out o = json_out(CTL_JSON_MAX);

	if (!ask->answer->json) {
		ctl_reply_text(ask->answer, write_table, (void *)(uintptr_t)set);
		return;
	}
	out_list(&o, NULL);
	for (size_t i = 0; i < scenarios_count(set); i++) {
		struct scenario_counts c;

		scenarios_counts(set, i, &c);
		member(&o, scenarios_info(set, i), &c);
	}
	out_end(&o);
	ctl_reply_json(ask->answer, &o);
}
