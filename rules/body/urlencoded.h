/* urlencoded.h -- application/x-www-form-urlencoded, and query strings.
 *
 * Pairs are separated by '&', a name ends at its first '='. Names and values
 * are decoded once: '+' is a blank, %XX a byte, and an escape that is broken
 * stays as it is, as ModSecurity does. There is no malformed form. */
#ifndef RULES_BODY_URLENCODED_H
#define RULES_BODY_URLENCODED_H
#include "rules/body/body.h"

/* A whole query string at once, into the same sink. */
enum body_fault urlencoded_parse(struct arena *, struct bytes query, const struct body_setup *);
#endif
