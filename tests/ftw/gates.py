#!/usr/bin/python3
"""What the gate spares itself is not missed: two ways to run the same rules against each other.

    tests/ftw/gates.py --inspect PROGRAM gates|words|folding crs3|crs4 [--share N] [--vectors DIR]

Every stage of the Core Rule Set's tests (of N tests one) goes twice through tests/tools/inspect.c. `gates`: once
as the gate does it, with words in Hyperscan, single bytes and a memo of clean values deciding which rules are
asked at all; once with every rule asked about every value. `words`: once with the words looked for as they are
until Hyperscan's databases are compiled (base/matcher_words.c), once in these. `folding`: once with what an app's
settings decide worked out beforehand (rules/fold.c), once with all of it done for each request. To the tests come
requests of plain texts (rules/plain.h), which the tests have few of: words of the rules themselves. Each line of the
outcome, hits and variables in order, must be the same: at paranoia level 4, and at 1, where most of the rules are
folded away; folding also with other settings in a file, and with an app's own, which no file can change.
"""
import argparse
import os
import random
import re
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
PLAIN = 2000  # requests

WAYS = {
    "gates": {"gated": ("-p", "hs"), "all asked": ("-p", "none")},
    "words": {"words": ("-p", "words"), "Hyperscan": ("-p", "hs")},
    "folding": {"folded": ("-p", "hs"), "unfolded": ("-p", "hs", "-u")},
}
# Names of both versions: more is run than counts, and scores are looked at after each phase.
OTHER = """SecAction "id:9009001,phase:1,nolog,pass,t:none,\\
setvar:tx.paranoia_level=2,setvar:tx.executing_paranoia_level=3,\\
setvar:tx.blocking_paranoia_level=2,setvar:tx.detection_paranoia_level=3,\\
setvar:tx.early_blocking=1,setvar:tx.reporting_level=5,setvar:tx.critical_anomaly_score=7"
"""
OWN = ("paranoia_level=3", "executing_paranoia_level=3", "blocking_paranoia_level=3", "detection_paranoia_level=3",
       "inbound_anomaly_score_threshold=9")  # fmt: skip


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("ways", choices=sorted(WAYS))
    parse.add_argument("corpus", choices=sorted(CORPORA))
    parse.add_argument("--inspect", required=True, help="tests/tools/inspect.c, built")
    parse.add_argument("--share", type=int, default=1, metavar="N", help="of N tests one (%(default)s)")
    parse.add_argument("--vectors", default=VECTORS)
    return parse.parse_args()


def plain_requests(files):
    """Words of an expression in its own order, which is as near as a text without special bytes comes to a match."""
    chosen = random.Random(1)
    runs = []
    for path in files:
        with open(path, encoding="utf-8", errors="replace") as rules:
            expressions = re.findall(r'"!?@(?:rx|pm) ([^"]*)', rules.read())
        runs += [words for words in (re.findall(r"[A-Za-z0-9_]{2,}", e) for e in expressions) if words]

    def text():
        words = chosen.choice(runs)
        at = chosen.randrange(len(words))
        return "".join(word + chosen.choice((" ", " ", "  ", ".", ",", ":", "-", "@", "")) for word in words[at:at + chosen.randrange(1, 7)])

    for i in range(PLAIN):
        a, b, c = (text().replace(" ", "+").replace("@", "%40") for _ in range(3))
        yield f"plain {i}", (f"POST /?q={a}&{b}=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: {text()}\r\nCookie: c={text()}\r\n"
                             f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {2 + len(c)}\r\n\r\na={c}").encode()


def outcomes(command, records):
    with tempfile.TemporaryFile() as given:
        given.write(b"".join(b"REQ %d\n%s\n" % (len(r), r) for r in records))
        given.seek(0)
        done = subprocess.run(command, stdin=given, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(word for word in command if not word.endswith('.conf'))}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode().splitlines()


def compare(asked, settings, files, pinned, names, records):
    ways = WAYS[asked.ways]
    own = [word for variable in pinned for word in ("-s", variable)]
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(outcomes, [asked.inspect, "-a", *way, *own, *files], records) for way in ways.values()]
        one, other = (done.result() for done in both)
    if not len(one) == len(other) == len(records):
        raise RuntimeError(f"{len(one)} and {len(other)} outcomes of {len(records)} requests")
    wrong = [i for i in range(len(records)) if one[i] != other[i]]
    for i in wrong[:SHOWN]:
        print(f"DIFFERS {names[i]}", *(f"  {way:10} {line[i]}" for way, line in zip(ways, (one, other))), sep="\n")
    hits = sum('"hits":[]' not in line for line in other)
    print(f"{asked.ways}, {asked.corpus}, {settings}: {len(records)} requests, {hits} with hits, {len(wrong)} differ")
    return len(wrong) == 0 and hits > 0


def runs(asked, setup, strict, rules, folder):
    """(settings in words, files, what an app pins)"""
    yield "paranoia 4", [setup, strict, *rules], ()
    yield "paranoia 1", [setup, *rules], ()
    if asked.ways == "folding":
        other = os.path.join(folder, "other.conf")
        with open(other, "w", encoding="utf-8") as out:
            out.write(OTHER)
        yield "other settings", [setup, other, *rules], ()
        yield "an app's own", [setup, *rules], OWN


def main():
    asked = arguments()
    corpus = CORPORA[asked.corpus]
    try:
        setup, strict, *rules = corpus.files()
        cases = corpus.cases(asked.vectors)[:: asked.share]
    except Missing as why:
        print(f"skipped: {why}")
        return SKIP
    stages = [(case.name, stage.bytes) for case in cases for stage in case.stages]
    stages += list(plain_requests(rules))[:: asked.share]
    names, records = [name for name, _ in stages], [octets for _, octets in stages]
    with tempfile.TemporaryDirectory(prefix="embergate.") as folder:
        good = [compare(asked, *run, names, records) for run in runs(asked, setup, strict, rules, folder)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
