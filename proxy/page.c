/* page.c -- words for a status, in the form that the client reads.
 *
 * The page loads nothing (but a logo, where one is configured), runs no script
 * and uses the reader's own colours, light or dark. Everything that does not
 * come from this file is escaped. */
#include "proxy/page.h"
#include "base/text.h"
#include "proxy/page_parts.h"

enum { DETAIL_MAX = 512, PAGE_START = 4096, PAGE_MAX = 1 << 20 };

struct words_of {
	unsigned status;
	const char *title, *message;
};

static const struct words_of known[] = {
	{ 400, "Bad Request", "The request was not understood: it breaks the rules of HTTP." },
	{ 403, "Forbidden", "This site is protected, and this request looked like something that it does not allow. "
	  "If that is a mistake, please tell the site's owner the request id." },
	{ 404, "Not Found", "There is no site of that name here." },
	{ 405, "Method Not Allowed", "This kind of request is not allowed here." },
	{ 408, "Request Timeout", "The request took too long to arrive." },
	{ 410, "Gone", "This is no longer valid. Please load the page again." },
	{ 413, "Content Too Large", "The request is larger than this site takes." },
	{ 414, "URI Too Long", "The address is longer than this site takes." },
	{ 417, "Expectation Failed", "The request expects something that is not offered here." },
	{ 429, "Too Many Requests", "There were too many requests in a short time. Please wait a little and try again." },
	{ 431, "Request Header Fields Too Large", "The head of the request is larger than this site takes. Removing the cookies of this site may help." },
	{ 500, "Internal Server Error", "Something went wrong here. It is not your doing." },
	{ 501, "Not Implemented", "The request asks for something that is not offered here." },
	{ 502, "Bad Gateway", "The site did not give a proper answer. Please try again later." },
	{ 503, "Service Unavailable", "The site is busy or being worked on. Please try again later." },
	{ 504, "Gateway Timeout", "The site took too long to answer. Please try again later." },
	{ 505, "HTTP Version Not Supported", "The request uses a version of HTTP that is not spoken here." },
};

/* Only as reason phrases: no page is ever made of these. */
static const struct words_of others[] = {
	{ 204, "No Content", "" }, { 301, "Moved Permanently", "" }, { 302, "Found", "" }, { 303, "See Other", "" },
	{ 307, "Temporary Redirect", "" }, { 308, "Permanent Redirect", "" },
};

static const struct words_of client_class = { 0, "Request Refused", "The request was refused." };
static const struct words_of server_class = { 0, "Error", "Something went wrong here. It is not your doing." };

static const struct words_of *words_for(unsigned status)
{
	for (size_t i = 0; i < nelems(known); i++)
		if (known[i].status == status)
			return &known[i];
	for (size_t i = 0; i < nelems(others); i++)
		if (others[i].status == status)
			return &others[i];
	return status < 500 ? &client_class : &server_class;
}

struct bytes page_title(unsigned status)
{
	return bytes_of(words_for(status)->title);
}

/* --- HTML ------------------------------------------------------------------ */

static const char html_head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"robots\" content=\"noindex\">\n"
	"<style>\n"
	":root { color-scheme: light dark; background: Canvas; color: CanvasText }\n"
	"body { margin: 0; font: 1.05rem/1.6 system-ui, sans-serif }\n"
	"main { max-width: 36rem; margin: 14vh auto 2rem; padding: 0 1.5rem; overflow-wrap: anywhere }\n"
	"h1 { font-size: 1.75rem; line-height: 1.25; margin: .5rem 0 1rem }\n"
	"footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid GrayText; font-size: .95rem }\n"
	"img { max-height: 4rem; max-width: 100% }\n"
	"code { font-size: 1rem; user-select: all }\n"
	"</style>\n<title>";

void page_put_contact(struct text *t, struct bytes contact)
{
	bool link = bytes_starts(contact, BYTES("https://")) || bytes_starts(contact, BYTES("mailto:"));

	if (link) {
		text_str(t, "<a href=\"");
		text_html(t, contact);
		text_str(t, "\">");
	}
	text_html(t, contact);
	if (link)
		text_str(t, "</a>");
}

static void put_brand(struct text *t, const struct page_config *look)
{
	if (look->logo_url.len) {
		text_str(t, "<img alt=\"\" src=\"");
		text_html(t, look->logo_url);
		text_str(t, "\">\n");
	}
	if (look->title.len) {
		text_str(t, "<p>");
		text_html(t, look->title);
		text_str(t, "</p>\n");
	}
}

