/* syslog_in.h -- a UDP or TCP address at which other machines' syslog arrives (RFC 5426, RFC 6587).
 *
 * A datagram is a line. A TCP connection carries lines that end in LF or that are counted ("64 <13>..."). Bounds: so many
 * connections, a line, so many lines a second: what is beyond is dropped and told, over TCP the sender waits instead.
 * UDP has no sender that can be trusted: only those in `from` are heard, if it is given. */
#ifndef PROXY_SYSLOG_IN_H
#define PROXY_SYSLOG_IN_H
#include "base/ip.h"
#include "base/loop.h"
#include "proxy/log_source.h"

struct syslog_setup {
	struct bytes name; /* "udp:127.0.0.1:5514" */
	bool udp;
	struct ip address;
	uint16_t port;
	const struct ip_net *from;
	size_t nfrom; /* 0: everyone */
	uint32_t rate; /* lines a second */
	const struct log_reader *reader;
};

struct syslog_in;
struct syslog_in *syslog_in_open(struct loop *, const struct syslog_setup *, const struct log_taker *, struct err *);
/* The loop must turn until `closed` is called. */
void syslog_in_close(struct syslog_in *, void (*closed)(void *ctx), void *ctx);
uint16_t syslog_in_port(const struct syslog_in *); /* the one that it got, where 0 was asked for */
#endif
