/* challenge_class.c -- navigations, programs, machines. */
#include "proxy/challenge_class.h"

/* ---- machines ---- */

/* A path ends so (or, with '/' at its end, holds it), and the user agent or Accept holds one of the words. */
static const struct machine {
	const char *what;
	const char *paths[12];
	const char *words[14];
} machines[] = {
	{ "feed readers",
	  { ".rss", ".atom", ".xml", "/rss", "/atom", "/feed", "/feeds/", "/feed/", "/index.rdf" },
	  { "application/rss+xml", "application/atom+xml", "application/feed+json", "feed", "rss", "miniflux", "newsblur",
	    "netnewswire", "tiny tiny", "inoreader", "thunderbird" } },
	{ "git",
	  { "/info/refs", "/git-upload-pack", "/git-receive-pack", "/info/lfs/", "/HEAD", "/objects/" },
	  { "git/", "jgit", "go-git", "git-lfs", "application/x-git-", "application/vnd.git-lfs+json" } },
	{ "container registries",
	  { "/v2/" },
	  { "docker/", "containerd", "podman", "skopeo", "buildah", "buildkit", "cri-o", "go-containerregistry",
	    "application/vnd.oci.", "application/vnd.docker." } },
	{ "Debian's and Red Hat's packages",
	  { ".deb", ".rpm", "/InRelease", "/Release", "/Release.gpg", ".gz", ".xz", "/repomd.xml", ".drpm" },
	  { "apt-http", "debian apt", "libdnf", "urlgrabber", "zypp", "pacman", "apk-tools" } },
	{ "packages of languages",
	  { ".whl", ".tgz", ".tar.gz", ".crate", ".gem", ".jar", ".pom", ".mod", ".info", ".zip", "/simple/", "/@v/" },
	  { "pip/", "npm/", "yarn/", "pnpm/", "cargo", "rubygems", "bundler/", "apache-maven", "gradle/", "composer/",
	    "go-http-client", "gomodule" } },
};

static bool path_fits(struct bytes path, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n && patterns[i]; i++) {
		struct bytes p = bytes_of(patterns[i]);

		if (p.at[p.len - 1] == '/' ? bytes_find(path, p) != SIZE_MAX : bytes_ends(path, p))
			return true;
	}
	return false;
}

static bool says(struct bytes text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n && words[i]; i++)
		if (bytes_find_nocase(text, bytes_of(words[i])) != SIZE_MAX)
			return true;
	return false;
}

static bool is_machine(const struct request *r)
{
	struct bytes agent = fields_value(&r->fields, FIELD_USER_AGENT), accept = fields_value(&r->fields, FIELD_ACCEPT);

	for (size_t i = 0; i < nelems(machines); i++) {
		const struct machine *m = &machines[i];

		if (path_fits(r->path, m->paths, nelems(m->paths)) &&
		    (says(agent, m->words, nelems(m->words)) || says(accept, m->words, nelems(m->words))))
			return true;
	}
	return false;
}

/* ---- navigations ---- */

static bool is_form(const struct request *r)
{
	struct bytes type = fields_value(&r->fields, FIELD_CONTENT_TYPE);

	type = bytes_trim(bytes_sub(type, 0, bytes_index(type, ';')));
	return bytes_eq_nocase(type, BYTES("application/x-www-form-urlencoded")) ||
	       bytes_eq_nocase(type, BYTES("multipart/form-data")) || bytes_eq_nocase(type, BYTES("text/plain"));
}

static bool is_page_method(const struct request *r)
{
	return bytes_eq(r->method, BYTES("GET")) || bytes_eq(r->method, BYTES("HEAD")) ||
	       (bytes_eq(r->method, BYTES("POST")) && is_form(r));
}

static bool has_fetch_metadata(const struct request *r)
{
	for (size_t i = 0; i < r->fields.n; i++)
		if (bytes_starts_nocase(r->fields.at[i].name, BYTES("Sec-Fetch-")))
			return true;
	return false;
}

static bool is_navigation(const struct request *r)
{
	const struct field *mode = fields_named(&r->fields, BYTES("Sec-Fetch-Mode"));

	if (r->upgrade.at || fields_named(&r->fields, BYTES("X-Requested-With")) || fields_named(&r->fields, BYTES("HX-Request")))
		return false;
	if (has_fetch_metadata(r))
		return mode && bytes_eq(mode->value, BYTES("navigate"));
	return is_page_method(r) &&
	       bytes_find_nocase(fields_value(&r->fields, FIELD_ACCEPT), BYTES("text/html")) != SIZE_MAX;
}

enum challenge_class challenge_class_of(const struct request *r)
{
	if (is_navigation(r))
		return CLASS_NAVIGATION;
	return is_machine(r) ? CLASS_MACHINE : CLASS_PROGRAM;
}
