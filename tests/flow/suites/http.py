"""http.py -- connections and messages as a good client and a good origin use them."""
import re
import threading
import time

from lib.claims import claim, eventually, expect, within
from lib.client import chunked, request
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin, answer
from lib.ports import free_port
from lib.wire import Ended

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")


def quiet(origin, top=None, **app):
    return Gate(one_app(origin.url, top, **{"waf": CALM, **app}))


@claim
def a_request_and_its_answer_pass_unharmed():
    with Origin(
        lambda r: answer(200, b"<p>hello</p>", [b"Content-Type: text/html", b"X-Origin: yes"])
    ) as origin, quiet(origin) as gate:
        got = gate.ask("POST", "/a?b=c", ["X-Mine: 1", "Content-Type: text/plain"], b"some words")
        expect((got.status, got.reason, got.text), (200, "OK", "<p>hello</p>"))
        expect(got.fields.get("x-origin"), "yes")
        seen = origin.wait_for(1)
        expect((seen.method, seen.target, bytes(seen.body)), ("POST", "/a?b=c", b"some words"))
        expect((seen.fields.get("x-mine"), seen.fields.get("host")), ("1", "t.example"))


@claim
def every_answer_carries_a_request_id_of_its_own():
    with Origin() as origin, quiet(origin) as gate, gate.connect() as client:
        ids = [client.ask(target=f"/{i}").fields.get("x-request-id") for i in range(20)]
        refused = gate.ask(target="/a%zz").fields.get("x-request-id")
        for one in ids + [refused]:
            assert one and ULID.match(one), f"X-Request-Id {one!r}"
        expect(len(set(ids + [refused])), 21, "different ids")
        expect(
            [r.fields.get("x-request-id") for r in origin.requests], ids, "the origin sees the same"
        )
        expect(
            [i[:10] for i in sorted(ids)], [i[:10] for i in ids], "later milliseconds sort later"
        )


@claim
def a_request_id_of_the_client_is_not_believed():
    with Origin() as origin, quiet(origin) as gate:
        got = gate.ask(fields=["X-Request-Id: 00000000000000000000000000"])
        expect(
            origin.requests[0].fields.all("x-request-id"), [got.fields.get("x-request-id").encode()]
        )
        assert got.fields.get("x-request-id") != "0" * 26


@claim
def a_kept_connection_serves_two_hundred_requests():
    with Origin() as origin, quiet(origin) as gate, gate.connect() as client:
        for i in range(200):
            expect(client.ask(target=f"/{i}").text, f"GET /{i} 0")
        assert len(origin.connections) <= 4, f"{len(origin.connections)} connections to the origin"


@claim
def pipelined_requests_are_answered_in_order():
    def slow_first(r):
        time.sleep(0.3 if r.target == "/0" else 0)
        return answer(200, r.target.encode() * (1 + len(r.target) * 500))

    with Origin(slow_first) as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(
            b"".join(
                request("POST" if i % 3 else "GET", f"/{i}", body=b"x" * i if i % 3 else None)
                for i in range(40)
            )
        )
        for i in range(40):
            got = client.response()
            assert got.text.startswith(f"/{i}/{i}"), f"answer {i} is {got.text[:20]}"


@claim
def a_client_that_says_close_is_closed():
    with Origin() as origin, quiet(origin) as gate, gate.connect() as client:
        got = client.ask(fields=["Connection: close"])
        expect((got.status, got.fields.get("connection")), (200, "close"))
        expect(client.end(2), "fin")


@claim
def an_origin_that_closes_does_not_close_the_client():
    with Origin(lambda r: answer(200, b"x", [b"Connection: close"])) as origin, quiet(
        origin
    ) as gate, gate.connect() as client:
        for _ in range(5):
            expect(client.ask().status, 200)
    expect(len(origin.connections), 5, "connections to the origin")


@claim
def a_body_without_end_mark_reaches_an_http10_client_until_close():
    def script(conn):
        while conn.request():
            conn.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                chunked(b"hello ", b"world"),
            )

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(b"GET / HTTP/1.0\r\nHost: t.example\r\n\r\n")
        got = client.response()
        expect(got.fields.all("transfer-encoding"), [], "no chunks for HTTP/1.0")
        expect(bytes(got.body), b"hello world")


