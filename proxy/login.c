/* login.c -- where people log in, and how that went. */
#include "base/hash.h"
#include "base/clock.h"
#include "base/path.h"
#include "proxy/access.h"
#include "proxy/behaviour.h"
#include "proxy/login_form.h"
#include "proxy/logins_learned.h"
#include "proxy/worker.h"
#include "rules/form.h"

enum { GUESS_BYTES = 16 << 10 /* of a body that nobody calls a log-in; those are short */ };

/* ---- the request ---- */

static const struct login_config *config_of(const struct exchange *x)
{
	const struct app_config *app = x->app->config;

	for (size_t i = 0; i < app->nlogins; i++)
		if (access_path_holds(x, app->logins[i].path) && access_method_holds(x, &app->logins[i].methods))
			return &app->logins[i];
	return NULL;
}

/* Who calls with a token has logged in before. */
static bool may_be_learned(const struct exchange *x)
{
	struct bytes authorization = fields_value(&x->request.fields, FIELD_AUTHORIZATION);

	return x->app->config->learn_logins && x->request.framing != BODY_NONE && bytes_eq(x->request.method, BYTES("POST")) &&
	       (!authorization.len || bytes_starts_nocase(authorization, BYTES("Basic "))) &&
	       !login_form_is_elsewhere(x->request.path);
}

void login_expect(struct exchange *x, struct login_attempt *a)
{
	char room[LOGINS_PATH_MAX];

	a->config = config_of(x);
	a->known = a->config != NULL;
	if (a->config || !may_be_learned(x))
		return;
	a->path = arena_copy(x->arena, login_path(&x->request, room));
	a->known = logins_learned_has(x->app->state->logins, a->path);
}

/* Inspection holds longer ones anyway. */
bool login_holds_body(const struct exchange *x)
{
	const struct login_attempt *a = x->behaviour ? &x->behaviour->login : NULL;

	if (!a)
		return false;
	if (a->known)
		return x->up.decoder.total <= x->app->config->waf.window;
	return a->path.len && x->request.framing == BODY_LENGTH && x->request.length <= GUESS_BYTES;
}

/* A page that tells must come whole and unpacked: the request no longer asks for anything else. */
static void ask_plainly(struct request *r)
{
	static const struct bytes names[] = {
		BYTES_INIT("Accept-Encoding"), BYTES_INIT("Range"), BYTES_INIT("If-Range"),
	};

	for (size_t i = 0; i < r->fields.n; i++)
		for (size_t k = 0; k < nelems(names); k++)
			if (bytes_eq_nocase(r->fields.at[i].name, names[k]))
				r->fields.at[i].drop = true;
}

static bool is_worth_reading(const struct exchange *x, const struct login_attempt *a)
{
	const struct upload *u = &x->up;
	struct bytes body = { u->hold.at, u->hold.len };

	if (u->hold.start)
		return false;
	return a->known || (a->path.len && u->done && body.len <= GUESS_BYTES && login_form_may_be(body));
}

static void read_form(struct exchange *x, struct login_form *f)
{
	form_read(fields_value(&x->request.fields, FIELD_CONTENT_TYPE), (struct bytes){ x->up.hold.at, x->up.hold.len },
		  login_form_field, f);
	if (f->wanted.at && !f->len)
		form_read_query(x->request.query, login_form_field, f);
}

void login_read(struct exchange *x, struct login_attempt *a)
{
	struct login_form form = { .wanted = a->config ? a->config->user : (struct bytes){ 0 } };

	if (!is_worth_reading(x, a))
		return;
	read_form(x, &form);
	a->tried = !a->config && login_form_is_login(&form);
	a->known &= a->config || a->tried;
	if (form.len && (a->config || a->tried))
		a->user = behaviour_hash(x, BYTES("user"), (struct bytes){ form.name, form.len });
	if (a->tried || (a->config && a->config->marker.at))
		ask_plainly(&x->request);
}

/* ---- the answer, by the configuration ---- */

static bool leads_back(const struct login_config *l, const struct response *r)
{
	struct bytes to = fields_value(&r->fields, FIELD_LOCATION);
	size_t scheme = bytes_find(to, BYTES("://"));

	if (!l->redirect.at || !to.len)
		return false;
	if (scheme != SIZE_MAX) { /* the path of an absolute one */
		struct bytes rest = bytes_from(to, scheme + 3);

		to = bytes_from(rest, bytes_index(rest, '/'));
	}
	return path_matches(l->redirect, bytes_sub(to, 0, bytes_index(to, '?')), false) || path_matches(l->redirect, to, false);
}

static bool is_packed(const struct response *r)
{
	struct bytes coding = bytes_trim(fields_value(&r->fields, FIELD_CONTENT_ENCODING));

	return coding.len && !bytes_eq_nocase(coding, BYTES("identity"));
}

/* Success empties buckets, so nothing is one that a client could bring about: a page that is packed, in part, or not modified. */
static enum login_outcome by_config(const struct login_config *l, const struct response *r)
{
	for (size_t i = 0; i < l->nstatuses; i++)
		if (l->statuses[i] == r->status)
			return LOGIN_FAILED;
	if (leads_back(l, r))
		return LOGIN_FAILED;
	if (r->status >= 400)
		return LOGIN_UNKNOWN; /* of a server in trouble, or a form that was not well filled */
	if (r->status < 200 || r->status == 206 || r->status == 304)
		return LOGIN_UNKNOWN;
	if (!l->marker.at || r->status >= 300)
		return LOGIN_SUCCEEDED;
	return is_packed(r) ? LOGIN_UNKNOWN : LOGIN_BY_MARKER;
}

/* ---- the answer, by what was learned ---- */

static enum login_outcome learn(struct exchange *x, const struct login_attempt *a, enum login_sign sign)
{
	struct login_tried t = {
		.path = a->path, .user = hash_bytes(a->user), .sign = sign, .now_s = clock_mono_us() / 1000000,
		.has_cookie = fields_first(&x->request.fields, FIELD_COOKIE) != NULL,
	};

	return logins_learn(x->app->state->logins, &t);
}

static enum login_outcome by_learning(struct exchange *x, const struct login_attempt *a)
{
	enum login_sign sign = login_sign(&x->request, &x->down.head);

	if (sign == LOGIN_SIGN_PAGE)
		return is_packed(&x->down.head) ? LOGIN_UNKNOWN : LOGIN_BY_MARKER;
	return learn(x, a, sign);
}

/* What a form for a password has in it, and one for the code of a second factor has not. */
static struct bytes marker_of(const struct login_attempt *a)
{
	return a->config ? a->config->marker : BYTES("type=\"password\"");
}

enum login_outcome login_answered(struct exchange *x, struct login_attempt *a)
{
	enum login_outcome how = LOGIN_UNKNOWN;

	if (a->config)
		how = by_config(a->config, &x->down.head);
	else if (a->tried)
		how = by_learning(x, a);
	if (how == LOGIN_BY_MARKER && !(a->search = login_search_new(x->arena, marker_of(a))))
		how = LOGIN_UNKNOWN;
	return how;
}

enum login_outcome login_page(struct exchange *x, struct login_attempt *a, bool whole)
{
	enum login_found found = login_search_says(a->search, whole);

	if (found == LOGIN_TEXT_UNSURE)
		return LOGIN_UNKNOWN;
	if (a->config)
		return found == LOGIN_TEXT_FOUND ? LOGIN_FAILED : LOGIN_SUCCEEDED;
	return learn(x, a, found == LOGIN_TEXT_FOUND ? LOGIN_SIGN_FORM : LOGIN_SIGN_OTHER);
}
