"""ops.py -- running it: reload, upgrade, drain, crash."""
import os
import re
import resource
import signal
import socket
import time

from lib.claims import claim, eventually, expect, within
from lib.client import request
from lib.gate import Gate, one_app
from lib.load import Load
from lib.origin import Origin, answer
from lib.ports import free_port
from lib.websocket import accepted, frame, upgrade
from lib.wire import Ended


# reload


@claim
def a_reload_takes_effect_and_a_bad_one_does_not():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        denying = one_app(origin.url, rules=[{"path": "/closed", "do": "deny"}])
        expect(gate.ask(target="/closed").status, 200)
        assert gate.reload(denying)
        expect(gate.ask(target="/closed").status, 403)
        good = open(gate.file, encoding="utf-8").read()
        for bad, word in (
            ("apps: [", "embergate.yaml:"),
            ("aps: {}\n", "did you mean"),
            (good + "\nlisten2: 1\n", "listen2"),
            (good.replace("upstream:", "upstreams:"), "upstream"),
            ("", "apps"),
            (good.replace("deny", "dany"), "deny"),
        ):
            gate.write(bad)
            done = gate.ctl("reload")
            expect(done.returncode, 1, bad[:40])
            assert word in done.stdout + done.stderr, f"{bad[:40]!r}: {done.stdout + done.stderr}"
            expect(gate.ask(target="/closed").status, 403, "the old configuration")
        expect(
            [
                v
                for k, v in gate.metrics().items()
                if k.startswith("embergate_config_last_reload_successful")
            ],
            [0],
        )
        gate.write(good)
        expect(gate.ctl("reload").returncode, 0)
        expect(
            [
                v
                for k, v in gate.metrics().items()
                if k.startswith("embergate_config_last_reload_successful")
            ],
            [1],
        )


@claim
def sighup_reloads_too():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        gate.write(one_app(origin.url, rules=[{"path": "/closed", "do": "deny"}]))
        gate.signal(signal.SIGHUP)
        eventually(lambda: gate.ask(target="/closed").status == 403, 5, "the reload")


@claim
def a_reload_may_add_and_remove_listeners():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        second, first = free_port(), {"bind": f"127.0.0.1:{gate.port}"}
        assert gate.reload(
            {**one_app(origin.url), "listen": [first, {"bind": f"127.0.0.1:{second}"}]}
        ), gate.ctl("reload")
        with gate.connect(port=second) as client:
            expect(client.ask().status, 200)
            assert gate.reload({**one_app(origin.url), "listen": [first]})
            status = client.ask().status
            assert status in (200, 404, 421, 503), f"the connection made before: {status}"
        eventually(lambda: refused(second), 3, "the port to be free")
        expect(gate.ask().status, 200)


def refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@claim
def a_request_in_flight_finishes_with_its_old_origin_over_a_reload():
    with Origin(lambda r: time.sleep(1) or answer(200, b"old")) as old, Origin(
        lambda r: answer(200, b"new")
    ) as new:
        with Gate(one_app(old.url)) as gate, gate.connect() as client:
            client.send(request())
            old.wait_for(1)
            assert gate.reload(one_app(new.url))
            expect(gate.ask().text, "new")
            expect(client.response().text, "old")
            expect(client.ask().text, "new")


class Standing:
    """A hundred idle connections and a WebSocket that must live through whatever is done."""

    def __init__(self, gate, count=100):
        self.idle = [gate.connect() for _ in range(count)]
        for client in self.idle:
            expect(client.ask(target="/idle").status, 200)
        self.ws = gate.connect()
        self.ws.send(upgrade()[0])
        expect(self.ws.response(tunnel=True).status, 101)

    def judge(self):
        closed = sum(not client.still_open(0.002) for client in self.idle)
        expect(closed, 0, "idle connections that were closed")
        for client in self.idle:
            expect(client.ask(target="/idle").status, 200)
        sent = frame(os.urandom(1000))
        self.ws.send(sent)
        expect(self.ws.exactly(len(sent)), sent, "the WebSocket")

    def close(self):
        for client in [*self.idle, self.ws]:
            client.close()


def plain_or_websocket(conn):
    while seen := conn.request():
        if seen.fields.get("upgrade"):
            conn.send(accepted(seen))
            while conn.buffer or conn.more():
                conn.send(conn.take(len(conn.buffer)))
            return
        conn.send(answer(200, b"fine"))


LOADED = {"size_limits": {"connections_per_address": 2000}}


