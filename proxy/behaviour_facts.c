/* behaviour_facts.c -- what the head of a request tells, as facts. */
#include "base/clock.h"
#include "proxy/access.h"
#include "proxy/behaviour.h"
#include "proxy/bots.h"
#include "proxy/challenge.h"
#include "proxy/client.h"
#include "proxy/worker.h"

struct bytes behaviour_hash(struct exchange *x, struct bytes what, struct bytes b)
{
	struct hash128 h = hash128(hash128(x->worker->shared->process->hash_key, what), b);
	char *digits = arena_raw(x->arena, 32);

	for (int i = 0; digits && i < 32; i++)
		digits[i] = "0123456789abcdef"[(i < 16 ? h.a : h.b) >> (60 - i % 16 * 4) & 15];
	return (struct bytes){ digits, digits ? 32 : 0 };
}

static struct bytes truth(bool is)
{
	return is ? BYTES("true") : BYTES("false");
}

static struct bytes address(struct exchange *x)
{
	char room[64];
	struct text t = text_over(room, sizeof room);

	ip_text(&t, &x->request.client);
	return arena_copy(x->arena, text_bytes(&t));
}

/* Who is beside it: /24, /48. */
static struct bytes network(struct exchange *x)
{
	struct ip ip = x->request.client;
	bool is4 = ip_is4(&ip);
	char room[64];
	struct text t = text_over(room, sizeof room);

	memset(ip.b + (is4 ? 15 : 6), 0, is4 ? 1 : 10);
	ip_text(&t, &ip);
	text_str(&t, is4 ? "/24" : "/48");
	return arena_copy(x->arena, text_bytes(&t));
}

/* Of how TLS was offered what a client keeps: version, ciphers and first protocol. A session that is resumed has more extensions
 * than a new one, and those who go on must be of one fingerprint with those who come. */
static void put_tls(struct text *t, struct bytes ja4)
{
	text_put(t, bytes_sub(ja4, 0, 6));
	text_put(t, bytes_sub(ja4, 8, 23));
}

/* The order of the names, without those that come and go, and what the browser says of itself. */
static struct bytes fingerprint(struct exchange *x)
{
	char room[1024];
	struct text t = text_over(room, sizeof room);
	const struct fields *f = &x->request.fields;

	for (size_t i = 0; i < f->n && !t.full; i++)
		if (f->at[i].id != FIELD_COOKIE && f->at[i].id != FIELD_REFERER && f->at[i].id != FIELD_CONTENT_LENGTH &&
		    f->at[i].id != FIELD_CONTENT_TYPE && f->at[i].id != FIELD_X_FORWARDED_FOR) {
			text_put(&t, f->at[i].name);
			text_byte(&t, ',');
		}
	text_put(&t, fields_value(f, FIELD_USER_AGENT));
	text_put(&t, fields_value(f, FIELD_ACCEPT));
	put_tls(&t, stream_tls_ja4(x->client->stream));
	return behaviour_hash(x, BYTES("fingerprint"), text_bytes(&t));
}

/* The cookie that looks like a session. */
static struct bytes session(struct exchange *x)
{
	static const char *const marks[] = { "sess", "sid", "auth", "token", "jwt", "login" };
	struct bytes rest = fields_value(&x->request.fields, FIELD_COOKIE), pair;

	while (bytes_cut(&rest, ';', &pair)) {
		struct bytes name = bytes_trim(bytes_sub(pair, 0, bytes_index(pair, '=')));

		for (size_t i = 0; i < nelems(marks); i++)
			if (bytes_find_nocase(name, bytes_of(marks[i])) != SIZE_MAX)
				return behaviour_hash(x, BYTES("session"), bytes_trim(pair));
	}
	return (struct bytes){ 0 };
}

/* A page that someone looks at (Fetch Metadata; without it, what is asked for). */
static bool is_navigation(const struct request *r)
{
	const struct field *mode = fields_named(&r->fields, BYTES("Sec-Fetch-Mode"));

	if (mode)
		return bytes_eq(mode->value, BYTES("navigate"));
	return bytes_find_nocase(fields_value(&r->fields, FIELD_ACCEPT), BYTES("text/html")) != SIZE_MAX;
}

static struct bytes route(const struct exchange *x)
{
	const struct app_config *app = x->app->config;

	for (size_t i = 0; i < app->nroutes; i++)
		for (size_t k = 0; k < app->routes[i].paths.n; k++)
			if (access_path_holds(x, app->routes[i].paths.at[k]))
				return app->routes[i].name;
	return x->behaviour->login.known ? BYTES("login") : (struct bytes){ 0 };
}

void behaviour_gather(struct exchange *x, struct behaviour *b)
{
	const struct request *r = &x->request;
	struct facts *f = &b->facts;

	facts_target(f, x->arena, r->target);
	f->at_us = clock_mono_us();
	f->wall_ms = worker_wall_ms(x->worker);
	f->at[FACT_SOURCE_IP] = address(x);
	f->at[FACT_SERVICE] = BYTES("http");
	f->at[FACT_LOG_TYPE] = BYTES("http_access-log");
	f->at[FACT_DATASOURCE_TYPE] = BYTES("gate");
	f->at[FACT_VERB] = r->method;
	f->at[FACT_HTTP_VERSION] = r->minor ? BYTES("1.1") : BYTES("1.0");
	f->at[FACT_TARGET_FQDN] = r->hostname;
	f->at[FACT_USER_AGENT] = fields_value(&r->fields, FIELD_USER_AGENT);
	f->at[FACT_REFERER] = fields_value(&r->fields, FIELD_REFERER);
	f->at[FACT_APP] = x->app->config->name;
	f->at[FACT_NETWORK] = network(x);
	f->at[FACT_COOKIES] = truth(fields_first(&r->fields, FIELD_COOKIE) != NULL);
	f->at[FACT_SESSION] = session(x);
	f->at[FACT_FINGERPRINT] = fingerprint(x);
	f->at[FACT_JA4] = stream_tls_ja4(x->client->stream);
	f->at[FACT_NAVIGATION] = truth(is_navigation(r));
	f->at[FACT_MALFORMED] = truth(x->fault.code != 0);
	f->at[FACT_ROUTE] = route(x);
	f->at[FACT_HEAD_MS] = fact_number(x->arena, x->head_us / 1000);
	f->at[FACT_COUNTRY] = x->country;
	f->at[FACT_AS_NUMBER] = x->as;
	f->at[FACT_AS_NAME] = x->as_name;
	if (challenge_pass(x)->level)
		f->at[FACT_PASS] = fact_number(x->arena, challenge_pass(x)->level);
	bots_facts(x, f);
}
