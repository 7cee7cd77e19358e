/* spread.c -- offering a change to the other gates, and fetching theirs. */
#include "admin/spread.h"
#include "admin/audit.h"
#include "base/hash.h"
#include "base/json.h"
#include "cti/share_ask.h"
#include <stdlib.h>

/* A gate builds a configuration meanwhile. */
enum { OFFER_MS = 15000, NODES_MAX = 256, DEPTH = 8, REPORT_ROOM = 16 << 10 };

uint64_t spread_hash(struct admin *a, struct arena *arena)
{
	struct edit_config c = { 0 };

	a->hooks.edit->config(a->hooks.ctx, arena, &c);
	return hash_content(HASH_CONTENT_START, c.overrides);
}

bool spread_gate_of(const struct admin *a, bool (*is)(const struct share_node *, const void *arg), const void *arg, struct share_node *out)
{
	struct share_node at[NODES_MAX];
	size_t n = a->hooks.share ? share_nodes(a->hooks.share, at, NODES_MAX) : 0;

	for (size_t i = 0; i < n; i++)
		if (is(&at[i], arg)) {
			*out = at[i];
			return true;
		}
	return false;
}

bool spread_is_self(const struct share_node *n, const void *arg)
{
	(void)arg;
	return n->self;
}

bool spread_is_named(const struct share_node *n, const void *arg)
{
	return strcmp(n->name, arg) == 0;
}

bool spread_is_number(const struct share_node *n, const void *arg)
{
	return n->node == *(const unsigned *)arg;
}

/* ---- offering ---- */

struct offer {
	struct offer *next;
	struct admin *admin; /* NULL: it is closed */
	spread_done *done;
	void *ctx;
};

static void forget(struct offer *o)
{
	struct offer **at = o->admin ? &o->admin->spread.offers : NULL;

	while (at && *at && *at != o)
		at = &(*at)->next;
	if (at && *at)
		*at = o->next;
}

void spread_close(struct admin *a)
{
	for (struct offer *o = a->spread.offers; o; o = o->next)
		o->admin = NULL;
	a->spread.offers = NULL;
}

static struct bytes text_of(const struct json *json, const char *key)
{
	struct bytes text;

	return json_text(json, key, &text) ? text : (struct bytes){ 0 };
}

/* For the audit log: a line a gate. */
static void note(struct admin *a, const struct spread_told *told)
{
	static const struct caller nobody = { .way = CALLER_NOBODY, .name = "embergate" };
	char *room = malloc(REPORT_ROOM);
	struct text t = text_over(room, room ? REPORT_ROOM : 0);

	for (size_t i = 0; i < told->n; i++) {
		text_printf(&t, "%s: ", told->at[i].node);
		text_plain(&t, told->at[i].state);
		if (told->at[i].why.len) {
			text_str(&t, ": ");
			text_plain(&t, told->at[i].why);
		}
		text_byte(&t, '\n');
	}
	audit_note(a, &nobody, "config.spread", BYTES("overrides"), text_bytes(&t));
	free(room);
}

static void on_told(void *owner, const struct share_answers *answers)
{
	const struct json_limits limits = { SHARE_ANSWER_MAX, DEPTH };
	struct offer *o = owner;
	struct spread_gate at[2 * NODES_MAX];
	struct json *read[NODES_MAX];
	struct spread_told told = { at, 0 };
	size_t nread = 0;
	struct err e;

	for (size_t i = 0; i < answers->n && i < NODES_MAX; i++) {
		struct json *json = json_read(answers->at[i].body, &limits, &e);
		struct bytes state = json ? text_of(json, "state") : (struct bytes){ 0 };

		read[nread++] = json;
		at[told.n++] = (struct spread_gate){ answers->at[i].name, state.at ? state : BYTES("silent"),
						     json ? text_of(json, "why") : (struct bytes){ 0 } };
	}
	for (size_t i = 0; i < answers->nsilent && i < NODES_MAX; i++)
		at[told.n++] = (struct spread_gate){ answers->silent[i], BYTES("silent"), { 0 } };
	forget(o);
	if (o->admin)
		note(o->admin, &told);
	if (o->done)
		o->done(o->ctx, &told);
	for (size_t i = 0; i < nread; i++)
		json_free(read[i]);
	free(o);
}

