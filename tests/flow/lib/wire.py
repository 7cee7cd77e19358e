"""wire.py -- HTTP/1.1 bytes over a socket, read strictly, for both ends of a test.

The client uses it to judge the gate's answers, the origin to judge what the gate forwards. It is
far stricter than any real server: whatever RFC 9112 does not allow raises Malformed, so that a
dirty byte from the gate fails the script that saw it. Nothing here is shared with the gate.
"""
import re
import socket
import ssl
import time

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\Z")
REQUEST_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\Z"
)
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t \x21-\x7e\x80-\xff]*)\Z")
CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}\Z")


class Malformed(Exception):
    """The other side sent what RFC 9112 forbids."""


class Ended(Exception):
    """The connection ended, or went silent, before the message was whole."""


class Fields(list):
    """(name, value) pairs in their order, as bytes."""

    def all(self, name):
        return [value for key, value in self if key.lower() == name.lower().encode()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0].decode("latin-1") if found else default


class Message:
    """One request or response; `start` is its first line without CRLF."""

    def __init__(self, start, fields):
        self.start, self.fields = start, fields
        self.body, self.trailers = b"", Fields()
        self.framing, self.complete = "none", True
        self.raw = b""

    def __repr__(self):
        return f"<{self.start.decode('latin-1')} {dict(self.fields)} {bytes(self.body[:80])!r}>"


class Request(Message):
    def __init__(self, start, fields):
        super().__init__(start, fields)
        found = REQUEST_LINE.match(start)
        if not found:
            raise Malformed(f"request line {start!r}")
        self.method, self.target = found[1].decode(), found[2].decode("latin-1")
        self.minor = int(found[3])


class Response(Message):
    def __init__(self, start, fields):
        super().__init__(start, fields)
        found = STATUS_LINE.match(start)
        if not found:
            raise Malformed(f"status line {start!r}")
        self.minor, self.status, self.reason = (
            int(found[1]),
            int(found[2]),
            found[3].decode("latin-1"),
        )
        self.before = []  # the 1xx that came first

    @property
    def text(self):
        return bytes(self.body).decode("latin-1")


def parse_fields(lines):
    fields = Fields()
    for line in lines:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise Malformed(f"field line {line!r}")
        fields.append((name, value))
    return fields


def parse_head(raw, kind):
    """`raw` ends with its empty line."""
    lines = raw[:-4].split(b"\r\n")
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise Malformed(f"bare CR or LF in {raw!r}")
    message = kind(lines[0], parse_fields(lines[1:]))
    message.raw = bytes(raw)
    return message


def framing_of(message, bodyless=False):
    """("none" | "length" | "chunked" | "close", length); Malformed when two readings are possible."""
    codings, lengths = message.fields.all("transfer-encoding"), message.fields.all("content-length")
    if len(codings) + len(lengths) > 1:
        raise Malformed(f"several framing fields: {codings} {lengths}")
    if codings and codings[0].lower() != b"chunked":
        raise Malformed(f"Transfer-Encoding {codings[0]!r}")
    if lengths and not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
        raise Malformed(f"Content-Length {lengths[0]!r}")
    if codings and message.minor == 0:
        raise Malformed("Transfer-Encoding in HTTP/1.0")
    if bodyless:
        return "none", 0
    if codings:
        return "chunked", 0
    if lengths:
        return "length", int(lengths[0])
    return ("close" if isinstance(message, Response) else "none"), 0


