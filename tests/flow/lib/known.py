"""known.py -- a gate with lists, geo files and scenarios of its own, and the server that lists come from."""
import http.server
import json
import os
import subprocess
import sys
import threading

from lib.claims import expect
from lib.gate import CALM, Gate, one_app

TRUST = {"client_ip": {"trust": ["127.0.0.0/8"]}}
MMDB = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "mmdb.py")
BROWSER = ("User-Agent: Mozilla/5.0 (X11; Linux x86_64) flow", "Accept: text/html", "Sec-Fetch-Mode: navigate")

OWN = """
type: trigger
name: test/bait
description: a path that nobody asks for
filter: "evt.Parsed.request == '/bait'"
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:exploit"}
---
type: trigger
name: test/place
description: a page that is not for France, nor for one network
filter: >
  (evt.Parsed.request == '/not-fr' && evt.Enriched.IsoCode == 'FR')
  || (evt.Parsed.request == '/not-64501' && evt.Enriched.ASNumber == '64501')
groupby: evt.Meta.source_ip
labels: {remediation: true, behavior: "http:scan"}
"""


class ListServer:
    """Serves what `lists` holds by path; stopped, its port refuses."""

    def __init__(self, **lists):
        self.lists, self.asked = lists, []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                body = owner.lists.get(self.path.partition("?")[0].strip("/"))
                owner.asked.append(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.server.server_address[1]}/{name}"

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def put(gate, name, text):
    """A new file beside the old one, renamed over it."""
    with open(gate.path(name + ".part"), "w", encoding="ascii") as out:
        out.write(text)
    os.rename(gate.path(name + ".part"), gate.path(name))
    return gate.path(name)


def settings(top=None, lists=(), **cti):
    return {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"]}, "cti": {"lists": list(lists), **cti}, **(top or {})}


def gate_with(origin, top=None, lists=(), files=None, cti=None, **app):
    gate = Gate(None, start=False)
    put(gate, "own.yaml", OWN)
    for name, text in (files or {}).items():
        put(gate, name, text)
    for kind in "country", "as":
        subprocess.run([sys.executable, MMDB, gate.path(f"{kind}.mmdb"), kind], check=True, timeout=20)
    gate.write(one_app(origin.url, settings(top, lists, **(cti or {})), **{"waf": CALM, **app}))
    gate.start()
    return gate


def request(gate, address, target="/", fields=()):
    return gate.ask(target=target, fields=[f"X-Forwarded-For: {address}", *fields])


def ask(gate, address, target="/"):
    return request(gate, address, target).status


def asked_json(gate, *words):
    said = gate.ctl("-o", "json", *words)
    try:
        return json.loads(said.stdout or said.stderr)
    except ValueError:
        raise AssertionError(f"ctl {' '.join(words)}: no JSON: {said.stdout!r} {said.stderr!r}") from None


def done(gate, *words):
    said = gate.ctl(*words)
    expect(said.returncode, 0, f"ctl {' '.join(words)}: {said.stdout}{said.stderr}")
    return said.stdout
