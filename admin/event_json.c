/* event_json.c -- a record as JSON: what the API gives of an event.
 *
 * The trace tells the steps of proxy/pipeline.c in their order. Who was stopped at one of them was not asked by those behind
 * it, which then are not in the trace. */
#include "admin/event_json.h"
#include "admin/explain.h"
#include "admin/propose.h"
#include <stdlib.h>

enum { EXPLAIN_MAX = 64 << 10, LINE_MAX_BYTES = 1024 };

static const char *const levels[] = { "none", "wait", "pow", "captcha" };
static const char *const severities[] = {
	[SEVERITY_NOTICE] = "notice", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error", [SEVERITY_CRITICAL] = "critical",
};

/* Nothing for an empty value. */
static void put_some(struct json_out *o, const char *key, struct bytes value)
{
	if (value.len)
		out_text(o, key, value);
}

static void put_ip(struct json_out *o, const char *key, const struct ip *ip)
{
	char buf[64];
	struct text t = text_over(buf, sizeof buf);

	ip_text(&t, ip);
	out_text(o, key, text_bytes(&t));
}

/* ---- a row ---- */

const struct record_hit *event_json_worst(const struct record *r)
{
	const struct record_hit *worst = r->nhits ? &r->hits[0] : NULL;

	for (size_t i = 1; i < r->nhits; i++)
		if (r->hits[i].score > worst->score ||
		    (r->hits[i].score == worst->score && r->hits[i].severity > worst->severity))
			worst = &r->hits[i];
	return worst;
}

static void put_client(struct json_out *o, const struct record *r)
{
	uint64_t as;

	put_ip(o, "client", &r->client);
	put_some(o, "country", r->country);
	if (bytes_u64(r->as, &as))
		out_int(o, "as", (int64_t)as);
	put_some(o, "as_name", r->as_name);
	put_some(o, "ja4", r->ja4);
}

static void put_rules(struct json_out *o, const struct record *r)
{
	const struct record_hit *worst = event_json_worst(r);

	if (worst)
		out_text(o, "rule", worst->rule);
	out_list(o, "rules");
	for (size_t i = 0; i < r->nhits; i++)
		out_text(o, NULL, r->hits[i].rule);
	out_end(o);
}

void event_json_row(struct json_out *o, const struct record *r)
{
	out_object(o, NULL);
	out_text(o, "id", r->id);
	out_time(o, "time", r->wall_ms);
	out_text(o, "app", r->app);
	put_client(o, r);
	out_text(o, "method", r->method);
	out_text(o, "host", r->host);
	out_text(o, "path", r->path);
	out_int(o, "status", (int64_t)r->status);
	out_str(o, "action", remedy_word(r->action));
	out_str(o, "would", remedy_word(r->would));
	out_str(o, "source", source_word(r->source));
	out_text(o, "reason", r->reason);
	put_rules(o, r);
	out_int(o, "score", r->score);
	out_int(o, "threshold", r->threshold);
	put_some(o, "bot", r->bot);
	out_str(o, "pass", levels[r->level < nelems(levels) ? r->level : 0]);
	out_int(o, "duration_us", r->duration_us);
	out_int(o, "inspection_us", r->inspection_us);
	out_end(o);
}

/* ---- the trace ---- */

static void put_step(struct json_out *o, const char *step, const char *outcome, struct text *line)
{
	out_object(o, NULL);
	out_str(o, "step", step);
	out_str(o, "outcome", outcome);
	out_text(o, "text", text_bytes(line));
	out_end(o);
	line->len = 0;
}

static void trace_client(struct json_out *o, const struct record *r, struct text *t)
{
	ip_text(t, &r->client);
	if (ip_eq(&r->client, &r->peer)) {
		text_str(t, ", who connected");
	} else {
		text_str(t, ", as ");
		text_put(t, r->client_from);
		text_str(t, " of the trusted hop ");
		ip_text(t, &r->peer);
		text_str(t, " says");
	}
	if (r->country.len) {
		text_str(t, ", from ");
		text_put(t, r->country);
	}
	if (r->as.len) {
		text_str(t, ", AS ");
		text_put(t, r->as);
		text_byte(t, ' ');
		text_put(t, r->as_name);
	}
	if (r->ja4.len) {
		text_str(t, ", JA4 ");
		text_put(t, r->ja4);
	}
	put_step(o, "client", "known", t);
}

static void trace_bot(struct json_out *o, const struct record *r, struct text *t)
{
	text_str(t, r->bot.len ? "it says it is " : "it does not say that it is a bot");
	text_put(t, r->bot);
	if (r->bot.len)
		text_str(t, r->bot_proven ? ", and its address agrees" : ", which nothing proves");
	put_step(o, "bot", r->source == SOURCE_BOT ? "ruled" : r->bot.len ? "bot" : "none", t);
}

