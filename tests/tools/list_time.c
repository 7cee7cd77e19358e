/* list_time.c -- how long a list takes to be read, and what that costs those who ask meanwhile.
 *
 *   list_time FILE
 *
 * Prints the time of reading alone, of the whole up to the set that readers see, what a look-up takes, and the longest one
 * while the list is replaced three times. */
#include "base/clock.h"
#include "cti/lists.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool count(void *ctx, const struct list_record *k, struct err *err)
{
	(void)k;
	(void)err;
	++*(size_t *)ctx;
	return true;
}

static void read_alone(const char *file)
{
	static char room[64 << 10];
	struct list_read_options o = { 0 };
	size_t n = 0, got;
	struct list_reader *r = list_reader_new(&o, count, &n);
	struct err e = { 0 };
	FILE *f = fopen(file, "re");
	uint64_t begun = clock_mono_us();

	while ((got = fread(room, 1, sizeof room, f)) > 0)
		if (!list_reader_put(r, (struct bytes){ room, got }, &e))
			break;
	list_reader_end(r, &e);
	printf("read alone: %zu entries, %.1f ms %s\n", n, (double)(clock_mono_us() - begun) / 1000, e.text);
	list_reader_free(r);
	fclose(f);
}

static uint64_t own_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* One that asks all the time: the longest by the clock counts whoever had the core too, by its own time it does not. */
static void ask(struct lists *l, uint64_t for_us)
{
	uint64_t begun = clock_mono_us(), at = begun, now, worst = 0, own = own_us(), own_now, own_worst = 0, n = 0, hits = 0;
	struct arena *a = arena_new(1 << 20);
	struct ip ip = { { [10] = 0xff, [11] = 0xff } };
	struct decision d;

	while ((now = clock_mono_us()) - begun < for_us) {
		if (now - at > worst)
			worst = now - at;
		own_now = own_us();
		if (own_now - own > own_worst)
			own_worst = own_now - own;
		at = now;
		own = own_now;
		for (unsigned i = 0; i < 16; i++) {
			uint32_t v = (uint32_t)(++n * 2654435761u) | 1u << 31; /* hits are rare: they would fill the arena */

			memcpy(ip.b + 12, &v, 4);
			hits += lists_find(l, &ip, 1, a, &d);
		}
		if (arena_used(a) > 1 << 19) {
			arena_free(a);
			a = arena_new(1 << 20);
		}
	}
	printf("%.0f ns a look-up, %.2f %% hits, the longest 16: %llu us by the clock, %llu us of its own\n", (double)for_us * 1000 / (double)n, 100.0 * (double)hits / (double)n,
	       (unsigned long long)worst, (unsigned long long)own_worst);
	arena_free(a);
}

static void closed(void *ctx)
{
	loop_stop(ctx);
}

int main(int argc, char **argv)
{
	struct loop *loop = loop_new();
	struct list_config c = { .name = BYTES("own"), .file = argv[1], .act = REMEDY_DENY };
	struct list_status s;
	struct lists *l;
	uint64_t begun;

	if (argc != 2)
		return 2;
	read_alone(argv[1]);
	begun = clock_mono_us();
	l = lists_open(loop, NULL, NULL, &c, 1, NULL);
	lists_status(l, &s, 1);
	printf("into a set: %zu entries, %.1f ms, %.1f bytes each, trouble '%s'\n", s.entries, (double)(clock_mono_us() - begun) / 1000,
	       (double)s.bytes / (double)(s.entries ? s.entries : 1), s.trouble);
	ask(l, 1000000);
	for (unsigned i = 0; i < 3; i++) {
		lists_refresh(l, (struct bytes){ 0 });
		ask(l, 1500000);
	}
	lists_close(l, closed, loop);
	loop_run(loop);
	loop_free(loop);
	return 0;
}
