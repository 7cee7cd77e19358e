/* The machine and the naive evaluator agree, and what is true meets all needs.
 *
 * An input whose first byte is even is facts and a source, with NULs between; an odd one is a string of choices from which
 * facts and a source that is mostly right are written. */
#include "tests/expr_files.h"
#include "tests/expr_naive.h"
#include "tests/expr_world.h"
#include "tests/fuzz/must.h"

enum { SOURCE_MAX = 4000, WRITE_DEPTH = 6 };

struct choices {
	struct bytes left;
	struct text out;
	unsigned depth, loops, bound;
};

static unsigned choose(struct choices *c, unsigned n)
{
	unsigned x = c->left.len ? (unsigned char)c->left.at[0] : 0;

	c->left = bytes_from(c->left, 1);
	return x % n;
}

static const char *one_of(struct choices *c, const char *const *words, unsigned n)
{
	return words[choose(c, n)];
}

static const char *word(struct choices *c)
{
	static const char *const words[] = { "/admin", "index", ".PHP", "A",   "ab", "",     "GET", "/x",
					     "%41",    "a+b",   "b",    "wp-", "1",  "Name", "z" };

	return one_of(c, words, nelems(words));
}

static void write_any(struct choices *c);
static void write_text(struct choices *c);
static void write_bool(struct choices *c);

static void write_list(struct choices *c)
{
	static const char *const files[] = { "File('words')", "File('json')",  "File('none')",    "results",
					     "1..3",          "[n, 2.0, nil]", "['b', 'A', 'ab']" };
	unsigned n = choose(c, 10);

	if (n < nelems(files)) {
		text_str(&c->out, files[n]);
		return;
	}
	text_str(&c->out, n == 7 ? "split(" : n == 8 ? "map(" : "[");
	n == 8 ? write_list(c) : write_text(c);
	text_str(&c->out, n == 8 ? ", {" : ", ");
	c->loops += n == 8;
	n == 8 ? write_any(c) : write_text(c);
	c->loops -= n == 8;
	text_str(&c->out, n == 8 ? "})" : n == 7 ? ")" : "]");
}

static void write_pattern(struct choices *c)
{
	static const char *const patterns[] = { "^a",  "b$",   "[^x]",   "[^/]+A",   "(?i)ab", "\\\\d", "A|b",
						"a.b", "(a)+", "[a-z]B", "[^\\\\d]", "(?:x)?", ".",     "^$" };

	text_printf(&c->out, choose(c, 2) ? "Upper('%s')" : "'%s'", one_of(c, patterns, nelems(patterns)));
}

static void write_text(struct choices *c)
{
	static const char *const names[] = { "evt.Meta.path",   "evt.Meta.verb",    "evt.Meta.type",
					     "evt.Parsed.args", "evt.Parsed.agent", "t" };
	static const char *const calls[] = { "Upper", "Lower",  "QueryUnescape", "PathUnescape", "TrimSpace",
					     "upper", "string", "basename",      "ToString" };
	unsigned n = c->depth > WRITE_DEPTH ? choose(c, 3) : choose(c, 10);

	c->depth++;
	if (n <= 1) {
		text_str(&c->out, one_of(c, names, nelems(names)));
	} else if (n == 2) {
		text_printf(&c->out, "'%s'", word(c));
	} else if (n == 3 && c->loops) {
		text_str(&c->out, choose(c, 4) ? "#" : ".Name");
	} else if (n == 4 && c->bound) {
		text_printf(&c->out, "v%u", choose(c, c->bound));
	} else if (n <= 6) {
		text_printf(&c->out, "%s(", one_of(c, calls, nelems(calls)));
		write_text(c);
		text_byte(&c->out, ')');
	} else if (n == 7) {
		text_str(&c->out, choose(c, 2) ? "JsonExtract(" : "trimPrefix(");
		write_text(c);
		text_printf(&c->out, ", '%s')", choose(c, 2) ? "uri" : word(c));
	} else if (n == 8) {
		write_text(c);
		text_printf(&c->out, "[%u:]", choose(c, 3));
	} else {
		text_byte(&c->out, '(');
		write_text(c);
		text_str(&c->out, choose(c, 2) ? " + " : " ?? ");
		write_text(c);
		text_byte(&c->out, ')');
	}
	c->depth--;
}

static void write_any(struct choices *c)
{
	static const char *const some[] = { "n",       "1",      "2.5",    "nil",      "none",
					    "evt",     "broken", "#index", "evt.Name", "results[1].Len",
					    "none?.x", "-n" };
	unsigned n = choose(c, 6);

	if (n == 0)
		text_str(&c->out, one_of(c, some, nelems(some)));
	else if (n == 1)
		write_list(c);
	else if (n == 2)
		write_bool(c);
	else
		write_text(c);
}

static void write_test(struct choices *c)
{
	static const char *const operators[] = { " == ",           " != ", " contains ", " startsWith ", " endsWith ",
						 " not contains ", " < ",  " matches ",  " in ",         " not in " };
	unsigned n = choose(c, nelems(operators) + 1);

	if (n == nelems(operators)) {
		write_any(c);
		text_str(&c->out, choose(c, 2) ? " == " : " >= ");
		write_any(c);
		return;
	}
	write_text(c);
	text_str(&c->out, operators[n]);
	if (n == 7)
		write_pattern(c);
	else if (n > 7)
		write_list(c);
	else
		write_text(c);
}

