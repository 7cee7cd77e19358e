/* Buckets overflow when CrowdSec's would, and their memory is as short. */
#include "scenarios/bucket.h"
#include "tests/test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MS = 1000, KEY = 4711, ROOM = 1 << 20 };
static const uint64_t day_us = 86400000000u;

/* ---- claims, a row a pour ---- */

struct row {
	uint64_t at_ms;
	enum poured want;
	uint32_t count;    /* that the bucket holds then, or held when it overflowed */
	uint64_t value;    /* 0: not distinct */
	bool cancel;
};
#define AT(ms, want, count) { ms, want, count, 0, false }
#define AT_VALUE(ms, want, count, value) { ms, want, count, value, false }
#define AT_CANCEL(ms, want, count) { ms, want, count, 0, true }

static struct buckets *table(void)
{
	struct buckets *all = buckets_new(100000, ROOM);

	assert_non_null(all);
	return all;
}

/* Nothing may be left when all have died. */
static void end(struct buckets *all)
{
	struct buckets_stats left;

	for (uint64_t day = 10; day <= 80; day += 10)
		for (int i = 0; i < 16; i++)
			buckets_sweep(all, day * day_us);
	buckets_count(all, &left);
	assert_int_equal(left.live, 0);
	assert_int_equal(left.bytes, 0);
	buckets_free(all);
}

static void pour_rows(struct buckets *all, const struct pour *like, const struct row *rows, size_t n)
{
	struct arena *a = arena_new(ROOM);

	for (size_t i = 0; i < n; i++) {
		struct pour p = *like;
		struct bucket_events out;
		enum poured got;

		p.now_us = rows[i].at_ms * MS;
		p.is_distinct = rows[i].value != 0;
		p.value = rows[i].value;
		p.cancel = rows[i].cancel;
		p.arena = a;
		got = bucket_pour(all, &p, &out);
		if (got != rows[i].want || out.count != rows[i].count)
			fail_msg("row %zu at %llu ms: got %d with %u events, want %d with %u", i,
				 (unsigned long long)rows[i].at_ms, got, out.count, rows[i].want, rows[i].count);
	}
	arena_free(a);
}

static void claim(const struct bucket_kind *k, const struct row *rows, size_t n)
{
	struct buckets *all = table();

	pour_rows(all, &(struct pour){ .key = KEY, .kind = k }, rows, n);
	end(all);
}

static const struct bucket_kind two_a_second = {
	.type = BUCKET_LEAKY, .capacity = 2, .leak_us = 1000 * MS, .life_us = 3000 * MS, .keep = 3,
};

static void the_event_past_capacity_overflows_and_the_next_begins_anew(void **state)
{
	static const struct row rows[] = {
		AT(0, POURED, 1), AT(10, POURED, 2), AT(20, POURED_OVER, 3),
		AT(30, POURED, 1), AT(1029, POURED, 2),      /* one has not quite left */
		AT(1030, POURED, 3), AT(1031, POURED_OVER, 4), /* one has */
	};

	(void)state;
	claim(&two_a_second, rows, nelems(rows));
}

static void an_event_a_leak_never_overflows(void **state)
{
	struct buckets *all = table();
	struct pour p = { .key = KEY, .kind = &two_a_second };
	struct bucket_events out;

	(void)state;
	for (uint32_t i = 1; i < 1000; i++) {
		p.now_us += 1000 * MS;
		assert_int_equal(bucket_pour(all, &p, &out), POURED);
		assert_int_equal(out.count, i);
		assert_int_equal(out.first_us, 1000 * MS);
	}
	end(all);
}

static void it_dies_of_idleness_a_life_after_its_last_event(void **state)
{
	static const struct row rows[] = {
		AT(0, POURED, 1), AT(2000, POURED, 2), AT(5000, POURED, 3), /* 3 s later: it lives */
		AT(8001, POURED, 1),                                        /* 3.001 s later: another one */
	};

	(void)state;
	claim(&two_a_second, rows, nelems(rows));
}

