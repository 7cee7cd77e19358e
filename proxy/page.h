/* page.h -- what a client reads when the gate itself answers.
 *
 * One of three forms: a small self-contained HTML page for browsers,
 * application/problem+json (RFC 9457) for programs, plain text for curl and
 * the like. It names the request id, so that the operator can `explain` it,
 * and never a rule. */
#ifndef PROXY_PAGE_H
#define PROXY_PAGE_H
#include "base/request.h"
#include "proxy/config.h"

/* How an app's pages look; immutable, made when the configuration is. */
struct page_brand;
/* Reads and checks the template file, if there is one: {{id}}, {{status}},
 * {{title}}, {{message}}, {{site}}, {{contact}}, {{logo}}. The configuration
 * outlives the brand. NULL: err. */
struct page_brand *page_brand_new(const struct page_config *, struct err *);
void page_brand_free(struct page_brand *);

struct page_ask {
	unsigned status;               /* any; unknown ones get the text of their class */
	struct bytes id;               /* of the request */
	const struct request *request; /* whose Accept is asked; may be NULL */
	const struct page_brand *brand; /* NULL: plain looks */
	struct bytes detail;           /* one more sentence, for clients; may be empty */
};

/* The body, from the arena; at == NULL: past its cap. *content_type is static. */
struct bytes page_render(struct arena *, const struct page_ask *, struct bytes *content_type);
/* "Forbidden"; also the reason phrase of the status line. */
struct bytes page_title(unsigned status);
/* As HTML; a link where it is a web or mail address. */
void page_put_contact(struct text *, struct bytes contact);
#endif
