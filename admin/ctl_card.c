/* ctl_card.c -- `embergate ctl alerts` and `ctl client`. What the store says comes later. */
#include "admin/ctl.h"
#include "admin/api/reputation_shapes.h"
#include "admin/client_card.h"
#include "base/clock.h"
#include "base/duration.h"
#include <stdlib.h>

/* ---- alerts ---- */

static void put_alert(struct text *t, const struct alert *a, bool first)
{
	if (first)
		text_printf(t, "%-8s %-24s %-40s %-43s %s\n", "ALERT", "AT", "SCENARIO", "SOURCE", "DECIDED");
	text_printf(t, "%-8llu ", (unsigned long long)a->id);
	clock_rfc3339(t, a->made_ms);
	text_printf(t, " %-40.*s %-43.*s %s%s", BYTES_ARG(a->scenario), BYTES_ARG(a->value),
		    a->ndecisions ? remedy_word(a->decisions[0].remedy) : "-", a->simulated ? " (simulated)" : "");
	if (a->machine.len)
		text_printf(t, " by %.*s", BYTES_ARG(a->machine));
	text_byte(t, '\n');
}

enum { ROWS_MOST = 100, ROW_MOST = 1024 };

struct gathering {
	struct admin_answer *answer;
	struct json_out json;
	struct text t;
	size_t n;
	char room[ROWS_MOST * ROW_MOST];
};

static void gather(void *ctx, const struct alert *a)
{
	struct gathering *g = ctx;

	if (g->answer->json)
		alert_out(&g->json, a);
	else
		put_alert(&g->t, a, !g->n);
	g->n++;
}

static void gathered(void *ctx)
{
	struct gathering *g = ctx;

	out_end(&g->json);
	if (g->answer->json)
		ctl_reply_json(g->answer, &g->json);
	else
		ctl_reply(g->answer, CTL_OK, g->n ? text_bytes(&g->t) : BYTES("no alert in the last 72 hours\n"));
	json_out_free(&g->json);
	free(g);
}

void ctl_alerts(const struct ctl_ask *ask)
{
	struct bytes value = ask->nargs && !bytes_eq(ask->args[0], BYTES("list")) ? ask->args[0]
			     : ask->nargs == 2					  ? ask->args[1]
										  : (struct bytes){ 0 };
	const struct admin_hooks *h = &ask->admin->hooks;
	struct alerts_ask which = { .value = value, .limit = ROWS_MOST };
	struct gathering *g = malloc(sizeof *g);

	if (!g) {
		admin_answer(ask->answer, false, "out of memory");
		return;
	}
	g->answer = ask->answer;
	g->json = json_out(CTL_JSON_MAX);
	g->t = text_over(g->room, sizeof g->room);
	g->n = 0;
	out_list(&g->json, NULL);
	if (!h->alerts || !alerts_find(h->alerts, &which, ask->admin->loop, gather, gathered, g))
		gathered(g);
}

/* ---- a client ---- */

static void put_held(struct text *t, const struct decision *d)
{
	text_printf(t, "  %-9s %s %.*s for ", remedy_word(d->remedy), scope_word(d->scope), BYTES_ARG(d->value));
	ctl_put_left(t, d, clock_wall_ms());
	text_printf(t, ", as %.*s says: ", BYTES_ARG(d->origin));
	text_plain(t, d->reason);
	text_printf(t, "%s%s\n", d->hearsay ? ", hearsay" : "", d->simulated ? ", simulated" : "");
}

static void put_place(struct text *t, const struct client_card *c)
{
	if (c->geo.country[0] || c->geo.as) {
		text_printf(t, "from       %s AS%u ", c->geo.country, c->geo.as);
		text_plain(t, bytes_of(c->geo.as_name));
		text_byte(t, '\n');
	}
	if (c->bot.len)
		text_printf(t, "bot        %.*s, by its published addresses\n", BYTES_ARG(c->bot));
}

static void write_card(void *ctx, struct text *t)
{
	const struct client_card *c = ctx;

	put_place(t, c);
	text_printf(t, "decided    %u times in the last 72 hours\nheld\n", c->decided);
	for (size_t i = 0; i < c->nallow; i++)
		put_held(t, &c->allow[i]);
	for (size_t i = 0; i < c->ndecisions; i++)
		put_held(t, &c->decisions[i]);
	for (size_t i = 0; i < c->nlists; i++)
		text_printf(t, "  %-9s as the list %.*s says\n", remedy_word(c->lists[i].remedy), BYTES_ARG(c->lists[i].reason));
	for (size_t i = 0; i < c->nbuckets; i++)
		text_printf(t, "%s  %-40.*s %u of %u\n", i ? "" : "counted\n", BYTES_ARG(c->buckets[i].scenario), c->buckets[i].count,
			    c->buckets[i].capacity);
	for (size_t i = 0; i < c->npasses; i++)
		text_printf(t, "%s  %.*s: %u of %u for its network\n", i ? "" : "passes\n", BYTES_ARG(c->passes[i].app), c->passes[i].used,
			    c->passes[i].of);
	text_str(t, "seen\n");
	for (size_t i = 0; i < c->nalerts; i++)
		put_alert(t, &c->alerts[i], i == 0);
	if (!c->nalerts)
		text_str(t, "no alert in the last 72 hours\n");
}

static void tell_card(void *owner, struct client_card *c)
{
	struct admin_answer *answer = owner;
	struct json_out o = json_out(CTL_JSON_MAX);

	if (!c) {
		admin_answer(answer, false, "out of memory");
		return;
	}
	if (answer->json) {
		client_card_out(&o, c);
		ctl_reply_json(answer, &o);
	} else {
		ctl_reply_text(answer, write_card, c);
	}
	arena_free(c->arena);
}

void ctl_client(const struct ctl_ask *ask)
{
	struct ip ip;

	if (ip_parse(ask->args[0], &ip))
		client_card_ask(ask->admin, &ip, tell_card, ask->answer);
	else
		admin_answer(ask->answer, false, "that is no address");
}
