"""behaviour.py -- scenarios watch, and the very request that overflows is stopped."""
import datetime
import gzip
import json
import os
import signal
import time

from lib.claims import claim, eventually, expect
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin, answer

TRUST = {"client_ip": {"trust": ["127.0.0.0/8"]}}

# Five questions for a page that is not there; three failed logins of one user, from wherever.
OWN = """
type: leaky
name: test/missing
description: pages that are not there
filter: "evt.Meta.http_status == '404'"
groupby: evt.Meta.source_ip
capacity: 4
leakspeed: 1h
labels: {remediation: true, behavior: "http:scan"}
---
type: leaky
name: test/failures
description: failed logins from one address
filter: "evt.Gate.login == 'failure'"
groupby: evt.Meta.source_ip
capacity: 2
leakspeed: 1h
labels: {remediation: true, behavior: "http:bruteforce"}
---
type: leaky
name: test/user
description: one user's failed logins, from many addresses
filter: "evt.Gate.login == 'failure' && evt.Gate.user != ''"
groupby: evt.Gate.user
distinct: evt.Meta.source_ip
capacity: 3
leakspeed: 1h
scope: {type: Username, expression: evt.Gate.user}
labels: {remediation: true, behavior: "http:bruteforce"}
---
type: trigger
name: test/bait
description: a path that nobody asks for
filter: "evt.Parsed.request == '/bait'"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:exploit"}
---
type: leaky
name: test/basic
description: refused credentials
filter: "evt.Meta.sub_type == 'auth_fail' && evt.Parsed.request == '/private'"
groupby: evt.Meta.source_ip
capacity: 2
leakspeed: 1h
labels: {remediation: true, behavior: "http:bruteforce"}
---
type: leaky
name: test/together
description: three addresses at one thing
filter: "evt.Parsed.request == '/together'"
distinct: evt.Meta.source_ip
capacity: 2
leakspeed: 1h
labels: {remediation: true, behavior: "http:exploit"}
"""


def origin_answers(request):
    if request.target == "/private":
        return answer(401, b"no", reason=b"Unauthorized")
    if "/missing" in request.target:
        return answer(404, b"not here", reason=b"Not Found")
    if request.target == "/slow":
        time.sleep(1)
    if request.target == "/login":
        if b"status" in request.body:
            return answer(401, b"no", reason=b"Unauthorized")
        if b"redirect" in request.body:
            return answer(302, b"", [b"Location: /login?error=1"], reason=b"Found")
        if b"packed" in request.body and request.fields.get("accept-encoding"):
            return answer(200, gzip.compress(b"Wrong password"), [b"Content-Encoding: gzip"])
        if b"ranged" in request.body and request.fields.get("range"):
            return answer(206, b"<p>", [b"Content-Range: bytes 0-2/17"], reason=b"Partial Content")
        if b"padded" in request.body:
            return answer(200, b"x" * 70000 + b"Wrong password")
        if b"marker" in request.body or b"packed" in request.body or b"ranged" in request.body:
            return answer(200, b"<p>" + b"x" * 3000 + b"Wrong password</p>")
    return answer(200, b"fine")


def also(gate, scenarios):
    with open(gate.path("own.yaml"), "a", encoding="ascii") as out:
        out.write("---" + scenarios)
    expect(gate.reload(), True)


def overflowed(gate, name):
    watch = json.loads(gate.ctl("-o", "json", "scenarios").stdout)
    return [s["overflowed"] for s in watch if s["name"] == name][0]


