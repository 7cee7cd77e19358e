/* list_read.c -- lists as others write them, whole and byte by byte. */
#include "cti/list_read.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

struct seen {
	struct text out;
	size_t n, max;
};

static bool note_net(void *ctx, const struct ip_net *net)
{
	struct text *t = ctx;

	ip_text(t, &net->base);
	if (net->bits < 128)
		text_printf(t, "/%u", ip_is4(&net->base) ? net->bits - 96u : net->bits);
	text_byte(t, ' ');
	return true;
}

static bool note(void *ctx, const struct list_record *k, struct err *err)
{
	struct seen *s = ctx;

	if (s->n++ == s->max)
		return err_set(err, SIDE_UPSTREAM, 0, "too many");
	if (k->is_block)
		list_block_nets(&k->block, note_net, &s->out);
	else
		text_printf(&s->out, "%.*s ", BYTES_ARG(k->value));
	if (k->scope.len || k->type.len || k->duration.len || k->reason.len || k->origin.len)
		text_printf(&s->out, "(%.*s %.*s %.*s %.*s %.*s) ", BYTES_ARG(k->scope), BYTES_ARG(k->type), BYTES_ARG(k->duration),
			    BYTES_ARG(k->reason), BYTES_ARG(k->origin));
	return true;
}

struct reading {
	const char *text, *want;     /* want NULL: `err` is in the error */
	enum list_format format;
	const char *column;
	size_t skipped;
	const char *err;
	bool decisions;
};

static char room[64 << 10];

static bool read_in_pieces(const struct list_read_options *o, struct bytes in, size_t piece, struct seen *s, size_t *skipped, struct err *e)
{
	struct list_reader *r = list_reader_new(o, note, s);
	bool ok = true;

	for (; ok && in.len; in = bytes_from(in, piece)) {
		char *own = malloc(piece);
		struct bytes b = bytes_sub(in, 0, piece);

		memcpy(own, b.at, b.len);
		ok = list_reader_put(r, (struct bytes){ own, b.len }, e);
		free(own);
	}
	ok = ok && list_reader_end(r, e);
	*skipped = list_reader_skipped(r);
	list_reader_free(r);
	return ok;
}

static void reads(const struct reading *k, struct bytes in)
{
	static const size_t pieces[] = { 1, 7, 1 << 16 };
	struct list_read_options o = { .format = k->format, .column = bytes_of(k->column), .decisions = k->decisions };

	for (size_t i = 0; i < nelems(pieces); i++) {
		struct seen s = { .out = text_over(room, sizeof room), .max = 1000 };
		struct err e = { 0 };
		size_t skipped;
		bool ok = read_in_pieces(&o, in, pieces[i], &s, &skipped, &e);

		if (ok != (k->want != NULL))
			fail_msg("%s: %s", k->text, ok ? "it is taken" : e.text);
		if (!ok && !strstr(e.text, k->err))
			fail_msg("%s: says \"%s\"", k->text, e.text);
		if (ok)
			assert_bytes(text_bytes(&s.out), bytes_of(k->want));
		if (ok && skipped != k->skipped)
			fail_msg("%s: %zu left out", k->text, skipped);
	}
}

static void each_of(const struct reading *k, size_t n)
{
	for (size_t i = 0; i < n; i++)
		reads(&k[i], bytes_of(k[i].text));
}

static void reads_plain_lists_as_they_are_published(void **state)
{
	static const struct reading all[] = {
		{ .text = "192.0.2.1\n192.0.2.2", .want = "192.0.2.1 192.0.2.2 " },
		{ .text = "\xef\xbb\xbf" "192.0.2.1\r\n\r\n  192.0.2.2\t\r\n", .want = "192.0.2.1 192.0.2.2 " },
		{ .text = "# a\n; b\n// c\n192.0.2.7/24 # host bits\n2001:DB8::/32;x\n", .want = "192.0.2.0/24 2001:db8::/32 " },
		{ .text = "; Spamhaus\n192.0.2.0/24 ; SBL1\n198.51.100.0/24 ; SBL2\n", .want = "192.0.2.0/24 198.51.100.0/24 " },
		{ .text = "192.0.2.1-192.0.2.4\n2001:db8::1 - 2001:db8::2 # two\n",
		  .want = "192.0.2.1 192.0.2.2/31 192.0.2.4 2001:db8::1 2001:db8::2 " },
		{ .text = "0.0.0.0-255.255.255.255\n::/0", .want = "0.0.0.0/0 ::/0 " },
		{ .text = "192.0.2.1\t10\n192.0.2.2 2026-01-01\n", .want = "192.0.2.1 192.0.2.2 " },
		{ .text = "0.0.0.0 ads.example\n<html>\nnonsense\n192.0.2.9\n1.2.3\n1.2.3.4.5\n01.2.3.4\n1.2.3.4/33\n4.4.4.4-4.4.4.3\n-\n",
		  .want = "192.0.2.9 ", .skipped = 9 },
		{ .text = "", .want = "" },
		{ .text = "\n \n", .want = "" },
		{ .text = "192.0.2.1,malware\n", .format = LIST_PLAIN, .want = "192.0.2.1 " },
		{ .text = "::ffff:192.0.2.1\n", .want = "192.0.2.1 " },
	};

	(void)state;
	each_of(all, nelems(all));
}