static void a_value_seen_is_not_poured_and_does_not_put_off_death(void **state)
{
	static const struct row rows[] = {
		AT_VALUE(0, POURED, 1, 7), AT_VALUE(10, POURED_SEEN, 1, 7), AT_VALUE(20, POURED_SEEN, 1, 7),
		AT_VALUE(2900, POURED_SEEN, 1, 7),
		AT_VALUE(3001, POURED, 1, 7), /* dead since 3000, and what it had seen with it */
		AT_VALUE(3002, POURED, 2, 8), AT_VALUE(3003, POURED_SEEN, 2, 7), AT_VALUE(3004, POURED_SEEN, 2, 8),
		AT_VALUE(3005, POURED_OVER, 3, 9), AT_VALUE(3006, POURED, 1, 9),
	};

	(void)state;
	claim(&two_a_second, rows, nelems(rows));
}

static void thousands_of_values_are_told_apart(void **state)
{
	struct bucket_kind k = { .type = BUCKET_LEAKY, .capacity = 1000000, .leak_us = 1000 * MS, .life_us = 1000 * MS };
	struct buckets *all = buckets_new(1000, 256 << 20);
	struct pour p = { .key = KEY, .kind = &k, .is_distinct = true };
	struct bucket_events out;

	(void)state;
	for (int pass = 0; pass < 2; pass++)
		for (uint64_t i = 0; i < 8000; i++) {
			p.value = i * 0x9e3779b97f4a7c15u; /* 0 is a value like others */
			assert_int_equal(bucket_pour(all, &p, &out), pass ? POURED_SEEN : POURED);
		}
	assert_int_equal(out.count, 8000);
	for (uint64_t i = 0; i < 100000; i++) { /* past its bound it forgets, and lives on */
		p.value = i;
		bucket_pour(all, &p, &out);
	}
	assert_int_equal(out.count, 8000 + 100000 - 2); /* of 0 and 1, which are one value */
	end(all);
}

static void a_trigger_overflows_before_values_are_looked_at(void **state)
{
	static const struct bucket_kind k = { .type = BUCKET_TRIGGER };
	static const struct row rows[] = {
		AT_VALUE(0, POURED_OVER, 1, 7), AT_VALUE(0, POURED_OVER, 1, 7), { 5, POURED_OVER, 1, 7, true },
	};

	(void)state;
	claim(&k, rows, nelems(rows));
}

static void cancel_throws_it_away(void **state)
{
	static const struct row rows[] = {
		AT(0, POURED, 1), AT(1, POURED, 2), AT_CANCEL(2, POURED_CANCELED, 0), AT(3, POURED, 1), AT(4, POURED, 2),
		AT(5, POURED_OVER, 3), AT_CANCEL(6, POURED_CANCELED, 0),
		AT_VALUE(7, POURED, 1, 5), { 8, POURED_SEEN, 1, 5, true }, /* what is not new is not looked at further */
		{ 9, POURED_CANCELED, 0, 6, true }, AT_VALUE(10, POURED, 1, 5),
	};

	(void)state;
	claim(&two_a_second, rows, nelems(rows));
}

static void a_blackhole_keeps_silent_and_then_ends(void **state)
{
	static const struct bucket_kind k = {
		.type = BUCKET_LEAKY, .capacity = 1, .leak_us = 1000 * MS, .life_us = 2000 * MS,
		.blackhole_us = 10000 * MS,
	};
	static const struct row rows[] = {
		AT(1000, POURED, 1),  AT(1001, POURED_OVER, 2),
		AT(1002, POURED, 1),  AT(1003, POURED_SILENT, 2),   /* one fills meanwhile */
		AT_CANCEL(1004, POURED_CANCELED, 0),              /* silence outlives a cancel */
		AT(10998, POURED, 1), AT(11000, POURED_SILENT, 2),  /* and was not put off */
		AT(11000, POURED, 1), AT(11001, POURED_OVER, 2),    /* one that filled in it may end it */
		AT(21001, POURED, 1), AT(21001, POURED_OVER, 2),
	};

	(void)state;
	claim(&k, rows, nelems(rows));
}

static void a_trigger_too_is_silent(void **state)
{
	static const struct bucket_kind k = { .type = BUCKET_TRIGGER, .blackhole_us = 100 * MS };
	static const struct row rows[] = {
		AT(1000, POURED_OVER, 1), AT(1099, POURED_SILENT, 1), AT(1100, POURED_OVER, 1),
		AT(1150, POURED_SILENT, 1),
	};

	(void)state;
	claim(&k, rows, nelems(rows));
}