class Wire:
    """A socket with a reading buffer. `received` keeps every byte unless `record` is off."""

    def __init__(self, sock, timeout=10, record=True):
        self.sock, self.timeout, self.record = sock, timeout, record
        self.buffer, self.received = bytearray(), bytearray()
        self.ended = None  # "fin", "rst" or "ragged" (TLS cut without close_notify)
        self.send_failed = False  # of a reset the kernel tells once: here it was the sender

    # reading

    def more(self, timeout=None):
        """Reads what comes next into the buffer; False at the end of the connection."""
        if self.ended:
            return False
        self.sock.settimeout(self.timeout if timeout is None else max(timeout, 0.001))
        try:
            piece = self.sock.recv(65536)
        except TimeoutError:
            raise Ended(f"silent; unread: {bytes(self.buffer[:200])!r}") from None
        except ssl.SSLEOFError:
            piece, self.ended = b"", "ragged"
        except (ConnectionError, ssl.SSLError, OSError):
            piece, self.ended = b"", "rst"
        if not piece:
            self.ended = self.ended or ("rst" if self.send_failed else "fin")
            return False
        self.buffer += piece
        if self.record:
            self.received += piece
        return True

    def take(self, n):
        piece = bytes(self.buffer[:n])
        del self.buffer[:n]
        return piece

    def until(self, mark):
        """Up to and with `mark`; None when the connection ends cleanly before its first byte."""
        while (at := self.buffer.find(mark)) < 0:
            if not self.more():
                if not self.buffer and self.ended == "fin":
                    return None
                raise Ended(
                    f"{self.ended} while waiting for {mark!r}; had {bytes(self.buffer[:200])!r}"
                )
        return self.take(at + len(mark))

    def exactly(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise Ended(f"{self.ended} after {len(self.buffer)} of {n} bytes")
        return self.take(n)

    def skim(self, n):
        """Reads n bytes and forgets them: for bodies larger than memory."""
        while n:
            if not self.buffer and not self.more():
                raise Ended(f"{self.ended} with {n} bytes missing")
            n -= len(self.take(n))

    def end(self, timeout=None):
        """Waits for the end of the connection; what came before it stays in the buffer."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while self.more(deadline - time.monotonic()):
            pass
        return self.ended

    def still_open(self, seconds=0.2):
        """True when nothing at all comes for that long."""
        if self.buffer or self.ended:
            return False
        try:
            return self.more(seconds) and False
        except Ended:
            return True

    def head(self, kind):
        raw = self.until(b"\r\n\r\n")
        return raw if raw is None else parse_head(raw, kind)

    def body(self, message, framing, length):
        """Reads the body into the message. A cut one leaves `complete` False."""
        message.framing = framing
        try:
            if framing == "length":
                message.body = bytearray()
                while len(message.body) < length:
                    if not self.buffer and not self.more():
                        raise Ended(f"{self.ended} inside a body")
                    message.body += self.take(length - len(message.body))
            elif framing == "chunked":
                self.chunks(message)
            elif framing == "close":
                self.end()
                message.body, message.complete = self.take(len(self.buffer)), self.ended == "fin"
        except Ended:
            message.complete = False
            message.body += self.take(len(self.buffer)) if framing == "length" else b""
        return message

    def chunks(self, message):
        message.body = bytearray()
        while size := self.chunk_size():
            message.body += self.exactly(size)
            if self.exactly(2) != b"\r\n":
                raise Malformed("chunk without its CRLF")
        while (line := self.until(b"\r\n") or b"") != b"\r\n":
            if not line:
                raise Ended("end inside trailers")
            message.trailers += parse_fields([line[:-2]])

    def chunk_size(self):
        line = self.until(b"\r\n")
        if line is None:
            raise Ended("end instead of a chunk")
        if not CHUNK_SIZE.match(line[:-2]):
            raise Malformed(f"chunk-size line {line!r}")
        return int(line[:-2], 16)

    # writing

    def send(self, *pieces, pause=0.0):
        """Each piece is a segment of its own; `pause` seconds pass between them."""
        self.sock.settimeout(self.timeout)
        for i, piece in enumerate(pieces):
            if i and pause:
                time.sleep(pause)
            self.sock.sendall(piece)

    def try_send(self, *pieces, pause=0.0):
        """As send, for a peer that may have gone: False when it has."""
        try:
            self.send(*pieces, pause=pause)
            return True
        except OSError as why:
            self.send_failed = not isinstance(why, TimeoutError)
            return False

    def finish(self):
        """Half-close: FIN, or close_notify and FIN."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock = self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
