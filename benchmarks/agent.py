#!/usr/bin/python3
"""agent.py -- the same log through Embergate's agent and through CrowdSec's: lines a second of CPU, memory.

    benchmarks/agent.py BENCH_AGENT SCENARIO_DIR [--lines 1000000] [--crowdsec ROOT] [--work DIR]

BENCH_AGENT is tools/agent.c, SCENARIO_DIR a hub's scenarios/, ROOT where Debian's package `crowdsec` is: `/`, or a directory
that `dpkg -x` unpacked it to, so that no service is installed or started. CrowdSec runs by hand, without its API server
(-no-api; what it reports goes to a stand-in of a few lines), replays the file (-dsn) and is given the parsers of its
package, and of its package's scenarios those that the hub still has under that name: the hub's own of today it refuses.
Both get the same data files. CPU time is of the whole process, loading and compiling included for CrowdSec's total, and
taken off for the rate: a run over an empty log is measured first.
"""
import argparse
import glob
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading

AGENTS = [f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36"
          for n in range(90, 130)]
PAGES = ["/", "/index.html", "/static/app.{}.js", "/img/logo-{}.png", "/api/v1/items?page={}&sort=asc", "/blog/2024/01/post-{}",
         "/search?q=shoes+{}", "/cart", "/account", "/product/{}"]
ATTACKS = [("POST /wp-login.php", 200, AGENTS[0]), ("GET /{}.php.bak", 404, AGENTS[1]), ("GET /nikto-{}", 404, "Nikto/2.1.5"),
           ("GET /a?id=1+union+select+{}", 404, "sqlmap/1.5"), ("GET /../../etc/passwd?{}", 400, AGENTS[2]),
           ("GET /q?x=<script>alert({})</script>", 200, AGENTS[3]), ("GET /.env{}", 404, AGENTS[4])]
PARSERS = {"s00-raw": ["crowdsecurity/syslog-logs"], "s01-parse": ["crowdsecurity/nginx-logs"],
           "s02-enrich": ["crowdsecurity/dateparse-enrich", "crowdsecurity/http-logs"]}


def write_log(path, lines, seed=1):
    """97 % of what visitors of a shop ask for, from 20,000 addresses; the rest from 40 scanners."""
    rnd = random.Random(seed)
    with open(path, "w", encoding="ascii") as out:
        for i in range(lines):
            second = i // 200
            date = f"{10 + second // 86400:02}/Sep/2024:{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02} +0200"
            if rnd.random() < 0.03:
                ask, status, agent = rnd.choice(ATTACKS)
                ip = f"198.51.100.{rnd.randrange(40)}"
            else:
                ask, status, agent = "GET " + rnd.choice(PAGES), 200 if rnd.random() < 0.97 else 404, rnd.choice(AGENTS)
                ip = f"10.{rnd.randrange(2)}.{rnd.randrange(100)}.{rnd.randrange(100)}"
            out.write(f'{ip} - - [{date}] "{ask.format(rnd.randrange(100000))} HTTP/1.1" {status} {rnd.randrange(90000)} '
                      f'"-" "{agent}"\n')


