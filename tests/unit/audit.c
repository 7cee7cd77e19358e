/* audit.c -- what was noted stays, and what was tampered with is found. */
#include "tests/database.h"
#include "admin/audit.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct caller anna = { ROLE_ADMINISTRATOR, CALLER_SESSION, "anna", "192.0.2.7", 0 };
static const struct caller bert = { ROLE_OPERATOR, CALLER_TOKEN, "bert", "192.0.2.8", 0 };

struct house {
	struct database db;
	struct store *store;
	struct admin admin;
};

static void house_open(struct house *h)
{
	struct err e = { 0 };

	h->store = store_open(h->db.file, &e);
	h->admin = (struct admin){ .store = h->store };
	if (!h->store || !(h->admin.audit = audit_open(h->store, &e)))
		fail_msg("%s", e.text);
}

static void house_close(struct house *h)
{
	store_close(h->store);
	audit_close(h->admin.audit);
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	database_begin(&h->db);
	house_open(h);
	*state = h;
	return 0;
}

static int end(void **state)
{
	struct house *h = *state;

	house_close(h);
	database_end(&h->db);
	free(h);
	return 0;
}

static void note_three(struct house *h)
{
	audit_note(&h->admin, &anna, "user.add", BYTES("bert"), BYTES("operator"));
	audit_note(&h->admin, &bert, "decision.add", BYTES("192.0.2.66"), BYTES("deny, 4h: \"it\" asked\nfor it"));
	audit_note(&h->admin, &anna, "config.change", BYTES("shop"), (struct bytes){ 0 });
}

/* ---- reading ---- */

struct seen {
	struct bytes user;
	uint64_t before;
	unsigned limit, n;
	char text[512];
	bool good;
};

static void see(void *ctx, const struct audit_entry *e)
{
	struct seen *s = ctx;
	size_t at = strlen(s->text);

	s->n++;
	snprintf(s->text + at, sizeof s->text - at, "%llu %.*s %.*s %.*s %.*s %.*s|", (unsigned long long)e->id, BYTES_ARG(e->user),
		 BYTES_ARG(e->way), BYTES_ARG(e->action), BYTES_ARG(e->subject), BYTES_ARG(e->detail));
}

static void run_read(sqlite3 *db, void *arg)
{
	struct seen *s = arg;

	s->good = audit_read(db, s->user, s->before, s->limit, see, s);
}

static void pages_are_newest_first_and_may_be_of_one_user(void **state)
{
	static const struct { const char *user; uint64_t before; unsigned limit; const char *text; } asked[] = {
		{ "", 0, 9, "3 anna session config.change shop |2 bert token decision.add 192.0.2.66 deny, 4h: \"it\" asked\nfor it|"
			    "1 anna session user.add bert operator|" },
		{ "", 3, 1, "2 bert token decision.add 192.0.2.66 deny, 4h: \"it\" asked\nfor it|" },
		{ "anna", 0, 9, "3 anna session config.change shop |1 anna session user.add bert operator|" },
		{ "anna", 3, 9, "1 anna session user.add bert operator|" },
		{ "nobody", 0, 9, "" },
		{ "", 1, 9, "" },
	};
	struct house *h = *state;

	note_three(h);
	for (size_t i = 0; i < nelems(asked); i++) {
		struct seen s = { .user = bytes_of(asked[i].user), .before = asked[i].before, .limit = asked[i].limit };

		assert_true(store_do_now(h->store, run_read, &s));
		assert_true(s.good);
		assert_string_equal(s.text, asked[i].text);
	}
}

/* ---- the chain ---- */

struct walking {
	struct audit_walk at;
	unsigned step, jobs;
	bool good;
};

static void run_check(sqlite3 *db, void *arg)
{
	struct walking *w = arg;

	w->good = audit_check(db, &w->at, w->step);
	w->jobs++;
}

static struct walking walk(struct house *h, unsigned step)
{
	struct walking w = { .at = { .audit = h->admin.audit }, .step = step, .good = true };

	while (w.good && !w.at.over)
		assert_true(store_do_now(h->store, run_check, &w));
	assert_true(w.good);
	return w;
}

