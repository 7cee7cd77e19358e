/* lapi_form_alert.c -- alerts, as agents and cscli send them and read them.
 *
 * What an agent sends is kept as it is, less the keys that are ours to say: they are put back when it is asked for. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include "cti/lapi_form.h"
#include <jansson.h>
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

static bool word(struct reading *r, const json_t *of, const char *key, size_t max, struct bytes *out)
{
	const json_t *v = json_object_get(of, key);
	struct bytes b = { json_string_value(v), json_string_length(v) };

	if (!b.at || b.len > max)
		return false;
	*out = arena_copy(r->arena, b);
	return out->at != NULL;
}

/* All that is missing at once, as CrowdSec says it. */
static bool has_all(struct reading *r, const json_t *alert)
{
	struct text t = text_over(r->why->text, sizeof r->why->text - 1);
	bool all = true;

	text_str(&t, "validation failure list:");
	for (size_t k = 0; k < nelems(required); k++)
		if (!json_object_get(alert, required[k])) {
			text_printf(&t, "\n%zu.%s in body is required", r->i, required[k]);
			all = false;
		}
	r->why->text[t.len] = '\0';
	r->why->status = 500;
	return all;
}

/* ---- decisions ---- */

static bool read_duration(struct reading *r, const json_t *v, uint64_t *until_ms)
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

static bool read_decision(struct reading *r, const json_t *v, struct decision *d)
{
	struct bytes scope, type;

	*d = (struct decision){ .made_ms = r->now_ms, .simulated = json_is_true(json_object_get(v, "simulated")) };
	if (!word(r, v, "scope", LAPI_WORD_MAX, &scope) || !word(r, v, "value", LAPI_WORD_MAX, &d->value) ||
	    !word(r, v, "type", LAPI_WORD_MAX, &type) || !word(r, v, "origin", LAPI_WORD_MAX, &d->origin) ||
	    !word(r, v, "scenario", LAPI_WORD_MAX, &d->reason))
		return fail_field(r, "decisions: origin, scenario, scope, type and value in body are required, of at most 255 bytes");
	d->scope = scope_from_word(scope);
	d->id = json_integer_value(json_object_get(v, "id")) > 0 ? (uint64_t)json_integer_value(json_object_get(v, "id")) : 0;
	if (!lapi_remedy(type, &d->remedy))
		d->remedy = r->other;
	return read_duration(r, v, &d->until_ms);
}

static bool read_decisions(struct reading *r, const json_t *list, struct alert *a)
{
	struct decision *all;

	if (!list || json_is_null(list) || (json_is_array(list) && !json_array_size(list)))
		return true;
	if (!json_is_array(list))
		return fail(r, 400, "json: cannot unmarshal object into Go struct field Alert.decisions of type []*models.Decision");
	a->ndecisions = json_array_size(list);
	if (a->ndecisions > ALERT_DECISIONS_MAX)
		return fail_field(r, "decisions: more than 100 of one alert");
	all = arena_get(r->arena, a->ndecisions * sizeof *all);
	if (!all)
		return fail(r, 500, "out of memory");
	for (size_t i = 0; i < a->ndecisions; i++)
		if (!read_decision(r, json_array_get(list, i), &all[i]))
			return false;
	a->decisions = all;
	return true;
}

/* ---- an alert ---- */

static bool read_times(struct reading *r, const json_t *v, struct alert *a)
{
	struct bytes start, stop;

	if (!word(r, v, "start_at", 64, &start) || !lapi_time(start, &a->first_ms))
		return fail(r, 500, "start_at field time: unable to parse time");
	if (!word(r, v, "stop_at", 64, &stop) || !lapi_time(stop, &a->last_ms))
		return fail(r, 500, "stop_at field time: unable to parse time");
	return true;
}

static bool read_fields(struct reading *r, const json_t *v, struct alert *a)
{
	const json_t *source = json_object_get(v, "source"), *events = json_object_get(v, "events_count");
	struct bytes scope;

	if (!word(r, v, "scenario", LAPI_WORD_MAX, &a->scenario) || !word(r, v, "message", 4096, &a->message))
		return fail_field(r, "scenario and message in body: texts, of at most 255 and 4096 bytes");
	if (!word(r, source, "scope", LAPI_WORD_MAX, &scope))
		return fail_field(r, "source.scope in body is required");
	if (!word(r, source, "value", LAPI_WORD_MAX, &a->value))
		return fail_field(r, "source.value in body is required");
	if (!json_is_integer(events) || json_integer_value(events) < 0 || json_integer_value(events) > INT32_MAX)
		return fail_field(r, "events_count in body: a whole number");
	a->scope = scope_from_word(scope);
	a->events = (uint32_t)json_integer_value(events);
	a->simulated = json_is_true(json_object_get(v, "simulated"));
	return read_times(r, v, a);
}

static struct bytes dumped(struct arena *arena, const json_t *v, size_t max)
{
	size_t n = json_dumpb(v, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS);
	char *room = n && n <= max ? arena_raw(arena, n) : NULL;

