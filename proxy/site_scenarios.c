/* site_scenarios.c -- our own scenarios and the user's: one set a site, and what each app leaves out of it. */
#include "base/log.h"
#include "proxy/site_scenarios.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES_MAX = 8192 };

struct files {
	struct arena *arena;
	const char **at;
	size_t n, cap;
};

static bool add(struct files *f, const char *name, struct err *err)
{
	const char **at = f->n < FILES_MAX ? arena_grow(f->arena, f->at, &f->cap, f->n + 1, sizeof *at) : NULL;

	if (!at)
		return err_set(err, SIDE_CONFIG, 0, "scenarios: more than %d files", FILES_MAX);
	f->at = at;
	f->at[f->n] = arena_str(f->arena, bytes_of(name));
	return f->at[f->n++] || err_set(err, SIDE_SELF, 0, "out of memory");
}

static bool is_yaml(const char *name)
{
	return name[0] != '.' && (bytes_ends(bytes_of(name), BYTES(".yaml")) || bytes_ends(bytes_of(name), BYTES(".yml"))) &&
	       !bytes_ends(bytes_of(name), BYTES(".test.yaml"));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The *.yaml of a directory, in the order of their names. */
static bool add_directory(struct files *f, const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	size_t from = f->n;
	char path[4096];
	bool ok = d || err_set(err, SIDE_CONFIG, 0, "scenarios: %s cannot be read", dir);

	for (struct dirent *e; ok && (e = readdir(d));)
		if (is_yaml(e->d_name)) {
			snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
			ok = add(f, path, err);
		}
	if (d)
		closedir(d);
	if (f->n > from)
		qsort(f->at + from, f->n - from, sizeof *f->at, by_name);
	return ok;
}

static bool add_path(struct files *f, const char *path, struct err *err)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? add_directory(f, path, err) : add(f, path, err);
}

static bool add_packs(struct files *f, char dir[4096], struct err *err)
{
	if (!packs_directory(PACKS_SCENARIOS, dir, 4096))
		return err_set(err, SIDE_CONFIG, 0,
			       "the scenario packs are not installed; `scenarios: {packs: off}` does without");
	return add_directory(f, dir, err);
}

/* ---- which watch what ---- */

static bool set_bits(const struct scenarios *set, const struct words *names, uint64_t *bits, struct where where, struct err *err)
{
	for (size_t i = 0; i < names->n; i++) {
		bool found = false;

		for (size_t k = 0; k < scenarios_count(set); k++)
			if (bytes_eq(scenarios_info(set, k)->name, names->at[i])) {
				bits[k / 64] |= (uint64_t)1 << (k % 64);
				found = true;
			}
		if (!found)
			return yaml_err(where, err, "there is no scenario \"%.*s\"", YAML_SHOWN(names->at[i]));
	}
	return true;
}

static uint64_t *bits_new(struct arena *a, const struct scenarios *set)
{
	return arena_get(a, (scenarios_count(set) / 64 + 1) * sizeof(uint64_t));
}

/* What scenarios say of it in `labels: {behavior: ...}`. */
static bool is_crawling(const struct scenario_info *info)
{
	return bytes_eq(info->behavior, BYTES("http:crawl")) || bytes_eq(info->behavior, BYTES("http:scraping"));
}

static bool set_bots(const struct scenarios *set, struct app *app, struct arena *a)
{
	if (!(app->scenarios_off_bots = bits_new(a, set)))
		return false;
	for (size_t i = 0; i < scenarios_count(set); i++) {
		uint64_t bit = (uint64_t)1 << (i % 64);

		app->scenarios_off_bots[i / 64] |= app->scenarios_off[i / 64] & bit;
		if (is_crawling(scenarios_info(set, i)))
			app->scenarios_off_bots[i / 64] |= bit;
	}
	return true;
}

static bool set_apps(struct site *s, struct err *err)
{
	struct where top = { .file = s->config->file ? s->config->file : "scenarios", .line = 1, .column = 1 };
	const struct scenarios_config *c = &s->config->scenarios;
	uint64_t *simulated = bits_new(s->config->arena, s->scenarios);

	if (!simulated || !set_bits(s->scenarios, &c->simulate, simulated, top, err))
		return simulated != NULL ? false : err_set(err, SIDE_SELF, 0, "out of memory");
	s->scenarios_simulated = simulated;
	for (size_t i = 0; i < s->napps; i++) {
		const struct watch_config *w = &s->apps[i].config->watch;

		if (!(s->apps[i].scenarios_off = bits_new(s->config->arena, s->scenarios)))
			return err_set(err, SIDE_SELF, 0, "out of memory");
		if (!set_bits(s->scenarios, &c->off, s->apps[i].scenarios_off, top, err) ||
		    !set_bits(s->scenarios, &w->off, s->apps[i].scenarios_off, s->apps[i].config->where, err))
			return false;
		if (!set_bots(s->scenarios, &s->apps[i], s->config->arena))
			return err_set(err, SIDE_SELF, 0, "out of memory");
	}
	return true;
}

/* ---- profiles ---- */

static bool build_profiles(struct site *s, struct err *err)
{
	const struct config *c = s->config;
	struct profile_text *t = arena_get(c->arena, (c->nprofiles + 1) * sizeof *t);

	for (size_t i = 0; t && i < c->nprofiles; i++) {
		const struct profile_config *p = &c->profiles[i];

		t[i] = (struct profile_text){ .name = p->name, .when = p->when, .remedy = p->act, .level = p->level,
					      .simulated = p->simulated, .apps = p->apps.at, .napps = p->apps.n };
		for (; t[i].nfor < p->nlives && t[i].nfor < PROFILE_STEPS; t[i].nfor++)
			t[i].for_ms[t[i].nfor] = p->lives[t[i].nfor];
	}
	return t ? (s->profiles = profiles_new(t, c->nprofiles, err)) != NULL : err_set(err, SIDE_SELF, 0, "out of memory");
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	log_warn("%s", text);
}

/* The same on every node that has the same secret. */
static struct hash128 bucket_key(const struct process *p)
{
	return hash128(p->hash_key, BYTES("buckets"));
}

bool site_scenarios(struct process *p, struct site *s, struct err *err)
{
	const struct scenarios_config *c = &s->config->scenarios;
	struct files f = { .arena = s->config->arena };
	char packs[4096], cache[4096];
	struct scenarios_options o = { .data_dirs = c->data, .ndata_dirs = c->ndata, .cache_dir = cache,
				       .key = bucket_key(p), .warn = warn };
	bool ok = !c->packs || add_packs(&f, packs, err);

	for (size_t i = 0; ok && i < c->nfiles; i++)
		ok = add_path(&f, c->files[i], err);
	snprintf(cache, sizeof cache, "%s/cache", s->config->state);
	o.files = f.at;
	o.nfiles = f.n;
	return ok && (s->scenarios = scenarios_load(&o, err)) && set_apps(s, err) && build_profiles(s, err);
}
