"""Accounts as people and attackers meet them: the second factor, one-use
links, passwords, the list of sessions, and what guessing leads to.  The
workers' clock is moved with libfaketime where time matters."""

import base64
import glob
import hashlib
import hmac
import os
import re
import shutil
import struct
import tempfile
import threading
import time
import urllib.parse

from browser import open_browser
from client import Browser
from harness import PASSWORD, Skip, eq, have, need, one_of, true, wait_for
from servers import LighttpdExternal
from stand import RULES

MINUTE, HOUR = 60, 3600
STEP = 30           # seconds that a code lasts (RFC 6238)
AT_ONCE = 50        # requests in a race
WRONG = "not the password of anybody"
GUESSES = 16        # of one source on one account, before it has to wait
SETTINGS = """
[security]
trusted_proxies = 127.0.0.1
allow_http = yes
"""


class Visitor(Browser):
    """A browser at an address of its own: a trusted proxy says which."""

    address = "192.0.2.1"

    def request(self, method, path, headers=None, body=None, chunked=False,
                cookies=True):
        head = {"X-Forwarded-For": self.address}
        head.update(headers or {})
        return super().request(method, path, head, body, chunked, cookies)


class AccountStand(LighttpdExternal):
    name = "accounts"
    workers = 4         # a race is one between processes
    ahead = 0           # of the real time, in seconds
    visitors = 0

    def __init__(self, secrets, **options):
        options["extra"] = SETTINGS + options.get("extra", "")
        options["rules"] = "\n/private/strong/ = any; level=2" + RULES
        super().__init__(secrets, **options)
        self.box.write("htdocs/private/strong/index.html",
                       "<!doctype html><p>private page strong")
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        self.library = found[0] if found else None
        clock = self.box.path("run", "clock")
        self.set_clock(0)
        if self.library:
            self.environment = {
                "LD_PRELOAD": self.library, "FAKETIME_NO_CACHE": "1",
                "FAKETIME_TIMESTAMP_FILE": clock,
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1"}

    # ---- time ----
    def set_clock(self, ahead):
        self.ahead = ahead
        name = self.box.path("run", "clock")
        with open(name + ".new", "w", encoding="ascii") as f:
            f.write("%+d\n" % ahead)
        os.replace(name + ".new", name)  # a worker reads it whole

    def pass_time(self, seconds):
        """Later by that, for the workers."""
        if self.library is None:
            raise Skip("faketime is not installed")
        self.set_clock(self.ahead + seconds)

    def next_step(self):
        """Some seconds into the next step of the codes, so that it does not
        end during what follows.  The step's number."""
        now = time.time() + self.ahead
        step = int(now // STEP) + 1
        self.pass_time(int(step * STEP + 8 - now))
        return step

    # ---- people ----
    def browser(self, address=None):
        browser = Visitor(self.origin, self.check, self.secrets)
        AccountStand.visitors += 1
        browser.address = address or "10.%d.%d.1" % divmod(
            AccountStand.visitors, 256)
        return browser

    def again(self, browser):
        """The same browser, for another thread."""
        copy = self.browser(browser.address)
        copy.jar.cookies = dict(browser.jar.cookies)
        return copy


def at_once(browsers, send):
    """send(browser) by all of them at one moment; their answers."""
    gate, answers = threading.Barrier(len(browsers)), []

    def run(browser):
        gate.wait()
        answers.append(send(browser))

    threads = [threading.Thread(target=run, args=(b,)) for b in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eq(len(answers), len(browsers), "answers")
    return answers


class Part:
    """Cases on one stand, and what a person can do at it."""

    title = ""

    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids=""):
        return self.report.case("accounts, %s: %s" % (self.title, name), ids,
                                self.stand.box)

    def run(self):
        for name in dir(self):
            if name.startswith("test_"):
                getattr(self, name)()

    # ---- /login ----
    def log_in(self, name, password, browser=None, page="/private/"):
        """The first step as a person takes it: browser and answer."""
        browser = browser or self.stand.browser()
        answer = browser.get(page)
        return browser, browser.sign_in(answer.page, page, name, password)

    def json_log_in(self, browser, name, password=PASSWORD, **more):
        return browser.post_json(self.stand.url("/login"), {
            "username": name, "password": password, **more})

    def opens_nothing(self, browser):
        jar = dict(browser.jar.cookies)
        for path in ("/session", "/account"):
            browser.jar.cookies = dict(jar)
            eq(browser.fetch(self.stand.url(path)).status, 401, path)
            browser.jar.cookies = dict(jar)
            one_of(browser.get(self.stand.url(path)).status, (303, 401),
                   path)
        browser.jar.cookies = dict(jar)
        answer = browser.get("/private/page.html")
        eq(answer.status, 401, "the gate")
        true("private page" not in answer.text, "the private page is shown")
        browser.jar.cookies = jar

    def let_in(self, browser):
        """By the gate, /session and /account alike."""
        answers = {self.stand.is_signed_in(browser),
                   browser.get("/private/").status == 200,
                   browser.get(self.stand.url("/account")).status == 200}
        eq(len(answers), 1, "number of opinions on the session")
        return answers.pop()

    # ---- /account ----
    def account(self, browser):
        answer = browser.get(self.stand.url("/account"))
        eq(answer.status, 200, "/account")
        return answer

    def act(self, browser, action, page=None, **fields):
        """Fill in the form of an action on the person's page."""
        page = page or self.account(browser).page
        for form in page.forms:
            if form.fields.get("action") == action or \
                    ("action", action) in form.buttons:
                return browser.submit(form, {"action": action, **fields},
                                      self.stand.url("/account"))
        raise AssertionError("no form for " + action)

    def unlock(self, name):
        self.stand.admin("user", "unlock", name)

    def level(self, browser):
        return self.stand.sql("SELECT level FROM active_sessions WHERE "
                              "id='%s'" % browser.jar.session()[:36])


# ---- the second factor ----------------------------------------------------------

def totp(seed, step):
    """RFC 6238 with SHA-1 and six digits; seed in base32."""
    tag = hmac.new(base64.b32decode(seed), struct.pack(">Q", step),
                   hashlib.sha1).digest()
    at = tag[-1] & 15
    number = struct.unpack(">I", tag[at:at + 4])[0] & 0x7fffffff
    return "%06d" % (number % 1000000)


def wrong_code(seed, step):
    """Six digits that fit no step near this one."""
    near = [totp(seed, step + n) for n in range(-3, 4)]
    return next("%06d" % n for n in range(100, 200)
                if "%06d" % n not in near)


class Enrolment:
    """What the page shows while a second factor is being set up."""

    def __init__(self, page, text):
        links = [a["href"] for tag, a in page.tags
                 if tag == "a" and a.get("href", "").startswith("otpauth:")]
        eq(len(links), 1, "otpauth links")
        self.link = links[0]
        self.seed = re.search(r"Key: <code>([A-Z2-7]+)</code>", text)[1]


def recovery_codes(answer):
    return re.findall(r"<code>([A-Z2-9]{4}(?:-[A-Z2-9]{4}){4})</code>",
                      answer.text)


class FactorPart(Part):
    """One whose user has a second factor or gets one."""

    def begin(self, browser, **fields):
        answer = self.act(browser, "factor_begin", **fields)
        eq(answer.status, 200, "factor_begin")
        return answer, Enrolment(answer.page, answer.text)

    def remember(self, seed, codes):
        """From now on these may stand nowhere."""
        secrets = self.stand.secrets
        secrets.add(seed, "seed of a second factor")
        secrets.needles[base64.b32decode(seed)] = "seed (raw)"
        for code in codes:
            secrets.add(code, "recovery code")
            secrets.add(code.replace("-", ""), "recovery code")

    def enrol(self, browser):
        """The whole of it: seed, recovery codes, and the last answer."""
        answer, shown = self.begin(browser)
        code = totp(shown.seed, self.stand.next_step())
        answer = self.act(browser, "factor_confirm", answer.page,
                          totp_code=code)
        eq(answer.status, 200, "factor_confirm")
        codes = recovery_codes(answer)
        self.remember(shown.seed, codes)
        return shown.seed, codes, answer

    def next_code(self):
        return totp(self.seed, self.stand.next_step())

    def first_step(self, page="/private/", address=None):
        browser, answer = self.log_in(
            self.user, PASSWORD, self.stand.browser(address), page)
        eq(answer.status, 200, "the first step")
        eq(browser.jar.session(), None, "a session after the first step")
        return browser, answer.page.form_with("totp_code")

    def second_step(self, browser, form, code):
        return browser.submit(form, {"totp_code": code},
                              self.stand.url("/second-factor"))

    def both_steps(self, code):
        browser, form = self.first_step()
        return browser, self.second_step(browser, form, code)


class Factor(FactorPart):
    title, user = "second factor", "alice"

    def run(self):
        self.stand.add_user("alice")
        self.me = self.stand.signed_in()
        self.other = self.stand.signed_in()
        self.enrolment()
        self.two_steps()
        self.skipping()
        self.json()
        self.recovery()
        self.races()
        self.guessing()
        self.changes()
        self.reset()

    # ---- setting it up ----
    def enrolment(self):
        stand = self.stand
        with self.case("setting it up shows key, link and QR code, all from "
                       "here", "DK-M-01 DK-M-05"):
            answer, shown = self.begin(self.me)
            eq(len(base64.b32decode(shown.seed)), 20, "bytes of the key")
            link = urllib.parse.urlsplit(shown.link)
            query = urllib.parse.parse_qs(link.query)
            eq((link.netloc, urllib.parse.unquote(link.path)),
               ("totp", "/Test site:alice"), "the link's label")
            eq(query["secret"], [shown.seed], "the link's key")
            eq(query["issuer"], ["Test site"], "the link's issuer")
            true("<svg class=\"qr\"" in answer.text, "an inline picture")
            for tag, a in answer.page.tags:
                for name in ("src", "href", "action"):
                    true(not re.match("(https?:)?//", a.get(name, "")),
                         "<%s> leads elsewhere: %r" % (tag, a))
            true(stand.check.seen > 0, "the headers are looked at")
        with self.case("it is not on before a right code", "DK-M-05"):
            eq(stand.admin_json("user", "factor", "alice")["second_factor"],
               False, "second_factor")
            step = stand.next_step()
            for code in ("", "12345", "1234567", wrong_code(shown.seed, step),
                         totp(shown.seed, step - 2),
                         totp(shown.seed, step + 2),
                         "\uff11\uff12\uff13\uff14\uff15\uff16",
                         " " + totp(shown.seed, step)[1:]):
                answer = self.act(self.me, "factor_confirm", answer.page,
                                  totp_code=code)
                eq(answer.status, 400, "with %r" % code)
                eq(Enrolment(answer.page, answer.text).seed, shown.seed,
                   "the key stays the same")
            eq(stand.admin_json("user", "factor", "alice")["second_factor"],
               False, "second_factor")
            stand.signed_in()   # by the password alone
            self.other = stand.signed_in()
        self.completion(answer, shown)

    def completion(self, answer, shown):
        stand, old = self.stand, self.me.jar.session()
        with self.case("a right code turns it on: a new session, level 2, "
                       "recovery codes; other sessions end",
                       "DK-M-05 DK-S-06 DK-S-13 DK-L-10"):
            eq(self.me.get("/private/strong/").status, 303,
               "a page that asks for both, before")
            self.code = totp(shown.seed, stand.next_step())
            answer = self.act(self.me, "factor_confirm", answer.page,
                              totp_code=self.code)
            eq(answer.status, 200, "status")
            self.codes, self.seed = recovery_codes(answer), shown.seed
            eq(len(set(self.codes)), 10, "recovery codes")
            true(self.me.jar.session()[:36] != old[:36], "a new id")
            eq(self.level(self.me), "2", "level")
            eq(self.me.get("/private/strong/").status, 200,
               "a page that asks for both, after")
            true(self.let_in(self.me), "the person stays in")
            true(not self.let_in(self.other), "the other browser is out")
            thief = stand.browser()
            thief.jar.cookies["doorkeep"] = old
            true(not self.let_in(thief), "the old id is dead")
        self.remember(self.seed, self.codes)
        with self.case("key and codes are shown once and stored nowhere in "
                       "clear", "DK-M-04 DK-M-05 DK-M-06"):
            text = self.account(self.me).text
            eq(recovery_codes(self.account(self.me)), [], "recovery codes")
            true("otpauth" not in text and self.seed not in text, "the key")
            eq(stand.secrets.search(stand.box.dir), [], "in files")
            answer = self.me.post_form(stand.url("/account"), {
                "csrf_token": self.account(self.me).page.form_with(
                    "csrf_token").fields["csrf_token"],
                "action": "factor_begin"})
            eq(answer.status, 409, "a second one over the first")
            true("otpauth" not in answer.text, "the key")

    # ---- signing in ----
    def two_steps(self):
        page = "/private/page.html?a=1&b=%26x"
        with self.case("sign-in takes two steps; wrong codes and those used "
                       "are refused; the wanted page survives",
                       "DK-M-02 DK-M-03 DK-L-15 DK-L-02"):
            browser, form = self.first_step(page)
            step = self.stand.next_step()
            for code in (wrong_code(self.seed, step), self.code, "", "x",
                         totp(self.seed, step - 2),
                         totp(self.seed, step + 2)):
                answer = self.second_step(browser, form, code)
                eq(answer.status, 401, "with %r" % code)
                eq(browser.jar.session(), None, "session")
                form = answer.page.form_with("totp_code")
            code = totp(self.seed, step)
            answer = self.second_step(browser, form, code)
            eq((answer.status, answer.header("Location")), (303, page),
               "with the right one")
            true(self.let_in(browser), "let in")
            eq(self.level(browser), "2", "level")
        with self.case("a used code and those before it stay refused, even "
                       "when the clock goes back", "DK-M-02 DK-Z-02"):
            for again in (code, totp(self.seed, step - 1)):
                browser, answer = self.both_steps(again)
                eq(answer.status, 401, "again")
            self.stand.pass_time(-STEP)
            browser, answer = self.both_steps(code)
            eq(answer.status, 401, "after the jump")
            self.stand.pass_time(STEP)
            browser, answer = self.both_steps(totp(self.seed, step + 1))
            eq(answer.status, 303, "the next code")
            self.stand.next_step()
        with self.case("nobody learns of it who lacks the password",
                       "DK-T-07"):
            self.stand.add_user("plain")
            for name in ("alice", "plain"):
                answer = self.log_in(name, WRONG)[1]
                eq(answer.status, 401, "status")
                true("totp_code" not in answer.text, "the second form")
        self.unlock("alice")

    def skipping(self):
        stand = self.stand
        with self.case("what the first step leaves opens nothing",
                       "DK-L-11"):
            browser, form = self.first_step()
            self.opens_nothing(browser)
            for name, value in list(browser.jar.cookies.items()):
                thief = stand.browser()
                thief.jar.cookies["doorkeep"] = value
                self.opens_nothing(thief)
                true(name != "doorkeep", "no session cookie")
        with self.case("nor does the second step alone, or in another "
                       "browser, or for another user", "DK-L-11"):
            code = self.next_code()
            step = browser.jar.cookies["doorkeep-step"]
            nobody = stand.browser()
            answer = nobody.post_form(stand.url("/second-factor"), {
                **form.fields, "totp_code": code})
            eq(answer.status, 403, "without the first step")
            answer = nobody.get(stand.url("/second-factor"))
            eq(answer.status, 303, "its page")
            thief, answer = self.log_in("plain", WRONG)
            token = answer.page.form_with("password").fields["csrf_token"]
            thief.jar.cookies["doorkeep-step"] = step
            answer = thief.post_form(stand.url("/second-factor"), {
                "csrf_token": token, "totp_code": code})
            eq(answer.status, 401, "with a copied ticket")
            eq(thief.jar.session(), None, "session")
            self.forged_tickets(browser, form, step, code)
            browser.jar.cookies["doorkeep-step"] = step
            eq(self.second_step(browser, form, code).status, 303,
               "the code was good all the time")
        with self.case("the first step is worth ten minutes", "DK-L-11"):
            browser, form = self.first_step()
            stand.pass_time(10 * MINUTE + 1)
            answer = self.second_step(browser, form, self.next_code())
            eq(answer.status, 401, "status")
            answer.page.form_with("password")
            eq(browser.jar.session(), None, "session")

    def forged_tickets(self, browser, form, step, code):
        parts = step.split(".")
        other = self.stand.sql("SELECT id FROM users WHERE username='plain'")
        for changed in ([other] + parts[1:],
                        [parts[0], str(int(parts[1]) + 1000)] + parts[2:],
                        parts[:2] + [str(1 - int(parts[2])), parts[3]],
                        parts[:3] + ["A" * 43], parts[:3], []):
            browser.jar.cookies["doorkeep-step"] = ".".join(changed)
            answer = self.second_step(browser, form, code)
            eq(answer.status, 401, "with a forged ticket")
            eq(browser.jar.session(), None, "session")

    def json(self):
        with self.case("a program signs in with totp_code", "DK-M-02"):
            browser, code = self.stand.browser(), self.next_code()
            answer = self.json_log_in(browser, "alice")
            eq((answer.status, answer.json["error"]),
               (401, "second_factor_required"), "without")
            self.opens_nothing(browser)
            answer = self.json_log_in(browser, "alice", totp_code=self.code)
            eq((answer.status, answer.json["error"]), (401, "invalid_code"),
               "with an old one")
            answer = self.json_log_in(browser, "alice", WRONG,
                                      totp_code=code)
            eq((answer.status, answer.json["error"]),
               (401, "invalid_credentials"), "with a wrong password")
            eq(browser.jar.session(), None, "session")
            answer = self.json_log_in(browser, "alice", totp_code=code)
            eq(answer.status, 200, "with a right one")
            true(self.let_in(browser), "let in")
            answer = self.json_log_in(self.stand.browser(), "alice",
                                      totp_code=code)
            eq(answer.status, 401, "and again")

    # ---- recovery codes ----
    def left(self, browser):
        return int(re.search(r"(\d+) recovery codes are left",
                             self.account(browser).text)[1])

    def recovery(self):
        with self.case("a recovery code lets in once, however it is typed; "
                       "the number left is shown", "DK-M-06"):
            self.me, answer = self.both_steps(self.codes[0])
            eq(answer.status, 303, "as printed")
            eq(self.left(self.me), 9, "left")
            for typed in (self.codes[0], self.codes[0][:-1], "x" * 20,
                          self.codes[0].lower()):
                eq(self.both_steps(typed)[1].status, 401, "again")
            typed = self.codes[1].replace("-", " ").lower()
            self.me, answer = self.both_steps(typed)
            eq(answer.status, 303, "in small letters, with spaces")
            eq(self.left(self.me), 8, "left")
        self.unlock("alice")
        with self.case("new ones need a code and end the old ones",
                       "DK-M-06"):
            old, step = self.codes[2], self.stand.next_step()
            answer = self.act(self.me, "factor_codes",
                              totp_code=wrong_code(self.seed, step))
            eq((answer.status, recovery_codes(answer)), (403, []),
               "with a wrong code")
            answer = self.act(self.me, "factor_codes",
                              totp_code=totp(self.seed, step))
            eq(answer.status, 200, "with a right one")
            self.codes = recovery_codes(answer)
            eq(len(set(self.codes)), 10, "new codes")
            self.remember(self.seed, self.codes)
            eq(self.both_steps(old)[1].status, 401, "an old one")
            eq(self.both_steps(self.codes[0])[1].status, 303, "a new one")
        self.unlock("alice")

    # ---- many at once ----
    def one_wins(self, answers, success):
        """More than one was looked at, one of them was taken."""
        kinds = [a.status for a in answers]
        for kind in set(kinds):
            one_of(kind, (success, 401, 429), "status")
        eq(kinds.count(success), 1, "successes among %r" % sorted(kinds))
        true(kinds.count(401) > 5, "looked at: %r" % sorted(kinds))
        self.unlock(self.user)

    def races(self):
        for what in ("code of the app", "recovery code"):
            with self.case("%d posts of one %s: one gets in" % (
                    AT_ONCE, what), "DK-M-02 DK-M-06 DK-Z-03"):
                browser, form = self.first_step()
                code = self.next_code() if "app" in what else self.codes[1]
                before = self.sessions()
                self.one_wins(at_once(
                    [self.stand.again(browser) for _ in range(AT_ONCE)],
                    lambda b, f=form, c=code: self.second_step(b, f, c)),
                    303)
                eq(self.sessions(), before + 1, "sessions")
            with self.case("%d programs with one %s: one gets in" % (
                    AT_ONCE, what), "DK-M-02 DK-M-06 DK-Z-03"):
                code = self.next_code() if "app" in what else self.codes[2]
                self.one_wins(at_once(
                    [self.stand.browser() for _ in range(AT_ONCE)],
                    lambda b, c=code: self.json_log_in(
                        b, "alice", totp_code=c)), 200)

    def sessions(self):
        return int(self.stand.sql("SELECT count(*) FROM sessions"))

    # ---- guessing ----
    def guessing(self):
        with self.case("guesses of codes are counted on their own; a new "
                       "sign-in does not start over",
                       "DK-T-09 DK-T-06"):
            kinds = []
            thief = "10.99.99.1"
            for _ in range(2 * GUESSES):    # each a new sign-in
                browser, form = self.first_step(address=thief)
                step = self.stand.next_step() if not kinds else step
                answer = self.second_step(browser, form,
                                          wrong_code(self.seed, step))
                kinds.append(answer.status)
                if answer.status == 429:
                    break
            eq(set(kinds[:-1]), {401}, "answers before")
            eq((kinds[-1], len(kinds)), (429, GUESSES + 1), "the last")
            true(int(answer.header("Retry-After")) >= 1, "Retry-After")
            answer = self.second_step(browser, form, totp(self.seed, step))
            eq(answer.status, 429, "the right code, while it has to wait")
            refused = self.json_log_in(self.stand.browser(thief), "alice",
                                       totp_code=totp(self.seed, step))
            eq(refused.status, 429, "by JSON")
            eq(self.log_in("alice", PASSWORD)[1].status, 200,
               "the password is not held up")
        with self.case("nobody is locked out for good: it waits, and it can "
                       "be unlocked", "DK-T-03 DK-T-12"):
            self.stand.pass_time(int(answer.header("Retry-After")) + 1)
            eq(self.both_steps(self.next_code())[1].status, 303, "later")
            for _ in range(GUESSES + 1):
                browser, form = self.first_step(address=thief)
                self.second_step(browser, form, "000000")
            eq(self.both_steps(self.next_code())[1].status, 303,
               "elsewhere the owner gets in meanwhile")
            self.unlock("alice")
            browser, form = self.first_step(address=thief)
            eq(self.second_step(browser, form, "000000").status, 401,
               "unlocked")
            self.me, answer = self.both_steps(self.next_code())
            eq(answer.status, 303, "sign-in")

    # ---- turning it off ----
    def changes(self):
        with self.case("turning it off takes a code, too, and ends other "
                       "sessions", "DK-M-05 DK-S-13"):
            other = self.both_steps(self.next_code())[0]
            step = self.stand.next_step()
            for code in ("", wrong_code(self.seed, step), self.codes[0]):
                answer = self.act(self.me, "factor_remove", totp_code=code)
                eq(answer.status, 403, "with %r" % code)
            true(self.let_in(other), "nothing has happened")
            answer = self.act(self.me, "factor_remove",
                              totp_code=totp(self.seed, step))
            eq(answer.status, 303, "with a right one")
            true(self.let_in(self.me), "the person stays in")
            true(not self.let_in(other), "the other browser is out")
            me, answer = self.log_in("alice", PASSWORD)
            eq(answer.status, 303, "one step suffices again")
            eq(self.level(me), "1", "level")
        with self.case("setting it up needs a fresh sign-in",
                       "DK-M-05 DK-L-09"):
            me, old = self.stand.signed_in(), None
            self.stand.pass_time(10 * MINUTE + 1)
            for password, status in ((None, 403), (WRONG, 403),
                                     (PASSWORD, 200)):
                old = me.jar.session()
                fields = {"password": password} if password else {}
                answer = self.act(me, "factor_begin", **fields)
                eq(answer.status, status, "with %r" % password)
                eq("otpauth" in answer.text, status == 200, "the key")
                eq(me.jar.session() == old, status != 200, "the same id")

    def reset(self):
        with self.case("an administrator takes it away: sessions end, old "
                       "codes are dead, it can be set up again", "DK-M-08"):
            me = self.stand.signed_in()
            self.seed, codes, _ = self.enrol(me)
            eq(self.both_steps(codes[0])[1].status, 303, "it is on")
            self.stand.admin("user", "factor", "alice", "--remove")
            true(not self.let_in(me), "the session has ended")
            me, answer = self.log_in("alice", PASSWORD)
            eq(answer.status, 303, "one step suffices")
            old = self.seed
            self.seed, codes2, _ = self.enrol(me)
            true(self.seed != old and not set(codes) & set(codes2),
                 "all new")
            eq(self.both_steps(codes[1])[1].status, 401, "an old code")
            eq(self.both_steps(totp(old, self.stand.next_step()))[1].status,
               401, "the old key")
            eq(self.both_steps(codes2[1])[1].status, 303, "a new code")
        events = self.stand.sql("SELECT DISTINCT event FROM recent_events "
                                "WHERE username='alice'").split("\n")
        with self.case("all of that stands in the audit trail", "DK-E-03"):
            for event in ("second_factor_added", "second_factor_removed",
                          "recovery_code_used", "recovery_codes_made",
                          "second_factor"):
                true(event in events, event)


class Picture(FactorPart):
    """The QR code as a real browser paints it, under the page's policy."""

    title, user = "QR code", "paula"

    def run(self):
        with self.case("Chromium shows it and zbarimg reads the link in it; "
                       "the code from it turns the factor on",
                       "DK-M-05 DK-H-01"):
            need("zbarimg")
            self.stand.add_user(self.user)
            profile = tempfile.mkdtemp(prefix="dk-chromium-", dir="/tmp")
            driver = None
            try:
                driver = open_browser(profile)
                self.story(driver)
            finally:
                if driver is not None:
                    driver.quit()
                shutil.rmtree(profile, ignore_errors=True)

    def press(self, driver, selector, **fields):
        for name, text in fields.items():
            driver.find_element("name", name).send_keys(text)
        driver.find_element("css selector", selector).click()

    def story(self, driver):
        stand = self.stand
        driver.get(stand.origin + stand.url("/login?next=" +
                                            stand.url("/account")))
        self.press(driver, "button[type=submit]", username=self.user,
                   password=PASSWORD)
        driver.find_element(
            "css selector", "form:has([value=factor_begin]) button").click()
        driver.set_window_size(900, 2400)   # the whole page
        link = driver.find_element(
            "css selector", "a[href^=otpauth]").get_attribute("href")
        shot = stand.box.path("tmp", "qr.png")
        true(driver.save_screenshot(shot), "a screenshot")
        done = stand.box.run([have("zbarimg"), "--quiet", "--raw", shot],
                             check=False)
        eq(done.stdout.decode().strip(), link, "what the picture says")
        os.unlink(shot)
        seed = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
        self.seed = seed["secret"][0]
        self.press(driver, "form:has([value=factor_confirm]) button",
                   totp_code=self.next_code())
        wait_for(lambda: "The second step is on" in driver.page_source, 10,
                 "it is on")
        eq([line["message"] for line in driver.get_log("browser")
            if "favicon" not in line["message"]], [],
           "what the browser complains of")
        for cookie in driver.get_cookies():
            stand.secrets.add_cookie(cookie["value"])
        self.remember(self.seed, [])


# ---- one-use links ----------------------------------------------------------------

class Links(FactorPart):
    title = "one-use link"

    def run(self):
        self.first_password()
        self.race()
        self.reset()
        self.no_side_door()
        self.dead_links()

    def make(self, *args):
        """The path of a fresh link, and its token."""
        made = self.stand.admin_json("user", *args)
        true(made["link"].startswith(self.stand.origin + self.stand.url(
            "/set-password?token=")), "DK-R-03: " + made["link"][:60])
        path = made["link"][len(self.stand.origin):]
        token = path.partition("token=")[2]
        eq(len(token), 43, "length of the token: 256 bits")
        self.stand.secrets.add_cookie("x." + token)
        return path, token

    def follow(self, path, browser=None):
        """What a person sees who opens it, after one redirect."""
        browser = browser or self.stand.browser()
        answer = browser.get(path)
        eq(answer.status, 303, "the link")
        return browser, browser.get(answer.header("Location"))

    def set_password(self, browser, page, password):
        self.stand.secrets.add(password, "password")
        return browser.submit(page.form_with("new_password"),
                              {"new_password": password},
                              self.stand.url("/set-password"))

    def first_password(self):
        stand = self.stand
        with self.case("the token leaves the address at once and is sent on "
                       "to nobody", "DK-R-02 DK-R-04 DK-W-13"):
            self.path, token = self.make("add", "carol")
            browser = stand.browser()
            answer = browser.get(self.path)
            eq((answer.status, answer.header("Location")),
               (303, stand.url("/set-password")), "answer")
            eq(answer.header("Referrer-Policy"), "no-referrer",
               "Referrer-Policy")
            true(token not in answer.text, "the token in the body")
            answer = browser.get(stand.url("/set-password"))
            eq(answer.status, 200, "the form")
            true(token not in answer.text, "the token in the page")
            true("carol" in answer.text, "whose it is")
            for tag, a in answer.page.tags:
                true(not re.match("(https?:)?//", a.get("src", "") +
                                  a.get("href", "")),
                     "<%s> leads elsewhere: %r" % (tag, a))
            eq(browser.jar.session(), None, "a session")
            eq(stand.secrets.search(stand.box.dir), [], "in files")
        with self.case("opening it changes nothing, however often",
                       "DK-R-04"):
            before = stand.dump()
            for method in ("GET", "GET", "GET", "HEAD"):
                browser = stand.browser()
                browser.request(method, self.path)
                answer = browser.request(method, stand.url("/set-password"))
                eq(answer.status, 200, method)
                self.opens_nothing(browser)
            true(stand.dump() == before, "the store has changed")
        with self.case("it asks for a form of this site", "DK-X-01"):
            browser, answer = self.follow(self.path)
            form = answer.page.form_with("new_password")
            fields = {**form.fields, "new_password": "a new password here"}
            for head in ({"Origin": "https://evil.example",
                          "Sec-Fetch-Site": "cross-site"},
                         {"Origin": None, "Sec-Fetch-Site": None}):
                answer = browser.post_form(stand.url("/set-password"),
                                           fields, head)
                eq(answer.status, 403, "from elsewhere")
            fields["csrf_token"] = stand.browser().get(
                "/private/").page.form_with("password").fields["csrf_token"]
            answer = browser.post_form(stand.url("/set-password"), fields)
            eq(answer.status, 403, "with another's token")
        with self.case("a refused password does not use it up",
                       "DK-W-08 DK-W-13"):
            for password, why in (("short", "too short"),
                                  ("passwordpassword", "Many people"),
                                  ("x" * 257, "too long")):
                answer = self.set_password(browser, self.follow(
                    self.path, browser)[1].page, password)
                eq(answer.status, 400, password[:20])
                true(why in answer.text, "the reason for " + password[:20])

    def race(self):
        stand = self.stand
        with self.case("%d uses at once: one password is set" % AT_ONCE,
                       "DK-R-02 DK-Z-03"):
            browser, answer = self.follow(self.path)
            page, jar = answer.page, browser.jar.cookies
            eq("doorkeep-link" in jar, True, "the token is in a cookie")
            racers = [stand.again(browser) for _ in range(AT_ONCE)]
            for n, racer in enumerate(racers):
                racer.password = "carol takes this word %d" % n
            winners = []

            def use(racer):
                answer = self.set_password(racer, page, racer.password)
                if answer.status == 303:
                    winners.append(racer.password)
                return answer

            kinds = [a.status for a in at_once(racers, use)]
            eq(sorted(set(kinds)), [303, 404], "answers")
            eq(len(winners), 1, "winners")
            self.password = winners[0]
            eq(self.log_in("carol", self.password)[1].status, 303,
               "the winner's password")
            eq(stand.sql("SELECT count(*) FROM events WHERE event="
                         "'password_changed' AND username='carol'"), "1",
               "events")
        with self.case("used, it is dead, and nobody was signed in by it",
                       "DK-R-02 DK-R-05"):
            for racer in racers[:3]:
                eq(racer.jar.session(), None, "session")
                self.opens_nothing(racer)
            browser, answer = self.follow(self.path)
            eq(answer.status, 404, "opened again")
            answer = stand.again(racers[0])
            answer.jar.cookies.update(jar)
            answer = self.set_password(answer, page, "once more, with it")
            eq(answer.status, 404, "used again")
            eq(self.log_in("carol", "once more, with it")[1].status, 401,
               "that password")

    def reset(self):
        stand = self.stand
        with self.case("a reset ends all sessions and known browsers and is "
                       "written down", "DK-R-06 DK-R-09 DK-S-13"):
            one = stand.signed_in("carol", self.password)
            two = stand.signed_in("carol", self.password)
            path, _ = self.make("passwd", "carol", "--link")
            true(self.let_in(one), "not before it is used")
            browser, answer = self.follow(path, stand.again(one))
            new = "quite another of carol"
            answer = self.set_password(browser, answer.page, new)
            eq((answer.status, answer.header("Location")),
               (303, stand.url("/login?done=password&next=%2F")), "answer")
            true("Your password is set" in browser.get(
                answer.header("Location")).text, "the notice")
            true(not self.let_in(one) and not self.let_in(two), "both out")
            eq(self.log_in("carol", self.password)[1].status, 401, "old one")
            eq(self.log_in("carol", new)[1].status, 303, "new one")
            self.password = new
            eq(stand.sql("SELECT count(*) FROM devices"
                         " JOIN users ON users.id = user_id"
                         " WHERE username='carol'"), "1", "known browsers")
            true("link_made" in stand.sql(
                "SELECT event FROM recent_events WHERE username='carol'"),
                 "the event")

    def no_side_door(self):
        stand = self.stand
        with self.case("it does not lead around the second factor",
                       "DK-R-05 DK-M-07"):
            self.seed, _, _ = self.enrol(
                stand.signed_in("carol", self.password))
            path, _ = self.make("passwd", "carol", "--link")
            browser, answer = self.follow(path)
            self.password = "the third one of carol"
            answer = self.set_password(browser, answer.page, self.password)
            eq(answer.status, 303, "set")
            self.opens_nothing(browser)
            eq(stand.admin_json("user", "factor", "carol")["second_factor"],
               True, "it is still on")
            browser, answer = self.log_in("carol", self.password, browser)
            eq(answer.status, 200, "the second step")
            answer.page.form_with("totp_code")
            self.opens_nothing(browser)
            stand.admin("user", "factor", "carol", "--remove")

    def is_dead(self, path):
        browser, answer = self.follow(path)
        eq(answer.status, 404, "status")
        true("new_password" not in answer.text, "a form")

    def dead_links(self):
        stand = self.stand
        with self.case("a newer one replaces it", "DK-R-02"):
            old, _ = self.make("passwd", "carol", "--link")
            new, _ = self.make("passwd", "carol", "--link")
            self.is_dead(old)
            eq(self.follow(new)[1].status, 200, "the newer one")
        with self.case("a password that was set otherwise ends it",
                       "DK-R-06"):
            me = stand.signed_in("carol", self.password)
            answer = self.act(me, "change_password",
                              current_password=self.password,
                              new_password="the fourth one of carol")
            eq(answer.status, 303, "changed at /account")
            self.is_dead(new)
            new, _ = self.make("passwd", "carol", "--link")
            stand.admin("user", "passwd", "carol", "--password-stdin",
                        stdin="the fifth one of carol\n")
            self.is_dead(new)
        with self.case("disabled, deleted: dead", "DK-S-12"):
            path, _ = self.make("passwd", "carol", "--link")
            browser, answer = self.follow(path)
            stand.admin("user", "disable", "carol")
            answer = self.set_password(browser, answer.page,
                                       "the sixth one of carol")
            eq(answer.status, 404, "disabled")
            stand.admin("user", "enable", "carol")
            eq(self.follow(path)[1].status, 200, "enabled again")
            stand.admin("user", "delete", "carol")
            self.is_dead(path)
        with self.case("it lasts a day", "DK-R-02 DK-W-13"):
            path, _ = self.make("add", "cleo")
            stand.pass_time(23 * HOUR - stand.ahead)
            eq(self.follow(path)[1].status, 200, "after 23 hours")
            stand.pass_time(HOUR + 2)
            self.is_dead(path)
            stand.pass_time(-HOUR)
        with self.case("nonsense leads nowhere", "DK-R-02"):
            for token in ("", "A" * 43, "A" * 42, "A" * 44, "%00" * 8,
                          "' OR 1=1 --"):
                browser = stand.browser()
                answer = browser.get(stand.url("/set-password?token=" +
                                               urllib.parse.quote(token)))
                if answer.status == 303:
                    answer = browser.get(stand.url("/set-password"))
                eq(answer.status, 404, "with %r" % token)


# ---- the whole ------------------------------------------------------------------------

def run_parts(secrets, report, parts, kind=AccountStand, **options):
    """Part after part on one stand, and then a look at what is left."""
    stand = kind(secrets, **options)
    try:
        stand.start()
        for part in parts:
            part(stand, report).run()
    finally:
        problems = stand.close()
    title = "accounts, " + parts[-1].title
    with report.case(title + ": headers and cookies of every answer",
                     "DK-H-01 DK-H-04 DK-H-06 DK-C-05"):
        eq(stand.check.wrong[:10], [], "wrong")
    with report.case(title + ": no secret is left in any file",
                     "DK-E-05 DK-P-11"):
        eq(problems, [], "problems")


def run(secrets, report):
    run_parts(secrets, report, (Factor, Picture, Links))
