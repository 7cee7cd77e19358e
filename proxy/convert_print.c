/* convert_print.c -- what was read, as YAML to be put under an app. */
#include "proxy/convert_parts.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 1 << 20 };

static const char *const keys[] = {
	[CONVERT_METHODS] = "methods", [CONVERT_RULES] = "rules",     [CONVERT_TAGS] = "tags",   [CONVERT_ARGS] = "args",
	[CONVERT_COOKIES] = "cookies", [CONVERT_HEADERS] = "headers", [CONVERT_PARTS] = "parts",
};

static void flush(struct text *t, FILE *out)
{
	fwrite(t->at, 1, t->len, out);
	t->len = 0;
}

/* A word of ours, a number or a range stand as they are; what was written by others in quotes. */
static bool is_ours(enum convert_key k)
{
	return k == CONVERT_METHODS || k == CONVERT_RULES || k == CONVERT_PARTS;
}

static void put_words(struct text *t, const struct convert_words *w, enum convert_key k)
{
	if (!w->n)
		return;
	text_printf(t, "%s: [", keys[k]);
	for (size_t i = 0; i < w->n; i++) {
		if (i)
			text_str(t, ", ");
		if (is_ours(k))
			text_put(t, w->at[i]);
		else
			text_json(t, w->at[i]);
	}
	text_str(t, "], ");
}

/* "file:line", of the last part of the file's name. */
static void put_place(struct text *t, const struct seclang_place *p)
{
	const char *slash = strrchr(p->file, '/');

	text_printf(t, "%s:%u", slash ? slash + 1 : p->file, p->line);
}

static void put_reason(struct text *t, const struct convert_exception *x)
{
	char room[512];
	struct text reason = text_over(room, sizeof room), plain;
	char safe[2048];

	put_place(&reason, &x->from);
	if (x->more)
		text_printf(&reason, " and %zu more", x->more);
	plain = text_over(safe, sizeof safe);
	text_plain(&plain, text_bytes(&reason));
	text_str(t, "reason: ");
	text_json(t, text_bytes(&plain));
}

static void put_exception(struct text *t, const struct convert_exception *x)
{
	text_str(t, "      - {");
	if (x->path.at) {
		text_str(t, "path: ");
		text_json(t, x->path);
		text_str(t, ", ");
	}
	for (enum convert_key k = 0; k < CONVERT_KEYS; k++)
		if (!x->all || k == CONVERT_METHODS)
			put_words(t, &x->words[k], k);
	if (x->all)
		text_str(t, "skip: [all], ");
	put_reason(t, x);
	text_str(t, "}\n");
}

static void put_waf(struct text *t, const struct convert *c)
{
	text_str(t, "    waf:\n      ruleset: crs\n");
	if (c->mode)
		text_printf(t, "      mode: %s\n", c->mode);
	if (c->paranoia)
		text_printf(t, "      paranoia: %llu\n", (unsigned long long)c->paranoia);
	if (c->threshold)
		text_printf(t, "      threshold: %llu\n", (unsigned long long)c->threshold);
	if (c->nkept)
		text_str(t, "      # rules: [kept.conf]   # with what is listed below\n");
}

static void put_kept(struct text *t, const struct convert_kept *k)
{
	text_str(t, "    # ");
	text_plain(t, bytes_of(k->place.file));
	text_printf(t, ":%u: ", k->place.line);
	text_plain(t, bytes_sub(k->what, 0, 160));
	text_printf(t, "\n    #     %s\n", k->why);
}

void convert_print(struct convert *c, FILE *out)
{
	struct text t = text_over(arena_raw(c->arena, LINE_MAX_BYTES), LINE_MAX_BYTES);
	bool any = false;

	if (!t.at)
		return;
	text_str(&t, "# To be put under `apps:` and the name of the app, in place of its `waf` and `exceptions`.\n");
	put_waf(&t, c);
	flush(&t, out);
	for (size_t i = 0; i < c->nexceptions; i++) {
		if (c->exceptions[i].merged)
			continue;
		if (!any)
			text_str(&t, "    exceptions:\n");
		any = true;
		put_exception(&t, &c->exceptions[i]);
		flush(&t, out);
	}
	if (c->nkept)
		text_str(&t, "    # What YAML cannot say. Keep it in a *.conf that waf.rules names: it is read before the rules of the Core Rule Set.\n");
	for (size_t i = 0; i < c->nkept; i++) {
		put_kept(&t, &c->kept[i]);
		flush(&t, out);
	}
}
