"""albedo.py -- the origin that the tests expect: it answers what the request asks it to.

    POST /reflect   a JSON document {status, headers, body | encodedBody}: exactly that, with a
                    Content-Type by its looks when there is none
    anything else   200 and a little text

Named after the tool of the Core Rule Set's authors that does the same. It speaks HTTP/1.1 by the
reader of the flow scripts: what the gate forwards must be clean.
"""
import base64
import json
import re

from lib.origin import Origin, answer

PLAIN = b"Content-Type: text/plain; charset=utf-8"
BODYLESS = (204, 304)
HTML = re.compile(
    rb"\s*<(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]", re.I
)
BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def type_of(body):
    """As Go's http package, in which albedo is written, tells it (mimesniff.spec.whatwg.org)."""
    if HTML.match(body):
        return b"Content-Type: text/html; charset=utf-8"
    if body.lstrip().startswith(b"<?xml"):
        return b"Content-Type: text/xml; charset=utf-8"
    if body.startswith(b"\x1f\x8b\x08"):
        return b"Content-Type: application/x-gzip"
    return b"Content-Type: application/octet-stream" if BINARY.search(body[:512]) else PLAIN


def reflected(document):
    """(status, [field lines], body) that a document asks for."""
    fields = [f"{n}: {v}".encode() for n, v in (document.get("headers") or {}).items()]
    if "encodedBody" in document:
        body = base64.b64decode(document["encodedBody"])
    else:
        body = document.get("body", "").encode()
    if not any(line.lower().startswith(b"content-type:") for line in fields):
        fields.append(type_of(body))
    return int(document.get("status", 200)), fields, body


def reply(method, target, body):
    """(status, [field lines], body) to any request."""
    if method == "POST" and target.partition("?")[0] == "/reflect":
        try:
            return reflected(json.loads(body))
        except (ValueError, AttributeError, TypeError):
            return 400, [PLAIN], b"no such document"
    return 200, [PLAIN], b"served"


def message(request):
    status, fields, body = reply(request.method, request.target, bytes(request.body))
    framing = (b"content-length:", b"transfer-encoding:", b"connection:")
    kept = [line for line in fields if not line.lower().startswith(framing)]
    octets = answer(status, body, kept)
    if status in BODYLESS or request.method == "HEAD":
        return octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return octets


def albedo():
    return Origin(message, timeout=120, record=False)
