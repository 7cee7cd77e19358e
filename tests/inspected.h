/* inspected.h -- rules from a text, a request from a text, the outcome as a text:
 *
 *   "allow"                       nothing matched
 *   "deny a b"                    and the ids of what matched, in file order
 *   "too long", "refused"         the body was not taken
 *   "... (error)"                 and the verdict's error behind it
 */
#ifndef TESTS_INSPECTED_H
#define TESTS_INSPECTED_H
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/http1.h"
#include "base/path.h"
#include "base/text.h"
#include "rules/rules.h"

/* NULL with an error, in which the file has this name; "*.conf" is SecLang. */
static inline struct ruleset *rules_of_file(const char *name, struct bytes text, const struct matcher_kind *kind, struct err *e)
{
	char dir[] = "/tmp/embergate-rules-XXXXXX", path[64];
	const char *files[] = { path };
	struct ruleset_options o = { .files = files, .nfiles = 1, .matcher = kind };
	struct ruleset *rs = NULL;
	FILE *f;

	if (!mkdtemp(dir))
		return NULL;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f) {
		fwrite(text.at, 1, text.len, f);
		fclose(f);
		rs = ruleset_load(&o, e);
	}
	unlink(path);
	rmdir(dir);
	return rs;
}

static inline struct ruleset *rules_of_text(struct bytes yaml, const struct matcher_kind *kind, struct err *e)
{
	return rules_of_file("rules.yaml", yaml, kind, e);
}

struct inspected {
	struct arena *arena; /* the caller frees it */
	struct bytes outcome;
	const struct verdict *verdict;
	uint64_t released;       /* after the last piece */
	uint64_t released_early; /* before it */
};

static inline const char *flow_word(enum body_flow flow)
{
	return flow == BODY_TOO_LONG ? "too long" : flow == BODY_REFUSED ? "refused" : NULL;
}

/* The body goes in as pieces of `cut` bytes; 0: as one. */
static inline enum body_flow inspect_pieces(struct inspection *in, struct bytes body, size_t cut, struct inspected *out)
{
	enum body_flow flow = BODY_GO;

	while (body.len && flow == BODY_GO) {
		size_t n = cut && cut < body.len ? cut : body.len;
		char *piece = malloc(n); /* freed at once: nobody may keep a pointer */

		memcpy(piece, body.at, n);
		out->released_early = out->released;
		flow = inspection_body(in, (struct bytes){ piece, n }, &out->released);
		free(piece);
		body = bytes_from(body, n);
	}
	return flow == BODY_GO ? inspection_end(in) : flow;
}

static inline void inspected_say(struct inspected *out, enum body_flow flow)
{
	size_t cap = 4096;
	struct text t = text_over(arena_raw(out->arena, cap), cap);
	const struct verdict *v = out->verdict;

	text_str(&t, flow_word(flow) && v->remedy != REMEDY_DENY ? flow_word(flow) : remedy_word(v->remedy));
	for (size_t i = 0; i < v->nhits; i++) {
		text_byte(&t, ' ');
		text_str(&t, v->hits[i].rule->id);
	}
	if (v->error.len) {
		text_str(&t, " (");
		text_put(&t, v->error);
		text_str(&t, ")");
	}
	out->outcome = text_bytes(&t);
}

/* `raw`: a head, and its body; decoded, if it is chunked. */
static inline struct inspected inspect_text(const struct ruleset *rs, struct rules_scratch *scratch, struct bytes raw,
					    size_t cut, const struct inspect_options *options)
{
	static const struct http1_limits limits = { 64 << 10, 64 << 10, 100 };
	static const struct inspect_options usual = { .window = 256 << 10 };
	struct inspected out = { .arena = arena_new(64 << 20) };
	struct request *r = arena_get(out.arena, sizeof *r);
	struct bytes *readings = arena_get(out.arena, PATH_READINGS_MAX * sizeof *readings);
	size_t blank = bytes_find(raw, BYTES("\r\n\r\n")), head = blank == SIZE_MAX ? raw.len : blank + 4;
	struct bytes body = bytes_from(raw, head);
	enum body_flow flow = BODY_GO;
	struct inspection *in;
	struct err e = { 0 };

	http1_parse_request(out.arena, bytes_sub(raw, 0, head), &limits, r, &e);
	r->nreadings = r->path.at ? path_readings(out.arena, r->path, readings) : 0;
	r->readings = readings;
	in = inspection_new(out.arena, rs, scratch, r, options ? options : &usual);
	out.verdict = inspection_head(in);
	if (r->framing == BODY_LENGTH && r->length < body.len)
		body.len = (size_t)r->length;
	if (out.verdict->remedy != REMEDY_DENY && r->framing != BODY_NONE)
		flow = inspect_pieces(in, body, cut, &out);
	inspection_finish(in);
	inspected_say(&out, flow);
	return out;
}
#endif
