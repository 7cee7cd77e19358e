"""Makes RESULTS.md of build/bench/results.jsonl. What stands in RESULTS.md below the line HAND is written by hand and
kept."""
import json
import os
import statistics
import sys

import pairs

HAND = "<!-- by hand from here -->"
TARGETS = [  # peer, what, against whom (None: the better of nginx and HAProxy), the most it may cost on each load
    ("embergate off", "inspection off", None, dict.fromkeys(["W1", "W2", "W3", "W7"], 1.0)),
    ("embergate", "AppSec rules and our packs on", None, dict.fromkeys(["W1", "W2", "W3", "W7"], 1.3)),
    ("embergate crs4 pl1", "CRS 4, paranoia 1", "haproxy", {"W1": 1.5, "W2": 1.5, "W3": 1.5, "W4": 3.0}),
    ("embergate crs4 pl4", "CRS 4, paranoia 4", "haproxy", {"W1": 3.0, "W2": 3.0, "W3": 3.0, "W4": 6.0}),
]
PAIRS = (  # pairs.py's name, what is more, the most it may cost in us
    ("held", "ten million addresses held", 0.2),
    ("watched", "the hub's HTTP scenarios and our packs watch", 3.0),
    ("seen", "three open dashboards, one request of a hundred an attack", None),
)
SEEN_SHARE = 0.02 # of the CPU without
WHAT = {"W1": "GET", "W2": "GET, query, cookies", "W2X": "W2, nothing twice", "W3": "form 1 KB", "W4": "JSON 8 KB", "W5": "upload 100 KB",
        "W6": "attacks", "W7": "W1 over TLS 1.3", "W8": "TLS handshake each"}
median = statistics.median


