/* Any cut of a form gives the same values; and what was decoded, encoded byte by
 * byte, decodes to the same again. */
#include "tests/fuzz/split.h"

static void put_encoded(struct text *t, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		text_printf(t, "%%%02X", (unsigned char)b.at[i]);
}

static bool write_again(void *owner, const struct body_value *v)
{
	struct text *form = owner;

	put_encoded(form, v->name);
	text_byte(form, '=');
	put_encoded(form, v->value);
	text_byte(form, '&');
	return true;
}

static void decodes_to_the_same(const struct body_setup *s, struct bytes in)
{
	static const struct body_sink sink = { write_again, NULL };
	size_t cap = in.len * 5 + 64;
	struct arena *a = arena_new(16 << 20);
	struct text form = text_over(arena_raw(a, cap), cap);
	struct told first = told_of(&body_urlencoded, *s, in, 0), second;
	struct body_setup collect = *s;
	struct body *b;

	collect.sink = &sink;
	collect.owner = &form;
	b = body_new(a, &body_urlencoded, &collect);
	body_push(b, in);
	if (body_end(b) == FAULT_NONE) {
		must(!form.full);
		second = told_of(&body_urlencoded, *s, text_bytes(&form), 0);
		must(bytes_eq(text_bytes(&first.text), text_bytes(&second.text)));
		arena_free(second.arena);
	}
	arena_free(first.arena);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body_setup s = { 0 };
	size_t cut;
	struct bytes in = split_input(data, size, &cut, &s.limits);

	split_claim(&body_urlencoded, &s, in, cut);
	decodes_to_the_same(&s, in);
	return 0;
}
