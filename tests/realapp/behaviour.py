#!/usr/bin/python3
"""behaviour.py -- tools and crowds against the gate: what reaches the origin before the first remedy.

    tests/realapp/behaviour.py GATE               a bounded run: each must be held in time, the visitors not at all
    tests/realapp/behaviour.py GATE --all         longer, also without rules, and Chromium
    ... --write F                                 the table in F is written anew

dirb, ffuf, wapiti and sqlmap meet the wiki, hydra and crowd.py's clients a shop that counts. Every client has
an address of its own, told by the PROXY protocol: nothing is ever held against loopback. The tools call
themselves browsers: ffuf, sqlmap and hydra would be stopped at the first request by their own names.
"""
import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "flow"), HERE]
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
TOOLS = ("dirb", "ffuf", "wapiti", "sqlmap", "hydra")
WORDS = "/usr/share/dirb/wordlists/common.txt"
SEARCH = "/w/index.php?title=Special:Search&search=apple&profile=all&fulltext=1"
VISITOR = "81.200.0.7"  # Chromium's
LOGINS = [{"path": "/login", "user": "name", "status": 401}]
SECONDS = {"wapiti": 15, "sqlmap": 10}  # in the bounded run, where others have 6
# At the origin before the first remedy, at most: about twice what was seen.
MOST = {"dirb": 20, "ffuf": 20, "ffuf, everyday names": 40, "wapiti": 60, "sqlmap": 20, "hydra": 30,
        "stuffing from one /24": 25, "stuffing from 200 networks": 40, "scraping from 200 networks": 80}
MARK = "<!-- counts -->"
COLUMNS = ("against the gate", "requests", "at the origin before the first remedy", "after", "at the origin in all",
           "addresses held", "by")


def behind_balancer(gate):
    return {"listen": [{"bind": f"127.0.0.1:{gate.port}", "proxy_protocol": "v2", "from": ["127.0.0.0/8"]}]}


@contextlib.contextmanager
def gate_for(url, rules, **app):
    """With our scenarios, as it is shipped; without `rules` nothing else stops anyone."""
    from lib.gate import CALM, Gate, one_app
    gate = Gate(start=False)
    gate.write(one_app(url, behind_balancer(gate), **({} if rules else {"waf": CALM}), **app))
    with gate:
        yield gate


# ---- what is run ----

def dirb(address, _):
    return ["dirb", address + "/", WORDS, "-S", "-r", "-w", "-a", BROWSER]


def ffuf(address, _, words=WORDS):
    return ["ffuf", "-s", "-mc", "all", "-t", "8", "-H", f"User-Agent: {BROWSER}", "-u", address + "/FUZZ", "-w", words]


def ffuf_everyday(address, folder):
    """Of the list what a site may well have: no dots, no names of programs."""
    with open(WORDS, encoding="latin-1") as file:
        words = [word for word in file.read().split() if re.fullmatch("[a-z]{3,7}", word)]
    return ffuf(address, folder, words_in(folder, "everyday", words))


def wapiti(address, folder):
    return ["wapiti", "-u", address + "/", "-s", address + SEARCH, "--scope", "folder", "-d", "1", "-A", BROWSER,
            "-m", "sql,xss,exec,file", "--max-scan-time", "5", "--store-session", folder, "--store-config", folder,
            "-o", folder + "/report", "--no-bugreport", "-v", "0", "--flush-session",
            "--external-endpoint", "http://collector.example/", "--internal-endpoint", address + "/none/"]


def sqlmap(address, folder):
    return ["sqlmap", "-u", address + SEARCH, "-p", "search", "--batch", "--flush-session", "--output-dir", folder,
            "--level", "2", "--technique", "BEUSTQ", "--time-sec", "1", "--timeout", "10", "--retries", "0",
            "--ignore-code", "403", "--disable-coloring", "--user-agent", BROWSER]


def hydra(address, folder):
    names, passwords = (words_in(folder, word, (f"{word}{i}" for i in range(100))) for word in ("name", "password"))
    agent = BROWSER.replace(":", "\\:")
    form = f"/login:name=^USER^&password=^PASS^:H=User-Agent\\: {agent}:F=wrong"
    return ["hydra", "-I", "-t", "8", "-L", names, "-P", passwords, "-s", address.rpartition(":")[2], "127.0.0.1",
            "http-post-form", form]


def words_in(folder, name, words):
    with open(os.path.join(folder, name), "w", encoding="ascii") as out:
        out.writelines(word + "\n" for word in words)
    return out.name


