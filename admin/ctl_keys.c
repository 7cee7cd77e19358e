/* ctl_keys.c -- `embergate ctl bouncers` and `ctl machines`: who may speak to the local API. A key is shown once, here. */
#include "admin/ctl.h"
#include "admin/api/reputation_shapes.h"
#include "base/clock.h"
#include "base/tls.h"
#include <stdlib.h>

/* ---- listing ---- */

struct listing {
	const struct ctl_ask *ask;
	bool machines;
};

static void put_scopes(struct text *t, unsigned scopes)
{
	text_str(t, scopes & KEY_BOUNCER ? "decisions" : "");
	text_str(t, scopes & KEY_APPSEC ? scopes & KEY_BOUNCER ? " appsec" : "appsec" : "");
	text_str(t, scopes & KEY_TRUSTED ? " trusted" : "");
}

static void put_seen(struct text *t, uint64_t seen_ms)
{
	if (seen_ms)
		clock_rfc3339(t, seen_ms);
	else
		text_str(t, "never");
}

/* What it may, or for a machine whether it may. */
static void put_state(struct text *t, const struct key_info *k, bool machine)
{
	if (machine)
		text_str(t, k->validated ? "validated" : "waits");
	else
		put_scopes(t, k->scopes);
}

static void list_row(struct text *t, const struct key_info *k, bool machine)
{
	char room[64];
	struct text word = text_over(room, sizeof room - 1);

	put_state(&word, k, machine);
	room[word.len] = '\0';
	text_printf(t, "%-32s %-24s ", k->name, room);
	word.len = 0;
	put_seen(&word, k->seen_ms);
	room[word.len] = '\0';
	text_printf(t, "%-24s %-40s %s %s\n", room, k->address, k->kind, k->version);
}

static void write_list(void *ctx, struct text *t)
{
	const struct listing *l = ctx;
	struct keys *keys = l->ask->admin->hooks.keys;
	size_t n = keys_list(keys, l->machines, NULL, 0);
	struct key_info *all = calloc(n + 1, sizeof *all);

	n = all ? keys_list(keys, l->machines, all, n) : 0;
	if (n)
		text_printf(t, "%-32s %-24s %-24s %-40s %s\n", "NAME", l->machines ? "STATE" : "MAY", "SEEN", "ADDRESS", "AS");
	for (size_t i = 0; i < n; i++)
		list_row(t, &all[i], l->machines);
	text_str(t, n ? "" : "there is none\n");
	free(all);
}

static void list(const struct ctl_ask *ask, bool machines)
{
	struct listing l = { ask, machines };
	struct json_out o = json_out(CTL_JSON_MAX);

	if (!ask->answer->json) {
		ctl_reply_text(ask->answer, write_list, &l);
		return;
	}
	keys_out(&o, NULL, ask->admin->hooks.keys, machines);
	ctl_reply_json(ask->answer, &o);
}

/* ---- adding ---- */

/* The secret, once. */
static void show(const struct ctl_ask *ask, const char *what, const char *secret)
{
	char line[256];
	struct text t = text_over(line, sizeof line);
	struct json_out o = json_out(CTL_JSON_MAX);

	if (ask->answer->json) {
		out_object(&o, NULL);
		out_text(&o, "name", ask->args[1]);
		out_str(&o, what, secret);
		out_end(&o);
		ctl_reply_json(ask->answer, &o);
		return;
	}
	text_printf(&t, "%s of ", what);
	text_plain(&t, ask->args[1]);
	text_printf(&t, ", shown only now: %s\n", secret);
	ctl_reply(ask->answer, CTL_OK, text_bytes(&t));
}

