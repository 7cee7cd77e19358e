/* inspect -- requests in, verdicts out: rules without a gate around them.
 *
 *   inspect [-a] [-u] [-s NAME=VALUE] [-p hs|words|plain|none] [-w WINDOW] RULES... < requests
 *
 * A request is "REQ <bytes>\n", its bytes and "\n"; for each one JSON line:
 *
 *   {"remedy":"deny","status":403,"hits":["id"],"variables":["ARGS:q"],"error":""}
 *
 * -p none: nothing is looked for beforehand, so every rule is asked about every
 * value: what gates, words and memo leave out must not be missed.
 * -u: nothing of SecLang's rules is worked out before requests come (rules/fold.h).
 * -s: a variable of TX that rules cannot change, as an app's paranoia and threshold are.
 * -a: a body is inspected even if the head was denied already.
 * "refused" in place of a remedy: no rule spoke, but the request is not one
 * that passes (400 and 413 in "status"). */
#include "base/http1.h"
#include "base/path.h"
#include "rules/rules.h"
#include "tests/matcher_none.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_MAX = 64 << 10, ARENA_CAP = 64 << 20, WINDOW = 256 << 10, LINE = 64 << 10, PINNED_MAX = 8 };

/* NULL: there is none of that name. */
static const struct matcher_kind *matcher_named(const char *name)
{
	static const struct {
		const char *name;
		const struct matcher_kind *kind;
	} kinds[] = { { "hs", &matcher_hs }, { "words", &matcher_words }, { "plain", &matcher_plain }, { "none", &matcher_none } };

	for (size_t i = 0; i < nelems(kinds); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].kind;
	return NULL;
}

struct tool {
	struct ruleset *rules;
	struct rules_scratch *scratch;
	size_t window;
	bool all;
};

struct outcome {
	struct bytes error;
	unsigned status;
	const struct verdict *verdict;
};

static void print(const struct outcome *o)
{
	static char room[LINE];
	struct text t = text_over(room, sizeof room);
	const struct verdict *v = o->verdict;
	bool refused = o->status && !(v && v->remedy == REMEDY_DENY);

	text_printf(&t, "{\"remedy\":\"%s\",\"status\":%u,\"hits\":[", refused ? "refused" : v ? remedy_word(v->remedy) : "allow",
		    refused ? o->status : v ? v->status : 200);
	for (size_t i = 0; v && i < v->nhits; i++) {
		text_str(&t, i ? "," : "");
		text_json(&t, bytes_of(v->hits[i].rule->id));
	}
	text_str(&t, "],\"variables\":[");
	for (size_t i = 0; v && i < v->nhits; i++) {
		text_str(&t, i ? "," : "");
		text_json(&t, bytes_sub(v->hits[i].variable, 0, 200));
	}
	text_str(&t, "],\"error\":");
	text_json(&t, o->error);
	text_str(&t, "}");
	if (t.full)
		puts("{\"remedy\":\"refused\",\"status\":500,\"hits\":[],\"variables\":[],\"error\":\"line too long\"}");
	else
		printf("%.*s\n", BYTES_ARG(text_bytes(&t)));
}

/* False: the request is at its end, for better or worse. */
static bool judge(struct outcome *o, enum body_flow flow)
{
	if (flow == BODY_TOO_LONG)
		o->status = 413;
	if (flow == BODY_REFUSED)
		o->status = 400;
	return flow == BODY_GO;
}

static void run_body(struct arena *a, struct inspection *in, struct request *r, struct bytes rest, struct outcome *o)
{
	static const struct http1_limits limits = { HEAD_MAX, HEAD_MAX, 100 };
	struct http1_body body;
	struct err e = { 0 };
	uint64_t release;

	http1_body_start(&body, r->framing, r->length);
	for (;;) {
		struct bytes data;

		switch (http1_body_next(&body, a, &limits, &rest, &data, &r->trailers, &e)) {
		case HTTP1_DATA:
			if (!judge(o, inspection_body(in, data, &release)))
				return;
			break;
		case HTTP1_DONE:
			judge(o, inspection_end(in));
			return;
		default: /* cut short: what there is of it has been seen */
			judge(o, inspection_end(in));
			o->status = o->status ? o->status : 400;
			o->error = e.text[0] ? arena_copy(a, bytes_of(e.text)) : BYTES("the body ends too early");
			return;
		}
	}
}

