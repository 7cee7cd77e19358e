/* api_overrides.c -- the file for changes, from gate to gate (admin/spread.h). */
#include "admin/api/api_edit.h"
#include "admin/audit.h"
#include "admin/spread.h"
#include "base/hash.h"
#include "cti/share.h"

static const char *const states[] = { "applied", "same", "differs", "off", "refused", NULL };

/* Only another gate's question comes here: nobody else reads the file as it stands, or offers one. */
static bool is_gate(struct api_call *c)
{
	if (c->caller.way == CALLER_GATE)
		return true;
	api_problem(c, 403, "only another gate of the cluster asks this");
	return false;
}

/* ---- GET /overrides ---- */

static const struct api_field of_fields[] = { { "of", API_INT, .help = "number of the gate that is meant" } };
static const struct api_shape of_shape = API_SHAPE("OverridesQuery", of_fields);
static const struct api_field file_fields[] = {
	{ "number", API_INT, .help = "of this gate" },
	{ "text", API_TEXT, .help = "of its file for changes" },
};
static const struct api_shape file_shape = API_SHAPE("OverridesFile", file_fields);

static void get_overrides(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct edit_config now;
	struct share_node self;

	if (!is_gate(c)) {
		json_out_free(&o);
		return;
	}
	edit_config_of(c, &now);
	if (!now.cluster_writes || !spread_gate_of(c->admin, spread_is_self, NULL, &self) ||
	    api_query_int(c, "of", 0, UINT32_MAX) != self.node) {
		json_out_free(&o);
		api_problem(c, 404, "another gate is meant, or this one gives them to nobody");
		return;
	}
	out_object(&o, NULL);
	out_int(&o, "number", self.node);
	out_text(&o, "text", now.overrides.at ? now.overrides : BYTES(""));
	out_end(&o);
	api_answer(c, 200, &o);
}

/* ---- GET /overrides/offer ---- */

static const struct api_field offer_fields[] = {
	{ "from", API_INT, .help = "number of the gate that was changed" },
	{ "base", API_TEXT, .max = 16, .help = "hash of its overrides before" },
	{ "hash", API_TEXT, .max = 16, .help = "and now" },
	{ "by", API_TEXT, .max = 64, .help = "who changed them" },
};
static const struct api_shape offer_shape = API_SHAPE("OverridesOffer", offer_fields);
static const struct api_field taken_fields[] = {
	{ "state", API_TEXT, .words = states, .help = "what came of it" },
	{ "why", API_TEXT, .optional = true, .help = "it was refused; of what was applied, the first warning" },
};
static const struct api_shape taken_shape = API_SHAPE("OverridesTaken", taken_fields);

struct taking {
	struct api_call *call;
	struct edit_ask ask;
	struct caller by;        /* "ada at gate0" */
	uint64_t hash;
};

static void put_taken(struct api_call *c, const char *state, const char *why)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	out_object(&o, NULL);
	out_str(&o, "state", state);
	out_str(&o, "why", why);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void on_taken(void *arg, const struct edit_outcome *x)
{
	struct taking *t = arg;
	char why[512] = "";

	if (x->applied)
		audit_note(t->call->admin, &t->by, "config.change", BYTES("overrides"), x->diff);
	if (x->error && x->file.at)
		snprintf(why, sizeof why, "line %u: %s", x->line, x->error);
	else if (x->error)
		snprintf(why, sizeof why, "%s", x->error);
	else if (x->warnings.n)
		snprintf(why, sizeof why, "%.*s", BYTES_ARG(x->warnings.at[0]));
	put_taken(t->call, x->applied ? "applied" : "refused", *why ? why : NULL);
}

static void on_text(void *ctx, struct bytes text, const char *why)
{
	struct taking *t = ctx;
	const struct admin_hooks *h = &t->call->admin->hooks;

	t->ask.text = text.at ? arena_copy(t->call->arena, text) : text;
	if (text.at && hash_content(HASH_CONTENT_START, text) != t->hash)
		put_taken(t->call, "refused", "they are others again");
	else if (!t->ask.text.at)
		put_taken(t->call, "refused", why ? why : "out of memory");
	else
		h->edit->change(h->ctx, &t->ask, on_taken, t);
}

