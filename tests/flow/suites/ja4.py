"""ja4.py -- the fingerprint of who speaks TLS: what it is of real programs, and where it is seen and asked for."""
import shutil
import socket
import ssl
import subprocess
import tempfile

from lib.api import ask
from lib.claims import claim, eventually, expect
from lib.client import request, trusting
from lib.gate import Gate, one_app
from lib.ja4 import Tap, hello_of, ja4_of
from lib.origin import Origin
from lib.secure import Secure

STOPPED = {"rules": [{"path": "/stop/*", "do": "deny"}]}


def wrapped(port, context, name="one.example"):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname=name)


def visit(port, context, target="/", name="one.example"):
    """One request; the status of its answer."""
    with wrapped(port, context, name) as sock:
        sock.sendall(request(target=target, host="one.example", fields=["Connection: close"]))
        answer = b""
        while data := sock.recv(65536):
            answer += data
    return int(answer.split()[1])


def logged(gate):
    return [line["tls"]["client"]["ja4"] for line in gate.log("access")]


def run(*words, given=b""):
    done = subprocess.run(words, input=given, capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stderr[-400:]!r}"


@claim
def it_is_made_of_what_each_program_really_sends():
    with Origin() as origin, Secure(origin, **STOPPED) as gate, Tap(gate.port) as tap:
        url = f"https://127.0.0.1:{tap.port}/"
        for context in (trusting(alpn=("h2", "http/1.1")), trusting(alpn=()), trusting(high=ssl.TLSVersion.TLSv1_2)):
            expect(visit(tap.port, context), 200)
        if shutil.which("curl"):
            run("curl", "-sk", url)
            run("curl", "-sk", "--http1.1", "--tls-max", "1.2", "--resolve", f"two.example:{tap.port}:127.0.0.1",
                f"https://two.example:{tap.port}/")
        if shutil.which("openssl"):
            run("openssl", "s_client", "-quiet", "-noservername", "-connect", f"127.0.0.1:{tap.port}",
                given=request(fields=["Connection: close"]))
        eventually(lambda: len(logged(gate)) == len(tap.sent), 10, "a line for each")
        expect(sorted(logged(gate)), sorted(tap.ja4))
        assert len(set(tap.ja4)) >= 3, tap.ja4


@claim
def a_browser_has_one_whatever_order_it_makes_up():
    if not shutil.which("chromium"):
        return
    with Origin() as origin, Secure(origin, **STOPPED) as gate, Tap(gate.port) as tap:
        for _ in range(2):
            with tempfile.TemporaryDirectory(prefix="embergate-chromium.") as profile:
                run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors",
                    f"--user-data-dir={profile}", "--dump-dom", f"https://localhost:{tap.port}/")
        first = eventually(lambda: logged(gate) and tap.ja4, 10, "a line")[0]
        assert set(logged(gate)) <= set(tap.ja4), (logged(gate), tap.ja4)
        assert first.startswith("t13d") and first[8:10] == "h2", first
        fresh = {ja4 for ja4 in tap.ja4 if ja4[:10] == first[:10]}
        expect(fresh, {first}, "each time it mixes its extensions anew")


def hello_by_hand(context):
    """What a client says first, and the rest of its side."""
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(here, there, server_hostname="one.example")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client, here, there


