#!/usr/bin/python3
"""scanners.py -- wapiti, ffuf and sqlmap attack a real application through the gate; what share is stopped.

    tests/realapp/scanners.py GATE                     a bounded run: more than half of each tool's attacks
    tests/realapp/scanners.py GATE --all [--write F]   every module and level; F's table is written anew
    ... --missed N                                     shows what passed

MediaWiki stands behind the gate with the default packs, but without the rules that know scanners by
their names (category `scanner`); the tools call themselves browsers besides. What counts as an attack
is in attacks.py. Every request is judged alone: no ban follows from the one before.
"""
import argparse
import contextlib
import glob
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "flow"), HERE]
from attacks import Harmless

TOOLS = ("wapiti", "ffuf", "sqlmap")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
WORD = "apple"  # in the arguments that the tools start from
SHARE_WANTED, FEWEST = 0.5, 50
QUIET_NAMES = [{"path": "*", "skip": ["scanner"], "reason": "judge what is sent, not what the tool calls itself"}]

# The pages of the wiki that take something: where an attacker begins.
PLACES = ("/wiki/Main_Page",
          f"/w/index.php?title=Special:Search&search={WORD}&profile=all&fulltext=1",
          "/w/index.php?title=Main_Page&action=history&limit=50",
          "/w/index.php?title=Special:RecentChanges&days=7&namespace=0",
          "/w/index.php?title=Special:UserLogin&returnto=Main_Page",
          f"/w/api.php?action=query&list=search&srsearch={WORD}&format=json",
          f"/w/rest.php/v1/search/page?q={WORD}&limit=5",
          "/w/load.php?lang=en&modules=startup&only=scripts&raw=1")
WAPITI = ("backup", "blindsql", "crlf", "exec", "file", "htaccess", "permanentxss", "redirect", "shellshock", "sql", "ssrf",
          "xss", "xxe")  # not buster, which asks for everyday names, nor what only looks at answers
MARK = "<!-- counts -->"
COLUMNS = ("tool", "requests", "attacks", "blocked by a rule", "refused (400)", "passed", "share blocked")


class Run:
    """One tool's work through the relay, and what it sends that is harmless."""

    def __init__(self, relay, folder, full):
        self.relay, self.folder, self.full = relay, folder, full
        self.address = f"http://127.0.0.1:{relay.port}"
        self.harmless = {}  # label -> Harmless

    def tool(self, label, argv, seconds):
        """Runs it to its end or for so many seconds; what it sends is filed under `label`."""
        self.relay.label = label
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(argv, cwd=self.folder, env={**os.environ, "HOME": self.folder}, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds, check=False)

    def attack(self, label, argv, seconds=300):
        """The same for a tool that is given its target, which is all that is harmless."""
        harmless = self.harmless[label] = Harmless()
        for place in PLACES:
            harmless.add_url(self.address + place)
        harmless.values.update((BROWSER, self.address + "/"))
        self.tool(label, argv, seconds)


def wapiti(run):
    """One crawl, whose requests and forms are harmless, then the attacks on what it found."""
    base = ["wapiti", "-u", run.address + "/", "--scope", "folder", "-d", "1" if run.full else "0", "--max-links-per-page", "20",
            "--max-parameters", "25", "-A", BROWSER, "--store-session", run.folder, "--store-config", run.folder, "-f", "json",
            "-o", os.path.join(run.folder, "report.json"), "--no-bugreport", "-v", "0", "-t", "10", "--flush-attacks",
            "--external-endpoint", "http://collector.example/", "--internal-endpoint", run.address + "/none/"]
    for place in PLACES if run.full else PLACES[:6]:
        base += ["-s", run.address + place]
    run.tool("wapiti: crawl", [*base, "-m", "", "--max-scan-time", "60" if run.full else "15"], 90)
    harmless = Harmless()
    for request in run.relay.requests_of("wapiti: crawl"):
        harmless.add_request(request)
    found_by_wapiti(run.folder, harmless)
    for path in ("/none/", "/none/get_ssrf.php", "/none/get_xxe.php"):  # where it asks whether anything came
        harmless.add_url(run.address + path)
    for modules in WAPITI if run.full else (",".join(WAPITI),):
        label, seconds = f"wapiti: {modules if run.full else 'attacks'}", 60 if run.full else 3
        run.harmless[label] = harmless
        run.tool(label, [*base, "--skip-crawl", "-m", modules, "--max-attack-time", str(seconds)], 60 + seconds)


