/* fetch_url.c -- URLs, strictly. */
#include "base/fetch_url.h"
#include "base/ip.h"

static bool bad(struct err *e, const char *what)
{
	return err_set(e, SIDE_CONFIG, 0, "%s", what);
}

static bool is_visible(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= ' ' || b.at[i] > '~')
			return false;
	return true;
}

static bool is_name(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = byte_lower(b.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return false;
	}
	return b.len > 0 && b.len <= FETCH_HOST_MAX && b.at[0] != '.';
}

/* Cuts the host off the front of *rest, which then is empty or ":port". */
static bool read_host(struct bytes *rest, struct bytes *host, struct err *e)
{
	bool bracketed = bytes_starts(*rest, BYTES("["));
	size_t end = bytes_index(*rest, bracketed ? ']' : ':');
	struct ip ip;

	if (bracketed && end == SIZE_MAX)
		return bad(e, "no ']' behind the address");
	*host = bytes_sub(*rest, bracketed, end);
	*rest = bytes_from(*rest, end == SIZE_MAX ? rest->len : end + bracketed);
	if (bracketed && (bytes_index(*host, ':') == SIZE_MAX || !ip_parse(*host, &ip)))
		return bad(e, "what stands in brackets is no IPv6 address");
	if (!bracketed && !is_name(*host))
		return bad(e, "no host, or one with strange characters");
	return true;
}

static bool read_port(struct bytes rest, struct fetch_url *out, struct err *e)
{
	uint64_t port;

	if (!rest.len)
		return true;
	if (rest.at[0] != ':' || rest.len > 6 || !bytes_u64(bytes_from(rest, 1), &port) || port == 0 || port > 65535)
		return bad(e, "no port from 1 to 65535 behind the host");
	out->port = (uint16_t)port;
	return true;
}

static bool write_authority(struct arena *a, struct fetch_url *out)
{
	char *at = arena_raw(a, out->host.len + sizeof "[]:65535");
	struct text t = text_over(at, at ? out->host.len + sizeof "[]:65535" : 0);
	bool bracketed = bytes_index(out->host, ':') != SIZE_MAX;

	text_printf(&t, bracketed ? "[%.*s]" : "%.*s", BYTES_ARG(out->host));
	if (out->port != (out->tls ? 443 : 80))
		text_printf(&t, ":%u", out->port);
	out->authority = text_bytes(&t);
	return at != NULL;
}

static void set_target(struct fetch_url *out, struct bytes target)
{
	size_t query;

	target = bytes_sub(target, 0, bytes_index(target, '#'));
	query = bytes_index(target, '?');
	out->path = bytes_sub(target, 0, query);
	out->query = query == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(target, query + 1);
	if (!out->path.len)
		out->path = BYTES("/");
}

static bool read_scheme(struct bytes *rest, struct fetch_url *out, struct err *e)
{
	static const struct bytes secure = BYTES_INIT("https://"), plain = BYTES_INIT("http://");

	out->tls = bytes_starts_nocase(*rest, secure);
	out->port = out->tls ? 443 : 80;
	if (!out->tls && !bytes_starts_nocase(*rest, plain))
		return bad(e, "it does not begin with https:// or http://");
	*rest = bytes_from(*rest, out->tls ? secure.len : plain.len);
	return true;
}

static size_t authority_end(struct bytes b)
{
	size_t i = 0;

	while (i < b.len && b.at[i] != '/' && b.at[i] != '?' && b.at[i] != '#')
		i++;
	return i;
}

bool fetch_url_parse(struct arena *a, struct bytes url, struct fetch_url *out, struct err *e)
{
	struct bytes rest, authority;

	*out = (struct fetch_url){ 0 };
	if (url.len > FETCH_URL_MAX)
		return bad(e, "longer than 2048 bytes");
	if (!is_visible(url))
		return bad(e, "a blank, or a byte that is not visible ASCII");
	rest = arena_copy(a, url);
	if (!rest.at)
		return err_set(e, SIDE_SELF, 0, "out of memory");
	if (!read_scheme(&rest, out, e))
		return false;
	authority = bytes_sub(rest, 0, authority_end(rest));
	set_target(out, bytes_from(rest, authority.len));
	if (bytes_index(authority, '@') != SIZE_MAX)
		return bad(e, "a user or password in it");
	if (!read_host(&authority, &out->host, e) || !read_port(authority, out, e))
		return false;
	out->host = arena_copy(a, out->host);
	if (!out->host.at || !write_authority(a, out))
		return err_set(e, SIDE_SELF, 0, "out of memory");
	return true;
}

bool fetch_url_same_origin(const struct fetch_url *a, const struct fetch_url *b)
{
	return a->tls == b->tls && a->port == b->port && bytes_eq_nocase(a->host, b->host);
}

/* "/path" on the same server. */
static bool follow_path(struct arena *a, const struct fetch_url *from, struct bytes location,
			struct fetch_url *out, struct err *e)
{
	if (location.len > FETCH_URL_MAX || !is_visible(location))
		return bad(e, "a redirect with strange characters, or too long");
	location = arena_copy(a, location);
	if (!location.at)
		return err_set(e, SIDE_SELF, 0, "out of memory");
	*out = *from;
	set_target(out, location);
	return true;
}

bool fetch_url_follow(struct arena *a, const struct fetch_url *from, struct bytes location,
		      struct fetch_url *out, struct err *e)
{
	if (bytes_starts(location, BYTES("/")) && !bytes_starts(location, BYTES("//")))
		return follow_path(a, from, location, out, e);
	if (!fetch_url_parse(a, location, out, e)) {
		err_at(e, "a redirect");
		return false;
	}
	if (from->tls && !out->tls)
		return bad(e, "a redirect from https to http");
	return true;
}
