/* event_text.c -- one exchange in every format, to the byte. */
#include "tests/test.h"
#include "admin/event_text.h"

static struct ip ip_of(const char *s)
{
	struct ip ip = { { 0 } };

	assert_true(ip_parse(bytes_of(s), &ip));
	return ip;
}

static struct field plain_fields[] = {
	{ .name = BYTES_INIT("User-Agent"), .value = BYTES_INIT("Mozilla/5.0 (X11) \"q\""), .id = FIELD_USER_AGENT },
	{ .name = BYTES_INIT("Referer"), .value = BYTES_INIT("https://a.example/?token=s3cret&b=1"), .id = FIELD_REFERER },
};

static const struct request plain_request = {
	.method = BYTES_INIT("GET"), .path = BYTES_INIT("/search"), .query = BYTES_INIT("q=a|b&password=hunter2"),
	.host = BYTES_INIT("shop.example:8080"), .hostname = BYTES_INIT("shop.example"), .minor = 1,
	.fields = { plain_fields, nelems(plain_fields), nelems(plain_fields) },
};

static const struct rule_info sqli = { "942100", "SQLi libinjection", "sqli", "sqli.yaml", 7, SEVERITY_CRITICAL };
static const struct rule_info xss = { "941160", "XSS html = injection", "xss", "xss.yaml", 3, SEVERITY_CRITICAL };

static const struct hit hits[] = {
	{ &sqli, BYTES_INIT("ARGS:body"), BYTES_INIT("nothing to see here... 1' or 1=1--\n"), 23, 8, 5,
	  BYTES_INIT("SQLi in body"), BYTES_INIT("found: 1' or 1=1--\n"), NULL, 0 },
	{ &xss, BYTES_INIT("COOKIES:sid"), BYTES_INIT("<img src=x onerror=y>"), 0, 4, 5, BYTES_INIT("XSS: <img src=x onerror=y>"),
	  BYTES_INIT("found: <img src=x onerror=y>"), NULL, 0 },
};

static const struct request post_request = {
	.method = BYTES_INIT("POST"), .path = BYTES_INIT("/comment"), .hostname = BYTES_INIT("shop.example"), .minor = 1,
};

static struct event plain(void)
{
	return (struct event){
		.wall_ms = 1795488439120, .id = BYTES("01JD3000000000000000000000"), .app = BYTES("shop"),
		.client = ip_of("203.0.113.7"), .peer = ip_of("172.70.0.1"), .peer_port = 4711,
		.client_from = BYTES("X-Forwarded-For"), .request = &plain_request, .tls_version = BYTES("TLSv1.3"),
		.ja4 = BYTES("t13d1516h2_8daaf6152771_e5627efa2ab1"),
		.upstream = BYTES("127.0.0.1:3000"), .status = 200, .response_bytes = 5123,
		.duration_us = 1234, .inspection_us = 56, .action = REMEDY_ALLOW, .would = REMEDY_ALLOW,
	};
}

static struct event alert(void)
{
	struct event e = plain();

	e.request = &post_request;
	e.tls_version = e.ja4 = e.upstream = (struct bytes){ 0 };
	e.status = 403;
	e.request_bytes = 77;
	e.action = e.would = REMEDY_DENY;
	e.source = SOURCE_RULE;
	e.reason = BYTES("942100 matched in ARGS:body");
	e.hits = hits;
	e.nhits = nelems(hits);
	return e;
}

static struct event unreadable(void)
{
	struct event e = plain();

	e.request = NULL;
	e.tls_version = e.ja4 = e.upstream = e.app = (struct bytes){ 0 };
	e.client = e.peer = ip_of("2001:db8::1");
	e.client_from = BYTES("connection");
	e.status = 400;
	e.action = e.would = REMEDY_DENY;
	e.source = SOURCE_PROTOCOL;
	e.reason = BYTES("bare LF in the head\x1b[2J");
	return e;
}

static struct event no_answer(void)
{
	struct event e = plain();

	e.status = 502;
	e.reason = BYTES("127.0.0.1:3000: connection refused");
	return e;
}

