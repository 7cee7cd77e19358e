/* replay.h -- requests of the past, or made up, before the rules of now.
 *
 * A job is put together on the control thread, judged by a thread of its own (proxy/replay.h), and told on the control
 * thread's loop. Malformed requests, an app's own rules, its exceptions and its rules are judged as the data path judges
 * them. What depends on more than the request is not: limits, decisions, scenarios, challenges. */
#ifndef ADMIN_REPLAY_H
#define ADMIN_REPLAY_H
#include "admin/record.h"
#include "base/arena.h"
#include "base/err.h"
#include "rules/rules.h"

enum {
	REPLAY_MAX = 2000,           /* requests of a job */
	REPLAY_MS = 2000,            /* for all of them */
	REPLAY_JOBS = 16,            /* that wait */
	REPLAY_ARENA = 64 << 20,
	REPLAY_BODY_MAX = 256 << 10, /* of a request */
	REPLAY_RULE_MAX = 64 << 10,  /* of a rule's text */
	REPLAY_FIELDS = 150,
};
#define REPLAY_NONE UINT32_MAX

/* An exception that is not in force: as one of the configuration. */
struct replay_exception {
	struct bytes path;           /* a pattern; at == NULL: every path */
	struct exclusion_words methods;
	struct exclusion_text what;
};

struct replay_request {
	uint32_t tries;              /* which of the job's exceptions: 0 all, n the nth alone, REPLAY_NONE */
	struct bytes method, target;
	const struct field *fields;  /* Content-Length and Transfer-Encoding are the body's own affair where there is one */
	size_t nfields;
	struct bytes body;
	struct ip client;
	struct bytes ja4;            /* of its TLS; empty: it had none */
};

/* What the gate would do. */
struct replay_outcome {
	enum remedy_kind action, would; /* done, in the app's mode; and were it to block */
	enum source source;
	unsigned status;             /* of a refusal */
	int score, threshold;
	struct bytes own_rule;       /* its name; empty: none held */
	unsigned held;               /* exceptions of the configuration that held */
	unsigned tried;              /* exceptions of the job that held */
	const struct record *record; /* with the hits, redacted; only where `records` is set */
};

struct replay_job {
	/* asked: all of it in the arena */
	struct arena *arena;
	struct bytes app;            /* empty: as each request's Host says */
	const struct replay_request *requests;
	size_t n;
	const struct replay_exception *exceptions;
	size_t nexceptions;
	bool lenient;                /* an exception that cannot be, for its rules are gone, holds for nothing; else it is an error */
	struct bytes rule;           /* text of a rule of the app's own: SecLang where it begins with Sec or #, else YAML */
	bool records;
	/* told: in the arena too */
	struct replay_outcome *outcomes;
	size_t judged;               /* the others came too late */
	bool failed;                 /* nothing was judged: err */
	struct err err;
	uint64_t spent_us;           /* for judging */
	void (*done)(struct replay_job *); /* on the loop */
	void *ctx;
};
#endif
