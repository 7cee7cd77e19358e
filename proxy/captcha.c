/* captcha.c -- asking a provider.
 *
 * A question that is not sent (no solution in it, the provider down or busy) is
 * answered by a deadline of no time, so that `done` never comes from within. */
#include "proxy/captcha_parts.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/hash.h"
#include "base/log.h"
#include "proxy/secret.h"
#include "proxy/worker.h"

enum {
	ANSWER_MAX = 16 << 10,
	SECRET_MAX = 1024,
	SITEKEY_MAX = 1024,
	SAY_EVERY_MS = 10 * 1000,
	ALARM_EVERY_MS = 60 * 1000,
};

struct captcha_question {
	struct worker *worker;
	const struct captcha_config *config;
	struct fetch *fetch;    /* NULL: not sent */
	struct deadline soon;
	enum captcha_result result; /* of `soon` */
	void (*done)(void *, enum captcha_result);
	void *ctx;
	uint64_t asked_us;
};

/* ---- made ready ---- */

static struct bytes verify_url(const struct captcha_config *c)
{
	return c->verify_url.at ? c->verify_url : captcha_provider(c)->verify_url;
}

static bool secret_of(struct arena *a, struct captcha_config *c, struct err *err)
{
	return secret_read(c->secret_from, a, &c->secret, err) &&
	       (c->secret.len <= SECRET_MAX ||
		err_set(err, SIDE_CONFIG, 0, "%s: longer than %d bytes", c->secret_from, SECRET_MAX));
}

bool captcha_open(struct process *p, struct arena *a, struct captcha_config *c, struct app_metrics *metrics,
		  struct err *err)
{
	struct captcha_ready *r = arena_get(a, sizeof *r);
	uint64_t key;

	if (!r)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	if (!secret_of(a, c, err))
		return err_at(err, "challenge.captcha.secret");
	if (!fetch_url_check(verify_url(c), err))
		return err_at(err, "challenge.captcha.verify_url");
	key = hash_content(hash_content(HASH_CONTENT_START, verify_url(c)), c->secret);
	*r = (struct captcha_ready){ .provider = captcha_provider(c), .metrics = metrics };
	r->breaker = captcha_breaker_of(&p->captchas, key);
	if (!r->breaker)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	c->ready = r;
	return p->dry || (r->fetcher = process_fetcher(p, err)) != NULL;
}

bool captcha_is_down(struct worker *w, const struct captcha_config *c)
{
	(void)w;
	return captcha_breaker_is_down(c->ready->breaker, clock_mono_ms());
}

/* ---- the end of a question ---- */

/* Last statement: `done` may end the exchange that asked. */
static void tell(struct captcha_question *q, enum captcha_result result)
{
	void (*done)(void *, enum captcha_result) = q->done;
	void *ctx = q->ctx;

	free(q);
	done(ctx, result);
}

static void on_soon(void *owner)
{
	struct captcha_question *q = owner;

	tell(q, q->result);
}

static void later(struct captcha_question *q, enum captcha_result result)
{
	q->result = result;
	deadline_set(q->worker->loop, &q->soon, 0, on_soon, q);
}

/* ---- what came of it ---- */

static const char *asked_name(const struct captcha_question *q)
{
	return q->config->ready->provider->word;
}

static void alarm_secret(struct captcha_question *q, const struct captcha_judgement *j, uint64_t now_ms)
{
	if (captcha_breaker_may_say(&q->config->ready->breaker->alarmed_ms, now_ms, ALARM_EVERY_MS))
		log_error("captcha: %s refuses our secret (%s): nobody can pass until challenge.captcha.secret is right",
			  asked_name(q), j->text);
}

static void say_trouble(struct captcha_question *q, const struct captcha_judgement *j, uint64_t now_ms)
{
	if (captcha_breaker_may_say(&q->config->ready->breaker->said_ms, now_ms, SAY_EVERY_MS))
		log_warn("captcha: %s: %s", asked_name(q), j->text);
}

static void say_turn(struct captcha_question *q, enum captcha_turn turn)
{
	static const char *const words[] = {
		[CAPTCHA_ELSE_POW] = "pow", [CAPTCHA_ELSE_DENY] = "deny", [CAPTCHA_ELSE_ALLOW] = "allow",
	};

	if (turn == CAPTCHA_WENT_DOWN)
		log_error("captcha: %s is down: `on_error: %s` applies until it answers again", asked_name(q),
			  words[q->config->on_error]);
	else if (turn == CAPTCHA_CAME_BACK)
		log_info("captcha: %s answers again", asked_name(q));
}

