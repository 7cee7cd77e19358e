/* archive.c -- what is offered is listed, found and filtered as the words say, within the bounds; two processes may write. */
#include "tests/database.h"
#include "admin/api/api_tables.h"
#include "admin/archive.h"
#include "base/clock.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MANY = 500 };

static const struct archive_bounds wide = { 1000000, UINT64_C(1) << 40, UINT64_C(1) << 40 };

struct world {
	struct database db;
	struct loop *loop;
	struct events *ring;
	struct archive *archive;
};

static struct archive *another(struct world *w, struct events *ring, const struct archive_bounds *bounds)
{
	struct err err = { 0 };
	struct archive *a = archive_open(w->db.file, ring, w->loop, bounds, &err);

	assert_string_equal(err.text, "");
	return a;
}

static void begin(struct world *w, const struct archive_bounds *bounds)
{
	database_begin(&w->db);
	w->loop = loop_new();
	w->ring = events_new(1024, 16 << 20);
	w->archive = another(w, w->ring, bounds);
}

static void end(struct world *w)
{
	archive_close(w->archive);
	events_free(w->ring);
	loop_free(w->loop);
	database_end(&w->db);
}

/* ---- events, made of a number ---- */

static const enum source sources[] = { SOURCE_RULE, SOURCE_LIMIT, SOURCE_CTI };
static const enum remedy_kind actions[] = { REMEDY_DENY, REMEDY_LOG };

struct made {
	char id[27], path[32];
	struct bytes app, country, method, agent, ja4;
	struct ip client;
	unsigned status, as;
	uint64_t wall_ms;
	enum source source;
	enum remedy_kind action;
	bool has_rule;
};

static struct made made(unsigned i, uint64_t now_ms)
{
	static const char *const apps[] = { "shop", "blog", "" }, *const countries[] = { "DE", "FR" };
	static const char *const ja4s[] = { "t13d1516h2_8daaf6152771_e5627efa2ab1", "t13i1516h2_8daaf6152771_e5627efa2ab1", "",
					    "t13d1516h2_8daaf6152772_e5627efa2ab1" };
	struct made m = { .app = bytes_of(apps[i % 3]), .country = bytes_of(countries[i / 3 % 2]), .method = BYTES("GET"),
			  .agent = i % 11 ? BYTES("curl/8") : BYTES("Strange Agent"), .status = i % 4 ? 403 : 200,
			  .as = i % 6 ? 64500 : 64501, .wall_ms = now_ms - 1000 * (MANY - i), .source = sources[i % 3],
			  .action = actions[i % 2], .has_rule = i % 5 == 0 };

	m.ja4 = bytes_of(ja4s[i % 4]);
	if (i % 7 == 0)
		m.method = BYTES("POST");
	snprintf(m.id, sizeof m.id, "01J%08uABCDEFGHJKMNPQR", i);
	snprintf(m.path, sizeof m.path, "/Path/%u", i % 50);
	m.client = (struct ip){ { [10] = 0xff, [11] = 0xff, [12] = 192, [13] = (uint8_t)(i % 3), [14] = 2, [15] = (uint8_t)(i % 100) } };
	return m;
}

static void offer(struct events *ring, const struct made *m)
{
	static const struct rule_info rule = { .id = "942100", .message = "SQL", .category = "sqli", .severity = SEVERITY_CRITICAL };
	static const struct rule_info other = { .id = "9421", .message = "Other", .category = "xss", .severity = SEVERITY_NOTICE };
	const struct hit hits[] = { { .rule = &other, .variable = BYTES("ARGS:a"), .value = BYTES("x") },
				    { .rule = &rule, .variable = BYTES("ARGS:b"), .value = BYTES("1' or 1=1"), .score = 5 } };
	struct field agent = { .name = BYTES("User-Agent"), .value = m->agent, .id = FIELD_USER_AGENT };
	struct field cookie = { .name = BYTES("Cookie"), .value = BYTES("sid=very-secret"), .id = FIELD_COOKIE };
	struct field fields[] = { agent, cookie };
	const struct request q = { .method = m->method, .path = bytes_of(m->path), .query = BYTES("password=very-secret&a=1"),
				   .hostname = BYTES("Shop.example"), .minor = 1, .fields = { fields, 2, 2 } };
	char as[16];
	const struct event e = {
		.id = bytes_of(m->id), .app = m->app, .wall_ms = m->wall_ms, .client = m->client, .peer = m->client, .request = &q,
		.status = m->status, .action = m->action, .would = m->action, .source = m->source, .reason = BYTES("a Reason"),
		.hits = hits, .nhits = m->has_rule ? 2 : 0, .threshold = 5, .country = m->country, .ja4 = m->ja4,
		.as = { as, (size_t)snprintf(as, sizeof as, "%u", m->as) }, .as_name = BYTES("Net"), .level = 2,
		.has_body = true, .body = BYTES("name=x&password=very-secret"), .request_bytes = 27,
	};

	assert_true(events_offer(ring, &e, NULL));
}

