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

enum caller_way { CALLER_NOBODY, CALLER_SOCKET, CALLER_SESSION, CALLER_TOKEN };
const char *caller_way_word(enum caller_way);
struct caller {
	enum role role;
	enum caller_way way;
	char name[64];      /* of the user or token; "socket", "ctl" */
	char address[48];   /* whence; empty: a socket of this machine */
};
extern const struct caller caller_ctl; /* whoever runs `embergate ctl` */

/* The socket's mode is its permission: whoever opens it is an administrator. */
void door_caller(struct admin *, struct serve_request *, bool by_socket, struct caller *);
/* What a browser sends by itself must not change anything: a session's writes need the CSRF field. False: why. */
bool door_is_meant(const struct serve_request *, const struct caller *, const char **why);
#endif
