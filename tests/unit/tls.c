/* tls.c -- TLS over real sockets: ours at both ends, and OpenSSL's own client
 * where something must be asked that ours does not. */
#include "tests/ends.h"
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <time.h>

enum { LARGE = 1 << 20 };

struct house {
	struct loop *loop;
	char dir[64];
	struct tls_context *server, *trusting, *blind; /* trusting: of shop's certificate alone */
	struct door door;
};

static const char *file(const struct house *h, const char *name)
{
	static char names[8][128];
	static unsigned turn;
	char *out = names[turn++ % 8];

	snprintf(out, sizeof names[0], "%s/%s", h->dir, name);
	return out;
}

static struct tls_context *server_with(const struct house *h, const char *first, const char *second)
{
	struct tls_cert_file certs[] = {
		{ file(h, first), file(h, "key") }, { file(h, second), file(h, "key2") },
	};
	struct tls_server_options o = { .certs = certs, .ncerts = 2, .min_version = 12, .ticket_secret = { 7 } };
	struct err e = { 0 };
	struct tls_context *t = tls_server_new(&o, &e);

	if (!t)
		fail_msg("%s", e.text);
	return t;
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	*state = h;
	h->loop = loop_new();
	snprintf(h->dir, sizeof h->dir, "/tmp/embergate-test-tls.XXXXXX");
	if (!mkdtemp(h->dir) ||
	    !tls_self_signed("shop.example", file(h, "shop"), file(h, "key"), &e) ||
	    !tls_self_signed("*.wild.example", file(h, "wild"), file(h, "key2"), &e))
		return -1;
	h->server = server_with(h, "shop", "wild");
	h->trusting = tls_client_new(true, file(h, "shop"), &e);
	h->blind = tls_client_new(false, NULL, &e);
	door_open(&h->door, h->loop, h->server);
	return 0;
}

static int end(void **state)
{
	static const char *const made[] = { "shop", "key", "wild", "key2", "old" };
	struct house *h = *state;

	listener_close(h->door.listener);
	loop_free(h->loop);
	tls_context_free(h->server);
	tls_context_free(h->trusting);
	tls_context_free(h->blind);
	for (size_t i = 0; i < nelems(made); i++)
		unlink(file(h, made[i]));
	rmdir(h->dir);
	free(h);
	return 0;
}

static void dial(struct house *h, struct end *server, struct end *client, struct tls_context *tls, const char *name)
{
	h->door.next = server;
	client->loop = h->loop;
	client->stream = stream_connect(h->loop, (struct sockaddr *)&h->door.at, &end_events, client, tls, name);
	assert_non_null(client->stream);
	RUN_UNTIL(h->loop, client->readied || client->ended);
}

static void shake(struct house *h, struct end *server, struct end *client)
{
	dial(h, server, client, h->blind, "shop.example");
	RUN_UNTIL(h->loop, server->readied);
	assert_int_equal(client->readied, 1);
}

static void both_ends_are_ready_and_know_what_is_spoken(void **state)
{
	struct house *h = *state;
	struct end server = { .got = calloc(1, 1) }, client = { .got = calloc(1, 1) };

	dial(h, &server, &client, h->trusting, "shop.example");
	assert_int_equal(client.ended, 0);
	say(&client, BYTES("to you"));
	RUN_UNTIL(h->loop, server.n == 6);
	assert_string_equal(server.got, "to you");
	assert_string_equal(stream_tls_server_name(server.stream), "shop.example");
	assert_string_equal(stream_tls_version(server.stream), "TLSv1.3");
	assert_int_equal(stream_tls_ja4(client.stream).len, 0);
	say(&server, BYTES("and back"));
	RUN_UNTIL(h->loop, client.n == 8);
	assert_string_equal(client.got, "and back");
	assert_int_equal(server.readied + client.readied, 2);
	end_close(&client);
	end_close(&server);
}

