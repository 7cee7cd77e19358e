/* cluster.c -- what another gate may say: messages of buckets and of limits. What is no message changes nothing; what is one
 * is poured once, and no limit is shut for more than a day. */
#include "proxy/limits.h"
#include "scenarios/scenarios.h"
#include "tests/fuzz/must.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEAD = 30, NODE_AT = 4, KEY_AT = 6, KEY = 8, DAY_MS = 86400 * 1000, NOW_MS = 1000000 };

static const char yaml[] =
	"type: leaky\nname: t/leaky\ndescription: d\nfilter: \"evt.Meta.service == 'http'\"\ngroupby: evt.Meta.source_ip\n"
	"distinct: evt.Parsed.file_name\ncapacity: 3\nleakspeed: 10s\nblackhole: 1m\ncluster: true\n"
	"---\ntype: conditional\nname: t/conditional\ndescription: d\nfilter: \"true\"\ngroupby: evt.Meta.source_ip\ncapacity: -1\n"
	"leakspeed: 10s\ncondition: \"len(queue.Queue) >= 2\"\ncluster: true\n"
	"---\ntype: trigger\nname: t/alone\ndescription: d\nfilter: \"true\"\n";

static struct scenarios *set;
static struct buckets *buckets;
static struct observer *observer;
static struct { size_t n; char at[4][SCENARIOS_MESSAGE_MAX]; size_t lens[4]; } said;
static size_t overflows;
static uint64_t now_us = NOW_MS * 1000ull;

static void on_over(void *ctx, const struct overflow *o)
{
	(void)ctx;
	must(o->scenario && o->nevents && o->nsources <= 64 && o->first_ms <= o->last_ms);
	for (size_t i = 0; i < o->nsources; i++)
		must(o->sources[i].len > 0);
	overflows++;
}

static void on_poured(void *ctx, struct bytes b)
{
	(void)ctx;
	must(b.len >= HEAD && b.len <= SCENARIOS_MESSAGE_MAX);
	if (said.n < nelems(said.lens)) {
		memcpy(said.at[said.n], b.at, b.len);
		said.lens[said.n++] = b.len;
	}
}

static struct observe observe(void)
{
	return (struct observe){ .set = set, .buckets = buckets, .observer = observer, .over = on_over, .poured = on_poured, .node = 3 };
}

static void load(void)
{
	char path[] = "/tmp/embergate-fuzz-cluster.XXXXXX";
	int fd = mkstemp(path);
	const char *files[] = { path };
	struct scenarios_options o = { .files = files, .nfiles = 1 };
	struct err err = { 0 };

	must(fd >= 0 && write(fd, yaml, sizeof yaml - 1) == sizeof yaml - 1);
	close(fd);
	set = scenarios_load(&o, &err);
	unlink(path);
	if (!set)
		fprintf(stderr, "%s\n", err.text);
	must(set && (buckets = buckets_new(1000, 1 << 20)) && (observer = observer_new()));
}

/* One event here: its messages' keys are right, and the buckets are ours too. */
static void say(void)
{
	struct observe o = observe();
	struct facts f = { .at_us = now_us += 1000, .wall_ms = NOW_MS };

	must((o.arena = arena_new(1 << 20)) != NULL);
	f.at[FACT_SOURCE_IP] = BYTES("203.0.113.7");
	f.at[FACT_SERVICE] = BYTES("http");
	facts_target(&f, o.arena, BYTES("/a.php?b=c"));
	scenarios_observe_whole(&o, &f);
	arena_free(o.arena);
	must(said.n >= 2);
}

/* The input as the rest of a message that is well begun. */
static void as_bucket(struct bytes in)
{
	char room[SCENARIOS_MESSAGE_MAX + 1];
	struct observe o = observe();
	size_t which = in.len ? (unsigned char)in.at[0] % said.n : 0, n;

	scenarios_heard(&o, in, now_us += 1000);
	in = bytes_sub(in, 1, sizeof room);
	memcpy(room, said.at[which], HEAD);
	room[NODE_AT]++; /* we are the lower one, who tells */
	n = in.len < 2 + 16 ? 0 : 2 + 16; /* flags, and the hashes of the bucket and of the value */
	if (n)
		memcpy(room + 2, in.at, 2);
	if (n && in.at[1] & 1) /* else they are those of the event here */
		memcpy(room + KEY_AT + KEY, in.at + 2, 16);
	in = bytes_sub(bytes_from(in, n), 0, sizeof room - HEAD);
	if (in.len)
		memcpy(room + HEAD, in.at, in.len);
	overflows = 0;
	must(scenarios_heard(&o, (struct bytes){ room, HEAD + in.len }, now_us += 1000) == (HEAD + in.len <= SCENARIOS_MESSAGE_MAX));
	must(overflows <= 1);
	room[KEY_AT] = (char)(room[KEY_AT] ^ 1);
	must(!scenarios_heard(&o, (struct bytes){ room, HEAD + in.len }, now_us));
}

static void as_limit(struct bytes in)
{
	struct limits *l = limits_new(64);
	bool is = in.len && in.len <= LIMITS_MESSAGE_MAX && in.len % 16 == 0;
	uint64_t key;

	must(l && limits_heard(l, NOW_MS, in) == is);
	limits_heard(l, NOW_MS, in);
	for (struct bytes at = in; is && at.len; at = bytes_from(at, 16)) {
		memcpy(&key, at.at, sizeof key);
		must(limits_take(l, key, NOW_MS, 1, 1000, 1) <= DAY_MS + 1000);
	}
	limits_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };

	if (!set)
		load();
	say();
	as_bucket(in);
	as_limit(bytes_sub(in, 0, in.len > 16 ? in.len / 16 * 16 : in.len));
	as_limit(in);
	return 0;
}
