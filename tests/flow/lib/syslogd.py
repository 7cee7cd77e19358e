"""syslogd.py -- a receiver of syslog: UDP, TCP or TLS, that reads strictly and can be slow, gone and back.

    with Syslogd("tls", cert=cert, key=key) as receiver: ... receiver.messages

A message is taken apart as RFC 5424 says; a frame or a head that is wrong is kept in `faults`, which must be empty at the end."""
import re
import socket
import threading
import time
from collections import namedtuple

from lib.certs import server_context
from lib.ports import free_port

Message = namedtuple("Message", "priority time host app pid kind data text")
HEAD = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
    rb'(\[[!-~]+(?: [!-~]+="(?:[^"\\\]]|\\["\\\]])*")*\]) (.*)\Z',
    re.S,
)


def parse(raw):
    found = HEAD.match(raw)
    if not found or b"\n" in raw:
        raise ValueError(f"not a message: {raw[:200]!r}")
    priority, *words, data, text = found.groups()
    params = {k.decode(): re.sub(rb"\\(.)", rb"\1", v).decode() for k, v in re.findall(rb' (\w+)="((?:[^"\\]|\\.)*)"', data)}
    return Message(int(priority), *(word.decode() for word in words), params, text.decode("utf-8", "replace"))


class Syslogd:
    def __init__(self, transport, port=0, cert=None, key=None, reads=True, strict=True):
        self.transport, self.port, self.cert, self.key, self.reads = transport, port or free_port(), cert, key, reads
        self.strict = strict
        self.raw, self.messages, self.faults = [], [], []
        self.connections, self.socket, self.open = 0, None, []

    def start(self):
        kind = socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not self.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.bind(("127.0.0.1", self.port))
        if self.transport != "udp":
            self.socket.listen(16)
        threading.Thread(target=self.datagrams if self.transport == "udp" else self.accept, args=(self.socket,), daemon=True).start()
        return self

    def stop(self):
        for sock in [self.socket, *self.open]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        self.open = []

    __enter__ = start

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is None and self.strict and self.faults:
            raise AssertionError(self.faults[0])

    @property
    def to(self):
        return f"{self.transport}:127.0.0.1:{self.port}"

    def take(self, raw):
        self.raw.append(raw)
        try:
            self.messages.append(parse(raw))
        except ValueError as fault:
            self.faults.append(str(fault))

    def datagrams(self, sock):
        while True:
            try:
                raw = sock.recv(1 << 16)
            except OSError:
                return
            if raw:  # else it was shut down
                self.take(raw)

    def accept(self, sock):
        while True:
            try:
                peer = sock.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.stream, args=(peer,), daemon=True).start()

    def stream(self, peer):
        self.open.append(peer)
        try:
            if self.transport == "tls":
                peer = server_context(self.cert, self.key).wrap_socket(peer, server_side=True)
                self.open.append(peer)
            while not self.reads:
                time.sleep(0.05)
            self.frames(peer)
        except OSError:  # it went, or does not trust us
            pass

    def frames(self, peer):
        held = b""
        while True:
            more = peer.recv(1 << 16)
            if not more:
                return
            held += more
            while b" " in held:
                length, rest = held.split(b" ", 1)
                if not re.fullmatch(rb"[1-9]\d{0,5}", length):
                    self.faults.append(f"not a frame: {held[:100]!r}")
                    return
                if len(rest) < int(length):
                    break
                self.take(rest[: int(length)])
                held = rest[int(length):]
