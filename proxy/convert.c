/* convert.c -- directives of ModSecurity: one table. */
#include "proxy/convert_parts.h"
#include "base/text.h"
#include "proxy/options.h"

enum { ARENA = 256 << 20, SHOWN = 100 };

void convert_keep(struct convert *c, struct seclang_place place, struct bytes what, const char *why)
{
	struct convert_kept *at = arena_grow(c->arena, c->kept, &c->kept_cap, c->nkept + 1, sizeof *at);

	c->spent |= !at;
	if (!at)
		return;
	c->kept = at;
	at[c->nkept++] = (struct convert_kept){ place, what, why };
}

/* "SecRule ARGS:x @rx ^a" */
static struct bytes shown(struct convert *c, const struct seclang_directive *d)
{
	struct text t = text_over(arena_raw(c->arena, 3 * SHOWN), 3 * SHOWN);

	c->spent |= !t.at;
	if (!t.at)
		return (struct bytes){ "", 0 };
	text_put(&t, bytes_sub(d->name, 0, SHOWN / 2));
	for (size_t i = 0; i < d->nargs && i < 2 && t.len < SHOWN; i++) {
		text_byte(&t, ' ');
		text_put(&t, bytes_sub(d->args[i], 0, SHOWN - 20));
	}
	return text_bytes(&t);
}

bool convert_keep_directive(struct convert *c, const struct seclang_directive *d, const char *why)
{
	convert_keep(c, d->place, shown(c, d), why);
	return true;
}

bool convert_is_one_of(struct bytes name, const char *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq_nocase(name, bytes_of(all[i])))
			return true;
	return false;
}

/* ---- directives ---- */

static bool take_rule(struct convert *c, const struct seclang_directive *d)
{
	convert_rule(c, d, true);
	return true;
}

static bool take_action(struct convert *c, const struct seclang_directive *d)
{
	convert_rule(c, d, false);
	return true;
}

static enum convert_key selects_by(const struct seclang_directive *d)
{
	return bytes_eq_nocase(bytes_from(d->name, d->name.len - 3), BYTES("tag")) ? CONVERT_TAGS : CONVERT_RULES;
}

static bool take_remove(struct convert *c, const struct seclang_directive *d)
{
	struct convert_exception x = { .from = d->place };
	const char *why = d->nargs ? NULL : "an argument is missing";

	for (size_t i = 0; !why && i < d->nargs; i++)
		why = convert_select(c, d->args[i], selects_by(d), &x);
	if (why)
		return convert_keep_directive(c, d, why);
	convert_add(c, &x);
	return true;
}

static bool take_update(struct convert *c, const struct seclang_directive *d)
{
	struct convert_exception x = { .from = d->place };
	const char *why = d->nargs != 2 ? "it puts other variables in the place of some" : convert_select(c, d->args[0], selects_by(d), &x);

	if (!why)
		why = convert_targets(c, d->args[1], true, &x);
	if (why)
		return convert_keep_directive(c, d, why);
	convert_add(c, &x);
	return true;
}

static bool take_by_message(struct convert *c, const struct seclang_directive *d)
{
	return convert_keep_directive(c, d, "an exception names rules by id, category or tag, not by message");
}

static bool take_engine(struct convert *c, const struct seclang_directive *d)
{
	struct bytes v = d->nargs ? d->args[0] : (struct bytes){ 0 };

	c->mode = bytes_eq_nocase(v, BYTES("On"))	       ? "block"
		  : bytes_eq_nocase(v, BYTES("DetectionOnly")) ? "detect"
		  : bytes_eq_nocase(v, BYTES("Off"))	       ? "off"
							       : c->mode;
	return true;
}

/* With a disruptive default each rule denies by itself. */
static bool take_default(struct convert *c, const struct seclang_directive *d)
{
	static const char *const idle[] = { "phase", "log", "nolog", "auditlog", "noauditlog", "pass", "t" };
	struct seclang_action *all;
	struct err e = { 0 };
	size_t n = 0;

	if (!d->nargs || !seclang_actions(c->arena, d->args[0], &all, &n, &e))
		return convert_keep_directive(c, d, "it cannot be read");
	for (size_t i = 0; i < n; i++)
		if (!convert_is_one_of(all[i].name, idle, nelems(idle)))
			return convert_keep_directive(c, d, "every rule denies by itself, without a score: crs-setup.conf says it, named by waf.crs");
	return true;
}

static bool take_body_limit(struct convert *c, const struct seclang_directive *d)
{
	return convert_keep_directive(c, d, "of an app say max_body and waf.window, of a path an exception with max_body");
}

