"""client.py -- the browser's side: a raw socket, plain or TLS, and strictly read answers."""
import socket
import ssl

from lib.wire import Ended, Malformed, Response, Wire, framing_of


def request(method="GET", target="/", fields=(), body=None, host="t.example", version=b"1.1"):
    """The bytes of a request; `fields` are lines such as "X-A: b"."""
    lines = [f"{method} {target} HTTP/".encode() + version, b"Host: " + host.encode()]
    lines += [line.encode("latin-1") if isinstance(line, str) else line for line in fields]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def chunked(*pieces, trailers=b""):
    """The bytes of a chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n" + trailers + b"\r\n"


class Client(Wire):
    def __init__(self, address, tls=None, name="t.example", timeout=10, before=b"", record=True):
        """`before` is sent in the clear first (PROXY protocol)."""
        sock = socket.create_connection(address, timeout=timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if before:
            sock.sendall(before)
        if tls:
            sock = tls.wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)
        super().__init__(sock, timeout, record)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def response(self, method="GET", tunnel=False):
        """The next final answer; 1xx are kept in its `before`. `tunnel`: a 101 is final."""
        before = []
        while True:
            answer = self.head(Response)
            if answer is None:
                raise Ended("closed without an answer")
            if answer.status >= 200 or (answer.status == 101 and tunnel):
                break
            if answer.fields.all("content-length") or answer.fields.all("transfer-encoding"):
                raise Malformed(f"framing fields in {answer.start!r}")
            before.append(answer)
        answer.before = before
        bodyless = method == "HEAD" or answer.status in (101, 204, 304)
        return self.body(answer, *framing_of(answer, bodyless))

    def ask(self, method="GET", target="/", fields=(), body=None, **more):
        """Sends one request, reads its answer."""
        self.send(request(method, target, fields, body, **more))
        return self.response(method)


def trusting(path=None, alpn=("http/1.1",), low=None, high=None):
    """A TLS context; `path` None: any certificate will do."""
    context = ssl.create_default_context(cafile=path)
    if path is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    context.minimum_version = low or ssl.TLSVersion.TLSv1_2
    if high:
        context.maximum_version = high
    return context
