"""captcha.py -- a captcha's provider is asked, and what comes of each of its answers."""
import time
from contextlib import contextmanager
from urllib.parse import quote

from lib.claims import claim, eventually, expect, within
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin
from lib.siteverify import GOOD_SECRET, Siteverify
from lib.visitor import Visitor

PASSED, FAILED, TROUBLE = 204, 403, 503
FAILS = 5  # in a row take a provider down


def app(provider, **captcha):
    keys = {
        "provider": "turnstile",
        "sitekey": "0x-site",
        "secret": "env:CAPTCHA_SECRET",
        "verify_url": provider.verify_url("shop.example"),
        "hosts": ["shop.example"],
        **captcha,
    }
    return {
        "waf": CALM,
        "challenge": {"captcha": keys, "bits": 8},
        "rules": [{"path": "/members/**", "do": "captcha"}],
    }


@contextmanager
def stand(secret=GOOD_SECRET, **captcha):
    with Origin() as origin, Siteverify() as provider:
        config = one_app(origin.url, **app(provider, **captcha))
        with Gate(config, environment={"CAPTCHA_SECRET": secret}) as gate:
            yield gate, provider, origin


def verify(visitor, solution):
    """The page is asked for and its form sent with that solution; the status."""
    page = visitor.page(target="/members/")
    expect(page.answer.status, 403, "the page")
    return visitor.verify(f"t={page.token}&r={quote(solution, safe='')}").status


def counted(gate, result):
    series = f'embergate_captcha_verify_total{{app="shop",provider="turnstile",result="{result}"}}'
    return gate.metrics().get(series, 0)


@claim
def a_solved_captcha_is_a_pass():
    with stand() as (gate, provider, origin):
        visitor = Visitor(gate)
        expect(verify(visitor, "ok"), PASSED)
        expect(visitor.ask(target="/members/").status, 200)
        expect(len(provider.forms), 1, "questions")
        expect(len(origin.requests), 1, "requests that reached the origin")
        expect(counted(gate, "passed"), 1)


@claim(limit=60)
def each_answer_has_its_outcome():
    rows = [
        ("ok", PASSED, "passed"),
        ("dup", PASSED, "passed"),
        ("dup", FAILED, "failed"),
        ("bad", FAILED, "failed"),
        ("old", FAILED, "failed"),
        ("host", FAILED, "failed"),
        ("500", TROUBLE, "trouble"),
        ("html", TROUBLE, "trouble"),
        ("trunc", TROUBLE, "trouble"),
        ("ok", PASSED, "passed"),  # never five troubles in a row
        ("huge", TROUBLE, "trouble"),
        ("rst", TROUBLE, "trouble"),
        ("slow", TROUBLE, "trouble"),
    ]
    with stand() as (gate, provider, origin):
        for number, (solution, status, result) in enumerate(rows):
            visitor, before, started = Visitor(gate), counted(gate, result), time.monotonic()
            expect(verify(visitor, solution), status, f"{number}: {solution}")
            within(5, started, solution)
            expect(counted(gate, result), before + 1, f"{number}: {solution} counted as {result}")
            expect(len(provider.forms), number + 1, "questions")
            expect(bool(visitor.passes), status == PASSED, f"{number}: {solution} gave a pass")
            reached = visitor.ask(target="/members/").status
            expect(reached, 200 if status == PASSED else 403, f"{number}: {solution} afterwards")
        passed = sum(status == PASSED for _, status, _ in rows)
        expect(len(origin.requests), passed, "requests that reached the origin")


@claim
def the_question_is_an_encoded_form_without_the_address():
    with stand() as (gate, provider, _):
        expect(verify(Visitor(gate), "a b+c&remoteip=1.2.3.4%"), FAILED)
        (form,) = provider.forms
        expect(form, {"secret": GOOD_SECRET, "response": "a b+c&remoteip=1.2.3.4%"})
        (asked,) = provider.requests
        expect(asked.method, "POST")
        expect(asked.fields.get("content-type"), "application/x-www-form-urlencoded")
        expect(asked.fields.get("accept-encoding"), "identity")
        expect(asked.body, b"secret=s3cret+%26+more&response=a+b%2Bc%26remoteip%3D1.2.3.4%25")


