/* matcher_hs.c -- Hyperscan: one database for all patterns, one pass a string.
 *
 * Compiling takes from milliseconds to seconds, so a database is kept in a
 * cache directory under the hash of everything that went into it: patterns,
 * flags, Hyperscan's version, the CPU's features. A file that does not bear
 * out its own header (cut short, rotten, of another machine) is ignored and
 * written anew. */
#include "base/hash128.h"
#include "base/matcher_anchors.h"
#include "base/matcher_soon.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	COMPILE_ARENA = 256 << 20, /* bytes: expressions are held while compiling */
	CACHE_MAX = 512 << 20,     /* bytes of a cache file: more is not ours */
	KNOWN = 32,                /* databases that a scratch remembers */
	ALWAYS = HS_FLAG_ALLOWEMPTY,
};

struct matcher {
	hs_database_t *db;
	struct hash128 serial; /* random: which database this is, even if its address is used again */
};

struct matcher_scratch {
	hs_scratch_t *hs;
	struct hash128 known[KNOWN]; /* serials that it is large enough for */
	unsigned next;
};

/* Everything that makes a database what it is. */
struct recipe {
	const char **expressions;
	size_t *lengths;      /* of literals */
	unsigned *flags, *ids;
	unsigned n;
	bool literals;        /* nothing else: for these Hyperscan has a way of its own */
	hs_platform_info_t platform;
	struct hash128 hash;
};

struct cache_head {
	char magic[8];
	struct hash128 recipe, payload; /* hashes: of what went in, of what follows */
	uint64_t len;
};

static const char magic[8] = "EMBHSDB1";

static bool too_much(struct err *e)
{
	return err_set(e, SIDE_SELF, -1, "out of memory while compiling patterns");
}

static void hash_more(struct hash128 *h, const void *at, size_t n)
{
	*h = hash128(*h, (struct bytes){ at, n });
}

static void recipe_hash(struct recipe *r)
{
	const char *version = hs_version();

	hash_more(&r->hash, version, strlen(version));
	hash_more(&r->hash, &r->platform, sizeof r->platform);
	hash_more(&r->hash, r->flags, r->n * sizeof *r->flags);
	hash_more(&r->hash, r->ids, r->n * sizeof *r->ids);
	for (unsigned i = 0; i < r->n; i++)
		hash_more(&r->hash, r->expressions[i], r->lengths[i]);
}

static unsigned flags_of(unsigned pattern, bool literals)
{
	return (literals ? 0 : ALWAYS | (pattern & PATTERN_GO ? 0 : HS_FLAG_DOTALL)) |
	       (pattern & PATTERN_CASELESS ? HS_FLAG_CASELESS : 0) |
	       (pattern & PATTERN_EACH && pattern & PATTERN_LITERAL ? 0 : HS_FLAG_SINGLEMATCH);
}

static bool all_literal(const struct pattern *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(p[i].flags & PATTERN_LITERAL) || !p[i].text.len)
			return false;
	return true;
}

static bool recipe_make(struct recipe *r, struct arena *a, const struct pattern *p, size_t n,
			struct err *e)
{
	r->expressions = arena_get(a, n * sizeof *r->expressions);
	r->lengths = arena_get(a, n * sizeof *r->lengths);
	r->flags = arena_get(a, n * sizeof *r->flags);
	r->ids = arena_get(a, n * sizeof *r->ids);
	r->n = (unsigned)n;
	r->literals = all_literal(p, n);
	if (!r->expressions || !r->lengths || !r->flags || !r->ids)
		return too_much(e);
	for (size_t i = 0; i < n; i++) {
		r->flags[i] = flags_of(p[i].flags, r->literals);
		r->ids[i] = p[i].id;
		r->expressions[i] = r->literals ? p[i].text.at : matcher_expression(a, &p[i]);
		if (!r->expressions[i])
			return err_set(e, SIDE_CONFIG, (int)i, "a NUL byte, too long or nested too deeply");
		r->lengths[i] = r->literals ? p[i].text.len : strlen(r->expressions[i]);
	}
	if (hs_populate_platform(&r->platform) != HS_SUCCESS)
		return err_set(e, SIDE_SELF, -1, "Hyperscan does not know this processor");
	recipe_hash(r);
	return true;
}

static hs_database_t *recipe_compile(const struct recipe *r, struct err *e)
{
	hs_compile_error_t *why = NULL;
	hs_database_t *db = NULL;
	hs_error_t rc;

	if (r->literals)
		rc = hs_compile_lit_multi(r->expressions, r->flags, r->ids, r->lengths, r->n, HS_MODE_BLOCK,
					  &r->platform, &db, &why);
	else
		rc = hs_compile_multi(r->expressions, r->flags, r->ids, r->n, HS_MODE_BLOCK, &r->platform,
				      &db, &why);
	if (rc == HS_SUCCESS)
		return db;
	if (why)
		err_set(e, SIDE_CONFIG, why->expression, "%s", why->message);
	hs_free_compile_error(why);
	return NULL;
}

static bool cache_path(struct text *t, const char *dir, struct hash128 h)
{
	text_printf(t, "%s/patterns-%016llx%016llx.hs", dir, (unsigned long long)h.a,
		    (unsigned long long)h.b);
	text_byte(t, '\0');
	return !t->full;
}

