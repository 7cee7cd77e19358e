/* logs_error.c -- the error logs of nginx and Apache: above all, who failed to authenticate.
 *
 *     2021/09/30 09:23:53 [error] 7#7: *17 user "foo" was not found in "/a", client: 127.0.0.1, server: _, request: ...
 *     [Fri Oct 08 17:08:41.203277 2021] [auth_basic:error] [pid 7:tid 8] [client 192.0.2.1:14532] AH01617: user foo: ...
 *
 * A client chooses the user name and the request line, and nginx escapes neither. The user name of Basic authentication
 * ends at the first ':' (RFC 7617 2), so the first ", client: " is nginx's own where the message is about a user. Where it
 * is about something else and there are two, nobody can tell which is right: such a line is broken.
 *
 * CrowdSec wants a "host: " as well, which a client of HTTP/1.0 need not send: here a client is enough. */
#include "scenarios/logs_parts.h"

/* ---- what the message says ---- */

struct message_row {
	const char *before, *after; /* around the user name; `after` NULL: there is none */
	const char *sub_type;
};

static const struct message_row nginx_messages[] = {
	{ "user \"", "\" was not found in \"", "auth_fail" },
	{ "user \"", "\": password mismatch", "auth_fail" },
	{ "limiting requests, excess", NULL, "req_limit_exceeded" },
};

static const struct message_row *nginx_message(struct bytes message, struct bytes *user)
{
	for (size_t i = 0; i < nelems(nginx_messages); i++) {
		const struct message_row *r = &nginx_messages[i];
		size_t at = bytes_find(message, bytes_of(r->before)), end;

		if (at == SIZE_MAX)
			continue;
		*user = bytes_from(message, at + strlen(r->before));
		if (!r->after)
			return r;
		if ((end = bytes_find(*user, bytes_of(r->after))) == SIZE_MAX)
			continue;
		*user = bytes_sub(*user, 0, end);
		return r;
	}
	return NULL;
}

/* ---- nginx ---- */

/* The value behind `name`, up to the ", " of the next or the end. */
static struct bytes field_of(struct bytes rest, struct bytes name)
{
	size_t at = bytes_find(rest, name);
	struct bytes value = bytes_from(rest, at == SIZE_MAX ? rest.len : at + name.len);

	return bytes_sub(value, 0, bytes_find(value, BYTES(", ")));
}

/* request: "GET http://a/b HTTP/1.1"; the target counts from its first '/'. */
static void nginx_request(struct facts *f, struct arena *a, struct bytes rest)
{
	size_t at = bytes_find(rest, BYTES("request: \"")), end, slash;
	struct bytes line = bytes_from(rest, at == SIZE_MAX ? rest.len : at + 10);

	if ((end = bytes_find(line, BYTES("\", "))) == SIZE_MAX)
		end = line.len ? line.len - 1 : 0;
	line = bytes_sub(line, 0, end);
	if (line.len == 0)
		return;
	if (!log_http_request(f, a, line) && !log_http_short_request(f, a, line))
		log_http_target(f, a, line);
	slash = bytes_index(f->at[FACT_HTTP_PATH], '/');
	if (slash != SIZE_MAX && slash > 0 && f->at[FACT_VERB].len)
		log_http_target(f, a, bytes_from(f->at[FACT_HTTP_PATH], slash));
}

/* "2021/09/30 09:23:53 [error] 7#7: *17 "; a host may stand before it. */
static bool take_nginx_head(struct bytes *rest, struct log_time *t)
{
	enum { DATE = sizeof "2021/09/30 09:23:53" - 1 };
	struct bytes at = *rest, skip;

	if (!log_time_iso(bytes_sub(at, 0, DATE), t) &&
	    (!log_take_to(&at, ' ', &skip) || !log_is_host(skip) || !log_time_iso(bytes_sub(at, 0, DATE), t)))
		return false;
	at = bytes_from(at, DATE);
	if (!log_take(&at, BYTES(" [")) || !log_take_to(&at, ' ', &skip) || !log_take_to(&at, ' ', &skip))
		return false;
	*rest = at;
	return true;
}

enum log_read log_nginx_error(struct arena *a, struct bytes line, struct facts *f)
{
	static const struct bytes mark = BYTES_INIT(", client: ");
	struct bytes rest = line, message, user, client;
	const struct message_row *row;
	struct log_time t;
	size_t at;

	if (!take_nginx_head(&rest, &t))
		return LOG_BROKEN;
	if ((at = bytes_find(rest, mark)) == SIZE_MAX)
		return LOG_OTHER;
	message = bytes_sub(rest, 0, at);
	rest = bytes_from(rest, at + mark.len);
	row = nginx_message(message, &user);
	client = bytes_sub(rest, 0, bytes_find(rest, BYTES(", ")));
	if (!log_is_host(client) || (!row && bytes_find(rest, mark) != SIZE_MAX))
		return LOG_BROKEN;
	log_http(f, BYTES("http_error-log"));
	f->at[FACT_SOURCE_IP] = client;
	f->at[FACT_TARGET_FQDN] = field_of(rest, BYTES(", server: "));
	f->at[FACT_SUB_TYPE] = bytes_of(row ? row->sub_type : "");
	if (row && row->after)
		f->at[FACT_USERNAME] = user;
	nginx_request(f, a, rest);
	log_time_set(f, a, &t);
	return LOG_READ;
}

