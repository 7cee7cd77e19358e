/* proxy_protocol.c -- PROXY protocol headers. */
#include "proxy/proxy_protocol.h"

static const struct bytes signature2 = { "\r\n\r\n\0\r\nQUIT\n", 12 };

static enum proxy_header bad(struct err *e, const char *what)
{
	err_set(e, SIDE_CLIENT, 400, "PROXY header: %s", what);
	return PROXY_BAD;
}

static bool port_parse(struct bytes b, uint16_t *out)
{
	uint64_t n;

	if (b.len > 5 || (b.len > 1 && b.at[0] == '0') || !bytes_u64(b, &n) || n > 65535)
		return false;
	*out = (uint16_t)n;
	return true;
}

/* "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", at most 107 bytes. */
static enum proxy_header read1(struct bytes in, struct ip *client, uint16_t *port, bool *known,
			       size_t *used, struct err *e)
{
	size_t end = bytes_find(bytes_sub(in, 0, 107), BYTES("\r\n"));
	struct bytes rest, word[5];
	struct ip to;
	uint16_t to_port;
	bool four;

	if (end == SIZE_MAX)
		return in.len < 107 ? PROXY_MORE : bad(e, "line too long");
	*used = end + 2;
	rest = bytes_sub(in, 6, end);
	if (bytes_starts(rest, BYTES("UNKNOWN")) && (rest.len == 7 || rest.at[7] == ' ')) {
		*known = false;
		return PROXY_DONE;
	}
	for (size_t i = 0; i < nelems(word); i++)
		if (!bytes_cut(&rest, ' ', &word[i]))
			return bad(e, "a part is missing");
	if (rest.at)
		return bad(e, "too many parts");
	four = bytes_eq(word[0], BYTES("TCP4"));
	if (!four && !bytes_eq(word[0], BYTES("TCP6")))
		return bad(e, "neither TCP4, TCP6 nor UNKNOWN");
	if (!ip_parse(word[1], client) || !ip_parse(word[2], &to) ||
	    four != (bytes_index(word[1], ':') == SIZE_MAX))
		return bad(e, "not an address of that family");
	if (!port_parse(word[3], port) || !port_parse(word[4], &to_port))
		return bad(e, "not a port");
	*known = true;
	return PROXY_DONE;
}

static unsigned be16(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static enum proxy_header read2(struct bytes in, struct ip *client, uint16_t *port, bool *known,
			       size_t *used, struct err *e)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	unsigned version, command, family, len;

	if (in.len < 16)
		return PROXY_MORE;
	version = (unsigned char)in.at[12] >> 4;
	command = in.at[12] & 15;
	family = (unsigned char)in.at[13];
	len = be16(in.at + 14);
	if (version != 2 || command > 1)
		return bad(e, "unknown version or command");
	if (16 + len > PROXY_HEADER_MAX)
		return bad(e, "too long");
	if (in.len < 16 + len)
		return PROXY_MORE;
	*used = 16 + len;
	*known = false;
	if (command == 0)
		return PROXY_DONE; /* LOCAL: a health check of the balancer itself */
	if (family == 0x11 && len >= 12) {
		memcpy(client->b, mapped, sizeof mapped);
		memcpy(client->b + 12, in.at + 16, 4);
		*port = (uint16_t)be16(in.at + 24);
		*known = true;
	} else if (family == 0x21 && len >= 36) {
		memcpy(client->b, in.at + 16, 16);
		*port = (uint16_t)be16(in.at + 48);
		*known = true;
	} else if (family == 0x11 || family == 0x21) {
		return bad(e, "shorter than its addresses");
	}
	return PROXY_DONE;
}

enum proxy_header proxy_header_read(enum proxy_protocol version, struct bytes in, struct ip *client,
				    uint16_t *port, bool *known, size_t *used, struct err *e)
{
	const struct bytes signature1 = BYTES("PROXY ");
	bool one = version != PROXY_PROTOCOL_V2, two = version != PROXY_PROTOCOL_V1;

	if (two && bytes_starts(in, signature2))
		return read2(in, client, port, known, used, e);
	if (one && bytes_starts(in, signature1))
		return read1(in, client, port, known, used, e);
	if ((two && bytes_starts(signature2, in)) || (one && bytes_starts(signature1, in)))
		return PROXY_MORE;
	return bad(e, "none of the version that this listener asks for");
}
