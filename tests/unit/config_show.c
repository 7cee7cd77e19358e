/* The configuration for others to read: the same meaning, without comments and without secrets. */
#include "tests/test.h"
#include "proxy/config.h"
#include <stdio.h>

static struct config *parse(const char *text)
{
	struct err e = { 0 };
	struct config *c = config_parse(bytes_of(text), "t.yaml", NULL, NULL, &e);

	if (!c)
		fail_msg("does not load: %s\n%s", e.text, text);
	return c;
}

static const char *show(const char *text)
{
	static char room[16 << 10];
	struct text t = text_over(room, sizeof room - 1);
	struct config *c = parse(text);

	config_show(c, &t);
	assert_false(t.full);
	room[t.len] = '\0';
	config_free(c);
	return room;
}

#define SHOP "apps: {shop: {upstream: \"http://127.0.0.1:3000\"}}\n"

static void what_is_shown_reads_back_and_shows_the_same(void **state)
{
	static const char *const files[] = {
		SHOP,
		"apps:\n  shop:\n    hosts: [a.example, '*.b.example']\n    upstream: http://127.0.0.1:3000\n"
		"    waf: {mode: detect}\n    exceptions: [{path: /a, skip: [body], reason: \"it's \\\"so\\\"\"}]\n"
		"listen: [':8080', {bind: '127.0.0.1:8443', tls: on}]\ntimeouts: {idle: 30s}\n",
		"apps: {shop: {upstream: \"http://127.0.0.1:3000\", waf: }}\nworkers: 2\n",
	};

	(void)state;
	for (size_t i = 0; i < nelems(files); i++) {
		char once[16 << 10];

		snprintf(once, sizeof once, "%s", show(files[i]));
		assert_string_equal(show(once), once);
	}
}

static void secrets_and_comments_are_not_shown(void **state)
{
	const char *shown = show(SHOP "# hunter2 in a remark\n"
				 "secret: env:GATE_SECRET\n"
				 "redis: {url: 'redis://gate:hunter2@redis.example:6379/0', password: file:pw}\n"
				 "cti: {lists: [{name: x, url: 'https://l.example/list.txt?key=hunter2', do: challenge}]}\n");

	(void)state;
	assert_null(strstr(shown, "hunter2"));
	assert_non_null(strstr(shown, "\"secret\": \"env:GATE_SECRET\""));
	assert_non_null(strstr(shown, "\"redis://(taken out)@redis.example:6379/0\""));
	assert_non_null(strstr(shown, "\"https://l.example/list.txt?(taken out)\""));
	assert_non_null(strstr(shown, "\"password\": \"file:pw\""));
}

static void options_of_the_command_line_have_no_text(void **state)
{
	struct err e = { 0 };
	const struct config_quick q = { .upstream = "http://127.0.0.1:1" };
	struct config *c = config_quick(&q, NULL, &e);
	char room[256];
	struct text t = text_over(room, sizeof room);

	(void)state;
	assert_non_null(c);
	config_show(c, &t);
	assert_true(bytes_starts(text_bytes(&t), BYTES("#")));
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_shown_reads_back_and_shows_the_same),
		cmocka_unit_test(secrets_and_comments_are_not_shown),
		cmocka_unit_test(options_of_the_command_line_have_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