static void run(const struct tool *t, struct arena *a, struct bytes in, struct outcome *o)
{
	static const struct http1_limits limits = { HEAD_MAX, HEAD_MAX, 100 };
	struct inspect_options options = { .window = t->window };
	struct request r = { 0 };
	struct bytes readings[PATH_READINGS_MAX];
	struct err e = { 0 };
	struct inspection *inspection;
	size_t head = 0;

	in = bytes_from(in, http1_skip_blank(in));
	if (http1_head_end(in, &head, &limits, &e) != HTTP1_DONE)
		head = in.len;
	if (!http1_parse_request(a, bytes_sub(in, 0, head), &limits, &r, &e) || !path_check(r.path, &e)) {
		o->status = e.code ? (unsigned)e.code : 400;
		o->error = arena_copy(a, bytes_of(e.text));
	}
	r.nreadings = r.path.at ? path_readings(a, r.path, readings) : 0;
	r.readings = readings;
	inspection = inspection_new(a, t->rules, t->scratch, &r, &options);
	if (!inspection) {
		o->error = BYTES("out of memory");
		o->status = 503;
		return;
	}
	o->verdict = inspection_head(inspection);
	if ((t->all || o->verdict->remedy != REMEDY_DENY) && r.framing != BODY_NONE)
		run_body(a, inspection, &r, bytes_from(in, head), o);
	if (!o->error.len)
		o->error = o->verdict->error;
}

static bool serve(const struct tool *t, FILE *in)
{
	size_t n;

	while (fscanf(in, "REQ %zu", &n) == 1 && getc(in) == '\n') {
		struct arena *a = arena_new(ARENA_CAP);
		char *bytes = malloc(n + 1);
		struct outcome o = { 0 };

		if (!a || !bytes || fread(bytes, 1, n, in) != n)
			return false;
		run(t, a, (struct bytes){ bytes, n }, &o);
		print(&o);
		fflush(stdout);
		free(bytes);
		arena_free(a);
		if (getc(in) != '\n')
			return false;
	}
	return feof(in);
}

static bool pin(struct ruleset_tuning *t, struct ruleset_variable *at, const char *said)
{
	struct bytes value = bytes_of(said), name;

	if (t->npinned == PINNED_MAX || !bytes_cut(&value, '=', &name))
		return false;
	at[t->npinned++] = (struct ruleset_variable){ name, value };
	t->pinned = at;
	return true;
}

int main(int argc, char **argv)
{
	struct tool t = { .window = WINDOW };
	struct ruleset_variable pinned[PINNED_MAX];
	struct ruleset_tuning tuning = { 0 };
	struct ruleset_options o = { .matcher = &matcher_hs, .tuning = &tuning };
	struct err e = { 0 };
	bool ok;
	int c;

	while ((c = getopt(argc, argv, "aus:p:w:")) != -1)
		switch (c) {
		case 'a': t.all = true; break;
		case 'u': tuning.unfolded = true; break;
		case 's':
			if (!pin(&tuning, pinned, optarg))
				return 2;
			break;
		case 'p':
			if (!(o.matcher = matcher_named(optarg)))
				return 2;
			break;
		case 'w': t.window = strtoul(optarg, NULL, 10); break;
		default: return 2;
		}
	o.files = (const char *const *)argv + optind;
	o.nfiles = (size_t)(argc - optind);
	t.rules = ruleset_load(&o, &e);
	t.scratch = rules_scratch_new();
	if (!t.rules || !t.scratch) {
		fprintf(stderr, "inspect: %s\n", t.rules ? "out of memory" : e.text);
		rules_scratch_free(t.scratch);
		ruleset_free(t.rules);
		return 2;
	}
	ok = serve(&t, stdin);
	if (!ok)
		fprintf(stderr, "inspect: not a request with its length before it\n");
	rules_scratch_free(t.scratch);
	ruleset_free(t.rules);
	return ok ? 0 : 1;
}
