/* lapi_told.c -- what a local API tells is read strictly, held as told, and lifted when the last that told it is gone. */
#include "base/clock.h"
#include "cti/lapi_told.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>

#define ITEM(left, scope, type, value) \
	"{\"duration\":\"" left "\",\"id\":1,\"origin\":\"cscli\",\"scenario\":\"s\",\"scope\":\"" scope "\",\"type\":\"" type \
	"\",\"value\":\"" value "\"}"

enum { HOUR = 3600 * 1000 };
static const atomic_bool never;

struct house { struct decisions *d; struct lapi_told *t; struct lapi_applied got; };

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	h->d = decisions_new(400000);
	h->t = lapi_told_new(h->d, REMEDY_DENY, true);
	*state = h;
	return 0;
}

static int end(void **state)
{
	struct house *h = *state;

	lapi_told_free(h->t);
	decisions_free(h->d);
	free(h);
	return 0;
}

static void tell_at(struct house *h, const char *answer, bool whole, uint64_t now_ms)
{
	struct lapi_answer s;
	struct err e = { 0 };

	if (!lapi_answer_read(bytes_of(answer), &s, &e))
		fail_msg("%s: %s", answer, e.text);
	lapi_told_apply(h->t, &s, whole, now_ms, &never, &h->got);
}

static void tell(struct house *h, const char *answer, bool whole)
{
	tell_at(h, answer, whole, clock_wall_ms());
}

/* The remedy that an address meets, allow when none; and until when. */
static enum remedy_kind met(struct house *h, const char *address, uint64_t *left_ms)
{
	struct arena *a = arena_new(1 << 16);
	struct decision out = { .remedy = REMEDY_ALLOW };
	uint64_t now = clock_wall_ms();
	struct ip ip;

	assert_true(ip_parse(bytes_of(address), &ip));
	if (decisions_find(h->d, &(struct decisions_ask){ .client = &ip }, now, a, &out)) {
		assert_true(out.hearsay && bytes_eq(out.reason, BYTES("s")) && bytes_eq(out.origin, BYTES("crowdsec:cscli")));
		if (left_ms)
			*left_ms = out.until_ms - now;
	}
	arena_free(a);
	return out.remedy;
}

static void answers_that_are_none_are_refused(void **state)
{
	static const char *const rows[] = {
		"", "null", "[]", "{}", "{\"new\":[]}", "{\"deleted\":null}", "{\"new\":{},\"deleted\":null}",
		"{\"new\":[],\"new\":[],\"deleted\":null}", "{\"new\":[1 2],\"deleted\":null}", "{\"new\":[,],\"deleted\":null}",
		"{\"new\":[{}],\"deleted\":null", "{\"new\":[{},],\"deleted\":null}", "{\"new\":[{]},\"deleted\":null}",
		"{\"new\":[],\"deleted\":null}x", "{\"new\":\"x\",\"deleted\":null}", "{\"new\":[],\"deleted\":null,}",
		"{\"new\":[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]],\"deleted\":null}", "{\"message\":\"access forbidden\"}",
		"{\"new\":[\"x],\"deleted\":null}",
	};
	struct lapi_answer s;

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };

		if (lapi_answer_read(bytes_of(rows[i]), &s, &e) || e.side != SIDE_UPSTREAM)
			fail_msg("'%s' is taken", rows[i]);
	}
}

static void decisions_that_are_wrong_are_left_out_and_cost_no_other(void **state)
{
	static const char *const rows[] = {
		"1", "null", "[]", "{}", "\"x\"", ITEM("1h", "Ip", "ban", "300.1.1.1"), ITEM("1h", "Ip", "ban", ""),
		ITEM("1x", "Ip", "ban", "192.0.2.1"), ITEM("", "Ip", "ban", "192.0.2.1"), ITEM("-1h", "Ip", "ban", "192.0.2.1"),
		ITEM("9e99h", "Ip", "ban", "192.0.2.1"), ITEM("99999999999999999999h", "Ip", "ban", "192.0.2.1"),
		ITEM("1h", "Range", "ban", "192.0.2.1/99"), ITEM("1h", "Country", "ban", "D3"), ITEM("1h", "Country", "ban", "DEU"),
		ITEM("1h", "AS", "ban", "many"), ITEM("1h", "AS", "ban", "4294967296"), ITEM("1h", "Username", "ban", "eve"),
		ITEM("1h", "Ip", "", "192.0.2.1"), ITEM("1h", "Ip", "bypass", "192.0.2.1"), ITEM("1h", "Ip", "allow", "192.0.2.1"),
		"{\"duration\":5,\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"}",
		"{\"duration\":\"1h\",\"scope\":[\"Ip\"],\"type\":\"ban\",\"value\":\"192.0.2.1\"}",
		"{\"duration\":\"1h\",\"duration\":\"1h\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"}",
		"{\"duration\":\"1h\",\"simulated\":true,\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"}",
		"{\"duration\":\"1h\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\\u0000\"}",
	};
	struct house *h = *state;
	char room[1024];

	for (size_t i = 0; i < nelems(rows); i++) {
		snprintf(room, sizeof room, "{\"new\":[%s,%s],\"deleted\":null}", rows[i], ITEM("1h", "Ip", "ban", "198.51.100.1"));
		tell(h, room, true);
		if (h->got.left_out != 1 || lapi_told_count(h->t) != 1 || decisions_held(h->d) != 1)
			fail_msg("%s: %zu left out, %zu told", rows[i], h->got.left_out, lapi_told_count(h->t));
	}
}

