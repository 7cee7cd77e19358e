/* log.h -- what the gate says: to its operator, and line by line to files.
 *
 * Messages for the operator are one line on stderr: human and coloured on a
 * terminal, JSON otherwise. They are written at once, from any thread, and
 * dropped rather than waited for when nobody reads the other end.
 *
 * Access and security lines go to sinks. log_line() copies the line into the
 * sink's ring and returns; one thread writes what the rings hold, in batches.
 * A full disk or a stuck pipe fills a ring, and what does not fit is dropped
 * and counted; what is in the ring is written when the trouble ends. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/bytes.h"
#include "base/err.h"

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct log;      /* the writing thread */
struct log_sink; /* a file, a pipe, a terminal */

enum {
	LOG_RING_BYTES = 4 << 20, /* held by a sink at most */
	LOG_LINE_MAX = 64 << 10,  /* a longer line counts as dropped */
};

/* Starts the thread: call it after the last fork. */
struct log *log_start(struct err *);
/* "-" is stdout. A file that is open already is shared, so that a reload may
 * open what it needs before the old configuration closes it. NULL: err (SIDE_CONFIG). */
struct log_sink *log_open(struct log *, const char *file, struct err *);
/* A sink that a thread of its own empties: for what may have to be waited for. `send` gets lines, each with its newline,
 * and returns the bytes of those that it is done with; fewer than all: it is tried again after *retry_ms. It may wait for
 * some seconds, but not once *hurry: then it is asked once more and given up. */
struct log_outlet {
	size_t (*send)(void *ctx, struct bytes lines, const _Atomic bool *hurry, unsigned *retry_ms);
	void (*free)(void *ctx);
};
/* One of the same name is shared, as a file is. The ctx is the sink's in any case. */
struct log_sink *log_open_outlet(struct log *, const char *name, const struct log_outlet *, void *ctx, struct err *);
/* How it goes with such a sink: unix times of the last lines that went and of the last that did not (0: never), and the bytes
 * that were taken out of the ring and not sent. All zero: it is none. */
struct log_remote_state { uint64_t sent_ms, failed_ms, waiting; };
void log_remote_state(const struct log_sink *, struct log_remote_state *);
/* From any thread, never waits; a newline is added. False: dropped and counted. */
bool log_line(struct log_sink *, struct bytes line);
uint64_t log_dropped(const struct log_sink *);
bool log_is_tty(const struct log_sink *);
bool log_in_colour(const struct log_sink *); /* a terminal, and NO_COLOR is not set */
const char *log_name(const struct log_sink *);
void log_close(struct log_sink *); /* what it holds is still written */

/* Opens every file anew, soon, by name (logrotate). One that cannot be opened
 * stays as it is, with an error to the operator. From any thread. */
void log_reopen(struct log *);
/* Writes what is left, for at most bound_ms, and ends the thread; open sinks
 * go with it. */
void log_stop(struct log *, unsigned bound_ms);
#endif
