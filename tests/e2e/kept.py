"""Nothing that was typed is lost: a form that meets a session which is over.
Where the server passes the body on (nginx; Apache to a CGI program), it is
kept through the sign-in; elsewhere the page says what happened, and the browser still has the form."""

import os
import time
import urllib.parse

from browser import Visit
from enrol import enrol, second_step
from harness import PASSWORD, eq, true, wait_for
from hosting import Hosting
from servers import ApacheFcgid, LighttpdSpawned, Nginx

FORM = """<!doctype html><meta charset="utf-8"><title>Report</title>
<p>private report form</p>
<form method="post" action="/private/app/save?draft=1&amp;x=%26">
<label>Title <input name="title" id="title"></label>
<label>Text <textarea name="text" id="text"></textarea></label>
<input type="hidden" name="app_token" value="t0k3n-of-the-app">
<button name="do" value="save" id="save">Save</button></form>"""
TARGET = "/private/app/save?draft=1&x=%26"
TYPED = {"title": "Zoë's <b>\"report\"</b> & more",
         "text": "first line\r\n\r\n  third; a=b&c=d %41 +\r\n</textarea>"
                 "<script>", "app_token": "t0k3n-of-the-app", "do": "save"}


class Kept:
    """The same, as a strict browser sees it, on nginx."""

    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids=""):
        return self.report.case("kept form, %s: %s" % (
            self.stand.name, name), ids, self.stand.box)

    def expired(self, user="alice"):
        """A browser whose session has ended without its knowing."""
        browser = self.stand.signed_in(user)
        self.stand.sql("DELETE FROM active_sessions")
        return browser

    def send(self, browser, fields=None, more=None):
        return browser.post_form(TARGET, fields or TYPED, more)

    def confirmed(self, browser, answer):
        """The page with the data; press its button; what the app got."""
        eq(answer.status, 200, "status")
        forms = [f for f in answer.page.forms if f.action == TARGET]
        eq(len(forms), 1, "a form that goes to " + TARGET)
        true("csrf_token" not in forms[0].fields, "none of our tokens")
        echo = self.stand.echo
        echo.bodies.clear()
        done = browser.post_form(TARGET, forms[0].fields)
        eq(done.status, 200, "the application answers")
        return urllib.parse.parse_qs(echo.bodies[-1].decode(),
                                     keep_blank_values=True)

    def run(self):
        for step in (self.simple, self.through_mistakes, self.second_factor,
                     self.other_password, self.limits, self.foreign,
                     self.planted, self.another_tab, self.reloaded,
                     self.nothing_stored):
            step()

    def simple(self):
        with self.case("what was typed arrives after the sign-in",
                       "DK-L-16"):
            browser = self.expired()
            self.stand.echo.bodies.clear()
            answer = self.send(browser)
            eq(answer.status, 401, "status")
            true("is kept" in answer.text, "the page says so")
            true("report" not in answer.text.replace("Zo", ""),
                 "the data is sealed")
            answer = browser.sign_in(answer.page, TARGET, "alice", PASSWORD)
            eq(self.stand.echo.bodies, [], "nothing is sent by itself")
            got = self.confirmed(browser, answer)
            eq({k: v[0] for k, v in got.items()}, TYPED, "what arrived")

    def through_mistakes(self):
        with self.case("wrong passwords in between lose nothing", "DK-L-15"):
            browser = self.expired()
            answer = self.send(browser)
            for _ in range(2):
                answer = browser.sign_in(answer.page, TARGET, "alice",
                                         "not the password at all")
                eq(answer.status, 401, "status")
            answer = browser.sign_in(answer.page, TARGET, "alice", PASSWORD)
            got = self.confirmed(browser, answer)
            eq(got["text"], [TYPED["text"]], "the text")

    def second_factor(self):
        stand = self.stand
        with self.case("the second step loses nothing", "DK-L-15"):
            browser = stand.signed_in("carol")
            seed, _ = enrol(browser, stand, browser.get(stand.url(
                "/account")))
            stand.sql("DELETE FROM active_sessions")
            answer = self.send(browser)
            answer = browser.sign_in(answer.page, TARGET, "carol", PASSWORD)
            form = answer.page.form_with("totp_code")
            answer = browser.submit(form, {"totp_code": "000000"}, TARGET)
            eq(answer.status, 401, "a wrong code")
            answer = second_step(browser, stand, answer, seed)
            got = self.confirmed(browser, answer)
            eq(got["title"], [TYPED["title"]], "the title")

    def other_password(self):
        with self.case("a password that has to be changed loses nothing",
                       "DK-L-15 DK-W-09"):
            browser = self.expired("dave")
            self.stand.sql("UPDATE users SET must_change=1 "
                           "WHERE username='dave'")
            answer = self.send(browser)
            answer = browser.sign_in(answer.page, TARGET, "dave", PASSWORD)
            form = answer.page.form_with("new_password")
            answer = browser.submit(form, {"new_password": "short"}, TARGET)
            eq(answer.status, 400, "a short one")
            new = "an entirely " + PASSWORD
            self.stand.secrets.add(new, "password")
            form = answer.page.form_with("new_password")
            answer = browser.submit(form, {"new_password": new}, TARGET)
            answer = browser.sign_in(answer.page, TARGET, "dave", new)
            got = self.confirmed(browser, answer)
            eq(got["title"], [TYPED["title"]], "the title")

    def limits(self):
        with self.case("up to 64 KiB are kept, in the worst case too",
                       "DK-I-03"):
            browser = self.expired()
            text = "\"<&'" * 5000
            true(60000 < len(urllib.parse.urlencode({"t": text})) <= 65536,
                 "size of the test")
            answer = self.send(browser, {"t": text})
            answer = browser.sign_in(answer.page, TARGET, "alice", PASSWORD)
            eq(self.confirmed(browser, answer)["t"], [text], "the text")
        with self.case("more than that, files and damaged forms are not "
                       "kept, and the page says what to do"):
            browser = self.expired()
            for fields, more in (
                    ({"t": "x" * 66000}, None), ({"t": "x" * 900000}, None),
                    ({"f%d" % i: "1" for i in range(300)}, None),
                    ({"t": b"\xff\xfe"}, None), ({"t": "a\0b"}, None),
                    (TYPED, {"Content-Type": "text/plain"}),
                    (TYPED, {"Content-Encoding": "gzip"}),
                    (TYPED, {"Content-Type": "multipart/form-data; "
                             "boundary=x"})):
                answer = self.send(browser, fields, more)
                eq(answer.status, 401, "status")
                true("go back in your browser" in answer.text, answer.text)
                true("kept" not in answer.page.form_with("password").fields,
                     "nothing is kept")

    def foreign(self):
        with self.case("what another site sends is neither kept nor "
                       "delivered", "DK-X-01"):
            browser = self.expired()
            for more in ({"Sec-Fetch-Site": "cross-site",
                          "Origin": "https://evil.example"},
                         {"Sec-Fetch-Site": None,
                          "Origin": "https://evil.example"},
                         {"Sec-Fetch-Site": "same-site"}):
                answer = self.send(browser, None, more)
                eq(answer.status, 401, "status")
                true("another site led here" in answer.text, "it says so")
                true("kept" not in answer.page.form_with("password").fields,
                     "nothing is kept")
            answer = self.send(browser, None, {"Sec-Fetch-Site": None,
                                               "Origin": None})
            true("kept" not in answer.page.form_with("password").fields,
                 "nothing is kept without a proof of origin")

    def planted(self):
        with self.case("data that another browser sealed opens for nobody "
                       "else", "DK-L-04"):
            mallory = self.expired("mallory")
            planted = self.send(mallory).page.form_with(
                "password").fields["kept"]
            browser = self.expired()
            answer = browser.get("/private/page.html")
            form = answer.page.form_with("password")
            for kept in (planted, planted[:-4] + "AAAA", "x", "A" * 64,
                         "=" * 900):
                form.fields["kept"] = kept
                answer = browser.submit(form, {
                    "username": "alice", "password": "wrong on purpose"},
                    "/private/page.html")
                eq(answer.status, 401, "status")
                form = answer.page.form_with("password")
                true("kept" not in form.fields, "it is dropped")
            form.fields["kept"] = planted
            answer = browser.submit(form, {"username": "alice", "password":
                                           PASSWORD}, "/private/page.html")
            eq((answer.status, answer.header("Location")),
               (303, "/private/page.html"), "the sign-in leads on")

    def another_tab(self):
        with self.case("signed in by another tab, the form is there all "
                       "the same"):
            browser = self.expired()
            mine = self.send(browser)
            other = browser.get("/private/page.html")
            eq(browser.sign_in(other.page, "/private/page.html", "alice",
                               PASSWORD).status, 303, "the other tab")
            session = browser.jar.session()
            answer = browser.sign_in(mine.page, TARGET, "alice", PASSWORD)
            got = self.confirmed(browser, answer)
            eq(got["title"], [TYPED["title"]], "the title")
            eq(browser.jar.session(), session, "no second session")

    def reloaded(self):
        with self.case("the page with the data can be loaded again"):
            browser = self.expired()
            page = self.send(browser).page
            for _ in range(2):
                answer = browser.sign_in(page, TARGET, "alice", PASSWORD)
                got = self.confirmed(browser, answer)
                eq(got["title"], [TYPED["title"]], "the title")

    def nothing_stored(self):
        with self.case("a stranger's form leaves nothing in the store",
                       "DK-S-04 DK-X-06"):
            browser = self.stand.browser()
            before = self.rows()
            answer = self.send(browser)
            true(answer.page.form_with("password").fields["kept"], "kept")
            eq(self.rows(), before, "the store")

    def rows(self):
        """The store but its figures, which are counted now and then."""
        return [table for table in self.stand.dump().split("\n\n")
                if not table.startswith(("hours:", "session_samples:"))]


