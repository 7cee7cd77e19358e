/* supervisor.c -- the parent: it owns the listening sockets and one serving
 * child, and does nothing that could crash it.
 *
 * The child asks for its sockets (handover.h). When it dies it is started
 * again at once; the sockets, and who waits in their queues, live on. SIGUSR2
 * executes the program file anew in this very process, sockets kept; the new
 * supervisor starts a new child, and the old child drains once the new one
 * serves. SIGHUP goes to the child, which reloads by itself. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "proxy/bound.h"
#include "proxy/notify.h"
#include "proxy/options.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ADDRESSES_MAX = 128,
	CHILDREN_MAX = 8,       /* the serving one, the next one, and old ones that drain */
	BACKOFF_MAX_MS = 5000,
	STATE_MAX = 128 << 10,
};

struct child {
	pid_t pid; /* 0: free */
	int fd;
	bool ready, leaving;
};

struct supervisor {
	char **argv;
	char exe[4096];
	int signals;
	struct bound bound[ADDRESSES_MAX];
	unsigned nbound;
	struct child children[CHILDREN_MAX];
	bool ever_ready, stopping;
	uint64_t again_ms; /* when to start a child that failed to start; 0: not */
	unsigned backoff_ms;
	uint64_t alive_ms, watchdog_ms;
};

/* ---- sockets ---- */

static struct bound *bound_find(struct supervisor *s, const char *host, unsigned port)
{
	char key[sizeof s->bound[0].key];

	snprintf(key, sizeof key, "%s %u", host, port);
	for (unsigned i = 0; i < s->nbound; i++)
		if (strcmp(s->bound[i].key, key) == 0)
			return &s->bound[i];
	return NULL;
}

static void bound_drop(struct supervisor *s, const char *host, unsigned port)
{
	struct bound *b = bound_find(s, host, port);

	if (!b)
		return;
	bound_close(b);
	*b = s->bound[--s->nbound];
}

/* The sockets for who asks: those that are there, or new ones. */
static void bound_give(struct supervisor *s, int fd, unsigned n, const char *host, unsigned port)
{
	struct bound *b = bound_find(s, host, port);
	struct err err = { .text = "the number of workers is fixed at start" };

	if (!b && s->nbound == ADDRESSES_MAX) {
		err_set(&err, SIDE_CONFIG, 0, "more than %d addresses", ADDRESSES_MAX);
	} else if (!b && bound_open(&s->bound[s->nbound], n, host, port, &err)) {
		b = &s->bound[s->nbound++];
	}
	if (b && b->n >= n)
		handover_give(fd, b->fds, n);
	else
		handover_refuse(fd, err.text);
}

/* ---- children ---- */

static struct child *child_free_slot(struct supervisor *s)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid == 0)
			return &s->children[i];
	return NULL;
}

static struct child *serving(struct supervisor *s)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid && s->children[i].ready && !s->children[i].leaving)
			return &s->children[i];
	return NULL;
}

static void signal_all(struct supervisor *s, int signum)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid)
			kill(s->children[i].pid, signum);
}

static void become_child(struct supervisor *s, int fd, pid_t parent)
{
	char word[16];

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
	signal(SIGINT, SIG_IGN);  /* the terminal's goes to the supervisor */
	signal(SIGPIPE, SIG_IGN); /* who hangs up is told by the write; kept over exec */
	fcntl(fd, F_SETFD, 0);
	snprintf(word, sizeof word, "%d", fd);
	setenv("EMBERGATE_SUPERVISOR", word, 1);
	unsetenv("EMBERGATE_STATE");
	unsetenv("NOTIFY_SOCKET");
	execv(s->exe, s->argv);
	_exit(127);
}

static void child_start(struct supervisor *s)
{
	struct child *c = child_free_slot(s);
	pid_t self = getpid();
	int pair[2];

	s->again_ms = 0;
	if (!c || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		log_error("cannot start the serving process: %s", c ? strerror(errno) : "too many are draining");
		return;
	}
	*c = (struct child){ .fd = pair[0], .pid = fork() };
	if (c->pid == 0)
		become_child(s, pair[1], self);
	close(pair[1]);
	if (c->pid < 0) {
		log_error("cannot start the serving process: %s", strerror(errno));
		close(pair[0]);
		c->pid = 0;
		s->again_ms = clock_mono_ms() + BACKOFF_MAX_MS;
	}
	s->alive_ms = clock_mono_ms();
}

