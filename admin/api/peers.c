/* peers.c -- asking other gates, and answering them. */
#include "admin/api/peers.h"
#include "cti/share_ask.h"
#include <stdlib.h>

enum { TARGET_ROOM = 1024, NODES_MAX = 256, DEPTH = 16 };

/* A gate with no socket for the API has the address for it, or neither and no API. */
static struct server_http *server_of(const struct admin *a)
{
	return a->by_socket.server ? a->by_socket.server : a->by_address.server;
}

/* False: `answered` is not called. */
static bool ask_here(struct admin *a, struct bytes target, void (*answered)(void *ctx, unsigned status, struct bytes body), void *ctx)
{
	char room[TARGET_ROOM];
	struct text t = text_over(room, sizeof room);
	struct server_http *server = server_of(a);
	struct serve_request *r;

	text_str(&t, "/api/v1");
	text_put(&t, target);
	r = server && !t.full ? serve_inside(server, text_bytes(&t), answered, ctx) : NULL;
	if (r)
		api_take_inside(a, r);
	return r != NULL;
}

static bool is_named(struct bytes part, const char *name)
{
	size_t len = strlen(name);

	return bytes_starts(part, bytes_of(name)) && part.len > len && part.at[len] == '=';
}

static void put_query(struct text *t, struct bytes query, const char *const *less, size_t n)
{
	struct bytes rest = query, part;
	char before = '?';

	while (bytes_cut(&rest, '&', &part)) {
		bool is = part.len > 0;

		for (size_t i = 0; i < n; i++)
			is = is && !is_named(part, less[i]);
		if (!is)
			continue;
		text_byte(t, before);
		text_put(t, part);
		before = '&';
	}
}

void peers_query(struct api_call *c, struct text *t, const char *const *less, size_t n)
{
	put_query(t, serve_head(c->http)->query, less, n);
}

/* ---- answering ---- */

/* Of what is not there, a gate says so: `{}`. Empty: it cannot say. */
static struct bytes told_of(unsigned status, struct bytes body)
{
	return status == 200 ? body : status == 404 ? BYTES("{}") : (struct bytes){ 0 };
}

struct owed {
	struct admin *admin;
	struct share_question *question;
	unsigned limit;          /* of a list: halved until what it gives is short enough; 0: as it was asked */
	size_t ntarget;
	char target[SHARE_QUESTION_MAX];
};

static void answer_owed(struct owed *o);

static void on_owed(void *ctx, unsigned status, struct bytes body)
{
	struct owed *o = ctx;

	if (status == 200 && body.len > SHARE_ANSWER_MAX && o->limit != 1) {
		o->limit = o->limit ? o->limit / 2 : API_PAGE;
		answer_owed(o);
		return;
	}
	share_answer(o->question, told_of(status, body));
	free(o);
}

static void answer_owed(struct owed *o)
{
	static const char *const limit[] = { "limit" };
	char room[TARGET_ROOM];
	struct text t = text_over(room, sizeof room);
	struct bytes query = { o->target, o->ntarget }, path;

	bytes_cut(&query, '?', &path);
	text_put(&t, path);
	put_query(&t, query, limit, o->limit ? 1 : 0);
	if (o->limit)
		text_printf(&t, "%climit=%u", t.len > path.len ? '&' : '?', o->limit);
	if (!ask_here(o->admin, text_bytes(&t), on_owed, o)) {
		share_answer(o->question, (struct bytes){ 0 });
		free(o);
	}
}

static void on_asked(void *ctx, struct share_question *q, struct bytes what)
{
	struct owed *o = what.len <= SHARE_QUESTION_MAX ? calloc(1, sizeof *o) : NULL;

	if (!o) {
		share_answer(q, (struct bytes){ 0 });
		return;
	}
	o->admin = ctx;
	o->question = q;
	o->ntarget = what.len;
	memcpy(o->target, what.at, what.len);
	answer_owed(o);
}

void peers_open(struct admin *a)
{
	if (a->hooks.share)
		share_on_ask(a->hooks.share, on_asked, a);
}

void peers_close(struct admin *a)
{
	if (a->hooks.share)
		share_on_ask(a->hooks.share, NULL, NULL);
}

/* ---- asking ---- */

