"""challenge.py -- a visitor shows to be more than a simple program, and nothing breaks that should not.

Each row of the list of what broke elsewhere has its claim here where a client on a socket can show it; a
real browser shows the others (tests/browser).
"""
import gzip
import json
import re
import tempfile
import time

from lib import certs
from lib.claims import claim, eventually, expect
from lib.client import trusting
from lib.gate import Gate, one_app
from lib.origin import Origin, answer as answered
from lib.visitor import AGENT, BROWSER, Page, Visitor, text_of, work

ALL = [{"path": "/*", "do": "challenge"}]
OTHER = "User-Agent: Mozilla/5.0 (Windows NT 10.0) another"


def guarded(origin, top=None, rules=None, **app):
    return Gate(one_app(origin.url, top, waf="off", rules=rules or ALL, **app))


def field(answer, name):
    return text_of((answer.fields.all(name) or [b""])[0])


def seen_from(address):
    """What a load balancer says of the client; the gate must be told to trust it."""
    return (*BROWSER, f"X-Forwarded-For: {address}")


TRUSTED = {"client_ip": {"trust": ["127.0.0.0/8"]}}


@claim
def who_does_the_work_gets_a_pass_and_the_page():
    with Origin() as origin, guarded(origin) as gate:
        visitor = Visitor(gate)
        page = visitor.page()
        expect((page.answer.status, page.bits), (403, 16))
        expect(origin.requests, [])
        verified = visitor.verify(page.solution())
        expect(verified.status, 204)
        cookie = field(verified, "set-cookie")
        assert re.fullmatch(r"eg_pass_[0-9a-f]{8}=[\w-]{59}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax", cookie), cookie
        expect(visitor.ask("GET", "/.embergate/verify").status, 204)
        expect(visitor.ask(target="/a").status, 200)
        expect([request.target for request in origin.requests], ["/a"])
        metrics = gate.metrics()
        for result in "issued", "solved":
            expect(metrics[f'embergate_challenges_{result}_total{{app="shop",level="pow"}}'], 1, result)
        expect(metrics['embergate_challenge_solve_seconds_count{app="shop",level="pow"}'], 1)
        expect(metrics['embergate_decisions_total{app="shop",action="challenge",source="own_rule"}'], 1)
        line = gate.logged("security", field(page.answer, "x-request-id"))
        expect(line["event"]["action"], "challenge")


@claim
def row_1_cookies_off_is_explained_and_never_a_loop():
    """The script asks again after verifying; the way without a script does it by a redirect."""
    with Origin() as origin, guarded(origin, challenge={"wait": "2s"}) as gate:
        visitor = Visitor(gate)
        page = visitor.page(target="/shop?a=b")
        assert "navigator.cookieEnabled" in page.text
        expect(visitor.verify(page.solution()).status, 204)
        visitor.cookies.clear()
        expect(visitor.ask("GET", "/.embergate/verify").status, 403)
        time.sleep(2)
        waited = visitor.ask(target=f"/.embergate/wait?t={page.token}")
        expect(waited.status, 303)
        visitor.cookies.clear()
        explained = visitor.ask(target=field(waited, "location"))
        expect(explained.status, 403)
        assert "needs cookies" in explained.text and "refresh" not in explained.text
        expect(origin.requests, [])


@claim
def row_2_tabs_and_subresources_at_once_do_not_undo_each_other():
    with Origin() as origin, guarded(origin) as gate:
        visitor = Visitor(gate)
        tabs = [visitor.page(target=f"/{n}") for n in range(4)]
        for page in tabs:
            expect(page.answer.fields.all("set-cookie"), [], "a challenge sets no cookie")
        expect(len({page.token for page in tabs}), 4)
        for n, page in enumerate(tabs):
            expect(visitor.verify(page.solution()).status, 204)
            expect(visitor.ask(target=f"/{n}").status, 200)
            expect(Visitor(gate).page().answer.fields.all("set-cookie"), [])
            expect(visitor.ask(target="/again").status, 200)