static void on_ready(struct supervisor *s, struct child *c)
{
	c->ready = s->ever_ready = true;
	s->backoff_ms = 0;
	s->alive_ms = clock_mono_ms();
	/* Who is still starting stays: it takes over in its turn. */
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (&s->children[i] != c && s->children[i].pid && s->children[i].ready && !s->children[i].leaving) {
			s->children[i].leaving = true;
			kill(s->children[i].pid, SIGUSR2); /* there is a successor */
			kill(s->children[i].pid, SIGTERM);
		}
	notify("READY=1\nSTATUS=serving");
}

static void on_message(struct supervisor *s, struct child *c)
{
	char text[HANDOVER_MAX], host[64];
	ssize_t got = recv(c->fd, text, sizeof text - 1, MSG_DONTWAIT);
	unsigned n, port;

	if (got <= 0)
		return;
	text[got] = '\0';
	if (strcmp(text, "ready") == 0) {
		on_ready(s, c);
	} else if (strcmp(text, "alive") == 0) {
		s->alive_ms = clock_mono_ms();
	} else if (sscanf(text, "bind %u %63s %u", &n, host, &port) == 3) {
		bound_give(s, c->fd, n, host, port);
	} else if (sscanf(text, "drop %63s %u", host, &port) == 2) {
		bound_drop(s, host, port);
	}
}

/* -1: go on; else the exit status of the whole program. */
static int on_death(struct supervisor *s, struct child *c, int status)
{
	bool leaving = c->leaving || s->stopping, was_ready = c->ready;

	close(c->fd);
	*c = (struct child){ 0 };
	if (leaving || serving(s)) {
		if (!leaving)
			log_error("the new version did not start; the old one goes on");
		return -1;
	}
	if (!s->ever_ready)
		return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	log_error("the serving process ended unexpectedly (%s %d); starting it again",
		  WIFSIGNALED(status) ? "signal" : "status",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (was_ready) {
		child_start(s);
		return -1;
	}
	s->backoff_ms = s->backoff_ms ? s->backoff_ms * 2 : 100;
	if (s->backoff_ms > BACKOFF_MAX_MS)
		s->backoff_ms = BACKOFF_MAX_MS;
	s->again_ms = clock_mono_ms() + s->backoff_ms;
	return -1;
}

static bool any_child(const struct supervisor *s)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid)
			return true;
	return false;
}

static int reap(struct supervisor *s)
{
	int status, end;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < CHILDREN_MAX; i++)
			if (s->children[i].pid == pid && (end = on_death(s, &s->children[i], status)) >= 0)
				return end;
	return s->stopping && !any_child(s) ? EXIT_OK : -1;
}

/* ---- the next version ---- */

/* "child PID FD READY\nbound KEY\nfd N\n...": read by the next image. */
static void state_write(const struct supervisor *s, struct text *t)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid)
			text_printf(t, "child %d %d %d %d\n", (int)s->children[i].pid, s->children[i].fd,
				    s->children[i].ready, s->children[i].leaving);
	for (unsigned i = 0; i < s->nbound; i++) {
		text_printf(t, "bound %s\n", s->bound[i].key);
		for (unsigned k = 0; k < s->bound[i].n; k++)
			text_printf(t, "fd %d\n", s->bound[i].fds[k]);
	}
}

static void keep_over_exec(const struct supervisor *s, bool keep)
{
	int flags = keep ? 0 : FD_CLOEXEC;

	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid)
			fcntl(s->children[i].fd, F_SETFD, flags);
	for (unsigned i = 0; i < s->nbound; i++)
		for (unsigned k = 0; k < s->bound[i].n; k++)
			fcntl(s->bound[i].fds[k], F_SETFD, flags);
}

static void state_line(struct supervisor *s, const char *line)
{
	struct child c = { 0 };
	int ready, leaving, fd;
	char host[64];
	unsigned port;

	if (sscanf(line, "child %d %d %d %d", &c.pid, &c.fd, &ready, &leaving) == 4) {
		struct child *slot = child_free_slot(s);

		c.ready = ready;
		c.leaving = leaving;
		s->ever_ready = s->ever_ready || ready;
		if (slot)
			*slot = c;
	} else if (sscanf(line, "bound %63s %u", host, &port) == 2 && s->nbound < ADDRESSES_MAX) {
		s->bound[s->nbound] = (struct bound){ .n = 0 };
		snprintf(s->bound[s->nbound++].key, sizeof s->bound[0].key, "%s %u", host, port);
	} else if (sscanf(line, "fd %d", &fd) == 1 && s->nbound) {
		struct bound *b = &s->bound[s->nbound - 1];

		if (b->n < SOCKETS_MAX)
			b->fds[b->n++] = fd;
	}
}

