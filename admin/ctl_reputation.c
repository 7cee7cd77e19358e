/* ctl_reputation.c -- `embergate ctl` allow, alerts, client, lists, nodes, privacy. */
#include "admin/ctl.h"
#include "base/clock.h"
#include "base/duration.h"
#include "cti/alerts.h"
#include "cti/cti.h"
#include "cti/lists.h"
#include "cti/share.h"
#include "cti/signal.h"
#include "scenarios/scenarios.h"
#include <stdlib.h>

enum { LISTS_MAX = 64, NODES_MAX = 256, REPLY_FIRST = 4096, REPLY_MOST = 16 << 20 };

static void put_member(struct text *t, const char *name, struct bytes value)
{
	text_json(t, bytes_of(name));
	text_byte(t, ':');
	text_json(t, value);
}

static void put_ago(struct text *t, uint64_t then_ms, uint64_t now_ms)
{
	if (!then_ms) {
		text_str(t, "never");
		return;
	}
	duration_text(t, (now_ms > then_ms ? now_ms - then_ms : 0) / 1000 * 1000000);
	text_str(t, " ago");
}

static void put_held_json(struct text *t, const struct decision *d)
{
	text_printf(t, "{\"id\":%llu,", (unsigned long long)d->id);
	put_member(t, "scope", bytes_of(scope_word(d->scope)));
	text_byte(t, ',');
	put_member(t, "value", d->value);
	text_byte(t, ',');
	put_member(t, "remedy", bytes_of(remedy_word(d->remedy)));
	text_byte(t, ',');
	put_member(t, "reason", d->reason);
	text_byte(t, ',');
	put_member(t, "origin", d->origin);
	text_str(t, ",\"until\":\"");
	clock_rfc3339(t, d->until_ms);
	text_printf(t, "\",\"hearsay\":%s,\"simulated\":%s}", d->hearsay ? "true" : "false", d->simulated ? "true" : "false");
}

/* ---- allow ---- */

struct allowing {
	const struct ctl_ask *ask;
	struct text *t;
	size_t n;
};

static bool list_allowed(void *ctx, const struct decision *d)
{
	struct allowing *a = ctx;
	struct text *t = a->t;

	if (d->remedy != REMEDY_ALLOW)
		return true;
	if (a->ask->answer->json) {
		text_str(t, a->n++ ? ",\n" : "");
		put_held_json(t, d);
		return true;
	}
	a->n++;
	text_printf(t, "%-6s %-43.*s ", scope_word(d->scope), BYTES_ARG(d->value));
	duration_text(t, (d->until_ms - clock_wall_ms()) / 1000 * 1000000);
	text_str(t, "  ");
	text_plain(t, d->reason);
	text_byte(t, '\n');
	return true;
}

static void write_allowed(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	struct allowing a = { ask, t, 0 };
	bool json = ask->answer->json;

	text_str(t, json ? "[" : "");
	decisions_each(ask->admin->hooks.decisions, clock_wall_ms(), list_allowed, &a);
	if (json)
		text_str(t, "]\n");
	else if (!a.n)
		text_str(t, "nobody is allowed beyond what the configuration says\n");
}

static void allow_add(const struct ctl_ask *ask)
{
	uint64_t life_us = (uint64_t)3650 * 86400 * 1000000, now_ms = clock_wall_ms();
	struct decision d = { .remedy = REMEDY_ALLOW, .value = ask->args[1], .reason = BYTES("by hand"), .origin = BYTES("manual"),
			      .made_ms = now_ms };
	struct ip ip;
	enum decisions_added r;

	d.scope = ip_parse(d.value, &ip) ? SCOPE_IP : SCOPE_RANGE;
	for (unsigned i = 2; i < ask->nargs; i++) {
		enum scope scope = scope_from_word(ask->args[i]);

		if (scope != SCOPE_OTHER)
			d.scope = scope;
		else if (!duration_parse(ask->args[i], &life_us))
			d.reason = ask->args[i];
	}
	d.until_ms = now_ms + life_us / 1000;
	r = decisions_add(ask->admin->hooks.decisions, &d);
	admin_answer(ask->answer, r == DECISION_HELD,
		     r == DECISION_HELD ? "nothing is held against it from now on" : "failed: the value is none of that scope");
}

