"""events.py -- what was done to requests is kept, found again by every filter, and told as it happens, over restarts too."""
import contextlib
import copy
import json
import os
import signal
import subprocess
import threading
import time
from http.client import HTTPException

from lib.api import OverSocket, ask
from lib.claims import claim, eventually, expect
from lib.gate import PROGRAM, Gate
from lib.origin import Origin
from lib.sse import Stream

TOP = {"scenarios": {"packs": False}, "client_ip": {"trust": ["127.0.0.0/8"]}}
SQLI, XSS, CALM = "/search?q=1%27%20union%20select%20password%20from%20users--%20", "/c?q=<script>alert(1)</script>", "/fine"
HOSTS = {"shop": "shop.example", "blog": "blog.example"}


def two_apps(url, top=None, **app):
    """`shop` blocks, `blog` only detects."""
    apps = {name: {"upstream": url, "hosts": [host], **copy.deepcopy(app)} for name, host in HOSTS.items()}
    apps["blog"]["waf"] = "detect"
    return {**TOP, **(top or {}), "apps": apps}


def do(gate, target, app="shop", address="192.0.2.1", method="GET", fields=(), body=None):
    """The request id that it was answered with, where it was stopped."""
    with gate.connect() as client:
        got = client.ask(method, target, [f"X-Forwarded-For: {address}", "User-Agent: Tester/1.0 (Flow)", *fields], body, host=HOSTS[app])
    return got.status


def items(gate, query="", count=None):
    """All pages. `count`: waits until there are so many."""

    def read():
        found, after = [], ""
        while after is not None:
            status, page = ask(gate, "GET", f"/events?limit=7&{query}{after}")
            expect(status, 200, str(page))
            found += page["items"]
            after = page["next"] and f"&after={page['next']}"
        return found

    if count is not None:
        return eventually(lambda: found if len(found := read()) == count else None, 10, f"{count} events of {query}")
    return read()


def serves(gate, seconds=15):
    """The API answers, after a start."""

    def asked():
        with contextlib.suppress(OSError, HTTPException):
            return ask(gate, "GET", "/status")[0] == 200

    eventually(asked, seconds, "the API")


def attacks(gate):
    """Five requests that are worth an event, two that are not."""
    expect(do(gate, SQLI), 403)
    expect(do(gate, XSS, address="192.0.2.77"), 403)
    expect(do(gate, SQLI, app="blog", address="2001:db8::5"), 200)
    expect(do(gate, CALM), 200)
    expect(do(gate, XSS, method="PUT", app="blog", address="198.51.100.9", body=b""), 200)
    expect(do(gate, CALM, app="blog"), 200)
    with gate.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
        expect(client.response().status, 400)


@claim
def what_was_stopped_is_listed_and_every_filter_finds_it():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        attacks(gate)
        events = items(gate, count=5)
        expect(sorted(e["path"] for e in events), ["/", "/c", "/c", "/search", "/search"])
        # An exchange is recorded behind its answer, so two workers may change places.
        newest = next(e for e in events if e["source"] == "protocol")
        oldest = next(e for e in events if (e["app"], e["path"]) == ("shop", "/search"))
        expect((oldest["app"], oldest["client"], oldest["path"], oldest["status"], oldest["action"], oldest["source"]),
               ("shop", "192.0.2.1", "/search", 403, "deny", "rule"))
        expect((newest["status"], newest["app"]), (400, ""))
        rule, late = oldest["rule"], [e for e in events if e["time"] >= newest["time"]]
        wanted = {
            "app=shop": 2, "app=blog": 2, "app=nobody": 0, "app=": 1, "action=deny": 3, "action=log": 2, "source=rule": 4,
            "source=protocol": 1, f"rule={rule}": 2, "rule=none/such": 0, "address=192.0.2.77": 1, "address=192.0.2.0/24": 2,
            "address=2001:db8::/32": 1, "path=/sea": 2, "path=nowhere": 0, "method=PUT": 1, "status=200": 2, "status=403": 2,
            f"id={oldest['id'][:14].lower()}": None, f"id={oldest['id']}": 1, "q=tester/1.0": 4, "q=BLOG.example": 2, f"q={rule}": 2,
            "from=1h": 5, "to=1h": 0, f"from={newest['time']}": len(late), f"to={newest['time']}": 5 - len(late),
            "app=blog&action=log&method=PUT&q=script": 1, f"rule={rule}&app=shop&address=192.0.2.1": 1, "country=DE": 0, "as=64500": 0,
        }
        for query, count in wanted.items():
            found = items(gate, query)
            if count is not None:
                expect(len(found), count, query)
            expect([e for e in events if e in found], found, f"{query}: some of all, in their order")
        for bad in ("address=nowhere", "status=x", "action=maybe", "from=yesterday", "after=x", "after=0", "colour=red", "limit=0", "rule=a&rule=a"):
            status, problem = ask(gate, "GET", f"/events?{bad}")
            expect((status, problem["status"]), (400, 400), bad)


