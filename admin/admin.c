/* admin.c -- opening, closing, and text of unknown length. */
#include "admin/admin.h"
#include "admin/api/peers.h"
#include "admin/api/repeats.h"
#include "admin/api/turns.h"
#include "admin/audit.h"
#include "admin/ctl.h"
#include "admin/server.h"
#include "admin/streams.h"
#include "admin/sessions.h"
#include "admin/spread.h"
#include "admin/tokens.h"
#include "admin/users.h"
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
	a->nhosts = o->nhosts;
	gethostname(name, sizeof name - 1);
	a->hosts[o->nhosts] = strdup("localhost");
	a->hosts[o->nhosts + 1] = a->hosts[o->nhosts] ? strdup(name) : NULL;
	return a->hosts[o->nhosts + 1];
}

static bool way_open(struct server_way *way, const int *fds, size_t nfds, struct err *e)
{
	way->server = server_open(way, fds, nfds, e);
	return way->server != NULL;
}

static bool ctl_open(struct admin *a, const char *path, struct err *e)
{
	int fd;

	a->ctl = ctl_socket_bind(path, &fd, e);
	if (!a->ctl)
		return err_at(e, "ctl socket");
	a->ctl_listener = listener_open(a->loop, fd, ctl_accepted, a, e);
	return a->ctl_listener || err_at(e, "%s", path);
}

static bool api_open(struct admin *a, const char *path, struct err *e)
{
	int fd;

	a->api_socket = ctl_socket_bind(path, &fd, e);
	return (a->api_socket && way_open(&a->by_socket, &fd, 1, e)) || err_at(e, "api socket");
}

static bool listen_all(struct admin *a, const struct admin_options *o, struct err *e)
{
	a->by_address = (struct server_way){ .admin = a, .tls = o->tls };
	a->by_socket = (struct server_way){ .admin = a, .is_socket = true };
	if (o->nfds && !way_open(&a->by_address, o->fds, o->nfds, e))
		return err_at(e, "admin");
	/* Whoever waits for the ctl socket finds all else open. */
	return (!o->api_socket || api_open(a, o->api_socket, e)) && (!o->ctl_socket || ctl_open(a, o->ctl_socket, e));
}

static void nothing(struct sqlite3 *db, void *arg)
{
	(void)db;
	(void)arg;
}

static void admin_free(struct admin *a)
{
	if (a->store)
		store_do_now(a->store, nothing, NULL); /* what was asked of it before knows the parts that go now */
	for (char **name = a->hosts; name && *name; name++)
		free(*name);
	free(a->hosts);
	users_close(a->users);
	sessions_close(a->sessions);
	tokens_close(a->tokens);
	audit_close(a->audit);
	repeats_free(a->repeats);
	turns_free(a->turns);
	free(a);
}

/* What the store has for the folder. */
static bool kept_open(struct admin *a, const struct admin_options *o, struct err *e)
{
	return !a->store ||
	       ((a->audit = audit_open(a->store, e)) && (a->users = users_open(a->store, a->loop, o->seal_key, e)) &&
		(a->sessions = sessions_open(a->store, e)) && (a->tokens = tokens_open(a->store, e)));
}

struct admin *admin_open(struct loop *loop, const struct admin_options *o, struct err *e)
{
	struct admin *a = calloc(1, sizeof *a);

	if (a) {
		a->loop = loop;
		a->hooks = o->hooks;
		a->ui_dir = o->ui_dir;
		a->events = o->events;
		a->archive = o->archive;
		a->series = o->series;
		a->store = o->store;
		a->url = o->url;
	}
	if (!a || !hosts_new(a, o) || !(a->streams = streams_open(a)) || !(a->repeats = repeats_new()) ||
	    !(a->turns = turns_new())) {
		err_set(e, SIDE_SELF, ENOMEM, "admin: out of memory");
	} else if (kept_open(a, o, e) && listen_all(a, o, e)) {
		peers_open(a);
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

	if (!a->closing || a->guests || a->nanswers || a->by_address.server || a->by_socket.server)
		return;
	admin_free(a);
	if (closed)
		closed(ctx);
}

static void way_closed(void *arg)
{
	struct server_way *way = arg;

	way->server = NULL;
	admin_left(way->admin);
}

bool admin_setup_link(struct admin *a, char link[ADMIN_LINK_MAX])
{
	struct err e;

	return a->users && a->url && !users_are_set_up(a->users) && users_link_text(a->users, a->url, (struct bytes){ 0 }, link, &e);
}

static void way_close(struct server_way *way, uint32_t grace_ms)
{
	if (!way->server || way->closing)
		return;
	way->closing = true;
	serve_close(way->server, grace_ms, way_closed, way);
}

void admin_cede(struct admin *a, uint32_t grace_ms)
{
	streams_drain(a->streams);
	peers_close(a); /* that process answers for this gate now */
	way_close(&a->by_address, grace_ms);
}

void admin_tell(struct admin *a, const char *topic, struct bytes json)
{
	enum stream_topic t;

	if (a && streams_topic(bytes_of(topic), &t))
		streams_tell(a->streams, t, json);
}

uint64_t admin_untold(const struct admin *a)
{
	return a && a->streams ? streams_dropped(a->streams) : 0;
}

/* What closes at once must not end the admin before the others have been told. */
void admin_close(struct admin *a, void (*closed)(void *), void *ctx)
{
	struct server_way *const ways[] = { &a->by_address, &a->by_socket };

	a->closed = closed;
	a->closed_ctx = ctx;
	peers_close(a);
	spread_close(a);
	listener_close(a->ctl_listener);
	ctl_socket_free(a->ctl);
	ctl_socket_free(a->api_socket);
	streams_close(a->streams);
	a->streams = NULL;
	for (struct guest *g = a->guests; g; g = g->next)
		guest_close(g);
	for (size_t i = 0; i < nelems(ways); i++)
		way_close(ways[i], 0);
	a->closing = true;
	admin_left(a);
}
