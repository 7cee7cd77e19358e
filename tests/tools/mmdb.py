#!/usr/bin/env python3
"""Writes a small MaxMind DB: mmdb.py OUT {country|world|as|vendor|v4}

After the format's description (MaxMind DB File Format Specification 2.0): a binary tree of 24-bit records, a data
section behind 16 zero bytes, and a map of metadata behind a marker. Every network's data is written out in full."""
import ipaddress
import struct
import sys

COUNTRY = {
    "192.0.2.0/24": {"country": {"iso_code": "FR", "names": {"en": "France"}}},
    "198.51.100.0/25": {"registered_country": {"iso_code": "DE"}},
    "203.0.113.0/24": {"country": {"iso_code": "longer than two"}},
    "2001:db8::/32": {"country": {"iso_code": "NL"}},
}
AS = {
    "192.0.2.0/23": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example \u00c9tudes"},
    "203.0.113.0/24": {"autonomous_system_number": 64501, "autonomous_system_organization": "x" * 300},
    "2001:db8::/33": {"autonomous_system_number": 4200000000},
}
# As many countries as a map is worth looking at with: 198.19.0.0/24 and so on.
WORLD = {f"198.19.{i}.0/24": {"country": {"iso_code": code}}
         for i, code in enumerate("US BR DE FR GB PL IN CN JP AU ZA NG EG TR UA CA MX AR ID KR".split())}
VENDOR = {"192.0.2.0/24": {"country_code": "JP", "asn": "AS64502", "as_name": "Vendor"}}


def control(kind, size):
    first = kind << 5 if kind < 8 else 0
    tail = bytes([kind - 7]) if kind >= 8 else b""
    if size < 29:
        return bytes([first | size]) + tail
    if size < 285:
        return bytes([first | 29]) + tail + bytes([size - 29])
    return bytes([first | 30]) + tail + struct.pack(">H", size - 285)


def unsigned(value, kind=6):  # 5: 16 bits, 6: 32 bits, 9: 64 bits
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return control(kind, len(raw)) + raw


def encode(value):
    if isinstance(value, bytes):
        return value  # is encoded
    if isinstance(value, str):
        raw = value.encode()
        return control(2, len(raw)) + raw
    if isinstance(value, int):
        return unsigned(value)
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def bits_of(text, width):
    net = ipaddress.ip_network(text)
    number, length = int(net.network_address), net.prefixlen
    if net.version == 4 and width == 128:
        length += 96  # ::a.b.c.d
    return [number >> (width - 1 - i) & 1 for i in range(length)]


def build(networks, width):
    nodes, data = [[None, None]], b""
    for text, value in networks.items():
        bits, at = bits_of(text, width), 0
        for bit in bits[:-1]:
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][bits[-1]] = ("data", len(data))
        data += encode(value)
    return nodes, data


def record(r, count):
    return (count if r is None else r if isinstance(r, int) else count + 16 + r[1]).to_bytes(3, "big")


def write(path, networks, width):
    nodes, data = build(networks, width)
    tree = b"".join(record(r, len(nodes)) for node in nodes for r in node)
    meta = {"node_count": len(nodes), "record_size": unsigned(24, 5),
            "ip_version": unsigned(6 if width == 128 else 4, 5), "database_type": "Test", "languages": ["en"],
            "binary_format_major_version": unsigned(2, 5), "binary_format_minor_version": unsigned(0, 5),
            "build_epoch": unsigned(1700000000, 9), "description": {"en": "of a test"}}
    with open(path, "wb") as f:
        f.write(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(meta))


if __name__ == "__main__":
    which = {"country": (COUNTRY, 128), "world": ({**COUNTRY, **WORLD}, 128), "as": (AS, 128), "vendor": (VENDOR, 128),
             "v4": ({"192.0.2.0/24": COUNTRY["192.0.2.0/24"]}, 32)}
    write(sys.argv[1], *which[sys.argv[2]])