static void reads_csv_by_name_by_number_and_by_looking(void **state)
{
	static const struct reading all[] = {
		{ .text = "time,src,dst\n1,192.0.2.1,192.0.2.9\n2,192.0.2.2,192.0.2.9\n", .want = "192.0.2.1 192.0.2.2 " },
		{ .text = "time,src,dst\n1,192.0.2.1,192.0.2.9\n", .column = "DST", .want = "192.0.2.9 " },
		{ .text = "1,192.0.2.1,192.0.2.9\n", .column = "3", .want = "192.0.2.9 " },
		{ .text = "time;dst\nx;192.0.2.9\n", .column = "2", .want = "192.0.2.9 " },
		{ .text = "# \"first\",\"ip\"\n\"a, \"\"b\"\"\",\"192.0.2.1\"\n", .want = "192.0.2.1 " },
		{ .text = "a\tip\n1\t192.0.2.1\n\t192.0.2.2\n", .column = "ip", .want = "192.0.2.1 192.0.2.2 " },
		{ .text = "ip,x\nnone,1\n\"192.0.2.1,1\n192.0.2.2,1\n", .want = "192.0.2.2 ", .skipped = 2 },
		{ .text = "ip,x\n1.1.1.1,1\n", .column = "adress", .err = "line 1: no column is called 'adress'" },
		{ .text = "1.1.1.1,1\n", .column = "0", .err = "columns are numbered" },
		{ .text = "192.0.2.1\n192.0.2.2\n", .format = LIST_CSV, .want = "192.0.2.1 192.0.2.2 " },
	};

	(void)state;
	each_of(all, nelems(all));
}

static void reads_json_in_lists_lines_and_objects(void **state)
{
	static const struct reading all[] = {
		{ .text = "[\"192.0.2.1\", \"2001:db8::/32\"]", .want = "192.0.2.1 2001:db8::/32 " },
		{ .text = "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"apnic\"}\n{\"cidr\":\"198.51.100.0/24\"}\n"
			  "{\"type\":\"metadata\",\"timestamp\":1}\n",
		  .want = "192.0.2.0/24 198.51.100.0/24 ", .skipped = 1 },
		{ .text = "{\"prefixes\":[{\"ipv4Prefix\":\"192.0.2.0/24\"},{\"ipv6Prefix\":\"2001:db8::/32\"}],\"n\":-1.5e3,\"t\":[true,null]}",
		  .want = "192.0.2.0/24 2001:db8::/32 " },
		{ .text = "{\"a\":\"192.0.2.1\",\"b\":\"192.0.2.2\"}", .column = "b", .want = "192.0.2.2 " },
		{ .text = "{\"x\":[\"192.0.2.1\"],\"y\":[\"192.0.2.2\"]}", .column = "y", .want = "192.0.2.2 " },
		{ .text = "{\"ip\":\"192\\u002e0.2\\u002E1\"}", .want = "192.0.2.1 " },
		{ .text = "{\"new\":[{\"value\":\"192.0.2.1\"}],\"deleted\":[{\"value\":\"192.0.2.2\"},\"192.0.2.3\"]}", .want = "192.0.2.1 " },
		{ .text = "{}", .want = "", .skipped = 1 },
		{ .text = "[]", .want = "" },
		{ .text = "[1,\"192.0.2.1\"", .err = "line 1: broken JSON: it is cut short" },
		{ .text = "[\"192.0.2.1\"\n\"192.0.2.2\"]", .err = "line 2: broken JSON: ',' or an end" },
		{ .text = "{\"a\" 1}", .err = "':' is expected" },
		{ .text = "{\"a\":1,}", .err = "a name is expected" },
		{ .text = "[1,]", .err = "a value is expected" },
		{ .text = "{\"a\":}", .err = "a value is expected" },
		{ .text = "[nul]", .err = "neither a text" },
		{ .text = "[1}", .err = "an end is expected" },
		{ .text = "]", .format = LIST_JSON, .err = "a value is expected" },
		{ .text = "[\"\\x\"]", .err = "unknown escape" },
		{ .text = "[\"\\u00g0\"]", .err = "hexadecimal" },
		{ .text = "[\"a\nb\"]", .err = "control character" },
		{ .text = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", .err = "deeper than 32" },
	};

	(void)state;
	each_of(all, nelems(all));
}

static void reads_decisions_as_crowdsec_writes_them(void **state)
{
	static const struct reading all[] = {
		{ .text = "duration,reason,scope,type,value\n4h,scan,Ip,ban,192.0.2.1\n1h,geo,Country,captcha,FR\n1h,x,Ip,ban,FR\n", .decisions = true,
		  .want = "192.0.2.1 (Ip ban 4h scan ) FR (Country captcha 1h geo ) ", .skipped = 1 },
		{ .text = "value\n192.0.2.1\n192.0.2.2\n", .decisions = true, .want = "192.0.2.1 192.0.2.2 " },
		{ .text = "192.0.2.1\n", .decisions = true, .want = "192.0.2.1 " },
		{ .text = "[{\"scenario\":\"s\",\"source\":{\"ip\":\"192.0.2.1\",\"value\":\"192.0.2.1\",\"scope\":\"Ip\"},\"decisions\":"
			  "[{\"duration\":\"3h\",\"id\":7,\"origin\":\"cscli\",\"scenario\":\"manual\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"}],"
			  "\"events\":[{\"meta\":[{\"key\":\"ip\",\"value\":\"192.0.2.8\"}]}]}]",
		  .decisions = true, .want = "192.0.2.1 (Ip ban 3h manual cscli) " },
		{ .text = "[{\"scope\":\"AS\",\"value\":64500}]", .decisions = true, .want = "64500 (AS    ) " },
	};

	(void)state;
	each_of(all, nelems(all));
}

