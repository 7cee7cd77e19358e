/* logs_access.c -- lines of the common and the combined log format, and what stands before them.
 *
 *     [www.example.com[:443] ]192.0.2.1 - user [29/Sep/2021:17:29:58 +0200] "GET / HTTP/1.1" 404 162["-" "curl/7.68.0"]
 *
 * Whatever follows (a forwarded address, times, upstreams) is not read. A client chooses its user name, its request line,
 * its referer and its agent. nginx and Apache escape the quotation mark in them, so that `] "` cannot be forged, and the
 * date counts as found only where that follows it: a user name may hold blanks and brackets.
 *
 * Departures from CrowdSec's expressions, which lose such a line or half of it: a user name may hold anything, and an
 * agent may hold an escaped quotation mark. */
#include "base/ip.h"
#include "scenarios/logs_parts.h"

enum { CLF_DATE = sizeof "29/Sep/2021:17:29:58 +0200" - 1 };

struct access {
	struct bytes host, address, user; /* user: all between the '-' and the date */
	struct log_time time;
	struct bytes request, status, size, referer, agent;
};

/* ---- the front: who ---- */

/* "www.example.com:443" without its port. What has more colons is no name, or an address without a port, but for one in
 * brackets. */
static struct bytes without_port(struct bytes host)
{
	size_t colon = host.len ? log_find_last(host, BYTES(":")) : SIZE_MAX;
	bool only = colon == bytes_index(host, ':') || (colon != SIZE_MAX && colon && host.at[colon - 1] == ']');

	return only && colon != SIZE_MAX && log_is_number(bytes_from(host, colon + 1)) ? bytes_sub(host, 0, colon) : host;
}

/* One or two words before the identity, which is '-' but for Apache with IdentityCheck: then an address decides. */
static bool take_who(struct bytes *rest, struct access *l)
{
	struct bytes first, second, at = *rest, after;
	struct ip ip;

	if (!log_take_to(&at, ' ', &first))
		return false;
	after = at;
	if (!log_take_to(&at, ' ', &second))
		return false;
	l->host = (struct bytes){ 0 };
	l->address = first;
	if (!bytes_eq(second, BYTES("-")) && (bytes_starts(at, BYTES("- ")) || ip_parse(second, &ip))) {
		l->host = without_port(first);
		l->address = second;
		after = at;
		if (!log_take_to(&at, ' ', &second))
			return false;
	}
	*rest = bytes_eq(second, BYTES("-")) ? at : after;
	return log_is_host(l->address);
}

/* ---- the middle: when ---- */

/* "[date] " where a quotation mark follows; what stands before it is the user. */
static bool take_date(struct bytes *rest, struct access *l)
{
	const char *from = rest->at, *end = rest->at + rest->len, *at = from;

	for (; (at = memchr(at, '[', (size_t)(end - at))); at++) {
		struct bytes date = { at + 1, CLF_DATE };

		if ((size_t)(end - at) < CLF_DATE + 4)
			return false;
		if (memcmp(at + 1 + CLF_DATE, "] \"", 3) != 0 || !log_time_clf(date, &l->time))
			continue;
		l->user = bytes_trim((struct bytes){ from, (size_t)(at - from) });
		*rest = bytes_from(*rest, (size_t)(at - from) + CLF_DATE + 3);
		return true;
	}
	return false;
}

/* ---- the end: what ---- */

static bool is_size(struct bytes b)
{
	return log_is_number(b) || bytes_eq(b, BYTES("-"));
}

/* A last field ends with the line or at a blank. */
static struct bytes take_last(struct bytes *rest)
{
	struct bytes part;

	if (!log_take_to(rest, ' ', &part)) {
		part = *rest;
		*rest = bytes_from(*rest, rest->len);
	}
	return part;
}

