/* ctl.h -- inside admin/: the protocol of `embergate ctl`, both ends.
 *
 * A request is a line, words apart by one blank:
 *     embergate/1 table explain 01JD3\n
 * An answer is a line and that many bytes:
 *     ok 812\n...        failed 31\n...        usage 40\n...
 * Over a unix socket of mode 0600: who may open it may command. */
#ifndef ADMIN_CTL_H
#define ADMIN_CTL_H
#include "admin/guest.h"
#include <stdio.h>
#include "base/json_out.h"

#define CTL_HELLO "embergate/1"
enum { CTL_LINE_MAX = 1024, CTL_ARGS_MAX = 64 };

enum ctl_outcome { CTL_OK, CTL_FAILED, CTL_USAGE, CTL_UNREACHABLE }; /* also the exit status */

struct ctl_ask {
	struct admin *admin;
	struct admin_answer *answer;
	struct bytes args[CTL_ARGS_MAX];
	unsigned nargs;
};

struct ctl_client; /* whoever asks, and where */

struct ctl_verb {
	const char *name, *usage, *help;
	unsigned nargs;
	void (*run)(const struct ctl_ask *); /* at the gate; NULL: the client does it (ctl_local_of) */
	unsigned more; /* words that may follow the nargs */
};

/* A verb that whoever asks does himself, with options of its own; perhaps it asks the gate too. argv[0] is the verb. */
struct ctl_local {
	const char *verb;
	enum ctl_outcome (*run)(const struct ctl_client *, int argc, char **argv);
	const char *details; /* for --help and the manual: lines, of options "  --name WHAT  text" */
};
extern const struct ctl_local ctl_init, ctl_test, ctl_events_local, ctl_bundle_local, ctl_exceptions_local;
const struct ctl_local *ctl_local_of(const struct ctl_verb *); /* NULL: it is asked of the gate */

/* Options that stand before the verb, or behind it. */
struct ctl_option { char letter; const char *name, *value, *help; };
extern const struct ctl_option ctl_options[];
extern const size_t ctl_noptions;

extern const struct ctl_verb ctl_verbs[];
extern const size_t ctl_nverbs;
const struct ctl_verb *ctl_verb_named(struct bytes);
/* "unknown verb 'relaod', did you mean 'reload'?" */
void ctl_unknown(struct text *, struct bytes word);


/* One answer, whole lines; the answer is gone then. */
void ctl_reply(struct admin_answer *, enum ctl_outcome, struct bytes text);

/* ctl_decisions.c */
void ctl_decisions(const struct ctl_ask *);
void ctl_allow(const struct ctl_ask *);
void ctl_put_left(struct text *, const struct decision *, uint64_t now_ms); /* "3h59m0s" */
/* ctl_scenarios.c */
void ctl_scenarios(const struct ctl_ask *);
/* Into the audit log; before the answer, with which the words are gone. */
void ctl_note(const struct ctl_ask *, const char *action, struct bytes subject, struct bytes detail);

/* ctl_users.c */
void ctl_users(const struct ctl_ask *);
void ctl_tokens(const struct ctl_ask *);
/* ctl_keys.c */
void ctl_bouncers(const struct ctl_ask *);
void ctl_machines(const struct ctl_ask *);
/* ctl_card.c */
void ctl_alerts(const struct ctl_ask *);
void ctl_client(const struct ctl_ask *);
/* ctl_reputation.c */
void ctl_lists(const struct ctl_ask *);
void ctl_nodes(const struct ctl_ask *);
void ctl_privacy(const struct ctl_ask *);
/* Replies of unknown length; JSON frees its writer. */
enum { CTL_JSON_MAX = 64 << 20 };
void ctl_reply_json(struct admin_answer *, struct json_out *);
void ctl_reply_text(struct admin_answer *, void (*write)(void *, struct text *), void *ctx);

/* ctl_explain.c */
void ctl_explain(const struct ctl_ask *);
/* ctl_events.c */
void ctl_events(const struct ctl_ask *);
/* ctl_replay.c */
void ctl_replay(const struct ctl_ask *);
void ctl_suggestions(const struct ctl_ask *); /* exceptions suggest [APP] */
/* ctl_edit.c */
void ctl_diff(const struct ctl_ask *);
void ctl_exceptions(const struct ctl_ask *);
/* ctl_bundle.c */
void ctl_bundle(const struct ctl_ask *);
/* ctl_certs.c */
void ctl_certs(const struct ctl_ask *);

/* The client: asks the gate and writes its answer to `to` (its complaints to stderr). */
enum ctl_outcome ctl_client_ask(const struct ctl_client *, char **words, int n, FILE *to);
bool ctl_client_json(const struct ctl_client *);
bool ctl_client_quiet(const struct ctl_client *);
bool ctl_in_colour(FILE *); /* a terminal, and NO_COLOR is not set */
void ctl_print_usage(FILE *, const struct ctl_verb *);

extern const struct guest_kind ctl_kind;

/* The socket file. Binding replaces one that is there at once, with no moment
 * without; freeing removes it, unless another process has replaced it. */
struct ctl_socket;
struct ctl_socket *ctl_socket_bind(const char *path, int *fd, struct err *);
void ctl_socket_free(struct ctl_socket *);
#endif
