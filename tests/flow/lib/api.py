"""api.py -- /api/v1 of a gate, over the socket whose owner is an administrator."""
import http.client
import json
import os
import socket


class OverSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(gate, method, path, body=None):
    """Status and answer: JSON, or None where there is no body."""
    asking = OverSocket(os.path.join(gate.folder, "api.sock"))
    text = None if body is None else json.dumps(body)
    try:
        asking.request(method, f"/api/v1{path}", text, {"Content-Type": "application/json"} if text else {})
        got = asking.getresponse()
        told = got.read()
    finally:
        asking.close()
    return got.status, json.loads(told) if told else None
