/* op_parts.h -- for the files of operators: their tests, and what makes their operands. */
#ifndef RULES_OP_PARTS_H
#define RULES_OP_PARTS_H
#include "rules/operators.h"

typedef enum answer op_test(const struct operand *, struct bytes value, struct span *);

op_test op_rx;                                              /* operators.c */
op_test op_streq, op_contains, op_contains_word, op_within; /* op_text.c */
op_test op_begins_with, op_ends_with;
op_test op_pm;                                              /* op_words.c */
op_test op_eq, op_gt, op_ge, op_lt, op_le;                  /* op_number.c: SecLang's */
op_test op_go_eq, op_go_gt, op_go_ge, op_go_lt, op_go_le;   /* CrowdSec's */
op_test op_ip_match;                                        /* op_ip.c */
op_test op_byte_range, op_url_encoding, op_utf8_encoding;   /* op_validate.c */
op_test op_verify_cc, op_verify_cpf, op_verify_ssn, op_verify_svnr; /* op_verify.c */
op_test op_detect_sqli, op_detect_xss;                      /* op_injection.c */

/* Leading digits with their sign count, anything else is 0, as C's atoll has it; the nearest past 64 bits. */
int64_t op_number(struct bytes);

/* Cuts the argument of @pm into words; false: the arena is at its cap. No words: *n is 0. */
bool op_words(struct arena *, struct bytes argument, struct bytes **, size_t *n);

/* Lines of a file beside the rule's: without blanks at their ends, comments ("# ...") and empty ones. */
struct op_lines {
	struct bytes *at;
	size_t n;
};
bool op_lines(struct arena *, struct bytes name, const char *beside, struct op_lines *, struct err *);

/* Blocks of addresses out of pieces of text. `strict`: what is none is an error, else it is passed over. */
const struct op_nets *op_nets(struct arena *, const struct bytes *pieces, size_t n, bool strict, struct err *);
/* "9,10,32-126" into 256 bits. */
bool op_bytes(struct bytes, uint64_t set[4], struct err *);

/* Always false. */
bool op_no_memory(struct err *);

static inline enum answer op_yes_at(struct span *s, size_t at, size_t len)
{
	*s = (struct span){ at, len };
	return ANSWER_YES;
}

/* A test that has no place of its own shows the whole value. */
static inline enum answer op_when(bool holds, struct bytes v, struct span *s)
{
	return holds ? op_yes_at(s, 0, v.len) : ANSWER_NO;
}
#endif
