/* err.c -- errors as values. */
#include "base/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *e, enum side side, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return false;
	e->side = side;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return false;
}

bool err_at(struct err *e, const char *fmt, ...)
{
	char place[sizeof e->text];
	va_list ap;
	size_t n, keep;

	if (!e)
		return false;
	va_start(ap, fmt);
	vsnprintf(place, sizeof place - 2, fmt, ap);
	va_end(ap);
	n = strlen(place);
	memcpy(place + n, ": ", 2);
	n += 2;
	keep = strlen(e->text);
	if (keep > sizeof e->text - 1 - n)
		keep = sizeof e->text - 1 - n;
	memmove(e->text + n, e->text, keep);
	memcpy(e->text, place, n);
	e->text[n + keep] = '\0';
	return false;
}