	if (room)
		json_dumpb(v, room, n, JSON_COMPACT | JSON_SORT_KEYS);
	return (struct bytes){ room, room ? n : 0 };
}

static bool read_alert(struct reading *r, json_t *v, struct alert *a)
{
	*a = (struct alert){ .made_ms = r->now_ms };
	if (!json_is_object(v))
		return fail(r, 400, "json: cannot unmarshal value into Go value of type models.Alert");
	if (!has_all(r, v) || !read_fields(r, v, a) || !read_decisions(r, json_object_get(v, "decisions"), a))
		return false;
	for (size_t k = 0; k < nelems(ours); k++)
		json_object_del(v, ours[k]);
	a->body = dumped(r->arena, v, ALERT_BODY_MAX);
	return a->body.at || fail(r, 413, "an alert is larger than 256 KiB");
}

static struct alert *read_all(struct reading *r, json_t *list, size_t *n)
{
	struct alert *all;

	if (!json_is_array(list)) {
		fail(r, 400, "json: cannot unmarshal object into Go value of type models.AddAlertsRequest");
		return NULL;
	}
	*n = json_array_size(list);
	if (*n > LAPI_ALERTS_MAX) {
		fail(r, 413, "more than 500 alerts at once");
		return NULL;
	}
	all = arena_get(r->arena, (*n + 1) * sizeof *all);
	if (!all)
		fail(r, 500, "out of memory");
	for (r->i = 0; all && r->i < *n; r->i++)
		if (!read_alert(r, json_array_get(list, r->i), &all[r->i]))
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
	all = read_all(&r, (json_t *)doc, n);
	json_free(doc);
	return all;
}

/* ---- writing ---- */

static json_t *text_of(struct bytes b)
{
	json_t *v = json_stringn(b.at ? b.at : "", b.len);

	return v ? v : json_string("?"); /* no UTF-8 */
}

static void put_time(json_t *o, const char *key, uint64_t ms)
{
	char room[40];
	struct text t = text_over(room, sizeof room);

	clock_rfc3339(&t, ms);
	json_object_set_new(o, key, text_of(text_bytes(&t)));
}

static json_t *decision_of(const struct decision *d, uint64_t now_ms)
{
	json_t *o = json_object();
	char room[40];
	struct text t = text_over(room, sizeof room);
	const char *type = lapi_type(d->remedy);

	lapi_duration(&t, (int64_t)(d->until_ms - now_ms));
	json_object_set_new(o, "duration", text_of(text_bytes(&t)));
	json_object_set_new(o, "id", json_integer((json_int_t)d->id));
	json_object_set_new(o, "origin", text_of(d->origin));
	json_object_set_new(o, "scenario", text_of(d->reason));
	json_object_set_new(o, "scope", json_string(scope_word(d->scope)));
	json_object_set_new(o, "simulated", json_boolean(d->simulated));
	json_object_set_new(o, "type", json_string(type ? type : remedy_word(d->remedy)));
	json_object_set_new(o, "value", text_of(d->value));
	return o;
}

/* This gate's own, in the form of an agent's. */
static json_t *body_of(const struct alert *a)
{
	json_t *o = json_object(), *source = json_object();

	json_object_set_new(o, "capacity", json_integer(0));
	json_object_set_new(o, "events", json_null());
	json_object_set_new(o, "events_count", json_integer(a->events));
	json_object_set_new(o, "labels", json_null());
	json_object_set_new(o, "leakspeed", json_string("0"));
	json_object_set_new(o, "message", text_of(a->message));
	json_object_set_new(o, "scenario", text_of(a->scenario));
	json_object_set_new(o, "scenario_hash", json_string(""));
	json_object_set_new(o, "scenario_version", json_string(""));
	json_object_set_new(o, "simulated", json_boolean(a->simulated));
	if (a->scope == SCOPE_IP)
		json_object_set_new(source, "ip", text_of(a->value));
	json_object_set_new(source, "scope", json_string(scope_word(a->scope)));
	json_object_set_new(source, "value", text_of(a->value));
	json_object_set_new(o, "source", source);
	put_time(o, "start_at", a->first_ms);
	put_time(o, "stop_at", a->last_ms);
	return o;
}

struct bytes lapi_alert(struct arena *arena, const struct alert *a, uint64_t now_ms)
{
	json_t *o = a->body.len ? json_loadb(a->body.at, a->body.len, 0, NULL) : body_of(a);
	json_t *decisions = a->ndecisions ? json_array() : json_null();
	struct bytes out;

	if (!o)
		o = body_of(a); /* what was kept is damaged */
	put_time(o, "created_at", a->made_ms);
	for (size_t i = 0; i < a->ndecisions; i++)
		json_array_append_new(decisions, decision_of(&a->decisions[i], now_ms));
	json_object_set_new(o, "decisions", decisions);
	json_object_set_new(o, "id", json_integer((json_int_t)a->id));
	json_object_set_new(o, "machine_id", text_of(a->machine.len ? a->machine : BYTES("embergate")));
	out = dumped(arena, o, SIZE_MAX);
	json_decref(o);
	return out;
}
