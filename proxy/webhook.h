/* webhook.h -- `notify`: receivers of the installation's own that are told what happens, by POST.
 *
 * Whatever happens is noted, from any thread, and gathered for `every`; a message tells how many there were of each kind and
 * the first WEBHOOK_NOTES of them. While a message cannot be delivered the next one goes on gathering: so one is under way
 * and one is being made, and there is no queue to grow. A message that nobody takes for a day is given up and counted. */
#ifndef PROXY_WEBHOOK_H
#define PROXY_WEBHOOK_H
#include "admin/notify_hooks.h"
#include "proxy/site.h"

enum { WEBHOOK_NOTES = 50 };

struct webhooks;

/* What happened; slices are copied. The rest is told only to receivers with `full: on`. */
struct webhook_note {
	enum notify_event kind;
	uint64_t wall_ms;
	struct bytes address;    /* of a client, a server, a certificate's host; a list's name; may be empty */
	struct bytes behaviour;  /* a word or two: a rule's id, a scenario's name, "down" */
	struct bytes id, app, detail; /* of the request; its path, or why */
};

const char *webhook_kind_word(enum notify_event);

/* For the whole configuration: urls, secrets, certificates to trust. */
bool webhooks_check(const struct config *, struct err *);

struct webhooks *webhooks_new(struct loop *, struct fetcher *); /* NULL: out of memory */
void webhooks_configure(struct webhooks *, const struct config *); /* at the start and after a reload; the loop's thread */
void webhooks_note(struct webhooks *, const struct webhook_note *); /* from any thread; NULL is allowed */
void webhooks_alert(struct webhooks *, const struct event *, const struct redact *); /* a request that was denied; likewise */
uint64_t webhooks_dropped(const struct webhooks *);                 /* happenings of messages that were given up */
/* How it goes with the i-th of the configuration: all but what that says. False: there is none. */
bool webhooks_state(struct webhooks *, const struct notify_config *, struct notify_outlet *);
/* False: there is none, and told() is not called. */
bool webhooks_test(struct webhooks *, const struct notify_config *, struct bytes by, notify_told *, void *arg);
void webhooks_free(struct webhooks *); /* the loop's thread; NULL is allowed */

/* webhook_watch.c: what nobody notes is looked for. */
struct gate;
struct webhook_watch;
struct webhook_watch *webhook_watch_new(struct gate *); /* NULL: out of memory */
void webhook_watch_tick(struct webhook_watch *);        /* every two seconds or so */
void webhook_watch_free(struct webhook_watch *);
#endif
