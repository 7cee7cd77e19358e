/* http1_request.c -- which request heads are taken, what of them goes on, and
 * why the others are refused. Cases are byte-exact. */
#include "tests/test.h"
#include "base/http1.h"

static const struct http1_limits limits = { .head_bytes = 4096, .target_bytes = 1024, .fields = 20 };

/* Most cases vary one line: R is the line and the Host that go before it. */
#define R "POST /p HTTP/1.1\r\nHost: a.example\r\n"
#define END "\r\n\r\n"

static const struct refusal {
	struct bytes head;
	int status;
	const char *why; /* part of the error's text */
} refusals[] = {
	/* The request line. */
	{ BYTES_INIT("\r\n"), 400, "within the method" },
	{ BYTES_INIT("GET\r\n\r\n"), 400, "ends within the method" },
	{ BYTES_INIT("GET /\r\n\r\n"), 400, "ends within the target" }, /* HTTP/0.9 */
	{ BYTES_INIT("GET / \r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT(" GET / HTTP/1.1\r\nHost: a" END), 400, "blank too many before the method" },
	{ BYTES_INIT("GET  / HTTP/1.1\r\nHost: a" END), 400, "blank too many before the target" },
	{ BYTES_INIT("GET /  HTTP/1.1\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / HTTP/1.1 \r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET\t/ HTTP/1.1\r\nHost: a" END), 400, "byte 0x09 in the method" },
	{ BYTES_INIT("GET /\tHTTP/1.1\r\nHost: a" END), 400, "byte 0x09 in the target" },
	{ BYTES_INIT("GET / HTTP/1.1\t\r\nHost: a" END), 400, "byte 0x09 in the request line" },
	{ BYTES_INIT("GET /a b HTTP/1.1\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("G(T / HTTP/1.1\r\nHost: a" END), 400, "byte 0x28 in the method" },
	{ BYTES_INIT("G\0T / HTTP/1.1\r\nHost: a" END), 400, "byte 0x00 in the method" },
	{ BYTES_INIT("GET / HTTP/1.1\nHost: a" END), 400, "bare LF after the request line" },
	{ BYTES_INIT("GET / HTTP/1.1\rHost: a" END), 400, "bare CR after the request line" },
	{ BYTES_INIT("GET / HTTP/1.1\r\r\nHost: a" END), 400, "bare CR after the request line" },
	{ BYTES_INIT("GET / http/1.1\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / HTTP/1\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / HTTP/1.10\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / HTTP/11\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / HTTP /1.1\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / HTTP/1,1\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / ICY/1.1\r\nHost: a" END), 400, "HTTP/1.1" },
	{ BYTES_INIT("GET / HTTP/2.0\r\nHost: a" END), 505, "HTTP/2.0" },
	{ BYTES_INIT("GET / HTTP/1.2\r\nHost: a" END), 505, "HTTP/1.2" },
	{ BYTES_INIT("GET / HTTP/0.9\r\nHost: a" END), 505, "HTTP/0.9" },
	{ BYTES_INIT("PRI * HTTP/2.0" END), 505, "HTTP/2.0" },
	{ BYTES_INIT("FOO / HTTP/1.1\r\nHost: a" END), 501, "unknown method" },
	{ BYTES_INIT("get / HTTP/1.1\r\nHost: a" END), 501, "unknown method" },
	{ BYTES_INIT("GETS / HTTP/1.1\r\nHost: a" END), 501, "unknown method" },
	{ BYTES_INIT("PLAY / HTTP/1.1\r\nHost: a" END), 501, "unknown method" }, /* RTSP's */
	{ BYTES_INIT("PRI / HTTP/1.1\r\nHost: a" END), 501, "unknown method" },
	{ BYTES_INIT("CONNECT a:443 HTTP/1.1\r\nHost: a:443" END), 405, "CONNECT" },
	{ BYTES_INIT("CONNECT / HTTP/1.1\r\nHost: a" END), 405, "CONNECT" },
	/* The target. */
	{ BYTES_INIT("GET /#f HTTP/1.1\r\nHost: a" END), 400, "byte 0x23 in the target" },
	{ BYTES_INIT("GET /\x7f HTTP/1.1\r\nHost: a" END), 400, "byte 0x7f in the target" },
	{ BYTES_INIT("GET /\xc3\xa9 HTTP/1.1\r\nHost: a" END), 400, "byte 0xc3 in the target" },
	{ BYTES_INIT("GET /\0 HTTP/1.1\r\nHost: a" END), 400, "byte 0x00 in the target" },
	{ BYTES_INIT("GET /?\x01 HTTP/1.1\r\nHost: a" END), 400, "byte 0x01 in the target" },
	{ BYTES_INIT("GET p HTTP/1.1\r\nHost: a" END), 400, "neither a path nor" },
	{ BYTES_INIT("GET ?q HTTP/1.1\r\nHost: a" END), 400, "neither a path nor" },
	{ BYTES_INIT("GET * HTTP/1.1\r\nHost: a" END), 400, "target *" },
	{ BYTES_INIT("OPTIONS *x HTTP/1.1\r\nHost: a" END), 400, "neither a path nor" },
	{ BYTES_INIT("GET a:80 HTTP/1.1\r\nHost: a" END), 400, "neither a path nor" },
	{ BYTES_INIT("GET ftp://a/ HTTP/1.1\r\nHost: a" END), 400, "neither a path nor" },
	{ BYTES_INIT("GET ws://a/ HTTP/1.1\r\nHost: a" END), 400, "neither a path nor" },
	{ BYTES_INIT("GET http:/a/ HTTP/1.1\r\nHost: a" END), 400, "neither a path nor" },
	{ BYTES_INIT("GET http:// HTTP/1.1\r\nHost: a" END), 400, "differs" },
	{ BYTES_INIT("GET http:///p HTTP/1.1\r\nHost: a" END), 400, "differs" },
	{ BYTES_INIT("GET http:///p HTTP/1.0" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET http://u@a/ HTTP/1.1\r\nHost: a" END), 400, "user information" },
	{ BYTES_INIT("GET http://u:p@a/ HTTP/1.1\r\nHost: a" END), 400, "user information" },
	{ BYTES_INIT("GET http://a\\@b/ HTTP/1.1\r\nHost: b" END), 400, "user information" },
	{ BYTES_INIT("GET http://a\\b/ HTTP/1.1\r\nHost: a" END), 400, "differs" },
	{ BYTES_INIT("GET http://b/ HTTP/1.1\r\nHost: a" END), 400, "differs" },
	{ BYTES_INIT("GET http://a:81/ HTTP/1.1\r\nHost: a" END), 400, "differs" },
	{ BYTES_INIT("GET https://a/ HTTP/1.1\r\nHost: a:80" END), 400, "differs" },
	{ BYTES_INIT("GET http://a/ HTTP/1.1" END), 400, "no Host" },
	/* Host. */
	{ BYTES_INIT("GET / HTTP/1.1" END), 400, "no Host" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\r\nHost: a" END), 400, "Host twice" },
	{ BYTES_INIT("GET / HTTP/1.0\r\nHost: a\r\nhOST: b" END), 400, "Host twice" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost:" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.0\r\nHost: " END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: :80" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a b" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a,b" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a/b" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\\b" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a?b" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a#b" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: u@a" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a%00" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a;b" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: \xc3\xa9" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\0b" END), 400, "byte 0x00 in a field value" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a:65536" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a:000080" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a:-1" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a:80:80" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a:http" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: ::1" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: [::1" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: [::1]80" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: [127.0.0.1]" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]" END), 400, "not name[:port]" },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: [v1.x]" END), 400, "not name[:port]" },
	/* Content-Length. */
	{ BYTES_INIT(R "Content-Length:" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: +5" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: -5" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: 5, 5" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: 5 5" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: 0x5" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: 5.0" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: 1e3" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: \xd9\xa5" END), 400, "Content-Length that is no number" },
	{ BYTES_INIT(R "Content-Length: 9223372036854775808" END), 400, "below 2^63" },
	{ BYTES_INIT(R "Content-Length: 18446744073709551615" END), 400, "below 2^63" },
	{ BYTES_INIT(R "Content-Length: 18446744073709551616" END), 400, "below 2^63" },
	{ BYTES_INIT(R "Content-Length: 18446744073709551621" END), 400, "below 2^63" },
	{ BYTES_INIT(R "Content-Length: 5\r\nContent-Length: 5" END), 400, "Content-Length twice" },
	{ BYTES_INIT(R "Content-Length: 5\r\nContent-length: 6" END), 400, "Content-Length twice" },
	{ BYTES_INIT(R "Content-Length : 5" END), 400, "before its colon" },
	{ BYTES_INIT(R "Content_Length: 5" END), 400, "imitates" },
	{ BYTES_INIT(R "content_length: 5\r\nContent-Length: 5" END), 400, "imitates" },
	/* Transfer-Encoding. */
	{ BYTES_INIT(R "Content-Length: 5\r\nTransfer-Encoding: chunked" END), 400, "together" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked\r\nContent-Length: 5" END), 400, "together" },
	{ BYTES_INIT(R "Transfer-Encoding: identity\r\nContent-Length: 5" END), 400, "together" },
	{ BYTES_INIT(R "Transfer-Encoding:" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: identity" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: gzip, chunked" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked, identity" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked, chunked" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked," END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: ,chunked" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked;a=b" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: \"chunked\"" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: xchunked" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: chunkedx" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: chun ked" END), 400, "other than chunked" },
	{ BYTES_INIT(R "Transfer-Encoding: \x0b" "chunked" END), 400, "byte 0x0b in a field value" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked\0" END), 400, "byte 0x00 in a field value" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" END), 400, "twice" },
	{ BYTES_INIT(R "Transfer-Encoding: chunked\r\nTransfer-encoding: x" END), 400, "twice" },
	{ BYTES_INIT(R "Transfer-Encoding:\r\n chunked" END), 400, "folded" },
	{ BYTES_INIT(R "Transfer-Encoding : chunked" END), 400, "before its colon" },
	{ BYTES_INIT(R "Transfer_Encoding: chunked" END), 400, "imitates" },
	{ BYTES_INIT(R "transfer-Encoding_: chunked\r\nTRANSFER_ENCODING: x" END), 400, "imitates" },
	{ BYTES_INIT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked" END), 400, "in HTTP/1.0" },
	{ BYTES_INIT("POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked" END),
	  400, "in HTTP/1.0" },
	/* Field lines. */
	{ BYTES_INIT(R "A: b\r\n c" END), 400, "folded" },
	{ BYTES_INIT(R "A: b\r\n\tc" END), 400, "folded" },
	{ BYTES_INIT(R "A: b\r\n \r\n" END), 400, "folded" },
	{ BYTES_INIT("GET / HTTP/1.1\r\n Host: a" END), 400, "folded" },
	{ BYTES_INIT(R "A : b" END), 400, "before its colon" },
	{ BYTES_INIT(R "A\t: b" END), 400, "before its colon" },
	{ BYTES_INIT(R "A b: c" END), 400, "blank in a field name" },
	{ BYTES_INIT(R ": b" END), 400, "empty field name" },
	{ BYTES_INIT(R "A" END), 400, "byte 0x0d in a field name" },
	{ BYTES_INIT(R "A\0: b" END), 400, "byte 0x00 in a field name" },
	{ BYTES_INIT(R "A\xff: b" END), 400, "byte 0xff in a field name" },
	{ BYTES_INIT(R "A\x7f: b" END), 400, "byte 0x7f in a field name" },
	{ BYTES_INIT(R "A(: b" END), 400, "byte 0x28 in a field name" },
	{ BYTES_INIT(R "A/B: b" END), 400, "byte 0x2f in a field name" },
	{ BYTES_INIT(R "A: b\0c" END), 400, "byte 0x00 in a field value" },
	{ BYTES_INIT(R "A: \x1b[0m" END), 400, "byte 0x1b in a field value" },
	{ BYTES_INIT(R "A: b\x7f" END), 400, "byte 0x7f in a field value" },
	{ BYTES_INIT(R "A: b\nB: c" END), 400, "bare LF after a field value" },
	{ BYTES_INIT(R "A: b\rB: c" END), 400, "bare CR after a field value" },
	{ BYTES_INIT(R "A: b\r\r\n" END), 400, "bare CR after a field value" },
	{ BYTES_INIT(R "A: b\n\n"), 400, "bare LF after a field value" },
	{ BYTES_INIT(R "A: b\r\n\n"), 400, "byte 0x0a in a field name" },
	{ BYTES_INIT(R "A: b\r\n\rB: c" END), 400, "bare CR after the fields" },
	/* What ends elsewhere than the head does. */
	{ BYTES_INIT(""), 400, "within the method" },
	{ BYTES_INIT("GET / HTTP/1.1"), 400, "ends within the request line" },
	{ BYTES_INIT(R), 400, "ends within the fields" },
	{ BYTES_INIT(R "A"), 400, "ends within a field name" },
	{ BYTES_INIT(R "A: b"), 400, "ends within a field value" },
	{ BYTES_INIT(R "\r\nGET"), 400, "bytes behind the head" },
	/* Connection, Expect. */
	{ BYTES_INIT(R "Connection: close, Host" END), 400, "Connection names Host" },
	{ BYTES_INIT(R "Content-Length: 5\r\nConnection: content-length" END), 400, "names content-length" },
	{ BYTES_INIT(R "Connection: Transfer-Encoding" END), 400, "names Transfer-Encoding" },
	{ BYTES_INIT(R "Connection: a b" END), 400, "no token" },
	{ BYTES_INIT(R "Connection: \"close\"" END), 400, "no token" },
	{ BYTES_INIT(R "Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,a,b,c,d,e,f,g,h,i,"
	  "j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,a,b,c,d,e,f,g,h,i,j,k,l,m" END), 400, "options" },
	{ BYTES_INIT(R "Expect: 200-ok" END), 417, "expectation" },
	{ BYTES_INIT(R "Expect:" END), 417, "expectation" },
	{ BYTES_INIT(R "Expect: 100-continue, x" END), 417, "expectation" },
	{ BYTES_INIT(R "Expect: 100-continue\r\nExpect: x" END), 417, "expectation" },
};

static void what_is_refused_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(refusals); i++) {
		const struct refusal *c = &refusals[i];
		struct arena *a = arena_new(64 << 10);
		struct request q;
		struct err e = { 0 };

		if (http1_parse_request(a, c->head, &limits, &q, &e))
			fail_msg("case %zu is taken: %.*s", i, BYTES_ARG(c->head));
		if (e.code != c->status || e.side != SIDE_CLIENT || !strstr(e.text, c->why))
			fail_msg("case %zu: %d %s, want %d %s", i, e.code, e.text, c->status, c->why);
		arena_free(a);
	}
}

/* What is taken, and the bytes that go on. */
static const struct {
	const char *head, *onward;
} taken[] = {
	{ "GET / HTTP/1.1\r\nHost: a" END, "GET / HTTP/1.1\r\nHost: a" END },
	{ "GET / HTTP/1.0" END, "GET / HTTP/1.1\r\nHost: " END },
	{ "GET / HTTP/1.0\r\nHost: a" END, "GET / HTTP/1.1\r\nHost: a" END },
	{ "GET / HTTP/1.1\r\nA:b\r\nhost:   a.b-c_d~e:8080 \t\r\nC:  d e \t\r\nE:" END,
	  "GET / HTTP/1.1\r\nHost: a.b-c_d~e:8080\r\nA: b\r\nC: d e\r\nE: " END },
	{ "GET / HTTP/1.1\r\nHost: a:" END, "GET / HTTP/1.1\r\nHost: a:" END },
	{ "GET / HTTP/1.1\r\nHost: [2001:db8::1]:443" END, "GET / HTTP/1.1\r\nHost: [2001:db8::1]:443" END },
	{ "GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]" END, "GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]" END },
	/* Bytes that clients send raw must reach inspection. */
	{ "GET /a|{}^`[]\\\"<>?b|{}^`[]\\\"<>'%zz HTTP/1.1\r\nHost: a" END,
	  "GET /a|{}^`[]\\\"<>?b|{}^`[]\\\"<>'%zz HTTP/1.1\r\nHost: a" END },
	{ "GET /? HTTP/1.1\r\nHost: a" END, "GET /? HTTP/1.1\r\nHost: a" END },
	{ "GET //x/../;y??z HTTP/1.1\r\nHost: a" END, "GET //x/../;y??z HTTP/1.1\r\nHost: a" END },
	{ "M-SEARCH / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^`|~: x" END,
	  "M-SEARCH / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^`|~: x" END },
	{ "GET / HTTP/1.1\r\nHost: a\r\nA: \xff\x80 \t\xe9" END, "GET / HTTP/1.1\r\nHost: a\r\nA: \xff\x80 \t\xe9" END },
	/* The absolute form becomes the origin form. */
	{ "GET http://a HTTP/1.1\r\nHost: a" END, "GET / HTTP/1.1\r\nHost: a" END },
	{ "GET HTTP://a/p?q HTTP/1.1\r\nHost: A:80" END, "GET /p?q HTTP/1.1\r\nHost: a" END },
	{ "GET https://a:443?q HTTP/1.1\r\nHost: a" END, "GET /?q HTTP/1.1\r\nHost: a:443" END },
	{ "GET http://[::1]/ HTTP/1.0" END, "GET / HTTP/1.1\r\nHost: [::1]" END },
	{ "OPTIONS * HTTP/1.1\r\nHost: a" END, "OPTIONS * HTTP/1.1\r\nHost: a" END },
	{ "OPTIONS http://a HTTP/1.1\r\nHost: a" END, "OPTIONS * HTTP/1.1\r\nHost: a" END },
	{ "OPTIONS http://a/ HTTP/1.1\r\nHost: a" END, "OPTIONS / HTTP/1.1\r\nHost: a" END },
	/* Framing is said anew. */
	{ R "content-LENGTH:\t5 \t" END, R "Content-Length: 5" END },
	{ R "Content-Length: 0005" END, R "Content-Length: 5" END },
	{ R "Content-Length: 9223372036854775807\r\nA: b" END, R "A: b\r\nContent-Length: 9223372036854775807" END },
	{ R "Content-Length: 0" END, R "Content-Length: 0" END },
	{ R "Transfer-Encoding: \tchunked \t\r\nA: b" END, R "A: b\r\nTransfer-Encoding: chunked" END },
	{ R "transfer-encoding: ChunKED" END, R "Transfer-Encoding: chunked" END },
	{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3" END, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3" END },
	{ "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked" END,
	  "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked" END },
	{ "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3" END, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3" END },
	/* Fields of this hop stay here. */
	{ R "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: trailers\r\n"
	  "Trailer: x\r\nUpgrade: x\r\nHTTP2-Settings: x\r\nProxy-Authorization: x\r\nExpect: 100-continue" END,
	  R "\r\n" },
	{ R "X-Real: 1\r\nConnection: x-real, Cookie,, close\r\nCookie: a\r\ncookie: b\r\nB: c\r\nConnection: b" END,
	  R "\r\n" },
	{ R "Connection: close\r\nConnection: X-Forwarded-For\r\nX-Forwarded-For: 1\r\nA: b" END, R "A: b" END },
	{ R "Connection:\r\nA: b" END, R "A: b" END },
	{ R "X_Forwarded_For: 1\r\nx_forwarded-proto: 2\r\nUser_Agent: x\r\nX_Other: y\r\nHos_t: z" END,
	  R "X_Other: y\r\nHos_t: z" END },
};

static void what_is_taken_goes_on_as_one_reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(taken); i++) {
		struct arena *a = arena_new(64 << 10);
		struct request q;
		struct err e = { 0 };

		if (!http1_parse_request(a, bytes_of(taken[i].head), &limits, &q, &e))
			fail_msg("case %zu is refused: %s", i, e.text);
		assert_bytes(http1_write_request(a, &q, NULL, 0, q.framing, q.length),
			     bytes_of(taken[i].onward));
		arena_free(a);
	}
}

/* Every single byte, in each place where a byte may stand: the classes of RFC
 * 9110 are spelt out here a second time. */
static bool taken_with(const char *before, char c, const char *after)
{
	struct arena *a = arena_new(64 << 10);
	char head[256];
	struct text t = text_over(head, sizeof head);
	struct request q;
	bool ok;

	text_str(&t, before);
	text_byte(&t, c);
	text_str(&t, after);
	ok = http1_parse_request(a, text_bytes(&t), &limits, &q, NULL);
	arena_free(a);
	return ok;
}

static void every_byte_has_its_places(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		bool visible = c > 0x20 && c < 0x7f;
		bool token = alnum || (c && strchr("!#$%&'*+-.^_`|~", c));
		bool host = alnum || (c && strchr("-._~", c));

		assert_int_equal(taken_with("GET /a", (char)c, "b HTTP/1.1\r\nHost: a" END), visible && c != '#');
		assert_int_equal(taken_with("GET /?a", (char)c, "b HTTP/1.1\r\nHost: a" END), visible && c != '#');
		assert_int_equal(taken_with(R "A", (char)c, "b: c" END), token || c == ':');
		assert_int_equal(taken_with(R "A: b", (char)c, "c" END), c == '\t' || (c >= 0x20 && c != 0x7f));
		assert_int_equal(taken_with("GET / HTTP/1.1\r\nHost: a", (char)c, "1" END), host || c == ':');
	}
}

static void limits_have_their_statuses(void **state)
{
	static const struct http1_limits tight = { .head_bytes = 100, .target_bytes = 10, .fields = 3 };
	static const struct {
		const char *head;
		int status; /* 0: taken */
	} cases[] = {
		{ "GET /234567890 HTTP/1.1\r\nHost: a" END, 0 },
		{ "GET /2345678901 HTTP/1.1\r\nHost: a" END, 414 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nC: d" END, 0 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nC: d\r\nE: f" END, 431 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(64 << 10);
		struct err e = { 0 };
		struct request q;

		assert_int_equal(http1_parse_request(a, bytes_of(cases[i].head), &tight, &q, &e),
				 cases[i].status == 0);
		assert_int_equal(e.code, cases[i].status);
		arena_free(a);
	}
	for (int more = 0; more < 2; more++) { /* 100 bytes, 101 bytes */
		struct arena *a = arena_new(64 << 10);
		char head[128];
		struct text t = text_over(head, sizeof head);
		struct err e = { 0 };
		struct request q;

		text_printf(&t, "GET / HTTP/1.1\r\nHost: a\r\nB: %0*d" END, 68 + more, 0);
		assert_int_equal(http1_parse_request(a, text_bytes(&t), &tight, &q, &e), !more);
		assert_int_equal(e.code, more ? 431 : 0);
		arena_free(a);
	}
}

static void the_connection_is_kept_when_all_agree(void **state)
{
	static const struct {
		const char *head;
		bool keep;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a" END, true },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close" END, false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE ,y" END, false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close" END, false },
		{ "GET / HTTP/1.0" END, false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive" END, true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close" END, false },
		/* llhttp takes this for Connection; closing is always safe. */
		{ "GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close" END, false },
		{ "GET / HTTP/1.0\r\nProxy-Connection: keep-alive" END, false },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(64 << 10);
		struct request q;

		assert_true(http1_parse_request(a, bytes_of(cases[i].head), &limits, &q, NULL));
		if (q.keep_alive != cases[i].keep)
			fail_msg("case %zu", i);
		arena_free(a);
	}
}

static void an_upgrade_needs_connection_and_is_never_http2(void **state)
{
	static const struct {
		const char *fields, *upgrade;
	} cases[] = {
		{ "Connection: Upgrade\r\nUpgrade: websocket", "websocket" },
		{ "Connection: keep-alive, upgrade\r\nUpgrade: foo/1.2, bar", "foo/1.2,bar" },
		{ "Connection: upgrade\r\nUpgrade: h2c", NULL },
		{ "Connection: upgrade\r\nUpgrade: H2C, WebSocket", "WebSocket" },
		{ "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c-14, tcp", "websocket,tcp" },
		{ "Connection: upgrade\r\nUpgrade: HTTP/2.0", NULL },
		{ "Connection: upgrade\r\nUpgrade: h2", NULL },
		{ "Connection: upgrade\r\nUpgrade: a b, c/, /d, , \"e\"", NULL },
		{ "Connection: upgrade", NULL },
		{ "Upgrade: websocket", NULL },
		{ "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk", NULL },
		{ "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1", NULL },
		{ "Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked", NULL },
		{ "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0", "websocket" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(64 << 10);
		char head[256];
		struct text t = text_over(head, sizeof head);
		struct request q;

		text_printf(&t, "GET / HTTP/1.1\r\nHost: a\r\n%s" END, cases[i].fields);
		assert_true(http1_parse_request(a, text_bytes(&t), &limits, &q, NULL));
		assert_bytes(q.upgrade, bytes_of(cases[i].upgrade));
		assert_int_equal(q.upgrade.at != NULL, cases[i].upgrade != NULL);
		arena_free(a);
	}
}

static void http10_cannot_upgrade_or_expect(void **state)
{
	struct arena *a = arena_new(64 << 10);
	struct request q;

	(void)state;
	assert_true(http1_parse_request(a, BYTES("POST / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
						 "Expect: 100-continue\r\nContent-Length: 3" END),
					&limits, &q, NULL));
	assert_null(q.upgrade.at);
	assert_false(q.expect_continue);
	assert_true(http1_parse_request(a, BYTES(R "Expect: 100-Continue\r\nContent-Length: 3" END), &limits,
					&q, NULL));
	assert_true(q.expect_continue);
	assert_true(http1_parse_request(a, BYTES(R "Expect: 100-continue" END), &limits, &q, NULL));
	assert_false(q.expect_continue); /* no body to wait with */
	arena_free(a);
}

static void the_parts_are_slices_of_the_head(void **state)
{
	struct arena *a = arena_new(64 << 10);
	struct request q;

	(void)state;
	assert_true(http1_parse_request(a, BYTES("PUT http://Shop.example:80/a/b?c=d?e HTTP/1.1\r\nA: b\r\n"
						 "Host: shop.EXAMPLE\r\nContent-Length: 12" END),
					&limits, &q, NULL));
	assert_bytes(q.line, BYTES("PUT http://Shop.example:80/a/b?c=d?e HTTP/1.1"));
	assert_bytes(q.method, BYTES("PUT"));
	assert_bytes(q.target, BYTES("http://Shop.example:80/a/b?c=d?e"));
	assert_bytes(q.path, BYTES("/a/b"));
	assert_bytes(q.query, BYTES("c=d?e"));
	assert_bytes(q.host, BYTES("Shop.example:80"));
	assert_true(bytes_eq_nocase(q.hostname, BYTES("shop.example")));
	assert_int_equal(q.fields.n, 3);
	assert_int_equal(q.minor, 1);
	assert_int_equal(q.framing, BODY_LENGTH);
	assert_int_equal(q.length, 12);
	assert_true(http1_parse_request(a, BYTES("GET /p HTTP/1.1\r\nHost: [::1]:80" END), &limits, &q, NULL));
	assert_bytes(q.hostname, BYTES("::1"));
	assert_null(q.query.at);
	arena_free(a);
}

/* A refused request is inspected as a lenient server would have read it. */
static void what_is_refused_can_still_be_read(void **state)
{
	static const struct {
		struct bytes head;
		const char *method, *path, *query, *host;
		struct bytes fields; /* name=value; */
	} cases[] = {
		{ BYTES_INIT("GET /a?b HTTP/1.1\nHost: h\nX: y\n\nbody: no"), "GET", "/a", "b", "h", BYTES_INIT("Host=h;X=y;") },
		{ BYTES_INIT("GET  \t/a b?c  HTTP/1.1 \r\nHost: h" END), "GET", "/a b", "c", "h", BYTES_INIT("Host=h;") },
		{ BYTES_INIT("GET /x"), "GET", "/x", NULL, "", BYTES_INIT("") },
		{ BYTES_INIT("\r\n"), "", "", NULL, "", BYTES_INIT("") },
		{ BYTES_INIT(""), "", "", NULL, "", BYTES_INIT("") },
		{ BYTES_INIT("CONNECT h:1 HTTP/1.1\r\nHost: h:1" END), "CONNECT", "h:1", NULL, "h:1", BYTES_INIT("Host=h:1;") },
		{ BYTES_INIT("GET http://u:p@h:8/p?q HTTP/1.1\r\nHost: x" END), "GET", "/p", "q", "u:p@h:8", BYTES_INIT("Host=x;") },
		{ BYTES_INIT("GET /\xc3\xa9 HTTP/1.1\r\nHost : h\r\n\r\n"), "GET", "/\xc3\xa9", NULL, "h", BYTES_INIT("Host=h;") },
		{ BYTES_INIT(R "A: b\r\n  c\r\nD" END), "POST", "/p", NULL, "a.example",
		  BYTES_INIT("Host=a.example;A=b\r\n  c;D=;") },
		{ BYTES_INIT(R "A: b\0c\r\n: d" END), "POST", "/p", NULL, "a.example", BYTES_INIT("Host=a.example;A=b\0c;=d;") },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(64 << 10);
		char buf[256];
		struct text t = text_over(buf, sizeof buf);
		struct request q;

		assert_false(http1_parse_request(a, cases[i].head, &limits, &q, NULL));
		assert_bytes(q.method, bytes_of(cases[i].method));
		assert_bytes(q.path, bytes_of(cases[i].path));
		assert_bytes(q.query, bytes_of(cases[i].query));
		assert_bytes(q.host, bytes_of(cases[i].host));
		for (size_t k = 0; k < q.fields.n; k++) {
			text_put(&t, q.fields.at[k].name);
			text_byte(&t, '=');
			text_put(&t, q.fields.at[k].value);
			text_byte(&t, ';');
		}
		assert_bytes(text_bytes(&t), cases[i].fields);
		arena_free(a);
	}
}

static void a_full_arena_refuses(void **state)
{
	struct arena *a = arena_new(0); /* one chunk */
	struct request q;
	struct err e = { 0 };

	(void)state;
	while (arena_raw(a, 256))
		;
	assert_false(http1_parse_request(a, BYTES("GET / HTTP/1.1\r\nHost: a" END), &limits, &q, &e));
	assert_int_equal(e.code, 431);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(what_is_taken_goes_on_as_one_reading),
		cmocka_unit_test(every_byte_has_its_places),
		cmocka_unit_test(limits_have_their_statuses),
		cmocka_unit_test(the_connection_is_kept_when_all_agree),
		cmocka_unit_test(an_upgrade_needs_connection_and_is_never_http2),
		cmocka_unit_test(http10_cannot_upgrade_or_expect),
		cmocka_unit_test(the_parts_are_slices_of_the_head),
		cmocka_unit_test(what_is_refused_can_still_be_read),
		cmocka_unit_test(a_full_arena_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
