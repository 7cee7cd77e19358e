/* matcher_plain.c -- one pattern after the other, by PCRE2's interpreter.
 *
 * Slow, and plain to see that it is right: what Hyperscan reports is measured
 * against this. No machine code, no scratch, nothing cached. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/matcher_anchors.h"
#include <pcre2.h>
#include <stdlib.h>

enum { COMPILE_ARENA = 256 << 20 };

struct matcher {
	pcre2_code **codes;
	uint32_t *ids;
	size_t n;
};

static pcre2_code *code_new(struct arena *a, const struct pattern *p, struct err *e, int index)
{
	uint32_t options = PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF |
			   (p->flags & PATTERN_CASELESS ? PCRE2_CASELESS : 0) |
			   (p->flags & PATTERN_JOINED ? PCRE2_MULTILINE : 0);
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
	for (size_t i = 0; m->codes && i < m->n; i++)
		pcre2_code_free(m->codes[i]);
	free(m->codes);
	free(m->ids);
	free(m);
}

static bool compile_all(struct matcher *m, const struct pattern *p, size_t n, struct err *e)
{
	struct arena *a = arena_new(COMPILE_ARENA);
	bool ok = a != NULL;

	m->codes = calloc(n + 1, sizeof *m->codes);
	m->ids = calloc(n + 1, sizeof *m->ids);
	if (!a || !m->codes || !m->ids)
		ok = err_set(e, SIDE_SELF, -1, "out of memory while compiling patterns");
	for (; ok && m->n < n; m->n++) {
		m->ids[m->n] = p[m->n].id;
		m->codes[m->n] = code_new(a, &p[m->n], e, (int)m->n);
		ok = m->codes[m->n] != NULL;
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

static bool plain_scan(const struct matcher *m, struct matcher_scratch *s, struct bytes in,
		       bool (*hit)(void *ctx, uint32_t id), void *ctx)
{
	pcre2_match_data *found = pcre2_match_data_create(1, NULL);
	bool ok = found != NULL, stop = false;

	(void)s;
	for (size_t i = 0; ok && !stop && i < m->n; i++) {
		int rc = pcre2_match(m->codes[i], (PCRE2_SPTR)(in.at ? in.at : ""), in.len, 0, 0,
				     found, NULL);

		if (rc >= 0)
			stop = hit(ctx, m->ids[i]);
		else
			ok = rc == PCRE2_ERROR_NOMATCH;
	}
	pcre2_match_data_free(found);
	return ok;
}

const struct matcher_kind matcher_plain = { "plain", plain_compile, plain_scan, plain_free };