/* What it is of which client is in ja4.c and flow/ja4. */
static void a_client_has_a_fingerprint_from_its_first_hello(void **state)
{
	static const struct { const char *name, *starts; } rows[] = {
		{ "shop.example", "t13d" }, { "other.example", "t13d" }, { NULL, "t13i" },
	};
	struct house *h = *state;
	char first[64] = "";

	for (size_t i = 0; i < nelems(rows); i++) {
		struct end server = { 0 }, client = { 0 };
		struct bytes is;

		dial(h, &server, &client, h->blind, rows[i].name);
		RUN_UNTIL(h->loop, server.readied);
		is = stream_tls_ja4(server.stream);
		assert_bytes(bytes_sub(is, 0, 4), bytes_of(rows[i].starts));
		assert_int_equal(is.len, 36);
		if (i)
			assert_bytes(bytes_from(is, 10), bytes_of(first)); /* a name changes the first part alone */
		memcpy(first, is.at + 10, 26);
		end_close(&client);
		end_close(&server);
	}
}

static void a_certificate_is_trusted_for_its_name_alone(void **state)
{
	static const struct { const char *name, *why; } rows[] = {
		{ "shop.example", NULL },
		{ "other.example", "certificate refused: hostname mismatch" },
		{ "a.wild.example", "certificate refused: self-signed certificate" },
		{ "127.0.0.1", "certificate refused: IP address mismatch" },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct end server = { 0 }, client = { 0 };

		dial(h, &server, &client, h->trusting, rows[i].name);
		assert_int_equal(client.readied, !rows[i].why);
		if (rows[i].why) {
			assert_int_equal(client.how, END_BROKEN);
			assert_string_equal(client.why, rows[i].why);
		}
		end_close(&client);
		end_close(&server);
	}
}

static void the_name_asked_for_picks_the_certificate(void **state)
{
	static const struct { const char *name; bool served; } rows[] = {
		{ "shop.example", true }, { "SHOP.example", true }, { "a.wild.example", true },
		{ "wild.example", false }, { "a.b.wild.example", false }, { "other.example", false },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++)
		assert_int_equal(tls_context_serves(h->server, bytes_of(rows[i].name)), rows[i].served);
	assert_true(tls_context_expiry(h->server) > time(NULL) + 80 * 24 * 3600);
}

static int raw(const struct house *h)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&h->door.at, sizeof h->door.at), 0);
	return fd;
}

/* OpenSSL's own client, on a thread, against a server of ours. */
struct foreigner {
	SSL_CTX *ctx;
	SSL_SESSION *session; /* to resume, and the one that came of it */
	int fd;
	bool shaken, resumed;
	char alpn[16];
};

static void *visit(void *arg)
{
	struct foreigner *f = arg;
	SSL *s = SSL_new(f->ctx);
	const unsigned char *alpn;
	unsigned n;
	char buf[8];

	SSL_set_fd(s, f->fd);
	SSL_set_tlsext_host_name(s, "shop.example");
	if (f->session)
		SSL_set_session(s, f->session);
	f->shaken = SSL_connect(s) == 1;
	f->resumed = SSL_session_reused(s);
	SSL_get0_alpn_selected(s, &alpn, &n);
	snprintf(f->alpn, sizeof f->alpn, "%.*s", (int)n, n ? (const char *)alpn : "");
	if (f->shaken && SSL_write(s, "x", 1) == 1)
		SSL_read(s, buf, sizeof buf); /* the ticket comes with it */
	SSL_SESSION_free(f->session);
	f->session = SSL_get1_session(s);
	SSL_shutdown(s);
	SSL_free(s);
	close(f->fd);
	return NULL;
}

static void receive(struct house *h, struct foreigner *f)
{
	struct end server = { 0 };
	pthread_t thread;

	h->door.next = &server;
	f->fd = raw(h);
	pthread_create(&thread, NULL, visit, f);
	RUN_UNTIL(h->loop, server.n || server.ended);
	if (!server.ended)
		say(&server, BYTES("y"));
	RUN_UNTIL(h->loop, server.ended);
	run_for(h->loop, 1); /* an alert leaves */
	pthread_join(thread, NULL);
	end_close(&server);
}

