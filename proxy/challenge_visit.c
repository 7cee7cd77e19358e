/* challenge_visit.c -- passes are taken out of the request, and /.embergate/... is
 * answered here: on every app, before its own rules, and never by a server.
 *
 *   GET  /.embergate/challenge   the challenge on its own, to be opened in a tab; ?level=captcha
 *   POST /.embergate/verify      t=TOKEN&n=N or t=TOKEN&r=SOLUTION: 204 with the cookie
 *   GET  /.embergate/verify      has the cookie arrived? 204, else 403
 *   GET  /.embergate/wait?t=     without JavaScript: the cookie, then ...&c, then the page */
#include "base/hash.h"
#include "proxy/challenge.h"
#include "proxy/client.h"
#include "proxy/worker.h"

static const char ours[] = "/.embergate/";

enum {
	ASKS = 60, ASKS_PER_MS = 60000, /* of all of them, by one address */
	AGAIN = 6,                      /* with one solved token, beyond those */
};

/* ---- forms ---- */

/* The value of a name in a form or query (application/x-www-form-urlencoded), decoded; at == NULL: not there. */
static struct bytes form_value(struct exchange *x, struct bytes form, struct bytes name)
{
	struct bytes pair;

	while (bytes_cut(&form, '&', &pair)) {
		size_t equals = bytes_index(pair, '=');
		struct bytes value = equals == SIZE_MAX ? BYTES("") : bytes_from(pair, equals + 1);
		struct text t;

		if (!bytes_eq(bytes_sub(pair, 0, equals), name))
			continue;
		t = text_over(arena_raw(x->arena, value.len + 1), value.len);
		for (size_t i = 0; t.at && i < value.len; i++) {
			bool coded = value.at[i] == '%' && i + 2 < value.len && byte_hex(value.at[i + 1]) >= 0 &&
				     byte_hex(value.at[i + 2]) >= 0;

			text_byte(&t, coded ? (char)(byte_hex(value.at[i + 1]) * 16 + byte_hex(value.at[i + 2]))
					    : value.at[i] == '+' ? ' ' : value.at[i]);
			i += coded ? 2 : 0;
		}
		return text_bytes(&t);
	}
	return (struct bytes){ 0 };
}

/* ---- outcomes ---- */

static enum flow redirect(struct exchange *x, struct bytes where, struct bytes cookie)
{
	return answer_with(x, 303, (const struct field[]){
		{ .name = BYTES("Location"), .value = where },
		{ .name = BYTES("Cache-Control"), .value = BYTES("no-store") },
		{ .name = BYTES("X-Robots-Tag"), .value = BYTES("noindex") },
		{ .name = BYTES("Set-Cookie"), .value = cookie },
	}, cookie.at ? 4 : 3, (struct bytes){ 0 });
}

/* Behind it the cookie must have come back. */
static struct bytes check_url(struct exchange *x, struct bytes token)
{
	size_t room = token.len + 32;
	struct text t = text_over(arena_raw(x->arena, room), room);

	text_str(&t, "/.embergate/wait?t=");
	text_put(&t, token);
	text_str(&t, "&c=1");
	return text_bytes(&t);
}

/* By the page's script, or by a form (or link) without one. */
struct asked {
	struct bytes text; /* of the token */
	struct token token;
	bool page;
};

static void count(struct exchange *x, const struct asked *a, enum challenge_step step)
{
	metrics_challenge(x->app->state->metrics, x->worker->number, a->token.level, step);
}

static enum flow fail(struct exchange *x, const struct asked *a, unsigned status, enum challenge_say what)
{
	if (a->page)
		return challenge_say(x, status, what);
	return answer(x, status, (struct bytes){ 0 });
}

static uint32_t age_s(struct exchange *x, const struct token *t)
{
	uint32_t now = (uint32_t)(worker_wall_ms(x->worker) / 1000);

	return now > t->iat_s ? now - t->iat_s : 0;
}

