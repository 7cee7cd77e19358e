"""reputation.py -- what others say of addresses: lists, country and AS; and what an administrator asks and says of it."""
import csv
import hashlib
import io
import json
import subprocess
import sys
import time

from lib.claims import claim, eventually, expect
from lib.gate import CALM, Gate, one_app, run
from lib.known import BROWSER, MMDB, OWN, TRUST, ListServer, ask, asked_json, done, gate_with, put, request, settings
from lib.origin import Origin
from lib.ports import free_port


def entries(gate):
    return {one["name"]: one["entries"] for one in asked_json(gate, "lists")}


def reloaded(gate, origin, lists, top=None, **app):
    expect(gate.reload(one_app(origin.url, settings(top, lists), **{"waf": CALM, **app})), True, gate.text("stderr")[-500:])


# ---- lists ----


@claim(limit=60)
def a_list_challenges_and_may_deny_throttle_or_allow():
    files = {"a.txt": "192.0.2.1\n192.0.2.64/26\n2001:db8::/32\n", "b.csv": "name,ip\nx,192.0.2.2\n", "c.txt": "192.0.2.3\n"}
    lists = [{"file": "a.txt"}, {"file": "b.csv", "do": "deny", "column": "ip"}, {"file": "c.txt", "do": "throttle"}]
    with Origin() as origin, gate_with(origin, lists=lists, files=files) as gate:
        expect(entries(gate), {"a.txt": 3, "b.csv": 1, "c.txt": 1})
        for address in "192.0.2.1", "192.0.2.100", "2001:db8:5::1":
            got = request(gate, address, fields=BROWSER)
            expect(got.status, 403, address)
            assert b"navigator.cookieEnabled" in got.body, got.body[:300]
        got = request(gate, "192.0.2.2", fields=BROWSER)
        expect((got.status, b"navigator.cookieEnabled" in got.body), (403, False), "deny")
        expect(ask(gate, "192.0.2.4"), 200, "in none")
        line = gate.logged("security", got.fields.get("x-request-id"))
        expect((line["event"]["action"], line["waf"]["source"]), ("deny", "cti"))
        begun = time.monotonic()
        statuses = [ask(gate, "192.0.2.3") for _ in range(40)]
        assert 429 in statuses or time.monotonic() - begun > 2, f"not throttled: {statuses}"
        expect({s for s in statuses} <= {200, 429, 503}, True, statuses)


@claim(limit=60)
def who_is_on_a_list_that_allows_is_held_to_be_nothing_else():
    files = {"bad.txt": "192.0.2.0/24\n", "good.txt": "192.0.2.7\n203.0.113.7\n"}
    lists = [{"file": "bad.txt", "do": "deny"}, {"file": "good.txt", "do": "allow"}]
    with Origin() as origin, gate_with(origin, lists=lists, files=files) as gate:
        expect((ask(gate, "192.0.2.6"), ask(gate, "192.0.2.7")), (403, 200), "another list")
        done(gate, "decisions", "add", "203.0.113.0/24", "deny")
        expect((ask(gate, "203.0.113.6"), ask(gate, "203.0.113.7")), (403, 200), "a decision")
        expect((ask(gate, "192.0.2.7", "/bait"), ask(gate, "192.0.2.7")), (200, 200), "a scenario")


@claim(limit=60)
def a_list_by_url_holds_over_a_restart_without_its_server():
    text = b"198.51.100.1\n198.51.100.128/25 # half\n"
    allowed = b"198.51.100.200\n"
    with ListServer(bad=text, good=allowed) as server, Origin() as origin:
        lists = [{"url": server.url("bad"), "do": "deny"},
                 {"url": server.url("good"), "do": "allow", "sha256": hashlib.sha256(allowed).hexdigest()}]
        with gate_with(origin, lists=lists) as gate:
            eventually(lambda: entries(gate) == {"bad": 2, "good": 1}, 20, "both are fetched")
            addresses = "198.51.100.1", "198.51.100.130", "198.51.100.200", "198.51.100.2"
            expect([ask(gate, a) for a in addresses], [403, 403, 200, 200])
            gate.stop()
            server.stop()
            gate.start()
            expect([ask(gate, a) for a in addresses], [403, 403, 200, 200], "without its server")
            expect(entries(gate), {"bad": 2, "good": 1})


