"""relay.py -- a port in front of the gate that keeps what clients send, byte for byte.

    with Relay(gate.port) as relay:  ... point a tool at relay.port ...
    relay.requests(gate.log("access"))      [(request, the gate's line about it)]

A request and the line of the log that tells its fate find each other by the port that the relay's own
connection to the gate had, and their order on it. `relay.label` is copied to every connection: which
tool, which part of its work. With a `relay.address` it is a load balancer that speaks the PROXY
protocol: each connection is said to come from there.
"""
import selectors
import socket
import threading
from dataclasses import dataclass

from lib.ports import free_port
from lib.proxy_header import v2

PIECE = 65536


@dataclass
class Request:
    label: str
    method: str
    target: str
    fields: list  # (lower-case name, value)
    body: bytes


class Relay:
    def __init__(self, gate_port):
        self.gate_port, self.port, self.label, self.address = gate_port, free_port(), "", None
        self.sent = []  # (label, our port at the gate, bytes of the client), in order of connecting

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.gate_port)) as gate:
            kept = bytearray()
            if self.address:
                gate.sendall(v2(self.address))
            self.sent.append((self.label, gate.getsockname()[1], kept))
            try:
                shuttle(client, gate, kept)
            except OSError:
                pass  # a reset on one side ends both

    def requests_of(self, label):
        return [request for name, _, kept in self.sent if name == label for request in requests_in(bytes(kept), name)]

    def requests(self, lines):
        """What was sent, each with its line; what the gate did not get to is left out."""
        by_port = {}
        for line in lines:
            by_port.setdefault(line["source"]["port"], []).append(line)
        found = []
        for label, port, kept in self.sent:
            mine = by_port.get(port, [])
            for request in requests_in(bytes(kept), label):
                if mine:
                    found.append((request, mine.pop(0)))
        return found


def shuttle(client, gate, kept):
    """Both ways until both have ended."""
    with selectors.DefaultSelector() as ready:
        ready.register(client, selectors.EVENT_READ, gate)
        ready.register(gate, selectors.EVENT_READ, client)
        while ready.get_map():
            for key, _ in ready.select():
                data = key.fileobj.recv(PIECE)
                if key.fileobj is client:
                    kept += data
                if data:
                    key.data.sendall(data)
                else:
                    ready.unregister(key.fileobj)
                    key.data.shutdown(socket.SHUT_WR)


def requests_in(data, label):
    """Splits one connection's bytes; none of the tools sends chunked bodies."""
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        method, _, rest = start.partition(" ")
        length = int(dict(fields).get("content-length", 0))
        yield Request(label, method, rest.rpartition(" ")[0], fields, data[:length])
        data = data[length:]