@claim
def row_3_a_cookie_with_other_attributes_has_another_name():
    names = []
    with Origin() as origin:
        for settings in {}, {"domain": "t.example"}, {"domain": "example"}, {"partitioned": True}:
            with guarded(origin, challenge=settings) as gate:
                visitor = Visitor(gate)
                cookie = field(visitor.solve(), "set-cookie")
                names.append(cookie.split("=")[0])
                expect("Domain=" in cookie, "domain" in settings)
                visitor.cookies = {"eg_pass_00000000": "old", "embergate": "an administrator's", **visitor.cookies, "__Host-embergate": "x", "other": "1"}
                expect(visitor.ask().status, 200)
                expect([text_of(c) for c in origin.requests[-1].fields.all("cookie")], ["other=1"])
    expect(len(set(names)), 4)


@claim
def with_tls_the_cookie_is_this_hosts_alone():
    with tempfile.TemporaryDirectory() as folder, Origin() as origin:
        cert, key = certs.make(folder, "t.example")
        with Gate(one_app(origin.url, waf="off", rules=ALL, challenge={"partitioned": True}), start=False) as gate:
            gate.write({**gate.config, "listen": [{"bind": f"127.0.0.1:{gate.port}", "tls": True}],
                        "tls": {"certs": [{"cert": cert, "key": key}]}})
            gate.start()
            with gate.connect(tls=trusting()) as client:
                page = Page(client.ask(fields=BROWSER))
            with gate.connect(tls=trusting()) as client:
                done = client.ask("POST", "/.embergate/verify", (AGENT,), page.solution().encode())
        cookie = field(done, "set-cookie")
        assert cookie.startswith("__Host-eg_pass_") and cookie.endswith("; SameSite=None; Secure; Partitioned"), cookie


@claim(limit=60)
def row_4_a_pass_may_travel_but_not_be_handed_around():
    with Origin() as origin, guarded(origin, TRUSTED) as gate:
        visitor = Visitor(gate, seen_from("203.0.113.1"))
        visitor.solve()
        for n in range(1, 7):  # six networks, again and again; two addresses of the first
            for address in f"198.51.{n}.9", f"198.51.{n}.200":
                visitor.fields = seen_from(address)
                expect(visitor.ask().status, 200 if n < 7 else 403, address)
        visitor.fields = seen_from("192.0.2.1")
        expect(visitor.ask().status, 403, "the seventh")
        visitor.fields = seen_from("198.51.1.9")
        expect(visitor.ask().status, 403, "revoked for the first, too")
        expect(gate.metrics()['embergate_challenges_failed_total{app="shop",level="pow",reason="shared"}'], 1)
        visitor.cookies.clear()
        visitor.solve()
        expect(visitor.ask().status, 200, "who solves another goes on")


@claim
def strictly_bound_a_pass_is_for_one_network():
    with Origin() as origin, guarded(origin, TRUSTED, challenge={"bind": "strict"}) as gate:
        visitor = Visitor(gate, seen_from("203.0.113.1"))
        visitor.solve()
        for address, status in ("203.0.113.99", 200), ("203.0.114.1", 403), ("2001:db8::1", 403), ("203.0.113.1", 200):
            visitor.fields = seen_from(address)
            expect(visitor.ask().status, status, address)


@claim
def row_5_a_form_is_challenged_in_place_and_sent_once_more():
    form = ("Content-Type: application/x-www-form-urlencoded",)
    with Origin() as origin, guarded(origin) as gate:
        visitor = Visitor(gate)
        page = visitor.page("POST", "/order", form, b"item=1&text=" + b"x" * 50000)
        expect(page.answer.status, 403)
        assert "location.reload()" in page.text
        expect(visitor.verify(page.solution()).status, 204)
        expect(visitor.ask("POST", "/order", form, b"item=1").status, 200)
        expect([(r.method, bytes(r.body)) for r in origin.requests], [("POST", b"item=1")])


