/* metrics.c -- the objects that are counted by, and the counting. */
#include "admin/metrics_cells.h"
#include "base/hash.h"
#include <stdlib.h>

const char *const metrics_methods[METHODS] = {
	"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "other",
};
const char *const metrics_classes[CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
const char *const metrics_versions[VERSIONS] = { "TLSv1.2", "TLSv1.3", "other" };

const struct buckets buckets_request = { 15, {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
	10000000, 30000000,
}, false };
const struct buckets buckets_inspection = { 12, {
	10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000,
}, false };
const struct buckets buckets_lag = { 9, {
	1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000,
}, false };
/* A critical finding is 5, and 5 is where a request is stopped unless told otherwise. */
const struct buckets buckets_score = { 10, { 0, 2, 4, 5, 8, 10, 15, 20, 40, 80 }, true };

/* --- birth --------------------------------------------------------------- */

enum { LINE = 64 };

static void *zeroed_lines(size_t n)
{
	size_t whole = (n + LINE - 1) / LINE * LINE;
	void *at = aligned_alloc(LINE, whole);

	return at ? memset(at, 0, whole) : NULL;
}

static void free_all(void **cells, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(cells[i]);
}

/* A block of cells for every worker. */
static bool cells_new(void **cells, unsigned n, size_t each)
{
	for (unsigned i = 0; i < n; i++)
		if (!(cells[i] = zeroed_lines(each))) {
			free_all(cells, i);
			return false;
		}
	return true;
}

/* A zeroed struct of `size` with a pointer a worker behind it, and the name in
 * memory of its own. */
static void *named_new(const struct metrics *m, size_t size, size_t each, struct bytes name, struct bytes *copy)
{
	char *at = malloc(name.len + 1);
	char *named = calloc(1, size + m->nworkers * sizeof(void *));

	if (!at || !named || !cells_new((void **)(void *)(named + size), m->nworkers, each)) {
		free(at);
		free(named);
		return NULL;
	}
	if (name.len)
		memcpy(at, name.at, name.len);
	*copy = (struct bytes){ at, name.len };
	return named;
}

struct metrics *metrics_new(unsigned workers)
{
	struct metrics *m = calloc(1, sizeof *m + workers * sizeof m->workers[0]);

	if (!m)
		return NULL;
	m->nworkers = workers;
	if (!cells_new((void **)m->workers, workers, sizeof *m->workers[0])) {
		free(m);
		return NULL;
	}
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

static struct app_metrics *app_new(struct metrics *m, struct bytes name)
{
	struct bytes copy;
	struct app_metrics *a = named_new(m, sizeof *a, sizeof(struct app_cells), name, &copy);

	if (!a)
		return NULL;
	a->all = m;
	a->name = copy;
	a->next = m->apps;
	a->rules.other.id = BYTES("other");
	pthread_mutex_init(&a->rules.lock, NULL);
	return m->apps = a;
}

struct app_metrics *metrics_app(struct metrics *m, struct bytes name)
{
	struct app_metrics *a;

	pthread_mutex_lock(&m->lock);
	for (a = m->apps; a && !bytes_eq(a->name, name); a = a->next)
		;
	if (!a)
		a = app_new(m, name);
	if (a)
		a->used = m->generation + 1;
	pthread_mutex_unlock(&m->lock);
	return a;
}

static struct server_metrics *server_new(struct app_metrics *a, struct bytes address)
{
	struct bytes copy;
	struct server_metrics *s = named_new(a->all, sizeof *s, sizeof(struct server_cells), address, &copy);

	if (!s)
		return NULL;
	s->address = copy;
	s->next = a->servers;
	atomic_init(&s->up, true);
	return a->servers = s;
}

struct server_metrics *metrics_server(struct app_metrics *a, struct bytes address)
{
	struct server_metrics *s;

	pthread_mutex_lock(&a->all->lock);
	for (s = a->servers; s && !bytes_eq(s->address, address); s = s->next)
		;
	if (!s)
		s = server_new(a, address);
	if (s)
		s->used = a->all->generation + 1;
	pthread_mutex_unlock(&a->all->lock);
	return s;
}

static struct listener_metrics *listener_new(struct metrics *m, struct bytes bind)
{
	struct bytes copy;
	struct listener_metrics *l = named_new(m, sizeof *l, sizeof(struct listener_cells), bind, &copy);

	if (!l)
		return NULL;
	l->bind = copy;
	l->next = m->listeners;
	return m->listeners = l;
}

struct listener_metrics *metrics_listener(struct metrics *m, struct bytes bind)
{
	struct listener_metrics *l;

	pthread_mutex_lock(&m->lock);
	for (l = m->listeners; l && !bytes_eq(l->bind, bind); l = l->next)
		;
	if (!l)
		l = listener_new(m, bind);
	if (l)
		l->used = m->generation + 1;
	pthread_mutex_unlock(&m->lock);
	return l;
}

void metrics_reloaded(struct metrics *m, bool ok, uint64_t wall_ms, uint64_t config_hash)
{
	pthread_mutex_lock(&m->lock);
	m->reload_ok = ok;
	if (ok) {
		m->generation++;
		m->reloaded_ms = wall_ms;
		m->config_hash = config_hash;
	}
	pthread_mutex_unlock(&m->lock);
}

/* --- counting ------------------------------------------------------------ */

static unsigned method_index(struct bytes method)
{
	unsigned i = 0;

	while (i < METHODS - 1 && !bytes_eq(method, bytes_of(metrics_methods[i])))
		i++;
	return i;
}

static unsigned class_index(unsigned status)
{
	return status / 100 < CLASSES ? status / 100 : 0;
}

static struct rule_count *rule_new(struct bytes id)
{
	struct rule_count *r = calloc(1, sizeof *r + id.len);

	if (!r)
		return NULL;
	memcpy(r + 1, id.at, id.len);
	r->id = (struct bytes){ (char *)(r + 1), id.len };
	return r;
}

/* Where it is, or would be. The table is never more than half full, so the search ends. */
static size_t rule_slot(const struct rule_counts *rules, struct bytes id)
{
	size_t i = hash_bytes(id) % RULE_SLOTS;

	while (rules->slots[i] && !bytes_eq(rules->slots[i]->id, id))
		i = (i + 1) % RULE_SLOTS;
	return i;
}

static struct rule_count *rule_find(struct rule_counts *rules, struct bytes id)
{
	size_t i = rule_slot(rules, id);

	if (rules->slots[i])
		return rules->slots[i];
	if (rules->n == RULES_MAX || !(rules->slots[i] = rule_new(id)))
		return &rules->other;
	rules->n++;
	return rules->slots[i];
}

static void count_rules(struct rule_counts *rules, const struct event *e)
{
	bool blocked = e->action >= REMEDY_THROTTLE;

	pthread_mutex_lock(&rules->lock);
	for (size_t i = 0; i < e->nhits; i++) {
		struct rule_count *r = rule_find(rules, bytes_of(e->hits[i].rule->id));

		cell_add(blocked ? &r->blocked : &r->detected, 1);
	}
	pthread_mutex_unlock(&rules->lock);
}

void metrics_rule(struct app_metrics *a, struct bytes rule, struct metrics_rule_matches *out)
{
	const struct rule_count *r;

	*out = (struct metrics_rule_matches){ 0 };
	pthread_mutex_lock(&a->rules.lock);
	r = a->rules.slots[rule_slot(&a->rules, rule)];
	if (r)
		*out = (struct metrics_rule_matches){ cell_read(&r->detected), cell_read(&r->blocked) };
	pthread_mutex_unlock(&a->rules.lock);
}

static uint64_t score_of(const struct event *e)
{
	int score = 0;

	for (size_t i = 0; i < e->nhits; i++)
		score += e->hits[i].score;
	return score > 0 ? (uint64_t)score : 0;
}

void metrics_exchange(struct app_metrics *a, unsigned w, const struct event *e)
{
	struct app_cells *c = a->workers[w];
	unsigned method = e->request ? method_index(e->request->method) : METHODS - 1;

	cell_add(&c->requests[method][class_index(e->status)], 1);
	cell_add(&c->request_bytes, e->request_bytes);
	cell_add(&c->response_bytes, e->response_bytes);
	histogram_add(&c->duration, &buckets_request, e->duration_us);
	histogram_add(&c->inspection, &buckets_inspection, e->inspection_us - e->answer_inspection_us);
	if (e->answer_inspection_us)
		histogram_add(&c->answer_inspection, &buckets_inspection, e->answer_inspection_us);
	if (e->bot.len)
		cell_add(&c->bots[e->bot_category][e->bot_proven ? BOT_COUNT_PROVEN : e->bot_false ? BOT_COUNT_IMPOSTOR : BOT_COUNT_UNPROVEN], 1);
	if (event_is_alert(e))
		cell_add(&c->decisions[e->action][e->source], 1);
	if (e->nhits) {
		count_rules(&a->rules, e);
		histogram_add(&c->score, &buckets_score, score_of(e));
	}
}

void metrics_body(struct app_metrics *a, unsigned w, enum body_trouble what)
{
	cell_add(&a->workers[w]->body[what], 1);
}

void metrics_attack(struct app_metrics *a, bool on)
{
	atomic_store(&a->attack, on);
}

void metrics_connection(struct listener_metrics *l, unsigned w, int change)
{
	cell_add(change > 0 ? &l->workers[w]->opened : &l->workers[w]->closed, 1);
}

void metrics_connection_rests(struct listener_metrics *l, unsigned w, enum connection_rest rest, int change)
{
	cell_add(&l->workers[w]->rests[rest], (uint64_t)change);
}

void metrics_refused(struct listener_metrics *l, unsigned w, enum refusal why)
{
	cell_add(&l->workers[w]->refused[why], 1);
}

void metrics_handshake(struct metrics *m, unsigned w, const char *version)
{
	unsigned i = 0;

	if (!version) {
		cell_add(&m->workers[w]->failed, 1);
		return;
	}
	while (i < VERSIONS - 1 && strcmp(version, metrics_versions[i]) != 0)
		i++;
	cell_add(&m->workers[w]->handshakes[i], 1);
}

void metrics_loop_lag(struct metrics *m, unsigned w, uint64_t us)
{
	histogram_add(&m->workers[w]->lag, &buckets_lag, us);
}

void metrics_upstream(struct server_metrics *s, unsigned w, unsigned status, uint64_t us)
{
	cell_add(&s->workers[w]->answers[class_index(status)], 1);
	histogram_add(&s->workers[w]->duration, &buckets_request, us);
}

void metrics_upstream_connection(struct server_metrics *s, unsigned w, int change)
{
	cell_add(change > 0 ? &s->workers[w]->opened : &s->workers[w]->closed, 1);
}

void metrics_upstream_up(struct server_metrics *s, bool up)
{
	atomic_store(&s->up, up);
}

/* --- death --------------------------------------------------------------- */

static void rules_free(struct rule_counts *rules)
{
	for (size_t i = 0; i < RULE_SLOTS; i++)
		free(rules->slots[i]);
	pthread_mutex_destroy(&rules->lock);
}

static void app_free(struct app_metrics *a, unsigned nworkers)
{
	for (struct server_metrics *s = a->servers, *next; s; s = next) {
		next = s->next;
		free_all((void **)s->workers, nworkers);
		free((char *)(uintptr_t)s->address.at);
		free(s);
	}
	rules_free(&a->rules);
	free_all((void **)a->workers, nworkers);
	free((char *)(uintptr_t)a->name.at);
	free(a);
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (struct app_metrics *a = m->apps, *next; a; a = next) {
		next = a->next;
		app_free(a, m->nworkers);
	}
	for (struct listener_metrics *l = m->listeners, *next; l; l = next) {
		next = l->next;
		free_all((void **)l->workers, m->nworkers);
		free((char *)(uintptr_t)l->bind.at);
		free(l);
	}
	free_all((void **)m->workers, m->nworkers);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
