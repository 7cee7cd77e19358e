/* loop.c -- one thread's event loop.
 *
 * Deadlines sit in a wheel of 512 slots of 50 ms, driven by one libuv timer
 * that is set for the next slot in use and rests when there is none. Most
 * deadlines are moved later again and again (an idle connection that speaks);
 * so moving one later only stores the new time, and the wheel puts it where it
 * belongs when it comes by. */
#include "base/loop_uv.h"
#include <assert.h>

/* ---- deadlines ---- */

static uint64_t tick_of(uint64_t ms)
{
	return ms / TICK_MS + 1; /* the first tick not before ms */
}

static void wheel_put(struct loop *l, struct deadline *d)
{
	uint64_t tick = tick_of(d->at_ms);
	struct deadline **slot;

	if (tick <= l->seen)
		tick = l->seen + 1;
	slot = &l->wheel[tick % WHEEL_SLOTS];
	d->slot_ms = tick * TICK_MS;
	d->next = *slot;
	d->link = slot;
	if (*slot)
		(*slot)->link = &d->next;
	*slot = d;
}

static void unlink_deadline(struct deadline *d)
{
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	d->link = NULL;
}

static void on_timer(uv_timer_t *);

static void timer_set(struct loop *l, uint64_t tick)
{
	uint64_t now = uv_now(&l->uv), at = tick * TICK_MS;

	l->due = tick;
	uv_timer_start(&l->timer, on_timer, at > now ? at - now : 0, 0);
}

static void timer_next(struct loop *l)
{
	for (uint64_t t = l->seen + 1; t <= l->seen + WHEEL_SLOTS; t++)
		if (l->wheel[t % WHEEL_SLOTS]) {
			timer_set(l, t);
			return;
		}
	l->due = 0;
}

static void slot_run(struct loop *l, uint64_t tick, uint64_t now)
{
	struct deadline *d, *todo = l->wheel[tick % WHEEL_SLOTS];

	/* The slot's list moves to a local head: what fn arms goes elsewhere. */
	l->wheel[tick % WHEEL_SLOTS] = NULL;
	if (todo)
		todo->link = &todo;
	while ((d = todo)) {
		unlink_deadline(d);
		if (d->at_ms <= now)
			d->fn(d->owner);
		else
			wheel_put(l, d);
	}
}

static void on_timer(uv_timer_t *t)
{
	struct loop *l = t->data;
	uint64_t now = uv_now(&l->uv), upto = now / TICK_MS;

	if (upto > l->seen + WHEEL_SLOTS)
		l->seen = upto - WHEEL_SLOTS; /* asleep for long: one round sees them all */
	while (l->seen < upto) {
		l->seen++;
		slot_run(l, l->seen, now);
	}
	timer_next(l);
}

void deadline_set(struct loop *l, struct deadline *d, uint64_t after_ms, void (*fn)(void *), void *owner)
{
	uint64_t now = uv_now(&l->uv);

	d->at_ms = now + after_ms;
	d->fn = fn;
	d->owner = owner;
	if (d->link) {
		if (d->at_ms >= d->slot_ms)
			return;
		unlink_deadline(d);
	}
	if (!l->due && l->seen < now / TICK_MS)
		l->seen = now / TICK_MS; /* an empty wheel has nothing to catch up with */
	wheel_put(l, d);
	if (!l->due || d->slot_ms / TICK_MS < l->due)
		timer_set(l, d->slot_ms / TICK_MS);
}

void deadline_clear(struct deadline *d)
{
	if (d->link)
		unlink_deadline(d);
}

/* ---- work at the end of the turn, and from other threads ---- */

static void on_idle(uv_idle_t *h)
{
	struct loop *l = h->data;
	size_t n = 0;

	/* What is asked for while this runs waits for the next turn. */
	for (struct soon *s = l->soon; s; s = s->next)
		n++;
	for (struct soon *s; n > 0 && (s = l->soon); n--) {
		loop_not_soon(l, s);
		s->fn(s->arg);
	}
	if (!l->soon)
		uv_idle_stop(h);
}

