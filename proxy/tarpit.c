/* tarpit.c -- places for refusals that are held back. */
#include "proxy/tarpit.h"
#include "proxy/worker.h"

void tarpit_end(struct exchange *x)
{
	if (!x->tarpit.in)
		return;
	deadline_clear(&x->tarpit.deadline);
	atomic_fetch_sub(&x->worker->shared->tarpits, 1);
	x->tarpit.in = false;
}

static void on_over(void *owner)
{
	struct exchange *x = owner;

	tarpit_end(x);
	exchange_run(x);
}

void tarpit_let_out(struct exchange *x)
{
	if (x->tarpit.in)
		deadline_set(x->worker->loop, &x->tarpit.deadline, 0, on_over, x);
}

bool tarpit_holds(struct exchange *x)
{
	struct shared *s = x->worker->shared;

	if (x->tarpit.in || x->tarpit.over)
		return x->tarpit.in;
	x->tarpit.over = true; /* it is held once */
	if (atomic_fetch_add(&s->tarpits, 1) >= exchange_limits(x)->tarpits || worker_leaving(x->worker)) {
		atomic_fetch_sub(&s->tarpits, 1);
		return false;
	}
	x->tarpit.in = true;
	deadline_set(x->worker->loop, &x->tarpit.deadline, x->app->config->tarpit_ms, on_over, x);
	return true;
}
