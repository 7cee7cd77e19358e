"""peers.py -- any gate of a cluster shows what all of them saw: they are asked through Redis, and who is silent is named."""
import contextlib
import json
import os
import signal
import time
from urllib.parse import quote

from lib import api
from lib.claims import claim, eventually, expect
from lib.gate import CALM
from lib.gates import Gates, ask, met
from lib.known import gate_with
from lib.origin import Origin
from lib.redis import Redis
from lib.sse import Stream

ASK_S, MARGIN_S = 0.5, 1.5  # cti/share_ask.h; of a machine that does much else


def got(gate, path, status=200):
    is_status, told = api.ask(gate, "GET", path)
    expect(is_status, status, f"GET {path}: {told}")
    return told


def all_events(gate, query=""):
    return got(gate, f"/events?nodes=all{query}")


def seen(gates, *addresses):
    """Each address is held at its own gate; all that is written is there."""
    for i, address in enumerate(addresses):
        expect(ask(gates[i % len(gates)], address, "/bait"), 403)
        time.sleep(0.02)
    eventually(lambda: len(all_events(gates[0], "&limit=500")["items"]) >= len(addresses), 10, "the events")


@contextlib.contextmanager
def stopped(gate):
    pid = gate.serving()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@claim(limit=90)
def any_gate_shows_what_all_saw_newest_first():
    addresses = [f"203.0.113.{i}" for i in range(1, 10)]
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        seen(gates, *addresses)
        for gate in gates:
            told = all_events(gate)
            expect([e["client"] for e in told["items"]], addresses[::-1])
            expect([e["node"] for e in told["items"]], [f"gate{i % 3}" for i in range(9)][::-1])
            expect((told["next"], told["silent"]), (None, []))
            expect(len(got(gate, "/events")["items"]), 3, "of one gate by itself")
        expect([e["client"] for e in all_events(gates[1], "&address=203.0.113.4")["items"]], ["203.0.113.4"], "the query goes with it")
        got(gates[0], "/events?nodes=all&after=x", 400)
        got(gates[0], "/events?nodes=some", 400)


@claim(limit=90)
def pages_of_all_have_each_event_once():
    addresses = [f"203.0.113.{i}" for i in range(1, 22)]
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        seen(gates, *addresses)
        found, after, pages = [], None, 0
        while pages < 20:
            page = all_events(gates[2], "&limit=4" + (f"&after={after}" if after else ""))
            found += [e["client"] for e in page["items"]]
            after, pages = page["next"], pages + 1
            if not after:
                break
        expect(found, addresses[::-1])
        assert pages > 4, pages


@claim(limit=90)
def any_gate_tells_all_of_an_event_that_another_keeps():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        seen(gates, "203.0.113.1", "203.0.113.2", "203.0.113.3")
        ids = {e["node"]: e["id"] for e in all_events(gates[0])["items"]}
        for name, known in ids.items():
            home = got(gates[int(name[-1])], f"/events/{known}")
            for gate in gates:
                told = got(gate, f"/events/{known}?nodes=all")
                expect((told["node"], told["trace"], told["explain"]), (name, home["trace"], home["explain"]))
        path = f"/events/{ids['gate1']}"
        got(gates[0], path, 404)
        told = got(gates[0], f"{path[:-3]}AAA?nodes=all", 404)
        assert "any gate" in told["detail"], told
        got(gates[0], "/events/a%2Fb%3Fc?nodes=all", 404)
        got(gates[0], f"{path}?nodes=some", 400)
        with stopped(gates[1]):
            told = got(gates[0], f"{path}?nodes=all", 404)
            assert "no answer came from gate1" in told["detail"], told


@claim(limit=90)
def figures_of_all_are_added_up():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        seen(gates, "203.0.113.1", "203.0.113.2", "203.0.113.3")

        def of(query):
            return got(gates[0], f"/stats{query}")["blocked_total"]

        eventually(lambda: (of("?nodes=all"), of("")) == (3, 1), 10, "one of each")
        expect(got(gates[0], "/stats?nodes=all")["silent"], [])
        got(gates[0], "/stats?nodes=all&app=none", 404)