@claim(limit=60)
def a_list_that_cannot_be_had_is_told_and_the_old_one_stays():
    with ListServer(bad=b"".join(b"198.51.100.%d\n" % i for i in range(100))) as server, Origin() as origin:
        with gate_with(origin, lists=[{"url": server.url("bad"), "do": "deny"}]) as gate:
            eventually(lambda: entries(gate) == {"bad": 100}, 20, "it is fetched")
            for body in b"<html>Sorry.</html>", None, b"198.51.100.1\n":
                count = len(server.asked)
                server.lists["bad"] = body
                done(gate, "lists", "refresh")
                eventually(lambda n=count: len(server.asked) > n, 10, "it is asked")
                eventually(lambda: asked_json(gate, "lists")[0]["error"], 10, "it is told")
                expect((entries(gate), ask(gate, "198.51.100.77")), ({"bad": 100}, 403), body)
            assert "TROUBLE" in done(gate, "lists"), "in the table too"
            server.lists["bad"] = b"".join(b"198.51.100.%d\n" % i for i in range(50))
            done(gate, "lists", "refresh", "bad")
            eventually(lambda: entries(gate) == {"bad": 50}, 10, "the new one")
            expect((asked_json(gate, "lists")[0]["error"], ask(gate, "198.51.100.77")), (None, 200))


@claim(limit=60)
def a_file_that_changes_is_read_anew():
    with Origin() as origin, gate_with(origin, lists=[{"file": "a.txt", "do": "deny"}], files={"a.txt": "192.0.2.1\n"}) as gate:
        expect((ask(gate, "192.0.2.1"), ask(gate, "192.0.2.2")), (403, 200))
        put(gate, "a.txt", "192.0.2.2\n")
        eventually(lambda: ask(gate, "192.0.2.2") == 403, 15, "the new one", every=0.2)
        expect(ask(gate, "192.0.2.1"), 200)


@claim(limit=60)
def a_reload_adds_changes_and_drops_lists():
    files = {"a.txt": "192.0.2.1\n", "b.txt": "192.0.2.2\n", "c.txt": "192.0.2.1\n192.0.2.3\n"}
    addresses = [f"192.0.2.{i}" for i in (1, 2, 3)]

    def statuses():
        return [ask(gate, a) for a in addresses]

    with Origin() as origin, gate_with(origin, lists=[{"file": "a.txt", "do": "deny"}], files=files) as gate:
        expect(statuses(), [403, 200, 200])
        reloaded(gate, origin, [{"file": "a.txt", "do": "deny"}, {"file": "b.txt", "do": "deny"}])
        eventually(lambda: statuses() == [403, 403, 200], 10, "one more")
        reloaded(gate, origin, [{"file": "c.txt", "name": "a.txt", "do": "deny"}, {"file": "b.txt", "do": "log"}])
        eventually(lambda: statuses() == [403, 200, 403], 10, "another file, another remedy")
        reloaded(gate, origin, [{"file": "b.txt", "do": "deny"}])
        eventually(lambda: statuses() == [200, 403, 200], 10, "one is dropped")
        expect(entries(gate), {"b.txt": 1})
        reloaded(gate, origin, [])
        eventually(lambda: statuses() == [200] * 3, 10, "all are dropped")
        expect(entries(gate), {})


@claim(limit=60)
def hearsay_and_one_event_of_our_own_is_a_denial():
    """A list by url is hearsay; a file is an administrator's own word."""
    profiles = {"profiles": [{"name": "soft", "do": "challenge", "for": "1h"}]}
    with ListServer(bad=b"192.0.2.1\n") as server, Origin() as origin, \
            gate_with(origin, profiles, [{"url": server.url("bad"), "do": "log"}]) as gate:
        eventually(lambda: entries(gate) == {"bad": 1}, 20, "it is fetched")
        expect((ask(gate, "192.0.2.1"), ask(gate, "192.0.2.2")), (200, 200))
        for address, remedy in ("192.0.2.1", "deny"), ("192.0.2.2", "challenge"):
            expect(ask(gate, address, "/bait"), 403)
            held = [d["remedy"] for d in asked_json(gate, "decisions") if d["value"] == address]
            expect(held, [remedy], address)
        reloaded(gate, origin, [], profiles)
        got = request(gate, "192.0.2.1", fields=BROWSER)
        expect((got.status, b"navigator.cookieEnabled" in got.body), (403, False), "no page to solve")


