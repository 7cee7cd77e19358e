"""answers.py -- SecLang's rules look at answers: a denied one leaks no byte, others arrive as they were sent."""
import gzip
import os
import time
import zlib

from lib.claims import claim, eventually, expect, within
from lib.client import chunked, request
from lib.gate import Gate, one_app
from lib.origin import Origin, answer
from lib.wire import Ended

LEAK = b"secret"  # the word that may not leave
WINDOW = 8192
RULES = f"""
SecRuleEngine On
SecResponseBodyAccess On
SecResponseBodyLimit {WINDOW}
SecResponseBodyMimeType text/plain text/html application/json text/event-stream
SecRule RESPONSE_HEADERS:X-Leak "@contains secret" "id:1,phase:3,deny,status:418,log,msg:'a field leaks'"
SecRule RESPONSE_STATUS "@streq 500" "id:2,phase:3,deny,status:503,log,msg:'the server broke'"
SecRule RESPONSE_BODY "@contains secret" "id:3,phase:4,deny,status:403,log,msg:'a body leaks',logdata:'in %{{REQUEST_URI}}'"
SecRule RESPONSE_HEADERS:X-Away "@streq 1" "id:4,phase:3,redirect:https://away.example/,log,msg:'away'"
SecRule REQUEST_URI "@contains /told" "id:5,phase:5,pass,log,msg:'at the end: %{{UNIQUE_ID}}'"
SecRule ARGS:away "@streq 1" "id:6,phase:1,redirect:https://away.example/,log,msg:'away at once'"
"""
TEXT = b"Content-Type: text/plain"


class Ruled(Gate):
    """A gate with these rules and no others."""

    def __init__(self, upstream, rules=RULES, waf=None, **more):
        config = one_app(
            upstream, waf={"ruleset": "packs", "packs": False, "rules": ["x.conf"], **(waf or {})}, **more
        )
        super().__init__(config, start=False)
        with open(self.path("x.conf"), "w", encoding="ascii") as out:
            out.write(rules)
        self.start()


def ask(gate, target="/", method="GET", connection=None):
    """One request; nothing of the secret may be among all bytes that come."""
    with gate.connect() as client:
        got = client.ask(method, target)
        no_leak(client)
        return got


def no_leak(client):
    if LEAK in bytes(client.received):
        raise AssertionError(f"leaked: {bytes(client.received)!r}")


def scripted(*pieces, pause=0.0, end=False):
    """An origin's script: the pieces of one answer, whatever is asked; then perhaps the end."""

    def script(conn):
        while conn.request():
            conn.try_send(*pieces, pause=pause)
            if end:
                return

    return script


def head(*fields, status=b"200 OK"):
    return b"\r\n".join([b"HTTP/1.1 " + status, *fields]) + b"\r\n\r\n"


def in_pieces(data, size):
    return [data[i : i + size] for i in range(0, len(data), size)]


@claim
def a_body_that_leaks_is_denied():
    with Origin(lambda r: answer(200, b"the secret is out", [TEXT])) as origin, Ruled(origin.url) as gate:
        got = ask(gate, "/page?q=1")
        expect(got.status, 403)
        expect(got.fields.all("content-type") != [], True)
        line = gate.logged("security", got.fields.get("x-request-id"))
        expect(line["event"]["action"], "deny")
        expect(line["event"]["reason"], "a body leaks")
        expect(line["http"]["response"]["status_code"], 403)
        trace = line["waf"]["decision_trace"][0]
        expect((trace["rule"], trace["message"], trace["data"]), ("3", "a body leaks", "in /page?q=1"))
        said = gate.ctl("explain", got.fields.get("x-request-id")).stdout
        expect("in /page?q=1" in said and "a body leaks" in said, True, said)


@claim
def answers_without_it_arrive_as_they_were_sent():
    body = b"nothing to see " * 100
    with Origin(lambda r: answer(200, body, [TEXT, b"X-A: b"])) as origin, Ruled(origin.url) as gate:
        with gate.connect() as client:
            for _ in range(3):
                got = client.ask()
                expect((got.status, bytes(got.body), got.fields.get("x-a")), (200, body, "b"))
        expect(len(origin.connections), 1, "connections to the origin")


