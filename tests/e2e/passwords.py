"""Passwords and sessions on the person's own page."""

import os
import unicodedata

from accounts import (AT_ONCE, GUESSES, MINUTE, WRONG, AccountStand,
                      FactorPart, Part, at_once, run_parts)
from harness import PASSWORD, eq, one_of, true

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 " \
    "Firefox/140.0"


class Passwords(FactorPart):
    title, user = "password", "dave-the-gardener"

    def run(self):
        self.password = PASSWORD
        self.stand.add_user(self.user, PASSWORD, "--email",
                            "dave.gardener.senior@example.org")
        self.me = self.stand.signed_in(self.user)
        self.change()
        self.refused()
        self.accepted()
        self.old_sign_in()
        self.stolen_session()
        self.short_one()

    def try_change(self, new, old=None, browser=None):
        return self.act(browser or self.me, "change_password",
                        current_password=old or self.password,
                        new_password=new)

    def changed(self, new):
        self.stand.secrets.add(new, "password")
        answer = self.try_change(new)
        eq((answer.status, answer.header("Location")),
           (303, self.stand.url("/account?done=password")), "the change")
        self.password = new

    def works(self, password):
        """Whether it signs in, by form and by JSON alike."""
        page = self.log_in(self.user, password)[1].status
        program = self.json_log_in(self.stand.browser(), self.user,
                                   password).status
        one_of((page, program), ((303, 200), (401, 401)), "sign-in")
        return page == 303

    def change(self):
        stand = self.stand
        with self.case("it takes the current one", "DK-W-12 DK-L-09"):
            other = stand.signed_in(self.user)
            for old in (WRONG, " " + PASSWORD, PASSWORD.upper()):
                answer = self.try_change("a new one for dave", old)
                eq(answer.status, 403, "with %r" % old)
            form = self.account(self.me).page.form_with("new_password")
            fields = dict(form.fields, new_password="a new one for dave")
            eq(self.me.post_form(stand.url("/account"), dict(
                fields, current_password="")).status, 403, "with none")
            eq(self.me.post_form(stand.url("/account"), dict(
                fields, current_password=PASSWORD,
                csrf_token="A" * 43)).status, 403, "without our token")
            true(self.let_in(other), "nothing has happened")
            true(self.works(PASSWORD), "the old one works")
        with self.case("a new one ends all other sessions and gives this one "
                       "a new id", "DK-W-12 DK-S-13 DK-S-06"):
            old = self.me.jar.session()
            self.changed("a new one for dave")
            true("has been changed" in self.me.get(
                stand.url("/account?done=password")).text, "the notice")
            true(self.let_in(self.me), "the person stays in")
            true(self.me.jar.session()[:36] != old[:36], "a new id")
            true(not self.let_in(other), "the other browser is out")
            thief = stand.browser()
            thief.jar.cookies["doorkeep"] = old
            true(not self.let_in(thief), "the old id is dead")
            true(not self.works(PASSWORD), "the old one is dead")
            true(self.works(self.password), "the new one works")
            true("password_changed" in stand.sql(
                "SELECT event FROM recent_events WHERE username='%s'" %
                self.user), "the event")

    def refused(self):
        with self.case("a refused one is refused with the reason",
                       "DK-W-01 DK-W-02 DK-W-06 DK-W-07 DK-W-08"):
            for new, why in (
                    ("fourteen chars", "too short"), ("", "too short"),
                    ("x y" * 85 + "zz", "too long"),
                    ("\U0001f511" * 257, "too long"),
                    ("dave-the-gardener", "name"),
                    ("DAVE-the-gardener", "name"),
                    ("dave.gardener.senior", "name"),
                    ("passwordpassword", "Many people"),
                    ("PasswordPassword", "Many people")):
                answer = self.try_change(new)
                eq(answer.status, 400, "status for %r" % new[:24])
                true(why in answer.text, "no %r in the page for %r" % (
                    why, new[:24]))
            true(self.works(self.password), "the old one works still")
        with self.case("a program is told, too", "DK-W-08"):
            token = self.me.fetch(self.stand.url("/session")).json
            answer = self.me.post_json(self.stand.url("/account"), {
                "csrf_token": token["csrf_token"],
                "action": "change_password", "new_password": "too short",
                "current_password": self.password})
            eq((answer.status, answer.json["error"]),
               (400, "password_refused"), "answer")

    def accepted(self):
        with self.case("spaces and case are kept, nothing is cut",
                       "DK-W-02 DK-W-03 DK-W-05 DK-W-14"):
            for new, others in (
                    ("  Spaces  And Case  ", ("Spaces  And Case",
                                              "  Spaces  And Case",
                                              "  spaces  and case  ",
                                              "  Spaces And Case  ")),
                    ("fifteen letters", ("fifteen letter",)),
                    ("\U0001f511\U0001f6aa" * 32, ("\U0001f511" * 64,)),
                    ("\U0001f511" * 255 + "x", ("\U0001f511" * 255,
                                                "\U0001f511" * 255 + "y")),
                    ("0123 456789 & = % + ;",
                     ("0123 456789 & = %   ;",))):
                self.changed(new)
                true(self.works(new), "%r does not work" % new[:24])
                for other in others:
                    true(not self.works(other), "%r works, too" % other[:24])
                self.unlock(self.user)
        with self.case("it does not matter how a keyboard composes letters",
                       "DK-W-04"):
            new = "Gr\u00fc\u00dfe aus K\u00f6ln-M\u00fclheim"
            self.changed(unicodedata.normalize("NFD", new))
            for form in ("NFC", "NFD"):
                true(self.works(unicodedata.normalize(form, new)), form)
            # NFKC would make them one.
            self.changed("the \ufb01sh in the pond")
            true(not self.works("the fish in the pond"), "a ligature")
        self.unlock(self.user)

    def old_sign_in(self):
        stand = self.stand
        with self.case("after ten minutes the current one is asked for with "
                       "every change", "DK-L-09 DK-S-15"):
            me, other = (stand.signed_in(self.user, self.password)
                         for _ in range(2))
            stand.pass_time(10 * MINUTE - 5)
            eq(self.act(me, "factor_begin").status, 200, "shortly before")
            stand.pass_time(10)
            other_id = other.jar.session()[:36]
            for action in ("end_others", "end_session", "factor_begin"):
                for password in ("", WRONG):
                    fields = {"id": other_id} if "session" in action else {}
                    answer = self.act(me, action, password=password, **fields)
                    eq(answer.status, 403, "%s with %r" % (action, password))
            true(self.let_in(other), "nothing has happened")
            old = me.jar.session()
            answer = self.act(me, "end_others", password=self.password)
            eq(answer.status, 303, "with the right one")
            true(me.jar.session()[:36] != old[:36], "a new id")
            true(not self.let_in(other), "the other is out")
            eq(self.act(me, "factor_begin").status, 200, "fresh again")
        self.unlock(self.user)
        with self.case("the change itself is such a sign-in", "DK-L-09"):
            self.me = stand.signed_in(self.user, self.password)
            stand.pass_time(11 * MINUTE)
            eq(self.try_change("one more for dave", WRONG).status, 403,
               "with a wrong one")
            self.changed("one more for dave")
            eq(self.act(self.me, "factor_begin").status, 200, "fresh now")

    def stolen_session(self):
        with self.case("a stolen session guesses no faster", "DK-T-01"):
            thief = self.stand.again(self.me)
            thief.jar.cookies = {"doorkeep": self.me.jar.session()}
            kinds = []
            while len(kinds) < 100 and 429 not in kinds:
                kinds.append(self.try_change(
                    "taken over by a thief", "guess number %d" % len(kinds),
                    thief).status)
            eq(set(kinds[:-1]), {403}, "answers before")
            true(kinds[-1] == 429 and len(kinds) <= 3 * GUESSES,
                 "guesses: %r" % kinds)
            answer = self.try_change("taken over by a thief", self.password,
                                     thief)
            eq(answer.status, 429, "with the right one")
        self.unlock(self.user)

    def short_one(self):
        with self.case("8 characters do with a second factor; when it goes, "
                       "a short one has to be changed", "DK-W-01 DK-W-09"):
            me = self.stand.signed_in(self.user, self.password)
            self.seed, _, _ = self.enrol(me)
            eq(self.try_change("7 chars", browser=me).status, 400, "seven")
            eq(self.try_change("8 chars!", browser=me).status, 303, "eight")
            self.stand.admin("user", "factor", self.user, "--remove")
            browser, answer = self.log_in(self.user, "8 chars!")
            true(answer.header("Location").startswith(
                self.stand.url("/set-password")), "where it leads")
            self.opens_nothing(browser)
            answer = browser.get(answer.header("Location"))
            answer = browser.submit(
                answer.page.form_with("new_password"),
                {"new_password": "8 chars?"}, self.stand.url("/set-password"))
            eq(answer.status, 400, "another short one")
            answer = browser.submit(
                answer.page.form_with("new_password"),
                {"new_password": "long enough for one"},
                self.stand.url("/set-password"))
            eq(answer.status, 303, "a long one")
            true(self.works("long enough for one"), "it works")


