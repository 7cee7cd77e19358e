/* http1_target.c -- the request target's form (RFC 9112 3.2) and the host.
 *
 * A host is letters, digits and - . _ ~ or an IPv6 literal. RFC 3986 allows
 * sub-delims and percent escapes too; no name in use has them, and a back end
 * may cut, unescape or split what it finds there. */
#include "base/http1_parts.h"

enum { PORT_MAX = 65535 };

static bool is_host_name(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (!(byte_class(b.at[i]) & BYTE_HOST))
			return false;
	return b.len > 0;
}

static bool is_port(struct bytes b)
{
	uint64_t n;

	return b.len == 0 || (b.len <= 5 && bytes_u64(b, &n) && n <= PORT_MAX);
}

/* host = name [":" port] or "[" IPv6 "]" [":" port]; *name is without brackets. */
static bool split_host(struct bytes host, struct bytes *name, struct bytes *port)
{
	size_t colon;
	struct ip ip;

	if (host.len && host.at[0] == '[') {
		size_t close = bytes_index(host, ']');

		if (close == SIZE_MAX)
			return false;
		*name = bytes_sub(host, 1, close);
		*port = bytes_from(host, close + 1);
		if (bytes_index(*name, ':') == SIZE_MAX || !ip_parse(*name, &ip))
			return false;
		if (port->len && port->at[0] != ':')
			return false;
		*port = bytes_from(*port, 1);
		return is_port(*port);
	}
	colon = bytes_index(host, ':');
	*name = bytes_sub(host, 0, colon);
	*port = colon == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(host, colon + 1);
	return is_host_name(*name) && is_port(*port);
}

static void split_query(struct bytes origin, struct request *out)
{
	size_t mark = bytes_index(origin, '?');

	out->path = bytes_sub(origin, 0, mark);
	out->query = mark == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(origin, mark + 1);
}

/* "http://host/path": the next hop gets the origin form. Without a path that is
 * "/", or "*" for OPTIONS (RFC 9112 3.2.4). */
static bool read_absolute(struct http1_reader *r, struct request *out, size_t scheme_len)
{
	struct bytes rest = bytes_from(out->target, scheme_len);
	size_t n = 0;

	while (n < rest.len && rest.at[n] != '/' && rest.at[n] != '?')
		n++;
	out->host = bytes_sub(rest, 0, n);
	if (bytes_index(out->host, '@') != SIZE_MAX)
		return reader_bad(r, 400, "user information in the request target");
	split_query(bytes_from(rest, n), out);
	if (out->path.len == 0)
		out->path = bytes_eq(out->method, BYTES("OPTIONS")) && !out->query.at
				    ? BYTES("*") : BYTES("/");
	return true;
}

bool http1_read_target(struct http1_reader *r, struct request *out)
{
	if (out->target.at[0] == '/') {
		split_query(out->target, out);
		return true;
	}
	out->path = out->target;
	if (bytes_eq(out->target, BYTES("*")))
		return bytes_eq(out->method, BYTES("OPTIONS")) ||
		       reader_bad(r, 400, "target * with a method other than OPTIONS");
	if (bytes_starts_nocase(out->target, BYTES("http://")))
		return read_absolute(r, out, 7);
	if (bytes_starts_nocase(out->target, BYTES("https://")))
		return read_absolute(r, out, 8);
	return reader_bad(r, 400, "a request target that is neither a path nor an http(s) URL");
}

static uint64_t port_number(struct bytes port, struct bytes target)
{
	uint64_t n = bytes_starts_nocase(target, BYTES("https")) ? 443 : 80;

	bytes_u64(port, &n);
	return n;
}

/* The target's authority must be Host's: an upstream that looks at the other
 * one would serve another site than the one we inspected for. */
static bool same_host(const struct request *out, struct bytes name, struct bytes port)
{
	struct bytes host_name, host_port;

	return split_host(out->host, &host_name, &host_port) &&
	       bytes_eq_nocase(host_name, name) &&
	       port_number(host_port, out->target) == port_number(port, out->target);
}

bool http1_read_host(struct http1_reader *r, struct request *out)
{
	struct bytes host = fields_value(&out->fields, FIELD_HOST), name, port;
	bool absolute = out->host.at != NULL;

	if (r->twice >> FIELD_HOST & 1)
		return reader_bad(r, 400, "Host twice");
	if (!reader_saw(r, FIELD_HOST)) {
		if (out->minor >= 1)
			return reader_bad(r, 400, "no Host");
		host = out->host;
		if (!absolute)
			return true;
	}
	if (!split_host(host, &name, &port))
		return reader_bad(r, 400, "a host that is not name[:port]");
	if (absolute && !same_host(out, name, port))
		return reader_bad(r, 400, "Host differs from the request target's");
	if (!absolute)
		out->host = host;
	out->hostname = name;
	return true;
}
