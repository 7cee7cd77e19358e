"""table.py -- reads framing/*.yaml and judges one case after the other.

How a table reads is told in framing/README.md. Strings stand for bytes (\\xNN is one byte).

What must be equal ("normal form"): the start line, every field line in its order and spelling, and
the decoded body. Not compared: fields that a gateway adds or owns (OWNED), how it frames a body
again. Both sides are read by the strict parser of wire.py, so dirty framing fails by itself.
"""
import os
import time

import yaml

from lib.origin import Origin, answer
from lib.wire import Ended, Malformed

OWNED_REQUEST = {
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"x-real-ip",
    b"forwarded",
    b"x-request-id",
    b"via",
}
OWNED_RESPONSE = {b"x-request-id", b"date", b"server", b"via"}
FRAMING = {b"content-length", b"transfer-encoding"}
PATIENCE = 3.0  # seconds for an answer
NEXT = b"GET /next HTTP/1.1\r\nHost: t.example\r\n\r\n"


def as_bytes(value):
    """A string, or a list of strings and {repeat: TEXT, times: N}."""
    if isinstance(value, list):
        return b"".join(as_bytes(part) for part in value)
    if isinstance(value, dict):
        return value["repeat"].encode("latin-1") * value["times"]
    return value.encode("latin-1")


def load(path):
    """Yields the cases of a table, each completed by the table's defaults and its template."""
    with open(path, encoding="utf-8") as file:
        table = yaml.safe_load(file)
    names = set()
    for case in table["cases"]:
        case = {
            **{key: value for key, value in table.items() if key not in ("about", "cases")},
            **case,
        }
        if case["name"] in names:
            raise ValueError(f"{path}: two cases are called {case['name']!r}")
        names.add(case["name"])
        if "with" in case:
            key = "send" if "send" in case else "origin"
            case[key] = as_bytes(case[key]).replace(b"{}", as_bytes(case["with"])).decode("latin-1")
        yield case


def normal_form(message, owned):
    """See above. `Connection` between two hops may only say keep-alive, close or upgrade."""
    kept = []
    for name, value in message.fields:
        low = name.lower()
        if low == b"connection":
            if value.lower() not in (b"keep-alive", b"close", b"upgrade"):
                raise Malformed(f"Connection: {value!r} sent on")
        elif low not in owned and low not in FRAMING:
            kept.append(name + b": " + value)
    return spelt(b"\r\n".join([message.start, *kept]) + b"\r\n\r\n" + bytes(message.body))


def spelt(form):
    """Peers may spell the names of fields anew; the gate may not."""
    if not os.environ.get("FLOW_PEER"):
        return form
    start, *lines = form.partition(b"\r\n\r\n")[0].split(b"\r\n")
    folded = [line.partition(b":")[0].lower() + b":" + line.partition(b":")[2] for line in lines]
    body = form.partition(b"\r\n\r\n")[2]
    return b"\r\n".join([start, *folded]) + b"\r\n\r\n" + body


# requests


def request_origin():
    """Names the request in each answer, so that a shifted boundary shows in the client too."""
    return Origin(lambda request: answer(200, f"{request.method} {request.target}".encode()))


def exchange(case, client):
    """Sends the case and returns the statuses and the body texts of all answers that came."""
    pieces = (
        case["send"] if isinstance(case["send"], list) and case.get("pieces") else [case["send"]]
    )
    sent = client.try_send(*[as_bytes(piece) for piece in pieces], pause=case.get("pause", 0.0))
    if case.get("half_close") and sent:
        client.finish()
    statuses = []
    for method in case.get("methods", ["GET"] * 20):
        try:
            statuses.append(client.response(method))
        except Ended:
            break
        if statuses[-1].status >= 400 or len(statuses) == answers_due(case):
            break
    return statuses


def answers_due(case):
    return len(case.get("forwarded", [])) + bool(case.get("refused")) or 1


def judge_request(case, gate, origin):
    """None when the gate did as the case says, else what was wrong."""
    origin.forget()
    with gate.connect(timeout=PATIENCE) as client:
        answers = exchange(case, client)
        statuses = [a.status for a in answers]
        closed = ends(client) if statuses and statuses[-1] >= 400 else None
        wrong = [
            judge_outcome(case, forwarded, refused, statuses, origin, closed)
            for forwarded, refused in outcomes(case)
        ]
        if None not in wrong:
            return "; or: ".join(wrong)
        if (
            statuses
            and statuses[-1] == 200
            and not case.get("closes")
            and not case.get("half_close")
        ):
            return judge_next(client)
        if case.get("closes") and not ends(client):
            return "the connection stayed open"
    return None


def outcomes(case):
    """(requests forwarded, statuses of a refusal or []) for each outcome that is right."""
    refused = case.get("refused", [])
    refused = refused if isinstance(refused, list) else [refused]
    yield forms(case.get("forwarded", [])), refused
    if "or_forwarded" in case:
        yield forms(case["or_forwarded"]), []
    if "or_refused" in case:
        yield [], case["or_refused"] if isinstance(case["or_refused"], list) else [
            case["or_refused"]
        ]


