/* scenarios.c -- events in, overflows out, for the Python runners.
 *
 *   scenarios [-a] [-d DATA_DIR]... [-n NAME] -l LOG_TYPE FILE... < LOG
 *   scenarios [-a] [-d DATA_DIR]... -e FILE... < EVENTS
 *   scenarios -f
 *
 * Reads each line of the log by its reader, pours it into the scenarios of the files by the log's own clock, and prints each
 * overflow as a line of JSON: scenario, scope, value, sources, count, remediation, line (of the log, from 1), and the kept
 * events, each a map of what CrowdSec calls meta. -n: what datasource_path is to be. -a: every filter runs for every event. At the
 * end the number of filters that ran goes to stderr.
 *
 * -e: a line is an event by itself, {"at_ms": 200, "Meta": {"http_path": "/a?b", "http_status": "404"}, "Gate": {...}}, and is
 * kept as a gate keeps it, without all of its facts; what follows from the target and the status is filled in. A line with
 * "case" forgets all buckets. -f: the names of facts, and from which point each is known. */
#include "base/json.h"
#include "scenarios/profile.h"
#include "scenarios/scenarios.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENT_BYTES = 64 << 20, LINE_BYTES = 1 << 20, MOST_BUCKETS = 1000000 };

struct replay {
	unsigned long line;
};

static void put_json(struct bytes b)
{
	size_t cap = b.len * 6 + 3;
	char *room = malloc(cap);
	struct text t = text_over(room, cap);

	text_json(&t, b);
	fwrite(t.at, 1, t.len, stdout);
	free(room);
}

static void put_meta(const char *name, struct bytes value, bool *first)
{
	if (!value.len)
		return;
	printf("%s", *first ? "" : ",");
	*first = false;
	put_json(bytes_of(name));
	putchar(':');
	put_json(value);
}

static void put_event(const struct facts *f)
{
	bool first = true;
	char name[256];

	putchar('{');
	for (int i = 0; i < FACT_COUNT; i++)
		if (bytes_starts(bytes_of(fact_name((enum fact)i)), BYTES("Meta.")))
			put_meta(fact_name((enum fact)i) + 5, f->at[i], &first);
	for (const struct fact_extra *e = f->extra; e; e = e->next)
		if (bytes_starts(e->name, BYTES("Meta."))) {
			snprintf(name, sizeof name, "%.*s", BYTES_ARG(bytes_from(e->name, 5)));
			put_meta(name, e->value, &first);
		}
	putchar('}');
}

static void on_overflow(void *ctx, const struct overflow *o)
{
	const struct replay *r = ctx;

	printf("{\"scenario\":");
	put_json(o->scenario->name);
	printf(",\"scope\":");
	put_json(o->scope_name);
	printf(",\"value\":");
	put_json(o->value);
	printf(",\"remediation\":%s,\"count\":%u,\"line\":%lu,\"sources\":[", o->scenario->remediation ? "true" : "false",
	       o->count, r->line);
	for (size_t i = 0; i < o->nsources; i++) {
		printf("%s", i ? "," : "");
		put_json(o->sources[i]);
	}
	printf("],\"events\":[");
	for (size_t i = 0; i < o->nevents; i++) {
		printf("%s", i ? "," : "");
		put_event(&o->events[i]);
	}
	printf("]}\n");
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s\n", text);
}

static void one_line(const struct observe *like, const struct log_reader *reader, struct bytes line, const char *path)
{
	struct observe o = *like;
	struct facts f = { .at_us = 0 };

	if ((o.arena = arena_new(EVENT_BYTES)) && reader->read(o.arena, line, &f) == LOG_READ) {
		f.at[FACT_DATASOURCE_TYPE] = BYTES("file");
		f.at[FACT_DATASOURCE_PATH] = bytes_of(path);
		scenarios_tick(&o, f.at_us, f.wall_ms);
		scenarios_observe_whole(&o, &f);
	}
	arena_free(o.arena);
}