@claim
def head_204_and_304_have_no_body_and_keep_the_connection():
    answers = {
        "/head": answer(200, b"", [b"X-A: b"]).replace(
            b"Content-Length: 0", b"Content-Length: 1234"
        ),
        "/204": b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
        "/304": b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    }
    with Origin(lambda r: answers[r.target]) as origin, quiet(
        origin
    ) as gate, gate.connect() as client:
        for _ in range(3):
            got = client.ask("HEAD", "/head")
            expect((got.status, got.fields.get("content-length"), len(got.body)), (200, "1234", 0))
            got = client.ask(target="/204")
            expect(
                (got.status, got.fields.get("content-length"), got.fields.get("x-a")),
                (204, None, "b"),
            )
            got = client.ask(target="/304")
            expect((got.status, got.fields.get("etag")), (304, '"x"'))


@claim
def expect_100_continue_is_answered_by_the_gate_itself():
    with Origin() as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(
            b"POST /a HTTP/1.1\r\nHost: t.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        )
        expect(client.until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
        expect(origin.received, b"", "what the origin saw before the body")
        client.send(b"hello")
        expect(client.response().text, "POST /a 5")
        expect(client.ask(target="/b").text, "GET /b 0")


@claim
def expect_100_continue_with_too_large_a_body_is_refused_before_the_body():
    with Origin() as origin, quiet(origin, max_body="1KiB") as gate, gate.connect() as client:
        client.send(
            b"POST / HTTP/1.1\r\nHost: t.example\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n"
        )
        got = client.response()
        expect((got.status, got.before), (413, []))
        expect(client.end(2), "fin")
        expect(origin.received, b"")


@claim
def trailers_pass_both_ways():
    def script(conn):
        while seen := conn.request():
            told = b"|".join(n + b"=" + v for n, v in seen.trailers)
            conn.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                chunked(told, trailers=b"X-Sum: 42\r\nContent-Length: 9\r\n"),
            )

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(
            b"POST / HTTP/1.1\r\nHost: t.example\r\nTE: trailers\r\nConnection: TE\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            chunked(b"a", b"b", trailers=b"X-Check: 7\r\nHost: evil\r\n"),
        )
        got = client.response()
        expect(got.text, "X-Check=7", "trailers that the origin saw")
        expect(got.trailers.all("x-sum"), [b"42"])
        expect(got.trailers.all("content-length"), [], "framing in trailers")


def one_by_one(start, pieces, end=b""):
    """The origin sends a piece only when the client has the one before: nothing may be kept back."""
    arrived = threading.Semaphore(1)

    def script(conn):
        conn.request()
        conn.send(start)
        for piece in pieces:
            assert arrived.acquire(timeout=5), "the piece before was kept back"
            conn.send(piece)
        conn.send(end)

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(request())
        client.until(b"\r\n\r\n")
        for piece in pieces:
            client.until(piece)
            arrived.release()


@claim
def server_sent_events_arrive_one_by_one():
    events = [b"data: %d\n\n" % i for i in range(20)]
    one_by_one(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        [b"%x\r\n%b\r\n" % (len(event), event) for event in events],
        b"0\r\n\r\n",
    )


@claim
def a_stream_without_framing_arrives_piece_by_piece():
    one_by_one(
        b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", [b"one", b"two", b"three"]
    )


@claim
def a_long_poll_waits_as_long_as_it_may():
    with Origin(lambda r: time.sleep(3) or answer(200, b"late")) as origin, quiet(origin) as gate:
        expect(gate.ask().text, "late")


@claim
def the_head_of_an_answer_does_not_wait_for_its_body():
    hold = threading.Event()

    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        hold.wait(5)
        conn.send(b"hello")

    with Origin(script=script) as origin, quiet(
        origin, streams=["/events*"]
    ) as gate, gate.connect() as client:
        client.send(request(target="/events/1"))
        started = time.monotonic()
        client.until(b"\r\n\r\n")
        within(3, started, "the head")
        hold.set()
        expect(client.exactly(5), b"hello")


@claim(limit=120)
def an_upload_of_256_mb_needs_constant_memory():
    upload(256 << 20)


@claim(limit=900, long=True)
def an_upload_of_4_gb_needs_constant_memory():
    upload(4 << 30)


def upload(size):
    """Sends `size` opaque bytes, chunked and with a length; watches the memory of the gate."""
    piece = bytes(1 << 20)

    def script(conn):
        while head := conn.request_head():
            took = 0
            if head.fields.get("content-length"):
                conn.skim(int(head.fields.get("content-length")))
                took = int(head.fields.get("content-length"))
            else:
                while count := conn.chunk_size():
                    conn.skim(count + 2)
                    took += count
                conn.until(b"\r\n")
            conn.send(answer(200, b"%d" % took))

    app = {"max_body": "8GiB", "waf": "block"}
    with Origin(script=script, record=False) as origin, quiet(origin, **app) as gate:
        expect(
            gate.ask("POST", "/", ["Content-Type: application/octet-stream"], piece).text,
            str(len(piece)),
        )
        before, highest = gate.memory(), 0
        for framing in ("length", "chunked"):
            half = size // 2
            head = [
                "Content-Type: application/octet-stream",
                f"Content-Length: {half}" if framing == "length" else "Transfer-Encoding: chunked",
            ]
            with gate.connect(timeout=60) as client:
                client.send(request("POST", "/upload", head))
                for i in range(half // len(piece)):
                    client.send(
                        piece if framing == "length" else b"%x\r\n%b\r\n" % (len(piece), piece)
                    )
                    highest = max(highest, gate.memory()) if i % 16 == 0 else highest
                client.send(b"" if framing == "length" else b"0\r\n\r\n")
                expect(client.response().text, str(half))
        growth = (96 if gate.sanitized() else 24) << 20  # freed memory waits in a quarantine
        assert highest - before < growth, f"memory grew by {(highest - before) >> 20} MiB"


@claim(limit=60)
def a_download_to_a_slow_reader_needs_constant_memory():
    size, piece = 64 << 20, bytes(1 << 16)

    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(piece)):
            conn.send(piece)

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect(
        timeout=20, record=False
    ) as client:
        before = gate.memory()
        client.send(request())
        client.until(b"\r\n\r\n")
        time.sleep(2)
        grown = gate.memory() - before
        assert grown < 12 << 20, f"memory grew by {grown >> 20} MiB for a client that does not read"
        client.skim(size)


@claim
def an_early_answer_reaches_the_client_while_it_uploads():
    def script(conn):
        conn.request_head()
        conn.exactly(100000)
        conn.send(answer(403, b"no more", [b"Connection: close"], b"Forbidden"))
        time.sleep(1)

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(
            request(
                "POST", "/", ["Content-Type: application/octet-stream", "Content-Length: 100000000"]
            )
        )
        client.try_send(bytes(600000))
        started = time.monotonic()
        got = client.response()
        within(4, started, "the early answer")
        expect((got.status, got.text), (403, "no more"))


@claim
def an_early_answer_and_the_upload_go_on_side_by_side():
    def script(conn):
        conn.request_head()
        conn.exactly(300000)
        conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n")
        conn.skim(1000000 - 300000)
        conn.send(b"4\r\nlate\r\n0\r\n\r\n")
        conn.more()

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(
            request(
                "POST", "/", ["Content-Type: application/octet-stream", "Content-Length: 1000000"]
            ),
            bytes(400000),
        )
        client.until(b"early\r\n")
        client.send(bytes(600000))
        client.until(b"late\r\n0\r\n\r\n")


@claim
def a_client_that_half_closes_still_gets_its_answer():
    with Origin(lambda r: time.sleep(0.3) or answer(200, b"x" * 100000)) as origin, quiet(
        origin
    ) as gate, gate.connect() as client:
        client.send(request("POST", "/", body=b"abc"))
        client.finish()
        expect(len(client.response().body), 100000)
        expect(client.end(2), "fin")


@claim
def a_client_that_goes_away_frees_the_origin():
    gone = threading.Event()

    def script(conn):
        conn.request()
        try:
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                conn.send(bytes(100000))
        except OSError:
            gone.set()

    with Origin(script=script) as origin, quiet(origin) as gate:
        with gate.connect() as client:
            client.send(request())
            client.exactly(100000)
            client.reset()
        assert gone.wait(5), "the origin still sends"


@claim
def every_method_and_odd_body_passes():
    with Origin() as origin, quiet(origin) as gate, gate.connect() as client:
        for method in (
            "PUT",
            "PATCH",
            "DELETE",
            "OPTIONS",
            "PROPFIND",
            "REPORT",
            "MKCOL",
            "PURGE",
            "LOCK",
        ):
            expect(client.ask(method, "/m", body=b"abc").text, f"{method} /m 3")
            expect(client.ask(method, "/m").text, f"{method} /m 0")


@claim
def a_head_of_an_answer_with_many_cookies_passes():
    cookies = [b"Set-Cookie: c%d=" % i + b"v" * 300 for i in range(40)]
    with Origin(lambda r: answer(200, b"ok", cookies)) as origin, quiet(origin) as gate:
        expect(len(gate.ask().fields.all("set-cookie")), 40)


@claim
def large_answers_of_every_framing_are_exact():
    body = bytes(range(256)) * 12000

    def script(conn):
        while seen := conn.request():
            if seen.target == "/length":
                conn.send(answer(200, body))
            elif seen.target == "/chunked":
                conn.send(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                    chunked(*(body[i : i + 9999] for i in range(0, len(body), 9999))),
                )
            else:
                conn.send(b"HTTP/1.1 200 OK\r\n\r\n", body)
                return

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect() as client:
        for target in ("/length", "/chunked", "/close"):
            got = client.ask(target=target)
            assert got.complete and bytes(got.body) == body, f"{target}: {len(got.body)} bytes"


@claim
def concurrent_clients_get_their_own_answers():
    with Origin(lambda r: answer(200, r.target.encode() + bytes(r.body))) as origin, quiet(
        origin
    ) as gate:
        wrong = []

        def one(n):
            with gate.connect() as client:
                for i in range(40):
                    got = client.ask("POST", f"/{n}/{i}", body=b"b%d" % n)
                    if got.text != f"/{n}/{i}b{n}":
                        wrong.append(got)

        threads = [threading.Thread(target=one, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(wrong, [])


@claim
def an_idle_client_is_closed_after_the_idle_time():
    with Origin() as origin, quiet(
        origin, {"timeouts": {"idle": "1s"}}
    ) as gate, gate.connect() as client:
        expect(client.ask().status, 200)
        started = time.monotonic()
        expect(client.end(5), "fin")
        took = time.monotonic() - started
        assert 0.8 < took < 3, f"closed after {took:.1f} s"


@claim
def an_answer_in_the_middle_of_a_pipeline_that_is_cut_ends_the_connection():
    def script(conn):
        while seen := conn.request():
            if seen.target == "/2":
                conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
                return
            conn.send(answer(200, seen.target.encode()))

    with Origin(script=script) as origin, quiet(origin) as gate, gate.connect() as client:
        client.send(b"".join(request(target=f"/{i}") for i in (1, 2, 3)))
        expect(client.response().text, "/1")
        cut = client.response()
        assert not cut.complete or cut.status == 502, "a cut answer looks complete"
        try:
            after = client.response() if cut.complete else None
        except Ended:
            after = None
        assert after is None or after.text == "/3", f"{after!r}"


@claim
def hosts_choose_the_app():
    with Origin(lambda r: answer(200, b"one")) as one, Origin(lambda r: answer(200, b"two")) as two:
        apps = {
            "one": {"hosts": ["one.example"], "upstream": one.url},
            "two": {"hosts": ["two.example", "*.two.example"], "upstream": two.url},
        }
        with Gate({"apps": apps}) as gate:
            for host, body in (
                ("one.example", "one"),
                ("ONE.example:8080", "one"),
                ("two.example", "two"),
                ("a.two.example", "two"),
                ("A.Two.Example", "two"),
            ):
                expect(gate.ask(host=host).text, body, host)
            got = gate.ask(host="other.example")
            assert got.status in (404, 421), f"unknown host: {got.status}"
            assert gate.ask(host="xone.example").status in (404, 421)


@claim
def an_app_may_have_a_listener_of_its_own():
    with Origin(lambda r: answer(200, b"one")) as one, Origin(lambda r: answer(200, b"two")) as two:
        port = free_port()
        apps = {
            "one": {"upstream": one.url},
            "two": {"upstream": two.url, "listen": [{"bind": f"127.0.0.1:{port}"}]},
        }
        with Gate({"apps": apps}) as gate:
            expect(gate.ask().text, "one")
            eventually(lambda: gate.connect(port=port).close() or True, 2, "the second listener")
            with gate.connect(port=port) as client:
                expect(client.ask(host="anything.example").text, "two")
