/* levels.c -- how full the buckets of an address are: of scenarios that group by the address and nothing else, since only of
 * those is the key known without an event. */
#include "scenarios/scenario.h"

static bool is_by_address(const struct scenario *s)
{
	const uint32_t *numbers;

	return s->kind.type != BUCKET_TRIGGER && s->groupby && expr_loads(s->groupby, &numbers) == 1 && numbers[0] == FACT_SOURCE_IP;
}

static bool key_of(const struct scenarios *set, const struct scenario *s, struct facts *f, struct arena *a, uint64_t *key)
{
	struct world_run world = { .set = set, .arena = a, .facts = f };
	struct expr_run run = world_begin(&world);
	struct expr_value v;

	if (!expr_run(s->groupby, &run, &v) || v.kind != EXPR_TEXT)
		return false;
	*key = scenario_bucket(s, hash128(set->key, v.text), hash128(set->key, f->at[FACT_SOURCE_IP]));
	return true;
}

size_t scenarios_levels(const struct scenarios *set, struct buckets *buckets, const struct ip *ip, uint64_t now_us, struct arena *a,
			struct scenario_level *out, size_t max)
{
	struct ip counted = ip_behaviour_key(ip);
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct facts f = { .at_us = now_us };
	size_t n = 0;
	uint64_t key;

	ip_text(&t, &counted);
	f.at[FACT_SOURCE_IP] = text_bytes(&t);
	for (size_t i = 0; i < set->n && n < max; i++) {
		const struct scenario *s = set->at[i];

		if (!is_by_address(s) || !key_of(set, s, &f, a, &key))
			continue;
		out[n] = (struct scenario_level){ &s->info, bucket_level(buckets, key, &s->kind, now_us), s->kind.capacity };
		n += out[n].count > 0;
	}
	return n;
}
