/* ip.h -- addresses and blocks of addresses.
 *
 * One form for both families: IPv4 is held as ::ffff:a.b.c.d, so an IPv4
 * address that arrives mapped into IPv6 is the same value. */
#ifndef BASE_IP_H
#define BASE_IP_H
#include "base/err.h"
#include "base/text.h"

struct sockaddr;

struct ip {
	uint8_t b[16];
};

struct ip_net {
	struct ip base;
	uint8_t bits; /* 0..128; an IPv4 /24 is 96 + 24 */
};

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; no port, no brackets. */
bool ip_parse(struct bytes, struct ip *);
/* "192.0.2.0/24", "2001:db8::/32" or a bare address; host bits are cleared. */
bool ip_net_parse(struct bytes, struct ip_net *);
bool ip_is4(const struct ip *);
bool ip_eq(const struct ip *, const struct ip *);
bool ip_in_net(const struct ip *, const struct ip_net *);
bool ip_in_nets(const struct ip *, const struct ip_net *, size_t n);
bool ip_is_loopback(const struct ip *);
/* The key that behaviour is counted by: IPv4 as it is, IPv6 its /64. */
struct ip ip_behaviour_key(const struct ip *);
void ip_text(struct text *, const struct ip *); /* RFC 5952 */
bool ip_from_sockaddr(const struct sockaddr *, struct ip *, uint16_t *port);
#endif
