#!/usr/bin/python3
"""CrowdSec's hub: the facts of every log whose type we read are those of the hub's own parsers.

    hub_parsers.py LOGFACTS HUB_VECTORS

LOGFACTS is tests/tools/logfacts.c, HUB_VECTORS the directory with hub-tests.tar.xz; without it the tests are skipped (77).

A hub test has a log, and asserts what its parsers made of each line (parser.assert) and of the lines that an overflow
names (scenario.assert). The first are compared line by line, of the second each must be what one of the lines gave."""
import ast
import collections
import glob
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

import yaml

SKIP = 77
# Not of the line: where it was read, and what scenarios and their labels add.
NOT_OURS = {"datasource_path", "datasource_type", "cve", "target_technology"}
# Why a type is not read.
UNREAD = {"upsun-httplog": "a hoster's own format, nested two deep in JSON"}

# Until this one has run, Parsed.request holds the arguments too.
SPLITS = "crowdsecurity/http-logs"

PARSED = re.compile(r'results\["(s0[12][^"]*)"\]\["([^"]*)"\]\[(\d+)\]\.(?:Success == (true|false)'
                    r'|Evt\.(Meta|Parsed)\["([^"]*)"\] == (".*"))')
EVENT = re.compile(r'results\[(\d+)\]\.Overflow\.Alert\.Events\[(\d+)\]\.GetMeta\("([^"]*)"\) == (".*")')


def read_text(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def lines_of(folder, name):
    path = os.path.join(folder, name)
    return read_text(path).splitlines() if os.path.exists(path) else []


def facts_of(tool, kind, log):
    with open(log, "rb") as f:
        done = subprocess.run([tool, kind], stdin=f, capture_output=True, timeout=60, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []


def known_names(facts):
    """Of a parser's fields only those that have a number: the others no scenario of ours asks for."""
    names = set()
    for f in facts:
        names.update(f["facts"])
    return names


def parser_claims(folder):
    """(stage, parser) -> index -> {"Meta.x": value}, of the lines that the parser took."""
    claims = collections.defaultdict(lambda: collections.defaultdict(dict))
    failed = set()
    for line in lines_of(folder, "parser.assert"):
        m = PARSED.fullmatch(line)
        if m and m[4] == "false":
            failed.add((m[1], m[2], int(m[3])))
        elif m and m[5] and not (m[5] == "Meta" and m[6] in NOT_OURS):
            claims[m[1], m[2]][int(m[3])][f"{m[5]}.{m[6]}"] = ast.literal_eval(m[7])
    return {(stage, parser, i): c for (stage, parser), rows in claims.items() for i, c in rows.items()
            if (stage, parser, i) not in failed}


def event_claims(folder):
    claims = collections.defaultdict(dict)
    for line in lines_of(folder, "scenario.assert"):
        m = EVENT.fullmatch(line)
        if m and m[3] not in NOT_OURS:
            claims[int(m[1]), int(m[2])][f"Meta.{m[3]}"] = ast.literal_eval(m[4])
    return claims


def differences(claim, facts, names):
    return [f"{k}: {facts.get(k, '')!r}, not {v!r}" for k, v in claim.items()
            if (k.startswith("Meta.") or k in names) and facts.get(k, "") != v]


def check(folder, facts):
    """(claims compared, what differs)."""
    read = [f["facts"] for f in facts if f["read"] == "read"]
    names = known_names(facts)
    wrong, n = [], 0
    for (stage, parser, i), claim in parser_claims(folder).items():
        # The first stage sees every line, the second only those of which facts are known.
        rows = [f["facts"] for f in facts] if stage.startswith("s01") else read
        if stage.startswith("s01"):
            claim.pop("Meta.timestamp", None)
        if parser != SPLITS:
            claim.pop("Parsed.request", None)
        n += len(claim)
        bad = differences(claim, rows[i], names) if i < len(rows) else ["no such line"]
        wrong += [f"{stage}/{parser}[{i}] {b}" for b in bad]
    for (i, j), claim in event_claims(folder).items():
        n += len(claim)
        if not any(not differences(claim, f, names) for f in read):
            near = min(read, key=lambda f: len(differences(claim, f, names)), default={})
            wrong.append(f"result {i} event {j}: {differences(claim, near, names)}")
    return n, wrong


def kind_of(config):
    kind = config.get("log_type")
    return config.get("labels", {}).get("program") if kind == "containerd" else kind


def run(tool, root):
    total = failed = 0
    for path in sorted(glob.glob(os.path.join(root, ".tests", "*", "config.yaml"))):
        folder, config = os.path.dirname(path), yaml.safe_load(read_text(path))
        name, kind = os.path.basename(folder), kind_of(config)
        if not kind or not config.get("log_file"):
            continue  # of AppSec rules
        if kind in UNREAD:
            print(f"skip {name}: {kind}: {UNREAD[kind]}")
            continue
        n, wrong = check(folder, facts_of(tool, kind, os.path.join(folder, config["log_file"])))
        total += n
        failed += bool(wrong) or n == 0
        print(f"{'FAIL' if wrong or n == 0 else 'ok  '} {name}: {kind}, {n} claims")
        for w in wrong[:3]:
            print(f"       {w[:300]}")
    print(f"{total} claims compared, {failed} tests differ")
    return failed or not total


def main():
    tool, vectors = sys.argv[1:3]
    archive = os.path.join(vectors, "hub-tests.tar.xz")
    if not os.path.exists(archive):
        print(f"skipped: {archive} is not there")
        return SKIP
    with tempfile.TemporaryDirectory() as root:
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(root)
        return 1 if run(tool, root) else 0


if __name__ == "__main__":
    sys.exit(main())
