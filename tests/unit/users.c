/* users.c, sessions.c, tokens.c -- who may come in, how often one may guess, and that it outlives a restart. */
#include "tests/database.h"
#include "tests/turns.h"
#include "admin/sessions.h"
#include "admin/tokens.h"
#include "admin/users.h"
#include "base/clock.h"
#include "base/tries.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char password[] = "a long password", other[] = "another password";

struct house {
	struct database db;
	struct loop *loop;
	struct store *store;
	struct users *users;
	struct sessions *sessions;
	struct tokens *tokens;
	struct ip from;
	/* what was told last */
	unsigned told, wait_s;
	enum user_answer answer;
	bool set, running; /* running: the loop, and it is to stop */
	struct err err;
	uint8_t key[32];
};

static void house_open(struct house *h)
{
	struct err e = { 0 };

	h->store = store_open(h->db.file, &e);
	if (!h->store || !(h->users = users_open(h->store, h->loop, h->key, &e)) || !(h->sessions = sessions_open(h->store, &e)) ||
	    !(h->tokens = tokens_open(h->store, &e)))
		fail_msg("%s", e.text);
}

static void house_close(struct house *h)
{
	users_close(h->users);
	sessions_close(h->sessions);
	tokens_close(h->tokens);
	store_close(h->store);
}

static void reopen(struct house *h)
{
	house_close(h);
	house_open(h);
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	database_begin(&h->db);
	assert_true(ip_parse(BYTES("192.0.2.1"), &h->from));
	h->loop = loop_new();
	house_open(h);
	*state = h;
	return 0;
}

static int end(void **state)
{
	struct house *h = *state;

	house_close(h);
	database_end(&h->db);
	loop_free(h->loop);
	free(h);
	return 0;
}

/* ---- asking, and waiting for the answer ---- */

static void stop(struct house *h)
{
	if (h->running)
		loop_stop(h->loop);
}

static void wait_for(struct house *h, unsigned told)
{
	h->running = true;
	RUN_UNTIL(h->loop, h->told >= told);
	h->running = false;
}

static void on_checked(void *owner, enum user_answer answer, unsigned wait_s)
{
	struct house *h = owner;

	h->told++;
	h->answer = answer;
	h->wait_s = wait_s;
	stop(h);
}

static enum user_answer check_from(struct house *h, const char *from, const char *name, const char *text, const char *code)
{
	struct ip ip;
	const struct user_check c = { .name = bytes_of(name), .password = bytes_of(text), .code = bytes_of(code), .from = &ip };
	unsigned before = h->told;

	assert_true(ip_parse(bytes_of(from), &ip));
	users_check(h->users, &c, on_checked, h);
	wait_for(h, before + 1);
	return h->answer;
}

static enum user_answer check(struct house *h, const char *name, const char *text, const char *code)
{
	return check_from(h, "192.0.2.1", name, text, code);
}

static void on_set(void *owner, const struct err *e)
{
	struct house *h = owner;

	h->told++;
	h->set = !e;
	if (e)
		h->err = *e;
	stop(h);
}

static bool set(struct house *h, const char *name, const char *text, const char *code)
{
	unsigned before = h->told;

	users_set_password(h->users, bytes_of(name), bytes_of(text), bytes_of(code), on_set, h);
	wait_for(h, before + 1);
	return h->set;
}

static void add(struct house *h, const char *name, enum role role)
{
	struct err e = { 0 };

	if (!users_add(h->users, bytes_of(name), role, &e))
		fail_msg("%s", e.text);
	if (!set(h, name, password, ""))
		fail_msg("%s", h->err.text);
}

/* Base32 back to bytes. */
static void secret_bytes(const char *secret, uint8_t bytes[CODE_TOTP_BYTES])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	unsigned have = 0, n = 0;

	for (const char *c = secret; *c && n < CODE_TOTP_BYTES; c++) {
		bits = bits << 5 | (uint32_t)(strchr(letters, *c) - letters);
		if ((have += 5) >= 8)
			bytes[n++] = (uint8_t)(bits >> (have -= 8));
	}
}

static void code_now(const char *secret, char code[8])
{
	uint8_t bytes[CODE_TOTP_BYTES];

	secret_bytes(secret, bytes);
	snprintf(code, 8, "%06u", code_totp(bytes, clock_wall_ms() / 1000 / CODE_TOTP_S));
}

