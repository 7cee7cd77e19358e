"""load.py -- a steady load on the gate while something is done to it, and a count of what failed."""
import threading
import time

from lib.client import request
from lib.wire import Ended


class Load:
    """About `rate` requests a second: some threads keep their connection, some open a new one each time.

    A kept connection that the gate closes after `Connection: close`, or between two requests with
    nothing sent, is opened again; a request that was sent and got no whole 200 has failed.
    """

    def __init__(self, gate, rate=400, keeping=3, fresh=1, host="t.example"):
        self.gate, self.host, self.going = gate, host, True
        self.count, self.failed, self.reopened, self.slowest = 0, [], 0, 0.0
        self.lock = threading.Lock()
        self.pause = (keeping + fresh) / rate
        self.threads = [
            threading.Thread(target=self.run, args=(i < keeping,), daemon=True)
            for i in range(keeping + fresh)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(0.3)
        return self

    def __exit__(self, *why):
        time.sleep(0.3)
        self.going = False
        for thread in self.threads:
            thread.join(15)

    def run(self, keep):
        client, moment = None, time.monotonic()
        while self.going:
            moment += self.pause
            time.sleep(max(0.0, moment - time.monotonic()))
            started = time.monotonic()
            try:
                client = client or self.gate.connect()
                client.send(request(target="/load", host=self.host))
                got = client.response()
                self.note(got.status == 200 and got.complete, repr(got), time.monotonic() - started)
                if not keep or b"close" in got.fields.all("connection"):
                    client.close()
                    client = None
                    self.reopened += keep
            except (Ended, OSError) as why:
                self.note(False, repr(why), time.monotonic() - started)
                client = None

    def note(self, good, what, took):
        with self.lock:
            self.count += 1
            self.slowest = max(self.slowest, took)
            if not good:
                self.failed.append(what)

    def judge(self, failures=0):
        assert self.count > 50, f"only {self.count} requests"
        assert (
            len(self.failed) <= failures
        ), f"{len(self.failed)} of {self.count} failed: {self.failed[:4]}"
        print(
            f"{self.count} requests, {len(self.failed)} failed, slowest {self.slowest * 1000:.0f} ms, "
            f"{self.reopened} kept connections opened again"
        )
