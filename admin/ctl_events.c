/* ctl_events.c -- `embergate ctl events`: what was stopped or found lately, a line each; with -f as it happens.
 *
 * The client turns its options into words, NAME=VALUE, and asks; behind the lines of an answer stands one more with the number
 * of the newest event, behind which -f asks again. */
#include "admin/archive.h"
#include "admin/ctl.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOWN = 20, FOLLOW_S = 1, WORDS = CTL_ARGS_MAX, WORD_MAX_BYTES = 200 };

/* ---- at the gate ---- */

struct watching {
	struct admin *admin;
	struct admin_answer *answer;
	struct archive_ask ask;
	char words[CTL_LINE_MAX];  /* what `ask` borrows from: the asker may go */
	struct bytes *rows;        /* as they come; each malloc'ed */
	size_t n, wanted;
	int64_t newest;
};

static void watching_free(struct watching *w)
{
	for (size_t i = 0; i < w->n; i++)
		free((char *)(uintptr_t)w->rows[i].at);
	free(w->rows);
	free(w);
}

static struct bytes text_at(const struct json *row, const char *name)
{
	struct bytes b = { 0 };

	json_text(row, name, &b);
	return b;
}

static void put_columns(struct text *t, const struct json *row)
{
	static const struct { const char *name; int width; } columns[] = { { "action", 9 }, { "client", 15 }, { "app", 8 } };
	int64_t status = 0;

	text_plain(t, text_at(row, "time"));
	for (size_t i = 0; i < nelems(columns); i++) {
		struct bytes b = text_at(row, columns[i].name);

		text_str(t, "  ");
		text_plain(t, b);
		text_printf(t, "%*s", (int)b.len < columns[i].width ? columns[i].width - (int)b.len : 0, "");
	}
	json_number(row, "status", &status);
	text_printf(t, "  %3lld  ", (long long)status);
}

static void put_line(struct text *t, struct bytes json)
{
	const struct json_limits limits = { 1 << 20, 8 };
	struct err e;
	struct json *row = json_read(json, &limits, &e);

	if (!row) { /* a NUL in a text, which JSON has and we do not read */
		text_put(t, json);
		text_byte(t, '\n');
		return;
	}
	put_columns(t, row);
	text_plain(t, text_at(row, "method"));
	text_byte(t, ' ');
	text_plain(t, text_at(row, "host"));
	text_plain(t, text_at(row, "path"));
	text_str(t, "  ");
	text_plain(t, text_at(row, "source"));
	text_str(t, ": ");
	text_plain(t, text_at(row, "rule").len ? text_at(row, "rule") : text_at(row, "reason"));
	text_str(t, "  ");
	text_plain(t, text_at(row, "id"));
	text_byte(t, '\n');
	json_free(row);
}

/* The newest last, as in a log. */
static void write_lines(void *arg, struct text *t)
{
	const struct watching *w = arg;

	for (size_t i = 0; i < w->n; i++) {
		struct bytes row = w->rows[w->ask.is_behind ? i : w->n - 1 - i];

		if (!w->answer->json) {
			put_line(t, row);
			continue;
		}
		text_put(t, row);
		text_byte(t, '\n');
	}
	text_printf(t, "%lld\n", (long long)w->newest);
}

static bool keep_row(struct watching *w, const struct archive_row *row)
{
	char *at = malloc(row->json.len);

	if (!at)
		return false;
	memcpy(at, row->json.at, row->json.len);
	w->rows[w->n++] = (struct bytes){ at, row->json.len };
	if (row->number > w->newest)
		w->newest = row->number;
	return true;
}

