/* api_take.c -- from a request to the row that answers it. */
#include "admin/api/api.h"
#include "admin/api/repeats.h"
#include "base/clock.h"

#define BASE "/api/v1"
enum { BODY_DEPTH = 16 };

/* ---- which row ---- */

static bool is_param(struct bytes segment)
{
	return segment.len > 2 && segment.at[0] == '{';
}

/* Segments of the path stand behind those of BASE. */
static bool path_is(struct serve_request *r, const char *template, struct bytes *params)
{
	struct bytes rest = bytes_of(template + 1), part, at;
	unsigned i = 2, n = 0;

	while (bytes_cut(&rest, '/', &part)) {
		at = serve_segment(r, i++);
		if (!at.at || (is_param(part) ? at.len == 0 : !bytes_eq(at, part)))
			return false;
		if (is_param(part) && n < API_PARAMS)
			params[n++] = at;
	}
	return !serve_segment(r, i).at;
}

/* *known: the path is there, perhaps for another method. */
static const struct api_route *route_of(struct serve_request *r, struct bytes params[API_PARAMS], bool *known)
{
	const struct request *q = serve_head(r);
	struct bytes method = bytes_eq(q->method, BYTES("HEAD")) ? BYTES("GET") : q->method;

	*known = false;
	if (!bytes_starts(q->path, BYTES(BASE "/")))
		return NULL;
	for (size_t t = 0; t < api_ntables; t++)
		for (size_t i = 0; i < api_tables[t]->n; i++) {
			const struct api_route *route = &api_tables[t]->at[i];

			if (!path_is(r, route->path, params))
				continue;
			*known = true;
			if (bytes_eq(method, bytes_of(route->method)))
				return route;
		}
	return NULL;
}

/* ---- what it brings ---- */

static const struct api_field *field_of(const struct api_shape *shape, struct bytes name)
{
	for (size_t i = 0; shape && i < shape->n; i++)
		if (bytes_eq(name, bytes_of(shape->fields[i].name)))
			return &shape->fields[i];
	return NULL;
}

static bool parameter_is(const struct api_field *f, struct bytes value, struct err *e)
{
	uint64_t n;

	switch (f->type) {
	case API_INT:
		if (!bytes_u64(value, &n))
			return err_set(e, SIDE_CLIENT, 400, "%s: a whole number is wanted", f->name);
		return n >= f->min || err_set(e, SIDE_CLIENT, 400, "%s: less than %llu", f->name, (unsigned long long)f->min);
	case API_FLAG:
		return bytes_eq(value, BYTES("true")) || bytes_eq(value, BYTES("false")) ||
		       err_set(e, SIDE_CLIENT, 400, "%s: true or false is wanted", f->name);
	case API_TIME:
		return api_time(value, 1) || err_set(e, SIDE_CLIENT, 400, "%s: a time is wanted, as 2026-11-24T20:00:00Z or 24h", f->name);
	default:
		break;
	}
	if (value.len > (f->max ? f->max : 1024))
		return err_set(e, SIDE_CLIENT, 400, "%s: too long", f->name);
	for (const char *const *w = f->words; w && *w; w++)
		if (bytes_eq(value, bytes_of(*w)))
			return true;
	return !f->words || err_set(e, SIDE_CLIENT, 400, "%s: '%.*s' is none of its words", f->name,
				    (int)(value.len < 64 ? value.len : 64), value.at);
}

