"""siteverify.py -- a captcha's provider, by whose answers the gate is judged.

    with Siteverify() as provider: ... verify_url = provider.verify_url("shop.example")

What a solution is decides the answer; the secret `wrong` is refused whatever the solution:

    ok    yes, now, for the host that the URL's query names    old   yes, ten minutes ago
    dup   yes, and the second time no                          host  yes, for another host
    bad   no                                                   slow  yes, after ten seconds
    500   status 500      html  200 and no JSON       trunc  a body that is cut short
    huge  10 MB           rst   a reset in the middle of the head
"""
import json
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, parse_qsl, urlsplit

from lib.origin import Origin, answer

GOOD_SECRET = "s3cret & more"
ELSEWHERE = "evil.example"


def yes(host, ago_s=0):
    when = datetime.now(timezone.utc) - timedelta(seconds=ago_s)
    return {
        "success": True,
        "challenge_ts": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "hostname": host,
        "error-codes": [],
    }


def no(code):
    return {"success": False, "error-codes": [code]}


def as_json(value):
    return answer(200, json.dumps(value).encode(), [b"Content-Type: application/json"])


class Siteverify(Origin):
    def __init__(self):
        self.spent, self.forms = set(), []
        self.over = threading.Event()  # slow answers need not be waited for
        super().__init__(script=self.play)

    def __exit__(self, *why):
        self.over.set()
        return super().__exit__(*why)

    def verify_url(self, host):
        return f"{self.url}/siteverify?host={host}"

    def judged(self, form, host):
        if form.get("secret") != GOOD_SECRET:
            return no("invalid-input-secret")
        if form["response"] == "dup" and "dup" in self.spent:
            return no("timeout-or-duplicate")
        self.spent.add(form["response"])
        return {
            "ok": yes(host),
            "dup": yes(host),
            "slow": yes(host),
            "old": yes(host, 600),
            "host": yes(ELSEWHERE),
        }.get(form["response"], no("invalid-input-response"))

    def play(self, conn):
        request = conn.request()
        if request is None:
            return
        form = dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True))
        with self.lock:
            self.forms.append(form)
        host = parse_qs(urlsplit(request.target).query)["host"][0]
        whole = as_json(self.judged(form, host))
        kind = form.get("response")
        if kind == "slow":
            self.over.wait(10)
            conn.try_send(whole)
        elif kind == "500":
            conn.send(answer(500, b"{}", reason=b"Oops"))
        elif kind == "html":
            conn.send(answer(200, b"<html>success: true</html>"))
        elif kind == "trunc":
            conn.send(as_json(yes(host))[:-10])
        elif kind == "huge":
            self.flood(conn)
        elif kind == "rst":
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Le")
            time.sleep(0.05)
            conn.reset()
        else:
            conn.send(whole)

    @staticmethod
    def flood(conn):
        conn.try_send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(160):
            if not conn.try_send(b" " * 65536):
                return
