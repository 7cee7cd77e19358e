/* config_types.c -- values that only a gate has, and their words. */
#include "base/ja4.h"
#include "proxy/config_parts.h"

/* ---- addresses to listen on ---- */

static bool port_parse(struct bytes b, uint16_t *out)
{
	uint64_t n;

	if (!bytes_u64(b, &n) || n < 1 || n > 65535)
		return false;
	*out = (uint16_t)n;
	return true;
}

/* "host:port", "[v6]:port", or without the port. False: neither. */
static bool cut_host(struct bytes b, struct bytes *host, struct bytes *port)
{
	size_t close = bytes_index(b, ']'), colon = bytes_index(b, ':');

	*port = (struct bytes){ 0 };
	if (b.len && b.at[0] == '[') {
		if (close == SIZE_MAX || (close + 1 < b.len && b.at[close + 1] != ':'))
			return false;
		*host = bytes_sub(b, 1, close);
		if (close + 1 < b.len)
			*port = bytes_from(b, close + 2);
		return true;
	}
	*host = bytes_sub(b, 0, colon);
	if (colon != SIZE_MAX)
		*port = bytes_from(b, colon + 1);
	return true;
}

bool config_bind_parse(struct bytes b, struct ip *address, uint16_t *port, bool *any)
{
	bool bracket = b.len && b.at[0] == '[';
	struct bytes host, number;

	if (!cut_host(b, &host, &number) || !port_parse(number, port))
		return false;
	*any = !bracket && host.len == 0;
	if (*any) {
		*address = (struct ip){ { 0 } };
		return true;
	}
	return ip_parse(host, address) && bracket == (bytes_index(host, ':') != SIZE_MAX);
}

static bool bind_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	struct ip ip;
	uint16_t port;
	bool any;

	(void)also;
	if (n->kind != YAML_SCALAR || !config_bind_parse(n->text, &ip, &port, &any))
		return schema_not(s, row->type, n);
	*(struct bytes *)out = n->text;
	return true;
}

const struct schema_type config_type_bind = {
	.name = "address",
	.want = "an address and port; write for example \":8080\" (every address), "
		"\"127.0.0.1:8080\" or \"[::1]:8080\"",
	.json = "\"type\": \"string\", \"pattern\": \":[0-9]+$\"",
	.read = bind_read,
};

/* ---- host names ---- */

static bool is_label(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = byte_lower(b.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return b.len > 0 && b.len <= 63 && b.at[0] != '-' && b.at[b.len - 1] != '-';
}

/* Labels of letters, digits, `-` and `_`; no dot at the end (RFC 1123 2.1). */
static bool is_name(struct bytes b)
{
	struct bytes label;

	if (!b.len || b.len > 253)
		return false;
	while (bytes_cut(&b, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

static bool is_host(struct bytes b)
{
	struct ip ip;

	return ip_parse(b, &ip) || is_name(bytes_starts(b, BYTES("*.")) ? bytes_from(b, 2) : b);
}

/* What people write there, and what to write instead. */
static const char *host_hint(struct bytes b)
{
	if (bytes_eq(b, BYTES("*")))
		return "leave `hosts` out to answer every host";
	if (bytes_find(b, BYTES("://")) != SIZE_MAX)
		return "write the name alone, without scheme";
	if (bytes_index(b, '/') != SIZE_MAX)
		return "write the name alone, without path";
	if (bytes_index(b, ':') != SIZE_MAX)
		return "write the name alone; the port belongs to `listen`";
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.at[i] >= 0x80)
			return "write an international name in its xn-- form";
	return "write for example shop.example or *.shop.example";
}

static bool host_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	struct bytes lower;

	(void)also;
	if (n->kind != YAML_SCALAR)
		return schema_not(s, row->type, n);
	if (!is_host(n->text))
		return schema_err(s, n, "'%.*s' is not a host name: %s", YAML_SHOWN(n->text),
				  host_hint(n->text));
	lower = arena_copy(s->arena, n->text);
	if (!lower.at)
		return schema_err(s, n, "out of memory");
	for (size_t i = 0; i < lower.len; i++)
		((char *)lower.at)[i] = byte_lower(lower.at[i]);
	*(struct bytes *)out = lower;
	return true;
}

const struct schema_type config_type_host = {
	.name = "host name",
	.want = "a host name; write for example shop.example or *.shop.example",
	.json = "\"type\": \"string\"",
	.read = host_read,
};

/* ---- upstream URLs ---- */

static bool url_scheme(struct bytes *rest, bool *tls)
{
	*tls = bytes_starts_nocase(*rest, BYTES("https://"));
	if (!*tls && !bytes_starts_nocase(*rest, BYTES("http://")))
		return false;
	*rest = bytes_from(*rest, *tls ? strlen("https://") : strlen("http://"));
	return true;
}

static bool url_host(struct bytes authority, struct bytes *host, struct bytes *port)
{
	struct ip ip;

	if (!cut_host(authority, host, port))
		return false;
	if (authority.at[0] == '[')
		return ip_parse(*host, &ip) && bytes_index(*host, ':') != SIZE_MAX;
	return is_name(*host);
}

bool config_url_parse(struct bytes url, bool *tls, struct bytes *host, uint16_t *port, const char **why)
{
	size_t end = 0;
	struct bytes number;

	if (!url_scheme(&url, tls)) {
		*why = "it starts with neither http:// nor https://";
		return false;
	}
	while (end < url.len && !strchr("/?#", url.at[end]))
		end++;
	if (bytes_index(bytes_sub(url, 0, end), '@') != SIZE_MAX)
		*why = "a user name or password is not allowed in it";
	else if (end < url.len && !bytes_eq(bytes_from(url, end), BYTES("/")))
		*why = "a path or query is not allowed in it: requests keep their own";
	else if (end == 0 || !url_host(bytes_sub(url, 0, end), host, &number))
		*why = "its host is neither a name nor an address (IPv6 in brackets)";
	else if (number.at && !port_parse(number, port))
		*why = "its port is not in 1 to 65535";
	else
		*why = NULL;
	if (!*why && !number.at)
		*port = *tls ? 443 : 80;
	return !*why;
}

static bool url_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		     void *out, void *also)
{
	const char *why;
	struct bytes host;
	uint16_t port;
	bool tls;

	(void)also;
	if (n->kind != YAML_SCALAR || yaml_is_empty(n))
		return schema_not(s, row->type, n);
	if (!config_url_parse(n->text, &tls, &host, &port, &why))
		return schema_err(s, n, "'%.*s' is not the URL of a server: %s", YAML_SHOWN(n->text), why);
	*(struct bytes *)out = n->text;
	return true;
}

const struct schema_type config_type_url = {
	.name = "URL",
	.want = "the URL of a server; write for example http://127.0.0.1:3000",
	.json = "\"type\": \"string\", \"pattern\": \"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$\"",
	.read = url_read,
};

/* ---- methods, patterns, links ---- */

/* Methods tell upper from lower case (RFC 9110 9.1); all that are in use are
 * in upper case, so a lower one is a mistake that would never match. */
static bool method_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			void *out, void *also)
{
	(void)also;
	if (n->kind != YAML_SCALAR || !n->text.len || n->text.len > 32)
		return schema_not(s, row->type, n);
	for (size_t i = 0; i < n->text.len; i++) {
		char c = n->text.at[i];

		if (!((c >= 'A' && c <= 'Z') || c == '-' || c == '_'))
			return schema_not(s, row->type, n);
	}
	*(struct bytes *)out = n->text;
	return true;
}

