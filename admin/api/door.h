/* door.h -- inside admin/: who asks, and may they. */
#ifndef ADMIN_API_DOOR_H
#define ADMIN_API_DOOR_H
#include "admin/guest.h"
#include "base/serve.h"

/* Each may all that those before it may. */
enum role {
	ROLE_NONE,
	ROLE_VIEWER,        /* reads */
	ROLE_OPERATOR,      /* decisions, exceptions, replay */
	ROLE_ADMINISTRATOR, /* configuration, users, tokens */
	ROLE_COUNT
};
const char *role_word(enum role);
bool role_from_word(struct bytes, enum role *);

enum caller_way { CALLER_NOBODY, CALLER_SOCKET, CALLER_SESSION, CALLER_TOKEN, CALLER_GATE /* another one of the cluster */ };
const char *caller_way_word(enum caller_way);
struct caller {
	enum role role;
	enum caller_way way;
	char name[64];      /* of the user or token; "socket", "ctl" */
	char address[48];   /* whence; empty: a socket of this machine */
	uint64_t id;        /* of the session or token */
};
extern const struct caller caller_ctl; /* whoever runs `embergate ctl` */

/* The socket's mode is its permission: whoever opens it is an administrator. Else a token counts before a session. */
void door_caller(struct admin *, struct serve_request *, bool by_socket, struct caller *);
/* What a browser sends by itself must not change anything: a session's writes need the field X-Embergate-CSRF, and what
 * pages of other sites sent is refused, so that none can log somebody in either. False: why. */
bool door_is_meant(const struct admin *, const struct serve_request *, const struct caller *, const char **why);
/* Does it still hold? What it was found by may have ended since: for what lasts longer than a request. */
bool door_holds(const struct admin *, const struct caller *);
/* One of the names that Host may say. */
bool door_knows_host(const struct admin *, struct bytes hostname);

enum { DOOR_COOKIE = 160 };
/* The Set-Cookie of a session; cookie NULL: it is taken back. */
struct bytes door_cookie(const struct admin *, const char *cookie, char room[DOOR_COOKIE]);
/* The value that came; empty: there is none. */
struct bytes door_cookie_of(const struct admin *, const struct serve_request *);
#endif