@claim
def the_head_is_judged_before_the_body_has_come():
    pieces = (head(TEXT, b"X-Leak: a secret", b"Content-Length: 10"),)
    with Origin(script=scripted(*pieces)) as origin, Ruled(origin.url) as gate:
        expect(ask(gate).status, 418)
    with Origin(lambda r: answer(500, b"secret trace", [TEXT])) as origin, Ruled(origin.url) as gate:
        expect(ask(gate).status, 503)


@claim
def a_denied_answer_leaves_both_connections_usable():
    def answering(r):
        return answer(200, b"the secret" if "bad" in r.target else b"fine", [TEXT])

    with Origin(answering) as origin, Ruled(origin.url) as gate, gate.connect() as client:
        for target, status in (("/bad", 403), ("/good", 200), ("/bad", 403), ("/good", 200)):
            expect(client.ask(target=target).status, status)
        no_leak(client)
        expect(len(origin.connections), 1, "connections to the origin")


@claim
def however_it_is_delimited_and_cut():
    text = b"x" * 3000 + b"the secret is out" + b"y" * 3000
    ways = [
        ([head(TEXT, b"Content-Length: %d" % len(text)) + text], False),
        ([head(TEXT, b"Transfer-Encoding: chunked") + chunked(*in_pieces(text, 7))], False),
        ([head(TEXT, b"Transfer-Encoding: chunked"), *in_pieces(chunked(*in_pieces(text, 500)), 333)], False),
        ([head(TEXT, b"Connection: close") + text], True),
        ([*in_pieces(head(TEXT, b"Content-Length: %d" % len(text)), 9), *in_pieces(text, 250)], False),
    ]
    for pieces, end in ways:
        with Origin(script=scripted(*pieces, pause=0.002, end=end)) as origin, Ruled(origin.url) as gate:
            expect(ask(gate).status, 403, pieces[0][:120])


@claim
def clean_bodies_pass_however_they_are_cut():
    text = bytes(range(256)) * 20
    ways = [
        ([head(TEXT, b"Content-Length: %d" % len(text)), *in_pieces(text, 100)], False),
        ([head(TEXT, b"Transfer-Encoding: chunked"), *in_pieces(chunked(*in_pieces(text, 99), trailers=b"X-T: 1\r\n"), 211)], False),
        ([head(TEXT, b"Connection: close"), *in_pieces(text, 1000)], True),
    ]
    for pieces, end in ways:
        with Origin(script=scripted(*pieces, pause=0.001, end=end)) as origin, Ruled(origin.url) as gate:
            got = gate.ask()
            expect((got.status, got.complete, bytes(got.body)), (200, True, text))
            if any(b"X-T" in piece for piece in pieces):
                expect(got.trailers.get("x-t"), "1")


@claim
def behind_the_window_everything_passes():
    body = b"x" * WINDOW + b"secret" + os.urandom(300_000)
    with Origin(lambda r: answer(200, body, [TEXT])) as origin, Ruled(origin.url) as gate:
        got = gate.ask()
        expect((got.status, bytes(got.body) == body), (200, True))
        name = 'embergate_body_truncated_total{app="shop"}'
        found = [value for key, value in gate.metrics().items() if "body_truncated_total" in key and "shop" in key]
        expect(found, [1.0], name)
    inside = b"x" * (WINDOW - 6) + b"secret" + b"y" * 100_000
    with Origin(lambda r: answer(200, inside, [TEXT])) as origin, Ruled(origin.url) as gate:
        expect(ask(gate).status, 403)


@claim
def types_that_are_not_looked_at_are_not_held():
    for fields in ([b"Content-Type: image/png"], [b"Content-Type: text/plainer"], [b"Content-Type:"], []):
        with Origin(lambda r: answer(200, b"secret", fields)) as origin, Ruled(origin.url) as gate:
            expect(gate.ask().text, "secret")


def drip(conn, first, gap=0.4):
    """A head, and pieces that come apart."""
    while conn.request():
        conn.send(first, b"5\r\none\r\n\r\n")
        time.sleep(gap)
        conn.try_send(b"5\r\ntwo\r\n\r\n")
        time.sleep(gap)
        conn.try_send(b"8\r\nsecret\r\n\r\n0\r\n\r\n")