def in_records(hello, size):
    pieces = [hello[at:at + size] for at in range(0, len(hello), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)


@claim
def a_hello_in_pieces_is_the_same_hello():
    with Origin() as origin, Secure(origin, **STOPPED) as gate:
        for size in (1 << 14, 100, 7):
            client, here, there = hello_by_hand(trusting())
            sent = there.read()
            with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as sock:
                said = in_records(sent[5:], size)
                sock.sendall(said[:90])
                sock.sendall(said[90:])
                while True:
                    try:
                        client.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        here.write(sock.recv(65536))
                client.write(request(fields=["Connection: close"]))
                sock.sendall(there.read())
                while sock.recv(65536):
                    pass
            expect(eventually(lambda: gate.log("access"), 5, "a line")[-1]["tls"]["client"]["ja4"], ja4_of(sent), size)
            assert hello_of(said) == hello_of(sent)


@claim
def without_tls_there_is_none():
    with Origin() as origin, Gate(one_app(origin.url, **STOPPED)) as gate:
        got = gate.ask(target="/stop/it")
        assert "tls" not in gate.logged("security", got.fields.get("x-request-id"))
        event = eventually(lambda: ask(gate, "GET", "/events")[1]["items"], 5, "the event")[0]
        assert "ja4" not in event
        assert "JA4" not in gate.ctl("explain", event["id"]).stdout


@claim
def events_have_it_and_are_found_by_it():
    with Origin() as origin, Secure(origin, **STOPPED) as gate, Tap(gate.port) as tap:
        for name in ("one.example", "127.0.0.1"):
            expect(visit(tap.port, trusting(), "/stop/it", name), 403)
        named, bare = tap.ja4
        expect((named[:4], bare[:4]), ("t13d", "t13i"))
        expect(named[10:], bare[10:], "a name changes the first part alone")
        events = eventually(lambda: len(e := ask(gate, "GET", "/events")[1]["items"]) == 2 and e, 5, "both")
        expect([e["ja4"] for e in events], [bare, named])
        for asked, found in ((named, 1), ("t13d", 1), ("t13", 2), ("t12", 0), (named[10:], 0)):
            expect(len(ask(gate, "GET", f"/events?ja4={asked}")[1]["items"]), found, asked)
        expect([top["key"] for top in ask(gate, "GET", "/top?by=ja4")[1]["items"]], sorted([named, bare]))
        expect(ask(gate, "GET", f"/events?ja4={'x' * 37}")[0], 400)
        expect(f"JA4 {bare}" in gate.ctl("explain", events[0]["id"]).stdout, True)
        detail = ask(gate, "GET", f"/events/{events[1]['id']}")[1]
        assert f"JA4 {named}" in detail["trace"][0]["text"], detail["trace"][0]
        expect(len(gate.ctl("events", "--ja4", "t13i").stdout.splitlines()), 1)


@claim
def rules_and_limits_ask_for_it():
    app = {"rules": [{"name": "no-names", "ja4": ["t13i*"], "do": "deny"}],
           "limits": [{"ja4": ["t12*"], "rate": "2/h", "path": "*"}]}
    old = trusting(high=ssl.TLSVersion.TLSv1_2)
    with Origin() as origin, Secure(origin, **app) as gate:
        expect(visit(gate.port, trusting()), 200)
        expect(visit(gate.port, trusting(), name="127.0.0.1"), 403)
        expect([visit(gate.port, old) for _ in range(3)], [200, 200, 429])
        expect([visit(gate.port, trusting()) for _ in range(3)], [200] * 3, "the same address, another program")
        event = eventually(lambda: ask(gate, "GET", "/events?source=own_rule")[1]["items"], 5, "the event")[0]
        expect(ask(gate, "POST", f"/events/{event['id']}/replay", {})[1]["now"]["action"], "deny", "replayed with what it had")
        asked = {"app": "shop", "method": "GET", "target": "/", "headers": []}
        for ja4, action in ((event["ja4"], "deny"), ("t13d", "allow"), ("", "allow")):
            expect(ask(gate, "POST", "/rules/test", {**asked, "ja4": ja4})[1]["action"], action, ja4)
    with Origin() as origin, Gate(one_app(origin.url, rules=[{"ja4": ["*"], "do": "deny"}])) as gate:
        expect(gate.ask().status, 200, "without TLS none holds")


HEADERS = ["User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept: text/html,*/*;q=0.8",
           "Accept-Language: en", "Sec-Fetch-Mode: navigate", "Connection: close"]
TRUST = {"client_ip": {"trust": ["127.0.0.0/8"]}}
OLD_ONES = """
type: trigger
name: test/old
description: whoever speaks no newer version
filter: "evt.Gate.ja4 startsWith 't12' && evt.Meta.ja4 == evt.Gate.ja4"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:bad-user-agent"}
"""


def page(gate, context, address, target, *more):
    with gate.connect(tls=context, name="one.example") as client:
        return client.ask("GET", target, [*HEADERS[:-1], f"X-Forwarded-For: {address}", *more, HEADERS[-1]], host="one.example").status


@claim
def a_scenario_sees_it():
    with Origin() as origin, Secure(origin, {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"]}}, start=False) as gate:
        with open(gate.path("own.yaml"), "w", encoding="ascii") as out:
            out.write(OLD_ONES)
        gate.start()
        expect(page(gate, trusting(), "203.0.113.1", "/"), 200)
        expect(page(gate, trusting(high=ssl.TLSVersion.TLSv1_2), "203.0.113.2", "/"), 403)
        expect(page(gate, trusting(), "203.0.113.2", "/"), 403, "it is held")


def scraped(gate, tool, browser):
    """Sixty addresses take a page each, while somebody with the same headers reads on; what came of it."""
    for i in range(60):
        page(gate, tool, f"198.51.{i}.1", f"/p{i}")
        if i % 8 == 0:
            expect(page(gate, browser, "203.0.113.9", "/next", "Referer: https://one.example/"), 200, "a reader")
    return ask(gate, "GET", "/alerts?scenario=embergate/one-fingerprint")[1]["items"]


@claim
def a_tool_with_a_browsers_headers_is_not_taken_for_the_browser():
    top = {**TRUST, "scenarios": {"packs": True}}
    tool = trusting(alpn=())
    tool.set_ciphers("ECDHE+AESGCM")
    with Origin() as origin, Secure(origin, top) as gate:
        expect(scraped(gate, tool, tool), [], "its readers vouch for a program")
        got = eventually(lambda: scraped(gate, tool, trusting()), 30, "an alert")
        assert got[0]["value"].startswith("198.51."), got
