/* list_block.c -- an address, a block or a range, read and taken apart. */
#include "cti/list_read.h"

enum { TEXT_MAX = 100 }; /* two addresses of IPv6 and what is between them */

/* A million lines are read at once: dotted quads have a way of their own. No leading zeros, as inet_pton has it. */
static const char *read4(const char *at, const char *end, struct ip *out)
{
	memset(out->b, 0, 10);
	out->b[10] = out->b[11] = 0xff;
	for (unsigned i = 12; i < 16; i++) {
		const char *from = at;
		unsigned n = 0;

		while (at < end && *at >= '0' && *at <= '9' && at - from < 3)
			n = n * 10 + (unsigned)(*at++ - '0');
		if (at == from || n > 255 || (*from == '0' && at - from > 1))
			return NULL;
		out->b[i] = (uint8_t)n;
		if (i < 15 && (at == end || *at++ != '.'))
			return NULL;
	}
	return at;
}

static void last_of(const struct ip_net *net, struct ip *out)
{
	*out = net->base;
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = net->bits > i * 8 ? net->bits - i * 8 : 0;

		if (keep < 8)
			out->b[i] |= (uint8_t)(0xffu >> keep);
	}
}

static bool parse_range(struct bytes b, size_t dash, struct list_block *out)
{
	return ip_parse(bytes_trim(bytes_sub(b, 0, dash)), &out->first) && ip_parse(bytes_trim(bytes_from(b, dash + 1)), &out->last) &&
	       ip_is4(&out->first) == ip_is4(&out->last) && memcmp(out->first.b, out->last.b, 16) <= 0;
}

bool list_block_parse(struct bytes b, struct list_block *out)
{
	size_t dash;
	struct ip_net net;

	if (!b.len || b.len > TEXT_MAX)
		return false;
	if (read4(b.at, b.at + b.len, &out->first) == b.at + b.len) {
		out->last = out->first;
		return true;
	}
	dash = bytes_index(b, '-');
	if (dash != SIZE_MAX)
		return parse_range(b, dash, out);
	if (!ip_net_parse(b, &net))
		return false;
	out->first = net.base;
	last_of(&net, &out->last);
	return true;
}

/* The address behind it; false: there is none. */
static bool step(struct ip *ip)
{
	for (int i = 15; i >= 0; i--)
		if (++ip->b[i])
			return true;
	return false;
}

/* The widest net that begins there and ends in the block. */
static void widest(const struct ip *first, const struct ip *last, struct ip_net *net, struct ip *end)
{
	*net = (struct ip_net){ *first, 128 };
	*end = *first;
	while (net->bits > 0) {
		unsigned i = (net->bits - 1u) / 8;
		uint8_t bit = (uint8_t)(0x80u >> (net->bits - 1u) % 8);
		struct ip wider = *end;

		wider.b[i] |= bit;
		if ((first->b[i] & bit) || memcmp(wider.b, last->b, 16) > 0)
			return;
		*end = wider;
		net->bits--;
	}
}

bool list_block_nets(const struct list_block *b, bool (*each)(void *ctx, const struct ip_net *), void *ctx)
{
	struct ip at = b->first, end;
	struct ip_net net;

	do {
		widest(&at, &b->last, &net, &end);
		if (!each(ctx, &net))
			return false;
		at = end;
	} while (step(&at) && memcmp(end.b, b->last.b, 16) < 0);
	return true;
}