static void a_silence_longer_than_its_32_bits_is_cut(void **state)
{
	const uint64_t day_ms = day_us / MS;
	const struct bucket_kind k = { .type = BUCKET_TRIGGER, .blackhole_us = 60 * day_us };
	const struct row rows[] = {
		AT(5 * day_ms, POURED_OVER, 1), AT(6 * day_ms, POURED_SILENT, 1), AT(29 * day_ms, POURED_SILENT, 1),
		AT(30 * day_ms, POURED_OVER, 1),
	};

	(void)state;
	claim(&k, rows, nelems(rows));
}

static void a_silence_that_ended_does_not_come_back(void **state)
{
	const uint64_t day_ms = day_us / MS;
	const struct bucket_kind k = {
		.type = BUCKET_LEAKY, .capacity = 1, .leak_us = day_us, .life_us = 2 * day_us, .blackhole_us = MS,
	};
	struct row rows[32] = { AT(0, POURED, 1), AT(0, POURED_OVER, 2) };

	(void)state;
	for (uint32_t i = 2; i < 31; i++) /* one that never rests */
		rows[i] = (struct row)AT(i * day_ms, POURED, i - 1);
	rows[31] = (struct row)AT(30 * day_ms, POURED_OVER, 30);
	claim(&k, rows, nelems(rows));
}

static void a_clock_that_steps_back_leaks_nothing(void **state)
{
	static const struct row rows[] = {
		AT(5000, POURED, 1), AT(4900, POURED, 2), AT(4800, POURED_OVER, 3),
		AT(5000, POURED, 1), AT(4990, POURED, 2), AT(5990, POURED, 3), AT(5991, POURED_OVER, 4),
		AT(900000000, POURED, 1), AT(6000, POURED, 2), AT(9001, POURED, 1), /* one wrong line is no harm */
	};
	struct buckets *all = table();
	struct pour p = { .key = 5, .kind = &two_a_second, .now_us = 5000 * MS };
	struct bucket_events out;

	(void)state;
	claim(&two_a_second, rows, nelems(rows));
	bucket_pour(all, &p, &out);
	p.now_us = 4999 * MS;
	bucket_pour(all, &p, &out);
	assert_int_equal(out.first_us, 4999 * MS);
	end(all);
}

static void it_says_how_many_it_holds(void **state)
{
	struct buckets *all = table();
	struct pour p = { .key = KEY, .kind = &two_a_second, .now_us = MS };
	struct bucket_events out;

	(void)state;
	assert_int_equal(bucket_count(all, KEY, MS), 0);
	bucket_pour(all, &p, &out);
	bucket_pour(all, &p, &out);
	assert_int_equal(bucket_count(all, KEY, MS), 2);
	assert_int_equal(bucket_count(all, KEY, 3001 * MS), 2);
	assert_int_equal(bucket_count(all, KEY, 3002 * MS), 0);
	assert_int_equal(bucket_count(all, KEY + 1, MS), 0);
	end(all);
}

static void a_capacity_and_a_leak_beyond_64_bits_never_overflow(void **state)
{
	static const struct bucket_kind k = {
		.type = BUCKET_LEAKY, .capacity = 1000000, .leak_us = (uint64_t)1 << 60, .life_us = UINT64_MAX,
	};
	static const struct row rows[] = { AT(1000, POURED, 1), AT(1001, POURED, 2), AT(1002, POURED, 3) };

	(void)state;
	claim(&k, rows, nelems(rows));
}

/* ---- events ---- */

static void the_newest_events_are_kept_oldest_first(void **state)
{
	static const struct bucket_kind k = {
		.type = BUCKET_LEAKY, .capacity = 5, .leak_us = 1000 * MS, .life_us = 6000 * MS, .keep = 3,
	};
	struct buckets *all = table();
	struct arena *a = arena_new(ROOM);
	struct bucket_events out;
	char text[100] = "";

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct pour p = { .key = KEY, .kind = &k, .now_us = 7000 * MS + (uint64_t)i, .arena = a };

		snprintf(text, sizeof text, "event %d %.*s", i, i * 10,
			 "and so on and so on and so on and so on and so on and");
		p.event = bytes_of(text);
		assert_int_equal(bucket_pour(all, &p, &out), i < 5 ? POURED : POURED_OVER);
		assert_int_equal(out.nkept, i < 5 ? 0 : 3);
	}
	memset(text, 'x', sizeof text); /* they are copies */
	assert_int_equal(out.first_us, 7000 * MS);
	assert_bytes(bytes_sub(out.kept[0], 0, 8), BYTES("event 3 "));
	assert_bytes(out.kept[1], BYTES("event 4 and so on and so on and so on and so on "));
	assert_int_equal(out.kept[2].len, 8 + 50);
	arena_free(a);
	end(all);
}

