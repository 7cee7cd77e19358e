/* hooks_client.c -- what the gate knows of an address, for the card of a client. */
#include "admin/client_hooks.h"
#include "base/clock.h"
#include "proxy/bots.h"
#include "proxy/challenge.h"
#include "proxy/gate.h"

static bool hook_where(void *ctx, const struct ip *ip, struct geo_found *out)
{
	return geo_find(((struct gate *)ctx)->site->geo, ip, out);
}

/* By published addresses alone: what it says it is is in its requests, not here. */
static const char *hook_bot(void *ctx, const struct ip *ip)
{
	const struct bots *bots = ((struct gate *)ctx)->site->bots;

	for (size_t i = 0; bots && i < bots_count; i++)
		if (bots_listed(bots, &bots_table[i], ip) == BOT_TRUE)
			return bots_table[i].name;
	return "";
}

static size_t hook_buckets(void *ctx, const struct ip *ip, struct arena *a, struct client_bucket *out, size_t max)
{
	struct gate *g = ctx;
	struct scenario_level *at = arena_get(a, max * sizeof *at);
	size_t n = at ? scenarios_levels(g->site->scenarios, g->shared.buckets, ip, clock_mono_us(), a, at, max) : 0;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct client_bucket){ arena_copy(a, at[i].info->name), at[i].count, at[i].capacity };
	return n;
}

static size_t hook_passes(void *ctx, const struct ip *ip, struct client_passes *out, size_t max)
{
	struct gate *g = ctx;
	uint64_t now_ms = loop_now_ms(g->loop);
	size_t n = 0;

	for (size_t i = 0; i < g->site->napps && n < max; i++) {
		const struct app *app = &g->site->apps[i];
		struct challenge_share s = challenge_share_of(app, g->shared.limits, ip, now_ms);

		if (s.used)
			out[n++] = (struct client_passes){ app->config->name, s.used, s.of, app->config->challenge.pass_ms / 1000 };
	}
	return n;
}

const struct client_hooks hooks_client = { hook_where, hook_bot, hook_buckets, hook_passes };
