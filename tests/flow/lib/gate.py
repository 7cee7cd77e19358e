"""gate.py -- one gate under test: its configuration, its process, its logs, its control socket.

    with Gate(one_app(origin.url, waf={"mode": "off"})) as gate, gate.connect() as client: ...

The gate must end cleanly at SIGTERM and say nothing that a sanitizer would: otherwise the script
fails even when all its own expectations held.
"""
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import yaml

from lib.claims import eventually
from lib.client import Client
from lib.ports import free_port

PROGRAM = os.environ.get("EMBERGATE", "")
CACHE = os.path.join(os.path.dirname(PROGRAM), "flow-cache")  # compiled rules, by content hash
START_SECONDS, STOP_SECONDS = 20, 15
# One rule that nobody meets: inspection is on and bodies are held, but nothing is denied by chance.
NEVER = """name: flow/never
rules:
  - or:
      - {zones: [URI], match: {type: equals, value: /never-asked-for}}
      - {zones: [BODY_ARGS, RAW_BODY], match: {type: equals, value: never-sent}}
"""
CALM = {"packs": False, "rules": ["never.yaml"]}
OUTCRIES = re.compile(
    r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion|"
    r"double free|stack smashing|segfault|SIGSEGV|SIGABRT|signal 11|signal 6"
)


def one_app(upstream, top=None, **app):
    """A configuration with one app that answers every host. `top` has top-level keys."""
    return {"apps": {"shop": {"upstream": upstream, **app}}, **(top or {})}


def with_packs(app):
    """Without a word on it the rules are our packs alone, whatever is installed beside them."""
    waf = app.get("waf", {})
    waf = waf if isinstance(waf, dict) else {"mode": waf}
    return {**app, "waf": {"ruleset": "packs", **waf}}


