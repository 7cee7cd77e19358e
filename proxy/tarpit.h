/* tarpit.h -- a refusal that is held back, which costs a program more than us.
 *
 * A client in it keeps its connection and no more: the number of places is
 * bounded for the whole process (size_limits.tarpits), and who finds none is
 * refused at once. */
#ifndef PROXY_TARPIT_H
#define PROXY_TARPIT_H
#include "proxy/exchange.h"

/* True: wait, the step runs again when the time has come. */
bool tarpit_holds(struct exchange *);
/* Its refusal comes now: the client has said its last, or the gate is to end. Soon, not from within. */
void tarpit_let_out(struct exchange *);
void tarpit_end(struct exchange *); /* gives the place back */
#endif
