/* ruleset.c -- files -> rules -> ruleset. */
#include "rules/ruleset.h"
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Tests stand beside the rules that they are for. */
static bool is_test(const char *path)
{
	return fnmatch("*.test.yaml", path, 0) == 0;
}

static bool load_one(struct ir *ir, const char *path, struct err *e)
{
	if (fnmatch("*.conf", path, 0) == 0)
		return err_set(e, SIDE_CONFIG, 0, "%s: SecLang is not built yet", path);
	return appsec_load(ir, path, e);
}

/* glob() sorts, so the order of rules is the same everywhere. */
static bool load_pattern(struct ir *ir, const char *pattern, struct err *e)
{
	glob_t found = { 0 };
	bool ok = true, any = false;
	int rc = glob(pattern, GLOB_ERR, NULL, &found);

	for (size_t i = 0; rc == 0 && ok && i < found.gl_pathc; i++) {
		if (is_test(found.gl_pathv[i]))
			continue;
		any = true;
		ok = load_one(ir, found.gl_pathv[i], e);
	}
	globfree(&found);
	if (rc == 0 && any)
		return ok;
	return err_set(e, SIDE_CONFIG, 0, "%s: %s", pattern, rc == GLOB_ABORTED ? strerror(errno) : "no such file");
}

static bool load_path(struct ir *ir, const char *path, struct err *e)
{
	char pattern[4096];
	struct stat st;

	if (stat(path, &st) != 0) /* may be a pattern */
		return load_pattern(ir, path, e);
	if (!S_ISDIR(st.st_mode))
		return load_one(ir, path, e);
	if (snprintf(pattern, sizeof pattern, "%s/*.yaml", path) >= (int)sizeof pattern)
		return err_set(e, SIDE_CONFIG, 0, "%s: the name is too long", path);
	return load_pattern(ir, pattern, e);
}

static bool load_all(struct ruleset *rs, const struct ruleset_options *o, struct err *e)
{
	for (size_t i = 0; i < o->nfiles; i++)
		if (!load_path(rs->ir, o->files[i], e))
			return false;
	return true;
}

struct ruleset *ruleset_load(const struct ruleset_options *o, struct err *e)
{
	struct ruleset *rs = calloc(1, sizeof *rs);

	if (!rs || !(rs->ir = ir_new())) {
		free(rs);
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	rs->kind = o->matcher ? o->matcher : &matcher_hs;
	if (load_all(rs, o, e) && gates_build(rs, o->cache_dir, e) && plan_build(rs, e)) {
		rs->hits = calloc(rs->ir->nrules + 1, sizeof *rs->hits);
		if (rs->hits)
			return rs;
		err_set(e, SIDE_SELF, 0, "out of memory");
	}
	ruleset_free(rs);
	return NULL;
}

size_t ruleset_count(const struct ruleset *rs)
{
	return rs->ir->nrules;
}

const struct rule_info *ruleset_rule(const struct ruleset *rs, size_t i)
{
	return &rs->ir->rules[i].info;
}

uint64_t ruleset_hits(const struct ruleset *rs, size_t i)
{
	return atomic_load_explicit(&rs->hits[i], memory_order_relaxed);
}

void ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return;
	rs->kind->free(rs->matcher);
	rs->kind->free(rs->once);
	free(rs->hits);
	ir_free(rs->ir);
	free(rs);
}