def measured(command, **more):
    """(CPU seconds, peak KiB, output)."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **more)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return used.ru_utime + used.ru_stime, used.ru_maxrss, out.read().decode(errors="replace"), child.returncode


class StandIn(http.server.BaseHTTPRequestHandler):
    """As much of the local API as the agent wants: a login, and alerts, which are counted."""

    alerts = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = [] if "alerts" in self.path else {"code": 200, "expire": "2099-01-01T00:00:00Z", "token": "t"}
        if "alerts" in self.path:
            StandIn.alerts += len(json.loads(body))
        self.send_response(201 if "alerts" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def stand_in():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


class CrowdSec:
    def __init__(self, root, work):
        self.program = os.path.join(root, "usr/bin/crowdsec")
        self.share, self.etc = os.path.join(root, "usr/share/crowdsec"), os.path.join(root, "etc/crowdsec")
        self.work = work
        for part in ("config/scenarios", "config/postoverflows", "data", "log"):
            os.makedirs(os.path.join(work, part), exist_ok=True)
        for stage, names in PARSERS.items():
            folder = os.path.join(work, "config/parsers", stage)
            os.makedirs(folder, exist_ok=True)
            for name in names:
                shutil.copy(os.path.join(self.share, "hub/parsers", stage, name + ".yaml"), folder)
        shutil.copytree(os.path.join(self.etc, "patterns"), os.path.join(work, "config/patterns"), dirs_exist_ok=True)
        for file in glob.glob(os.path.join(self.share, "data/*")):
            shutil.copy(file, os.path.join(work, "data"))
        self.write_config()

    def write_config(self):
        config = {
            "common": {"daemonize": False, "log_media": "stdout", "log_level": "info", "working_dir": "."},
            "config_paths": {"config_dir": f"{self.work}/config", "data_dir": f"{self.work}/data",
                             "simulation_path": f"{self.etc}/simulation.yaml", "hub_dir": f"{self.share}/hub",
                             "index_path": f"{self.share}/hub/.index.json"},
            "crowdsec_service": {"parser_routines": 1},
            "db_config": {"log_level": "info", "type": "sqlite", "db_path": f"{self.work}/data/crowdsec.db"},
            "prometheus": {"enabled": False},
            "api": {"client": {"credentials_path": f"{self.work}/credentials.yaml"}},
        }
        with open(f"{self.work}/credentials.yaml", "w", encoding="ascii") as out:
            json.dump({"url": stand_in(), "login": "bench", "password": "bench"}, out)
        with open(f"{self.work}/config.yaml", "w", encoding="ascii") as out:
            json.dump(config, out)

    def run(self, log):
        return measured([self.program, "-c", f"{self.work}/config.yaml", "-no-api", "-type", "nginx", "-dsn", f"file://{log}"])

    def set_scenarios(self, files):
        folder = f"{self.work}/config/scenarios"
        shutil.rmtree(folder)
        os.makedirs(folder)
        for file in files:
            shutil.copy(file, folder)

    def own(self, files, without):
        """Of the package's scenarios those with the names of `files`."""
        names = {os.path.basename(f) for f in files} - set(without)
        found = glob.glob(os.path.join(self.share, "hub/scenarios/*/*.yaml"))
        return sorted(f for f in found if os.path.basename(f) in names)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("bench")
    parse.add_argument("scenarios")
    parse.add_argument("--lines", type=int, default=1000000)
    parse.add_argument("--peer-lines", type=int, default=50000, help="CrowdSec reads the first so many (it needs minutes)")
    parse.add_argument("--crowdsec", default="/")
    parse.add_argument("--without", action="append", default=[], help="a scenario's file name that neither gets")
    parse.add_argument("--work")
    asked = parse.parse_args()
    work = asked.work or tempfile.mkdtemp(prefix="embergate-agent-bench.")
    os.makedirs(work, exist_ok=True)
    log, empty = os.path.join(work, "access.log"), os.path.join(work, "empty.log")
    if not os.path.exists(log):
        write_log(log, asked.lines)
    write_log(empty, 1)
    files = sorted(glob.glob(os.path.join(asked.scenarios, "**/*.yaml"), recursive=True))
    begin = os.path.join(work, "begin.log")
    write_log(begin, asked.peer_lines)  # the same lines: the seed is
    data = ["-d", os.path.join(asked.crowdsec, "usr/share/crowdsec/data")]

    def ours(some, log):
        _, peak, text, code = measured([asked.bench, *data, "nginx", log, *some])
        if code:
            sys.exit(text)
        return json.loads(text.splitlines()[-1]), peak

    print("| | scenarios | lines/s of CPU | peak MiB | overflows |\n|---|---|---|---|---|")

    def row(name, scenarios, rate, peak, over):
        print(f"| {name} | {scenarios} | {rate:,.0f} | {peak / 1024:.0f} | {over} |", flush=True)

    def our_row(name, some, log):
        got, peak = ours(some, log)
        row(name, got["scenarios"], got["lines_per_cpu_s"], peak, got["overflows"])

    our_row("embergate, reader alone", [], log)
    our_row("embergate, the hub's HTTP scenarios", files, log)
    if not os.path.exists(os.path.join(asked.crowdsec, "usr/bin/crowdsec")):
        print("crowdsec is not there: skipped")
        return
    peer = CrowdSec(asked.crowdsec, work)
    own = peer.own(files, asked.without)
    our_row("embergate, crowdsec's package's", own, begin)
    peer.set_scenarios(own)
    loading, _, text, code = peer.run(empty)
    if code:
        sys.exit(text[-3000:])
    StandIn.alerts = 0
    seconds, peak, text, code = peer.run(begin)
    if code:
        sys.exit(text[-3000:])
    row("crowdsec 1.4.6, its package's", len(own), asked.peer_lines / (seconds - loading), peak, StandIn.alerts)
    print(f"\ncrowdsec: {seconds:.1f} s of CPU in all, {loading:.1f} s of them to load; the last two rows are of {asked.peer_lines} lines")


if __name__ == "__main__":
    main()