# ---- country and AS ----

GEO = {"geo": ["country.mmdb", "as.mmdb"]}
FRENCH, GERMAN, NOWHERE, AS64501, DUTCH = "192.0.2.9", "198.51.100.9", "198.51.100.200", "203.0.113.9", "2001:db8::9"
EVERYWHERE = FRENCH, GERMAN, NOWHERE, AS64501, DUTCH


def by_place(gate, target):
    return [ask(gate, a, target) for a in EVERYWHERE]


@claim(limit=60)
def own_rules_know_country_and_AS():
    rules = [{"path": "/fr", "country": "FR", "do": "deny"}, {"path": "/only", "not_country": ["FR", "NL"], "do": "deny"},
             {"path": "/as", "as": ["AS64501", "AS4200000000"], "do": "deny"}]
    with Origin() as origin, gate_with(origin, GEO, rules=rules) as gate:
        expect(by_place(gate, "/"), [200] * 5)
        expect(by_place(gate, "/fr"), [403, 200, 200, 200, 200])
        expect(by_place(gate, "/only")[:2], [200, 403])
        expect(by_place(gate, "/only")[4], 200)
        expect(by_place(gate, "/as"), [200, 200, 200, 403, 403])


@claim(limit=60)
def decisions_and_scenarios_know_country_and_AS():
    with Origin() as origin, gate_with(origin, GEO) as gate:
        expect(by_place(gate, "/not-fr"), [403, 200, 200, 200, 200])
        expect(by_place(gate, "/not-64501")[1:], [200, 200, 403, 200])
        done(gate, "decisions", "delete", FRENCH)
        done(gate, "decisions", "delete", AS64501)
        expect(by_place(gate, "/"), [200] * 5)
        done(gate, "decisions", "add", "FR", "Country", "deny")
        expect(by_place(gate, "/"), [403, 200, 200, 200, 200])
        done(gate, "decisions", "delete", "FR")
        for written in "AS64501", "64501":
            done(gate, "decisions", "add", written, "AS", "deny")
            expect(by_place(gate, "/"), [200, 200, 200, 403, 200], written)
            done(gate, "decisions", "delete", "64501" if written[0] == "A" else "AS64501")
        done(gate, "decisions", "add", "fr", "Country", "deny")
        expect(ask(gate, FRENCH), 403, "in small letters")
        said = done(gate, "client", FRENCH)
        assert "FR" in said and "64500" in said, said


@claim(limit=60)
def a_geo_file_is_read_anew_by_a_reload():
    with Origin() as origin, gate_with(origin, GEO) as gate:
        done(gate, "decisions", "add", "JP", "Country", "deny")
        expect(ask(gate, FRENCH), 200)
        subprocess.run([sys.executable, MMDB, gate.path("country.mmdb"), "vendor"], check=True, timeout=20)
        expect(gate.reload(), True)
        eventually(lambda: ask(gate, FRENCH) == 403, 5, "it is Japan now")


# ---- ctl ----


@claim(limit=60)
def ctl_allow_adds_lists_and_deletes():
    with Origin() as origin, gate_with(origin) as gate:
        expect(asked_json(gate, "allow", "list"), [])
        done(gate, "decisions", "add", "192.0.2.0/24", "deny")
        done(gate, "allow", "add", "192.0.2.1")
        done(gate, "allow", "add", "198.51.100.0/24", "2h", "office")
        expect((ask(gate, "192.0.2.1"), ask(gate, "192.0.2.2")), (200, 403))
        expect(ask(gate, "198.51.100.3", "/bait"), 200, "a scenario")
        said = done(gate, "allow", "list")
        assert "192.0.2.1" in said and "198.51.100.0/24" in said, said
        expect({d["value"] for d in asked_json(gate, "allow")}, {"192.0.2.1", "198.51.100.0/24"})
        gate.stop()
        gate.start()
        expect(ask(gate, "192.0.2.1"), 200, "after a restart")
        done(gate, "allow", "delete", "192.0.2.1")
        expect(ask(gate, "192.0.2.1"), 403)
        expect(gate.ctl("allow", "delete", "192.0.2.1").returncode, 1, "twice")
        expect(gate.ctl("allow", "add", "nobody").returncode, 1, "no address")
        expect(isinstance(asked_json(gate, "allow", "delete", "203.0.113.1"), dict), True)


