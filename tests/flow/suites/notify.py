"""notify.py -- webhooks: what they are told, what not, and receivers that fail, hang and redirect."""
import contextlib
import copy
import tempfile
import time

from lib import api, certs
from lib.claims import claim, eventually, expect, within
from lib.gate import Gate, one_app, run
from lib.origin import Origin
from lib.webhook import Webhook

SECRET = "a secret of the receiver's that nobody else knows"
CALM = {"scenarios": {"packs": "off"}}


@contextlib.contextmanager
def stand(*receivers, top=None, **notify):
    with Origin() as origin, Gate(start=False, config={}) as gate:
        with open(gate.path("hook.secret"), "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        gate.write({**one_app(origin.url), **CALM, **(top or {}), "notify": [
            {"url": r.url, "every": "1s", **({"secret": "file:hook.secret"} if r.secret else {}), **copy.deepcopy(notify)} for r in receivers]})
        gate.start()
        yield gate


def attack(gate, n=1):
    with gate.connect() as client:
        for _ in range(n):
            expect(client.ask(target="/.git/config?attackers=word").status, 403)


def dropped(gate):
    return gate.metrics()['embergate_events_dropped_total{sink="notify"}']


@claim(limit=60)
def attacks_are_told_together_signed_and_with_few_words():
    with Webhook(SECRET) as receiver, stand(receiver, events=["attack"]) as gate:
        expect(gate.ask(target="/plain").status, 200)
        attack(gate, 70)
        eventually(lambda: receiver.count("attack") == 70, 15, "70 attacks")
        assert len(receiver.messages) <= 4, f"{len(receiver.messages)} messages"
        event = receiver.events()[0]
        expect(set(event), {"timestamp", "kind", "address", "behaviour"})
        expect((event["kind"], event["address"]), ("attack", "127.0.0.1"))
        assert event["behaviour"].startswith("embergate/"), event
        for message in receiver.messages:
            expect(len(message["events"]), min(50, message["counts"]["attack"]))
            expect(message["more"], message["counts"]["attack"] - len(message["events"]))
        expect(dropped(gate), 0)
        said = gate.ctl("privacy").stdout
        assert f"127.0.0.1:{receiver.port}" in said and "secret-path" not in said, said
        assert "secret-path" not in gate.ctl("support-bundle").stdout


@claim(limit=60)
def it_is_told_how_receivers_are_and_a_test_reaches_them():
    with Webhook(SECRET) as good, Webhook() as bad, stand(good, bad, events=["attack"]) as gate:
        bad.answers = [500] * 9
        outlets = api.ask(gate, "GET", "/notify")[1]["items"]
        expect([(o["kind"], o["to"], o["events"], o["state"], o["signed"]) for o in outlets],
               [("webhook", good.url, ["attack"], "untried", True), ("webhook", bad.url, ["attack"], "untried", False)])
        viewer = api.Browser(gate, token=api.token(gate, "viewer"))
        seen = viewer.ask("GET", "/notify")
        assert "secret" not in seen.text.replace("secret-path", "") and "secret-path" not in seen.text, seen.text
        expect(viewer.ask("POST", f"/notify/{outlets[0]['id']}/test").status, 403)
        expect(api.ask(gate, "POST", f"/notify/{outlets[0]['id']}/test"), (200, {"taken": True, "text": "the receiver took it"}))
        expect(good.count("test"), 1)
        expect(api.ask(gate, "POST", f"/notify/{outlets[1]['id']}/test"), (200, {"taken": False, "text": "it answers 500"}))
        expect(api.ask(gate, "POST", "/notify/0123456789abcdef/test")[0], 404)
        attack(gate, 3)
        eventually(lambda: good.count("attack") == 3 and len(bad.times) >= 2, 15, "the attacks")
        eventually(lambda: [o["state"] for o in api.ask(gate, "GET", "/notify")[1]["items"]] == ["good", "failing"], 5, "their states")
        one, other = api.ask(gate, "GET", "/notify")[1]["items"]
        expect((one["taken"], one["failures"], one["waiting"], one["why"]), (1, 0, 0, None))
        expect((other["taken"], other["failures"], other["waiting"], other["why"]), (0, 1, 3, "it answers 500"))
        assert other["next"] > other["failed_at"], other


@claim(limit=60)
def a_receiver_is_added_by_a_change_and_stands_beside_the_others():
    with Webhook() as first, Webhook() as added, stand(first, events=["attack"]) as gate:
        def change(text):
            tag = {"If-Match": '"' + api.ask(gate, "GET", "/config")[1]["hash"] + '"'}
            return api.ask(gate, "PUT", "/config/overrides", {"text": text}, tag)

        expect(change("listen: []\n")[0], 422)
        expect(change("notify:\n  - url: ftp://x.example/\n")[0], 422)
        status, told = change(f"notify:\n  - url: {added.url}\n    every: 1s\n    events: [attack]\n")
        expect((status, told["applied"]), (200, True), str(told))
        expect({o["to"] for o in api.ask(gate, "GET", "/notify")[1]["items"]}, {first.url, added.url})
        attack(gate, 2)
        eventually(lambda: first.count("attack") == 2 and added.count("attack") == 2, 10, "both are told")


@claim(limit=60)
def full_tells_more_and_min_tells_less():
    with Webhook() as full, Webhook() as few, stand(full, full=True) as gate:
        gate.config["notify"].append({"url": few.url, "every": "1s", "min": 5, "events": ["attack"]})
        assert gate.reload(gate.config)
        attack(gate, 2)
        eventually(lambda: full.count("attack") == 2, 10, "two attacks")
        event = [e for e in full.events() if e["kind"] == "attack"][0]
        expect((event["app"], event["detail"], len(event["id"])), ("shop", "/.git/config", 26))
        time.sleep(1.5)
        expect(few.messages, [])
        attack(gate, 6)
        eventually(lambda: few.count("attack") >= 5, 10, "what is worth a word")


