"""sse.py -- the stream of /api/v1, followed."""
import contextlib
import json
import os
import socket
import threading

from lib.api import OverSocket
from lib.claims import expect


class Stream:
    """Server-sent events, read in a thread of its own."""

    def __init__(self, gate, topics, last=None, query=""):
        self.http = OverSocket(os.path.join(gate.folder, "api.sock"))
        fields = {} if last is None else {"Last-Event-ID": str(last)}
        self.http.request("GET", f"/api/v1/stream?topics={topics}{query}", headers=fields)
        self.socket = self.http.sock  # which the answer takes over
        self.answer = self.http.getresponse()
        self.events, self.comments, self.ended = [], 0, False
        self.thread = threading.Thread(target=self.read, daemon=True)
        if self.answer.status == 200:
            expect(self.answer.headers["Content-Type"], "text/event-stream")
            self.thread.start()

    def read(self):
        event = {}
        with contextlib.suppress(OSError, ValueError):
            for line in self.answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "" and event.get("data"):
                    self.events.append(event)
                if name == "":
                    event = {}
                self.comments += name == ":"
                event[name] = value
        self.ended = True

    def of(self, topic):
        return [e for e in self.events if e.get("event") == topic]

    def paths(self):
        return [json.loads(e["data"])["path"] for e in self.of("security")]

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.http.close()
