#!/usr/bin/python3
"""Sets of addresses: ours (tools/netset, tools/decisions), and the same million loaded by HAProxy (map_ip) and nginx (geo).

    sets.py [quick]     prints rows of results.jsonl; bench.py does the same

Theirs is what checking a configuration with the list takes, less the same without it: their look-ups cannot be called
from outside."""
import json
import os
import subprocess
import sys

import peers as table

HAPROXY = """defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind 127.0.0.1:{port}
  {use}
  http-request return status 200
"""
NGINX = """pid {dir}/sets.pid; error_log /dev/null; events {{}}
http {{ access_log off; geo $listed {{ default 0; {use} }} server {{ listen 127.0.0.1:{port}; return 200 $listed; }} }}
"""


def tool(name, *options, timeout=300):
    command = ["taskset", "-c", "0", f"{table.TOOLS}{name}", "-j", *options]
    got = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=True)
    return [json.loads(line) for line in got.stdout.splitlines()]


def available_gib():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable")) / (1 << 20)


def spent(command):
    """(seconds of CPU, peak KiB) of a program that must end well."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.SubprocessError(f"{command}: {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def peer_row(name, members, text, use, command):
    path = f"{table.WORK}/sets/{name}.conf"
    seen = []
    for line in ("", use):
        with open(path, "w") as f:
            f.write(text.format(dir=f"{table.WORK}/sets", use=line, port=table.PORTS + 98))
        seen.append(spent(["timeout", "120", *command, path]))
    (base_s, base_kb), (cpu_s, peak_kb) = seen
    return {"peer": name, "members": members, "load_s": round(cpu_s - base_s, 3), "bytes_each": round((peak_kb - base_kb) * 1024 / members, 1)}


def peer_rows(members=1000000):
    os.makedirs(f"{table.WORK}/sets", exist_ok=True)
    plain, mapped, geo = (f"{table.WORK}/sets/{n}" for n in ("plain", "map", "geo"))
    subprocess.run([f"{table.TOOLS}netset", "-n", str(members), "-p", plain], check=True, timeout=60)
    with open(plain) as f, open(mapped, "w") as m, open(geo, "w") as g:
        for address in dict.fromkeys(f.read().split()):
            m.write(f"{address} 1\n")
            g.write(f"{address} 1;\n")
    yield peer_row("haproxy", members, HAPROXY, f"http-request set-var(txn.listed) src,map_ip({mapped},0)", ["haproxy", "-c", "-f"])
    yield peer_row("nginx", members, NGINX, f"include {geo};", ["nginx", "-t", "-c"])
    for path in (plain, mapped, geo):
        os.remove(path)


def rows(full):
    sizes = [1000000, 10000000] + ([100000000] if full and available_gib() > 12 else [])
    for n in sizes:
        for row in tool("netset", "-n", str(n)):
            yield {"peer": "embergate", "asked": n, **row}
    yield {"peer": "embergate decisions", **tool("decisions", "-n", str(10000000 if full and available_gib() > 6 else 1000000))[0]}
    yield from peer_rows()


if __name__ == "__main__":
    for found in rows("quick" not in sys.argv[1:]):
        print(json.dumps({"kind": "set", **found}), flush=True)
