/* logs.h -- a line of a log -> facts.
 *
 * Readers of the lines that web servers and sshd write. Slices of the facts point into the line or the arena. A line is at
 * most LOG_READ_MAX bytes; a longer one is cut by whoever reads it, and counted. */
#ifndef SCENARIOS_LOGS_H
#define SCENARIOS_LOGS_H
#include "scenarios/facts.h"

enum { LOG_READ_MAX = 64 << 10 };

enum log_read {
	LOG_READ,   /* the facts are there, and their time */
	LOG_OTHER,  /* a line of that log which is no event */
	LOG_BROKEN, /* no such line: counted */
};

struct log_reader {
	const char *name; /* "nginx", "apache2", "json", "sshd", "syslog" */
	const char *help;
	enum log_read (*read)(struct arena *, struct bytes line, struct facts *);
};

/* By CrowdSec's log_type: "nginx", "apache2", "caddy", "traefik", ... NULL: there is none. */
const struct log_reader *log_reader_find(struct bytes name);
const struct log_reader *log_readers(size_t *n);
/* Where in the journal an entry of `journalctl -o json` stands. */
bool log_journal_cursor(struct bytes entry, struct bytes *cursor);
#endif
