/* server.c -- servers, their health and the choice among them. */
#include "proxy/server.h"
#include "base/hash.h"
#include "base/log.h"
#include <netdb.h>

struct servers {
	struct server *first;
	unsigned n;
};

struct servers *servers_new(void)
{
	return calloc(1, sizeof(struct servers));
}

static void server_free(struct server *s)
{
	free(s->key);
	free(s->name);
	free(s->host);
	free(s);
}

void servers_free(struct servers *all)
{
	for (struct server *s = all ? all->first : NULL, *next; s; s = next) {
		next = s->next;
		server_free(s);
	}
	free(all);
}

struct addresses_found {
	union server_address at[SERVER_ADDRESSES];
	unsigned n;
};

static int address_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(union server_address));
}

/* In an order of their own: a name server's changes from one answer to the next. */
static bool resolve(const struct server_config *c, struct addresses_found *out, struct err *err)
{
	struct addrinfo ask = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found;
	char port[8];
	int r;

	snprintf(port, sizeof port, "%u", c->port);
	r = getaddrinfo(c->host, port, &ask, &found);
	if (r == EAI_NONAME || r == EAI_ADDRFAMILY) { /* AI_ADDRCONFIG hides loopback-only machines */
		ask.ai_flags = 0;
		r = getaddrinfo(c->host, port, &ask, &found);
	}
	if (r != 0)
		return err_set(err, SIDE_CONFIG, 0, "%s:%u:%u: upstream %.*s: cannot resolve '%s': %s",
			       c->where.file ? c->where.file : "--upstream", c->where.line,
			       c->where.column, BYTES_ARG(c->url), c->host, gai_strerror(r));
	memset(out, 0, sizeof *out);
	for (const struct addrinfo *i = found; i && out->n < SERVER_ADDRESSES; i = i->ai_next)
		if (i->ai_addrlen <= sizeof out->at[0])
			memcpy(&out->at[out->n++], i->ai_addr, i->ai_addrlen);
	freeaddrinfo(found);
	qsort(out->at, out->n, sizeof out->at[0], address_order);
	return true;
}

static struct server *server_new(const char *key, const char *name, const char *host,
				 const struct addresses_found *found)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->key = strdup(key);
	s->name = strdup(name);
	s->host = host ? strdup(host) : NULL;
	memcpy(s->address, found->at, sizeof s->address);
	s->naddress = found->n;
	if (s->key && s->name && (!host || s->host))
		return s;
	server_free(s);
	return NULL;
}

/* Found by everything that makes a kept connection to it usable or not; while its
 * name cannot be resolved, where it was last. */
static struct server *server_get(struct servers *all, const struct app_config *app,
				 const struct server_config *c, struct app_metrics *metrics, struct err *err)
{
	struct addresses_found found;
	bool resolved = resolve(c, &found, err);
	struct server_metrics *of_name; /* asked for by every configuration that has it */
	struct server *s;
	char key[1024], name[300];

	snprintf(name, sizeof name, strchr(c->host, ':') ? "[%s]:%u" : "%s:%u", c->host, c->port);
	if (!(of_name = metrics_server(metrics, bytes_of(name))))
		return NULL;
	snprintf(key, sizeof key, "%.*s|%s|%d|%d|%s", BYTES_ARG(app->name), name, c->tls,
		 app->upstream.verify, app->upstream.ca ? app->upstream.ca : "");
	for (s = all->first; s; s = s->next)
		if (strcmp(s->key, key) == 0 &&
		    (!resolved || memcmp(s->address, found.at, sizeof found.at) == 0))
			return s;
	if (!resolved || !(s = server_new(key, name, c->tls ? c->host : NULL, &found)))
		return NULL;
	s->metrics = of_name;
	s->id = all->n++;
	s->next = all->first;
	all->first = s;
	return s;
}

bool upstream_build(struct upstream *u, struct servers *all, const struct app_config *app,
		    struct app_metrics *metrics, struct err *err)
{
	const struct upstream_config *c = &app->upstream;

	*u = (struct upstream){ .config = c, .timeouts = &app->timeouts };
	if (c->nservers > SERVERS_MAX)
		return err_set(err, SIDE_CONFIG, 0, "%s:%u:%u: more than %d servers", app->where.file,
			       app->where.line, app->where.column, SERVERS_MAX);
	for (size_t i = 0; i < c->nservers; i++) {
		unsigned weight = c->servers[i].weight ? c->servers[i].weight : 1;
		struct server *s;

		err_set(err, SIDE_SELF, 0, "out of memory");
		if (!(s = server_get(all, app, &c->servers[i], metrics, err)))
			return false;
		u->backends[u->n++] = (struct backend){ s, weight };
		u->total_weight += weight;
		if (c->servers[i].tls && !u->tls && !(u->tls = tls_client_new(c->verify, c->ca, err)))
			return false;
	}
	return true;
}