def forms(texts):
    return [spelt(as_bytes(text)) for text in texts]


def judge_outcome(case, forwarded, refused, statuses, origin, closed):
    seen = [normal_form(request, OWNED_REQUEST) for request in origin.requests]
    if origin.faults:
        return f"dirty bytes forwarded: {origin.faults.pop()}; {origin.received[:300]!r}"
    if seen != forwarded:
        return f"origin saw {seen}, not {forwarded} (answers {statuses})"
    if not forwarded and origin.received and not case["streams"]:
        return f"origin got {origin.received[:200]!r}"
    if statuses[: len(forwarded)] != [200] * len(forwarded):
        return f"answers {statuses}"
    rest = statuses[len(forwarded) :]
    if case.get("incomplete"):
        return None if not rest or rest[0] in (400, 408, 413) else f"answers {statuses}"
    if not refused:
        return None if not rest else f"answers {statuses}"
    if len(rest) != 1 or rest[0] not in refused:
        return f"answers {statuses}, not {refused}"
    return None if closed else "refused, but the connection stayed open"


def judge_next(client):
    """After a good request the connection must be in step: one more is answered, by its own answer."""
    client.send(NEXT)
    try:
        following = client.response()
    except Ended as why:
        return f"the next request on the connection failed: {why}"
    return None if following.text == "GET /next" else f"the next request got {following!r}"


def ends(client):
    """The connection ends by itself, without another answer."""
    try:
        return bool(client.end(PATIENCE)) and not client.buffer
    except Ended:
        return False


def judge_access(case, gate, origin):
    """403 or 400 and no byte to the origin; or, for the look-alikes, an answer of the origin."""
    origin.forget()
    with gate.connect(timeout=PATIENCE) as client:
        client.send(as_bytes(case["send"]))
        status = client.response().status
    denied = status in (400, 403)
    if denied and origin.received:
        return f"{status}, but the origin got {origin.received[:200]!r}"
    if denied != case["denied"] and not (denied and case.get("or_denied")):
        return f"status {status}"
    return None


# responses


class Play:
    """The origin's part: what it does when it is asked for anything but /next."""

    def __init__(self):
        self.case = None
        self.origin = Origin(script=self.script)

    def script(self, conn):
        while request := conn.request():
            if request.target == "/next":
                conn.send(answer(200, b"GET /next"))
            elif self.act(conn):
                return

    def act(self, conn):
        case = self.case
        pieces = (
            case["origin"]
            if isinstance(case["origin"], list) and case.get("pieces")
            else [case["origin"]]
        )
        conn.try_send(*[as_bytes(piece) for piece in pieces], pause=case.get("pause", 0.05))
        then = case.get("then", "stay")
        if then != "stay":
            time.sleep(case.get("linger", 0.05))
            conn.reset() if then == "reset" else conn.finish()
        return then != "stay"


def judge_response(case, gate, play):
    play.case = case
    method = case.get("method", "GET")
    ask = as_bytes(case.get("ask", f"{method} /case HTTP/1.1\r\nHost: t.example\r\n\r\n"))
    with gate.connect(timeout=PATIENCE) as client:
        client.send(ask)
        try:
            got = client.response(method)
        except Ended as why:
            return None if case.get("no_answer") else f"no answer: {why}"
        wrong = judge_answer(case, got)
        if wrong:
            return f"{wrong}; client got {bytes(client.received[:300])!r}"
        if not got.complete or got.framing == "close" or b"close" in got.fields.all("connection"):
            client.end(PATIENCE)
            return f"more bytes: {bytes(client.buffer[:100])!r}" if client.buffer else None
        time.sleep(case.get("before_next", 0.0))
        return judge_next(client)


def judge_answer(case, got):
    statuses = [case["status"]] if isinstance(case.get("status"), int) else case.get("status", [])
    if statuses and got.status in statuses:
        return None
    if "cut" in case:
        if got.complete:
            return "a cut answer looks complete"
        wanted = forms(case[key] for key in ("cut", "or_cut") if key in case)
        return None if normal_form(got, OWNED_RESPONSE) in wanted else f"not {wanted!r}"
    if "client" not in case:
        return f"status {got.status}, not {statuses}"
    wanted, form = spelt(as_bytes(case["client"])), normal_form(got, OWNED_RESPONSE)
    if not got.complete:
        return "the answer is not complete"
    if [b.status for b in got.before] != case.get("before", []):
        return f"1xx {[b.status for b in got.before]}"
    return None if form == wanted else f"{form!r}, not {wanted!r}"


def judge_all(cases, judge):
    """Runs the cases; raises one error that lists all that went wrong."""
    wrong, count = [], 0
    for case in cases:
        count += 1
        try:
            fault = judge(case)
        except (Malformed, Ended, OSError) as broken:
            fault = f"{type(broken).__name__}: {broken}"
        if fault:
            wrong.append(f"{case['name']}: {fault}")
    print(f"{count - len(wrong)} of {count} cases")
    if wrong:
        raise AssertionError(f"{len(wrong)} of {count} cases:\n  " + "\n  ".join(wrong))
