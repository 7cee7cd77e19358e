"""api.py -- /api/v1 of a gate, over the socket whose owner is an administrator."""
import http.client
import json
import os
import socket


class OverSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(gate, method, path, body=None, fields=None):
    """Status and answer: JSON, or None where there is no body."""
    asking = OverSocket(os.path.join(gate.folder, "api.sock"))
    text = None if body is None else json.dumps(body)
    try:
        asking.request(method, f"/api/v1{path}", text, {**({"Content-Type": "application/json"} if text else {}), **(fields or {})})
        got = asking.getresponse()
        told = got.read()
    finally:
        asking.close()
    return got.status, json.loads(told) if told else None


class Answer:
    def __init__(self, got, told):
        self.status, self.fields, self.text = got.status, got.headers, told.decode()
        self.json = json.loads(told) if "json" in (got.headers.get("Content-Type") or "") else None

    @property
    def detail(self):
        """Of a problem: what is wrong, in words."""
        return (self.json or {}).get("detail", "")


class Browser:
    """/api/v1 by the administrator's address, with the cookie that was set and the CSRF value that was told."""

    def __init__(self, gate, tls=None, host=None, address="127.0.0.1", token=None):
        self.gate, self.tls, self.address, self.token = gate, tls, address, token
        self.host = host or f"127.0.0.1:{gate.admin_port}"
        self.cookie = self.csrf = None

    def connection(self):
        where = ("127.0.0.1", self.gate.admin_port)
        how = {"timeout": 30, "source_address": (self.address, 0)}
        if self.tls:
            return http.client.HTTPSConnection(*where, context=self.tls, **how)
        return http.client.HTTPConnection(*where, **how)

    def ask(self, method, path, body=None, fields=None):
        """`fields` replace what a browser would send; None takes one away."""
        text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        sent = {
            "Host": self.host,
            "Content-Type": "application/json" if text is not None else None,
            "Cookie": self.cookie,
            "X-Embergate-CSRF": self.csrf if method != "GET" else None,
            "Authorization": f"Bearer {self.token}" if self.token else None,
            **(fields or {}),
        }
        asking = self.connection()
        try:
            asking.putrequest(method, f"/api/v1{path}", skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    asking.putheader(name, value)
            if text is not None:
                asking.putheader("Content-Length", str(len(text)))
            asking.endheaders(text.encode() if isinstance(text, str) else text)
            got = asking.getresponse()
            answer = Answer(got, got.read())
        finally:
            asking.close()
        self.take(answer)
        return answer

    def take(self, answer):
        cookie = answer.fields.get("Set-Cookie")
        if cookie:
            self.cookie = cookie.partition(";")[0]
        if answer.status == 200 and isinstance(answer.json, dict) and answer.json.get("csrf"):
            self.csrf = answer.json["csrf"]

    def log_in(self, user, password, code=None):
        return self.ask("POST", "/session", {"user": user, "password": password, **({"code": code} if code else {})})

    def set_up(self, link, user, password):
        """By a link, as `embergate ctl user` prints it."""
        return self.ask("POST", "/setup", {"token": link.partition("#setup=")[2], "user": user, "password": password})


def token(gate, role="administrator", name="test"):
    """A new one, by ctl."""
    done = gate.ctl("-o", "json", "token", "add", name, role)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)["token"]
