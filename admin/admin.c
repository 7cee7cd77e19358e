/* admin.c -- opening, closing, and text of unknown length. */
#include "admin/admin.h"
#include "admin/ctl.h"
#include "admin/server.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_START = 64 << 10, TEXT_MAX = 32 << 20 };

bool admin_text(void (*write)(void *ctx, struct text *), void *ctx, struct text *out)
{
	for (size_t cap = TEXT_START; cap <= TEXT_MAX; cap *= 2) {
		char *at = malloc(cap);

		if (!at)
			return false;
		*out = text_over(at, cap);
		write(ctx, out);
		if (!out->full)
			return true;
		free(at);
	}
	return false;
}

static void ctl_accepted(void *ctx, struct stream *s)
{
	guest_new(ctx, s, &ctl_kind);
}

/* The configured names, localhost and this machine's. */
static bool hosts_new(struct admin *a, const struct admin_options *o)
{
	char name[256] = "";

	a->hosts = calloc(o->nhosts + 3, sizeof *a->hosts);
	if (!a->hosts)
		return false;
	for (size_t i = 0; i < o->nhosts; i++)
		if (!(a->hosts[i] = strndup(o->hosts[i].at, o->hosts[i].len)))
			return false;
	gethostname(name, sizeof name - 1);
	a->hosts[o->nhosts] = strdup("localhost");
	a->hosts[o->nhosts + 1] = a->hosts[o->nhosts] ? strdup(name) : NULL;
	return a->hosts[o->nhosts + 1];
}

static bool listen_all(struct admin *a, const struct admin_options *o, struct err *e)
{
	int fd;

	if (o->nfds && !(a->server = server_open(a, o->fds, o->nfds, e)))
		return err_at(e, "admin");
	if (!o->ctl_socket)
		return true;
	a->ctl = ctl_socket_bind(o->ctl_socket, &fd, e);
	if (!a->ctl)
		return err_at(e, "ctl socket");
	a->ctl_listener = listener_open(a->loop, fd, ctl_accepted, a, e);
	return a->ctl_listener || err_at(e, "%s", o->ctl_socket);
}

static void admin_free(struct admin *a)
{
	for (char **name = a->hosts; name && *name; name++)
		free(*name);
	free(a->hosts);
	free(a);
}

struct admin *admin_open(struct loop *loop, const struct admin_options *o, struct err *e)
{
	struct admin *a = calloc(1, sizeof *a);

	if (a) {
		a->loop = loop;
		a->hooks = o->hooks;
		a->events = o->events;
	}
	if (!a || !hosts_new(a, o)) {
		err_set(e, SIDE_SELF, ENOMEM, "admin: out of memory");
	} else if (listen_all(a, o, e)) {
		return a;
	}
	if (a)
		admin_close(a, NULL, NULL);
	return NULL;
}

void admin_left(struct admin *a)
{
	void (*closed)(void *) = a->closed;
	void *ctx = a->closed_ctx;

	if (!a->closing || a->guests || a->server)
		return;
	admin_free(a);
	if (closed)
		closed(ctx);
}

static void server_closed(void *admin)
{
	struct admin *a = admin;

	a->server = NULL;
	admin_left(a);
}

void admin_close(struct admin *a, void (*closed)(void *), void *ctx)
{
	a->closing = true;
	a->closed = closed;
	a->closed_ctx = ctx;
	listener_close(a->ctl_listener);
	ctl_socket_free(a->ctl);
	for (struct guest *g = a->guests; g; g = g->next)
		guest_close(g);
	if (a->server)
		serve_close(a->server, 0, server_closed, a);
	else
		admin_left(a);
}
