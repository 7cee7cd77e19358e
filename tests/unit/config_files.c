/* Files that include others become one configuration. */
#include "tests/test.h"
#include "proxy/config.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static char dir[] = "/tmp/embergate-config-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

struct file {
	const char *name, *text;
};

static void write_file(const char *sub, const struct file *f)
{
	char path[128];
	FILE *to;

	snprintf(path, sizeof path, "%s/%s", dir, sub);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		fail_msg("%s", path);
	snprintf(path, sizeof path, "%s/%s/d", dir, sub);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		fail_msg("%s", path);
	snprintf(path, sizeof path, "%s/%s/%s", dir, sub, f->name);
	to = fopen(path, "we");
	assert_non_null(to);
	fputs(f->text, to);
	fclose(to);
}

/* `text` with the directory of the case for each DIR. */
static void expand(const char *text, const char *sub, char *out, size_t cap)
{
	const char *at;
	size_t n = 0;

	for (; (at = strstr(text, "DIR")); text = at + 3)
		n += (size_t)snprintf(out + n, cap - n, "%.*s%s/%s", (int)(at - text), text, dir, sub);
	snprintf(out + n, cap - n, "%s", text);
}

#define APP "{upstream: 'http://h', hosts: "

static void included_files_join(void **state)
{
	static const struct {
		const char *name;
		struct file files[4];
		size_t napps, nlistens;
		const char *error; /* NULL: loads; DIR is where the files are */
	} cases[] = {
		{ "join", { { "main.yaml", "include: [d/*.yaml]\nlisten: ':1'\napps: {a: " APP "a.a}}" },
			    { "d/1.yaml", "apps: {b: " APP "b.b}}" },
			    { "d/2.yaml", "apps: {c: " APP "c.c}}\n" } }, 3, 1, NULL },
		{ "lists", { { "main.yaml", "include: d/1.yaml\nlisten: [':1']\napps: {a: " APP "a.a}}" },
			     { "d/1.yaml", "listen: [':2', ':3']" } }, 1, 3, NULL },
		{ "nested", { { "main.yaml", "include: d/1.yaml\nlisten: ':1'" },
			      { "d/1.yaml", "include: [2.yaml]" },
			      { "d/2.yaml", "apps: {c: " APP "c.c}}" } }, 1, 1, NULL },
		{ "none", { { "main.yaml", "include: d/*.yaml\nlisten: ':1'\napps: {a: " APP "a.a}}" } }, 1, 1,
		  NULL },
		{ "empty", { { "main.yaml", "include: d/*.yaml\nlisten: ':1'\napps: {a: " APP "a.a}}" },
			     { "d/1.yaml", "# nothing yet\n" } }, 1, 1, NULL },
		{ "same-app", { { "main.yaml", "include: d/1.yaml\napps: {a: " APP "a.a}}" },
				{ "d/1.yaml", "apps:\n  b: " APP "b.b}\n  a: " APP "c.c}\n" } }, 0, 0,
		  "DIR/d/1.yaml:3:3: apps: 'a' is also in DIR/main.yaml:2:8" },
		{ "same-key", { { "main.yaml", "include: d/1.yaml\nworkers: 2\napps: {a: " APP "a.a}}" },
				{ "d/1.yaml", "workers: 2" } }, 0, 0,
		  "DIR/d/1.yaml:1:1: 'workers' is also in DIR/main.yaml:2:1" },
		{ "circle", { { "main.yaml", "include: d/1.yaml" }, { "d/1.yaml", "include: ../main.yaml" } },
		  0, 0, "DIR/d/1.yaml:1:10: include: DIR/d/../main.yaml is read twice, first from the command line" },
		{ "itself", { { "main.yaml", "include: '*.yaml'" } }, 0, 0,
		  "DIR/main.yaml:1:10: include: DIR/main.yaml is read twice, first from the command line" },
		{ "twice", { { "main.yaml", "include: [d/1.yaml, d/1.yaml]" }, { "d/1.yaml", "" } }, 0, 0,
		  "DIR/main.yaml:1:21: include: DIR/d/1.yaml is read twice, first from DIR/main.yaml" },
		{ "missing", { { "main.yaml", "include: d/none.yaml" } }, 0, 0,
		  "DIR/main.yaml:1:10: include: DIR/d/none.yaml: No such file or directory" },
		{ "directory", { { "main.yaml", "include: d" } }, 0, 0, "DIR/d:1:1: not a regular file" },
		{ "wild", { { "main.yaml", "include: '*/1.yaml'" } }, 0, 0,
		  "DIR/main.yaml:1:10: include: '*/1.yaml': only the last part of a path may hold wildcards" },
		{ "broken", { { "main.yaml", "include: d/1.yaml" }, { "d/1.yaml", "apps: {\n" } }, 0, 0,
		  "DIR/d/1.yaml:2:1: did not find expected node content while parsing a flow node" },
		{ "unknown", { { "main.yaml", "include: d/1.yaml" }, { "d/1.yaml", "\naps: {}" } }, 0, 0,
		  "DIR/d/1.yaml:2:1: unknown key 'aps', did you mean 'apps'?" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		char path[128], want[512];
		struct err e = { 0 };
		struct config *c;

		for (size_t f = 0; f < nelems(cases[i].files) && cases[i].files[f].name; f++)
			write_file(cases[i].name, &cases[i].files[f]);
		snprintf(path, sizeof path, "%s/%s/main.yaml", dir, cases[i].name);
		c = config_load(path, NULL, &e);
		if (!c != !!cases[i].error)
			fail_msg("%s gives %s", cases[i].name, c ? "no error" : e.text);
		if (c) {
			assert_int_equal(c->napps, cases[i].napps);
			assert_int_equal(c->nlistens, cases[i].nlistens);
		} else {
			expand(cases[i].error, cases[i].name, want, sizeof want);
			assert_string_equal(e.text, want);
		}
		config_free(c);
	}
}

static void names_of_files_start_where_they_stand(void **state)
{
	static const struct file main_file = { "main.yaml", "include: d/1.yaml\nstate: var\nlisten: ':1'" };
	static const struct file other = { "d/1.yaml", "tls: {certs: {cert: c.pem, key: /k.pem}}\n"
						       "apps: {a: {upstream: 'http://h', waf: {rules: '*.yaml'}}}" };
	char path[128], want[128];
	struct err e = { 0 };
	struct config *c;

	(void)state;
	write_file("relative", &main_file);
	write_file("relative", &other);
	snprintf(path, sizeof path, "%s/relative/main.yaml", dir);
	c = config_load(path, NULL, &e);
	if (!c)
		fail_msg("%s", e.text);
	snprintf(want, sizeof want, "%s/relative/var", dir);
	assert_string_equal(c->state, want);
	snprintf(want, sizeof want, "%s/relative/d/c.pem", dir);
	assert_string_equal(c->certs[0].cert, want);
	assert_string_equal(c->certs[0].key, "/k.pem");
	snprintf(want, sizeof want, "%s/relative/d/1.yaml", dir);
	assert_string_equal(c->apps[0].waf.rules[0], want);
	config_free(c);
}

static void the_hash_changes_with_any_file(void **state)
{
	static const struct file main_file = { "main.yaml", "include: d/1.yaml\nlisten: ':1'" };
	static const struct file one = { "d/1.yaml", "apps: {a: {upstream: 'http://h'}}" };
	static const struct file two = { "d/1.yaml", "apps: {a: {upstream: 'http://i'}}" };
	static const struct file *const versions[] = { &one, &one, &two };
	uint64_t hash[3] = { 0 };
	struct err e = { 0 };
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/hash/main.yaml", dir);
	for (size_t i = 0; i < nelems(versions); i++) {
		struct config *c;

		write_file("hash", &main_file);
		write_file("hash", versions[i]);
		c = config_load(path, NULL, &e);
		assert_non_null(c);
		hash[i] = c->hash;
		config_free(c);
	}
	assert_true(hash[0] == hash[1]);
	assert_true(hash[0] != hash[2]);
}

static void a_file_that_is_not_there_is_an_error_with_a_place(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(config_load("/nonexistent.yaml", NULL, &e));
	assert_string_equal(e.text, "/nonexistent.yaml:1:1: cannot open: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(included_files_join),
		cmocka_unit_test(names_of_files_start_where_they_stand),
		cmocka_unit_test(the_hash_changes_with_any_file),
		cmocka_unit_test(a_file_that_is_not_there_is_an_error_with_a_place),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
