/* keys.c -- who has a key is known, who guesses is slowed, and both outlive a restart. */
#include "base/clock.h"
#include "base/tries.h"
#include "cti/keys.h"
#include "tests/turns.h"
#include <stdlib.h>
#include <unistd.h>

static char dir[64], file[96];

struct house {
	struct loop *loop;
	struct store *store;
	struct keys *keys;
	unsigned told;
	bool in;
	char why[128];
};

static void open_keys(struct house *h)
{
	struct err e = { 0 };

	h->store = store_open(file, &e);
	h->keys = h->store ? keys_open(h->store, &e) : NULL;
	if (!h->keys)
		fail_msg("%s", e.text);
}

static void close_keys(struct house *h)
{
	keys_close(h->keys);
	store_close(h->store);
}

static void reopen(struct house *h)
{
	close_keys(h);
	open_keys(h);
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	snprintf(dir, sizeof dir, "/tmp/embergate-test-keys.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof file, "%s/store", dir);
	h->loop = loop_new();
	open_keys(h);
	*state = h;
	return 0;
}

static int end(void **state)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	struct house *h = *state;
	char name[128];

	close_keys(h);
	run_for(h->loop, 1); /* it may have been told to stop while it did not run */
	loop_free(h->loop);
	free(h);
	for (size_t i = 0; i < nelems(parts); i++) {
		snprintf(name, sizeof name, "%s%s", file, parts[i]);
		unlink(name);
	}
	return rmdir(dir);
}

static void told(void *owner, const struct key_info *info, const char *why)
{
	struct house *h = owner;

	h->told++;
	h->in = info != NULL;
	snprintf(h->why, sizeof h->why, "%s", why ? why : "");
	loop_stop(h->loop);
}

