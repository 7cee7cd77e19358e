/* client_ip.c -- the chain of hops, read from the right. */
#include "proxy/client_ip.h"

/* An address in a Forwarded or X-Forwarded-For element: bare, with a port, in
 * brackets, in quotes (RFC 7239 6). "unknown" and obfuscated names are none. */
static bool node_parse(struct bytes b, struct ip *out)
{
	size_t colon;

	b = bytes_trim(b);
	if (b.len >= 2 && b.at[0] == '"' && b.at[b.len - 1] == '"')
		b = bytes_sub(b, 1, b.len - 1);
	if (b.len && b.at[0] == '[')
		return ip_parse(bytes_sub(b, 1, bytes_index(b, ']')), out);
	if (ip_parse(b, out))
		return true;
	colon = bytes_index(b, ':');
	return colon != SIZE_MAX && ip_parse(bytes_sub(b, 0, colon), out);
}

/* A parameter of one element of Forwarded; `name` ends in '='. */
static struct bytes parameter(struct bytes element, struct bytes name)
{
	struct bytes pair;

	while (bytes_cut(&element, ';', &pair)) {
		pair = bytes_trim(pair);
		if (bytes_starts_nocase(pair, name))
			return bytes_from(pair, name.len);
	}
	return (struct bytes){ 0 };
}

/* Cuts the last comma-separated element off the end of *list. */
static bool last_element(struct bytes *list, struct bytes *out)
{
	size_t i = list->len;

	if (!list->at)
		return false;
	while (i > 0 && list->at[i - 1] != ',')
		i--;
	*out = bytes_from(*list, i);
	if (i == 0)
		*list = (struct bytes){ 0 };
	else
		list->len = i - 1;
	return true;
}

/* Walks one kind of field, the last one of several first. */
static bool walk(const struct fields *fields, enum field_id id, const struct nets *trust,
		 struct client_origin *o)
{
	bool any = false;

	for (size_t i = fields->n; i-- > 0;) {
		struct bytes list = fields->at[i].value, element;

		if (fields->at[i].id != id)
			continue;
		while (last_element(&list, &element)) {
			struct bytes node = element;
			struct ip hop;

			if (id == FIELD_FORWARDED)
				node = parameter(element, BYTES("for="));
			if (!node_parse(node, &hop))
				return any; /* what is left of it cannot be trusted */
			o->client = hop;
			if (id == FIELD_FORWARDED)
				o->proto = parameter(element, BYTES("proto="));
			any = true;
			if (!ip_in_nets(&hop, trust->at, trust->n))
				return true;
		}
	}
	return any;
}

static const struct {
	enum client_ip_header header;
	enum field_id id;
	struct bytes name;
} ways[] = {
	{ CLIENT_IP_XFF,       FIELD_X_FORWARDED_FOR, { "X-Forwarded-For", 15 } },
	{ CLIENT_IP_FORWARDED, FIELD_FORWARDED,       { "Forwarded", 9 }        },
	{ CLIENT_IP_X_REAL_IP, FIELD_X_REAL_IP,       { "X-Real-IP", 9 }        },
};

struct client_origin client_ip_find(const struct client_ip_config *c, const struct fields *fields,
				    const struct ip *peer)
{
	struct client_origin o = { .client = *peer, .from = BYTES("connection") };

	if (c->trust.n == 0 || !ip_in_nets(peer, c->trust.at, c->trust.n))
		return o;
	o.trusted_hop = true;
	for (size_t i = 0; i < nelems(ways) && c->header != CLIENT_IP_OFF; i++) {
		if (c->header != CLIENT_IP_AUTO && c->header != ways[i].header)
			continue;
		if (walk(fields, ways[i].id, &c->trust, &o)) {
			o.from = ways[i].name;
			return o;
		}
	}
	return o;
}
