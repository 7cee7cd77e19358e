"""ctiapi.py -- decisions, the allow list, clients, lists, keys, certificates and privacy over the API."""
import http.client
import ipaddress
import json
import time
import urllib.parse

from lib import api, certs
from lib.api import Browser
from lib.claims import claim, eventually, expect
from lib.gate import Gate, one_app
from lib.known import ListServer, ask, asked_json, gate_with
from lib.origin import Origin
from lib.ports import free_port
from lib.visitor import Visitor


def got(gate, path, status=200):
    is_status, told = api.ask(gate, "GET", path)
    expect(is_status, status, f"GET {path}: {told}")
    return told


def posted(gate, path, body, status=200):
    is_status, told = api.ask(gate, "POST", path, body)
    expect(is_status, status, f"POST {path} {body}: {told}")
    return told


def deleted(gate, path):
    return api.ask(gate, "DELETE", path)[0]


def text_of(gate, path):
    """What is no JSON."""
    asking = api.OverSocket(gate.path("api.sock"))
    try:
        asking.request("GET", f"/api/v1{path}")
        answer = asking.getresponse()
        return answer.status, answer.read().decode()
    except http.client.HTTPException as trouble:
        raise AssertionError(f"GET {path}: {trouble}") from None
    finally:
        asking.close()


def audited(gate):
    return [(e["action"], e["subject"]) for e in got(gate, "/audit")["items"]]


# ---- decisions


@claim(limit=60)
def a_decision_is_held_listed_and_lifted():
    with Origin() as origin, gate_with(origin) as gate:
        expect(got(gate, "/decisions"), {"items": [], "next": None, "total": 0})
        made = posted(gate, "/decisions", {"value": "203.0.113.1", "duration": "1h", "reason": "too many"})
        expect((made["scope"], made["remedy"], made["origin"], made["reason"]), ("Ip", "deny", "manual", "too many"))
        expect(ask(gate, "203.0.113.1"), 403)
        expect(got(gate, "/decisions")["items"], [made])
        expect(deleted(gate, f"/decisions/{made['id']}"), 204)
        expect((ask(gate, "203.0.113.1"), deleted(gate, f"/decisions/{made['id']}"), deleted(gate, "/decisions/x")), (200, 404, 404))
        posted(gate, "/decisions", {"value": "203.0.113.2", "remedy": "challenge"})
        posted(gate, "/decisions", {"value": "203.0.113.2", "remedy": "tarpit"})
        expect(posted(gate, "/decisions/lift", {"value": "203.0.113.2"}), {"lifted": 2})
        expect(posted(gate, "/decisions/lift", {"value": "203.0.113.2"}), {"lifted": 0})
        expect(audited(gate)[-2:], [("decision.lift", made["id"]), ("decision.add", "203.0.113.1")])
        expect(len(audited(gate)), 5, "changes, and nothing else")


@claim(limit=60)
def what_cannot_be_held_is_said_so():
    with Origin() as origin, gate_with(origin) as gate:
        for body in (
            {"value": "127.0.0.1"},
            {"value": "nobody"},
            {"value": "203.0.113.1", "duration": "soon"},
            {"value": "203.0.113.1", "duration": "0s"},
            {"value": "203.0.113.1", "remedy": "allow"},
            {"value": "203.0.113.1", "scope": "Planet"},
            {"value": "x" * 300},
            {"value": "203.0.113.1", "until": "never"},
            {},
        ):
            told = posted(gate, "/decisions", body, 422)
            assert told["detail"], told
        for query in "scope=x", "remedy=x", "value=x", "after=x", "other=1":
            got(gate, f"/decisions?{query}", 400)
        expect((got(gate, "/decisions")["total"], audited(gate)), (0, []))


@claim(limit=60)
def decisions_are_found_by_what_they_say():
    with Origin() as origin, gate_with(origin) as gate:
        expect(ask(gate, "203.0.113.9", "/bait"), 403)
        posted(gate, "/decisions", {"value": "203.0.113.0/24", "remedy": "challenge", "reason": "neighbours"})
        posted(gate, "/decisions", {"value": "FR", "scope": "Country", "remedy": "log"})
        posted(gate, "/allow", {"value": "203.0.113.77"})

        def values(query):
            return [d["value"] for d in got(gate, f"/decisions?{query}")["items"]]

        expect(values(""), ["203.0.113.77", "FR", "203.0.113.0/24", "203.0.113.9"], "newest first")
        expect(values("scope=Ip"), ["203.0.113.77", "203.0.113.9"])
        expect(values("remedy=challenge"), ["203.0.113.0/24"])
        expect(values("origin=embergate"), ["203.0.113.9"])
        expect(values("q=NEIGH"), ["203.0.113.0/24"])
        expect(values("value=203.0.113.9"), ["203.0.113.0/24", "203.0.113.9"], "what covers it")
        expect(values("value=203.0.113.64/26"), ["203.0.113.77", "203.0.113.0/24"], "what is in it and around it")
        expect(values("value=198.51.100.1"), [])


