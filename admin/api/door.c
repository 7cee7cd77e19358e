/* door.c -- who asks, and did they mean it. */
#include "admin/api/door.h"
#include "admin/sessions.h"
#include "admin/tokens.h"
#include "admin/users.h"
#include "base/tls.h"

/* ---- words ---- */

static const char *const words[] = { "none", "viewer", "operator", "administrator" };
_Static_assert(nelems(words) == ROLE_COUNT, "a word for each");

const char *role_word(enum role r)
{
	return words[r];
}

bool role_from_word(struct bytes b, enum role *role)
{
	for (size_t i = ROLE_VIEWER; i < nelems(words); i++)
		if (bytes_eq(b, bytes_of(words[i]))) {
			*role = (enum role)i;
			return true;
		}
	return false;
}

const char *caller_way_word(enum caller_way w)
{
	static const char *const ways[] = {
		[CALLER_NOBODY] = "none", [CALLER_SOCKET] = "socket", [CALLER_SESSION] = "session", [CALLER_TOKEN] = "token",
		[CALLER_GATE] = "gate",
	};

	return ways[w];
}

const struct caller caller_ctl = { .role = ROLE_ADMINISTRATOR, .way = CALLER_SOCKET, .name = "ctl" };

/* ---- the cookie ---- */

/* With "__Host-" a browser takes it only over TLS and from this very host, so no neighbour can plant one; it would not be
 * taken at all without TLS. */
static const char *cookie_name(const struct admin *a)
{
	return a->by_address.tls ? "__Host-" ADMIN_COOKIE : ADMIN_COOKIE;
}

struct bytes door_cookie(const struct admin *a, const char *cookie, char room[DOOR_COOKIE])
{
	struct text t = text_over(room, DOOR_COOKIE);

	text_printf(&t, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", cookie_name(a), cookie ? cookie : "",
		    a->by_address.tls ? "; Secure" : "", cookie ? "" : "; Max-Age=0");
	return text_bytes(&t);
}

struct bytes door_cookie_of(const struct admin *a, const struct serve_request *r)
{
	const struct fields *fields = &serve_head(r)->fields;

	for (size_t i = 0; i < fields->n; i++) {
		struct bytes rest = fields->at[i].value, pair, name;

		while (fields->at[i].id == FIELD_COOKIE && bytes_cut(&rest, ';', &pair)) {
			pair = bytes_trim(pair);
			bytes_cut(&pair, '=', &name);
			if (bytes_eq(name, bytes_of(cookie_name(a))))
				return pair;
		}
	}
	return (struct bytes){ 0 };
}

/* ---- who asks ---- */

static void set_name(struct caller *c, const char *name)
{
	snprintf(c->name, sizeof c->name, "%s", name);
}

static void by_token(struct admin *a, struct bytes text, struct caller *c)
{
	const struct token_info *t = tokens_find(a->tokens, text);

	if (!t)
		return;
	c->role = t->role;
	c->way = CALLER_TOKEN;
	c->id = t->id;
	set_name(c, t->name);
}

static void by_session(struct admin *a, struct bytes cookie, struct caller *c)
{
	const struct session_info *s = sessions_find(a->sessions, cookie);
	const struct user_info *u = s ? users_find(a->users, bytes_of(s->user)) : NULL;

	if (!u)
		return;
	c->role = u->role;
	c->way = CALLER_SESSION;
	c->id = s->id;
	set_name(c, u->name);
}

void door_caller(struct admin *a, struct serve_request *r, bool by_socket, struct caller *c)
{
	struct bytes by = fields_value(&serve_head(r)->fields, FIELD_AUTHORIZATION), scheme;
	struct text t = text_over(c->address, sizeof c->address - 1);

	*c = (struct caller){ .role = ROLE_NONE };
	if (by_socket) {
		*c = (struct caller){ .role = ROLE_ADMINISTRATOR, .way = CALLER_SOCKET, .name = "socket" };
		return;
	}
	ip_text(&t, serve_peer(r));
	if (!a->store)
		return;
	if (!by.len)
		by_session(a, door_cookie_of(a, r), c);
	else if (bytes_cut(&by, ' ', &scheme) && bytes_eq_nocase(scheme, BYTES("Bearer")))
		by_token(a, bytes_trim(by), c);
}

bool door_holds(const struct admin *a, const struct caller *c)
{
	const struct session_info *s;

	switch (c->way) {
	case CALLER_SESSION: /* a user whose role changes loses them */
		s = sessions_by_id(a->sessions, c->id);
		return s && users_find(a->users, bytes_of(s->user));
	case CALLER_TOKEN: return tokens_by_id(a->tokens, c->id) != NULL;
	case CALLER_SOCKET: return true;
	case CALLER_GATE:
	case CALLER_NOBODY: break;
	}
	return false;
}

/* ---- did they mean it ---- */

static struct bytes field_of(const struct serve_request *r, struct bytes name)
{
	const struct field *f = fields_named(&serve_head(r)->fields, name);

	return f ? f->value : (struct bytes){ 0 };
}

bool door_knows_host(const struct admin *a, struct bytes hostname)
{
	for (char **name = a->hosts; *name; name++)
		if (bytes_eq_nocase(hostname, bytes_of(*name)))
			return true;
	return false;
}

/* "https://gate.example:9180": the one that was asked; or, behind a proxy that writes another Host, one of the configured
 * names. */
static bool is_own_origin(const struct admin *a, const struct serve_request *r, struct bytes origin)
{
	size_t at = bytes_find(origin, BYTES("://"));
	struct bytes host;

	if (at == SIZE_MAX)
		return false; /* "null" too */
	origin = bytes_from(origin, at + 3);
	if (bytes_eq_nocase(origin, serve_head(r)->host))
		return true;
	bytes_cut(&origin, ':', &host);
	for (size_t i = 0; i < a->nhosts; i++)
		if (bytes_eq_nocase(host, bytes_of(a->hosts[i])))
			return true;
	return false;
}

/* Browsers say where a request comes from, and a page cannot write these fields. */
static bool is_from_here(const struct admin *a, const struct serve_request *r)
{
	struct bytes origin = field_of(r, BYTES("Origin")), site = field_of(r, BYTES("Sec-Fetch-Site"));

	return (!origin.at || is_own_origin(a, r, origin)) &&
	       (!site.at || bytes_eq(site, BYTES("same-origin")) || bytes_eq(site, BYTES("none")));
}

bool door_is_meant(const struct admin *a, const struct serve_request *r, const struct caller *c, const char **why)
{
	struct bytes said = field_of(r, BYTES("X-Embergate-CSRF"));
	char csrf[SESSION_CSRF];

	if (c->way == CALLER_TOKEN || c->way == CALLER_SOCKET)
		return true; /* no browser sends these by itself */
	*why = "another site's page sent this";
	if (!is_from_here(a, r))
		return false;
	*why = "the field X-Embergate-CSRF is wanted: `csrf` of GET /session";
	return c->way != CALLER_SESSION ||
	       (said.len == SESSION_CSRF - 1 && session_csrf(door_cookie_of(a, r), csrf) && tls_same(said.at, csrf, said.len));
}
