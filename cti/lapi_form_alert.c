/* lapi_form_alert.c -- alerts, as agents and cscli send them and read them.
 *
 * What an agent sends is kept as it is, less the keys that are ours to say: they are put back when it is asked for. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/json_edit.h"
#include "cti/lapi_form.h"
#include <stdio.h>

static const char *const required[] = { "capacity", "events", "events_count", "leakspeed", "message", "scenario", "scenario_hash",
					"scenario_version", "simulated", "source", "start_at", "stop_at" };
static const char *const ours[] = { "created_at", "decisions", "id", "machine_id", "uuid" };

struct reading {
	struct arena *arena;
	uint64_t now_ms;
	enum remedy_kind other;
	struct lapi_error *why;
	struct text text; /* of why */
	size_t i;         /* of the alert */
};

static bool fail(struct reading *r, unsigned status, const char *what)
{
	r->why->status = status;
	snprintf(r->why->text, sizeof r->why->text, "%s", what);
	return false;
}

static bool fail_field(struct reading *r, const char *what)
{
	char text[200];

	snprintf(text, sizeof text, "validation failure list:\n%zu.%s", r->i, what);
	return fail(r, 500, text);
}

static bool word(struct reading *r, const struct json *of, const char *key, size_t max, struct bytes *out)
{
	struct bytes b;

	if (!json_text(of, key, &b) || b.len > max)
		return false;
	*out = arena_copy(r->arena, b);
	return out->at != NULL;
}

/* All that is missing at once, as CrowdSec says it. */
static bool has_all(struct reading *r, const struct json *alert)
{
	struct text t = text_over(r->why->text, sizeof r->why->text - 1);
	bool all = true;

	text_str(&t, "validation failure list:");
	for (size_t k = 0; k < nelems(required); k++)
		if (!json_at(alert, required[k])) {
			text_printf(&t, "\n%zu.%s in body is required", r->i, required[k]);
			all = false;
		}
	r->why->text[t.len] = '\0';
	r->why->status = 500;
	return all;
}

/* ---- decisions ---- */

static bool read_duration(struct reading *r, const struct json *v, uint64_t *until_ms)
{
	struct bytes b;
	uint64_t us;

	if (!word(r, v, "duration", 64, &b))
		return fail_field(r, "decisions.duration in body is required");
	if (b.len && b.at[0] == '-') { /* one that is over already */
		*until_ms = r->now_ms;
		return true;
	}
	if (!duration_parse(b, &us))
		return fail_field(r, "decisions.duration: time: invalid duration");
	*until_ms = r->now_ms + (us + 999999) / 1000000 * 1000;
	return true;
}

static bool read_decision(struct reading *r, const struct json *v, struct decision *d)
{
	struct bytes scope, type;
	int64_t id;

	*d = (struct decision){ .made_ms = r->now_ms };
	json_flag(v, "simulated", &d->simulated);
	if (!word(r, v, "scope", LAPI_WORD_MAX, &scope) || !word(r, v, "value", LAPI_WORD_MAX, &d->value) ||
	    !word(r, v, "type", LAPI_WORD_MAX, &type) || !word(r, v, "origin", LAPI_WORD_MAX, &d->origin) ||
	    !word(r, v, "scenario", LAPI_WORD_MAX, &d->reason))
		return fail_field(r, "decisions: origin, scenario, scope, type and value in body are required, of at most 255 bytes");
	d->scope = scope_from_word(scope);
	d->id = json_number(v, "id", &id) && id > 0 ? (uint64_t)id : 0;
	if (!lapi_remedy(type, &d->remedy))
		d->remedy = r->other;
	return read_duration(r, v, &d->until_ms);
}

