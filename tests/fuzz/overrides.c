/* Of the file of changes: what is printed reads the same and is printed the same; a change is printed so that it reads too;
 * and the whole is a configuration, or an error that names a place. Input: a file, a NUL, the value of a change. */
#include "tests/fuzz/must.h"
#include "base/diff.h"
#include "proxy/config.h"
#include "proxy/overrides.h"
#include "proxy/overrides_file.h"

enum { ROOM = 64 << 20 };

static bool same(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind != b->kind || a->n != b->n || !bytes_eq(a->text, b->text) || yaml_is_empty(a) != yaml_is_empty(b))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same(a->items[i], b->items[i]) || (a->kind == YAML_MAPPING && !bytes_eq(a->keys[i]->text, b->keys[i]->text)))
			return false;
	return true;
}

/* What it prints, which reads and prints the same. */
static struct bytes printed(struct arena *a, const struct overrides *o)
{
	struct bytes once = overrides_print(a, o), twice;
	struct err e = { 0 };
	struct overrides *again;

	if (!once.at)
		return once; /* larger than it may be: what is escaped grows */
	again = overrides_read(a, once, "fuzz.yaml", &e);
	must(again);
	twice = overrides_print(a, again);
	must(bytes_eq(once, twice));
	return once;
}

static void means_the_same(struct bytes a, struct bytes b)
{
	struct err e = { 0 };
	struct yaml_doc *x = yaml_load(a, "a", &e), *y = yaml_load(b, "b", &e);
	const struct yaml_node *root = x ? yaml_root(x, 0) : NULL;

	must(x && y);
	if (root && !yaml_is_empty(root))
		must(same(root, yaml_root(y, 0)));
	yaml_unload(x);
	yaml_unload(y);
}

static void change(struct arena *a, struct bytes text, struct bytes value)
{
	struct err e = { 0 };
	struct yaml_doc *v = yaml_load(value, "value", &e);
	struct overrides *set = overrides_read(a, text, "fuzz.yaml", &e), *add = overrides_read(a, text, "fuzz.yaml", &e);
	const struct yaml_node *n = v ? yaml_root(v, 0) : NULL;
	struct bytes after = { 0 };

	if (n && overrides_set(set, BYTES("shop"), "waf.mode", n, BYTES("by x"), &e))
		after = printed(a, set);
	if (after.at)
		must(diff_unified(a, "was", text, "is", after).at);
	if (n && overrides_add(add, BYTES("shop"), "exceptions", n, BYTES("by x"), &e))
		printed(a, add);
	must(overrides_set(set, BYTES("shop"), "waf.mode", NULL, BYTES("by x"), &e) || e.text[0]);
	yaml_unload(v);
}

static void waits(struct bytes text)
{
	struct overrides_pending p;

	if (overrides_pending_parse(text, &p))
		must(p.until_ms && memchr(p.by, '\0', sizeof p.by));
}

static void configures(struct bytes text)
{
	const struct config_quick quick = { .upstream = "http://h:1", .state = "/nowhere" };
	const struct config_how how = { .overrides = &text };
	struct err e = { 0 };
	struct config *c = config_quick(&quick, &how, &e);
	unsigned line, column;

	if (!c && bytes_starts(bytes_of(e.text), BYTES("/nowhere")))
		must(sscanf(e.text, "/nowhere/overrides.yaml:%u:%u: ", &line, &column) == 2 && line && column);
	config_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = { (const char *)data, size }, text = { 0 };
	struct arena *a = arena_new(ROOM);
	struct err e = { 0 };
	struct overrides *o;
	struct bytes once;

	bytes_cut(&rest, '\0', &text);
	o = overrides_read(a, text, "fuzz.yaml", &e);
	if (o) {
		once = printed(a, o);
		if (once.at)
			means_the_same(text, once);
		change(a, text, rest.at ? rest : BYTES("detect"));
		for (unsigned line = 0; line < 8; line++)
			overrides_maker(text, line, &(struct bytes){ 0 }, &(struct bytes){ 0 });
	} else {
		must(e.text[0]);
	}
	configures(text);
	waits(text);
	arena_free(a);
	return 0;
}
