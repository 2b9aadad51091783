#!/usr/bin/python3
"""Mixed traffic through nginx for a long time: people who sign in, read and
sign out, somebody who guesses, an administrator who revokes and purges, HUPs
and a restart.  Every answer has to be the right one; memory, descriptors and
latency have to stay as they are.

	soak.py SECONDS FOLDER

writes soak.csv, latency.csv, soak.svg and soak.txt there."""

import csv
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import soak_plot  # noqa: E402
from harness import (LONG, PASSWORD, Report, Secrets, children_of,  # noqa: E402
                     eq, true)
from servers import Nginx  # noqa: E402

PEOPLE = 3
PAGES = 36                  # that one person reads before signing out
# The configuration read again at a HUP takes some at the first ones.
GROWTH_KB, GROWTH_FILES = 1024, 1
# Seconds tell little where other tests run beside this one.
SLOWER, SLOWER_MS = 2.0, 15.0 if LONG else 500.0

# A library that is loaded first and loses something at each connection.
PLANT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int accept4(int s, struct sockaddr *a, socklen_t *n, int flags)
{
	static int (*real)(int, struct sockaddr *, socklen_t *, int);
	static char *lost;
	const char *what = getenv("PLANT");
	int fd;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "accept4");
	fd = real(s, a, n, flags);
	if (fd >= 0 && what != NULL && strcmp(what, "memory") == 0) {
		lost = malloc(24 * 1024);
		if (lost != NULL)
			memset(lost, 1, 24 * 1024);
	}
	if (fd >= 0 && what != NULL && strcmp(what, "files") == 0)
		(void)dup(s);
	return fd;
}
"""


class Sample:
    def __init__(self, at, pid, role, age, anon_kb, files):
        self.at, self.pid, self.role, self.age = at, pid, role, age
        self.anon_kb, self.files = anon_kb, files


def look_at(pid):
    """(anonymous memory in kB, open files); None: it has gone."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            kb = [line.split()[1] for line in f if line.startswith("RssAnon")]
        try:
            files = len(os.listdir("/proc/%d/fd" % pid))
        except PermissionError:  # a worker lets root alone look into it
            files = 0
        return (int(kb[0]), files) if kb else None
    except OSError:
        return None


