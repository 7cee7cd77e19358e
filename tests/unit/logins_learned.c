#include "tests/test.h"
#include "proxy/logins_learned.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define U LOGIN_SIGN_UNAUTHORIZED
#define R LOGIN_SIGN_REFUSED
#define F LOGIN_SIGN_FORM
#define E LOGIN_SIGN_ERROR
#define B LOGIN_SIGN_BACK
#define N LOGIN_SIGN_BACK_NEW
#define A LOGIN_SIGN_AWAY
#define D LOGIN_SIGN_DONE
#define O LOGIN_SIGN_OTHER

static enum login_outcome attempt(struct logins_learned *l, const char *path, uint64_t user, enum login_sign sign, uint64_t now_s)
{
	return logins_learn(l, &(struct login_tried){ bytes_of(path), user, true, sign, now_s });
}

/* Attempts one after the other, and what each was: `.` unknown, `-` failed, `+` succeeded. */
static void a_failure_is_known_by_what_follows_it(void **state)
{
	static const struct {
		const char *what;
		struct { uint64_t user; enum login_sign sign; } tries[12];
		const char *were;
	} cases[] = {
		{ "a JSON API", { { 1, D }, { 1, U }, { 1, U }, { 1, D }, { 2, U } }, ".--+-" },
		{ "an API that answers 200 whatever comes", { { 1, D }, { 1, D }, { 2, D }, { 1, D } }, "...." },
		{ "WordPress, Django, Keycloak", { { 1, F }, { 2, F }, { 2, A }, { 1, F }, { 1, A }, { 3, O } }, "...-++" },
		{ "phpMyAdmin", { { 1, F }, { 1, N }, { 2, F }, { 2, N } }, "..-+" },
		{ "Spring", { { 1, E }, { 1, A }, { 2, E }, { 2, A }, { 2, B } }, "..-+." },
		{ "Laravel", { { 1, B }, { 1, A }, { 2, N }, { 2, A }, { 3, N }, { 4, B }, { 3, A } }, "...+--+" },
		{ "Laravel that leads back both ways", { { 1, B }, { 1, B }, { 2, N }, { 2, B }, { 3, B }, { 3, B } }, "......" },
		{ "Devise", { { 1, R }, { 1, A }, { 2, R }, { 2, A }, { 3, R } }, "...+-" },
		{ "an API that says 400", { { 1, R }, { 1, D }, { 2, R }, { 2, D }, { 3, R } }, "...+-" },
		{ "users who are made, one after the other", { { 1, R }, { 2, O }, { 3, R }, { 4, O }, { 5, R }, { 6, D } }, "......" },
		{ "pages that are shown, and nobody led away", { { 1, F }, { 1, O }, { 2, F }, { 2, O } }, "...." },
		{ "one whom a second factor awaits", { { 1, F }, { 1, A }, { 1, F }, { 2, O }, { 3, O } }, "..-++" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct logins_learned *l = logins_learned_new();
		char got[16] = { 0 };

		for (size_t k = 0; cases[i].were[k]; k++)
			got[k] = ".-+"[attempt(l, "/login", cases[i].tries[k].user, cases[i].tries[k].sign, 1000 + k)];
		if (strcmp(got, cases[i].were))
			fail_msg("%s: %s, not %s", cases[i].what, got, cases[i].were);
		logins_learned_free(l);
	}
}

static void a_success_long_after_says_nothing(void **state)
{
	struct logins_learned *l = logins_learned_new();

	(void)state;
	for (uint64_t user = 1; user < 9; user++) {
		attempt(l, "/login", user, B, user * 10000);
		attempt(l, "/login", user, A, user * 10000 + 601);
	}
	assert_int_equal(attempt(l, "/login", 99, B, 100000), LOGIN_UNKNOWN);
	logins_learned_free(l);
}

static void what_most_people_meet_is_no_failure(void **state)
{
	struct logins_learned *l = logins_learned_new();

	(void)state;
	for (uint64_t user = 1; user < 100; user++) /* all of them are in */
		attempt(l, "/login", user, B, 1000);
	for (uint64_t user = 100; user < 105; user++) { /* these few are asked for more */
		attempt(l, "/login", user, B, 1000);
		attempt(l, "/login", user, A, 1001);
	}
	assert_int_equal(attempt(l, "/login", 1, B, 1002), LOGIN_UNKNOWN);
	logins_learned_free(l);
}

static void a_flood_unteaches_nothing_and_a_week_without_a_success_does(void **state)
{
	enum { DAY = 86400 };
	struct logins_learned *l = logins_learned_new();

	(void)state;
	for (uint64_t user = 1; user < 4; user++) {
		attempt(l, "/login", user, B, 1000);
		attempt(l, "/login", user, A, 1001);
	}
	for (uint64_t user = 10; user < 20000; user++)
		assert_int_equal(attempt(l, "/login", user, B, 2000), LOGIN_FAILED);
	assert_int_equal(attempt(l, "/login", 9, B, 6 * DAY), LOGIN_FAILED);
	assert_int_equal(attempt(l, "/login", 9, B, 9 * DAY), LOGIN_UNKNOWN);
	logins_learned_free(l);
}

static void made_up_paths_push_out_nothing_that_is_certain(void **state)
{
	struct logins_learned *l = logins_learned_new();
	struct login_route routes[LOGINS_LEARNED_MAX + 1];
	char path[32];

	(void)state;
	attempt(l, "/login", 1, F, 1);
	attempt(l, "/login", 1, A, 2);
	attempt(l, "/login", 1, F, 3);
	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof path, "/made/up%d", i);
		attempt(l, path, (uint64_t)i, i % 2 ? U : F, 100);
	}
	assert_true(logins_learned_has(l, BYTES("/login")));
	assert_int_equal(attempt(l, "/login", 2, F, 200), LOGIN_FAILED);
	assert_true(logins_learned_list(l, routes, nelems(routes)) <= LOGINS_LEARNED_MAX);
	assert_string_equal(routes[0].path, "/login");
	assert_int_equal(routes[0].failed, 2);
	logins_learned_free(l);
}

