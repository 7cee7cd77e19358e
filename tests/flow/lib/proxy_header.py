"""proxy_header.py -- what a load balancer says before the first byte: who the client is (PROXY protocol)."""
import socket
import struct


def v1(source="203.0.113.7", family="TCP4", target="127.0.0.1"):
    return f"PROXY {family} {source} {target} 40000 80\r\n".encode()


def v2(source="203.0.113.7", command=1, extra=b""):
    six = ":" in source
    family = socket.AF_INET6 if six else socket.AF_INET
    addresses = socket.inet_pton(family, source) + socket.inet_pton(
        family, "::1" if six else "127.0.0.1"
    )
    body = addresses + struct.pack("!HH", 40000, 80) + extra
    return (
        b"\r\n\r\n\0\r\nQUIT\n"
        + bytes([0x20 | command, 0x21 if six else 0x11])
        + struct.pack("!H", len(body))
        + body
    )
