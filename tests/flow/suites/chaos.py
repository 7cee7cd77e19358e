"""chaos.py -- bad clients, bad origins, reloads and good traffic all at once, under sanitizers.

What is judged: nothing crashes or leaks, the good requests all succeed, and afterwards everything is
as at the start. The seed is printed.
"""
import os
import random
import threading
import time

from lib.claims import claim, eventually, expect
from lib.client import request
from lib.gate import Gate
from lib.load import Load
from lib.origin import Origin, answer
from lib.websocket import accepted, frame, upgrade
from lib.wire import Ended, Malformed


def bad_origin(dice):
    """Does to each request one of the things that origins do."""

    def script(conn):
        while head := conn.request_head():
            if head.target == "/load":
                conn.request_body(head)
                conn.send(answer(200, b"x" * 500))
                continue
            if not misbehave(conn, head, dice.randrange(12)):
                return

    return script


def misbehave(conn, head, what):
    """False: the connection is over."""
    if what == 0:
        conn.reset()
    elif what == 1:
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf")
    elif what == 2:
        conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxx")
    elif what == 3:
        conn.send(b"garbage\r\n\r\n")
    elif what == 4:
        conn.send(answer(413, b"early", [b"Connection: close"]))
    elif what == 5:
        time.sleep(0.3)
    elif head.fields.get("upgrade"):
        conn.send(accepted(head))
        while conn.buffer or conn.more():
            conn.send(conn.take(len(conn.buffer)))
    elif what == 6:
        conn.send(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(300000))
    else:
        conn.request_body(head)
        conn.send(answer(200, bytes(random.choice((0, 10, 100000)))))
        return True
    return False


FORM = ["Content-Type: application/x-www-form-urlencoded"]
FILE = ["Content-Type: application/octet-stream"]
ACTS = [
    lambda c: c.send(request(target="/x")),
    lambda c: c.send(request("POST", "/x", FORM, b"a=b&c=d")),
    lambda c: c.send(request("POST", "/x", FORM, b"id=1'+union+select+password+from+users--+-")),
    lambda c: c.send(request("POST", "/x", FILE, bytes(600000))),
    lambda c: c.send(request("POST", "/x", [*FILE, "Content-Length: 900000"]), bytes(300000)),
    lambda c: c.send(
        request("POST", "/x", [*FILE, "Transfer-Encoding: chunked"]),
        b"40000\r\n" + bytes(0x40000) + b"\r\nzz",
    ),
    lambda c: c.send(b"".join(request(target=f"/x{i}") for i in range(8))),
    lambda c: c.send(b"GET /x HTTP/1.1\r\nHost: t.exa"),
    lambda c: c.send(os.urandom(200)),
    lambda c: c.send(upgrade("/ws")[0] + frame(b"early")),
    lambda c: c.send(request(target="/.git/config") * 3),
    lambda c: c.send(request("POST", "/x", ["Expect: 100-continue", "Content-Length: 10"])),
    lambda c: None,
]


def bad_client(gate, dice, until, faults):
    while time.monotonic() < until:
        try:
            client = gate.connect(timeout=0.5)
            dice.choice(ACTS)(client)
            what = dice.randrange(5)
            if what == 0:
                client.reset()
                continue
            if what == 1:
                client.finish()
            if what >= 2:
                client.response(tunnel=True)
            client.close()
        except (Ended, OSError):
            pass
        except Malformed as dirty:
            faults.append(repr(dirty))


def storm(seconds):
    seed = int(os.environ.get("FLOW_SEED", time.time_ns() % 1000000))
    print(f"FLOW_SEED={seed}")
    dice = random.Random(seed)
    top = {
        "size_limits": {"connections_per_address": 2000},
        "timeouts": {"first_byte": "2s", "head": "1s", "idle": "2s"},
    }
    faults = []
    with Origin(script=bad_origin(dice), record=False) as origin, Origin(
        lambda r: answer(200, b"fine")
    ) as good:
        config = {
            "apps": {
                "bad": {"hosts": ["t.example"], "upstream": origin.url},
                "good": {"hosts": ["good.example"], "upstream": good.url},
            },
            **top,
        }
        with Gate(config) as gate:
            until = time.monotonic() + seconds
            threads = [
                threading.Thread(
                    target=bad_client, args=(gate, random.Random(seed + i), until, faults)
                )
                for i in range(12)
            ]
            with Load(gate, rate=60, keeping=1, fresh=1, host="good.example") as load:
                for thread in threads:
                    thread.start()
                while time.monotonic() < until:
                    time.sleep(1.5)
                    assert gate.reload(), "reload"
                for thread in threads:
                    thread.join()
            load.judge()
            expect(faults, [])
            eventually(lambda: open_connections(gate) <= 2, 8, "everything closed")


def open_connections(gate):
    return sum(v for k, v in gate.metrics().items() if k.startswith("embergate_connections{"))


@claim(limit=90)
def a_storm_of_bad_clients_and_origins_leaves_no_trace():
    storm(12)


@claim(limit=600, long=True)
def a_long_storm_of_bad_clients_and_origins_leaves_no_trace():
    storm(180)
