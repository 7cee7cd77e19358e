/* logs_form.c -- lines that a form describes: most formats are one row of a table.
 *
 * A form is text with fields in it, %t for a time, %a for an address. A field ends where the text behind it first stands;
 * a capital U or P ends where it last stands, for what a client chooses and the server does not escape: behind it only the
 * server's own words may follow, so that "Invalid user x from 198.51.100.9 port 1 from 192.0.2.1 port 2" is not believed.
 * Between quotation marks a field ends at the one that is not escaped. The first form that fits is taken.
 *
 *     t time   a address   A address:port   h host   v verb   p P target   R request line   L the same, of an absolute target
 *     s status b size      r referer        g agent  u U user i identifier n router         w a word  _ anything */
#include "scenarios/logs_parts.h"

enum { FIELDS = 128, TRIES = 64 };

struct fields {
	struct bytes at[FIELDS]; /* by letter */
	struct log_time time;
	bool timed;
};

/* ---- matching ---- */

/* "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1:80". */
static bool take_port_off(struct bytes *b)
{
	size_t colon = log_find_last(*b, BYTES(":"));

	if (colon == SIZE_MAX || !log_is_number(bytes_from(*b, colon + 1)))
		return false;
	*b = bytes_sub(*b, 0, colon);
	if (b->len > 2 && b->at[0] == '[' && b->at[b->len - 1] == ']')
		*b = bytes_sub(*b, 1, b->len - 1);
	return true;
}

static bool is_field(struct fields *f, char letter, struct bytes *value)
{
	switch (letter) {
	case 't':
		return f->timed = log_time_any(*value, &f->time);
	case 'A':
		return take_port_off(value) && log_is_host(*value);
	case 'a':
		return log_is_host(*value);
	case 'h':
		return value->len == 0 || log_is_host(*value);
	case 'v':
		return log_is_word(*value);
	case 's':
		return value->len <= 3 && log_is_number(*value);
	case 'w':
		return value->len > 0 && bytes_index(*value, ' ') == SIZE_MAX;
	default:
		return true;
	}
}

/* Where a field may end: at the text behind it, or with the line. */
static size_t first_end(struct bytes rest, struct bytes text, bool quoted)
{
	struct bytes inside, from = { rest.at - 1, rest.len + 1 };

	if (text.len == 0)
		return rest.len;
	if (!quoted)
		return bytes_find(rest, text);
	return log_take_quoted(&from, &inside) && bytes_starts(bytes_from(rest, inside.len), text) ? inside.len : SIZE_MAX;
}

static struct bytes text_until_field(const char *form)
{
	const char *end = strchr(form, '%');

	return (struct bytes){ form, end ? (size_t)(end - form) : strlen(form) };
}

static bool match(const char *form, struct bytes rest, struct fields *f);

static bool match_field(char letter, struct bytes value, const char *form, struct bytes rest, struct fields *f)
{
	if (!is_field(f, letter, &value))
		return false;
	f->at[(unsigned char)letter & (FIELDS - 1)] = value;
	return match(form, rest, f);
}

/* The last place where all that follows fits too. */
static bool match_last(char letter, const char *form, struct bytes rest, struct fields *f)
{
	struct bytes text = text_until_field(form), hay = rest;

	if (text.len == 0)
		return match_field(letter, rest, form, bytes_from(rest, rest.len), f);
	for (unsigned tries = 0; tries < TRIES; tries++) {
		size_t end = log_find_last(hay, text);

		if (end == SIZE_MAX)
			return false;
		if (match_field(letter, bytes_sub(rest, 0, end), form, bytes_from(rest, end), f))
			return true;
		hay = bytes_sub(rest, 0, end + text.len - 1);
	}
	return false;
}

/* Recursion goes as deep as a form has fields; only U and P come back for another try. */
static bool match(const char *form, struct bytes rest, struct fields *f)
{
	struct bytes text = text_until_field(form);
	bool quoted = text.len && text.at[text.len - 1] == '"';
	char letter;
	size_t end;

	if (!log_take(&rest, text))
		return false;
	form += text.len;
	if (!*form)
		return true; /* what follows is not looked at */
	letter = form[1];
	form += 2;
	if (letter == 'U' || letter == 'P')
		return match_last(letter, form, rest, f);
	end = first_end(rest, text_until_field(form), quoted && *form == '"');
	return end != SIZE_MAX && match_field(letter, bytes_sub(rest, 0, end), form, bytes_from(rest, end), f);
}

/* ---- the forms ---- */

#define ACCESS "http_access-log"
#define ALB_HEAD "%w %w %w %A %w %w %w %w %s %w %w %b \"%L\" \"%g\" %w %w %w \"%_\" \"%_\" \"%_\" %w %t "
#define LITESPEED "%t [%w] [%w] "