static bool read_decisions(struct reading *r, const struct json *list, struct alert *a)
{
	struct decision *all;

	if (!list || json_of_null(list))
		return true;
	if (!json_of_list(list))
		return fail(r, 400, "json: cannot unmarshal object into Go struct field Alert.decisions of type []*models.Decision");
	a->ndecisions = json_length(list, "");
	if (!a->ndecisions)
		return true;
	if (a->ndecisions > ALERT_DECISIONS_MAX)
		return fail_field(r, "decisions: more than 100 of one alert");
	all = arena_get(r->arena, a->ndecisions * sizeof *all);
	if (!all)
		return fail(r, 500, "out of memory");
	for (size_t i = 0; i < a->ndecisions; i++)
		if (!read_decision(r, json_item(list, i), &all[i]))
			return false;
	a->decisions = all;
	return true;
}

/* ---- an alert ---- */

static bool read_times(struct reading *r, const struct json *v, struct alert *a)
{
	struct bytes start, stop;

	if (!word(r, v, "start_at", 64, &start) || !clock_read(start, &a->first_ms))
		return fail(r, 500, "start_at field time: unable to parse time");
	if (!word(r, v, "stop_at", 64, &stop) || !clock_read(stop, &a->last_ms))
		return fail(r, 500, "stop_at field time: unable to parse time");
	return true;
}

static bool read_fields(struct reading *r, const struct json *v, struct alert *a)
{
	struct bytes scope;
	int64_t events;

	if (!word(r, v, "scenario", LAPI_WORD_MAX, &a->scenario) || !word(r, v, "message", 4096, &a->message))
		return fail_field(r, "scenario and message in body: texts, of at most 255 and 4096 bytes");
	if (!word(r, v, "source.scope", LAPI_WORD_MAX, &scope))
		return fail_field(r, "source.scope in body is required");
	if (!word(r, v, "source.value", LAPI_WORD_MAX, &a->value))
		return fail_field(r, "source.value in body is required");
	if (!json_number(v, "events_count", &events) || events < 0 || events > INT32_MAX)
		return fail_field(r, "events_count in body: a whole number");
	a->scope = scope_from_word(scope);
	a->events = (uint32_t)events;
	json_flag(v, "simulated", &a->simulated);
	return read_times(r, v, a);
}

static bool read_alert(struct reading *r, struct json *v, struct alert *a)
{
	*a = (struct alert){ .made_ms = r->now_ms };
	if (!json_of_object(v))
		return fail(r, 400, "json: cannot unmarshal value into Go value of type models.Alert");
	if (!has_all(r, v) || !read_fields(r, v, a) || !read_decisions(r, json_at(v, "decisions"), a))
		return false;
	for (size_t k = 0; k < nelems(ours); k++)
		json_drop(v, ours[k]);
	a->body = json_print(v, r->arena, ALERT_BODY_MAX);
	return a->body.at || fail(r, 413, "an alert is larger than 256 KiB");
}

static struct alert *read_all(struct reading *r, const struct json *list, size_t *n)
{
	struct alert *all;

	if (!json_of_list(list)) {
		fail(r, 400, "json: cannot unmarshal object into Go value of type models.AddAlertsRequest");
		return NULL;
	}
	*n = json_length(list, "");
	if (*n > LAPI_ALERTS_MAX) {
		fail(r, 413, "more than 500 alerts at once");
		return NULL;
	}
	all = arena_get(r->arena, (*n + 1) * sizeof *all);
	if (!all)
		fail(r, 500, "out of memory");
	for (r->i = 0; all && r->i < *n; r->i++)
		if (!read_alert(r, json_edit(json_item(list, r->i)), &all[r->i]))
			return NULL;
	return all;
}

struct alert *lapi_alerts_read(struct arena *arena, struct bytes json, uint64_t now_ms, enum remedy_kind other, size_t *n,
			       struct lapi_error *why)
{
	struct reading r = { .arena = arena, .now_ms = now_ms, .other = other, .why = why };
	struct json_limits limits = { LAPI_BODY_MAX, LAPI_DEPTH_MAX };
	struct err e = { 0 };
	struct json *doc = json_read(json, &limits, &e);
	struct alert *all;

