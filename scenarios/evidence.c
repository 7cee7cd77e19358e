/* evidence.c -- events as buckets keep them: the few facts that tell people what happened, packed.
 *
 * A fact is its number, a length of two bytes, and its bytes; a time of eight stands in front. One without a number is its
 * name and its value. `all`: everything is kept, which is what CrowdSec does and its alerts show, and what a condition over
 * the queue may ask for. */
#include "scenarios/scenario.h"

enum { EXTRA = 255, LONG_TEXT = 160 };

/* What is kept where memory counts. */
static const enum fact few[] = {
	FACT_SOURCE_IP, FACT_VERB, FACT_TARGET_FQDN, FACT_HTTP_PATH, FACT_STATUS, FACT_USER, FACT_RULE_NAME,
};

static void put(struct text *t, unsigned number, struct bytes b)
{
	char head[3] = { (char)number, (char)(b.len >> 8), (char)b.len };

	if (t->cap - t->len < sizeof head + b.len)
		return; /* what does not fit is left out whole */
	text_put(t, (struct bytes){ head, sizeof head });
	text_put(t, b);
}

static struct bytes cut(struct bytes b, size_t most)
{
	return b.len > most ? (struct bytes){ b.at, most } : b;
}

struct bytes evidence_pack(bool all, const struct facts *f, char *room, size_t cap)
{
	struct text t = text_over(room, cap);

	text_put(&t, (struct bytes){ (const char *)&f->wall_ms, sizeof f->wall_ms });
	for (unsigned i = 0; all && i < FACT_COUNT; i++)
		if (f->at[i].len)
			put(&t, i, cut(f->at[i], UINT16_MAX));
	for (size_t i = 0; !all && i < nelems(few); i++)
		if (f->at[few[i]].len)
			put(&t, few[i], cut(f->at[few[i]], LONG_TEXT));
	for (const struct fact_extra *e = f->extra; e; e = e->next) {
		put(&t, EXTRA, cut(e->name, UINT16_MAX));
		put(&t, EXTRA, cut(e->value, UINT16_MAX));
	}
	return text_bytes(&t);
}

static bool take(struct bytes *b, unsigned *number, struct bytes *value)
{
	size_t len;

	if (b->len < 3)
		return false;
	*number = (unsigned char)b->at[0];
	len = (size_t)(unsigned char)b->at[1] << 8 | (unsigned char)b->at[2];
	*value = bytes_sub(*b, 3, 3 + len);
	*b = bytes_from(*b, 3 + len);
	return true;
}

void evidence_unpack(struct arena *a, struct bytes b, struct facts *f)
{
	struct bytes value, name;
	unsigned number;

	*f = (struct facts){ .wall_ms = 0 };
	if (b.len < sizeof f->wall_ms)
		return;
	memcpy(&f->wall_ms, b.at, sizeof f->wall_ms);
	b = bytes_from(b, sizeof f->wall_ms);
	while (take(&b, &number, &value))
		if (number < FACT_COUNT)
			f->at[number] = value;
		else if (name = value, take(&b, &number, &value))
			facts_put(f, a, name, value);
}
