/* challenge.c -- passes: found in the request, weighed, made. */
#include "proxy/challenge.h"
#include "base/hash.h"
#include "proxy/client.h"
#include "proxy/reputation.h"
#include "proxy/worker.h"

enum {
	HARDER_BITS = 2,  /* what a proof of work has more where it stands in for a captcha */
	WAIT_SHARE = 3,   /* who only waited has a third of the budget */
	MAX_REVOKED_S = 48 * 3600,
};

static const char cookie_start[] = "eg_pass_"; /* behind "__Host-" where the cookie may have that */

static const struct challenge_config *config_of(const struct exchange *x)
{
	return &x->app->config->challenge;
}

static uint32_t now_s(struct exchange *x)
{
	return (uint32_t)(worker_wall_ms(x->worker) / 1000);
}

static uint32_t mono_s(const struct exchange *x)
{
	return (uint32_t)(loop_now_ms(x->worker->loop) / 1000);
}

/* ---- cookies ---- */

enum cookie { COOKIE_OTHER, COOKIE_PASS, COOKIE_ADMIN };

static enum cookie cookie_is(struct bytes pair)
{
	if (bytes_starts(pair, BYTES("__Host-")))
		pair = bytes_from(pair, strlen("__Host-"));
	if (bytes_starts(pair, bytes_of(cookie_start)))
		return COOKIE_PASS;
	return bytes_starts(pair, BYTES(ADMIN_COOKIE "=")) ? COOKIE_ADMIN : COOKIE_OTHER;
}

static void keep_pass(struct visit *v, struct bytes pair)
{
	size_t equals = bytes_index(pair, '=');

	if (equals != SIZE_MAX && v->npasses < VISIT_PASSES)
		v->passes[v->npasses++] = bytes_from(pair, equals + 1);
}

/* The pairs that are not ours, as they came. */
static struct bytes others_of(struct exchange *x, struct bytes cookies)
{
	struct text t = text_over(arena_raw(x->arena, cookies.len), cookies.len);
	struct bytes pair;

	while (t.at && bytes_cut(&cookies, ';', &pair)) {
		enum cookie is = cookie_is(bytes_trim(pair));

		if (is == COOKIE_PASS)
			keep_pass(&x->visit, bytes_trim(pair));
		if (is != COOKIE_OTHER)
			continue;
		if (t.len)
			text_byte(&t, ';');
		text_put(&t, t.len ? pair : bytes_trim(pair));
	}
	return text_bytes(&t);
}

void challenge_take_cookies(struct exchange *x)
{
	struct fields *f = &x->request.fields;

	for (size_t i = 0; i < f->n; i++) {
		struct bytes v = f->at[i].value;

		if (f->at[i].id != FIELD_COOKIE || (bytes_find(v, bytes_of(cookie_start)) == SIZE_MAX &&
						    bytes_find(v, BYTES(ADMIN_COOKIE "=")) == SIZE_MAX))
			continue;
		f->at[i].value = others_of(x, f->at[i].value);
		f->at[i].drop = f->at[i].drop || f->at[i].value.len == 0;
	}
}

/* The name tells cookies with other attributes apart, so that one from before a change of the
 * configuration is never in the way of a new one. */
static struct bytes cookie_name(struct exchange *x, bool secure)
{
	const struct challenge_config *c = config_of(x);
	uint64_t h = hash_content(hash_content(HASH_CONTENT_START, x->app->config->name), c->domain);
	struct text t = text_over(arena_raw(x->arena, 64), 64);

	h = hash_content(h, c->partitioned ? BYTES("/partitioned") : BYTES("/"));
	text_str(&t, secure && !c->domain.at ? "__Host-" : "");
	text_str(&t, cookie_start);
	text_printf(&t, "%08x", (unsigned)(h ^ h >> 32));
	return text_bytes(&t);
}

static struct bytes set_cookie(struct exchange *x, struct bytes pass)
{
	const struct challenge_config *c = config_of(x);
	bool secure = bytes_eq(x->request.scheme, BYTES("https")), partitioned = c->partitioned && secure;
	size_t room = 512;
	struct text t = text_over(arena_raw(x->arena, room), room);

