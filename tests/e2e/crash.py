"""Workers, and sometimes the parent, are killed with SIGKILL under a mixed
load.  Each person keeps a book of what was answered: what was acknowledged
holds, and what was not is done whole or not at all (DK-Z-04)."""

import os
import random
import signal
import threading
import time

from harness import (LONG, PASSWORD, children_of, eq, one_of, true, wait_for)
from servers import Nginx

PEOPLE = 4
KILLS = 500 if LONG else 25
PARENT_EVERY = 20           # kills of a worker for one of the parent
MANY = "\n[security]\nmax_parallel_hashes = 16\n"


class Session:
    """state: in, out, or unsure: to end it was asked for, unanswered."""

    def __init__(self, browser, session_id, token):
        self.browser, self.id, self.token = browser, session_id, token
        self.state = "in"


class Person:
    """One account and its book.  One thread alone uses it."""

    def __init__(self, stand, number):
        self.stand, self.name = stand, "person%d" % number
        self.password, self.before = PASSWORD, None
        self.sessions, self.wrong = [], []
        self.acknowledged = self.unanswered = self.changes = 0
        self.random = random.Random(number)

    # ---- asking ----
    def ask(self, how):
        """An answer, or None: broken off, or 5xx."""
        try:
            answer = how()
        except OSError:
            answer = None
        if answer is None or answer.status >= 500:
            self.unanswered += 1
            time.sleep(0.02)
            return None
        return answer

    def complain(self, what):
        self.wrong.append("%s: %s" % (self.name, what))

    def post(self, browser, route, value):
        return self.ask(lambda: browser.post_json(self.stand.url(route),
                                                  value))

    def try_password(self, password):
        """(status, browser, answer); status 0: no answer."""
        browser = self.stand.browser()
        browser.check, browser.timeout = None, 20
        answer = self.post(browser, "/login", {
            "username": self.name, "password": password})
        return (answer.status if answer else 0), browser, answer

    def settled(self, password):
        """True: it opens, False: it does not; asked until that is known."""
        for _ in range(600):
            status, browser, answer = self.try_password(password)
            if status == 200:
                self.take(browser, answer)
                return True
            if status == 401:
                return False
            time.sleep(0.1)     # no answer, or too many guesses
        raise AssertionError("no answer to a sign-in for a minute")

    def take(self, browser, answer):
        self.acknowledged += 1
        self.sessions.append(Session(browser, answer.json["session"]["id"],
                                     answer.json["csrf_token"]))

    def live(self):
        return [s for s in self.sessions if s.state == "in"]

    # ---- what people do ----
    def come(self):
        status, browser, answer = self.try_password(self.password)
        if status == 200:
            self.take(browser, answer)
        elif status == 401:
            self.complain("the acknowledged password is refused")

    def look(self):
        """Any of the sessions; what was unsure is known afterwards."""
        if not self.sessions:
            return
        session = self.random.choice(self.sessions)
        answer = self.ask(lambda: session.browser.get("/private/"))
        # 303: the gate's part was killed, so nginx showed the page of
        # sign-in, which sends who is signed in back to try again.
        if answer is None or answer.status == 303:
            return
        if session.state == "unsure":
            session.state = "in" if answer.status == 200 else "out"
        wanted = 200 if session.state == "in" else 401
        if answer.status != wanted:
            self.complain("a session that is %s: %d" % (session.state,
                                                        answer.status))

    def leave(self):
        if not self.live():
            return
        session = self.random.choice(self.live())
        # Erasing the cookie is the browser's part, not ours.
        jar = dict(session.browser.jar.cookies)
        answer = self.post(session.browser, "/logout",
                           {"csrf_token": session.token})
        session.browser.jar.cookies = jar
        session.state = "unsure"
        if answer is not None:
            one_of(answer.status, (204,), "sign-out")
            session.state = "out"
            self.acknowledged += 1

    def change(self):
        if not self.live():
            return
        session = self.random.choice(self.live())
        new = "%s, number %d" % (PASSWORD, self.changes + 1)
        old_jar = dict(session.browser.jar.cookies)
        answer = self.post(session.browser, "/account", {
            "csrf_token": session.token, "action": "change_password",
            "current_password": self.password, "new_password": new})
        session.browser.jar.cookies = old_jar
        if answer is not None and answer.status == 429:
            return
        if answer is not None:
            one_of(answer.status, (204,), "change of password")
            self.acknowledged += 1
            self.changed(new)
        else:
            self.find_out(new)

    def changed(self, new):
        self.before, self.password = self.password, new
        self.changes += 1
        for session in self.sessions:
            session.state = "out"

    def find_out(self, new):
        """It was not answered: done with all that belongs to it, or not."""
        known = list(self.sessions)
        new_opens = self.settled(new)
        if self.settled(self.password) == new_opens:
            self.complain("half a change: %s" % (
                "both open" if new_opens else "neither opens"))
        if new_opens:
            fresh = [s for s in self.sessions if s not in known]
            self.changed(new)
            for session in fresh:
                session.state = "in"

    def step(self):
        n = self.random.random()
        if n < 0.25:
            self.come()
        elif n < 0.75:
            self.look()
        elif n < 0.93:
            self.leave()
        else:
            self.change()

    # ---- when all is quiet again ----
    def faults(self):
        """The book against the store, with nobody killing."""
        found = []
        for session in self.sessions:
            answer = session.browser.get("/private/")
            if session.state == "in" and answer.status != 200:
                found.append("%s: an acknowledged sign-in is not there" %
                             self.name)
            if session.state == "out" and answer.status != 401:
                found.append("%s: an acknowledged sign-out is not in force" %
                             self.name)
        for password, opens in ((self.password, True), (self.before, False)):
            if password and self.settled(password) != opens:
                found.append("%s: an acknowledged password is not in force" %
                             self.name)
        return found


