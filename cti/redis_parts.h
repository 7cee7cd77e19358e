/* redis_parts.h -- inside redis*.c.
 *
 *   redis.c       two lines to one server: one for commands, one for those that wait; when and whereto they connect
 *   redis_line.c  one connection: commands out, replies in, each to whom it belongs
 *   redis_url.c   where it is */
#ifndef CTI_REDIS_PARTS_H
#define CTI_REDIS_PARTS_H
#include "base/arena.h"
#include "base/fetch_dns.h"
#include "base/stream.h"
#include "base/tls.h"
#include "cti/redis.h"
#include "cti/redis_url.h"

struct line;

struct line_events {
	void (*up)(void *owner);                    /* logged in */
	void (*down)(void *owner, const char *why); /* all that waited has failed; not after line_close() */
	void (*closed)(void *owner);                /* nothing of it is on the loop; the last */
	void (*moved)(void *owner, struct bytes to); /* an error MOVED: "host:port"; NULL: passed over */
};

struct line_config {
	const struct ip *address;
	uint16_t port;
	struct tls_context *tls;
	const char *server_name;
	struct bytes user, password;
	unsigned db;
	uint32_t connect_ms, reply_ms;
};

/* NULL: it cannot be begun. `down` or `up` comes later. The config is copied but for what it points to. */
struct line *line_open(struct loop *, const struct line_config *, const struct line_events *, void *owner);
/* All that waits fails from within; then `closed`, later. */
void line_close(struct line *);
bool line_is_up(const struct line *);
/* wait_ms: at most that long for its reply. */
bool line_send(struct line *, const struct bytes *args, unsigned n, uint32_t wait_ms, redis_told *, void *owner);
size_t line_waiting(const struct line *);
/* Counts of the whole client; of the lines that are, and were. */
void line_count_into(struct line *, struct redis_counts *, bool timed);
#endif