def found_by_wapiti(folder, harmless):
    """The links and forms with their defaults, from its session file."""
    for file in glob.glob(os.path.join(folder, "*.db")):
        with contextlib.closing(sqlite3.connect(file)) as store:
            for (url,) in store.execute("SELECT path FROM paths WHERE NOT evil"):
                harmless.add_url(url)
            for values in store.execute("SELECT name, value1, value2 FROM params"):
                harmless.values.update(str(value) for value in values if value is not None)


def ffuf(run):
    """Sensitive paths, then payloads in an argument, in a form, in a cookie and in JSON."""
    with open(os.path.join(HERE, "values.txt"), encoding="utf-8") as file:
        payloads = file.read().splitlines()
    escaped = word_list(run, "escaped.txt", (quote(payload, safe="") for payload in payloads))
    in_json = word_list(run, "json.txt", (json.dumps(payload)[1:-1] for payload in payloads))
    base = ["ffuf", "-s", "-mc", "all", "-t", "8", "-timeout", "10", "-H", f"User-Agent: {BROWSER}"]
    form = ["-X", "POST", "-H", "Content-Type: application/x-www-form-urlencoded", "-d", f"wpName=FUZZ&wpPassword={WORD}"]
    document = ["-X", "POST", "-H", "Content-Type: application/json", "-d", '{"source": "FUZZ", "title": "x"}']
    run.attack("ffuf: paths", [*base, "-u", run.address + "/FUZZ", "-w", os.path.join(HERE, "paths.txt")])
    run.attack("ffuf: argument", [*base, "-u", f"{run.address}/w/index.php?search=FUZZ&title=Special:Search", "-w", escaped])
    run.attack("ffuf: form", [*base, "-u", run.address + PLACES[4], "-w", escaped, *form])
    run.attack("ffuf: JSON", [*base, "-u", run.address + "/w/rest.php/v1/page", "-w", in_json, *document])
    run.attack("ffuf: cookie", [*base, "-u", run.address + PLACES[0], "-w", escaped, "-b", "style=FUZZ"])


def word_list(run, name, words):
    path = os.path.join(run.folder, name)
    with open(path, "w", encoding="ascii") as out:
        out.writelines(word + "\n" for word in words)
    return path


def sqlmap(run):
    targets = [("search", PLACES[1], ["-p", "search"], 1), ("API", PLACES[5], ["-p", "srsearch"], 1)]
    if run.full:
        targets = [("search, level 3", PLACES[1], ["-p", "search,title,profile,user-agent,referer"], 3),
                   ("API, level 2", PLACES[5], ["-p", "srsearch,list"], 2),
                   ("history, level 2", PLACES[2], ["-p", "title,limit"], 2),
                   ("login form, level 2", PLACES[4], ["--data", f"wpName={WORD}&wpPassword={WORD}", "-p", "wpName,wpPassword"], 2)]
    for name, place, more, level in targets:
        argv = ["sqlmap", "-u", run.address + place, *more, "--batch", "--flush-session", "--output-dir",
                os.path.join(run.folder, "sqlmap"), "--level", str(level), "--risk", "3" if run.full else "1", "--technique",
                "BEUSTQ", "--time-sec", "1", "--timeout", "10", "--retries", "0", "--ignore-code", "403", "--disable-coloring",
                "--user-agent", BROWSER, "--referer", run.address + "/"]
        run.attack(f"sqlmap: {name}", argv, 300 if run.full else 20)


# ---- counting ----

