#!/usr/bin/env python3
"""The local API that we serve: its answers, and Debian's unmodified programs at it.

    lapi.py PROGRAM        (tests/tools/lapi_world.c)

Without Debian's crowdsec only the answers are looked at, and the test counts as skipped where that is all it did.
The same programs at a whole gate: flow/suites/lapi.py."""
import gzip
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow"))
from lib.claims import eventually
from lib.crowdsec import PATIENCE, Home

SKIP = 77


class World:
    def __init__(self, program, place):
        self.process = subprocess.Popen([program, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("lapi_world did not start")
        port, self.key, self.password = line.rstrip("\n").split(" ", 2)
        self.port = int(port)
        self.token = None

    def ask(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        c.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), headers or {})
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        return r.status, text

    def key_ask(self, path, method="GET"):
        return self.ask(method, path, headers={"X-Api-Key": self.key})

    def machine(self, method, path, body=None):
        return self.ask(method, path, body, {"Authorization": "Bearer " + self.token})

    def end(self):
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


def same(what, got, want):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


def alert(value, decision=None, scope="Ip", scenario="test/probing"):
    return {"capacity": 10, "decisions": decision and [decision], "events": [], "events_count": 11, "leakspeed": "10s", "message": "m",
            "scenario": scenario, "scenario_hash": "", "scenario_version": "", "simulated": False,
            "source": {"scope": scope, "value": value, "ip": value}, "start_at": "2026-11-24T02:42:03Z", "stop_at": "2026-11-24T02:42:04Z"}


def decision(value, scope="Ip", kind="ban", duration="10m"):
    return {"duration": duration, "origin": "cscli", "scenario": "manual", "scope": scope, "type": kind, "value": value}


def refusals(w):
    same("no key", w.ask("GET", "/v1/decisions?ip=1.2.3.4"), (403, '{"message":"access forbidden"}'))
    same("no token", w.ask("GET", "/v1/alerts"), (401, '{"code":401,"message":"cookie token is empty"}'))
    same("bad token", w.ask("GET", "/v1/alerts", headers={"Authorization": "Bearer xx"}),
         (401, '{"code":401,"message":"token contains an invalid number of segments"}'))
    same("unknown route", w.key_ask("/v1/nope"), (404, ""))
    same("wrong method", w.key_ask("/v1/decisions", "PUT"), (405, ""))
    same("health", w.ask("GET", "/health"), (200, '{"status":"up"}'))
    same("HEAD", w.key_ask("/v1/decisions/stream?startup=true", "HEAD"), (200, ""))
    same("wrong password", w.ask("POST", "/v1/watchers/login", {"machine_id": "agent1", "password": "bad"})[0], 401)
    same("no password", w.ask("POST", "/v1/watchers/login", {"machine_id": "agent1"}), (401, '{"code":401,"message":"input format error"}'))
    same("an address that is none", w.key_ask("/v1/decisions?ip=notanip"),
         (500, '{"message":"unable to convert \'notanip\' to int: invalid address: invalid ip address / range"}'))
    same("usage metrics", w.ask("POST", "/v1/usage-metrics", {"remediation_components": []}, {"X-Api-Key": w.key}), (201, ""))


def machines(w):
    same("register", w.ask("POST", "/v1/watchers", {"machine_id": "agentX", "password": "pw"}), (201, ""))
    same("not validated", w.ask("POST", "/v1/watchers/login", {"machine_id": "agentX", "password": "pw"}),
         (401, '{"code":401,"message":"machine agentX not validated"}'))
    status, text = w.ask("POST", "/v1/watchers/login", {"machine_id": "agent1", "password": w.password, "scenarios": ["a/b"]})
    same("login", (status, list(json.loads(text))), (200, ["code", "expire", "token"]))
    w.token = json.loads(text)["token"]
    same("heartbeat", w.machine("GET", "/v1/heartbeat"), (200, ""))
    status, text = w.machine("GET", "/v1/refresh_token")
    same("refresh", status, 200)
    w.token = json.loads(text)["token"]
    same("allowlists", w.machine("GET", "/v1/allowlists"), (200, "[]"))
    forged = w.token[:-1] + ("0" if w.token[-1] != "0" else "1")
    same("a forged token", w.ask("GET", "/v1/heartbeat", headers={"Authorization": "Bearer " + forged})[0], 401)


def stream(w, query=""):
    status, text = w.key_ask("/v1/decisions/stream" + query)
    same("stream", status, 200)
    got = json.loads(text)
    same("keys of the stream", list(got), ["new", "deleted"])
    return sorted(d["value"] for d in got["new"]), sorted(d["value"] for d in got["deleted"])


def alerts(w):
    same("an alert that is none", w.machine("POST", "/v1/alerts", {})[0], 400)
    same("an alert without all", w.machine("POST", "/v1/alerts", [{"scenario": "x"}])[0], 500)
    same("first pull", stream(w, "?startup=true"), ([], []))
    status, text = w.machine("POST", "/v1/alerts", [alert("192.0.2.10"), alert("203.0.113.0/28", decision("203.0.113.0/28", "Range"), "Range")])
    same("alerts", (status, text), (201, '["1","2"]'))
    same("the delta", stream(w), (["192.0.2.10", "203.0.113.0/28"], []))
    same("the next", stream(w), ([], []))
    same("too wide", w.machine("POST", "/v1/alerts", [alert("10.0.0.0/8", decision("10.0.0.0/8", "Range"), "Range")])[0], 403)
    same("a country", w.machine("POST", "/v1/alerts", [alert("ZZ", decision("ZZ", "Country"), "Country")])[0], 403)
    body = gzip.compress(json.dumps([alert("192.0.2.11")]).encode())
    same("a packed alert", w.ask("POST", "/v1/alerts", body, {"Authorization": "Bearer " + w.token, "Content-Encoding": "gzip"})[0], 201)
    ranges = json.loads(w.key_ask("/v1/decisions?ip=203.0.113.7")[1])
    same("a range around it", [d["value"] for d in ranges], ["203.0.113.0/28"])
    same("none", w.key_ask("/v1/decisions?ip=8.8.8.8"), (200, "null"))
    listed = json.loads(w.machine("GET", "/v1/alerts?has_active_decision=true&include_capi=false&limit=100")[1])
    same("alerts listed", [a["id"] for a in listed], [3, 2, 1])
    same("its decision", listed[2]["decisions"][0]["origin"], "crowdsec")
    same("one alert", json.loads(w.machine("GET", "/v1/alerts/1")[1])["machine_id"], "agent1")
    same("no alert", w.machine("GET", "/v1/alerts/9999"), (404, '{"message":"object not found"}'))
    same("lift one", w.machine("DELETE", f"/v1/decisions/{listed[2]['decisions'][0]['id']}"), (200, '{"nbDeleted":"1"}'))
    same("lift a range by an address", w.machine("DELETE", "/v1/decisions?ip=203.0.113.7"), (200, '{"nbDeleted":"1"}'))
    same("lift none", w.machine("DELETE", "/v1/decisions?ip=9.9.9.9"), (200, '{"nbDeleted":"0"}'))
    same("lifted", stream(w), (["192.0.2.11"], ["192.0.2.10", "203.0.113.0/28"]))
    listed = json.loads(w.machine("GET", "/v1/alerts?has_active_decision=true")[1])
    same("those that hold", [a["id"] for a in listed], [3])
    same("no such", w.machine("DELETE", "/v1/decisions/99999"),
         (500, '{"message":"decision with id \'99999\' doesn\'t exist: unable to delete"}'))
    same("alerts deleted", w.machine("DELETE", "/v1/alerts?ip=192.0.2.10&limit=0"), (200, '{"nbDeleted":"1"}'))


def many(w):
    n = 4000
    for first in range(0, n, 50 * 40):
        for k in range(first, first + 50 * 40, 500):
            pushed = [alert(f"198.18.{(k + i) >> 8}.{(k + i) & 255}") for i in range(500)]
            status, text = w.machine("POST", "/v1/alerts", pushed)
            if status == 403:
                got = len(stream(w, "?startup=true")[0])
                if got < 1000:
                    sys.exit(f"only {got} in a large pull")
                print(f"a machine was stopped at {got} decisions in a minute; all of them were pulled at once")
                return
            same("many alerts", status, 201)
    sys.exit("a machine made 4000 decisions in a minute")


# ---- Debian's programs ----

def with_cscli(w, home):
    stream(w, "?startup=true")
    home.cscli("lapi", "status") # says nothing in JSON, and fails where it cannot log in
    home.cscli("decisions", "add", "--ip", "192.0.2.77", "--duration", "10m", "--type", "captcha")
    same("what cscli added", stream(w)[0], ["192.0.2.77"]) # what is over is told for two seconds
    listed = home.listed("decisions", "list", "--ip", "192.0.2.77")
    same("cscli lists it", [(d["value"], d["type"], d["origin"]) for a in listed for d in a["decisions"]], [("192.0.2.77", "captcha", "cscli")])
    one = json.loads(home.cscli("alerts", "inspect", str(listed[0]["id"]), "-o", "json"))
    if "192.0.2.77" not in json.dumps(one):
        sys.exit(f"cscli alerts inspect: {one}")
    home.cscli("decisions", "delete", "--ip", "192.0.2.77")
    same("what cscli deleted", "192.0.2.77" in stream(w)[1], True)
    home.listed("alerts", "list")
    home.cscli("alerts", "delete", "--ip", "192.0.2.77")
    print("cscli: lapi status, decisions add, list, delete, alerts list, inspect, delete")


def with_custom_bouncer(w, home):
    with home.custom_bouncer(f"http://127.0.0.1:{w.port}", w.key) as bouncer:
        same("an alert", w.machine("POST", "/v1/alerts", [alert("192.0.2.90", decision("192.0.2.90"))])[0], 201)
        bouncer.told("add 192.0.2.90")
        same("lifted", w.machine("DELETE", "/v1/decisions?ip=192.0.2.90")[1], '{"nbDeleted":"1"}')
        bouncer.told("del 192.0.2.90")
    print("crowdsec-custom-bouncer: add, del")


def with_agent(w, home):
    def held():
        home.fails("192.0.2.200") # until it has begun to read
        return agent.runs() and json.loads(w.key_ask("/v1/decisions?ip=192.0.2.200")[1])

    with home.agent() as agent:
        got = eventually(held, PATIENCE, "the agent's alert", every=1)[0]
    same("the agent's decision", (got["origin"], got["scenario"], got["type"]), ("crowdsec", "test/failures", "ban"))
    print("crowdsec: log in, an alert of a log, and it is held")


def with_programs(w):
    """How many were there, and which were not."""
    done, missing = 0, []
    steps = (("cscli", with_cscli), ("crowdsec", with_agent), ("crowdsec-custom-bouncer", with_custom_bouncer))
    if not (shutil.which("crowdsec") and shutil.which("cscli")):
        return 0, ["crowdsec"]
    with Home(f"http://127.0.0.1:{w.port}", "agent1", w.password) as home:
        for name, step in steps:
            if shutil.which(name):
                step(w, home)
                done += 1
            else:
                missing.append(name)
    return done, missing


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="lapi.") as place:
        w = World(sys.argv[1], place)
        try:
            for step in (refusals, machines, alerts):
                step(w)
            done, missing = with_programs(w)
            many(w)
        finally:
            code = w.end()
        same("its end", code, 0)
    if missing:
        print("not installed: " + ", ".join(missing))
    return 0 if done else SKIP


if __name__ == "__main__":
    sys.exit(main())
