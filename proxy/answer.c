/* answer.c -- answers that the gate itself gives. */
#include "base/clock.h"
#include "proxy/challenge.h"
#include "proxy/client.h"
#include "proxy/stages.h"
#include "proxy/worker.h"

enum { FIELDS_MAX = ANSWER_FIELDS_MAX + 3 }; /* and what send_own() adds */

struct own {
	struct field at[FIELDS_MAX];
	size_t n;
};

static void put(struct own *o, struct bytes name, struct bytes value)
{
	o->at[o->n++] = (struct field){ name, value, FIELD_OTHER, false };
}

static struct bytes number(struct exchange *x, uint64_t n)
{
	char buf[20];
	struct text t = text_over(buf, sizeof buf);

	text_u64(&t, n);
	return arena_copy(x->arena, text_bytes(&t));
}

static struct bytes date_now(struct exchange *x)
{
	char buf[40];
	struct text t = text_over(buf, sizeof buf);

	clock_http_date(&t, worker_wall_ms(x->worker));
	return arena_copy(x->arena, text_bytes(&t));
}

/* Part of the request is unread: the answer ends the connection. */
static void settle_connection(struct exchange *x, struct own *o)
{
	if (!x->up.done || x->fault.code || !x->request.keep_alive || x->client->last ||
	    worker_leaving(x->worker))
		x->close_client = true;
	if (x->close_client)
		put(o, BYTES("Connection"), BYTES("close"));
	else if (x->request.minor == 0)
		put(o, BYTES("Connection"), BYTES("keep-alive"));
}

static enum flow send_own(struct exchange *x, unsigned status, struct own *o, struct bytes body)
{
	struct response r = { .status = status, .reason = page_title(status), .minor = 1 };
	bool head_only = bytes_eq(x->request.method, BYTES("HEAD"));
	struct bytes v[2];

	put(o, BYTES("X-Request-Id"), (struct bytes){ x->id, ULID_LEN });
	put(o, BYTES("Date"), date_now(x));
	settle_connection(x, o);
	r.fields = (struct fields){ o->at, o->n, o->n };
	v[0] = http1_write_response(x->arena, &r, NULL, 0, status == 204 ? BODY_NONE : BODY_LENGTH, body.len);
	v[1] = body;
	x->status = status;
	x->answered_here = true;
	if (!v[0].at)
		x->close_client = true;
	else
		client_write(x->client, v, head_only ? 1 : 2);
	if (!head_only)
		x->response_bytes = body.len;
	return ANSWERED;
}

enum flow answer(struct exchange *x, unsigned status, struct bytes detail)
{
	struct page_ask ask = { .status = status, .id = { x->id, ULID_LEN }, .request = &x->request,
				.brand = x->app ? x->app->brand : NULL, .detail = detail };
	struct bytes type = BYTES("text/plain"), body = page_render(x->arena, &ask, &type);
	struct own o = { .n = 0 };

	put(&o, BYTES("Content-Type"), type);
	put(&o, BYTES("Cache-Control"), BYTES("no-store"));
	put(&o, BYTES("X-Content-Type-Options"), BYTES("nosniff"));
	if (x->ruling.retry_after_s)
		put(&o, BYTES("Retry-After"), number(x, x->ruling.retry_after_s));
	if (status == 405)
		put(&o, BYTES("Allow"), BYTES("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
	return send_own(x, status, &o, body);
}

enum flow answer_ruling(struct exchange *x)
{
	const struct ruling *r = &x->ruling;

	if (r->act == REMEDY_THROTTLE)
		return answer(x, 429, r->detail);
	if (r->act == REMEDY_CHALLENGE || r->act == REMEDY_CAPTCHA)
		return challenge_answer(x);
	if (r->location.len)
		return answer_redirect(x, r->status, r->location);
	return answer(x, r->status ? r->status : 403, r->detail);
}

enum flow answer_redirect(struct exchange *x, unsigned status, struct bytes location)
{
	struct own o = { .n = 0 };

	put(&o, BYTES("Location"), location);
	return send_own(x, status, &o, (struct bytes){ 0 });
}

enum flow answer_with(struct exchange *x, unsigned status, const struct field *fields, size_t n, struct bytes body)
{
	struct own o = { .n = 0 };

	for (size_t i = 0; i < n && i < ANSWER_FIELDS_MAX; i++)
		o.at[o.n++] = fields[i];
	return send_own(x, status, &o, body);
}