static void fill(struct world *w, unsigned n, uint64_t now_ms)
{
	for (unsigned i = 0; i < n; i++) {
		struct made m = made(i, now_ms);

		offer(w->ring, &m);
		if (i % 256 == 255)
			archive_flush(w->archive);
	}
	archive_flush(w->archive);
}

/* ---- asking ---- */

struct got {
	struct loop *loop;
	size_t n;
	char ids[MANY][27];
	int64_t next;
};

static void on_page(void *owner, const struct archive_page *p)
{
	struct got *got = owner;

	assert_false(p->failed);
	for (size_t i = 0; i < p->n; i++) {
		assert_true(bytes_starts(p->rows[i].json, BYTES("{\"id\":\"")));
		memcpy(got->ids[got->n++], p->rows[i].json.at + 7, 26);
	}
	got->next = p->next;
	loop_stop(got->loop);
}

/* All pages. */
static void ask(struct world *w, struct archive_ask ask, struct got *got)
{
	memset(got, 0, sizeof *got);
	got->loop = w->loop;
	do {
		assert_true(archive_list(w->archive, &ask, w->loop, on_page, got));
		loop_run(w->loop);
		ask.before = ask.is_behind ? 0 : got->next;
		ask.behind = got->next;
	} while (got->next);
}

static void every_event_is_on_one_page(void **state)
{
	struct world w;
	struct got got;

	(void)state;
	begin(&w, &wide);
	fill(&w, MANY, clock_wall_ms());
	for (size_t limit = 1; limit <= 500; limit = limit * 7 + 3) {
		ask(&w, (struct archive_ask){ .limit = limit }, &got);
		assert_int_equal(got.n, MANY);
		for (unsigned i = 0; i < MANY; i++)
			assert_string_equal(got.ids[i], made(MANY - 1 - i, 0).id);
	}
	ask(&w, (struct archive_ask){ .is_behind = true, .behind = 100, .limit = 64 }, &got);
	assert_int_equal(got.n, MANY - 100);
	assert_string_equal(got.ids[0], made(100, 0).id);
	end(&w);
}

static struct ip_net net(const char *text)
{
	struct ip_net n;

	assert_true(ip_net_parse(bytes_of(text), &n));
	return n;
}

static bool text_is(struct bytes asked, struct bytes is)
{
	return !asked.at || bytes_eq(asked, is);
}

/* What the words of archive.h say, plainly. */
static bool meets(const struct archive_ask *a, const struct made *m)
{
	return text_is(a->app, m->app) && text_is(a->action, bytes_of(remedy_word(m->action))) &&
	       text_is(a->source, bytes_of(source_word(m->source))) && text_is(a->country, m->country) &&
	       text_is(a->method, m->method) && (!a->path.at || bytes_find(bytes_of(m->path), a->path) != SIZE_MAX) &&
	       (!a->rule.at || (m->has_rule && (bytes_eq(a->rule, BYTES("942100")) || bytes_eq(a->rule, BYTES("9421"))))) &&
	       (!a->id.at || bytes_starts_nocase(bytes_of(m->id), a->id)) && (!a->has_net || ip_in_net(&m->client, &a->net)) &&
	       (!a->has_as || a->as == m->as) && (!a->status || a->status == m->status) &&
	       (!a->from_ms || m->wall_ms >= a->from_ms) && (!a->to_ms || m->wall_ms < a->to_ms) &&
	       (!a->ja4.at || bytes_starts(m->ja4, a->ja4)) &&
	       (!a->q.at || bytes_find_nocase(bytes_of(m->path), a->q) != SIZE_MAX || bytes_find_nocase(m->agent, a->q) != SIZE_MAX);
}