static void sessions_resume_also_after_a_reload(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct house *h = *state;

	for (size_t i = 0; i < nelems(versions); i++) {
		struct foreigner f = { .ctx = SSL_CTX_new(TLS_client_method()) };

		SSL_CTX_set_max_proto_version(f.ctx, versions[i]);
		receive(h, &f);
		assert_true(f.shaken && !f.resumed);
		tls_context_free(h->server); /* a reload: the same secret, another context */
		h->server = h->door.tls = server_with(h, "shop", "wild");
		receive(h, &f);
		assert_true(f.shaken && f.resumed);
		SSL_SESSION_free(f.session);
		SSL_CTX_free(f.ctx);
	}
}

static void what_the_client_can_speak_is_agreed_or_refused(void **state)
{
	static const struct { const char *offer; size_t n; int most; bool shaken; const char *chosen; } rows[] = {
		{ "\x08http/1.1", 9, 0, true, "http/1.1" },
		{ "\x02h2\x08http/1.1", 12, 0, true, "http/1.1" },
		{ "\x02h2", 3, 0, false, "" },
		{ "", 0, 0, true, "" },
		{ "", 0, TLS1_1_VERSION, false, "" },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct foreigner f = { .ctx = SSL_CTX_new(TLS_client_method()) };

		if (rows[i].n)
			SSL_CTX_set_alpn_protos(f.ctx, (const unsigned char *)rows[i].offer, (unsigned)rows[i].n);
		if (rows[i].most)
			SSL_CTX_set_max_proto_version(f.ctx, rows[i].most);
		receive(h, &f);
		assert_int_equal(f.shaken, rows[i].shaken);
		assert_string_equal(f.alpn, rows[i].chosen);
		SSL_SESSION_free(f.session);
		SSL_CTX_free(f.ctx);
	}
}

static void resume_later(void *owner)
{
	struct end *e = owner;

	stream_resume(e->stream);
}

static struct deadline again;

static void pause_each_time(struct end *e)
{
	stream_pause(e->stream);
	if (e->pieces % 3)
		resume_later(e); /* from inside the callback */
	else
		deadline_set(e->loop, &again, 0, resume_later, e);
}

static void pauses_in_the_middle_of_records_lose_nothing(void **state)
{
	struct house *h = *state;
	struct end server = { .got = calloc(1, 1), .on_bytes = pause_each_time }, client = { 0 };
	char *b = malloc(LARGE);

	for (size_t i = 0; i < LARGE; i++)
		b[i] = (char)(i % 251 + 1);
	shake(h, &server, &client);
	for (size_t at = 0, n = 1; at < LARGE; at += n, n = n * 3 % 40000 + 1)
		say(&client, bytes_sub((struct bytes){ b, LARGE }, at, at + n));
	stream_finish(client.stream);
	RUN_UNTIL(h->loop, server.ended);
	assert_int_equal(server.how, END_CLEAN);
	assert_int_equal(server.n, LARGE);
	assert_memory_equal(server.got, b, LARGE);
	deadline_clear(&again);
	free(b);
	end_close(&client);
	end_close(&server);
}

static void a_paused_stream_keeps_what_it_had_read(void **state)
{
	struct house *h = *state;
	struct end server = { 0 }, client = { 0 };

	shake(h, &server, &client);
	stream_pause(server.stream);
	for (int i = 0; i < 50; i++)
		say(&client, BYTES("piece"));
	stream_finish(client.stream);
	run_for(h->loop, 60);
	assert_int_equal(server.n + server.ended, 0);
	stream_resume(server.stream);
	stream_pause(server.stream);
	run_for(h->loop, 60);
	assert_int_equal(server.n, 0);
	stream_resume(server.stream);
	RUN_UNTIL(h->loop, server.ended);
	assert_int_equal(server.n, 250);
	end_close(&client);
	end_close(&server);
}

