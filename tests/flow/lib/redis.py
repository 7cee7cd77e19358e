"""redis.py -- a real redis-server of the test's own, and servers that only pretend to be one."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from lib.claims import Skipped, eventually
from lib.ports import free_port


def encode(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Redis:
    """`options` are pairs of redis-server's own. It keeps nothing on disk, so a restart is an empty one."""

    def __init__(self, *options, port=None, start=True, prefix=(), host="127.0.0.1"):
        if not shutil.which("redis-server"):
            raise Skipped("redis-server is not installed")
        self.folder = tempfile.mkdtemp(prefix="embergate-flow.")
        self.port, self.options, self.process = port or free_port(), options, None
        self.prefix, self.host = prefix, host
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"redis://{self.host}:{self.port}"

    def start(self):
        argv = [*self.prefix, "redis-server", "--port", str(self.port), "--bind", self.host, "--save", "", "--appendonly", "no",
                "--dir", self.folder, "--protected-mode", "no", *self.options]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        if not self.prefix:
            eventually(self.answers, 10, "redis-server")

    def answers(self):
        try:
            with socket.create_connection((self.host, self.port), 1) as s:
                s.sendall(b"PING\r\n")
                return s.recv(100) != b""
        except OSError:
            return False

    def ask(self, *words, password=None):
        """One command by hand; the raw reply."""
        with socket.create_connection((self.host, self.port), 2) as s:
            if password:
                s.sendall(encode([b"AUTH", password.encode()]))
                s.recv(100)
            s.sendall(encode([w if isinstance(w, bytes) else str(w).encode() for w in words]))
            return s.recv(65536)

    def stop(self, by=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(by)
            self.process.wait(10)

    def kill(self):
        self.stop(signal.SIGKILL)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class Sentinel(Redis):
    """Watches `master` under the name "gates", alone: its own word is enough for a failover."""

    def __init__(self, master):
        self.master = master
        super().__init__()

    def start(self):
        file = os.path.join(self.folder, "sentinel.conf")
        with open(file, "w", encoding="ascii") as out:
            out.write(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\nprotected-mode no\n"
                      f"sentinel monitor gates 127.0.0.1 {self.master.port} 1\n"
                      "sentinel down-after-milliseconds gates 500\nsentinel failover-timeout gates 3000\n")
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(["redis-server", file, "--sentinel"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        eventually(self.answers, 10, "redis-sentinel")


class Cluster:
    """Three masters that share the slots."""

    def __init__(self):
        self.nodes = []
        try:
            for _ in range(3):
                self.nodes.append(cluster_node())
            subprocess.run(["redis-cli", "--cluster", "create", *(f"127.0.0.1:{n.port}" for n in self.nodes), "--cluster-yes"],
                           check=True, capture_output=True, timeout=30)
            eventually(lambda: all(b"cluster_state:ok" in n.ask("CLUSTER", "INFO") for n in self.nodes), 15, "the cluster")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self.nodes

    def __exit__(self, *why):
        for node in self.nodes:
            node.__exit__()


def cluster_node():
    return Redis("--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-node-timeout", "2000")


class Pretender:
    """Takes connections on a port and does with each what `script(connection)` does."""

    def __init__(self, script):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port, self.script, self.taken, self.open = self.listening.getsockname()[1], script, 0, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.taken += 1
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.script(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.listening.close()
        for connection in self.open:
            connection.close()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"