@claim(limit=120)
def a_hundred_thousand_are_paged_in_time():
    rows = [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(100000)]
    with Origin() as origin, gate_with(origin) as gate:
        for first in range(0, len(rows), 50000):
            told = posted(gate, "/decisions/import", {"text": "\n".join(rows[first : first + 50000])})
            expect((told["added"], told["refused"], told["errors"]), (50000, 0, []))
        seen, after, slowest, pages = [], "", 0, 0
        while after is not None and pages < 20:
            begun = time.monotonic()
            page = got(gate, f"/decisions?limit=500&after={after}" if after else "/decisions?limit=500")
            slowest = max(slowest, time.monotonic() - begun)
            expect(page["total"], 100000)
            seen += [d["value"] for d in page["items"]]
            after, pages = page["next"], pages + 1
        expect((len(seen), len(set(seen))), (10000, 10000), "each once")
        assert slowest < 1, f"the slowest page took {slowest:.2f} s, under sanitizers"
        begun = time.monotonic()
        expect([d["value"] for d in got(gate, "/decisions?q=10.0.77.77&limit=5")["items"]], ["10.0.77.77"])
        assert time.monotonic() - begun < 1


@claim(limit=60)
def a_list_is_imported_with_its_bad_lines_told_and_exported():
    text = "203.0.113.1\nno address at all\n# a comment\n203.0.113.0/26\n127.0.0.1\n"
    with Origin() as origin, gate_with(origin) as gate:
        told = posted(gate, "/decisions/import", {"format": "plain", "text": text})
        expect((told["added"], told["refused"], len(told["errors"])), (2, 2, 2), told)
        assert told["errors"][0].startswith("line 2: ") and told["errors"][1].startswith("line 5: "), told
        told = posted(gate, "/decisions/import", {"format": "json", "text": '[{"value": "203.0.113.200", "type": "captcha"}, {'})
        expect((told["added"], len(told["errors"])), (1, 1), told)
        told = posted(gate, "/decisions/import", {"format": "csv", "text": "value,duration\n203.0.113.201,90m\n203.0.113.202,soon\n"})
        expect((told["added"], told["refused"]), (1, 1), told)
        out = [ipaddress.ip_network(line) for line in text_of(gate, "/decisions/export")[1].split()]
        expect([str(net) for net in ipaddress.collapse_addresses(out)], ["203.0.113.0/26", "203.0.113.201/32"], "who is refused")
        expect(len(json.loads(text_of(gate, "/decisions/export?format=json")[1])), 4)
        expect((text_of(gate, "/decisions/export?format=nft")[0], text_of(gate, "/decisions/export?format=x")[0]), (200, 400))
        expect([a for a, _ in audited(gate)], ["decision.import"] * 3)


@claim(limit=60)
def who_is_allowed_is_held_for_nothing():
    with Origin() as origin, gate_with(origin) as gate:
        expect(ask(gate, "203.0.113.1", "/bait"), 403)
        made = posted(gate, "/allow", {"value": "203.0.113.0/24", "reason": "our office"})
        expect((made["remedy"], made["scope"], made["until"] > "2035"), ("allow", "Range", True))
        expect((ask(gate, "203.0.113.1"), got(gate, "/allow")["items"]), (200, [made]))
        expect(deleted(gate, "/allow/" + urllib.parse.quote("203.0.113.0/24", safe="")), 204)
        expect((ask(gate, "203.0.113.1"), got(gate, "/allow")["total"]), (403, 0))
        expect(deleted(gate, "/allow/203.0.113.0"), 404)
        posted(gate, "/allow", {"value": "203.0.113.1"})
        expect(deleted(gate, "/allow/203.0.113.1"), 204)
        expect(ask(gate, "203.0.113.1"), 403, "what is held against it stays")


# ---- clients


