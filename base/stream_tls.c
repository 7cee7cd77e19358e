/* stream_tls.c -- TLS between a stream and its owner.
 *
 * Plaintext and ciphertext pass through buffers of the loop. Only what a paused
 * stream had already read is kept, in its stash. */
#include "base/stream_parts.h"

static void tls_send(void *arg, struct bytes b)
{
	stream_write_raw(arg, &b, 1);
}

static void stash_rest(struct stream *s)
{
	struct bytes rest = tls_conn_rest(s->tls);
	char *copy = rest.len ? malloc(rest.len) : NULL;

	if (rest.len && !copy) {
		stream_tell_end(s, END_BROKEN, "out of memory");
		return;
	}
	if (rest.len)
		memcpy(copy, rest.at, rest.len);
	free(s->stash);
	s->stash = copy;
	s->nstash = rest.len;
	tls_conn_feed(s->tls, (struct bytes){ copy, rest.len });
}

/* Reads what there is until more ciphertext is wanted. False: ended. */
static bool tls_pump(struct stream *s)
{
	enum tls_want want = TLS_OK;
	size_t n;

	if (!s->secured) {
		want = tls_conn_handshake(s->tls);
		if (want == TLS_OK) {
			s->secured = true;
			if (s->on->ready)
				s->on->ready(s->owner);
		}
	}
	while (want == TLS_OK && !s->closing && !s->paused) {
		want = tls_conn_read(s->tls, s->loop->plain_in, TLS_RECORD, &n);
		if (want == TLS_OK)
			s->on->bytes(s->owner, (struct bytes){ s->loop->plain_in, n });
	}
	if (s->closing)
		return false;
	if (want == TLS_CLOSED)
		stream_tell_end(s, END_CLEAN, "closed");
	else if (want == TLS_FAILED)
		stream_tell_end(s, END_BROKEN, tls_conn_failure(s->tls));
	return want == TLS_OK || want == TLS_WANT_MORE;
}

void stream_tls_input(struct stream *s, struct bytes b)
{
	tls_conn_feed(s->tls, b);
	if (tls_pump(s) && s->paused)
		stash_rest(s);
}

/* After a pause: first what was stashed, then the socket again. */
void stream_tls_go_on(void *arg)
{
	struct stream *s = arg;

	if (s->closing || s->paused || s->at_end || !s->tls)
		return;
	if (tls_pump(s) && s->paused) {
		stash_rest(s);
		return;
	}
	free(s->stash);
	s->stash = NULL;
	s->nstash = 0;
	if (!s->closing && !s->at_end)
		stream_resume(s);
}

/* Gathers the pieces into records of at most 16 KiB: small pieces (a head and
 * its body) leave in one record and one system call. */
bool stream_tls_write(struct stream *s, const struct bytes *v, size_t n)
{
	char *out = s->loop->plain_out;
	size_t have = 0;

	for (size_t i = 0; i < n; i++)
		for (struct bytes b = v[i]; b.len;) {
			size_t take = TLS_RECORD - have < b.len ? TLS_RECORD - have : b.len;

			memcpy(out + have, b.at, take);
			have += take;
			b = bytes_from(b, take);
			if (have == TLS_RECORD) {
				if (!tls_conn_write(s->tls, (struct bytes){ out, have }))
					s->broken = true;
				have = 0;
			}
		}
	if (have && !tls_conn_write(s->tls, (struct bytes){ out, have }))
		s->broken = true;
	return !s->broken && !s->closing;
}

bool stream_secure(struct stream *s, struct tls_context *tls, const char *server_name)
{
	s->tls = tls_conn_new(tls, server_name, tls_send, s);
	return s->tls != NULL;
}
