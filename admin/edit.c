/* edit.c -- what the API and ctl share where they change the configuration. */
#include "admin/edit.h"
#include "admin/api/api.h"
#include "admin/audit.h"
#include "admin/spread.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/yaml.h"

enum { DAY_MS = 24 * 3600 * 1000, DATE = 10 /* bytes of "2026-12-31" */, KEYS = 10 };

const struct yaml_node *edit_scalar(struct arena *a, struct bytes text)
{
	struct yaml_node *n = arena_get(a, sizeof *n);

	if (n)
		*n = (struct yaml_node){ .kind = YAML_SCALAR, .quoted = true, .text = text };
	return n;
}

static const struct yaml_node *list_of(struct arena *a, const struct edit_words *w)
{
	struct yaml_node *n = arena_get(a, sizeof *n);

	if (!n || !(n->items = arena_get(a, w->n * sizeof *n->items + 1)))
		return NULL;
	n->kind = YAML_SEQUENCE;
	for (n->n = 0; n->n < w->n; n->n++)
		if (!(n->items[n->n] = edit_scalar(a, w->at[n->n])))
			return NULL;
	return n;
}

/* value NULL: out of memory, and so is the map then. */
static bool put(struct arena *a, struct yaml_node *map, const char *key, const struct yaml_node *value)
{
	const struct yaml_node *name = edit_scalar(a, bytes_of(key));

	if (!value || !name)
		return false;
	map->keys[map->n] = name;
	map->items[map->n++] = value;
	return true;
}

static bool put_text(struct arena *a, struct yaml_node *map, const char *key, struct bytes text)
{
	return !text.len || put(a, map, key, edit_scalar(a, text));
}

static bool put_list(struct arena *a, struct yaml_node *map, const char *key, const struct edit_words *w)
{
	return !w->n || put(a, map, key, list_of(a, w));
}

/* The last day on which it holds. */
static struct bytes day_of(struct arena *a, uint64_t until_ms)
{
	char *room = arena_raw(a, 32);
	struct text t = text_over(room, room ? 32 : 0);

	if (!until_ms || !room)
		return (struct bytes){ 0 };
	clock_rfc3339(&t, until_ms - 1);
	return bytes_sub(text_bytes(&t), 0, DATE);
}

const struct yaml_node *edit_entry(struct arena *a, const struct edit_exception *e)
{
	struct yaml_node *m = arena_get(a, sizeof *m);
	bool ok = m && (m->keys = arena_get(a, (KEYS + 1) * sizeof *m->keys)) && (m->items = arena_get(a, (KEYS + 1) * sizeof *m->items));

	if (!ok)
		return NULL;
	m->kind = YAML_MAPPING;
	ok = put_text(a, m, "path", e->path) && put_list(a, m, "methods", &e->methods) && put_list(a, m, "rules", &e->rules) &&
	     put_list(a, m, "categories", &e->categories) && put_list(a, m, "tags", &e->tags) && put_list(a, m, "args", &e->args) &&
	     put_list(a, m, "cookies", &e->cookies) && put_list(a, m, "headers", &e->headers) && put_list(a, m, "parts", &e->parts) &&
	     put_text(a, m, "reason", e->reason) && put_text(a, m, "until", day_of(a, e->until_ms));
	return ok ? m : NULL;
}

bool edit_until(struct bytes b, uint64_t now_ms, uint64_t *until_ms)
{
	char room[40];
	uint64_t us;

	if (duration_parse(b, &us) && us) {
		*until_ms = now_ms + us / 1000;
		return true;
	}
	if (b.len == DATE) {
		snprintf(room, sizeof room, "%.*sT00:00:00Z", BYTES_ARG(b));
		*until_ms = api_time(bytes_of(room), now_ms) + DAY_MS;
		return *until_ms > DAY_MS;
	}
	*until_ms = api_time(b, now_ms);
	return *until_ms > 0;
}

bool edit_id(struct bytes b, uint64_t *id)
{
	*id = 0;
	for (size_t i = 0; i < b.len; i++) {
		int digit = byte_hex(b.at[i]);

		if (digit < 0)
			return false;
		*id = *id << 4 | (uint64_t)digit;
	}
	return b.len == 16;
}

const char *edit_why_not(struct admin *a, struct arena *arena)
{
	struct edit_config c;

	a->hooks.edit->config(a->hooks.ctx, arena, &c);
	return c.writes ? NULL : "the configuration is not changed from here (admin.writes: off): change its files, and reload";
}

void edit_undone(struct admin *a, struct bytes by, struct bytes diff)
{
	static const struct caller nobody = { .way = CALLER_NOBODY, .name = "embergate" };

	spread_lapsed(a);
	audit_note(a, &nobody, "config.lapse", by, diff);
}
