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

#define CTL_HELLO "embergate/1"
enum { CTL_LINE_MAX = 1024, CTL_ARGS_MAX = 8 };

enum ctl_outcome { CTL_OK, CTL_FAILED, CTL_USAGE, CTL_UNREACHABLE }; /* also the exit status */

struct ctl_ask {
	struct admin *admin;
	struct admin_answer *answer;
	struct bytes args[CTL_ARGS_MAX];
	unsigned nargs;
};

struct ctl_verb {
	const char *name, *usage, *help;
	unsigned nargs;
	void (*run)(const struct ctl_ask *); /* NULL: its issue is not built yet */
	unsigned more; /* words that may follow the nargs */
};

extern const struct ctl_verb ctl_verbs[];
extern const size_t ctl_nverbs;
const struct ctl_verb *ctl_verb_named(struct bytes);
/* "unknown verb 'relaod', did you mean 'reload'?" */
void ctl_unknown(struct text *, struct bytes word);

/* One answer; the answer is gone then. */
void ctl_reply(struct admin_answer *, enum ctl_outcome, struct bytes text);

/* ctl_decisions.c */
void ctl_decisions(const struct ctl_ask *);
void ctl_scenarios(const struct ctl_ask *);
/* ctl_keys.c */
void ctl_bouncers(const struct ctl_ask *);
void ctl_machines(const struct ctl_ask *);
/* ctl_reputation.c */
void ctl_alerts(const struct ctl_ask *);
void ctl_allow(const struct ctl_ask *);
void ctl_client(const struct ctl_ask *);
void ctl_lists(const struct ctl_ask *);
void ctl_nodes(const struct ctl_ask *);
void ctl_privacy(const struct ctl_ask *);
/* A reply of unknown length. */
void ctl_reply_text(struct admin_answer *, void (*write)(void *, struct text *), void *ctx);

extern const struct guest_kind ctl_kind;

/* The socket file. Binding replaces one that is there at once, with no moment
 * without; freeing removes it, unless another process has replaced it. */
struct ctl_socket;
struct ctl_socket *ctl_socket_bind(const char *path, int *fd, struct err *);
void ctl_socket_free(struct ctl_socket *);
#endif