@claim
def a_detail_says_why_and_holds_no_secret():
    fields = ["Cookie: sid=very-secret", "Authorization: Bearer very-secret", "X-Test: a\tvalue",
              "Referer: http://x.example/?token=very-secret", "Content-Type: application/x-www-form-urlencoded"]
    body = b"password=very-secret&q=1' union select password from users-- "
    with Origin() as origin, Gate(two_apps(origin.url, log={"body": "on"})) as gate:
        expect(do(gate, "/log-in?secret=very-secret", method="POST", fields=fields, body=body), 403)
        event = items(gate, count=1)[0]
        status, told = ask(gate, "GET", f"/events/{event['id']}")
        expect(status, 200)
        expect({k: told[k] for k in event}, event, "a detail has what its row has")
        expect("very-secret" in json.dumps(told), False, "a secret")
        named = {h["name"]: h["value"] for h in told["headers"]}
        expect((named["Cookie"], named["X-Test"], named["Host"]), ("[redacted]", "a\tvalue", "shop.example"))
        expect(told["body"].startswith("password=[redacted]&q=1' union select"), True, told["body"])
        hit = next(h for h in told["hits"] if h["rule"] == event["rule"])
        expect("union" in hit["snippet"], True, hit["snippet"])
        steps = [s["step"] for s in told["trace"]]
        expect([steps[0], steps[-1], "rules" in steps], ["client", "remedy", True])
        expect(event["id"] in told["explain"], True)
        expect(ask(gate, "GET", "/events/01JD3T000000000000000000ZZ")[0], 404)
        do(gate, "/log-in", method="POST", fields=fields, body=body)
        do(gate, "/log-in", app="blog", method="POST", fields=fields, body=body)
        items(gate, count=3)
        expect(ask(gate, "GET", f"/events/{event['id']}")[1]["similar"], 1, "of the same app, path and rule")


@claim
def without_a_word_no_body_is_kept():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        do(gate, "/form", method="POST", fields=["Content-Type: application/x-www-form-urlencoded"], body=b"q=<script>alert(1)</script>")
        event = items(gate, count=1)[0]
        told = ask(gate, "GET", f"/events/{event['id']}")[1]
        expect("body" in told, False)
        with open(gate.path("state/events.db"), "rb") as f:
            expect(b"Flow" in f.read() + open(gate.path("state/events.db-wal"), "rb").read(), True, "the file holds events")


@claim
def events_outlive_the_process_and_their_bound_holds():
    with Origin() as origin, Gate(two_apps(origin.url, {"events": {"count": 100, "age": "1h"}})) as gate:
        with gate.connect() as client:
            for i in range(130):
                expect(client.ask("GET", f"/p{i}?q=<script>x</script>", host="shop.example").status, 403)
        events = items(gate, count=100)
        expect((events[0]["path"], events[-1]["path"]), ("/p129", "/p30"))
        gate.stop()
        gate.start()
        serves(gate)
        expect(items(gate), events)
        for id in (events[0]["id"], events[0]["id"][:24].lower()):
            said = gate.ctl("explain", id)
            expect((said.returncode, "/p129" in said.stdout), (0, True), "of before the restart: " + said.stdout + said.stderr)
        expect(gate.ctl("explain", events[0]["id"][:6]).stderr.count("several"), 1)
        expect(gate.ctl("explain", "7ZZZ").returncode, 1)
        child = gate.serving()
        os.kill(child, signal.SIGKILL)
        eventually(lambda: gate.serving() not in (None, child), 15, "a new child")
        serves(gate)
        expect(items(gate), events, "after a crash")


@claim
def a_gate_that_cannot_keep_them_serves_all_the_same():
    with Origin() as origin, Gate(two_apps(origin.url), start=False) as gate:
        os.makedirs(gate.path("state/events.db"))
        gate.start()
        expect((do(gate, SQLI), do(gate, CALM)), (403, 200))
        serves(gate)
        for path in ("/events", "/events/01JD3", "/top?by=app", "/series?range=1h"):
            expect(ask(gate, "GET", path)[0], 503, path)
        expect(ask(gate, "GET", "/stats")[1]["blocked_total"], 1)
        stream = Stream(gate, "security,stats")
        eventually(lambda: stream.of("stats"), 5, "figures")
        stream.close()
        expect("events are not kept" in gate.text("stderr"), True)


