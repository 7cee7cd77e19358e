/* hooks_notify.c -- who is told what happens, and a test of it. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/syslog_message.h"
#include "proxy/config_parts.h"
#include "proxy/gate.h"
#include "proxy/webhook.h"

static struct bytes host_of(struct bytes url)
{
	size_t scheme = bytes_find(url, BYTES("://")), user;

	url = bytes_from(url, scheme == SIZE_MAX ? 0 : scheme + 3);
	url = bytes_sub(url, 0, bytes_index(url, '/'));
	user = bytes_index(url, '@');
	return bytes_from(url, user == SIZE_MAX ? 0 : user + 1);
}

static uint64_t id_of(struct bytes to, const struct where *w)
{
	uint64_t h = hash_content(hash_content(HASH_CONTENT_START, to), bytes_of(w->file));

	return hash_content(h, (struct bytes){ (const char *)&w->line, sizeof w->line });
}

static const uint64_t syslog_id = 1; /* there is one at most */

/* ---- the list ---- */

static struct edit_words events_of(struct arena *a, const struct notify_config *n)
{
	struct bytes *at = arena_get(a, NOTIFY_EVENTS * sizeof *at);
	size_t count = 0;

	for (uint32_t e = 0; at && e < NOTIFY_TEST; e++) {
		bool told = n->nevents == 0;

		for (size_t i = 0; i < n->nevents; i++)
			told = told || n->events[i] == e;
		if (told)
			at[count++] = bytes_of(webhook_kind_word((enum notify_event)e));
	}
	return (struct edit_words){ at, count };
}

static struct notify_outlet webhook_of(struct arena *a, const struct gate *g, const struct notify_config *n)
{
	struct notify_outlet o = {
		.id = id_of(n->url, &n->where), .is_webhook = true, .host = host_of(n->url), .url = n->url, .events = events_of(a, n),
		.min = n->min, .every_ms = n->every_ms, .full = n->full, .is_signed = n->secret_from,
		.where = { n->where.file, n->where.line },
	};

	webhooks_state(g->shared.webhooks, n, &o);
	return o;
}

static struct notify_outlet syslog_of(const struct gate *g)
{
	static const struct bytes every[] = { BYTES_INIT("alert"), BYTES_INIT("access") };
	const struct site *s = g->site;
	const struct log_config *l = &s->config->log;
	struct log_remote_state state = { 0 };

	if (s->syslog)
		log_remote_state(s->syslog, &state);
	return (struct notify_outlet){
		.id = syslog_id, .host = l->syslog.to, .url = l->syslog.to, .events = { every, l->syslog.access ? 2 : 1 }, .full = true,
		.where = { s->config->file ? s->config->file : "", 0 }, .taken_ms = state.sent_ms, .failed_ms = state.failed_ms,
		.down = state.waiting && state.failed_ms >= state.sent_ms, .waiting = state.waiting,
		.dropped = s->syslog ? log_dropped(s->syslog) : 0,
	};
}

static const struct notify_outlet *hook_outlets(void *ctx, struct arena *a, size_t *n)
{
	const struct gate *g = ctx;
	const struct config *c = g->site->config;
	struct notify_outlet *at = arena_get(a, (c->nnotify + 1) * sizeof *at);

	*n = 0;
	for (size_t i = 0; at && i < c->nnotify; i++)
		at[(*n)++] = webhook_of(a, g, &c->notify[i]);
	if (at && c->log.syslog.to.len)
		at[(*n)++] = syslog_of(g);
	return at;
}

/* ---- a test ---- */

static void test_syslog(const struct site *s, struct bytes by, notify_told *told, void *arg)
{
	char line[SYSLOG_HEAD_MAX + 512];
	struct text t = text_over(line, sizeof line);

	syslog_head_put(&t, &(struct syslog_head){ .facility = s->config->log.syslog.facility, .severity = SYSLOG_NOTICE,
						   .wall_ms = clock_wall_ms(), .kind = "test" });
	if (s->syslog_style.format == EVENT_CEF) {
		text_printf(&t, "CEF:0|Embergate|embergate|" EMBERGATE_VERSION "|test|a test by %.*s|1|", BYTES_ARG(by));
	} else {
		text_str(&t, "{\"@timestamp\":\"");
		clock_rfc3339(&t, clock_wall_ms());
		text_printf(&t, "\",\"event\":{\"action\":\"test\"},\"message\":\"a test by %.*s\"}", BYTES_ARG(by));
	}
	if (log_line(s->syslog, text_bytes(&t)))
		told(arg, &(struct notify_tested){ 200, true, "the line is on its way; nobody confirms one of syslog" });
	else
		told(arg, &(struct notify_tested){ 200, false, "as many lines wait as may" });
}

static void hook_test(void *ctx, uint64_t id, struct bytes by, notify_told *told, void *arg)
{
	const struct gate *g = ctx;
	const struct config *c = g->site->config;

	for (size_t i = 0; i < c->nnotify; i++)
		if (id_of(c->notify[i].url, &c->notify[i].where) == id && webhooks_test(g->shared.webhooks, &c->notify[i], by, told, arg))
			return;
	if (id == syslog_id && g->site->syslog)
		test_syslog(g->site, by, told, arg);
	else
		told(arg, &(struct notify_tested){ 404, false, "there is no such receiver" });
}

const struct notify_hooks hooks_notify = { hook_outlets, hook_test };
