/* propose.c -- the smallest exception: these rules, on what they matched on, at this path.
 *
 * Rules that sum up what others found are never named. What several rules matched on
 * alike is one line: `{path: "/comment", rules: [942100, 941160], args: ["body"]}`. */
#include "admin/propose.h"
#include "base/path.h"

enum { ARENA = 256 << 10 };

static const char *const keys[] = { [PROPOSE_ARGS] = "args", [PROPOSE_COOKIES] = "cookies", [PROPOSE_HEADERS] = "headers",
				    [PROPOSE_PARTS] = "parts" };
/* By enum exclusion_key. */
static const char *const exclusion_keys[] = {
	[EXCLUDE_SKIP] = "skip", [EXCLUDE_RULES] = "rules", [EXCLUDE_CATEGORIES] = "categories", [EXCLUDE_TAGS] = "tags",
	[EXCLUDE_ARGS] = "args", [EXCLUDE_COOKIES] = "cookies", [EXCLUDE_HEADERS] = "headers",
};
/* By enum exclusion_part. */
static const char *const parts[] = {
	[EXCLUDE_BODY] = "body", [EXCLUDE_ALL_ARGS] = "args", [EXCLUDE_ALL_COOKIES] = "cookies", [EXCLUDE_ALL_HEADERS] = "headers",
	[EXCLUDE_FILES] = "files", [EXCLUDE_PATH] = "path", [EXCLUDE_QUERY] = "query", [EXCLUDE_ANSWER] = "answer",
};

/* What a variable of SecLang or a zone of AppSec is in an exception. */
static const struct {
	const char *variable;
	enum propose_key key;
	enum exclusion_part part; /* of PROPOSE_PARTS */
} variables[] = {
	{ "ARGS", PROPOSE_ARGS, 0 },              { "ARGS_GET", PROPOSE_ARGS, 0 },
	{ "ARGS_GET_NAMES", PROPOSE_ARGS, 0 },    { "ARGS_NAMES", PROPOSE_ARGS, 0 },
	{ "ARGS_POST", PROPOSE_ARGS, 0 },         { "ARGS_POST_NAMES", PROPOSE_ARGS, 0 },
	{ "BODY_ARGS", PROPOSE_ARGS, 0 },         { "BODY_ARGS_NAMES", PROPOSE_ARGS, 0 },
	{ "COOKIES", PROPOSE_COOKIES, 0 },        { "COOKIES_NAMES", PROPOSE_COOKIES, 0 },
	{ "REQUEST_COOKIES", PROPOSE_COOKIES, 0 }, { "REQUEST_COOKIES_NAMES", PROPOSE_COOKIES, 0 },
	{ "HEADERS", PROPOSE_HEADERS, 0 },        { "HEADERS_NAMES", PROPOSE_HEADERS, 0 },
	{ "REQUEST_HEADERS", PROPOSE_HEADERS, 0 }, { "REQUEST_HEADERS_NAMES", PROPOSE_HEADERS, 0 },
	{ "FILES", PROPOSE_PARTS, EXCLUDE_FILES },         { "FILES_NAMES", PROPOSE_PARTS, EXCLUDE_FILES },
	{ "MULTIPART_PART_HEADERS", PROPOSE_PARTS, EXCLUDE_FILES },
	{ "URI", PROPOSE_PARTS, EXCLUDE_PATH },            { "REQUEST_FILENAME", PROPOSE_PARTS, EXCLUDE_PATH },
	{ "REQUEST_BASENAME", PROPOSE_PARTS, EXCLUDE_PATH }, { "PATH_INFO", PROPOSE_PARTS, EXCLUDE_PATH },
	{ "QUERY_STRING", PROPOSE_PARTS, EXCLUDE_QUERY },
	{ "RAW_BODY", PROPOSE_PARTS, EXCLUDE_BODY },       { "REQUEST_BODY", PROPOSE_PARTS, EXCLUDE_BODY },
	{ "XML", PROPOSE_PARTS, EXCLUDE_BODY },            { "RESPONSE_BODY", PROPOSE_PARTS, EXCLUDE_ANSWER },
	{ "RESPONSE_HEADERS", PROPOSE_PARTS, EXCLUDE_ANSWER }, { "RESPONSE_STATUS", PROPOSE_PARTS, EXCLUDE_ANSWER },
};

struct target {
	struct propose_target at;
	uint64_t rules; /* bits: the first hit of each rule */
	bool done;
};
_Static_assert(RECORD_HITS <= 64, "a bit for each hit");

struct proposal {
	const struct record_hit *hits;
	struct target targets[RECORD_HITS];
	size_t nhits, n;
	uint64_t whole; /* rules that are taken out as they are */
};