@claim(limit=90)
def what_events_have_in_common_is_of_all():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        seen(gates, "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.1", "203.0.113.1")  # 1: at gates 0, 0 and 1

        def top(gate, query):
            told = got(gate, f"/top?{query}")
            return [(i["key"], i["count"], i["clients"]) for i in told["items"]], told["partial"]

        for gate in gates:
            items, partial = top(gate, "by=address&nodes=all")
            expect((items, partial), ([("203.0.113.1", 3, 1), ("203.0.113.2", 1, 1), ("203.0.113.3", 1, 1)], False))
            expect(top(gate, "by=address&nodes=all&limit=1")[0], [("203.0.113.1", 3, 1)])
        expect(top(gates[0], "by=path&nodes=all&app=none&from=1h")[0], [], "the query goes with it")
        (key, count, _), = top(gates[0], "by=path&nodes=all")[0]
        expect((key, count), ("/bait", 5))
        expect(top(gates[2], "by=path")[0], [("/bait", 1, 1)], "of one gate by itself")
        with stopped(gates[1]):
            told = got(gates[0], "/top?by=address&nodes=all")
            expect((told["silent"], sum(i["count"] for i in told["items"])), (["gate1"], 3))


@claim(limit=120)
def series_of_all_are_added_up_step_by_step():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        seen(gates, "203.0.113.1", "203.0.113.2", "203.0.113.3")

        def told(gate, query):
            return got(gate, f"/series?range=1h{query}")

        def blocked(answer):
            return sum(n or 0 for n in answer["series"]["blocked"])

        eventually(lambda: [blocked(told(g, "")) for g in gates] == [1, 1, 1], 40, "a step is over at each")
        all_of = told(gates[0], "&nodes=all")
        expect((blocked(all_of), all_of["silent"]), (3, []))
        expect({len(line) for line in all_of["series"].values()}, {360})

        def of_one_step():
            answers = [told(gates[0], "&nodes=all")] + [told(g, "") for g in gates]
            return answers if len({a["from"] for a in answers}) == 1 else None

        all_of, *apart = eventually(of_one_step, 20, "all in one step")
        for key, line in all_of["series"].items():
            joined = max if key.startswith("added_") else sum
            for i, at in enumerate(zip(*(one["series"][key] for one in apart))):
                known = [n for n in at if n is not None]
                expect(line[i], joined(known) if known else None, f"{key}, step {i}")
        expect(got(gates[1], "/series?range=30d&nodes=all")["silent"], [], "the longest there is")
        with stopped(gates[2]):
            part = told(gates[0], "&nodes=all")
            expect((blocked(part), part["silent"]), (2, ["gate2"]))


@claim(limit=90)
def who_says_nothing_is_named_within_half_a_second():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        seen(gates, "203.0.113.1", "203.0.113.2", "203.0.113.3")
        with stopped(gates[1]):
            begun = time.monotonic()
            told = all_events(gates[0])
            took = time.monotonic() - begun
            expect((sorted(e["node"] for e in told["items"]), told["silent"]), (["gate0", "gate2"], ["gate1"]))
            assert ASK_S - 0.1 <= took <= ASK_S + MARGIN_S, f"{took:.2f} s"
        eventually(lambda: all_events(gates[0])["silent"] == [], 20, "it is back")
        redis.stop()
        told = eventually(lambda: (t := all_events(gates[0]))["silent"] and t, 10, "without Redis")
        expect(([e["node"] for e in told["items"]], sorted(told["silent"])), (["gate0"], ["gate1", "gate2"]), "its own are shown still")


@claim(limit=90)
def an_answer_that_no_gate_signed_is_none():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        seen(gates, "203.0.113.1", "203.0.113.2")
        with stopped(gates[1]):
            for key in redis.ask("KEYS", "*:answer:*").decode("latin-1").split("\r\n"):
                if key.startswith("{"):
                    redis.ask("SET", key, "Eg\x01\x07" + "x" * 100)
            redis.ask("XADD", "{embergate}:told", "*", "f", "Eg\x01\x02" + "x" * 60)
            told = all_events(gates[0])
            expect(([e["node"] for e in told["items"]], told["silent"]), (["gate0"], ["gate1"]))
        eventually(lambda: gates[0].metrics().get('embergate_cluster_records_total{what="forged"}', 0) >= 1, 5, "it is counted")


@claim(limit=60)
def a_gate_alone_answers_for_itself():
    with Origin() as origin, gate_with(origin) as gate:
        expect(ask(gate, "203.0.113.1", "/bait"), 403)
        told = eventually(lambda: (t := all_events(gate))["items"] and t, 10, "the event")
        expect((len(told["items"]), told["silent"], told["next"]), (1, [], None))


def followed(gate, last=None):
    return Stream(gate, "security", last, "&nodes=all")


def told_by(stream):
    """Client and gate of each event."""
    return sorted((e["client"], e["node"]) for e in (json.loads(m["data"]) for m in stream.of("security")))


def tails(stream):
    return [json.loads(m["data"]) for m in stream.of("tail")]


def asked_of(gate):
    return got(gate, "/nodes")["redis"]["told"]


