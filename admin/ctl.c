/* ctl.c -- the gate's end of the line. */
#include "admin/audit.h"
#include "admin/ctl.h"
#include "base/schema_type.h"
#include <stdlib.h>

static const char *const outcomes[] = { [CTL_OK] = "ok", [CTL_FAILED] = "failed", [CTL_USAGE] = "usage" };

void ctl_reply(struct admin_answer *answer, enum ctl_outcome outcome, struct bytes text)
{
	struct admin *a = answer->admin;
	struct guest *g = answer->guest;
	char head[32];
	struct text t = text_over(head, sizeof head);
	size_t more = !text.len || text.at[text.len - 1] != '\n';
	struct bytes out[3] = { { 0 }, text, { "\n", more } };

	free(answer);
	a->nanswers--;
	if (!g) {
		admin_left(a);
		return;
	}
	text_printf(&t, "%s %zu\n", outcomes[outcome], text.len + more);
	out[0] = text_bytes(&t);
	guest_write(g, out, 2 + more);
	guest_answered(g);
}

void admin_answer(struct admin_answer *answer, bool ok, const char *message)
{
	char buf[2048];
	struct text t = text_over(buf, sizeof buf);

	if (answer->json) {
		text_str(&t, ok ? "{\"ok\":true,\"message\":" : "{\"ok\":false,\"message\":");
		text_json(&t, bytes_of(message));
		text_str(&t, "}\n");
	} else {
		text_str(&t, message);
		text_byte(&t, '\n');
	}
	ctl_reply(answer, ok ? CTL_OK : CTL_FAILED, text_bytes(&t));
}

void ctl_note(const struct ctl_ask *ask, const char *action, struct bytes subject, struct bytes detail)
{
	audit_note(ask->admin, &caller_ctl, action, subject, detail);
}

const struct ctl_verb *ctl_verb_named(struct bytes name)
{
	for (size_t i = 0; i < ctl_nverbs; i++)
		if (bytes_eq(name, bytes_of(ctl_verbs[i].name)))
			return &ctl_verbs[i];
	return NULL;
}

void ctl_unknown(struct text *t, struct bytes word)
{
	const char *names[64], *near;
	size_t n = ctl_nverbs < nelems(names) ? ctl_nverbs : nelems(names);

	for (size_t i = 0; i < n; i++)
		names[i] = ctl_verbs[i].name;
	near = schema_nearest(word, names, n);
	text_str(t, "unknown verb '");
	text_plain(t, bytes_sub(word, 0, 64));
	text_byte(t, '\'');
	if (near)
		text_printf(t, ", did you mean '%s'?", near);
	text_byte(t, '\n');
}

static void usage(struct admin_answer *answer, const struct ctl_verb *v)
{
	char buf[256];
	struct text t = text_over(buf, sizeof buf);

	text_printf(&t, "usage: embergate ctl %s %s\n", v->name, v->usage);
	ctl_reply(answer, CTL_USAGE, text_bytes(&t));
}

static void not_here(struct admin_answer *answer, const struct ctl_verb *v)
{
	char buf[256];
	struct text t = text_over(buf, sizeof buf);

	text_printf(&t, "%s is not asked of the gate: `embergate ctl` does it itself\n", v->name);
	ctl_reply(answer, CTL_FAILED, text_bytes(&t));
}

/* `rest` is what follows the verb. */
static void run(struct ctl_ask *ask, const struct ctl_verb *v, struct bytes rest)
{
	unsigned n = 0;
	struct bytes word;

	if (!v->run) {
		not_here(ask->answer, v);
		return;
	}
	while (rest.len && bytes_cut(&rest, ' ', &word))
		if (n++ < CTL_ARGS_MAX)
			ask->args[n - 1] = word;
	ask->nargs = n;
	if (n < v->nargs || n > v->nargs + v->more)
		usage(ask->answer, v);
	else
		v->run(ask);
}

static void obey(struct guest *g, struct bytes line)
{
	struct ctl_ask ask = { .admin = g->admin, .answer = g->answer };
	struct bytes hello = { 0 }, format = { 0 }, name = { 0 };
	const struct ctl_verb *v;
	char buf[256];
	struct text t = text_over(buf, sizeof buf);

	bytes_cut(&line, ' ', &hello);
	bytes_cut(&line, ' ', &format);
	bytes_cut(&line, ' ', &name);
	ask.answer->json = bytes_eq(format, BYTES("json"));
	if (!bytes_eq(hello, BYTES(CTL_HELLO)) || (!ask.answer->json && !bytes_eq(format, BYTES("table")))) {
		ctl_reply(ask.answer, CTL_USAGE, BYTES("this gate speaks " CTL_HELLO "\n"));
		return;
	}
	v = ctl_verb_named(name);
	if (v) {
		run(&ask, v, line);
		return;
	}
	ctl_unknown(&t, name);
	ctl_reply(ask.answer, CTL_USAGE, text_bytes(&t));
}

static bool is_clean(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.at[i] < 0x20 || line.at[i] == 0x7f)
			return false;
	return line.len < CTL_LINE_MAX;
}

static size_t ctl_read(struct guest *g)
{
	struct bytes in = { g->buf, g->len };
	size_t end = bytes_index(in, '\n');

	if (end == SIZE_MAX && g->len < CTL_LINE_MAX)
		return 0;
	in = bytes_sub(in, 0, end);
	g->answer = is_clean(in) ? calloc(1, sizeof *g->answer) : NULL;
	if (!g->answer) {
		guest_close(g);
		return g->len;
	}
	*g->answer = (struct admin_answer){ .admin = g->admin, .guest = g };
	g->admin->nanswers++;
	obey(g, in);
	return end + 1;
}

const struct guest_kind ctl_kind = { ctl_read, 10000, 10000 };