/* Whatever the mode of the app: these are no paths of its. */
static enum flow throttle(struct exchange *x)
{
	x->ruling = (struct ruling){ .act = REMEDY_THROTTLE, .would = REMEDY_THROTTLE, .source = SOURCE_LIMIT, .status = 429,
				     .retry_after_s = x->visit.retry_after_s, .reason = BYTES("challenges are asked for too often") };
	return answer_ruling(x);
}

/* Others behind the same address may be a flood: who brings a solution is heard all the same, which costs no more than to
 * refuse him. */
static bool is_heard(struct exchange *x, const struct asked *a)
{
	return !x->visit.retry_after_s || !limits_take(x->worker->shared->limits, hash_bytes(a->text), loop_now_ms(x->worker->loop),
						       AGAIN, ASKS_PER_MS, AGAIN);
}

static enum flow give(struct exchange *x, const struct asked *a, unsigned level)
{
	struct bytes cookie = { 0 };

	if (!is_heard(x, a))
		return throttle(x);
	switch (challenge_make(x, &a->token, level, &cookie)) {
	case MADE_CROWDED:
		count(x, a, CHALLENGE_STEP_CROWDED);
		return fail(x, a, 429, SAY_CROWDED);
	case MADE_NONE: return answer(x, 503, (struct bytes){ 0 });
	case MADE: break;
	}
	metrics_solved(x->app->state->metrics, x->worker->number, a->token.level, 1000000ull * age_s(x, &a->token));
	if (a->page)
		return redirect(x, check_url(x, a->text), cookie);
	return answer_with(x, 204, (const struct field[]){
		{ .name = BYTES("Set-Cookie"), .value = cookie },
		{ .name = BYTES("Cache-Control"), .value = BYTES("no-store") },
	}, 2, (struct bytes){ 0 });
}

/* What is wrong with a token, in one place for both ways. 410: the page fetches a new one. */
static enum flow refuse(struct exchange *x, const struct asked *a, enum token_verdict why)
{
	static const enum challenge_step steps[TOKEN_VERDICTS] = {
		[TOKEN_UNREADABLE] = CHALLENGE_STEP_FORGED, [TOKEN_FORGED] = CHALLENGE_STEP_FORGED,
		[TOKEN_EXPIRED] = CHALLENGE_STEP_EXPIRED,   [TOKEN_OTHERS] = CHALLENGE_STEP_FORGED,
		[TOKEN_UNSOLVED] = CHALLENGE_STEP_WRONG,
	};

	count(x, a, steps[why]);
	if (x->visit.retry_after_s)
		return throttle(x);
	return fail(x, a, why == TOKEN_EXPIRED ? 410 : 403, SAY_FAILED);
}

static enum token_verdict read_token(struct exchange *x, struct asked *a)
{
	uint8_t bind[TOKEN_BIND];
	char *room = arena_raw(x->arena, TOKEN_TEXT_MAX);

	if (!room || a->text.len > TOKEN_TEXT_MAX || !challenge_bind(x, bind))
		return TOKEN_UNREADABLE;
	return token_read(&x->worker->keys, a->text, (uint32_t)(worker_wall_ms(x->worker) / 1000), bind, room, &a->token);
}

/* Clocks of seconds: one less than was asked for. */
static uint32_t must_wait_s(const struct exchange *x)
{
	return x->app->config->challenge.wait_ms / 1000 - 1;
}

/* ---- a captcha is asked about ---- */

static void on_captcha(void *ctx, enum captcha_result result)
{
	struct exchange *x = ctx;

	x->visit.captcha = NULL;
	x->visit.captcha_answered = true;
	x->visit.captcha_result = result;
	exchange_run(x);
}

static enum flow judge_captcha(struct exchange *x, const struct asked *a)
{
	if (x->visit.captcha_result == CAPTCHA_PASSED)
		return give(x, a, CHALLENGE_CAPTCHA);
	count(x, a, x->visit.captcha_result == CAPTCHA_FAILED ? CHALLENGE_STEP_WRONG : CHALLENGE_STEP_TROUBLE);
	return fail(x, a, x->visit.captcha_result == CAPTCHA_FAILED ? 403 : 503, SAY_FAILED);
}

static enum flow ask_captcha(struct exchange *x, const struct asked *a, struct bytes form)
{
	const struct captcha_config *c = &x->app->config->challenge.captcha;
	struct bytes solution = form_value(x, form, BYTES("r"));