@claim(limit=120)
def the_stream_of_any_gate_has_the_events_of_all_and_goes_on_where_it_was():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        ask(gates[1], "203.0.113.99", "/bait")  # before anybody looks
        eventually(lambda: got(gates[1], "/events")["items"], 10, "it is kept")
        with contextlib.closing(followed(gates[0])) as stream, contextlib.closing(Stream(gates[0], "security")) as alone:
            eventually(lambda: tails(stream) == [{"silent": []}], 5, "all have said where they stand")
            for i in range(3):
                ask(gates[i], f"203.0.113.{i}", "/bait")
            eventually(lambda: told_by(stream) == [(f"203.0.113.{i}", f"gate{i}") for i in range(3)], 5, "one of each, no old one")
            time.sleep(1.5)
            expect([json.loads(m["data"])["client"] for m in alone.of("security")], ["203.0.113.0"], "of one gate by itself")
            assert "node" not in json.loads(alone.of("security")[0]["data"])
            last = stream.of("security")[-1]["id"]
        for i in range(3):
            ask(gates[i], f"198.51.100.{i}", "/bait")
        with contextlib.closing(followed(gates[0], last)) as stream:
            eventually(lambda: told_by(stream) == [(f"198.51.100.{i}", f"gate{i}") for i in range(3)], 5, "what was meanwhile")
            time.sleep(1.5)
            expect(len(stream.of("security")), 3, "and once")
        with contextlib.closing(followed(gates[0], "1,3:x")) as stream:
            eventually(lambda: tails(stream), 5, "what is no place is as none")
            expect(stream.of("security"), [])


@claim(limit=120)
def a_silent_gate_is_named_in_the_stream_and_tells_later_what_was():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        with contextlib.closing(followed(gates[0])) as stream:
            eventually(lambda: tails(stream), 5, "it begins")
            with stopped(gates[1]):
                eventually(lambda: tails(stream)[-1] == {"silent": ["gate1"]}, 5, "it is named")
                ask(gates[0], "203.0.113.1", "/bait")
                eventually(lambda: told_by(stream) == [("203.0.113.1", "gate0")], 5, "the others are not held up")
            ask(gates[1], "203.0.113.2", "/bait")
            eventually(lambda: ("203.0.113.2", "gate1") in told_by(stream), 10, "it is back")
            eventually(lambda: tails(stream)[-1] == {"silent": []}, 5, "and not named any more")


@claim(limit=120)
def of_a_flood_at_another_gate_the_newest_are_told_and_the_rest_is_a_number():
    many = 250
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        with contextlib.closing(followed(gates[0])) as stream:
            eventually(lambda: tails(stream), 5, "it begins")
            ask(gates[1], "203.0.113.1", "/bait")
            eventually(lambda: stream.of("security"), 5, "the first")
            last = stream.of("security")[-1]["id"]
        for i in range(many):
            ask(gates[1], f"198.51.{i // 200}.{i % 200 + 1}", "/bait")
        eventually(lambda: got(gates[1], "/events?limit=500&address=198.51.1.50")["items"], 20, "all are kept")
        with contextlib.closing(followed(gates[0], last)) as stream:
            eventually(lambda: stream.of("security"), 10, "what was meanwhile")
            time.sleep(1.5)
            missed = sum(t.get("missed", 0) for t in tails(stream))
            expect((len(stream.of("security")), missed), (100, many - 100))
            expect(told_by(stream)[-1][1], "gate1")


@claim(limit=90)
def nothing_is_asked_while_nobody_follows_all():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        with contextlib.closing(Stream(gates[0], "security")):
            begun = asked_of(gates[1])
            time.sleep(3)
            expect(asked_of(gates[1]) - begun, 0, "while one gate is followed")
        with contextlib.closing(followed(gates[0])):
            eventually(lambda: asked_of(gates[1]) > begun + 1, 10, "while all are")

        def is_quiet():
            begun = asked_of(gates[1])
            time.sleep(3)
            return asked_of(gates[1]) == begun

        eventually(is_quiet, 40, "and when it ended, which is noticed with the next comment")


MISTAKES = ("1' union select a from b-- ", "x' or '1'='1", "' union all select 1,2,3-- ", "1' or 1=1-- ", "a' union select null,null-- ",
            "2' or 2=2-- ", "'; drop table users-- ", "1' union select password from users-- ", "z' or 'a'='a", "9' union select 1-- ")