static bool query_is(struct api_call *c, struct err *e)
{
	const struct api_shape *shape = c->route->query;
	struct bytes rest = serve_head(c->http)->query, part, key;
	uint64_t given = 0; /* a bit a field: one that came twice would be looked for as often */

	while (bytes_cut(&rest, '&', &part)) {
		const struct api_field *f;

		if (part.len == 0)
			continue;
		bytes_cut(&part, '=', &key);
		f = field_of(shape, key);
		if (!f)
			return err_set(e, SIDE_CLIENT, 400, "there is no parameter '%.*s' here", (int)(key.len < 64 ? key.len : 64), key.at);
		if (given & 1ull << (f - shape->fields))
			return err_set(e, SIDE_CLIENT, 400, "%s: given twice", f->name);
		given |= 1ull << (f - shape->fields);
		if (!parameter_is(f, api_query(c, f->name), e))
			return false;
	}
	for (size_t i = 0; shape && i < shape->n; i++)
		if (!shape->fields[i].optional && !api_query(c, shape->fields[i].name).at)
			return err_set(e, SIDE_CLIENT, 400, "%s is wanted", shape->fields[i].name);
	return true;
}

static void free_body(void *json)
{
	json_free(json);
}

static bool body_is(struct api_call *c, struct err *e)
{
	const struct json_limits limits = { API_BODY_MAX, BODY_DEPTH };
	struct bytes body = serve_body(c->http), type = fields_value(&serve_head(c->http)->fields, FIELD_CONTENT_TYPE);
	struct json *json;

	if (!c->route->body)
		return body.len == 0 || err_set(e, SIDE_CLIENT, 413, "no body is taken here");
	if (!bytes_starts_nocase(type, BYTES("application/json")))
		return err_set(e, SIDE_CLIENT, 415, "Content-Type must be application/json");
	json = json_read(body, &limits, e);
	if (!json) {
		e->side = SIDE_CLIENT;
		e->code = 400;
		return false;
	}
	if (!arena_defer(c->arena, free_body, json)) {
		json_free(json);
		return err_set(e, SIDE_SELF, 0, "out of memory");
	}
	c->body = json;
	return api_check(json, c->route->body, e);
}

/* ---- may they ---- */

/* Whoever logs in has no session yet, or another one: only where the request comes from counts. */
static bool is_meant(const struct api_call *c, const char **why)
{
	static const struct caller nobody = { .role = ROLE_NONE };

	return strcmp(c->route->method, "GET") == 0 ||
	       door_is_meant(c->admin, c->http, c->route->role ? &c->caller : &nobody, why);
}

static bool may(struct api_call *c)
{
	const char *why;

	if (c->route->role && c->caller.role == ROLE_NONE) {
		api_field(c, "WWW-Authenticate", BYTES("Bearer"));
		api_problem(c, 401, "who asks? A session or a token is wanted");
	} else if (c->caller.role < c->route->role) {
		api_problem(c, 403, "%s may not: the role %s is wanted", c->caller.name, role_word(c->route->role));
	} else if (!is_meant(c, &why)) {
		api_problem(c, 403, "%s", why);
	} else {
		return true;
	}
	return false;
}

/* ---- is it one of before ---- */

bool api_takes_key(const struct api_route *r)
{
	return strcmp(r->method, "POST") == 0 && r->role != ROLE_NONE;
}

/* key->at == NULL: it has none. */
static bool key_of(const struct api_call *c, struct bytes *key)
{
	const struct fields *fields = &serve_head(c->http)->fields;
	unsigned n = 0;

	*key = (struct bytes){ 0 };
	for (size_t i = 0; api_takes_key(c->route) && i < fields->n; i++)
		if (bytes_eq_nocase(fields->at[i].name, BYTES("Idempotency-Key")) && (n++ || !repeat_key(fields->at[i].value, key)))
			return false;
	return true;
}

static bool has_good_key(struct api_call *c)
{
	struct bytes key;

	if (key_of(c, &key))
		return true;
	api_problem(c, 400, "Idempotency-Key: one of 1 to %d printable characters is wanted, best in quotes", REPEAT_KEY_MAX);
	return false;
}

/* Two users may choose the same key, and a user and a token have the same name. */
static struct bytes asker_of(const struct caller *who, char *room, size_t size)
{
	struct text t = text_over(room, size);

