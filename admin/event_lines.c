/* event_lines.c -- the formats that are not JSON. */
#include "admin/event_lines.h"
#include "base/clock.h"

/* Control characters and what is not ASCII as \xNN, quotes and backslashes too
 * when `quoted`: an access log is read by tools that know no UTF-8. */
static bool is_plain(unsigned char c, bool quoted)
{
	return c >= 0x20 && c < 0x7f && !(quoted && (c == '"' || c == '\\'));
}

static void put_byte(struct text *t, unsigned char c)
{
	PUT(t, "\\x");
	text_byte(t, "0123456789abcdef"[c >> 4]);
	text_byte(t, "0123456789abcdef"[c & 15]);
}

static void put_escaped(struct text *t, struct bytes b, bool quoted)
{
	size_t from = 0;

	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.at[i];

		if (is_plain(c, quoted))
			continue;
		text_put(t, bytes_sub(b, from, i));
		put_byte(t, c);
		from = i + 1;
	}
	text_put(t, bytes_from(b, from));
}

static void put_target(struct text *t, const struct record *r, void (*put)(struct text *, struct bytes))
{
	put(t, r->path);
	if (r->has_query)
		put(t, BYTES("?"));
	put(t, r->query);
}

/* --- combined ----------------------------------------------------------- */

static void put_quoted(struct text *t, struct bytes b)
{
	put_escaped(t, b, true);
}

static void put_or_dash(struct text *t, struct bytes b)
{
	text_byte(t, '"');
	put_quoted(t, b.len ? b : BYTES("-"));
	text_byte(t, '"');
}

void line_combined(struct text *t, const struct record *r, const struct event_style *style)
{
	(void)style;
	ip_text(t, &r->client);
	PUT(t, " - - [");
	clock_log_date(t, r->wall_ms);
	PUT(t, "] \"");
	if (r->has_request) {
		put_quoted(t, r->method);
		text_byte(t, ' ');
		put_target(t, r, put_quoted);
		text_put(t, r->minor ? BYTES(" HTTP/1.1") : BYTES(" HTTP/1.0"));
	} else {
		text_byte(t, '-');
	}
	PUT(t, "\" ");
	text_u64(t, r->status);
	text_byte(t, ' ');
	text_u64(t, r->response_bytes);
	text_byte(t, ' ');
	put_or_dash(t, r->referer);
	text_byte(t, ' ');
	put_or_dash(t, r->user_agent);
}

/* --- CEF ----------------------------------------------------------------- */

/* ArcSight's implementation standard: '|' and '\' escaped in the header, '='
 * and '\' in the extension. Control characters become text. */
static void put_cef(struct text *t, struct bytes b, char mark)
{
	size_t from = 0;

	for (size_t i = 0; i < b.len; i++) {
		char c = b.at[i];
		bool plain = is_plain((unsigned char)c, false);

		if (plain && c != mark && c != '\\')
			continue;
		text_put(t, bytes_sub(b, from, i));
		text_byte(t, '\\');
		if (!plain)
			put_byte(t, (unsigned char)c);
		from = plain ? i : i + 1;
	}
	text_put(t, bytes_from(b, from));
}

static void put_extension(struct text *t, struct bytes b)
{
	put_cef(t, b, '=');
}

static void put_pair(struct text *t, struct bytes key, struct bytes value)
{
	if (value.len == 0)
		return;
	text_put(t, key);
	put_extension(t, value);
}

static unsigned cef_severity(const struct record *r)
{
	static const unsigned char of[] = {
		[SEVERITY_NOTICE] = 2, [SEVERITY_WARNING] = 4, [SEVERITY_ERROR] = 6, [SEVERITY_CRITICAL] = 8,
	};
	unsigned worst = 0;

	if (r->source != SOURCE_NONE && r->nhits == 0)
		return 5;
	for (size_t i = 0; i < r->nhits; i++)
		if (r->hits[i].severity < nelems(of) && of[r->hits[i].severity] > worst)
			worst = of[r->hits[i].severity];
	return worst;
}

static struct bytes cef_class(const struct record *r)
{
	if (r->nhits)
		return r->hits[0].rule;
	return r->source == SOURCE_NONE ? BYTES("access") : bytes_of(source_word(r->source));
}

static struct bytes cef_name(const struct record *r)
{
	if (r->nhits && r->hits[0].message.len)
		return r->hits[0].message;
	return r->reason.len ? r->reason : BYTES("request");
}

static void put_cef_head(struct text *t, const struct record *r)
{
	PUT(t, "CEF:0|embergate|embergate|" EMBERGATE_VERSION "|");
	put_cef(t, cef_class(r), '|');
	text_byte(t, '|');
	put_cef(t, cef_name(r), '|');
	text_byte(t, '|');
	text_u64(t, cef_severity(r));
	text_byte(t, '|');
}

static void put_rule_ids(struct text *t, const struct record *r)
{
	if (r->nhits == 0)
		return;
	PUT(t, " cs1Label=rule_ids cs1=");
	for (size_t i = 0; i < r->nhits; i++) {
		if (i)
			text_byte(t, ',');
		put_extension(t, r->hits[i].rule);
	}
	PUT(t, " cn1Label=score cn1=");
	text_u64(t, r->score > 0 ? (uint64_t)r->score : 0);
}

static void put_scenarios(struct text *t, const struct record *r)
{
	for (size_t i = 0; i < r->noverflows; i++) {
		text_put(t, i ? BYTES(",") : BYTES(" cs3Label=scenarios cs3="));
		put_extension(t, r->overflows[i].scenario);
	}
	if (!r->held.id)
		return;
	PUT(t, " cn3Label=decision cn3=");
	text_u64(t, r->held.id);
}

