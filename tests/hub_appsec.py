#!/usr/bin/python3
"""CrowdSec's hub: every AppSec test against every AppSec rule.

    hub_appsec.py INSPECT HUB_VECTORS

INSPECT is tests/tools/inspect.c, HUB_VECTORS the directory with
hub-content.tar.xz and hub-tests.tar.xz; without it the tests are skipped (77).

A hub test names its rules and has a nuclei template: requests, and of each
whether it is to be blocked (403) or not. All requests go through one ruleset
of all rules; a request counts as blocked when a rule of its test hit. They go
through Hyperscan and through the plain matcher, and the two must agree."""
import base64
import glob
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import tempfile

import yaml

HOST = "app.test"
SKIP = 77
# SecLang, which the ruleset does not read: these only set body processors.
SETTINGS = {"base-config.yaml"}


def text(loader_value):
    return loader_value if isinstance(loader_value, str) else str(loader_value)


def words(length, alphabet="abcdefghijklmnopqrstuvwxyz0123456789"):
    return "".join(random.choice(alphabet) for _ in range(int(length)))


def latin(raw):
    return raw.decode("latin-1")


FUNCTIONS = {
    "base64": lambda s: latin(base64.b64encode(s.encode("latin-1"))),
    "base64_decode": lambda s: latin(base64.b64decode(s)),
    "hex_decode": lambda s: latin(bytes.fromhex(s)),
    "to_lower": lambda s: s.lower(),
    "rand_base": words,
    "rand_text_alphanumeric": words,
    "rand_int": lambda low, high: str(random.randint(int(low), int(high))),
    # A serialized Java object, of which the rules know the first bytes.
    "generate_java_gadget": lambda *_: latin(base64.b64encode(b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap")),
}


def evaluate(expression, variables):
    """The value of what stands in {{...}}; None when it is not ours to know."""
    expression = expression.strip()
    quoted = re.fullmatch(r"'([^']*)'|\"([^\"]*)\"", expression)
    if quoted:
        return quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
    if re.fullmatch(r"\d+", expression):
        return expression
    if expression in variables:
        return variables[expression]
    if expression == "randstr":
        return words(27)
    call = re.fullmatch(r"(\w+)\((.*)\)", expression, re.S)
    if not call or call.group(1) not in FUNCTIONS:
        return None
    arguments = re.findall(r"'[^']*'|\"[^\"]*\"|\w+\([^()]*\)|[\w.-]+", call.group(2))
    values = [evaluate(a, variables) for a in arguments]
    return None if None in values else FUNCTIONS[call.group(1)](*values)


def fill(template, variables):
    def value(match):
        found = evaluate(match.group(1), variables)
        return match.group(0) if found is None else found
    return re.sub(r"\{\{([^{}]+)\}\}", value, template)


def variables_of(template):
    known = {"Hostname": HOST, "Host": HOST, "BaseURL": "http://" + HOST, "RootURL": "http://" + HOST,
             "interactsh-url": "oast.test"}
    for name, value in (template.get("variables") or {}).items():
        known[name] = fill(text(value), known)
    return known


def encode_target(target):
    """What no client can send as it is."""
    return re.sub(r"[^\x21-\x7e]|[<>\"`{}|\\^]", lambda m: "".join("%%%02X" % b for b in m.group(0).encode()), target)


def request_bytes(method, target, headers, body):
    kinds = {name.lower(): value for name, value in headers}
    if kinds.get("content-type", "").startswith("multipart/") and "\r\n" not in body:
        body = body.replace("\n", "\r\n")
    payload = body.encode("latin-1", "surrogateescape") if all(ord(c) < 256 for c in body) else body.encode()
    lines = ["%s %s HTTP/1.1" % (method, encode_target(target))]
    if "host" not in kinds:
        lines.append("Host: " + HOST)
    if "user-agent" not in kinds:
        lines.append("User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0")
    # A client sends its own length, and no field that has nothing to say.
    lines += ["%s: %s" % (n, v) for n, v in headers
              if n.lower() not in ("content-length", "transfer-encoding") and (v or n.lower() != "user-agent")]
    if payload or method in ("POST", "PUT", "PATCH"):
        lines.append("Content-Length: %d" % len(payload))
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + payload


def from_raw(raw, variables):
    raw = fill(raw.replace("\r\n", "\n"), variables).lstrip("\n")
    raw = re.sub(r"\A(?:@.*\n)+", "", raw)  # "@timeout: 20s" is for nuclei
    head, _, body = raw.partition("\n\n")
    first, *rest = head.split("\n")
    method, _, target = first.partition(" ")
    target = re.sub(r" HTTP/[\d.]+\s*$", "", target).strip()
    headers = []
    for line in rest:
        name, _, value = line.partition(":")
        if name.strip():
            headers.append((name.strip(), value.strip()))
    return request_bytes(method, target, headers, body.rstrip("\n"))


def from_path(step, path, variables):
    target = fill(path, variables)
    if target.startswith("http://" + HOST):
        target = target[len("http://" + HOST):]
    headers = [(n, fill(text(v), variables)) for n, v in (step.get("headers") or {}).items()]
    return request_bytes(step.get("method", "GET"), target or "/", headers, fill(step.get("body", ""), variables))


def requests_of(template):
    variables = variables_of(template)
    found = []
    for step in template.get("http") or template.get("requests"):
        for name, values in (step.get("payloads") or {}).items():
            variables[name] = values[0]
        found += [from_raw(raw, variables) for raw in step.get("raw", [])]
        found += [from_path(step, path, variables) for path in step.get("path", [])]
    return found


def expectations(template, count):
    """Per request: True, it must be blocked; False, it must pass."""
    expected = {}
    for step in template.get("http") or template.get("requests"):
        for matcher in step.get("matchers", []):
            if matcher["type"] == "status":
                # One status for all of them: nuclei is content with any.
                expected.setdefault("any", "403" in map(text, matcher["status"]))
            for rule in matcher.get("dsl", []):
                for number, status in re.findall(r"status_code(?:_(\d+))?\s*==\s*(\d+)", rule):
                    expected[int(number or 1)] = status == "403"
    known = [k for k in expected if k != "any"]
    if known:
        return {k: expected[k] for k in known if k <= count}
    return {1: True} if count == 1 else {"any": True}


class HubTest:
    def __init__(self, directory):
        config = yaml.load(open(os.path.join(directory, "config.yaml"), encoding="utf-8"), yaml.BaseLoader)
        path = os.path.join(directory, config["nuclei_template"])
        template = yaml.load(open(path, encoding="utf-8"), yaml.BaseLoader)
        self.name = os.path.basename(directory)
        self.files = [os.path.basename(f) for f in config["appsec-rules"] if os.path.basename(f) not in SETTINGS]
        self.requests = requests_of(template)
        self.expected = expectations(template, len(self.requests))
        self.rules = set()

    def failures(self, verdicts):
        blocked = [bool(self.rules & set(v["hits"])) and v["remedy"] == "deny" for v in verdicts]
        if self.expected == {"any": True}:
            return [] if any(blocked) else ["no request was blocked: %s" % verdicts]
        return ["request %d was %sblocked: %s" % (n, "" if blocked[n - 1] else "not ", verdicts[n - 1])
                for n, wanted in sorted(self.expected.items()) if blocked[n - 1] != wanted]


def rule_names(path):
    return {d["name"] for d in yaml.load_all(open(path, encoding="utf-8"), yaml.BaseLoader) if d}


def is_seclang(path):
    return any(set(d) & {"seclang_rules", "seclang_files_rules"} or "rules" not in d
               for d in yaml.load_all(open(path, encoding="utf-8"), yaml.BaseLoader) if d)


def inspect(program, matcher, rules, requests):
    given = b"".join(b"REQ %d\n%s\n" % (len(r), r) for r in requests)
    done = subprocess.run([program, "-a", "-p", matcher, *rules], input=given, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def unpack(vectors, into):
    for name in ("hub-content.tar.xz", "hub-tests.tar.xz"):
        with tarfile.open(os.path.join(vectors, name)) as archive:
            archive.extractall(into)


def run(program, hub):
    rules = [f for f in sorted(glob.glob(hub + "/appsec-rules/crowdsecurity/*.yaml")) if not is_seclang(f)]
    names = {os.path.basename(f): rule_names(f) for f in rules}
    tests = [HubTest(os.path.dirname(f)) for f in sorted(glob.glob(hub + "/.appsec-tests/*/config.yaml"))]
    requests = [r for t in tests for r in t.requests]
    verdicts = inspect(program, "hs", rules, requests)
    plain = inspect(program, "plain", rules, requests)
    failed = differ = at = 0
    for test in tests:
        test.rules = set().union(*(names.get(f, set()) for f in test.files))
        wrong = test.failures(verdicts[at:at + len(test.requests)])
        at += len(test.requests)
        failed += bool(wrong)
        for line in wrong:
            print("FAILED %s: %s" % (test.name, line))
    for request, one, other in zip(requests, verdicts, plain):
        if one != other:
            differ += 1
            print("DIFFERS: hs %s, plain %s\n%s" % (one, other, request.decode("latin-1")))
    print("%d of %d hub tests pass (%d requests, %d rules); Hyperscan and the plain matcher differ on %d"
          % (len(tests) - failed, len(tests), len(requests), len(rules), differ))
    return 1 if failed or differ or len(verdicts) != len(requests) or not tests else 0


def main():
    program, vectors = sys.argv[1:]
    if not os.path.exists(os.path.join(vectors, "hub-tests.tar.xz")):
        print("skipped: no hub tests in %s" % vectors)
        return SKIP
    random.seed(1)
    with tempfile.TemporaryDirectory() as hub:
        unpack(vectors, hub)
        return run(program, hub)


sys.exit(main())
