/* replay.c -- a request of the past is judged as on its way: own rules, exceptions, rules, the app's mode. */
#include "proxy/replay.h"
#include "tests/test.h"
#include "tests/inspected.h"
#include "base/clock.h"

static const char rules[] =
	"name: sqli\ncategory: sqli\nrules: [{zones: [ARGS, BODY_ARGS], transform: [lowercase], match: {type: contains, value: 'union select'}}]\n---\n"
	"name: xss\ncategory: xss\nrules: [{zones: [ARGS, BODY_ARGS], match: {type: contains, value: '<script'}}]\n---\n"
	"name: host\nrules: [{zones: [HEADERS], variables: [Host], match: {type: equals, value: bad.example}}]\n";

/* A site as far as judging goes. */
struct house {
	struct app_config config;
	struct app_state state;
	struct own_rule own;
	struct exception_config exception;
	struct app_exception exceptions[1];
	struct app app;
	struct site site;
	struct rules_scratch *scratch;
	struct ruleset *ruleset;
	struct arena *arena;
	struct bytes host;
};

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	static struct bytes purge = BYTES_INIT("PURGE");
	struct err e = { 0 };

	h->ruleset = rules_of_text(bytes_of(rules), &matcher_plain, &e);
	h->scratch = rules_scratch_new();
	h->arena = arena_new(64 << 20);
	h->host = BYTES("shop.example");
	h->own = (struct own_rule){ .name = BYTES("no-purge"), .methods = { &purge, 1 }, .act = REMEDY_DENY };
	h->exception = (struct exception_config){ .path = BYTES("/free/*"), .has_path = true };
	h->config = (struct app_config){ .name = BYTES("shop"), .hosts = { &h->host, 1 }, .waf = { .window = 4096 }, .rules = &h->own, .nrules = 1 };
	h->state.mode = -1;
	h->app = (struct app){ .config = &h->config, .state = &h->state, .rules = h->ruleset, .exceptions = h->exceptions, .nexceptions = 1 };
	h->site.apps = &h->app;
	h->site.napps = 1;
	h->site.users = 1;
	h->exceptions[0].config = &h->exception;
	*state = h;
	if (!h->ruleset)
		return -1;
	h->exceptions[0].exclusion = exclusion_new(h->arena, h->ruleset, &(struct exclusion_text){ .parts = 1u << EXCLUDE_ALL_ARGS }, &e);
	return h->exceptions[0].exclusion ? 0 : -1;
}

static int end(void **state)
{
	struct house *h = *state;

	arena_free(h->arena);
	arena_thread_end();
	rules_scratch_free(h->scratch);
	ruleset_free(h->ruleset);
	free(h);
	return 0;
}

static struct replay_outcome judge(struct house *h, const struct replay_request *q, const struct replay_exception *x, size_t nx)
{
	struct replay_job j = { .arena = h->arena, .app = BYTES("shop"), .requests = q, .n = 1, .exceptions = x, .nexceptions = nx, .records = true };

	replay_judge(&h->site, h->scratch, &j);
	if (j.failed)
		fail_msg("%s", j.err.text);
	assert_int_equal(j.judged, 1);
	return j.outcomes[0];
}

