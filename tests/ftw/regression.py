#!/usr/bin/python3
"""ModSecurity's regression tests that judge by a status or by an error of the parser.

    tests/ftw/regression.py --gate PROGRAM [-k PATTERN] [-v]

Each has rules of its own. `embergate check` takes or refuses them; what it takes becomes an app
with a listener of its own in one gate, whose origin answers as the test says. A client's address
comes by the PROXY protocol. A test is called FILE:NUMBER ("actions:3"); what differs, and why, is in
regression.yaml. Without the tests they are skipped (77), and those whose rules want a file that is
not among them are left out.
"""
import argparse
import contextlib
import fnmatch
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "flow"))

import yaml

import known
import stand
from corpora import Missing, unpacked
from lib import gate as flow
from lib.origin import Origin, answer
from lib.wire import Ended
from run import SKIP, VECTORS

ARCHIVE = "modsec-regression-tests.tar.xz"
APPS = 40  # in one gate
CHECK_SECONDS = 60
DANGLING = re.compile(r"\bchain,|,\s*chain\b")
PLACE = re.compile(r"\.conf:\d+: ")
OURS_TO_WRITE = ("content-length", "transfer-encoding", "connection")


@dataclass
class Case:
    name: str
    title: str
    rules: str
    request: dict
    response: dict
    client: dict
    status: int  # 0: the parser is to refuse the rules
    file: str = ""  # the rules, written out


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parse.add_argument("--gate", default=os.environ.get("EMBERGATE", ""), help="the program under test")
    parse.add_argument("--vectors", default=VECTORS, help="where the tests lie (%(default)s)")
    parse.add_argument("-k", metavar="PATTERN", default="*", help="only tests of that name, action*")
    parse.add_argument("-v", action="store_true", help="known failures too")
    return parse.parse_args()


# the tests


def read(folder):
    """(cases that can be judged, how many want a file that is not there)."""
    cases, left_out = [], 0
    for name in sorted(glob.glob(os.path.join(folder, "**", "*.json"), recursive=True)):
        with open(name, encoding="utf-8") as file:
            tests = json.load(file)
        for number, test in enumerate(tests, 1):
            expected = test["expected"]
            if "http_code" not in expected and "parser_error" not in expected:
                continue
            rules = "\n".join(completed(test["rules"])) + "\n"
            if "test-cases/" in rules:
                left_out += 1
                continue
            name_of = f"{os.path.basename(name)[:-5]}:{number}"
            status = 0 if "parser_error" in expected else expected["http_code"]
            parts = (test.get(part) or {} for part in ("request", "response", "client"))
            cases.append(Case(name_of, test["title"], rules, *parts, status))
    return cases, left_out


def completed(rules):
    """The library takes a chain that nothing follows for a rule, the gate refuses it: the word is left out."""
    last = max((n for n, line in enumerate(rules) if line.lstrip().startswith("SecRule ")), default=-1)
    return [DANGLING.sub("", line) if n == last else line for n, line in enumerate(rules)]


def text_of(body):
    """A list is lines; one line alone has no end."""
    if isinstance(body, list):
        body = "\n".join(body) + ("\n" if len(body) > 1 else "")
    return body.encode()


def fields_of(given):
    pairs = given.get("headers") or {}
    pairs = pairs.items() if isinstance(pairs, dict) else []
    return [(name, value.strip()) for name, value in pairs if name.lower() not in OURS_TO_WRITE]


def target_of(uri):
    """The library takes a target from a server that has read it; what no line can hold is escaped."""
    uri = uri if uri.startswith(("/", "http://", "*")) else "/" + uri
    return b"".join(b"%c" % c if 0x21 <= c <= 0x7E and c != 0x23 else b"%%%02X" % c for c in uri.encode())