struct allowed {
	struct bytes value;
	uint64_t id;
};

static bool find_allowed(void *ctx, const struct decision *d)
{
	struct allowed *a = ctx;

	if (d->remedy == REMEDY_ALLOW && bytes_eq(d->value, a->value))
		a->id = d->id;
	return !a->id;
}

static void allow_delete(const struct ctl_ask *ask)
{
	struct decisions *all = ask->admin->hooks.decisions;
	struct allowed a = { ask->args[1], 0 };

	decisions_each(all, clock_wall_ms(), find_allowed, &a);
	admin_answer(ask->answer, a.id && decisions_lift_id(all, a.id), a.id ? "it is allowed no more" : "there is none");
}

void ctl_allow(const struct ctl_ask *ask)
{
	struct bytes verb = ask->nargs ? ask->args[0] : BYTES("list");

	if (bytes_eq(verb, BYTES("list")) && ask->nargs <= 1)
		ctl_reply_text(ask->answer, write_allowed, (void *)(uintptr_t)ask);
	else if (bytes_eq(verb, BYTES("add")) && ask->nargs >= 2)
		allow_add(ask);
	else if (bytes_eq(verb, BYTES("delete")) && ask->nargs == 2)
		allow_delete(ask);
	else
		admin_answer(ask->answer, false, "write: allow list, allow add VALUE [4h], or allow delete VALUE");
}

/* ---- alerts, and what is known of a client: what the store says comes later ---- */

struct gathering {
	struct admin_answer *answer;
	struct text t;
	size_t n, nheld;
	bool is_client; /* the alerts are a member of an object */
};

static void room_for_more(struct gathering *g)
{
	char *grown;

	if (g->t.cap - g->t.len >= REPLY_FIRST || g->t.cap >= REPLY_MOST || !(grown = realloc(g->t.at, g->t.cap * 2)))
		return;
	g->t.at = grown;
	g->t.cap *= 2;
}

static struct gathering *gathering_new(struct admin_answer *answer)
{
	struct gathering *g = calloc(1, sizeof *g);
	char *at = g ? malloc(2 * REPLY_FIRST) : NULL;

	if (!at) {
		free(g);
		return NULL;
	}
	*g = (struct gathering){ .answer = answer, .t = text_over(at, 2 * REPLY_FIRST) };
	return g;
}

static void gathering_end(void *ctx)
{
	struct gathering *g = ctx;

	if (g->answer->json)
		text_printf(&g->t, "%s%s", g->n ? "]" : "[]", g->is_client ? "}\n" : "\n");
	else if (!g->n)
		text_str(&g->t, "no alert in the last 72 hours\n");
	ctl_reply(g->answer, CTL_OK, text_bytes(&g->t));
	free(g->t.at);
	free(g);
}

