"""What a process tree costs, from /proc: CPU time, memory."""
import os
import re

HZ = os.sysconf("SC_CLK_TCK")


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:  # the process has gone
        return ""


def stat_fields(pid):
    """Of /proc/PID/stat, from the state on; the name before it may hold anything."""
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def tree(pid):
    """PID and all its descendants."""
    children = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        fields = stat_fields(p)
        if fields:
            children.setdefault(int(fields[1]), []).append(int(p))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu(pids):
    """(user, all) seconds of CPU. `all` comes from the scheduler in ns, kernel included."""
    user = total = 0
    for p in pids:
        fields = stat_fields(p)
        if not fields:
            continue
        user += int(fields[11]) / HZ
        for task in os.listdir(f"/proc/{p}/task"):
            total += int((read(f"/proc/{p}/task/{task}/schedstat") or "0").split()[0]) / 1e9
    return user, total


def memory_kb(pids, key="Rss"):
    """Rss counts a shared page for each process; Pss divides it among them."""
    found = (re.search(rf"^{key}:\s+(\d+)", read(f"/proc/{p}/smaps_rollup"), re.M) for p in pids)
    return sum(int(m.group(1)) for m in found if m)


def machine():
    model = re.search(r"model name\s*: (.*)", read("/proc/cpuinfo"))
    return {"cpu": model.group(1) if model else os.uname().machine, "cores": os.cpu_count(),
            "kernel": os.uname().release, "load": os.getloadavg()[0]}
