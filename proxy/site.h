/* site.h -- a configuration made ready: certificates opened, rules compiled,
 * servers resolved. Immutable and swapped whole.
 *
 * Each worker holds the site it works by through a `site_use`, which counts that
 * worker's exchanges without atomics; the last use of the last worker frees the
 * site. What must outlive a reload (an app's mode set by hand, metrics, rate
 * limits) hangs on objects of the process that the site looks up by name. */
#ifndef PROXY_SITE_H
#define PROXY_SITE_H
#include "admin/admin.h"
#include "base/log.h"
#include "cti/geo.h"
#include "proxy/attack.h"
#include "proxy/config.h"
#include "proxy/page.h"
#include "proxy/server.h"
#include "rules/rules.h"
#include "scenarios/profile.h"
#include "scenarios/scenarios.h"

/* Of an app, for as long as the process runs. */
struct app_state {
	struct app_state *next;
	char *name;
	atomic_int mode; /* enum waf_mode set by `ctl mode`; -1: as configured */
	struct attack attack;
	struct logins_learned *logins;
	atomic_uint turn; /* choices of a server so far: round robin, over all workers */
	struct app_metrics *metrics;
};

struct app_exception {
	const struct exception_config *config;
	const struct exclusion *exclusion; /* NULL: the app has no rules */
};

struct app {
	const struct app_config *config;
	struct app_state *state;
	const struct ruleset *rules; /* shared with other apps of the site; NULL: none */
	struct upstream upstream;
	struct page_brand *brand;
	struct app_exception *exceptions;
	size_t nexceptions;
	uint64_t *scenarios_off; /* a bit for each that does not watch it */
	uint64_t *scenarios_off_bots; /* the same for verified bots: crawling is what they do */
	uint64_t limit_seed; /* keys of this app's rate limits */
};

struct host {
	struct bytes name; /* lower case; "*.shop.example", every name below it, as ".shop.example" */
	const struct app *app;
};

/* One address we listen on, and the apps behind it. */
struct listen {
	const struct listen_config *config;
	struct tls_context *tls; /* NULL: plain */
	struct listener_metrics *metrics;
	struct host *hosts; /* sorted by name */
	size_t nhosts;
	const struct app *fallback; /* the app that names no hosts, or NULL */
};

struct site {
	atomic_uint users; /* workers, and the control thread */
	struct config *config;
	struct app *apps;
	size_t napps;
	struct listen *listens; /* distinct addresses */
	size_t nlistens;
	unsigned https_port; /* where redirects lead: 443 where we have it, else our first; 0: none of ours */
	struct ruleset **rulesets;
	size_t nrulesets;
	struct scenarios *scenarios;
	const uint64_t *scenarios_simulated; /* a bit for each whose decisions are only told */
	struct profiles *profiles;
	struct bots *bots;
	struct geo *geo;            /* NULL: no files are named */
	struct log_sink *syslog;
	struct event_style syslog_style;
	struct log_sink *access, *security;
	struct event_style style;
	struct app_metrics *no_app; /* requests that no app took */
	size_t exchange_bytes;      /* the most that an exchange may take, but for the held body */
};

/* What of the process a site is built from. Control thread (or, while building,
 * the one builder thread) only. */
struct process {
	struct servers *servers;
	struct metrics *metrics;
	struct app_state *app_states;
	struct log *log; /* NULL: nothing is written */
	struct captcha_breaker *captchas; /* what is known of captchas' providers */
	struct fetcher *fetcher; /* for questions to other servers; NULL until a site needs it */
	struct bots_dns *bots_dns; /* NULL until a site needs it */
	uint8_t secret[32];
	struct hash128 hash_key; /* derived from it: of what is told and counted only as a hash */
	bool dry;        /* `check`: nothing is made in the state directory */
};

/* Made when it is first needed. */
struct fetcher *process_fetcher(struct process *, struct err *);
/* Where our own packs are: beside the build, or where the package puts them. */
enum packs { PACKS_RULES, PACKS_SCENARIOS, PACKS_BOTS };
bool packs_directory(enum packs, char *out, size_t cap);
/* Takes `config` over, also on failure. May block (DNS, files, compiling). */
struct site *site_build(struct process *, struct config *config, struct err *);
void site_hold(struct site *);
void site_release(struct site *); /* from any thread; NULL is allowed */

/* The app for a host name on this listener; NULL: none. */
const struct app *listen_app(const struct listen *, struct bytes hostname);
/* By the address as it was asked for; NULL: the site does not have it. */
const struct listen *site_listen(const struct site *, struct bytes bind);
enum waf_mode app_mode(const struct app *);
const struct app *site_app(const struct site *, struct bytes name);
/* An exception of a configuration, for these rules. NULL: err. */
const struct exclusion *site_exclusion(struct arena *, const struct ruleset *, const struct exception_config *, struct err *);

/* A worker's count of its own. */
struct site_use {
	struct site *site;
	unsigned users; /* exchanges, and the worker itself */
};
struct site_use *site_use_new(struct site *); /* holds the site */
void site_use_drop(struct site_use *);
#endif