static void state_read(struct supervisor *s)
{
	struct bytes rest = bytes_of(getenv("EMBERGATE_STATE")), line;
	char copy[200];

	while (bytes_cut(&rest, '\n', &line)) {
		snprintf(copy, sizeof copy, "%.*s", BYTES_ARG(line));
		state_line(s, copy);
	}
	unsetenv("EMBERGATE_STATE");
	keep_over_exec(s, false);
}

static void upgrade(struct supervisor *s)
{
	static char state[STATE_MAX];
	struct text t = text_over(state, sizeof state - 1);

	state_write(s, &t);
	state[t.len] = '\0';
	if (t.full) {
		log_error("upgrade: too many sockets to hand over");
		return;
	}
	log_info("upgrade: executing %s", s->exe);
	setenv("EMBERGATE_STATE", state, 1);
	keep_over_exec(s, true);
	execv(s->exe, s->argv);
	log_error("upgrade: %s: %s; the old version goes on", s->exe, strerror(errno));
	unsetenv("EMBERGATE_STATE");
	keep_over_exec(s, false);
}

/* ---- signals, time, the loop ---- */

static void stop(struct supervisor *s)
{
	if (s->stopping) {
		signal_all(s, SIGKILL);
		return;
	}
	s->stopping = true;
	notify("STOPPING=1\nSTATUS=draining");
	signal_all(s, SIGTERM);
}

static int on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof info) != sizeof info)
		return -1;
	switch (info.ssi_signo) {
	case SIGCHLD: return reap(s);
	case SIGHUP: /* a child that is still starting takes it when it can; one that drains leaves it */
	case SIGUSR1: signal_all(s, (int)info.ssi_signo); return -1;
	case SIGUSR2: upgrade(s); return -1;
	default:
		stop(s);
		return any_child(s) ? -1 : EXIT_OK;
	}
}

/* A serving process that has hung is as bad as a dead one. */
static void watch(struct supervisor *s, uint64_t now)
{
	struct child *c = serving(s);

	if (s->again_ms && now >= s->again_ms)
		child_start(s);
	if (!s->watchdog_ms || !c)
		return;
	if (now - s->alive_ms < s->watchdog_ms)
		notify("WATCHDOG=1");
}

static int serve(struct supervisor *s)
{
	for (;;) {
		struct pollfd p[CHILDREN_MAX + 1] = { { .fd = s->signals, .events = POLLIN } };
		int wait_ms = -1, end;

		for (int i = 0; i < CHILDREN_MAX; i++)
			p[i + 1] = (struct pollfd){ .fd = s->children[i].pid ? s->children[i].fd : -1,
						    .events = POLLIN };
		if (s->again_ms)
			wait_ms = 50;
		else if (s->watchdog_ms)
			wait_ms = (int)(s->watchdog_ms / 3);
		if (poll(p, nelems(p), wait_ms) < 0 && errno != EINTR)
			return EXIT_FAILED;
		for (int i = 0; i < CHILDREN_MAX; i++)
			if (p[i + 1].revents & POLLIN && s->children[i].pid)
				on_message(s, &s->children[i]);
			else if (p[i + 1].revents & (POLLHUP | POLLERR))
				poll(NULL, 0, 1); /* its death is about to be signalled */
		if (p[0].revents && (end = on_signal(s)) >= 0)
			return end;
		watch(s, clock_mono_ms());
	}
}

static bool find_exe(struct supervisor *s)
{
	ssize_t n = readlink("/proc/self/exe", s->exe, sizeof s->exe - 1);
	static const char gone[] = " (deleted)";

	if (n <= 0)
		return false;
	s->exe[n] = '\0';
	if ((size_t)n > sizeof gone && strcmp(s->exe + n - (sizeof gone - 1), gone) == 0)
		s->exe[(size_t)n - (sizeof gone - 1)] = '\0';
	return true;
}

int supervisor_main(char **argv)
{
	static struct supervisor s; /* large, and one a process */
	static const int handled[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	sigset_t set;

	s.argv = argv;
	sigemptyset(&set);
	for (size_t i = 0; i < nelems(handled); i++)
		sigaddset(&set, handled[i]);
	sigprocmask(SIG_BLOCK, &set, NULL); /* the child inherits it and opens it when it can */
	s.signals = signalfd(-1, &set, SFD_CLOEXEC);
	s.watchdog_ms = notify_watchdog_ms();
	if (s.signals < 0 || !find_exe(&s)) {
		log_error("cannot start: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (getenv("EMBERGATE_STATE"))
		state_read(&s);
	child_start(&s);
	return serve(&s);
}