static void a_kept_event_has_a_bound(void **state)
{
	static char big[BUCKET_EVENT_ROOM + 1];
	static const struct { size_t len, kept; } rows[] = {
		{ BUCKET_EVENT_ROOM, 1 }, { BUCKET_EVENT_ROOM + 1, 0 }, { 0, 0 },
	};
	static const struct bucket_kind k = { .type = BUCKET_TRIGGER, .keep = 1 };
	struct buckets *all = table();

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(ROOM);
		struct pour p = { .key = KEY, .kind = &k, .event = { big, rows[i].len }, .arena = a };
		struct bucket_events out;

		assert_int_equal(bucket_pour(all, &p, &out), POURED_OVER);
		assert_int_equal(out.nkept, rows[i].kept);
		arena_free(a);
	}
	end(all);
}

/* ---- conditions ---- */

struct judging {
	uint32_t over_at;    /* events */
	bool latch;          /* the first time only sets it, the next ones overflow */
	uint32_t asked, kept;
};

static bool judge_count(void *ctx, const struct bucket_events *e, uint32_t *latch)
{
	struct judging *j = ctx;

	j->asked++;
	j->kept = (uint32_t)e->nkept;
	if (j->latch && !*latch) {
		*latch = e->count >= j->over_at;
		return false;
	}
	return e->count >= j->over_at;
}

static bool allow_never(void *ctx, const struct bucket_events *e)
{
	struct judging *j = ctx;

	j->asked++;
	j->kept = (uint32_t)e->nkept;
	return false;
}

static void a_conditional_overflows_by_its_condition_alone(void **state)
{
	static const struct bucket_kind k = { .type = BUCKET_CONDITIONAL, .life_us = 1000 * MS, .keep = 10 };
	static const struct row rows[] = {
		AT(0, POURED, 1), AT(0, POURED, 2), AT(0, POURED, 3), AT(0, POURED_OVER, 4), AT(0, POURED, 1),
		AT(1000, POURED, 2), AT(2001, POURED, 1), AT(2001, POURED, 2), AT(2001, POURED, 3),
		AT(2001, POURED_OVER, 4),
	};
	struct judging j = { .over_at = 4 };
	struct pour p = { .key = KEY, .kind = &k, .judge = judge_count, .ctx = &j, .event = BYTES("e") };
	struct buckets *all = table();

	(void)state;
	pour_rows(all, &p, rows, nelems(rows));
	assert_int_equal(j.asked, nelems(rows));
	assert_int_equal(j.kept, 4);
	end(all);
}

static void a_leaky_one_with_a_condition_overflows_by_either(void **state)
{
	static const struct row rows[] = {
		AT(0, POURED, 1), AT(0, POURED_OVER, 2), AT(0, POURED, 1), AT(2000, POURED_OVER, 2),
	};
	static const struct row full[] = { AT(9000, POURED, 1), AT(9000, POURED, 2), AT(9000, POURED_OVER, 3) };
	struct judging j = { .over_at = 2 };
	struct pour p = { .key = KEY, .kind = &two_a_second, .judge = judge_count, .ctx = &j };
	struct buckets *all = table();

	(void)state;
	pour_rows(all, &p, rows, nelems(rows));
	j.over_at = 100;
	pour_rows(all, &p, full, nelems(full));
	end(all);
}

