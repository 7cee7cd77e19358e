#!/usr/bin/python3
"""browser.py -- a real browser in front of a real application: nothing that a person does is stopped.

    tests/realapp/browser.py GATE

Chromium, driven by session.js, works in MediaWiki through the gate GATE with the default packs. It
fails when a step does not find again what it wrote, when an answer is not the application's, or when
the gate has anything at all in its security log.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "flow"), HERE]
LIMIT_SECONDS = 220


def driver(folder, source=HERE):
    """Installs what the package-lock.json of `source` pins, once; the folder for NODE_PATH."""
    modules, lock = os.path.join(folder, "node_modules"), os.path.join(source, "package-lock.json")
    stamp = os.path.join(modules, "package-lock.json")
    if not (os.path.exists(stamp) and open(stamp, "rb").read() == open(lock, "rb").read()):
        os.makedirs(folder, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(source, name), folder)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, timeout=120,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError("npm ci failed:\n" + done.stderr[-2000:])
        shutil.copy(lock, stamp)
    return modules


def session(address, modules, folder):
    """Runs the session, its lines going to our output; what it counted."""
    from wiki import PASSWORD, USER
    argv = ["node", os.path.join(HERE, "session.js"), address, folder, USER, PASSWORD]
    environment = {**os.environ, "NODE_PATH": modules, "HOME": folder}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        last = ""
        for last in process.stdout:
            if not last.startswith("{"):
                print(last, end="", flush=True)
        if process.wait(LIMIT_SECONDS):
            raise AssertionError("the session did not come to its end")
    return json.loads(last)


def alert(line):
    """What a person needs to judge it: the rule, where, and what it saw."""
    seen = [f"{hit['rule']} at {hit['variable']}: {hit.get('snippet', '')!r}" for hit in line["waf"].get("decision_trace", [])]
    url = line["url"]["path"] + ("?" + line["url"]["query"] if "query" in line["url"] else "")
    return f"{line['event']['action']} {line['http']['request'].get('method')} {url}\n    " + "; ".join(seen or [line["event"]["reason"]])


def check(answers, gate):
    for name in ("access", "security"):
        for line in gate.log(name):
            if line["event"]["action"] != "allow" or line["event"]["kind"] == "alert":
                answers["odd"].append(alert(line))
    if answers["odd"]:
        raise AssertionError("not for a visitor:\n" + "\n".join(answers["odd"]))
    methods = Counter(line["http"]["request"]["method"] for line in gate.log("access"))
    print(f"{sum(methods.values())} requests through the gate ({', '.join(f'{n} {m}' for m, n in methods.most_common())}), "
          f"none blocked; the browser took {answers['count']} answers with its cache's")


def main():
    program = os.environ["EMBERGATE"] = os.path.abspath(sys.argv[1])
    from lib.gate import Gate, compile_rules, one_app
    from wiki import Wiki, missing
    absent = missing() + [name for name in ("node", "npm", "chromium") if not shutil.which(name)]
    if absent:
        print("skipped: not installed: " + ", ".join(absent))
        sys.exit(77)
    modules = driver(os.path.join(os.path.dirname(program), "realapp"))
    compile_rules()
    wiki, folder = Wiki(), tempfile.mkdtemp(prefix="embergate-browser.")
    try:
        with Gate(one_app(wiki.url), start=False) as gate:
            address = f"http://127.0.0.1:{gate.port}"
            with wiki.serving(address):
                gate.start()
                check(session(address, modules, folder), gate)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
