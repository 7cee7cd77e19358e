/* agent.c -- the thread that owns the sources of logs.
 *
 *     source -> line -> its reader -> facts -> event(ctx, facts)
 *
 * A line's facts live in an arena of their own, gone when `event` returns. A reader that knows hardly a line of its source
 * is told to the operator: the wrong `type` would else look like a quiet server. */
#include "proxy/agent.h"
#include "base/clock.h"
#include "base/log.h"
#include "proxy/config_parts.h"
#include "proxy/journal.h"
#include "proxy/syslog_in.h"
#include "proxy/tail.h"
#include <pthread.h>
#include <signal.h>

enum {
	ARENA_CAP = 1 << 20, /* of one line's facts */
	SAVE_MS = 5000,
	REOPEN_MS = 5000,
	BROKEN_LOOK = 100,   /* lines of a source before a judgement on its type */
};

struct input {
	struct agent *agent;
	const struct log_input_config *config;
	const struct log_reader *reader;
	struct tail *tail;
	struct syslog_in *syslog;
	struct journal *journal;
	unsigned lines, broken; /* up to BROKEN_LOOK */
	bool told;
};

struct agent {
	struct loop *loop;
	pthread_t thread;
	const struct config *config;
	struct places *places;
	struct input *inputs;
	size_t n, closing;
	agent_event *event;
	void *ctx;
	struct agent_counts *counts;
	struct deadline save, reopen;
};

/* ---- a line ---- */

