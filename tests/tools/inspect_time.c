/* inspect_time -- what inspecting a request costs, parsing not counted.
 *
 *   inspect_time [-s SHAPE] [-w] RULES...      SHAPE: 0 to 3, default all
 *
 * -w: texts are looked for as in the first seconds after a start with an empty cache.
 * 1,000 different requests from 200 clients, which come again as clients do:
 * the same User-Agent and cookies each time. Prints nanoseconds a request, with
 * the memo of clean values and with a new one each time (every value is new). */
#include "base/http1.h"
#include "base/path.h"
#include "rules/rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REQUESTS = 1000, CLIENTS = 200, ROUNDS = 20, HEAD_MAX = 16 << 10, ARENA_CAP = 8 << 20 };

struct sample {
	char head[HEAD_MAX];
	char body[HEAD_MAX];
	struct request request;
	struct bytes payload;
};

struct shape {
	const char *name;
	void (*make)(struct text *head, struct text *body, unsigned n);
};

static void fields(struct text *t, unsigned client)
{
	text_printf(t, "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
		       "(KHTML, like Gecko) Chrome/%u.0.%u.%u Safari/537.36\r\n", 100 + client % 40, client * 7, client);
	text_str(t, "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
		    "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9,de;q=0.7\r\n"
		    "Cache-Control: max-age=0\r\nConnection: keep-alive\r\nSec-Fetch-Mode: navigate\r\n"
		    "Sec-Fetch-Site: same-origin\r\nReferer: https://shop.example/products/shoes\r\n");
}

static void cookies(struct text *t, unsigned client)
{
	text_printf(t, "Cookie: session=%08x%08x%08x; theme=dark; _ga=GA1.2.%u.%u; consent=%%7B%%22stats%%22%%3Atrue%%7D; "
		       "cart=%x-%x\r\n", client * 2654435761u, client * 40503u, client + 77, client * 99991, 1700000000 + client,
		    client, client * 31);
}

static void plain_get(struct text *head, struct text *body, unsigned n)
{
	(void)body;
	text_printf(head, "GET /products/category-%u/item-%u.html HTTP/1.1\r\n", n % 17, n);
	fields(head, n % CLIENTS);
	text_str(head, "\r\n");
}

static void rich_get(struct text *head, struct text *body, unsigned n)
{
	(void)body;
	text_printf(head, "GET /search?q=blue+shirt+%u&page=%u&sort=price_asc&filters%%5Bcolor%%5D=navy%%20blue&size=XL&"
			  "utm_source=newsletter&utm_campaign=autumn-sale-%u&ref=aHR0cHM6Ly93d3cuZXhhbXBsZS5jb20v HTTP/1.1\r\n",
		    n, n % 30, n % 7);
	fields(head, n % CLIENTS);
	cookies(head, n % CLIENTS);
	text_str(head, "\r\n");
}