/* Whatever else passes, in whatever order: who only ever gets an answer of success never fails. Nor does anybody on a path
 * on which nothing but back, or nothing but a page without a form, is ever answered. */
static void random_answers_never_make_a_success_only_client_fail(void **state)
{
	static const enum login_sign all[] = { U, R, F, E, B, N, A, D, O, LOGIN_SIGN_NONE, LOGIN_SIGN_PAGE }, good[] = { A, D, O };
	unsigned seed = 20261125;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct logins_learned *l = logins_learned_new();
		enum login_sign mine = good[rand_r(&seed) % nelems(good)];
		uint64_t now_s = 1;
		unsigned users = 1 + (unsigned)rand_r(&seed) % 40, bias = (unsigned)rand_r(&seed) % nelems(all);

		for (int i = 0; i < 1000; i++) {
			enum login_sign s = all[rand_r(&seed) % 3 ? (unsigned)rand_r(&seed) % nelems(all) : bias];
			uint64_t user = (unsigned)rand_r(&seed) % users;

			now_s += (unsigned)rand_r(&seed) % (i % 100 ? 60 : 400000);
			logins_learn(l, &(struct login_tried){ BYTES("/login"), user, rand_r(&seed) % 2, s, now_s });
			if (attempt(l, "/login", 1000, mine, now_s) == LOGIN_FAILED)
				fail_msg("round %d: sign %d failed", round, mine);
			if (attempt(l, "/back", user, rand_r(&seed) % 2 ? B : N, now_s) == LOGIN_FAILED)
				fail_msg("round %d: back, and back only", round);
		}
		logins_learned_free(l);
	}
}

static void *hammer(void *ctx)
{
	unsigned seed = (unsigned)(uintptr_t)&seed;
	char path[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof path, "/%d", rand_r(&seed) % 50);
		attempt(ctx, path, (unsigned)rand_r(&seed) % 100, 1 + (unsigned)rand_r(&seed) % (LOGIN_SIGNS - 1), (uint64_t)i);
		logins_learned_has(ctx, bytes_of(path));
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct logins_learned *l = logins_learned_new();
	struct login_route routes[LOGINS_LEARNED_MAX];
	pthread_t threads[3];

	(void)state;
	for (size_t i = 0; i < nelems(threads); i++)
		pthread_create(&threads[i], NULL, hammer, l);
	for (int i = 0; i < 200; i++)
		assert_true(logins_learned_list(l, routes, nelems(routes)) <= nelems(routes));
	for (size_t i = 0; i < nelems(threads); i++)
		pthread_join(threads[i], NULL);
	logins_learned_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_known_by_what_follows_it),
		cmocka_unit_test(a_success_long_after_says_nothing),
		cmocka_unit_test(what_most_people_meet_is_no_failure),
		cmocka_unit_test(a_flood_unteaches_nothing_and_a_week_without_a_success_does),
		cmocka_unit_test(made_up_paths_push_out_nothing_that_is_certain),
		cmocka_unit_test(random_answers_never_make_a_success_only_client_fail),
		cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
