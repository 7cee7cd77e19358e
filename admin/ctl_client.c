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

struct client {
	const char *socket; /* NULL: the usual places */
	const char *format;
	bool quiet;
};

static void print_help(FILE *to)
{
	fputs("usage: embergate ctl [-s SOCKET] [-o table|json] [-q] VERB ...\n\n", to);
	for (size_t i = 0; i < ctl_nverbs; i++)
		if (ctl_verbs[i].run)
			fprintf(to, "  %-8s %-21s %s\n", ctl_verbs[i].name, ctl_verbs[i].usage, ctl_verbs[i].help);
	fputs("\nNot built yet:", to);
	for (size_t i = 0; i < ctl_nverbs; i++)
		if (!ctl_verbs[i].run)
			fprintf(to, " %s", ctl_verbs[i].name);
	fputs("\n\n  -s, --socket PATH    the gate's socket; else $EMBERGATE_SOCKET, ./.embergate/ctl.sock,\n"
	      "                       /run/embergate/ctl.sock\n"
	      "  -o, --output FORMAT  table (default) or json\n"
	      "  -q, --quiet          say nothing on success\n\n"
	      "Exit status: 0 done, 1 failed, 2 usage, 3 no gate answers\n", to);
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
static int reach(const struct client *c)
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

static enum ctl_outcome print_answer(int fd, bool quiet)
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
	to = outcome == CTL_OK ? stdout : stderr;
	for (got = len - end - 1, memmove(buf, buf + end + 1, got);; ) {
		if (got > left)
			got = (size_t)left;
		if (!quiet || outcome != CTL_OK)
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

static enum ctl_outcome ask(const struct client *c, char **words, int n)
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
	outcome = send_line(fd, text_bytes(&t)) ? print_answer(fd, c->quiet) : gone();
	close(fd);
	return outcome;
}

static enum ctl_outcome say(void *fd, struct bytes line)
{
	return send_line(*(int *)fd, line) ? print_answer(*(int *)fd, true) : gone();
}

static enum ctl_outcome import(const struct client *c, const char *file)
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

/* What can be told without a gate. */
static bool is_usage(char **words, int n)
{
	const struct ctl_verb *v = n > 0 ? ctl_verb_named(bytes_of(words[0])) : NULL;
	char buf[256];
	struct text t = text_over(buf, sizeof buf);

	if (n == 0) {
		print_help(stderr);
	} else if (!v) {
		ctl_unknown(&t, bytes_of(words[0]));
		fwrite(buf, 1, t.len, stderr);
	} else if (v->run && ((unsigned)(n - 1) < v->nargs || (unsigned)(n - 1) > v->nargs + v->more)) {
		fprintf(stderr, "usage: embergate ctl %s %s\n", v->name, v->usage);
	} else {
		return false;
	}
	return true;
}

int ctl_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' }, { "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	struct client c = { .format = "table" };
	int option;

	while ((option = getopt_long(argc, argv, "s:o:qh", options, NULL)) != -1)
		switch (option) {
		case 's': c.socket = optarg; break;
		case 'o': c.format = optarg; break;
		case 'q': c.quiet = true; break;
		case 'h': print_help(stdout); return CTL_OK;
		default: return CTL_USAGE;
		}
	if (optind < argc && strcmp(argv[optind], "help") == 0) {
		print_help(stdout);
		return CTL_OK;
	}
	if (strcmp(c.format, "table") != 0 && strcmp(c.format, "json") != 0) {
		fprintf(stderr, "-o is table or json, not '%s'\n", c.format);
		return CTL_USAGE;
	}
	if (is_import(argv + optind, argc - optind))
		return import(&c, argv[optind + 2]);
	return is_usage(argv + optind, argc - optind) ? CTL_USAGE : ask(&c, argv + optind, argc - optind);
}