@claim
def streams_are_not_delayed():
    sse = head(b"Content-Type: text/event-stream; charset=utf-8", b"Transfer-Encoding: chunked")
    with Origin(script=lambda conn: drip(conn, sse)) as origin, Ruled(origin.url) as gate:
        with gate.connect() as client:
            began = time.monotonic()
            client.send(request())
            client.until(b"one\r\n")
            within(0.3, began, "the first event")
    text = head(TEXT, b"Transfer-Encoding: chunked")
    with Origin(script=lambda conn: drip(conn, text)) as origin, Ruled(origin.url, streams=["/poll*"]) as gate:
        with gate.connect() as client:
            began = time.monotonic()
            client.send(request(target="/poll/1"))
            client.until(b"one\r\n")
            within(0.3, began, "the first piece of a configured stream")


@claim
def a_slow_answer_is_held_for_a_second_and_then_streams():
    text = head(TEXT, b"Transfer-Encoding: chunked")
    with Origin(script=lambda conn: drip(conn, text, gap=1.6)) as origin, Ruled(origin.url) as gate:
        with gate.connect() as client:
            began = time.monotonic()
            client.send(request())
            client.until(b"one\r\n")
            took = time.monotonic() - began
            if not 0.7 < took < 1.5:
                raise AssertionError(f"the first piece came after {took:.2f} s")
            client.until(b"0\r\n\r\n")
    with Origin(script=scripted(text, b"6\r\nsecret\r\n")) as origin, Ruled(origin.url) as gate:
        began = time.monotonic()
        expect(ask(gate).status, 403)
        within(2, began, "the verdict on what is there")


@claim
def packed_answers_are_unpacked_for_the_rules_only():
    plain = b"<p>" + b"x" * 2000 + b"secret</p>"
    raw = zlib.compressobj(wbits=-15)
    packings = [
        (b"gzip", gzip.compress(plain)),
        (b"deflate", zlib.compress(plain)),
        (b"deflate", raw.compress(plain) + raw.flush()),
    ]
    clean = gzip.compress(b"fine " * 1000)
    for coding, packed in packings:
        fields = [TEXT, b"Content-Encoding: " + coding]
        with Origin(lambda r: answer(200, packed, fields)) as origin:
            with Ruled(origin.url, waf={"decode_answers": "on"}) as gate:
                with gate.connect() as client:
                    expect(client.ask().status, 403)
                    expect(packed[10:40] in bytes(client.received), False, "leaked packed bytes")
            with Ruled(origin.url) as gate:
                expect(bytes(gate.ask().body), packed)
    with Origin(lambda r: answer(200, clean, [TEXT, b"Content-Encoding: gzip"])) as origin:
        with Ruled(origin.url, waf={"decode_answers": "on"}) as gate:
            got = gate.ask()
            expect((bytes(got.body), got.fields.get("content-encoding")), (clean, "gzip"))


@claim
def what_cannot_be_unpacked_passes_as_it_came():
    bomb = gzip.compress(b"\0" * 30_000_000)
    for coding, body in ((b"br", b"\x0b\x02\x80secret\x03"), (b"gzip", b"no gzip at all" * 50), (b"gzip", bomb)):
        with Origin(lambda r: answer(200, body, [TEXT, b"Content-Encoding: " + coding])) as origin:
            with Ruled(origin.url, waf={"decode_answers": "on"}) as gate:
                got = gate.ask()
                expect((got.status, bytes(got.body) == body), (200, True), coding)


@claim
def answers_without_a_body_are_not_held():
    for method, status, reason in (("HEAD", 200, b"OK"), ("GET", 204, b"No Content"), ("GET", 304, b"Not Modified")):
        line = head(TEXT, *([b"Content-Length: 500"] if status != 204 else []), status=b"%d %b" % (status, reason))
        with Origin(script=scripted(line)) as origin, Ruled(origin.url) as gate:
            began = time.monotonic()
            expect(ask(gate, method=method).status, status)
            within(0.8, began, f"{method} {status}")
    bad = head(TEXT, b"X-Leak: secret", b"Content-Length: 500")
    with Origin(script=scripted(bad)) as origin, Ruled(origin.url) as gate:
        got = ask(gate, method="HEAD")
        expect((got.status, bytes(got.body)), (418, b""))


