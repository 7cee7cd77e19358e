/* webhook_watch.c -- what is told to webhooks besides requests: decisions as they are made, and what is found by looking,
 * on the control thread: servers, certificates, lists. A reload is noted by whoever did it. */
#include "base/clock.h"
#include "proxy/gate.h"
#include "proxy/webhook.h"
#include <stdlib.h>

enum { SERVERS = 256, LISTS = 64, CERT_DAYS = 14, DAY_S = 24 * 3600 };

struct webhook_watch {
	struct gate *gate;
	struct { const struct server *server; bool up; } servers[SERVERS]; /* servers outlive a reload */
	size_t nservers;
	struct { char name[LISTS_NAME_MAX + 1]; bool trouble; } lists[LISTS];
	size_t nlists;
	uint64_t cert_day; /* the last one that they were looked at, and one more; 0: none */
};

static void note(struct webhook_watch *w, enum notify_event kind, struct bytes address, const char *behaviour, struct bytes detail)
{
	webhooks_note(w->gate->shared.webhooks, &(struct webhook_note){ .kind = kind, .wall_ms = clock_wall_ms(), .address = address,
									 .behaviour = bytes_of(behaviour), .detail = detail });
}

/* ---- decisions ---- */

static void on_held(void *ctx, const struct decision *d, unsigned times, enum decision_from from)
{
	struct webhook_watch *w = ctx;

	(void)times;
	if (from != DECISION_MADE || d->remedy <= REMEDY_LOG || d->simulated || d->hearsay)
		return;
	webhooks_note(w->gate->shared.webhooks, &(struct webhook_note){
		.kind = NOTIFY_DECISION, .wall_ms = d->made_ms, .address = d->value, .behaviour = d->reason,
		.detail = bytes_of(remedy_word(d->remedy)) });
}

static void on_lifted(void *ctx, const struct decision *d, enum decision_from from)
{
	(void)ctx, (void)d, (void)from;
}

/* ---- servers ---- */

/* The first look at one only learns how it is. */
static void look_at_server(struct webhook_watch *w, const struct server *s)
{
	bool up = server_is_up(s, clock_mono_ms());
	size_t i = 0;

	while (i < w->nservers && w->servers[i].server != s)
		i++;
	if (i == SERVERS)
		return;
	if (i == w->nservers) {
		w->servers[w->nservers].server = s;
		w->servers[w->nservers++].up = true;
	}
	if (w->servers[i].up != up)
		note(w, NOTIFY_UPSTREAM, bytes_of(s->name), up ? "up" : "down", (struct bytes){ 0 });
	w->servers[i].up = up;
}

static void look_at_servers(struct webhook_watch *w)
{
	const struct site *s = w->gate->site;

	for (size_t a = 0; a < s->napps; a++)
		for (unsigned b = 0; b < s->apps[a].upstream.n; b++)
			look_at_server(w, s->apps[a].upstream.backends[b].server);
}

/* ---- lists ---- */

static void look_at_list(struct webhook_watch *w, const struct list_status *l)
{
	bool trouble = l->trouble[0] != '\0';
	size_t i = 0;

	while (i < w->nlists && strcmp(w->lists[i].name, l->name) != 0)
		i++;
	if (i == LISTS)
		return;
	if (i == w->nlists) {
		memcpy(w->lists[i].name, l->name, sizeof l->name);
		w->lists[w->nlists++].trouble = false;
	}
	if (w->lists[i].trouble != trouble)
		note(w, NOTIFY_CTI, bytes_of(l->name), trouble ? "list not had" : "list had again", bytes_of(l->trouble));
	w->lists[i].trouble = trouble;
}

static void look_at_lists(struct webhook_watch *w)
{
	struct list_status lists[LISTS];
	size_t n = w->gate->reputation.lists ? lists_status(w->gate->reputation.lists, lists, LISTS) : 0;

	for (size_t i = 0; i < n; i++)
		look_at_list(w, &lists[i]);
}

/* ---- certificates: once a day ---- */

static void look_at_certs(struct webhook_watch *w, uint64_t now_s)
{
	struct arena *a = arena_new(1 << 20);
	size_t n = hooks_certs(a, w->gate, NULL);
	struct admin_cert *certs = a ? arena_get(a, (n + 1) * sizeof *certs) : NULL;

	if (certs)
		hooks_certs(a, w->gate, certs);
	for (size_t i = 0; certs && i < n; i++) {
		char room[64];
		struct text t = text_over(room, sizeof room - 1);

		if (certs[i].expires_s > now_s + CERT_DAYS * DAY_S)
			continue;
		text_str(&t, "ends ");
		clock_rfc3339(&t, certs[i].expires_s * 1000);
		room[t.len] = '\0';
		note(w, NOTIFY_CERT, certs[i].hosts, room, certs[i].issuer);
	}
	arena_free(a);
}

/* ---- */

void webhook_watch_tick(struct webhook_watch *w)
{
	uint64_t now_s = clock_wall_ms() / 1000;

	if (!w->gate->site->config->nnotify)
		return;
	look_at_servers(w);
	look_at_lists(w);
	if (w->cert_day == now_s / DAY_S + 1)
		return;
	w->cert_day = now_s / DAY_S + 1;
	look_at_certs(w, now_s);
}

struct webhook_watch *webhook_watch_new(struct gate *g)
{
	struct webhook_watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->gate = g;
	if (!decisions_watch(g->shared.decisions, &(struct decisions_watch){ on_held, on_lifted, w })) {
		free(w);
		return NULL;
	}
	return w;
}

void webhook_watch_free(struct webhook_watch *w)
{
	if (!w)
		return;
	decisions_unwatch(w->gate->shared.decisions, w);
	free(w);
}
