"""Time goes by: the workers' clock is moved with libfaketime while they
run (DK-S-08, DK-S-09, DK-Z-01, DK-Z-02)."""

import glob
import time

from harness import Skip, eq, true
from servers import LighttpdExternal

HOUR, DAY = 3600, 86400
LIMITS = """
[session]
idle_timeout = 1h
absolute_timeout = 24h
remember_idle_timeout = 14d
remember_absolute_timeout = 30d
touch_interval = 60s
"""


class Times:
    def __init__(self, secrets, report):
        self.report = report
        self.stand = LighttpdExternal(secrets, extra=LIMITS)
        self.clock = self.stand.box.path("run", "clock")
        self.set(0)
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        self.library = found[0] if found else None
        self.stand.environment = {
            "LD_PRELOAD": self.library or "", "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": self.clock,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1"}

    def set(self, seconds):
        """Where the workers' clock stands, seen from now."""
        with open(self.clock, "w", encoding="ascii") as f:
            f.write("%+d\n" % seconds)

    def case(self, name, ids):
        return self.report.case("time: " + name, ids, self.stand.box)

    def alive(self, browser, at):
        self.set(at)
        status = browser.get("/private/").status
        # A jump of the clock brings a housekeeping that was due, and what
        # falls into it gives way: last-seen is not waited for.
        time.sleep(0.3)
        return status == 200

    def run(self):
        stand = self.stand
        try:
            if self.library is None:
                with self.case("sessions end", "DK-S-08 DK-S-09"):
                    raise Skip("faketime is not installed")
                return
            stand.add_user("alice")
            stand.start()
            self.idle()
            self.absolute()
            self.remembered()
            self.jumps()
            self.far_future()
        finally:
            problems = stand.close()
        with self.case("nothing is left behind", "DK-E-05"):
            eq(problems, [], "problems")

    def sign_in(self, at, remember=False):
        self.set(at)
        return self.stand.signed_in(remember=remember)

    def idle(self):
        with self.case("a session ends when it was idle for an hour",
                       "DK-S-08"):
            me, other = self.sign_in(0), self.sign_in(0)
            true(self.alive(me, HOUR - 10), "alive 10 s before")
            true(not self.alive(other, HOUR + 2), "dead 2 s after")
            true(not self.alive(other, 0), "and never alive again")
            true(self.alive(me, 2 * HOUR - 15), "use prolonged the first")
            true(not self.alive(me, 3 * HOUR), "until it is idle, too")

    def absolute(self):
        with self.case("it ends after a day, however busy", "DK-S-09"):
            me = self.sign_in(0)
            for minutes in range(50, 24 * 60 - 1, 50):
                true(self.alive(me, minutes * 60), "alive at %d min" %
                     minutes)
            true(self.alive(me, DAY - 10), "alive 10 s before")
            true(not self.alive(me, DAY + 2), "dead 2 s after")

    def remembered(self):
        with self.case('"keep me signed in" lasts 14 idle, 30 days at most',
                       "DK-C-06"):
            me = self.sign_in(0, remember=True)
            for day in (13, 26):
                true(self.alive(me, day * DAY), "alive on day %d" % day)
            true(not self.alive(me, 30 * DAY + 2), "dead after 30 days")
            other = self.sign_in(0, remember=True)
            true(not self.alive(other, 14 * DAY + 2), "dead after 14 idle")

    def jumps(self):
        with self.case("a clock that jumps back revives nothing", "DK-Z-02"):
            me = self.sign_in(HOUR)
            true(self.alive(me, 0), "an hour back: still in")
            true(self.alive(me, HOUR), "and again")
            self.stand.admin("session", "revoke", "--user", "alice")
            true(not self.alive(me, 0), "a revoked one stays dead")
            self.sign_in(0)

    def far_future(self):
        with self.case("2040 and 2100 are years like others", "DK-Z-01"):
            for years in (15, 75):
                at = years * 365 * DAY
                me = self.sign_in(at, remember=True)
                true(self.alive(me, at + 60), "in, %d years on" % years)
                self.set(at)
                text = self.stand.sql("SELECT max(expires_at) FROM "
                                      "active_sessions")
                true(text > "2040", "expires_at is " + text)


def run(secrets, report):
    Times(secrets, report).run()
