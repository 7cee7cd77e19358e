"""websocket.py -- handshake and frames (RFC 6455), just enough to see that a relay changes no byte."""
import base64
import hashlib
import os
import struct

from lib.client import request

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def upgrade(target="/ws", fields=(), key=None):
    """(bytes of the handshake, the Sec-WebSocket-Accept that must come back)"""
    key = key or base64.b64encode(os.urandom(16))
    lines = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *fields,
    ]
    return request("GET", target, lines), accept_of(key)


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()


def accepted(seen, fields=()):
    """The origin's 101 to that request."""
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Accept: "
        + accept_of(seen.fields.get("sec-websocket-key").encode()).encode(),
        *fields,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def frame(payload, opcode=2, masked=True, final=True):
    n = len(payload)
    first, bit = (0x80 if final else 0) | opcode, 0x80 if masked else 0
    if n < 126:
        head = struct.pack("!BB", first, bit | n)
    elif n < 65536:
        head = struct.pack("!BBH", first, bit | 126, n)
    else:
        head = struct.pack("!BBQ", first, bit | 127, n)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    key = (mask * (n // 4 + 1))[:n]
    return (
        head
        + mask
        + (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(n, "big")
    )
