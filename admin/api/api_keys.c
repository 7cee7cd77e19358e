/* api_keys.c -- who may speak to CrowdSec's local API: bouncers by a key, machines by a password. Each is shown once. */
#include "admin/api/api_tables.h"
#include "admin/api/reputation_shapes.h"
#include "admin/audit.h"
#include "base/tls.h"
#include <stdlib.h>

static const char *const may_words[] = { "decisions", "appsec", "trusted", NULL };
static const struct api_field key_fields[] = {
	{ "name", API_TEXT, .help = "unique among its kind" },
	{ "may", API_TEXT, .list = true, .words = may_words, .help = "of a bouncer; trusted: it may name a client's address" },
	{ "validated", API_FLAG, .help = "it may log in; of a bouncer always" },
	{ "made", API_TIME, .optional = true, .help = "when" },
	{ "seen", API_TIME, .optional = true, .help = "when it last asked; null: never" },
	{ "address", API_TEXT, .optional = true, .help = "whence" },
	{ "kind", API_TEXT, .optional = true, .help = "as its User-Agent says" },
	{ "version", API_TEXT, .optional = true, .help = "likewise" },
};
const struct api_shape key_shape = API_SHAPE("LapiKey", key_fields);

static const char *said(const char *text)
{
	return text[0] ? text : NULL;
}

void key_out(struct json_out *o, const struct key_info *k)
{
	static const unsigned bits[] = { KEY_BOUNCER, KEY_APPSEC, KEY_TRUSTED };

	out_object(o, NULL);
	out_str(o, "name", k->name);
	out_list(o, "may");
	for (size_t i = 0; i < nelems(bits); i++)
		if (k->scopes & bits[i])
			out_str(o, NULL, may_words[i]);
	out_end(o);
	out_flag(o, "validated", k->scopes || k->validated);
	out_time(o, "made", k->made_ms);
	out_time(o, "seen", k->seen_ms);
	out_str(o, "address", said(k->address));
	out_str(o, "kind", said(k->kind));
	out_str(o, "version", said(k->version));
	out_end(o);
}

void keys_out(struct json_out *o, const char *key, struct keys *keys, bool machines)
{
	size_t n = keys_list(keys, machines, NULL, 0);
	struct key_info *all = calloc(n + 1, sizeof *all);

	o->failed = o->failed || !all;
	n = all ? keys_list(keys, machines, all, n) : 0;
	out_list(o, key);
	for (size_t i = 0; i < n; i++)
		key_out(o, &all[i]);
	out_end(o);
	free(all);
}

/* NULL: it was answered. */
static struct keys *keys_of(struct api_call *c)
{
	if (!c->admin->hooks.keys)
		api_problem(c, 409, "this gate serves no local API");
	return c->admin->hooks.keys;
}

/* ---- listing ---- */

static const struct api_field list_fields[] = { { "items", API_OBJECT, .list = true, .of = &key_shape, .help = "by name" } };
static const struct api_shape keys_shape = API_SHAPE("LapiKeys", list_fields);

static void list(struct api_call *c, bool machines)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	if (!keys_of(c))
		return;
	out_object(&o, NULL);
	keys_out(&o, "items", c->admin->hooks.keys, machines);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void get_bouncers(struct api_call *c)
{
	list(c, false);
}

static void get_machines(struct api_call *c)
{
	list(c, true);
}

/* ---- adding ---- */

static const struct api_field bouncer_fields[] = {
	{ "name", API_TEXT, .max = KEY_NAME_MAX, .help = "letters, digits and . _ @ : -" },
	{ "appsec", API_FLAG, .optional = true, .help = "it may ask verdicts too" },
	{ "trusted", API_FLAG, .optional = true, .help = "for an address that it names" },
	{ "key", API_TEXT, .optional = true, .max = 128, .help = "one that another gate has made; without it one is made" },
};
static const struct api_shape bouncer_shape = API_SHAPE("BouncerWish", bouncer_fields);
static const struct api_field machine_fields[] = {
	{ "name", API_TEXT, .max = KEY_NAME_MAX, .help = "letters, digits and . _ @ : -" },
	{ "password", API_TEXT, .optional = true, .max = 128, .help = "without it one is made" },
};
static const struct api_shape machine_shape = API_SHAPE("MachineWish", machine_fields);
static const struct api_field made_fields[] = {
	{ "name", API_TEXT, .help = "as it was asked for" },
	{ "key", API_TEXT, .optional = true, .help = "of a bouncer, shown only now" },
	{ "password", API_TEXT, .optional = true, .help = "of a machine, where it was made, shown only now" },
};
static const struct api_shape made_shape = API_SHAPE("LapiSecret", made_fields);

