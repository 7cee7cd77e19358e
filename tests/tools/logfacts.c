/* logfacts -- lines of a log in, facts out.
 *
 *   logfacts TYPE < log          a JSON line for each: {"read":"read","at_us":1,"facts":{"Meta.source_ip":"192.0.2.1"}}
 *   logfacts -t TYPE FILE        reads FILE ten times, prints lines a second of CPU
 *
 * TYPE is a name of scenarios/logs.c; a fact that is empty is left out. */
#include "scenarios/logs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARENA_CAP = 1 << 20, ROUNDS = 10, OUT = 6 * LOG_READ_MAX * 8 };

static void put_fact(struct text *t, struct bytes name, struct bytes value)
{
	if (value.len == 0)
		return;
	text_str(t, t->at[t->len - 1] == '{' ? "" : ",");
	text_json(t, name);
	text_byte(t, ':');
	text_json(t, value);
}

static void print(enum log_read got, const struct facts *f)
{
	static const char *const words[] = { [LOG_READ] = "read", [LOG_OTHER] = "other", [LOG_BROKEN] = "broken" };
	static char room[OUT];
	struct text t = text_over(room, sizeof room);
	const char *name;

	text_printf(&t, "{\"read\":\"%s\",\"at_us\":%llu,\"facts\":{", words[got], (unsigned long long)f->at_us);
	for (size_t i = 0; got == LOG_READ && (name = fact_row_name(i)); i++)
		put_fact(&t, bytes_of(name), facts_get(f, bytes_of(name)));
	for (const struct fact_extra *e = got == LOG_READ ? f->extra : NULL; e; e = e->next)
		put_fact(&t, e->name, e->value);
	text_str(&t, "}}");
	printf("%.*s\n", BYTES_ARG(text_bytes(&t)));
}

static enum log_read read_line(const struct log_reader *r, struct bytes line, bool show)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct facts f = { 0 };
	enum log_read got = r->read(a, line, &f);

	if (show)
		print(got, &f);
	arena_free(a);
	return got;
}

static int show_all(const struct log_reader *r, FILE *in)
{
	char *line = NULL;
	size_t cap = 0;

	for (ssize_t n; (n = getline(&line, &cap, in)) > 0;) {
		size_t len = (size_t)n - (line[n - 1] == '\n');

		read_line(r, (struct bytes){ line, len > LOG_READ_MAX ? LOG_READ_MAX : len }, true);
	}
	free(line);
	return 0;
}

static struct bytes file_of(const char *path)
{
	FILE *in = fopen(path, "rb");
	struct bytes b = { 0 };
	char *room;
	long size;

	if (!in || fseek(in, 0, SEEK_END) || (size = ftell(in)) < 0 || fseek(in, 0, SEEK_SET) || !(room = malloc((size_t)size + 1)))
		return b;
	b = (struct bytes){ room, fread(room, 1, (size_t)size, in) };
	fclose(in);
	return b;
}

static int time_all(const struct log_reader *r, const char *path)
{
	struct bytes all = file_of(path);
	size_t lines = 0, read = 0;
	clock_t from = clock();
	double s;

	for (int i = 0; i < ROUNDS; i++) {
		struct bytes rest = all, line;

		while (bytes_cut(&rest, '\n', &line)) {
			lines++;
			read += read_line(r, bytes_sub(line, 0, LOG_READ_MAX), false) == LOG_READ;
		}
	}
	s = (double)(clock() - from) / CLOCKS_PER_SEC;
	printf("%zu lines, %zu read, %.0f lines a second of CPU\n", lines, read, (double)lines / s);
	free((char *)all.at);
	return 0;
}

int main(int argc, char **argv)
{
	bool timed = argc == 4 && strcmp(argv[1], "-t") == 0;
	const struct log_reader *r = timed || argc == 2 ? log_reader_find(bytes_of(argv[argc - (timed ? 2 : 1)])) : NULL;

	if (!r) {
		fprintf(stderr, "usage: logfacts TYPE < log | logfacts -t TYPE FILE\n");
		return 2;
	}
	return timed ? time_all(r, argv[3]) : show_all(r, stdin);
}
