/* syslog_parts.h -- the connection to a receiver, for syslog.c: of one thread, which may wait. */
#ifndef BASE_SYSLOG_PARTS_H
#define BASE_SYSLOG_PARTS_H
#include "base/syslog.h"

struct tls_context;
struct syslog_wire;

struct syslog_wire *syslog_wire_new(const struct syslog_target *, struct tls_context *); /* NULL: out of memory. Takes the context */
/* Connects where it is not connected. False: err; nothing is kept. */
bool syslog_wire_ready(struct syslog_wire *, const _Atomic bool *hurry, struct err *);
bool syslog_wire_send(struct syslog_wire *, struct bytes frame, const _Atomic bool *hurry, struct err *); /* false: it is closed */
void syslog_wire_free(struct syslog_wire *);
#endif