	if (x->visit.captcha_answered)
		return judge_captcha(x, a);
	if (x->visit.captcha)
		return WAIT;
	if (x->visit.retry_after_s) /* its provider is not for floods */
		return throttle(x);
	if (!solution.at && c->provider)
		solution = form_value(x, form, captcha_look(c).field);
	if (!solution.len || !c->provider)
		return refuse(x, a, TOKEN_UNSOLVED);
	x->visit.captcha = captcha_ask(x->worker, c, solution, x->request.client, on_captcha, x);
	return x->visit.captcha ? WAIT : answer(x, 503, (struct bytes){ 0 });
}

/* ---- the endpoints ---- */

static enum flow verify_form(struct exchange *x)
{
	struct bytes form = { x->up.hold.at, x->up.hold.len };
	struct asked a = { .text = form_value(x, form, BYTES("t")), .page = form_value(x, form, BYTES("go")).at };
	enum token_verdict verdict = read_token(x, &a);

	if (verdict != TOKEN_GOOD)
		return refuse(x, &a, verdict);
	switch (a.token.level) {
	case CHALLENGE_CAPTCHA: return ask_captcha(x, &a, form);
	case CHALLENGE_POW:
		if (!token_solved(a.text, a.token.bits, form_value(x, form, BYTES("n"))))
			return refuse(x, &a, TOKEN_UNSOLVED);
		return give(x, &a, CHALLENGE_POW);
	case CHALLENGE_WAIT:
		if (age_s(x, &a.token) < must_wait_s(x))
			return refuse(x, &a, TOKEN_UNSOLVED);
		return give(x, &a, CHALLENGE_WAIT);
	default: return refuse(x, &a, TOKEN_UNREADABLE);
	}
}

static enum flow visit_verify(struct exchange *x)
{
	if (!bytes_eq(x->request.method, BYTES("POST")))
		return challenge_pass(x)->level ? answer_with(x, 204, (const struct field[]){
			{ .name = BYTES("Cache-Control"), .value = BYTES("no-store") } }, 1, (struct bytes){ 0 })
						: x->visit.retry_after_s ? throttle(x) : answer(x, 403, (struct bytes){ 0 });
	if (x->up.done)
		return verify_form(x);
	if (!x->up.ours && x->request.expect_continue)
		client_write(x->client, &BYTES("HTTP/1.1 100 Continue\r\n\r\n"), 1);
	x->up.ours = true;
	return WAIT;
}

static enum flow visit_wait(struct exchange *x)
{
	const struct challenge_config *c = &x->app->config->challenge;
	struct asked a = { .text = form_value(x, x->request.query, BYTES("t")), .page = true };
	bool check = form_value(x, x->request.query, BYTES("c")).at;
	enum token_verdict verdict = read_token(x, &a);
	uint32_t age;

	if (verdict != TOKEN_GOOD)
		return refuse(x, &a, verdict);
	if (check)
		return challenge_pass(x)->level ? redirect(x, a.token.path, (struct bytes){ 0 }) : challenge_say(x, 403, SAY_COOKIES);
	if (!(a.token.level == CHALLENGE_WAIT || (a.token.level == CHALLENGE_POW && c->no_js == NO_JS_WAIT)))
		return refuse(x, &a, TOKEN_UNSOLVED);
	age = age_s(x, &a.token);
	if (age < must_wait_s(x) && x->visit.retry_after_s)
		return throttle(x);
	if (age < must_wait_s(x))
		return challenge_show_again(x, &a.token, a.text, must_wait_s(x) - age + 1);
	return give(x, &a, CHALLENGE_WAIT);
}

static enum flow visit_challenge(struct exchange *x)
{
	bool captcha = bytes_eq(form_value(x, x->request.query, BYTES("level")), BYTES("captcha"));
	unsigned level = captcha ? CHALLENGE_CAPTCHA : x->app->config->challenge.level;

