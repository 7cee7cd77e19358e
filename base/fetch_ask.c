/* fetch_ask.c -- the request: copied, checked, written; and the body of its
 * answer collected for those who want it whole. */
#include "base/fetch_parts.h"

enum {
	ARENA_MAX = 512 << 10, /* heads, URLs, fields; the request's body beside it */
	OWN_FIELDS = 5,
	DEADLINE_MS = 10000,
};

/* ---- copying and checking ---- */

/* A line of a head: nothing of it may begin another line. */
static bool is_line(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.at[i] < ' ' || b.at[i] == 0x7f)
			return false;
	return true;
}

static bool refuse(struct fetch *f, const char *why)
{
	return err_set(&f->refused, SIDE_CONFIG, 0, "%s", why);
}

/* True also when it is refused; false: out of memory. */
static bool copy_fields(struct fetch *f, const struct fetch_request *q)
{
	size_t n = q->nfields < FETCH_FIELDS ? q->nfields : FETCH_FIELDS;
	struct field *to = arena_get(f->arena, (n + 1) * sizeof *to);

	if (!to)
		return false;
	if (q->nfields > FETCH_FIELDS)
		refuse(f, "too many fields");
	for (size_t i = 0; i < n; i++) {
		to[i] = q->fields[i];
		to[i].name = arena_copy(f->arena, q->fields[i].name);
		to[i].value = arena_copy(f->arena, q->fields[i].value);
		if (!to[i].name.at || !to[i].value.at)
			return false;
		if (!to[i].name.len || !is_line(to[i].name) || !is_line(to[i].value))
			refuse(f, "a field with control characters");
	}
	f->ask.fields = to;
	f->ask.nfields = n;
	return true;
}

static bool copy_texts(struct fetch *f, const struct fetch_request *q)
{
	struct bytes method = q->method.len ? q->method : q->body.at ? BYTES("POST") : BYTES("GET");

	f->ask.method = arena_copy(f->arena, method);
	f->ask.content_type = arena_copy(f->arena, q->content_type);
	if (q->body.len > FETCH_SEND_MAX) {
		refuse(f, "a body of more than 1 MiB");
		f->ask.body = (struct bytes){ 0 };
		return true;
	}
	if (!is_line(method) || !is_line(q->content_type))
		refuse(f, "a method or content type with control characters");
	if (q->body.at)
		f->ask.body = arena_copy(f->arena, q->body);
	return f->ask.method.at && f->ask.content_type.at && (!q->body.at || f->ask.body.at);
}

static bool copy_all(struct fetch *f, const struct fetch_request *q)
{
	f->room = f->head = arena_raw(f->arena, FETCH_HEAD_MAX);
	if (!f->room || !copy_fields(f, q) || !copy_texts(f, q))
		return false;
	if (!fetch_url_parse(f->arena, q->url, &f->url, &f->refused))
		err_at(&f->refused, "the URL");
	f->ask.url = (struct bytes){ 0 }; /* the caller's; url has what there is to it */
	return true;
}

struct fetch *fetch_new(struct fetcher *r, struct loop *l, const struct fetch_request *q)
{
	struct arena *a = arena_new(ARENA_MAX + (q->body.len < FETCH_SEND_MAX ? q->body.len : FETCH_SEND_MAX));
	struct fetch *f = a ? arena_get(a, sizeof *f) : NULL;

	if (!f) {
		arena_free(a);
		return NULL;
	}
	*f = (struct fetch){ .fetcher = r, .loop = l, .arena = a, .ask = *q, .with_fields = true };
	if (!f->ask.deadline_ms)
		f->ask.deadline_ms = DEADLINE_MS;
	if (!copy_all(f, q)) {
		arena_free(a);
		return NULL;
	}
	return f;
}

/* ---- writing ---- */

static bool names_itself(const struct fetch_request *q)
{
	for (size_t i = 0; i < q->nfields; i++)
		if (bytes_eq_nocase(q->fields[i].name, BYTES("User-Agent")))
			return true;
	return false;
}

