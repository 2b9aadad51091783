"""Who the applications behind the gate are told that it is, and that nobody
else can say so: a CGI, a PHP script and a proxied application that print
what they see, and a calendar server that believes it (DK-A-09, DK-G-06)."""

import hashlib
import os

from client import NAVIGATION
from harness import eq, one_of, true

FALSE = "mallory-the-forger"
# Each way of writing that some server or application takes for ours.
NAMES = ("Remote-User", "Remote_User", "REMOTE_USER", "rEmOtE-uSeR",
         "Remote.User", "X-Remote-User", "X_Remote_User", "x-remote-USER",
         "Remote-Groups", "Remote_Groups", "Remote-Name", "Remote_Name",
         "Remote-Email", "Remote_Email", "Remote-Session", "Remote_Session",
         "Doorkeep-Session", "DOORKEEP_SESSION")
# What tells of a person, a place or a proxy in other circles.
OTHERS = ("Variable-REMOTE_USER", "Variable_REMOTE_USER", "Auth-Type",
          "AUTH_TYPE", "Variable-DOORKEEP_GATE", "DOORKEEP_GATE", "Proxy",
          "Doorkeep-Secret")
ELSEWHERE = {"X-Original-URI": "/private/open/show.php",
             "X-Original-URL": "/private/open/show.php",
             "X-Rewrite-URL": "/private/open/show.php",
             "X-Forwarded-Uri": "/private/open/show.php",
             "X-Forwarded-Prefix": "/private/open",
             "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost",
             "X-Forwarded-Proto": "https", "Forwarded": "for=127.0.0.1",
             "X-HTTP-Method-Override": "OPTIONS",
             "Redirect-Status": "200", "Request-Uri": "/private/open/",
             "Script-Name": "/auth", "Path-Info": "/check"}
# "mallory" in Basic credentials that nobody has checked.
BASIC = {"Authorization": "Basic bWFsbG9yeS10aGUtZm9yZ2VyOng="}

# Of doorkeep, in every variant of its names, and of others.
COOKIES = ("first=1", "doorkeep-device=d", "__Host-doorkeep-device=d",
           "mydoorkeep=2", "doorkeep-login=l", "doorkeep2=3",
           "__Secure-doorkeep=s", "doorkeep-gate=g", "last=x=y")
OTHER_COOKIES = "first=1; mydoorkeep=2; doorkeep2=3; last=x=y"
BODY = os.urandom(100_001)


def seen_by_program(answer):
    """What show.cgi and show.php print."""
    return dict(line.partition("=")[::2] for line in answer.text.split("\n"))


def seen_by_application(answer):
    """The same of the proxied one; header names as CGI writes them."""
    seen = {"SAYS": answer.json["says"], "BODY": answer.json["body"]}
    for name, value in answer.json["headers"]:
        name = "HTTP_" + name.upper().replace("-", "_")
        seen[name] = seen[name] + "," + value if name in seen else value
    return seen


BACKENDS = {"cgi": ("/private/show.cgi", "", seen_by_program),
            "php": ("/private/show.php", "", seen_by_program),
            "app": ("/private/app/show", "HTTP_", seen_by_application)}


