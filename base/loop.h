/* loop.h -- one thread's event loop: deadlines, posted work, one read buffer.
 *
 * libuv is only spoken to in loop.c and stream*.c. Everything of a loop happens
 * on its thread, but for loop_post(). */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H
#include "base/bytes.h"

struct loop;

struct loop *loop_new(void); /* NULL: out of memory or descriptors */
void loop_run(struct loop *); /* until loop_stop() */
void loop_stop(struct loop *); /* from the loop's own thread */
void loop_free(struct loop *); /* everything on it must be closed */
uint64_t loop_now_ms(const struct loop *); /* monotonic, as of this turn */

/* Runs fn(arg) on the loop's thread, soon, in the order of posting. From any
 * thread; false: out of memory. */
bool loop_post(struct loop *, void (*fn)(void *arg), void *arg);

/* A deadline: at most once per arming, a few dozen milliseconds late at most
 * (one timer for the whole loop drives a wheel, and rests when nothing is
 * armed). Lives in its owner; zero-initialised is "not armed". Moving one
 * later costs a store. */
struct deadline {
	struct deadline *next, **link;
	uint64_t at_ms, slot_ms; /* when it is due; when the wheel looks at it */
	void (*fn)(void *owner);
	void *owner;
};

void deadline_set(struct loop *, struct deadline *, uint64_t after_ms, void (*fn)(void *), void *owner);
void deadline_clear(struct deadline *);

/* A signal or a readable descriptor, for main and the control thread. */
struct watch;
struct watch *watch_signal(struct loop *, int signum, void (*fn)(void *), void *arg);
struct watch *watch_readable(struct loop *, int fd, void (*fn)(void *), void *arg);
void watch_free(struct watch *);
#endif
