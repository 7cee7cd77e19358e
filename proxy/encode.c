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

static struct bytes address_of(struct exchange *x, const struct ip *ip)
{
	char buf[64];
	struct text t = text_over(buf, sizeof buf);

	ip_text(&t, ip);
	return copy_text(x, &t);
}

/* for=192.0.2.1;host="shop.example:8080";proto=https */
static struct bytes forwarded_element(struct exchange *x, const struct ip *who, struct bytes scheme)
{
	char buf[512];
	struct text t = text_over(buf, sizeof buf);
	bool four = ip_is4(who), quote = !is_token(x->request.host);

	text_str(&t, four ? "for=" : "for=\"[");
	ip_text(&t, who);
	text_str(&t, four ? ";host=" : "]\";host=");
	text_str(&t, quote ? "\"" : "");
	text_put(&t, x->request.host); /* host characters need no escape in quotes */
	text_str(&t, quote ? "\";proto=" : ";proto=");
	text_put(&t, scheme);
	return t.full ? (struct bytes){ 0 } : copy_text(x, &t);
}

/* Behind a trusted hop: the field that told who the client is goes on, the hop
 * added to it; the other one is written anew, so that both say the same. */
static void continue_chain(struct exchange *x, struct extras *e)
{
	const struct ip *hop = &x->client->from, *client = &x->origin.client;
	struct bytes scheme = x->client->tls ? BYTES("https") : BYTES("http"), peer = address_of(x, hop), chain[2];

	if (bytes_eq(x->origin.from, BYTES("X-Forwarded-For"))) {
		chain[0] = continued(x, FIELD_X_FORWARDED_FOR, peer);
		chain[1] = forwarded_element(x, client, x->request.scheme);
	} else if (bytes_eq(x->origin.from, BYTES("Forwarded"))) {
		chain[0] = address_of(x, client);
		chain[1] = continued(x, FIELD_FORWARDED, forwarded_element(x, hop, scheme));
	} else {
		chain[0] = address_of(x, client);
		chain[1] = forwarded_element(x, client, x->request.scheme);
	}
	extra(e, FIELD_X_FORWARDED_FOR, BYTES("X-Forwarded-For"), chain[0]);
	extra(e, FIELD_FORWARDED, BYTES("Forwarded"), chain[1]);
}

static void forwarding(struct exchange *x, struct extras *e)
{
	const struct fields *f = &x->request.fields;
	const struct ip *from = &x->client->from;
	struct bytes host = { 0 };

	if (x->origin.trusted_hop) {
		host = fields_value(f, FIELD_X_FORWARDED_HOST);
		continue_chain(x, e);
	} else {
		extra(e, FIELD_X_FORWARDED_FOR, BYTES("X-Forwarded-For"), address_of(x, from));
		extra(e, FIELD_FORWARDED, BYTES("Forwarded"), forwarded_element(x, from, x->request.scheme));
		if (fields_first(f, FIELD_X_REAL_IP))
			extra(e, FIELD_X_REAL_IP, BYTES("X-Real-IP"), address_of(x, from));
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
