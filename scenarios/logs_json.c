/* logs_json.c -- a line that is a JSON object: Caddy, Traefik, Envoy, and what people configure for nginx and others.
 *
 * The object is walked once. Each value has a path ("request.headers.User-Agent.0"), and a table says what is at which
 * path; of several the first row counts. Names of headers and values are the client's, but they stand below a path that no
 * other row begins with. X-Forwarded-For is not asked: a client writes what it likes there. */
#include "scenarios/logs_parts.h"

enum { DEPTH = 16, PATH = 256 };

enum json_what {
	J_ADDRESS, J_TARGET, J_REQUEST, J_VERB, J_VERSION, J_STATUS, J_AGENT, J_REFERER, J_HOST, J_SIZE, J_TIME, J_ROUTER, J_BASIC,
	J_LOGGER, J_COUNT
};

static const struct json_row {
	const char *path;
	enum json_what what;
} rows[] = {
	/* Caddy */
	{ "request.client_ip", J_ADDRESS }, { "request.remote_ip", J_ADDRESS }, { "request.uri", J_TARGET },
	{ "request.method", J_VERB }, { "request.proto", J_VERSION }, { "request.host", J_HOST },
	{ "request.headers.User-Agent.0", J_AGENT }, { "request.headers.Referer.0", J_REFERER }, { "ts", J_TIME },
	{ "resp_headers.Www-Authenticate.0", J_BASIC }, { "logger", J_LOGGER },
	/* Traefik */
	{ "ClientHost", J_ADDRESS }, { "RequestPath", J_TARGET }, { "RequestMethod", J_VERB }, { "RequestProtocol", J_VERSION },
	{ "DownstreamStatus", J_STATUS }, { "request_User-Agent", J_AGENT }, { "request_Referer", J_REFERER },
	{ "RequestHost", J_HOST }, { "DownstreamContentSize", J_SIZE }, { "RouterName", J_ROUTER },
	/* Envoy */
	{ "downstream_remote_address", J_ADDRESS }, { "x-envoy-origin-path", J_TARGET }, { "method", J_VERB },
	{ "response_code", J_STATUS }, { "user-agent", J_AGENT }, { ":authority", J_HOST }, { "start_time", J_TIME },
	{ "protocol", J_VERSION },
	/* Elastic Common Schema */
	{ "source.ip", J_ADDRESS }, { "client.ip", J_ADDRESS }, { "url.original", J_TARGET }, { "url.path", J_TARGET },
	{ "http.request.method", J_VERB }, { "http.version", J_VERSION }, { "http.response.status_code", J_STATUS },
	{ "user_agent.original", J_AGENT }, { "http.request.referrer", J_REFERER }, { "url.domain", J_HOST },
	{ "http.response.body.bytes", J_SIZE }, { "@timestamp", J_TIME },
	/* names of nginx's variables, and near ones */
	{ "remote_addr", J_ADDRESS }, { "remote_ip", J_ADDRESS }, { "client_ip", J_ADDRESS }, { "clientip", J_ADDRESS },
	{ "remote_address", J_ADDRESS }, { "request_uri", J_TARGET }, { "uri", J_TARGET }, { "path", J_TARGET },
	{ "request", J_REQUEST }, { "request_method", J_VERB }, { "verb", J_VERB }, { "server_protocol", J_VERSION },
	{ "status", J_STATUS }, { "status_code", J_STATUS }, { "http_user_agent", J_AGENT }, { "user_agent", J_AGENT },
	{ "agent", J_AGENT }, { "http_referer", J_REFERER }, { "referer", J_REFERER }, { "referrer", J_REFERER },
	{ "http_host", J_HOST }, { "host", J_HOST }, { "server_name", J_HOST }, { "vhost", J_HOST }, { "body_bytes_sent", J_SIZE },
	{ "bytes_sent", J_SIZE }, { "size", J_SIZE }, { "time", J_TIME }, { "time_iso8601", J_TIME }, { "time_local", J_TIME },
	{ "timestamp", J_TIME }, { "msec", J_TIME },
};

struct walk {
	struct arena *arena;
	const char *at, *end;
	char path[PATH];
	size_t path_len; /* may pass PATH: such a path is no row's */
	unsigned depth;
	struct bytes got[J_COUNT];
	size_t row[J_COUNT]; /* by which row, to keep the first */
};

/* ---- strings ---- */