static void a_chain_that_nobody_touched_is_whole_whatever_the_steps(void **state)
{
	struct house *h = *state;

	assert_int_equal(walk(h, 10).at.broken_at, 0);
	note_three(h);
	for (unsigned step = 1; step < 5; step++) {
		struct walking w = walk(h, step);

		assert_int_equal(w.at.broken_at, 0);
		assert_int_equal(w.at.entries, 3);
	}
	assert_int_equal(walk(h, 1).jobs, 4);
	house_close(h);
	house_open(h);
	note_three(h);
	assert_int_equal(walk(h, 100).at.entries, 6);
	assert_int_equal(walk(h, 100).at.broken_at, 0);
}

static void run_sql(sqlite3 *db, void *arg)
{
	char **said = arg; /* statement in, error out */
	char *why = NULL;

	sqlite3_exec(db, *said, NULL, NULL, &why);
	*said = why;
}

static void tamper(struct house *h, const char *sql)
{
	char *said = (char *)(uintptr_t)sql;

	assert_true(store_do_now(h->store, run_sql, &said));
	if (said)
		fail_msg("%s", said);
}

static void the_table_itself_is_only_added_to(void **state)
{
	static const char *const tries[] = { "DELETE FROM audit WHERE id = 2", "UPDATE audit SET user = 'eve' WHERE id = 2" };
	struct house *h = *state;

	note_three(h);
	for (size_t i = 0; i < nelems(tries); i++) {
		char *said = (char *)(uintptr_t)tries[i];

		assert_true(store_do_now(h->store, run_sql, &said));
		assert_string_equal(said, "the audit log is only added to");
		sqlite3_free(said);
	}
	assert_int_equal(walk(h, 100).at.entries, 3);
}

static void tampering_is_found_at_the_entry_where_it_was_done(void **state)
{
	static const struct { const char *sql; uint64_t at; } deeds[] = {
		{ "UPDATE audit SET user = 'eve' WHERE id = 2", 2 },
		{ "UPDATE audit SET detail = '' WHERE id = 1", 1 },
		{ "UPDATE audit SET time_ms = time_ms + 1 WHERE id = 3", 3 },
		{ "UPDATE audit SET subject = subject || 'x', detail = '' WHERE id = 3", 3 },
		{ "UPDATE audit SET user = 'ann', way = 'asession' WHERE id = 1", 1 },
		{ "UPDATE audit SET hash = zeroblob(32) WHERE id = 2", 2 },
		{ "DELETE FROM audit WHERE id = 2", 3 },
		{ "DELETE FROM audit WHERE id = 1", 2 },
		{ "DELETE FROM audit WHERE id = 3", 3 },
		{ "DELETE FROM audit", 1 },
	};
	struct house *h = *state;

	note_three(h);
	tamper(h, "DROP TRIGGER audit_stays; DROP TRIGGER audit_keeps; CREATE TABLE kept AS SELECT * FROM audit");
	for (size_t i = 0; i < nelems(deeds); i++) {
		tamper(h, deeds[i].sql);
		if (walk(h, 2).at.broken_at != deeds[i].at)
			fail_msg("%s: found at %d", deeds[i].sql, (int)walk(h, 2).at.broken_at);
		tamper(h, "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept");
		assert_int_equal(walk(h, 2).at.broken_at, 0);
	}
}

static void long_texts_are_cut_and_any_byte_is_kept(void **state)
{
	struct house *h = *state;
	char *detail = malloc(AUDIT_DETAIL_MAX + 10), subject[AUDIT_SUBJECT_MAX + 10];
	struct seen s = { .limit = 9 };

	memset(detail, 'd', AUDIT_DETAIL_MAX + 10);
	memset(subject, '\xff', sizeof subject);
	subject[3] = '\0';
	audit_note(&h->admin, &caller_ctl, "x", (struct bytes){ subject, sizeof subject }, (struct bytes){ detail, AUDIT_DETAIL_MAX + 10 });
	free(detail);
	assert_int_equal(walk(h, 100).at.entries, 1);
	assert_int_equal(walk(h, 100).at.broken_at, 0);
	assert_true(store_do_now(h->store, run_read, &s));
	assert_int_equal(s.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_are_newest_first_and_may_be_of_one_user, begin, end),
		cmocka_unit_test_setup_teardown(a_chain_that_nobody_touched_is_whole_whatever_the_steps, begin, end),
		cmocka_unit_test_setup_teardown(the_table_itself_is_only_added_to, begin, end),
		cmocka_unit_test_setup_teardown(tampering_is_found_at_the_entry_where_it_was_done, begin, end),
		cmocka_unit_test_setup_teardown(long_texts_are_cut_and_any_byte_is_kept, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
