/* edit_hooks.h -- the configuration, as it runs: read by the API and by ctl, and changed.
 *
 * The gate fills these (proxy/hooks_edit.c). What a reading hook gives lives in the arena or is the running configuration's:
 * it is used at once, on the control thread. */
#ifndef ADMIN_EDIT_HOOKS_H
#define ADMIN_EDIT_HOOKS_H
#include "admin/admin.h"

struct edit_words { const struct bytes *at; size_t n; };
struct edit_place { const char *file; unsigned line; }; /* line 0: `file` is an option of the command line */

struct edit_file {
	struct bytes path, text;  /* as it was read; secrets are references (env:, file:) in it */
	uint64_t hash;
	bool writable;            /* the one that changes are written to */
};

struct edit_config {
	uint64_t hash;            /* of all files */
	const struct edit_file *files; size_t nfiles;
	struct bytes overrides;   /* text of the file for changes; empty: there is none yet */
	uint64_t confirm_by_ms;   /* unix; a change is undone then unless it is confirmed. 0: none waits */
	struct bytes changed_by;  /* who made it */
	bool writes;              /* `admin: {writes: on}` */
	bool cluster_writes;      /* `admin: {cluster_writes: on}` */
};

/* What is let through where; words as in the configuration. */
struct edit_exception {
	uint64_t id;
	struct bytes app, path;   /* path.at == NULL: every path */
	struct edit_words methods, rules, categories, tags, args, cookies, headers, parts, skip;
	uint64_t max_body, until_ms; /* 0: the app's; for ever */
	bool over;                /* `until` has passed: it does not apply any more */
	struct bytes reason, by, made; /* at == NULL: nobody said */
	struct edit_place where;
	bool writable;
};

struct edit_server { struct bytes address, url; unsigned weight; bool up; uint64_t requests; };
struct edit_limit { struct bytes path; struct edit_words methods; unsigned count, per_ms, burst; const char *then; };
struct edit_bot { const char *category, *remedy; };
struct edit_cert { struct bytes listener; uint64_t expires_ms; }; /* the first of the listener's to end */

struct edit_app {
	struct bytes name;
	struct edit_words hosts, listeners;
	const char *mode, *configured_mode, *ruleset, *balance, *challenge_level, *bots_mode, *attack_mode;
	unsigned paranoia, threshold; /* 0: as the rules say */
	size_t rules;
	uint64_t window;
	unsigned challenge_bits;
	uint64_t pass_ms;
	bool under_attack;
	const struct edit_server *servers; size_t nservers;
	const struct edit_cert *certs; size_t ncerts;
	const struct edit_bot *bots; size_t nbots;
	const struct edit_limit *limits; size_t nlimits;
	const struct admin_login *logins; size_t nlogins; /* learned; admin.h */
	const struct edit_exception *exceptions; size_t nexceptions;
	struct edit_place where;
};

/* ---- a change ---- */

enum edit_kind {
	EDIT_CHECK, /* nothing is changed: what would a reload do? The diff is of the whole, in one form */
	EDIT_TEXT,  /* `text` is the whole file */
	EDIT_SET,   /* `keys` of `app` */
	EDIT_ADD,   /* `entry`, one more exception of `app` */
	EDIT_DROP,  /* the exception `id` goes */
	EDIT_UNDO,  /* what waits to be confirmed goes */
};

struct yaml_node;
/* NULL: the key is no longer changed here. */
struct edit_key { const char *path; const struct yaml_node *value; }; /* "waf.mode" */

/* Lives until it is answered. */
struct edit_ask {
	enum edit_kind kind;
	bool dry;               /* verified, and not written */
	bool alone;             /* of this gate; never offered to others (spread.h) */
	unsigned confirm_s;     /* undone after that unless confirmed; 0: it stays */
	struct bytes by;        /* who asks */
	struct bytes app, text;
	const struct edit_key *keys; size_t nkeys;
	const struct yaml_node *entry;
	uint64_t id;
};

/* What came of it; the texts are good while it is told. */
struct edit_outcome {
	unsigned status;        /* 200, or of HTTP for why not: nothing has changed then */
	const char *error;      /* one line; NULL: none */
	struct bytes file;      /* where in the configuration that is; at == NULL: nowhere */
	unsigned line, column;
	struct bytes diff;
	struct edit_words warnings;
	bool applied;
	uint64_t confirm_by_ms, id; /* 0: none; of the exception that was added */
};
typedef void edit_done(void *arg, const struct edit_outcome *);

struct edit_hooks {
	void (*config)(void *ctx, struct arena *, struct edit_config *);
	/* NULL: out of memory. */
	const struct edit_app *(*apps)(void *ctx, struct arena *, size_t *n);
	/* Parsed, built on a thread, written, reloaded; one at a time. Told once, perhaps at once. */
	void (*change)(void *ctx, const struct edit_ask *, edit_done *, void *arg);
	bool (*confirm)(void *ctx, struct err *);
	void (*reload)(void *ctx, void (*done)(void *arg, bool ok, const char *text), void *arg);
};

/* From the gate: what nobody confirmed has been undone. */
void edit_undone(struct admin *, struct bytes by, struct bytes diff);
#endif
