/* lapi_answer.c -- a stream's answer: brackets and quotes are followed here, what stands between them is JSON's business. */
#include "cti/lapi_answer.h"
#include "base/duration.h"
#include "base/json.h"

enum { DEPTH_MAX = 16 };

struct walk { struct bytes all; size_t at; };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next byte that is no blank; 0: the end. */
static char next(struct walk *w)
{
	while (w->at < w->all.len && is_blank(w->all.at[w->at]))
		w->at++;
	return w->at < w->all.len ? w->all.at[w->at] : 0;
}

static bool take(struct walk *w, char c)
{
	bool is = next(w) == c;

	w->at += is;
	return is;
}

static bool take_text(struct walk *w, struct bytes *out)
{
	size_t from;

	if (!take(w, '"'))
		return false;
	for (from = w->at; w->at < w->all.len && w->all.at[w->at] != '"'; w->at++)
		w->at += w->all.at[w->at] == '\\';
	if (w->at >= w->all.len)
		return false;
	*out = bytes_sub(w->all, from, w->at++);
	return true;
}

/* A list or an object, to its end. */
static bool take_nested(struct walk *w)
{
	char open[DEPTH_MAX];
	unsigned depth = 0;
	struct bytes text;

	do {
		char c = next(w);

		if (c == '"') {
			if (!take_text(w, &text))
				return false;
			continue;
		}
		if (!c || ((c == '{' || c == '[') && depth == DEPTH_MAX))
			return false;
		if (c == '{' || c == '[')
			open[depth++] = c;
		else if ((c == '}' || c == ']') && open[--depth] != c - 2) /* ASCII: each pair is two apart */
			return false;
		w->at++;
	} while (depth);
	return true;
}

static bool take_value(struct walk *w, struct bytes *out)
{
	char c = next(w);
	size_t from = w->at;
	bool good = true;

	if (c == '{' || c == '[')
		good = take_nested(w);
	else if (c == '"')
		good = take_text(w, &(struct bytes){ 0 });
	else
		while (w->at < w->all.len && !is_blank(w->all.at[w->at]) && !strchr(",:]}[{\"", w->all.at[w->at]))
			w->at++;
	*out = bytes_sub(w->all, from, w->at);
	return good && out->len;
}

/* Values with commas between them; what they hold is told later, one by one. */
static bool is_list(struct bytes value)
{
	struct walk w = { value, 0 };

	if (bytes_eq(value, BYTES("null")))
		return true;
	if (!take(&w, '['))
		return false;
	if (take(&w, ']'))
		return true;
	do {
		if (!take_value(&w, &value))
			return false;
	} while (take(&w, ','));
	return take(&w, ']');
}

bool lapi_answer_read(struct bytes all, struct lapi_answer *out, struct err *e)
{
	static const struct bytes names[] = { [LAPI_NEW] = BYTES_INIT("new"), [LAPI_DELETED] = BYTES_INIT("deleted") };
	struct walk w = { all, 0 };
	struct bytes name, value;
	unsigned seen = 0;

	*out = (struct lapi_answer){ 0 };
	if (all.len > LAPI_ANSWER_MAX)
		return err_set(e, SIDE_UPSTREAM, 0, "an answer of more than %d MiB", LAPI_ANSWER_MAX >> 20);
	if (!take(&w, '{'))
		return err_set(e, SIDE_UPSTREAM, 0, "the answer is no JSON object");
	do {
		if (!take_text(&w, &name) || !take(&w, ':') || !take_value(&w, &value))
			return err_set(e, SIDE_UPSTREAM, 0, "the answer is no JSON at byte %zu, or cut short", w.at);
		for (unsigned i = 0; i < nelems(names); i++) {
			if (!bytes_eq(name, names[i]))
				continue;
			if (seen & 1u << i || !is_list(value))
				return err_set(e, SIDE_UPSTREAM, 0, "the answer has '%s' twice, or as no list", names[i].at);
			seen |= 1u << i;
			out->part[i] = value;
		}
	} while (take(&w, ','));
	if (!take(&w, '}') || next(&w) || w.at != all.len)
		return err_set(e, SIDE_UPSTREAM, 0, "the answer is no JSON at byte %zu", w.at);
	return seen == 3 || err_set(e, SIDE_UPSTREAM, 0, "the answer names neither new nor deleted decisions");
}

/* ---- one decision ---- */

static struct bytes text_of(const struct json *j, const char *name)
{
	struct bytes text = { "", 0 };

	json_text(j, name, &text);
	return bytes_sub(text, 0, LAPI_TEXT_MAX);
}

/* Go's duration; one with a minus is over, one without end is a year. */
static bool left_of(struct bytes text, uint64_t *ms)
{
	enum { YEAR_S = 365 * 86400 };
	bool over = bytes_starts(text, BYTES("-"));
	uint64_t us;

	if (!duration_parse(bytes_from(text, over), &us))
		return false;
	*ms = over ? 0 : us / 1000 < YEAR_S * 1000ull ? us / 1000 : YEAR_S * 1000ull;
	return true;
}

/* "AS64500" or "64500"; "de" or "DE". `room` is for the latter. */
static bool normalise(struct lapi_item *d, char room[2])
{
	struct ip ip;
	struct ip_net net;
	uint64_t as;

	switch (d->scope) {
	case SCOPE_IP:
		return ip_parse(d->value, &ip);
	case SCOPE_RANGE:
		return ip_net_parse(d->value, &net);
	case SCOPE_AS:
		if (bytes_starts_nocase(d->value, BYTES("AS")))
			d->value = bytes_from(d->value, 2);
		return bytes_u64(d->value, &as) && as <= UINT32_MAX;
	case SCOPE_COUNTRY:
		for (size_t i = 0; d->value.len == 2 && i < 2; i++)
			if ((room[i] = (char)(byte_lower(d->value.at[i]) - 32)) < 'A' || room[i] > 'Z')
				return false;
		d->value.at = room;
		return d->value.len == 2;
	default: /* sessions and users are keyed hashes, and nobody else has the key */
		return false;
	}
}

static bool item_of(const struct json *j, struct lapi_item *d, char room[2])
{
	struct bytes left, scope;
	bool simulated = false;

	*d = (struct lapi_item){ .scenario = text_of(j, "scenario"), .origin = text_of(j, "origin") };
	json_flag(j, "simulated", &simulated);
	if (simulated || !json_text(j, "scope", &scope) || !json_text(j, "value", &d->value) || !json_text(j, "type", &d->type) ||
	    !json_text(j, "duration", &left) || !left_of(left, &d->left_ms))
		return false;
	if (!d->value.len || d->value.len > LAPI_TEXT_MAX || !d->type.len || d->type.len > LAPI_TEXT_MAX)
		return false;
	d->scope = scope_from_word(scope);
	return normalise(d, room);
}

size_t lapi_answer_each(const struct lapi_answer *s, enum lapi_part part, bool (*each)(void *ctx, const struct lapi_item *), void *ctx)
{
	static const struct json_limits limits = { LAPI_ITEM_MAX, 4 };
	struct walk w = { s->part[part], 0 };
	struct bytes value;
	size_t left_out = 0;
	bool more = take(&w, '[') && next(&w) != ']';

	while (more && take_value(&w, &value)) {
		struct json *j = json_read(value, &limits, NULL);
		struct lapi_item d;
		char room[2];

		if (!j || !item_of(j, &d, room))
			left_out++;
		else
			more = each(ctx, &d);
		json_free(j);
		more = more && take(&w, ',');
	}
	return left_out;
}
