/* decisions.c -- who is held to be what, and for how long. */
#include "base/clock.h"
#include "cti/cti.h"
#include "tests/test.h"
#include <pthread.h>
#include <stdio.h>

enum { HOUR = 3600 * 1000 };
static const uint64_t now = (uint64_t)1800000000 * 1000;

static struct decision against(enum scope scope, const char *value, enum remedy_kind remedy, uint64_t for_ms)
{
	return (struct decision){ .scope = scope, .value = bytes_of(value), .remedy = remedy, .reason = BYTES("test/it"),
				  .origin = BYTES("embergate"), .made_ms = now, .until_ms = now + for_ms };
}

static enum decisions_added add(struct decisions *d, enum scope scope, const char *value, enum remedy_kind remedy, uint64_t for_ms)
{
	struct decision new = against(scope, value, remedy, for_ms);

	return decisions_add(d, &new);
}

/* REMEDY_ALLOW: nothing is held. */
static enum remedy_kind held(struct decisions *d, const char *address, uint64_t at)
{
	struct arena *a = arena_new(1 << 16);
	struct decision out = { .remedy = REMEDY_ALLOW };
	struct ip ip;
	enum remedy_kind r;

	assert_true(ip_parse(bytes_of(address), &ip));
	r = decisions_find(d, &(struct decisions_ask){ .client = &ip }, at, a, &out) ? out.remedy : REMEDY_ALLOW;
	arena_free(a);
	return r;
}

static void the_strictest_counts_until_it_is_over(void **state)
{
	struct decisions *d = decisions_new(100);

	(void)state;
	assert_int_equal(held(d, "203.0.113.1", now), REMEDY_ALLOW);
	assert_int_equal(add(d, SCOPE_IP, "203.0.113.1", REMEDY_CHALLENGE, 2 * HOUR), DECISION_HELD);
	assert_int_equal(add(d, SCOPE_IP, "203.0.113.1", REMEDY_DENY, HOUR), DECISION_HELD);
	assert_int_equal(held(d, "203.0.113.1", now), REMEDY_DENY);
	assert_int_equal(held(d, "203.0.113.1", now + HOUR), REMEDY_CHALLENGE);
	assert_int_equal(held(d, "203.0.113.1", now + 2 * HOUR), REMEDY_ALLOW);
	assert_int_equal(held(d, "203.0.113.2", now), REMEDY_ALLOW);
	decisions_free(d);
}

static void addresses_ranges_and_what_is_written_differently(void **state)
{
	struct decisions *d = decisions_new(100);

	(void)state;
	assert_int_equal(add(d, SCOPE_IP, "2001:db8::1", REMEDY_DENY, HOUR), DECISION_HELD);
	assert_int_equal(held(d, "2001:db8::ffff", now), REMEDY_DENY);
	assert_int_equal(held(d, "2001:db8:0:1::1", now), REMEDY_ALLOW);
	assert_int_equal(add(d, SCOPE_IP, "::ffff:203.0.113.9", REMEDY_DENY, HOUR), DECISION_HELD);
	assert_int_equal(held(d, "203.0.113.9", now), REMEDY_DENY);
	assert_int_equal(add(d, SCOPE_RANGE, "198.51.100.0/24", REMEDY_TARPIT, HOUR), DECISION_HELD);
	assert_int_equal(held(d, "198.51.100.77", now), REMEDY_TARPIT);
	assert_int_equal(held(d, "198.51.101.77", now), REMEDY_ALLOW);
	assert_int_equal(add(d, SCOPE_IP, "not an address", REMEDY_DENY, HOUR), DECISION_WRONG);
	assert_int_equal(add(d, SCOPE_RANGE, "198.51.100.0/33", REMEDY_DENY, HOUR), DECISION_WRONG);
	assert_int_equal(add(d, SCOPE_COUNTRY, "", REMEDY_DENY, HOUR), DECISION_WRONG);
	assert_int_equal(add(d, SCOPE_COUNTRY, "D\n", REMEDY_DENY, HOUR), DECISION_WRONG);
	assert_int_equal(add(d, SCOPE_SESSION, "a\r\nb", REMEDY_DENY, HOUR), DECISION_WRONG);
	decisions_free(d);
}

