#!/usr/bin/env python3
"""Our client of a local API against Debian's CrowdSec: what cscli adds and deletes is held and lifted, what is pushed cscli
lists. CrowdSec runs with a configuration, a database and a port of its own, and is ended with the test.

    lapi_client.py PROGRAM        (tests/tools/lapi_client.c)
"""
import os
import queue
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow"))
from lib.claims import Skipped
from lib.crowdsec import PATIENCE, Lapi

SKIP = 77


class Client:
    def __init__(self, program, lapi):
        self.process = subprocess.Popen([program, lapi.url, lapi.KEY, lapi.MACHINE, lapi.PASSWORD], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.seen = []  # and not expected yet
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def expect(self, want):
        """In any order: pulling and pushing do not wait for each other."""
        began = time.monotonic()
        while want not in self.seen:
            if time.monotonic() > began + PATIENCE:
                sys.exit(f"'{want}' was not said within {PATIENCE} s, but {self.seen}")
            try:
                self.seen.append(self.lines.get(timeout=1))
            except queue.Empty:
                continue
        self.seen.remove(want)
        print(f"ok: {want} ({time.monotonic() - began:.2f} s)")

    def push(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        if self.process.wait(PATIENCE):
            sys.exit(f"the client ended with {self.process.returncode}")


def play(lapi, client):
    lapi.cscli("decisions", "add", "--ip", "192.0.2.10", "--duration", "10m")
    client.expect("held Ip 192.0.2.10 deny crowdsec:cscli")
    lapi.cscli("decisions", "add", "--range", "198.51.100.0/24", "--type", "captcha")
    client.expect("held Range 198.51.100.0/24 captcha crowdsec:cscli")
    lapi.cscli("decisions", "add", "--scope", "Country", "--value", "ZZ")
    client.expect("held Country ZZ deny crowdsec:cscli")
    lapi.cscli("decisions", "delete", "--ip", "192.0.2.10")
    client.expect("lifted Ip 192.0.2.10 deny crowdsec:cscli")
    client.push("203.0.113.77 embergate/http-probing")
    client.expect("pushed 1")
    alerts = lapi.listed("alerts", "list")
    ours = [a for a in alerts if a["scenario"] == "embergate/http-probing"]
    if len(ours) != 1 or ours[0]["source"]["value"] != "203.0.113.77" or ours[0]["events_count"] != 3:
        sys.exit(f"cscli lists {alerts}")
    print("ok: cscli lists the alert")
    client.expect("held Ip 203.0.113.77 deny crowdsec:crowdsec")  # its profile banned what we told
    bouncers = lapi.listed("bouncers", "list")
    if not any(b.get("type") == "crowdsec-embergate-bouncer" for b in bouncers):
        sys.exit(f"cscli lists the bouncers {bouncers}")
    print("ok: cscli knows the bouncer")


def main():
    try:
        lapi = Lapi()
    except Skipped as why:
        print(f"skipped: {why} (Debian's package crowdsec)")
        return SKIP
    with lapi:
        client = Client(sys.argv[1], lapi)
        try:
            play(lapi, client)
            client.end()
        finally:
            client.process.kill()
    return 0


sys.exit(main())
