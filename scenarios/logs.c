/* logs.c -- the readers, by the names that CrowdSec gives to types of logs. */
#include "scenarios/logs_parts.h"

static enum log_read syslog(struct arena *, struct bytes, struct facts *);
static enum log_read sshd(struct arena *, struct bytes, struct facts *);

#define FRAMED(name)                                                                            \
	static enum log_read name(struct arena *a, struct bytes line, struct facts *f)          \
	{                                                                                       \
		return log_framed(a, line, f, log_##name);                                      \
	}

FRAMED(nginx)
FRAMED(apache2)
FRAMED(json)
FRAMED(traefik)
FRAMED(haproxy)
FRAMED(bunkerweb)
FRAMED(litespeed)
FRAMED(npm)
FRAMED(zoraxy)
FRAMED(alb)

static const struct log_reader readers[] = {
	{ "nginx", "access log (combined, a host before it) and error log", nginx },
	{ "apache2", "access log (common, combined, vhost_combined) and error log", apache2 },
	{ "json", "a JSON object a line, by the names of Caddy, Traefik, Envoy, ECS or nginx's variables", json },
	{ "caddy", "as json", json },
	{ "traefik", "its common log format, or JSON", traefik },
	{ "envoy", "as json", json },
	{ "haproxy", "`option httplog`", haproxy },
	{ "bunkerweb", "nginx's, with an identifier of the request", bunkerweb },
	{ "litespeed", "access log, failures of HTTP and of the WebAdmin console to authenticate", litespeed },
	{ "nginx-proxy-manager", "its own and NPMplus's, or nginx's", npm },
	{ "zoraxy", "its own", zoraxy },
	{ "aws-alb", "an Application Load Balancer's access log", alb },
	{ "sshd", "failed authentication; of syslog only sshd's lines", sshd },
	{ "syslog", "syslog of several programs, each by its reader: nginx, apache2, haproxy, caddy, traefik, sshd", syslog },
};

/* The program that a line of syslog names; a longer name that begins so counts too, as in CrowdSec's filters. */
static const struct {
	const char *program;
	log_line_reader *read;
} programs[] = {
	{ "nginx", log_nginx }, { "apache2", log_apache2 }, { "httpd", log_apache2 }, { "haproxy", log_haproxy }, { "caddy", log_json },
	{ "traefik", log_traefik }, { "sshd", log_sshd }, { "bunkerweb", log_bunkerweb }, { "litespeed", log_litespeed },
};

static log_line_reader *of_program(struct bytes name)
{
	for (size_t i = 0; i < nelems(programs); i++)
		if (bytes_starts(name, bytes_of(programs[i].program)))
			return programs[i].read;
	return NULL;
}

static enum log_read other(struct arena *a, struct bytes line, struct facts *f)
{
	(void)a, (void)line, (void)f;
	return LOG_OTHER;
}

static enum log_read syslog(struct arena *a, struct bytes line, struct facts *f)
{
	struct log_frame frame = { 0 };
	log_line_reader *read;

	if (!log_unframe(a, line, &frame))
		return LOG_BROKEN;
	read = of_program(frame.program);
	return log_framed(a, line, f, read ? read : other);
}

static enum log_read sshd(struct arena *a, struct bytes line, struct facts *f)
{
	struct log_frame frame = { 0 };
	bool mine = !log_unframe(a, line, &frame) || frame.program.len == 0 || bytes_starts(frame.program, BYTES("sshd"));

	return log_framed(a, line, f, mine ? log_sshd : other);
}

const struct log_reader *log_reader_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(readers); i++)
		if (bytes_eq(name, bytes_of(readers[i].name)))
			return &readers[i];
	return NULL;
}

const struct log_reader *log_readers(size_t *n)
{
	*n = nelems(readers);
	return readers;
}
