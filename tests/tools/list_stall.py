#!/usr/bin/env python3
"""What requests see while a large list is replaced: list_stall.py GATE [ADDRESSES]

A gate with one worker answers a client that asks about 1,500 times a second; the list is written anew and refreshed twice,
with quiet times round it. Wall clock, as the client sees it: on a quiet machine, or it measures the machine.
"""
import http.client
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

SECONDS = 10


def write(path, seed, count):
    dice = random.Random(seed)
    with open(path + ".new", "w", encoding="ascii") as out:
        for _ in range(count):
            out.write("%d.%d.%d.%d\n" % (dice.randrange(1, 223), *dice.randbytes(3)))
    os.rename(path + ".new", path)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Asker(threading.Thread):
    """Asks for a page that a rule refuses, so that no server is needed."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.over, self.took = port, False, []

    def run(self):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        while not self.over:
            begun = time.perf_counter()
            conn.request("GET", "/x")
            conn.getresponse().read()
            self.took.append(time.perf_counter() - begun)
            time.sleep(0.0005)

    def phase(self, name):
        self.took = []
        time.sleep(SECONDS)
        took = sorted(self.took)
        print("%-8s %6d requests, ms: median %.3f, 99th %.3f, worst %.3f" % (
            name, len(took), *(1e3 * took[int(len(took) * p)] for p in (0.5, 0.99)), 1e3 * took[-1]))


def main():
    gate, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    with tempfile.TemporaryDirectory() as at:
        port = free_port()
        write(at + "/list.txt", 1, count)
        with open(at + "/c.yaml", "w", encoding="ascii") as out:
            out.write(f'listen: [{{bind: "127.0.0.1:{port}"}}]\nworkers: 1\nstate: {at}/s\n'
                      f"cti: {{lists: [{{name: big, file: {at}/list.txt, do: deny, every: 24h}}]}}\n"
                      'apps: {a: {upstream: "http://127.0.0.1:1", waf: {mode: off}, rules: [{path: /x, do: deny}]}}\n')

        def ctl(*words):
            return subprocess.run([gate, "ctl", "-s", at + "/s/ctl.sock", *words], capture_output=True, text=True, timeout=30).stdout

        process = subprocess.Popen([gate, "-c", at + "/c.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.time() + 120
            while not (ctl("lists").split("big") + [""])[1].split()[:1] > ["0"]:
                if time.time() > until:
                    sys.exit("the list is not read")
                time.sleep(0.5)
            asker = Asker(port)
            asker.start()
            for seed in (2, 3):
                write(at + "/list.txt", seed, count)
                asker.phase("quiet")
                ctl("lists", "refresh")
                asker.phase("replaced")
            asker.over = True
            print(ctl("lists"), end="")
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