static void a_latch_lives_and_dies_with_its_bucket(void **state)
{
	static const struct bucket_kind k = { .type = BUCKET_BAYESIAN, .life_us = 1000 * MS };
	static const struct row rows[] = {
		AT(0, POURED, 1), AT(0, POURED, 2), AT(0, POURED_OVER, 3),          /* set by the second */
		AT(1, POURED, 1), AT(1, POURED, 2), AT(1002, POURED, 1),            /* gone with the idle one */
		AT(1003, POURED, 2), AT_CANCEL(1004, POURED_CANCELED, 0), AT(1005, POURED, 1), AT(1006, POURED, 2),
		AT(1007, POURED_OVER, 3),
	};
	struct judging j = { .over_at = 2, .latch = true };
	struct buckets *all = table();

	(void)state;
	pour_rows(all, &(struct pour){ .key = KEY, .kind = &k, .judge = judge_count, .ctx = &j }, rows, nelems(rows));
	end(all);
}

static void an_overflow_that_is_not_allowed_is_as_if_nothing_had_been(void **state)
{
	static const struct bucket_kind k = {
		.type = BUCKET_LEAKY, .capacity = 1, .leak_us = 1000 * MS, .life_us = 2000 * MS,
		.blackhole_us = 9000 * MS, .keep = 2,
	};
	static const struct row refused[] = { AT(0, POURED, 1), AT(1, POURED_CANCELED, 0), AT(2, POURED, 1) };
	static const struct row then[] = { AT(3, POURED_OVER, 2), AT(3, POURED, 1), AT(4, POURED_SILENT, 2) };
	struct judging j = { 0 };
	struct pour p = { .key = KEY, .kind = &k, .allow = allow_never, .ctx = &j, .event = BYTES("e") };
	struct buckets *all = table();

	(void)state;
	pour_rows(all, &p, refused, nelems(refused));
	assert_int_equal(j.asked, 1);
	assert_int_equal(j.kept, 2);
	p.allow = NULL; /* no silence had begun */
	pour_rows(all, &p, then, nelems(then));
	end(all);
}

/* ---- counters ---- */

static const struct bucket_kind ten_seconds = { .type = BUCKET_COUNTER, .life_us = 20000 * MS, .keep = 2 };

static void a_counter_ends_when_it_is_taken(void **state)
{
	static const struct row rows[] = {
		AT(1000, POURED, 1), AT(2000, POURED, 2), AT(3000, POURED, 3), AT(10999, POURED, 4),
	};
	struct buckets *all = table();
	struct arena *a = arena_new(ROOM);
	struct pour p = { .key = KEY, .kind = &ten_seconds, .now_us = 11000 * MS, .arena = a };
	struct bucket_events out;
	enum poured r;

	(void)state;
	assert_false(bucket_take(all, &p, &r, &out));
	p.event = BYTES("e");
	pour_rows(all, &p, rows, nelems(rows));
	assert_true(bucket_take(all, &p, &r, &out));
	assert_int_equal(r, POURED_OVER);
	assert_int_equal(out.count, 4);
	assert_int_equal(out.first_us, 1000 * MS);
	assert_int_equal(out.nkept, 2);
	assert_false(bucket_take(all, &p, &r, &out));
	arena_free(a);
	end(all);
}

static void a_counter_that_began_again_is_not_ended_by_the_first_end(void **state)
{
	static const struct row rows[] = {
		AT(1000, POURED, 1), AT_CANCEL(6000, POURED_CANCELED, 0), AT(7000, POURED, 1),
	};
	struct buckets *all = table();
	struct pour p = { .key = KEY, .kind = &ten_seconds, .now_us = 11000 * MS };
	struct bucket_events out;
	enum poured r;

	(void)state;
	pour_rows(all, &p, rows, nelems(rows));
	assert_false(bucket_take(all, &p, &r, &out));
	p.now_us = 17000 * MS;
	assert_true(bucket_take(all, &p, &r, &out));
	end(all);
}

static void a_counter_may_be_silent_or_refused(void **state)
{
	struct bucket_kind k = ten_seconds;
	struct judging j = { 0 };
	struct buckets *all = table();
	struct pour p = { .key = KEY, .kind = &k };
	struct bucket_events out;
	static const enum poured want[] = { POURED_OVER, POURED_SILENT, POURED_CANCELED };
	enum poured r;

	(void)state;
	k.blackhole_us = 15000 * MS;
	for (size_t i = 0; i < nelems(want); i++) {
		p.allow = i == 2 ? allow_never : NULL;
		p.ctx = &j;
		bucket_pour(all, &p, &out);
		p.now_us += 10000 * MS;
		assert_true(bucket_take(all, &p, &r, &out));
		assert_int_equal(r, want[i]);
	}
	end(all);
}

