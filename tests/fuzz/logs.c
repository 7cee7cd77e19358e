/* Whatever a log holds, a fact points into the line, the arena or our own tables, and an event has an address and a type.
 * A combined line printed from what was read gives the same facts again. */
#include "scenarios/logs.h"
#include "base/text.h"
#include "tests/fuzz/must.h"

enum { ARENA_CAP = 4 << 20, PRINTED = 128 << 10 };

/* Reads every byte of it: ASan knows what lies outside of line and arena. */
static void touch(struct bytes b)
{
	must(b.len == 0 || b.at);
	must(bytes_cmp(b, b) == 0);
}

static void touch_all(const struct facts *f)
{
	for (size_t i = 0; i < FACT_COUNT; i++)
		touch(f->at[i]);
	for (const struct fact_extra *e = f->extra; e; e = e->next) {
		touch(e->name);
		touch(e->value);
	}
}

/* Not every kind among nginx's says a length. */
static struct bytes length_of(const struct facts *f)
{
	return f->at[FACT_BODY_BYTES].len ? f->at[FACT_BODY_BYTES] : BYTES("-");
}

static void same(const struct facts *a, const struct facts *b)
{
	static const enum fact kept[] = {
		FACT_SOURCE_IP, FACT_HTTP_PATH, FACT_REQUEST, FACT_HTTP_ARGS, FACT_HTTP_ARGS_LEN, FACT_VERB, FACT_HTTP_VERSION, FACT_STATUS,
		FACT_REFERER, FACT_USER_AGENT, FACT_TARGET_FQDN, FACT_FILE_NAME, FACT_STATIC, FACT_IMPACT,
	};

	for (size_t i = 0; i < nelems(kept); i++)
		must(bytes_eq(a->at[kept[i]], b->at[kept[i]]));
	must(bytes_eq(length_of(a), length_of(b)));
}

static void put_field(struct text *t, const char *before, struct bytes value, const char *after)
{
	text_str(t, before);
	text_put(t, value);
	text_str(t, after);
}

static void print_combined(struct text *t, const struct facts *f)
{
	if (f->at[FACT_TARGET_FQDN].len)
		put_field(t, "", f->at[FACT_TARGET_FQDN], " ");
	put_field(t, "", f->at[FACT_SOURCE_IP], " - - [29/Sep/2021:17:29:58 +0000] \"");
	if (f->at[FACT_VERB].len)
		put_field(t, "", f->at[FACT_VERB], " ");
	text_put(t, f->at[FACT_HTTP_PATH]);
	if (f->at[FACT_VERB].len)
		put_field(t, " HTTP/", f->at[FACT_HTTP_VERSION], "");
	put_field(t, "\" ", f->at[FACT_STATUS], " ");
	put_field(t, "", length_of(f), " \"");
	put_field(t, "", f->at[FACT_REFERER], "\" \"");
	put_field(t, "", f->at[FACT_USER_AGENT], "\"");
}

static void reads_back(const struct log_reader *nginx, const struct facts *f)
{
	static char room[PRINTED];
	struct text t = text_over(room, sizeof room);
	struct arena *a = arena_new(ARENA_CAP);
	struct facts again = { 0 };

	print_combined(&t, f);
	must(!t.full);
	must(nginx->read(a, text_bytes(&t), &again) == LOG_READ);
	same(f, &again);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct log_reader *nginx = log_reader_find(BYTES("nginx")), *r;
	struct arena *a = arena_new(ARENA_CAP);
	struct facts f = { 0 };
	size_t n;

	if (size == 0 || size > LOG_READ_MAX) {
		arena_free(a);
		return 0;
	}
	r = &log_readers(&n)[data[0] % n];
	if (r->read(a, (struct bytes){ (const char *)data + 1, size - 1 }, &f) == LOG_READ) {
		touch_all(&f);
		must(f.at[FACT_SOURCE_IP].len && f.at[FACT_SERVICE].len);
		must(f.wall_ms == f.at_us / 1000);
		/* A line that begins with a bracket is in another form (Nginx Proxy Manager's), which has texts that this one has not. */
		if (r == nginx && data[1] != '[' && bytes_eq(f.at[FACT_LOG_TYPE], BYTES("http_access-log")))
			reads_back(nginx, &f);
	}
	arena_free(a);
	return 0;
}