class Sessions(Part):
    title = "sessions"

    def run(self):
        self.stand.add_user("erin")
        self.stand.add_user("mallory")
        self.me = self.stand.signed_in("erin")
        self.listed()
        self.ended()
        self.strangers()
        self.recent()

    def forms(self, browser):
        return {f.fields["id"]: f for f in self.account(browser).page.forms
                if f.fields.get("action") == "end_session"}

    def listed(self):
        stand = self.stand
        with self.case("the page lists them with device, address and times",
                       "DK-S-15"):
            phone = stand.browser("198.51.100.77")
            phone.post_json(stand.url("/login"), {
                "username": "erin", "password": PASSWORD},
                {"User-Agent": FIREFOX})
            odd = stand.browser()
            odd.post_json(stand.url("/login"), {
                "username": "erin", "password": PASSWORD},
                {"User-Agent": "<script>alert(1)</script>\xff"})
            text = self.account(self.me).text
            for what in ("Firefox on Linux", "198.51.100.77", "this one",
                         self.me.address, " UTC"):
                true(what in text, what + " is not shown")
            true("<script" not in text, "a script")
            eq(set(self.forms(self.me)), {b.jar.session()[:36]
                                          for b in (phone, odd)},
               "sessions that can be ended")
            listed = self.me.fetch(stand.url("/account"),
                                   more={"Accept": "application/json"}).json
            eq([s["current"] for s in listed["sessions"]].count(True), 1,
               "current ones")
            self.phone, self.odd = phone, odd

    def ended(self):
        with self.case("one is ended, or all others", "DK-S-15 DK-S-11"):
            form = self.forms(self.me)[self.odd.jar.session()[:36]]
            answer = self.me.submit(form, {}, self.stand.url("/account"))
            eq(answer.status, 303, "status")
            true(not self.let_in(self.odd), "that one is out")
            true(self.let_in(self.phone) and self.let_in(self.me),
                 "the others are in")
            more = self.stand.signed_in("erin")
            self.strange = self.stand.signed_in("mallory")
            eq(self.act(self.me, "end_others").status, 303, "end_others")
            true(not self.let_in(self.phone) and not self.let_in(more),
                 "the others are out")
            true(self.let_in(self.me) and self.let_in(self.strange),
                 "this one and another's are in")

    def strangers(self):
        stand = self.stand
        with self.case("somebody else's cannot be ended, nor everybody's",
                       "DK-S-15 DK-S-14"):
            form = self.account(self.me).page.form_with("csrf_token")
            victim = self.strange.jar.session()
            for text in (victim[:36], victim[:36].upper(), "", "%", "x",
                         "' OR '1'='1", victim[:35], "0" * 36):
                answer = self.me.post_form(stand.url("/account"), {
                    "csrf_token": form.fields["csrf_token"],
                    "action": "end_session", "id": text})
                one_of(answer.status, (303, 400, 404), "with %r" % text)
                true(self.let_in(self.strange), "ended by %r" % text)
            true(self.let_in(self.me), "this one")
            token = self.me.fetch(stand.url("/session")).json["csrf_token"]
            for browser, token in ((self.strange, token), (self.me, "")):
                answer = browser.post_json(stand.url("/account"), {
                    "csrf_token": token, "action": "end_others"})
                eq((answer.status, answer.json["error"]),
                   (403, "bad_csrf_token"), "with another's token or none")

    def recent(self):
        stand = self.stand
        with self.case("recent sign-ins and the failures since the last one "
                       "are shown", "DK-L-18"):
            for name in ("erin", "ERIN", "Erin"):
                browser = stand.browser("203.0.113.5")
                eq(self.json_log_in(browser, name, WRONG).status, 401,
                   "a wrong guess")
            self.json_log_in(stand.browser("203.0.113.9"), "mallory", WRONG)
            me = stand.signed_in("erin")
            text = self.account(me).text
            true("3 failed attempts since" in text, "the number of failures")
            eq(text.count("Failed attempt"), 3, "failures listed")
            eq(text.count("203.0.113.5"), 3, "their addresses")
            true("203.0.113.9" not in text, "another's failure")
            true("Signed in" in text and me.address in text, "this sign-in")
            text = self.account(stand.signed_in("erin")).text
            true("failed attempt" not in text, "they are not new any more")
            true("Failed attempt" in text, "but listed")


