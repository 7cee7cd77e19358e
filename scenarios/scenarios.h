/* scenarios.h -- events over time -> overflows.
 *
 * Scenarios are CrowdSec's files, read as they are. A loaded set is immutable and may be asked by any number of threads; what
 * lives (how full each bucket is) is in `struct buckets`, outlives a set, and is shared by all threads. An event is a table
 * of facts (facts.h). A scenario is asked once an event, at the first point where all that it uses is known.
 *
 * What overflows goes to the caller's sink, while scenarios_observe runs, so that the very request which overflows can be
 * answered accordingly. Nothing here knows of remedies: profiles (profile.h) say what an overflow is worth. */
#ifndef SCENARIOS_SCENARIOS_H
#define SCENARIOS_SCENARIOS_H
#include "base/decision.h"
#include "base/hash128.h"
#include "scenarios/bucket.h"
#include "scenarios/facts.h"
#include "scenarios/logs.h"

struct scenario_info {
	struct bytes name, description;
	struct bytes behavior, label; /* of `labels`; "http:scan" */
	bool remediation;             /* `labels: {remediation: true}`: what arms a decision */
	bool simulated;               /* it may not decide: by its labels, or by how it was loaded */
	enum bucket_type type;
	enum observe_point point;
	const char *file;
	unsigned line;
};

struct scenarios_options {
	const char *const *files;     /* each of one or more documents */
	size_t nfiles;
	const char *const *data_dirs; /* where `data` files are looked for, after the scenario's own directory */
	size_t ndata_dirs;
	const char *cache_dir;        /* of compiled expressions; NULL: none */
	struct hash128 key;           /* of the buckets' keys: the same for all that share them */
	bool keep_all;                /* events are kept with all their facts, not with the few that evidence needs */
	bool ask_all;                 /* every filter runs for every event: what the gates are compared with */
	void (*warn)(void *ctx, const char *text); /* a data file that is missing, a format that is too new; may be NULL */
	void *warn_ctx;
};

struct scenarios;
/* NULL: an error that starts with file:line:column. */
struct scenarios *scenarios_load(const struct scenarios_options *, struct err *);
void scenarios_free(struct scenarios *); /* NULL is allowed */
size_t scenarios_count(const struct scenarios *);
const struct scenario_info *scenarios_info(const struct scenarios *, size_t i);

struct overflow {
	const struct scenario_info *scenario;
	size_t number;           /* of the scenario in its set */
	enum scope scope;
	struct bytes scope_name; /* as the scenario writes it: a scope of one's own is SCOPE_OTHER */
	struct bytes value;      /* who: an address, a range, a user, ... */
	const struct bytes *sources; /* the distinct addresses of its events */
	size_t nsources;
	uint32_t count;          /* events poured */
	uint64_t first_ms, last_ms; /* unix */
	const struct facts *event;  /* that made it overflow */
	const struct facts *events; /* kept, oldest first, that one last */
	size_t nevents;
};

/* Of a thread: room to scan in, and which values were clean. */
struct observer;
struct observer *observer_new(void); /* NULL: out of memory */
void observer_free(struct observer *);
/* One event in so many is timed, for scenarios_costs(); 0, as at the start: none. */
void observer_time(struct observer *, unsigned every);

struct observe {
	const struct scenarios *set;
	struct buckets *buckets;
	struct observer *observer;
	struct arena *arena;     /* of the event */
	void **marks;            /* what one point knows and the next needs; *marks is NULL before an event's first */
	const uint64_t *off;     /* a bit for each scenario that is not asked; NULL: all are */
	void (*over)(void *ctx, const struct overflow *); /* what it is given lives while it runs */
	/* An event was poured into a bucket that all gates of an installation fill together (`cluster: true`): to be sent to the
	 * others, who give it to scenarios_heard(). NULL: this gate is alone. */
	void (*poured)(void *ctx, struct bytes message);
	unsigned node;           /* of this gate among them */
	void *ctx;
};
enum { SCENARIOS_MESSAGE_MAX = 1000 };

/* Asks those scenarios whose point it is. */
void scenarios_observe(const struct observe *, struct facts *, enum observe_point);
/* All points at once: for an event that is whole, as that of a log is. */
void scenarios_observe_whole(const struct observe *, struct facts *);
/* What `poured` of another gate said. An overflow that several see is told by the one whose event it was, or of those that
 * poured by the one of the lowest number. False: it is no such message, or of a scenario that is not loaded here. */
bool scenarios_heard(const struct observe *, struct bytes message, uint64_t now_us);
/* Ends the counters that are due by the buckets' clock. About once a second; before each event where the clock is a log's. */
void scenarios_tick(const struct observe *, uint64_t now_us, uint64_t wall_ms);

/* What the buckets of an address hold now, of scenarios that group by it alone; `now_us` by the buckets' clock. Those that
 * are empty are left out. */
struct scenario_level { const struct scenario_info *info; uint32_t count, capacity; };
size_t scenarios_levels(const struct scenarios *, struct buckets *, const struct ip *, uint64_t now_us, struct arena *,
			struct scenario_level *, size_t max);

struct scenario_counts {
	uint64_t asked;    /* filters that ran; this and the next two may miss some where threads count at once */
	uint64_t failed;   /* filters that ended in an error */
	uint64_t poured, overflowed, silent;
	uint64_t timed_asked, timed_ns; /* of the events that were timed: those that asked it; what it took: filter, bucket, overflow */
};
/* Events that were timed, and what is no scenario's own of them: which of all could be concerned. */
struct scenarios_costs { uint64_t samples, shared_ns; };
struct scenarios_costs scenarios_costs(const struct scenarios *);
void scenarios_counts(const struct scenarios *, size_t i, struct scenario_counts *);
#endif
