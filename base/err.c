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
	char place[sizeof e->text], old[sizeof e->text];
	va_list ap;
	size_t n;

	if (!e)
		return false;
	memcpy(old, e->text, sizeof old);
	va_start(ap, fmt);
	vsnprintf(place, sizeof place, fmt, ap);
	va_end(ap);
	n = strlen(place);
	memcpy(e->text, place, n);
	snprintf(e->text + n, sizeof e->text - n, ": %s", old);
	return false;
}
