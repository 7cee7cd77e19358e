/* site_rules.c -- our packs, the Core Rule Set, an app's own files: in that order,
 * but that its *.conf stand between the Core Rule Set's setup and its rules, where
 * they can both choose what it does and take out what it should not do. */
#include "proxy/site_rules.h"
#include "base/matcher_soon.h"
#include <glob.h>
#include <unistd.h>

static const char debian_crs[] = "/usr/share/modsecurity-crs";

/* What of the Core Rule Set is there, in the order it is read; %s is its directory.
 * Of a place that names several files all are read; the first setup that is there counts. */
static const char *const setups[] = { "%s/crs-setup.conf", "/etc/modsecurity/crs/crs-setup.conf", "%s/crs-setup.conf.example" };
static const char *const before[] = { "%s/plugins/*-config.conf", "%s/plugins/*-before.conf",
				      "/etc/modsecurity/crs/REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf" };
static const char *const after[] = { "%s/rules/*.conf", "/etc/modsecurity/crs/RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf",
				     "%s/plugins/*-after.conf" };

struct files {
	struct arena *arena;
	const struct ruleset_text *text; /* an own file that is none; NULL: there is none */
	const char **at;
	size_t n, cap;
};

bool packs_directory(enum packs which, char *out, size_t cap)
{
	static const char *const places[][2] = {
		[PACKS_RULES] = { "/../../rules/packs", "/../share/embergate/packs" },
		[PACKS_SCENARIOS] = { "/../../scenarios/packs", "/../share/embergate/scenarios" },
		[PACKS_BOTS] = { "/../../scenarios/packs/bots", "/../share/embergate/scenarios/bots" },
	};
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	char *slash;

	if (n < 0)
		return false;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	for (size_t i = 0; slash && i < nelems(places[which]); i++) {
		*slash = '\0';
		if (snprintf(out, cap, "%s%s", exe, places[which][i]) < (int)cap && access(out, R_OK) == 0)
			return true;
	}
	return false;
}

static bool short_of_memory(struct err *e)
{
	return err_set(e, SIDE_SELF, 0, "out of memory");
}

static bool add(struct files *f, const char *name, struct err *e)
{
	const char **at = arena_grow(f->arena, f->at, &f->cap, f->n + 1, sizeof *at);

	if (!at || !(at[f->n] = arena_str(f->arena, bytes_of(name))))
		return short_of_memory(e);
	f->at = at;
	f->n++;
	return true;
}

/* ---- the Core Rule Set ---- */

/* A name of /etc belongs to Debian's package alone. */
static bool place(char *out, size_t cap, const char *format, const char *dir)
{
	size_t n = strcspn(format, "%");

	if (format[0] == '/' && strcmp(dir, debian_crs) != 0)
		return false;
	return snprintf(out, cap, "%.*s%s%s", (int)n, format, format[n] ? dir : "", format[n] ? format + n + 2 : "") < (int)cap;
}

static bool is_there(const char *pattern)
{
	glob_t g = { 0 };
	bool found = glob(pattern, 0, NULL, &g) == 0;

	globfree(&g);
	return found;
}

static bool add_places(struct files *f, const char *const *formats, size_t n, size_t most, const char *dir, struct err *e)
{
	char name[4096];

	for (size_t i = 0; i < n && most; i++) {
		if (!place(name, sizeof name, formats[i], dir) || !is_there(name))
			continue;
		most--;
		if (!add(f, name, e))
			return false;
	}
	return true;
}

/* NULL: there is none, or none is wanted. */
static const char *crs_directory(const struct waf_config *w)
{
	char rules[4096];
	const char *dir = w->crs ? w->crs : debian_crs;

	if (w->ruleset == RULESET_PACKS)
		return NULL;
	return place(rules, sizeof rules, after[0], dir) && is_there(rules) ? dir : NULL;
}

/* ---- an app's files ---- */

static bool is_seclang(const char *name)
{
	return bytes_ends(bytes_of(name), BYTES(".conf"));
}

static bool add_own(struct files *f, const struct waf_config *w, bool seclang, struct err *e)
{
	for (size_t i = 0; i < w->nrules; i++)
		if (is_seclang(w->rules[i]) == seclang && !add(f, w->rules[i], e))
			return false;
	return !f->text || is_seclang(f->text->name) != seclang || add(f, f->text->name, e);
}

static bool add_packs(struct files *f, struct err *e)
{
	char packs[4096];

	if (!packs_directory(PACKS_RULES, packs, sizeof packs))
		return err_set(e, SIDE_CONFIG, 0, "the rule packs are not installed; `waf: {packs: off}` does without");
	return add(f, packs, e);
}