static void what_is_told_is_held_and_what_is_deleted_is_lifted(void **state)
{
	struct house *h = *state;
	uint64_t left = 0;

	tell(h, "{\"deleted\":[" ITEM("-5s", "Ip", "ban", "192.0.2.77") "],\"new\":[" ITEM("3h59m30.124944235s", "Ip", "ban", "192.0.2.1")
	     "," ITEM("1h", "Range", "captcha", "198.51.100.0/24") "," ITEM("8760h", "ip", "odd", "2001:db8::1") "]}", true);
	assert_int_equal(h->got.held, 3);
	assert_int_equal(met(h, "192.0.2.1", &left), REMEDY_DENY);
	assert_true(left > 3 * HOUR && left < 4 * HOUR);
	assert_int_equal(met(h, "198.51.100.9", NULL), REMEDY_CAPTCHA);
	assert_int_equal(met(h, "2001:db8::2", &left), REMEDY_CHALLENGE); /* its /64 */
	assert_true(left <= DECISION_LIFE_MAX_MS && left > DECISION_LIFE_MAX_MS - HOUR);
	tell(h, "{\"new\":null,\"deleted\":[" ITEM("-1s", "Ip", "ban", "192.0.2.1") "," ITEM("-1s", "Ip", "ban", "9.9.9.9") "],\"x\":1}", false);
	assert_int_equal(h->got.lifted, 1);
	assert_int_equal(met(h, "192.0.2.1", NULL), REMEDY_ALLOW);
	assert_int_equal(met(h, "198.51.100.9", NULL), REMEDY_CAPTCHA);
	tell(h, "{\"new\":[" ITEM("1h", "Ip", "ban", "192.0.2.2") "],\"deleted\":[]}", true); /* all else is lifted */
	assert_int_equal(h->got.lifted, 2);
	assert_int_equal(met(h, "198.51.100.9", NULL), REMEDY_ALLOW);
	assert_int_equal(met(h, "192.0.2.2", NULL), REMEDY_DENY);
}

static void two_addresses_of_one_network_are_held_until_the_last_is_gone(void **state)
{
	struct house *h = *state;
	uint64_t left = 0;

	tell(h, "{\"new\":[" ITEM("2h", "Ip", "ban", "2001:db8::1") "," ITEM("1h", "Ip", "ban", "2001:db8::2") "],\"deleted\":null}", true);
	assert_int_equal(met(h, "2001:db8::9", &left), REMEDY_DENY);
	assert_true(left > HOUR);
	tell(h, "{\"new\":null,\"deleted\":[" ITEM("-1s", "Ip", "ban", "2001:db8::1") "]}", false);
	assert_int_equal(met(h, "2001:db8::9", &left), REMEDY_DENY);
	assert_true(left <= HOUR);
	tell(h, "{\"new\":null,\"deleted\":[" ITEM("-1s", "Ip", "ban", "2001:db8::2") "]}", false);
	assert_int_equal(met(h, "2001:db8::9", NULL), REMEDY_ALLOW);
}

static void a_shorter_life_is_told_too(void **state)
{
	struct house *h = *state;
	uint64_t left = 0;

	tell(h, "{\"new\":[" ITEM("4h", "Ip", "ban", "192.0.2.1") "],\"deleted\":null}", true);
	tell(h, "{\"new\":[" ITEM("1h", "Ip", "ban", "192.0.2.1") "],\"deleted\":null}", false);
	assert_int_equal(met(h, "192.0.2.1", &left), REMEDY_DENY);
	assert_true(left <= HOUR);
}

