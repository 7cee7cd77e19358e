/* ctl_reputation.c -- `embergate ctl` lists, nodes, privacy. */
#include "admin/ctl.h"
#include "admin/api/reputation_shapes.h"
#include "admin/privacy.h"
#include "base/clock.h"
#include "base/duration.h"

enum { LISTS_MAX = 64, NODES_MAX = 256 };

static void put_ago(struct text *t, uint64_t then_ms, uint64_t now_ms)
{
	if (!then_ms) {
		text_str(t, "never");
		return;
	}
	duration_text(t, (now_ms > then_ms ? now_ms - then_ms : 0) / 1000 * 1000000);
	text_str(t, " ago");
}

/* ---- lists ---- */

static void write_lists(void *ctx, struct text *t)
{
	struct list_status at[LISTS_MAX];
	size_t n = lists_status(ctx, at, LISTS_MAX);

	text_printf(t, "%-30s %10s %10s  %s\n", "LIST", "ENTRIES", "SKIPPED", "CONFIRMED");
	for (size_t i = 0; i < n; i++) {
		text_printf(t, "%-30s %10zu %10zu  ", at[i].name, at[i].entries, at[i].skipped + at[i].left_out);
		put_ago(t, at[i].confirmed_ms, clock_wall_ms());
		if (at[i].trouble[0])
			text_printf(t, "  TROUBLE: %s", at[i].trouble);
		text_byte(t, '\n');
	}
}

static void list_lists(const struct ctl_ask *ask)
{
	struct list_status at[LISTS_MAX];
	size_t n = lists_status(ask->admin->hooks.lists, at, LISTS_MAX);
	struct json_out o = json_out(CTL_JSON_MAX);

	if (!ask->answer->json) {
		ctl_reply_text(ask->answer, write_lists, ask->admin->hooks.lists);
		return;
	}
	out_list(&o, NULL);
	for (size_t i = 0; i < n; i++)
		list_out(&o, &at[i], clock_wall_ms());
	out_end(&o);
	ctl_reply_json(ask->answer, &o);
}

void ctl_lists(const struct ctl_ask *ask)
{
	if (ask->nargs && bytes_eq(ask->args[0], BYTES("refresh"))) {
		lists_refresh(ask->admin->hooks.lists, ask->nargs > 1 ? ask->args[1] : (struct bytes){ 0 });
		admin_answer(ask->answer, true, "they are fetched now; see `ctl lists`");
	} else if (!ask->nargs || bytes_eq(ask->args[0], BYTES("list"))) {
		list_lists(ask);
	} else {
		admin_answer(ask->answer, false, "write: lists, or lists refresh [NAME]");
	}
}

/* ---- nodes ---- */

static void write_nodes(void *ctx, struct text *t)
{
	struct share_node at[NODES_MAX];
	size_t n = share_nodes(ctx, at, NODES_MAX);

	text_printf(t, "%-24s %5s  %-9s %-16s  %9s  %9s  %s\n", "NAME", "NODE", "VERSION", "CONFIG", "LAG", "SKEW", "SEEN");
	for (size_t i = 0; i < n; i++) {
		text_printf(t, "%-24s %5u  %-9s %016llx  %6lld ms  %6lld ms  ", at[i].name, at[i].node, at[i].version,
			    (unsigned long long)at[i].config_hash, (long long)at[i].lag_ms, (long long)at[i].skew_ms);
		put_ago(t, at[i].seen_ms, clock_wall_ms());
		text_str(t, at[i].self ? "  (this one)\n" : at[i].up ? "\n" : "  SILENT\n");
	}
}

void ctl_nodes(const struct ctl_ask *ask)
{
	struct share *share = ask->admin->hooks.share;
	struct share_node at[NODES_MAX];
	struct json_out o = json_out(CTL_JSON_MAX);
	size_t n;

	if (!share) {
		admin_answer(ask->answer, true, "this gate is alone: no `redis` is configured");
		return;
	}
	if (!ask->answer->json) {
		ctl_reply_text(ask->answer, write_nodes, share);
		return;
	}
	n = share_nodes(share, at, NODES_MAX);
	out_list(&o, NULL);
	for (size_t i = 0; i < n; i++)
		node_out(&o, &at[i]);
	out_end(&o);
	ctl_reply_json(ask->answer, &o);
}

/* ---- privacy ---- */

static void write_privacy(void *ctx, struct text *t)
{
	privacy_text(ctx, t);
}

void ctl_privacy(const struct ctl_ask *ask)
{
	struct json_out o = json_out(CTL_JSON_MAX);

	if (!ask->answer->json) {
		ctl_reply_text(ask->answer, write_privacy, ask->admin);
		return;
	}
	privacy_out(&o, ask->admin);
	ctl_reply_json(ask->answer, &o);
}
