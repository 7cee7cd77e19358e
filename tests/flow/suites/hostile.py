"""hostile.py -- both sides at their worst: cut, stopped, swollen, out of turn. Nobody else may notice."""
import copy
import glob
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack

import lib.gate
from lib import certs
from lib.claims import Skipped, claim, eventually, expect, within
from lib.client import chunked, request, trusting
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin, answer
from lib.ports import free_port
from lib.wire import Ended

CHUNKED = ["Content-Type: application/octet-stream", "Transfer-Encoding: chunked"]
# A rule that any request for /bad meets.
BAD = """name: flow/bad
rules:
  - zones: [URI]
    match: {type: equals, value: /bad}
"""


def calm(origin, top=None, lean=False, **app):
    return Gate(one_app(origin.url, {"workers": 1, **(top or {})}, **{"waf": CALM, **app}), lean=lean)


def detecting(origin, top=None, **app):
    """A gate that only watches, and a rule to be met."""
    waf = {"mode": "detect", "packs": False, "rules": ["bad.yaml"]}
    gate = Gate(one_app(origin.url, {"workers": 1, **(top or {})}, waf=waf, **app), start=False)
    with open(gate.path("bad.yaml"), "w", encoding="ascii") as out:
        out.write(BAD)
    gate.start()
    return gate


def connections(gate, port):
    """Open ones of that listener, by the gate's own count."""
    return sum(v for k, v in gate.metrics().items() if k.startswith(f'embergate_connections{{listener="127.0.0.1:{port}"'))


def clients(gate):
    return connections(gate, gate.port)


def busy(gate):
    """Requests that servers are asked at this moment, by the gate's own count."""
    return sum(int(line.rpartition("inflight")[2].split()[0].strip(":,="))
               for line in gate.ctl("status").stdout.splitlines() if "inflight" in line)


def calls(gate):
    """Write calls of the serving child so far."""
    with open(f"/proc/{gate.serving()}/io", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("syscw"))


def descriptors(gate):
    """Open in the serving child, without its kept connections to servers."""
    kept = sum(int(value) for series, value in gate.metrics().items()
               if series.startswith("embergate_upstream_connections{"))
    return len(glob.glob(f"/proc/{gate.serving()}/fd/*")) - kept


def emptied(gate, seconds=5):
    eventually(lambda: clients(gate) == 0, seconds, "every connection closed")


# what is found in a body after other things were found


@claim
def a_malformed_body_is_refused_although_detect_mode_let_the_head_pass():
    with Origin() as origin, detecting(origin) as gate:
        with gate.connect() as client:
            client.send(request("POST", "/bad", CHUNKED) + b"3\r\nabc\r\nzz\r\n")
            expect(client.response().status, 400)
        expect(gate.ask().status, 200, "the next request")


@claim
def a_body_over_its_limit_passes_whole_in_detect_mode():
    with Origin() as origin, detecting(origin, max_body="10KiB") as gate:
        body = os.urandom(40000)
        expect(gate.ask("POST", "/length", body=body).status, 200)
        with gate.connect() as client:
            client.send(request("POST", "/chunks", CHUNKED) + chunked(body[:5000], body[5000:15000], body[15000:]))
            expect(client.response().status, 200)
        expect([bytes(r.body) == body for r in origin.requests], [True, True])


@claim
def a_budget_of_held_bodies_holds_in_detect_mode_too():
    """What cannot be kept cannot be passed on: 503, never a body with a hole."""
    with Origin() as origin, detecting(origin, {"size_limits": {"held": "1MiB"}}) as gate:
        body = b'"' + b"x" * 99998 + b'"'
        holding = [gate.connect() for _ in range(16)]
        for client in holding:
            client.send(request("POST", "/", ["Content-Type: application/json", f"Content-Length: {len(body)}"]),
                        body[:-1])
        time.sleep(0.3)
        for client in holding:
            client.try_send(body[-1:])
        statuses = [client.response().status for client in holding]
        assert set(statuses) == {200, 503}, statuses
        expect({bytes(r.body) == body for r in origin.requests}, {True})
        for client in holding:
            client.close()


@claim
def a_body_as_large_as_a_large_window_is_inspected():
    with Origin() as origin, calm(origin, waf={**CALM, "window": "16MiB"}) as gate:
        expect(gate.ask("POST", "/", ["Content-Type: application/json"], b'["' + b"x" * 9000000 + b'"]').status, 200)


