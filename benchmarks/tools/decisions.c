/* decisions.c -- what held decisions take: time to make one, to ask for a client, bytes of memory each.
 *
 *   decisions [-n HELD] [-j]
 *
 * A client is asked for while nothing is held; then HELD (10,000,000) decisions are made, of IPv4 addresses anywhere and
 * IPv6 /64s by turns, and clients are asked for against whom nothing is held, and some against whom is. CPU time of the
 * thread; the best of three rounds. -j: one line of JSON. */
#include "base/clock.h"
#include "base/text.h"
#include "cti/cti.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 1 << 18, ROUNDS = 3 };

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double rss_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static uint64_t mixed(uint64_t i)
{
	i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
	i = (i ^ (i >> 27)) * 0x94d049bb133111ebu;
	return i ^ (i >> 31);
}

static struct ip nth(uint64_t i)
{
	uint64_t r = mixed(i);
	struct ip ip = { { [0] = 0x20, [15] = 1 } };

	for (int b = 0; b < 7; b++)
		ip.b[1 + b] = (uint8_t)(r >> (8 * b));
	if (i % 2)
		return ip;
	ip = (struct ip){ { [10] = 0xff, [11] = 0xff, [12] = (uint8_t)(1 + r % 126) } };
	for (int b = 0; b < 3; b++)
		ip.b[13 + b] = (uint8_t)(r >> (8 + 8 * b));
	return ip;
}

/* Best of the rounds, ns each; *found of the clients have something held against them. */
static double ask(struct decisions *d, const struct ip *clients, uint64_t now_ms, size_t *found)
{
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t spent = 0;

		*found = 0;
		for (size_t at = 0; at < CLIENTS; at += 1024) {
			struct arena *a = arena_new(8 << 20);
			uint64_t from = cpu_ns();
			struct decision out;

			for (size_t i = at; i < at + 1024; i++)
				*found += decisions_find(d, &(struct decisions_ask){ .client = &clients[i] }, now_ms, a, &out);
			spent += cpu_ns() - from;
			arena_free(a);
		}
		if ((double)spent / CLIENTS < best)
			best = (double)spent / CLIENTS;
	}
	return best;
}

static double make(struct decisions *d, uint64_t n, uint64_t now_ms)
{
	uint64_t from = cpu_ns();

	for (uint64_t i = 0; i < n; i++) {
		char room[64];
		struct text t = text_over(room, sizeof room);
		struct ip ip = nth(i);
		struct decision new = { .scope = SCOPE_IP, .remedy = REMEDY_DENY, .reason = BYTES("crowdsecurity/http-probing"),
					.origin = BYTES("cscli"), .made_ms = now_ms, .until_ms = now_ms + 3600000 };

		ip_text(&t, &ip);
		new.value = text_bytes(&t);
		if (decisions_add(d, &new) != DECISION_HELD) {
			fprintf(stderr, "decisions: one is not held\n");
			exit(1);
		}
	}
	return (double)(cpu_ns() - from) / (double)n;
}

int main(int argc, char **argv)
{
	uint64_t n = 10000000, now_ms = clock_wall_ms();
	struct ip *held = calloc(CLIENTS, sizeof *held), *others = calloc(CLIENTS, sizeof *others);
	struct decisions *d;
	double before, empty, add, miss, hit, bytes;
	size_t found, wrong;
	bool json = false;

	for (int c; (c = getopt(argc, argv, "n:j")) != -1;)
		switch (c) {
		case 'n': n = strtoull(optarg, NULL, 10); break;
		case 'j': json = true; break;
		default: return 2;
		}
	d = decisions_new(n + 1);
	if (!n || !d || !held || !others)
		return 1;
	for (size_t i = 0; i < CLIENTS; i++) {
		held[i] = nth(mixed(i) % n);
		others[i] = nth(i + ((uint64_t)1 << 40));
	}
	empty = ask(d, others, now_ms, &wrong);
	before = rss_bytes();
	add = make(d, n, now_ms);
	bytes = (rss_bytes() - before) / (double)decisions_held(d);
	miss = ask(d, others, now_ms, &wrong);
	hit = ask(d, held, now_ms, &found);
	if (found != CLIENTS)
		return 1;
	printf(json ? "{\"held\":%zu,\"empty_ns\":%.1f,\"miss_ns\":%.1f,\"chance\":%.4f,\"hit_ns\":%.1f,\"add_ns\":%.0f,\"bytes_each\":%.1f}\n"
		    : "%zu held: nothing held %.1f ns, others %.1f ns (%.4f of them by chance), held %.1f ns; %.0f ns to make one, %.1f bytes each\n",
	       decisions_held(d), empty, miss, (double)wrong / CLIENTS, hit, add, bytes);
	return 0;
}
