"""FastCGI records of every kind, id, length and padding, put in every place of
a request; and requests smuggled in bodies through the kept connections of a
real nginx.  What is tried here succeeds with libfcgi alone, which a small
program shows (unfenced.c); with doorkeep nothing of it does."""

import itertools
import os
import random
import select
import shutil
import socket
import subprocess
import threading
import time

import fastcgi as f
from harness import (HERE, LONG, children_of, eq, one_of, true,
                     wait_for)
from records import Alone, params, sign_in, size_of
from servers import NginxKeep

READ_TIMEOUT = 10           # src/gateway/watchdog.h
SAMPLE = 6000 if LONG else 250

KINDS = (0, *range(1, 13), 99, 255)
IDS = (0, 1, 2, 65535)
LENGTHS = (0, 1, 7, 8, 9, 65535)
PADDINGS = (0, 7, 255)
VERSIONS = (1, 1, 1, 0, 2)
PLACES = ("before", "after begin", "in params", "after params", "in input",
          "after input")


def with_odd(place, odd, p, body, keep):
    """A sign-in as bytes, with something odd in one place."""
    pairs = f.pairs(p)
    half, rest = len(pairs) // 2, len(body) // 2
    parts = [("before", b""),
             ("after begin", f.begin(flags=f.KEEP if keep else 0)),
             ("in params", f.record(f.PARAMS, pairs[:half])),
             ("after params", f.record(f.PARAMS, pairs[half:]) +
              f.record(f.PARAMS)),
             ("in input", f.record(f.STDIN, body[:rest])),
             ("after input", f.record(f.STDIN, body[rest:]) +
              f.record(f.STDIN))]
    return b"".join(part + (odd if name == place else b"")
                    for name, part in parts)


class Watch:
    """Somebody else, who asks all the time: how long at most?"""

    def __init__(self, address, p):
        self.address, self.params, self.worst = address, p, 0.0
        self.bad, self.asked, self.stopping = [], 0, False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.stopping:
            begun = time.monotonic()
            try:
                status = f.ask(self.address, self.params, timeout=60).status
            except OSError as e:
                status = type(e).__name__
            self.worst = max(self.worst, time.monotonic() - begun)
            self.asked += 1
            if status != 200:
                self.bad.append(status)
            time.sleep(0.05)

    def stop(self):
        self.stopping = True
        self.thread.join(70)