def honest(stand, report):
    """Where the body does not reach doorkeep."""
    with report.case("kept form, %s: the page says what happened" %
                     stand.name, "DK-L-16", stand.box):
        browser = stand.signed_in()
        stand.sql("DELETE FROM active_sessions")
        stand.echo.bodies.clear()
        answer = browser.post_form(TARGET, TYPED)
        eq(answer.status, 401, "status")
        true("go back in your browser" in answer.text, answer.text)
        answer = browser.sign_in(answer.page, TARGET, "alice", PASSWORD)
        eq((answer.status, answer.header("Location")), (303, TARGET),
           "on to the page")
        eq(stand.echo.bodies, [], "nothing was replayed")


class Typing(Visit):
    """Real keys in a real browser."""

    def __init__(self, stand, report, kept):
        super().__init__(stand, report, "doorkeep")
        self.kept = kept

    def case(self, name, ids=""):
        return self.report.case("kept form, chromium, %s: %s" % (
            self.stand.name, name), ids, self.stand.box)

    def field(self, name):
        return self.driver.find_element("name", name)

    def story(self):
        from selenium.webdriver.common.keys import Keys
        with self.case("typed, expired, signed in" +
                       (", sent" if self.kept else ", back, sent"),
                       "DK-L-16"):
            self.sign_in(Keys, "/private/form.html", "private report form")
            self.field("title").send_keys(TYPED["title"])
            self.field("text").send_keys("one", Keys.ENTER, "two </textarea>")
            self.stand.sql("DELETE FROM active_sessions")
            self.stand.echo.bodies.clear()
            self.driver.find_element("id", "save").send_keys(Keys.ENTER)
            self.shows("You were signed out", "the page")
            self.screenshot("signed-out-" + self.stand.name)
            self.keys("alice", Keys.TAB, "a wrong one", Keys.ENTER)
            self.shows("do not go together", "the page")
            self.keys(PASSWORD, Keys.ENTER)
            if self.kept:
                self.shows("Send what you typed", "the page")
                self.screenshot("kept-" + self.stand.name)
                eq(self.stand.echo.bodies, [], "nothing by itself")
                self.driver.refresh()   # the browser asks; it is told yes
                self.shows("Send what you typed", "the page again")
                eq(self.field("title").get_attribute("value"),
                   TYPED["title"], "the title")
                self.keys(Keys.ENTER)
            else:
                self.go_back(Keys)
            wait_for(lambda: self.stand.echo.bodies, 10, "the form")
            got = urllib.parse.parse_qs(self.stand.echo.bodies[-1].decode())
            eq(got["title"], [TYPED["title"]], "the title")
            eq(got["text"], ["one\r\ntwo </textarea>"], "the text")
            eq((got["do"], got["app_token"]), (["save"],
               [TYPED["app_token"]]), "the rest")

    def go_back(self, keys):
        """To the form, which the browser has filled in again."""
        for _ in range(5):
            time.sleep(0.5)
            if self.driver.find_elements("id", "save"):
                break
            self.driver.back()
        eq(self.field("title").get_attribute("value"), TYPED["title"],
           "the title")
        self.driver.find_element("id", "save").send_keys(keys.ENTER)

    def sign_in(self, keys, page, text):
        self.open(page)
        self.shows("Sign in", "the page")
        self.keys("alice", keys.TAB, PASSWORD, keys.ENTER)
        self.shows(text, "the page")


