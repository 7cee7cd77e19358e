#!/usr/bin/python3
"""run.py -- the dashboard in a real browser, before a real gate that is really attacked.

    tests/ui/run.py GATE [CLAIM ...]            each claim is a function of claims.js
    tests/ui/run.py GATE --screenshots [DIR]    writes every screen, light and dark (docs/screenshots)

Chromium may reach nothing but the gate. A claim fails on any word in the browser's console, on a request to another host, on
what a sanitizer says of the gate, and on what claims.js expects and does not find.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path[:0] = [os.path.join(HERE, "..", "flow"), os.path.join(HERE, "..", "realapp"), HERE]
CLAIMS = ("rules", "decisions", "test_box", "notifications", "unknown_event", "first_load", "first_visit", "roles", "screens", "false_positive", "live", "filters", "gates")
LIMIT_SECONDS = 200


def act(gate, word):
    """What the browser's script asks of the world while it waits."""
    from world import ARTICLE, ATTACKS, EVIL, post, send, send_secure

    if word.startswith("beside "):
        return act(gate.beside, word[7:])
    if word == "by hand":
        with open(gate.path("state/overrides.yaml"), "w", encoding="ascii") as out:
            out.write("apps:\n  shop:\n    log: {body: true}\n")
        return {"status": gate.ctl("reload").returncode}
    if word == "off":
        from lib.api import ask
        return {"status": ask(gate, "POST", "/apps/shop/mode", {"mode": "off"})[0]}
    if word == "restart":
        before = gate.serving()
        gate.signal(signal.SIGUSR2)
        from lib.claims import eventually
        eventually(lambda: gate.serving() != before and gate.admin("/readyz").status == 200, 30, "another process serves")
        return {}
    if word.startswith("secure "):  # by an address of a known country and network, each time another
        return {"ids": [send_secure(gate, f"192.0.2.{100 + int(word[7:])}", ATTACKS[0]).fields.get("x-request-id")]}
    if word.startswith("attack"):
        return {"ids": [send(gate, f"198.18.7.{i + 1}", ATTACKS[0]).fields.get("x-request-id") for i in range(int(word[6:]))]}
    if word == "article":
        return {"status": post(gate, "198.18.5.5", ARTICLE).status}
    if word == "evil":
        return {"status": post(gate, "198.18.5.6", EVIL).status}
    if word.startswith("user "):
        from world import setup_link
        return {"link": setup_link(gate)}
    raise AssertionError(f"the script asks for {word!r}")


def browse(claim, gate, modules, told):
    folder = tempfile.mkdtemp(prefix="embergate-ui.")
    argv = ["node", os.path.join(HERE, "browser.js"), claim, folder]
    try:
        with subprocess.Popen(argv, env={**os.environ, "NODE_PATH": modules, "HOME": folder}, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            late = threading.Timer(LIMIT_SECONDS, process.kill)
            late.start()
            try:
                converse(process, gate, told)
            finally:
                late.cancel()
                process.kill() if process.poll() is None and sys.exc_info()[0] else None
            if process.wait(20):
                raise AssertionError(f"{claim} failed")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def converse(process, gate, told):
    """Tells it what it needs; lines with a ">" are wishes, the others are for people."""
    print(json.dumps(told), file=process.stdin, flush=True)
    for line in process.stdout:
        if line.startswith(">"):
            print(json.dumps(act(gate, line[1:].strip())), file=process.stdin, flush=True)
        else:
            print("    " + line, end="", flush=True)


@contextlib.contextmanager
def world(claim):
    """A gate; for one claim, with another beside it."""
    from lib.gates import met
    from lib.redis import Redis
    from world import World

    if claim != "gates":
        with World() as gate:
            yield gate
        return
    with Redis() as redis, World(redis.url) as gate, World(redis.url, "there") as gate.beside:
        met([gate, gate.beside])
        yield gate


def run(claim, modules, shots=None):
    from traffic import Traffic
    from world import lively, setup_link

    with world(claim) as gate, Traffic(gate, bool(shots)):
        event = lively(gate)
        link = setup_link(gate)
        print(claim.replace("_", " "), flush=True)
        browse(claim, gate, modules, {"base": gate.base, "link": link, "event": event, "shots": shots})


def main():
    program = os.environ["EMBERGATE"] = os.path.abspath(sys.argv[1])
    words = sys.argv[2:]
    absent = [name for name in ("node", "npm", "chromium") if not shutil.which(name)]
    if absent:
        print("skipped: not installed: " + ", ".join(absent))
        sys.exit(77)
    from browser import driver
    from lib.gate import compile_rules
    modules = driver(os.path.join(os.path.dirname(program), "ui-tests"), HERE)
    compile_rules()
    if words[:1] == ["--screenshots"]:
        shots = os.path.abspath(words[1] if len(words) > 1 else os.path.join(ROOT, "docs", "screenshots"))
        os.makedirs(shots, exist_ok=True)
        run("screenshots", modules, shots)
        return
    for claim in words or CLAIMS:
        run(claim, modules)


if __name__ == "__main__":
    main()
