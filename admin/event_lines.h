/* event_lines.h -- inside admin/: one function a format. */
#ifndef ADMIN_EVENT_LINES_H
#define ADMIN_EVENT_LINES_H
#include "admin/event_text.h"

#define PUT(t, lit) text_put(t, BYTES(lit))

void line_ecs(struct text *, const struct record *, const struct event_style *);
void line_combined(struct text *, const struct record *, const struct event_style *);
void line_cef(struct text *, const struct record *, const struct event_style *);
void line_logfmt(struct text *, const struct record *, const struct event_style *);
void line_human(struct text *, const struct record *, const struct event_style *);
#endif
