/* logins_learned.h -- where people log in, learned from what passes; of one app, for as long as the process runs.
 *
 * A name and a password were sent to a path, and the answer bears a sign. What a sign means is learned for each path:
 *
 *   401                       fails, at once; nobody is asked for a password that was right
 *   the form once more (200)  fails once others were led elsewhere with a cookie
 *   back, with an error       the same
 *   back to the form          fails once two were led back and, within ten minutes, elsewhere with a cookie; and as long as
 *                             people (who bring a cookie) have not been led back more than twice as often as elsewhere
 *   400, 403, 422             the same; what came then may also be a 2xx that is no page
 *   anything else             never fails. Below 400 it succeeds where a failure is known, else it says nothing; back to the
 *                             form succeeds only where it gives a cookie, and failures look otherwise (phpMyAdmin)
 *
 * Who is led back whatever he sends, whose API answers 200 both ways, or who only ever succeeds, never fails. Where nobody
 * has succeeded for a week, what was learned is doubted, but for 401. Names are known by a keyed hash. The number of paths is
 * bounded: what is least certain, then least recent, makes room. Any thread. */
#ifndef PROXY_LOGINS_LEARNED_H
#define PROXY_LOGINS_LEARNED_H
#include "base/request.h"
#include "proxy/login_outcome.h"

enum { LOGINS_LEARNED_MAX = 32, LOGINS_PATH_MAX = 128 };

enum login_sign {
	LOGIN_SIGN_NONE,         /* says nothing */
	LOGIN_SIGN_UNAUTHORIZED, /* 401 */
	LOGIN_SIGN_REFUSED,      /* 400, 403, 422 */
	LOGIN_SIGN_FORM,         /* a page with a field for a password */
	LOGIN_SIGN_ERROR,        /* led back, with an error in the query */
	LOGIN_SIGN_BACK,         /* led back */
	LOGIN_SIGN_BACK_NEW,     /* the same, with a cookie that the client had not */
	LOGIN_SIGN_AWAY,         /* led elsewhere, with a cookie */
	LOGIN_SIGN_DONE,         /* 2xx, and no page */
	LOGIN_SIGN_OTHER,
	LOGIN_SIGN_PAGE,         /* a page: what is in it will tell whether it is FORM or OTHER */
	LOGIN_SIGNS,
};

/* What the head of the answer says. */
enum login_sign login_sign(const struct request *, const struct response *);
/* The path by which a route is known: as read first, numbers and what is behind `;` taken out. Empty: too long. */
struct bytes login_path(const struct request *, char room[LOGINS_PATH_MAX]);

struct logins_learned;
struct logins_learned *logins_learned_new(void);
void logins_learned_free(struct logins_learned *);

struct login_tried {
	struct bytes path;  /* login_path() */
	uint64_t user;      /* keyed hash */
	bool has_cookie;
	enum login_sign sign;
	uint64_t now_s;     /* monotonic */
};
/* Learns from it, and says how it went. */
enum login_outcome logins_learn(struct logins_learned *, const struct login_tried *);
/* Is it a path on which failures are known? */
bool logins_learned_has(struct logins_learned *, struct bytes path);

struct login_route {
	char path[LOGINS_PATH_MAX + 1];
	uint64_t failed, succeeded;
};
/* Those on which failures are known. Returns how many. */
size_t logins_learned_list(struct logins_learned *, struct login_route *out, size_t max);
#endif
