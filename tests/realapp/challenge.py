#!/usr/bin/python3
"""challenge.py -- a real browser meets a challenge, in the ways that broke elsewhere.

    tests/realapp/challenge.py GATE [CLAIM ...]

Chromium, driven by challenge.js, asks the gate GATE for pages that are challenged; a small origin
answers what arrived. Each claim has a gate and a profile of its own.
"""
import html
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "flow"), HERE]
LIMIT_SECONDS = 90
RULES = [{"path": "/open/*", "do": "allow"}, {"path": "/person", "do": "captcha"}, {"path": "/*", "do": "challenge"}]
FORM = '<form method="post" action="/order"><textarea name="text"></textarea><button>Send</button></form>'
# A provider's script: it finds its place in the page, and tells the page when a person has solved it.
WIDGET = b"""addEventListener("load", function () {
    var place = document.querySelector(".puzzle[data-sitekey=k1]");
    setTimeout(function () { window[place.getAttribute("data-callback")]("solved by a person"); }, 300);
});"""


def page(request):
    """What arrived, for the browser to find again."""
    from lib.origin import answer

    if request.target == "/widget.js":
        return answer(200, WIDGET, (b"Content-Type: text/javascript",))
    if request.target == "/siteverify":
        good = b"response=solved+by+a+person" in request.body
        return answer(200, json.dumps({"success": good, "hostname": "127.0.0.1"}).encode())
    text = FORM if request.target == "/open/form" else ""
    seen = f"{request.method} {request.target} {request.body.decode()}".strip()
    body = f'<!doctype html><title>origin</title><p id="reached">{html.escape(seen)}</p>{text}'
    return answer(200, body.encode(), (b"Content-Type: text/html; charset=utf-8",))


def see(claim, gate, modules, folder):
    argv = ["node", os.path.join(HERE, "challenge.js"), f"http://127.0.0.1:{gate.port}", folder, claim]
    done = subprocess.run(argv, env={**os.environ, "NODE_PATH": modules, "HOME": folder}, capture_output=True, text=True,
                          timeout=LIMIT_SECONDS, check=False)
    if done.returncode:
        raise AssertionError(f"{claim}: {done.stderr[-1500:]}")
    return json.loads(done.stdout.strip().split("\n")[-1])


def check(seen, wanted):
    for key, value in wanted.items():
        if seen.get(key) != value:
            raise AssertionError(f"{key}: got {seen.get(key)!r}, wanted {value!r}")


SHOP = "GET /shop?a=b"
COOKIES = "The check needs cookies, and your browser does not take them. Please allow cookies for this site and load the page again."


# What each claim of challenge.js must have seen.
WANTED = {
    "solved": {"reached": SHOP, "again": "GET /again", "faults": [], "cookies": [["eg_pass_", True, "Lax"]]},
    "post": {"reached": "POST /order text=kept+%C3%A9+%26+%3Cb%3E"},
    "noScript": {"reached": "GET /shop?a=b&c=d"},
    "noWorkers": {"reached": SHOP},
    "deadWorkers": {"reached": SHOP},
    "noCookies": {"says": COOKIES, "loads": 1},
    "lostCookie": {"says": COOKIES, "loads": 1},
    "twoTabs": {"reached": [f"GET /tab{n}" for n in range(3)], "again": ["GET /after"] * 3},
    "fetched": {"said": [403, 'pow; url="/.embergate/challenge"', "Verification required"], "later": 200},
    "captcha": {"reached": "GET /person?a=b", "faults": []},
    "german": {"lang": "de", "title": "Einen Moment, bitte", "role": "status"},
}


def guarded(origin):
    from lib.gate import one_app

    puzzle = {"provider": "custom", "sitekey": "k1", "secret": "env:CAPTCHA_SECRET", "widget": "puzzle", "field": "solution",
              "script": origin.url + "/widget.js", "verify_url": origin.url + "/siteverify"}
    return one_app(origin.url, waf="off", rules=RULES, challenge={"wait": "3s", "captcha": puzzle})


def restarted(gate, modules, folder):
    check(see("before", gate, modules, folder), {"reached": SHOP})
    gate.stop()
    gate.start()
    check(see("after", gate, modules, folder), {"reached": SHOP, "challenged": 0})


def timed(gate, modules, folder):
    ms = see("times", gate, modules, folder)["ms"]
    print(f"         16 bits, page to page: median {statistics.median(ms):.0f} ms of {len(ms)}, {min(ms)} to {max(ms)}")


def run(claim, modules):
    from lib.gate import Gate
    from lib.origin import Origin

    folder = tempfile.mkdtemp(prefix="embergate-browser.")
    started = time.monotonic()
    try:
        with Origin(page) as origin, Gate(guarded(origin), environment={"CAPTCHA_SECRET": "s"}) as gate:
            if claim == "restarted":
                restarted(gate, modules, folder)
            elif claim == "times":
                timed(gate, modules, folder)
            else:
                seen = see(claim, gate, modules, folder)
                check(seen, WANTED[claim])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"ok {time.monotonic() - started:5.1f} s  {claim}", flush=True)


def main():
    program = os.environ["EMBERGATE"] = os.path.abspath(sys.argv[1])
    from browser import driver

    absent = [name for name in ("node", "npm", "chromium") if not shutil.which(name)]
    if absent:
        print("skipped: not installed: " + ", ".join(absent))
        sys.exit(77)
    modules, failed = driver(os.path.join(os.path.dirname(program), "realapp")), 0
    for claim in sys.argv[2:] or [*WANTED, "restarted", "times"]:
        try:
            run(claim, modules)
        except (AssertionError, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"FAILED  {claim}: {why}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