/* ---- users ---- */

static void passwords_are_checked_and_outlive_a_restart(void **state)
{
	struct house *h = *state;

	assert_false(users_are_set_up(h->users));
	add(h, "anna", ROLE_ADMINISTRATOR);
	assert_true(users_are_set_up(h->users));
	assert_int_equal(check(h, "anna", password, ""), USER_IN);
	assert_int_equal(check(h, "anna", other, ""), USER_WRONG);
	assert_int_equal(check(h, "anna", "", ""), USER_WRONG);
	assert_int_equal(check(h, "nobody", password, ""), USER_WRONG);
	assert_int_equal(check(h, "", password, ""), USER_WRONG);
	reopen(h);
	assert_int_equal(check(h, "anna", password, ""), USER_IN);
	assert_true(users_find(h->users, BYTES("anna"))->seen_ms > 0);
	assert_true(set(h, "anna", other, ""));
	assert_int_equal(check(h, "anna", password, ""), USER_WRONG);
	reopen(h);
	assert_int_equal(check(h, "anna", other, ""), USER_IN);
}

static void what_is_no_name_or_password_is_refused(void **state)
{
	static const char *const names[] = { "", "a b", "a/b", "a:b", "\xc3\xa4",
					     "0123456789012345678901234567890123456789012345678901234567890123" };
	static const char *const passwords[] = { "", "too short", "bernadette" };
	struct house *h = *state;
	char long_one[USER_PASSWORD_MAX + 2];
	struct err e;

	for (size_t i = 0; i < nelems(names); i++)
		assert_false(users_add(h->users, bytes_of(names[i]), ROLE_VIEWER, &e));
	assert_true(users_add(h->users, BYTES("Bernadette"), ROLE_VIEWER, &e));
	assert_false(users_add(h->users, BYTES("Bernadette"), ROLE_VIEWER, &e));
	assert_int_equal(e.code, 409);
	for (size_t i = 0; i < nelems(passwords); i++)
		assert_false(set(h, "Bernadette", passwords[i], ""));
	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	assert_false(set(h, "Bernadette", long_one, ""));
	assert_false(set(h, "nobody", password, ""));
	assert_int_equal(check(h, "Bernadette", "too short", ""), USER_WRONG);
}

static void the_last_administrator_who_can_log_in_stays(void **state)
{
	struct house *h = *state;
	struct err e;

	add(h, "anna", ROLE_ADMINISTRATOR);
	assert_true(users_add(h->users, BYTES("ben"), ROLE_ADMINISTRATOR, &e)); /* without a password */
	assert_false(users_delete(h->users, BYTES("anna"), &e));
	assert_int_equal(e.code, 409);
	assert_false(users_set_role(h->users, BYTES("anna"), ROLE_OPERATOR, &e));
	assert_true(users_set_role(h->users, BYTES("anna"), ROLE_ADMINISTRATOR, &e));
	assert_true(set(h, "ben", password, ""));
	assert_true(users_set_role(h->users, BYTES("anna"), ROLE_VIEWER, &e));
	assert_false(users_delete(h->users, BYTES("ben"), &e));
	assert_true(users_delete(h->users, BYTES("anna"), &e));
	assert_false(users_delete(h->users, BYTES("anna"), &e));
	assert_int_equal(e.code, 404);
	reopen(h);
	assert_null(users_find(h->users, BYTES("anna")));
	assert_int_equal(users_find(h->users, BYTES("ben"))->role, ROLE_ADMINISTRATOR);
}

/* ---- links ---- */

static void a_link_makes_the_first_administrator_once(void **state)
{
	struct house *h = *state;
	char code[CODE_TEXT], later[CODE_TEXT];
	struct err e;

	assert_true(users_link(h->users, (struct bytes){ 0 }, code, &e));
	assert_true(users_link(h->users, (struct bytes){ 0 }, later, &e));
	assert_false(set(h, "anna", password, code)); /* the later one replaced it */
	assert_int_equal(h->err.code, 403);
	assert_false(set(h, "an na", password, later));
	assert_false(set(h, "anna", "short", later));
	assert_true(set(h, "anna", password, later));
	assert_false(set(h, "ben", password, later));
	assert_int_equal(check(h, "anna", password, ""), USER_IN);
	assert_int_equal(users_find(h->users, BYTES("anna"))->role, ROLE_ADMINISTRATOR);
}