/* ---- every pour against a naive bucket ----
 *
 * Go's rate.Limiter in floating point, lists for everything, and no table. What is in whole milliseconds in ours (life,
 * silence, first event) is so here. */

enum { STREAM_KEYS = 3000, EVENT_TEXT = 24, KEPT_MAX = 8, VALUES = 12 };

struct naive {
	bool live, silent;
	double tokens;
	uint64_t limiter_us, last_us, first_us, silent_until_ms;
	uint32_t count, latch;
	char kept[KEPT_MAX][EVENT_TEXT];
	size_t nkept;
	bool seen[VALUES + 1];
};

struct stream {
	uint64_t random;
	uint64_t now_us;
	struct naive keys[STREAM_KEYS];
	struct bucket_kind kinds[STREAM_KEYS];
	uint32_t nkeys, pours;
	uint32_t met[POURED_SILENT + 1]; /* so that we know that all were tried */
};

static uint32_t below(struct stream *s, uint32_t n)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (uint32_t)(s->random >> 32) % n;
}

/* Of the events in a bucket, whatever: the newest's last letter, and how many there are. */
static bool judge_any(uint32_t count, struct bytes newest, uint32_t *latch)
{
	char c = newest.len ? newest.at[newest.len - 1] : '0';

	if (c == '7')
		*latch |= 1;
	return count > 6 || (c == '3' && count > 2) || (*latch && count > 4);
}

static bool allow_any(uint32_t count, struct bytes oldest)
{
	return (count + (oldest.len ? (unsigned char)oldest.at[oldest.len - 1] : 0)) % 4 != 0;
}

static bool judge_bucket(void *ctx, const struct bucket_events *e, uint32_t *latch)
{
	(void)ctx;
	return judge_any(e->count, e->nkept ? e->kept[e->nkept - 1] : BYTES(""), latch);
}

static bool allow_bucket(void *ctx, const struct bucket_events *e)
{
	(void)ctx;
	return allow_any(e->count, e->nkept ? e->kept[0] : BYTES(""));
}

static uint64_t life_of(const struct bucket_kind *k)
{
	return (k->life_us + 999) / 1000 * 1000;
}

static bool limiter_takes(struct naive *b, const struct bucket_kind *k, uint64_t now_us, enum poured theirs)
{
	double tokens;

	if (now_us < b->limiter_us)
		b->limiter_us = now_us;
	tokens = b->tokens + (double)(now_us - b->limiter_us) / (double)k->leak_us;
	tokens = fmin(tokens, k->capacity) - 1;
	if (fabs(tokens) < 1e-6 && (k->leak_us & (k->leak_us - 1))) /* it rounds, where the leak is no power of two */
		tokens = theirs == POURED ? 0 : -1;
	if (tokens < 0)
		return false;
	b->tokens = tokens;
	b->limiter_us = now_us;
	return true;
}

static void naive_keep(struct naive *b, const struct bucket_kind *k, struct bytes event)
{
	if (!k->keep)
		return;
	if (b->nkept == k->keep)
		memmove(b->kept[0], b->kept[1], --b->nkept * sizeof b->kept[0]);
	memcpy(b->kept[b->nkept++], event.at, event.len + 1);
}

static struct bytes naive_kept(const struct naive *b, size_t i)
{
	return i < b->nkept ? bytes_of(b->kept[i]) : BYTES("");
}

static enum poured naive_end(struct naive *b, const struct pour *p)
{
	bool silent = b->silent && b->silent_until_ms > p->now_us / 1000;

	b->live = false;
	if (p->allow && !allow_any(b->count, naive_kept(b, 0)))
		return POURED_CANCELED;
	if (silent)
		return POURED_SILENT;
	if ((b->silent = p->kind->blackhole_us != 0))
		b->silent_until_ms = p->now_us / 1000 + p->kind->blackhole_us / 1000;
	return POURED_OVER;
}

static void naive_begin(struct naive *b, const struct pour *p)
{
	struct naive anew = { .live = true, .tokens = p->kind->capacity, .limiter_us = p->now_us, .last_us = p->now_us,
			      .first_us = p->now_us, .silent = b->silent, .silent_until_ms = b->silent_until_ms };

	*b = anew;
}