static void trace_reputation(struct json_out *o, const struct record *r, struct text *t)
{
	if (r->held.id) {
		text_printf(t, "%s is held against %s ", remedy_word(r->held.remedy), scope_word(r->held.scope));
		text_put(t, r->held.value);
		text_str(t, ": ");
		text_put(t, r->held.reason);
	} else {
		text_str(t, r->hearsay ? "others say no good of it" : "nothing is held against it");
	}
	if (r->allowed)
		text_str(t, "; an entry allows it");
	put_step(o, "reputation",
		 r->source == SOURCE_CTI ? "ruled" : r->allowed ? "allowed" : r->held.id ? "held" : r->hearsay ? "hearsay" : "none", t);
}

static void trace_limits(struct json_out *o, const struct record *r, struct text *t)
{
	if (r->source == SOURCE_LIMIT) {
		text_str(t, "reached: ");
		text_put(t, r->reason);
	} else {
		text_printf(t, r->limits ? "%u asked, none was reached" : "none holds here", r->limits);
	}
	put_step(o, "limits", r->source == SOURCE_LIMIT ? "reached" : r->limits ? "passed" : "none", t);
}

static void trace_scenarios(struct json_out *o, const struct record *r, struct text *t)
{
	for (size_t i = 0; i < r->noverflows; i++) {
		text_str(t, i ? "; " : "");
		text_put(t, r->overflows[i].scenario);
		text_printf(t, " overflowed with %u events of ", r->overflows[i].count);
		text_put(t, r->overflows[i].value);
	}
	if (!r->noverflows)
		text_str(t, "none overflowed by it");
	put_step(o, "scenarios", r->source == SOURCE_SCENARIO ? "ruled" : r->noverflows ? "overflowed" : "none", t);
}

static void trace_rules(struct json_out *o, const struct record *r, struct text *t)
{
	const struct record_hit *worst = event_json_worst(r);

	if (worst) {
		text_printf(t, "%zu matched; the worst is ", r->nhits + r->more_hits);
		text_put(t, worst->rule);
		text_str(t, ": ");
		text_put(t, worst->message);
		text_str(t, ", in ");
		text_put(t, worst->variable);
	} else {
		text_str(t, "none matched");
	}
	put_step(o, "rules", worst ? "matched" : "none", t);
}

static void trace_score(struct json_out *o, const struct record *r, struct text *t)
{
	bool reached = r->threshold && r->score >= r->threshold;

	if (!r->threshold || !r->score)
		return;
	text_printf(t, "%d %s %d, from which the rules deny", r->score, reached ? "reaches" : "is below", r->threshold);
	put_step(o, "score", reached ? "reached" : "below", t);
}

static void trace_remedy(struct json_out *o, const struct record *r, struct text *t)
{
	text_printf(t, "%s by %s", remedy_word(r->would), source_word(r->source));
	if (r->reason.len) {
		text_str(t, ": ");
		text_put(t, r->reason);
	}
	if (r->action != r->would)
		text_printf(t, "; %s only, since the app is in detect mode", remedy_word(r->action));
	if (r->level)
		text_printf(t, "; its pass is worth %s", levels[r->level < nelems(levels) ? r->level : 0]);
	put_step(o, "remedy", remedy_word(r->action), t);
}

/* How far an exchange came that is stopped by that source: the last step that was asked. */
static const uint8_t reach[SOURCE_COUNT] = {
	[SOURCE_PROTOCOL] = 0, [SOURCE_BOT] = 1, [SOURCE_CTI] = 2, [SOURCE_OWN_RULE] = 2, [SOURCE_LIMIT] = 3, [SOURCE_ATTACK] = 3,
	[SOURCE_SCENARIO] = 4, [SOURCE_RULE] = 6, [SOURCE_NONE] = 6,
};

static void put_trace(struct json_out *o, const struct record *r)
{
	static void (*const steps[])(struct json_out *, const struct record *, struct text *) = {
		trace_client, trace_bot, trace_reputation, trace_limits, trace_scenarios, trace_rules, trace_score,
	};
	const uint8_t last = r->action > REMEDY_LOG ? reach[r->source] : nelems(steps) - 1;
	char line[LINE_MAX_BYTES];
	struct text t = text_over(line, sizeof line);

	out_list(o, "trace");
	for (uint8_t i = 0; i < nelems(steps); i++)
		if (i <= last || (i == 4 && r->noverflows) || (i >= 5 && r->nhits))
			steps[i](o, r, &t);
	trace_remedy(o, r, &t);
	out_end(o);
}

/* ---- the rest ---- */

