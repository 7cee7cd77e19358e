/* metrics_reputation.c -- the families of what others say: gates through Redis, lists, the local API. */
#include "admin/metrics_sample.h"
#include "cti/lapi.h"
#include "cti/lapi_client.h"
#include "cti/lists.h"
#include "cti/redis.h"
#include "cti/share.h"

static void put(struct scrape *s, const char *label, const char *value, uint64_t n)
{
	sample_open(s, "");
	if (label)
		sample_label(s, label, bytes_of(value));
	sample_close(s, n);
}

void metrics_print_redis_up(struct scrape *s)
{
	if (s->now->share)
		put(s, NULL, NULL, s->now->share->up);
}

/* A summary without quantiles: Redis is one server, and its mean tells enough. */
void metrics_print_redis_duration(struct scrape *s)
{
	if (!s->now->redis)
		return;
	sample_open(s, "_sum");
	sample_value(s);
	sample_seconds(s->t, s->now->redis->timed_us);
	text_byte(s->t, '\n');
	sample_open(s, "_count");
	sample_close(s, s->now->redis->timed);
}

void metrics_print_redis_errors(struct scrape *s)
{
	if (s->now->redis)
		put(s, NULL, NULL, s->now->redis->failed + s->now->redis->errors);
}

void metrics_print_nodes(struct scrape *s)
{
	if (!s->now->share)
		return;
	put(s, "state", "up", s->now->nodes);
	put(s, "state", "silent", s->now->silent);
}

void metrics_print_shared(struct scrape *s)
{
	const struct share_counts *c = s->now->share;

	if (!c)
		return;
	put(s, "what", "sent", c->sent);
	put(s, "what", "applied", c->applied);
	put(s, "what", "told", c->told);
	put(s, "what", "forged", c->forged);
	put(s, "what", "ahead", c->ahead);
	put(s, "what", "broken", c->broken);
	put(s, "what", "dropped", c->dropped);
	put(s, "what", "late", c->late);
	put(s, "what", "unanswered", c->unanswered);
	put(s, "what", "resync", c->resyncs);
}

void metrics_print_outbox(struct scrape *s)
{
	if (s->now->share)
		put(s, NULL, NULL, s->now->share->queued);
}

static void put_of_list(struct scrape *s, const struct list_status *l, uint64_t n)
{
	sample_open(s, "");
	sample_label(s, "list", bytes_of(l->name));
	sample_close(s, n);
}

void metrics_print_list_entries(struct scrape *s)
{
	for (size_t i = 0; i < s->now->nlists; i++)
		put_of_list(s, &s->now->lists[i], s->now->lists[i].entries);
}

void metrics_print_list_confirmed(struct scrape *s)
{
	for (size_t i = 0; i < s->now->nlists; i++)
		put_of_list(s, &s->now->lists[i], s->now->lists[i].confirmed_ms / 1000);
}

void metrics_print_lapi(struct scrape *s)
{
	const struct lapi_counts *c = s->now->lapi;

	if (!c)
		return;
	put(s, "what", "request", c->requests);
	put(s, "what", "refused", c->refused);
	put(s, "what", "alert", c->alerts);
	put(s, "what", "stream", c->streams);
	put(s, "what", "metrics", c->metrics);
}

void metrics_print_crowdsec(struct scrape *s)
{
	const struct lapi_client_counts *c = s->now->crowdsec;

	if (!c)
		return;
	put(s, "what", "pull", c->pulls);
	put(s, "what", "failed", c->failed);
	put(s, "what", "decision", c->decisions);
	put(s, "what", "pushed", c->pushed);
	put(s, "what", "dropped", c->dropped);
}