@claim(limit=60)
def the_card_of_a_client_tells_all_that_is_known():
    counted = """
type: leaky
name: test/patience
description: what takes patience
filter: "evt.Parsed.request == '/slow'"
groupby: evt.Meta.source_ip
capacity: 9
leakspeed: 1h
labels: {remediation: true, behavior: "http:scan"}
"""
    lists = [{"file": "a.txt", "do": "log"}, {"file": "b.txt", "do": "throttle"}]
    files = {"a.txt": "192.0.2.1\n", "b.txt": "192.0.2.0/24\n", "more.yaml": counted}
    top = {"geo": ["country.mmdb", "as.mmdb"], "scenarios": {"packs": False, "files": ["own.yaml", "more.yaml"]}}
    with Origin() as origin, gate_with(origin, top, lists, files) as gate:
        for _ in range(3):
            expect(ask(gate, "192.0.2.1", "/slow"), 200)
        expect(ask(gate, "192.0.2.1", "/bait"), 403)
        posted(gate, "/allow", {"value": "192.0.2.1", "duration": "1h"})
        eventually(lambda: got(gate, "/clients/192.0.2.1")["alerts"], 5, "the alert")
        card = got(gate, "/clients/192.0.2.1")
        expect((card["address"], card["prefix"], card["country"], card["bot"], card["decided"]), ("192.0.2.1", "192.0.2.0/24", "FR", None, 1))
        expect([(d["remedy"], d["reason"]) for d in card["decisions"]], [("deny", "test/bait")])
        expect([d["remedy"] for d in card["allow"]], ["allow"])
        expect(sorted((e["name"], e["value"], e["remedy"]) for e in card["lists"]),
               [("a.txt", "192.0.2.1", "log"), ("b.txt", "192.0.2.0/24", "throttle")])
        expect(card["buckets"], [{"scenario": "test/patience", "count": 3, "capacity": 9}])
        expect([(a["scenario"], a["remedy"], a["origin"]) for a in card["alerts"]], [("test/bait", "deny", "embergate")])
        expect(card, asked_json(gate, "client", "192.0.2.1"), "ctl says the same")
        unknown = got(gate, "/clients/2001:db8::1")
        expect((unknown["prefix"], unknown["decisions"], unknown["alerts"]), ("2001:db8::/48", [], []))
        got(gate, "/clients/nobody", 400)


@claim(limit=60)
def alerts_are_paged():
    with Origin() as origin, gate_with(origin) as gate:
        for i in range(1, 6):
            expect(ask(gate, f"203.0.113.{i}", "/bait"), 403)
        eventually(lambda: len(got(gate, "/alerts")["items"]) == 5, 5, "the alerts")
        first = got(gate, "/alerts?limit=3")
        then = got(gate, f"/alerts?limit=3&after={first['next']}")
        expect([a["value"] for a in first["items"] + then["items"]], [f"203.0.113.{i}" for i in (5, 4, 3, 2, 1)])
        expect(then["next"], None)
        expect([a["value"] for a in got(gate, "/alerts?value=203.0.113.2")["items"]], ["203.0.113.2"])


# ---- lists, gates, privacy


@claim(limit=60)
def lists_are_told_and_fetched_anew():
    with ListServer(fire=b"192.0.2.1\n") as server, Origin() as origin:
        url = server.url("fire") + "?key=secret"
        lists = [{"url": url, "name": "fire", "every": "1h"}, {"file": "a.txt", "do": "deny"}]
        with gate_with(origin, lists=lists, files={"a.txt": "192.0.2.2\nno address\n"}) as gate:
            eventually(lambda: got(gate, "/lists")["items"][0]["entries"] == 1, 10, "it is fetched")
            fire, own = got(gate, "/lists")["items"]
            expect((fire["name"], fire["source"], fire["remedy"], fire["error"]), ("fire", server.url("fire"), "challenge", None))
            expect((own["name"], own["remedy"], own["entries"], own["skipped"]), ("a.txt", "deny", 1, 1))
            server.lists["fire"] = b"192.0.2.1\n192.0.2.3\n"
            expect(api.ask(gate, "POST", "/lists/fire/refresh")[0], 204)
            eventually(lambda: got(gate, "/lists")["items"][0]["entries"] == 2, 10, "it is fetched anew")
            expect(api.ask(gate, "POST", "/lists/none/refresh")[0], 404)
            expect(audited(gate), [("list.refresh", "fire")])


@claim(limit=60)
def what_leaves_is_told_in_words_and_as_it_would():
    with Origin() as origin, gate_with(origin) as gate:
        for address in "203.0.113.1", "10.1.2.3":
            expect(ask(gate, address, "/bait"), 403)
        told = got(gate, "/privacy")
        expect((told["sharing"], told["redis"], [s["ip"] for s in told["signals"]]), (False, False, ["203.0.113.1"]))
        assert "is off" in told["text"], told


@claim(limit=60)
def a_gate_alone_says_so():
    with Origin() as origin, gate_with(origin) as gate:
        expect(got(gate, "/nodes"), {"self": None, "redis": None, "items": [], "silent": []})


# ---- the local API's keys, certificates, bots