static bool take_answer(struct bytes *rest, struct access *l)
{
	struct bytes at = *rest;

	if (!log_take_quoted(&at, &l->request) || !log_take(&at, BYTES(" ")) || !log_take_to(&at, ' ', &l->status))
		return false;
	l->size = take_last(&at);
	*rest = at;
	return l->status.len <= 3 && log_is_number(l->status) && is_size(l->size);
}

static bool take_agent(struct bytes *rest, struct access *l)
{
	l->referer = l->agent = (struct bytes){ 0 };
	return log_take_quoted(rest, &l->referer) && log_take(rest, BYTES(" ")) && log_take_quoted(rest, &l->agent);
}

static bool read_access(struct bytes line, struct access *l, bool *combined)
{
	if (!take_who(&line, l) || !take_date(&line, l) || !take_answer(&line, l))
		return false;
	*combined = take_agent(&line, l);
	return true;
}

static void set_access(struct facts *f, struct arena *a, const struct access *l)
{
	log_http(f, BYTES("http_access-log"));
	f->at[FACT_SOURCE_IP] = l->address;
	f->at[FACT_TARGET_FQDN] = l->host;
	f->at[FACT_BODY_BYTES] = l->size;
	f->at[FACT_REFERER] = l->referer;
	f->at[FACT_USER_AGENT] = l->agent;
	log_http_status(f, l->status);
	log_time_set(f, a, &l->time);
}

/* ---- nginx ---- */

/* A request line that nginx did not understand is its target, whole. */
static enum log_read combined(struct arena *a, struct bytes line, struct facts *f, struct access *l)
{
	bool whole;

	if (!read_access(line, l, &whole) || !whole)
		return LOG_BROKEN;
	set_access(f, a, l);
	if (!log_http_request(f, a, l->request))
		log_http_target(f, a, l->request);
	return LOG_READ;
}

enum log_read log_nginx(struct arena *a, struct bytes line, struct facts *f)
{
	struct access l;
	enum log_read got;

	if (line.len && line.at[0] == '[')
		return log_npm(a, line, f);
	got = combined(a, line, f, &l);
	return got == LOG_BROKEN ? log_nginx_error(a, line, f) : got;
}

/* BunkerWeb puts the request's identifier before the user. */
enum log_read log_bunkerweb(struct arena *a, struct bytes line, struct facts *f)
{
	struct access l;
	enum log_read got = combined(a, line, f, &l);
	struct bytes id;

	if (got == LOG_BROKEN)
		return log_nginx_error(a, line, f);
	if (log_take_to(&l.user, ' ', &id))
		facts_put(f, a, BYTES("Meta.request_id"), id);
	return got;
}

/* ---- Apache ---- */

/* "GET /" of HTTP/0.9; with a version the target has no blank in it. */
static bool apache_request(struct facts *f, struct arena *a, struct bytes line)
{
	if (!log_http_request(f, a, line) && !log_http_short_request(f, a, line))
		return false;
	return bytes_index(f->at[FACT_HTTP_PATH], ' ') == SIZE_MAX;
}

static void raw_request(struct facts *f, struct bytes line)
{
	static const enum fact none[] = {
		FACT_VERB, FACT_HTTP_VERSION, FACT_REQUEST, FACT_HTTP_ARGS, FACT_HTTP_ARGS_LEN,
		FACT_FILE_DIR, FACT_FILE_NAME, FACT_FILE_FRAG, FACT_FILE_EXT,
	};

	for (size_t i = 0; i < nelems(none); i++)
		f->at[none[i]] = (struct bytes){ 0 };
	f->at[FACT_STATIC] = BYTES("false");
	f->at[FACT_HTTP_PATH] = f->at[FACT_RAW_REQUEST] = line;
}

enum log_read log_apache2(struct arena *a, struct bytes line, struct facts *f)
{
	struct access l;
	bool whole;

	if (!read_access(line, &l, &whole))
		return log_apache2_error(a, line, f);
	set_access(f, a, &l);
	if (!apache_request(f, a, l.request))
		raw_request(f, l.request);
	return LOG_READ;
}
