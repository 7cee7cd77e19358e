/* ctl_decisions.c -- `embergate ctl decisions` and `ctl allow`. */
#include "admin/ctl.h"
#include "admin/api/reputation_shapes.h"
#include "admin/held.h"
#include "base/clock.h"
#include "base/duration.h"
#include <stdlib.h>

/* ---- listing ---- */

struct listing {
	struct json_out *json; /* or: */
	struct text *t;
	bool allowed;          /* only what allows */
	uint64_t now_ms;
	size_t n;
};

void ctl_put_left(struct text *t, const struct decision *d, uint64_t now_ms)
{
	duration_text(t, d->until_ms > now_ms ? (d->until_ms - now_ms) / 1000 * 1000000 : 0);
}

static void put_row(struct listing *l, const struct decision *d)
{
	struct text *t = l->t;
	char left[32];
	struct text room = text_over(left, sizeof left);

	ctl_put_left(&room, d, l->now_ms);
	if (l->n == 1)
		text_printf(t, "%-19s %-9s %-40s %-10s %-14s %-16s %s\n", "ID", "SCOPE", "VALUE", "REMEDY", "FOR", "ORIGIN", "REASON");
	text_printf(t, "%-19llu %-9s ", (unsigned long long)d->id, scope_word(d->scope));
	text_plain(t, d->value);
	text_printf(t, "%*s %-10s %-14.*s ", d->value.len < 40 ? (int)(40 - d->value.len) : 0, "", remedy_word(d->remedy),
		    BYTES_ARG(text_bytes(&room)));
	text_printf(t, "%-16.*s ", BYTES_ARG(d->origin));
	text_plain(t, d->reason);
	text_str(t, d->simulated ? " (simulated)\n" : "\n");
}

static bool list_one(void *ctx, const struct decision *d)
{
	struct listing *l = ctx;

	if (l->allowed && d->remedy != REMEDY_ALLOW)
		return true;
	l->n++;
	if (l->json)
		decision_out(l->json, d);
	else
		put_row(l, d);
	return true;
}

struct asking { const struct ctl_ask *ask; bool allowed; };

static void write_list(void *ctx, struct text *t)
{
	const struct asking *a = ctx;
	struct listing l = { .t = t, .allowed = a->allowed, .now_ms = clock_wall_ms() };

	decisions_each(a->ask->admin->hooks.decisions, l.now_ms, list_one, &l);
	if (!l.n)
		text_str(t, a->allowed ? "nobody is allowed beyond what the configuration says\n" : "nothing is held against anyone\n");
}

static void list(const struct ctl_ask *ask, bool allowed)
{
	struct json_out o = json_out(CTL_JSON_MAX);
	struct listing l = { .json = &o, .allowed = allowed, .now_ms = clock_wall_ms() };

	if (!ask->answer->json) {
		ctl_reply_text(ask->answer, write_list, &(struct asking){ ask, allowed });
		return;
	}
	out_list(&o, NULL);
	decisions_each(ask->admin->hooks.decisions, l.now_ms, list_one, &l);
	out_end(&o);
	ctl_reply_json(ask->answer, &o);
}

/* ---- adding and deleting ---- */

/* Words may come in any order: each is of one kind only. What is none of them is the reason of `allow add`. */
static bool read_words(const struct ctl_ask *ask, struct held_wish *w)
{
	bool allow = w->remedy == REMEDY_ALLOW;

	w->value = ask->args[1];
	for (unsigned i = 2; i < ask->nargs; i++) {
		enum scope scope = scope_from_word(ask->args[i]);

		if (scope != SCOPE_OTHER)
			w->scope = scope;
		else if (bytes_starts(ask->args[i], BYTES("why:")))
			w->reason = bytes_from(ask->args[i], 4);
		else if (!duration_parse(ask->args[i], &w->life_us) && (allow || !remedy_from_word(ask->args[i], &w->remedy))) {
			if (!allow)
				return false;
			w->reason = ask->args[i];
		}
	}
	return allow || w->remedy != REMEDY_ALLOW;
}

static void add(const struct ctl_ask *ask, enum remedy_kind remedy)
{
	struct held_wish w = { .scope = SCOPE_OTHER, .remedy = remedy };
	struct decision d;
	struct err e = { 0 };

	if (ask->nargs < 2 || !read_words(ask, &w))
		admin_answer(ask->answer, false,
			     "write: decisions add VALUE, then a scope (Range), a remedy (deny) and a time (4h) where they differ");
	else if (!held_add(ask->admin, &caller_ctl, &w, &d, &e))
		admin_answer(ask->answer, false, e.text);
	else
		admin_answer(ask->answer, true, remedy == REMEDY_ALLOW ? "nothing is held against it from now on" : "it is held");
}

/* By its id, or all that is held against a value of any scope. */
static void delete(const struct ctl_ask *ask)
{
	char line[64];
	struct text t = text_over(line, sizeof line - 1);
	struct bytes what = ask->args[1];
	size_t n = 0;
	uint64_t id;

	if (ask->nargs == 2 && bytes_u64(what, &id))
		n = held_lift_id(ask->admin, &caller_ctl, id);
	if (ask->nargs == 2 && !n)
		n = held_lift(ask->admin, &caller_ctl, what);
	text_printf(&t, n == 1 ? "one is lifted" : n ? "%zu are lifted" : "there is none", n);
	line[t.len] = '\0';
	admin_answer(ask->answer, n > 0, line);
}

static void export(const struct ctl_ask *ask)
{
	enum list_form form = ask->nargs > 1 ? list_form_named(ask->args[1]) : LIST_AS_PLAIN;
	struct bytes out;
	struct err err = { 0 };

	if (form == LIST_FORMS) {
		admin_answer(ask->answer, false, "write: decisions export plain, csv, json, nft, ipset, haproxy or nginx");
	} else if (!held_export(ask->admin->hooks.decisions, form, &out, &err)) {
		admin_answer(ask->answer, false, err.text);
	} else {
		ctl_reply(ask->answer, CTL_OK, out);
		free((char *)(uintptr_t)out.at);
	}
}

void ctl_decisions(const struct ctl_ask *ask)
{
	struct bytes verb = ask->nargs ? ask->args[0] : BYTES("list");

	if (!ask->admin->hooks.decisions)
		admin_answer(ask->answer, false, "this gate holds no decisions");
	else if (bytes_eq(verb, BYTES("list")) && ask->nargs <= 1)
		list(ask, false);
	else if (bytes_eq(verb, BYTES("add")))
		add(ask, REMEDY_DENY);
	else if (bytes_eq(verb, BYTES("delete")))
		delete(ask);
	else if (bytes_eq(verb, BYTES("export")))
		export(ask);
	else
		admin_answer(ask->answer, false, "write: decisions list, add VALUE, delete VALUE, import FILE, or export FORMAT");
}

void ctl_allow(const struct ctl_ask *ask)
{
	struct bytes verb = ask->nargs ? ask->args[0] : BYTES("list");
	bool done;

	if (bytes_eq(verb, BYTES("list")) && ask->nargs <= 1) {
		list(ask, true);
	} else if (bytes_eq(verb, BYTES("add")) && ask->nargs >= 2) {
		add(ask, REMEDY_ALLOW);
	} else if (bytes_eq(verb, BYTES("delete")) && ask->nargs == 2) {
		done = held_disallow(ask->admin, &caller_ctl, ask->args[1]) > 0;
		admin_answer(ask->answer, done, done ? "it is allowed no more" : "there is none");
	} else {
		admin_answer(ask->answer, false, "write: allow list, allow add VALUE [4h], or allow delete VALUE");
	}
}