static bool read_scopes(const struct ctl_ask *ask, unsigned *scopes, struct bytes *wanted)
{
	*scopes = KEY_BOUNCER;
	for (unsigned i = 2; i < ask->nargs; i++)
		if (bytes_eq(ask->args[i], BYTES("appsec")))
			*scopes |= KEY_APPSEC;
		else if (bytes_eq(ask->args[i], BYTES("trusted")))
			*scopes |= KEY_APPSEC | KEY_TRUSTED;
		else if (bytes_starts(ask->args[i], BYTES("key:")))
			*wanted = bytes_from(ask->args[i], 4);
		else
			return false;
	return ask->nargs >= 2;
}

static void note(const struct ctl_ask *ask, const char *action)
{
	ctl_note(ask, action, ask->args[1], (struct bytes){ 0 });
}

static void add_bouncer(const struct ctl_ask *ask)
{
	char secret[65];
	struct bytes wanted = { 0 };
	unsigned scopes;
	struct err e;

	if (!read_scopes(ask, &scopes, &wanted)) {
		admin_answer(ask->answer, false, "write: bouncers add NAME, then appsec, trusted where it may name a client's address, and key:KEY for one that another gate has");
	} else if (!keys_add_bouncer(ask->admin->hooks.keys, ask->args[1], scopes, wanted, secret, &e)) {
		admin_answer(ask->answer, false, e.text);
	} else {
		note(ask, "bouncer.add");
		show(ask, "key", secret);
	}
}

static void add_machine(const struct ctl_ask *ask)
{
	char secret[65];
	struct bytes password = ask->nargs == 3 ? ask->args[2] : bytes_of(tls_make_secret(secret) ? secret : "");
	struct err e;

	if (ask->nargs < 2 || ask->nargs > 3) {
		admin_answer(ask->answer, false, "write: machines add NAME, then a password if it is not to be made");
		return;
	}
	if (!keys_add_machine(ask->admin->hooks.keys, ask->args[1], password, true, &e)) {
		admin_answer(ask->answer, false, e.text);
		return;
	}
	note(ask, "machine.add");
	if (ask->nargs == 3)
		admin_answer(ask->answer, true, "it may log in");
	else
		show(ask, "password", secret);
}

/* ---- the verbs ---- */

static void delete(const struct ctl_ask *ask, bool machine)
{
	bool done = ask->nargs == 2 && keys_delete(ask->admin->hooks.keys, machine, ask->args[1]);

	if (done)
		note(ask, machine ? "machine.delete" : "bouncer.delete");
	admin_answer(ask->answer, done, done ? "it is deleted" : "there is none of that name");
}

static void validate(const struct ctl_ask *ask)
{
	bool done = ask->nargs == 2 && keys_validate(ask->admin->hooks.keys, ask->args[1]);

	if (done)
		note(ask, "machine.validate");
	admin_answer(ask->answer, done, done ? "it may log in" : "there is none of that name");
}

static bool is_verb(const struct ctl_ask *ask, const char *verb)
{
	return bytes_eq(ask->nargs ? ask->args[0] : BYTES("list"), bytes_of(verb));
}

void ctl_bouncers(const struct ctl_ask *ask)
{
	if (!ask->admin->hooks.keys)
		admin_answer(ask->answer, false, "this gate serves no local API");
	else if (is_verb(ask, "list") && ask->nargs <= 1)
		list(ask, false);
	else if (is_verb(ask, "add"))
		add_bouncer(ask);
	else if (is_verb(ask, "delete"))
		delete(ask, false);
	else
		admin_answer(ask->answer, false, "write: bouncers list, bouncers add NAME, or bouncers delete NAME");
}

void ctl_machines(const struct ctl_ask *ask)
{
	if (!ask->admin->hooks.keys)
		admin_answer(ask->answer, false, "this gate serves no local API");
	else if (is_verb(ask, "list") && ask->nargs <= 1)
		list(ask, true);
	else if (is_verb(ask, "add"))
		add_machine(ask);
	else if (is_verb(ask, "validate"))
		validate(ask);
	else if (is_verb(ask, "delete"))
		delete(ask, true);
	else
		admin_answer(ask->answer, false, "write: machines list, machines add NAME, machines validate NAME, or machines delete NAME");
}
