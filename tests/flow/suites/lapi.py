"""lapi.py -- Debian's unmodified CrowdSec programs at the gate, and the gate at Debian's local API: what one decides, the
other's traffic shows."""
import contextlib
import ctypes
import http.client
import json
import os
import signal
import subprocess
import time

from lib import certs
from lib.claims import Skipped, claim, eventually, expect
from lib.crowdsec import Home, Lapi, need
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin
from lib.ports import free_port

TRUST = {"client_ip": {"trust": ["127.0.0.0/8"]}}
BAIT = """
type: trigger
name: test/bait
description: a path that nobody asks for
filter: "evt.Parsed.request == '/bait'"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:exploit"}
"""
NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class Served:
    """A gate that serves the API at `url`, and its origin."""

    def __init__(self, tls=False, **app):
        self.port, self.cert = free_port(), None
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.origin, self.gate = Origin(), Gate(None, start=False)
        lapi = {"bind": f"127.0.0.1:{self.port}", "appsec": True}
        if tls:
            self.cert, lapi["key"] = certs.make(self.gate.folder, "127.0.0.1")
            lapi["cert"] = self.cert
        top = {**TRUST, "scenarios": {"packs": False}, "lapi": lapi}
        self.gate.write(one_app(self.origin.url, top, **{"waf": CALM, **app}))
        self.gate.start()

    def __enter__(self):
        self.origin.__enter__()
        return self

    def __exit__(self, *why):
        with contextlib.ExitStack() as both:
            both.push(self.origin)
            both.push(self.gate)
            both.pop_all().__exit__(*why)

    def key(self, name, *scopes):
        return json.loads(self.ctl("-o", "json", "bouncers", "add", name, *scopes))["key"]

    def password(self, name):
        return json.loads(self.ctl("-o", "json", "machines", "add", name))["password"]

    def home(self, machine="agent1"):
        return Home(self.url, machine, self.password(machine), trusts=self.cert)

    def ctl(self, *words):
        done = self.gate.ctl(*words)
        expect(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def status(self, address):
        return ask(self.gate, address)

    def question(self, fields, target="/", method="GET", body=None):
        """What an AppSec bouncer asks about the client's request; status and answer."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        asking.request("POST" if body else "GET", "/", body,
                       {"X-Crowdsec-Appsec-Ip": "203.0.113.1", "X-Crowdsec-Appsec-Uri": target, "X-Crowdsec-Appsec-Verb": method,
                        "X-Crowdsec-Appsec-Host": "shop.example", "User-Agent": "Mozilla/5.0", **fields})
        got = asking.getresponse()
        text = got.read().decode()
        asking.close()
        return got.status, json.loads(text) if text else None


def ask(gate, address, target="/"):
    return gate.ask(target=target, fields=[f"X-Forwarded-For: {address}"]).status


def own_network():
    """For the rest of this script, which is a process of its own: what it does to a firewall is gone with it."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK):
        raise Skipped(f"no network namespace can be made: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    tried = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, timeout=10, check=False)
    if tried.returncode:
        raise Skipped(f"nftables does not work here: {tried.stderr.strip()}")


def in_firewall():
    """The addresses of all sets."""
    rules = json.loads(subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True, timeout=10, check=True).stdout)
    sets = [part["set"] for part in rules["nftables"] if "set" in part]
    return {e["elem"]["val"] if isinstance(e, dict) and "elem" in e else str(e) for s in sets for e in s.get("elem", ())}


@claim(limit=90)
def what_an_agent_reads_in_a_log_is_refused_at_the_gate():
    need("crowdsec", "cscli")
    with Served() as served, served.home() as home, home.agent() as agent:
        expect(served.status("192.0.2.200"), 200)

        def refused():
            agent.runs()
            home.fails("192.0.2.200")  # until it has begun to read
            return served.status("192.0.2.200") == 403

        eventually(refused, 40, "what the agent saw is refused", every=0.5)
        expect(served.status("192.0.2.201"), 200, "another address")
        held = json.loads(served.ctl("-o", "json", "decisions"))
        expect([(d["value"], d["origin"], d["reason"]) for d in held], [("192.0.2.200", "crowdsec", "test/failures")])


@claim
def who_is_refused_is_not_looked_at_again():
    """By whatever method; the connection goes on."""
    with Served() as served:
        asking = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        for fields in ({}, {"X-Api-Key": "wrong"}, {"Authorization": "Bearer a.b.c"}, {"Authorization": "Basic x"}):
            for method, path in (("GET", "/v1/decisions"), ("HEAD", "/v1/decisions"), ("GET", "/v1/alerts"), ("HEAD", "/v1/alerts"),
                                 ("POST", "/v1/alerts"), ("DELETE", "/v1/decisions"), ("GET", "/v1/heartbeat"), ("GET", "/v1/none")):
                asking.request(method, path, headers=fields)
                got = asking.getresponse()
                got.read()
                assert got.status in (401, 403, 404), f"{method} {path} {fields}: {got.status}"
        expect(served.gate.ask().status, 200)


@claim(limit=60)
def cscli_rules_the_traffic_of_the_gate():
    need("crowdsec", "cscli")
    with Served() as served, served.home() as home:
        home.cscli("lapi", "status")
        home.cscli("decisions", "add", "--ip", "192.0.2.77", "--duration", "10m")
        expect(served.status("192.0.2.77"), 403)
        listed = home.listed("decisions", "list")
        expect([(d["value"], d["type"], d["origin"]) for a in listed for d in a["decisions"]], [("192.0.2.77", "ban", "cscli")])
        home.cscli("decisions", "add", "--range", "198.51.100.0/24", "--duration", "10m")
        expect(served.status("198.51.100.9"), 403, "of a range")
        expect({a["source"]["value"] for a in home.listed("alerts", "list")}, {"192.0.2.77", "198.51.100.0/24"})
        home.cscli("decisions", "delete", "--ip", "192.0.2.77")
        expect(served.status("192.0.2.77"), 200)
        expect(served.status("198.51.100.9"), 403, "the other stays")
        home.cscli("decisions", "delete", "--range", "198.51.100.0/24")
        expect(served.status("198.51.100.9"), 200)
        expect(home.listed("decisions", "list"), [])


@claim(limit=60)
def a_machine_with_a_wrong_password_does_nothing():
    need("crowdsec", "cscli")
    with Served() as served:
        served.password("agent1")
        with Home(served.url, "agent1", "wrong") as home:
            try:
                home.cscli("decisions", "add", "--ip", "192.0.2.77")
            except AssertionError:
                pass
            else:
                raise AssertionError("cscli was let in")
        expect(served.status("192.0.2.77"), 200)


@claim(limit=90)
def a_custom_bouncer_is_told_what_ctl_adds_and_deletes():
    need("crowdsec", "cscli", "crowdsec-custom-bouncer")
    with Served() as served, served.home() as home, home.custom_bouncer(served.url, served.key("custom")) as bouncer:
        served.ctl("decisions", "add", "192.0.2.90")
        bouncer.told("add 192.0.2.90")
        served.ctl("decisions", "delete", "192.0.2.90")
        bouncer.told("del 192.0.2.90")


@claim(limit=90)
def a_firewall_bouncer_fills_its_set_and_empties_it():
    need("crowdsec", "cscli", "crowdsec-firewall-bouncer", "ip", "nft")
    own_network()
    with Served() as served, served.home() as home:
        served.ctl("decisions", "add", "192.0.2.91")
        with home.firewall_bouncer(served.url, served.key("firewall")) as bouncer:
            eventually(lambda: bouncer.runs() and "192.0.2.91" in in_firewall(), 30, "what was held before is in the set", every=0.2)
            served.ctl("decisions", "add", "192.0.2.92")
            served.ctl("decisions", "delete", "192.0.2.91")
            eventually(lambda: bouncer.runs() and in_firewall() == {"192.0.2.92"}, 30, "what changed is", every=0.2)


@claim(limit=90)
def a_gate_that_is_reloaded_or_starts_again_keeps_its_bouncers_and_machines():
    need("crowdsec", "cscli", "crowdsec-custom-bouncer")
    with Served() as served, served.home() as home, home.custom_bouncer(served.url, served.key("custom")) as bouncer:
        served.ctl("decisions", "add", "192.0.2.90")
        bouncer.told("add 192.0.2.90")
        expect(served.gate.reload(), True)
        served.ctl("decisions", "add", "192.0.2.91")
        bouncer.told("add 192.0.2.91")
        served.gate.stop()
        served.gate.start()
        expect(served.status("192.0.2.90"), 403, "it is held")
        home.cscli("decisions", "add", "--ip", "192.0.2.92", "--duration", "10m")
        expect(served.status("192.0.2.92"), 403)
        bouncer.told("add 192.0.2.92")
        served.ctl("decisions", "delete", "192.0.2.90")
        bouncer.told("del 192.0.2.90")


@claim(limit=60)
def the_API_is_spoken_over_TLS_where_it_has_a_certificate():
    need("crowdsec", "cscli")
    with Served(tls=True) as served, served.home() as home:
        home.cscli("lapi", "status")
        home.cscli("decisions", "add", "--ip", "192.0.2.77", "--duration", "10m")
        expect(served.status("192.0.2.77"), 403)


@claim(limit=90)
def an_upgraded_gate_is_the_only_one_that_answers():
    need("crowdsec", "cscli", "crowdsec-custom-bouncer")
    with Served() as served, served.home() as home, home.custom_bouncer(served.url, served.key("custom")) as bouncer:
        served.ctl("decisions", "add", "192.0.2.90")
        bouncer.told("add 192.0.2.90")
        old = served.gate.serving()
        with served.gate.connect() as slow:  # keeps the old one
            slow.send(b"GET / HTTP/1.1\r\n")
            served.gate.signal(signal.SIGUSR2)
            eventually(lambda: served.gate.serving() != old, 15, "a new child")
            eventually(lambda: served.gate.ctl("status").returncode == 0, 15, "it is ready")
            time.sleep(0.5)
            for i in range(1, 9):
                home.cscli("decisions", "add", "--ip", f"192.0.3.{i}", "--duration", "10m")
                expect(served.status(f"192.0.3.{i}"), 403, f"the decision {i} after the upgrade")
                bouncer.told(f"add 192.0.3.{i}")
        expect(served.status("192.0.2.90"), 403, "what was held before")


def listening_gate(origin, lapi, key=Lapi.KEY):
    """A gate that holds what `lapi` says, and tells it."""
    gate = Gate(None, start=False, environment={"THEIR_KEY": key, "THEIR_PASSWORD": lapi.PASSWORD})
    with open(gate.path("own.yaml"), "w", encoding="ascii") as out:
        out.write(BAIT)
    crowdsec = {"lapi": lapi.url, "key": "env:THEIR_KEY", "machine": lapi.MACHINE, "password": "env:THEIR_PASSWORD", "every": "1s",
                "most": "deny"}
    top = {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"]}, "cti": {"crowdsec": crowdsec}}
    gate.write(one_app(origin.url, top, waf=CALM))
    gate.start()
    return gate


@claim(limit=90)
def what_another_local_API_decides_is_enforced_here():
    with Lapi() as lapi, Origin() as origin, listening_gate(origin, lapi) as gate:
        expect(ask(gate, "192.0.2.10"), 200)
        lapi.cscli("decisions", "add", "--ip", "192.0.2.10", "--duration", "10m")
        eventually(lambda: ask(gate, "192.0.2.10") == 403, 30, "it is refused", every=0.1)
        expect(ask(gate, "192.0.2.11"), 200, "another address")
        lapi.stop()
        expect(ask(gate, "192.0.2.10"), 403, "while the API is away")
        lapi.start()
        lapi.cscli("decisions", "delete", "--ip", "192.0.2.10")
        eventually(lambda: ask(gate, "192.0.2.10") == 200, 30, "it is lifted", every=0.1)


@claim(limit=90)
def what_overflows_here_another_local_API_lists():
    with Lapi() as lapi, Origin() as origin, listening_gate(origin, lapi) as gate:
        expect(ask(gate, "203.0.113.77", "/bait"), 403)
        alerts = eventually(lambda: [a for a in lapi.listed("alerts", "list") if a["scenario"] == "test/bait"], 30, "it is listed", every=0.5)
        expect([a["source"]["value"] for a in alerts], ["203.0.113.77"])


@claim(limit=60)
def a_local_API_that_refuses_our_key_costs_no_request():
    with Lapi() as lapi, Origin() as origin, listening_gate(origin, lapi, key="wrong") as gate:
        lapi.cscli("decisions", "add", "--ip", "192.0.2.10", "--duration", "10m")
        eventually(lambda: "it does not know the key" in gate.text("stderr"), 15, "it is told")
        expect(ask(gate, "192.0.2.10"), 200)
        expect(ask(gate, "203.0.113.77", "/bait"), 403, "its own decisions hold")


@claim(limit=90)
def an_AppSec_bouncer_learns_what_our_rules_think():
    with Served(waf={}) as served:
        fields = {"X-Crowdsec-Appsec-Api-Key": served.key("front", "appsec")}
        attack, alike = "/?q=1%27%20UNION%20SELECT%20password%20FROM%20users--", "/?q=the+students%27+union+will+select+a+speaker"
        expect(served.question(fields, attack), (403, {"action": "ban", "http_status": 403}))
        expect(served.question(fields, alike), (200, {"action": "allow", "http_status": 200}))
        form = {**fields, "Content-Type": "application/x-www-form-urlencoded"}
        expect(served.question(form, "/", "POST", attack[2:])[0], 403, "in a body")
        expect(served.question(form, "/", "POST", alike[2:])[0], 200, "and alike")
        expect(served.origin.requests, [], "asked of the server")


@claim(limit=60)
def only_a_key_for_it_may_ask_for_verdicts():
    with Served() as served:
        right, bouncer = served.key("front", "appsec"), served.key("plain")
        for fields, status in (({"X-Crowdsec-Appsec-Api-Key": right}, 200), ({"X-Crowdsec-Appsec-Api-Key": "wrong"}, 401),
                               ({"X-Crowdsec-Appsec-Api-Key": bouncer}, 401), ({"X-Crowdsec-Appsec-Api-Key": ""}, 401)):
            got, answer = served.question(fields)
            expect(got, status, f"{list(fields.values())[0][:5]!r}: {answer}")
            expect("action" in (answer or {}), status == 200, "a verdict is told")
        seen = {k["name"]: k["seen"] is not None for k in json.loads(served.ctl("-o", "json", "bouncers"))}
        expect(seen["front"], True, "its use is noted")
        served.ctl("bouncers", "delete", "front")
        expect(served.question({"X-Crowdsec-Appsec-Api-Key": right})[0], 401, "once it is deleted")
