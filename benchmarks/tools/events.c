/* events.c -- how long a page of a full archive takes, filter by filter.
 *
 *   bench_events [-n 200000] [-o FILE] [-j]     FILE is made anew; without it one in $TMPDIR, which goes again
 *
 * Fills an archive with events of many apps, clients, paths and rules, as admin/events.c would hand them over, then asks
 * for pages of 50 by each filter, alone and together: those that hold often, seldom and never, so that some are answered
 * by the first rows and some by looking at all. Each is asked five times; what is told is the median of the whole way,
 * queue and thread included, and the slowest. A last column says how many rows came; '+': and that its time was over, so
 * that the next page goes on (archive.h). -j: a line of JSON each. */
#include "admin/archive.h"
#include "base/clock.h"
#include "base/ulid.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 5, PAGE = 50, DAY_MS = 24 * 3600 * 1000, PATHS = 20000, CLIENTS = 30000 };

static uint64_t state = 88172645463325252u;

static uint64_t any(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* Small ones are much more frequent, as with everything that people and programs ask for. */
static uint64_t often(uint64_t n)
{
	uint64_t a = any(n), b = any(a + 1);

	return any(b + 1);
}

static struct bytes say(char *at, size_t cap, const char *fmt, uint64_t n)
{
	struct text t = text_over(at, cap);

	text_printf(&t, fmt, (unsigned long long)n);
	return text_bytes(&t);
}

/* ---- filling ---- */

static const char *const countries[] = { "DE", "FR", "US", "CN", "BR", "NL", "RU", "IN", "GB", "VN" };
static const char *const methods[] = { "GET", "POST", "GET", "GET", "PUT" };
static const struct { enum source source; enum remedy_kind action; unsigned status; } kinds[] = {
	{ SOURCE_RULE, REMEDY_DENY, 403 },      { SOURCE_RULE, REMEDY_LOG, 200 },     { SOURCE_RULE, REMEDY_DENY, 403 },
	{ SOURCE_LIMIT, REMEDY_THROTTLE, 429 }, { SOURCE_CTI, REMEDY_DENY, 403 },     { SOURCE_SCENARIO, REMEDY_DENY, 403 },
	{ SOURCE_BOT, REMEDY_CHALLENGE, 403 },  { SOURCE_PROTOCOL, REMEDY_DENY, 400 },
};

/* Some three rules of three hundred. */
static size_t hits_of(struct hit *hits)
{
	static struct rule_info rules[300];
	static char ids[300][8];
	size_t n = 1 + any(5);

	for (size_t i = 0; i < n; i++) {
		size_t r = often(nelems(rules));

		if (!rules[r].id) {
			snprintf(ids[r], sizeof ids[r], "%zu", 941100 + 10 * r);
			rules[r] = (struct rule_info){ .id = ids[r], .category = "sqli", .severity = SEVERITY_CRITICAL,
						       .message = "SQL Injection Attack Detected via libinjection" };
		}
		hits[i] = (struct hit){ .rule = &rules[r], .variable = BYTES("ARGS:search"), .score = 5, .len = 20,
					.value = BYTES("1' UNION SELECT user, password FROM accounts WHERE name LIKE '%a%' -- ") };
	}
	return n;
}

static void offer(struct events *v, struct ulid_source *ids, uint64_t time_ms)
{
	static struct field fields[] = {
		{ .name = BYTES_INIT("User-Agent"), .id = FIELD_USER_AGENT },
		{ .name = BYTES_INIT("Accept"), .value = BYTES_INIT("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8") },
		{ .name = BYTES_INIT("Accept-Language"), .value = BYTES_INIT("en-GB,en;q=0.5") },
		{ .name = BYTES_INIT("Accept-Encoding"), .value = BYTES_INIT("gzip, deflate, br") },
		{ .name = BYTES_INIT("Referer"), .value = BYTES_INIT("https://shop.example/catalogue/list?page=7"), .id = FIELD_REFERER },
		{ .name = BYTES_INIT("Cookie"), .value = BYTES_INIT("session=0123456789abcdef"), .id = FIELD_COOKIE },
	};
	char id[ULID_LEN], app[16], path[64], query[96], agent[96], as[16], host[32];
	const size_t kind = often(nelems(kinds));
	struct request q = { .minor = 1, .fields = { fields, nelems(fields), nelems(fields) } };
	struct hit hits[8];
	struct event e = { .wall_ms = time_ms, .source = kinds[kind].source, .action = kinds[kind].action, .would = kinds[kind].action,
			   .status = kinds[kind].status, .request = &q, .client_from = BYTES("connection"), .hits = hits,
			   .reason = BYTES("SQL Injection Attack Detected via libinjection"), .threshold = 5, .duration_us = 2100 };
	uint32_t client = 0x0a000000u + (uint32_t)often(CLIENTS) * 37;

	ulid_next(ids, time_ms, id);
	e.id = (struct bytes){ id, sizeof id };
	e.app = say(app, sizeof app, "app-%llu", often(20));
	e.client = e.peer = (struct ip){ { [10] = 0xff, [11] = 0xff, [12] = (uint8_t)(client >> 24), [13] = (uint8_t)(client >> 16),
					   [14] = (uint8_t)(client >> 8), [15] = (uint8_t)client } };
	e.country = bytes_of(countries[often(nelems(countries))]);
	e.as = say(as, sizeof as, "%llu", 1000 + often(3000));
	e.as_name = BYTES("Example Networks");
	q.method = bytes_of(methods[any(nelems(methods))]);
	q.hostname = say(host, sizeof host, "shop-%llu.example", often(20));
	q.path = say(path, sizeof path, "/catalogue/section/item-%llu/view", often(PATHS));
	q.query = say(query, sizeof query, "search=1%%27+UNION+SELECT+user%%2C+password&page=%llu", any(1000));
	fields[0].value = say(agent, sizeof agent, "Mozilla/5.0 (X11; Linux x86_64; rv:%llu.0) Gecko/20100101 Firefox/128.0", often(140));
	e.nhits = kinds[kind].source == SOURCE_RULE ? hits_of(hits) : 0;
	events_offer(v, &e, NULL);
}

static void fill(struct archive *a, struct events *v, uint64_t n, uint64_t now_ms, bool as_json)
{
	struct ulid_source ids;
	uint64_t from_us = clock_mono_us(), us;
	struct archive_counts c;

	ulid_seed(&ids, (const uint8_t *)"bench of events");
	for (uint64_t i = 0; i < n; i++) {
		offer(v, &ids, now_ms - DAY_MS + i * DAY_MS / n);
		if (i % EVENTS_COUNT == EVENTS_COUNT / 2)
			archive_flush(a);
	}
	archive_flush(a);
	archive_count(a, &c);
	us = clock_mono_us() - from_us;
	if (as_json)
		printf("{\"what\": \"written\", \"events\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"us_each\": %.1f, \"mb\": %.0f}\n",
		       c.written, c.dropped, (double)us / (double)n, (double)c.bytes / 1e6);
	else
		printf("filled: %" PRIu64 " written, %" PRIu64 " lost, %.1f s, %.0f us each, %.0f MB\n", c.written, c.dropped,
		       (double)us / 1e6, (double)us / (double)n, (double)c.bytes / 1e6);
}

/* ---- asking ---- */

struct answer {
	struct loop *loop;
	size_t rows;
	bool failed, over;
};

static void on_page(void *owner, const struct archive_page *p)
{
	struct answer *answer = owner;

	answer->rows = p->n;
	answer->failed = p->failed;
	answer->over = p->next && p->n < PAGE;
	loop_stop(answer->loop);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The slowest of them, in us. */
static uint64_t ask(struct archive *a, struct loop *loop, const char *name, const struct archive_ask *what, bool as_json)
{
	struct answer answer = { .loop = loop };
	uint64_t us[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		us[i] = clock_mono_us();
		if (!archive_list(a, what, loop, on_page, &answer))
			exit(1);
		loop_run(loop);
		us[i] = clock_mono_us() - us[i];
	}
	qsort(us, ROUNDS, sizeof us[0], by_size);
	if (as_json)
		printf("{\"what\": \"%s\", \"ms\": %.2f, \"slowest_ms\": %.2f, \"rows\": %zu}\n", name,
		       (double)us[ROUNDS / 2] / 1e3, (double)us[ROUNDS - 1] / 1e3, answer.rows);
	else
		printf("%-44s %7.1f ms %7.1f ms %5zu%s%s\n", name, (double)us[ROUNDS / 2] / 1e3, (double)us[ROUNDS - 1] / 1e3,
		       answer.rows, answer.over ? "+" : "", answer.failed ? "  FAILED" : "");
	return answer.failed ? UINT64_MAX : us[ROUNDS - 1];
}

static struct ip_net net(const char *text)
{
	struct ip_net n;

	if (!ip_net_parse(bytes_of(text), &n))
		exit(1);
	return n;
}

static void on_top(void *owner, const struct archive_top *top)
{
	struct answer *answer = owner;

	answer->rows = top->n;
	answer->failed = top->failed;
	answer->over = top->partial;
	loop_stop(answer->loop);
}

/* What most have in common, of all of them. */
static uint64_t ask_top(struct archive *a, struct loop *loop, const char *by, bool as_json)
{
	const struct archive_ask all = { .limit = 10 };
	struct answer answer = { .loop = loop };
	uint64_t us = clock_mono_us();

	if (!archive_top(a, bytes_of(by), &all, loop, on_top, &answer))
		exit(1);
	loop_run(loop);
	us = clock_mono_us() - us;
	if (as_json)
		printf("{\"what\": \"most by %s\", \"ms\": %.2f, \"slowest_ms\": %.2f, \"rows\": %zu}\n", by, (double)us / 1e3,
		       (double)us / 1e3, answer.rows);
	else
		printf("most by %-36s %7.1f ms %10s %5zu%s\n", by, (double)us / 1e3, "", answer.rows, answer.over ? "+" : "");
	return us;
}

static uint64_t ask_all(struct archive *a, struct loop *loop, uint64_t n, uint64_t now_ms, bool as_json)
{
	const struct { const char *name; struct archive_ask what; } asks[] = {
		{ "everything, newest", { .limit = PAGE } },
		{ "everything, 500 of them", { .limit = 500 } },
		{ "everything, the last page", { .before = PAGE, .limit = PAGE } },
		{ "app, often", { .app = BYTES("app-0"), .limit = PAGE } },
		{ "app, seldom", { .app = BYTES("app-19"), .limit = PAGE } },
		{ "app, never", { .app = BYTES("nobody"), .limit = PAGE } },
		{ "action", { .action = BYTES("challenge"), .limit = PAGE } },
		{ "action, never", { .action = BYTES("captcha"), .limit = PAGE } },
		{ "source", { .source = BYTES("protocol"), .limit = PAGE } },
		{ "rule, often", { .rule = BYTES("941100"), .limit = PAGE } },
		{ "rule, seldom", { .rule = BYTES("944090"), .limit = PAGE } },
		{ "rule, never", { .rule = BYTES("999999"), .limit = PAGE } },
		{ "address, often", { .net = net("10.0.0.0"), .has_net = true, .limit = PAGE } },
		{ "address, never", { .net = net("192.0.2.1"), .has_net = true, .limit = PAGE } },
		{ "network /16", { .net = net("10.8.0.0/16"), .has_net = true, .limit = PAGE } },
		{ "network, never", { .net = net("192.0.2.0/24"), .has_net = true, .limit = PAGE } },
		{ "country", { .country = BYTES("VN"), .limit = PAGE } },
		{ "country, never", { .country = BYTES("AQ"), .limit = PAGE } },
		{ "as, never", { .as = 64512, .has_as = true, .limit = PAGE } },
		{ "path, seldom", { .path = BYTES("item-1999"), .limit = PAGE } },
		{ "path, never", { .path = BYTES("/wp-admin"), .limit = PAGE } },
		{ "method, never", { .method = BYTES("PATCH"), .limit = PAGE } },
		{ "status, never", { .status = 418, .limit = PAGE } },
		{ "id, its beginning", { .id = BYTES("01"), .limit = PAGE } },
		{ "id, never", { .id = BYTES("7ZZZZZZZZZZZ"), .limit = PAGE } },
		{ "q, often", { .q = BYTES("union"), .limit = PAGE } },
		{ "q, never", { .q = BYTES("not in any of them"), .limit = PAGE } },
		{ "an hour of yesterday", { .from_ms = now_ms - DAY_MS, .to_ms = now_ms - DAY_MS + 3600000, .limit = PAGE } },
		{ "before everything", { .to_ms = now_ms - 2 * (uint64_t)DAY_MS, .limit = PAGE } },
		{ "app and action", { .app = BYTES("app-3"), .action = BYTES("deny"), .limit = PAGE } },
		{ "app and action, never together", { .app = BYTES("app-0"), .action = BYTES("captcha"), .limit = PAGE } },
		{ "address and action, never together",
		  { .net = net("10.0.0.0"), .has_net = true, .action = BYTES("captcha"), .limit = PAGE } },
		{ "rule, country and path, never together",
		  { .rule = BYTES("941100"), .country = BYTES("DE"), .path = BYTES("nowhere"), .limit = PAGE } },
		{ "app, q and time, never together",
		  { .app = BYTES("app-0"), .q = BYTES("nowhere"), .from_ms = now_ms - DAY_MS, .limit = PAGE } },
		{ "rule, path and q, never together",
		  { .rule = BYTES("941100"), .path = BYTES("item"), .q = BYTES("nowhere"), .limit = PAGE } },
		{ "behind a number, as a stream asks", { .behind = (int64_t)n - 10, .is_behind = true, .limit = PAGE } },
	};
	static const char *const tops[] = { "app", "country", "path", "address", "rule", "user_agent" };
	uint64_t worst = 0;

	if (!as_json)
		printf("%-44s %10s %10s %5s\n", "", "median", "slowest", "rows");
	for (size_t i = 0; i < nelems(asks); i++) {
		uint64_t us = ask(a, loop, asks[i].name, &asks[i].what, as_json);

		worst = us > worst ? us : worst;
	}
	for (size_t i = 0; i < nelems(tops); i++) {
		uint64_t us = ask_top(a, loop, tops[i], as_json);

		worst = us > worst ? us : worst;
	}
	return worst;
}

static void remove_file(const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char name[512];

	for (size_t i = 0; i < nelems(parts); i++) {
		snprintf(name, sizeof name, "%s%s", path, parts[i]);
		unlink(name);
	}
}

int main(int argc, char **argv)
{
	const char *dir = getenv("TMPDIR"), *keep = NULL;
	uint64_t n = 200000, worst, now_ms = clock_wall_ms();
	char path[256];
	struct archive_bounds bounds;
	struct err err = { 0 };
	struct events *v = events_new(EVENTS_COUNT, EVENTS_BYTES);
	struct loop *loop = loop_new();
	struct archive *a;
	bool as_json = false;

	for (int opt; (opt = getopt(argc, argv, "n:o:j")) != -1;)
		if (opt == 'n')
			n = strtoull(optarg, NULL, 10);
		else if (opt == 'o')
			keep = optarg;
		else
			as_json = true;
	snprintf(path, sizeof path, "%s/bench_events.%d.db", dir ? dir : "/tmp", (int)getpid());
	bounds = (struct archive_bounds){ n, UINT64_C(1) << 40, UINT64_C(30) * DAY_MS };
	remove_file(keep ? keep : path);
	a = v && loop ? archive_open(keep ? keep : path, v, loop, &bounds, &err) : NULL;
	if (!a) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	fill(a, v, n, now_ms, as_json);
	worst = ask_all(a, loop, n, now_ms, as_json);
	if (!as_json)
		printf("slowest page: %.1f ms; wanted: below 100 ms at 200,000 events\n", (double)worst / 1e3);
	archive_close(a);
	events_free(v);
	if (!keep)
		remove_file(path);
	return as_json || worst < 100000 ? 0 : 2;
}
