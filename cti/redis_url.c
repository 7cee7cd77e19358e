/* redis_url.c -- a URL of Redis taken apart. */
#include "cti/redis_url.h"

static bool wrong(struct err *err, const char *why)
{
	return err_set(err, SIDE_CONFIG, 0, "the url of a Redis: %s; write redis://[[user]:password@]host[:port][/db]", why);
}

/* at == NULL: a broken escape, or out of memory. */
static struct bytes unescaped(struct arena *a, struct bytes b)
{
	char *to = arena_raw(a, b.len + 1);
	size_t n = 0;

	for (size_t i = 0; to && i < b.len; i++) {
		int high, low;

		if (b.at[i] != '%') {
			to[n++] = b.at[i];
			continue;
		}
		if (b.len - i < 3 || (high = byte_hex(b.at[i + 1])) < 0 || (low = byte_hex(b.at[i + 2])) < 0)
			return (struct bytes){ 0 };
		to[n++] = (char)(high << 4 | low);
		i += 2;
	}
	return (struct bytes){ to, n };
}

static size_t last_index(struct bytes b, char c)
{
	size_t i = b.len;

	while (i && b.at[i - 1] != c)
		i--;
	return i ? i - 1 : SIZE_MAX;
}

static bool take_login(struct arena *a, struct bytes *rest, struct redis_url *out, struct err *err)
{
	size_t at = last_index(*rest, '@'), colon;
	struct bytes login = bytes_sub(*rest, 0, at);

	if (at == SIZE_MAX)
		return true;
	*rest = bytes_from(*rest, at + 1);
	colon = bytes_index(login, ':');
	out->user = unescaped(a, bytes_sub(login, 0, colon));
	if (colon != SIZE_MAX)
		out->password = unescaped(a, bytes_from(login, colon + 1));
	return (out->user.at && (colon == SIZE_MAX || out->password.at)) || wrong(err, "a broken escape in user or password");
}

static bool take_number(struct bytes b, uint64_t most, uint64_t *out)
{
	return b.len && bytes_u64(b, out) && *out <= most;
}

static bool is_host(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.at[i] <= ' ' || (unsigned char)b.at[i] >= 0x7f || strchr("/?#[]@\\\"'", b.at[i]))
			return false;
	return b.len && b.len <= REDIS_HOST_MAX;
}

static bool take_address(struct arena *a, struct bytes b, struct redis_url *out, struct err *err)
{
	bool six = b.len && b.at[0] == '[';
	size_t close = six ? bytes_index(b, ']') : SIZE_MAX, colon;
	struct bytes host = six ? bytes_sub(b, 1, close) : b, port;
	uint64_t number = 0;

	if (six && close == SIZE_MAX)
		return wrong(err, "a bracket is not closed");
	port = six ? bytes_from(b, close + 1) : b;
	colon = six ? (port.len && port.at[0] == ':' ? 0 : SIZE_MAX) : bytes_index(b, ':');
	if (six && port.len && colon)
		return wrong(err, "something behind the bracket");
	if (!six)
		host = bytes_sub(b, 0, colon);
	if (colon != SIZE_MAX && (!take_number(bytes_from(port, colon + 1), 65535, &number) || !number))
		return wrong(err, "that is no port");
	if (!is_host(host))
		return wrong(err, "that is no host");
	out->host = arena_copy(a, host);
	out->port = (uint16_t)number;
	return out->host.at || wrong(err, "out of memory");
}

bool redis_url_parse(struct arena *a, struct bytes url, struct redis_url *out, struct err *err)
{
	struct bytes rest = url, db;
	uint64_t number;
	size_t slash;

	*out = (struct redis_url){ 0 };
	if (url.len > REDIS_URL_MAX)
		return wrong(err, "it is too long");
	out->tls = bytes_starts_nocase(url, BYTES("rediss://"));
	if (!out->tls && !bytes_starts_nocase(url, BYTES("redis://")))
		return wrong(err, "it begins otherwise");
	rest = bytes_from(url, out->tls ? 9 : 8);
	if (!take_login(a, &rest, out, err))
		return false;
	slash = bytes_index(rest, '/');
	db = slash == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(rest, slash + 1);
	if (db.len && !take_number(db, 65535, &number))
		return wrong(err, "that is no number of a database");
	out->db = db.len ? (unsigned)number : 0;
	return take_address(a, bytes_sub(rest, 0, slash), out, err);
}
