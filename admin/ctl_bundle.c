/* ctl_bundle.c -- `embergate ctl support-bundle`: what a bug report needs, as a text to be read before it is sent.
 *
 * Addresses of clients, requests and lines of logs are not in it; what the configuration says of servers is. */
#include "admin/ctl.h"
#include "admin/status.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char details[] =
	"Without FILE it goes to the standard output. It holds versions, the system's name, the status, the configuration\n"
	"that is in use (without comments, passwords, tokens, and what follows the host in URLs of notify), and the metrics.\n"
	"It holds no log, no request and no client's address. Read it before you send it.\n";

struct bundle {
	const struct admin *admin;
	const struct admin_status *status;
};

static void put_part(struct text *t, const char *name)
{
	text_printf(t, "\n==== %s ====\n", name);
}

static void write_bundle(void *arg, struct text *t)
{
	const struct bundle *b = arg;
	const struct admin_hooks *h = &b->admin->hooks;
	struct utsname u = { .sysname = "" };

	uname(&u);
	text_str(t, "Embergate support bundle, ");
	clock_rfc3339(t, clock_wall_ms());
	text_str(t, "\nIn it: versions, status, configuration without secrets, metrics.\n"
		    "Not in it: logs, requests, clients' addresses.\n");
	put_part(t, "versions");
	text_printf(t, "embergate " EMBERGATE_VERSION "\n%s %s %s\n", u.sysname, u.release, u.machine);
	put_part(t, "status");
	status_table(t, b->status, clock_wall_ms());
	put_part(t, "configuration");
	h->config_text(h->ctx, t);
	put_part(t, "metrics");
	h->metrics(h->ctx, t);
}

void ctl_bundle(const struct ctl_ask *ask)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	struct arena *a = arena_new(1 << 20);
	struct admin_status s = { .config = "" };
	struct bundle b = { ask->admin, &s };

	if (!a) {
		admin_answer(ask->answer, false, "out of memory");
		return;
	}
	h->status(h->ctx, a, &s);
	ctl_reply_text(ask->answer, write_bundle, &b);
	arena_free(a);
}

/* ---- the client ---- */

/* For its owner's eyes only until he has read it. */
static FILE *open_private(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!to)
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
	if (!to && fd >= 0)
		close(fd);
	return to;
}

static enum ctl_outcome bundle_local(const struct ctl_client *c, int argc, char **argv)
{
	FILE *to;
	enum ctl_outcome outcome;
	bool kept;

	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		ctl_print_usage(stderr, ctl_verb_named(bytes_of(argv[0])));
		return CTL_USAGE;
	}
	if (argc == 1)
		return ctl_client_ask(c, argv, 1, stdout);
	to = open_private(argv[1]);
	if (!to)
		return CTL_FAILED;
	outcome = ctl_client_ask(c, argv, 1, to);
	kept = fclose(to) == 0;
	if (outcome != CTL_OK || !kept) {
		unlink(argv[1]);
		return outcome != CTL_OK ? outcome : CTL_FAILED;
	}
	if (!ctl_client_quiet(c))
		printf("%s is written. It holds versions, status, configuration without secrets and metrics;\n"
		       "no logs, no requests, no clients' addresses. Read it before you send it.\n", argv[1]);
	return CTL_OK;
}

const struct ctl_local ctl_bundle_local = { "support-bundle", bundle_local, details };
