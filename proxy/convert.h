/* convert.h -- `embergate check --convert FILE...`: settings and exclusions written for
 * ModSecurity -> the YAML that says the same.
 *
 * Reads a crs-setup.conf (paranoia level, threshold, engine) and files of exclusions
 * (SecRuleRemove*, SecRuleUpdateTarget*, ctl:ruleRemove* of a rule that looks at the path
 * and the method) and prints what belongs under an app. What cannot be said in YAML is
 * a comment at the end: its place, and why; it stays in a *.conf under waf.rules. */
#ifndef PROXY_CONVERT_H
#define PROXY_CONVERT_H
#include "base/bytes.h"
#include "base/err.h"
#include <stdio.h>

/* NULL-terminated; false: a file that cannot be read, "file:line: what". */
bool convert_files(char *const *files, FILE *out, struct err *);
/* The same of a text that is no file; it includes nothing. */
bool convert_text(struct bytes text, const char *name, FILE *out, struct err *);
/* Of the command line: prints to stdout. Returns the exit code. */
int convert_main(char *const *files);
#endif