static size_t own_fields(const struct fetch *f, struct field out[OWN_FIELDS])
{
	size_t n = 0;

	if (!f->with_fields || !names_itself(&f->ask))
		out[n++] = (struct field){ BYTES("User-Agent"), BYTES("embergate/" EMBERGATE_VERSION), FIELD_USER_AGENT,
					   false };
	out[n++] = (struct field){ BYTES("Accept-Encoding"), BYTES("identity"), FIELD_OTHER, false };
	out[n++] = (struct field){ BYTES("Connection"), BYTES("close"), FIELD_CONNECTION, false };
	if (f->ask.content_type.len)
		out[n++] = (struct field){ BYTES("Content-Type"), f->ask.content_type, FIELD_CONTENT_TYPE, false };
	/* RFC 9110 8.6: a POST without content says so. */
	if (f->ask.body.at && !f->ask.body.len)
		out[n++] = (struct field){ BYTES("Content-Length"), BYTES("0"), FIELD_CONTENT_LENGTH, false };
	return n;
}

struct request fetch_asked(const struct fetch *f)
{
	return (struct request){ .method = f->ask.method, .path = f->url.path, .query = f->url.query,
				 .host = f->url.authority };
}

struct bytes fetch_head(struct fetch *f)
{
	struct field extra[OWN_FIELDS + FETCH_FIELDS];
	struct request q = fetch_asked(f);
	size_t n = own_fields(f, extra);

	for (size_t i = 0; f->with_fields && i < f->ask.nfields; i++)
		extra[n++] = f->ask.fields[i];
	return http1_write_request(f->arena, &q, extra, n, f->ask.body.len ? BODY_LENGTH : BODY_NONE,
				   f->ask.body.len);
}

void fetch_form_put(struct text *t, struct bytes name, struct bytes value)
{
	static const char hex[] = "0123456789ABCDEF";
	const struct bytes both[] = { name, value };

	if (t->len)
		text_byte(t, '&');
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < both[k].len; i++) {
			unsigned char c = (unsigned char)both[k].at[i];

			if ((byte_lower((char)c) >= 'a' && byte_lower((char)c) <= 'z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '.' || c == '_' || c == '*')
				text_byte(t, (char)c);
			else if (c == ' ')
				text_byte(t, '+');
			else
				text_put(t, (struct bytes){ (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3 });
		}
		if (k == 0)
			text_byte(t, '=');
	}
}

bool fetch_url_check(struct bytes url, struct err *e)
{
	struct arena *a = arena_new(3 * FETCH_URL_MAX);
	struct fetch_url out;
	bool good = a ? fetch_url_parse(a, url, &out, e) : err_set(e, SIDE_SELF, 0, "out of memory");

	arena_free(a);
	return good;
}

/* ---- the body, whole ---- */

static void whole_bytes(void *owner, struct bytes b)
{
	struct fetch *f = owner;

	if (f->nwhole + b.len > f->cap) {
		size_t cap = (f->nwhole + b.len) * 2;
		char *more = realloc(f->whole, cap);

		if (!more) {
			fetch_fail(f, 502, "out of memory");
			return;
		}
		f->whole = more;
		f->cap = cap;
	}
	memcpy(f->whole + f->nwhole, b.at, b.len);
	f->nwhole += b.len;
}

static void whole_done(void *owner, const struct err *failed)
{
	struct fetch *f = owner;
	struct fetch_answer a = { f->response.status, &f->response.fields, { f->whole, f->nwhole } };

	f->told(f->told_owner, failed ? NULL : &a, failed);
}

struct fetch *fetch_whole(struct fetcher *r, struct loop *l, const struct fetch_request *q, fetch_told *told,
			  void *owner)
{
	static const struct fetch_events events = { NULL, whole_bytes, whole_done };
	struct fetch *f = fetch_start(r, l, q, &events, NULL);

	if (!f)
		return NULL;
	f->owner = f;
	f->told = told;
	f->told_owner = owner;
	return f;
}