static bool files_of(struct files *f, const struct waf_config *w, const char *crs, struct err *e)
{
	if (w->ruleset == RULESET_CRS && !crs)
		return err_set(e, SIDE_CONFIG, 0, "the Core Rule Set is not at %s (no rules/*.conf there); Debian's package is "
			       "modsecurity-crs, another place is named by `waf.crs`", w->crs ? w->crs : debian_crs);
	return (!w->packs || add_packs(f, e)) &&
	       (!crs || (add_places(f, setups, nelems(setups), 1, crs, e) &&
			 add_places(f, before, nelems(before), SIZE_MAX, crs, e))) &&
	       add_own(f, w, true, e) && (!crs || add_places(f, after, nelems(after), SIZE_MAX, crs, e)) &&
	       add_own(f, w, false, e);
}

/* ---- what an app pins ---- */

enum { PINNED_MAX = 5, DIGITS = 12 };

struct pins {
	struct ruleset_variable at[PINNED_MAX];
	char digits[2][DIGITS];
	struct ruleset_tuning tuning;
};

/* The names of CRS 4 and of CRS 3; those that the rules do not have mean nothing. */
static void pin(struct pins *p, const struct waf_config *w)
{
	static const char *const levels[] = { "blocking_paranoia_level", "detection_paranoia_level", "paranoia_level",
					      "executing_paranoia_level" };

	*p = (struct pins){ .tuning = { .pinned = p->at } };
	snprintf(p->digits[0], DIGITS, "%u", w->paranoia);
	snprintf(p->digits[1], DIGITS, "%u", w->threshold);
	for (size_t i = 0; w->paranoia && i < nelems(levels); i++)
		p->at[p->tuning.npinned++] = (struct ruleset_variable){ bytes_of(levels[i]), bytes_of(p->digits[0]) };
	if (w->threshold)
		p->at[p->tuning.npinned++] = (struct ruleset_variable){ BYTES("inbound_anomaly_score_threshold"), bytes_of(p->digits[1]) };
}

/* ---- sharing ---- */

static bool same_name(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool same_files(const struct waf_config *a, const struct waf_config *b)
{
	if (a->packs != b->packs || a->ruleset != b->ruleset || a->nrules != b->nrules || !same_name(a->crs, b->crs))
		return false;
	for (size_t i = 0; i < a->nrules; i++)
		if (strcmp(a->rules[i], b->rules[i]) != 0)
			return false;
	return true;
}

static bool same_pins(const struct waf_config *a, const struct waf_config *b)
{
	return a->paranoia == b->paranoia && a->threshold == b->threshold;
}

/* A `check` says whether the rules can be compiled; a gate has better to do than to wait for it. */
static struct ruleset *load(const struct process *p, struct site *s, const struct waf_config *w, const char *crs,
			    const struct ruleset_tuning *t, struct err *e)
{
	struct files f = { .arena = s->config->arena };
	char cache[4096];
	struct ruleset_options o = { .cache_dir = cache, .tuning = t, .matcher = p->dry ? &matcher_hs : &matcher_soon };

	snprintf(cache, sizeof cache, "%s/cache", s->config->state);
	if (!files_of(&f, w, crs, e))
		return NULL;
	o.files = f.at;
	o.nfiles = f.n;
	return ruleset_load(&o, e);
}

/* That of an app before it with the same files, if possible with the same settings. */
static const struct app *twin(const struct site *s, const struct app *a)
{
	const struct waf_config *w = &a->config->waf;
	const struct app *found = NULL;

	for (const struct app *other = s->apps; other < a; other++)
		if (other->rules && same_files(w, &other->config->waf) && (!found || same_pins(w, &other->config->waf)))
			found = other;
	return found;
}

bool site_rules(const struct process *p, struct site *s, struct app *a, struct err *e)
{
	const struct waf_config *w = &a->config->waf;
	const struct app *other = twin(s, a);
	const char *crs = crs_directory(w);
	struct pins pins;
	struct ruleset *r;

	if (!w->packs && !w->nrules && !crs && w->ruleset != RULESET_CRS)
		return true;
	if (other && same_pins(w, &other->config->waf)) {
		a->rules = other->rules;
		return true;
	}
	pin(&pins, w);
	r = other ? ruleset_tuned(other->rules, &pins.tuning, e) : load(p, s, w, crs, &pins.tuning, e);
	if (!r)
		return false;
	s->rulesets[s->nrulesets++] = r;
	a->rules = r;
	return true;
}

struct ruleset *site_rules_with(struct arena *a, const struct waf_config *w, const struct ruleset_text *text, struct err *e)
{
	struct files f = { .arena = a, .text = text };
	struct pins pins;
	struct ruleset_options o = { .matcher = &matcher_words, .text = text, .tuning = &pins.tuning };

	pin(&pins, w);
	if (!files_of(&f, w, crs_directory(w), e))
		return NULL;
	o.files = f.at;
	o.nfiles = f.n;
	return ruleset_load(&o, e);
}
