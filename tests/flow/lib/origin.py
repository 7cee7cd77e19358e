"""origin.py -- the server behind the gate: a raw socket on threads that does what a script says.

    with Origin(lambda request: answer(200, b"hello")) as origin: ...     one answer a request
    with Origin(script=lambda conn: conn.send(b"HTTP/1.1 2")) as origin:  anything at all

Every byte that arrived is kept in `origin.connections[i].received`, every request that could be
read (strictly) in `origin.requests`. Malformed bytes from the gate fail the test at the end.
"""
import socket
import ssl
import threading

from lib.wire import Ended, Malformed, Request, Wire, framing_of


def answer(status=200, body=b"", fields=(), reason=b"OK"):
    """A response with Content-Length; `fields` are lines such as b"X-A: b"."""
    lines = [b"HTTP/1.1 %d %s" % (status, reason), *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def echo(request):
    """Tells what arrived, so that a client can see which request an answer belongs to."""
    return answer(200, f"{request.method} {request.target} {len(request.body)}".encode())


class Connection(Wire):
    """The origin's end of one connection from the gate."""

    def __init__(self, origin, sock, number):
        super().__init__(sock, origin.timeout, origin.record)
        self.origin, self.number = origin, number

    def request_head(self):
        """The next request without its body, which counts as seen; None when the gate closed."""
        request = self.head(Request)
        if request is not None:
            self.origin.saw(request)
        return request

    def request(self):
        """The next request, whole; a cut one raises Ended and was not seen."""
        request = self.head(Request)
        if request is not None:
            self.request_body(request)
            self.origin.saw(request)
        return request

    def request_body(self, request):
        self.body(request, *framing_of(request))
        if not request.complete:
            raise Ended(f"{self.ended} inside the body of {request.start!r}")
        return request


class Origin:
    def __init__(self, answering=echo, script=None, tls=None, timeout=30, record=True, port=0, host="127.0.0.1"):
        self.script = script or (lambda conn: self.serve(conn, answering))
        self.tls, self.timeout, self.record = tls, timeout, record
        self.connections, self.requests, self.faults = [], [], []
        self.lock = threading.Condition()
        self.socket = socket.create_server((host, port), backlog=512)
        self.port = self.socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
        if self.faults and kind is None:
            raise self.faults[0]

    @staticmethod
    def serve(conn, answering):
        while request := conn.request():
            conn.send(answering(request))
            if b"close" in request.fields.all("connection"):
                return

    def accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.run, args=(sock,), daemon=True).start()

    def run(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
        except (OSError, ssl.SSLError):
            return sock.close()
        with self.lock:
            conn = Connection(self, sock, len(self.connections))
            self.connections.append(conn)
            self.lock.notify_all()
        try:
            self.script(conn)
        except Malformed as fault:
            self.faults.append(fault)
        except (Ended, OSError):
            pass
        conn.close()
        return None

    def saw(self, request):
        with self.lock:
            self.requests.append(request)
            self.lock.notify_all()

    def wait_for(self, count, seconds=5):
        """Waits until so many requests have been seen; returns the last of them."""
        with self.lock:
            if not self.lock.wait_for(lambda: len(self.requests) >= count, seconds):
                raise AssertionError(f"origin saw {len(self.requests)} requests, not {count}")
            return self.requests[count - 1]

    @property
    def received(self):
        """All bytes of all connections."""
        return b"".join(bytes(conn.received) for conn in self.connections)

    def forget(self):
        """Starts the record anew; connections stay open."""
        with self.lock:
            self.requests.clear()
            for conn in self.connections:
                conn.received.clear()

    def close(self):
        """Connections are refused from now on, open ones end."""
        try:
            self.socket.shutdown(
                socket.SHUT_RDWR
            )  # wakes the accepting thread, else it keeps the port
        except OSError:
            pass
        self.socket.close()
        for conn in self.connections:
            conn.close()
