/* ctl_client.c -- `embergate ctl`: one question, one answer, an exit status. */
#include "admin/ctl_import.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 120000 }; /* a reload may compile rules */

struct ctl_client {
	const char *socket; /* NULL: the usual places */
	const char *format;
	bool quiet;
};

const struct ctl_option ctl_options[] = {
	{ 's', "socket", "PATH", "the gate's socket; else $EMBERGATE_SOCKET, ./.embergate/ctl.sock, /run/embergate/ctl.sock" },
	{ 'o', "output", "FORMAT", "table (default) or json" },
	{ 'q', "quiet", NULL, "say nothing on success" },
	{ 'h', "help", NULL, "this, or behind a verb what it does" },
};
const size_t ctl_noptions = nelems(ctl_options);

enum { USAGE_COLUMN = 34, OPTION_COLUMN = 23 };

static void print_verb(FILE *to, const struct ctl_verb *v)
{
	int width = fprintf(to, "  %s%s%s", v->name, v->usage[0] ? " " : "", v->usage);

	if (width > USAGE_COLUMN)
		fprintf(to, "\n%*s", USAGE_COLUMN, "");
	fprintf(to, "%*s  %s\n", width < USAGE_COLUMN ? USAGE_COLUMN - width : 0, "", v->help);
}

static void print_option(FILE *to, const struct ctl_option *o)
{
	int width = fprintf(to, "  -%c, --%s%s%s", o->letter, o->name, o->value ? " " : "", o->value ? o->value : "");

	fprintf(to, "%*s  %s\n", width < OPTION_COLUMN ? OPTION_COLUMN - width : 0, "", o->help);
}

static void print_help(FILE *to)
{
	fputs("usage: embergate ctl [-s SOCKET] [-o table|json] [-q] VERB ...\n\n", to);
	for (size_t i = 0; i < ctl_nverbs; i++)
		print_verb(to, &ctl_verbs[i]);
	fputc('\n', to);
	for (size_t i = 0; i < ctl_noptions; i++)
		print_option(to, &ctl_options[i]);
	fputs("\n`embergate ctl VERB --help` tells more of one.\n"
	      "Exit status: 0 done, 1 failed, 2 usage, 3 no gate answers\n", to);
}

void ctl_print_usage(FILE *to, const struct ctl_verb *v)
{
	fprintf(to, "usage: embergate ctl %s%s%s\n", v->name, v->usage[0] ? " " : "", v->usage);
}

static void print_help_of(const struct ctl_verb *v)
{
	const struct ctl_local *local = ctl_local_of(v);

	ctl_print_usage(stdout, v);
	printf("\n%s\n", v->help);
	if (local)
		printf("\n%s", local->details);
}

bool ctl_client_json(const struct ctl_client *c)
{
	return strcmp(c->format, "json") == 0;
}

bool ctl_client_quiet(const struct ctl_client *c)
{
	return c->quiet;
}

bool ctl_in_colour(FILE *to)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(to)) && (!no || !*no);
}

/* --- the connection ------------------------------------------------------------ */

static int connect_to(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof sa.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		int failed = errno;

		close(fd);
		errno = failed;
		return -1;
	}
	return fd;
}

/* Where no socket is named, the first place where a gate answers. */
static int reach(const struct ctl_client *c)
{
	static const char *const places[] = { "./.embergate/ctl.sock", "/run/embergate/ctl.sock" };
	const char *named = c->socket ? c->socket : getenv("EMBERGATE_SOCKET");
	int fd = -1;

	if (named) {
		fd = connect_to(named);
		if (fd < 0)
			fprintf(stderr, "no gate answers at %s: %s\n", named, strerror(errno));
		return fd;
	}
	for (size_t i = 0; i < nelems(places) && fd < 0; i++)
		fd = connect_to(places[i]);
	if (fd < 0)
		fprintf(stderr, "no gate answers at %s or %s; name its socket with -s\n", places[0], places[1]);
	return fd;
}