static void filters_hold_alone_and_together(void **state)
{
	const uint64_t now_ms = clock_wall_ms();
	const struct archive_ask asks[] = {
		{ .app = BYTES("shop") }, { .app = BYTES("") }, { .app = BYTES("sho") }, { .action = BYTES("deny") },
		{ .source = BYTES("limit") }, { .rule = BYTES("942100") }, { .rule = BYTES("9421") }, { .rule = BYTES("94210") },
		{ .net = net("192.1.2.7"), .has_net = true }, { .net = net("192.1.2.0/28"), .has_net = true },
		{ .net = net("192.0.0.0/15"), .has_net = true }, { .net = net("2001:db8::/32"), .has_net = true },
		{ .ja4 = BYTES("t13d1516h2_8daaf6152771_e5627efa2ab1") }, { .ja4 = BYTES("t13") }, { .ja4 = BYTES("t13d1516h2_"), .status = 403 },
		{ .ja4 = BYTES("t13d1516h2_8daaf6152771_e5627efa2ab") }, { .ja4 = BYTES("x") }, { .ja4 = BYTES("%") },
		{ .country = BYTES("FR") }, { .as = 64501, .has_as = true }, { .path = BYTES("/Path/1") }, { .path = BYTES("/path/1") },
		{ .path = BYTES("%") }, { .method = BYTES("POST") }, { .status = 200 }, { .id = BYTES("01j0000001") },
		{ .id = BYTES("01J00000123ABC") }, { .id = BYTES("01J00000123ABCDEFGHJKMNPQR") }, { .id = BYTES("X") },
		{ .q = BYTES("PATH/4") }, { .q = BYTES("strange a") }, { .q = BYTES("'; drop table events; --") },
		{ .from_ms = now_ms - 100000 }, { .to_ms = now_ms - 100000 }, { .from_ms = now_ms - 60000, .to_ms = now_ms - 30000 },
		{ .app = BYTES("blog"), .action = BYTES("log"), .country = BYTES("DE") },
		{ .net = net("192.1.2.7"), .has_net = true, .action = BYTES("deny"), .q = BYTES("curl") },
		{ .rule = BYTES("942100"), .status = 403, .method = BYTES("GET"), .path = BYTES("5"), .to_ms = now_ms },
		{ .id = BYTES("01J000001"), .app = BYTES("shop"), .as = 64500, .has_as = true },
	};
	struct world w;
	struct got got;

	(void)state;
	begin(&w, &wide);
	fill(&w, MANY, now_ms);
	for (size_t i = 0; i < nelems(asks); i++) {
		size_t n = 0;

		ask(&w, asks[i], &got);
		for (unsigned m = MANY; m-- > 0;) {
			struct made event = made(m, now_ms);

			if (!meets(&asks[i], &event))
				continue;
			assert_true(n < got.n);
			assert_string_equal(got.ids[n++], event.id);
		}
		assert_int_equal(n, got.n);
	}
	end(&w);
}

/* ---- one event ---- */

struct one {
	struct loop *loop;
	struct json *json;
	bool secret;
};

static void on_found(void *owner, struct bytes b)
{
	struct one *one = owner;
	const struct json_limits limits = { 1 << 20, 16 };
	struct err err = { 0 };

	one->secret = b.len && bytes_find(b, BYTES("very-secret")) != SIZE_MAX;
	if (b.len && !(one->json = json_read(b, &limits, &err)))
		fail_msg("%s", err.text);
	loop_stop(one->loop);
}

static struct one find(struct world *w, const char *id)
{
	struct one one = { .loop = w->loop };

	assert_true(archive_find(w->archive, bytes_of(id), w->loop, on_found, &one));
	loop_run(w->loop);
	return one;
}

static void says(const struct json *json, const char *path, const char *wanted)
{
	struct bytes text;

	assert_true(json_text(json, path, &text));
	assert_bytes(text, bytes_of(wanted));
}

static void a_detail_is_as_its_shape_says_and_has_no_secret(void **state)
{
	struct world w;
	struct one one;
	struct err err = { 0 };
	int64_t n;

	(void)state;
	begin(&w, &wide);
	fill(&w, 200, clock_wall_ms());
	one = find(&w, "01j00000150abcdefghjkmnpqr");
	assert_non_null(one.json);
	assert_false(one.secret);
	if (!api_check(one.json, &api_event_detail_shape, &err))
		fail_msg("%s", err.text);
	says(one.json, "id", "01J00000150ABCDEFGHJKMNPQR");
	says(one.json, "rule", "942100");
	says(one.json, "rules.0", "9421");
	says(one.json, "pass", "pow");
	says(one.json, "headers.1.value", "[redacted]");
	says(one.json, "body", "name=x&password=[redacted]");
	says(one.json, "trace.0.step", "client");
	assert_true(json_number(one.json, "similar", &n));
	assert_int_equal(n, 1); /* number 0; 50 and 100 have its path, and are of other apps */
	json_free(one.json);
	one = find(&w, "01J00000150");
	assert_null(one.json);
	end(&w);
}

/* ---- bounds ---- */

static size_t count(struct world *w)
{
	struct got got;

	ask(w, (struct archive_ask){ .limit = 500 }, &got);
	return got.n;
}

