/* api_call.c -- what a call tells, and how it is answered. */
#include "admin/api/api.h"
#include "admin/api/repeats.h"
#include "admin/api/turns.h"
#include "base/clock.h"
#include "base/duration.h"
#include <stdarg.h>
#include <stdlib.h>

enum { PROBLEM_MAX = 512, ETAG_ROOM = 96, OWN_FIELDS = 3 };

/* ---- the query ---- */

struct bytes api_query(struct api_call *c, const char *name)
{
	return serve_query(c->http, bytes_of(name));
}

uint64_t api_query_int(struct api_call *c, const char *name, uint64_t unset, uint64_t max)
{
	uint64_t n;

	if (!bytes_u64(api_query(c, name), &n))
		return unset;
	return n < max ? n : max;
}

uint64_t api_time(struct bytes b, uint64_t now_ms)
{
	uint64_t t;

	if (clock_read(b, &t))
		return t;
	if (!duration_parse(b, &t))
		return 0;
	return t / 1000 < now_ms ? now_ms - t / 1000 : 1;
}

uint64_t api_query_time(struct api_call *c, const char *name)
{
	struct bytes b = api_query(c, name);

	return b.at ? api_time(b, clock_wall_ms()) : 0;
}

struct bytes api_member(const struct api_call *c, const char *name)
{
	struct bytes b = { 0 };

	json_text(c->body, name, &b);
	return b;
}

bool api_has_turn(struct api_call *c)
{
	if ((c->turn = turn_take(c->admin->turns, &c->caller)))
		return true;
	api_field(c, "Retry-After", BYTES("1"));
	api_problem(c, 503, "too much is asked at a time: there are %d such calls of one, %d of all", TURNS_EACH, TURNS_MAX);
	return false;
}

/* ---- answers ---- */

size_t api_fields(struct field *to, size_t room)
{
	static const struct field fields[] = {
		{ .name = BYTES_INIT("Cache-Control"), .value = BYTES_INIT("no-store") },
		{ .name = BYTES_INIT("X-Content-Type-Options"), .value = BYTES_INIT("nosniff") },
		{ .name = BYTES_INIT("Referrer-Policy"), .value = BYTES_INIT("no-referrer") },
	};
	size_t n = 0;

	while (n < nelems(fields) && n < room) {
		to[n] = fields[n];
		n++;
	}
	return n;
}

void api_field(struct api_call *c, const char *name, struct bytes value)
{
	struct bytes copy = arena_copy(c->arena, value);

	if (c->nfields < API_FIELDS && copy.at)
		c->fields[c->nfields++] = (struct field){ .name = bytes_of(name), .value = copy };
}

_Static_assert((int)REPEAT_FIELDS > (int)API_FIELDS, "a call's own, and its tag");

/* Whoever asks again gets what was done, as it was told; a refusal has done nothing. */
static void note_repeat(struct api_call *c, const struct serve_answer *own)
{
	if (c->repeat && own->status < 300)
		repeat_keep(c->admin->repeats, c->repeat, own);
	else if (c->repeat)
		repeat_drop(c->admin->repeats, c->repeat);
	c->repeat = NULL;
}

/* `own` has no more fields than REPEAT_FIELDS, and perhaps that it is one of before. */
static void send_answer(struct api_call *c, const struct serve_answer *own)
{
	struct field fields[OWN_FIELDS + REPEAT_FIELDS + 1];
	struct serve_answer whole = *own;

	turn_give(c->turn);
	c->turn = NULL;
	whole.fields = fields;
	whole.nfields = api_fields(fields, OWN_FIELDS);
	for (size_t i = 0; i < own->nfields; i++)
		fields[whole.nfields++] = own->fields[i];
	serve_answer(c->http, &whole);
}

void api_answer_again(struct api_call *c, const struct serve_answer *kept)
{
	struct field fields[REPEAT_FIELDS + 1];
	struct serve_answer own = *kept;

	for (size_t i = 0; i < kept->nfields; i++)
		fields[i] = kept->fields[i];
	fields[own.nfields++] = (struct field){ .name = BYTES("Idempotent-Replayed"), .value = BYTES("true") };
	own.fields = fields;
	send_answer(c, &own);
}