@claim(limit=90)
def ten_reloads_under_load_fail_and_close_nothing():
    with Origin(script=plain_or_websocket) as origin, Gate(one_app(origin.url, LOADED)) as gate:
        standing = Standing(gate)
        with Load(gate) as load:
            for i in range(10):
                app = {"rules": [{"path": f"/closed{i}", "do": "deny"}]}
                assert gate.reload(one_app(origin.url, LOADED, **app)), f"reload {i}"
                expect(gate.ask(target=f"/closed{i}").status, 403)
                time.sleep(0.2)
        load.judge()
        expect(load.reopened, 0, "kept connections that were closed")
        standing.judge()
        standing.close()


@claim(limit=60)
def ten_bad_reloads_under_load_fail_and_close_nothing():
    with Origin(script=plain_or_websocket) as origin, Gate(one_app(origin.url, LOADED)) as gate:
        standing = Standing(gate, 20)
        with Load(gate) as load:
            gate.write("apps: {shop: {upstrem: x}}")
            for _ in range(10):
                expect(gate.ctl("reload").returncode, 1)
                time.sleep(0.1)
        load.judge()
        standing.judge()
        standing.close()


@claim(limit=60)
def many_reloads_leak_no_memory_and_no_descriptors():
    def descriptors():
        return len(os.listdir(f"/proc/{gate.serving()}/fd"))

    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        for _ in range(5):
            assert gate.reload()
            expect(gate.ask().status, 200)
        time.sleep(0.5)
        memory, files = gate.memory(), descriptors()
        for _ in range(25):
            assert gate.reload()
            expect(gate.ask().status, 200)
        time.sleep(0.5)
        assert descriptors() <= files + 3, f"{files} descriptors, then {descriptors()}"
        assert (
            gate.memory() - memory < 60 << 20
        ), f"memory grew by {(gate.memory() - memory) >> 20} MiB"


# upgrade, drain, crash


@claim(limit=60)
def an_upgrade_under_load_fails_nothing():
    with Origin(script=plain_or_websocket) as origin, Gate(one_app(origin.url, LOADED)) as gate:
        supervisor, child = gate.process.pid, gate.serving()
        ws = gate.connect()
        ws.send(upgrade()[0])
        expect(ws.response(tunnel=True).status, 101)
        with Load(gate) as load:
            gate.signal(signal.SIGUSR2)
            eventually(lambda: gate.serving() != child, 15, "a new child")
            time.sleep(3)
        load.judge()
        expect(gate.process.poll(), None, "the supervisor lives on")
        expect(gate.process.pid, supervisor)
        sent = frame(b"still here")
        ws.send(sent)
        expect(ws.exactly(len(sent)), sent, "the WebSocket of the old child")
        ws.close()
        eventually(lambda: not os.path.exists(f"/proc/{child}"), 15, "the end of the old child")
        expect(gate.ask().status, 200)
        expect(gate.ctl("status").returncode, 0)


@claim(limit=60)
def upgrades_in_quick_succession_leave_one_child_that_serves():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        with Load(gate, rate=100) as load:
            for _ in range(4):
                gate.signal(signal.SIGUSR2)
                time.sleep(0.1)
            gate.signal(signal.SIGHUP)
            time.sleep(4)
        load.judge()
        expect(gate.ctl("status").returncode, 0)


@claim
def sigterm_during_an_upgrade_ends_it():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        for wait in (0.0, 0.05, 0.2):
            gate.signal(signal.SIGUSR2)
            time.sleep(wait)
            gate.stop()
            gate.start()


@claim(limit=60)
def an_upgrade_to_a_program_that_cannot_start_keeps_the_old_one():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        gate.write("apps: [")
        child = gate.serving()
        gate.signal(signal.SIGUSR2)
        time.sleep(2)
        for _ in range(10):
            expect(gate.ask().status, 200)
        assert os.path.exists(f"/proc/{child}"), "the old child is gone"
        gate.write(one_app(origin.url))


@claim
def sigterm_lets_what_is_in_flight_finish():
    with Origin(lambda r: time.sleep(1.5) or answer(200, b"late")) as origin, Gate(
        one_app(origin.url)
    ) as gate:
        waiting = [gate.connect() for _ in range(5)]
        for client in waiting:
            client.send(request())
        origin.wait_for(5)
        gate.signal(signal.SIGTERM)
        time.sleep(0.5)
        for client in waiting:
            got = client.response()
            expect((got.text, got.fields.get("connection")), ("late", "close"))
        started = time.monotonic()
        gate.process.wait(10)
        within(5, started, "ending")
        expect(gate.process.returncode, 0)


@claim
def sigterm_takes_idle_connections_out_politely():
    with Origin() as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as idle, gate.connect() as busy:
        for client in (idle, busy):
            expect(client.ask().status, 200)
        gate.signal(signal.SIGTERM)
        time.sleep(0.3)
        got = busy.ask()
        expect(
            (got.status, got.fields.get("connection")),
            (200, "close"),
            "a request in the grace period",
        )
        expect(idle.end(5), "fin")
        gate.process.wait(10)