static void the_oldest_give_way(void **state)
{
	const uint64_t now_ms = clock_wall_ms();
	const struct {
		struct archive_bounds bounds;
		size_t least, most;
	} cases[] = {
		{ { 100, wide.bytes, wide.age_ms }, 100, 100 },
		{ { wide.count, wide.bytes, 100500 }, 98, 101 }, /* made(): one a second; filling takes time too */
		{ { wide.count, 1 << 20, wide.age_ms }, 0, 499 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct world w;
		struct got got;
		size_t n;

		begin(&w, &cases[i].bounds);
		fill(&w, MANY, now_ms);
		archive_flush(w.archive);
		n = count(&w);
		assert_in_range(n, cases[i].least, cases[i].most);
		ask(&w, (struct archive_ask){ .limit = 1 }, &got);
		if (n)
			assert_string_equal(got.ids[0], made(MANY - 1, 0).id);
		end(&w);
	}
}

static void what_the_ring_lets_go_is_counted(void **state)
{
	struct archive_counts counts;
	struct world w;

	(void)state;
	begin(&w, &wide);
	archive_close(w.archive);
	events_free(w.ring);
	w.ring = events_new(100, 16 << 20);
	w.archive = another(&w, w.ring, &wide);
	for (unsigned i = 0; i < 250; i++) {
		struct made m = made(i, clock_wall_ms());

		offer(w.ring, &m);
	}
	archive_flush(w.archive);
	archive_count(w.archive, &counts);
	assert_int_equal(counts.written, 100);
	assert_int_equal(counts.dropped, 150);
	assert_int_equal(count(&w), 100);
	end(&w);
}

/* ---- by itself, and two at a time ---- */

static void stop(void *loop)
{
	loop_stop(loop);
}

static void it_is_written_without_being_asked(void **state)
{
	struct made m = made(1, clock_wall_ms());
	struct deadline late = { 0 };
	struct world w;

	(void)state;
	begin(&w, &wide);
	for (int i = 0; i < 2; i++) { /* the second: it waits anew */
		struct archive_counts counts;

		offer(w.ring, &m);
		archive_follow(w.archive, stop, w.loop);
		deadline_set(w.loop, &late, 5000, stop, w.loop);
		for (counts.written = 0; counts.written <= (uint64_t)i && late.link; archive_count(w.archive, &counts))
			loop_run(w.loop);
		assert_int_equal(counts.written, i + 1);
		deadline_clear(&late);
	}
	end(&w);
}

static void two_processes_write_one_file(void **state)
{
	const uint64_t now_ms = clock_wall_ms();
	struct events *ring = events_new(1024, 16 << 20);
	struct archive *successor;
	struct got got;
	struct world w;

	(void)state;
	begin(&w, &wide);
	successor = another(&w, ring, &wide);
	for (unsigned i = 0; i < 200; i++) {
		struct made m = made(i, now_ms);

		offer(i % 2 ? ring : w.ring, &m);
		if (i % 10 == 9) {
			archive_flush(i % 20 == 9 ? successor : w.archive);
			archive_flush(i % 20 == 9 ? w.archive : successor);
		}
	}
	ask(&w, (struct archive_ask){ .is_behind = true, .behind = 0, .limit = 50 }, &got);
	assert_int_equal(got.n, 200);
	archive_close(successor);
	events_free(ring);
	end(&w);
}

static void take_column_away(sqlite3 *db, void *arg)
{
	*(bool *)arg = sqlite3_exec(db, "ALTER TABLE events DROP COLUMN ja4", NULL, NULL, NULL) == SQLITE_OK;
}

static void a_file_of_before_is_taken_over(void **state)
{
	struct world w;
	struct got got;
	bool done = false;

	(void)state;
	begin(&w, &wide);
	assert_true(store_do_now(archive_store(w.archive), take_column_away, &done) && done);
	archive_close(w.archive);
	w.archive = another(&w, w.ring, &wide);
	fill(&w, 4, clock_wall_ms());
	ask(&w, (struct archive_ask){ .ja4 = BYTES("t13") }, &got);
	assert_int_equal(got.n, 3);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_on_one_page),
		cmocka_unit_test(filters_hold_alone_and_together),
		cmocka_unit_test(a_detail_is_as_its_shape_says_and_has_no_secret),
		cmocka_unit_test(the_oldest_give_way),
		cmocka_unit_test(what_the_ring_lets_go_is_counted),
		cmocka_unit_test(it_is_written_without_being_asked),
		cmocka_unit_test(two_processes_write_one_file),
		cmocka_unit_test(a_file_of_before_is_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