static char *put_utf8(char *p, unsigned c)
{
	if (c < 0x80) {
		*p++ = (char)c;
		return p;
	}
	if (c < 0x800) {
		*p++ = (char)(0xC0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*p++ = (char)(0xE0 | c >> 12);
		} else {
			*p++ = (char)(0xF0 | c >> 18);
			*p++ = (char)(0x80 | (c >> 12 & 0x3F));
		}
		*p++ = (char)(0x80 | (c >> 6 & 0x3F));
	}
	*p++ = (char)(0x80 | (c & 0x3F));
	return p;
}

/* The four digits behind "\u" at `i`; -1: they are none. */
static int hex4(struct bytes b, size_t i)
{
	int n = 0;

	if (i + 4 > b.len)
		return -1;
	for (size_t k = i; k < i + 4; k++) {
		int d = byte_hex(b.at[k]);

		if (d < 0)
			return -1;
		n = n * 16 + d;
	}
	return n;
}

/* A character of six or twelve bytes becomes at most four; *i is behind its digits. Half a pair is U+FFFD. */
static char *put_escaped(char *p, struct bytes in, size_t *i)
{
	int high = hex4(in, *i), low;

	if (high < 0)
		return NULL;
	*i += 4;
	if (high < 0xD800 || high > 0xDFFF)
		return put_utf8(p, (unsigned)high);
	low = high < 0xDC00 && *i + 6 <= in.len && in.at[*i] == '\\' && in.at[*i + 1] == 'u' ? hex4(in, *i + 2) : -1;
	if (low < 0xDC00 || low > 0xDFFF)
		return put_utf8(p, 0xFFFD);
	*i += 6;
	return put_utf8(p, 0x10000 + ((unsigned)(high - 0xD800) << 10) + (unsigned)(low - 0xDC00));
}

static char simple_escape(char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : 0;
}

bool log_json_text(struct arena *a, struct bytes in, struct bytes *out)
{
	char *room, *p;

	*out = in;
	if (bytes_index(in, '\\') == SIZE_MAX)
		return true;
	if (!(p = room = arena_raw(a, in.len)))
		return false;
	for (size_t i = 0; i < in.len;) {
		if (in.at[i] != '\\') {
			*p++ = in.at[i++];
			continue;
		}
		if (++i >= in.len)
			return false;
		if (in.at[i] == 'u') {
			i++;
			if (!(p = put_escaped(p, in, &i)))
				return false;
		} else if (!(*p++ = simple_escape(in.at[i++]))) {
			return false;
		}
	}
	*out = (struct bytes){ room, (size_t)(p - room) };
	return true;
}

/* ---- the walk ---- */

static char peek(struct walk *w)
{
	while (w->at < w->end && (*w->at == ' ' || *w->at == '\t' || *w->at == '\r' || *w->at == '\n'))
		w->at++;
	return w->at < w->end ? *w->at : 0;
}

static bool take_string(struct walk *w, struct bytes *raw)
{
	struct bytes rest = { w->at, (size_t)(w->end - w->at) };

	if (!log_take_quoted(&rest, raw))
		return false;
	w->at = rest.at;
	return true;
}

static size_t row_of(const struct walk *w)
{
	for (size_t i = 0; w->path_len <= PATH && i < nelems(rows); i++)
		if (rows[i].path[0] == w->path[0] && bytes_eq((struct bytes){ w->path, w->path_len }, bytes_of(rows[i].path)))
			return i;
	return SIZE_MAX;
}

static bool keep(struct walk *w, struct bytes raw, bool is_text)
{
	size_t i = row_of(w);
	enum json_what what;

	if (i == SIZE_MAX)
		return true;
	what = rows[i].what;
	if (w->got[what].at && w->row[what] < i)
		return true;
	w->row[what] = i;
	if (is_text)
		return log_json_text(w->arena, raw, &w->got[what]);
	w->got[what] = bytes_eq(raw, BYTES("null")) ? (struct bytes){ 0 } : raw;
	return true;
}

static bool take_scalar(struct walk *w)
{
	const char *from = w->at;

	while (w->at < w->end && (*w->at == '+' || *w->at == '-' || *w->at == '.' || (*w->at >= '0' && *w->at <= '9') ||
				  (byte_lower(*w->at) >= 'a' && byte_lower(*w->at) <= 'z')))
		w->at++;
	return w->at > from && keep(w, (struct bytes){ from, (size_t)(w->at - from) }, false);
}

static void path_add(struct walk *w, struct bytes part)
{
	if (w->path_len && w->path_len < PATH)
		w->path[w->path_len] = '.';
	w->path_len += w->path_len > 0;
	if (w->path_len + part.len <= PATH && part.len)
		memcpy(w->path + w->path_len, part.at, part.len);
	w->path_len += part.len;
}