@claim(limit=180)
def what_looks_like_one_mistake_at_several_gates_is_one_suggestion():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, waf={}) as gates:
        met(gates)

        def suggestions(gate, query="?nodes=all"):
            return got(gate, f"/suggestions{query}")

        expect(suggestions(gates[0]), {"items": [], "more": False, "silent": []})
        for i, text in enumerate(MISTAKES):
            expect(ask(gates[i % 3], f"203.0.113.{i % 5}", f"/orders/{1000 + i}/comment?body={quote(text)}"), 403, text)
        eventually(lambda: len(all_events(gates[0], "&limit=500")["items"]) == len(MISTAKES), 10, "all are kept")
        apart = [suggestions(g, "")["items"][0] for g in gates]
        for gate in gates:
            told = suggestions(gate)
            (item,) = told["items"]
            expect((item["id"], item["events"], item["clients"], item["state"], told["silent"]), (apart[0]["id"], 10, 5, "open", []))
            expect(sorted((n["node"], n["events"], n["state"]) for n in item["nodes"]),
                   [("gate0", 4, "open"), ("gate1", 3, "open"), ("gate2", 3, "open")])
            expect(item["would_unblock"]["events"], sum(a["would_unblock"]["events"] for a in apart))
            expect(set(item["exception"]["rules"]), set().union(*(a["exception"]["rules"] for a in apart)))
            expect((item["first"], item["last"]), (min(a["first"] for a in apart), max(a["last"] for a in apart)))
            expect(got(gate, f"/events/{item['sample']}?nodes=all")["node"], item["sample_node"])
            assert "who" not in item and "verdicts" not in told, told
        for gate, verdict, state in ((gates[1], "keep", "kept"), (gates[2], "open", "open"), (gates[2], "keep", "kept"), (gates[0], "open", "open")):
            expect(api.ask(gate, "POST", f"/suggestions/{item['id']}", {"verdict": verdict})[0], 204)
            expect([suggestions(g)["items"][0]["state"] for g in gates], [state] * 3, "the newest word holds, wherever it was said")
            time.sleep(0.01)
        add = {"app": item["app"], "reason": "a test", **{k: item["exception"][k] for k in ("path", "args", "rules")}}
        for n, gate in enumerate(gates):
            expect(api.ask(gate, "POST", "/exceptions", add)[0], 200)
            (item,) = suggestions(gates[0])["items"]
            expect(sum(part["state"] == "accepted" for part in item["nodes"]), n + 1)
            expect(item["state"], "accepted" if n == 2 else "open", "while one gate has it not")
        for i, text in enumerate(MISTAKES):
            expect(ask(gates[(i + 1) % 3], f"203.0.113.{i}", f"/orders/{i}/comment?body={quote(text)}"), 200, "the rules of all are in it")
        with stopped(gates[1]):
            told = suggestions(gates[0])
            expect((told["silent"], told["items"][0]["events"]), (["gate1"], 7))


OVERRIDES = "apps:\n  shop:\n    log: {body: true}\n"


def change(gate, text, status=200, query=""):
    """The file for changes, anew."""
    tag = f'"{got(gate, "/config")["hash"]}"'
    is_status, told = api.ask(gate, "PUT", f"/config/overrides{query}", {"text": text}, {"If-Match": tag})
    expect(is_status, status, str(told))
    return told


@claim(limit=120)
def what_to_act_on_is_told_of_all_gates_and_whose_changes_are_not_alike():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url) as gates:
        met(gates)
        expect([got(g, "/notices")["items"] for g in gates], [[], [], []])
        expect(api.ask(gates[1], "POST", "/apps/shop/mode", {"mode": "off"})[0], 204)
        expect(change(gates[2], OVERRIDES)["applied"], True)
        for i, gate in enumerate(gates):
            told = got(gate, "/notices?nodes=all")
            expect(told["items"], [{"kind": "unprotected", "app": "shop", "text": None, "node": "gate1"}])
            expect({g["node"]: g["differs"] for g in told["gates"]},
                   {"gate0": i == 2, "gate1": i == 2, "gate2": i != 2}, f"seen from gate{i}")
        with stopped(gates[1]):
            told = got(gates[0], "/notices?nodes=all")
            expect((told["silent"], told["items"]), (["gate1"], []))
        redis.stop()
        eventually(lambda: [n["kind"] for n in got(gates[0], "/notices")["items"]] == ["redis"], 10, "without Redis")


def overrides(gate):
    return got(gate, "/config")["overrides"]


def differing(gate):
    return {g["node"] for g in got(gate, "/notices?nodes=all")["gates"] if g["differs"]}


def spread_to(told):
    return {g["node"]: g["state"] for g in told["gates"]}


