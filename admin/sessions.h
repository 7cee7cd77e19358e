/* sessions.h -- inside admin/: browsers that have logged in. In the store, and in memory, so that a restart ends none.
 *
 * A cookie has 256 random bits and is kept as their SHA-256. A session ends when nothing has come for 8 hours, after 7 days,
 * and when its user's role or password is changed. What a page must send with a write (CSRF) follows from the cookie and is
 * not kept: other pages' scripts can make the browser send the cookie, but not read it. Control thread only. */
#ifndef ADMIN_SESSIONS_H
#define ADMIN_SESSIONS_H
#include "base/err.h"
#include "base/ip.h"
#include "base/store.h"

enum {
	SESSIONS_MAX = 1024, SESSIONS_OF_USER = 32, /* the oldest gives way */
	SESSION_COOKIE = 65, SESSION_CSRF = 33,
	SESSION_IDLE_MS = 8 * 3600 * 1000, SESSION_LIFE_MS = 7 * 24 * 3600 * 1000,
};

struct sessions;
struct sessions *sessions_open(struct store *, struct err *); /* reads them all before it returns */
void sessions_close(struct sessions *);                       /* NULL is allowed */

struct session_info {
	uint64_t id;
	char user[64], address[48], agent[160]; /* whence it was begun */
	uint64_t made_ms, seen_ms;
};
bool sessions_begin(struct sessions *, struct bytes user, const struct ip *from, struct bytes agent,
		    char cookie[SESSION_COOKIE], struct session_info *);
/* By its cookie, while it lasts; NULL: there is none. This is what keeps it from being idle. */
const struct session_info *sessions_find(struct sessions *, struct bytes cookie);
const struct session_info *sessions_by_id(const struct sessions *, uint64_t id); /* while it lasts */
uint64_t session_until_ms(const struct session_info *);
bool sessions_end(struct sessions *, struct bytes user, uint64_t id); /* false: the user has no such session */
void sessions_end_all(struct sessions *, struct bytes user, uint64_t but); /* `but`: 0, or the id of one that stays */
size_t sessions_list(struct sessions *, struct bytes user, struct session_info *, size_t max); /* newest first */
bool session_csrf(struct bytes cookie, char out[SESSION_CSRF]);
#endif