/* CRS rules that set up, count up or report, and others that look at nothing but the score. */
bool propose_counts(const struct record_hit *h)
{
	static const uint64_t families[] = { 901, 949, 959, 980 };
	uint64_t id;

	for (size_t i = 0; bytes_u64(h->rule, &id) && i < nelems(families); i++)
		if (id / 1000 == families[i])
			return false;
	return h->score || !(bytes_starts(h->variable, BYTES("TX:")) || bytes_starts(h->variable, BYTES("&TX")));
}

struct propose_target propose_target(struct bytes variable)
{
	struct bytes name = variable, word = { 0 };

	bytes_cut(&name, ':', &word);
	for (size_t i = 0; i < nelems(variables); i++) {
		if (!bytes_eq(word, bytes_of(variables[i].variable)))
			continue;
		if (variables[i].key == PROPOSE_PARTS)
			name = bytes_of(parts[variables[i].part]);
		return (struct propose_target){ name.len ? variables[i].key : PROPOSE_WHOLE, name, variables[i].part };
	}
	return (struct propose_target){ .key = PROPOSE_WHOLE };
}

bool propose_same(const struct propose_target *a, const struct propose_target *b)
{
	return a->key == b->key && (a->key == PROPOSE_HEADERS ? bytes_eq_nocase : bytes_eq)(a->name, b->name);
}

const char *propose_key_word(enum propose_key key)
{
	return key == PROPOSE_WHOLE ? "" : keys[key];
}

const char *propose_word(enum exclusion_key key)
{
	return exclusion_keys[key];
}

const char *propose_part_word(enum exclusion_part part)
{
	return parts[part];
}

static size_t first_of_rule(const struct proposal *p, size_t hit)
{
	for (size_t i = 0; i < hit; i++)
		if (bytes_eq(p->hits[i].rule, p->hits[hit].rule))
			return i;
	return hit;
}

