/* syslog.h -- lines of the log to a syslog receiver.
 *
 * syslog_open() makes a sink like a file's: log_line() never waits, a thread of its own sends. What is in its ring when the
 * receiver is away is sent when it is back; what does not fit is dropped and counted. Nobody confirms a syslog message: what
 * a connection had taken when it broke may be lost without a trace, over UDP any message may be. */
#ifndef BASE_SYSLOG_H
#define BASE_SYSLOG_H
#include "base/log.h"
#include "base/syslog_message.h"

/* Shared by all who name the same. NULL: err (SIDE_CONFIG for a bad `ca`). */
struct log_sink *syslog_open(struct log *, const struct syslog_target *, struct err *);
#endif
