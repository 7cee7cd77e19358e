/* reading.c -- from parsers to zones. */
#include "rules/reading.h"
#include "base/text.h"
#include "rules/body/multipart.h"
#include "rules/run.h"

/* One parser at work. */
struct reader {
	const struct body_parser *parser;
	struct body *body;
	bool by_chance; /* its faults do not count */
};

struct reading {
	struct inspection *in;
	struct content_type type;
	struct reader readers[2];
	size_t n;
	uint64_t file_bytes;
	bool streams, cut;
	bool blank; /* white space so far: what follows may be anything */
};

static bool add(struct reading *r, enum zone zone, struct bytes name, struct bytes text)
{
	struct values *v = &r->in->values;

	return values_add(v, zone, name, text) && values_add(v, zone + 1, name, name);
}

static bool on_value(void *owner, const struct body_value *v)
{
	struct reading *r = owner;
	const struct exclusions *x = &r->in->values.exclusions;

	if (x->named[EXCLUDED_ARG] && v->kind != VALUE_FILE_NAME && v->kind != VALUE_FILE_LOOK && exclusions_name(x, EXCLUDED_ARG, v->name))
		return r->cut = true;
	switch (v->kind) {
	case VALUE_ARG:
		return add(r, ZONE_BODY_ARGS, v->name, v->value);
	case VALUE_XML_ATTRIBUTE:
		return add(r, ZONE_XML_ARGS, v->name, v->value) &&
		       values_add(&r->in->values, ZONE_XML_ATTRIBUTES, v->name, v->value);
	case VALUE_XML_TEXT:
		return add(r, ZONE_XML_ARGS, v->name, v->value);
	case VALUE_XML_ALL:
		return r->cut || values_add(&r->in->values, ZONE_XML_TEXT, (struct bytes){ 0 }, v->value);
	case VALUE_PART_HEADER:
		return values_add(&r->in->values, ZONE_PART_HEADERS, v->name, v->value);
	case VALUE_FILE_NAME:
		return add(r, ZONE_FILES, v->name, v->value);
	case VALUE_FILE_LOOK:
		return !r->streams || values_add(&r->in->values, ZONE_RAW_BODY, v->name, v->value);
	}
	return true;
}

static bool on_file(void *owner, const struct body_file *f)
{
	struct reading *r = owner;

	struct text t;

	if (f->again)
		return true;
	r->file_bytes += f->size;
	if (!values_want(&r->in->values, ZONE_FILES_SIZES))
		return true;
	t = text_over(arena_raw(r->in->arena, 20), 20);
	if (t.at)
		text_u64(&t, f->size);
	r->in->values.spent |= !t.at;
	return t.at && values_add(&r->in->values, ZONE_FILES_SIZES, f->name, text_bytes(&t));
}

static const struct body_sink sink = { on_value, on_file };

/* 0: the parser's own bound, which no rule raises. */
static size_t depth_max(const struct reading *r, const struct body_parser *p)
{
	size_t max = r->in->options.max_depth, said = p == &body_json ? r->in->rules->ir->bodies.json_depth : 0;

	return said && said < (max ? max : BODY_DEPTH) ? said : max;
}

static struct body_setup setup_of(struct reading *r, const struct body_parser *p)
{
	const struct inspect_options *o = &r->in->options;
	size_t mib = 1 << 20;

	return (struct body_setup){
		.limits = {
			.args = r->in->values.args_max,
			.depth = depth_max(r, p),
			.value_bytes = o->window > mib ? o->window : mib,
			.total_bytes = o->window > mib ? 8 * o->window : 8 * mib,
		},
		.sink = &sink,
		.owner = r,
		.type = &r->type,
		.arrays = r->in->run ? JSON_ARRAYS_WORD : JSON_ARRAYS_INDEX,
	};
}