static void judged_as_on_its_way(void **state)
{
	static const struct field form[] = { { .name = BYTES_INIT("Content-Type"), .value = BYTES_INIT("application/x-www-form-urlencoded") },
					     { .name = BYTES_INIT("Content-Length"), .value = BYTES_INIT("999") } };
	static const struct field bad_host[] = { { .name = BYTES_INIT("Host"), .value = BYTES_INIT("bad.example") } };
	static const struct {
		struct replay_request q;
		enum remedy_kind would;
		enum source source;
		unsigned status, held;
		const char *rule;
	} rows[] = {
		{ { .method = BYTES_INIT("GET"), .target = BYTES_INIT("/?q=1+union+select") }, REMEDY_DENY, SOURCE_RULE, 403, 0, "sqli" },
		{ { .method = BYTES_INIT("GET"), .target = BYTES_INIT("/?q=hello") }, REMEDY_ALLOW, SOURCE_NONE, 0, 0, NULL },
		{ { .method = BYTES_INIT("GET"), .target = BYTES_INIT("/free/a?q=1+union+select") }, REMEDY_ALLOW, SOURCE_NONE, 0, 1, NULL },
		{ { .method = BYTES_INIT("GET"), .target = BYTES_INIT("/free/../a?q=1+union+select") }, REMEDY_DENY, SOURCE_RULE, 403, 0, "sqli" },
		{ { .method = BYTES_INIT("POST"), .target = BYTES_INIT("/"), .fields = form, .nfields = 2, .body = BYTES_INIT("q=<script>") }, REMEDY_DENY, SOURCE_RULE, 403, 0, "xss" },
		{ { .method = BYTES_INIT("PURGE"), .target = BYTES_INIT("/") }, REMEDY_DENY, SOURCE_OWN_RULE, 403, 0, NULL },
		{ { .method = BYTES_INIT("GET"), .target = BYTES_INIT("/%00?q=1+union+select") }, REMEDY_DENY, SOURCE_PROTOCOL, 400, 0, "sqli" },
		{ { .method = BYTES_INIT("GET"), .target = BYTES_INIT("/"), .fields = bad_host, .nfields = 1 }, REMEDY_DENY, SOURCE_RULE, 403, 0, "host" },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct replay_outcome o = judge(h, &rows[i].q, NULL, 0);

		if (o.would != rows[i].would || o.action != o.would || o.source != rows[i].source || o.status != rows[i].status || o.held != rows[i].held)
			fail_msg("row %zu: %s %s %u %u", i, remedy_word(o.would), source_word(o.source), o.status, o.held);
		assert_int_equal(o.record->nhits, rows[i].rule ? 1 : 0);
		if (rows[i].rule)
			assert_bytes(o.record->hits[0].rule, bytes_of(rows[i].rule));
	}
}

static void the_mode_says_what_is_done(void **state)
{
	static const struct replay_request q = { .method = BYTES_INIT("GET"), .target = BYTES_INIT("/?q=1+union+select") };
	static const struct { enum waf_mode mode; enum remedy_kind action, would; } rows[] = {
		{ WAF_BLOCK, REMEDY_DENY, REMEDY_DENY }, { WAF_DETECT, REMEDY_LOG, REMEDY_DENY }, { WAF_OFF, REMEDY_ALLOW, REMEDY_ALLOW },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct replay_outcome o;

		h->state.mode = (int)rows[i].mode;
		o = judge(h, &q, NULL, 0);
		assert_int_equal(o.action, rows[i].action);
		assert_int_equal(o.would, rows[i].would);
	}
}