@claim(limit=180)
def a_change_at_one_gate_is_made_at_the_others_and_what_came_of_it_is_told():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, alike=True) as gates:
        met(gates)
        told = change(gates[0], OVERRIDES)
        expect(spread_to(told), {"gate1": "applied", "gate2": "applied"})
        expect([overrides(g) for g in gates], [OVERRIDES] * 3)
        expect(differing(gates[2]), set())
        (entry,) = [e for e in got(gates[1], "/audit")["items"] if e["action"] == "config.change"]
        expect((entry["user"], entry["way"], "+    log: {body: true}" in entry["detail"]), ("socket at gate0", "gate", True))
        spread = [e for e in got(gates[0], "/audit")["items"] if e["action"] == "config.spread"]
        expect([sorted(e["detail"].split()) for e in spread], [["applied", "applied", "gate1:", "gate2:"]])
        text = OVERRIDES.replace("true", "false")
        with stopped(gates[1]):
            expect(spread_to(change(gates[0], text)), {"gate1": "silent", "gate2": "applied"})
        met(gates)
        time.sleep(2)  # what it has missed it may do now
        told = spread_to(change(gates[0], OVERRIDES))
        expect((told["gate1"] in ("same", "applied"), told["gate2"], [overrides(g) for g in gates]), (True, "applied", [OVERRIDES] * 3))
        expect(spread_to(change(gates[0], text)), {"gate1": "applied", "gate2": "applied"})
        told = change(gates[0], OVERRIDES, query="?confirm=60")
        expect((told["gates"], overrides(gates[1])), (None, text), "nothing is offered that may be taken back")
        expect(api.ask(gates[0], "POST", "/config/confirm")[0], 204)
        eventually(lambda: [overrides(g) for g in gates] == [OVERRIDES] * 3, 15, "now it stays")
        expect(gates[2].ctl("exceptions", "add", "--app", "shop", "--path", "/free", "--arg", "q", "--reason", "a test").returncode, 0)
        eventually(lambda: overrides(gates[0]) == overrides(gates[2]) != OVERRIDES, 15, "by ctl as well")


@claim(limit=180)
def a_gate_that_has_others_keeps_them_until_a_person_takes_those_of_another_over():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, 2, alike=True) as gates:
        met(gates)
        with open(gates[0].path("state/overrides.yaml"), "w", encoding="ascii") as out:
            out.write(OVERRIDES)
        expect((gates[0].ctl("reload").returncode, differing(gates[1])), (0, {"gate0"}), "by hand: nobody is offered it")
        own = OVERRIDES.replace("true", "false")
        expect(spread_to(change(gates[1], own)), {"gate0": "differs"})
        expect([overrides(g) for g in gates], [OVERRIDES, own])
        status, told = api.ask(gates[1], "POST", "/config/take?dry_run=true", {"from": "gate0"})
        expect((status, told["applied"], "-    log: {body: false}" in told["diff"]), (200, False, True), str(told))
        status, told = api.ask(gates[1], "POST", "/config/take", {"from": "gate0"})
        expect((status, told["applied"], told["gates"]), (200, True, None), str(told))
        expect((overrides(gates[1]), differing(gates[1])), (OVERRIDES, set()))
        for name in ("gate1", "gate9", ""):
            expect(api.ask(gates[1], "POST", "/config/take", {"from": name})[0], 404, name)


@claim(limit=120)
def a_gate_for_which_a_change_makes_no_sense_refuses_it_and_says_why():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, 2, alike=True, waf={}) as gates:
        met(gates)
        gates[1].write({**gates[1].config, "apps": {"shop": {**gates[1].config["apps"]["shop"], "waf": CALM}}})
        expect(gates[1].ctl("reload").returncode, 0)
        (told,) = change(gates[0], "apps:\n  shop:\n    exceptions: [{path: /free, categories: [sqli], reason: a test}]\n")["gates"]
        expect((told["node"], told["state"], "sqli" in (told["why"] or "")), ("gate1", "refused", True), str(told))
        expect(overrides(gates[1]), "")
        expect(ask(gates[1], "203.0.113.1"), 200, "it serves as before")


@claim(limit=120)
def nobody_takes_or_gives_changes_unless_it_is_told_to():
    with Redis() as redis, Origin() as origin, Gates(origin, redis.url, 2) as gates:
        met(gates)
        expect(change(gates[0], OVERRIDES)["gates"], None)
        expect([overrides(g) for g in gates], [OVERRIDES, ""])
        expect(api.ask(gates[1], "POST", "/config/take", {"from": "gate0"})[0], 403)
        for path in ("/overrides?of=0", "/overrides?of=1", "/overrides/offer?from=0&base=0000000000000000&hash=0000000000000000&by=x"):
            expect(got(gates[0], path, 403)["detail"], "only another gate of the cluster asks this")
