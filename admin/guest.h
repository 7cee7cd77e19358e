/* guest.h -- inside admin/: a connection to the ctl socket.
 *
 * A small buffer, one deadline, one request at a time: nothing more is read
 * from it while it is owed an answer or has not taken the last one. */
#ifndef ADMIN_GUEST_H
#define ADMIN_GUEST_H
#include "admin/admin.h"
#include "base/stream.h"

enum { GUEST_BUFFER = 8192, GUESTS_MAX = 64 };

struct guest;

struct guest_kind {
	/* Takes one request off the front of buf[0..len); returns its bytes, 0
	 * for "not whole yet". A request in more than GUEST_BUFFER bytes never
	 * comes: the connection is closed. */
	size_t (*read)(struct guest *);
	uint32_t request_ms, idle_ms; /* for a whole request; between two */
};

struct guest {
	struct guest *next, **link;
	struct admin *admin;
	struct stream *stream;
	const struct guest_kind *kind;
	struct admin_answer *answer; /* owed */
	struct deadline deadline;
	bool working, ending, ended, closing;
	size_t len;
	char buf[GUEST_BUFFER];
};

/* Takes the stream over. */
void guest_new(struct admin *, struct stream *, const struct guest_kind *);
void guest_write(struct guest *, const struct bytes *, size_t n);
void guest_answered(struct guest *); /* nothing is owed any more: it is read from again */
void guest_end(struct guest *);      /* after what was written */
void guest_close(struct guest *);    /* now */

/* --- what ctl and HTTP share --------------------------------------------- */

/* How a request over HTTP comes in. */
struct server_way {
	struct admin *admin;
	bool is_socket;
	struct tls_context *tls;    /* NULL: plain */
	struct server_http *server; /* NULL: it is not open */
	bool closing;
};

struct audit;
struct repeats;
struct sessions;
struct tokens;
struct turns;
struct users;

struct admin {
	struct loop *loop;
	struct admin_hooks hooks;
	struct events *events;
	struct archive *archive;
	struct series *series;
	struct streams *streams;
	struct store *store;  /* NULL: there is none, nor what is kept in it */
	struct audit *audit;
	const char *ui_dir; /* NULL: the program's own files */
	struct users *users;
	struct sessions *sessions;
	struct tokens *tokens;
	struct repeats *repeats;
	struct turns *turns;
	unsigned suggests;    /* of suggest_ask.h, under way */
	struct { struct offer *offers; bool waits; uint64_t base; char by[64]; } spread; /* spread.h: what is under way; a change that is to be confirmed */
	const char *url;      /* by which a browser comes; NULL: it cannot */
	char **hosts; /* names that Host may say, NULL-terminated; the first nhosts are configured */
	size_t nhosts;
	struct server_way by_address, by_socket;
	struct listener *ctl_listener;
	struct guest *guests;
	unsigned nguests;
	unsigned nanswers;    /* owed to guests, also to those that went away */
	struct ctl_socket *ctl, *api_socket;
	bool closing;
	void (*closed)(void *);
	void *closed_ctx;
};

void admin_left(struct admin *); /* what is gone last ends the admin */

struct admin_answer {
	struct admin *admin; /* there until it is given */
	struct guest *guest; /* NULL: it went away */
	bool json;
};

/* A text of unknown length: write() is called with more room until it fits.
 * The caller frees out->at; false: it is too long, or out of memory. */
bool admin_text(void (*write)(void *ctx, struct text *), void *ctx, struct text *out);
#endif