static bool send_line(int fd, struct bytes line)
{
	while (line.len) {
		ssize_t n = send(fd, line.at, line.len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		line = bytes_from(line, (size_t)n);
	}
	return true;
}

/* False: time is up, or the gate has gone. */
static bool receive_some(int fd, char *to, size_t cap, size_t *got)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	ssize_t n = poll(&in, 1, WAIT_MS) == 1 ? recv(fd, to, cap, 0) : -1;

	if (n <= 0)
		return false;
	*got = (size_t)n;
	return true;
}

/* "ok 812" */
static bool parse_head(struct bytes head, enum ctl_outcome *outcome, uint64_t *length)
{
	static const char *const words[] = { [CTL_OK] = "ok", [CTL_FAILED] = "failed", [CTL_USAGE] = "usage" };
	struct bytes word;

	if (!bytes_cut(&head, ' ', &word) || !bytes_u64(head, length))
		return false;
	for (size_t i = 0; i < nelems(words); i++)
		if (bytes_eq(word, bytes_of(words[i]))) {
			*outcome = (enum ctl_outcome)i;
			return true;
		}
	return false;
}

static enum ctl_outcome gone(void)
{
	fputs("the gate did not answer to the end\n", stderr);
	return CTL_UNREACHABLE;
}

/* `good`: where the answer of a gate that did it goes; NULL: nowhere. */
static enum ctl_outcome print_answer(int fd, FILE *good)
{
	char buf[4096];
	size_t len = 0, got, end;
	enum ctl_outcome outcome;
	uint64_t left;
	FILE *to;

	while ((end = bytes_index((struct bytes){ buf, len }, '\n')) == SIZE_MAX) {
		if (len == sizeof buf || !receive_some(fd, buf + len, sizeof buf - len, &got))
			return gone();
		len += got;
	}
	if (!parse_head((struct bytes){ buf, end }, &outcome, &left))
		return gone();
	to = outcome == CTL_OK ? good : stderr;
	for (got = len - end - 1, memmove(buf, buf + end + 1, got);; ) {
		if (got > left)
			got = (size_t)left;
		if (to)
			fwrite(buf, 1, got, to);
		left -= got;
		if (left == 0)
			return outcome;
		if (!receive_some(fd, buf, sizeof buf, &got))
			return gone();
	}
}

/* --- the command line ------------------------------------------------------------ */

static bool put_word(struct text *t, const char *word)
{
	if (word[0] == '\0')
		return false;
	for (const char *p = word; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	text_byte(t, ' ');
	text_str(t, word);
	return true;
}

enum ctl_outcome ctl_client_ask(const struct ctl_client *c, char **words, int n, FILE *to)
{
	char line[CTL_LINE_MAX];
	struct text t = text_over(line, sizeof line - 1);
	enum ctl_outcome outcome;
	int fd;

	text_str(&t, CTL_HELLO);
	put_word(&t, c->format);
	for (int i = 0; i < n; i++)
		if (!put_word(&t, words[i])) {
			fprintf(stderr, "argument %d is empty or holds a blank\n", i);
			return CTL_USAGE;
		}
	if (t.full) {
		fputs("the arguments are too long\n", stderr);
		return CTL_USAGE;
	}
	line[t.len++] = '\n';
	fd = reach(c);
	if (fd < 0)
		return CTL_UNREACHABLE;
	outcome = send_line(fd, text_bytes(&t)) ? print_answer(fd, to) : gone();
	close(fd);
	return outcome;
}

static enum ctl_outcome say(void *fd, struct bytes line)
{
	return send_line(*(int *)fd, line) ? print_answer(*(int *)fd, NULL) : gone();
}

static enum ctl_outcome import(const struct ctl_client *c, const char *file)
{
	int fd = reach(c);
	enum ctl_outcome outcome = fd < 0 ? CTL_UNREACHABLE : ctl_import(file, say, &fd);

	if (fd >= 0)
		close(fd);
	return outcome;
}

static bool is_import(char **words, int n)
{
	return n == 3 && strcmp(words[0], "decisions") == 0 && strcmp(words[1], "import") == 0;
}

/* Of a verb's own words, whether there are as many as it takes. */
static bool is_usage(const struct ctl_verb *v, int nargs)
{
	if ((unsigned)nargs >= v->nargs && (unsigned)nargs <= v->nargs + v->more)
		return false;
	ctl_print_usage(stderr, v);
	return true;
}

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' }, { "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { 0 },
};

