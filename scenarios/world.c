/* world.c -- the names that a scenario's expressions may use.
 *
 * `evt` and its maps Meta, Parsed, Enriched, Unmarshaled (facts by name), `evt.Gate` (what only a gate knows), `evt.Overflow`
 * (of an overflow that is asked again), `queue.Queue` and `leaky` (of a bucket), and the methods that write. A name under
 * Meta or Parsed that nobody sets is empty, as in CrowdSec, so that it cannot be told from a wrong one. */
#include "scenarios/scenario.h"

/* Numbers behind the facts: first those of names without a fact, then, far away, these. */
enum special {
	SPECIAL = 1u << 20,
	EVT = SPECIAL, META, PARSED, ENRICHED, GATE, QUEUE, LEAKY_COUNT, OVERFLOW_SCENARIO,
	/* methods */
	SET_META, SET_PARSED, GET_META, APPSEC_NAME, GET_SCENARIO, GET_SOURCES,
};

static const struct {
	const char *path;
	bool call;
	enum special number;
} specials[] = {
	{ "evt", false, EVT },
	{ "evt.Meta", false, META },
	{ "evt.Parsed", false, PARSED },
	{ "evt.Enriched", false, ENRICHED },
	{ "evt.Gate", false, GATE },
	{ "queue.Queue", false, QUEUE },
	{ "leaky.Total_count", false, LEAKY_COUNT },
	{ "evt.Overflow.Alert.Scenario", false, OVERFLOW_SCENARIO },
	{ "evt.SetMeta", true, SET_META },
	{ "evt.SetParsed", true, SET_PARSED },
	{ "evt.GetMeta", true, GET_META },
	{ "evt.Appsec.GetName", true, APPSEC_NAME },
	{ "evt.Overflow.Alert.GetScenario", true, GET_SCENARIO },
	{ "evt.Overflow.GetSources", true, GET_SOURCES },
};

static const char *const maps[] = { "Meta.", "Parsed.", "Enriched.", "Unmarshaled.", "Appsec." };

/* ---- finding ---- */

static bool is_name(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] == '.')
			return false;
	return b.len > 0;
}

static bool add_name(struct scenarios *set, struct bytes name, uint32_t *number)
{
	struct bytes *at = set->names;

	for (size_t i = 0; i < set->nnames; i++)
		if (bytes_eq(set->names[i], name)) {
			*number = FACT_COUNT + (uint32_t)i;
			return true;
		}
	at = arena_grow(set->arena, at, &set->names_cap, set->nnames + 1, sizeof *at);
	if (!at)
		return false;
	set->names = at;
	set->names[set->nnames] = arena_copy(set->arena, name);
	*number = FACT_COUNT + (uint32_t)set->nnames++;
	return true;
}

static bool find_fact(struct scenarios *set, struct bytes name, uint32_t *number)
{
	enum fact fact = fact_find(name);

	if (fact < FACT_COUNT) {
		*number = fact;
		return true;
	}
	for (size_t i = 0; i < nelems(maps); i++)
		if (bytes_starts(name, bytes_of(maps[i])) && is_name(bytes_from(name, strlen(maps[i]))))
			return add_name(set, name, number);
	return false;
}

static bool find(const void *ctx, struct bytes path, bool call, uint32_t *number)
{
	for (size_t i = 0; i < nelems(specials); i++)
		if (specials[i].call == call && bytes_eq(path, bytes_of(specials[i].path))) {
			*number = specials[i].number;
			return true;
		}
	/* The set is being loaded: names may still be added. */
	return !call && bytes_starts(path, BYTES("evt.")) &&
	       find_fact((struct scenarios *)(uintptr_t)ctx, bytes_from(path, 4), number);
}

/* ---- objects: x["Meta"]["http_path"], and events of a queue ---- */

struct map_of {
	const struct facts *facts;
	const char *prefix;
};