	if (!t.at)
		return (struct bytes){ 0 };
	text_put(&t, cookie_name(x, secure));
	text_byte(&t, '=');
	text_put(&t, pass);
	text_printf(&t, "; Max-Age=%u; Path=/; HttpOnly", c->pass_ms / 1000);
	if (c->domain.at) {
		text_str(&t, "; Domain=");
		text_put(&t, c->domain);
	}
	/* A frame of another site gets and sends only what is SameSite=None. */
	text_str(&t, partitioned ? "; SameSite=None" : "; SameSite=Lax");
	text_str(&t, secure ? "; Secure" : "");
	text_str(&t, partitioned ? "; Partitioned" : "");
	return text_bytes(&t);
}

/* ---- networks ---- */

/* The first bits of an address, IPv4 or IPv6; a slice of it. */
static struct bytes network_of(const struct ip *ip, unsigned bytes4, unsigned bytes6)
{
	return ip_is4(ip) ? (struct bytes){ (const char *)ip->b + 12, bytes4 } : (struct bytes){ (const char *)ip->b, bytes6 };
}

static uint64_t key_of(const char *what, const struct app *app, struct bytes of)
{
	return hash_bytes(of) ^ hash_content(app->limit_seed, bytes_of(what)) * 0x9e3779b97f4a7c15u;
}

bool challenge_bind(const struct exchange *x, uint8_t out[TOKEN_BIND])
{
	struct bytes prefix = config_of(x)->strict ? network_of(&x->request.client, 3, 6) : (struct bytes){ 0 };

	return token_bind(&x->worker->keys, x->app->config->name, fields_value(&x->request.fields, FIELD_USER_AGENT),
			  prefix, out);
}

/* ---- the pass it brings ---- */

static uint64_t jti_of(const struct token_pass *p)
{
	uint64_t jti;

	memcpy(&jti, p->jti, sizeof jti);
	return jti;
}

/* Not one that is handed around. */
static bool is_with_one(struct exchange *x, const struct token_pass *p)
{
	uint64_t network = hash_bytes(network_of(&x->request.client, 3, 6));
	struct shared *shared = x->worker->shared;
	struct pass_news news;
	enum passes_use how = passes_use(shared->passes, jti_of(p), network, mono_s(x), mono_s(x) + MAX_REVOKED_S, &news);

	if (news.is)
		reputation_tell_pass(shared->reputation, &news);
	if (how == PASSES_JUST_REVOKED)
		metrics_challenge(x->app->state->metrics, x->worker->number, p->level, CHALLENGE_STEP_SHARED);
	return how == PASSES_GOOD;
}

const struct token_pass *challenge_pass(struct exchange *x)
{
	struct visit *v = &x->visit;
	uint8_t bind[TOKEN_BIND];
	struct token_pass p;

	if (v->read || !v->npasses || !challenge_bind(x, bind))
		return &v->pass;
	v->read = true;
	for (size_t i = 0; i < v->npasses; i++)
		if (token_pass_read(&x->worker->keys, v->passes[i], now_s(x), bind, &p) == TOKEN_GOOD &&
		    p.level > v->pass.level && is_with_one(x, &p))
			v->pass = p;
	return &v->pass;
}

unsigned challenge_stands(const struct exchange *x, unsigned level, unsigned *bits)
{
	static const unsigned instead[] = {
		[CAPTCHA_ELSE_POW] = CHALLENGE_POW, [CAPTCHA_ELSE_DENY] = CHALLENGE_DENY, [CAPTCHA_ELSE_ALLOW] = CHALLENGE_NONE,
	};
	const struct challenge_config *c = config_of(x);
	unsigned stands = level;

	if (level == CHALLENGE_CAPTCHA && !c->captcha.provider)
		stands = CHALLENGE_POW;
	else if (level == CHALLENGE_CAPTCHA && captcha_is_down(x->worker, &c->captcha))
		stands = instead[c->captcha.on_error];
	if (bits) {
		*bits = c->bits + (stands != level ? HARDER_BITS : 0);
		*bits = *bits > TOKEN_BITS_MAX ? TOKEN_BITS_MAX : *bits;
	}
	return stands;
}

