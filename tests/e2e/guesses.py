"""Guessing as the guesser meets it, and as the owner does meanwhile."""

import re
import secrets as random
import statistics
import time

from accounts import (AT_ONCE, HOUR, MINUTE, WRONG, Part, at_once,
                      run_parts)
from harness import PASSWORD, eq, one_of, true

MOST = 100      # guesses a day on one account, whatever the sources
NAMES = 300


class Guesses(Part):
    title = "guesses"

    def run(self):
        for name in ("frank", "fred", "grace", "dora", "hugo", "ivy", "jack"):
            self.stand.add_user(name)
        self.stand.admin("user", "disable", "dora")
        self.waiting()
        self.same_answers()
        self.known_browser()
        self.other_sources()
        self.counted()
        self.names()

    def guess(self, name, address=None, password=WRONG):
        """As a program that has no cookies."""
        return self.json_log_in(self.stand.browser(address), name, password)

    def guess_until_told(self, name, address):
        """Wrong guesses of one source, until it has to wait."""
        for n in range(MOST):
            answer = self.guess(name, address)
            if answer.status == 429:
                return n, answer
            eq(answer.status, 401, "guess %d" % n)
        raise AssertionError("%d guesses and no end" % MOST)

    def attack(self, name):
        """From everywhere, until strangers have to wait."""
        for n in range(MOST):
            if self.guess(name).status == 429:
                return n
        raise AssertionError("%d guesses and no end" % MOST)

    # ---- one source ----
    def waiting(self):
        with self.case("who guesses has to wait, and is told how long",
                       "DK-T-01 DK-T-06"):
            n, answer = self.guess_until_told("frank", "203.0.113.1")
            true(5 <= n <= 30, "guesses before: %d" % n)
            self.told(answer)
            eq(answer.json["error"], "throttled", "error")
            eq(str(answer.json["retry_after"]), answer.header("Retry-After"),
               "retry_after")
            browser = self.stand.browser("203.0.113.1")
            answer = self.log_in("frank", PASSWORD, browser)[1]
            eq(answer.status, 429, "the right one, by form")
            self.told(answer)
            true(re.search("Try again in [0-9]+ (second|minute)s?",
                           answer.text), "the page says when")
            eq(browser.jar.session(), None, "session")
            eq(self.guess("frank", "203.0.113.2", PASSWORD).status, 200,
               "from another place")
        with self.case("the wait grows, ends, and success forgets it",
                       "DK-T-01 DK-T-03 DK-T-04"):
            waits = []
            for _ in range(5):
                self.guess("fred", "203.0.113.3")
                answer = self.guess_until_told("fred", "203.0.113.3")[1]
                waits.append(int(answer.header("Retry-After")))
                self.stand.pass_time(waits[-1] + 1)
            true(waits == sorted(waits) and waits[-1] >= 4 * waits[0],
                 "waits: %r" % waits)
            eq(self.guess("fred", "203.0.113.3", PASSWORD).status, 200,
               "the right one, after the wait")
            for _ in range(5):
                eq(self.guess("fred", "203.0.113.3").status, 401,
                   "a slip afterwards")

    def told(self, answer):
        wait = answer.header("Retry-After")
        true(re.fullmatch("[1-9][0-9]*", wait or ""), "Retry-After %r" % wait)

    # ---- the same for all ----
    @staticmethod
    def shape(answer, name):
        """All of an answer but what differs from one to the next."""
        text = answer.text.replace(name, "NAME")
        for pattern, what in ((r'"request_id":"[0-9a-f]+"', "ID"),
                              (r'name="csrf_token" value="[^"]*"', "TOKEN"),
                              (r"[0-9]+ (second|minute)s?", "WAIT"),
                              (r'"retry_after":[0-9]+', "WAIT")):
            text = re.sub(pattern, what, text)
        heads = sorted(n.lower() for n, _ in answer.headers)
        return answer.status, heads, text

    def looks(self, name, password, address):
        """By form and by JSON."""
        program = self.guess(name, address, password)
        browser = self.stand.browser(address)
        form = self.log_in(name, password, browser)[1]
        return self.shape(program, name), self.shape(form, name)

    def same_answers(self):
        cases = (("hugo", WRONG), ("dora", PASSWORD), ("dora", WRONG),
                 ("nobody", WRONG), ("nobody", PASSWORD), ("NOBODY", "x"),
                 ("no body", WRONG), ("<b>", WRONG))
        with self.case("unknown, wrong, disabled: one answer to all",
                       "DK-T-07"):
            looks = [self.looks(name.replace("<b>", "x.b"), pw, "203.0.114.1")
                     for name, pw in cases]
            for case, look in zip(cases, looks):
                eq(look[0][0], 401, "status for %r" % (case,))
                eq(look, looks[0], "the answer for %r" % (case,))
        with self.case("and while it has to wait, the right one, too",
                       "DK-T-06 DK-T-07"):
            looks = []
            for n, name in enumerate(("hugo", "dora", "nobody.knows")):
                address = "203.0.115.%d" % (n + 1)
                self.guess_until_told(name, address)
                looks += [self.looks(name, pw, address)
                          for pw in (WRONG, PASSWORD)]
            for look in looks:
                eq(look[0][0], 429, "status")
                eq(look, looks[0], "the answer")
        with self.case("nothing is hashed meanwhile", "DK-T-06"):
            address = "203.0.115.1"
            waiting, hashing = [], []
            for _ in range(11):
                # A slow machine outlives a short wait: then the next one.
                self.guess_until_told("hugo", address)
                waiting.append(self.took("hugo", address, 429))
                hashing.append(self.took("nobody-%d" % len(hashing), None,
                                         401))
            true(statistics.median(waiting) <
                 statistics.median(hashing) * 2 / 3, "seconds: %r, %r" % (
                     sorted(waiting), sorted(hashing)))

    def took(self, name, address, status):
        browser = self.stand.browser(address)
        start = time.perf_counter()
        answer = self.json_log_in(browser, name, WRONG)
        end = time.perf_counter()
        eq(answer.status, status, name)
        return end - start

    # ---- the owner ----
    def known_browser(self):
        stand = self.stand
        with self.case("a browser that has signed in before gets in while "
                       "strangers on the same name wait", "DK-T-03"):
            home = stand.signed_in("grace")
            old = stand.signed_in("grace")
            attacker = stand.signed_in("hugo")
            home.post_form(stand.url("/logout"), {"csrf_token": home.get(
                stand.url("/logout")).page.form_with(
                    "csrf_token").fields["csrf_token"]})
            eq(home.jar.session(), None, "signed out")
            n = self.attack("grace")
            true(n <= MOST, "guesses: %d" % n)
            eq(self.guess("grace", None, PASSWORD).status, 429,
               "a stranger with the right one")
            eq(self.json_log_in(home, "grace", WRONG).status, 401,
               "a slip of the owner")
            eq(self.log_in("grace", PASSWORD, home)[1].status, 303,
               "the owner")
            true(self.let_in(home), "the owner is in")
            eq(self.guess("grace", None, PASSWORD).status, 429,
               "that does not help strangers")
            eq(self.json_log_in(attacker, "grace", PASSWORD).status, 429,
               "nor what is known to another account")
        with self.case("it changes things, too, while they wait",
                       "DK-T-03 DK-L-09"):
            stand.pass_time(11 * MINUTE)
            self.attack("grace")
            answer = self.act(old, "end_others", password=PASSWORD)
            eq(answer.status, 303, "end_others")
            true(not self.let_in(home), "the other browser is out")
        with self.case("its cookie in wrong hands is worth few guesses",
                       "DK-T-01"):
            thief = stand.again(old)
            thief.jar.cookies.pop("doorkeep")
            self.attack("grace")
            kinds = [self.json_log_in(thief, "grace", WRONG).status
                     for _ in range(12)]
            true(2 <= kinds.count(401) <= 10, "answers: %r" % kinds)
            eq(kinds[-1], 429, "the last")
        with self.case("a stranger with the right one waits half an hour at "
                       "most", "DK-T-03"):
            self.attack("grace")
            answer = self.guess("grace", None, PASSWORD)
            wait = int(answer.header("Retry-After"))
            true(wait <= 2100, "seconds: %d" % wait)
            stand.pass_time(wait + 1)
            eq(self.guess("grace", None, PASSWORD).status, 200, "then")

    def other_sources(self):
        with self.case("one that tries many names is stopped; its "
                       "neighbours are not", "DK-T-02"):
            kinds = [self.guess("name%d" % n, "198.51.100.1").status
                     for n in range(60)]
            true(10 <= kinds.count(401) <= 50, "answers: %r" % kinds)
            eq(kinds[-1], 429, "the last")
            eq(self.guess("hugo", "198.51.100.2", PASSWORD).status, 200,
               "the address next to it")
            kinds = [self.guess("name%d" % n, "2001:db8::%x" % n).status
                     for n in range(60)]
            eq(kinds[-1], 429, "the last out of one /64")
            eq(self.guess("name1", "2001:db8:0:1::1").status, 401,
               "the /64 next to it")

    # ---- counting ----
    def failures(self, name):
        return int(self.stand.sql(
            "SELECT count(*) FROM events WHERE username='%s' AND "
            "event='sign_in' AND outcome='failure'" % name))

    def counted(self):
        with self.case("%d guesses at once count one by one, over workers "
                       "and a restart" % (2 * AT_ONCE), "DK-T-05 DK-Z-03"):
            one_by_one = 0
            while self.guess("ivy").status == 401:
                one_by_one += 1
            browsers = [self.stand.browser() for _ in range(2 * AT_ONCE)]
            answers = at_once(browsers, lambda b: self.json_log_in(
                b, "jack", WRONG))
            for answer in answers:
                one_of(answer.status, (401, 429, 503), "status")
            looked_at = [a.status for a in answers].count(401)
            true(looked_at <= one_by_one, "looked at: %d at once, %d one by "
                 "one" % (looked_at, one_by_one))
            eq(self.failures("jack"), looked_at, "failures written down")
            true(looked_at > 10, "looked at: %d" % looked_at)
            self.attack("jack")
            self.stand.restart()
            eq(self.guess("jack", None, PASSWORD).status, 429,
               "after a restart")
            self.unlock("jack")
            eq(self.guess("jack", None, PASSWORD).status, 200, "unlocked")

    # ---- names ----
    def rows(self):
        return int(self.stand.sql("SELECT count(*) FROM throttle"))

    def names(self):
        stand = self.stand
        with self.case("random names leave a few counters each, and no name "
                       "in clear", "DK-T-10 DK-T-11"):
            before = self.rows()
            names = ["zq%s" % random.token_hex(8) for _ in range(NAMES)]
            for name in names:
                eq(self.guess(name).status, 401, "status")
            grown = self.rows() - before
            true(NAMES <= grown <= 3 * NAMES, "rows: %d" % grown)
            for _ in range(3):
                self.guess(names[0].upper(), "198.51.100.9")
            true(self.rows() - before - grown <= 2, "rows of one name")
            for name in names:
                stand.secrets.add(name, "name that was tried")
            # People type their password there.
            self.guess(PASSWORD)
            eq(stand.secrets.search(stand.box.dir), [], "in files")
        with self.case("they are forgotten after a day", "DK-T-10"):
            stand.pass_time(25 * HOUR)
            for _ in range(40):     # each worker keeps house now and then
                stand.browser().get(stand.url("/login"))
                if self.rows() == 0:
                    break
                stand.pass_time(31)
            eq(self.rows(), 0, "rows")


def run(secrets, report):
    run_parts(secrets, report, (Guesses,))