static void gather(void *ctx, const struct alert *a)
{
	struct gathering *g = ctx;
	struct text *t = &g->t;

	room_for_more(g);
	if (g->answer->json) {
		text_printf(t, "%s{\"id\":%llu,\"at\":\"", g->n++ ? ",\n" : "[", (unsigned long long)a->id);
		clock_rfc3339(t, a->made_ms);
		text_str(t, "\",");
		put_member(t, "scenario", a->scenario);
		text_byte(t, ',');
		put_member(t, "scope", bytes_of(scope_word(a->scope)));
		text_byte(t, ',');
		put_member(t, "value", a->value);
		text_byte(t, ',');
		put_member(t, "machine", a->machine);
		text_printf(t, ",\"events\":%u,\"decisions\":%zu}", a->events, a->ndecisions);
		return;
	}
	if (!g->n++)
		text_printf(t, "%-8s %-24s %-40s %-43s %s\n", "ALERT", "AT", "SCENARIO", "SOURCE", "DECIDED");
	text_printf(t, "%-8llu ", (unsigned long long)a->id);
	clock_rfc3339(t, a->made_ms);
	text_printf(t, " %-40.*s %-43.*s %s%s", BYTES_ARG(a->scenario), BYTES_ARG(a->value),
		    a->ndecisions ? remedy_word(a->decisions[0].remedy) : "-", a->simulated ? " (simulated)" : "");
	if (a->machine.len)
		text_printf(t, " by %.*s", BYTES_ARG(a->machine));
	text_byte(t, '\n');
}

static void ask_alerts(const struct ctl_ask *ask, struct gathering *g, struct bytes value)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	struct alerts_ask which = { .value = value, .limit = 100 };

	if (!alerts_find(h->alerts, &which, ask->admin->loop, gather, gathering_end, g))
		gathering_end(g);
}

void ctl_alerts(const struct ctl_ask *ask)
{
	struct bytes value = ask->nargs && !bytes_eq(ask->args[0], BYTES("list")) ? ask->args[0]
			     : ask->nargs == 2					  ? ask->args[1]
										  : (struct bytes){ 0 };
	struct gathering *g = gathering_new(ask->answer);

	if (g)
		ask_alerts(ask, g, value);
	else
		admin_answer(ask->answer, false, "out of memory");
}

static bool put_held(void *ctx, const struct decision *d)
{
	struct gathering *g = ctx;
	struct text *t = &g->t;

	room_for_more(g);
	if (g->answer->json) {
		text_str(t, g->nheld++ ? "," : "");
		put_held_json(t, d);
		return true;
	}
	text_printf(t, "  %-9s %.*s %.*s for ", remedy_word(d->remedy), BYTES_ARG(bytes_of(scope_word(d->scope))), BYTES_ARG(d->value));
	duration_text(t, (d->until_ms - clock_wall_ms()) / 1000 * 1000000);
	text_printf(t, ", as %.*s says: ", BYTES_ARG(d->origin));
	text_plain(t, d->reason);
	text_printf(t, "%s%s\n", d->hearsay ? ", hearsay" : "", d->simulated ? ", simulated" : "");
	return true;
}

static void put_known(struct gathering *g, const struct admin_hooks *h, const struct ip *ip, struct bytes value)
{
	struct ip_net net = { *ip, 128 };
	struct arena *a = arena_new(64 << 10);
	struct decision listed;
	struct text place = text_over((char[256]){ 0 }, 255);

	if (h->where && h->where(h->ctx, ip, &place)) {
		text_str(&g->t, "from       ");
		text_plain(&g->t, text_bytes(&place));
		text_byte(&g->t, '\n');
	}
	text_printf(&g->t, "decided    %u times in the last 72 hours\nheld\n",
		    decisions_past(h->decisions, SCOPE_IP, value, clock_wall_ms()));
	decisions_about(h->decisions, &net, clock_wall_ms(), put_held, g);
	if (a && h->lists && lists_find(h->lists, ip, clock_wall_ms(), a, &listed)) {
		text_printf(&g->t, "  %-9s as the list %.*s says\n", remedy_word(listed.remedy), BYTES_ARG(listed.reason));
	}
	arena_free(a);
	text_str(&g->t, "seen\n");
}

