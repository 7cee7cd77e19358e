#!/usr/bin/python3
"""What one difference costs a request: two gates that differ in it alone, in turn, under plain GETs of 6,000 addresses, four in a
row each (W1 with X-Forwarded-For). bench.py calls it.

  held     ten million addresses held, and none
  watched  the hub's HTTP scenarios and our packs of them, and none

The addresses are so many, and so far from each other, that nobody is held for how often he or his network comes; a row's
s4xx would tell.
"""
import glob
import os
import re
import shutil
import subprocess

import peers as table

MEMBERS = 10000000
PAIRS = {  # the peer without, the one with
    "held": ("embergate nothing held", "embergate ten million held"),
    "watched": ("embergate unwatched", "embergate watched"),
}


def address(i):
    """The i-th, far from those before it."""
    n = i * 2654435761 & 0xffffffff
    return b"%d.%d.%d.%d" % (20 + (n >> 24) % 80, n >> 16 & 255, n >> 8 & 255, n & 255)


def requests():
    """W1 three times over, every four from another address and client; returns the load's name."""
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
            rest = re.sub(rb"(?m)^(User-Agent: .*?)\r$", rb"\1 Build/%d\r" % (i // 4), rest)
            text = line + b"\r\nX-Forwarded-For: " + address(i // 4) + b"\r\n" + rest
            out.write(b"REQ %d\n" % len(text) + text + b"\n")
    return "M1"


def millions():
    path = f"{table.WORK}/run/millions"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run([f"{table.TOOLS}netset", "-n", str(MEMBERS), "-p", path], check=True, timeout=120)
    return f"cti: {{lists: [{{name: millions, file: {path}, do: deny}}]}}"


def scenarios():
    """Those of the hub that read a web server's log, where the hub is there; data where Debian's crowdsec put it."""
    files = []
    for path in sorted(glob.glob(f"{table.WORK}/hub/scenarios/**/*.yaml", recursive=True)):
        with open(path, encoding="utf-8") as f:
            if "http_access-log" in f.read():
                files.append(path)
    data = [d for d in ("/var/lib/crowdsec/data",) if os.path.isdir(d)]
    return f"{{packs: on, files: [{', '.join(files)}], data: [{', '.join(data)}]}}"


def gates():
    off = "{packs: off}"
    rows = (("embergate nothing held", "", off), ("embergate ten million held", millions(), off),
            ("embergate unwatched", "", off), ("embergate watched", "", scenarios()))
    for slot, (name, cti, watch) in enumerate(rows):
        top = f"client_ip: {{trust: loopback}}\n{cti}\n"
        shutil.rmtree(f"{table.WORK}/run/{name.replace(' ', '-')}/state", ignore_errors=True)  # what was decided last time
        yield table.Peer(name, 17 + slot, lambda p, top=top, watch=watch: table.embergate(p, "{mode: off, ruleset: packs}", top, watch))