	text_printf(&t, "%s %llu %s", caller_way_word(who->way), who->way == CALLER_TOKEN ? (unsigned long long)who->id : 0, who->name);
	return text_bytes(&t);
}

static bool is_first(struct api_call *c)
{
	const struct request *q = serve_head(c->http);
	struct repeat_name name = { .path = q->path, .query = q->query, .body = serve_body(c->http) };
	char who[96];
	struct repeat *r;

	if (!key_of(c, &name.key) || !name.key.at)
		return true;
	name.who = asker_of(&c->caller, who, sizeof who);
	name.route = bytes_of(c->route->path);
	switch (repeats_look(c->admin->repeats, &name, clock_wall_ms(), &r)) {
	case REPEAT_NEW: c->repeat = r; return true;
	case REPEAT_RUNNING: api_problem(c, 409, "the first request with this Idempotency-Key is still under way"); break;
	case REPEAT_OTHER: api_problem(c, 422, "this Idempotency-Key was of another request"); break;
	case REPEAT_KNOWN: api_answer_again(c, repeat_answer(r)); break;
	case REPEAT_NO_ROOM: api_problem(c, 503, "out of memory"); break;
	}
	return false;
}

/* Allow: what else the path takes (RFC 9110 15.5.6). */
static void refuse_method(struct api_call *c)
{
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct bytes params[API_PARAMS];

	for (size_t i = 0; i < api_ntables; i++)
		for (size_t k = 0; k < api_tables[i]->n; k++)
			if (path_is(c->http, api_tables[i]->at[k].path, params))
				text_printf(&t, "%s%s", t.len ? ", " : "", api_tables[i]->at[k].method);
	api_field(c, "Allow", text_bytes(&t));
	api_problem(c, 405, "%.*s is not for this", BYTES_ARG(bytes_sub(serve_head(c->http)->method, 0, 32)));
}

static bool route_call(struct api_call *c)
{
	bool known;

	c->route = route_of(c->http, c->params, &known);
	if (c->route)
		return may(c) && has_good_key(c);
	if (known)
		refuse_method(c);
	else
		api_problem(c, 404, "there is nothing here; " BASE "/openapi.json says what is where");
	return false;
}

static struct api_call call_of(struct admin *a, struct serve_request *r, bool by_socket)
{
	struct api_call c = { .admin = a, .http = r, .arena = serve_arena(r) };

	door_caller(a, r, by_socket, &c.caller);
	return c;
}

bool api_head(struct admin *a, struct serve_request *r, bool by_socket)
{
	struct api_call c = call_of(a, r, by_socket);

	return route_call(&c);
}

static void take(struct api_call first, bool (*may_be)(struct api_call *))
{
	struct api_call *c = arena_get(first.arena, sizeof *c);
	struct err e = { 0 };

	if (!c) {
		api_problem(&first, 503, "out of memory");
		return;
	}
	*c = first;
	if (!may_be(c))
		return;
	if (!query_is(c, &e) || !body_is(c, &e))
		api_failed(c, &e);
	else if (is_first(c))
		c->route->run(c);
}

void api_take(struct admin *a, struct serve_request *r, bool by_socket)
{
	take(call_of(a, r, by_socket), route_call);
}

/* What a stream or a download would give is none of it: it could not end. */
static bool is_for_gates(struct api_call *c)
{
	bool known;

	c->route = route_of(c->http, c->params, &known);
	if (c->route && c->route->role == ROLE_VIEWER && strcmp(c->route->method, "GET") == 0 && c->route->answer)
		return true;
	api_problem(c, 403, "no other gate may ask this");
	return false;
}

void api_take_inside(struct admin *a, struct serve_request *r)
{
	static const struct caller gate = { .role = ROLE_VIEWER, .way = CALLER_GATE, .name = "gate" };

	take((struct api_call){ .admin = a, .http = r, .arena = serve_arena(r), .caller = gate }, is_for_gates);
}
