/* suggest.c -- what is of one request only leaves a path; what is one mistake becomes one cluster. */
#include "tests/test.h"
#include "admin/edit_hooks.h"
#include "admin/suggest_ask.h"

static void a_path_keeps_what_its_author_wrote(void **state)
{
	static const struct { const char *path, *template, *pattern; } rows[] = {
		{ "/", "/", "/" },
		{ "", "", "" },
		{ "/orders/1234/edit", "/orders/{}/edit", "/orders/*/edit" },
		{ "/orders/7", "/orders/{}", "/orders/*" },
		{ "/u/123e4567-e89b-12d3-a456-426614174000/x", "/u/{}/x", "/u/*/x" },
		{ "/u/123E4567-E89B-12D3-A456-426614174000", "/u/{}", "/u/*" },
		{ "/blob/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/blob/{}", "/blob/*" },
		{ "/blob/deadbeefdeadbeef", "/blob/{}", "/blob/*" },
		{ "/s/01JD3K9ZQ4V8N2R6T7W5X1Y0AB", "/s/{}", "/s/*" },
		{ "/s/V1StGXR8_Z5jdHi6B-myT9k", "/s/{}", "/s/*" },
		{ "/img_0042.png", "/img_{}.png", "/img_*.png" },
		{ "/img/a1b2c3d4.min.js", "/img/{}.min.js", "/img/*.min.js" },
		{ "/2026/11/24/a-title-of-2026", "/{}/{}/{}/a-title-of-{}", "/*/*/*/a-title-of-*" },
		{ "/a//b/", "/a//b/", "/a//b/" },
		/* words, versions, and what only looks like hex */
		{ "/facade/deadbeef/decade", "/facade/deadbeef/decade", "/facade/deadbeef/decade" },
		{ "/api/v1/users", "/api/v1/users", "/api/v1/users" },
		{ "/h264/mp3", "/h264/mp3", "/h264/mp3" },
		{ "/a-rather-long-title-without-numbers", "/a-rather-long-title-without-numbers", "/a-rather-long-title-without-numbers" },
		{ "/internationalization", "/internationalization", "/internationalization" },
		{ "/wp-login.php", "/wp-login.php", "/wp-login.php" },
		{ "/search*", "/search*", "/search*" },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct bytes t = suggest_path(a, bytes_of(rows[i].path));

		if (!bytes_eq(t, bytes_of(rows[i].template)))
			fail_msg("%s: %.*s", rows[i].path, BYTES_ARG(t));
		assert_bytes(suggest_pattern(a, t), bytes_of(rows[i].pattern));
	}
	arena_free(a);
}

/* ---- clusters ---- */

#define HIT(id, in, kind, points) { .rule = BYTES_INIT(id), .variable = BYTES_INIT(in), .category = BYTES_INIT(kind), \
				    .message = BYTES_INIT("message of " id), .score = points }

struct row {
	uint32_t client;
	const char *path;
	struct record_hit hits[3];
	size_t n;
	uint64_t time_ms;
};

static struct suggest_set set_of(struct arena *a, const struct row *rows, size_t n, size_t nclients)
{
	struct suggest_set s = { .arena = a, .n = n, .nclients = nclients };

	s.events = arena_get(a, (n + 1) * sizeof *s.events);
	s.clients = arena_get(a, nclients * sizeof *s.clients);
	for (size_t i = 0; i < n; i++) {
		s.events[i] = (struct suggest_event){ .client = rows[i].client, .path = bytes_of(rows[i].path), .time_ms = rows[i].time_ms };
		s.events[i].kept = (struct replay_event){ .app = BYTES("shop"), .path = bytes_of(rows[i].path), .hits = rows[i].hits,
							  .nhits = rows[i].n, .threshold = 5 };
	}
	return s;
}

