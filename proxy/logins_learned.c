/* logins_learned.c -- what the signs of each path have come to mean.
 *
 * A failure is told from a success by what follows it: who has failed tries again, and the last of his attempts is the one
 * that went well. So each path keeps who tried last, and how that ended. Attempts are few: one lock for all. */
#include "proxy/logins_learned.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
	TRIED = 64,            /* names of a path that are remembered */
	AGAIN_S = 600,         /* so long after a failure a success is the same person's */
	WEEK_S = 7 * 86400,
	TURNS = 2,             /* failures after which a success came, until they are known as such */
	SHARE = 2,             /* failures for each success, among people */
	COUNT_MAX = 1024,
};

struct tried {
	uint64_t user;
	uint64_t at_s;
	enum login_sign sign;  /* LOGIN_SIGN_NONE: free */
};

struct route {
	char path[LOGINS_PATH_MAX];
	size_t len;            /* 0: free */
	unsigned failures;     /* bits by enum login_sign: those that are known to be failures */
	uint32_t seen[LOGIN_SIGNS]; /* from clients with a cookie, of late */
	uint32_t turned[LOGIN_SIGNS], reversed[LOGIN_SIGNS]; /* a success came after it; it came after a success */
	uint64_t seen_s, succeeded_s; /* when last */
	uint64_t failed, succeeded;
	struct tried tried[TRIED];
};

struct logins_learned {
	pthread_mutex_t lock;
	atomic_bool any;       /* a route with known failures: else nobody needs the lock to hear so */
	struct route *routes[LOGINS_LEARNED_MAX];
};

struct logins_learned *logins_learned_new(void)
{
	struct logins_learned *l = calloc(1, sizeof *l);

	if (l)
		pthread_mutex_init(&l->lock, NULL);
	return l;
}

void logins_learned_free(struct logins_learned *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < LOGINS_LEARNED_MAX; i++)
		free(l->routes[i]);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* ---- routes ---- */

static bool is_known(const struct route *r, enum login_sign s)
{
	return r->failures >> s & 1;
}

static struct route *find(const struct logins_learned *l, struct bytes path)
{
	for (size_t i = 0; i < LOGINS_LEARNED_MAX; i++) {
		struct route *r = l->routes[i];

		if (r && r->len == path.len && !memcmp(r->path, path.at, path.len))
			return r;
	}
	return NULL;
}

/* 401 is learned anew at once, all else took time. */
static unsigned certainty(const struct route *r)
{
	return (r->failures & ~(1u << LOGIN_SIGN_UNAUTHORIZED) ? 2 : 0) + (r->succeeded > 0);
}

static bool goes_before(const struct route *a, const struct route *b)
{
	return certainty(a) != certainty(b) ? certainty(a) < certainty(b) : a->seen_s < b->seen_s;
}

/* Whom one made up is no reason to forget what is certain. NULL: out of memory. */
static struct route *make(struct logins_learned *l, struct bytes path)
{
	struct route **at = &l->routes[0];

	for (size_t i = 0; i < LOGINS_LEARNED_MAX && *at; i++)
		if (!l->routes[i] || goes_before(l->routes[i], *at))
			at = &l->routes[i];
	if (!*at && !(*at = malloc(sizeof **at)))
		return NULL;
	**at = (struct route){ .len = path.len };
	memcpy((*at)->path, path.at, path.len);
	return *at;
}

/* ---- what signs mean ---- */

static bool may_fail(enum login_sign s)
{
	return s == LOGIN_SIGN_REFUSED || s == LOGIN_SIGN_BACK || s == LOGIN_SIGN_BACK_NEW;
}

/* Is `next` how it looks when that one, who got `sign` before, is in? */
static bool is_success_after(enum login_sign sign, enum login_sign next)
{
	return next == LOGIN_SIGN_AWAY || (sign == LOGIN_SIGN_REFUSED && next == LOGIN_SIGN_DONE);
}

/* With or without a new cookie it is one sign: sessions of their own are given to strangers too. */
static enum login_sign family(enum login_sign s)
{
	return s == LOGIN_SIGN_BACK_NEW ? LOGIN_SIGN_BACK : s;
}

static struct tried *tried_by(struct route *r, uint64_t user)
{
	struct tried *oldest = &r->tried[0];

	for (size_t i = 0; i < TRIED; i++) {
		if (r->tried[i].sign && r->tried[i].user == user)
			return &r->tried[i];
		if (r->tried[i].at_s < oldest->at_s)
			oldest = &r->tried[i];
	}
	*oldest = (struct tried){ .user = user };
	return oldest;
}

static void note_turn(struct route *r, const struct login_tried *t)
{
	struct tried *before = tried_by(r, t->user);

	if (before->sign && t->now_s <= before->at_s + AGAIN_S) {
		if (may_fail(before->sign) && is_success_after(before->sign, t->sign))
			r->turned[family(before->sign)]++;
		else if (may_fail(t->sign) && is_success_after(t->sign, before->sign))
			r->reversed[family(t->sign)]++;
	}
	*before = (struct tried){ t->user, t->now_s, t->sign };
}

static void count(struct route *r, const struct login_tried *t)
{
	if (t->has_cookie && ++r->seen[family(t->sign)] == COUNT_MAX)
		for (int s = 0; s < LOGIN_SIGNS; s++)
			r->seen[s] /= 2;
}

