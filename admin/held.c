/* held.c -- decisions by hand. */
#include "admin/held.h"
#include "admin/audit.h"
#include "base/clock.h"

enum { HOURS_4_S = 4 * 3600, TEN_YEARS_S = 3650 * 86400 };

static void note(struct admin *a, const struct caller *by, const char *action, const struct decision *d)
{
	char room[512];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "%s %s until ", scope_word(d->scope), remedy_word(d->remedy));
	clock_rfc3339(&t, d->until_ms);
	text_str(&t, ": ");
	text_plain(&t, d->reason);
	audit_note(a, by, action, d->value, text_bytes(&t));
}

/* ---- adding ---- */

static const char *const outcomes[] = {
	[DECISION_HELD] = "it is held", [DECISION_SPARED] = "refused: it covers loopback or a trusted proxy",
	[DECISION_GUARDED] = "refused: it would cover too many of the clients",
	[DECISION_FULL] = "failed: the table is full", [DECISION_WRONG] = "failed: the value is none of that scope",
};

static enum decisions_added add(struct admin *a, const struct held_wish *w, struct decision *d)
{
	uint64_t now_ms = clock_wall_ms(), life_s = w->remedy == REMEDY_ALLOW ? TEN_YEARS_S : HOURS_4_S;
	struct ip ip;

	*d = (struct decision){ .scope = w->scope, .value = w->value, .remedy = w->remedy, .made_ms = now_ms,
				.reason = w->reason.len ? w->reason : BYTES("by hand"),
				.origin = w->origin.len ? w->origin : BYTES("manual") };
	if (d->scope == SCOPE_OTHER)
		d->scope = ip_parse(d->value, &ip) ? SCOPE_IP : SCOPE_RANGE;
	d->until_ms = now_ms + (w->life_us ? w->life_us / 1000 : life_s * 1000);
	return decisions_add(a->hooks.decisions, d);
}

bool held_add(struct admin *a, const struct caller *by, const struct held_wish *w, struct decision *d, struct err *err)
{
	enum decisions_added r = add(a, w, d);

	if (r != DECISION_HELD)
		return err_set(err, r == DECISION_FULL ? SIDE_SELF : SIDE_CLIENT, 0, "%s", outcomes[r]);
	note(a, by, w->remedy == REMEDY_ALLOW ? "allow.add" : "decision.add", d);
	return true;
}

/* ---- lifting ---- */

bool held_lift_id(struct admin *a, const struct caller *by, uint64_t id)
{
	char room[24];
	struct text t = text_over(room, sizeof room);

	if (!decisions_lift_id(a->hooks.decisions, id))
		return false;
	text_u64(&t, id);
	audit_note(a, by, "decision.lift", text_bytes(&t), (struct bytes){ 0 });
	return true;
}

static size_t lift_all(struct admin *a, const struct caller *by, struct bytes value, const char *action,
		       size_t (*lift)(struct decisions *, enum scope, struct bytes))
{
	size_t n = 0;

	for (int scope = 0; scope < SCOPE_OTHER; scope++)
		n += lift(a->hooks.decisions, (enum scope)scope, value);
	if (n)
		audit_note(a, by, action, value, (struct bytes){ 0 });
	return n;
}

size_t held_lift(struct admin *a, const struct caller *by, struct bytes value)
{
	return lift_all(a, by, value, "decision.lift", decisions_lift);
}

size_t held_disallow(struct admin *a, const struct caller *by, struct bytes value)
{
	return lift_all(a, by, value, "allow.delete", decisions_lift_allowing);
}

/* ---- lists ---- */

struct importing { struct held_import *i; uint64_t now_ms; };

static void tell(struct held_import *i, unsigned long line, const char *why)
{
	char room[320];
	struct text t = text_over(room, sizeof room);

	if (i->refused++ >= HELD_TROUBLES)
		return;
	if (line)
		text_printf(&t, "line %lu: ", line);
	text_str(&t, why);
	i->trouble(i->ctx, text_bytes(&t));
}

static void tell_skipped(void *ctx, unsigned long line)
{
	tell(((struct importing *)ctx)->i, line, "holds no address, block or other value");
}

static bool take(void *ctx, const struct list_record *r, struct err *err)
{
	struct importing *g = ctx;
	struct decision d;
	struct err why = { 0 };
	enum decisions_added result;

	(void)err;
	if (!list_record_decision(r, g->now_ms, &d, &why)) {
		tell(g->i, 0, why.text); /* with its line */
		return true;
	}
	d.origin = BYTES("manual");
	result = decisions_add(g->i->decisions, &d);
	if (result == DECISION_HELD)
		g->i->added++;
	else
		tell(g->i, r->line, outcomes[result]);
	return true;
}

bool held_import(struct held_import *i, struct bytes list, struct err *err)
{
	struct importing g = { i, clock_wall_ms() };
	struct list_read_options o = { .format = i->format, .max_bytes = list.len, .decisions = true, .skipped = tell_skipped };
	struct list_reader *reader = list_reader_new(&o, take, &g);
	bool ok = reader ? list_reader_put(reader, list, err) && list_reader_end(reader, err) : err_set(err, SIDE_SELF, 0, "out of memory");

	list_reader_free(reader);
	return ok;
}

struct exporting {
	struct decisions *decisions;
	uint64_t now_ms;
};

static void each_held(void *from, bool (*each)(void *ctx, const struct decision *), void *ctx)
{
	const struct exporting *e = from;

	decisions_each(e->decisions, e->now_ms, each, ctx);
}

bool held_export(struct decisions *d, enum list_form form, struct bytes *out, struct err *err)
{
	struct exporting e = { d, clock_wall_ms() };

	return list_write(form, &(struct list_source){ each_held, &e }, e.now_ms, out, err);
}
