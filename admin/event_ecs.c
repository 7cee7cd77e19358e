/* event_ecs.c -- JSON with the names of the Elastic Common Schema (8.x), what
 * has none there under "waf". Every key is a literal of ours; every value from
 * outside goes through text_json(). */
#include "admin/event_lines.h"
#include "base/clock.h"

enum { HITS_END = EVENT_LINE_MAX - (8 << 10) /* a hit is shorter than that, whatever is escaped in it */ };

static void put_ip(struct text *t, const struct ip *ip)
{
	text_byte(t, '"');
	ip_text(t, ip);
	text_byte(t, '"');
}

/* Nothing for an empty value. */
static void put_string(struct text *t, struct bytes key, struct bytes value)
{
	if (value.len == 0)
		return;
	text_put(t, key);
	text_json(t, value);
}

static void put_number(struct text *t, struct bytes key, uint64_t n)
{
	text_put(t, key);
	text_u64(t, n);
}

static struct bytes type_of(const struct record *r)
{
	if (r->action >= REMEDY_THROTTLE)
		return BYTES("denied");
	return r->action == REMEDY_LOG ? BYTES("info") : BYTES("allowed");
}

static struct bytes outcome_of(const struct record *r)
{
	if (r->status == 0)
		return BYTES("unknown");
	return r->status < 400 ? BYTES("success") : BYTES("failure");
}

static void put_event(struct text *t, const struct record *r)
{
	PUT(t, "\"event\":{\"id\":");
	text_json(t, r->id);
	PUT(t, ",\"kind\":");
	text_put(t, r->source == SOURCE_NONE ? BYTES("\"event\"") : BYTES("\"alert\""));
	PUT(t, ",\"category\":[\"web\",\"network\"],\"type\":[\"");
	text_put(t, type_of(r));
	PUT(t, "\"],\"action\":\"");
	text_str(t, remedy_word(r->action));
	PUT(t, "\",\"outcome\":\"");
	text_put(t, outcome_of(r));
	text_byte(t, '"');
	put_string(t, BYTES(",\"reason\":"), r->reason);
	if (r->score > 0)
		put_number(t, BYTES(",\"risk_score\":"), (uint64_t)r->score);
	put_number(t, BYTES(",\"duration\":"), (uint64_t)r->duration_us * 1000);
	text_byte(t, '}');
}

static void put_ends(struct text *t, const struct record *r)
{
	PUT(t, ",\"source\":{\"ip\":");
	put_ip(t, &r->peer);
	put_number(t, BYTES(",\"port\":"), r->peer_port);
	PUT(t, "},\"client\":{\"ip\":");
	put_ip(t, &r->client);
	text_byte(t, '}');
	if (r->upstream.len) {
		PUT(t, ",\"destination\":{\"address\":");
		text_json(t, r->upstream);
		text_byte(t, '}');
	}
}

static void put_url(struct text *t, const struct record *r)
{
	PUT(t, ",\"url\":{\"path\":");
	text_json(t, r->path);
	put_string(t, BYTES(",\"domain\":"), r->host);
	if (r->has_query) {
		PUT(t, ",\"query\":");
		text_json(t, r->query);
	}
	text_byte(t, '}');
}

static void put_http(struct text *t, const struct record *r)
{
	PUT(t, ",\"http\":{\"request\":{\"id\":");
	text_json(t, r->id);
	put_string(t, BYTES(",\"method\":"), r->method);
	put_string(t, BYTES(",\"referrer\":"), r->referer);
	put_number(t, BYTES(",\"bytes\":"), r->request_bytes);
	put_number(t, BYTES("},\"response\":{\"status_code\":"), r->status);
	put_number(t, BYTES(",\"bytes\":"), r->response_bytes);
	text_byte(t, '}');
	if (r->has_request)
		text_put(t, r->minor ? BYTES(",\"version\":\"1.1\"") : BYTES(",\"version\":\"1.0\""));
	text_byte(t, '}');
}

/* ECS wants the protocol and its version apart, and a fingerprint beside its own client.ja3. */
static void put_tls(struct text *t, const struct record *r)
{
	struct bytes version = r->tls_version;

	if (version.len == 0)
		return;
	PUT(t, ",\"tls\":{\"version\":");
	text_json(t, bytes_starts(version, BYTES("TLSv")) ? bytes_from(version, 4) : version);
	PUT(t, ",\"version_protocol\":\"tls\"");
	if (r->ja4.len) {
		put_string(t, BYTES(",\"client\":{\"ja4\":"), r->ja4);
		text_byte(t, '}');
	}
	text_byte(t, '}');
}

static void put_rule(struct text *t, const struct record_hit *h)
{
	PUT(t, ",\"rule\":{\"id\":");
	text_json(t, h->rule);
	put_string(t, BYTES(",\"name\":"), h->message);
	put_string(t, BYTES(",\"category\":"), h->category);
	text_byte(t, '}');
}

