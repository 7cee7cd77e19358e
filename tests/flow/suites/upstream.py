"""upstream.py -- the origins: balancing, health, retries, time-outs, and every way to fail."""
import socket
import time
from collections import Counter
from contextlib import ExitStack

from lib.claims import claim, eventually, expect, within
from lib.client import request
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin, answer
from lib.ports import free_port


class Several:
    """Origins named a, b, c ... that answer with their name."""

    def __init__(self, count, answering=None):
        self.stack = ExitStack()
        make = answering or (lambda name: lambda r: answer(200, name.encode()))
        self.origins = [self.stack.enter_context(Origin(make("abcdef"[i]))) for i in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *why):
        return self.stack.__exit__(*why)

    def gate(self, top=None, weights=None, **upstream):
        servers = [{"url": o.url, "weight": w} for o, w in zip(self.origins, weights or [1] * 9)]
        return Gate(
            one_app({"servers": servers, **upstream}, {"workers": 1, **(top or {})}, waf=CALM)
        )

    def closed(self, i):
        """Closes one: connections to it are refused from now on."""
        self.origins[i].close()


def shares(gate, count, **how):
    with gate.connect() as client:
        return Counter(client.ask(**how).text for _ in range(count))


@claim
def round_robin_takes_turns():
    with Several(3) as several, several.gate() as gate:
        expect(shares(gate, 30), {"a": 10, "b": 10, "c": 10})


@claim
def weights_are_shares():
    with Several(2) as several, several.gate(weights=[3, 1]) as gate:
        got = shares(gate, 40)
        expect((got["a"], got["b"]), (30, 10))


@claim
def least_conn_avoids_the_busy_one():
    def slow_a(name):
        return lambda r: (
            time.sleep(3 if name == "a" and r.target == "/slow" else 0),
            answer(200, name.encode()),
        )[1]

    with Several(2, slow_a) as several, several.gate(balance="least_conn") as gate:
        busy = [gate.connect() for _ in range(4)]
        for client in busy:
            client.send(request(target="/slow"))
        time.sleep(0.3)
        got = shares(gate, 20)
        assert got["b"] >= 18, got
        for client in busy:
            client.close()


@claim
def hash_keeps_a_client_at_its_server():
    trust = {"client_ip": {"trust": ["127.0.0.0/8"]}}
    with Several(3) as several, several.gate(top=trust, balance="hash") as gate:
        where = {}
        for n in range(60):
            got = {gate.ask(fields=[f"X-Forwarded-For: 203.0.113.{n}"]).text for _ in range(2)}
            expect(len(got), 1, f"servers of client {n}")
            where[n] = got.pop()
        spread = Counter(where.values())
        assert len(spread) == 3 and min(spread.values()) >= 6, spread
        several.closed(1)
        moved = 0
        for n, server in where.items():
            now = gate.ask(fields=[f"X-Forwarded-For: 203.0.113.{n}"]).text
            moved += server != "b" and now != server
        expect(moved, 0, "clients of living servers that were moved")


@claim
def kept_connections_are_used_again():
    with Several(1) as several, several.gate() as gate:
        for _ in range(20):
            expect(gate.ask().text, "a")
        expect(len(several.origins[0].connections), 1)


@claim
def max_idle_zero_keeps_none():
    with Several(1) as several, several.gate(max_idle=0) as gate:
        shares(gate, 5)
        expect(len(several.origins[0].connections), 5)


@claim
def a_refused_connection_goes_to_the_next_server():
    with Several(2) as several, several.gate() as gate:
        several.closed(0)
        with gate.connect() as client:
            for method in ("GET", "POST") * 5:
                got = client.ask(method, body=b"x" if method == "POST" else None)
                expect((got.status, got.text), (200, "b"), f"{method} while one server is down")


@claim
def without_any_server_the_answer_is_502_at_once():
    with Several(2) as several, several.gate() as gate:
        several.closed(0)
        several.closed(1)
        started = time.monotonic()
        for _ in range(5):
            got = gate.ask()
            assert got.status in (502, 503), got
            assert got.fields.get("x-request-id") in got.text, "the page names the request id"
        within(5, started, "five refusals")


@claim
def passive_checks_take_a_failing_server_out_and_try_it_again():
    health = {"fails": 2, "down": "1s"}
    with Several(2) as several, several.gate(health=health) as gate:
        port = several.origins[0].port
        several.closed(0)
        expect(shares(gate, 10), {"b": 10})
        with Origin(lambda r: answer(200, b"a again"), port=port) as again:
            eventually(lambda: shares(gate, 4)["a again"], 6, "the server's return", every=0.2)
            expect(bool(again.requests), True)