@claim
def detect_mode_only_writes_it_down():
    body = b"the secret is out"
    with Origin(lambda r: answer(200, body, [TEXT, b"X-A: b"])) as origin, Ruled(origin.url, waf={"mode": "detect"}) as gate:
        got = gate.ask()
        expect((got.status, bytes(got.body), got.fields.get("x-a")), (200, body, "b"))
        line = gate.logged("security", got.fields.get("x-request-id"))
        expect((line["event"]["action"], line["waf"]["would"]), ("log", "deny"))
        expect(line["event"]["reason"], "a body leaks")
    rules = RULES.replace("SecRuleEngine On", "SecRuleEngine DetectionOnly")
    with Origin(lambda r: answer(200, body, [TEXT])) as origin, Ruled(origin.url, rules) as gate:
        got = gate.ask()
        expect((got.status, bytes(got.body)), (200, body))
        expect(gate.logged("security", got.fields.get("x-request-id"))["event"]["action"], "log")


@claim
def a_cut_answer_that_was_held_is_a_502():
    cuts = [
        (head(TEXT, b"Content-Length: 500"), b"only this"),
        (head(TEXT, b"Transfer-Encoding: chunked"), b"9\r\nonly this\r\n"),
        (head(TEXT, b"Transfer-Encoding: chunked"), b"9\r\nonly this and no chunk"),
    ]
    for pieces in cuts:
        with Origin(script=scripted(*pieces, end=True)) as origin, Ruled(origin.url) as gate:
            got = gate.ask()
            expect((got.status, b"only this" in bytes(got.body)), (502, False))
            got = gate.ask()
            expect(got.status, 502)


@claim
def redirects_lead_away():
    away = "https://away.example/"
    with Origin(lambda r: answer(200, b"secret", [TEXT, b"X-Away: 1"])) as origin, Ruled(origin.url) as gate:
        got = ask(gate)
        expect((got.status, got.fields.get("location")), (302, away))
        origin.forget()
        got = ask(gate, "/?away=1")
        expect((got.status, got.fields.get("location")), (302, away))
        expect(origin.received, b"")


@claim
def the_last_phase_is_told_once():
    with Origin(lambda r: answer(200, b"fine", [TEXT])) as origin, Ruled(origin.url) as gate:
        got = gate.ask(target="/told")
        number = got.fields.get("x-request-id")
        line = gate.logged("security", number)
        expect((line["event"]["action"], line["event"]["reason"]), ("log", f"at the end: {number}"))
        expect([hit["rule"] for hit in line["waf"]["decision_trace"]], ["5"])


@claim
def over_the_budget_of_held_bytes_nothing_is_held():
    body = b"x" * 150_000
    slow = [head(TEXT, b"Content-Length: %d" % (2 * len(body))), body]

    def script(conn):
        while conn.request():
            conn.send(*slow)
            time.sleep(0.5)
            conn.try_send(body)

    top = {"size_limits": {"held": "1MiB"}}
    rules = RULES.replace(f"SecResponseBodyLimit {WINDOW}", "SecResponseBodyLimit 4000000")
    big = b"y" * 3_000_000
    with Origin(lambda r: answer(200, big, [TEXT])) as origin, Ruled(origin.url, rules, top=top) as gate:
        got = gate.ask()
        expect((got.status, bytes(got.body) == big), (200, True))
    with Origin(script=script) as origin, Ruled(origin.url, rules, top=top) as gate:
        clients = [gate.connect() for _ in range(12)]
        for client in clients:
            client.send(request())
        for client in clients:
            expect(bytes(client.response().body), body + body)
            client.close()


@claim
def a_client_that_goes_while_its_answer_is_held_takes_nothing_with_it():
    pieces = [head(TEXT, b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n", b"0\r\n\r\n"]
    with Origin(script=scripted(*pieces, pause=0.3)) as origin, Ruled(origin.url) as gate:
        for number in range(20):
            client = gate.connect()
            client.send(request())
            origin.wait_for(number + 1)
            client.reset()
        expect(gate.ask().text, "hello")
        eventually(lambda: len(gate.log("access")) == 21, 5, "a line for each")


@claim
def an_answer_that_comes_before_the_upload_has_ended_is_judged_too():
    def script(conn):
        conn.request_head()
        conn.send(answer(200, b"the secret", [TEXT]))
        conn.end(2)

    with Origin(script=script) as origin, Ruled(origin.url) as gate, gate.connect() as client:
        client.send(request("POST", "/", ["Content-Type: image/png", "Content-Length: 3000000"]) + b"x" * 500_000)
        expect(client.response().status, 403)
        no_leak(client)
