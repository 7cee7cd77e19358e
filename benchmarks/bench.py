#!/usr/bin/python3
"""Measures the peers side by side on loopback; run.sh calls it. One JSON line for each measurement goes to
build/bench/results.jsonl, report.py makes benchmarks/RESULTS.md of them.

The peer runs on core 0, the load and the origin on core 1. The peers are measured in turn, round by round, so that a
drift of the machine meets all alike; what is compared is CPU time of the peer's process tree for each request."""
import argparse
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import time

import agent
import measure
import peers as table
import pairs
import report
import sets

LOADS = {  # file, options of tools/load, requests/s for the latency part
    "W1": ("W1", [], 3000),
    "W2": ("W2", [], 3000),
    "W2X": ("W2X", [], 0),
    "W3": ("W3", [], 3000),
    "W4": ("W4", [], 1000),
    "W5": ("W5", [], 200),
    "W6": ("W6", [], 0),
    "W7": ("W1", ["-t"], 2000),
    "W8": ("W1", ["-t", "-n"], 200),
    "M1": ("M1", [], 0), "M2": ("M2", [], 0),  # pairs.py
}
EVERY = list(table.all_peers())[1:]  # without the origin
PLANS = {
    "quick": dict(peers=[p for p in EVERY if p not in ("embergate crs3 pl4", "nginx modsecurity crs3 pl4")],
                  loads=["W1", "W2", "W3", "W4", "W7"], rounds=3, modsecurity_rounds=1, seconds=0.6, latency=[],
                  idle=["nginx", "haproxy", "embergate"], stages_s=0.3, stages_of=1, buckets_s=0.5, sets="quick", events=200000, patterns=False, lines=0, life=False),
    "full": dict(peers=EVERY, loads=["W1", "W2", "W2X", "W3", "W4", "W5", "W6", "W7"], rounds=7, modsecurity_rounds=3, seconds=0.8,
                 latency=["W1", "W2", "W3", "W4", "W7"], idle=["nginx", "haproxy", "embergate off", "embergate"],
                 stages_s=1, stages_of=2, buckets_s=2, sets="full", events=200000, patterns=True, lines=1000000, life=True),
}
CONNECTIONS, IDLE = 64, 10000
SLOW_US = 500  # a peer dearer than this gets fewer connections and a longer window, or nothing ends within it
SLOWEST_S = 4   # the longest window: a peer that takes 200 ms for a request answers 20 in it


def on_core(core, command):
    return ["taskset", "-c", str(core)] + command


def load(port, load_name, *options, seconds=0.3):
    file, more, _ = LOADS[load_name]
    command = [f"{table.TOOLS}load", "-p", str(port), "-f", f"{table.WORK}/req/{file}.req", *more, "-d", str(seconds), *options]
    return json.loads(subprocess.run(on_core(1, command), capture_output=True, text=True, timeout=60 + seconds, check=True).stdout)


def calibrate():
    """ns for one message on the peer's core: how fast it is right now."""
    return float(subprocess.run(on_core(0, [f"{table.TOOLS}calibrate"]), capture_output=True, text=True, timeout=20, check=True).stdout)


def patterns_of(text):
    """Of tools/patterns: the first line's numbers, and a row for each condition, the dearest first."""
    sums = re.match(r"(\d+) conditions on (\d+) values of (\d+) bytes: (\d+) ns a value, (\d+) where", text)
    rows = [line.split() for line in text.splitlines()[3:]]
    keys = ("conditions", "values", "bytes_each", "ns", "ns_where_asked")
    return dict(zip(keys, map(int, sums.groups()))) | {
        "median_ns": statistics.median(int(row[4]) for row in rows),
        "dearest": [{"rule": row[0], "operator": row[1], "ns": int(row[4]), "asked": float(row[6]), "cost": int(row[7])} for row in rows[:10]]}


