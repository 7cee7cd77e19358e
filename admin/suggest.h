/* suggest.h -- inside admin/: which alerts look like one mistake of the rules, and the smallest exception that undoes it.
 *
 *   events -> clusters by app, path, what was matched on, and category -> an exception each -> replay -> a suggestion
 *
 * Rules of one category that match on one argument of one page are one mistake, whichever of them it is this time; so a
 * cluster has a rule that it is named by, the most frequent, and the exception has them all. */
#ifndef ADMIN_SUGGEST_H
#define ADMIN_SUGGEST_H
#include "admin/propose.h"
#include "admin/replay_event.h"

enum {
	SUGGEST_EVENTS = 1000,   /* the newest of the time asked for */
	SUGGEST_CLUSTERS = 100,  /* those with most events */
	SUGGEST_WHO = 64,        /* clients of a cluster that are named to another gate */
	SUGGEST_VERDICTS = 1000, /* the newest */
	SUGGEST_SCANNER = 3,     /* a client in so many clusters is otherwise bad */
};

/* The path with what is of one request only as "{}": whole numbers, UUIDs, hashes, long random words. */
struct bytes suggest_path(struct arena *, struct bytes decoded);
/* The same as a pattern of an exception: each "{}" is a `*`. */
struct bytes suggest_pattern(struct arena *, struct bytes path);

struct suggest_client {
	struct ip address;
	bool pass;               /* it had solved a challenge */
	bool success;            /* it was answered 2xx */
	bool marked;             /* decisions or scenarios had something against it */
	uint32_t clusters;       /* that it is in */
};

struct suggest_event {
	struct replay_event kept;
	struct bytes path;       /* decoded */
	uint64_t time_ms;
	uint32_t client;
};

/* What somebody said of a cluster; the newest holds, whichever gate heard it. */
struct suggest_verdict { char id[17]; bool keep; uint64_t time_ms; };

struct suggest_impact { uint32_t events, clients; };

/* Transparent, and no more than a hint. Points: +2 four clients or more, +1 two or three, -1 one; +1 one of them had solved a
 * challenge; +1 one was answered 2xx; +1 more than an hour from the first to the last; -2 a third of them are otherwise bad.
 * From 3 it is called a false positive, up to 0 an attack. */
enum suggest_likely { SUGGEST_ATTACK, SUGGEST_UNCLEAR, SUGGEST_FALSE_POSITIVE };
enum suggest_likely suggest_judge(uint32_t clients, bool has_pass, bool has_success, uint32_t bad, uint64_t span_ms);
const char *suggest_likely_word(enum suggest_likely);

struct suggest_cluster {
	char id[17];             /* of what it is a cluster by: the same tomorrow, and at every gate */
	struct bytes app, path, category;
	struct propose_target target;
	struct bytes rule, message;
	const uint32_t *events;  /* newest first */
	size_t n;
	uint32_t clients, with_pass, with_success, bad;
	uint64_t first_ms, last_ms;
	enum suggest_likely likely;
	struct replay_exception exception;
	const uint32_t *near;    /* all events that the exception may concern */
	size_t nnear;
	/* told by the replay: of all events that the exception may concern, those that were stopped and would pass; and of
	 * those the ones with other marks against them or their clients */
	struct suggest_impact unblock, open;
	uint32_t replayed, reckoned; /* reckoned: too little of the request was kept, so by what had matched */
	bool over;               /* nothing of it is stopped any more */
	bool kept;               /* someone said that it is to stay as it is */
};

struct suggest_set {
	struct arena *arena;
	struct suggest_event *events;
	size_t n;
	bool more;               /* than SUGGEST_EVENTS */
	struct suggest_client *clients;
	size_t nclients;
	struct suggest_cluster *clusters; /* most events first */
	size_t nclusters;
	struct suggest_verdict *verdicts; /* newest first; also of clusters that this gate has nothing of */
	size_t nverdicts;
};

/* Events are there, newest first, and clients with what is known of them but `clusters`. False: out of memory. */
bool suggest_clusters(struct suggest_set *);
/* Finds what its exception may concern: by path and, unless `any_rule`, by the ids of its rules. False: out of memory. */
bool suggest_near(const struct suggest_set *, struct suggest_cluster *, bool any_rule);
/* By what had matched then: would it pass, had these exceptions held for it? */
bool suggest_reckon(const struct replay_exception *, size_t n, const struct replay_event *);
bool suggest_is_bad(const struct suggest_client *);
#endif
