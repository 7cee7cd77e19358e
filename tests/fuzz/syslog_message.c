/* syslog_message.c -- a target that is taken is printed and read again as the same; a frame on a stream has the length that
 * it says, is no longer than it may be and is a part of the message; no value of structured data ends early. */
#include "base/syslog_message.h"
#include "tests/fuzz/must.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 70 << 10 };

static void must_read_back(const struct syslog_target *t)
{
	static const char *const words[] = { [SYSLOG_UDP] = "udp", [SYSLOG_TCP] = "tcp", [SYSLOG_TLS] = "tls" };
	char text[SYSLOG_HOST_MAX + 32];
	struct syslog_target back;

	must(t->host[0] && t->port);
	snprintf(text, sizeof text, strchr(t->host, ':') ? "%s:[%s]:%u" : "%s:%s:%u", words[t->transport], t->host, t->port);
	must(syslog_target_parse(bytes_of(text), &back));
	must(back.transport == t->transport && back.port == t->port && strcmp(back.host, t->host) == 0);
}

static void must_frame(char *room, struct bytes message, size_t max)
{
	struct text t = text_over(room, ROOM);
	struct bytes rest, length;
	uint64_t n;

	syslog_frame_put(&t, SYSLOG_TCP, max, message);
	must(!t.full);
	rest = text_bytes(&t);
	must(bytes_cut(&rest, ' ', &length) && bytes_u64(length, &n));
	must(n == rest.len && n <= max && bytes_starts(message, rest));
	must(message.len > max || n == message.len);
}

/* Between the brackets every '"' that is not escaped begins or ends a value, and ']' stands at the end only. */
static void must_head(char *room, struct bytes id, struct bytes app)
{
	struct text t = text_over(room, SYSLOG_HEAD_MAX);
	struct bytes head, data;
	bool in = false;
	size_t i = 0;

	syslog_head_put(&t, &(struct syslog_head){ .facility = 23, .severity = SYSLOG_INFO, .wall_ms = 1795488439120, .kind = "access", .id = id, .app = app });
	must(!t.full);
	head = text_bytes(&t);
	data = bytes_from(head, bytes_find(head, BYTES("[embergate@")));
	for (; i < data.len && (in || data.at[i] != ']'); i++)
		if (in && data.at[i] == '\\')
			i++;
		else if (data.at[i] == '"')
			in = !in;
		else
			must(!in || data.at[i] != ']');
	must(!in && bytes_eq(bytes_from(data, i), BYTES("] ")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = { (const char *)data, size }, text;
	struct syslog_target t;
	char *room = malloc(ROOM);

	bytes_cut(&rest, '\n', &text);
	if (syslog_target_parse(text, &t))
		must_read_back(&t);
	if (rest.len <= SYSLOG_STREAM_BYTES)
		must_frame(room, rest, size % 700);
	must_head(room, text, rest);
	free(room);
	return 0;
}
