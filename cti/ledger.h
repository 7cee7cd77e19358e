/* ledger.h -- decisions over a restart: a file in the state directory with a line for each that was made or lifted.
 *
 * Lines are appended by a thread of its own, fed by a bounded queue, so whoever decides never waits for a disk. What the
 * queue does not take is counted, and the file is then written anew from what is held; that happens too when it is opened
 * and when it has doubled. A line has a checksum: one that is torn or damaged is left out, and counted.
 *
 * Two processes may have it open, while one drains and the next serves: each reads what the other appends. A decision is
 * on disk some milliseconds after it was made, so a child that is killed loses none that is older; a power cut may lose
 * what the kernel had not written yet. */
#ifndef CTI_LEDGER_H
#define CTI_LEDGER_H
#include "base/err.h"
#include "base/text.h"
#include "cti/cti.h"

struct ledger;
/* Reads what is there into the decisions, and keeps them from now on; before other threads use them. NULL: err. */
struct ledger *ledger_open(const char *dir, struct decisions *, struct err *);
void ledger_close(struct ledger *); /* writes what is queued; when no other thread uses them any more; NULL is allowed */

struct ledger_counts {
	uint64_t read, broken; /* lines: taken, left out */
	uint64_t dropped;      /* decisions that the queue did not take */
	uint64_t failed;       /* writes */
};
void ledger_count(const struct ledger *, struct ledger_counts *);

/* ---- a line (ledger_line.c), without its newline ---- */

enum { LEDGER_LINE_MAX = 4096 };
struct ledger_line {
	bool lifted;    /* else it is held */
	struct decision decision;
	unsigned times; /* it was made so often */
};
/* Texts of more than 256 bytes are cut. False: it is of a scope that has no word. */
bool ledger_write_line(struct text *, const struct ledger_line *);
/* Texts are in `room`. False: it is none. */
bool ledger_read_line(struct bytes, char room[LEDGER_LINE_MAX], struct ledger_line *);
/* The checksum and a blank, then the body. */
void ledger_seal(struct text *, struct bytes body);
#endif