static void an_exception_is_tried_for_whom_it_is_meant(void **state)
{
	static const struct bytes sqli = BYTES_INIT("sqli"), xss = BYTES_INIT("xss"), gone = BYTES_INIT("gone"), post = BYTES_INIT("POST");
	struct replay_exception x[] = {
		{ .path = BYTES("/a"), .what.words[EXCLUDE_RULES] = { &sqli, 1 } },
		{ .path = BYTES("/a"), .what.words[EXCLUDE_RULES] = { &xss, 1 } },
		{ .methods = { &post, 1 }, .what.words[EXCLUDE_RULES] = { &sqli, 1 } },
		{ .what.words[EXCLUDE_RULES] = { &gone, 1 } },
	};
	static const struct { const char *target; uint32_t tries; enum remedy_kind would; unsigned tried; } rows[] = {
		{ "/a?q=union+select", 1, REMEDY_ALLOW, 1 }, { "/a?q=union+select", 2, REMEDY_DENY, 1 }, { "/a?q=union+select", 3, REMEDY_DENY, 0 },
		{ "/a?q=union+select", 0, REMEDY_ALLOW, 2 }, { "/b?q=union+select", 0, REMEDY_DENY, 0 }, { "/a?q=union+select", REPLAY_NONE, REMEDY_DENY, 0 },
		{ "/a?q=union+select<script", 1, REMEDY_DENY, 1 }, { "/a?q=union+select<script", 0, REMEDY_ALLOW, 2 },
	};
	struct house *h = *state;
	struct replay_job j = { .arena = h->arena, .app = BYTES("shop"), .exceptions = x, .nexceptions = 4 };

	for (size_t i = 0; i < nelems(rows); i++) {
		struct replay_request q = { .method = BYTES("GET"), .target = bytes_of(rows[i].target), .tries = rows[i].tries };
		struct replay_outcome o = judge(h, &q, x, 3);

		if (o.would != rows[i].would || o.tried != rows[i].tried)
			fail_msg("row %zu: %s %u", i, remedy_word(o.would), o.tried);
	}
	replay_judge(&h->site, h->scratch, &j);
	assert_true(j.failed && strstr(j.err.text, "exceptions[3]") && strstr(j.err.text, "gone"));
	j.failed = false;
	j.lenient = true;
	replay_judge(&h->site, h->scratch, &j);
	assert_false(j.failed);
	j.app = BYTES("nobody");
	replay_judge(&h->site, h->scratch, &j);
	assert_true(j.failed && j.err.side == SIDE_CLIENT);
}

/* ---- the thread ---- */

struct told { struct loop *loop; unsigned n; };

static void told(struct replay_job *j)
{
	struct told *t = j->ctx;

	assert_true(!j->failed && j->judged > 0);
	arena_free(j->arena);
	if (++t->n == 3)
		loop_stop(t->loop);
}

static void stop(void *loop)
{
	loop_stop(loop);
}

static struct replay_job *job_new(struct told *t, size_t n)
{
	struct arena *a = arena_new(REPLAY_ARENA);
	struct replay_job *j = arena_get(a, sizeof *j);
	struct replay_request *q = arena_get(a, n * sizeof *q);

	for (size_t i = 0; i < n; i++)
		q[i] = (struct replay_request){ .method = BYTES("GET"), .target = BYTES("/?q=1+union+select") };
	*j = (struct replay_job){ .arena = a, .app = BYTES("shop"), .requests = q, .n = n, .done = told, .ctx = t };
	return j;
}

static void jobs_are_told_on_the_loop_and_the_queue_is_bounded(void **state)
{
	struct house *h = *state;
	struct told t = { .loop = loop_new() };
	struct err e;
	struct replay *r = replay_new(t.loop, &e);
	struct replay_job *j;
	unsigned taken = 0;

	for (int i = 0; i < 3; i++)
		assert_true(replay_take(r, &h->site, job_new(&t, 50)));
	loop_run(t.loop);
	assert_int_equal(t.n, 3);
	for (;;) { /* faster than they are judged */
		j = job_new(&t, REPLAY_MAX);
		if (!replay_take(r, &h->site, j))
			break;
		assert_true(++taken < 1000);
	}
	assert_true(taken >= REPLAY_JOBS);
	arena_free(j->arena);
	replay_free(r); /* those that wait are freed */
	assert_int_equal(atomic_load(&h->site.users), 1);
	assert_true(loop_post(t.loop, stop, t.loop));
	loop_run(t.loop); /* those that were judged are told */
	assert_true(t.n >= 3 && t.n < 3 + taken);
	loop_free(t.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(judged_as_on_its_way, begin, end),
		cmocka_unit_test_setup_teardown(the_mode_says_what_is_done, begin, end),
		cmocka_unit_test_setup_teardown(an_exception_is_tried_for_whom_it_is_meant, begin, end),
		cmocka_unit_test_setup_teardown(jobs_are_told_on_the_loop_and_the_queue_is_bounded, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