static void other_scopes_are_asked_by_their_values(void **state)
{
	struct decisions *d = decisions_new(100);
	struct arena *a = arena_new(1 << 16);
	struct decision out;

	(void)state;
	add(d, SCOPE_USERNAME, "0123abcd", REMEDY_CAPTCHA, HOUR);
	add(d, SCOPE_COUNTRY, "AQ", REMEDY_CHALLENGE, HOUR);
	assert_false(decisions_find(d, &(struct decisions_ask){ .user = BYTES("other") }, now, a, &out));
	assert_true(decisions_find(d, &(struct decisions_ask){ .user = BYTES("0123abcd") }, now, a, &out));
	assert_int_equal(out.remedy, REMEDY_CAPTCHA);
	assert_true(bytes_eq(out.reason, BYTES("test/it")));
	assert_true(decisions_find(d, &(struct decisions_ask){ .country = BYTES("AQ") }, now, a, &out));
	assert_false(decisions_find(d, &(struct decisions_ask){ .session = BYTES("AQ") }, now, a, &out));
	arena_free(a);
	decisions_free(d);
}

static void loopback_and_the_spared_are_never_held(void **state)
{
	struct decisions *d = decisions_new(100);
	struct ip_net net;

	(void)state;
	assert_true(ip_net_parse(BYTES("192.0.2.0/28"), &net));
	decisions_spare(d, &net, 1);
	assert_int_equal(add(d, SCOPE_IP, "127.0.0.1", REMEDY_DENY, HOUR), DECISION_SPARED);
	assert_int_equal(add(d, SCOPE_IP, "::1", REMEDY_DENY, HOUR), DECISION_SPARED);
	assert_int_equal(add(d, SCOPE_IP, "192.0.2.5", REMEDY_DENY, HOUR), DECISION_SPARED);
	assert_int_equal(add(d, SCOPE_RANGE, "192.0.2.0/24", REMEDY_DENY, HOUR), DECISION_SPARED);
	assert_int_equal(add(d, SCOPE_RANGE, "127.0.0.0/8", REMEDY_DENY, HOUR), DECISION_SPARED);
	assert_int_equal(add(d, SCOPE_RANGE, "0.0.0.0/0", REMEDY_DENY, HOUR), DECISION_SPARED);
	assert_int_equal(add(d, SCOPE_IP, "192.0.2.99", REMEDY_DENY, HOUR), DECISION_HELD);
	assert_true(ip_net_parse(BYTES("2001:db8::5"), &net));
	decisions_spare(d, &net, 1);
	assert_int_equal(add(d, SCOPE_IP, "2001:db8::77", REMEDY_DENY, HOUR), DECISION_SPARED); /* one /64 */
	assert_int_equal(add(d, SCOPE_IP, "2001:db8:0:1::77", REMEDY_DENY, HOUR), DECISION_HELD);
	decisions_free(d);
}

static void sweep_all(struct decisions *d, uint64_t at)
{
	for (int i = 0; i < DECISIONS_SWEEPS; i++)
		decisions_sweep(d, at);
}

static void repeaters_are_known_and_a_second_one_prolongs(void **state)
{
	struct decisions *d = decisions_new(100);
	struct decision again = against(SCOPE_IP, "203.0.113.1", REMEDY_DENY, 5 * HOUR);

	(void)state;
	assert_int_equal(decisions_past(d, SCOPE_IP, BYTES("203.0.113.1"), now), 0);
	add(d, SCOPE_IP, "203.0.113.1", REMEDY_DENY, HOUR);
	assert_int_equal(decisions_past(d, SCOPE_IP, BYTES("203.0.113.1"), now + 2 * HOUR), 1);
	again.made_ms = now + HOUR / 2;
	assert_int_equal(decisions_add(d, &again), DECISION_HELD);
	assert_int_equal(decisions_held(d), 1);
	assert_int_equal(held(d, "203.0.113.1", now + 4 * HOUR), REMEDY_DENY);
	assert_int_equal(decisions_past(d, SCOPE_IP, BYTES("203.0.113.1"), now + 6 * HOUR), 2);
	sweep_all(d, now + 6 * HOUR);
	assert_int_equal(decisions_held(d), 1);
	sweep_all(d, now + 80 * (uint64_t)HOUR);
	assert_int_equal(decisions_held(d), 0);
	assert_int_equal(decisions_past(d, SCOPE_IP, BYTES("203.0.113.1"), now + 80 * (uint64_t)HOUR), 0);
	decisions_free(d);
}

