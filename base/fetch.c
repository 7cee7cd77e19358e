/* fetch.c -- the life of a fetch:
 *
 *   begin     URL       -> addresses   fetch_dns.c
 *   connect   addresses -> stream      one after the other, each with its share of the time
 *   say       request   -> bytes       fetch_ask.c
 *   read      bytes     -> answer      fetch_read.c; a redirect begins again
 *   finish    one call of `done`
 *
 * It is freed when it is over and nothing in the loop points to it: its first
 * turn (posted, so that nothing is called from within fetch_start) and streams. */
#include "base/fetch_parts.h"
#include "base/tls.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>

enum { CONNECT_MIN_MS = 200 };

static void begin(struct fetch *);
static void connect_next(struct fetch *);

/* ---- the fetcher ---- */

struct fetcher *fetcher_new(const char *ca, dns_lookup *lookup, void *arg, struct err *e)
{
	struct fetcher *r = calloc(1, sizeof *r);

	if (r && (r->tls = tls_client_new(true, ca, e)) && (r->dns = dns_new(lookup, arg)))
		return r;
	if (!r || r->tls)
		err_set(e, SIDE_SELF, 0, "out of memory");
	fetcher_free(r);
	return NULL;
}

void fetcher_free(struct fetcher *r)
{
	if (!r)
		return;
	dns_free(r->dns);
	tls_context_free(r->tls);
	free(r);
}

/* ---- the end ---- */

static void unhold(struct fetch *f)
{
	if (--f->holds)
		return;
	free(f->whole);
	arena_free(f->arena); /* f with it */
}

/* Quiet from here on: what is still in the loop comes back and is let go. */
static void let_go(struct fetch *f)
{
	f->over = true;
	deadline_clear(&f->late);
	deadline_clear(&f->connect);
	if (f->lookup)
		dns_cancel(f->fetcher->dns, f->lookup);
	if (f->stream)
		stream_close(f->stream);
	f->lookup = NULL;
	f->stream = NULL;
}

void fetch_finish(struct fetch *f, const struct err *failed)
{
	if (f->over)
		return;
	let_go(f);
	f->on->done(f->owner, failed);
	unhold(f);
}

void fetch_cancel(struct fetch *f)
{
	if (f->over)
		return;
	let_go(f);
	unhold(f);
}

void fetch_fail(struct fetch *f, int code, const char *fmt, ...)
{
	struct err e = { .side = SIDE_UPSTREAM, .code = code };
	struct bytes at = bytes_sub(f->url.authority, 0, 80);
	va_list args;

	va_start(args, fmt);
	vsnprintf(e.text, sizeof e.text, fmt, args);
	va_end(args);
	err_at(&e, "%.*s", BYTES_ARG(at));
	fetch_finish(f, &e);
}

static void on_late(void *owner)
{
	struct fetch *f = owner;
	const char *what = f->in_body ? "the answer was not whole" : f->sent ? "no answer" :
			   f->stream ? "no connection" : "its name was not found";

	fetch_fail(f, 504, "%s within %u ms", what, f->ask.deadline_ms);
}

/* ---- the stream ---- */

static void on_ready(void *owner)
{
	struct fetch *f = owner;
	struct bytes v[2] = { fetch_head(f), f->ask.body };

	deadline_clear(&f->connect);
	if (!v[0].at) {
		fetch_fail(f, 502, "out of memory");
		return;
	}
	f->sent = true;
	stream_write(f->stream, v, 2); /* a broken stream tells by `ended` */
}

static void on_bytes(void *owner, struct bytes b)
{
	fetch_read(owner, b);
}

static void next_address(struct fetch *f, const char *why)
{
	snprintf(f->trouble, sizeof f->trouble, "%s", why);
	deadline_clear(&f->connect);
	stream_close(f->stream);
	f->stream = NULL;
	connect_next(f);
}

static void on_ended(void *owner, enum stream_end end, const char *why)
{
	struct fetch *f = owner;

	if (!f->sent)
		next_address(f, why);
	else if (!f->in_body)
		fetch_fail(f, 502, "the connection ended without an answer: %s", why);
	else if (end == END_CLEAN && http1_body_eof(&f->body))
		fetch_finish(f, NULL);
	else
		fetch_fail(f, 502, "the answer was cut short: %s", why);
}

static void on_closed(void *owner)
{
	unhold(owner);
}

