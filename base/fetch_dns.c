/* fetch_dns.c -- one thread that waits for the system's resolver.
 *
 * A question is waiting (in the queue), under way (the thread has it) or posted
 * (on its way to the loop). The lock covers all three, so that who cancels knows
 * that the loop will not be touched: a question that is cancelled while it is
 * under way is freed by the thread, one that was posted by the loop. */
#include "base/fetch_dns.h"
#include "base/fetch_url.h"
#include "base/clock.h"
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

struct dns_ask {
	struct dns_ask *next;
	struct loop *loop;
	void (*done)(void *, const struct dns_answer *);
	void *ctx;
	enum { WAITING, UNDER_WAY, POSTED, LOST } state; /* LOST: no memory to post it */
	bool cancelled;
	struct dns_answer answer;
	char host[FETCH_HOST_MAX + 1];
};

struct kept {
	char host[FETCH_HOST_MAX + 1]; /* empty: free */
	uint64_t until_ms;
	struct dns_answer answer;
};

struct dns {
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_t thread;
	dns_lookup *lookup;
	void *arg;
	struct dns_ask *first, **last;
	unsigned waiting;
	bool started, looking, leaving;
	struct kept kept[DNS_NAMES];
};

/* ---- what is kept ---- */

static struct kept *kept_find(struct dns *d, const char *host)
{
	uint64_t now = clock_mono_ms();

	for (size_t i = 0; i < DNS_NAMES; i++)
		if (d->kept[i].until_ms > now && strcmp(d->kept[i].host, host) == 0)
			return &d->kept[i];
	return NULL;
}

/* In the place of the one that would go first. */
static void keep(struct dns *d, const char *host, const struct dns_answer *a)
{
	struct kept *k = kept_find(d, host);

	if (!k) {
		k = &d->kept[0];
		for (size_t i = 1; i < DNS_NAMES; i++)
			if (d->kept[i].until_ms < k->until_ms)
				k = &d->kept[i];
	}
	snprintf(k->host, sizeof k->host, "%s", host);
	k->until_ms = clock_mono_ms() + (a->n ? DNS_KEEP_MS : DNS_KEEP_BAD_MS);
	k->answer = *a;
}

/* ---- the thread ---- */

static void ask_system(void *arg, const char *host, struct dns_answer *out)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *all = NULL;
	int r = getaddrinfo(host, NULL, &want, &all);
	uint16_t port;

	(void)arg;
	*out = (struct dns_answer){ 0 };
	if (r != 0) {
		snprintf(out->why, sizeof out->why, "%s", gai_strerror(r));
		return;
	}
	for (struct addrinfo *i = all; i && out->n < DNS_ADDRESSES; i = i->ai_next)
		if (ip_from_sockaddr(i->ai_addr, &out->at[out->n], &port))
			out->n++;
	if (!out->n)
		snprintf(out->why, sizeof out->why, "it has no address");
	freeaddrinfo(all);
}

static void on_answer(void *arg)
{
	struct dns_ask *q = arg;

	/* No lock: once posted, only the loop's own thread looks at it. */
	if (!q->cancelled)
		q->done(q->ctx, &q->answer);
	free(q);
}

/* With the lock held. */
static void deliver(struct dns_ask *q)
{
	q->state = POSTED; /* first: once it is posted, q is the loop's */
	if (q->cancelled)
		free(q);
	else if (!loop_post(q->loop, on_answer, q))
		q->state = LOST; /* the asker's deadline tells */
}

static struct dns_ask *take(struct dns *d)
{
	struct dns_ask *q = d->first;

	d->first = q->next;
	if (!d->first)
		d->last = &d->first;
	d->waiting--;
	q->state = UNDER_WAY;
	return q;
}

static void answer_one(struct dns *d)
{
	struct dns_ask *q = take(d);
	const struct kept *k = kept_find(d, q->host); /* somebody in front asked the same */
	struct dns_answer a;
	char host[sizeof q->host];

	if (k) {
		q->answer = k->answer;
		deliver(q);
		return;
	}
	memcpy(host, q->host, sizeof host);
	d->looking = true;
	pthread_mutex_unlock(&d->lock);
	d->lookup(d->arg, host, &a);
	pthread_mutex_lock(&d->lock);
	d->looking = false;
	keep(d, host, &a);
	q->answer = a;
	deliver(q);
}

