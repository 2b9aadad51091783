"""Who the application behind the gate is told that it is, and that nobody
else can say so (DK-A-09, DK-G-06)."""

from client import NAVIGATION
from harness import eq, true

FORGED = {"Remote-User": "admin", "X-Remote-User": "admin",
          "Remote_User": "admin", "X_Remote_User": "admin",
          "Remote-Groups": "admins", "Remote_Groups": "admins",
          "Remote-Session": "admin"}


class Identity:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids=""):
        return self.report.case("%s: %s" % (self.stand.name, name), ids,
                                self.stand.box)

    def run(self):
        """After the flow: alice and bob are there, the server runs."""
        if not self.stand.gate:
            self.forged_session()
            return
        self.me = self.stand.signed_in()
        self.forged_gate()
        if self.stand.has_cgi:
            self.cgi_variables()
        if self.stand.has_proxy:
            self.proxied()
        if self.stand.has_todos:
            self.todos()

    def forged_session(self):
        with self.case("a forged Remote-User signs nobody in", "DK-G-06"):
            answer = self.stand.browser().fetch(self.stand.url("/session"),
                                                more=FORGED)
            eq(answer.status, 401, "status")

    def forged_gate(self):
        with self.case("a forged Remote-User opens nothing", "DK-G-06"):
            answer = self.stand.browser().request(
                "GET", "/private/page.html", dict(NAVIGATION, **FORGED))
            eq(answer.status, 401, "status")
            true("private page" not in answer.text, "nothing private")

    def cgi_variables(self):
        with self.case("a CGI behind the gate knows its user", "DK-A-02"):
            answer = self.me.request("GET", "/private/env.cgi",
                                     dict(NAVIGATION, **FORGED))
            eq(answer.status, 200, "status")
            env = dict(line.partition("=")[::2]
                       for line in answer.text.splitlines())
            eq(env.get("REMOTE_USER"), "alice", "REMOTE_USER")
            true("staff" in env.get("REMOTE_GROUPS", ""), "REMOTE_GROUPS")
            eq(env.get("REMOTE_NAME"), "Alice Liddell", "REMOTE_NAME")
            eq(env.get("REMOTE_EMAIL"), "alice@example.org", "REMOTE_EMAIL")
            eq(env.get("DOORKEEP_SESSION"), self.me.jar.session()[:36],
               "DOORKEEP_SESSION")
            true("DOORKEEP_SECRET" not in env, "the gate's secret is ours")
            for name, value in env.items():
                if name.startswith("HTTP_"):
                    true(value not in ("admin", "admins"),
                         "forged %s arrives" % name)

    def proxied(self):
        with self.case("a proxied application learns it from our headers "
                       "alone", "DK-A-09"):
            self.me.jar.cookies["theirs"] = "1"
            answer = self.me.request("GET", "/private/app/x",
                                     dict(NAVIGATION, **FORGED))
            self.me.jar.cookies.pop("theirs")
            eq(answer.status, 200, "status")
            headers = answer.json["headers"]
            for name, value in headers:
                true(value not in ("admin", "admins"),
                     "forged %s arrives" % name)
            told = [v for n, v in headers if n.lower() == "remote-user"]
            if self.stand.name.startswith("lighttpd"):
                forwarded = dict(headers).get("Forwarded", "")
                true('remote_user="alice"' in forwarded, "Forwarded")
            else:
                eq(told, ["alice"], "Remote-User")
                cookie = dict(headers).get("Cookie", "")
                eq(cookie, "theirs=1", "Cookie")
        with self.case("without a session it is not even asked"):
            answer = self.stand.browser().get("/private/app/x")
            eq(answer.status, 401, "status")
            true('"headers"' not in answer.text, "the application")

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