@claim(limit=60)
def keys_of_the_local_api_are_made_listed_and_taken_back():
    with Origin() as origin, gate_with(origin, {"lapi": {"bind": f"127.0.0.1:{free_port()}"}}) as gate:
        key = posted(gate, "/bouncers", {"name": "wall", "trusted": True})["key"]
        expect(len(key), 64)
        listed = got(gate, "/bouncers")["items"]
        expect([(k["name"], k["may"], k["validated"], k["seen"]) for k in listed], [("wall", ["decisions", "appsec", "trusted"], True, None)])
        expect(listed, asked_json(gate, "bouncers"), "ctl says the same")
        assert key not in json.dumps(listed)
        posted(gate, "/bouncers", {"name": "wall"}, 409)
        posted(gate, "/bouncers", {"name": "a b"}, 400)
        expect(posted(gate, "/bouncers", {"name": "other", "key": "k" * 32})["key"], "k" * 32)
        expect(len(posted(gate, "/machines", {"name": "agent"})["password"]), 64)
        expect(posted(gate, "/machines", {"name": "agent2", "password": "of my own choice"})["password"], None)
        expect([(k["name"], k["may"], k["validated"]) for k in got(gate, "/machines")["items"]], [("agent", [], True), ("agent2", [], True)])
        expect(api.ask(gate, "POST", "/machines/agent/validate")[0], 204)
        expect((deleted(gate, "/machines/agent"), deleted(gate, "/machines/agent"), deleted(gate, "/bouncers/wall")), (204, 404, 204))
        expect([a for a, _ in audited(gate)],
               ["bouncer.delete", "machine.delete", "machine.validate", "machine.add", "machine.add", "bouncer.add", "bouncer.add"])


@claim(limit=60)
def certificates_are_told_with_their_names_and_end():
    with Origin() as origin, Gate(None, start=False) as gate:
        cert, key = certs.make(gate.folder, "shop.example", "www.shop.example")
        bind = f"127.0.0.1:{free_port()}"
        listen = [{"bind": f"127.0.0.1:{gate.port}"}, {"bind": bind, "tls": True}]
        gate.write(one_app(origin.url, {"listen": listen, "tls": {"certs": [{"cert": cert, "key": key}]}}, waf={"mode": "off"}))
        gate.start()
        told = [c for c in got(gate, "/certs")["items"] if "shop.example" in c["hosts"]]
        expect([(c["listener"], c["hosts"]) for c in told], [(bind, ["shop.example", "www.shop.example"])])
        assert told[0]["expires"] > "2026", told


@claim(limit=60)
def challenges_and_bots_are_counted():
    challenged = {"rules": [{"path": "/asked", "do": "challenge"}], "bots": "on"}
    with Origin() as origin, gate_with(origin, **challenged) as gate:
        visitor = Visitor(gate)
        visitor.solve("/asked")
        Visitor(gate).ask(target="/asked")
        gate.ask(fields=["User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"])
        told = eventually(lambda: (t := got(gate, "/bots?range=1h"))["categories"] and t, 10, "the bot")
        funnel = told["funnel"]
        expect((funnel["issued"], funnel["solved"], sum(told["solve_ms"]["counts"])), (2, 1, 1), told)
        expect([(a["app"], a["issued"], a["solved"]) for a in told["by_app"]], [("shop", 2, 1)])
        expect([(c["category"], c["requests"], c["verified"]) for c in told["categories"]], [("search", 1, 0)])
        expect(len(told["solve_ms"]["counts"]), len(told["solve_ms"]["buckets"]) + 1)
        expect(got(gate, "/bots")["over"], None)
        assert told["over"] is not None and told["since"], told


@claim(limit=60)
def each_role_may_what_is_its_own():
    with Origin() as origin, gate_with(origin) as gate:
        viewer, operator = (Browser(gate, token=api.token(gate, role)) for role in ("viewer", "operator"))
        for path in "/decisions", "/allow", "/clients/203.0.113.1", "/alerts", "/lists", "/nodes", "/bots", "/certs", "/privacy", "/decisions/export":
            expect((viewer.ask("GET", path).status, Browser(gate).ask("GET", path).status), (200, 401), path)
        wish = {"value": "203.0.113.1"}
        for path in "/decisions", "/allow", "/decisions/lift":
            expect((viewer.ask("POST", path, wish).status, operator.ask("POST", path, wish).status), (403, 200), path)
        expect(viewer.ask("DELETE", "/allow/203.0.113.1").status, 403)
        for path in "/bouncers", "/machines":
            expect((operator.ask("GET", path).status, operator.ask("POST", path, {"name": "x"}).status), (403, 403), path)