@claim
def the_drain_is_bounded():
    with Origin(lambda r: time.sleep(20) or answer()) as origin, Gate(
        one_app(origin.url, {"timeouts": {"drain": "1s"}})
    ) as gate, gate.connect() as client:
        client.send(request())
        origin.wait_for(1)
        started = time.monotonic()
        gate.signal(signal.SIGTERM)
        gate.process.wait(10)
        within(6, started, "the end")


@claim
def draining_is_told_at_readyz():
    with Origin(lambda r: time.sleep(2) or answer()) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.send(request())
        origin.wait_for(1)
        expect(gate.ctl("drain").returncode, 0)
        time.sleep(0.2)
        try:
            status = gate.admin("/readyz").status
        except (OSError, Ended):
            status = 503
        expect(status, 503)
        expect(client.response().status, 200)


@claim
def sigint_ends_it_too():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        expect(gate.ask().status, 200)
        gate.stop(signal.SIGINT)


@claim
def a_killed_child_is_replaced_within_100_ms():
    with Origin() as origin, Gate(one_app(origin.url), crashes=True) as gate:
        expect(gate.ask().status, 200)
        waits = []
        for _ in range(3):
            child = gate.serving()
            os.kill(child, signal.SIGKILL)
            started = time.monotonic()
            expect(gate.ask().status, 200, "the next request")
            waits.append(time.monotonic() - started)
            eventually(lambda: gate.serving() != child, 3, "a new child")
            time.sleep(0.7)
        print("next request answered after", [f"{w * 1000:.0f} ms" for w in waits])
        bound = 4.0 if gate.sanitized() else 0.1
        assert min(waits) < bound, f"the next request took {waits}"


@claim(limit=60)
def a_killed_child_fails_only_what_was_in_flight():
    with Origin() as origin, Gate(one_app(origin.url), crashes=True) as gate:
        with Load(gate, rate=100) as load:
            os.kill(gate.serving(), signal.SIGKILL)
            time.sleep(2)
        load.judge(failures=6)


@claim
def a_child_that_aborts_is_replaced_and_reported():
    with Origin() as origin, Gate(one_app(origin.url), crashes=True) as gate:
        child = gate.serving()
        os.kill(child, signal.SIGSEGV)
        eventually(lambda: gate.serving() != child and gate.ask().status == 200, 5, "a new child")
        assert re.search(r"ended unexpectedly", gate.text("stderr")), gate.text("stderr")


@claim
def a_gate_out_of_descriptors_recovers():
    with Origin() as origin, Gate(
        one_app(origin.url, {"workers": 1, **LOADED}), start=False
    ) as gate:
        old = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (80, old[1]))
        gate.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
        resource.prlimit(gate.serving(), resource.RLIMIT_NOFILE, (80, 80))
        many = []
        for _ in range(120):
            try:
                many.append(gate.connect(timeout=1))
            except OSError:
                break
        time.sleep(0.5)
        for client in many:
            client.close()

        def works():
            try:
                return gate.ask().status == 200
            except (OSError, Ended):
                return False

        eventually(works, 8, "recovery", every=0.2)
        eventually(lambda: works() and works() and works(), 8, "lasting recovery", every=0.2)


@claim
def systemd_is_told_when_it_is_ready_and_stopping():
    with Origin() as origin, Gate(one_app(origin.url), start=False) as gate, socket.socket(
        socket.AF_UNIX, socket.SOCK_DGRAM
    ) as sock:
        sock.bind(gate.path("notify"))
        sock.settimeout(10)
        gate.environment["NOTIFY_SOCKET"] = gate.path("notify")
        gate.start()
        told = b""
        while b"READY=1" not in told:
            told += sock.recv(4096) + b"\n"
        gate.signal(signal.SIGTERM)
        while b"STOPPING=1" not in told:
            told += sock.recv(4096) + b"\n"
        gate.process.wait(10)


@claim(limit=60)
def four_hundred_clients_come_and_go_without_a_trace():
    with Origin() as origin, Gate(
        one_app({"servers": [origin.url], "max_idle": 1}, LOADED)
    ) as gate:

        def descriptors():
            return len(os.listdir(f"/proc/{gate.serving()}/fd"))

        gate.ask()
        before = descriptors()
        for round_ in range(4):
            clients = [gate.connect() for _ in range(100)]
            for i, client in enumerate(clients):
                client.send([request(), b"GET / HTTP/1.1\r\n", b"", b"\0\0\0"][i % 4])
            for i, client in enumerate(clients):
                client.reset() if i % 2 else client.close()
        eventually(lambda: descriptors() <= before + 10, 5, "closed descriptors")
        expect(gate.ask().status, 200)
