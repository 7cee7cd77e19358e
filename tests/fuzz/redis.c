/* Whatever a server answers: each command's caller is told once, in order, and only of what is a reply; a URL that is taken
 * says where, within its bounds. */
#include "cti/redis_line.c"
#include "tests/fuzz/must.h"

enum { ASKED = 4 };

struct told { unsigned next, replies; bool failed; };
struct caller { struct told *all; unsigned number; };

static void touch_reply(const struct redis_reply *r, unsigned depth)
{
	must(depth < 16);
	must(r->kind <= REDIS_ARRAY);
	must(bytes_cmp(r->text, r->text) == 0);
	for (size_t i = 0; r->kind == REDIS_ARRAY && i < r->n; i++)
		touch_reply(&r->items[i], depth + 1);
}

static void on_told(void *owner, const struct redis_reply *r)
{
	struct caller *c = owner;

	must(c->number == c->all->next++);
	must(!(r && c->all->failed)); /* nothing after a failure */
	c->all->failed |= !r;
	c->all->replies += r != NULL;
	if (r)
		touch_reply(r, 0);
}

static void on_down(void *owner, const char *why)
{
	(void)owner;
	must(why && strlen(why) < WHY);
}

static void on_moved_to(void *owner, struct bytes to)
{
	(void)owner;
	must(to.len > 0);
}

static void url(struct bytes b)
{
	struct arena *a = arena_new(1 << 16);
	struct redis_url u;
	struct err err = { 0 };

	if (redis_url_parse(a, b, &u, &err)) {
		must(u.host.len > 0 && u.host.len <= REDIS_HOST_MAX);
		must(!u.password.len || u.password.at);
	} else {
		must(err.text[0]);
	}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct line_events on = { .down = on_down, .moved = on_moved_to };
	struct told told = { 0 };
	struct caller callers[ASKED];
	struct loop *loop = loop_new();
	struct line l = { .loop = loop, .on = &on, .up = true };
	size_t piece = size ? 1 + data[0] % 32 : 1;

	url((struct bytes){ (const char *)data, size });
	l.last = &l.first;
	l.reader = redisReaderCreateWithFunctions(&makers);
	l.reader->privdata = &l;
	for (unsigned i = 0; i < ASKED; i++) {
		struct waiting *w = malloc(sizeof *w);

		callers[i] = (struct caller){ &told, i };
		*w = (struct waiting){ .told = on_told, .owner = &callers[i], .until_ms = UINT64_MAX };
		*l.last = w;
		l.last = &w->next;
		l.nwaiting++;
	}
	for (size_t at = 1; at < size && !l.broken; at += piece)
		on_bytes(&l, (struct bytes){ (const char *)data + at, at + piece > size ? size - at : piece });
	line_break(&l, "the end");
	must(told.next == ASKED);
	arena_free(l.arena);
	redisReaderFree(l.reader);
	loop_free(loop);
	return 0;
}
