"""Makes RESULTS.md of build/bench/results.jsonl. What stands in RESULTS.md below the line HAND is written by hand and
kept."""
import json
import os
import statistics
import sys

HAND = "<!-- by hand from here -->"
TARGETS = [  # peer, what, the most it may cost against the better of nginx and HAProxy, loads
    ("embergate off", "inspection off", 1.0, ["W1", "W2", "W3", "W7"]),
    ("embergate", "AppSec rules and our packs on", 1.3, ["W1", "W2", "W3", "W7"]),
]
WHAT = {"W1": "GET", "W2": "GET, query, cookies", "W2X": "W2, nothing twice", "W3": "form 1 KB", "W4": "JSON 8 KB", "W5": "upload 100 KB", "W6": "attacks",
        "W7": "W1 over TLS 1.3", "W8": "TLS handshake each"}
median = statistics.median


class Results:
    def __init__(self, path):
        with open(path) as f:
            self.rows = [json.loads(line) for line in f]
        self.meta = next(r for r in self.rows if r["kind"] == "meta")
        self.cpu, self.latency = {}, {}
        for r in self.rows:
            if r["kind"] in ("cpu", "latency"):
                getattr(self, r["kind"]).setdefault((r["peer"], r["load"]), []).append(r)
        self.peers = list(dict.fromkeys(r["peer"] for r in self.rows if r["kind"] == "cpu"))
        self.loads = sorted({load for _, load in self.cpu})

    def of(self, kind):
        return [r for r in self.rows if r["kind"] == kind]

    def better(self, load):
        """The cheaper of the two plain proxies."""
        both = [p for p in ("nginx", "haproxy") if (p, load) in self.cpu]
        return min(both, key=lambda p: median(r["cpu_us"] for r in self.cpu[p, load]), default=None)

    def ratios(self, peer, load):
        """To the better one in the same round, each corrected for the speed of the core at that moment."""
        base = {r["round"]: r["cpu_us"] / r["speed_ns"] for r in self.cpu.get((self.better(load), load), [])}
        return [r["cpu_us"] / r["speed_ns"] / base[r["round"]] for r in self.cpu.get((peer, load), []) if base.get(r["round"])]


def number(v):
    return f"{v:.1f}" if v < 100 else f"{v:,.0f}"


def spread(values):
    return f"{number(median(values))} ({number(min(values))}-{number(max(values))})"


def grid(columns, rows, cell):
    yield "| peer | " + " | ".join(columns) + " |"
    yield "|---|" + "--:|" * len(columns)
    for name, key in rows:
        yield f"| {name} | " + " | ".join(cell(key, c) or "-" for c in columns) + " |"
    yield ""


def cpu_tables(r):
    titles = {f"{load} {WHAT[load]}": load for load in r.loads}
    rows = [(p, p) for p in r.peers]
    yield "## CPU microseconds per request\n"
    yield f"Median of {r.meta['rounds']} rounds, in brackets the least and the greatest. One worker; the whole process tree, kernel included.\n"
    yield from grid(titles, rows, lambda p, t: spread([x["cpu_us"] for x in r.cpu[p, titles[t]]]) if (p, titles[t]) in r.cpu else "")
    yield "The same against the better of nginx and HAProxy in the same round, median (least-greatest):\n"

    def ratio(p, t):
        q = r.ratios(p, titles[t])
        return f"{median(q):.2f} ({min(q):.2f}-{max(q):.2f})" if q else ""
    yield from grid(titles, rows, ratio)


def target_lines(r):
    yield "## Targets\n"
    for peer, what, most, loads in TARGETS:
        for load in loads:
            q = r.ratios(peer, load)
            if q:
                verdict = "reached" if median(q) <= most else "NOT reached"
                yield f"- {what}, {load}: {median(q):.2f} x {r.better(load)}, wanted at most {most}: {verdict}"
    idle = {(x["peer"], x["what"]): x["bytes_each"] for x in r.of("idle")}
    for what in ("plain", "tls"):
        if ("embergate", what) in idle and ("haproxy", what) in idle:
            ours, theirs = idle["embergate", what], idle["haproxy", what]
            yield f"- memory for an idle {what} connection: {ours} B, HAProxy's {theirs} B: {'reached' if ours <= theirs else 'NOT reached'}"
    yield ""


