/* fetch_parts.h -- what the files of a fetch share; nobody else includes it.
 *
 *   fetch.c         its life
 *   fetch_read.c    the answer
 *   fetch_ask.c     the request, copied and checked; the body collected */
#ifndef BASE_FETCH_PARTS_H
#define BASE_FETCH_PARTS_H
#include "base/arena.h"
#include "base/fetch.h"
#include "base/fetch_url.h"
#include "base/http1.h"
#include "base/stream.h"

struct fetcher {
	struct dns *dns;
	struct tls_context *tls;
};

struct fetch {
	struct fetcher *fetcher;
	struct loop *loop;
	struct arena *arena;
	const struct fetch_events *on;
	void *owner;
	unsigned holds; /* what still points here: its not being over, its first turn, its streams */
	bool over, sent, in_body;

	struct fetch_request ask; /* copied */
	struct err refused;       /* side 0: it may be asked */
	struct fetch_url url;     /* where we are */
	bool with_fields;         /* false: at another origin */
	unsigned redirects;       /* followed so far */

	struct dns_ask *lookup;
	struct dns_answer to;
	unsigned next; /* of the addresses */
	struct stream *stream;
	struct deadline late, connect;
	uint64_t late_at_ms;
	char trouble[128]; /* of the last address that was tried */

	char *room, *head;            /* FETCH_HEAD_MAX bytes; where in it the head begins that is collected */
	size_t nhead, scanned, nread; /* nread: of all heads, interim ones too */
	struct response response;
	struct http1_body body;

	fetch_told *told; /* of fetch_whole, with its owner */
	void *told_owner;
	char *whole;
	size_t nwhole, cap;
};

/* Both may free it: the last statement of whoever calls them. */
void fetch_finish(struct fetch *, const struct err *failed);
void fetch_fail(struct fetch *, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Begins again where the Location leads; as above. */
void fetch_redirect(struct fetch *);

/* Bytes of the answer; as above. */
void fetch_read(struct fetch *, struct bytes);

/* Copies and checks; NULL: out of memory. What may not be asked is in `refused`. */
struct fetch *fetch_new(struct fetcher *, struct loop *, const struct fetch_request *);
/* Its head, as bytes; at == NULL: out of memory. */
struct bytes fetch_head(struct fetch *);
struct request fetch_asked(const struct fetch *);
#endif
