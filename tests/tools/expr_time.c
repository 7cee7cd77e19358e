/* What a run of an expression takes: nanoseconds each, over the host of tests/expr_world.h.
 *
 *	expr_time [EXPRESSION...] */
#include "base/clock.h"
#include "tests/expr_files.h"
#include "tests/expr_world.h"
#include <stdio.h>

enum { RUNS = 300000 };

static const char *const usual[] = {
	"evt.Meta.verb == 'PUT'",
	"evt.Meta.type in ['http_access-log', 'http_error-log'] and evt.Meta.verb in ['404', '403', 'GET'] and evt.Parsed.agent != 'false'",
	"evt.Meta.type in ['http_access-log', 'http_error-log'] and Upper(evt.Meta.path) contains Upper('/vendor/htmlawed/htmlawed/htmLawedTest.php')",
	"Lower(evt.Meta.path) endsWith 'util/php/eval-stdin.php'",
	"Upper(evt.Meta.path) matches Upper('/tmui/login.jsp/..;/tmui/[^.]+.jsp')",
	"Upper(PathUnescape(evt.Meta.path)) contains Upper('${dns:address|')",
	"any(File('words'), {Upper(evt.Meta.path) contains Upper(#)})",
	"RegexpInFile(evt.Parsed.agent, 'regexps')",
	"let uri = Lower(evt.Meta.path); uri contains '/sap/bc/' or uri contains '/irj/portal' or uri == '/nwa'",
	"count(1..100, {# % 7 == 0}) == 14",
};

static void measure(const char *source, const struct expr_data *files, struct world_facts *facts)
{
	struct arena *boot = arena_new(64 << 20), *a = arena_new(1 << 20);
	struct expr_world world = world_with(files);
	struct err e = { 0 };
	struct expr *x = expr_compile(boot, bytes_of(source), &world, &e);
	unsigned yes = 0;
	uint64_t from;

	if (!x)
		printf("%s: %s\n", source, e.text);
	from = clock_mono_us();
	for (int i = 0; x && i < RUNS; i++) {
		struct expr_run run = { .ctx = facts, .arena = a, .steps = EXPR_STEPS };

		yes += expr_true(x, &run);
		if (arena_used(a) > 500000) { /* as often as an exchange ends, and oftener */
			arena_free(a);
			a = arena_new(1 << 20);
		}
	}
	if (x)
		printf("%7.0f ns  %-5s  %s\n", (double)(clock_mono_us() - from) * 1000 / RUNS, yes ? "true" : "false",
		       source);
	arena_free(a);
	arena_free(boot);
}

int main(int argc, char **argv)
{
	struct world_facts facts = { .texts = {
		BYTES_INIT("/shop/category/garden-furniture/chairs?page=3&sort=price&colour=green"), BYTES_INIT("GET"),
		BYTES_INIT("http_access-log"), BYTES_INIT("page=3&sort=price&colour=green"),
		BYTES_INIT("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), BYTES_INIT("text"),
	} };
	struct arena *boot = arena_new(64 << 20);
	struct expr_data *files = expr_files(boot);

	for (size_t i = 0; argc < 2 && i < nelems(usual); i++)
		measure(usual[i], files, &facts);
	for (int i = 1; i < argc; i++)
		measure(argv[i], files, &facts);
	arena_free(boot);
	return 0;
}
