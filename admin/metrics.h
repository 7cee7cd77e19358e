/* metrics.h -- counters and histograms, and their Prometheus text.
 *
 * Each worker writes cells of its own, with plain relaxed stores; a scrape adds
 * them up. What is counted by app, server or listener belongs to an object
 * looked up by name once, when a configuration is built: it lives as long as
 * the gate, so counters survive reloads. Names that the running configuration
 * no longer has are not printed. Label values are words of ours or of the
 * configuration, never of a client. Worker numbers are 0..workers-1. */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H
#include "base/event.h"

struct decisions_stats;
struct metrics;
struct app_metrics;
struct server_metrics;
struct listener_metrics;

struct metrics *metrics_new(unsigned workers); /* NULL: out of memory */
void metrics_free(struct metrics *);

/* While a configuration is built; NULL: out of memory. Empty app name: requests
 * that no app took. */
struct app_metrics *metrics_app(struct metrics *, struct bytes name);
struct server_metrics *metrics_server(struct app_metrics *, struct bytes address);
struct listener_metrics *metrics_listener(struct metrics *, struct bytes bind);
/* It is in place (ok), or the old one was kept. */
void metrics_reloaded(struct metrics *, bool ok, uint64_t wall_ms, uint64_t config_hash);

/* By worker `w`. The first takes everything that an event tells. */
void metrics_exchange(struct app_metrics *, unsigned w, const struct event *);
enum body_trouble { BODY_TROUBLE_TRUNCATED, BODY_TROUBLE_TOO_LONG, BODY_TROUBLE_COUNT };
void metrics_body(struct app_metrics *, unsigned w, enum body_trouble);
/* What came of asking a captcha's provider, a word of ours, after so long. */
enum captcha_count {
	CAPTCHA_COUNT_PASSED,
	CAPTCHA_COUNT_FAILED,
	CAPTCHA_COUNT_TROUBLE, /* no answer, or none that makes sense */
	CAPTCHA_COUNT_SECRET,  /* it refuses our secret */
	CAPTCHA_COUNT_UNASKED, /* it is down, or asked too much at a time */
	CAPTCHA_COUNTS
};
void metrics_captcha(struct app_metrics *, unsigned w, const char *provider, enum captcha_count, uint64_t us);
/* What became of challenges. */
enum challenge_step {
	CHALLENGE_STEP_ISSUED,  /* a page was shown */
	CHALLENGE_STEP_SOLVED,  /* a pass was given */
	CHALLENGE_STEP_WRONG,   /* no solution, or too early */
	CHALLENGE_STEP_FORGED,  /* not ours, or another client's */
	CHALLENGE_STEP_EXPIRED,
	CHALLENGE_STEP_CROWDED, /* its network had its share of passes */
	CHALLENGE_STEP_SHARED,  /* a pass was seen in too many networks, and revoked */
	CHALLENGE_STEP_TROUBLE, /* the provider of captchas gave no answer */
	CHALLENGE_STEPS
};
/* Of none, wait, pow or captcha, in this order, as `enum challenge_level` has them; none: a token that cannot be read. */
enum { CHALLENGE_LEVELS = 4 };
void metrics_challenge(struct app_metrics *, unsigned w, unsigned level, enum challenge_step);
void metrics_solved(struct app_metrics *, unsigned w, unsigned level, uint64_t us); /* from the page to the pass */
void metrics_attack(struct app_metrics *, bool on); /* attack mode; control thread */
void metrics_connection(struct listener_metrics *, unsigned w, int change); /* +1, -1 */
/* One that begins to idle, or to shake hands, and ends it. */
enum connection_rest { CONNECTION_SHAKES, CONNECTION_IDLES, CONNECTION_RESTS };
void metrics_connection_rests(struct listener_metrics *, unsigned w, enum connection_rest, int change); /* +1, -1 */
/* Connections that were sent away before a request: they have no event. */
enum refusal {
	REFUSAL_LIMIT,    /* as many as there may be */
	REFUSAL_ADDRESS,  /* as many as one address may have */
	REFUSAL_PREFACE,  /* no PROXY header, a bad one, or from who may not send it */
	REFUSAL_STARVED,  /* descriptors or memory ran out */
	REFUSAL_COUNT
};
void metrics_refused(struct listener_metrics *, unsigned w, enum refusal);
void metrics_handshake(struct metrics *, unsigned w, const char *version);  /* NULL: failed */
void metrics_loop_lag(struct metrics *, unsigned w, uint64_t us);
/* One answer of a server, or 0 for none; the time until its head. */
void metrics_upstream(struct server_metrics *, unsigned w, unsigned status, uint64_t us);
void metrics_upstream_connection(struct server_metrics *, unsigned w, int change);
void metrics_upstream_up(struct server_metrics *, bool up); /* from any thread */

/* What others know at the time of a scrape. */
struct metrics_drops { const char *sink; uint64_t count; };
struct metrics_lines { const char *outcome; uint64_t count; };
struct metrics_cert { struct bytes host; uint64_t expires_s; };
struct metrics_scenario { struct bytes name; uint64_t poured, overflowed, failed; };
struct metrics_buckets { uint64_t live, bytes, evicted, died; };
struct metrics_now {
	const struct metrics_drops *drops; size_t ndrops;
	const struct metrics_cert *certs; size_t ncerts;
	const struct metrics_lines *lines; size_t nlines; /* of other servers' logs */
	const struct metrics_scenario *scenarios; size_t nscenarios; /* of the set that is loaded */
	const struct decisions_stats *decisions; /* NULL: there are none */
	const struct metrics_buckets *buckets;   /* likewise */
	const struct redis_counts *redis;
	const struct share_counts *share;        /* of reputation; each NULL: it is not configured */
	const struct lapi_counts *lapi;
	const struct lapi_client_counts *crowdsec;
	size_t nodes, silent; /* gates that are up; that were not heard of for 15 s, in the last hour */
	const struct list_status *lists; size_t nlists;
	const char *openssl; /* its version; NULL: not said */
	uint64_t databases_failed; /* of words, that Hyperscan did not compile */
	struct bytes crs;    /* versions of the Core Rule Set that apps have, with commas; empty: none has it */
};

void metrics_print(struct metrics *, const struct metrics_now *, struct text *);
/* Matches of a rule; 0 too where so many rules have matched that it has no counter of its own. From any thread. */
struct metrics_rule_matches { uint64_t detected, blocked; };
void metrics_rule(struct app_metrics *, struct bytes rule, struct metrics_rule_matches *out);
/* The sums of all workers, for `status`. */
void metrics_totals(struct metrics *, uint64_t *connections, uint64_t *requests);

/* What became of the challenges of an app and level that had some. */
struct metrics_challenge_counts {
	struct bytes app;
	const char *level;               /* "wait", "pow", "captcha"; "none" */
	uint64_t steps[CHALLENGE_STEPS];
	const uint32_t *bounds_us;       /* of the time to solve one: nbounds upper bounds, then one count more */
	unsigned nbounds;
	uint64_t solved_within[17];
};
void metrics_challenges(struct metrics *, void (*each)(void *ctx, const struct metrics_challenge_counts *), void *ctx);
const char *metrics_step_word(enum challenge_step);

/* Requests of programs that say who they are, of all apps. */
enum bot_proofs { BOT_COUNT_UNPROVEN, BOT_COUNT_PROVEN, BOT_COUNT_IMPOSTOR, BOT_PROOFS };
void metrics_bots(struct metrics *, uint64_t counts[BOT_CATEGORIES][BOT_PROOFS]);
#endif
