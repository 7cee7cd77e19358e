/* redis_line.c -- one connection: commands go out as they are asked, replies come in their order.
 *
 * hiredis parses, and our functions make what it finds: a tree in an arena, one a reply. Whatever is not the reply to the
 * oldest command (extra, late, garbled, endless) ends the connection, so no reply ever reaches another's caller. */
#include "cti/redis_parts.h"
#include "base/clock.h"
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAITING_MAX = 65536, LINE_MAX_BYTES = 64 << 10, BACKLOG_MAX = 64 << 20, ITEMS_MAX = 1 << 20, WHY = 160 };

struct waiting {
	struct waiting *next;
	redis_told *told;
	void *owner;
	uint64_t until_ms, asked_us;
};

struct line {
	struct loop *loop;
	struct line_config config;
	const struct line_events *on;
	void *owner;
	struct stream *stream;
	redisReader *reader;
	struct arena *arena;      /* of the reply that is being read; NULL: none */
	size_t taken;             /* bytes of it so far */
	struct waiting *first, **last;
	size_t nwaiting, answerable; /* answerable: asked before the bytes that are being read came */
	unsigned setting_up;      /* replies that are missing until it is up */
	bool up, closing, broken;
	struct deadline due;
	struct redis_counts *counts;
	bool timed;
};

/* ---- what hiredis finds becomes a tree ---- */

static struct redis_reply *slot_of(const redisReadTask *t)
{
	struct line *l = t->privdata;

	if (!l->arena && !(l->arena = arena_new(REDIS_REPLY_MAX)))
		return NULL;
	if (t->parent)
		return (struct redis_reply *)(uintptr_t)&((struct redis_reply *)t->parent->obj)->items[t->idx];
	return arena_get(l->arena, sizeof(struct redis_reply));
}

static void *make_text(const redisReadTask *t, char *at, size_t len)
{
	struct redis_reply *r = slot_of(t);

	if (!r)
		return NULL;
	r->kind = t->type == REDIS_REPLY_ERROR ? REDIS_ERROR : t->type == REDIS_REPLY_STATUS ? REDIS_STATUS : REDIS_TEXT;
	r->text = arena_copy(((struct line *)t->privdata)->arena, (struct bytes){ at, len });
	return r->text.at ? r : NULL;
}

static void *make_array(const redisReadTask *t, int n)
{
	struct redis_reply *r = n < 0 || n > ITEMS_MAX ? NULL : slot_of(t);

	if (!r)
		return NULL;
	r->kind = REDIS_ARRAY;
	r->n = (size_t)n;
	r->items = arena_get(((struct line *)t->privdata)->arena, ((size_t)n + 1) * sizeof *r->items);
	return r->items ? r : NULL;
}

static void *make_integer(const redisReadTask *t, long long value)
{
	struct redis_reply *r = slot_of(t);

	if (r) {
		r->kind = REDIS_INTEGER;
		r->integer = value;
	}
	return r;
}

static void *make_nil(const redisReadTask *t)
{
	struct redis_reply *r = slot_of(t);

	if (r)
		r->kind = REDIS_NIL;
	return r;
}

/* The arena goes as a whole. */
static void make_nothing(void *reply)
{
	(void)reply;
}

static redisReplyObjectFunctions makers = { make_text, make_array, make_integer, make_nil, make_nothing };

/* ---- the end ---- */

static void fail_all(struct line *l)
{
	struct waiting *w = l->first, *next;

	l->first = NULL;
	l->last = &l->first;
	l->nwaiting = 0;
	for (; w; w = next) {
		next = w->next;
		if (l->counts)
			l->counts->failed++;
		if (w->told)
			w->told(w->owner, NULL);
		free(w);
	}
}

/* Once. What waits fails, and the owner hears why. */
static void line_break(struct line *l, const char *why)
{
	char said[WHY];

	if (l->broken || l->closing)
		return;
	snprintf(said, sizeof said, "%s", why);
	l->broken = true;
	l->up = false;
	deadline_clear(&l->due);
	if (l->stream)
		stream_close(l->stream);
	fail_all(l);
	if (!l->closing)
		l->on->down(l->owner, said);
}

static void line_free(struct line *l)
{
	arena_free(l->arena);
	if (l->reader)
		redisReaderFree(l->reader);
	free(l);
}

static void on_closed(void *owner)
{
	struct line *l = owner;
	void (*closed)(void *) = l->on->closed;
	void *of = l->owner;

	l->stream = NULL;
	if (!l->closing)
		return; /* broken: line_close() comes later */
	line_free(l);
	closed(of);
}

static void close_now(void *arg)
{
	on_closed(arg);
}