class Hosted:
    """CGI alone: Apache refuses by marker files and has doorkeep show the
    refusal, with the body of the form at hand."""

    target = "/marked/env.cgi?draft=1&x=%26"

    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids=""):
        return self.report.case("kept form, %s: %s" % (
            self.stand.name, name), ids, self.stand.box)

    def send(self, browser, fields=None, more=None, chunked=False):
        return browser.post_form(self.target, fields or TYPED, more, chunked)

    def expired(self):
        """The session is over and its marker gone, as after a while."""
        browser = self.stand.signed_in()
        self.stand.sql("DELETE FROM active_sessions")
        self.stand.browser().get(self.stand.url("/login"))
        return browser

    def confirmed(self, browser, answer):
        eq(answer.status, 200, "status")
        true("BODY=" not in answer.text, "nothing was sent by itself")
        forms = [f for f in answer.page.forms if f.action == self.target]
        eq(len(forms), 1, "a form that goes to " + self.target)
        done = browser.post_form(self.target, forms[0].fields)
        eq(done.status, 200, "the CGI program answers")
        return {k: v[0] for k, v in urllib.parse.parse_qs(
            done.text.partition("BODY=")[2], keep_blank_values=True).items()}

    def run(self):
        for chunked in (False, True):
            with self.case("what was typed arrives after the sign-in" +
                           (", of unknown length" if chunked else ""),
                           "DK-L-16"):
                browser = self.expired()
                answer = self.send(browser, chunked=chunked)
                eq(answer.status, 401, "status")
                true("is kept" in answer.text, "the page says so")
                answer = browser.sign_in(answer.page, self.target, "alice",
                                         "not the password at all")
                answer = browser.sign_in(answer.page, self.target, "alice",
                                         PASSWORD)
                eq(self.confirmed(browser, answer), TYPED, "what arrived")
        with self.case("a marker that is gone loses nothing either",
                       "DK-L-15"):
            browser = self.stand.signed_in()
            for path in self.stand.marker_files():
                os.unlink(path)
            answer = self.send(browser)
            eq(self.confirmed(browser, answer), TYPED, "what arrived")
        with self.case("up to 64 KiB are kept, more and files are not",
                       "DK-I-03"):
            browser = self.expired()
            text = "\"<&'" * 5000
            answer = self.send(browser, {"t": text})
            answer = browser.sign_in(answer.page, self.target, "alice",
                                     PASSWORD)
            eq(self.confirmed(browser, answer)["t"], text, "the text")
            browser = self.expired()
            for fields, more in (
                    ({"t": "x" * 66000}, None), ({"t": "x" * 900000}, None),
                    (TYPED, {"Content-Type": "multipart/form-data; "
                             "boundary=x"})):
                answer = self.send(browser, fields, more)
                eq(answer.status, 401, "status")
                true("go back in your browser" in answer.text, answer.text)
        with self.case("what another site sends is neither kept nor "
                       "delivered", "DK-X-01"):
            browser = self.expired()
            answer = self.send(browser, None, {
                "Sec-Fetch-Site": "cross-site",
                "Origin": "https://evil.example"})
            eq(answer.status, 401, "status")
            true("another site led here" in answer.text, "it says so")


def prepare(stand):
    for name in ("alice", "carol", "dave", "mallory"):
        stand.add_user(name)
    stand.box.write("htdocs/private/form.html", FORM)
    stand.start()


def hosted(secrets, report):
    stand = Hosting(secrets)
    try:
        stand.add_user("alice", PASSWORD, "--group", "staff")
        stand.start()
        Hosted(stand, report).run()
    finally:
        problems = stand.close()
    with report.case("kept form, %s: nothing is left behind" % stand.name,
                     "DK-E-05"):
        eq(problems, [], "problems")


def run(secrets, report):
    hosted(secrets, report)
    for kind, kept in ((Nginx, True), (LighttpdSpawned, False),
                       (ApacheFcgid, True)):
        stand = kind(secrets, backends=True)
        try:
            prepare(stand)
            if kept:
                Kept(stand, report).run()
            else:
                honest(stand, report)
            Typing(stand, report, kept).run()
        finally:
            problems = stand.close()
        with report.case("kept form, %s: nothing is left behind" %
                         stand.name, "DK-E-05"):
            eq(problems, [], "problems")
