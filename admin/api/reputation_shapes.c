/* reputation_shapes.c -- what is known of addresses and of who tells it, as JSON. */
#include "admin/api/reputation_shapes.h"

const char *const scope_words[] = { "Ip", "Range", "AS", "Country", "Session", "Username", NULL };
const char *const remedy_words[] = { "allow", "log", "throttle", "challenge", "captcha", "tarpit", "deny", NULL };
_Static_assert(REMEDY_COUNT == 7 && SCOPE_OTHER == 6, "a word for each");

/* ---- a decision ---- */

static const struct api_field decision_fields[] = {
	{ "id", API_TEXT, .help = "unique among gates" },
	{ "scope", API_TEXT, .help = "Ip, Range, AS, Country, Session, Username" },
	{ "value", API_TEXT, .help = "of that scope; sessions and users are keyed hashes" },
	{ "remedy", API_TEXT, .words = remedy_words, .help = "what becomes of a request" },
	{ "reason", API_TEXT, .help = "a scenario's name, or words" },
	{ "origin", API_TEXT, .help = "who says so: embergate, manual, cscli, lists:NAME, crowdsec:..." },
	{ "node", API_INT, .help = "number of the gate that made it" },
	{ "made", API_TIME, .help = "when it was decided" },
	{ "until", API_TIME, .help = "when it is over" },
	{ "simulated", API_FLAG, .help = "it is told, not enforced" },
	{ "hearsay", API_FLAG, .help = "no gate of this installation saw it" },
};
const struct api_shape decision_shape = API_SHAPE("Decision", decision_fields);

void decision_out(struct json_out *o, const struct decision *d)
{
	out_object(o, NULL);
	out_id(o, "id", d->id);
	out_str(o, "scope", scope_word(d->scope));
	out_text(o, "value", d->value);
	out_str(o, "remedy", remedy_word(d->remedy));
	out_text(o, "reason", d->reason.at ? d->reason : BYTES(""));
	out_text(o, "origin", d->origin.at ? d->origin : BYTES(""));
	out_int(o, "node", d->node);
	out_time(o, "made", d->made_ms);
	out_time(o, "until", d->until_ms);
	out_flag(o, "simulated", d->simulated);
	out_flag(o, "hearsay", d->hearsay);
	out_end(o);
}

/* ---- an alert ---- */

static const struct api_field alert_fields[] = {
	{ "id", API_TEXT, .help = "counted by this gate" },
	{ "time", API_TIME, .help = "when" },
	{ "scenario", API_TEXT, .help = "its name" },
	{ "scope", API_TEXT, .help = "of its source" },
	{ "value", API_TEXT, .help = "its source" },
	{ "origin", API_TEXT, .help = "the machine that told it; embergate: this gate" },
	{ "count", API_INT, .help = "events" },
	{ "decisions", API_INT, .help = "that it led to" },
	{ "remedy", API_TEXT, .optional = true, .help = "of the first of them" },
	{ "simulated", API_FLAG, .help = "it is told, not enforced" },
};
const struct api_shape alert_shape = API_SHAPE("Alert", alert_fields);

void alert_out(struct json_out *o, const struct alert *a)
{
	out_object(o, NULL);
	out_id(o, "id", a->id);
	out_time(o, "time", a->made_ms);
	out_text(o, "scenario", a->scenario);
	out_str(o, "scope", scope_word(a->scope));
	out_text(o, "value", a->value);
	out_text(o, "origin", a->machine.len ? a->machine : BYTES("embergate"));
	out_int(o, "count", a->events);
	out_int(o, "decisions", (int64_t)a->ndecisions);
	out_str(o, "remedy", a->ndecisions ? remedy_word(a->decisions[0].remedy) : NULL);
	out_flag(o, "simulated", a->simulated);
	out_end(o);
}

/* ---- a list ---- */

static const struct api_field list_fields[] = {
	{ "name", API_TEXT, .help = "as it is configured" },
	{ "source", API_TEXT, .help = "file or URL" },
	{ "remedy", API_TEXT, .words = remedy_words, .help = "of who is in it" },
	{ "entries", API_INT, .help = "addresses and blocks" },
	{ "bytes", API_INT, .help = "of memory" },
	{ "skipped", API_INT, .help = "lines that hold no address" },
	{ "left_out", API_INT, .help = "entries that are too wide, spared, or nobody's" },
	{ "updated", API_TIME, .optional = true, .help = "when what is held was read" },
	{ "confirmed", API_TIME, .optional = true, .help = "when its source last said that it is so" },
	{ "age_s", API_INT, .optional = true, .help = "since then" },
	{ "error", API_TEXT, .optional = true, .help = "why the last attempt failed" },
};
const struct api_shape list_shape = API_SHAPE("ReputationList", list_fields);

void list_out(struct json_out *o, const struct list_status *l, uint64_t now_ms)
{
	out_object(o, NULL);
	out_str(o, "name", l->name);
	out_str(o, "source", l->source);
	out_str(o, "remedy", remedy_word(l->act));
	out_int(o, "entries", (int64_t)l->entries);
	out_int(o, "bytes", (int64_t)l->bytes);
	out_int(o, "skipped", (int64_t)l->skipped);
	out_int(o, "left_out", (int64_t)l->left_out);
	out_time(o, "updated", l->read_ms);
	out_time(o, "confirmed", l->confirmed_ms);
	if (l->confirmed_ms)
		out_int(o, "age_s", now_ms > l->confirmed_ms ? (int64_t)(now_ms - l->confirmed_ms) / 1000 : 0);
	out_str(o, "error", l->trouble[0] ? l->trouble : NULL);
	out_end(o);
}

/* ---- a gate of the cluster ---- */

static const struct api_field node_fields[] = {
	{ "name", API_TEXT, .help = "as it is configured" },
	{ "number", API_INT, .help = "in ids" },
	{ "version", API_TEXT, .help = "of its program" },
	{ "config_hash", API_TEXT, .help = "another than that of this gate: it has another configuration" },
	{ "lag_ms", API_INT, .help = "how far behind the stream it said it is" },
	{ "skew_ms", API_INT, .help = "of its clock, as far as can be told" },
	{ "seen", API_TIME, .help = "its last heartbeat" },
	{ "up", API_FLAG, .help = "heard of within 15 seconds" },
	{ "self", API_FLAG, .help = "the one that answers" },
};
const struct api_shape node_shape = API_SHAPE("Node", node_fields);

void node_out(struct json_out *o, const struct share_node *n)
{
	char hash[17];

	snprintf(hash, sizeof hash, "%016llx", (unsigned long long)n->config_hash);
	out_object(o, NULL);
	out_str(o, "name", n->name);
	out_int(o, "number", n->node);
	out_str(o, "version", n->version);
	out_str(o, "config_hash", hash);
	out_int(o, "lag_ms", n->lag_ms);
	out_int(o, "skew_ms", n->skew_ms);
	out_time(o, "seen", n->seen_ms);
	out_flag(o, "up", n->up);
	out_flag(o, "self", n->self);
	out_end(o);
}
