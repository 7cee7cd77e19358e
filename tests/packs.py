#!/usr/bin/python3
"""Our own rule packs: each attack beside a rule is denied by it, each look-alike passes all of them.

    packs.py INSPECT [PACK ...] [-p plain|hs]

INSPECT is tests/tools/inspect.c. Beside every rules/packs/NAME.yaml stands
NAME.test.yaml, a list of {name, request, expect: deny|pass, rule}; legit.test.yaml
holds requests of real applications, which pass. All requests go through all packs.

A rule has at least two attacks; the look-alikes that follow them, at least two,
are the requests that a careless version of that rule would stop.

A request is {method, path, headers} and at most one body:
  args       pairs for the query, written plain; sent percent-encoded
  form       the same as an urlencoded body
  json       a document
  multipart  a list of {name, value, filename, type}
  body       text or !!binary as it is
or {raw}: the whole message, its lines ended by LF or CRLF."""
import argparse
import glob
import json
import os
import subprocess
import sys
from urllib.parse import quote

import yaml

PACKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rules", "packs")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BOUNDARY = "----EmbergateTest7MA4YWxk"


def octets(value):
    """\\xHH in a test's text is that byte, other characters are UTF-8."""
    if isinstance(value, bytes):
        return value
    return b"".join(bytes([ord(c)]) if 0x80 <= ord(c) <= 0xFF and not value.isprintable() else c.encode() for c in str(value))


def pairs(values):
    return "&".join("%s=%s" % (quote(octets(name), safe=""), quote(octets(value), safe="")) for name, value in values.items())


def part(field):
    head = 'Content-Disposition: form-data; name="%s"' % field["name"]
    if "filename" in field:
        head += '; filename="%s"\r\nContent-Type: %s' % (field["filename"], field.get("type", "application/octet-stream"))
    return ("--%s\r\n%s\r\n\r\n" % (BOUNDARY, head)).encode() + octets(field["value"]) + b"\r\n"


BODIES = {  # key -> (content type, bytes)
    "form": ("application/x-www-form-urlencoded", lambda v: pairs(v).encode()),
    "json": ("application/json", lambda v: json.dumps(v, ensure_ascii=False).encode()),
    "multipart": ("multipart/form-data; boundary=" + BOUNDARY, lambda v: b"".join(map(part, v)) + b"--%s--\r\n" % BOUNDARY.encode()),
    "body": ("application/x-www-form-urlencoded", octets),
}


def message(request):
    if "raw" in request:
        head, _, body = request["raw"].replace("\r\n", "\n").partition("\n\n")
        return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode()
    kind = next((k for k in BODIES if k in request), None)
    payload = BODIES[kind][1](request[kind]) if kind else b""
    fields = {"Host": "shop.example", "User-Agent": BROWSER, "Accept": "*/*"}
    if kind:
        fields.update({"Content-Type": BODIES[kind][0], "Content-Length": str(len(payload))})
    fields.update(request.get("headers", {}))
    target = request["path"]
    if "args" in request:
        target += "?" + pairs(request["args"])
    lines = ["%s %s HTTP/1.1" % (request.get("method", "POST" if kind else "GET"), target)]
    lines += ["%s: %s" % field for field in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def verdicts(inspect, matcher, packs, messages):
    frames = b"".join(b"REQ %d\n%s\n" % (len(m), m) for m in messages)
    done = subprocess.run([inspect, "-p", matcher, *packs], input=frames, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def short(rule):
    return rule.rpartition("/")[2]


def fault(case, verdict):
    """What is wrong, or None."""
    hits = [short(hit) for hit in verdict["hits"]]
    if case["expect"] == "pass":
        if hits or verdict["remedy"] != "allow":
            return "stopped: %s %s" % (", ".join(map("%s at %s".__mod__, zip(hits, verdict["variables"]))), verdict["error"])
    elif case["rule"] not in hits:
        return "%s did not see it%s" % (case["rule"], ", only " + ", ".join(hits) if hits else "")
    return None


def counts(cases):
    """rule -> [attacks, look-alikes]; a look-alike belongs to the attacks before it."""
    found, rule = {}, None
    for case in cases:
        rule = case.get("rule", rule)
        found.setdefault(rule, [0, 0])[case["expect"] == "pass"] += 1
    return found


def thin(packs, cases):
    """Rules with too few tests, and tests of no rule."""
    rules = [short(doc["name"]) for pack in packs for doc in yaml.safe_load_all(open(pack))]
    found = counts([case for case in cases if "rule" in case or not case["file"].startswith("legit")])
    few = ["%s: %d attacks, %d look-alikes" % (r, *found.get(r, (0, 0))) for r in rules if min(found.get(r, (0, 0))) < 2]
    return few + ["%s: no such rule" % r for r in found if r not in rules]


def load(path):
    return [dict(case, file=os.path.basename(path)) for case in yaml.safe_load(open(path))]


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("inspect")
    parse.add_argument("only", nargs="*", metavar="PACK", help="only the tests of these packs")
    parse.add_argument("-p", dest="matcher", default="hs", choices=["hs", "plain"])
    asked = parse.parse_args()
    everything = sorted(glob.glob(os.path.join(PACKS, "*.yaml")))
    packs = [path for path in everything if not path.endswith(".test.yaml")]
    cases = [case for path in everything if path not in packs for case in load(path)]
    few = thin(packs, cases)
    cases = [case for case in cases if not asked.only or case["file"].partition(".")[0] in asked.only]
    told = verdicts(asked.inspect, asked.matcher, packs, [message(case["request"]) for case in cases])
    faults = ["%s: %s: %s" % (case["file"], case["name"], wrong)
              for case, verdict in zip(cases, told) for wrong in [fault(case, verdict)] if wrong]
    print("\n".join(few + faults))
    print("%d passed, %d failed" % (len(cases) - len(faults), len(few) + len(faults)))
    return 1 if few or faults or len(told) != len(cases) else 0


if __name__ == "__main__":
    sys.exit(main())
