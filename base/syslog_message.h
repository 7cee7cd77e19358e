/* syslog_message.h -- where syslog goes, and its messages: RFC 5424, framed for UDP (RFC 5426), TCP (RFC 6587, octets
 * counted) and TLS (RFC 5425). */
#ifndef BASE_SYSLOG_MESSAGE_H
#define BASE_SYSLOG_MESSAGE_H
#include "base/text.h"

enum syslog_transport { SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS };
enum {
	SYSLOG_HOST_MAX = 253,
	SYSLOG_UDP_BYTES = 2048,     /* of a message, unless told: every receiver should take these (RFC 5426 3.2) */
	SYSLOG_STREAM_BYTES = 64 << 10,
	SYSLOG_BYTES_MIN = 480,      /* every receiver must take these */
	SYSLOG_HEAD_MAX = 512,
};

struct syslog_target {
	enum syslog_transport transport;
	char host[SYSLOG_HOST_MAX + 1];
	uint16_t port;
	const char *ca;      /* of TLS; NULL: the system's bundle */
	size_t max;          /* bytes of a message; a longer one is cut; 0: as above */
};
/* "udp:log.example:514", "tls:[2001:db8::1]:6514". False: it is none. */
bool syslog_target_parse(struct bytes, struct syslog_target *);

enum syslog_severity { SYSLOG_ERROR = 3, SYSLOG_WARNING, SYSLOG_NOTICE, SYSLOG_INFO };
struct syslog_head {
	unsigned facility;   /* 0 .. 23 */
	enum syslog_severity severity;
	uint64_t wall_ms;
	const char *kind;    /* MSGID: "alert", "access" */
	struct bytes id, app; /* structured data */
};
/* All before the message, with the blank; at most SYSLOG_HEAD_MAX bytes. */
void syslog_head_put(struct text *, const struct syslog_head *);
/* A message as it goes out: cut to `max` bytes, where it is not inside of a character, and with its length in front on a
 * stream. */
void syslog_frame_put(struct text *, enum syslog_transport, size_t max, struct bytes message);
#endif
