/* ctl_verbs.c -- what one may say to a running gate, in the order of the help. */
#include "admin/ctl.h"
#include "admin/status.h"
#include "base/clock.h"
#include <stdlib.h>

void ctl_reply_text(struct admin_answer *answer, void (*write)(void *, struct text *), void *ctx)
{
	struct text t;

	if (!admin_text(write, ctx, &t)) {
		admin_answer(answer, false, "out of memory");
		return;
	}
	ctl_reply(answer, CTL_OK, text_bytes(&t));
	free(t.at);
}

void ctl_reply_json(struct admin_answer *answer, struct json_out *o)
{
	if (o->failed)
		admin_answer(answer, false, "the answer takes more memory than there is");
	else
		ctl_reply(answer, CTL_OK, json_out_bytes(o));
	json_out_free(o);
}

struct status_ctx {
	const struct admin_status *status;
	bool json;
};

static void write_status(void *arg, struct text *t)
{
	const struct status_ctx *c = arg;

	(c->json ? status_json : status_table)(t, c->status, clock_wall_ms());
}

static void status(const struct ctl_ask *ask)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	struct arena *a = arena_new(1 << 20);
	struct admin_status s = { .config = "" };
	struct status_ctx c = { &s, ask->answer->json };

	if (!a) {
		admin_answer(ask->answer, false, "out of memory");
		return;
	}
	h->status(h->ctx, a, &s);
	ctl_reply_text(ask->answer, write_status, &c);
	arena_free(a);
}

static void reload(const struct ctl_ask *ask)
{
	ctl_note(ask, "config.reload", (struct bytes){ 0 }, (struct bytes){ 0 });
	ask->admin->hooks.reload(ask->admin->hooks.ctx, ask->answer);
}

static void mode(const struct ctl_ask *ask)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	char message[256];
	struct text t = text_over(message, sizeof message - 1);
	struct err e;

	if (!h->mode(h->ctx, ask->args[0], ask->args[1], &e)) {
		admin_answer(ask->answer, false, e.text);
		return;
	}
	ctl_note(ask, "app.mode", ask->args[0], ask->args[1]);
	text_plain(&t, ask->args[0]);
	text_str(&t, " is now in mode ");
	text_plain(&t, ask->args[1]);
	message[t.len] = '\0';
	admin_answer(ask->answer, true, message);
}

static void attack_mode(const struct ctl_ask *ask)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	char message[256];
	struct text t = text_over(message, sizeof message - 1);
	struct err e;

	if (!h->attack(h->ctx, ask->args[0], ask->args[1], &e)) {
		admin_answer(ask->answer, false, e.text);
		return;
	}
	ctl_note(ask, "app.attack", ask->args[0], ask->args[1]);
	text_str(&t, "attack mode of ");
	text_plain(&t, ask->args[0]);
	text_str(&t, " is now ");
	text_plain(&t, ask->args[1]);
	message[t.len] = '\0';
	admin_answer(ask->answer, true, message);
}

static void drain(const struct ctl_ask *ask)
{
	ask->admin->hooks.drain(ask->admin->hooks.ctx);
	ctl_note(ask, "gate.drain", (struct bytes){ 0 }, (struct bytes){ 0 });
	admin_answer(ask->answer, true, "draining: /readyz says 503, clients are told to go elsewhere");
}

