/* peer.h -- one connection to a server.
 *
 * It serves one exchange at a time and tells it what happens through
 * forward.h; between exchanges it idles in the pool. */
#ifndef PROXY_PEER_H
#define PROXY_PEER_H
#include "base/stream.h"
#include "proxy/server.h"

struct worker;
struct exchange;

struct peer {
	struct stream *stream;
	struct worker *worker;
	struct server *server;
	struct exchange *x;        /* whose it is; NULL: idle or on its way out */
	struct peer *prev, *next;  /* in the pool */
	uint64_t idle_since_ms;
	uint64_t delivered;        /* bytes that it had taken when it was last thought late */
	struct deadline deadline;
	char *head;                /* the part of an answer's head that has come */
	size_t nhead, cap, scanned;
	unsigned served;           /* exchanges before this one */
	bool ready, idle, heard;   /* heard: a byte of the current answer has come */
};

/* Connects to the server's address number `address`, counted round. `tls` NULL for plain servers. */
struct peer *peer_connect(struct worker *, struct server *, unsigned address, struct tls_context *tls,
			  uint32_t connect_ms);
/* Closes it; it must not belong to an exchange any more. */
void peer_close(struct peer *);
/* Cut when nothing comes for so long. */
void peer_expect(struct peer *, uint64_t within_ms);
/* Adds to the head that is being collected; false: out of memory. */
bool peer_keep(struct peer *, struct bytes);
void peer_forget_head(struct peer *);
#endif