@claim(limit=60)
def ctl_decisions_import_reads_each_form_and_tells_bad_lines():
    forms = {
        "plain": "192.0.2.1\n# none\n192.0.2.64/26\n",
        "csv": "duration,scope,value,type,reason\n1h,Ip,192.0.2.1,ban,x\n2h,Range,192.0.2.64/26,ban,y\n,Country,FR,challenge,\n",
        "json": json.dumps([{"value": "192.0.2.1", "duration": "1h"}, {"value": "192.0.2.64/26", "scope": "Range"},
                            {"value": "FR", "scope": "Country", "type": "challenge"}]),
    }
    with Origin() as origin, gate_with(origin) as gate:
        for form, text in forms.items():
            done(gate, "decisions", "import", put(gate, "import", text))
            got = {(d["scope"].lower(), d["value"], d["remedy"]) for d in asked_json(gate, "decisions")}
            wanted = {("ip", "192.0.2.1", "deny"), ("range", "192.0.2.64/26", "deny")}
            expect(got, wanted if form == "plain" else wanted | {("country", "FR", "challenge")}, form)
            expect((ask(gate, "192.0.2.1"), ask(gate, "192.0.2.65"), ask(gate, "192.0.2.2")), (403, 403, 200), form)
            for _, value, _ in got:
                done(gate, "decisions", "delete", value)
        bad = "duration,scope,value\n1h,Ip,192.0.2.1\nsoon,Ip,192.0.2.2\n1h,Range,nothing\n1h,Ip,192.0.2.3\n"
        said = gate.ctl("decisions", "import", put(gate, "import", bad))
        assert "line 3" in said.stderr and "line 4" in said.stderr, said
        expect({d["value"] for d in asked_json(gate, "decisions")}, {"192.0.2.1", "192.0.2.3"})
        said = gate.ctl("decisions", "import", put(gate, "import", '[{"value": "192.0.2.9"}, {'))
        assert said.returncode == 1 or said.stderr, f"broken JSON: {said}"
        expect(gate.ctl("decisions", "import", gate.path("missing")).returncode, 1)


@claim(limit=60)
def ctl_decisions_export_writes_each_form_and_it_comes_back():
    with Origin() as origin, gate_with(origin) as gate:
        done(gate, "decisions", "add", "192.0.2.1", "deny", "2h")
        done(gate, "decisions", "add", "198.51.100.0/24", "tarpit", "2h")
        done(gate, "decisions", "add", "203.0.113.5", "challenge", "2h")
        done(gate, "allow", "add", "198.51.100.128/25")
        out = {form: done(gate, "decisions", "export", form) for form in
               ("plain", "csv", "json", "nft", "ipset", "haproxy", "nginx")}
        expect(out["plain"].split(), ["192.0.2.1", "198.51.100.0/25"])
        for form in "nft", "ipset", "haproxy", "nginx":
            assert "192.0.2.1" in out[form] and "198.51.100.0/25" in out[form], (form, out[form])
        assert "challenge" in out["haproxy"] and "challenge" in out["nginx"], out
        rows = list(csv.DictReader(io.StringIO(out["csv"])))
        whole = {"192.0.2.1", "198.51.100.0/24", "203.0.113.5"}
        assert whole <= {r["value"] for r in rows}, out["csv"]
        assert whole <= {d["value"] for d in json.loads(out["json"])}, out["json"]
        expect(gate.ctl("decisions", "export", "xml").returncode, 1)
        before = {(d["value"], d["remedy"]) for d in asked_json(gate, "decisions") if d["value"] in whole}
        for form in "csv", "json":
            for value in whole:
                done(gate, "decisions", "delete", value)
            gate.ctl("decisions", "import", put(gate, "import", out[form]))
            after = {(d["value"], d["remedy"]) for d in asked_json(gate, "decisions") if d["value"] in whole}
            expect(after, before, form)


