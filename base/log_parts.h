/* log_parts.h -- a sink from inside, for log.c and log_outlet.c. */
#ifndef BASE_LOG_PARTS_H
#define BASE_LOG_PARTS_H
#include "base/log.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

enum { LOG_BATCH = 2 * LOG_LINE_MAX /* bytes a write */ };

/* Who waits for lines. He says that he sleeps, then looks once more; who has a line publishes it, then looks whether he
 * sleeps. One of the two sees the other. */
struct log_sleeper {
	sem_t wake;
	_Atomic bool asleep;
};
void log_wake(struct log_sleeper *);
struct log_sleeper *log_sleeper_of(struct log *); /* the writing thread */

struct log_sink {
	struct log_sink *next;
	struct log *log;
	struct ring *ring;
	_Atomic uint64_t dropped;
	unsigned users;
	char *name;
	int fd;
	bool regular, tty;
	uint64_t told, told_ms; /* of the dropped ones */
	size_t from, to;        /* of the batch, still to be written */
	struct log_remote *remote; /* NULL: a file */
	char batch[LOG_BATCH];
};

/* Of a sink that a thread of its own empties. */
struct log_remote {
	const struct log_outlet *outlet;
	void *ctx;
	pthread_t thread;
	struct log_sleeper sleeper;
	_Atomic bool hurry, ended;
	_Atomic uint64_t sent_ms, failed_ms, waiting; /* as struct log_remote_state has them */
};

void log_sink_tell(struct log_sink *); /* the operator, of dropped lines */
bool log_remote_start(struct log_sink *, const struct log_outlet *, void *ctx, struct err *);
void log_remote_hurry(struct log_sink *);
/* False: it has not ended by then. NULL: it has. */
bool log_remote_join(struct log_sink *, const struct timespec *by);
#endif
