"""peers.py -- nginx or HAProxy in the gate's place, with default parsing options.

Only to compare: how other proxies fare on the same byte-exact cases (run.py --peer nginx framing).
They run from a folder of their own, never as a service.
"""
import os
import shutil
import signal
import subprocess
import tempfile

from lib.claims import eventually
from lib.client import Client
from lib.ports import free_port

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 512; }}
http {{
	access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
	upstream origin {{ server 127.0.0.1:{origin}; keepalive 8; }}
	server {{
		listen 127.0.0.1:{port};
		location ~* ^/admin {{ deny all; }}
		location / {{
			proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_set_header Host $http_host;
		}}
	}}
}}
"""
HAPROXY = """
defaults
	mode http
	timeout connect 5s
	timeout client 10s
	timeout server 10s
frontend front
	bind 127.0.0.1:{port}
	http-request deny if {{ path_beg -i /admin }}
	default_backend back
backend back
	http-reuse always
	server origin 127.0.0.1:{origin}
"""


class Peer:
    def __init__(self, kind, origin_port):
        self.folder, self.port = tempfile.mkdtemp(prefix="embergate-peer."), free_port()
        file = os.path.join(self.folder, "conf")
        text = {"nginx": NGINX, "haproxy": HAPROXY}[kind]
        with open(file, "w", encoding="ascii") as out:
            out.write(text.format(folder=self.folder, port=self.port, origin=origin_port))
        argv = {
            "nginx": ["/usr/sbin/nginx", "-c", file, "-p", self.folder],
            "haproxy": ["/usr/sbin/haproxy", "-f", file],
        }[kind]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self.accepts, 5, f"{kind} listening")

    def accepts(self):
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def connect(self, **more):
        return Client(("127.0.0.1", self.port), **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)
