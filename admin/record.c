/* record.c -- from an event to what may be written of it. */
#include "admin/record.h"

/* Bytes of each field at most; the escapes of a format may make six of one. */
enum {
	SHORT = 64, /* ids, names, words */
	NAME = 255,
	LINE = 256, /* reason */
	LONG = 512, /* referer, user agent */
	TARGET = 1024,
	SEEN = 200,  /* target of an event that a scenario counted */
	BEFORE = 24, /* of a snippet, in front of the match */
};

/* At most n bytes, not in the middle of a UTF-8 sequence. */
static struct bytes cut(struct bytes b, size_t n)
{
	if (b.len <= n)
		return b;
	while (n > 0 && ((unsigned char)b.at[n] & 0xc0) == 0x80)
		n--;
	return bytes_sub(b, 0, n);
}

static struct text scratch_text(struct record *r)
{
	return text_over(r->scratch + r->scratch_used, sizeof r->scratch - r->scratch_used);
}

/* What the text holds is the record's from now on. */
static struct bytes scratch_keep(struct record *r, const struct text *t)
{
	r->scratch_used += t->len;
	return text_bytes(t);
}

static struct bytes safe_query(struct record *r, struct bytes query, const struct redact *redact)
{
	struct text t = scratch_text(r);

	if (query.len == 0)
		return query;
	redact_query(&t, redact, query);
	return cut(scratch_keep(r, &t), TARGET);
}

static struct bytes safe_path(struct record *r, struct bytes path, const struct redact *redact)
{
	struct text t = scratch_text(r);

	redact_path(&t, redact, path);
	return cut(scratch_keep(r, &t), TARGET);
}

static struct bytes safe_url(struct record *r, struct bytes url, size_t max, const struct redact *redact)
{
	struct text t = scratch_text(r);

	redact_url(&t, redact, url);
	return cut(scratch_keep(r, &t), max);
}

static struct bytes safe_text(struct record *r, struct bytes text, size_t max, const struct redact *redact)
{
	struct text t = scratch_text(r);

	redact_loose(&t, redact, cut(text, max), 0, max);
	return cut(scratch_keep(r, &t), max);
}

static void take_request(struct record *r, const struct request *q, const struct redact *redact)
{
	r->has_request = q->method.len > 0;
	r->method = cut(q->method, SHORT);
	r->host = cut(q->hostname, NAME);
	r->path = safe_path(r, cut(q->path, TARGET), redact);
	r->has_query = q->query.at != NULL;
	r->query = safe_query(r, cut(q->query, TARGET), redact);
	r->referer = safe_url(r, cut(fields_value(&q->fields, FIELD_REFERER), LONG), LONG, redact);
	r->user_agent = safe_text(r, fields_value(&q->fields, FIELD_USER_AGENT), LONG, redact);
	r->minor = q->minor;
}

/* "COOKIES:sid", "REQUEST_COOKIES:sid"; not "COOKIES_NAMES". */
static bool is_cookie(struct bytes collection)
{
	return bytes_ends(collection, BYTES("COOKIES"));
}

/* All texts of a document in one: which of them stood in <password> is not known any more. */
static bool is_nameless(struct bytes variable)
{
	return bytes_eq(variable, BYTES("XML"));
}

static bool is_secret_variable(struct bytes variable, const struct redact *redact)
{
	size_t colon = bytes_index(variable, ':');

	if (is_cookie(bytes_sub(variable, 0, colon)) || is_nameless(variable))
		return true;
	return colon != SIZE_MAX && redact_is_secret(redact, bytes_from(variable, colon + 1));
}

/* What is said of a hit may quote any of these. */
static bool quotes_secret(const struct hit *h, const struct redact *redact)
{
	for (size_t i = 0; i < h->nquoted; i++)
		if (is_secret_variable(h->quoted[i], redact))
			return true;
	return is_secret_variable(h->variable, redact);
}

/* "TX:1", "MATCHED_VAR": the value is another variable's. */
static bool is_borrowed(struct bytes variable)
{
	return bytes_starts(variable, BYTES("TX:")) || bytes_starts(variable, BYTES("MATCHED_VAR"));
}

