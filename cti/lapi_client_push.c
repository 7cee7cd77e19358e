/* lapi_client_push.c -- alerts to another local API: logged in as a machine, a batch at a time, in the order they were made.
 *
 * What cannot be reached is tried for ever, and the queue is bounded. What is refused is tried one by one, so that one alert
 * that the API does not take costs no other. */
#include "base/json.h"
#include "cti/lapi_client_parts.h"

enum {
	QUEUE_MAX = 1000, BATCH_MAX = 50,
	ALERT_LINE_MAX = 4096,     /* of an alert */
	GATHER_MS = 500,
	ANSWER_MAX = 256 << 10,
	URL_MAX = 2048,
};

static void send_next(void *owner);

static void send_after(struct lapi_client *c, uint32_t ms)
{
	if (c->push.first && !c->closed)
		deadline_set(c->loop, &c->push.due, ms, send_next, c);
}

/* ---- the form ---- */

static void put_member(struct text *t, const char *name, struct bytes value)
{
	text_printf(t, "\"%s\":", name);
	text_json(t, value);
	text_byte(t, ',');
}

static void put_time(struct text *t, const char *name, uint64_t wall_ms)
{
	text_printf(t, "\"%s\":\"", name);
	clock_rfc3339(t, wall_ms);
	text_str(t, "\",");
}

static void put_message(struct text *t, const struct alert *a, bool full)
{
	char room[512];
	struct text own = text_over(room, sizeof room);

	text_printf(&own, "%s %.*s performed '%.*s' (%u events)", scope_word(a->scope), BYTES_ARG(bytes_sub(a->value, 0, 64)),
		    BYTES_ARG(bytes_sub(a->scenario, 0, 255)), a->events);
	put_member(t, "message", full && a->message.len ? bytes_sub(a->message, 0, 1024) : text_bytes(&own));
}

/* No decisions: what it is worth there its own profiles say. */
static void put_alert(struct text *t, const struct alert *a, bool full)
{
	text_byte(t, '{');
	put_member(t, "scenario", a->scenario);
	put_message(t, a, full);
	put_time(t, "created_at", a->made_ms);
	put_time(t, "start_at", a->first_ms ? a->first_ms : a->made_ms);
	put_time(t, "stop_at", a->last_ms ? a->last_ms : a->made_ms);
	text_printf(t, "\"events_count\":%u,\"capacity\":0,\"leakspeed\":\"0s\",\"scenario_hash\":\"\",\"scenario_version\":\"\",",
		    a->events);
	text_printf(t, "\"simulated\":%s,\"remediation\":%s,\"events\":[],\"decisions\":null,\"labels\":null,\"source\":{",
		    a->simulated ? "true" : "false", a->simulated ? "false" : "true");
	if (a->scope == SCOPE_IP || a->scope == SCOPE_RANGE)
		put_member(t, a->scope == SCOPE_IP ? "ip" : "range", a->value);
	put_member(t, "scope", bytes_of(scope_word(a->scope)));
	text_str(t, "\"value\":");
	text_json(t, a->value);
	text_str(t, "}}");
}

void lapi_client_push(struct lapi_client *c, const struct alert *a)
{
	struct lapi_push *p = &c->push;
	char room[ALERT_LINE_MAX];
	struct text t = text_over(room, sizeof room);
	struct lapi_line *line;

	if (!c->config.machine.len || c->closed || a->scope > SCOPE_COUNTRY)
		return;
	put_alert(&t, a, c->config.full);
	line = t.full || p->nqueued == QUEUE_MAX ? NULL : malloc(sizeof *line + t.len);
	if (!line) {
		c->counts.dropped++;
		return;
	}
	*line = (struct lapi_line){ NULL, t.len };
	memcpy(line->text, t.at, t.len);
	*p->last = line;
	p->last = &line->next;
	if (!p->nqueued++ && !p->asking)
		send_after(c, GATHER_MS);
}

/* ---- sending ---- */

static void drop_first(struct lapi_push *p, size_t n)
{
	while (n-- && p->first) {
		struct lapi_line *line = p->first;

		p->first = line->next;
		p->nqueued--;
		free(line);
	}
	if (!p->first)
		p->last = &p->first;
	p->tries = 0;
}

static void push_failed(struct lapi_client *c, const char *why)
{
	send_after(c, lapi_trouble_begins(c, &c->push.trouble, "it cannot be told", why));
}

static void ask(struct lapi_client *c, const char *path, struct bytes body, fetch_told *told)
{
	const struct field fields[] = { { BYTES("User-Agent"), BYTES(LAPI_AGENT), FIELD_USER_AGENT, false },
					{ BYTES("Authorization"), bytes_of(c->push.token), FIELD_OTHER, false } };
	char room[URL_MAX];
	struct text url = text_over(room, sizeof room);
	struct fetch_request q = { .url = lapi_client_url(c, &url, path), .fields = fields, .nfields = c->push.token[0] ? 2 : 1,
				   .content_type = BYTES("application/json"), .body = body, .body_max = ANSWER_MAX };

	q.url = text_bytes(&url);
	c->push.asking = fetch_whole(c->fetcher, c->loop, &q, told, c);
	if (!c->push.asking)
		push_failed(c, "out of memory");
}