class Limit(Part):
    title = "at most three sessions"

    def run(self):
        self.stand.add_user("erin")
        with self.case("the oldest is ended first", "DK-S-16"):
            browsers = [self.stand.signed_in("erin") for _ in range(5)]
            eq([self.let_in(b) for b in browsers],
               [False, False, True, True, True], "who is in")
        with self.case("%d sign-ins at once leave three" % AT_ONCE,
                       "DK-S-16 DK-Z-03"):
            self.stand.add_user("ed")
            browsers = [self.stand.browser() for _ in range(AT_ONCE)]
            answers = at_once(browsers,
                              lambda b: self.json_log_in(b, "ed"))
            kinds = [a.status for a in answers]
            for kind in set(kinds):
                one_of(kind, (200, 429, 503), "status")
            true(kinds.count(200) > 10, "sign-ins: %r" % sorted(kinds))
            eq(self.stand.sql("SELECT count(*) FROM active_sessions WHERE "
                              "username='ed'"), "3", "sessions")
            eq(sum(self.let_in(b) for b in browsers), 3, "who is in")


class OwnFiles(AccountStand):
    """The site's own stylesheet, logo and list of refused passwords."""

    style = "main{color:#123}\n"
    logo = '<svg xmlns="http://www.w3.org/2000/svg"/>\n'

    def write_site(self):
        super().write_site()
        write = self.box.write
        self.words = write("etc/words", "not at This Site\nnor that\n")
        self.extra = "[site]\nstylesheet = %s\nlogo = %s\n%s" \
            "password_blocklist = %s\n[log]\nformat = text\n" % (
                write("etc/style.css", self.style),
                write("etc/logo.svg", self.logo), self.extra, self.words)