static size_t pack(struct bytes in, char *out, size_t cap)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)in.at;
	z.avail_in = (unsigned)in.len;
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	cap -= z.avail_out;
	deflateEnd(&z);
	return cap;
}

static void unpacks_gzip_of_several_members_and_no_bomb(void **state)
{
	static char packed[64 << 10], zeros[4 << 20];
	size_t n = pack(BYTES("192.0.2.1\n192.0."), packed, sizeof packed), bomb;

	(void)state;
	n += pack(BYTES("2.2\n"), packed + n, sizeof packed - n);
	reads(&(struct reading){ .text = "gzip", .want = "192.0.2.1 192.0.2.2 " }, (struct bytes){ packed, n });
	reads(&(struct reading){ .text = "gzip", .err = "cut short" }, (struct bytes){ packed, n - 1 });
	packed[15] ^= 1;
	reads(&(struct reading){ .text = "gzip", .err = "broken gzip" }, (struct bytes){ packed, n });
	bomb = pack((struct bytes){ zeros, sizeof zeros }, packed, sizeof packed);
	reads(&(struct reading){ .text = "a bomb", .err = "200 times its size" }, (struct bytes){ packed, bomb });
}

static void holds_its_bounds(void **state)
{
	static char line[3 * LIST_LINE_MAX];
	struct list_read_options o = { .max_bytes = 20 };
	struct seen s = { .out = text_over(room, sizeof room), .max = 2 };
	struct err e = { 0 };
	size_t skipped;

	(void)state;
	assert_false(read_in_pieces(&o, BYTES("192.0.2.1\n192.0.2.2\n1"), 4, &s, &skipped, &e));
	assert_string_equal(e.text, "more than 20 bytes");
	o.max_bytes = 0;
	s.n = 0;
	assert_false(read_in_pieces(&o, BYTES("1.1.1.1\n1.1.1.2\n1.1.1.3"), 4, &s, &skipped, &e));
	assert_string_equal(e.text, "line 3: too many");
	memset(line, 'a', sizeof line);
	line[sizeof line - 3] = '\n';
	line[sizeof line - 2] = ':';
	line[sizeof line - 1] = ':';
	reads(&(struct reading){ .text = "a long line", .want = ":: ", .skipped = 1 }, (struct bytes){ line, sizeof line });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_plain_lists_as_they_are_published),
		cmocka_unit_test(reads_csv_by_name_by_number_and_by_looking),
		cmocka_unit_test(reads_json_in_lists_lines_and_objects),
		cmocka_unit_test(reads_decisions_as_crowdsec_writes_them),
		cmocka_unit_test(unpacks_gzip_of_several_members_and_no_bomb),
		cmocka_unit_test(holds_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
