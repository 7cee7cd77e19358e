/* logs.c -- the readers, by the names that CrowdSec gives to types of logs. */
#include "scenarios/logs_parts.h"

static enum log_read nginx(struct arena *a, struct bytes line, struct facts *f)
{
	return log_framed(a, line, f, log_nginx);
}

static enum log_read apache2(struct arena *a, struct bytes line, struct facts *f)
{
	return log_framed(a, line, f, log_apache2);
}

static enum log_read bunkerweb(struct arena *a, struct bytes line, struct facts *f)
{
	return log_framed(a, line, f, log_bunkerweb);
}

static const struct log_reader readers[] = {
	{ "nginx", "access log (combined, a host before it) and error log", nginx },
	{ "apache2", "access log (common, combined, vhost_combined) and error log", apache2 },
	{ "bunkerweb", "nginx's, with an identifier of the request", bunkerweb },
};

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