class Gate:
    def __init__(
        self,
        config=None,
        options=(),
        crashes=False,
        environment=None,
        start=True,
        patience=START_SECONDS,
        before=(),
        host="127.0.0.1",
        lean=False,
    ):
        """`config` None: only command-line `options`. `crashes`: the script kills it on purpose. `before`: the words of a
        program that runs it, in a network of its own for example, where it listens on `host`. `lean`: what is
        freed waits in no sanitizer's quarantine, so that memory can be measured."""
        self.folder = tempfile.mkdtemp(prefix="embergate-flow.")
        self.file = os.path.join(self.folder, "embergate.yaml")
        self.socket = os.path.join(self.folder, "ctl.sock")
        self.port, self.admin_port = free_port(), free_port()
        self.crashes, self.patience, self.process = crashes, patience, None
        self.before, self.host = before, host
        self.stdout = None  # a descriptor instead of the file
        self.config, self.options = config, options
        sanitizer = f"log_path={self.folder}/sanitizer:abort_on_error=0:print_stacktrace=1"
        sanitizer += ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0" if lean else ""
        self.environment = {
            **os.environ,
            "ASAN_OPTIONS": sanitizer,
            "UBSAN_OPTIONS": sanitizer,
            "TSAN_OPTIONS": sanitizer,
            **(environment or {}),
        }
        copy_files(CACHE, self.path("state/cache"))
        with open(self.path("never.yaml"), "w", encoding="ascii") as out:
            out.write(NEVER)
        if config is not None:
            self.write(config)
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
        except AssertionError as outcry:
            if kind is None:
                raise
            value.add_note(str(outcry))
        finally:
            if kind is not None and self.text("stderr"):
                value.add_note("the gate said:\n" + self.text("stderr")[-3000:])
            shutil.rmtree(self.folder, ignore_errors=True)

    # configuration

    def filled(self, config):
        """What every configuration of a test needs beside what it is about."""
        apps = {name: with_packs(app) for name, app in config.get("apps", {}).items()}
        return {
            "listen": [{"bind": f"{self.host}:{self.port}"}],
            "admin": {"bind": f"127.0.0.1:{self.admin_port}"},
            "state": os.path.join(self.folder, "state"),
            "ctl": self.socket,
            "workers": 2,
            "log": {"access": self.path("access.log"), "security": self.path("security.log")},
            **config,
            **({"apps": apps} if apps else {}),
        }

    def write(self, config):
        """Also for a reload: writes the file anew."""
        self.config = config
        text = (
            config
            if isinstance(config, str)
            else yaml.safe_dump(self.filled(config), sort_keys=False)
        )
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(text)

    def path(self, name):
        return os.path.join(self.folder, name)

    def text(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    # the process

    def start(self):
        argv = [
            *self.before,
            PROGRAM,
            *(("run", "-c", self.file) if self.config is not None else ()),
            *self.options,
        ]
        with open(self.path("stdout"), "ab") as out, open(self.path("stderr"), "ab") as err:
            self.process = subprocess.Popen(
                argv,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=self.stdout or out,
                stderr=err,
            )
        try:
            eventually(self.accepts, self.patience, "listening")
        except AssertionError:
            self.process.kill()
            raise AssertionError(
                "the gate did not start:\n" + self.text("stderr")[-3000:]
            ) from None

    def accepts(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the gate ended with {self.process.returncode}")
        with socket.socket() as probe:
            listening = probe.connect_ex((self.host, self.port)) == 0
        # Listening comes first; the control socket is there when it is ready for everything.
        return listening and (not isinstance(self.config, dict) or os.path.exists(self.socket))

    def stop(self, by=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(by)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError(f"the gate did not end within {STOP_SECONDS} s") from None
        self.check()

    def check(self):
        """Fails on what no run may show."""
        reports = [
            open(name, encoding="utf-8", errors="replace").read()
            for name in glob.glob(self.path("sanitizer.*"))
        ]
        if reports and not self.crashes:
            raise AssertionError("sanitizer: " + reports[0][:4000])
        outcry = OUTCRIES.search(self.text("stderr"))
        if outcry and not self.crashes:
            raise AssertionError(f"the gate cried {outcry[0]!r}:\n" + self.text("stderr")[-3000:])
        if self.process and self.process.returncode not in (0, None) and not self.crashes:
            raise AssertionError(f"the gate ended with {self.process.returncode}")

    def signal(self, number):
        self.process.send_signal(number)

    def serving(self):
        """Process id of the serving child."""
        mine = []
        for name in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(name, encoding="latin-1") as file:
                    pid, rest = file.read().split(" (", 1)
                with open(f"/proc/{pid}/cmdline", encoding="latin-1") as file:
                    command = file.read()
            except OSError:
                continue
            state, parent = rest.rpartition(") ")[2].split()[:2]
            if int(parent) == self.process.pid and state != "Z" and "\0compile\0" not in command:
                mine.append(int(pid))
        return max(mine) if mine else self.process.pid

    def memory(self):
        """Resident bytes of the serving child."""
        with open(f"/proc/{self.serving()}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def sanitized(self):
        """Then it is slower and larger than what people run."""
        with open(f"/proc/{self.serving()}/maps", encoding="latin-1") as maps:
            return bool(re.search("lib(asan|tsan|ubsan)", maps.read()))

    # talking to it

    def connect(self, port=None, host=None, **more):
        return Client((host or self.host, port or self.port), **more)

    def ask(self, method="GET", target="/", fields=(), body=None, **more):
        """One request on a connection of its own."""
        with self.connect() as client:
            return client.ask(method, target, fields, body, **more)

    def admin(self, target, method="GET"):
        with self.connect(port=self.admin_port) as client:
            return client.ask(method, target, host=f"127.0.0.1:{self.admin_port}")

    def metrics(self):
        """{series with labels: value} of /metrics."""
        lines = self.admin("/metrics").text.splitlines()
        return {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in lines
            if line and not line.startswith("#")
        }

    def ctl(self, *words, patience=20):
        return subprocess.run(
            [PROGRAM, "ctl", "-s", self.socket, *words],
            capture_output=True,
            text=True,
            timeout=patience,
            cwd=self.folder,
            env=self.environment,
            check=False,
        )

    def reload(self, config=None):
        """By the control socket; True when the gate took it."""
        if config is not None:
            self.write(config)
        return self.ctl("reload").returncode == 0

    def log(self, name):
        """The lines of "access" or "security" as objects."""
        return [json.loads(line) for line in self.text(f"{name}.log").split("\n") if line]

    def logged(self, name, of, seconds=5):
        """Waits for the line about the request with that id."""

        def look():
            return [line for line in self.log(name) if of in json.dumps(line)]

        return eventually(look, seconds, f"a line about {of} in the {name} log")[0]


def copy_files(source, target):
    """What the state directory of a gate may find compiled already."""
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    os.makedirs(target, mode=0o700, exist_ok=True)
    for name in os.listdir(source) if os.path.isdir(source) else ():
        if not os.path.exists(os.path.join(target, name)):
            shutil.copy(os.path.join(source, name), os.path.join(target, name + ".part"))
            os.rename(os.path.join(target, name + ".part"), os.path.join(target, name))


def compile_rules():
    """Compiling takes long under sanitizers: once, before the scripts, for all of them. Our packs, and
    what a gate loads that was told nothing."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for ruleset in ("packs", "auto"):
            config = one_app("http://127.0.0.1:9", waf={"ruleset": ruleset})
            with Gate(config, start=False) as gate:  # one that serves compiles in its own time
                words = [PROGRAM, "check", "-c", gate.file]
                subprocess.run(words, check=True, capture_output=True, timeout=300, cwd=gate.folder)
                copy_files(gate.path("state/cache"), CACHE)


def run(*words, folder=None, environment=None):
    """The program run to its end, as for `check`; `folder` gets the compiled rules as state/cache."""
    if folder:
        copy_files(CACHE, os.path.join(folder, "state", "cache"))
    return subprocess.run(
        [PROGRAM, *words],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def sleep_until(moment):
    time.sleep(max(0.0, moment - time.monotonic()))
