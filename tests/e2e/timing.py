"""Does the time of a refusal tell whether a name exists (DK-T-08)?

SAMPLES interleaved sign-ins of each kind, compared by rank: the area under
the ROC curve (AUC) is the chance that one of the first kind took longer than
one of the second; 0.5 says nothing.  Over the null hypothesis its standard
deviation for 150 against 150 is sqrt(301 / (12 * 150 * 150)) = 0.033, so the
limits of 0.35 and 0.65 are 4.5 of them away: one false alarm in 100,000 runs
and pair.  What shifts the times by one standard deviation of a single sample
(AUC 0.76) is missed in one run out of 1000, by half of that (AUC 0.64) in six
out of ten.  Leaving out the hash moves the AUC to 1.

The machine's load drifts; interleaving in a random order lets it fall on all
kinds alike."""

import random
import time

from accounts import AccountStand
from harness import PASSWORD, Skip, eq, have, true

SAMPLES, WARM_UP = 150, 5
CLEAR_EVERY = 10    # rounds; before anybody has to wait
LOW, HIGH = 0.35, 0.65
WRONG = "not the password of anybody"
# bcrypt of some other word, at the cost of 5: imported, and cheap to try.
BCRYPT = "$2b$05$abcdefghijklmnopqrstuuYtKPwSkAgiKladt8C0gIH9G4SH2Y7Yq"


def auc(a, b):
    """The chance that one of a is above one of b; ties count half."""
    above = sum((x > y) + 0.5 * (x == y) for x in a for y in b)
    return above / (len(a) * len(b))


class Timing:
    # Kind, name ("%d": another one each time), password.
    kinds = (("unknown", "nobody-%d", WRONG),
             ("wrong password", "alice", WRONG),
             ("disabled, right password", "dora", PASSWORD),
             ("imported bcrypt hash", "bert", WRONG))

    def __init__(self, secrets, report):
        self.report = report
        # Without faketime: its file is read at every look at the clock.
        self.stand = AccountStand(secrets)
        self.stand.environment = {}
        self.stand.workers = 2
        self.took = {kind: [] for kind, _, _ in self.kinds}

    def case(self, name, ids):
        return self.report.case("timing: " + name, ids, self.stand.box)

    def run(self):
        stand = self.stand
        try:
            with self.case("an attacker's statistics find what is there to "
                           "be found", "DK-T-08"):
                self.power()
            with self.case("%d sign-ins of each kind" % SAMPLES, ""):
                if not have("sqlite3"):
                    raise Skip("sqlite3 is not installed")
                for name in ("alice", "dora", "bert"):
                    stand.add_user(name)
                stand.admin("user", "disable", "dora")
                stand.sql("UPDATE users SET password_hash='%s' WHERE "
                          "username='bert'" % BCRYPT)
                stand.start()
                self.sample()
                eq(stand.sql("SELECT password_hash FROM users WHERE "
                             "username='bert'"), BCRYPT, "the cheap hash")
            if len(self.took[self.kinds[-1][0]]) == SAMPLES:
                self.compare()
        finally:
            stand.close()

    @staticmethod
    def power():
        """The comparison itself: same times pass, a shift does not."""
        draw = random.Random(1)
        same = [[draw.gauss(40, 5) for _ in range(SAMPLES)]
                for _ in range(2)]
        true(LOW < auc(*same) < HIGH, "of two alike")
        true(auc([x + 5 for x in same[0]], same[1]) > HIGH, "a shift")
        eq(auc([2] * 5, [1] * 5), 1, "all above")
        eq(auc([1] * 5, [1] * 5), 0.5, "ties")

    def sample(self):
        for n in range(WARM_UP + SAMPLES):
            if n % CLEAR_EVERY == 0:
                self.stand.sql("DELETE FROM throttle")
            order = list(self.kinds)
            random.shuffle(order)
            for kind, name, password in order:
                seconds = self.refusal(name % n if "%" in name else name,
                                       password)
                if n >= WARM_UP:
                    self.took[kind].append(seconds)

    def refusal(self, name, password):
        browser = self.stand.browser()
        start = time.perf_counter()
        answer = browser.post_json(self.stand.url("/login"), {
            "username": name, "password": password})
        end = time.perf_counter()
        eq(answer.status, 401, name)
        return end - start

    def compare(self):
        names = [kind for kind, _, _ in self.kinds]
        for n, one in enumerate(names):
            for other in names[n + 1:]:
                with self.case("%s and %s take the same time" % (
                        one, other), "DK-T-08"):
                    area = auc(self.took[one], self.took[other])
                    true(LOW < area < HIGH, "AUC %.3f; medians %.2f and "
                         "%.2f ms" % (area, self.median(one),
                                      self.median(other)))

    def median(self, kind):
        return sorted(self.took[kind])[SAMPLES // 2] * 1000


def run(secrets, report):
    Timing(secrets, report).run()
