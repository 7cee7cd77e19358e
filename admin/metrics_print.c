/* metrics_print.c -- what is exported: a table of families, with one function
 * each for its samples. */
#include "admin/metrics_sample.h"

/* --- what is in use -------------------------------------------------------- */

#define EACH_SERVER(s, a, v) \
	EACH_APP(s, a) \
		for (const struct server_metrics *v = a->servers; v; v = v->next) \
			if (v->used >= (s)->m->generation)

#define EACH_LISTENER(s, l) \
	for (const struct listener_metrics *l = (s)->m->listeners; l; l = l->next) \
		if (l->used >= (s)->m->generation)

static void app_label(struct scrape *s, const void *owner)
{
	sample_label(s, "app", ((const struct app_metrics *)owner)->name);
}

struct server_of { const struct app_metrics *app; const struct server_metrics *server; };

static void server_labels(struct scrape *s, const void *owner)
{
	const struct server_of *of = owner;

	sample_label(s, "app", of->app->name);
	sample_label(s, "server", of->server->address);
}

static void no_label(struct scrape *s, const void *owner)
{
	(void)s;
	(void)owner;
}

/* --- the families ---------------------------------------------------------- */

static void print_build(struct scrape *s)
{
	sample_open(s, "");
	sample_label(s, "version", BYTES(EMBERGATE_VERSION));
	sample_label(s, "crs", s->now->crs);
	if (s->now->openssl)
		sample_label(s, "openssl", bytes_of(s->now->openssl));
	sample_close(s, 1);
}

static void print_reload_time(struct scrape *s)
{
	sample_open(s, "");
	sample_value(s);
	sample_seconds(s->t, s->m->reloaded_ms * 1000);
	text_byte(s->t, '\n');
}

static void print_reload_ok(struct scrape *s)
{
	sample_open(s, "");
	sample_close(s, s->m->reload_ok);
}

static void print_config_hash(struct scrape *s)
{
	char hash[17];
	struct text t = text_over(hash, sizeof hash);

	text_hex(&t, s->m->config_hash);
	sample_open(s, "");
	sample_label(s, "hash", text_bytes(&t));
	sample_close(s, 1);
}

static void print_connections_in(struct scrape *s, const struct listener_metrics *l, const char *state, uint64_t n)
{
	sample_open(s, "");
	sample_label(s, "listener", l->bind);
	sample_label(s, "state", bytes_of(state));
	sample_close(s, n);
}

static void print_connections(struct scrape *s)
{
	EACH_LISTENER(s, l) {
		/* Closed first: a connection that closes in between is still open. */
		uint64_t closed = SUM(s, l, listener_cells, closed), shake = SUM(s, l, listener_cells, rests[CONNECTION_SHAKES]);
		uint64_t idle = SUM(s, l, listener_cells, rests[CONNECTION_IDLES]), all = SUM(s, l, listener_cells, opened) - closed;

		print_connections_in(s, l, "handshake", shake);
		print_connections_in(s, l, "idle", idle);
		print_connections_in(s, l, "open", all > shake + idle ? all - shake - idle : 0); /* they change meanwhile */
	}
}

static void print_connections_total(struct scrape *s)
{
	EACH_LISTENER(s, l) {
		sample_open(s, "");
		sample_label(s, "listener", l->bind);
		sample_close(s, SUM(s, l, listener_cells, opened));
	}
}

static void print_connections_refused(struct scrape *s)
{
	static const char *const words[REFUSAL_COUNT] = {
		[REFUSAL_LIMIT] = "limit",     [REFUSAL_ADDRESS] = "address",
		[REFUSAL_PREFACE] = "preface", [REFUSAL_STARVED] = "starved",
	};

	EACH_LISTENER(s, l) {
		for (int why = 0; why < REFUSAL_COUNT; why++) {
			sample_open(s, "");
			sample_label(s, "listener", l->bind);
			sample_label(s, "reason", bytes_of(words[why]));
			sample_close(s, SUM(s, l, listener_cells, refused[why]));
		}
	}
}

