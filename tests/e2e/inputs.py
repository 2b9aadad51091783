"""Bad and odd input through a real server: a clear status, never a crash,
never a half-done action."""

import json
import os
import urllib.parse

from client import NAVIGATION, raw_exchange
from harness import PASSWORD, eq, one_of, true

METHODS = {  # what each route allows beside HEAD
    "/login": ("GET", "POST"), "/logout": ("GET", "POST"),
    "/session": ("GET",), "/health": ("GET",), "/account": ("GET", "POST"),
    "/style.css": ("GET",),
}
TRIED = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
         "PROPFIND", "get", "FOO")


class Inputs:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids=""):
        return self.report.case("%s: %s" % (self.stand.name, name), ids,
                                self.stand.box)

    def run(self):
        self.bodies()
        self.methods()
        self.paths()
        self.cross_site()
        self.safe_methods()
        self.odd_sign_ins()
        with self.case("and it still works after all that", "DK-E-02"):
            true(self.stand.is_signed_in(self.stand.signed_in()), "sign-in")

    def bodies(self):
        stand, login = self.stand, self.stand.url("/login")
        with self.case("a body of 10 MB is refused", "DK-I-03"):
            answer = stand.browser().request(
                "POST", login, {"Content-Type": "application/json"},
                b"x" * (10 << 20))
            # Apache's own limit comes out of mod_fcgid as 400.
            one_of(answer.status, (413, 400), "status")
        with self.case("a body of 100 kB is told that it is too large",
                       "DK-I-03"):
            answer = stand.browser().request(
                "POST", login, {"Content-Type": "application/json"},
                b"x" * 100000)
            eq(answer.status, 413, "status")
        with self.case("a chunked sign-in works or is refused clearly",
                       "DK-I-07"):
            browser = stand.browser()
            body = json.dumps({"username": "alice",
                               "password": PASSWORD}).encode()
            answer = browser.request(
                "POST", login, {"Content-Type": "application/json"}, body,
                chunked=True)
            one_of(answer.status, (200, 411), "status")
            eq(bool(browser.jar.session()), answer.status == 200, "cookie")
        with self.case("a chunked body of 10 MB is refused",
                       "DK-I-03 DK-I-07"):
            answer = stand.browser().request(
                "POST", login, {"Content-Type": "application/json"},
                b"x" * (10 << 20), chunked=True)
            one_of(answer.status, (411, 413), "status")
        with self.case("wrong media types are refused", "DK-I-02 DK-I-16"):
            for kind in ("text/plain", "multipart/form-data; boundary=x",
                         "application/xml", "application/jsonx"):
                answer = stand.browser().request(
                    "POST", login, {"Content-Type": kind}, b"username=a")
                eq(answer.status, 415, kind)
            answer = stand.browser().post_json(
                login, {}, {"Content-Encoding": "gzip"})
            eq(answer.status, 415, "Content-Encoding")
        with self.case("malformed bodies are refused with 400",
                       "DK-I-01 DK-I-08 DK-I-09"):
            for body in (b"username=%ZZ", b"username=a%00b&password=x",
                         b"username=%ff&password=x",
                         b"username=a&username=b&password=x",
                         b"username=a&password=%e4"):
                answer = self.raw_form(body)
                eq(answer.status, 400, repr(body))
            for body in (b"{", b"[]", b"", b'{"username":1,"password":2}',
                         b'{"username":"a","username":"b","password":"c"}',
                         b"\xff\xfe"):
                answer = stand.browser().request(
                    "POST", login, {"Content-Type": "application/json"},
                    body)
                eq(answer.status, 400, repr(body))
                eq(answer.json["error"], "bad_request", "error")

    def raw_form(self, body):
        """A form with a right token and a body of our own."""
        stand, browser = self.stand, self.stand.browser()
        login = stand.url("/login")
        form = browser.get(login).page.form_with("csrf_token")
        token = urllib.parse.urlencode(
            {"csrf_token": form.fields["csrf_token"]}).encode()
        head = dict(NAVIGATION, **{
            "Sec-Fetch-Site": "same-origin", "Origin": browser.origin,
            "Content-Type": "application/x-www-form-urlencoded"})
        return browser.request("POST", login, head, token + b"&" + body)

    def methods(self):
        stand = self.stand
        with self.case("each route allows its methods only",
                       "DK-I-11 DK-X-08"):
            for route, allowed in METHODS.items():
                for method in TRIED:
                    self.one_method(route, method, allowed)
        with self.case("HEAD is GET without the body", "DK-H-12"):
            for route in ("/login", "/session", "/health", "/nothing"):
                get = stand.browser().request("GET", stand.url(route))
                head = stand.browser().request("HEAD", stand.url(route))
                eq(head.status, get.status, route)
                eq(head.body, b"", "body")
                eq(head.header("Content-Type"), get.header("Content-Type"),
                   "Content-Type")
        with self.case("no header or field changes the method", "DK-I-12"):
            answer = stand.browser().request(
                "GET", stand.url("/logout"),
                dict(NAVIGATION, **{"X-HTTP-Method-Override": "POST"}))
            eq(answer.status, 200, "the page with the button")

    def one_method(self, route, method, allowed):
        answer = self.stand.browser().request(
            method, self.stand.url(route), {"X-Probe": "probe-value"},
            None if method in ("GET", "HEAD", "OPTIONS", "TRACE") else b"")
        what = "%s %s" % (method, route)
        true("probe-value" not in answer.text, what + " echoes")
        if method in allowed:
            true(answer.status not in (404, 405, 500, 501, 502), what)
        else:
            # The server itself may know better for strange ones.
            one_of(answer.status, (400, 405, 501), what)
            true(answer.status != 405 or answer.header("Allow") or
                 method in ("TRACE", "get"), what + ": no Allow")

    def paths(self):
        stand = self.stand
        with self.case("unknown paths are 404", "DK-I-13"):
            for path in ("/nothing", "/login/x", "/LOGIN", "/", "/logi",
                         "/login%00", "/.git/config", "/login.php"):
                answer = stand.browser().get(stand.url(path))
                one_of(answer.status, (400, 404), path)
        with self.case("credentials in the query are not taken", "DK-L-01"):
            path = stand.url("/login?" + urllib.parse.urlencode(
                {"username": "alice", "password": PASSWORD}))
            browser = stand.browser()
            answer = browser.request("GET", path, NAVIGATION)
            eq((answer.status, browser.jar.session()), (200, None), "GET")
            answer = browser.request("POST", path, dict(
                NAVIGATION, **{"Sec-Fetch-Site": "same-origin",
                               "Content-Type":
                               "application/x-www-form-urlencoded"}), b"")
            true(answer.status >= 400, "POST")
            eq(browser.jar.session(), None, "no session")
            true(PASSWORD not in answer.text, "not echoed")

    def cross_site(self):
        """The matrix of DK-X-01; the unit tests have all of it."""
        stand = self.stand
        own, table = stand.origin, []
        for site, origin, good in (
                ("same-origin", own, True), ("same-origin", "null", True),
                ("same-origin", "https://evil.example", False),
                ("cross-site", own, False), ("same-site", own, False),
                (None, own, True), (None, own.upper(), True),
                (None, own + ".evil.example", False), (None, "null", False),
                (None, own + ".", False), ("foo", own, True),
                ("foo", "https://evil.example", False), (None, None, False)):
            table.append((site, origin, good))
        with self.case("a sign-in from a foreign page is refused",
                       "DK-L-04 DK-X-01 DK-X-03 DK-X-05"):
            for site, origin, good in table:
                browser = stand.browser()
                login = stand.url("/login")
                form = browser.get(login).page.form_with("password")
                answer = browser.post_form(
                    login, dict(form.fields, username="alice",
                                password=PASSWORD),
                    {"Sec-Fetch-Site": site, "Origin": origin})
                eq(answer.status, 303 if good else 403,
                   "Sec-Fetch-Site %s, Origin %s" % (site, origin))
                eq(bool(browser.jar.session()), good, "a session")
        with self.case("so is one without its token, or with another's",
                       "DK-X-02"):
            one, two = stand.browser(), stand.browser()
            login = stand.url("/login")
            foreign = one.get(login).page.form_with("password")
            form = two.get(login).page.form_with("password")
            for token in ("", "x", foreign.fields["csrf_token"]):
                answer = two.post_form(login, dict(
                    form.fields, csrf_token=token, username="alice",
                    password=PASSWORD))
                eq(answer.status, 403, "status")
                eq(two.jar.session(), None, "no session")
        with self.case("the Host header is not believed", "DK-X-04"):
            browser = stand.browser()
            answer = browser.post_json(
                stand.url("/login"),
                {"username": "alice", "password": PASSWORD},
                {"Host": "evil.example", "Origin": "http://evil.example"})
            true(answer.status >= 400, "refused: %r" % answer)
            eq(browser.jar.session(), None, "no session")
        with self.case("no preflight is granted", "DK-X-08"):
            answer = stand.browser().request(
                "OPTIONS", stand.url("/login"),
                {"Origin": "https://evil.example",
                 "Access-Control-Request-Method": "POST"})
            true(not [n for n, _ in answer.headers if
                      n.lower().startswith("access-control-allow")], "CORS")

    def safe_methods(self):
        stand = self.stand
        with self.case("GET, HEAD and OPTIONS change nothing", "DK-X-06"):
            me = stand.signed_in()
            before = stand.dump()
            for browser in (stand.browser(), me):
                for route in list(METHODS) + ["/check", "/metrics", "/logo",
                                              "/nothing"]:
                    for method in ("GET", "HEAD", "OPTIONS"):
                        browser.request(method, stand.url(route), NAVIGATION)
            eq(stand.dump(), before, "dump of the store")

    def odd_sign_ins(self):
        stand = self.stand
        with self.case("hostile names are escaped and find nobody",
                       "DK-I-14"):
            for name in ('"><script>alert(1)</script>', "' OR 1=1 --",
                         "%n%s%x", "a\nb", "alice\u200b", "x" * 5000):
                browser = stand.browser()
                answer = browser.get(stand.url("/login"))
                answer = browser.sign_in(answer.page, stand.url("/login"),
                                         name, "some long password")
                one_of(answer.status, (400, 401), repr(name[:20]))
                true("<script>alert" not in answer.text, "escaped")
        with self.case("next leads nowhere else", "DK-O-01 DK-O-04"):
            for wanted in ("https://evil.example/", "//evil.example/",
                           "/\\evil.example", "javascript:alert(1)",
                           "\\\\evil.example", "/%0d%0aX: y", "http:/x",
                           stand.url("/logout"), "/" + "x" * 5000):
                browser = stand.browser()
                login = stand.url("/login?next=" +
                                  urllib.parse.quote(wanted, ""))
                answer = browser.get(login)
                eq(answer.status, 200, "form for %r" % wanted[:30])
                answer = browser.sign_in(answer.page, login, "alice",
                                         PASSWORD)
                eq(answer.status, 303, "sign-in for %r" % wanted[:30])
                one_of(answer.header("Location"),
                       ("/", "/%0d%0aX:%20y", "/%0d%0aX: y"),
                       "Location for %r" % wanted[:30])
        with self.case("the query of a wanted page is in no log of ours",
                       "DK-O-05"):
            token = "token-%s" % os.urandom(8).hex()
            browser = stand.browser()
            answer = browser.get(stand.url(
                "/login?next=%2Fprivate%2F%3F" + token))
            browser.sign_in(answer.page, stand.url("/login"), "alice",
                            PASSWORD)
            stand.browser().get("/private//?" + token)
            for name in os.listdir(stand.box.path("log")):
                if name.startswith("access"):
                    continue  # the web server's own
                for line in stand.box.read("log/" + name).split("\n"):
                    true('"event"' not in line or token not in line, line)
            true(token not in stand.dump(), "in the store")