@claim
def row_6_programs_get_a_problem_that_names_the_challenge():
    cases = (
        ("GET", ("Accept: application/json",)),
        ("GET", ("Accept: text/html", "Sec-Fetch-Mode: cors")),
        ("GET", ("Accept: text/html", "HX-Request: true")),
        ("POST", ("Accept: text/html", "Content-Type: application/json")),
        ("GET", ("Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                 "Sec-WebSocket-Version: 13")),
    )
    with Origin() as origin, guarded(origin) as gate:
        for method, fields in cases:
            answer = gate.ask(method, "/api", fields, b"{}" if method == "POST" else None)
            expect(answer.status, 403, fields)
            expect(field(answer, "content-type"), "application/problem+json", fields)
            expect(field(answer, "waf-challenge"), 'pow; url="/.embergate/challenge"')
            problem = json.loads(answer.body)
            expect((problem["status"], problem["request_id"]), (403, field(answer, "x-request-id")))
        expect(origin.requests, [])
        visitor = Visitor(gate)
        page = visitor.page(target="/.embergate/challenge")  # what a front end opens in a tab
        expect(page.answer.status, 403)
        visitor.verify(page.solution())
        shown = visitor.ask(target="/.embergate/challenge")
        expect(shown.status, 200)
        assert "close this page" in shown.text


@claim
def row_7_machines_are_slowed_down_and_not_shown_a_page():
    cases = (
        ("/blog/feed", "User-Agent: Miniflux/2.1"), ("/a.git/info/refs?service=git-upload-pack", "User-Agent: git/2.43.0"),
        ("/v2/a/manifests/1", "User-Agent: containerd/1.7"), ("/dists/x/InRelease", "User-Agent: Debian APT-HTTP/1.3"),
    )
    with Origin() as origin, guarded(origin) as gate:
        for target, agent in cases:
            answer = gate.ask("GET", target, (agent, "Accept: */*"))
            expect((answer.status, field(answer, "retry-after")), (429, "60"), target)
            assert b"<html" not in answer.body


@claim
def row_9_search_engines_do_not_index_a_challenge():
    with Origin() as origin:
        for settings, status in ({}, 403), ({"status": 503}, 503):
            with guarded(origin, challenge=settings) as gate:
                answer = gate.ask("GET", "/", BROWSER)
                expect(answer.status, status)
                wanted = {"x-robots-tag": "noindex", "cache-control": "no-store", "vary": "Cookie"}
                expect({name: field(answer, name) for name in wanted}, wanted)
                assert '<meta name="robots" content="noindex">' in answer.text


@claim(limit=60)
def row_10_without_a_script_waiting_is_enough():
    with Origin() as origin, guarded(origin, challenge={"wait": "3s"}) as gate:
        visitor = Visitor(gate)
        page = visitor.page(target="/shop?a=b&c=d")
        expect(page.refresh, "4")
        early = visitor.ask(target=f"/.embergate/wait?t={page.token}")
        expect((early.status, early.fields.all("set-cookie")), (403, []))
        again = Page(early)
        expect(again.token, page.token, "the same wait goes on")
        time.sleep(int(again.refresh))
        waited = visitor.ask(target=f"/.embergate/wait?t={page.token}")
        expect(waited.status, 303)
        checked = visitor.ask(target=field(waited, "location"))
        expect((checked.status, field(checked, "location")), (303, "/shop?a=b&c=d"))
        expect(visitor.ask(target="/shop").status, 200)


@claim
def without_a_script_the_operator_may_refuse():
    with Origin() as origin, guarded(origin, challenge={"no_js": "deny", "wait": "2s"}) as gate:
        visitor = Visitor(gate)
        page = visitor.page()
        assert page.refresh is None and "needs JavaScript" in page.text
        time.sleep(2)
        expect(visitor.ask(target=f"/.embergate/wait?t={page.token}").status, 403)
        expect(visitor.passes, {})


@claim
def row_11_and_12_the_page_loads_nothing_and_brings_its_own_policy():
    with Origin() as origin, guarded(origin, page={"title": "Shop", "contact": "mailto:me@shop.example"}) as gate:
        nonces = set()
        for _ in range(2):
            answer = gate.ask("GET", "/", BROWSER)
            policy = field(answer, "content-security-policy")
            nonces.add(re.search(r"'nonce-(\w+)'", policy)[1])
            assert policy.startswith("default-src 'none';") and "unsafe" not in policy, policy
            expect(set(re.findall(r'nonce="(\w+)"', answer.text)), {max(re.findall(r'nonce="(\w+)"', answer.text))})
            assert not re.search(r"\ssrc=|<link|<img|url\(", answer.text)
            assert len(gzip.compress(answer.body, 9)) <= 3 * 1024
        expect(len(nonces), 2)


@claim(limit=60)
def row_13_a_restart_and_a_new_policy_challenge_nobody_again():
    with Origin() as origin, guarded(origin) as gate:
        visitor = Visitor(gate)
        early = visitor.page()
        visitor.solve()
        gate.write(one_app(origin.url, waf="off", rules=[{"path": "/*", "do": "challenge", "level": "wait"}, *ALL],
                           challenge={"bits": 18}))
        assert gate.reload()
        expect(visitor.ask().status, 200, "after a reload")
        gate.stop()
        gate.start()
        expect(visitor.ask().status, 200, "after a restart")
        late = Visitor(gate)
        expect(late.verify(early.solution()).status, 204, "a challenge from before the restart")


@claim
def row_14_work_is_bounded():
    with Origin() as origin, guarded(origin, challenge={"bits": 20}) as gate:
        expect(Visitor(gate).page().bits, 20)


@claim
def row_15_and_10_the_script_is_plain():
    """No WebCrypto (only https has it), nothing that ES5 has not."""
    with Origin() as origin, guarded(origin) as gate:
        script = re.search(r"<script[^>]*>(.*?)</script>", gate.ask("GET", "/", BROWSER).text, re.S)[1]
        for word in "crypto", "=>", "`", "const ", "let ", "Promise", "fetch(", "async", "class ", "...":
            assert word not in script, word


@claim
def row_18_the_way_back_cannot_lead_elsewhere():
    with Origin() as origin, guarded(origin, challenge={"wait": "2s"}) as gate:
        ways = {"//evil.example/": "/", "/\\evil.example": "/", "/" + "a" * 600: "/", "/ok?x=%0d%0aX: y": None}
        visitor = Visitor(gate)
        pages = {target: visitor.page(target=target) for target in ways if " " not in target}
        token = next(iter(pages.values())).token
        time.sleep(2)
        for target, page in pages.items():
            waited = visitor.ask(target=f"/.embergate/wait?t={page.token}")
            expect(waited.status, 303, target)
            expect(field(visitor.ask(target=field(waited, "location")), "location"), ways[target], target)
        for forged in token[:-1] + ("A" if token[-1] != "A" else "B"), token[:60], "", "A" * 5000:
            expect(visitor.ask(target=f"/.embergate/wait?t={forged}").status, 403, forged)


@claim
def what_is_not_a_solution_gives_no_pass():
    with Origin() as origin, guarded(origin) as gate:
        visitor = Visitor(gate)
        page = visitor.page()
        n = work(page.prefix, page.bits)
        cases = {
            f"t={page.token}&n={n + 1}": 403, f"t={page.token}&n=0{n}": 403, f"t={page.token}": 403, "": 403, "t=": 403,
            f"t={page.token[:-1]}&n={n}": 403, "t=" + "A" * 5000: 403, "&&&=&t": 403, f"n={n}": 403,
        }
        for form, status in cases.items():
            expect(visitor.verify(form).status, status, form[:80])
        expect(Visitor(gate, (OTHER, *BROWSER[1:])).verify(f"t={page.token}&n={n}").status, 403, "another user agent")
        expect(visitor.passes, {})
        expect(visitor.ask("POST", "/.embergate/verify", (), b"t=" + b"A" * 20000).status, 413)
        expect(visitor.verify(f"t={page.token}&n={n}").status, 204)
        expect(Visitor(gate, (OTHER, *BROWSER[1:])).ask().status, 403)


@claim
def a_slow_or_chunked_form_is_read_to_its_end():
    with Origin() as origin, guarded(origin) as gate:
        form = Visitor(gate).page().solution().encode()
        head = f"POST /.embergate/verify HTTP/1.1\r\nHost: t.example\r\n{AGENT}\r\n".encode()
        with gate.connect() as client:
            client.send(head + b"Content-Length: %d\r\n\r\n" % len(form))
            for at in range(0, len(form), 40):
                client.send(form[at : at + 40])
                time.sleep(0.02)
            expect(client.response().status, 204)
            client.send(head + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(form), 50):
                piece = form[at : at + 50]
                client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            client.send(b"0\r\n\r\n")
            answer = client.response()
            expect((answer.status, [before.status for before in answer.before]), (204, [100]))


@claim
def the_same_solution_twice_is_the_same_pass():
    """Its budget is one, and the network's share is asked once."""
    with Origin() as origin, guarded(origin, challenge={"passes": 1, "budget": {"requests": "3/min"}}) as gate:
        first, second = Visitor(gate), Visitor(gate)
        solution = first.page().solution()
        for visitor in first, second, first:
            expect(visitor.verify(solution).status, 204)
        expect([v.ask().status for v in (first, second, first, second, first)], [200, 200, 200, 403, 403])


@claim
def a_spent_budget_means_another_challenge():
    with Origin() as origin, guarded(origin, challenge={"budget": {"requests": "5/min", "pages": "3/h"}}) as gate:
        visitor = Visitor(gate)
        visitor.solve()
        expect([visitor.ask().status for _ in range(4)], [200, 200, 200, 403], "pages")
        program = Visitor(gate, (AGENT, "Accept: */*"))
        program.cookies = dict(visitor.cookies)
        expect(program.ask().status, 200, "the last request of five was not a page")
        visitor.solve()
        expect(visitor.ask().status, 200)


@claim
def who_only_waited_has_a_third():
    settings = {"wait": "2s", "budget": {"requests": "9/min"}}
    with Origin() as origin, guarded(origin, challenge=settings) as gate:
        visitor = Visitor(gate)
        page = visitor.page()
        time.sleep(2)
        expect(visitor.ask(target=f"/.embergate/wait?t={page.token}").status, 303)
        expect([visitor.ask().status for _ in range(4)], [200, 200, 200, 403])


@claim
def one_network_gets_so_many_passes():
    with Origin() as origin, guarded(origin, TRUSTED, challenge={"passes": 3, "bits": 4}) as gate:
        statuses = []
        for n in range(5):
            visitor = Visitor(gate, seen_from(f"203.0.113.{n + 1}"))
            statuses.append(visitor.verify(visitor.page().solution()).status)
        expect(statuses, [204, 204, 204, 429, 429])
        visitor = Visitor(gate, seen_from("203.0.114.1"))
        visitor.solve()
        expect(gate.metrics()['embergate_challenges_failed_total{app="shop",level="pow",reason="crowded"}'], 2)


@claim
def a_pass_lifts_no_deny_and_no_throttle():
    rules = [{"path": "/admin*", "do": "deny"}, {"path": "/slow", "do": "throttle"}, *ALL]
    with Origin() as origin, guarded(origin, rules=rules) as gate:
        visitor = Visitor(gate)
        visitor.solve("/shop")
        expect([visitor.ask(target=t).status for t in ("/admin", "/slow", "/shop")], [403, 429, 200])


@claim
def a_pass_opens_no_way_around_inspection():
    """What was challenged and has a pass meets the rules as any other request does."""
    with Origin() as origin, Gate(one_app(origin.url, rules=ALL)) as gate:
        visitor = Visitor(gate)
        visitor.solve()
        expect(visitor.ask(target="/?q=a").status, 200)
        expect(visitor.ask(target="/?q=<script>alert(1)</script>").status, 403)
        form = ("Content-Type: application/x-www-form-urlencoded",)
        expect(visitor.ask("POST", "/", form, b"q=<script>alert(1)</script>").status, 403)
        expect([r.target for r in origin.requests], ["/?q=a"])


@claim
def levels_are_a_ladder():
    rules = [{"path": "/wait*", "do": "challenge", "level": "wait"}, {"path": "/work*", "do": "challenge", "level": "pow"}]
    with Origin() as origin, guarded(origin, rules=rules, challenge={"wait": "2s", "no_js": "deny"}) as gate:
        waits, works = Visitor(gate), Visitor(gate)
        page = waits.page(target="/wait")
        expect((page.prefix, page.refresh), (None, "2"))
        expect(waits.verify(page.solution()).status, 403, "too early")
        time.sleep(2)
        expect(waits.verify(page.solution()).status, 204)
        expect([waits.ask(target=t).status for t in ("/wait", "/work", "/free")], [200, 403, 200])
        works.verify(works.page(target="/work").solution())
        expect([works.ask(target=t).status for t in ("/wait", "/work")], [200, 200])


@claim
def a_limit_may_challenge():
    limit = {"path": "/*", "rate": "3/min", "then": "challenge"}
    with Origin() as origin, Gate(one_app(origin.url, waf="off", limits=[limit])) as gate:
        visitor = Visitor(gate)
        expect([visitor.ask().status for _ in range(4)], [200, 200, 200, 403])
        page = visitor.page()
        assert "many requests" in page.text
        visitor.verify(page.solution())
        expect([visitor.ask().status for _ in range(6)], [200] * 6)
        expect(Visitor(gate).ask().status, 403)


@claim
def our_endpoints_are_ours_in_every_spelling():
    with Origin() as origin, guarded(origin, rules=[{"path": "*", "do": "deny"}]) as gate:
        for target in "/.embergate/", "/.embergate/x", "/.EMBERGATE/verify", "/%2eembergate/verify", "/a/../.embergate/x", "//.embergate/wait":
            expect(gate.ask("GET", target).status, 404, target)
        for target, status in ("/.embergate/challenge", 403), ("/.embergate/verify", 403), ("/.embergate/wait", 403):
            expect(gate.ask("GET", target, BROWSER).status, status, target)
        expect(Page(gate.ask("GET", "/.embergate/challenge", BROWSER)).bits, 16, "before the app's own rules")
        expect(origin.requests, [])


@claim
def verifying_has_a_rate():
    with Origin() as origin, guarded(origin) as gate:
        statuses = [gate.ask("POST", "/.embergate/verify", (), b"t=a").status for _ in range(62)]
        expect((statuses[:60], statuses[-1]), ([403] * 60, 429))


def flooded(gate, target, fields):
    """What 80 of one address are answered, in no time."""
    with gate.connect() as client:
        return [client.ask("GET", target, fields) for _ in range(80)]


@claim(limit=90)
def a_flood_of_our_endpoints_is_throttled_and_who_solves_behind_the_same_address_gets_in():
    targets = "/.embergate/challenge", "/.embergate/verify", "/.embergate/wait?t=a", "/.embergate/x"
    with Origin() as origin, guarded(origin, TRUSTED, challenge={"bits": 8}) as gate:
        for n, target in enumerate(targets, 1):
            visitor = Visitor(gate, seen_from(f"203.0.113.{n}"))
            page = visitor.page()
            got = flooded(gate, target, seen_from(f"203.0.113.{n}"))
            stopped = [answer for answer in got if answer.status == 429]  # one a second passes
            expect((len(stopped) >= 10, 429 in {answer.status for answer in got[:60]}), (True, False), target)
            expect(field(stopped[-1], "retry-after") is not None, True)
            line = gate.logged("security", field(stopped[-1], "x-request-id"))
            expect((line["event"]["action"], line["waf"]["source"]), ("throttle", "limit"))
            expect(visitor.ask(target="/other").status, 403, "the app's own paths: a challenge as before")
            expect(429 in [visitor.verify(f"t={page.token}&n=no").status for _ in range(9)], True, "no solution")
            solution = page.solution()
            solved = [visitor.verify(solution).status for _ in range(25)]
            expect((solved[:6], set(solved)), ([204] * 6, {204, 429}))
            expect(visitor.ask().status, 200, "and is in")
            expect(visitor.ask(target="/.embergate/verify").status, 204, "the page looks whether the cookie came")
        expect(Visitor(gate, seen_from("203.0.114.1")).ask(target="/.embergate/challenge").status, 403, "another address")
        expect(len(origin.requests), len(targets))


@claim
def no_page_of_another_site_gives_its_visitors_passes_or_uses_up_their_share():
    over_tls = ("Sec-Fetch-Site: cross-site",), ("Sec-Fetch-Site: same-site", "Origin: http://t.example")
    plain = ("Origin: http://evil.example",), ("Origin: null",), ("Origin: http://t.example.evil.example",)
    with Origin() as origin, guarded(origin, TRUSTED, challenge={"passes": 3, "bits": 4, "wait": "2s"}) as gate:
        led = Visitor(gate, seen_from("203.0.113.1"))
        tokens = [led.page() for _ in range(4)]
        for page in tokens:
            for fields in (*over_tls, *plain):
                answer = led.ask("POST", "/.embergate/verify", fields, page.solution().encode())
                expect((answer.status, answer.fields.get("set-cookie")), (403, None), fields)
        time.sleep(2)
        for fields in (*over_tls, ("Referer: http://evil.example/",)):
            expect(led.ask("GET", f"/.embergate/wait?t={tokens[0].token}", fields).status, 403, fields)
        for _ in range(70):
            image = (AGENT, "X-Forwarded-For: 203.0.113.1", "Accept: image/*", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors")
            expect(gate.ask("GET", "/.embergate/challenge", image).status, 403)
        own = (("Sec-Fetch-Site: same-origin",), ("Origin: http://t.example",), ("Sec-Fetch-Site: same-origin", "Origin: null"))
        for page, fields in zip(tokens, own):
            expect(led.ask("POST", "/.embergate/verify", fields, page.solution().encode()).status, 204, fields)
        expect(led.verify(tokens[3].solution()).status, 429, "three were the share, and nobody else had of it")
        proxied = Visitor(gate, seen_from("203.0.114.1"))
        fields = ("Origin: http://www.example", "X-Forwarded-Host: www.example")
        expect(proxied.ask("POST", "/.embergate/verify", fields, proxied.page().solution().encode()).status, 204, "behind a proxy")
        opened = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
        expect(Page(Visitor(gate).ask("GET", "/.embergate/challenge", opened)).bits, 4, "a tab that an app elsewhere opens")


@claim
def in_detect_mode_nobody_is_challenged():
    with Origin() as origin, Gate(one_app(origin.url, waf="detect", rules=ALL)) as gate:
        answer = gate.ask("GET", "/", BROWSER)
        expect(answer.status, 200)
        line = gate.logged("security", field(answer, "x-request-id"))
        expect(line["event"]["action"], "log")
        assert "challenge" in json.dumps(line)


@claim
def the_page_speaks_the_visitors_language():
    with Origin() as origin, guarded(origin) as gate:
        answer = gate.ask("GET", "/", (*BROWSER, "Accept-Language: pt;q=0.9, de-DE, en;q=0.5"))
        assert '<html lang="de">' in answer.text and "Einen Moment" in answer.text


# the tarpit


@claim(limit=60)
def a_tarpit_holds_a_refusal_back_while_it_has_places():
    rules = [{"path": "/trap", "do": "tarpit"}]
    with Origin() as origin, guarded(origin, {"size_limits": {"tarpits": 2}}, rules=rules, tarpit="2s") as gate:
        held = [gate.connect() for _ in range(3)]
        started = time.monotonic()
        for client in held:
            client.send(b"GET /trap HTTP/1.1\r\nHost: t.example\r\n\r\n")
            time.sleep(0.05)
        expect(held[2].response().status, 403)
        assert time.monotonic() - started < 1, "the third has no place"
        for client in held[:2]:
            expect(client.response().status, 403)
        assert 1.9 < time.monotonic() - started < 5, "two are held"
        expect(gate.ask("GET", "/").status, 200, "others are served meanwhile and after")
        expect(gate.metrics()['embergate_decisions_total{app="shop",action="tarpit",source="own_rule"}'] >= 3, True)
        for client in held:
            client.close()


@claim(limit=60)
def who_leaves_the_tarpit_gives_the_place_back():
    rules = [{"path": "/trap", "do": "tarpit"}]
    with Origin() as origin, guarded(origin, {"size_limits": {"tarpits": 1}}, rules=rules, tarpit="60s") as gate:
        for n, head in enumerate((b"GET /trap HTTP/1.1\r\n", b"POST /trap HTTP/1.1\r\nContent-Length: 9\r\n") * 2, 1):
            client = gate.connect()
            client.send(head + b"Host: t.example\r\n\r\n")
            time.sleep(0.2)
            expect(gate.ask("GET", "/trap").status, 403, "the one place is taken")
            client.close()
            eventually(lambda n=n: len(gate.log("access")) >= 2 * n, 5, "both ends")


@claim(limit=60)
def a_gate_that_is_stopped_lets_everybody_out_of_the_tarpit():
    with Origin() as origin, guarded(origin, rules=[{"path": "*", "do": "tarpit"}], tarpit="60s") as gate:
        client = gate.connect()
        client.send(b"GET /trap HTTP/1.1\r\nHost: t.example\r\n\r\n")
        time.sleep(0.3)
        gate.stop()
        expect(client.response().status, 403)
        client.close()


# captchas: the page and what a solution buys; whom it is asked of is in captcha.py

PERSON = [{"path": "/*", "do": "captcha"}]
SECRET = {"environment": {"FLOW_SECRET": "s"}}


def puzzle(verify_url, **more):
    return {"captcha": {"provider": "custom", "sitekey": "k1", "secret": "env:FLOW_SECRET", "widget": "puzzle", "field": "solution",
                        "script": "https://c.example/api.js", "verify_url": verify_url, **more}}


def provider(request):
    return answered(200, json.dumps({"success": b"response=good" in request.body, "hostname": "t.example"}).encode())


@claim
def a_captcha_is_shown_and_its_solution_gives_the_highest_pass():
    with Origin() as origin, Origin(provider) as judge, Gate(
        one_app(origin.url, waf="off", rules=PERSON, challenge=puzzle(judge.url + "/verify")), **SECRET
    ) as gate:
        visitor = Visitor(gate)
        shown = visitor.ask(target="/a?b=c")
        policy = field(shown, "content-security-policy")
        assert "script-src 'nonce-" in policy and "frame-src https://c.example" in policy, policy
        assert 'class="puzzle" data-sitekey="k1"' in shown.text and 'src="https://c.example/api.js"' in shown.text
        page = Page(shown)
        expect(visitor.verify(f"t={page.token}&r=bad").status, 403)
        expect(visitor.verify(f"t={page.token}&n=1").status, 403, "no solution")
        sent = visitor.verify(f"t={page.token}&go=1&solution=good")  # a form without a script
        expect(sent.status, 303)
        back = visitor.ask(target=field(sent, "location"))
        expect((back.status, field(back, "location")), (303, "/a?b=c"))
        expect(visitor.ask(target="/a?b=c").status, 200)
        program = gate.ask("GET", "/a", ("Accept: application/json",))
        expect(field(program, "waf-challenge"), 'captcha; url="/.embergate/challenge?level=captcha"')
        expect([r.target for r in origin.requests], ["/a?b=c"])


@claim
def a_pass_for_work_is_none_for_a_captcha():
    rules = [{"path": "/work", "do": "challenge"}, *PERSON]
    with Origin() as origin, Origin(provider) as judge, Gate(
        one_app(origin.url, waf="off", rules=rules, challenge=puzzle(judge.url + "/verify")), **SECRET
    ) as gate:
        visitor = Visitor(gate)
        visitor.solve("/work")
        expect([visitor.ask(target=t).status for t in ("/work", "/person")], [200, 403])
        visitor.verify(f"t={visitor.page(target='/person').token}&r=good")
        expect([visitor.ask(target=t).status for t in ("/work", "/person")], [200, 200])


@claim(limit=60)
def while_the_provider_is_down_what_was_configured_stands_in():
    """Never silently: a few failures across clients, and each of them only asks for another try."""
    for on_error, bits, status in ("pow", 18, 403), ("deny", 0, 403), ("allow", 0, 200):
        with Origin() as origin, Origin(lambda request: answered(500)) as judge, Gate(
            one_app(origin.url, waf="off", rules=PERSON, challenge=puzzle(judge.url + "/verify", on_error=on_error)), **SECRET
        ) as gate:
            visitor = Visitor(gate)
            for _ in range(5):
                page = visitor.page()
                expect((page.answer.status, page.bits), (403, 0))
                expect(visitor.verify(f"t={page.token}&r=good").status, 503)
            page = visitor.page()
            expect((page.answer.status, page.bits, bool(page.token)), (status, bits, on_error == "pow"), on_error)
            if on_error == "pow":
                visitor.verify(page.solution())
                expect(visitor.ask().status, 200)