static bool map_get(struct expr_run *run, const void *self, struct bytes member, struct expr_value *out)
{
	const struct map_of *m = self;
	char name[128];
	struct text t = text_over(name, sizeof name);

	text_str(&t, m->prefix);
	text_put(&t, member);
	(void)run;
	*out = (struct expr_value){ .kind = EXPR_TEXT };
	if (!t.full)
		out->text = facts_get(m->facts, text_bytes(&t));
	return true;
}

static bool no_call(struct expr_run *run, const void *self, struct bytes member, const struct expr_value *args, size_t n,
		    struct expr_value *out)
{
	(void)self, (void)member, (void)args, (void)n, (void)out;
	return expr_fail(run, "it has no such method");
}

static const struct expr_object map_object = { "map", map_get, no_call };

static bool map_value(struct expr_run *run, const struct facts *f, const char *prefix, struct expr_value *out)
{
	struct map_of *m = arena_get(run->arena, sizeof *m);

	if (!m)
		return expr_fail(run, "out of memory");
	*m = (struct map_of){ f, prefix };
	*out = (struct expr_value){ .kind = EXPR_OBJECT, .object = { &map_object, m } };
	return true;
}

static bool event_get(struct expr_run *run, const void *self, struct bytes member, struct expr_value *out)
{
	static const struct {
		const char *name, *prefix;
	} parts[] = { { "Meta", "Meta." }, { "Parsed", "Parsed." }, { "Enriched", "Enriched." }, { "Gate", "Gate." } };

	for (size_t i = 0; i < nelems(parts); i++)
		if (bytes_eq(member, bytes_of(parts[i].name)))
			return map_value(run, self, parts[i].prefix, out);
	return expr_fail(run, "an event has no such member");
}

static bool event_call(struct expr_run *run, const void *self, struct bytes member, const struct expr_value *args, size_t n,
		       struct expr_value *out)
{
	struct expr_value map = { 0 };

	if (!bytes_eq(member, BYTES("GetMeta")) || n != 1 || args[0].kind != EXPR_TEXT)
		return expr_fail(run, "an event has no such method");
	return map_value(run, self, "Meta.", &map) && map_get(run, map.object.self, args[0].text, out);
}

static const struct expr_object event_object = { "event", event_get, event_call };

/* ---- loading ---- */

/* Many conditions count, and few of them look at the events: those are unpacked for whoever does, under the bucket's lock. */
static bool unpack_queue(struct world_run *w)
{
	if (!w->queue && (w->queue = arena_get(w->arena, (w->nkept + 1) * sizeof *w->queue)))
		for (size_t i = 0; i < w->nkept; i++)
			evidence_unpack(w->arena, w->kept[i], &w->queue[i]);
	return w->queue;
}

static bool load_queue(struct expr_run *run, struct world_run *w, struct expr_value *out)
{
	struct expr_value *list = arena_get(run->arena, (w->nkept + 1) * sizeof *list);

	if (!list || !unpack_queue(w))
		return expr_fail(run, "out of memory");
	for (size_t i = 0; i < w->nkept; i++)
		list[i] = (struct expr_value){ .kind = EXPR_OBJECT, .object = { &event_object, &w->queue[i] } };
	*out = (struct expr_value){ .kind = EXPR_LIST, .list = { list, w->nkept } };
	return true;
}