static void two_who_use_one_link_at_once_are_one_user(void **state)
{
	struct house *h = *state;
	char code[CODE_TEXT];
	struct err e;

	assert_true(users_link(h->users, (struct bytes){ 0 }, code, &e));
	users_set_password(h->users, BYTES("anna"), BYTES("a long password"), bytes_of(code), on_set, h);
	users_set_password(h->users, BYTES("eve"), BYTES("a long password"), bytes_of(code), on_set, h);
	wait_for(h, 2);
	assert_non_null(users_find(h->users, BYTES("anna")));
	assert_null(users_find(h->users, BYTES("eve")));
}

static void a_users_own_link_is_for_that_user_and_outlives_a_restart(void **state)
{
	struct house *h = *state;
	char code[CODE_TEXT];
	struct err e;

	assert_true(users_add(h->users, BYTES("ben"), ROLE_OPERATOR, &e));
	assert_true(users_link(h->users, BYTES("ben"), code, &e));
	assert_false(users_link(h->users, BYTES("nobody"), code, &e));
	reopen(h);
	assert_false(set(h, "eve", password, code));
	assert_true(set(h, "ben", password, code));
	assert_false(set(h, "ben", other, code));
	assert_int_equal(users_find(h->users, BYTES("ben"))->role, ROLE_OPERATOR);
	assert_int_equal(check(h, "ben", password, ""), USER_IN);
}

/* ---- the second factor ---- */

static void totp_is_wanted_once_it_is_on_and_each_code_counts_once(void **state)
{
	struct house *h = *state;
	char secret[CODE_TEXT], code[8], recovery[USER_RECOVERY_CODES][CODE_TEXT], link[CODE_TEXT];
	struct err e;

	add(h, "anna", ROLE_ADMINISTRATOR);
	assert_false(users_totp_on(h->users, BYTES("anna"), BYTES("000000"), recovery, &e));
	assert_true(users_totp_begin(h->users, BYTES("anna"), secret));
	assert_int_equal(check(h, "anna", password, ""), USER_IN); /* not yet */
	code_now(secret, code);
	assert_false(users_totp_on(h->users, BYTES("anna"), BYTES("abcdef"), recovery, &e));
	assert_true(users_totp_on(h->users, BYTES("anna"), bytes_of(code), recovery, &e));
	assert_int_equal(check(h, "anna", password, ""), USER_CODE_WANTED);
	assert_int_equal(check(h, "anna", other, ""), USER_WRONG);
	assert_int_equal(check(h, "anna", password, code), USER_WRONG); /* it was used to put it in force */
	assert_int_equal(check(h, "anna", password, recovery[3]), USER_IN);
	reopen(h);
	assert_int_equal(check(h, "anna", password, recovery[3]), USER_WRONG);
	assert_int_equal(check(h, "anna", password, recovery[9]), USER_IN);
	assert_int_equal(check(h, "anna", other, recovery[0]), USER_WRONG); /* a wrong password spends none */
	assert_int_equal(check(h, "anna", password, recovery[0]), USER_IN);
	assert_true(users_link(h->users, BYTES("anna"), link, &e) && set(h, "anna", other, link));
	assert_int_equal(check_from(h, "192.0.2.2", "anna", other, ""), USER_IN); /* a link takes it away */
}

struct totp_row {
	uint8_t secret[CODE_TOTP_BYTES];
	int bytes;   /* of what is kept */
	bool opened; /* what is kept has the secret in it */
};

