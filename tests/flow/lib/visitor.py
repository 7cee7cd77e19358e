"""visitor.py -- a client that meets challenges: it reads the page, does the work, keeps the cookie."""
import hashlib
import re
from urllib.parse import quote

AGENT = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) flow"
BROWSER = (AGENT, "Accept: text/html,application/xhtml+xml", "Sec-Fetch-Mode: navigate")


def text_of(field):
    return field.decode("latin-1") if isinstance(field, bytes) else field


def work(prefix, bits):
    """The first n for which SHA-256 of prefix:n begins with so many zero bits."""
    n = 0
    while int.from_bytes(hashlib.sha256(f"{prefix}:{n}".encode()).digest()[:4], "big") >> (32 - bits):
        n += 1
    return n


class Page:
    """What a challenge's page says to a browser."""

    def __init__(self, answer):
        self.answer, self.text = answer, answer.body.decode()
        self.token = found(r'T="([\w-]+)"', self.text)
        self.prefix = found(r'P="(\w+)"', self.text)
        self.bits = int(found(r"Z=(\d+)", self.text) or 0)
        self.refresh = found(r'http-equiv="refresh" content="(\d+);', self.text)

    def solution(self):
        return f"t={self.token}&n={work(self.prefix, self.bits) if self.prefix else 0}"


def found(pattern, text):
    match = re.search(pattern, text)
    return match and match[1]


class Visitor:
    def __init__(self, gate, fields=BROWSER, **more):
        self.gate, self.fields, self.more, self.cookies = gate, tuple(fields), more, {}

    def ask(self, method="GET", target="/", fields=(), body=None):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = (*self.fields, *fields, *((f"Cookie: {cookie}",) if cookie else ()))
        answer = self.gate.ask(method, target, lines, body, **self.more)
        for line in answer.fields.all("set-cookie"):
            name, _, rest = text_of(line).partition("=")
            self.cookies[name] = rest.split(";")[0]
        return answer

    def page(self, method="GET", target="/", fields=(), body=None):
        return Page(self.ask(method, target, fields, body))

    def verify(self, form):
        """As the page's script does it."""
        return self.ask("POST", "/.embergate/verify", ("Content-Type: application/x-www-form-urlencoded",), form.encode())

    def solve(self, target="/"):
        answer = self.verify(self.page(target=target).solution())
        assert answer.status == 204, answer.status
        return answer

    @property
    def passes(self):
        return {name: value for name, value in self.cookies.items() if "eg_pass_" in name}


def quoted(text):
    return quote(text, safe="")
