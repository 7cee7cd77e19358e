/* metrics_behaviour.c -- the families of scenarios, their buckets, and what was decided. Names of scenarios are those of the
 * loaded set, so their number is the administrator's. */
#include "admin/metrics_sample.h"
#include "cti/cti.h"

static void put_of_scenario(struct scrape *s, const struct metrics_scenario *of, uint64_t n)
{
	sample_open(s, "");
	sample_label(s, "scenario", of->name);
	sample_close(s, n);
}

void metrics_print_poured(struct scrape *s)
{
	for (size_t i = 0; i < s->now->nscenarios; i++)
		put_of_scenario(s, &s->now->scenarios[i], s->now->scenarios[i].poured);
}

void metrics_print_overflows(struct scrape *s)
{
	for (size_t i = 0; i < s->now->nscenarios; i++)
		put_of_scenario(s, &s->now->scenarios[i], s->now->scenarios[i].overflowed);
}

void metrics_print_scenario_failures(struct scrape *s)
{
	for (size_t i = 0; i < s->now->nscenarios; i++)
		if (s->now->scenarios[i].failed) /* most never do */
			put_of_scenario(s, &s->now->scenarios[i], s->now->scenarios[i].failed);
}

static void put_plain(struct scrape *s, uint64_t n)
{
	sample_open(s, "");
	sample_close(s, n);
}

void metrics_print_buckets(struct scrape *s)
{
	if (s->now->buckets)
		put_plain(s, s->now->buckets->live);
}

void metrics_print_bucket_bytes(struct scrape *s)
{
	if (s->now->buckets)
		put_plain(s, s->now->buckets->bytes);
}

void metrics_print_bucket_ends(struct scrape *s)
{
	if (!s->now->buckets)
		return;
	sample_open(s, "");
	sample_label(s, "how", BYTES("died"));
	sample_close(s, s->now->buckets->died);
	sample_open(s, "");
	sample_label(s, "how", BYTES("evicted"));
	sample_close(s, s->now->buckets->evicted);
}

/* ---- decisions ---- */

void metrics_print_active(struct scrape *s)
{
	const struct decisions_stats *d = s->now->decisions;

	for (int scope = 0; d && scope < SCOPE_OTHER; scope++)
		for (int r = 0; r < REMEDY_COUNT; r++) {
			if (!d->active[scope][r] && !(scope == SCOPE_IP && r == REMEDY_DENY)) /* one is always there */
				continue;
			sample_open(s, "");
			sample_label(s, "scope", bytes_of(scope_word((enum scope)scope)));
			sample_label(s, "action", bytes_of(remedy_word((enum remedy_kind)r)));
			sample_close(s, d->active[scope][r]);
		}
}

void metrics_print_made(struct scrape *s)
{
	for (int r = REMEDY_LOG; s->now->decisions && r < REMEDY_COUNT; r++) {
		sample_open(s, "");
		sample_label(s, "action", bytes_of(remedy_word((enum remedy_kind)r)));
		sample_close(s, s->now->decisions->made[r]);
	}
}

void metrics_print_not_held(struct scrape *s)
{
	if (!s->now->decisions)
		return;
	sample_open(s, "");
	sample_label(s, "reason", BYTES("spared"));
	sample_close(s, s->now->decisions->spared);
	sample_open(s, "");
	sample_label(s, "reason", BYTES("full"));
	sample_close(s, s->now->decisions->full);
	sample_open(s, "");
	sample_label(s, "reason", BYTES("guarded"));
	sample_close(s, s->now->decisions->guarded);
}
