/* login_sign.c -- what the head of an answer to a name and a password looks like. */
#include "base/text.h"
#include "proxy/logins_learned.h"

static bool is_back(struct bytes path, const struct request *r)
{
	return bytes_eq(path, r->path) || (r->nreadings && bytes_eq(path, r->readings[0]));
}

static bool has_word(struct bytes text, const struct bytes *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_find_nocase(text, words[i]) != SIZE_MAX)
			return true;
	return false;
}

static bool is_of_error(struct bytes query)
{
	static const struct bytes words[] = {
		BYTES_INIT("error"), BYTES_INIT("fail"), BYTES_INIT("invalid"), BYTES_INIT("denied"), BYTES_INIT("incorrect"),
		BYTES_INIT("wrong"),
	};

	return has_word(query, words, nelems(words));
}

static bool is_named_login(struct bytes path)
{
	static const struct bytes words[] = {
		BYTES_INIT("login"), BYTES_INIT("logon"), BYTES_INIT("signin"), BYTES_INIT("sign-in"), BYTES_INIT("sign_in"),
		BYTES_INIT("auth"),
	};

	return has_word(path, words, nelems(words));
}

/* Cut out of a URI reference (RFC 3986 4.1), without the fragment. */
struct place { struct bytes host, path, query; bool has_query; };

static struct place place_of(struct bytes uri)
{
	struct place p = { 0 };
	size_t scheme, query;

	uri = bytes_sub(uri, 0, bytes_index(uri, '#'));
	query = bytes_index(uri, '?');
	if (query != SIZE_MAX) {
		p.has_query = true;
		p.query = bytes_from(uri, query + 1);
		uri = bytes_sub(uri, 0, query);
	}
	scheme = bytes_find(uri, BYTES("://"));
	if (scheme != SIZE_MAX || bytes_starts(uri, BYTES("//"))) {
		struct bytes rest = bytes_from(uri, scheme == SIZE_MAX ? 2 : scheme + 3);
		size_t slash = bytes_index(rest, '/');

		p.host = bytes_sub(rest, 0, slash);
		uri = slash == SIZE_MAX ? BYTES("/") : bytes_from(rest, slash);
		p.host = p.host.len && p.host.at[0] == '[' ? p.host : bytes_sub(p.host, 0, bytes_index(p.host, ':'));
	}
	p.path = uri;
	return p;
}

/* The path of a relative one, "./index.php": what follows the last slash of the request's. True: that is it. */
static bool is_same_relative(struct bytes relative, struct bytes path)
{
	size_t slash = path.len;

	if (bytes_starts(relative, BYTES("./")))
		relative = bytes_from(relative, 2);
	while (slash && path.at[slash - 1] != '/')
		slash--;
	return bytes_eq(relative, bytes_from(path, slash));
}

static bool is_elsewhere(struct bytes host, const struct request *r)
{
	return host.len && !bytes_eq_nocase(host, r->hostname);
}

static bool is_the_page_before(struct bytes path, const struct request *r)
{
	struct place before = place_of(fields_value(&r->fields, FIELD_REFERER));

	return !is_elsewhere(before.host, r) && bytes_eq(path, before.path) && is_named_login(path);
}

static bool is_same(const struct place *to, const struct request *r)
{
	if (!to->path.len)
		return true;
	return to->path.at[0] == '/' ? is_back(to->path, r) : is_same_relative(to->path, r->path);
}

static bool is_kept_by_client(const struct request *r, struct bytes name)
{
	struct bytes rest = fields_value(&r->fields, FIELD_COOKIE), pair;

	while (bytes_cut(&rest, ';', &pair))
		if (bytes_eq(bytes_trim(bytes_sub(pair, 0, bytes_index(pair, '='))), name))
			return true;
	return false;
}

