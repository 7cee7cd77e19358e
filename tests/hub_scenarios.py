#!/usr/bin/env python3
"""CrowdSec's own tests of its HTTP scenarios: a log, and what must come of it.

    hub_scenarios.py PROGRAM VECTORS

PROGRAM is tests/tools/scenarios.c. VECTORS has hub-content.tar.xz (the scenarios) and hub-tests.tar.xz (for each test a
log, its type, and assertions, which are expressions that Python reads as well once `true` is True). The data files are
those of Debian's package `crowdsec`, taken out of it without installing it. A test that cannot pass is listed below with
its reason; one that is listed and passes is a failure, so that the list stays true. Exits 77 where VECTORS is not there."""
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

NO_DATA = "needs a data file that Debian's package does not have: "
NO_READER = "its log is of a kind that is not read: "
LISTED = {
    "CVE-2025-0108": NO_DATA + "trendy_cves_uris.json",
    "http-cve-probing": NO_DATA + "trendy_cves_uris.json",
    "http-admin-interface-probing": NO_DATA + "admin_interfaces.txt",
    "http-technology-probing": NO_DATA + "technology_probing.json",
    "thinkphp-cve-2018-20062": "Debian's data file is older than the scenario: it has capitals where the path is now in lower case",
    "ipv6-postoverflow": "a postoverflow widens the decision to a range; here an IPv6 address is counted by its /64 anyway",
    "base-upsun-generic-test": NO_READER + "upsun",
    "envoy-http-bad-user-agent": NO_READER + "envoy, by a parser of the test's own",
    "envoy-http-crawl-non_statics": NO_READER + "envoy, by a parser of the test's own",
}
# Files that the hub has renamed since Debian's package.
RENAMED = {"path_traversal.txt": "http_path_traversal.txt"}


class Source:
    def __init__(self, overflow, value):
        self.IP, self.Range, self.overflow, self.value = value, "", overflow, value

    def GetScope(self):
        return self.overflow["scope"]

    def GetValue(self):
        return self.value


class Event:
    def __init__(self, meta):
        self.meta = meta

    def GetMeta(self, key):
        return self.meta.get(key, "")


class Alert:
    def __init__(self, o):
        self.o, self.Remediation = o, o["remediation"]
        self.Events = [Event(e) for e in o["events"]]

    def GetScenario(self):
        return self.o["scenario"]

    def GetEventsCount(self):
        return self.o["count"]


class Overflow:
    def __init__(self, o):
        self.Alert = Alert(o)
        self.Sources = {s: Source(o, s) for s in o["sources"]}

    def GetSources(self):
        return list(self.Sources)


class Result:
    def __init__(self, o):
        self.Overflow, self.key = Overflow(o), (o["scenario"], sorted(o["sources"]), o["line"])


def assertions(path):
    """One a line; a text may hold anything but a line's end."""
    with open(path) as f:
        for line in f:
            line = line.strip()
            if line:
                yield re.sub(r"== true$", "== True", re.sub(r"== false$", "== False", line))


def scenario_files(root, names):
    for name in names:
        path = os.path.join(root, name.lstrip("./"))
        if not name.endswith(".yaml"):
            path = os.path.join(root, "scenarios", name + ".yaml")
        if not os.path.exists(path):
            found = [p for p in glob.glob(f"{root}/scenarios/*/*.yaml")
                     if re.search(rf"^name: *[\"']?{re.escape(name)}[\"']?\s*$", open(p).read(), re.M)]
            path = found[0] if found else path
        yield path


def run(program, root, data, test):
    import yaml
    place = f"{root}/.tests/{test}"
    with open(f"{place}/config.yaml") as f:
        config = yaml.safe_load(f)
    files = list(scenario_files(root, config["scenarios"]))
    missing = [f for f in files if not os.path.exists(f)]
    if missing:
        return f"no scenario {missing[0]}"
    log = config["log_file"]
    kind = config.get("log_type") or config["labels"]["type"]
    done = subprocess.run([program, "-l", kind, "-n", log] + [w for d in data for w in ("-d", d)] + files,
                          stdin=open(f"{place}/{log}", "rb"), capture_output=True, timeout=60)
    if done.returncode:
        return done.stderr.decode()[-300:] or f"exit {done.returncode}"
    found = [Result(json.loads(line)) for line in done.stdout.decode(errors="replace").splitlines()]
    # CrowdSec sorts by scenario and sources, descending; what it leaves open is tried as it came.
    found.sort(key=lambda r: r.key[:2], reverse=True)
    world = {"results": found, "basename": os.path.basename, "len": len}
    for line in assertions(f"{place}/scenario.assert"):
        try:
            if not eval(line, {"__builtins__": {}}, world):  # the hub's files, named above
                return f"{line} ({len(found)} overflows)"
        except (IndexError, KeyError) as e:
            return f"{line}: {e!r} ({len(found)} overflows)"
    return None