/* A name goes into a query as it is. */
static bool is_plain(const char *name)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_@";

	return *name && strspn(name, set) == strlen(name);
}

static bool offer(struct admin *a, const char *by, uint64_t base, uint64_t hash, spread_done *done, void *ctx)
{
	struct offer *o = malloc(sizeof *o);
	char room[SHARE_QUESTION_MAX];
	struct text t = text_over(room, sizeof room);
	struct share_node self;

	if (!o || !spread_gate_of(a, spread_is_self, NULL, &self)) {
		free(o);
		return false;
	}
	*o = (struct offer){ a->spread.offers, a, done, ctx };
	a->spread.offers = o;
	text_printf(&t, "/overrides/offer?from=%u&base=%016llx&hash=%016llx&by=%s", self.node, (unsigned long long)base,
		    (unsigned long long)hash, is_plain(by) ? by : "somebody");
	if (share_ask(a->hooks.share, text_bytes(&t), OFFER_MS, on_told, o))
		return true;
	forget(o);
	free(o);
	return false;
}

static bool offer_now(struct admin *a, const char *by, uint64_t base, spread_done *done, void *ctx)
{
	struct arena *arena = arena_new(1 << 20);
	struct edit_config c = { 0 };
	bool begun = false;

	if (arena) {
		a->hooks.edit->config(a->hooks.ctx, arena, &c);
		begun = a->hooks.share && c.cluster_writes && offer(a, by, base, hash_content(HASH_CONTENT_START, c.overrides), done, ctx);
	}
	arena_free(arena);
	return begun;
}

bool spread_changed(struct admin *a, const struct edit_ask *ask, const struct edit_outcome *x, uint64_t base, spread_done *done, void *ctx)
{
	char by[sizeof a->spread.by];

	if (!x->applied)
		return false;
	a->spread.waits = false;
	if (ask->kind == EDIT_UNDO || ask->alone)
		return false;
	snprintf(by, sizeof by, "%.*s", BYTES_ARG(ask->by));
	if (!x->confirm_by_ms)
		return offer_now(a, by, base, done, ctx);
	a->spread.waits = true;
	a->spread.base = base;
	memcpy(a->spread.by, by, sizeof by);
	return false;
}

void spread_confirmed(struct admin *a)
{
	if (a->spread.waits)
		offer_now(a, a->spread.by, a->spread.base, NULL, NULL);
	a->spread.waits = false;
}

void spread_lapsed(struct admin *a)
{
	a->spread.waits = false;
}

/* ---- fetching ---- */

struct fetch { unsigned gate; spread_got *got; void *ctx; };

/* Of the one that was meant: others have nothing to say to it. */
static void on_overrides(void *owner, const struct share_answers *answers)
{
	const struct json_limits limits = { SHARE_ANSWER_MAX, DEPTH };
	struct fetch f = *(struct fetch *)owner;
	struct json *found = NULL;
	struct bytes text = { 0 };
	struct err e;
	int64_t number;

	free(owner);
	for (size_t i = 0; i < answers->n && !text.at; i++) {
		json_free(found);
		found = json_read(answers->at[i].body, &limits, &e);
		if (found && json_number(found, "number", &number) && number == f.gate)
			text = text_of(found, "text");
	}
	f.got(f.ctx, text, text.at ? NULL : "that gate does not answer, or gives its overrides to nobody (admin.cluster_writes: off)");
	json_free(found);
}

bool spread_fetch(struct admin *a, unsigned gate, spread_got *got, void *ctx)
{
	struct fetch *f = malloc(sizeof *f);
	char room[64];
	struct text t = text_over(room, sizeof room);

	if (!f)
		return false;
	*f = (struct fetch){ gate, got, ctx };
	text_printf(&t, "/overrides?of=%u", gate);
	if (a->hooks.share && share_ask(a->hooks.share, text_bytes(&t), SHARE_ASK_MS, on_overrides, f))
		return true;
	free(f);
	return false;
}
