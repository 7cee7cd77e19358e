/* journal.c -- journalctl as a child that is read. */
#include "proxy/journal.h"
#include "base/log.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	UNITS_MAX = 64,
	ARGS_MAX = 16 + UNITS_MAX,
	UNITS_TEXT = 4096,
	ROOM = 4 * LOG_READ_MAX,   /* an entry has a dozen fields beside its message */
	TURN_READS = 16,
	AGAIN_MS = 1000, AGAIN_MAX_MS = 60 * 1000,
	END_MS = 2000,             /* for the child to end, before it is killed */
};

#define AFTER "--after-cursor="

extern char **environ;

struct journal {
	struct loop *loop;
	struct places *places;
	struct log_taker taker;
	struct log_source source;
	char units[UNITS_TEXT];          /* "ssh.service nginx.service" */
	char args[UNITS_MAX][256];       /* "--unit=ssh.service" */
	size_t nargs;
	char cursor[512];                /* "--after-cursor=..." */
	pid_t pid;                       /* 0: not running */
	int fd;
	struct watch *watch;
	struct deadline again;
	uint64_t again_ms;
	bool skipping, heard;
	size_t len;
	char room[ROOM];
};

static void start(struct journal *j);

/* ---- the end of a child ---- */

static void reap(struct journal *j)
{
	int status = 0;

	for (unsigned waited = 0; waitpid(j->pid, &status, WNOHANG) == 0; waited += 10) {
		struct timespec pause = { 0, 10000000 };

		if (waited == 0)
			kill(j->pid, SIGTERM);
		if (waited == END_MS)
			kill(j->pid, SIGKILL);
		nanosleep(&pause, NULL);
	}
	j->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		log_warn("journalctl (%s) ended with %d", j->units, WEXITSTATUS(status));
}

static void child_end(struct journal *j)
{
	if (!j->pid)
		return;
	watch_free(j->watch);
	close(j->fd);
	j->watch = NULL;
	reap(j);
}

static void on_again(void *arg)
{
	start(arg);
}

/* Twice as late each time, unless it had something to say. */
static void again(struct journal *j)
{
	j->again_ms = j->heard || !j->again_ms ? AGAIN_MS : j->again_ms * 2 < AGAIN_MAX_MS ? j->again_ms * 2 : AGAIN_MAX_MS;
	j->heard = false;
	deadline_set(j->loop, &j->again, j->again_ms, on_again, j);
}

/* ---- entries ---- */

static void note_cursor(struct journal *j, struct bytes entry)
{
	char argument[sizeof j->cursor];
	struct text t = text_over(argument, sizeof argument - 1);
	struct bytes value;

	text_str(&t, AFTER);
	if (!log_journal_cursor(entry, &value) || !value.len)
		return;
	text_put(&t, value);
	if (t.full)
		return;
	argument[t.len] = 0;
	memcpy(j->cursor, argument, t.len + 1);
	places_put(j->places, &(struct place){ .path = j->units, .cursor = j->cursor + strlen(AFTER) });
}

static void take_entry(struct journal *j, struct bytes entry)
{
	j->heard = true;
	if (entry.len)
		j->taker.line(j->taker.ctx, &j->source, entry);
	note_cursor(j, entry);
}

static void take_entries(struct journal *j)
{
	struct bytes rest = { j->room, j->len };
	const char *newline;

	while (rest.len && (newline = memchr(rest.at, '\n', rest.len))) {
		size_t n = (size_t)(newline - rest.at);

		if (!j->skipping)
			take_entry(j, bytes_sub(rest, 0, n));
		j->skipping = false;
		rest = bytes_from(rest, n + 1);
	}
	if (rest.len == ROOM) {
		if (!j->skipping)
			j->taker.lost(j->taker.ctx, LOG_DROPPED, 1);
		j->skipping = true;
		rest.len = 0;
	}
	if (rest.len)
		memmove(j->room, rest.at, rest.len);
	j->len = rest.len;
}

static void on_output(void *arg)
{
	struct journal *j = arg;

	for (unsigned i = 0; i < TURN_READS; i++) {
		ssize_t n = read(j->fd, j->room + j->len, ROOM - j->len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			child_end(j);
			again(j);
			return;
		}
		j->len += (size_t)n;
		take_entries(j);
	}
}

/* ---- starting ---- */

static void list_args(struct journal *j, char **argv)
{
	static char *const first[] = { "journalctl", "--follow", "--output=json", "--no-pager", "--all", "--quiet" };
	size_t n = 0;

	for (size_t i = 0; i < nelems(first); i++)
		argv[n++] = first[i];
	argv[n++] = *j->cursor ? j->cursor : "--lines=0";
	if (*j->cursor)
		argv[n++] = "--lines=all"; /* --follow would begin with the last ten */
	for (size_t i = 0; i < j->nargs; i++)
		argv[n++] = j->args[i];
	argv[n] = NULL;
}

/* No signal is blocked or ignored in it, and its words on stderr go nowhere. */
static int spawn(struct journal *j, int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *argv[ARGS_MAX];
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	list_args(j, argv);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawnp(&j->pid, "journalctl", &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (r != 0)
		j->pid = 0;
	return r;
}

static void start(struct journal *j)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		again(j);
		return;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	r = spawn(j, ends[1]);
	close(ends[1]);
	j->fd = ends[0];
	j->len = 0;
	j->skipping = false;
	if (r == 0 && (j->watch = watch_readable(j->loop, j->fd, on_output, j)))
		return;
	log_warn("journalctl cannot be started: %s", strerror(r ? r : ENOMEM));
	close(j->fd);
	if (j->pid)
		reap(j);
	again(j);
}

static bool list_units(struct journal *j, const struct journal_setup *s)
{
	struct text t = text_over(j->units, sizeof j->units - 1);

	for (size_t i = 0; i < s->nunits && i < UNITS_MAX; i++) {
		snprintf(j->args[i], sizeof j->args[i], "--unit=%.*s", BYTES_ARG(s->units[i]));
		text_str(&t, i ? " " : "");
		text_put(&t, s->units[i]);
		j->nargs++;
	}
	j->units[t.len] = 0;
	return !t.full && s->nunits <= UNITS_MAX;
}

static void find_cursor(struct journal *j)
{
	const struct place *p;

	for (size_t i = 0; (p = places_get(j->places, i)); i++)
		if (p->cursor && strcmp(p->path, j->units) == 0)
			snprintf(j->cursor, sizeof j->cursor, "%s%s", AFTER, p->cursor);
}

struct journal *journal_open(struct loop *loop, const struct journal_setup *setup, struct places *places, const struct log_taker *taker)
{
	struct journal *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->loop = loop;
	j->places = places;
	j->taker = *taker;
	if (!list_units(j, setup)) {
		free(j);
		return NULL;
	}
	j->source = (struct log_source){ setup->reader, BYTES("journalctl"), bytes_of(j->units) };
	find_cursor(j);
	start(j);
	return j;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	deadline_clear(&j->again);
	child_end(j);
	free(j);
}
