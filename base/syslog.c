/* syslog.c -- the sink: what it sends next, and when it tries again. */
#include "base/syslog_parts.h"
#include "base/tls.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { RETRY_MS = 200, RETRY_MAX_MS = 30000, FRAME_MAX = SYSLOG_STREAM_BYTES + 16 };

struct syslog {
	struct syslog_target to;
	struct syslog_wire *wire;
	char name[SYSLOG_HOST_MAX + 32];
	unsigned retry_ms;
	bool down;
	char frame[FRAME_MAX];
};

static bool send_line(struct syslog *s, struct bytes line, const _Atomic bool *hurry, struct err *e)
{
	struct text t = text_over(s->frame, sizeof s->frame);

	syslog_frame_put(&t, s->to.transport, s->to.max, line);
	return syslog_wire_send(s->wire, text_bytes(&t), hurry, e);
}

/* Each time later, and not all gates at once. */
static unsigned next_retry(struct syslog *s)
{
	unsigned ms = s->retry_ms ? s->retry_ms : RETRY_MS;
	uint8_t random = 0;

	tls_random(&random, 1);
	s->retry_ms = ms * 2 < RETRY_MAX_MS ? ms * 2 : RETRY_MAX_MS;
	return ms + ms * random / 512;
}

static void note_down(struct syslog *s, const struct err *e)
{
	if (!s->down)
		log_warn("syslog %s: %s; lines are kept and sent later", s->name, e->text);
	s->down = true;
}

static void note_up(struct syslog *s)
{
	if (s->down)
		log_info("syslog %s: takes lines again", s->name);
	s->down = false;
	s->retry_ms = 0;
}

static size_t send_lines(void *ctx, struct bytes lines, const _Atomic bool *hurry, unsigned *retry_ms)
{
	struct syslog *s = ctx;
	struct err e = { 0 };
	size_t done = 0;

	while (done < lines.len) {
		struct bytes rest = bytes_from(lines, done), line = bytes_sub(rest, 0, bytes_index(rest, '\n'));

		if (!syslog_wire_ready(s->wire, hurry, &e) || !send_line(s, line, hurry, &e)) {
			note_down(s, &e);
			*retry_ms = next_retry(s);
			return done;
		}
		done += line.len + 1;
		note_up(s);
	}
	return done;
}

static void syslog_free(void *ctx)
{
	struct syslog *s = ctx;

	syslog_wire_free(s->wire);
	free(s);
}

static void put_name(struct syslog *s)
{
	static const char *const words[] = { [SYSLOG_UDP] = "udp", [SYSLOG_TCP] = "tcp", [SYSLOG_TLS] = "tls" };

	snprintf(s->name, sizeof s->name, "%s:%s:%u", words[s->to.transport], s->to.host, s->to.port);
}

struct log_sink *syslog_open(struct log *log, const struct syslog_target *to, struct err *e)
{
	static const struct log_outlet outlet = { send_lines, syslog_free };
	struct tls_context *tls = to->transport == SYSLOG_TLS ? tls_client_new(true, to->ca, e) : NULL;
	struct syslog *s = to->transport == SYSLOG_TLS && !tls ? NULL : calloc(1, sizeof *s);
	char key[SYSLOG_HOST_MAX + 64];

	if (!s) {
		tls_context_free(tls);
		if (to->transport != SYSLOG_TLS || tls)
			err_set(e, SIDE_SELF, ENOMEM, "syslog: out of memory");
		return NULL;
	}
	s->to = *to;
	if (!s->to.max)
		s->to.max = to->transport == SYSLOG_UDP ? SYSLOG_UDP_BYTES : SYSLOG_STREAM_BYTES;
	put_name(s);
	s->wire = syslog_wire_new(&s->to, tls);
	if (!s->wire) {
		free(s);
		err_set(e, SIDE_SELF, ENOMEM, "syslog: out of memory");
		return NULL;
	}
	snprintf(key, sizeof key, "syslog %s (%zu)", s->name, s->to.max);
	return log_open_outlet(log, key, &outlet, s, e);
}