static void ranges_as_wide_as_all_are_never_held(void **state)
{
	static const char *const wide[] = { "0.0.0.0/0", "126.0.0.0/7", "::/0", "::/8", "127.0.0.0/8" };
	struct decisions *d = decisions_new(100);

	(void)state;
	for (size_t i = 0; i < nelems(wide); i++)
		assert_int_equal(add(d, SCOPE_RANGE, wide[i], REMEDY_DENY, HOUR), DECISION_SPARED);
	assert_int_equal(add(d, SCOPE_RANGE, "128.0.0.0/1", REMEDY_DENY, HOUR), DECISION_HELD);
	decisions_free(d);
}

/* Each sweep looks at a part; all parts have had their turn after so many. */
static void a_sweep_in_parts_forgets_all_that_is_over(void **state)
{
	struct decisions *d = decisions_new(80000);
	char value[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(value, sizeof value, "10.0.%d.%d", i / 250, i % 250);
		add(d, SCOPE_IP, value, REMEDY_DENY, HOUR);
	}
	decisions_sweep(d, now + 100 * (uint64_t)HOUR);
	assert_in_range(decisions_held(d), 4500, 4999);
	sweep_all(d, now + 100 * (uint64_t)HOUR);
	assert_int_equal(decisions_held(d), 0);
	decisions_free(d);
}

static bool count_one(void *ctx, const struct decision *d)
{
	*(size_t *)ctx += d->until_ms > now;
	return true;
}

static void they_are_listed_lifted_and_bounded(void **state)
{
	struct decisions *d = decisions_new(24); /* three of them for scenarios */
	struct decision simulated = against(SCOPE_IP, "203.0.113.7", REMEDY_DENY, HOUR), by_hand = simulated;
	size_t n = 0;

	(void)state;
	add(d, SCOPE_IP, "203.0.113.1", REMEDY_DENY, HOUR);
	add(d, SCOPE_IP, "203.0.113.1", REMEDY_CHALLENGE, HOUR);
	simulated.simulated = true;
	assert_int_equal(decisions_add(d, &simulated), DECISION_HELD);
	assert_int_equal(held(d, "203.0.113.7", now), REMEDY_ALLOW);
	assert_int_equal(decisions_past(d, SCOPE_IP, BYTES("203.0.113.7"), now), 0); /* told, not enforced */
	assert_int_equal(add(d, SCOPE_IP, "203.0.113.2", REMEDY_DENY, HOUR), DECISION_FULL);
	by_hand.origin = BYTES("manual");
	by_hand.value = BYTES("203.0.113.2");
	assert_int_equal(decisions_add(d, &by_hand), DECISION_HELD);
	assert_int_equal(decisions_lift(d, SCOPE_IP, by_hand.value), 1);
	decisions_each(d, now, count_one, &n);
	assert_int_equal(n, 3);
	assert_int_equal(decisions_lift(d, SCOPE_IP, BYTES("203.0.113.1")), 2);
	assert_int_equal(held(d, "203.0.113.1", now), REMEDY_ALLOW);
	assert_int_equal(add(d, SCOPE_RANGE, "203.0.113.0/24", REMEDY_DENY, HOUR), DECISION_HELD);
	assert_int_equal(decisions_lift(d, SCOPE_RANGE, BYTES("203.0.113.0/24")), 1);
	assert_int_equal(held(d, "203.0.113.1", now), REMEDY_ALLOW);
	decisions_free(d);
}