static bool option_set(struct ctl_client *c, int option, const char *value, bool *help)
{
	switch (option) {
	case 's': c->socket = value; return true;
	case 'o': c->format = value; return true;
	case 'q': return c->quiet = true;
	case 'h': return *help = true;
	default: return false;
	}
}

static bool is_format(const struct ctl_client *c)
{
	if (strcmp(c->format, "table") == 0 || strcmp(c->format, "json") == 0)
		return true;
	fprintf(stderr, "-o is table or json, not '%s'\n", c->format);
	return false;
}

/* Options of the client from `argv`; `shorts` tells whether they end at the first word. True: go on. */
static bool options_take(struct ctl_client *c, int argc, char **argv, const char *shorts, bool *help)
{
	int option;

	optind = 0; /* glibc: begin anew */
	while ((option = getopt_long(argc, argv, shorts, options, NULL)) != -1)
		if (!option_set(c, option, optarg, help))
			return false;
	return is_format(c);
}

/* Which option of the client a word is, and the value that is in it ("--output=json"); 0: none. */
static int option_of(const char *word, const char **value)
{
	for (const struct option *o = options; o->name; o++) {
		size_t len = strlen(o->name);

		*value = NULL;
		if (word[0] == '-' && word[1] == o->val && !word[2])
			return o->val;
		if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, o->name, len) != 0)
			continue;
		if (!word[2 + len])
			return o->val;
		if (word[2 + len] == '=' && o->has_arg) {
			*value = word + 2 + len + 1;
			return o->val;
		}
	}
	return 0;
}

/* The same of a local verb, whose own options stay in `argv`. */
static bool options_pick(struct ctl_client *c, int *argc, char **argv, bool *help)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		const char *value;
		int option = option_of(argv[i], &value);

		if (!option) {
			argv[kept++] = argv[i];
			continue;
		}
		if (!value && (option == 's' || option == 'o') && !(value = argv[++i])) {
			fprintf(stderr, "-%c needs a value\n", option);
			return false;
		}
		option_set(c, option, value, help);
	}
	argv[*argc = kept] = NULL;
	return is_format(c);
}


/* argv[0] is the verb. */
static enum ctl_outcome run_verb(struct ctl_client *c, const struct ctl_verb *v, int argc, char **argv)
{
	const struct ctl_local *local = ctl_local_of(v);
	bool help = false;

	if (local ? !options_pick(c, &argc, argv, &help) : !options_take(c, argc, argv, "s:o:qh", &help))
		return CTL_USAGE;
	if (help) {
		print_help_of(v);
		return CTL_OK;
	}
	if (local)
		return local->run(c, argc, argv);
	argv += optind - 1; /* what is left of it, and the verb before it */
	argc -= optind - 1;
	argv[0] = (char *)(uintptr_t)v->name;
	if (is_import(argv, argc))
		return import(c, argv[2]);
	return v->run && is_usage(v, argc - 1) ? CTL_USAGE : ctl_client_ask(c, argv, argc, c->quiet ? NULL : stdout);
}

static enum ctl_outcome unknown(const char *word)
{
	char buf[256];
	struct text t = text_over(buf, sizeof buf);

	ctl_unknown(&t, bytes_of(word));
	fwrite(buf, 1, t.len, stderr);
	return CTL_USAGE;
}

int ctl_main(int argc, char **argv)
{
	struct ctl_client c = { .format = "table" };
	const struct ctl_verb *v;
	bool help = false;

	if (!options_take(&c, argc, argv, "+s:o:qh", &help))
		return CTL_USAGE;
	if (help || (optind < argc && strcmp(argv[optind], "help") == 0)) {
		print_help(stdout);
		return CTL_OK;
	}
	if (optind == argc) {
		print_help(stderr);
		return CTL_USAGE;
	}
	v = ctl_verb_named(bytes_of(argv[optind]));
	return v ? run_verb(&c, v, argc - optind, argv + optind) : unknown(argv[optind]);
}
