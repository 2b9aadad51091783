"""Putting a load on a URL, and what it cost whom."""

import json
import os
import statistics
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")


def wrk(url, connections, seconds, headers=(), threads=1, look=False):
    """Requests a second and latencies in microseconds, by wrk(1)."""
    argv = ["wrk", "-t%d" % min(threads, connections), "-c%d" % connections,
            "-d%ds" % seconds, "--timeout", "10s", "-s",
            os.path.join(HERE, "report.lua")]
    for header in headers:
        argv += ["-H", header]
    done = subprocess.run(argv + [url], capture_output=True, text=True,
                          timeout=seconds + 60, check=False,
                          env=dict(os.environ, POLITE="1") if look else None)
    line = done.stderr.strip().split("\n")[-1]
    if done.returncode or not line.startswith("{"):
        raise RuntimeError("wrk: %s%s" % (done.stdout, done.stderr))
    report = json.loads(line)
    report["rps"] = report["requests"] * 1e6 / report["duration_us"]
    return report


def descendants(pid):
    """A process and all below it."""
    below = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="utf-8",
                          errors="replace") as f:
                    parent = int(f.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            below.setdefault(parent, []).append(int(name))
    found, queue = [], [pid]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += below.get(pid, [])
    return found


def cpu_seconds(roots):
    """User and system time of processes, their children, and those that
    these have waited for."""
    total = 0
    for root in roots:
        for pid in descendants(root):
            try:
                with open("/proc/%d/stat" % pid, encoding="utf-8",
                          errors="replace") as f:
                    fields = f.read().rpartition(")")[2].split()
            except OSError:
                continue
            total += sum(int(fields[n]) for n in (11, 12, 13, 14))
    return total / TICKS


def private_kib(pid):
    """Memory that nobody shares."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="utf-8") as f:
        return sum(int(line.split()[1]) for line in f
                   if line.startswith("Private_"))


def measure(contestant, connections, seconds):
    """One turn: throughput, latencies, processor time a request."""
    before = cpu_seconds(contestant.roots)
    report = wrk(contestant.url, connections, seconds, contestant.headers)
    used = cpu_seconds(contestant.roots) - before
    good = report["requests"] - report["errors"]
    report["rps"] = good * 1e6 / report["duration_us"]
    report["refused"] = report["errors"] / max(report["requests"], 1)
    if good < report["requests"] * contestant.least_good:
        raise RuntimeError("%s: %d of %d answers were errors" % (
            contestant.name, report["errors"], report["requests"]))
    report["cpu_us"] = used * 1e6 / max(good, 1)
    return report


def rounds(contestants, connections, seconds, count, say):
    """All of them in turn, again and again: a drift of the machine falls on
    all alike.  {name: {figure: median}}"""
    taken = {c.name: [] for c in contestants}
    for c in contestants:   # workers start, caches fill
        wrk(c.url, connections, 1, c.headers)
    for number in range(count):
        for c in contestants:
            say("%s, %d connections, round %d of %d" % (
                c.name, connections, number + 1, count))
            taken[c.name].append(measure(c, connections, seconds))
    return {name: {key: statistics.median(r[key] for r in reports)
                   for key in ("rps", "p50_us", "p99_us", "cpu_us", "refused")}
            for name, reports in taken.items()}


def ratio_of_rounds(a, b):
    """The median of the ratios pair by pair."""
    return statistics.median(x / y for x, y in zip(a, b))
