#!/usr/bin/env python3
"""docs/metrics.md, the dashboard for Grafana and the alerts, against what a running gate exports.

    metrics_docs.py GATE

Every family is documented with its labels, and every name and label that an expression asks for is exported. Where
Prometheus' promtool is installed it checks the alerts' syntax too."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "flow"))
os.environ["EMBERGATE"] = os.path.abspath(sys.argv[1])
from lib import certs
from lib.gate import Gate, one_app
from lib.claims import eventually
from lib.origin import Origin
from lib.ports import free_port
from lib.redis import Redis

NAME = re.compile(r"\b((?:embergate|process)_[a-z0-9_]+)")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
OF_PROMETHEUS = {"le", "instance", "job"}


def scrape():
    """The text of a gate with a bit of everything that needs no other server."""
    with contextlib.ExitStack() as stack:
        folder, origin = stack.enter_context(tempfile.TemporaryDirectory()), stack.enter_context(Origin())
        shared = {}
        if shutil.which("redis-server"):
            shared["redis"] = {"url": stack.enter_context(Redis()).url}
        with open(f"{folder}/bad.txt", "w", encoding="ascii") as file:
            file.write("192.0.2.1\n")
        cert, key = certs.make(folder, "shop.example", "*.shop.example")
        with Gate({}, start=False) as gate:
            bind = {"bind": f"127.0.0.1:{gate.port}"}
            gate.write({**one_app(origin.url, rules=[{"path": "/wait", "do": "challenge"}]),
                        "listen": [bind, {"bind": f"127.0.0.1:{free_port()}", "tls": True}],
                        "tls": {"certs": [{"cert": cert, "key": key}]}, **shared,
                        "cti": {"lists": [{"name": "bad", "file": f"{folder}/bad.txt"}]}})
            gate.start()
            if shared:
                eventually(lambda: gate.metrics().get("embergate_redis_duration_seconds_count"), 10, "an answer of Redis")
            eventually(lambda: gate.metrics().get('embergate_cti_entries{list="bad"}'), 10, "the list")
            for target in "/", "/.git/config", "/wait":
                gate.ask(target=target, fields=["Accept: text/html", "Sec-Fetch-Mode: navigate"])
            return gate.admin("/metrics").text


def families(text):
    """{name: (type, set of labels that its samples have)}; the set is empty where there is no sample."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    found = {name: (kind, set()) for name, kind in types.items()}
    for name, labels in re.findall(r"^([a-z_0-9]+)(?:\{(.*)\})? \S+$", text, re.M):
        base = next((n for n in types if name == n or name in [n + s for s in SUFFIXES.get(types[n], ())]), None)
        assert base, f"{name} has no # TYPE"
        found[base][1].update(set(re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', labels)) - {"le"})
    return found


def documented():
    """{name: labels} of the tables."""
    with open(f"{ROOT}/docs/metrics.md", encoding="utf-8") as page:
        rows = re.findall(r"^\| `(embergate_[a-z0-9_]+)`(?: \((\w+)\))? \|([^|]*)\|", page.read(), re.M)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def sample_names(name, kind):
    return {name} if kind not in SUFFIXES else {name + suffix for suffix in SUFFIXES[kind]}


def check_page(exported, told):
    ours = {name: of for name, of in exported.items() if name.startswith("embergate_")}
    wrong = [f"{name} is not in docs/metrics.md" for name in ours.keys() - told.keys()]
    wrong += [f"docs/metrics.md has {name}, which is not exported" for name in told.keys() - ours.keys()]
    for name in ours.keys() & told.keys():
        kind, labels = ours[name]
        if labels and labels != told[name][1]:
            wrong.append(f"{name}: labels are {sorted(labels)}, docs/metrics.md says {sorted(told[name][1])}")
        if (kind if kind in SUFFIXES else "") != told[name][0]:
            wrong.append(f"{name} is a {kind}, docs/metrics.md says '{told[name][0]}'")
    return wrong


def check_expression(where, text, exported, told):
    wrong = []
    samples = {s: n for n, (kind, _) in exported.items() for s in sample_names(n, kind)}
    plain = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    names = NAME.findall(plain)
    if not names:
        wrong.append(f"{where}: asks for nothing: {text}")
    for name in names:
        if name not in samples:
            wrong.append(f"{where}: {name} is not exported")
    known = OF_PROMETHEUS.union(*(told.get(samples[n], ("", set()))[1] for n in names if n in samples))
    grouped = {label for words in re.findall(r"\bby \(([^)]*)\)", plain) for label in words.split(", ")}
    for selector in re.findall(r"\{([^}]*)\}", plain):
        grouped |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
    return wrong + [f"{where}: no metric in it has the label {label}" for label in grouped - known]


def expressions():
    with open(f"{ROOT}/docs/grafana/embergate.json", encoding="utf-8") as file:
        board = json.load(file)
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel '{panel['title']}'", target["expr"]
    for note in board["annotations"]["list"]:
        yield f"annotation '{note['name']}'", note["expr"]
    with open(f"{ROOT}/docs/alerts/embergate.yaml", encoding="utf-8") as file:
        for group in yaml.safe_load(file)["groups"]:
            for rule in group["rules"]:
                yield f"alert {rule['alert']}", rule["expr"]


def check_board():
    """Panels do not lie over each other, and each has a number of its own."""
    with open(f"{ROOT}/docs/grafana/embergate.json", encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    wrong, taken = [], {}
    if len({panel["id"] for panel in panels}) != len(panels):
        wrong.append("two panels have one id")
    for panel in panels:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                if taken.setdefault((x, y), panel["title"]) != panel["title"] or x >= 24:
                    wrong.append(f"panel '{panel['title']}' lies over '{taken[x, y]}' or outside")
    return wrong


def main():
    text = scrape()
    exported, told = families(text), documented()
    wrong = check_page(exported, told) + check_board()
    queries = list(expressions())
    for where, expression in queries:
        wrong += check_expression(where, expression, exported, told)
    promtool = shutil.which("promtool")
    if promtool:
        done = subprocess.run([promtool, "check", "rules", f"{ROOT}/docs/alerts/embergate.yaml"], capture_output=True,
                              text=True, timeout=60, check=False)
        wrong += [done.stdout + done.stderr] if done.returncode else []
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60,
                              check=False)
        wrong += [done.stdout + done.stderr] if done.returncode == 1 else []  # 3: only its taste
    if wrong:
        sys.exit("\n".join(sorted(set(wrong))))
    print(f"{len(exported)} families, {len(queries)} expressions" + ("" if promtool else "; skipped: promtool is not installed"))


if __name__ == "__main__":
    # A page that is wrong must not pass.
    assert check_expression("x", "embergate_none_total", {}, {})
    assert check_expression("x", "sum by (nobody) (embergate_a)", {"embergate_a": ("gauge", set())}, {"embergate_a": ("", {"app"})})
    assert not check_expression("x", 'embergate_a{app="{x}"}', {"embergate_a": ("gauge", set())}, {"embergate_a": ("", {"app"})})
    main()
