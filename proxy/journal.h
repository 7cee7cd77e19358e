/* journal.h -- systemd's journal, as a child `journalctl -f -o json` tells it.
 *
 * The child gets an argument list and no shell. When it ends it is started again, later and later, and goes on behind the
 * last entry that was read: the journal's cursor is kept with the places. The user that we run as must be in a group
 * that may read the journal (systemd-journal). */
#ifndef PROXY_JOURNAL_H
#define PROXY_JOURNAL_H
#include "base/loop.h"
#include "proxy/log_source.h"
#include "proxy/places.h"

struct journal_setup {
	const struct bytes *units; /* "ssh.service"; none: everything */
	size_t nunits;
	const struct log_reader *reader; /* a line is the entry as JSON, which every reader takes for a frame */
};

struct journal;
struct journal *journal_open(struct loop *, const struct journal_setup *, struct places *, const struct log_taker *);
void journal_close(struct journal *);
#endif
