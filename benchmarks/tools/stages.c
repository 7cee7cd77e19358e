/* stages.c -- nanoseconds that inspecting a request takes, stage by stage.
 *
 *   stages [-P PARANOIA] [-T THRESHOLD] [-C CACHE] [-n REQUESTS] [-s SECONDS] [-d DEAREST | -j] REQUESTS.req RULES...
 *
 * The requests are a file of tools/load's form, the rules what ruleset_load takes.
 * Each request goes the way of the gate: head, body, an answer of 1 KiB of HTML,
 * the end. Parsing HTTP is not counted. First with a memo that remembers (a first
 * pass is not counted), then with one that knows nothing: every value is new.
 * -d: also the conditions that took most, with their rules. -j: one line of JSON. */
#include "base/http1.h"
#include "base/path.h"
#include "tools/stage_clock.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 64 << 10, ARENA_CAP = 64 << 20, WINDOW = 256 << 10, PAGE = 1 << 10 };

struct sample {
	struct request request;
	struct bytes payload;
};

struct tool {
	struct ruleset *rules;
	struct rules_scratch *scratch;
	struct arena *arena;
	struct sample *samples;
	size_t n, most, dearest;
	double seconds;
	struct response answer;
	uint64_t hits, denied;
};

static const struct http1_limits limits = { HEAD_MAX, HEAD_MAX, 100 };

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "stages: %s: %s\n", what, why);
	exit(1);
}

/* ---- requests ---- */

static struct bytes file_bytes(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *at;

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path, "cannot be read");
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		die(path, "cannot be read");
	return (struct bytes){ at, (size_t)st.st_size };
}

static void sample_read(struct tool *t, struct sample *s, struct bytes in)
{
	struct bytes *readings = arena_get(t->arena, PATH_READINGS_MAX * sizeof *readings);
	struct err e = { 0 };
	size_t head = 0;

	if (!readings || http1_head_end(in, &head, &limits, &e) != HTTP1_DONE ||
	    !http1_parse_request(t->arena, bytes_sub(in, 0, head), &limits, &s->request, &e))
		die("a request", e.text);
	s->request.nreadings = path_readings(t->arena, s->request.path, readings);
	s->request.readings = readings;
	s->payload = bytes_from(in, head);
}

static void samples_read(struct tool *t, struct bytes in)
{
	size_t cap = 0;

	while (t->n < t->most && in.len > 8 && memcmp(in.at, "REQ ", 4) == 0) {
		char *end;
		size_t len = strtoul(in.at + 4, &end, 10), from = (size_t)(end - in.at) + 1;

		t->samples = arena_grow(t->arena, t->samples, &cap, t->n + 1, sizeof *t->samples);
		if (!t->samples || from + len > in.len)
			die("the requests", t->samples ? "one is cut short" : "out of memory");
		t->samples[t->n] = (struct sample){ 0 };
		sample_read(t, &t->samples[t->n++], bytes_sub(in, from, from + len));
		in = bytes_from(in, from + len + 1);
	}
	if (!t->n)
		die("the requests", "there are none");
}

static void answer_read(struct tool *t)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/html; charset=utf-8\r\n"
				   "Cache-Control: no-cache\r\nContent-Length: 1024\r\n\r\n";
	struct err e = { 0 };

	if (!http1_parse_response(t->arena, bytes_of(head), &limits, NULL, &t->answer, &e))
		die("the answer", e.text);
}

/* ---- one request ---- */

static void look_at_answer(struct tool *t, struct inspection *in)
{
	static char page[PAGE];
	enum stage back = stage_enter(STAGE_ANSWER);

	if (inspection_answer(in, &t->answer, false) == ANSWER_WANT_BODY) {
		inspection_answer_body(in, (struct bytes){ page, PAGE });
		inspection_answer_end(in);
	}
	stage_leave(back);
}

static enum body_flow look_at_body(struct inspection *in, struct bytes payload)
{
	enum stage back = stage_enter(STAGE_BODY);
	uint64_t release;
	enum body_flow flow = inspection_body(in, payload, &release);