class Count:
    def __init__(self):
        self.requests = self.attacks = self.blocked = self.refused = 0
        self.passed = []

    def add(self, line, payloads):
        self.requests += 1
        if not payloads:
            return
        self.attacks += 1
        if line["waf"].get("source") == "protocol":
            self.refused += 1
        elif line["event"]["action"] == "deny":
            self.blocked += 1
        else:
            self.passed.append(" ".join(payloads))

    def share(self):
        return self.blocked / self.attacks if self.attacks else 0.0

    def row(self, name):
        share = f"{100 * self.share():.1f} %" if self.attacks else "-"
        return (name, self.requests, self.attacks, self.blocked, self.refused, len(self.passed), share)


def counted(run, lines):
    """{name: Count} for every part of every tool, and for the tools."""
    counts = {tool: Count() for tool in TOOLS}
    for request, line in run.relay.requests(lines):
        harmless = run.harmless.get(request.label)
        payloads = harmless.news(request) if harmless else []
        for name in {request.label.partition(":")[0], request.label}:
            counts.setdefault(name, Count()).add(line, payloads)
    return dict(sorted(counts.items()))


def table(counts):
    rows = [COLUMNS, ["--", *["--:"] * (len(COLUMNS) - 1)], *(count.row(name) for name, count in counts.items())]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def tell_missed(counts, most):
    """The payloads, those that passed most often first."""
    for name, count in counts.items():
        if ":" in name and count.passed:
            print(f"\n{name}: {len(count.passed)} passed")
            for payload, times in Counter(count.passed).most_common(most):
                print(f"{times:6}  {payload[:200]!r}")


def written(file, text):
    """Puts the table and its date between the marks in `file`."""
    versions = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *TOOLS, "mediawiki"],
                              capture_output=True, text=True, check=True).stdout.rstrip(", ")
    with open(file, encoding="utf-8") as old:
        before, _, rest = old.read().partition(MARK)
    after = rest.partition(MARK)[2]
    with open(file, "w", encoding="utf-8") as new:
        new.write(f"{before}{MARK}\nOn {time.strftime('%Y-%m-%d')} with {versions}:\n\n{text}\n{MARK}{after}")


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("gate")
    parse.add_argument("--all", action="store_true", help="every module and level, in about ten minutes")
    parse.add_argument("--write", metavar="FILE", help="the documentation whose table is written anew")
    parse.add_argument("--missed", type=int, default=0, metavar="N", help="show N of the attacks that passed, of each part")
    return parse.parse_args()


def main():
    asked = arguments()
    os.environ["EMBERGATE"] = os.path.abspath(asked.gate)
    from lib.gate import Gate, compile_rules, one_app
    from relay import Relay
    from wiki import Wiki, missing
    absent = missing() + [name for name in TOOLS if not shutil.which(name)]
    if absent:
        print("skipped: not installed: " + ", ".join(absent))
        sys.exit(77)
    compile_rules()
    wiki, folder = Wiki(), tempfile.mkdtemp(prefix="embergate-scanners.")
    try:
        with Gate(one_app(wiki.url, exceptions=QUIET_NAMES), start=False) as gate, Relay(gate.port) as relay:
            run = Run(relay, folder, asked.all)
            with wiki.serving(run.address):
                gate.start()
                for tool in (wapiti, ffuf, sqlmap):
                    started = time.monotonic()
                    tool(run)
                    print(f"{time.monotonic() - started:5.1f} s  {tool.__name__}", flush=True)
            gate.stop()  # all its lines are written
            counts = counted(run, gate.log("access"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = table(counts)
    print(text)
    if asked.missed:
        tell_missed(counts, asked.missed)
    if asked.write:
        written(asked.write, text)
    weak = [tool for tool in TOOLS if counts[tool].attacks < FEWEST or counts[tool].share() <= SHARE_WANTED]
    if weak:
        sys.exit(f"fewer than {FEWEST} attacks, or not more than {SHARE_WANTED:.0%} of them blocked: {', '.join(weak)}")


if __name__ == "__main__":
    main()
