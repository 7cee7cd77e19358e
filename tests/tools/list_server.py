#!/usr/bin/env python3
"""Serves lists as good and bad servers do, on a port of the kernel's choice, which it prints. Ends with its standard input."""
import gzip
import http.server
import os
import sys
import threading
import time

ADDRESSES = "".join(f"192.0.2.{i}\n" for i in range(100)).encode()
asked = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def endless(self, piece, pause):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(piece)
            time.sleep(pause)

    def do_GET(self):
        n = asked[self.path] = asked.get(self.path, 0) + 1
        try:
            getattr(self, "get_" + self.path.strip("/").replace("/", "_").replace(".", "_"))(n)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def get_etag(self, _n):
        if self.headers.get("If-None-Match") == '"v1"':
            self.say(304, ETag='"v1"')
        else:
            self.say(200, b"192.0.2.1\n192.0.2.128/25 # half\n2001:db8::/32\n", ETag='"v1"')

    def get_modified(self, _n):
        when = "Tue, 24 Nov 2026 02:47:19 GMT"
        self.say(304 if self.headers.get("If-Modified-Since") == when else 200, b"198.51.100.1\n", Last_Modified=when)

    def get_list_gz(self, _n):
        self.say(200, gzip.compress(b'{"ip":"192.0.2.1"}\n{"ip":"192.0.2.2"}\n'), Content_Encoding="gzip")

    def get_moved(self, _n):
        self.say(302, Location="/etag")

    def get_loop(self, _n):
        self.say(302, Location="/loop")

    def get_shrink(self, n):
        self.say(200, ADDRESSES if n == 1 else b"192.0.2.1\n192.0.2.2\n")

    def get_shrink_to_nothing(self, n):
        self.say(200, ADDRESSES if n == 1 else b"<html>Sorry.</html>\n")

    def get_gone(self, n):
        self.say(200 if n == 1 else 404, ADDRESSES)

    def get_cut(self, n):
        if n == 1:
            return self.say(200, ADDRESSES)
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(ADDRESSES)
        self.close_connection = True

    def get_bomb(self, n):
        self.say(200, ADDRESSES if n == 1 else gzip.compress(b"192.0.2.1\n" * 2000000))

    def get_endless(self, n):
        if n == 1:
            return self.say(200, ADDRESSES)
        self.endless(ADDRESSES, 0)

    def get_slow(self, n):
        if n == 1:
            return self.say(200, ADDRESSES)
        self.endless(b"1", 0.1)

    def get_wide(self, _n):
        self.say(200, b"0.0.0.0/0\n10.0.0.0/8\n::/0\n192.0.2.7\n203.0.113.0/24\n127.0.0.1\n")

    def get_pinned(self, _n):
        self.say(200, b"192.0.2.1\n")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
sys.stdout.write(f"{server.server_address[1]}\n")  # one write: who reads it closes
sys.stdout.flush()
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
