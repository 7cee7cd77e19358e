"""agent.py -- logs of other servers are read: none of their lines is lost, none is read twice.

The agent runs without a gate (tests/tools/agent_print.c, beside the gate's build) and prints each event.
"""
import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

from lib.claims import Skipped, claim, eventually, expect
from lib.gate import PROGRAM, Gate, one_app
from lib.origin import Origin
from lib.ports import free_port

TOOL = os.path.join(os.path.dirname(os.path.abspath(PROGRAM)), "tests", "agent_print")


def line_of(n, ip="192.0.2.1"):
    return f'{ip} - - [29/Sep/2021:17:29:58 +0200] "GET /{n} HTTP/1.1" 404 162 "-" "curl"\n'.encode()


class Agent:
    """agent_print with one entry of `logs`; `events` grows while it runs."""

    def __init__(self, folder, entry, path=None):
        if not os.path.exists(TOOL):
            raise Skipped(f"{TOOL} is not built")
        state = os.path.join(folder, "state")
        os.makedirs(state, exist_ok=True)
        config = os.path.join(folder, "agent.yaml")
        with open(config, "w", encoding="ascii") as f:
            json.dump({"state": state, "apps": {"a": {"upstream": "http://127.0.0.1:1"}}, "logs": [entry]}, f)
        self.events, self.counts = [], None
        self.child = subprocess.Popen([TOOL, config], stdout=subprocess.PIPE, env=dict(os.environ, **({"PATH": path} if path else {})))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            got = json.loads(line)
            if "path" in got:
                self.events.append(got)
            else:
                self.counts = got

    def paths(self):
        return [e["path"] for e in list(self.events)]

    def stop(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(how)
        self.child.wait(10)
        self.reader.join(10)
        if how == signal.SIGTERM:
            expect(self.child.returncode, 0, "the agent's end")
        return self.counts

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop(signal.SIGKILL)
        self.child.stdout.close()


def each_once(paths, count):
    seen = collections.Counter(paths)
    lost = [n for n in range(count) if f"/{n}" not in seen]
    twice = [p for p, k in seen.items() if k > 1]
    assert not lost and not twice, f"lost {lost[:5]} ({len(lost)}), twice {twice[:5]} ({len(twice)})"
    expect(len(paths), count)


def append(path, *numbers):
    with open(path, "ab") as f:
        f.write(b"".join(line_of(n) for n in numbers))


def wait_for(agent, count, seconds=10):
    eventually(lambda: len(agent.events) >= count, seconds, f"{count} events")


def files(folder, *names, **more):
    return {"files": [os.path.join(folder, n) for n in names], "type": "nginx", "from": "start", **more}


@contextlib.contextmanager
def a_folder():
    folder = tempfile.mkdtemp(prefix="embergate-agent-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# files


@claim
def lines_are_read_as_they_come_and_count_when_their_newline_has():
    with a_folder() as folder:
        log = os.path.join(folder, "access.log")
        append(log, 0, 1)
        with Agent(folder, files(folder, "access.log")) as agent:
            wait_for(agent, 2)
            whole = line_of(2)
            with open(log, "ab", buffering=0) as f:
                f.write(whole[:40])
                time.sleep(0.6)
                expect(len(agent.events), 2, "half a line")
                f.write(whole[40:])
                wait_for(agent, 3)
            each_once(agent.paths(), 3)
            expect(agent.events[0]["from"], log)
            expect(agent.events[0]["type"], "file")


@claim
def a_file_is_read_from_its_end_unless_told_otherwise():
    with a_folder() as folder:
        log = os.path.join(folder, "access.log")
        append(log, *range(1000, 1100))
        with Agent(folder, {"files": [log], "type": "nginx"}) as agent:
            time.sleep(0.5)
            append(log, 0)
            wait_for(agent, 1)
            expect(agent.paths(), ["/0"])


@claim
def a_file_that_appears_later_is_read_from_its_start():
    with a_folder() as folder:
        entry = {"files": [os.path.join(folder, "*.log"), os.path.join(folder, "named")], "type": "nginx"}
        with Agent(folder, entry) as agent:
            time.sleep(0.4)
            append(os.path.join(folder, "new.log"), 0, 1)
            append(os.path.join(folder, "named"), 2)
            append(os.path.join(folder, "new.log.1"), 90)
            append(os.path.join(folder, "other.txt"), 91)
            wait_for(agent, 3)
            time.sleep(0.5)
            each_once(agent.paths(), 3)


def write_and_rotate(agent, folder, rotate, total=4000, every=500):
    """Writes without a pause, in the way of a server; `rotate` is called in between."""
    log = os.path.join(folder, "access.log")
    out = open(log, "ab", buffering=0)
    for n in range(total):
        out.write(line_of(n))
        if n == 0:
            wait_for(agent, 1)
        if n % every == every - 1:
            out = rotate(log, out, n // every)
        elif n % 5 == 0:
            time.sleep(0.006)  # so that a file lives for a few looks of the agent
    out.close()


@claim(limit=60)
def rotation_by_rename_loses_nothing_and_repeats_nothing():
    def rotate(log, out, turn):
        os.rename(log, f"{log}.{turn}")
        out.write(line_of(f"late{turn}"))  # as nginx does until it is told to open its log anew
        out.close()
        return open(log, "ab", buffering=0)

    with a_folder() as folder, Agent(folder, files(folder, "access.log*")) as agent:
        write_and_rotate(agent, folder, rotate)
        wait_for(agent, 4008, 20)
        time.sleep(0.5)
        each_once([p for p in agent.paths() if "late" not in p], 4000)
        expect(sorted(p for p in agent.paths() if "late" in p), [f"/late{n}" for n in range(8)])


@claim(limit=60)
def rotation_by_copy_and_truncate_loses_nothing_and_repeats_nothing():
    def rotate(log, out, turn):
        if os.path.exists(f"{log}.1"):
            os.rename(f"{log}.1", f"{log}.2")
        shutil.copyfile(log, f"{log}.1")
        os.truncate(log, 0)
        return out

    with a_folder() as folder, Agent(folder, files(folder, "access.log")) as agent:
        write_and_rotate(agent, folder, rotate)
        wait_for(agent, 4000, 20)
        time.sleep(0.5)
        each_once(agent.paths(), 4000)


@claim
def a_truncated_file_that_has_grown_past_its_old_size_is_noticed():
    with a_folder() as folder, Agent(folder, files(folder, "access.log")) as agent:
        log = os.path.join(folder, "access.log")
        append(log, 0, 1, 2)
        wait_for(agent, 3)
        shutil.copyfile(log, log + ".1")
        with open(log, "wb") as f:
            f.write(b"".join(line_of(n) for n in range(3, 60)))
        wait_for(agent, 60)
        time.sleep(0.4)
        each_once(agent.paths(), 60)


@claim(limit=60)
def a_restart_goes_on_where_reading_ended():
    with a_folder() as folder:
        log, entry = os.path.join(folder, "access.log"), files(folder, "access.log")
        append(log, *range(0, 10))
        with Agent(folder, entry) as agent:
            wait_for(agent, 10)
            agent.stop()
            paths = agent.paths()
        append(log, *range(10, 20))
        with Agent(folder, entry) as agent:
            wait_for(agent, 10)
            agent.stop()
            paths += agent.paths()
        append(log, *range(20, 30))
        os.rename(log, log + ".1")  # rotated while nobody looked
        append(log, *range(30, 40))
        with Agent(folder, entry) as agent:
            wait_for(agent, 20)
            agent.stop()
            paths += agent.paths()
        append(log, *range(40, 50))
        shutil.copyfile(log, log + ".1")
        os.truncate(log, 0)
        append(log, *range(50, 60))
        with Agent(folder, entry) as agent:
            wait_for(agent, 20)
            time.sleep(0.5)
            agent.stop()
            paths += agent.paths()
        each_once(paths, 60)


@claim
def a_line_without_an_end_is_cut_and_counted():
    with a_folder() as folder, Agent(folder, files(folder, "access.log")) as agent:
        log = os.path.join(folder, "access.log")
        with open(log, "wb") as f:
            f.write(line_of(0) + b"x" * 3_000_000 + b"\n" + line_of(1) + b"y" * 70_000 + b"\n" + line_of(2))
        wait_for(agent, 3)
        counts = agent.stop()
        each_once(agent.paths(), 3)
        expect((counts["cut"], counts["broken"], counts["lines"]), (2, 2, 5))


# syslog


def syslog_entry(scheme, port, **more):
    return {"syslog": f"{scheme}:127.0.0.1:{port}", "type": "syslog", **more}


def framed(n):
    return b"<134>Sep 15 16:13:46 host nginx[1]: " + line_of(n)[:-1]


def connect_later(port):
    def attempt():
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 2)

    return eventually(attempt, 5, "the listener")


@claim
def syslog_over_udp_is_read_a_datagram_a_line():
    with a_folder() as folder:
        port = free_port()
        with Agent(folder, syslog_entry("udp", port)) as agent, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            eventually(lambda: out.sendto(framed("probe"), ("127.0.0.1", port)) and agent.events, 5, "a datagram read", 0.1)
            for n in range(200):
                out.sendto(framed(n), ("127.0.0.1", port))
            out.sendto(b"\x00\xff<<<", ("127.0.0.1", port))
            out.sendto(b"", ("127.0.0.1", port))
            eventually(lambda: "/199" in agent.paths(), 5, "the last one read")
            each_once([p for p in agent.paths() if p != "/probe"], 200)
            expect(agent.events[0]["from"], f"udp:127.0.0.1:{port}")
            expect(agent.stop()["broken"], 1)


@claim
def syslog_over_tcp_is_read_by_lines_and_by_counts_however_it_is_cut():
    with a_folder() as folder:
        port = free_port()
        with Agent(folder, syslog_entry("tcp", port)) as agent:
            with connect_later(port) as out:
                data = b"".join(framed(n) + b"\n" for n in range(100))
                data += b"".join(b"%d %s" % (len(framed(n)), framed(n)) for n in range(100, 200))
                data += framed(200)  # without its newline: the connection ends instead
                for at in range(0, len(data), 37):
                    out.sendall(data[at:at + 37])
            wait_for(agent, 201)
            each_once(agent.paths(), 201)


@claim
def a_sender_that_is_too_fast_waits_over_tcp_and_is_dropped_over_udp():
    with a_folder() as folder:
        port = free_port()
        with Agent(folder, syslog_entry("tcp", port, rate=500)) as agent:
            with connect_later(port) as out:
                out.sendall(b"".join(framed(n) + b"\n" for n in range(1200)))
            started = time.monotonic()
            wait_for(agent, 1200, 10)
            assert time.monotonic() - started > 1.5, "it came too fast"
            each_once(agent.paths(), 1200)
    with a_folder() as folder:
        port = free_port()
        with Agent(folder, syslog_entry("udp", port, rate=100)) as agent, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            eventually(lambda: out.sendto(framed(0), ("127.0.0.1", port)) and agent.events, 5, "a datagram read", 0.1)
            for n in range(300):
                out.sendto(framed(n), ("127.0.0.1", port))
                time.sleep(0.0005)
            counts = agent.stop()
            assert counts["dropped"] >= 50, counts
            assert counts["events"] + counts["dropped"] >= 300, counts


@claim
def only_named_senders_are_heard():
    with a_folder() as folder:
        port = free_port()
        with Agent(folder, syslog_entry("tcp", port, senders=["192.0.2.0/24"])) as agent:
            for _ in range(3):
                with connect_later(port) as out, contextlib.suppress(OSError):
                    out.sendall(framed(0) + b"\n")
                    out.settimeout(3)
                    expect(out.recv(1), b"", "closed")
            expect(agent.stop()["events"], 0)


# the journal


FAKE = """#!/usr/bin/python3
import json, sys, time
with open({calls!r}, "a") as f:
    f.write(json.dumps(sys.argv[1:]) + "\\n")
turn = len(open({calls!r}).readlines())
for n in range(3):
    k = (turn - 1) * 3 + n
    text = "Failed password for u%d from 192.0.2.1 port 22 ssh2" % k
    print(json.dumps({{"__CURSOR": "s=%d" % k, "__REALTIME_TIMESTAMP": "1711741827962000", "SYSLOG_IDENTIFIER": "sshd",
                      "MESSAGE": list(text.encode()) if n == 2 else text}}), flush=True)
if turn > 1:
    time.sleep(60)
"""


@claim
def the_journal_goes_on_behind_its_cursor_when_journalctl_ends():
    with a_folder() as folder:
        calls, program = os.path.join(folder, "calls"), os.path.join(folder, "journalctl")
        with open(program, "w", encoding="ascii") as f:
            f.write(FAKE.format(calls=calls))
        os.chmod(program, stat.S_IRWXU)
        with Agent(folder, {"journal": ["ssh.service"], "type": "sshd"}, folder + ":" + os.environ["PATH"]) as agent:
            wait_for(agent, 6)
            expect(agent.paths(), [f"u{n}" for n in range(6)])
            expect({e["time"] for e in agent.events}, {"2024-03-29T19:50:27Z"})
            agent.stop()
        with open(calls, encoding="ascii") as f:
            first, second = [json.loads(line) for line in f]
        assert "--lines=0" in first and "--unit=ssh.service" in first, first
        assert "--after-cursor=s=2" in second, second
        with open(os.path.join(folder, "state", "logs.places"), encoding="ascii") as f:
            expect(f.read(), "journal s=5 ssh.service\n")


@claim
def the_real_journal_is_followed():
    logger = shutil.which("logger")
    if not shutil.which("journalctl") or not logger or not os.path.exists("/run/systemd/journal/socket"):
        raise Skipped("no journald runs here")
    with a_folder() as folder:
        unique = f"u{os.getpid()}"
        with Agent(folder, {"journal": ["*"], "type": "sshd"}) as agent:
            def say():
                subprocess.run([logger, "-t", "sshd", f"Failed password for {unique} from 192.0.2.1 port 22 ssh2"], check=True)
                time.sleep(0.3)
                return unique in agent.paths()

            eventually(say, 15, "the entry")


# in the gate


@claim
def the_gate_reads_logs_over_a_reload_and_counts_their_lines():
    def events(gate):
        return gate.metrics().get('embergate_log_lines_total{outcome="event"}')

    with a_folder() as folder, Origin() as origin:
        log = os.path.join(folder, "access.log")
        append(log, 0, 1)
        config = one_app(origin.url, {"logs": [{"files": log, "type": "nginx", "from": "start"}]})
        with Gate(config) as gate:
            eventually(lambda: events(gate) == 2, 5, "two lines")
            append(log, 2)
            assert gate.reload()
            append(log, 3)
            eventually(lambda: events(gate) == 4, 5, "two more")
            assert gate.reload(one_app(origin.url))
            expect(events(gate), None, "no logs are read any more")
            expect(gate.ask().status, 200)