@claim
def the_address_is_told_where_that_is_asked_for():
    with stand(send_ip=True) as (gate, provider, _):
        expect(verify(Visitor(gate), "ok"), PASSED)
        expect(provider.forms[0].get("remoteip"), "127.0.0.1")


@claim
def a_refused_secret_is_an_alarm_and_no_pass():
    with stand(secret="wrong") as (gate, _, origin):
        for _ in range(2):
            expect(verify(Visitor(gate), "ok"), TROUBLE)
        expect(counted(gate, "secret_refused"), 2)
        cries = gate.text("stderr").count("refuses our secret (invalid-input-secret)")
        expect(cries, 1, "lines in the log, for two clients within a minute")
        expect("wrong" in gate.text("stderr"), False, "the secret in the log")
        expect(len(origin.requests), 0)


def take_down(gate, solution="500"):
    for _ in range(FAILS):
        expect(verify(Visitor(gate), solution), TROUBLE)
    eventually(lambda: "is down" in gate.text("stderr"), what="a line in the log")


@claim
def four_troubles_are_only_worth_another_try():
    with stand(on_error="allow") as (gate, _, origin):
        for _ in range(FAILS - 1):
            expect(verify(Visitor(gate), "500"), TROUBLE)
        expect(Visitor(gate).ask(target="/members/").status, 403)
        expect(len(origin.requests), 0)


@claim
def while_it_is_down_a_proof_of_work_stands_in():
    with stand() as (gate, provider, origin):
        take_down(gate)
        visitor, asked = Visitor(gate), len(provider.forms)
        page = visitor.page(target="/members/")
        expect(page.answer.status, 403)
        expect(page.bits, 10, "bits of the work")
        expect(visitor.verify(page.solution()).status, PASSED)
        expect(visitor.ask(target="/members/").status, 200)
        expect(len(provider.forms), asked, "questions to a provider that is down")
        expect(len(origin.requests), 1)


@claim
def or_nobody_passes():
    with stand(on_error="deny") as (gate, _, origin):
        take_down(gate, "html")
        answer = Visitor(gate).ask(target="/members/")
        expect(answer.status, 403)
        expect(b"/.embergate/verify" in answer.body, False, "a page that can be solved")
        expect(len(origin.requests), 0)


@claim
def or_everybody_does_but_only_where_that_is_written():
    with stand(on_error="allow") as (gate, _, origin):
        take_down(gate, "rst")
        expect(Visitor(gate).ask(target="/members/").status, 200)
        expect(len(origin.requests), 1)


@claim(limit=60)
def when_it_answers_again_it_is_asked_again():
    with stand() as (gate, provider, _):
        take_down(gate)
        late = Visitor(gate)
        eventually(lambda: not late.page(target="/members/").prefix, 20, "a captcha's page", every=0.5)
        expect(verify(Visitor(gate), "ok"), PASSED)
        eventually(lambda: "answers again" in gate.text("stderr"), what="a line in the log")
        expect(verify(Visitor(gate), "ok"), PASSED)
        expect(len(provider.forms), FAILS + 2, "questions")


@claim
def a_client_that_goes_away_meanwhile_harms_nobody():
    with stand() as (gate, provider, _):
        for _ in range(3):
            visitor = Visitor(gate)
            page = visitor.page(target="/members/")
            body = f"t={page.token}&r=slow".encode()
            wanted = len(provider.forms) + 1
            with gate.connect() as client:
                head = [
                    "POST /.embergate/verify HTTP/1.1", "Host: t.example", *visitor.fields,
                    "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}",
                ]
                client.send("\r\n".join(head).encode() + b"\r\n\r\n" + body)
                eventually(lambda: len(provider.forms) >= wanted, what="the question")
                client.reset()
        # Longer than a question may take: who has gone is not asked for any more.
        time.sleep(3.5)
        expect(counted(gate, "trouble"), 0, "questions that ran into their time-out")
        expect(verify(Visitor(gate), "ok"), PASSED)
