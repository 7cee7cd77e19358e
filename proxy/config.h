/* config.h -- the configuration as the gate uses it.
 *
 * Read from YAML (or made from `--upstream`), checked, immutable. Everything
 * lives in one arena. Tables in config.c name each key, its unit, bounds and
 * help; docs/config.md and the JSON Schema are printed from them. Durations
 * are milliseconds, sizes bytes. */
#ifndef PROXY_CONFIG_H
#define PROXY_CONFIG_H
#include <stdio.h>
#include "base/arena.h"
#include "base/decision.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/syslog_message.h"
#include "base/yaml.h" /* struct where */

struct nets { struct ip_net *at; size_t n; };
struct words { struct bytes *at; size_t n; };

enum proxy_protocol { PROXY_PROTOCOL_OFF, PROXY_PROTOCOL_ANY, PROXY_PROTOCOL_V1, PROXY_PROTOCOL_V2 };

struct listen_config {
	struct bytes bind;        /* as written: ":443", "127.0.0.1:8080", "[::1]:80" */
	struct ip address;        /* what `bind` says; `::` when `any` */
	uint16_t port;
	bool any;                 /* ":443": every address of both families */
	bool tls;                 /* `tls: true|false`; default: true for port 443 and 8443 */
	bool redirect_https;      /* answers every request with 308 to https */
	enum proxy_protocol proxy_protocol; /* only from `from` */
	struct nets from;
	/* Head and stall deadlines of clients that come this way: the top level's,
	 * or of the app whose own listener it is. */
	const struct timeouts_config *timeouts;
	struct where where;
};

struct cert_config { const char *cert, *key; struct where where; };

enum client_ip_header { CLIENT_IP_AUTO, CLIENT_IP_XFF, CLIENT_IP_FORWARDED, CLIENT_IP_X_REAL_IP, CLIENT_IP_OFF };
struct client_ip_config { struct nets trust; enum client_ip_header header; };

struct timeouts_config {
	uint32_t connect_ms, first_byte_ms, idle_ms; /* upstream; idle is also keep-alive of clients */
	uint32_t head_ms;   /* for a whole request head */
	uint32_t stall_ms;  /* a client that takes nothing of an answer for so long is cut */
	uint32_t drain_ms;  /* at SIGTERM */
};
/* Bytes a second, measured over `window_ms`; 0 switches one off. */
struct min_rate_config { uint32_t window_ms; uint64_t head, body, response; };

struct size_limits_config {
	uint64_t head_bytes, target_bytes, fields, body_bytes;
	uint64_t connections, connections_per_address;
	uint64_t held_bytes;     /* process-wide budget of held bodies */
	uint64_t tarpits;        /* process-wide number of answers that are held back */
};

/* One entry of an app's `limits`: a token bucket per client address. */
struct limit_config {
	struct bytes path; bool has_path;
	struct words methods;
	struct words ja4s;               /* as of a rule */
	uint32_t count; uint32_t per_ms; /* "5/min" */
	uint32_t burst;                  /* default: count */
	enum remedy_kind then;           /* throttle by default */
	uint32_t level;                  /* of a challenge: enum challenge_level; 0: the app's */
	struct bytes name;               /* else its path */
	struct bytes reason;
	uint64_t until_s;
	struct where where;
};

struct header_match { struct bytes name, pattern; };

/* One of an app's own `rules`: all given conditions must hold; first match wins. */
struct own_rule {
	struct bytes name, path, host;   /* at == NULL: not asked */
	struct words methods;
	struct header_match *headers; size_t nheaders;
	struct nets from, not_from;
	struct words countries, not_countries, ases; /* of the client; needs `geo` */
	struct words ja4s;               /* patterns; without TLS none holds */
	bool nocase;
	enum remedy_kind act;
	uint32_t level;                  /* of a challenge: enum challenge_level; 0: the app's */
	struct bytes reason;
	uint64_t until_s;                /* unix seconds, applies before it; 0: for ever */
	struct where where;
};

struct exception_config {
	struct bytes path; bool has_path;
	struct words methods;
	struct words skip;               /* alone; or these: */
	struct words rules, categories, tags;
	struct words args, cookies, headers;
	uint32_t *parts; size_t nparts;  /* enum exclusion_part */
	uint64_t max_body;               /* 0: the app's */
	struct bytes reason;
	uint64_t until_s;
	uint64_t id;                     /* of what it says, and of which app: the same at every gate and start */
	struct where where;
};