class SitePart(Part):
    title = "files of the site's own"

    def run(self):
        stand = self.stand
        with self.case("stylesheet and logo are served"):
            page = stand.browser().get(stand.url("/login")).page
            for tag, key, text in (("link", "href", stand.style),
                                   ("img", "src", stand.logo)):
                href = [a[key] for name, a in page.tags if name == tag][0]
                answer = stand.browser().get(href)
                eq((answer.status, answer.text), (200, text), href)
        with self.case("its list refuses, and where it cannot be read "
                       "nothing passes", "DK-W-06"):
            def add(name, password):
                done = stand.admin("user", "add", name, "--password-stdin",
                                   stdin=password, check=False)
                return done.returncode, done.stderr.decode()
            status, why = add("frank", "Not At This Site")
            eq(status, 1, "exit status")
            true("Many people" in why, why)
            os.rename(stand.words, stand.words + ".away")
            status, why = add("frank", PASSWORD)
            eq(status, 1, "exit status")
            true("password_blocklist" in why and stand.words in why, why)
            os.rename(stand.words + ".away", stand.words)
            eq(add("frank", PASSWORD)[0], 0, "exit status")
            me = stand.signed_in("frank")
            os.rename(stand.words, stand.words + ".away")
            fields = {"csrf_token": me.fetch(stand.url("/session")).json[
                "csrf_token"], "action": "change_password",
                "current_password": PASSWORD, "new_password": WRONG}
            answer = me.post_json(stand.url("/account"), fields)
            eq((answer.status, answer.json["error"]), (503, "unavailable"),
               "answer")
            os.rename(stand.words + ".away", stand.words)
            answer = me.post_json(stand.url("/account"), dict(
                fields, new_password="NOT at this site"))
            eq((answer.status, answer.json["error"]),
               (400, "password_refused"), "answer")
            eq(me.post_json(stand.url("/account"), fields).status, 204,
               "answer")


def run(secrets, report):
    run_parts(secrets, report, (Passwords, Sessions))
    run_parts(secrets, report, (SitePart,), OwnFiles)
    run_parts(secrets, report, (Limit,),
              extra="[session]\nmax_per_user = 3\n")
