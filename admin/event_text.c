/* event_text.c -- the formats by name. */
#include "admin/event_lines.h"

static const struct {
	const char *word;
	void (*line)(struct text *, const struct record *, const struct event_style *);
} formats[EVENT_FORMATS] = {
	[EVENT_ECS] = { "ecs", line_ecs },
	[EVENT_COMBINED] = { "combined", line_combined },
	[EVENT_CEF] = { "cef", line_cef },
	[EVENT_LOGFMT] = { "logfmt", line_logfmt },
	[EVENT_HUMAN] = { "human", line_human },
};

const char *event_format_word(enum event_format f)
{
	return formats[f].word;
}

void record_text(struct text *t, const struct record *r, const struct event_style *style)
{
	formats[style->format].line(t, r, style);
}

void event_text(struct text *t, const struct event *e, const struct event_style *style)
{
	struct record r;

	record_of(&r, e, &style->redact);
	record_text(t, &r, style);
}
