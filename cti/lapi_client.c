/* lapi_client.c -- pulling: a question every few seconds, its answer to a thread, and again. */
#include "cti/lapi_client_parts.h"
#include <unistd.h>

enum { EVERY_MS = 10000, WHOLE_EVERY_MS = 3600 * 1000, DEADLINE_MS = 60000, URL_MAX = 2048 };

/* ---- trouble ---- */

uint32_t lapi_trouble_begins(struct lapi_client *c, struct lapi_trouble *t, const char *what, const char *why)
{
	unsigned shift = t->failures < 6 ? t->failures : 6;
	uint32_t wait = 1000u << shift;

	c->counts.failed++;
	if (!t->failures++)
		log_warn("crowdsec %.*s: %s: %s", BYTES_ARG(c->config.url), what, why);
	snprintf(t->text, sizeof t->text, "%s: %s", what, why);
	return wait < LAPI_WAIT_MAX_MS ? wait : LAPI_WAIT_MAX_MS;
}

void lapi_trouble_ends(struct lapi_client *c, struct lapi_trouble *t, const char *what)
{
	if (t->failures)
		log_info("crowdsec %.*s: %s: works again", BYTES_ARG(c->config.url), what);
	*t = (struct lapi_trouble){ 0 };
}

struct bytes lapi_client_url(const struct lapi_client *c, struct text *t, const char *path)
{
	text_put(t, c->config.url);
	text_str(t, path);
	return text_bytes(t);
}

/* ---- pulling ---- */

static void pull(void *owner);

static void wait_for_next(struct lapi_client *c, uint32_t ms)
{
	if (!c->resting)
		deadline_set(c->loop, &c->due, ms, pull, c);
}

static void pull_failed(struct lapi_client *c, const char *why)
{
	uint32_t wait = lapi_trouble_begins(c, &c->trouble, "its decisions cannot be pulled", why);

	c->synced = false; /* what an answer that was lost told is told once only */
	wait_for_next(c, wait > c->config.every_ms ? wait : c->config.every_ms);
}

static void finish_close(struct lapi_client *c);

/* On the loop: the thread has ended, or is about to. */
static void read_whole(void *arg)
{
	struct lapi_client *c = arg;

	pthread_join(c->reader, NULL);
	c->reading = false;
	if (c->closed) {
		finish_close(c);
		return;
	}
	if (c->err.side) {
		pull_failed(c, c->err.text);
		return;
	}
	lapi_trouble_ends(c, &c->trouble, "its decisions are pulled");
	if (c->whole)
		c->whole_at_ms = loop_now_ms(c->loop);
	c->synced = true;
	c->ntold = lapi_told_count(c->told);
	c->counts.refused += c->applied.refused;
	c->counts.pulled_ms = clock_wall_ms();
	wait_for_next(c, c->config.every_ms);
}

static void *reader_main(void *arg)
{
	struct lapi_client *c = arg;
	struct lapi_answer s;

	c->err = (struct err){ 0 };
	if (lapi_answer_read((struct bytes){ c->body, c->nbody }, &s, &c->err))
		lapi_told_apply(c->told, &s, c->whole, clock_wall_ms(), &c->stop, &c->applied);
	free(c->body); /* here: megabytes take milliseconds to give back */
	c->body = NULL;
	c->nbody = c->cap = 0;
	while (!loop_post(c->loop, read_whole, c))
		usleep(10000);
	return NULL;
}

static void on_head(void *owner, const struct response *r)
{
	struct lapi_client *c = owner;

	c->status = r->status;
}

static void on_bytes(void *owner, struct bytes b)
{
	struct lapi_client *c = owner;
	size_t cap = (c->nbody + b.len) * 2;
	char *more = c->nbody + b.len > c->cap ? realloc(c->body, cap) : c->body;

	if (!more) {
		fetch_cancel(c->pull);
		c->pull = NULL;
		pull_failed(c, "out of memory");
		return;
	}
	c->cap = more == c->body && c->nbody + b.len <= c->cap ? c->cap : cap;
	c->body = more;
	memcpy(c->body + c->nbody, b.at, b.len);
	c->nbody += b.len;
}

static void on_done(void *owner, const struct err *failed)
{
	struct lapi_client *c = owner;
	char why[64];

	c->pull = NULL;
	if (failed) {
		pull_failed(c, failed->text);
	} else if (c->status != 200) {
		snprintf(why, sizeof why, c->status == 403 || c->status == 401 ? "it does not know the key (%u)" : "it answers %u", c->status);
		pull_failed(c, why);
	} else if (pthread_create(&c->reader, NULL, reader_main, c)) {
		pull_failed(c, "no thread");
	} else {
		c->reading = true;
	}
}