static void put_hit(struct text *t, const struct record_hit *h)
{
	uint64_t number;

	PUT(t, "{\"rule\":");
	text_json(t, h->rule);
	if (bytes_u64(h->rule, &number)) /* as go-ftw looks for it */
		put_number(t, BYTES(",\"ruleId\":"), number);
	put_string(t, BYTES(",\"message\":"), h->message);
	PUT(t, ",\"variable\":");
	text_json(t, h->variable);
	put_number(t, BYTES(",\"offset\":"), h->offset);
	put_number(t, BYTES(",\"length\":"), h->len);
	PUT(t, ",\"snippet\":");
	text_json(t, h->snippet);
	put_string(t, BYTES(",\"data\":"), h->data);
	if (h->score > 0)
		put_number(t, BYTES(",\"score\":"), (uint64_t)h->score);
	text_byte(t, '}');
}

/* As many as the line has room for: one that were too long would be lost. */
static void put_hits(struct text *t, const struct record *r)
{
	size_t i = 0;

	if (r->nhits == 0)
		return;
	PUT(t, ",\"decision_trace\":[");
	for (; i < r->nhits && t->len < HITS_END; i++) {
		if (i)
			text_byte(t, ',');
		put_hit(t, &r->hits[i]);
	}
	text_byte(t, ']');
	if (r->nhits - i + r->more_hits)
		put_number(t, BYTES(",\"more_hits\":"), r->nhits - i + r->more_hits);
}

static void put_time(struct text *t, struct bytes key, uint64_t wall_ms)
{
	text_put(t, key);
	text_byte(t, '"');
	clock_rfc3339(t, wall_ms);
	text_byte(t, '"');
}

static void put_held(struct text *t, const struct record_held *h)
{
	if (!h->id)
		return;
	put_number(t, BYTES(",\"held\":{\"id\":"), h->id);
	put_string(t, BYTES(",\"scope\":"), bytes_of(scope_word(h->scope)));
	put_string(t, BYTES(",\"value\":"), h->value);
	put_string(t, BYTES(",\"remedy\":"), bytes_of(remedy_word(h->remedy)));
	put_string(t, BYTES(",\"reason\":"), h->reason);
	put_string(t, BYTES(",\"origin\":"), h->origin);
	put_time(t, BYTES(",\"made\":"), h->made_ms);
	put_time(t, BYTES(",\"until\":"), h->until_ms);
	text_byte(t, '}');
}

static void put_overflow(struct text *t, const struct record_overflow *o)
{
	PUT(t, "{\"name\":");
	text_json(t, o->scenario);
	put_number(t, BYTES(",\"count\":"), o->count);
	put_string(t, BYTES(",\"scope\":"), o->scope);
	put_string(t, BYTES(",\"value\":"), o->value);
	if (o->remedy > REMEDY_ALLOW) {
		put_string(t, BYTES(",\"remedy\":"), bytes_of(remedy_word(o->remedy)));
		put_time(t, BYTES(",\"until\":"), o->until_ms);
		text_put(t, o->simulated ? BYTES(",\"simulated\":true") : BYTES(",\"simulated\":false"));
	}
	text_byte(t, '}');
}

static void put_overflows(struct text *t, const struct record *r)
{
	for (size_t i = 0; i < r->noverflows; i++) {
		text_put(t, i ? BYTES(",") : BYTES(",\"scenarios\":["));
		put_overflow(t, &r->overflows[i]);
	}
	if (r->noverflows)
		text_byte(t, ']');
}

static void put_waf(struct text *t, const struct record *r)
{
	PUT(t, ",\"waf\":{\"app\":");
	text_json(t, r->app);
	put_number(t, BYTES(",\"inspection_us\":"), r->inspection_us);
	put_string(t, BYTES(",\"client_from\":"), r->client_from);
	if (r->source != SOURCE_NONE) {
		PUT(t, ",\"source\":\"");
		text_str(t, source_word(r->source));
		PUT(t, "\",\"would\":\"");
		text_str(t, remedy_word(r->would));
		text_byte(t, '"');
	}
	if (r->score > 0)
		put_number(t, BYTES(",\"score\":"), (uint64_t)r->score);
	put_held(t, &r->held);
	put_overflows(t, r);
	put_hits(t, r);
	text_byte(t, '}');
}

void line_ecs(struct text *t, const struct record *r, const struct event_style *style)
{
	(void)style;
	PUT(t, "{\"@timestamp\":\"");
	clock_rfc3339(t, r->wall_ms);
	PUT(t, "\",");
	put_event(t, r);
	put_ends(t, r);
	put_url(t, r);
	put_http(t, r);
	if (r->user_agent.len) {
		put_string(t, BYTES(",\"user_agent\":{\"original\":"), r->user_agent);
		text_byte(t, '}');
	}
	put_tls(t, r);
	if (r->nhits)
		put_rule(t, &r->hits[0]);
	PUT(t, ",\"observer\":{\"type\":\"waf\",\"name\":\"embergate\",\"version\":\"" EMBERGATE_VERSION "\"}");
	put_waf(t, r);
	text_byte(t, '}');
}