static void put_handshakes(struct scrape *s, const char *version, const char *result, uint64_t n)
{
	sample_open(s, "");
	sample_label(s, "version", bytes_of(version));
	sample_label(s, "result", bytes_of(result));
	sample_close(s, n);
}

static void print_handshakes(struct scrape *s)
{
	for (unsigned i = 0; i < VERSIONS; i++)
		put_handshakes(s, metrics_versions[i], "done", SUM(s, s->m, worker_cells, handshakes[i]));
	put_handshakes(s, "none", "failed", SUM(s, s->m, worker_cells, failed));
}

/* A host on two listeners has two certificates at times: the one that ends first counts. */
static bool is_first_of_host(const struct metrics_now *now, size_t i)
{
	for (size_t j = 0; j < now->ncerts; j++)
		if (j != i && bytes_eq(now->certs[j].host, now->certs[i].host) &&
		    (now->certs[j].expires_s < now->certs[i].expires_s || (now->certs[j].expires_s == now->certs[i].expires_s && j < i)))
			return false;
	return true;
}

static void print_certs(struct scrape *s)
{
	for (size_t i = 0; i < s->now->ncerts; i++) {
		if (!is_first_of_host(s->now, i))
			continue;
		sample_open(s, "");
		sample_label(s, "host", s->now->certs[i].host);
		sample_close(s, s->now->certs[i].expires_s);
	}
}

static void print_requests(struct scrape *s)
{
	EACH_APP(s, a)
		for (unsigned m = 0; m < METHODS; m++)
			for (unsigned c = 0; c < CLASSES; c++) {
				uint64_t n = SUM(s, a, app_cells, requests[m][c]);

				if (n == 0) /* most of the 54 never happen */
					continue;
				sample_open(s, "");
				app_label(s, a);
				sample_label(s, "method", bytes_of(metrics_methods[m]));
				sample_label(s, "code_class", bytes_of(metrics_classes[c]));
				sample_close(s, n);
			}
}

static void print_durations(struct scrape *s)
{
	EACH_APP(s, a) {
		struct spread h = { (void *const *)a->workers, offsetof(struct app_cells, duration), &buckets_request };

		sample_histogram(s, &h, app_label, a);
	}
}

static void request_labels(struct scrape *s, const void *owner)
{
	app_label(s, owner);
	sample_label(s, "phase", BYTES("request"));
}

static void response_labels(struct scrape *s, const void *owner)
{
	app_label(s, owner);
	sample_label(s, "phase", BYTES("response"));
}

static void print_inspections(struct scrape *s)
{
	EACH_APP(s, a) {
		struct spread h = { (void *const *)a->workers, offsetof(struct app_cells, inspection), &buckets_inspection };
		struct spread of_answers = { h.workers, offsetof(struct app_cells, answer_inspection), &buckets_inspection };

		sample_histogram(s, &h, request_labels, a);
		if (sample_count(s, &of_answers)) /* most apps have no rules that look into answers */
			sample_histogram(s, &of_answers, response_labels, a);
	}
}

static void print_scores(struct scrape *s)
{
	EACH_APP(s, a) {
		struct spread h = { (void *const *)a->workers, offsetof(struct app_cells, score), &buckets_score };

		sample_histogram(s, &h, app_label, a);
	}
}

static void put_of_app(struct scrape *s, const struct app_metrics *a, uint64_t n)
{
	sample_open(s, "");
	app_label(s, a);
	sample_close(s, n);
}

static void print_request_bytes(struct scrape *s)
{
	EACH_APP(s, a)
		put_of_app(s, a, SUM(s, a, app_cells, request_bytes));
}

static void print_response_bytes(struct scrape *s)
{
	EACH_APP(s, a)
		put_of_app(s, a, SUM(s, a, app_cells, response_bytes));
}

static void print_truncated(struct scrape *s)
{
	EACH_APP(s, a)
		put_of_app(s, a, SUM(s, a, app_cells, body[BODY_TROUBLE_TRUNCATED]));
}

static void print_too_long(struct scrape *s)
{
	EACH_APP(s, a)
		put_of_app(s, a, SUM(s, a, app_cells, body[BODY_TROUBLE_TOO_LONG]));
}

