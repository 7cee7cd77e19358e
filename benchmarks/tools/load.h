/* load.h -- the load generator's connections: between load.c, which says when,
 * and load_conn.c, which speaks HTTP. */
#ifndef BENCHMARKS_LOAD_H
#define BENCHMARKS_LOAD_H
#include "base/bytes.h"
#include <openssl/ssl.h>
#include <sys/types.h>

enum { HEAD_BYTES = 8 << 10, READ_BYTES = 64 << 10 };

struct conn {
	int fd; /* -1: not open */
	SSL *ssl;
	bool busy, connected, shaken, head_done, chunked, closes;
	const struct bytes *ask;
	size_t sent, nhead;
	uint64_t due_ns;
	int64_t left; /* of a body with a length */
	unsigned status;
	char head[HEAD_BYTES], tail[5]; /* tail: the last bytes of chunks */
};

struct load {
	/* what is asked for */
	uint16_t port;
	int nconns, idle;
	double rate, seconds, warm_up;
	bool tls, fresh;
	struct bytes *asks;
	size_t nasks, next_ask;
	/* what it runs on */
	int poll;
	SSL_CTX *ctx;
	struct conn *conns;
	int *rested, nrested; /* open loop: connections with nothing to do */
	uint64_t from_ns, until_ns;
	char *room;
	/* what came of it */
	uint64_t done, errors, by_class[6], handshakes, resumed;
	float *latency_us;
	size_t nlatency, latency_cap;
};

bool conn_open(struct load *, struct conn *);
void conn_close(struct conn *);
/* 1 connected and, with TLS, shaken hands; 0 not yet; -1 failed. */
int conn_ready(struct load *, struct conn *);
/* Both: > 0 bytes, 0 not now, -1 broken or ended. */
ssize_t conn_send(struct conn *, struct bytes);
ssize_t conn_receive(struct conn *, char *room);
/* True once the answer is whole. */
bool answer_feed(struct conn *, const char *at, size_t n);
void die(const char *what);
#endif
