/* replay_event.c -- an event is bounded and redacted: whatever of the request is missing, the notes say so. */
#include "admin/replay_event.h"
#include <stdarg.h>

enum { NOTE_MAX = 200, PATH_CUT = 1024 };

void replay_event_note(struct arena *a, struct replay_event *x, const char *fmt, ...)
{
	char line[NOTE_MAX];
	va_list args;

	if (x->nnotes == REPLAY_NOTES)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	x->notes[x->nnotes] = arena_copy(a, bytes_of(line));
	x->nnotes += x->notes[x->nnotes].at != NULL;
}

/* The JSON need not outlive the reading. */
static bool keep(struct arena *a, const struct json *v, const char *key, struct bytes *out)
{
	struct bytes b;

	if (!json_text(v, key, &b))
		return false;
	*out = arena_copy(a, b);
	return out->at != NULL;
}

static bool is_redacted(struct bytes value)
{
	return bytes_find(value, redacted) != SIZE_MAX;
}

/* ---- the request ---- */

static void take_fields(struct arena *a, const struct json *rest, struct replay_event *x)
{
	const struct json *list = json_at(rest, "headers");
	size_t n = json_length(list, "");
	struct field *at = arena_get(a, (n + 1) * sizeof *at);
	int64_t more = 0;

	for (size_t i = 0; at && i < n; i++) {
		struct field *f = &at[x->request.nfields++];

		keep(a, json_item(list, i), "name", &f->name);
		keep(a, json_item(list, i), "value", &f->value);
		if (!is_redacted(f->value))
			continue;
		x->exact = false;
		replay_event_note(a, x, "%.*s is secret: its value was not kept", (int)(f->name.len < 64 ? f->name.len : 64), f->name.at);
	}
	x->request.fields = at;
	json_number(rest, "more_headers", &more);
	if (more) {
		x->whole = x->exact = false;
		replay_event_note(a, x, "%lld header fields were not kept", (long long)more);
	}
}

static void take_target(struct arena *a, const struct json *rest, struct replay_event *x)
{
	struct bytes query = { 0 };
	bool has_query = json_text(rest, "query", &query);
	size_t room = x->path.len + query.len + 1;
	struct text t = text_over(arena_raw(a, room), room);

	if (!t.at)
		return;
	text_put(&t, x->path);
	if (has_query)
		text_byte(&t, '?');
	text_put(&t, query);
	x->request.target = text_bytes(&t);
	if (is_redacted(query) || is_redacted(x->path)) {
		x->exact = false;
		replay_event_note(a, x, "secret arguments of the %s were not kept", is_redacted(query) ? "query" : "path");
	}
	if (x->path.len >= PATH_CUT || query.len >= PATH_CUT) {
		x->whole = x->exact = false;
		replay_event_note(a, x, "path and query are kept to %d bytes", PATH_CUT);
	}
}

static void take_body(struct arena *a, const struct json *rest, struct replay_event *x)
{
	bool cut = false, kept = keep(a, rest, "body", &x->request.body);
	int64_t bytes = 0;

	json_number(rest, "request_bytes", &bytes);
	json_flag(rest, "body_truncated", &cut);
	if (is_redacted(x->request.body)) {
		x->exact = false;
		replay_event_note(a, x, "secret arguments of the body were not kept");
	}
	if (!bytes || (kept && !cut))
		return;
	x->whole = x->exact = false;
	replay_event_note(a, x, kept ? "only the beginning of the body was kept" :
			  "the body was not kept (the app's `log: {body: on}` would), so no rule has looked at it");
}

/* ---- what it came to ---- */

static bool read_hit(struct arena *a, const struct json *v, struct record_hit *h)
{
	int64_t score = 0;

	keep(a, v, "message", &h->message);
	keep(a, v, "category", &h->category);
	json_number(v, "score", &score);
	h->score = (int)score;
	return keep(a, v, "rule", &h->rule) && keep(a, v, "variable", &h->variable);
}

static void take_hits(struct arena *a, const struct json *rest, struct replay_event *x)
{
	const struct json *list = json_at(rest, "hits");
	size_t n = json_length(list, "");
	struct record_hit *at = arena_get(a, (n + 1) * sizeof *at);

	for (size_t i = 0; at && i < n; i++)
		x->nhits += read_hit(a, json_item(list, i), &at[x->nhits]);
	x->hits = at;
}

static void take_row(struct arena *a, const struct json *row, struct replay_event *x)
{
	struct bytes client;
	int64_t n = 0;

	keep(a, row, "app", &x->app);
	keep(a, row, "action", &x->action);
	keep(a, row, "would", &x->would);
	keep(a, row, "source", &x->source);
	keep(a, row, "path", &x->path);
	keep(a, row, "pass", &x->pass);
	keep(a, row, "rule", &x->rule);
	keep(a, row, "method", &x->request.method);
	keep(a, row, "ja4", &x->request.ja4);
	if (json_text(row, "client", &client))
		ip_parse(client, &x->request.client);
	if (json_number(row, "status", &n))
		x->status = (unsigned)n;
	if (json_number(row, "score", &n))
		x->score = (int)n;
	if (json_number(row, "threshold", &n))
		x->threshold = (int)n;
}

bool replay_event_read(struct arena *a, const struct json *row, const struct json *rest, struct replay_event *x, struct err *e)
{
	*x = (struct replay_event){ .whole = true, .exact = true };
	if (!keep(a, row, "id", &x->id))
		return err_set(e, SIDE_SELF, 0, "the archive has an event without an id");
	take_row(a, row, x);
	take_target(a, rest, x);
	take_fields(a, rest, x);
	take_body(a, rest, x);
	take_hits(a, rest, x);
	x->marked = json_length(rest, "overflows") > 0 || json_at(rest, "held.id");
	if (!x->request.method.len || !x->request.target.len)
		return err_set(e, SIDE_CLIENT, 422, "what came was no request: there is nothing to replay");
	if (bytes_eq(x->source, BYTES("protocol"))) {
		x->exact = false;
		replay_event_note(a, x, "it was malformed, and its bytes are not kept as they came");
	}
	return true;
}