def rows_of(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


class Results:
    def __init__(self, path):
        self.rows = rows_of(path)
        life = f"{os.path.dirname(path)}/life.jsonl"
        newest = {(x["kind"], x["crs"], x.get("cache")): x for x in (rows_of(life) if os.path.exists(life) else [])}
        self.life = list(newest.values())
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

    def ratios(self, peer, load, to=None):
        """To another, or the better one of the two, in the same round; each corrected for the speed of the core at that
        moment."""
        base = {r["round"]: r["cpu_us"] / r["speed_ns"] for r in self.cpu.get((to or self.better(load), load), [])}
        return [r["cpu_us"] / r["speed_ns"] / base[r["round"]] for r in self.cpu.get((peer, load), []) if base.get(r["round"])]


def number(v):
    return f"{v:.1f}" if v < 100 else f"{v:,.0f}"


def digits(v):
    return f"{v:.2f}" if v < 20 else f"{v:,.0f}"


def spread(values):
    return f"{number(median(values))} ({number(min(values))}-{number(max(values))})"


def grid(columns, rows, cell, what="peer"):
    yield f"| {what} | " + " | ".join(columns) + " |"
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

    def ratio(p, t, to=None):
        q = r.ratios(p, titles[t], to)
        return f"{digits(median(q))} ({digits(min(q))}-{digits(max(q))})" if q else ""
    yield from grid(titles, rows, ratio)
    pairs = [(p, f"nginx modsecurity {p.removeprefix('embergate ')}") for p in r.peers if p.startswith("embergate crs")]
    pairs = [(p, theirs) for p, theirs in pairs if theirs in r.peers]
    if pairs:
        yield "How many times as much nginx with ModSecurity takes for the same rules, in the same round:\n"
        yield from grid(titles, [(ours, (ours, theirs)) for ours, theirs in pairs], lambda k, t: ratio(k[1], t, k[0]))


def judged(has, most):
    return "reached" if has <= most else "NOT reached"


LIFE = {  # what is wanted of a row of life.py: what, what it is, the most it may be
    "cold": lambda x: [(f"ms from exec to the first inspected answer, {x['cache']} cache", x["inspected_ms"],
                        1000 if x["cache"] == "empty" else 200)],
    "apps": lambda x: [(f"memory of {x['apps']} apps to that of one", x["ratio_used"], 1.3)],
    "reloads": lambda x: [(f"failed requests of {x['requests']:,} over {x['count']:,} reloads", x["failed"], 0),
                          ("memory after them to that after a tenth", x["growth"], 1.1)],
}


def life_lines(r):
    if not r.life:
        return
    yield "## Start, apps, reloads\n"
    yield f"`benchmarks/run.sh life`, {r.life[-1]['date']}.\n"
    for x in r.life:
        if x["kind"] == "cold":
            yield f"- {x['crs']}, {x['cache']} cache: first answer after {x['first_ms']:,} ms, first inspected one after " \
                  f"{x['inspected_ms']:,} ms ({x['least_ms']:,}-{x['most_ms']:,}, {x['times']} starts)"
        elif x["kind"] == "apps":
            yield f"- {x['crs']}, RSS of the serving process: one app {megabytes(x['one_kb'])}, {x['apps']} apps " \
                  f"{megabytes(x['many_kb'])}; after some requests {megabytes(x['one_used_kb'])} and {megabytes(x['many_used_kb'])}"
        else:
            yield f"- {x['crs']}, {x['count']:,} reloads in {x['seconds']:,} s beside {x['requests']:,} requests: {x['failed']} failed; " \
                  f"RSS {megabytes(x['first_kb'])} after the first, {megabytes(x['early_kb'])} after a tenth, {megabytes(x['last_kb'])} " \
                  f"at the end, {megabytes(x['most_kb'])} at most"
    yield ""


def megabytes(kb):
    return f"{kb / 1024:.1f} MB"


def stage_tables(r):
    """Rows of tools/stages."""
    for name in dict.fromkeys(x["rules"] for x in r.of("stages")):
        rows = {x["load"]: x for x in r.of("stages") if x["rules"] == name}
        yield f"### Nanoseconds by stage: {name}\n"
        stages = list(next(iter(rows.values()))["stages"])

        def cell(stage, load):
            x = rows[load]
            if stage in stages:
                return "{:,} / {:,}".format(*x["stages"][stage])
            return {"in all": "{:,} / {:,}".format(*x["all"]), "memo knew": f"{x['memo']:.0%} / 0%", "hits": f"{x['hits']:.1f}"}[stage]
        yield from grid(list(rows), [(s, s) for s in stages + ["in all", "memo knew", "hits"]], cell, "stage")


def stage_lines(r):
    if not r.of("stages"):
        return
    yield "## Stages of an inspection\n"
    yield "CPU of one request as it comes / when no value has been seen before; parsing HTTP and forwarding not counted. The"
    yield "engine itself, with probes in front of its functions whose own cost is taken off; `in all` is without probes.\n"
    yield from stage_tables(r)


def pattern_lines(r):
    for x in r.of("patterns"):
        yield f"## Conditions alone: {x['rules']}\n"
        yield f"tools/patterns: each of {x['conditions']:,} conditions on {x['values']:,} values of {x['bytes_each']} bytes on average. All of them on one value"
        yield f"{x['ns']:,} ns, {x['ns_where_asked']:,} ns where a text of theirs is in it; half of them take less than {x['median_ns']:.0f} ns. The whole list"
        yield f"is build/bench/patterns-{x['rules']}.txt, the dearest by what is left behind the gate are:\n"
        rows = [(f"{y['rule']} {y['operator']}", y) for y in x["dearest"]]
        yield from grid(["ns a value", "share asked", "both, ns"], rows,
                        lambda y, c: {"n": f"{y['ns']:,}", "s": f"{y['asked']:.0%}", "b": f"{y['cost']:,}"}[c[0]], "condition")


def agent_lines(r):
    if not r.of("agent"):
        return
    yield "## A log, beside CrowdSec's agent\n"
    yield "CPU of the whole process, loading taken off (agent.py). CrowdSec refuses the hub's files of today, so it has those of its own"
    yield "package with the same names; rows that are to be compared have the same files and lines.\n"
    rows = [(f"{x['peer']}, {x['what']}", x) for x in r.of("agent")]
    cells = {"scenarios": "scenarios", "lines": "lines", "lines/s of CPU": "lines_per_cpu_s", "peak MB": "peak_kb", "overflows": "overflows"}
    yield from grid(list(cells), rows, lambda x, c: f"{x[cells[c]] / (1024 if c == 'peak MB' else 1):,.0f}" if cells[c] in x else "", "agent, scenarios")


BUCKETS_MB, POURS_S = 1000, 1000000  # 5 million live buckets of one event; a second of one core


def bucket_lines(r):
    if not r.of("buckets"):
        return
    yield "## Buckets\n"
    yield "Live leaky buckets with events of 60 bytes, pours into a million keys at random (tools/buckets).\n"
    for x in r.of("buckets"):
        if x["what"] == "pours":
            yield f"- {x['threads']} thread{'s' if x['threads'] > 1 else ''}: {x['per_cpu_s']:,} pours for a second of CPU, " \
                  f"{x['per_s']:,} in a second; {x['overflows']:.0%} of them overflow"
        else:
            yield f"- {x['live']:,} live, {x['what']}: {x['rss_mb']:,} MB, {x['bytes_each']} B each; {x['ns_each']} ns to make one"
    yield ""


def bucket_targets(r):
    for x in r.of("buckets"):
        if x["what"] in ("one event each", "the same, values told apart"):
            yield f"- {x['live']:,} live buckets, {x['what']}: {x['rss_mb']:,} MB, wanted at most {BUCKETS_MB:,}: {judged(x['rss_mb'], BUCKETS_MB)}"
        elif x.get("threads") == 1:
            yield f"- pours for a second of CPU: {x['per_cpu_s']:,}, wanted at least {POURS_S:,}: {judged(POURS_S, x['per_cpu_s'])}"


FIRST_LOAD_KB = 60  # gzipped
PAGE_MS = 100  # a list, whatever it is filtered by


def events_lines(r):
    rows = {x["what"]: x for x in r.of("events")}
    written = rows.pop("written", None)
    if not written:
        return
    yield "## Events\n"
    yield f"{written['events']:,} of them on disk (tools/events): {written['us_each']} us to write one, {written['mb']:,} MB. Pages of 50:\n"
    yield "| filter | median ms | slowest ms | rows |\n|---|---|---|---|"
    for what, x in rows.items():
        yield f"| {what} | {x['ms']} | {x['slowest_ms']} | {x['rows']} |"
    yield ""


def events_targets(r):
    yield from (f"- a first visit of the dashboard: {x['bytes'] / 1024:.1f} kB in {x['files']} files, wanted at most {FIRST_LOAD_KB}: "
                f"{judged(x['bytes'] / 1024, FIRST_LOAD_KB)}" for x in r.of("first_load"))
    rows = [x for x in r.of("events") if x["what"] != "written"]
    if rows:
        slowest = max(rows, key=lambda x: x["slowest_ms"])
        yield f"- the slowest page of events ({slowest['what']}): {slowest['slowest_ms']} ms, wanted at most {PAGE_MS}: " \
              f"{judged(slowest['slowest_ms'], PAGE_MS)}"


SETS = {  # members: the most an IPv4 look may take, ns
    1000000: 20, 10000000: 20, 100000000: 60,
}
SET_V6_NS, SET_BYTES, SET_LOAD_S = 60, 20, 0.25  # of the last two: at a million of IPv4


def set_lines(r):
    if not r.of("set"):
        return
    yield "## Sets of addresses\n"
    yield "tools/netset, tools/decisions; HAProxy's map_ip and nginx's geo load the same million of IPv4 (sets.py).\n"
    for x in r.of("set"):
        if x["peer"] == "embergate":
            yield f"- {x['members']:,} {x['what']}: {x['hit_ns']} ns for one that is there, {x['miss_ns']} ns for one that is not; " \
                  f"{x['bytes_each']} B each, put in within {x['load_s']} s of CPU"
        elif x["peer"] == "embergate decisions":
            yield f"- {x['held']:,} decisions: {x['miss_ns']} ns for a client against whom none is held ({x['empty_ns']} ns while none is at " \
                  f"all), {x['hit_ns']} ns for another; {x['add_ns']:,} ns to make one, {x['bytes_each']} B each"
        else:
            yield f"- {x['peer']}, {x['members']:,} IPv4: {x['bytes_each']} B each, loaded within {x['load_s']} s of CPU"
    yield ""


def pair_costs(r, kind):
    """(median us without, with, of the differences round by round, answers that were refusals); None: not measured."""
    rows = {name: [x for x in r.of(kind) if x["peer"] == name] for name in pairs.PAIRS[kind]}
    less, more = ([x["cpu_us"] for x in rows[name]] for name in pairs.PAIRS[kind])
    if not less or not more:
        return None
    refused = sum(x["s4xx"] for name in rows for x in rows[name])
    return median(less), median(more), median([b - a for a, b in zip(less, more)]), refused


def set_targets(r):
    for kind, what, most in PAIRS:
        costs = pair_costs(r, kind)
        if costs:
            most = most or round(SEEN_SHARE * costs[0], 2)
            yield f"- {what}: {costs[2]:+.2f} us for each request ({costs[0]:.2f} without, {costs[1]:.2f} with; {costs[3]} were refused), " \
                  f"wanted at most {most}: {judged(costs[2], most)}"
    for x in r.of("set"):
        if x["peer"] != "embergate":
            continue
        most = SETS.get(x["asked"], 60) if x["what"] == "IPv4" else SET_V6_NS
        for how in ("hit", "miss"):
            yield f"- a look at {x['members']:,} {x['what']}, {how}: {x[how + '_ns']} ns, wanted at most {most}: {judged(x[how + '_ns'], most)}"
        if x["what"] == "IPv4" and x["asked"] == 1000000:
            yield f"- bytes for each of them: {x['bytes_each']}, wanted at most {SET_BYTES}: {judged(x['bytes_each'], SET_BYTES)}"
            yield f"- seconds to put them in: {x['load_s']}, wanted at most {SET_LOAD_S}: {judged(x['load_s'], SET_LOAD_S)}"


def target_lines(r):
    yield "## Targets\n"
    for peer, what, to, loads in TARGETS:
        for load, most in loads.items():
            q = r.ratios(peer, load, to)
            if q:
                yield f"- {what}, {load}: {median(q):.2f} x {to or r.better(load)}, wanted at most {most}: {judged(median(q), most)}"
    idle = {(x["peer"], x["what"]): x["bytes_each"] for x in r.of("idle")}
    for what in ("plain", "tls"):
        if ("embergate", what) in idle and ("haproxy", what) in idle:
            ours, theirs = idle["embergate", what], idle["haproxy", what]
            yield f"- memory for an idle {what} connection: {ours} B, HAProxy's {theirs} B: {judged(ours, theirs)}"
    for x in r.life:
        yield from (f"- {x['crs']}, {what}: {has}, wanted at most {most}: {judged(has, most)}" for what, has, most in LIFE[x["kind"]](x))
    yield from bucket_targets(r)
    yield from set_targets(r)
    yield from events_targets(r)
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
                parts.append(f"{load} {seen or 'all 2xx'}")
        yield f"- {p}: " + "; ".join(parts)
    for x in r.of("missing"):
        yield f"- left out: {x['what']}"
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
    for part in (head_lines, target_lines, cpu_tables, stage_lines, pattern_lines, bucket_lines, agent_lines, set_lines, events_lines, latency_table, memory_table, life_lines, answer_lines):
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