@claim(limit=90)
def reloads_servers_and_decisions_are_told():
    with Webhook() as receiver, stand(receiver, events=["reload", "upstream", "decision"], full=True) as gate:
        attack(gate)
        expect(gate.ctl("decisions", "add", "192.0.2.77", "4h", "why:by-hand").returncode, 0)
        eventually(lambda: receiver.count("decision") == 1, 10, "the decision")
        good = dict(gate.config)
        gate.write({**good, "nonsense": 1})
        expect(gate.reload(), False)
        gate.write(good)
        assert gate.reload()
        eventually(lambda: receiver.count("reload") == 2, 10, "both reloads")
        told = [(e["behaviour"], "nonsense" in e["detail"]) for e in receiver.events() if e["kind"] == "reload"]
        expect(told, [("refused", True), ("taken", False)])
        event = [e for e in receiver.events() if e["kind"] == "decision"][0]
        expect((event["address"], event["behaviour"], event["detail"]), ("192.0.2.77", "by-hand", "deny"))
        expect(receiver.count("attack"), 0)
        good["apps"]["shop"]["upstream"] = {"servers": ["http://127.0.0.1:9"], "health": {"path": "/", "interval": "1s"}}
        assert gate.reload(good)
        eventually(lambda: receiver.count("upstream") >= 1, 30, "the server that is down")
        event = [e for e in receiver.events() if e["kind"] == "upstream"][0]
        expect((event["address"], event["behaviour"]), ("127.0.0.1:9", "down"))


@claim(limit=60)
def a_certificate_that_ends_is_told():
    with tempfile.TemporaryDirectory() as folder, Webhook() as receiver:
        cert, key = certs.make(folder, "shop.example")  # two days
        with Origin() as origin, Gate(start=False, config={}) as gate:
            gate.write({**one_app(origin.url), "listen": [{"bind": f"127.0.0.1:{gate.port}", "tls": True}],
                        "tls": {"certs": [{"cert": cert, "key": key}]}, "notify": [{"url": receiver.url, "every": "1s", "events": "cert"}]})
            gate.start()
            eventually(lambda: receiver.count("cert") >= 1, 10, "the certificate")
            event = receiver.events()[-1]
            expect(event["address"], "shop.example")
            assert event["behaviour"].startswith("ends 20"), event


@claim(limit=90)
def what_is_refused_is_tried_again_later_each_time():
    with Webhook(SECRET) as receiver:
        receiver.answers = [500, 404, ("redirect", receiver.url + "/elsewhere")]
        with stand(receiver, events=["attack"]) as gate:
            attack(gate, 3)
            eventually(lambda: len(receiver.times) >= 2, 10, "a second try")
            attack(gate, 4)  # gathered meanwhile
            eventually(lambda: receiver.count("attack") == 7, 30, "all attacks")
            waits = [b - a for a, b in zip(receiver.times, receiver.times[1:])][:3]
            assert 0.9 < waits[0] < 2 and 1.9 < waits[1] < 3.5 and 3.9 < waits[2] < 6.5, waits
            expect(len(receiver.messages), 2)
            expect(set(receiver.paths), {"/hook/secret-path"})
            said = gate.text("stderr")
            assert said.count("it is tried again") == 1 and "takes messages again" in said, said


@claim(limit=90)
def a_receiver_that_hangs_or_is_down_stalls_nothing():
    with Webhook() as hangs:
        hangs.answers = ["hang"] * 10
        with stand(hangs, Webhook(), events=["attack"]) as gate:  # the other one is not there
            started = time.monotonic()
            for _ in range(5):
                attack(gate, 20)
                time.sleep(0.3)
            within(20, started, "100 answers")
            eventually(lambda: hangs.times, 10, "a try")
            expect(gate.ask(target="/plain").status, 200)
            assert gate.reload(), "a reload while one hangs"
            eventually(lambda: len(hangs.times) >= 2, 10, "the message once more")
            gate.config["notify"] = []
            assert gate.reload(gate.config), "a reload while one hangs"
            expect(gate.ask(target="/plain").status, 200)
            started = time.monotonic()
        within(20, started, "the end")


@claim(limit=60)
def a_reload_that_takes_a_receiver_away_counts_what_it_was_owed():
    with stand(Webhook(), Webhook(), events=["attack"]) as gate:  # neither is there
        attack(gate, 9)
        time.sleep(1.5)
        attack(gate, 2)
        gate.config["notify"].pop()
        assert gate.reload(gate.config)
        expect(dropped(gate), 11)


@claim(limit=60)
def what_cannot_be_is_refused_with_its_place():
    for notify, said in (
        ({"url": "ftp://x.example/"}, "notify"),
        ({"url": "http://x.example/", "events": ["attak"]}, "attak"),
        ({"url": "http://x.example/", "secret": "file:none"}, "none"),
        ({"url": "https://x.example/", "ca": "none.pem"}, "none.pem"),
        ({"url": "http://x.example/", "every": "10ms"}, "every"),
        ({}, "url"),
    ):
        with Gate(start=False, config={}) as gate:
            gate.write({**one_app("http://127.0.0.1:9"), "notify": [notify]})
            done = run("check", "-c", gate.file, folder=gate.folder)
            assert done.returncode != 0 and said in done.stderr, f"{notify}: {done.stderr}"