void line_cef(struct text *t, const struct record *r, const struct event_style *style)
{
	(void)style;
	put_cef_head(t, r);
	PUT(t, "rt=");
	text_u64(t, r->wall_ms);
	PUT(t, " src=");
	ip_text(t, &r->client);
	PUT(t, " spt=");
	text_u64(t, r->peer_port);
	put_pair(t, BYTES(" dhost="), r->host);
	PUT(t, " request=");
	put_target(t, r, put_extension);
	put_pair(t, BYTES(" requestMethod="), r->method);
	put_pair(t, BYTES(" requestClientApplication="), r->user_agent);
	PUT(t, " act=");
	text_str(t, remedy_word(r->action));
	put_pair(t, BYTES(" reason="), r->reason);
	put_rule_ids(t, r);
	put_scenarios(t, r);
	PUT(t, " cn2Label=status cn2=");
	text_u64(t, r->status);
	PUT(t, " in=");
	text_u64(t, r->request_bytes);
	PUT(t, " out=");
	text_u64(t, r->response_bytes);
	put_pair(t, BYTES(" cs2Label=app cs2="), r->app);
	put_pair(t, BYTES(" cs4Label=ja4 cs4="), r->ja4);
	put_pair(t, BYTES(" externalId="), r->id);
}

/* --- logfmt -------------------------------------------------------------- */

static void put_value(struct text *t, struct bytes key, struct bytes value)
{
	if (value.len == 0)
		return;
	text_put(t, key);
	text_json(t, value);
}

static void put_count(struct text *t, struct bytes key, uint64_t n)
{
	text_put(t, key);
	text_u64(t, n);
}

static void put_milliseconds(struct text *t, uint32_t us)
{
	text_printf(t, "%u.%02u", us / 1000, us / 10 % 100);
}

void line_logfmt(struct text *t, const struct record *r, const struct event_style *style)
{
	(void)style;
	PUT(t, "ts=");
	clock_rfc3339(t, r->wall_ms);
	put_value(t, BYTES(" id="), r->id);
	put_value(t, BYTES(" app="), r->app);
	PUT(t, " client=");
	ip_text(t, &r->client);
	put_value(t, BYTES(" method="), r->method);
	put_value(t, BYTES(" host="), r->host);
	put_value(t, BYTES(" path="), r->path);
	put_value(t, BYTES(" query="), r->query);
	put_count(t, BYTES(" status="), r->status);
	put_count(t, BYTES(" in="), r->request_bytes);
	put_count(t, BYTES(" out="), r->response_bytes);
	PUT(t, " ms=");
	put_milliseconds(t, r->duration_us);
	PUT(t, " action=");
	text_str(t, remedy_word(r->action));
	if (r->source != SOURCE_NONE) {
		PUT(t, " source=");
		text_str(t, source_word(r->source));
		put_value(t, BYTES(" reason="), r->reason);
	}
	for (size_t i = 0; i < r->nhits; i++)
		put_value(t, BYTES(" rule="), r->hits[i].rule);
	for (size_t i = 0; i < r->noverflows; i++)
		put_value(t, BYTES(" scenario="), r->overflows[i].scenario);
	if (r->held.id)
		put_count(t, BYTES(" decision="), r->held.id);
	put_value(t, BYTES(" ja4="), r->ja4);
	put_value(t, BYTES(" upstream="), r->upstream);
	put_value(t, BYTES(" agent="), r->user_agent);
}

/* --- human --------------------------------------------------------------- */

static const char *status_colour(const struct record *r)
{
	if (r->action >= REMEDY_THROTTLE)
		return "\033[1;31m";
	if (r->source != SOURCE_NONE)
		return "\033[1;33m";
	return r->status >= 500 ? "\033[31m" : r->status >= 400 ? "\033[33m" : "\033[32m";
}

static void put_decision(struct text *t, const struct record *r)
{
	text_str(t, remedy_word(r->action));
	if (r->would != r->action) {
		PUT(t, " (would ");
		text_str(t, remedy_word(r->would));
		text_byte(t, ')');
	}
	PUT(t, ": ");
}

/* For an alert what was done and why; for other traffic what went wrong. */
static void put_why(struct text *t, const struct record *r)
{
	bool alert = r->source != SOURCE_NONE;

	if (!alert && r->reason.len == 0)
		return;
	PUT(t, "  ");
	if (alert)
		put_decision(t, r);
	text_plain(t, r->reason.len ? r->reason : bytes_of(source_word(r->source)));
	if (r->nhits) {
		PUT(t, "  ");
		text_plain(t, r->hits[0].rule);
	}
	PUT(t, "  ");
	text_plain(t, r->id);
}

void line_human(struct text *t, const struct record *r, const struct event_style *style)
{
	char date[32];
	struct text stamp = text_over(date, sizeof date);

	clock_rfc3339(&stamp, r->wall_ms);
	text_put(t, bytes_sub(text_bytes(&stamp), 11, 19));
	text_byte(t, ' ');
	if (style->colour)
		text_str(t, status_colour(r));
	text_printf(t, "%3u", r->status);
	if (style->colour)
		PUT(t, "\033[0m");
	text_byte(t, ' ');
	ip_text(t, &r->client);
	text_byte(t, ' ');
	text_plain(t, r->has_request ? r->method : BYTES("-"));
	text_byte(t, ' ');
	text_plain(t, r->host);
	put_target(t, r, text_plain);
	PUT(t, "  ");
	put_milliseconds(t, r->duration_us);
	PUT(t, " ms");
	put_why(t, r);
}
