/* redis.c -- where to connect, and when again.
 *
 * A turn: the next url is looked up; a sentinel is asked for its master, which is looked up in its turn; both lines are
 * opened; when both are up the client is. Whatever fails ends the turn, and another begins after a back-off. In a cluster
 * all our keys are in one slot (they share a tag), so following MOVED once is enough. */
#include "cti/redis_parts.h"
#include "base/clock.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>

enum { LINES = 2, URLS_MAX = 16, ROOM = 64 << 10, AGAIN_FIRST_MS = 100, AGAIN_MOST_MS = 5000, SAY_MS = 10000, WHY = 160, HOST_ROOM = 256 };

enum { COMMANDS, BLOCKING }; /* the lines */

struct redis {
	struct loop *loop;
	struct redis_config config;
	struct redis_events on;
	struct arena *arena;          /* of the urls */
	struct redis_url urls[URLS_MAX];
	size_t nurls, turn;
	struct tls_context *tls;
	struct dns *dns;
	struct dns_ask *asking;
	struct line *lines[LINES], *sentinel;
	struct line_place { struct redis *redis; int which; } places[LINES];
	char host[HOST_ROOM];         /* the master, once it is known */
	uint16_t port;
	bool up, said, closing, moved;
	uint64_t said_ms;             /* the last line of it in the log */
	unsigned open, failures;      /* lines that are on the loop; turns in a row */
	struct deadline again;
	struct redis_counts counts;
	void (*closed)(void *);
	void *closed_ctx;
};

static void begin_turn(void *arg);

static const struct redis_url *url_now(const struct redis *r)
{
	return &r->urls[r->turn % r->nurls];
}

/* ---- a turn ends ---- */

static void set_up(struct redis *r, bool up)
{
	if (r->up == up)
		return;
	r->up = up;
	if (r->on.up)
		r->on.up(r->on.owner, up);
}

static void drop(struct line **l)
{
	struct line *gone = *l;

	*l = NULL;
	if (gone)
		line_close(gone);
}

/* The first of a row of failures, one in ten seconds however it flaps. */
static void say(struct redis *r, const char *why)
{
	uint64_t now = loop_now_ms(r->loop);

	if (r->said || r->moved || (r->said_ms && now - r->said_ms < SAY_MS))
		return;
	log_warn("redis: %s:%u: %s; this gate goes on with what it knows", r->host[0] ? r->host : "?", r->port, why);
	r->said = true;
	r->said_ms = now;
}

static void turn_failed(struct redis *r, const char *why)
{
	uint32_t wait_ms = AGAIN_FIRST_MS << (r->failures < 6 ? r->failures : 6);
	bool was_up = r->up;

	if (r->closing)
		return;
	if (r->asking)
		dns_cancel(r->dns, r->asking);
	r->asking = NULL;
	for (int i = 0; i < LINES; i++)
		drop(&r->lines[i]);
	drop(&r->sentinel);
	say(r, why);
	r->failures++;
	if (!r->moved) {
		r->turn++;
		r->host[0] = '\0';
	} else {
		wait_ms = AGAIN_FIRST_MS; /* two nodes may send us to each other */
	}
	if (was_up)
		r->counts.reconnects++;
	wait_ms = wait_ms > AGAIN_MOST_MS ? AGAIN_MOST_MS : wait_ms;
	wait_ms = wait_ms / 2 + (uint32_t)(clock_mono_us() * 2654435761u % (wait_ms / 2 + 1));
	deadline_set(r->loop, &r->again, wait_ms, begin_turn, r);
	set_up(r, false);
}

/* ---- lines ---- */

static void maybe_closed(struct redis *r);

static void on_line_up(void *owner)
{
	struct redis *r = ((struct line_place *)owner)->redis;

	if (!line_is_up(r->lines[COMMANDS]) || !line_is_up(r->lines[BLOCKING]))
		return;
	if (r->said)
		log_info("redis: %s:%u answers", r->host, r->port);
	r->said = false;
	r->failures = 0;
	set_up(r, true);
}

static void on_line_down(void *owner, const char *why)
{
	turn_failed(((struct line_place *)owner)->redis, why);
}

static void on_line_closed(void *owner)
{
	struct redis *r = ((struct line_place *)owner)->redis;

	r->open--;
	maybe_closed(r);
}

static bool take_place(struct redis *r, struct bytes place)
{
	size_t colon = SIZE_MAX;
	uint64_t port;

	for (size_t i = 0; i < place.len; i++)
		if (place.at[i] == ':')
			colon = i;
	if (colon == SIZE_MAX || !colon || colon >= HOST_ROOM || !bytes_u64(bytes_from(place, colon + 1), &port) || !port || port > 65535)
		return false;
	snprintf(r->host, sizeof r->host, "%.*s", (int)colon, place.at);
	r->port = (uint16_t)port;
	return true;
}

