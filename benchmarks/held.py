#!/usr/bin/python3
"""What a request costs more where ten million addresses are held: the same gate with a list and without, in turn, under
plain GETs of 24,000 addresses (W1 with X-Forwarded-For). bench.py calls it."""
import os
import re
import subprocess

import peers as table

MEMBERS = 10000000
TOP = "client_ip: {{trust: loopback}}\n{cti}"
LIST = "cti: {{lists: [{{name: millions, file: {path}, do: deny}}]}}\n"


def requests():
    """W1 three times over, each from another address; returns the load's name."""
    with open(f"{table.WORK}/req/W1.req", "rb") as f:
        data = f.read()
    at, whole = 0, []
    while at < len(data):
        head = re.match(rb"REQ (\d+)\n", data[at:at + 20])
        at += head.end()
        whole.append(data[at:at + int(head[1])])
        at += int(head[1]) + 1
    with open(f"{table.WORK}/req/M1.req", "wb") as out:
        for i, text in enumerate(whole * 3):
            line, _, rest = text.partition(b"\r\n")
            text = line + b"\r\nX-Forwarded-For: 100.%d.%d.%d\r\n" % (i >> 16 & 255, i >> 8 & 255, i & 255) + rest
            out.write(b"REQ %d\n" % len(text) + text + b"\n")
    return "M1"


def gates():
    """Two peers: nothing held, and the list."""
    path = f"{table.WORK}/run/millions"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run([f"{table.TOOLS}netset", "-n", str(MEMBERS), "-p", path], check=True, timeout=120)
    for slot, (name, cti) in enumerate((("embergate nothing held", ""), ("embergate ten million held", LIST.format(path=path)))):
        top = TOP.format(cti=cti)
        yield table.Peer(name, 17 + slot, lambda p, top=top: table.embergate(p, "{mode: off, ruleset: packs}", top))
