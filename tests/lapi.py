#!/usr/bin/env python3
"""The local API that we serve: its answers, and Debian's unmodified programs at it.

    lapi.py PROGRAM        (tests/tools/lapi_world.c)

Without Debian's crowdsec only the answers are looked at, and the test counts as skipped where that is all it did.
EMBERGATE_CROWDSEC names a directory that its packages were unpacked to, instead of /."""
import gzip
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SKIP = 77
PATIENCE = 30  # s
ROOT = os.environ.get("EMBERGATE_CROWDSEC", "")


class World:
    def __init__(self, program, place):
        self.process = subprocess.Popen([program, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("lapi_world did not start")
        port, self.key, self.password = line.rstrip("\n").split(" ", 2)
        self.port = int(port)
        self.token = None

    def ask(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        c.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), headers or {})
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        return r.status, text

    def key_ask(self, path, method="GET"):
        return self.ask(method, path, headers={"X-Api-Key": self.key})

    def machine(self, method, path, body=None):
        return self.ask(method, path, body, {"Authorization": "Bearer " + self.token})

    def end(self):
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


def same(what, got, want):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


def alert(value, decision=None, scope="Ip", scenario="test/probing"):
    return {"capacity": 10, "decisions": decision and [decision], "events": [], "events_count": 11, "leakspeed": "10s", "message": "m",
            "scenario": scenario, "scenario_hash": "", "scenario_version": "", "simulated": False,
            "source": {"scope": scope, "value": value, "ip": value}, "start_at": "2026-11-24T02:42:03Z", "stop_at": "2026-11-24T02:42:04Z"}


def decision(value, scope="Ip", kind="ban", duration="10m"):
    return {"duration": duration, "origin": "cscli", "scenario": "manual", "scope": scope, "type": kind, "value": value}


def refusals(w):
    same("no key", w.ask("GET", "/v1/decisions?ip=1.2.3.4"), (403, '{"message":"access forbidden"}'))
    same("no token", w.ask("GET", "/v1/alerts"), (401, '{"code":401,"message":"cookie token is empty"}'))
    same("bad token", w.ask("GET", "/v1/alerts", headers={"Authorization": "Bearer xx"}),
         (401, '{"code":401,"message":"token contains an invalid number of segments"}'))
    same("unknown route", w.key_ask("/v1/nope"), (404, ""))
    same("wrong method", w.key_ask("/v1/decisions", "PUT"), (405, ""))
    same("health", w.ask("GET", "/health"), (200, '{"status":"up"}'))
    same("HEAD", w.key_ask("/v1/decisions/stream?startup=true", "HEAD"), (200, ""))
    same("wrong password", w.ask("POST", "/v1/watchers/login", {"machine_id": "agent1", "password": "bad"})[0], 401)
    same("no password", w.ask("POST", "/v1/watchers/login", {"machine_id": "agent1"}), (401, '{"code":401,"message":"input format error"}'))
    same("an address that is none", w.key_ask("/v1/decisions?ip=notanip"),
         (500, '{"message":"unable to convert \'notanip\' to int: invalid address: invalid ip address / range"}'))
    same("usage metrics", w.ask("POST", "/v1/usage-metrics", {"remediation_components": []}, {"X-Api-Key": w.key}), (201, ""))


def machines(w):
    same("register", w.ask("POST", "/v1/watchers", {"machine_id": "agentX", "password": "pw"}), (201, ""))
    same("not validated", w.ask("POST", "/v1/watchers/login", {"machine_id": "agentX", "password": "pw"}),
         (401, '{"code":401,"message":"machine agentX not validated"}'))
    status, text = w.ask("POST", "/v1/watchers/login", {"machine_id": "agent1", "password": w.password, "scenarios": ["a/b"]})
    same("login", (status, list(json.loads(text))), (200, ["code", "expire", "token"]))
    w.token = json.loads(text)["token"]
    same("heartbeat", w.machine("GET", "/v1/heartbeat"), (200, ""))
    status, text = w.machine("GET", "/v1/refresh_token")
    same("refresh", status, 200)
    w.token = json.loads(text)["token"]
    same("allowlists", w.machine("GET", "/v1/allowlists"), (200, "[]"))
    forged = w.token[:-1] + ("0" if w.token[-1] != "0" else "1")
    same("a forged token", w.ask("GET", "/v1/heartbeat", headers={"Authorization": "Bearer " + forged})[0], 401)


def stream(w, query=""):
    status, text = w.key_ask("/v1/decisions/stream" + query)
    same("stream", status, 200)
    got = json.loads(text)
    same("keys of the stream", list(got), ["new", "deleted"])
    return sorted(d["value"] for d in got["new"]), sorted(d["value"] for d in got["deleted"])


def alerts(w):
    same("an alert that is none", w.machine("POST", "/v1/alerts", {})[0], 400)
    same("an alert without all", w.machine("POST", "/v1/alerts", [{"scenario": "x"}])[0], 500)
    same("first pull", stream(w, "?startup=true"), ([], []))
    status, text = w.machine("POST", "/v1/alerts", [alert("192.0.2.10"), alert("203.0.113.0/28", decision("203.0.113.0/28", "Range"), "Range")])
    same("alerts", (status, text), (201, '["1","2"]'))
    same("the delta", stream(w), (["192.0.2.10", "203.0.113.0/28"], []))
    same("the next", stream(w), ([], []))
    same("too wide", w.machine("POST", "/v1/alerts", [alert("10.0.0.0/8", decision("10.0.0.0/8", "Range"), "Range")])[0], 403)
    same("a country", w.machine("POST", "/v1/alerts", [alert("ZZ", decision("ZZ", "Country"), "Country")])[0], 403)
    body = gzip.compress(json.dumps([alert("192.0.2.11")]).encode())
    same("a packed alert", w.ask("POST", "/v1/alerts", body, {"Authorization": "Bearer " + w.token, "Content-Encoding": "gzip"})[0], 201)
    ranges = json.loads(w.key_ask("/v1/decisions?ip=203.0.113.7")[1])
    same("a range around it", [d["value"] for d in ranges], ["203.0.113.0/28"])
    same("none", w.key_ask("/v1/decisions?ip=8.8.8.8"), (200, "null"))
    listed = json.loads(w.machine("GET", "/v1/alerts?has_active_decision=true&include_capi=false&limit=100")[1])
    same("alerts listed", [a["id"] for a in listed], [3, 2, 1])
    same("its decision", listed[2]["decisions"][0]["origin"], "crowdsec")
    same("one alert", json.loads(w.machine("GET", "/v1/alerts/1")[1])["machine_id"], "agent1")
    same("no alert", w.machine("GET", "/v1/alerts/9999"), (404, '{"message":"object not found"}'))
    same("lift one", w.machine("DELETE", f"/v1/decisions/{listed[2]['decisions'][0]['id']}"), (200, '{"nbDeleted":"1"}'))
    same("lift a range by an address", w.machine("DELETE", "/v1/decisions?ip=203.0.113.7"), (200, '{"nbDeleted":"1"}'))
    same("lift none", w.machine("DELETE", "/v1/decisions?ip=9.9.9.9"), (200, '{"nbDeleted":"0"}'))
    same("lifted", stream(w), (["192.0.2.11"], ["192.0.2.10", "203.0.113.0/28"]))
    listed = json.loads(w.machine("GET", "/v1/alerts?has_active_decision=true")[1])
    same("those that hold", [a["id"] for a in listed], [3])
    same("no such", w.machine("DELETE", "/v1/decisions/99999"),
         (500, '{"message":"decision with id \'99999\' doesn\'t exist: unable to delete"}'))
    same("alerts deleted", w.machine("DELETE", "/v1/alerts?ip=192.0.2.10&limit=0"), (200, '{"nbDeleted":"1"}'))


def many(w):
    n = 4000
    for first in range(0, n, 50 * 40):
        for k in range(first, first + 50 * 40, 500):
            pushed = [alert(f"198.18.{(k + i) >> 8}.{(k + i) & 255}") for i in range(500)]
            status, text = w.machine("POST", "/v1/alerts", pushed)
            if status == 403:
                got = len(stream(w, "?startup=true")[0])
                if got < 1000:
                    sys.exit(f"only {got} in a large pull")
                print(f"a machine was stopped at {got} decisions in a minute; all of them were pulled at once")
                return
            same("many alerts", status, 201)
    sys.exit("a machine made 4000 decisions in a minute")


# ---- Debian's programs ----

CONFIG = """
common: {{daemonize: false, log_media: stdout, log_level: info, log_dir: {dir}, working_dir: {dir}}}
config_paths: {{config_dir: {dir}, data_dir: {dir}/data, simulation_path: {dir}/simulation.yaml, hub_dir: {dir}/hub,
  index_path: {dir}/hub/.index.json, notification_dir: {dir}/notifications, plugin_dir: {dir}/plugins}}
crowdsec_service: {{acquisition_path: {dir}/acquis.yaml, parser_routines: 1}}
cscli: {{output: json}}
db_config: {{log_level: info, type: sqlite, db_path: {dir}/data/crowdsec.db}}
api: {{client: {{credentials_path: {dir}/credentials.yaml}}}}
prometheus: {{enabled: false}}
"""
BOUNCER = """
bin_path: {dir}/script
piping: false
update_frequency: 1s
cache_retention_duration: 10s
log_mode: stdout
log_level: info
api_url: http://127.0.0.1:{port}/
api_key: {key}
"""
PARSER = """
name: test/failures
filter: evt.Line.Labels.type == 'plain'
onsuccess: next_stage
grok: {pattern: '^%{IP:source_ip} FAIL %{NUMBER:count}$', apply_on: Line.Raw}
statics:
 - {meta: log_type, value: fail}
 - {meta: source_ip, expression: evt.Parsed.source_ip}
 - {target: evt.StrTime, expression: evt.Line.Time.Format("2006-01-02T15:04:05Z07:00")}
"""
SCENARIO = """
type: leaky
name: test/failures
description: too many failures
filter: evt.Meta.log_type == 'fail'
groupby: evt.Meta.source_ip
leakspeed: 10s
capacity: 2
blackhole: 1m
labels: {remediation: true, service: test}
"""
SCRIPT = '#!/bin/sh\necho "$1 $2" >> {dir}/told\n'


def program(name):
    return shutil.which(name) or next((p for p in (f"{ROOT}/usr/bin/{name}", f"/usr/sbin/{name}") if os.access(p, os.X_OK)), None)


def write(place, name, text, mode=0o600):
    with open(f"{place}/{name}", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(f"{place}/{name}", mode)


def prepare(w, place):
    for name in ("data", "hub", "notifications", "plugins"):
        os.mkdir(f"{place}/{name}")
    write(place, "config.yaml", CONFIG.format(dir=place))
    write(place, "simulation.yaml", "simulation: false\n")
    write(place, "hub/.index.json", '{"parsers": {}, "scenarios": {}, "collections": {}, "postoverflows": {}}')
    for name in ("parsers", "parsers/s00-raw", "parsers/s01-parse", "scenarios", "postoverflows", "collections"):
        os.mkdir(f"{place}/{name}")
    os.symlink(f"{ROOT}/etc/crowdsec/patterns", f"{place}/patterns")
    write(place, "parsers/s00-raw/failures.yaml", PARSER)
    write(place, "scenarios/failures.yaml", SCENARIO)
    write(place, "acquis.yaml", f"filenames: [{place}/seen.log]\nlabels: {{type: plain}}\n")
    write(place, "seen.log", "")
    write(place, "credentials.yaml", f"url: http://127.0.0.1:{w.port}\nlogin: agent1\npassword: {w.password}\n")


def cscli(place, *words):
    done = subprocess.run([program("cscli"), "-c", f"{place}/config.yaml", *words], capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        sys.exit(f"cscli {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def with_cscli(w, place):
    stream(w, "?startup=true")
    cscli(place, "lapi", "status") # says nothing in JSON, and fails where it cannot log in
    cscli(place, "decisions", "add", "--ip", "192.0.2.77", "--duration", "10m", "--type", "captcha")
    same("what cscli added", stream(w)[0], ["192.0.2.77"]) # what is over is told for two seconds
    listed = json.loads(cscli(place, "decisions", "list", "--ip", "192.0.2.77", "-o", "json"))
    same("cscli lists it", [(d["value"], d["type"], d["origin"]) for a in listed for d in a["decisions"]], [("192.0.2.77", "captcha", "cscli")])
    one = json.loads(cscli(place, "alerts", "inspect", str(listed[0]["id"]), "-o", "json"))
    if "192.0.2.77" not in json.dumps(one):
        sys.exit(f"cscli alerts inspect: {one}")
    cscli(place, "decisions", "delete", "--ip", "192.0.2.77")
    same("what cscli deleted", "192.0.2.77" in stream(w)[1], True)
    cscli(place, "alerts", "list", "-o", "json")
    cscli(place, "alerts", "delete", "--ip", "192.0.2.77")
    print("cscli: lapi status, decisions add, list, delete, alerts list, inspect, delete")


def told(place, line):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if os.path.exists(f"{place}/told"):
            with open(f"{place}/told", encoding="utf-8") as f:
                if line in f.read().splitlines():
                    return
        time.sleep(0.1)
    with open(f"{place}/bouncer.log", encoding="utf-8") as f:
        sys.exit(f"the custom bouncer was not told {line!r}:\n{f.read()[-2000:]}")


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def with_custom_bouncer(w, place):
    write(place, "script", SCRIPT.format(dir=place), 0o700)
    write(place, "bouncer.yaml", BOUNCER.format(dir=place, port=w.port, key=w.key))
    with open(f"{place}/bouncer.log", "wb") as log:
        process = subprocess.Popen([program("crowdsec-custom-bouncer"), "-c", f"{place}/bouncer.yaml"], stdout=log, stderr=log)
    try:
        same("an alert", w.machine("POST", "/v1/alerts", [alert("192.0.2.90", decision("192.0.2.90"))])[0], 201)
        told(place, "add 192.0.2.90")
        same("lifted", w.machine("DELETE", "/v1/decisions?ip=192.0.2.90")[1], '{"nbDeleted":"1"}')
        told(place, "del 192.0.2.90")
    finally:
        end(process)
    print("crowdsec-custom-bouncer: add, del")


def with_agent(w, place):
    with open(f"{place}/agent.log", "wb") as log:
        process = subprocess.Popen([program("crowdsec"), "-c", f"{place}/config.yaml", "-no-api"], stdout=log, stderr=log)
    until = time.monotonic() + PATIENCE
    held = "null"
    try:
        while held == "null" and time.monotonic() < until and process.poll() is None:
            with open(f"{place}/seen.log", "a", encoding="ascii") as f: # until it has begun to read
                f.write("".join(f"192.0.2.200 FAIL {i}\n" for i in range(5)))
            time.sleep(1)
            held = w.key_ask("/v1/decisions?ip=192.0.2.200")[1]
    finally:
        end(process)
    if held == "null":
        with open(f"{place}/agent.log", encoding="utf-8") as f:
            sys.exit("the agent's alert did not come:\n" + f.read()[-3000:])
    got = json.loads(held)[0]
    same("the agent's decision", (got["origin"], got["scenario"], got["type"]), ("crowdsec", "test/failures", "ban"))
    print("crowdsec: log in, an alert of a log, and it is held")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    done, missing = 0, []
    with tempfile.TemporaryDirectory(prefix="lapi.") as place:
        w = World(sys.argv[1], place)
        try:
            for step in (refusals, machines, alerts):
                step(w)
            prepare(w, place)
            for name, step in (("cscli", with_cscli), ("crowdsec", with_agent), ("crowdsec-custom-bouncer", with_custom_bouncer)):
                if program(name):
                    step(w, place)
                    done += 1
                else:
                    missing.append(name)
            many(w)
        finally:
            code = w.end()
        same("its end", code, 0)
    if missing:
        print("not installed: " + ", ".join(missing))
    return 0 if done else SKIP


if __name__ == "__main__":
    sys.exit(main())
