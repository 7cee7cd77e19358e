/* status.c -- `embergate ctl status`. */
#include "admin/status.h"
#include "base/clock.h"

static void put_duration(struct text *t, uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (s >= 86400)
		text_printf(t, "%llu d %llu h", (unsigned long long)(s / 86400), (unsigned long long)(s / 3600 % 24));
	else if (s >= 3600)
		text_printf(t, "%llu h %llu min", (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60));
	else if (s >= 60)
		text_printf(t, "%llu min %llu s", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
	else
		text_printf(t, "%llu s", (unsigned long long)s);
}

static void put_reload(struct text *t, const struct admin_status *s)
{
	if (s->reloaded_ms) {
		text_str(t, ", reloaded ");
		clock_rfc3339(t, s->reloaded_ms);
	}
	text_byte(t, '\n');
	if (s->reload_error.len) {
		text_str(t, "           the last reload was refused: ");
		text_plain(t, s->reload_error);
		text_byte(t, '\n');
	}
}

static void put_app(struct text *t, const struct admin_app *a)
{
	text_str(t, "  ");
	text_plain(t, a->name);
	text_printf(t, "  %s, %zu rules%s\n", a->mode, a->rules, a->under_attack ? ", UNDER ATTACK: everyone is challenged" : "");
	for (size_t i = 0; i < a->nservers; i++) {
		text_str(t, "    ");
		text_plain(t, a->servers[i].address);
		text_printf(t, "  %s, %llu connections\n", a->servers[i].up ? "up" : "DOWN",
			    (unsigned long long)a->servers[i].connections);
	}
	for (size_t i = 0; i < a->nlogins; i++) {
		text_str(t, "    log-in at ");
		text_plain(t, a->logins[i].path);
		text_printf(t, ", as learned: %llu failed, %llu succeeded\n", (unsigned long long)a->logins[i].failed,
			    (unsigned long long)a->logins[i].succeeded);
	}
}

void status_table(struct text *t, const struct admin_status *s, uint64_t now_ms)
{
	text_printf(t, "embergate " EMBERGATE_VERSION ", %s, up ", s->draining ? "draining" : "ready");
	put_duration(t, now_ms > s->started_ms ? now_ms - s->started_ms : 0);
	text_printf(t, ", pid %u, %u workers\nconfig     %s", s->pid, s->workers, s->config);
	put_reload(t, s);
	text_str(t, "listening ");
	for (size_t i = 0; i < s->nlisteners; i++) {
		text_byte(t, ' ');
		text_plain(t, s->listeners[i]);
	}
	text_printf(t, "\ntraffic    %llu connections open, %llu requests since the start\napps\n",
		    (unsigned long long)s->connections, (unsigned long long)s->requests);
	for (size_t i = 0; i < s->napps; i++)
		put_app(t, &s->apps[i]);
}

/* --- JSON --------------------------------------------------------------------- */

static void put_number(struct text *t, const char *key, uint64_t n)
{
	text_printf(t, ",\"%s\":%llu", key, (unsigned long long)n);
}

static void put_string(struct text *t, const char *key, struct bytes value)
{
	text_printf(t, ",\"%s\":", key);
	text_json(t, value);
}

static void put_time(struct text *t, const char *key, uint64_t wall_ms)
{
	if (wall_ms == 0)
		return;
	text_printf(t, ",\"%s\":\"", key);
	clock_rfc3339(t, wall_ms);
	text_byte(t, '"');
}

static void put_server_json(struct text *t, const struct admin_server *s)
{
	text_str(t, "{\"address\":");
	text_json(t, s->address);
	text_printf(t, ",\"up\":%s", s->up ? "true" : "false");
	put_number(t, "connections", s->connections);
	text_byte(t, '}');
}

static void put_app_json(struct text *t, const struct admin_app *a)
{
	text_str(t, "{\"name\":");
	text_json(t, a->name);
	put_string(t, "mode", bytes_of(a->mode));
	put_number(t, "rules", a->rules);
	text_str(t, ",\"servers\":[");
	for (size_t i = 0; i < a->nservers; i++) {
		if (i)
			text_byte(t, ',');
		put_server_json(t, &a->servers[i]);
	}
	text_printf(t, "],\"under_attack\":%s,\"logins\":[", a->under_attack ? "true" : "false");
	for (size_t i = 0; i < a->nlogins; i++) {
		text_str(t, i ? ",{\"path\":" : "{\"path\":");
		text_json(t, a->logins[i].path);
		put_number(t, "failed", a->logins[i].failed);
		put_number(t, "succeeded", a->logins[i].succeeded);
		text_byte(t, '}');
	}
	text_str(t, "]}");
}

void status_json(struct text *t, const struct admin_status *s, uint64_t now_ms)
{
	text_str(t, "{\"version\":\"" EMBERGATE_VERSION "\",\"state\":");
	text_str(t, s->draining ? "\"draining\"" : "\"ready\"");
	put_number(t, "uptime_seconds", now_ms > s->started_ms ? (now_ms - s->started_ms) / 1000 : 0);
	put_number(t, "pid", s->pid);
	put_number(t, "workers", s->workers);
	put_string(t, "config", bytes_of(s->config));
	text_str(t, ",\"config_hash\":\"");
	text_hex(t, s->config_hash);
	text_byte(t, '"');
	put_time(t, "started", s->started_ms);
	put_time(t, "reloaded", s->reloaded_ms);
	if (s->reload_error.len)
		put_string(t, "reload_error", s->reload_error);
	put_number(t, "connections", s->connections);
	put_number(t, "requests", s->requests);
	text_str(t, ",\"listeners\":[");
	for (size_t i = 0; i < s->nlisteners; i++) {
		if (i)
			text_byte(t, ',');
		text_json(t, s->listeners[i]);
	}
	text_str(t, "],\"apps\":[");
	for (size_t i = 0; i < s->napps; i++) {
		if (i)
			text_byte(t, ',');
		put_app_json(t, &s->apps[i]);
	}
	text_str(t, "]}\n");
}