const struct schema_type config_type_method = {
	.name = "method",
	.want = "a method in upper case; write for example GET or POST",
	.json = "\"type\": \"string\", \"pattern\": \"^[A-Z_-]+$\"",
	.read = method_read,
};

static bool pattern_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			 void *out, void *also)
{
	if (n->kind == YAML_SCALAR && n->text.len && n->text.at[0] != '/' && n->text.at[0] != '*')
		return schema_not(s, row->type, n);
	return schema_text.read(s, row, n, out, also);
}

const struct schema_type config_type_pattern = {
	.name = "path pattern",
	.want = "a path pattern; write for example /login, /api/* or *.php",
	.json = "\"type\": \"string\", \"pattern\": \"^[/*]\"",
	.read = pattern_read,
};

/* Whole, or with a '*': anything else would never hold. */
static bool ja4_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n, void *out, void *also)
{
	size_t stars = 0, others = 0;

	for (size_t i = 0; n->kind == YAML_SCALAR && i < n->text.len; i++) {
		char c = byte_lower(n->text.at[i]);
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';

		if (!plain && c != '*')
			return schema_not(s, row->type, n);
		stars += !plain;
		others += plain;
	}
	if (stars ? others > JA4_LEN : others != JA4_LEN)
		return schema_not(s, row->type, n);
	return schema_text.read(s, row, n, out, also);
}

const struct schema_type config_type_ja4 = {
	.name = "JA4",
	.want = "a JA4 fingerprint, or a pattern for it; write for example t13d1516h2_8daaf6152771_e5627efa2ab1 or \"t13i*\"",
	.json = "\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9_*]+$\"",
	.read = ja4_read,
};

/* It becomes part of a request line: visible ASCII. */
static bool path_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	(void)also;
	if (n->kind != YAML_SCALAR || !n->text.len || n->text.len > 1024 || n->text.at[0] != '/')
		return schema_not(s, row->type, n);
	for (size_t i = 0; i < n->text.len; i++)
		if (n->text.at[i] <= 0x20 || n->text.at[i] >= 0x7f || n->text.at[i] == '#')
			return schema_not(s, row->type, n);
	*(struct bytes *)out = n->text;
	return true;
}

const struct schema_type config_type_path = {
	.name = "path",
	.want = "a path; write for example /healthz",
	.json = "\"type\": \"string\", \"pattern\": \"^/[!-~]*$\"",
	.read = path_read,
};

/* A page shows it: no scheme that runs a script. */
static bool link_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	static const char *const starts[] = { "https://", "http://", "/", "data:image/" };

	for (size_t i = 0; n->kind == YAML_SCALAR && i < nelems(starts); i++)
		if (bytes_starts(n->text, bytes_of(starts[i])))
			return schema_text.read(s, row, n, out, also);
	return schema_not(s, row->type, n);
}

const struct schema_type config_type_link = {
	.name = "link",
	.want = "a link; write https://..., a path, or data:image/...",
	.json = "\"type\": \"string\", \"pattern\": \"^(https?://|/|data:image/)\"",
	.read = link_read,
};

static bool log_file_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			  void *out, void *also)
{
	if (n->kind != YAML_SCALAR || !bytes_eq(n->text, BYTES("-")))
		return schema_path.read(s, row, n, out, also);
	*(const char **)out = "-";
	return true;
}

const struct schema_type config_type_log_file = {
	.name = "file name, or `-` for standard output",
	.want = "a file name, - or off",
	.json = "\"type\": \"string\"",
	.read = log_file_read,
};

const char *config_word(const struct schema_word *words, uint64_t value)
{
	while (words->word && words->value != value)
		words++;
	return words->word;
}