	if (flow == BODY_GO)
		flow = inspection_end(in);
	stage_leave(back);
	return flow;
}

static void inspect(struct tool *t, const struct sample *s)
{
	static const struct inspect_options options = { .window = WINDOW };
	struct arena *a = arena_new(ARENA_CAP);
	struct inspection *in = inspection_new(a, t->rules, t->scratch, &s->request, &options);
	const struct verdict *v;

	if (!in)
		die("an inspection", "out of memory");
	v = inspection_head(in);
	if (v->remedy != REMEDY_DENY && (!s->payload.len || look_at_body(in, s->payload) == BODY_GO))
		look_at_answer(t, in);
	inspection_finish(in);
	v = inspection_verdict(in);
	t->hits += v->nhits;
	t->denied += v->remedy == REMEDY_DENY;
	arena_free(a);
}

/* All of them, again and again; returns ns of CPU for each. */
static double run(struct tool *t, enum probing probing, size_t *count)
{
	uint64_t from, took;

	for (size_t i = 0; i < t->n; i++) /* so that a memo which remembers is full */
		inspect(t, &t->samples[i]);
	stage_clock.probing = probing;
	stage_clear();
	t->hits = t->denied = *count = 0;
	from = cpu_ns();
	do {
		for (size_t i = 0; i < t->n; i++)
			inspect(t, &t->samples[i]);
		*count += t->n;
		took = cpu_ns() - from;
	} while ((double)took < t->seconds * 1e9);
	stage_end((double)took);
	return (double)took / (double)*count;
}

/* ---- what is told ---- */

static int by_time(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	return x->ticks > y->ticks ? -1 : x->ticks < y->ticks;
}

static void print_dearest(struct tool *t)
{
	struct asked *sorted = calloc(stage_clock.nasked + 1, sizeof *sorted);
	size_t count;

	if (!sorted)
		die("conditions", "out of memory");
	run(t, PROBE_CONDITIONS, &count);
	memcpy(sorted, stage_clock.asked, stage_clock.nasked * sizeof *sorted);
	qsort(sorted, stage_clock.nasked, sizeof *sorted, by_time);
	printf("\n%-12s %-16s %10s %10s %10s\n", "rule", "operator", "as gate", "in rules", "ns");
	for (size_t i = 0; i < t->dearest && i < stage_clock.nasked && sorted[i].ticks; i++)
		printf("%-12s %-16s %10.2f %10.2f %10.0f\n", sorted[i].rule->id,
		       sorted[i].condition->op->name ? sorted[i].condition->op->name : sorted[i].condition->op->alias,
		       (double)sorted[i].as_gate / (double)count, (double)sorted[i].in_rules / (double)count,
		       stage_ns(sorted[i].ticks) / (double)count);
	free(sorted);
}

/* [0]: with a memo that remembers, [1]: one that knows nothing. */
struct figures {
	double took[2][STAGE_COUNT], times[2][STAGE_COUNT], sum[2], all[2], knew; /* ns, and shares */
	double hits, denied;
};

static void measure(struct tool *t, struct figures *f)
{
	size_t n;

	for (int cold = 0; cold < 2; cold++) {
		stage_clock.forget = cold;
		f->all[cold] = run(t, PROBE_NOTHING, &n);
		f->hits = (double)t->hits / (double)n;
		f->denied = (double)t->denied / (double)n;
		run(t, PROBE_STAGES, &n);
		for (enum stage s = 0; s < STAGE_COUNT; s++) {
			f->took[cold][s] = stage_took_ns(s) / (double)n;
			f->times[cold][s] = (double)stage_clock.entered[s] / (double)n;
			f->sum[cold] += f->took[cold][s];
		}
		if (!cold && stage_clock.memo_asked)
			f->knew = (double)stage_clock.memo_knew / (double)stage_clock.memo_asked;
	}
	stage_clock.forget = false;
}

