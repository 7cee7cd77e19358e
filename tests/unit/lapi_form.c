/* lapi_form.c -- CrowdSec's forms, read and written; by shape against what its own server and clients said. */
#include "base/json.h"
#include "cti/lapi_form.h"
#include "tests/test.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPTURES SOURCE_DIR "/../shared/vectors/lapi-captures"

static const uint64_t now_ms = 1795488124000; /* 2026-11-24T02:42:04Z */
static char room[64 << 10];

static void lengths_of_time_are_whole_seconds_away_from_nought(void **state)
{
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0, "0s" }, { 1, "1s" }, { 1000, "1s" }, { 1001, "2s" }, { 14399000, "3h59m59s" }, { 600000, "10m0s" },
		{ -1, "-1s" }, { -7933, "-8s" }, { INT64_MIN, NULL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct text t = text_over(room, sizeof room);

		lapi_duration(&t, rows[i].ms);
		if (rows[i].text)
			assert_bytes(text_bytes(&t), bytes_of(rows[i].text));
	}
}

static void types_are_crowdsecs_and_an_unknown_one_is_said_so(void **state)
{
	static const struct { const char *type; int remedy; } rows[] = {
		{ "ban", REMEDY_DENY }, { "Captcha", REMEDY_CAPTCHA }, { "throttle", REMEDY_THROTTLE }, { "challenge", REMEDY_CHALLENGE },
		{ "allow", -1 }, { "log", -1 }, { "mfa", -1 }, { "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		enum remedy_kind r;

		assert_int_equal(lapi_remedy(bytes_of(rows[i].type), &r) ? (int)r : -1, rows[i].remedy);
	}
	assert_string_equal(lapi_type(REMEDY_TARPIT), "ban");
	assert_null(lapi_type(REMEDY_ALLOW));
	assert_null(lapi_type(REMEDY_LOG));
}

static struct decision held(enum scope scope, const char *value)
{
	return (struct decision){ .id = 7, .scope = scope, .value = bytes_of(value), .remedy = REMEDY_DENY, .reason = BYTES("manual \"x\""),
		.origin = BYTES("cscli"), .until_ms = now_ms + 600000 };
}

static void a_decision_has_the_keys_in_their_order(void **state)
{
	struct decision d = held(SCOPE_IP, "203.0.113.5");
	struct text t = text_over(room, sizeof room);

	(void)state;
	lapi_decision(&t, &d, now_ms, 0);
	assert_bytes(text_bytes(&t), BYTES("{\"duration\":\"10m0s\",\"id\":7,\"origin\":\"cscli\",\"scenario\":\"manual \\\"x\\\"\","
					   "\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"203.0.113.5\"}"));
	t = text_over(room, sizeof room);
	lapi_decision(&t, &d, now_ms, now_ms - 7900);
	assert_true(bytes_starts(text_bytes(&t), BYTES("{\"duration\":\"-8s\",")));
}

/* ---- queries: "name=value&..." ---- */

static struct bytes param(void *ctx, struct bytes name)
{
	struct bytes rest = bytes_of(ctx), pair, key;

	while (bytes_cut(&rest, '&', &pair))
		if (bytes_cut(&pair, '=', &key) && bytes_eq(key, name))
			return pair;
	return (struct bytes){ NULL, 0 };
}

static void a_query_takes_what_crowdsec_would_give(void **state)
{
	static const struct { const char *query; bool stream; enum scope scope; const char *value; bool takes; } rows[] = {
		{ "ip=203.0.113.7", false, SCOPE_RANGE, "203.0.113.0/28", true },
		{ "ip=203.0.113.7&contains=false", false, SCOPE_RANGE, "203.0.113.0/28", false },
		{ "ip=203.0.113.7&contains=false", false, SCOPE_IP, "203.0.113.7", true },
		{ "ip=203.0.113.8", false, SCOPE_IP, "203.0.113.7", false },
		{ "range=203.0.113.0/29", false, SCOPE_RANGE, "203.0.113.0/28", true },
		{ "range=203.0.113.0/24", false, SCOPE_IP, "203.0.113.7", false },
		{ "range=203.0.113.0/24&contains=false", false, SCOPE_IP, "203.0.113.7", true },
		{ "ip=2001:db8:77::5", false, SCOPE_RANGE, "2001:db8:77::/64", true },
		{ "ip=2001:db8:77::5", false, SCOPE_IP, "2001:db8:77::", true }, /* held by its /64 */
		{ "scope=country&value=zz", false, SCOPE_COUNTRY, "ZZ", true },
		{ "type=captcha", false, SCOPE_IP, "203.0.113.7", false },
		{ "", true, SCOPE_RANGE, "203.0.113.0/28", true },
		{ "", true, SCOPE_COUNTRY, "ZZ", false },
		{ "scopes=country", true, SCOPE_COUNTRY, "ZZ", true },
		{ "scopes=ip,username", true, SCOPE_USERNAME, "ann", false },
		{ "origins=crowdsec", true, SCOPE_IP, "203.0.113.7", false },
		{ "origins=crowdsec,cscli", true, SCOPE_IP, "203.0.113.7", true },
		{ "scenarios_containing=ssh,MANUAL", true, SCOPE_IP, "203.0.113.7", true },
		{ "scenarios_not_containing=manual", true, SCOPE_IP, "203.0.113.7", false },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct decision d = held(rows[i].scope, rows[i].value);
		struct lapi_error why = { 0 };
		struct lapi_filter f;

		assert_true(lapi_filter_read(&f, param, (void *)(uintptr_t)rows[i].query, rows[i].stream, &why));
		if (lapi_filter_takes(&f, &d) != rows[i].takes)
			fail_msg("%s of %s", rows[i].query, rows[i].value);
	}
}

static void an_address_that_is_none_is_told_in_crowdsecs_words(void **state)
{
	struct lapi_error why = { 0 };
	struct lapi_filter f;

	(void)state;
	assert_false(lapi_filter_read(&f, param, (void *)(uintptr_t) "ip=notanip", false, &why));
	assert_int_equal(why.status, 500);
	assert_string_equal(why.text, "unable to convert 'notanip' to int: invalid address: invalid ip address / range");
}

/* ---- alerts ---- */

#define ALERT(scenario, more)                                                                                          \
	"{\"capacity\":1,\"events\":[],\"events_count\":3,\"leakspeed\":\"1s\",\"message\":\"m\",\"scenario\":" scenario ","      \
	"\"scenario_hash\":\"\",\"scenario_version\":\"\",\"simulated\":false,\"source\":{\"scope\":\"ip\",\"value\":\"192.0.2.1\"}," \
	"\"start_at\":\"2026-11-24T02:42:03Z\",\"stop_at\":\"2026-11-24T02:42:04Z\"" more "}"
#define DECISION(duration) "{\"duration\":" duration ",\"origin\":\"cscli\",\"scenario\":\"s\",\"scope\":\"Ip\",\"type\":\"mfa\",\"value\":\"192.0.2.1\"}"

static void wrong_alerts_are_refused_with_a_reason(void **state)
{
	static const struct { const char *json; unsigned status; const char *says; } rows[] = {
		{ "[{\"scenario\":\"x\"}]", 500,
		  "validation failure list:\n0.capacity in body is required\n0.events in body is required\n0.events_count in body is required\n"
		  "0.leakspeed in body is required\n0.message in body is required\n0.scenario_hash in body is required\n"
		  "0.scenario_version in body is required\n0.simulated in body is required\n0.source in body is required\n"
		  "0.start_at in body is required\n0.stop_at in body is required" },
		{ "{}", 400, "json: cannot unmarshal object into Go value of type models.AddAlertsRequest" },
		{ "", 400, "JSON" }, { "[", 400, "JSON" }, { "[1]", 400, "models.Alert" },
		{ "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", 400, "deep" },
		{ "[" ALERT("7", "") "]", 500, "scenario" },
		{ "[" ALERT("\"a\"", ",\"decisions\":{}") "]", 400, "decisions" },
		{ "[" ALERT("\"a\"", ",\"decisions\":[" DECISION("\"4 hours\"") "]") "]", 500, "duration" },
		{ "[" ALERT("\"a\"", ",\"decisions\":[" DECISION("\"99999999999h\"") "]") "]", 500, "duration" },
		{ "[" ALERT("\"a\"", ",\"decisions\":[" DECISION("4") "]") "]", 500, "duration" },
		{ "[" ALERT("\"a\"", ",\"decisions\":[{}]") "]", 500, "required" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *arena = arena_new(4 << 20);
		struct lapi_error why = { 0 };
		size_t n;

		assert_null(lapi_alerts_read(arena, bytes_of(rows[i].json), now_ms, REMEDY_DENY, &n, &why));
		assert_int_equal(why.status, rows[i].status);
		if (!strstr(why.text, rows[i].says))
			fail_msg("%s: %s", rows[i].json, why.text);
		arena_free(arena);
	}
}

static void an_alert_comes_back_with_its_decision(void **state)
{
	struct arena *arena = arena_new(4 << 20);
	struct lapi_error why = { 0 };
	struct alert *a;
	size_t n;

	(void)state;
	a = lapi_alerts_read(arena, BYTES("[" ALERT("\"a\"", ",\"id\":99,\"decisions\":[" DECISION("\"10m\"") "]") "]"), now_ms, REMEDY_CAPTCHA,
			     &n, &why);
	assert_non_null(a);
	assert_int_equal(n, 1);
	assert_int_equal(a->ndecisions, 1);
	assert_int_equal(a->decisions[0].remedy, REMEDY_CAPTCHA);
	assert_int_equal(a->decisions[0].until_ms, now_ms + 600000);
	assert_int_equal(a->last_ms, now_ms);
	a->id = 5;
	a->machine = BYTES("agent1");
	assert_bytes(lapi_alert(arena, a, now_ms),
		     BYTES("{\"capacity\":1,\"created_at\":\"2026-11-24T02:42:04.000Z\",\"decisions\":[{\"duration\":\"10m0s\",\"id\":0,\"origin\":"
			   "\"cscli\",\"scenario\":\"s\",\"scope\":\"Ip\",\"simulated\":false,\"type\":\"captcha\",\"value\":\"192.0.2.1\"}],"
			   "\"events\":[],\"events_count\":3,\"id\":5,\"leakspeed\":\"1s\",\"machine_id\":\"agent1\",\"message\":\"m\","
			   "\"scenario\":\"a\",\"scenario_hash\":\"\",\"scenario_version\":\"\",\"simulated\":false,\"source\":{\"scope\":\"ip\","
			   "\"value\":\"192.0.2.1\"},\"start_at\":\"2026-11-24T02:42:03Z\",\"stop_at\":\"2026-11-24T02:42:04Z\"}"));
	arena_free(arena);
}

/* ---- captures: a request, and what CrowdSec answered ---- */

static struct bytes body_in(struct bytes file, const char *part)
{
	size_t at = bytes_find(file, bytes_of(part)), end;

	file = bytes_from(file, at == SIZE_MAX ? file.len : at);
	at = bytes_find(file, BYTES("\n\n"));
	file = bytes_from(file, at == SIZE_MAX ? file.len : at + 2);
	end = bytes_find(file, BYTES("\n\n"));
	return bytes_sub(file, 0, end);
}

static struct bytes captured(const char *name)
{
	static char file[128 << 10];
	FILE *f;
	size_t n;

	snprintf(file, sizeof file, CAPTURES "/%s", name);
	f = fopen(file, "r");
	if (!f)
		return (struct bytes){ NULL, 0 };
	n = fread(file, 1, sizeof file, f);
	fclose(f);
	return (struct bytes){ file, n };
}

/* The keys of a text of JSON in their order, without what they hold. */
static void keys_of(struct text *t, struct bytes json)
{
	for (size_t at; (at = bytes_index(json, '"')) != SIZE_MAX;) {
		json = bytes_from(json, at + 1);
		for (at = 0; at < json.len && json.at[at] != '"'; at += json.at[at] == '\\' ? 2 : 1)
			;
		if (at + 1 < json.len && json.at[at + 1] == ':') {
			text_put(t, bytes_sub(json, 0, at));
			text_byte(t, ' ');
		}
		json = bytes_from(json, at + 1);
	}
}

static void captured_alerts_come_back_in_the_captured_shape(void **state)
{
	static const char *const posts[] = { "003-crowdsec-POST-v1_alerts.txt", "006-crowdsec-POST-v1_alerts.txt",
					     "008-crowdsec-POST-v1_alerts.txt", "010-crowdsec-POST-v1_alerts.txt" };
	struct arena *arena = arena_new(8 << 20);
	static const size_t counts[] = { 2, 1, 1, 1 };

	(void)state;
	for (size_t i = 0; i < nelems(posts); i++) {
		struct bytes file = captured(posts[i]);
		struct lapi_error why = { 0 };
		size_t n = 0;

		if (!file.at) {
			print_message("no " CAPTURES ": nothing to compare with\n");
			arena_free(arena);
			skip();
		}
		if (!lapi_alerts_read(arena, body_in(file, "### request"), now_ms, REMEDY_DENY, &n, &why))
			fail_msg("%s: %s", posts[i], why.text);
		assert_int_equal(n, counts[i]);
	}
	arena_free(arena);
}

static void an_alert_of_cscli_has_the_keys_that_crowdsec_answers(void **state)
{
	struct arena *arena = arena_new(8 << 20);
	struct text mine = text_over(arena_raw(arena, 8192), 8192), theirs = text_over(arena_raw(arena, 8192), 8192);
	struct bytes file = captured("006-crowdsec-POST-v1_alerts.txt");
	struct lapi_error why = { 0 };
	struct alert *a;
	size_t n = 0;

	(void)state;
	if (!file.at) {
		arena_free(arena);
		skip();
	}
	a = lapi_alerts_read(arena, body_in(file, "### request"), now_ms, REMEDY_DENY, &n, &why);
	assert_non_null(a);
	keys_of(&mine, lapi_alert(arena, a, now_ms));
	keys_of(&theirs, body_in(captured("054-curl-GET-v1_alerts.txt"), "### response"));
	assert_true(theirs.len > 0);
	assert_bytes(text_bytes(&mine), text_bytes(&theirs));
	arena_free(arena);
}

static void a_decision_has_the_keys_that_crowdsec_answers(void **state)
{
	char one[1024], two[1024];
	struct text mine = text_over(one, sizeof one), theirs = text_over(two, sizeof two), t = text_over(room, sizeof room);
	struct bytes file = captured("036-curl-GET-v1_decisions.txt");
	struct decision d = held(SCOPE_COUNTRY, "ZZ");

	(void)state;
	if (!file.at)
		skip();
	lapi_decision(&t, &d, now_ms, 0);
	keys_of(&mine, text_bytes(&t));
	keys_of(&theirs, body_in(file, "### response"));
	assert_true(theirs.len > 0);
	assert_bytes(text_bytes(&mine), text_bytes(&theirs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_of_time_are_whole_seconds_away_from_nought),
		cmocka_unit_test(types_are_crowdsecs_and_an_unknown_one_is_said_so),
		cmocka_unit_test(a_decision_has_the_keys_in_their_order),
		cmocka_unit_test(a_query_takes_what_crowdsec_would_give),
		cmocka_unit_test(an_address_that_is_none_is_told_in_crowdsecs_words),
		cmocka_unit_test(wrong_alerts_are_refused_with_a_reason),
		cmocka_unit_test(an_alert_comes_back_with_its_decision),
		cmocka_unit_test(captured_alerts_come_back_in_the_captured_shape),
		cmocka_unit_test(an_alert_of_cscli_has_the_keys_that_crowdsec_answers),
		cmocka_unit_test(a_decision_has_the_keys_that_crowdsec_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
