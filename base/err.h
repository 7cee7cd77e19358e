/* err.h -- what failed, whose doing it was, and what we were doing.
 *
 * An error is a value on the caller's stack: nothing to allocate, nothing to
 * free. The side picks the outcome; text is one line without a full stop,
 * from the outside in: "embergate.yaml:4:3: apps.shop: unknown key 'hots'". */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include <stdbool.h>

enum side {
	SIDE_CLIENT = 1, /* answered with a 4xx: `code` is the status */
	SIDE_UPSTREAM,   /* answered with 502 or 504 */
	SIDE_CONFIG,     /* refuse to start, or keep the running configuration */
	SIDE_SELF,       /* our own limits or faults: 500, 503 */
};

struct err {
	enum side side;
	int code; /* HTTP status, errno or libuv code; 0 when there is none */
	char text[256];
};

/* Both return false, so that a failing function ends: return err_set(e, ...);
 * A NULL err is allowed and takes nothing. */
bool err_set(struct err *, enum side, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Puts "fmt: " before the text that is there. */
bool err_at(struct err *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
