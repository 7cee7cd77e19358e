"""cluster.py -- what one gate learns all know, through a real Redis; and no gate ever waits for it."""
import json
import os
import random
import re
import socket
import statistics
import tempfile
import threading
import time
import urllib.request

from lib import certs
from lib.claims import claim, eventually, expect
from lib.gates import Gates, ask, gate_of, met, nodes, origin_answers
from lib.load import Load
from lib.origin import Origin
from lib.ports import free_port
from lib.redis import Cluster, Pretender, Redis, Sentinel
from lib.sse import Stream
from lib.visitor import BROWSER, Visitor

OVERLAP_S = 10  # cti/lapi_stream.c


def held(gate):
    return {d["value"] for d in json.loads(gate.ctl("-o", "json", "decisions").stdout)}


def address(i):
    return f"198.51.{i // 250}.{i % 250 + 1}"


@claim(limit=60)
def a_ban_of_one_is_enforced_by_the_others():
    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url) as gates:
        met(gates)
        delays = []
        for i in range(40):
            who = address(i)
            expect(ask(gates[0], who, "/bait"), 403)
            begun = time.monotonic()
            for other in gates[1:]:
                eventually(lambda o=other: ask(o, who) == 403, 5, f"{who} is known", every=0)
            delays.append((time.monotonic() - begun) * 1000)
        print(f"known to two others after: median {statistics.median(delays):.2f} ms, worst {max(delays):.1f} ms, "
              "two requests to see it included")
        # Lifting is known as well.
        expect(gates[1].ctl("decisions", "delete", address(0)).returncode, 0)
        for gate in gates:
            eventually(lambda g=gate: ask(g, address(0)) == 200, 5, "it is lifted")


@claim(limit=60)
def who_follows_is_told_that_a_gate_has_gone():
    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url) as gates:
        met(gates)
        names = {n["name"] for n in nodes(gates[0])}
        stream = Stream(gates[0], "node")
        time.sleep(2)
        expect(stream.events, [])
        gates[2].stop()
        told = json.loads(eventually(lambda: stream.of("node"), 30, "it is told")[0]["data"])
        expect((told["up"], told["name"] in names), (False, True))
        stream.close()
        gates[2].start()


@claim(limit=60)
def a_scanner_that_is_spread_over_gates_overflows_at_capacity():
    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url) as gates:
        met(gates)
        statuses = []
        for i in range(12):
            statuses.append(ask(gates[i % 3], "203.0.113.9", f"/missing{i}"))
            time.sleep(0.05)  # more than it takes to tell the others
        expect(statuses[:9], [404] * 9)
        expect(statuses[9:], [403] * 3, "the tenth and what follows")


@claim(limit=60)
def a_challenge_that_was_solved_at_one_passes_at_all():
    with Redis() as redis, Origin(origin_answers) as origin, \
            Gates(origin, redis.url, rules=[{"path": "/*", "do": "challenge"}]) as gates:
        met(gates)
        visitor = Visitor(gates[0])
        page = visitor.page()
        expect(visitor.verify(page.solution()).status, 204)
        for gate in gates:
            visitor.gate = gate
            expect(visitor.ask().status, 200, "with the pass")


@claim(limit=60)
def a_pass_that_is_handed_around_is_revoked_at_all():
    with Redis() as redis, Origin(origin_answers) as origin, \
            Gates(origin, redis.url, rules=[{"path": "/*", "do": "challenge"}]) as gates:
        met(gates)
        visitor = Visitor(gates[0], (*BROWSER, "X-Forwarded-For: 203.0.113.1"))
        expect(visitor.verify(visitor.page().solution()).status, 204)
        for i in range(8):  # each network comes to another gate
            visitor.gate, visitor.fields = gates[i % 3], (*BROWSER, f"X-Forwarded-For: 203.0.{i}.1")
            visitor.ask()
            time.sleep(0.05)
        visitor.fields = (*BROWSER, "X-Forwarded-For: 203.0.113.1")
        for gate in gates:
            visitor.gate = gate
            eventually(lambda: visitor.ask().status == 403, 5, "it is worth nothing")


@claim(limit=60)
def limits_are_counted_by_all_together():
    limits = [{"path": "/login", "rate": "30/h", "burst": 30}]
    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url, limits=limits) as gates:
        met(gates)
        passed = 0
        for i in range(90):
            passed += ask(gates[i % 3], "203.0.113.4", "/login") == 200
            time.sleep(0.03)
        # A tenth is not told of; what comes within a telling (0.1 s) may pass too.
        assert 30 <= passed <= 30 + 3 * 3 + 8, passed