static void print_attack(struct scrape *s)
{
	EACH_APP(s, a)
		if (a->name.len)
			put_of_app(s, a, atomic_load((atomic_bool *)(uintptr_t)&a->attack));
}

static void print_decisions(struct scrape *s)
{
	EACH_APP(s, a)
		for (int r = 0; r < REMEDY_COUNT; r++)
			for (int o = 0; o < SOURCE_COUNT; o++) {
				uint64_t n = SUM(s, a, app_cells, decisions[r][o]);

				if (n == 0)
					continue;
				sample_open(s, "");
				app_label(s, a);
				sample_label(s, "action", bytes_of(remedy_word((enum remedy_kind)r)));
				sample_label(s, "source", bytes_of(source_word((enum source)o)));
				sample_close(s, n);
			}
}

static void put_rule(struct scrape *s, const struct app_metrics *a, const struct rule_count *r)
{
	const struct { const char *mode; uint64_t n; } modes[] = {
		{ "block", cell_read(&r->blocked) }, { "detect", cell_read(&r->detected) },
	};

	for (size_t i = 0; i < nelems(modes); i++) {
		if (modes[i].n == 0)
			continue;
		sample_open(s, "");
		app_label(s, a);
		sample_label(s, "rule", r->id);
		sample_label(s, "mode", bytes_of(modes[i].mode));
		sample_close(s, modes[i].n);
	}
}

static void print_rules(struct scrape *s)
{
	EACH_APP(s, a) {
		pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&a->rules.lock;

		pthread_mutex_lock(lock);
		for (size_t i = 0; i < RULE_SLOTS; i++)
			if (a->rules.slots[i])
				put_rule(s, a, a->rules.slots[i]);
		put_rule(s, a, &a->rules.other);
		pthread_mutex_unlock(lock);
	}
}

static void print_upstream_up(struct scrape *s)
{
	EACH_SERVER(s, a, v) {
		sample_open(s, "");
		server_labels(s, &(struct server_of){ a, v });
		sample_close(s, atomic_load((atomic_bool *)(uintptr_t)&v->up));
	}
}

static void print_upstream_requests(struct scrape *s)
{
	EACH_SERVER(s, a, v)
		for (unsigned c = 0; c < CLASSES; c++) {
			uint64_t n = SUM(s, v, server_cells, answers[c]);

			if (n == 0)
				continue;
			sample_open(s, "");
			server_labels(s, &(struct server_of){ a, v });
			sample_label(s, "code_class", bytes_of(metrics_classes[c]));
			sample_close(s, n);
		}
}

static void print_upstream_durations(struct scrape *s)
{
	EACH_SERVER(s, a, v) {
		struct spread h = { (void *const *)v->workers, offsetof(struct server_cells, duration), &buckets_request };

		sample_histogram(s, &h, server_labels, &(struct server_of){ a, v });
	}
}

static void print_upstream_connections(struct scrape *s)
{
	EACH_SERVER(s, a, v) {
		uint64_t closed = SUM(s, v, server_cells, closed);

		sample_open(s, "");
		server_labels(s, &(struct server_of){ a, v });
		sample_label(s, "state", BYTES("open"));
		sample_close(s, SUM(s, v, server_cells, opened) - closed);
	}
}

static void print_drops(struct scrape *s)
{
	for (size_t i = 0; i < s->now->ndrops; i++) {
		sample_open(s, "");
		sample_label(s, "sink", bytes_of(s->now->drops[i].sink));
		sample_close(s, s->now->drops[i].count);
	}
}

static void print_log_lines(struct scrape *s)
{
	for (size_t i = 0; i < s->now->nlines; i++) {
		sample_open(s, "");
		sample_label(s, "outcome", bytes_of(s->now->lines[i].outcome));
		sample_close(s, s->now->lines[i].count);
	}
}

static void print_lag(struct scrape *s)
{
	struct spread h = { (void *const *)s->m->workers, offsetof(struct worker_cells, lag), &buckets_lag };

	sample_histogram(s, &h, no_label, NULL);
}