static void put_request(struct json_out *o, const struct record *r)
{
	if (r->has_query)
		out_text(o, "query", r->query.at ? r->query : BYTES(""));
	put_some(o, "referer", r->referer);
	put_some(o, "user_agent", r->user_agent);
	out_str(o, "http", r->minor ? "1.1" : "1.0");
	put_ip(o, "peer", &r->peer);
	out_text(o, "client_from", r->client_from);
	put_some(o, "tls", r->tls_version);
	put_some(o, "upstream", r->upstream);
	out_int(o, "request_bytes", (int64_t)r->request_bytes);
	out_int(o, "response_bytes", (int64_t)r->response_bytes);
	out_list(o, "headers");
	for (size_t i = 0; i < r->nfields; i++) {
		out_object(o, NULL);
		out_text(o, "name", r->fields[i].name);
		out_text(o, "value", r->fields[i].value);
		out_end(o);
	}
	out_end(o);
	out_int(o, "more_headers", (int64_t)r->more_fields);
	if (r->has_body)
		out_text(o, "body", r->body);
	out_flag(o, "body_truncated", r->more_body);
}

void event_json_hit(struct json_out *o, const struct record_hit *h)
{
	out_object(o, NULL);
	out_text(o, "rule", h->rule);
	out_text(o, "message", h->message);
	out_text(o, "category", h->category);
	out_text(o, "variable", h->variable);
	out_int(o, "offset", (int64_t)h->offset);
	out_int(o, "length", (int64_t)h->len);
	out_text(o, "snippet", h->snippet);
	out_flag(o, "before", h->before);
	out_flag(o, "after", h->after);
	put_some(o, "data", h->data);
	out_int(o, "score", h->score);
	out_str(o, "severity", h->severity < nelems(severities) ? severities[h->severity] : NULL);
	out_end(o);
}

static void put_held(struct json_out *o, const struct record_held *h)
{
	if (!h->id)
		return;
	out_object(o, "held");
	out_id(o, "id", h->id);
	out_str(o, "scope", scope_word(h->scope));
	out_text(o, "value", h->value);
	out_str(o, "remedy", remedy_word(h->remedy));
	out_text(o, "reason", h->reason);
	out_text(o, "origin", h->origin);
	out_time(o, "made", h->made_ms);
	out_time(o, "until", h->until_ms);
	out_end(o);
}

static void put_seen(struct json_out *o, const struct record_seen *s)
{
	out_object(o, NULL);
	out_time(o, "time", s->wall_ms);
	out_text(o, "method", s->verb);
	out_text(o, "target", s->target);
	out_text(o, "status", s->status);
	out_end(o);
}

static void put_overflow(struct json_out *o, const struct record *r, const struct record_overflow *w)
{
	out_object(o, NULL);
	out_text(o, "scenario", w->scenario);
	out_text(o, "scope", w->scope);
	out_text(o, "value", w->value);
	out_int(o, "count", w->count);
	out_str(o, "remedy", remedy_word(w->remedy));
	if (w->until_ms)
		out_time(o, "until", w->until_ms);
	out_flag(o, "simulated", w->simulated);
	out_list(o, "seen");
	for (size_t i = 0; i < w->nseen; i++)
		put_seen(o, &r->seen[w->first + i]);
	out_end(o);
	out_end(o);
}

/* What ctl says of it, and the exception it would write. */
static void put_words(struct json_out *o, const struct record *r)
{
	char *buf = malloc(EXPLAIN_MAX);
	struct text t = text_over(buf, EXPLAIN_MAX);

	if (!buf) {
		o->failed = true;
		return;
	}
	explain_text(&t, r);
	out_text(o, "explain", text_bytes(&t));
	t = text_over(buf, EXPLAIN_MAX);
	if (r->source == SOURCE_RULE) {
		propose_exceptions(&t, r);
		propose_list(o, "exceptions", r);
	}
	if (t.len)
		out_text(o, "exception", text_bytes(&t));
	free(buf);
}

void event_json_rest(struct json_out *o, const struct record *r)
{
	out_object(o, NULL);
	put_request(o, r);
	out_list(o, "hits");
	for (size_t i = 0; i < r->nhits; i++)
		event_json_hit(o, &r->hits[i]);
	out_end(o);
	out_int(o, "more_hits", (int64_t)r->more_hits);
	put_held(o, &r->held);
	out_list(o, "overflows");
	for (size_t i = 0; i < r->noverflows; i++)
		put_overflow(o, r, &r->overflows[i]);
	out_end(o);
	put_trace(o, r);
	put_words(o, r);
	out_end(o);
}

void event_json_join(struct json_out *o, struct bytes row, struct bytes rest)
{
	out_object(o, NULL);
	out_raw(o, NULL, bytes_sub(row, 1, row.len - 1));
	out_raw(o, NULL, bytes_sub(rest, 1, rest.len - 1));
}
