"""mutations.py -- thousands of damaged messages: nobody may read other boundaries than the oracle.

Good requests and answers are damaged at random (bytes inserted, removed, changed, doubled, cut;
lines swapped and repeated). The gate may refuse anything; but what it forwards must be what
lib/model.py, which is strict, reads in the same bytes. The seed is printed.
"""
import os
import random
import time

from lib.claims import claim
from lib.client import Client
from lib.gate import CALM, Gate, one_app
from lib.model import requests_in, response_in, same_request
from lib.origin import Origin, answer
from lib.wire import Ended, Malformed

H = b"Host: t.example\r\n"
REQUESTS = [
    b"GET /a?b=c HTTP/1.1\r\n" + H + b"X-A: b\r\nAccept: */*\r\n\r\n",
    b"POST /b HTTP/1.1\r\n"
    + H
    + b"Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world",
    b"POST /c HTTP/1.1\r\n"
    + H
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: z\r\n\r\n",
    b"PUT /d HTTP/1.1\r\n"
    + H
    + b"Connection: keep-alive, X-B\r\nX-B: c\r\nContent-Length: 30\r\n\r\nGET /in HTTP/1.1\r\nHost: x\r\n\r\n1",
    b"GET http://t.example/e HTTP/1.1\r\n" + H + b"Cookie: a=b; c=d\r\n\r\n",
    b"GET /f HTTP/1.0\r\n" + H + b"Connection: keep-alive\r\n\r\n",
]
RESPONSES = [
    b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 11\r\n\r\nhello world",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: z\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nwhat?",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\n\r\nuntil close",
    b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye",
]
SPICE = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b":",
    b",",
    b";",
    b"0",
    b"5",
    b"-",
    b"+",
    b"x",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\n ",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"chunked",
    b"HTTP/1.1",
    b"GET /s HTTP/1.1\r\nHost: t.example\r\n\r\n",
    b"0\r\n\r\n",
    b"ffffffffffffffff",
    b"18446744073709551616",
]


def damaged(dice, whole):
    data = bytearray(whole)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        at, kind = dice.randrange(len(data) + 1), dice.randrange(7)
        if kind <= 1:
            data[at:at] = dice.choice(SPICE)
        elif kind == 2:
            del data[at : at + dice.choice((1, 1, 2, 5))]
        elif kind == 3 and at < len(data):
            data[at] = dice.randrange(256)
        elif kind == 4:
            lines = bytes(data).split(b"\r\n")
            i, j = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[i:i] = [lines[j]]
            data = bytearray(b"\r\n".join(lines))
        elif kind == 5 and at < len(data):
            data[at : at + 1] = bytes([data[at]]).swapcase()
        elif kind == 6:
            data[at:at] = data[at : at + dice.randrange(1, 20)]
    return bytes(data)


def seeded():
    seed = int(os.environ.get("FLOW_SEED", time.time_ns() % 1000000))
    print(f"FLOW_SEED={seed}")
    return random.Random(seed)


def run_requests(count):
    dice, wrong, passed = seeded(), [], 0
    with Origin(lambda r: answer(200, f"{r.method} {r.target}".encode())) as origin, Gate(
        one_app(origin.url, waf=CALM)
    ) as gate:
        for i in range(count):
            sent = b"".join(dice.choice(REQUESTS) for _ in range(dice.choice((0, 1))))
            sent += damaged(dice, dice.choice(REQUESTS)) + dice.choice(REQUESTS) * dice.choice(
                (0, 1)
            )
            origin.forget()
            with gate.connect(timeout=5) as client:
                statuses = talk(client, sent, dice)
            meant, seen = requests_in(sent), list(origin.requests)
            passed += len(seen)
            fault = judge_requests(sent, meant, seen, statuses)
            if origin.faults:
                fault = f"dirty bytes forwarded: {origin.faults.pop()}"
            if fault:
                wrong.append(
                    f"{fault}\n    sent {sent!r}\n    origin saw {[r.start for r in seen]}, answers {statuses}"
                )
    print(f"{count} damaged requests, {passed} requests forwarded, {len(wrong)} wrong")
    if wrong:
        raise AssertionError("\n".join(wrong[:5]))


def talk(client, sent, dice):
    """Sends in one to three segments, then FIN; returns the statuses of all answers."""
    cuts = sorted(dice.randrange(len(sent) + 1) for _ in range(dice.choice((0, 0, 1, 2))))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)])]
    if client.try_send(*pieces, pause=0.002):
        try:
            client.finish()
        except OSError:
            pass
    statuses = []
    try:
        while True:
            statuses.append(client.response().status)
    except Ended:
        return statuses


def judge_requests(sent, meant, seen, statuses):
    if len(seen) > len(meant):
        return f"{len(seen)} requests forwarded, {len(meant)} meant"
    for one, other in zip(seen, meant):
        if not same_request(one, other):
            return f"{one.start} forwarded for {other.start}"
    if statuses.count(200) != len(seen):
        return "the answers do not belong to the requests"
    return None


@claim(limit=120)
def two_thousand_damaged_requests_smuggle_nothing():
    run_requests(2000)


@claim(limit=900, long=True)
def fifty_thousand_damaged_requests_smuggle_nothing():
    run_requests(50000)


def run_responses(count):
    dice, wrong, whole = seeded(), [], 0
    playing = [b""]

    def script(conn):
        while request := conn.request():
            if request.target == "/next":
                conn.send(answer(200, b"next"))
                continue
            conn.try_send(*playing[0], pause=0.002)
            return

    with Origin(script=script) as origin, Gate(one_app(origin.url, waf=CALM)) as gate:
        for i in range(count):
            sent = damaged(dice, dice.choice(RESPONSES))
            cut = dice.randrange(len(sent) + 1)
            playing[0] = [sent] if dice.random() < 0.6 else [sent[:cut], sent[cut:]]
            meant = response_in(sent)
            with gate.connect(timeout=5) as client:
                fault, complete = judge_response(client, meant)
            whole += complete
            if fault:
                wrong.append(
                    f"{fault}\n    origin sent {sent!r}\n    client got {bytes(client.received)!r}"
                )
    print(f"{count} damaged answers, {whole} whole, {len(wrong)} wrong")
    if wrong:
        raise AssertionError("\n".join(wrong[:5]))


def judge_response(client: Client, meant):
    """(what was wrong or None, whether the answer arrived whole)"""
    client.send(b"GET /case HTTP/1.1\r\n" + H + b"\r\n")
    try:
        got = client.response()
    except Ended:
        return None, False
    except Malformed as dirty:
        return f"dirty answer: {dirty}", False
    if got.status == 502 and got.complete:
        return None, False
    if meant is None:
        return (f"{got!r} made of a bad answer", True) if got.complete else (None, False)
    if got.complete and not (
        meant.complete and (got.status, bytes(got.body)) == (meant.status, bytes(meant.body))
    ):
        return f"{got!r}, not {meant!r}", True
    if got.complete and got.framing != "close" and b"close" not in got.fields.all("connection"):
        client.send(b"GET /next HTTP/1.1\r\n" + H + b"\r\n")
        following = client.response()
        if (
            following.text != "next" and following.status != 502
        ):  # 502: late bytes on the kept connection
            return "the next answer is shifted", True
    return None, got.complete


@claim(limit=120)
def two_thousand_damaged_answers_poison_nothing():
    run_responses(2000)


@claim(limit=900, long=True)
def thirty_thousand_damaged_answers_poison_nothing():
    run_responses(30000)