static void they_are_counted(void **state)
{
	struct decisions *d = decisions_new(24); /* three for scenarios */
	struct decisions_stats s;

	(void)state;
	add(d, SCOPE_IP, "203.0.113.1", REMEDY_DENY, HOUR);
	add(d, SCOPE_IP, "203.0.113.1", REMEDY_DENY, 2 * HOUR); /* prolongs */
	add(d, SCOPE_IP, "203.0.113.2", REMEDY_DENY, HOUR);
	add(d, SCOPE_RANGE, "198.51.100.0/24", REMEDY_CHALLENGE, HOUR);
	add(d, SCOPE_IP, "203.0.113.3", REMEDY_DENY, HOUR);
	add(d, SCOPE_IP, "127.0.0.1", REMEDY_DENY, HOUR);
	decisions_count(d, &s);
	assert_int_equal(s.made[REMEDY_DENY], 3);
	assert_int_equal(s.made[REMEDY_CHALLENGE], 1);
	assert_int_equal(s.active[SCOPE_IP][REMEDY_DENY], 2);
	assert_int_equal(s.active[SCOPE_RANGE][REMEDY_CHALLENGE], 1);
	assert_int_equal(s.full, 1);
	assert_int_equal(s.spared, 1);
	for (int i = 0; i < DECISIONS_SWEEPS; i++)
		decisions_sweep(d, now + HOUR);
	decisions_lift(d, SCOPE_IP, BYTES("203.0.113.2")); /* it was over: not taken off twice */
	decisions_count(d, &s);
	assert_int_equal(s.active[SCOPE_IP][REMEDY_DENY], 1);
	assert_int_equal(s.active[SCOPE_RANGE][REMEDY_CHALLENGE], 0);
	decisions_lift(d, SCOPE_IP, BYTES("203.0.113.1"));
	decisions_count(d, &s);
	assert_int_equal(s.active[SCOPE_IP][REMEDY_DENY], 0);
	decisions_free(d);
}

static void ranges_are_found_whatever_lies_in_them(void **state)
{
	static const char *const nets[] = { "198.51.100.7/16", "198.51.100.0/24", "198.51.100.64/26", "198.51.100.65/32", "2001:db8::/32",
					    "2001:db8:0:1::/64", "2001:db8:0:1::9/128" };
	static const struct { const char *address; enum remedy_kind remedy; } asked[] = {
		{ "198.51.7.7", REMEDY_LOG }, { "198.51.100.1", REMEDY_THROTTLE }, { "198.51.100.66", REMEDY_CHALLENGE },
		{ "198.51.100.65", REMEDY_CAPTCHA }, { "198.52.0.1", REMEDY_ALLOW }, { "2001:db8:7::1", REMEDY_TARPIT },
		{ "2001:db8:0:1::1", REMEDY_DENY }, { "2001:db9::1", REMEDY_ALLOW },
	};
	static const enum remedy_kind remedies[] = { REMEDY_LOG, REMEDY_THROTTLE, REMEDY_CHALLENGE, REMEDY_CAPTCHA, REMEDY_TARPIT,
						     REMEDY_DENY, REMEDY_DENY };
	struct decisions *d = decisions_new(1000);

	(void)state;
	for (size_t i = 0; i < nelems(nets); i++)
		assert_int_equal(add(d, SCOPE_RANGE, nets[i], remedies[i], HOUR), DECISION_HELD);
	for (size_t i = 0; i < nelems(asked); i++)
		assert_int_equal(held(d, asked[i].address, now), asked[i].remedy);
	assert_int_equal(add(d, SCOPE_IP, "2001:db8:0:1::77", REMEDY_DENY, HOUR), DECISION_HELD); /* beside the range of that /64 */
	assert_int_equal(decisions_lift(d, SCOPE_RANGE, BYTES("2001:db8:0:1::/64")), 1);
	assert_int_equal(held(d, "2001:db8:0:1::1", now), REMEDY_DENY);
	assert_int_equal(decisions_lift(d, SCOPE_IP, BYTES("2001:db8:0:1::1")), 1);
	assert_int_equal(held(d, "2001:db8:0:1::1", now), REMEDY_TARPIT);
	assert_int_equal(held(d, "2001:db8:0:1::9", now), REMEDY_DENY);
	assert_int_equal(decisions_lift(d, SCOPE_RANGE, BYTES("198.51.0.0/16")), 1); /* as it was put in without host bits */
	assert_int_equal(held(d, "198.51.7.7", now), REMEDY_ALLOW);
	decisions_free(d);
}