static bool take_answer(struct convert *c, const struct seclang_directive *d)
{
	return convert_keep_directive(c, d, "it has no key");
}

static bool take_marker(struct convert *c, const struct seclang_directive *d)
{
	if (d->nargs && bytes_eq(d->args[0], c->skipped_to))
		c->skipped_to = (struct bytes){ 0 };
	return true;
}

static bool take_nothing(struct convert *c, const struct seclang_directive *d)
{
	(void)c, (void)d;
	return true;
}

static const struct {
	const char *name; /* with a `*` at its end: a beginning */
	bool (*take)(struct convert *, const struct seclang_directive *);
} table[] = {
	{ "SecRule", take_rule },
	{ "SecAction", take_action },
	{ "SecRuleEngine", take_engine },
	{ "SecDefaultAction", take_default },
	{ "SecMarker", take_marker },
	{ "SecRuleRemoveById", take_remove },
	{ "SecRuleRemoveByTag", take_remove },
	{ "SecRuleRemoveByMsg", take_by_message },
	{ "SecRuleUpdateTargetById", take_update },
	{ "SecRuleUpdateTargetByTag", take_update },
	{ "SecRuleUpdateTargetByMsg", take_by_message },
	{ "SecRequestBodyLimit*", take_body_limit },
	{ "SecRequestBodyNoFilesLimit", take_body_limit },
	{ "SecResponseBody*", take_answer },
	/* Of logs, files and a server that are not here. */
	{ "SecArgumentSeparator", take_nothing },
	{ "SecAudit*", take_nothing },
	{ "SecCollectionTimeout", take_nothing },
	{ "SecComponentSignature", take_nothing },
	{ "SecCookieFormat", take_nothing },
	{ "SecDataDir", take_nothing },
	{ "SecDebugLog*", take_nothing },
	{ "SecPcreMatchLimit*", take_nothing },
	{ "SecStatusEngine", take_nothing },
	{ "SecTmp*", take_nothing },
	{ "SecUnicodeMapFile", take_nothing },
	{ "SecUpload*", take_nothing },
};

static bool names(const char *row, struct bytes name)
{
	struct bytes n = bytes_of(row);

	return bytes_ends(n, BYTES("*")) ? bytes_starts_nocase(name, bytes_sub(n, 0, n.len - 1)) : bytes_eq_nocase(name, n);
}

static bool take(void *ctx, const struct seclang_directive *d, struct err *e)
{
	struct convert *c = ctx;
	bool taken = false;

	for (size_t i = 0; !taken && i < nelems(table); i++)
		taken = names(table[i].name, d->name) && table[i].take(c, d);
	if (!taken)
		convert_keep_directive(c, d, "it has no key");
	return !c->spent || err_set(e, SIDE_SELF, 0, "out of memory");
}

/* ---- the whole ---- */

static bool end(struct convert *c, bool read, FILE *out, struct err *e)
{
	if (read && c->chain)
		convert_keep_directive(c, &c->rule.head, "its chain has no end");
	if (c->detection > c->paranoia || (c->detection && !c->paranoia))
		convert_keep(c, c->detection_at, BYTES("the level that only logs"), "waf.paranoia sets both levels: leave it out and keep both settings");
	convert_merge(c);
	if (read && c->spent)
		read = err_set(e, SIDE_SELF, 0, "out of memory");
	if (read)
		convert_print(c, out);
	arena_free(c->arena);
	return read;
}

static bool begin(struct convert *c, struct err *e)
{
	*c = (struct convert){ .arena = arena_new(ARENA) };
	return c->arena || err_set(e, SIDE_SELF, 0, "out of memory");
}

bool convert_files(char *const *files, FILE *out, struct err *e)
{
	struct convert c;
	struct seclang_sink sink = { take, &c };
	bool read = true;

	if (!begin(&c, e))
		return false;
	for (; read && *files; files++) {
		read = seclang_read(c.arena, *files, &sink, e);
		c.skipped_to = (struct bytes){ 0 };
	}
	return end(&c, read, out, e);
}

bool convert_text(struct bytes text, const char *name, FILE *out, struct err *e)
{
	struct convert c;
	struct seclang_sink sink = { take, &c };

	return begin(&c, e) && end(&c, seclang_text(c.arena, (struct seclang_place){ name, 1 }, text, &sink, e), out, e);
}

int convert_main(char *const *files)
{
	struct err e = { .side = SIDE_SELF };

	if (convert_files(files, stdout, &e))
		return EXIT_OK;
	fprintf(stderr, "%s\n", e.text);
	return e.side == SIDE_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}
