/* agent.c -- `logs` of the configuration, and the places that are kept. */
#include "tests/test.h"
#include "proxy/config_parts.h"
#include "proxy/places.h"
#include "scenarios/logs.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define APPS "apps: {a: {upstream: \"http://127.0.0.1:1\"}}\nlogs:\n"

static void types_are_the_readers_in_their_order(void **state)
{
	size_t n;
	const struct log_reader *r = log_readers(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(config_log_types[i].word, r[i].name);
		assert_int_equal(config_log_types[i].value, i);
	}
	assert_null(config_log_types[n].word);
}

static void an_entry_of_logs_is_read(void **state)
{
	struct err e = { 0 };
	struct config *c = config_parse(BYTES(APPS "- {files: [/var/log/*.log, x], type: apache2, from: start}\n"
						   "- {syslog: \"tcp:[::1]:5514\", type: syslog, senders: [10.0.0.0/8], rate: 5}\n"
						   "- {journal: ssh.service, type: sshd}\n"), "/etc/t.yaml", NULL, NULL, &e);

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->nlogs, 3);
	assert_int_equal(c->logs[0].nfiles, 2);
	assert_string_equal(c->logs[0].files[1], "/etc/x");
	assert_string_equal(config_log_types[c->logs[0].type].word, "apache2");
	assert_int_equal(c->logs[0].from, LOG_FROM_START);
	assert_false(c->logs[1].udp);
	assert_int_equal(c->logs[1].port, 5514);
	assert_int_equal(c->logs[1].rate, 5);
	assert_int_equal(c->logs[1].from_nets.n, 1);
	assert_bytes(c->logs[2].journal.at[0], BYTES("ssh.service"));
	assert_int_equal(c->logs[2].rate, 20000);
	config_free(c);
}

static void a_wrong_entry_says_what_was_wanted(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ APPS "- {type: nginx}\n", "exactly one of `files`, `syslog` and `journal`" },
		{ APPS "- {files: x, journal: y, type: nginx}\n", "exactly one of" },
		{ APPS "- {files: x}\n", "type" },
		{ APPS "- {files: x, type: ngnix}\n", "did you mean 'nginx'" },
		{ APPS "- {syslog: \"127.0.0.1:5514\", type: nginx}\n", "udp:127.0.0.1:5514" },
		{ APPS "- {syslog: \"udp::5514\", type: nginx}\n", "udp:127.0.0.1:5514" },
		{ APPS "- {syslog: \"udp:127.0.0.1\", type: nginx}\n", "udp:127.0.0.1:5514" },
		{ APPS "- {files: x, type: nginx, senders: [10.0.0.0/8]}\n", "senders is for `syslog`" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };

		assert_null(config_parse(bytes_of(rows[i].text), "t.yaml", NULL, NULL, &e));
		if (!strstr(e.text, rows[i].want))
			fail_msg("%s: got \"%s\", want \"%s\"", rows[i].text, e.text, rows[i].want);
	}
}

/* ---- places ---- */

static char folder[] = "/tmp/embergate-places-XXXXXX";

static int folder_make(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_drop(void **state)
{
	char file[128];

	(void)state;
	snprintf(file, sizeof file, "%s/logs.places", folder);
	unlink(file);
	return rmdir(folder);
}

static void places_outlive_a_restart(void **state)
{
	struct place file = { 1, 2, 300, 0xffffffffffffffff, 256, "/var/log/a b.log", NULL };
	struct place journal = { .path = "ssh.service nginx.service", .cursor = "s=1;i=2" };
	struct place hostile = { 9, 9, 1, 0, 0, "/tmp/x\nfile 1 2 3", NULL };
	struct places *ps = places_open(folder);
	struct err e = { 0 };

	(void)state;
	assert_true(places_put(ps, &file) && places_put(ps, &journal) && places_put(ps, &hostile));
	file.offset = 400;
	assert_true(places_put(ps, &file));
	assert_true(places_save(ps, &e));
	places_close(ps);
	ps = places_open(folder);
	assert_string_equal(places_get(ps, 0)->path, "/var/log/a b.log");
	assert_int_equal(places_get(ps, 0)->offset, 400);
	assert_true(places_get(ps, 0)->print == file.print);
	assert_string_equal(places_get(ps, 1)->cursor, "s=1;i=2");
	assert_string_equal(places_get(ps, 1)->path, "ssh.service nginx.service");
	assert_null(places_get(ps, 2));
	places_drop(ps, 1, 2);
	assert_string_equal(places_get(ps, 0)->cursor, "s=1;i=2");
	places_close(ps);
}

static void a_damaged_file_of_places_gives_what_it_holds(void **state)
{
	static const char text[] = "file 1 2 3\nfile 1 2 3 4 257 /long\nfile 1 2 3 4 5 /good\njournal\njournal c\nnonsense\n\n\0\xff\nfile 7 8 9 0 0 /last";
	char name[128];
	struct places *ps;
	FILE *f;

	(void)state;
	snprintf(name, sizeof name, "%s/logs.places", folder);
	f = fopen(name, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, sizeof text - 1, f), sizeof text - 1);
	fclose(f);
	ps = places_open(folder);
	assert_string_equal(places_get(ps, 0)->path, "/good");
	assert_string_equal(places_get(ps, 1)->cursor, "c");
	assert_string_equal(places_get(ps, 2)->path, "/last");
	assert_null(places_get(ps, 3));
	places_close(ps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_the_readers_in_their_order),
		cmocka_unit_test(an_entry_of_logs_is_read),
		cmocka_unit_test(a_wrong_entry_says_what_was_wanted),
		cmocka_unit_test(places_outlive_a_restart),
		cmocka_unit_test(a_damaged_file_of_places_gives_what_it_holds),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_drop);
}
