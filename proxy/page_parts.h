/* page_parts.h -- shared by the page's own files. */
#ifndef PROXY_PAGE_PARTS_H
#define PROXY_PAGE_PARTS_H
#include "proxy/page.h"

enum page_slot { SLOT_NONE, SLOT_ID, SLOT_STATUS, SLOT_TITLE, SLOT_MESSAGE, SLOT_SITE, SLOT_CONTACT, SLOT_LOGO };

struct page_part {
	struct bytes text; /* as it stands in the file */
	enum page_slot slot; /* filled in behind it */
};

struct page_brand {
	const struct page_config *config; /* the site's, which outlives this */
	char *file;
	size_t size; /* of the file */
	struct page_part *parts; /* none: the built-in page */
	size_t nparts;
};

enum page_form { PAGE_HTML, PAGE_PROBLEM, PAGE_PLAIN };
enum page_form page_form_for(const struct request *); /* NULL: plain */
#endif