static void nothing_is_changed_that_is_told_again(void **state)
{
	static const char all[] = "{\"new\":[" ITEM("4h", "Ip", "ban", "192.0.2.1") "," ITEM("900h", "Ip", "ban", "192.0.2.2") "],\"deleted\":null}";
	struct house *h = *state;
	uint64_t now = clock_wall_ms();

	tell_at(h, all, true, now);
	assert_int_equal(h->got.held, 2);
	tell_at(h, all, true, now + 3000);
	assert_int_equal(h->got.held, 0);
	tell_at(h, "{\"new\":[" ITEM("3h", "Ip", "ban", "192.0.2.1") "," ITEM("899h", "Ip", "ban", "192.0.2.2") "],\"deleted\":null}", true, now + HOUR);
	assert_int_equal(h->got.held + h->got.lifted, 0);
	tell_at(h, "{\"new\":[" ITEM("893h", "Ip", "ban", "192.0.2.2") "],\"deleted\":null}", false, now + 7 * HOUR);
	assert_int_equal(h->got.held, 1); /* confirmed: 72 hours from now */
	assert_int_equal(lapi_told_count(h->t), 1); /* the other is over */
}

static void what_a_process_before_was_told_is_lifted_when_it_is_not_told(void **state)
{
	struct house *h = *state;
	struct decision own = { .scope = SCOPE_IP, .value = BYTES("192.0.2.1"), .remedy = REMEDY_DENY, .reason = BYTES("s"),
				.origin = BYTES("crowdsec:cscli"), .made_ms = clock_wall_ms(), .until_ms = clock_wall_ms() + HOUR };

	assert_int_equal(decisions_add(h->d, &own), DECISION_HELD);
	own.value = BYTES("192.0.2.9");
	own.origin = BYTES("embergate");
	assert_int_equal(decisions_add(h->d, &own), DECISION_HELD);
	tell(h, "{\"new\":[" ITEM("1h", "Ip", "captcha", "192.0.2.9") "],\"deleted\":null}", true);
	assert_int_equal(h->got.lifted, 1);
	assert_int_equal(met(h, "192.0.2.1", NULL), REMEDY_ALLOW);
	tell(h, "{\"new\":null,\"deleted\":[" ITEM("1h", "Ip", "captcha", "192.0.2.9") "]}", false);
	assert_int_equal(decisions_held(h->d), 1); /* what was seen here stays */
}

static void the_cap_makes_all_as_mild(void **state)
{
	struct house *h = *state;

	lapi_told_free(h->t);
	h->t = lapi_told_new(h->d, REMEDY_CHALLENGE, true);
	tell(h, "{\"new\":[" ITEM("1h", "Ip", "ban", "192.0.2.1") "," ITEM("1h", "Ip", "captcha", "192.0.2.1") "],\"deleted\":null}", true);
	assert_int_equal(met(h, "192.0.2.1", NULL), REMEDY_CHALLENGE);
	tell(h, "{\"new\":null,\"deleted\":[" ITEM("1h", "Ip", "ban", "192.0.2.1") "]}", false);
	assert_int_equal(met(h, "192.0.2.1", NULL), REMEDY_CHALLENGE);
	tell(h, "{\"new\":null,\"deleted\":[" ITEM("1h", "Ip", "captcha", "192.0.2.1") "]}", false);
	assert_int_equal(met(h, "192.0.2.1", NULL), REMEDY_ALLOW);
}

static void what_another_gate_was_told_is_left_out(void **state)
{
	struct house *h = *state;

	tell(h, "{\"new\":[{\"duration\":\"1h\",\"origin\":\"crowdsec:CAPI\",\"scenario\":\"s\",\"scope\":\"Ip\",\"type\":\"ban\","
	     "\"value\":\"192.0.2.1\"}],\"deleted\":null}", true);
	assert_int_equal(h->got.left_out, 1);
	assert_int_equal(decisions_held(h->d), 0);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_that_are_none_are_refused),
		CLAIM(decisions_that_are_wrong_are_left_out_and_cost_no_other),
		CLAIM(what_is_told_is_held_and_what_is_deleted_is_lifted),
		CLAIM(two_addresses_of_one_network_are_held_until_the_last_is_gone),
		CLAIM(a_shorter_life_is_told_too),
		CLAIM(nothing_is_changed_that_is_told_again),
		CLAIM(what_a_process_before_was_told_is_lifted_when_it_is_not_told),
		CLAIM(the_cap_makes_all_as_mild),
		CLAIM(what_another_gate_was_told_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
