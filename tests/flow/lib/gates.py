"""gates.py -- several gates of one installation, on one Redis."""
import json

from lib.claims import eventually
from lib.gate import CALM, Gate, one_app
from lib.origin import answer

TRUST = {"client_ip": {"trust": ["127.0.0.0/8"]}}
SECRET = "the gates of one installation share this"

# Ten probes are one too many, wherever they come in; a bait is one.
OWN = """
type: leaky
name: test/spread
description: pages that are not there, at any gate
filter: "evt.Meta.http_status == '404'"
groupby: evt.Meta.source_ip
capacity: 9
leakspeed: 1h
blackhole: 1h
cluster: true
labels: {remediation: true, behavior: "http:scan"}
---
type: trigger
name: test/bait
description: a path that nobody asks for
filter: "evt.Parsed.request == '/bait'"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:exploit"}
"""


def origin_answers(request):
    if "/missing" in request.target:
        return answer(404, b"not here", reason=b"Not Found")
    return answer(200, b"fine")


def gate_of(origin, redis_url, name, redis=None, alike=False, **app):
    """One of several: the same secret, a state directory of its own. alike: changes of one are offered to the others."""
    gate = Gate(None, start=False)
    with open(gate.path("own.yaml"), "w", encoding="ascii") as out:
        out.write(OWN)
    with open(gate.path("secret"), "w", encoding="ascii") as out:
        out.write(SECRET)
    top = {**TRUST, "secret": "file:secret", "scenarios": {"packs": False, "files": ["own.yaml"]},
           "redis": {"url": redis_url, "name": name, **(redis or {})}}
    if alike:
        top["admin"] = {"bind": f"127.0.0.1:{gate.admin_port}", "cluster_writes": True}
    gate.write(one_app(origin.url, top, **{"waf": CALM, **app}))
    gate.start()
    return gate


class Gates:
    """Some gates on one Redis, all stopped at the end."""

    def __init__(self, origin, redis_url, count=3, **more):
        self.at = []
        try:
            for i in range(count):
                self.at.append(gate_of(origin, redis_url, f"gate{i}", **more))
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __enter__(self):
        return self.at

    def __exit__(self, kind, value, trace):
        for gate in self.at:
            gate.__exit__(kind, value, trace)


def ask(gate, address, target="/"):
    return gate.ask(target=target, fields=[f"X-Forwarded-For: {address}"]).status


def nodes(gate):
    try:
        return [n for n in json.loads(gate.ctl("-o", "json", "nodes").stdout) if n["up"]]
    except ValueError:
        return []


def met(gates):
    eventually(lambda: all(len(nodes(g)) == len(gates) for g in gates), 15, "all gates know each other")
