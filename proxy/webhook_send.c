/* webhook_send.c -- a message: what it says, who vouches for it, and when it is tried again. */
#include "proxy/webhook_parts.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/tls.h"
#include <stdlib.h>

enum { ANSWER_MAX = 64 << 10, DEADLINE_MS = 10000, RETRY_MS = 1000, RETRY_MAX_MS = 3600000, GIVE_UP_MS = 24 * 3600000, REFUSAL = 64, TEST_BODY = 2048 };

static const char *const kinds[NOTIFY_EVENTS] = {
	[NOTIFY_ATTACK] = "attack",     [NOTIFY_DECISION] = "decision", [NOTIFY_RELOAD] = "reload",
	[NOTIFY_UPSTREAM] = "upstream", [NOTIFY_CERT] = "cert",         [NOTIFY_CTI] = "cti",
	[NOTIFY_TEST] = "test",
};

const char *webhook_kind_word(enum notify_event e)
{
	return kinds[e];
}

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
	h->next_ms = 0;
	h->told = 0;
	h->tries = 0;
	webhook_arm(h);
}

static void not_taken(struct webhook *h, const char *why)
{
	uint64_t retry_ms;
	uint8_t random = 0;

	if (!h->down)
		log_warn("notify: %s: %s; it is tried again", h->url, why);
	h->down = true;
	h->failures++;
	h->failed_ms = clock_wall_ms();
	snprintf(h->why, sizeof h->why, "%s", why);
	if (clock_mono_ms() - h->since_ms >= GIVE_UP_MS) {
		atomic_fetch_add(&h->all->dropped, h->told);
		message_end(h);
		return;
	}
	tls_random(&random, 1);
	retry_ms = webhook_retry_ms(h->tries++, random);
	h->next_ms = h->failed_ms + retry_ms;
	deadline_set(h->all->loop, &h->deadline, retry_ms, post, h);
}

static void taken(struct webhook *h)
{
	if (h->down)
		log_info("notify: %s takes messages again", h->url);
	h->down = false;
	h->taken++;
	h->taken_ms = clock_wall_ms();
	message_end(h);
}

/* NULL: it was taken; else why not. */
static const char *refusal_of(const struct fetch_answer *a, const struct err *failed, char room[REFUSAL])
{
	if (!a)
		return failed->text;
	snprintf(room, REFUSAL, "it answers %u", a->status);
	return a->status >= 200 && a->status < 300 ? NULL : room;
}

static void on_answer(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	struct webhook *h = owner;
	char room[REFUSAL];
	const char *why = refusal_of(a, failed, room);

	h->fetch = NULL;
	if (why)
		not_taken(h, why);
	else
		taken(h);
}

/* Signed anew each time: a receiver may refuse what is old. NULL: why. */
static struct fetch *post_body(struct webhook *h, struct bytes body, fetch_told *told, const char **why)
{
	char room[WEBHOOK_SIGNATURE_MAX];
	struct text signature = text_over(room, sizeof room);
	struct field fields[1];
	struct fetch_request r = { .url = bytes_of(h->url), .content_type = BYTES("application/json"), .body = body,
				   .deadline_ms = DEADLINE_MS, .body_max = ANSWER_MAX, .fields = fields, .tls = h->tls };

	if (h->secret) {
		if (!webhook_sign(&signature, bytes_of(h->secret), clock_wall_ms() / 1000, body)) {
			*why = "it cannot be signed";
			return NULL;
		}
		fields[r.nfields++] = (struct field){ BYTES("X-Embergate-Signature"), text_bytes(&signature), FIELD_OTHER, false };
	}
	*why = "out of memory";
	return fetch_whole(h->all->fetcher, h->all->loop, &r, told, h);
}

static void post(void *arg)
{
	struct webhook *h = arg;
	const char *why;

	h->fetch = post_body(h, (struct bytes){ h->body, h->body_len }, on_answer, &why);
	if (!h->fetch)
		not_taken(h, why);
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

/* ---- a test ---- */

void webhook_test_end(struct webhook *h, unsigned status, const char *why)
{
	const struct notify_tested outcome = { status, status == 200 && !why, why ? why : "the receiver took it" };
	notify_told *told = h->test.told;
	void *arg = h->test.arg;

	free(h->test.body);
	h->test = (struct webhook_test){ 0 };
	told(arg, &outcome);
}

static void on_test(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	char room[REFUSAL];

	webhook_test_end(owner, 200, refusal_of(a, failed, room));
}

/* One message of one happening, as any other, though nothing else is held up by it. */
static bool write_test(struct webhook *h, struct bytes by, struct text *t)
{
	struct webhook_batch *b = calloc(1, sizeof *b);

	if (b) {
		b->from_ms = b->to_ms = b->notes[0].wall_ms = clock_wall_ms();
		b->counts[NOTIFY_TEST] = b->n = 1;
		b->notes[0].kind = NOTIFY_TEST;
		snprintf(b->notes[0].behaviour, sizeof b->notes[0].behaviour, "a test by %.*s", BYTES_ARG(by));
		webhook_write(t, b, h->full);
	}
	free(b);
	return b && !t->full;
}

void webhook_test(struct webhook *h, struct bytes by, notify_told *told, void *arg)
{
	struct text t = { 0 };
	const char *why = "out of memory";

	if (h->test.told) {
		told(arg, &(struct notify_tested){ 409, false, "a test of this receiver is under way" });
		return;
	}
	h->test = (struct webhook_test){ .told = told, .arg = arg, .body = malloc(TEST_BODY) };
	t = text_over(h->test.body, h->test.body ? TEST_BODY : 0);
	if (h->test.body && write_test(h, by, &t))
		h->test.fetch = post_body(h, text_bytes(&t), on_test, &why);
	if (!h->test.fetch)
		webhook_test_end(h, 503, why);
}
