/* Any cut of a multipart body gives the same; fields are bytes of the input as
 * they stand there, do not overlap, and none that is told lies in what a
 * streaming caller was told to let go before. */
#include "tests/fuzz/split.h"

static const struct content_type type = { .boundary = { "b", 1 }, .boundary_last = { "b", 1 } };

struct watch {
	struct bytes in;
	struct body *body;
	uint64_t settled; /* before the piece in hand */
	uint64_t at, end; /* of the part told last */
};

/* A part is told once for each reading of its name. */
static void take_extent(struct watch *w, uint64_t at, uint64_t len)
{
	must(at + len <= w->in.len);
	must(at == w->at || at >= w->end);
	w->at = at;
	w->end = at + len;
}

static bool take_value(void *owner, const struct body_value *v)
{
	struct watch *w = owner;

	if (v->kind == VALUE_ARG) {
		take_extent(w, v->at, v->value.len);
		must(v->value.len == 0 || memcmp(w->in.at + v->at, v->value.at, v->value.len) == 0);
	}
	must(v->at >= w->settled);
	return true;
}

static bool take_file(void *owner, const struct body_file *f)
{
	take_extent(owner, f->at, f->size);
	return true;
}

static void nothing_told_was_let_go(const struct body_setup *s, struct bytes in, size_t cut)
{
	static const struct body_sink sink = { take_value, take_file };
	struct arena *a = arena_new(16 << 20);
	struct watch w = { .in = in };
	struct body_setup watched = *s;

	watched.sink = &sink;
	watched.owner = &w;
	w.body = body_new(a, &body_multipart, &watched);
	for (size_t i = 0; i < in.len; i += cut) {
		if (body_push(w.body, bytes_sub(in, i, i + cut)) != FAULT_NONE)
			break;
		must(body_settled(w.body) >= w.settled);
		must(body_settled(w.body) <= in.len);
		w.settled = body_settled(w.body);
	}
	body_end(w.body);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body_setup s = { .type = &type };
	size_t cut;
	struct bytes in = split_input(data, size, &cut, &s.limits);

	split_claim(&body_multipart, &s, in, cut);
	nothing_told_was_let_go(&s, in, cut);
	return 0;
}