static void send(struct api_call *c, unsigned status, struct bytes type, struct bytes etag, struct bytes body)
{
	struct field fields[REPEAT_FIELDS];
	struct serve_answer own = { .status = status, .content_type = type, .fields = fields, .body = body };

	if (etag.len)
		fields[own.nfields++] = (struct field){ .name = BYTES("ETag"), .value = etag };
	for (unsigned i = 0; i < c->nfields; i++)
		fields[own.nfields++] = c->fields[i];
	note_repeat(c, &own);
	send_answer(c, &own);
}

static void answer_tagged(struct api_call *c, unsigned status, struct bytes etag, struct json_out *o)
{
	struct json_out out = *o;

	*o = json_out(out.max);
	if (out.failed)
		api_problem(c, 503, "the answer takes more memory than there is");
	else
		send(c, status, BYTES("application/json"), etag, json_out_bytes(&out));
	json_out_free(&out);
}

void api_answer(struct api_call *c, unsigned status, struct json_out *o)
{
	answer_tagged(c, status, (struct bytes){ 0 }, o);
}

static struct bytes field_of(const struct api_call *c, struct bytes name)
{
	const struct field *f = fields_named(&serve_head(c->http)->fields, name);

	return f ? f->value : (struct bytes){ 0 };
}

bool api_names_tag(struct bytes list, struct bytes tag)
{
	struct bytes part;

	if (bytes_eq(list, BYTES("*")))
		return true;
	while (bytes_cut(&list, ',', &part)) {
		part = bytes_trim(part);
		if (bytes_starts(part, BYTES("W/")))
			part = bytes_from(part, 2);
		if (bytes_eq(part, tag))
			return true;
	}
	return false;
}

void api_answer_tagged(struct api_call *c, struct bytes etag, struct json_out *o)
{
	struct bytes have = field_of(c, BYTES("If-None-Match"));

	if (have.len && api_names_tag(have, etag)) {
		json_out_free(o);
		send(c, 304, (struct bytes){ 0 }, etag, (struct bytes){ 0 });
		return;
	}
	answer_tagged(c, 200, etag, o);
}

bool api_matches(struct api_call *c, struct bytes etag)
{
	struct bytes wanted = field_of(c, BYTES("If-Match"));

	if (!wanted.len)
		api_problem(c, 428, "If-Match is wanted: the ETag of what is changed");
	else if (!api_names_tag(wanted, etag))
		api_problem(c, 412, "somebody else has changed it: read it again");
	else
		return true;
	return false;
}

void api_answer_text(struct api_call *c, struct bytes text)
{
	send(c, 200, BYTES("text/plain; charset=utf-8"), (struct bytes){ 0 }, text);
}

void api_done(struct api_call *c)
{
	send(c, 204, (struct bytes){ 0 }, (struct bytes){ 0 }, (struct bytes){ 0 });
}

const char *api_title(unsigned status)
{
	static const struct { unsigned status; const char *title; } titles[] = {
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 409, "Conflict" }, { 412, "Precondition Failed" },
		{ 413, "Content Too Large" }, { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" },
		{ 428, "Precondition Required" }, { 429, "Too Many Requests" }, { 502, "Bad Gateway" },
		{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < nelems(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Internal Server Error";
}

void api_problem(struct api_call *c, unsigned status, const char *fmt, ...)
{
	char detail[PROBLEM_MAX], room[PROBLEM_MAX * 6 + 128];
	struct text t = text_over(room, sizeof room);
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof detail, fmt, args);
	va_end(args);
	text_printf(&t, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":", api_title(status), status);
	text_json(&t, bytes_of(detail));
	text_byte(&t, '}');
	send(c, status, BYTES("application/problem+json"), (struct bytes){ 0 }, text_bytes(&t));
}

void api_problem_out(struct api_call *c, unsigned status, struct json_out *o)
{
	struct json_out out = *o;

	*o = json_out(out.max);
	if (out.failed)
		api_problem(c, 503, "the answer takes more memory than there is");
	else
		send(c, status, BYTES("application/problem+json"), (struct bytes){ 0 }, json_out_bytes(&out));
	json_out_free(&out);
}

void api_failed(struct api_call *c, const struct err *e)
{
	static const unsigned statuses[] = { [SIDE_CLIENT] = 422, [SIDE_UPSTREAM] = 502, [SIDE_CONFIG] = 422, [SIDE_SELF] = 503 };
	bool is_status = e->side == SIDE_CLIENT && e->code >= 400 && e->code < 500;

	api_problem(c, is_status ? (unsigned)e->code : statuses[e->side], "%s", e->text);
}
