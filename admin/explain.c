/* explain.c -- the decision trace, in the order in which it was decided. */
#include "admin/explain.h"
#include "admin/propose.h"
#include "base/clock.h"

static const char *const done[REMEDY_COUNT] = {
	[REMEDY_ALLOW] = "ALLOWED",       [REMEDY_LOG] = "LOGGED",     [REMEDY_THROTTLE] = "THROTTLED",
	[REMEDY_CHALLENGE] = "CHALLENGED", [REMEDY_CAPTCHA] = "CAPTCHA", [REMEDY_TARPIT] = "TARPITTED",
	[REMEDY_DENY] = "DENIED",
};

/* What was asked before each source decides; it held nothing, else it would
 * have decided. */
static const char *const passed[SOURCE_COUNT] = {
	[SOURCE_LIMIT] = "own rules", [SOURCE_RULE] = "own rules, limits",
};

static const char *const who[SOURCE_COUNT] = {
	[SOURCE_PROTOCOL] = "HTTP itself", [SOURCE_RULE] = "rules", [SOURCE_OWN_RULE] = "a rule of the configuration",
	[SOURCE_LIMIT] = "a limit", [SOURCE_CTI] = "reputation", [SOURCE_SCENARIO] = "a scenario",
	[SOURCE_BOT] = "what bots may do", [SOURCE_ATTACK] = "attack mode",
};

static void put_row(struct text *t, const char *label)
{
	text_printf(t, "  %-8s ", label);
}

static void put_head(struct text *t, const struct record *r)
{
	text_plain(t, r->id);
	text_str(t, "  ");
	text_plain(t, r->has_request ? r->method : BYTES("(no request line)"));
	text_byte(t, ' ');
	text_plain(t, r->host);
	text_plain(t, r->path);
	if (r->has_query)
		text_byte(t, '?');
	text_plain(t, r->query);
	text_printf(t, "  \u2192 %s %u in %u.%02u ms   ", done[r->action], r->status, r->duration_us / 1000,
		    r->duration_us / 10 % 100);
	clock_rfc3339(t, r->wall_ms);
	text_byte(t, '\n');
}

/* What is known of it beside its address. */
static void put_client_facts(struct text *t, const struct record *r)
{
	const struct { const char *before; struct bytes value; } facts[] = {
		{ "   ", r->country }, { r->country.len ? " AS" : "   AS", r->as }, { "   ", r->tls_version }, { "   JA4 ", r->ja4 },
	};

	for (size_t i = 0; i < nelems(facts); i++) {
		if (!facts[i].value.len)
			continue;
		text_str(t, facts[i].before);
		text_plain(t, facts[i].value);
	}
}

static void put_client(struct text *t, const struct record *r)
{
	put_row(t, "client");
	ip_text(t, &r->client);
	text_str(t, "  (");
	text_plain(t, r->client_from);
	if (!ip_eq(&r->client, &r->peer)) {
		text_str(t, ", trusted hop ");
		ip_text(t, &r->peer);
	}
	text_str(t, ")");
	put_client_facts(t, r);
	text_byte(t, '\n');
	if (r->user_agent.len) {
		put_row(t, "agent");
		text_plain(t, r->user_agent);
		text_byte(t, '\n');
	}
}

static void put_app(struct text *t, const struct record *r)
{
	put_row(t, "app");
	text_plain(t, r->app.len ? r->app : BYTES("none"));
	if (r->upstream.len) {
		text_str(t, "  \u2192 ");
		text_plain(t, r->upstream);
	}
	text_byte(t, '\n');
	if (passed[r->source]) {
		put_row(t, "passed");
		text_str(t, passed[r->source]);
		text_byte(t, '\n');
	}
}