static void destroy(struct dns *d)
{
	pthread_cond_destroy(&d->more);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static void *run(void *arg)
{
	struct dns *d = arg;
	bool alone;

	pthread_mutex_lock(&d->lock);
	while (!d->leaving) {
		if (d->first)
			answer_one(d);
		else
			pthread_cond_wait(&d->more, &d->lock);
	}
	alone = !d->started; /* dns_free() did not wait */
	pthread_mutex_unlock(&d->lock);
	if (alone)
		destroy(d);
	return NULL;
}

/* ---- life ---- */

struct dns *dns_new(dns_lookup *lookup, void *arg)
{
	struct dns *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->more, NULL);
	d->lookup = lookup ? lookup : ask_system;
	d->arg = arg;
	d->last = &d->first;
	return d;
}

void dns_free(struct dns *d)
{
	bool started, looking;

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	started = d->started;
	looking = d->looking;
	d->leaving = true;
	if (looking) {
		d->started = false;
		pthread_detach(d->thread);
	}
	pthread_cond_signal(&d->more);
	pthread_mutex_unlock(&d->lock);
	if (looking)
		return;
	if (started)
		pthread_join(d->thread, NULL);
	destroy(d);
}

/* ---- asking ---- */

static bool refuse(struct dns_answer *out, const char *why)
{
	*out = (struct dns_answer){ 0 };
	snprintf(out->why, sizeof out->why, "%s", why);
	return false;
}

static struct dns_ask *ask_new(struct loop *l, struct bytes host)
{
	struct dns_ask *q = calloc(1, sizeof *q);

	if (!q)
		return NULL;
	q->loop = l;
	for (size_t i = 0; i < host.len; i++)
		q->host[i] = byte_lower(host.at[i]);
	return q;
}

/* With the lock held. */
static bool enqueue(struct dns *d, struct dns_ask *q, struct dns_answer *out)
{
	if (d->waiting >= DNS_WAITING)
		return refuse(out, "too many names are being looked up");
	if (!d->started && pthread_create(&d->thread, NULL, run, d) != 0)
		return refuse(out, "no thread to look the name up");
	d->started = true;
	*d->last = q;
	d->last = &q->next;
	d->waiting++;
	pthread_cond_signal(&d->more);
	return true;
}

bool dns_find(struct dns *d, struct loop *l, struct bytes host, struct dns_answer *out, struct dns_ask **ask,
	      void (*done)(void *, const struct dns_answer *), void *ctx)
{
	const struct kept *k;
	struct dns_ask *q;

	*ask = NULL;
	*out = (struct dns_answer){ .n = 1 };
	if (ip_parse(host, &out->at[0]))
		return true;
	if (host.len == 0 || host.len > FETCH_HOST_MAX || bytes_index(host, '\0') != SIZE_MAX)
		return refuse(out, "it is no name");
	q = ask_new(l, host);
	if (!q)
		return refuse(out, "out of memory");
	q->done = done;
	q->ctx = ctx;
	pthread_mutex_lock(&d->lock);
	k = kept_find(d, q->host);
	if (k)
		*out = k->answer;
	else if (enqueue(d, q, out))
		*ask = q;
	pthread_mutex_unlock(&d->lock);
	if (!*ask)
		free(q);
	return k != NULL;
}

static void unlink_waiting(struct dns *d, struct dns_ask *q)
{
	struct dns_ask **link = &d->first;

	while (*link != q)
		link = &(*link)->next;
	*link = q->next;
	if (d->last == &q->next)
		d->last = link;
	d->waiting--;
}

void dns_cancel(struct dns *d, struct dns_ask *q)
{
	pthread_mutex_lock(&d->lock);
	q->cancelled = true;
	if (q->state == WAITING)
		unlink_waiting(d, q);
	if (q->state == WAITING || q->state == LOST)
		free(q);
	pthread_mutex_unlock(&d->lock);
}