static const struct {
	struct event (*event)(void);
	enum event_format format;
	const char *line;
} lines[] = {
	{ plain, EVENT_ECS,
	  "{\"@timestamp\":\"2026-11-24T02:47:19.120Z\","
	  "\"event\":{\"id\":\"01JD3000000000000000000000\",\"kind\":\"event\",\"category\":[\"web\",\"network\"],"
	  "\"type\":[\"allowed\"],\"action\":\"allow\",\"outcome\":\"success\",\"duration\":1234000},"
	  "\"source\":{\"ip\":\"172.70.0.1\",\"port\":4711},\"client\":{\"ip\":\"203.0.113.7\"},"
	  "\"destination\":{\"address\":\"127.0.0.1:3000\"},"
	  "\"url\":{\"path\":\"/search\",\"domain\":\"shop.example\",\"query\":\"q=a|b&password=[redacted]\"},"
	  "\"http\":{\"request\":{\"id\":\"01JD3000000000000000000000\",\"method\":\"GET\","
	  "\"referrer\":\"https://a.example/?token=[redacted]&b=1\",\"bytes\":0},"
	  "\"response\":{\"status_code\":200,\"bytes\":5123},\"version\":\"1.1\"},"
	  "\"user_agent\":{\"original\":\"Mozilla/5.0 (X11) \\\"q\\\"\"},"
	  "\"tls\":{\"version\":\"1.3\",\"version_protocol\":\"tls\",\"client\":{\"ja4\":\"t13d1516h2_8daaf6152771_e5627efa2ab1\"}},"
	  "\"observer\":{\"type\":\"waf\",\"name\":\"embergate\",\"version\":\"" EMBERGATE_VERSION "\"},"
	  "\"waf\":{\"app\":\"shop\",\"inspection_us\":56,\"client_from\":\"X-Forwarded-For\"}}" },
	{ alert, EVENT_ECS,
	  "{\"@timestamp\":\"2026-11-24T02:47:19.120Z\","
	  "\"event\":{\"id\":\"01JD3000000000000000000000\",\"kind\":\"alert\",\"category\":[\"web\",\"network\"],"
	  "\"type\":[\"denied\"],\"action\":\"deny\",\"outcome\":\"failure\",\"reason\":\"942100 matched in ARGS:body\","
	  "\"risk_score\":10,\"duration\":1234000},"
	  "\"source\":{\"ip\":\"172.70.0.1\",\"port\":4711},\"client\":{\"ip\":\"203.0.113.7\"},"
	  "\"url\":{\"path\":\"/comment\",\"domain\":\"shop.example\"},"
	  "\"http\":{\"request\":{\"id\":\"01JD3000000000000000000000\",\"method\":\"POST\",\"bytes\":77},"
	  "\"response\":{\"status_code\":403,\"bytes\":5123},\"version\":\"1.1\"},"
	  "\"rule\":{\"id\":\"942100\",\"name\":\"SQLi in body\",\"category\":\"sqli\"},"
	  "\"observer\":{\"type\":\"waf\",\"name\":\"embergate\",\"version\":\"" EMBERGATE_VERSION "\"},"
	  "\"waf\":{\"app\":\"shop\",\"inspection_us\":56,\"client_from\":\"X-Forwarded-For\","
	  "\"source\":\"rule\",\"would\":\"deny\",\"score\":10,\"decision_trace\":["
	  "{\"rule\":\"942100\",\"ruleId\":942100,\"message\":\"SQLi in body\",\"variable\":\"ARGS:body\",\"offset\":23,\"length\":8,"
	  "\"snippet\":\"nothing to see here... 1' or 1=1--\\n\",\"data\":\"found: 1' or 1=1--\\n\",\"score\":5},"
	  "{\"rule\":\"941160\",\"ruleId\":941160,\"message\":\"XSS html = injection\",\"variable\":\"COOKIES:sid\","
	  "\"offset\":0,\"length\":4,\"snippet\":\"[redacted]\",\"data\":\"[redacted]\",\"score\":5}]}}" },
	{ unreadable, EVENT_ECS,
	  "{\"@timestamp\":\"2026-11-24T02:47:19.120Z\","
	  "\"event\":{\"id\":\"01JD3000000000000000000000\",\"kind\":\"alert\",\"category\":[\"web\",\"network\"],"
	  "\"type\":[\"denied\"],\"action\":\"deny\",\"outcome\":\"failure\",\"reason\":\"bare LF in the head\\u001b[2J\","
	  "\"duration\":1234000},"
	  "\"source\":{\"ip\":\"2001:db8::1\",\"port\":4711},\"client\":{\"ip\":\"2001:db8::1\"},"
	  "\"url\":{\"path\":\"\"},"
	  "\"http\":{\"request\":{\"id\":\"01JD3000000000000000000000\",\"bytes\":0},"
	  "\"response\":{\"status_code\":400,\"bytes\":5123}},"
	  "\"observer\":{\"type\":\"waf\",\"name\":\"embergate\",\"version\":\"" EMBERGATE_VERSION "\"},"
	  "\"waf\":{\"app\":\"\",\"inspection_us\":56,\"client_from\":\"connection\","
	  "\"source\":\"protocol\",\"would\":\"deny\"}}" },
	{ plain, EVENT_COMBINED,
	  "203.0.113.7 - - [24/Nov/2026:02:47:19 +0000] \"GET /search?q=a|b&password=[redacted] HTTP/1.1\" 200 5123 "
	  "\"https://a.example/?token=[redacted]&b=1\" \"Mozilla/5.0 (X11) \\x22q\\x22\"" },
	{ unreadable, EVENT_COMBINED,
	  "2001:db8::1 - - [24/Nov/2026:02:47:19 +0000] \"-\" 400 5123 \"-\" \"-\"" },
	{ plain, EVENT_CEF,
	  "CEF:0|embergate|embergate|" EMBERGATE_VERSION "|access|request|0|rt=1795488439120 src=203.0.113.7 spt=4711 "
	  "dhost=shop.example request=/search?q\\=a|b&password\\=[redacted] requestMethod=GET "
	  "requestClientApplication=Mozilla/5.0 (X11) \"q\" act=allow cn2Label=status cn2=200 in=0 out=5123 "
	  "cs2Label=app cs2=shop cs4Label=ja4 cs4=t13d1516h2_8daaf6152771_e5627efa2ab1 externalId=01JD3000000000000000000000" },
	{ alert, EVENT_CEF,
	  "CEF:0|embergate|embergate|" EMBERGATE_VERSION "|942100|SQLi in body|8|rt=1795488439120 src=203.0.113.7 spt=4711 "
	  "dhost=shop.example request=/comment requestMethod=POST act=deny reason=942100 matched in ARGS:body "
	  "cs1Label=rule_ids cs1=942100,941160 cn1Label=score cn1=10 cn2Label=status cn2=403 in=77 out=5123 "
	  "cs2Label=app cs2=shop externalId=01JD3000000000000000000000" },
	{ unreadable, EVENT_CEF,
	  "CEF:0|embergate|embergate|" EMBERGATE_VERSION "|protocol|bare LF in the head\\\\x1b[2J|5|rt=1795488439120 "
	  "src=2001:db8::1 spt=4711 request= act=deny reason=bare LF in the head\\\\x1b[2J "
	  "cn2Label=status cn2=400 in=0 out=5123 externalId=01JD3000000000000000000000" },
	{ alert, EVENT_LOGFMT,
	  "ts=2026-11-24T02:47:19.120Z id=\"01JD3000000000000000000000\" app=\"shop\" client=203.0.113.7 method=\"POST\" "
	  "host=\"shop.example\" path=\"/comment\" status=403 in=77 out=5123 ms=1.23 action=deny source=rule "
	  "reason=\"942100 matched in ARGS:body\" rule=\"942100\" rule=\"941160\"" },
	{ plain, EVENT_HUMAN,
	  "02:47:19 200 203.0.113.7 GET shop.example/search?q=a|b&password=[redacted]  1.23 ms" },
	{ alert, EVENT_HUMAN,
	  "02:47:19 403 203.0.113.7 POST shop.example/comment  1.23 ms  deny: 942100 matched in ARGS:body  942100  "
	  "01JD3000000000000000000000" },
	{ no_answer, EVENT_HUMAN,
	  "02:47:19 502 203.0.113.7 GET shop.example/search?q=a|b&password=[redacted]  1.23 ms  "
	  "127.0.0.1:3000: connection refused  01JD3000000000000000000000" },
	{ unreadable, EVENT_HUMAN,
	  "02:47:19 400 2001:db8::1 -   1.23 ms  deny: bare LF in the head\\x1b[2J  01JD3000000000000000000000" },
};