@claim
def active_checks_take_a_sick_server_out_before_clients_see_it():
    sick = []

    def maybe_sick(name):
        def answering(r):
            if r.target == "/health" and name in sick:
                return answer(500, b"sick")
            return answer(200, name.encode())

        return answering

    health = {"path": "/health", "interval": "200ms", "timeout": "200ms", "fails": 2, "passes": 2}
    with Several(2, maybe_sick) as several, several.gate(health=health) as gate:
        expect(shares(gate, 10), {"a": 5, "b": 5})
        sick.append("a")
        eventually(lambda: shares(gate, 6) == {"b": 6}, 4, "a out", every=0.2)
        up = {k: v for k, v in gate.metrics().items() if k.startswith("embergate_upstream_up")}
        expect(sorted(up.values()), [0, 1], "embergate_upstream_up")
        sick.clear()
        eventually(lambda: shares(gate, 6) == {"a": 3, "b": 3}, 4, "a back", every=0.2)


@claim
def a_hanging_health_check_counts_as_failed():
    hanging = []

    def maybe(name):
        return lambda r: (
            time.sleep(5 if r.target == "/health" and name in hanging else 0),
            answer(200, name.encode()),
        )[1]

    health = {"path": "/health", "interval": "200ms", "timeout": "100ms", "fails": 2}
    with Several(2, maybe) as several, several.gate(health=health) as gate:
        hanging.append("a")
        eventually(lambda: shares(gate, 6) == {"b": 6}, 4, "a out", every=0.2)


@claim
def when_all_are_out_they_are_tried_all_the_same_or_503():
    health = {"path": "/health", "interval": "200ms", "timeout": "100ms", "fails": 1}

    def sick(name):
        return lambda r: answer(500 if r.target == "/health" else 200, name.encode())

    with Several(2, sick) as several, several.gate(health=health) as gate:
        time.sleep(1)
        status = gate.ask().status
        assert status in (200, 503), status


def dying(first=1):
    """Answers `first` requests on each connection, then closes when the next one arrives."""

    def script(conn):
        for _ in range(first):
            if not conn.request():
                return
            conn.send(answer(200, b"alive"))
        conn.more()
        conn.reset() if conn.number % 2 else conn.close()

    return script


@claim
def a_kept_connection_that_died_is_retried_for_a_get():
    with Origin(script=dying()) as origin, Gate(
        one_app(origin.url, {"workers": 1})
    ) as gate, gate.connect() as client:
        for i in range(10):
            expect(client.ask(target=f"/{i}").text, "alive")


@claim
def a_put_with_a_held_body_is_retried_too():
    with Origin(script=dying()) as origin, Gate(
        one_app(origin.url, {"workers": 1})
    ) as gate, gate.connect() as client:
        for i in range(6):
            expect(client.ask("PUT", f"/{i}", body=b"held").text, "alive")


@claim
def a_post_is_never_sent_twice():
    seen = Counter()

    def script(conn):
        if conn.request():
            conn.send(answer(200, b"alive"))
        while head := conn.request_head():
            seen[head.target] += 1
            conn.request_body(head)
            return conn.reset()

    with Origin(script=script) as origin, Gate(
        one_app(origin.url, {"workers": 1})
    ) as gate, gate.connect() as client:
        for i in range(6):
            expect(client.ask(target="/warm").status, 200)
            status = client.ask("POST", f"/post{i}", body=b"x").status
            assert status in (200, 502), status
        posts = Counter(r.target for r in origin.requests if r.method == "POST")
        assert max(posts.values()) == 1, posts


@claim
def a_get_that_a_fresh_connection_loses_is_502():
    def script(conn):
        conn.request()
        conn.reset()

    with Origin(script=script) as origin, Gate(one_app(origin.url)) as gate:
        expect(gate.ask().status, 502)
        assert len(origin.requests) <= 2, f"asked {len(origin.requests)} times"


@claim
def an_idle_connection_that_the_origin_closed_is_noticed():
    def script(conn):
        conn.request()
        conn.send(answer(200, b"once"))
        time.sleep(0.1)

    with Origin(script=script) as origin, Gate(
        one_app(origin.url, {"workers": 1})
    ) as gate, gate.connect() as client:
        for i in range(5):
            expect(client.ask("POST", body=b"x").status, 200, f"POST {i}")
            time.sleep(0.3)
        expect(len(origin.requests), 5)


@claim
def bytes_on_an_idle_connection_poison_nothing():
    def script(conn):
        while conn.request():
            conn.send(answer(200, b"good"))
            time.sleep(0.1)
            conn.try_send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    with Origin(script=script) as origin, Gate(one_app(origin.url, {"workers": 1})) as gate:
        for _ in range(4):
            expect(gate.ask().text, "good")
            time.sleep(0.25)