static const struct log_form npm_forms[] = {
	{ "[%t] %w %w %s - %v %w %h \"%p\" [Client %a] [Length %b] [%_] %_\"%g\" \"%r\"", ACCESS, "", NULL },
	{ "[%t] %s - %v %w %h \"%p\" [Client %a] [Length %b] [%_] %_\"%g\" \"%r\"", ACCESS, "", NULL },
	{ "[%t] %h %a %w \"%R\" %s %b %w \"%r\" \"%g\"", ACCESS, "", NULL }, /* NPMplus */
	{ "[%t] %h %a %w \"%R\" %s %b %w %r %g", ACCESS, "", NULL },
};

static const struct log_form litespeed_forms[] = {
	{ LITESPEED "[%a:%_#%_] User '%U' failed to authenticate.", "", "auth_fail", NULL },
	{ LITESPEED "[[%a]:%_#%_] User '%U' failed to authenticate.", "", "auth_fail", NULL },
	{ LITESPEED "[%a:%_#%_] [%w] [%_] Failed Login Attempt - username:%U ip:%_ url:", "", "litespeed_admin_auth_fail", NULL },
	{ LITESPEED "[[%a]:%_#%_] [%w] [%_] Failed Login Attempt - username:%U ip:%_ url:", "", "litespeed_admin_auth_fail", NULL },
};

static const struct log_form alb_forms[] = { { ALB_HEAD, ACCESS, "", NULL } };

static const struct log_form zoraxy_forms[] = {
	{ "%_[%t] [router:%w] [origin:%h] [client: %a] [useragent: %g] %v %P %s", ACCESS, "", NULL },
};

static const struct log_form haproxy_forms[] = {
	{ "%A [%t] %w %w %w %s %b %w %w %w %w %w %_\"%L\"", ACCESS, "", NULL },
	{ "%A [%t] %w: SSL handshake failure", "bad_ssl_handshake", "", NULL },
};

static const struct log_form traefik_forms[] = {
	{ "%a - %u [%t] \"%R\" %s %b \"%r\" \"%g\" %w \"%n\" \"%_\" %w", ACCESS, "", NULL },
};

