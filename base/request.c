/* request.c -- the names of the fields that the proxy itself looks at. */
#include "base/request.h"

/* In the order of length, so that a name is compared with its peers only. */
static const struct known {
	struct bytes name;
	enum field_id id;
} known[] = {
	{ BYTES_INIT("te"), FIELD_TE },
	{ BYTES_INIT("host"), FIELD_HOST },
	{ BYTES_INIT("date"), FIELD_DATE },
	{ BYTES_INIT("accept"), FIELD_ACCEPT },
	{ BYTES_INIT("cookie"), FIELD_COOKIE },
	{ BYTES_INIT("expect"), FIELD_EXPECT },
	{ BYTES_INIT("server"), FIELD_SERVER },
	{ BYTES_INIT("referer"), FIELD_REFERER },
	{ BYTES_INIT("upgrade"), FIELD_UPGRADE },
	{ BYTES_INIT("trailer"), FIELD_TRAILER },
	{ BYTES_INIT("location"), FIELD_LOCATION },
	{ BYTES_INIT("forwarded"), FIELD_FORWARDED },
	{ BYTES_INIT("x-real-ip"), FIELD_X_REAL_IP },
	{ BYTES_INIT("user-agent"), FIELD_USER_AGENT },
	{ BYTES_INIT("connection"), FIELD_CONNECTION },
	{ BYTES_INIT("set-cookie"), FIELD_SET_COOKIE },
	{ BYTES_INIT("keep-alive"), FIELD_KEEP_ALIVE },
	{ BYTES_INIT("content-type"), FIELD_CONTENT_TYPE },
	{ BYTES_INIT("x-request-id"), FIELD_X_REQUEST_ID },
	{ BYTES_INIT("authorization"), FIELD_AUTHORIZATION },
	{ BYTES_INIT("content-length"), FIELD_CONTENT_LENGTH },
	{ BYTES_INIT("http2-settings"), FIELD_HTTP2_SETTINGS },
	{ BYTES_INIT("x-forwarded-for"), FIELD_X_FORWARDED_FOR },
	{ BYTES_INIT("content-encoding"), FIELD_CONTENT_ENCODING },
	{ BYTES_INIT("proxy-connection"), FIELD_PROXY_CONNECTION },
	{ BYTES_INIT("x-forwarded-host"), FIELD_X_FORWARDED_HOST },
	{ BYTES_INIT("transfer-encoding"), FIELD_TRANSFER_ENCODING },
	{ BYTES_INIT("x-forwarded-proto"), FIELD_X_FORWARDED_PROTO },
	{ BYTES_INIT("proxy-authenticate"), FIELD_PROXY_AUTHENTICATE },
	{ BYTES_INIT("proxy-authorization"), FIELD_PROXY_AUTHORIZATION },
};

enum { LONGEST = 19 }; /* proxy-authorization */

/* Where in known[] the names of a length begin. */
static const uint8_t begins[LONGEST + 2] = {
	0, 0, 0, 1, 1, 3, 3, 7, 10, 11, 13, 17, 17, 19, 20, 22, 23, 26, 28, 29, 30,
};

_Static_assert(nelems(known) == FIELD_ID_COUNT - 1, "every id but FIELD_OTHER has a name");

static bool is_spelt(const char *name, const char *lower, size_t n)
{
	while (n && byte_lower(name[n - 1]) == lower[n - 1])
		n--;
	return n == 0;
}

enum field_id field_id_of(struct bytes name)
{
	if (name.len > LONGEST)
		return FIELD_OTHER;
	for (size_t i = begins[name.len]; i < begins[name.len + 1]; i++)
		if (is_spelt(name.at, known[i].name.at, name.len))
			return known[i].id;
	return FIELD_OTHER;
}

const struct field *fields_first(const struct fields *f, enum field_id id)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].id == id)
			return &f->at[i];
	return NULL;
}

const struct field *fields_named(const struct fields *f, struct bytes name)
{
	for (size_t i = 0; i < f->n; i++)
		if (bytes_eq_nocase(f->at[i].name, name))
			return &f->at[i];
	return NULL;
}

struct bytes fields_value(const struct fields *f, enum field_id id)
{
	const struct field *found = fields_first(f, id);

	return found ? found->value : (struct bytes){ 0 };
}
