#!/usr/bin/python3
"""run.py -- runs the flow scripts against a gate and prints one line each.

    tests/flow/run.py --gate build/dev/embergate [SUITE ...] [-k PATTERN] [--all | --long] [--list]
    tests/flow/run.py --peer nginx framing         the same cases through another proxy, to compare

A script is a function named as a claim in suites/*.py. Each runs in a process of its own with a
time limit; a script that hangs is killed and failed. EMBERGATE may name the program too.
"""
import argparse
import fnmatch
import importlib
import os
import pkgutil
import select
import signal
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def arguments():
    parse = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parse.add_argument("suites", nargs="*", help="default: all")
    parse.add_argument(
        "--gate", default=os.environ.get("EMBERGATE", ""), help="the program under test"
    )
    parse.add_argument(
        "--peer", default="", choices=["", "nginx", "haproxy"], help="instead of the gate"
    )
    parse.add_argument(
        "-k", metavar="PATTERN", default="", help="only names that hold this (globs work)"
    )
    parse.add_argument("-j", type=int, default=2, help="how many at once (2)")
    parse.add_argument("--all", action="store_true", help="the long ones too")
    parse.add_argument("--long", action="store_true", help="only the long ones")
    parse.add_argument(
        "-v", action="store_true", help="also what good scripts print: figures, seeds"
    )
    parse.add_argument("--list", action="store_true")
    return parse.parse_args()


def chosen(asked):
    """The claims to run. Imported late: lib.gate reads EMBERGATE when it is loaded."""
    suites = [found.name for found in pkgutil.iter_modules([os.path.join(HERE, "suites")])]
    unknown = sorted(set(asked.suites) - set(suites))
    if unknown:
        sys.exit(f"no such suite: {', '.join(unknown)} (there are {', '.join(suites)})")
    for suite in asked.suites or suites:
        importlib.import_module(f"suites.{suite}")
    from lib.claims import CLAIMS

    pattern = f"*{asked.k}*".replace(" ", "_")
    return [
        c
        for c in CLAIMS
        if fnmatch.fnmatch(c.name, pattern) and (asked.all or c.long == asked.long)
    ]


class Running:
    """One script in its own process and session."""

    def __init__(self, claim):
        self.claim, self.started = claim, time.monotonic()
        self.output = tempfile.TemporaryFile()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self.child()
        self.handle = os.pidfd_open(self.pid)

    def child(self):
        from lib.claims import Skipped

        os.setsid()
        os.dup2(self.output.fileno(), 1)
        os.dup2(self.output.fileno(), 2)
        code = 1
        try:
            self.claim.run()
            code = 0
        except Skipped as why:
            print(why)
            code = 77
        except BaseException:  # the child must never return into the runner's loop
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)

    def overdue(self):
        return time.monotonic() - self.started > self.claim.limit

    def end(self, killed):
        try:
            os.killpg(self.pid, signal.SIGKILL)  # the gate too, should it have been left behind
        except ProcessLookupError:
            pass
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.handle)
        self.output.seek(0)
        text = self.output.read().decode(errors="replace").strip()
        code = os.waitstatus_to_exitcode(status)
        word = "time-out" if killed else {0: "ok", 77: "skipped"}.get(code, "FAILED")
        return word, text


def report(running, word, text, verbose):
    took = time.monotonic() - running.started
    print(f"{word:9}{took:6.1f} s  {running.claim.name.replace('_', ' ')}", flush=True)
    if text and (word != "ok" or verbose):
        print("    " + text.replace("\n", "\n    "), flush=True)


def run_all(claims, at_once, verbose):
    waiting, running, results = list(claims), [], []
    while waiting or running:
        while waiting and len(running) < at_once:
            running.append(Running(waiting.pop(0)))
        ready = select.select([r.handle for r in running], [], [], 0.2)[0]
        for script in list(running):
            if script.handle in ready or script.overdue():
                word, text = script.end(script.handle not in ready)
                report(script, word, text, verbose)
                results.append((script.claim.name, word))
                running.remove(script)
    return results


def main():
    asked = arguments()
    if asked.peer:
        os.environ["FLOW_PEER"] = asked.peer
    elif not asked.list and not os.access(asked.gate, os.X_OK):
        sys.exit(f"--gate: no program at {asked.gate!r}")
    os.environ["EMBERGATE"] = os.path.abspath(asked.gate) if asked.gate else ""
    claims = chosen(asked)
    if asked.list:
        print("\n".join(c.name for c in claims))
        return
    if not claims:
        sys.exit("no script has such a name")
    started = time.monotonic()
    if not asked.peer:
        from lib.gate import compile_rules

        compile_rules()
        print(f"rules compiled or found in {time.monotonic() - started:.1f} s", flush=True)
    results = run_all(claims, asked.j, asked.v)
    count = {
        word: sum(w == word for _, w in results) for word in ("ok", "FAILED", "time-out", "skipped")
    }
    print(
        f"{count['ok']} of {len(results)} ok, {count['FAILED']} failed, {count['time-out']} timed out, "
        f"{count['skipped']} skipped, {time.monotonic() - started:.0f} s"
    )
    for name, word in results:
        if word in ("FAILED", "time-out"):
            print(f"  {word}: {name}")
    sys.exit(count["FAILED"] + count["time-out"] > 0)


if __name__ == "__main__":
    main()