static void every_format_to_the_byte(void **state)
{
	static char buf[EVENT_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < nelems(lines); i++) {
		const struct event_style style = { .format = lines[i].format };
		struct text t = text_over(buf, sizeof buf);
		struct event e = lines[i].event();

		event_text(&t, &e, &style);
		assert_bytes(text_bytes(&t), bytes_of(lines[i].line));
	}
}

static void detect_mode_says_what_it_would_have_done(void **state)
{
	static char buf[EVENT_LINE_MAX];
	const struct event_style style = { .format = EVENT_HUMAN, .colour = true };
	struct text t = text_over(buf, sizeof buf);
	struct event e = alert();

	(void)state;
	e.action = REMEDY_LOG;
	e.status = 200;
	event_text(&t, &e, &style);
	assert_bytes(text_bytes(&t), BYTES("02:47:19 \033[1;33m200\033[0m 203.0.113.7 POST shop.example/comment  1.23 ms  "
					   "log (would deny): 942100 matched in ARGS:body  942100  01JD3000000000000000000000"));
}

/* A longer line would be lost: who can make many rules match must not get out of the log so. */
static void hits_that_have_no_room_in_a_line_are_a_number(void **state)
{
	static char buf[EVENT_LINE_MAX], nasty[4096];
	static struct hit many[RECORD_HITS];
	const struct event_style style = { .format = EVENT_ECS };
	struct text t = text_over(buf, sizeof buf);
	struct event e = alert();

	(void)state;
	memset(nasty, 1, sizeof nasty);
	for (size_t i = 0; i < nelems(many); i++) {
		struct bytes b = { nasty, sizeof nasty };

		many[i] = (struct hit){ &sqli, b, b, 0, 1, 1, b, b, NULL, 0 };
	}
	e.hits = many;
	e.nhits = nelems(many);
	event_text(&t, &e, &style);
	assert_false(t.full);
	assert_true(t.len < EVENT_LINE_MAX);
	assert_int_not_equal(bytes_find(text_bytes(&t), BYTES("\"more_hits\":")), SIZE_MAX);
}

