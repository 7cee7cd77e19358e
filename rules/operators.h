/* operators.h -- what a value is tested with: one row per operator.
 *
 * Names are SecLang's, aliases CrowdSec's; a row that only one of them has lacks
 * the other. A test is pure and sees one value after its transformations.
 * Negation is not its business.
 *
 *   op_named or op_by_alias -> op_prepare, once -> op->test, per value */
#ifndef RULES_OPERATORS_H
#define RULES_OPERATORS_H
#include "base/arena.h"
#include "base/matcher.h"

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_LIMIT, /* gave up: never taken for a no */
};

/* Where in the value it matched; len 0: no place of its own. */
struct span {
	size_t at, len;
};

enum operand_kind {
	OPERAND_NONE,
	OPERAND_TEXTS,
	OPERAND_NUMBER,
	OPERAND_REGEX,
	OPERAND_FILE,      /* lines of a file, without blanks at their ends */
	OPERAND_WORDS,     /* parted by blanks */
	OPERAND_NETS,      /* addresses and blocks, parted by commas */
	OPERAND_NETS_FILE, /* the same, one a line */
	OPERAND_BYTES,     /* "9,10,32-126" */
};

struct words;   /* words.h */
struct op_nets; /* op_ip.c */

struct operand {
	const struct bytes *texts; /* any of them; of a file: its lines; of others: as written */
	size_t ntexts;
	int64_t number;
	struct regex *regex;
	const struct words *words;  /* the texts, found in one pass; NULL: one after the other */
	const struct op_nets *nets;
	const uint64_t *bytes;      /* 256 bits: those allowed */
};

/* What every value that matches holds, so that a scan for it finds all that can
 * match: one of the texts, one of them in any case, a byte that op_bytes_held tells;
 * of an OPERAND_REGEX row: a match of the expression. */
enum holds { HOLDS_NOTHING, HOLDS_TEXT, HOLDS_WORD, HOLDS_BYTE };

struct op {
	const char *name;  /* "streq"; NULL: SecLang has another row for it */
	const char *alias; /* "equals"; NULL: none */
	enum operand_kind operand;
	enum holds holds;
	enum answer (*test)(const struct operand *, struct bytes value, struct span *);
	unsigned cost; /* nanoseconds on a short value, about: the cheap ones are asked first */
	const char *help;
};

/* SecLang's names, without case. The error says that it is refused and why, or
 * unknown and what is near; then the two that it asks. */
const struct op *op_named(struct bytes name, struct err *);
const struct op *op_find(struct bytes name);
const char *op_refused(struct bytes name);       /* NULL: not an operator that we refuse */
const char *op_nearest(struct bytes name);       /* NULL: nothing is near */
const struct op *op_by_alias(struct bytes name); /* CrowdSec's, exactly */
const char *op_nearest_alias(struct bytes name);
/* HOLDS_BYTE: each match holds at least one of these, 256 bits. */
void op_bytes_held(const struct op *, const struct operand *, uint64_t set[4]);
size_t op_count(void);
const struct op *op_at(size_t i);

struct ir;
/* Makes the operand of an argument as a rule has it; it lives as long as the ir.
 * Files are named relative to the folder of `beside`, the rule's own; NULL: where
 * we run. Errors say what is wrong, without a place. */
bool op_prepare(const struct op *, struct ir *, struct bytes argument, const char *beside, struct operand *,
		struct err *);
/* The same for an argument that a request has filled in: cheap, borrows `text`.
 * False: not with this operator (expressions, files, byte ranges), or the arena is
 * at its cap; that is never to be taken for a condition that does not hold. */
bool op_expanded(const struct op *, struct arena *, struct bytes text, struct operand *);
#endif
