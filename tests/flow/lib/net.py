"""net.py -- a network namespace of the test's own, with two cables to this one: one can be pulled while the other holds.

    with Net() as net: net.run("ip", "addr"); net.pull("b"); net.plug("b")

`net.here["a"]` and `net.there["a"]` are the addresses at the ends of cable a. 10.213.0.0/16, cut in /30s by process.
"""
import os
import shutil
import subprocess

from lib.claims import Skipped


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


class Net:
    def __init__(self):
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skipped("a network namespace takes root and iproute2")
        self.name = f"ember{os.getpid()}"
        self.before = ("ip", "netns", "exec", self.name)
        self.here, self.there = {}, {}

    def __enter__(self):
        try:
            ip("netns", "add", self.name)
        except subprocess.CalledProcessError as why:
            raise Skipped(f"no network namespace: {why.stderr.decode().strip()}") from None
        try:
            ip("-n", self.name, "link", "set", "lo", "up")
            for number, cable in enumerate("ab"):
                self.lay(cable, number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def lay(self, cable, number):
        block = (os.getpid() % 8000) * 8 + number * 4
        base = f"10.213.{block // 256}.{block % 256}".rpartition(".")
        self.here[cable] = f"{base[0]}.{int(base[2]) + 1}"
        self.there[cable] = f"{base[0]}.{int(base[2]) + 2}"
        near, far = self.end(cable), f"far{cable}"
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
        ip("addr", "add", f"{self.here[cable]}/30", "dev", near)
        ip("link", "set", near, "up")
        ip("-n", self.name, "addr", "add", f"{self.there[cable]}/30", "dev", far)
        ip("-n", self.name, "link", "set", far, "up")

    def end(self, cable):
        return f"em{os.getpid()}{cable}"

    def pull(self, cable):
        ip("link", "set", self.end(cable), "down")

    def plug(self, cable):
        ip("link", "set", self.end(cable), "up")

    def __exit__(self, *why):
        for cable in "ab":
            subprocess.run(["ip", "link", "del", self.end(cable)], capture_output=True, timeout=10, check=False)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, timeout=10, check=False)