static bool facts_of_json(const struct json *j, struct arena *a, struct facts *f)
{
	struct bytes text, status = { 0 };
	int64_t at_ms;
	uint64_t n;

	if (!json_number(j, "at_ms", &at_ms))
		return false;
	f->at_us = (uint64_t)(at_ms + 1000000) * 1000;
	f->wall_ms = (uint64_t)at_ms + 1700000000000;
	if (json_text(j, "Meta.http_path", &text))
		facts_target(f, a, arena_copy(a, text));
	if (json_text(j, "Meta.http_status", &status) && bytes_u64(status, &n))
		facts_status(f, a, (unsigned)n);
	for (size_t i = 0; fact_row_name(i); i++)
		if (json_text(j, fact_row_name(i), &text))
			facts_put(f, a, bytes_of(fact_row_name(i)), arena_copy(a, text));
	return true;
}

/* False: it is none. */
static bool one_event(struct observe *like, struct bytes line)
{
	static const struct json_limits limits = { LINE_BYTES, 4 };
	struct observe o = *like;
	struct facts f = { .at_us = 0 };
	struct err err;
	struct json *j = json_read(line, &limits, &err);
	struct bytes name;
	bool ok = j != NULL;

	o.arena = arena_new(EVENT_BYTES);
	if (ok && json_text(j, "case", &name)) {
		buckets_free(like->buckets);
		ok = (like->buckets = buckets_new(MOST_BUCKETS, (size_t)1 << 30)) != NULL;
	} else if (ok && (ok = o.arena && facts_of_json(j, o.arena, &f))) {
		scenarios_tick(&o, f.at_us, f.wall_ms);
		scenarios_observe_whole(&o, &f);
	}
	arena_free(o.arena);
	json_free(j);
	return ok;
}

static int print_facts(void)
{
	static const char *const points[] = { [AT_HEAD] = "head", [AT_BODY] = "body", [AT_ANSWER] = "answer", [AT_END] = "end" };

	for (size_t i = 0; fact_row_name(i); i++)
		printf("%s %s\n", fact_row_name(i), points[fact_point(fact_find(bytes_of(fact_row_name(i))))]);
	return 0;
}

/* Without a reader, lines are events. */
static int replay(const struct scenarios_options *options, const struct log_reader *reader, const char *path)
{
	struct replay r = { 0 };
	unsigned long long asked = 0;
	struct err err;
	struct observe o = { .set = scenarios_load(options, &err), .buckets = buckets_new(MOST_BUCKETS, (size_t)1 << 30),
			     .observer = observer_new(), .over = on_overflow, .ctx = &r };
	char *line = malloc(LINE_BYTES);
	bool ok = o.set && o.buckets && o.observer && line;

	if (!ok)
		fprintf(stderr, "scenarios: %s\n", o.set ? "out of memory" : err.text);
	while (ok && fgets(line, LINE_BYTES, stdin)) {
		r.line++;
		if (reader)
			one_line(&o, reader, (struct bytes){ line, strcspn(line, "\r\n") }, path);
		else if (!(ok = one_event(&o, (struct bytes){ line, strcspn(line, "\r\n") })))
			fprintf(stderr, "scenarios: line %lu is no event\n", r.line);
	}
	free(line);
	for (size_t i = 0; ok && i < scenarios_count(o.set); i++) {
		struct scenario_counts c;

		scenarios_counts(o.set, i, &c);
		asked += c.asked;
	}
	if (ok)
		fprintf(stderr, "filters asked: %llu\n", (unsigned long long)asked);
	scenarios_free((struct scenarios *)(uintptr_t)o.set);
	buckets_free(o.buckets);
	observer_free(o.observer);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *dirs[16], *path = "log";
	struct scenarios_options o = { .data_dirs = dirs, .keep_all = true, .warn = warn };
	const struct log_reader *reader = NULL;
	bool events = false;

	for (int c; (c = getopt(argc, argv, "ad:efl:n:")) != -1;)
		switch (c) {
		case 'a': o.ask_all = true; break;
		case 'd':
			if (o.ndata_dirs < nelems(dirs))
				dirs[o.ndata_dirs++] = optarg;
			break;
		case 'e': events = true; break;
		case 'f': return print_facts();
		case 'l': reader = log_reader_find(bytes_of(optarg)); break;
		case 'n': path = optarg; break;
		default: return 2;
		}
	if (!reader != events || optind == argc) {
		fprintf(stderr, "usage: scenarios [-d DATA_DIR]... [-n NAME] -l LOG_TYPE|-e FILE... < LOG\n");
		return 2;
	}
	o.keep_all = !events;
	o.files = (const char *const *)&argv[optind];
	o.nfiles = (size_t)(argc - optind);
	return replay(&o, reader, path);
}
