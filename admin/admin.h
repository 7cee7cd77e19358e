/* admin.h -- what the gate says about itself, and who may ask: the folder's
 * one public header.
 *
 *   per exchange   event_text() -> log_line(), events_offer(), metrics_exchange()
 *   /metrics       admin_open(): HTTP for Prometheus and probes, loopback by default
 *   embergate ctl  the same process over a unix socket; ctl_main() is the client
 *
 * It reaches into the gate only through admin_hooks, on the control thread. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H
#include "admin/event_text.h"
#include "admin/events.h"
#include "admin/metrics.h"
#include "base/arena.h"
#include "base/loop.h"
#include <stdio.h>

struct admin_server { struct bytes address; bool up; uint64_t connections; };
struct admin_login { struct bytes path; uint64_t failed, succeeded; }; /* a route that was learned */
struct admin_app {
	struct bytes name;
	const char *mode; /* block, detect, off */
	size_t rules;
	const struct admin_server *servers;
	size_t nservers;
	bool under_attack; /* everyone is challenged */
	const struct admin_login *logins;
	size_t nlogins;
};
struct admin_cert { struct bytes listener, hosts, issuer; uint64_t expires_s; }; /* hosts: apart by blanks */
struct admin_status {
	uint64_t started_ms, reloaded_ms; /* wall clock; 0: never */
	unsigned pid, workers;
	const char *config;               /* file, or how it was made */
	uint64_t config_hash;
	struct bytes reload_error;        /* of the last reload; empty when it went well */
	bool draining;
	uint64_t connections, requests;
	const struct bytes *listeners;
	size_t nlisteners;
	const struct admin_app *apps;
	size_t napps;
	const struct admin_cert *certs; /* of all listeners */
	size_t ncerts;
};

/* An answer that is owed to whoever asked; good until it is given, though the
 * asker may have gone. */
struct admin_answer;
struct alerts;
struct archive;
struct series;
struct client_hooks;
struct decisions;
struct edit_hooks;
struct keys;
struct lists;
struct scenarios;
struct share;
struct store;
struct tls_context;
/* Once, from the control thread, inside the hook or later. text: one line. */
void admin_answer(struct admin_answer *, bool ok, const char *text);

struct admin_hooks {
	void *ctx;
	/* Arrays may come from the arena or be the gate's own; they are read at once. */
	void (*status)(void *ctx, struct arena *, struct admin_status *);
	void (*reload)(void *ctx, struct admin_answer *);
	bool (*mode)(void *ctx, struct bytes app, struct bytes mode, struct err *);
	void (*drain)(void *ctx);
	bool (*ready)(void *ctx, struct text *why); /* why not, in a word or two */
	void (*metrics)(void *ctx, struct text *);  /* calls metrics_print() */
	/* The set that is in force; read at once. */
	const struct scenarios *(*scenarios)(void *ctx);
	struct decisions *decisions;                /* NULL: there are none */
	struct keys *keys;                          /* of the local API; NULL: it is not served */
	bool (*attack)(void *ctx, struct bytes app, struct bytes mode, struct err *);
	struct alerts *alerts;
	struct share *share;                        /* NULL: this gate is alone */
	struct lists *lists;
	void (*config_text)(void *ctx, struct text *); /* of the configuration in use, without secrets */
	void (*leaves)(void *ctx, struct text *);      /* a line for each receiver that is told things: webhooks, syslog */
	bool sharing;                               /* `cti: {share: on}` */
	struct metrics *counts;                     /* for what the API tells of them */
	const struct client_hooks *client;          /* what is known of an address: client_hooks.h */
	const struct edit_hooks *edit;              /* the configuration: edit_hooks.h */
	const struct notify_hooks *notify;          /* who is told what happens: notify_hooks.h */
	const struct rules_hooks *rules;            /* rules and scenarios, and what they would say: rules_hooks.h */
};

struct admin_options {
	const int *fds;            /* bound TCP sockets for HTTP; the admin owns them */
	size_t nfds;
	struct tls_context *tls;   /* of these; NULL: plain. Outlives the admin */
	const char *url;           /* by which a browser reaches them, "http://127.0.0.1:9180"; NULL: it cannot. Outlives the admin */
	const char *ctl_socket;    /* path; NULL: none. Replaces one that is there */
	const char *api_socket;    /* the same for HTTP: whoever may open it is an administrator; NULL: none */
	const char *ui_dir;        /* the dashboard's files are read from there; NULL: from the program */
	const struct bytes *hosts; /* names besides localhost and the machine's that Host may say */
	size_t nhosts;
	struct events *events;
	struct archive *archive;   /* NULL: events are not kept */
	struct series *series;     /* NULL: no figures */
	uint8_t seal_key[32];      /* of secrets in the store */
	struct store *store;       /* NULL: nothing is kept, and nobody can be told from another. Outlives the admin */
	struct admin_hooks hooks;
};

/* The cookie of a session, behind "__Host-" over TLS. A browser sends it to every port of the host: the data path must take it
 * out of what upstreams see. */
#define ADMIN_COOKIE "embergate"

struct admin;
struct admin *admin_open(struct loop *, const struct admin_options *, struct err *);
/* A link for the first administrator; false: somebody can log in already, or no browser reaches this gate. */
enum { ADMIN_LINK_MAX = 256 };
bool admin_setup_link(struct admin *, char link[ADMIN_LINK_MAX]);
/* Another process has its address now: what is under way ends within grace_ms, streams at once. The sockets stay. */
void admin_cede(struct admin *, uint32_t grace_ms);
/* To whoever follows: "config" or "node", and what is told, an object. */
void admin_tell(struct admin *, const char *topic, struct bytes json);
uint64_t admin_untold(const struct admin *); /* of that, and of figures: what a follower had no room for */
/* Stops listening and cuts what is open; closed(ctx) once nothing of it is left on the loop and nobody is owed an answer. */
void admin_close(struct admin *, void (*closed)(void *), void *ctx);

/* `embergate ctl ...`: argv[0] is "ctl". Returns the exit status: 0 done,
 * 1 failed, 2 usage, 3 no gate answers. */
int ctl_main(int argc, char **argv);
void ctl_print_manual(FILE *);     /* embergate-ctl(8) */
void ctl_print_completion(FILE *); /* bash: sets `words` and `files` for a verb */
#endif