@claim(limit=90)
def a_redis_that_is_killed_and_comes_back_empty_costs_no_request():
    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url) as gates:
        met(gates)
        expect(ask(gates[0], "203.0.113.1", "/bait"), 403)
        eventually(lambda: ask(gates[2], "203.0.113.1") == 403, 5, "it is known")
        with Load(gates[1], rate=200) as load:
            redis.kill()
            expect(ask(gates[0], "203.0.113.2", "/bait"), 403, "decided while apart")
            expect(ask(gates[1], "203.0.113.3", "/bait"), 403, "by the other, too")
            expect(ask(gates[1], "203.0.113.1"), 403, "what was known still is")
            time.sleep(1)
            redis.start()
            for gate in gates:
                eventually(lambda g=gate: {"203.0.113.1", "203.0.113.2", "203.0.113.3"} <= held(g), 20, "merged")
        expect(load.failed, [], f"of {load.count}")


@claim(limit=90)
def a_gate_starts_without_redis_and_joins_when_it_comes():
    with Redis(start=False) as redis, Origin(origin_answers) as origin, Gates(origin, redis.url, 2) as gates:
        expect(ask(gates[0], "203.0.113.1", "/bait"), 403)
        expect(ask(gates[1], "203.0.113.1"), 200, "it cannot know")
        with Load(gates[1], rate=100) as load:
            redis.start()
            eventually(lambda: ask(gates[1], "203.0.113.1") == 403, 20, "merged")
        expect(load.failed, [], f"of {load.count}")


@claim(limit=90)
def a_redis_that_hangs_delays_no_request():
    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        with Load(gates[0], rate=200) as before:
            time.sleep(1)
        redis.freeze()
        with Load(gates[0], rate=200) as during:
            for i in range(20):
                expect(ask(gates[0], address(i), "/bait"), 403)
            time.sleep(3)
        print(f"slowest of {before.count} calm: {before.slowest * 1000:.0f} ms; of {during.count} while it hangs: "
              f"{during.slowest * 1000:.0f} ms")
        expect((before.failed, during.failed), ([], []))
        redis.thaw()
        eventually(lambda: {address(i) for i in range(20)} <= held(gates[1]), 20, "merged")


@claim(limit=90)
def a_slow_redis_delays_no_request():
    def slow(from_, to):
        while piece := from_.recv(65536):
            time.sleep(0.3)
            to.sendall(piece)

    with Redis() as redis:
        def far_away(connection):
            with socket.create_connection(("127.0.0.1", redis.port), 5) as real:
                threading.Thread(target=slow, args=(real, connection), daemon=True).start()
                slow(connection, real)

        with Pretender(far_away) as between, Origin(origin_answers) as origin, Gates(origin, between.url, 2) as gates:
            with Load(gates[0], rate=200) as load:
                for i in range(10):
                    expect(ask(gates[0], address(i), "/bait"), 403)
                eventually(lambda: {address(i) for i in range(10)} <= held(gates[1]), 30, "known, some time later")
            expect(load.failed, [], f"of {load.count}")
            assert load.slowest < 0.25, f"a request took {load.slowest:.2f} s, as if it had waited"


@claim(limit=90)
def a_full_redis_is_a_warning_and_no_more():
    with Redis("--maxmemory", "1mb", "--maxmemory-policy", "noeviction") as redis, \
            Origin(origin_answers) as origin, Gates(origin, redis.url, 2) as gates:
        with Load(gates[0], rate=100) as load:
            for i in range(50):
                expect(ask(gates[0], address(i), "/bait"), 403)
            time.sleep(2)
        expect(load.failed, [])
        redis.ask("CONFIG", "SET", "maxmemory", "100mb")
        eventually(lambda: {address(i) for i in range(50)} <= held(gates[1]), 30, "merged once there is room")


@claim(limit=60)
def a_password_is_needed_and_a_wrong_one_is_told():
    with Redis("--requirepass", "open sesame") as redis, Origin(origin_answers) as origin:
        right = f"redis://:open%20sesame@127.0.0.1:{redis.port}"
        with Gates(origin, right, 2) as gates:
            met(gates)
            expect(ask(gates[0], "203.0.113.1", "/bait"), 403)
            eventually(lambda: ask(gates[1], "203.0.113.1") == 403, 5, "it is known")
        with Gates(origin, f"redis://:wrong@127.0.0.1:{redis.port}", 1) as gates:
            expect(ask(gates[0], "203.0.113.1", "/bait"), 403)
            eventually(lambda: "redis" in gates[0].text("stderr").lower(), 10, "it is told")
            assert gates[0].text("stderr").lower().count("wrongpass") <= 3, gates[0].text("stderr")[-2000:]


