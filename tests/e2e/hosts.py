"""One doorkeep for several hosts: each has its own rules and its own
sessions; with [cookie] domain they share one."""

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
    shared(secrets, report)