@claim(limit=60)
def ctl_client_and_alerts_tell_what_is_known():
    files = {"a.txt": "192.0.2.1\n"}
    with Origin() as origin, gate_with(origin, GEO, [{"file": "a.txt", "do": "log"}], files) as gate:
        expect(asked_json(gate, "alerts"), [])
        expect(ask(gate, "192.0.2.1", "/bait"), 403)
        eventually(lambda: len(asked_json(gate, "alerts")) == 1, 5, "the alert")
        alert = asked_json(gate, "alerts", "192.0.2.1")[0]
        expect((alert["scenario"], alert["value"], alert["decisions"]), ("test/bait", "192.0.2.1", 1))
        expect(asked_json(gate, "alerts", "192.0.2.2"), [])
        assert "test/bait" in done(gate, "alerts")
        said = done(gate, "client", "192.0.2.1")
        for word in "FR", "test/bait", "a.txt", "deny":
            assert word in said, f"{word}: {said}"
        known = asked_json(gate, "client", "192.0.2.1")
        expect((known["address"], known["decisions"][0]["remedy"], known["lists"][0]["name"], known["alerts"][0]["scenario"]),
               ("192.0.2.1", "deny", "a.txt", "test/bait"))
        unknown = asked_json(gate, "client", "198.51.100.250")
        expect((unknown["decisions"], unknown["alerts"]), ([], []))
        done(gate, "client", "2001:db8::1")
        expect(gate.ctl("client", "nobody").returncode, 1)
        gate.stop()
        gate.start()
        eventually(lambda: len(asked_json(gate, "alerts")) == 1, 5, "after a restart")


@claim(limit=60)
def ctl_privacy_prints_three_fields_and_no_private_address():
    with Origin() as origin, gate_with(origin) as gate:
        expect(asked_json(gate, "privacy")["signals"], [])
        for address in "203.0.113.1", "10.1.2.3", "192.168.1.1", "fd00::1", "2600::1:2:3:4":
            expect(ask(gate, address, "/bait"), 403, address)
        done(gate, "decisions", "add", "203.0.113.77", "deny")
        said = done(gate, "privacy")
        signals = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        expect({s["ip"] for s in signals}, {"203.0.113.1", "2600::"})
        expect({tuple(s) for s in signals}, {("ts", "ip", "behaviour")})
        assert "is off" in said, said
        known = asked_json(gate, "privacy")
        expect((known["sharing"], len(known["signals"])), (False, 2))
        expect({tuple(s) for s in known["signals"]}, {("ts", "ip", "behaviour")})


@claim(limit=60)
def every_question_has_an_answer_in_json():
    with Origin() as origin, gate_with(origin, lists=[{"file": "a.txt"}], files={"a.txt": "192.0.2.1\n"}) as gate:
        assert "alone" in done(gate, "nodes")
        for words in (("nodes",), ("lists",), ("lists", "refresh"), ("lists", "nonsense"), ("allow", "add", "192.0.2.9"), ("allow",),
                      ("decisions",), ("decisions", "add", "192.0.2.8"), ("decisions", "delete", "192.0.2.8"), ("alerts",),
                      ("client", "192.0.2.1"), ("client", "x"), ("privacy",), ("bouncers",), ("machines",), ("scenarios",)):
            asked_json(gate, *words)


@claim(limit=60)
def a_hand_may_do_what_hearsay_may_not():
    """The guard is for what others say; an administrator knows what is covered."""
    with Origin() as origin, gate_with(origin) as gate:
        expect({ask(gate, f"198.51.100.{i}") for i in range(1, 61)}, {200})
        done(gate, "decisions", "add", "198.51.100.0/24", "deny")
        expect(ask(gate, "198.51.100.7"), 403)


def told(number, scope, value):
    return {"id": number, "uuid": f"u{number}", "origin": "CAPI", "scenario": "crowdsecurity/x", "type": "ban", "scope": scope,
            "value": value, "duration": "4h"}


