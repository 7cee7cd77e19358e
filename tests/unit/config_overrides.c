/* proxy/config_overrides: what is changed stands over what the files say. */
#include "tests/test.h"
#include "proxy/config.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[96], warning[512];

static int make_dir(void **state)
{
	FILE *f;

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/embergate_overrides.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/main.yaml", dir);
	f = fopen(file, "w");
	fputs("state: st\nlisten: ':1'\napps:\n  shop:\n    upstream: http://h:1\n    waf: detect\n    bots: on\n    hosts: a.example\n"
	      "    routes: {trap: /t}\n    rules: [{path: /r, do: deny}]\n    limits: {path: /l, rate: 1/s}\n"
	      "    exceptions: [{path: /e, rules: [1]}]\n", f);
	fclose(f);
	return 0;
}

static int remove_dir(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/st/" OVERRIDES_NAME, dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/st", dir);
	rmdir(path);
	unlink(file);
	return rmdir(dir);
}

static void on_warning(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(warning, sizeof warning, "%s", text);
}

static struct config *load(const char *text, struct err *e)
{
	const struct bytes b = bytes_of(text);
	const struct config_how how = { .overrides = &b, .warn = on_warning };

	warning[0] = '\0';
	return config_load(file, &how, e);
}

static struct config *good(const char *text)
{
	struct err e = { 0 };
	struct config *c = load(text, &e);

	if (!c)
		fail_msg("%s: %s", text, e.text);
	return c;
}

static void changes_win_key_by_key(void **state)
{
	struct config *c = good("apps: {shop: {waf: {paranoia: 3}, bots: {scrapers: deny}, routes: {pay: /p}}}");
	const struct app_config *a = &c->apps[0];

	(void)state;
	assert_int_equal(c->napps, 1);
	assert_int_equal(a->waf.mode, WAF_DETECT); /* a short form in the file */
	assert_int_equal(a->waf.paranoia, 3);
	assert_int_equal(a->bots.mode, BOTS_ON);
	assert_int_equal(a->bots.act[BOT_SCRAPER], REMEDY_DENY);
	assert_int_equal(a->nroutes, 2);
	assert_string_equal(a->where.file, file);
	config_free(c);
	c = good("apps: {shop: {waf: block}}");
	assert_int_equal(c->apps[0].waf.mode, WAF_BLOCK);
	config_free(c);
}

static void lists_are_joined_with_the_changes_in_front(void **state)
{
	struct config *c = good("apps: {shop: {rules: {path: /new, do: allow}, hosts: b.example,\n limits: [{path: /x, rate: 2/s}], exceptions: [{path: /f, rules: [2]}]}}");
	const struct app_config *a = &c->apps[0];

	(void)state;
	assert_int_equal(a->nrules, 2);
	assert_true(bytes_eq(a->rules[0].path, BYTES("/new")) && bytes_eq(a->rules[1].path, BYTES("/r")));
	assert_int_equal(a->hosts.n, 2);
	assert_int_equal(a->nlimits, 2);
	assert_int_equal(a->nexceptions, 2);
	assert_int_equal(a->exceptions[0].where.line, 2);
	assert_string_equal(a->exceptions[0].where.file, c->overrides_file);
	config_free(c);
}

static void an_app_of_its_own_is_one_more(void **state)
{
	struct config *c = good("apps: {shop: {hosts: a.example}, blog: {upstream: 'http://b:1'}}");

	(void)state;
	assert_int_equal(c->napps, 2);
	config_free(c);
}

static void what_belongs_to_no_app_is_told_and_left_out(void **state)
{
	struct config *c = good("apps:\n  gone: {waf: off}\n");

	(void)state;
	assert_int_equal(c->napps, 1);
	assert_non_null(strstr(warning, "st/overrides.yaml:2:3: apps.gone is in no other file any more"));
	config_free(c);
}

static void errors_name_that_file(void **state)
{
	static const struct { const char *text, *error; } rows[] = {
		{ "apps: {shop: {waf: {mode: loud}}}", "st/overrides.yaml:1:27: apps.shop.waf.mode: unknown word 'loud'" },
		{ "apps: {shop: {wat: 1}}", "st/overrides.yaml:1:15: apps.shop: unknown key 'wat'" },
		{ "apps: {shop: [1]}", "st/overrides.yaml:1:14: " },
		{ "admin: {bind: ':1'}", "st/overrides.yaml:1:1: 'admin': only `apps` and `notify` may stand in this file" },
		{ "state: /tmp", "st/overrides.yaml:1:1: 'state': only `apps`" },
		{ "apps: x", "st/overrides.yaml:1:7: apps: a text is not a mapping" },
		{ "apps: {\n", "st/overrides.yaml:2:1: " },
		{ "- a", "st/overrides.yaml:1:1: a list is not a mapping" },
		{ "apps: {}\n---\napps: {}", "st/overrides.yaml:3:1: a second document" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };
		struct config *c = load(rows[i].text, &e);

		if (c || !strstr(e.text, rows[i].error))
			fail_msg("'%s' gives %s", rows[i].text, c ? "no error" : e.text);
	}
}

static void the_file_in_the_state_directory_is_read(void **state)
{
	char path[128];
	struct err e = { 0 };
	struct config *c = config_load(file, NULL, &e);
	uint64_t hash;
	FILE *f;

	(void)state;
	assert_non_null(c);
	assert_null(c->overrides.at);
	assert_int_equal(c->nfiles, 1);
	hash = c->hash;
	config_free(c);
	snprintf(path, sizeof path, "%s/st", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/st/" OVERRIDES_NAME, dir);
	f = fopen(path, "w");
	fputs("apps: {shop: {waf: off}}\n", f);
	fclose(f);
	c = config_load(file, NULL, &e);
	assert_non_null(c);
	assert_int_equal(c->apps[0].waf.mode, WAF_OFF);
	assert_int_equal(c->nfiles, 2);
	assert_true(c->hash != hash);
	assert_string_equal(c->overrides_file, path);
	assert_true(bytes_eq(c->overrides, BYTES("apps: {shop: {waf: off}}\n")));
	config_free(c);
}

static void a_run_without_a_file_has_them_too(void **state)
{
	const struct bytes text = BYTES("apps: {app: {waf: {paranoia: 2}}}");
	const struct config_how how = { .overrides = &text };
	struct err e = { 0 };
	struct config *c = config_quick(&(struct config_quick){ .upstream = "http://h:1", .state = dir, .detect = true }, &how, &e);

	(void)state;
	if (!c)
		fail_msg("%s", e.text);
	assert_int_equal(c->apps[0].waf.mode, WAF_DETECT);
	assert_int_equal(c->apps[0].waf.paranoia, 2);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_win_key_by_key),
		cmocka_unit_test(lists_are_joined_with_the_changes_in_front),
		cmocka_unit_test(an_app_of_its_own_is_one_more),
		cmocka_unit_test(what_belongs_to_no_app_is_told_and_left_out),
		cmocka_unit_test(errors_name_that_file),
		cmocka_unit_test(the_file_in_the_state_directory_is_read),
		cmocka_unit_test(a_run_without_a_file_has_them_too),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
