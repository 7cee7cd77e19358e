"""Who is measured, and how each is started: one worker, in front of the same origin."""
import glob
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
WORK = os.environ.get("BENCH_WORK", f"{ROOT}/build/bench")
BUILD = os.environ.get("BENCH_BUILD", f"{ROOT}/build/release")
TOOLS = f"{BUILD}/benchmarks/bench_"
GATE = f"{BUILD}/embergate"
PORTS = int(os.environ.get("BENCH_PORT", "20000"))  # uses this one and 99 more: 5 for each peer
ORIGIN = PORTS + 1
CRS4 = os.environ.get("EMBERGATE_CRS_DIR", "")
CRS = {  # directory, its setup file
    "crs3": ("/usr/share/modsecurity-crs", "/etc/modsecurity/crs/crs-setup.conf"),
    "crs4": (CRS4, f"{CRS4}/crs-setup.conf.example"),
}
PARANOIA = (1, 4)
# At level 4 ordinary requests are false alarms: so high a threshold lets them pass, and they are inspected to the end.
THRESHOLDS = {1: 5, 4: 10000}


class Peer:
    """`slot` gives the ports: http, then tls, then admin."""

    def __init__(self, name, slot, command, tls=True):
        self.name, self.command = name, command
        self.http = PORTS + 5 * slot if slot else ORIGIN
        self.tls = self.http + 1 if tls else None
        self.admin = self.http + 2
        self.dir = f"{WORK}/run/{name.replace(' ', '-')}"

    def fill(self, template, **words):
        """Writes conf/TEMPLATE.in into the peer's directory; returns the path."""
        with open(f"{HERE}/conf/{template}.in") as f:
            text = f.read()
        words |= {"DIR": self.dir, "WORK": WORK, "HTTP": self.http, "TLS": self.tls, "ADMIN": self.admin, "ORIGIN": ORIGIN}
        os.makedirs(self.dir, exist_ok=True)
        path = f"{self.dir}/{template}"
        with open(path, "w") as f:
            f.write(re.sub(r"@([A-Z]+)@", lambda m: str(words.get(m.group(1), "")), text))
        return path


def nginx(peer, **words):
    conf = peer.fill("nginx.conf", **words)
    return ["nginx", "-p", peer.dir, "-e", f"{peer.dir}/error.log", "-c", conf]


def modsecurity(peer, crs):
    os.makedirs(peer.dir, exist_ok=True)
    with open("/etc/nginx/modsecurity.conf") as f:
        recommended = re.sub(r"(?m)^\s*(SecAuditLog|SecUnicodeMapFile|SecDebugLog)", r"#\1", f.read())
    with open(f"{peer.dir}/recommended.conf", "w") as f:
        f.write(recommended + "\nSecUnicodeMapFile /etc/nginx/unicode.mapping 20127\n")
    rules = peer.fill("modsecurity.conf", CRS=crs)
    return nginx(peer, MODULES="load_module /usr/lib/nginx/modules/ngx_http_modsecurity_module.so;",
                 SERVER=f"modsecurity on; modsecurity_rules_file {rules};")


def haproxy(peer):
    return ["haproxy", "-db", "-f", peer.fill("haproxy.cfg")]


def embergate(peer, waf, top="", scenarios="{packs: off}"):
    return [GATE, "run", "-c", peer.fill("embergate.yaml", WAF=waf, TOP=top, SCENARIOS=scenarios)]


def relay(peer):
    return [f"{TOOLS}relay", str(peer.http), str(ORIGIN)]


# The level and the threshold under the names of CRS 3 and of CRS 4.
SETUP = """Include {setup}
SecAction "id:999001,phase:1,pass,nolog,setvar:tx.paranoia_level={level},setvar:tx.executing_paranoia_level={level},\\
setvar:tx.blocking_paranoia_level={level},setvar:tx.detection_paranoia_level={level},\\
setvar:tx.inbound_anomaly_score_threshold={threshold}"
Include {rules}/rules/*.conf"""


def crs_of(name, level):
    directory, setup = CRS[name]
    return SETUP.format(setup=setup, rules=directory, level=level, threshold=THRESHOLDS[level])


def crs_names():
    """Those that are there; what is not there is left out, and the results say so."""
    return [name for name, (directory, _) in CRS.items() if directory and glob.glob(f"{directory}/rules/*.conf")]


def crs_waf(name, level, threshold=5):
    return f"{{mode: block, packs: off, ruleset: crs, crs: {CRS[name][0]}, paranoia: {level}, threshold: {threshold}}}"


def hub_rules():
    """The hub's AppSec rules, when they are there; files without `rules:` are SecLang, which is another matter."""
    for path in sorted(glob.glob(f"{WORK}/hub/appsec-rules/**/*.yaml", recursive=True)):
        with open(path) as f:
            if re.search(r"(?m)^rules:", f.read()):
                yield path


def inspecting():
    return f"{{mode: block, ruleset: packs, packs: on, rules: [{', '.join(hub_rules())}]}}"


def all_peers():
    peers = [
        Peer("origin", 0, None, tls=False),
        Peer("relay", 1, relay, tls=False),
        Peer("nginx", 2, nginx),
        Peer("haproxy", 3, haproxy),
        Peer("embergate off", 4, lambda p: embergate(p, "{mode: off, ruleset: packs}")),
        Peer("embergate", 5, lambda p: embergate(p, inspecting())),
    ]
    for name in crs_names():
        for level in PARANOIA:
            peers.append(Peer(f"embergate {name} pl{level}", len(peers),
                              lambda p, name=name, level=level: embergate(p, crs_waf(name, level, THRESHOLDS[level]))))
            peers.append(Peer(f"nginx modsecurity {name} pl{level}", len(peers),
                              lambda p, name=name, level=level: modsecurity(p, crs_of(name, level))))
    return {p.name: p for p in peers}


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def crs_version(directory):
    """"4.28.0", of the marker in its rules."""
    for path in sorted(glob.glob(f"{directory}/rules/*.conf")):
        with open(path) as f:
            found = re.search(r"SecComponentSignature \"OWASP_CRS/([\w.-]+)", f.read())
        if found:
            return found.group(1)
    return "of unknown version"


def versions():
    packages = ("nginx", "haproxy", "libmodsecurity3", "modsecurity-crs", "libhyperscan5", "libuv1", "libssl3")
    found = {"embergate": output_of(GATE, "--version")}
    if "crs4" in crs_names():
        found["crs4"] = crs_version(CRS4)
    return found | {p: output_of("dpkg-query", "-W", "-f", "${Version}", p) for p in packages}
