/* ctl_import.c -- a file of decisions becomes questions. */
#include "admin/ctl_import.h"
#include "base/clock.h"
#include "base/duration.h"
#include "cti/list_write.h"
#include <errno.h>
#include <stdio.h>

enum { PIECE = 64 << 10, FILE_MAX = 1 << 30 };

struct importing {
	ctl_say *say;
	void *ctx;
	uint64_t now_ms;
	unsigned long held, refused;
	enum ctl_outcome outcome;
};

static bool is_word(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.at[i] <= ' ' || b.at[i] == 0x7f)
			return false;
	return b.len > 0;
}

static void put_question(struct text *t, const struct decision *d, uint64_t now_ms)
{
	text_str(t, CTL_HELLO " table decisions add ");
	text_put(t, d->value);
	text_printf(t, " %s %s ", scope_word(d->scope), remedy_word(d->remedy));
	duration_text(t, (d->until_ms - now_ms) * 1000);
	if (is_word(d->reason)) {
		text_str(t, " why:");
		text_put(t, d->reason);
	}
	text_byte(t, '\n');
}

static void tell_skipped(void *ctx, unsigned long line)
{
	(void)ctx;
	fprintf(stderr, "line %lu: holds no address, block or other value\n", line);
}

static bool take(void *ctx, const struct list_record *r, struct err *err)
{
	struct importing *i = ctx;
	struct decision d;
	struct err why = { 0 };
	char line[CTL_LINE_MAX];
	struct text t = text_over(line, sizeof line);

	if (!list_record_decision(r, i->now_ms, &d, &why) || !is_word(d.value)) {
		i->refused++;
		if (why.text[0])
			fprintf(stderr, "%s\n", why.text); /* with its line */
		else
			fprintf(stderr, "line %lu: a value with blanks\n", r->line);
		return true;
	}
	put_question(&t, &d, i->now_ms);
	i->outcome = t.full ? CTL_FAILED : i->say(i->ctx, text_bytes(&t));
	if (i->outcome == CTL_UNREACHABLE)
		return err_set(err, SIDE_SELF, 0, "the gate did not answer");
	if (i->outcome != CTL_OK) /* the gate's reason has been printed */
		fprintf(stderr, "line %lu: the gate did not take it\n", r->line);
	i->held += i->outcome == CTL_OK;
	i->refused += i->outcome != CTL_OK;
	return true;
}

static bool read_all(FILE *f, struct list_reader *reader, struct err *err)
{
	static char piece[PIECE];
	size_t n;

	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		if (!list_reader_put(reader, (struct bytes){ piece, n }, err))
			return false;
	return list_reader_end(reader, err);
}

enum ctl_outcome ctl_import(const char *file, ctl_say *say, void *ctx)
{
	struct importing i = { .say = say, .ctx = ctx, .now_ms = clock_wall_ms() };
	struct list_read_options o = { .max_bytes = FILE_MAX, .decisions = true, .skipped = tell_skipped };
	struct list_reader *reader = list_reader_new(&o, take, &i);
	FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
	struct err err = { 0 };
	bool ok;

	if (!f)
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
	ok = f && reader && read_all(f, reader, &err);
	if (err.text[0])
		fprintf(stderr, "%s: %s\n", file, err.text);
	if (f && f != stdin)
		fclose(f);
	printf("%lu are held, %lu were refused, %zu lines are none\n", i.held, i.refused, reader ? list_reader_skipped(reader) : 0);
	list_reader_free(reader);
	if (i.outcome == CTL_UNREACHABLE)
		return CTL_UNREACHABLE;
	return ok && i.held ? CTL_OK : CTL_FAILED;
}
