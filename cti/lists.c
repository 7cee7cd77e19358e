/* lists.c -- lists opened, asked, reloaded and closed.
 *
 * Readers see a view: a few words and a set for each list that holds something. The thread makes another, swaps the pointer,
 * waits until no reader is left in the old one (RCU), and frees what is not needed any more. */
#include "cti/lists_parts.h"
#include "base/clock.h"
#include "base/log.h"
#include "cti/rcu.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { NICE = 10 };

/* ---- what readers see ---- */

static void see(const struct list *l, struct list_seen *out)
{
	const struct list_config *c = &l->c;

	*out = (struct list_seen){ .act = c->act, .level = c->level, .hearsay = c->url.len > 0, .made_ms = l->mark.read_ms,
				   .until_ms = c->age_ms ? l->mark.confirmed_ms + c->age_ms : UINT64_MAX, .nets = l->held->nets };
	snprintf(out->name, sizeof out->name, "%.*s", BYTES_ARG(c->name));
}

bool lists_publish(struct lists *ls)
{
	struct lists_view *view = malloc(sizeof *view + ls->n * sizeof view->at[0]), *old;

	if (!view)
		return false;
	view->n = 0;
	for (size_t i = 0; i < ls->n; i++)
		if (ls->at[i]->held)
			see(ls->at[i], &view->at[view->n++]);
	old = atomic_exchange(&ls->view, view);
	rcu_wait();
	free(old);
	return true;
}

/* ---- asking ---- */

struct best {
	const struct list_seen *list;
	unsigned bits;
};

static bool is_better(const struct list_seen *a, const struct list_seen *b)
{
	if (!b || a->act == b->act)
		return !b || a->until_ms > b->until_ms;
	return b->act != REMEDY_ALLOW && (a->act == REMEDY_ALLOW || a->act > b->act);
}

static bool note_bits(void *ctx, unsigned bits, unsigned value)
{
	(void)value;
	*(unsigned *)ctx = bits;
	return false;
}

static struct bytes text_of_net(const struct ip *ip, unsigned bits, struct arena *a)
{
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct ip base = *ip;

	for (unsigned i = 0; i < 16; i++)
		if (bits < i * 8 + 8)
			base.b[i] &= bits > i * 8 ? (uint8_t)(0xff00u >> (bits - i * 8)) : 0;
	ip_text(&t, &base);
	if (bits < 128)
		text_printf(&t, "/%u", ip_is4(&base) && bits >= 96 ? bits - 96 : bits);
	return arena_copy(a, text_bytes(&t));
}

static void decide(const struct list_seen *s, const struct ip *ip, struct arena *a, struct decision *out)
{
	char origin[LISTS_NAME_MAX + 8];
	unsigned bits = 128;

	netset_each_of(s->nets, ip, note_bits, &bits);
	snprintf(origin, sizeof origin, "lists:%s", s->name);
	*out = (struct decision){ .scope = bits == 128 ? SCOPE_IP : SCOPE_RANGE, .value = text_of_net(ip, bits, a), .remedy = s->act,
				  .level = s->level, .origin = arena_copy(a, bytes_of(origin)), .made_ms = s->made_ms,
				  .until_ms = s->until_ms, .hearsay = s->hearsay };
	out->reason = bytes_from(out->origin, out->origin.at ? 6 : 0);
}

bool lists_find(struct lists *ls, const struct ip *ip, uint64_t now_ms, struct arena *a, struct decision *out)
{
	const struct list_seen *best = NULL;
	const struct lists_view *view;

	if (!ls)
		return false;
	rcu_enter();
	view = atomic_load_explicit(&ls->view, memory_order_acquire);
	for (size_t i = 0; view && i < view->n; i++) {
		const struct list_seen *s = &view->at[i];

		if (is_better(s, best) && s->until_ms > now_ms && netset_find(s->nets, ip))
			best = s;
	}
	if (best)
		decide(best, ip, a, out);
	rcu_leave();
	return best != NULL;
}

size_t lists_having(struct lists *ls, const struct ip *ip, uint64_t now_ms, struct arena *a, struct decision *out, size_t max)
{
	const struct lists_view *view;
	size_t n = 0;

	if (!ls)
		return 0;
	rcu_enter();
	view = atomic_load_explicit(&ls->view, memory_order_acquire);
	for (size_t i = 0; view && i < view->n && n < max; i++)
		if (view->at[i].until_ms > now_ms && netset_find(view->at[i].nets, ip))
			decide(&view->at[i], ip, a, &out[n++]);
	rcu_leave();
	return n;
}

/* ---- status ---- */

/* A key in a URL's query is not for whoever looks at a list; a user or password there is refused. */
static struct bytes source_of(const struct list_config *c)
{
	return c->file ? bytes_of(c->file) : bytes_sub(c->url, 0, bytes_index(c->url, '?'));
}

void lists_tell(struct lists *ls)
{
	pthread_mutex_lock(&ls->lock);
	for (size_t i = 0; i < ls->ntold; i++) {
		const struct list *l = ls->at[i];
		struct list_status *s = &ls->told[i];

		*s = (struct list_status){ .act = l->c.act, .read_ms = l->mark.read_ms, .confirmed_ms = l->mark.confirmed_ms };
		snprintf(s->source, sizeof s->source, "%.*s", BYTES_ARG(source_of(&l->c)));
		snprintf(s->name, sizeof s->name, "%.*s", BYTES_ARG(l->c.name));
		snprintf(s->trouble, sizeof s->trouble, "%s", l->trouble);
		if (l->held) {
			s->entries = l->held->entries;
			s->bytes = netset_bytes(l->held->nets);
			s->skipped = l->held->skipped;
			s->left_out = l->held->left_out;
		}
	}
	pthread_mutex_unlock(&ls->lock);
}

