#!/usr/bin/python3
"""The Core Rule Set's own tests, through the real gate.

    tests/ftw/run.py --gate PROGRAM crs3|crs4 [--all] [-k PATTERN] [-v]

Each test's bytes go to the gate, in mode `detect` at paranoia level 4, in front of an origin that
answers as the test wants; the ids of the rules that hit are read from its log. A test that fails
must stand in deviations.yaml, and what stands there must fail. The rules are Debian's
modsecurity-crs (crs3), or a checkout that EMBERGATE_CRS_DIR names (crs4); without them the tests
are skipped (77).

--packs: the same bytes against our own packs. Nothing is judged but that each request is answered
well-formed, or cut, and has its line in the log.
"""
import argparse
import concurrent.futures
import fnmatch
import hashlib
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "flow"))

import judge
import known
import stand
from corpora import CORPORA, Missing

VECTORS = os.path.join(HERE, "..", "..", "..", "shared", "vectors")
SHARE = {"crs3": 1, "crs4": 4}  # one test in so many, unless --all
SKIP = 77


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("corpus", choices=sorted(CORPORA))
    parse.add_argument("--gate", default=os.environ.get("EMBERGATE", ""), help="the program under test")
    parse.add_argument("--vectors", default=VECTORS, help="where the tests lie (%(default)s)")
    parse.add_argument("--all", action="store_true", help="every test, not a share")
    parse.add_argument("-k", metavar="PATTERN", default="*", help="only tests of that name, 942*")
    parse.add_argument("-j", type=int, default=16, help="requests in flight (16)")
    parse.add_argument("-v", action="store_true", help="known failures and the families too")
    parse.add_argument("--packs", action="store_true", help="against our own packs")
    return parse.parse_args()


def in_share(name, share):
    """The same tests each time, whatever else there is."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % share == 0


def chosen(asked):
    share = 1 if asked.all else SHARE[asked.corpus]
    cases = CORPORA[asked.corpus].cases(asked.vectors)
    return [c for c in cases if in_share(c.name, share) and fnmatch.fnmatch(c.name, asked.k)], len(cases)


def try_case(gate, case):
    """Faults of one test; empty: it passes."""
    for number, stage in enumerate(case.stages, 1):
        wrong = judge.faults(stage, gate.send(stage.bytes, stage.method, stage.raw))
        if wrong:
            return (f"stage {number}: " if len(case.stages) > 1 else "") + "; ".join(wrong)
    return ""


def run_case(gate, case):
    fault = try_case(gate, case)
    return try_case(gate, case) if fault and case.retry else fault


def sound_case(gate, case):
    """For --packs: what must hold whatever the rules are."""
    for stage in case.stages:
        outcome = gate.send(stage.bytes, stage.method, stage.raw)
        if outcome.error.startswith("Malformed"):
            return outcome.error
        if not outcome.lines:
            return f"no line in the log ({outcome.error or outcome.statuses})"
    return ""


def run_all(gate, cases, check, at_once):
    """{name: fault}; of two tests of one name the one that fails counts."""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for case, fault in zip(cases, pool.map(lambda c: check(gate, c), cases)):
            results[case.name] = results.get(case.name, "") or fault
    return results


def families(results):
    """A line for each file of rules: 942 520 of 522."""
    table = {}
    for name, fault in results.items():
        table.setdefault(name[:3], []).append(not fault)
    return [f"  {family}  {sum(good):5} of {len(good)}" for family, good in sorted(table.items())]


def report(asked, results, seconds, total):
    listed = known.Known(os.path.join(HERE, "deviations.yaml"), "packs" if asked.packs else asked.corpus)
    whole = len(results) >= total - 1 and not asked.packs  # one name stands twice in crs3
    expected, unexpected, stale = listed.judge(results, whole)
    for name in unexpected:
        print(f"FAILED {name}: {results[name]}")
    for text in stale:
        print(f"STALE {text}")
    if asked.v:
        print("\n".join([f"known {name}: {results[name]}" for name in expected] + families(results)))
    good = sum(not fault for fault in results.values())
    print(
        f"{asked.corpus}: {good} of {len(results)} pass ({100 * good / len(results):.2f} %), "
        f"{len(expected)} known to differ, {len(unexpected)} failed, {len(stale)} stale, {seconds:.0f} s"
    )
    return 1 if unexpected or stale else 0


def main():
    asked = arguments()
    stand.program(asked.gate)
    try:
        cases, total = chosen(asked)
        waf = {"mode": "detect"} if asked.packs else CORPORA[asked.corpus].waf()
    except Missing as why:
        print(f"skipped: {why}")
        return SKIP
    if not cases:
        raise SystemExit(f"no test is called {asked.k}")
    with stand.Stand(waf) as gate:
        started = time.monotonic()
        results = run_all(gate, cases, sound_case if asked.packs else run_case, asked.j)
        seconds = time.monotonic() - started
    return report(asked, results, seconds, total)


if __name__ == "__main__":
    sys.exit(main())
