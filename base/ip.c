/* ip.c -- addresses in one form for both families. */
#include "base/ip.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool ip_parse(struct bytes b, struct ip *out)
{
	char s[INET6_ADDRSTRLEN + 1];

	if (b.len == 0 || b.len >= sizeof s || memchr(b.at, 0, b.len))
		return false;
	memcpy(s, b.at, b.len);
	s[b.len] = '\0';
	if (inet_pton(AF_INET, s, out->b + 12) == 1) {
		memcpy(out->b, mapped, sizeof mapped);
		return true;
	}
	return inet_pton(AF_INET6, s, out->b) == 1;
}

bool ip_net_parse(struct bytes b, struct ip_net *out)
{
	size_t slash = bytes_index(b, '/');
	uint64_t bits;
	bool four;

	if (!ip_parse(bytes_sub(b, 0, slash), &out->base))
		return false;
	four = ip_is4(&out->base) && bytes_index(bytes_sub(b, 0, slash), ':') == SIZE_MAX;
	if (slash == SIZE_MAX)
		bits = four ? 32 : 128;
	else if (!bytes_u64(bytes_from(b, slash + 1), &bits) || bits > (four ? 32 : 128))
		return false;
	out->bits = (uint8_t)(four ? 96 + bits : bits);
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = out->bits > i * 8 ? out->bits - i * 8 : 0;

		if (keep < 8)
			out->base.b[i] &= (uint8_t)(0xff00u >> keep);
	}
	return true;
}

bool ip_is4(const struct ip *a)
{
	return memcmp(a->b, mapped, sizeof mapped) == 0;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool ip_in_net(const struct ip *a, const struct ip_net *n)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(a->b, n->base.b, whole) != 0)
		return false;
	return rest == 0 || ((a->b[whole] ^ n->base.b[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

bool ip_in_nets(const struct ip *a, const struct ip_net *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ip_in_net(a, &nets[i]))
			return true;
	return false;
}

bool ip_is_loopback(const struct ip *a)
{
	static const struct ip one = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } };

	return ip_eq(a, &one) || (ip_is4(a) && a->b[12] == 127);
}

struct ip ip_behaviour_key(const struct ip *a)
{
	struct ip k = *a;

	if (!ip_is4(a))
		memset(k.b + 8, 0, 8);
	return k;
}

/* inet_ntop() would print it with the machinery of printf(), several times for each request. */
static void dotted(struct text *t, const uint8_t *b)
{
	char s[16], *at = s;

	for (int i = 0; i < 4; i++) {
		if (i)
			*at++ = '.';
		if (b[i] >= 100)
			*at++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*at++ = (char)('0' + b[i] / 10 % 10);
		*at++ = (char)('0' + b[i] % 10);
	}
	text_put(t, (struct bytes){ s, (size_t)(at - s) });
}

void ip_text(struct text *t, const struct ip *a)
{
	char s[INET6_ADDRSTRLEN];

	if (ip_is4(a)) {
		dotted(t, a->b + 12);
		return;
	}
	inet_ntop(AF_INET6, a->b, s, sizeof s);
	text_str(t, s);
}

bool ip_from_sockaddr(const struct sockaddr *sa, struct ip *out, uint16_t *port)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *s = (const struct sockaddr_in *)(const void *)sa;

		memcpy(out->b, mapped, sizeof mapped);
		memcpy(out->b + 12, &s->sin_addr, 4);
		*port = ntohs(s->sin_port);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *s = (const struct sockaddr_in6 *)(const void *)sa;

		memcpy(out->b, &s->sin6_addr, 16);
		*port = ntohs(s->sin6_port);
		return true;
	}
	return false;
}