static void on_line_moved(void *owner, struct bytes to)
{
	struct redis *r = ((struct line_place *)owner)->redis;

	if (!r->config.cluster || !take_place(r, to))
		return;
	r->moved = true;
	turn_failed(r, "moved");
}

static const struct line_events line_on = { on_line_up, on_line_down, on_line_closed, on_line_moved };

static struct line_config line_config_of(const struct redis *r, const struct ip *address)
{
	const struct redis_url *u = url_now(r);

	return (struct line_config){
		.address = address, .port = r->port, .tls = r->tls, .server_name = r->tls ? r->host : NULL,
		.user = r->config.user.len ? r->config.user : u->user,
		.password = r->config.password.len ? r->config.password : u->password, .db = u->db,
		.connect_ms = r->config.connect_ms, .reply_ms = r->config.reply_ms,
	};
}

static void open_lines(struct redis *r, const struct ip *address)
{
	struct line_config c = line_config_of(r, address);

	for (int i = 0; i < LINES; i++) {
		if (!(r->lines[i] = line_open(r->loop, &c, &line_on, &r->places[i]))) {
			turn_failed(r, "cannot connect");
			return;
		}
		line_count_into(r->lines[i], &r->counts, i != BLOCKING);
		r->open++;
	}
}

/* ---- names ---- */

static void on_address(void *ctx, const struct dns_answer *a)
{
	struct redis *r = ctx;

	r->asking = NULL;
	if (a->n)
		open_lines(r, &a->at[r->failures % a->n]);
	else
		turn_failed(r, a->why);
}

static void find(struct redis *r, void (*found)(void *, const struct dns_answer *))
{
	struct dns_answer a = { .n = 0 };

	if (dns_find(r->dns, r->loop, bytes_of(r->host), &a, &r->asking, found, r)) {
		r->asking = NULL;
		found(r, &a);
	} else if (!r->asking) {
		turn_failed(r, a.why);
	}
}

/* ---- sentinels ---- */

static void on_master(void *owner, const struct redis_reply *reply)
{
	struct redis *r = owner;
	uint64_t port;

	if (!reply || r->closing)
		return;
	if (reply->kind != REDIS_ARRAY || reply->n != 2 || reply->items[0].text.len >= HOST_ROOM ||
	    !bytes_u64(reply->items[1].text, &port) || !port || port > 65535) {
		turn_failed(r, "the sentinel does not know that master");
		return;
	}
	snprintf(r->host, sizeof r->host, "%.*s", BYTES_ARG(reply->items[0].text));
	r->port = (uint16_t)port;
	drop(&r->sentinel);
	find(r, on_address);
}

static void on_sentinel_up(void *owner)
{
	struct redis *r = owner;
	struct bytes ask[] = { BYTES("SENTINEL"), BYTES("get-master-addr-by-name"), r->config.sentinel };

	if (!line_send(r->sentinel, ask, nelems(ask), r->config.reply_ms, on_master, r))
		turn_failed(r, "the sentinel takes no question");
}

static void on_sentinel_down(void *owner, const char *why)
{
	turn_failed(owner, why);
}

static void on_sentinel_closed(void *owner)
{
	struct redis *r = owner;

	r->open--;
	maybe_closed(r);
}

static const struct line_events sentinel_on = { on_sentinel_up, on_sentinel_down, on_sentinel_closed, NULL };

static void on_sentinel_address(void *ctx, const struct dns_answer *a)
{
	struct redis *r = ctx;
	struct line_config c;

	r->asking = NULL;
	if (!a->n) {
		turn_failed(r, a->why);
		return;
	}
	c = line_config_of(r, &a->at[0]);
	c.user = url_now(r)->user; /* a sentinel has its own */
	c.password = url_now(r)->password;
	c.db = 0;
	if ((r->sentinel = line_open(r->loop, &c, &sentinel_on, r)))
		r->open++;
	else
		turn_failed(r, "cannot connect to the sentinel");
}

/* ---- a turn begins ---- */

static void begin_turn(void *arg)
{
	struct redis *r = arg;
	const struct redis_url *u = url_now(r);

	if (r->moved) {
		r->moved = false; /* is it gone, the others are asked again */
		find(r, on_address);
		return;
	}
	snprintf(r->host, sizeof r->host, "%.*s", BYTES_ARG(u->host));
	r->port = u->port ? u->port : r->config.sentinel.len ? SENTINEL_PORT : REDIS_PORT;
	find(r, r->config.sentinel.len ? on_sentinel_address : on_address);
}

/* ---- the client ---- */

