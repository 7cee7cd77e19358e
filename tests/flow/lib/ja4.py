"""ja4.py -- JA4 of what a client really sends, by the words of its description (FoxIO, technical_details/JA4.md) and none of
the gate's code; and a wire in between that keeps the first message."""
import hashlib
import socket
import struct
import threading

GREASE = {(n << 12) | 0x0A0A | (n << 4) for n in range(16)}
VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}


def numbers(data):
    return [n for n, in struct.iter_unpack(">H", data) if n not in GREASE]


def hello_of(sent):
    """The body of the first handshake message, over as many records as it takes; None: it is not whole."""
    message, at = b"", 0
    while len(sent) >= at + 5 and sent[at] == 22:
        length = int.from_bytes(sent[at + 3:at + 5], "big")
        message += sent[at + 5:at + 5 + length]
        at += 5 + length
    length = int.from_bytes(message[1:4], "big")
    return message[4:4 + length] if len(message) >= 4 + length > 4 else None


def ja4_of(sent):
    hello = hello_of(sent)
    at = 35 + hello[34]
    end = at + 2 + int.from_bytes(hello[at:at + 2], "big")
    ciphers = numbers(hello[at + 2:end])
    at = end + 1 + hello[end] + 2
    extensions = {}
    while at < len(hello):
        kind, length = struct.unpack(">HH", hello[at:at + 4])
        if kind not in GREASE:
            extensions[kind] = hello[at + 4:at + 4 + length]
        at += 4 + length
    version = max(numbers(extensions[43][1:])) if 43 in extensions else int.from_bytes(hello[:2], "big")
    protocol = extensions[16][3:3 + extensions[16][2]].decode() if 16 in extensions else "00"
    hashed = ",".join(f"{kind:04x}" for kind in sorted(extensions) if kind not in (0, 16))
    if 13 in extensions:
        hashed += "_" + ",".join(f"{n:04x}" for n in numbers(extensions[13][2:]))
    return "_".join([
        f"t{VERSIONS.get(version, '00')}{'d' if 0 in extensions else 'i'}{min(len(ciphers), 99):02}{min(len(extensions), 99):02}"
        f"{protocol[0]}{protocol[-1]}",
        digest(",".join(f"{n:04x}" for n in sorted(ciphers))), digest(hashed),
    ])


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "000000000000"


class Tap:
    """A port that leads to another, and the first bytes of each connection, in `sent`."""

    def __init__(self, port):
        self.to, self.sent = port, []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.door.close()

    def run(self):
        while True:
            try:
                here, _ = self.door.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.to), timeout=20)
            here.settimeout(20)
            first = bytearray()
            self.sent.append(first)
            threading.Thread(target=carry, args=(here, there, first), daemon=True).start()
            threading.Thread(target=carry, args=(there, here, None), daemon=True).start()

    @property
    def ja4(self):
        """Of each connection that said hello."""
        return [ja4_of(first) for first in list(self.sent) if hello_of(first)]


def carry(one, other, first):
    try:
        while data := one.recv(65536):
            if first is not None and len(first) < 16384:
                first += data
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