void line_close(struct line *l)
{
	if (l->closing)
		return;
	l->closing = true;
	l->up = false;
	deadline_clear(&l->due);
	fail_all(l);
	if (l->stream && !l->broken)
		stream_close(l->stream);
	else if (!l->stream)
		deadline_set(l->loop, &l->due, 0, close_now, l);
}

/* ---- time ---- */

static void watch_time(struct line *l);

static void on_due(void *arg)
{
	struct line *l = arg;

	if (l->first && l->first->until_ms <= loop_now_ms(l->loop))
		line_break(l, l->up ? "no reply in time" : "no connection in time");
	else
		watch_time(l);
}

static void watch_time(struct line *l)
{
	uint64_t now = loop_now_ms(l->loop);

	if (!l->first)
		deadline_clear(&l->due);
	else
		deadline_set(l->loop, &l->due, l->first->until_ms > now ? l->first->until_ms - now : 0, on_due, l);
}

static void on_connect_due(void *arg)
{
	line_break(arg, "no connection in time");
}

/* ---- asking ---- */

static bool put(struct line *l, const struct bytes *args, unsigned n, uint32_t wait_ms, redis_told *told, void *owner)
{
	const char *at[REDIS_ARGS_MAX];
	size_t lens[REDIS_ARGS_MAX];
	struct waiting *w;
	struct bytes out;
	char *text;
	int len;

	if (n == 0 || n > REDIS_ARGS_MAX || l->nwaiting >= WAITING_MAX || stream_backlog(l->stream) > BACKLOG_MAX)
		return false;
	for (unsigned i = 0; i < n; i++) {
		at[i] = args[i].at ? args[i].at : "";
		lens[i] = args[i].len;
	}
	len = redisFormatCommandArgv(&text, (int)n, at, lens);
	w = len > 0 ? malloc(sizeof *w) : NULL;
	if (!w) {
		if (len > 0)
			redisFreeCommand(text);
		return false;
	}
	*w = (struct waiting){ .told = told, .owner = owner, .until_ms = loop_now_ms(l->loop) + wait_ms, .asked_us = clock_mono_us() };
	*l->last = w;
	l->last = &w->next;
	l->nwaiting++;
	out = (struct bytes){ text, (size_t)len };
	stream_write(l->stream, &out, 1); /* broken: `ended` will tell */
	redisFreeCommand(text);
	if (l->first == w)
		watch_time(l);
	return true;
}

bool line_send(struct line *l, const struct bytes *args, unsigned n, uint32_t wait_ms, redis_told *told, void *owner)
{
	if (!l->up || !put(l, args, n, wait_ms, told, owner))
		return false;
	if (l->counts)
		l->counts->sent++;
	return true;
}

/* ---- logging in ---- */

static void on_set_up(void *owner, const struct redis_reply *r)
{
	struct line *l = owner;
	char why[WHY];

	if (!r || l->broken || l->closing)
		return;
	if (r->kind == REDIS_ERROR) {
		snprintf(why, sizeof why, "%.*s", BYTES_ARG(bytes_sub(r->text, 0, WHY - 1)));
		line_break(l, why);
		return;
	}
	if (--l->setting_up)
		return;
	l->up = true;
	l->on->up(l->owner);
}

/* Who may not ask is let in; a sentinel says "sentinel". */
static void on_role(void *owner, const struct redis_reply *r)
{
	struct line *l = owner;

	if (!r || l->broken || l->closing)
		return;
	if (r->kind == REDIS_ARRAY && r->n && bytes_eq(r->items[0].text, BYTES("slave")))
		line_break(l, "it is a replica");
	else
		l->setting_up--; /* PING's is the last */
}

static void on_ready(void *owner)
{
	struct line *l = owner;
	const struct line_config *c = &l->config;
	struct bytes with_user[] = { BYTES("AUTH"), c->user, c->password }, plain[] = { BYTES("AUTH"), c->password };
	struct bytes ping[] = { BYTES("PING") }, role[] = { BYTES("ROLE") }, select[] = { BYTES("SELECT"), { 0 } };
	char number[16];
	struct text t = text_over(number, sizeof number);

	deadline_clear(&l->due);
	l->setting_up = 2 + (c->password.len > 0) + (c->db > 0);
	if (c->password.len && c->user.len)
		put(l, with_user, 3, c->reply_ms, on_set_up, l);
	else if (c->password.len)
		put(l, plain, 2, c->reply_ms, on_set_up, l);
	text_u64(&t, c->db);
	select[1] = text_bytes(&t);
	if (c->db)
		put(l, select, 2, c->reply_ms, on_set_up, l);
	put(l, role, 1, c->reply_ms, on_role, l);
	put(l, ping, 1, c->reply_ms, on_set_up, l);
}

