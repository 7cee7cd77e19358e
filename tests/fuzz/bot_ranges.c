/* What is read of a list is disjoint and ascending, holds its own ends and nothing beside them, and reads back the same. */
#include "proxy/bots_ranges.h"
#include "tests/fuzz/must.h"
#include <stdlib.h>

static bool step(struct ip *ip, int by)
{
	for (int i = 15; i >= 0; i--) {
		ip->b[i] = (uint8_t)(ip->b[i] + by);
		if (ip->b[i] != (by > 0 ? 0 : 0xff))
			return true;
	}
	return false;
}

static void holds_its_ends(const struct ranges *r, size_t i)
{
	struct ip first, last, before, behind;

	ranges_at(r, i, &first, &last);
	must(memcmp(first.b, last.b, sizeof first.b) <= 0);
	must(ranges_hold(r, &first) && ranges_hold(r, &last));
	before = first;
	behind = last;
	must(!step(&before, -1) || !ranges_hold(r, &before));
	must(!step(&behind, 1) || !ranges_hold(r, &behind));
}

/* By single addresses, as far as they are few. */
static void reads_back(const struct ranges *r)
{
	char room[64 << 6];
	struct text t = text_over(room, sizeof room);
	struct err e;
	struct ranges *again;
	struct ip first, last;

	for (size_t i = 0; i < ranges_count(r); i++) {
		ranges_at(r, i, &first, &last);
		if (memcmp(first.b, last.b, sizeof first.b) != 0)
			return;
		ip_text(&t, &first);
		text_byte(&t, '\n');
	}
	if (t.full)
		return;
	again = ranges_read(text_bytes(&t), &e);
	must(again && ranges_count(again) == ranges_count(r));
	ranges_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	struct ranges *r = ranges_read((struct bytes){ (const char *)data, size }, &e);

	must(r || e.text[0]);
	if (!r)
		return 0;
	must(ranges_count(r) > 0);
	for (size_t i = 0; i < ranges_count(r) && i < 256; i++)
		holds_its_ends(r, i);
	reads_back(r);
	ranges_free(r);
	return 0;
}
