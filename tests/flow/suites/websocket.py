"""websocket.py -- upgrades: the handshake is inspected, then bytes are bytes."""
import os
import time

from lib.claims import claim, expect
from lib.gate import Gate, one_app
from lib.origin import Origin, answer
from lib.websocket import accepted, frame, upgrade
from lib.wire import Ended


def echoing(conn):
    """Accepts the upgrade, then sends back every byte; FIN is answered by FIN."""
    seen = conn.request()
    conn.send(accepted(seen))
    while conn.buffer or conn.more():
        conn.send(conn.take(len(conn.buffer)))
    conn.send(b"bye")
    conn.finish()


def opened(client, target="/ws", fields=()):
    bytes_out, accept = upgrade(target, fields)
    client.send(bytes_out)
    got = client.response(tunnel=True)
    expect(
        (got.status, got.fields.get("sec-websocket-accept"), got.fields.get("upgrade")),
        (101, accept, "websocket"),
    )
    assert "upgrade" in (got.fields.get("connection") or "").lower()
    return got


@claim
def a_websocket_relays_every_byte():
    with Origin(script=echoing) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        opened(client)
        for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
            sent = frame(os.urandom(size))
            client.send(sent)
            assert client.exactly(len(sent)) == sent, f"a frame of {size} bytes came back changed"
        seen = origin.requests[0]
        expect(
            (seen.fields.get("upgrade"), seen.fields.get("sec-websocket-version")),
            ("websocket", "13"),
        )
        expect(seen.fields.get("connection").lower(), "upgrade")


@claim
def frames_in_odd_segments_and_attacks_inside_pass():
    with Origin(script=echoing) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        opened(client)
        sent = frame(b"' or 1=1-- <script>alert(1)</script> ../../etc/passwd", 1)
        client.send(*[sent[i : i + 1] for i in range(len(sent))], pause=0.002)
        expect(client.exactly(len(sent)), sent)
        garbage = os.urandom(5000) + b"GET / HTTP/1.1\r\n\r\n\0"
        client.send(garbage)
        expect(client.exactly(len(garbage)), garbage)


@claim
def bytes_right_behind_both_handshakes_are_kept():
    def script(conn):
        seen = conn.request()
        conn.send(accepted(seen) + b"first from the origin")
        conn.exactly(5)
        conn.send(b"got it")
        conn.more()

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(upgrade()[0] + b"early")
        expect(client.response(tunnel=True).status, 101)
        expect(client.exactly(27), b"first from the origingot it")


@claim
def a_half_close_of_the_client_keeps_the_other_half():
    with Origin(script=echoing) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        opened(client)
        client.send(b"last words")
        client.finish()
        expect(client.exactly(13), b"last wordsbye")
        expect(client.end(2), "fin")


@claim
def a_half_close_of_the_origin_keeps_the_other_half():
    def script(conn):
        conn.send(accepted(conn.request()) + b"done")
        conn.finish()
        conn.exactly(5)

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(upgrade()[0])
        expect(client.response(tunnel=True).status, 101)
        expect(client.exactly(4), b"done")
        time.sleep(0.2)
        client.send(b"after")
        expect(client.end(3), "fin")
        time.sleep(0.1)
        assert origin.connections[0].received.endswith(b"after"), "the other half was closed too"


@claim
def a_client_that_half_closed_before_the_tunnel_opened_is_told_to_the_origin():
    ends = []

    def script(conn):
        seen = conn.request()
        time.sleep(0.3)
        conn.send(accepted(seen))
        ends.append((conn.end(3), bytes(conn.buffer)))

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(upgrade()[0] + b"all I say")
        client.finish()
        expect(client.response(tunnel=True).status, 101)
        expect(client.end(3), "fin")
        expect(ends, [("fin", b"all I say")])


@claim
def an_origin_that_resets_cuts_the_client():
    def script(conn):
        conn.send(accepted(conn.request()))
        time.sleep(0.2)
        conn.reset()

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        opened(client)
        assert client.end(3) in ("rst", "fin")


@claim
def a_client_that_resets_frees_the_origin():
    ends = []

    def script(conn):
        conn.send(accepted(conn.request()))
        ends.append(conn.end(5))

    with Origin(script=script) as origin, Gate(one_app(origin.url)) as gate:
        client = gate.connect()
        opened(client)
        client.reset()
        time.sleep(1)
        assert ends, "the origin still waits"


@claim
def an_upgrade_that_the_origin_declines_is_a_plain_answer():
    def script(conn):
        while conn.request():
            conn.send(answer(426, b"no", [b"Upgrade: websocket"], b"Upgrade Required"))

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(upgrade()[0])
        expect(client.response().status, 426)
        client.send(upgrade()[0])
        expect(client.response().status, 426)


@claim
def the_handshake_is_inspected():
    rule = {"name": "no-ws", "path": "/ws/admin*", "do": "deny"}
    with Origin(script=echoing) as origin, Gate(one_app(origin.url, rules=[rule])) as gate:
        for target in ("/ws/admin", "/ws?file=../../../../etc/passwd"):
            with gate.connect() as client:
                client.send(upgrade(target)[0])
                expect(client.response(tunnel=True).status, 403, target)
        expect(origin.received, b"")


@claim
def a_request_smuggled_behind_a_declined_upgrade_is_a_request():
    with Origin() as origin, Gate(one_app(origin.url)) as gate, gate.connect() as client:
        client.send(upgrade("/ws")[0] + b"GET /ws/../admin%zz HTTP/1.1\r\nHost: t.example\r\n\r\n")
        expect(client.response().status, 200)
        try:
            expect(client.response().status, 400)
        except Ended:
            pass
        expect([r.target for r in origin.requests], ["/ws"])


@claim
def a_quiet_websocket_outlives_the_idle_time_of_requests():
    top = {"timeouts": {"idle": "1s", "head": "1s"}}
    with Origin(script=echoing) as origin, Gate(
        one_app(origin.url, top)
    ) as gate, gate.connect() as client:
        opened(client)
        time.sleep(3)
        client.send(b"still here")
        expect(client.exactly(10), b"still here")


@claim
def another_protocol_may_be_upgraded_to():
    def script(conn):
        seen = conn.request()
        expect(seen.fields.get("upgrade"), "chat/2")
        conn.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\n\r\n",
            b"hello",
        )
        conn.more()

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(
            b"GET / HTTP/1.1\r\nHost: t.example\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\n\r\n"
        )
        expect(client.response(tunnel=True).fields.get("upgrade"), "chat/2")
        expect(client.exactly(5), b"hello")


@claim
def an_upgrade_with_a_body_or_http10_never_opens_a_tunnel():
    def script(conn):
        conn.request()
        conn.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nevil"
        )

    lines = b"Host: t.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"
    with Origin(script=script) as origin, Gate(one_app(origin.url)) as gate:
        with gate.connect() as client:
            client.send(b"GET / HTTP/1.0\r\n" + lines)
            assert client.response(tunnel=True).status in (400, 502)
