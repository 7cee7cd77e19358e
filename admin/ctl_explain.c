/* ctl_explain.c -- `embergate ctl explain ID`: why a request was decided as it was.
 *
 * The ring of recent alerts is asked first, then the archive, whose details have the same words in them. */
#include "admin/archive.h"
#include "admin/ctl.h"
#include "admin/explain.h"
#include "base/json.h"
#include <stdlib.h>

enum { ID_MAX = 32 };

static void write_explain(void *arg, struct text *t)
{
	explain_text(t, arg);
}

static void write_record(void *arg, struct text *t)
{
	static const struct event_style ecs = { .format = EVENT_ECS };

	record_text(t, arg, &ecs);
	text_byte(t, '\n');
}

struct explaining {
	struct admin *admin;
	struct admin_answer *answer;
	char id[ID_MAX];          /* the asker may go */
	struct err why;           /* that the ring did not know it */
};

static void fail(struct explaining *x, const char *why)
{
	admin_answer(x->answer, false, why);
	free(x);
}

static void write_bytes(void *arg, struct text *t)
{
	text_put(t, *(const struct bytes *)arg);
	if (t->len && t->at[t->len - 1] != '\n')
		text_byte(t, '\n');
}

static void on_found(void *owner, struct bytes detail)
{
	const struct json_limits limits = { 2 << 20, 16 };
	struct explaining *x = owner;
	struct err e;
	struct json *json = detail.len && !x->answer->json ? json_read(detail, &limits, &e) : NULL;
	struct bytes text = detail;

	if (!detail.len) {
		fail(x, x->why.text);
		return;
	}
	if (json)
		json_text(json, "explain", &text);
	ctl_reply_text(x->answer, write_bytes, &text);
	json_free(json);
	free(x);
}

/* A row begins with its id (event_json.c). */
static struct bytes id_of(const struct archive_row *row)
{
	struct bytes b = bytes_from(row->json, sizeof "{\"id\":\"" - 1);

	return bytes_sub(b, 0, bytes_index(b, '"'));
}

static void on_listed(void *owner, const struct archive_page *p)
{
	struct explaining *x = owner;

	if (p->failed || p->n == 0)
		fail(x, x->why.text);
	else if (p->n > 1)
		fail(x, "several alerts begin so: give more of the id");
	else if (!archive_find(x->admin->archive, id_of(&p->rows[0]), x->admin->loop, on_found, x))
		fail(x, x->why.text);
}

static void ask_archive(const struct ctl_ask *ask, const struct err *why)
{
	struct explaining *x = ask->admin->archive && ask->args[0].len ? calloc(1, sizeof *x) : NULL;
	struct archive_ask which = { .limit = 2 };

	if (!x) {
		admin_answer(ask->answer, false, why->text);
		return;
	}
	x->admin = ask->admin;
	x->answer = ask->answer;
	x->why = *why;
	memcpy(x->id, ask->args[0].at, ask->args[0].len < ID_MAX ? ask->args[0].len : ID_MAX);
	which.id = (struct bytes){ x->id, ask->args[0].len < ID_MAX ? ask->args[0].len : ID_MAX };
	if (!archive_list(ask->admin->archive, &which, ask->admin->loop, on_listed, x))
		fail(x, why->text);
}

void ctl_explain(const struct ctl_ask *ask)
{
	struct err e = { 0 };
	struct record *r = events_find(ask->admin->events, ask->args[0], &e);

	if (!r) {
		ask_archive(ask, &e);
		return;
	}
	ctl_reply_text(ask->answer, ask->answer->json ? write_record : write_explain, r);
	free(r);
}
