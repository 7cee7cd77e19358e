#!/usr/bin/python3
"""What one difference costs a request: two gates that differ in it alone, in turn, under plain GETs of 10,000 addresses, four in a
row each (W1 with X-Forwarded-For). bench.py calls it.

  held     ten million addresses held, and none
  watched  the hub's HTTP scenarios and our packs of them, and none
  seen     three open dashboards, and none; one request of a hundred is an attack, which each of them is told

The addresses are so many, and so far from each other, that nobody is held for how often he or his network comes; a row's
s4xx would tell.
"""
import glob
import os
import re
import shutil
import socket
import subprocess
import threading

import peers as table

MEMBERS = 10000000
PAIRS = {  # the peer without, the one with
    "held": ("embergate nothing held", "embergate ten million held"),
    "watched": ("embergate unwatched", "embergate watched"),
    "seen": ("embergate dashboard closed", "embergate dashboard open"),
}
LOADS = {"held": "M1", "watched": "M1", "seen": "M2"}
DASHBOARDS = 3
# What the overview asks for again and again (admin/ui/src/screens/overview.js).
OVERVIEW = ("/stats", "/series?range=1h", "/top?by=app", "/top?by=country", "/top?by=rule", "/status")


def address(i):
    """The i-th, far from those before it."""
    n = i * 2654435761 & 0xffffffff
    return b"%d.%d.%d.%d" % (20 + (n >> 24) % 80, n >> 16 & 255, n >> 8 & 255, n & 255)


def requests():
    """Writes the loads: W1 five times over, every four from another address and client; M2 with attacks in it."""
    with open(f"{table.WORK}/req/W1.req", "rb") as f:
        data = f.read()
    at, whole = 0, []
    while at < len(data):
        head = re.match(rb"REQ (\d+)\n", data[at:at + 20])
        at += head.end()
        whole.append(data[at:at + int(head[1])])
        at += int(head[1]) + 1
    with open(f"{table.WORK}/req/M1.req", "wb") as plain, open(f"{table.WORK}/req/M2.req", "wb") as attacked:
        for i, text in enumerate(whole * 5):
            line, _, rest = text.partition(b"\r\n")
            rest = re.sub(rb"(?m)^(User-Agent: .*?)\r$", rb"\1 Build/%d\r" % (i // 4), rest)
            rest = b"\r\nX-Forwarded-For: " + address(i // 4) + b"\r\n" + rest
            evil = line.replace(b" HTTP", b"?q=%3Cscript%3Ealert(1)%3C/script%3E HTTP") if i % 100 == 99 else line
            for out, text in ((plain, line + rest), (attacked, evil + rest)):
                out.write(b"REQ %d\n" % len(text) + text + b"\n")


class Dashboards:
    """As many browsers as would look at the overview: each a stream of everything, and its questions every ten seconds."""

    def __init__(self, peer):
        self.at, self.over = f"{peer.dir}/state/api.sock", threading.Event()
        self.bytes = 0
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.stream, self.ask) for _ in range(DASHBOARDS)]
        for thread in self.threads:
            thread.start()

    def get(self, path):
        conn = socket.socket(socket.AF_UNIX)
        conn.settimeout(1)
        conn.connect(self.at)
        conn.sendall(f"GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return conn

    def read(self, path):
        with self.get(path) as conn:
            while not self.over.is_set():
                try:
                    piece = conn.recv(65536)
                except TimeoutError:
                    continue
                if not piece:
                    return
                self.bytes += len(piece)

    def stream(self):
        self.read("/stream?topics=stats,security,node,config")

    def ask(self):
        while not self.over.wait(10):
            for path in OVERVIEW:
                self.read(path)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(5)


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
    off, quiet, packs = "{packs: off}", "{mode: off, ruleset: packs}", "{mode: block, ruleset: packs}"
    rows = (("embergate nothing held", "", off, quiet), ("embergate ten million held", millions(), off, quiet),
            ("embergate unwatched", "", off, quiet), ("embergate watched", "", scenarios(), quiet),
            ("embergate dashboard closed", "", off, packs), ("embergate dashboard open", "", off, packs))
    for slot, (name, cti, watch, waf) in enumerate(rows):
        top = f"client_ip: {{trust: loopback}}\n{cti}\n"
        shutil.rmtree(f"{table.WORK}/run/{name.replace(' ', '-')}/state", ignore_errors=True)  # what was decided last time
        yield table.Peer(name, 17 + slot, lambda p, top=top, watch=watch, waf=waf: table.embergate(p, waf, top, watch))
