/* list_read.c -- however a list is cut into pieces it reads the same; what it holds, written plainly, reads back equal. */
#include "cti/list_read.h"
#include "tests/fuzz/must.h"

enum { ROOM = 256 << 10 };

static bool put_net(void *ctx, const struct ip_net *net)
{
	struct text *t = ctx;

	ip_text(t, &net->base);
	text_printf(t, "/%u\n", ip_is4(&net->base) && net->bits >= 96 ? net->bits - 96u : net->bits);
	return !t->full;
}

static bool put_record(void *ctx, const struct list_record *k, struct err *err)
{
	must(k->line > 0 && k->value.len > 0);
	if (k->is_block) {
		must(memcmp(k->block.first.b, k->block.last.b, 16) <= 0);
		return list_block_nets(&k->block, put_net, ctx) || err_set(err, SIDE_SELF, 0, "full");
	}
	return true;
}

static bool read_all(const struct list_read_options *o, struct bytes in, size_t piece, struct text *t, size_t *skipped, struct err *e)
{
	struct list_reader *r = list_reader_new(o, put_record, t);
	bool ok = true;

	for (; ok && in.len; in = bytes_from(in, piece))
		ok = list_reader_put(r, bytes_sub(in, 0, piece), e);
	ok = ok && list_reader_end(r, e);
	must(ok || e->text[0]);
	*skipped = list_reader_skipped(r);
	list_reader_free(r);
	return ok;
}

/* IPv4 within IPv6 is written as IPv4, where no shorter prefix can be said: what covers all of it stays IPv6. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[ROOM], second[ROOM], third[ROOM];
	struct text a = text_over(first, ROOM), b = text_over(second, ROOM), c = text_over(third, ROOM);
	struct list_read_options o = { .max_bytes = 1 << 20 }, plain = { .format = LIST_PLAIN };
	struct err e = { 0 };
	size_t skipped, again;
	bool ok;

	if (size < 2)
		return 0;
	o.format = data[0] & 3;
	o.decisions = data[0] & 4;
	o.column = data[0] & 8 ? BYTES("ip") : data[0] & 16 ? BYTES("2") : (struct bytes){ 0 };
	ok = read_all(&o, (struct bytes){ (const char *)data + 2, size - 2 }, 1u + data[1], &a, &skipped, &e);
	must(read_all(&o, (struct bytes){ (const char *)data + 2, size - 2 }, size, &b, &again, &e) == ok);
	if (!ok)
		return 0;
	must(skipped == again && bytes_eq(text_bytes(&a), text_bytes(&b)));
	must(read_all(&plain, text_bytes(&a), 4096, &c, &again, &e));
	must(again == 0 && bytes_eq(text_bytes(&a), text_bytes(&c)));
	return 0;
}
