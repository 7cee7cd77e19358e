/* profile.c -- what an overflow is worth. */
#include "scenarios/profile.h"
#include "tests/test.h"

enum { HOUR = 3600 * 1000 };

static unsigned times;

static unsigned past(void *ctx, enum scope scope, struct bytes value)
{
	(void)ctx, (void)scope, (void)value;
	return times;
}

static size_t addresses = 1; /* that the overflow came from */

/* false: nothing. */
static bool decide(const struct profiles *p, const char *behavior, bool remediation, const char *app, struct decision *out)
{
	struct scenario_info info = { .name = BYTES("test/it"), .behavior = bytes_of(behavior), .remediation = remediation };
	struct overflow o = { .scenario = &info, .scope = SCOPE_IP, .scope_name = BYTES("Ip"), .value = BYTES("203.0.113.1"),
			      .count = 11, .last_ms = 1000, .nsources = addresses };
	struct arena *a = arena_new(1 << 20);
	struct profiles_ask ask = { .overflow = &o, .app = bytes_of(app), .past = past, .arena = a };
	bool r = profiles_decide(p, &ask, out);

	arena_free(a);
	return r;
}

static void without_profiles_crowds_are_challenged_and_attacks_denied_longer_each_time(void **state)
{
	static const uint64_t hours[] = { 4, 24, 72, 72 };
	struct profiles *p = profiles_new(NULL, 0, NULL);
	struct decision d;

	(void)state;
	assert_non_null(p);
	times = 0;
	assert_false(decide(p, "http:scan", false, "shop", &d));
	assert_true(decide(p, "http:dos", true, "shop", &d));
	assert_int_equal(d.remedy, REMEDY_CHALLENGE);
	for (times = 0; times < nelems(hours); times++) {
		assert_true(decide(p, "http:scan", true, "shop", &d));
		assert_int_equal(d.remedy, REMEDY_DENY);
		assert_int_equal(d.until_ms - d.made_ms, hours[times] * HOUR);
	}
	profiles_free(p);
}

static void what_several_addresses_did_together_is_a_challenge(void **state)
{
	struct profiles *p = profiles_new(NULL, 0, NULL);
	struct decision d;

	(void)state;
	assert_non_null(p);
	times = 0;
	for (addresses = 1; addresses < 4; addresses++) {
		assert_true(decide(p, "http:bruteforce", true, "shop", &d));
		assert_int_equal(d.remedy, addresses > 1 ? REMEDY_CHALLENGE : REMEDY_DENY);
	}
	addresses = 1;
	profiles_free(p);
}

static void the_first_that_is_true_decides(void **state)
{
	static const struct bytes apps[] = { BYTES_INIT("blog") };
	static const struct profile_text texts[] = {
		{ .name = BYTES_INIT("blog"), .remedy = REMEDY_LOG, .apps = apps, .napps = 1 },
		{ .name = BYTES_INIT("known"), .when = BYTES_INIT("Alert.GetScenario() == 'test/it' && Alert.GetEventsCount() > 10"),
		  .remedy = REMEDY_CAPTCHA, .for_ms = { 1000 * (uint64_t)HOUR }, .nfor = 1 },
		{ .name = BYTES_INIT("rest"), .remedy = REMEDY_DENY },
	};
	struct err err;
	struct profiles *p = profiles_new(texts, nelems(texts), &err);
	struct decision d;

	(void)state;
	assert_non_null(p);
	times = 0;
	assert_true(decide(p, "http:scan", true, "blog", &d));
	assert_int_equal(d.remedy, REMEDY_LOG);
	assert_int_equal(d.until_ms - d.made_ms, 4 * HOUR);
	assert_true(decide(p, "http:scan", true, "shop", &d));
	assert_int_equal(d.remedy, REMEDY_CAPTCHA);
	assert_int_equal(d.until_ms - d.made_ms, 72 * HOUR); /* nothing is held for longer */
	profiles_free(p);
}

static void allow_ends_the_search_and_decides_nothing(void **state)
{
	static const struct profile_text texts[] = {
		{ .name = BYTES_INIT("spare"), .when = BYTES_INIT("GetDecisionsCount(Alert.GetValue()) == 0"), .remedy = REMEDY_ALLOW },
		{ .name = BYTES_INIT("rest"), .remedy = REMEDY_DENY },
	};
	struct err err;
	struct profiles *p = profiles_new(texts, nelems(texts), &err);
	struct decision d;

	(void)state;
	assert_non_null(p);
	times = 0;
	assert_false(decide(p, "http:scan", true, "shop", &d));
	times = 1;
	assert_true(decide(p, "http:scan", true, "shop", &d));
	profiles_free(p);
}

static void a_condition_that_is_wrong_is_told(void **state)
{
	static const struct profile_text text = { .name = BYTES_INIT("odd"), .when = BYTES_INIT("Alert.Remedation"),
						  .remedy = REMEDY_DENY };
	struct err err;

	(void)state;
	assert_null(profiles_new(&text, 1, &err));
	assert_non_null(strstr(err.text, "profile odd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_profiles_crowds_are_challenged_and_attacks_denied_longer_each_time),
		cmocka_unit_test(what_several_addresses_did_together_is_a_challenge),
		cmocka_unit_test(the_first_that_is_true_decides),
		cmocka_unit_test(allow_ends_the_search_and_decides_nothing),
		cmocka_unit_test(a_condition_that_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