enum waf_mode { WAF_BLOCK, WAF_DETECT, WAF_OFF };
enum waf_ruleset { RULESET_AUTO, RULESET_PACKS, RULESET_CRS };
struct waf_config {
	enum waf_mode mode;
	uint32_t ruleset;                  /* enum waf_ruleset */
	const char *crs;                   /* its directory; NULL: where Debian's package puts it */
	uint32_t paranoia, threshold;      /* 0: as crs-setup.conf says */
	const char **rules; size_t nrules; /* files beside those */
	bool packs;                        /* our own packs; default on */
	uint64_t window;
	bool decode_answers;               /* gzip and deflate, for inspection only */
};

enum balance { BALANCE_ROUND_ROBIN, BALANCE_LEAST_CONN, BALANCE_HASH };
struct server_config {
	struct bytes url;
	bool tls;
	const char *host; uint16_t port;   /* name or address, without brackets */
	uint32_t weight;
	struct where where;
};
struct health_config {
	struct bytes path;                 /* at == NULL: passive checks only */
	uint32_t interval_ms, timeout_ms;
	uint32_t fails, passes;            /* in a row, to go down and up */
	uint32_t down_ms;                  /* passive: how long a server stays out */
};
struct upstream_config {
	struct server_config *servers; size_t nservers;
	enum balance balance;
	struct health_config health;
	uint32_t max_idle;                 /* kept connections a server and worker */
	bool verify;                       /* certificates of https servers */
	const char *ca;                    /* bundle; NULL: the system's */
	bool host_from_server;             /* send the server's name instead of the client's Host */
};

/* Who tells people from programs for us (proxy/captcha.h asks it). */
enum captcha_provider { CAPTCHA_OFF, CAPTCHA_TURNSTILE, CAPTCHA_HCAPTCHA, CAPTCHA_RECAPTCHA, CAPTCHA_FRIENDLY, CAPTCHA_CUSTOM };
enum captcha_trouble { CAPTCHA_ELSE_POW, CAPTCHA_ELSE_DENY, CAPTCHA_ELSE_ALLOW };
struct captcha_config {
	uint32_t provider;                 /* enum captcha_provider */
	uint32_t on_error;                 /* enum captcha_trouble: while the provider is down */
	struct bytes sitekey;
	const char *secret_from;           /* "file:..", "env:..", "cred:.." */
	struct bytes secret;               /* what is there, once the site is built */
	struct bytes verify_url;           /* at == NULL: the provider's */
	struct bytes script, widget, field; /* the page's; at == NULL: the provider's */
	struct words hosts;                /* that an answer may name; the app's by default; none: any */
	bool send_ip;                      /* the provider is told the client's address */
	const struct captcha_ready *ready; /* made by captcha_open() when the site is built */
};

/* Also how much a pass is worth: a higher level holds for a lower one. */
enum challenge_level { CHALLENGE_NONE, CHALLENGE_WAIT, CHALLENGE_POW, CHALLENGE_CAPTCHA };
enum no_js { NO_JS_WAIT, NO_JS_CAPTCHA, NO_JS_DENY };
struct rate_config { uint32_t count, per_ms; };
struct challenge_config {
	uint32_t level;                    /* enum challenge_level of the word `challenge` */
	uint32_t bits, wait_ms;            /* of a proof of work, of a wait */
	uint32_t ttl_ms, pass_ms;          /* how long a challenge and a pass live */
	uint32_t no_js;                    /* enum no_js */
	bool strict;                       /* a pass is for one network only */
	bool partitioned;
	uint32_t status;                   /* of the page */
	struct bytes domain;               /* of the cookie; at == NULL: this host only */
	struct rate_config requests, pages; /* what a pass is good for */
	uint32_t passes;                   /* made for one network within pass_ms */
	struct captcha_config captcha;
};

struct page_config { struct bytes title, contact, logo_url; const char *file; };

/* What is watched, of the whole gate. */
struct scenarios_config {
	bool packs;                        /* our own scenarios; default on */
	const char **files; size_t nfiles; /* CrowdSec's, and one's own: files or directories */
	const char **data; size_t ndata;   /* directories of their data files */
	struct words off, simulate;        /* names of scenarios */
	uint64_t buckets, bucket_bytes;    /* the most that live */
};
/* What an overflow is worth. */
struct profile_config {
	struct bytes name, when;
	enum remedy_kind act;
	uint32_t level;                    /* of a challenge: 1 wait, 2 pow; 0: the app's */
	uint32_t *lives; size_t nlives;    /* milliseconds: the first time, the second, ... */
	bool simulated;
	struct words apps;
	struct where where;
};
/* Of an app: which scenarios watch it. */
enum watch_mode { WATCH_ON, WATCH_SIMULATE, WATCH_OFF };
struct watch_config { uint32_t mode; struct words off; };
/* Where people log in, and how it looks when they fail. */
struct login_config {
	struct bytes path;
	struct words methods;
	struct bytes user;                 /* the argument that holds the name */
	uint32_t *statuses; size_t nstatuses; /* of a failure */
	struct bytes redirect;             /* a pattern over the Location of a failure; at == NULL: not asked */
	struct bytes marker;               /* a text of the page that says so; at == NULL: not asked */
	struct where where;
};
/* What a path is to scenarios: "payment", "trap", ... */
struct route_config { struct bytes name; struct words paths; };