/* One that is given, not taken away; *is_new: the client had none of that name. */
static bool gives_cookie(const struct request *r, const struct response *a, bool *is_new)
{
	static const struct bytes gone[] = { BYTES_INIT("max-age=0"), BYTES_INIT("Jan 1970"), BYTES_INIT("Jan-1970") };
	bool gives = false;

	*is_new = false;
	for (size_t i = 0; i < a->fields.n; i++) {
		const struct field *f = &a->fields.at[i];
		size_t equals = bytes_index(f->value, '=');
		struct bytes value = equals == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(f->value, equals + 1);

		if (f->id != FIELD_SET_COOKIE || !bytes_trim(bytes_sub(value, 0, bytes_index(value, ';'))).len ||
		    has_word(value, gone, nelems(gone)))
			continue;
		gives = true;
		*is_new |= !is_kept_by_client(r, bytes_trim(bytes_sub(f->value, 0, equals)));
	}
	return gives;
}

/* A front controller's page has its name in the query: then only the very same is back. */
static enum login_sign sign_of_redirect(const struct request *r, const struct response *a)
{
	struct place to = place_of(fields_value(&a->fields, FIELD_LOCATION));
	bool is_new, gives = gives_cookie(r, a, &is_new), here = !is_elsewhere(to.host, r);

	if (here && is_of_error(to.query))
		return LOGIN_SIGN_ERROR;
	if (here && is_same(&to, r) && (!to.has_query || bytes_eq(to.query, r->query)))
		return is_new ? LOGIN_SIGN_BACK_NEW : LOGIN_SIGN_BACK;
	if (here && is_the_page_before(to.path, r))
		return LOGIN_SIGN_BACK;
	return gives ? LOGIN_SIGN_AWAY : LOGIN_SIGN_OTHER;
}

/* How NTLM and Digest shake hands. */
static bool is_handshake(const struct response *a)
{
	static const struct bytes schemes[] = { BYTES_INIT("Negotiate"), BYTES_INIT("NTLM"), BYTES_INIT("Digest") };
	const struct field *f = fields_named(&a->fields, BYTES("WWW-Authenticate"));

	for (size_t i = 0; f && i < nelems(schemes); i++)
		if (bytes_starts_nocase(f->value, schemes[i]))
			return true;
	return false;
}

static bool is_page(const struct response *a)
{
	struct bytes type = fields_value(&a->fields, FIELD_CONTENT_TYPE);

	return bytes_starts_nocase(type, BYTES("text/html")) || bytes_starts_nocase(type, BYTES("application/xhtml"));
}

enum login_sign login_sign(const struct request *r, const struct response *a)
{
	switch (a->status) {
	case 401: return is_handshake(a) ? LOGIN_SIGN_NONE : LOGIN_SIGN_UNAUTHORIZED;
	case 400: case 403: case 422: return LOGIN_SIGN_REFUSED;
	case 302: case 303: return sign_of_redirect(r, a);
	case 200: return is_page(a) ? LOGIN_SIGN_PAGE : LOGIN_SIGN_DONE;
	case 202: case 204: return LOGIN_SIGN_DONE;
	case 201: case 203: return LOGIN_SIGN_OTHER; /* something was made: perhaps an account */
	default: return LOGIN_SIGN_NONE; /* of a server in trouble; a redirect (301, 307, 308) that is not about who asks */
	}
}

/* ---- the path ---- */

static bool is_number(struct bytes segment)
{
	bool digits = segment.len > 0, hex = segment.len >= 16;

	for (size_t i = 0; i < segment.len; i++) {
		char c = segment.at[i];

		digits &= c >= '0' && c <= '9';
		hex &= byte_hex(c) >= 0 || c == '-';
	}
	return digits || hex;
}

struct bytes login_path(const struct request *r, char room[LOGINS_PATH_MAX])
{
	struct bytes rest = r->nreadings ? r->readings[0] : r->path, segment;
	struct text t = text_over(room, LOGINS_PATH_MAX);
	bool is_first = true;

	while (bytes_cut(&rest, '/', &segment)) {
		segment = bytes_sub(segment, 0, bytes_index(segment, ';'));
		if (!is_first)
			text_byte(&t, '/');
		text_put(&t, is_number(segment) ? BYTES("*") : segment);
		is_first = false;
	}
	return t.full ? (struct bytes){ 0 } : text_bytes(&t);
}
