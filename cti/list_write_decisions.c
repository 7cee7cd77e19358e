/* list_write_decisions.c -- whole decisions as CrowdSec's tools read them, and records of such lists as decisions. */
#include "cti/list_write_parts.h"
#include "base/duration.h"

enum { TEXT_MAX = 512, DEFAULT_MS = 4 * 3600 * 1000 };
static const uint64_t longest_ms = (uint64_t)3650 * 86400 * 1000; /* what has no end is written so */

/* CrowdSec's word for deny. */
static const char *type_word(enum remedy_kind r)
{
	return r == REMEDY_DENY ? "ban" : remedy_word(r);
}

static bool type_from_word(struct bytes word, enum remedy_kind *out)
{
	*out = REMEDY_DENY;
	return !word.len || bytes_eq_nocase(word, BYTES("ban")) || remedy_from_word(word, out);
}

/* A reader of lines must find it in one: control characters are blanks. */
static void put_csv(struct text *t, struct bytes b)
{
	text_byte(t, '"');
	for (size_t i = 0; i < b.len && i < TEXT_MAX; i++) {
		if (b.at[i] == '"')
			text_byte(t, '"');
		text_byte(t, (unsigned char)b.at[i] < ' ' ? ' ' : b.at[i]);
	}
	text_byte(t, '"');
}

static void put_member(struct text *t, const char *name, struct bytes value, bool json, bool last)
{
	if (json) {
		text_printf(t, "\"%s\":", name);
		text_json(t, bytes_sub(value, 0, TEXT_MAX));
	} else {
		put_csv(t, value);
	}
	text_str(t, last ? json ? "}" : "\n" : ",");
}

static bool put(void *ctx, const struct decision *d)
{
	struct list_text *l = ctx;
	bool json = l->form == LIST_AS_JSON;
	struct text *t = list_text_room(l), left;
	char room[64];

	if (d->simulated || d->until_ms <= l->now_ms)
		return true;
	left = text_over(room, sizeof room);
	duration_text(&left, (d->until_ms - l->now_ms < longest_ms ? d->until_ms - l->now_ms : longest_ms) * 1000);
	if (json)
		text_str(t, l->n ? ",\n{" : "{");
	l->n++;
	put_member(t, "duration", text_bytes(&left), json, false);
	put_member(t, "origin", d->origin, json, false);
	put_member(t, "reason", d->reason, json, false);
	put_member(t, "scope", bytes_of(scope_word(d->scope)), json, false);
	put_member(t, "type", bytes_of(type_word(d->remedy)), json, false);
	put_member(t, "value", d->value, json, true);
	return !l->failed;
}

void list_decisions_write(struct list_text *l, const struct list_source *from)
{
	bool json = l->form == LIST_AS_JSON;

	text_str(list_text_room(l), json ? "[" : "duration,origin,reason,scope,type,value\n");
	from->each(from->from, put, l);
	if (json)
		text_str(list_text_room(l), "]\n");
}

/* ---- and back ---- */

static bool is_one_net(const struct list_record *k)
{
	struct ip_net net;

	return ip_net_parse(k->value, &net);
}

bool list_record_decision(const struct list_record *k, uint64_t now_ms, struct decision *out, struct err *err)
{
	uint64_t us = (uint64_t)DEFAULT_MS * 1000;
	bool one = k->is_block && ip_eq(&k->block.first, &k->block.last);

	*out = (struct decision){ .value = k->value, .reason = k->reason, .origin = k->origin, .made_ms = now_ms };
	if (!type_from_word(k->type, &out->remedy))
		return err_set(err, SIDE_CLIENT, 400, "line %lu: unknown type '%.*s'", k->line, BYTES_ARG(bytes_sub(k->type, 0, 32)));
	if (k->duration.len && (!duration_parse(k->duration, &us) || us < 1000000))
		return err_set(err, SIDE_CLIENT, 400, "line %lu: '%.*s' is no duration", k->line, BYTES_ARG(bytes_sub(k->duration, 0, 32)));
	if (k->is_block && !is_one_net(k))
		return err_set(err, SIDE_CLIENT, 400, "line %lu: '%.*s' is no address or block", k->line, BYTES_ARG(k->value));
	out->scope = k->is_block ? one ? SCOPE_IP : SCOPE_RANGE : scope_from_word(k->scope);
	out->until_ms = now_ms + us / 1000;
	return true;
}
