/* lapi_watchers.c -- machines log in, and say that they live. */
#include "base/clock.h"
#include "base/json.h"
#include "cti/lapi_parts.h"

enum { LOGIN_BYTES_MAX = 256 << 10, LOGIN_DEPTH_MAX = 4 }; /* an agent names its scenarios, some hundreds */

static void answer_token(struct call *c, struct bytes machine)
{
	char room[1024], date[40];
	struct text t = text_over(room, sizeof room), when = text_over(date, sizeof date);
	uint64_t until = (clock_wall_ms() + LAPI_TOKEN_MS) / 1000 * 1000;

	clock_rfc3339(&when, until);
	text_printf(&t, "{\"code\":200,\"expire\":\"%.*s\",\"token\":\"", BYTES_ARG(text_bytes(&when)));
	if (!lapi_token(c->lapi->options.key, machine, until, &t)) {
		lapi_message(c, 500, "no token could be made");
		return;
	}
	text_str(&t, "\"}");
	lapi_answer(c, 200, text_bytes(&t));
}

static void logged_in(void *owner, const struct key_info *machine, const char *why)
{
	struct call *c = owner;

	if (machine) {
		const struct request *head = serve_head(c->request);

		keys_seen(c->lapi->options.keys, machine, fields_value(&head->fields, FIELD_USER_AGENT), serve_peer(c->request));
		answer_token(c, bytes_of(machine->name));
		return;
	}
	lapi_message(c, 401, why ? why : "incorrect Username or Password");
}

/* Copied to the arena. */
static bool credentials(struct call *c, struct bytes *name, struct bytes *password)
{
	struct json_limits limits = { LOGIN_BYTES_MAX, LOGIN_DEPTH_MAX };
	struct arena *arena = serve_arena(c->request);
	struct err e = { 0 };
	struct json *doc = json_read(serve_body(c->request), &limits, &e);
	bool good = doc && json_text(doc, "machine_id", name) && json_text(doc, "password", password) && name->len && password->len;

	if (good) {
		*name = arena_copy(arena, *name);
		*password = arena_copy(arena, *password);
		good = name->at && password->at;
	}
	json_free(doc);
	return good;
}

void lapi_login(struct call *c)
{
	struct bytes name, password;

	if (credentials(c, &name, &password))
		keys_login(c->lapi->options.keys, c->lapi->loop, name, password, serve_peer(c->request), logged_in, c);
	else
		lapi_message(c, 401, "input format error");
}

void lapi_refresh(struct call *c)
{
	answer_token(c, c->machine);
}

void lapi_register(struct call *c)
{
	struct bytes name, password;
	struct err e = { 0 };

	if (!c->lapi->options.registration)
		lapi_message(c, 403, "registration is off: embergate ctl machines add");
	else if (!credentials(c, &name, &password))
		lapi_message(c, 422, "validation failure list:\nmachine_id and password in body are required");
	else if (!keys_add_machine(c->lapi->options.keys, name, password, false, &e))
		lapi_message(c, 403, e.text);
	else
		lapi_answer(c, 201, (struct bytes){ NULL, 0 });
}

void lapi_leave(struct call *c)
{
	keys_delete(c->lapi->options.keys, true, c->machine);
	lapi_answer(c, 204, (struct bytes){ NULL, 0 });
}

void lapi_heartbeat(struct call *c)
{
	lapi_answer(c, 200, (struct bytes){ NULL, 0 });
}

/* Read for its form only: what bouncers dropped is theirs to know. */
void lapi_metrics(struct call *c)
{
	struct json_limits limits = { 1 << 20, LAPI_DEPTH_MAX };
	struct err e = { 0 };
	struct json *doc = json_read(serve_body(c->request), &limits, &e);

	if (!doc) {
		lapi_message(c, 400, e.text);
		return;
	}
	json_free(doc);
	c->lapi->counts.metrics++;
	lapi_answer(c, 201, (struct bytes){ NULL, 0 });
}