@claim
def a_body_found_bad_while_its_server_is_dialled_is_answered_at_once():
    """The server's handshake never ends; the client's fault is told meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        config = one_app(url, {"timeouts": {"connect": "20s"}, "workers": 1}, waf={"mode": "off", "packs": False})
        with Gate(config) as gate, gate.connect() as client:
            client.send(request("POST", "/", CHUNKED) + b"3\r\nabc\r\n")
            time.sleep(0.2)
            started = time.monotonic()
            client.send(b"zz\r\n")
            expect(client.response().status, 400)
            within(1, started, "the refusal")


# ends at odd moments


@claim
def all_that_was_pipelined_is_answered_although_the_client_has_said_its_last():
    def slowly(r):
        time.sleep(0.05)
        return answer(200, r.target.encode())
    with Origin(slowly) as origin, calm(origin) as gate:
        for n in (1, 2, 5):
            with gate.connect() as client:
                client.send(b"".join(request(target=f"/{i}") for i in range(n)))
                client.finish()
                expect([client.response().text for _ in range(n)], [f"/{i}" for i in range(n)])
                expect(client.end(2), "fin")
        with gate.connect() as client:
            client.send(request(target="/a") + b"GET /b HT")
            client.finish()
            expect(client.response().text, "/a")
            expect(client.end(2), "fin", "the end behind half a head")
        emptied(gate)


def closing(conn, ends):
    """Tells in `ends` when the gate closes the connection."""
    conn.end(20)
    ends.append(time.monotonic())


@claim
def a_client_that_resets_while_it_is_not_read_is_noticed():
    """It sends far ahead of its turn, so the gate does not read; the answer waits for it."""
    ends = []

    def script(conn):
        conn.request()
        conn.try_send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", bytes(30 << 20))
        closing(conn, ends)
    with Origin(script=script, record=False) as origin, calm(origin) as gate:
        client = gate.connect(record=False)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sock.settimeout(1)
        client.try_send(request() + request(target="/ahead") * 10000)
        time.sleep(0.5)
        client.reset()
        eventually(lambda: ends, 3, "the origin let go")
        emptied(gate)


@claim
def a_half_closed_client_that_goes_away_ends_its_endless_answer():
    ends = []

    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while conn.try_send(b"data: x\n\n"):
            time.sleep(0.05)
        ends.append(True)
    with Origin(script=script) as origin, calm(origin) as gate:
        client = gate.connect()
        client.send(request())
        client.finish()
        client.until(b"data: x")
        client.reset()
        eventually(lambda: ends, 3, "the origin let go")
        emptied(gate)


@claim
def a_server_that_stops_reading_an_upload_is_given_up():
    """Its client is not read meanwhile, so only the server's silence can tell."""
    with Origin(script=lambda conn: (conn.request_head(), time.sleep(20))) as origin, \
            calm(origin, {"timeouts": {"first_byte": "1s"}}) as gate, gate.connect() as client:
        started = time.monotonic()
        client.send(request("PUT", "/", CHUNKED))
        client.sock.settimeout(10)
        try:
            for _ in range(200):
                client.sock.sendall(b"40000\r\n" + bytes(0x40000) + b"\r\n")
        except OSError:
            pass
        expect(client.response().status, 504)
        within(8, started, "giving up")


@claim
def a_server_that_reads_an_upload_slowly_but_steadily_is_not_given_up():
    """The kernel takes from the gate in large steps; what counts is what reaches the server."""
    seen = []

    def script(conn):
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        conn.request_head()
        until = time.monotonic() + 5
        while time.monotonic() < until and conn.more():
            seen.append(len(conn.take(4096)))
            time.sleep(0.05)
        conn.send(answer(200, b"enough"))
        conn.end(5)
    with Origin(script=script, record=False) as origin, calm(origin, {"timeouts": {"first_byte": "1s"}}) as gate, \
            gate.connect() as client:
        client.send(request("PUT", "/", CHUNKED))
        sender = threading.Thread(target=lambda: client.try_send(*[b"40000\r\n" + bytes(0x40000) + b"\r\n"] * 100))
        sender.start()
        expect(client.response().text, "enough")
        client.close()
        sender.join()


@claim
def a_client_that_reads_slowly_but_steadily_is_not_cut():
    top = {"min_rate": {"window": "1s", "response": "1KiB"}, "timeouts": {"stall": "1s"}}
    with Origin(lambda r: answer(200, bytes(16 << 20)), record=False) as origin, calm(origin, top) as gate, \
            gate.connect(record=False) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        client.send(request())
        until = time.monotonic() + 5
        while time.monotonic() < until:
            assert client.more(), f"it was cut: {client.ended}"
            client.buffer.clear()
            time.sleep(0.1)


