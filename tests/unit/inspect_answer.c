/* Answers: what of them is looked at, how far, and what the rules say of it. */
#include "tests/test.h"
#include "tests/inspected.h"

enum { WINDOW = 1000 };

static const char rules[] =
	"SecRuleEngine On\nSecResponseBodyAccess On\nSecResponseBodyLimit 1000\n"
	"SecRule RESPONSE_STATUS \"@streq 500\" \"id:1,phase:3,deny,status:503,log,msg:'broken'\"\n"
	"SecRule RESPONSE_HEADERS:Server \"@contains old\" \"id:2,phase:3,pass,log,msg:'old %{RESPONSE_STATUS}'\"\n"
	"SecRule RESPONSE_HEADERS:X-Away \"@streq 1\" \"id:3,phase:3,redirect:https://away.example/,log,msg:'away'\"\n"
	"SecRule RESPONSE_BODY \"@contains secret\" \"id:4,phase:4,deny,status:403,log,logdata:'%{MATCHED_VAR_NAME}'\"\n"
	"SecRule RESPONSE_CONTENT_TYPE \"@contains json\" \"id:5,phase:4,deny,status:406,log,msg:'type'\"\n"
	"SecRule REQUEST_URI \"@contains /told\" \"id:6,phase:5,pass,log,msg:'told'\"\n"
	"SecRule RESPONSE_BODY \"@contains free\" \"id:7,phase:4,pass,log,msg:'free'\"\n"
	"SecRule ARGS:q \"@streq evil\" \"id:8,phase:2,deny,status:403,log,msg:'evil'\"\n";

static struct rules_scratch *scratch;

static struct ruleset *rules_of_conf(const char *text)
{
	char dir[] = "/tmp/embergate-answer-XXXXXX", path[64];
	const char *files[] = { path };
	struct ruleset_options o = { .files = files, .nfiles = 1, .matcher = &matcher_plain };
	struct err e = { 0 };
	struct ruleset *rs;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/rules.conf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	rs = ruleset_load(&o, &e);
	unlink(path);
	rmdir(dir);
	if (!rs)
		fail_msg("%s", e.text);
	return rs;
}

static int set_up(void **state)
{
	scratch = rules_scratch_new();
	*state = rules_of_conf(rules);
	return scratch ? 0 : -1;
}

static int tear_down(void **state)
{
	ruleset_free(*state);
	rules_scratch_free(scratch);
	return 0;
}

/* One exchange that has come to its answer. */
struct seen {
	struct arena *arena;
	struct request request;
	struct response response;
	struct inspection *in;
};

static const struct http1_limits limits = { 64 << 10, 64 << 10, 100 };

static struct seen *seen_new(const struct ruleset *rs, const char *target, const char *answer)
{
	static const struct inspect_options usual = { .window = 256 << 10 };
	struct arena *a = arena_new(8 << 20);
	struct seen *s = arena_get(a, sizeof *s);
	struct bytes *readings = arena_get(a, PATH_READINGS_MAX * sizeof *readings);
	struct err e = { 0 };
	char line[256];

