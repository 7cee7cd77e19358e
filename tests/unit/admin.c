/* admin/: what may be asked of a running gate, over HTTP and over its socket. */
#include "tests/test.h"
#include "admin/admin.h"
#include "admin/ctl.h"
#include "cti/keys.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- a gate that is only an admin ----------------------------------------- */

static struct gate {
	struct loop *loop;
	struct admin *admin;
	struct events *events;
	struct admin_answer *owed;
	struct deadline later;
	pthread_t thread;
	uint16_t port;
	char dir[24], ctl[64];
	atomic_bool draining, hold;
	char mode[64];
	atomic_size_t metrics_lines;
} gate;

static void hook_status(void *ctx, struct arena *a, struct admin_status *s)
{
	static const struct admin_server servers[] = { { BYTES_INIT("127.0.0.1:3000"), true, 3 }, { BYTES_INIT("10.0.0.3:3000"), false, 0 } };
	static const struct admin_app apps[] = { { BYTES_INIT("shop"), "block", 43, servers, nelems(servers), false, NULL, 0 } };
	static const struct bytes listeners[] = { BYTES_INIT(":80"), BYTES_INIT(":443") };

	(void)ctx;
	(void)a;
	*s = (struct admin_status){ .started_ms = 1, .pid = 42, .workers = 2, .config = "embergate.yaml", .config_hash = 0xabc,
				    .reload_error = BYTES("embergate.yaml:3:1: no"), .connections = 5, .requests = 77,
				    .listeners = listeners, .nlisteners = 2, .apps = apps, .napps = 1 };
}

static void reload_done(void *ctx)
{
	struct gate *g = ctx;
	struct admin_answer *owed = g->owed;

	g->owed = NULL;
	if (owed)
		admin_answer(owed, true, "reloaded");
}

static void hook_reload(void *ctx, struct admin_answer *answer)
{
	struct gate *g = ctx;

	if (g->owed) {
		admin_answer(answer, false, "a reload is under way");
		return;
	}
	g->owed = answer;
	deadline_set(g->loop, &g->later, 100, reload_done, g);
}

static bool hook_mode(void *ctx, struct bytes app, struct bytes mode, struct err *e)
{
	struct gate *g = ctx;

	if (!bytes_eq(app, BYTES("shop")))
		return err_set(e, SIDE_CLIENT, 404, "no app '%.*s'", BYTES_ARG(app));
	snprintf(g->mode, sizeof g->mode, "%.*s", BYTES_ARG(mode));
	return true;
}

static void hook_drain(void *ctx)
{
	atomic_store(&((struct gate *)ctx)->draining, true);
}

static bool hook_attack(void *ctx, struct bytes app, struct bytes mode, struct err *e)
{
	(void)ctx;
	(void)mode;
	return bytes_eq(app, BYTES("shop")) || err_set(e, SIDE_CLIENT, 404, "no app '%.*s'", BYTES_ARG(app));
}

static bool hook_ready(void *ctx, struct text *why)
{
	if (atomic_load(&((struct gate *)ctx)->draining))
		text_str(why, "draining");
	return !atomic_load(&((struct gate *)ctx)->draining);
}

static void hook_metrics(void *ctx, struct text *t)
{
	for (size_t i = 0; i < ((struct gate *)ctx)->metrics_lines; i++)
		text_str(t, "embergate_x 1\n");
}

