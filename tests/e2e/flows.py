"""The same story on every server: from the anonymous visit to the end of the
session, told by a strict browser and an administrator's tools."""

import secrets
import urllib.parse

from client import raw_exchange
from harness import PASSWORD, eq, matches, one_of, true

QUERY = "?a=1&b=%26x+y%2F&c=%E2%82%AC"
WRONG = "not the password of alice"


class Flow:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report
        self.page = "/private/page.html" + QUERY if stand.gate \
            else "/index.html" + QUERY

    def case(self, name, ids=""):
        return self.report.case("%s: %s" % (self.stand.name, name), ids,
                                self.stand.box)

    def run(self):
        self.prepare()
        self.anonymous()
        self.sign_in()
        self.other_browsers()
        self.account_page()
        self.sign_out()
        self.restart()
        self.administrator()
        if self.stand.gate:
            self.gate()

    # ---- helpers ----
    def sign_in_page(self, browser, wanted=None):
        """The sign-in page, in place of the wanted one or at its own URL;
        also the base for its form's action."""
        wanted = wanted or self.page
        if self.stand.gate:
            return browser.get(wanted), wanted
        base = self.stand.url("/login?next=" + urllib.parse.quote(wanted, ""))
        return browser.get(base), base

    def let_in(self, browser):
        """Does the session open the page (or, without a gate, /session)?"""
        if self.stand.gate:
            answer = browser.get(self.page)
            one_of(answer.status, (200, 401), "status of the page")
            eq("private page" in answer.text, answer.status == 200,
               "the private page is shown")
            return answer.status == 200
        return self.stand.is_signed_in(browser)

    # ---- the story ----
    def prepare(self):
        stand = self.stand
        with self.case("users are added from the command line", "DK-L-12"):
            stand.add_user("alice", PASSWORD, "--name", "Alice Liddell",
                           "--email", "alice@example.org", "--group", "staff")
            stand.add_user("bob")
        with self.case("the server starts with the shipped configuration"):
            stand.start()
        true(stand.server is not None and stand.server.poll() is None,
             stand.name + " does not run")
        with self.case("the public page is public"):
            answer = stand.browser().get("/index.html")
            eq(answer.status, 200, "status")
            true("public page" in answer.text, "the page itself")
        with self.case("/health answers"):
            answer = stand.browser().fetch(stand.url("/health"))
            eq((answer.status, answer.json["status"]), (200, "ok"), "health")

    def anonymous(self):
        stand = self.stand
        with self.case("an anonymous visitor gets the sign-in page",
                       "DK-W-11 DK-L-19"):
            browser = stand.browser()
            answer, _ = self.sign_in_page(browser)
            eq(answer.status, 401 if stand.gate else 200, "status")
            true("private page" not in answer.text, "nothing private in it")
            form = answer.page.form_with("password")
            eq(form.method, "POST", "method of the form")
            eq(form.fields["next"], self.page, "where it leads back to")
            eq(form.types["password"], "password", "type of the field")
            eq(form.attributes["password"]["autocomplete"],
               "current-password", "autocomplete")
            true(len(answer.body) <= 7168, "the page is small")
            eq(browser.jar.session(), None, "no session for visitors")
        with self.case("a script gets JSON, no page", "DK-L-17"):
            answer = stand.browser().fetch(stand.url("/session"))
            eq(answer.status, 401, "status")
            eq(answer.json["error"], "not_signed_in", "error")
            true(stand.mount in answer.json["login_url"], "login_url")
        with self.case("/account asks to sign in first"):
            answer = stand.browser().get(stand.url("/account"))
            one_of(answer.status, (401, 303), "status")

    def sign_in(self):
        stand = self.stand
        self.me = stand.browser()
        with self.case("a wrong password is refused, as an unknown name is",
                       "DK-T-07 DK-L-15"):
            bodies = []
            for name in ("alice", "nobody-knows-me"):
                browser = stand.browser()
                answer, base = self.sign_in_page(browser)
                answer = browser.sign_in(answer.page, base, name, WRONG)
                eq(answer.status, 401, "status")
                true(answer.header("WWW-Authenticate").startswith("Cookie"),
                     "WWW-Authenticate")
                form = answer.page.form_with("password")
                eq(form.fields["next"], self.page, "next survives")
                eq(form.fields["username"], name, "the name is kept")
                bodies.append(len(answer.body) - 2 * len(name))
                eq(browser.jar.session(), None, "no cookie")
        with self.case("the right one leads back, the query intact",
                       "DK-L-02 DK-O-03"):
            answer, base = self.sign_in_page(self.me)
            answer = self.me.sign_in(answer.page, base, "alice", PASSWORD)
            eq(answer.status, 303, "status")
            eq(answer.header("Location"), self.page, "Location")
            true(matches(r"^[0-9a-f-]{36}\.[A-Za-z0-9_-]{43}$",
                         self.me.jar.session() or ""), "form of the cookie")
            cookie = [c for c in answer.all("Set-Cookie")
                      if self.me.jar.session() in c][0]
            true("max-age" not in cookie.lower() and
                 "expires" not in cookie.lower(), "DK-C-06: no lifetime")
            answer = self.me.get(self.page, site="same-origin")
            eq(answer.status, 200, "the page opens")
        with self.case("/session says who it is", "DK-S-18"):
            answer = self.me.fetch(stand.url("/session"))
            eq(answer.status, 200, "status")
            user = answer.json["user"]
            eq(user["name"], "alice", "name")
            eq(user["display_name"], "Alice Liddell", "display name")
            eq(user["groups"], ["staff"], "groups")
            eq(answer.json["session"]["id"], self.me.jar.session()[:36],
               "the session's public id")
        with self.case("signed in already, /login leads on"):
            answer = self.me.get(stand.url("/login?next=%2Findex.html"))
            eq((answer.status, answer.header("Location")),
               (303, "/index.html"), "answer")
        with self.case("a planted cookie is not adopted", "DK-S-04 DK-L-03"):
            browser = stand.browser()
            planted = "00000000-0000-4000-8000-000000000000." + \
                secrets.token_urlsafe(32)
            browser.jar.cookies["doorkeep"] = planted
            true(not self.let_in(browser), "it does not open anything")
            browser.jar.cookies["doorkeep"] = planted
            answer, base = self.sign_in_page(browser)
            answer = browser.sign_in(answer.page, base, "bob", PASSWORD)
            eq(answer.status, 303, "sign-in")
            true(browser.jar.session() != planted, "a new one was made")

    def other_browsers(self):
        stand = self.stand
        with self.case("a program signs in with JSON", "DK-X-01"):
            self.second = stand.signed_in()
            self.third = stand.signed_in()
            true(self.let_in(self.second), "the second browser is in")
        with self.case("the command line lists sessions, by public id",
                       "DK-S-14"):
            text = stand.admin("session", "list", "--user",
                               "alice").stdout.decode()
            for browser in (self.me, self.second, self.third):
                public, _, secret = browser.jar.session().partition(".")
                true(public in text, "the id is listed")
                true(secret not in text, "the secret is not")
        with self.case("a public id is no cookie", "DK-S-14"):
            thief = stand.browser()
            thief.jar.cookies["doorkeep"] = self.me.jar.session()[:36]
            true(not self.let_in(thief), "refused")
        with self.case("revoked there, refused at the next request",
                       "DK-S-11 DK-S-12"):
            stand.admin("session", "revoke", self.second.jar.session()[:36])
            true(not self.let_in(self.second), "the second browser is out")
            true(self.let_in(self.third), "the third is in")
            true(self.let_in(self.me), "the first is in")

    def account_page(self):
        stand, url = self.stand, self.stand.url("/account")
        with self.case("the account page shows and ends other sessions",
                       "DK-S-15"):
            answer = self.me.get(url)
            eq(answer.status, 200, "status")
            true("alice" in answer.text, "the name is shown")
            other = self.third.jar.session()[:36]
            forms = [f for f in answer.page.forms
                     if f.fields.get("id") == other]
            eq(len(forms), 1, "forms that end the third session")
            answer = self.me.submit(forms[0], {}, url)
            one_of(answer.status, (200, 303), "status")
            true(not self.let_in(self.third), "the third browser is out")
            true(self.let_in(self.me), "the first is in")

    def sign_out(self):
        stand, old = self.stand, self.me.jar.session()
        with self.case("GET /logout shows a button and ends nothing",
                       "DK-L-05"):
            answer = self.me.get(stand.url("/logout"))
            eq(answer.status, 200, "status")
            true(self.let_in(self.me), "still signed in")
            self.logout_form = answer.page.form_with("csrf_token")
        with self.case("a foreign page cannot sign anybody out", "DK-X-01"):
            answer = self.me.post_form(
                stand.url("/logout"), self.logout_form.fields,
                {"Sec-Fetch-Site": "cross-site",
                 "Origin": "https://evil.example"})
            eq(answer.status, 403, "status")
            true(self.let_in(self.me), "still signed in")
        with self.case("signing out deletes row and cookie",
                       "DK-S-11 DK-C-07"):
            answer = self.me.submit(self.logout_form, {},
                                    stand.url("/logout"))
            eq(answer.status, 303, "status")
            true(answer.header("Location").endswith("/login"), "Location")
            eq(self.me.jar.session(), None, "the cookie is gone")
            eq(stand.sql("SELECT count(*) FROM sessions WHERE id='%s'" %
                         old[:36]), "0", "rows")
        with self.case("the old cookie opens nothing any more", "DK-S-11"):
            thief = stand.browser()
            thief.jar.cookies["doorkeep"] = old
            true(not self.let_in(thief), "the page")
            thief.jar.cookies["doorkeep"] = old
            eq(thief.fetch(stand.url("/session")).status, 401, "/session")
            thief.jar.cookies["doorkeep"] = old
            one_of(thief.get(stand.url("/account")).status, (401, 303),
                   "/account")
        with self.case("signing out again is no error", "DK-L-06"):
            answer = self.me.post_json(stand.url("/logout"), {})
            eq(answer.status, 204, "JSON without a session")

    def restart(self):
        stand = self.stand
        with self.case("sessions outlive a restart of server and workers"):
            self.me = stand.signed_in()
            stand.restart()
            true(self.let_in(self.me), "still signed in")

    def administrator(self):
        stand = self.stand
        with self.case("DELETE FROM active_sessions ends sessions",
                       "DK-S-12"):
            rows = stand.sql("SELECT id, username FROM active_sessions")
            true("|alice" in rows and self.me.jar.session()[:36] in rows,
                 "the view shows them")
            stand.sql("DELETE FROM active_sessions WHERE username='alice'")
            true(not self.let_in(self.me), "refused")
            true("session_revoked|success|alice" in stand.sql(
                "SELECT event, outcome, username FROM recent_events"),
                 "the event is written")
        with self.case("a disabled user is out at once and stays out",
                       "DK-S-12 DK-T-07"):
            one, two = stand.signed_in("bob"), stand.signed_in("bob")
            stand.admin("user", "disable", "bob")
            true(not self.let_in(one) and not self.let_in(two), "both out")
            answer = stand.browser().post_json(
                stand.url("/login"), {"username": "bob",
                                      "password": PASSWORD})
            eq((answer.status, answer.json["error"]),
               (401, "invalid_credentials"), "sign-in")
            stand.admin("user", "enable", "bob")
            true(not self.let_in(one), "the old session stays dead")
        with self.case("so is one that sqlite3 disables", "DK-S-12"):
            one = stand.signed_in("bob")
            stand.sql("UPDATE users SET disabled=1 WHERE username='bob'")
            true(not self.let_in(one), "out")
            stand.sql("UPDATE users SET disabled=0 WHERE username='bob'")
        with self.case("sign-ins and outs are in the audit trail",
                       "DK-E-03"):
            text = stand.sql("SELECT DISTINCT event || ' ' || outcome "
                             "FROM recent_events")
            for event in ("sign_in success", "sign_in failure",
                          "sign_out success"):
                true(event in text, event + " is not in " + text)

    # ---- what only a gate has ----
    def gate(self):
        stand = self.stand
        with self.case("every spelling of the guarded path is guarded"):
            for path in ("/private/page.html", "//private/page.html",
                         "/./private/page.html", "/%70rivate/page.html",
                         "/x/../private/page.html", "/private//page.html",
                         "/private/./page.html", "/private/",
                         "/private/sub/../page.html", "/private/nothing",
                         "/x/..%2fprivate/page.html", "/private%2fpage.html"):
                got = raw_exchange(stand.port, (
                    "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" %
                    (path, stand.browser().host)).encode())
                true(b"private page" not in got, path + " is open")
        with self.case("other methods do not get around it"):
            for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS",
                           "PROPFIND", "FOO"):
                answer = stand.browser().request(
                    method, "/private/page.html",
                    body=b"x" if method == "POST" else None)
                true(answer.status >= 400, "%s: %r" % (method, answer))
                true("private page" not in answer.text, method)
        me = stand.signed_in()
        with self.case("a directory's index opens, nothing is cached",
                       "DK-A-12"):
            answer = me.get("/private/")
            eq(answer.status, 200, "status")
            control = answer.header("Cache-Control") or ""
            true("private" in control or "no-store" in control,
                 "Cache-Control is %r" % control)
        with self.case("signed in but not permitted: 403"):
            answer = me.get("/private/admins/")
            eq(answer.status, 403, "status")
            true("private page" not in answer.text, "nothing private")
            eq(answer.all("Location"), [], "no redirect loop")
            stand.admin("user", "groups", "alice", "--add", "admins")
            eq(me.get("/private/admins/").status, 200, "with the group")
        with self.case("a script is refused with 401", "DK-L-17"):
            answer = stand.browser().fetch("/private/page.html")
            eq(answer.status, 401, "status")
            if stand.json_denials:
                eq(answer.json["error"], "not_signed_in", "error")
        with self.case("a POST to a guarded page is not replayed",
                       "DK-L-16"):
            browser = stand.browser()
            answer = browser.request("POST", "/private/page.html", {
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "text/html", "Sec-Fetch-Mode": "navigate"},
                b"field=value-of-the-form")
            eq(answer.status, 401, "status")
            true("value-of-the-form" not in answer.text, "not echoed")