@claim(limit=90)
def whatever_answers_in_place_of_redis_harms_nobody():
    def garbage(connection):
        while connection.recv(65536):
            connection.sendall(random.choice([b"$-5\r\n", b"*99999999\r\n", os.urandom(300), b"+OK\r\n" * 50, b"$9999999999\r\nx"]))

    def silence(connection):
        while connection.recv(65536):
            pass

    def cut(connection):
        connection.recv(65536)

    for script in garbage, silence, cut:
        with Pretender(script) as server, Origin(origin_answers) as origin, Gates(origin, server.url, 1) as gates:
            with Load(gates[0], rate=100) as load:
                expect(ask(gates[0], "203.0.113.1", "/bait"), 403)
                time.sleep(2)
            expect(load.failed, [], script.__name__)
            assert server.taken < 40, f"{script.__name__}: {server.taken} connections in two seconds"


@claim(limit=60)
def a_writer_in_redis_without_the_secret_holds_nobody():
    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        expect(ask(gates[0], "203.0.113.1", "/bait"), 403)
        eventually(lambda: ask(gates[1], "203.0.113.1") == 403, 5, "it is known")
        kinds = {name: redis.ask("TYPE", name) for name in keys_of(redis)}
        streams = [name for name, kind in kinds.items() if b"stream" in kind]
        assert streams, kinds
        for stream in streams:
            entry = redis.ask("XREVRANGE", stream, "+", "-", "COUNT", "1")
            forged = [part for part in entry.split(b"\r\n") if part and part[:1] not in b"*$"][1:]
            swapped = [part.replace(b"203.0.113.1", b"203.0.113.8") for part in forged]
            if len(swapped) % 2 == 0:
                redis.ask("XADD", stream, "*", *swapped)
            redis.ask("XADD", stream, "*", "r", "203.0.113.8", "m", "x" * 16)
        time.sleep(0.5)
        expect(ask(gates[1], "203.0.113.8"), 200, "it is not held")
        expect(ask(gates[0], "203.0.113.8"), 200, "nor here")


def keys_of(redis):
    raw = redis.ask("KEYS", "*").split(b"\r\n")
    return [part.decode() for part in raw if part and part[:1] not in (b"*", b"$")]


def travels(gates, who):
    """What the first decides the others know."""
    expect(ask(gates[0], who, "/bait"), 403)
    for other in gates[1:]:
        eventually(lambda o=other: ask(o, who) == 403, 15, f"{who} is known")


