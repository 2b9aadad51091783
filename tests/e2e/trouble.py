"""When the store is away, locked, read-only or full, when workers are killed
and everybody comes at once: never "allowed", never lost, never for long."""

import os
import re
import signal
import subprocess
import threading
import time

from harness import (PASSWORD, Skip, children_of, eq, have, one_of, true,
                     wait_for)
from servers import LighttpdCgi, LighttpdExternal

BOUND = 20  # seconds that a sign-in may take to say 503 (INTERFACE 9)


class Trouble:
    """One stand with a gate; its store is put through everything."""

    def __init__(self, secrets, report, kind=LighttpdExternal):
        self.stand, self.report = kind(secrets), report

    def case(self, name, ids=""):
        return self.report.case("trouble, %s: %s" % (self.stand.name, name),
                                ids, self.stand.box)

    def run(self):
        stand = self.stand
        stand.add_user("alice")
        stand.start()
        self.me = stand.signed_in()
        try:
            self.missing()
            self.unreadable()
            self.read_only()
            self.garbage()
            self.locked()
            self.full()
        finally:
            problems = stand.close()
        with self.case("nothing is left behind", "DK-E-05 DK-P-11"):
            eq(problems, [], "problems")

    # ---- helpers ----
    def timed(self, ask):
        start = time.monotonic()
        answer = ask()
        took = time.monotonic() - start
        true(took < BOUND + 1, "%r took %.1f s" % (answer, took))
        return answer

    def unavailable(self, also_gate=True):
        """Nobody is let in; the answer is 503 and says when to come back."""
        stand, post = self.stand, {"username": "alice", "password": PASSWORD}
        answer = self.timed(lambda: stand.browser().post_json(
            stand.url("/login"), post))
        eq((answer.status, answer.json["error"]), (503, "unavailable"),
           "sign-in")
        true(answer.header("Retry-After"), "Retry-After")
        eq(answer.all("Set-Cookie"), [], "no cookie")
        if not also_gate:
            return
        for browser in (self.me, stand.browser()):
            if stand.gate:
                answer = self.timed(lambda b=browser: b.get("/private/"))
                true("private page" not in answer.text, "the page is open")
                one_of(answer.status, (503, 401) if browser is not self.me
                       else (503,), "status of the gate")
            answer = self.timed(lambda b=browser: b.fetch(
                stand.url("/session")))
            one_of(answer.status, (503, 401) if browser is not self.me
                   else (503,), "status of /session")
            eq(answer.all("Set-Cookie"), [], "the cookie is left alone")
        answer = self.timed(lambda: stand.browser().fetch(
            stand.url("/health")))
        eq(answer.status, 503, "/health")

    def recovered(self):
        """As soon as the store is back, without a restart."""
        stand = self.stand
        wait_for(lambda: stand.is_signed_in(self.me), 5,
                 "the old session is good again")
        # Another worker may have looked a moment before: it looks again
        # within a second.
        wait_for(lambda: stand.browser().post_json(stand.url("/login"), {
            "username": "alice", "password": PASSWORD}).status == 200, 5,
            "sign-in works again")

    def restart_workers(self):
        """New ones, so that they open what is there now."""
        if self.stand.workers:
            self.stand.restart()

    # ---- cases ----
    def missing(self):
        stand, var = self.stand, self.stand.box.path("var")
        with self.case("the database is gone under running workers",
                       "DK-A-04"):
            os.rename(var, var + ".away")
            try:
                self.unavailable()
            finally:
                os.rename(var + ".away", var)
            self.recovered()
        with self.case("the database is gone at the start", "DK-A-04"):
            os.rename(var, var + ".away")
            try:
                self.restart_workers()
                self.unavailable()
            finally:
                if os.path.isdir(var):
                    subprocess.run(["rm", "-r", var], check=True)
                os.rename(var + ".away", var)
            self.recovered()
        true(os.path.exists(stand.database), "it is back")

    def unreadable(self):
        stand = self.stand
        with self.case("the database cannot be read", "DK-A-04"):
            os.chmod(stand.database, 0)
            try:
                self.restart_workers()
                self.unavailable()
            finally:
                os.chmod(stand.database, 0o600)
            self.recovered()

    def read_only(self):
        stand = self.stand
        with self.case("the database is read-only", "DK-A-04"):
            if self.stand.workers:
                self.stand.stop()
            os.chmod(stand.database, 0o400)
            os.chmod(stand.box.path("var"), 0o500)
            try:
                if self.stand.workers:
                    self.stand.start()
                self.unavailable(also_gate=False)
                if stand.gate:
                    answer = stand.browser().get("/private/")
                    true("private page" not in answer.text, "never open")
            finally:
                os.chmod(stand.box.path("var"), 0o755)
                os.chmod(stand.database, 0o600)
            self.recovered()

    def garbage(self):
        stand = self.stand
        with self.case("the database is not one", "DK-A-04"):
            names = [stand.database + suffix for suffix in
                     ("", "-wal", "-shm")]
            for name in names:
                if os.path.exists(name):
                    os.rename(name, name + ".away")
            stand.box.write("var/dk.db", "no database at all\n" * 1000, 0o600)
            try:
                self.restart_workers()
                self.unavailable()
            finally:
                for name in names:
                    if os.path.exists(name + ".away"):
                        os.rename(name + ".away", name)
            self.recovered()

    def locked(self):
        stand = self.stand
        with self.case("another process holds the write lock",
                       "DK-A-04 DK-Z-05"):
            holder = subprocess.Popen(
                [have("sqlite3"), stand.database], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True)
            try:
                holder.stdin.write("BEGIN EXCLUSIVE; SELECT 'held';\n")
                holder.stdin.flush()
                eq(holder.stdout.readline().strip(), "held", "lock")
                self.unavailable(also_gate=False)
                answer = self.timed(lambda: stand.browser().fetch(
                    stand.url("/session")))
                one_of(answer.status, (401, 503), "a stranger")
                answer = self.timed(lambda: self.me.fetch(
                    stand.url("/session")))
                one_of(answer.status, (200, 503), "reading goes on")
            finally:
                holder.stdin.write("ROLLBACK;\n.quit\n")
                holder.communicate(timeout=10)
            self.recovered()

    def full(self):
        stand = self.stand
        with self.case("the disk is full", "DK-A-04"):
            if os.getuid() != 0:
                raise Skip("needs root, to mount a small tmpfs")
            self.full_disk(stand.box.path("var"))

    def full_disk(self, var):
        stand = self.stand
        stand.stop()
        os.rename(var, var + ".disk")
        os.mkdir(var)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1200k,mode=0777", "tmpfs",
             var], capture_output=True, check=False)
        try:
            if mounted.returncode != 0:
                raise Skip("this machine lets nobody mount a tmpfs")
            for name in os.listdir(var + ".disk"):
                stand.box.run(["cp", "-p", os.path.join(var + ".disk", name),
                               var])
            stand.start()
            self.recovered()
            filler = os.path.join(var, "filler")
            with open(filler, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError:
                    pass
            self.fill_the_log()
            true(not stand.gate or
                 stand.browser().get("/private/").status != 200, "never open")
            os.unlink(filler)
            self.recovered()
            eq(stand.sql("PRAGMA integrity_check"), "ok", "integrity")
        finally:
            stand.stop()
            if mounted.returncode == 0:
                subprocess.run(["umount", var], check=True)
            os.rmdir(var)
            os.rename(var + ".disk", var)
            stand.start()

    def fill_the_log(self):
        """The WAL has some room of its own; then it is 503."""
        for _ in range(200):
            answer = self.timed(lambda: self.stand.browser().post_json(
                self.stand.url("/login"),
                {"username": "alice", "password": PASSWORD}))
            one_of(answer.status, (200, 503), "sign-in")
            if answer.status == 503:
                return
        raise AssertionError("200 sign-ins on a full disk, and no 503")


# ---- many at once ------------------------------------------------------------------

class Load:
    """Threads that sign in, ask, and sign out until they are told to stop."""

    def __init__(self, stand, threads):
        self.stand, self.stopping, self.results = stand, False, []
        self.threads = [threading.Thread(target=self._work)
                        for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _work(self):
        stand = self.stand
        while not self.stopping:
            browser = stand.browser()
            browser.check = None
            token = self._note("sign-in", lambda b=browser: b.post_json(
                stand.url("/login"),
                {"username": "alice", "password": PASSWORD}))
            for _ in range(3):
                self._note("page", lambda b=browser: b.get("/private/"))
            self._note("sign-out", lambda b=browser: b.post_json(
                stand.url("/logout"), {"csrf_token": token}))

    def _note(self, what, ask):
        try:
            answer = ask()
            self.results.append((what, answer.status))
            if what == "sign-in" and answer.status == 200:
                return answer.json["csrf_token"]
        except OSError as e:
            self.results.append((what, type(e).__name__))
        return ""

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(60)
        return self.results


def many(secrets, report):
    """A stand with many workers: kills, reloads, and 16 at once."""
    stand = LighttpdExternal(secrets, workers=4, extra="""
[security]
max_parallel_hashes = 16
""")
    name = "crowd, %s: " % stand.name
    try:
        stand.add_user("alice")
        stand.start()
        with report.case(name + "a killed worker is replaced within a second",
                         "DK-F-04", stand.box):
            workers = children_of(stand.serve.pid)
            eq(len(workers), 4, "workers")
            os.kill(workers[0], signal.SIGKILL)
            wait_for(lambda: len(set(children_of(stand.serve.pid)) -
                                 {workers[0]}) == 4, 1.5, "four workers")
        with report.case(name + "the socket is for the web server alone",
                         "DK-F-04", stand.box):
            eq(os.stat(stand.socket).st_mode & 0o7777, 0o660, "mode")
        with report.case(name + "SIGHUP loses no request", "DK-F-10",
                         stand.box):
            reload_under_load(stand)
        with report.case(name + "SIGTERM ends it cleanly", "DK-F-10",
                         stand.box):
            stand.serve.send_signal(signal.SIGTERM)
            eq(stand.serve.wait(10), 0, "exit status")
            stand.stop_serve()
    finally:
        problems = stand.close()
    with report.case(name + "nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")


def reload_under_load(stand):
    load = Load(stand, 4)
    try:
        for n in range(5):
            time.sleep(0.4)
            stand.box.write("etc/doorkeep.conf", stand.config().replace(
                "Test site", "Site number %d" % n), 0o640)
            stand.serve.send_signal(signal.SIGHUP)
        wait_for(lambda: "Site number 4" in stand.browser().get(
            stand.url("/login")).text, 5, "the new name on the page")
    finally:
        results = load.stop()
    bad = [r for r in results if r[1] not in (200, 303, 204, 401)]
    eq(bad, [], "requests that failed of %d" % len(results))
    true(len(results) > 50, "there was some load")


def sixteen(secrets, report):
    """16 processes write at once; nobody sees a locked database."""
    stand = LighttpdExternal(secrets, workers=16)
    name = "crowd, %s: 16 processes sign in at once" % stand.name
    statuses = []
    try:
        stand.add_user("alice")
        stand.start()

        def work():
            for _ in range(6):
                browser = stand.browser()
                browser.timeout, browser.check = 60, None
                answer = browser.post_json(stand.url("/login"), {
                    "username": "alice", "password": PASSWORD})
                statuses.append(answer.status)
        with report.case(name, "DK-Z-05", stand.box):
            threads = [threading.Thread(target=work) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(90)
            eq(len(statuses), 96, "answers")
            eq([s for s in statuses if s != 200], [], "other than 200")
            eq(stand.sql("SELECT count(*) FROM active_sessions"), "96",
               "sessions")
            logs = stand.box.read("log/serve.log")
            true(not re.search("locked|SQLITE_BUSY", logs), "in the log")
    finally:
        problems = stand.close()
    with report.case(name + ": nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")


def run(secrets, report):
    Trouble(secrets, report).run()
    Trouble(secrets, report, LighttpdCgi).run()
    many(secrets, report)
    sixteen(secrets, report)