static void pull(void *owner)
{
	static const struct fetch_events events = { on_head, on_bytes, on_done };
	struct lapi_client *c = owner;
	const struct field fields[] = { { BYTES("X-Api-Key"), c->config.key, FIELD_OTHER, false },
					{ BYTES("User-Agent"), BYTES(LAPI_AGENT), FIELD_USER_AGENT, false } };
	struct fetch_request q = { .fields = fields, .nfields = nelems(fields), .deadline_ms = DEADLINE_MS, .body_max = LAPI_ANSWER_MAX };
	char room[URL_MAX];
	struct text url = text_over(room, sizeof room);

	c->whole = !c->synced || loop_now_ms(c->loop) - c->whole_at_ms >= WHOLE_EVERY_MS;
	c->nbody = 0;
	lapi_client_url(c, &url, "/v1/decisions/stream?startup=");
	text_str(&url, c->whole ? "true" : "false");
	text_str(&url, "&scopes=ip,range,as,country");
	q.url = text_bytes(&url);
	c->counts.pulls++;
	c->pull = fetch_start(c->fetcher, c->loop, &q, &events, c);
	if (!c->pull)
		pull_failed(c, "out of memory");
}

/* ---- its life ---- */

static bool is_right(const struct lapi_client_config *config, struct err *e)
{
	if (config->url.len > URL_MAX - 128)
		return err_set(e, SIDE_CONFIG, 0, "the url of a local API is too long");
	if (!fetch_url_check(config->url, e))
		return err_at(e, "the url of a local API");
	if (config->machine.len && !config->password.len)
		return err_set(e, SIDE_CONFIG, 0, "a machine of a local API needs a password");
	return true;
}

static bool copy_config(struct lapi_client *c, const struct lapi_client_config *config)
{
	struct bytes *texts[] = { &c->config.url, &c->config.key, &c->config.machine, &c->config.password };

	c->config = *config;
	if (!c->config.every_ms)
		c->config.every_ms = EVERY_MS;
	while (bytes_ends(c->config.url, BYTES("/")))
		c->config.url.len--;
	for (size_t i = 0; i < nelems(texts); i++) {
		*texts[i] = arena_copy(c->arena, *texts[i]);
		if (!texts[i]->at)
			return false;
	}
	return true;
}

static void client_free(struct lapi_client *c)
{
	lapi_told_free(c->told);
	free(c->body);
	arena_free(c->arena);
	free(c);
}

struct lapi_client *lapi_client_open(struct loop *l, struct fetcher *f, const struct lapi_client_config *config, struct decisions *d,
				     struct err *e)
{
	struct lapi_client *c;

	if (!is_right(config, e))
		return NULL;
	c = calloc(1, sizeof *c);
	if (!c || !(c->arena = arena_new(64 << 10)) || !copy_config(c, config) ||
	    !(c->told = lapi_told_new(d, config->most, config->hearsay))) {
		if (c)
			client_free(c);
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	c->loop = l;
	c->fetcher = f;
	lapi_push_open(c);
	if (c->config.key.len)
		wait_for_next(c, 1);
	return c;
}

static void finish_close(struct lapi_client *c)
{
	void (*closed)(void *ctx) = c->closed;
	void *ctx = c->ctx;

	client_free(c);
	closed(ctx);
}

static void closed_later(void *arg)
{
	finish_close(arg);
}

void lapi_client_close(struct lapi_client *c, void (*closed)(void *), void *ctx)
{
	c->closed = closed;
	c->ctx = ctx;
	deadline_clear(&c->due);
	lapi_push_close(c);
	if (c->pull)
		fetch_cancel(c->pull);
	atomic_store(&c->stop, true);
	if (!c->reading && !loop_post(c->loop, closed_later, c))
		finish_close(c);
}

void lapi_client_rest(struct lapi_client *c)
{
	c->resting = true;
	deadline_clear(&c->due);
}

void lapi_client_count(const struct lapi_client *c, struct lapi_client_counts *out)
{
	*out = c->counts;
	out->decisions = c->ntold;
	out->queued = c->push.nqueued;
	snprintf(out->trouble, sizeof out->trouble, "%s", c->trouble.failures ? c->trouble.text : c->push.trouble.text);
}
