/* log_message.c -- one line to the operator, written at once.
 *
 * No state and no thread: it works before the first configuration is read and
 * after the last one is gone. */
#include "base/log.h"
#include "base/clock.h"
#include "base/text.h"
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 600 }; /* JSON may make six bytes of one: PIPE_BUF holds it */

struct level {
	const char *word, *colour;
};

static void say_human(struct text *t, const struct level *level, const char *message)
{
	bool colour = !getenv("NO_COLOR");
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	text_printf(t, "%02d:%02d:%02d %s%-5s%s ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		    colour ? level->colour : "", level->word, colour ? "\033[0m" : "");
	for (const unsigned char *p = (const unsigned char *)message; *p; p++)
		/* A message may quote what a client sent: nothing moves the cursor,
		 * not even the control characters beyond ASCII (U+0080..9F). */
		if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			text_printf(t, "\\x%02x", *p);
		else
			text_byte(t, (char)*p);
}

static void say_json(struct text *t, const struct level *level, const char *message)
{
	text_str(t, "{\"@timestamp\":\"");
	clock_rfc3339(t, clock_wall_ms());
	text_printf(t, "\",\"log.level\":\"%s\",\"message\":", level->word);
	text_json(t, bytes_of(message));
	text_byte(t, '}');
}

/* One write of at most PIPE_BUF bytes: lines of several threads do not mix,
 * and after poll() it does not wait. */
static void say(const struct level *level, const char *fmt, va_list ap)
{
	char message[MESSAGE], line[PIPE_BUF];
	struct text t = text_over(line, sizeof line - 1);
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	vsnprintf(message, sizeof message, fmt, ap);
	(isatty(STDERR_FILENO) ? say_human : say_json)(&t, level, message);
	line[t.len++] = '\n';
	if (poll(&out, 1, 0) == 1 && write(STDERR_FILENO, line, t.len) < 0)
		return; /* nobody is left to be told */
}

void log_info(const char *fmt, ...)
{
	static const struct level info = { "info", "\033[32m" };
	va_list ap;

	va_start(ap, fmt);
	say(&info, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	static const struct level warn = { "warn", "\033[33m" };
	va_list ap;

	va_start(ap, fmt);
	say(&warn, fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	static const struct level error = { "error", "\033[31m" };
	va_list ap;

	va_start(ap, fmt);
	say(&error, fmt, ap);
	va_end(ap);
}