def request_of(case):
    given = case.request
    fields, body = fields_of(given), text_of(given.get("body", ""))
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", "localhost"))
    if body:
        fields.append(("Content-Length", str(len(body))))
    version = b"1.0" if given.get("http_version") == 1.0 else b"1.1"
    lines = [given.get("method", "GET").encode() + b" " + target_of(given.get("uri", "/")) + b" HTTP/" + version]
    lines += [f"{name}: {value}".encode() for name, value in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def answer_of(case):
    fields = [f"{name}: {value}".encode() for name, value in fields_of(case.response)]
    return answer(200, text_of(case.response.get("body", "")), fields)


def proxied(case):
    """The line of the PROXY protocol that names the client."""
    address = case.client.get("ip", "127.0.0.1")
    family, other = ("TCP6", "::1") if ":" in address else ("TCP4", "127.0.0.1")
    return f"PROXY {family} {address} {other} {case.client.get('port', 40000)} 80\r\n".encode()


# the gate


def waf_of(case):
    return {"mode": "block", "ruleset": "packs", "packs": "off", "rules": [case.file]}


def check(case, folder):
    """What `embergate check` has against the rules; empty: nothing."""
    name = os.path.join(folder, case.name.replace(":", "-"))
    case.file = name + ".conf"
    with open(case.file, "w", encoding="utf-8") as out:
        out.write(case.rules)
    with open(name + ".yaml", "w", encoding="utf-8") as out:
        config = flow.one_app("http://127.0.0.1:9", waf=waf_of(case), top={"state": name + ".state"})
        yaml.safe_dump(config, out)
    done = subprocess.run(
        [flow.PROGRAM, "check", "-c", name + ".yaml"],
        capture_output=True, text=True, errors="replace", timeout=CHECK_SECONDS, cwd=folder, check=False,
    )  # fmt: skip
    if done.returncode < 0:
        raise SystemExit(f"check ended by signal {-done.returncode} with the rules of {case.name}:\n{done.stderr}")
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip() or "refused"


def ask(case, address, port):
    """The status that the case's request gets; 0: none."""
    try:
        with flow.Client((address, port), before=proxied(case), record=False) as client:
            client.try_send(request_of(case))
            return client.response(case.request.get("method", "GET")).status
    except (Ended, OSError):
        return 0


def run_group(cases):
    """{name: status} of cases that one gate can load together."""
    with contextlib.ExitStack() as stack:
        apps, where = {}, {}
        gate = flow.Gate({}, start=False, patience=stand.START_SECONDS)
        for number, case in enumerate(cases, 1):
            origin = stack.enter_context(Origin(lambda _, case=case: answer_of(case), record=False))
            where[case.name] = f"127.64.0.{number}"
            listen = {"bind": f"{where[case.name]}:{gate.port}", "proxy_protocol": "on", "from": ["127.0.0.0/8"]}
            apps[f"a{number}"] = {"listen": [listen], "upstream": origin.url, "waf": waf_of(case)}
        apps["last"] = {"upstream": "http://127.0.0.1:9", "waf": "off"}
        # Many cases have one client, which would be held for what the others do.
        gate.write({"scenarios": {"packs": False}, "apps": apps})
        stack.enter_context(gate)
        gate.start()
        return {case.name: ask(case, where[case.name], gate.port) for case in cases}


def judge(case, refusal, statuses):
    if case.status == 0:
        if not refusal:
            return "the rules were taken"
        return "" if PLACE.search(refusal) else f"the refusal names no line: {refusal[-300:]}"
    if refusal:
        return f"the rules were refused: {refusal[-300:]}"
    got = statuses[case.name]
    return "" if got == case.status else f"status {got}, not {case.status}"


def run_all(cases, folder):
    """{name: fault}."""
    with ThreadPoolExecutor(2) as pool:
        refusals = dict(zip((c.name for c in cases), pool.map(lambda c: check(c, folder), cases)))
    taken = [c for c in cases if c.status and not refusals[c.name]]
    statuses = {}
    for at in range(0, len(taken), APPS):
        statuses.update(run_group(taken[at : at + APPS]))
    return {c.name: judge(c, refusals[c.name], statuses) for c in cases}


def main():
    asked = arguments()
    stand.program(asked.gate)
    try:
        with unpacked(os.path.join(asked.vectors, ARCHIVE)) as folder:
            every, left_out = read(folder)
    except Missing as why:
        print(f"skipped: {why}")
        return SKIP
    cases = [c for c in every if fnmatch.fnmatch(c.name, asked.k)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="embergate.") as folder:
        results = run_all(cases, folder)
    listed = known.Known(os.path.join(HERE, "regression.yaml"), "regression")
    expected, unexpected, stale = listed.judge(results, asked.k == "*")
    titles = {case.name: case.title for case in cases}
    for name in unexpected:
        print(f"FAILED {name} ({titles[name]}): {results[name]}")
    for text in stale:
        print(f"STALE {text}")
    if asked.v:
        print("\n".join(f"known {name} ({titles[name]}): {results[name]}" for name in expected))
    good = sum(not fault for fault in results.values())
    print(
        f"{good} of {len(results)} pass, {len(expected)} known to differ, {len(unexpected)} failed, "
        f"{len(stale)} stale; {left_out} left out; {time.monotonic() - started:.0f} s"
    )
    return 1 if unexpected or stale else 0


if __name__ == "__main__":
    sys.exit(main())