static int bound_socket(uint16_t *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static void *run(void *arg)
{
	loop_run(((struct gate *)arg)->loop);
	arena_thread_end();
	return NULL;
}

static int gate_start(void **state)
{
	static const struct bytes hosts[] = { BYTES_INIT("gate-1.example") };
	struct gate *g = &gate;
	int fd = bound_socket(&g->port);
	struct err e;

	(void)state;
	memcpy(g->dir, "/tmp/test_admin.XXXXXX", 23);
	assert_non_null(mkdtemp(g->dir));
	snprintf(g->ctl, sizeof g->ctl, "%.23s/ctl.sock", g->dir);
	g->loop = loop_new();
	g->events = events_new(8, 1 << 20);
	g->metrics_lines = 2;
	struct admin_options o = {
		.fds = &fd, .nfds = 1, .ctl_socket = g->ctl, .hosts = hosts, .nhosts = 1, .events = g->events,
		.hooks = { g, hook_status, hook_reload, hook_mode, hook_drain, hook_ready, hook_metrics, .attack = hook_attack },
	};
	g->admin = admin_open(g->loop, &o, &e);
	if (!g->admin)
		fail_msg("%s", e.text);
	return pthread_create(&g->thread, NULL, run, g);
}

static void on_admin_closed(void *ctx)
{
	loop_stop(((struct gate *)ctx)->loop);
}

static void stop(void *arg)
{
	struct gate *g = arg;

	deadline_clear(&g->later);
	admin_close(g->admin, on_admin_closed, g);
	reload_done(g); /* an answer that nobody waits for any more */
}

static int gate_stop(void **state)
{
	(void)state;
	loop_post(gate.loop, stop, &gate);
	pthread_join(gate.thread, NULL);
	loop_free(gate.loop);
	events_free(gate.events);
	assert_int_not_equal(access(gate.ctl, F_OK), 0); /* the socket file goes with it */
	return rmdir(gate.dir);
}

/* --- HTTP ------------------------------------------------------------------- */

static int tcp(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(gate.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

static char answer[4 << 20];

/* Everything until the peer closes. */
static struct bytes read_all(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, answer + len, sizeof answer - len - 1, 0)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	close(fd);
	return (struct bytes){ answer, len };
}

static struct bytes http(const char *request)
{
	int fd = tcp();

	send(fd, request, strlen(request), MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	return read_all(fd);
}

static void every_request_has_its_status(void **state)
{
	static const struct { const char *request; unsigned status; const char *body; } cases[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9180\r\n\r\n", 200, "\r\n\r\nembergate_x 1\nembergate_x 1\n" },
		{ "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\n\r\nok\n" },
		{ "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\n\r\nready\n" },
		{ "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "Content-Type: text/" }, /* the dashboard, or the list of paths */
		{ "GET / HTTP/1.1\r\nHost: [::1]:9180\r\n\r\n", 200, "Content-Type: text/" },
		{ "GET / HTTP/1.1\r\nHost: GATE-1.example\r\n\r\n", 200, "Content-Type: text/" },
		{ "GET / HTTP/1.0\r\n\r\n", 200, "Connection: close\r\n" },
		{ "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "Host must be" },
		{ "HEAD /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 200, "Content-Length: 28\r\n" },
		{ "POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 405, "Allow: GET, HEAD\r\n" },
		{ "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\nabc", 413, "no bodies" },
		{ "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413, "no bodies" },
		{ "GET /metrics/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404, "not found" },
		{ "GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 401, "application/problem+json" },
		{ "GET /metrics HTTP/1.1\nHost: 127.0.0.1\n\n", 400, "Connection: close\r\n" },
		{ "GET /metrics HTTP/1.1\r\n\r\n", 400, "" },
		{ "GET /metrics HTTP/3.0\r\nHost: 127.0.0.1\r\n\r\n", 505, "" },
		{ "\x16\x03\x01 hello", 400, "" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct bytes got = http(cases[i].request);
		char line[32];
		int n = snprintf(line, sizeof line, "HTTP/1.1 %u ", cases[i].status);

		if (!bytes_starts(got, (struct bytes){ line, (size_t)n }) || bytes_find(got, bytes_of(cases[i].body)) == SIZE_MAX)
			fail_msg("%s\n-> %.*s", cases[i].request, BYTES_ARG(got));
	}
}

static unsigned lines_of(struct bytes in, struct bytes what)
{
	unsigned n = 0;
	struct bytes line;

	while (in.len && bytes_cut(&in, '\n', &line))
		n += bytes_eq(line, what);
	return n;
}

static void a_head_answer_has_no_body(void **state)
{
	(void)state;
	assert_true(bytes_ends(http("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), BYTES("\r\n\r\n")));
}

static void connections_are_kept_and_pipelined(void **state)
{
	static const char one[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = tcp();

	(void)state;
	for (int i = 0; i < 400; i++) /* more than the buffer holds at once */
		send(fd, one, sizeof one - 1, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	assert_int_equal(lines_of(read_all(fd), BYTES("ok")), 400);
}

static void a_large_answer_reaches_a_slow_reader_whole(void **state)
{
	static const char two[] = "GET /metrics HTTP/1.1\r\nHost: [::1]\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = tcp();
	struct bytes got;

	(void)state;
	gate.metrics_lines = 200000; /* 2.8 MB */
	send(fd, two, sizeof two - 1, MSG_NOSIGNAL);
	usleep(100000);
	shutdown(fd, SHUT_WR);
	got = read_all(fd);
	gate.metrics_lines = 2;
	assert_int_equal(lines_of(got, BYTES("embergate_x 1")), 200000);
	assert_true(bytes_ends(got, BYTES("ok\n")));
}

static void of_many_connections_one_that_idles_gives_way(void **state)
{
	int fds[64];
	char c;

	(void)state;
	for (size_t i = 0; i < nelems(fds); i++)
		fds[i] = tcp();
	assert_true(bytes_ends(http("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), BYTES("ok\n")));
	assert_int_equal(recv(fds[0], &c, 1, 0), 0);
	for (size_t i = 0; i < nelems(fds); i++)
		close(fds[i]);
}

/* --- ctl ---------------------------------------------------------------------- */

static struct bytes raw_ctl(const char *line)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(sa.sun_path, gate.ctl, strlen(gate.ctl));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	send(fd, line, strlen(line), MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	return read_all(fd);
}

enum { ARGS = 10 };

/* Runs `embergate ctl ARGS`; what it says is in `answer`. */
static int ctl(const char *args)
{
	char words[256], *argv[ARGS + 1] = { 0 }, *save = NULL;
	char file[64];
	int argc = 0, status, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), fd;

	snprintf(file, sizeof file, "%.23s/out", gate.dir);
	snprintf(words, sizeof words, "ctl %s", args);
	for (char *w = strtok_r(words, " ", &save); w && argc < ARGS; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	fflush(stdout);
	fd = open(file, O_CREAT | O_TRUNC | O_RDWR, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	optind = 0;
	status = ctl_main(argc, argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	lseek(fd, 0, SEEK_SET);
	ssize_t n = read(fd, answer, sizeof answer - 1);
	answer[n > 0 ? n : 0] = '\0';
	close(fd);
	unlink(file);
	return status;
}

static void keep_alert(const char *id)
{
	static const struct rule_info rule = { "942100", "SQLi libinjection", "sqli", "f", 1, SEVERITY_CRITICAL };
	static const struct hit hit = {
		.rule = &rule, .variable = BYTES_INIT("ARGS:body"), .value = BYTES_INIT("nothing to see: 1' or 1=1--"),
		.offset = 16, .len = 11, .score = 5, .data = BYTES_INIT("matched: 1' or 1=1--"),
	};
	static const struct request q = { .method = BYTES_INIT("POST"), .path = BYTES_INIT("/comment"), .hostname = BYTES_INIT("shop.example") };
	struct event e = { .wall_ms = 1795488439120, .id = bytes_of(id), .app = BYTES("shop"), .client_from = BYTES("X-Forwarded-For"),
			   .request = &q, .status = 403, .duration_us = 410, .action = REMEDY_DENY, .would = REMEDY_DENY,
			   .source = SOURCE_RULE, .reason = BYTES("942100 matched"), .hits = &hit, .nhits = 1, .threshold = 5,
			   .country = BYTES("DE"), .as = BYTES("3320"), .tls_version = BYTES("TLSv1.3"),
			   .ja4 = BYTES("t13d1516h2_8daaf6152771_e5627efa2ab1") };

	assert_true(ip_parse(BYTES("203.0.113.7"), &e.client));
	assert_true(ip_parse(BYTES("172.70.0.1"), &e.peer));
	assert_true(events_offer(gate.events, &e, NULL));
}

static const char explained[] =
	"01JD3A  POST shop.example/comment  \u2192 DENIED 403 in 0.41 ms   2026-11-24T02:47:19.120Z\n"
	"  client   203.0.113.7  (X-Forwarded-For, trusted hop 172.70.0.1)   DE AS3320   TLSv1.3   JA4 t13d1516h2_8daaf6152771_e5627efa2ab1\n"
	"  app      shop\n"
	"  passed   own rules, limits\n"
	"  rules    942100  SQLi libinjection   +5   ARGS:body  \"nothing to see: 1' or 1=1--\"  offset 16\n"
	"             matched: 1' or 1=1--\n"
	"  score    5 \u2265 5\n"
	"  decided  deny by rules: 942100 matched\n"
	"  if this is legitimate, in the configuration under apps.shop:\n"
	"    exceptions:\n"
	"      - {path: \"/comment\", rules: [942100], args: [\"body\"], reason: \"...\"}\n";

static void ctl_answers_with_text_and_an_exit_status(void **state)
{
	static const struct { const char *args; int status; const char *says; } cases[] = {
		{ "-s %s status", 0, "config     embergate.yaml\n           the last reload was refused: embergate.yaml:3:1: no\n" },
		{ "-s %s status", 0, "  shop  block, 43 rules\n    127.0.0.1:3000  up, 3 connections\n    10.0.0.3:3000  DOWN, 0 connections\n" },
		{ "-s %s -o json status", 0, "\"apps\":[{\"name\":\"shop\",\"mode\":\"block\",\"rules\":43,\"servers\":[{\"address\":\"127.0.0.1:3000\",\"up\":true,\"connections\":3}," },
		{ "status -q -s %s", 0, "" },
		{ "-s %s reload", 0, "reloaded\n" },
		{ "-s %s -o json reload", 0, "{\"ok\":true,\"message\":\"reloaded\"}\n" },
		{ "-s %s mode shop detect", 0, "shop is now in mode detect\n" },
		{ "-s %s mode blog detect", 1, "no app 'blog'\n" },
		{ "-s %s attack-mode shop auto", 0, "attack mode of shop is now auto\n" },
		{ "-s %s attack-mode blog on", 1, "no app 'blog'\n" },
		{ "-s %s attack-mode shop", 2, "usage: embergate ctl attack-mode APP on|off|auto\n" },
		{ "-s %s mode shop", 2, "usage: embergate ctl mode APP block|detect|off\n" },
		{ "-s %s explain 01JD3A", 0, explained },
		{ "-s %s explain 01jd3a", 0, explained },
		{ "-s %s -o json explain 01JD3A", 0, "\"decision_trace\":[{\"rule\":\"942100\"" },
		{ "-s %s explain 01JD3", 1, "several alerts begin with 01JD3: give more of the id\n" },
		{ "-s %s explain 01ZZZ", 1, "01ZZZ is not among the 2 alerts that are kept" },
		{ "-s %s cert", 0, "no listener speaks TLS\n" },
		{ "-s %s cert renew", 1, "cert list is all there is" },
		{ "-s %s cert --help", 0, "usage: embergate ctl cert [list]\n" },
		{ "-s %s nodes", 0, "this gate is alone: no `redis` is configured\n" },
		{ "-s %s relaod", 2, "unknown verb 'relaod', did you mean 'reload'?\n" },
		{ "-s %s -o yaml status", 2, "-o is table or json, not 'yaml'\n" },
		{ "-s /no/such.sock status", 3, "no gate answers at /no/such.sock: No such file or directory\n" },
		{ "help", 0, "  reload                            read the configuration again; waits for the outcome\n" },
		{ "", 2, "usage: embergate ctl" },
	};

	(void)state;
	keep_alert("01JD3A");
	keep_alert("01JD3B");
	for (size_t i = 0; i < nelems(cases); i++) {
		char args[200];
		const char *mark = strstr(cases[i].args, "%s");
		int status;

		if (mark)
			snprintf(args, sizeof args, "%.*s%s%s", (int)(mark - cases[i].args), cases[i].args, gate.ctl, mark + 2);
		else
			snprintf(args, sizeof args, "%s", cases[i].args);
		status = ctl(args);
		if (status != cases[i].status || !strstr(answer, cases[i].says) || (!cases[i].says[0] && answer[0]))
			fail_msg("%s -> %d\n%s", cases[i].args, status, answer);
	}
	assert_string_equal(gate.mode, "detect");
}

static int ctl_here(const char *args)
{
	char all[200];

	snprintf(all, sizeof all, "-s %s %s", gate.ctl, args);
	return ctl(all);
}

static void keys_are_made_listed_and_deleted(void **state)
{
	static const struct { const char *args; int status; const char *says; } cases[] = {
		{ "bouncers", 0, "there is none\n" },
		{ "-o json bouncers", 0, "[]\n" },
		{ "bouncers add wall", 0, "key of wall, shown only now: " },
		{ "-o json bouncers add waf trusted", 0, "{\"name\":\"waf\",\"key\":\"" },
		{ "bouncers add wall", 1, "bouncer 'wall' exists\n" },
		{ "bouncers add a/b", 1, "a name is 1 to 63 letters" },
		{ "bouncers add x everything", 1, "write: bouncers add NAME" },
		{ "bouncers add", 1, "write: bouncers add NAME" },
		{ "bouncers list", 0, "\nwall                             decisions                never " },
		{ "-o json bouncers", 0, "[{\"name\":\"waf\",\"may\":[\"decisions\",\"appsec\",\"trusted\"],\"validated\":true" },
		{ "bouncers delete wall", 0, "it is deleted\n" },
		{ "bouncers delete wall", 1, "there is none of that name\n" },
		{ "bouncers sing", 1, "write: bouncers list" },
		{ "machines add agent", 0, "password of agent, shown only now: " },
		{ "machines add other its-password", 0, "it may log in\n" },
		{ "machines", 0, "agent                            validated" },
		{ "machines validate nobody", 1, "there is none of that name\n" },
		{ "machines validate agent", 0, "it may log in\n" },
		{ "machines delete agent", 0, "it is deleted\n" },
		{ "-o json machines", 0, "[{\"name\":\"other\",\"may\":[],\"validated\":true" },
	};
	static const char *const parts[] = { "", "-wal", "-shm" };
	char file[96], part[128];
	struct store *store;
	struct keys *keys;

	(void)state;
	assert_int_equal(ctl_here("bouncers"), 1);
	assert_string_equal(answer, "this gate serves no local API\n");
	snprintf(file, sizeof file, "%.23s/store", gate.dir);
	store = store_open(file, NULL);
	gate.admin->hooks.keys = keys = keys_open(store, NULL);
	assert_non_null(keys);
	for (size_t i = 0; i < nelems(cases); i++) {
		int status = ctl_here(cases[i].args);

		if (status != cases[i].status || !strstr(answer, cases[i].says))
			fail_msg("%s: exit %d, \"%s\"", cases[i].args, status, answer);
	}
	gate.admin->hooks.keys = NULL;
	keys_close(keys);
	store_close(store);
	for (size_t i = 0; i < nelems(parts); i++) {
		snprintf(part, sizeof part, "%s%s", file, parts[i]);
		unlink(part);
	}
}

static void raw_lines_are_bounded_and_clean(void **state)
{
	static char longer[3000];

	(void)state;
	memset(longer, 'x', sizeof longer - 1);
	assert_bytes(raw_ctl("hello\n"), BYTES("usage 29\nthis gate speaks embergate/1\n"));
	assert_bytes(raw_ctl("embergate/1 table mode shop block\nembergate/1 table mode shop off\n"),
		     BYTES("ok 26\nshop is now in mode block\nok 24\nshop is now in mode off\n"));
	assert_int_equal(raw_ctl(longer).len, 0);
	assert_int_equal(raw_ctl("embergate/1 table explain \x1b[2J\n").len, 0);
	assert_int_equal(raw_ctl("embergate/1 table stat").len, 0); /* no line, no answer */
	assert_bytes(raw_ctl("embergate/1 table explain a b c d e f\n"), BYTES("usage 32\nusage: embergate ctl explain ID\n"));
}

static void an_asker_may_leave_before_the_answer(void **state)
{
	static const char line[] = "embergate/1 table reload\n";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	memcpy(sa.sun_path, gate.ctl, strlen(gate.ctl));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	send(fd, line, sizeof line - 1, MSG_NOSIGNAL);
	usleep(20000);
	assert_bytes(raw_ctl(line), BYTES("failed 22\na reload is under way\n"));
	close(fd);
	usleep(200000);
	assert_bytes(raw_ctl(line), BYTES("ok 9\nreloaded\n"));
}

static void the_socket_is_its_owners_alone(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(gate.ctl, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void another_process_may_take_the_socket_over(void **state)
{
	char path[64];
	struct ctl_socket *old, *new;
	struct err e;
	int fds[2];

	(void)state;
	snprintf(path, sizeof path, "%.23s/other.sock", gate.dir);
	old = ctl_socket_bind(path, &fds[0], &e);
	new = ctl_socket_bind(path, &fds[1], &e);
	assert_non_null(old);
	assert_non_null(new);
	ctl_socket_free(old);
	assert_int_equal(access(path, F_OK), 0); /* it is the new one's */
	ctl_socket_free(new);
	assert_int_not_equal(access(path, F_OK), 0);
	close(fds[0]);
	close(fds[1]);
	assert_null(ctl_socket_bind("/no/such/dir/ctl.sock", &fds[0], &e));
	assert_string_equal(e.text, "/no/such/dir/ctl.sock: No such file or directory");
}

/* The last one: the gate drains from here on. */
static void draining_is_not_ready(void **state)
{
	char args[100];

	(void)state;
	snprintf(args, sizeof args, "-s %s drain", gate.ctl);
	assert_int_equal(ctl(args), 0);
	struct bytes got = http("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(bytes_starts(got, BYTES("HTTP/1.1 503 ")) && bytes_ends(got, BYTES("\r\n\r\ndraining\n")));
	assert_true(bytes_starts(http("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), BYTES("HTTP/1.1 200 ")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_has_its_status),
		cmocka_unit_test(a_head_answer_has_no_body),
		cmocka_unit_test(connections_are_kept_and_pipelined),
		cmocka_unit_test(a_large_answer_reaches_a_slow_reader_whole),
		cmocka_unit_test(of_many_connections_one_that_idles_gives_way),
		cmocka_unit_test(ctl_answers_with_text_and_an_exit_status),
		cmocka_unit_test(keys_are_made_listed_and_deleted),
		cmocka_unit_test(raw_lines_are_bounded_and_clean),
		cmocka_unit_test(an_asker_may_leave_before_the_answer),
		cmocka_unit_test(the_socket_is_its_owners_alone),
		cmocka_unit_test(another_process_may_take_the_socket_over),
		cmocka_unit_test(draining_is_not_ready),
	};

	signal(SIGPIPE, SIG_IGN); /* as the gate does */
	return cmocka_run_group_tests(tests, gate_start, gate_stop);
}
