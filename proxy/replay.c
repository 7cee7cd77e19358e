/* replay.c -- a request of the past before the rules of now: one after another, within a time, on a thread of its own. */
#include "proxy/replay.h"
#include "base/clock.h"
#include "proxy/access.h"
#include "proxy/judge.h"
#include "proxy/site_rules.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { REQUEST_ARENA = 32 << 20, NICE = 10 };

/* ---- by what a job is judged ---- */

struct trial {
	const struct site *site;
	const struct app *app;
	struct rules_scratch *scratch;
	const struct ruleset *rules;            /* NULL: there are none */
	struct ruleset *own;                    /* made for this job; NULL: they are the app's */
	const struct app_exception *exceptions; /* the app's, for these rules */
	struct app_exception *tried;            /* the job's */
	size_t ntried;
	struct record *record;                  /* room for one; NULL: none is wanted */
};

static bool short_of_memory(struct err *e)
{
	return err_set(e, SIDE_SELF, 0, "out of memory");
}

static bool is_seclang(struct bytes text)
{
	text = bytes_trim(text);
	while (text.len && (*text.at == '\n' || *text.at == '\r'))
		text = bytes_trim(bytes_from(text, 1));
	return bytes_starts_nocase(text, BYTES("Sec")) || bytes_starts(text, BYTES("#"));
}

/* The app's exceptions name groups of the app's ruleset: for another one they are made anew. */
static bool renew_exceptions(struct trial *t, struct arena *a, struct err *e)
{
	struct app_exception *at = arena_get(a, (t->app->nexceptions + 1) * sizeof *at);

	if (!at)
		return short_of_memory(e);
	for (size_t i = 0; i < t->app->nexceptions; i++) {
		at[i].config = t->app->exceptions[i].config;
		if (!(at[i].exclusion = site_exclusion(a, t->rules, at[i].config, e)))
			return err_at(e, "with this rule the app's exceptions[%zu] cannot be", i);
	}
	t->exceptions = at;
	return true;
}

static bool load_rule(struct trial *t, struct arena *a, struct bytes text, struct err *e)
{
	struct ruleset_text rule = { is_seclang(text) ? "rule.conf" : "rule.yaml", text };

	t->own = site_rules_with(a, &t->app->config->waf, &rule, e);
	t->rules = t->own;
	return t->own && renew_exceptions(t, a, e);
}

static bool load_exceptions(struct trial *t, const struct replay_job *j, struct err *e)
{
	struct exception_config *c = arena_get(j->arena, (j->nexceptions + 1) * sizeof *c);

	t->tried = arena_get(j->arena, (j->nexceptions + 1) * sizeof *t->tried);
	if (!c || !t->tried)
		return short_of_memory(e);
	if (j->nexceptions && !t->rules && !j->lenient)
		return err_set(e, SIDE_CLIENT, 422, "the app has no rules to except from");
	for (size_t i = 0; t->rules && i < j->nexceptions; i++) {
		const struct replay_exception *x = &j->exceptions[i];

		c[i] = (struct exception_config){ .path = x->path, .has_path = x->path.at != NULL };
		c[i].methods = (struct words){ (struct bytes *)(uintptr_t)x->methods.at, x->methods.n };
		t->tried[i] = (struct app_exception){ &c[i], exclusion_new(j->arena, t->rules, &x->what, e) };
		if (!t->tried[i].exclusion && !j->lenient)
			return err_at(e, "exceptions[%zu]", i);
	}
	t->ntried = t->rules ? j->nexceptions : 0;
	return true;
}

static bool trial_begin(struct trial *t, const struct replay_job *j, struct err *e)
{
	t->app = site_app(t->site, j->app);
	if (!t->app)
		return err_set(e, SIDE_CLIENT, 422, "the configuration has no app '%.*s'", (int)(j->app.len < 64 ? j->app.len : 64),
			       j->app.at);
	t->rules = t->app->rules;
	t->exceptions = t->app->exceptions;
	if (j->records && !(t->record = calloc(1, sizeof *t->record)))
		return short_of_memory(e);
	return (!j->rule.at || load_rule(t, j->arena, j->rule, e)) && load_exceptions(t, j, e);
}

static void trial_end(struct trial *t)
{
	free(t->record);
	ruleset_free(t->own);
}

/* ---- one request ---- */

/* Of the body that is there, or was: then it stays as it came. */
static bool frames(const struct field *f, bool has_body)
{
	enum field_id id = field_id_of(f->name);

	return has_body && (id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING);
}

/* Of HTTP/1.0, or made up by who had no mind to write it. */
static struct bytes host_for(const struct app_config *c, const struct replay_request *q)
{
	for (size_t i = 0; i < q->nfields; i++)
		if (field_id_of(q->fields[i].name) == FIELD_HOST)
			return (struct bytes){ 0 };
	return c->hosts.n && !bytes_starts(c->hosts.at[0], BYTES("*")) ? c->hosts.at[0] : BYTES("localhost");
}