static void one_is_lifted_by_its_id_and_no_other(void **state)
{
	struct decisions *d = decisions_new(80000);
	struct decision first = against(SCOPE_IP, "203.0.113.1", REMEDY_DENY, HOUR), second = first, country = first;

	(void)state;
	second.remedy = REMEDY_CHALLENGE;
	country.scope = SCOPE_COUNTRY;
	country.value = BYTES("AQ");
	assert_int_equal(decisions_add(d, &first), DECISION_HELD);
	assert_int_equal(decisions_add(d, &second), DECISION_HELD);
	assert_int_equal(decisions_add(d, &country), DECISION_HELD);
	assert_true(decisions_any(d, SCOPE_COUNTRY));
	assert_true(decisions_lift_id(d, first.id));
	assert_false(decisions_lift_id(d, first.id));
	assert_int_equal(held(d, "203.0.113.1", now), REMEDY_CHALLENGE);
	assert_true(decisions_lift_id(d, country.id));
	assert_false(decisions_any(d, SCOPE_COUNTRY));
	assert_true(decisions_lift_id(d, second.id));
	assert_int_equal(held(d, "203.0.113.1", now), REMEDY_ALLOW);
	decisions_free(d);
}

/* ---- gates that meet again ---- */

enum { OPERATIONS = 400, GATES = 3 };
struct operation { struct decision d; bool lift; char value[32]; };

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* Of each id up to three adds, later ones longer, and sometimes a lift after them. */
static void some_operations(struct operation *all, uint64_t *random)
{
	uint64_t wall = clock_wall_ms();

	for (unsigned i = 0; i < OPERATIONS; i++) {
		struct operation *o = &all[i];
		unsigned id = i / 4 + 1;

		snprintf(o->value, sizeof o->value, "203.0.%u.%u", id % 3, id % 20);
		o->d = against(SCOPE_IP, o->value, id % 2 ? REMEDY_DENY : REMEDY_CHALLENGE, HOUR);
		o->d.id = (uint64_t)id << 40 | id % GATES;
		o->d.node = id % GATES;
		o->d.made_ms = wall;
		o->d.until_ms = wall + HOUR + i * 1000;
		o->d.stamp = (wall << 16) + i;
		o->lift = i % 4 == 3 && draw(random) % 2;
	}
}

static void apply(struct decisions *d, const struct operation *o)
{
	if (o->lift)
		decisions_apply_lift(d, &o->d);
	else
		decisions_apply(d, &o->d);
}

struct states { uint64_t sum; size_t n; };

static bool sum_up(void *ctx, const struct decision *d)
{
	struct states *s = ctx;

	s->sum += (d->id * 31 + d->until_ms) * 31 + d->stamp;
	s->n++;
	return true;
}

static struct states state_of(struct decisions *d)
{
	struct states s = { 0 };

	decisions_each(d, clock_wall_ms(), sum_up, &s);
	return s;
}

static void gates_that_hear_all_in_any_order_hold_the_same(void **state)
{
	static struct operation all[OPERATIONS];
	struct states first = { 0 };
	uint64_t random = 88172645463325252u;

	(void)state;
	some_operations(all, &random);
	for (int gate = 0; gate < GATES; gate++) {
		struct decisions *d = decisions_new(80000);
		struct states s;

		for (unsigned i = 0; i < OPERATIONS * 8; i++) /* some twice and more often, */
			apply(d, &all[draw(&random) % OPERATIONS]);
		for (unsigned i = 0, at = (unsigned)draw(&random) % OPERATIONS; i < OPERATIONS; i++) /* and all */
			apply(d, &all[(at + i * 7) % OPERATIONS]);
		s = state_of(d);
		if (gate == 0)
			first = s;
		assert_in_range(s.n, 1, OPERATIONS / 4 - 1);
		assert_int_equal(s.n, first.n);
		assert_int_equal(s.sum, first.sum);
		decisions_free(d);
	}
}

/* Whatever of the product's upper bits a table of lifts takes, they are the same: all collide. */
static size_t ids_that_collide(uint64_t *ids, size_t n)
{
	const uint64_t factor = 0x9e3779b97f4a7c15u, upper = 0x0123456789ab0000u;
	uint64_t inverse = 1;
	size_t found = 0;

	for (int i = 0; i < 6; i++)
		inverse *= 2 - factor * inverse;
	for (uint64_t low = 0; found < n && low < 65536; low++)
		if ((upper | low) * inverse <= INT64_MAX)
			ids[found++] = (upper | low) * inverse;
	return found;
}