/* Does nothing where anything is not as the other gate thinks that it is. */
static void take_offer(struct api_call *c, struct taking *t, unsigned from)
{
	const char *why = edit_why_not(c->admin, c->arena);
	uint64_t own = spread_hash(c->admin, c->arena), base;
	struct edit_config now;

	edit_config_of(c, &now);
	if (!now.cluster_writes)
		put_taken(c, "off", NULL);
	else if (!edit_id(api_query(c, "base"), &base) || !edit_id(api_query(c, "hash"), &t->hash))
		put_taken(c, "refused", "what was offered has no hash");
	else if (own == t->hash)
		put_taken(c, "same", NULL);
	else if (own != base)
		put_taken(c, "differs", NULL);
	else if (why)
		put_taken(c, "refused", why);
	else if (!spread_fetch(c->admin, from, on_text, t))
		put_taken(c, "refused", "the other gate cannot be asked now");
}

static void get_offer(struct api_call *c)
{
	unsigned from = (unsigned)api_query_int(c, "from", 0, UINT32_MAX);
	struct bytes by = api_query(c, "by");
	struct taking *t = arena_get(c->arena, sizeof *t);
	struct share_node node;

	if (!is_gate(c))
		return;
	if (!t || !spread_gate_of(c->admin, spread_is_number, &from, &node)) {
		put_taken(c, "refused", "the gate that offers it is not known here");
		return;
	}
	*t = (struct taking){ .call = c, .by = { .way = CALLER_GATE } };
	snprintf(t->by.name, sizeof t->by.name, "%.*s at %.25s", (int)(by.len < 30 ? by.len : 30), by.at, node.name);
	t->ask = (struct edit_ask){ .kind = EDIT_TEXT, .alone = true, .by = bytes_of(t->by.name) };
	take_offer(c, t, from);
}

/* ---- POST /config/take ---- */

static const struct api_field from_fields[] = { { "from", API_TEXT, .max = 64, .help = "name of the gate whose overrides shall be those of this one" } };
static const struct api_shape from_shape = API_SHAPE("TakeOver", from_fields);

struct take_over { struct api_call *call; struct bytes from; };

static void on_theirs(void *ctx, struct bytes text, const char *why)
{
	struct take_over *t = ctx;
	struct edit_ask ask = { .kind = EDIT_TEXT, .alone = true };

	ask.text = text.at ? arena_copy(t->call->arena, text) : text;
	if (ask.text.at)
		edit_change(t->call, &ask, "config.take", t->from);
	else
		api_problem(t->call, 502, "%s", why ? why : "out of memory");
}

static void post_take(struct api_call *c)
{
	struct take_over *t = arena_get(c->arena, sizeof *t);
	struct edit_config now;
	struct share_node node;
	char name[64];

	if (!t) {
		api_problem(c, 503, "out of memory");
		return;
	}
	*t = (struct take_over){ c, api_member(c, "from") };
	snprintf(name, sizeof name, "%.*s", BYTES_ARG(t->from));
	if (!edit_may(c, false))
		return;
	edit_config_of(c, &now);
	if (!now.cluster_writes)
		api_problem(c, 403, "admin.cluster_writes is off here");
	else if (!spread_gate_of(c->admin, spread_is_named, name, &node) || node.self)
		api_problem(c, 404, "there is no other gate '%s'", name);
	else if (!spread_fetch(c->admin, node.node, on_theirs, t))
		api_problem(c, 503, "it cannot be asked now");
}

static const struct api_route routes[] = {
	{ "GET", "/overrides", ROLE_VIEWER, "cluster", "for other gates: the file for changes, as it stands", &of_shape, NULL, &file_shape, get_overrides },
	{ "GET", "/overrides/offer", ROLE_VIEWER, "cluster", "from another gate: its file was changed, and may be taken", &offer_shape, NULL, &taken_shape, get_offer },
	{ "POST", "/config/take", ROLE_ADMINISTRATOR, "config", "the overrides of another gate in place of those of this one", &edit_change_query, &from_shape,
	  &edit_change_shape, post_take },
};
const struct api_routes api_overrides_routes = API_ROUTES(routes);
