/* propose.h -- inside admin/: the exception to write if what was denied was legitimate. */
#ifndef ADMIN_PROPOSE_H
#define ADMIN_PROPOSE_H
#include "admin/record.h"

/* One line of YAML for each set of rules that matched, with the arguments, cookies, fields or parts
 * that these rules matched on and nothing else, for this path; nothing when no rule that looks
 * at the request matched. */
void propose_exceptions(struct text *, const struct record *);
#endif