@claim
def what_came_of_an_answer_is_delivered_although_the_origin_was_cut():
    """To a client that reads slowly, too: its bytes are still in the gate when the end is known."""
    size = 8 << 20

    def script(conn):
        framing = conn.request().target
        head = {"/length": b"Content-Length: 99999999", "/chunks": b"Transfer-Encoding: chunked"}[framing]
        body = os.urandom(size)
        conn.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        conn.send(b"%x\r\n%b\r\n" % (size, body) if framing == "/chunks" else body)
    with Origin(script=script) as origin, calm(origin) as gate:
        for target in ("/length", "/chunks"):
            client = gate.connect()
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.send(request(target=target))
            time.sleep(0.7)
            got = client.response()
            assert not got.complete, "a cut answer looked whole"
            expect(len(got.body), size, f"bytes of {target}")
            client.close()
        emptied(gate)


# small things in great number


@claim
def an_upload_in_tiny_chunks_costs_few_calls():
    size = 100000
    with Origin(timeout=60) as origin, calm(origin, {"min_rate": {"body": "off"}}, waf={"mode": "off", "packs": False}) as gate, \
            gate.connect(timeout=60) as client:
        client.ask()
        before = calls(gate)
        client.send(request("POST", "/", CHUNKED) + b"1\r\nx\r\n" * size + b"0\r\n\r\n")
        expect(client.response().status, 200)
        expect(bytes(origin.wait_for(2).body), b"x" * size)
        spent = calls(gate) - before
        assert spent < size / 100, f"{spent} write calls for {size} chunks"


@claim
def an_answer_in_tiny_chunks_costs_few_calls():
    size = 100000

    def script(conn):
        while conn.request():
            conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * size + b"0\r\n\r\n")
    with Origin(script=script) as origin, calm(origin) as gate, gate.connect(timeout=60) as client:
        client.ask()
        before = calls(gate)
        expect(bytes(client.ask().body), b"x" * size)
        spent = calls(gate) - before
        assert spent < size / 100, f"{spent} write calls for {size} chunks"


@claim
def small_events_for_a_client_that_does_not_read_cost_little_memory():
    sent = []

    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        conn.sock.settimeout(2)
        try:
            while len(sent) < 400000:
                conn.sock.sendall(b".")
                sent.append(1)
        except OSError:
            pass
        sent.append("end")
    with Origin(script=script, record=False) as origin, calm(origin, lean=True) as gate:
        gate.ask(target="/%zz")
        client = gate.connect()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        before = gate.memory()
        client.send(request())
        eventually(lambda: sent and sent[-1] == "end", 20, "the events sent")
        grown = gate.memory() - before
        assert grown < 8 << 20, f"{grown >> 20} MiB for {len(sent)} events"
        client.reset()


# servers


def wrapped(folder, shell):
    """Gates of this script are started by that line of shell, which ends in: exec "$@"."""
    name = os.path.join(folder, "start.sh")
    with open(name, "w", encoding="ascii") as out:
        out.write(f'#!/bin/sh\nset -- {lib.gate.PROGRAM} "$@"\n{shell}\n')
    os.chmod(name, 0o755)
    lib.gate.PROGRAM = name


def with_hosts(folder, hosts):
    """Gates of this script see that file as /etc/hosts."""
    if subprocess.run(["unshare", "-m", "mount", "--bind", hosts, "/etc/hosts"], check=False).returncode:
        raise Skipped("no names of our own without a mount of our own")
    wrapped(folder, f"exec unshare -m sh -c 'mount --bind {hosts} /etc/hosts; exec \"$@\"' sh \"$@\"")


@claim
def every_address_of_a_server_is_tried():
    """A name with two addresses, and a server on the second."""
    with tempfile.TemporaryDirectory() as folder, Origin() as origin:
        hosts = os.path.join(folder, "hosts")
        with open(hosts, "w", encoding="ascii") as out:
            out.write("127.0.0.1 localhost two.example\n127.0.0.2 two.example\n")
        with_hosts(folder, hosts)
        for health in ({"fails": 1}, {"path": "/", "interval": "100ms", "fails": 1}):
            upstream = {"servers": [f"http://two.example:{origin.port}"], "max_idle": 0, "health": health}
            with Gate(one_app(upstream, {"workers": 1}, waf=CALM)) as gate:
                expect({gate.ask().status for _ in range(20)}, {200})
                time.sleep(0.5)
                assert "down" not in gate.text("stderr") + gate.ctl("status").stdout, gate.ctl("status").stdout


