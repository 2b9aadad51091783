#!/usr/bin/python3
"""All end-to-end tests, or those whose part is named by a filter:

	run.py [-j N] [FILTER...]

A filter is a piece of a part's name (--list shows them).  With -j N, N parts
run at a time, each in a process of its own; those that measure time come last
and alone.  The programs are taken from $BUILD, else from build/.  KEEP=1
leaves the temporary directories, SCREENSHOTS=DIR takes pictures of the pages."""

import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# The imports need the path above.
import accounts  # noqa: E402
import adopt  # noqa: E402
import away  # noqa: E402
import bare  # noqa: E402
import browser  # noqa: E402
import cli  # noqa: E402
import copies  # noqa: E402
import crash  # noqa: E402
import desk  # noqa: E402
import doctor  # noqa: E402
import enrol  # noqa: E402
import fail2ban  # noqa: E402
import fence  # noqa: E402
import guesses  # noqa: E402
import hosting  # noqa: E402
import hosting_files  # noqa: E402
import hosting_guide  # noqa: E402
import hosts  # noqa: E402
import inputs  # noqa: E402
import instructions  # noqa: E402
import kept  # noqa: E402
import manual  # noqa: E402
import odd  # noqa: E402
import pages  # noqa: E402
import passwords  # noqa: E402
import paths  # noqa: E402
import readme  # noqa: E402
import postgres  # noqa: E402
import records  # noqa: E402
import scale  # noqa: E402
import servers  # noqa: E402
import soak  # noqa: E402
import start  # noqa: E402
import tabs  # noqa: E402
import times  # noqa: E402
import textmode  # noqa: E402
import timing  # noqa: E402
import trouble  # noqa: E402
from flows import Flow  # noqa: E402
from harness import Report, Secrets, build_dir, eq, true  # noqa: E402
from identity import Identity  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def server_part(kind):
    def run(secrets, report):
        stand = kind(secrets, backends=kind is not servers.NginxKeep)
        try:
            Flow(stand, report).run()
            Identity(stand, report).run()
            inputs.Inputs(stand, report).run()
            inputs.raw_requests(stand, report)
            if stand.full:
                paths.Paths(stand, report).run()
            if kind in (servers.ApacheCgid, servers.LighttpdCgi):
                inputs.argv_attack(stand, report)
        finally:
            problems = stand.close()
        with report.case(stand.name + ": headers and cookies of every answer",
                         "DK-H-01 DK-H-03 DK-H-04 DK-H-05 DK-H-06 DK-H-07 "
                         "DK-H-09 DK-H-10 DK-H-11 DK-C-05 DK-C-14 DK-S-05"):
            true(stand.check.seen > 50, "answers: %d" % stand.check.seen)
            eq(stand.check.wrong[:10], [], "wrong")
        with report.case(stand.name + ": no secret is left in any file",
                         "DK-E-05 DK-P-11 DK-S-03"):
            eq(problems, [], "problems")
    return run


def parts():
    table = [(kind.name, server_part(kind)) for kind in servers.ALL]
    table += [("cli", cli.run), ("enrol", enrol.run),
              ("fail2ban", fail2ban.run), ("doctor", doctor.run),
              ("bare", bare.run), ("trouble", trouble.run),
              ("fence", fence.run), ("start", start.run),
              ("adopt", adopt.run), ("readme", readme.run),
              ("kept", kept.run), ("away", away.run), ("tabs", tabs.run),
              ("hosts", hosts.run), ("times", times.run),
              ("browser", browser.run), ("desk", desk.run),
              ("pages", pages.run), ("text-mode", textmode.run), ("desk-scale", scale.run),
              ("manual", manual.run),
              ("records", records.run), ("accounts", accounts.run),
              ("accounts-passwords", passwords.run),
              ("accounts-guesses", guesses.run), ("hosting", hosting.run),
              ("hosting-files", hosting_files.run),
              ("hosting-guide", hosting_guide.run), ("timing", timing.run),
              ("instructions", instructions.run), ("postgres", postgres.run),
              ("copy", copies.run), ("soak", soak.run),
              ("crash", crash.run), ("odd", odd.run)]
    return table


# Longer than any part takes; a part that hangs is ended and has failed.
PART_S = 900
# What these find depends on what else the machine does.
ALONE = ("desk-scale", "timing")


def run_here(chosen):
    # What a shell starts in the background ignores SIGINT, and so would all
    # that is started here; a handler is no such inheritance.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    report = Report()
    for name, run in chosen:
        with report.case(name + " ran to its end") as case:
            run(Secrets(), report)
            case.quiet = True
    return report


def run_apart(name):
    """A part in a process of its own: its lines, and the seconds it took."""
    begun = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), "--part", name],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        text, _ = child.communicate(timeout=PART_S)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)    # it stops what it has started
        try:
            text, _ = child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            text, _ = child.communicate()
    return text.rstrip("\n").split("\n"), time.monotonic() - begun


TOTALS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped$")


def take_over(report, name, lines, seconds):
    """Print what a part said, its cases numbered on from those before."""
    totals = TOTALS.match(lines[-1])
    number = report.passed + report.failed + report.skipped
    for line in lines[:-1] if totals else lines:
        case = re.match(r"(ok|not ok) \d+ - (.*)", line)
        if case:
            line = "%s %d - %s" % (case[1], number, case[2])
            number += 1
        print(line)
    if totals:
        report.passed += int(totals[1])
        report.failed += int(totals[2])
        report.skipped += int(totals[3])
    else:
        report.fail(name + " ran to its end", "it ended without its totals")
    print("# %s: %.0f s" % (name, seconds), flush=True)


def run_crew(chosen, jobs):
    report = Report()
    for workers, names in (
            (jobs, [n for n, _ in chosen if n not in ALONE]),
            (1, [n for n, _ in chosen if n in ALONE])):
        with concurrent.futures.ThreadPoolExecutor(workers) as crew:
            waiting = {crew.submit(run_apart, n): n for n in names}
            for done in concurrent.futures.as_completed(waiting):
                take_over(report, waiting[done], *done.result())
    return report


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-j", type=int, default=1, dest="jobs")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--part", help="one part, by its whole name")
    parser.add_argument("filter", nargs="*")
    given = parser.parse_args()
    if given.list:
        print("\n".join(name for name, _ in parts()))
        return 0
    chosen = [(name, run) for name, run in parts() if (
        name == given.part if given.part else
        not given.filter or any(f in name for f in given.filter))]
    if not chosen:
        sys.exit("run.py: no part is called that; --list shows them")
    if not os.path.exists(os.path.join(build_dir(), "doorkeep.fcgi")):
        sys.exit("run.py: no doorkeep.fcgi in %s; set BUILD" % build_dir())
    report = run_here(chosen) if given.jobs < 2 else \
        run_crew(chosen, given.jobs)
    print("%d passed, %d failed, %d skipped" % (
        report.passed, report.failed, report.skipped))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
