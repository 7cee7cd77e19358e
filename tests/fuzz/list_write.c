/* list_write.c -- whatever decisions lie in each other, what is written for a proxy says of each address what they say together,
 * once; and as JSON and CSV they read back. */
#include "cti/list_write.h"
#include "tests/fuzz/must.h"

enum { MOST = 24, NOW = 1000000 };

static struct decision all[MOST];
static char values[MOST][24], reasons[MOST][8];
static size_t n;

static void each(void *from, bool (*take)(void *, const struct decision *), void *ctx)
{
	(void)from;
	for (size_t i = 0; i < n; i++)
		if (!take(ctx, &all[i]))
			return;
}

/* Five bytes each, in the first, a middle and the last /24 of all. */
static void make(const uint8_t *data, size_t size)
{
	static const char *const nets[] = { "0.0.0", "192.0.2", "255.255.255" };

	for (n = 0; n < MOST && size >= 5; n++, data += 5, size -= 5) {
		snprintf(values[n], sizeof values[n], "%s.%u/%u", nets[data[0] % 3], data[1], 24u + data[2] % 9);
		memcpy(reasons[n], data, 5);
		all[n] = (struct decision){ .scope = SCOPE_RANGE, .value = bytes_of(values[n]), .reason = { reasons[n], 5 },
					    .remedy = (enum remedy_kind)(data[3] % REMEDY_COUNT), .until_ms = NOW + 1000 + data[4] * 1000u };
	}
}

static enum remedy_kind held(const struct ip *ip)
{
	enum remedy_kind r = REMEDY_COUNT;
	struct ip_net net;

	for (size_t i = 0; i < n; i++) {
		must(ip_net_parse(all[i].value, &net));
		if (all[i].remedy == REMEDY_LOG || !ip_in_net(ip, &net))
			continue;
		if (r == REMEDY_COUNT || (r != REMEDY_ALLOW && (all[i].remedy == REMEDY_ALLOW || all[i].remedy > r)))
			r = all[i].remedy;
	}
	return r;
}

static enum remedy_kind said(struct bytes text, const struct ip *ip)
{
	enum remedy_kind r = REMEDY_COUNT;
	struct bytes line;

	while (bytes_cut(&text, '\n', &line)) {
		size_t space = bytes_index(line, ' ');
		struct ip_net net;

		if (!ip_net_parse(bytes_sub(line, 0, space), &net) || !ip_in_net(ip, &net))
			continue;
		must(r == REMEDY_COUNT && remedy_from_word(bytes_from(line, space + 1), &r));
	}
	return r;
}

static void says_the_same(void)
{
	static const char *const nets[] = { "0.0.0.0", "192.0.2.0", "255.255.255.0" };
	struct list_source s = { each, NULL };
	struct bytes text;
	struct ip ip;

	must(list_write(LIST_AS_HAPROXY, &s, NOW, &text, NULL));
	for (size_t i = 0; i < nelems(nets); i++) {
		must(ip_parse(bytes_of(nets[i]), &ip));
		for (unsigned last = 0; last < 256; last++) {
			ip.b[15] = (uint8_t)last;
			must(said(text, &ip) == held(&ip));
		}
	}
	free((void *)(uintptr_t)text.at);
}

static bool take(void *ctx, const struct list_record *k, struct err *err)
{
	size_t *i = ctx;
	struct decision d;

	must(list_record_decision(k, NOW, &d, err));
	must(*i < n && bytes_eq(d.value, all[*i].value) && d.remedy == all[*i].remedy && d.until_ms == all[*i].until_ms);
	++*i;
	return true;
}

static void reads_back(enum list_form form)
{
	struct list_read_options o = { .decisions = true };
	struct list_source s = { each, NULL };
	size_t i = 0;
	struct list_reader *r = list_reader_new(&o, take, &i);
	struct bytes text;
	struct err e;

	must(list_write(form, &s, NOW, &text, NULL));
	must(list_reader_put(r, text, &e) && list_reader_end(r, &e));
	must(i == n && list_reader_skipped(r) == 0);
	list_reader_free(r);
	free((void *)(uintptr_t)text.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make(data, size);
	says_the_same();
	reads_back(LIST_AS_JSON);
	reads_back(LIST_AS_CSV);
	return 0;
}