static bool add_reader(struct reading *r, const struct body_parser *p, bool by_chance)
{
	struct body_setup setup;
	struct body *b;

	if (!p)
		return true;
	setup = setup_of(r, p);
	b = body_new(r->in->arena, p, &setup);
	if (!b)
		return false;
	r->readers[r->n++] = (struct reader){ p, b, by_chance };
	return true;
}

/* What the client itself calls neither text nor a form. */
static bool is_binary(const struct content_type *t)
{
	return t->media.len && !bytes_starts(t->media, BYTES("text/")) && !body_parser_of(t);
}

/* A boundary may look like a name and '='; nobody reads multipart as a form. */
static const struct body_parser *second_of(const struct body_parser *declared, struct bytes head)
{
	const struct body_parser *looks = body_parser_by_looks(head);

	if (looks == declared || (declared == &body_multipart && looks == &body_urlencoded))
		return NULL;
	return looks;
}

static bool looks_like(const struct body_parser *declared, struct bytes head)
{
	if (declared == &body_multipart)
		return bytes_starts(head, BYTES("--")) || bytes_starts(head, BYTES("\r\n--"));
	return declared == body_parser_by_looks(head);
}

static bool is_blank(struct bytes head)
{
	for (size_t i = 0; i < head.len; i++)
		if (!strchr(" \t\r\n", head.at[i]) || !head.at[i])
			return false;
	return head.len > 0;
}

/* "json" -> "JSON", as SecLang's REQBODY_PROCESSOR has it. */
static struct bytes upper(struct inspection *in, const char *word)
{
	struct bytes name = arena_copy(in->arena, bytes_of(word));

	for (size_t i = 0; name.at && i < name.len; i++)
		((char *)name.at)[i] = (char)(name.at[i] & ~0x20);
	in->values.spent |= !name.at;
	return name;
}

/* What a rule chose (SecLang's requestBodyProcessor), else what the Content-Type says. */
static const struct body_parser *declared_by(struct inspection *in, const struct content_type *t)
{
	static const struct body_parser *const all[] = { &body_urlencoded, &body_multipart, &body_json, &body_xml };

	for (size_t i = 0; in->run && in->run->processor.len && i < nelems(all); i++)
		if (bytes_eq_nocase(in->run->processor, bytes_of(body_parser_name(all[i]))))
			return all[i];
	return body_parser_of(t);
}

struct reading *reading_new(struct inspection *in, struct bytes head, bool packed)
{
	struct reading *r = arena_get(in->arena, sizeof *r);
	const struct body_parser *declared;

	if (!r || !content_type_parse(in->arena, fields_value(&in->request->fields, FIELD_CONTENT_TYPE), &r->type))
		return NULL;
	r->in = in;
	r->blank = is_blank(head) && !is_binary(&r->type);
	declared = declared_by(in, &r->type);
	if (!add_reader(r, declared, packed && !looks_like(declared, head)) ||
	    !add_reader(r, second_of(declared, head), is_binary(&r->type)))
		return NULL;
	return r;
}

bool reading_is_declared(struct inspection *in)
{
	struct content_type t;
	const struct body_parser *p;

	if (!content_type_parse(in->arena, fields_value(&in->request->fields, FIELD_CONTENT_TYPE), &t))
		return false; /* the arena is spent, which the reading will find */
	p = declared_by(in, &t);
	return p && p != &body_multipart;
}

struct bytes reading_processor(struct inspection *in)
{
	struct content_type t;
	const struct body_parser *p;

	if (!content_type_parse(in->arena, fields_value(&in->request->fields, FIELD_CONTENT_TYPE), &t))
		return (struct bytes){ 0 };
	p = declared_by(in, &t);
	return p ? upper(in, body_parser_name(p)) : BYTES("");
}

bool reading_is_text(const struct reading *r)
{
	return r->n && (r->readers[0].parser == &body_urlencoded || r->readers[0].parser == &body_json);
}

uint64_t reading_file_bytes(const struct reading *r)
{
	return r ? r->file_bytes : 0;
}

unsigned reading_anomalies(const struct reading *r)
{
	unsigned all = 0;

	for (size_t i = 0; r && i < r->n; i++)
		all |= body_anomalies(r->readers[i].body);
	return all;
}