size_t lists_status(struct lists *ls, struct list_status *out, size_t max)
{
	size_t n;

	if (!ls)
		return 0;
	pthread_mutex_lock(&ls->lock);
	n = ls->ntold < max ? ls->ntold : max;
	memcpy(out, ls->told, n * sizeof *out);
	pthread_mutex_unlock(&ls->lock);
	return n;
}

/* ---- the thread ---- */

struct message {
	struct lists *lists;
	struct lists_config *config;
	char name[LISTS_NAME_MAX + 1];
};

static void on_reload(void *arg)
{
	struct message *m = arg;

	lists_config_take(m->lists, m->config);
	free(m);
}

static void on_refresh(void *arg)
{
	struct message *m = arg;

	for (size_t i = 0; i < m->lists->n; i++) {
		struct list *l = m->lists->at[i];

		if (m->name[0] && !bytes_eq(l->c.name, bytes_of(m->name)))
			continue;
		l->mark.inode = 0; /* a file is read, changed or not */
		list_turn_now(l);
	}
	free(m);
}

static bool tell_thread(struct lists *ls, void (*what)(void *), struct lists_config *config, struct bytes name)
{
	struct message *m = calloc(1, sizeof *m);

	if (!m)
		return false;
	m->lists = ls;
	m->config = config;
	snprintf(m->name, sizeof m->name, "%.*s", BYTES_ARG(name));
	if (loop_post(ls->loop, what, m))
		return true;
	free(m);
	return false;
}

void lists_refresh(struct lists *ls, struct bytes name)
{
	if (ls)
		tell_thread(ls, on_refresh, NULL, name);
}

bool lists_reload(struct lists *ls, const struct list_config *c, size_t n, struct err *err)
{
	struct lists_config *k = lists_config_new(ls, c, n, err);

	if (!k)
		return false;
	if (tell_thread(ls, on_reload, k, (struct bytes){ 0 }))
		return true;
	lists_config_free(k);
	return err_set(err, SIDE_SELF, ENOMEM, "out of memory");
}

static void *run(void *arg)
{
	struct lists *ls = arg;

	/* A million lines are 0.2 s of a core, which workers need more. Linux has this a thread's. */
	setpriority(PRIO_PROCESS, 0, NICE);
	loop_run(ls->loop);
	arena_thread_end();
	return NULL;
}

static bool thread_start(struct lists *ls, struct err *err)
{
	sigset_t all, before;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = pthread_create(&ls->thread, NULL, run, ls) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok || err_set(err, SIDE_SELF, 0, "cannot start the thread that reads lists");
}

/* ---- opening and closing ---- */

static void lists_free(struct lists *ls)
{
	rcu_wait();
	free(atomic_load(&ls->view));
	lists_config_end(&(struct lists_config){ .arena = ls->configs, .at = ls->at, .told = ls->told, .n = ls->n });
	if (ls->loop)
		loop_free(ls->loop);
	pthread_mutex_destroy(&ls->lock);
	free(ls);
}

static bool begin(struct lists *ls, const char *state, const struct list_config *c, size_t n, struct err *err)
{
	struct lists_config *k;
	struct err why;

	if (!(ls->loop = loop_new()))
		return err_set(err, SIDE_SELF, ENOMEM, "out of memory or descriptors");
	if (state && snprintf(ls->dir, sizeof ls->dir, "%s/lists", state) >= (int)sizeof ls->dir / 2)
		return err_set(err, SIDE_CONFIG, 0, "the state directory's name is too long");
	if (n && ls->dir[0] && !list_keep_ready(ls->dir, &why))
		log_error("%s: lists are not kept over a restart", why.text);
	if (!(k = lists_config_new(ls, c, n, err)))
		return false;
	lists_config_take(ls, k);
	return thread_start(ls, err);
}

struct lists *lists_open(struct loop *outside, struct fetcher *fetcher, const char *state, const struct list_config *c, size_t n,
			 struct err *err)
{
	struct lists *ls = calloc(1, sizeof *ls);

	if (!ls) {
		err_set(err, SIDE_SELF, ENOMEM, "out of memory");
		return NULL;
	}
	ls->outside = outside;
	ls->fetcher = fetcher;
	pthread_mutex_init(&ls->lock, NULL);
	if (begin(ls, state, c, n, err))
		return ls;
	lists_free(ls);
	return NULL;
}

static void on_ended(void *arg)
{
	struct lists *ls = arg;
	void (*closed)(void *) = ls->closed;
	void *ctx = ls->closed_ctx;

	pthread_join(ls->thread, NULL);
	lists_free(ls);
	if (closed)
		closed(ctx);
}

static void post_surely(struct loop *l, void (*fn)(void *), void *arg)
{
	while (!loop_post(l, fn, arg))
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

/* What was posted before it, a fetch's first turn, has had its turn. */
static void on_last_turn(void *arg)
{
	struct lists *ls = arg;

	loop_stop(ls->loop);
	post_surely(ls->outside, on_ended, ls);
}

static void on_close(void *arg)
{
	struct lists *ls = arg;

	for (size_t i = 0; i < ls->n; i++) {
		deadline_clear(&ls->at[i]->due);
		list_reading_drop(ls->at[i]->reading);
	}
	post_surely(ls->loop, on_last_turn, ls);
}

void lists_close(struct lists *ls, void (*closed)(void *), void *ctx)
{
	if (!ls)
		return;
	ls->closed = closed;
	ls->closed_ctx = ctx;
	post_surely(ls->loop, on_close, ls);
}
