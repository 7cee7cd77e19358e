/* gate_admin.h -- the administrator's address and sockets: bound, with TLS where the configuration has a certificate.
 *
 * They are those of the start: a reload leaves them as they are, as it leaves those of the local API. */
#ifndef PROXY_GATE_ADMIN_H
#define PROXY_GATE_ADMIN_H
#include "proxy/config.h"

struct gate;
struct tls_context *gate_admin_tls(const struct config *, const uint8_t ticket_secret[32], struct err *); /* NULL: err */
bool gate_admin_check(const struct config *, struct err *); /* what can be told without binding: the certificate */
bool gate_admin_open(struct gate *, struct err *);
#endif
