/* impact.c -- what an exception would have let through, told before it is written. */
#include "admin/impact.h"
#include "base/clock.h"

enum { DAY_MS = 24 * 3600 * 1000, LINE_MAX = 512 };

/* In the arena of what is asked; told once. */
struct asking {
	struct deadline deadline;
	void (*done)(void *ctx, const struct impact *); /* NULL: it came too late */
	void *ctx;
	struct impact impact;
};

/* ---- asking ---- */

static void tell(struct asking *a)
{
	void (*done)(void *, const struct impact *) = a->done;

	a->done = NULL;
	if (done)
		done(a->ctx, &a->impact);
}

static void too_late(void *owner)
{
	struct asking *a = owner;

	snprintf(a->impact.why, sizeof a->impact.why, "past requests were not judged within %d seconds", IMPACT_MS / 1000);
	tell(a);
}

static void weighed(struct suggest_ask *ask, const struct err *e)
{
	static const struct suggest_cluster none;
	const struct suggest_cluster *x = ask->set.nclusters ? &ask->set.clusters[0] : &none;
	struct asking *a = ask->ctx;

	deadline_clear(&a->deadline);
	a->impact = (struct impact){ .known = !e, .unblock = x->unblock, .open = x->open, .more = ask->set.more };
	if (e)
		snprintf(a->impact.why, sizeof a->impact.why, "%s", e->text);
	tell(a);
}

static bool copy_words(struct arena *a, struct exclusion_words *to, const struct edit_words *from)
{
	struct bytes *at = arena_get(a, (from->n + 1) * sizeof *at);

	*to = (struct exclusion_words){ at, from->n };
	for (size_t i = 0; at && i < from->n; i++)
		if (!(at[i] = arena_copy(a, from->at[i])).at)
			return false;
	return at;
}

/* Words that name no part are none: the change is refused for them. */
static uint32_t parts_of(const struct edit_words *w)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < w->n; i++)
		for (size_t k = 0; k < EXCLUDE_PARTS; k++)
			if (bytes_eq(w->at[i], bytes_of(propose_part_word((enum exclusion_part)k))))
				bits |= 1u << k;
	return bits;
}

static struct replay_exception *copy_exception(struct arena *a, const struct edit_exception *e)
{
	struct replay_exception *x = arena_get(a, sizeof *x);
	struct exclusion_words *w = x ? x->what.words : NULL;

	if (!x || (e->path.at && !(x->path = arena_copy(a, e->path)).at))
		return NULL;
	x->what.parts = parts_of(&e->parts);
	return copy_words(a, &x->methods, &e->methods) && copy_words(a, &w[EXCLUDE_RULES], &e->rules) &&
		       copy_words(a, &w[EXCLUDE_CATEGORIES], &e->categories) && copy_words(a, &w[EXCLUDE_TAGS], &e->tags) &&
		       copy_words(a, &w[EXCLUDE_ARGS], &e->args) && copy_words(a, &w[EXCLUDE_COOKIES], &e->cookies) &&
		       copy_words(a, &w[EXCLUDE_HEADERS], &e->headers) ? x : NULL;
}

void impact_ask(struct admin *admin, const struct edit_exception *e, void (*done)(void *ctx, const struct impact *), void *ctx)
{
	struct suggest_ask *ask = suggest_ask_new(admin);
	struct asking *a = ask ? arena_get(ask->set.arena, sizeof *a) : NULL;

	if (!a || !(ask->only = copy_exception(ask->set.arena, e)) || !(ask->app = arena_copy(ask->set.arena, e->app)).at) {
		if (ask)
			suggest_ask_free(ask);
		done(ctx, &(struct impact){ .why = "out of memory" });
		return;
	}
	*a = (struct asking){ .done = done, .ctx = ctx };
	ask->since_ms = clock_wall_ms() - (uint64_t)IMPACT_DAYS * DAY_MS;
	ask->done = weighed;
	ask->ctx = a;
	deadline_set(admin->loop, &a->deadline, IMPACT_MS, too_late, a);
	suggest_ask_start(ask);
}

/* ---- telling ---- */

void impact_line(struct text *t, const struct suggest_impact *unblock, const struct suggest_impact *open)
{
	text_printf(t, "would have let through %u past requests of %u clients; %u of them otherwise bad", unblock->events, unblock->clients,
		    open->events);
}

static void put_unknown(struct text *t, const struct impact *i)
{
	text_printf(t, "what it would have let through is not known: %s", i->why);
}

struct bytes impact_note(struct arena *a, const struct impact *i, struct bytes diff)
{
	size_t max = LINE_MAX + diff.len;
	char *room = arena_raw(a, max);
	struct text t = text_over(room, room ? max : 0);

	if (i->known)
		impact_line(&t, &i->unblock, &i->open);
	else
		put_unknown(&t, i);
	text_byte(&t, '\n');
	text_put(&t, diff);
	return room ? text_bytes(&t) : diff;
}

static void put_warning(struct text *t, const struct impact *i)
{
	if (!i->known)
		put_unknown(t, i);
	else if (i->open.clients)
		text_printf(t, "of the past requests that it would have let through, otherwise bad: %u (clients: %u)", i->open.events,
			    i->open.clients);
}

struct edit_words impact_warnings(struct arena *a, const struct impact *i, const struct edit_words *given)
{
	struct bytes *at = arena_get(a, (given->n + 1) * sizeof *at);
	char *room = arena_raw(a, LINE_MAX);
	struct text t = text_over(room, room ? LINE_MAX : 0);
	size_t n = 0;

	if (!at)
		return *given;
	put_warning(&t, i);
	while (n < given->n) {
		at[n] = given->at[n];
		n++;
	}
	if (t.len)
		at[n++] = text_bytes(&t);
	return (struct edit_words){ at, n };
}

void impact_put(struct json_out *o, const char *key, const struct suggest_impact *i)
{
	out_object(o, key);
	out_int(o, "events", i->events);
	out_int(o, "clients", i->clients);
	out_end(o);
}

void impact_json(struct json_out *o, const char *key, const struct impact *i)
{
	if (!i->known) {
		out_null(o, key);
		return;
	}
	out_object(o, key);
	impact_put(o, "would_unblock", &i->unblock);
	impact_put(o, "would_open", &i->open);
	out_flag(o, "more", i->more);
	out_end(o);
}
