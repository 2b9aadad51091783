"""One doorkeep for several hosts: each has its own rules and its own
sessions; with [cookie] domain they share one."""

import glob
import os
import re

from client import Browser
from harness import PASSWORD, eq, true
from servers import ApacheFcgid, LighttpdSpawned, Nginx

RULES = """
b.localhost/private/admins/ = public
/private/admins/ = group:admins
/private/ = any
"""


def with_two_hosts(kind):
    class Two(kind):
        name = kind.name + "-two-hosts"
        domain = ""

        def config(self):
            return super().config().replace(
                "origin = %s" % self.origin, "origin = %s, %s" % (
                    self.origin, self.second)).replace(
                "[access]", self.domain + "[access]")

        @property
        def second(self):
            return self.origin.replace("//localhost", "//b.localhost")

    return Two


class Hosts:
    def __init__(self, kind, secrets, report):
        self.stand, self.report = with_two_hosts(kind)(secrets, rules=RULES), \
            report

    def case(self, name, ids=""):
        return self.report.case("hosts, %s: %s" % (self.stand.name, name),
                                ids, self.stand.box)

    def browser(self, origin):
        return Browser(origin, self.stand.check, self.stand.secrets)

    def signed_in(self, origin):
        browser = self.browser(origin)
        answer = browser.get("/private/page.html?a=1&b=%26")
        eq(answer.status, 401, "the form in place")
        done = browser.sign_in(answer.page, "/private/page.html", "alice",
                               PASSWORD)
        eq((done.status, done.header("Location")),
           (303, "/private/page.html?a=1&b=%26"), "back on the same host")
        eq(browser.get("/private/page.html").status, 200, "the page")
        return browser

    def run(self):
        stand = self.stand
        try:
            stand.add_user("alice", PASSWORD)
            stand.start()
            self.stories()
        finally:
            problems = stand.close()
        with self.case("nothing is left behind", "DK-E-05"):
            eq(problems, [], "problems")

    def stories(self):
        stand = self.stand
        first, second = stand.origin, stand.second
        with self.case("a session of one host is none on the other",
                       "DK-S-19"):
            for here, there in ((first, second), (second, first)):
                browser = self.signed_in(here)
                thief = self.browser(there)
                thief.jar.cookies = dict(browser.jar.cookies)
                eq(thief.get("/private/page.html").status, 401,
                   "the other host's gate")
                eq(thief.fetch(stand.url("/session")).status, 401,
                   "the other host's /session")
                eq(browser.get("/private/page.html").status, 200,
                   "and it is left alone")
        with self.case("signing out of one leaves the other"):
            a, b = self.signed_in(first), self.signed_in(second)
            token = a.fetch(stand.url("/session")).json["csrf_token"]
            eq(a.post_json(stand.url("/logout"),
                           {"csrf_token": token}).status, 204, "sign-out")
            eq(a.get("/private/page.html").status, 401, "out here")
            eq(b.get("/private/page.html").status, 200, "in there")
        with self.case("rules name their host, and explain says which"):
            eq(self.browser(second).get("/private/admins/").status, 200,
               "public there")
            eq(self.browser(first).get("/private/admins/").status, 401,
               "not here")
            eq(self.signed_in(first).get("/private/admins/").status, 403,
               "nor for alice")
            for origin, says in ((second, "allowed"), (first, "denied")):
                answer = stand.admin_json(
                    "explain", origin + "/private/admins/", "--user", "alice")
                eq(answer["answer"], says, "explain " + origin)
                line = 1 + stand.box.read("etc/doorkeep.conf").split(
                    "\n").index(answer["rule"])
                eq(answer["line"], line, "the line")
        with self.case("a host that is in no list gets no session of any",
                       "DK-X-04"):
            browser = self.signed_in(first)
            other = self.browser(first.replace("//localhost", "//c.localhost"))
            answer = other.get(stand.url("/login"))
            form = answer.page.form_with("password")
            done = other.submit(form, {"username": "alice", "password":
                                       PASSWORD}, stand.url("/login"))
            eq(done.status, 403, "a sign-in at a name that is not ours")
            true("origin" in done.text, "the page names the key")
            eq(browser.get("/private/page.html").status, 200, "ours goes on")