@claim
def descriptors_that_run_out_stop_nobody():
    """Kept connections to five servers use them up; neither thread may spin, and new clients are served."""
    def slowly(_):
        time.sleep(0.2)
        return answer(200, b"x")

    def busy_seconds(gate):
        with open(f"/proc/{gate.serving()}/stat", encoding="latin-1") as file:
            fields = file.read().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        wrapped(folder, 'ulimit -n 64\nexec "$@"')
        origins = [stack.enter_context(Origin(slowly)) for _ in range(5)]
        apps = {f"a{i}": {"hosts": [f"a{i}.example"], "upstream": o.url, "waf": copy.deepcopy(CALM)}
                for i, o in enumerate(origins)}
        gate = stack.enter_context(Gate({"apps": apps}))
        pid, before = gate.serving(), busy_seconds(gate)
        for name in apps:
            flood = [gate.connect(timeout=5) for _ in range(40)]
            for client in flood:
                client.try_send(request(host=f"{name}.example"))
            for client in flood:
                try:
                    client.response()
                except Ended:
                    assert client.ended, "a client was left hanging"
                client.close()
        assert busy_seconds(gate) - before < 5, "it was busy with nothing"
        eventually(lambda: gate.ask(host="a1.example").status == 200, 5, "an answer afterwards")
        expect(gate.serving(), pid, "the serving child")


@claim
def when_all_servers_are_down_all_are_asked():
    with Origin() as origin:
        health = {"fails": 1, "down": "60s"}
        dead = f"http://127.0.0.1:{free_port()}"
        config = one_app({"servers": [dead, f"http://127.0.0.1:{origin.port}"], "health": health, "max_idle": 0},
                         {"workers": 1}, waf=CALM)
        origin.answering = None
        with Gate(config) as gate:
            expect(gate.ask().status, 200)
            origin.script, serve = (lambda conn: conn.request()), origin.script
            expect(gate.ask().status, 502, "both are down now")
            origin.script = serve
            expect({gate.ask().status for _ in range(6)}, {200})


@claim
def turns_are_taken_for_each_app_by_itself():
    with Origin(lambda r: answer(200, b"a")) as a, Origin(lambda r: answer(200, b"b")) as b, Origin() as other:
        config = {"workers": 1, "apps": {
            "one": {"hosts": ["one.example"], "upstream": {"servers": [a.url, b.url]}, "waf": copy.deepcopy(CALM)},
            "two": {"hosts": ["two.example"], "upstream": other.url, "waf": copy.deepcopy(CALM)}}}
        with Gate(config) as gate, gate.connect() as client:
            seen = []
            for _ in range(10):
                seen.append(client.ask(host="one.example").text)
                client.ask(host="two.example")
            expect(sorted(seen), ["a"] * 5 + ["b"] * 5)


# reloads


@claim(limit=60)
def listeners_come_and_go_under_a_flood_of_connections():
    with Origin() as origin, Gate(one_app(origin.url, waf=CALM)) as gate:
        port, going, answered = free_port(), [True], []

        def flood():
            while going:
                try:
                    with gate.connect(port=port, timeout=1) as client:
                        client.send(request())
                        answered.append(client.response().status)
                except (OSError, Ended):
                    pass
        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        pid = gate.serving()
        first = {"bind": f"127.0.0.1:{gate.port}"}
        try:
            for i in range(20):
                more = [] if i % 2 else [{"bind": f"127.0.0.1:{port}"}]
                assert gate.reload({**one_app(origin.url, waf=CALM), "listen": [first, *more]}), gate.ctl("reload")
                time.sleep(0.05)
        finally:
            going.clear()
            for thread in threads:
                thread.join()
        expect(gate.serving(), pid, "the serving child")
        assert set(answered) <= {200, 404}, set(answered)  # 404: asked when nobody listened any more
        assert answered.count(200) > 20, f"{len(answered)} answers"


@claim
def what_is_counted_goes_on_over_reloads():
    with Origin() as origin, calm(origin) as gate:
        gate.ask()
        before = set(gate.metrics())
        for _ in range(3):
            assert gate.reload()
            gate.ask()
            expect(before - set(gate.metrics()), set(), "series that are gone")
        series = 'embergate_requests_total{app="shop",method="GET",code_class="2xx"}'
        eventually(lambda: gate.metrics()[series] == 4, 2, "four requests counted")


@claim
def the_end_comes_in_the_middle_of_a_reload():
    with Origin() as origin:
        for after in (0.0, 0.005, 0.01, 0.02, 0.05):
            with calm(origin) as gate:
                gate.ask()
                gate.signal(signal.SIGHUP)
                time.sleep(after)


@claim
def a_reload_asks_again_where_a_server_is():
    with tempfile.TemporaryDirectory() as folder, Origin(lambda r: answer(200, b"a")) as a:
        hosts = os.path.join(folder, "hosts")

        def say(*lines):
            with open(hosts, "w", encoding="ascii") as out:
                out.write("127.0.0.1 localhost\n" + "".join(line + "\n" for line in lines))
        say("127.0.0.2 moved.example")
        with_hosts(folder, hosts)
        config = one_app({"servers": [f"http://moved.example:{a.port}"], "max_idle": 0}, {"workers": 1}, waf=CALM)
        with Gate(config) as gate:
            expect(gate.ask().status, 502)
            say("127.0.0.1 moved.example")
            assert gate.reload()
            expect({gate.ask().status for _ in range(4)}, {200})
            say()
            assert gate.reload(), "no answer of the name server is no reason to refuse"
            expect({gate.ask().status for _ in range(4)}, {200})


