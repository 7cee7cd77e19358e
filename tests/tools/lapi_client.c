/* lapi_client.c -- for tests: the client of a local API without a gate.
 *
 *   lapi_client URL KEY MACHINE PASSWORD
 *
 * Says each decision as it is held and lifted; each line of input is the address and the scenario of an alert to push. Ends
 * with its input. */
#include "base/clock.h"
#include "base/loop.h"
#include "cti/lapi_client.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct house {
	struct loop *loop;
	struct lapi_client *client;
	struct watch *input;
	struct deadline look;
	uint64_t pushed;
};

static void say(const char *what, const struct decision *d)
{
	printf("%s %s %.*s %s %.*s\n", what, scope_word(d->scope), BYTES_ARG(d->value), remedy_word(d->remedy), BYTES_ARG(d->origin));
	fflush(stdout);
}

static void on_held(void *ctx, const struct decision *d, unsigned times, enum decision_from from)
{
	(void)ctx;
	(void)times;
	(void)from;
	say("held", d);
}

static void on_lifted(void *ctx, const struct decision *d, enum decision_from from)
{
	(void)ctx;
	(void)from;
	say("lifted", d);
}

static void look(void *owner)
{
	struct house *h = owner;
	struct lapi_client_counts c;

	lapi_client_count(h->client, &c);
	if (c.pushed > h->pushed)
		printf("pushed %lu\n", (unsigned long)c.pushed);
	h->pushed = c.pushed;
	fflush(stdout);
	deadline_set(h->loop, &h->look, 50, look, h);
}

static void on_closed(void *ctx)
{
	loop_stop(((struct house *)ctx)->loop);
}

static void on_input(void *arg)
{
	struct house *h = arg;
	struct alert a = { .made_ms = clock_wall_ms(), .scope = SCOPE_IP, .events = 3 };
	char room[512];
	ssize_t n = read(0, room, sizeof room);
	struct bytes rest = { room, n > 0 ? (size_t)n : 0 }, line;

	if (n <= 0) {
		watch_free(h->input);
		deadline_clear(&h->look);
		lapi_client_close(h->client, on_closed, h);
		return;
	}
	while (bytes_cut(&rest, '\n', &line))
		if (bytes_cut(&line, ' ', &a.value) && line.len) {
			a.scenario = line;
			lapi_client_push(h->client, &a);
		}
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct decisions *d = decisions_new(100000);
	struct house h = { .loop = loop_new() };
	struct fetcher *f = fetcher_new(NULL, NULL, NULL, &e);
	struct lapi_client_config config = { .every_ms = 200, .most = REMEDY_DENY };

	if (argc != 5)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	config.url = bytes_of(argv[1]);
	config.key = bytes_of(argv[2]);
	config.machine = bytes_of(argv[3]);
	config.password = bytes_of(argv[4]);
	decisions_watch(d, &(struct decisions_watch){ on_held, on_lifted, NULL });
	h.client = f ? lapi_client_open(h.loop, f, &config, d, &e) : NULL;
	if (!h.client) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	h.input = watch_readable(h.loop, 0, on_input, &h);
	look(&h);
	loop_run(h.loop);
	fetcher_free(f);
	decisions_free(d);
	loop_free(h.loop);
	return 0;
}