static void write_loop(struct choices *c)
{
	static const char *const loops[] = { "any", "any", "all", "none", "one", "any" };

	text_printf(&c->out, "%s(", one_of(c, loops, nelems(loops)));
	write_list(c);
	text_str(&c->out, ", {");
	c->loops++;
	write_bool(c);
	c->loops--;
	text_str(&c->out, "})");
}

static void write_let(struct choices *c)
{
	text_printf(&c->out, "(let v%u = ", c->bound);
	write_any(c);
	text_str(&c->out, "; ");
	c->bound++;
	write_bool(c);
	c->bound--;
	text_byte(&c->out, ')');
}

static void write_file(struct choices *c)
{
	unsigned n = choose(c, 3);

	text_str(&c->out, n ? "(LookupFile(" : "RegexpInFile(");
	write_text(c);
	text_str(&c->out, !n ? ", 'regexps')" : n == 1 ? ", 'map') != '')" : ", 'map') == 'wp')");
}

static void write_bool(struct choices *c)
{
	unsigned n = c->depth > WRITE_DEPTH ? choose(c, 3) : choose(c, 13);

	c->depth++;
	if (n <= 2) {
		write_test(c);
	} else if (n <= 5 || n == 11) {
		text_byte(&c->out, '(');
		write_bool(c);
		text_str(&c->out, n == 11 ? " ? " : n == 3 ? " or " : " and ");
		write_bool(c);
		if (n == 11) {
			text_str(&c->out, " : ");
			write_bool(c);
		}
		text_byte(&c->out, ')');
	} else if (n == 6) {
		text_str(&c->out, "not (");
		write_bool(c);
		text_byte(&c->out, ')');
	} else if (n == 7) {
		write_loop(c);
	} else if (n == 8) {
		write_let(c);
	} else if (n == 9) {
		write_file(c);
	} else if (n == 10) {
		text_str(&c->out, choose(c, 3) ? "true" : choose(c, 2) ? "false" : "evt.SetMeta('a', 'b')");
	} else {
		text_byte(&c->out, '(');
		write_bool(c);
		text_printf(&c->out, ") %s %s", choose(c, 2) ? "==" : "!=", choose(c, 2) ? "true" : "false");
	}
	c->depth--;
}

static struct bytes written(struct bytes in, char *room, char *facts, struct world_facts *f)
{
	struct choices c = { .left = in, .out = text_over(room, SOURCE_MAX) };
	struct text t = text_over(facts, 500);

	for (size_t i = 0; i < WORLD_TEXTS; i++) {
		size_t from = t.len;

		for (unsigned k = choose(&c, 3); k; k--)
			text_str(&t, word(&c));
		f->texts[i] = bytes_from(text_bytes(&t), from);
	}
	write_bool(&c);
	return text_bytes(&c.out);
}

static struct bytes given(struct bytes in, struct world_facts *f)
{
	for (size_t i = 0; i < WORLD_TEXTS; i++)
		if (!bytes_cut(&in, '\0', &f->texts[i]))
			f->texts[i] = BYTES("");
	return in;
}

/* must(), with the source to be seen. */
static void must_of(bool claim, struct bytes source, const char *what)
{
	if (!claim)
		fprintf(stderr, "%s: %.*s\n", what, BYTES_ARG(source));
	must(claim);
}

static void compare(const struct expr *x, struct bytes source, const struct expr_world *world, struct world_facts *f,
		    struct arena *a)
{
	struct expr_run run = { .ctx = f, .arena = a, .steps = EXPR_STEPS }, other = run;
	const struct expr_need *needs;
	struct expr_parsed parsed;
	struct expr_value v, w;
	bool ok = expr_run(x, &run, &v), too_long, naive;

	must(ok || run.failed);
	if (ok && v.kind == EXPR_BOOL && v.truth) {
		size_t n = expr_needs(x, a, &needs);

		must_of(naive_needs_met(&other, world, needs, n), source, "a need is not met");
	}
	must(expr_parse(a, source, world, &parsed, NULL));
	naive = naive_value(parsed.root, world, &other, &w, &too_long);
	if (too_long || (!ok && (strstr(run.failed, "steps") || strstr(run.failed, "memory"))) ||
	    (!naive && other.failed && (strstr(other.failed, "steps") || strstr(other.failed, "memory"))))
		return;
	must_of(ok == naive, source, ok ? "naive fails" : run.failed);
	if (ok && v.kind == EXPR_BOOL && w.kind == EXPR_BOOL && v.truth != w.truth)
		fprintf(stderr, "%d, not %d: ", w.truth, v.truth);
	must_of(!ok || naive_same(&v, &w) || (v.kind == EXPR_FLOAT && isnan(v.real) && isnan(w.real)) ||
			v.kind == EXPR_LIST,
		source, "the values differ");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct arena *boot;
	static struct expr_data *files;
	char room[SOURCE_MAX], texts[500];
	struct world_facts f = { .calls = 0 };
	struct expr_world world;
	struct arena *a = arena_new(64 << 20);
	struct bytes in = bytes_from((struct bytes){ (const char *)data, size }, 1), source;
	struct expr *x;
	struct err e = { 0 };

	if (!files) {
		boot = arena_new(64 << 20);
		files = expr_files(boot);
		must(files);
	}
	world = world_with(files);
	source = size && data[0] % 2 ? written(in, room, texts, &f) : given(in, &f);
	x = expr_compile(a, source, &world, &e);
	must(x || e.text[0]);
	if (x)
		compare(x, source, &world, &f, a);
	arena_free(a);
	return 0;
}