@claim
def a_refused_reload_leaves_no_listener_behind():
    with Origin() as origin, Gate(one_app(origin.url, waf=CALM)) as gate, \
            socket.create_server(("127.0.0.1", 0)) as stranger:
        good, taken = free_port(), stranger.getsockname()[1]
        first = {"bind": f"127.0.0.1:{gate.port}"}
        before = descriptors(gate)
        for _ in range(3):
            assert not gate.reload({**one_app(origin.url, waf=CALM),
                                    "listen": [first, {"bind": f"127.0.0.1:{good}"}, {"bind": f"127.0.0.1:{taken}"}]})
            with socket.socket() as probe:
                eventually(lambda: probe.connect_ex(("127.0.0.1", good)) != 0, 1, f"port {good} closed again")
        eventually(lambda: descriptors(gate) <= before, 2, "descriptors given back")
        expect(gate.ask().status, 200)


# cut at every byte, from both sides


MULTIPART = (b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--b\r\nContent-Disposition: form-data; "
             b"name=\"f\"; filename=\"x.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\x01\x02\r\n--b--\r\n")
SAID = {
    "plain": request(fields=["X-A: b", "Accept: */*"]),
    "length": request("POST", "/p?a=b", ["Content-Type: application/x-www-form-urlencoded"], b"name=value&other=more"),
    "chunks": request("PUT", "/c", CHUNKED) + chunked(b"hello", b"x" * 20, trailers=b"X-T: 1\r\n"),
    "multipart": request("POST", "/m", ["Content-Type: multipart/form-data; boundary=b"], MULTIPART),
    "pipeline": request(target="/1") + request("POST", "/2", body=b"abc") + request(target="/3"),
    "old": b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + b"POST /old HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
    "expect": request("POST", "/e", ["Expect: 100-continue", "Content-Length: 5"]) + b"hello",
    "upgrade": request(target="/ws", fields=["Connection: upgrade", "Upgrade: websocket"]) + b"\x81\x85abcdhello",
    "absolute": b"GET http://t.example:80/abs?x=1 HTTP/1.1\r\nHost: t.example:80\r\n\r\n",
    "malformed": b"GET /a\x00b HTTP/1.1\r\nHost: t.example\r\n\r\n",
}


def obliging(conn):
    """Answers anything, and becomes an echo where asked to switch."""
    while request_ := conn.request():
        if request_.fields.all("upgrade"):
            conn.send(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            while conn.buffer or conn.more():
                conn.send(conn.take(len(conn.buffer)))
            return
        conn.send(answer(200, b"fine"))


def cut_client(gate, said, at, how):
    with gate.connect(timeout=5) as client:
        client.try_send(said[:at])
        if how == "reset":
            return client.reset()
        if how == "fin":
            client.sock.shutdown(socket.SHUT_WR)
            client.end()
    return None


def sweep(gate, said, hows, step=1):
    for how in hows:
        for at in range(0, len(said) + 1, step):
            cut_client(gate, said, at, how)


def settled(gate):
    emptied(gate)
    eventually(lambda: busy(gate) == 0, 5, "no server is asked any more")
    expect(gate.ask().status, 200, "a request afterwards")


@claim(limit=120)
def requests_cut_at_every_byte_leave_nothing_behind():
    with Origin(script=obliging) as origin, calm(origin, {"workers": 2}) as gate:
        gate.ask()
        pid, before = gate.serving(), descriptors(gate)
        for name, said in SAID.items():
            started = time.monotonic()
            sweep(gate, said, ("fin", "close", "reset"))
            settled(gate)
            print(f"{name}: {3 * len(said)} cuts, {time.monotonic() - started:.1f} s")
        expect(gate.serving(), pid, "the serving child")
        eventually(lambda: descriptors(gate) <= before, 5, "descriptors given back")


@claim(limit=120)
def requests_cut_at_every_byte_within_tls_leave_nothing_behind():
    with Origin(script=obliging) as origin, calm(origin) as gate:
        port = free_port()
        cert, key = certs.make(gate.folder, "t.example")
        gate.reload({**one_app(origin.url, waf=CALM), "tls": {"certs": [{"cert": cert, "key": key}]},
                     "listen": [{"bind": f"127.0.0.1:{gate.port}"}, {"bind": f"127.0.0.1:{port}", "tls": True}]})
        context = trusting()
        for name in ("length", "pipeline", "upgrade"):
            for at in range(0, len(SAID[name]) + 1, 3):
                with gate.connect(port=port, tls=context, timeout=5) as client:
                    client.try_send(SAID[name][:at])
                    if at % 2:
                        client.reset()
        # the handshake itself, cut
        hello = hello_of(context)
        for at in range(0, len(hello) + 1, 3):
            with gate.connect(port=port, timeout=5) as client:
                client.try_send(hello[:at])
                if at % 2:
                    client.reset()
        eventually(lambda: connections(gate, port) == 0, 5, "every connection closed")
        settled(gate)


def hello_of(context):
    """The first bytes that a client says."""
    import ssl
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="t.example").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