static bool read_whole(int fd, void *at, size_t n)
{
	while (n) {
		ssize_t got = read(fd, at, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at = (char *)at + got;
		n -= (size_t)got;
	}
	return true;
}

static bool write_whole(int fd, const void *at, size_t n)
{
	while (n) {
		ssize_t put = write(fd, at, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at = (const char *)at + put;
		n -= (size_t)put;
	}
	return true;
}

/* The payload of an open cache file that is what it says; malloc'ed. */
static char *cache_payload(int fd, struct hash128 recipe, struct cache_head *head)
{
	struct stat st;
	char *payload;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !read_whole(fd, head, sizeof *head) ||
	    memcmp(head->magic, magic, sizeof magic) != 0 || !hash128_eq(head->recipe, recipe) ||
	    head->len > CACHE_MAX || (uint64_t)st.st_size != sizeof *head + head->len)
		return NULL;
	payload = malloc(head->len + 1);
	if (payload && read_whole(fd, payload, head->len) &&
	    hash128_eq(hash128(recipe, (struct bytes){ payload, head->len }), head->payload))
		return payload;
	free(payload);
	return NULL;
}

static hs_database_t *cache_read(const char *dir, struct hash128 recipe)
{
	char path[4096];
	struct text t = text_over(path, sizeof path);
	struct cache_head head;
	hs_database_t *db = NULL;
	char *payload = NULL;
	int fd = cache_path(&t, dir, recipe) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return NULL;
	payload = cache_payload(fd, recipe, &head);
	close(fd);
	if (payload && hs_deserialize_database(payload, head.len, &db) != HS_SUCCESS)
		db = NULL;
	free(payload);
	return db;
}

static bool cache_fill(int fd, struct hash128 recipe, const char *payload, size_t len)
{
	struct cache_head head = { .recipe = recipe, .len = len };

	memcpy(head.magic, magic, sizeof magic);
	head.payload = hash128(recipe, (struct bytes){ payload, len });
	return write_whole(fd, &head, sizeof head) && write_whole(fd, payload, len) && fsync(fd) == 0;
}

/* Failing costs the next start some seconds, nothing else. */
static void cache_write(const char *dir, struct hash128 recipe, const hs_database_t *db)
{
	char path[4096], temporary[4096];
	struct text t = text_over(path, sizeof path), u = text_over(temporary, sizeof temporary);
	char *payload = NULL;
	size_t len = 0;
	int fd;

	text_printf(&u, "%s/patterns-XXXXXX", dir);
	text_byte(&u, '\0');
	if (u.full || !cache_path(&t, dir, recipe) ||
	    hs_serialize_database(db, &payload, &len) != HS_SUCCESS)
		return;
	mkdir(dir, 0700);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd >= 0) {
		bool ok = cache_fill(fd, recipe, payload, len);

		if (close(fd) != 0 || !ok || rename(temporary, path) != 0)
			unlink(temporary);
	}
	free(payload);
}

static hs_database_t *database(const struct recipe *r, const char *dir, struct err *e)
{
	hs_database_t *db = dir ? cache_read(dir, r->hash) : NULL;

	if (db)
		return db;
	db = recipe_compile(r, e);
	if (db && dir)
		cache_write(dir, r->hash, db);
	return db;
}

static hs_database_t *database_kept(const struct recipe *r, const char *dir, struct err *e)
{
	(void)e;
	return dir ? cache_read(dir, r->hash) : NULL;
}

static struct matcher *matcher_by(hs_database_t *(*get)(const struct recipe *, const char *dir, struct err *),
				  const struct pattern *p, size_t n, const char *dir, struct err *e)
{
	struct arena *a = arena_new(COMPILE_ARENA);
	struct matcher *m = calloc(1, sizeof *m);
	struct recipe r = { 0 };

	if (!a || !m || !hash128_key(&m->serial))
		too_much(e);
	else if (n && recipe_make(&r, a, p, n, e)) /* of nothing Hyperscan makes no database */
		m->db = get(&r, dir, e);
	arena_free(a);
	if (m && (m->db || !n))
		return m;
	free(m);
	return NULL;
}

static struct matcher *hs_matcher(const struct pattern *p, size_t n, const char *dir, struct err *e)
{
	return matcher_by(database, p, n, dir, e);
}

struct matcher *matcher_hs_cached(const struct pattern *p, size_t n, const char *dir)
{
	struct err ignored = { 0 };

	return matcher_by(database_kept, p, n, dir, &ignored);
}

static void hs_matcher_free(struct matcher *m)
{
	if (!m)
		return;
	hs_free_database(m->db);
	free(m);
}

static bool scratch_fits(struct matcher_scratch *s, const struct matcher *m)
{
	for (unsigned i = 0; i < KNOWN; i++)
		if (hash128_eq(s->known[i], m->serial))
			return true;
	if (hs_alloc_scratch(m->db, &s->hs) != HS_SUCCESS)
		return false;
	s->known[s->next++ % KNOWN] = m->serial;
	return true;
}

struct report {
	matcher_hit *hit;
	void *ctx;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *arg)
{
	const struct report *r = arg;

	(void)from, (void)flags;
	return r->hit(r->ctx, id, to);
}

static bool hs_matcher_scan(const struct matcher *m, struct matcher_scratch *s, struct bytes in, matcher_hit *hit,
			    void *ctx)
{
	struct report report = { hit, ctx };
	hs_error_t rc;

	if (!m->db)
		return true;
	if (in.len > UINT32_MAX || !scratch_fits(s, m))
		return false;
	rc = hs_scan(m->db, in.at ? in.at : "", (unsigned)in.len, 0, s->hs, on_match, &report);
	return rc == HS_SUCCESS || rc == HS_SCAN_TERMINATED;
}

const struct matcher_kind matcher_hs = { "hyperscan", hs_matcher, hs_matcher_scan, hs_matcher_free };

struct matcher_scratch *matcher_scratch_new(void)
{
	return calloc(1, sizeof(struct matcher_scratch));
}

void matcher_scratch_free(struct matcher_scratch *s)
{
	if (!s)
		return;
	hs_free_scratch(s->hs);
	free(s);
}
