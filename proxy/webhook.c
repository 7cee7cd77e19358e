/* webhook.c -- receivers, and what is gathered for them. */
#include "proxy/webhook_parts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"
#include "proxy/secret.h"
#include <errno.h>
#include <stdlib.h>

/* ---- from the configuration ---- */

bool webhooks_check(const struct config *c, struct err *err)
{
	for (size_t i = 0; i < c->nnotify; i++) {
		const struct notify_config *n = &c->notify[i];
		struct tls_context *tls = n->ca ? tls_client_new(true, n->ca, err) : NULL;
		struct bytes secret;
		bool ok = (!n->ca || tls) && fetch_url_check(n->url, err) &&
			  (!n->secret_from || secret_read(n->secret_from, c->arena, &secret, err));

		tls_context_free(tls);
		if (!ok)
			return err_at(err, "%s:%u:%u: notify[%zu]", n->where.file, n->where.line, n->where.column, i);
	}
	return true;
}

static char *copy(struct bytes b)
{
	char *at = malloc(b.len + 1);

	if (at) {
		memcpy(at, b.len ? b.at : "", b.len);
		at[b.len] = '\0';
	}
	return at;
}

static char *read_secret(const struct notify_config *c)
{
	struct arena *a = arena_new(64 << 10);
	struct bytes secret = { 0 };
	struct err err;
	char *out = a && secret_read(c->secret_from, a, &secret, &err) ? copy(secret) : NULL;

	arena_free(a);
	return out;
}

static uint32_t kinds_of(const struct notify_config *c)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < c->nevents; i++)
		kinds |= 1u << c->events[i];
	return c->nevents ? kinds : (1u << NOTIFY_EVENTS) - 1;
}

static void webhook_free(struct webhook *h)
{
	deadline_clear(&h->deadline);
	if (h->fetch)
		fetch_cancel(h->fetch);
	if (h->test.fetch)
		fetch_cancel(h->test.fetch);
	if (h->test.told)
		webhook_test_end(h, 409, "the configuration has it no more");
	tls_context_free(h->tls);
	free(h->body);
	free(h->secret);
	free(h->url);
	free(h);
}

/* As the configuration says now; what it gathered stays. */
static bool webhook_set(struct webhook *h, const struct notify_config *c)
{
	struct err err;
	struct tls_context *tls = c->ca ? tls_client_new(true, c->ca, &err) : NULL;
	char *secret = c->secret_from ? read_secret(c) : NULL;

	if ((c->ca && !tls) || (c->secret_from && !secret)) {
		log_error("notify: %s cannot be told: its `ca` or `secret` cannot be read any more", h->url);
		tls_context_free(tls);
		free(secret);
		return false;
	}
	webhook_begin_again(h); /* by what is said now */
	tls_context_free(h->tls);
	free(h->secret);
	h->tls = tls;
	h->secret = secret;
	h->kinds = kinds_of(c);
	h->min = c->min;
	h->every_ms = c->every_ms;
	h->full = c->full;
	h->where = c->where;
	h->kept = true;
	return true;
}

static struct webhook *webhook_of(struct webhooks *w, const struct notify_config *c)
{
	struct webhook *h = w->list;

	while (h && (h->kept || !bytes_eq(bytes_of(h->url), c->url)))
		h = h->next;
	if (h)
		return h;
	h = calloc(1, sizeof *h);
	if (h && !(h->url = copy(c->url))) {
		free(h);
		return NULL;
	}
	if (h) {
		h->all = w;
		h->next = w->list;
		w->list = h;
	}
	return h;
}

static uint64_t batch_size(const struct webhook_batch *b)
{
	uint64_t n = 0;

	for (int kind = 0; kind < NOTIFY_EVENTS; kind++)
		n += b->counts[kind];
	return n;
}

static void drop_others(struct webhooks *w)
{
	for (struct webhook **at = &w->list, *h; (h = *at) != NULL;) {
		if (h->kept) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		atomic_fetch_add(&w->dropped, h->told + batch_size(&h->batch));
		webhook_free(h);
	}
}

void webhooks_configure(struct webhooks *w, const struct config *c)
{
	uint32_t wanted = 0;

	pthread_mutex_lock(&w->lock);
	for (struct webhook *h = w->list; h; h = h->next)
		h->kept = false;
	for (size_t i = 0; i < c->nnotify; i++) {
		struct webhook *h = webhook_of(w, &c->notify[i]);

		if (h && webhook_set(h, &c->notify[i]))
			wanted |= h->kinds;
	}
	drop_others(w);
	atomic_store(&w->wanted, wanted);
	pthread_mutex_unlock(&w->lock);
}

/* ---- notes ---- */

static void keep(char *to, size_t size, struct bytes from)
{
	struct bytes cut = bytes_sub(from, 0, size - 1);

	memcpy(to, cut.len ? cut.at : "", cut.len);
	to[cut.len] = '\0';
}

