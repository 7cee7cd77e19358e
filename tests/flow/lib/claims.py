"""claims.py -- scripts register themselves here; small helpers to expect things.

    @claim                      a script of the default run
    @claim(long=True)           only with --all
    @claim(limit=60)            seconds it may take (default 30)
"""
import time

CLAIMS = []


class Skipped(Exception):
    """The script cannot run here and says why."""


class Claim:
    def __init__(self, function, long, limit):
        self.run, self.long, self.limit = function, long, limit
        self.suite = function.__module__.rpartition(".")[2]
        self.name = f"{self.suite}.{function.__name__}"


def claim(function=None, *, long=False, limit=30):
    if function is None:
        return lambda later: claim(later, long=long, limit=limit)
    CLAIMS.append(Claim(function, long, limit))
    return function


def expect(value, wanted, what=""):
    if value != wanted:
        raise AssertionError(f"{what or 'value'}: got {value!r}, wanted {wanted!r}")


def eventually(probe, seconds=5, what="it", every=0.02):
    """Calls `probe` until it returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s (last: {found!r})")
        time.sleep(every)


def within(seconds, started, what):
    took = time.monotonic() - started
    if took > seconds:
        raise AssertionError(f"{what} took {took:.2f} s, more than {seconds}")
