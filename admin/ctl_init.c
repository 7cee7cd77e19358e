/* ctl_init.c -- `embergate ctl init`: a first configuration and a unit for systemd, from five answers at most.
 *
 * What is given as an option is not asked. The file is written under another name first and read by `embergate check`:
 * what it refuses is not left behind. */
#include "admin/ctl.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char details[] =
	"Writes embergate.yaml and embergate.service, which is for /etc/systemd/system.\n"
	"  --upstream URL       where the application is\n"
	"  --host NAME          a name that it answers to; may stand several times. None: every name\n"
	"  --listen ADDR        where clients come in; else :80 and :443 with a name of the DNS, :8080 without\n"
	"  --mode block|detect  detect only writes down: for a site that has visitors already\n"
	"  --trust WHO          proxies in front that are believed: private, cloudflare, 192.0.2.0/24\n"
	"  --dir DIR            where the files go (default: here)\n"
	"  --force              replace files that are there\n";

enum { HOSTS_MAX = 32, ANSWER_MAX = 1024 };

struct init {
	const char *upstream, *listen, *mode, *trust, *dir;
	const char *hosts[HOSTS_MAX];
	size_t nhosts;
	bool force;
	char said[5][ANSWER_MAX]; /* one an answer: what the above point to */
	size_t nsaid;
};

/* ---- what is wanted ---- */

static bool take_host(struct init *in, const char *name)
{
	if (in->nhosts == HOSTS_MAX) {
		fprintf(stderr, "more than %d names: write the others into the file\n", HOSTS_MAX);
		return false;
	}
	in->hosts[in->nhosts++] = name;
	return true;
}

static bool take_options(struct init *in, int argc, char **argv)
{
	static const struct option options[] = {
		{ "upstream", required_argument, NULL, 'u' }, { "host", required_argument, NULL, 'n' },
		{ "listen", required_argument, NULL, 'l' },   { "mode", required_argument, NULL, 'm' },
		{ "trust", required_argument, NULL, 't' },    { "dir", required_argument, NULL, 'd' },
		{ "force", no_argument, NULL, 'f' },          { 0 },
	};
	int option;

	optind = 0; /* glibc: begin anew */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'u': in->upstream = optarg; break;
		case 'n':
			if (!take_host(in, optarg))
				return false;
			break;
		case 'l': in->listen = optarg; break;
		case 'm': in->mode = optarg; break;
		case 't': in->trust = optarg; break;
		case 'd': in->dir = optarg; break;
		case 'f': in->force = true; break;
		default: return false;
		}
	if (optind == argc)
		return true;
	fprintf(stderr, "init takes no word like '%s'\n", argv[optind]);
	return false;
}

/* The answer, or `unset` for an empty line; NULL: nobody answers any more. */
static const char *question(struct init *in, const char *text, const char *unset)
{
	char *to = in->said[in->nsaid++];
	size_t len;

	printf("%s [%s] ", text, unset);
	fflush(stdout);
	if (!fgets(to, ANSWER_MAX, stdin))
		return NULL;
	len = strcspn(to, "\r\n");
	to[len] = '\0';
	return len ? to : unset;
}

static bool ask_hosts(struct init *in)
{
	char *rest = NULL;
	const char *answer = question(in, "Names that it answers to, apart by blanks; none: every name", "");

	if (!answer)
		return false;
	for (char *name = strtok_r((char *)(uintptr_t)answer, " ,", &rest); name; name = strtok_r(NULL, " ,", &rest))
		if (!take_host(in, name))
			return false;
	return true;
}

static bool ask_mode(struct init *in)
{
	const char *answer = question(in, "Does it have visitors already? Then nothing is blocked at first, only written down: yes or no", "yes");

	if (answer)
		in->mode = *answer == 'n' || *answer == 'N' ? "block" : "detect";
	return answer;
}

static bool ask(struct init *in)
{
	if (!in->upstream && !(in->upstream = question(in, "Where is your application?", "http://127.0.0.1:3000")))
		return false;
	if (!in->nhosts && !ask_hosts(in))
		return false;
	if (!in->listen && !(in->listen = question(in, "Where shall clients come in? auto: :80 and :443 with a name, :8080 without", "auto")))
		return false;
	if (!in->mode && !ask_mode(in))
		return false;
	return in->trust || (in->trust = question(in, "Which proxies in front are believed? none, private, cloudflare or a network", "none"));
}

static bool is_given(struct init *in)
{
	if (!in->upstream) {
		fputs("nobody can be asked: this is no terminal. Give at least --upstream URL\n", stderr);
		return false;
	}
	return true;
}

/* ---- what is written ---- */

static void put_list(struct text *t, const char *const *words, size_t n)
{
	text_byte(t, '[');
	for (size_t i = 0; i < n; i++) {
		text_str(t, i ? ", " : "");
		text_json(t, bytes_of(words[i]));
	}
	text_str(t, "]\n");
}

