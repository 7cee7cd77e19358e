"""cases.py -- the tests of the OWASP Core Rule Set as they are written, in both schemas.

    read(folder)  -> [Case]    v1 (CRS 3: `test_title`, `stage:`) and v2 (CRS 4: `rule_id`, `test_id`)

A stage has the bytes to send and what must come of them. Bytes are made as go-ftw makes them:
without `stop_magic` or `autocomplete_headers: false` it adds Content-Type, Content-Length (v1: only
with a body) and `Connection: close`, and encodes a plain form; a multipart body gets CRLF. Of Go's templates in
`data` the tests use one, {{ "x" | repeat N }}.
"""
import base64
import glob
import os
import re
from dataclasses import dataclass, field
from urllib.parse import quote_plus, unquote_plus

import yaml

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar is the text that was written
REPEAT = re.compile(r'\{\{\s*"((?:[^"\\]|\\.)*)"\s*\|\s*repeat\s+(\d+)\s*\}\}')
ID = re.compile(r'^(?:id[: ]"?)?(\d+)"?$')
WITH_BODY = re.compile(r"^(POST|PUT|PATCH|DELETE)$")
FORM = "application/x-www-form-urlencoded"
KNOWN_INPUT = {
    "dest_addr", "port", "protocol", "method", "uri", "version", "headers", "data", "stop_magic",
    "autocomplete_headers", "encoded_request", "raw_request",
}  # fmt: skip
KNOWN_OUTPUT = {"log", "log_contains", "no_log_contains", "status", "expect_error", "retry_once"}
KNOWN_LOG = {"expect_ids", "no_expect_ids", "match_regex", "no_match_regex"}


class Unreadable(Exception):
    """A test says something that this reader does not know."""


@dataclass
class Stage:
    bytes: bytes
    raw: bool  # written out by the test: may hold several requests, or half of one
    method: str
    expect_ids: set = field(default_factory=set)
    no_expect_ids: set = field(default_factory=set)
    match: str = ""
    no_match: str = ""
    statuses: set = field(default_factory=set)
    expect_error: bool = False


@dataclass
class Case:
    name: str  # "942100-1"
    file: str
    stages: list
    retry: bool = False


def read(folder):
    cases = []
    for name in sorted(glob.glob(os.path.join(folder, "**", "*.y*ml"), recursive=True)):
        with open(name, encoding="utf-8") as file:
            document = yaml.load(file, LOADER)
        if document and "tests" in document:
            cases += [case_of(document, test, name) for test in document["tests"]]
    return cases


def case_of(document, test, file):
    first = "test_title" in test  # version of the schema
    name = test["test_title"] if first else f"{document['rule_id']}-{test['test_id']}"
    stages = [stage.get("stage", stage) for stage in test["stages"]]
    try:
        return Case(
            name,
            os.path.basename(file),
            [stage_of(s["input"], s.get("output") or {}, first) for s in stages],
            any(is_true(s.get("output") or {}, "retry_once") for s in stages),
        )
    except Unreadable as why:
        raise Unreadable(f"{file}: {name}: {why}") from None


def known(given, words, what):
    if set(given) - words:
        raise Unreadable(f"unknown key in {what}: {', '.join(sorted(set(given) - words))}")


def is_true(given, key, default="false"):
    return given.get(key, default).lower() == "true"


# what is sent


def stage_of(given, output, first):
    known(given, KNOWN_INPUT, "input")
    raw = raw_bytes(given)
    stage = Stage(
        raw if raw is not None else built_bytes(given, first),
        raw is not None,
        raw.partition(b" ")[0].decode("latin-1") if raw is not None else given.get("method", "GET"),
    )
    expectations(stage, output)
    return stage


def raw_bytes(given):
    if given.get("encoded_request"):
        return base64.b64decode(given["encoded_request"])
    if given.get("raw_request"):
        return given["raw_request"].encode()
    return None


def built_bytes(given, first):
    fields = dict(given.get("headers") or {})
    method = given.get("method", "GET")
    body = data_of(given.get("data", ""))
    magic = not is_true(given, "stop_magic") and is_true(given, "autocomplete_headers", "true")
    if body and magic:
        if not value_of(fields, "content-type"):
            fields["Content-Type"] = FORM
        if value_of(fields, "content-type").lower() == FORM:
            body = form_encoded(body)
    if "multipart/form-data;" in value_of(fields, "content-type").lower():
        body = body.replace("\r\n", "\n").replace("\n", "\r\n")
    octets = body.encode()
    if magic:
        add_standard(fields, octets or (WITH_BODY.match(method) and not first), len(octets))
    lines = [f"{method} {given.get('uri', '/')} {given.get('version', 'HTTP/1.1')}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + octets


def value_of(fields, wanted):
    return next((value for name, value in fields.items() if name.lower() == wanted), "")


def add_standard(fields, told, length):
    """`told`: the length is."""
    names = {name.lower() for name in fields}
    if "connection" not in names:
        fields["Connection"] = "close"
    if told and "content-length" not in names:
        fields["Content-Length"] = str(length)


def data_of(data):
    """A list is lines; a template is filled."""
    if isinstance(data, list):
        data = "\r\n".join(data)
    return REPEAT.sub(lambda found: found[1] * int(found[2]), data)


def form_encoded(body):
    """A form that nobody encoded is; one that holds an escape or a plus stays as it is."""
    if unquote_plus(body) != body:
        return body
    pairs = [pair.partition("=") for pair in body.split("&")]
    return "&".join(quote_plus(name) + equals + quote_plus(value) for name, equals, value in pairs)


# what must come of it


def expectations(stage, output):
    known(output, KNOWN_OUTPUT, "output")
    log = output.get("log") or {}
    known(log, KNOWN_LOG, "log")
    stage.expect_ids = set(map(int, log.get("expect_ids", ())))
    stage.no_expect_ids = set(map(int, log.get("no_expect_ids", ())))
    stage.match, stage.no_match = log.get("match_regex", ""), log.get("no_match_regex", "")
    for key, ids, regex in (
        ("log_contains", stage.expect_ids, "match"),
        ("no_log_contains", stage.no_expect_ids, "no_match"),
    ):
        if key in output:
            found = ID.match(output[key])
            if found:
                ids.add(int(found[1]))
            else:
                setattr(stage, regex, output[key])
    status = output.get("status", [])
    stage.statuses = set(map(int, status if isinstance(status, list) else [status]))
    stage.expect_error = is_true(output, "expect_error")
