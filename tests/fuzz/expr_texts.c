/* Functions of texts over any bytes: what is escaped reads back, what is split joins again, what is taken out of a text is
 * in it. The input is two texts with a NUL between. */
#include "tests/expr_world.h"
#include "base/expr_tree.h"
#include "tests/fuzz/must.h"

static struct expr_value call(struct expr_run *run, const char *name, size_t n, struct expr_value a, struct expr_value b)
{
	struct expr_value args[2] = { a, b }, out = { .kind = EXPR_NIL };
	bool ok;

	run->failed = NULL;
	run->steps = EXPR_STEPS;
	ok = expr_function_call(run, NULL, expr_function_find(bytes_of(name)), args, n, &out);
	must(ok || run->failed);
	return ok ? out : (struct expr_value){ .kind = EXPR_NIL };
}

static struct expr_value one(struct expr_run *run, const char *name, struct expr_value a)
{
	return call(run, name, 1, a, a);
}

static bool same(struct expr_value a, struct expr_value b)
{
	return a.kind == EXPR_TEXT && b.kind == EXPR_TEXT && bytes_eq(a.text, b.text);
}

static void escapes(struct expr_run *run, struct expr_value x)
{
	struct expr_value once = one(run, "Upper", x);

	must(same(one(run, "QueryUnescape", one(run, "QueryEscape", x)), x));
	must(same(one(run, "PathUnescape", one(run, "PathEscape", x)), x));
	must(same(one(run, "Upper", once), once) && once.text.len == x.text.len);
	must(same(one(run, "Lower", once), one(run, "Lower", x)));
	must(one(run, "PathUnescape", x).text.len <= x.text.len);
	one(run, "Base64Decode", x);
	must(one(run, "ParseUri", x).kind == EXPR_OBJECT);
	one(run, "int", x);
	one(run, "float", x);
	one(run, "duration", x);
}

static void parts(struct expr_run *run, struct expr_value x, struct expr_value y)
{
	struct expr_value list = call(run, "split", 2, x, y), fields = one(run, "Fields", x), raw;
	size_t n = 0;

	must(same(call(run, "join", 2, list, y), x));
	for (size_t i = 0; i < fields.list.n; i++)
		n += fields.list.at[i].text.len;
	must(n <= x.text.len);
	raw = call(run, "JsonExtract", 2, x, y);
	must(raw.text.len == 0 || bytes_find(x.text, raw.text) != SIZE_MAX);
	must(call(run, "JsonExtractUnescape", 2, x, y).text.len <= x.text.len);
	must(call(run, "Match", 2, x, x).truth || run->failed); /* it may take too many steps */
	call(run, "Match", 2, y, x);
	call(run, "IpInRange", 2, x, y);
	call(run, "IpToRange", 2, x, y);
	call(run, "Sprintf", 2, x, y);
	call(run, "basename", 1, x, y);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct bytes rest = { (const char *)data, size }, first = BYTES("");
	struct arena *a = arena_new(64 << 20);
	struct expr_run run = { .arena = a, .steps = EXPR_STEPS };

	if (size < 20000 && size && bytes_cut(&rest, '\0', &first)) {
		struct expr_value x = expr_text_value(first), y = expr_text_value(rest.at ? rest : BYTES(""));

		escapes(&run, x);
		escapes(&run, y);
		parts(&run, x, y);
		parts(&run, y, x);
	}
	arena_free(a);
	return 0;
}
