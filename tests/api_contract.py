#!/usr/bin/env python3
"""Every route of /api/v1 against the OpenAPI document that the gate itself gives, on a gate that was attacked.

    api_contract.py GATE

The document is sound; who is nobody is refused everywhere; whose role is too low is refused; what a route does not know is
refused; and every answer to a GET is as its schema says. Nothing here names a route that could be read from the document,
so a new one is tested as soon as it is there."""
import json
import os
import re
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "flow"))
os.environ["EMBERGATE"] = os.path.abspath(sys.argv[1])
from lib import api, certs
from lib.api import Browser
from lib.claims import eventually, expect
from lib.gate import Gate, one_app
from lib.origin import Origin
from lib.ports import free_port

ROLES = ["none", "viewer", "operator", "administrator"]
METHODS = {"get", "post", "put", "patch", "delete"}
CLIENT = "192.0.2.66"
# For parameters that no list tells: of a path, of a query.
VALUES = {"ip": CLIENT, "by": "rule", "range": "1h", "format": "plain", "topics": "stats"}


# ---- a gate with something to tell ----


def config(gate, origin, folder):
    cert, key = certs.make(folder, "shop.example")
    with open(os.path.join(folder, "bad.txt"), "w", encoding="ascii") as file:
        file.write("198.51.100.0/24\n203.0.113.7\n")
    app = {
        "waf": {"mode": "block"},
        "exceptions": [{"path": "/ok", "skip": ["xss"], "reason": "a test"}],
        "limits": [{"path": "/often", "rate": "100/s"}],
    }
    top = {
        "listen": [{"bind": f"127.0.0.1:{gate.port}"}, {"bind": f"127.0.0.1:{free_port()}", "tls": True}],
        "tls": {"certs": [{"cert": cert, "key": key}]},
        "client_ip": {"trust": ["loopback"]},
        "lapi": {"bind": f"127.0.0.1:{free_port()}"},
        "cti": {"lists": [{"name": "bad", "file": os.path.join(folder, "bad.txt")}]},
    }
    return one_app(origin.url, top, **app)


def attack(gate):
    """As one client, several times, and once as nobody special."""
    for target in ("/", "/?q=%27%20or%201=1--%20", "/?q=<script>alert(1)</script>", "/?f=../../etc/passwd", "/.git/config"):
        gate.ask(target=target.replace("<", "%3C").replace(">", "%3E"), fields=[f"X-Forwarded-For: {CLIENT}", "User-Agent: sqlmap/1.7"])
    gate.ask("POST", "/comment", ["Content-Type: application/x-www-form-urlencoded"], b"a=1%27%20union%20select%20password%20from%20users--")


def fill(gate):
    """Entries for the lists that a gate has only when somebody made them."""
    for words in (("decisions", "add", "203.0.113.9", "4h"), ("allow", "add", "203.0.113.8", "1h"),
                  ("bouncers", "add", "fw"), ("machines", "add", "agent"), ("user", "add", "ben", "viewer")):
        done = gate.ctl(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    link = re.search(r"#setup=\S+", gate.ctl("user", "setup").stdout)[0]
    browser = Browser(gate)
    expect(browser.set_up(link, "anna", "a long password").status, 200)
    return browser


# ---- the document ----


def once(pairs):
    """Two members of one name are one too few: a shape, or a path, that another hides."""
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"there twice: {twice}"
    return dict(pairs)


def refs(value):
    if isinstance(value, dict):
        yield from [value["$ref"]] if "$ref" in value else []
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def operations(doc):
    for path, methods in doc["paths"].items():
        assert set(methods) <= METHODS, (path, set(methods))
        for method, operation in methods.items():
            yield method.upper(), path, operation


def takes_key(method, operation):
    return method == "POST" and operation["x-role"] != "none"


def check_document(doc):
    expect(doc["openapi"], "3.1.0")
    schemas = doc["components"]["schemas"]
    for ref in refs(doc):
        assert ref.startswith("#/components/schemas/") and ref.rpartition("/")[2] in schemas, ref
    used = {ref.rpartition("/")[2] for ref in refs(doc)}
    assert used == set(schemas), f"shapes that nobody speaks of: {set(schemas) - used}"
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
    bare = [f"{n}.{m}" for n, s in schemas.items() for m, about in s["properties"].items() if not about.get("description")]
    assert not bare, f"without a description: {bare}"
    for method, path, operation in operations(doc):
        where = f"{method} {path}"
        assert operation["summary"] and operation["tags"], where
        assert operation["x-role"] in ROLES, where
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), (where, named)
        keys = [p["name"] for p in operation["parameters"] if p["in"] == "header"]
        expect(keys, ["Idempotency-Key"] if takes_key(method, operation) else [], where)
        silent = [p["name"] for p in operation["parameters"] if p["in"] != "path" and not p.get("description")]
        assert not silent, f"{where}: without a description: {silent}"
        assert method != "GET" or "requestBody" not in operation, where


