/* challenge_answer.c -- what somebody who has to show himself is answered. */
#include "base/tls.h"
#include "proxy/challenge.h"
#include "proxy/challenge_page.h"
#include "proxy/worker.h"
#include "proxy/client.h"

enum { MACHINE_RETRY_S = 60, NONCE = 16, CSP_MAX = 2048 };

static const struct page_config *look_of(const struct exchange *x)
{
	return &x->app->config->page;
}

static struct bytes hex(struct exchange *x, const uint8_t *b, size_t n)
{
	struct text t = text_over(arena_raw(x->arena, 2 * n), 2 * n);

	for (size_t i = 0; t.at && i < n; i++) {
		text_byte(&t, "0123456789abcdef"[b[i] >> 4]);
		text_byte(&t, "0123456789abcdef"[b[i] & 15]);
	}
	return text_bytes(&t);
}

/* ---- the page's policy ---- */

/* "https://c.example" of "https://c.example/a.js". */
static struct bytes origin_of(struct bytes url)
{
	size_t scheme = bytes_find(url, BYTES("://"));
	size_t end = scheme == SIZE_MAX ? SIZE_MAX : bytes_index(bytes_from(url, scheme + 3), '/');

	return end == SIZE_MAX ? url : bytes_sub(url, 0, scheme + 3 + end);
}

/* Scripts that the provider's own script loads are trusted with it; what else it needs comes from its sites. */
static void captcha_policy(struct text *t, struct bytes script, uint32_t provider)
{
	static const char *const more[] = {
		[CAPTCHA_OFF] = "", [CAPTCHA_TURNSTILE] = "", [CAPTCHA_CUSTOM] = "",
		[CAPTCHA_HCAPTCHA] = " https://hcaptcha.com https://*.hcaptcha.com",
		[CAPTCHA_RECAPTCHA] = " https://www.google.com https://www.gstatic.com https://www.recaptcha.net https://recaptcha.google.com",
		[CAPTCHA_FRIENDLY] = " https://api.friendlycaptcha.com",
	};
	static const char *const directives[] = { "connect-src 'self' ", "frame-src ", "img-src data: ", "style-src 'unsafe-inline' " };

	text_str(t, " 'strict-dynamic' 'wasm-unsafe-eval'");
	for (size_t i = 0; i < nelems(directives); i++) {
		text_str(t, "; ");
		text_str(t, directives[i]);
		text_put(t, origin_of(script));
		text_str(t, more[provider]);
	}
}

static struct bytes policy(struct exchange *x, const struct challenge_view *v)
{
	struct text t = text_over(arena_raw(x->arena, CSP_MAX), CSP_MAX);

	if (!t.at)
		return (struct bytes){ 0 };
	text_str(&t, "default-src 'none'; base-uri 'none'; form-action 'self'; worker-src blob:; script-src 'nonce-");
	text_put(&t, v->nonce);
	text_str(&t, "'");
	if (v->kind == VIEW_ASK && v->level == CHALLENGE_CAPTCHA) {
		captcha_policy(&t, v->script, x->app->config->challenge.captcha.provider);
	} else {
		text_str(&t, "; connect-src 'self'; style-src 'nonce-");
		text_put(&t, v->nonce);
		text_str(&t, "'");
	}
	return t.full ? (struct bytes){ 0 } : text_bytes(&t);
}

/* ---- the page ---- */

static enum challenge_why why_of(const struct exchange *x)
{
	switch (x->ruling.source) {
	case SOURCE_NONE:
	case SOURCE_OWN_RULE: return WHY_RULE;
	case SOURCE_LIMIT: return WHY_LIMIT;
	default: return WHY_OTHER;
	}
}

static enum flow send_page(struct exchange *x, unsigned status, struct challenge_view *v)
{
	const struct field *language = fields_named(&x->request.fields, BYTES("Accept-Language"));
	uint8_t nonce[NONCE];
	struct bytes body, csp;

	if (!tls_random(nonce, sizeof nonce))
		return answer(x, 503, (struct bytes){ 0 });
	v->nonce = hex(x, nonce, sizeof nonce);
	v->accept_language = language ? language->value : (struct bytes){ 0 };
	v->id = (struct bytes){ x->id, ULID_LEN };
	v->why = why_of(x);
	v->look = look_of(x);
	body = challenge_page(x->arena, v);
	csp = policy(x, v);
	if (!body.at || !csp.at)
		return answer(x, 503, (struct bytes){ 0 });
	return answer_with(x, status, (const struct field[]){
		{ .name = BYTES("Content-Type"), .value = BYTES("text/html; charset=utf-8") },
		{ .name = BYTES("Content-Security-Policy"), .value = csp },
		{ .name = BYTES("Cache-Control"), .value = BYTES("no-store") },
		{ .name = BYTES("Vary"), .value = BYTES("Cookie") },
		{ .name = BYTES("X-Robots-Tag"), .value = BYTES("noindex") },
		{ .name = BYTES("X-Content-Type-Options"), .value = BYTES("nosniff") },
		{ .name = BYTES("Referrer-Policy"), .value = BYTES("same-origin") },
	}, 7, body);
}