static void put_known_json(struct gathering *g, const struct admin_hooks *h, const struct ip *ip, struct bytes value)
{
	struct ip_net net = { *ip, 128 };
	struct arena *a = arena_new(64 << 10);
	struct decision listed;
	struct text place = text_over((char[256]){ 0 }, 255);

	text_byte(&g->t, '{');
	put_member(&g->t, "ip", value);
	if (h->where && h->where(h->ctx, ip, &place)) {
		text_byte(&g->t, ',');
		put_member(&g->t, "from", text_bytes(&place));
	}
	if (a && h->lists && lists_find(h->lists, ip, clock_wall_ms(), a, &listed)) {
		text_byte(&g->t, ',');
		put_member(&g->t, "list", listed.reason);
		text_byte(&g->t, ',');
		put_member(&g->t, "list_remedy", bytes_of(remedy_word(listed.remedy)));
	}
	arena_free(a);
	text_printf(&g->t, ",\"decided\":%u,\"held\":[", decisions_past(h->decisions, SCOPE_IP, value, clock_wall_ms()));
	decisions_about(h->decisions, &net, clock_wall_ms(), put_held, g);
	text_str(&g->t, "],\"alerts\":");
	g->is_client = true;
}

void ctl_client(const struct ctl_ask *ask)
{
	struct gathering *g;
	struct ip ip;

	if (!ip_parse(ask->args[0], &ip)) {
		admin_answer(ask->answer, false, "that is no address");
		return;
	}
	if (!(g = gathering_new(ask->answer))) {
		admin_answer(ask->answer, false, "out of memory");
		return;
	}
	(ask->answer->json ? put_known_json : put_known)(g, &ask->admin->hooks, &ip, ask->args[0]);
	ask_alerts(ask, g, ask->args[0]);
}

/* ---- lists ---- */

static void write_list(struct text *t, const struct list_status *l, bool json)
{
	uint64_t now_ms = clock_wall_ms();

	if (json) {
		text_byte(t, '{');
		put_member(t, "name", bytes_of(l->name));
		text_printf(t, ",\"entries\":%zu,\"bytes\":%zu,\"skipped\":%zu,\"confirmed_ms\":%llu,", l->entries, l->bytes, l->skipped,
			    (unsigned long long)l->confirmed_ms);
		put_member(t, "trouble", bytes_of(l->trouble));
		text_byte(t, '}');
		return;
	}
	text_printf(t, "%-30s %10zu %10zu  ", l->name, l->entries, l->skipped + l->left_out);
	put_ago(t, l->confirmed_ms, now_ms);
	if (l->trouble[0])
		text_printf(t, "  TROUBLE: %s", l->trouble);
	text_byte(t, '\n');
}

static void write_lists(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	struct list_status at[LISTS_MAX];
	size_t n = lists_status(ask->admin->hooks.lists, at, LISTS_MAX);
	bool json = ask->answer->json;

	if (!json)
		text_printf(t, "%-30s %10s %10s  %s\n", "LIST", "ENTRIES", "SKIPPED", "CONFIRMED");
	for (size_t i = 0; i < n; i++) {
		text_str(t, json ? i ? ",\n" : "[" : "");
		write_list(t, &at[i], json);
	}
	text_str(t, json ? n ? "]\n" : "[]\n" : "");
}

void ctl_lists(const struct ctl_ask *ask)
{
	if (ask->nargs && bytes_eq(ask->args[0], BYTES("refresh"))) {
		lists_refresh(ask->admin->hooks.lists, ask->nargs > 1 ? ask->args[1] : (struct bytes){ 0 });
		admin_answer(ask->answer, true, "they are fetched now; see `ctl lists`");
	} else if (!ask->nargs || bytes_eq(ask->args[0], BYTES("list"))) {
		ctl_reply_text(ask->answer, write_lists, (void *)(uintptr_t)ask);
	} else {
		admin_answer(ask->answer, false, "write: lists, or lists refresh [NAME]");
	}
}

/* ---- nodes ---- */