static void print_table(const struct tool *t, const struct figures *f)
{
	printf("%zu requests, %.2f hits each, %.0f %% denied; the memo knew %.1f %%\n\n", t->n, f->hits, 100 * f->denied,
	       100 * f->knew);
	printf("%-22s %10s %8s %14s %8s\n", "", "ns", "times", "ns, all new", "times");
	for (enum stage s = 0; s < STAGE_COUNT; s++)
		printf("%-22s %10.0f %8.1f %14.0f %8.1f\n", stage_names[s], f->took[0][s], f->times[0][s], f->took[1][s],
		       f->times[1][s]);
	printf("%-22s %10.0f %8s %14.0f\n", "sum", f->sum[0], "", f->sum[1]);
	printf("%-22s %10.0f %8s %14.0f\n", "in all, no probes", f->all[0], "", f->all[1]);
}

static void print_json(const struct tool *t, const struct figures *f)
{
	printf("{\"requests\":%zu,\"hits\":%.2f,\"denied\":%.3f,\"memo\":%.3f,\"all\":[%.0f,%.0f],\"stages\":{", t->n, f->hits,
	       f->denied, f->knew, f->all[0], f->all[1]);
	for (enum stage s = 0; s < STAGE_COUNT; s++)
		printf("%s\"%s\":[%.0f,%.0f]", s ? "," : "", stage_names[s], f->took[0][s], f->took[1][s]);
	puts("}}");
}

/* As proxy/site_rules.c pins them, for CRS 3 and 4. */
static size_t pin(struct ruleset_variable *at, const char *paranoia, const char *threshold)
{
	static const char *const levels[] = { "blocking_paranoia_level", "detection_paranoia_level", "paranoia_level",
					      "executing_paranoia_level" };
	size_t n = 0;

	for (size_t i = 0; paranoia && i < nelems(levels); i++)
		at[n++] = (struct ruleset_variable){ bytes_of(levels[i]), bytes_of(paranoia) };
	if (threshold)
		at[n++] = (struct ruleset_variable){ BYTES("inbound_anomaly_score_threshold"), bytes_of(threshold) };
	return n;
}

int main(int argc, char **argv)
{
	struct tool t = { .most = 1000, .seconds = 1, .arena = arena_new((size_t)1 << 30) };
	const char *paranoia = NULL, *threshold = NULL;
	struct ruleset_variable pinned[5];
	struct ruleset_tuning tuning = { .pinned = pinned };
	struct ruleset_options o = { .matcher = &stage_matcher, .tuning = &tuning };
	struct figures figures = { 0 };
	struct err e = { 0 };
	bool json = false;

	for (int c; (c = getopt(argc, argv, "P:T:C:n:s:d:j")) != -1;)
		switch (c) {
		case 'P': paranoia = optarg; break;
		case 'T': threshold = optarg; break;
		case 'C': o.cache_dir = optarg; break;
		case 'n': t.most = strtoul(optarg, NULL, 10); break;
		case 's': t.seconds = strtod(optarg, NULL); break;
		case 'd': t.dearest = strtoul(optarg, NULL, 10); break;
		case 'j': json = true; break;
		default: return 2;
		}
	if (argc - optind < 2 || !t.arena)
		return 2;
	tuning.npinned = pin(pinned, paranoia, threshold);
	o.files = (const char *const *)argv + optind + 1;
	o.nfiles = (size_t)(argc - optind - 1);
	t.rules = ruleset_load(&o, &e);
	t.scratch = rules_scratch_new();
	if (!t.rules || !t.scratch || !stage_know(t.rules))
		die("the rules", e.text);
	samples_read(&t, file_bytes(argv[optind]));
	answer_read(&t);
	stage_calibrate();
	measure(&t, &figures);
	(json ? print_json : print_table)(&t, &figures);
	if (t.dearest)
		print_dearest(&t);
	free(stage_clock.asked);
	rules_scratch_free(t.scratch);
	ruleset_free(t.rules);
	arena_free(t.arena);
	return 0;
}