static void print_databases_failed(struct scrape *s)
{
	sample_open(s, "");
	sample_close(s, s->now->databases_failed);
}

#define COUNTER "counter"
#define GAUGE "gauge"
#define HISTOGRAM "histogram"
#define SUMMARY "summary"

static const struct family {
	const char *name, *type, *help;
	void (*print)(struct scrape *);
} families[] = {
	{ "build_info", GAUGE, "What runs; always 1.", print_build },
	{ "config_last_reload_success_timestamp_seconds", GAUGE, "When the configuration in use came into use.", print_reload_time },
	{ "config_last_reload_successful", GAUGE, "1 when the last reload was taken, 0 when it was refused.", print_reload_ok },
	{ "config_hash_info", GAUGE, "Hash of the configuration in use; always 1.", print_config_hash },
	{ "connections", GAUGE, "Client connections, by what they do.", print_connections },
	{ "connections_total", COUNTER, "Client connections taken.", print_connections_total },
	{ "connections_refused_total", COUNTER, "Of them, sent away by us without a request being answered.", print_connections_refused },
	{ "tls_handshakes_total", COUNTER, "TLS handshakes with clients.", print_handshakes },
	{ "tls_cert_expiry_timestamp_seconds", GAUGE, "When a certificate ends.", print_certs },
	{ "requests_total", COUNTER, "Requests by what the client was answered; none: nothing.", print_requests },
	{ "request_duration_seconds", HISTOGRAM, "From the request's head to the last byte of the answer.", print_durations },
	{ "request_bytes_total", COUNTER, "Bytes of request bodies.", print_request_bytes },
	{ "response_bytes_total", COUNTER, "Bytes of response bodies.", print_response_bytes },
	{ "inspection_duration_seconds", HISTOGRAM, "Time spent inspecting: the latency that is added, before a request goes on and before its answer does.", print_inspections },
	{ "decisions_total", COUNTER, "What was done about requests that something was held against, and who decided.", print_decisions },
	{ "challenges_issued_total", COUNTER, "Challenges that were shown.", metrics_print_issued },
	{ "challenges_solved_total", COUNTER, "Of them, those that were solved: a pass was given.", metrics_print_solved },
	{ "challenges_failed_total", COUNTER, "What was sent as a solution and gave no pass, and passes that were revoked (shared).", metrics_print_failed },
	{ "bot_requests_total", COUNTER, "Requests that say they are a bot's; verified: their address agrees, impostor: it does not.", metrics_print_bots },
	{ "challenge_solve_seconds", HISTOGRAM, "From a challenge's page to its pass, to the second.", metrics_print_solve_seconds },
	{ "captcha_verify_total", COUNTER, "What came of asking a captcha's provider; alert on secret_refused.", metrics_print_captchas },
	{ "captcha_verify_duration_seconds", HISTOGRAM, "How long a captcha's provider took.", metrics_print_captcha_duration },
	{ "attack_mode", GAUGE, "1 while everyone is challenged, by hand or because the servers are overloaded.", print_attack },
	{ "rule_matches_total", COUNTER, "Matches of a rule; detect: the request went on.", print_rules },
	{ "anomaly_score", HISTOGRAM, "Sum of the scores of the rules that matched, of requests with a match.", print_scores },
	{ "scenario_events_total", COUNTER, "Events that a scenario counted; from zero again after a reload.", metrics_print_poured },
	{ "scenario_overflows_total", COUNTER, "Counts that overflowed: behaviour that a scenario describes.", metrics_print_overflows },
	{ "scenario_failures_total", COUNTER, "Filters of a scenario that ended in an error.", metrics_print_scenario_failures },
	{ "buckets", GAUGE, "Counts of scenarios that are going on.", metrics_print_buckets },
	{ "bucket_bytes", GAUGE, "Memory that they take.", metrics_print_bucket_bytes },
	{ "bucket_ends_total", COUNTER, "Counts that ended without an overflow: idle for their life, or pushed out by newer ones.", metrics_print_bucket_ends },
	{ "active_decisions", GAUGE, "What is held against someone; one that is over is counted for two more minutes at most.", metrics_print_active },
	{ "decisions_made_total", COUNTER, "Decisions of scenarios and by hand; one that prolongs another too.", metrics_print_made },
	{ "decisions_not_held_total", COUNTER, "Decisions against who is never held, and where the table was full.", metrics_print_not_held },
	{ "redis_up", GAUGE, "1 while Redis answers; without a Redis nothing.", metrics_print_redis_up },
	{ "redis_duration_seconds", SUMMARY, "Round trips to Redis: their number and their time.", metrics_print_redis_duration },
	{ "redis_errors_total", COUNTER, "Questions to Redis that failed or were answered with an error.", metrics_print_redis_errors },
	{ "cluster_nodes", GAUGE, "Gates of the last hour, this one too: up, or silent for 15 s.", metrics_print_nodes },
	{ "cluster_records_total", COUNTER, "Records of decisions and counts between gates; forged: without a valid signature.", metrics_print_shared },
	{ "cluster_outbox", GAUGE, "Records that wait for Redis.", metrics_print_outbox },
	{ "cti_entries", GAUGE, "Addresses and blocks of a list.", metrics_print_list_entries },
	{ "cti_last_update_timestamp_seconds", GAUGE, "When a list was last confirmed by its source.", metrics_print_list_confirmed },
	{ "lapi_total", COUNTER, "What CrowdSec's programs asked of the local API.", metrics_print_lapi },
	{ "crowdsec_total", COUNTER, "What was asked of another CrowdSec.", metrics_print_crowdsec },
	{ "body_truncated_total", COUNTER, "Bodies of which only the window was inspected.", print_truncated },
	{ "body_too_long_total", COUNTER, "Structured bodies refused because they were longer than the window.", print_too_long },
	{ "upstream_up", GAUGE, "1 while a server is asked, 0 while it is left out.", print_upstream_up },
	{ "upstream_requests_total", COUNTER, "Requests to a server by its answer; none: it gave none.", print_upstream_requests },
	{ "upstream_duration_seconds", HISTOGRAM, "From the request to the head of a server's answer.", print_upstream_durations },
	{ "upstream_connections", GAUGE, "Connections to a server that are open.", print_upstream_connections },
	{ "events_dropped_total", COUNTER, "Log lines and events that a sink did not take in time.", print_drops },
	{ "log_lines_total", COUNTER, "Lines of other servers' logs: event, other (none), broken (of another type), cut, dropped.", print_log_lines },
	{ "rules_databases_failed_total", COUNTER, "Databases of rules' words that Hyperscan did not compile.", print_databases_failed },
	{ "loop_lag_seconds", HISTOGRAM, "How long a turn of a worker's loop kept the next one waiting.", print_lag },
};