static void a_last_word_is_clean_and_its_hearer_may_still_speak(void **state)
{
	struct house *h = *state;
	struct end server = { 0 }, client = { 0 };

	shake(h, &server, &client);
	stream_finish(client.stream);
	RUN_UNTIL(h->loop, server.ended);
	assert_int_equal(server.how, END_CLEAN);
	assert_true(say(&server, BYTES("still")));
	stream_finish(server.stream);
	RUN_UNTIL(h->loop, client.ended);
	assert_int_equal(client.n, 5);
	assert_int_equal(client.how, END_CLEAN);
	end_close(&client);
	end_close(&server);
}

static void an_end_without_a_last_word_is_a_cut(void **state)
{
	static const char *const whys[] = {
		"TLS connection cut without close_notify", "connection closed during the TLS handshake",
	};
	struct house *h = *state;

	for (int shaken = 0; shaken < 2; shaken++) {
		struct end server = { 0 }, client = { 0 };
		int fd = -1;

		if (shaken) {
			shake(h, &server, &client);
			run_for(h->loop, 20); /* the ticket is read: no reset */
			stream_close(client.stream); /* FIN, and no word */
		} else {
			h->door.next = &server;
			fd = raw(h);
			send(fd, "\x16\x03\x01", 3, 0);
			close(fd);
		}
		RUN_UNTIL(h->loop, server.ended);
		assert_int_equal(server.how, END_BROKEN);
		assert_string_equal(server.why, whys[!shaken]);
		end_close(&server);
		if (shaken)
			end_close(&client);
	}
}

static void what_is_no_tls_is_a_failure(void **state)
{
	static const char *const said[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\xff\xff\x01", "\x16\x03\x01\x00\x05hello",
		"\x15\x03\x03\x00\x02\x02\x28", "\x17\x03\x03\x00\x01x",
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(said); i++) {
		struct end server = { 0 };
		int fd;

		h->door.next = &server;
		fd = raw(h);
		send(fd, said[i], i == 1 ? 6 : i == 2 ? 10 : i == 3 ? 7 : i == 4 ? 6 : strlen(said[i]), 0);
		shutdown(fd, SHUT_WR);
		RUN_UNTIL(h->loop, server.ended);
		assert_int_equal(server.how, END_BROKEN);
		assert_int_equal(server.readied + server.n, 0);
		end_close(&server);
		close(fd);
	}
}

static void a_close_inside_a_callback_is_the_last_of_it(void **state)
{
	static const struct { bool ready, bytes, end; } rows[] = {
		{ true, false, false }, { false, true, false }, { false, false, true },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct end server = { .close_at_ready = rows[i].ready, .close_at_bytes = rows[i].bytes,
				      .close_at_end = rows[i].end };
		struct end client = { 0 };

		dial(h, &server, &client, h->blind, "shop.example");
		for (int k = 0; k < 20; k++)
			say(&client, BYTES("some more records"));
		stream_finish(client.stream);
		RUN_UNTIL(h->loop, server.closed);
		run_for(h->loop, 10);
		assert_int_equal(server.closed, 1);
		assert_int_equal(server.pieces, rows[i].ready ? 0 : rows[i].bytes ? 1 : 20);
		end_close(&client);
	}
}

static void start_tls(struct end *e)
{
	struct bytes rest = { e->got + 6, e->n - 6 };

	if (e->n < 6 || stream_tls_version(e->stream))
		return;
	e->on_bytes = NULL;
	assert_true(stream_start_tls(e->stream, e->for_on_bytes, rest));
}