static void scenarios_and_what_is_held_are_told(void **state)
{
	static const struct { enum event_format format; const char *part; } parts[] = {
		{ EVENT_ECS, "\"held\":{\"id\":7,\"scope\":\"Range\",\"value\":\"203.0.113.0/24\",\"remedy\":\"challenge\",\"reason\":\"by hand\","
			     "\"origin\":\"manual\",\"made\":\"2026-11-24T02:47:19.120Z\",\"until\":\"2026-11-24T02:47:20.120Z\"}" },
		{ EVENT_ECS, "\"scenarios\":[{\"name\":\"a/b\",\"count\":11,\"scope\":\"Ip\",\"value\":\"203.0.113.7\",\"remedy\":\"deny\","
			     "\"until\":\"2026-11-24T02:47:19.120Z\",\"simulated\":true},{\"name\":\"c\\n=\",\"count\":1,\"scope\":\"Ip\"}]" },
		{ EVENT_CEF, " cs3Label=scenarios cs3=a/b,c\\\\x0a\\= cn3Label=decision cn3=7 " },
		{ EVENT_LOGFMT, " scenario=\"a/b\" scenario=\"c\\n=\" decision=7" },
	};
	const struct decision held = { .id = 7, .scope = SCOPE_RANGE, .value = BYTES("203.0.113.0/24"), .remedy = REMEDY_CHALLENGE,
				       .reason = BYTES("by hand"), .origin = BYTES("manual"), .made_ms = 1795488439120,
				       .until_ms = 1795488440120 };
	const struct event_overflow over[] = {
		{ BYTES("a/b"), 11, BYTES("Ip"), BYTES("203.0.113.7"), REMEDY_DENY, 1795488439120, true, NULL, 0 },
		{ BYTES("c\n="), 1, BYTES("Ip"), { 0 }, REMEDY_ALLOW, 0, false, NULL, 0 },
	};
	struct event e = alert();

	(void)state;
	e.held = &held;
	e.overflows = over;
	e.noverflows = 2;
	for (size_t i = 0; i < nelems(parts); i++) {
		static char buf[EVENT_LINE_MAX];
		struct text t = text_over(buf, sizeof buf);
		struct event_style style = { .format = parts[i].format };

		event_text(&t, &e, &style);
		if (bytes_find(text_bytes(&t), bytes_of(parts[i].part)) == SIZE_MAX)
			fail_msg("no %s\nin %.*s", parts[i].part, BYTES_ARG(text_bytes(&t)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_to_the_byte),
		cmocka_unit_test(detect_mode_says_what_it_would_have_done),
		cmocka_unit_test(hits_that_have_no_room_in_a_line_are_a_number),
		cmocka_unit_test(scenarios_and_what_is_held_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
