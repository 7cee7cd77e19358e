/* api_audit.c -- who changed what, and whether that log is whole. */
#include "admin/api/api_tables.h"
#include "admin/audit.h"
#include <stdlib.h>

enum { WALK_STEP = 10000 /* entries a job of the store */ };

static const struct api_field entry_fields[] = {
	{ "id", API_TEXT, .help = "counted from 1" },
	{ "time", API_TIME, .help = "when it was done" },
	{ "user", API_TEXT, .help = "or the token's name; ctl and socket: whoever may open that socket" },
	{ "way", API_TEXT, .help = "session, token, socket, or none" },
	{ "address", API_TEXT, .optional = true, .help = "whence" },
	{ "action", API_TEXT, .help = "config.change, decision.add, session.begin, ..." },
	{ "subject", API_TEXT, .help = "what it was done to" },
	{ "detail", API_TEXT, .optional = true, .help = "a diff, for instance" },
	{ "hash", API_TEXT, .help = "SHA-256 over the one before and this entry, hexadecimal" },
};
static const struct api_shape entry_shape = API_SHAPE("AuditEntry", entry_fields);

static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &entry_shape, .help = "newest first" },
	{ "next", API_TEXT, .optional = true, .help = "for `after`; null: these were the last" },
};
static const struct api_shape list_shape = API_SHAPE("Audit", list_fields);

static const struct api_field list_query[] = {
	{ "after", API_INT, .optional = true, .help = "`next` of the page before" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "50, at most 500" },
	{ "user", API_TEXT, .optional = true, .help = "only theirs" },
};
static const struct api_shape list_asked = API_SHAPE("AuditQuery", list_query);

static const struct api_field check_fields[] = {
	{ "ok", API_FLAG, .help = "each entry follows from those before it, and the last ones are there" },
	{ "entries", API_INT, .help = "that were looked at" },
	{ "broken_at", API_TEXT, .optional = true, .help = "the first that does not follow" },
	{ "hash", API_TEXT, .help = "of the last one looked at: note it elsewhere" },
};
static const struct api_shape check_shape = API_SHAPE("AuditCheck", check_fields);

static void put_hash(struct json_out *o, const uint8_t hash[AUDIT_HASH])
{
	char hex[2 * AUDIT_HASH + 1];

	bytes_hex(hash, AUDIT_HASH, hex);
	out_str(o, "hash", hex);
}

/* ---- a page ---- */

struct page {
	struct api_call *call;
	struct bytes user;
	uint64_t before, last;
	unsigned limit, n;
	bool good;
	struct json_out out;
};

/* One more than the page has is asked for: it tells that there is another page. */
static void put_entry(void *ctx, const struct audit_entry *e)
{
	struct page *p = ctx;
	struct json_out *o = &p->out;

	if (p->n++ == p->limit)
		return;
	p->last = e->id;
	out_object(o, NULL);
	out_id(o, "id", e->id);
	out_time(o, "time", e->time_ms);
	out_text(o, "user", e->user);
	out_text(o, "way", e->way);
	out_text(o, "address", e->address.len ? e->address : (struct bytes){ 0 });
	out_text(o, "action", e->action);
	out_text(o, "subject", e->subject);
	out_text(o, "detail", e->detail.len ? e->detail : (struct bytes){ 0 });
	put_hash(o, e->hash);
	out_end(o);
}

static void run_page(struct sqlite3 *db, void *arg)
{
	struct page *p = arg;

	out_object(&p->out, NULL);
	out_list(&p->out, "items");
	p->good = audit_read(db, p->user, p->before, p->limit + 1, put_entry, p);
	out_end(&p->out);
	if (p->n > p->limit)
		out_id(&p->out, "next", p->last);
	else
		out_null(&p->out, "next");
	out_end(&p->out);
}

static void page_done(void *arg)
{
	struct page *p = arg;

	if (p->good) {
		api_answer(p->call, 200, &p->out);
		return;
	}
	json_out_free(&p->out);
	api_problem(p->call, 503, "the audit log could not be read");
}

static void get_audit(struct api_call *c)
{
	struct page *p = arena_get(c->arena, sizeof *p);

	if (p)
		*p = (struct page){ .call = c, .user = api_query(c, "user"), .before = api_query_int(c, "after", 0, INT64_MAX),
				    .limit = (unsigned)api_query_int(c, "limit", API_PAGE, API_PAGE_MAX),
				    .out = json_out(API_ANSWER_MAX) };
	if (!p || !c->admin->store || !store_do(c->admin->store, run_page, c->admin->loop, page_done, p))
		api_problem(c, 503, "the audit log cannot be read now");
}

/* ---- the walk ---- */

struct walk {
	struct api_call *call;
	struct audit_walk at;
	bool good;
};

static void run_walk(struct sqlite3 *db, void *arg)
{
	struct walk *w = arg;

	w->good = audit_check(db, &w->at, WALK_STEP);
}

static void walk_on(struct walk *);

static void walk_done(void *arg)
{
	struct walk *w = arg;
	struct json_out o = json_out(API_ANSWER_MAX);

	if (!w->good) {
		api_problem(w->call, 503, "the audit log could not be read");
		return;
	}
	if (!w->at.over) {
		walk_on(w);
		return;
	}
	out_object(&o, NULL);
	out_flag(&o, "ok", !w->at.broken_at);
	out_int(&o, "entries", (int64_t)w->at.entries);
	if (w->at.broken_at)
		out_id(&o, "broken_at", w->at.broken_at);
	put_hash(&o, w->at.hash);
	out_end(&o);
	api_answer(w->call, 200, &o);
}

static void walk_on(struct walk *w)
{
	if (!w->call->admin->store || !store_do(w->call->admin->store, run_walk, w->call->admin->loop, walk_done, w))
		api_problem(w->call, 503, "the audit log cannot be read now");
}

static void get_check(struct api_call *c)
{
	struct walk *w = arena_get(c->arena, sizeof *w);

	if (!w) {
		api_problem(c, 503, "out of memory");
		return;
	}
	if (!api_has_turn(c))
		return;
	*w = (struct walk){ .call = c, .at = { .audit = c->admin->audit } };
	walk_on(w);
}

static const struct api_route routes[] = {
	{ "GET", "/audit", ROLE_ADMINISTRATOR, "audit", "who changed what, newest first", &list_asked, NULL, &list_shape, get_audit },
	{ "GET", "/audit/check", ROLE_ADMINISTRATOR, "audit", "whether an entry was changed or taken away", NULL, NULL, &check_shape, get_check },
};
const struct api_routes api_audit_routes = API_ROUTES(routes);
