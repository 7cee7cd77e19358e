/* list_write_parts.h -- what the files that write lists share; nobody else includes it.
 *
 *   list_write.c            gathers decisions and cuts their blocks into disjoint pieces
 *   list_write_blocks.c     for firewalls and proxies
 *   list_write_decisions.c  whole decisions, and such read back */
#ifndef CTI_LIST_WRITE_PARTS_H
#define CTI_LIST_WRITE_PARTS_H
#include "cti/list_write.h"

enum { LIST_ROOM = 8 << 10 }; /* holds whatever is written at once */

struct list_piece {
	struct list_block block;
	enum remedy_kind remedy;
	uint64_t until_ms;
};

struct list_text {
	enum list_form form;
	uint64_t now_ms;
	size_t n;              /* written so far */
	bool failed;           /* out of memory */
	struct text text;
	enum remedy_kind remedy; uint64_t until_ms; /* of the piece that is written */
	unsigned open;         /* nft: entries of the statement that is open, and of which family */
	bool open4;
};
struct text *list_text_room(struct list_text *); /* LIST_ROOM bytes at least, unless memory has ended */

void list_blocks_begin(struct list_text *, enum list_form, uint64_t now_ms, size_t n);
void list_blocks_each(void *list_text, const struct list_piece *);
void list_blocks_end(struct list_text *);
void list_decisions_write(struct list_text *, const struct list_source *);
#endif