struct bytes replay_head(struct arena *a, const struct app_config *c, const struct replay_request *q)
{
	struct text t = text_over(arena_raw(a, JUDGE_HEAD_MAX), JUDGE_HEAD_MAX);
	struct bytes host = host_for(c, q);

	if (!t.at)
		return (struct bytes){ 0 };
	text_put(&t, q->method);
	text_byte(&t, ' ');
	text_put(&t, q->target);
	text_str(&t, " HTTP/1.1\r\n");
	if (host.len)
		judge_put_field(&t, BYTES("Host"), host);
	for (size_t i = 0; i < q->nfields; i++)
		if (!frames(&q->fields[i], q->body.len > 0))
			judge_put_field(&t, q->fields[i].name, q->fields[i].value);
	if (q->body.len)
		text_printf(&t, "Content-Length: %zu\r\n", q->body.len);
	text_str(&t, "\r\n");
	return t.full ? (struct bytes){ 0 } : text_bytes(&t);
}

/* What was said of it, the strictest first; what came first stays where both say the same. */
struct said {
	enum remedy_kind act;
	enum source source;
	unsigned status;
	struct bytes reason;
};

static void say(struct said *s, enum remedy_kind act, enum source source, unsigned status, struct bytes reason)
{
	if (s->source == SOURCE_NONE || act > s->act)
		*s = (struct said){ act, source, status, reason };
}

static void ask_own_rules(const struct trial *t, struct arena *a, const struct request *r, struct bytes ja4, struct said *s,
			  struct replay_outcome *out)
{
	struct access_asked q = { .request = r, .ja4 = ja4, .now_s = clock_wall_ms() / 1000 };
	const struct own_rule *rule;
	struct geo_found found;

	if (geo_find(t->site->geo, &r->client, &found)) {
		q.country = arena_copy(a, bytes_of(found.country));
		q.as = found.as ? fact_number(a, found.as) : (struct bytes){ 0 };
	}
	rule = access_rule(t->app->config, &q);
	if (!rule)
		return;
	out->own_rule = rule->name;
	if (rule->act > REMEDY_ALLOW)
		say(s, rule->act, SOURCE_OWN_RULE, access_status(rule->act), rule->reason.len ? rule->reason : rule->name);
}

static const struct hit *worst_of(const struct verdict *v)
{
	const struct hit *worst = v->hits;

	for (size_t i = 1; i < v->nhits; i++)
		if (v->hits[i].score > worst->score)
			worst = &v->hits[i];
	return worst;
}

static void heed(struct said *s, const struct verdict *v, unsigned status, struct replay_outcome *out)
{
	const struct hit *worst = v->nhits ? worst_of(v) : NULL;
	struct bytes reason = !worst ? v->error : worst->message.len ? worst->message : bytes_of(worst->rule->id);

	out->threshold = v->threshold;
	for (size_t i = 0; i < v->nhits; i++)
		out->score += v->hits[i].score;
	if (status)
		say(s, REMEDY_DENY, v->remedy == REMEDY_DENY ? SOURCE_RULE : SOURCE_LIMIT, status, reason);
	else if (worst)
		say(s, REMEDY_LOG, SOURCE_RULE, 0, reason);
}

static size_t tried(const struct trial *t, uint32_t tries, const struct request *r, const struct exclusion **out)
{
	if (!tries)
		return judge_exclusions(t->tried, t->ntried, r, out);
	return tries <= t->ntried ? judge_exclusions(&t->tried[tries - 1], 1, r, out) : 0;
}

/* NULL: no rule was asked. */
static const struct verdict *ask_rules(const struct trial *t, struct arena *a, const struct request *r,
				       const struct replay_request *q, struct said *s, struct replay_outcome *out)
{
	const struct exclusion **list = arena_get(a, (t->app->nexceptions + t->ntried + 1) * sizeof *list);
	struct inspect_options o = { .window = t->app->config->waf.window, .exclusions = list };
	const struct verdict *v;
	unsigned status;

	if (!list)
		return NULL;
	out->held = (unsigned)judge_exclusions(t->exceptions, t->app->nexceptions, r, list);
	out->tried = (unsigned)tried(t, q->tries, r, list + out->held);
	o.nexclusions = out->held + out->tried;
	status = judge_inspect(a, &(struct judge){ t->rules, t->scratch, &o }, r, q->body, 0, &v);
	if (v)
		heed(s, v, status, out);
	return v;
}

static const struct record *record_in(struct arena *a, struct trial *t, const struct event *e)
{
	struct record *copy;
	size_t bytes;

	record_of(t->record, e, &t->site->style.redact);
	copy = record_copy(t->record, &bytes);
	if (copy && !arena_defer(a, free, copy)) {
		free(copy);
		return NULL;
	}
	return copy;
}

static void tell(struct trial *t, struct arena *keep, const struct request *r, const struct verdict *v, const struct said *s,
		 struct replay_outcome *out)
{
	bool detect = app_mode(t->app) == WAF_DETECT && s->source != SOURCE_PROTOCOL;
	struct event e = { .wall_ms = clock_wall_ms(), .app = t->app->config->name, .client = r->client, .peer = r->client,
			   .request = r, .source = s->source, .reason = s->reason, .would = s->act };

