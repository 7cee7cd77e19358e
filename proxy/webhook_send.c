/* webhook_send.c -- a message: what it says, who vouches for it, and when it is tried again. */
#include "proxy/webhook_parts.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/tls.h"
#include <stdlib.h>

enum { ANSWER_MAX = 64 << 10, DEADLINE_MS = 10000, RETRY_MS = 1000, RETRY_MAX_MS = 3600000, GIVE_UP_MS = 24 * 3600000 };

static const char *const kinds[NOTIFY_EVENTS] = {
	[NOTIFY_ATTACK] = "attack",     [NOTIFY_DECISION] = "decision", [NOTIFY_RELOAD] = "reload",
	[NOTIFY_UPSTREAM] = "upstream", [NOTIFY_CERT] = "cert",         [NOTIFY_CTI] = "cti",
};

/* ---- the message ---- */

static void put_time(struct text *t, const char *name, uint64_t ms)
{
	text_printf(t, "\"%s\":\"", name);
	clock_rfc3339(t, ms);
	text_byte(t, '"');
}

static void put_words(struct text *t, const char *name, const char *value)
{
	text_printf(t, ",\"%s\":", name);
	text_json(t, bytes_of(value));
}

static void put_note(struct text *t, const struct webhook_kept *k, bool full)
{
	text_byte(t, '{');
	put_time(t, "timestamp", k->wall_ms);
	put_words(t, "kind", kinds[k->kind]);
	put_words(t, "address", k->address);
	put_words(t, "behaviour", k->behaviour);
	if (full) {
		put_words(t, "id", k->id);
		put_words(t, "app", k->app);
		put_words(t, "detail", k->detail);
	}
	text_byte(t, '}');
}

void webhook_write(struct text *t, const struct webhook_batch *b, bool full)
{
	uint64_t all = 0;

	text_byte(t, '{');
	put_time(t, "from", b->from_ms);
	text_byte(t, ',');
	put_time(t, "to", b->to_ms);
	text_str(t, ",\"counts\":{");
	for (int kind = 0, n = 0; kind < NOTIFY_EVENTS; kind++) {
		if (!b->counts[kind])
			continue;
		text_printf(t, "%s\"%s\":%llu", n++ ? "," : "", kinds[kind], (unsigned long long)b->counts[kind]);
		all += b->counts[kind];
	}
	text_str(t, "},\"events\":[");
	for (size_t i = 0; i < b->n; i++) {
		text_str(t, i ? "," : "");
		put_note(t, &b->notes[i], full);
	}
	text_printf(t, "],\"more\":%llu}", (unsigned long long)(all - b->n));
}

bool webhook_sign(struct text *t, struct bytes secret, uint64_t now_s, struct bytes body)
{
	char number[24];
	struct text stamp = text_over(number, sizeof number);
	uint8_t mac[32];

	text_printf(&stamp, "%llu.", (unsigned long long)now_s);
	if (!tls_hmac(secret, (const struct bytes[]){ text_bytes(&stamp), body }, 2, mac))
		return false;
	text_printf(t, "t=%llu,v1=", (unsigned long long)now_s);
	for (size_t i = 0; i < sizeof mac; i++)
		text_printf(t, "%02x", mac[i]);
	return !t->full;
}

/* ---- delivery ---- */

uint64_t webhook_retry_ms(unsigned tries, uint8_t random)
{
	uint64_t ms = tries < 12 ? (uint64_t)RETRY_MS << tries : RETRY_MAX_MS;

	if (ms > RETRY_MAX_MS)
		ms = RETRY_MAX_MS;
	return ms + ms * random / 1024;
}

static void post(void *arg);

static void message_end(struct webhook *h)
{
	free(h->body);
	h->body = NULL;
	h->told = 0;
	h->tries = 0;
	webhook_arm(h);
}

static void not_taken(struct webhook *h, const char *why)
{
	uint8_t random = 0;

	if (!h->down)
		log_warn("notify: %s: %s; it is tried again", h->url, why);
	h->down = true;
	if (clock_mono_ms() - h->since_ms >= GIVE_UP_MS) {
		atomic_fetch_add(&h->all->dropped, h->told);
		message_end(h);
		return;
	}
	tls_random(&random, 1);
	deadline_set(h->all->loop, &h->deadline, webhook_retry_ms(h->tries++, random), post, h);
}

static void taken(struct webhook *h)
{
	if (h->down)
		log_info("notify: %s takes messages again", h->url);
	h->down = false;
	message_end(h);
}

static void on_answer(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	struct webhook *h = owner;
	char why[64];

	h->fetch = NULL;
	if (a && a->status >= 200 && a->status < 300) {
		taken(h);
		return;
	}
	if (a)
		snprintf(why, sizeof why, "it answers %u", a->status);
	not_taken(h, a ? why : failed->text);
}

/* Signed anew each time: a receiver may refuse what is old. */
static void post(void *arg)
{
	struct webhook *h = arg;
	char room[WEBHOOK_SIGNATURE_MAX];
	struct text signature = text_over(room, sizeof room);
	struct bytes body = { h->body, h->body_len };
	struct field fields[1];
	struct fetch_request r = { .url = bytes_of(h->url), .content_type = BYTES("application/json"), .body = body,
				   .deadline_ms = DEADLINE_MS, .body_max = ANSWER_MAX, .fields = fields, .tls = h->tls };

	if (h->secret) {
		if (!webhook_sign(&signature, bytes_of(h->secret), clock_wall_ms() / 1000, body)) {
			not_taken(h, "it cannot be signed");
			return;
		}
		fields[r.nfields++] = (struct field){ BYTES("X-Embergate-Signature"), text_bytes(&signature), FIELD_OTHER, false };
	}
	h->fetch = fetch_whole(h->all->fetcher, h->all->loop, &r, on_answer, h);
	if (!h->fetch)
		not_taken(h, "out of memory");
}

void webhook_begin_again(struct webhook *h)
{
	if (!h->fetch)
		return;
	fetch_cancel(h->fetch);
	h->fetch = NULL;
	deadline_set(h->all->loop, &h->deadline, 0, post, h);
}

/* Fewer attacks than are worth a word. */
static void forget_few(struct webhook_batch *b, uint32_t min)
{
	size_t n = 0;

	if (b->counts[NOTIFY_ATTACK] >= min)
		return;
	b->counts[NOTIFY_ATTACK] = 0;
	for (size_t i = 0; i < b->n; i++)
		if (b->notes[i].kind != NOTIFY_ATTACK)
			b->notes[n++] = b->notes[i];
	b->n = n;
}

/* Under the lock. NULL: nothing is to be told, or there is no memory for it now. */
static char *take_message(struct webhook *h, size_t *len)
{
	char *room = malloc(WEBHOOK_BODY_MAX);
	struct text t = text_over(room, room ? WEBHOOK_BODY_MAX : 0);

	if (!room)
		return NULL;
	forget_few(&h->batch, h->min);
	h->told = 0;
	for (int kind = 0; kind < NOTIFY_EVENTS; kind++)
		h->told += h->batch.counts[kind];
	if (h->told)
		webhook_write(&t, &h->batch, h->full);
	h->batch = (struct webhook_batch){ 0 };
	*len = t.len;
	if (h->told && !t.full)
		return room;
	free(room);
	return NULL;
}

void webhook_send(struct webhook *h)
{
	h->armed = false;
	pthread_mutex_lock(&h->all->lock);
	h->body = take_message(h, &h->body_len);
	pthread_mutex_unlock(&h->all->lock);
	if (!h->body) {
		webhook_arm(h);
		return;
	}
	h->since_ms = clock_mono_ms();
	post(h);
}
