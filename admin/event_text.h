/* event_text.h -- one exchange as one line, in the formats that others read.
 *
 *   ecs       JSON, Elastic Common Schema's names; the default in files
 *   combined  Apache's, for the tools that know nothing else
 *   cef       ArcSight Common Event Format 0
 *   logfmt    key=value
 *   human     for a terminal
 *
 * Any event gives a valid line without control characters and without a
 * newline; values are bounded and redacted (admin/record.h). */
#ifndef ADMIN_EVENT_TEXT_H
#define ADMIN_EVENT_TEXT_H
#include "admin/record.h"

enum event_format { EVENT_ECS, EVENT_COMBINED, EVENT_CEF, EVENT_LOGFMT, EVENT_HUMAN, EVENT_FORMATS };

struct event_style {
	enum event_format format;
	bool colour; /* EVENT_HUMAN */
	struct redact redact;
};

/* A buffer of this size holds any line of any format. */
enum { EVENT_LINE_MAX = 64 << 10 };

void event_text(struct text *, const struct event *, const struct event_style *);
const char *event_format_word(enum event_format);
/* The line of a record that was kept. */
void record_text(struct text *, const struct record *, const struct event_style *);
#endif
