/* buckets.c -- what live buckets take: bytes of memory each, and time a pour.
 *
 *   buckets [-n LIVE] [-k KEYS] [-s SECONDS] [-j]
 *
 * Memory: LIVE leaky buckets (5,000,000) are made, each of one event of 60 bytes, then the same with values told apart,
 * then a mix in which every tenth has five events of five values. RSS is that of the process, less what it had at its
 * start. Time: pours into KEYS keys (1,000,000) at random, a microsecond of the buckets' clock apart, by one thread and by
 * two, for SECONDS (2) of CPU each. A bucket that overflows is gone and gives its events back; to hash keys and to pack
 * events is not counted. Each measurement is a process of its own. -j: a line of JSON each. */
#include "scenarios/bucket.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EVENT = 60, THREADS_MAX = 2, BATCH = 1000, BATCH_CAP = 16 << 20 };

struct tool {
	uint64_t live, keys;
	double seconds;
	bool json;
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t rss_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void die(const char *why)
{
	fprintf(stderr, "buckets: %s\n", why);
	exit(1);
}

/* As a keyed hash would spread them. */
static uint64_t key_of(uint64_t i)
{
	i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
	i = (i ^ (i >> 27)) * 0x94d049bb133111ebu;
	return i ^ (i >> 31);
}

static struct buckets *table(uint64_t most)
{
	struct buckets *all = buckets_new(most * 2 + (1 << 20), (size_t)8 << 30); /* shards differ a little */

	if (!all)
		die("out of memory");
	return all;
}

/* ---- memory ---- */

enum filling { PLAIN, DISTINCT, MIXED, FULL };
static const char *const fillings[] = {
	[PLAIN] = "one event each",
	[DISTINCT] = "the same, values told apart",
	[MIXED] = "every tenth of five events and values",
};

/* An event a second and key overflows about every 12th. */
static const struct bucket_kind kind = {
	.type = BUCKET_LEAKY, .capacity = 10, .leak_us = 10000000, .life_us = 110000000, .keep = 11,
};

/* FULL: some have as many events as they hold, others fewer, as after a while of pouring. */
static uint64_t events_of(uint64_t i, enum filling how)
{
	return how == FULL ? 1 + i % kind.capacity : how == MIXED && i % 10 == 0 ? 5 : 1;
}

static void fill(struct buckets *all, uint64_t n, enum filling how)
{
	static const char event[EVENT];

	for (uint64_t i = 0; i < n; i++) {
		uint64_t events = events_of(i, how);
		struct pour p = { .key = key_of(i), .kind = &kind, .now_us = i, .event = { event, EVENT } };
		struct bucket_events out;

		p.is_distinct = how == DISTINCT || how == MIXED;
		for (uint64_t e = 1; e <= events; e++) {
			p.value = key_of(i + (e << 32));
			if (bucket_pour(all, &p, &out) != POURED || out.count != e)
				die("a bucket was lost");
		}
	}
}

static void measure_memory(const struct tool *t, enum filling how)
{
	uint64_t before = rss_bytes(), took, from = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct buckets *all = table(t->live);
	struct buckets_stats s;
	double rss;

	fill(all, t->live, how);
	took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - from;
	rss = (double)(rss_bytes() - before);
	buckets_count(all, &s);
	if (s.live != t->live)
		die("buckets were evicted");
	printf(t->json ? "{\"what\":\"%s\",\"live\":%.0f,\"rss_mb\":%.1f,\"bytes_each\":%.1f,\"counted_each\":%.1f,"
			 "\"ns_each\":%.0f}\n"
		       : "%-40s %9.0f live %7.1f MB %6.1f bytes each (%5.1f counted) %5.0f ns to make\n",
	       fillings[how], (double)s.live, rss / 1e6, rss / (double)s.live, (double)s.bytes / (double)s.live,
	       (double)took / (double)s.live);
}

/* ---- time ---- */

struct pourer {
	const struct tool *tool;
	struct buckets *all;
	pthread_t thread;
	uint64_t random, pours, over;
	uint64_t cpu_ns, wall_ns;
};

static void pour_batch(struct pourer *w, struct arena *a)
{
	static const char event[EVENT];

	for (int i = 0; i < BATCH; i++) {
		struct pour p = { .kind = &kind, .now_us = w->tool->keys + w->pours++, .arena = a };
		struct bucket_events out;

		p.event = (struct bytes){ event, EVENT };
		w->random = key_of(w->random + 0x9e3779b97f4a7c15u);
		p.key = key_of(w->random % w->tool->keys);
		w->over += bucket_pour(w->all, &p, &out) == POURED_OVER;
	}
}

static void *pour_on(void *arg)
{
	struct pourer *w = arg;
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID), wall = clock_ns(CLOCK_MONOTONIC);

	do {
		struct arena *a = arena_new(BATCH_CAP);

		if (!a)
			die("out of memory");
		pour_batch(w, a);
		arena_free(a);
		w->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
		w->wall_ns = clock_ns(CLOCK_MONOTONIC) - wall;
	} while ((double)w->cpu_ns < w->tool->seconds * 1e9);
	arena_thread_end();
	return NULL;
}

static void run_threads(struct pourer *at, int n, const struct tool *t, struct buckets *all)
{
	for (int i = 0; i < n; i++) {
		at[i] = (struct pourer){ .tool = t, .all = all, .random = (uint64_t)i + 1 };
		if (pthread_create(&at[i].thread, NULL, pour_on, &at[i]) != 0)
			die("no thread");
	}
	for (int i = 0; i < n; i++)
		pthread_join(at[i].thread, NULL);
}

static void measure_pours(const struct tool *t, int threads)
{
	struct buckets *all = table(t->keys);
	struct pourer at[THREADS_MAX];
	double pours = 0, over = 0, cpu_s = 0, wall_s = 0;

	fill(all, t->keys, FULL);
	run_threads(at, threads, t, all);
	for (int i = 0; i < threads; i++) {
		pours += (double)at[i].pours;
		over += (double)at[i].over;
		cpu_s += (double)at[i].cpu_ns / 1e9;
		wall_s = (double)at[i].wall_ns / 1e9 > wall_s ? (double)at[i].wall_ns / 1e9 : wall_s;
	}
	printf(t->json ? "{\"what\":\"pours\",\"threads\":%d,\"per_cpu_s\":%.0f,\"per_s\":%.0f,\"overflows\":%.4f}\n"
		       : "pours by %d thread(s): %.0f a second of CPU, %.0f a second; %.4f of them overflow\n",
	       threads, pours / cpu_s, pours / wall_s, over / pours);
}

/* ---- each in a process ---- */

static void apart(const struct tool *t, int which)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (which <= MIXED)
			measure_memory(t, (enum filling)which);
		else
			measure_pours(t, which - MIXED);
		fflush(stdout);
		_exit(0); /* freeing millions of them is not measured */
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	struct tool t = { .live = 5000000, .keys = 1000000, .seconds = 2 };

	for (int c; (c = getopt(argc, argv, "n:k:s:j")) != -1;)
		switch (c) {
		case 'n': t.live = strtoull(optarg, NULL, 10); break;
		case 'k': t.keys = strtoull(optarg, NULL, 10); break;
		case 's': t.seconds = strtod(optarg, NULL); break;
		case 'j': t.json = true; break;
		default: return 2;
		}
	if (!t.live || !t.keys)
		return 2;
	for (int i = PLAIN; i <= MIXED + THREADS_MAX; i++)
		apart(&t, i);
	return 0;
}