def run_tool(argv, relay, folder, seconds):
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(argv(f"http://127.0.0.1:{relay.port}", folder), cwd=folder, env={**os.environ, "HOME": folder},
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds,
                       check=False)


# ---- counting ----

def remedied(line):
    """By a scenario, or by what one has decided."""
    return line["waf"].get("source") == "scenario" and line["event"]["action"] not in ("allow", "log")


def begin(line):
    """In seconds since 1970."""
    return datetime.fromisoformat(line["@timestamp"]).timestamp()


def end(line):
    return begin(line) + line["event"]["duration"] / 1e9


class Count:
    """What became of the requests of some addresses."""

    def __init__(self, name, addresses, lines, asked):
        mine = set(addresses)
        lines = [line for line in lines if line["client"]["ip"] in mine]
        met = [line for line in lines if remedied(line)]
        at_origin = [when for when, address in asked if address in mine]
        self.name, self.requests, self.total, self.addresses = name, len(lines), len(at_origin), len(mine)
        self.first = min(map(end, met), default=None)
        self.before = sum(self.first is None or when <= self.first for when in at_origin)
        begun = min(map(begin, lines), default=0)
        self.after = self.first - begun if met else None
        self.held = len({line["client"]["ip"] for line in met})
        self.by = Counter(line["event"]["reason"].removeprefix("embergate/") for line in met)

    def row(self):
        return (self.name, self.requests, self.before, spoken(self.after), self.total,
                f"{self.held} of {self.addresses}", ", ".join(name for name, _ in self.by.most_common(3)) or "-")


def spoken(seconds):
    if seconds is None:
        return "never"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def asked_of(wiki):
    """What the wiki's own server says: (when it came, address)."""
    with open(wiki.path("asked.log"), encoding="ascii") as file:
        for line in file:
            ended, took, *chain = line.split()
            yield float(ended) - float(took), chain[0].rstrip(",")


# ---- the parts ----

ON_WIKI = {"dirb": dirb, "ffuf": ffuf, "ffuf, everyday names": ffuf_everyday, "wapiti": wapiti, "sqlmap": sqlmap}


def place(number):
    return f"198.18.{100 + number}.7"


