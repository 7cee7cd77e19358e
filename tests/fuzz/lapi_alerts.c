/* lapi_alerts.c -- alerts that are accepted and written again read back equal. */
#include "cti/lapi_form.h"
#include "tests/fuzz/must.h"

enum { NOW = 1700000000 };

static const uint64_t now_ms = NOW * UINT64_C(1000);

static void same_decision(const struct decision *a, const struct decision *b)
{
	must(a->scope == b->scope && a->remedy == b->remedy && a->simulated == b->simulated && a->id == b->id);
	must(bytes_eq(a->value, b->value) && bytes_eq(a->reason, b->reason) && bytes_eq(a->origin, b->origin));
	must(a->until_ms == b->until_ms);
}

static void same_alert(const struct alert *a, const struct alert *b)
{
	must(a->scope == b->scope && a->events == b->events && a->simulated == b->simulated && a->ndecisions == b->ndecisions);
	must(bytes_eq(a->scenario, b->scenario) && bytes_eq(a->message, b->message) && bytes_eq(a->value, b->value));
	must(a->first_ms == b->first_ms && a->last_ms == b->last_ms && bytes_eq(a->body, b->body));
	for (size_t i = 0; i < a->ndecisions; i++)
		same_decision(&a->decisions[i], &b->decisions[i]);
}

/* The array that a list of them is. */
static struct bytes written(struct arena *arena, const struct alert *all, size_t n)
{
	struct text t = text_over(arena_raw(arena, 1 << 20), 1 << 20);

	text_byte(&t, '[');
	for (size_t i = 0; i < n; i++) {
		struct bytes one = lapi_alert(arena, &all[i], now_ms);

		must(one.at);
		text_str(&t, i ? "," : "");
		text_put(&t, one);
	}
	text_byte(&t, ']');
	must(!t.full);
	return text_bytes(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(16 << 20);
	struct lapi_error why = { 0 };
	size_t n = 0, again = 0;
	struct alert *all = lapi_alerts_read(arena, (struct bytes){ (const char *)data, size }, now_ms, REMEDY_DENY, &n, &why), *back;

	must(all || (why.status >= 400 && why.text[0]));
	if (all) {
		back = lapi_alerts_read(arena, written(arena, all, n), now_ms, REMEDY_DENY, &again, &why);
		if (!back)
			fprintf(stderr, "%s\n", why.text);
		must(back && again == n);
		for (size_t i = 0; i < n; i++)
			same_alert(&all[i], &back[i]);
	}
	arena_free(arena);
	return 0;
}