	if (!doc) {
		fail(&r, 400, e.text);
		return NULL;
	}
	all = read_all(&r, doc, n);
	json_free(doc);
	return all;
}

/* ---- writing ---- */

enum { ROOM = 1 << 20 }; /* a hundred decisions of the longest texts, each byte escaped, are half of it */

static void put_time(struct text *t, uint64_t ms)
{
	text_byte(t, '"');
	clock_rfc3339(t, ms);
	text_byte(t, '"');
}

static void put_key(struct text *t, const char *key, struct bytes value)
{
	text_printf(t, ",\"%s\":", key);
	text_json(t, value);
}

/* This gate's own, in the form of an agent's. */
static void put_body(struct text *t, const struct alert *a)
{
	text_printf(t, "{\"capacity\":0,\"events\":null,\"events_count\":%u,\"labels\":null,\"leakspeed\":\"0\"", a->events);
	put_key(t, "message", a->message);
	put_key(t, "scenario", a->scenario);
	text_printf(t, ",\"scenario_hash\":\"\",\"scenario_version\":\"\",\"simulated\":%s,\"source\":{\"scope\":\"%s\"",
		    a->simulated ? "true" : "false", scope_word(a->scope));
	if (a->scope == SCOPE_IP)
		put_key(t, "ip", a->value);
	put_key(t, "value", a->value);
	text_str(t, "},\"start_at\":");
	put_time(t, a->first_ms);
	text_str(t, ",\"stop_at\":");
	put_time(t, a->last_ms);
	text_byte(t, '}');
}

static void put_decisions(struct text *t, const struct alert *a, uint64_t now_ms)
{
	text_str(t, a->ndecisions ? "" : "null");
	for (size_t i = 0; i < a->ndecisions; i++) {
		text_byte(t, i ? ',' : '[');
		lapi_decision(t, &a->decisions[i], now_ms, 0);
		t->len -= t->len > 0; /* its '}': one of an alert has a key more */
		text_printf(t, ",\"simulated\":%s}", a->decisions[i].simulated ? "true" : "false");
	}
	text_str(t, a->ndecisions ? "]" : "");
}

static bool put(struct json *doc, const char *key, struct text *t)
{
	bool good = !t->full && json_put(doc, key, text_bytes(t));

	t->len = 0;
	return good;
}

static struct json *document(const struct alert *a, struct text *t)
{
	struct json_limits limits = { ROOM, LAPI_DEPTH_MAX };
	struct err e = { 0 };
	struct json *doc = a->body.len ? json_read(a->body, &limits, &e) : NULL;

	if (doc)
		return doc;
	put_body(t, a); /* the gate's own, or what was kept is damaged */
	doc = t->full ? NULL : json_read(text_bytes(t), &limits, &e);
	t->len = 0;
	return doc;
}

/* What is ours to say is said last. */
static bool complete(struct json *doc, const struct alert *a, uint64_t now_ms, struct text *t)
{
	put_time(t, a->made_ms);
	if (!put(doc, "created_at", t))
		return false;
	put_decisions(t, a, now_ms);
	if (!put(doc, "decisions", t))
		return false;
	text_u64(t, a->id);
	if (!put(doc, "id", t))
		return false;
	text_json(t, a->machine.len ? a->machine : BYTES("embergate"));
	return put(doc, "machine_id", t);
}

struct bytes lapi_alert(struct arena *arena, const struct alert *a, uint64_t now_ms)
{
	char *room = arena_raw(arena, ROOM);
	struct text t = text_over(room, room ? ROOM : 0);
	struct json *doc = room ? document(a, &t) : NULL;
	struct bytes out = { NULL, 0 };

	if (doc && complete(doc, a, now_ms, &t))
		out = json_print(doc, arena, SIZE_MAX);
	json_free(doc);
	return out;
}