static void form(struct text *head, struct text *body, unsigned n)
{
	text_printf(body, "csrf=%08x%08x&name=Anna+Schmidt&email=anna.schmidt%%40example.com&street=Main+Street+%u&city=Springfield&"
			  "country=US&phone=%%2B1+555+010-%04u&newsletter=on&comment=", n * 2654435761u, n, n % 200, n % 9999);
	for (int i = 0; i < 12; i++)
		text_str(body, "Please+deliver+in+the+afternoon%2C+the+bell+is+broken.+Thanks%21+");
	text_str(head, "POST /checkout HTTP/1.1\r\n");
	fields(head, n % CLIENTS);
	cookies(head, n % CLIENTS);
	text_printf(head, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n", body->len);
}

static void json(struct text *head, struct text *body, unsigned n)
{
	text_str(body, "{\"items\":[");
	for (unsigned i = 0; i < 80; i++)
		text_printf(body, "%s{\"id\":%u,\"name\":\"Item %u\",\"note\":\"gift wrapped, please\",\"price\":%u.99,\"tags\":[\"new\",\"sale\"]}",
			    i ? "," : "", n + i, i, i * 3);
	text_str(body, "]}");
	text_str(head, "POST /api/v1/orders HTTP/1.1\r\n");
	fields(head, n % CLIENTS);
	cookies(head, n % CLIENTS);
	text_printf(head, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body->len);
}

static const struct shape shapes[] = {
	{ "GET, 10 fields", plain_get },
	{ "GET, query, cookies", rich_get },
	{ "form of 1 KB", form },
	{ "JSON of 8 KB", json },
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fill(struct arena *a, struct sample *s, const struct shape *shape, unsigned n)
{
	static const struct http1_limits limits = { HEAD_MAX, HEAD_MAX, 100 };
	struct text head = text_over(s->head, sizeof s->head), body = text_over(s->body, sizeof s->body);
	struct bytes *readings = arena_get(a, PATH_READINGS_MAX * sizeof *readings);
	struct err e = { 0 };

	shape->make(&head, &body, n);
	if (head.full || body.full || !http1_parse_request(a, text_bytes(&head), &limits, &s->request, &e)) {
		fprintf(stderr, "inspect_time: %s: %s\n", shape->name, e.text);
		exit(1);
	}
	s->payload = text_bytes(&body);
	s->request.nreadings = path_readings(a, s->request.path, readings);
	s->request.readings = readings;
}

static void inspect(const struct ruleset *rs, struct rules_scratch *scratch, const struct sample *s, const char *name)
{
	static const struct inspect_options options = { .window = 256 << 10 };
	struct arena *a = arena_new(ARENA_CAP);
	struct inspection *in = inspection_new(a, rs, scratch, &s->request, &options);
	const struct verdict *v = inspection_head(in);
	uint64_t release;

	if (s->payload.len) {
		inspection_body(in, s->payload, &release);
		inspection_end(in);
	}
	if (v->nhits || v->error.len) {
		fprintf(stderr, "inspect_time: %s: %s\n", name, v->nhits ? v->hits[0].rule->id : v->error.at);
		exit(1);
	}
	arena_free(a);
}

static double run(const struct ruleset *rs, const struct sample *samples, const char *name, bool memo)
{
	struct rules_scratch *scratch = rules_scratch_new();
	uint64_t took = 0;

	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < REQUESTS; i++) {
			uint64_t from;

			if (!memo && i % 50 == 0) { /* setting up is not counted */
				rules_scratch_free(scratch);
				scratch = rules_scratch_new();
				inspect(rs, scratch, &samples[(i + 500) % REQUESTS], name);
			}
			from = memo && i ? 0 : now_ns();
			inspect(rs, scratch, &samples[i], name);
			if (!memo)
				took += now_ns() - from;
		}
	if (memo) {
		uint64_t from = now_ns();

		for (int round = 0; round < ROUNDS; round++)
			for (int i = 0; i < REQUESTS; i++)
				inspect(rs, scratch, &samples[i], name);
		took = now_ns() - from;
	}
	rules_scratch_free(scratch);
	return (double)took / (REQUESTS * ROUNDS);
}

int main(int argc, char **argv)
{
	size_t first = 0, last = nelems(shapes);
	struct ruleset_options o = { 0 };
	struct sample *samples = calloc(REQUESTS, sizeof *samples);
	struct err e = { 0 };
	struct ruleset *rs;
	uint64_t from;
	int c;

	while ((c = getopt(argc, argv, "s:w")) != -1)
		switch (c) {
		case 's': first = strtoul(optarg, NULL, 10); last = first + 1; break;
		case 'w': o.matcher = &matcher_words; break;
		default: return 2;
		}
	o.files = (const char *const *)argv + optind;
	o.nfiles = (size_t)(argc - optind);
	from = now_ns();
	rs = ruleset_load(&o, &e);
	if (!rs || !samples) {
		fprintf(stderr, "inspect_time: %s\n", e.text);
		return 1;
	}
	printf("%zu rules, loaded in %.0f ms\n", ruleset_count(rs), (double)(now_ns() - from) / 1e6);
	for (size_t k = first; k < last && k < nelems(shapes); k++) {
		struct arena *a = arena_new(256 << 20);

		memset(samples, 0, REQUESTS * sizeof *samples);
		for (unsigned i = 0; i < REQUESTS; i++)
			fill(a, &samples[i], &shapes[k], i);
		printf("%-22s %7.0f ns", shapes[k].name, run(rs, samples, shapes[k].name, true));
		printf("   %7.0f ns with few values seen before\n", run(rs, samples, shapes[k].name, false));
		arena_free(a);
	}
	ruleset_free(rs);
	free(samples);
	return 0;
}