static void put_page(struct text *t, const struct page_ask *ask, const struct words_of *w)
{
	static const struct page_config plain;
	const struct page_config *look = ask->brand ? ask->brand->config : &plain;

	text_put(t, (struct bytes){ html_head, sizeof html_head - 1 });
	text_str(t, w->title);
	text_str(t, "</title>\n</head>\n<body>\n<main>\n");
	put_brand(t, look);
	text_str(t, "<h1>");
	text_str(t, w->title);
	text_str(t, "</h1>\n<p>");
	text_str(t, w->message);
	text_str(t, "</p>\n");
	if (ask->detail.len) {
		text_str(t, "<p>");
		text_html(t, ask->detail);
		text_str(t, "</p>\n");
	}
	text_printf(t, "<footer>Error %u<br>Request id: <code>", ask->status);
	text_html(t, ask->id);
	text_str(t, "</code>");
	if (look->contact.len) {
		text_str(t, "<br>Contact: ");
		page_put_contact(t, look->contact);
	}
	text_str(t, "</footer>\n</main>\n</body>\n</html>\n");
}

/* --- a template of the operator's ------------------------------------------- */

static void put_message(struct text *t, const struct page_ask *ask, const struct words_of *w)
{
	text_html(t, bytes_of(w->message));
	if (ask->detail.len)
		text_byte(t, ' ');
	text_html(t, ask->detail);
}

static void put_slot(struct text *t, enum page_slot slot, const struct page_ask *ask, const struct words_of *w)
{
	const struct page_config *look = ask->brand->config;

	switch (slot) {
	case SLOT_NONE: break;
	case SLOT_ID: text_html(t, ask->id); break;
	case SLOT_STATUS: text_u64(t, ask->status); break;
	case SLOT_TITLE: text_html(t, bytes_of(w->title)); break;
	case SLOT_MESSAGE: put_message(t, ask, w); break;
	case SLOT_SITE: text_html(t, look->title); break;
	case SLOT_CONTACT: text_html(t, look->contact); break;
	case SLOT_LOGO: text_html(t, look->logo_url); break;
	}
}

static void put_html(struct text *t, const struct page_ask *ask, const struct words_of *w)
{
	if (!ask->brand || ask->brand->nparts == 0) {
		put_page(t, ask, w);
		return;
	}
	for (size_t i = 0; i < ask->brand->nparts; i++) {
		text_put(t, ask->brand->parts[i].text);
		put_slot(t, ask->brand->parts[i].slot, ask, w);
	}
}

/* --- for programs and for terminals ------------------------------------------ */

static void put_problem(struct text *t, const struct page_ask *ask, const struct words_of *w)
{
	text_str(t, "{\"type\":\"about:blank\",\"title\":");
	text_json(t, bytes_of(w->title));
	text_printf(t, ",\"status\":%u,\"detail\":", ask->status);
	text_json(t, ask->detail.len ? ask->detail : bytes_of(w->message));
	text_str(t, ",\"instance\":");
	text_json(t, ask->id);
	text_str(t, "}\n");
}

static void put_plain(struct text *t, const struct page_ask *ask, const struct words_of *w)
{
	text_printf(t, "%u %s\n\n%s\n", ask->status, w->title, w->message);
	if (ask->detail.len) {
		text_plain(t, ask->detail);
		text_byte(t, '\n');
	}
	text_str(t, "Request id: ");
	text_plain(t, ask->id);
	text_byte(t, '\n');
	if (ask->brand && ask->brand->config->contact.len) {
		text_str(t, "Contact: ");
		text_plain(t, ask->brand->config->contact);
		text_byte(t, '\n');
	}
}

static const struct {
	const char *content_type;
	void (*put)(struct text *, const struct page_ask *, const struct words_of *);
} forms[] = {
	[PAGE_HTML] = { "text/html; charset=utf-8", put_html },
	[PAGE_PROBLEM] = { "application/problem+json", put_problem },
	[PAGE_PLAIN] = { "text/plain; charset=utf-8", put_plain },
};

/* A page that does not fit is made again in twice the room; the first try is
 * enough for all but large templates. */
struct bytes page_render(struct arena *a, const struct page_ask *given, struct bytes *content_type)
{
	enum page_form form = page_form_for(given->request);
	struct page_ask ask = *given;
	size_t cap = PAGE_START + (ask.brand ? ask.brand->size : 0);

	if (ask.detail.len > DETAIL_MAX)
		ask.detail.len = DETAIL_MAX;
	*content_type = bytes_of(forms[form].content_type);
	for (; cap <= PAGE_MAX; cap *= 2) {
		char *at = arena_raw(a, cap);
		struct text t = text_over(at, cap);

		if (!at)
			break;
		forms[form].put(&t, &ask, words_for(ask.status));
		if (!t.full)
			return text_bytes(&t);
	}
	return (struct bytes){ 0 };
}