static bool load(struct expr_run *run, uint32_t number, struct expr_value *out)
{
	struct world_run *w = run->ctx;

	if (number < SPECIAL) {
		out->kind = EXPR_TEXT; /* in place: this runs many times for each request */
		out->text = world_text(w->set, w->facts, number);
		if (number == FACT_HAS_OUT_OF_BAND)
			*out = (struct expr_value){ .kind = EXPR_BOOL, .truth = bytes_eq(out->text, BYTES("true")) };
		return true;
	}
	switch ((enum special)number) {
	case EVT:
		*out = (struct expr_value){ .kind = EXPR_OBJECT, .object = { &event_object, w->facts } };
		return true;
	case META: return map_value(run, w->facts, "Meta.", out);
	case PARSED: return map_value(run, w->facts, "Parsed.", out);
	case ENRICHED: return map_value(run, w->facts, "Enriched.", out);
	case GATE: return map_value(run, w->facts, "Gate.", out);
	case QUEUE: return load_queue(run, w, out);
	case LEAKY_COUNT:
		*out = (struct expr_value){ .kind = EXPR_INT, .number = w->count };
		return true;
	case OVERFLOW_SCENARIO:
		*out = (struct expr_value){ .kind = EXPR_TEXT, .text = facts_get(w->facts, BYTES("Overflow.scenario")) };
		return true;
	default: return expr_fail(run, "it is a method");
	}
}

/* ---- methods ---- */

static bool set_fact(struct expr_run *run, struct world_run *w, const char *prefix, const struct expr_value *args, size_t n,
		     struct expr_value *out)
{
	struct bytes name, at[2];
	char *room;

	if (n != 2 || args[0].kind != EXPR_TEXT || args[1].kind != EXPR_TEXT)
		return expr_fail(run, "it takes two texts");
	at[0] = bytes_of(prefix);
	at[1] = args[0].text;
	if (!(room = arena_raw(w->arena, at[0].len + at[1].len + 1)))
		return expr_fail(run, "out of memory");
	memcpy(room, at[0].at, at[0].len);
	memcpy(room + at[0].len, at[1].at, at[1].len);
	name = (struct bytes){ room, at[0].len + at[1].len };
	if (!facts_put(w->facts, w->arena, name, args[1].text))
		return expr_fail(run, "out of memory");
	*out = (struct expr_value){ .kind = EXPR_BOOL, .truth = true };
	return true;
}

static bool sources(struct expr_run *run, const struct world_run *w, struct expr_value *out)
{
	struct expr_value *list = arena_get(run->arena, (w->nsources + 1) * sizeof *list);

	if (!list)
		return expr_fail(run, "out of memory");
	for (size_t i = 0; i < w->nsources; i++)
		list[i] = (struct expr_value){ .kind = EXPR_TEXT, .text = w->sources[i] };
	*out = (struct expr_value){ .kind = EXPR_LIST, .list = { list, w->nsources } };
	return true;
}

static bool call(struct expr_run *run, uint32_t number, const struct expr_value *args, size_t n, struct expr_value *out)
{
	struct world_run *w = run->ctx;

	switch ((enum special)number) {
	case SET_META: return set_fact(run, w, "Meta.", args, n, out);
	case SET_PARSED: return set_fact(run, w, "Parsed.", args, n, out);
	case GET_META: return event_call(run, w->facts, BYTES("GetMeta"), args, n, out);
	case APPSEC_NAME:
		*out = (struct expr_value){ .kind = EXPR_TEXT, .text = w->facts->at[FACT_APPSEC_NAME] };
		return true;
	case GET_SCENARIO: return load(run, OVERFLOW_SCENARIO, out);
	case GET_SOURCES: return sources(run, w, out);
	default: return expr_fail(run, "it is no method");
	}
}

struct expr_world world_of(const struct scenarios *set)
{
	return (struct expr_world){ .find = find, .load = load, .call = call, .ctx = set, .data = set->data };
}

struct expr_run world_begin(struct world_run *w)
{
	return (struct expr_run){ .ctx = w, .arena = w->arena, .steps = EXPR_STEPS };
}

struct bytes world_text(const struct scenarios *set, const struct facts *f, uint32_t number)
{
	if (number < FACT_COUNT)
		return f->at[number];
	return number - FACT_COUNT < set->nnames ? facts_get(f, set->names[number - FACT_COUNT]) : (struct bytes){ 0 };
}

enum observe_point world_point(uint32_t number)
{
	return number < FACT_COUNT ? fact_point((enum fact)number) : AT_HEAD;
}