ANSWERED = {
    "length": b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 11\r\n\r\nhello world",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    "nothing": b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
    "unchanged": b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
}


def cut_answer(conn):
    """Answers /NAME/BYTES/HOW with so many bytes of that answer."""
    while request_ := conn.request():
        _, name, at, how = request_.target.split("/")
        conn.send(ANSWERED[name][:int(at)])
        if how == "reset":
            return conn.reset()
        if int(at) < len(ANSWERED[name]):
            return None
    return None


@claim(limit=120)
def answers_cut_at_every_byte_never_look_whole():
    with Origin(script=cut_answer) as origin, calm(origin, {"workers": 2}) as gate:
        for name, said in ANSWERED.items():
            whole = said.startswith((b"HTTP/1.1 204", b"HTTP/1.1 304"))
            for how in ("fin", "reset"):
                for at in range(len(said) + 1):
                    with gate.connect(timeout=5) as client:
                        client.send(request("PUT", f"/{name}/{at}/{how}", body=b"x"))
                        got = client.response()
                        if got.status != 502 and got.complete:
                            assert at == len(said), f"{name} cut at {at} by {how} is {got!r}"
                            expect(bytes(got.body), b"" if whole else b"hello world")
                        elif at == len(said) and how == "fin":
                            raise AssertionError(f"{name}, whole, became {got!r}")
        emptied(gate)
        eventually(lambda: busy(gate) == 0, 5, "no server is asked any more")


@claim
def an_answer_without_framing_that_is_reset_never_looks_whole():
    """The reset comes right behind the bytes: the kernel tells both at once."""
    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        conn.reset()
    with Origin(script=script) as origin, calm(origin) as gate:
        for version in (b"1.1", b"1.0") * 10:
            with gate.connect() as client:
                client.send(request("PUT", body=b"x", version=version))
                try:
                    got = client.response()
                    assert got.status == 502 or not got.complete, f"{got!r} looks whole"
                except Ended:
                    pass


# floods of what the gate answers by itself


def denying(origin, top=None):
    """Whatever asks for /no is refused by an own rule, and the connection stays open."""
    rule = {"path": "/no", "do": "deny"}
    return calm(origin, top, lean=True, rules=[rule])


@claim
def refusals_that_nobody_reads_are_not_piled_up():
    with Origin() as origin, denying(origin) as gate:
        expect(gate.ask(target="/no").status, 403)
        client = gate.connect()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before, flood, at = gate.memory(), request(target="/no") * 2000, 0
        client.sock.settimeout(0.1)
        until = time.monotonic() + 4
        while time.monotonic() < until:
            try:
                at = (at + client.sock.send(flood[at:])) % len(flood)
            except TimeoutError:
                pass
        grown = gate.memory() - before
        assert grown < 6 << 20, f"{grown >> 20} MiB of answers wait"
        client.reset()
        emptied(gate)


@claim
def a_flood_of_refusals_leaves_others_their_turn():
    with Origin() as origin, denying(origin) as gate, gate.connect() as other:
        other.ask()
        stop, answers = [], []

        def flood():
            with gate.connect(record=False) as client:
                client.sock.settimeout(5)
                threading.Thread(target=lambda: [client.try_send(request(target="/no") * 1000) for _ in range(30)],
                                 daemon=True).start()
                while not stop:
                    client.more(5)
                    answers.append(client.buffer.count(b"HTTP/1.1 403"))
                    client.buffer.clear()
        thread = threading.Thread(target=flood)
        thread.start()
        time.sleep(0.3)
        slowest = 0.0
        for _ in range(50):
            started = time.monotonic()
            expect(other.ask().status, 200)
            slowest = max(slowest, time.monotonic() - started)
        stop.append(True)
        thread.join()
        assert sum(answers) > 16, "the flood was answered too"
        assert slowest < 0.3, f"another client waited {slowest:.2f} s"


