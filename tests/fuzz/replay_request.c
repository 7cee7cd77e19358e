/* replay_request.c -- what POST /rules/test takes becomes the head of that request and of no other: the same method and
 * target, as many fields with the same names and values, and no second request behind it. */
#include "admin/api/api_replay.h"
#include "proxy/judge.h"
#include "proxy/replay.h"
#include "tests/fuzz/must.h"

static bool is_body_field(struct bytes name)
{
	enum field_id id = field_id_of(name);

	return id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING;
}

static void same_fields(const struct replay_request *q, const struct request *r)
{
	size_t k = 0;

	for (size_t i = 0; i < r->fields.n; i++) {
		const struct field *f = &r->fields.at[i];

		if (f->id == FIELD_HOST && bytes_eq(f->value, BYTES("localhost")) && r->fields.n > q->nfields && i == 0)
			continue;
		if (q->body.len && is_body_field(f->name))
			continue;
		while (k < q->nfields && q->body.len && is_body_field(q->fields[k].name))
			k++;
		must(k < q->nfields && bytes_eq(f->name, q->fields[k].name) && bytes_eq(f->value, q->fields[k].value));
		k++;
	}
}

static void look(struct arena *a, const struct replay_request *q)
{
	static const struct app_config app;
	struct bytes head = replay_head(a, &app, q);
	struct request r;
	struct err e = { 0 };

	must(q->nfields <= REPLAY_FIELDS && q->body.len <= REPLAY_BODY_MAX);
	if (!head.at || judge_read(a, head, &r, &e) != 0)
		return;
	must(bytes_eq(r.method, q->method) && bytes_eq(r.target, q->target));
	must(bytes_find(head, BYTES("\r\n\r\n")) == head.len - 4);
	same_fields(q, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = { API_BODY_MAX, 16 };
	struct err e = { 0 };
	struct json *v = json_read((struct bytes){ (const char *)data, size }, &limits, &e);
	struct arena *a = arena_new(8 << 20);
	struct replay_request q;

	if (v && a && api_check(v, &api_request_shape, &e)) {
		if (replay_read_request(a, v, &q, &e))
			look(a, &q);
		else
			must(e.text[0]);
	}
	arena_free(a);
	json_free(v);
	return 0;
}