class Load:
    def __init__(self, stand):
        self.people = [Person(stand, n) for n in range(PEOPLE)]
        self.stopping, self.crashed = False, []
        self.threads = [threading.Thread(target=self.work, args=(p,))
                        for p in self.people]
        for thread in self.threads:
            thread.start()

    def work(self, person):
        try:
            while not self.stopping:
                person.step()
        except Exception as e:  # noqa: B902 - it fails the case, by name
            self.crashed.append("%s: %r" % (person.name, e))

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(120)

    def acknowledged(self):
        return sum(p.acknowledged for p in self.people)

    def faults(self):
        return [f for p in self.people for f in p.faults()]


class Killer:
    """So many kills, at times that fit nothing."""

    def __init__(self, stand, load):
        self.stand, self.load, self.random = stand, load, random.Random()
        self.workers = self.parents = 0

    def run(self, kills, seconds):
        end = time.monotonic() + seconds
        while self.workers + self.parents < kills and time.monotonic() < end:
            if (self.workers + self.parents) % PARENT_EVERY == \
                    PARENT_EVERY - 1:
                self.kill_parent()
            else:
                self.kill_worker()
            self.let_work()
            # A guess that a worker died over stays counted.
            if (self.workers + self.parents) % 10 == 0:
                self.stand.sql("DELETE FROM throttle")

    def let_work(self):
        """For a while; on a slow machine until something is answered."""
        before, end = self.load.acknowledged(), time.monotonic() + 1.5
        time.sleep(self.random.uniform(0.02, 0.3))
        while self.load.acknowledged() == before and time.monotonic() < end:
            time.sleep(0.01)

    def kill_worker(self):
        workers = children_of(self.stand.serve.pid)
        if workers:
            try:
                os.kill(self.random.choice(workers), signal.SIGKILL)
                self.workers += 1
            except ProcessLookupError:
                pass

    def kill_parent(self):
        """As systemd does, it is started again; the workers have gone."""
        serve, workers = self.stand.serve, children_of(self.stand.serve.pid)
        serve.send_signal(signal.SIGKILL)
        serve.wait(5)
        self.stand.box.running.remove(serve)
        self.parents += 1
        wait_for(lambda: not [w for w in workers if is_there(w)], 35,
                 "its workers end with it")
        self.stand.start_serve()


def is_there(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii",
                  errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ---- cases --------------------------------------------------------------------------

def book_holds(stand, report, load):
    with report.case("crash: %d kills under load; what was acknowledged holds"
                     % KILLS, "DK-Z-04 DK-F-04 DK-S-11", stand.box):
        killer = Killer(stand, load)
        try:
            killer.run(KILLS, 2 * KILLS + 60)
        finally:
            load.stop()
        wait_for(lambda: len(children_of(stand.serve.pid)) == 4, 15,
                 "four workers again")
        stand.sql("DELETE FROM throttle")
        print("# kills: %d of workers, %d of the parent; answers that "
              "acknowledged: %d, unanswered: %d, passwords changed: %d" % (
                  killer.workers, killer.parents,
                  load.acknowledged(),
                  sum(p.unanswered for p in load.people),
                  sum(p.changes for p in load.people)))
        eq(killer.workers + killer.parents, KILLS, "kills")
        eq(load.crashed, [], "the load itself")
        eq([w for p in load.people for w in p.wrong], [], "wrong at once")
        true(load.acknowledged() > KILLS / 4, "there was some load")
        eq(load.faults(), [], "wrong afterwards")
    with report.case("crash: the store is sound, and nothing is half done",
                     "DK-Z-04", stand.box):
        eq(stand.sql("PRAGMA integrity_check"), "ok", "integrity")
        eq(stand.sql("PRAGMA foreign_key_check"), "", "foreign keys")
        eq(stand.sql("SELECT count(*) FROM sessions WHERE substr(id, 1, 8) NOT "
                     "IN (SELECT session FROM events WHERE session NOT NULL)"),
           "0", "sessions without their event")


def plants(stand, report, load):
    """Each is undone by hand behind everybody's back: the book notices."""
    person = load.people[0]
    person.come()
    kept = person.live()[-1]
    row = stand.sql("SELECT * FROM sessions WHERE id = '%s'" % kept.id,
                    "-cmd", ".mode insert sessions")
    for name, sql, word in (
            ("a sign-in that is lost", "DELETE FROM sessions WHERE id = '%s'"
             % kept.id, "sign-in is not there"),
            ("a sign-out that is lost", row, "sign-out is not in force"),
            ("a password that is lost",
             "UPDATE users SET password_hash = (SELECT password_hash FROM "
             "users WHERE username = 'other') WHERE username = '%s'" %
             person.name, "password is not in force")):
        with report.case("crash: %s is noticed" % name, "", stand.box):
            stand.sql(sql)
            found = person.faults()
            true([f for f in found if word in f], "found: %r" % found)
        kept.state = "out"


def run(secrets, report):
    stand = Nginx(secrets, workers=4, extra=MANY)
    try:
        for n in range(PEOPLE):
            stand.add_user("person%d" % n)
        stand.add_user("other", PASSWORD + " other")
        stand.start()
        load = Load(stand)
        book_holds(stand, report, load)
        plants(stand, report, load)
    finally:
        problems = stand.close()
    with report.case("crash: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")