static void ten_requests_of_five_clients_are_one_mistake(void **state)
{
	static const struct row rows[] = {
		{ 0, "/orders/10/comment", { HIT("942100", "ARGS:body", "sqli", 5), HIT("949110", "TX:anomaly_score", "", 0) }, 2, 9000000 },
		{ 1, "/orders/11/comment", { HIT("942190", "ARGS:body", "sqli", 5), HIT("942100", "BODY_ARGS:body", "sqli", 5) }, 2, 8000000 },
		{ 2, "/orders/12/comment", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 7000000 },
		{ 3, "/orders/13/comment", { HIT("942100", "ARGS_POST:body", "sqli", 5) }, 1, 6000000 },
		{ 4, "/orders/14/comment", { HIT("942430", "ARGS:body", "sqli", 3), HIT("942100", "ARGS:body", "sqli", 5) }, 2, 5000000 },
		{ 0, "/orders/15/comment", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 4000000 },
		{ 1, "/orders/16/comment", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 3000000 },
		{ 2, "/orders/17/comment", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 2000000 },
		{ 3, "/orders/18/comment", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 1000000 },
		{ 4, "/orders/19/comment", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 1000 },
	};
	struct arena *a = arena_new(32 << 20);
	struct suggest_set s = set_of(a, rows, nelems(rows), 5);
	const struct suggest_cluster *c;
	char room[512];
	struct text t = text_over(room, sizeof room);

	(void)state;
	assert_true(suggest_clusters(&s));
	assert_int_equal(s.nclusters, 1);
	c = &s.clusters[0];
	assert_int_equal(c->n, 10);
	assert_int_equal(c->clients, 5);
	assert_bytes(c->path, BYTES("/orders/{}/comment"));
	assert_bytes(c->rule, BYTES("942100"));
	assert_bytes(c->message, BYTES("message of 942100"));
	assert_int_equal(c->likely, SUGGEST_FALSE_POSITIVE); /* five clients, more than an hour */
	propose_yaml(&t, &c->exception);
	assert_bytes(text_bytes(&t), BYTES("{path: \"/orders/*/comment\", rules: [942100, 942190, 942430], args: [\"body\"], reason: \"...\"}"));
	assert_true(suggest_near(&s, &s.clusters[0], false));
	assert_int_equal(c->nnear, s.n);
	for (size_t i = 0; i < s.n; i++)
		assert_true(suggest_reckon(&c->exception, 1, &s.events[i].kept));
	arena_free(a);
}

static const struct suggest_rule *rule_of(const struct suggest_set *s, const struct edit_app *apps, size_t napps, const char *id)
{
	size_t n;
	const struct suggest_rule *at = suggest_rules(s, apps, napps, &n);

	for (size_t i = 0; at && i < n; i++)
		if (bytes_eq(at[i].id, bytes_of(id)))
			return &at[i];
	return NULL;
}

/* Four clients and the article, and one that probes. */
static struct suggest_set article(struct arena *a)
{
	static const struct row rows[] = {
		{ 0, "/article", { HIT("942100", "ARGS:text", "sqli", 5), HIT("942100", "ARGS:text", "sqli", 5), HIT("949110", "TX:score", "", 0) }, 3, 9000000 },
		{ 1, "/article", { HIT("942100", "ARGS:text", "sqli", 5) }, 1, 5000000 },
		{ 2, "/article", { HIT("942100", "ARGS:text", "sqli", 5), HIT("941100", "ARGS:q", "xss", 5) }, 2, 4000000 },
		{ 3, "/article", { HIT("942100", "ARGS:text", "sqli", 5) }, 1, 1000 },
		{ 4, "/probe", { HIT("942100", "ARGS:id", "sqli", 5), HIT("941100", "ARGS:id", "xss", 5) }, 2, 900 },
	};
	struct suggest_set s = set_of(a, rows, nelems(rows), 5);

	assert_true(suggest_clusters(&s));
	assert_int_equal(s.clusters[0].n, 4);
	assert_int_equal(s.clusters[0].likely, SUGGEST_FALSE_POSITIVE);
	return s;
}

static void a_rule_is_as_often_mistaken_as_its_suggestions_say(void **state)
{
	struct arena *a = arena_new(32 << 20);
	struct suggest_set s = article(a);
	const struct suggest_rule *r = rule_of(&s, NULL, 0, "942100");

	(void)state;
	assert_int_equal(r->alerts, 5); /* twice in one is once */
	assert_int_equal(r->mistaken, 4);
	r = rule_of(&s, NULL, 0, "941100");
	assert_int_equal(r->alerts, 2);
	assert_int_equal(r->mistaken, 0); /* its own match is of no such suggestion, though the request is */
	assert_null(rule_of(&s, NULL, 0, "949110"));
	s.clusters[0].kept = true; /* somebody knows better */
	assert_int_equal(rule_of(&s, NULL, 0, "942100")->mistaken, 0);
	arena_free(a);
}

