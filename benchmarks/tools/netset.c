/* netset.c -- what a set of addresses takes: nanoseconds a look, bytes a member, time to put them in.
 *
 *   netset [-n MEMBERS] [-j] [-p FILE]
 *
 * Three sets of MEMBERS (1,000,000), each in a process of its own: IPv4 addresses, half of them anywhere and half in /24s of
 * ten; IPv6 /64s likewise in /48s; a mix of IPv4 and IPv6 blocks of eight lengths. A million members, then as many addresses
 * that are none, are looked for in an order that no cache knows; the best of five rounds counts, CPU time of the thread.
 * -p: writes the IPv4 addresses to FILE, one a line, for others to load. -j: a line of JSON each. */
#include "base/text.h"
#include "cti/netset.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOKS = 1 << 20, ROUNDS = 5 };
enum kind { V4, V6, MIXED, KINDS };
static const char *const kinds[] = { "IPv4", "IPv6", "mixed blocks" };

struct tool {
	size_t n;
	bool json;
	const char *file;
};

static void die(const char *why)
{
	fprintf(stderr, "netset: %s\n", why);
	exit(1);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t mixed(uint64_t i)
{
	i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
	i = (i ^ (i >> 27)) * 0x94d049bb133111ebu;
	return i ^ (i >> 31);
}

static struct ip_net net4(uint64_t r, unsigned bits)
{
	uint32_t a = (uint32_t)((1u << 24) + r % (223u << 24)) & ~(uint32_t)0 << (32 - bits);
	struct ip_net net = { .base = { { [10] = 0xff, [11] = 0xff } }, .bits = (uint8_t)(96 + bits) };

	for (int i = 0; i < 4; i++)
		net.base.b[12 + i] = (uint8_t)(a >> (24 - 8 * i));
	return net;
}

static struct ip_net net6(uint64_t r, unsigned bits)
{
	uint64_t a = ((uint64_t)1 << 61 | r >> 3) & ~(uint64_t)0 << (64 - bits);
	struct ip_net net = { .bits = (uint8_t)bits };

	for (int i = 0; i < 8; i++)
		net.base.b[i] = (uint8_t)(a >> (56 - 8 * i));
	return net;
}

/* The i-th member; `salt` apart, one that is none, but for chance. */
static struct ip_net nth(enum kind kind, uint64_t i, uint64_t salt)
{
	static const unsigned four[] = { 32, 32, 32, 24, 28, 22 }, six[] = { 64, 56, 48, 32 };
	uint64_t r = mixed(i + salt), group = mixed(i / 10 + salt);

	if (kind == V4)
		return i % 2 ? net4(r, 32) : net4((group & ~(uint64_t)255) + (r & 255), 32);
	if (kind == V6)
		return i % 2 ? net6(r, 64) : net6((group & ~(uint64_t)0 << 19) + (r & ((1 << 19) - 8)), 64);
	return i % 2 ? net4(r, four[i / 2 % 6]) : net6(r, six[i / 2 % 4]);
}

/* Host bits of a block are any. */
static struct ip host_of(struct ip_net net, uint64_t r)
{
	for (unsigned i = net.bits; i < 128; i++)
		net.base.b[i / 8] |= (uint8_t)((r >> i % 64 & 1) << (7 - i % 8));
	return net.base;
}

static double look(const struct netset *s, const struct ip *ips, size_t *found)
{
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t from = cpu_ns();
		size_t n = 0;

		for (size_t i = 0; i < LOOKS; i++)
			n += netset_find(s, &ips[i]) != 0;
		*found = n;
		if ((double)(cpu_ns() - from) / LOOKS < best)
			best = (double)(cpu_ns() - from) / LOOKS;
	}
	return best;
}

static double fill(struct netset *s, enum kind kind, size_t n)
{
	enum { BATCH = 100000 };
	static struct ip_net batch[BATCH];
	uint64_t spent = 0, from;

	for (size_t at = 0; at < n; at += BATCH) {
		size_t some = n - at < BATCH ? n - at : BATCH;

		for (size_t i = 0; i < some; i++)
			batch[i] = nth(kind, at + i, 0);
		from = cpu_ns();
		for (size_t i = 0; i < some; i++)
			if (!netset_put(s, &batch[i], 1 + (unsigned)(i % 1000)))
				die("out of memory");
		spent += cpu_ns() - from;
	}
	return (double)spent / 1e9;
}

static void measure(const struct tool *t, enum kind kind)
{
	struct netset *s = netset_new(0, 0);
	struct ip *hits = calloc(LOOKS, sizeof *hits), *misses = calloc(LOOKS, sizeof *misses);
	size_t found, wrong;
	double load_s, hit, miss;

	if (!s || !hits || !misses)
		die("out of memory");
	load_s = fill(s, kind, t->n);
	for (size_t i = 0; i < LOOKS; i++) {
		hits[i] = host_of(nth(kind, mixed(i) % t->n, 0), mixed(i + 77));
		misses[i] = host_of(nth(kind == MIXED ? (i % 2 ? V4 : V6) : kind, i, (uint64_t)1 << 60), mixed(i + 99));
	}
	hit = look(s, hits, &found);
	miss = look(s, misses, &wrong);
	if (found != LOOKS)
		die("members are not found");
	printf(t->json ? "{\"what\":\"%s\",\"members\":%zu,\"hit_ns\":%.1f,\"miss_ns\":%.1f,\"missing\":%.4f,\"bytes_each\":%.1f,\"load_s\":%.3f}\n"
		       : "%-14s %10zu members  hit %5.1f ns  miss %5.1f ns (%.4f none)  %5.1f bytes each  put in %.3f s\n",
	       kinds[kind], netset_count(s), hit, miss, 1 - (double)wrong / LOOKS,
	       (double)netset_bytes(s) / (double)netset_count(s), load_s);
}

static void write_file(const struct tool *t)
{
	FILE *f = fopen(t->file, "w");
	char room[64];

	if (!f)
		die("cannot write the file");
	for (size_t i = 0; i < t->n; i++) {
		struct ip_net net = nth(V4, i, 0);
		struct text text = text_over(room, sizeof room);

		ip_text(&text, &net.base);
		fprintf(f, "%.*s\n", (int)text.len, room);
	}
	fclose(f);
}

static void apart(const struct tool *t, enum kind kind)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		measure(t, kind);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	struct tool t = { .n = 1000000 };

	for (int c; (c = getopt(argc, argv, "n:jp:")) != -1;)
		switch (c) {
		case 'n': t.n = strtoull(optarg, NULL, 10); break;
		case 'j': t.json = true; break;
		case 'p': t.file = optarg; break;
		default: return 2;
		}
	if (!t.n)
		return 2;
	if (t.file) {
		write_file(&t);
		return 0;
	}
	for (int kind = 0; kind < KINDS; kind++)
		apart(&t, (enum kind)kind);
	return 0;
}