static void take_snippet(struct record *r, struct record_hit *to, const struct hit *h, const struct redact *redact)
{
	size_t offset = h->offset < h->value.len ? h->offset : h->value.len;
	size_t from = offset > BEFORE ? offset - BEFORE : 0;
	struct text t = scratch_text(r);

	if (is_borrowed(h->variable) ? quotes_secret(h, redact) : is_secret_variable(h->variable, redact)) {
		to->snippet = redacted;
		return;
	}
	to->before = from > 0;
	to->after = h->value.len > from + RECORD_SNIPPET;
	redact_loose(&t, redact, h->value, from, from + RECORD_SNIPPET);
	to->snippet = scratch_keep(r, &t);
}

/* It nearly always quotes the value. */
static void take_data(struct record *r, struct record_hit *to, const struct hit *h, const struct redact *redact)
{
	to->data = h->data.len && quotes_secret(h, redact) ? redacted : safe_text(r, h->data, RECORD_DATA, redact);
}

/* A message that quotes a secret is shown as the rule has it; of others what looks like one is taken out. */
static struct bytes safe_message(struct record *r, const struct hit *h, const struct redact *redact, size_t max)
{
	if (!h->message.len || h->message.at == h->rule->message || quotes_secret(h, redact))
		return cut(bytes_of(h->rule->message), max);
	return safe_text(r, h->message, max, redact);
}

/* It is often the message of a hit, which tells by its place what it quotes. */
static struct bytes safe_reason(struct record *r, const struct event *e, const struct redact *redact)
{
	for (size_t i = 0; i < e->nhits; i++)
		if (e->reason.len && e->hits[i].message.at == e->reason.at)
			return safe_message(r, &e->hits[i], redact, LINE);
	return safe_text(r, e->reason, LINE, redact);
}

static void take_hit(struct record *r, const struct hit *h, const struct redact *redact)
{
	struct record_hit *to = &r->hits[r->nhits++];

	*to = (struct record_hit){
		.rule = cut(bytes_of(h->rule->id), 2 * SHORT),
		.message = safe_message(r, h, redact, 2 * SHORT),
		.category = cut(bytes_of(h->rule->category), SHORT),
		.variable = cut(h->variable, 2 * SHORT),
		.offset = h->offset,
		.len = h->len,
		.score = h->score,
		.severity = h->rule->severity,
	};
	take_snippet(r, to, h, redact);
	take_data(r, to, h, redact);
}

static void take_hits(struct record *r, const struct event *e, const struct redact *redact)
{
	r->score = 0;
	r->nhits = 0;
	for (size_t i = 0; i < e->nhits; i++) {
		r->score += e->hits[i].score;
		if (i < RECORD_HITS)
			take_hit(r, &e->hits[i], redact);
	}
	r->more_hits = e->nhits - r->nhits;
}

static void take_held(struct record *r, const struct decision *d)
{
	r->held = (struct record_held){ 0 };
	if (d)
		r->held = (struct record_held){
			.id = d->id, .scope = d->scope, .value = cut(d->value, NAME), .reason = cut(d->reason, 2 * SHORT),
			.origin = cut(d->origin, SHORT), .remedy = d->remedy, .made_ms = d->made_ms, .until_ms = d->until_ms,
		};
}

/* The newest, as many as there is room for. */
static void take_seen(struct record *r, struct record_overflow *to, const struct event_overflow *o, const struct redact *redact)
{
	size_t room = RECORD_SEEN - r->nseen, first = o->nseen > room ? o->nseen - room : 0;

	to->first = r->nseen;
	for (size_t i = first; i < o->nseen; i++)
		r->own_seen[r->nseen++] = (struct record_seen){
			.wall_ms = o->seen[i].wall_ms, .verb = cut(o->seen[i].verb, SHORT),
			.target = safe_url(r, bytes_sub(o->seen[i].target, 0, TARGET), SEEN, redact),
			.status = cut(o->seen[i].status, SHORT),
		};
	to->nseen = r->nseen - to->first;
}

static void take_overflows(struct record *r, const struct event *e, const struct redact *redact)
{
	r->seen = r->own_seen;
	r->nseen = 0;
	for (r->noverflows = 0; r->noverflows < e->noverflows && r->noverflows < RECORD_OVERFLOWS; r->noverflows++) {
		const struct event_overflow *o = &e->overflows[r->noverflows];
		struct record_overflow *to = &r->overflows[r->noverflows];

		*to = (struct record_overflow){
			.scenario = cut(o->scenario, 2 * SHORT), .scope = cut(o->scope, SHORT), .value = cut(o->value, NAME),
			.count = o->count, .remedy = o->remedy, .until_ms = o->until_ms, .simulated = o->simulated,
		};
		take_seen(r, to, o, redact);
	}
}