	out->would = s->act;
	out->action = e.action = detect && s->act > REMEDY_LOG ? REMEDY_LOG : s->act;
	out->source = s->source;
	out->status = e.status = s->status;
	if (!t->record)
		return;
	e.hits = v ? v->hits : NULL;
	e.nhits = v ? v->nhits : 0;
	e.threshold = out->threshold;
	out->record = record_in(keep, t, &e);
}

static void judge_in(struct trial *t, struct arena *a, struct arena *keep, const struct replay_request *q, struct replay_outcome *out)
{
	struct bytes head = replay_head(a, t->app->config, q);
	struct request r = { 0 };
	const struct verdict *v = NULL;
	struct said s = { 0 };
	struct err e = { 0 };
	unsigned malformed = head.at ? judge_read(a, head, &r, &e) : 431;

	r.client = q->client;
	r.scheme = BYTES("http");
	if (malformed)
		say(&s, REMEDY_DENY, SOURCE_PROTOCOL, malformed, head.at ? bytes_of(e.text) : BYTES("the head is too long"));
	ask_own_rules(t, a, &r, q->ja4, &s, out);
	if (t->rules && app_mode(t->app) != WAF_OFF && (s.act <= REMEDY_LOG || s.source == SOURCE_PROTOCOL))
		v = ask_rules(t, a, &r, q, &s, out);
	tell(t, keep, &r, v, &s, out);
}

static bool judge_one(struct trial *t, struct arena *keep, const struct replay_request *q, struct replay_outcome *out)
{
	struct arena *a = arena_new(REQUEST_ARENA + 2 * q->body.len);

	if (!a)
		return false;
	judge_in(t, a, keep, q, out);
	arena_free(a);
	return true;
}

void replay_judge(const struct site *site, struct rules_scratch *scratch, struct replay_job *j)
{
	struct trial t = { .site = site, .scratch = scratch };
	uint64_t from;

	j->outcomes = arena_get(j->arena, (j->n + 1) * sizeof *j->outcomes);
	if (!j->outcomes || !trial_begin(&t, j, &j->err))
		j->failed = j->outcomes || !short_of_memory(&j->err);
	from = clock_mono_us();
	while (!j->failed && j->judged < j->n && clock_mono_us() - from < REPLAY_MS * 1000ull)
		if (!judge_one(&t, j->arena, &j->requests[j->judged], &j->outcomes[j->judged]))
			j->failed = !short_of_memory(&j->err);
		else
			j->judged++;
	j->spent_us = clock_mono_us() - from;
	trial_end(&t);
}

/* ---- the thread ---- */

struct waiting {
	struct site *site; /* held */
	struct replay_job *job;
};

struct replay {
	struct loop *loop;
	struct rules_scratch *scratch;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct waiting queue[REPLAY_JOBS];
	size_t first, n;
	bool started, ending;
};

static void told(void *arg)
{
	struct replay_job *j = arg;

	j->done(j);
}

/* False: it is over. */
static bool next(struct replay *r, struct waiting *out)
{
	bool over;

	pthread_mutex_lock(&r->lock);
	while (!r->n && !r->ending)
		pthread_cond_wait(&r->some, &r->lock);
	over = r->ending;
	if (!over) {
		*out = r->queue[r->first];
		r->first = (r->first + 1) % REPLAY_JOBS;
		r->n--;
	}
	pthread_mutex_unlock(&r->lock);
	return !over;
}

static void *work(void *arg)
{
	struct replay *r = arg;
	struct waiting w = { 0 };

	setpriority(PRIO_PROCESS, 0, NICE); /* on Linux: this thread's */
	while (next(r, &w)) {
		replay_judge(w.site, r->scratch, w.job);
		site_release(w.site);
		loop_post(r->loop, told, w.job);
	}
	arena_thread_end();
	return NULL;
}

struct replay *replay_new(struct loop *loop, struct err *e)
{
	struct replay *r = calloc(1, sizeof *r);

	if (!r || !(r->scratch = rules_scratch_new())) {
		free(r);
		short_of_memory(e);
		return NULL;
	}
	r->loop = loop;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->some, NULL);
	return r;
}

bool replay_take(struct replay *r, struct site *site, struct replay_job *j)
{
	bool taken;

	if (!r->started && pthread_create(&r->thread, NULL, work, r) != 0)
		return false;
	r->started = true;
	pthread_mutex_lock(&r->lock);
	taken = r->n < REPLAY_JOBS;
	if (taken) {
		site_hold(site);
		r->queue[(r->first + r->n++) % REPLAY_JOBS] = (struct waiting){ site, j };
		pthread_cond_signal(&r->some);
	}
	pthread_mutex_unlock(&r->lock);
	return taken;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_signal(&r->some);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	for (; r->n; r->n--, r->first = (r->first + 1) % REPLAY_JOBS) {
		site_release(r->queue[r->first].site);
		arena_free(r->queue[r->first].job->arena);
	}
	rules_scratch_free(r->scratch);
	pthread_cond_destroy(&r->some);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
