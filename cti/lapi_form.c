/* lapi_form.c -- words, times and decisions as CrowdSec writes them, and what a query asks for. */
#include "base/duration.h"
#include "cti/lapi_form.h"
#include <stdio.h>

/* The first of a remedy is what is written. A tarpit is a ban to others, for whom it would be no word they know. */
static const struct type {
	struct bytes word;
	enum remedy_kind remedy;
} types[] = {
	{ BYTES_INIT("ban"),       REMEDY_DENY      },
	{ BYTES_INIT("captcha"),   REMEDY_CAPTCHA   },
	{ BYTES_INIT("throttle"),  REMEDY_THROTTLE  },
	{ BYTES_INIT("challenge"), REMEDY_CHALLENGE },
	{ BYTES_INIT("deny"),      REMEDY_DENY      },
};

const char *lapi_type(enum remedy_kind remedy)
{
	for (size_t i = 0; i < nelems(types); i++)
		if (types[i].remedy == remedy)
			return types[i].word.at;
	return remedy == REMEDY_TARPIT ? "ban" : NULL;
}

bool lapi_remedy(struct bytes type, enum remedy_kind *out)
{
	for (size_t i = 0; i < nelems(types); i++)
		if (bytes_eq_nocase(types[i].word, type)) {
			*out = types[i].remedy;
			return true;
		}
	return false;
}

/* ---- times ---- */

void lapi_duration(struct text *t, int64_t ms)
{
	uint64_t s = ((ms < 0 ? -(uint64_t)ms : (uint64_t)ms) + 999) / 1000;

	if (ms < 0)
		text_byte(t, '-');
	if (s)
		duration_text(t, s * 1000000);
	else
		text_str(t, "0s");
}

/* ---- a decision ---- */

static void text_key(struct text *t, const char *key, struct bytes value)
{
	text_printf(t, "\"%s\":", key);
	text_json(t, value);
}

void lapi_decision(struct text *t, const struct decision *d, uint64_t now_ms, uint64_t over_ms)
{
	const char *type = lapi_type(d->remedy);
	int64_t left = over_ms ? -(int64_t)(now_ms > over_ms ? now_ms - over_ms : 1) : (int64_t)(d->until_ms - now_ms);

	text_str(t, "{\"duration\":\"");
	lapi_duration(t, left);
	text_str(t, "\",\"id\":");
	text_u64(t, d->id);
	text_byte(t, ',');
	text_key(t, "origin", d->origin);
	text_byte(t, ',');
	text_key(t, "scenario", d->reason);
	text_printf(t, ",\"scope\":\"%s\",\"type\":\"%s\",", scope_word(d->scope), type ? type : remedy_word(d->remedy));
	text_key(t, "value", d->value);
	text_byte(t, '}');
}

/* ---- what a query asks for ---- */

static bool refuse(struct lapi_error *why, struct bytes what)
{
	why->status = 500;
	snprintf(why->text, sizeof why->text, "unable to convert '%.64s' to int: invalid address: invalid ip address / range",
		 what.len < 64 && what.at ? what.at : "(too long)");
	return false;
}

static uint32_t scopes_of(struct bytes list)
{
	struct bytes word;
	uint32_t bits = 0;

	while (bytes_cut(&list, ',', &word))
		bits |= 1u << scope_from_word(bytes_trim(word));
	return bits;
}

static bool net_of(struct lapi_filter *f, struct bytes ip, struct bytes range, struct lapi_error *why)
{
	struct bytes given = ip.len ? ip : range;

	if (!given.len)
		return true;
	f->has_net = true;
	return ip_net_parse(given, &f->net) || refuse(why, given);
}

bool lapi_filter_read(struct lapi_filter *f, lapi_param *get, void *ctx, bool stream, struct lapi_error *why)
{
	struct bytes scopes = get(ctx, stream ? BYTES("scopes") : BYTES("scope")), one = get(ctx, BYTES("scenario"));

	*f = (struct lapi_filter){ .contains = !bytes_eq_nocase(get(ctx, BYTES("contains")), BYTES("false")) };
	f->scopes = scopes.len ? scopes_of(scopes) : stream ? 1u << SCOPE_IP | 1u << SCOPE_RANGE : 0;
	f->origins = get(ctx, BYTES("origins"));
	if (!f->origins.len)
		f->origins = get(ctx, BYTES("origin"));
	f->with = get(ctx, BYTES("scenarios_containing"));
	if (!f->with.len)
		f->with = one;
	f->without = get(ctx, BYTES("scenarios_not_containing"));
	if (stream)
		return true;
	f->value = get(ctx, BYTES("value"));
	f->type = get(ctx, BYTES("type"));
	return net_of(f, get(ctx, BYTES("ip")), get(ctx, BYTES("range")), why);
}

static bool lists(struct bytes list, struct bytes word)
{
	struct bytes part;

	while (bytes_cut(&list, ',', &part))
		if (bytes_eq_nocase(bytes_trim(part), word))
			return true;
	return false;
}

static bool holds_any(struct bytes text, struct bytes list)
{
	struct bytes part;

	while (bytes_cut(&list, ',', &part))
		if (bytes_trim(part).len && bytes_find_nocase(text, bytes_trim(part)) != SIZE_MAX)
			return true;
	return false;
}

/* An IPv6 address is held by its /64, so that is what is compared. */
static bool net_takes(const struct lapi_filter *f, const struct decision *d)
{
	struct ip_net held;

	if ((d->scope != SCOPE_IP && d->scope != SCOPE_RANGE) || !ip_net_parse(d->value, &held))
		return false;
	if (d->scope == SCOPE_IP && !ip_is4(&held.base)) {
		held.base = ip_behaviour_key(&held.base);
		held.bits = 64;
	}
	if (f->contains)
		return held.bits <= f->net.bits && ip_in_net(&f->net.base, &held);
	return (f->net.bits <= held.bits || held.bits == 64) && ip_in_net(&held.base, &f->net);
}

bool lapi_filter_takes(const struct lapi_filter *f, const struct decision *d)
{
	const char *type = lapi_type(d->remedy);

	if (d->scope == SCOPE_USERNAME || d->scope == SCOPE_SESSION || !type || d->simulated)
		return false; /* those never leave the gates */
	if (f->scopes && !(f->scopes & 1u << d->scope))
		return false;
	if ((f->value.len && !bytes_eq_nocase(f->value, d->value)) || (f->type.len && !bytes_eq_nocase(f->type, bytes_of(type))))
		return false;
	if (f->origins.len && !lists(f->origins, d->origin) &&
	    !(bytes_starts_nocase(d->origin, BYTES("lists:")) && lists(f->origins, BYTES("lists"))))
		return false;
	if ((f->with.len && !holds_any(d->reason, f->with)) || (f->without.len && holds_any(d->reason, f->without)))
		return false;
	return !f->has_net || net_takes(f, d);
}
