/* propose.c -- the smallest exception: these rules, on what they matched on, at this path.
 *
 * Rules that sum up what others found are never named. What several rules matched on
 * alike is one line: `{path: "/comment", rules: [942100, 941160], args: ["body"]}`. */
#include "admin/propose.h"
#include "base/path.h"

enum key { WHOLE, ARGS, COOKIES, HEADERS, PARTS }; /* WHOLE: nothing but the rule itself */

static const char *const keys[] = { [ARGS] = "args", [COOKIES] = "cookies", [HEADERS] = "headers", [PARTS] = "parts" };

/* What a variable of SecLang or a zone of AppSec is in an exception. */
static const struct {
	const char *variable;
	enum key key;
	const char *part; /* of PARTS */
} variables[] = {
	{ "ARGS", ARGS, NULL },              { "ARGS_GET", ARGS, NULL },
	{ "ARGS_GET_NAMES", ARGS, NULL },    { "ARGS_NAMES", ARGS, NULL },
	{ "ARGS_POST", ARGS, NULL },         { "ARGS_POST_NAMES", ARGS, NULL },
	{ "BODY_ARGS", ARGS, NULL },         { "BODY_ARGS_NAMES", ARGS, NULL },
	{ "COOKIES", COOKIES, NULL },        { "COOKIES_NAMES", COOKIES, NULL },
	{ "REQUEST_COOKIES", COOKIES, NULL }, { "REQUEST_COOKIES_NAMES", COOKIES, NULL },
	{ "HEADERS", HEADERS, NULL },        { "HEADERS_NAMES", HEADERS, NULL },
	{ "REQUEST_HEADERS", HEADERS, NULL }, { "REQUEST_HEADERS_NAMES", HEADERS, NULL },
	{ "FILES", PARTS, "files" },         { "FILES_NAMES", PARTS, "files" },
	{ "MULTIPART_PART_HEADERS", PARTS, "files" },
	{ "URI", PARTS, "path" },            { "REQUEST_FILENAME", PARTS, "path" },
	{ "REQUEST_BASENAME", PARTS, "path" }, { "PATH_INFO", PARTS, "path" },
	{ "QUERY_STRING", PARTS, "query" },
	{ "RAW_BODY", PARTS, "body" },       { "REQUEST_BODY", PARTS, "body" },
	{ "XML", PARTS, "body" },            { "RESPONSE_BODY", PARTS, "answer" },
	{ "RESPONSE_HEADERS", PARTS, "answer" }, { "RESPONSE_STATUS", PARTS, "answer" },
};

struct target {
	enum key key;
	struct bytes name;
	uint64_t rules; /* bits: the first hit of each rule */
	bool done;
};
_Static_assert(RECORD_HITS <= 64, "a bit for each hit");

struct proposal {
	const struct record *record;
	struct target targets[RECORD_HITS];
	size_t n;
	uint64_t whole; /* rules that are taken out as they are */
};

/* CRS rules that set up, count up or report, and others that look at nothing but the score. */
static bool is_evaluation(const struct record_hit *h)
{
	static const uint64_t families[] = { 901, 949, 959, 980 };
	uint64_t id;

	for (size_t i = 0; bytes_u64(h->rule, &id) && i < nelems(families); i++)
		if (id / 1000 == families[i])
			return true;
	return !h->score && (bytes_starts(h->variable, BYTES("TX:")) || bytes_starts(h->variable, BYTES("&TX")));
}

static size_t first_of_rule(const struct record *r, size_t hit)
{
	for (size_t i = 0; i < hit; i++)
		if (bytes_eq(r->hits[i].rule, r->hits[hit].rule))
			return i;
	return hit;
}

static struct target target_of(const struct record_hit *h)
{
	struct bytes name = h->variable, word = { 0 };

	bytes_cut(&name, ':', &word);
	for (size_t i = 0; i < nelems(variables); i++) {
		if (!bytes_eq(word, bytes_of(variables[i].variable)))
			continue;
		if (variables[i].part)
			name = bytes_of(variables[i].part);
		return (struct target){ .key = name.len ? variables[i].key : WHOLE, .name = name };
	}
	return (struct target){ .key = WHOLE };
}

static bool same(const struct target *a, const struct target *b)
{
	return a->key == b->key && (a->key == HEADERS ? bytes_eq_nocase : bytes_eq)(a->name, b->name);
}

static void add(struct proposal *p, struct target t, size_t rule)
{
	uint64_t bit = (uint64_t)1 << rule;

	if (t.key == WHOLE) {
		p->whole |= bit;
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		if (same(&p->targets[i], &t)) {
			p->targets[i].rules |= bit;
			return;
		}
	t.rules = bit;
	p->targets[p->n++] = t;
}

static void gather(struct proposal *p)
{
	for (size_t i = 0; i < p->record->nhits; i++)
		if (!is_evaluation(&p->record->hits[i]))
			add(p, target_of(&p->record->hits[i]), first_of_rule(p->record, i));
	for (size_t i = 0; i < p->n; i++) {
		p->targets[i].rules &= ~p->whole;
		p->targets[i].done = !p->targets[i].rules;
	}
}

/* As an exception reads it: decoded. */
static void put_path(struct text *t, struct bytes path)
{
	struct arena *a = arena_new(256 << 10);
	struct bytes readings[PATH_READINGS_MAX];

	text_json(t, a && path_readings(a, path, readings) ? readings[0] : path);
	arena_free(a);
}

/* An id is a number, or a word that YAML takes as it is. */
static void put_rules(struct text *t, const struct record *r, uint64_t rules)
{
	text_str(t, ", rules: [");
	for (bool more = false; rules; rules &= rules - 1, more = true) {
		if (more)
			text_str(t, ", ");
		text_plain(t, r->hits[__builtin_ctzll(rules)].rule);
	}
	text_byte(t, ']');
}

static void begin_line(struct text *t, const struct record *r, uint64_t rules)
{
	text_str(t, "      - {path: ");
	put_path(t, r->path);
	put_rules(t, r, rules);
}

static void end_line(struct text *t)
{
	text_str(t, ", reason: \"...\"}\n");
}

static void put_key(struct text *t, struct proposal *p, uint64_t rules, enum key key)
{
	bool any = false;

	for (size_t i = 0; i < p->n; i++) {
		struct target *at = &p->targets[i];

		if (at->done || at->key != key || at->rules != rules)
			continue;
		text_printf(t, any ? ", " : ", %s: [", keys[key]);
		text_json(t, at->name);
		at->done = any = true;
	}
	if (any)
		text_byte(t, ']');
}

void propose_exceptions(struct text *t, const struct record *r)
{
	struct proposal p = { .record = r };

	gather(&p);
	if (!p.n && !p.whole)
		return;
	text_str(t, "  if this is legitimate, in the configuration under apps.");
	text_plain(t, r->app);
	text_str(t, ":\n    exceptions:\n");
	if (p.whole) {
		begin_line(t, r, p.whole);
		end_line(t);
	}
	for (size_t i = 0; i < p.n; i++) {
		uint64_t rules = p.targets[i].rules;

		if (p.targets[i].done)
			continue;
		begin_line(t, r, rules);
		for (enum key k = ARGS; k <= PARTS; k++)
			put_key(t, &p, rules, k);
		end_line(t);
	}
	if (r->more_hits)
		text_str(t, "      # not all rules that matched are shown: with these exceptions in place, look again\n");
}