def against_wiki(full, rules, modules):
    """The tools that look for pages; before them Chromium's session, where that is asked for."""
    from relay import Relay
    from wiki import Wiki
    wiki, folder = Wiki(), tempfile.mkdtemp(prefix="embergate-behaviour.")
    try:
        with gate_for(wiki.url, rules) as gate, Relay(gate.port) as relay:
            with wiki.serving(f"http://127.0.0.1:{relay.port}"):
                gate.start()
                if modules:
                    visit(relay, modules, folder)
                for number, (tool, argv) in enumerate(ON_WIKI.items()):
                    relay.address = place(number)
                    run_tool(argv, relay, folder, 40 if full else SECONDS.get(tool, 6))
                asked = list(asked_of(wiki))
            gate.stop()
            lines = gate.log("access")
        if modules:
            untouched("Chromium", [line for line in lines if line["client"]["ip"] == VISITOR], 100)
        return [Count(titled(tool, rules), [place(number)], lines, asked) for number, tool in enumerate(ON_WIKI)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def visit(relay, modules, folder):
    """The session that browser.py has: what a person does in an hour."""
    from browser import session
    relay.address = VISITOR
    odd = session(f"http://127.0.0.1:{relay.port}", modules, folder)["odd"]
    if odd:
        raise AssertionError("not for a visitor:\n" + "\n".join(odd))


def titled(tool, rules):
    return tool if rules else f"{tool}, no rules"


def against_shop(full):
    """hydra and the crowds, while the shop's visitors go about their business."""
    from crowd import CHROME, Company, HOST, Shop, library, neighbours, scraping, strangers, stuffing
    from relay import Relay
    each, pages, rate = (5, 15, 60) if full else (2, 2, 50)
    going_on = (*CHROME, f"Referer: http://{HOST}/", "Cookie: sid=1")
    crowds = [("stuffing from one /24", stuffing, neighbours(1), each, library(1)),
              ("stuffing from 200 networks", stuffing, strangers(101), each, library(2)),
              ("scraping from 200 networks", scraping, strangers(102), pages, library(3))]
    if full:
        crowds.append(("scraping from one /24", scraping, neighbours(2), pages, library(4)))
    imitators = [("stuffing, with a browser's headers", stuffing, strangers(103), each, CHROME),
                 ("scraping, with a browser's headers", scraping, strangers(104), pages, CHROME),
                 ("scraping, with those, cookie and Referer", scraping, strangers(105), pages, going_on)]
    folder = tempfile.mkdtemp(prefix="embergate-behaviour.")
    try:
        with Shop() as shop, gate_for(shop.url, False, logins=LOGINS) as gate, Relay(gate.port) as relay:
            gate.start()
            company = Company(gate)
            relay.address = "198.18.90.7"
            run_tool(hydra, relay, folder, 20 if full else 6)
            attacks(gate, crowds, rate)
            company.end()
            switched, known = time.time(), set(company.statuses)
            if full:
                company = Company(gate)
                attacks(gate, imitators, rate)
                company.end()
                crowds += imitators
            gate.stop()
            lines = gate.log("access")
            visits = [line for line in lines if line["client"]["ip"] in known.union(company.statuses)]
            untouched("the company", [line for line in visits if begin(line) < switched], 150)
            if full:
                beside_imitators([line for line in visits if begin(line) > switched])
            counts = [Count("hydra", [relay.address], lines, shop.asked)]
            return counts + [Count(name, addresses, lines, shop.asked) for name, _, addresses, _, _ in crowds]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def attacks(gate, crowds, rate):
    for _, attack, addresses, times, fields in crowds:
        attack(gate, addresses, times, 2 * rate if attack.__name__ == "scraping" else rate, fields)


def beside_imitators(lines):
    """While a crowd looks as they do people are asked, but nobody is denied; programs look like themselves."""
    people = [line for line in lines if line["client"]["ip"].startswith("81.")]
    programs = [line for line in lines if not line["client"]["ip"].startswith("81.")]
    untouched("crawlers, feeds and a program", programs, 50)
    met = [line for line in people if line["event"]["action"] != "allow"]
    addresses, asked = ({line["client"]["ip"] for line in group} for group in (people, met))
    print(f"people beside a crowd with their headers: {len(asked)} of {len(addresses)} were challenged", flush=True)
    if any(line["event"]["action"] != "challenge" for line in met):
        raise AssertionError("a person was not only challenged")


def untouched(who, lines, fewest):
    """Not one of their requests met a remedy, of whatever kind; and there were some."""
    met = [f"{line['client']['ip']} {line['event']['action']} {line['event'].get('reason')} {line['url']['path']}"
           for line in lines if line["event"]["action"] != "allow"]
    if met or len(lines) < fewest:
        raise AssertionError(f"{who}: {len(met)} of {len(lines)} requests met a remedy\n" + "\n".join(met[:20]))
    addresses = len({line["client"]["ip"] for line in lines})
    print(f"{who}: {len(lines)} requests from {addresses} addresses, none met a remedy", flush=True)


# ---- telling ----

def table(counts):
    rows = [COLUMNS, ["--", *["--:"] * (len(COLUMNS) - 2), "--"], *(count.row() for count in counts)]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def written(file, text):
    """Puts the table and its date between the marks in `file`."""
    versions = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *TOOLS], capture_output=True,
                              text=True, check=True).stdout.rstrip(", ")
    with open(file, encoding="utf-8") as old:
        before, _, rest = old.read().partition(MARK)
    with open(file, "w", encoding="utf-8") as new:
        new.write(f"{before}{MARK}\nOn {time.strftime('%Y-%m-%d')} with {versions}:\n\n{text}\n{MARK}")
        new.write(rest.partition(MARK)[2])


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("gate")
    parse.add_argument("--all", action="store_true", help="longer, also without rules, and Chromium")
    parse.add_argument("--write", metavar="FILE", help="the documentation whose table is written anew")
    asked = parse.parse_args()
    program = os.environ["EMBERGATE"] = os.path.abspath(asked.gate)
    from browser import driver
    from lib.gate import compile_rules
    from wiki import missing
    wanted = (*TOOLS, *(("node", "npm", "chromium") if asked.all else ()))
    absent = missing() + [name for name in wanted if not shutil.which(name)]
    if absent:
        print("skipped: not installed: " + ", ".join(absent))
        sys.exit(77)
    compile_rules()
    counts = against_shop(asked.all)
    if asked.all:
        counts += against_wiki(True, False, None)
    modules = driver(os.path.join(os.path.dirname(program), "realapp")) if asked.all else None
    counts += against_wiki(asked.all, True, modules)
    text = table(counts)
    print(text)
    if asked.write:
        written(asked.write, text)
    late = [count.name for count in counts
            if count.name in MOST and (count.after is None or count.before > MOST[count.name])]
    if late:
        sys.exit("no remedy, or one that came late: " + "; ".join(late))


if __name__ == "__main__":
    main()