/* Programs that say who they are (bots.h), and what is done about each kind. */
/* Of the whole gate. */
struct bots_config {
	const char *ranges;                /* directory of published lists; NULL: none */
	bool dns;                          /* names of addresses are looked up */
};
/* WATCH, without the key: facts for scenarios, and nothing is done. */
enum bots_mode { BOTS_WATCH, BOTS_ON, BOTS_OFF };
struct app_bots_config {
	uint32_t mode;                     /* enum bots_mode */
	uint32_t act[BOT_CATEGORIES];      /* enum remedy_kind */
	uint32_t impostors;
};
/* When everyone is challenged (attack.h). */
enum attack_mode { ATTACK_OFF, ATTACK_ON, ATTACK_AUTO };
struct attack_config {
	uint32_t mode;                     /* enum attack_mode */
	uint32_t errors, slow;             /* percent of the answers */
	uint32_t latency_ms;               /* what is slow: time to the head */
	uint32_t queue;                    /* requests under way at the servers; 0: not asked */
	uint32_t least;                    /* so few answers say nothing */
	uint32_t window_ms, stay_ms;
};

struct app_config {
	struct bytes name;
	struct words hosts;                /* "shop.example", "*.shop.example"; none: every host */
	struct listen_config *listens; size_t nlistens; /* none: the top-level ones */
	struct upstream_config upstream;
	struct waf_config waf;
	struct own_rule *rules; size_t nrules;
	struct limit_config *limits; size_t nlimits;
	struct exception_config *exceptions; size_t nexceptions;
	size_t nexceptions_over;           /* whose `until` has passed: behind those */
	struct words streams;              /* paths whose answers are never held */
	struct client_ip_config client_ip;
	struct timeouts_config timeouts;
	struct size_limits_config size;    /* of these: head/target/fields are the listener's (top level) */
	struct page_config page;
	struct challenge_config challenge;
	uint32_t tarpit_ms;                /* how long an answer is held back */
	struct cert_config *certs; size_t ncerts;
	struct words redact;               /* argument and field names never logged */
	bool log_body;                     /* the beginning of an alert's body is kept */
	struct watch_config watch;
	struct login_config *logins; size_t nlogins;
	bool learn_logins;                 /* of paths that `logins` does not name; default on */
	struct route_config *routes; size_t nroutes;
	struct app_bots_config bots;
	struct attack_config attack;
	struct where where;
};

enum log_format { LOG_AUTO, LOG_ECS, LOG_COMBINED, LOG_CEF, LOG_LOGFMT, LOG_HUMAN };
struct syslog_config {
	struct bytes to;                   /* as written; empty: none */
	struct syslog_target target;
	enum log_format format;            /* LOG_ECS or LOG_CEF */
	uint32_t facility;
	const char *ca;
	uint64_t max;
	bool access;                       /* lines of requests too, not only alerts */
};
struct log_config { const char *access, *security; /* file, "-" = stdout, NULL = off */ enum log_format format; struct syslog_config syslog; };

/* One entry of `notify`. */
enum notify_event { NOTIFY_ATTACK, NOTIFY_DECISION, NOTIFY_RELOAD, NOTIFY_UPSTREAM, NOTIFY_CERT, NOTIFY_CTI, NOTIFY_TEST, NOTIFY_EVENTS };
struct notify_config {
	struct where where;
	struct bytes url;
	uint32_t *events; size_t nevents;  /* none: all */
	uint32_t min;
	uint64_t every_ms;
	const char *secret_from, *ca;
	bool full;
};

/* One entry of `logs`: files, an address or a journal. */
enum log_from { LOG_FROM_END, LOG_FROM_START };
struct log_input_config {
	const char **files; size_t nfiles; /* absolute, perhaps with wildcards */
	struct bytes syslog;               /* as written: "udp:127.0.0.1:5514" */
	bool udp; struct ip address; uint16_t port;
	struct nets from_nets;             /* none: everyone */
	uint32_t rate;                     /* lines a second */
	struct words journal;              /* units */
	uint32_t type;                     /* of config_log_types */
	enum log_from from;
	struct where where;
};

