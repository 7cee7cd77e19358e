/* share_kv.c -- small values that all gates know, each signed with its name. */
#include "cti/share_parts.h"
#include <stdlib.h>

enum { NAME_MAX_BYTES = 128, VALUE_MAX = 4096 };

struct get {
	struct share *share;
	void (*got)(void *, bool, struct bytes);
	void *owner;
	size_t len;
	char name[NAME_MAX_BYTES];
};

static struct bytes key_of(const struct share *s, struct bytes name, char room[NAME_MAX_BYTES + 128])
{
	struct text t = text_over(room, NAME_MAX_BYTES + 128);

	text_printf(&t, "{%s}:kv:", s->prefix);
	text_put(&t, name);
	return text_bytes(&t);
}

static void on_put(void *owner, const struct redis_reply *r)
{
	(void)owner;
	(void)r;
}

bool share_put(struct share *s, struct bytes name, struct bytes value, uint32_t life_s)
{
	char key[NAME_MAX_BYTES + 128], sealed[VALUE_MAX + SHARE_FRAME_MORE], life[16];
	struct text t = text_over(life, sizeof life);

	if (!name.len || name.len > NAME_MAX_BYTES || value.len > VALUE_MAX || !atomic_load(&s->up))
		return false;
	text_u64(&t, life_s ? life_s : 1);
	return share_send(s, (struct bytes[]){ BYTES("SET"), key_of(s, name, key),
			  share_sealed(s, sealed, sizeof sealed, name, FRAME_VALUE, value), BYTES("EX"), text_bytes(&t) }, 5, 1, on_put);
}

static void on_got(void *owner, const struct redis_reply *r)
{
	struct get *g = owner;
	struct share_frame f = { 0 };
	bool known = r && (r->kind == REDIS_NIL || r->kind == REDIS_TEXT);

	if (known && r->kind == REDIS_TEXT && !share_opened(g->share, r->text, (struct bytes){ g->name, g->len }, FRAME_VALUE, &f))
		f.body = (struct bytes){ 0 };
	g->got(g->owner, known, f.body);
	free(g);
}

bool share_get(struct share *s, struct bytes name, void (*got)(void *, bool, struct bytes), void *owner)
{
	char key[NAME_MAX_BYTES + 128];
	struct get *g;

	if (!name.len || name.len > NAME_MAX_BYTES || !atomic_load(&s->up) || !(g = malloc(sizeof *g)))
		return false;
	*g = (struct get){ .share = s, .got = got, .owner = owner, .len = name.len };
	memcpy(g->name, name.at, name.len);
	if (redis_send(s->redis, (struct bytes[]){ BYTES("GET"), key_of(s, name, key) }, 2, 1, on_got, g))
		return true;
	free(g);
	return false;
}
