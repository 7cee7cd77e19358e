/* notify.h -- what systemd wants to know (sd_notify(3)): one datagram to
 * $NOTIFY_SOCKET; nothing where there is none. */
#ifndef PROXY_NOTIFY_H
#define PROXY_NOTIFY_H
#include <stdint.h>

void notify(const char *state); /* "READY=1\nSTATUS=..." */
/* How often WATCHDOG=1 is expected, in milliseconds; 0: not at all. */
uint64_t notify_watchdog_ms(void);
#endif