static enum poured naive_pour(struct naive *b, const struct pour *p, enum poured theirs)
{
	const struct bucket_kind *k = p->kind;
	bool over = k->type == BUCKET_TRIGGER;

	if (!b->live || p->now_us > b->last_us + life_of(k))
		naive_begin(b, p);
	b->silent = b->silent && b->silent_until_ms > p->now_us / 1000;
	if (!over && p->is_distinct) {
		if (b->seen[p->value])
			return POURED_SEEN;
		b->seen[p->value] = true;
	}
	if (!over && p->cancel) {
		b->live = false;
		return POURED_CANCELED;
	}
	b->count++;
	b->first_us = b->first_us < p->now_us ? b->first_us : p->now_us;
	b->last_us = k->type == BUCKET_COUNTER ? b->last_us : p->now_us;
	naive_keep(b, k, p->event);
	over = over || (k->type == BUCKET_LEAKY && !limiter_takes(b, k, p->now_us, theirs));
	over = over || (p->judge && judge_any(b->count, b->nkept ? naive_kept(b, b->nkept - 1) : BYTES(""), &b->latch));
	return over ? naive_end(b, p) : POURED;
}

static bool naive_take(struct naive *b, const struct pour *p, enum poured *r)
{
	if (!b->live || p->now_us > b->last_us + life_of(p->kind) || p->now_us < b->last_us + life_of(p->kind) / 2)
		return false;
	*r = naive_end(b, p);
	return true;
}

static struct bucket_kind random_kind(struct stream *s)
{
	struct bucket_kind k = { .type = (enum bucket_type)below(s, BUCKET_BAYESIAN + 1) };

	k.keep = below(s, KEPT_MAX + 1);
	k.capacity = 1 + below(s, below(s, 3) ? 4 : 40);
	k.leak_us = below(s, 3) ? (uint64_t)1 << (9 + below(s, 14)) : 1 + below(s, 2000000);
	k.life_us = (k.capacity + 1) * k.leak_us;
	if (k.type == BUCKET_COUNTER)
		k.life_us = (k.life_us + 1999) / 2000 * 2000;
	k.blackhole_us = below(s, 3) ? 0 : below(s, 5000) * (uint64_t)MS;
	return k;
}

static void same(const struct stream *s, uint32_t key, enum poured ours, enum poured want,
		 const struct bucket_events *out, const struct naive *b)
{
	bool over = want == POURED_OVER || want == POURED_SILENT;

	if (ours != want || (want != POURED_CANCELED && out->count != b->count))
		fail_msg("pour %u, key %u of type %d: %d with %u events, want %d with %u", s->pours, key,
			 s->kinds[key].type, ours, out->count, want, b->count);
	if (want == POURED_CANCELED)
		return;
	assert_int_equal(out->first_us, b->first_us / 1000 * 1000);
	assert_int_equal(out->nkept, over ? b->nkept : 0);
	for (size_t i = 0; i < out->nkept; i++)
		assert_bytes(out->kept[i], naive_kept(b, i));
}

static void stream_step(struct stream *s, struct buckets *all, struct arena *a)
{
	uint32_t key = below(s, 1 + below(s, 1 + below(s, s->nkeys))); /* some often, many seldom */
	struct pour p = { .key = key * 0x9e3779b97f4a7c15u, .kind = &s->kinds[key], .now_us = s->now_us, .arena = a };
	struct naive *b = &s->keys[key];
	struct bucket_events out;
	enum poured ours = POURED, want = POURED;
	char text[EVENT_TEXT];

	snprintf(text, sizeof text, "%.*s%u", (int)below(s, 12), "some letters", s->pours);
	p.event = bytes_of(text);
	p.is_distinct = key % 3 == 0;
	p.value = 1 + below(s, VALUES);
	p.cancel = key % 4 == 0 && below(s, 20) == 0;
	p.judge = p.kind->type >= BUCKET_CONDITIONAL || key % 5 == 0 ? judge_bucket : NULL;
	p.allow = key % 7 == 0 ? allow_bucket : NULL;
	if (p.kind->type == BUCKET_COUNTER && below(s, 3) == 0) {
		bool there;

		if (p.now_us + MS > b->last_us + p.kind->life_us / 2 && p.now_us < b->last_us + p.kind->life_us / 2)
			return; /* ours may end it a millisecond early */
		there = bucket_take(all, &p, &ours, &out);

		assert_int_equal(there, naive_take(b, &p, &want));
		if (!there)
			return;
	} else {
		ours = bucket_pour(all, &p, &out);
		want = naive_pour(b, &p, ours);
	}
	same(s, key, ours, want, &out, b);
	s->met[want]++;
}