static bool login(struct house *h, const char *name, const char *password, uint8_t host)
{
	struct ip from = { { [10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = host } };
	unsigned before = h->told;

	keys_login(h->keys, h->loop, bytes_of(name), bytes_of(password), &from, told, h);
	RUN_UNTIL(h->loop, h->told > before);
	return h->in;
}

static void a_key_is_known_and_no_other(void **state)
{
	struct house *h = *state;
	char one[65], two[65];
	const struct key_info *info;
	struct err e;

	assert_true(keys_add_bouncer(h->keys, BYTES("wall"), KEY_BOUNCER, (struct bytes){ 0 }, one, &e));
	assert_true(keys_add_bouncer(h->keys, BYTES("waf"), KEY_APPSEC | KEY_TRUSTED, (struct bytes){ 0 }, two, &e));
	assert_int_equal(strlen(one), 64);
	for (int twice = 0; twice < 2; twice++) {
		info = keys_bouncer(h->keys, bytes_of(one));
		assert_non_null(info);
		assert_string_equal(info->name, "wall");
		info = keys_bouncer(h->keys, bytes_of(two));
		assert_int_equal(info->scopes, KEY_APPSEC | KEY_TRUSTED);
		assert_null(keys_bouncer(h->keys, bytes_sub(bytes_of(one), 0, 63)));
		assert_null(keys_bouncer(h->keys, BYTES("")));
		reopen(h);
	}
	one[5] = one[5] == 'a' ? 'b' : 'a';
	assert_null(keys_bouncer(h->keys, bytes_of(one)));
	assert_true(keys_delete(h->keys, false, BYTES("waf")));
	assert_false(keys_delete(h->keys, false, BYTES("waf")));
	assert_null(keys_bouncer(h->keys, bytes_of(two)));
	reopen(h);
	assert_null(keys_bouncer(h->keys, bytes_of(two)));
}

static void absurd_names_are_refused(void **state)
{
	static const struct bytes names[] = { BYTES_INIT(""), BYTES_INIT("a b"), BYTES_INIT("a\0b"), BYTES_INIT("a'; DROP TABLE"),
		BYTES_INIT("\xc3\xa4"), BYTES_INIT("a/b"),
		BYTES_INIT("0123456789012345678901234567890123456789012345678901234567890123") };
	struct house *h = *state;
	char key[65];
	struct err e;

	for (size_t i = 0; i < nelems(names); i++) {
		assert_false(keys_add_bouncer(h->keys, names[i], 0, (struct bytes){ 0 }, key, &e));
		assert_int_equal(e.code, 400);
		assert_false(keys_add_machine(h->keys, names[i], BYTES("x"), true, &e));
	}
	assert_false(keys_add_machine(h->keys, BYTES("m"), BYTES(""), true, &e));
	assert_true(keys_add_bouncer(h->keys, BYTES("name@192.0.2.1"), 0, (struct bytes){ 0 }, key, &e));
	assert_false(keys_add_bouncer(h->keys, BYTES("name@192.0.2.1"), 0, (struct bytes){ 0 }, key, &e));
	assert_string_equal(e.text, "bouncer 'name@192.0.2.1' exists");
}

static void a_machine_logs_in_once_it_is_validated(void **state)
{
	struct house *h = *state;
	struct err e;

	assert_true(keys_add_machine(h->keys, BYTES("agent"), BYTES("secret"), false, &e));
	assert_false(login(h, "agent", "wrong", 1));
	assert_string_equal(h->why, "incorrect Username or Password");
	assert_false(login(h, "agent", "secret", 1));
	assert_string_equal(h->why, "machine agent not validated");
	assert_null(keys_machine(h->keys, BYTES("agent")));
	assert_false(keys_validate(h->keys, BYTES("nobody")));
	assert_true(keys_validate(h->keys, BYTES("agent")));
	assert_true(login(h, "agent", "secret", 1));
	reopen(h);
	assert_true(login(h, "agent", "secret", 1));
	assert_non_null(keys_machine(h->keys, BYTES("agent")));
	assert_false(login(h, "nobody", "secret", 1));
	assert_string_equal(h->why, "incorrect Username or Password");
	assert_true(keys_delete(h->keys, true, BYTES("agent")));
	assert_false(login(h, "agent", "secret", 1));
}

/* Minutes are counted by the clock: when one ends within a turn, another is made by others. */
static void guessing_is_slowed_by_address_and_by_name(void **state)
{
	struct house *h = *state;
	unsigned of_address, of_name, turn = 0;
	char one[16], other[16];
	uint64_t minute;

	do {
		minute = clock_mono_ms() / 60000;
		of_address = of_name = 0;
		snprintf(one, sizeof one, "one-%u", ++turn);
		snprintf(other, sizeof other, "other-%u", turn);
		while (of_address < 100 && (login(h, one, "wrong", (uint8_t)turn), strstr(h->why, "incorrect")))
			of_address++;
		while (of_name < 100 && (login(h, other, "wrong", (uint8_t)(100 + of_name)), strstr(h->why, "incorrect")))
			of_name++;
	} while (clock_mono_ms() / 60000 != minute);
	assert_int_equal(of_address, TRIES_OF_ADDRESS);
	assert_int_equal(of_name, TRIES_OF_NAME);
	assert_string_equal(h->why, "too many logins; wait a minute");
}

static void who_knows_the_password_is_not_slowed(void **state)
{
	struct house *h = *state;
	struct err e;

	assert_true(keys_add_machine(h->keys, BYTES("cscli"), BYTES("secret"), true, &e));
	for (int i = 0; i < TRIES_OF_ADDRESS + 3; i++)
		assert_true(login(h, "cscli", "secret", 1));
}

static void what_was_seen_is_listed_and_kept(void **state)
{
	struct ip from = { { [15] = 1 } };
	struct house *h = *state;
	struct key_info list[4];
	char key[65];
	struct err e;

	assert_true(keys_add_bouncer(h->keys, BYTES("z"), 0, (struct bytes){ 0 }, key, &e));
	assert_true(keys_add_bouncer(h->keys, BYTES("a"), 0, (struct bytes){ 0 }, key, &e));
	keys_seen(h->keys, keys_bouncer(h->keys, bytes_of(key)), BYTES("crowdsec-firewall-bouncer/v0.0.25\x1b[1m linux"), &from);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(keys_list(h->keys, false, list, 4), 2);
		assert_string_equal(list[0].name, "a");
		assert_string_equal(list[0].kind, "crowdsec-firewall-bouncer");
		assert_string_equal(list[0].version, "v0.0.25[1m");
		assert_string_equal(list[0].address, "::1");
		assert_true(list[0].seen_ms > 0 && list[1].seen_ms == 0);
		assert_int_equal(keys_list(h->keys, true, list, 4), 0);
		reopen(h);
	}
}

static void closing_does_not_forget_who_waits(void **state)
{
	struct house *h = *state;
	struct ip from = { { [15] = 1 } };

	keys_login(h->keys, h->loop, BYTES("a"), BYTES("b"), &from, told, h);
	keys_close(h->keys);
	RUN_UNTIL(h->loop, h->told);
	assert_false(h->in);
	h->keys = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_known_and_no_other),
		TEST(absurd_names_are_refused),
		TEST(a_machine_logs_in_once_it_is_validated),
		TEST(guessing_is_slowed_by_address_and_by_name),
		TEST(who_knows_the_password_is_not_slowed),
		TEST(what_was_seen_is_listed_and_kept),
		TEST(closing_does_not_forget_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
