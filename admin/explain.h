/* explain.h -- inside admin/: why an exchange went as it did, in words. */
#ifndef ADMIN_EXPLAIN_H
#define ADMIN_EXPLAIN_H
#include "admin/record.h"

/* Several lines for people: client, decision, rules with variable, offset,
 * snippet and score, and the exception to write if it was legitimate. */
void explain_text(struct text *, const struct record *);
#endif