static void add(struct proposal *p, struct propose_target at, size_t rule)
{
	uint64_t bit = (uint64_t)1 << rule;

	if (at.key == PROPOSE_WHOLE) {
		p->whole |= bit;
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		if (propose_same(&p->targets[i].at, &at)) {
			p->targets[i].rules |= bit;
			return;
		}
	p->targets[p->n++] = (struct target){ .at = at, .rules = bit };
}

static void gather(struct proposal *p)
{
	for (size_t i = 0; i < p->nhits; i++)
		if (propose_counts(&p->hits[i]))
			add(p, propose_target(p->hits[i].variable), first_of_rule(p, i));
	for (size_t i = 0; i < p->n; i++) {
		p->targets[i].rules &= ~p->whole;
		p->targets[i].done = !p->targets[i].rules;
	}
}

/* ---- as exceptions ---- */

static struct exclusion_words words_new(struct arena *a, size_t n)
{
	return (struct exclusion_words){ arena_get(a, (n + 1) * sizeof(struct bytes)), 0 };
}

static void add_word(struct exclusion_words *w, struct bytes word)
{
	if (w->at)
		((struct bytes *)(uintptr_t)w->at)[w->n++] = word;
}

static void set_rules(struct arena *a, const struct proposal *p, uint64_t rules, struct replay_exception *out)
{
	struct exclusion_words *w = &out->what.words[EXCLUDE_RULES];

	*w = words_new(a, p->nhits);
	for (; rules; rules &= rules - 1)
		add_word(w, p->hits[__builtin_ctzll(rules)].rule);
}

/* All targets of the same rules. */
static void set_targets(struct arena *a, struct proposal *p, uint64_t rules, struct replay_exception *out)
{
	static const enum exclusion_key key_of[] = { [PROPOSE_ARGS] = EXCLUDE_ARGS, [PROPOSE_COOKIES] = EXCLUDE_COOKIES,
						     [PROPOSE_HEADERS] = EXCLUDE_HEADERS };

	for (size_t k = PROPOSE_ARGS; k < PROPOSE_PARTS; k++)
		out->what.words[key_of[k]] = words_new(a, p->n);
	for (size_t i = 0; i < p->n; i++) {
		struct target *t = &p->targets[i];

		if (t->done || t->rules != rules)
			continue;
		t->done = true;
		if (t->at.key == PROPOSE_PARTS)
			out->what.parts |= 1u << t->at.part;
		else
			add_word(&out->what.words[key_of[t->at.key]], t->at.name);
	}
}

size_t propose(struct arena *a, struct bytes path, const struct record_hit *hits, size_t n, const struct replay_exception **out)
{
	struct proposal p = { .hits = hits, .nhits = n < RECORD_HITS ? n : RECORD_HITS };
	struct replay_exception *at = arena_get(a, (RECORD_HITS + 1) * sizeof *at);
	size_t found = 0;

	*out = at;
	gather(&p);
	if (at && p.whole) {
		at[found].path = path;
		set_rules(a, &p, p.whole, &at[found++]);
	}
	for (size_t i = 0; at && i < p.n; i++) {
		uint64_t rules = p.targets[i].rules;

		if (p.targets[i].done)
			continue;
		at[found].path = path;
		set_rules(a, &p, rules, &at[found]);
		set_targets(a, &p, rules, &at[found++]);
	}
	return found;
}

/* ---- as JSON ---- */

static void list_words(struct json_out *o, const char *key, const struct exclusion_words *w)
{
	if (!w->n)
		return;
	out_list(o, key);
	for (size_t i = 0; i < w->n; i++)
		out_text(o, NULL, w->at[i]);
	out_end(o);
}

static void list_parts(struct json_out *o, uint32_t bits)
{
	if (!bits)
		return;
	out_list(o, "parts");
	for (; bits; bits &= bits - 1)
		out_str(o, NULL, parts[__builtin_ctz(bits)]);
	out_end(o);
}

void propose_json(struct json_out *o, const char *key, const struct replay_exception *x)
{
	out_object(o, key);
	if (x->path.at)
		out_text(o, "path", x->path);
	list_words(o, "methods", &x->methods);
	for (size_t i = 0; i < EXCLUDE_KEYS; i++)
		list_words(o, exclusion_keys[i], &x->what.words[i]);
	list_parts(o, x->what.parts);
	out_end(o);
}

/* ---- as YAML ---- */

/* An id is a number, or a word that YAML takes as it is. */
static void put_rules(struct text *t, const struct exclusion_words *w)
{
	text_str(t, ", rules: [");
	for (size_t i = 0; i < w->n; i++) {
		text_str(t, i ? ", " : "");
		text_plain(t, w->at[i]);
	}
	text_byte(t, ']');
}

static void put_words(struct text *t, const char *key, const struct exclusion_words *w)
{
	if (!w->n)
		return;
	text_printf(t, ", %s: [", key);
	for (size_t i = 0; i < w->n; i++) {
		text_str(t, i ? ", " : "");
		text_json(t, w->at[i]);
	}
	text_byte(t, ']');
}

static void put_parts(struct text *t, uint32_t bits)
{
	if (!bits)
		return;
	text_str(t, ", parts: [");
	for (bool more = false; bits; bits &= bits - 1, more = true) {
		text_str(t, more ? ", " : "");
		text_json(t, bytes_of(parts[__builtin_ctz(bits)]));
	}
	text_byte(t, ']');
}

void propose_yaml(struct text *t, const struct replay_exception *x)
{
	text_str(t, "{path: ");
	text_json(t, x->path);
	put_rules(t, &x->what.words[EXCLUDE_RULES]);
	put_words(t, "args", &x->what.words[EXCLUDE_ARGS]);
	put_words(t, "cookies", &x->what.words[EXCLUDE_COOKIES]);
	put_words(t, "headers", &x->what.words[EXCLUDE_HEADERS]);
	put_parts(t, x->what.parts);
	text_str(t, ", reason: \"...\"}");
}

struct bytes propose_path(struct arena *a, struct bytes path)
{
	struct bytes *readings = arena_get(a, PATH_READINGS_MAX * sizeof *readings);

	return readings && path_readings(a, path, readings) ? readings[0] : path;
}

void propose_list(struct json_out *o, const char *key, const struct record *r)
{
	struct arena *a = arena_new(ARENA);
	const struct replay_exception *at;
	size_t n = a ? propose(a, propose_path(a, r->path), r->hits, r->nhits, &at) : 0;

	out_list(o, key);
	for (size_t i = 0; i < n; i++)
		propose_json(o, NULL, &at[i]);
	out_end(o);
	arena_free(a);
}

void propose_exceptions(struct text *t, const struct record *r)
{
	struct arena *a = arena_new(ARENA);
	const struct replay_exception *at;
	size_t n = a ? propose(a, propose_path(a, r->path), r->hits, r->nhits, &at) : 0;

	if (n) {
		text_str(t, "  if this is legitimate, in the configuration under apps.");
		text_plain(t, r->app);
		text_str(t, ":\n    exceptions:\n");
	}
	for (size_t i = 0; i < n; i++) {
		text_str(t, "      - ");
		propose_yaml(t, &at[i]);
		text_byte(t, '\n');
	}
	if (n && r->more_hits)
		text_str(t, "      # not all rules that matched are shown: with these exceptions in place, look again\n");
	arena_free(a);
}