static const struct stream_events stream_events = { on_ready, on_bytes, on_ended, NULL, on_closed };

/* ---- connecting ---- */

static void on_slow(void *owner)
{
	next_address(owner, "no connection in time");
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void address_of(const struct ip *ip, uint16_t port, union address *out)
{
	memset(out, 0, sizeof *out);
	if (ip_is4(ip)) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		memcpy(&out->v4.sin_addr, ip->b + 12, 4);
	} else {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		memcpy(&out->v6.sin6_addr, ip->b, 16);
	}
}

/* Its part of what is left, so that a dead address leaves time for the next. */
static uint64_t share_ms(const struct fetch *f, unsigned addresses)
{
	uint64_t now = loop_now_ms(f->loop), left = f->late_at_ms > now ? f->late_at_ms - now : 0;

	return left / addresses > CONNECT_MIN_MS ? left / addresses : CONNECT_MIN_MS;
}

static bool connect_to(struct fetch *f, const struct ip *ip)
{
	struct tls_context *tls = !f->url.tls ? NULL : f->ask.tls ? f->ask.tls : f->fetcher->tls;
	union address to;

	address_of(ip, f->url.port, &to);
	f->stream = stream_connect(f->loop, &to.any, &stream_events, f, tls, f->url.host.at);
	if (f->stream)
		f->holds++;
	return f->stream != NULL;
}

static void connect_next(struct fetch *f)
{
	while (f->next < f->to.n) {
		unsigned left = f->to.n - f->next;

		if (connect_to(f, &f->to.at[f->next++])) {
			deadline_set(f->loop, &f->connect, share_ms(f, left), on_slow, f);
			return;
		}
		snprintf(f->trouble, sizeof f->trouble, "it cannot be connected to");
	}
	fetch_fail(f, 502, "%s", f->trouble);
}

static void on_addresses(void *ctx, const struct dns_answer *a)
{
	struct fetch *f = ctx;

	f->lookup = NULL;
	f->to = *a;
	f->next = 0;
	if (a->n)
		connect_next(f);
	else
		fetch_fail(f, 502, "%s", a->why);
}

static void begin(struct fetch *f)
{
	struct dns_answer a;

	if (dns_find(f->fetcher->dns, f->loop, f->url.host, &a, &f->lookup, on_addresses, f))
		on_addresses(f, &a);
	else if (!f->lookup)
		fetch_fail(f, 502, "%s", a.why);
}

static struct bytes location_of(const struct fetch *f)
{
	return fields_value(&f->response.fields, FIELD_LOCATION);
}

void fetch_redirect(struct fetch *f)
{
	struct err e = { 0 };
	struct fetch_url to;

	if (f->redirects++ == f->ask.redirects) {
		fetch_fail(f, 502, "more than %u redirects", f->ask.redirects);
		return;
	}
	if (!fetch_url_follow(f->arena, &f->url, location_of(f), &to, &e)) {
		fetch_fail(f, 502, "%s", e.text);
		return;
	}
	f->with_fields = f->with_fields && fetch_url_same_origin(&f->url, &to);
	f->url = to;
	stream_close(f->stream);
	f->stream = NULL;
	f->sent = false;
	f->head = f->room;
	f->nhead = f->scanned = f->nread = 0;
	begin(f);
}

/* ---- starting ---- */

/* Its time begins here: the loop's clock is that of the turn, and the turn in which it
 * was asked for may have taken long. */
static void go(struct fetch *f)
{
	f->late_at_ms = loop_now_ms(f->loop) + f->ask.deadline_ms;
	deadline_set(f->loop, &f->late, f->ask.deadline_ms, on_late, f);
	begin(f);
}

static void first_turn(void *arg)
{
	struct fetch *f = arg;

	if (!f->over && f->refused.side)
		fetch_finish(f, &f->refused);
	else if (!f->over)
		go(f);
	unhold(f);
}

struct fetch *fetch_start(struct fetcher *r, struct loop *l, const struct fetch_request *q,
			  const struct fetch_events *on, void *owner)
{
	struct fetch *f = fetch_new(r, l, q);

	if (!f)
		return NULL;
	f->on = on;
	f->owner = owner;
	f->holds = 2;
	if (!loop_post(l, first_turn, f)) {
		arena_free(f->arena);
		return NULL;
	}
	return f;
}