class Running:
    def __init__(self, peer):
        self.peer = peer
        os.makedirs(peer.dir, exist_ok=True)
        log = open(f"{peer.dir}/out.log", "w")
        command = on_core(0, peer.command(peer)) if peer.command else on_core(1, [f"{table.TOOLS}origin", str(table.ORIGIN)])
        before = time.time()
        self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            self.wait_for_port()
            self.start_s = round(time.time() - before, 2)
            self.rest(60)  # rules may still be compiling aside
        except Exception:
            self.stop()
            raise

    def wait_for_port(self):
        limit = time.time() + 60
        while time.time() < limit:
            if self.process.poll() is not None:
                raise RuntimeError(f"it exited with {self.process.returncode}; see {self.peer.dir}/out.log")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.peer.http), 0.5).close()
                return
            time.sleep(0.05)
        raise RuntimeError("it does not listen")

    def pids(self):
        return measure.tree(self.process.pid)

    def rest(self, at_most_s=5):
        """Waits until it does nothing."""
        limit, quiet = time.time() + at_most_s, 0
        while time.time() < limit and quiet < 2:
            before = measure.cpu(self.pids())[1]
            time.sleep(0.05)
            quiet = quiet + 1 if measure.cpu(self.pids())[1] - before < 0.002 else 0

    def stop(self):
        if self.process.poll() is not None:
            return
        pids = self.pids()
        self.process.terminate()
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            for p in pids:
                with contextlib.suppress(OSError):
                    os.kill(p, signal.SIGKILL)
            self.process.wait()


