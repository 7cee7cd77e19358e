/* agent_print -- the agent without a gate: prints each event of the logs that a configuration names.
 *
 *   agent_print FILE     until SIGTERM or SIGINT; then a last line with its counts
 *
 * A line an event: {"path":"/a?x","ip":"192.0.2.1","time":"2021-...","from":"file access.log"} */
#include "proxy/agent.h"
#include "base/text.h"
#include <signal.h>
#include <stdio.h>

static void put(struct text *t, const char *name, struct bytes value)
{
	text_printf(t, "%s\"%s\":", t->len > 1 ? "," : "", name);
	text_json(t, value);
}

static void print_event(void *ctx, struct facts *f)
{
	static char room[1 << 20];
	struct text t = text_over(room, sizeof room);
	struct bytes what = f->at[FACT_HTTP_PATH].len ? f->at[FACT_HTTP_PATH] : facts_get(f, BYTES("Meta.target_user"));

	(void)ctx;
	text_byte(&t, '{');
	put(&t, "path", what);
	put(&t, "ip", f->at[FACT_SOURCE_IP]);
	put(&t, "time", f->at[FACT_TIMESTAMP]);
	put(&t, "type", f->at[FACT_DATASOURCE_TYPE]);
	put(&t, "from", f->at[FACT_DATASOURCE_PATH]);
	text_str(&t, "}");
	printf("%.*s\n", BYTES_ARG(text_bytes(&t)));
	fflush(stdout);
}

static void print_counts(const struct agent_counts *c)
{
	printf("{\"lines\":%llu,\"events\":%llu,\"others\":%llu,\"broken\":%llu,\"cut\":%llu,\"dropped\":%llu}\n",
	       atomic_load(&c->lines), atomic_load(&c->events), atomic_load(&c->others), atomic_load(&c->broken),
	       atomic_load(&c->cut), atomic_load(&c->dropped));
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	struct config *c = argc == 2 ? config_load(argv[1], NULL, &err) : NULL;
	static struct agent_counts counts;
	struct agent *a = NULL;
	sigset_t ends;
	int signal_number;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	if (!c || !(a = agent_start(c, &counts, print_event, NULL, &err))) {
		fprintf(stderr, "agent_print: %s\n", err.text);
		config_free(c);
		return 2;
	}
	sigwait(&ends, &signal_number);
	agent_stop(a);
	print_counts(&counts);
	config_free(c);
	return 0;
}
