/* What the table says of a transformation holds for any value: how far it may
 * grow, which traits it needs, whether twice is once; unchanged is the very same
 * slice, and the same value gives the same result. */
#include "rules/transforms.h"
#include "tests/fuzz/must.h"

static void row_holds(const struct transform *t, struct arena *a, struct bytes in)
{
	struct bytes out = t->fn(a, in), again = t->fn(a, in);

	must(out.at && again.at);
	must(bytes_eq(out, again));
	must(out.len <= in.len * t->grow + t->plus);
	must(!bytes_eq(in, out) || in.at == out.at);
	must(bytes_eq(in, out) || transform_may_change(t, transform_traits(in)));
	must(!t->idempotent || bytes_eq(t->fn(a, out), out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { size ? (const char *)data : "", size };

	for (size_t i = 0; i < transform_count(); i++) {
		struct arena *a = arena_new(16 << 20), *tiny = arena_new(1);

		row_holds(transform_at(i), a, in);
		transform_at(i)->fn(tiny, in); /* fails or not, but within its cap */
		must(arena_used(tiny) <= 1 << 14);
		arena_free(a);
		arena_free(tiny);
	}
	return 0;
}