/* ---- Apache ---- */

enum apache_part { URI_ONLY, USER_AND_URI, REQUEST_LINE, NOTHING };

/* By module; the text stands between `before` and `after`. */
static const struct apache_row {
	const char *module, *before, *middle, *after;
	enum apache_part part;
	const char *sub_type;
} apache_messages[] = {
	{ "auth_basic", "user ", ": authentication failure for \"", "\": Password Mismatch", USER_AND_URI, "auth_fail" },
	{ "auth_basic", "user ", " not found: ", "", USER_AND_URI, "auth_fail" },
	{ "core", "Invalid URI in request ", NULL, NULL, REQUEST_LINE, "invalid_uri" },
	{ "authz_core", "client denied by server configuration: ", NULL, NULL, URI_ONLY, "permission_denied" },
	{ "ssl", "SSL handshake stopped", NULL, NULL, NOTHING, "ssl_handshake_stopped" },
};

/* A user has no ':' in it, so the first `middle` is Apache's own; of the target the last `after` is. */
static bool user_and_uri(const struct apache_row *r, struct bytes text, struct bytes *user, struct bytes *uri)
{
	size_t at = bytes_find(text, bytes_of(r->middle));

	if (at == SIZE_MAX)
		return false;
	*user = bytes_sub(text, 0, at);
	*uri = bytes_from(text, at + strlen(r->middle));
	if (*r->after)
		*uri = bytes_sub(*uri, 0, log_find_last(*uri, bytes_of(r->after)));
	else if (uri->len >= 2 && uri->at[0] == '"')
		*uri = bytes_sub(*uri, 1, bytes_ends(*uri, BYTES("\"")) ? uri->len - 1 : uri->len);
	return true;
}

static bool apache_fill(const struct apache_row *r, struct facts *f, struct arena *a, struct bytes text)
{
	struct bytes user = { 0 }, uri = text;

	if (r->part == REQUEST_LINE)
		return log_http_request(f, a, bytes_trim(text));
	if (r->part == USER_AND_URI && !user_and_uri(r, text, &user, &uri))
		return false;
	if (r->part == NOTHING)
		return true;
	f->at[FACT_USERNAME] = user;
	f->at[FACT_HTTP_PATH] = uri;
	return facts_put(f, a, BYTES("Parsed.target_uri"), uri);
}

static void apache_message(struct facts *f, struct arena *a, struct bytes module, struct bytes message)
{
	for (size_t i = 0; i < nelems(apache_messages); i++) {
		const struct apache_row *r = &apache_messages[i];
		size_t at = bytes_eq(module, bytes_of(r->module)) ? bytes_find(message, bytes_of(r->before)) : SIZE_MAX;

		if (at == SIZE_MAX || !apache_fill(r, f, a, bytes_from(message, at + strlen(r->before))))
			continue;
		f->at[FACT_SUB_TYPE] = bytes_of(r->sub_type);
		return;
	}
}

/* "[client 192.0.2.1:14532] "; false: it names none. */
static bool take_client(struct bytes *rest, struct bytes *client)
{
	size_t at = bytes_find(*rest, BYTES("[client "));
	struct bytes in = bytes_from(*rest, at == SIZE_MAX ? rest->len : at + 8);
	size_t colon;

	if (!log_take_to(&in, ']', client))
		return false;
	colon = log_find_last(*client, BYTES(":"));
	/* 2.2 wrote no port: an address of IPv4 with one colon has one, of IPv6 with port always more than two */
	if (colon != SIZE_MAX && (bytes_index(*client, ':') == colon || at > 0))
		*client = bytes_sub(*client, 0, colon);
	*rest = in;
	return log_is_host(*client);
}

enum log_read log_apache2_error(struct arena *a, struct bytes line, struct facts *f)
{
	struct bytes rest = line, date, level, client, module = { 0 };
	struct log_time t;

	if (!log_take(&rest, BYTES("[")) || !log_take_to(&rest, ']', &date) || !log_time_apache(date, &t) ||
	    !log_take(&rest, BYTES(" [")) || !log_take_to(&rest, ']', &level) || !log_take(&rest, BYTES(" ")))
		return LOG_BROKEN;
	if (bytes_index(level, ':') != SIZE_MAX)
		log_take_to(&level, ':', &module);
	if (!take_client(&rest, &client))
		return LOG_OTHER;
	log_http(f, BYTES("http_error-log"));
	f->at[FACT_SOURCE_IP] = client;
	apache_message(f, a, module, rest);
	log_time_set(f, a, &t);
	return LOG_READ;
}
