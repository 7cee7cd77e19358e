/* Where an expression matches there is one of its literals, and where it is said
 * to be joinable it also matches among other values. */
#include "base/matcher.h"
#include "rules/literal.h"
#include <stdint.h>
#include <stdlib.h>

static bool has_one(const struct literals *l, struct bytes s)
{
	for (size_t i = 0; i < l->n; i++)
		if ((l->caseless ? bytes_find_nocase(s, l->at[i]) : bytes_find(s, l->at[i])) != SIZE_MAX)
			return true;
	return l->n == 0;
}

static bool note(void *ctx, uint32_t id, size_t end)
{
	(void)id, (void)end;
	return *(bool *)ctx = true;
}

static void check_joined(struct arena *a, struct bytes expression, struct bytes s)
{
	struct pattern p = { expression, PATTERN_JOINED, 0 };
	struct matcher *m = matcher_plain.compile(&p, 1, NULL, NULL);
	char *at = arena_raw(a, s.len + 32);
	bool found = false;
	size_t n = 0;

	if (!m)
		return;
	memcpy(at, "x\n\n", 3);
	memcpy(at + 3, s.at, s.len);
	memcpy(at + 3 + s.len, "\n'y\n", 4);
	n = s.len + 7;
	if (matcher_plain.scan(m, NULL, (struct bytes){ at, n }, note, &found) && !found)
		abort();
	matcher_plain.free(m);
}

/* An expression, a NUL and a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { (const char *)data, size }, expression;
	struct arena *a;
	struct literals l;
	struct regex *r;
	size_t from, to;

	if (size > 400 || !bytes_cut(&all, '\0', &expression) || !all.at || !(r = regex_new(expression, 0, NULL)))
		return 0;
	a = arena_new(32 << 20);
	l = literals_of(a, expression);
	if (regex_find(r, all, &from, &to) == REGEX_YES) {
		if (!has_one(&l, all))
			abort();
		if (l.joinable)
			check_joined(a, expression, all);
	}
	regex_free(r);
	arena_free(a);
	return 0;
}
