"""bots.py -- who says that he is a bot, what follows, and attack mode."""
import json
import os
import time

from lib.claims import claim, eventually, expect
from lib.gate import Gate, one_app
from lib.origin import Origin, answer
from lib.visitor import BROWSER, Visitor, text_of

TRUST = {"client_ip": {"trust": ["127.0.0.0/8"]}}
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
GPT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
INSIDE, OUTSIDE = "66.249.66.1", "203.0.113.9"
# What a hub's scenario that knows nothing of bots does: five pages are a crawl.
CRAWL = """
type: leaky
name: test/crawl
description: many pages
filter: "evt.Meta.http_verb == 'GET'"
groupby: evt.Meta.source_ip
capacity: 4
leakspeed: 1h
labels: {remediation: true, behavior: "http:crawl"}
---
type: trigger
name: test/impostor
description: what the facts say
filter: "evt.Gate.bot == 'search' && evt.Gate.bot_verified == 'false' && evt.Parsed.request == '/told'"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:exploit"}
"""


def guarded(origin, top=None, **app):
    """With a list of Google's addresses of our own, and its scenarios."""
    gate = Gate(None, start=False)
    os.makedirs(gate.path("ranges"))
    ranges(gate, "66.249.64.0/19")
    with open(gate.path("own.yaml"), "w", encoding="ascii") as out:
        out.write(CRAWL)
    top = {**TRUST, "bots": {"ranges": "ranges"}, "scenarios": {"packs": False, "files": ["own.yaml"]}, **(top or {})}
    gate.write(one_app(origin.url, top, waf="off", **app))
    gate.start()
    return gate


def ranges(gate, *blocks):
    with open(gate.path("ranges/googlebot.json"), "w", encoding="ascii") as out:
        json.dump({"prefixes": [{"ipv4Prefix": block} for block in blocks]}, out)


def ask(gate, agent, address=OUTSIDE, target="/", method="GET"):
    return gate.ask(method, target, [f"User-Agent: {agent}", "Accept: text/html", f"X-Forwarded-For: {address}"])


@claim
def each_kind_has_its_policy():
    with Origin() as origin, guarded(origin, bots={"seo": "deny", "automation": "throttle"}, scenarios="off") as gate:
        expect(ask(gate, GPT).status, 403)
        expect(ask(gate, "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)").status, 403)
        expect(ask(gate, "Mozilla/5.0 (compatible; DuckDuckBot/1.1)").status, 200)
        expect(ask(gate, "Scrapy/2.11").status, 403)
        expect({ask(gate, "curl/8.0", "203.0.113.77").status for _ in range(12)}, {200, 429})
        refused = ask(gate, GPT)
        line = gate.logged("security", text_of(refused.fields.all("x-request-id")[0]))
        expect(line["event"]["action"], "deny")
        assert "ai-training: gptbot" in json.dumps(line), line
        assert gate.metrics()['embergate_decisions_total{app="shop",action="deny",source="bot"}'] >= 3


@claim
def without_the_key_nothing_is_done():
    with Origin() as origin, Gate(one_app(origin.url, TRUST, waf="off")) as gate:
        for agent in GPT, "curl/8.0", "Scrapy/2.11", GOOGLE:
            expect(ask(gate, agent).status, 200, agent)
        expect(gate.text("security.log"), "")


@claim
def who_is_verified_is_neither_challenged_nor_held_for_crawling():
    with Origin() as origin, guarded(origin, bots="on", rules=[{"path": "/private*", "do": "challenge"}]) as gate:
        for page in range(20):
            expect(ask(gate, GOOGLE, INSIDE, f"/{page}").status, 200)
        expect(ask(gate, GOOGLE, INSIDE, "/private").status, 200)
        # the same from elsewhere is an impostor, and another bot from Google's address is none of Google's
        expect(ask(gate, GOOGLE, OUTSIDE, "/").status, 403)
        expect(ask(gate, "Mozilla/5.0 Firefox/120.0", INSIDE, "/private").status, 403)
        expect({ask(gate, "Mozilla/5.0 Firefox/120.0", "203.0.113.50", f"/{page}").status for page in range(6)}, {200, 403})


@claim
def scenarios_know_who_is_an_impostor():
    with Origin() as origin, guarded(origin) as gate:
        expect(ask(gate, GOOGLE, INSIDE, "/told").status, 200)
        expect(ask(gate, GOOGLE, OUTSIDE, "/").status, 200)
        expect(ask(gate, GOOGLE, OUTSIDE, "/told").status, 403)


@claim
def a_verified_bot_is_slowed_and_never_unbounded():
    with Origin() as origin, guarded(origin, bots="on", rules=[{"path": "/*", "do": "challenge"}]) as gate:
        with gate.connect() as client:
            fields = [f"User-Agent: {GOOGLE}", f"X-Forwarded-For: {INSIDE}"]
            got = [client.ask("GET", "/", fields) for _ in range(130)]
        statuses = [one.status for one in got]
        assert 100 <= statuses.count(200) < 130 and set(statuses) == {200, 429}, statuses
        assert got[-1].fields.all("retry-after")


@claim
def row_8_a_link_preview_gets_the_page_a_few_times():
    with Origin() as origin, guarded(origin, rules=[{"path": "/*", "do": "challenge"}]) as gate:
        statuses = [ask(gate, SLACK).status for _ in range(9)]
        expect((statuses[:5], statuses[-1]), ([200] * 5, 429))
        expect(ask(gate, SLACK, "203.0.113.80", method="POST").status, 403)