class SignOn(Hosts):
    """[session] single_sign_on, from one host to the other."""

    def __init__(self, kind, secrets, report):
        self.codes, two = set(), with_two_hosts(kind)
        two.name = kind.name + "-single-sign-on"
        two.domain = "[session]\nsingle_sign_on = yes\n"
        self.stand, self.report = two(secrets, rules="\n/private/new/ = any; reauth=10m" +
                                      RULES), report

    def step(self, browser, url, to):
        """Follow a redirect that has to lead to this origin; its path."""
        answer = browser.get(url, site="same-site")
        place = answer.header("Location")
        eq(answer.status, 303, "redirect of " + url.split("?")[0])
        true(place.startswith(to + "/"), "leads to " + place.split("?")[0])
        eq(answer.header("Referrer-Policy"), "no-referrer", "no referrer")
        return place[len(to):]

    def link(self, browser):
        """The link of the form in place."""
        answer = browser.get("/private/page.html?a=1&b=%26")
        eq(answer.status, 401, "the form in place")
        links = [a["href"] for tag, a in answer.page.tags
                 if tag == "a" and "/sso?" in a.get("href", "")]
        eq(len(links), 1, "one link")
        true("Go on with your sign-in at localhost" in answer.text, "words")
        return links[0]

    def code(self, first, second):
        """Up to the host that asked; the address with the code in it."""
        origins = self.stand.origin, self.stand.second
        back = self.step(first, self.step(second, self.link(second),
                                          origins[0]), origins[1])
        code = re.search("[?&]code=([A-Za-z0-9_-]{43})&", back).group(1)
        self.codes.add(code)
        return back

    def logs_are_clean(self):
        """doorkeep writes no code anywhere; the server's log of addresses
        has used ones in it."""
        box, looked = self.stand.box, 0
        for path in glob.glob(box.path("**"), recursive=True):
            if not os.path.isfile(path) or path.endswith("access.log"):
                continue
            with open(path, "rb") as f:
                data, looked = f.read(), looked + 1
            for code in self.codes:
                true(code.encode() not in data, "a code in " + path)
        true(looked > 3 and len(self.codes) > 2, "what was looked at")

    def stories(self):
        stand = self.stand
        page = "/private/page.html?a=1&b=%26"
        with self.case("a sign-in is taken over, by one click", "DK-S-19"):
            a, b = self.signed_in(stand.origin), self.browser(stand.second)
            back = self.code(a, b)
            eq(self.step(b, back, stand.second), page, "the page")
            eq(b.get(page).status, 200, "seen")
            eq(a.get(page).status, 200, "and the first host too")
            true(a.jar.session() != b.jar.session(), "two sessions")
        with self.case("used, the code is dead; signing out of one is "
                       "signing out of both", "DK-S-06"):
            c = self.browser(stand.second)
            c.jar.cookies = {k: v for k, v in b.jar.cookies.items()
                             if k != "doorkeep"}
            true("failed=1" in self.step(c, back, stand.second), "refused")
            eq(c.jar.session(), None, "no session")
            token = b.fetch(stand.url("/session")).json["csrf_token"]
            eq(b.post_json(stand.url("/logout"),
                           {"csrf_token": token}).status, 204, "sign-out")
            eq(b.get(page).status, 401, "out here")
            eq(a.get(page).status, 401, "and out there")
        with self.case("who is signed in nowhere does so on the way",
                       "DK-O-03"):
            a, b = self.browser(stand.origin), self.browser(stand.second)
            ask = self.step(b, self.link(b), stand.origin)
            answer = a.get(ask, site="same-site")
            eq(answer.status, 401, "the form of the first host")
            done = a.sign_in(answer.page, ask, "alice", PASSWORD)
            eq((done.status, done.header("Location")), (303, ask), "back")
            back = self.step(a, ask, stand.second)
            eq(self.step(b, back, stand.second), page, "the page")
            eq(b.get(page).status, 200, "seen")
        with self.case("a code stolen on the way opens nothing, and then "
                       "nothing at all", "DK-L-03"):
            a, b = self.signed_in(stand.origin), self.browser(stand.second)
            thief = self.browser(stand.second)
            back = self.code(a, b)
            self.step(thief, self.link(thief), stand.origin)
            for each in (thief, b):
                form = self.step(each, back, stand.second)
                eq(each.jar.session(), None, "no session")
                answer = each.get(form)
                eq(answer.status, 401, "the form again")
                true("code=" not in answer.text, "the code is in no page")
                eq(each.sign_in(answer.page, form, "alice", PASSWORD)
                   .header("Location"), page, "by hand it works")
        with self.case("a page that wants a fresh sign-in still does",
                       "DK-L-10"):
            a, b = self.signed_in(stand.origin), self.browser(stand.second)
            stand.sql("UPDATE sessions SET authenticated_at = "
                      "authenticated_at - 1200000")
            self.step(b, self.code(a, b), stand.second)
            eq(b.get(page).status, 200, "signed in")
            eq(b.fetch("/private/new/").status, 401, "but not freshly")
        with self.case("no code is written anywhere", "DK-E-05"):
            self.logs_are_clean()


def shared(secrets, report):
    kind = with_two_hosts(Nginx)
    kind.domain = "[cookie]\ndomain = localhost\n"
    stand = kind(secrets, rules=RULES)
    name = "hosts, %s: " % stand.name
    try:
        stand.add_user("alice", PASSWORD)
        stand.start()
        with report.case(name + "[cookie] domain shares the session",
                         "DK-S-19 DK-C-12", stand.box):
            browser = stand.signed_in()
            other = Browser(stand.second, stand.check, secrets)
            other.jar.cookies = dict(browser.jar.cookies)
            eq(other.get("/private/page.html").status, 200, "shared")
    finally:
        problems = stand.close()
    with report.case(name + "nothing is left behind, with a domain"):
        eq(problems, [], "problems")


def run(secrets, report):
    for kind in (Nginx, LighttpdSpawned, ApacheFcgid):
        Hosts(kind, secrets, report).run()
    for kind in (Nginx, LighttpdSpawned, ApacheFcgid):
        SignOn(kind, secrets, report).run()
    shared(secrets, report)