@claim
def pipelined_refusals_are_all_answered_in_the_end():
    with Origin() as origin, denying(origin) as gate:
        for half_close in (False, True):
            with gate.connect() as client:
                client.send(b"".join(request(target="/no" if i % 3 else "/yes") for i in range(100)))
                if half_close:
                    client.finish()
                expect([client.response().status for _ in range(100)], [403 if i % 3 else 200 for i in range(100)])
                if half_close:
                    expect(client.end(2), "fin")


def read_slowly(gate, size, half_close, missing):
    """Reads an answer of that size by and by; the client's last word comes when the exchange has ended."""
    with gate.connect(record=False) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send(request(target=f"/{size}"))
        client.until(b"\r\n\r\n")
        said, left = False, size - len(client.take(len(client.buffer)))
        while left and not client.ended:
            client.more()
            left -= len(client.take(len(client.buffer)))
            if half_close and not said and f"/{size}" in gate.text("access.log"):
                client.finish()
                said = True
            time.sleep(0.01 if said else 0.08)
        missing.append(left)


@claim
def a_slow_reader_gets_the_end_of_its_answer_although_the_exchange_has_ended():
    """Neither its silence nor its own last word may cost it what still waits for it. How much that is depends on
    the kernel's buffers, hence the many sizes."""
    missing, sizes = [], range(4 << 20, 5400000, 90000)
    with Origin(lambda r: answer(200, bytes(int(r.target[1:]))), record=False) as origin, \
            calm(origin, {"timeouts": {"idle": "1s", "stall": "2s"}}) as gate:
        readers = [threading.Thread(target=read_slowly, args=(gate, size, i > 0, missing))
                   for i, size in enumerate(sizes)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    expect(missing, [0] * len(sizes))


# tunnels and TLS under pressure


SWITCHED = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
UPGRADE = ["Connection: upgrade", "Upgrade: websocket"]


def counting(size, start=0):
    """Bytes whose place can be told from them."""
    block = bytes(i % 251 for i in range(251 * 256))
    start %= 251
    return (block * (size // len(block) + 2))[start:start + size]


class Sink:
    """Reads slowly at first, and checks every byte."""

    def __init__(self):
        self.n, self.wrong, self.end = 0, None, None

    def read(self, conn, slow=0.5):
        time.sleep(slow)
        while conn.buffer or conn.more():
            piece = conn.take(len(conn.buffer))
            if self.wrong is None and piece != counting(len(piece), self.n):
                self.wrong = self.n
            self.n += len(piece)
        self.end = conn.ended


@claim(limit=120)
def a_tunnel_holds_back_who_sends_too_fast_and_loses_nothing():
    size, sink = 24 << 20, Sink()

    def script(conn):
        conn.request()
        conn.send(SWITCHED)
        sink.read(conn)
        conn.send(counting(size))
    with Origin(script=script, record=False) as origin, calm(origin) as gate, gate.connect(record=False) as client:
        gate.ask(target="/%zz")
        before = gate.memory()
        ahead = counting(100000)  # far ahead of the 101
        client.send(request(target="/ws", fields=UPGRADE) + ahead)
        expect(client.response(tunnel=True).status, 101)
        rest, most = counting(size, len(ahead)), 0
        for at in range(0, size, 1 << 20):
            client.send(rest[at:at + (1 << 20)])
            most = max(most, gate.memory() - before)
        client.finish()
        back = Sink()
        back.read(client, 1.0)
        expect((sink.n, sink.wrong, sink.end), (size + len(ahead), None, "fin"))
        expect((back.n, back.wrong, back.end), (size, None, "fin"))
        assert max(most, gate.memory() - before) < 16 << 20, f"{most >> 20} MiB"  # a sanitizer's, mostly


@claim
def a_tunnel_cut_in_the_middle_leaves_nothing_behind():
    ends = []

    def script(conn):
        how = conn.request().target
        if how == "/":
            return conn.send(answer(200, b"plain"))
        conn.send(SWITCHED)
        if how == "/origin":
            conn.try_send(counting(200000))
            return conn.reset()
        ends.append(conn.end(10))
        return None
    with Origin(script=script, record=False) as origin, calm(origin) as gate:
        for target in ("/origin", "/client") * 5:
            with gate.connect(timeout=5, record=False) as client:
                client.send(request(target=target, fields=UPGRADE))
                expect(client.response(tunnel=True).status, 101)
                client.try_send(counting(300000))
                if target == "/client":
                    client.reset()
                else:
                    assert client.end(5) in ("fin", "rst")
        eventually(lambda: len(ends) == 5, 5, "every origin told")
        settled(gate)


def with_tls(origin, **app):
    """A gate whose only listener speaks TLS."""
    folder = tempfile.mkdtemp(prefix="embergate-flow-certs.")
    cert, key = certs.make(folder, "t.example")
    gate = Gate(one_app(origin, {"workers": 1, "tls": {"certs": [{"cert": cert, "key": key}]}}, waf=CALM, **app),
                start=False)
    config = gate.filled(gate.config)
    config["listen"] = [{"bind": f"127.0.0.1:{gate.port}", "tls": True}]
    gate.write(config)
    gate.start()
    return gate


@claim(limit=120)
def large_bodies_within_tls_wait_for_slow_ends_and_lose_nothing():
    """Both hops are TLS; each is paused in the middle of records again and again."""
    size, sink = 12 << 20, Sink()
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certs.make(folder, "127.0.0.1")

        def script(conn):
            request_ = conn.request_head()
            got = 0
            while got < size:
                if not conn.buffer:
                    conn.more()
                piece = conn.take(len(conn.buffer))
                assert piece == counting(len(piece), got), f"wrong behind {got}"
                got += len(piece)
                time.sleep(0.002)
            assert request_.method == "PUT"
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            conn.send(counting(size))
            conn.more()
        with Origin(script=script, tls=certs.server_context(cert, key), record=False) as origin, \
                with_tls({"servers": [origin.url], "ca": cert}) as gate, \
                gate.connect(tls=trusting(), record=False, timeout=20) as client:
            client.send(request("PUT", "/", ["Content-Type: application/octet-stream", f"Content-Length: {size}"]))
            client.send(counting(size))
            head = client.until(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            while sink.n < size:
                if not client.buffer:
                    client.more()
                piece = client.take(len(client.buffer))
                assert piece == counting(len(piece), sink.n), f"wrong behind {sink.n}"
                sink.n += len(piece)
                time.sleep(0.001)


@claim
def a_reload_meets_every_state_of_a_connection():
    """One client in each; the configuration changes under them three times; each then goes on."""
    waits = threading.Event()

    def script(conn):
        while request_ := conn.request():
            if request_.fields.all("upgrade"):
                conn.send(SWITCHED)
                while conn.buffer or conn.more():
                    conn.send(conn.take(len(conn.buffer)))
                return
            if request_.target == "/answer":
                waits.wait(10)
            elif request_.target == "/stream":
                conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                waits.wait(10)
                conn.send(b"4\r\nlast\r\n0\r\n\r\n")
                continue
            conn.send(answer(200, b"done"))
    with Origin(script=script) as origin, Gate(one_app(origin.url, {"workers": 1}, waf=CALM)) as gate:
        tls = free_port()
        cert, key = certs.make(gate.folder, "t.example")

        def reload(n):
            rules = [{"path": f"/old{n}", "do": "deny"}]
            config = one_app(origin.url, {"tls": {"certs": [{"cert": cert, "key": key}]}, "workers": 1}, waf=CALM,
                             rules=rules)
            gate.write({**config, "listen": [{"bind": f"127.0.0.1:{gate.port}"},
                                             {"bind": f"127.0.0.1:{tls}", "tls": True}]})
            assert gate.reload(), gate.ctl("reload")
        reload(0)
        connect = {name: gate.connect() for name in ("idle", "head", "body", "answer", "stream", "tunnel", "linger")}
        shaking = socket.create_connection(("127.0.0.1", tls))
        shaking.sendall(hello_of(trusting())[:50])
        connect["idle"].ask()
        connect["head"].send(b"GET /head HTTP/1.1\r\nHost: t.exa")
        connect["body"].send(request("POST", "/body", ["Content-Length: 10"]) + b"01234")
        connect["answer"].send(request(target="/answer"))
        connect["stream"].send(request(target="/stream"))
        connect["tunnel"].send(request(target="/ws", fields=UPGRADE))
        expect(connect["tunnel"].response(tunnel=True).status, 101)
        connect["stream"].until(b"first\r\n")
        connect["linger"].send(b"BAD\r\n\r\n")
        expect(connect["linger"].response().status, 400)
        for n in range(1, 4):
            reload(n)
        waits.set()
        expect(connect["idle"].ask().status, 200)
        connect["head"].send(b"mple\r\n\r\n")
        expect(connect["head"].response().status, 200)
        connect["body"].send(b"56789")
        expect(connect["body"].response().status, 200)
        expect(connect["answer"].response().text, "done")
        expect(bytes(connect["stream"].exactly(14)), b"4\r\nlast\r\n0\r\n\r\n")
        connect["tunnel"].send(b"echo")
        expect(connect["tunnel"].exactly(4), b"echo")
        expect(connect["linger"].end(5), "fin")
        shaking.close()
        expect(connect["idle"].ask(target="/old3").status, 403, "the newest configuration")
        for client in connect.values():
            client.close()
        settled(gate)
