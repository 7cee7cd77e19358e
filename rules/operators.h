/* operators.h -- what a value is tested with: one row per operator.
 *
 * Names are SecLang's, aliases CrowdSec's. A test is pure and sees one value
 * after its transformations. Negation is not its business. */
#ifndef RULES_OPERATORS_H
#define RULES_OPERATORS_H
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

enum operand_kind { OPERAND_NONE, OPERAND_TEXTS, OPERAND_NUMBER, OPERAND_REGEX, OPERAND_FILE };

struct operand {
	const struct bytes *texts; /* any of them; of a file: its lines; of the others: as written */
	size_t ntexts;
	int64_t number;
	struct regex *regex;
};

struct op {
	const char *name;  /* "streq" */
	const char *alias; /* "equals"; NULL: none */
	enum operand_kind operand;
	/* A value that matches holds one of the texts (of a file: in any case), or a
	 * match of the expression; so a scan for those finds all that can match. */
	bool holds;
	enum answer (*test)(const struct operand *, struct bytes value, struct span *);
	unsigned cost; /* nanoseconds on a short value, about: the cheap ones are asked first */
	const char *help;
};

const struct op *op_find(struct bytes name);    /* SecLang's names, without case */
const struct op *op_by_alias(struct bytes name); /* CrowdSec's, exactly */
const char *op_nearest_alias(struct bytes name); /* NULL: nothing is near */
size_t op_count(void);
const struct op *op_at(size_t i);

/* op_injection.c: libinjection's verdict. */
enum answer op_detect_sqli(const struct operand *, struct bytes, struct span *);
enum answer op_detect_xss(const struct operand *, struct bytes, struct span *);
#endif