static void tls_may_begin_behind_a_plain_word(void **state)
{
	struct house *h = *state;
	struct end server = { .got = calloc(1, 1), .on_bytes = start_tls, .for_on_bytes = h->server };
	struct foreigner f = { .ctx = SSL_CTX_new(TLS_client_method()) };
	pthread_t thread;

	h->door.tls = NULL;
	h->door.next = &server;
	f.fd = raw(h);
	send(f.fd, "PROXY ", 6, 0);
	pthread_create(&thread, NULL, visit, &f);
	RUN_UNTIL(h->loop, server.readied);
	RUN_UNTIL(h->loop, server.got[server.n - 1] == 'x');
	say(&server, BYTES("y"));
	RUN_UNTIL(h->loop, server.ended);
	run_for(h->loop, 1); /* an alert leaves */
	pthread_join(thread, NULL);
	assert_true(f.shaken);
	SSL_SESSION_free(f.session);
	SSL_CTX_free(f.ctx);
	end_close(&server);
}

/* Overwrites a certificate by one that has expired, signed by the same key. */
static void make_old(const struct house *h)
{
	FILE *key_file = fopen(file(h, "key"), "r"), *out = fopen(file(h, "old"), "w");
	EVP_PKEY *key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);
	X509 *x = X509_new();
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:shop.example");

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -7200);
	X509_gmtime_adj(X509_getm_notAfter(x), -3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
				   (const unsigned char *)"shop.example", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_add_ext(x, san, -1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0 && PEM_write_X509(out, x));
	X509_EXTENSION_free(san);
	X509_free(x);
	EVP_PKEY_free(key);
	fclose(key_file);
	fclose(out);
}

static void an_expired_certificate_is_refused_where_it_is_checked(void **state)
{
	struct house *h = *state;
	struct end server = { 0 }, client = { 0 };
	struct tls_context *trusting;
	struct err e;

	make_old(h);
	tls_context_free(h->server);
	h->server = h->door.tls = server_with(h, "old", "wild");
	assert_true(tls_context_expiry(h->server) < time(NULL));
	trusting = tls_client_new(true, file(h, "old"), &e);
	dial(h, &server, &client, trusting, "shop.example");
	assert_int_equal(client.ended, 1);
	assert_string_equal(client.why, "certificate refused: certificate has expired");
	end_close(&client);
	end_close(&server);
	tls_context_free(trusting);
}

static void bad_files_are_named(void **state)
{
	struct house *h = *state;
	struct tls_cert_file bad[] = {
		{ file(h, "none"), file(h, "key") }, { file(h, "shop"), file(h, "none") },
		{ file(h, "shop"), file(h, "key2") }, { file(h, "key"), file(h, "key") },
	};

	for (size_t i = 0; i < nelems(bad); i++) {
		struct tls_server_options o = { .certs = &bad[i], .ncerts = 1, .min_version = 12 };
		struct err e = { 0 };

		assert_null(tls_server_new(&o, &e));
		assert_int_equal(e.side, SIDE_CONFIG);
		assert_true(strncmp(e.text, h->dir, strlen(h->dir)) == 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_are_ready_and_know_what_is_spoken),
		TEST(a_client_has_a_fingerprint_from_its_first_hello),
		TEST(a_certificate_is_trusted_for_its_name_alone),
		TEST(the_name_asked_for_picks_the_certificate),
		TEST(sessions_resume_also_after_a_reload),
		TEST(what_the_client_can_speak_is_agreed_or_refused),
		TEST(pauses_in_the_middle_of_records_lose_nothing),
		TEST(a_paused_stream_keeps_what_it_had_read),
		TEST(a_last_word_is_clean_and_its_hearer_may_still_speak),
		TEST(an_end_without_a_last_word_is_a_cut),
		TEST(what_is_no_tls_is_a_failure),
		TEST(a_close_inside_a_callback_is_the_last_of_it),
		TEST(tls_may_begin_behind_a_plain_word),
		TEST(an_expired_certificate_is_refused_where_it_is_checked),
		TEST(bad_files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