void record_of(struct record *r, const struct event *e, const struct redact *redact)
{
	static const struct request unread;

	r->scratch_used = 0;
	r->wall_ms = e->wall_ms;
	r->id = cut(e->id, SHORT);
	r->app = cut(e->app, SHORT);
	r->client = e->client;
	r->peer = e->peer;
	r->peer_port = e->peer_port;
	r->client_from = cut(e->client_from, SHORT);
	r->tls_version = cut(e->tls_version, SHORT);
	r->ja4 = cut(e->ja4, SHORT);
	r->upstream = cut(e->upstream, NAME);
	r->reason = safe_reason(r, e, redact);
	r->status = e->status;
	r->threshold = e->threshold;
	r->request_bytes = e->request_bytes;
	r->response_bytes = e->response_bytes;
	r->duration_us = e->duration_us;
	r->inspection_us = e->inspection_us;
	r->action = e->action;
	r->would = e->would;
	r->source = e->source;
	r->country = cut(e->country, SHORT);
	r->as = cut(e->as, SHORT);
	r->as_name = cut(e->as_name, SHORT);
	r->bot = cut(e->bot, SHORT);
	r->bot_proven = e->bot_proven;
	r->allowed = e->allowed;
	r->hearsay = e->hearsay;
	r->level = e->level;
	r->limits = e->limits;
	r->fields = r->own_fields;
	r->nfields = r->more_fields = 0;
	r->has_body = r->more_body = false;
	r->body = (struct bytes){ 0 };
	take_request(r, e->request ? e->request : &unread, redact);
	take_hits(r, e, redact);
	take_held(r, e->held);
	take_overflows(r, e, redact);
}

/* --- the request as received ---------------------------------------------- */

/* Whatever the field is called. */
static bool is_credentials(struct bytes value)
{
	static const struct bytes schemes[] = { BYTES_INIT("Basic "), BYTES_INIT("Bearer "), BYTES_INIT("Digest "),
						BYTES_INIT("Negotiate "), BYTES_INIT("AWS4-HMAC-SHA256 ") };

	for (size_t i = 0; i < nelems(schemes); i++)
		if (bytes_starts_nocase(value, schemes[i]))
			return true;
	return false;
}

static bool is_url(const struct bytes value)
{
	return bytes_starts(value, BYTES("/")) || bytes_starts_nocase(value, BYTES("http"));
}

static struct bytes safe_value(struct record *r, const struct field *f, const struct redact *redact)
{
	if (redact_is_secret(redact, f->name) || is_credentials(f->value))
		return redacted;
	if (is_url(f->value))
		return safe_url(r, f->value, RECORD_FIELD_BYTES, redact);
	return safe_text(r, f->value, RECORD_FIELD_BYTES, redact);
}

static void take_fields(struct record *r, const struct fields *fields, const struct redact *redact)
{
	size_t room = RECORD_FIELD_BYTES;

	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->at[i];
		struct record_field *to = &r->own_fields[r->nfields];

		if (r->nfields == RECORD_FIELDS || f->name.len + f->value.len > room) {
			r->more_fields++;
			continue;
		}
		room -= f->name.len + f->value.len;
		*to = (struct record_field){ f->name, safe_value(r, f, redact) };
		r->nfields++;
	}
}

static void take_body(struct record *r, const struct event *e, const struct redact *redact)
{
	struct text t = scratch_text(r);

	r->has_body = e->has_body;
	r->more_body = e->body.len > RECORD_BODY || e->request_bytes > e->body.len;
	redact_body(&t, redact, e->request ? fields_value(&e->request->fields, FIELD_CONTENT_TYPE) : (struct bytes){ 0 },
		    bytes_sub(e->body, 0, RECORD_BODY));
	r->body = cut(scratch_keep(r, &t), RECORD_BODY);
}

void record_request(struct record *r, const struct event *e, const struct redact *redact)
{
	if (e->request)
		take_fields(r, &e->request->fields, redact);
	if (e->has_body)
		take_body(r, e, redact);
}
