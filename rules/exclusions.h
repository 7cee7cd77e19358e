/* exclusions.h -- what the exceptions that hold for a request take out.
 *
 * Words are compared as they come: exceptions are few, and a rule's id or
 * category is only asked for once the rule has matched. */
#ifndef RULES_EXCLUSIONS_H
#define RULES_EXCLUSIONS_H
#include "rules/rules.h"

struct exclusions {
	const struct exclusion *const *at;
	size_t n;
	bool all, body;            /* these two words are there */
	bool args, cookies, headers; /* some word of this kind is */
};

void exclusions_read(struct exclusions *, const struct inspect_options *);
/* kind: "arg:", "cookie:" or "header:". A JSON value is named with or without
 * its "json.". */
bool exclusions_name(const struct exclusions *, const char *kind, struct bytes name);
bool exclusions_rule(const struct exclusions *, const struct rule_info *);
#endif
