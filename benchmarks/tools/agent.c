/* agent.c -- lines of a log through a reader and scenarios, without a gate: lines a second of CPU, and memory.
 *
 *   bench_agent [-d DATA_DIR]... TYPE LOG SCENARIO.yaml...
 *
 * Without scenarios only the reader runs. Prints one line of JSON; `overflows` counts what decides and what does not. */
#include "base/arena.h"
#include "base/text.h"
#include "scenarios/scenarios.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ARENA_CAP = 4 << 20, DIRS = 8, BUCKETS = 5000000, SECOND_US = 1000000 };

struct bench {
	struct scenarios *set;
	struct buckets *buckets;
	struct observer *observer;
	const struct log_reader *reader;
	uint64_t lines, events, overflows, ticked_us;
	uint64_t *by; /* overflows of each scenario */
};

static void on_overflow(void *ctx, const struct overflow *o)
{
	struct bench *b = ctx;

	b->overflows++;
	b->by[o->number]++;
}

/* As an agent: the clock is the log's, and counters end before the event that comes after their time. */
static void take_line(struct bench *b, struct bytes line)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct facts f = { 0 };
	void *marks = NULL;
	struct observe o = { .set = b->set, .buckets = b->buckets, .observer = b->observer, .arena = a, .marks = &marks,
			     .over = on_overflow, .ctx = b };

	b->lines++;
	if (b->reader->read(a, line, &f) == LOG_READ) {
		b->events++;
		if (b->set && f.at_us - b->ticked_us >= SECOND_US) {
			b->ticked_us = f.at_us;
			scenarios_tick(&o, f.at_us, f.wall_ms);
			buckets_sweep(b->buckets, f.at_us);
		}
		if (b->set)
			scenarios_observe_whole(&o, &f);
	}
	arena_free(a);
}

static double cpu_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static long peak_kib(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_maxrss;
}

static void print(const struct bench *b, double loading, double reading)
{
	const char *sep = "";

	printf("{\"scenarios\":%zu,\"lines\":%llu,\"events\":%llu,\"overflows\":%llu,\"load_s\":%.2f,\"cpu_s\":%.3f,"
	       "\"lines_per_cpu_s\":%.0f,\"peak_kib\":%ld,\"by\":{", b->set ? scenarios_count(b->set) : 0,
	       (unsigned long long)b->lines, (unsigned long long)b->events, (unsigned long long)b->overflows, loading, reading,
	       (double)b->lines / reading, peak_kib());
	for (size_t i = 0; b->set && i < scenarios_count(b->set); i++)
		if (b->by[i]) {
			printf("%s\"%.*s\":%llu", sep, BYTES_ARG(scenarios_info(b->set, i)->name), (unsigned long long)b->by[i]);
			sep = ",";
		}
	printf("}}\n");
}

static void on_warning(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "bench_agent: %s\n", text);
}

static bool load(struct bench *b, const char *const *dirs, size_t ndirs, char **files, size_t n)
{
	struct scenarios_options o = {
		.files = (const char *const *)files, .nfiles = n, .data_dirs = dirs, .ndata_dirs = ndirs, .warn = on_warning,
	};
	struct err err = { 0 };

	if (n == 0)
		return true;
	if (!hash128_key(&o.key) || !(b->set = scenarios_load(&o, &err))) {
		fprintf(stderr, "bench_agent: %s\n", err.text);
		return false;
	}
	b->buckets = buckets_new(BUCKETS, (size_t)2 << 30);
	b->observer = observer_new();
	b->by = calloc(scenarios_count(b->set), sizeof *b->by);
	return b->buckets && b->observer && b->by;
}

static bool run(struct bench *b, const char *file)
{
	FILE *in = fopen(file, "re");
	char *line = NULL;
	size_t cap = 0;

	if (!in) {
		perror(file);
		return false;
	}
	for (ssize_t n; (n = getline(&line, &cap, in)) > 0;)
		take_line(b, (struct bytes){ line, n > LOG_READ_MAX ? LOG_READ_MAX : (size_t)n });
	free(line);
	fclose(in);
	return true;
}

int main(int argc, char **argv)
{
	const char *dirs[DIRS];
	size_t ndirs = 0;
	struct bench b = { 0 };
	double loading, reading;
	bool ok = true;

	for (int o; (o = getopt(argc, argv, "d:")) != -1;)
		if (o == 'd' && ndirs < DIRS)
			dirs[ndirs++] = optarg;
	if (argc - optind < 2 || !(b.reader = log_reader_find(bytes_of(argv[optind])))) {
		fprintf(stderr, "usage: bench_agent [-d DATA_DIR]... TYPE LOG SCENARIO.yaml...\n");
		return 2;
	}
	if (!load(&b, dirs, ndirs, argv + optind + 2, (size_t)(argc - optind - 2)))
		return 1;
	loading = cpu_seconds();
	ok = run(&b, argv[optind + 1]);
	reading = cpu_seconds() - loading;
	if (ok)
		print(&b, loading, reading);
	free(b.by);
	observer_free(b.observer);
	buckets_free(b.buckets);
	scenarios_free(b.set);
	return ok ? 0 : 1;
}