@claim
def no_connection_in_time_is_504_or_502():
    """A listening socket with a full backlog accepts nothing more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        for sock in filling:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        config = one_app(f"http://127.0.0.1:{port}", {"timeouts": {"connect": "300ms"}})
        with Gate(config) as gate:
            started = time.monotonic()
            assert gate.ask().status in (502, 504)
            within(5, started, "giving up")
        for sock in filling:
            sock.close()


@claim
def no_first_byte_in_time_is_504():
    with Origin(lambda r: time.sleep(8) or answer()) as origin, Gate(
        one_app(origin.url, {"timeouts": {"first_byte": "500ms"}})
    ) as gate:
        started = time.monotonic()
        got = gate.ask("POST", body=b"x")
        expect(got.status, 504)
        within(5, started, "giving up")
        assert got.fields.get("x-request-id") in got.text
        expect(len(origin.requests), 1, "never asked again")


@claim
def a_head_that_stops_half_way_is_504_or_502():
    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-")
        conn.more()

    top = {"timeouts": {"first_byte": "500ms", "idle": "1s"}}
    with Origin(script=script) as origin, Gate(one_app(origin.url, top)) as gate:
        started = time.monotonic()
        assert gate.ask().status in (502, 504)
        within(6, started, "giving up")


@claim
def a_body_that_stops_is_cut_after_the_idle_time():
    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        conn.more()

    with Origin(script=script) as origin, Gate(
        one_app(origin.url, {"timeouts": {"idle": "1s"}})
    ) as gate:
        started = time.monotonic()
        got = gate.ask()
        assert not got.complete and bytes(got.body) == b"half", got
        within(6, started, "cutting it")


@claim
def one_hanging_origin_does_not_slow_others():
    with Origin(lambda r: time.sleep(12) or answer()) as hanging, Origin(
        lambda r: answer(200, b"fine")
    ) as fine:
        apps = {
            "h": {"hosts": ["h.example"], "upstream": hanging.url},
            "f": {"hosts": ["f.example"], "upstream": fine.url},
        }
        with Gate({"apps": apps}) as gate:
            stuck = [gate.connect() for _ in range(50)]
            for client in stuck:
                client.send(request(host="h.example"))
            started = time.monotonic()
            for _ in range(50):
                expect(gate.ask(host="f.example").text, "fine")
            within(8, started, "fifty requests to the other app")
            for client in stuck:
                client.close()


@claim
def an_origin_that_crashes_and_returns_is_used_again():
    with Origin(lambda r: answer(200, b"first")) as origin, Gate(
        one_app({"servers": [origin.url], "health": {"down": "500ms"}})
    ) as gate:
        expect(gate.ask().text, "first")
        origin.close()
        for _ in range(5):
            assert gate.ask().status in (502, 503)
        with Origin(lambda r: answer(200, b"second"), port=origin.port):
            eventually(lambda: gate.ask().text == "second", 5, "the return", every=0.1)


@claim
def an_origin_that_resets_during_the_upload_is_502_and_frees_all():
    def script(conn):
        conn.request_head()
        conn.exactly(1000)
        conn.reset()

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(
            request(
                "POST", "/", ["Content-Type: application/octet-stream", "Content-Length: 50000000"]
            )
        )
        for _ in range(20):
            if not client.try_send(bytes(100000)):
                break
            time.sleep(0.01)
        expect(client.response().status, 502)


@claim
def an_answer_before_a_reset_during_the_upload_is_delivered():
    def script(conn):
        conn.request_head()
        conn.exactly(300000)
        conn.send(answer(413, b"too large for me", [b"Connection: close"], b"Too Large"))
        time.sleep(0.2)
        conn.reset()

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(
            request(
                "POST", "/", ["Content-Type: application/octet-stream", "Content-Length: 50000000"]
            )
        )
        client.try_send(bytes(600000))
        got = client.response()
        expect((got.status, got.text), (413, "too large for me"))


@claim
def the_host_of_the_server_may_be_sent():
    with Origin() as origin, Gate(one_app({"servers": [origin.url], "host": "server"})) as gate:
        expect(gate.ask().status, 200)
        seen = origin.requests[0].fields
        expect(seen.all("host"), [f"127.0.0.1:{origin.port}".encode()])
        expect(seen.all("x-forwarded-host"), [b"t.example"])


@claim
def a_server_may_be_named_by_ipv6_or_by_name():
    sock = socket.create_server(("::1", free_port()), family=socket.AF_INET6)
    sock.close()
    with Origin() as origin, Gate(one_app(f"http://localhost:{origin.port}")) as gate:
        expect(gate.ask().status, 200)


@claim
def a_name_that_does_not_resolve_is_named_or_is_502_for_its_app_alone():
    with Origin() as fine:
        apps = {
            "n": {"hosts": ["n.example"], "upstream": "http://no-such-host.invalid:80"},
            "f": {"hosts": ["f.example"], "upstream": fine.url},
        }
        with Gate({"apps": apps}, start=False) as gate:
            try:
                gate.start()
            except AssertionError as refusal:
                assert "no-such-host.invalid" in str(refusal), refusal
                gate.process.wait()
                gate.process = None
                return
            expect(gate.ask(host="f.example").status, 200)
            assert gate.ask(host="n.example").status in (502, 503, 504)


@claim
def five_hundred_requests_over_three_workers_keep_few_connections():
    import threading

    with Several(1) as several, several.gate({"workers": 3}) as gate:

        def some():
            expect(shares(gate, 50), {"a": 50})

        threads = [threading.Thread(target=some) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(several.origins[0].connections) <= 40, len(several.origins[0].connections)
