#!/usr/bin/python3
"""Our own scenarios: what overflows which, at which event, and what must not overflow any.

    scenario_packs.py PROGRAM [PACK ...] [-a]
    scenario_packs.py PROGRAM --hub DIRECTORY [-d DATA]...

PROGRAM is tests/tools/scenarios.c. Beside every scenarios/packs/NAME.yaml stands NAME.test.yaml, a list of
{name, of, events, expect}; all events go through all packs. `expect` is a list of SCENARIO@N, N the event's number in its
case, and it is exact; without it nothing overflows. Each scenario has at least one case that overflows it and two
look-alikes, cases that name it in `of` and overflow nothing. Then come the streams of scenario_streams.py, half an hour
of people and their programs, which overflow nothing either. tests/scenarios/NAME.yaml are scenarios of types that our packs
do not use; they have their tests beside them likewise.

`events` is a list of steps, one after the other:
  repeat, every   how often (once), and how far apart ("1s")
  at              when it begins; without it, `every` after the step before. Steps that overlap are merged by time
  login           success or failure: a POST to /login with its outcome
  logs            true: as a log has it, nothing that only a gate knows
and facts by their last names (http_path, http_status, user; the first in `PROGRAM -f` counts), in which {n} is the number
of the repetition from 1, {n%7} its rest, {n/7} its quotient. What is not said is as in `plain` below.

--hub: how the hub's scenarios do with the streams; they are told, not judged."""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
PACKS = os.path.join(HERE, "..", "scenarios", "packs")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000}
OWN = {"repeat", "every", "at", "login", "logs"}


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(ms|s|m|h)", str(text)).groups()
    return int(float(number) * UNITS[unit])


def plain(facts):
    """A GET that a browser's script sends, where the facts say nothing else."""
    ip = facts.get("source_ip", "192.0.2.10")
    filled = {"source_ip": ip, "service": "http", "log_type": "http_access-log", "http_path": "/", "http_verb": "GET",
              "http_status": "200", "http_version": "1.1", "http_user_agent": BROWSER, "target_fqdn": "shop.example", "app": "shop",
              "network": ip.rpartition(".")[0] + ".0/24", "cookies": "true", "navigation": "false", "fingerprint": "f0",
              "malformed": "false"}
    filled.update(facts)
    return filled


class Facts:
    """Names of facts, as the program has them."""

    def __init__(self, program):
        rows = subprocess.run([program, "-f"], stdout=subprocess.PIPE, check=True, text=True).stdout.split("\n")
        self.rows = [row.split(" ") for row in rows if row]
        self.full = {}
        for name, _ in self.rows:
            self.full.setdefault(name.rpartition(".")[2], name)

    def line(self, at_ms, facts, logs=False):
        event = {"at_ms": at_ms}
        for name, value in facts.items():
            where, _, last = self.full[name].rpartition(".")
            if value != "" and not (logs and where == "Gate"):
                event.setdefault(where, {})[last] = str(value)
        return json.dumps(event, separators=(",", ":"))


