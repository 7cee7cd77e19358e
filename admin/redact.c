/* redact.c -- which names are secret, and where their values end. */
#include "admin/redact.h"

enum { NAME_MAX_BYTES = 64, LOOK_BACK = 2048 };

const struct bytes redacted = { "[redacted]", 10 };

static const struct bytes built_in[] = {
	BYTES_INIT("access_token"), BYTES_INIT("api_key"),       BYTES_INIT("apikey"),        BYTES_INIT("authorization"),
	BYTES_INIT("client_secret"), BYTES_INIT("cookie"),       BYTES_INIT("id_token"),      BYTES_INIT("passphrase"),
	BYTES_INIT("passwd"),       BYTES_INIT("password"),      BYTES_INIT("private_key"),   BYTES_INIT("proxy_authorization"),
	BYTES_INIT("pwd"),          BYTES_INIT("refresh_token"), BYTES_INIT("secret"),        BYTES_INIT("set_cookie"),
	BYTES_INIT("token"),        BYTES_INIT("x_api_key"),     BYTES_INIT("x_auth_token"),
};

static char fold(char c)
{
	return c == '-' ? '_' : byte_lower(c);
}

static bool same_name(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold(a.at[i]) != fold(b.at[i]))
			return false;
	return true;
}

static bool is_listed(struct bytes name, const struct bytes *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same_name(name, list[i]))
			return true;
	return false;
}

static bool in_lists(const struct redact *r, struct bytes name)
{
	return is_listed(name, built_in, nelems(built_in)) || (r && is_listed(name, r->names, r->n));
}

bool redact_is_secret(const struct redact *r, struct bytes name)
{
	size_t from = 0;

	if (in_lists(r, name))
		return true;
	for (size_t i = 0; i <= name.len; i++)
		if (i == name.len || name.at[i] == '.' || name.at[i] == '[' || name.at[i] == ']') {
			if (i - from < name.len && i > from && in_lists(r, bytes_sub(name, from, i)))
				return true;
			from = i + 1;
		}
	return false;
}

static int hex_value(char c)
{
	c = byte_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes into buf, as far as it goes; a name that is longer is no secret. */
static struct bytes decode(struct bytes name, char buf[NAME_MAX_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < name.len && n < NAME_MAX_BYTES; i++) {
		bool escape = name.at[i] == '%' && i + 2 < name.len && hex_value(name.at[i + 1]) >= 0 &&
			      hex_value(name.at[i + 2]) >= 0;

		buf[n++] = escape ? (char)(hex_value(name.at[i + 1]) << 4 | hex_value(name.at[i + 2])) : name.at[i];
		i += escape ? 2 : 0;
	}
	return (struct bytes){ buf, n };
}

static bool is_secret_argument(const struct redact *r, struct bytes name)
{
	char buf[NAME_MAX_BYTES];

	return redact_is_secret(r, memchr(name.at, '%', name.len) ? decode(name, buf) : name);
}

void redact_query(struct text *t, const struct redact *r, struct bytes query)
{
	size_t from = 0, equals = SIZE_MAX;

	for (size_t i = 0; i <= query.len; i++) {
		char c = i < query.len ? query.at[i] : '&';

		if (c == '=' && equals == SIZE_MAX)
			equals = i;
		if (c != '&' && c != ';')
			continue;
		if (equals != SIZE_MAX && is_secret_argument(r, bytes_sub(query, from, equals))) {
			text_put(t, bytes_sub(query, from, equals + 1));
			text_put(t, redacted);
			text_put(t, bytes_sub(query, i, i + 1));
		} else {
			text_put(t, bytes_sub(query, from, i + 1));
		}
		from = i + 1;
		equals = SIZE_MAX;
	}
}

static bool is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

/* The word that ends at `end`, blanks and quotes aside. */
static struct bytes name_before(struct bytes value, size_t end)
{
	size_t from;

	while (end > 0 && is_in(value.at[end - 1], " \t\"'\\"))
		end--;
	for (from = end; from > 0 && end - from < NAME_MAX_BYTES && !is_in(value.at[from - 1], " \t\r\n\"'&;?,{}=:"); from--)
		;
	return bytes_sub(value, from, end);
}

/* Where the secret that follows the '=' or ':' at `i` ends. */
static size_t secret_end(struct bytes value, size_t i)
{
	char quote = '\0';

	for (i++; i < value.len && is_in(value.at[i], " \t\\"); i++)
		;
	if (i < value.len && is_in(value.at[i], "\"'"))
		quote = value.at[i++];
	while (i < value.len && (quote ? value.at[i] != quote : !is_in(value.at[i], "&;,}\r\n\"'<")))
		i++;
	return i;
}

void redact_loose(struct text *t, const struct redact *r, struct bytes value, size_t from, size_t to)
{
	size_t hidden_to = 0;

	if (to > value.len)
		to = value.len;
	for (size_t i = from > LOOK_BACK ? from - LOOK_BACK : 0; i < to; i++) {
		if (i < hidden_to) {
			if (i >= from) {
				text_put(t, redacted);
				i = hidden_to - 1;
			}
			continue;
		}
		if (i >= from)
			text_byte(t, value.at[i]);
		if ((value.at[i] == '=' || value.at[i] == ':') && redact_is_secret(r, name_before(value, i)))
			hidden_to = secret_end(value, i);
	}
}

/* multipart/form-data (RFC 7578): of a part with a secret name, what stands behind its head. */
static void redact_parts(struct text *t, const struct redact *r, struct bytes body)
{
	size_t mark, head, end;
	struct bytes name;

	while ((mark = bytes_find_nocase(body, BYTES("name=\""))) != SIZE_MAX) {
		text_put(t, bytes_sub(body, 0, mark + 6));
		body = bytes_from(body, mark + 6);
		name = bytes_sub(body, 0, bytes_index(body, '"'));
		head = bytes_find(body, BYTES("\r\n\r\n"));
		if (head == SIZE_MAX || !redact_is_secret(r, name))
			continue;
		text_put(t, bytes_sub(body, 0, head + 4));
		text_put(t, redacted);
		body = bytes_from(body, head + 4);
		end = bytes_find(body, BYTES("\r\n--"));
		body = bytes_from(body, end);
	}
	text_put(t, body);
}

void redact_body(struct text *t, const struct redact *r, struct bytes content_type, struct bytes body)
{
	if (bytes_starts_nocase(content_type, BYTES("application/x-www-form-urlencoded")))
		redact_query(t, r, body);
	else if (bytes_starts_nocase(content_type, BYTES("multipart/form-data")))
		redact_parts(t, r, body);
	else
		redact_loose(t, r, body, 0, body.len);
}