@claim(limit=60)
def what_others_say_of_too_many_clients_is_refused():
    stream = "v1/decisions/stream"
    wide = [told(1, "Range", "198.51.100.0/24"), told(2, "Country", "DE"), told(3, "AS", "AS64501"), told(4, "Ip", "203.0.113.200")]
    with ListServer(**{stream: b'{"new":[],"deleted":[]}'}) as server, Origin() as origin:
        crowdsec = {"lapi": server.url("").rstrip("/"), "key": "file:key", "every": "1s"}
        with gate_with(origin, GEO, files={"key": "abc"}, cti={"crowdsec": crowdsec}) as gate:
            expect({ask(gate, f"198.51.100.{i}") for i in range(1, 61)}, {200})
            server.lists[stream] = json.dumps({"new": wide, "deleted": []}).encode()
            eventually(lambda: ask(gate, "203.0.113.200") == 403, 15, "an address is held", every=0.2)
            expect((ask(gate, "198.51.100.7"), ask(gate, AS64501)), (200, 403), "most of the clients; hardly any")
            values = {d["value"] for d in asked_json(gate, "decisions")}
            expect(values, {"64501", "203.0.113.200"})
            expect(gate.text("stderr").count("it would cover") >= 2, True, gate.text("stderr")[-1500:])


@claim(limit=60)
def metrics_count_lists():
    with ListServer(bad=b"198.51.100.1\n198.51.100.2\n") as server, Origin() as origin:
        with gate_with(origin, {"lapi": f"127.0.0.1:{free_port()}"}, [{"url": server.url("bad")}]) as gate:
            eventually(lambda: entries(gate) == {"bad": 2}, 20, "it is fetched")
            metrics = gate.metrics()
            expect(metrics['embergate_cti_entries{list="bad"}'], 2)
            for family in "cti_entries", "cti_last_update_timestamp_seconds", "lapi_total":
                assert f"# TYPE embergate_{family} " in gate.admin("/metrics").text, family
            assert abs(metrics['embergate_cti_last_update_timestamp_seconds{list="bad"}'] - time.time()) < 60, metrics


# ---- what is refused ----


@claim(limit=90)
def a_wrong_configuration_is_refused_with_its_place():
    sha = "0" * 63 + "x"
    wrong = [
        ({"geo": ["missing.mmdb"]}, {}, "missing.mmdb"),
        ({"geo": ["own.yaml"]}, {}, "own.yaml"),
        ({"cti": {"lists": [{"url": "http://127.0.0.1/x", "file": "a.txt"}]}}, {}, "`url` or a `file`"),
        ({"cti": {"lists": [{"name": "x"}]}}, {}, "`url` or a `file`"),
        ({"cti": {"lists": [{"url": "ftp://127.0.0.1/x"}]}}, {}, "http or https"),
        ({"cti": {"lists": [{"url": "http://127.0.0.1/x", "do": "allow"}]}}, {}, "sha256"),
        ({"cti": {"lists": [{"url": "http://127.0.0.1/x", "sha256": sha}]}}, {}, "sha256"),
        ({"cti": {"lists": [{"file": "own.yaml", "name": "x"}, {"file": "b.txt", "name": "x"}]}}, {}, "x"),
        ({}, {"rules": [{"path": "/*", "country": "FR", "do": "deny"}]}, "geo"),
        ({"redis": "http://127.0.0.1"}, {}, "redis"),
        ({"redis": {"url": "redis://127.0.0.1:99999"}}, {}, "redis"),
        ({"redis": {"url": ["redis://127.0.0.1", "redis://127.0.0.2"]}}, {}, "redis"),
    ]
    with Gate(None, start=False) as gate:
        put(gate, "own.yaml", OWN)
        for top, app, word in wrong:
            gate.write(one_app("http://127.0.0.1:9", {**TRUST, "scenarios": {"packs": False}, **top}, **{"waf": CALM, **app}))
            said = run("check", "-c", gate.file, folder=gate.folder)
            text = said.stdout + said.stderr
            expect(said.returncode == 0, False, f"{top} {app}: {text}")
            assert word in text, f"{top} {app}: {text}"
            assert "embergate.yaml:" in text or word in ("missing.mmdb", "own.yaml"), f"no place: {top} {app}: {text}"