static enum flow show(struct exchange *x, unsigned status, const struct token *t, struct bytes text, unsigned wait_s)
{
	const struct challenge_config *c = &x->app->config->challenge;
	bool no_js_waits = t->level == CHALLENGE_WAIT || (t->level == CHALLENGE_POW && c->no_js == NO_JS_WAIT);
	struct challenge_view v = {
		.kind = VIEW_ASK, .level = t->level, .token = text, .bits = t->bits, .wait_s = wait_s,
		.may_wait = no_js_waits, .may_puzzle = t->level == CHALLENGE_POW && c->no_js == NO_JS_CAPTCHA,
	};
	struct captcha_look look = captcha_look(&c->captcha);

	v.prefix = token_prefix(text, arena_raw(x->arena, TOKEN_PREFIX));
	v.script = look.script;
	v.widget = look.widget;
	v.sitekey = c->captcha.sitekey;
	metrics_challenge(x->app->state->metrics, x->worker->number, t->level, CHALLENGE_STEP_ISSUED);
	return send_page(x, status, &v);
}

static unsigned wait_s(const struct exchange *x)
{
	return (x->app->config->challenge.wait_ms + 999) / 1000;
}

enum flow challenge_show(struct exchange *x, unsigned status, unsigned level, struct bytes target)
{
	const struct challenge_config *c = &x->app->config->challenge;
	struct text text = text_over(arena_raw(x->arena, TOKEN_TEXT_MAX), TOKEN_TEXT_MAX);
	unsigned bits, stands = challenge_stands(x, level, &bits);
	struct token t = { .iat_s = (uint32_t)(worker_wall_ms(x->worker) / 1000), .ttl_s = (uint16_t)(c->ttl_ms / 1000),
			   .level = (uint8_t)stands, .path = target };

	if (stands == CHALLENGE_DENY || stands == CHALLENGE_NONE)
		return answer(x, 403, (struct bytes){ 0 });
	t.bits = stands == CHALLENGE_POW ? (uint8_t)bits : 0;
	if (!text.at || !tls_random(t.nonce, sizeof t.nonce) || !challenge_bind(x, t.bind) ||
	    !token_write(&x->worker->keys, &t, &text) || text.full)
		return answer(x, 503, (struct bytes){ 0 });
	return show(x, status, &t, text_bytes(&text), wait_s(x) + (stands != CHALLENGE_WAIT));
}

enum flow challenge_show_again(struct exchange *x, const struct token *t, struct bytes text, unsigned seconds)
{
	struct token waits = *t;

	waits.level = CHALLENGE_WAIT;
	return show(x, x->app->config->challenge.status, &waits, text, seconds);
}

enum flow challenge_say(struct exchange *x, unsigned status, enum challenge_say what)
{
	static const enum challenge_view_kind kinds[] = { [SAY_PASSED] = VIEW_PASSED, [SAY_COOKIES] = VIEW_COOKIES,
							  [SAY_FAILED] = VIEW_FAILED, [SAY_CROWDED] = VIEW_CROWDED };
	struct challenge_view v = { .kind = kinds[what] };

	return send_page(x, status, &v);
}

/* ---- for those who cannot use a page ---- */

static enum flow answer_program(struct exchange *x, unsigned level)
{
	static const char *const fields[] = {
		[CHALLENGE_WAIT] = "wait; url=\"/.embergate/challenge\"",
		[CHALLENGE_POW] = "pow; url=\"/.embergate/challenge\"",
		[CHALLENGE_CAPTCHA] = "captcha; url=\"/.embergate/challenge?level=captcha\"",
	};
	size_t room = 256;
	struct text t = text_over(arena_raw(x->arena, room), room);

	if (!t.at)
		return answer(x, 503, (struct bytes){ 0 });
	text_str(&t, "{\"type\":\"about:blank\",\"title\":\"Verification required\",\"status\":403,\"request_id\":");
	text_json(&t, (struct bytes){ x->id, ULID_LEN });
	text_str(&t, "}\n");
	return answer_with(x, 403, (const struct field[]){
		{ .name = BYTES("Content-Type"), .value = BYTES("application/problem+json") },
		{ .name = BYTES("WAF-Challenge"), .value = bytes_of(fields[level]) },
		{ .name = BYTES("Cache-Control"), .value = BYTES("no-store") },
		{ .name = BYTES("Vary"), .value = BYTES("Cookie") },
		{ .name = BYTES("X-Robots-Tag"), .value = BYTES("noindex") },
	}, 5, text_bytes(&t));
}

enum flow challenge_answer(struct exchange *x)
{
	const struct ruling *r = &x->ruling;
	unsigned level = r->level ? r->level : x->app->config->challenge.level;
	unsigned stands = challenge_stands(x, level, NULL);

	if (stands == CHALLENGE_NONE || stands == CHALLENGE_DENY)
		return answer(x, 403, r->detail);
	switch (challenge_class_of(&x->request)) {
	case CLASS_NAVIGATION: return challenge_show(x, x->app->config->challenge.status, level, x->request.target);
	case CLASS_MACHINE:
		x->ruling.retry_after_s = MACHINE_RETRY_S;
		return answer(x, 429, r->detail);
	default: return answer_program(x, stands);
	}
}