void loop_soon(struct loop *l, struct soon *s)
{
	if (s->queued)
		return;
	s->queued = true;
	s->next = NULL;
	*l->soon_tail = s;
	l->soon_tail = &s->next;
	uv_idle_start(&l->idle, on_idle);
}

void loop_not_soon(struct loop *l, struct soon *s)
{
	struct soon **link = &l->soon;

	if (!s->queued)
		return;
	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	if (l->soon_tail == &s->next)
		l->soon_tail = link;
	s->queued = false;
}

static void on_wake(uv_async_t *h)
{
	struct loop *l = h->data;
	struct posted *p, *next;

	uv_mutex_lock(&l->lock);
	p = l->posted;
	l->posted = NULL;
	l->posted_tail = &l->posted;
	uv_mutex_unlock(&l->lock);
	for (; p; p = next) {
		next = p->next;
		p->fn(p->arg);
		free(p);
	}
}

bool loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
	struct posted *p = malloc(sizeof *p);

	if (!p)
		return false;
	*p = (struct posted){ NULL, fn, arg };
	uv_mutex_lock(&l->lock);
	*l->posted_tail = p;
	l->posted_tail = &p->next;
	uv_mutex_unlock(&l->lock);
	uv_async_send(&l->wake);
	return true;
}

/* ---- the loop ---- */

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->read_buffer = malloc(READ_BUFFER);
	l->plain_in = malloc(TLS_RECORD);
	l->plain_out = malloc(TLS_RECORD);
	l->soon_tail = &l->soon;
	l->held_tail = &l->held;
	l->posted_tail = &l->posted;
	if (!l->read_buffer || !l->plain_in || !l->plain_out || uv_loop_init(&l->uv) != 0) {
		free(l->read_buffer);
		free(l->plain_in);
		free(l->plain_out);
		free(l);
		return NULL;
	}
	uv_mutex_init(&l->lock);
	uv_timer_init(&l->uv, &l->timer);
	uv_idle_init(&l->uv, &l->idle);
	uv_async_init(&l->uv, &l->wake, on_wake);
	l->timer.data = l->idle.data = l->wake.data = l;
	l->seen = uv_now(&l->uv) / TICK_MS;
	return l;
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

uint64_t loop_now_ms(const struct loop *l)
{
	return uv_now(&l->uv);
}

void loop_free(struct loop *l)
{
	struct posted *next;
	int open;

	uv_close((uv_handle_t *)&l->timer, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	uv_close((uv_handle_t *)&l->wake, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	open = uv_loop_close(&l->uv);
	assert(open == 0);
	for (struct posted *p = l->posted; p; p = next) {
		next = p->next;
		free(p);
	}
	uv_mutex_destroy(&l->lock);
	free(l->read_buffer);
	free(l->plain_in);
	free(l->plain_out);
	free(l);
}

/* ---- signals and descriptors ---- */

struct watch {
	union {
		uv_handle_t handle;
		uv_signal_t signal;
		uv_poll_t poll;
	} u;
	void (*fn)(void *);
	void *arg;
};

static void on_signal(uv_signal_t *h, int signum)
{
	struct watch *w = h->data;

	(void)signum;
	w->fn(w->arg);
}

static void on_readable(uv_poll_t *h, int status, int events)
{
	struct watch *w = h->data;

	(void)status, (void)events;
	w->fn(w->arg);
}

struct watch *watch_signal(struct loop *l, int signum, void (*fn)(void *), void *arg)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->fn = fn;
	w->arg = arg;
	uv_signal_init(&l->uv, &w->u.signal);
	w->u.handle.data = w;
	uv_signal_start(&w->u.signal, on_signal, signum);
	return w;
}

struct watch *watch_readable(struct loop *l, int fd, void (*fn)(void *), void *arg)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->fn = fn;
	w->arg = arg;
	if (uv_poll_init(&l->uv, &w->u.poll, fd) != 0) {
		free(w);
		return NULL;
	}
	w->u.handle.data = w;
	uv_poll_start(&w->u.poll, UV_READABLE, on_readable);
	return w;
}

static void on_watch_closed(uv_handle_t *h)
{
	free(h->data);
}

void watch_free(struct watch *w)
{
	if (w)
		uv_close(&w->u.handle, on_watch_closed);
}