static void count(atomic_ullong *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static void judge_type(struct input *in, enum log_read got)
{
	if (in->lines >= BROKEN_LOOK)
		return;
	in->lines++;
	in->broken += got == LOG_BROKEN;
	if (in->lines == BROKEN_LOOK && in->broken * 2 > in->lines)
		log_warn("%s:%u:%u: logs: %u of the first %u lines are none of type %s", in->config->where.file,
			 in->config->where.line, in->config->where.column, in->broken, in->lines, in->reader->name);
}

static void set_source(struct facts *f, struct arena *a, const struct log_source *source)
{
	f->at[FACT_DATASOURCE_TYPE] = source->kind;
	f->at[FACT_DATASOURCE_PATH] = source->path;
	if (f->at_us)
		return;
	f->wall_ms = clock_wall_ms(); /* neither the line nor its frame has a time */
	f->at_us = f->wall_ms * 1000;
	if (!f->at[FACT_TIMESTAMP].len) {
		char *room = arena_raw(a, 32);
		struct text t = text_over(room, room ? 32 : 0);

		clock_rfc3339(&t, f->wall_ms);
		f->at[FACT_TIMESTAMP] = text_bytes(&t);
	}
}

static void on_line(void *ctx, const struct log_source *source, struct bytes line)
{
	struct input *in = ctx;
	struct agent *ag = in->agent;
	struct arena *a = arena_new(ARENA_CAP);
	struct facts f = { 0 };
	enum log_read got;

	if (!a) {
		count(&ag->counts->dropped, 1);
		return;
	}
	got = source->reader->read(a, line, &f);
	count(&ag->counts->lines, 1);
	count(got == LOG_READ ? &ag->counts->events : got == LOG_OTHER ? &ag->counts->others : &ag->counts->broken, 1);
	judge_type(in, got);
	if (got == LOG_READ) {
		set_source(&f, a, source);
		ag->event(ag->ctx, &f);
	}
	arena_free(a);
}

static void on_lost(void *ctx, enum log_loss what, uint64_t n)
{
	struct input *in = ctx;

	count(what == LOG_CUT ? &in->agent->counts->cut : &in->agent->counts->dropped, n);
}

/* ---- sources ---- */

static bool open_syslog(struct input *in, const struct log_taker *taker, struct err *err)
{
	const struct log_input_config *c = in->config;
	struct syslog_setup s = { c->syslog, c->udp, c->address, c->port, c->from_nets.at, c->from_nets.n, c->rate, in->reader };

	in->syslog = syslog_in_open(in->agent->loop, &s, taker, err);
	return in->syslog != NULL;
}

static bool input_open(struct input *in, struct err *err)
{
	struct agent *ag = in->agent;
	const struct log_input_config *c = in->config;
	struct log_taker taker = { on_line, on_lost, in };

	if (in->tail || in->syslog || in->journal)
		return true;
	if (c->syslog.len)
		return open_syslog(in, &taker, err);
	if (c->journal.n)
		in->journal = journal_open(ag->loop, &(struct journal_setup){ c->journal.at, c->journal.n, in->reader }, ag->places, &taker);
	else
		in->tail = tail_open(ag->loop, &(struct tail_setup){ c->files, c->nfiles, in->reader, c->from == LOG_FROM_START },
				     ag->places, &taker);
	return in->tail || in->journal || err_set(err, SIDE_SELF, 0, "out of memory");
}

static void open_inputs(void *arg)
{
	struct agent *ag = arg;
	bool again = false;

	for (size_t i = 0; i < ag->n; i++) {
		struct input *in = &ag->inputs[i];
		struct err err = { 0 };

		if (input_open(in, &err))
			continue;
		again = true;
		if (!in->told)
			log_error("logs: %s; tried again every %d s", err.text, REOPEN_MS / 1000);
		in->told = true;
	}
	if (again)
		deadline_set(ag->loop, &ag->reopen, REOPEN_MS, open_inputs, ag);
}

static void on_save(void *arg)
{
	struct agent *ag = arg;
	struct err err = { 0 };

	if (!places_save(ag->places, &err))
		log_error("places of logs are not kept: %s", err.text);
	deadline_set(ag->loop, &ag->save, SAVE_MS, on_save, ag);
}

/* ---- the thread ---- */

static void on_closed(void *arg)
{
	struct agent *ag = arg;

	if (--ag->closing == 0)
		loop_stop(ag->loop);
}

static void on_stop(void *arg)
{
	struct agent *ag = arg;

	deadline_clear(&ag->save);
	deadline_clear(&ag->reopen);
	ag->closing = 1; /* this function itself */
	for (size_t i = 0; i < ag->n; i++) {
		struct input *in = &ag->inputs[i];

		tail_close(in->tail);
		journal_close(in->journal);
		if (in->syslog) {
			ag->closing++;
			syslog_in_close(in->syslog, on_closed, ag);
		}
	}
	on_closed(ag);
}

static void *run(void *arg)
{
	struct agent *ag = arg;

	open_inputs(ag);
	on_save(ag);
	loop_run(ag->loop);
	arena_thread_end();
	return NULL;
}

/* Signals are for the control thread. */
static bool thread_start(struct agent *ag)
{
	sigset_t all, before;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = pthread_create(&ag->thread, NULL, run, ag) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

static void agent_free(struct agent *ag)
{
	places_close(ag->places);
	if (ag->loop)
		loop_free(ag->loop);
	free(ag->inputs);
	free(ag);
}

static bool prepare(struct agent *ag)
{
	ag->loop = loop_new();
	ag->places = places_open(ag->config->state);
	ag->inputs = calloc(ag->n, sizeof *ag->inputs);
	for (size_t i = 0; ag->inputs && i < ag->n; i++) {
		const struct log_input_config *c = &ag->config->logs[i];

		ag->inputs[i] = (struct input){ .agent = ag, .config = c,
						.reader = log_reader_find(bytes_of(config_log_types[c->type].word)) };
	}
	return ag->loop && ag->places && ag->inputs;
}

struct agent *agent_start(const struct config *c, struct agent_counts *counts, agent_event *event, void *ctx, struct err *err)
{
	struct agent *ag;

	*err = (struct err){ 0 };
	if (!c->nlogs)
		return NULL;
	if (!(ag = calloc(1, sizeof *ag))) {
		err_set(err, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	ag->config = c;
	ag->n = c->nlogs;
	ag->counts = counts;
	ag->event = event;
	ag->ctx = ctx;
	if (prepare(ag) && thread_start(ag))
		return ag;
	err_set(err, SIDE_SELF, 0, "cannot start the thread that reads logs");
	agent_free(ag);
	return NULL;
}

void agent_stop(struct agent *ag)
{
	if (!ag)
		return;
	while (!loop_post(ag->loop, on_stop, ag))
		;
	pthread_join(ag->thread, NULL);
	agent_free(ag);
}
