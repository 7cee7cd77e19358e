/* change.h -- a change of the configuration, verified before it is written.
 *
 *   text -> parsed with all files -> built on a thread -> looked at -> written -> swapped in -> perhaps confirmed
 *
 * It is a reload with another text (reload.c runs it), so there is one of them at a time. What runs and what is on disk stay
 * the same thing: where the swap fails the file goes back, and a file that was changed by hand meanwhile is not written over.
 * A change that waits to be confirmed is undone by another, of the text before it. */
#ifndef PROXY_CHANGE_H
#define PROXY_CHANGE_H
#include "proxy/gate.h"

struct change;
/* Told once, perhaps at once. */
void change_start(struct gate *, const struct edit_ask *, edit_done *, void *arg);
bool change_confirm(struct gate *, struct err *);

/* ---- for reload.c ---- */
/* On its thread: the configuration that is to be; then, once it is built, whether it shall be, and is on disk. */
struct config *change_config(struct change *, struct err *);
bool change_keep(struct change *, const struct site *, struct err *);
bool change_is_dry(const struct change *);
/* On the control thread: it runs (dry: it would), or err says why not. Tells, and ends the change. */
void change_end(struct change *, bool ok, const struct err *);

/* ---- for gate.c ---- */
/* What waited when the last process ended: goes on waiting, or is undone. True: it was; read the configuration again. */
bool change_resume(struct gate *, const struct config *);
void change_rest(struct gate *); /* at the end: the next process goes on waiting */
#endif
