/* challenge_page.h -- what a visitor sees of a challenge: one self-contained page.
 *
 * Made from challenge_page.html, in the visitor's language where we have it. It
 * loads nothing, but for the script of a captcha's provider; in the visitor's
 * browser it works for the pass and then loads the address once more, so that a
 * form that was sent is sent again by the browser. */
#ifndef PROXY_CHALLENGE_PAGE_H
#define PROXY_CHALLENGE_PAGE_H
#include "base/arena.h"
#include "proxy/config.h"

enum challenge_view_kind {
	VIEW_ASK,      /* the challenge itself */
	VIEW_PASSED, VIEW_COOKIES, VIEW_FAILED, VIEW_CROWDED, /* a sentence */
};

enum challenge_why { WHY_RULE, WHY_LIMIT, WHY_OTHER };

struct challenge_view {
	enum challenge_view_kind kind;
	enum challenge_level level;
	enum challenge_why why;
	struct bytes accept_language, id; /* of the request */
	struct bytes nonce;               /* of the Content-Security-Policy */
	struct bytes token, prefix;       /* prefix: of the message that is hashed */
	unsigned bits, wait_s;
	bool may_wait, may_puzzle;        /* offered to browsers without JavaScript: to wait, a captcha */
	const struct page_config *look;
	struct bytes script, widget, sitekey; /* of a captcha */
};

/* HTML, UTF-8; at == NULL: past the arena's cap. */
struct bytes challenge_page(struct arena *, const struct challenge_view *);
#endif
