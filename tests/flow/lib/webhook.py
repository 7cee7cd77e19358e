"""webhook.py -- a receiver of webhooks that can refuse, hang and redirect; it checks signatures as docs/notify.md says."""
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib.ports import free_port


class Webhook:
    def __init__(self, secret=None, port=0):
        self.secret, self.port = secret, port or free_port()
        self.messages, self.faults, self.times, self.paths = [], [], [], []
        self.answers = []  # what is answered first: a status, "hang", or ("redirect", url)
        self.over = threading.Event()
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook/secret-path"

    def __enter__(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.take(self)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind, value, trace):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        if kind is None and self.faults:
            raise AssertionError(self.faults[0])

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"] or 0))
        self.times.append(time.monotonic())
        self.paths.append(request.path)
        self.check(request, body)
        answer = self.answers.pop(0) if self.answers else 204
        if answer == "hang":
            self.over.wait(60)
            return
        if isinstance(answer, tuple):
            request.send_response(302)
            request.send_header("Location", answer[1])
        else:
            if answer < 300:
                self.messages.append(json.loads(body))
            request.send_response(answer)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def check(self, request, body):
        signature = request.headers["X-Embergate-Signature"]
        if request.command != "POST" or request.headers["Content-Type"] != "application/json":
            self.faults.append(f"{request.command} of {request.headers['Content-Type']}")
        if not self.secret:
            if signature:
                self.faults.append("signed without a secret")
            return
        stamp, mac = (part.split("=")[1] for part in signature.split(","))
        want = hmac.new(self.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(mac, want) or abs(time.time() - int(stamp)) > 30:
            self.faults.append(f"a bad signature: {signature}")

    def events(self):
        return [event for message in self.messages for event in message["events"]]

    def count(self, kind):
        return sum(message["counts"].get(kind, 0) for message in self.messages)