def debian_data(into):
    """The data files out of Debian's package: downloaded, not installed."""
    done = subprocess.run(["apt-get", "-q", "download", "crowdsec"], cwd=into, capture_output=True)
    package = glob.glob(f"{into}/crowdsec_*.deb")
    if done.returncode or not package:
        return None
    subprocess.run(["dpkg", "-x", package[0], into], check=True)
    for old, new in RENAMED.items():
        for path in glob.glob(f"{into}/usr/**/{old}", recursive=True):
            shutil.copy(path, os.path.join(os.path.dirname(path), new))
    return sorted({os.path.dirname(p) for p in glob.glob(f"{into}/usr/**/*.txt", recursive=True)})


def all_load(program, root, data):
    """Every scenario of the hub that is fed by HTTP or by AppSec, unmodified, in one set."""
    files = sorted(glob.glob(f"{root}/scenarios/*/*.yaml"))
    documents = sum(len(re.findall(r"^type:", open(f).read(), re.M)) for f in files)
    done = subprocess.run([program, "-l", "nginx"] + [w for d in data for w in ("-d", d)] + files, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    print(f"{documents} scenarios of {len(files)} files " + ("load" if done.returncode == 0 else "do not load:"))
    if done.returncode:
        print(done.stderr.decode()[-500:])
    return done.returncode == 0 and documents >= 68


def gates_agree(program, root, data):
    """All scenarios at once over all logs and over lines made of their pieces: what the gates let through to the filters
    makes the same overflows as every filter run for every event."""
    files = sorted(glob.glob(f"{root}/scenarios/*/*.yaml")) + sorted(
        p for p in glob.glob(os.path.join(os.path.dirname(__file__), "../scenarios/packs/*.yaml")) if ".test." not in p)
    lines = [line for path in sorted(glob.glob(f"{root}/.tests/*/*.log")) for line in open(path, errors="replace")
             if re.match(r"^[0-9a-f.:]+ - ", line)]
    pieces = sorted({p for line in lines for p in re.split(r"[ ?&]", line.split('"')[1]) if len(p) < 300} - {""}
                    if lines else set())
    rng = random.Random(1)
    for n in range(6000):
        path = "/" + rng.choice(["", "?", "a?x="]).join(rng.choice(pieces).lstrip("/") for _ in range(rng.randint(1, 3)))
        if rng.random() < 0.3:
            path = path.replace(rng.choice("./%aep"), rng.choice(["%2e", "%2F", "+", "A", "//", "%25"]))
        lines.append(f'10.{n % 7}.0.{n % 50} - - [10/Dec/2021:14:{n // 120 % 60:02}:{n // 2 % 60:02} +0100] '
                     f'"{rng.choice(["GET", "GET", "POST", "HEAD"])} {path} HTTP/1.1" {rng.choice([200, 404, 403, 401])} '
                     f'10 "-" "{rng.choice(["curl/8", "Mozilla/5.0 (X11)", "sqlmap/1.7", "report runner"])}"\n')
    outputs = [subprocess.run([program, "-l", "nginx"] + more + [w for d in data for w in ("-d", d)] + files,
                              input="".join(lines).encode(), capture_output=True, timeout=200) for more in ([], ["-a"])]
    asked = [int(re.search(rb"filters asked: (\d+)", o.stderr).group(1)) for o in outputs]
    told = [sorted(o.stdout.splitlines()) for o in outputs]
    print(f"gates: {len(lines)} lines, {len(told[0])} overflows, " +
          f"{asked[0]} filters asked instead of {asked[1]}, " +
          ("as with every filter run" if told[0] == told[1] else f"but {len(told[1])} with every filter run"))
    for line in sorted(set(told[0]) ^ set(told[1]))[:5]:
        print(line[:300])
    return told[0] == told[1] and len(told[0]) > 100 and asked[0] < asked[1] / 3 and not any(o.returncode for o in outputs)


def main():
    program, vectors = sys.argv[1:3]
    if not os.path.exists(f"{vectors}/hub-tests.tar.xz"):
        print(f"skipped: {vectors} is not there")
        return 77
    with tempfile.TemporaryDirectory() as root:
        for name in ("hub-content", "hub-tests"):
            with tarfile.open(f"{vectors}/{name}.tar.xz") as t:
                t.extractall(root)
        data = debian_data(root)
        if data is None:
            print("skipped: Debian's package crowdsec, whose data files the scenarios read, cannot be downloaded")
            return 77
        failed = 0 if all_load(program, root, data) else 1
        failed += 0 if gates_agree(program, root, data) else 1
        passed = 0
        for test in sorted(os.listdir(f"{root}/.tests")):
            why = run(program, root, data, test)
            if (why is None) == (test in LISTED):
                failed += 1
                print(f"FAILED {test}: {why or 'passes, but is listed: ' + LISTED[test]}")
            elif why:
                print(f"listed {test}: {LISTED[test]}")
            else:
                passed += 1
        print(f"{passed} passed, {len(LISTED)} listed, {failed} failed")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