static void write_node(struct text *t, const struct share_node *n, bool json)
{
	if (json) {
		text_byte(t, '{');
		put_member(t, "name", bytes_of(n->name));
		text_byte(t, ',');
		put_member(t, "version", bytes_of(n->version));
		text_printf(t, ",\"node\":%u,\"config\":\"%016llx\",\"seen_ms\":%llu,\"lag_ms\":%lld,\"skew_ms\":%lld,\"self\":%s}", n->node,
			    (unsigned long long)n->config_hash, (unsigned long long)n->seen_ms, (long long)n->lag_ms,
			    (long long)n->skew_ms, n->self ? "true" : "false");
		return;
	}
	text_printf(t, "%-24s %5u  %-9s %016llx  %6lld ms  %6lld ms  ", n->name, n->node, n->version,
		    (unsigned long long)n->config_hash, (long long)n->lag_ms, (long long)n->skew_ms);
	put_ago(t, n->seen_ms, clock_wall_ms());
	text_str(t, n->self ? "  (this one)\n" : "\n");
}

static void write_nodes(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	struct share_node at[NODES_MAX];
	size_t n = share_nodes(ask->admin->hooks.share, at, NODES_MAX);
	bool json = ask->answer->json;

	if (!json)
		text_printf(t, "%-24s %5s  %-9s %-16s  %9s  %9s  %s\n", "NAME", "NODE", "VERSION", "CONFIG", "LAG", "SKEW", "SEEN");
	for (size_t i = 0; i < n; i++) {
		text_str(t, json ? i ? ",\n" : "[" : "");
		write_node(t, &at[i], json);
	}
	text_str(t, json ? n ? "]\n" : "[]\n" : "");
}

void ctl_nodes(const struct ctl_ask *ask)
{
	if (ask->admin->hooks.share)
		ctl_reply_text(ask->answer, write_nodes, (void *)(uintptr_t)ask);
	else
		admin_answer(ask->answer, true, "this gate is alone: no `redis` is configured");
}

/* ---- privacy ---- */

struct signals {
	const struct scenarios *set;
	struct text *t;
	size_t n;
	bool json;
};

static struct bytes behaviour_of(const struct scenarios *set, struct bytes scenario)
{
	for (size_t i = 0; i < scenarios_count(set); i++)
		if (bytes_eq(scenarios_info(set, i)->name, scenario))
			return scenarios_info(set, i)->behavior;
	return (struct bytes){ 0 };
}

static bool put_signal(void *ctx, const struct decision *d)
{
	struct signals *s = ctx;

	char room[512];
	struct text one = text_over(room, sizeof room);

	if (!signal_write(&one, d, behaviour_of(s->set, d->reason)))
		return true;
	text_str(s->t, s->json && s->n ? "," : "");
	text_put(s->t, text_bytes(&one));
	text_str(s->t, s->json ? "" : "\n");
	s->n++;
	return true;
}

static void write_privacy(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	const struct admin_hooks *h = &ask->admin->hooks;
	struct signals s = { h->scenarios(h->ctx), t, 0, ask->answer->json };

	if (s.json) {
		text_printf(t, "{\"share\":%s,\"redis\":%s,\"signals\":[", h->sharing ? "true" : "false", h->share ? "true" : "false");
		decisions_each(h->decisions, clock_wall_ms(), put_signal, &s);
		text_str(t, "]}\n");
		return;
	}
	text_printf(t, "Sharing with others is %s. No log, path, user name or body ever leaves.\n", h->sharing ? "on" : "off");
	text_printf(t, "Gates of this installation %s.\n",
		    h->share ? "tell each other decisions and counts through Redis, signed" : "are not connected: there is no Redis");
	text_str(t, h->sharing ? "This leaves now:\n" : "With `cti: {share: on}` this would leave now, and nothing else:\n");
	decisions_each(h->decisions, clock_wall_ms(), put_signal, &s);
	if (!s.n)
		text_str(t, "(nothing: no public address is held for what was seen here)\n");
}

void ctl_privacy(const struct ctl_ask *ask)
{
	ctl_reply_text(ask->answer, write_privacy, (void *)(uintptr_t)ask);
}
