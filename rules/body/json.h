/* json.h -- JSON bodies (RFC 8259), flattened to names and values.
 *
 * {"a":{"b":[true,"x"]}} gives json.a.b.0 = true and json.a.b.1 = x; with
 * JSON_ARRAYS_WORD json.a.b.array_0 and so on. A bare value is named json. Of
 * equal keys both are reported, since readers differ on which one counts.
 *
 * Strict: one value, no comments, no trailing commas, no control bytes in
 * strings; a byte order mark is skipped (8.1 allows it). Strings are unescaped
 * to UTF-8; a lone surrogate becomes U+FFFD. Bytes above 0x7f pass as they are:
 * whether they are UTF-8 is a rule's question. Numbers, true, false and null are
 * given as written. */
#ifndef RULES_BODY_JSON_H
#define RULES_BODY_JSON_H
#include "rules/body/body.h"
#endif