static void on_page(void *owner, const struct archive_page *p)
{
	struct watching *w = owner;
	bool good = !p->failed;

	for (size_t i = 0; good && i < p->n && w->n < w->wanted; i++)
		good = keep_row(w, &p->rows[i]);
	if (good && p->next && w->n < w->wanted) { /* its time was over: it goes on */
		w->ask.before = w->ask.is_behind ? 0 : p->next;
		w->ask.behind = p->next;
		w->ask.limit = w->wanted - w->n;
		if (archive_list(w->admin->archive, &w->ask, w->admin->loop, on_page, w))
			return;
		good = false;
	}
	if (good)
		ctl_reply_text(w->answer, write_lines, w);
	else
		admin_answer(w->answer, false, "the events cannot be read: the log says why");
	watching_free(w);
}

/* NAME=VALUE; false: err says what is wrong. */
static bool take_word(struct watching *w, struct bytes word, struct err *e)
{
	struct archive_ask *ask = &w->ask;
	const struct { struct bytes name; struct bytes *to; } texts[] = {
		{ BYTES("app"), &ask->app }, { BYTES("action"), &ask->action }, { BYTES("source"), &ask->source },
		{ BYTES("rule"), &ask->rule }, { BYTES("path"), &ask->path }, { BYTES("ja4"), &ask->ja4 },
	};
	struct bytes name;
	uint64_t n;

	bytes_cut(&word, '=', &name);
	for (size_t i = 0; i < nelems(texts); i++)
		if (bytes_eq(name, texts[i].name))
			return (*texts[i].to = word, true);
	if (bytes_eq(name, BYTES("address"))) {
		ask->has_net = true;
		return ip_net_parse(word, &ask->net) || err_set(e, SIDE_CLIENT, 0, "'%.*s' is no address and no network", BYTES_ARG(word));
	}
	if (bytes_eq(name, BYTES("since"))) {
		if (!duration_parse(word, &n))
			return err_set(e, SIDE_CLIENT, 0, "'%.*s' is no length of time, as 1h is", BYTES_ARG(word));
		return (ask->from_ms = clock_wall_ms() - n / 1000, true);
	}
	if (!bytes_u64(word, &n) || n > INT64_MAX)
		return err_set(e, SIDE_CLIENT, 0, "%.*s: a whole number is wanted", BYTES_ARG(name));
	if (bytes_eq(name, BYTES("behind"))) {
		ask->is_behind = true;
		ask->behind = w->newest = (int64_t)n;
		return true;
	}
	w->wanted = n;
	return (bytes_eq(name, BYTES("limit")) && n >= 1 && n <= ARCHIVE_PAGE_MAX) ||
	       err_set(e, SIDE_CLIENT, 0, "limit: 1 to %d", ARCHIVE_PAGE_MAX);
}

static bool take_words(struct watching *w, const struct ctl_ask *ask, struct err *e)
{
	struct text t = text_over(w->words, sizeof w->words);

	for (unsigned i = 0; i < ask->nargs; i++) {
		struct bytes word = { t.at + t.len, ask->args[i].len };

		text_put(&t, ask->args[i]);
		if (!take_word(w, word, e))
			return false;
	}
	if (w->ask.is_behind)
		w->wanted = ARCHIVE_PAGE_MAX; /* a limit is for the first page */
	return true;
}

void ctl_events(const struct ctl_ask *ask)
{
	struct watching *w = calloc(1, sizeof *w);
	struct err e = { 0 };

	if (!w || !(w->rows = calloc(ARCHIVE_PAGE_MAX, sizeof *w->rows))) {
		free(w);
		admin_answer(ask->answer, false, "out of memory");
		return;
	}
	w->admin = ask->admin;
	w->answer = ask->answer;
	w->wanted = SHOWN;
	if (!ask->admin->archive)
		err_set(&e, SIDE_SELF, 0, "events are not kept: the log says why");
	else if (take_words(w, ask, &e)) {
		w->ask.limit = w->wanted;
		if (archive_list(ask->admin->archive, &w->ask, ask->admin->loop, on_page, w))
			return;
		err_set(&e, SIDE_SELF, 0, "too much is asked at a time");
	}
	watching_free(w);
	admin_answer(ask->answer, false, e.text);
}