static void gather(struct webhook_batch *b, const struct webhook_note *n)
{
	struct webhook_kept *k = &b->notes[b->n];

	if (!b->from_ms)
		b->from_ms = n->wall_ms;
	b->to_ms = n->wall_ms;
	b->counts[n->kind]++;
	if (b->n == WEBHOOK_NOTES)
		return;
	b->n++;
	k->kind = n->kind;
	k->wall_ms = n->wall_ms;
	keep(k->address, sizeof k->address, n->address);
	keep(k->behaviour, sizeof k->behaviour, n->behaviour);
	keep(k->id, sizeof k->id, n->id);
	keep(k->app, sizeof k->app, n->app);
	keep(k->detail, sizeof k->detail, n->detail);
}

void webhook_arm(struct webhook *h)
{
	bool some;

	pthread_mutex_lock(&h->all->lock);
	some = batch_size(&h->batch) > 0;
	pthread_mutex_unlock(&h->all->lock);
	if (!some || h->body || h->armed)
		return;
	h->armed = true;
	deadline_set(h->all->loop, &h->deadline, h->every_ms, (void (*)(void *))webhook_send, h);
}

static void on_some(void *arg)
{
	struct webhooks *w = arg;

	atomic_store(&w->asked, false);
	for (struct webhook *h = w->list; h; h = h->next)
		webhook_arm(h);
}

void webhooks_note(struct webhooks *w, const struct webhook_note *n)
{
	if (!w || !(atomic_load_explicit(&w->wanted, memory_order_relaxed) & 1u << n->kind))
		return;
	pthread_mutex_lock(&w->lock);
	for (struct webhook *h = w->list; h; h = h->next)
		if (h->kinds & 1u << n->kind)
			gather(&h->batch, n);
	pthread_mutex_unlock(&w->lock);
	if (!atomic_exchange(&w->asked, true) && !loop_post(w->loop, on_some, w))
		atomic_store(&w->asked, false); /* the next one asks again */
}

void webhooks_alert(struct webhooks *w, const struct event *e, const struct redact *redact)
{
	char room[64], path[2 * WEBHOOK_DETAIL];
	struct text address = text_over(room, sizeof room), detail = text_over(path, sizeof path);
	size_t worst = 0;

	if (!w || e->action < REMEDY_DENY || !(atomic_load_explicit(&w->wanted, memory_order_relaxed) & 1u << NOTIFY_ATTACK))
		return;
	for (size_t i = 0; i < e->nhits; i++)
		if (e->hits[i].score > e->hits[worst].score)
			worst = i;
	ip_text(&address, &e->client);
	if (e->request)
		redact_path(&detail, redact, bytes_sub(e->request->path, 0, WEBHOOK_DETAIL));
	webhooks_note(w, &(struct webhook_note){
		.kind = NOTIFY_ATTACK, .wall_ms = e->wall_ms, .address = text_bytes(&address),
		.behaviour = e->nhits ? bytes_of(e->hits[worst].rule->id) : bytes_of(source_word(e->source)),
		.id = e->id, .app = e->app, .detail = text_bytes(&detail),
	});
}

uint64_t webhooks_dropped(const struct webhooks *w)
{
	return atomic_load((_Atomic uint64_t *)(uintptr_t)&w->dropped);
}

/* ---- how it goes ---- */

/* Whom the configuration in use has at that place. */
static struct webhook *webhook_at(struct webhooks *w, const struct where *at)
{
	struct webhook *h = w->list;

	while (h && (h->where.line != at->line || h->where.column != at->column || strcmp(h->where.file, at->file) != 0))
		h = h->next;
	return h;
}

bool webhooks_state(struct webhooks *w, const struct notify_config *c, struct notify_outlet *out)
{
	const struct webhook *h = w ? webhook_at(w, &c->where) : NULL;

	if (!h)
		return false;
	out->taken = h->taken;
	out->failures = h->failures;
	out->taken_ms = h->taken_ms;
	out->failed_ms = h->failed_ms;
	out->next_ms = h->next_ms;
	out->why = h->why[0] ? h->why : NULL;
	out->down = h->down;
	pthread_mutex_lock(&w->lock);
	out->waiting = h->told + batch_size(&h->batch);
	pthread_mutex_unlock(&w->lock);
	return true;
}

bool webhooks_test(struct webhooks *w, const struct notify_config *c, struct bytes by, notify_told *told, void *arg)
{
	struct webhook *h = w ? webhook_at(w, &c->where) : NULL;

	if (h)
		webhook_test(h, by, told, arg);
	return h;
}

/* ---- birth and death ---- */

struct webhooks *webhooks_new(struct loop *loop, struct fetcher *fetcher)
{
	struct webhooks *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->loop = loop;
	w->fetcher = fetcher;
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void webhooks_free(struct webhooks *w)
{
	if (!w)
		return;
	for (struct webhook *h = w->list; h; h = h->next)
		h->kept = false;
	drop_others(w);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
