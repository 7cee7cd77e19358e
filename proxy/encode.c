/* encode.c -- the gate's own fields.
 *
 * X-Forwarded-For, -Proto, -Host and Forwarded (RFC 7239) are written anew: what
 * a client claims is dropped, what a trusted hop says is kept and continued. */
#include "proxy/encode.h"
#include "proxy/client.h"
#include "proxy/worker.h"

enum { EXTRAS = 10 };

struct extras {
	struct field at[EXTRAS];
	size_t n;
};

static void extra(struct extras *e, enum field_id id, struct bytes name, struct bytes value)
{
	if (value.at && e->n < EXTRAS)
		e->at[e->n++] = (struct field){ name, value, id, false };
}

/* Every received value of a list field, joined, then ", " and `last`. */
static struct bytes continued(struct exchange *x, enum field_id id, struct bytes last)
{
	const struct fields *f = &x->request.fields;
	size_t room = last.len;
	struct text t;

	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].id == id)
			room += f->at[i].value.len + 2;
	t = text_over(arena_raw(x->arena, room), room);
	if (!t.at)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].id == id && f->at[i].value.len) {
			text_put(&t, f->at[i].value);
			text_put(&t, BYTES(", "));
		}
	text_put(&t, last);
	return text_bytes(&t);
}

static bool is_token(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = b.at[i];

		if (!(c >= '0' && c <= '9') && !(byte_lower(c) >= 'a' && byte_lower(c) <= 'z') &&
		    c != '.' && c != '-' && c != '_')
			return false;
	}
	return b.len > 0;
}

static struct bytes copy_text(struct exchange *x, const struct text *t)
{
	return arena_copy(x->arena, text_bytes(t));
}

/* for=192.0.2.1;host="shop.example:8080";proto=https */
static struct bytes forwarded_element(struct exchange *x, struct bytes peer, bool four, struct bytes scheme)
{
	char buf[512];
	struct text t = text_over(buf, sizeof buf);

	text_str(&t, four ? "for=" : "for=\"[");
	text_put(&t, peer);
	text_str(&t, four ? ";host=" : "]\";host=");
	if (is_token(x->request.host)) {
		text_put(&t, x->request.host);
	} else {
		text_byte(&t, '"');
		text_put(&t, x->request.host); /* host characters need no escape in quotes */
		text_byte(&t, '"');
	}
	text_str(&t, ";proto=");
	text_put(&t, scheme);
	return t.full ? (struct bytes){ 0 } : copy_text(x, &t);
}

static void forwarding(struct exchange *x, struct extras *e)
{
	const struct fields *f = &x->request.fields;
	const struct client *c = x->client;
	char buf[64];
	struct text t = text_over(buf, sizeof buf);
	struct bytes peer, forwarded, host = { 0 };

	ip_text(&t, &c->from);
	peer = copy_text(x, &t);
	forwarded = forwarded_element(x, peer, ip_is4(&c->from), c->tls ? BYTES("https") : BYTES("http"));
	if (x->origin.trusted_hop) {
		host = fields_value(f, FIELD_X_FORWARDED_HOST);
		extra(e, FIELD_X_FORWARDED_FOR, BYTES("X-Forwarded-For"),
		      continued(x, FIELD_X_FORWARDED_FOR, peer));
		extra(e, FIELD_FORWARDED, BYTES("Forwarded"), continued(x, FIELD_FORWARDED, forwarded));
	} else {
		extra(e, FIELD_X_FORWARDED_FOR, BYTES("X-Forwarded-For"), peer);
		extra(e, FIELD_FORWARDED, BYTES("Forwarded"), forwarded);
		if (fields_first(f, FIELD_X_REAL_IP))
			extra(e, FIELD_X_REAL_IP, BYTES("X-Real-IP"), peer);
	}
	extra(e, FIELD_X_FORWARDED_PROTO, BYTES("X-Forwarded-Proto"), x->request.scheme);
	extra(e, FIELD_X_FORWARDED_HOST, BYTES("X-Forwarded-Host"), host.len ? host : x->request.host);
}

struct bytes encode_request(struct exchange *x, const struct backend *b)
{
	struct extras e = { .n = 0 };

	/* HTTP/1.0 may come without a Host; servers of HTTP/1.1 want one. */
	if (x->app->config->upstream.host_from_server || x->request.host.len == 0)
		extra(&e, FIELD_HOST, BYTES("Host"), bytes_of(b->server->name));
	forwarding(x, &e);
	extra(&e, FIELD_X_REQUEST_ID, BYTES("X-Request-Id"), (struct bytes){ x->id, ULID_LEN });
	if (x->request.upgrade.at) {
		extra(&e, FIELD_CONNECTION, BYTES("Connection"), BYTES("upgrade"));
		extra(&e, FIELD_UPGRADE, BYTES("Upgrade"), x->request.upgrade);
	}
	return http1_write_request(x->arena, &x->request, e.at, e.n, x->request.framing, x->request.length);
}

/* How the answer is delimited towards the client. Chunks where the end is not
 * known, which HTTP/1.0 does not have: there the end of the connection is the
 * end, and only a clean one. */
static enum framing client_framing(struct exchange *x)
{
	const struct response *r = &x->down.head;

	if (r->framing != BODY_CHUNKED && r->framing != BODY_UNTIL_CLOSE)
		return r->framing;
	if (x->request.minor == 0) {
		x->close_client = true;
		return BODY_UNTIL_CLOSE;
	}
	x->down.chunked_out = true;
	return BODY_CHUNKED;
}

struct bytes encode_response(struct exchange *x)
{
	const struct response *r = &x->down.head;
	struct extras e = { .n = 0 };
	enum framing framing = client_framing(x);

	if (!x->request.keep_alive || x->client->last || worker_leaving(x->worker))
		x->close_client = true;
	extra(&e, FIELD_X_REQUEST_ID, BYTES("X-Request-Id"), (struct bytes){ x->id, ULID_LEN });
	if (x->down.tunnel) {
		extra(&e, FIELD_CONNECTION, BYTES("Connection"), BYTES("upgrade"));
		extra(&e, FIELD_UPGRADE, BYTES("Upgrade"), fields_value(&r->fields, FIELD_UPGRADE));
	} else if (x->close_client) {
		extra(&e, FIELD_CONNECTION, BYTES("Connection"), BYTES("close"));
	} else if (x->request.minor == 0) {
		extra(&e, FIELD_CONNECTION, BYTES("Connection"), BYTES("keep-alive"));
	}
	return http1_write_response(x->arena, r, e.at, e.n, framing, r->length);
}