/* Between the gates of an installation. No urls: one gate. */
struct redis_table {
	struct words urls;
	struct bytes sentinel;             /* the master's name */
	bool cluster, verify;
	struct bytes user;
	const char *password_from;         /* "file:..", "env:..", "cred:.."; NULL: none, or in the url */
	const char *ca;
	struct bytes prefix, name;         /* of the keys; of this gate, the machine's by default */
	struct where where;
};
/* Who is held to be what, by others. */
struct cti_list_config {
	struct bytes name, url, column, sha256;
	const char *file;
	uint32_t format;                   /* enum list_format */
	enum remedy_kind act; uint32_t level;
	uint32_t every_ms;
	uint64_t age_ms, max_bytes, max_entries;
	bool allow_shrink;
	struct where where;
};
struct cti_crowdsec_config {
	struct bytes lapi;                 /* at == NULL: none is asked */
	const char *key_from, *password_from; /* "file:..", "env:..", "cred:.." */
	struct bytes machine;
	uint32_t every_ms;
	enum remedy_kind most;
	bool own, full;
	struct where where;
};
struct cti_config {
	struct cti_list_config *lists; size_t nlists;
	struct cti_crowdsec_config crowdsec;
	bool share;
	uint32_t guard_percent, guard_clients;
};
/* CrowdSec's local API, served. */
struct lapi_config { struct bytes bind; const char *cert, *key; bool registration, appsec; };
/* Dashboard, API, metrics, probes. */
struct admin_config {
	struct bytes bind;
	const char *cert, *key;            /* NULL: plain, which only a loopback address may be */
	struct words hosts;                /* that Host may say, beside localhost and the machine's name */
	bool writes;                       /* whether the API may change the configuration */
	bool cluster_writes;               /* changes are offered to the other gates, and theirs are taken */
};

/* As it was read: the main file, what it includes, the overrides. */
struct config_file { const char *path; struct bytes text; };

/* Alerts that are kept on disk. */
struct events_config { uint64_t count, bytes, age_ms; };

struct config {
	struct arena *arena;               /* holds everything; config_free */
	struct listen_config *listens; size_t nlistens;
	struct app_config *apps; size_t napps;
	struct cert_config *certs; size_t ncerts;
	unsigned tls_min;                  /* 12 or 13 */
	struct client_ip_config client_ip;
	struct timeouts_config timeouts;
	struct min_rate_config min_rate;
	struct size_limits_config size;
	unsigned workers;                  /* 0: one per core */
	const char *state;                 /* directory */
	const char *secret;                /* "file:..", "env:..", "cred:.."; NULL: made in the state directory */
	struct admin_config admin;         /* bind.at == NULL: no address, only the sockets */
	const char *ctl_socket;            /* default: state/ctl.sock */
	const char *api_socket;            /* api.sock beside it */
	struct log_config log;
	struct events_config events;
	struct scenarios_config scenarios;
	struct profile_config *profiles; size_t nprofiles;
	struct log_input_config *logs; size_t nlogs;
	struct notify_config *notify; size_t nnotify;
	struct bots_config bots;
	struct redis_table redis;
	struct cti_config cti;
	struct lapi_config lapi;           /* bind.at == NULL: off */
	const char **geo; size_t ngeo;     /* MaxMind DB files */
	const char *file;                  /* NULL: made from options */
	struct config_file *files; size_t nfiles, files_cap;
	const char *overrides_file;        /* what the API and ctl have changed; NULL: read from memory */
	struct bytes overrides;            /* its text; at == NULL: it is not there */
	const struct yaml_node *root;      /* what was written, includes joined; NULL where it was made from options */
	uint64_t hash;                     /* of the text of all files */
};

/* Warnings (an expired exception, ...) go to warn(ctx, text). */
typedef void config_warn(void *ctx, const char *text);
#define OVERRIDES_NAME "overrides.yaml" /* in the state directory; it stands over all other files */
struct config_how {
	const struct bytes *overrides; /* in place of that file's text; NULL: that */
	config_warn *warn;             /* NULL: nobody is told */
	void *ctx;
};
/* how: may be NULL. */
struct config *config_load(const char *file, const struct config_how *, struct err *);
/* The same from memory, without overrides; `name` stands for the file in places, its directory
 * is where relative names start. */
struct config *config_parse(struct bytes text, const char *name, config_warn *, void *ctx, struct err *);
/* The configuration of `embergate --upstream URL [--host NAME] [--listen ADDR,...]`:
 * one app `app` on :8080. An error starts with the option. The strings must
 * live as long as the config. */
struct config_quick { const char *upstream, *host, *listen, *admin, *state; bool detect; };
struct config *config_quick(const struct config_quick *, const struct config_how *, struct err *);
void config_free(struct config *);

/* Is it over at that time (unix seconds)? For the `until_s` of rules, limits, exceptions. */
static inline bool config_over(uint64_t until_s, uint64_t now_s)
{
	return until_s && now_s >= until_s;
}

/* As YAML, without comments and secrets. */
void config_show(const struct config *, struct text *);
void config_print_docs(FILE *);   /* docs/config.md */
void config_print_schema(FILE *); /* docs/embergate.schema.json */
#endif
