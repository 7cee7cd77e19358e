"""apart.py -- a gate is cut off from the others by the network, and what both sides decided meanwhile is one set again."""
import json
import time

from lib.claims import claim, eventually, expect
from lib.gate import CALM, Gate, one_app
from lib.load import Load
from lib.net import Net
from lib.origin import Origin, answer
from lib.redis import Redis

SECRET = "the gates of one installation share this"


def gate_of(origin, redis_url, name, **where):
    gate = Gate(None, start=False, **where)
    with open(gate.path("secret"), "w", encoding="ascii") as out:
        out.write(SECRET)
    gate.write(one_app(origin, {"client_ip": {"trust": ["127.0.0.0/8", "10.213.0.0/16"]}, "secret": "file:secret",
                                "scenarios": {"packs": False}, "redis": {"url": redis_url, "name": name}}, waf=CALM))
    gate.start()
    return gate


def ask(gate, address):
    return gate.ask(fields=[f"X-Forwarded-For: {address}"]).status


def count(gate):
    """How many it holds, without printing them."""
    made = gate.ctl("decisions", "export", "plain")
    return made.stdout.count("\n")


def nodes(gate):
    return json.loads(gate.ctl("-o", "json", "nodes").stdout)


def many(gate, name, network, n):
    with open(gate.path(name), "w", encoding="ascii") as out:
        out.writelines(f"{network}.{i // 250}.{i % 250 + 1}\n" for i in range(n))
    told = gate.ctl("decisions", "import", gate.path(name), patience=120)
    assert told.stdout.startswith(f"{n} are held, 0 were refused"), told.stdout + told.stderr


@claim(limit=240)
def a_gate_that_was_cut_off_serves_on_and_all_is_one_set_when_the_cable_is_back():
    with Net() as net, Redis("--maxmemory", "200mb", host=net.here["b"]) as redis, Origin(host=net.here["a"]) as origin:
        near = gate_of(origin.url, redis.url, "near")
        far = gate_of(origin.url, redis.url, "far", before=net.before, host=net.there["a"])
        with near, far:
            eventually(lambda: len(nodes(near)) == 2 and len(nodes(far)) == 2, 20, "they know each other")
            expect(near.ctl("decisions", "add", "203.0.113.1").returncode, 0)
            eventually(lambda: ask(far, "203.0.113.1") == 403, 5, "it is known")
            with Load(far, rate=100) as load:
                net.pull("b")
                many(near, "near", "100.1", 50000)
                many(far, "far", "100.2", 50000)
                expect(near.ctl("decisions", "delete", "203.0.113.1").returncode, 0)
                expect(far.ctl("decisions", "add", "203.0.113.2").returncode, 0)
                expect(ask(far, "203.0.113.1"), 403, "the lift is not known there")
                expect(ask(near, "203.0.113.2"), 200, "nor that here")
                time.sleep(3)
                net.plug("b")
                begun = time.monotonic()
                eventually(lambda: ask(near, "203.0.113.2") == 403 and ask(far, "203.0.113.1") == 200, 40, "they are one again")
                eventually(lambda: count(near) == count(far) == 100001, 40, "all of it", every=0.2)
                print(f"100,000 decisions made apart were one set {time.monotonic() - begun:.1f} s after the cable was back")
            expect(load.failed, [], f"of {load.count}")