def answer_lines(r):
    yield "## What was answered\n"
    for p in r.peers:
        parts = []
        for load in r.loads:
            rows = r.cpu.get((p, load), [])
            n = sum(x["requests"] for x in rows)
            other = {k: sum(x[k] for x in rows) for k in ("s4xx", "s5xx", "errors")}
            if n:
                seen = ", ".join(f"{v / n:.1%} {k.replace('s', '', 1) if k != 'errors' else k}" for k, v in other.items() if v)
                memo = [x["memo_hits"] for x in rows if "memo_hits" in x]
                parts.append(f"{load} {seen or 'all 2xx'}" + (f" (memo hit rate {median(memo):.2f})" if memo else ""))
        yield f"- {p}: " + "; ".join(parts)
    for x in r.of("failed"):
        yield f"- {x['peer']} FAILED: {x['why']}"
    yield ""


def latency_table(r):
    if not r.latency:
        return
    yield "## Latency\n"
    yield "Microseconds p50 / p99 / p99.9, open loop, counted from when a request was due; of three runs the one with the least p99.\n"
    titles = {f"{load} at {x[0]['rate']}/s": load for (_, load), x in sorted(r.latency.items(), key=lambda i: i[0][1])}

    def cell(p, t):
        rows = r.latency.get((p, titles[t]))
        best = min(rows, key=lambda x: x["p99_us"]) if rows else None
        return f"{best['p50_us']:.0f} / {best['p99_us']:.0f} / {best['p999_us']:.0f}" if best else ""
    yield from grid(titles, [(p, p) for p in r.peers if any(k[0] == p for k in r.latency)], cell)


def memory_table(r):
    start = {x["peer"]: x for x in r.of("start")}
    idle = {(x["peer"], x["what"]): x for x in r.of("idle")}
    columns = ["start, s", "RSS at start, MB", "PSS, MB", "idle plain, B", "idle TLS, B"]

    def cell(p, c):
        if c.startswith("idle"):
            x = idle.get((p, "plain" if "plain" in c else "tls"))
            return f"{x['bytes_each']:,} ({x['opened']:,} open)" if x else ""
        x = start[p]
        return {columns[0]: f"{x['start_s']}", columns[1]: f"{x['rss_kb'] / 1024:.1f}", columns[2]: f"{x['pss_kb'] / 1024:.1f}"}[c]
    yield "## Memory\n"
    yield "User space. An idle connection has had one request answered; its bytes are the growth of RSS over the number opened.\n"
    yield from grid(columns, [(p, p) for p in start], cell)


def head_lines(r):
    m, machine = r.meta, r.meta["machine"]
    end = r.of("end")
    yield "# Results\n"
    yield f"`./ember bench {m['plan'] if m['plan'] != 'full' else ''}`".replace(" `", "`") + f", {m['date']}. " \
          f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}; load average {machine['load']:.1f} before" \
          + (f", {end[0]['load']:.1f} after." if end else "; IT DID NOT END.")
    yield "Versions: " + ", ".join(f"{k} {v}" for k, v in m["versions"].items() if v) + ".\n"
    yield "Requests differ: at least 1,000 for each load, of 200 clients that come back (mkreq.py). How it is measured and how far to"
    yield "trust it: README.md beside this file. A difference under 15 % means nothing on a shared machine.\n"


def text_of(r):
    for part in (head_lines, target_lines, cpu_tables, latency_table, memory_table, answer_lines):
        yield from part(r)


def write(results, path):
    text = "\n".join(text_of(Results(results))) + "\n"
    print("\n" + text)
    if not path:
        return
    hand = ""
    if os.path.exists(path):
        with open(path) as f:
            hand = f.read().partition(HAND)[2]
    with open(path, "w") as f:
        f.write(text + HAND + (hand or "\n"))


if __name__ == "__main__":
    write(sys.argv[1], None)
