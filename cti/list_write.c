/* list_write.c -- decisions gathered, made disjoint, and written in the form that is asked for.
 *
 * Blocks (CIDR) lie in each other or apart. Sorted by where they begin, wider ones first, one pass with a stack of those
 * that are open cuts them into pieces, of each of which one thing holds: what allows outranks, else the strictest. */
#include "cti/list_write_parts.h"
#include <errno.h>
#include <stdlib.h>

const char *const list_form_words[LIST_FORMS] = { "plain", "csv", "json", "nft", "ipset", "haproxy", "nginx" };

enum list_form list_form_named(struct bytes word)
{
	unsigned i = 0;

	while (i < LIST_FORMS && !bytes_eq_nocase(word, bytes_of(list_form_words[i])))
		i++;
	return i;
}

/* ---- gathering ---- */

struct gathered {
	struct list_piece *at;
	size_t n, cap;
	uint64_t now_ms;
	bool failed;
};

static bool net_of(const struct decision *d, struct ip_net *out)
{
	if ((d->scope != SCOPE_IP && d->scope != SCOPE_RANGE) || !ip_net_parse(d->value, out))
		return false;
	if (d->scope == SCOPE_IP && !ip_is4(&out->base)) {
		out->base = ip_behaviour_key(&out->base);
		out->bits = 64;
	}
	return true;
}

static bool gather(void *ctx, const struct decision *d)
{
	struct gathered *g = ctx;
	struct list_piece *grown;
	struct ip_net net;

	if (d->simulated || d->until_ms <= g->now_ms || d->remedy == REMEDY_LOG || !net_of(d, &net))
		return true;
	if (g->n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 1024;
		if (!(grown = realloc(g->at, g->cap * sizeof *grown))) {
			g->failed = true;
			return false;
		}
		g->at = grown;
	}
	g->at[g->n] = (struct list_piece){ { net.base, net.base }, d->remedy, d->until_ms };
	for (unsigned bit = net.bits; bit < 128; bit++)
		g->at[g->n].block.last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	g->n++;
	return true;
}

/* ---- cutting ---- */

static int compare(const struct ip *a, const struct ip *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

static int by_place(const void *a, const void *b)
{
	const struct list_piece *x = a, *y = b;
	int by_first = compare(&x->block.first, &y->block.first);

	return by_first ? by_first : compare(&y->block.last, &x->block.last);
}

static bool next(struct ip *ip)
{
	for (int i = 15; i >= 0; i--)
		if (++ip->b[i])
			return true;
	return false;
}

static void before(struct ip *ip)
{
	for (int i = 15; i >= 0; i--)
		if (ip->b[i]--)
			return;
}

/* What holds where both are. */
static void join(struct list_piece *to, const struct list_piece *with)
{
	if (to->remedy == with->remedy) {
		if (with->until_ms > to->until_ms)
			to->until_ms = with->until_ms;
	} else if (to->remedy != REMEDY_ALLOW && (with->remedy == REMEDY_ALLOW || with->remedy > to->remedy)) {
		to->remedy = with->remedy;
		to->until_ms = with->until_ms;
	}
}

struct cutting {
	struct ip at;                  /* up to here all is told */
	bool full;                     /* the last address of all is */
	size_t n;
	struct list_piece open[129];   /* each holds what those around it do too */
	void (*each)(void *ctx, const struct list_piece *);
	void *ctx;
};

static void tell(struct cutting *c, const struct ip *last)
{
	struct list_piece p = c->open[c->n - 1];

	if (c->full || compare(&c->at, last) > 0)
		return;
	p.block = (struct list_block){ c->at, *last };
	c->each(c->ctx, &p);
	c->at = *last;
	c->full = !next(&c->at);
}

static void open_piece(struct cutting *c, const struct list_piece *p)
{
	struct list_piece all = *p;
	struct ip last = p->block.first;

	while (c->n && compare(&c->open[c->n - 1].block.last, &p->block.first) < 0) {
		tell(c, &c->open[c->n - 1].block.last);
		c->n--;
	}
	if (c->n && compare(&c->at, &p->block.first) < 0) {
		before(&last);
		tell(c, &last);
	}
	if (c->n)
		join(&all, &c->open[c->n - 1]);
	c->at = p->block.first;
	if (c->n && compare(&c->open[c->n - 1].block.last, &p->block.last) == 0 &&
	    compare(&c->open[c->n - 1].block.first, &p->block.first) == 0)
		c->n--; /* the same block: one is enough */
	c->open[c->n++] = all;
}

static void cut(struct list_piece *at, size_t n, void (*each)(void *ctx, const struct list_piece *), void *ctx)
{
	struct cutting c = { .each = each, .ctx = ctx };

	if (n)
		qsort(at, n, sizeof *at, by_place);
	for (size_t i = 0; i < n; i++)
		open_piece(&c, &at[i]);
	for (; c.n; c.n--)
		tell(&c, &c.open[c.n - 1].block.last);
}

/* ---- the text ---- */

struct text *list_text_room(struct list_text *t)
{
	char *grown;

	if (!t->failed && t->text.cap - t->text.len < LIST_ROOM) {
		size_t cap = 2 * t->text.cap + 4 * (size_t)LIST_ROOM;

		if ((grown = realloc(t->text.at, cap))) {
			t->text.at = grown;
			t->text.cap = cap;
		} else {
			t->failed = true;
		}
	}
	if (t->failed)
		t->text.len = 0; /* what is written more has room, and is thrown away */
	return &t->text;
}

static bool write_blocks(enum list_form form, const struct list_source *from, uint64_t now_ms, struct list_text *t)
{
	struct gathered g = { .now_ms = now_ms };

	from->each(from->from, gather, &g);
	if (!g.failed) {
		list_blocks_begin(t, form, now_ms, g.n);
		cut(g.at, g.n, list_blocks_each, t);
		list_blocks_end(t);
	}
	free(g.at);
	return !g.failed;
}

bool list_write(enum list_form form, const struct list_source *from, uint64_t now_ms, struct bytes *out, struct err *err)
{
	struct list_text t = { .form = form, .now_ms = now_ms };
	bool ok = true;

	list_text_room(&t);
	if (t.failed)
		return err_set(err, SIDE_SELF, ENOMEM, "out of memory");
	if (form == LIST_AS_CSV || form == LIST_AS_JSON)
		list_decisions_write(&t, from);
	else
		ok = write_blocks(form, from, now_ms, &t);
	*out = text_bytes(&t.text);
	if (ok && !t.failed)
		return true;
	free(t.text.at);
	*out = (struct bytes){ 0 };
	return err_set(err, SIDE_SELF, ENOMEM, "out of memory");
}