def validator(doc, name):
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": doc["components"]})


def answer_shape(operation):
    """Name of the shape of a good answer; None: it is no JSON."""
    for content in operation["responses"].get("200", {}).get("content", {}).values():
        return content["schema"]["$ref"].rpartition("/")[2]
    return None


# ---- asking ----


def filled(path):
    return re.sub(r"{\w+}", "1", path)


def check_problem(doc, answer, where):
    expect(answer.fields.get("Content-Type"), "application/problem+json", where)
    validator(doc, "Problem").validate(answer.json)
    expect(answer.json["status"], answer.status, where)


def refused(doc, browser, method, path, body, statuses, where, fields=None):
    answer = browser.ask(method, filled(path), body, fields)
    assert answer.status in statuses, f"{where}: {answer.status} {answer.text[:200]}"
    check_problem(doc, answer, where)


def check_strangers(doc, gate):
    """Nobody gets anything, with or without a body; where nobody is asked who he is, an empty body is not enough."""
    for method, path, operation in operations(doc):
        is_open = operation["x-role"] == "none"
        body = {} if is_open else None
        refused(doc, Browser(gate), method, path, body, {400, 422} if is_open else {401}, f"nobody, {method} {path}")
        if not is_open:
            refused(doc, Browser(gate), method, path, {}, {401}, f"nobody with a body, {method} {path}")
            refused(doc, Browser(gate, token="emb_" + "0" * 64), method, path, None, {401}, f"a wrong token, {method} {path}")


def check_roles(doc, tokens, gate):
    for method, path, operation in operations(doc):
        for role in ROLES[1:]:
            if ROLES.index(role) < ROLES.index(operation["x-role"]):
                refused(doc, Browser(gate, token=tokens[role]), method, path, None, {403}, f"{role}, {method} {path}")


def check_unknown(doc, boss):
    """Nothing is ignored: neither a parameter, nor a member, nor a body where none is taken, nor another type than JSON."""
    for method, path, operation in operations(doc):
        where = f"{method} {path}"
        if method == "GET":
            refused(doc, boss, method, path + "?no_such_parameter=1", None, {400}, where)
        elif "requestBody" in operation:
            refused(doc, boss, method, path, {"no such member": 1}, {422}, where)
            refused(doc, boss, method, path, "[", {400}, where)
            refused(doc, boss, method, path, "[" * 5000, {400}, where)
            plain = boss.ask(method, filled(path), "{}", {"Content-Type": "text/plain"})
            expect(plain.status, 415, where)
        else:
            refused(doc, boss, method, path, {"a": 1}, {413}, where)
        if takes_key(method, operation):
            refused(doc, boss, method, path, {"no such member": 1}, {400}, where, {"Idempotency-Key": '"'})
    for path in doc["paths"]:
        other = boss.ask("PROPFIND", filled(path))
        allowed = set(other.fields.get("Allow", "").split(", "))  # those of a path with {...} that fits too among them
        assert other.status == 405 and {m.upper() for m in doc["paths"][path]} <= allowed, (path, other.status, allowed)


def first_of(boss, path, parameter):
    """From the list that stands in front of it."""
    listed = boss.ask("GET", path) if path else None
    items = (listed.json or {}).get("items") if listed and listed.status == 200 else None
    for name in (parameter, "id", "name", "value"):
        if items and items[0].get(name):
            return items[0][name]
    return None


def with_parameters(boss, doc, path):
    """(path, True where every {...} stands for something that is there)."""
    known = True
    while "{" in path:
        before, name, rest = re.fullmatch(r"(.*?)/{(\w+)}(.*)", path).groups()
        value = VALUES.get(name) or (first_of(boss, before, name) if before in doc["paths"] else None)
        known = known and value is not None
        path = f"{before}/{value or '1'}{rest}"
    return path, known