static void stream_run(struct stream *s, uint32_t pours, bool steps_back)
{
	struct buckets *all = buckets_new(1000000, 256 << 20);
	static const uint32_t pauses_us[] = { 1, 1, 100, 3000, 100000 }; /* the first is none */

	s->now_us = 1000000u * (uint64_t)MS;
	for (uint32_t i = 0; i < s->nkeys; i++)
		s->kinds[i] = random_kind(s);
	for (s->pours = 0; s->pours < pours; s->pours++) {
		struct arena *a = arena_new(ROOM);

		s->now_us += below(s, pauses_us[below(s, nelems(pauses_us))]);
		if (steps_back && below(s, 4) == 0)
			s->now_us -= below(s, 100000);
		stream_step(s, all, a);
		if (!steps_back && below(s, 1000) == 0)
			buckets_sweep(all, s->now_us);
		arena_free(a);
	}
	end(all);
}

static void every_pour_of_a_random_stream_is_as_a_naive_bucket_has_it(void **state)
{
	struct stream *s = calloc(1, sizeof *s);

	(void)state;
	s->random = 0x2545f4914f6cdd1du;
	s->nkeys = STREAM_KEYS;
	stream_run(s, 300000, false);
	for (size_t i = 0; i < nelems(s->met); i++)
		assert_true(s->met[i] > 500);
	free(s);
}

/* One key in the table: what is swept in passing depends on the clocks of others. */
static void so_is_one_whose_clock_steps_back(void **state)
{
	struct stream *s = calloc(1, sizeof *s);

	(void)state;
	s->random = 0x9e3779b97f4a7c15u;
	s->nkeys = 1;
	for (int i = 0; i < 300; i++) {
		memset(s->keys, 0, sizeof s->keys[0]);
		stream_run(s, 300, true);
	}
	for (size_t i = 0; i < nelems(s->met); i++)
		assert_true(s->met[i] > 100);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_event_past_capacity_overflows_and_the_next_begins_anew),
		cmocka_unit_test(an_event_a_leak_never_overflows),
		cmocka_unit_test(it_dies_of_idleness_a_life_after_its_last_event),
		cmocka_unit_test(a_value_seen_is_not_poured_and_does_not_put_off_death),
		cmocka_unit_test(thousands_of_values_are_told_apart),
		cmocka_unit_test(a_trigger_overflows_before_values_are_looked_at),
		cmocka_unit_test(cancel_throws_it_away),
		cmocka_unit_test(a_blackhole_keeps_silent_and_then_ends),
		cmocka_unit_test(a_trigger_too_is_silent),
		cmocka_unit_test(a_silence_longer_than_its_32_bits_is_cut),
		cmocka_unit_test(a_silence_that_ended_does_not_come_back),
		cmocka_unit_test(a_clock_that_steps_back_leaks_nothing),
		cmocka_unit_test(it_says_how_many_it_holds),
		cmocka_unit_test(a_capacity_and_a_leak_beyond_64_bits_never_overflow),
		cmocka_unit_test(the_newest_events_are_kept_oldest_first),
		cmocka_unit_test(a_kept_event_has_a_bound),
		cmocka_unit_test(a_conditional_overflows_by_its_condition_alone),
		cmocka_unit_test(a_leaky_one_with_a_condition_overflows_by_either),
		cmocka_unit_test(a_latch_lives_and_dies_with_its_bucket),
		cmocka_unit_test(an_overflow_that_is_not_allowed_is_as_if_nothing_had_been),
		cmocka_unit_test(a_counter_ends_when_it_is_taken),
		cmocka_unit_test(a_counter_that_began_again_is_not_ended_by_the_first_end),
		cmocka_unit_test(a_counter_may_be_silent_or_refused),
		cmocka_unit_test(every_pour_of_a_random_stream_is_as_a_naive_bucket_has_it),
		cmocka_unit_test(so_is_one_whose_clock_steps_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