static void put_hit(struct text *t, const struct record_hit *h)
{
	text_plain(t, h->rule);
	text_str(t, "  ");
	text_plain(t, h->message);
	if (h->score)
		text_printf(t, "   %+d", h->score);
	text_str(t, "   ");
	text_plain(t, h->variable);
	text_str(t, h->before ? "  \"\u2026" : "  \"");
	text_plain(t, h->snippet);
	text_printf(t, "%s  offset %zu\n", h->after ? "\u2026\"" : "\"", h->offset);
	if (h->data.len) {
		put_row(t, "");
		text_str(t, "  ");
		text_plain(t, h->data);
		text_byte(t, '\n');
	}
}

static void put_hits(struct text *t, const struct record *r)
{
	for (size_t i = 0; i < r->nhits; i++) {
		put_row(t, i ? "" : "rules");
		put_hit(t, &r->hits[i]);
	}
	if (r->more_hits) {
		put_row(t, "");
		text_printf(t, "and %zu more\n", r->more_hits);
	}
	if (r->score) {
		put_row(t, "score");
		text_printf(t, "%d", r->score);
		if (r->threshold)
			text_printf(t, " %s %d", r->score >= r->threshold ? "\u2265" : "<", r->threshold);
		text_byte(t, '\n');
	}
}

static void put_until(struct text *t, enum remedy_kind remedy, uint64_t until_ms)
{
	text_printf(t, "%s until ", remedy_word(remedy));
	clock_rfc3339(t, until_ms);
}

static void put_held(struct text *t, const struct record_held *h)
{
	if (!h->id)
		return;
	put_row(t, "held");
	text_printf(t, "%s ", scope_word(h->scope));
	text_plain(t, h->value);
	text_str(t, ": ");
	put_until(t, h->remedy, h->until_ms);
	text_str(t, ", for ");
	text_plain(t, h->reason);
	text_printf(t, "   (%llu, ", (unsigned long long)h->id);
	text_plain(t, h->origin);
	text_str(t, ", made ");
	clock_rfc3339(t, h->made_ms);
	text_str(t, ")\n");
}

static void put_seen(struct text *t, const struct record_seen *s)
{
	put_row(t, "");
	text_str(t, "  ");
	clock_rfc3339(t, s->wall_ms);
	text_str(t, "  ");
	text_plain(t, s->verb);
	text_byte(t, ' ');
	text_plain(t, s->target);
	if (s->status.len)
		text_str(t, "  \u2192 ");
	text_plain(t, s->status);
	text_byte(t, '\n');
}

static void put_overflow(struct text *t, const struct record *r, const struct record_overflow *o)
{
	put_row(t, "scenario");
	text_plain(t, o->scenario);
	text_printf(t, "   %u event%s of ", o->count, o->count == 1 ? "" : "s");
	text_plain(t, o->scope);
	text_byte(t, ' ');
	text_plain(t, o->value);
	text_str(t, o->remedy > REMEDY_ALLOW ? "   " : "   no profile decides anything");
	if (o->remedy > REMEDY_ALLOW)
		put_until(t, o->remedy, o->until_ms);
	text_str(t, o->simulated ? " (simulated)\n" : "\n");
	for (size_t i = 0; i < o->nseen; i++)
		put_seen(t, &r->seen[o->first + i]);
}

static void put_decision(struct text *t, const struct record *r)
{
	put_row(t, "decided");
	text_printf(t, "%s by %s", remedy_word(r->would), who[r->source] ? who[r->source] : source_word(r->source));
	if (r->reason.len) {
		text_str(t, ": ");
		text_plain(t, r->reason);
	}
	text_byte(t, '\n');
	if (r->would == r->action)
		return;
	put_row(t, "done");
	text_printf(t, "%s only: detect mode\n", remedy_word(r->action));
}

void explain_text(struct text *t, const struct record *r)
{
	put_head(t, r);
	put_client(t, r);
	put_app(t, r);
	put_held(t, &r->held);
	for (size_t i = 0; i < r->noverflows; i++)
		put_overflow(t, r, &r->overflows[i]);
	put_hits(t, r);
	put_decision(t, r);
	if (r->source == SOURCE_RULE)
		propose_exceptions(t, r);
}