static void what_was_accepted_was_mistaken(void **state)
{
	struct arena *a = arena_new(32 << 20);
	struct suggest_set s = article(a);
	struct bytes ids[] = { BYTES_INIT("942100") }, args[] = { BYTES_INIT("text") };
	struct edit_exception e = { .path = BYTES("/article"), .rules = { ids, 1 }, .args = { args, 1 } };
	const struct edit_app app = { .name = BYTES("shop"), .exceptions = &e, .nexceptions = 1 };

	(void)state;
	s.clusters[0].likely = SUGGEST_UNCLEAR;
	assert_int_equal(rule_of(&s, NULL, 0, "942100")->mistaken, 0);
	assert_int_equal(rule_of(&s, &app, 1, "942100")->mistaken, 4);
	e.over = true;
	assert_int_equal(rule_of(&s, &app, 1, "942100")->mistaken, 0);
	arena_free(a);
}

static void neighbours_are_mistakes_of_their_own(void **state)
{
	static const struct row rows[] = {
		{ 0, "/comment", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 5000 },
		{ 0, "/comment", { HIT("942100", "ARGS:title", "sqli", 5) }, 1, 4000 },
		{ 0, "/comment", { HIT("941100", "ARGS:body", "xss", 5) }, 1, 3000 },
		{ 0, "/other", { HIT("942100", "ARGS:body", "sqli", 5) }, 1, 2000 },
		{ 0, "/comment", { HIT("942100", "ARGS:body", "sqli", 5), HIT("942100", "ARGS:title", "sqli", 5), HIT("941100", "ARGS:body", "xss", 5) }, 3, 1000 },
	};
	struct arena *a = arena_new(32 << 20);
	struct suggest_set s = set_of(a, rows, nelems(rows), 1);
	size_t whole = 0;

	(void)state;
	assert_true(suggest_clusters(&s));
	assert_int_equal(s.nclusters, 4);
	assert_true(suggest_is_bad(&s.clients[0])); /* one client, everywhere */
	for (size_t i = 0; i < s.nclusters; i++) {
		assert_int_equal(s.clusters[i].likely, SUGGEST_ATTACK);
		whole += suggest_reckon(&s.clusters[i].exception, 1, &s.events[4].kept);
		assert_int_equal(suggest_reckon(&s.clusters[i].exception, 1, &s.events[3].kept), bytes_eq(s.clusters[i].path, BYTES("/other")) ||
			(bytes_eq(s.clusters[i].category, BYTES("sqli")) && bytes_eq(s.clusters[i].target.name, BYTES("body"))));
	}
	assert_int_equal(whole, 0); /* no single one lets the last request pass */
	arena_free(a);
}

static void nothing_comes_of_nothing(void **state)
{
	static const struct row rows[] = { { 0, "/", { HIT("949110", "TX:anomaly_score", "", 0) }, 1, 1 }, { 0, "/", { HIT("1", "ARGS:a", "", 0) }, 0, 0 } };
	struct arena *a = arena_new(32 << 20);
	struct suggest_set s = set_of(a, rows, 0, 1);

	(void)state;
	assert_true(suggest_clusters(&s));
	assert_int_equal(s.nclusters, 0);
	s = set_of(a, rows, 2, 1);
	assert_true(suggest_clusters(&s));
	assert_int_equal(s.nclusters, 0);
	arena_free(a);
}

static void clusters_are_bounded(void **state)
{
	enum { N = 6000 };
	struct row *rows = calloc(N, sizeof *rows);
	char (*paths)[40] = calloc(N, sizeof *paths);
	struct arena *a = arena_new(64 << 20);
	struct suggest_set s;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		const struct record_hit h = HIT("942100", "ARGS:q", "sqli", 5);

		snprintf(paths[i], sizeof *paths, "/p%c%c%c%c", (int)('g' + i % 20), (int)('g' + i / 20 % 20), (int)('g' + i / 400 % 20), 'x');
		rows[i] = (struct row){ 0, paths[i], { h }, 1, N - i };
	}
	s = set_of(a, rows, N, 1);
	assert_true(suggest_clusters(&s));
	assert_int_equal(s.nclusters, SUGGEST_CLUSTERS);
	arena_free(a);
	free(paths);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_keeps_what_its_author_wrote),
		cmocka_unit_test(ten_requests_of_five_clients_are_one_mistake),
		cmocka_unit_test(a_rule_is_as_often_mistaken_as_its_suggestions_say),
		cmocka_unit_test(what_was_accepted_was_mistaken),
		cmocka_unit_test(neighbours_are_mistakes_of_their_own),
		cmocka_unit_test(nothing_comes_of_nothing),
		cmocka_unit_test(clusters_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
