/* appsec.c -- a bouncer's question to a request, the request to a verdict, the verdict to an answer. */
#include "proxy/appsec.h"
#include "proxy/judge.h"
#include <stdlib.h>

struct appsec {
	struct appsec_options options;
	struct rules_scratch *scratch;
};

struct appsec *appsec_new(const struct appsec_options *options)
{
	struct appsec *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->options = *options;
	s->scratch = rules_scratch_new();
	if (s->scratch)
		return s;
	free(s);
	return NULL;
}

void appsec_free(struct appsec *s)
{
	if (s)
		rules_scratch_free(s->scratch);
	free(s);
}

/* ---- the request as the client sent it ---- */

static struct bytes said(const struct request *head, const char *name)
{
	const struct field *f = fields_named(&head->fields, bytes_of(name));

	return f ? f->value : (struct bytes){ 0 };
}

/* Of the bouncer's own connection, or written anew. */
static bool is_the_bouncers(const struct field *f, bool names_agent)
{
	if (f->drop || bytes_starts_nocase(f->name, BYTES("X-Crowdsec-Appsec-")))
		return true;
	switch (f->id) {
	case FIELD_HOST:
	case FIELD_CONNECTION:
	case FIELD_CONTENT_LENGTH:
	case FIELD_TRANSFER_ENCODING:
	case FIELD_CONTENT_ENCODING: /* the server has taken it off */
	case FIELD_EXPECT:
		return true;
	case FIELD_USER_AGENT:
		return names_agent;
	default:
		return false;
	}
}

static struct bytes head_of(struct arena *a, const struct appsec_asked *q)
{
	struct text t = text_over(arena_raw(a, JUDGE_HEAD_MAX), JUDGE_HEAD_MAX);
	struct bytes agent = said(q->head, "X-Crowdsec-Appsec-User-Agent"), host = said(q->head, "X-Crowdsec-Appsec-Host");

	if (!t.at)
		return (struct bytes){ 0 };
	text_put(&t, said(q->head, "X-Crowdsec-Appsec-Verb"));
	text_byte(&t, ' ');
	text_put(&t, said(q->head, "X-Crowdsec-Appsec-Uri"));
	text_str(&t, bytes_eq(said(q->head, "X-Crowdsec-Appsec-Http-Version"), BYTES("10")) ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
	judge_put_field(&t, BYTES("Host"), host.len ? host : q->head->host);
	if (agent.len)
		judge_put_field(&t, BYTES("User-Agent"), agent);
	for (size_t i = 0; i < q->head->fields.n; i++)
		if (!is_the_bouncers(&q->head->fields.at[i], agent.len > 0))
			judge_put_field(&t, q->head->fields.at[i].name, q->head->fields.at[i].value);
	if (q->body.len)
		text_printf(&t, "Content-Length: %zu\r\n", q->body.len);
	text_str(&t, "\r\n");
	return t.full ? (struct bytes){ 0 } : text_bytes(&t);
}

/* Only who is trusted may name the client. False: it names none. */
static bool client_of(const struct appsec_asked *q, struct ip *out)
{
	*out = q->peer;
	return !(q->key->scopes & KEY_TRUSTED) || ip_parse(said(q->head, "X-Crowdsec-Appsec-Ip"), out);
}

/* ---- the answer ---- */

static void answer(struct arena *a, struct appsec_told *out, unsigned status, const char *action, unsigned http_status)
{
	enum { ROOM = 256 };
	struct text t = text_over(arena_raw(a, ROOM), ROOM);

	out->status = status;
	if (!t.at)
		return;
	if (action)
		text_printf(&t, "{\"action\":\"%s\",\"http_status\":%u}", action, http_status);
	else
		text_printf(&t, "{\"message\":\"%s\"}", out->why);
	out->answer = text_bytes(&t);
}

static void refuse(struct arena *a, struct appsec_told *out, unsigned status, const char *why)
{
	out->why = why;
	answer(a, out, status, NULL, 0);
}

/* False: this is no question that may be asked. */
static bool may_ask(struct arena *a, const struct appsec_asked *q, struct appsec_told *out)
{
	static const char *const needed[] = { "X-Crowdsec-Appsec-Ip", "X-Crowdsec-Appsec-Uri", "X-Crowdsec-Appsec-Verb" };

	if (!q->key)
		refuse(a, out, 401, "access forbidden");
	else if (!(q->key->scopes & KEY_APPSEC))
		refuse(a, out, 401, "this key may not ask for verdicts"); /* a bouncer takes 403 for a verdict */
	else if (bytes_eq(q->head->method, BYTES("HEAD")))
		out->status = 200; /* is the key good? */
	for (size_t i = 0; !out->status && i < nelems(needed); i++)
		if (!said(q->head, needed[i]).len)
			refuse(a, out, 500, "X-Crowdsec-Appsec-Ip, -Uri and -Verb are needed");
	return !out->status;
}

void appsec_judge(struct appsec *s, struct arena *a, const struct appsec_asked *q, struct appsec_told *out)
{
	struct appsec_app app = { 0 };
	struct err e = { 0 };
	struct bytes head;
	unsigned status;

	*out = (struct appsec_told){ 0 };
	if (!may_ask(a, q, out))
		return;
	head = head_of(a, q);
	if (!head.at) {
		refuse(a, out, 500, "the head is too long");
		return;
	}
	status = judge_read(a, head, &out->request, &e);
	out->request.scheme = BYTES("http");
	if (!client_of(q, &out->request.client)) {
		refuse(a, out, 500, "X-Crowdsec-Appsec-Ip is no address");
		return;
	}
	if (s->options.choose(s->options.ctx, &out->request, a, &app) && app.rules)
		status = judge_inspect(a, &(struct judge){ app.rules, s->scratch, &app.inspect }, &out->request, q->body, status, &out->verdict);
	out->denied = status != 0;
	if (out->denied && app.enforced)
		answer(a, out, 403, "ban", status);
	else
		answer(a, out, 200, "allow", 200);
}

void appsec_take(void *appsec, struct serve_request *r, const struct key_info *key)
{
	struct appsec *s = appsec;
	struct appsec_asked q = { serve_head(r), serve_body(r), *serve_peer(r), key };
	struct arena *a = arena_new(APPSEC_ARENA + 2 * q.body.len);
	struct appsec_told told = { .status = 500 };

	if (a)
		appsec_judge(s, a, &q, &told);
	if (a && s->options.told)
		s->options.told(s->options.ctx, &told);
	serve_answer(r, &(struct serve_answer){ .status = told.status, .body = told.answer,
						.content_type = told.answer.len ? BYTES("application/json") : (struct bytes){ 0 } });
	arena_free(a);
}
