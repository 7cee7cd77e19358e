"""attacks.py -- which of a scanner's requests are attacks.

A tool also sends what anybody would: it crawls, asks for the page as it is to compare, tries whether a
word comes back. So a request counts as an attack when something in it is new and no plain word:

- a method, or a path, that the tool's own harmless requests (its crawl, its target) do not have;
- a name or value in the query, a form, an upload, a cookie or a field of the head that they do not have
  either, and that holds anything but letters, digits, dots and underscores.

`1 AND 1=1`, `a;env`, `../x` and `http://elsewhere/` are attacks by that; `8341` and `wxyz1234`, sent to
see what a page does with them, are not.
"""
import re
from urllib.parse import unquote, unquote_plus, urlsplit

PLAIN = re.compile(r"[\w.]*", re.ASCII)
# What a client's library fills in: no tool puts payloads there.
OF_THE_CLIENT = {"host", "accept", "accept-encoding", "connection", "content-length", "content-type", "cache-control",
                 "pragma", "upgrade-insecure-requests", "content-transfer-encoding"}


def values(request):
    """Every name and value that the application would read, decoded once."""
    query = request.target.partition("?")[2]
    yield from pairs(query)
    kind = dict(request.fields).get("content-type", "")
    body = request.body.decode("latin-1")
    if "form-urlencoded" in kind:
        yield from pairs(body)
    elif "multipart" in kind:
        for part in re.findall(r'name="(.*?)"(?:; filename="(.*?)")?.*?\r\n\r\n(.*?)\r\n--', body, re.DOTALL):
            yield from part
    else:
        yield body
    for name, value in request.fields:
        if name == "cookie":
            yield from (word for cookie in value.split(";") for word in unquote(cookie.strip()).split("=", 1))
        elif name not in OF_THE_CLIENT:
            yield value


def pairs(text):
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        yield unquote_plus(name, "latin-1")
        yield unquote_plus(value, "latin-1")


def path(request):
    return unquote(urlsplit(request.target).path if request.target.startswith("http") else request.target.partition("?")[0], "latin-1")


class Harmless:
    """What the tool sends without attacking."""

    def __init__(self, methods=("GET", "POST", "HEAD")):
        self.methods, self.paths, self.values = set(methods), set(), set()

    def add_url(self, url):
        parts = urlsplit(url)
        self.paths.add(unquote(parts.path, "latin-1"))
        self.values.update(pairs(parts.query))
        self.values.add(url)

    def add_request(self, request):
        self.paths.add(path(request))
        self.values.update(values(request))

    def news(self, request):
        """What makes it an attack: new methods, paths and values. Nothing: it is none."""
        return [*({request.method} - self.methods), *({path(request)} - self.paths),
                *(value for value in values(request) if not PLAIN.fullmatch(value) and value not in self.values)]
