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

# In its package's form it makes an expression anew for each event.
WITHOUT = ["thinkphp-cve-2018-20062.yaml"]


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


class Failed(Exception):
    pass


def ours(bench, share, some, log):
    """A row of our agent's."""
    _, peak, text, code = measured([bench, "-d", os.path.join(share, "data"), "nginx", log, *some])
    if code:
        raise Failed(text)
    got = json.loads(text.splitlines()[-1])
    return {"scenarios": got["scenarios"], "lines_per_cpu_s": got["lines_per_cpu_s"], "peak_kb": peak, "overflows": got["overflows"]}


def theirs(peer, files, log, empty, lines):
    """A row of CrowdSec's; what an empty log takes is to load."""
    peer.set_scenarios(files)
    loading, _, text, code = peer.run(empty)
    StandIn.alerts = 0
    seconds, peak, more, code = peer.run(log) if not code else (0, 0, "", code)
    if code:
        raise Failed((text + more)[-3000:])
    return {"lines_per_cpu_s": round(lines / (seconds - loading)), "peak_kb": peak, "overflows": StandIn.alerts,
            "loading_s": round(loading, 1)}


def rows(bench, scenarios, work, lines, peer_lines=10000, root="/", without=WITHOUT):
    """What is measured, a row each: {peer, what, lines, scenarios, lines_per_cpu_s, peak_kb, overflows}. Failed: it cannot be."""
    os.makedirs(work, exist_ok=True)
    share = os.path.join(root, "usr/share/crowdsec")
    log, begin, empty = (os.path.join(work, f"{n}.log") for n in (lines, peer_lines, 1))
    for path, n in ((log, lines), (begin, peer_lines), (empty, 1)):
        if not os.path.exists(path):
            write_log(path, n)  # begins as the others do: the seed is
    files = sorted(glob.glob(os.path.join(scenarios, "**/*.yaml"), recursive=True))
    yield {"peer": "embergate", "what": "reader alone", "lines": lines} | ours(bench, share, [], log)
    if files:
        yield {"peer": "embergate", "what": "the hub's HTTP scenarios of today", "lines": lines} | ours(bench, share, files, log)
    if not os.path.exists(os.path.join(root, "usr/bin/crowdsec")):
        return
    peer = CrowdSec(root, work)
    own = peer.own(files, without)
    yield {"peer": "embergate", "what": f"the package's {len(own)} files", "lines": peer_lines} | ours(bench, share, own, begin)
    yield {"peer": "crowdsec", "what": f"the package's {len(own)} files", "lines": peer_lines} | theirs(peer, own, begin, empty, peer_lines)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("bench")
    parse.add_argument("scenarios")
    parse.add_argument("--lines", type=int, default=1000000)
    parse.add_argument("--peer-lines", type=int, default=10000, help="CrowdSec reads the first so many (it needs minutes)")
    parse.add_argument("--crowdsec", default="/")
    parse.add_argument("--without", action="append", help=f"a scenario's file name that CrowdSec's package has and neither gets; {WITHOUT[0]}")
    parse.add_argument("--work")
    asked = parse.parse_args()
    work = asked.work or tempfile.mkdtemp(prefix="embergate-agent-bench.")
    try:
        for row in rows(asked.bench, asked.scenarios, work, asked.lines, asked.peer_lines, asked.crowdsec, asked.without or WITHOUT):
            print(json.dumps(row), flush=True)
    except Failed as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