void upstream_clear(struct upstream *u)
{
	tls_context_free(u->tls);
}

/* ---- health ---- */

bool server_is_up(const struct server *s, uint64_t now_ms)
{
	return atomic_load_explicit(&s->down_until_ms, memory_order_relaxed) <= now_ms;
}

void server_succeeded(struct server *s)
{
	if (atomic_load_explicit(&s->fails, memory_order_relaxed))
		atomic_store_explicit(&s->fails, 0, memory_order_relaxed);
}

void server_failed(struct server *s, const struct health_config *h, uint64_t now_ms)
{
	unsigned fails = atomic_fetch_add_explicit(&s->fails, 1, memory_order_relaxed) + 1;

	if (h->fails == 0 || fails < h->fails || !server_is_up(s, now_ms))
		return;
	atomic_store(&s->down_until_ms, now_ms + h->down_ms);
	atomic_store(&s->fails, 0);
	log_warn("upstream %s: %u failures in a row, left out for %u s", s->name, fails, h->down_ms / 1000);
}

void server_set(struct server *s, bool up)
{
	unsigned long long old = atomic_exchange(&s->down_until_ms, up ? 0 : UINT64_MAX);

	if (up != (old != UINT64_MAX))
		log_warn("upstream %s is %s", s->name, up ? "up again" : "down: its health check fails");
	metrics_upstream_up(s->metrics, up);
}

/* ---- the choice ---- */

struct choice {
	const struct upstream *u;
	uint64_t tried, now_ms;
	bool all; /* those that are down too */
};

static bool may(const struct choice *c, unsigned i)
{
	return !(c->tried >> i & 1) && (c->all || server_is_up(c->u->backends[i].server, c->now_ms));
}

static const struct backend *round_robin(const struct choice *c, unsigned turn)
{
	const struct upstream *u = c->u;
	unsigned at = turn % u->total_weight, first = 0;

	while (at >= u->backends[first].weight)
		at -= u->backends[first++].weight;
	for (unsigned i = 0; i < u->n; i++)
		if (may(c, (first + i) % u->n))
			return &u->backends[(first + i) % u->n];
	return NULL;
}

static const struct backend *least_conn(const struct choice *c, unsigned turn)
{
	const struct backend *best = NULL;
	unsigned first = turn % c->u->n, load = 0;

	for (unsigned k = 0; k < c->u->n; k++) {
		unsigned i = (first + k) % c->u->n;
		const struct backend *b = &c->u->backends[i];
		unsigned mine = atomic_load_explicit(&b->server->inflight, memory_order_relaxed);

		if (may(c, i) && (!best || (uint64_t)mine * best->weight < (uint64_t)load * b->weight)) {
			best = b;
			load = mine;
		}
	}
	return best;
}

/* Rendezvous hashing: when a server goes, only its own clients move. */
static const struct backend *by_hash(const struct choice *c, uint64_t key)
{
	const struct backend *best = NULL;
	uint64_t high = 0;

	for (unsigned i = 0; i < c->u->n; i++) {
		const char *name = c->u->backends[i].server->name;
		uint64_t h = hash_content(key, bytes_of(name)) * 0x9e3779b97f4a7c15u;

		h ^= h >> 32;
		if (may(c, i) && (!best || h > high)) {
			best = &c->u->backends[i];
			high = h;
		}
	}
	return best;
}

static const struct backend *choose(const struct choice *c, unsigned turn, uint64_t key)
{
	switch (c->u->config->balance) {
	case BALANCE_LEAST_CONN: return least_conn(c, turn);
	case BALANCE_HASH: return by_hash(c, key);
	default: return round_robin(c, turn);
	}
}

static bool all_down(const struct upstream *u, uint64_t now_ms)
{
	for (unsigned i = 0; i < u->n; i++)
		if (server_is_up(u->backends[i].server, now_ms))
			return false;
	return true;
}

const struct backend *upstream_choose(const struct upstream *u, uint64_t tried, unsigned turn, uint64_t key,
				      uint64_t now_ms)
{
	struct choice c = { u, tried, now_ms, false };
	const struct backend *b = choose(&c, turn, key);

	if (!b && all_down(u, now_ms)) { /* ask them all the same */
		c.all = true;
		b = choose(&c, turn, key);
	}
	return b;
}
