/* handover.h -- what the serving child asks its supervisor: one message a
 * datagram on a unix socket, descriptors beside it.
 *
 *   bind N ADDR PORT  -> "ok" with N sockets bound to it (the same ones to whoever
 *                        asks again), or "error TEXT". ADDR is "any" or an address
 *   drop ADDR PORT       closes them here
 *   ready                the child serves
 *   alive                now and then, for the watchdog
 *
 * The child waits for answers: it asks while it starts or reloads, and the
 * supervisor does nothing else. */
#ifndef PROXY_HANDOVER_H
#define PROXY_HANDOVER_H
#include "base/err.h"
#include "proxy/config.h"

enum { HANDOVER_MAX = 512, SOCKETS_MAX = 253 /* workers: what one message may carry, unix(7) */ };

/* N sockets for the address; false: err says why. They belong to the caller. */
bool handover_bind(int fd, const struct listen_config *, unsigned n, int *sockets, struct err *);
void handover_drop(int fd, const struct listen_config *);
void handover_say(int fd, const char *word);
/* The supervisor's answers to `bind`. */
void handover_give(int fd, const int *sockets, unsigned n);
void handover_refuse(int fd, const char *why);
/* "127.0.0.1:9180", ":9180", "[::1]:9180": as listen_config has it. */
bool handover_parse(struct bytes bind, struct listen_config *, struct err *);
#endif
