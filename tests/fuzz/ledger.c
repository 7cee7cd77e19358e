/* ledger.c -- what a line says reads back the same from the line that is written of it; a line whose sum is not its own is
 * none, whatever it says. */
#include "cti/ledger.h"
#include "tests/fuzz/must.h"

static bool is_same(const struct ledger_line *a, const struct ledger_line *b)
{
	const struct decision *x = &a->decision, *y = &b->decision;

	return a->lifted == b->lifted && a->times == b->times && x->scope == y->scope && bytes_eq(x->value, y->value) &&
	       bytes_eq(x->reason, y->reason) && bytes_eq(x->origin, y->origin) && x->remedy == y->remedy && x->level == y->level &&
	       x->simulated == y->simulated && x->id == y->id && x->made_ms == y->made_ms && x->until_ms == y->until_ms;
}

static void as_it_is(struct bytes in)
{
	static char first[LEDGER_LINE_MAX], second[LEDGER_LINE_MAX], out[LEDGER_LINE_MAX];
	struct text t = text_over(out, sizeof out);
	struct ledger_line line, again;

	if (!ledger_read_line(in, first, &line))
		return;
	must(line.decision.value.len && line.decision.scope < SCOPE_OTHER && line.decision.remedy < REMEDY_COUNT);
	must(ledger_write_line(&t, &line));
	for (size_t i = 0; i < t.len; i++)
		must((unsigned char)t.at[i] >= ' ');
	must(ledger_read_line(text_bytes(&t), second, &again));
	must(is_same(&line, &again));
	out[t.len / 2] ^= 1;
	must(!ledger_read_line(text_bytes(&t), second, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char sealed[2 * LEDGER_LINE_MAX];
	struct bytes in = { (const char *)data, size };
	struct text t = text_over(sealed, sizeof sealed);

	as_it_is(in);
	ledger_seal(&t, bytes_sub(in, 0, LEDGER_LINE_MAX + 64));
	as_it_is(text_bytes(&t));
	return 0;
}