def gate_with(origin, top=None, watch=None, **app):
    gate = Gate(None, start=False)
    with open(gate.path("own.yaml"), "w", encoding="ascii") as out:
        out.write(OWN)
    top = {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"], **(watch or {})}, **(top or {})}
    gate.write(one_app(origin.url, top, **{"waf": CALM, **app}))
    gate.start()
    return gate


def ask(gate, address, target="/", **more):
    return gate.ask(more.pop("method", "GET"), target, fields=[f"X-Forwarded-For: {address}"], **more).status


def missing(gate, address, count):
    return [ask(gate, address, f"/missing{i}") for i in range(count)]


@claim
def the_request_that_overflows_is_itself_stopped_and_the_next_never_reach_the_server():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        expect(missing(gate, "203.0.113.1", 6), [404, 404, 404, 404, 403, 403])
        expect(len(origin.requests), 5, "asked; the fifth answer was replaced, the sixth request never went")
        expect(ask(gate, "203.0.113.1"), 403, "any other page")
        expect(ask(gate, "203.0.113.2"), 200, "another address")


@claim
def what_the_head_tells_is_stopped_before_the_server_sees_it():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        expect(ask(gate, "203.0.113.1", "/bait"), 403)
        expect(len(origin.requests), 0)


@claim
def an_IPv6_address_is_held_by_its_64_and_a_mapped_IPv4_is_that_IPv4():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        expect(ask(gate, "2001:db8::1", "/bait"), 403)
        expect(ask(gate, "2001:db8::2"), 403, "a neighbour")
        expect(ask(gate, "2001:db8:0:1::2"), 200, "another network")
        expect([ask(gate, f"2001:db8:0:2::{i}", f"/missing{i}") for i in range(5)], [404] * 4 + [403], "counted so, too")
        expect(ask(gate, "::ffff:203.0.113.7", "/bait"), 403)
        expect(ask(gate, "203.0.113.7"), 403)


@claim
def nothing_is_held_against_loopback():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        expect(gate.ask(target="/bait").status, 200, "told, not done")
        expect(gate.ask().status, 200)


@claim
def detect_and_simulate_only_tell():
    for more in ({"waf": {**CALM, "mode": "detect"}}, {"scenarios": "simulate"}):
        with Origin(origin_answers) as origin, gate_with(origin, **more) as gate:
            got = gate.ask(target="/bait", fields=["X-Forwarded-For: 203.0.113.1"])
            expect(got.status, 200, str(more))
            line = gate.logged("security", got.fields.get("x-request-id"))
            expect((line["event"]["action"], line["waf"]["would"], line["waf"]["source"]), ("log", "deny", "scenario"))
            expect(ask(gate, "203.0.113.1"), 200)


@claim
def a_scenario_may_be_off_and_simulated_by_name():
    with Origin(origin_answers) as origin, gate_with(origin, watch={"simulate": ["test/bait"]}) as gate:
        expect(ask(gate, "203.0.113.1", "/bait"), 200)
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        gate.write(one_app(origin.url, {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"]}},
                           waf=CALM, scenarios={"off": ["test/bait"]}))
        expect(gate.reload(), True)
        expect(ask(gate, "203.0.113.1", "/bait"), 200)
        expect(missing(gate, "203.0.113.1", 5)[-1], 403, "the others watch")


@claim
def a_name_that_is_no_scenario_is_an_error_with_its_place():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        gate.write(one_app(origin.url, {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"]}},
                           waf=CALM, scenarios={"off": ["test/bate"]}))
        expect(gate.reload(), False)
        expect(ask(gate, "203.0.113.1", "/bait"), 403, "the old configuration stands")


@claim
def buckets_and_decisions_survive_a_reload():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        expect(ask(gate, "203.0.113.9", "/bait"), 403)
        expect(missing(gate, "203.0.113.1", 4), [404] * 4)
        expect(gate.reload(), True)
        expect(ask(gate, "203.0.113.9"), 403)
        expect(missing(gate, "203.0.113.1", 1), [403])


@claim
def a_failed_login_is_known_by_status_redirect_and_marker():
    logins = [{"path": "/login", "user": "name", "status": 401, "redirect": "/login*", "marker": "Wrong password"}]
    with Origin(origin_answers) as origin, gate_with(origin, logins=logins) as gate:

        def log_in(address, how, name="anna"):
            return gate.ask("POST", "/login", body=f"name={name}&password={how}".encode(),
                            fields=[f"X-Forwarded-For: {address}", "Content-Type: application/x-www-form-urlencoded"]).status

        expect([log_in("203.0.113.1", "status", f"a{i}") for i in range(4)], [401, 401, 403, 403])
        expect([log_in("203.0.113.2", "redirect", f"b{i}") for i in range(4)], [302, 302, 403, 403])
        expect([log_in("203.0.113.3", "marker", f"c{i}") for i in range(3)], [200, 200, 200], "the page had gone")
        eventually(lambda: log_in("203.0.113.3", "fine") == 403, what="held after the third page")
        expect([log_in("203.0.113.4", "right", f"d{i}") for i in range(6)], [200] * 6, "who knows the password")


@claim
def a_refused_password_is_a_failed_login_and_a_handshake_is_none():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:

        def with_credentials(address, what):
            return gate.ask(target="/private", fields=[f"X-Forwarded-For: {address}", f"Authorization: {what}"]).status

        expect([with_credentials("203.0.113.1", "NTLM TlRMTVNTUAABAAAA") for _ in range(5)], [401] * 5)
        expect([with_credentials("203.0.113.1", "Bearer old") for _ in range(5)], [401] * 5)
        expect([ask(gate, "203.0.113.1", "/private") for _ in range(5)], [401] * 5)
        expect([with_credentials("203.0.113.1", "Basic YW5uYTp4") for _ in range(4)], [401, 401, 403, 403])


@claim
def what_came_from_many_addresses_is_held_against_each():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        expect([ask(gate, f"203.0.113.{i}", "/together") for i in (1, 2, 3)], [200, 200, 403])
        expect([ask(gate, f"203.0.113.{i}") for i in (1, 2, 3, 4)], [403, 403, 403, 200])
        held = json.loads(gate.ctl("-o", "json", "decisions").stdout)
        expect([d["remedy"] for d in held], ["challenge"] * 3, "asked, not stopped: one of them may be a person")


SUCCESS = """
type: trigger
name: test/success
description: a login that succeeded
filter: "evt.Gate.login == 'success'"
groupby: evt.Meta.source_ip
labels: {remediation: false}
"""


@claim
def no_client_makes_a_failed_login_look_like_a_success():
    logins = [{"path": "/login", "user": "name", "marker": "Wrong password"}]
    with Origin(origin_answers) as origin, gate_with(origin, logins=logins) as gate:
        also(gate, SUCCESS)

        def log_in(address, how, *more):
            return gate.ask("POST", "/login", body=f"name=anna&password={how}".encode(),
                            fields=[f"X-Forwarded-For: {address}", "Content-Type: application/x-www-form-urlencoded", *more]).status

        for i, (how, field) in enumerate((("packed", "Accept-Encoding: gzip"), ("ranged", "Range: bytes=0-2"))):
            expect([log_in(f"203.0.113.{i}", how, field) for _ in range(3)], [200] * 3, how)
            eventually(lambda: log_in(f"203.0.113.{i}", how, field) == 403, what=how)
        expect([log_in("203.0.113.9", "padded") for _ in range(3)], [200] * 3)
        expect(overflowed(gate, "test/success"), 0)
        log_in("203.0.113.10", "right")
        eventually(lambda: overflowed(gate, "test/success") == 1, what="a success")


@claim
def a_page_of_a_login_that_nobody_waited_for_tells_nothing():
    def half(conn):
        if conn.request():
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<p>")
            conn.request()

    logins = [{"path": "/login", "user": "name", "marker": "Wrong password"}]
    with Origin(script=half) as origin, gate_with(origin, logins=logins) as gate:
        also(gate, SUCCESS)
        with gate.connect() as client:
            client.send(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nname=a")
            eventually(lambda: origin.connections, what="the server is asked")
            time.sleep(0.3)
            client.reset()
        time.sleep(0.5)
        expect(overflowed(gate, "test/success"), 0)


@claim
def who_does_not_wait_for_the_answer_is_counted():
    own = """
type: leaky
name: test/gone
description: answers that nobody waited for
filter: "evt.Meta.http_status == '499'"
groupby: evt.Meta.source_ip
capacity: 1
leakspeed: 1h
labels: {remediation: true, behavior: "http:exploit"}
"""
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        also(gate, own)
        for n in (1, 2):
            with gate.connect() as client:
                client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n")
                eventually(lambda: len(origin.requests) >= n, what="the server is asked")
                client.reset()
        eventually(lambda: ask(gate, "203.0.113.1") == 403, what="held")
        expect(ask(gate, "203.0.113.2"), 200)


@claim
def what_overflows_when_the_answer_has_gone_is_told_and_held_for_the_next_request():
    own = """
type: trigger
name: test/much
description: a long answer
filter: "evt.Parsed.request == '/much' && int(evt.Parsed.body_bytes_sent) > 1"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:exploit"}
"""
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        also(gate, own)
        got = gate.ask(target="/much", fields=["X-Forwarded-For: 203.0.113.1"])
        expect(got.status, 200)
        line = gate.logged("security", got.fields.get("x-request-id"))
        expect((line["event"]["action"], line["waf"]["would"]), ("log", "deny"), "the answer had gone")
        expect(ask(gate, "203.0.113.1"), 403)


@claim
def a_visitor_whom_another_site_leads_to_a_trap_is_challenged_and_not_denied():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        led = ["X-Forwarded-For: 203.0.113.1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"]
        expect(gate.ask(target="/bait", fields=led).status, 403)
        held = json.loads(gate.ctl("-o", "json", "decisions").stdout)
        expect([(d["value"], d["remedy"]) for d in held], [("203.0.113.1", "challenge")])
        ask(gate, "203.0.113.2", "/bait")
        held = json.loads(gate.ctl("-o", "json", "decisions").stdout)
        expect(sorted((d["value"], d["remedy"]) for d in held), [("203.0.113.1", "challenge"), ("203.0.113.2", "deny")])


@claim
def a_user_who_is_tried_from_many_addresses_is_guarded_and_named_nowhere():
    logins = [{"path": "/login", "user": "name", "status": 401}]
    with Origin(origin_answers) as origin, gate_with(origin, logins=logins) as gate:

        def log_in(address, how, name):
            return gate.ask("POST", "/login", body=f"name={name}&password={how}".encode(),
                            fields=[f"X-Forwarded-For: {address}", "Content-Type: application/x-www-form-urlencoded"]).status

        got = [log_in(f"203.0.113.{i}", "status", "Berta.Beispiel") for i in range(1, 6)]
        expect(got, [401, 401, 401, 403, 403])
        expect(log_in("203.0.113.77", "right", "berta.beispiel"), 403, "whoever comes as that user")
        expect(log_in("203.0.113.77", "right", "carla"), 200, "another user")
        time.sleep(0.3)
        for root, _, files in os.walk(gate.folder):
            for name in files:
                path = os.path.join(root, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        expect(b"berta.beispiel" in f.read().lower(), False, name)


@claim
def what_rules_stop_is_behaviour_too():
    own = """
type: leaky
name: test/blocked
description: requests that rules stop
filter: "evt.Meta.log_type == 'appsec-block' && evt.Meta.rule_name != ''"
groupby: evt.Meta.source_ip
capacity: 2
leakspeed: 1h
labels: {remediation: true, behavior: "http:exploit"}
"""
    with Origin(origin_answers) as origin, gate_with(origin, waf={"ruleset": "packs"}) as gate:
        with open(gate.path("own.yaml"), "a", encoding="ascii") as out:
            out.write("---" + own)
        expect(gate.reload(), True)
        for _ in range(3):
            expect(ask(gate, "203.0.113.1", "/?q=<script>alert(1)</script>"), 403)
        eventually(lambda: ask(gate, "203.0.113.1") == 403, what="held once the third has been recorded")
        expect(ask(gate, "203.0.113.2"), 200)


@claim
def decisions_are_listed_made_and_lifted_by_hand():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        expect(gate.ctl("decisions").stdout, "nothing is held against anyone\n")
        expect(ask(gate, "203.0.113.1", "/bait"), 403)
        expect("test/bait" in gate.ctl("decisions", "list").stdout, True)
        expect(gate.ctl("decisions", "add", "198.51.100.0/24", "deny", "10m").returncode, 0)
        expect(ask(gate, "198.51.100.200"), 403)
        expect(gate.ctl("decisions", "add", "127.0.0.1").returncode, 1, "loopback")
        expect(gate.ctl("decisions", "add", "nonsense").returncode, 1)
        held = json.loads(gate.ctl("-o", "json", "decisions").stdout)
        expect(sorted((d["scope"], d["value"], d["remedy"], d["origin"]) for d in held),
               [("Ip", "203.0.113.1", "deny", "embergate"), ("Range", "198.51.100.0/24", "deny", "manual")])
        expect(gate.ctl("decisions", "delete", "203.0.113.1").returncode, 0)
        expect(gate.ctl("decisions", "delete", str([d["id"] for d in held if d["scope"] == "Range"][0])).returncode, 0)
        expect((ask(gate, "203.0.113.1"), ask(gate, "198.51.100.200")), (200, 200))
        watch = json.loads(gate.ctl("-o", "json", "scenarios").stdout)
        expect([s["overflowed"] for s in watch if s["name"] == "test/bait"], [1])


@claim
def our_own_scenarios_are_there_unless_they_are_off():
    page = {"fields": ["X-Forwarded-For: 203.0.113.1", "Accept: text/html"]}
    with Origin(origin_answers) as origin, gate_with(origin, watch={"packs": True, "files": []}, routes={"trap": ["/hidden*"]}) as gate:
        expect(missing(gate, "203.0.113.2", 17), [404] * 15 + [403, 403], "a scan")
        expect([ask(gate, "203.0.113.2"), ask(gate, "203.0.113.3")], [403, 200])
        expect(gate.ask(target="/", **page).status, 200)
        trapped = gate.ask(target="/hidden/", **page)
        expect((trapped.status == 200, b"fine" in trapped.body), (False, False), "a challenge, not the page")
        expect(gate.ask(target="/", **page).status, trapped.status, "and for all else")
    with Origin(origin_answers) as origin, gate_with(origin, watch={"packs": False, "files": []}) as gate:
        expect(missing(gate, "203.0.113.2", 17), [404] * 17)


@claim
def another_server_is_watched_through_its_log():
    line = '203.0.113.8 - - [{}] "GET /bait HTTP/1.1" 200 5 "-" "curl/8"\n'
    gate = None
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        log = gate.path("access.of.nginx")
        open(log, "w").close()
        gate.write(one_app(origin.url, {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"]},
                                        "logs": [{"files": [log], "type": "nginx"}]}, waf=CALM))
        expect(gate.reload(), True)
        expect(ask(gate, "203.0.113.8"), 200)
        time.sleep(0.5)
        with open(log, "a", encoding="ascii") as out:
            out.write(line.format(time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())))
        eventually(lambda: ask(gate, "203.0.113.8") == 403, seconds=10, what="held by the log")
        expect("test/bait: 1 event(s): deny of Ip 203.0.113.8" in gate.text("stderr"), True, "it is told")


# ---- over a restart ----


def held(gate):
    return sorted(json.loads(gate.ctl("-o", "json", "decisions").stdout), key=lambda d: d["id"])


@claim(limit=60)
def what_is_held_survives_a_restart_an_upgrade_and_a_killed_child():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        gate.crashes = True
        expect(ask(gate, "203.0.113.1", "/bait"), 403)
        expect(gate.ctl("decisions", "add", "198.51.100.0/24", "deny", "10m").returncode, 0)
        expect(gate.ctl("decisions", "add", "203.0.113.66").returncode, 0)
        expect(gate.ctl("decisions", "delete", "203.0.113.66").returncode, 0)
        before = held(gate)

        def as_before(what):
            expect([ask(gate, "203.0.113.1"), ask(gate, "198.51.100.7")], [403, 403], what)
            expect(ask(gate, "203.0.113.66"), 200, f"lifted, {what}")
            expect(len(origin.requests), passed.pop(0), f"reached the server, {what}")

        passed = [1, 2, 3]
        child = gate.serving()
        time.sleep(0.5)
        os.kill(child, signal.SIGKILL)
        as_before("after the child was killed")
        eventually(lambda: gate.serving() != child and gate.ctl("status").returncode == 0, 10, "a new child")
        child = gate.serving()
        gate.signal(signal.SIGUSR2)
        eventually(lambda: gate.serving() != child, 15, "a new program")
        eventually(lambda: not os.path.exists(f"/proc/{child}"), 15, "the end of the old child")
        as_before("after an upgrade")
        gate.stop()
        gate.start()
        as_before("after a restart")
        after = held(gate)
        expect([(d["id"], d["value"], d["reason"]) for d in after], [(d["id"], d["value"], d["reason"]) for d in before])


@claim
def damage_to_the_file_costs_a_line_and_no_start():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        for i in (1, 2, 3):
            expect(ask(gate, f"203.0.113.{i}", "/bait"), 403)
        gate.stop()
        with open(gate.path("state/decisions"), "r+b") as file:
            lines = file.read().splitlines(keepends=True)
            expect(len(lines), 3)
            lines[1] = lines[1].replace(b"deny", b"allow")
            file.seek(0)
            file.write(b"".join(lines) + b"\xff\x00\xff\n" + lines[0][: len(lines[0]) // 2])
        gate.start()
        expect(sum(ask(gate, f"203.0.113.{i}") == 403 for i in (1, 2, 3)), 2, "held")
        expect("lines that are none" in gate.text("stderr"), True)


@claim
def a_repeater_is_held_longer_after_it_was_lifted_or_is_over():
    profiles = [{"name": "own", "do": "deny", "for": ["1s", "1h", "2h"]}]
    with Origin(origin_answers) as origin, gate_with(origin, {"profiles": profiles}) as gate:
        expect(ask(gate, "203.0.113.1", "/bait"), 403)
        eventually(lambda: ask(gate, "203.0.113.1") == 200, 5, "the end of a second")
        expect(ask(gate, "203.0.113.1", "/bait"), 403)
        left = datetime.datetime.fromisoformat(held(gate)[0]["until"]).timestamp() - time.time()
        expect(3500 < left <= 3600, True, f"the second time, for {left} s")
        gate.stop()
        gate.start()
        expect(ask(gate, "203.0.113.1"), 403)
        expect(gate.ctl("decisions", "delete", "203.0.113.1").returncode, 0)
        expect(ask(gate, "203.0.113.1"), 200)


@claim
def what_scenarios_see_and_decide_is_measured():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        missing(gate, "203.0.113.1", 3)
        ask(gate, "203.0.113.1", "/bait")
        gate.ask(target="/bait")  # loopback

        def all_is_counted():
            m = gate.metrics()
            return [
                m['embergate_scenario_events_total{scenario="test/missing"}'],
                m['embergate_scenario_overflows_total{scenario="test/bait"}'],
                m['embergate_active_decisions{scope="Ip",action="deny"}'],
                m['embergate_decisions_made_total{action="deny"}'],
                m['embergate_decisions_not_held_total{reason="spared"}'],
                m["embergate_buckets"] >= 1,
                m['embergate_events_dropped_total{sink="decisions"}'],
            ] == [3, 2, 1, 1, 1, True, 0]

        eventually(all_is_counted, what="the right counts")
        gate.ctl("decisions", "delete", "203.0.113.1")
        expect(gate.metrics()['embergate_active_decisions{scope="Ip",action="deny"}'], 0)


@claim
def the_log_and_explain_tell_what_overflowed_and_what_is_held():
    with Origin(origin_answers) as origin, gate_with(origin) as gate:

        def alert(target, **more):
            got = gate.ask(target=target, fields=["X-Forwarded-For: 203.0.113.1"], **more)
            name = got.fields.get("x-request-id")
            return got.status, gate.logged("security", name), gate.ctl("explain", name).stdout

        expect(missing(gate, "203.0.113.1", 4), [404] * 4)
        status, line, why = alert("/missing?password=hunter2&page=7")
        expect(status, 403)
        over = line["waf"]["scenarios"]
        expect([(o["name"], o["count"], o["scope"], o["value"], o["remedy"], o["simulated"]) for o in over],
               [("test/missing", 5, "Ip", "203.0.113.1", "deny", False)])
        expect(over[0]["until"] > line["@timestamp"], True, over[0]["until"])
        expect("held" in line["waf"], False, "nothing had been held before")
        for part in ("scenario test/missing   5 events of Ip 203.0.113.1   deny until 2", "GET /missing3  \u2192 404",
                     "GET /missing?password=[redacted]&page=7  \u2192 404"):
            expect(part in why, True, f"{part!r} in:\n{why}")
        expect("hunter2" in why + json.dumps(line), False, "a secret")
        expect(why.count("GET /missing"), 5, "its events")
        status, line, why = alert("/")
        kept = held(gate)[0]
        expect(status, 403)
        expect((line["waf"]["held"]["id"], line["waf"]["held"]["reason"], line["waf"]["held"]["value"]),
               (int(kept["id"]), "test/missing", "203.0.113.1"))
        expect("scenarios" in line["waf"], False, "it is not counted any more")
        expect(f"held     Ip 203.0.113.1: deny until {line['waf']['held']['until']}, for test/missing   ({kept['id']}, embergate, made "
               in why, True, why)


@claim
def what_is_lifted_by_a_profile_or_only_told_is_an_alert_too():
    profiles = [{"name": "own", "do": "allow", "when": "Alert.GetScenario() == 'test/bait'"},
                {"name": "slow", "do": "throttle", "for": "1h"}]
    with Origin(origin_answers) as origin, gate_with(origin, {"profiles": profiles}) as gate:
        missing(gate, "203.0.113.1", 4)
        for target, remedy in (("/bait", None), ("/missing4", "throttle")):
            got = gate.ask(target=target, fields=["X-Forwarded-For: 203.0.113.1"])
            line = gate.logged("security", got.fields.get("x-request-id"))
            expect((line["event"]["action"], line["waf"]["source"]), ("log", "scenario"), target)
            expect(line["waf"]["scenarios"][0].get("remedy"), remedy, target)


@claim
def how_long_a_head_took_is_known():
    own = """
type: trigger
name: test/slow
description: a head that took its time
filter: "int(evt.Gate.head_ms) >= 200"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:dos"}
"""
    with Origin(origin_answers) as origin, gate_with(origin) as gate:
        with open(gate.path("own.yaml"), "a", encoding="ascii") as out:
            out.write("---" + own)
        expect(gate.reload(), True)
        with gate.connect() as client:  # one connection: what the first head took is not the second's
            for wait, status in ((0.0, 200), (0.02, 200), (0.4, 403)):
                client.send(b"GET / HTTP/1.1\r\nHost: t.example\r\n")
                time.sleep(wait)
                client.send(b"X-Forwarded-For: 203.0.113.4\r\n\r\n")
                expect(client.response().status, status, f"after {wait} s")