static void read_row(sqlite3 *db, void *arg)
{
	struct totp_row *row = arg;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(db, "SELECT totp FROM users", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	row->bytes = sqlite3_column_bytes(s, 0);
	row->opened = bytes_find((struct bytes){ sqlite3_column_blob(s, 0), (size_t)row->bytes },
				 (struct bytes){ (const char *)row->secret, sizeof row->secret }) != SIZE_MAX;
	sqlite3_finalize(s);
}

/* As the first release kept it, and with a code that was never used. */
static void write_plain(sqlite3 *db, void *arg)
{
	struct totp_row *row = arg;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(db, "UPDATE users SET totp = ?, step = 0", -1, &s, NULL), SQLITE_OK);
	sqlite3_bind_blob(s, 1, row->secret, sizeof row->secret, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
}

static void a_second_factor_is_kept_sealed_and_one_that_was_not_is_sealed_at_the_start(void **state)
{
	struct house *h = *state;
	char secret[CODE_TEXT], code[8], recovery[USER_RECOVERY_CODES][CODE_TEXT];
	struct totp_row row;
	struct err e;

	add(h, "anna", ROLE_ADMINISTRATOR);
	assert_true(users_totp_begin(h->users, BYTES("anna"), secret));
	code_now(secret, code);
	assert_true(users_totp_on(h->users, BYTES("anna"), bytes_of(code), recovery, &e));
	secret_bytes(secret, row.secret);
	assert_true(store_do_now(h->store, read_row, &row));
	assert_true(row.bytes == CODE_TOTP_BYTES + 28 && !row.opened);
	assert_true(store_do_now(h->store, write_plain, &row) && store_do_now(h->store, read_row, &row) && row.opened);
	reopen(h);
	assert_true(store_do_now(h->store, read_row, &row));
	assert_true(row.bytes == CODE_TOTP_BYTES + 28 && !row.opened);
	reopen(h);
	code_now(secret, code);
	assert_int_equal(check(h, "anna", password, ""), USER_CODE_WANTED);
	assert_int_equal(check(h, "anna", password, code), USER_IN);
}

static void a_factor_that_another_installation_sealed_is_wanted_still(void **state)
{
	static const uint8_t nothing[CODE_TOTP_BYTES];
	struct house *h = *state;
	char secret[CODE_TEXT], code[8], recovery[USER_RECOVERY_CODES][CODE_TEXT];
	struct err e;

	add(h, "anna", ROLE_ADMINISTRATOR);
	assert_true(users_totp_begin(h->users, BYTES("anna"), secret));
	code_now(secret, code);
	assert_true(users_totp_on(h->users, BYTES("anna"), bytes_of(code), recovery, &e));
	h->key[0]++;
	reopen(h);
	assert_int_equal(check(h, "anna", password, ""), USER_CODE_WANTED);
	snprintf(code, sizeof code, "%06u", code_totp(nothing, clock_wall_ms() / 1000 / CODE_TOTP_S));
	assert_int_equal(check(h, "anna", password, code), USER_WRONG);
	assert_int_equal(check(h, "anna", password, recovery[2]), USER_IN);
	h->key[0]--; /* what was written since has not lost it */
	reopen(h);
	assert_int_equal(check(h, "anna", password, recovery[1]), USER_IN);
	assert_true(users_find(h->users, BYTES("anna"))->totp);
}

/* ---- limits ---- */

/* Minutes are counted by the clock: when one ends within a turn, another is made by others. */
static void guesses_are_limited_by_address_and_by_name(void **state)
{
	struct house *h = *state;
	unsigned of_address, of_name, turn = 0;
	char from[32], name[16];
	uint64_t minute;

	do {
		minute = clock_mono_ms() / 60000;
		of_address = of_name = 0;
		snprintf(from, sizeof from, "192.0.2.%u", ++turn);
		while (of_address < 100 && check_from(h, from, "nobody", other, "") == USER_WRONG)
			of_address++;
		assert_int_equal(h->answer, USER_WAIT);
		assert_in_range(h->wait_s, 1, 60);
		snprintf(name, sizeof name, "name-%u", turn);
		do
			snprintf(from, sizeof from, "198.51.%u.%u", turn, of_name + 1);
		while (of_name < 100 && check_from(h, from, name, other, "") == USER_WRONG && ++of_name);
	} while (clock_mono_ms() / 60000 != minute && turn < 3);
	assert_int_equal(of_address, TRIES_OF_ADDRESS);
	assert_int_equal(of_name, TRIES_OF_NAME);
}

static void who_knows_the_password_is_not_slowed(void **state)
{
	struct house *h = *state;

	add(h, "anna", ROLE_ADMINISTRATOR);
	for (int i = 0; i < TRIES_OF_ADDRESS + 2; i++)
		assert_int_equal(check(h, "anna", password, ""), USER_IN);
}

static void refusals_beyond_sixty_a_minute_are_only_counted(void **state)
{
	struct house *h = *state;
	uint64_t minute, silent;
	unsigned noted, turn = 0;

	do {
		minute = clock_mono_ms() / 60000;
		noted = 0;
		for (int i = 0; i < 100; i++)
			noted += users_refusal_counts(h->users, &silent);
	} while (clock_mono_ms() / 60000 != minute && ++turn < 3);
	assert_in_range(noted, 1, 60);
	assert_true(turn || noted == 60);
}

static void few_are_checked_at_once_and_the_rest_is_told_so(void **state)
{
	struct house *h = *state;
	const struct user_check c = { .name = BYTES("nobody"), .password = BYTES("a long password"), .from = &h->from };

	for (int i = 0; i < 9; i++)
		users_check(h->users, &c, on_checked, h);
	assert_int_equal(h->told, 1);
	assert_int_equal(h->answer, USER_BUSY);
	wait_for(h, 9);
	assert_int_equal(h->answer, USER_WRONG);
}

/* ---- sessions ---- */

static struct session_info session(struct house *h, const char *user, char cookie[SESSION_COOKIE])
{
	struct session_info s;

	assert_true(sessions_begin(h->sessions, bytes_of(user), &h->from, BYTES("a \x01 browser"), cookie, &s));
	return s;
}

static void sessions_are_found_by_their_cookie_and_outlive_a_restart(void **state)
{
	struct house *h = *state;
	char cookie[SESSION_COOKIE], again[SESSION_COOKIE], csrf[SESSION_CSRF], other_csrf[SESSION_CSRF];
	struct session_info s = session(h, "anna", cookie), listed[4];

	session(h, "anna", again);
	assert_string_not_equal(cookie, again);
	assert_int_equal(sessions_find(h->sessions, bytes_of(cookie))->id, s.id);
	assert_string_equal(s.agent, "a  browser");
	assert_string_equal(s.address, "192.0.2.1");
	assert_null(sessions_find(h->sessions, BYTES("")));
	cookie[5] ^= 1;
	assert_null(sessions_find(h->sessions, bytes_of(cookie)));
	cookie[5] ^= 1;
	assert_true(session_csrf(bytes_of(cookie), csrf) && session_csrf(bytes_of(again), other_csrf));
	assert_string_not_equal(csrf, other_csrf);
	reopen(h);
	assert_int_equal(sessions_find(h->sessions, bytes_of(cookie))->id, s.id);
	assert_int_equal(sessions_list(h->sessions, BYTES("anna"), listed, 4), 2);
	assert_int_equal(sessions_list(h->sessions, BYTES("ben"), listed, 4), 0);
}

static void sessions_end_one_by_one_or_all_of_a_user(void **state)
{
	struct house *h = *state;
	char a[SESSION_COOKIE], b[SESSION_COOKIE], c[SESSION_COOKIE];
	struct session_info first = session(h, "anna", a), listed[4];

	session(h, "anna", b);
	session(h, "ben", c);
	assert_false(sessions_end(h->sessions, BYTES("ben"), first.id)); /* not his */
	sessions_end_all(h->sessions, BYTES("anna"), first.id);
	assert_non_null(sessions_find(h->sessions, bytes_of(a)));
	assert_null(sessions_find(h->sessions, bytes_of(b)));
	assert_true(sessions_end(h->sessions, BYTES("anna"), first.id));
	assert_null(sessions_by_id(h->sessions, first.id));
	reopen(h);
	assert_null(sessions_find(h->sessions, bytes_of(a)));
	assert_null(sessions_find(h->sessions, bytes_of(b)));
	assert_int_equal(sessions_list(h->sessions, BYTES("ben"), listed, 4), 1);
}

static void the_oldest_session_of_a_user_gives_way(void **state)
{
	struct house *h = *state;
	char first[SESSION_COOKIE], bens[SESSION_COOKIE], cookie[SESSION_COOKIE];
	struct session_info listed[1];

	session(h, "anna", first);
	session(h, "ben", bens);
	for (int i = 0; i < SESSIONS_OF_USER; i++)
		session(h, "anna", cookie);
	assert_null(sessions_find(h->sessions, bytes_of(first)));
	assert_non_null(sessions_find(h->sessions, bytes_of(bens)));
	assert_non_null(sessions_find(h->sessions, bytes_of(cookie)));
	assert_int_equal(sessions_list(h->sessions, BYTES("anna"), listed, 1), SESSIONS_OF_USER);
}

static void a_session_lasts_eight_idle_hours_and_seven_days(void **state)
{
	struct session_info fresh = { .made_ms = 1000, .seen_ms = 2000 };
	struct session_info busy = { .made_ms = 1000, .seen_ms = 1000 + SESSION_LIFE_MS - 5 };

	(void)state;
	assert_int_equal(session_until_ms(&fresh), 2000 + 8 * 3600 * 1000);
	assert_int_equal(session_until_ms(&busy), 1000 + 7 * 24 * 3600 * 1000);
}

/* ---- tokens ---- */

static void tokens_have_a_role_and_an_end(void **state)
{
	struct house *h = *state;
	char text[TOKEN_TEXT], brief[TOKEN_TEXT], none[TOKEN_TEXT], name[TOKEN_NAME_MAX];
	struct token_info info, gone, listed[3];
	struct err e;

	assert_true(tokens_add(h->tokens, BYTES("ci"), ROLE_OPERATOR, 0, text, &info, &e));
	assert_true(tokens_add(h->tokens, BYTES("brief"), ROLE_VIEWER, clock_wall_ms() + 300, brief, &gone, &e));
	assert_false(tokens_add(h->tokens, BYTES("no name"), ROLE_VIEWER, 0, none, &gone, &e));
	assert_int_equal(strlen(text), 68);
	assert_non_null(tokens_find(h->tokens, bytes_of(brief)));
	run_for(h->loop, 400);
	assert_null(tokens_find(h->tokens, bytes_of(brief)));
	reopen(h);
	assert_int_equal(tokens_find(h->tokens, bytes_of(text))->role, ROLE_OPERATOR);
	assert_int_equal(tokens_list(h->tokens, listed, 3), 2);
	assert_string_equal(listed[1].name, "ci");
	text[10] ^= 1;
	assert_null(tokens_find(h->tokens, bytes_of(text)));
	text[10] ^= 1;
	assert_true(tokens_delete(h->tokens, info.id, name));
	assert_string_equal(name, "ci");
	assert_null(tokens_find(h->tokens, bytes_of(text)));
	reopen(h);
	assert_null(tokens_find(h->tokens, bytes_of(text)));
	assert_false(tokens_delete(h->tokens, info.id, name));
	assert_true(tokens_add(h->tokens, BYTES("last"), ROLE_VIEWER, 0, text, &info, &e));
	assert_true(tokens_delete(h->tokens, info.id, name));
	assert_true(tokens_add(h->tokens, BYTES("next"), ROLE_VIEWER, 0, text, &gone, &e));
	assert_int_not_equal(gone.id, info.id);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passwords_are_checked_and_outlive_a_restart),
		TEST(what_is_no_name_or_password_is_refused),
		TEST(the_last_administrator_who_can_log_in_stays),
		TEST(a_link_makes_the_first_administrator_once),
		TEST(two_who_use_one_link_at_once_are_one_user),
		TEST(a_users_own_link_is_for_that_user_and_outlives_a_restart),
		TEST(a_second_factor_is_kept_sealed_and_one_that_was_not_is_sealed_at_the_start),
		TEST(a_factor_that_another_installation_sealed_is_wanted_still),
		TEST(totp_is_wanted_once_it_is_on_and_each_code_counts_once),
		TEST(guesses_are_limited_by_address_and_by_name),
		TEST(who_knows_the_password_is_not_slowed),
		TEST(refusals_beyond_sixty_a_minute_are_only_counted),
		TEST(few_are_checked_at_once_and_the_rest_is_told_so),
		TEST(sessions_are_found_by_their_cookie_and_outlive_a_restart),
		TEST(sessions_end_one_by_one_or_all_of_a_user),
		TEST(the_oldest_session_of_a_user_gives_way),
		TEST(a_session_lasts_eight_idle_hours_and_seven_days),
		TEST(tokens_have_a_role_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