@claim
def a_damaged_file_is_put_aside():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        attacks(gate)
        items(gate, count=5)
        gate.stop()
        with open(gate.path("state/events.db"), "wb") as f:
            f.write(b"no database" * 1000)
        gate.start()
        serves(gate)
        expect(items(gate), [])
        do(gate, SQLI)
        items(gate, count=1)
        expect(os.path.exists(gate.path("state/events.db.damaged")), True)


@claim
def what_events_have_in_common_is_counted():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        attacks(gate)
        items(gate, count=5)

        def top(by, more=""):
            status, got = ask(gate, "GET", f"/top?by={by}{more}")
            expect(status, 200, str(got))
            return {e["key"]: (e["count"], e["clients"]) for e in got["items"]}

        expect(top("app"), {"shop": (2, 2), "blog": (2, 2), "": (1, 1)})
        expect(top("action"), {"deny": (3, 3), "log": (2, 2)})
        expect(top("path", "&app=shop"), {"/search": (1, 1), "/c": (1, 1)})
        expect(top("user_agent", "&action=log"), {"Tester/1.0 (Flow)": (2, 2)})
        expect(top("address", "&limit=1&app=blog")["198.51.100.9"], (1, 1))
        expect(sum(n for n, _ in top("rule").values()), 5)


@claim
def ctl_prints_them_and_follows():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        attacks(gate)
        events = items(gate, count=5)
        lines = gate.ctl("events").stdout.splitlines()
        expect([line.split()[-1] for line in lines], [e["id"] for e in reversed(events)], "the newest last")
        line, rule = next((line, e["rule"]) for line, e in zip(lines, reversed(events)) if "shop.example/search" in line)
        for word in ("deny", "192.0.2.1", "shop", "403", "GET", "rule: ", rule):
            expect(word in line, True, f"{word} in {line}")
        expect(len(gate.ctl("events", "--app", "blog", "--action", "log", "--since", "1h").stdout.splitlines()), 2)
        expect(gate.ctl("events", "--address", "192.0.2.77").stdout.count("\n"), 1)
        expect(gate.ctl("events", "--limit", "3").stdout.splitlines(), lines[-3:])
        told = [json.loads(line) for line in gate.ctl("-o", "json", "events").stdout.splitlines()]
        expect(told, list(reversed(events)))
        for bad in (["--app"], ["--colour", "red"], ["extra"]):
            expect(gate.ctl("events", *bad).returncode, 2, bad)
        for bad in (["--address", "nowhere"], ["--since", "soon"], ["--limit", "0"], ["--limit", "501"]):
            expect(gate.ctl("events", *bad).returncode, 1, bad)
        command = [PROGRAM, "ctl", "-s", gate.socket, "events", "-f", "--action", "deny", "--limit", "1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
            try:
                expect(follower.stdout.readline().split()[1], "deny")
                do(gate, "/later" + XSS)
                do(gate, "/later" + XSS, app="blog")
                do(gate, "/last" + XSS)
                expect([follower.stdout.readline().split()[6] for _ in range(2)], ["shop.example/later/c", "shop.example/last/c"])
            finally:
                follower.terminate()


# ---- figures ----


@claim(limit=60)
def figures_over_time_survive_a_restart():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        attacks(gate)
        stats = eventually(lambda: s if (s := ask(gate, "GET", "/stats")[1])["events_total"] == 5 else None, 5, "five events")
        expect((stats["requests_total"], stats["blocked_total"], stats["events_dropped"]), (7, 3, 0))
        expect(stats["rps"] > 0.3, True, stats["rps"])
        expect(ask(gate, "GET", "/stats?app=shop")[1]["requests_total"], 3)
        expect(ask(gate, "GET", "/stats?app=nobody")[0], 404)
        gate.stop()
        gate.start()
        serves(gate)

        def total(name, app=""):
            status, got = ask(gate, "GET", f"/series?range=1h{app}")
            expect(status, 200)
            expect((got["step_s"], len(got["series"][name])), (10, 360))
            return sum(n or 0 for n in got["series"][name])

        eventually(lambda: total("requests") == 7, 15, "the step is over in which it was")
        expect((total("blocked"), total("detected"), total("s4xx"), total("requests", "&app=blog")), (3, 2, 3, 3))
        for name, length in (("24h", 1440), ("30d", 4320)):
            got = ask(gate, "GET", f"/series?range={name}")[1]["series"]
            expect({len(row) for row in got.values()}, {length})
        expect(ask(gate, "GET", "/series?range=1y")[0], 400)


# ---- the stream ----


@claim
def a_stream_tells_what_happens_as_it_happens():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        do(gate, "/before" + XSS)
        items(gate, count=1)
        both, figures = Stream(gate, "security,stats"), Stream(gate, "stats")
        time.sleep(0.5)
        started = time.monotonic()
        do(gate, "/now" + XSS)
        eventually(lambda: both.paths() == ["/now/c"], 5, "the event, and none of before")
        expect(time.monotonic() - started < 3, True, "soon")
        expect(json.loads(both.of("security")[0]["data"]), items(gate)[0], "as in a list")
        eventually(lambda: len(figures.of("stats")) >= 3, 8, "figures")
        told = json.loads(figures.of("stats")[-1]["data"])
        expect((told["requests_total"], told["events_total"]), (2, 2))
        expect(figures.of("security"), [])
        changes = Stream(gate, "config")
        gate.reload({**gate.config, "timeouts": {"idle": "33s"}})
        told = json.loads(eventually(lambda: changes.of("config"), 10, "a reload")[0]["data"])
        expect((told["hash"], "error" in told), (ask(gate, "GET", "/status")[1]["config_hash"], False))
        changes.close()
        both.close()
        figures.close()
        for bad in ("topics=", "topics=weather", "topics=,", "topics=stats,weather", "topic=stats"):
            expect(ask(gate, "GET", f"/stream?{bad}")[0], 400, bad)


@claim(limit=90)
def a_stream_is_resumed_without_a_gap_over_an_upgrade():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        first, seen = Stream(gate, "security"), []
        time.sleep(0.5)
        done, over = [], threading.Event()

        def attack():
            while not over.is_set():
                path = f"/n{len(done)}"
                with contextlib.suppress(OSError):
                    if do(gate, path + XSS) == 403:
                        done.append(path + "/c")
                time.sleep(0.02)

        attacker = threading.Thread(target=attack)
        attacker.start()
        child, stream = gate.serving(), first
        for upgrade in (True, False):
            eventually(lambda: len(stream.paths()) > 10, 10, "events")
            if upgrade:
                gate.signal(signal.SIGUSR2)
                eventually(lambda: stream.ended, 20, "the old process ends its streams")
                eventually(lambda: gate.serving() != child, 20, "a new child")
            seen += stream.paths()
            last = stream.of("security")[-1]["id"]
            stream.close()
            time.sleep(0.5)  # and what happens meanwhile is not lost
            stream = Stream(gate, "security", last)
        over.set()
        attacker.join()
        eventually(lambda: len(seen + stream.paths()) >= len(done), 10, f"{len(done)} events")
        told = seen + stream.paths()
        expect(len(told), len(set(told)), "none twice")
        expect(sorted(told), sorted(done), "none lost")
        stream.close()


@claim(limit=60)
def a_client_that_does_not_read_costs_nobody_anything():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        slow = OverSocket(os.path.join(gate.folder, "api.sock"))
        slow.request("GET", "/api/v1/stream?topics=security,stats", headers={"Last-Event-ID": "0"})
        quick = Stream(gate, "security")
        time.sleep(0.3)
        with gate.connect() as client:
            for i in range(1500):
                expect(client.ask("GET", f"/p{i}?q=<script>{'x' * 400}</script>", host="shop.example").status, 403)
        eventually(lambda: len(quick.paths()) == 1500, 20, "all of them, for who reads")
        expect(quick.paths(), [f"/p{i}" for i in range(1500)])
        expect(ask(gate, "GET", "/stats")[1]["events_dropped"], 0)
        received = 0
        slow.sock.settimeout(20)
        with contextlib.suppress(ConnectionError, TimeoutError):
            time.sleep(12)  # base/serve cuts who takes nothing for ten seconds
            while got := slow.sock.recv(1 << 16):
                received += len(got)
        expect(received < 4 << 20, True, f"{received} bytes were held for it")
        slow.close()
        quick.close()


@claim
def there_are_so_many_streams_and_no_more():
    with Origin() as origin, Gate(two_apps(origin.url)) as gate:
        streams = [Stream(gate, "stats") for _ in range(32)]
        expect({s.answer.status for s in streams}, {200})
        expect(ask(gate, "GET", "/stream?topics=stats")[0], 503)
        streams.pop().close()

        def another():
            stream = Stream(gate, "stats")
            streams.append(stream)
            return stream.answer.status == 200

        eventually(another, 5, "a place that is free again")
        for stream in streams:
            stream.close()
        expect(ask(gate, "GET", "/status")[0], 200)