/* ---- whoever asks ---- */

static const char details[] =
	"Oldest first. Which, and how:\n"
	"  --follow, -f       go on with what happens\n"
	"  --since 1h         not older\n"
	"  --app NAME         of that app\n"
	"  --action WORD      log throttle challenge captcha tarpit deny\n"
	"  --source WORD      rule own_rule limit cti scenario bot attack_mode protocol\n"
	"  --rule ID          that rule matched\n"
	"  --address IP       of that client, or network\n"
	"  --ja4 TEXT         the client's TLS fingerprint begins so\n"
	"  --path TEXT        is in the path\n"
	"  --limit N          so many, 20 without it, at most 500\n";

static const struct option options[] = {
	{ "app", required_argument, NULL, 1 },    { "action", required_argument, NULL, 1 }, { "source", required_argument, NULL, 1 },
	{ "rule", required_argument, NULL, 1 },   { "path", required_argument, NULL, 1 },   { "address", required_argument, NULL, 1 },
	{ "since", required_argument, NULL, 1 },  { "limit", required_argument, NULL, 1 },  { "follow", no_argument, NULL, 'f' },
	{ "ja4", required_argument, NULL, 1 },    { 0 },
};

struct wish {
	char at[WORDS][WORD_MAX_BYTES];
	int n;
	bool follow;
};

static bool take_options(struct wish *w, int argc, char **argv)
{
	int option, which = 0;

	optind = 0; /* glibc: begin anew */
	while ((option = getopt_long(argc, argv, "f", options, &which)) != -1) {
		w->follow |= option == 'f';
		if (option != 'f' && option != 1)
			return false;
		if (option == 'f')
			continue;
		/* One place is for the verb, one for "behind". */
		if (w->n == WORDS - 2 || (size_t)snprintf(w->at[w->n++], WORD_MAX_BYTES, "%s=%s", options[which].name, optarg) >= WORD_MAX_BYTES) {
			fputs("too many words, or too long\n", stderr);
			return false;
		}
	}
	if (optind < argc)
		fprintf(stderr, "'%s' is too much\n", argv[optind]);
	return optind == argc;
}

/* The answer but for its last line, which is the number. */
static void show(const char *text, size_t len, char number[24])
{
	size_t from = len ? len - 1 : 0;

	while (from > 0 && text[from - 1] != '\n')
		from--;
	fwrite(text, 1, from, stdout);
	fflush(stdout);
	snprintf(number, 24, "%.*s", (int)(len > from ? len - from - 1 : 0), text + from);
}

/* `behind`: the number of the last event, to begin with none. */
static enum ctl_outcome ask_once(const struct ctl_client *c, const struct wish *w, char behind[24])
{
	char word[40], *argv[WORDS], *text = NULL;
	enum ctl_outcome outcome;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	int n = 0;

	if (!to)
		return CTL_FAILED;
	argv[n++] = (char *)(uintptr_t)"events";
	for (int i = 0; i < w->n; i++)
		argv[n++] = (char *)(uintptr_t)w->at[i];
	if (behind[0]) {
		snprintf(word, sizeof word, "behind=%s", behind);
		argv[n++] = word;
	}
	outcome = ctl_client_ask(c, argv, n, to);
	fclose(to);
	if (outcome == CTL_OK)
		show(text, len, behind);
	free(text);
	return outcome;
}

static enum ctl_outcome run(const struct ctl_client *c, int argc, char **argv)
{
	struct wish w = { .n = 0 };
	char behind[24] = "";
	enum ctl_outcome outcome;

	if (!take_options(&w, argc, argv)) {
		fputs("`embergate ctl events --help` lists the options\n", stderr);
		return CTL_USAGE;
	}
	while ((outcome = ask_once(c, &w, behind)) == CTL_OK && w.follow)
		sleep(FOLLOW_S);
	return outcome;
}

const struct ctl_local ctl_events_local = { "events", run, details };