/* sshd writes the client's address last. A user may be empty and may hold anything. */
static const struct log_form sshd_forms[] = {
	{ "Failed %w for invalid user %U from %a port ", "ssh_failed-auth", "", NULL },
	{ "Failed %w for %U from %a port ", "ssh_failed-auth", "", NULL },
	{ "Invalid user %U from %a port ", "ssh_failed-auth", "", NULL },
	{ "Invalid user %U from %a", "ssh_failed-auth", "", NULL },
	{ "User %U from %a port %w not allowed because not listed in AllowUsers", "ssh_failed-auth", "", NULL },
	{ "User %U from %a not allowed because not listed in AllowUsers", "ssh_failed-auth", "", NULL },
	{ "Disconnected from authenticating user %U %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "Disconnected from invalid user %U %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "Connection closed by authenticating user %U %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "Connection closed by invalid user %U %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "Connection reset by authenticating user %U %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "Connection reset by invalid user %U %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "Connection closed by %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "Connection reset by %a port %w [preauth]", "ssh_failed-auth", "", NULL },
	{ "banner exchange: Connection from %a port %w: invalid format", "ssh_failed-auth", "", "ssh_bad_banner" },
	{ "pam_%w(sshd:auth): authentication failure;%_ rhost=%a  user=%U", "ssh_failed-auth", "", NULL },
	{ "pam_%w(sshd:auth): authentication failure;%_ rhost=%a user=%U", "ssh_failed-auth", "", NULL },
	{ "pam_%w(sshd:auth): authentication failure;%_ rhost=%a ", "ssh_failed-auth", "", NULL },
	{ "pam_%w(sshd:auth): authentication failure;%_ rhost=%a", "ssh_failed-auth", "", NULL },
	{ "Magic value check failed (%w) on obfuscated handshake from %a port ", "ssh_failed-auth", "", NULL },
	{ "Unable to negotiate with %a port %w: no matching host key type found.", "ssh_bad_keyexchange", "", NULL },
	{ "Unable to negotiate with %a port %w: no matching key exchange method found.", "ssh_bad_keyexchange", "", NULL },
	{ "Unable to negotiate with %a port %w: no matching MAC found.", "ssh_bad_keyexchange", "", NULL },
	{ "Timeout before authentication for connection from %a to ", "ssh_auth_timeout", "", NULL }, /* OpenSSH 9.8 and later */
	{ "Timeout before authentication for %a port ", "ssh_auth_timeout", "", NULL },
	{ "Timeout before authentication for %a", "ssh_auth_timeout", "", NULL },
	{ "ssh_dispatch_run_fatal: Connection from %a port %w: message authentication code incorrect [preauth]", "ssh_dispatch_fatal",
	  "", NULL },
	{ "refused connect from %_(%a)", "ssh_refused_conn", "", NULL },
};

/* ---- fields -> facts ---- */

/* "GET https://www.example.com:443/a HTTP/1.1": the host goes to facts of its own. */
static void absolute_target(struct facts *f, struct arena *a)
{
	struct bytes target = f->at[FACT_HTTP_PATH], host, port = { 0 };
	size_t at = bytes_find(target, BYTES("://")), slash, colon;

	if (at == SIZE_MAX || bytes_index(target, '/') != at + 1)
		return;
	host = bytes_from(target, at + 3);
	slash = bytes_index(host, '/');
	log_http_target(f, a, bytes_from(host, slash));
	host = bytes_sub(host, 0, slash);
	if ((colon = log_find_last(host, BYTES(":"))) != SIZE_MAX && log_is_number(bytes_from(host, colon + 1))) {
		port = bytes_from(host, colon + 1);
		host = bytes_sub(host, 0, colon);
	}
	facts_put(f, a, BYTES("Meta.http_host"), host);
	facts_put(f, a, BYTES("Meta.http_port"), port);
}

static void set_request(struct facts *f, struct arena *a, const struct fields *got)
{
	struct bytes line = got->at['L'].at ? got->at['L'] : got->at['R'];
	struct bytes target = got->at['p'].at ? got->at['p'] : got->at['P'];

	if (target.at) {
		f->at[FACT_VERB] = got->at['v'];
		log_http_target(f, a, target);
	} else if (line.at && !log_http_request(f, a, line)) {
		log_http_target(f, a, line);
	}
	if (got->at['L'].at)
		absolute_target(f, a);
}

static struct bytes mapped_as_4(struct bytes address)
{
	struct bytes rest = address;

	return log_take(&rest, BYTES("::ffff:")) && rest.len ? rest : address;
}

static void set_fields(struct facts *f, struct arena *a, const struct log_form *form, const struct fields *got)
{
	f->at[FACT_LOG_TYPE] = bytes_of(form->log_type);
	f->at[FACT_SUB_TYPE] = bytes_of(form->sub_type);
	f->at[FACT_SOURCE_IP] = mapped_as_4(got->at['a'].at ? got->at['a'] : got->at['A']);
	f->at[FACT_TARGET_FQDN] = got->at['h'];
	f->at[FACT_BODY_BYTES] = got->at['b'];
	f->at[FACT_REFERER] = got->at['r'];
	f->at[FACT_USER_AGENT] = got->at['g'];
	if (got->at['n'].at)
		facts_put(f, a, BYTES("Meta.traefik_router_name"), got->at['n']);
	if (form->extra_type)
		facts_put(f, a, BYTES("Meta.extra_log_type"), bytes_of(form->extra_type));
	if (got->timed)
		log_time_set(f, a, &got->time);
}

static const struct log_form *find_form(const struct log_form *forms, size_t n, struct bytes line, struct fields *got)
{
	for (size_t i = 0; i < n; i++) {
		*got = (struct fields){ 0 };
		if (match(forms[i].text, line, got))
			return &forms[i];
	}
	return NULL;
}

/* ---- the readers ---- */

static enum log_read read_http(const struct log_form *forms, size_t n, struct arena *a, struct bytes line, struct facts *f)
{
	struct fields got;
	const struct log_form *form = find_form(forms, n, line, &got);

	if (!form)
		return LOG_BROKEN;
	log_http(f, BYTES(""));
	set_fields(f, a, form, &got);
	f->at[FACT_USERNAME] = got.at['U'];
	if (got.at['s'].len)
		log_http_status(f, got.at['s']);
	set_request(f, a, &got);
	return LOG_READ;
}

enum log_read log_npm(struct arena *a, struct bytes line, struct facts *f)
{
	return line.len && line.at[0] == '[' ? read_http(npm_forms, nelems(npm_forms), a, line, f) : log_nginx(a, line, f);
}

enum log_read log_litespeed(struct arena *a, struct bytes line, struct facts *f)
{
	enum log_read got = read_http(litespeed_forms, nelems(litespeed_forms), a, line, f);

	return got == LOG_BROKEN ? log_nginx(a, line, f) : got;
}

enum log_read log_alb(struct arena *a, struct bytes line, struct facts *f)
{
	return read_http(alb_forms, nelems(alb_forms), a, line, f);
}

enum log_read log_zoraxy(struct arena *a, struct bytes line, struct facts *f)
{
	return read_http(zoraxy_forms, nelems(zoraxy_forms), a, line, f);
}

enum log_read log_haproxy(struct arena *a, struct bytes line, struct facts *f)
{
	return read_http(haproxy_forms, nelems(haproxy_forms), a, line, f);
}

enum log_read log_traefik(struct arena *a, struct bytes line, struct facts *f)
{
	return line.len && line.at[0] == '{' ? log_json(a, line, f) : read_http(traefik_forms, nelems(traefik_forms), a, line, f);
}

enum log_read log_sshd(struct arena *a, struct bytes line, struct facts *f)
{
	struct fields got;
	const struct log_form *form;

	if (!log_take(&line, BYTES("error: ")))
		log_take(&line, BYTES("fatal: "));
	if (!(form = find_form(sshd_forms, nelems(sshd_forms), line, &got)))
		return LOG_OTHER;
	set_fields(f, a, form, &got);
	f->at[FACT_SERVICE] = BYTES("ssh");
	return got.at['U'].len == 0 || facts_put(f, a, BYTES("Meta.target_user"), got.at['U']) ? LOG_READ : LOG_BROKEN;
}