class Odd:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids):
        return self.report.case("odd: " + name, ids, self.stand.box)

    def sessions(self):
        return int(self.stand.sql("SELECT count(*) FROM sessions"))

    def everywhere(self):
        with self.case("%d records of every kind, in every place: nobody else "
                       "waits, nothing is done unsaid, nothing grows" %
                       SAMPLE, "DK-F-01 DK-F-07 DK-F-09 DK-F-12"):
            rng = random.Random(11)
            table = list(itertools.product(PLACES, KINDS, IDS, LENGTHS,
                                           PADDINGS, VERSIONS, (0, 1, 2)))
            rows = rng.sample(table, SAMPLE)
            p, body = sign_in(self.stand)
            for row in rows[:40]:
                self.one(row, p, body, rng)
            worker = children_of(self.stand.serve.pid)[0]
            before, sessions = size_of(worker), self.sessions()
            watch = Watch(self.stand.socket,
                          params(self.stand, route="/health"))
            try:
                answered = sum(self.one(row, p, body, rng) for row in rows)
            finally:
                watch.stop()
            print("# answered 200: %d of %d; others asked %d times, waited "
                  "%.2f s at most" % (answered, len(rows), watch.asked,
                                      watch.worst))
            eq(self.sessions() - sessions, answered, "sessions made")
            eq(watch.bad, [], "answers to others")
            true(watch.asked > 20 and watch.worst < READ_TIMEOUT + 2,
                 "others waited %.1f s" % watch.worst)
            after = size_of(worker)
            true(after[0] < before[0] + 2048, "kB: %r, %r" % (before, after))
            true(after[1] <= before[1], "files: %r, %r" % (before, after))
            eq(children_of(self.stand.serve.pid), [worker], "the worker")

    def one(self, row, p, body, rng):
        """How many sign-ins were acknowledged: 0 or 1."""
        place, kind, rid, length, padding, version, way = row
        odd = f.record(kind, rng.randbytes(length), rid, version, padding)
        whole = with_odd(place, odd, p, body, way == 1)
        with f.Connection(self.stand.socket, READ_TIMEOUT + 5) as c:
            c.send(whole)
            if way != 1:
                try:
                    c.sock.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            elif not select.select([c.sock], [], [], 0.3)[0]:
                # It waits for more from a peer that keeps the connection
                # and says nothing.  We go.
                c.sock.shutdown(socket.SHUT_WR)
            answer = c.answer()
            one_of(answer.status, (0, 200, 400, 401, 403, 404, 405, 413, 415,
                                   429, 431, 503), "%r" % (row,))
            true(not answer.out or answer.out.startswith(b"Status: "),
                 "%r: %r" % (row, answer.out[:30]))
            return int(answer.status == 200)

    def half_said(self):
        """Peers that stop in the middle and stay: one after the other holds
        the one worker, each for the read timeout at most."""
        with self.case("somebody who stops half-way keeps others waiting for "
                       "the read timeout at most", "DK-F-09 DK-I-18"):
            p, body = sign_in(self.stand)
            whole = f.request(p, body)
            for n in (len(whole) - 20,) if not LONG else \
                    (4, 12, 40, 200, len(whole) - 20, len(whole) - 4):
                with f.Connection(self.stand.socket) as c:
                    c.send(whole[:n])
                    time.sleep(0.1)
                    begun = time.monotonic()
                    eq(f.ask(self.stand.socket, params(
                        self.stand, route="/health"), timeout=60).status,
                        200, "the next one")
                    took = time.monotonic() - begun
                    true(took < READ_TIMEOUT + 2, "%d bytes: %.1f s" % (
                        n, took))

    def run(self):
        self.everywhere()
        self.half_said()


# ---- smuggled ------------------------------------------------------------------------

# A record of another request: it is passed over without a word.
STEP = f.record(f.STDIN, bytes(8), rid=9)


def smuggled(inner, shift, size=14 * 1024):
    """A body full of places to begin at, one of which libfcgi meets if it
    goes on reading where the last request was not read to its end."""
    steps = (size - len(inner) - 64) // len(STEP)
    return b"x" * shift + STEP * steps + inner + STEP * 4


class Victim:
    """Asks who it is, over and over: always itself."""

    def __init__(self, stand, name):
        self.stand, self.name, self.stopping = stand, name, False
        self.asked, self.wrong = 0, []
        self.browser = stand.signed_in(name)
        self.browser.check = None
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.stopping:
            try:
                answer = self.browser.fetch(self.stand.url("/session"))
                if answer.status != 200 or \
                        answer.json["user"]["name"] != self.name:
                    self.wrong.append("%d %s" % (answer.status,
                                                 answer.text[:80]))
            except (OSError, ValueError) as e:
                self.wrong.append(repr(e))
            self.asked += 1

    def stop(self):
        self.stopping = True
        self.thread.join(60)


def attack(stand, inner, routes, shifts=range(len(STEP))):
    """Bodies by POST and GET, with a length and chunked; the statuses."""
    statuses = []
    for shift in shifts:
        body = smuggled(inner, shift)
        for method, route, chunked in itertools.product(
                ("POST", "GET"), routes, (False, True)):
            browser = stand.browser()
            browser.check = None
            try:
                statuses.append(browser.request(
                    method, route, {"Content-Type": "text/plain"}, body,
                    chunked).status)
            except OSError as e:
                statuses.append(type(e).__name__)
    return statuses


