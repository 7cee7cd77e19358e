/* Where an expression matches there is one of its literals, and one of those that must be there too; in a
 * plain value also one of those that are left for such. */
#include "base/matcher.h"
#include "rules/literal.h"
#include "rules/plain.h"
#include <stdint.h>
#include <stdlib.h>

static bool has_one(const struct bytes *at, size_t n, bool caseless, struct bytes s)
{
	for (size_t i = 0; i < n; i++)
		if ((caseless ? bytes_find_nocase(s, at[i]) : bytes_find(s, at[i])) != SIZE_MAX)
			return true;
	return n == 0;
}

static bool is_there(const struct literals *l, struct bytes s)
{
	return !l->never && has_one(l->at, l->n, l->caseless, s) && has_one(l->also, l->nalso, l->caseless, s);
}

/* An expression, a NUL and a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { (const char *)data, size }, expression;
	struct arena *a;
	struct literals l, plain;
	struct regex *r;
	size_t from, to;

	if (size > 400 || !bytes_cut(&all, '\0', &expression) || !all.at || !(r = regex_new(expression, 0, NULL)))
		return 0;
	a = arena_new(32 << 20);
	l = literals_of(a, expression, NULL);
	plain = literals_of(a, expression, plain_bytes);
	if (regex_find(r, all, &from, &to) == REGEX_YES &&
	    (!is_there(&l, all) || (is_plain(all) && !is_there(&plain, all))))
		abort();
	regex_free(r);
	arena_free(a);
	return 0;
}