class Identity:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids=""):
        return self.report.case("%s: %s" % (self.stand.name, name), ids,
                                self.stand.box)

    def run(self):
        """After the flow: alice and bob are there, the server runs."""
        if not self.stand.full:
            self.forged_session()
            return
        self.me = self.stand.signed_in()
        for kind in BACKENDS:
            self.backend(kind)
        self.files()
        self.calendar()
        if self.stand.has_todos:
            self.todos()

    def forged_session(self):
        with self.case("a forged Remote-User signs nobody in", "DK-G-06"):
            for forged in self.forgeries():
                answer = self.stand.browser().fetch(
                    self.stand.url("/session"), more=forged)
                true(answer.status in (400, 401), "%r: %r" % (answer, forged))

    @staticmethod
    def forgeries():
        """One header each, and some at once."""
        for name in NAMES + OTHERS:
            yield {name: FALSE}
        yield {name: FALSE for name in NAMES[:1] + NAMES[5:6]}
        yield {"Remote-User": ["alice", FALSE]}
        yield {"Remote-User": "alice", "Remote_User": FALSE,
               "X-Remote-User": FALSE, "remote.user": FALSE}
        yield dict(BASIC)
        for name, value in ELSEWHERE.items():
            yield {name: value}

    def ask(self, browser, path, more, method="GET", body=None):
        return browser.request(method, path, dict(NAVIGATION, **more), body)

    # ---- each kind of backend ----
    def backend(self, kind):
        path, prefix, seen_by = BACKENDS[kind]
        with self.case(kind + " is told who it is", "DK-A-02 DK-A-09"):
            answer = self.ask(self.me, path, {})
            eq(answer.status, 200, "status")
            self.knows_alice(seen_by(answer), prefix)
            eq(seen_by(answer)["SAYS"], self.stand.treasure[kind], "answer")
            true("no-store" in ", ".join(answer.all("Cache-Control")) or
                 "private" in ", ".join(answer.all("Cache-Control")),
                 "Cache-Control of the page")
        with self.case(kind + ": nobody but doorkeep can say who it is",
                       "DK-A-09 DK-G-06 DK-G-03 DK-G-02"):
            for forged in self.forgeries():
                answer = self.ask(self.me, path, forged)
                eq(answer.status, 200, "status with %r" % forged)
                self.knows_alice(seen_by(answer), prefix)
                self.is_not_forged(seen_by(answer), forged)
        with self.case(kind + ": forged headers let nobody in",
                       "DK-G-06 DK-A-06"):
            for forged in self.forgeries():
                answer = self.ask(self.stand.browser(), path, forged)
                one_of(answer.status, (401, 403), "status with %r" % forged)
                true(self.stand.treasure[kind] not in answer.text, "content")
        with self.case(kind + ": a page for everybody has no user"):
            for forged in ({}, BASIC, {"Remote-User": FALSE}):
                answer = self.ask(self.stand.browser(), path.replace(
                    "/private/", "/private/open/")
                    if kind != "app" else "/private/app/open/x", forged)
                eq(answer.status, 200, "status")
                seen = seen_by(answer)
                true(seen["SAYS"].startswith("open to everybody"), "page")
                for name in ("REMOTE_USER", "HTTP_REMOTE_USER",
                             "HTTP_X_REMOTE_USER", "REMOTE_GROUPS"):
                    eq(seen.get(name, ""), "", name)
        with self.case(kind + " gets the other cookies and none of ours"):
            cookies = list(COOKIES)
            cookies.insert(3, "doorkeep=" + self.me.jar.session())
            answer = self.ask(self.me, path, {"Cookie": "; ".join(cookies)})
            eq(answer.status, 200, "status")
            eq(seen_by(answer).get("HTTP_COOKIE"), OTHER_COOKIES, "Cookie")
            answer = self.ask(self.me, path, {})
            eq(seen_by(answer).get("HTTP_COOKIE", ""), "", "Cookie, ours alone")
            true(self.me.jar.session() not in answer.text, "the session")
        with self.case(kind + " gets the body as it was sent"):
            answer = self.ask(self.me, path, {
                "Content-Type": "application/octet-stream"}, "POST", BODY)
            eq(answer.status, 200, "status")
            eq(seen_by(answer)["BODY"], hashlib.sha256(BODY).hexdigest(),
               "SHA-256 of the body")
            self.knows_alice(seen_by(answer), prefix)

    def knows_alice(self, seen, prefix):
        for name, value in (("REMOTE_USER", "alice"),
                            ("REMOTE_GROUPS", "admins,staff"),
                            ("REMOTE_NAME", "Alice Liddell"),
                            ("REMOTE_EMAIL", "alice@example.org")):
            eq(seen.get(prefix + name), value, prefix + name)
        eq(seen.get("HTTP_REMOTE_SESSION" if prefix else "DOORKEEP_SESSION"),
           self.me.jar.session()[:36], "the session's public name")
        true(self.stand.secret not in seen.values(), "the gate's secret")
        true("HTTP_PROXY" not in seen or prefix, "HTTP_PROXY")

    @staticmethod
    def is_not_forged(seen, forged):
        """The false name may stand under a name that is the client's alone,
        as HTTP_VARIABLE_REMOTE_USER, and nowhere else."""
        own = {"HTTP_" + name.upper().replace("-", "_") for name in OTHERS}
        own |= {"HTTP_DOORKEEP_SESSION", "HTTP_AUTHORIZATION",
                "PHP_AUTH_USER", "HTTP_REMOTE.USER"}
        for name, value in seen.items():
            true(FALSE not in value or name in own,
                 "%s=%s with %r" % (name, value, forged))

    def files(self):
        with self.case("files: forged headers let nobody in",
                       "DK-G-06 DK-A-06"):
            for forged in self.forgeries():
                answer = self.ask(self.stand.browser(), "/private/secret.txt",
                                  forged)
                one_of(answer.status, (401, 403), "status with %r" % forged)
                true(self.stand.treasure["file"] not in answer.text,
                     "content with %r" % forged)

        if self.stand.hides_ht:
            with self.case("files: what is closed to everybody stays closed",
                           "DK-A-06"):
                for browser in (self.me, self.stand.browser()):
                    answer = self.ask(browser, "/private/.htpasswd", {})
                    one_of(answer.status, (401, 403, 404), "status")
                    true("sees-this" not in answer.text, "content")

    def calendar(self):
        """Radicale knows nothing of doorkeep."""
        with self.case("a calendar server of others has its owner",
                       "DK-A-09"):
            mine, other = "/private/calendar/alice/", self.stand.signed_in(
                "bob")
            eq(self.calendar_asks(self.me, mine), 207, "alice, her own")
            true(self.calendar_asks(self.me, "/private/calendar/bob/") in
                 (403, 404), "alice, bob's")
            for forged in ({}, {"X-Remote-User": "alice"},
                           {"X_Remote_User": "alice"},
                           {"X-Remote-User": ["alice", "alice"]},
                           {"Remote-User": "alice"}):
                true(self.calendar_asks(other, mine, forged) in (403, 404),
                     "bob with %r" % forged)
                eq(self.calendar_asks(self.stand.browser(), mine, forged),
                   401, "nobody with %r" % forged)

    def calendar_asks(self, browser, path, more=None):
        answer = self.ask(browser, path, dict(more or {}, Depth="0"),
                          "PROPFIND")
        return answer.status

    def todos(self):
        """Two people, each with a list of their own."""
        with self.case("the to-do example keeps a list for each person"):
            other = self.stand.signed_in("bob")
            eq(self.stand.browser().get("/todos/").status, 401, "anonymous")
            self.add_todo(self.me, "water <the> plants")
            self.add_todo(other, "feed the cat")
            mine, theirs = self.me.get("/todos/"), other.get("/todos/")
            true("water &lt;the&gt; plants" in mine.text, "mine, escaped")
            true("feed the cat" not in mine.text, "only mine")
            true("feed the cat" in theirs.text, "theirs")
            true("plants" not in theirs.text, "only theirs")
        with self.case("a forged name opens nobody's list", "DK-G-06"):
            answer = self.me.request("GET", "/todos/", dict(
                NAVIGATION, **{"Remote-User": "bob", "Remote_User": "bob",
                               "X-Remote-User": "bob"}))
            true("feed the cat" not in answer.text, "bob's list")

    def add_todo(self, browser, text):
        answer = browser.get("/todos/")
        eq(answer.status, 200, "status of the list")
        form = [f for f in answer.page.forms
                if "text" in f.types.values()][0]
        field = [n for n, kind in form.types.items() if kind == "text"][0]
        answer = browser.submit(form, {field: text}, "/todos/")
        true(answer.status in (200, 303), "adding: %r" % answer)
