#include "tests/test.h"
#include "proxy/challenge_class.h"

enum { FIELDS = 6 };

static enum challenge_class class_of(const char *method, const char *path, const char *const lines[FIELDS])
{
	struct field at[FIELDS];
	struct request r = { .method = bytes_of(method), .path = bytes_of(path), .fields = { at, 0, FIELDS } };

	for (size_t i = 0; i < FIELDS && lines[i]; i++) {
		struct bytes line = bytes_of(lines[i]);
		size_t colon = bytes_index(line, ':');
		struct bytes name = bytes_sub(line, 0, colon);

		at[r.fields.n++] = (struct field){ name, bytes_trim(bytes_from(line, colon + 1)), field_id_of(name), false };
		if (at[r.fields.n - 1].id == FIELD_UPGRADE)
			r.upgrade = at[r.fields.n - 1].value;
	}
	return challenge_class_of(&r);
}

#define HTML "Accept: text/html,application/xhtml+xml"
#define FORM "Content-Type: application/x-www-form-urlencoded"

static void only_navigations_get_a_page(void **state)
{
	static const struct {
		const char *what, *method, *path, *lines[FIELDS];
		enum challenge_class class;
	} cases[] = {
		{ "a browser", "GET", "/", { HTML, "Sec-Fetch-Mode: navigate" }, CLASS_NAVIGATION },
		{ "a browser's frame", "GET", "/", { HTML, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe" }, CLASS_NAVIGATION },
		{ "a form", "POST", "/", { HTML, FORM, "Sec-Fetch-Mode: navigate" }, CLASS_NAVIGATION },
		{ "an old browser", "GET", "/", { HTML }, CLASS_NAVIGATION },
		{ "an old browser's form", "POST", "/", { HTML, FORM }, CLASS_NAVIGATION },
		{ "an old browser's upload", "POST", "/", { HTML, "Content-Type: multipart/form-data; boundary=a" }, CLASS_NAVIGATION },
		{ "HEAD", "HEAD", "/", { HTML }, CLASS_NAVIGATION },
		{ "fetch()", "GET", "/", { HTML, "Sec-Fetch-Mode: cors" }, CLASS_PROGRAM },
		{ "an image", "GET", "/a.png", { "Accept: image/avif,*/*", "Sec-Fetch-Mode: no-cors" }, CLASS_PROGRAM },
		{ "half of Fetch Metadata", "GET", "/", { HTML, "Sec-Fetch-Site: none" }, CLASS_PROGRAM },
		{ "jQuery", "GET", "/", { HTML, "X-Requested-With: XMLHttpRequest" }, CLASS_PROGRAM },
		{ "htmx", "GET", "/", { HTML, "HX-Request: true" }, CLASS_PROGRAM },
		{ "JSON", "POST", "/", { HTML, "Content-Type: application/json" }, CLASS_PROGRAM },
		{ "PUT", "PUT", "/", { HTML }, CLASS_PROGRAM },
		{ "an app", "GET", "/api", { "Accept: application/json" }, CLASS_PROGRAM },
		{ "curl", "GET", "/", { "Accept: */*", "User-Agent: curl/8" }, CLASS_PROGRAM },
		{ "nothing", "GET", "/", { NULL }, CLASS_PROGRAM },
		{ "a websocket", "GET", "/", { HTML, "Upgrade: websocket", "Sec-Fetch-Mode: websocket" }, CLASS_PROGRAM },
		{ "a feed reader", "GET", "/blog/feed", { "User-Agent: Miniflux/2.1", "Accept: */*" }, CLASS_MACHINE },
		{ "a feed by Accept", "GET", "/a.xml", { "Accept: application/rss+xml, application/atom+xml" }, CLASS_MACHINE },
		{ "a reader elsewhere", "GET", "/login", { "User-Agent: Miniflux/2.1" }, CLASS_PROGRAM },
		{ "a feed, asked for by anybody", "GET", "/feed", { "User-Agent: curl/8" }, CLASS_PROGRAM },
		{ "a feed in a browser", "GET", "/feed", { HTML, "Sec-Fetch-Mode: navigate" }, CLASS_NAVIGATION },
		{ "git", "GET", "/a.git/info/refs", { "User-Agent: git/2.43.0", "Accept: */*" }, CLASS_MACHINE },
		{ "git's fetch", "POST", "/a.git/git-upload-pack", { "User-Agent: git/2.43.0" }, CLASS_MACHINE },
		{ "docker", "GET", "/v2/a/manifests/latest", { "User-Agent: docker/27" }, CLASS_MACHINE },
		{ "an OCI client", "GET", "/v2/a/manifests/latest", { "Accept: application/vnd.oci.image.index.v1+json" }, CLASS_MACHINE },
		{ "apt", "GET", "/dists/stable/InRelease", { "User-Agent: Debian APT-HTTP/1.3 (2.6.1)" }, CLASS_MACHINE },
		{ "pip", "GET", "/simple/requests/", { "User-Agent: pip/24.0" }, CLASS_MACHINE },
		{ "go", "GET", "/m/@v/v1.0.0.zip", { "User-Agent: Go-http-client/1.1" }, CLASS_MACHINE },
		{ "a Go program", "GET", "/users", { "User-Agent: Go-http-client/1.1" }, CLASS_PROGRAM },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		if (class_of(cases[i].method, cases[i].path, cases[i].lines) != cases[i].class)
			fail_msg("%s", cases[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_navigations_get_a_page) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