def kept_connections(secrets, report):
    stand = NginxKeep(secrets, workers=1)
    victims = []
    try:
        for name in ("alice", "bob"):
            stand.add_user(name)
        stand.start()
        with report.case("odd, %s: requests in bodies run as none, and nobody "
                         "gets another's answer" % stand.name,
                         "DK-F-02 DK-F-06", stand.box):
            p, body = sign_in(stand)
            victims = [Victim(stand, name) for name in ("alice", "bob")]
            before = stand.sql("SELECT count(*) FROM sessions")
            statuses = attack(stand, f.request(p, body, keep=True), [
                stand.url("/nothing"), stand.url("/login"), "/private/",
                stand.url("/session")])
            for victim in victims:
                victim.stop()
            print("# %d bodies, answered %s; victims asked %d times" % (
                len(statuses), sorted(set(map(str, statuses))),
                sum(v.asked for v in victims)))
            eq(stand.sql("SELECT count(*) FROM sessions"), before,
               "sessions")
            eq([v.wrong[:3] for v in victims], [[], []], "victims' answers")
            true(all(v.asked > 20 for v in victims), "victims asked")
            true(200 not in statuses[:4], "an answer to it: %r" % statuses)
    finally:
        for victim in victims:
            victim.stop()
        problems = stand.close()
    with report.case("odd, nginx: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")


# ---- libfcgi alone ---------------------------------------------------------------------

class Unfenced:
    """unfenced.c, on a socket; what it has run stands in its log."""

    def __init__(self, stand):
        self.box, self.log = stand.box, "unfenced.log"
        self.program = stand.box.path("bin", "unfenced")
        subprocess.run([shutil.which("cc") or "gcc", "-o", self.program,
                        os.path.join(HERE, "unfenced.c"), "-lfcgi"],
                       check=True)

    def start(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            if os.path.exists(path):
                os.unlink(path)
            s.bind(path)
            s.listen(16)
            os.chmod(path, 0o666)
            self.process = self.box.start_on_fd([self.program], self.log, s)

    def stop(self):
        self.box.stop(self.process, 9)

    def ran(self, what):
        return ("RAN %s\n" % what) in self.box.read("log/" + self.log)


def alone(stand, report):
    """libfcgi as its manual shows it, at the same attempts."""
    program = Unfenced(stand)
    address = stand.box.path("run", "unfenced.sock")
    with report.case("odd: libfcgi alone runs a request that was cut off",
                     "", stand.box):
        program.start(address)
        p = dict(params(stand), REQUEST_URI="/cut", HTTP_COOKIE="a" * 100)
        with f.Connection(address, 3) as c:
            c.send(f.begin() + f.record(f.PARAMS, f.pairs(p)))
            c.sock.shutdown(socket.SHUT_WR)
            answer = c.answer()
        wait_for(lambda: program.ran("/cut"), 3, "it ran")
        eq(answer.status, 200, "and was answered")
    with report.case("odd: libfcgi alone lets one peer that stops half-way "
                     "stop everybody", "", stand.box):
        with f.Connection(address) as half:
            half.send(f.begin())
            time.sleep(0.2)
            try:
                f.ask(address, params(stand),
                      timeout=READ_TIMEOUT + 2 if LONG else 4)
                true(False, "it was served")
            except socket.timeout:
                pass
        program.stop()
    with report.case("odd: libfcgi alone runs a request out of a body that "
                     "nobody read, behind nginx", "", stand.box):
        stand.stop_serve()
        program.start(stand.socket)
        inner = f.request(dict(params(stand), REQUEST_URI="/smuggled"),
                          keep=True)
        attack(stand, inner, [stand.url("/nothing")])
        wait_for(lambda: program.ran("/smuggled"), 3, "it ran")
        program.stop()


def planted(secrets, report):
    stand = NginxKeep(secrets, workers=1)
    try:
        stand.start()
        alone(stand, report)
    finally:
        stand.close()


def run(secrets, report):
    stand = Alone(secrets)
    try:
        stand.add_user("alice")
        stand.start()
        Odd(stand, report).run()
    finally:
        problems = stand.close()
    with report.case("odd: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")
    kept_connections(secrets, report)
    planted(secrets, report)
