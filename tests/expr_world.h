/* expr_world.h -- a host for expressions: some facts, a list of objects, a method. */
#ifndef TESTS_EXPR_WORLD_H
#define TESTS_EXPR_WORLD_H
#include "base/expr.h"
#include "base/text.h"

enum { WORLD_TEXTS = 6, WORLD_LIST = WORLD_TEXTS, WORLD_OBJECT, WORLD_NUMBER, WORLD_NIL, WORLD_FAILS, WORLD_CALL = 100 };

static const char *const world_names[] = {
	"evt.Meta.path", "evt.Meta.verb", "evt.Meta.type", "evt.Parsed.args", "evt.Parsed.agent", "t",
	"results", "evt", "n", "none", "broken", "evt.SetMeta", NULL,
};

/* What a run is about. */
struct world_facts {
	struct bytes texts[WORLD_TEXTS];
	unsigned calls; /* of SetMeta */
};

static inline bool world_find(const void *ctx, struct bytes path, bool call, uint32_t *number)
{
	(void)ctx;
	if (call) {
		*number = WORLD_CALL;
		return bytes_eq(path, BYTES("evt.SetMeta"));
	}
	for (*number = 0; *number <= WORLD_FAILS; ++*number)
		if (bytes_eq(path, bytes_of(world_names[*number])))
			return true;
	return false;
}

/* An object of two members and two methods; self is its name. */
static inline bool thing_get(struct expr_run *run, const void *self, struct bytes member, struct expr_value *out)
{
	(void)run;
	if (bytes_eq(member, BYTES("Name"))) {
		*out = (struct expr_value){ .kind = EXPR_TEXT, .text = bytes_of(self) };
		return true;
	}
	if (bytes_eq(member, BYTES("Len"))) {
		*out = (struct expr_value){ .kind = EXPR_INT, .number = (int64_t)strlen(self) };
		return true;
	}
	if (bytes_eq(member, BYTES("Nil"))) {
		*out = (struct expr_value){ .kind = EXPR_NIL };
		return true;
	}
	return expr_fail(run, "no such member of a thing");
}

static inline bool thing_call(struct expr_run *run, const void *self, struct bytes member, const struct expr_value *args,
			      size_t n, struct expr_value *out)
{
	if (bytes_eq(member, BYTES("GetName")))
		return thing_get(run, self, BYTES("Name"), out);
	if (bytes_eq(member, BYTES("Echo")) && n == 1) {
		*out = args[0];
		return true;
	}
	return expr_fail(run, "no such method of a thing");
}

static const struct expr_object thing = { "thing", thing_get, thing_call };

static inline bool world_load(struct expr_run *run, uint32_t number, struct expr_value *out)
{
	static const struct expr_value things[] = {
		{ .kind = EXPR_OBJECT, .object = { &thing, "ab" } },
		{ .kind = EXPR_OBJECT, .object = { &thing, "cde" } },
		{ .kind = EXPR_OBJECT, .object = { &thing, "" } },
	};
	struct world_facts *f = run->ctx;

	if (number < WORLD_TEXTS)
		*out = (struct expr_value){ .kind = EXPR_TEXT, .text = f->texts[number] };
	else if (number == WORLD_LIST)
		*out = (struct expr_value){ .kind = EXPR_LIST, .list = { things, nelems(things) } };
	else if (number == WORLD_OBJECT)
		*out = things[1];
	else if (number == WORLD_NUMBER)
		*out = (struct expr_value){ .kind = EXPR_INT, .number = 7 };
	else
		*out = (struct expr_value){ .kind = EXPR_NIL };
	return number != WORLD_FAILS || expr_fail(run, "a broken fact");
}

static inline bool world_call(struct expr_run *run, uint32_t number, const struct expr_value *args, size_t n,
			      struct expr_value *out)
{
	struct world_facts *f = run->ctx;

	(void)number, (void)args;
	f->calls++;
	*out = (struct expr_value){ .kind = EXPR_BOOL, .truth = true };
	return n == 2 || expr_fail(run, "SetMeta takes two");
}

static inline struct expr_world world_with(const struct expr_data *data)
{
	return (struct expr_world){ world_find, world_load, world_call, NULL, data, world_names };
}

/* A value with its kind to be seen: 'text', 1, 1.5f, [1 2], nil, true. */
static inline void world_show(struct text *t, const struct expr_value *v)
{
	switch (v->kind) {
	case EXPR_NIL: text_str(t, "nil"); break;
	case EXPR_BOOL: text_str(t, v->truth ? "true" : "false"); break;
	case EXPR_INT: text_printf(t, "%lld", (long long)v->number); break;
	case EXPR_FLOAT: text_printf(t, "%.10gf", v->real); break;
	case EXPR_TEXT:
		text_byte(t, '\'');
		text_plain(t, v->text);
		text_byte(t, '\'');
		break;
	case EXPR_LIST:
		text_byte(t, '[');
		for (size_t i = 0; i < v->list.n; i++) {
			if (i)
				text_byte(t, ' ');
			world_show(t, &v->list.at[i]);
		}
		text_byte(t, ']');
		break;
	case EXPR_OBJECT: text_str(t, v->object.is->name); break;
	}
}
#endif
