/* metrics_sample.c -- one line: name, labels, value; and the lines of a histogram. */
#include "admin/metrics_sample.h"

void sample_open(struct scrape *s, const char *suffix)
{
	text_str(s->t, s->family);
	text_str(s->t, suffix);
	text_byte(s->t, '{');
}

/* Names of apps and servers come from the configuration: any UTF-8. */
void sample_label(struct scrape *s, const char *name, struct bytes value)
{
	struct text *t = s->t;

	if (!t->full && t->at[t->len - 1] != '{')
		text_byte(t, ',');
	text_str(t, name);
	text_str(t, "=\"");
	for (size_t i = 0; i < value.len; i++)
		switch (value.at[i]) {
		case '\\': text_str(t, "\\\\"); break;
		case '"': text_str(t, "\\\""); break;
		case '\n': text_str(t, "\\n"); break;
		default: text_byte(t, value.at[i]);
		}
	text_byte(t, '"');
}

void sample_value(struct scrape *s)
{
	struct text *t = s->t;

	if (!t->full && t->at[t->len - 1] == '{')
		t->len--;
	else
		text_byte(t, '}');
	text_byte(t, ' ');
}

void sample_close(struct scrape *s, uint64_t value)
{
	sample_value(s);
	text_u64(s->t, value);
	text_byte(s->t, '\n');
}

void sample_seconds(struct text *t, uint64_t us)
{
	unsigned digits = 6, rest = (unsigned)(us % 1000000);

	text_u64(t, us / 1000000);
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	text_printf(t, ".%0*u", (int)digits, rest);
}

uint64_t sample_sum(void *const *workers, unsigned n, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += cell_read((const cell *)(const void *)((const char *)workers[i] + offset));
	return sum;
}

static uint64_t bucket_sum(const struct scrape *s, const struct spread *h, unsigned i)
{
	return sample_sum(h->workers, s->m->nworkers, h->offset + offsetof(struct histogram, count) + i * sizeof(cell));
}

static void put_bucket(struct scrape *s, labels *own, const void *owner, struct bytes bound, uint64_t count)
{
	sample_open(s, "_bucket");
	own(s, owner);
	sample_label(s, "le", bound);
	sample_close(s, count);
}

static void put_value(struct text *t, const struct buckets *b, uint64_t value)
{
	if (b->points)
		text_u64(t, value);
	else
		sample_seconds(t, value);
}

uint64_t sample_count(const struct scrape *s, const struct spread *h)
{
	uint64_t count = 0;

	for (unsigned i = 0; i <= h->buckets->n; i++)
		count += bucket_sum(s, h, i);
	return count;
}

/* The sum is read first, then the counts, so that a scrape in the middle of an
 * observation shows no time without its request. */
void sample_histogram(struct scrape *s, const struct spread *h, labels *own, const void *owner)
{
	uint64_t us = sample_sum(h->workers, s->m->nworkers, h->offset + offsetof(struct histogram, sum_us));
	uint64_t count = 0;

	for (unsigned i = 0; i < h->buckets->n; i++) {
		char bound[32];
		struct text le = text_over(bound, sizeof bound);

		put_value(&le, h->buckets, h->buckets->us[i]);
		count += bucket_sum(s, h, i);
		put_bucket(s, own, owner, text_bytes(&le), count);
	}
	count += bucket_sum(s, h, h->buckets->n);
	put_bucket(s, own, owner, BYTES("+Inf"), count);
	sample_open(s, "_sum");
	own(s, owner);
	sample_value(s);
	put_value(s->t, h->buckets, us);
	text_byte(s->t, '\n');
	sample_open(s, "_count");
	own(s, owner);
	sample_close(s, count);
}
