/* lapi_stream.c -- pulls of bouncers: what is new since the last, and what is over.
 *
 * Written in pieces as the client takes them, so that a first pull of a million never holds up the loop. A bouncer's mark is
 * kept here by key and address and, where there is a share, there too: one of another process is taken with some seconds
 * more, since what it was told may have come here later. */
#include "base/clock.h"
#include "base/hash.h"
#include "cti/lapi_parts.h"
#include <stdio.h>
#include <stdlib.h>

enum {
	STEP = 64,                /* entries under the log's lock: some tens of microseconds */
	PIECE_CAP = 256 << 10,
	AHEAD_MAX = 256 << 10,    /* bytes that wait for the client */
	CURSORS_MAX = 16384, CURSOR_LIFE_S = 24 * 3600,
	STRANGER_MS = 10 * 1000,
};

struct cursor {
	struct cursor *next;
	uint64_t key, mark_ms;
};

/* Ended by go_on() alone, which is run once at a time. */
struct pull {
	struct call *call;
	struct lapi_filter filter;
	struct lapi_walk walk;
	uint64_t cursor;
	char name[48];             /* of the cursor in the share */
	bool posted;               /* go_on() is */
	bool any, over, done;
	struct text piece;
	char room[PIECE_CAP];
};

/* ---- cursors ---- */

static struct cursor *cursor_find(struct lapi *l, uint64_t key)
{
	for (struct cursor *c = l->cursors; c; c = c->next)
		if (c->key == key)
			return c;
	return NULL;
}

static void cursor_keep(struct lapi *l, const struct pull *p)
{
	struct cursor *c = cursor_find(l, p->cursor);
	char room[64];
	struct text t = text_over(room, sizeof room);

	if (!c && l->ncursors < CURSORS_MAX && (c = calloc(1, sizeof *c))) {
		c->key = p->cursor;
		c->next = l->cursors;
		l->cursors = c;
		l->ncursors++;
	}
	if (c)
		c->mark_ms = p->walk.mark_ms;
	text_printf(&t, "%llu %llx", (unsigned long long)p->walk.mark_ms, (unsigned long long)l->who);
	if (l->options.share)
		share_put(l->options.share, bytes_of(p->name), text_bytes(&t), CURSOR_LIFE_S);
}

/* Of a bouncer and its address: the same key from another address is another bouncer. */
static void name_cursor(struct pull *p)
{
	const struct ip *from = serve_peer(p->call->request);
	uint64_t of[2] = { hash_bytes(bytes_of(p->call->key->name)), hash_bytes((struct bytes){ (const char *)from->b, sizeof from->b }) };

	p->cursor = hash_bytes((struct bytes){ (const char *)of, sizeof of });
	snprintf(p->name, sizeof p->name, "lapi:%llx", (unsigned long long)p->cursor);
}

/* ---- writing ---- */

/* One whose texts are absurdly long is left out, lest no pull ever end. */
static void note(void *ctx, const struct decision *d, uint64_t over_ms)
{
	struct pull *p = ctx;
	size_t before = p->piece.len;

	text_str(&p->piece, p->any ? "," : "");
	lapi_decision(&p->piece, d, clock_wall_ms(), over_ms);
	if (p->piece.full || p->piece.len + 64 > p->piece.cap) { /* turn() has room */
		p->piece.len = before;
		p->piece.full = false;
		return;
	}
	p->any = true;
}

static void end(struct pull *p, bool whole)
{
	struct lapi *l = p->call->lapi;

	l->pulls--;
	lapi_walk_end(&p->walk);
	if (whole)
		cursor_keep(l, p);
	serve_end(p->call->request, whole);
	free(p);
}

/* Between the two lists, and after them. */
static void turn(struct pull *p)
{
	text_str(&p->piece, p->over ? "]}" : "],\"deleted\":[");
	p->done = p->over;
	p->over = true;
	p->any = false;
	if (!p->done)
		lapi_walk_over(&p->walk);
}

static void post(void *ctx);

static void go_on(void *ctx)
{
	struct pull *p = ctx;
	struct call *c = p->call;

	p->posted = false;
	if (serve_is_gone(c->request)) {
		end(p, false);
		return;
	}
	if (serve_backlog(c->request) > AHEAD_MAX)
		return; /* post() is called once the client has taken it */
	if (!lapi_walk_step(&p->walk, STEP, clock_wall_ms(), note, p))
		turn(p);
	serve_piece(c->request, text_bytes(&p->piece));
	p->piece.len = 0;
	if (p->done && !p->posted)
		end(p, true);
	else
		post(p);
}

/* In the next turn of the loop; what else waits there comes first. */
static void post(void *ctx)
{
	struct pull *p = ctx;

	if (!p->posted)
		p->posted = loop_post(p->call->lapi->loop, go_on, p);
}

static void begin(struct pull *p, uint64_t since_ms)
{
	struct call *c = p->call;
	struct serve_answer head = { .status = 200, .content_type = BYTES("application/json; charset=utf-8") };

	lapi_walk_begin(&p->walk, c->lapi->log, &p->filter, since_ms, clock_wall_ms());
	text_str(&p->piece, "{\"new\":[");
	serve_begin(c->request, &head, post, p);
	serve_on_gone(c->request, post, p);
	post(p);
}

/* "MARK WHO" */
static void got_cursor(void *owner, bool known, struct bytes value)
{
	struct pull *p = owner;
	const struct cursor *mine = cursor_find(p->call->lapi, p->cursor);
	uint64_t mark = 0, own = mine ? mine->mark_ms : 0;
	struct bytes word;
	char who[32];

	snprintf(who, sizeof who, "%llx", (unsigned long long)p->call->lapi->who);
	if (!known || !bytes_cut(&value, ' ', &word) || !bytes_u64(word, &mark))
		mark = own;
	else if (!bytes_eq(value, bytes_of(who)))
		mark -= mark > STRANGER_MS ? STRANGER_MS : mark;
	begin(p, mark);
}

void lapi_stream(struct call *c)
{
	struct lapi *l = c->lapi;
	struct pull *p = l->pulls < LAPI_PULLS_MAX ? malloc(sizeof *p) : NULL;
	struct lapi_error why;

	if (!p) {
		lapi_message(c, 503, "too many pulls at once");
		return;
	}
	memset(p, 0, offsetof(struct pull, room));
	p->call = c;
	p->piece = text_over(p->room, sizeof p->room);
	l->pulls++;
	l->counts.streams++;
	lapi_filter_read(&p->filter, lapi_param_of, c, true, &why);
	name_cursor(p);
	if (bytes_eq_nocase(serve_query(c->request, BYTES("startup")), BYTES("true")))
		begin(p, 0);
	else if (!l->options.share || !share_get(l->options.share, bytes_of(p->name), got_cursor, p))
		got_cursor(p, false, (struct bytes){ NULL, 0 });
}

void lapi_stream_free(struct lapi *l)
{
	for (struct cursor *c = l->cursors, *next; c; c = next) {
		next = c->next;
		free(c);
	}
}