static bool has_turned(const struct route *r, enum login_sign s)
{
	uint32_t in = r->seen[LOGIN_SIGN_AWAY] + (s == LOGIN_SIGN_REFUSED ? r->seen[LOGIN_SIGN_DONE] : 0);

	return r->turned[s] >= TURNS && r->turned[s] > r->reversed[s] && r->seen[s] <= SHARE * in;
}

static void know(struct route *r, enum login_sign s)
{
	r->failures |= 1u << s;
}

/* What can be said by now. What is known stays known: a flood of failures must not unteach it. */
static void conclude(struct route *r, enum login_sign now)
{
	bool led = r->succeeded_s != 0;

	if (now == LOGIN_SIGN_UNAUTHORIZED)
		know(r, LOGIN_SIGN_UNAUTHORIZED);
	if (led && now == LOGIN_SIGN_FORM)
		know(r, LOGIN_SIGN_FORM);
	if (led && now == LOGIN_SIGN_ERROR)
		know(r, LOGIN_SIGN_ERROR);
	if (has_turned(r, LOGIN_SIGN_BACK))
		know(r, LOGIN_SIGN_BACK);
	if (has_turned(r, LOGIN_SIGN_REFUSED))
		know(r, LOGIN_SIGN_REFUSED);
}

/* phpMyAdmin and its kin lead back to themselves, with a cookie, who is in. */
static bool is_led(const struct route *r, enum login_sign s)
{
	return s == LOGIN_SIGN_AWAY || (s == LOGIN_SIGN_BACK_NEW && !is_known(r, LOGIN_SIGN_BACK));
}

/* An app may have changed: only what speaks for itself is left. */
static void doubt(struct route *r, uint64_t now_s)
{
	if (!(r->failures & ~(1u << LOGIN_SIGN_UNAUTHORIZED)) || now_s <= r->succeeded_s + WEEK_S)
		return;
	r->failures &= 1u << LOGIN_SIGN_UNAUTHORIZED;
	memset(r->seen, 0, sizeof r->seen);
	memset(r->turned, 0, sizeof r->turned);
	memset(r->reversed, 0, sizeof r->reversed);
	r->succeeded_s = 0;
}

/* Success empties buckets: what may be a failure that is not known yet is none. */
static bool may_be_either(const struct route *r, enum login_sign s)
{
	return s == LOGIN_SIGN_REFUSED || s == LOGIN_SIGN_FORM || s == LOGIN_SIGN_ERROR || s == LOGIN_SIGN_BACK ||
	       (s == LOGIN_SIGN_BACK_NEW && is_known(r, LOGIN_SIGN_ERROR));
}

static enum login_outcome outcome(struct route *r, enum login_sign s)
{
	if (!r->failures)
		return LOGIN_UNKNOWN;
	if (is_known(r, family(s))) {
		r->failed++;
		return LOGIN_FAILED;
	}
	if (may_be_either(r, s))
		return LOGIN_UNKNOWN;
	r->succeeded++;
	return LOGIN_SUCCEEDED;
}

static enum login_outcome learn(struct route *r, const struct login_tried *t)
{
	enum login_outcome how;

	r->seen_s = t->now_s;
	doubt(r, t->now_s);
	note_turn(r, t);
	count(r, t);
	conclude(r, t->sign);
	how = outcome(r, t->sign);
	if (how == LOGIN_SUCCEEDED || is_led(r, t->sign))
		r->succeeded_s = t->now_s;
	return how;
}

/* What needs no path of its own: nothing will ever be known by it. */
static bool is_worth_a_route(enum login_sign s)
{
	return s != LOGIN_SIGN_OTHER && s != LOGIN_SIGN_DONE;
}

enum login_outcome logins_learn(struct logins_learned *l, const struct login_tried *t)
{
	enum login_outcome how = LOGIN_UNKNOWN;
	struct route *r;

	if (!t->path.len || t->sign == LOGIN_SIGN_NONE || t->sign == LOGIN_SIGN_PAGE)
		return LOGIN_UNKNOWN;
	pthread_mutex_lock(&l->lock);
	r = find(l, t->path);
	if (!r && is_worth_a_route(t->sign))
		r = make(l, t->path);
	if (r) {
		how = learn(r, t);
		if (r->failures)
			atomic_store_explicit(&l->any, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&l->lock);
	return how;
}

/* ---- for others ---- */

bool logins_learned_has(struct logins_learned *l, struct bytes path)
{
	const struct route *r;
	bool has;

	if (!path.len || !atomic_load_explicit(&l->any, memory_order_relaxed))
		return false;
	pthread_mutex_lock(&l->lock);
	r = find(l, path);
	has = r && r->failures;
	pthread_mutex_unlock(&l->lock);
	return has;
}

size_t logins_learned_list(struct logins_learned *l, struct login_route *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < LOGINS_LEARNED_MAX && n < max; i++) {
		const struct route *r = l->routes[i];

		if (!r || !r->failures)
			continue;
		out[n] = (struct login_route){ .failed = r->failed, .succeeded = r->succeeded };
		memcpy(out[n++].path, r->path, r->len);
	}
	pthread_mutex_unlock(&l->lock);
	return n;
}
