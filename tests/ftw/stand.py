"""stand.py -- the gate in front of albedo, requests sent to it, and what its log says of each.

    with Stand(waf) as stand:
        outcome = stand.send(octets, method, raw)      from any thread

A request is told from others by the address that it comes from: each is sent from an own one in
127.0.0.0/8, and the access log has the line. So nothing of the request has to be changed.
"""
import itertools
import json
import os
import socket
import threading
import time
from dataclasses import dataclass, field

from albedo import albedo
from lib import gate as flow
from lib.client import Client
from lib.wire import Ended, Malformed, Wire

START_SECONDS = 600  # rules are compiled, perhaps under sanitizers
ANSWER_SECONDS, CUT_SECONDS = 4, 15  # before and after the request is declared ended
LOG_SECONDS, SILENCE = 20, 0.3
IP_BIND_ADDRESS_NO_PORT = 24  # <linux/in.h>: the port is chosen at connect()


@dataclass
class Outcome:
    statuses: list = field(default_factory=list)  # of the answers, in order
    error: str = ""  # why there was none
    lines: list = field(default_factory=list)  # of the access log, as objects
    address: str = ""

    @property
    def status(self):
        return self.statuses[0] if self.statuses else 0


class Log:
    """Follows a file of JSON lines and files them by the client's address."""

    def __init__(self, name):
        self.name, self.file, self.rest = name, None, b""
        self.lines, self.lock = {}, threading.Lock()

    def read(self):
        if self.file is None:
            self.file = open(self.name, "rb")
        *whole, self.rest = (self.rest + self.file.read()).split(b"\n")
        for text in whole:
            line = json.loads(text)
            self.lines.setdefault(line["client"]["ip"], []).append(line)

    def of(self, address, count, seconds=LOG_SECONDS):
        """The lines about that address, once there are `count` of them or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            with self.lock:
                self.read()
                found = self.lines.get(address, [])
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.01)


class Caller(Client):
    """A client with an address of its own choice."""

    def __init__(self, source, port):
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(CUT_SECONDS)
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", port))
        Wire.__init__(self, sock, ANSWER_SECONDS, record=False)

    def answer(self, method):
        """The next answer. Of a request that never ends it comes when we end it."""
        try:
            return self.response(method)
        except Ended:
            if self.ended or self.buffer:
                raise
        self.timeout = CUT_SECONDS
        try:
            self.finish()
        except OSError:  # the gate was quicker
            pass
        return self.response(method)

    def more_answers(self):
        """Those to what else was in the same bytes."""
        self.timeout = SILENCE
        while True:
            try:
                yield self.response("GET")
            except (Ended, OSError):
                return


def source_of(number):
    """127.1.0.1 and up; never an address that a gate may listen on."""
    high, low = divmod(number, 254)
    return f"127.{1 + high // 256}.{high % 256}.{1 + low}"


class Stand:
    def __init__(self, waf, app=None):
        self.origin = albedo()
        self.numbers = itertools.count()
        config = flow.one_app(self.origin.url, waf=waf, **(app or {}))
        self.gate = flow.Gate(config, start=False, patience=START_SECONDS)
        self.log = Log(self.gate.path("access.log"))

    def __enter__(self):
        self.gate.start()
        return self

    def __exit__(self, kind, value, trace):
        try:
            flow.copy_files(self.gate.path("state/cache"), flow.CACHE)
            self.gate.__exit__(kind, value, trace)
        finally:
            self.origin.__exit__(kind, value, trace)

    def send(self, octets, method="GET", raw=False):
        outcome = Outcome(address=source_of(next(self.numbers)))
        try:
            with Caller(outcome.address, self.gate.port) as caller:
                caller.try_send(octets)
                outcome.statuses.append(caller.answer(method).status)
                if raw:
                    outcome.statuses += [answer.status for answer in caller.more_answers()]
        except (Ended, Malformed, OSError) as why:
            outcome.error = f"{type(why).__name__}: {why}"
        outcome.lines = self.log.of(outcome.address, len(outcome.statuses) or 1)
        return outcome


def program(path):
    """Names the gate under test to what the flow scripts share."""
    if not os.access(path, os.X_OK):
        raise SystemExit(f"no program at {path!r}")
    flow.PROGRAM = os.path.abspath(path)
    flow.CACHE = os.path.join(os.path.dirname(flow.PROGRAM), "flow-cache")