static bool is_worth(const struct exchange *x, unsigned level)
{
	unsigned has = x->visit.pass.level;

	return has >= level || (has == CHALLENGE_WAIT && level == CHALLENGE_POW && config_of(x)->no_js == NO_JS_WAIT);
}

static bool take(struct exchange *x, const char *what, const struct rate_config *rate, unsigned share)
{
	struct bytes jti = { (const char *)x->visit.pass.jti, TOKEN_JTI };
	uint32_t count = rate->count / share ? rate->count / share : 1;

	return limits_take_of_all(x->worker->shared->limits, key_of(what, x->app, jti), loop_now_ms(x->worker->loop), count,
				  rate->per_ms, count) == 0;
}

static bool has_budget(struct exchange *x)
{
	const struct challenge_config *c = config_of(x);
	struct visit *v = &x->visit;
	unsigned share = v->pass.level == CHALLENGE_WAIT ? WAIT_SHARE : 1;

	if (v->charged)
		return !v->spent;
	v->charged = true;
	v->spent = !take(x, "pass requests", &c->requests, share) ||
		   (challenge_class_of(&x->request) == CLASS_NAVIGATION && !take(x, "pass pages", &c->pages, share));
	return !v->spent;
}

bool challenge_lifts(struct exchange *x, unsigned level)
{
	unsigned stands = challenge_stands(x, level, NULL);

	if (stands == CHALLENGE_NONE)
		return true;
	return challenge_pass(x)->level && is_worth(x, stands) && has_budget(x);
}

/* ---- a pass is made ---- */

/* Those by waiting count apart, and there are fewer of them. */
static uint64_t share_key(const struct app *app, const struct ip *client, bool waited)
{
	return key_of(waited ? "passes by waiting" : "passes", app, network_of(client, 3, 7));
}

static uint32_t share_size(const struct challenge_config *c, bool waited)
{
	return waited ? (c->passes + WAIT_SHARE - 1) / WAIT_SHARE : c->passes;
}

struct challenge_share challenge_share_of(const struct app *app, struct limits *limits, const struct ip *client, uint64_t now_ms)
{
	const struct challenge_config *c = &app->config->challenge;
	struct challenge_share share = { 0 };

	for (int waited = 0; waited <= 1; waited++) {
		share.of += share_size(c, waited);
		share.used += limits_taken(limits, share_key(app, client, waited), now_ms, share_size(c, waited), c->pass_ms);
	}
	return share;
}

/* Has the network had its share? The same token again costs nothing. */
static bool is_crowded(struct exchange *x, const struct token_pass *p)
{
	const struct challenge_config *c = config_of(x);
	bool waited = p->level == CHALLENGE_WAIT;
	uint32_t count = share_size(c, waited);
	uint64_t key = share_key(x->app, &x->request.client, waited);

	if (passes_has(x->worker->shared->passes, jti_of(p)))
		return false;
	if (limits_take_of_all(x->worker->shared->limits, key, loop_now_ms(x->worker->loop), count, c->pass_ms, count) != 0)
		return true;
	passes_add(x->worker->shared->passes, jti_of(p), mono_s(x));
	return false;
}

enum challenge_made challenge_make(struct exchange *x, const struct token *t, unsigned level, struct bytes *cookie)
{
	char text[TOKEN_PASS_LEN];
	struct token_pass p;

	if (!token_pass_of(&x->worker->keys, t, now_s(x), config_of(x)->pass_ms / 1000, (uint8_t)level, &p))
		return MADE_NONE;
	if (is_crowded(x, &p))
		return MADE_CROWDED;
	if (!token_pass_write(&x->worker->keys, &p, text))
		return MADE_NONE;
	*cookie = set_cookie(x, (struct bytes){ text, sizeof text });
	return cookie->at ? MADE : MADE_NONE;
}

void challenge_end(struct exchange *x)
{
	if (x->visit.captcha)
		captcha_cancel(x->visit.captcha);
}