static bool walk_value(struct walk *w);

/* One `"name": value` or one value, under its name or number. */
static bool walk_member(struct walk *w, bool named, unsigned index)
{
	size_t before = w->path_len;
	struct bytes name;
	char digit = (char)('0' + (index < 10 ? index : 9));
	bool ok;

	if (named) {
		if (peek(w) != '"' || !take_string(w, &name) || peek(w) != ':')
			return false;
		w->at++;
	} else {
		name = (struct bytes){ &digit, index < 10 };
	}
	path_add(w, name);
	ok = walk_value(w);
	w->path_len = before;
	return ok;
}

static bool walk_members(struct walk *w, char close)
{
	bool ok = ++w->depth <= DEPTH;

	w->at++;
	for (unsigned i = 0; ok; i++) {
		if (peek(w) == close && i == 0)
			break;
		ok = walk_member(w, close == '}', i);
		if (!ok || peek(w) == close)
			break;
		ok = peek(w) == ',';
		w->at++;
	}
	w->at += ok;
	w->depth--;
	return ok;
}

static bool walk_value(struct walk *w)
{
	struct bytes text;

	switch (peek(w)) {
	case '{':
		return walk_members(w, '}');
	case '[':
		return walk_members(w, ']');
	case '"':
		return take_string(w, &text) && keep(w, text, true);
	default:
		return take_scalar(w);
	}
}

/* ---- what was found -> facts ---- */

/* "192.0.2.1:80", "[2001:db8::1]:80"; of "198.51.100.9, 192.0.2.1" the last, which the nearest hop wrote. */
static struct bytes address_of(struct bytes b)
{
	size_t comma = log_find_last(b, BYTES(",")), colon;

	b = bytes_trim(comma == SIZE_MAX ? b : bytes_from(b, comma + 1));
	colon = log_find_last(b, BYTES(":"));
	if (b.len && b.at[0] == '[')
		return bytes_sub(b, 1, bytes_index(b, ']'));
	return colon != SIZE_MAX && bytes_index(b, ':') == colon ? bytes_sub(b, 0, colon) : b;
}

static void set_request(struct facts *f, struct arena *a, const struct walk *w)
{
	struct bytes version = w->got[J_VERSION];

	if (!w->got[J_TARGET].at) {
		if (!log_http_request(f, a, w->got[J_REQUEST]))
			log_http_target(f, a, w->got[J_REQUEST]);
		return;
	}
	f->at[FACT_VERB] = w->got[J_VERB];
	log_take(&version, BYTES("HTTP/"));
	f->at[FACT_HTTP_VERSION] = version;
	log_http_target(f, a, w->got[J_TARGET]);
}

static void set_facts(struct facts *f, struct arena *a, const struct walk *w)
{
	struct bytes status = bytes_sub(w->got[J_STATUS], 0, bytes_index(w->got[J_STATUS], '.'));
	struct log_time t;

	log_http(f, BYTES("http_access-log"));
	f->at[FACT_SOURCE_IP] = address_of(w->got[J_ADDRESS]);
	f->at[FACT_TARGET_FQDN] = w->got[J_HOST];
	f->at[FACT_BODY_BYTES] = w->got[J_SIZE];
	f->at[FACT_USER_AGENT] = w->got[J_AGENT];
	f->at[FACT_REFERER] = w->got[J_REFERER];
	if (status.len <= 3 && log_is_number(status))
		log_http_status(f, status);
	if (bytes_eq(status, BYTES("401")) && bytes_starts(w->got[J_BASIC], BYTES("Basic")))
		f->at[FACT_SUB_TYPE] = BYTES("auth_fail");
	if (w->got[J_ROUTER].len)
		facts_put(f, a, BYTES("Meta.traefik_router_name"), w->got[J_ROUTER]);
	set_request(f, a, w);
	if (log_time_any(w->got[J_TIME], &t))
		log_time_set(f, a, &t);
}

enum log_read log_json(struct arena *a, struct bytes line, struct facts *f)
{
	struct walk w = { .arena = a, .at = line.at, .end = line.at + line.len };

	if (line.len == 0 || peek(&w) != '{' || !walk_value(&w) || peek(&w) || w.at != w.end)
		return LOG_BROKEN;
	if (!w.got[J_ADDRESS].len || !(w.got[J_TARGET].at || w.got[J_REQUEST].at) || !log_is_host(address_of(w.got[J_ADDRESS])) ||
	    bytes_eq(w.got[J_LOGGER], BYTES("http.handlers.waf")))
		return LOG_OTHER;
	set_facts(f, a, &w);
	return LOG_READ;
}
