/* lapi_world.c -- the local API alone, for tests: `lapi_world DIR` opens a store in DIR, one bouncer and one machine, and writes
 * "PORT KEY PASSWORD" on its standard output. An alert without decisions is a ban of four hours. It ends with its input. */
#include "base/clock.h"
#include "cti/lapi.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* One gate, so nothing is shared: the real ones would bring Redis along. */
bool share_put(struct share *s, struct bytes name, struct bytes value, uint32_t life_s)
{
	(void)s;
	(void)name;
	(void)value;
	(void)life_s;
	return false;
}

bool share_get(struct share *s, struct bytes name, void (*got)(void *owner, bool known, struct bytes value), void *owner)
{
	(void)s;
	(void)name;
	(void)got;
	(void)owner;
	return false;
}

static bool profile(void *ctx, const struct alert *a, struct arena *arena, struct decision *out)
{
	(void)ctx;
	(void)arena;
	*out = (struct decision){ .scope = a->scope, .value = a->value, .remedy = REMEDY_DENY, .reason = a->scenario,
		.until_ms = clock_wall_ms() + 4 * 3600 * 1000 };
	return true;
}

static int listen_somewhere(unsigned *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) || listen(fd, 64) || getsockname(fd, (struct sockaddr *)&at, &n))
		return -1;
	*port = ntohs(at.sin_port);
	return fd;
}

static void on_input(void *arg)
{
	char byte[64];

	if (read(0, byte, sizeof byte) <= 0)
		loop_stop(arg);
}

static void closed(void *arg)
{
	loop_stop(arg);
}

int main(int argc, char **argv)
{
	char path[512], key[65] = "", password[65] = "correct horse battery";
	struct loop *loop = loop_new();
	struct err e = { 0 };
	struct lapi_options o = { .registration = true, .profile = profile, .key = { 1, 2, 3 } };
	struct watch *input;
	struct store *store;
	struct lapi *lapi;
	unsigned port = 0;
	int fd = listen_somewhere(&port);

	if (argc != 2 || fd < 0)
		return 2;
	snprintf(path, sizeof path, "%s/store.db", argv[1]);
	store = store_open(path, &e);
	o.decisions = decisions_new(2000000);
	o.alerts = store ? alerts_open(store, &e) : NULL;
	o.keys = o.alerts ? keys_open(store, &e) : NULL;
	o.serve.fds = &fd;
	o.serve.nfds = 1;
	if (!o.keys || !keys_add_bouncer(o.keys, BYTES("test"), KEY_BOUNCER, (struct bytes){ 0 }, key, &e) ||
	    !keys_add_machine(o.keys, BYTES("agent1"), bytes_of(password), true, &e) || !(lapi = lapi_open(loop, &o, &e))) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	input = watch_readable(loop, 0, on_input, loop);
	printf("%u %s %s\n", port, key, password);
	fflush(stdout);
	loop_run(loop);
	watch_free(input);
	lapi_close(lapi, closed, loop);
	loop_run(loop);
	keys_close(o.keys);
	alerts_close(o.alerts);
	store_close(store);
	decisions_free(o.decisions);
	loop_free(loop);
	return 0;
}