@claim(limit=60)
def tls_is_spoken_and_a_certificate_of_another_is_refused():
    with tempfile.TemporaryDirectory(prefix="embergate-flow.") as folder, Origin(origin_answers) as origin:
        cert, key = certs.make(folder, "127.0.0.1")
        other, _ = certs.make(folder, "another", "127.0.0.1")
        tls = free_port()
        with Redis("--tls-port", str(tls), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"):
            url = f"rediss://127.0.0.1:{tls}"
            with Gates(origin, url, 2, redis={"ca": cert}) as gates:
                met(gates)
                travels(gates, "203.0.113.1")
            with Gates(origin, url, 1, redis={"ca": other}) as gates:
                eventually(lambda: re.search(r"redis: .*certificate", gates[0].text("stderr")), 10, "it is told")
                expect(ask(gates[0], "203.0.113.2", "/bait"), 403, "by itself")
                expect(nodes(gates[0]), [], "whom it knows")


def documented_user():
    """The words of ACL SETUSER that docs/cluster.md gives."""
    with open(os.path.join(os.path.dirname(__file__), "../../../docs/cluster.md"), encoding="utf-8") as file:
        words = re.search(r"^    user (embergate on .*?)\n\n", file.read(), re.M | re.S).group(1).split()
    return [">sesame" if word == ">PASSWORD" else word for word in words]


@claim(limit=60)
def a_user_with_the_documented_rights_has_enough_of_them():
    with Redis() as redis, Origin(origin_answers) as origin:
        expect(redis.ask("ACL", "SETUSER", *documented_user()), b"+OK\r\n")
        url = f"redis://embergate:sesame@127.0.0.1:{redis.port}"
        with Gates(origin, url, 2) as gates:
            met(gates)
            travels(gates, "203.0.113.1")
            expect(gates[1].ctl("decisions", "delete", "203.0.113.1").returncode, 0)
            eventually(lambda: ask(gates[0], "203.0.113.1") == 200, 5, "it is lifted")
        expect(redis.ask("ACL", "LOG"), b"*0\r\n", "what was denied")


@claim(limit=90)
def a_failover_of_sentinels_is_followed():
    with Redis() as master, Redis("--replicaof", f"127.0.0.1 {master.port}") as replica, Origin(origin_answers) as origin:
        eventually(lambda: b"master_link_status:up" in replica.ask("INFO", "replication"), 15, "the replica")
        with Sentinel(master) as sentinel:
            eventually(lambda: b"num-slaves\r\n$1\r\n1" in sentinel.ask("SENTINEL", "master", "gates"), 20, "the sentinel sees both")
            with Gates(origin, [sentinel.url], 2, redis={"sentinel": "gates"}) as gates:
                met(gates)
                travels(gates, "203.0.113.1")
                master.kill()
                expect(ask(gates[0], "203.0.113.2", "/bait"), 403, "while there is none")
                eventually(lambda: b"role:master" in replica.ask("INFO", "replication"), 20, "the failover")
                eventually(lambda: ask(gates[1], "203.0.113.2") == 403, 20, "what was decided meanwhile is known")
                travels(gates, "203.0.113.3")


@claim(limit=60)
def a_cluster_is_entered_at_any_node():
    with Cluster() as cluster, Origin(origin_answers) as origin:
        at = []
        try:
            for i, node in enumerate(cluster):
                at.append(gate_of(origin, [node.url], f"gate{i}", redis={"cluster": True}))
            met(at)
            travels(at, "203.0.113.1")
            expect(sum(bool(keys_of(node)) for node in cluster), 1, "nodes with our keys")
        finally:
            for gate in at:
                gate.__exit__(None, None, None)


@claim(limit=60)
def a_gate_that_is_restarted_keeps_its_number():
    def numbers(gate):
        return {n["name"]: n["number"] for n in nodes(gate)}

    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        before = numbers(gates[0])
        expect(len(set(before.values())), 2, "numbers")
        gates[1].stop()
        gates[1].start()
        eventually(lambda: len(nodes(gates[1])) == 2, 15, "it is back")
        expect((numbers(gates[0]), numbers(gates[1])), (before, before))


@claim(limit=60)
def a_bouncer_may_ask_any_gate():
    def pull(port, key, first=False):
        ask_it = urllib.request.Request(f"http://127.0.0.1:{port}/v1/decisions/stream?startup={'true' if first else 'false'}",
                                        headers={"X-Api-Key": key})
        with urllib.request.urlopen(ask_it, timeout=10) as got:
            said = json.load(got)
        return {d["value"] for d in said["new"] or []}, {d["value"] for d in said["deleted"] or []}

    with Redis() as redis, Origin(origin_answers) as origin, Gates(origin, redis.url, 2) as gates:
        ports = [free_port(), free_port()]
        for gate, port in zip(gates, ports):
            gate.stop()
            gate.config["lapi"] = f"127.0.0.1:{port}"
            gate.write(gate.config)
            gate.start()
        met(gates)
        key = json.loads(gates[0].ctl("-o", "json", "bouncers", "add", "wall").stdout)["key"]
        expect(gates[1].ctl("bouncers", "add", "wall", f"key:{key}").returncode, 0)
        expect(gates[1].ctl("bouncers", "add", "short", "key:short").returncode, 1)
        gates[0].ctl("decisions", "add", "203.0.113.1")
        eventually(lambda: "203.0.113.1" in held(gates[1]), 5, "both know")
        expect(pull(ports[0], key, first=True)[0], {"203.0.113.1"})
        gates[0].ctl("decisions", "add", "203.0.113.2")
        eventually(lambda: "203.0.113.2" in held(gates[1]), 5, "both know")
        new, _ = pull(ports[1], key)
        assert "203.0.113.2" in new, new
        expect(pull(ports[1], key), (set(), set()), "nothing more")
        time.sleep(OVERLAP_S + 1)  # a mark of another gate is taken with some seconds more
        pull(ports[1], key)
        expect(pull(ports[0], key), (set(), set()), "the other gate has told it all")
        gates[1].ctl("decisions", "delete", "203.0.113.1")
        eventually(lambda: "203.0.113.1" not in held(gates[0]), 5, "lifted at both")
        assert "203.0.113.1" in pull(ports[0], key)[1]