const struct ctl_verb ctl_verbs[] = {
	{ "status", "", "what runs, since when, with which servers", 0, status, 0 },
	{ "reload", "", "read the configuration again; waits for the outcome", 0, reload, 0 },
	{ "explain", "ID", "why a request was decided as it was; the start of an id is enough", 1, ctl_explain, 0 },
	{ "mode", "APP block|detect|off", "change an app's mode until the next start", 2, mode, 0 },
	{ "attack-mode", "APP on|off|auto", "challenge everyone, until the next start; auto: while the servers are overloaded", 2, attack_mode, 0 },
	{ "drain", "", "take no new work: for a planned stop", 0, drain, 0 },
	{ "diff", "", "what a reload would change, or why it would be refused", 0, ctl_diff, 0 },
	{ "init", "[--upstream URL] [--host NAME] [--listen ADDR] [--mode block|detect] [--trust WHO] [--dir DIR] [--force]",
	  "write a first configuration and a systemd unit; asks on a terminal what is not given", 0, NULL, 0 },
	{ "test", "URL [--at IP] [--insecure]", "ten harmless probes: is what must be stopped stopped, and the rest not?",
	  0, NULL, 0 },
	{ "events", "[-f] [--app APP] [--action WORD] [--since 1h] [...]", "what was stopped or found lately; -f: as it happens", 0, ctl_events, CTL_ARGS_MAX - 1 },
	{ "replay", "ID", "what rules, own rules and exceptions would say of a kept request now", 1, ctl_replay, 0 },
	{ "exceptions", "[list [APP] | suggest [APP] | add --app APP --path PATTERN ... --reason TEXT | rm ID]", "what is let through where, for good; suggest: alerts of the last 7 days that look like mistakes, and the smallest exception for each", 0,
	  ctl_exceptions, CTL_ARGS_MAX },
	{ "decisions", "[list | add VALUE [SCOPE] [REMEDY] [4h] [why:WORD] | delete VALUE|ID | import FILE | export FORMAT]",
	  "who is held to be what; SCOPE is Ip (or Range, by the value), REMEDY deny; FORMAT: plain csv json nft ipset haproxy nginx",
	  0, ctl_decisions, 6 },
	{ "bouncers", "[list | add NAME [appsec] [trusted] [key:KEY] | delete NAME]",
	  "who may read decisions by a key; appsec: ask verdicts too, trusted: for an address that it names; KEY: the same at every gate", 0, ctl_bouncers, 5 },
	{ "machines", "[list | add NAME [PASSWORD] | validate NAME | delete NAME]",
	  "which agents may log in and tell what they see", 0, ctl_machines, 3 },
	{ "scenarios", "", "what watches, and what it saw", 0, ctl_scenarios, 0 },
	{ "allow", "[list | add VALUE [SCOPE] [30d] [WHY] | delete VALUE]", "against whom nothing is held; without a time for ever", 0, ctl_allow, 5 },
	{ "alerts", "[VALUE]", "what scenarios and agents saw in the last 72 hours", 0, ctl_alerts, 2 },
	{ "client", "IP", "what is known of an address", 1, ctl_client, 0 },
	{ "lists", "[refresh [NAME]]", "block lists: how many entries, how old", 0, ctl_lists, 2 },
	{ "cert", "[list]", "certificates: for whom, by whom, until when", 0, ctl_certs, 1 },
	{ "nodes", "", "the gates that share a Redis", 0, ctl_nodes, 0 },
	{ "user", "[list | add NAME ROLE | delete NAME | setup [NAME]]",
	  "users of the dashboard; ROLE: viewer operator administrator; setup: a link to choose a (new) password, without NAME for a new administrator",
	  0, ctl_users, 3 },
	{ "token", "[list | add NAME ROLE [90d] | delete ID]", "tokens for programs that use the API; without a time for ever", 0, ctl_tokens, 4 },
	{ "privacy", "", "what leaves this installation", 0, ctl_privacy, 0 },
	{ "support-bundle", "[FILE]", "facts for a bug report: versions, configuration without secrets, status, metrics; no logs",
	  0, ctl_bundle, 0 },
};

const size_t ctl_nverbs = nelems(ctl_verbs);

static const struct ctl_local *const locals[] = { &ctl_init, &ctl_test, &ctl_events_local, &ctl_bundle_local, &ctl_exceptions_local };

const struct ctl_local *ctl_local_of(const struct ctl_verb *v)
{
	for (size_t i = 0; i < nelems(locals); i++)
		if (strcmp(locals[i]->verb, v->name) == 0)
			return locals[i];
	return NULL;
}
