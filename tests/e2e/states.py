"""Every page of doorkeep in every state, in any language: a site of its own,
and the ways that lead to each of them.  pages.py holds what comes out against
the rules, tools/pictures.py takes the pictures."""

import json
import time

from client import Browser, Page
from enrol import code_of, enrol, follow
from harness import PASSWORD, eq, true, wait_for
from servers import Nginx
from stand import RULES

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "ar", "he",
             "zh", "ja")
EXTRA = """
[security]
trusted_proxies = 127.0.0.1
require_second_factor = group:board
[admin]
group = admins
"""
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) " \
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 " \
    "Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 " \
    "Firefox/140.0"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 " \
    "(KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
TYPED = {"title": "Water in the cellar, again",
         "report": "Since Monday there is water in the cellar of the east "
                   "wing.\r\nThe pump runs, but the drain is blocked.",
         "urgent": "yes", "form_id": "7"}
PEOPLE = (("maria", "Maria Lindgren", "admins staff"),
          ("dave", "Dave Okafor", "staff"), ("carol", "Carol Weiss", "staff"),
          ("walt", "Walter Brandt", "staff"), ("olga", "Olga Nowak", "board"),
          ("ada", "Ada Lindqvist", "staff"), ("bruno", "Bruno Haas", "staff"),
          ("chiara", "Chiara Conti", "editors"),
          ("dmitri", "Dmitri Orlov", "staff"), ("emine", "Emine Yıldız", ""),
          ("farid", "Farid Haddad", "staff"), ("grace", "Grace Owusu", ""),
          ("henk", "Henk de Vries", "staff"),
          ("ines", "Inês Carvalho", "editors"), ("jun", "Jun Watanabe", ""))


class Reader(Browser):
    """A browser whose person reads one language, at an address of its
    own, so that nobody waits for somebody else's wrong guesses."""

    number = 256

    def __init__(self, stand, agent=LAPTOP):
        super().__init__(stand.origin, stand.check, stand.secrets)
        self.language, self.agent = "en", agent
        Reader.number += 1
        self.address = "127.0.%d.%d" % divmod(Reader.number, 256)

    def request(self, method, path, headers=None, *rest, **more):
        headers = {**(headers or {}), "Accept-Language": self.language,
                   "User-Agent": self.agent}
        headers.setdefault("X-Forwarded-For", self.address)
        return super().request(method, path, headers, *rest, **more)


class States:
    """The site.  all(code) is every state in that language: a dict from the
    state's name to the answer that shows it."""

    def __init__(self, secrets, languages=LANGUAGES, name="Harbour Office"):
        self.languages = languages
        self.stand = Nginx(secrets, extra=EXTRA, rules="\n/private/desk/ = "
                           "any; level=2" + RULES)
        self.stand.config_file = self.stand.box.write(
            "etc/doorkeep.conf", self.stand.config().replace(
                "name = Test site", "name = " + name), 0o640)
        self.readers, self.answers, self.language = {}, {}, "en"

    def close(self):
        return self.stand.close()

    # ---- people, and what they have done ----
    def start(self):
        stand = self.stand
        stand.box.write("htdocs/private/desk/index.html", "<p>desk")
        stand.add_user("first")
        known = stand.sql("SELECT password_hash FROM users")
        stand.admin("user", "delete", "first")
        people = list(PEOPLE)
        for language in self.languages:
            people += [(self.own("nadia", language), "Nadia Benali", ""),
                       (self.own("noor", language), "Noor Haddad", "")]
        stand.admin("user", "import", stand.box.write(
            "etc/people.json", "".join(json.dumps({
                "username": name, "display_name": person,
                "email": name + "@harbour.example", "password_hash": known,
                "groups": groups.split()}) + "\n"
                for name, person, groups in people)))
        stand.start()
        self.past()
        self.sessions()

    def past(self):
        """A day as the desk's picture shows it: busy hours, quiet ones."""
        now = int(time.time() * 1000)
        self.stand.sql(
            "INSERT INTO events (at, event, outcome, username, ip, actor) "
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "WHERE i < 600), t(i, r) AS (SELECT i, (i * 7919) %% 1000 FROM n)"
            " SELECT %d - 1800000 - CASE WHEN i %% 4 THEN 28800000 + r * "
            "14400 ELSE r * 79000 END, 'sign_in', CASE WHEN i %% 7 THEN "
            "'success' WHEN i %% 2 THEN 'throttled' ELSE 'failure' END, "
            "'ada', '192.0.2.' || (i %% 9), 'web' FROM t" % now)

    def sessions(self):
        """Browsers that are signed in, each for what it shows."""
        stand = self.stand
        for who, name, agent in (
                ("desk", "maria", LAPTOP), ("plain", "dave", LAPTOP),
                ("stale", "walt", DESKTOP), ("factor", "carol", LAPTOP),
                ("board", "olga", PHONE), ("again", "dave", PHONE),
                ("third", "dave", DESKTOP), ("phone", "walt", PHONE)):
            reader = self.readers[who] = Reader(stand, agent)
            answer = reader.post_json(stand.url("/login"), {
                "username": name, "password": PASSWORD})
            eq(answer.status, 200, "sign-in of " + name)
        stand.sql("UPDATE sessions SET authenticated_at = authenticated_at - "
                  "700000 WHERE id IN (SELECT id FROM active_sessions WHERE "
                  "username = 'walt')")
        carol = self.readers["factor"]
        self.seed, _ = enrol(carol, stand, carol.get(stand.url("/account")))

    # ---- ways ----
    @staticmethod
    def own(name, language):
        """Somebody whom the pages of one language change."""
        return name if language == "en" else "%s-%s" % (name, language)

    def act(self, name, action):
        """The desk does it."""
        reader = self.reader("desk")
        page = reader.get(self.stand.url("/admin/person?name=" + name)).page
        return self.post(reader, "/admin/person", page, action, {})

    def reader(self, who=None):
        """Somebody who is signed in, or a stranger."""
        reader = self.readers[who] if who else Reader(self.stand)
        reader.language = self.language
        return reader

    def try_password(self, reader, name, password, page=None):
        page = page or reader.get(self.stand.url("/login")).page
        return reader.sign_in(page, self.stand.url("/login"), name, password)

    def guess(self, reader):
        """Until it is enough."""
        for _ in range(40):
            answer = self.try_password(reader, "henk", "a guess")
            if answer.status == 429:
                break
        return answer

    def post(self, reader, route, page, action, changes, more=None):
        """The form of that action on a page."""
        form = [f for f in page.forms if f.fields.get("action") == action or
                ("action", action) in f.buttons][0]
        path = self.stand.url(route)
        return reader.post_form(path, {**form.fields, "action": action,
                                       **changes}, more)

    # ---- the states ----
    def all(self, language):
        self.language, self.answers = language, {}
        for chapter in (self.sign_in, self.causes, self.second_step,
                        self.kept, self.errors, self.account,
                        self.second_step_settings, self.desk,
                        self.passwords):
            chapter()
        return self.answers

    def add(self, name, status, answer):
        eq(answer.status, status, "%s in %s" % (name, self.language))
        true('<html lang="%s"' % self.language in answer.text,
             "%s is not in %s" % (name, self.language))
        self.answers[name] = answer
        return answer

    def sign_in(self):
        url = self.stand.url
        reader = self.reader()
        self.add("sign-in", 200, reader.get(url("/login")))
        self.add("wrong-password", 401,
                 self.try_password(reader, "dave", "not this one"))
        self.add("throttled", 429, self.guess(reader))
        page = reader.get(url("/login")).page
        page.form_with("password").fields["csrf_token"] = "x" * 43
        self.add("stale-form", 403,
                 self.try_password(reader, "dave", "typed", page))
        self.add("in-place", 401, reader.get("/private/page.html"))
        self.add("password-was-set", 200,
                 reader.get(url("/login?done=password")))
        self.add("signed-out", 200, reader.get(url("/logout")))
        self.add("sign-out", 200, self.reader("plain").get(url("/logout")))
        self.add("sign-in-again", 401, self.reader("phone").get(
            "/private/short/"))

    def causes(self):
        """Why signing in cannot work, each with a page of its own."""
        url, origin = self.stand.url, self.stand.origin
        reader = self.reader()
        page = reader.get(url("/login")).page
        reader.jar.cookies.clear()
        self.add("no-cookies", 403,
                 self.try_password(reader, "dave", "typed", page))
        fields = {"username": "dave", "password": "typed"}
        self.add("other-name", 403, reader.post_form(
            url("/login"), fields, {"Origin": "http://localhost:1"}))
        self.add("other-site", 403, reader.post_form(
            url("/login"), fields, {"Origin": "https://evil.example",
                                    "Sec-Fetch-Site": "cross-site"}))
        away = {"X-Forwarded-For": "192.0.2.7"}
        self.add("no-https", 403, reader.request(
            "GET", url("/login"), {"Accept": "text/html", **away}))
        self.add("proxy", 403, reader.post_form(
            url("/login"), fields, {"Origin": origin.replace(
                "http:", "https:"), **away}))
        name = [c.partition("=")[0] for c in reader.get(
            url("/login")).all("Set-Cookie")][0]
        self.add("two-cookies", 403, reader.request(
            "POST", url("/login"), {
                "Cookie": "%s=a; %s=b" % (name, name), "Accept": "text/html",
                "Origin": origin, "Sec-Fetch-Site": "same-origin",
                "Content-Type": "application/x-www-form-urlencoded"},
            b"username=dave&password=x&csrf_token=y", cookies=False))

    def second_step(self):
        reader = self.reader()
        answer = self.add("second-step", 200, self.try_password(
            reader, "carol", PASSWORD))
        form = answer.page.form_with("totp_code")
        path = self.stand.url("/second-factor")
        self.add("second-step-wrong", 401,
                 reader.submit(form, {"totp_code": "000000"}, path))
        for name in [n for n in reader.jar.cookies if "step" in n]:
            del reader.jar.cookies[name]
        self.add("second-step-late", 401,
                 reader.submit(form, {"totp_code": "000000"}, path))
        self.act("carol", "unlock")

    def passwords(self):
        path = self.stand.url("/set-password")
        answer = self.add("desk-link", 200, self.act(
            self.own("nadia", self.language), "link"))
        link = answer.page.text.partition(self.stand.origin)[2].split()[0]
        reader = self.reader()
        form = self.add("set-password", 200, follow(
            reader, reader.get(link))).page.form_with(
            "new_password")
        self.add("set-password-short", 400, reader.submit(
            form, {"new_password": "short"}, path))
        self.add("set-password-common", 400, reader.submit(
            form, {"new_password": "passwordpassword"}, path))
        self.add("link-is-dead", 404, follow(reader, reader.get(
            link[:-6] + "AAAAAA")))

    def kept(self):
        reader = self.reader()
        answer = self.add("signed-out-while-typing", 401, reader.post_form(
            "/private/page.html?a=1", TYPED))
        self.add("typed-too-much", 401, reader.post_form(
            "/private/page.html", {"report": "x" * 66000}))
        self.add("typed-elsewhere", 401, reader.post_form(
            "/private/page.html", TYPED, {"Sec-Fetch-Site": "cross-site",
                                          "Origin": "https://evil.example"}))
        self.add("kept-form", 200, self.try_password(
            reader, "dave", PASSWORD, answer.page))

    def errors(self):
        url, reader = self.stand.url, self.reader("plain")
        self.add("not-found", 404, reader.get(url("/no-such-page")))
        self.add("not-for-you", 403, reader.get("/private/admins/"))
        self.add("not-allowed", 405, reader.post_form(
            url("/health"), {"a": "b"}))
        self.add("too-long", 400, reader.post_form(
            url("/login"), {"username": "x" * 2000}))
        self.add("no-form", 415, reader.request(
            "POST", url("/login"), {
                "Content-Type": "text/plain", "Accept": "text/html",
                "Origin": self.stand.origin,
                "Sec-Fetch-Site": "same-origin"}, b"x"))

    def account(self):
        url, reader = self.stand.url, self.reader("plain")
        answer = self.add("account", 200, reader.get(url("/account")))
        for name, changes, status in (
                ("account-wrong-password", {"current_password": "a guess",
                                            "new_password": "n" * 20}, 403),
                ("account-short-password", {"current_password": PASSWORD,
                                            "new_password": "short"}, 400)):
            self.add(name, status, self.post(
                reader, "/account", answer.page, "change_password", changes))
        self.add("account-done", 200, reader.get(
            url("/account?done=others")))
        self.add("account-stale", 200, self.reader("stale").get(
            url("/account")))
        self.add("account-must-enrol", 200, self.reader("board").get(
            url("/account?need=factor&next=/private/page.html")))

    def second_step_settings(self):
        url, reader = self.stand.url, self.reader()
        reader.post_json(url("/login"), {
            "username": self.own("noor", self.language),
            "password": PASSWORD})
        page = reader.get(url("/account")).page
        answer = self.add("enrol", 200, self.post(
            reader, "/account", page, "factor_begin", {}))
        self.add("enrol-wrong-code", 400, self.post(
            reader, "/account", answer.page, "factor_confirm",
            {"totp_code": "000000"}))
        seed = [a for t, a in answer.page.tags if t == "a" and
                a.get("href", "").startswith("otpauth:")][0]["href"]
        seed = seed.partition("secret=")[2].partition("&")[0]
        self.add("recovery-codes", 200, self.post(
            reader, "/account", answer.page, "factor_confirm",
            {"totp_code": code_of(seed)}))
        self.add("account-two-steps", 200, reader.get(url("/account")))

    def desk(self):
        url, reader = self.stand.url, self.reader("desk")
        for name, path in (
                ("desk", "/admin"), ("desk-month", "/admin?span=month"),
                ("desk-people", "/admin/people"),
                ("desk-nobody", "/admin/people?search=zzz"),
                ("desk-person", "/admin/person?name=dave"),
                ("desk-myself", "/admin/person?name=maria"),
                ("desk-sessions", "/admin/sessions"),
                ("desk-address", "/admin/sessions?address=1.2.3.4.5"),
                ("desk-events", "/admin/events")):
            answer = reader.get(url(path))
            self.add(name, answer.status, answer)
        page = self.answers["desk-people"].page
        form = [f for f in page.forms if "display_name" in f.fields][0]
        self.add("desk-taken", 400, reader.submit(
            form, {"username": "DAVE"}, url("/admin/people")))
        self.add("desk-end", 200, reader.get(
            url("/admin/sessions?user=dave&ask=all")))
        self.stale_desk(reader)

    def stale_desk(self, reader):
        """Who signed in a while ago can look, not change."""
        change = ("UPDATE sessions SET authenticated_at = authenticated_at "
                  "%s 700000 WHERE id IN (SELECT id FROM active_sessions "
                  "WHERE username = 'maria')")
        self.stand.sql(change % "-")
        try:
            self.add("desk-stale", 200, reader.get(
                self.stand.url("/admin/person?name=dave")))
        finally:
            self.stand.sql(change % "+")
