"""model.py -- what strictly read bytes mean: the oracle of the mutation scripts.

It reads a client's or an origin's bytes from memory, by the same strict rules by which wire.py reads
what the gate sends. Where it sees no valid message the gate may not see one either.
"""
from lib.wire import CHUNK_SIZE, VALUE, Ended, Malformed, Request, Response, Wire, framing_of


class Bytes(Wire):
    """All there will ever be, followed by FIN."""

    def __init__(self, data):
        super().__init__(None)
        self.buffer, self.ended = bytearray(data), "fin"

    def chunk_size(self):
        """Here chunk extensions are allowed, blanks before them too (RFC 9112 7.1.1): the gate
        drops them."""
        line = self.until(b"\r\n") or b""
        size, mark, extension = line[:-2].partition(b";")
        if mark:
            size = size.rstrip(b" \t")
        if not CHUNK_SIZE.match(size) or (mark and not VALUE.match(extension.strip(b" \t"))):
            raise Malformed(f"chunk-size line {line!r}")
        return int(size, 16)


class Answer(Response):
    """The blank behind a status without reason may be missing: no boundary depends on it."""

    def __init__(self, start, fields):
        super().__init__(start if start.count(b" ") > 1 else start + b" ", fields)


def requests_in(data):
    """The requests that are certainly meant by those bytes, in order."""
    wire, found = Bytes(data), []
    try:
        while True:
            while wire.buffer.startswith(b"\r\n"):
                wire.take(2)
            request = wire.head(Request)
            if request is None or len(request.fields.all("host")) > 1:
                return found
            wire.body(request, *framing_of(request))
            if not request.complete:
                return found
            found.append(request)
            said = b",".join(request.fields.all("connection")).lower()
            if b"close" in said or (request.minor == 0 and b"keep-alive" not in said):
                return found
    except (Malformed, Ended):
        return found


def response_in(data, method="GET"):
    """The first final answer in those bytes; None when there is none, or a bad one."""
    wire = Bytes(data)
    try:
        while True:
            answer = wire.head(Answer)
            if answer is None or answer.status == 101:
                return None
            if answer.status >= 200:
                bodyless = method == "HEAD" or answer.status in (204, 304)
                return wire.body(answer, *framing_of(answer, bodyless))
    except (Malformed, Ended):
        return None


def same_request(seen, meant):
    """Target in origin-form, method and body; fields are the tables' concern."""
    target = meant.target
    if "://" in target.split("/")[0] + "//" and not target.startswith("/"):
        rest = target.split("://", 1)[-1]
        target = rest[rest.find("/") :] if "/" in rest else "/"
    return (seen.method, bytes(seen.body)) == (meant.method, bytes(meant.body)) and (
        seen.target == meant.target or seen.target == target
    )