static void made(struct api_call *c, const char *action, struct bytes name, const char *member, const char *secret)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	audit_note(c->admin, &c->caller, action, name, (struct bytes){ 0 });
	out_object(&o, NULL);
	out_text(&o, "name", name);
	out_str(&o, member, secret);
	out_end(&o);
	api_answer(c, 200, &o);
}

/* A name that exists is forbidden in CrowdSec's words, which the keys speak. */
static void refused(struct api_call *c, struct err *e)
{
	if (e->side == SIDE_CLIENT && e->code == 403)
		e->code = 409;
	api_failed(c, e);
}

static void post_bouncer(struct api_call *c)
{
	struct bytes name = { 0 }, wanted = { 0 };
	bool appsec = false, trusted = false;
	unsigned scopes = KEY_BOUNCER;
	char secret[65];
	struct err e = { 0 };

	json_text(c->body, "name", &name);
	json_text(c->body, "key", &wanted);
	json_flag(c->body, "appsec", &appsec);
	json_flag(c->body, "trusted", &trusted);
	scopes |= (appsec || trusted ? KEY_APPSEC : 0) | (trusted ? KEY_TRUSTED : 0);
	if (!keys_of(c))
		return;
	if (keys_add_bouncer(c->admin->hooks.keys, name, scopes, wanted, secret, &e))
		made(c, "bouncer.add", name, "key", secret);
	else
		refused(c, &e);
}

static void post_machine(struct api_call *c)
{
	struct bytes name = { 0 }, password = { 0 };
	char secret[65] = "";
	struct err e = { 0 };

	json_text(c->body, "name", &name);
	if (!keys_of(c))
		return;
	if (!json_text(c->body, "password", &password) && tls_make_secret(secret))
		password = bytes_of(secret);
	if (keys_add_machine(c->admin->hooks.keys, name, password, true, &e))
		made(c, "machine.add", name, "password", secret[0] ? secret : NULL);
	else
		refused(c, &e);
}

/* ---- and the rest ---- */

static void done(struct api_call *c, bool is, const char *action)
{
	if (!is) {
		api_problem(c, 404, "there is none of that name");
		return;
	}
	audit_note(c->admin, &c->caller, action, c->params[0], (struct bytes){ 0 });
	api_done(c);
}

static void delete_bouncer(struct api_call *c)
{
	if (keys_of(c))
		done(c, keys_delete(c->admin->hooks.keys, false, c->params[0]), "bouncer.delete");
}

static void delete_machine(struct api_call *c)
{
	if (keys_of(c))
		done(c, keys_delete(c->admin->hooks.keys, true, c->params[0]), "machine.delete");
}

static void post_validate(struct api_call *c)
{
	if (keys_of(c))
		done(c, keys_validate(c->admin->hooks.keys, c->params[0]), "machine.validate");
}

static const struct api_route routes[] = {
	{ "GET", "/bouncers", ROLE_ADMINISTRATOR, "local API", "who may read decisions by a key", NULL, NULL, &keys_shape, get_bouncers },
	{ "POST", "/bouncers", ROLE_ADMINISTRATOR, "local API", "make a key", NULL, &bouncer_shape, &made_shape, post_bouncer },
	{ "DELETE", "/bouncers/{name}", ROLE_ADMINISTRATOR, "local API", "its key is worth nothing any more", NULL, NULL, NULL, delete_bouncer },
	{ "GET", "/machines", ROLE_ADMINISTRATOR, "local API", "which agents may log in", NULL, NULL, &keys_shape, get_machines },
	{ "POST", "/machines", ROLE_ADMINISTRATOR, "local API", "let one log in", NULL, &machine_shape, &made_shape, post_machine },
	{ "POST", "/machines/{name}/validate", ROLE_ADMINISTRATOR, "local API", "one that has registered may log in", NULL, NULL, NULL, post_validate },
	{ "DELETE", "/machines/{name}", ROLE_ADMINISTRATOR, "local API", "it may log in no more", NULL, NULL, NULL, delete_machine },
};
const struct api_routes api_keys_routes = API_ROUTES(routes);
