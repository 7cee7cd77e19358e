#!/usr/bin/python3
"""What gates leave out is not missed: rules with gates against the same rules with all of them asked.

    tests/ftw/gates.py --inspect PROGRAM crs3|crs4 [--vectors DIR]

Every stage of the Core Rule Set's tests goes twice through tests/tools/inspect.c: once as the gate does it,
with words in Hyperscan, single bytes and a memo of clean values deciding which rules are asked at all; once
with every rule asked about every value. Each line of the outcome, hits and variables in order, must be the
same. At paranoia level 4, and at 1, where most of the rules are folded away.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "flow"))

from corpora import CORPORA, Missing

VECTORS = os.path.join(HERE, "..", "..", "..", "shared", "vectors")
SECONDS = 600
SHOWN = 20
SKIP = 77


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("corpus", choices=sorted(CORPORA))
    parse.add_argument("--inspect", required=True, help="tests/tools/inspect.c, built")
    parse.add_argument("--vectors", default=VECTORS)
    return parse.parse_args()


def outcomes(program, kind, files, records):
    with tempfile.TemporaryFile() as given:
        given.write(b"".join(b"REQ %d\n%s\n" % (len(r), r) for r in records))
        given.seek(0)
        done = subprocess.run(
            [program, "-a", "-p", kind, *files], stdin=given, capture_output=True, timeout=SECONDS, check=False
        )
    if done.returncode:
        raise RuntimeError(f"inspect -p {kind}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode().splitlines()


def compare(asked, files, names, records, level):
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(outcomes, asked.inspect, kind, files, records) for kind in ("hs", "none")]
        gated, all_asked = (one.result() for one in both)
    if not len(gated) == len(all_asked) == len(records):
        raise RuntimeError(f"{len(gated)} and {len(all_asked)} outcomes of {len(records)} requests")
    wrong = [i for i in range(len(records)) if gated[i] != all_asked[i]]
    for i in wrong[:SHOWN]:
        print(f"DIFFERS {names[i]}\n  gated      {gated[i]}\n  all asked  {all_asked[i]}")
    hits = sum('"hits":[]' not in line for line in all_asked)
    print(f"{asked.corpus}, paranoia {level}: {len(records)} requests, {hits} with hits, {len(wrong)} differ")
    return len(wrong) == 0 and hits > 0


def main():
    asked = arguments()
    corpus = CORPORA[asked.corpus]
    try:
        setup, settings, *rules = corpus.files()
        stages = [(case.name, stage.bytes) for case in corpus.cases(asked.vectors) for stage in case.stages]
    except Missing as why:
        print(f"skipped: {why}")
        return SKIP
    names, records = [name for name, _ in stages], [octets for _, octets in stages]
    strict = compare(asked, [setup, settings, *rules], names, records, 4)
    usual = compare(asked, [setup, *rules], names, records, 1)
    return 0 if strict and usual else 1


if __name__ == "__main__":
    sys.exit(main())