/* ---- replies ---- */

static bool is_moved(const struct redis_reply *r, struct bytes *to)
{
	struct bytes rest = r->text, word;

	if (r->kind != REDIS_ERROR || !bytes_starts(r->text, BYTES("MOVED ")))
		return false;
	bytes_cut(&rest, ' ', &word);
	bytes_cut(&rest, ' ', &word);
	*to = rest;
	return rest.len > 0;
}

static void answer(struct line *l, const struct redis_reply *r)
{
	struct waiting *w = l->first;
	struct arena *arena = l->arena;
	struct bytes to;

	l->first = w->next;
	if (!l->first)
		l->last = &l->first;
	l->nwaiting--;
	l->answerable--;
	l->arena = NULL;
	l->taken = 0;
	if (l->counts) {
		l->counts->replied++;
		l->counts->errors += r->kind == REDIS_ERROR;
		l->counts->last_us = clock_mono_us() - w->asked_us;
		l->counts->timed += l->timed;
		l->counts->timed_us += l->timed ? l->counts->last_us : 0;
	}
	watch_time(l);
	if (w->told)
		w->told(w->owner, r);
	free(w);
	if (l->on->moved && is_moved(r, &to) && !l->closing && !l->broken)
		l->on->moved(l->owner, to);
	else if (r->kind == REDIS_ERROR && bytes_starts(r->text, BYTES("READONLY")))
		line_break(l, "it is a replica now"); /* its master is found anew */
	arena_free(arena);
}

/* hiredis looks for the end of a line in all that has come, with every piece anew. */
static bool is_endless(const redisReader *r)
{
	return r->len - r->pos > LINE_MAX_BYTES && !memchr(r->buf + r->pos, '\r', LINE_MAX_BYTES);
}

static void on_bytes(void *owner, struct bytes b)
{
	struct line *l = owner;

	l->answerable = l->nwaiting; /* not what is asked from within: a second reply in these bytes is not its */
	l->taken += b.len;
	if (l->taken > REDIS_REPLY_MAX || redisReaderFeed(l->reader, b.at, b.len) != REDIS_OK) {
		line_break(l, "a reply without an end");
		return;
	}
	while (!l->broken && !l->closing) {
		void *reply = NULL;

		if (redisReaderGetReply(l->reader, &reply) != REDIS_OK) {
			line_break(l, "that is no reply of a Redis");
			return;
		}
		if (!reply && is_endless(l->reader))
			line_break(l, "a line without an end");
		if (!reply)
			return;
		if (!l->answerable) {
			line_break(l, "a reply that nobody asked for");
			return;
		}
		answer(l, reply);
	}
}

static void on_ended(void *owner, enum stream_end how, const char *why)
{
	line_break(owner, how == END_CLEAN ? "the server has closed the connection" : why ? why : "the connection broke");
}

static void on_drained(void *owner)
{
	(void)owner;
}

/* ---- beginning ---- */

static const struct stream_events stream_on = { on_ready, on_bytes, on_ended, on_drained, on_closed };

static socklen_t sockaddr_of(const struct line_config *c, struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof *to);
	if (ip_is4(c->address)) {
		four->sin_family = AF_INET;
		four->sin_port = htons(c->port);
		memcpy(&four->sin_addr, c->address->b + 12, 4);
		return sizeof *four;
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(c->port);
	memcpy(&six->sin6_addr, c->address->b, 16);
	return sizeof *six;
}

struct line *line_open(struct loop *loop, const struct line_config *config, const struct line_events *on, void *owner)
{
	struct line *l = calloc(1, sizeof *l);
	struct sockaddr_storage to;

	if (!l)
		return NULL;
	*l = (struct line){ .loop = loop, .config = *config, .on = on, .owner = owner };
	l->last = &l->first;
	sockaddr_of(config, &to);
	l->reader = redisReaderCreateWithFunctions(&makers);
	if (l->reader) {
		l->reader->privdata = l;
		l->stream = stream_connect(loop, (const struct sockaddr *)&to, &stream_on, l, config->tls, config->server_name);
	}
	if (!l->stream) {
		line_free(l);
		return NULL;
	}
	deadline_set(loop, &l->due, config->connect_ms, on_connect_due, l);
	return l;
}

bool line_is_up(const struct line *l)
{
	return l && l->up;
}

size_t line_waiting(const struct line *l)
{
	return l->nwaiting;
}

void line_count_into(struct line *l, struct redis_counts *counts, bool timed)
{
	l->counts = counts;
	l->timed = timed;
}
