/* docs/config.md and docs/embergate.schema.json are what the tables print.
 *
 *   test_config_docs            compares
 *   test_config_docs --write    prints them anew */
#include "tests/test.h"
#include "proxy/config.h"
#include <stdlib.h>

static const struct {
	const char *path;
	void (*print)(FILE *);
} files[] = {
	{ SOURCE_DIR "/docs/config.md", config_print_docs },
	{ SOURCE_DIR "/docs/embergate.schema.json", config_print_schema },
};

/* What the tables print; the caller frees. */
static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	print(f);
	fclose(f);
	return text;
}

/* What is in the file; the caller frees. */
static char *contents(const char *path)
{
	char *text = NULL;
	size_t cap = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return NULL;
	if (getdelim(&text, &cap, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static void the_committed_files_are_what_the_tables_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(files); i++) {
		char *have = contents(files[i].path), *want = printed(files[i].print);

		assert_non_null(want);
		if (!have || strcmp(have, want) != 0)
			fail_msg("%s is out of date: run test_config_docs --write", files[i].path);
		free(have);
		free(want);
	}
}

static int write_all(void)
{
	for (size_t i = 0; i < nelems(files); i++) {
		FILE *f = fopen(files[i].path, "we");

		if (!f) {
			perror(files[i].path);
			return 1;
		}
		files[i].print(f);
		fclose(f);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_committed_files_are_what_the_tables_print),
	};

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return write_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
