#!/usr/bin/python3
"""What a gate with the Core Rule Set costs beside requests: its start, its memory with many apps, its reloads.

    life.py cold             from exec to the first answer and to the first that is inspected; empty and warm cache
    life.py apps             memory with one app and with fifty, each with settings of its own
    life.py reloads [N]      N reloads (1,000) under a light load: memory, failed requests; fails if either is wrong
    life.py all              the three of them

For every rule set that is there. One JSON line for each result goes to build/bench/life.jsonl (several to one name: the
last counts) and into RESULTS.md by `run.sh table`."""
import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import time

import measure
import peers as table

APPS, COLD, WARM = 50, 3, 7
ATTACK = b"GET /?id=1%27%20UNION%20SELECT%20username,password%20FROM%20users--%20- HTTP/1.1\r\nHost: app0.example\r\n" \
         b"User-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n"
RATE, LOAD_S = 100, 5        # requests/s while it reloads, with connections that live for so long
FLAT = 1.10                  # memory at the end against what it was after a tenth of the reloads
CEILING_S = 120              # to start with rules that are compiled for the first time
STOP_S = 40


class Gate:
    """A gate of its own with a state directory that outlives it, in front of tools/origin."""

    def __init__(self, name):
        self.peer = table.Peer("life " + name, 18, None)
        self.dir, self.process = self.peer.dir, None
        self.http, self.ctl = self.peer.http, f"{self.peer.dir}/ctl.sock"

    def forget(self):
        shutil.rmtree(f"{self.dir}/state", ignore_errors=True)

    def configure(self, wafs):
        """An app for each; the first is also the one that the loads ask for."""
        apps = ""
        for i, waf in enumerate(wafs):
            apps += f"  app{i}:\n    hosts: [app{i}.example{'' if i else ', shop.example.com'}]\n" \
                    f"    upstream: http://127.0.0.1:{table.ORIGIN}\n    waf: {waf}\n" \
                    f"    exceptions: [{{path: /free/{i}, skip: [\"911100\", \"arg:text{i}\"], reason: as many have}}]\n"
        return self.peer.fill("life.yaml", CTL=self.ctl, APPS=apps)

    def start(self, wafs):
        path = self.configure(wafs)
        log = open(f"{self.dir}/out.log", "w")
        self.began = time.monotonic()
        self.process = subprocess.Popen([table.GATE, "run", "-c", path], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def ask(self):
        """The status of the answer to an attack; 0: nobody answers."""
        with contextlib.suppress(OSError, IndexError, ValueError), socket.create_connection(("127.0.0.1", self.http), 1) as s:
            s.settimeout(CEILING_S)
            s.sendall(ATTACK)
            return int(s.recv(4096).split(b" ", 2)[1])
        return 0

    def wait_until(self, good):
        """ms since exec when an answer was a good one."""
        while time.monotonic() - self.began < CEILING_S:
            if self.process.poll() is not None:
                raise RuntimeError(f"the gate ended; see {self.dir}/out.log")
            if good(self.ask()):
                return (time.monotonic() - self.began) * 1000
            time.sleep(0.001)
        raise RuntimeError("the gate does not answer as it should")

    def reload(self):
        command = [table.GATE, "ctl", "-s", self.ctl, "-q", "reload"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=CEILING_S)
        if done.returncode:
            raise RuntimeError(f"a reload failed: {done.stderr.strip()}")

    def memory_kb(self):
        """Of the process that serves, the largest of the tree."""
        return max(measure.memory_kb([p]) for p in measure.tree(self.process.pid))

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextlib.contextmanager
def gate(name):
    g = Gate(name)
    try:
        yield g
    finally:
        g.stop()


def load(port, file, *options):
    """It gives nothing back at its end, which a sanitizer would take for leaks."""
    command = [f"{table.TOOLS}load", "-p", str(port), "-f", f"{table.WORK}/req/{file}.req", "-w", "0", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"})


def answered(process):
    return json.loads(process.communicate(timeout=LOAD_S + 60)[0])


# ---- what is measured ----

def start_once(name):
    with gate(name) as g:
        g.start([table.crs_waf(name, 1)])
        return g.wait_until(bool), g.wait_until(lambda status: status == 403)


def cold(name, say, _):
    """An answer that is not 403 has not been inspected: both times are told."""
    for cache, times in (("empty", COLD), ("warm", WARM)):
        found = []
        for _ in range(times):
            if cache == "empty":
                Gate(name).forget()
            found.append(start_once(name))
        first, inspected = zip(*found)
        say(kind="cold", crs=name, cache=cache, times=times, first_ms=round(statistics.median(first)),
            inspected_ms=round(statistics.median(inspected)), least_ms=round(min(inspected)), most_ms=round(max(inspected)))


def memory_of(name, wafs):
    with gate(name) as g:
        g.start(wafs)
        g.wait_until(lambda status: status == 403)
        idle = g.memory_kb()
        for file in ("W2", "W4"):
            answered(load(g.http, file, "-c", "16", "-d", "1"))
        return idle, g.memory_kb()


def apps(name, say, _):
    """Each app has a level, a threshold and an exception of its own. Both gates find the databases in the cache: to have
    compiled them would leave its mark on the heap of the first alone."""
    start_once(name)
    one, one_used = memory_of(name, [table.crs_waf(name, 1)])
    many, many_used = memory_of(name, [table.crs_waf(name, 1 + i % 4, 5 + i) for i in range(APPS)])
    say(kind="apps", crs=name, apps=APPS, one_kb=one, many_kb=many, one_used_kb=one_used, many_used_kb=many_used,
        ratio=round(many / one, 3), ratio_used=round(many_used / one_used, 3))


def reloads(name, say, count):
    """Every other one sets a threshold that nothing reaches, and an attack right after each tells which holds. True: all did
    what they should, no request failed, memory is flat, and the gate ends well."""
    sizes, loads, wrong = [], [], 0
    with gate(name) as g:
        g.start([table.crs_waf(name, 1)])
        g.wait_until(lambda status: status == 403)
        began = time.monotonic()
        for i in range(count):
            if not loads or loads[-1].poll() is not None:
                loads.append(load(g.http, "W2", "-c", "8", "-r", str(RATE), "-d", str(LOAD_S)))
            threshold, expected = ((10000, 200), (5, 403))[i % 2]
            g.configure([table.crs_waf(name, 1, threshold)])
            g.reload()
            wrong += g.ask() != expected
            sizes.append(g.memory_kb())
        seconds = time.monotonic() - began
        got = [answered(process) for process in loads]
        g.stop()
    clean = g.process.returncode == 0
    requests = sum(x["requests"] for x in got)
    failed = sum(x["errors"] + x["unfinished"] + x["s5xx"] for x in got)
    early = max(sizes[:max(1, count // 10)])
    growth = sizes[-1] / early
    say(kind="reloads", crs=name, count=count, seconds=round(seconds, 1), requests=requests, failed=failed, first_kb=sizes[0],
        early_kb=early, last_kb=sizes[-1], most_kb=max(sizes), growth=round(growth, 3), wrong=wrong, clean=clean)
    return failed == 0 and growth <= FLAT and not wrong and clean and requests > 0


WHAT = {"cold": cold, "apps": apps, "reloads": reloads}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=[*WHAT, "all"])
    p.add_argument("count", nargs="?", type=int, default=1000)
    p.add_argument("--crs", choices=list(table.CRS), help="this one alone")
    a = p.parse_args()
    names = [n for n in table.crs_names() if a.crs in (None, n)]
    if not names:
        print("skipped: no Core Rule Set is there (Debian's modsecurity-crs, or EMBERGATE_CRS_DIR)")
        return 77
    origin = subprocess.Popen([f"{table.TOOLS}origin", str(table.ORIGIN)])
    good = True
    try:
        os.makedirs(table.WORK, exist_ok=True)
        with open(f"{table.WORK}/life.jsonl", "a") as out:
            def say(**row):
                line = json.dumps(row | {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())})
                out.write(line + "\n")
                out.flush()
                print(line, flush=True)
            for what in WHAT if a.what == "all" else [a.what]:
                for name in names:
                    good &= WHAT[what](name, say, a.count) is not False
    finally:
        origin.terminate()
        origin.wait()
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
