#!/usr/bin/python3
"""The gate against ModSecurity's library, on the inputs of the Core Rule Set's tests.

    tests/ftw/differential.py --gate PROGRAM --oracle PROGRAM crs3|crs4 [--all] [-k PATTERN] [-v]

Each stage's bytes go to the gate as in run.py; parsed here as an HTTP server would, they go to
modsec_oracle too. Both run the same rules with the same settings, and the ids that they log must be
the same, but for what explained.yaml says of rules and tests. A request that the gate refuses, or
that is no HTTP, is not compared.

--oracle-only: how many of the tests the library passes itself.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "flow"))

import yaml

import albedo
import judge
import run
import stand
from corpora import CORPORA, Missing

ORACLE_SECONDS = 600
CODED = b"transfer-encoding"
BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("corpus", choices=sorted(CORPORA))
    parse.add_argument("--gate", default=os.environ.get("EMBERGATE", ""))
    parse.add_argument("--oracle", required=True, help="tests/tools/modsec_oracle.c, built")
    parse.add_argument("--vectors", default=run.VECTORS)
    parse.add_argument("--all", action="store_true", help="every test, not a share")
    parse.add_argument("-k", metavar="PATTERN", default="*")
    parse.add_argument("-j", type=int, default=16)
    parse.add_argument("-v", action="store_true", help="explained differences too")
    parse.add_argument("--oracle-only", action="store_true")
    return parse.parse_args()


# a request as the library is told of it


def parsed(octets):
    """(method, target, version, field lines, body) or None: not HTTP enough."""
    head, mark, body = octets.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    words = first.split(b" ")
    if not mark or len(words) != 3 or not words[2].startswith(b"HTTP/") or BARE.search(head):
        return None
    if any(not name.strip() or not colon for name, colon, _ in (f.partition(b":") for f in fields)):
        return None
    if any(line.lower().startswith(CODED) for line in fields):
        body = dechunked(body)
    else:
        body = body[: stated_length(fields)]
    return words[0], words[1], words[2][5:], fields, body


def stated_length(fields):
    """What is behind so many bytes is another request; without a length everything is."""
    for name, _, value in (line.partition(b":") for line in fields):
        if name.lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


def dechunked(body):
    whole, rest = b"", body
    while rest:
        size, mark, rest = rest.partition(b"\r\n")
        try:
            length = int(size, 16)
        except ValueError:
            return whole
        if not mark or not length:
            return whole
        whole, rest = whole + rest[:length], rest[length + 2 :]
    return whole


def record(octets):
    """The record that modsec_oracle reads; None: nothing that it could be told."""
    request = parsed(octets)
    if request is None:
        return None
    method, target, version, fields, body = request
    status, answer_fields, answer = albedo.reply(method.decode("latin-1"), target.decode("latin-1"), body)
    pairs = [("client", b"127.1.0.1"), ("method", method), ("uri", target), ("version", version)]
    pairs += [("field", line) for line in fields]
    pairs += [("body", body)] if body else []
    pairs += [("status", b"%d" % status)] + [("answer-field", line) for line in answer_fields]
    pairs += [("answer-body", answer), ("end", b"")]
    return b"".join(b"%s %d\n%s\n" % (key.encode(), len(value), value) for key, value in pairs)


def ask_oracle(program, files, records):
    """The set of ids for each record."""
    done = subprocess.run(
        [program, *files],
        input=b"".join(records),
        stdout=subprocess.PIPE,
        timeout=ORACLE_SECONDS,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},  # the library's leaks are not ours
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the oracle ended with {done.returncode}")
    found = [set(map(int, line.split())) for line in done.stdout.decode().splitlines()]
    if len(found) != len(records):
        raise SystemExit(f"the oracle answered {len(found)} of {len(records)}")
    return found


# what is compared


class Explained:
    """explained.yaml: a list of {rules, tests, extra: gate|oracle, reason}; rules or tests may be `any`."""

    def __init__(self, section):
        with open(os.path.join(HERE, "explained.yaml"), encoding="utf-8") as text:
            self.entries = (yaml.safe_load(text) or {}).get(section) or []
        self.used = set()
        for entry in self.entries:
            if set(entry) != {"rules", "tests", "extra", "reason"}:
                raise SystemExit(f"explained.yaml: {section}: an entry is rules, tests, extra and reason: {entry}")

    def reason(self, rule, test, extra):
        for number, entry in enumerate(self.entries):
            if (
                entry["extra"] == extra
                and (entry["rules"] == "any" or rule in entry["rules"])
                and (entry["tests"] == "any" or test in entry["tests"])
            ):
                self.used.add(number)
                return entry["reason"]
        return None

    def unused(self):
        return [entry for number, entry in enumerate(self.entries) if number not in self.used]


def compare(name, ours, theirs, explained, verbose):
    """The differences that nothing explains."""
    differences = [(rule, "gate") for rule in sorted(ours - theirs)]
    differences += [(rule, "oracle") for rule in sorted(theirs - ours)]
    left = []
    for rule, extra in differences:
        why = explained.reason(rule, name, extra)
        if why is None:
            left.append((rule, extra))
        elif verbose:
            print(f"explained {name}: {rule} only in the {extra}: {why}")
    return left


def stages_of(cases):
    """[(name, stage, record)]; stages without a record are left out."""
    every = [(case.name, stage, None if stage.raw else record(stage.bytes)) for case in cases for stage in case.stages]
    return [(name, stage, text) for name, stage, text in every if text]


def differ(asked, corpus, stages, verdicts):
    explained, totals, compared = Explained(asked.corpus), {}, 0
    with stand.Stand(corpus.waf()) as gate, ThreadPoolExecutor(asked.j) as pool:
        outcomes = list(pool.map(lambda s: gate.send(s[1].bytes, s[1].method), stages))
    for (name, _, _), theirs, outcome in zip(stages, verdicts, outcomes):
        ours, hidden = judge.ids_of(outcome.lines)
        if outcome.error or outcome.status in judge.REFUSED:
            continue
        compared += 1
        left = compare(name, ours, theirs, explained, asked.v)
        if hidden:  # the log shows only some: what is missing is not known
            left = [(rule, extra) for rule, extra in left if extra == "gate"]
        for rule, extra in left:
            totals.setdefault((rule, extra), []).append(name)
    for (rule, extra), names in sorted(totals.items(), key=lambda item: -len(item[1])):
        print(f"DIFFERS {rule}: only the {extra} has it, {len(names)} tests: {' '.join(names[:8])}")
    whole = asked.all or run.SHARE[asked.corpus] == 1
    unused = explained.unused() if whole and asked.k == "*" else []
    for entry in unused:
        print(f"STALE explained.yaml: nothing differs so any more: {entry}")
    left = sum(map(len, totals.values()))
    print(f"{asked.corpus}: {compared} of {len(stages)} compared, {left} differences unexplained")
    return 1 if totals or unused else 0


def alone(asked, stages, verdicts):
    """The library's own pass rate, by the same judge."""
    failed, judged = {}, 0
    for (name, stage, _), ids in zip(stages, verdicts):
        if not stage.expect_ids and not stage.no_expect_ids and not stage.no_match:
            continue
        judged += 1
        text = " ".join(f'[id "{rule}"]' for rule in ids)
        silent = not stage.no_match or not re.search(stage.no_match, text)
        if stage.expect_ids - ids or stage.no_expect_ids & ids or not silent:
            failed.setdefault(name.partition("-")[0], []).append(name)
    bad = sum(map(len, failed.values()))
    for names in failed.values():
        print(" ".join(names))
    print(f"{asked.corpus}: the library passes {judged - bad} of {judged} ({100 * (judged - bad) / judged:.2f} %)")
    return 0


def main():
    asked = arguments()
    corpus = CORPORA[asked.corpus]
    try:
        cases, _ = run.chosen(asked)
        files = [os.path.join(HERE, "oracle.conf"), *corpus.files()]
    except Missing as why:
        print(f"skipped: {why}")
        return run.SKIP
    stages = stages_of(cases)
    started = time.monotonic()
    verdicts = ask_oracle(asked.oracle, files, [text for _, _, text in stages])
    print(f"the library took {time.monotonic() - started:.0f} s for {len(stages)} requests")
    if asked.oracle_only:
        return alone(asked, stages, verdicts)
    stand.program(asked.gate)
    return differ(asked, corpus, stages, verdicts)


if __name__ == "__main__":
    sys.exit(main())
