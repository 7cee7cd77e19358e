/* event_json.h -- inside admin/: a record as the API shows it, printed once, when it is kept.
 *
 * Two objects. `row` is an entry of a list (Event), `rest` what only its own page has (EventDetail without those);
 * event_json_join() makes one of them. Of copies (record_copy): nothing in them is at NULL. */
#ifndef ADMIN_EVENT_JSON_H
#define ADMIN_EVENT_JSON_H
#include "admin/record.h"
#include "base/json_out.h"

enum { EVENT_ROW_MAX = 64 << 10, EVENT_REST_MAX = 1 << 20 };

void event_json_row(struct json_out *, const struct record *);
void event_json_rest(struct json_out *, const struct record *);
/* An object with the members of both, still open: the caller adds its own and ends it. */
void event_json_join(struct json_out *, struct bytes row, struct bytes rest);
void event_json_hit(struct json_out *, const struct record_hit *);
/* The hit that tells most: the highest score, then severity, then the first; NULL: there is none. */
const struct record_hit *event_json_worst(const struct record *);
#endif
