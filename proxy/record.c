/* record.c -- what is written down of an exchange: metrics always, the access
 * log where it is on, alerts in the security log and for `explain`. */
#include "base/clock.h"
#include "base/syslog.h"
#include "proxy/behaviour.h"
#include "proxy/bots.h"
#include "proxy/challenge.h"
#include "proxy/client.h"
#include "proxy/forward.h"
#include "proxy/stages.h"
#include "proxy/webhook.h"
#include "proxy/worker.h"

static struct bytes reason_of(const struct exchange *x)
{
	if (x->ruling.source != SOURCE_NONE)
		return x->ruling.reason;
	return x->failure.code ? bytes_of(x->failure.text) : (struct bytes){ 0 };
}

static void write_line(struct log_sink *sink, const struct event *e, const struct event_style *style)
{
	char line[EVENT_LINE_MAX];
	struct text t = text_over(line, sizeof line);

	event_text(&t, e, style);
	log_line(sink, text_bytes(&t));
}

static void add_bot(const struct exchange *x, struct event *e)
{
	if (!x->bot.bot)
		return;
	e->bot = bytes_of(x->bot.bot->name);
	e->bot_category = x->bot.bot->category;
	e->bot_proven = x->bot.proof == BOT_TRUE;
	e->bot_false = x->bot.proof == BOT_FALSE;
}

/* What only alerts are asked for. */
static void add_detail(struct exchange *x, struct event *e)
{
	e->country = x->country;
	e->as = x->as;
	e->as_name = x->as_name;
	e->level = challenge_pass(x)->level;
	e->allowed = x->allowed;
	e->hearsay = x->hearsay;
	e->limits = x->limits_asked;
	e->has_body = x->app && x->app->config->log_body && x->up.decoder.total > 0;
	e->body = text_bytes(&x->up.log);
}

/* As a receiver sorts: what was stopped is worth a look, what was only noted less. */
static enum syslog_severity severity_of(const struct event *e)
{
	if (!event_is_alert(e))
		return SYSLOG_INFO;
	return e->action >= REMEDY_THROTTLE ? SYSLOG_WARNING : SYSLOG_NOTICE;
}

static void write_syslog(const struct site *site, const struct event *e)
{
	char line[SYSLOG_HEAD_MAX + EVENT_LINE_MAX];
	struct text t = text_over(line, SYSLOG_HEAD_MAX), message;

	syslog_head_put(&t, &(struct syslog_head){
		.facility = site->config->log.syslog.facility, .severity = severity_of(e), .wall_ms = e->wall_ms,
		.kind = event_is_alert(e) ? "alert" : "access", .id = e->id, .app = e->app,
	});
	message = text_over(line + t.len, EVENT_LINE_MAX);
	event_text(&message, e, &site->syslog_style);
	log_line(site->syslog, (struct bytes){ line, t.len + message.len });
}

static void tell(struct exchange *x, struct event *e)
{
	const struct site *site = x->use->site;

	add_bot(x, e);
	metrics_exchange(x->app ? x->app->state->metrics : site->no_app, x->worker->number, e);
	if (site->access)
		write_line(site->access, e, &site->style);
	if (event_is_alert(e))
		add_detail(x, e);
	if (site->syslog && (event_is_alert(e) || site->config->log.syslog.access))
		write_syslog(site, e);
	if (!event_is_alert(e))
		return;
	if (site->security && site->security != site->access)
		write_line(site->security, e, &site->style);
	webhooks_alert(x->worker->shared->webhooks, e, &site->style.redact);
	events_offer(x->worker->shared->events, e, &site->style.redact);
}

enum flow stage_record(struct exchange *x)
{
	const char *tls = stream_tls_version(x->client->stream);
	const struct verdict *v;
	struct event e;

	inspect_finish(x);
	behaviour_end(x);
	v = x->inspection ? inspection_verdict(x->inspection) : NULL;
	e = (struct event){
		.wall_ms = worker_wall_ms(x->worker),
		.id = { x->id, ULID_LEN },
		.app = x->app ? x->app->config->name : (struct bytes){ 0 },
		.client = x->request.client,
		.peer = x->client->peer,
		.peer_port = x->client->port,
		.client_from = x->origin.from,
		.request = &x->request,
		.tls_version = bytes_of(tls),
		.ja4 = stream_tls_ja4(x->client->stream),
		.upstream = x->backend ? bytes_of(x->backend->server->name) : (struct bytes){ 0 },
		.status = x->status,
		.request_bytes = x->up.decoder.total,
		.response_bytes = x->response_bytes,
		.duration_us = (uint32_t)(clock_mono_us() - x->started_us),
		.inspection_us = (uint32_t)(x->inspection_us + x->answer_inspection_us),
		.answer_inspection_us = (uint32_t)x->answer_inspection_us,
		.action = x->ruling.act,
		.would = x->ruling.would,
		.source = x->ruling.source,
		.reason = reason_of(x),
		.hits = v ? v->hits : NULL,
		.nhits = v ? v->nhits : 0,
		.threshold = v ? v->threshold : 0,
		.held = x->held,
		.overflows = x->overflows,
		.noverflows = x->noverflows,
	};

	forward_release(x, false); /* where it still has one, the exchange was cut */
	tell(x, &e);
	return GO;
}