static bool urls_parse(const struct redis_config *c, struct arena *a, struct redis_url *out, struct err *err)
{
	if (!c->nurls || c->nurls > URLS_MAX)
		return err_set(err, SIDE_CONFIG, 0, "a Redis has 1 to %d urls", URLS_MAX);
	for (size_t i = 0; i < c->nurls; i++)
		if (!redis_url_parse(a, c->urls[i], &out[i], err))
			return false;
	for (size_t i = 1; i < c->nurls; i++)
		if (out[i].tls != out[0].tls)
			return err_set(err, SIDE_CONFIG, 0, "the urls of a Redis are all redis:// or all rediss://");
	return true;
}

bool redis_check(const struct redis_config *c, struct err *err)
{
	struct redis_url urls[URLS_MAX];
	struct arena *a = arena_new(ROOM);
	bool ok = a ? urls_parse(c, a, urls, err) : err_set(err, SIDE_SELF, 0, "out of memory");

	arena_free(a);
	if (ok && c->sentinel.len && c->cluster)
		return err_set(err, SIDE_CONFIG, 0, "a Redis has sentinels, or is a cluster");
	if (ok && c->nurls > 1 && !c->sentinel.len && !c->cluster)
		return err_set(err, SIDE_CONFIG, 0, "several urls are those of sentinels (`sentinel`) or of a cluster (`cluster: on`)");
	return ok;
}

static void redis_free(struct redis *r)
{
	if (r->dns)
		dns_free(r->dns);
	tls_context_free(r->tls);
	arena_free(r->arena);
	free(r);
}

static bool copy_config(struct redis *r, const struct redis_config *c, struct err *err)
{
	r->config = *c;
	r->config.connect_ms = c->connect_ms ? c->connect_ms : 2000;
	r->config.reply_ms = c->reply_ms ? c->reply_ms : 1000;
	r->config.sentinel = arena_copy(r->arena, c->sentinel);
	r->config.user = arena_copy(r->arena, c->user);
	r->config.password = arena_copy(r->arena, c->password);
	r->nurls = c->nurls;
	return redis_check(c, err) && urls_parse(c, r->arena, r->urls, err) &&
	       (!r->urls[0].tls || (r->tls = tls_client_new(c->verify, c->ca, err)));
}

struct redis *redis_open(struct loop *loop, const struct redis_config *config, const struct redis_events *on, struct err *err)
{
	struct redis *r = calloc(1, sizeof *r);

	err_set(err, SIDE_SELF, 0, "out of memory");
	if (!r)
		return NULL;
	r->loop = loop;
	r->on = *on;
	r->arena = arena_new(ROOM);
	r->dns = dns_new(NULL, NULL);
	for (int i = 0; i < LINES; i++)
		r->places[i] = (struct line_place){ r, i };
	if (!r->arena || !r->dns || !copy_config(r, config, err)) {
		redis_free(r);
		return NULL;
	}
	deadline_set(loop, &r->again, 0, begin_turn, r);
	return r;
}

static void maybe_closed(struct redis *r)
{
	void (*closed)(void *) = r->closed;
	void *ctx = r->closed_ctx;

	if (!r->closing || r->open)
		return;
	redis_free(r);
	if (closed)
		closed(ctx);
}

static void close_soon(void *arg)
{
	struct redis *r = arg;

	r->open--;
	maybe_closed(r);
}

void redis_close(struct redis *r, void (*closed)(void *), void *ctx)
{
	r->closing = true;
	r->closed = closed;
	r->closed_ctx = ctx;
	deadline_clear(&r->again);
	if (r->asking)
		dns_cancel(r->dns, r->asking);
	r->asking = NULL;
	for (int i = 0; i < LINES; i++)
		drop(&r->lines[i]);
	drop(&r->sentinel);
	set_up(r, false);
	r->open++; /* never from within this call */
	deadline_set(r->loop, &r->again, 0, close_soon, r);
}

bool redis_is_up(const struct redis *r)
{
	return r->up;
}

bool redis_send(struct redis *r, const struct bytes *args, unsigned n, unsigned key, redis_told *told, void *owner)
{
	(void)key; /* all keys are in one slot */
	return r->up && line_send(r->lines[COMMANDS], args, n, r->config.reply_ms, told, owner);
}

bool redis_block(struct redis *r, const struct bytes *args, unsigned n, unsigned key, uint32_t block_ms, redis_told *told, void *owner)
{
	(void)key;
	return r->up && !line_waiting(r->lines[BLOCKING]) &&
	       line_send(r->lines[BLOCKING], args, n, r->config.reply_ms + block_ms, told, owner);
}

void redis_count(const struct redis *r, struct redis_counts *out)
{
	*out = r->counts;
}