class Soak:
    def __init__(self, stand, seconds):
        self.stand, self.seconds = stand, seconds
        self.begun = time.monotonic()
        self.samples, self.answers, self.wrong = [], [], []
        self.events, self.first_seen = [], {}
        self.open = threading.Event()   # closed while doorkeep restarts
        self.open.set()
        self.busy, self.lock = 0, threading.Lock()

    @property
    def now(self):
        return time.monotonic() - self.begun

    @property
    def over(self):
        return self.now >= self.seconds

    # ---- traffic ----
    def ask(self, kind, wanted, how):
        """One request; its answer has to be one of the wanted."""
        self.open.wait()
        with self.lock:
            self.busy += 1
        begun = time.monotonic()
        try:
            answer = how()
            if answer.status not in wanted:
                self.wrong.append((self.now, kind, answer.status))
        except OSError as e:
            answer = None
            self.wrong.append((self.now, kind, type(e).__name__))
        finally:
            with self.lock:
                self.busy -= 1
        self.answers.append((self.now, kind,
                             1000 * (time.monotonic() - begun)))
        return answer

    def sign_in(self, name):
        browser = self.stand.browser()
        browser.check = None
        answer = self.ask("sign-in", (200,), lambda: browser.post_json(
            self.stand.url("/login"),
            {"username": name, "password": PASSWORD}))
        good = answer is not None and answer.status == 200
        return browser, answer.json if good else None

    def person(self, name):
        rng = random.Random(name)
        while not self.over:
            browser, session = self.sign_in(name)
            if session is None:
                time.sleep(1)
                continue
            for _ in range(PAGES):
                self.ask("gate", (200,), lambda: browser.get("/private/"))
                time.sleep(rng.uniform(0.05, 0.2))
                if self.over:
                    return
            self.ask("account", (200,), lambda: browser.get(
                self.stand.url("/account")))
            self.ask("sign-out", (204,), lambda: browser.post_json(
                self.stand.url("/logout"),
                {"csrf_token": session["csrf_token"]}))
            self.ask("refused", (401,), lambda: browser.get("/private/"))

    def guesser(self):
        """Not more than the throttle lets one source try in an hour."""
        while not self.over:
            browser = self.stand.browser()
            browser.check = None
            self.ask("guess", (401, 429), lambda: browser.post_json(
                self.stand.url("/login"),
                {"username": "victim", "password": "guess %f" % self.now}))
            self.ask("refused", (401,), lambda: browser.get("/private/"))
            for _ in range(30):
                if self.over:
                    return
                time.sleep(1)

    # ---- the administrator ----
    def revoke(self):
        browser, session = self.sign_in("guest")
        if session is None:
            return
        self.ask("gate", (200,), lambda: browser.get("/private/"))
        self.stand.admin("session", "revoke", session["session"]["id"])
        self.ask("refused", (401,), lambda: browser.get("/private/"))

    def purge(self):
        self.stand.admin("session", "purge")
        self.stand.admin("db", "check")

    def hup(self):
        self.stand.serve.send_signal(1)

    def nginx_hup(self):
        self.stand.server.send_signal(1)

    def restart(self):
        self.open.clear()
        while self.busy:
            time.sleep(0.01)
        self.stand.stop_serve()
        self.stand.start_serve()
        self.open.set()

    def plan(self):
        """(seconds, what): busy in the first half; the second is left to
        the same processes, for what leaks to show."""
        at = [(self.seconds * 0.04 * n, "hup") for n in range(1, 9)]
        at += [(self.seconds * 0.34, "nginx_hup"),
               (self.seconds * 0.375, "restart")]
        step = min(30, self.seconds / 8)
        at += [(n * step, "revoke" if n % 4 else "purge")
               for n in range(1, int(self.seconds / step))]
        return sorted(at)

    def administrator(self):
        for at, what in self.plan():
            while self.now < at and not self.over:
                time.sleep(0.1)
            try:
                getattr(self, what)()
            except AssertionError as e:
                self.wrong.append((self.now, what, str(e)))
            if "hup" in what or what == "restart":
                self.events.append((self.now, what))

    # ---- measuring ----
    def sample(self):
        serve = self.stand.serve
        if serve is None or serve.poll() is not None:
            return
        for pid in [serve.pid] + children_of(serve.pid):
            seen = look_at(pid)
            if seen is None:
                continue
            since = self.first_seen.setdefault(pid, self.now)
            self.samples.append(Sample(
                self.now, pid, "serve" if pid == serve.pid else "worker",
                self.now - since, *seen))

    def run(self):
        threads = [threading.Thread(target=self.person,
                                    args=("person%d" % n,))
                   for n in range(PEOPLE)]
        threads += [threading.Thread(target=self.guesser),
                    threading.Thread(target=self.administrator)]
        for thread in threads:
            thread.start()
        step = min(5, max(0.25, self.seconds / 300))
        while not self.over:
            self.sample()
            time.sleep(step)
        for thread in threads:
            thread.join(60)
        return self

    # ---- judging ----
    def lives(self):
        """The processes that lived long enough to tell, by their pid."""
        by_pid = {}
        for sample in self.samples:
            by_pid.setdefault(sample.pid, []).append(sample)
        return {pid: s for pid, s in by_pid.items()
                if len(s) >= 12 and s[-1].age >= self.seconds / 4}

    def growth(self):
        """(pid, role, kB more, files more) between the second quarter of a
        life and its last: the first is spent on warming up."""
        for pid, life in self.lives().items():
            quarter = len(life) // 4
            early, late = life[quarter:2 * quarter], life[-quarter:]
            yield (pid, life[0].role,
                   statistics.median(s.anon_kb for s in late) -
                   statistics.median(s.anon_kb for s in early),
                   statistics.median(s.files for s in late) -
                   statistics.median(s.files for s in early))

    def latencies(self, kind):
        """(seconds, p50, p95, p99) of each of 60 windows."""
        width, table = self.seconds / 60, {}
        for at, its, ms in self.answers:
            if its == kind:
                table.setdefault(int(at / width), []).append(ms)
        return [(width * (n + 0.5), *percentiles(table[n]))
                for n in sorted(table) if len(table[n]) >= 4]

    def slower(self, kind):
        """95 % of the first third and of the last, in ms."""
        rows = self.latencies(kind)
        third = max(1, len(rows) // 3)
        return (statistics.median(r[2] for r in rows[:third]),
                statistics.median(r[2] for r in rows[-third:]))

    def complaints(self):
        found = ["at %.0f s: %s was answered %s" % w for w in self.wrong[:10]]
        lives = self.lives()
        if len([s for s in lives.values() if s[0].role == "worker"]) < 2:
            found.append("no two workers lived long enough to be judged")
        for pid, role, kb, files in self.growth():
            if kb > GROWTH_KB:
                found.append("%s %d grew by %d kB" % (role, pid, kb))
            if files > GROWTH_FILES:
                found.append("%s %d has %d files more" % (role, pid, files))
        early, late = self.slower("gate")
        if late > SLOWER * early + SLOWER_MS:
            found.append("the gate's p95 went from %.1f to %.1f ms" % (
                early, late))
        return found

    def counts(self):
        kinds = sorted({kind for _, kind, _ in self.answers})
        return {kind: len([1 for _, k, _ in self.answers if k == kind])
                for kind in kinds}


def percentiles(values):
    ordered = sorted(values)
    return tuple(ordered[min(len(ordered) - 1, int(len(ordered) * p))]
                 for p in (0.5, 0.95, 0.99))


def summary(soak):
    lines = ["%d s, %d requests, %d wrong answers" % (
        soak.seconds, len(soak.answers), len(soak.wrong))]
    for kind, count in soak.counts().items():
        lines.append("%-9s %7d   p50 %6.1f ms   p95 %6.1f ms   p99 %6.1f ms" %
                     (kind, count, *percentiles(
                         [ms for _, k, ms in soak.answers if k == kind])))
    lines.append("gate, p95 of the first third and the last: %.1f, %.1f ms" %
                 soak.slower("gate"))
    for pid, role, kb, files in soak.growth():
        life = soak.lives()[pid]
        lines.append("%s: lived %.0f s, %d kB at the end, %+d kB, %+d files" %
                     (role, life[-1].age, life[-1].anon_kb, kb, files))
    return "\n".join(lines) + "\n"


def save(soak, folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "soak.csv"), "w", newline="",
              encoding="ascii") as f:
        rows = csv.writer(f)
        rows.writerow(("seconds", "pid", "role", "anon_kb", "files"))
        rows.writerows(("%.1f" % s.at, s.pid, s.role, s.anon_kb, s.files)
                       for s in soak.samples)
    with open(os.path.join(folder, "latency.csv"), "w", newline="",
              encoding="ascii") as f:
        rows = csv.writer(f)
        rows.writerow(("kind", "seconds", "p50_ms", "p95_ms", "p99_ms"))
        for kind in soak.counts():
            rows.writerows((kind, *("%.1f" % n for n in row))
                           for row in soak.latencies(kind))
    with open(os.path.join(folder, "soak.txt"), "w", encoding="ascii") as f:
        f.write(summary(soak))
    with open(os.path.join(folder, "soak.svg"), "w", encoding="ascii") as f:
        f.write(soak_plot.draw(soak))