bool reading_is_structured(const struct reading *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->readers[i].by_chance)
			return true;
	return r->blank;
}

bool reading_can_stream(const struct reading *r)
{
	return r->n == 1 && r->readers[0].parser == &body_multipart && !r->blank;
}

void reading_push(struct reading *r, struct bytes piece)
{
	for (size_t i = 0; i < r->n; i++)
		body_push(r->readers[i].body, piece);
}

static void add_type(struct reading *r, const struct body_parser *p)
{
	values_add(&r->in->values, ZONE_BODY_TYPE, (struct bytes){ 0 }, upper(r->in, body_parser_name(p)));
}

static void add_file_bytes(struct reading *r)
{
	struct text t = text_over(arena_raw(r->in->arena, 20), 20);

	if (t.at)
		text_u64(&t, r->file_bytes);
	r->in->values.spent |= !t.at;
	values_add(&r->in->values, ZONE_FILES_TOTAL_SIZE, (struct bytes){ 0 }, text_bytes(&t));
}

void reading_end(struct reading *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (body_end(r->readers[i].body) == FAULT_NONE)
			add_type(r, r->readers[i].parser);
		if (r->readers[i].parser == &body_multipart)
			add_file_bytes(r);
	}
}

uint64_t reading_settled(const struct reading *r)
{
	return body_settled(r->readers[0].body);
}

void reading_streams(struct reading *r)
{
	r->streams = true;
}

static enum reading_outcome outcome_of(enum body_fault f)
{
	switch (f) {
	case FAULT_NONE: return READING_FINE;
	case FAULT_MALFORMED: return READING_MALFORMED;
	case FAULT_VALUE:
	case FAULT_TOTAL: return READING_TOO_LONG;
	default: return READING_REFUSED;
	}
}

static enum reading_outcome evasive(struct reading *r, unsigned anomalies, struct bytes *why)
{
	unsigned bit = anomalies & MULTIPART_EVASIVE;
	struct text t = text_over(arena_raw(r->in->arena, 64), 64);

	if (!bit)
		return READING_FINE;
	bit &= -bit; /* one of them is enough to say */
	if (t.at)
		text_printf(&t, "multipart: %s", multipart_anomaly_name((enum multipart_anomaly)bit));
	*why = text_bytes(&t);
	return READING_REFUSED;
}

/* The worst of the readings. That one of two could not make sense of the body
 * is no fault of it when the other could. */
enum reading_outcome reading_outcome(struct reading *r, struct bytes *why)
{
	enum reading_outcome worst = READING_FINE;
	size_t fine = 0;

	if (r->type.flags & TYPE_CHARSET_WIDE && reading_is_structured(r)) {
		*why = BYTES("a character set in which rules would see nothing (UTF-7, UTF-16 or the like)");
		return READING_REFUSED;
	}
	for (size_t i = 0; i < r->n; i++) {
		struct body *b = r->readers[i].body;
		enum reading_outcome o = outcome_of(body_fault(b));
		struct bytes said = o == READING_FINE ? (struct bytes){ 0 } : body_complaint(b);

		fine += o == READING_FINE;
		if (o == READING_FINE)
			o = evasive(r, body_anomalies(b), &said);
		if (r->readers[i].by_chance || o <= worst)
			continue;
		worst = o;
		*why = said;
	}
	return worst == READING_MALFORMED && fine ? READING_FINE : worst;
}

enum body_kind reading_kind(const struct reading *r)
{
	const struct body_parser *p = r->n ? r->readers[0].parser : NULL;

	return p == &body_urlencoded  ? BODY_URLENCODED
	       : p == &body_multipart ? BODY_MULTIPART
	       : p == &body_json      ? BODY_JSON
	       : p == &body_xml       ? BODY_XML
				      : BODY_OPAQUE;
}

bool reading_was_cut(const struct reading *r)
{
	return r->cut;
}