	if (challenge_pass(x)->level && challenge_lifts(x, level))
		return challenge_say(x, 200, SAY_PASSED);
	if (x->visit.retry_after_s)
		return throttle(x);
	return challenge_show(x, x->app->config->challenge.status, level, BYTES("/.embergate/challenge"));
}

static const struct endpoint {
	struct bytes path;
	enum flow (*visit)(struct exchange *);
	bool from_elsewhere; /* a page of another site may lead here */
} endpoints[] = {
	{ BYTES_INIT("/.embergate/challenge"), visit_challenge, true },
	{ BYTES_INIT("/.embergate/verify"), visit_verify, false },
	{ BYTES_INIT("/.embergate/wait"), visit_wait, false },
};

/* ---- who has sent it ---- */

static struct bytes named(const struct exchange *x, struct bytes name)
{
	const struct field *f = fields_named(&x->request.fields, name);

	return f ? f->value : (struct bytes){ 0 };
}

/* Of "http://shop.example:8080/a" without the port, or of "shop.example:8080". */
static bool is_own_host(const struct exchange *x, struct bytes from)
{
	size_t scheme = bytes_find(from, BYTES("://"));
	struct bytes host = scheme == SIZE_MAX ? from : bytes_from(from, scheme + 3), forwarded = named(x, BYTES("X-Forwarded-Host"));

	host = bytes_sub(host, 0, bytes_index(host, '/'));
	/* A proxy before us may have changed Host. A page cannot write the field. */
	return bytes_eq_nocase(host, x->request.host) || (forwarded.len && bytes_eq_nocase(host, forwarded));
}

/* A page elsewhere may have solved tokens of its own sent by its visitors' browsers: they would get passes that are known to
 * others, and their networks' share of passes would be used up. Over TLS browsers say who sends; over plain HTTP there are
 * Origin, with what is posted, and Referer, which a page can have left out. */
static bool is_sent_by_another_site(const struct exchange *x)
{
	struct bytes site = named(x, BYTES("Sec-Fetch-Site")), origin = named(x, BYTES("Origin")),
		     page = fields_value(&x->request.fields, FIELD_REFERER);

	if (site.len)
		return !bytes_eq(site, BYTES("same-origin")) && !bytes_eq(site, BYTES("none"));
	if (origin.len)
		return !is_own_host(x, origin);
	return page.len && !is_own_host(x, page);
}

/* Once a request: the row is run again when its body is there. */
static void charge(struct exchange *x)
{
	struct ip key = ip_behaviour_key(&x->request.client);
	uint64_t bucket = hash_bytes((struct bytes){ (const char *)key.b, sizeof key.b }) ^ x->app->limit_seed;
	uint64_t wait_ms;

	if (x->up.ours)
		return;
	wait_ms = limits_take(x->worker->shared->limits, bucket, loop_now_ms(x->worker->loop), ASKS, ASKS_PER_MS, ASKS);
	x->visit.retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
}

/* In any reading: a server must not be reached by another spelling of what is ours. */
static bool is_ours(const struct request *r)
{
	for (size_t i = 0; i < r->nreadings; i++)
		if (bytes_starts_nocase(r->readings[i], bytes_of(ours)))
			return true;
	return false;
}

enum flow stage_visit(struct exchange *x)
{
	const struct endpoint *asked = NULL;

	if (!x->app || x->fault.code)
		return exchange_stopped(x) && x->up.ours ? answer_ruling(x) : GO;
	if (!x->up.ours && !x->visit.npasses)
		challenge_take_cookies(x);
	if (!is_ours(&x->request))
		return GO;
	if (exchange_stopped(x)) /* its body */
		return answer_ruling(x);
	for (size_t i = 0; i < nelems(endpoints) && !asked; i++)
		asked = bytes_eq(x->request.path, endpoints[i].path) ? &endpoints[i] : NULL;
	if (is_sent_by_another_site(x) && !(asked && asked->from_elsewhere && challenge_class_of(&x->request) == CLASS_NAVIGATION))
		return answer(x, 403, (struct bytes){ 0 });
	charge(x);
	if (asked)
		return asked->visit(x);
	return x->visit.retry_after_s ? throttle(x) : answer(x, 404, (struct bytes){ 0 });
}