static void count(struct captcha_question *q, enum captcha_result result, bool secret)
{
	static const enum captcha_count counts[] = {
		[CAPTCHA_PASSED] = CAPTCHA_COUNT_PASSED, [CAPTCHA_FAILED] = CAPTCHA_COUNT_FAILED,
		[CAPTCHA_TROUBLE] = CAPTCHA_COUNT_TROUBLE,
	};

	metrics_captcha(q->config->ready->metrics, q->worker->number, asked_name(q), secret ? CAPTCHA_COUNT_SECRET : counts[result],
			clock_mono_us() - q->asked_us);
}

static void settle(struct captcha_question *q, const struct captcha_judgement *j)
{
	struct captcha_breaker *b = q->config->ready->breaker;
	uint64_t now_ms = clock_mono_ms();

	captcha_breaker_leave(b);
	count(q, j->result, j->why == CAPTCHA_WHY_SECRET);
	if (j->why == CAPTCHA_WHY_SECRET)
		alarm_secret(q, j, now_ms);
	else if (j->why == CAPTCHA_WHY_BROKEN || j->why == CAPTCHA_WHY_HOST)
		say_trouble(q, j, now_ms);
	say_turn(q, captcha_breaker_told(b, j->result == CAPTCHA_TROUBLE, now_ms));
	tell(q, j->result);
}

static void on_answer(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	struct captcha_question *q = owner;
	struct captcha_judgement j = { CAPTCHA_TROUBLE, CAPTCHA_WHY_BROKEN, "" };

	if (a)
		captcha_judge(q->config, a->status, a->body, worker_wall_ms(q->worker), &j);
	else
		snprintf(j.text, sizeof j.text, "%s", failed->text);
	settle(q, &j);
}

/* ---- asking ---- */

/* Every byte may take three. */
enum { FORM_MAX = 3 * (CAPTCHA_RESPONSE_MAX + SECRET_MAX + SITEKEY_MAX) + 256 };

static void write_form(struct text *t, const struct captcha_config *c, struct bytes response,
		       const struct ip *client)
{
	char buf[64];
	struct text address = text_over(buf, sizeof buf);

	fetch_form_put(t, BYTES("secret"), c->secret);
	fetch_form_put(t, c->ready->provider->param, response);
	if (c->ready->provider->sitekey)
		fetch_form_put(t, BYTES("sitekey"), c->sitekey);
	if (c->send_ip) {
		ip_text(&address, client);
		fetch_form_put(t, BYTES("remoteip"), text_bytes(&address));
	}
}

/* False: out of memory. */
static bool send_question(struct captcha_question *q, struct bytes response, const struct ip *client)
{
	struct field json = { BYTES("Accept"), BYTES("application/json"), FIELD_ACCEPT, false };
	struct fetch_request ask = {
		.url = verify_url(q->config), .fields = &json, .nfields = 1,
		.content_type = BYTES("application/x-www-form-urlencoded"),
		.deadline_ms = CAPTCHA_TIMEOUT_MS, .body_max = ANSWER_MAX,
	};
	char *form = malloc(FORM_MAX);
	struct text t = text_over(form, form ? FORM_MAX : 0);

	write_form(&t, q->config, response, client);
	ask.body = text_bytes(&t);
	if (form && !t.full)
		q->fetch = fetch_whole(q->config->ready->fetcher, q->worker->loop, &ask, on_answer, q);
	free(form);
	return q->fetch != NULL;
}

struct captcha_question *captcha_ask(struct worker *w, const struct captcha_config *c, struct bytes response,
				     struct ip client, void (*done)(void *, enum captcha_result), void *ctx)
{
	struct captcha_question *q = calloc(1, sizeof *q);
	struct captcha_breaker *b = c->ready->breaker;

	if (!q)
		return NULL;
	*q = (struct captcha_question){ .worker = w, .config = c, .done = done, .ctx = ctx, .asked_us = clock_mono_us() };
	if (response.len == 0 || response.len > CAPTCHA_RESPONSE_MAX) {
		later(q, CAPTCHA_FAILED); /* whoever sends none, or that, has solved nothing */
	} else if (!captcha_breaker_enter(b, clock_mono_ms())) {
		later(q, CAPTCHA_TROUBLE);
		metrics_captcha(c->ready->metrics, w->number, asked_name(q), CAPTCHA_COUNT_UNASKED, 0);
	} else if (!send_question(q, response, &client)) {
		captcha_breaker_leave(b);
		later(q, CAPTCHA_TROUBLE);
		metrics_captcha(c->ready->metrics, w->number, asked_name(q), CAPTCHA_COUNT_UNASKED, 0);
	}
	return q;
}

void captcha_cancel(struct captcha_question *q)
{
	deadline_clear(&q->soon);
	if (q->fetch) {
		fetch_cancel(q->fetch);
		captcha_breaker_leave(q->config->ready->breaker);
	}
	free(q);
}
