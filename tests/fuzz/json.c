/* Any cut of a JSON body gives the same values; and what was flattened, written
 * as one object of strings, flattens to the same again. */
#include "tests/fuzz/split.h"

struct again {
	struct text json; /* {"json.a":"1"} */
	struct text want; /* json.json.a=1 */
};

/* Control bytes need an escape; any other byte passes as it is. */
static void put_string(struct text *t, struct bytes b)
{
	text_byte(t, '"');
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.at[i] < 0x20)
			text_printf(t, "\\u%04x", b.at[i]);
		else if (b.at[i] == '"' || b.at[i] == '\\')
			text_printf(t, "\\%c", b.at[i]);
		else
			text_byte(t, b.at[i]);
	text_byte(t, '"');
}

static bool write_again(void *owner, const struct body_value *v)
{
	struct again *a = owner;

	text_byte(&a->json, a->json.len ? ',' : '{');
	put_string(&a->json, v->name);
	text_byte(&a->json, ':');
	put_string(&a->json, v->value);
	told_pair(&a->want, "json.", v->name, v->value);
	return true;
}

static void flattens_to_the_same(const struct body_setup *s, struct bytes in)
{
	static const struct body_sink sink = { write_again, NULL };
	enum { CAP = 1 << 15 };
	struct arena *a = arena_new(16 << 20);
	struct again again = { text_over(arena_raw(a, CAP), CAP), text_over(arena_raw(a, CAP), CAP) };
	struct body_setup collect = *s;
	struct body *b;

	collect.sink = &sink;
	collect.owner = &again;
	b = body_new(a, &body_json, &collect);
	body_push(b, in);
	if (body_end(b) == FAULT_NONE && again.json.len && !again.json.full && !again.want.full) {
		struct body_setup loose = { .limits = { .name_bytes = 1 << 20 } };
		struct told t;

		text_byte(&again.json, '}');
		t = told_of(&body_json, loose, text_bytes(&again.json), 0);
		must(t.fault == FAULT_NONE);
		must(bytes_eq(text_bytes(&t.text), text_bytes(&again.want)));
		arena_free(t.arena);
	}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body_setup s = { .arrays = size > 1 && data[1] & 2 ? JSON_ARRAYS_WORD : JSON_ARRAYS_INDEX };
	size_t cut;
	struct bytes in = split_input(data, size, &cut, &s.limits);

	split_claim(&body_json, &s, in, cut);
	flattens_to_the_same(&s, in);
	return 0;
}
