/* hooks_metrics.c -- /metrics: what the parts of the gate know at the time of a scrape. */
#include "proxy/gate.h"
#include "base/matcher_soon.h"

enum { SCENARIO_BYTES = 4 << 20 /* of counts of scenarios */, LISTS_SHOWN = 64, NODES_SHOWN = 256 };

/* In an arena: as many as there are. */
static void count_scenarios(struct arena *a, const struct scenarios *set, struct metrics_now *now)
{
	size_t n = scenarios_count(set);
	struct metrics_scenario *at = arena_get(a, (n + 1) * sizeof *at);

	for (size_t i = 0; at && i < n; i++) {
		struct scenario_counts c;

		scenarios_counts(set, i, &c);
		at[i] = (struct metrics_scenario){ scenarios_info(set, i)->name, c.poured, c.overflowed, c.failed };
	}
	now->scenarios = at;
	now->nscenarios = at ? n : 0;
}

/* What the numbers of reputation are printed from. */
struct reputation_counts {
	struct share_counts share;
	struct redis_counts redis;
	struct lapi_counts lapi;
	struct lapi_client_counts crowdsec;
	struct list_status lists[LISTS_SHOWN];
	struct share_node nodes[NODES_SHOWN];
};

static void count_reputation(const struct reputation *r, struct reputation_counts *c, struct metrics_now *now)
{
	if (r->share) {
		share_count(r->share, &c->share);
		share_redis(r->share, &c->redis);
		now->redis = &c->redis;
		now->share = &c->share;
		now->nodes = share_nodes_up(r->share);
		now->silent = share_nodes(r->share, c->nodes, NODES_SHOWN) - now->nodes;
	}
	if (r->lapi) {
		lapi_count(r->lapi, &c->lapi);
		now->lapi = &c->lapi;
	}
	if (r->crowdsec) {
		lapi_client_count(r->crowdsec, &c->crowdsec);
		now->crowdsec = &c->crowdsec;
	}
	now->lists = c->lists;
	now->nlists = lists_status(r->lists, c->lists, LISTS_SHOWN);
}

/* `a` NULL: out of memory; what it takes is left out. */
static void print_metrics(struct gate *g, struct arena *a, struct metrics_now *now, struct text *out)
{
	struct decisions_stats decisions;
	struct metrics_buckets buckets;
	struct buckets_stats b;
	struct reputation_counts *reputation = a ? arena_get(a, sizeof *reputation) : NULL;

	if (reputation)
		count_reputation(&g->reputation, reputation, now);
	buckets_count(g->shared.buckets, &b);
	decisions_count(g->shared.decisions, &decisions);
	buckets = (struct metrics_buckets){ b.live, b.bytes, b.evicted, b.died };
	now->buckets = &buckets;
	now->decisions = &decisions;
	if (a)
		count_scenarios(a, g->site->scenarios, now);
	metrics_print(g->process.metrics, now, out);
}

static size_t add_ledger(const struct gate *g, struct metrics_drops *to)
{
	struct ledger_counts c;

	if (!g->ledger)
		return 0;
	ledger_count(g->ledger, &c);
	*to = (struct metrics_drops){ "decisions", c.dropped };
	return 1;
}

static size_t add_archive(const struct gate *g, struct metrics_drops *to)
{
	struct archive_counts c;

	if (!g->archive)
		return 0;
	archive_count(g->archive, &c);
	*to = (struct metrics_drops){ "store", c.dropped };
	return 1;
}

enum { CERT_HOSTS_SHOWN = 256 };

/* A sample a name: alerts are about names. The texts are the arena's. */
static size_t count_certs(struct arena *a, const struct gate *g, struct metrics_cert *out)
{
	size_t ncerts = hooks_certs(a, g, NULL), n = 0;
	struct admin_cert *certs = arena_get(a, (ncerts + 1) * sizeof *certs);

	if (certs)
		hooks_certs(a, g, certs);
	for (size_t i = 0; certs && i < ncerts; i++) {
		struct bytes rest = certs[i].hosts, host;

		while (n < CERT_HOSTS_SHOWN && bytes_cut(&rest, ' ', &host))
			out[n++] = (struct metrics_cert){ host, certs[i].expires_s };
	}
	return n;
}

/* Apps may have several. */
static void put_crs(struct text *t, const struct site *s)
{
	for (size_t i = 0; i < s->napps; i++) {
		struct bytes of = s->apps[i].rules ? ruleset_crs(s->apps[i].rules) : (struct bytes){ 0 }, have = text_bytes(t), one;
		bool new = of.len > 0;

		while (new && bytes_cut(&have, ',', &one))
			new = !bytes_eq(one, of);
		if (!new)
			continue;
		text_str(t, t->len ? "," : "");
		text_put(t, of);
	}
}

void hooks_metrics(void *ctx, struct text *out)
{
	struct gate *g = ctx;
	const struct site *s = g->site;
	char versions[64];
	struct text crs = text_over(versions, sizeof versions);
	struct metrics_drops drops[8] = {
		{ "events", events_dropped(g->shared.events) }, { "stream", admin_untold(g->admin) },
	};
	struct metrics_cert certs[CERT_HOSTS_SHOWN];
	struct arena *a = arena_new(SCENARIO_BYTES);
	const struct agent_counts *c = &g->log_counts;
	struct metrics_lines lines[] = {
		{ "event", atomic_load(&c->events) }, { "other", atomic_load(&c->others) }, { "broken", atomic_load(&c->broken) },
		{ "cut", atomic_load(&c->cut) }, { "dropped", atomic_load(&c->dropped) },
	};
	struct metrics_now now = { .drops = drops, .ndrops = 2, .certs = certs, .lines = lines, .nlines = s->config->nlogs ? nelems(lines) : 0,
				   .openssl = tls_library(), .databases_failed = matcher_soon_refused() };

	put_crs(&crs, s);
	now.crs = text_bytes(&crs);
	if (s->access)
		drops[now.ndrops++] = (struct metrics_drops){ "access", log_dropped(s->access) };
	if (s->security)
		drops[now.ndrops++] = (struct metrics_drops){ "security", log_dropped(s->security) };
	if (s->syslog)
		drops[now.ndrops++] = (struct metrics_drops){ "syslog", log_dropped(s->syslog) };
	if (s->config->nnotify)
		drops[now.ndrops++] = (struct metrics_drops){ "notify", webhooks_dropped(g->shared.webhooks) };
	now.ndrops += add_ledger(g, &drops[now.ndrops]);
	now.ndrops += add_archive(g, &drops[now.ndrops]);
	now.ncerts = a ? count_certs(a, g, certs) : 0;
	for (unsigned i = 0; i < g->nworkers; i++)
		worker_probe(g->workers[i]);
	print_metrics(g, a, &now, out);
	arena_free(a);
}