def soak(secrets, seconds, environment=None):
    """Run it; the Soak, and what was left behind."""
    stand = Nginx(secrets, environment=environment or {})
    try:
        if environment:
            build_plant(stand, environment)
        for name in ["person%d" % n for n in range(PEOPLE)] + [
                "guest", "victim"]:
            stand.add_user(name)
        stand.start()
        done = Soak(stand, seconds).run()
    finally:
        problems = stand.close()
    return done, problems


def build_plant(stand, environment):
    source = stand.box.write("tmp/plant.c", PLANT)
    library = stand.box.path("tmp", "plant.so")
    subprocess.run([shutil.which("cc") or "gcc", "-shared", "-fPIC", "-o",
                    library, source, "-ldl"], check=True)
    environment["LD_PRELOAD"] = library


def run(secrets, report, seconds=3600 if LONG else 12):
    with report.case("soak, %d s: every answer is right, memory, descriptors "
                     "and latency stay" % seconds, "DK-F-12 DK-F-10 DK-S-11"):
        done, problems = soak(secrets, seconds)
        if os.environ.get("WORK"):
            save(done, os.environ["WORK"])
        print("# " + summary(done).replace("\n", "\n# ").rstrip("# \n"))
        eq(done.complaints(), [], "complaints")
        true(len(done.answers) > 10 * seconds, "requests")
        eq(problems, [], "left behind")
    if not LONG:
        return
    for what, word in (("memory", "grew by"), ("files", "files more")):
        with report.case("soak: what loses %s is noticed" % what, ""):
            done, _ = soak(secrets, 60, {"PLANT": what})
            true([c for c in done.complaints() if word in c],
                 "no complaint; %s" % summary(done))


if __name__ == "__main__":
    os.environ["WORK"] = sys.argv[2]
    REPORT = Report()
    run(Secrets(), REPORT, int(sys.argv[1]))
    print("%d passed, %d failed" % (REPORT.passed, REPORT.failed))
    sys.exit(1 if REPORT.failed else 0)