@claim
def row_17_a_translation_is_known_by_googles_addresses():
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0,gzip(gfe) (via translate.google.com)"
    with Origin() as origin, guarded(origin, rules=[{"path": "/*", "do": "challenge"}]) as gate:
        with open(gate.path("ranges/user-triggered-fetchers-google.txt"), "w", encoding="ascii") as out:
            out.write("74.125.210.0/24\n")
        gate.reload()
        expect(ask(gate, agent, "74.125.210.7").status, 200)
        expect(ask(gate, agent).status, 403)


@claim
def lists_are_read_at_a_reload_and_a_bad_one_is_refused():
    with Origin() as origin, guarded(origin, bots="on") as gate:
        expect(ask(gate, GOOGLE, "192.0.2.5").status, 403)
        ranges(gate, "66.249.64.0/19", "192.0.2.0/24")
        gate.reload()
        expect(ask(gate, GOOGLE, "192.0.2.5").status, 200)
        ranges(gate, "0.0.0.0/0")
        said = gate.ctl("reload")
        assert "too wide" in str(said), said
        expect(ask(gate, GOOGLE, OUTSIDE).status, 403)


@claim
def a_name_is_looked_up_and_nobody_waits():
    """127.0.0.1 is `localhost` by the system's files: no name of Google's."""
    with Origin() as origin, Gate(one_app(origin.url, {"bots": {"dns": True}}, waf="off", bots="on")) as gate:
        fields = [f"User-Agent: {GOOGLE}"]
        expect(gate.ask("GET", "/", fields).status, 200, "not known yet")
        eventually(lambda: gate.ask("GET", "/", fields).status == 403, 10, "found to be an impostor")


# ---- attack mode

MANY = {"window": "2s", "stay": "1s", "least": 20, "latency": "200ms"}


def mood(gate):
    return gate.metrics()['embergate_attack_mode{app="shop"}']


def program(gate, address="203.0.113.30"):
    return gate.ask("GET", "/api", ["User-Agent: app/1", "Accept: application/json", f"X-Forwarded-For: {address}"]).status


def overloaded_and_back(origin, gate, trouble):
    """Until it is on, then until it is off again."""
    page = lambda: gate.ask("GET", "/", BROWSER).status
    expect(page(), 200)
    trouble(True)

    def push():
        with gate.connect() as client:
            for _ in range(10):
                client.ask("GET", "/load", ["X-Forwarded-For: 203.0.113.31"])
        return mood(gate) == 1

    eventually(push, 20, "attack mode")
    expect(page(), 403)
    log = gate.text("stderr")
    assert "attack mode is on: " in log, log
    trouble(False)
    eventually(lambda: mood(gate) == 0, 20, "peace", every=0.2)
    expect(page(), 200)
    assert "attack mode is off: " in gate.text("stderr")


@claim(limit=60)
def errors_of_the_upstream_throw_the_switch_and_it_falls_back():
    state = {"bad": False}
    answering = lambda request: answer(503 if state["bad"] else 200, b"x", reason=b"S")
    with Origin(answering) as origin, Gate(one_app(origin.url, TRUST, waf="off", under_attack={"mode": "auto", **MANY})) as gate:
        overloaded_and_back(origin, gate, lambda bad: state.update(bad=bad))


@claim(limit=60)
def slow_answers_throw_it_too():
    state = {"bad": False}

    def answering(_):
        time.sleep(0.3 if state["bad"] else 0)
        return answer(200, b"x")

    settings = {"mode": "auto", **MANY, "least": 4}
    with Origin(answering) as origin, Gate(one_app(origin.url, TRUST, waf="off", under_attack=settings)) as gate:
        overloaded_and_back(origin, gate, lambda bad: state.update(bad=bad))


@claim(limit=60)
def clients_that_send_slowly_do_not():
    settings = {"mode": "auto", **MANY, "window": "6s", "least": 4}
    with Origin(lambda _: answer(200, b"x")) as origin, Gate(one_app(origin.url, TRUST, waf="off", under_attack=settings)) as gate:
        for _ in range(6):
            with gate.connect() as client:
                client.send(b"POST /up HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.31\r\nContent-Length: 4\r\n\r\n", b"ab", pause=0.2)
                time.sleep(0.2)
                client.send(b"cd")
                expect(client.response().status, 200)
        time.sleep(2.5)
        expect(mood(gate), 0)
        assert "attack mode is on" not in gate.text("stderr")


@claim
def by_hand_everyone_is_challenged_and_a_pass_is_enough():
    with Origin() as origin, guarded(origin, scenarios="off") as gate:
        expect(gate.ask("GET", "/", BROWSER).status, 200)
        assert "attack mode of shop is now on" in str(gate.ctl("attack-mode", "shop", "on"))
        expect(mood(gate), 1)
        assert "UNDER ATTACK" in str(gate.ctl("status"))
        visitor = Visitor(gate)
        expect(visitor.ask().status, 403)
        visitor.solve()
        expect(visitor.ask().status, 200)
        expect(ask(gate, GOOGLE, INSIDE).status, 200, "a verified bot")
        statuses = [program(gate) for _ in range(25)]
        expect((statuses[:20], statuses[-1]), ([200] * 20, 429))
        assert "no attack mode" in str(gate.ctl("attack-mode", "shop", "maybe"))
        gate.ctl("attack-mode", "shop", "off")
        expect((mood(gate), Visitor(gate).ask().status), (0, 200))


@claim
def the_configuration_can_say_it():
    with Origin() as origin, Gate(one_app(origin.url, TRUST, waf="off", under_attack="on")) as gate:
        expect(gate.ask("GET", "/", BROWSER).status, 403)
        gate.ctl("attack-mode", "shop", "off")
        expect(gate.ask("GET", "/", BROWSER).status, 200)