static void of_lifts_that_collide_the_one_that_ends_first_is_forgotten(void **state)
{
	enum { LIFTS = 5 };
	struct decisions *d = decisions_new(80000);
	uint64_t ids[LIFTS], wall = clock_wall_ms();

	(void)state;
	assert_int_equal(ids_that_collide(ids, LIFTS), LIFTS);
	for (unsigned i = 0; i < LIFTS; i++) {
		struct decision of = against(SCOPE_IP, "203.0.113.7", REMEDY_DENY, HOUR);

		of.id = ids[(i + 2) % LIFTS];
		of.until_ms = wall + HOUR + (i + 2) % LIFTS * 1000;
		of.stamp = wall << 16 | i;
		decisions_apply_lift(d, &of);
		decisions_apply_lift(d, &of); /* takes no more room */
	}
	for (unsigned i = 0; i < LIFTS; i++) {
		struct decision of = against(SCOPE_IP, "203.0.113.7", REMEDY_DENY, HOUR);

		of.id = ids[i];
		of.until_ms = wall + HOUR;
		of.stamp = wall << 16;
		assert_int_equal(decisions_apply(d, &of), i ? DECISION_WRONG : DECISION_HELD);
	}
	decisions_free(d);
}

/* The clock was set back while the gate was down. */
static void what_is_made_after_a_restart_comes_after_what_was_kept(void **state)
{
	struct decisions *d = decisions_new(80000);
	uint64_t wall = clock_wall_ms();
	struct decision kept = against(SCOPE_IP, "203.0.113.7", REMEDY_DENY, HOUR), later = kept;

	(void)state;
	kept.id = 4711;
	kept.until_ms = wall + HOUR;
	kept.stamp = (wall + 60000) << 16;
	assert_int_equal(decisions_restore(d, &kept, 1), DECISION_HELD);
	assert_int_equal(decisions_add(d, &later), DECISION_HELD);
	assert_true(later.id == kept.id && later.stamp > kept.stamp);
	decisions_free(d);
}

static void *busy(void *arg)
{
	struct decisions *d = arg;
	char value[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(value, sizeof value, "203.0.%d.%d", i % 20, i % 50);
		add(d, i % 9 ? SCOPE_IP : SCOPE_RANGE, value, REMEDY_DENY, HOUR);
		held(d, value, now);
		if (i % 7 == 0)
			decisions_lift(d, SCOPE_IP, bytes_of(value));
		if (i % 500 == 0)
			decisions_sweep(d, now + 100 * (uint64_t)HOUR);
	}
	arena_thread_end();
	return NULL;
}

static void several_threads_may_use_them(void **state)
{
	struct decisions *d = decisions_new(80000);
	pthread_t t[3];

	(void)state;
	for (size_t i = 0; i < nelems(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, busy, d), 0);
	for (size_t i = 0; i < nelems(t); i++)
		pthread_join(t[i], NULL);
	sweep_all(d, now + 100 * (uint64_t)HOUR);
	assert_int_equal(decisions_held(d), 0);
	decisions_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strictest_counts_until_it_is_over),
		cmocka_unit_test(addresses_ranges_and_what_is_written_differently),
		cmocka_unit_test(other_scopes_are_asked_by_their_values),
		cmocka_unit_test(loopback_and_the_spared_are_never_held),
		cmocka_unit_test(repeaters_are_known_and_a_second_one_prolongs),
		cmocka_unit_test(ranges_as_wide_as_all_are_never_held),
		cmocka_unit_test(a_sweep_in_parts_forgets_all_that_is_over),
		cmocka_unit_test(they_are_listed_lifted_and_bounded),
		cmocka_unit_test(they_are_counted),
		cmocka_unit_test(ranges_are_found_whatever_lies_in_them),
		cmocka_unit_test(one_is_lifted_by_its_id_and_no_other),
		cmocka_unit_test(gates_that_hear_all_in_any_order_hold_the_same),
		cmocka_unit_test(of_lifts_that_collide_the_one_that_ends_first_is_forgotten),
		cmocka_unit_test(what_is_made_after_a_restart_comes_after_what_was_kept),
		cmocka_unit_test(several_threads_may_use_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