def argv_attack(stand, report):
    """A query without '=' becomes arguments of a CGI program (RFC 3875)."""
    with report.case(stand.name + ": a query is no command line",
                     "DK-G-01", stand.box):
        before = stand.sql("SELECT count(*) FROM users")
        for query in ("user+add+evil", "--help", "-c/etc/passwd",
                      "serve", "config+show", "user+disable+alice"):
            answer = stand.browser().get(stand.url("/login?" + query))
            eq(answer.status, 200, query)
            true("password" in answer.page.forms[0].types, "the form")
            true("Usage" not in answer.text, "no help text")
        eq(stand.sql("SELECT count(*) FROM users"), before, "users")
    with report.case(stand.name + ": the command line refuses to be a CGI",
                     "DK-G-01 DK-Z-09", stand.box):
        for name in ("GATEWAY_INTERFACE", "REQUEST_METHOD"):
            done = stand.admin("user", "list", check=False,
                               env={name: "GET"})
            eq(done.returncode, 2, "exit status")
            eq(done.stdout, b"", "output")
            eq(done.stderr.count(b"\n"), 1, "lines")


def raw_requests(stand, report):
    with report.case(stand.name + ": broken HTTP does no harm", "DK-E-02",
                     stand.box):
        for data in (b"\0\0\0", b"GET\r\n\r\n", b"POST /auth/login HTTP/1.1"
                     b"\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
                     b"GET /auth/login HTTP/1.1\r\nHost: a\r\nHost: b\r\n"
                     b"Connection: close\r\n\r\n"):
            raw_exchange(stand.port, data, 0.5)
        eq(stand.browser().get(stand.url("/login")).status, 200, "status")