def query_of(operation):
    """What is needed, and no more."""
    asked = []
    for p in operation["parameters"]:
        if p["in"] == "query" and p["required"]:
            words = p["schema"].get("enum")
            asked.append(f"{p['name']}={words[0] if words else VALUES.get(p['name'], '1')}")
    return "?" + "&".join(asked) if asked else ""


def check_stream(gate, token, path):
    """An answer without end: its head is enough."""
    asking = Browser(gate, token=token).connection()
    try:
        asking.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        got = asking.getresponse()
        expect((got.status, got.headers["Content-Type"].partition(";")[0]), (200, "text/event-stream"), path)
    finally:
        asking.close()


def check_answers(doc, boss, gate):
    """Returns the number of answers, and the lists that were empty: there is nothing that their shape was tried on."""
    answers, empty = 0, []
    for method, path, operation in operations(doc):
        if method != "GET":
            continue
        at, known = with_parameters(boss, doc, path)
        if path == "/stream":
            check_stream(gate, boss.token, at + query_of(operation))
            answers += 1
            continue
        got = boss.ask("GET", at + query_of(operation))
        where = f"GET {at}: {got.status} {got.text[:300]}"
        answers += 1
        if path.startswith("/overrides"):  # told to other gates only (tests/flow/suites/peers.py)
            expect(got.status, 403, where)
            check_problem(doc, got, where)
            continue
        if not known:
            expect(got.status, 404, where)
            check_problem(doc, got, where)
            continue
        expect(got.status, 200, where)
        shape = answer_shape(operation)
        if shape:
            for fault in validator(doc, shape).iter_errors(got.json):
                raise AssertionError(f"GET {at}: {'/'.join(map(str, fault.absolute_path))}: {fault.message[-300:]}")
            if isinstance(got.json, dict) and got.json.get("items") == []:
                empty.append(path)
        expect((got.fields["Cache-Control"], got.fields["X-Content-Type-Options"]), ("no-store", "nosniff"), where)
    return answers, empty


def check_pages(doc, boss):
    """A list in pages is the list: nothing twice, nothing missing."""
    for method, path, operation in operations(doc):
        names = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
        if method != "GET" or "{" in path or not {"after", "limit"} <= names:
            continue
        whole = boss.ask("GET", f"{path}?limit=500").json["items"]
        parts, after = [], None
        while len(parts) <= len(whole) and (after or not parts):
            page = boss.ask("GET", f"{path}?limit=2" + (f"&after={after}" if after else "")).json
            parts += page["items"]
            after = page["next"]
            if not page["items"]:
                break
        assert [key_of(i) for i in parts[: len(whole)]] == [key_of(i) for i in whole], f"{path}: {len(parts)} in pages, {len(whole)} whole"
        for limit in ("0", "x", "-1", "1.5", "99999999999999999999"):
            expect(boss.ask("GET", f"{path}?limit={limit}").status, 400, f"{path}?limit={limit}")


def key_of(item):
    return next(item[name] for name in ("id", "name", "value", "key") if name in item)


def main():
    with tempfile.TemporaryDirectory(prefix="embergate-contract.") as folder, Origin() as origin, Gate({}, start=False) as gate:
        gate.write(config(gate, origin, folder))
        gate.start()
        attack(gate)
        browser = fill(gate)
        tokens = {role: api.token(gate, role, role) for role in ROLES[1:]}
        boss = Browser(gate, token=tokens["administrator"])
        doc = json.loads(boss.ask("GET", "/openapi.json").text, object_pairs_hook=once)
        check_document(doc)
        check_strangers(doc, gate)
        check_roles(doc, tokens, gate)
        check_unknown(doc, boss)
        eventually(lambda: len(boss.ask("GET", "/events").json["items"]) >= 4, 10, "four events")
        answers, empty = check_answers(doc, boss, gate)
        own = browser.ask("GET", "/sessions").json
        validator(doc, answer_shape(doc["paths"]["/sessions"]["get"])).validate(own)
        assert own["items"]
        check_pages(doc, boss)
        routes = len(list(operations(doc)))
        assert routes >= 40 and answers >= 15, (routes, answers)
        print(f"{routes} routes, {len(doc['components']['schemas'])} shapes, {answers} answers to GET as their schemas say; "
              f"empty lists: {', '.join(empty) or 'none'}")


if __name__ == "__main__":
    main()
