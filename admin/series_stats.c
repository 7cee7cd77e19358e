/* series_stats.c -- the figures of now, as GET /stats and the stream tell them. */
#include "admin/guest.h"
#include "admin/series.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "cti/cti.h"

static uint64_t decisions_active(struct decisions *d)
{
	struct decisions_stats stats;
	uint64_t n = 0;

	if (!d)
		return 0;
	decisions_count(d, &stats);
	for (int scope = 0; scope < SCOPE_COUNT; scope++)
		for (int remedy = 0; remedy < REMEDY_COUNT; remedy++)
			n += stats.active[scope][remedy];
	return n;
}

static void put_added(struct json_out *o, const char *key, const struct series_point *p, unsigned percent)
{
	double us;

	if (series_added(p, percent, &us))
		out_decimal(o, key, us);
	else
		out_null(o, key);
}

bool series_stats_json(struct admin *a, struct bytes app, struct json_out *o)
{
	struct archive_counts kept = { 0 };
	struct series_now now;

	if (!a->series || !series_now(a->series, app, &now))
		return false;
	if (a->archive)
		archive_count(a->archive, &kept);
	out_object(o, NULL);
	out_time(o, "time", clock_wall_ms());
	out_decimal(o, "rps", now.rps);
	out_decimal(o, "blocked_ps", now.blocked_ps);
	out_decimal(o, "challenged_ps", now.challenged_ps);
	put_added(o, "added_p50_us", &now.last, 50);
	put_added(o, "added_p99_us", &now.last, 99);
	out_int(o, "connections", (int64_t)series_connections(a->series));
	out_int(o, "decisions", (int64_t)decisions_active(a->hooks.decisions));
	out_int(o, "requests_total", (int64_t)now.total.n[SERIES_REQUESTS]);
	out_int(o, "blocked_total", (int64_t)now.total.n[SERIES_BLOCKED]);
	out_int(o, "events_total", (int64_t)kept.written);
	out_int(o, "events_dropped", (int64_t)(kept.dropped + events_dropped(a->events)));
	out_end(o);
	return true;
}