/* False: its answer holds none. */
static bool keep_token(struct lapi_push *p, struct bytes answer)
{
	static const struct json_limits limits = { LAPI_TOKEN_MAX * 2, 4 };
	struct json *j = json_read(answer, &limits, NULL);
	struct bytes token;
	bool good = j && json_text(j, "token", &token) && token.len && token.len < sizeof p->token - sizeof "Bearer ";

	for (size_t i = 0; good && i < token.len; i++)
		good = token.at[i] > ' ' && token.at[i] < 0x7f;
	p->fresh = good;
	if (good)
		snprintf(p->token, sizeof p->token, "Bearer %.*s", BYTES_ARG(token));
	json_free(j);
	return good;
}

static void logged_in(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	struct lapi_client *c = owner;
	char why[64];

	c->push.asking = NULL;
	if (failed) {
		push_failed(c, failed->text);
	} else if (a->status != 200) {
		snprintf(why, sizeof why, a->status == 401 || a->status == 403 ? "it does not let the machine in (%u)" : "its login answers %u",
			 a->status);
		push_failed(c, why);
	} else if (!keep_token(&c->push, a->body)) {
		push_failed(c, "its login answers no token");
	} else {
		send_after(c, 0);
	}
}

static void log_in(struct lapi_client *c)
{
	char room[ALERT_LINE_MAX];
	struct text t = text_over(room, sizeof room);

	text_byte(&t, '{');
	put_member(&t, "machine_id", c->config.machine);
	put_member(&t, "password", c->config.password);
	text_str(&t, "\"scenarios\":[]}");
	ask(c, "/v1/watchers/login", text_bytes(&t), logged_in);
}

/* One of them it does not take: each goes alone, and the one is dropped. */
static void refused(struct lapi_client *c, unsigned status)
{
	struct lapi_push *p = &c->push;
	char why[64];

	if (p->nsent > 1)
		p->single = p->nsent;
	else if ((status < 500 && status != 429) || ++p->tries >= LAPI_TRIES_MAX) {
		drop_first(p, 1);
		c->counts.dropped++;
		p->single -= p->single > 0;
	}
	snprintf(why, sizeof why, "it refuses alerts (%u)", status);
	push_failed(c, why);
}

static void alerts_told(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	struct lapi_client *c = owner;
	struct lapi_push *p = &c->push;

	p->asking = NULL;
	if (!failed && a->status != 401)
		p->fresh = false;
	if (failed) {
		push_failed(c, failed->text);
	} else if (a->status == 401) { /* the token is over: it lives an hour */
		p->token[0] = '\0';
		if (p->fresh)
			push_failed(c, "it does not take its own token");
		else
			send_after(c, 0);
	} else if (a->status / 100 != 2) {
		refused(c, a->status);
	} else {
		lapi_trouble_ends(c, &p->trouble, "it is told");
		drop_first(p, p->nsent);
		p->single -= p->single > p->nsent ? p->nsent : p->single;
		c->counts.pushed += p->nsent;
		send_after(c, p->nqueued >= BATCH_MAX || p->single ? 0 : GATHER_MS);
	}
}

static void send_batch(struct lapi_client *c)
{
	enum { ROOM = BATCH_MAX * (ALERT_LINE_MAX + 1) + 2 };
	char *room = malloc(ROOM);
	struct text t = text_over(room, room ? ROOM : 0);
	struct lapi_push *p = &c->push;
	size_t most = p->single ? 1 : BATCH_MAX;

	p->nsent = 0;
	text_byte(&t, '[');
	for (const struct lapi_line *line = p->first; line && p->nsent < most; line = line->next) {
		if (p->nsent++)
			text_byte(&t, ',');
		text_put(&t, (struct bytes){ line->text, line->len });
	}
	text_byte(&t, ']');
	if (room)
		ask(c, "/v1/alerts", text_bytes(&t), alerts_told);
	else
		push_failed(c, "out of memory");
	free(room);
}

static void send_next(void *owner)
{
	struct lapi_client *c = owner;

	if (c->push.asking || !c->push.first)
		return;
	if (c->push.token[0])
		send_batch(c);
	else
		log_in(c);
}

void lapi_push_open(struct lapi_client *c)
{
	c->push.last = &c->push.first;
}

void lapi_push_close(struct lapi_client *c)
{
	deadline_clear(&c->push.due);
	if (c->push.asking)
		fetch_cancel(c->push.asking);
	c->counts.dropped += c->push.nqueued;
	drop_first(&c->push, c->push.nqueued);
}