class Bench:
    def __init__(self, plan, out):
        self.plan, self.out = plan, out
        self.running, self.cost_us = {}, {}

    def say(self, **row):
        line = json.dumps(row)
        self.out.write(line + "\n")
        self.out.flush()
        print(line, flush=True)

    def start(self, names):
        known = table.all_peers()
        self.origin = self.running["origin"] = Running(known["origin"])
        for name in names:
            if name == "origin":
                continue
            try:
                self.running[name] = Running(known[name])
            except Exception as e:
                self.say(kind="failed", peer=name, why=str(e))
                continue
            r = self.running[name]
            self.say(kind="start", peer=name, start_s=r.start_s, rss_kb=measure.memory_kb(r.pids()), pss_kb=measure.memory_kb(r.pids(), "Pss"))

    def port(self, r, load_name):
        return r.peer.tls if "-t" in LOADS[load_name][1] else r.peer.http

    def window(self, name, load_name):
        """(connections, seconds) for a peer that was as slow as when last seen."""
        us = self.cost_us[name, load_name]
        if us < SLOW_US:
            return CONNECTIONS, self.plan["seconds"]
        return (8 if us < 15000 else 2 if us < 40000 else 1), min(SLOWEST_S, max(self.plan["seconds"], us * 80e-6))

    def spent(self, name, load_name, connections, seconds):
        """What so long a load costs: what was answered, for how many requests was paid, (user, all) seconds of CPU. A slow
        peer is still at some when the load ends: it is waited for, and they count."""
        r, slow = self.running[name], self.cost_us.get((name, load_name), SLOW_US) >= SLOW_US
        pids = r.pids()
        before = measure.cpu(pids)
        got = load(self.port(r, load_name), load_name, "-c", str(connections), "-w", "0", seconds=seconds)
        if slow:
            r.rest()
        after = measure.cpu(pids)
        paid = got["requests"] + (got["unfinished"] if slow else 0)
        return got, max(1, paid), (after[0] - before[0], after[1] - before[1])

    def meet(self, name, load_name):
        """Connections are made, memories filled, and it is seen how slow the peer is."""
        _, paid, (_, total) = self.spent(name, load_name, 1 if "modsecurity" in name else 16, 0.5)
        self.cost_us[name, load_name] = total / paid * 1e6

    def cpu(self, name, load_name, number, kind="cpu"):
        """Closed loop: CPU for each request."""
        r = self.running[name]
        if self.port(r, load_name) is None or ("modsecurity" in name and number >= self.plan["modsecurity_rounds"]):
            return
        if number == 0:
            self.meet(name, load_name)
        connections, seconds = self.window(name, load_name)
        r.rest()
        speed = calibrate()
        got, paid, (user, total) = self.spent(name, load_name, connections, seconds)
        us = self.cost_us[name, load_name] = total / paid * 1e6
        self.say(kind=kind, peer=name, load=load_name, round=number, cpu_us=round(us, 2), speed_ns=speed,
                 user_share=round(user / max(1e-9, total), 2),
                 **{k: got[k] for k in ("requests", "rps", "errors", "s2xx", "s4xx", "s5xx")})

    def latency(self, name, load_name, number):
        """Open loop at a fixed rate, the same for every peer."""
        r, rate = self.running[name], LOADS[load_name][2]
        port = self.port(r, load_name)
        if port is None or self.cost_us.get((name, load_name), 0) * rate > 0.7e6:
            return  # it cannot serve that rate at all
        got = load(port, load_name, "-c", "64", "-r", str(rate), "-w", "0.3", seconds=3)
        keep = ("requests", "errors", "unfinished", "p50_us", "p90_us", "p99_us", "p999_us", "max_us")
        self.say(kind="latency", peer=name, load=load_name, round=number, rate=rate, **{k: got[k] for k in keep})

    def idle(self, name):
        """Memory for each idle keep-alive connection, in a peer that has served before."""
        for what, load_name in (("plain", "W1"), ("tls", "W7")):
            self.running[name].stop()
            r = self.running[name] = Running(self.running[name].peer)
            load(r.peer.http, "W1", "-c", "64", seconds=1)
            r.rest()
            before = measure.memory_kb(r.pids())
            command = [f"{table.TOOLS}load", "-p", str(self.port(r, load_name)), "-f", f"{table.WORK}/req/W1.req",
                       *LOADS[load_name][1], "-i", str(IDLE)]
            clients = subprocess.Popen(on_core(1, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            opened = json.loads(clients.stdout.readline())
            time.sleep(1)
            after = measure.memory_kb(r.pids())
            clients.communicate("q", timeout=20)
            self.say(kind="idle", peer=name, what=what, opened=opened["idle_open"], errors=opened["errors"],
                     bytes_each=round((after - before) * 1024 / max(1, opened["idle_open"])), before_kb=before, after_kb=after)

    def stages(self, name, level, load_name):
        """Where the time of an inspection goes: tools/stages on the peer's core."""
        directory, setup = table.CRS[name]
        command = [f"{table.TOOLS}stages", "-j", "-s", str(self.plan["stages_s"]),
                   "-P", str(level), "-T", str(table.THRESHOLDS[level]), "-C", f"{table.WORK}/cache",
                   f"{table.WORK}/req/{LOADS[load_name][0]}.req", setup, f"{directory}/rules/*.conf"]
        got = subprocess.run(on_core(0, command), capture_output=True, text=True, timeout=300, check=True)
        self.say(kind="stages", rules=f"{name} pl{level}", load=load_name, **json.loads(got.stdout))

    def all_stages(self):
        os.makedirs(f"{table.WORK}/cache", exist_ok=True)
        for name in table.crs_names()[-self.plan["stages_of"]:]:
            for level in table.PARANOIA:
                for load_name in ("W1", "W2", "W3", "W4"):
                    try:
                        self.stages(name, level, load_name)
                    except (subprocess.SubprocessError, ValueError) as e:
                        self.say(kind="failed", peer=f"stages of {name} pl{level}", why=f"{load_name}: {e!r}"[:300])

    def patterns(self):
        """What each condition costs alone, on the fields, targets and bodies of W3; all of them are in patterns-NAME.txt."""
        for name in table.crs_names():
            directory, setup = table.CRS[name]
            command = [f"{table.TOOLS}patterns", "-d", "100000", "-C", f"{table.WORK}/cache", "-f", f"{table.WORK}/req/W3.req",
                       setup, f"{directory}/rules/*.conf"]
            try:
                got = subprocess.run(on_core(0, command), capture_output=True, text=True, timeout=600, check=True).stdout
                with open(f"{table.WORK}/patterns-{name}.txt", "w") as out:
                    out.write(got)
                self.say(kind="patterns", rules=name, **patterns_of(got))
            except (subprocess.SubprocessError, ValueError, OSError) as e:
                self.say(kind="failed", peer=f"patterns of {name}", why=repr(e)[:300])

    def agent(self):
        """A log through our agent and CrowdSec's."""
        try:
            for row in agent.rows(f"{table.TOOLS}agent", f"{table.WORK}/hub/scenarios", f"{table.WORK}/agent", self.plan["lines"]):
                self.say(kind="agent", **row)
        except (agent.Failed, OSError, ValueError) as e:
            self.say(kind="failed", peer="agent", why=str(e)[-300:])

    def first_load(self):
        """Bytes that a browser fetches at a first visit of the dashboard."""
        if not shutil.which("chromium"):
            return
        got = subprocess.run([f"{table.ROOT}/tests/ui/run.py", table.GATE, "first_load"], capture_output=True, text=True, timeout=120)
        found = re.search(r"first load: (\d+) bytes in (\d+) files", got.stdout + got.stderr)
        if found:
            self.say(kind="first_load", bytes=int(found[1]), files=int(found[2]))
        else:
            self.say(kind="failed", peer="first load", why=(got.stdout + got.stderr)[-300:])

    def buckets(self):
        """What live buckets take: tools/buckets, whose two threads need both cores."""
        command = [f"{table.TOOLS}buckets", "-j", "-s", str(self.plan["buckets_s"])]
        try:
            got = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
            for line in got.stdout.splitlines():
                self.say(kind="buckets", **json.loads(line))
        except (subprocess.SubprocessError, ValueError) as e:
            self.say(kind="failed", peer="buckets", why=repr(e)[:300])

    def events(self):
        """How long the pages of a full archive take."""
        command = [f"{table.TOOLS}events", "-j", "-n", str(self.plan["events"])]
        try:
            got = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True, env={**os.environ, "TMPDIR": table.WORK})
            for line in got.stdout.splitlines():
                self.say(kind="events", **json.loads(line))
        except (subprocess.SubprocessError, ValueError) as e:
            self.say(kind="failed", peer="events", why=repr(e)[:300])

    def sets(self):
        try:
            for row in sets.rows(self.plan["sets"] == "full"):
                self.say(kind="set", **row)
        except (subprocess.SubprocessError, ValueError, OSError) as e:
            self.say(kind="failed", peer="sets", why=repr(e)[:300])

    def pairs(self):
        """CPU for each request with and without one thing more."""
        pairs.requests()
        for peer in pairs.gates():
            self.running[peer.name] = Running(peer)
        dashboards = pairs.Dashboards(self.running["embergate dashboard open"].peer)
        for kind, names in pairs.PAIRS.items():
            for number in range(max(5, self.plan["rounds"])):
                for name in names:
                    self.cpu(name, pairs.LOADS[kind], number, kind)
        dashboards.stop()
        self.say(kind="seen_bytes", peer="embergate dashboard open", bytes=dashboards.bytes)

    def each(self, step, names, *arguments):
        for name in names:
            if name in self.running:
                try:
                    step(name, *arguments)
                except Exception as e:
                    self.say(kind="failed", peer=name, why=f"{arguments}: {e!r}"[:300])

    def run(self):
        plan = self.plan
        try:
            self.start(plan["peers"])
            for number in range(plan["rounds"]):
                for load_name in plan["loads"]:
                    self.each(self.cpu, plan["peers"], load_name, number)
            for number in range(3):
                for load_name in plan["latency"]:
                    self.each(self.latency, plan["peers"], load_name, number)
            self.each(self.idle, plan["idle"])
            if plan["stages_s"]:
                self.all_stages()
            if plan["patterns"]:
                self.patterns()
            if plan["buckets_s"]:
                self.buckets()
            if plan["lines"]:
                self.agent()
            if plan["events"]:
                self.events()
                self.first_load()
            if plan["sets"]:
                self.sets()
                try:
                    self.pairs()
                except Exception as e:
                    self.say(kind="failed", peer="pairs", why=repr(e)[:300])
        finally:
            for r in self.running.values():
                r.stop()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("plan", nargs="?", default="full", choices=list(PLANS))
    p.add_argument("--peers", help="a comma between names")
    p.add_argument("--loads", help="W1,W2")
    p.add_argument("--rounds", type=int)
    p.add_argument("--only-print", action="store_true", help="leave benchmarks/RESULTS.md as it is")
    a = p.parse_args()
    plan = dict(PLANS[a.plan])
    for key, value in (("peers", a.peers), ("loads", a.loads)):
        if value:
            plan |= {key: value.split(","), "latency": [], "idle": [], "stages_s": 0, "buckets_s": 0, "sets": "", "events": 0, "patterns": False,
                     "lines": 0, "life": False}
    plan["rounds"] = a.rounds or plan["rounds"]
    signal.signal(signal.SIGTERM, lambda *_: exit(143))  # so that what we started is stopped
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    results = f"{table.WORK}/results.jsonl"
    with open(results, "w") as out:
        bench = Bench(plan, out)
        bench.say(kind="meta", plan=a.plan, date=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), rounds=plan["rounds"],
                  seconds=plan["seconds"], machine=measure.machine(), versions=table.versions())
        for name in table.CRS:
            if name not in table.crs_names():
                bench.say(kind="missing", what=f"{name}: its rules are not there" + (
                    "; EMBERGATE_CRS_DIR names a directory with rules/ and crs-setup.conf.example" if name == "crs4" else ""))
        bench.run()
        if plan["life"] and subprocess.run([f"{table.HERE}/life.py", "all"]).returncode:
            bench.say(kind="failed", peer="life.py", why="see its figures above")
        bench.say(kind="end", load=os.getloadavg()[0])
    report.write(results, None if a.only_print else f"{table.HERE}/RESULTS.md")


if __name__ == "__main__":
    main()
