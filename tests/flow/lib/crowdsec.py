"""crowdsec.py -- Debian's unmodified CrowdSec programs, each with files, a database and a port of its own.

    with Home(url, machine, password) as home: home.cscli("decisions", "list")    cscli and an agent of another's API
    with Lapi() as lapi: lapi.cscli("decisions", "add", "--ip", "192.0.2.1")     CrowdSec's own API
    with home.custom_bouncer(url, key) as bouncer: bouncer.told("add 192.0.2.1")
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from lib.claims import Skipped, eventually
from lib.ports import free_port

PATIENCE = 30  # s

CONFIG = """
common: {{daemonize: false, log_media: stdout, log_level: info, log_dir: {dir}, working_dir: {dir}}}
config_paths: {{config_dir: {dir}, data_dir: {dir}/data, simulation_path: {dir}/simulation.yaml, hub_dir: {dir}/hub,
  index_path: {dir}/hub/.index.json, notification_dir: {dir}/notifications, plugin_dir: {dir}/plugins}}
crowdsec_service: {{acquisition_path: {dir}/acquis.yaml, parser_routines: 1}}
cscli: {{output: json}}
db_config: {{log_level: info, type: sqlite, db_path: {dir}/data/crowdsec.db}}
prometheus: {{enabled: false}}
api:
  client: {{credentials_path: {dir}/credentials.yaml}}
"""
SERVER = """  server: {{log_level: info, listen_uri: "127.0.0.1:{port}", profiles_path: {dir}/profiles.yaml, console_path: {dir}/console.yaml}}
"""
CREDENTIALS = "url: {url}\nlogin: {machine}\npassword: {password}\n"
PROFILES = """
name: default_ip_remediation
filters: ['Alert.Remediation == true && Alert.GetScope() == "Ip"']
decisions: [{type: ban, duration: 4h}]
on_success: break
"""
# Three failures are one too many.
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
BOUNCER = """
update_frequency: 1s
log_mode: stdout
log_level: info
api_url: {url}/
api_key: {key}
"""
CUSTOM = """
bin_path: {dir}/script
piping: false
cache_retention_duration: 10s
"""
SCRIPT = '#!/bin/sh\necho "$1 $2" >> {dir}/told\n'
FIREWALL = """
mode: nftables
pid_dir: {dir}
daemonize: false
deny_action: DROP
disable_ipv6: false
supported_decisions_types: [ban]
blacklists_ipv4: crowdsec-blacklists
blacklists_ipv6: crowdsec6-blacklists
nftables:
  ipv4: {{enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain}}
  ipv6: {{enabled: true, set-only: false, table: crowdsec6, chain: crowdsec6-chain}}
prometheus: {{enabled: false}}
"""


def need(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        raise Skipped(f"{', '.join(missing)}: not installed")


class Program:
    """One that runs until the end of the block; what it says is in `home`/`name`.log."""

    def __init__(self, home, name, *words):
        need(name)
        self.home, self.name = home, name
        with open(home.path(f"{name}.log"), "wb") as log:
            self.process = subprocess.Popen([name, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=home.environment)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is not None:
            value.add_note(f"{self.name} said:\n" + self.home.text(f"{self.name}.log")[-3000:])

    def runs(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}")
        return True

    def stop(self, by=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(by)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def told(self, line):
        """The custom bouncer's script was."""
        eventually(lambda: self.runs() and line in self.home.text("told").splitlines(), PATIENCE, f"the script is told {line!r}")


class Home:
    """Files of CrowdSec for somebody who logs in to `url`; nothing of /etc/crowdsec but the patterns of its parsers."""

    def __init__(self, url="", machine="", password="", more="", trusts=None):
        """`trusts`: the file of a certificate, instead of what the machine trusts."""
        need("crowdsec", "cscli")
        self.environment = {**os.environ, **({"SSL_CERT_FILE": trusts} if trusts else {})}
        self.folder = tempfile.mkdtemp(prefix="embergate-flow.")
        for name in ("data", "hub", "notifications", "plugins", "parsers", "parsers/s00-raw", "parsers/s01-parse", "scenarios",
                     "postoverflows", "collections"):
            os.mkdir(self.path(name))
        os.symlink("/etc/crowdsec/patterns", self.path("patterns"))
        self.write("config.yaml", CONFIG.format(dir=self.folder) + more.format(dir=self.folder))
        self.write("simulation.yaml", "simulation: false\n")
        self.write("hub/.index.json", '{"parsers": {}, "scenarios": {}, "collections": {}, "postoverflows": {}}')
        self.write("parsers/s00-raw/failures.yaml", PARSER)
        self.write("scenarios/failures.yaml", SCENARIO)
        self.write("acquis.yaml", f"filenames: [{self.path('seen.log')}]\nlabels: {{type: plain}}\n")
        self.write("seen.log", "")
        self.write("credentials.yaml", CREDENTIALS.format(url=url, machine=machine, password=password))

    def __enter__(self):
        return self

    def __exit__(self, *why):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(self.path(name), mode)

    def text(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def cscli(self, *words):
        """What it prints; it must succeed."""
        done = subprocess.run(["cscli", "-c", self.path("config.yaml"), *words], capture_output=True, text=True, timeout=PATIENCE,
                              env=self.environment, check=False)
        if done.returncode:
            raise AssertionError(f"cscli {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def listed(self, *words):
        """What it lists; null is none."""
        return json.loads(self.cscli(*words, "-o", "json")) or []

    def agent(self):
        return Program(self, "crowdsec", "-c", self.path("config.yaml"), "-no-api")

    def fails(self, address, times=5):
        """Lines for the agent."""
        with open(self.path("seen.log"), "a", encoding="ascii") as out:
            out.write("".join(f"{address} FAIL {i}\n" for i in range(times)))

    def bouncer(self, name, url, key, more):
        self.write("bouncer.yaml", (BOUNCER + more).format(dir=self.folder, url=url, key=key))
        return Program(self, name, "-c", self.path("bouncer.yaml"))

    def custom_bouncer(self, url, key):
        self.write("script", SCRIPT.format(dir=self.folder), 0o700)
        return self.bouncer("crowdsec-custom-bouncer", url, key, CUSTOM)

    def firewall_bouncer(self, url, key):
        return self.bouncer("crowdsec-firewall-bouncer", url, key, FIREWALL)


class Lapi(Home):
    """CrowdSec's own API, with a machine `cscli` for itself, and a key and a machine `gate` for us."""

    KEY, MACHINE, PASSWORD = "gatekey", "gate", "gatepw"

    def __init__(self):
        self.port = free_port()
        super().__init__(more=SERVER.replace("{port}", str(self.port)))
        self.write("profiles.yaml", PROFILES)
        self.write("console.yaml", "")
        self.cscli("machines", "add", "cscli", "--password", "cscli", "-f", self.path("credentials.yaml"), "-u", self.url)
        self.cscli("machines", "add", self.MACHINE, "--password", self.PASSWORD, "-f", self.path("gate.yaml"))
        self.cscli("bouncers", "add", "gate", "--key", self.KEY)
        self.server = None
        self.start()

    def __exit__(self, *why):
        self.server.__exit__(*why)
        super().__exit__(*why)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.server = Program(self, "crowdsec", "-c", self.path("config.yaml"), "-no-cs")
        try:
            eventually(self.answers, PATIENCE, "crowdsec answers")
        except AssertionError as failed:
            self.__exit__(type(failed), failed, None)
            raise

    def stop(self):
        self.server.stop()

    def answers(self):
        self.server.runs()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
