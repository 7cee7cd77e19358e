/* matcher_plain.c -- one pattern after the other, by PCRE2's interpreter.
 *
 * Slow, and plain to see that it is right: what Hyperscan reports is measured
 * against this. No machine code, no scratch, nothing cached. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/matcher_anchors.h"
#include <pcre2.h>
#include <stdlib.h>

enum { COMPILE_ARENA = 256 << 20 };

struct entry {
	pcre2_code *code;
	uint32_t id;
	bool each;
};

struct matcher {
	struct entry *at;
	size_t n;
};

static pcre2_code *code_new(struct arena *a, const struct pattern *p, struct err *e, int index)
{
	uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | (p->flags & PATTERN_GO ? 0 : PCRE2_DOTALL) |
			   (p->flags & PATTERN_CASELESS ? PCRE2_CASELESS : 0);
	const char *text = matcher_expression(a, p);
	unsigned char why[128] = "a NUL byte, too long or nested too deeply";
	PCRE2_SIZE at = 0;
	pcre2_code *code = NULL;
	int rc = 0;

	if (text)
		code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &rc, &at, NULL);
	if (!code && text)
		pcre2_get_error_message(rc, why, sizeof why);
	if (!code)
		err_set(e, SIDE_CONFIG, index, "%s (at byte %zu)", (char *)why, (size_t)at);
	return code;
}

static void plain_free(struct matcher *m)
{
	if (!m)
		return;
	for (size_t i = 0; m->at && i < m->n; i++)
		pcre2_code_free(m->at[i].code);
	free(m->at);
	free(m);
}

static bool compile_all(struct matcher *m, const struct pattern *p, size_t n, struct err *e)
{
	struct arena *a = arena_new(COMPILE_ARENA);
	bool ok = a != NULL;

	m->at = calloc(n + 1, sizeof *m->at);
	if (!a || !m->at)
		ok = err_set(e, SIDE_SELF, -1, "out of memory while compiling patterns");
	for (; ok && m->n < n; m->n++) {
		struct entry *x = &m->at[m->n];

		x->code = code_new(a, &p[m->n], e, (int)m->n);
		x->id = p[m->n].id;
		x->each = p[m->n].flags & PATTERN_EACH && p[m->n].flags & PATTERN_LITERAL;
		ok = x->code != NULL;
	}
	arena_free(a);
	return ok;
}

static struct matcher *plain_compile(const struct pattern *p, size_t n, const char *cache_dir,
				     struct err *e)
{
	struct matcher *m = calloc(1, sizeof *m);

	(void)cache_dir;
	if (m && compile_all(m, p, n, e))
		return m;
	if (!m)
		err_set(e, SIDE_SELF, -1, "out of memory while compiling patterns");
	plain_free(m);
	return NULL;
}

/* One pattern: its first match or, of a literal, each. A failure of PCRE2 is
 * returned; so is what hit() said, as PCRE2_ERROR_CALLOUT. */
static int scan_one(const struct entry *x, struct bytes in, pcre2_match_data *found, matcher_hit *hit, void *ctx)
{
	const PCRE2_SIZE *place = pcre2_get_ovector_pointer(found);
	size_t from = 0;
	int rc;

	do {
		rc = pcre2_match(x->code, (PCRE2_SPTR)(in.at ? in.at : ""), in.len, from, 0, found, NULL);
		if (rc < 0)
			return rc;
		if (hit(ctx, x->id, place[1]))
			return PCRE2_ERROR_CALLOUT;
		from = place[0] + 1;
	} while (x->each && from <= in.len);
	return PCRE2_ERROR_NOMATCH;
}

static bool plain_scan(const struct matcher *m, struct matcher_scratch *s, struct bytes in, matcher_hit *hit,
		       void *ctx)
{
	pcre2_match_data *found = pcre2_match_data_create(1, NULL);
	int rc = found ? PCRE2_ERROR_NOMATCH : PCRE2_ERROR_NOMEMORY;

	(void)s;
	for (size_t i = 0; rc == PCRE2_ERROR_NOMATCH && i < m->n; i++)
		rc = scan_one(&m->at[i], in, found, hit, ctx);
	pcre2_match_data_free(found);
	return rc == PCRE2_ERROR_NOMATCH || rc == PCRE2_ERROR_CALLOUT;
}

const struct matcher_kind matcher_plain = { "plain", plain_compile, plain_scan, plain_free };