static void print_family(struct scrape *s, const struct family *f)
{
	char name[96];
	struct text full = text_over(name, sizeof name - 1);

	text_str(&full, "embergate_");
	text_str(&full, f->name);
	name[full.len] = '\0';
	s->family = name;
	text_printf(s->t, "# HELP %s %s\n# TYPE %s %s\n", name, f->help, name, f->type);
	f->print(s);
}

void metrics_print(struct metrics *m, const struct metrics_now *now, struct text *t)
{
	struct scrape s = { .t = t, .m = m, .now = now };

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < nelems(families); i++)
		print_family(&s, &families[i]);
	pthread_mutex_unlock(&m->lock);
	metrics_print_process(t);
}

void metrics_totals(struct metrics *m, uint64_t *connections, uint64_t *requests)
{
	struct scrape s = { .m = m };

	*connections = *requests = 0;
	pthread_mutex_lock(&m->lock);
	for (const struct listener_metrics *l = m->listeners; l; l = l->next) {
		uint64_t closed = SUM(&s, l, listener_cells, closed);

		*connections += SUM(&s, l, listener_cells, opened) - closed;
	}
	for (const struct app_metrics *a = m->apps; a; a = a->next)
		for (unsigned i = 0; i < METHODS * CLASSES; i++)
			*requests += SUM(&s, a, app_cells, requests[i / CLASSES][i % CLASSES]);
	pthread_mutex_unlock(&m->lock);
}
