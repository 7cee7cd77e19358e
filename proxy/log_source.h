/* log_source.h -- where lines of other servers' logs come from, and to whom they go.
 *
 * tail.h reads files, syslog_in.h listens, journal.h asks systemd. All of one agent runs on the agent's thread and loop; a
 * line is borrowed until `line` returns. Nothing is lost silently: what is cut or dropped is told to `lost`. */
#ifndef PROXY_LOG_SOURCE_H
#define PROXY_LOG_SOURCE_H
#include "scenarios/scenarios.h"

struct log_source {
	const struct log_reader *reader;
	struct bytes kind; /* Meta.datasource_type: "file", "syslog", "journalctl" */
	struct bytes path; /* Meta.datasource_path: a file, the address that listens, the units */
};

enum log_loss {
	LOG_CUT,     /* lines longer than LOG_READ_MAX, of which the beginning was given */
	LOG_DROPPED, /* lines or connections beyond the bounds */
	LOG_LOSSES,
};

struct log_taker {
	void (*line)(void *ctx, const struct log_source *, struct bytes line);
	void (*lost)(void *ctx, enum log_loss, uint64_t n);
	void *ctx;
};
#endif