struct asking {
	struct api_call *call;
	peers_merge *merge;
	struct peers_part at[NODES_MAX];
	const char *silent[NODES_MAX];
	struct peers_told told;
	unsigned waiting;        /* of this gate, and of all others */
	char self[64];
};

const char *const api_all_nodes[] = { "all", NULL };

bool peers_wanted(struct api_call *c)
{
	return api_query(c, "nodes").at && c->caller.way != CALLER_GATE;
}

static void free_body(void *json)
{
	json_free(json);
}

/* Named in the arena of the call. */
static const char *named(struct asking *a, const char *name)
{
	const char *copy = arena_str(a->call->arena, bytes_of(name));

	return copy ? copy : "";
}

static void add_silent(struct asking *a, const char *name)
{
	if (a->told.nsilent < NODES_MAX)
		a->silent[a->told.nsilent++] = named(a, name);
}

static void add_answer(struct asking *a, const char *name, struct bytes body)
{
	const struct json_limits limits = { API_ANSWER_MAX, DEPTH };
	struct err e;
	struct json *json = a->told.n < NODES_MAX ? json_read(body, &limits, &e) : NULL;

	if (json && arena_defer(a->call->arena, free_body, json)) {
		a->at[a->told.n++] = (struct peers_part){ named(a, name), json };
		return;
	}
	json_free(json);
	add_silent(a, name);
}

static void arrived(struct asking *a)
{
	if (--a->waiting == 0)
		a->merge(a->call, &a->told);
}

static void on_here(void *ctx, unsigned status, struct bytes body)
{
	struct asking *a = ctx;

	add_answer(a, a->self, told_of(status, body));
	arrived(a);
}

static void on_others(void *owner, const struct share_answers *answers)
{
	struct asking *a = owner;

	for (size_t i = 0; i < answers->n; i++)
		add_answer(a, answers->at[i].name, answers->at[i].body);
	for (size_t i = 0; i < answers->nsilent; i++)
		add_silent(a, answers->silent[i]);
	arrived(a);
}

static void set_self(struct asking *a, const struct share *share)
{
	struct share_node at[NODES_MAX];
	size_t n = share ? share_nodes(share, at, NODES_MAX) : 0;

	snprintf(a->self, sizeof a->self, "this gate");
	for (size_t i = 0; i < n; i++)
		if (at[i].self)
			snprintf(a->self, sizeof a->self, "%.*s", (int)sizeof a->self - 1, at[i].name);
}

/* Either part may answer at once: neither is the last before both are asked. */
void peers_ask_for(struct api_call *c, struct bytes target, uint32_t wait_ms, peers_merge *merge)
{
	struct share *share = c->admin->hooks.share;
	struct asking *a = arena_get(c->arena, sizeof *a);

	if (!a) {
		api_problem(c, 503, "out of memory");
		return;
	}
	*a = (struct asking){ .call = c, .merge = merge, .waiting = 3 };
	a->told.at = a->at;
	a->told.silent = a->silent;
	set_self(a, share);
	if (!ask_here(c->admin, target, on_here, a)) {
		add_silent(a, a->self);
		a->waiting--;
	}
	if (!share || !share_ask(share, target, wait_ms, on_others, a))
		a->waiting--;
	arrived(a);
}

void peers_ask(struct api_call *c, struct bytes target, peers_merge *merge)
{
	peers_ask_for(c, target, SHARE_ASK_MS, merge);
}

void peers_ask_as_it_came(struct api_call *c, const char *path, const char *more, uint32_t wait_ms, peers_merge *merge)
{
	static const char *const ours[] = { "nodes", "limit" };
	char room[SHARE_QUESTION_MAX], rest[SHARE_QUESTION_MAX];
	struct text t = text_over(room, sizeof room), query = text_over(rest, sizeof rest);

	peers_query(c, &query, ours, nelems(ours));
	text_str(&t, path);
	text_put(&t, text_bytes(&query));
	if (more)
		text_printf(&t, "%c%s", query.len ? '&' : '?', more);
	if (t.full || query.full)
		api_problem(c, 400, "the query is too long to be asked of all gates");
	else
		peers_ask_for(c, text_bytes(&t), wait_ms, merge);
}

void peers_put_silent(struct json_out *o, const struct peers_told *told)
{
	out_list(o, "silent");
	for (size_t i = 0; i < told->nsilent; i++)
		out_str(o, NULL, told->silent[i]);
	out_end(o);
}