def expand(value, n):
    def one(m):
        return str(n if not m[1] else n % int(m[2]) if m[1] == "%" else n // int(m[2]))
    return re.sub(r"\{n(?:([%/])(\d+))?\}", one, str(value).lower() if isinstance(value, bool) else str(value))


def logged_in(facts, outcome):
    login = {"http_verb": "POST", "http_path": "/login", "route": "login", "login": outcome, "http_status": 200}
    if outcome == "failure":
        login.update(sub_type="auth_fail", http_status=401)
    return {**login, **facts}


def steps(case):
    """(at_ms, facts, logs) by time."""
    found, now = [], 0
    for step in case["events"]:
        every = milliseconds(step.get("every", "1s"))
        now = milliseconds(step["at"]) if "at" in step else now
        for n in range(1, step.get("repeat", 1) + 1):
            facts = {k: expand(v, n) for k, v in step.items() if k not in OWN}
            if "login" in step:
                facts = logged_in(facts, step["login"])
            found.append((now, plain(facts), step.get("logs", False)))
            now += every
    return sorted(found, key=lambda e: e[0])


def replay(program, arguments, files, cases):
    """cases: (name, lines of events). Yields (name, overflow, number of the event)."""
    lines, places = [], [None]
    for name, events in cases:
        lines.append('{"case":""}')
        places.append(None)
        for n, line in enumerate(events, 1):
            lines.append(line)
            places.append((name, n))
    done = subprocess.run([program, *arguments, "-e", *files], input="\n".join(lines).encode() + b"\n", stdout=subprocess.PIPE,
                          check=True, timeout=280)
    for line in done.stdout.splitlines():
        told = json.loads(line)
        name, n = places[told["line"]]
        yield name, told, n
    print("%d events" % (len(lines) - len(cases)), file=sys.stderr)


def load(path):
    return [dict(case, file=os.path.basename(path)) for case in yaml.safe_load(open(path))]


def thin(files, cases):
    """Scenarios with too few tests, and tests of none."""
    names = [doc["name"] for file in files for doc in yaml.safe_load_all(open(file))]
    over = {e.partition("@")[0] for case in cases for e in case.get("expect", [])}
    alike = [case["of"] for case in cases if not case.get("expect")]
    few = ["%s: %s" % (n, "nothing overflows it" if n not in over else "%d look-alikes" % alike.count(n))
           for n in names if n not in over or alike.count(n) < 2]
    return few + ["%s: no such scenario" % n for n in sorted((over | {c["of"] for c in cases}) - set(names))]


def judge(program, arguments, facts, files, cases):
    """Faults of one set of files."""
    wanted = {c["name"]: set(c.get("expect", [])) for c in cases}
    told = {name: set() for name in wanted}
    if len(wanted) != len(cases):
        return ["two cases have one name"]
    expanded = [(c["name"], [facts.line(*event) for event in (steps(c) if "events" in c else c["stream"])]) for c in cases]
    for name, overflow, n in replay(program, arguments, files, expanded):
        told[name].add("%s@%d" % (overflow["scenario"], n))
    return ["%s: %s: expected %s, found %s" % (c["file"], c["name"], sorted(wanted[c["name"]]) or "nothing",
                                               sorted(told[c["name"]]) or "nothing")
            for c in cases if told[c["name"]] != wanted[c["name"]]]


def streams():
    import scenario_streams
    return [{"name": name, "file": "streams", "stream": [(at, plain(f), False) for at, f in events]}
            for name, events in scenario_streams.all_streams()]


def undocumented(facts, names):
    """docs/scenarios.md has a row for each fact and for each scenario."""
    text = open(os.path.join(HERE, "..", "docs", "scenarios.md")).read()
    told, true = (set(re.findall(r"^\| `evt\.([\w.]+)` \| (\w+) \|", text, re.M)), {tuple(row) for row in facts.rows})
    return (["docs/scenarios.md: evt.%s at %s is no fact" % row for row in sorted(told - true)] +
            ["docs/scenarios.md: evt.%s at %s is missing" % row for row in sorted(true - told)] +
            ["docs/scenarios.md: %s is missing" % n for n in names if "`%s`" % n.rpartition("/")[2] not in text])


def hub(program, directory, data):
    facts = Facts(program)
    files = sorted(glob.glob(directory + "/**/*.yaml", recursive=True))
    told = {}
    for name, overflow, n in replay(program, [w for d in data for w in ("-d", d)], files,
                                    [(c["name"], [facts.line(*e) for e in c["stream"]]) for c in streams()]):
        told.setdefault((name, overflow["scenario"]), []).append(n)
    for (name, scenario), at in sorted(told.items()):
        print("%s: %s, %d times, first at event %d" % (name, scenario, len(at), at[0]))
    return 0


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("program")
    parse.add_argument("only", nargs="*", metavar="PACK", help="only the tests of these packs")
    parse.add_argument("-a", dest="all", action="store_true", help="every filter runs, none is gated")
    parse.add_argument("--hub", help="a directory of scenarios")
    parse.add_argument("-d", dest="data", action="append", default=[])
    asked = parse.parse_args()
    if asked.hub:
        return hub(asked.program, asked.hub, asked.data)
    facts = Facts(asked.program)
    everything = sorted(glob.glob(os.path.join(PACKS, "*.yaml")))
    packs = [path for path in everything if not path.endswith(".test.yaml")]
    cases = [case for path in everything if path not in packs for case in load(path)]
    faults = thin(packs, cases)
    faults += undocumented(facts, [doc["name"] for file in packs for doc in yaml.safe_load_all(open(file))])
    cases = [c for c in cases if not asked.only or c["file"].partition(".")[0] in asked.only]
    cases += [] if asked.only else streams()
    arguments = ["-a"] if asked.all else []
    faults += judge(asked.program, arguments, facts, packs, cases)
    for path in [] if asked.only else sorted(glob.glob(os.path.join(HERE, "scenarios", "*.test.yaml"))):
        vectors = load(path)
        faults += judge(asked.program, arguments, facts, [path.replace(".test.yaml", ".yaml")], vectors)
        cases += vectors
    print("\n".join(faults))
    print("%d cases, %d faults" % (len(cases), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
