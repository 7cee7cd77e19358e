#!/usr/bin/env python3
"""Our client of a local API against Debian's CrowdSec: what cscli adds and deletes is held and lifted, what is pushed cscli
lists. CrowdSec runs with a configuration, a database and a port of its own, and is ended with the test.

    lapi_client.py PROGRAM        (tests/tools/lapi_client.c)
"""
import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

SKIP = 77
PATIENCE = 30  # s

CONFIG = """
common: {{daemonize: false, log_media: stdout, log_level: info, log_dir: {dir}, working_dir: {dir}}}
config_paths:
  config_dir: {dir}
  data_dir: {dir}/data
  simulation_path: {dir}/simulation.yaml
  hub_dir: {dir}/hub
  index_path: {dir}/hub/.index.json
  notification_dir: {dir}/notifications
  plugin_dir: {dir}/plugins
cscli: {{output: json}}
db_config: {{log_level: info, type: sqlite, db_path: {dir}/data/crowdsec.db}}
api:
  client: {{credentials_path: {dir}/credentials.yaml}}
  server:
    log_level: info
    listen_uri: 127.0.0.1:{port}
    profiles_path: {dir}/profiles.yaml
    console_path: {dir}/console.yaml
prometheus: {{enabled: false}}
"""
PROFILES = """
name: default_ip_remediation
filters:
 - Alert.Remediation == true && Alert.GetScope() == "Ip"
decisions:
 - type: ban
   duration: 4h
on_success: break
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lapi:
    """Debian's own, from a directory that is gone afterwards."""

    def __init__(self, place):
        self.place, self.port = place, free_port()
        for name in ("data", "hub", "notifications", "plugins"):
            os.mkdir(f"{place}/{name}")
        self.write("config.yaml", CONFIG.format(dir=place, port=self.port))
        self.write("profiles.yaml", PROFILES)
        self.write("simulation.yaml", "simulation: off\n")
        self.write("console.yaml", "")
        self.write("hub/.index.json", "{}")
        self.write("credentials.yaml", f"url: http://127.0.0.1:{self.port}\nlogin: cscli\npassword: cscli\n")
        self.cscli("machines", "add", "cscli", "--password", "cscli", "-f", f"{place}/credentials.yaml", "-u", f"http://127.0.0.1:{self.port}")
        self.cscli("machines", "add", "gate", "--password", "gatepw", "-f", f"{place}/gate.yaml")
        self.cscli("bouncers", "add", "gate", "--key", "gatekey")
        self.log = open(f"{place}/log", "wb")
        self.process = subprocess.Popen(["crowdsec", "-c", f"{place}/config.yaml", "-no-cs"], stdout=self.log, stderr=self.log)
        self.wait()

    def write(self, name, text):
        with open(f"{self.place}/{name}", "w", encoding="ascii") as f:
            f.write(text)

    def cscli(self, *words):
        done = subprocess.run(["cscli", "-c", f"{self.place}/config.yaml", *words], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        if done.returncode:
            sys.exit(f"cscli {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def wait(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        with open(f"{self.place}/log", encoding="utf-8") as f:
            sys.exit("crowdsec does not answer:\n" + f.read()[-3000:])

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Client:
    def __init__(self, program, port):
        self.process = subprocess.Popen([program, f"http://127.0.0.1:{port}", "gatekey", "gate", "gatepw"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.seen = []  # and not expected yet
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def expect(self, want):
        """In any order: pulling and pushing do not wait for each other."""
        began = time.monotonic()
        while want not in self.seen:
            if time.monotonic() > began + PATIENCE:
                sys.exit(f"'{want}' was not said within {PATIENCE} s, but {self.seen}")
            try:
                self.seen.append(self.lines.get(timeout=1))
            except queue.Empty:
                continue
        self.seen.remove(want)
        print(f"ok: {want} ({time.monotonic() - began:.2f} s)")

    def push(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        if self.process.wait(PATIENCE):
            sys.exit(f"the client ended with {self.process.returncode}")


def play(lapi, client):
    lapi.cscli("decisions", "add", "--ip", "192.0.2.10", "--duration", "10m")
    client.expect("held Ip 192.0.2.10 deny crowdsec:cscli")
    lapi.cscli("decisions", "add", "--range", "198.51.100.0/24", "--type", "captcha")
    client.expect("held Range 198.51.100.0/24 captcha crowdsec:cscli")
    lapi.cscli("decisions", "add", "--scope", "Country", "--value", "ZZ")
    client.expect("held Country ZZ deny crowdsec:cscli")
    lapi.cscli("decisions", "delete", "--ip", "192.0.2.10")
    client.expect("lifted Ip 192.0.2.10 deny crowdsec:cscli")
    client.push("203.0.113.77 embergate/http-probing")
    client.expect("pushed 1")
    alerts = json.loads(lapi.cscli("alerts", "list", "-o", "json"))
    ours = [a for a in alerts if a["scenario"] == "embergate/http-probing"]
    if len(ours) != 1 or ours[0]["source"]["value"] != "203.0.113.77" or ours[0]["events_count"] != 3:
        sys.exit(f"cscli lists {alerts}")
    print("ok: cscli lists the alert")
    client.expect("held Ip 203.0.113.77 deny crowdsec:crowdsec")  # its profile banned what we told
    bouncers = json.loads(lapi.cscli("bouncers", "list", "-o", "json"))
    if not any(b.get("type") == "crowdsec-embergate-bouncer" for b in bouncers):
        sys.exit(f"cscli lists the bouncers {bouncers}")
    print("ok: cscli knows the bouncer")


def main():
    missing = [p for p in ("crowdsec", "cscli") if not shutil.which(p)]
    if missing:
        print(f"skipped: {' and '.join(missing)} not here (Debian's package crowdsec)")
        return SKIP
    with tempfile.TemporaryDirectory(prefix="lapi_client.") as place:
        lapi = Lapi(place)
        try:
            client = Client(sys.argv[1], lapi.port)
            try:
                play(lapi, client)
                client.end()
            finally:
                client.process.kill()
        finally:
            lapi.end()
    return 0


sys.exit(main())
