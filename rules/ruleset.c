/* ruleset.c -- files -> rules -> ruleset. */
#include "rules/ruleset.h"
#include "base/costs.h"
#include "rules/seclang_load.h"
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

struct loading {
	struct ir *ir;
	const struct ruleset_text *text;
	struct seclang *seclang; /* NULL: no *.conf yet */
	struct err *err;
};

static bool read_one(struct loading *l, const char *path, const struct bytes *text)
{
	if (fnmatch("*.conf", path, 0) != 0 && fnmatch("*.conf.example", path, 0) != 0)
		return appsec_load(l->ir, path, text, l->err);
	if (!l->seclang && !(l->seclang = seclang_new(l->ir, l->err)))
		return err_set(l->err, SIDE_SELF, 0, "out of memory");
	return seclang_file(l->seclang, path, text);
}

static bool load_one(struct loading *l, const char *path)
{
	return read_one(l, path, NULL);
}

static bool load_text(struct loading *l)
{
	bool ok;

	l->ir->of_text = true;
	ok = read_one(l, l->text->name, &l->text->text);
	l->ir->of_text = false;
	return ok;
}

/* glob() sorts, so the order of rules is the same everywhere. */
static bool load_pattern(struct loading *l, const char *pattern)
{
	glob_t found = { 0 };
	bool ok = true, any = false;
	int rc = glob(pattern, GLOB_ERR, NULL, &found);

	for (size_t i = 0; rc == 0 && ok && i < found.gl_pathc; i++) {
		if (is_test(found.gl_pathv[i]))
			continue;
		any = true;
		ok = load_one(l, found.gl_pathv[i]);
	}
	globfree(&found);
	if (rc == 0 && any)
		return ok;
	return err_set(l->err, SIDE_CONFIG, 0, "%s: %s", pattern, rc == GLOB_ABORTED ? strerror(errno) : "no such file");
}

static bool load_path(struct loading *l, const char *path)
{
	char pattern[4096];
	struct stat st;

	if (l->text && strcmp(path, l->text->name) == 0)
		return load_text(l);
	if (stat(path, &st) != 0) /* may be a pattern */
		return load_pattern(l, path);
	if (!S_ISDIR(st.st_mode))
		return load_one(l, path);
	if (snprintf(pattern, sizeof pattern, "%s/*.yaml", path) >= (int)sizeof pattern)
		return err_set(l->err, SIDE_CONFIG, 0, "%s: the name is too long", path);
	return load_pattern(l, pattern);
}

static bool load_all(struct ir *ir, const struct ruleset_options *o, struct err *e)
{
	struct loading l = { .ir = ir, .text = o->text, .err = e };

	for (size_t i = 0; i < o->nfiles; i++)
		if (!load_path(&l, o->files[i]))
			return false;
	return !l.seclang || seclang_finish(l.seclang);
}

static void compiled_release(struct compiled *c)
{
	if (!c || atomic_fetch_sub(&c->uses, 1) > 1)
		return;
	for (size_t d = 0; d < DIRECTIONS; d++) {
		for (size_t book = 0; book < BOOKS; book++) {
			c->kind->free(c->unions[d].joined[book]);
			c->kind->free(c->unions[d].once[book]);
		}
	}
	costs_free(c->costs);
	ir_free(c->ir);
	free(c);
}

static struct compiled *compiled_new(const struct ruleset_options *o, struct err *e)
{
	struct compiled *c = calloc(1, sizeof *c);

	if (!c || !(c->ir = ir_new())) {
		free(c);
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	c->uses = 1;
	c->kind = o->matcher ? o->matcher : &matcher_hs;
	if (load_all(c->ir, o, e) && gates_build(c, o->cache_dir, e) && plan_prepare(c, e)) {
		if ((c->costs = costs_new(c->ir->nrules)))
			return c;
		err_set(e, SIDE_SELF, 0, "out of memory");
	}
	compiled_release(c);
	return NULL;
}

/* Takes over the use. */
static struct ruleset *ruleset_of(struct compiled *c, const struct ruleset_tuning *tuning, struct err *e)
{
	struct ruleset *rs = calloc(1, sizeof *rs);

	if (!rs) {
		compiled_release(c);
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	rs->compiled = c;
	rs->ir = c->ir;
	rs->hits = calloc(rs->ir->nrules + 1, sizeof *rs->hits);
	if (!rs->hits)
		err_set(e, SIDE_SELF, 0, "out of memory");
	if (rs->hits && plan_build(rs, tuning, e))
		return rs;
	ruleset_free(rs);
	return NULL;
}

struct ruleset *ruleset_load(const struct ruleset_options *o, struct err *e)
{
	struct compiled *c = compiled_new(o, e);

	return c ? ruleset_of(c, o->tuning, e) : NULL;
}

struct ruleset *ruleset_tuned(const struct ruleset *rs, const struct ruleset_tuning *tuning, struct err *e)
{
	atomic_fetch_add(&rs->compiled->uses, 1);
	return ruleset_of(rs->compiled, tuning, e);
}

size_t ruleset_count(const struct ruleset *rs)
{
	return rs->ir->nrules;
}

size_t ruleset_answer_window(const struct ruleset *rs)
{
	return rs->plan.busy[PHASE_ANSWER_BODY] ? rs->ir->bodies.answer_window : 0;
}

struct bytes ruleset_crs(const struct ruleset *rs)
{
	return rs->ir->crs;
}

const struct rule_info *ruleset_rule(const struct ruleset *rs, size_t i)
{
	return &rs->ir->rules[i].info;
}

static uint64_t count_of(const _Atomic uint64_t *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

uint64_t ruleset_hits(const struct ruleset *rs, size_t i)
{
	return count_of(&rs->hits[i]);
}

struct ruleset_costs ruleset_costs(const struct ruleset *rs)
{
	const struct costs *c = rs->compiled->costs;

	return (struct ruleset_costs){ count_of(&c->samples), count_of(&c->shared_ns) };
}

struct rule_cost ruleset_cost(const struct ruleset *rs, size_t i)
{
	const struct cost *c = &rs->compiled->costs->parts[i];

	return (struct rule_cost){ count_of(&c->ns), count_of(&c->asked) };
}

void ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return;
	arena_free(rs->plan.arena);
	free(rs->hits);
	compiled_release(rs->compiled);
	free(rs);
}