	s->arena = a;
	snprintf(line, sizeof line, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	assert_true(http1_parse_request(a, arena_copy(a, bytes_of(line)), &limits, &s->request, &e));
	s->request.nreadings = path_readings(a, s->request.path, readings);
	s->request.readings = readings;
	s->in = inspection_new(a, rs, scratch, &s->request, &usual);
	assert_non_null(s->in);
	inspection_head(s->in);
	if (!http1_parse_response(a, arena_copy(a, bytes_of(answer)), &limits, &s->request, &s->response, &e))
		fail_msg("%s", e.text);
	return s;
}

/* "deny 503 1": what was done, its status, and whose rules hit. */
static const char *said(const struct seen *s, char out[200])
{
	const struct verdict *v = inspection_verdict(s->in);
	size_t n = (size_t)snprintf(out, 200, "%s", remedy_word(v->remedy));

	if (v->remedy == REMEDY_DENY)
		n += (size_t)snprintf(out + n, 200 - n, " %u", v->status);
	for (size_t i = 0; i < v->nhits; i++)
		n += (size_t)snprintf(out + n, 200 - n, " %s", v->hits[i].rule->id);
	return out;
}

/* The body in pieces of `cut`, each gone after the call. Returns how many bytes were taken before the verdict. */
static size_t feed(struct seen *s, struct bytes body, size_t cut, enum answer_look *look)
{
	size_t taken = 0;

	while (*look == ANSWER_WANT_BODY && taken < body.len) {
		struct bytes part = bytes_sub(body, taken, taken + cut);
		char *piece = malloc(part.len);

		memcpy(piece, part.at, part.len);
		*look = inspection_answer_body(s->in, (struct bytes){ piece, part.len });
		free(piece);
		taken += part.len;
	}
	if (*look == ANSWER_WANT_BODY)
		*look = inspection_answer_end(s->in);
	return taken;
}

#define TEXT "Content-Type: text/plain\r\n"

static void the_head_is_judged_at_once(void **state)
{
	static const struct {
		const char *answer;
		enum answer_look look;
		const char *said;
	} cases[] = {
		{ "HTTP/1.1 500 Oh\r\n" TEXT "Content-Length: 9\r\n\r\n", ANSWER_DENY, "deny 503 1" },
		{ "HTTP/1.1 200 OK\r\nServer: very old\r\n" TEXT "Content-Length: 9\r\n\r\n", ANSWER_WANT_BODY, "log 2" },
		{ "HTTP/1.1 200 OK\r\nServer: old\r\nContent-Length: 0\r\n\r\n", ANSWER_PASS, "log 2" },
		{ "HTTP/1.1 200 OK\r\nX-Away: 1\r\nContent-Length: 9\r\n\r\n", ANSWER_DENY, "deny 302 3" },
		{ "HTTP/1.1 200 OK\r\n" TEXT "Transfer-Encoding: chunked\r\n\r\n", ANSWER_WANT_BODY, "allow" },
		{ "HTTP/1.1 200 OK\r\n" TEXT "\r\n", ANSWER_WANT_BODY, "allow" },
		{ "HTTP/1.1 200 OK\r\nContent-Type: TEXT/HTML; charset=x\r\n\r\n", ANSWER_WANT_BODY, "allow" },
		{ "HTTP/1.1 200 OK\r\nContent-Type: text/htmlx\r\n\r\n", ANSWER_PASS, "allow" },
		{ "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n", ANSWER_PASS, "allow" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", ANSWER_PASS, "allow" },
		{ "HTTP/1.1 204 No\r\n" TEXT "\r\n", ANSWER_PASS, "allow" },
		{ "HTTP/1.1 304 No\r\n" TEXT "Content-Length: 9\r\n\r\n", ANSWER_PASS, "allow" },
		/* phase 4 runs without a body too */
		{ "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n", ANSWER_DENY, "deny 406 5" },
	};
	char out[200];

	for (size_t i = 0; i < nelems(cases); i++) {
		struct seen *s = seen_new(*state, "/", cases[i].answer);

		assert_int_equal(inspection_answer(s->in, &s->response, false), cases[i].look);
		assert_string_equal(said(s, out), cases[i].said);
		arena_free(s->arena);
	}
}

static void messages_and_redirects_are_made_of_the_answer(void **state)
{
	struct seen *s = seen_new(*state, "/", "HTTP/1.1 202 OK\r\nServer: old\r\nX-Away: 1\r\nContent-Length: 9\r\n\r\n");
	const struct verdict *v = inspection_verdict(s->in);

	assert_int_equal(inspection_answer(s->in, &s->response, false), ANSWER_DENY);
	assert_int_equal(v->nhits, 2);
	assert_bytes(v->hits[0].message, BYTES("old 202"));
	assert_bytes(v->location, BYTES("https://away.example/"));
	arena_free(s->arena);
}

static void a_coded_body_is_not_asked_for(void **state)
{
	struct seen *s = seen_new(*state, "/", "HTTP/1.1 200 OK\r\n" TEXT "Content-Encoding: br\r\nContent-Length: 9\r\n\r\n");

	assert_int_equal(inspection_answer(s->in, &s->response, true), ANSWER_PASS);
	assert_int_equal(inspection_answer_body(s->in, BYTES("secret")), ANSWER_PASS);
	arena_free(s->arena);
}

static void a_body_is_judged_once_however_it_is_cut(void **state)
{
	static char body[3 * WINDOW];
	static const struct {
		size_t at, len;
		const char *word, *said;
	} cases[] = {
		{ 0, 6, "secret", "deny 403 4" },
		{ 100, 300, "secret", "deny 403 4" },
		{ WINDOW - 6, 3 * WINDOW, "secret", "deny 403 4" },
		{ WINDOW - 5, 3 * WINDOW, "secret", "allow" }, /* its last byte is past the window */
		{ WINDOW, 3 * WINDOW, "secret", "allow" },
		{ 10, 200, "free", "log 7" },
		{ 10, 200, "s\0cret", "allow" },
	};
	static const size_t cuts[] = { 1, 7, 333, WINDOW, 3 * WINDOW };
	char out[200];

	for (size_t i = 0; i < nelems(cases) * nelems(cuts); i++) {
		size_t c = i / nelems(cuts), cut = cuts[i % nelems(cuts)];
		struct seen *s = seen_new(*state, "/", "HTTP/1.1 200 OK\r\n" TEXT "\r\n");
		enum answer_look look = inspection_answer(s->in, &s->response, false);

		memset(body, 'x', sizeof body);
		memcpy(body + cases[c].at, cases[c].word, strlen(cases[c].word));
		feed(s, (struct bytes){ body, cases[c].len }, cut, &look);
		assert_int_equal(look, strncmp(cases[c].said, "deny", 4) == 0 ? ANSWER_DENY : ANSWER_PASS);
		assert_string_equal(said(s, out), cases[c].said);
		assert_int_equal(inspection_answer_end(s->in), ANSWER_PASS); /* it has been */
		assert_string_equal(said(s, out), cases[c].said);
		arena_free(s->arena);
	}
}

static void no_more_than_the_window_is_wanted(void **state)
{
	static char body[3 * WINDOW];
	struct seen *s = seen_new(*state, "/", "HTTP/1.1 200 OK\r\n" TEXT "\r\n");
	enum answer_look look = inspection_answer(s->in, &s->response, false);

	assert_int_equal(inspection_answer_window(s->in), WINDOW);
	assert_int_equal(feed(s, (struct bytes){ body, sizeof body }, 100, &look), WINDOW);
	assert_int_equal(look, ANSWER_PASS);
	arena_free(s->arena);
}

static void what_a_hit_shows_comes_from_the_body(void **state)
{
	struct seen *s = seen_new(*state, "/", "HTTP/1.1 200 OK\r\n" TEXT "\r\n");
	const struct verdict *v = inspection_verdict(s->in);
	enum answer_look look = inspection_answer(s->in, &s->response, false);

	feed(s, BYTES("the secret is out"), 5, &look);
	assert_int_equal(look, ANSWER_DENY);
	assert_bytes(v->hits[0].variable, BYTES("RESPONSE_BODY"));
	assert_bytes(v->hits[0].value, BYTES("the secret is out"));
	assert_bytes(v->hits[0].data, BYTES("RESPONSE_BODY"));
	arena_free(s->arena);
}

static void the_last_phase_runs_once_and_denies_nothing(void **state)
{
	struct seen *s = seen_new(*state, "/told?q=evil", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	char out[200];

	assert_string_equal(said(s, out), "deny 403 8");
	inspection_finish(s->in);
	inspection_finish(s->in);
	assert_string_equal(said(s, out), "deny 403 8 6");
	arena_free(s->arena);
}

static void without_access_bodies_are_not_asked_for(void **state)
{
	struct ruleset *rs = rules_of_conf("SecRuleEngine On\nSecResponseBodyAccess Off\n"
					   "SecRule RESPONSE_BODY \"@contains secret\" \"id:1,phase:4,deny,log\"\n");
	struct seen *s = seen_new(rs, "/", "HTTP/1.1 200 OK\r\n" TEXT "\r\n");

	(void)state;
	assert_int_equal(inspection_answer(s->in, &s->response, false), ANSWER_PASS);
	arena_free(s->arena);
	ruleset_free(rs);
}

static void rules_that_only_detect_deny_no_answer(void **state)
{
	struct ruleset *rs = rules_of_conf("SecRuleEngine DetectionOnly\nSecResponseBodyAccess On\n"
					   "SecRule RESPONSE_BODY \"@contains secret\" \"id:1,phase:4,deny,log\"\n");
	struct seen *s = seen_new(rs, "/", "HTTP/1.1 200 OK\r\n" TEXT "\r\n");
	enum answer_look look = inspection_answer(s->in, &s->response, false);
	char out[200];

	(void)state;
	feed(s, BYTES("secret"), 2, &look);
	assert_int_equal(look, ANSWER_PASS);
	assert_string_equal(said(s, out), "log 1");
	arena_free(s->arena);
	ruleset_free(rs);
}

static void rules_of_requests_alone_want_nothing_of_answers(void **state)
{
	struct err e = { 0 };
	struct ruleset *rs = rules_of_text(BYTES("name: a\nrules: [{zones: [ARGS], match: {type: contains, value: evil}}]\n"),
					   &matcher_plain, &e);
	struct seen *s = seen_new(rs, "/", "HTTP/1.1 500 Oh\r\n" TEXT "\r\n");

	(void)state;
	assert_int_equal(inspection_answer(s->in, &s->response, false), ANSWER_PASS);
	inspection_finish(s->in);
	assert_int_equal(inspection_verdict(s->in)->remedy, REMEDY_ALLOW);
	arena_free(s->arena);
	ruleset_free(rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_is_judged_at_once),
		cmocka_unit_test(messages_and_redirects_are_made_of_the_answer),
		cmocka_unit_test(a_coded_body_is_not_asked_for),
		cmocka_unit_test(a_body_is_judged_once_however_it_is_cut),
		cmocka_unit_test(no_more_than_the_window_is_wanted),
		cmocka_unit_test(what_a_hit_shows_comes_from_the_body),
		cmocka_unit_test(the_last_phase_runs_once_and_denies_nothing),
		cmocka_unit_test(without_access_bodies_are_not_asked_for),
		cmocka_unit_test(rules_that_only_detect_deny_no_answer),
		cmocka_unit_test(rules_of_requests_alone_want_nothing_of_answers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