static void write_config(const struct init *in, struct text *t)
{
	bool detect = in->mode && strcmp(in->mode, "block") != 0;

	text_str(t, "# Embergate. After a change: embergate check -c embergate.yaml, then: embergate ctl reload\n\n"
		    "apps:\n  site:\n    upstream: ");
	text_json(t, bytes_of(in->upstream));
	text_byte(t, '\n');
	if (in->nhosts) {
		text_str(t, "    hosts: ");
		put_list(t, in->hosts, in->nhosts);
	}
	text_str(t, "    waf:\n      mode: ");
	text_json(t, bytes_of(in->mode ? in->mode : "block"));
	text_str(t, detect ? "  # nothing is blocked: look at the dashboard or the security log for some days, then write block\n" : "\n");
	if (in->listen && strcmp(in->listen, "auto") != 0) {
		text_str(t, "\nlisten: ");
		put_list(t, &in->listen, 1);
	}
	if (in->trust && strcmp(in->trust, "none") != 0) {
		text_str(t, "\nclient_ip:\n  trust: ");
		put_list(t, &in->trust, 1);
	}
}

static const char unit[] = {
#include "unit.inc"
	0
};

/* The unit of the package, with the place of this program and of the file. */
static void write_unit(struct text *t, const char *program, const char *config)
{
	static const char their_program[] = "/usr/bin/embergate", their_config[] = "/etc/embergate/embergate.yaml";
	struct bytes rest = bytes_of(unit);

	while (rest.len) {
		size_t at = bytes_find(rest, BYTES("/")), skip = 1;

		text_put(t, bytes_sub(rest, 0, at));
		if (at == SIZE_MAX)
			return;
		rest = bytes_from(rest, at);
		if (bytes_starts(rest, bytes_of(their_program)) && (skip = strlen(their_program)))
			text_str(t, program);
		else if (bytes_starts(rest, bytes_of(their_config)) && (skip = strlen(their_config)))
			text_str(t, config);
		else
			text_byte(t, '/');
		rest = bytes_from(rest, skip);
	}
}

static bool write_file(const char *path, struct bytes text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	bool ok = fd >= 0 && write(fd, text.at, text.len) == (ssize_t)text.len;

	if (!ok)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	return ok;
}

/* `embergate check -c FILE`, whose words go where ours go. */
static bool is_good(const char *program, const char *file)
{
	char *argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)"check", (char *)(uintptr_t)"-c", (char *)(uintptr_t)file, NULL };
	int status = 1;
	pid_t pid;

	fflush(stdout);
	if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid)
		fprintf(stderr, "%s cannot be started\n", program);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct places { char program[PATH_MAX], dir[PATH_MAX], config[PATH_MAX + 32], trial[PATH_MAX + 32], unit[PATH_MAX + 32]; };

static bool find_places(struct places *p, const struct init *in)
{
	ssize_t n = readlink("/proc/self/exe", p->program, sizeof p->program - 1);

	if (n <= 0 || !realpath(in->dir ? in->dir : ".", p->dir)) {
		fprintf(stderr, "%s: %s\n", in->dir ? in->dir : ".", strerror(errno));
		return false;
	}
	p->program[n] = '\0';
	snprintf(p->config, sizeof p->config, "%s/embergate.yaml", p->dir);
	snprintf(p->trial, sizeof p->trial, "%s/embergate.yaml.new", p->dir);
	snprintf(p->unit, sizeof p->unit, "%s/embergate.service", p->dir);
	return true;
}

static bool is_free(const struct init *in, const char *path)
{
	if (in->force || access(path, F_OK) != 0)
		return true;
	fprintf(stderr, "%s is there; --force replaces it\n", path);
	return false;
}

static enum ctl_outcome write_both(const struct init *in, const struct places *p)
{
	static char room[64 << 10];
	struct text t = text_over(room, sizeof room);

	if (!is_free(in, p->config) || !is_free(in, p->unit))
		return CTL_FAILED;
	write_config(in, &t);
	if (t.full || !write_file(p->trial, text_bytes(&t), O_TRUNC))
		return CTL_FAILED;
	if (!is_good(p->program, p->trial) || rename(p->trial, p->config) != 0) {
		unlink(p->trial);
		return CTL_FAILED;
	}
	t = text_over(room, sizeof room);
	write_unit(&t, p->program, p->config);
	return write_file(p->unit, text_bytes(&t), O_TRUNC) ? CTL_OK : CTL_FAILED;
}

static enum ctl_outcome init_main(const struct ctl_client *c, int argc, char **argv)
{
	static struct init in; /* a few kilobytes */
	static struct places p;
	enum ctl_outcome outcome;

	if (!take_options(&in, argc, argv)) {
		ctl_print_usage(stderr, ctl_verb_named(bytes_of(argv[0])));
		return CTL_USAGE;
	}
	if (isatty(STDIN_FILENO) ? !ask(&in) : !is_given(&in))
		return CTL_USAGE;
	if (!find_places(&p, &in))
		return CTL_FAILED;
	outcome = write_both(&in, &p);
	if (outcome == CTL_OK && !ctl_client_quiet(c))
		printf("%s and %s are written.\nTry it:    %s run -c %s\nInstall it: cp %s /etc/systemd/system/ && systemctl enable --now embergate\n",
		       p.config, p.unit, p.program, p.config, p.unit);
	if (outcome == CTL_OK && (strncmp(p.config, "/home/", 6) == 0 || strncmp(p.config, "/root/", 6) == 0))
		fputs("The unit cannot see /home and /root: for systemd, write to /etc/embergate (--dir).\n", stderr);
	return outcome;
}

const struct ctl_local ctl_init = { "init", init_main, details };
